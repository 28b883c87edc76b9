//! A relay in paused time, whose mail goes to next hops that misbehave; and what must hold of it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use net::clock::{Clock, SystemDice};
use net::dispatch::{Carrier, Dispatch, Handle, Metrics, Settings};
use net::dns::{Lookup, LookupError, Mx, Resolver};
use net::outbound::{Delivery, Line, Outbound, OutboundSettings, Parcel};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use relay::activity::{ActivityFilter, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::outcome::{Failure, Finding, Stage};
use relay::queue::{ContentFacts, Envelope, Origin};
use relay::route::{Destination, Route, RouteTls, Routes};
use relay::sending_domain::{DomainState, SendingDomain};
use relay::store::{Actor, Book as _, Draft as _, History as _, Spool as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use smtp::address::{Address, ReversePath};
use smtp::reply::{Enhanced, Reply};
use store::memory::Memory;
use tokio::io::DuplexStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::hop::{Fault, Host, Network, Seen};

const START: Timestamp = Timestamp(1_800_000_000_000);

/// When everything must have come to its end: the retry period, and the longest wait behind it.
const END: Duration = Duration::from_secs(6 * 86_400);

/// Mail servers: of a.example the first two, the preferred one first, of b.example the third, and the last is the hub that
/// mail for c.example goes to over TLS alone.
pub(crate) const HOSTS: [&str; 4] = ["mx1.a.example", "mx2.a.example", "mx.b.example", "hub.c.example"];

/// The mail server of whoever sends.
const SENDER: &str = "mx.shop.example";

/// Recipients that a message may have.
pub(crate) const RECIPIENTS: [&str; 5] = ["x@a.example", "y@a.example", "x@b.example", "x@c.example", "y@c.example"];

/// A message: to whom (places in [`RECIPIENTS`]), how many lines it has, and whether it has octets above 127.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) to: Vec<usize>,
    pub(crate) lines: usize,
    pub(crate) has_eight_bit: bool,
}

impl Letter {
    fn content(&self, number: usize) -> Bytes {
        let word = if self.has_eight_bit { "Grüße" } else { "Regards" };
        let line = format!(".{word}, from a line with a dot in front\r\n");
        let head =
            format!("From: app@shop.example\r\nSubject: Letter {number}\r\nMessage-ID: <{number}@shop.example>\r\n");
        Bytes::from(format!("{head}Date: Mon, 23 Nov 2026 21:00:00 +0000\r\n\r\n{}", line.repeat(self.lines)))
    }
}

/// A run: what each mail server does wrong during its first connections, and what is sent.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) faults: [Vec<Vec<Fault>>; 4],
    pub(crate) letters: Vec<Letter>,
}

/// What is wrong with the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Nothing.
    None,
    /// It forgets that it read a 250, once for each message.
    ForgetsReplies,
    /// It takes a connection that was lost for a 250.
    TakesLossForSuccess,
    /// It takes a 421 for a refusal for good.
    TakesBusyForNever,
}

struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        START.after(self.0.elapsed())
    }
}

struct Dns;

fn address_of(host: &str) -> Option<IpAddr> {
    let place = HOSTS.iter().chain([&SENDER]).position(|known| *known == host)?;
    Some(Ipv4Addr::new(192, 0, 2, u8::try_from(place).unwrap() + 1).into())
}

impl Resolver for Dns {
    fn mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, Vec<Mx>> {
        let hosts = HOSTS.iter().chain([&SENDER]).filter(move |host| host.split_once('.').unwrap().1 == domain);
        let records = hosts.enumerate();
        let records: Vec<_> = records
            .map(|(place, host)| Mx { preference: u16::try_from(place).unwrap(), host: (*host).to_owned() })
            .collect();
        Box::pin(async move { if records.is_empty() { Err(LookupError::NoSuchName) } else { Ok(records) } })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
        Box::pin(async move { address_of(host).map(|address| vec![address]).ok_or(LookupError::NoSuchName) })
    }

    fn txt<'a>(&'a self, _name: &'a str) -> Lookup<'a, Vec<String>> {
        Box::pin(async { Err(LookupError::NoRecord) })
    }
}

/// An authority, and certificates by it for the hub and for somebody else: made once for all runs.
#[derive(Clone)]
pub(crate) struct Certificates {
    authority: CertificateDer<'static>,
    right: TlsAcceptor,
    wrong: TlsAcceptor,
}

impl Certificates {
    pub(crate) fn new() -> Certificates {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let acceptor = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let certificate =
                CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
                .unwrap();
            TlsAcceptor::from(Arc::new(config))
        };
        let (right, wrong) = (acceptor(HOSTS[3]), acceptor("somebody.else.example"));
        Certificates { authority: authority.der().clone(), right, wrong }
    }
}

