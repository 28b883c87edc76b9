//! What an event changes of the daily counters: the rule that every store obeys.

use std::collections::BTreeMap;

use relay::account::Account;
use relay::activity::{ActivityRow, DailyCount, Status};
use relay::clock::{Day, Timestamp};
use relay::id::Id;
use relay::sending_domain::SendingDomain;
use relay::smtp_user::SmtpUser;

/// How long counters are kept, unless the operator says less.
pub(crate) const KEEP: std::time::Duration =
    std::time::Duration::from_secs(relay::limits::STATISTICS_MONTHS.value * 31 * 86_400);

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) day: Day,
    pub(crate) account: Id<Account>,
    pub(crate) domain: Option<Id<SendingDomain>>,
    pub(crate) user: Option<Id<SmtpUser>>,
}

impl Key {
    /// Where a recipient counts that was accepted then, now and ever after; the date of its account was so many days ahead
    /// of that in UTC.
    pub(crate) fn new(
        (accepted_at, days_ahead): (Timestamp, i8),
        account: Id<Account>,
        domain: Option<Id<SendingDomain>>,
        user: Option<Id<SmtpUser>>,
    ) -> Self {
        Key { day: accepted_at.day().ahead(days_ahead), account, domain, user }
    }

    /// Where the recipient of a row counts.
    pub(crate) fn of(row: &ActivityRow, days_ahead: i8) -> Self {
        Key::new((row.at, days_ahead), row.account, row.domain, row.user)
    }
}

/// Recipients by what became of them, or by how much that changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) accepted: i64,
    pub(crate) delivered: i64,
    pub(crate) soft_bounced: i64,
    pub(crate) hard_bounced: i64,
    pub(crate) complained: i64,
}

impl Tally {
    /// What a recipient in this status counts as.
    fn of(status: Status) -> Self {
        let accepted = Tally { accepted: 1, ..Tally::default() };
        match status {
            Status::Rejected => Tally::default(),
            Status::Accepted | Status::Pending | Status::Deferred => accepted,
            Status::Delivered => Tally { delivered: 1, ..accepted },
            Status::SoftBounce => Tally { soft_bounced: 1, ..accepted },
            Status::HardBounce => Tally { hard_bounced: 1, ..accepted },
            Status::Complaint => Tally { delivered: 1, complained: 1, ..accepted },
        }
    }

    pub(crate) fn add(&mut self, other: Tally, times: i64) {
        self.accepted += times * other.accepted;
        self.delivered += times * other.delivered;
        self.soft_bounced += times * other.soft_bounced;
        self.hard_bounced += times * other.hard_bounced;
        self.complained += times * other.complained;
    }

    /// The counters as they are shown.
    pub(crate) fn shown(self, key: Key) -> DailyCount {
        let Key { day, account, domain, user } = key;
        // below zero is nothing: a counter may be gone before the last that would have lowered it
        let number = |count: i64| u64::try_from(count).unwrap_or_default();
        DailyCount {
            day,
            account,
            domain,
            user,
            accepted: number(self.accepted),
            delivered: number(self.delivered),
            soft_bounced: number(self.soft_bounced),
            hard_bounced: number(self.hard_bounced),
            complained: number(self.complained),
        }
    }
}

/// Counters, or what some events change of them, gathered so that each is written once.
#[derive(Debug, Default)]
pub(crate) struct Counters(BTreeMap<Key, Tally>);

impl Counters {
    /// A recipient's row began in this status.
    pub(crate) fn begin(&mut self, key: Key, status: Status) {
        self.count(key, Tally::of(status));
    }

    /// A row changed its status: what it counted as before, it does no more.
    pub(crate) fn change(&mut self, key: Key, before: Status, after: Status) {
        let mut tally = Tally::of(after);
        tally.add(Tally::of(before), -1);
        self.count(key, tally);
    }

    fn count(&mut self, key: Key, tally: Tally) {
        if tally != Tally::default() {
            self.0.entry(key).or_default().add(tally, 1);
        }
    }

    /// All of them, by day, account, domain and SMTP user.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, Tally)> {
        self.0.iter().map(|(key, tally)| (*key, *tally))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [Status; 8] = [
        Status::Rejected,
        Status::Accepted,
        Status::Pending,
        Status::Delivered,
        Status::Deferred,
        Status::SoftBounce,
        Status::HardBounce,
        Status::Complaint,
    ];

    fn key(at: u64) -> Key {
        Key::new((Timestamp(at), 0), Id::new(1), Some(Id::new(2)), Some(Id::new(3)))
    }

    fn numbers(counters: &Counters) -> Vec<[u64; 5]> {
        let shown = counters.iter().map(|(key, tally)| tally.shown(key));
        shown
            .map(|count| [count.accepted, count.delivered, count.soft_bounced, count.hard_bounced, count.complained])
            .collect()
    }

    #[test]
    fn a_late_bounce_corrects_what_was_delivered() {
        let mut counters = Counters::default();
        counters.begin(key(0), Status::Accepted);
        counters.change(key(0), Status::Accepted, Status::Delivered);
        assert_eq!(numbers(&counters), [[1, 1, 0, 0, 0]]);
        counters.change(key(0), Status::Delivered, Status::HardBounce);
        assert_eq!(numbers(&counters), [[1, 0, 0, 1, 0]]);
    }

    #[test]
    fn any_way_to_a_status_counts_as_beginning_in_it() {
        for between in STATUSES {
            for last in STATUSES {
                let (mut long, mut short) = (Counters::default(), Counters::default());
                long.begin(key(0), Status::Accepted);
                long.change(key(0), Status::Accepted, between);
                long.change(key(0), between, last);
                short.begin(key(0), last);
                let long: Vec<_> = numbers(&long).into_iter().filter(|counts| *counts != [0; 5]).collect();
                assert_eq!(long, numbers(&short), "{between:?}, {last:?}");
            }
        }
    }

    #[test]
    fn days_are_those_of_the_account() {
        let midnight = 20_000 * 86_400_000;
        let mut counters = Counters::default();
        let key = |at, days_ahead| Key::new((Timestamp(at), days_ahead), Id::new(1), None, None);
        for key in [key(midnight - 1, 0), key(midnight, 0), key(midnight - 1, 1), key(midnight, -1)] {
            counters.begin(key, Status::Accepted);
        }
        let days: Vec<_> = counters.iter().map(|(key, tally)| (key.day, tally.accepted)).collect();
        assert_eq!(days, [(Day(19_999), 2), (Day(20_000), 2)]);
    }
}
