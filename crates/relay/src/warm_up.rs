//! The warm-up of a new source: how many messages of a day (UTC) each provider gets from it, rung by rung.
//!
//! A day on which most of a rung was used and nothing was said against the source leads one rung up, a block at once one down. Who
//! has climbed the last rung is warm, and nothing is asked of it any more. Of the many that are no named provider, a few may object.
//!
//! Of a day three quarters are for whoever comes. The rest is kept, a tenth of the day for urgent mail and what is left for any: of
//! either an account takes only while it has had fewer than are left ([`Had`]), so that none has used the day up for all others.

use std::collections::HashMap;

use crate::account::Account;
use crate::clock::{Day, Timestamp};
use crate::id::Id;

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

/// Parts of a hundred of its allowance that have to be used on a day that leads up. As many are for whoever comes first: an account
/// that is alone at a source climbs as well.
pub const USED_PERCENT: u64 = 75;

/// Accounts whose messages of a day are counted, for one source and provider.
pub const ACCOUNTS_COUNTED_MAX: usize = 1024;

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

    /// Whether one more message of an account may go, or of one that has had nothing today. Urgent: of what is kept for such mail.
    pub fn has_room(&self, ladder: &Ladder, had: &Had, account: Option<Id<Account>>, urgent: bool) -> bool {
        let Some(allowance) = self.allowance(ladder) else { return true };
        let (part, gone) = match urgent {
            true => (kept(allowance), had.urgent),
            false => (allowance - kept(allowance), self.sent.saturating_sub(had.urgent)),
        };
        // after a block the rung is lower than that by which some of it went
        let left = part.saturating_sub(gone).min(allowance.saturating_sub(self.sent));
        let is_for_all = !urgent && gone < for_all(allowance);
        left > 0 && (is_for_all || account.is_none_or(|account| had.of(account, urgent) < left))
    }

    /// Whether what is for whoever comes first has gone: only what is kept is left.
    pub fn is_used_up(&self, ladder: &Ladder, had: &Had) -> bool {
        self.allowance(ladder).is_some_and(|allowance| self.sent.saturating_sub(had.urgent) >= for_all(allowance))
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

/// Of an allowance what is for whoever comes first.
fn for_all(allowance: u32) -> u32 {
    let used = (u64::from(allowance) * USED_PERCENT).div_ceil(100);
    u32::try_from(used).unwrap_or(u32::MAX).min(allowance - kept(allowance))
}

/// What accounts have had of a day's allowance, in memory alone. Of whom nothing is known has had nothing.
#[derive(Debug, Default)]
pub struct Had {
    /// Messages that went by what is kept for urgent mail.
    urgent: u32,
    /// Of each account those that did not, and those that did.
    of: HashMap<Id<Account>, [u32; 2]>,
}

impl Had {
    fn of(&self, account: Id<Account>, urgent: bool) -> u32 {
        self.of.get(&account).map_or(0, |had| had[usize::from(urgent)])
    }

    /// One more message of an account is offered.
    pub fn take(&mut self, account: Id<Account>, urgent: bool) {
        if self.of.len() >= ACCOUNTS_COUNTED_MAX && !self.of.contains_key(&account) {
            self.forget_least();
        }
        let had = &mut self.of.entry(account).or_default()[usize::from(urgent)];
        *had = had.saturating_add(1);
        self.urgent = self.urgent.saturating_add(u32::from(urgent));
    }

    /// It was offered to nobody after all.
    pub fn give_back(&mut self, account: Id<Account>, urgent: bool) {
        if let Some(had) = self.of.get_mut(&account) {
            let had = &mut had[usize::from(urgent)];
            *had = had.saturating_sub(1);
        }
        self.urgent = self.urgent.saturating_sub(u32::from(urgent));
    }

    /// Makes room: whoever has had the least is known no more, and so has had a little less than it did.
    fn forget_least(&mut self) {
        let sum = |had: &[u32; 2]| u64::from(had[0]) + u64::from(had[1]);
        let least = self.of.values().map(sum).min().unwrap_or_default();
        self.of.retain(|_, had| sum(had) > least);
    }
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
        let with = |rung, sent, urgent| {
            Climb { rung, sent, ..Climb::first(DAY) }.has_room(&ladder, &Had::default(), None, urgent)
        };
        assert_eq!([with(0, 0, false), with(0, 1, true)], [true, false]);
        assert_eq!(
            [with(1, 8, false), with(1, 9, false), with(1, 9, true), with(1, 10, true)],
            [true, false, true, false]
        );
        assert!(with(2, u32::MAX, false));
        let warm = Climb { rung: 2, sent: 5, objections: 5, ..Climb::first(DAY) };
        assert_eq!(warm.on(&ladder, Day(DAY.0 + 9), "google"), warm);
    }

    /// What each of these accounts takes, which want as much as they can have one after the other, on a day of this allowance.
    fn taken(allowance: u64, wants: &[(u64, bool)]) -> Vec<u32> {
        let ladder = Ladder::new(&[allowance]).unwrap();
        let (mut climb, mut had) = (Climb::first(DAY), Had::default());
        let takes = |(account, urgent): &(u64, bool)| {
            let mut taken = 0;
            while climb.has_room(&ladder, &had, Some(Id::new(*account)), *urgent) {
                had.take(Id::new(*account), *urgent);
                (climb.sent, taken) = (climb.sent + 1, taken + 1);
            }
            taken
        };
        let taken = wants.iter().map(takes).collect();
        assert!(u64::from(climb.sent) <= allowance, "{climb:?}");
        taken
    }

    #[test]
    fn no_account_takes_all_of_a_day() {
        let (one, two, three, four) = (1, 2, 3, 4);
        let ordinary = [(one, false), (two, false), (three, false), (one, false), (four, false), (5, false)];
        assert_eq!(taken(50, &ordinary), [38, 4, 2, 0, 1, 0]);
        assert_eq!(taken(1000, &ordinary), [750, 75, 38, 0, 19, 9]);
        // what is kept for urgent mail is that of each, too, whatever it has had of the rest
        let urgent = [(one, false), (one, true), (two, true), (one, true), (two, false), (three, true)];
        assert_eq!(taken(50, &urgent), [38, 3, 1, 0, 4, 1]);
    }

    #[test]
    fn an_account_alone_climbs_however_small_a_rung_is() {
        // of two and three a message is kept for urgent mail, which is more than a quarter
        for allowance in (4..2000).chain([100_000, u64::from(RUNG_MAX)]) {
            let ladder = Ladder::new(&[allowance]).unwrap();
            let sent = for_all(allowance as u32);
            let climb = Climb { sent, ..Climb::first(DAY) };
            assert!(climb.is_used_up(&ladder, &Had::default()), "{allowance}");
            assert_eq!(climb.on(&ladder, Day(DAY.0 + 1), "google").rung, 1, "{allowance}");
        }
        assert_eq!([1, 2, 3].map(for_all), [1, 1, 2]);
    }

    #[test]
    fn what_was_offered_to_nobody_is_an_accounts_again() {
        let ladder = Ladder::new(&[50]).unwrap();
        let climb = Climb { sent: 38, ..Climb::first(DAY) };
        let (mut had, account) = (Had::default(), Id::new(1));
        for urgent in [false, true] {
            let left = if urgent { 5 } else { 7 };
            for _ in 0..left {
                had.take(account, urgent);
            }
            let climb = Climb { sent: 38 + had.urgent, ..climb };
            assert!(!climb.has_room(&ladder, &had, Some(account), urgent));
            for _ in 0..left {
                had.give_back(account, urgent);
            }
            let climb = Climb { sent: 38 + had.urgent, ..climb };
            assert!(climb.has_room(&ladder, &had, Some(account), urgent));
        }
    }

    #[test]
    fn of_many_accounts_those_that_had_most_are_known() {
        let mut had = Had::default();
        for _ in 0..5 {
            had.take(Id::new(0), false);
        }
        for account in 1..=10 * ACCOUNTS_COUNTED_MAX as u64 {
            had.take(Id::new(account), false);
            assert!(had.of.len() <= ACCOUNTS_COUNTED_MAX);
        }
        assert_eq!(had.of(Id::new(0), false), 5);
    }

    #[test]
    fn a_ladder_climbs() {
        assert!(Ladder::new(RUNGS.iter().map(|rung| u64::from(*rung)).collect::<Vec<_>>().as_slice()).is_ok());
        for wrong in [&[][..], &[0, 5], &[5, 5], &[9, 5], &[u64::MAX], &[5; RUNGS_MAX + 1]] {
            assert!(Ladder::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
