//! The sessions of one day, by domain, in bounded room.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Applied, REASON_OCTETS_MAX, ResultType, Session};
use crate::clock::Day;
use crate::limits::Limits;

/// Policies of one domain that are told apart in a day; sessions by further ones are counted with the last.
const POLICIES_MAX: usize = 8;

/// The room for one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Domains that are counted.
    pub domains_max: usize,
    /// Rows about failures of one domain.
    pub rows_max: usize,
}

impl Bounds {
    /// What these limits say.
    pub fn held_to(limits: &Limits) -> Bounds {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Bounds { domains_max: count(limits.tls_report_domains_max), rows_max: count(limits.tls_report_rows_max) }
    }
}

/// What was counted on one day (UTC).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The day.
    pub day: Day,
    /// By recipient domain.
    pub domains: BTreeMap<String, Counted>,
    /// Sessions that were not counted, because there were too many domains.
    #[serde(default)]
    pub passed_over: u64,
}

/// What was counted of one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// By policy, in the order in which they were first seen.
    pub policies: Vec<PolicyCount>,
}

/// What was counted under one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCount {
    /// The policy.
    pub applied: Applied,
    /// Sessions that succeeded.
    pub successes: u64,
    /// Sessions that failed, or would have.
    pub failures: u64,
    /// How they failed.
    pub details: Vec<Detail>,
}

/// Sessions that failed alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// How.
    pub result: ResultType,
    /// The mail server; empty where there was none, or where there are too many rows to tell.
    #[serde(default)]
    pub host: String,
    /// Its address.
    #[serde(default)]
    pub receiving: Option<IpAddr>,
    /// The address it was dialled from.
    #[serde(default)]
    pub sending: Option<IpAddr>,
    /// In words.
    #[serde(default)]
    pub reason: String,
    /// How many.
    pub sessions: u64,
}

impl Tally {
    /// Nothing was counted on this day yet.
    pub fn of(day: Day) -> Tally {
        Tally { day, ..Tally::default() }
    }

    /// Counts one session.
    pub fn count(&mut self, session: &Session<'_>, bounds: &Bounds) {
        if let Some(counted) = self.domains.get_mut(session.domain) {
            return counted.count(session, bounds.rows_max);
        }
        if self.domains.len() >= bounds.domains_max {
            self.passed_over = self.passed_over.saturating_add(1);
            return;
        }
        self.domains.entry(session.domain.to_owned()).or_default().count(session, bounds.rows_max);
    }
}

impl Counted {
    /// Sessions that succeeded, and those that failed.
    pub fn sessions(&self) -> (u64, u64) {
        let sum = |of: fn(&PolicyCount) -> u64| self.policies.iter().map(of).fold(0, u64::saturating_add);
        (sum(|policy| policy.successes), sum(|policy| policy.failures))
    }

    fn count(&mut self, session: &Session<'_>, rows_max: usize) {
        let rows: usize = self.policies.iter().map(|policy| policy.details.len()).sum();
        let policy = self.policy(session.applied);
        match session.failed {
            None => policy.successes = policy.successes.saturating_add(1),
            Some(_) => {
                policy.failures = policy.failures.saturating_add(1);
                policy.detail(session, rows < rows_max);
            }
        }
    }

    fn policy(&mut self, applied: &Applied) -> &mut PolicyCount {
        let known = self.policies.iter().position(|policy| policy.applied == *applied);
        let place = match known {
            Some(place) => place,
            None if self.policies.len() >= POLICIES_MAX => POLICIES_MAX - 1,
            None => {
                let applied = applied.clone();
                self.policies.push(PolicyCount { applied, successes: 0, failures: 0, details: Vec::new() });
                self.policies.len() - 1
            }
        };
        &mut self.policies[place]
    }
}

