//! Test inboxes: what the sandbox took, looked at and deleted.

use relay::audit::{About, Details, Field, Kind};
use relay::id::{Id, MessageId};
use relay::power::Scope;
use relay::sandbox::{Captured, CapturedFilter};
use relay::service::operation::{Answer, Operation};
use relay::service::view::{CapturedDetailView, CapturedView, DoneView, SourceView};
use relay::service::{self, Caller, Fault, Identity, Octets};
use relay::store::{AuditEntry, Store};
use std::sync::Arc;
use tokio::sync::Semaphore;

use super::{Executor, broke_off, misplaced, rows};

/// Messages that are read whole at once: each may have many megabytes.
static READING: Semaphore = Semaphore::const_new(2);

/// Whether an operation is about test inboxes.
pub(super) fn is_part(operation: &Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::InboxList { .. }
            | O::InboxShow { .. }
            | O::InboxSource { .. }
            | O::InboxDelete { .. }
            | O::InboxEmpty { .. }
    )
}

impl<S: Store> Executor<S> {
    /// Carries out such an operation.
    pub(super) async fn inbox(self: &Arc<Self>, operation: Operation, identity: Identity) -> Result<Answer, Fault> {
        // held until the message has been let go
        let _reading = match operation {
            Operation::InboxShow { .. } | Operation::InboxSource { .. } => READING.acquire().await.ok(),
            _ => None,
        };
        let here = Arc::clone(self);
        tokio::task::spawn_blocking(move || here.inbox_now(operation, &identity)).await.map_err(broke_off)?
    }

    fn inbox_now(&self, operation: Operation, identity: &Identity) -> Result<Answer, Fault> {
        let Identity { actor, scope, ends_at, .. } = identity;
        let caller = Caller { actor, now: self.clock.now(), scope: *scope, ends_at: *ends_at, limits: &self.limits };
        match operation {
            Operation::InboxList { account, recipient, before, limit } => {
                let recipient = recipient.filter(|part| !part.is_empty());
                let filter = CapturedFilter { account: account.map(Id::new), recipient, before, limit: rows(limit) };
                let found = self.store.inbox(&filter)?;
                Ok(Answer::Inbox(found.iter().map(CapturedView::from).collect()))
            }
            Operation::InboxShow { message } => {
                let (captured, content) = self.captured(message, *scope)?;
                let view = CapturedDetailView::new(&captured, &content.0, &self.store.directory());
                Ok(Answer::Captured(view))
            }
            Operation::InboxSource { message } => {
                let (captured, content) = self.captured(message, *scope)?;
                Ok(Answer::Source(SourceView { message: captured.message.to_string(), source: content }))
            }
            Operation::InboxDelete { message } => {
                let (captured, _) = self.captured(message, *scope)?;
                self.store.inbox_delete(captured.account, Some(message))?;
                let about = About::numbered(Kind::Message, message);
                self.inbox_audit("test_inbox.delete", about.into(), captured.account.number(), caller);
                Ok(Answer::Done(DoneView { done: format!("Message {message} is no more in the test inbox.") }))
            }
            Operation::InboxEmpty { account } => {
                service::account_find(self.store.as_ref(), Id::new(account))?;
                let count = self.store.inbox_delete(Id::new(account), None)?;
                let told = Details::from(About::of(Kind::TestInbox)).with(Field::TestMessages, &count);
                self.inbox_audit("test_inbox.empty", told, account, caller);
                let done = format!("The test inbox of account {account} is empty; messages deleted: {count}.");
                Ok(Answer::Done(DoneView { done }))
            }
            _ => Err(misplaced()),
        }
    }

    /// A message with its content, where it exists for the caller.
    fn captured(&self, message: MessageId, scope: Scope) -> Result<(Captured, Octets), Fault> {
        let own = if let Scope::Account(own, _) = scope { Some(own) } else { None };
        let Some((captured, content)) = self.store.inbox_message(own, message)? else {
            let what = format!("There is no message {message} in the test inbox.");
            let told = Fault::not_found(what, "Those that are old, or too many, are deleted.");
            return Err(told.named("captured-none", &[("message", &message)]).see("InboxList"));
        };
        Ok((captured, Octets(content)))
    }

    /// What was done is done: where its line cannot be kept, the log tells.
    fn inbox_audit(&self, action: &str, told: Details, account: u64, caller: Caller<'_>) {
        let entry = AuditEntry::new(caller.now, caller.actor.clone(), action, told, Some(Id::new(account)));
        if let Err(error) = self.store.audit_note(entry) {
            tracing::error!(%error, action, "test mail was deleted, which has no line in the audit log");
        }
    }
}
