//! To whom a report is, what of it counts, and what the sums are.

use super::*;
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm};
use message::dmarc_report::Row;
use std::collections::BTreeMap;
use std::sync::Arc;

const DAY: u64 = 86_400;
const TODAY: u64 = 20_800;
const NOW: Timestamp = Timestamp((TODAY * DAY + 3_600) * 1_000);

fn domain(id: u64, name: &str) -> SendingDomain {
    let key = DkimKey::new("abc", KeyAlgorithm::Rsa2048, "v=DKIM1; p=", true);
    SendingDomain {
        state: DomainState::Validated,
        ..SendingDomain::new(Id::new(id), Id::new(3), name, vec![key], Timestamp(0))
    }
}

fn row(source: &str, from: &str, (dkim, spf): (bool, bool), disposition: Disposition, messages: u64) -> Row {
    Row { source: source.parse().unwrap(), from: from.into(), dkim, spf, disposition, messages }
}

fn read(domain: &str, rows: Vec<Row>) -> Aggregate {
    Aggregate {
        reporter: "isp.example".into(),
        id: "1".into(),
        begins_seconds: (TODAY - 1) * DAY,
        ends_seconds: TODAY * DAY - 1,
        domain: domain.into(),
        policy: "none".into(),
        rows,
        left_out: 5,
    }
}

#[test]
fn an_address_names_its_domain_and_no_other() {
    let (one, other) = (domain(7, "shop.example"), domain(300, "other.example"));
    let addresses = Addresses::new([1; 32]);
    let known: BTreeMap<Id<SendingDomain>, Arc<SendingDomain>> =
        [&one, &other].map(|domain| (domain.id, Arc::new(domain.clone()))).into();
    let text = addresses.of(&one).unwrap();
    assert!(text.starts_with("d-") && text.ends_with("@rp-abc.shop.example"), "{text}");
    assert!(text.split('@').next().unwrap().len() <= 64);
    let whose = |addresses: &Addresses, text: &str| {
        let address = Address::parse(text, false).unwrap();
        addresses.domain(&address, |id| known.get(&id)).map(|domain| domain.id.number())
    };
    assert_eq!(whose(&addresses, &text), Some(7));
    assert_eq!(whose(&addresses, &text.to_uppercase()), Some(7));
    assert_eq!(whose(&Addresses::new([2; 32]), &text), None, "another master key");
    let elsewhere = text.replace("@rp-abc.shop.example", "@rp-abc.other.example");
    assert_eq!(whose(&addresses, &elsewhere), None);
    assert_eq!(whose(&addresses, &text.replace("d-", "b-")), None);
    let mut forged = text.clone();
    forged.replace_range(5..6, if &text[5..6] == "a" { "b" } else { "a" });
    assert_eq!(whose(&addresses, &forged), None);
    let deleted = Arc::new(SendingDomain { deleted_at: Some(NOW), ..one.clone() });
    let address = Address::parse(&text, false).unwrap();
    assert!(addresses.domain(&address, |_| Some(&deleted)).is_none());
    assert_eq!(addresses.of(&SendingDomain { keys: Vec::new(), ..one }), None);
    assert_eq!(format!("{addresses:?}"), "[secret]");
}

#[test]
fn rows_of_the_domain_and_of_names_below_it_count() {
    let rows = vec![
        row("192.0.2.1", "shop.example", (true, false), Disposition::None, 3),
        row("192.0.2.1", "news.shop.example", (true, false), Disposition::None, 4),
        row("192.0.2.9", "shop.example", (false, false), Disposition::Reject, 1),
        row("192.0.2.1", "example", (true, false), Disposition::None, 10),
        row("192.0.2.1", "workshop.example", (true, false), Disposition::None, 20),
        row("192.0.2.1", "", (true, false), Disposition::None, 40),
    ];
    let report = judge(read("shop.example", rows), &domain(7, "shop.example"), NOW, 90).unwrap();
    assert_eq!((report.account.number(), report.domain.number(), report.day), (3, 7, Day(TODAY - 1)));
    assert_eq!((report.messages(), report.left_out), (8, 75));
    let seen =
        |source: &str, dkim, disposition| Seen { source: Some(source.parse().unwrap()), dkim, spf: false, disposition };
    let wanted = [(seen("192.0.2.1", true, Disposition::None), 7), (seen("192.0.2.9", false, Disposition::Reject), 1)];
    assert_eq!(report.rows, BTreeMap::from(wanted));
}

