//! Looks at made-up zones: what is asked, and what the answers make.

use super::*;
use crate::authentication::{Bringer, Verdict};
use crate::id::Id;
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm};
use crate::zone::Zone;
use smtp::address::ReversePath;

/// Records by name and kind; `!` in front of a text is a fault of DNS.
type World<'a> = &'a [(&'a str, Kind, &'a str)];

fn answer(world: World<'_>, question: &Question) -> Answer {
    let here = world.iter().filter(|(name, kind, _)| *name == question.name && *kind == question.kind);
    let found: Vec<String> = here.map(|(_, _, text)| (*text).to_owned()).collect();
    let said = match found.first().and_then(|text| text.strip_prefix('!')) {
        Some(fault) => Said::Fault(fault.to_owned()),
        None if found.is_empty() => Said::Nothing,
        None => Said::Found(found),
    };
    Answer { said, server: Some("192.0.2.53:53".parse().unwrap()) }
}

/// What comes of something that asks, and how often it asked.
fn asked<T>(world: World<'_>, work: impl Fn(&Answers) -> Result<T, Question>) -> (T, usize) {
    let mut answers = Answers::default();
    for asked in 0.. {
        match work(&answers) {
            Ok(done) => return (done, asked),
            Err(question) => {
                let answer = answer(world, &question);
                answers.put(question, answer);
            }
        }
    }
    unreachable!()
}

fn spf_from(world: World<'_>, sources: &[&str]) -> Spf {
    let sources: Vec<IpAddr> = sources.iter().map(|source| source.parse().unwrap()).collect();
    asked(world, |answers| spf::judge("rp.example", &sources, answers)).0
}

fn spf(record: &str) -> Spf {
    spf_from(&[("rp.example", Kind::Txt, record)], &["192.0.2.1"])
}

fn refused(term: Option<&str>) -> Spf {
    Spf::Refused { address: "192.0.2.1".parse().unwrap(), term: term.map(str::to_owned) }
}

fn broken(term: &str, problem: spf::Problem) -> Spf {
    Spf::Broken { name: "rp.example".into(), term: term.into(), problem }
}

#[test]
fn spf_lets_the_addresses_that_it_names() {
    for record in ["v=spf1 ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.0/24 -all", "v=spf1 +all", "V=SPF1 IP4:192.0.2.1"] {
        assert_eq!(spf(record), Spf::Pass, "{record}");
    }
    assert_eq!(spf("v=spf1 ip4:192.0.2.2 -all"), refused(Some("-all")));
    assert_eq!(spf("v=spf1 ip4:192.0.2.2 ~all"), refused(Some("~all")));
    assert_eq!(spf("v=spf1 -ip4:192.0.2.0/24 +all"), refused(Some("-ip4:192.0.2.0/24")));
    assert_eq!(spf("v=spf1 ip6:2001:db8::/32"), refused(None));
    assert_eq!(spf("v=spf10 +all"), Spf::Absent);
    let both = ["192.0.2.1", "2001:db8::1"];
    assert_eq!(spf_from(&[("rp.example", Kind::Txt, "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/64 -all")], &both), Spf::Pass);
    let six = Spf::Refused { address: "2001:db8::1".parse().unwrap(), term: Some("-all".into()) };
    assert_eq!(spf_from(&[("rp.example", Kind::Txt, "v=spf1 ip4:192.0.2.1 -all")], &both), six, "each of them counts");
    assert_eq!(spf_from(&[("rp.example", Kind::Txt, "v=spf1 -all")], &[]), Spf::Sourceless);
    let several = [("rp.example", Kind::Txt, "v=spf1 +all"), ("rp.example", Kind::Txt, "v=spf1 -all")];
    assert_eq!(spf_from(&several, &["192.0.2.1"]), Spf::Several);
}

#[test]
fn spf_that_cannot_be_read_is_told_with_its_term() {
    use spf::Problem::{Include, Macro, Syntax};
    for (record, term, problem) in [
        ("v=spf1 ipv4:192.0.2.1 -all", "ipv4:192.0.2.1", Syntax),
        ("v=spf1 ip4:192.0.2.300 -all", "ip4:192.0.2.300", Syntax),
        ("v=spf1 ip4:2001:db8::1 -all", "ip4:2001:db8::1", Syntax),
        ("v=spf1 a/33 -all", "a/33", Syntax),
        ("v=spf1 include: -all", "include:", Syntax),
        ("v=spf1 exists:%{i}.example -all", "exists:%{i}.example", Macro),
        ("v=spf1 include:none.example -all", "include:none.example", Include),
    ] {
        assert_eq!(spf(record), broken(term, problem), "{record}");
    }
    assert_eq!(spf("v=spf1 exp=why.example x-new=1 +all"), Spf::Pass, "modifiers that we do not know are none of ours");
}