impl PolicyCount {
    /// Counts a failure in the row that says the same; in a new one where there is room; else in that of its result alone, of
    /// which there are no more than results.
    fn detail(&mut self, session: &Session<'_>, has_room: bool) {
        let Some(failed) = session.failed else { return };
        let exact = Detail {
            result: failed.result,
            host: session.host.to_owned(),
            receiving: session.receiving,
            sending: session.sending,
            reason: beginning(&failed.why),
            sessions: 0,
        };
        let bare =
            || Detail { host: String::new(), receiving: None, sending: None, reason: String::new(), ..exact.clone() };
        let is_known = self.details.iter().any(|row| row.says_the_same(&exact));
        let wanted = if is_known || has_room { exact } else { bare() };
        match self.details.iter_mut().find(|row| row.says_the_same(&wanted)) {
            Some(row) => row.sessions = row.sessions.saturating_add(1),
            None => self.details.push(Detail { sessions: 1, ..wanted }),
        }
    }
}

impl Detail {
    fn says_the_same(&self, other: &Detail) -> bool {
        self.result == other.result
            && self.host == other.host
            && self.receiving == other.receiving
            && self.sending == other.sending
            && self.reason == other.reason
    }
}

/// As much of it as is kept, on one line.
fn beginning(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
        if kept.len() + letter.len_utf8() > REASON_OCTETS_MAX {
            break;
        }
        kept.push(letter);
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Failed;
    use super::*;

    const BOUNDS: Bounds = Bounds { domains_max: 2, rows_max: 3 };

    fn counted(tally: &mut Tally, domain: &str, host: &str, failed: Option<(ResultType, &str)>) {
        let (applied, failed) = (Applied::none(domain), failed.map(|(result, why)| Failed::new(result, why)));
        let session =
            Session { domain, applied: &applied, host, receiving: None, sending: None, failed: failed.as_ref() };
        tally.count(&session, &BOUNDS);
    }

    #[test]
    fn sessions_are_counted_by_domain_policy_and_failure() {
        let mut tally = Tally::of(Day(20_000));
        for _ in 0..3 {
            counted(&mut tally, "a.example", "mx.a.example", None);
            counted(&mut tally, "a.example", "mx.a.example", Some((ResultType::CertificateExpired, "it has ended")));
        }
        counted(&mut tally, "a.example", "mx2.a.example", Some((ResultType::CertificateExpired, "it has ended")));
        let of_a = &tally.domains["a.example"];
        assert_eq!((of_a.sessions(), of_a.policies.len()), ((3, 4), 1));
        let rows: Vec<_> = of_a.policies[0].details.iter().map(|row| (row.host.as_str(), row.sessions)).collect();
        assert_eq!(rows, [("mx.a.example", 3), ("mx2.a.example", 1)]);
        let read: Tally = serde_json::from_str(&serde_json::to_string(&tally).unwrap()).unwrap();
        assert_eq!(read, tally);
    }

    #[test]
    fn the_room_is_bounded_and_no_session_of_a_domain_is_lost() {
        let mut tally = Tally::of(Day(20_000));
        for number in 0..10 {
            let failed = Some((ResultType::ValidationFailure, "odd"));
            counted(&mut tally, "a.example", &format!("mx{number}.a.example"), failed);
            counted(&mut tally, "a.example", "mx", Some((ResultType::StarttlsNotSupported, &"long ".repeat(1000))));
            counted(&mut tally, &format!("d{number}.example"), "mx", None);
        }
        assert_eq!((tally.domains.len(), tally.passed_over), (2, 9));
        let of_a = &tally.domains["a.example"];
        assert_eq!(of_a.sessions(), (0, 20));
        let rows = &of_a.policies[0].details;
        // the two that came first, one more, and what came after by its result alone
        assert!(rows.len() <= BOUNDS.rows_max + ResultType::NAMES.len(), "{rows:?}");
        assert_eq!(rows.iter().map(|row| row.sessions).sum::<u64>(), 20);
        assert!(rows.iter().all(|row| row.reason.len() <= REASON_OCTETS_MAX));
    }

    #[test]
    fn a_domain_that_changes_its_policy_all_day_stays_small() {
        let mut counted = Counted::default();
        for number in 0..100 {
            let applied = Applied::tlsa(&format!("mx{number}.example"), &[]);
            let session = Session {
                domain: "a.example",
                applied: &applied,
                host: "mx",
                receiving: None,
                sending: None,
                failed: None,
            };
            counted.count(&session, 3);
        }
        assert_eq!((counted.policies.len(), counted.sessions()), (POLICIES_MAX, (100, 0)));
    }
}
