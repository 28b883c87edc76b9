//! DANE: hosts whose certificates stand in DNS get mail under TLS with these, or none.

use super::hop::{Issued, certificates};
use super::*;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use relay::dane::Parts;

const OFFERED: &[&str] = &["PIPELINING", "STARTTLS"];

fn record(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Vec<u8> {
    [&[usage, selector, matching], data].concat()
}

/// `3 1 1`, the usual one: the digest of the certificate's key.
fn of_key(issued: &Issued) -> Vec<u8> {
    record(3, 1, 1, digest(&SHA256, Parts::of(&issued.certificate).unwrap().key).as_ref())
}

/// `2 0 1`: the digest of the authority.
fn of_authority(issued: &Issued) -> Vec<u8> {
    record(2, 0, 1, digest(&SHA256, &issued.authority).as_ref())
}

async fn hop_with(acceptor: tokio_rustls::TlsAcceptor) -> Hop {
    Hop::start_at("127.0.0.1:0", Some(acceptor), polite(OFFERED, nothing_special)).await
}

/// A signed book: b.example has the host mx.b.example at this hop, with these records.
fn book(hop: &Hop, records: Entry<Vec<u8>>) -> Book {
    Book {
        mx: HashMap::from([("b.example", Ok(vec![(10, "mx.b.example")]))]),
        addresses: HashMap::from([("mx.b.example", Ok(vec!["127.0.0.1"]))]),
        is_signed: true,
        tlsa: HashMap::from([(name(hop, "mx.b.example"), records)]),
        ..Book::default()
    }
}

fn name(hop: &Hop, host: &str) -> String {
    format!("_{}._tcp.{host}", hop.address.port())
}

/// What comes of one delivery by this book.
async fn carried(hop: &Hop, book: Book) -> Delivery {
    once(&by_mx(settings(), book, hop.address.port()), &parcel(&["x@b.example"])).await
}

/// The mail is deferred for want of TLS, with this in the reason, and none of it was said in any way.
fn refused(hop: &Hop, delivery: &Delivery, why: &str) {
    let [(_, Finding::Failed(Failure::Tls(told)))] = &delivery.findings[..] else { panic!("{delivery:?}") };
    assert!(told.contains("mx.b.example has TLSA records") && told.contains(why), "{told}");
    let heard = hop.heard();
    assert!(heard.lines.iter().all(|line| !line.starts_with("MAIL")), "{heard:?}");
    assert_eq!(heard.connections, 1);
}

#[tokio::test]
async fn a_certificate_that_dns_names_is_taken_whatever_its_names_and_dates() {
    let issued = Issued::new(&["nothing.test"], true);
    let key = Parts::of(&issued.certificate).unwrap().key;
    let whole = &issued.certificate;
    for own in [
        of_key(&issued),
        record(3, 1, 2, digest(&SHA512, key).as_ref()),
        record(3, 1, 0, key),
        record(3, 0, 1, digest(&SHA256, whole).as_ref()),
        record(3, 0, 2, digest(&SHA512, whole).as_ref()),
        record(3, 0, 0, whole),
    ] {
        let hop = hop_with(issued.acceptor(false)).await;
        // beside one that is for another, as while a certificate is changed
        let delivery = carried(
            &hop,
            book(&hop, Ok(vec![record(3, 1, own[2], &own[3..].iter().map(|o| !o).collect::<Vec<_>>()), own])),
        )
        .await;
        assert_eq!(short(&delivery), ["Content 250"]);
        assert_eq!(delivery.attempt.tls, "TLS 1.3, DANE");
    }
}

#[tokio::test]
async fn further_mail_goes_over_the_same_line() {
    let issued = Issued::new(&[], false);
    let hop = hop_with(issued.acceptor(false)).await;
    let outbound = by_mx(settings(), book(&hop, Ok(vec![of_key(&issued)])), hop.address.port());
    let mut line = None;
    for _ in 0..2 {
        let delivery = deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await;
        assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3, DANE"));
    }
    assert_eq!(hop.heard().connections, 1);
    line.unwrap().close().await;
}

#[tokio::test]
async fn another_certificate_gets_no_mail_and_nothing_goes_in_the_clear() {
    let (issued, other) = (Issued::new(&["mx.b.example"], false), Issued::new(&["mx.b.example"], false));
    let hop = hop_with(other.acceptor(true)).await;
    let delivery = carried(&hop, book(&hop, Ok(vec![of_key(&issued)]))).await;
    refused(&hop, &delivery, "its certificate is not one that they speak of");
    assert_eq!(delivery.attempt.tls, "none");
}

#[tokio::test]
async fn a_host_that_offers_no_tls_gets_no_mail() {
    let issued = Issued::new(&[], false);
    let refusing = polite(OFFERED, |_, line| (line == "STARTTLS").then(|| say("454 4.7.0 not now")));
    let breaking = polite(OFFERED, |_, line| (line == "STARTTLS").then_some(Act::BrokenHandshake));
    for records in [of_key(&issued), record(0, 0, 1, &[0; 32])] {
        for script in [polite(&["PIPELINING"], nothing_special), refusing.clone(), breaking.clone()] {
            let hop = Hop::start(script).await;
            let delivery = carried(&hop, book(&hop, Ok(vec![records.clone()]))).await;
            let heard = hop.heard();
            assert!(heard.lines.iter().all(|line| !line.starts_with("MAIL")), "{heard:?}");
            assert!(short(&delivery)[0].starts_with("Tls"), "{delivery:?}");
            assert_eq!(heard.connections, 1);
        }
    }
}

#[tokio::test]
async fn an_authority_that_dns_names_vouches_for_the_host_or_the_domain() {
    for names in [&["mx.b.example"][..], &["b.example"], &["*.b.example"], &["other.test", "b.example"]] {
        let issued = Issued::new(names, false);
        let key = Parts::of(&issued.authority).unwrap().key;
        for (own, is_sent) in [
            (of_authority(&issued), true),
            (record(2, 1, 2, digest(&SHA512, key).as_ref()), true),
            // what stands in DNS as a whole need not be sent
            (record(2, 0, 0, &issued.authority), false),
            (record(2, 1, 0, key), false),
            (record(2, 1, 0, key), true),
        ] {
            let hop = hop_with(issued.acceptor(is_sent)).await;
            let delivery = carried(&hop, book(&hop, Ok(vec![own.clone()]))).await;
            assert_eq!(short(&delivery), ["Content 250"], "{names:?} {:?} {delivery:?}", &own[..3]);
            assert_eq!(delivery.attempt.tls, "TLS 1.3, DANE");
        }
    }
}

#[tokio::test]
async fn of_an_authority_names_dates_and_the_chain_count() {
    let right = Issued::new(&["mx.b.example"], false);
    let (elsewhere, expired) =
        (Issued::new(&["other.test", "x.mx.b.example"], false), Issued::new(&["mx.b.example"], true));
    let cases = [
        (of_authority(&elsewhere), elsewhere.acceptor(true), "its certificate is not for mx.b.example or b.example"),
        (of_authority(&expired), expired.acceptor(true), "does not come from the authority"),
        // its digest alone stands in DNS, and it is not sent
        (of_authority(&right), right.acceptor(false), "not one that they speak of"),
        (of_authority(&right), elsewhere.acceptor(true), "not one that they speak of"),
        (record(2, 0, 0, &right.authority), elsewhere.acceptor(true), "does not come from the authority"),
        (record(2, 1, 0, Parts::of(&right.authority).unwrap().key), elsewhere.acceptor(false), "does not come from"),
        // the host's own certificate is no authority
        (record(2, 0, 1, digest(&SHA256, &right.certificate).as_ref()), right.acceptor(true), "not one that they"),
    ];
    for (own, acceptor, why) in cases {
        let hop = hop_with(acceptor).await;
        refused(&hop, &carried(&hop, book(&hop, Ok(vec![own]))).await, why);
    }
}

#[tokio::test]
async fn unusable_records_ask_for_tls_with_anybody() {
    let (_, acceptor) = certificates();
    let hop = hop_with(acceptor).await;
    let delivery = carried(&hop, book(&hop, Ok(vec![record(1, 1, 1, &[7; 32]), record(3, 1, 1, &[7; 31])]))).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert_eq!(delivery.attempt.tls, "TLS 1.3, DANE without usable records");
}

#[tokio::test]
async fn without_records_tls_is_a_wish() {
    for absent in [Err(LookupError::NoRecord), Err(LookupError::NoSuchName)] {
        let (_, acceptor) = certificates();
        let hop = hop_with(acceptor).await;
        let delivery = carried(&hop, book(&hop, absent)).await;
        assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3"));
    }
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let delivery = carried(&hop, book(&hop, Err(LookupError::NoRecord))).await;
    assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "none"));
}