#[test]
fn spf_asks_dns_as_far_as_it_may() {
    let at = "rp.example";
    let world: World<'_> = &[
        (at, Kind::Txt, "v=spf1 include:one.example mx:two.example//64 a:three.example/24 redirect=four.example"),
        ("one.example", Kind::Txt, "v=spf1 ip4:198.51.100.1 -all"),
        ("two.example", Kind::Mx, "10 mail.two.example"),
        ("mail.two.example", Kind::A, "198.51.100.2"),
        ("three.example", Kind::A, "198.51.100.3"),
        ("four.example", Kind::Txt, "v=spf1 ip4:192.0.2.1 -all"),
    ];
    assert_eq!(spf_from(world, &["192.0.2.1"]), Spf::Pass);
    assert_eq!(spf_from(world, &["198.51.100.77"]), Spf::Pass, "of the network of three.example");
    let third = |address: &str| Spf::Refused { address: address.parse().unwrap(), term: Some("-all".into()) };
    assert_eq!(spf_from(world, &["203.0.113.1"]), third("203.0.113.1"));
    let looping = [(at, Kind::Txt, "v=spf1 include:rp.example -all")];
    assert_eq!(spf_from(&looping, &["192.0.2.1"]), broken("include:rp.example", spf::Problem::Lookups));
    let many = format!("v=spf1 {}-all", "a:here.example ".repeat(11));
    let world: World<'_> = &[(at, Kind::Txt, &many), ("here.example", Kind::A, "198.51.100.1")];
    assert_eq!(spf_from(world, &["192.0.2.1"]), broken("a:here.example", spf::Problem::Lookups));
    assert_eq!(spf("v=spf1 a:x.example a:y.example a:z.example -all"), broken("a:z.example", spf::Problem::Void));
    let world: World<'_> = &[(at, Kind::Txt, "v=spf1 a:x.example -all"), ("x.example", Kind::A, "!SERVFAIL")];
    assert_eq!(spf_from(world, &["192.0.2.1"]), Spf::Unknown { fault: "SERVFAIL".into() });
}

fn dmarc_at(domain: &str, world: World<'_>) -> (Dmarc, usize) {
    asked(world, |answers| dmarc::read(domain, answers))
}

fn dmarc(record: &str) -> Dmarc {
    dmarc_at("shop.example", &[("_dmarc.shop.example", Kind::Txt, record)]).0
}

#[test]
fn dmarc_of_the_domain_is_read_and_explained() {
    let read = dmarc("v=DMARC1; p=reject; rua=mailto:a@shop.example, mailto:b@x.example!10m; adkim=s; aspf=s; t=y");
    assert_eq!((read.at.as_deref(), read.policy), (Some("_dmarc.shop.example"), Some(dmarc::Policy::Reject)));
    assert!(read.strict_dkim && read.strict_spf && read.is_trial && read.problems.is_empty());
    assert_eq!(read.reports, ["mailto:a@shop.example", "mailto:b@x.example!10m"]);
    for part in ["(reject)", "tried out", "does not count (aspf=s)", "Reports go to mailto:a@shop.example"] {
        assert!(read.words().contains(part), "{}", read.words());
    }
    assert_eq!(dmarc("v=DMARC1; rua=mailto:a@b.example").problems, [dmarc::Problem::NoPolicy]);
    assert_eq!(dmarc("v=DMARC1; rua=mailto:a@b.example").policy, Some(dmarc::Policy::None));
    assert_eq!(dmarc("v=DMARC1; p=block").policy, None);
    assert_eq!(dmarc("v=DMARC1; p=none; rua=a@b.example").problems, [dmarc::Problem::Reports]);
    assert_eq!(dmarc("v=DMARC1; p=none; quarantine").problems, [dmarc::Problem::Syntax]);
    assert_eq!(dmarc("v=spf1 -all").at, None);
}

