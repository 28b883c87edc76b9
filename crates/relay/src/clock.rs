//! Moments, as passed in by whoever has a clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use time::Date;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The moment `duration` later; stays at the end of time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long since `earlier`; zero where the clock went back.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The date that it has in UTC. Which one it has for an account is [`crate::account::Account::day`].
    pub fn day(self) -> Day {
        Day(self.0 / 86_400_000)
    }
}

/// A date, as days since 1970-01-01. What an account is counted by are the dates of its own time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub u64);

impl Day {
    /// The day so many days before; stays at the first.
    #[must_use]
    pub fn before(self, days: u64) -> Day {
        Day(self.0.saturating_sub(days))
    }

    /// The day so many days later, or before where that is below zero; stays at the first and the last.
    #[must_use]
    pub fn ahead(self, days: i8) -> Day {
        Day(self.0.saturating_add_signed(i64::from(days)))
    }

    /// By how many days it is later than another; none where that is beyond what is told apart.
    pub fn ahead_of(self, other: Day) -> Option<i8> {
        i8::try_from(i64::try_from(self.0).ok()?.checked_sub(i64::try_from(other.0).ok()?)?).ok()
    }

    /// It in the calendar; the last of the year 9999 for all that come after.
    pub fn date(self) -> Date {
        let days = i32::try_from(self.0).unwrap_or(i32::MAX);
        Date::from_julian_day(UNIX_EPOCH.saturating_add(days)).unwrap_or(Date::MAX)
    }
}

/// 1970-01-01, as a Julian day.
const UNIX_EPOCH: i32 = 2_440_588;

impl From<Date> for Day {
    /// The day of a date; the first for all that come before 1970.
    fn from(date: Date) -> Self {
        Day(u64::try_from(date.to_julian_day() - UNIX_EPOCH).unwrap_or_default())
    }
}

impl fmt::Display for Day {
    /// `2026-12-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}
