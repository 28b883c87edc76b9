//! The world of these tests: a store, a next hop that does as it is told, a clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use relay::activity::{ActivityEvent, ActivityFilter, ActivityRow, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::outcome::{Failure, Finding, Stage};
use relay::queue::{Attempt, ContentFacts, Envelope, Origin};
use relay::route::{Destination, Route, RouteTls, Routes};
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use relay::store::{Actor, Book, Content, Draft, History, NewDkimKey, Spool};
use relay::verification::{Check, RecordState};
use smtp::address::{Address, ReversePath};
use smtp::reply::{Enhanced, Reply};
use smtp::server::Secret;
use store::memory::Memory;
use tokio::time::Instant;

use super::super::driver::Driver;
use super::super::{Carrier, Dispatch, Handle, Metrics, Settings};
use crate::clock::{Clock, SystemDice};
use crate::outbound::{Delivery, Parcel};

pub(super) const START: Timestamp = Timestamp(1_800_000_000_000);

/// The relay's own account.
pub(super) const SYSTEM: u64 = 999;

pub(super) fn operator() -> Actor {
    Actor { name: "operator".into(), from: "test".into() }
}

/// The runtime's paused clock, as ours.
pub(super) struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        START.after(self.0.elapsed())
    }
}

/// What the next hop of a domain does with each recipient.
#[derive(Clone)]
pub(super) enum Hop {
    Takes,
    Says(Stage, u16, Enhanced, &'static str),
    Fails(Failure),
    /// What comes from one source; others' mail is taken.
    From(&'static str, Stage, u16, Enhanced, &'static str),
    /// By recipient's local part; others are taken.
    Mixed(Vec<(&'static str, Stage, u16, Enhanced, &'static str)>),
    /// The attempt itself goes wrong.
    Panics,
}

/// One parcel as it came to the next hop.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    pub(super) at: Timestamp,
    pub(super) line: u64,
    pub(super) envelope: Arc<Envelope>,
    pub(super) recipients: Vec<String>,
    pub(super) seal: Option<Bytes>,
    pub(super) content: Bytes,
}

#[derive(Default)]
pub(super) struct Hops {
    /// What each domain does, and `route` what every route does; taken where nothing is said.
    pub(super) script: HashMap<String, Hop>,
    /// The mail server of a domain; one of its own where nothing is said.
    pub(super) hosts: HashMap<String, String>,
    /// The mail server that answers for a domain, where it is another one than is found.
    pub(super) answers: HashMap<String, String>,
    /// DNS does not say which mail servers a domain has.
    pub(super) are_unknown: bool,
    pub(super) carried: Vec<Carried>,
    pub(super) dials: u64,
    pub(super) busy: usize,
    pub(super) busy_max: usize,
    pub(super) closed: usize,
    /// The domain's private key cannot be used.
    pub(super) is_key_broken: bool,
    /// How long a parcel takes.
    pub(super) pace: Duration,
}

impl Hops {
    fn host(&self, domain: &str) -> String {
        self.hosts.get(domain).cloned().unwrap_or_else(|| format!("mx.{domain}"))
    }
}

/// The scripted next hops of the whole internet.
pub(super) struct Script {
    routes: Routes,
    clock: Arc<PausedClock>,
    pub(super) hops: Mutex<Hops>,
}

pub(super) struct ScriptLine(u64);

fn finding(stage: Stage, code: u16, enhanced: Enhanced, text: &'static str) -> Finding {
    Finding::Replied(stage, Reply { code, enhanced: Some(enhanced), lines: vec![text.into()], reference: None })
}

fn taken() -> Finding {
    finding(Stage::Content, 250, Enhanced(2, 0, 0), "Ok: queued as NEXT")
}

impl Hop {
    fn finding(&self, local: &str) -> Finding {
        match self {
            Hop::Takes => taken(),
            Hop::Says(stage, code, enhanced, text) => finding(*stage, *code, *enhanced, text),
            Hop::Fails(failure) => Finding::Failed(failure.clone()),
            Hop::Mixed(cases) => match cases.iter().find(|case| case.0 == local) {
                Some((_, stage, code, enhanced, text)) => finding(*stage, *code, *enhanced, text),
                None => taken(),
            },
            Hop::From(_, stage, code, enhanced, text) => finding(*stage, *code, *enhanced, text),
            Hop::Panics => unreachable!("nothing is found"),
        }
    }
}

impl Carrier for Script {
    type Line = ScriptLine;

    fn routes(&self) -> &Routes {
        &self.routes
    }

    async fn hosts(&self, destination: &Destination) -> Option<Vec<String>> {
        let (Destination::Mx { domain } | Destination::Waiving { domain }) = destination else {
            return Some(vec!["route".into()]);
        };
        let hops = self.hops.lock().unwrap();
        (!hops.are_unknown).then(|| vec![hops.host(domain)])
    }