#[tokio::test]
async fn a_host_whose_records_nobody_can_tell_is_not_used() {
    let (_, acceptor) = certificates();
    let hop = hop_with(acceptor).await;
    let delivery = carried(&hop, book(&hop, Err(LookupError::Fault("SERVFAIL".into())))).await;
    let [(_, Finding::Failed(Failure::Dns(why)))] = &delivery.findings[..] else { panic!("{delivery:?}") };
    assert_eq!(why, "no answer about the TLSA records of mx.b.example: SERVFAIL");
    assert_eq!(hop.heard().connections, 0);
    // another host of the domain, of which it can be told, is
    let mut faulty = book(&hop, Err(LookupError::Fault("SERVFAIL".into())));
    faulty.mx.insert("b.example", Ok(vec![(10, "mx.b.example"), (20, "hub.test")]));
    faulty.addresses.insert("hub.test", Ok(vec!["127.0.0.1"]));
    let delivery = carried(&hop, faulty).await;
    assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.host.as_str()), ("Content 250", "hub.test"));
}

#[tokio::test]
async fn what_is_not_signed_is_not_asked_for_records() {
    let (issued, other) = (Issued::new(&[], false), Issued::new(&[], false));
    let hop = hop_with(other.acceptor(false)).await;
    let unsigned = Book { is_signed: false, ..book(&hop, Ok(vec![of_key(&issued)])) };
    let delivery = carried(&hop, unsigned).await;
    assert_eq!((short(&delivery)[0].as_str(), delivery.attempt.tls.as_str()), ("Content 250", "TLS 1.3"));
    // nor is anything where the operator wants none of it
    let outbound = by_mx(
        OutboundSettings { dane: false, ..settings() },
        book(&hop, Ok(vec![of_key(&issued)])),
        hop.address.port(),
    );
    assert_eq!(once(&outbound, &parcel(&["x@b.example"])).await.attempt.tls, "TLS 1.3");
}

