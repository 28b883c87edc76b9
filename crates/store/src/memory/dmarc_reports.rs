//! The model's reports on DMARC.

use std::collections::BTreeMap;

use relay::account::Account;
use relay::clock::Day;
use relay::dmarc_report::{Bounds, Kept, Listed, Report, Seen, Taken};
use relay::id::Id;
use relay::sending_domain::SendingDomain;
use relay::store::{DmarcReports, StoreError};

use super::{Memory, Verb};

type Domain = Id<SendingDomain>;

/// What is kept: reports by domain, reporter and id, rows by domain, day and kind, with their accounts.
#[derive(Default)]
pub(super) struct Reports {
    bounds: Bounds,
    reports: BTreeMap<(Domain, String, String), (Id<Account>, Listed)>,
    rows: BTreeMap<(Domain, Day, Seen), (Id<Account>, u64)>,
}

impl Reports {
    fn retain(&mut self, is_kept: impl Fn(Domain, Id<Account>, Day) -> bool) {
        self.reports.retain(|(domain, ..), (account, listed)| is_kept(*domain, *account, listed.day));
        self.rows.retain(|(domain, day, _), (account, _)| is_kept(*domain, *account, *day));
    }

    /// Deletes the oldest report of the domain and day of another that does not count; whether there was one.
    fn give_way(&mut self, other: &Report) -> bool {
        let apart = self
            .reports
            .iter()
            .filter(|((domain, ..), (_, one))| *domain == other.domain && one.day == other.day && !one.counts());
        let oldest = apart.min_by_key(|(key, (_, one))| (one.at, *key)).map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.reports.remove(&key).is_some())
    }

    fn bound(&mut self) {
        while (self.reports.len() + self.rows.len()) as u64 > self.bounds.total_max {
            let apart =
                self.reports.values().filter(|(_, listed)| !listed.counts()).map(|(_, listed)| listed.day).min();
            if let Some(oldest) = apart {
                self.reports.retain(|_, (_, listed)| listed.counts() || listed.day != oldest);
                continue;
            }
            let days = self.reports.values().map(|(_, listed)| listed.day);
            let Some(oldest) = days.chain(self.rows.keys().map(|(_, day, _)| *day)).min() else { return };
            self.retain(|_, _, day| day != oldest);
        }
    }
}

impl Memory {
    /// Sets how much is kept of reports on DMARC.
    pub fn set_dmarc_bounds(&self, bounds: Bounds) {
        self.state().dmarc.bounds = bounds;
    }
}

impl DmarcReports for Memory {
    fn dmarc_take(&self, report: &Report) -> Result<Taken, StoreError> {
        let mut state = self.state();
        state.fault(Verb::Dmarc)?;
        let kept = &mut state.dmarc;
        let key = (report.domain, report.reporter.clone(), report.id.clone());
        let known = kept.reports.get(&key).map(|(_, listed)| (listed.counts(), listed.day));
        if known.is_some_and(|(counts, _)| counts || !report.counts()) {
            return Ok(Taken::Again);
        }
        let of_day = |domain: Domain, day: Day| domain == report.domain && day == report.day;
        let count = kept.reports.iter().filter(|((domain, ..), (_, one))| of_day(*domain, one.day)).count();
        let leaves = usize::from(known.is_some_and(|(_, its)| its == report.day));
        let is_full = (count - leaves) as u64 >= kept.bounds.reports_max;
        if is_full && !(report.counts() && kept.give_way(report)) {
            return Ok(Taken::Beyond);
        }
        kept.reports.insert(key, (report.account, Listed::from(report)));
        if !report.counts() {
            kept.bound();
            return Ok(Taken::Apart);
        }
        let mut count = kept.rows.keys().filter(|(domain, day, _)| of_day(*domain, *day)).count() as u64;
        for (seen, messages) in &report.rows {
            let mut key = (report.domain, report.day, *seen);
            if !kept.rows.contains_key(&key) {
                match count < kept.bounds.rows_max {
                    true => count += 1,
                    false => key.2.source = None,
                }
            }
            kept.rows.entry(key).or_insert((report.account, 0)).1 += messages;
        }
        kept.bound();
        Ok(Taken::Kept)
    }

    fn dmarc_kept(&self, domain: Domain, since: Day, until: Day) -> Result<Kept, StoreError> {
        let state = self.state();
        let is_wanted = |of: Domain, day: Day| of == domain && (since..=until).contains(&day);
        let rows = state.dmarc.rows.iter().filter(|((of, day, _), _)| is_wanted(*of, *day));
        let reports = state.dmarc.reports.iter().filter(|((of, ..), (_, listed))| is_wanted(*of, listed.day));
        let mut reports: Vec<Listed> = reports.map(|(_, (_, listed))| listed.clone()).collect();
        reports.sort_by_key(|listed| std::cmp::Reverse((listed.day, listed.at)));
        Ok(Kept { rows: rows.map(|((_, day, seen), (_, messages))| (*day, *seen, *messages)).collect(), reports })
    }

    fn dmarc_delete(&self, account: Id<Account>) -> Result<(), StoreError> {
        self.state().dmarc.retain(|_, of, _| of != account);
        Ok(())
    }

    fn dmarc_prune(&self, before: Day) -> Result<(), StoreError> {
        let mut state = self.state();
        let directory = std::sync::Arc::clone(&state.register.directory);
        let is_there = |domain: &Domain| directory.domains.get(domain).is_some_and(|one| one.deleted_at.is_none());
        state.dmarc.retain(|domain, _, day| day >= before && is_there(&domain));
        Ok(())
    }
}