    async fn deliver(
        &self,
        line: &mut Option<ScriptLine>,
        destination: &Destination,
        parcel: &Parcel,
        at: Timestamp,
    ) -> Delivery {
        let pace = {
            let mut hops = self.hops.lock().unwrap();
            if line.is_none() {
                hops.dials += 1;
                *line = Some(ScriptLine(hops.dials));
            }
            hops.busy += 1;
            hops.busy_max = hops.busy_max.max(hops.busy);
            hops.pace
        };
        tokio::time::sleep(pace).await;
        let mut hops = self.hops.lock().unwrap();
        hops.busy -= 1;
        let hop = match destination {
            Destination::Mx { domain } => hops.script.get(domain).cloned().unwrap_or(Hop::Takes),
            Destination::Route { .. } => hops.script.get("route").cloned().unwrap_or(Hop::Takes),
            Destination::Waiving { .. } => Hop::Takes,
        };
        if matches!(hop, Hop::Panics) {
            drop(hops);
            panic!("a fault of ours, in the middle of an attempt");
        }
        let source = parcel.source.as_ref().map(|source| source.name.clone());
        let hop = match hop {
            Hop::From(blocked, ..) if source.as_deref() != Some(blocked) => Hop::Takes,
            hop => hop,
        };
        let addresses: Vec<&Address> =
            parcel.recipients.iter().map(|number| &parcel.envelope.recipients[usize::from(*number)]).collect();
        let findings: Vec<(u16, Finding)> = parcel
            .recipients
            .iter()
            .zip(&addresses)
            .map(|(number, address)| (*number, hop.finding(address.local())))
            .collect();
        let Content::Held(content) = &parcel.content else { panic!("the model holds its content") };
        let number = line.as_ref().map_or(0, |line| line.0);
        let recipients = addresses.iter().map(ToString::to_string).collect();
        let (envelope, seal, content) = (parcel.envelope.clone(), parcel.seal.clone(), content.clone());
        hops.carried.push(Carried { at: self.clock.now(), line: number, envelope, recipients, seal, content });
        if findings.iter().all(|(_, finding)| matches!(finding, Finding::Failed(_))) {
            *line = None;
        }
        let domain = addresses[0].domain();
        let host = hops.answers.get(domain).cloned().unwrap_or_else(|| hops.host(domain));
        let milliseconds = pace.as_millis() as u64;
        let attempt = Attempt { at, milliseconds, host, remote: None, tls: "none".into(), source, others: Vec::new() };
        // as a next hop that lists DSN, where its name says so
        let is_asked = parcel.envelope.requests.is_some() && domain.starts_with("dsn.");
        let passed_on = if is_asked { parcel.recipients.clone() } else { Vec::new() };
        Delivery { attempt, findings, passed_on, protection: None }
    }

    async fn close(&self, _line: ScriptLine) {
        self.hops.lock().unwrap().closed += 1;
    }
}

pub(super) struct World {
    pub(super) store: Memory,
    pub(super) script: Arc<Script>,
    pub(super) clock: Arc<PausedClock>,
    pub(super) settings: Settings,
    pub(super) domain: Arc<SendingDomain>,
    pub(super) handle: Handle,
}

pub(super) fn route(pattern: &str, sign_unpublished: bool) -> Route {
    Route {
        pattern: pattern.into(),
        host: "127.0.0.1".into(),
        port: 2525,
        tls: RouteTls::None,
        implicit_tls: false,
        login: None,
        retry_for: None,
        sign_unpublished,
    }
}

impl World {
    pub(super) fn new() -> Self {
        World::with(Vec::new(), |_, _| {})
    }

    pub(super) fn with(routes: Vec<Route>, change: impl FnOnce(&mut Settings, &mut Hops)) -> Self {
        let store = Memory::new();
        let clock = Arc::new(PausedClock(Instant::now()));
        let account = store.account_add("Shop", &operator(), START).unwrap();
        let mut settings = Settings::new("relay.example", Id::new(SYSTEM));
        let mut hops = Hops::default();
        change(&mut settings, &mut hops);
        let private = message::dkim::generate_ed25519().unwrap();
        let secret = if hops.is_key_broken { vec![0; 8] } else { private.clone() };
        let key = DkimKey::new("s1", KeyAlgorithm::Ed25519, message::dkim::record(&private).unwrap(), true);
        let keys = vec![NewDkimKey { key, private: Secret::new(secret) }];
        let domain = store.domain_add(account.id, "shop.example", keys, &operator(), START).unwrap();
        let domain = store.domain_state(domain.id, DomainState::Vouched, &operator(), START).unwrap();
        let script =
            Arc::new(Script { routes: Routes::new(routes).unwrap(), clock: clock.clone(), hops: Mutex::new(hops) });
        let handle = start(&settings, &store, &script, &clock);
        World { store, script, clock, settings, domain, handle }
    }

    /// A new driver over the same store, as after a restart.
    pub(super) fn restart(&mut self) {
        self.handle = start(&self.settings, &self.store, &self.script, &self.clock);
    }

