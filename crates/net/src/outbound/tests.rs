//! Delivery against next hops that behave, and next hops that do not, on loopback.
#![allow(clippy::unwrap_used)]

mod counted;
mod dane;
mod hop;
mod hostile;
mod login;
mod plain;
mod require_tls;
mod return_path;
mod reuse;
mod search;
mod secure;
mod sources;
mod sts;

use super::*;
use crate::dns::{Lookup, LookupError, Mx, VouchedHost, VouchedMx};
use hop::{Act, Hop, Script, say};
use relay::id::{Id, MessageId};
use relay::queue::{ContentFacts, Origin};
use relay::route::{Route, RouteTls};
use smtp::address::{Address, ReversePath};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Dice that never roll anything but zero.
struct Zeroes;

impl Dice for Zeroes {
    fn fill(&mut self, octets: &mut [u8]) {
        octets.fill(0);
    }
}

/// A resolver that knows what a test says, and faults on nothing else: the rest does not exist.
#[derive(Default)]
struct Book {
    mx: HashMap<&'static str, Entry<(u16, &'static str)>>,
    addresses: HashMap<&'static str, Entry<&'static str>>,
    /// Everything in it is signed.
    is_signed: bool,
    /// But that there is no MX is not proved.
    is_absence_unproved: bool,
    /// Nobody can see for now whether anything is signed.
    is_blind: bool,
    /// What hosts that are aliases lead to.
    aliases: HashMap<&'static str, &'static str>,
    tlsa: HashMap<String, Entry<Vec<u8>>>,
}

type Entry<T> = Result<Vec<T>, LookupError>;

impl Resolver for Book {
    fn mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, Vec<Mx>> {
        let found = self.mx.get(domain).cloned().unwrap_or(Err(LookupError::NoSuchName));
        let record = |(preference, host): (u16, &str)| Mx { preference, host: host.into() };
        Box::pin(async move { found.map(|records| records.into_iter().map(record).collect()) })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
        let found = self.addresses.get(host).cloned().unwrap_or(Err(LookupError::NoSuchName));
        Box::pin(async move { found.map(|texts| texts.into_iter().map(|text| text.parse().unwrap()).collect()) })
    }

    fn txt<'a>(&'a self, _name: &'a str) -> Lookup<'a, Vec<String>> {
        Box::pin(async { Err(LookupError::NoRecord) })
    }

    fn vouched_mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, VouchedMx> {
        Box::pin(async move {
            let records = match self.mx(domain).await {
                Err(LookupError::NoRecord) if self.is_signed && !self.is_absence_unproved => Vec::new(),
                found => found?,
            };
            Ok(VouchedMx { records, is_secure: self.is_signed, owner: domain.to_owned() })
        })
    }

    fn vouched_host<'a>(&'a self, host: &'a str) -> Lookup<'a, VouchedHost> {
        Box::pin(async move {
            let addresses = self.addresses(host).await?;
            let bases = self.aliases.get(host).copied().into_iter().chain([host]).map(str::to_owned);
            Ok(VouchedHost { addresses, bases: if self.is_signed { bases.collect() } else { Vec::new() } })
        })
    }

    fn vouched_tlsa<'a>(&'a self, name: &'a str) -> Lookup<'a, Vec<Vec<u8>>> {
        let found = self.tlsa.get(name).cloned().unwrap_or(Err(LookupError::NoSuchName));
        Box::pin(async move { found })
    }

    fn is_blind(&self) -> bool {
        self.is_blind
    }
}

fn settings() -> OutboundSettings {
    OutboundSettings {
        hostname: "relay.example".into(),
        allow_private: true,
        system_authorities: false,
        ..OutboundSettings::default()
    }
}

/// Waits only so long for each reply; for hops that keep silent.
fn hasty() -> OutboundSettings {
    let short = Duration::from_millis(300);
    let patience = Patience {
        greeting: short,
        tls: short,
        mail: short,
        recipient: short,
        data: short,
        block: short,
        end: short,
        quit: short,
    };
    OutboundSettings { patience, ..settings() }
}

