//! What DNSSEC proves and what it does not, and that it comes and goes.

use super::signed::{Mood, SignedServer};
use super::*;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use relay::dane::Validation;

const PATIENCE: Duration = Duration::from_secs(20);

const RECORDS: Records<'_> = &[
    ("served.test", "MX 10 mail.served.test"),
    ("mail.served.test", "A 192.0.2.1"),
    ("bare.test", "A 192.0.2.2"),
    ("alias.test", "CNAME bare.test"),
    ("far.test", "CNAME alias.test"),
    ("out.test", "CNAME bare.plain"),
    ("astray.test", "CNAME alias.plain"),
    ("moved.test", "CNAME served.test"),
    ("served.plain", "MX 10 mail.served.test"),
    ("bare.plain", "A 192.0.2.3"),
    ("alias.plain", "CNAME bare.test"),
];

fn validating(server: &SignedServer, dnssec: Dnssec) -> Dns {
    let trust_anchors = Some(server.anchors.clone());
    Dns::new(&DnsSettings { dnssec, trust_anchors, attempts: 1, ..settings(server.address) }).unwrap()
}

/// The first host, and whether DNSSEC vouches for it.
async fn host(resolver: &Dns, domain: &str) -> (String, bool) {
    let mut found = mail_hosts(resolver, domain, 10, &dice(false), true).await.unwrap();
    (found.hosts.remove(0), found.is_secure)
}

#[tokio::test]
async fn that_a_domain_is_its_own_host_is_vouched_for_by_a_proof_alone() {
    let server = SignedServer::start(RECORDS).await;
    let resolver = validating(&server, Dnssec::Auto);
    for _ in 0..2 {
        assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true));
        assert_eq!(host(&resolver, "bare.test").await, ("bare.test".into(), true));
        // there is no proof in a zone that is not signed
        assert_eq!(host(&resolver, "served.plain").await, ("mail.served.test".into(), false));
        assert_eq!(host(&resolver, "bare.plain").await, ("bare.plain".into(), false));
    }
    for domain in ["bare.test", "bare.plain"] {
        assert_eq!(server.asked(domain, RecordType::MX), 1, "{domain} is asked about once within its time");
    }
    // where nothing is validated, nothing is vouched for
    for dnssec in [Dnssec::Off, Dnssec::Auto] {
        server.now(Mood::Says(ResponseCode::Refused));
        let resolver = validating(&server, dnssec);
        // the first question shows that nothing can be validated
        assert!(matches!(resolver.vouched_mx("bare.test").await, Err(LookupError::Fault(_))));
        server.now(Mood::Signs);
        assert_eq!(host(&resolver, "bare.test").await, ("bare.test".into(), false), "{dnssec:?}");
    }
}

#[tokio::test]
async fn behind_aliases_it_is_vouched_for_where_all_of_them_are_signed_however_the_answer_comes() {
    // an alias alone; and what it leads to in the same answer, which the library takes for a wrong proof
    for mood in [Mood::Signs, Mood::Recurses] {
        let server = SignedServer::start(RECORDS).await;
        server.now(mood);
        let resolver = validating(&server, Dnssec::Auto);
        for _ in 0..2 {
            for (domain, is_vouched) in [("alias.test", true), ("far.test", true), ("alias.plain", false)] {
                assert_eq!(host(&resolver, domain).await, (domain.into(), is_vouched), "{mood:?}");
            }
            // the way leads through a zone that is not signed, or into one
            for domain in ["out.test", "astray.test"] {
                assert_eq!(host(&resolver, domain).await, (domain.into(), false), "{mood:?}");
            }
        }
        assert_eq!(host(&resolver, "moved.test").await, ("mail.served.test".into(), true), "{mood:?}");
        assert_eq!(resolver.vouched_tlsa("far.test").await, Err(LookupError::NoRecord), "{mood:?}");
        let VouchedHost { addresses: found, bases } = resolver.vouched_host("far.test").await.unwrap();
        assert_eq!((found, bases), (addresses(&["192.0.2.2"]), vec!["bare.test".into(), "far.test".into()]));
        // an alias without its signature is no way
        server.now(Mood::Strips);
        let resolver = validating(&server, Dnssec::On);
        assert!(matches!(resolver.vouched_mx("alias.test").await, Err(LookupError::Fault(_))), "{mood:?}");
    }
}

#[tokio::test]
async fn an_absence_without_the_proof_that_its_zone_owes_is_a_fault() {
    let server = SignedServer::start(RECORDS).await;
    let resolver = validating(&server, Dnssec::Auto);
    assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Holds));
    server.now(Mood::Foreign);
    assert!(matches!(resolver.vouched_mx("served.test").await, Err(LookupError::Fault(_))), "another zone's word");
    assert_eq!(host(&resolver, "bare.plain").await, ("bare.plain".into(), false));
    server.now(Mood::Strips);
    assert!(matches!(resolver.vouched_mx("bare.test").await, Err(LookupError::Fault(_))));
    assert!(matches!(resolver.vouched_mx("served.test").await, Err(LookupError::Fault(_))));
    server.now(Mood::Signs);
    assert_eq!(host(&resolver, "bare.test").await, ("bare.test".into(), true));
}

