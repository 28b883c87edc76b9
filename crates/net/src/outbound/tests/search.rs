//! Which next hop is dialled, which is not, and what is said where none is left.

use super::*;

/// Two MX hosts at two loopback addresses and one port, the first preferred.
async fn two(first: Option<Script>, second: Option<Script>) -> (Outbound, Option<Hop>, Option<Hop>) {
    // a free port on both addresses: the first hop chooses, the second follows
    let placeholder = Hop::start_at("127.0.0.3:0", None, polite(&[], nothing_special)).await;
    let port = placeholder.address.port();
    let start = async |address: &str, script: Option<Script>| match script {
        Some(script) => Some(Hop::start_at(&format!("{address}:{port}"), None, script).await),
        None => None,
    };
    let (first, second) = (start("127.0.0.4", first).await, start("127.0.0.5", second).await);
    let book = Book {
        mx: HashMap::from([("b.example", Ok(vec![(20, "two.test"), (10, "one.test")]))]),
        addresses: HashMap::from([("one.test", Ok(vec!["127.0.0.4"])), ("two.test", Ok(vec!["127.0.0.5"]))]),
        ..Book::default()
    };
    // short of patience for silent greetings, and long enough for a slow machine
    let patience = Patience { greeting: Duration::from_secs(2), ..Patience::STANDARD };
    (by_mx(OutboundSettings { patience, ..settings() }, book, port), first, second)
}

fn polite_one() -> Option<Script> {
    Some(polite(&["PIPELINING"], nothing_special))
}

#[tokio::test]
async fn the_preferred_host_is_dialled_first() {
    let (outbound, first, second) = two(polite_one(), polite_one()).await;
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert_eq!(delivery.attempt.host, "one.test");
    assert!(delivery.attempt.others.is_empty());
    assert_eq!((first.unwrap().heard().contents.len(), second.unwrap().heard().connections), (1, 0));
}

#[tokio::test]
async fn the_next_host_is_tried_where_one_fails_before_content() {
    let closing = || Act::SayAndDrop("421 4.3.2 busy\r\n".into());
    let failing: Vec<Option<Script>> = vec![
        None,
        Some(polite(&[], |_, line| line.is_empty().then(|| say("554 5.7.1 not here")))),
        Some(polite(&[], move |_, line| line.is_empty().then(closing))),
        Some(polite(&[], |_, line| line.starts_with("EHLO").then(|| say("451 4.3.0 later")))),
        Some(polite(&[], |_, line| line.is_empty().then_some(Act::Drop))),
        Some(polite(&[], |_, line| line.is_empty().then_some(Act::Mute))),
        Some(polite(&[], |_, line| line.is_empty().then(|| say("hello there")))),
        Some(polite(&[], move |_, line| line.starts_with("MAIL").then(closing))),
        Some(polite(&["PIPELINING"], |_, line| line.starts_with("RCPT").then_some(Act::Drop))),
    ];
    for (number, script) in failing.into_iter().enumerate() {
        let (outbound, _first, second) = two(script, polite_one()).await;
        let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
        assert_eq!(short(&delivery), ["Content 250"], "failing host {number}");
        assert_eq!(delivery.attempt.host, "two.test");
        let others = &delivery.attempt.others;
        assert_eq!((others.len(), others[0].host.as_str()), (1, "one.test"), "failing host {number}");
        assert!(others[0].remote.is_some() && !others[0].said.is_empty());
        assert_eq!(second.unwrap().heard().contents.len(), 1);
    }
}

#[tokio::test]
async fn what_the_others_said_is_shown_with_the_attempt_up_to_a_number() {
    let no = || Some(polite(&[], |_, line| line.is_empty().then(|| say("554 5.7.1 not here"))));
    let (outbound, _first, _second) = two(no(), polite_one()).await;
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    let other = &delivery.attempt.others[0];
    assert_eq!((other.class, other.said.as_str()), (None, "554 5.7.1 not here"));
    let (outbound, _first, _second) = two(None, polite_one()).await;
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    let other = &delivery.attempt.others[0];
    assert_eq!(other.class, Some(relay::outcome::Class::Network));
    assert!(other.said.starts_with("The server of b.example could not be reached"), "{}", other.said);
    // none of the others is shown twice, nor is the one that decided
    let (outbound, _first, _second) = two(no(), no()).await;
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    let hosts: Vec<_> = delivery.attempt.others.iter().map(|other| other.host.as_str()).collect();
    assert_eq!((delivery.attempt.host.as_str(), hosts.as_slice()), ("one.test", &["two.test"][..]));
    let (mut outbound, _first, _second) = two(no(), polite_one()).await;
    outbound.settings.tried_max = 0;
    assert!(once(&outbound, &parcel(&["x@b.example"])).await.attempt.others.is_empty());
}