/// The outbound side, with what is wrong with it.
struct Watched {
    outbound: Outbound<Network>,
    mutant: Mutant,
    forgotten: Mutex<Vec<MessageId>>,
}

impl Watched {
    fn mutate(&self, message: MessageId, finding: &mut Finding) {
        let replied = |code, enhanced| {
            Finding::Replied(
                Stage::Content,
                Reply { code, enhanced: Some(enhanced), lines: vec!["so".into()], reference: None },
            )
        };
        match (self.mutant, &*finding) {
            (Mutant::ForgetsReplies, Finding::Replied(Stage::Content, reply)) if reply.code == 250 => {
                let mut forgotten = self.forgotten.lock().unwrap();
                if !forgotten.contains(&message) {
                    forgotten.push(message);
                    *finding = Finding::Failed(Failure::Lost("forgotten".into()));
                }
            }
            (Mutant::TakesLossForSuccess, Finding::Failed(Failure::Lost(_))) => {
                *finding = replied(250, Enhanced(2, 0, 0));
            }
            (Mutant::TakesBusyForNever, Finding::Replied(_, reply)) if reply.code == 421 => {
                *finding = replied(554, Enhanced(5, 0, 0));
            }
            _ => {}
        }
    }
}

impl Carrier for Watched {
    type Line = Line<DuplexStream>;

    fn routes(&self) -> &Routes {
        self.outbound.routes()
    }

    async fn hosts(&self, destination: &Destination) -> Option<Vec<String>> {
        self.outbound.hosts(destination).await
    }

    async fn deliver(
        &self,
        line: &mut Option<Line<DuplexStream>>,
        destination: &Destination,
        parcel: &Parcel,
        at: Timestamp,
    ) -> Delivery {
        let mut delivery = self.outbound.deliver(line, destination, parcel, at).await;
        for (_, finding) in &mut delivery.findings {
            self.mutate(parcel.envelope.message, finding);
        }
        delivery
    }

    async fn close(&self, line: Line<DuplexStream>) {
        line.close().await;
    }
}

struct World {
    store: Memory,
    seen: Arc<Mutex<Seen>>,
    clock: Arc<PausedClock>,
    handle: Handle,
    domain: Arc<SendingDomain>,
}

impl World {
    fn new(plan: &Plan, certificates: &Certificates, mutant: Mutant) -> World {
        let (store, seen) = (Memory::new(), Arc::<Mutex<Seen>>::default());
        let host = |faults: Vec<Vec<Fault>>| {
            let Certificates { right, wrong, .. } = certificates.clone();
            Arc::new(Host { faults, right, wrong, connections: Mutex::default() })
        };
        let faults = plan.faults.iter().cloned().chain([Vec::new()]);
        let hosts: HashMap<IpAddr, Arc<Host>> = HOSTS
            .iter()
            .chain([&SENDER])
            .zip(faults)
            .map(|(name, faults)| (address_of(name).unwrap(), host(faults)))
            .collect();
        let network = Network { hosts, seen: Arc::clone(&seen) };
        let route = Route {
            pattern: "c.example".into(),
            host: HOSTS[3].into(),
            port: 25,
            tls: RouteTls::Required,
            implicit_tls: false,
            login: None,
            retry_for: None,
            sign_unpublished: false,
        };
        let settings = OutboundSettings {
            hostname: "relay.example".into(),
            allow_private: true,
            system_authorities: false,
            authorities: vec![certificates.authority.clone()],
            dane: false,
            ..OutboundSettings::default()
        };
        let routes = Arc::new(Routes::new(vec![route]).unwrap());
        let outbound = Outbound::dialling_by(network, settings, routes, Arc::new(Dns), Box::new(SystemDice)).unwrap();
        let actor = Actor { name: "operator".into(), from: "test".into() };
        let account = store.account_add("Shop", &actor, START).unwrap().id;
        let domain = store.domain_add(account, "shop.example", Vec::new(), &actor, START).unwrap();
        let domain = store.domain_state(domain.id, DomainState::Vouched, &actor, START).unwrap();
        let clock = Arc::new(PausedClock(Instant::now()));
        let handle = Dispatch::start(
            Settings::new("relay.example", Id::new(999)),
            Arc::new(store.clone()),
            Arc::new(Watched { outbound, mutant, forgotten: Mutex::default() }),
            clock.clone(),
            Box::new(SystemDice),
            Metrics::default(),
        );
        World { store, seen, clock, handle, domain }
    }

