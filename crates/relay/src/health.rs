//! How a domain fares with those who receive its mail: what is looked at, what was found of it, and what to do next.
//!
//! Nothing follows from a finding but words. What is held against a rate is what providers have published of their own
//! ([`PUBLISHED`]); how each of them counts differs, and only they see all of it.

mod words;

use std::net::IpAddr;

use crate::dmarc_report::{Kept, Summary};
use crate::sending_domain::{DomainState, SendingDomain};
use crate::statistics::Tally;
use crate::verification;
use crate::zone::Publisher;

/// The days that are looked at, today included.
pub const DAYS: u64 = 30;
/// Recipients whose fate is known, before a bounce rate says something.
const BOUNCES_OF_MIN: u64 = 100;
/// Recipients delivered to, before a complaint rate does.
const COMPLAINTS_OF_MIN: u64 = 1_000;
/// Messages that were reported on, before what part of them passed says something.
const REPORTED_MIN: u64 = 10;
/// What part of the reported mail may fail that did not come from this relay: somebody always forwards some.
const FAILED_MAX: f64 = 0.02;

/// A rate that a provider has published as one that senders should stay below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// What it is of: `complaints` or `bounces`.
    pub of: &'static str,
    /// The rate, 0 to 1.
    pub rate: f64,
    /// Whether mail suffers beyond it; else it is to be watched.
    pub is_last: bool,
    /// Who published it.
    pub provider: &'static str,
    /// Where.
    pub source: &'static str,
}

const GOOGLE: &str = "https://support.google.com/a/answer/81126";
const AMAZON: &str = "https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html";

/// What providers have published. Of bounces no large mailbox provider names a rate; a large sender does, for what it
/// takes from its customers.
pub const PUBLISHED: &[Published] = &[
    Published { of: "complaints", rate: 0.001, is_last: false, provider: "Google", source: GOOGLE },
    Published { of: "complaints", rate: 0.003, is_last: true, provider: "Google", source: GOOGLE },
    Published { of: "bounces", rate: 0.05, is_last: false, provider: "Amazon SES", source: AMAZON },
    Published { of: "bounces", rate: 0.10, is_last: true, provider: "Amazon SES", source: AMAZON },
];

/// How good something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Too little is known.
    Unknown,
    /// To be looked after.
    Watch,
    /// Mail suffers, or will.
    Bad,
}

impl Verdict {
    /// As a word: `good`, `unknown`, `watch` or `bad`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Unknown => "unknown",
            Verdict::Watch => "watch",
            Verdict::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is of, and what was found, as a name: `bounces-good`, …
    pub code: &'static str,
    /// How good that is.
    pub verdict: Verdict,
    /// How many, where something is counted.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The published rate that it is held against.
    pub published: Option<Published>,
    /// What is listed, and in which list, where that is what was looked at.
    pub listed: Option<(String, String)>,
}

impl Finding {
    fn new(code: &'static str, verdict: Verdict) -> Finding {
        Finding { code, verdict, count: 0, of: 0, published: None, listed: None }
    }

    fn counted(self, count: u64, of: u64) -> Finding {
        Finding { count, of, ..self }
    }

    /// What part was counted, 0 to 1; none where nothing was.
    pub fn rate(&self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 / self.of as f64)
    }
}

/// What a list of the operator's says of an address or a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The list: its zone in DNS.
    pub list: String,
    /// The address or domain.
    pub name: String,
    /// Whether it is in the list.
    pub is_listed: bool,
}

/// What is known of a domain.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The domain, with the last look at its records.
    pub domain: &'a SendingDomain,
    /// Where the relay sends from, and whether it takes reports.
    pub publisher: &'a Publisher,
    /// What was sent in the period.
    pub sent: Tally,
    /// What was reported of it.
    pub reported: &'a Kept,
    /// What the operator's lists said, those left out that said nothing.
    pub listings: &'a [Listing],
}

/// Looks at everything, in the order of the page.
pub fn look(known: &Known<'_>) -> Vec<Finding> {
    let mut findings = vec![records(known.domain)];
    findings.extend(return_path(known));
    findings.push(policy(known.domain));
    findings.extend(alignment(known));
    let settled = known.sent.settled();
    findings.push(held_against("bounces", known.sent.hard_bounced, settled, BOUNCES_OF_MIN));
    // a complaint follows a delivery
    let delivered = known.sent.delivered;
    findings.push(held_against("complaints", known.sent.complained, delivered, COMPLAINTS_OF_MIN));
    findings.extend(blocklists(known.listings));
    findings
}

/// The worst of them.
pub fn verdict(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Unknown)
}

