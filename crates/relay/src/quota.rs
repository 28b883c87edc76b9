//! Quotas: to how many recipients an account may send in a month, when that begins anew, and what counts.
//!
//! What counts is derived from the record of the commit alone: [`Charge::of`] says whose it is, on which day and
//! how much. A period is a range of days, so its sum is the same whoever adds it up, before or after a crash.
//! A recipient belongs to the period of the day that its message was accepted on, by the clock of that moment and in the
//! account's time zone of that moment, and the record keeps which day that was: a clock that was wrong, or a zone that is
//! changed, takes from the period that it named, and no way back or forth gives any period more than once.

pub mod alert;
mod usage;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{Date, Month};

use crate::account::Account;
use crate::clock::Day;
use crate::id::Id;
use crate::queue::{Envelope, Origin};

pub use usage::{Exhausted, Reservation, Usage};

/// Days with charges that are kept of each account: those nearest to the last that was charged. A period has 31 days,
/// and as many more for each time that its end was moved, so none of the one under way is dropped; and only a clock
/// that was wrong on some 60 days of sending makes one forgotten that it comes back to.
pub const DAYS_KEPT: usize = 128;

/// The last day that a period is told for; later ones count as this.
const LAST: Day = Day(2_932_863);

/// To how many recipients an account may send in a month, and when that begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Recipients in a period; none: without limit.
    pub recipients: Option<u64>,
    /// The day of the month on which a period begins, in the account's time zone, 1 to 31; in a shorter month its last day.
    pub renews_on: u8,
    /// The period that was under way when that day was last moved.
    pub moved: Option<Period>,
}

impl Default for Quota {
    /// Without limit, renewed with the month.
    fn default() -> Self {
        Quota { recipients: None, renews_on: 1, moved: None }
    }
}

/// A period of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Its first day.
    pub begins: Day,
    /// The first day of the next.
    pub renews: Day,
}

impl Period {
    /// Whether a day lies in it.
    pub fn contains(self, day: Day) -> bool {
        self.begins <= day && day < self.renews
    }
}

impl Quota {
    /// The period that a day lies in.
    pub fn period(&self, day: Day) -> Period {
        let plain = plain_period(self.renews_on, day);
        match self.moved {
            Some(moved) if moved.contains(day) => moved,
            Some(moved) if day < moved.begins => Period { renews: plain.renews.min(moved.begins), ..plain },
            _ => plain,
        }
    }

    /// Renewed on another day of the month. The period under way goes on until that day comes: it becomes shorter
    /// or longer, and what was used of it stays used.
    #[must_use]
    pub fn moved_to(self, renews_on: u8, today: Day) -> Quota {
        if renews_on == self.renews_on {
            return self;
        }
        let renews = plain_period(renews_on, today).renews;
        Quota { renews_on, moved: Some(Period { begins: self.period(today).begins, renews }), ..self }
    }
}

/// The period of a day where the day of renewal never moved.
fn plain_period(renews_on: u8, day: Day) -> Period {
    let date = day.min(LAST).date();
    let (year, month) = (date.year(), date.month());
    let this = renewal(renews_on, year, month);
    if date >= this {
        let year_of_next = if month == Month::December { year + 1 } else { year };
        Period { begins: this.into(), renews: renewal(renews_on, year_of_next, month.next()).into() }
    } else {
        let year_of_last = if month == Month::January { year - 1 } else { year };
        Period { begins: renewal(renews_on, year_of_last, month.previous()).into(), renews: this.into() }
    }
}

/// The day of renewal in a month.
fn renewal(renews_on: u8, year: i32, month: Month) -> Date {
    let day = renews_on.clamp(1, month.length(year));
    // within the years that have a date, by the bound on the day asked for
    Date::from_calendar_date(year, month, day).unwrap_or(Date::MAX)
}

/// Recipients of an account that count on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Whose.
    pub account: Id<Account>,
    /// The day on which they were accepted.
    pub day: Day,
    /// How many.
    pub recipients: u64,
}

impl Charge {
    /// What the commit of a message counts: each recipient that we took responsibility for, delivered or not.
    /// Suppressed ones are not, nor is mail that the relay wrote itself.
    pub fn of(envelope: &Envelope) -> Option<Charge> {
        let recipients = envelope.recipients.len() as u64;
        let counts = envelope.origin == Origin::Submission && recipients > 0;
        counts.then(|| Charge { account: envelope.account, day: envelope.day().min(LAST), recipients })
    }
}

/// Charges added up by account and day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charges(BTreeMap<(Id<Account>, Day), u64>);

impl Charges {
    /// Adds one.
    pub fn add(&mut self, charge: Charge) {
        let sum = self.0.entry((charge.account, charge.day)).or_default();
        *sum = sum.saturating_add(charge.recipients);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each sum, by account and day.
    pub fn iter(&self) -> impl Iterator<Item = Charge> {
        self.0.iter().map(|((account, day), recipients)| Charge {
            account: *account,
            day: *day,
            recipients: *recipients,
        })
    }

    /// What an account used of a period.
    pub fn used(&self, account: Id<Account>, period: Period) -> u64 {
        let days = self.0.range((account, period.begins)..(account, period.renews));
        days.map(|(_, recipients)| recipients).fold(0, |sum, recipients| sum.saturating_add(*recipients))
    }
}

impl Extend<Charge> for Charges {
    fn extend<T: IntoIterator<Item = Charge>>(&mut self, charges: T) {
        charges.into_iter().for_each(|charge| self.add(charge));
    }
}
