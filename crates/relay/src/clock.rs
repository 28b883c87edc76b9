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

    /// The day that it lies in.
    pub fn day(self) -> Day {
        Day(self.0 / 86_400_000)
    }
}

/// Days since 1970-01-01, in UTC: what statistics are counted by, whatever the time zone of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub u64);

impl Day {
    /// The day so many days before; stays at the first.
    #[must_use]
    pub fn before(self, days: u64) -> Day {
        Day(self.0.saturating_sub(days))
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