/// An outbound side that routes everything to one next hop.
fn routed(settings: OutboundSettings, to: SocketAddr, tls: RouteTls) -> Outbound {
    let (host, port) = (to.ip().to_string(), to.port());
    let route = Route {
        pattern: "*".into(),
        host,
        port,
        tls,
        implicit_tls: false,
        login: None,
        retry_for: None,
        sign_unpublished: false,
    };
    let routes = Arc::new(Routes::new(vec![route]).unwrap());
    Outbound::new(settings, routes, Arc::new(Book::default()), Box::new(Zeroes)).unwrap()
}

/// An outbound side that asks this book, with MX hosts at this port.
fn by_mx(settings: OutboundSettings, book: Book, port: u16) -> Outbound {
    let settings = OutboundSettings { mx_port: port, ..settings };
    Outbound::new(settings, Arc::default(), Arc::new(book), Box::new(Zeroes)).unwrap()
}

const CONTENT: &[u8] = b"Subject: hello\r\n\r\n.a line with a dot\r\nand one without\r\n";

/// The same with its dot doubled.
const SENT: &[u8] = b"Subject: hello\r\n\r\n..a line with a dot\r\nand one without\r\n";

fn parcel(recipients: &[&str]) -> Parcel {
    let recipients: Vec<_> = recipients.iter().map(|text| Address::parse(text, true).unwrap()).collect();
    let numbers = (0..recipients.len()).map(|number| u16::try_from(number).unwrap()).collect();
    let envelope = Envelope {
        message: MessageId(1),
        account: Id::new(1),
        user: None,
        domain: None,
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(Address::parse("shop@a.example", false).unwrap()),
        recipients,
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: Timestamp(0),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts::default(),
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    };
    let content = Content::Held(Bytes::from_static(CONTENT));
    Parcel {
        envelope: Arc::new(envelope),
        transaction_recipients: 0,
        recipients: numbers,
        seal: None,
        content,
        return_paths: None,
        source: None,
    }
}

async fn deliver(outbound: &Outbound, line: &mut Option<Line>, parcel: &Parcel) -> Delivery {
    let destination = outbound.routes().destination("b.example");
    outbound.deliver(line, &destination, parcel, Timestamp(7)).await
}

/// One delivery over a line of its own.
async fn once(outbound: &Outbound, parcel: &Parcel) -> Delivery {
    deliver(outbound, &mut None, parcel).await
}

/// The findings in short: stage and code, or the kind of failure.
fn short(delivery: &Delivery) -> Vec<String> {
    let one = |(_, finding): &(u16, Finding)| match finding {
        Finding::Replied(stage, reply) => format!("{stage:?} {}", reply.code),
        Finding::Failed(failure) => format!("{failure:?}").split(['(', ' ']).next().unwrap().to_owned(),
    };
    delivery.findings.iter().map(one).collect()
}

/// A polite next hop with these keywords, and other acts where `special` has one.
fn polite(
    keywords: &'static [&'static str],
    special: impl Fn(usize, &str) -> Option<Act> + Send + Sync + 'static,
) -> Script {
    Arc::new(move |connection, line| {
        if let Some(act) = special(connection, line) {
            return act;
        }
        let verb = line.split(' ').next().unwrap_or_default();
        match verb {
            "" => say("220 hub.test ESMTP"),
            "EHLO" => {
                let mut lines = vec!["hub.test"];
                lines.extend(keywords);
                let last = lines.len() - 1;
                let mark = |place| if place == last { ' ' } else { '-' };
                Act::Say(
                    lines.iter().enumerate().map(|(place, word)| format!("250{}{word}\r\n", mark(place))).collect(),
                )
            }
            "DATA" => say("354 go on"),
            "QUIT" => say("221 bye"),
            "STARTTLS" => Act::Handshake,
            _ => say("250 2.0.0 ok"),
        }
    })
}

fn nothing_special(_: usize, _: &str) -> Option<Act> {
    None
}
