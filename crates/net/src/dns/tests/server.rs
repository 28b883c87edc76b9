//! A real authoritative name server on loopback, and some that are broken.

use hickory_server::Server;
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, SOA, TXT};
use hickory_server::proto::rr::{LowerName, Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};

/// Records of a test: name, and data as a zone file spells it: `MX 10 mail.zone.test`, `A 192.0.2.1`, …
pub(crate) type Records<'a> = &'a [(&'a str, &'a str)];

/// The zone `zone.test` with these records; it ends when dropped.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    _server: Server<Catalog>,
}

pub(super) fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

pub(super) fn data(text: &str) -> RData {
    let (kind, rest) = text.split_once(' ').unwrap();
    match kind {
        "A" => RData::A(A(rest.parse().unwrap())),
        "AAAA" => RData::AAAA(AAAA(rest.parse().unwrap())),
        "CNAME" => RData::CNAME(CNAME(name(rest))),
        "PTR" => RData::PTR(PTR(name(rest))),
        "TXT" => RData::TXT(TXT::new(rest.split('|').map(str::to_owned).collect())),
        "MX" => {
            let (preference, host) = rest.split_once(' ').unwrap();
            RData::MX(MX::new(preference.parse().unwrap(), name(host)))
        }
        other => panic!("{other}"),
    }
}

impl NameServer {
    pub(crate) async fn start(records: Records<'_>) -> NameServer {
        let origin = name("zone.test");
        let mut zone: InMemoryZoneHandler =
            InMemoryZoneHandler::empty(origin.clone(), ZoneType::Primary, AxfrPolicy::Deny);
        let soa = SOA::new(name("ns.zone.test"), name("host.zone.test"), 1, 3600, 600, 86_400, 60);
        zone.upsert_mut(Record::from_rdata(origin.clone(), 3600, RData::SOA(soa)), 0);
        for (owner, text) in records {
            zone.upsert_mut(Record::from_rdata(name(owner), 3600, data(text)), 0);
        }
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&origin), vec![Arc::new(zone)]);
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().unwrap();
        let mut server = Server::new(catalog);
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(5), 32);
        NameServer { address, _server: server }
    }
}

/// The same free port for both protocols.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

/// A name server that answers every query with this code, or never.
pub(crate) struct BrokenServer {
    pub(crate) address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for BrokenServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl BrokenServer {
    pub(crate) async fn start(code: Option<u8>) -> BrokenServer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut message = [0; 512];
            loop {
                let (octets, from) = socket.recv_from(&mut message).await.unwrap();
                let Some(code) = code else { continue };
                // the query as it came, turned into a response (RFC 1035 §4.1.1)
                message[2] |= 0x80;
                message[3] = 0x80 | code;
                socket.send_to(&message[..octets], from).await.unwrap();
            }
        });
        BrokenServer { address, serving }
    }
}
