//! Every live parcel: a small record each, found by message, by due moment and by place.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::{Id, MessageId};
use crate::priority::Class;
use crate::queue::HoldReason;

/// Where a parcel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The place is free.
    Vacant,
    /// Not due yet.
    Waiting,
    /// Due; in the queue of its site.
    Ready,
    /// Handed out, for this.
    InFlight(Errand),
    /// Not due until released.
    Held(HoldReason),
}

/// What a parcel was handed out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// To be carried.
    Carry,
    /// To be settled after its own attempt did not reach the site.
    Fail,
    /// To be settled without an attempt, because the site is down; few are at once.
    FailUntried,
    /// To be settled as ended.
    End,
}

/// The recipients of a parcel: nearly always one, which needs no memory of its own.
#[derive(Debug)]
pub(super) enum Recipients {
    One(u16),
    Several(Box<[u16]>),
}

impl Recipients {
    pub(super) fn of(numbers: Vec<u16>) -> Self {
        match numbers[..] {
            [one] => Recipients::One(one),
            _ => Recipients::Several(numbers.into()),
        }
    }

    pub(super) fn as_slice(&self) -> &[u16] {
        match self {
            Recipients::One(one) => std::slice::from_ref(one),
            Recipients::Several(several) => several,
        }
    }
}

/// What all parcels of a message share: which it is, whose, how urgent.
pub(super) type Mail = (MessageId, Id<Account>, Class);

/// One parcel.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) message: MessageId,
    pub(super) account: Id<Account>,
    pub(super) due: Timestamp,
    pub(super) recipients: Recipients,
    pub(super) site: u32,
    pub(super) attempts: u32,
    pub(super) class: Class,
    /// It waits because its site could not be reached, and so no longer than that lasts.
    pub(super) waits_for_site: bool,
    state: State,
    /// The next parcel of the same message.
    next: u32,
}

const NONE: u32 = u32::MAX;

/// Where each message's first parcel is. The table has places alone and finds the ids in the records: with a million
/// messages waiting, ids kept twice would be an eighth of all that they take.
#[derive(Debug, Default)]
struct Firsts {
    places: HashTable<u32>,
    hasher: RandomState,
}

impl Firsts {
    fn place(&self, message: MessageId, records: &[Record]) -> Option<u32> {
        let is_its = |place: &u32| records[*place as usize].message == message;
        self.places.find(self.hasher.hash_one(message), is_its).copied()
    }

    fn set(&mut self, message: MessageId, place: u32, records: &[Record]) {
        let hash = |place: &u32| self.hasher.hash_one(records[*place as usize].message);
        let is_its = |place: &u32| records[*place as usize].message == message;
        *self.places.entry(self.hasher.hash_one(message), is_its, hash).or_insert(place).into_mut() = place;
    }