#[tokio::test]
async fn of_an_alias_the_first_name_with_records_decides() {
    let (issued, other) = (Issued::new(&["h.c.example"], false), Issued::new(&[], false));
    let hop = hop_with(issued.acceptor(true)).await;
    let at = |records: [(&str, Vec<u8>); 2]| Book {
        aliases: HashMap::from([("mx.b.example", "h.c.example")]),
        tlsa: records.map(|(host, record)| (name(&hop, host), Ok(vec![record]))).into(),
        ..book(&hop, Err(LookupError::NoRecord))
    };
    for right in [of_key(&issued), of_authority(&issued)] {
        let both = at([("h.c.example", right.clone()), ("mx.b.example", of_key(&other))]);
        assert_eq!(carried(&hop, both).await.attempt.tls, "TLS 1.3, DANE");
        let crossed = at([("h.c.example", of_key(&other)), ("mx.b.example", right.clone())]);
        assert_eq!(short(&carried(&hop, crossed).await), ["Tls"]);
    }
    let behind = at([("nowhere.example", of_key(&other)), ("mx.b.example", of_key(&issued))]);
    assert_eq!(carried(&hop, behind).await.attempt.tls, "TLS 1.3, DANE");
}

#[tokio::test]
async fn a_domain_that_is_its_own_host_has_records_too() {
    let (issued, other) = (Issued::new(&[], false), Issued::new(&[], false));
    let hop = hop_with(issued.acceptor(false)).await;
    for (record, tls) in [(of_key(&issued), "TLS 1.3, DANE"), (of_key(&other), "none")] {
        let own = Book {
            mx: HashMap::from([("b.example", Err(LookupError::NoRecord))]),
            addresses: HashMap::from([("b.example", Ok(vec!["127.0.0.1"]))]),
            tlsa: HashMap::from([(name(&hop, "b.example"), Ok(vec![record]))]),
            ..book(&hop, Err(LookupError::NoRecord))
        };
        assert_eq!(carried(&hop, own).await.attempt.tls, tls);
    }
}

#[tokio::test]
async fn a_route_of_the_operator_is_exempt() {
    let (issued, other) = (Issued::new(&[], false), Issued::new(&[], false));
    let hop = hop_with(other.acceptor(false)).await;
    let route = Route {
        pattern: "*".into(),
        host: "mx.b.example".into(),
        port: hop.address.port(),
        tls: RouteTls::Opportunistic,
        implicit_tls: false,
        login: None,
        retry_for: None,
        sign_unpublished: false,
    };
    let routes = Arc::new(Routes::new(vec![route]).unwrap());
    let book = book(&hop, Ok(vec![of_key(&issued)]));
    let outbound = Outbound::new(settings(), routes, Arc::new(book), Box::new(Zeroes)).unwrap();
    assert_eq!(once(&outbound, &parcel(&["x@b.example"])).await.attempt.tls, "TLS 1.3");
}

#[tokio::test]
async fn the_name_in_the_handshake_is_the_one_that_has_the_records() {
    let issued = Issued::new(&[], false);
    let asked = Arc::default();
    let hop = hop_with(issued.noting_acceptor(&asked)).await;
    for base in ["h.c.example", "mx.b.example"] {
        let known = Book {
            aliases: HashMap::from([("mx.b.example", "h.c.example")]),
            tlsa: HashMap::from([(name(&hop, base), Ok(vec![of_key(&issued)]))]),
            ..book(&hop, Err(LookupError::NoRecord))
        };
        assert_eq!(carried(&hop, known).await.attempt.tls, "TLS 1.3, DANE");
        assert_eq!(asked.lock().unwrap().pop().unwrap(), base);
    }
}
