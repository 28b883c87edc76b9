//! REQUIRETLS and `TLS-Required: No` (RFC 8689): what each asks of next hops, and what becomes of mail where that is not had.

use super::hop::Issued;
use super::*;
use relay::mta_sts::Policy;
use relay::queue::TlsWish;
use relay::tls_report::{Failed, ResultType};

const LISTED: &[&str] = &["PIPELINING", "STARTTLS", "REQUIRETLS"];
const UNLISTED: &[&str] = &["PIPELINING", "STARTTLS"];

/// The policy of b.example.
struct Known(&'static str);

impl Policies for Known {
    fn of<'a>(&'a self, _domain: &'a str) -> Lookup<'a, Option<Arc<Policy>>> {
        let policy = policy(self.0);
        Box::pin(async move { Ok(policy) })
    }
}

fn policy(fields: &str) -> Option<Arc<Policy>> {
    Policy::parse(format!("version: STSv1\nmax_age: 86400\n{fields}").as_bytes()).ok().map(Arc::new)
}

async fn hop(issued: &Issued, keywords: &'static [&'static str]) -> Hop {
    Hop::start_at("127.0.0.1:0", Some(issued.acceptor(true)), polite(keywords, nothing_special)).await
}

fn wishing(tls_wish: TlsWish, reverse_path: ReversePath) -> Parcel {
    let parcel = parcel(&["x@b.example"]);
    let envelope = Envelope { tls_wish, reverse_path, ..(*parcel.envelope).clone() };
    Parcel { envelope: Arc::new(envelope), ..parcel }
}

fn requiring() -> Parcel {
    let shop = ReversePath::Mailbox(Address::parse("shop@a.example", false).unwrap());
    wishing(TlsWish::Required, shop)
}

/// An outbound side that trusts this authority, where b.example has this policy and the mail server mx.test.
fn by_policy(hop: &Hop, trusted: &Issued, policy: &'static str) -> Outbound {
    let book = Book {
        mx: HashMap::from([("b.example", Ok(vec![(10, "mx.test")]))]),
        addresses: HashMap::from([("mx.test", Ok(vec!["127.0.0.1"]))]),
        ..Book::default()
    };
    let settings = OutboundSettings { authorities: vec![trusted.authority.clone()], ..settings() };
    by_mx(settings, book, hop.address.port()).with_policies(Arc::new(Known(policy)))
}

/// The same where DNSSEC vouches for the mail server, and it has these records.
fn by_dnssec(hop: &Hop, trusted: &Issued, records: Vec<Vec<u8>>) -> Outbound {
    let records = if records.is_empty() { Err(LookupError::NoRecord) } else { Ok(records) };
    let book = Book {
        mx: HashMap::from([("b.example", Ok(vec![(10, "mx.test")]))]),
        addresses: HashMap::from([("mx.test", Ok(vec!["127.0.0.1"]))]),
        is_signed: true,
        tlsa: HashMap::from([(format!("_{}._tcp.mx.test", hop.address.port()), records)]),
        ..Book::default()
    };
    let settings = OutboundSettings { authorities: vec![trusted.authority.clone()], ..settings() };
    by_mx(settings, book, hop.address.port())
}

/// The same with two mail servers, of which mx.test is tried first.
fn by_two(hop: &Hop, trusted: &Issued) -> Outbound {
    let book = Book {
        mx: HashMap::from([("b.example", Ok(vec![(10, "mx.test"), (20, "second.test")]))]),
        addresses: HashMap::from([("mx.test", Ok(vec!["127.0.0.1"])), ("second.test", Ok(vec!["127.0.0.1"]))]),
        is_signed: true,
        ..Book::default()
    };
    let settings = OutboundSettings { authorities: vec![trusted.authority.clone()], ..settings() };
    by_mx(settings, book, hop.address.port())
}

fn mail(hop: &Hop) -> Vec<String> {
    hop.heard().lines.into_iter().filter(|line| line.starts_with("MAIL")).collect()
}

/// The recipient fails for good for want of TLS, with this in the reason, and nothing of the mail was said.
async fn bounces(hop: &Hop, outbound: &Outbound, why: &str) {
    let delivery = once(outbound, &requiring()).await;
    let [(_, Finding::Failed(Failure::NeedsRequireTls(told)))] = &delivery.findings[..] else { panic!("{delivery:?}") };
    assert!(told.contains(why), "{told}");
    assert!(mail(hop).is_empty());
}