#[tokio::test]
async fn without_signatures_from_the_start_it_goes_without_until_they_come() {
    for mood in [Mood::Strips, Mood::Says(ResponseCode::Refused)] {
        let server = SignedServer::start(RECORDS).await;
        server.now(mood);
        let resolver = validating(&server, Dnssec::Auto);
        assert_eq!(resolver.dnssec(), Validation::Unknown);
        let _ = resolver.vouched_mx("served.test").await;
        assert_eq!(resolver.dnssec(), Validation::Without, "{mood:?}");
        assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Without));
        // that nobody can tell changes nothing
        server.now(Mood::Says(ResponseCode::ServFail));
        assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Without));
        server.now(Mood::Signs);
        assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Holds), "{mood:?}");
        assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true));
    }
}

#[tokio::test]
async fn going_without_is_for_now_until_signatures_come_or_stay_away_for_long() {
    let server = SignedServer::start(RECORDS).await;
    let resolver = validating(&server, Dnssec::Auto);
    assert!(!resolver.is_blind(), "nothing was looked at yet, and nothing is answered as if it were");
    server.now(Mood::Strips);
    assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Without));
    assert!(resolver.is_blind());
    server.now(Mood::Signs);
    assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Holds));
    assert!(!resolver.is_blind());
    server.now(Mood::Strips);
    let [stays, lost, off] = [Dnssec::Auto, Dnssec::On, Dnssec::Off].map(|dnssec| validating(&server, dnssec));
    assert_eq!(stays.look_at_dnssec(PATIENCE).await, Ok(Validation::Without));
    assert_eq!(lost.look_at_dnssec(PATIENCE).await, Ok(Validation::Fails));
    assert!(stays.is_blind() && !lost.is_blind() && !off.is_blind());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3599)).await;
    assert!(stays.is_blind());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!stays.is_blind());
}

#[tokio::test]
async fn what_held_once_is_never_gone_without() {
    let server = SignedServer::start(RECORDS).await;
    let resolver = validating(&server, Dnssec::Auto);
    assert_eq!(host(&resolver, "bare.test").await, ("bare.test".into(), true));
    assert_eq!(resolver.dnssec(), Validation::Holds);
    for mood in [Mood::Strips, Mood::Says(ResponseCode::Refused)] {
        server.now(mood);
        assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Fails));
        assert!(matches!(resolver.vouched_mx("served.test").await, Err(LookupError::Fault(_))), "{mood:?}");
        server.now(Mood::Signs);
        assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Holds));
    }
    assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true));
}

#[tokio::test]
async fn where_it_is_a_must_it_is_never_gone_without() {
    let server = SignedServer::start(RECORDS).await;
    server.now(Mood::Says(ResponseCode::Refused));
    let resolver = validating(&server, Dnssec::On);
    assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Fails));
    assert!(matches!(resolver.vouched_mx("served.test").await, Err(LookupError::Fault(_))));
    server.now(Mood::Signs);
    assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true));
    let off = validating(&server, Dnssec::Off);
    assert_eq!(off.look_at_dnssec(PATIENCE).await, Ok(Validation::Off));
}

#[tokio::test]
async fn a_first_name_server_that_is_broken_does_not_keep_the_second_from_answering() {
    let living = SignedServer::start(RECORDS).await;
    for code in [Some(2), Some(5), None] {
        let broken = BrokenServer::start(code).await;
        let query_max = Duration::from_millis(200);
        let servers = vec![broken.address, living.address];
        let trust_anchors = Some(living.anchors.clone());
        let settings =
            DnsSettings { servers, query_max, dnssec: Dnssec::Auto, trust_anchors, ..DnsSettings::default() };
        let resolver = Dns::new(&settings).unwrap();
        assert_eq!(resolver.addresses("bare.test").await.unwrap(), addresses(&["192.0.2.2"]), "{code:?}");
        assert_eq!(resolver.mx("bare.test").await, Err(LookupError::NoRecord), "{code:?}");
        assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true), "{code:?}");
    }
}

#[tokio::test]
async fn that_there_is_nothing_is_asked_once_within_its_time() {
    let server = SignedServer::start(RECORDS).await;
    let resolver = resolver(server.address);
    for _ in 0..3 {
        assert_eq!(resolver.mx("bare.plain").await, Err(LookupError::NoRecord));
    }
    assert_eq!(server.asked("bare.plain", RecordType::MX), 1);
}
