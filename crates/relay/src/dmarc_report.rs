//! What receivers report of mail with a domain's name in From (DMARC, RFC 7489 §7, RFC 9990): the address where a domain's
//! reports are taken, what of one is kept, and what the kept ones add up to.
//!
//! The address lies below the domain itself, at its return-path host: so no receiver has to ask whether reports may go there
//! (RFC 7489 §7.1 is about other organizations), and its keyed local part names the domain, so that what comes to it
//! is about no other. It stands in DNS for everybody to read. What is reported is a stranger's word: it is shown, counted where a
//! domain vouches for it, and nothing follows from it.

mod summary;

use message::dmarc_report::{Aggregate, Disposition};
use smtp::address::Address;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::account::Account;
use crate::authentication::Authentication;
use crate::clock::{Day, Timestamp};
use crate::covered::{CODE_OCTETS, Cover, push_number, take_number};
use crate::id::Id;
use crate::sending_domain::SendingDomain;
use crate::zone;

pub use summary::{Reporter, Standing, Summary, Tally};

/// What the local part of such an address begins with.
const PREFIX: &str = "d-";
/// What the tokens are good for.
const PURPOSE: &str = "dmarc reports ";
/// Octets of a number (`push_number`).
const NUMBER_OCTETS_MAX: usize = 9;
/// The longest time that a report is about, days: RFC 7489 has one; of longer ones it could not be said of which day they are.
const SPAN_DAYS_MAX: u64 = 8;
/// How far the clocks of others may be ahead, days.
const AHEAD_DAYS_MAX: u64 = 1;

/// The addresses for reports: made, and known again, without a memory of which there are.
#[derive(Clone, PartialEq, Eq)]
pub struct Addresses {
    key: [u8; 32],
}

impl Addresses {
    /// With a key (`Book::return_path_key`).
    pub fn new(key: [u8; 32]) -> Addresses {
        Addresses { key }
    }

    /// The address of a domain; none where it has no return-path host.
    pub fn of(&self, domain: &SendingDomain) -> Option<String> {
        let mut octets = Vec::new();
        push_number(&mut octets, domain.id.number());
        let token = Cover::new(self.key, PURPOSE).close(octets)?;
        Some(format!("{PREFIX}{token}@{}", zone::return_path_host(domain)?))
    }

    /// The domain that a local part names, whatever the case of its letters; none where it was not made here.
    fn named(&self, local: &str) -> Option<Id<SendingDomain>> {
        let prefix = local.get(..PREFIX.len()).filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX))?;
        let token = local.strip_prefix(prefix)?;
        let octets = Cover::new(self.key, PURPOSE).open(token, CODE_OCTETS + NUMBER_OCTETS_MAX)?;
        let mut rest = octets.as_slice();
        let number = take_number(&mut rest)?;
        rest.is_empty().then(|| Id::new(number))
    }

    /// The domain whose reports come to an address, by what is known of domains; none where there is none (any more).
    pub fn domain<'d, D: AsRef<SendingDomain>>(
        &self,
        address: &Address,
        known: impl FnOnce(Id<SendingDomain>) -> Option<&'d D>,
    ) -> Option<&'d D> {
        let domain = known(self.named(address.local())?)?;
        let is_there = |one: &SendingDomain| one.deleted_at.is_none() && is_below(address.domain(), &one.name);
        Some(domain).filter(|domain| is_there((*domain).as_ref()))
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Whether a name is a domain, or lies below it.
pub(crate) fn is_below(name: &str, domain: &str) -> bool {
    let above = name.len().checked_sub(domain.len()).and_then(|at| name.split_at_checked(at));
    above.is_some_and(|(front, end)| end.eq_ignore_ascii_case(domain) && (front.is_empty() || front.ends_with('.')))
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Reports about one domain and day.
    pub reports_max: u64,
    /// Rows of one domain and day; what further ones count is added to a row without a source.
    pub rows_max: u64,
    /// Reports and rows in all; beyond it the oldest days go.
    pub total_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        crate::limits::Limits::default().dmarc_bounds()
    }
}

/// What receivers made of messages of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    /// The address they came from; none: one of those beyond the bound.
    pub source: Option<IpAddr>,
    /// Whether a signature of the domain in From was right.
    pub dkim: bool,
    /// Whether the source may send for that domain's return-path.
    pub spf: bool,
    /// What became of them.
    pub disposition: Disposition,
}

impl Seen {
    /// Whether DMARC passed: one of the two is enough (RFC 7489 §4.2).
    pub fn passed(&self) -> bool {
        self.dkim || self.spf
    }
}