#[tokio::test]
async fn it_goes_to_a_server_that_is_vouched_for_proves_itself_and_promises_the_same() {
    let issued = Issued::new(&["mx.test"], false);
    let record = [&[3, 0, 0], issued.certificate.as_ref()].concat();
    for (place, shown) in
        ["TLS 1.3, MTA-STS, REQUIRETLS", "TLS 1.3, REQUIRETLS", "TLS 1.3, REQUIRETLS", "TLS 1.3, DANE, REQUIRETLS"]
            .into_iter()
            .enumerate()
    {
        let hop = hop(&issued, LISTED).await;
        let outbound = match place {
            0 => by_policy(&hop, &issued, "mode: enforce\nmx: mx.test\n"),
            1 => by_policy(&hop, &issued, "mode: testing\nmx: mx.test\n"),
            2 => by_dnssec(&hop, &issued, Vec::new()),
            _ => by_dnssec(&hop, &Issued::new(&[], false), vec![record.clone()]),
        };
        let delivery = once(&outbound, &requiring()).await;
        assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", shown), "{place}");
        assert_eq!(mail(&hop), ["MAIL FROM:<shop@a.example> REQUIRETLS"]);
    }
}

#[tokio::test]
async fn otherwise_it_bounces_and_never_goes_without() {
    const ENFORCED: &str = "mode: enforce\nmx: mx.test\n";
    let (issued, other) = (Issued::new(&["mx.test"], false), Issued::new(&["mx.test"], false));
    let (misnamed, expired) = (Issued::new(&["else.test"], false), Issued::new(&["mx.test"], true));
    let unlisted = hop(&issued, UNLISTED).await;
    bounces(&unlisted, &by_policy(&unlisted, &issued, ENFORCED), "does not list REQUIRETLS").await;
    bounces(&unlisted, &by_dnssec(&unlisted, &issued, Vec::new()), "does not list REQUIRETLS").await;
    let listed = hop(&issued, LISTED).await;
    bounces(&listed, &by_policy(&listed, &issued, "mode: none\n"), "neither DNSSEC nor a policy").await;
    bounces(&listed, &by_policy(&listed, &issued, "mode: testing\nmx: else.test\n"), "neither DNSSEC nor a policy")
        .await;
    bounces(&listed, &by_dnssec(&listed, &other, Vec::new()), "invalid peer certificate").await;
    let record = [&[3, 0, 0], other.certificate.as_ref()].concat();
    bounces(&listed, &by_dnssec(&listed, &issued, vec![record]), "not one that they speak of").await;
    // records that say nothing usable of the certificate leave it to the authorities
    bounces(&listed, &by_dnssec(&listed, &other, vec![vec![0, 0, 0]]), "invalid peer certificate").await;
    for shown in [&misnamed, &expired] {
        let hop = hop(shown, LISTED).await;
        bounces(&hop, &by_policy(&hop, shown, ENFORCED), "invalid peer certificate").await;
        bounces(&hop, &by_dnssec(&hop, shown, Vec::new()), "invalid peer certificate").await;
    }
    let clear = Hop::start(polite(&["PIPELINING", "REQUIRETLS"], nothing_special)).await;
    bounces(&clear, &by_dnssec(&clear, &issued, Vec::new()), "does not offer STARTTLS").await;
}

