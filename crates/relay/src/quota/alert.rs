//! When an account's people are told how much of the quota is used: at 80, 90 and 100 per cent, once in a period each.

use super::Period;
use crate::clock::Day;

/// The parts of a quota at which people are told, in per cent.
pub const STEPS: [u8; 3] = [80, 90, 100];

/// What was told last: in which period, and which of [`STEPS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The first day of the period.
    pub period: Day,
    /// The step.
    pub step: u8,
}

/// The step that is to be told now: the highest that is reached and higher than what was told in this period. Those that
/// were passed at once with it are not told too. Where the next period was told of already, the account's time zone was
/// changed back over its beginning: of this one nothing is told any more.
pub fn due(used: u64, quota: u64, period: Period, told: Option<Told>) -> Option<u8> {
    if told.is_some_and(|told| told.period == period.renews) {
        return None;
    }
    let before = told.filter(|told| told.period == period.begins).map_or(0, |told| told.step);
    let is_reached = |step: &u8| u128::from(used) * 100 >= u128::from(quota) * u128::from(*step);
    STEPS.into_iter().rev().find(is_reached).filter(|step| *step > before)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Period = Period { begins: Day(20_000), renews: Day(20_030) };

    #[test]
    fn each_step_is_told_once_in_a_period() {
        let told = |step| Some(Told { period: PERIOD.begins, step });
        assert_eq!(due(799, 1_000, PERIOD, None), None);
        assert_eq!(due(800, 1_000, PERIOD, None), Some(80));
        assert_eq!(due(899, 1_000, PERIOD, told(80)), None);
        assert_eq!(due(900, 1_000, PERIOD, told(80)), Some(90));
        assert_eq!(due(1_000, 1_000, PERIOD, told(80)), Some(100), "what was passed at once is told once");
        assert_eq!(due(1_000, 1_000, PERIOD, told(100)), None);
        let next = Period { begins: PERIOD.renews, renews: Day(20_061) };
        assert_eq!(due(850, 1_000, next, told(100)), Some(80), "another period begins anew");
        let told_of_next = Some(Told { period: next.begins, step: 80 });
        assert_eq!(due(1_000, 1_000, PERIOD, told_of_next), None, "a time zone that is changed back repeats nothing");
    }

    #[test]
    fn a_quota_of_nothing_is_used_up_and_a_huge_one_does_not_overflow() {
        assert_eq!(due(0, 0, PERIOD, None), Some(100));
        assert_eq!(due(u64::MAX, u64::MAX, PERIOD, None), Some(100));
        assert_eq!(due(u64::MAX / 2, u64::MAX, PERIOD, None), None);
    }
}
