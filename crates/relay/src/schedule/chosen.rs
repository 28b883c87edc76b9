//! Orders about some recipients of a message: a parcel is parted where an order does not concern all of it, and what is in
//! flight is dealt with when it comes back.

use std::sync::Arc;
use std::time::Duration;

use super::parcels::{Errand, State};
use super::{Action, Scheduler};
use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::outcome::Ending;
use crate::queue::{HoldReason, RecipientState};
use crate::route::Destination;

/// What is wanted of recipients that somebody chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those that wait are not attempted until they are released.
    Hold(HoldReason),
    /// Those that are held are due now.
    Release,
    /// Those that wait are due now, and their sites are asked again.
    Retry,
    /// They end without a further attempt.
    End(Arc<Ending>),
    /// They go to this destination from now on, and those that wait are due now.
    Send(Destination),
}

impl Order {
    /// Whether it changes anything of a parcel in this state that is not in flight.
    fn concerns(&self, state: State) -> bool {
        match self {
            Order::Hold(_) => matches!(state, State::Waiting | State::Ready),
            Order::Release => matches!(state, State::Held(_)),
            Order::Retry => state == State::Waiting,
            Order::End(_) | Order::Send(_) => !matches!(state, State::Vacant | State::InFlight(_)),
        }
    }

    fn is_alike(&self, other: &Order) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether an earlier order about the same recipients, which are in flight, is without effect once this one is given.
    fn undoes(&self, earlier: &Order) -> bool {
        match self {
            Order::Release => matches!(earlier, Order::Hold(_)),
            // nothing is held or sent that has ended
            Order::End(_) => true,
            Order::Hold(_) | Order::Retry | Order::Send(_) => self.is_alike(earlier),
        }
    }

    /// When it is carried out, of several about what comes back from a flight: what was sent elsewhere may be in flight again
    /// at once, and would then be neither held nor ended.
    fn turn(&self) -> u8 {
        match self {
            Order::End(_) => 0,
            Order::Hold(_) => 1,
            Order::Release | Order::Retry | Order::Send(_) => 2,
        }
    }
}

impl Scheduler {
    /// Carries out an order about recipients of a message.
    pub(super) fn on_chosen(
        &mut self,
        message: MessageId,
        recipients: &[u16],
        order: &Order,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        for place in self.parcels.of(message) {
            let to = match order {
                Order::Send(destination) => {
                    let lane = self.sites.get(self.parcels.at(place).site).lane;
                    let whole = self.sending.lanes.whole(lane);
                    Some(self.place(destination, whole, now))
                }
                _ => None,
            };
            let record = self.parcels.at(place);
            let is_chosen = |number: &&u16| recipients.contains(number);
            let chosen: Vec<u16> = record.recipients().iter().filter(is_chosen).copied().collect();
            let goes_there_already = to == Some(record.site);
            match self.parcels.state(place) {
                _ if chosen.is_empty() => {}
                // it has ended: what else was wanted comes too late
                State::InFlight(Errand::End) => {}
                // to where it goes already, too: it may have been sent elsewhere since
                State::InFlight(_) => self.want(message, &chosen, order),
                _ if goes_there_already => {}
                state if order.concerns(state) => {
                    let place = self.part(place, chosen);
                    self.carry_out(place, state, (order, to), now, actions);
                }
                _ => {}
            }
        }
    }

    fn carry_out(
        &mut self,
        place: u32,
        state: State,
        (order, to): (&Order, Option<u32>),
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        match order {
            Order::Hold(reason) => {
                self.withdraw(place);
                self.parcels.set(place, State::Held(*reason));
            }
            Order::Release | Order::Retry => self.hurry(place, now, actions),
            Order::End(ending) => self.end(place, ending, actions),
            Order::Send(_) => {
                let record = self.parcels.at(place);
                let (mail, attempts) = ((record.message, record.account, record.class), record.attempts());
                let (recipients, from) = (record.recipients().to_vec(), record.site);
                let state = match state {
                    State::Held(reason) => RecipientState::Held { reason, attempts },
                    _ => RecipientState::Waiting { due: now, attempts },
                };
                self.withdraw(place);
                self.forget(place);
                self.admit(mail, to.unwrap_or(from), recipients, &state, now, actions);
            }
        }
    }

    /// The place of a parcel of these recipients alone, taken out of the one at `place` where that has others; it is in no
    /// state then.
    fn part(&mut self, place: u32, chosen: Vec<u16>) -> u32 {
        let record = self.parcels.at(place);
        if chosen.len() == record.recipients().len() {
            return place;
        }
        let (mail, site) = ((record.message, record.account, record.class), record.site);
        let (attempts, due) = (record.attempts(), record.due);
        self.parcels.take_out(place, &chosen);
        let record = self.sites.at(site);
        record.recipients -= chosen.len();
        let parted = self.insert(mail, site, chosen, attempts);
        self.parcels.was_due(parted, due);
        parted
    }

    /// Remembers an order about recipients in flight. The last of its kind counts.
    fn want(&mut self, message: MessageId, chosen: &[u16], order: &Order) {
        let mut wanted = self.chosen.remove(&message).unwrap_or_default();
        wanted.retain(|(number, earlier)| !(chosen.contains(number) && order.undoes(earlier)));
        if !matches!(order, Order::Release | Order::Retry) {
            wanted.extend(chosen.iter().map(|number| (*number, order.clone())));
        }
        if !wanted.is_empty() {
            self.chosen.insert(message, wanted);
        }
    }

    /// A recipient that comes back from a flight, as it is to stand until what was ordered of it meanwhile is carried out.
    pub(super) fn until_ordered(
        &self,
        message: MessageId,
        recipient: u16,
        state: RecipientState,
        now: Timestamp,
    ) -> RecipientState {
        let is_chosen =
            || self.chosen.get(&message).is_some_and(|all| all.iter().any(|(number, _)| *number == recipient));
        match state {
            RecipientState::Waiting { due, attempts } if due <= now && is_chosen() => {
                // not due now: it would be gone again
                RecipientState::Waiting { due: now.after(Duration::from_millis(1)), attempts }
            }
            state => state,
        }
    }

    /// Carries out what was ordered while recipients of a message were in flight; what still is waits on.
    pub(super) fn carry_out_chosen(&mut self, message: MessageId, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(mut wanted) = self.chosen.remove(&message) else { return };
        wanted.sort_by_key(|(_, order)| order.turn());
        for alike in wanted.chunk_by(|one, other| one.1 == other.1) {
            let recipients: Vec<u16> = alike.iter().map(|(number, _)| *number).collect();
            if let Some((_, order)) = alike.first() {
                self.on_chosen(message, &recipients, order, now, actions);
            }
        }
    }
}
