//! Every live parcel: a small record each, found by message, by due moment, by the site that it waits for, and by place.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::lists::Lists;
use super::records::Records;
pub(super) use super::records::{Errand, Record, State};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::{Id, MessageId};
use crate::priority::Class;

/// What all parcels of a message share: which it is, whose, how urgent.
pub(super) type Mail = (MessageId, Id<Account>, Class);

const NONE: u32 = u32::MAX;

/// Where each message's first parcel is. The table has places alone and finds the ids in the records: with a million
/// messages waiting, ids kept twice would be an eighth of all that they take.
#[derive(Debug, Default)]
struct Firsts {
    places: HashTable<u32>,
    hasher: RandomState,
}

impl Firsts {
    fn place(&self, message: MessageId, records: &Records) -> Option<u32> {
        let is_its = |place: &u32| records[*place].message == message;
        self.places.find(self.hasher.hash_one(message), is_its).copied()
    }

    fn set(&mut self, message: MessageId, place: u32, records: &Records) {
        let hash = |place: &u32| self.hasher.hash_one(records[*place].message);
        let is_its = |place: &u32| records[*place].message == message;
        *self.places.entry(self.hasher.hash_one(message), is_its, hash).or_insert(place).into_mut() = place;
    }

    fn remove(&mut self, message: MessageId, records: &Records) {
        let is_its = |place: &u32| records[*place].message == message;
        if let Ok(found) = self.places.find_entry(self.hasher.hash_one(message), is_its) {
            found.remove();
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    records: Records,
    vacant: Vec<u32>,
    first: Firsts,
    /// Those that wait because their site could not be reached, by the site.
    for_sites: Lists,
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
        &self.records[place]
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
    pub(super) fn insert(&mut self, mail: Mail, site: u32, recipients: Vec<u16>, attempts: u32) -> u32 {
        self.recipients += recipients.len();
        let next = self.first.place(mail.0, &self.records).unwrap_or(NONE);
        let (message, record) = (mail.0, Record::new(mail, site, recipients, attempts, next));
        let place = match self.vacant.pop() {
            Some(place) => {
                self.records[place] = record;
                place
            }
            None => self.records.push(record),
        };
        self.first.set(message, place, &self.records);
        place
    }

    /// Forgets a parcel; its place may be given to another.
    pub(super) fn remove(&mut self, place: u32) {
        self.set(place, State::Vacant);
        let (message, next, recipients) = {
            let record = self.at(place);
            (record.message, record.next, record.recipients().len())
        };
        self.recipients -= recipients;
        self.records[place].clear();
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
                self.records[before].next = next;
            }
            None => {}
        }
    }

    /// Changes a parcel's state, and with it what is counted. Not to `Waiting`: that is [`Parcels::wait`].
    pub(super) fn set(&mut self, place: u32, state: State) {
        let record = &mut self.records[place];
        let (before, recipients, site) = (record.state, record.recipients().len(), record.site);
        record.state = state;
        if std::mem::take(&mut record.waits_for_site) {
            self.for_sites.take_out(site, place, &mut self.records);
        }
        match before {
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
    }

    /// Takes some of its recipients out of a parcel that keeps others.
    pub(super) fn take_out(&mut self, place: u32, taken: &[u16]) {
        let record = &mut self.records[place];
        let kept: Vec<u16> = record.recipients().iter().filter(|one| !taken.contains(one)).copied().collect();
        let count = record.recipients().len() - kept.len();
        match record.state {
            State::Ready => self.recipients_ready -= count,
            State::Held(_) => self.recipients_held -= count,
            State::Vacant | State::Waiting | State::InFlight(_) => {}
        }
        self.recipients -= count;
        record.set_recipients(kept);
    }

    /// Notes when a parcel was due that does not wait.
    pub(super) fn was_due(&mut self, place: u32, due: Timestamp) {
        self.records[place].due = due;
    }

    /// Says that a parcel waits because its site could not be reached, where it waits; it does so until it is in another state.
    pub(super) fn waits_for_site(&mut self, place: u32) {
        let record = &mut self.records[place];
        if record.state == State::Waiting && !std::mem::replace(&mut record.waits_for_site, true) {
            let site = record.site;
            self.for_sites.push(site, place, &mut self.records);
        }
    }

    /// The places of the parcels that wait because their site was left alone, of that site. Looks at these alone: a network that
    /// comes back wakes one site after the other, and the queue may be millions of parcels deep.
    pub(super) fn waiting_for(&self, site: u32) -> Vec<u32> {
        self.for_sites.of(site, &self.records)
    }

    /// Makes a parcel wait until `due`.
    pub(super) fn wait(&mut self, place: u32, due: Timestamp) {
        self.set(place, State::Waiting);
        self.records[place].due = due;
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
        self.records.iter().count() as u32
    }

    /// How often a record was looked at since this was last asked.
    #[cfg(test)]
    pub(super) fn looks(&self) -> usize {
        self.records.looks()
    }
}