    fn remove(&mut self, message: MessageId, records: &[Record]) {
        let is_its = |place: &u32| records[*place as usize].message == message;
        if let Ok(found) = self.places.find_entry(self.hasher.hash_one(message), is_its) {
            found.remove();
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    records: Vec<Record>,
    vacant: Vec<u32>,
    first: Firsts,
    /// May name parcels that have moved on: looked at again when they come up.
    due: BinaryHeap<Reverse<(Timestamp, u32)>>,
    waiting: usize,
    pub(super) recipients: usize,
    pub(super) recipients_ready: usize,
    pub(super) recipients_held: usize,
}

/// A heap smaller than this is not worth cleaning.
const DUE_CLEANED_MIN: usize = 1024;

impl Parcels {
    pub(super) fn messages(&self) -> usize {
        self.first.places.len()
    }

    pub(super) fn knows(&self, message: MessageId) -> bool {
        self.first.place(message, &self.records).is_some()
    }

    pub(super) fn at(&self, place: u32) -> &Record {
        &self.records[place as usize]
    }

    pub(super) fn state(&self, place: u32) -> State {
        self.at(place).state
    }

    /// The places of a message's parcels.
    pub(super) fn of(&self, message: MessageId) -> Vec<u32> {
        let mut places = Vec::new();
        let mut next = self.first.place(message, &self.records).unwrap_or(NONE);
        while next != NONE {
            places.push(next);
            next = self.at(next).next;
        }
        places
    }

    /// A new parcel, not yet in any state but `Vacant`: [`Parcels::set`] gives it one.
    pub(super) fn insert(
        &mut self,
        (message, account, class): Mail,
        site: u32,
        recipients: Vec<u16>,
        attempts: u32,
    ) -> u32 {
        self.recipients += recipients.len();
        let recipients = Recipients::of(recipients);
        let next = self.first.place(message, &self.records).unwrap_or(NONE);
        let state = State::Vacant;
        let due = Timestamp(0);
        let waits_for_site = false;
        let record = Record { message, account, due, recipients, site, attempts, class, waits_for_site, state, next };
        let place = match self.vacant.pop() {
            Some(place) => {
                self.records[place as usize] = record;
                place
            }
            None => {
                self.records.push(record);
                // 2^32 parcels do not fit in memory
                u32::try_from(self.records.len() - 1).unwrap_or(NONE)
            }
        };
        self.first.set(message, place, &self.records);
        place
    }

    /// Forgets a parcel; its place may be given to another.
    pub(super) fn remove(&mut self, place: u32) {
        self.set(place, State::Vacant);
        let (message, next, recipients) = {
            let record = self.at(place);
            (record.message, record.next, record.recipients.as_slice().len())
        };
        self.recipients -= recipients;
        self.records[place as usize].recipients = Recipients::One(0);
        self.vacant.push(place);
        match self.first.place(message, &self.records) {
            Some(first) if first == place && next == NONE => {
                self.first.remove(message, &self.records);
            }
            Some(first) if first == place => {
                self.first.set(message, next, &self.records);
            }
            Some(first) => {
                let mut before = first;
                while self.at(before).next != place {
                    before = self.at(before).next;
                }
                self.records[before as usize].next = next;
            }
            None => {}
        }
    }

    /// Changes a parcel's state, and with it what is counted. Not to `Waiting`: that is [`Parcels::wait`].
    pub(super) fn set(&mut self, place: u32, state: State) {
        let recipients = self.at(place).recipients.as_slice().len();
        match self.at(place).state {
            State::Waiting => self.waiting -= 1,
            State::Ready => self.recipients_ready -= recipients,
            State::Held(_) => self.recipients_held -= recipients,
            State::Vacant | State::InFlight(_) => {}
        }
        match state {
            State::Waiting => self.waiting += 1,
            State::Ready => self.recipients_ready += recipients,
            State::Held(_) => self.recipients_held += recipients,
            State::Vacant | State::InFlight(_) => {}
        }
        self.records[place as usize].state = state;
    }

    /// Takes some of its recipients out of a parcel that keeps others.
    pub(super) fn take_out(&mut self, place: u32, taken: &[u16]) {
        let record = &mut self.records[place as usize];
        let kept: Vec<u16> = record.recipients.as_slice().iter().filter(|one| !taken.contains(one)).copied().collect();
        let count = record.recipients.as_slice().len() - kept.len();
        match record.state {
            State::Ready => self.recipients_ready -= count,
            State::Held(_) => self.recipients_held -= count,
            State::Vacant | State::Waiting | State::InFlight(_) => {}
        }
        self.recipients -= count;
        record.recipients = Recipients::of(kept);
    }

    /// Notes when a parcel was due that does not wait.
    pub(super) fn was_due(&mut self, place: u32, due: Timestamp) {
        self.records[place as usize].due = due;
    }

    /// Says that a parcel waits because its site could not be reached.
    pub(super) fn waits_for_site(&mut self, place: u32) {
        self.records[place as usize].waits_for_site = true;
    }

    /// The places of parcels that wait because their site was left alone, of those sites. Looks at every parcel.
    pub(super) fn waiting_for(&self, mut is_wanted: impl FnMut(u32) -> bool) -> Vec<u32> {
        let mut waits =
            |record: &Record| record.waits_for_site && record.state == State::Waiting && is_wanted(record.site);
        (0u32..).zip(&self.records).filter(|(_, record)| waits(record)).map(|(place, _)| place).collect()
    }

    /// Makes a parcel wait until `due`.
    pub(super) fn wait(&mut self, place: u32, due: Timestamp) {
        self.set(place, State::Waiting);
        self.records[place as usize].due = due;
        self.due.push(Reverse((due, place)));
        if self.due.len() > 2 * self.waiting + DUE_CLEANED_MIN {
            let due = std::mem::take(&mut self.due);
            self.due = due.into_iter().filter(|Reverse((due, place))| self.is_waiting(*place, *due)).collect();
        }
    }

    fn is_waiting(&self, place: u32, due: Timestamp) -> bool {
        let record = self.at(place);
        record.state == State::Waiting && record.due == due
    }

    /// A parcel that waits for a moment not after `now`.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<u32> {
        let place = self.soonest().filter(|(due, _)| *due <= now)?.1;
        self.due.pop();
        Some(place)
    }

    /// When the next parcel is due.
    pub(super) fn next_due(&mut self) -> Option<Timestamp> {
        self.soonest().map(|(due, _)| due)
    }

    fn soonest(&mut self) -> Option<(Timestamp, u32)> {
        while let Some(Reverse((due, place))) = self.due.peek().copied() {
            if self.is_waiting(place, due) {
                return Some((due, place));
            }
            self.due.pop();
        }
        None
    }

    /// How many of them are due and wait.
    #[cfg(test)]
    pub(super) fn ready(&self) -> usize {
        self.records.iter().filter(|record| record.state == State::Ready).count()
    }

    /// How many places there are, vacant ones included.
    #[cfg(test)]
    pub(super) fn places(&self) -> u32 {
        self.records.len() as u32
    }
}