#[test]
fn a_policy_above_the_domain_may_be_reported_on_and_others_not() {
    let judged = |reported: &str, name: &str| judge(read(reported, Vec::new()), &domain(7, name), NOW, 90).map(drop);
    assert_eq!(judged("example.com", "mail.example.com"), Ok(()));
    assert_eq!(judged("mail.example.com", "example.com"), Ok(()));
    for reported in ["example.org", "com.example", "xexample.com", "ample.com"] {
        assert_eq!(judged(reported, "example.com"), Err(Unusable::Foreign), "{reported}");
    }
}

#[test]
fn a_time_that_is_not_kept_is_not_counted() {
    let judged = |begins_seconds, ends_seconds| {
        let read = Aggregate { begins_seconds, ends_seconds, ..read("shop.example", Vec::new()) };
        judge(read, &domain(7, "shop.example"), NOW, 90).map(|report| report.day.0)
    };
    let day = |day: u64| day * DAY;
    assert_eq!(judged(day(TODAY - 90), day(TODAY - 89)), Ok(TODAY - 90));
    assert_eq!(judged(day(TODAY + 1), 0), Ok(TODAY + 1));
    assert_eq!(judged(day(TODAY - 8), day(TODAY)), Ok(TODAY - 8));
    for (begins, ends) in [
        (day(TODAY - 91), day(TODAY - 90)),
        (day(TODAY + 2), day(TODAY + 3)),
        (day(TODAY - 9), day(TODAY)),
        (0, 0),
        (u64::MAX, u64::MAX),
        (day(TODAY), u64::MAX),
    ] {
        assert_eq!(judged(begins, ends), Err(Unusable::Time), "{begins} {ends}");
    }
}

#[test]
fn sums_are_by_day_source_and_reporter() {
    let seen = |source: Option<&str>, dkim, spf, disposition| Seen {
        source: source.map(|source| source.parse().unwrap()),
        dkim,
        spf,
        disposition,
    };
    let listed = |reporter: &str, messages, known: &str| Listed {
        reporter: reporter.into(),
        id: String::new(),
        day: Day(1),
        at: NOW,
        policy: String::new(),
        messages,
        authentication: known.parse().ok(),
    };
    let (vouched, nobody) = ("spf=pass smtp.mailfrom=small.example; dkim=none", "spf=none; dkim=none");
    let kept = Kept {
        rows: vec![
            (Day(1), seen(Some("192.0.2.1"), true, true, Disposition::None), 10),
            (Day(1), seen(Some("192.0.2.9"), false, false, Disposition::Quarantine), 2),
            (Day(2), seen(Some("192.0.2.1"), false, true, Disposition::None), 1),
            (Day(2), seen(None, false, false, Disposition::Reject), 40),
        ],
        reports: vec![
            listed("small", 1, vouched),
            listed("large", 30, ""),
            listed("small", 2, vouched),
            listed("small", 1_000, nobody),
        ],
    };
    let summary = Summary::of(&kept);
    let total = Tally { messages: 53, passed: 11, dkim: 10, spf: 11, quarantined: 2, rejected: 40 };
    assert_eq!(summary.total, total);
    assert_eq!(summary.days.values().map(|tally| tally.messages).collect::<Vec<_>>(), [12, 41]);
    let sources: Vec<_> = summary.sources.iter().map(|(_, tally)| tally.messages).collect();
    assert_eq!((sources, summary.sources[0].0), (vec![40, 11, 2], None));
    let of = |one: &Reporter| (one.name.clone(), one.reports, one.standing.clone());
    let reporters: Vec<_> = summary.reporters.iter().map(of).collect();
    let small = |reports, standing| ("small".to_owned(), reports, standing);
    let vouched = Standing::Vouched("small.example".to_owned());
    let expected = [("large".to_owned(), 1, Standing::Unchecked), small(2, vouched), small(1, Standing::Nobody)];
    assert_eq!(reporters, expected, "what does not count is behind the others");
    assert_eq!((total.rate(total.rejected), Tally::default().rate(0)), (Some(40.0 / 53.0), None));
}