#[test]
fn dmarc_of_a_name_above_holds_where_the_domain_has_none() {
    let above = ("_dmarc.shop.example", Kind::Txt, "v=DMARC1; p=reject; sp=quarantine");
    let (read, _) = dmarc_at("mail.eu.shop.example", &[above]);
    assert_eq!((read.at.as_deref(), read.policy), (Some("_dmarc.shop.example"), Some(dmarc::Policy::Quarantine)));
    let own = ("_dmarc.mail.shop.example", Kind::Txt, "v=DMARC1; p=none");
    assert_eq!(dmarc_at("mail.shop.example", &[own, above]), (dmarc("v=DMARC1; p=none").at("mail.shop.example"), 1));
    let suffix = ("_dmarc.example", Kind::Txt, "v=DMARC1; p=none; psd=y");
    assert_eq!(dmarc_at("mail.shop.example", &[above, suffix]).0.at.as_deref(), Some("_dmarc.shop.example"));
    let end = ("_dmarc.eu.shop.example", Kind::Txt, "v=DMARC1; p=none; psd=n");
    assert_eq!(dmarc_at("mail.eu.shop.example", &[end, above]).0.at.as_deref(), Some("_dmarc.eu.shop.example"));
    let twice = [("_dmarc.mail.shop.example", Kind::Txt, "v=DMARC1; p=none"), own, above];
    let (read, _) = dmarc_at("mail.shop.example", &twice);
    assert_eq!(read.problems, [dmarc::Problem::Several]);
    assert_eq!(read.policy, Some(dmarc::Policy::Quarantine));
    let long = format!("{}shop.example", "a.".repeat(30));
    assert_eq!(dmarc_at(&long, &[]).1, 8, "names in the middle are left out");
    let (read, _) = dmarc_at("shop.example", &[("_dmarc.shop.example", Kind::Txt, "!SERVFAIL")]);
    assert_eq!(read.fault.as_deref(), Some("SERVFAIL"));
}

impl Dmarc {
    fn at(mut self, domain: &str) -> Dmarc {
        self.at = Some(format!("_dmarc.{domain}"));
        self
    }
}

fn domain() -> SendingDomain {
    let key = |selector: &str, algorithm| DkimKey::new(selector, algorithm, format!("v=DKIM1; p={selector}"), true);
    SendingDomain::new(
        Id::new(7),
        Id::new(1),
        "shop.example",
        vec![key("r1", KeyAlgorithm::Rsa2048), key("e1", KeyAlgorithm::Ed25519)],
        Timestamp(0),
    )
}

fn publisher() -> Publisher {
    let zone = Zone { name: "relay.test".into(), name_servers: vec!["ns.test".into()], is_served: true };
    let addresses = vec!["192.0.2.1".parse().unwrap()];
    Publisher { hostname: "out.test".into(), addresses, zone: Some(zone), dmarc_reports: None }
}

fn looked(publisher: &Publisher, world: World<'_>) -> SendingDomain {
    let mut answers = Answers::default();
    let domain = domain();
    for round in 0.. {
        assert!(round < 20, "it does not end");
        match look(&domain, publisher, Timestamp(5), &answers) {
            Ok(check) => return SendingDomain { check: Some(check), ..domain },
            Err(open) => open.into_iter().for_each(|question| {
                let answer = answer(world, &question);
                answers.put(question, answer);
            }),
        }
    }
    unreachable!()
}

#[test]
fn a_key_is_found_through_an_alias_and_where_it_stands_itself() {
    let name = "r1._domainkey.shop.example";
    let world: World<'_> = &[
        (name, Kind::Cname, "r1-7.dkim.relay.test"),
        (name, Kind::Txt, "v=DKIM1; p=r1"),
        ("e1._domainkey.shop.example", Kind::Txt, "v=DKIM1; p=e1"),
        ("rp-r1.shop.example", Kind::Mx, "10 out.test"),
        ("rp-r1.shop.example", Kind::Txt, "v=spf1 ip4:192.0.2.1 -all"),
    ];
    let looked = looked(&publisher(), world);
    let check = looked.check.as_ref().unwrap();
    assert!(check.records.iter().all(|(_, state)| *state == RecordState::Right));
    assert_eq!(check.witness(name).unwrap().alias.as_deref(), Some("r1-7.dkim.relay.test"));
    assert!(check.return_path.as_ref().unwrap().is_right());
    let validated = SendingDomain { state: DomainState::Validated, ..looked };
    assert_eq!(verification::reason(&validated, &publisher()), "");
}

