//! What is found of a domain, and that each finding has its words and, where it is none that is good, a next step.

use super::*;
use crate::clock::{Day, Timestamp};
use crate::dmarc_report::{Addresses, Seen};
use crate::id::Id;
use crate::inspection::dmarc::{Policy, Problem};
use crate::inspection::{Dmarc, ReturnPath, Spf};
use crate::sending_domain::{DkimKey, KeyAlgorithm};
use crate::verification::{Check, RecordState};
use message::dmarc_report::Disposition;

fn domain(state: DomainState, policy: Option<Policy>) -> SendingDomain {
    let key = DkimKey::new("abc", KeyAlgorithm::Rsa2048, "v=DKIM1; p=", true);
    let mut check = Check::new(Timestamp(1), vec![("abc".into(), RecordState::Right)]);
    check.return_path = Some(ReturnPath { mail: RecordState::Right, spf: Spf::Pass });
    check.dmarc = Some(Dmarc { at: policy.map(|_| "_dmarc.shop.example".into()), policy, ..Dmarc::default() });
    SendingDomain {
        state,
        check: Some(check),
        ..SendingDomain::new(Id::new(7), Id::new(3), "shop.example", vec![key], Timestamp(0))
    }
}

fn publisher() -> Publisher {
    Publisher {
        hostname: "out.example".into(),
        addresses: vec!["192.0.2.1".parse().unwrap()],
        zone: None,
        dmarc_reports: Some(Addresses::new([1; 32])),
    }
}

fn sent(delivered: u64, hard_bounced: u64, complained: u64) -> Tally {
    Tally { accepted: delivered + hard_bounced, delivered, hard_bounced, complained, soft_bounced: 0 }
}

fn reported(rows: &[(&str, bool, u64)]) -> Kept {
    let row = |(source, passed, messages): &(&str, bool, u64)| {
        let seen = Seen { source: source.parse().ok(), dkim: *passed, spf: false, disposition: Disposition::None };
        (Day(1), seen, *messages)
    };
    Kept { rows: rows.iter().map(row).collect(), reports: Vec::new() }
}

/// The codes that are found, but for those of a domain that is well.
fn codes(domain: &SendingDomain, sent: Tally, reported: &Kept, listings: &[Listing]) -> Vec<&'static str> {
    let publisher = publisher();
    let findings = look(&Known { domain, publisher: &publisher, sent, reported, listings });
    for finding in &findings {
        assert!(!finding.found().is_empty() && finding.found() != finding.code, "{}", finding.code);
        let is_silent = finding.advice().is_empty();
        assert!(!is_silent || finding.verdict <= Verdict::Unknown, "{} has no next step", finding.code);
    }
    let well =
        ["records-right", "return-path-right", "policy-strict", "alignment-good", "bounces-good", "complaints-good"];
    findings.iter().map(|finding| finding.code).filter(|code| !well.contains(code)).collect()
}

fn strict() -> SendingDomain {
    domain(DomainState::Validated, Some(Policy::Reject))
}

#[test]
fn a_domain_that_is_well_is_told_so() {
    let (publisher, domain, reported) = (publisher(), strict(), reported(&[("192.0.2.1", true, 100)]));
    let known =
        Known { domain: &domain, publisher: &publisher, sent: sent(5_000, 10, 1), reported: &reported, listings: &[] };
    let findings = look(&known);
    assert_eq!((findings.len(), verdict(&findings)), (6, Verdict::Good), "{findings:?}");
    let off = Publisher { dmarc_reports: None, ..publisher.clone() };
    assert_eq!(look(&Known { publisher: &off, ..known }).len(), 4, "what does not come is not missed");
}

#[test]
fn rates_are_held_against_what_was_published() {
    let well = reported(&[("192.0.2.1", true, 100)]);
    let found = |sent| codes(&strict(), sent, &well, &[]);
    assert_eq!(found(sent(98, 1, 0)), ["bounces-few", "complaints-few"]);
    assert_eq!(found(sent(99, 1, 0)), ["complaints-few"]);
    assert_eq!(found(sent(50, 0, 50)), ["bounces-few", "complaints-few"]);
    assert_eq!(found(sent(9_501, 499, 9)), [""; 0]);
    assert_eq!(found(sent(9_500, 500, 0)), ["bounces-watch"]);
    assert_eq!(found(sent(9_000, 1_000, 0)), ["bounces-bad"]);
    assert_eq!(found(sent(10_000, 0, 10)), ["complaints-watch"]);
    assert_eq!(found(sent(10_000, 0, 30)), ["complaints-bad"]);
    let finding = held_against("complaints", 5, 10_000, 1);
    let published = finding.published.unwrap();
    assert_eq!((published.rate, published.provider, finding.rate()), (0.001, "Google", Some(0.0005)));
    assert_eq!(held_against("bounces", 2_000, 10_000, 1).published.unwrap().rate, 0.10);
}

#[test]
fn what_authenticates_is_looked_at() {
    let (well, some) = (reported(&[("192.0.2.1", true, 100)]), sent(5_000, 10, 1));
    let of_state = |state| codes(&domain(state, Some(Policy::Reject)), some, &well, &[]);
    assert_eq!(of_state(DomainState::Pending), ["records-missing"]);
    assert_eq!(of_state(DomainState::Warning), ["records-lost"]);
    assert_eq!(of_state(DomainState::Vouched), [""; 0]);
    let mut unsigned = domain(DomainState::Vouched, None);
    let check = unsigned.check.as_mut().unwrap();
    (check.records[0].1, check.return_path) = (RecordState::Absent, None);
    assert_eq!(codes(&unsigned, some, &well, &[]), ["records-unsigned", "return-path-missing", "policy-absent"]);
    let open = domain(DomainState::Validated, Some(Policy::None));
    assert_eq!(codes(&open, some, &well, &[]), ["policy-open"]);
    let mut broken = open.clone();
    broken.check.as_mut().unwrap().dmarc.as_mut().unwrap().problems = vec![Problem::Several];
    assert_eq!(codes(&broken, some, &well, &[]), ["policy-broken"]);
    let unseen = SendingDomain { check: None, ..open };
    assert_eq!(codes(&unseen, some, &well, &[]), ["return-path-missing", "policy-unknown"]);
}

#[test]
fn reports_say_whose_mail_fails() {
    let some = sent(5_000, 10, 1);
    let found = |rows: &[(&str, bool, u64)]| codes(&strict(), some, &reported(rows), &[]);
    assert_eq!(found(&[]), ["alignment-unknown"]);
    assert_eq!(found(&[("192.0.2.1", true, 990), ("192.0.2.9", false, 10)]), [""; 0]);
    assert_eq!(found(&[("192.0.2.1", true, 90), ("192.0.2.9", false, 10)]), ["alignment-others"]);
    assert_eq!(found(&[("192.0.2.1", true, 990), ("192.0.2.1", false, 1)]), ["alignment-own"]);
}

#[test]
fn lists_that_answer_are_told() {
    let (well, some) = (reported(&[("192.0.2.1", true, 100)]), sent(5_000, 10, 1));
    let listing = |name: &str, is_listed| Listing { list: "list.example".into(), name: name.into(), is_listed };
    let clean = [listing("192.0.2.1", false), listing("shop.example", false)];
    assert_eq!(codes(&strict(), some, &well, &clean), ["blocklist-clean"]);
    let listed = [listing("192.0.2.1", true), listing("shop.example", false)];
    assert_eq!(codes(&strict(), some, &well, &listed), ["blocklist-listed"]);
    assert_eq!(blocklists(&listed)[0].found(), "192.0.2.1 is in the list list.example.");
}
