//! A name server that hands on signatures, of a root that signs all but what is below `plain`; it counts what it is asked.

use base64::Engine;
use hickory_resolver::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, NSEC, RRSIG};
use hickory_resolver::proto::dnssec::{Algorithm, DnssecSigner, PublicKey, SigningKey};
use hickory_resolver::proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{NS, SOA};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordSet, RecordType};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::net::UdpSocket;

use super::server::{Records, data, name};

const TTL: u32 = 300;

/// How it answers for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// With signatures.
    Signs,
    /// The same, with what is behind an alias in the same answer, as resolvers do.
    Recurses,
    /// Without what DNSSEC needs.
    Strips,
    /// That there is nothing, in the name of a zone that is not signed and has nothing to say of it.
    Foreign,
    /// Without what DNSSEC needs, and the keys of the root it fails to find.
    Keyless,
    /// With this code alone.
    Says(ResponseCode),
}

/// The server; it ends when dropped.
pub(crate) struct SignedServer {
    pub(crate) address: SocketAddr,
    /// The keys of its root, as trust anchors are written.
    pub(crate) anchors: String,
    state: Arc<Mutex<(Mood, Vec<Query>)>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for SignedServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What it answers from.
struct Zone {
    records: Vec<(Name, RData)>,
    keys: Vec<DNSKEY>,
    signer: DnssecSigner,
}

fn new_key() -> (EcdsaSigningKey, DNSKEY) {
    let algorithm = Algorithm::ECDSAP256SHA256;
    let made = EcdsaSigningKey::generate_pkcs8(algorithm).unwrap();
    let key = EcdsaSigningKey::from_pkcs8(&made, algorithm).unwrap();
    let public = DNSKEY::new(true, true, false, key.to_public_key().unwrap());
    (key, public)
}

impl SignedServer {
    pub(crate) async fn start(records: Records<'_>) -> SignedServer {
        let (key, public) = new_key();
        let text = base64::engine::general_purpose::STANDARD.encode(public.public_key().public_bytes());
        let anchors = format!(". {TTL} IN DNSKEY {} 3 13 {text}\n", public.flags());
        let signer = DnssecSigner::new(public.clone(), Box::new(key), Name::root(), Duration::from_secs(86_400));
        let mut records: Vec<_> = records.iter().map(|(owner, text)| (name(owner), data(text))).collect();
        records.push((name("plain"), RData::NS(NS(name("ns.plain")))));
        // one that is no anchor: where the keys are not signed, it shows
        let other_key = new_key().1;
        let zone = Zone { records, keys: vec![public, other_key], signer };
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let state = Arc::new(Mutex::new((Mood::Signs, Vec::new())));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            let mut octets = [0; 4096];
            loop {
                let (count, from) = socket.recv_from(&mut octets).await.unwrap();
                let asked = Message::from_vec(&octets[..count]).unwrap();
                let mood = {
                    let mut state = shared.lock().unwrap();
                    state.1.extend(asked.queries.iter().cloned());
                    state.0
                };
                socket.send_to(&zone.answer(&asked, mood).to_vec().unwrap(), from).await.unwrap();
            }
        });
        SignedServer { address, anchors, state, serving }
    }

    /// From now on it answers like this.
    pub(crate) fn now(&self, mood: Mood) {
        self.state.lock().unwrap().0 = mood;
    }

    /// How often it was asked this.
    pub(crate) fn asked(&self, owner: &str, kind: RecordType) -> usize {
        let is_it = |query: &&Query| *query.name() == name(owner) && query.query_type() == kind;
        self.state.lock().unwrap().1.iter().filter(is_it).count()
    }
}

impl Zone {
    fn answer(&self, asked: &Message, mood: Mood) -> Message {
        let query = asked.queries[0].clone();
        let (mut owner, kind) = (query.name().clone(), query.query_type());
        let mut answer = Message::response(asked.metadata.id, OpCode::Query);
        answer.metadata.recursion_desired = asked.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.add_query(query);
        let code = match mood {
            Mood::Says(code) => Some(code),
            Mood::Keyless if kind == RecordType::DNSKEY => Some(ResponseCode::ServFail),
            _ => None,
        };
        if let Some(code) = code {
            answer.metadata.response_code = code;
            return answer;
        }
        let is_foreign = mood == Mood::Foreign && kind == RecordType::MX;
        let is_of_hosts = matches!(kind, RecordType::MX | RecordType::A | RecordType::AAAA | RecordType::TLSA);
        loop {
            let is_plain = name("plain").zone_of(&owner) && kind != RecordType::DS;
            let is_bare = is_plain || is_foreign || matches!(mood, Mood::Strips | Mood::Keyless);
            let signed = |records: Vec<Record>| if is_bare { records } else { self.signed(records) };
            let found = if is_foreign { Vec::new() } else { self.found(&owner, kind) };
            let Some(Record { data, .. }) = found.first() else {
                let apex = if is_plain || is_foreign { name("plain") } else { Name::root() };
                let soa = SOA::new(name("ns.plain"), name("host.plain"), 1, 3600, 600, 86_400, 60);
                answer.add_authorities(signed(vec![Record::from_rdata(apex, TTL, RData::SOA(soa))]));
                if !is_bare {
                    answer.add_authorities(signed(vec![self.denial(&owner)]));
                }
                return answer;
            };
            let target = match data {
                RData::CNAME(target) if mood == Mood::Recurses && is_of_hosts => Some(target.0.clone()),
                _ => None,
            };
            answer.add_answers(signed(found));
            match target {
                Some(target) => owner = target,
                None => return answer,
            }
        }
    }

    fn found(&self, owner: &Name, kind: RecordType) -> Vec<Record> {
        let keys = self.keys.iter().map(|key| (Name::root(), RData::DNSSEC(DNSSECRData::DNSKEY(key.clone()))));
        let all = self.records.iter().cloned().chain(keys);
        let its = all.filter(|(name, data)| {
            name == owner && (data.record_type() == kind || data.record_type() == RecordType::CNAME)
        });
        its.map(|(name, data)| Record::from_rdata(name, TTL, data)).collect()
    }

    /// That a name has no more than it has (RFC 4034 §4), the next name being the very next there can be.
    fn denial(&self, owner: &Name) -> Record {
        let kinds = self.records.iter().filter(|(name, _)| name == owner).map(|(_, data)| data.record_type());
        let nsec = NSEC::new_cover_self(owner.prepend_label(&b"\0"[..]).unwrap(), kinds.collect::<Vec<_>>());
        Record::from_rdata(owner.clone(), 60, RData::DNSSEC(DNSSECRData::NSEC(nsec)))
    }

    /// The records of one name and kind, with their signature.
    fn signed(&self, mut records: Vec<Record>) -> Vec<Record> {
        let (owner, kind, ttl) = (records[0].name.clone(), records[0].record_type(), records[0].ttl);
        let mut set = RecordSet::with_ttl(owner.clone(), kind, ttl);
        set.set_records(records.clone());
        let begun = OffsetDateTime::now_utc() - Duration::from_secs(3600);
        let signature = RRSIG::from_rrset(&set, DNSClass::IN, begun, &self.signer).unwrap();
        records.push(Record::from_rdata(owner, ttl, RData::DNSSEC(DNSSECRData::RRSIG(signature))));
        records
    }
}
