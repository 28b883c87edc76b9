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

/// Requests with a key. Verbs block on the disk: call them off the async threads.
pub trait Requests: Send + Sync + 'static {
    /// The request that an account (none: the operator) made with a key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn request(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<Option<KeyedRequest>, StoreError>;

    /// Remembers a request in place of what was remembered of its key; false, and nothing is, where its account has `max`
    /// others.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Latched`]: it is not remembered.
    fn request_put(&self, request: &KeyedRequest, max: u64) -> Result<bool, StoreError>;

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