#[test]
fn the_reason_says_where_an_alias_leads_what_was_expected_and_who_said_so() {
    let name = "r1._domainkey.shop.example";
    let reason = |world: World<'_>| verification::reason(&looked(&publisher(), world), &publisher());
    let asked = "(name server 192.0.2.53:53).";
    assert_eq!(
        reason(&[]),
        format!("{name} has no CNAME record and no TXT record; expected: CNAME r1-7.dkim.relay.test {asked}")
    );
    assert_eq!(
        reason(&[(name, Kind::Cname, "old.relay.test")]),
        format!(
            "{name} has no TXT record, being an alias of old.relay.test; expected: CNAME r1-7.dkim.relay.test {asked}"
        )
    );
    assert_eq!(
        reason(&[(name, Kind::Cname, "r1-7.dkim.relay.test")]),
        format!(
            "{name} has no TXT record, being an alias of r1-7.dkim.relay.test; expected at r1-7.dkim.relay.test: \
             v=DKIM1; p=r1 {asked}"
        )
    );
    assert_eq!(
        reason(&[(name, Kind::Txt, "v=DKIM1; p=x")]),
        format!("{name} has another TXT record; found: v=DKIM1; p=x; expected: CNAME r1-7.dkim.relay.test {asked}")
    );
    let without = Publisher { zone: None, ..publisher() };
    assert_eq!(
        verification::reason(&looked(&without, &[]), &without),
        format!("{name} has no TXT record; expected: v=DKIM1; p=r1 {asked}")
    );
}

proptest::proptest! {
    /// Whatever a stranger publishes, it is read, and no more is asked for it than may be.
    #[test]
    fn no_record_asks_without_end(spf in "v=spf1( [+?~-]?(a|mx|include|exists|redirect|ip4|ip6|all|ptr)[:=/]?.{0,12}){0,30}", dmarc in "v=DMARC1;.{0,40}") {
        let world: &[(&str, Kind, &str)] = &[
            ("rp.example", Kind::Txt, &spf),
            ("_dmarc.shop.example", Kind::Txt, &dmarc),
        ];
        let sources = ["192.0.2.1".parse().unwrap()];
        let (_, questions) = asked(world, |answers| spf::judge("rp.example", &sources, answers));
        proptest::prop_assert!(questions <= 12, "{questions} of {spf}");
        let (_, questions) = checked(world, "192.0.2.1", "x", "a@rp.example");
        proptest::prop_assert!(questions <= 12, "{questions} of {spf}");
        let (read, questions) = dmarc_at("shop.example", world);
        proptest::prop_assert!(questions <= 2 && !read.words().is_empty());
    }
}

#[test]
fn bounces_that_would_go_elsewhere_are_told() {
    let of = |mail| {
        let world: World<'_> = &[("rp-r1.shop.example", Kind::Mx, mail), ("out.test", Kind::A, "192.0.2.1")];
        looked(&publisher(), world).check.unwrap().return_path.unwrap().mail
    };
    assert_eq!(of("10 out.test"), RecordState::Right);
    assert_eq!(of("10 mail.else.test"), RecordState::Wrong { found: vec!["10 mail.else.test".into()] });
    assert_eq!(of("!SERVFAIL"), RecordState::Unknown { fault: "SERVFAIL".into() });
}

#[test]
fn without_configured_addresses_those_of_the_name_count() {
    let publisher = Publisher { addresses: Vec::new(), ..publisher() };
    let host = ("rp-r1.shop.example", Kind::Txt, "v=spf1 a:out.test -all");
    let spf = |world: World<'_>| looked(&publisher, world).check.unwrap().return_path.unwrap().spf;
    assert_eq!(spf(&[host, ("out.test", Kind::A, "192.0.2.9")]), Spf::Pass);
    assert_eq!(spf(&[host]), Spf::Sourceless);
}

/// What SPF says of one who sends from an address with this EHLO name and MAIL FROM, and how often DNS was asked.
fn checked(world: World<'_>, address: &str, hello: &str, from: &str) -> (Verdict, usize) {
    let path = ReversePath::parse(from, false).unwrap();
    let bringer = Bringer::new(address.parse().unwrap(), hello, &path);
    let (method, questions) = asked(world, |answers| bringer.spf(answers));
    (method.verdict, questions)
}

