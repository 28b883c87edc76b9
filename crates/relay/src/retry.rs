//! When a deferred recipient is tried again, and when its retry period is over.
//!
//! Both go by the wall clock, because they outlive the process, and neither trusts it further than
//! needed: a clock that jumped ahead ends no retry period before a fair number of attempts, one that
//! jumped back keeps no mail waiting longer than the longest delay.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::dice::Dice;

/// How long to retry where neither the SMTP user nor the route says otherwise.
pub const RETRY_FOR: Duration = Duration::from_secs(5 * 24 * 3600);

/// The wait after the first, second, … failed attempt; the last of them from then on.
pub const DELAYS: [Duration; 9] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(20 * 60),
    Duration::from_secs(40 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(4 * 3600),
];

/// The wait after a first refusal by greylisting: what most of those who do so want to see.
pub const GREYLISTING_DELAY: Duration = Duration::from_secs(5 * 60);

/// So many attempts may be refused by greylisting and be made again as soon; later ones wait as any other.
pub const GREYLISTED_MAX: u32 = 3;

/// Each wait is longer by a random share of itself, up to this many hundredths.
pub const JITTER_HUNDREDTHS_MAX: u64 = 25;

/// The longest wait that is ever asked for, jitter included.
pub const DELAY_MAX: Duration = Duration::from_secs(5 * 3600);

/// How long a site that could not be reached is left alone after the first, second, … failure in a row.
pub const SITE_DELAYS: [Duration; 6] = [
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(20 * 60),
];

/// A random share, rolled once for all recipients of an attempt, so that they stay together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter(u64);

impl Jitter {
    /// Rolls it.
    pub fn roll(dice: &mut dyn Dice) -> Self {
        Jitter(dice.below(JITTER_HUNDREDTHS_MAX + 1))
    }

    /// The wait with its share.
    pub(crate) fn stretch(self, delay: Duration) -> Duration {
        delay + delay * u32::try_from(self.0).unwrap_or(0) / 100
    }
}

/// The retry period of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// When we took responsibility.
    pub accepted_at: Timestamp,
    /// How long it lasts from then.
    pub lasts: Duration,
}

impl Period {
    /// The period of a message: the SMTP user's wish goes before the route's, that before `default`.
    pub fn of(accepted_at: Timestamp, user: Option<Duration>, route: Option<Duration>, default: Duration) -> Self {
        Period { accepted_at, lasts: user.or(route).unwrap_or(default) }
    }

    /// When it is over.
    pub fn end(&self) -> Timestamp {
        self.accepted_at.after(self.lasts)
    }

    /// When to try again after `attempts` failed attempts, the last of them now; none where the period is over.
    pub fn next(&self, now: Timestamp, attempts: u32, jitter: Jitter) -> Option<Timestamp> {
        if self.is_over(now, attempts) {
            return None;
        }
        let wanted = now.after(jitter.stretch(delay(attempts)));
        // the last attempt falls on the end of the period rather than hours after it
        let end = self.end();
        let last = if end > now { end.max(now.after(DELAYS[0])) } else { wanted };
        Some(wanted.min(last))
    }

    /// The same, where the last attempt was refused by greylisting.
    pub fn next_greylisted(&self, now: Timestamp, attempts: u32, jitter: Jitter) -> Option<Timestamp> {
        let due = self.next(now, attempts, jitter)?;
        let soon = now.after(jitter.stretch(GREYLISTING_DELAY));
        // the end of the period stays where it is
        let end = self.accepted_at.after(self.lasts);
        let last = if end > now { end.max(now.after(DELAYS[0])) } else { soon };
        Some(if attempts <= GREYLISTED_MAX { soon.min(last) } else { due })
    }

    fn is_over(&self, now: Timestamp, attempts: u32) -> bool {
        if self.accepted_at > now {
            // the clock went back beneath the message: count attempts instead of hours
            return attempts >= attempts_in(self.lasts, usize::MAX);
        }
        now.since(self.accepted_at) >= self.lasts && attempts >= attempts_in(self.lasts, DELAYS.len() - 1)
    }
}

/// The wait after `attempts` failed attempts, without jitter.
pub fn delay(attempts: u32) -> Duration {
    DELAYS[(attempts.max(1) as usize - 1).min(DELAYS.len() - 1)]
}

/// How long a site is left alone after `failures` failures in a row.
pub fn site_delay(failures: u32, jitter: Jitter) -> Duration {
    jitter.stretch(SITE_DELAYS[(failures.max(1) as usize - 1).min(SITE_DELAYS.len() - 1)])
}

