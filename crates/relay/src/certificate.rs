//! When a certificate is renewed, when a failed order is tried again, and when somebody has to be told of its end.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::dice::Dice;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// How long it is waited after a first, a second, … order that failed; the last goes on. Authorities count failures by
/// the hour and close their door to those who keep knocking.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(600),
    HOUR,
    Duration::from_secs(3 * 3_600),
    Duration::from_secs(6 * 3_600),
    Duration::from_secs(12 * 3_600),
    DAY,
];

/// The longest that [`pause_after`] gives.
pub const PAUSE_MAX: Duration = Duration::from_secs(86_400 * 5 / 4);

/// From when to when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Its first moment.
    pub begins: Timestamp,
    /// Its last.
    pub ends: Timestamp,
}

/// How near the end of a certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// It should have been renewed by now.
    Soon,
    /// Days are left.
    Near,
    /// It is over: no client that checks comes in any more.
    Ended,
}

/// The last alarm about a certificate that people were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The end of the certificate that it was about.
    pub ends: Timestamp,
    /// How near it was.
    pub alarm: Alarm,
}

impl Told {
    /// Whether people have heard of this one already.
    pub fn covers(self, other: Told) -> bool {
        self.ends == other.ends && self.alarm >= other.alarm
    }
}

impl Validity {
    fn life(self) -> Duration {
        self.ends.since(self.begins)
    }

    /// When it is to be renewed: once two thirds of its life are over.
    pub fn renews_at(self) -> Timestamp {
        self.begins.after(self.life() / 3 * 2)
    }

    /// Whether somebody has to be told of its end. For a certificate of a year that is 21 days and 7 days before, for a
    /// short one a fifth and a tenth of its life: later than it renews itself in any case.
    pub fn alarm(self, now: Timestamp) -> Option<Alarm> {
        let left = self.ends.since(now);
        if left.is_zero() {
            Some(Alarm::Ended)
        } else if left < (self.life() / 10).min(7 * DAY) {
            Some(Alarm::Near)
        } else if left < (self.life() / 5).min(21 * DAY) {
            Some(Alarm::Soon)
        } else {
            None
        }
    }
}

/// How long to wait after the last of so many orders in a row that failed; up to a quarter longer by chance, so that
/// relays that were all stopped by one fault do not all come back at once.
pub fn pause_after(failures: u32, dice: &mut dyn Dice) -> Duration {
    let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let pause = PAUSES[place];
    pause + Duration::from_millis(dice.below(u64::try_from(pause.as_millis() / 4).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Seeded;

    fn lasting(days: u64) -> Validity {
        let begins = Timestamp(1_000_000);
        Validity { begins, ends: begins.after(DAY * u32::try_from(days).unwrap_or(0)) }
    }

    fn alarm(validity: Validity, hours_left: u32) -> Option<Alarm> {
        validity.alarm(Timestamp(validity.ends.0 - u64::from(hours_left) * 3_600_000))
    }

    #[test]
    fn it_renews_with_a_third_left_and_long_before_anybody_is_told() {
        for days in [6, 45, 90, 365] {
            let validity = lasting(days);
            let left = validity.ends.since(validity.renews_at());
            assert_eq!(left, DAY * u32::try_from(days).unwrap_or(0) / 3);
            assert_eq!(validity.alarm(validity.renews_at()), None, "{days} days");
        }
    }

    #[test]
    fn its_end_is_told_in_three_steps() {
        let (quarter, week) = (lasting(90), lasting(6));
        assert_eq!(alarm(quarter, 18 * 24), None);
        assert_eq!(alarm(quarter, 18 * 24 - 1), Some(Alarm::Soon));
        assert_eq!(alarm(quarter, 7 * 24), Some(Alarm::Soon));
        assert_eq!(alarm(quarter, 7 * 24 - 1), Some(Alarm::Near));
        assert_eq!(alarm(quarter, 0), Some(Alarm::Ended));
        assert_eq!(alarm(lasting(365), 21 * 24 - 1), Some(Alarm::Soon));
        assert_eq!(alarm(lasting(365), 21 * 24), None);
        assert_eq!(alarm(week, 28), Some(Alarm::Soon));
        assert_eq!(alarm(week, 14), Some(Alarm::Near));
        assert!(Alarm::Soon < Alarm::Near && Alarm::Near < Alarm::Ended);
    }

    #[test]
    fn what_was_told_is_told_again_only_nearer_or_of_another() {
        let told = |ends, alarm| Told { ends: Timestamp(ends), alarm };
        assert!(told(1, Alarm::Near).covers(told(1, Alarm::Soon)));
        assert!(told(1, Alarm::Near).covers(told(1, Alarm::Near)));
        assert!(!told(1, Alarm::Near).covers(told(1, Alarm::Ended)));
        assert!(!told(1, Alarm::Near).covers(told(2, Alarm::Soon)));
    }

    #[test]
    fn a_clock_before_its_beginning_tells_nobody() {
        assert_eq!(lasting(90).alarm(Timestamp(0)), None);
    }

    #[test]
    fn pauses_grow_to_a_day_and_vary_by_a_quarter() {
        let mut dice = Seeded::new(7);
        for (failures, least) in [(0, PAUSES[0]), (1, PAUSES[0]), (2, HOUR), (6, DAY), (u32::MAX, DAY)] {
            let drawn: Vec<_> = (0..100).map(|_| pause_after(failures, &mut dice)).collect();
            assert!(drawn.iter().all(|pause| *pause >= least && *pause < least * 5 / 4), "{failures}");
            assert!(drawn.iter().max() > drawn.iter().min() && drawn.iter().all(|pause| *pause <= PAUSE_MAX));
        }
    }
}
