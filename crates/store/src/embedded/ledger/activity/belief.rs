//! Whether the clock is to be believed: old rows go by it, and a clock that is wrong by a year would take them all.

use std::time::{Duration, Instant};

use relay::clock::Timestamp;

/// A clock further ahead than this of where it should be has leapt.
const LEAP: Duration = Duration::from_secs(86_400);
/// How long after a leap nothing is deleted by the clock: who keeps the machine's time, or a person, may set it right.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What is known of the clock.
pub(super) struct Belief {
    /// What it said when it was last believed; at the start, the time of the newest row.
    said: Option<Timestamp>,
    at: Instant,
    /// Since when it has been too far ahead.
    leapt_at: Option<Instant>,
}

impl Belief {
    /// Begins with the newest thing known, where there is one.
    pub(super) fn new(newest: Option<Timestamp>, at: Instant) -> Self {
        Belief { said: newest, at, leapt_at: None }
    }

    /// Whether what the clock says may be acted upon: it has not leapt ahead, or stayed there for long.
    pub(super) fn holds(&mut self, now: Timestamp, at: Instant) -> bool {
        let expected = self.said.map_or(now, |said| said.after(at.saturating_duration_since(self.at)));
        let ahead = now.since(expected);
        if ahead >= LEAP {
            let leapt_at = *self.leapt_at.get_or_insert_with(|| {
                let days = ahead.as_secs() / 86_400;
                tracing::warn!(days, "the clock has leapt ahead: old rows go in an hour, if it stays there");
                at
            });
            if at.saturating_duration_since(leapt_at) < PATIENCE {
                return false;
            }
        }
        *self = Belief::new(Some(now), at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_clock_that_goes_on_is_believed() {
        let start = Instant::now();
        let mut belief = Belief::new(None, start);
        for day in 0..100 {
            assert!(belief.holds(NOW.after(DAY * day), start + DAY * day), "day {day}");
        }
        // set back, and gone on from there
        assert!(belief.holds(NOW, start + DAY * 100));
        assert!(belief.holds(NOW.after(MINUTE), start + DAY * 100 + MINUTE));
    }

    #[test]
    fn a_clock_that_leaps_is_believed_when_it_stays_there() {
        let start = Instant::now();
        for mut belief in [Belief::new(Some(NOW), start), {
            let mut belief = Belief::new(None, start);
            assert!(belief.holds(NOW, start));
            belief
        }] {
            let wrong = NOW.after(DAY * 400);
            assert!(!belief.holds(wrong, start));
            assert!(!belief.holds(wrong.after(MINUTE * 59), start + MINUTE * 59));
            assert!(belief.holds(wrong.after(MINUTE * 60), start + MINUTE * 60));
            assert!(belief.holds(wrong.after(MINUTE * 61), start + MINUTE * 61));
        }
    }

    #[test]
    fn a_clock_set_right_in_time_was_never_followed() {
        let start = Instant::now();
        let mut belief = Belief::new(Some(NOW), start);
        assert!(!belief.holds(NOW.after(DAY * 400), start + MINUTE));
        assert!(belief.holds(NOW.after(MINUTE * 2), start + MINUTE * 2));
        // a second leap has its own hour
        assert!(!belief.holds(NOW.after(DAY * 400), start + MINUTE * 90));
    }
}