/// A policy that is kept, or none; and why a newer one, or any, is not to be had.
struct Doubtful(Option<&'static str>, Result<(), LookupError>);

impl Policies for Doubtful {
    fn of<'a>(&'a self, _domain: &'a str) -> Lookup<'a, Option<Arc<Policy>>> {
        let kept = self.0.and_then(policy);
        let found = if kept.is_some() { Ok(kept) } else { self.1.clone().map(|()| None) };
        Box::pin(async move { found })
    }

    fn trouble(&self, _domain: &str) -> Option<Failed> {
        self.1.is_ok().then(|| Failed::new(ResultType::StsPolicyFetchError, "its server answered 503"))
    }
}

/// The recipient waits, its site does not, and nothing was dialled; what other mail is taken for stays as it is.
async fn waits(hop: &Hop, outbound: &Outbound, why: &str) {
    let dialled = hop.heard().connections;
    let delivery = once(outbound, &requiring()).await;
    let [(_, finding @ Finding::Failed(Failure::SenderTls(told)))] = &delivery.findings[..] else {
        panic!("{delivery:?}")
    };
    assert!(told.contains(why), "{told}");
    assert!(!relay::outcome::is_site_down(finding) && hop.heard().connections == dialled);
    let ordinary = once(outbound, &parcel(&["x@b.example"])).await;
    assert_eq!((short(&ordinary)[0].as_str(), ordinary.attempt.tls.as_str()), ("Content 250", "TLS 1.3"));
}

#[tokio::test]
async fn what_cannot_be_told_for_now_is_waited_for() {
    let issued = Issued::new(&["mx.test"], false);
    let with = |hop: &Hop, policies, is_blind| {
        let book = Book {
            mx: HashMap::from([("b.example", Ok(vec![(10, "mx.test")]))]),
            addresses: HashMap::from([("mx.test", Ok(vec!["127.0.0.1"]))]),
            is_blind,
            ..Book::default()
        };
        let settings = OutboundSettings { authorities: vec![issued.authority.clone()], ..settings() };
        by_mx(settings, book, hop.address.port()).with_policies(Arc::new(policies))
    };
    let (fault, none) = (LookupError::Fault("SERVFAIL".into()), "mode: none\n");
    let listed = hop(&issued, LISTED).await;
    for (kept, answer, is_blind, why) in [
        (None, Ok(()), false, "the MTA-STS policy of b.example cannot be had: its server answered 503"),
        // one that is kept may be out of date
        (Some(none), Ok(()), false, "the MTA-STS policy of b.example cannot be had"),
        (None, Err(fault.clone()), false, "no answer about the MTA-STS policy of b.example: SERVFAIL"),
        // where the policy is known not to vouch, DNSSEC may yet
        (Some(none), Err(fault.clone()), true, "whether DNSSEC vouches for the mail servers of b.example"),
    ] {
        waits(&listed, &with(&listed, Doubtful(kept, answer), is_blind), why).await;
    }
    let other = hop(&issued, LISTED).await;
    let known = || Doubtful(Some(none), Err(fault.clone()));
    bounces(&other, &with(&other, known(), false), "neither DNSSEC nor a policy").await;
    // who does not look for DNSSEC does not wait for it
    let mut without = with(&other, known(), true);
    without.settings.dane = false;
    bounces(&other, &without, "neither DNSSEC nor a policy").await;
    // what one of them vouches for goes, whatever the other would say
    let vouching = Doubtful(Some("mode: enforce\nmx: mx.test\n"), Ok(()));
    assert_eq!(short(&once(&with(&other, vouching, true), &requiring()).await), ["Content 250"]);
}

#[tokio::test]
async fn a_handshake_that_breaks_may_go_better_the_next_time() {
    let issued = Issued::new(&["mx.test"], false);
    let hop = Hop::start(polite(LISTED, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake))).await;
    let delivery = once(&by_dnssec(&hop, &issued, Vec::new()), &requiring()).await;
    assert_eq!(short(&delivery), ["SenderTls"]);
    assert!(mail(&hop).is_empty() && hop.heard().connections == 1);
}

#[tokio::test]
async fn tls_that_is_refused_for_now_may_be_had_the_next_time_or_at_another_server() {
    let issued = Issued::new(&["mx.test", "second.test"], false);
    for (reply, found) in [("454 4.7.0 not now", "SenderTls"), ("502 5.5.1 never", "NeedsRequireTls")] {
        let hop = Hop::start(polite(LISTED, move |_, line| (line == "STARTTLS").then(|| say(reply)))).await;
        assert_eq!(short(&once(&by_dnssec(&hop, &issued, Vec::new()), &requiring()).await), [found]);
        assert!(mail(&hop).is_empty() && hop.heard().connections == 1);
    }
    // the second has it; or never will, and then the first decides, which may
    for (keywords, found) in [(LISTED, "Content 250"), (UNLISTED, "SenderTls")] {
        let refuses = |connection: usize, line: &str| connection == 0 && line == "STARTTLS";
        let script: Script =
            polite(keywords, move |connection, line| refuses(connection, line).then(|| say("454 4.7.0 not now")));
        let hop = Hop::start_at("127.0.0.1:0", Some(issued.acceptor(true)), script).await;
        let delivery = once(&by_two(&hop, &issued), &requiring()).await;
        assert_eq!((short(&delivery)[0].as_str(), hop.heard().connections), (found, 2));
    }
}

#[tokio::test]
async fn a_handshake_that_breaks_is_no_verdict_about_the_site_where_other_mail_goes_in_the_clear() {
    let issued = Issued::new(&["mx.test"], false);
    let script = || polite(LISTED, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake));
    for is_routed in [false, true] {
        let hop = Hop::start(script()).await;
        let outbound = match is_routed {
            false => by_policy(&hop, &issued, "mode: testing\nmx: mx.test\n"),
            true => routed(settings(), hop.address, RouteTls::Opportunistic),
        };
        let delivery = once(&outbound, &requiring()).await;
        assert!(delivery.findings.iter().all(|(_, finding)| !relay::outcome::is_site_down(finding)), "{delivery:?}");
        assert!(mail(&hop).is_empty());
        assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["Content 250"]);
    }
}

