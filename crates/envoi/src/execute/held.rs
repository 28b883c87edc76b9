//! What the operator holds, released or given up as a whole: after a restore, thousands wait for one decision.

use relay::id::MessageId;
use relay::queue::{HoldReason, RecipientState};
use relay::service::operation::{Answer, Operation};
use relay::service::view::DoneView;
use relay::service::{Fault, FaultKind};
use relay::store::{Actor, QueueEntry, Store};
use std::sync::Arc;

use super::Executor;

/// Messages looked at in one step.
const PAGE: usize = 500;

/// The order for each message of an order for all of them.
pub(super) fn order_of(operation: &Operation) -> Option<fn(MessageId) -> Operation> {
    match operation {
        Operation::QueueReleaseAll => Some(|message| Operation::QueueRelease { message }),
        Operation::QueueCancelAll => Some(|message| Operation::QueueCancel { message }),
        _ => None,
    }
}

fn is_held(entry: &QueueEntry) -> bool {
    let by_operator =
        |state: &RecipientState| matches!(state, RecipientState::Held { reason: HoldReason::Operator, .. });
    entry.recipients.iter().any(|(_, _, state)| by_operator(state))
}

impl<S: Store> Executor<S> {
    /// Carries an order out on every message that the operator holds. One that has left the queue meanwhile is none.
    pub(super) async fn queue_all(
        self: &Arc<Self>,
        order: fn(MessageId) -> Operation,
        actor: &Actor,
    ) -> Result<Answer, Fault> {
        let (mut after, mut count) = (None, 0u64);
        loop {
            let page = self.store.queue(after, PAGE);
            let Some(last) = page.last() else { break };
            after = Some(last.message);
            for entry in page.iter().filter(|entry| is_held(entry)) {
                match self.queue(&order(entry.message), entry.message, actor).await {
                    Ok(_) => count += 1,
                    Err(fault) if fault.kind == FaultKind::NotFound => {}
                    Err(fault) => return Err(fault),
                }
            }
        }
        let verb = if matches!(order(MessageId(0)), Operation::QueueRelease { .. }) { "released" } else { "cancelled" };
        Ok(Answer::Done(DoneView { done: format!("Messages that you held and that are {verb} now: {count}.") }))
    }
}