fn records(domain: &SendingDomain) -> Finding {
    let mut required = domain.keys.iter().filter(|key| verification::is_required(domain, key));
    let is_there = required.all(|key| verification::is_there(domain, key));
    match (domain.state, is_there) {
        (DomainState::Validated, _) | (DomainState::Vouched, true) => Finding::new("records-right", Verdict::Good),
        (DomainState::Vouched, false) => Finding::new("records-unsigned", Verdict::Bad),
        (DomainState::Warning, _) => Finding::new("records-lost", Verdict::Bad),
        (DomainState::Pending | DomainState::Failed, _) => Finding::new("records-missing", Verdict::Bad),
    }
}

/// The return-path host, where the relay has use for one.
fn return_path(known: &Known<'_>) -> Option<Finding> {
    known.publisher.dmarc_reports.as_ref()?;
    let path = known.domain.check.as_ref().and_then(|check| check.return_path.as_ref());
    Some(match path {
        Some(path) if path.is_right() => Finding::new("return-path-right", Verdict::Good),
        _ => Finding::new("return-path-missing", Verdict::Watch),
    })
}

fn policy(domain: &SendingDomain) -> Finding {
    use crate::inspection::dmarc::Policy;
    let Some(found) = domain.check.as_ref().and_then(|check| check.dmarc.as_ref()) else {
        return Finding::new("policy-unknown", Verdict::Unknown);
    };
    match (found.policy, &found.fault) {
        (_, Some(_)) => Finding::new("policy-unknown", Verdict::Unknown),
        _ if !found.problems.is_empty() => Finding::new("policy-broken", Verdict::Bad),
        (None, None) => Finding::new("policy-absent", Verdict::Bad),
        (Some(Policy::None), None) => Finding::new("policy-open", Verdict::Good),
        (Some(Policy::Quarantine | Policy::Reject), None) => Finding::new("policy-strict", Verdict::Good),
    }
}

/// What receivers reported, where the relay takes their reports.
fn alignment(known: &Known<'_>) -> Option<Finding> {
    known.publisher.dmarc_reports.as_ref()?;
    let summary = Summary::of(known.reported);
    let total = summary.total;
    if total.messages < REPORTED_MIN {
        return Some(Finding::new("alignment-unknown", Verdict::Unknown).counted(0, total.messages));
    }
    let is_own = |source: &Option<IpAddr>| source.is_some_and(|source| known.publisher.addresses.contains(&source));
    let own = summary.sources.iter().filter(|(source, _)| is_own(source));
    let own_failed: u64 = own.map(|(_, tally)| tally.messages.saturating_sub(tally.passed)).sum();
    let failed = total.messages.saturating_sub(total.passed);
    let finding = match total.rate(failed) {
        _ if own_failed > 0 => Finding::new("alignment-own", Verdict::Bad).counted(own_failed, total.messages),
        Some(rate) if rate > FAILED_MAX => {
            Finding::new("alignment-others", Verdict::Watch).counted(failed, total.messages)
        }
        _ => Finding::new("alignment-good", Verdict::Good).counted(total.passed, total.messages),
    };
    Some(finding)
}

/// A rate beside those that were published of its kind, which is `bounces` or `complaints`.
fn held_against(kind: &'static str, count: u64, of: u64, of_min: u64) -> Finding {
    let published = || PUBLISHED.iter().filter(|published| published.of == kind);
    let is_bounces = kind == "bounces";
    if of < of_min {
        let code = if is_bounces { "bounces-few" } else { "complaints-few" };
        return Finding::new(code, Verdict::Unknown).counted(count, of);
    }
    let rate = count as f64 / of as f64;
    let reached = published().rev().find(|published| rate >= published.rate);
    let (code, verdict) = match (is_bounces, reached.map(|published| published.is_last)) {
        (true, None) => ("bounces-good", Verdict::Good),
        (true, Some(false)) => ("bounces-watch", Verdict::Watch),
        (true, Some(true)) => ("bounces-bad", Verdict::Bad),
        (false, None) => ("complaints-good", Verdict::Good),
        (false, Some(false)) => ("complaints-watch", Verdict::Watch),
        (false, Some(true)) => ("complaints-bad", Verdict::Bad),
    };
    let published = reached.or_else(|| published().next()).copied();
    Finding { published, ..Finding::new(code, verdict).counted(count, of) }
}

fn blocklists(listings: &[Listing]) -> Vec<Finding> {
    let listed = listings.iter().filter(|listing| listing.is_listed);
    let listed: Vec<Finding> = listed
        .map(|listing| Finding {
            listed: Some((listing.name.clone(), listing.list.clone())),
            ..Finding::new("blocklist-listed", Verdict::Bad)
        })
        .collect();
    if !listed.is_empty() || listings.is_empty() {
        return listed;
    }
    vec![Finding::new("blocklist-clean", Verdict::Good).counted(0, listings.len() as u64)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
