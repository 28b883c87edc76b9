//! The warm-up of a new source: how many messages of a day (UTC) each provider gets from it, rung by rung.
//!
//! A day on which most of a rung was used and nothing was said against the source leads one rung up, a block at once one down. Who
//! has climbed the last rung is warm, and nothing is asked of it any more. Of the many that are no named provider, a few may object.

use crate::clock::{Day, Timestamp};

/// Messages of a day on each rung, unless the operator says otherwise: twice as many from one rung to the next, about.
pub const RUNGS: &[u32] = &[50, 100, 200, 400, 800, 1_500, 3_000, 6_000, 12_000, 25_000, 50_000, 100_000];

/// Rungs that a ladder may have.
pub const RUNGS_MAX: usize = 60;

/// The most that a rung may allow.
pub const RUNG_MAX: u32 = 10_000_000;

/// What all providers are that no rule names: they climb together.
pub const OTHERS: &str = "others";

/// Of a day's allowance, one part in so many is kept for urgent mail.
pub const KEPT_SHARE: u32 = 10;

/// Parts of a hundred of its allowance that have to be used on a day that leads up.
pub const USED_PERCENT: u64 = 75;

/// Parts of a hundred of its messages about which a provider speaks of the source's name or pace, for that day to lead down.
pub const OBJECTED_PERCENT: u64 = 5;

/// Of [`OTHERS`] so many messages at the least: of thousands of servers there is always one that has something against somebody.
pub const OBJECTED_BY_OTHERS_MIN: u32 = 5;

/// The rungs, each with the messages that a day on it has; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder(Vec<u32>);

impl Default for Ladder {
    fn default() -> Self {
        Ladder(RUNGS.to_vec())
    }
}

impl Ladder {
    /// A ladder of these rungs, from the first.
    ///
    /// # Errors
    /// In words: it has no rung, or too many; one is too high, or no higher than the one before.
    pub fn new(rungs: &[u64]) -> Result<Ladder, String> {
        if rungs.is_empty() || rungs.len() > RUNGS_MAX {
            return Err(format!("has {} rungs: write 1 to {RUNGS_MAX}", rungs.len()));
        }
        if !rungs.is_sorted_by(|one, next| one < next) {
            return Err("does not climb: each number has to be higher than the one before".to_owned());
        }
        let rung = |rung: &u64| u32::try_from(*rung).ok().filter(|rung| (1..=RUNG_MAX).contains(rung));
        let rungs: Option<Vec<u32>> = rungs.iter().map(rung).collect();
        rungs.map(Ladder).ok_or_else(|| format!("allows nothing, or more than {RUNG_MAX} messages a day"))
    }

    /// How many rungs it has.
    pub fn rungs(&self) -> u32 {
        // few: `RUNGS_MAX`
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn allowance(&self, rung: u32) -> Option<u32> {
        self.0.get(usize::try_from(rung).ok()?).copied()
    }
}

/// What the operator wants of a warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The source is treated as warm from now on.
    Stop,
    /// It begins again, on the first rung everywhere.
    Start,
}

/// How far a source has come with one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Climb {
    /// Its rung, the first is 0; behind the last it is warm.
    pub rung: u32,
    /// The day of the counts.
    pub day: Day,
    /// Messages that the provider was offered on it.
    pub sent: u32,
    /// Those of them about which it spoke of the source's name or pace.
    pub objections: u32,
    /// Whether it blocked the source on that day.
    pub blocked: bool,
}

impl Climb {
    /// On the first rung.
    pub fn first(day: Day) -> Climb {
        Climb { rung: 0, day, sent: 0, objections: 0, blocked: false }
    }

    /// It on a day, with the provider of this name: what the day of its counts leads to, where that is over.
    #[must_use]
    pub fn on(self, ladder: &Ladder, today: Day, provider: &str) -> Climb {
        let Some(allowance) = self.allowance(ladder).filter(|_| today > self.day) else { return self };
        let (sent, objections) = (u64::from(self.sent), u64::from(self.objections));
        let is_filled = sent * 100 >= u64::from(allowance) * USED_PERCENT;
        let heard = if provider == OTHERS { OBJECTED_BY_OTHERS_MIN } else { 1 };
        let is_bad = self.objections >= heard && objections * 100 >= sent * OBJECTED_PERCENT;
        let is_good = is_filled && (objections == 0 || provider == OTHERS);
        let rung = match (is_bad, is_good) {
            // the block led down already
            _ if self.blocked => self.rung,
            (true, _) => self.rung.saturating_sub(1),
            (false, true) => self.rung + 1,
            (false, false) => self.rung,
        };
        Climb { rung, ..Climb::first(today) }
    }

    /// Messages that it may have on the day of its counts; none: as many as come, it is warm.
    pub fn allowance(&self, ladder: &Ladder) -> Option<u32> {
        ladder.allowance(self.rung)
    }