#[tokio::test]
async fn no_other_host_is_tried_once_content_went_out_or_the_recipient_was_judged() {
    for (stage, act, expected) in [
        (".", Act::Drop, "Lost"),
        (".", Act::SayAndDrop("421 4.3.2 busy\r\n".into()), "Content 421"),
        (".", say("451 4.3.0 later"), "Content 451"),
        ("RCPT", say("450 4.2.0 later"), "Recipient 450"),
        ("MAIL", say("451 4.3.0 later"), "Mail 451"),
    ] {
        let script = polite(&["PIPELINING"], move |_, line| line.starts_with(stage).then(|| act.clone()));
        let (outbound, _first, second) = two(Some(script), polite_one()).await;
        assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), [expected]);
        assert_eq!(second.unwrap().heard().connections, 0);
    }
}

#[tokio::test]
async fn where_all_fail_the_most_hopeful_finding_decides() {
    let no = || Some(polite(&[], |_, line| line.is_empty().then(|| say("554 5.7.1 no"))));
    let later = || Some(polite(&[], |_, line| line.is_empty().then(|| say("450 4.3.2 later"))));
    for (first, second, expected, host) in [
        (no(), no(), "Greeting 554", "one.test"),
        (no(), None, "Connect", "two.test"),
        (None, no(), "Connect", "one.test"),
        (later(), no(), "Greeting 450", "one.test"),
        (None, later(), "Greeting 450", "two.test"),
        (None, None, "Connect", "one.test"),
    ] {
        let (outbound, _first, _second) = two(first, second).await;
        let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
        assert_eq!(short(&delivery), [expected]);
        assert_eq!(delivery.attempt.host, host);
        assert!(delivery.attempt.remote.is_some());
    }
}

/// What comes of a domain that this book knows.
async fn found(book: Book, settings: OutboundSettings) -> String {
    let delivery = once(&by_mx(settings, book, 9), &parcel(&["x@b.example"])).await;
    short(&delivery)[0].clone()
}

#[tokio::test]
async fn what_dns_says_is_told_apart() {
    let fault = || LookupError::Fault("SERVFAIL".into());
    let mx = |answer| Book { mx: HashMap::from([("b.example", answer)]), ..Book::default() };
    assert_eq!(found(Book::default(), settings()).await, "NoSuchDomain");
    assert_eq!(found(mx(Err(LookupError::NoRecord)), settings()).await, "NoSuchDomain");
    assert_eq!(found(mx(Err(fault())), settings()).await, "Dns");
    assert_eq!(found(mx(Ok(vec![(0, "")])), settings()).await, "NullMx");
    let mut half = mx(Ok(vec![(10, "gone.test"), (20, "odd.test")]));
    half.addresses.insert("odd.test", Err(fault()));
    assert_eq!(found(half, settings()).await, "Dns");
    let mut implicit = mx(Err(LookupError::NoRecord));
    implicit.addresses.insert("b.example", Err(fault()));
    assert_eq!(found(implicit, settings()).await, "Dns");
}

#[tokio::test]
async fn a_mail_server_without_an_address_is_a_slip_in_dns_and_no_fault_of_the_recipients() {
    // the domain may name itself, too
    for named in ["gone.test", "b.example"] {
        for none in [LookupError::NoSuchName, LookupError::NoRecord] {
            let book = Book {
                mx: HashMap::from([("b.example", Ok(vec![(10, named)]))]),
                addresses: HashMap::from([(named, Err(none))]),
                ..Book::default()
            };
            let delivery = once(&by_mx(settings(), book, 9), &parcel(&["x@b.example"])).await;
            let [(_, finding @ Finding::Failed(Failure::Dns(why)))] = &delivery.findings[..] else {
                panic!("{delivery:?}")
            };
            assert_eq!(*why, format!("the mail server {named} of b.example has no address"));
            assert_eq!(delivery.attempt.host, named);
            let (class, _) = relay::outcome::told(finding);
            assert!(class.is_some_and(|class| !class.suppresses()), "{class:?}");
        }
    }
}