    /// A driver over the same store that has loaded nothing of the queue.
    pub(super) fn unloaded(&self) -> Arc<Driver<Memory, Script>> {
        let (store, script, clock) = (Arc::new(self.store.clone()), self.script.clone(), self.clock.clone());
        Arc::new(Driver::new(self.settings.clone(), store, script, clock, Box::new(SystemDice), Metrics::default()))
    }

    pub(super) fn key_seen(&self) {
        let records = vec![("s1".to_owned(), RecordState::Right)];
        self.store.domain_check(self.domain.id, Check::new(START, records)).unwrap();
    }

    pub(super) fn hop(&self, domain: &str, hop: Hop) {
        self.script.hops.lock().unwrap().script.insert(domain.into(), hop);
    }

    pub(super) fn envelope(&self, message: u128, recipients: &[&str]) -> Envelope {
        let address = |text: &&str| Address::parse(text, true).unwrap();
        Envelope {
            // the time of ids is in front
            message: MessageId((u128::from(START.0) << 80) + message),
            account: self.domain.account,
            user: None,
            domain: Some(self.domain.id),
            origin: Origin::Submission,
            reverse_path: ReversePath::Mailbox(address(&"app@shop.example")),
            recipients: recipients.iter().map(address).collect(),
            suppressed: Vec::new(),
            header_needs_smtputf8: false,
            needs_eight_bit: false,
            accepted_at: self.clock.now(),
            days_ahead: 0,
            retry_for: None,
            sandbox: false,
            facts: ContentFacts {
                octets: CONTENT.len() as u64,
                header_octets: CONTENT.find("\r\n\r\n").unwrap() as u64 + 4,
                ..ContentFacts::default()
            },
            session: None,
            requests: None,
            tls_wish: relay::queue::TlsWish::AsAsked,
            priority: relay::priority::Priority::NORMAL,
        }
    }

    /// Keeps a message without telling the driver.
    pub(super) async fn keep(&self, envelope: Envelope) -> MessageId {
        let message = envelope.message;
        let mut draft = self.store.draft().unwrap();
        draft.append(Bytes::from_static(CONTENT.as_bytes())).await.unwrap();
        self.store.commit(envelope, draft).await.unwrap();
        message
    }

    pub(super) async fn submit(&self, envelope: Envelope) -> MessageId {
        let message = self.keep(envelope.clone()).await;
        self.handle.arrived(&envelope);
        message
    }

    pub(super) async fn send(&self, message: u128, recipients: &[&str]) -> MessageId {
        self.submit(self.envelope(message, recipients)).await
    }

    /// Lets time pass; with nothing to do it passes at once.
    pub(super) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Lets everything be done that can be done without time passing for the next hop.
    pub(super) async fn settle(&self) {
        self.pass(Duration::from_millis(1)).await;
    }

    pub(super) fn carried(&self) -> Vec<Carried> {
        self.script.hops.lock().unwrap().carried.clone()
    }

    pub(super) fn dials(&self) -> u64 {
        self.script.hops.lock().unwrap().dials
    }

    pub(super) fn live(&self) -> usize {
        self.store.queue(None, 1000).len()
    }

    pub(super) fn rows(&self, message: MessageId) -> Vec<ActivityRow> {
        let filter = ActivityFilter { message: Some(message), ..ActivityFilter::default() };
        let mut rows = self.store.activity(&filter).unwrap();
        rows.sort_by(|one, other| one.recipient.cmp(&other.recipient));
        rows
    }

    pub(super) fn statuses(&self, message: MessageId) -> Vec<Status> {
        self.rows(message).iter().map(|row| row.status).collect()
    }

    /// All that is kept of a row, as text.
    pub(super) fn kept_of(&self, row: u64) -> String {
        format!("{:?}", self.store.activity_detail(row).unwrap().unwrap())
    }

    /// The attempts of a row, the first one first: from which source, what came of it, what the next hop said.
    pub(super) fn attempts(&self, row: u64) -> Vec<(String, Status, String)> {
        let detail = self.store.activity_detail(row).unwrap().unwrap();
        let attempt = |event: ActivityEvent| Some((event.attempt?.source?, event.status, event.reply));
        detail.events.into_iter().filter_map(attempt).collect()
    }

    /// What was carried of the relay's own mail.
    pub(super) fn notifications(&self) -> Vec<Carried> {
        let is_own = |carried: &Carried| matches!(carried.envelope.origin, Origin::Notification(_));
        self.carried().into_iter().filter(is_own).collect()
    }
}

pub(super) const CONTENT: &str = "From: app@shop.example\r\nTo: someone\r\nSubject: Your order\r\n\
    Message-ID: <1@shop.example>\r\nDate: Mon, 23 Nov 2026 21:00:00 +0000\r\n\r\nIt is on its way.\r\n";

fn start(settings: &Settings, store: &Memory, script: &Arc<Script>, clock: &Arc<PausedClock>) -> Handle {
    let (store, clock) = (Arc::new(store.clone()), clock.clone());
    Dispatch::start(settings.clone(), store, script.clone(), clock, Box::new(SystemDice), Metrics::default())
}