/// One report, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose domain it is about.
    pub account: Id<Account>,
    /// That domain.
    pub domain: Id<SendingDomain>,
    /// Who reports.
    pub reporter: String,
    /// Its own name for the report: the same once more is the same report.
    pub id: String,
    /// The day that it is about: that of its begin, in UTC.
    pub day: Day,
    /// When it came.
    pub at: Timestamp,
    /// The policy that the reporter found.
    pub policy: String,
    /// What was seen, each kind once.
    pub rows: BTreeMap<Seen, u64>,
    /// Messages of rows about names that are neither the domain nor below it, or that were too many: not counted.
    pub left_out: u64,
    /// Who vouches for it; none: that was not looked at.
    pub authentication: Option<Authentication>,
}

/// Whether what a report says is counted: of one that was checked only where somebody vouches for it, as RFC 7489 §7.2.1.1 asks of
/// those who report. Others are listed, so that they can be looked into.
pub fn counts(authentication: Option<&Authentication>) -> bool {
    authentication.is_none_or(|known| known.vouched_by().is_some())
}

impl Report {
    /// Whether its messages are counted.
    pub fn counts(&self) -> bool {
        counts(self.authentication.as_ref())
    }

    /// How many messages it is about, of those that are the domain's.
    pub fn messages(&self) -> u64 {
        self.rows.values().fold(0, |sum, messages| sum.saturating_add(*messages))
    }
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is kept, and counts.
    Kept,
    /// It is listed, and does not count: nobody vouches for it.
    Apart,
    /// It is there already.
    Again,
    /// There are as many of its domain and day as there may be.
    Beyond,
}

/// A report in the list of those that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Who reports.
    pub reporter: String,
    /// Its own name for it.
    pub id: String,
    /// The day it is about.
    pub day: Day,
    /// When it came.
    pub at: Timestamp,
    /// The policy that the reporter found.
    pub policy: String,
    /// How many messages it is about, of those that are the domain's.
    pub messages: u64,
    /// Who vouches for it; none: that was not looked at.
    pub authentication: Option<Authentication>,
}

impl Listed {
    /// Whether its messages are counted.
    pub fn counts(&self) -> bool {
        counts(self.authentication.as_ref())
    }
}

impl From<&Report> for Listed {
    fn from(report: &Report) -> Self {
        Listed {
            reporter: report.reporter.clone(),
            id: report.id.clone(),
            day: report.day,
            at: report.at,
            policy: report.policy.clone(),
            messages: report.messages(),
            authentication: report.authentication.clone(),
        }
    }
}

/// What is kept of a domain's days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// What was counted, each kind of a day once.
    pub rows: Vec<(Day, Seen, u64)>,
    /// The reports, the newest day first.
    pub reports: Vec<Listed>,
}

/// Why a report is not kept that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is about another domain.
    #[error("it is about another domain than its address")]
    Foreign,
    /// It is about a time that is not kept, or to come, or too long.
    #[error("it is about a time that nothing is kept of")]
    Time,
}

/// What of a report is kept that came to the address of a domain; `days`: for how long reports are kept. Who vouches for it is not
/// known yet.
///
/// # Errors
/// [`Unusable`]: sent again it would be no other.
pub fn judge(read: Aggregate, domain: &SendingDomain, now: Timestamp, days: u64) -> Result<Report, Unusable> {
    // a policy may stand at a name above the domain, and hold for those below it
    if !is_below(&read.domain, &domain.name) && !is_below(&domain.name, &read.domain) {
        return Err(Unusable::Foreign);
    }
    let day = Timestamp(read.begins_seconds.saturating_mul(1_000)).day();
    let last = Timestamp(read.ends_seconds.saturating_mul(1_000)).day();
    let (oldest, latest) = (now.day().before(days), Day(now.day().0 + AHEAD_DAYS_MAX));
    if day < oldest || day > latest || last.0.saturating_sub(day.0) > SPAN_DAYS_MAX {
        return Err(Unusable::Time);
    }
    let (mut rows, mut left_out): (BTreeMap<Seen, u64>, u64) = (BTreeMap::new(), read.left_out);
    for row in read.rows {
        let seen = Seen { source: Some(row.source), dkim: row.dkim, spf: row.spf, disposition: row.disposition };
        let sum = if is_below(&row.from, &domain.name) { rows.entry(seen).or_default() } else { &mut left_out };
        *sum = sum.saturating_add(row.messages);
    }
    let (reporter, id, policy) = (read.reporter, read.id, read.policy);
    let (account, domain, authentication) = (domain.account, domain.id, None);
    Ok(Report { account, domain, reporter, id, day, at: now, policy, rows, left_out, authentication })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
