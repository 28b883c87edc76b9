//! The resolver against real name servers on loopback.
#![allow(clippy::unwrap_used)]

mod dnssec;
pub(crate) mod server;
mod signed;

use super::*;
use relay::dice::Dice;
use relay::inspection::{Kind, Question, Said};
use server::{BrokenServer, NameServer, Records};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

fn settings(server: SocketAddr) -> DnsSettings {
    DnsSettings { servers: vec![server], ..DnsSettings::default() }
}

fn resolver(server: SocketAddr) -> Dns {
    Dns::new(&settings(server)).unwrap()
}

/// One that gives up soon.
fn hasty(server: SocketAddr) -> Dns {
    let query_max = Duration::from_millis(100);
    Dns::new(&DnsSettings { query_max, attempts: 1, ..settings(server) }).unwrap()
}

/// Dice that count, so that their order is known.
struct Counting(u8, bool);

impl Dice for Counting {
    fn fill(&mut self, octets: &mut [u8]) {
        self.0 = if self.1 { self.0.wrapping_sub(1) } else { self.0.wrapping_add(1) };
        octets.fill(0);
        octets[0] = self.0;
    }
}

fn dice(backwards: bool) -> Mutex<Box<dyn Dice>> {
    Mutex::new(Box::new(Counting(100, backwards)))
}

async fn hosts(records: Records<'_>, domain: &str) -> Result<Vec<String>, PlanFault> {
    let server = NameServer::start(records).await;
    hosts_by(&resolver(server.address), domain, false).await
}

