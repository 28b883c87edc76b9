//! Parcels that are settled, held or ended without being carried.

use std::sync::Arc;
use std::time::Duration;

use relay::clock::Timestamp;
use relay::outcome::{self, Ending, Judgement};
use relay::queue::{Attempt, HoldReason};
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
        let judgements = self.judge(mail, &destination, parcel, &findings, not_before);
        self.settle(mail, (parcel, &destination), Some(attempt), judgements).await;
    }

    /// Where a parcel would go.
    fn destination(&self, mail: &Claimed, parcel: &Parcel) -> Destination {
        let number = parcel.recipients.first().copied().unwrap_or_default();
        let domain = mail.envelope.recipients.get(usize::from(number)).map_or("", |address| address.domain());
        let directory = self.store.directory();
        let wish = mail.envelope.way_wish();
        match reroute::way(&directory.reroutes, &mail.envelope, number) {
            Some(via) => self.carrier.routes().toward(via, domain, wish),
            None => self.carrier.routes().destination_wanting(domain, wish),
        }
    }

    /// Settles a parcel as ended; whether that could be kept.
    pub(super) async fn end(self: &Arc<Self>, parcel: Parcel, ending: &Ending) -> bool {
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
        if let Err(error) = self.hold_message(parcel.message, reason).await {
            tracing::error!(message_id = %parcel.message, %error, "a message could not be held");
            self.give_back(parcel, self.clock.now().after(UNREADABLE_WAIT));
            return;
        }
        self.give_back(parcel, self.clock.now());
        // what was resumed meanwhile has been looked through already, and this message was not held then
        if !matches!(self.before(mail), Before::Hold(_))
            && let Err(error) = self.order(parcel.message, parcel.recipients.clone(), Order::Release).await
        {
            tracing::error!(message_id = %parcel.message, %error, "a message could not be released");
        }
    }
}