#[tokio::test]
async fn a_domain_that_is_its_own_mail_server_has_to_be_proved_to_be() {
    let issued = Issued::new(&["b.example"], false);
    let record = [&[3, 0, 0], issued.certificate.as_ref()].concat();
    let own = |hop: &Hop, is_signed, is_absence_unproved| {
        let book = Book {
            mx: HashMap::from([("b.example", Err(LookupError::NoRecord))]),
            addresses: HashMap::from([("b.example", Ok(vec!["127.0.0.1"]))]),
            is_signed,
            is_absence_unproved,
            tlsa: HashMap::from([(format!("_{}._tcp.b.example", hop.address.port()), Ok(vec![record.clone()]))]),
            ..Book::default()
        };
        let settings = OutboundSettings { authorities: vec![issued.authority.clone()], ..settings() };
        by_mx(settings, book, hop.address.port())
    };
    let hop = hop(&issued, LISTED).await;
    let shown = |delivery: &Delivery| (short(delivery)[0].clone(), delivery.attempt.tls.clone());
    // who leaves the MX records out of an answer that nobody signed leads to where they like
    for is_signed in [false, true] {
        bounces(&hop, &own(&hop, is_signed, true), "neither DNSSEC nor a policy (MTA-STS) says that b.example").await;
    }
    let proved = once(&own(&hop, true, false), &requiring()).await;
    assert_eq!(shown(&proved), ("Content 250".into(), "TLS 1.3, DANE, REQUIRETLS".into()));
    // the domain's own TLSA records are gone by in any case
    let ordinary = once(&own(&hop, true, true), &parcel(&["x@b.example"])).await;
    assert_eq!(shown(&ordinary), ("Content 250".into(), "TLS 1.3, DANE".into()));
}

#[tokio::test]
async fn another_mail_server_that_promises_it_is_tried() {
    let issued = Issued::new(&["mx.test", "second.test"], false);
    let script: Script = Arc::new(move |connection, line| {
        let keywords = if connection == 0 { UNLISTED } else { LISTED };
        polite(keywords, nothing_special)(connection, line)
    });
    let hop = Hop::start_at("127.0.0.1:0", Some(issued.acceptor(true)), script).await;
    let delivery = once(&by_two(&hop, &issued), &requiring()).await;
    assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.host.as_str()), ("Content 250", "second.test"));
}

#[tokio::test]
async fn routes_are_held_to_it_too() {
    let issued = Issued::new(&["127.0.0.1"], false);
    let trusting = || OutboundSettings { authorities: vec![issued.authority.clone()], ..settings() };
    for tls in [RouteTls::None, RouteTls::Opportunistic, RouteTls::Required] {
        let listed = hop(&issued, LISTED).await;
        let delivery = once(&routed(trusting(), listed.address, tls), &requiring()).await;
        assert_eq!(delivery.attempt.tls, "TLS 1.3, REQUIRETLS", "{tls:?}");
        let doubted = hop(&issued, LISTED).await;
        bounces(&doubted, &routed(settings(), doubted.address, tls), "invalid peer certificate").await;
    }
    let unlisted = hop(&issued, UNLISTED).await;
    bounces(&unlisted, &routed(trusting(), unlisted.address, RouteTls::None), "does not list REQUIRETLS").await;
}

#[tokio::test]
async fn a_notification_says_it_where_it_is_listed_and_goes_without() {
    let (issued, other) = (Issued::new(&["mx.test"], false), Issued::new(&[], false));
    for (keywords, said) in [(LISTED, "MAIL FROM:<> REQUIRETLS"), (UNLISTED, "MAIL FROM:<>")] {
        let hop = hop(&issued, keywords).await;
        let outbound = by_policy(&hop, &other, "mode: none\n");
        let delivery = once(&outbound, &wishing(TlsWish::Required, ReversePath::Null)).await;
        assert_eq!(short(&delivery), ["Content 250"]);
        assert_eq!(mail(&hop), [said]);
    }
}

#[tokio::test]
async fn other_mail_does_not_travel_on_its_connection_nor_it_on_theirs() {
    let issued = Issued::new(&["mx.test"], false);
    let hop = hop(&issued, LISTED).await;
    let outbound = by_policy(&hop, &issued, "mode: enforce\nmx: mx.test\n");
    let mut line = None;
    for (parcel, connections) in [(requiring(), 1), (requiring(), 1), (parcel(&["x@b.example"]), 2), (requiring(), 3)] {
        assert_eq!(short(&deliver(&outbound, &mut line, &parcel).await), ["Content 250"]);
        assert_eq!(hop.heard().connections, connections);
    }
    assert_eq!(mail(&hop).iter().filter(|line| line.ends_with("REQUIRETLS")).count(), 3);
}
