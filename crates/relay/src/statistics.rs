//! What was sent in a period, and what became of it: sums, rates, and how they compare with the period before.

use std::collections::BTreeMap;

use crate::activity::DailyCount;
use crate::clock::Day;
use crate::id::Id;
use crate::limits::STATISTICS_MONTHS;
use crate::sending_domain::SendingDomain;
use crate::smtp_user::SmtpUser;

/// The longest period, in days: for as long statistics are kept.
pub const DAYS_MAX: u64 = STATISTICS_MONTHS.value * 31;

/// The days of a period where nobody says another, today included.
pub const DAYS_DEFAULT: u64 = 7;

/// Recipients by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted.
    pub accepted: u64,
    /// Of these, delivered.
    pub delivered: u64,
    /// Of these, ended as soft bounces.
    pub soft_bounced: u64,
    /// Of these, ended as hard bounces.
    pub hard_bounced: u64,
    /// Of those delivered, complained about.
    pub complained: u64,
}

impl Tally {
    fn add(&mut self, count: &DailyCount) {
        self.accepted += count.accepted;
        self.delivered += count.delivered;
        self.soft_bounced += count.soft_bounced;
        self.hard_bounced += count.hard_bounced;
        self.complained += count.complained;
    }

    /// Those whose fate is known.
    pub fn settled(&self) -> u64 {
        self.delivered + self.soft_bounced + self.hard_bounced
    }

    /// Those still under way.
    pub fn pending(&self) -> u64 {
        self.accepted.saturating_sub(self.settled())
    }

    /// What part of the settled ones this many are, 0 to 1; none where nothing is settled.
    pub fn rate(&self, part: u64) -> Option<f64> {
        (self.settled() > 0).then(|| part as f64 / self.settled() as f64)
    }
}

/// Days from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub since: Day,
    /// The last day.
    pub until: Day,
}

impl Period {
    /// From the first day to the last; none where that is no period, or a longer one than is kept.
    pub fn new(since: Day, until: Day) -> Option<Period> {
        let days = until.0.checked_sub(since.0)?.checked_add(1)?;
        (days <= DAYS_MAX).then_some(Period { since, until })
    }

    /// How many days.
    pub fn days(self) -> u64 {
        self.until.0 - self.since.0 + 1
    }

    /// The period of equal length before.
    pub fn before(self) -> Period {
        Period { since: self.since.before(self.days()), until: self.since.before(1) }
    }

    fn has(self, day: Day) -> bool {
        self.since <= day && day <= self.until
    }
}

/// What a period was like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// In all.
    pub total: Tally,
    /// In the period of equal length before.
    pub before: Tally,
    /// Each day, those without mail too.
    pub days: Vec<(Day, Tally)>,
    /// Each sending domain that had mail.
    pub domains: BTreeMap<Id<SendingDomain>, Tally>,
    /// Each SMTP user that had mail.
    pub users: BTreeMap<Id<SmtpUser>, Tally>,
}

impl Statistics {
    /// Adds up what was counted in the period and in the one before.
    pub fn of<'a>(counts: impl IntoIterator<Item = &'a DailyCount>, period: Period) -> Statistics {
        let days = (period.since.0..=period.until.0).map(|day| (Day(day), Tally::default())).collect();
        let (total, before) = (Tally::default(), Tally::default());
        let mut statistics = Statistics { total, before, days, domains: BTreeMap::new(), users: BTreeMap::new() };
        for count in counts {
            if period.before().has(count.day) {
                statistics.before.add(count);
            }
            if !period.has(count.day) {
                continue;
            }
            statistics.total.add(count);
            let place = usize::try_from(count.day.0 - period.since.0).unwrap_or(usize::MAX);
            if let Some((_, tally)) = statistics.days.get_mut(place) {
                tally.add(count);
            }
            if let Some(domain) = count.domain {
                statistics.domains.entry(domain).or_default().add(count);
            }
            if let Some(user) = count.user {
                statistics.users.entry(user).or_default().add(count);
            }
        }
        statistics
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn count(day: u64, domain: Option<u64>, numbers: [u64; 4]) -> DailyCount {
        let [accepted, delivered, soft_bounced, hard_bounced] = numbers;
        let (day, account, user) = (Day(day), Id::new(1), domain.map(|domain| Id::new(10 * domain)));
        let domain = domain.map(Id::new);
        DailyCount { day, account, domain, user, accepted, delivered, soft_bounced, hard_bounced, complained: 0 }
    }

    #[test]
    fn a_period_has_its_days_and_one_of_equal_length_before() {
        let period = Period::new(Day(10), Day(16)).unwrap();
        assert_eq!((period.days(), period.before()), (7, Period { since: Day(3), until: Day(9) }));
        let today = Period::new(Day(10), Day(10)).unwrap();
        assert_eq!((today.days(), today.before()), (1, Period { since: Day(9), until: Day(9) }));
        assert_eq!(Period::new(Day(10), Day(9)), None);
        assert!(Period::new(Day(1), Day(DAYS_MAX)).is_some() && Period::new(Day(0), Day(DAYS_MAX)).is_none());
        assert_eq!(Period::new(Day(0), Day(u64::MAX)), None);
    }

    #[test]
    fn counts_are_added_up_by_period_day_and_domain() {
        let counts = [
            count(8, Some(1), [9, 9, 9, 9]),
            count(9, Some(1), [5, 4, 0, 1]),
            count(10, Some(1), [10, 6, 1, 1]),
            count(10, Some(2), [2, 0, 0, 0]),
            count(12, None, [1, 1, 0, 0]),
            count(13, Some(1), [7, 7, 7, 7]),
        ];
        let statistics = Statistics::of(&counts, Period::new(Day(10), Day(12)).unwrap());
        let tally = |accepted, delivered, soft_bounced, hard_bounced| Tally {
            accepted,
            delivered,
            soft_bounced,
            hard_bounced,
            complained: 0,
        };
        assert_eq!(statistics.total, tally(13, 7, 1, 1));
        assert_eq!(statistics.before, tally(14, 13, 9, 10));
        let days = [(Day(10), tally(12, 6, 1, 1)), (Day(11), Tally::default()), (Day(12), tally(1, 1, 0, 0))];
        assert_eq!(statistics.days, days);
        assert_eq!(
            statistics.domains,
            BTreeMap::from([(Id::new(1), tally(10, 6, 1, 1)), (Id::new(2), tally(2, 0, 0, 0))])
        );
        let users = BTreeMap::from([(Id::new(10), tally(10, 6, 1, 1)), (Id::new(20), tally(2, 0, 0, 0))]);
        assert_eq!(statistics.users, users);
    }

    #[test]
    fn rates_are_of_what_is_settled() {
        let tally = Tally { accepted: 20, delivered: 6, soft_bounced: 1, hard_bounced: 1, complained: 0 };
        assert_eq!((tally.settled(), tally.pending()), (8, 12));
        assert_eq!(tally.rate(tally.delivered), Some(0.75));
        assert_eq!(tally.rate(tally.hard_bounced), Some(0.125));
        assert_eq!(Tally { accepted: 3, ..Tally::default() }.rate(0), None);
        // a late bounce can leave more settled than was accepted in the counters that are left
        assert_eq!(Tally { delivered: 1, ..Tally::default() }.pending(), 0);
    }
}