async fn hosts_by(resolver: &Dns, domain: &str, backwards: bool) -> Result<Vec<String>, PlanFault> {
    mail_hosts(resolver, domain, 10, &dice(backwards), false).await.map(|found| found.hosts)
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn the_servers_of_a_domain_are_named_in_one_order() {
    let records = [
        ("one.zone.test", "MX 20 b.hosting.zone.test"),
        ("one.zone.test", "MX 10 c.hosting.zone.test"),
        ("one.zone.test", "MX 20 A.hosting.zone.test"),
        ("null.zone.test", "MX 0 ."),
        ("alone.zone.test", "A 192.0.2.1"),
    ];
    let server = NameServer::start(&records).await;
    let resolver = resolver(server.address);
    let servers = async |domain: &str| mail_servers(&resolver, domain).await;
    let hosting = ["c.hosting.zone.test", "a.hosting.zone.test", "b.hosting.zone.test"].map(str::to_owned);
    assert_eq!(servers("one.zone.test").await.unwrap(), hosting);
    assert_eq!(servers("alone.zone.test").await.unwrap(), ["alone.zone.test"]);
    assert_eq!((servers("null.zone.test").await, servers("none.zone.test").await), (None, None));
}

#[tokio::test]
async fn hosts_come_by_preference() {
    let records = [
        ("zone.test", "MX 30 Three.zone.test"),
        ("zone.test", "MX 10 one.zone.test"),
        ("zone.test", "MX 20 two.zone.test"),
    ];
    let found = hosts(&records, "zone.test").await.unwrap();
    assert_eq!(found, ["one.zone.test", "two.zone.test", "three.zone.test"]);
}

#[tokio::test]
async fn equal_preference_is_left_to_the_dice() {
    let records = [
        ("zone.test", "MX 10 a.zone.test"),
        ("zone.test", "MX 10 b.zone.test"),
        ("zone.test", "MX 10 c.zone.test"),
        ("zone.test", "MX 5 first.zone.test"),
    ];
    let server = NameServer::start(&records).await;
    let resolver = resolver(server.address);
    let forwards = hosts_by(&resolver, "zone.test", false).await.unwrap();
    let backwards = hosts_by(&resolver, "zone.test", true).await.unwrap();
    assert_eq!((forwards[0].as_str(), backwards[0].as_str()), ("first.zone.test", "first.zone.test"));
    let mut mirrored = backwards[1..].to_vec();
    mirrored.reverse();
    assert_eq!(forwards[1..], mirrored);
}

#[tokio::test]
async fn a_domain_without_mx_is_its_own_host() {
    assert_eq!(hosts(&[("zone.test", "A 192.0.2.1")], "zone.test").await.unwrap(), ["zone.test"]);
}

#[tokio::test]
async fn a_null_mx_takes_no_mail_and_beside_others_counts_for_nothing() {
    assert_eq!(hosts(&[("zone.test", "MX 0 .")], "zone.test").await, Err(PlanFault::NullMx));
    let records = [("zone.test", "MX 0 ."), ("zone.test", "MX 10 mail.zone.test")];
    assert_eq!(hosts(&records, "zone.test").await.unwrap(), ["mail.zone.test"]);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_from_one_without_records() {
    let server = NameServer::start(&[("mail.zone.test", "A 192.0.2.1")]).await;
    let resolver = resolver(server.address);
    assert_eq!(resolver.mx("gone.zone.test").await, Err(LookupError::NoSuchName));
    assert_eq!(resolver.mx("mail.zone.test").await, Err(LookupError::NoRecord));
    assert_eq!(resolver.addresses("gone.zone.test").await, Err(LookupError::NoSuchName));
    assert_eq!(resolver.addresses("zone.test").await, Err(LookupError::NoRecord));
    assert_eq!(resolver.txt("gone.zone.test").await, Err(LookupError::NoSuchName));
    assert_eq!(resolver.txt("mail.zone.test").await, Err(LookupError::NoRecord));
}

#[tokio::test]
async fn what_cannot_be_a_name_does_not_exist() {
    let server = NameServer::start(&[]).await;
    let resolver = resolver(server.address);
    let long = format!("{}.zone.test", "a".repeat(64));
    for name in [long.as_str(), "a..zone.test"] {
        assert_eq!(resolver.mx(name).await, Err(LookupError::NoSuchName), "{name}");
    }
}

#[tokio::test]
async fn faults_are_faults_and_nothing_else() {
    // SERVFAIL, NOTIMP, REFUSED, no answer at all
    for code in [Some(2), Some(4), Some(5), None] {
        let server = BrokenServer::start(code).await;
        let resolver = hasty(server.address);
        assert!(matches!(resolver.mx("zone.test").await, Err(LookupError::Fault(_))), "{code:?}");
        assert!(matches!(resolver.addresses("zone.test").await, Err(LookupError::Fault(_))), "{code:?}");
        assert!(matches!(resolver.txt("zone.test").await, Err(LookupError::Fault(_))), "{code:?}");
        let found = hosts_by(&resolver, "zone.test", false).await;
        assert!(matches!(found, Err(PlanFault::Dns(_))), "{code:?}");
    }
    // nobody listens
    let gone = BrokenServer::start(None).await.address;
    assert!(matches!(hasty(gone).mx("zone.test").await, Err(LookupError::Fault(_))));
    // a zone that this server does not have
    let server = NameServer::start(&[]).await;
    assert!(matches!(hasty(server.address).mx("elsewhere.test").await, Err(LookupError::Fault(_))));
}

#[tokio::test]
async fn a_question_ends_in_any_case() {
    let server = BrokenServer::start(None).await;
    let settings = DnsSettings { question_max: Duration::from_millis(50), ..settings(server.address) };
    let resolver = Dns::new(&settings).unwrap();
    assert!(matches!(resolver.mx("zone.test").await, Err(LookupError::Fault(_))));
}

#[tokio::test]
async fn aliases_are_followed() {
    let server = NameServer::start(&[
        ("alias.zone.test", "CNAME real.zone.test"),
        ("real.zone.test", "MX 10 mail.zone.test"),
        ("mail.zone.test", "CNAME host.zone.test"),
        ("host.zone.test", "A 192.0.2.1"),
        ("key.zone.test", "CNAME there.zone.test"),
        ("there.zone.test", "TXT v=DKIM1"),
        ("dead.zone.test", "CNAME nothing.zone.test"),
    ])
    .await;
    let resolver = resolver(server.address);
    assert_eq!(resolver.mx("alias.zone.test").await.unwrap(), [Mx { preference: 10, host: "mail.zone.test".into() }]);
    assert_eq!(resolver.addresses("mail.zone.test").await.unwrap(), addresses(&["192.0.2.1"]));
    assert_eq!(resolver.txt("key.zone.test").await.unwrap(), ["v=DKIM1"]);
    assert_eq!(resolver.mx("dead.zone.test").await, Err(LookupError::NoSuchName));
}

#[tokio::test]
async fn both_families_come_by_turns() {
    let server = NameServer::start(&[
        ("both.zone.test", "A 192.0.2.1"),
        ("both.zone.test", "A 192.0.2.2"),
        ("both.zone.test", "AAAA 2001:db8::1"),
        ("six.zone.test", "AAAA 2001:db8::6"),
    ])
    .await;
    let resolver = resolver(server.address);
    let both = resolver.addresses("both.zone.test").await.unwrap();
    assert_eq!(both.iter().map(IpAddr::is_ipv4).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(resolver.addresses("six.zone.test").await.unwrap(), addresses(&["2001:db8::6"]));
}

#[tokio::test]
async fn strings_of_a_text_are_joined_and_long_answers_arrive() {
    let long = vec!["x".repeat(250); 40].join("|");
    let records = [("key.zone.test", "TXT v=DKIM1; |k=rsa"), ("long.zone.test", &*format!("TXT {long}"))];
    let server = NameServer::start(&records).await;
    let resolver = resolver(server.address);
    assert_eq!(resolver.txt("key.zone.test").await.unwrap(), ["v=DKIM1; k=rsa"]);
    assert_eq!(resolver.txt("long.zone.test").await.unwrap(), ["x".repeat(10_000)]);
}

#[tokio::test]
async fn a_witness_says_what_an_address_is_called() {
    let server = NameServer::start(&[("1.2.0.192.zone.test", "PTR MX.zone.test")]).await;
    let witness = NameServers::new(&settings(server.address)).unwrap();
    let asked = |kind| Question { name: "1.2.0.192.zone.test".into(), kind };
    assert_eq!(witness.ask(&asked(Kind::Ptr)).await.said, Said::Found(vec!["mx.zone.test".into()]));
    assert_eq!(witness.ask(&asked(Kind::A)).await.said, Said::Nothing);
}

#[tokio::test]
async fn answers_are_kept_for_their_time() {
    let server = NameServer::start(&[("zone.test", "MX 10 mail.zone.test")]).await;
    let resolver = resolver(server.address);
    let first = resolver.mx("zone.test").await;
    assert!(first.is_ok());
    drop(server);
    assert_eq!(resolver.mx("zone.test").await, first);
}

#[tokio::test]
async fn no_domain_has_more_hosts_than_are_looked_at() {
    let records: Vec<(String, String)> =
        (0..15).map(|n| ("zone.test".to_owned(), format!("MX {n} mail{n}.zone.test"))).collect();
    let records: Vec<(&str, &str)> = records.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
    let found = hosts(&records, "zone.test").await.unwrap();
    assert_eq!(found.len(), 10);
    assert_eq!(found[0], "mail0.zone.test");
}

#[tokio::test]
async fn a_host_that_is_an_address_asks_nobody() {
    let server = BrokenServer::start(None).await;
    let found = addresses_of(&hasty(server.address), "192.0.2.1").await.unwrap();
    assert_eq!(found, [Hop { host: "192.0.2.1".into(), address: "192.0.2.1".parse().unwrap() }]);
}

#[tokio::test]
async fn without_dnssec_nothing_is_vouched_for() {
    let records = [("zone.test", "MX 10 mail.zone.test"), ("mail.zone.test", "A 192.0.2.1")];
    let server = NameServer::start(&records).await;
    // it refuses to say anything of the root, so that nothing can be validated by it
    for dnssec in [Dnssec::Off, Dnssec::Auto] {
        let resolver = Dns::new(&DnsSettings { dnssec, ..settings(server.address) }).unwrap();
        let mx = resolver.vouched_mx("zone.test").await.unwrap();
        assert_eq!((mx.records.len(), mx.is_secure, mx.owner.as_str()), (1, false, "zone.test"), "{dnssec:?}");
        let host = resolver.vouched_host("mail.zone.test").await.unwrap();
        assert_eq!(host, VouchedHost { addresses: addresses(&["192.0.2.1"]), bases: Vec::new() });
        assert_eq!(resolver.vouched_tlsa("_25._tcp.mail.zone.test").await, Err(LookupError::NoRecord));
        assert_eq!(resolver.vouched_mx("gone.zone.test").await, Err(LookupError::NoSuchName));
    }
}

#[tokio::test]
async fn where_dnssec_is_a_must_an_answer_without_it_is_a_fault() {
    let records = [("zone.test", "MX 10 mail.zone.test"), ("mail.zone.test", "A 192.0.2.1")];
    let server = NameServer::start(&records).await;
    let resolver = Dns::new(&DnsSettings { dnssec: Dnssec::On, ..settings(server.address) }).unwrap();
    for name in ["zone.test", "gone.zone.test", "mail.zone.test"] {
        assert!(matches!(resolver.vouched_mx(name).await, Err(LookupError::Fault(_))), "{name}");
        assert!(matches!(resolver.vouched_host(name).await, Err(LookupError::Fault(_))), "{name}");
        assert!(matches!(resolver.vouched_tlsa(name).await, Err(LookupError::Fault(_))), "{name}");
    }
    // what is not vouched for is answered all the same
    assert_eq!(resolver.mx("zone.test").await.unwrap().len(), 1);
}

#[tokio::test]
async fn while_nobody_can_tell_nothing_is_answered() {
    // SERVFAIL, and no answer at all
    for code in [Some(2), None] {
        let server = BrokenServer::start(code).await;
        let query_max = Duration::from_millis(100);
        let settings = DnsSettings { query_max, attempts: 1, dnssec: Dnssec::Auto, ..settings(server.address) };
        let resolver = Dns::new(&settings).unwrap();
        assert!(matches!(resolver.vouched_mx("zone.test").await, Err(LookupError::Fault(_))), "{code:?}");
        assert!(matches!(resolver.vouched_host("zone.test").await, Err(LookupError::Fault(_))), "{code:?}");
    }
}

#[tokio::test]
async fn trust_anchors_are_keys_of_the_root() {
    let key = "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlN\
               Vz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+\
               sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555\
               KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=";
    check_trust_anchors(&format!("; the root\n. 172800 IN DNSKEY 257 3 8 {key}\n")).unwrap();
    for text in ["", "no record", &format!("zone.test. 3600 IN DNSKEY 257 3 8 {key}"), ". IN A 192.0.2.1"] {
        assert!(check_trust_anchors(text).is_err(), "{text}");
        let broken = DnsSettings { dnssec: Dnssec::On, trust_anchors: Some(text.to_owned()), ..DnsSettings::default() };
        assert!(Dns::new(&broken).is_err(), "{text}");
    }
}
