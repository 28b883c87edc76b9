//! The zone, asked by a resolver over real sockets, and by hand where a resolver would not.

use super::*;
use crate::clock::SystemClock;
use crate::dns::{DnsSettings, NameServers, Witness};
use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use relay::clock::Timestamp;
use relay::inspection::{Kind, Question, Said};
use relay::sending_domain::{DkimKey, KeyAlgorithm};
use relay::store::{Actor, NewDkimKey};
use relay::zone::Zone;
use smtp::server::Secret;
use store::memory::Memory;

struct World {
    store: Memory,
    server: Arc<NameServer<Memory>>,
    address: SocketAddr,
    shutdown: Shutdown,
    record: String,
}

impl World {
    async fn start(limits: &Limits) -> World {
        let store = Memory::new();
        let by = Actor { name: "operator".into(), from: "test".into() };
        let account = store.account_add("Shop", &by, Timestamp(1)).unwrap();
        let record = format!("v=DKIM1; k=rsa; p={}", "A".repeat(500));
        let (algorithm, active) = (KeyAlgorithm::Rsa2048, true);
        let key = DkimKey::new("abc", algorithm, record.clone(), active);
        let keys = vec![NewDkimKey { key, private: Secret::new(Vec::new()) }];
        store.domain_add(account.id, "shop.example", keys, &by, Timestamp(1)).unwrap();
        let zone = Zone { name: "z.test".into(), name_servers: vec!["ns.z.test".into()], is_served: true };
        let addresses = vec!["192.0.2.25".parse().unwrap()];
        let publisher = Publisher { hostname: "out.z.test".into(), addresses, zone: Some(zone), dmarc_reports: None };
        let clock = Arc::new(SystemClock::new());
        let server = NameServer::new(Arc::new(store.clone()), Arc::new(publisher), clock, limits);
        let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (address, shutdown) = (sockets.address(), Shutdown::new());
        server.serve(sockets, &shutdown);
        World { store, server, address, shutdown, record }
    }

    /// What a resolver makes of it.
    async fn resolved(&self, name: &str, kind: Kind) -> Said {
        let settings = DnsSettings { servers: vec![self.address], ..DnsSettings::default() };
        let answer = NameServers::new(&settings).unwrap().ask(&Question { name: name.into(), kind }).await;
        assert_eq!(answer.server, Some(self.address));
        answer.said
    }

    async fn udp(&self, question: &[u8]) -> Message {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(question, self.address).await.unwrap();
        let mut answer = [0; 4_096];
        let octets = socket.recv(&mut answer).await.unwrap();
        assert!(octets <= 1_232);
        Message::from_vec(&answer[..octets]).unwrap()
    }

    async fn tcp(&self, question: &[u8]) -> Message {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        send(&mut stream, question).await;
        let mut answer = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut answer).await.unwrap();
        Message::from_vec(&answer).unwrap()
    }
}

async fn send(stream: &mut TcpStream, question: &[u8]) {
    let length = u16::try_from(question.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], question].concat()).await.unwrap();
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn large(name: &str, kind: RecordType, payload: u16) -> Vec<u8> {
    let mut message = question(name, kind);
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    message.set_edns(edns);
    message.to_vec().unwrap()
}

