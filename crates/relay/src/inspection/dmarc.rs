//! The DMARC policy of a domain: where it stands, what it asks of those who receive, and what is wrong with it.
//!
//! It is looked for at the domain, then at the names above it, eight names in all (the tree walk of DMARCbis §4.10). It
//! refuses nothing here: it is explained.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use super::{Answers, Kind, Question, Said};
use crate::verification::plain;

/// Names that are asked for one policy.
const NAMES_MAX: usize = 8;

/// Report addresses that are kept and shown.
const REPORTS_MAX: usize = 5;

/// What the DMARC records of a domain say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dmarc {
    /// The name whose record holds; none: there is none.
    pub at: Option<String>,
    /// What is asked for: `none`, `quarantine` or `reject`.
    pub policy: Option<Policy>,
    /// Whether the signing domain has to be the very one of From.
    pub strict_dkim: bool,
    /// Whether the return-path's domain has to be.
    pub strict_spf: bool,
    /// Where summaries are sent to.
    pub reports: Vec<String>,
    /// Whether it is only tried out (`t=y`).
    pub is_trial: bool,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Why DNS could not say, in words.
    pub fault: Option<String>,
    /// The record as it stands.
    pub record: Option<String>,
    /// Who said so.
    pub server: Option<SocketAddr>,
}

/// What is asked of those who receive mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing.
    None,
    /// To put it aside.
    Quarantine,
    /// To refuse it.
    Reject,
}

/// What is wrong with a DMARC record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A name has several: none of them counts (RFC 7489 §6.6.3).
    Several,
    /// It has no policy that is one: it counts as `none` where reports are asked for, else not at all.
    NoPolicy,
    /// An address for reports is none.
    Reports,
    /// A tag is no tag.
    Syntax,
}

impl Problem {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Problem::Several => "There is more than one record at the name: none of them counts. Leave one.",
            Problem::NoPolicy => "It has no policy (p=none, p=quarantine or p=reject).",
            Problem::Reports => "An address for reports is not of the form mailto:name@example.com.",
            Problem::Syntax => "A part of it is not of the form tag=value.",
        }
    }
}

/// Reads the policy of a domain.
///
/// # Errors
/// What has to be asked first.
pub fn read(domain: &str, answers: &Answers) -> Result<Dmarc, Question> {
    let mut several = false;
    let mut found: Option<Dmarc> = None;
    for (place, name) in walk(domain).enumerate() {
        let at = format!("_dmarc.{name}");
        let answer = answers.of(&at, Kind::Txt)?;
        let records: Vec<&String> = match &answer.said {
            Said::Found(texts) => texts.iter().filter(|text| is_dmarc(text)).collect(),
            Said::Nothing => Vec::new(),
            Said::Fault(fault) => {
                return Ok(Dmarc { fault: Some(fault.clone()), server: answer.server, ..Dmarc::default() });
            }
        };
        several |= place == 0 && records.len() > 1;
        if let [record] = records.as_slice() {
            let tags = tags(record);
            // a public suffix says of itself that the domain below it is the organization's (DMARCbis §4.10)
            let is_suffix = place > 0 && value(&tags, "psd").is_some_and(|psd| psd.eq_ignore_ascii_case("y"));
            if is_suffix && found.is_some() {
                break;
            }
            let read = parse(record, &tags, at, place > 0, answer.server);
            let is_end = place == 0 || value(&tags, "psd").is_some_and(|psd| psd.eq_ignore_ascii_case("n"));
            found = Some(read);
            if is_end {
                break;
            }
        }
    }
    let mut found = found.unwrap_or_default();
    if several {
        found.problems.insert(0, Problem::Several);
    }
    Ok(found)
}

/// The domain, then the names above it; of long ones those in the middle are left out.
fn walk(domain: &str) -> impl Iterator<Item = &str> {
    let labels = domain.split('.').count();
    let above = std::iter::successors(domain.split_once('.').map(|(_, above)| above), |name| {
        name.split_once('.').map(|(_, above)| above)
    });
    let above = above.filter(move |name| {
        let count = name.split('.').count();
        count < NAMES_MAX && count < labels
    });
    std::iter::once(domain).chain(above).take(NAMES_MAX)
}

