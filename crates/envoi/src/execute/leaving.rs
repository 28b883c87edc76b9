//! Accounts that are deleted, and recipients of whom nothing is to be kept.

use relay::id::Id;
use relay::service::operation::Answer;
use relay::service::view::{DoneView, ErasureView};
use relay::service::{self, Caller, Fault};
use relay::store::Store;

use super::Executor;

impl<S: Store> Executor<S> {
    pub(super) fn account_delete(&self, account: u64, cancel_mail: bool, caller: Caller<'_>) -> Result<Answer, Fault> {
        service::account_delete(self.store.as_ref(), Id::new(account), cancel_mail, caller)?;
        // what is left, or comes later of mail in the queue, goes within the hour
        if let Err(error) = self.store.inbox_delete(Id::new(account), None) {
            tracing::warn!(%error, account, "the test inbox of a deleted account is still there");
        }
        if let Err(error) = self.store.dmarc_delete(Id::new(account)) {
            tracing::warn!(%error, account, "DMARC reports of a deleted account are still there");
        }
        let mail = if cancel_mail {
            "all its mail that waits is given up"
        } else {
            "what is held of its mail is given up, the rest has 24 hours to go out"
        };
        let done = format!(
            "Account {account} is deleted. Its SMTP users, members and keys have stopped; {mail}. What is kept of it is purged \
             by and by, the audit log excepted."
        );
        Ok(Answer::Done(DoneView { done }))
    }

    pub(super) fn activity_erase(
        &self,
        account: u64,
        recipient: &str,
        suppression: bool,
        caller: Caller<'_>,
    ) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let (erased, messages, suppression) = service::erase(store, Id::new(account), recipient, suppression, caller)?;
        let (rows, connections, calls, waiting) = (erased.rows, erased.connections, erased.calls, erased.waiting);
        Ok(Answer::Erasure(ErasureView { rows, connections, calls, messages, suppression, waiting }))
    }
}