#[tokio::test]
async fn a_resolver_finds_what_a_domain_leads_to() {
    let world = World::start(&Limits::default()).await;
    let found = |texts: &[&str]| Said::Found(texts.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(world.resolved("abc-1.dkim.z.test", Kind::Txt).await, found(&[&world.record]));
    assert_eq!(world.resolved("ABC-1.dkim.Z.test", Kind::Txt).await, found(&[&world.record]));
    assert_eq!(world.resolved("abc-1.rp.z.test", Kind::Mx).await, found(&["10 out.z.test"]));
    assert_eq!(world.resolved("abc-1.rp.z.test", Kind::Txt).await, found(&["v=spf1 ip4:192.0.2.25 -all"]));
    assert_eq!(world.resolved("out.z.test", Kind::A).await, found(&["192.0.2.25"]));
    assert_eq!(world.resolved("out.z.test", Kind::Aaaa).await, Said::Nothing);
    assert_eq!(world.resolved("dkim.z.test", Kind::Txt).await, Said::Nothing);
    assert_eq!(world.resolved("xyz-1.dkim.z.test", Kind::Txt).await, Said::Nothing);
    assert!(matches!(world.resolved("shop.example", Kind::Txt).await, Said::Fault(_)), "it resolves for nobody");
    world.shutdown.begin();
    assert!(world.shutdown.finished(Duration::from_secs(60)).await);
}

#[tokio::test]
async fn a_key_is_in_strings_of_255_octets_and_too_large_for_a_small_packet() {
    let world = World::start(&Limits::default()).await;
    let asked = |payload| large("abc-1.dkim.z.test", RecordType::TXT, payload);
    let whole = world.udp(&asked(4_096)).await;
    let RData::TXT(txt) = &whole.answers[0].data else { panic!("{whole:?}") };
    assert_eq!(txt.txt_data.iter().map(|string| string.len()).collect::<Vec<_>>(), [255, 255, 8]);
    assert!(whole.metadata.authoritative && !whole.metadata.recursion_available && whole.metadata.recursion_desired);
    assert_eq!(whole.edns.as_ref().unwrap().max_payload(), 1_232);
    for small in [asked(100), question("abc-1.dkim.z.test", RecordType::TXT).to_vec().unwrap()] {
        let cut = world.udp(&small).await;
        assert!(cut.metadata.truncation && cut.answers.is_empty() && cut.metadata.id == 7);
        assert_eq!(world.tcp(&small).await.answers, whole.answers);
    }
}

#[tokio::test]
async fn what_is_not_there_is_denied_with_the_start_of_the_zone() {
    let world = World::start(&Limits::default()).await;
    let asked = |name, kind| large(name, kind, 1_232);
    for (name, kind, code) in [
        ("nobody.z.test", RecordType::A, ResponseCode::NXDomain),
        ("abc-1.dkim.z.test", RecordType::MX, ResponseCode::NoError),
        ("rp.z.test", RecordType::MX, ResponseCode::NoError),
    ] {
        let denied = world.udp(&asked(name, kind)).await;
        assert_eq!((denied.metadata.response_code, denied.answers.len()), (code, 0), "{name}");
        assert!(matches!(&denied.authorities[0].data, RData::SOA(soa) if soa.minimum == 60), "{denied:?}");
        assert!(denied.metadata.authoritative);
    }
    let start = world.udp(&asked("z.test", RecordType::SOA)).await;
    assert!(matches!(&start.answers[0].data, RData::SOA(soa) if soa.serial > 1_700_000_000));
    let servers = world.udp(&asked("z.test", RecordType::NS)).await;
    assert!(matches!(&servers.answers[0].data, RData::NS(server) if server.0.to_ascii() == "ns.z.test."));
}

#[tokio::test]
async fn nothing_is_said_that_others_could_make_much_of() {
    let world = World::start(&Limits::default()).await;
    let code = |message: Message| message.metadata.response_code;
    for (name, kind) in [("example.org", RecordType::A), ("z.test", RecordType::AXFR), ("z.test.org", RecordType::SOA)]
    {
        let refused = world.udp(&large(name, kind, 1_232)).await;
        assert_eq!(refused.metadata.response_code, ResponseCode::Refused, "{name}");
        assert!(refused.answers.is_empty() && refused.authorities.is_empty());
    }
    let any = world.udp(&large("abc-1.dkim.z.test", RecordType::ANY, 4_096)).await;
    assert!(matches!(any.answers.as_slice(), [one] if matches!(&one.data, RData::HINFO(_))), "{any:?}");
    let mut other = question("z.test", RecordType::SOA);
    other.metadata.op_code = OpCode::Update;
    assert_eq!(code(world.udp(&other.to_vec().unwrap()).await), ResponseCode::NotImp);
    let mut two = question("z.test", RecordType::SOA);
    two.add_query(two.queries[0].clone());
    assert_eq!(code(world.udp(&two.to_vec().unwrap()).await), ResponseCode::FormErr);
    let mut torn = question("z.test", RecordType::SOA).to_vec().unwrap();
    torn.truncate(torn.len() - 3);
    assert_eq!(code(world.udp(&torn).await), ResponseCode::FormErr);
    let mut newer = question("z.test", RecordType::SOA);
    let mut edns = Edns::new();
    edns.set_version(1);
    newer.set_edns(edns);
    // 16 is BADVERS here, and BADSIG elsewhere (RFC 6895 §2.3)
    assert_eq!(u16::from(code(world.udp(&newer.to_vec().unwrap()).await)), 16);
    // an answer is never answered, and neither is what is none
    let answer = Message::response(7, OpCode::Query).to_vec().unwrap();
    for silent in [&answer[..], &answer[..5], b"", &[0xff; 40]] {
        assert_eq!(world.server.answer(silent, Size::Packet), None, "{silent:?}");
    }
}

#[tokio::test]
async fn no_octets_make_it_say_more_than_a_packet() {
    let world = World::start(&Limits::default()).await;
    let asked = large("abc-1.dkim.z.test", RecordType::TXT, u16::MAX);
    for place in 0..asked.len() {
        for octet in 0..=u8::MAX {
            let mut question = asked.clone();
            question[place] = octet;
            for end in [question.len(), place + 1] {
                let answer = world.server.answer(&question[..end], Size::Packet);
                assert!(answer.is_none_or(|answer| answer.len() <= 1_232), "{place} {octet}");
            }
        }
    }
}

#[tokio::test]
async fn who_asks_too_fast_is_sent_to_tcp_or_gets_nothing() {
    let limits = Limits { zone_queries_per_minute: 20, ..Limits::default() };
    let world = World::start(&limits).await;
    let (here, there) = ("192.0.2.9:5".parse().unwrap(), "192.0.2.10:5".parse().unwrap());
    let asked = large("abc-1.dkim.z.test", RecordType::TXT, 1_232);
    let answered = |peer| world.server.answer_udp(&asked, peer);
    assert!(answered(here).unwrap().len() > asked.len());
    let further: Vec<_> = (0..10).filter_map(|_| answered(here)).collect();
    assert_eq!(further.len(), 5);
    for answer in further {
        assert!(answer.len() <= asked.len(), "no more is sent than came");
        assert!(Message::from_vec(&answer).unwrap().metadata.truncation);
    }
    assert!(answered(there).unwrap().len() > asked.len(), "others are served");
    assert!(!world.tcp(&asked).await.answers.is_empty());
}

#[tokio::test]
async fn connections_are_few_and_end() {
    let limits = Limits { zone_address_connections_max: 2, zone_connection_seconds: 1, ..Limits::default() };
    let world = World::start(&limits).await;
    let asked = large("abc-1.dkim.z.test", RecordType::TXT, 1_232);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        send(&mut stream, &asked).await;
        assert!(stream.read_u16().await.unwrap() > 400);
        held.push(stream);
    }
    let mut third = TcpStream::connect(world.address).await.unwrap();
    let mut rest = Vec::new();
    // closed, or reset
    assert_eq!(third.read_to_end(&mut rest).await.unwrap_or(0), 0, "one too many");
    for mut stream in held {
        stream.read_to_end(&mut rest).await.unwrap();
    }
    assert!(!world.tcp(&asked).await.answers.is_empty(), "their places are given back");
    drop(world.store);
}

#[tokio::test]
async fn a_question_that_is_too_long_ends_the_connection() {
    let world = World::start(&Limits::default()).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_u16(u16::MAX).await.unwrap();
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await.unwrap_or(0), 0);
}
