//! Requests that carry an idempotency key: what has to be remembered so that each is carried out once.

use super::StoreError;
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::{Id, MessageId};

/// The hash of a key: it stands for the key, which may say more than we want to keep.
pub type KeyHash = [u8; 32];

/// A request as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Whose; none: the operator's.
    pub account: Option<Id<Account>>,
    /// Its key.
    pub key: KeyHash,
    /// The hash of what was asked for.
    pub fingerprint: [u8; 32],
    /// When it was remembered.
    pub at: Timestamp,
    /// The message that it makes, where it makes one. Whether that was kept, the spool and the history know.
    pub message: Option<MessageId>,
    /// What is answered once it is done; empty where that must not be kept; none: it was begun, and nothing more is known.
    pub answer: Option<String>,
}

/// How much is remembered of the requests of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestBounds {
    /// Keys.
    pub keys: u64,
    /// Octets of their answers.
    pub octets: u64,
}

impl RequestBounds {
    /// Whether there is room for a request beside `others` of its account with so many octets of answers. One that is
    /// remembered already needs room for its answer alone.
    pub fn have_room(self, request: &KeyedRequest, is_known: bool, others: u64, octets: u64) -> bool {
        let answer = request.answer.as_ref().map_or(0, |answer| answer.len() as u64);
        // a new one needs some room for the answer that is to come
        let wanted = if is_known { answer } else { answer.max(1) };
        (is_known || others < self.keys) && (wanted == 0 || octets.saturating_add(wanted) <= self.octets)
    }
}

/// Requests with a key. Verbs block on the disk: call them off the async threads.
pub trait Requests: Send + Sync + 'static {
    /// The request that an account (none: the operator) made with a key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn request(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<Option<KeyedRequest>, StoreError>;

    /// Remembers a request in place of what was remembered of its key; false, and what was remembered stays, where the others of
    /// its account leave no room ([`RequestBounds::have_room`]).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Latched`]: it is not remembered.
    fn request_put(&self, request: &KeyedRequest, bounds: RequestBounds) -> Result<bool, StoreError>;

    /// Forgets a request; it may be forgotten already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn request_forget(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<(), StoreError>;

    /// Forgets those that were remembered before a moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn requests_prune(&self, before: Timestamp) -> Result<(), StoreError>;
}