fn spf_of(record: &str) -> Verdict {
    checked(&[("isp.example", Kind::Txt, record)], "192.0.2.1", "mx.isp.example", "a@isp.example").0
}

#[test]
fn spf_of_one_who_sends_has_every_result() {
    use Verdict::{Fail, Neutral, None, Pass, PermError, SoftFail, TempError};
    for (record, verdict) in [
        ("v=spf1 ip4:192.0.2.0/24 -all", Pass),
        ("v=spf1 ip4:198.51.100.0/24 -all", Fail),
        ("v=spf1 ip4:198.51.100.0/24 ~all", SoftFail),
        ("v=spf1 ip4:198.51.100.0/24 ?all", Neutral),
        ("v=spf1 ?ip4:192.0.2.1 -all", Neutral),
        ("v=spf1 ip4:198.51.100.0/24", Neutral),
        ("no record of SPF", None),
        ("v=spf1 ip4:192.0.2.1 -al", PermError),
        ("v=spf1 +all redirect=a.example redirect=b.example", PermError),
        ("v=spf1 include:none.example -all", PermError),
        ("v=spf1 redirect=none.example", PermError),
        ("v=spf1 exists:%{c}.example -all", PermError),
        ("!SERVFAIL", TempError),
    ] {
        assert_eq!(spf_of(record), verdict, "{record}");
    }
    let twice = [("isp.example", Kind::Txt, "v=spf1 +all"), ("isp.example", Kind::Txt, "v=spf1 -all")];
    assert_eq!(checked(&twice, "192.0.2.1", "x", "a@isp.example").0, PermError);
    let long = format!("v=spf1 {}+all", "ip4:198.51.100.1 ".repeat(1_000));
    assert_eq!(spf_of(&long), PermError, "of more terms than are gone through");
}

#[test]
fn spf_goes_by_what_an_address_is_called_where_that_name_leads_back() {
    use Verdict::{Fail, Neutral, Pass, SoftFail};
    const REVERSE: &str = "1.2.0.192.in-addr.arpa";
    let of = |record: &str, called: World<'_>| {
        let world = [&[("isp.example", Kind::Txt, record)][..], called].concat();
        checked(&world, "192.0.2.1", "x", "a@isp.example")
    };
    let called = [(REVERSE, Kind::Ptr, "mx.isp.example"), ("mx.isp.example", Kind::A, "192.0.2.1")];
    for (record, verdict) in [
        ("v=spf1 ptr -all", Pass),
        ("v=spf1 ptr:mx.ISP.example. -all", Pass),
        ("v=spf1 ptr:%{o} -all", Pass),
        ("v=spf1 -ptr +all", Fail),
        ("v=spf1 ~ptr +all", SoftFail),
        ("v=spf1 ?ptr -all", Neutral),
        ("v=spf1 ptr:sp.example -all", Fail),
        ("v=spf1 ptr:a.mx.isp.example -all", Fail),
    ] {
        assert_eq!(of(record, &called).0, verdict, "{record}");
    }
    let ptr = |name| (REVERSE, Kind::Ptr, name);
    // a name that leads elsewhere, or nowhere, is anybody's to give; what DNS does not say breaks nothing
    for called in [
        &[][..],
        &[ptr("!SERVFAIL")],
        &[ptr("mx.isp.example")],
        &[ptr("mx.isp.example"), ("mx.isp.example", Kind::A, "192.0.2.2")],
        &[ptr("mx.isp.example"), ("mx.isp.example", Kind::A, "!SERVFAIL")],
    ] {
        assert_eq!(of("v=spf1 ptr -all", called).0, Fail, "{called:?}");
    }
    // of other names nothing is asked, and of ten at the most
    let others = [[ptr("a.else.example"); 9].as_slice(), &called].concat();
    assert_eq!(of("v=spf1 ptr -all", &others), (Pass, 3));
    let others = [[ptr("a.else.example"); 10].as_slice(), &called].concat();
    assert_eq!(of("v=spf1 ptr -all", &others), (Fail, 2));
    assert_eq!(of(&format!("v=spf1 {}-all", "ptr ".repeat(11)), &[]).0, Verdict::PermError, "each is a look-up");
    let six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
    let world: World<'_> = &[
        ("isp.example", Kind::Txt, "v=spf1 ptr -all"),
        (six, Kind::Ptr, "isp.example"),
        ("isp.example", Kind::Aaaa, "2001:db8::1"),
    ];
    assert_eq!(checked(world, "2001:db8::1", "x", "a@isp.example").0, Pass);
    // of the relay itself no less
    let own: World<'_> = &[
        ("rp.example", Kind::Txt, "v=spf1 ptr -all"),
        ptr("out.rp.example"),
        ("out.rp.example", Kind::A, "192.0.2.1"),
    ];
    assert_eq!(spf_from(own, &["192.0.2.1"]), Spf::Pass);
    assert_eq!(spf("v=spf1 ptr -all"), refused(Some("-all")));
}