/// A stored due moment, made sane: a clock that was ahead when it was written must not park mail for years.
pub fn sane_due(due: Timestamp, now: Timestamp) -> Timestamp {
    due.min(now.after(DELAY_MAX))
}

/// How many attempts a retry period holds when each wait takes its full length; counted up to `most`.
fn attempts_in(lasts: Duration, most: usize) -> u32 {
    let mut left = lasts;
    let mut attempts: u32 = 1;
    while (attempts as usize) < most {
        let wait = delay(attempts);
        if wait > left {
            break;
        }
        left -= wait;
        attempts += 1;
    }
    attempts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn period(lasts: Duration) -> Period {
        Period { accepted_at: NOW, lasts }
    }

    #[test]
    fn the_first_retry_comes_soon_and_later_ones_grow() {
        let mut last = Duration::ZERO;
        for attempts in 1..=9 {
            let due = period(RETRY_FOR).next(NOW, attempts, Jitter(0)).unwrap();
            assert!(due.since(NOW) > last, "attempt {attempts}");
            last = due.since(NOW);
        }
        assert_eq!(delay(1), Duration::from_secs(60));
        assert_eq!(delay(0), delay(1));
        assert_eq!(delay(1000), Duration::from_secs(4 * 3600));
    }

    #[test]
    fn greylisting_is_tried_again_in_five_minutes_and_then_as_before() {
        let period = period(RETRY_FOR);
        let wait = |attempts| period.next_greylisted(NOW, attempts, Jitter(0)).unwrap().since(NOW);
        assert_eq!((wait(1), wait(3)), (GREYLISTING_DELAY, GREYLISTING_DELAY));
        assert_eq!(wait(4), delay(4));
        let short = Period { accepted_at: NOW, lasts: Duration::from_secs(120) };
        assert_eq!(short.next_greylisted(NOW, 1, Jitter(25)), Some(NOW.after(short.lasts)));
        assert_eq!(short.next_greylisted(NOW.after(RETRY_FOR), 50, Jitter(0)), None);
    }

    #[test]
    fn five_days_are_used_to_the_end_and_not_beyond() {
        let period = period(RETRY_FOR);
        let (mut now, mut attempts) = (NOW, 1);
        while let Some(due) = period.next(now, attempts, Jitter(7)) {
            assert!(due > now);
            now = due;
            attempts += 1;
        }
        assert_eq!(now.since(NOW), RETRY_FOR);
        assert!(attempts > 30, "{attempts}");
    }

    #[test]
    fn a_short_period_gets_its_last_attempt_at_its_end() {
        let period = period(Duration::from_secs(10 * 60));
        let due = period.next(NOW.after(Duration::from_secs(6 * 60)), 3, Jitter(0)).unwrap();
        assert_eq!(due, NOW.after(Duration::from_secs(10 * 60)));
        assert_eq!(period.next(due, 4, Jitter(0)), None);
    }

    #[test]
    fn a_clock_that_jumped_ahead_does_not_end_the_period_at_once() {
        let later = NOW.after(Duration::from_secs(365 * 24 * 3600));
        assert!(period(RETRY_FOR).next(later, 2, Jitter(0)).is_some());
        assert!(period(RETRY_FOR).next(later, 8, Jitter(0)).is_none());
    }

    #[test]
    fn a_clock_that_went_back_neither_parks_nor_keeps_mail_for_ever() {
        let before = Timestamp(NOW.0 - 10 * 365 * 24 * 3_600_000);
        let due = period(RETRY_FOR).next(before, 20, Jitter(25)).unwrap();
        assert!(due.since(before) <= DELAY_MAX);
        assert_eq!(period(RETRY_FOR).next(before, 100, Jitter(0)), None);
        assert_eq!(sane_due(NOW, before).since(before), DELAY_MAX);
    }

    proptest! {
        #[test]
        fn every_wait_is_between_the_first_delay_and_the_longest(
            attempts in 1u32..200, jitter in 0..=JITTER_HUNDREDTHS_MAX, seconds in 0u64..1_000_000, age in 0u64..2_000_000,
        ) {
            let now = NOW.after(Duration::from_secs(age));
            if let Some(due) = period(Duration::from_secs(seconds)).next(now, attempts, Jitter(jitter)) {
                prop_assert!(due.since(now) >= DELAYS[0]);
                prop_assert!(due.since(now) <= DELAY_MAX);
            }
        }
    }
}