    async fn send(&self, number: usize, letter: &Letter) {
        let content = letter.content(number);
        let header_octets = content.windows(4).position(|octets| octets == b"\r\n\r\n").unwrap() as u64 + 4;
        let address = |text: &str| Address::parse(text, false).unwrap();
        let envelope = Envelope {
            message: id_of(number),
            account: self.domain.account,
            user: None,
            domain: Some(self.domain.id),
            origin: Origin::Submission,
            reverse_path: ReversePath::Mailbox(address("app@shop.example")),
            recipients: letter.to.iter().map(|place| address(RECIPIENTS[*place])).collect(),
            suppressed: Vec::new(),
            header_needs_smtputf8: false,
            needs_eight_bit: letter.has_eight_bit,
            accepted_at: self.clock.now(),
            days_ahead: 0,
            retry_for: None,
            sandbox: false,
            facts: ContentFacts { octets: content.len() as u64, header_octets, ..ContentFacts::default() },
            session: None,
            requests: None,
            tls_wish: relay::queue::TlsWish::AsAsked,
            priority: relay::priority::Priority::NORMAL,
        };
        let mut draft = self.store.draft().unwrap();
        draft.append(content).await.unwrap();
        self.store.commit(envelope.clone(), draft).await.unwrap();
        self.handle.arrived(&envelope);
    }

    /// What became of a recipient, and what next hops saw of it.
    fn judge(&self, number: usize, letter: &Letter, recipient: &str) -> Result<(), String> {
        let filter = ActivityFilter { message: Some(id_of(number)), ..ActivityFilter::default() };
        let rows = self.store.activity(&filter).unwrap();
        let row = rows.iter().find(|row| row.recipient == recipient);
        let (status, reason) = (row.map(|row| row.status), row.map_or("", |row| row.reason.as_str()));
        let (seen, content) = (self.seen.lock().unwrap(), letter.content(number));
        let is_it = |to: &str, found: &[u8]| to == recipient && found == content;
        let taken: Vec<_> = seen.taken.iter().filter(|taken| is_it(&taken.recipient, &taken.content)).collect();
        let told = format!("letter {number} to {recipient}, {status:?} ({reason}), taken {}", taken.len());
        let read = taken.iter().filter(|taken| taken.replied).count();
        if taken.iter().rev().skip(1).any(|taken| taken.replied) {
            return Err(format!("sent again after a reply that was read: {told}"));
        }
        if recipient.ends_with("@c.example") && taken.iter().any(|taken| taken.tls != Some(true)) {
            return Err(format!("handed over without the TLS that was asked for: {told}"));
        }
        let may_fail =
            seen.refused.iter().any(|(to, found)| is_it(to, found)) || letter.has_eight_bit && seen.eight_bit_missing;
        match status {
            Some(Status::Delivered) if read == 1 => Ok(()),
            Some(Status::Delivered) => Err(format!("lost: nobody said that it was taken: {told}")),
            Some(Status::HardBounce | Status::SoftBounce) if read == 0 && may_fail => Ok(()),
            Some(Status::HardBounce | Status::SoftBounce) => Err(format!("given up without a cause: {told}")),
            _ => Err(format!("never came to its end: {told}")),
        }
    }

    fn judge_all(&self, plan: &Plan) -> Result<(), String> {
        for (number, letter) in plan.letters.iter().enumerate() {
            for place in &letter.to {
                self.judge(number, letter, RECIPIENTS[*place])?;
            }
        }
        let seen = self.seen.lock().unwrap();
        let contents: Vec<_> = plan.letters.iter().enumerate().map(|(number, letter)| letter.content(number)).collect();
        let to_others = |recipient: &str| !recipient.ends_with("@shop.example");
        if seen
            .taken
            .iter()
            .any(|taken| to_others(&taken.recipient) && !contents.iter().any(|own| *own == taken.content))
        {
            return Err("content was changed on its way".into());
        }
        let left = self.store.queue(None, 100).len();
        if left > 0 {
            return Err(format!("{left} messages are left"));
        }
        seen.violations.first().map_or(Ok(()), |violation| Err(violation.clone()))
    }
}

fn id_of(number: usize) -> MessageId {
    // the time of ids is in front
    MessageId((u128::from(START.0) << 80) + number as u128 + 1)
}

/// Runs a plan to its end, in no time.
pub(crate) fn run(plan: &Plan, certificates: &Certificates, mutant: Mutant) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::new(plan, certificates, mutant);
        for (number, letter) in plan.letters.iter().enumerate() {
            world.send(number, letter).await;
        }
        let ends = Instant::now() + END;
        while Instant::now() < ends && !world.store.queue(None, 1).is_empty() {
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        let judged = world.judge_all(plan);
        world.handle.shutdown(Duration::ZERO).await;
        judged
    })
}