#[test]
fn spf_of_the_null_reverse_path_is_that_of_the_ehlo_name() {
    let world: World<'_> = &[
        ("mx.isp.example", Kind::Txt, "v=spf1 a -all"),
        ("mx.isp.example", Kind::A, "192.0.2.1"),
        ("mx.isp.example", Kind::Aaaa, "2001:db8::1"),
        ("isp.example", Kind::Txt, "v=spf1 -all"),
    ];
    let of = |address: &str, hello: &str, from: &str| checked(world, address, hello, from).0;
    assert_eq!(of("192.0.2.1", "MX.isp.example.", ""), Verdict::Pass);
    assert_eq!(of("2001:db8::1", "mx.isp.example", ""), Verdict::Pass);
    assert_eq!(of("192.0.2.2", "mx.isp.example", ""), Verdict::Fail);
    assert_eq!(of("192.0.2.1", "mx.isp.example", "a@isp.example"), Verdict::Fail, "that of MAIL FROM");
    for hello in ["", "x", "[192.0.2.1]", "mx..example", "mx.example/x", &format!("{}.example", "a".repeat(64))] {
        assert_eq!(checked(world, "192.0.2.1", hello, ""), (Verdict::None, 0), "{hello}: nothing is asked");
    }
    let known = Bringer::new("192.0.2.1".parse().unwrap(), "x\u{1f}y", &ReversePath::Null).unknown();
    assert_eq!(known.to_string(), "spf=temperror; dkim=temperror", "what is no name is not kept");
}

#[test]
fn spf_of_one_who_sends_works_macros_out_and_ends() {
    let world: World<'_> = &[
        ("isp.example", Kind::Txt, "v=spf1 include:%{ir}.%{v}.%{d}.spf.host.example -all"),
        ("1.2.0.192.in-addr.isp.example.spf.host.example", Kind::Txt, "v=spf1 exists:%{l}.%{o}.%{h}.host.example -all"),
        ("a.isp.example.mx.isp.example.host.example", Kind::A, "127.0.0.2"),
    ];
    assert_eq!(checked(world, "192.0.2.1", "mx.isp.example", "a@isp.example"), (Verdict::Pass, 3));
    assert_eq!(checked(world, "192.0.2.2", "mx.isp.example", "a@isp.example").0, Verdict::PermError);
    let looping = [("isp.example", Kind::Txt, "v=spf1 include:isp.example -all")];
    assert_eq!(checked(&looping, "192.0.2.1", "x", "a@isp.example"), (Verdict::PermError, 1));
    let deep: Vec<(String, String)> =
        (0..30).map(|n| (format!("d{n}.example"), format!("v=spf1 include:d{}.example -all", n + 1))).collect();
    let deep: Vec<(&str, Kind, &str)> =
        deep.iter().map(|(name, text)| (name.as_str(), Kind::Txt, text.as_str())).collect();
    assert_eq!(checked(&deep, "192.0.2.1", "x", "a@d0.example"), (Verdict::PermError, 11));
    let servers: Vec<String> = (0..11).map(|n| format!("10 m{n}.isp.example")).collect();
    let mut many = vec![("isp.example", Kind::Txt, "v=spf1 mx -all")];
    many.extend(servers.iter().map(|server| ("isp.example", Kind::Mx, server.as_str())));
    assert_eq!(
        checked(&many, "192.0.2.1", "x", "a@isp.example"),
        (Verdict::PermError, 2),
        "more than ten mail servers"
    );
}
