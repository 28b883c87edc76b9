//! What an operator does to one message of the queue, with a running driver and without, and its line in the audit log.

use net::dispatch::Handle;
use relay::account::Account;
use relay::audit::{About, Kind};
use relay::id::{Id, MessageId};
use relay::outcome::{self, Ending};
use relay::queue::{HoldReason, Outcome, RecipientState, Settlement, Verdict};
use relay::service::Fault;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{DoneView, MessageView, UnknownReplyView};
use relay::store::{Actor, AuditEntry, Store, StoreError};

use super::{Executor, misplaced};

/// The message that an operation on the queue is about.
pub(super) fn message_of(operation: &Operation) -> Option<MessageId> {
    match operation {
        Operation::QueueShow { message }
        | Operation::QueueRetry { message }
        | Operation::QueueHold { message }
        | Operation::QueueRelease { message }
        | Operation::QueueCancel { message } => Some(*message),
        _ => None,
    }
}

impl<S: Store> Executor<S> {
    /// Carries out an operation on one message; what was done is in the audit log.
    pub(super) async fn queue(
        &self,
        operation: &Operation,
        message: MessageId,
        actor: &Actor,
    ) -> Result<Answer, Fault> {
        if let Operation::QueueShow { .. } = operation {
            let claimed = self.store.peek(message).await.map_err(|error| fault(message, error))?;
            return claimed.map(|claimed| Answer::Message(MessageView::from(&claimed))).ok_or_else(|| gone(message));
        }
        // before the order: a cancelled message leaves the queue
        let account = self.account_of(message);
        let done = match &self.running {
            Some(running) => ordered(&running.dispatch, operation, message, actor).await?,
            None => self.order_without_server(operation, message, actor).await?,
        };
        self.audit(operation, message, account, actor);
        Ok(Answer::Done(DoneView { done }))
    }

    /// What no rule knows is counted by whoever delivers.
    pub(super) fn unknown_replies(&self) -> Vec<UnknownReplyView> {
        let known = self.running.as_ref().map(|running| running.dispatch.unknown_replies()).unwrap_or_default();
        known.iter().map(UnknownReplyView::from).collect()
    }

    fn account_of(&self, message: MessageId) -> Option<Id<Account>> {
        let before = MessageId(message.0.checked_sub(1)?);
        let entry = self.store.queue(Some(before), 1).pop()?;
        (entry.message == message).then_some(entry.account)
    }

    /// What was ordered is done: where its line cannot be kept, the log tells.
    fn audit(&self, operation: &Operation, message: MessageId, account: Option<Id<Account>>, actor: &Actor) {
        let action = match operation {
            Operation::QueueHold { .. } => "queue.hold",
            Operation::QueueRelease { .. } => "queue.release",
            Operation::QueueRetry { .. } => "queue.retry",
            _ => "queue.cancel",
        };
        let about = About::numbered(Kind::Message, message);
        let entry = AuditEntry::new(self.clock.now(), actor.clone(), action, about, account);
        if let Err(error) = self.store.audit_note(entry) {
            tracing::error!(message_id = %message, %error, action, "an order is carried out, but has no line in the audit log");
        }
    }

    async fn order_without_server(
        &self,
        operation: &Operation,
        message: MessageId,
        actor: &Actor,
    ) -> Result<String, Fault> {
        let fault = |error| fault(message, error);
        let done = match operation {
            Operation::QueueHold { .. } => {
                self.store.hold(message, HoldReason::Operator, self.clock.now()).await.map_err(fault)?;
                "is held until it is released"
            }
            Operation::QueueRelease { .. } => {
                self.store.release(message, self.clock.now()).await.map_err(fault)?;
                "is released; it is tried when the relay runs"
            }
            Operation::QueueRetry { .. } => {
                self.retry_without_server(message).await?;
                "is tried as soon as the relay runs"
            }
            Operation::QueueCancel { .. } => {
                return Ok(cancelled(message, self.cancel_without_server(message, actor).await?));
            }
            _ => return Err(misplaced()),
        };
        Ok(format!("Message {message} {done}."))
    }

    /// Nothing else can have the claim where no server runs.
    async fn settle_without_server(
        &self,
        message: MessageId,
        wanted: impl Fn(&RecipientState) -> bool,
        verdict: impl Fn(u16) -> Verdict,
    ) -> Result<usize, Fault> {
        let claimed = self.store.claim(message).await?.ok_or_else(|| gone(message))?;
        let numbers = (0u16..).zip(&claimed.recipients).filter(|(_, state)| wanted(state)).map(|(number, _)| number);
        let verdicts: Vec<_> = numbers.map(verdict).collect();
        let count = verdicts.len();
        let settled = if count == 0 {
            Ok(())
        } else {
            self.store.settle(Settlement { message, at: self.clock.now(), attempt: None, verdicts }).await
        };
        self.store.unclaim(message);
        settled?;
        Ok(count)
    }

    async fn retry_without_server(&self, message: MessageId) -> Result<usize, Fault> {
        let outcome = Outcome::Deferred { until: self.clock.now() };
        let verdict = |recipient| {
            let reason = "To be tried at once, by order of the operator.".to_owned();
            Verdict { recipient, outcome, class: None, reason, remote_reply: None }
        };
        let waits = |state: &RecipientState| matches!(state, RecipientState::Waiting { .. });
        match self.settle_without_server(message, waits, verdict).await? {
            0 => Err(StoreError::Conflict(format!("message {message} is held; release it instead")).into()),
            count => Ok(count),
        }
    }

    /// The sender gets no bounce mail: the driver, which does not run, would write it.
    async fn cancel_without_server(&self, message: MessageId, actor: &Actor) -> Result<usize, Fault> {
        let ending = Ending::Cancelled(actor.name.clone());
        let verdict = |recipient| outcome::end(recipient, &ending).verdict;
        self.settle_without_server(message, |state| *state != RecipientState::Settled, verdict).await
    }
}

/// Hands an order to the running driver; what is said of it.
async fn ordered(dispatch: &Handle, operation: &Operation, message: MessageId, actor: &Actor) -> Result<String, Fault> {
    let fault = |error| fault(message, error);
    let done = match operation {
        Operation::QueueRetry { .. } => {
            dispatch.retry(message).await.map_err(fault)?;
            "is tried now"
        }
        Operation::QueueHold { .. } => {
            dispatch.hold(message, HoldReason::Operator).await.map_err(fault)?;
            "is held until it is released"
        }
        Operation::QueueRelease { .. } => {
            dispatch.release(message).await.map_err(fault)?;
            "is released and tried now"
        }
        Operation::QueueCancel { .. } => {
            return Ok(cancelled(message, dispatch.cancel(message, actor).await.map_err(fault)?));
        }
        _ => return Err(misplaced()),
    };
    Ok(format!("Message {message} {done}."))
}

fn cancelled(message: MessageId, count: usize) -> String {
    match count {
        0 => format!("Message {message} is being delivered right now; what is not delivered then is cancelled."),
        1 => format!("Message {message} is cancelled for 1 recipient."),
        count => format!("Message {message} is cancelled for {count} recipients."),
    }
}

fn fault(message: MessageId, error: StoreError) -> Fault {
    match error {
        StoreError::NotFound(_) => gone(message),
        error => error.into(),
    }
}

fn gone(message: MessageId) -> Fault {
    Fault::not_found(
        format!("There is no message {message} in the queue."),
        "The queue shows what waits, Activity what became of the rest.",
    )
    .named("message-none", &[("message", &message)])
    .see("QueueList")
}
