//! Test inboxes: what the sandbox took, for as long as there is room and reason to keep it.

use bytes::Bytes;

use super::StoreError;
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::{Id, MessageId};
use crate::sandbox::{Capture, Captured, CapturedFilter};

/// Test inboxes. Verbs block on the disk: call them off the async threads. An account that is named narrows a verb to
/// what is its own; with none it reaches all.
pub trait Inbox: Send + Sync + 'static {
    /// Keeps a message, once under its id: kept again, it has the recipients of both. What is beyond the bounds goes, the
    /// oldest first, be it this one. When it returns, it is on disk.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], [`StoreError::Unavailable`]: it is not kept, and the recipients must not be settled.
    fn inbox_put(&self, capture: Capture) -> Result<(), StoreError>;

    /// What is kept, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn inbox(&self, filter: &CapturedFilter) -> Result<Vec<Captured>, StoreError>;

    /// One message with its content, signatures in front; none where it is not kept, or not of that account.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn inbox_message(
        &self,
        account: Option<Id<Account>>,
        message: MessageId,
    ) -> Result<Option<(Captured, Bytes)>, StoreError>;

    /// Deletes one message, or without one all of an account; how many these were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn inbox_delete(&self, account: Id<Account>, message: Option<MessageId>) -> Result<u64, StoreError>;

    /// Deletes what was captured before a moment, and what belongs to accounts that are no more; how many these were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn inbox_prune(&self, before: Timestamp) -> Result<u64, StoreError>;
}