    /// Whether one more message may go. Of each day's allowance the last part is for urgent mail.
    pub fn has_room(&self, ladder: &Ladder, urgent: bool) -> bool {
        self.allowance(ladder).is_none_or(|allowance| {
            let kept = if urgent { 0 } else { kept(allowance) };
            self.sent < allowance - kept
        })
    }

    /// The provider of this name blocks the source: one rung down, once a day. That one of many others does is one objection.
    pub fn is_blocked(&mut self, provider: &str) {
        if provider != OTHERS && !std::mem::replace(&mut self.blocked, true) {
            self.rung = self.rung.saturating_sub(1);
        }
    }
}

/// Of an allowance what is kept for urgent mail.
pub fn kept(allowance: u32) -> u32 {
    // of a single message nothing
    if allowance == 1 { 0 } else { allowance.div_ceil(KEPT_SHARE) }
}

/// When the day after that of a moment begins.
pub fn next_day(now: Timestamp) -> Timestamp {
    Timestamp((now.day().0 + 1) * 86_400_000)
}

/// How far a source has come with a provider, as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptClimb {
    /// The source's name.
    pub source: String,
    /// The provider's name, or [`OTHERS`].
    pub provider: String,
    /// How far.
    pub climb: Climb,
}

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How far each has come.
    pub climbs: Vec<KeptClimb>,
    /// Sources whose warm-up was stopped, by name.
    pub stopped: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Day = Day(20_000);

    fn after(provider: &str, sent: u32, objections: u32, blocked: bool) -> u32 {
        let mut climb = Climb { rung: 3, sent, objections, ..Climb::first(DAY) };
        if blocked {
            climb.is_blocked(provider);
            climb.is_blocked(provider);
        }
        let next = climb.on(&Ladder::default(), Day(DAY.0 + 1), provider);
        assert_eq!((next.sent, next.objections, next.blocked), (0, 0, false));
        next.rung
    }

    #[test]
    fn a_day_that_was_used_leads_up_and_one_with_a_block_or_many_objections_down() {
        // the fourth rung has 400
        let after = |sent, objections, blocked| after("google", sent, objections, blocked);
        assert_eq!([after(300, 0, false), after(400, 0, false)], [4, 4]);
        assert_eq!([after(299, 0, false), after(0, 0, false), after(400, 1, false)], [3, 3, 3]);
        assert_eq!([after(400, 20, false), after(3, 1, false), after(400, 0, true)], [2, 2, 2]);
    }

    #[test]
    fn of_many_small_providers_a_few_may_object() {
        let after = |sent, objections, blocked| after(OTHERS, sent, objections, blocked);
        assert_eq!([after(400, 4, true), after(400, 19, false), after(10, 4, true)], [4, 4, 3]);
        assert_eq!([after(400, 20, true), after(10, 5, false)], [2, 2]);
    }

    #[test]
    fn days_without_mail_lead_nowhere_and_a_clock_that_goes_back_changes_nothing() {
        let ladder = Ladder::default();
        let climb = Climb { sent: 50, ..Climb::first(DAY) };
        assert_eq!(climb.on(&ladder, DAY, OTHERS), climb);
        assert_eq!(climb.on(&ladder, Day(DAY.0 - 5), OTHERS), climb);
        let later = climb.on(&ladder, Day(DAY.0 + 300), OTHERS);
        assert_eq!((later.rung, later.on(&ladder, Day(DAY.0 + 301), OTHERS).rung), (1, 1));
    }

    #[test]
    fn a_part_is_kept_for_urgent_mail_and_behind_the_last_rung_nothing_is_asked() {
        let ladder = Ladder::new(&[1, 10]).unwrap();
        let with = |rung, sent, urgent| Climb { rung, sent, ..Climb::first(DAY) }.has_room(&ladder, urgent);
        assert_eq!([with(0, 0, false), with(0, 1, true)], [true, false]);
        assert_eq!(
            [with(1, 8, false), with(1, 9, false), with(1, 9, true), with(1, 10, true)],
            [true, false, true, false]
        );
        assert!(with(2, u32::MAX, false));
        let warm = Climb { rung: 2, sent: 5, objections: 5, ..Climb::first(DAY) };
        assert_eq!(warm.on(&ladder, Day(DAY.0 + 9), "google"), warm);
    }

    #[test]
    fn a_ladder_climbs() {
        assert!(Ladder::new(RUNGS.iter().map(|rung| u64::from(*rung)).collect::<Vec<_>>().as_slice()).is_ok());
        for wrong in [&[][..], &[0, 5], &[5, 5], &[9, 5], &[u64::MAX], &[5; RUNGS_MAX + 1]] {
            assert!(Ladder::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
