//! Parcels that are settled, held or ended without being carried.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::outcome::{self, Ending, Judgement};
use relay::queue::{Attempt, Envelope, HoldReason, RecipientState};
use relay::reroute;
use relay::route::Destination;
use relay::schedule::{Fault, Order, Parcel};
use relay::store::{Claimed, Store};

use super::carrier::Carrier;
use super::conversation::{Before, UNREADABLE_WAIT};
use super::driver::Driver;

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Settles a parcel by what is known about its site, without dialling for it.
    pub(super) async fn fail(self: &Arc<Self>, parcel: Parcel, fault: &Fault, attempted: bool, not_before: Timestamp) {
        let _in_hand = self.in_hand(&parcel);
        let Some((claim, parcel)) = self.claim(parcel).await else { return };
        let Some(mail) = claim.mail() else { return };
        let ending = match self.before(mail) {
            Before::Carry if mail.envelope.sandbox => {
                let destination = self.destination(mail, &parcel);
                self.take_in(&claim, mail, &destination, &parcel).await;
                return;
            }
            Before::Carry => {
                self.settle_by_fault(mail, &parcel, fault, attempted, not_before).await;
                return;
            }
            Before::Hold(reason) => return self.hold_parcel(mail, &parcel, reason).await,
            Before::End(ending) => ending,
        };
        self.end_claimed(mail, &parcel, &ending).await;
    }

    async fn settle_by_fault(
        self: &Arc<Self>,
        mail: &Claimed,
        parcel: &Parcel,
        fault: &Fault,
        attempted: bool,
        not_before: Timestamp,
    ) {
        let attempt = match attempted {
            true => fault.attempt.clone(),
            false => Attempt { at: self.clock.now(), milliseconds: 0, ..fault.attempt.alone() },
        };
        let destination = self.destination(mail, parcel);
        let findings: Vec<_> = parcel.recipients.iter().map(|number| (*number, fault.finding.clone())).collect();
        let judgements = self.judge(mail, &destination, parcel, &findings, (not_before, &[]));
        self.settle(mail, (parcel, &destination), Some(attempt), judgements).await;
    }

    /// Where a parcel would go.
    fn destination(&self, mail: &Claimed, parcel: &Parcel) -> Destination {
        self.way_of(&mail.envelope, parcel.recipients.first().copied().unwrap_or_default())
    }

    /// Where a recipient's mail goes, as the operator's orders and the routes say.
    pub(super) fn way_of(&self, envelope: &Envelope, number: u16) -> Destination {
        let domain = envelope.recipients.get(usize::from(number)).map_or("", |address| address.domain());
        let (directory, wish) = (self.store.directory(), envelope.way_wish());
        match reroute::way(&directory.reroutes, envelope, number) {
            Some(via) => self.carrier.routes().toward(via, domain, wish),
            None => self.carrier.routes().destination_wanting(domain, wish),
        }
    }

    /// Settles a parcel as ended; whether that could be kept.
    pub(super) async fn end(self: &Arc<Self>, parcel: Parcel, ending: &Ending) -> bool {
        let (message, recipients) = (parcel.message, parcel.recipients.clone());
        let is_ended = self.end_whole(parcel, ending).await;
        let is_cancelled = matches!(ending, Ending::Cancelled(_) | Ending::CancelledUntold(_));
        if !is_ended && is_cancelled && self.left_of(message, &recipients) > 0 {
            // whoever cancelled it was told so, or is told now that it is not done: it is not sent in either case
            tracing::error!(message_id = %message, "a message cannot be cancelled now: it is held instead");
            if let Err(error) = self.hold_chosen(message, recipients, HoldReason::Operator).await {
                tracing::error!(message_id = %message, %error, "a message could not be held");
            }
        }
        is_ended
    }

    async fn end_whole(self: &Arc<Self>, parcel: Parcel, ending: &Ending) -> bool {
        let _in_hand = self.in_hand(&parcel);
        let Some((claim, parcel)) = self.claim(parcel).await else { return false };
        let Some(mail) = claim.mail() else { return false };
        self.end_claimed(mail, &parcel, ending).await
    }

    pub(super) async fn end_claimed(self: &Arc<Self>, mail: &Claimed, parcel: &Parcel, ending: &Ending) -> bool {
        let judgements: Vec<Judgement> =
            parcel.recipients.iter().map(|recipient| outcome::end(*recipient, ending)).collect();
        if let Ending::CancelledUntold(_) = ending {
            return self.settle_untold(mail, parcel, judgements).await;
        }
        self.settle(mail, (parcel, &self.destination(mail, parcel)), None, judgements).await
    }

    /// Holds a parcel's message that cannot be read: trying it again and again would help nobody.
    pub(super) async fn hold_damaged(self: &Arc<Self>, parcel: &Parcel) {
        let held = self.hold_message(parcel.message, HoldReason::Damaged).await;
        if let Err(error) = &held {
            tracing::error!(message_id = %parcel.message, %error, "a message could not be held");
        }
        let wait = if held.is_ok() { Duration::ZERO } else { UNREADABLE_WAIT };
        self.give_back(parcel, self.clock.now().after(wait));
    }

    /// Holds a parcel's message, and gives the parcel back.
    pub(super) async fn hold_parcel(self: &Arc<Self>, mail: &Claimed, parcel: &Parcel, reason: HoldReason) {
        let _turn = self.turns.of(parcel.message).await;
        self.has_held.store(true, Ordering::SeqCst);
        if let Err(error) = self.hold_message(parcel.message, reason).await {
            tracing::error!(message_id = %parcel.message, %error, "a message could not be held");
            self.give_back(parcel, self.clock.now().after(UNREADABLE_WAIT));
            return;
        }
        self.give_back(parcel, self.clock.now());
        // what was resumed meanwhile has been looked through already, and this message was not held then
        if !matches!(self.before(mail), Before::Hold(_)) {
            self.release_resumed(parcel.message).await;
        }
    }

    /// Releases what of a message is held and waits for nobody's word.
    async fn release_resumed(self: &Arc<Self>, message: MessageId) {
        let Ok(entry) = self.entry(message) else { return };
        let is_resumed = |state: &RecipientState| match state {
            RecipientState::Held { reason, .. } => !reason.is_for_the_operator(),
            RecipientState::Waiting { .. } | RecipientState::Settled => false,
        };
        let resumed = entry.recipients.iter().filter(|(_, _, state)| is_resumed(state));
        let resumed = resumed.map(|(number, ..)| *number).collect();
        if let Err(error) = self.order(message, resumed, Order::Release).await {
            tracing::error!(message_id = %message, %error, "a message could not be released");
        }
    }
}
