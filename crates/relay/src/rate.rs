//! So many a minute, evenly, after a burst: the generic cell rate algorithm, and the rate of an SMTP user's messages.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::Id;
use crate::limits::Limits;
use crate::smtp_user::SmtpUser;

/// Keys remembered before those are forgotten whose burst is whole again.
const REMEMBERED: usize = 10_000;

/// So many a minute for each key, evenly, after a burst. No limit where that is 0.
#[derive(Debug)]
pub struct Pace<K> {
    /// Microseconds between two at the even pace; 0: off.
    interval: u64,
    /// How far ahead of the even pace a key may run, microseconds.
    tolerance: u64,
    /// When each key's next is due at the even pace, microseconds since 1970.
    due: HashMap<K, u64>,
}

impl<K: Eq + Hash> Pace<K> {
    /// With `burst` (at least 1) at once.
    pub fn new(per_minute: u64, burst: u64) -> Self {
        let interval = 60_000_000u64.checked_div(per_minute).unwrap_or(0);
        let tolerance = interval.saturating_mul(burst.saturating_sub(1));
        Pace { interval, tolerance, due: HashMap::new() }
    }

    /// One in each `interval`, evenly, with `burst` (at least 1) at once.
    pub fn every(interval: Duration, burst: u64) -> Self {
        let interval = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        let tolerance = interval.saturating_mul(burst.saturating_sub(1));
        Pace { interval, tolerance, due: HashMap::new() }
    }

    /// Takes one of `key` back that was counted before it was known what it was.
    pub fn take_back(&mut self, key: &K) {
        if let Some(due) = self.due.get_mut(key) {
            *due = due.saturating_sub(self.interval);
        }
    }

    /// Counts one of `key`.
    ///
    /// # Errors
    /// It comes too soon and was not counted: seconds until it may, at least 1.
    pub fn on(&mut self, key: K, now: Timestamp) -> Result<(), u64> {
        if self.interval == 0 {
            return Ok(());
        }
        let now = now.0.saturating_mul(1_000);
        if self.due.len() >= REMEMBERED && !self.due.contains_key(&key) {
            self.due.retain(|_, due| *due > now);
        }
        let due = self.due.entry(key).or_insert(now);
        let ahead = due.saturating_sub(now);
        if ahead > self.tolerance {
            return Err((ahead - self.tolerance).div_ceil(1_000_000).max(1));
        }
        *due = (*due).max(now) + self.interval;
        Ok(())
    }

    /// How many of `key` may come at once now, and in how many seconds the whole burst may again.
    pub fn left(&self, key: &K, now: Timestamp) -> (u64, u64) {
        if self.interval == 0 {
            return (u64::MAX, 0);
        }
        let ahead = self.due.get(key).map_or(0, |due| due.saturating_sub(now.0.saturating_mul(1_000)));
        let left = self.tolerance.checked_sub(ahead).map_or(0, |room| room / self.interval + 1);
        (left, ahead.div_ceil(1_000_000))
    }
}

/// The brake on an SMTP user's messages. Off while the limit is 0.
#[derive(Debug)]
pub struct Rate(Pace<Id<SmtpUser>>);

impl Rate {
    /// With the numbers of the limits.
    pub fn new(limits: &Limits) -> Self {
        Rate(Pace::new(limits.user_messages_per_minute, limits.user_messages_burst))
    }

    /// Counts a message of `user`.
    ///
    /// # Errors
    /// It comes too soon and was not counted: seconds until it may, at least 1.
    pub fn on_message(&mut self, user: Id<SmtpUser>, now: Timestamp) -> Result<(), u64> {
        self.0.on(user, now)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ALICE: Id<SmtpUser> = Id::new(1);
    const BOB: Id<SmtpUser> = Id::new(2);
    const START: Timestamp = Timestamp(1_800_000_000_000);

    fn rate(per_minute: u64, burst: u64) -> Rate {
        let limits = Limits { user_messages_per_minute: per_minute, user_messages_burst: burst, ..Limits::default() };
        Rate::new(&limits)
    }

    #[test]
    fn off_unless_configured() {
        let mut rate = Rate::new(&Limits::default());
        assert!((0..100_000).all(|_| rate.on_message(ALICE, START) == Ok(())));
    }

    #[test]
    fn a_burst_then_the_even_pace() {
        let mut rate = rate(6, 3);
        assert!((0..3).all(|_| rate.on_message(ALICE, START) == Ok(())));
        assert_eq!(rate.on_message(ALICE, START), Err(10));
        assert_eq!(rate.on_message(BOB, START), Ok(()));
        assert_eq!(rate.on_message(ALICE, START.after(Duration::from_millis(9_500))), Err(1));
        assert_eq!(rate.on_message(ALICE, START.after(Duration::from_secs(10))), Ok(()));
        assert_eq!(rate.on_message(ALICE, START.after(Duration::from_secs(10))), Err(10));
    }

    #[test]
    fn what_is_taken_back_was_not_there() {
        let mut pace = Pace::every(Duration::from_secs(1200), 2);
        assert_eq!((pace.on(1, START), pace.on(1, START)), (Ok(()), Ok(())));
        assert_eq!(pace.on(1, START), Err(1200));
        pace.take_back(&1);
        assert_eq!(pace.on(1, START), Ok(()));
        assert_eq!(pace.on(1, START.after(Duration::from_secs(1200))), Ok(()));
    }

    #[test]
    fn what_was_not_counted_costs_nothing() {
        let mut rate = rate(60, 1);
        rate.on_message(ALICE, START).unwrap();
        assert!((0..1_000).all(|_| rate.on_message(ALICE, START) == Err(1)));
        assert_eq!(rate.on_message(ALICE, START.after(Duration::from_secs(1))), Ok(()));
    }

    #[test]
    fn the_idle_are_forgotten() {
        let mut rate = rate(60, 1);
        for number in 0..50_000 {
            rate.on_message(Id::new(number), START.after(Duration::from_secs(number))).unwrap();
        }
        assert!(rate.0.due.len() <= REMEMBERED);
    }
}
