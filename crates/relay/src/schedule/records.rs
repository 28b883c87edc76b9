//! The records of parcels, by place: what is kept of each, in few octets.

use std::ops::{Index, IndexMut};

use super::lists::{Links, Threaded};
use super::parcels::Mail;
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

/// One parcel. A deep queue has millions of them: its fields are as wide as they are so that they fill 64 octets, with none to spare.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) message: MessageId,
    pub(super) account: Id<Account>,
    pub(super) due: Timestamp,
    /// Its recipient, where that is one, as nearly always.
    one: u16,
    /// They, where they are several: behind two pointers, since one alone takes less room in all the records without.
    several: Option<Box<Box<[u16]>>>,
    pub(super) site: u32,
    /// No more than fit; the waits grow no longer by then.
    attempts: u16,
    pub(super) class: Class,
    /// It waits because its site could not be reached, and so no longer than that lasts; it is in the list of those.
    pub(super) waits_for_site: bool,
    pub(super) state: State,
    /// The next parcel of the same message.
    pub(super) next: u32,
    /// Its neighbours among those that wait for the same site.
    links: Links,
}

impl Record {
    /// A new one, in no state but `Vacant`; `next`: the next parcel of the same message.
    pub(super) fn new(
        (message, account, class): Mail,
        site: u32,
        recipients: Vec<u16>,
        attempts: u32,
        next: u32,
    ) -> Self {
        let mut record = Record {
            message,
            account,
            due: Timestamp(0),
            one: 0,
            several: None,
            site,
            attempts: u16::try_from(attempts).unwrap_or(u16::MAX),
            class,
            waits_for_site: false,
            state: State::Vacant,
            next,
            links: Links::default(),
        };
        record.set_recipients(recipients);
        record
    }

    /// Its recipients, by their numbers.
    pub(super) fn recipients(&self) -> &[u16] {
        match &self.several {
            Some(several) => several,
            None => std::slice::from_ref(&self.one),
        }
    }

    /// Gives it these in place of those that it has.
    pub(super) fn set_recipients(&mut self, numbers: Vec<u16>) {
        (self.one, self.several) = match numbers[..] {
            [one] => (one, None),
            _ => (0, Some(Box::new(numbers.into()))),
        };
    }

    /// Gives back what its recipients take beside it: it is there no more.
    pub(super) fn clear(&mut self) {
        self.several = None;
    }

    /// Attempts so far.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts.into()
    }
}

/// All of them. In tests it is counted how often one is looked at: no event is to look at the whole queue.
#[derive(Debug, Default)]
pub(super) struct Records {
    all: Vec<Record>,
    #[cfg(test)]
    looks: std::cell::Cell<usize>,
}

impl Records {
    /// Puts a record behind the last; its place.
    pub(super) fn push(&mut self, record: Record) -> u32 {
        self.all.push(record);
        // 2^32 parcels do not fit in memory
        u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX)
    }

    #[cfg(test)]
    fn looked_at(&self) {
        self.looks.set(self.looks.get() + 1);
    }

    /// How often one was looked at since this was last asked.
    #[cfg(test)]
    pub(super) fn looks(&self) -> usize {
        self.looks.take()
    }

    /// All of them, in the order of their places.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.all.iter().inspect(|_| self.looked_at())
    }
}

impl Index<u32> for Records {
    type Output = Record;

    fn index(&self, place: u32) -> &Record {
        #[cfg(test)]
        self.looked_at();
        &self.all[place as usize]
    }
}

impl IndexMut<u32> for Records {
    fn index_mut(&mut self, place: u32) -> &mut Record {
        #[cfg(test)]
        self.looked_at();
        &mut self.all[place as usize]
    }
}

impl Threaded for Records {
    fn links(&self, place: u32) -> Links {
        self[place].links
    }

    fn links_mut(&mut self, place: u32) -> &mut Links {
        &mut self[place].links
    }
}
