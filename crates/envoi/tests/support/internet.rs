//! DNS as others have it, beside a relay that answers for its own zone.

use hickory_server::proto::op::{Message, OpCode, ResponseCode};
use hickory_server::proto::rr::rdata::{A, CNAME, MX, SOA, TXT};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{House, eventually, name_server};

/// What others have in DNS: it may change at any time. Questions about `relay.test` are handed on to the relay.
pub struct Internet {
    pub address: SocketAddr,
    records: Arc<Mutex<Vec<(String, RData)>>>,
    pub relay: Arc<AtomicU16>,
}

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

/// The data of a record as the relay shows it.
fn data(form: &str, value: &str) -> RData {
    match form {
        "A" => RData::A(A(value.parse().unwrap())),
        "CNAME" => RData::CNAME(CNAME(name(value))),
        "MX" => RData::MX(MX::new(10, name(value.rsplit(' ').next().unwrap()))),
        "TXT" => RData::TXT(TXT::from_bytes(value.as_bytes().chunks(255).collect())),
        other => panic!("{other}"),
    }
}

impl Internet {
    pub fn start() -> Internet {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let internet = Internet { address, records: Arc::default(), relay: Arc::default() };
        let (records, relay) = (Arc::clone(&internet.records), Arc::clone(&internet.relay));
        std::thread::spawn(move || {
            let mut question = [0; 4096];
            while let Ok((octets, from)) = socket.recv_from(&mut question) {
                let question = &question[..octets];
                let answer = answer(question, &records.lock().unwrap(), relay.load(Ordering::SeqCst));
                let _ = socket.send_to(&answer.unwrap_or_default(), from);
            }
        });
        internet
    }

    pub fn publish(&self, owner: &str, form: &str, value: &str) {
        self.records.lock().unwrap().push((owner.to_owned(), data(form, value)));
    }

    pub fn publish_all<'v>(&self, records: impl IntoIterator<Item = &'v Value>) {
        records.into_iter().for_each(|record| {
            self.publish(text(&record["name"]), text(&record["form"]), text(&record["value"]));
        });
    }

    pub fn withdraw(&self, owner: &str) {
        self.records.lock().unwrap().retain(|(name, _)| name != owner);
    }
}

fn answer(question: &[u8], records: &[(String, RData)], relay: u16) -> Option<Vec<u8>> {
    let asked = Message::from_vec(question).ok()?;
    let query = asked.queries.first()?;
    let owner = query.name().to_ascii().to_ascii_lowercase().trim_end_matches('.').to_owned();
    if owner.ends_with("relay.test") {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.send_to(question, ("127.0.0.1", relay)).unwrap();
        let mut answer = [0; 4096];
        let octets = socket.recv(&mut answer).ok()?;
        return Some(answer[..octets].to_vec());
    }
    let mut answer = Message::response(asked.metadata.id, OpCode::Query);
    answer.metadata.authoritative = true;
    answer.metadata.recursion_desired = asked.metadata.recursion_desired;
    answer.add_query(query.clone());
    let here: Vec<_> = records.iter().filter(|(name, _)| *name == owner).map(|(_, data)| data.clone()).collect();
    let kind = query.query_type();
    let of = |data: &&RData| data.record_type() == kind || data.record_type() == RecordType::CNAME;
    answer.add_answers(here.iter().filter(of).map(|data| Record::from_rdata(query.name().clone(), 1, data.clone())));
    if answer.answers.is_empty() {
        let start = SOA::new(name("ns.example"), name("host.example"), 1, 60, 60, 60, 1);
        answer.add_authority(Record::from_rdata(name("example"), 1, RData::SOA(start)));
        answer.metadata.response_code = if here.is_empty() { ResponseCode::NXDomain } else { ResponseCode::NoError };
    }
    answer.to_vec().ok()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A relay that asks this internet, and has these lines below `[zone]`.
pub fn house(internet: &Internet, next_hop: u16, zone: &str) -> House {
    let house = House::new(next_hop);
    let config = std::fs::read_to_string(house.config()).unwrap();
    let config = config.replace(&name_server().to_string(), &internet.address.to_string());
    let config = config.replace("sign_unpublished = true\n", "");
    std::fs::write(house.config(), format!("{config}\n[zone]\n{zone}")).unwrap();
    house
}

pub const ZONE: &str = r#"
name = "relay.test"
name_servers = ["ns.relay.test"]
addresses = ["192.0.2.25"]
listen = ["127.0.0.1:0"]
"#;

pub fn add(house: &House) -> Value {
    if house.json(&["account", "list"]).as_array().unwrap().is_empty() {
        house.json(&["account", "add", "--name", "Shop"]);
    }
    house.json(&["domain", "add", "--account", "1", "shop.example"])
}

pub fn records<'v>(domain: &'v Value, purpose: &str) -> Vec<&'v Value> {
    domain["records"].as_array().unwrap().iter().filter(|record| record["purpose"] == purpose).collect()
}

/// The domain, once a look finds it so: a look right after another is that one.
pub fn looked(house: &House, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually("the look", || {
        let domain = house.json(&["domain", "verify", "shop.example"]);
        is_so(&domain).then_some(domain)
    })
}
