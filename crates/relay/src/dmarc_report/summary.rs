//! What reports on a domain add up to: by day, by the address that mail came from, by who reports.

use message::dmarc_report::Disposition;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Kept, Seen};
use crate::authentication::Authentication;
use crate::clock::Day;

/// Messages, by what receivers made of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub messages: u64,
    /// Of these, those that passed DMARC.
    pub passed: u64,
    /// Of these, those with a right signature of the domain.
    pub dkim: u64,
    /// Of these, those whose source may send for the domain.
    pub spf: u64,
    /// Of these, those that were put aside.
    pub quarantined: u64,
    /// Of these, those that were refused.
    pub rejected: u64,
}

impl Tally {
    fn add(&mut self, seen: &Seen, messages: u64) {
        let put_aside = seen.disposition == Disposition::Quarantine;
        let refused = seen.disposition == Disposition::Reject;
        for (sum, counts) in [
            (&mut self.messages, true),
            (&mut self.passed, seen.passed()),
            (&mut self.dkim, seen.dkim),
            (&mut self.spf, seen.spf),
            (&mut self.quarantined, put_aside),
            (&mut self.rejected, refused),
        ] {
            *sum = sum.saturating_add(if counts { messages } else { 0 });
        }
    }

    /// What part of the messages this many are, 0 to 1; none where there are no messages.
    pub fn rate(&self, part: u64) -> Option<f64> {
        (self.messages > 0).then(|| part as f64 / self.messages as f64)
    }
}

/// Who reports, and how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reporter {
    /// What it calls itself.
    pub name: String,
    /// Who vouches for its reports.
    pub standing: Standing,
    /// Its reports.
    pub reports: u64,
    /// The messages in them.
    pub messages: u64,
}

/// Who vouches for reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// That was not looked at: they came before it was.
    #[default]
    Unchecked,
    /// This domain.
    Vouched(String),
    /// Nobody: they are not counted.
    Nobody,
    /// Nobody, and DNS could not say all there is to say: they are not counted.
    Unknown,
}

impl Standing {
    /// Of what was found of one.
    fn of(authentication: Option<&Authentication>) -> Standing {
        match authentication {
            None => Standing::Unchecked,
            Some(known) => match known.vouched_by() {
                Some(domain) => Standing::Vouched(domain.to_owned()),
                None if known.is_unknown() => Standing::Unknown,
                None => Standing::Nobody,
            },
        }
    }

    /// Whether what they say is counted.
    pub fn counts(&self) -> bool {
        matches!(self, Standing::Unchecked | Standing::Vouched(_))
    }
}

/// What a domain's reports add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// In all.
    pub total: Tally,
    /// Each day that was reported on.
    pub days: BTreeMap<Day, Tally>,
    /// Each source, that of most messages first; none: those beyond the bound.
    pub sources: Vec<(Option<IpAddr>, Tally)>,
    /// Each reporter and who vouches for it, that of most messages first, behind them those that do not count.
    pub reporters: Vec<Reporter>,
}

impl Summary {
    /// Adds up what is kept.
    pub fn of(kept: &Kept) -> Summary {
        let (mut summary, mut sources) = (Summary::default(), BTreeMap::<Option<IpAddr>, Tally>::new());
        for (day, seen, messages) in &kept.rows {
            let of_day = summary.days.entry(*day).or_default();
            for tally in [&mut summary.total, of_day, sources.entry(seen.source).or_default()] {
                tally.add(seen, *messages);
            }
        }
        let mut reporters = BTreeMap::<(&str, Standing), Reporter>::new();
        for report in &kept.reports {
            let standing = Standing::of(report.authentication.as_ref());
            let reporter = reporters.entry((&report.reporter, standing)).or_default();
            reporter.reports += 1;
            reporter.messages = reporter.messages.saturating_add(report.messages);
        }
        let named = |((name, standing), sums): ((&str, Standing), Reporter)| Reporter {
            name: name.to_owned(),
            standing,
            ..sums
        };
        summary.reporters = reporters.into_iter().map(named).collect();
        let order = |reporter: &Reporter| Reverse((reporter.standing.counts(), reporter.messages, reporter.reports));
        summary.reporters.sort_by_key(order);
        summary.sources = sources.into_iter().collect();
        summary.sources.sort_by_key(|(_, tally)| Reverse(tally.messages));
        summary
    }
}
