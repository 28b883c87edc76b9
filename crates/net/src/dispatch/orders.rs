//! What people order about some recipients of a message: the scheduler first where nothing more may begin, the store first
//! where something may.

use std::collections::HashMap;
use std::sync::Arc;

use relay::id::MessageId;
use relay::queue::HoldReason;
use relay::reroute::{self, Via};
use relay::route::Destination;
use relay::schedule::{Action, Event, Order};
use relay::store::{QueueEntry, Store, StoreError};

use super::carrier::Carrier;
use super::driver::Driver;

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Carries an order out; of how many recipients, those in flight left out that are to end.
    pub(super) async fn order(
        self: &Arc<Self>,
        message: MessageId,
        recipients: Vec<u16>,
        order: Order,
    ) -> Result<usize, StoreError> {
        self.find(message)?;
        match order {
            Order::Hold(reason) => self.hold_chosen(message, recipients, reason).await,
            Order::Release => {
                let some = Some(recipients.clone());
                let released = self.store.release_some(message, some, self.clock.now()).await;
                self.minded(released)?;
                Ok(self.tell_order(message, recipients, Order::Release))
            }
            Order::End(_) => self.end_chosen(message, recipients, order).await,
            Order::Retry | Order::Send(_) => Ok(self.tell_order(message, recipients, order)),
        }
    }

    /// Sends recipients another way from now on; how many.
    pub(super) fn reroute(
        self: &Arc<Self>,
        message: MessageId,
        recipients: Vec<(u16, Arc<str>)>,
        via: &Via,
    ) -> Result<usize, StoreError> {
        self.find(message)?;
        let (routes, wish) = (self.carrier.routes(), self.entry(message)?.way_wish());
        let mut by_destination: HashMap<Destination, Vec<u16>> = HashMap::new();
        for (number, domain) in recipients {
            by_destination.entry(routes.toward(via, &domain, wish)).or_default().push(number);
        }
        let told = by_destination.into_iter();
        Ok(told.map(|(destination, numbers)| self.tell_order(message, numbers, Order::Send(destination))).sum())
    }

    /// How those recipients of a waiting message go that the operator sent another way.
    pub(super) async fn ways(&self, entry: &QueueEntry) -> Vec<(u16, Via)> {
        let reroutes = Arc::clone(&self.store.directory().reroutes);
        if reroutes.is_empty() {
            return Vec::new();
        }
        let mut envelope = None;
        if reroute::needs_envelope(&reroutes, entry) {
            match self.store.peek(entry.message).await {
                Ok(found) => envelope = found.map(|found| found.envelope),
                Err(error) => {
                    tracing::warn!(message_id = %entry.message, %error, "a message goes as the routes say: it cannot be read");
                }
            }
        }
        let ways = reroute::ways(&reroutes, entry, envelope.as_deref());
        ways.into_iter().map(|(number, via)| (number, via.clone())).collect()
    }

    fn tell_order(self: &Arc<Self>, message: MessageId, recipients: Vec<u16>, order: Order) -> usize {
        let count = recipients.len();
        self.tell(Event::Chosen { message, recipients, order });
        count
    }

    async fn hold_chosen(
        self: &Arc<Self>,
        message: MessageId,
        recipients: Vec<u16>,
        reason: HoldReason,
    ) -> Result<usize, StoreError> {
        self.tell_order(message, recipients.clone(), Order::Hold(reason));
        let some = Some(recipients.clone());
        let held = self.store.hold_some(message, some, reason, self.clock.now()).await;
        if let Err(error) = self.minded(held) {
            self.tell_order(message, recipients, Order::Release);
            return Err(error);
        }
        Ok(recipients.len())
    }

    async fn end_chosen(
        self: &Arc<Self>,
        message: MessageId,
        recipients: Vec<u16>,
        order: Order,
    ) -> Result<usize, StoreError> {
        let is_its = |action: &Action| matches!(action, Action::End { parcel, .. } if parcel.message == message);
        let mut flying = recipients.clone();
        let actions = self.tell_and_keep(Event::Chosen { message, recipients, order }, is_its);
        let ends = |number: &u16| {
            let is_in =
                |action: &Action| matches!(action, Action::End { parcel, .. } if parcel.recipients.contains(number));
            actions.iter().any(is_in)
        };
        flying.retain(|number| !ends(number));
        let ended = self.end_all(actions).await?;
        self.hold_until_ended(message, flying).await?;
        Ok(ended)
    }

    /// Keeps it that recipients in flight are to end once they are back. The order itself is gone with this process: after the
    /// next start they are held by the operator, whatever held them before, instead of being sent.
    async fn hold_until_ended(self: &Arc<Self>, message: MessageId, flying: Vec<u16>) -> Result<(), StoreError> {
        if flying.is_empty() {
            return Ok(());
        }
        let (now, some) = (self.clock.now(), Some(flying));
        let mut kept = self.store.release_some(message, some.clone(), now).await;
        if kept.is_ok() {
            kept = self.store.hold_some(message, some, HoldReason::Operator, now).await;
        }
        match self.minded(kept) {
            // the last of it was delivered meanwhile, or has ended
            Err(StoreError::NotFound(_)) => Ok(()),
            kept => kept,
        }
    }

    /// What the store said; delivery stops where it has latched.
    pub(super) fn minded(self: &Arc<Self>, said: Result<(), StoreError>) -> Result<(), StoreError> {
        if let Err(error @ StoreError::Latched(_)) = &said {
            self.latch(error);
        }
        said
    }
}