fn is_dmarc(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_once('=').is_some_and(|(tag, value)| tag.trim() == "v" && value.trim() == "DMARC1")
}

/// The tags of a record; a part that is no tag has no value.
fn tags(record: &str) -> Vec<(&str, Option<&str>)> {
    let parts = record.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((tag, value)) => (tag.trim(), Some(value.trim())),
            None => (part, None),
        })
        .collect()
}

fn value<'r>(tags: &[(&'r str, Option<&'r str>)], name: &str) -> Option<&'r str> {
    tags.iter().find(|(tag, _)| *tag == name).and_then(|(_, value)| *value)
}

fn policy(text: &str) -> Option<Policy> {
    match text.to_ascii_lowercase().as_str() {
        "none" => Some(Policy::None),
        "quarantine" => Some(Policy::Quarantine),
        "reject" => Some(Policy::Reject),
        _ => None,
    }
}

fn parse(record: &str, tags: &[(&str, Option<&str>)], at: String, is_above: bool, server: Option<SocketAddr>) -> Dmarc {
    let tag = |name| value(tags, name);
    let is = |name, wanted: &str| tag(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    let all = tag("p").and_then(policy);
    let below = if is_above { tag("sp").and_then(policy) } else { None };
    let reports: Vec<&str> = tag("rua")
        .map(|list| list.split(',').map(str::trim).filter(|one| !one.is_empty()).collect())
        .unwrap_or_default();
    let is_report = |report: &&str| {
        let address = report.split_once(':').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto"));
        address.is_some_and(|(_, address)| address.split('!').next().is_some_and(|address| address.contains('@')))
    };
    let mut problems = Vec::new();
    if all.is_none() {
        problems.push(Problem::NoPolicy);
    }
    if !reports.iter().all(is_report) {
        problems.push(Problem::Reports);
    }
    if tags.iter().any(|(_, value)| value.is_none()) {
        problems.push(Problem::Syntax);
    }
    // without a policy, a wish for reports is one (RFC 7489 §6.6.3)
    let fallback = (!reports.is_empty()).then_some(Policy::None);
    Dmarc {
        at: Some(at),
        policy: below.or(all).or(fallback),
        strict_dkim: is("adkim", "s"),
        strict_spf: is("aspf", "s"),
        reports: reports.iter().take(REPORTS_MAX).map(|report| plain(report)).collect(),
        is_trial: is("t", "y"),
        problems,
        fault: None,
        record: Some(plain(record)),
        server,
    }
}

impl Dmarc {
    /// What it means for mail of a domain, in words.
    pub fn words(&self) -> String {
        if let Some(fault) = &self.fault {
            return format!("DNS did not say what policy there is: {fault}.");
        }
        let mut words = Vec::new();
        match (&self.at, self.policy) {
            (Some(at), Some(policy)) => {
                words.push(format!("{at} says: {}.", policy.words()));
                if self.is_trial {
                    words.push("It is only tried out (t=y): it is not to be applied yet.".to_owned());
                }
                words.push(
                    "Mail that the relay has signed passes: its signature is of the very domain in From.".to_owned(),
                );
                let spf = if self.strict_spf { "does not count (aspf=s)" } else { "counts" };
                words.push(format!("A return-path host below the domain {spf}."));
                let reports = self.reports.join(", ");
                words.push(match reports.as_str() {
                    "" => "Nobody gets reports (rua).".to_owned(),
                    reports => format!("Reports go to {reports}."),
                });
            }
            (Some(at), None) => words.push(format!("{at} has a record without a policy: it does not count.")),
            (None, _) => words.push("There is no policy.".to_owned()),
        }
        words.extend(self.problems.iter().map(|problem| problem.words().to_owned()));
        words.join(" ")
    }
}

impl Policy {
    /// In words, as they go on from "it says".
    pub fn words(self) -> &'static str {
        match self {
            Policy::None => "mail that fails is delivered as ever (none)",
            Policy::Quarantine => "mail that fails goes to the spam folder (quarantine)",
            Policy::Reject => "mail that fails is refused (reject)",
        }
    }
}
