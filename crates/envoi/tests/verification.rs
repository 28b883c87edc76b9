//! Sending domains and DNS, end to end: the records that the relay shows, published on a name server of the test's own.

#![allow(clippy::unwrap_used)]

mod support;

use hickory_server::Server;
use hickory_server::proto::rr::rdata::{SOA, TXT};
use hickory_server::proto::rr::{LowerName, Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use support::{House, Port, eventually, name_server};
use tokio::net::UdpSocket;

/// An authoritative server of `shop.example` on a runtime of its own; what it has may change.
struct NameServer {
    runtime: tokio::runtime::Runtime,
    zone: Arc<InMemoryZoneHandler>,
    address: SocketAddr,
    _server: Server<Catalog>,
}

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

/// A TXT record, in strings of at most 255 octets.
fn record(owner: &str, text: &str) -> Record {
    let parts = text.as_bytes().chunks(255).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
    Record::from_rdata(name(owner), 60, RData::TXT(TXT::new(parts)))
}

impl NameServer {
    fn start() -> NameServer {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let origin = name("shop.example");
        let mut zone: InMemoryZoneHandler =
            InMemoryZoneHandler::empty(origin.clone(), ZoneType::Primary, AxfrPolicy::Deny);
        let soa = SOA::new(name("ns.shop.example"), name("host.shop.example"), 1, 3600, 600, 86_400, 60);
        zone.upsert_mut(Record::from_rdata(origin.clone(), 3600, RData::SOA(soa)), 0);
        let zone = Arc::new(zone);
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&origin), vec![Arc::clone(&zone) as Arc<_>]);
        let (address, server) = runtime.block_on(async {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = socket.local_addr().unwrap();
            let mut server = Server::new(catalog);
            server.register_socket(socket);
            (address, server)
        });
        NameServer { runtime, zone, address, _server: server }
    }

    fn publish(&self, owner: &str, text: &str) {
        self.runtime.block_on(self.zone.upsert(record(owner, text), 1));
    }
}

/// A relay that asks this name server.
fn house(dns: &NameServer) -> House {
    let house = House::new(1);
    let text = std::fs::read_to_string(house.config()).unwrap();
    let text =
        text.replace(&name_server().to_string(), &dns.address.to_string()).replace("sign_unpublished = true\n", "");
    std::fs::write(house.config(), text).unwrap();
    house
}

fn add_domain(house: &House) -> Vec<Value> {
    let account = house.json(&["account", "add", "--name", "Shop"])["id"].to_string();
    let domain = house.json(&["domain", "add", "--account", &account, "shop.example"]);
    domain["keys"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn a_domain_sends_once_its_records_are_published() {
    let dns = NameServer::start();
    let house = house(&dns);
    let server = house.serve();
    let keys = add_domain(&house);
    let user = house.json(&["smtp-user", "add", "--domain", "shop.example", "--name", "Till"]);
    let login = support::Login { username: text(&user["username"]).into(), password: text(&user["password"]).into() };
    let client = house.client(Port::Tls(server.tls), &login);
    let content = b"From: <till@shop.example>\r\nSubject: x\r\n\r\nx\r\n";
    let refused = support::send(&client, "till@shop.example", &["you@example.net"], content).unwrap_err();
    assert!(refused.to_string().contains("550"), "{refused}");

    let pending = house.json(&["domain", "verify", "shop.example"]);
    assert_eq!((&pending["state"], &pending["keys"][0]["finding"]), (&"pending".into(), &"absent".into()));
    let expected = format!("{} has no TXT record; expected: {}", text(&keys[0]["name"]), text(&keys[0]["record"]));
    assert!(text(&pending["reason"]).contains(&expected), "{}", pending["reason"]);

    dns.publish(text(&keys[0]["name"]), text(&keys[0]["record"]));
    dns.publish(text(&keys[1]["name"]), "v=DKIM1; k=rsa; p=another");
    let wrong = verified(&house, "wrong");
    assert_eq!((&wrong["state"], &wrong["keys"][0]["finding"]), (&"pending".into(), &"right".into()));
    assert!(text(&wrong["reason"]).contains("found: v=DKIM1; k=rsa; p=another"), "{}", wrong["reason"]);

    dns.publish(text(&keys[1]["name"]), text(&keys[1]["record"]));
    let validated = verified(&house, "right");
    assert_eq!((&validated["state"], &validated["reason"]), (&"validated".into(), &"".into()));
    assert!(validated["keys"][0]["seen_at"].is_string() && validated["keys"][2]["seen_at"].is_null());
    let client = house.client(Port::Tls(server.tls), &login);
    support::send(&client, "till@shop.example", &["you@example.net"], content).unwrap();
    let audit = house.json(&["audit", "list", "--limit", "5"]);
    let actions: Vec<&str> = audit.as_array().unwrap().iter().map(|line| text(&line["action"])).collect();
    assert!(actions.contains(&"domain.validate"), "{actions:?}");
}

/// The domain, once a look finds its second record like this: a look right after another is that one.
fn verified(house: &House, finding: &str) -> Value {
    eventually("the look", || {
        let domain = house.json(&["domain", "verify", "shop.example"]);
        (domain["keys"][1]["finding"] == finding).then_some(domain)
    })
}

#[test]
fn by_itself_it_is_seen_too_and_kept_over_a_restart() {
    let dns = NameServer::start();
    let house = house(&dns);
    for key in add_domain(&house) {
        dns.publish(text(&key["name"]), text(&key["record"]));
    }
    let unasked = house.error(&["domain", "verify", "shop.example"]);
    assert_eq!(unasked["kind"], "unavailable", "a running relay asks");
    let server = house.serve();
    let shown = || house.json(&["domain", "show", "shop.example"]);
    eventually("the validation", || (shown()["state"] == "validated").then_some(()));
    let checked_at = shown()["checked_at"].clone();
    assert_eq!(server.stop(), Some(0));
    let again = shown();
    assert_eq!((&again["state"], &again["checked_at"]), (&"validated".into(), &checked_at));
}

#[test]
fn a_name_server_that_does_not_answer_changes_nothing() {
    let house = House::new(1);
    let server = house.serve();
    add_domain(&house);
    let domain = eventually("the look", || {
        let domain = house.json(&["domain", "show", "shop.example"]);
        domain["checked_at"].is_string().then_some(domain)
    });
    assert_eq!((&domain["state"], &domain["keys"][0]["finding"]), (&"pending".into(), &"unknown".into()));
    assert!(text(&domain["reason"]).starts_with("DNS did not say what "), "{}", domain["reason"]);
    assert_eq!(server.stop(), Some(0));
}
