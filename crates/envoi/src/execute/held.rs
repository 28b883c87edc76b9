//! What the operator holds, released or given up as a whole: after a restore, thousands wait for one decision.

use net::dispatch::selected::{self, Done, Found, ORDERED_MAX};
use relay::queue::RecipientState;
use relay::selection::Filter;
use relay::service::operation::{Answer, Operation};
use relay::service::view::DoneView;
use relay::service::{Fault, QueueOrder, Selection};
use relay::store::{Actor, Store};

use super::Executor;

/// The order for all that the operator holds.
pub(super) fn order_of(operation: &Operation) -> Option<QueueOrder> {
    match operation {
        Operation::QueueReleaseAll => Some(QueueOrder::Release),
        Operation::QueueCancelAll => Some(QueueOrder::Cancel { notify: true }),
        _ => None,
    }
}

impl<S: Store> Executor<S> {
    /// Carries an order out on every recipient that the operator holds, and on no other of its message. One that has left the
    /// queue meanwhile is none.
    pub(super) async fn queue_all(&self, order: &QueueOrder, actor: &Actor) -> Result<Answer, Fault> {
        let (mut after, mut all) = (None, Done::default());
        loop {
            let is_held = |state: &RecipientState| QueueOrder::Release.wants(state);
            let all_mail = Filter::default();
            let Found { chosen, next } =
                selected::look(self.store.as_ref(), &all_mail, is_held, after, ORDERED_MAX).await?;
            let done = self.give_order(order, None, chosen, actor).await;
            self.audit_order(order, &Selection::default(), &done, actor);
            all.add(&done);
            if let Some(error) = done.error {
                return Err(error.into());
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        let verb = if *order == QueueOrder::Release { "released" } else { "cancelled" };
        let done = format!(
            "Recipients that you held and that are {verb} now: {}, of {} messages.",
            all.recipients, all.messages
        );
        Ok(Answer::Done(DoneView { done }))
    }
}
