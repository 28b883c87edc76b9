//! What DNSSEC proves and what it does not, and that it comes and goes.

use super::signed::{Mood, SignedServer};
use super::*;
use crate::dns::hickory::name_server;
use crate::shutdown::Shutdown;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use relay::dane::Validation;
use std::sync::Arc;

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

/// Lets this time pass at once, with nothing under way: what is due by then begins.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

/// Watches; what it waits for is counted from now on.
async fn watch(resolver: &Arc<Dns>) -> (Shutdown, tokio::task::JoinHandle<()>) {
    let shutdown = Shutdown::new();
    let watching = tokio::spawn(Arc::clone(resolver).watch_dnssec(shutdown.clone()));
    tokio::task::yield_now().await;
    (shutdown, watching)
}

#[tokio::test]
async fn it_is_looked_at_again_every_ten_minutes_until_signatures_hold_and_then_hourly() {
    let server = SignedServer::start(RECORDS).await;
    server.now(Mood::Strips);
    let resolver = Arc::new(validating(&server, Dnssec::Auto));
    assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Without));
    let (shutdown, watching) = watch(&resolver).await;
    for (mood, too_early, rest, found) in [
        (Mood::Signs, 500, 100, Validation::Holds),
        (Mood::Strips, 3500, 100, Validation::Fails),
        (Mood::Signs, 500, 100, Validation::Holds),
    ] {
        server.now(mood);
        let before = server.asked(".", RecordType::DNSKEY);
        pass(too_early).await;
        // whatever was asked before this question came before it
        super::resolver(server.address).addresses("bare.test").await.unwrap();
        assert_eq!(server.asked(".", RecordType::DNSKEY), before, "{found:?} too early");
        pass(rest).await;
        until(|| resolver.dnssec() == found).await;
    }
    assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true));
    shutdown.begin();
    watching.await.unwrap();
}

#[tokio::test]
async fn where_nobody_can_tell_for_ten_minutes_it_goes_without_until_somebody_can() {
    let server = SignedServer::start(RECORDS).await;
    server.now(Mood::Keyless);
    let resolver = Arc::new(validating(&server, Dnssec::Auto));
    for seconds in [0, 500] {
        pass(seconds).await;
        assert!(matches!(resolver.vouched_mx("served.test").await, Err(LookupError::Fault(_))), "{seconds}");
        assert_eq!(resolver.dnssec(), Validation::Unknown);
    }
    pass(100).await;
    assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), false));
    assert_eq!(resolver.dnssec(), Validation::Without);
    let (shutdown, watching) = watch(&resolver).await;
    server.now(Mood::Signs);
    pass(600).await;
    until(|| resolver.dnssec() == Validation::Holds).await;
    assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true));
    shutdown.begin();
    watching.await.unwrap();
}

#[tokio::test]
async fn it_is_looked_at_with_the_servers_that_are_asked_for_mail() {
    let server = SignedServer::start(RECORDS).await;
    let trust_anchors = Some(server.anchors.clone());
    // none is named: the system's, as they were when the resolver was made
    let settings = DnsSettings { dnssec: Dnssec::Auto, trust_anchors, attempts: 1, ..DnsSettings::default() };
    let resolver = Dns::asking(vec![name_server(&server.address)], &settings).unwrap();
    assert_eq!(resolver.look_at_dnssec(PATIENCE).await, Ok(Validation::Holds));
    assert_eq!(host(&resolver, "served.test").await, ("mail.served.test".into(), true));
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