#[tokio::test]
async fn addresses_that_dns_must_not_name_are_not_dialled() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let guarded = OutboundSettings { allow_private: false, own: vec!["198.41.0.4".parse().unwrap()], ..settings() };
    for address in ["127.0.0.1", "10.0.0.1", "::ffff:127.0.0.1", "198.41.0.4", "169.254.169.254"] {
        let book = Book {
            mx: HashMap::from([("b.example", Ok(vec![(10, "one.test")]))]),
            addresses: HashMap::from([("one.test", Ok(vec![address]))]),
            ..Book::default()
        };
        let outbound = by_mx(guarded.clone(), book, hop.address.port());
        let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
        assert_eq!(short(&delivery), ["ForbiddenAddress"], "{address}");
        assert_eq!(delivery.attempt.remote, None);
    }
    assert_eq!(hop.heard().connections, 0);
    // the operator's route may lead there
    let outbound = routed(guarded, hop.address, RouteTls::None);
    assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["Content 250"]);
}

#[tokio::test]
async fn a_route_whose_host_has_no_address_bounces_nothing() {
    let route = Route {
        pattern: "*".into(),
        host: "hub.test".into(),
        port: 25,
        tls: RouteTls::None,
        implicit_tls: false,
        login: None,
        retry_for: None,
        sign_unpublished: false,
    };
    let routes = Arc::new(Routes::new(vec![route]).unwrap());
    let outbound = Outbound::new(settings(), routes, Arc::new(Book::default()), Box::new(Zeroes)).unwrap();
    assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["Dns"]);
}

#[tokio::test]
async fn families_without_a_source_are_not_dialled() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let book = || Book {
        mx: HashMap::from([("b.example", Ok(vec![(10, "one.test")]))]),
        addresses: HashMap::from([("one.test", Ok(vec!["::1", "127.0.0.1"]))]),
        ..Book::default()
    };
    let from = |source: &str| OutboundSettings { sources: vec![source.parse().unwrap()], ..settings() };
    let outbound = by_mx(from("127.0.0.9"), book(), hop.address.port());
    let delivery = once(&outbound, &parcel(&["x@b.example"])).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert_eq!(delivery.attempt.remote, Some(hop.address));
    let only_v4 = Book { addresses: HashMap::from([("one.test", Ok(vec!["127.0.0.1"]))]), ..book() };
    let outbound = by_mx(from("::1"), only_v4, hop.address.port());
    assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["Connect"]);
}

#[tokio::test]
async fn a_real_name_server_leads_to_the_next_hop_and_private_addresses_do_not() {
    use crate::dns::tests::server::NameServer;
    use crate::dns::{Dns, DnsSettings};
    let hop = Hop::start(polite(&["PIPELINING"], nothing_special)).await;
    let records = [
        ("zone.test", "MX 10 gone.zone.test"),
        ("zone.test", "MX 20 mail.zone.test"),
        ("mail.zone.test", "A 127.0.0.1"),
    ];
    let server = NameServer::start(&records).await;
    let dns = DnsSettings { servers: vec![server.address], ..DnsSettings::default() };
    // the one that must not be dialled is none, and the other host may yet have an address
    for (allow_private, expected) in [(true, "Content 250"), (false, "Dns")] {
        let settings = OutboundSettings { allow_private, mx_port: hop.address.port(), ..settings() };
        let resolver = Arc::new(Dns::new(&dns).unwrap());
        let outbound = Outbound::new(settings, Arc::default(), resolver, Box::new(Zeroes)).unwrap();
        let destination = outbound.routes().destination("Zone.TEST");
        let delivery = outbound.deliver(&mut None, &destination, &parcel(&["x@zone.test"]), Timestamp(0)).await;
        assert_eq!(short(&delivery), [expected]);
    }
    assert_eq!(hop.heard().contents.len(), 1);
}
