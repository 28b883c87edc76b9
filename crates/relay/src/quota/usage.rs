//! What was used of each quota, in memory: reserved at RCPT, charged by the commit, released where nothing came of it.
//!
//! Each change is one step under one lock: the sum of what is charged and what is reserved never passes the quota,
//! however sessions interleave. Where the fate of a commit is unknown its recipients count as charged: the sum
//! errs towards too much until the next start, which reads from the log what is really kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Charge, DAYS_KEPT, LAST, Period, Quota};
use crate::account::Account;
use crate::clock::Day;
use crate::id::Id;

/// The counters. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    accounts: Arc<Mutex<HashMap<Id<Account>, Days>>>,
}

/// What was used on each day, in the order of days.
#[derive(Debug, Default)]
pub(super) struct Days(pub(super) Vec<Used>);

#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    day: Day,
    charged: u64,
    reserved: u64,
}

/// There is not enough left of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Recipients in a period.
    pub recipients: u64,
    /// The first day of the next period.
    pub renews: Day,
}

impl Usage {
    /// Takes up what the store knows to be charged.
    pub fn charge(&self, charges: impl IntoIterator<Item = Charge>) {
        let mut accounts = self.lock();
        for Charge { account, day, recipients } in charges {
            accounts.entry(account).or_default().charge(day, recipients);
        }
    }

    /// Begins to reserve for a transaction of this account.
    pub fn reservation(&self, account: Id<Account>) -> Reservation {
        Reservation { usage: self.clone(), account, day: Day(0), recipients: 0, is_committing: false }
    }

    /// What is charged and reserved of a period.
    pub fn used(&self, account: Id<Account>, period: Period) -> u64 {
        self.lock().get(&account).map_or(0, |days| days.used(period))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Id<Account>, Days>> {
        // the counters are right after every single change, so a panic elsewhere does not spoil them
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Days {
    fn used(&self, period: Period) -> u64 {
        let days = self.0.iter().rev().skip_while(|used| used.day >= period.renews);
        let days = days.take_while(|used| used.day >= period.begins);
        days.fold(0, |sum, used| sum.saturating_add(used.charged).saturating_add(used.reserved))
    }

    /// The counter of a day; made where there is none.
    fn on(&mut self, day: Day) -> &mut Used {
        let place = self.0.binary_search_by_key(&day, |used| used.day).unwrap_or_else(|place| {
            self.0.insert(place, Used { day, charged: 0, reserved: 0 });
            place
        });
        &mut self.0[place]
    }

    fn charge(&mut self, day: Day, recipients: u64) {
        let used = self.on(day);
        used.charged = used.charged.saturating_add(recipients);
        while self.0.len() > DAYS_KEPT && self.drop_furthest(day) {}
    }

    /// Forgets the day furthest from one; false where that cannot be, because something is reserved on it.
    fn drop_furthest(&mut self, from: Day) -> bool {
        let furthest = (0..self.0.len()).max_by_key(|place| self.0[*place].day.0.abs_diff(from.0));
        let furthest = furthest.filter(|place| self.0[*place].reserved == 0);
        furthest.map(|place| self.0.remove(place)).is_some()
    }

    fn reserve(&mut self, day: Day, recipients: u64) {
        if recipients > 0 {
            self.on(day).reserved += recipients;
        }
    }

    fn release(&mut self, day: Day, recipients: u64) {
        if recipients == 0 {
            return;
        }
        let used = self.on(day);
        used.reserved = used.reserved.saturating_sub(recipients);
        if used.charged == 0 && used.reserved == 0 {
            self.0.retain(|used| used.day != day);
        }
    }
}

/// What one transaction has reserved. Dropped, it is given back; dropped while its commit is under way, it counts as
/// charged.
#[derive(Debug)]
pub struct Reservation {
    usage: Usage,
    account: Id<Account>,
    day: Day,
    recipients: u64,
    is_committing: bool,
}

impl Reservation {
    /// Reserves so many recipients in all, on a day of the account's, in place of what was reserved before.
    ///
    /// # Errors
    /// [`Exhausted`]: they do not fit; what was reserved before stays.
    pub fn reserve(&mut self, quota: &Quota, recipients: u64, day: Day) -> Result<(), Exhausted> {
        let day = day.min(LAST);
        let period = quota.period(day);
        let mut accounts = self.usage.lock();
        let days = accounts.entry(self.account).or_default();
        days.release(self.day, self.recipients);
        let used = days.used(period);
        let exceeded = quota.recipients.filter(|max| used.saturating_add(recipients) > *max);
        if exceeded.is_none() {
            (self.day, self.recipients) = (day, recipients);
        }
        days.reserve(self.day, self.recipients);
        match exceeded {
            Some(recipients) => Err(Exhausted { recipients, renews: period.renews }),
            None => Ok(()),
        }
    }

    /// The commit begins: from here on the message may be kept, whether anybody hears of it or not.
    pub fn on_commit(&mut self) {
        self.is_committing = true;
    }

    /// The message is kept.
    pub fn charge(&mut self) {
        self.settle(true);
    }

    /// Nothing comes of it, for certain.
    pub fn release(&mut self) {
        self.settle(false);
    }

    /// It is over, however: a commit whose fate is unknown is charged, all else released.
    pub fn end(&mut self) {
        self.settle(self.is_committing);
    }

    fn settle(&mut self, is_charged: bool) {
        self.is_committing = false;
        let recipients = std::mem::take(&mut self.recipients);
        if recipients == 0 {
            return;
        }
        let mut accounts = self.usage.lock();
        let days = accounts.entry(self.account).or_default();
        if is_charged {
            // first, so that the day is never let go between the two
            days.charge(self.day, recipients);
        }
        days.release(self.day, recipients);
        if days.0.is_empty() {
            accounts.remove(&self.account);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.end();
    }
}
