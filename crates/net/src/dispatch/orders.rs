//! What people order about some recipients of a message: the scheduler first where nothing more may begin, the store first
//! where something may.

use std::sync::Arc;

use relay::id::MessageId;
use relay::queue::{HoldReason, RecipientState};
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
        self.find(message).await?;
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
    pub(super) async fn reroute(
        self: &Arc<Self>,
        message: MessageId,
        recipients: Vec<(u16, Arc<str>)>,
        via: &Via,
    ) -> Result<usize, StoreError> {
        self.find(message).await?;
        let (routes, wish) = (self.carrier.routes(), self.entry(message)?.way_wish());
        let mut by_destination: Vec<(Destination, Vec<u16>)> = Vec::new();
        for (number, domain) in recipients {
            let destination = routes.toward(via, &domain, wish);
            match by_destination.iter_mut().find(|(known, _)| *known == destination) {
                Some((_, numbers)) => numbers.push(number),
                None => by_destination.push((destination, vec![number])),
            }
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

    /// Holds recipients, in the scheduler first, so that nothing more of them begins; how many.
    pub(super) async fn hold_chosen(
        self: &Arc<Self>,
        message: MessageId,
        recipients: Vec<u16>,
        reason: HoldReason,
    ) -> Result<usize, StoreError> {
        self.tell_order(message, recipients.clone(), Order::Hold(reason));
        let some = Some(recipients.clone());
        let held = self.store.hold_some(message, some, reason, self.clock.now()).await;
        if let Err(error) = self.minded(held) {
            self.not_held(message, Some(&recipients));
            return Err(error);
        }
        Ok(recipients.len())
    }

    /// A hold of these recipients, or of all, could not be kept: those that nothing else holds go on.
    pub(super) fn not_held(self: &Arc<Self>, message: MessageId, recipients: Option<&[u16]>) {
        // of what has left, or is gone with a store that has stopped, nothing goes on
        let Ok(entry) = self.entry(message) else { return };
        let is_meant = |number: u16| recipients.is_none_or(|some| some.contains(&number));
        let waits = |state: &RecipientState| matches!(state, RecipientState::Waiting { .. });
        let meant = entry.recipients.iter().filter(|(number, _, state)| is_meant(*number) && waits(state));
        self.tell_order(message, meant.map(|(number, ..)| *number).collect(), Order::Release);
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
        // what flies is held whatever becomes of the others
        let ended = self.end_all(actions).await;
        self.hold_until_ended(message, flying).await?;
        ended
    }

    /// Keeps it that recipients in flight are to end once they are back. The order itself is gone with this process: after the
    /// next start they are held by the operator, whatever held them before, instead of being sent.
    async fn hold_until_ended(self: &Arc<Self>, message: MessageId, flying: Vec<u16>) -> Result<(), StoreError> {
        if flying.is_empty() {
            return Ok(());
        }
        let kept = self.store.hold_some(message, Some(flying), HoldReason::Operator, self.clock.now()).await;
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
