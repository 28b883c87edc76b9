//! A line: an open conversation with a next hop, kept for further mail to the same destination.

use bytes::BytesMut;
use relay::notification::Requests;
use relay::outcome::Failure;
use relay::queue::TlsWish;
use relay::route::Destination;
use relay::source::Source;
use relay::tls_report::{Failed, ResultType};
use smtp::address::Address;
use smtp::client::{Asked, Conversation, Fault, Found, Login, Patience, Settings, Step, Tls, Transaction};
use smtp::envelope::RcptParameters;
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::content::{self, ContentError};
use super::dial::Transport;
use super::shield::{Protection, Shield};
use super::tls::{TlsClients, version_name};
use super::wire::Wire;
use super::{OutboundSettings, Parcel};

/// Octets heard after a write failed that are still looked at: a last word, such as 421.
const LAST_WORDS_OCTETS_MAX: usize = 64 * 1024;

/// How long to listen for last words.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// An open conversation with a next hop.
pub struct Line<T = TcpStream> {
    pub(super) destination: Destination,
    /// For mail whose senders want this: it was opened on their terms.
    pub(super) wish: TlsWish,
    /// Where it comes from; none: from the nameless source.
    pub(super) source: Option<Arc<Source>>,
    /// The same with its address, as activity shows it.
    pub(super) sent_from: Option<String>,
    pub(super) host: String,
    pub(super) remote: SocketAddr,
    /// `TLS 1.3`, or `none` and why.
    pub(super) tls: String,
    pub(super) protection: Protection,
    /// What was wrong with the certificate, where that was looked at and did not matter.
    doubt: Option<Failed>,
    pub(super) conversation: Conversation,
    wire: Wire<T>,
    input: BytesMut,
    /// Why nothing more can be written.
    broken: Option<String>,
    opened: Instant,
    used: Instant,
    messages: u32,
    /// Content was begun in the present transaction: another host must not be tried for it.
    content_begun: bool,
    bounds: Bounds,
}

/// What is asked of a line that is to be used again.
#[derive(Clone, Copy)]
struct Bounds {
    messages_max: u32,
    idle_max: Duration,
    age_max: Duration,
}

/// Where the conversation has to be led on by someone else.
enum Stop {
    Ready,
    StartTls,
    Done(Vec<Found>),
    Refused(Found),
    Close,
}

/// Why a line could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The next hop's reply, or its absence.
    Found(Found),
    /// No connection came about, or not to where it should.
    Dial(Failure),
    /// The handshake failed: in the clear it may work.
    Handshake(Failed),
}

/// Whom a connection leads to.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) destination: Destination,
    /// What the senders of its mail want of TLS.
    pub(super) wish: TlsWish,
    pub(super) host: String,
    pub(super) remote: SocketAddr,
    /// Where the connection comes from, and from which address; none: from the nameless source.
    pub(super) source: Option<Arc<Source>>,
    pub(super) local: Option<IpAddr>,
}

/// What is asked of a connection before mail goes over it.
pub(super) struct Terms<'a> {
    /// When TLS begins.
    pub(super) tls: Tls,
    /// Whom the other end is to take us for.
    pub(super) login: Option<Login>,
    /// What TLS has to be like.
    pub(super) shield: &'a Shield,
}

/// What came of one transaction.
pub(super) struct Batch {
    /// One finding for each of its recipients.
    pub(super) found: Vec<Found>,
    /// Nothing of the content went out, and nothing was said about the recipients: another host may be tried.
    pub(super) elsewhere: bool,
    /// The next hop was told what the sender asked about notifications.
    pub(super) passed_on: bool,
}

impl<T: Transport> Line<T> {
    /// Leads a fresh connection to where a transaction may begin, on these terms.
    ///
    /// # Errors
    /// [`OpenError`]; the connection is closed.
    pub(super) async fn open(
        stream: T,
        peer: Peer,
        terms: Terms<'_>,
        clients: &TlsClients,
        settings: &OutboundSettings,
    ) -> Result<Line<T>, OpenError> {
        let Terms { tls, login, shield } = terms;
        let hostname = peer.source.as_ref().map_or(&settings.hostname, |source| &source.hello).clone();
        let hello = Settings { hostname, tls, login, patience: settings.patience };
        let sent_from = peer.source.as_ref().map(|source| match peer.local {
            Some(local) => format!("{} ({local})", source.name),
            None => source.name.clone(),
        });
        let now = Instant::now();
        let mut line = Line {
            destination: peer.destination,
            wish: peer.wish,
            source: peer.source,
            sent_from,
            host: peer.host,
            remote: peer.remote,
            tls: "none".into(),
            protection: Protection::Clear,
            doubt: None,
            conversation: Conversation::new(hello),
            wire: Wire::Clear(stream),
            input: BytesMut::new(),
            broken: None,
            opened: now,
            used: now,
            messages: 0,
            content_begun: false,
            bounds: Bounds {
                messages_max: settings.line_messages_max,
                idle_max: settings.line_idle_max,
                age_max: settings.line_age_max,
            },
        };
        if tls == Tls::Implicit {
            line = line.handshake(clients, shield).await.map_err(OpenError::Handshake)?;
        }
        loop {
            match line.lead(None).await {
                Stop::Ready => break,
                Stop::StartTls => {
                    line = line.handshake(clients, shield).await.map_err(OpenError::Handshake)?;
                    line.conversation.on_tls();
                }
                Stop::Refused(found) => {
                    line.hang_up();
                    return Err(OpenError::Found(found));
                }
                Stop::Done(_) | Stop::Close => return Err(OpenError::Found(out_of_turn())),
            }
        }
        if matches!(line.wire, Wire::Clear(_)) {
            let refusal = line.conversation.tls_refusal().map(|reply| format!("STARTTLS was refused: {reply}"));
            line.tls = shield.shown_clear(refusal.as_deref());
            line.protection = shield.protection(false, false);
        }
        Ok(line)
    }

    async fn handshake(mut self, clients: &TlsClients, shield: &Shield) -> Result<Line<T>, Failed> {
        let failed = |why: &str| Failed::new(ResultType::ValidationFailure, why);
        let Wire::Clear(stream) = self.wire else { return Err(failed("TLS inside TLS was asked for")) };
        let handshake = clients.handshake(stream, &self.host, self.remote.ip(), shield);
        let (stream, doubt) = match timeout(self.conversation.patience(), handshake).await {
            Ok(result) => result?,
            Err(_) => return Err(failed("the next hop fell silent during the TLS handshake")),
        };
        self.tls = shield.shown(version_name(&stream), doubt.as_ref().map(|doubt| doubt.why.as_str()));
        self.protection = shield.protection(true, doubt.is_some());
        self.doubt = doubt;
        self.wire = Wire::Tls(Box::new(stream));
        Ok(self)
    }

    /// Those of the recipients at these places that may share a reverse-path with the first: the sender's where the next hop
    /// takes over what they asked, ours where it does not.
    pub(super) fn told_alike(&self, parcel: &Parcel, mut places: Vec<usize>) -> Vec<usize> {
        let Some(first) = places.first().map(|place| self.takes_over(parcel, *place)) else { return places };
        places.retain(|place| self.takes_over(parcel, *place) == first);
        places
    }

    /// Whether the next hop takes over to tell the sender of the recipient at this place (RFC 3461 §5.2.1): it tells the
    /// reverse-path, which must not be ours then. One that does not list DSN tells nobody but of bounces, which are ours to read.
    fn takes_over(&self, parcel: &Parcel, place: usize) -> bool {
        let requests = parcel.envelope.requests.as_ref().filter(|_| self.conversation.capabilities().dsn);
        requests.is_some_and(|requests| requests.asks_to_be_told_of(parcel.recipients[place]))
    }

    /// Carries the parcel to these recipients of it (their places in its list), which are told alike, as many of them from
    /// the first on as the next hop takes at once; there is one finding for each of those.
    pub(super) async fn transact(&mut self, parcel: &Parcel, places: &[usize], recipients_max: usize) -> Batch {
        let envelope = &parcel.envelope;
        let recipient = |place: &usize| envelope.recipients.get(usize::from(parcel.recipients[*place])).cloned();
        let recipients: Vec<_> = places.iter().take(recipients_max).map_while(recipient).collect();
        let count = self.conversation.capabilities().batch(&recipients, recipients_max);
        let recipients = &recipients[..count.min(alike(&recipients, self.conversation.capabilities().smtputf8))];
        let count = recipients.len();
        let requests = envelope.requests.as_deref().filter(|_| self.conversation.capabilities().dsn);
        let asked = requests.map(|requests| asked(requests, parcel, &places[..count])).unwrap_or_default();
        self.content_begun = false;
        self.messages += 1;
        let first = places.first().map(|place| parcel.recipients[*place]);
        let is_ours = !places.first().is_some_and(|place| self.takes_over(parcel, *place));
        let own_paths = parcel.return_paths.as_ref().filter(|_| is_ours);
        let own_path = own_paths.zip(first).and_then(|(paths, first)| paths.path(first, count));
        self.conversation.begin(&Transaction {
            reverse_path: own_path.as_ref().unwrap_or(&envelope.reverse_path),
            recipients,
            octets: content::octets(parcel.seal.as_ref(), &parcel.content),
            needs_eight_bit: envelope.needs_eight_bit,
            needs_smtputf8: envelope.needs_smtputf8(recipients),
            require_tls: envelope.require_tls(),
            asked: Asked {
                ret: requests.and_then(|requests| requests.ret),
                envid: requests.and_then(|requests| requests.envid.as_deref()),
                recipients: &asked,
            },
            priority: envelope.priority.value(),
        });
        let found = match self.lead(Some(parcel)).await {
            Stop::Done(found) => found,
            Stop::Refused(found) => vec![found; count],
            Stop::Ready | Stop::StartTls | Stop::Close => vec![out_of_turn(); count],
        };
        self.used = Instant::now();
        let elsewhere = !self.content_begun && found.iter().all(may_pass_elsewhere);
        Batch { found, elsewhere, passed_on: requests.is_some() }
    }

    /// Reads and writes until there is something to decide.
    async fn lead(&mut self, parcel: Option<&Parcel>) -> Stop {
        let mut turns = self.conversation.turns();
        let mut deadline = Instant::now() + self.conversation.patience();
        loop {
            match self.conversation.step(&mut self.input) {
                // one reply has one time-out, however slowly its octets drip in
                Step::Read if self.conversation.turns() == turns => {
                    self.read(deadline).await;
                    continue;
                }
                Step::Read => {}
                Step::Write(octets) => self.write(&octets).await,
                Step::Content => self.content(parcel).await,
                Step::StartTls => return Stop::StartTls,
                Step::Ready => return Stop::Ready,
                Step::Done(found) => return Stop::Done(found),
                Step::Refused(found) => return Stop::Refused(found),
                Step::Close => return Stop::Close,
            }
            turns = self.conversation.turns();
            deadline = Instant::now() + self.conversation.patience();
        }
    }

    async fn read(&mut self, deadline: Instant) {
        if let Some(why) = &self.broken {
            return self.conversation.lost(why);
        }
        match timeout_at(deadline, self.wire.read(&mut self.input)).await {
            Ok(Ok(0)) => self.conversation.lost("the next hop closed the connection"),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.conversation.lost(&format!("the connection broke: {error}")),
            Err(_) => self.conversation.lost("the next hop did not answer in time"),
        }
    }

    async fn write(&mut self, octets: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        let mut slices = [IoSlice::new(octets)];
        let write = self.wire.write(&mut slices, &mut self.input, false);
        let why = match timeout(self.conversation.patience(), write).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => format!("the connection broke: {error}"),
            Err(_) => "the next hop stopped reading".into(),
        };
        self.break_off(why).await;
    }

    async fn content(&mut self, parcel: Option<&Parcel>) {
        let (None, Some(parcel)) = (&self.broken, parcel) else {
            let why = self.broken.clone().unwrap_or_default();
            return self.conversation.lost(&why);
        };
        self.content_begun = true;
        let patience = self.conversation.patience();
        let sha256 = parcel.envelope.facts.known_sha256();
        let mut writer = content::Writer { wire: &mut self.wire, input: &mut self.input, patience, sha256 };
        match writer.write(parcel.seal.as_ref(), &parcel.content).await {
            Ok(()) => self.conversation.content_sent(),
            // the reply itself is read by the next step
            Err(ContentError::Interrupted) => {}
            Err(ContentError::Broken(why)) => self.break_off(why).await,
            Err(ContentError::Unreadable(why)) => self.conversation.lost(&why),
        }
    }

    /// Nothing more can be written; what the other end said before it hung up still counts.
    async fn break_off(&mut self, why: String) {
        self.broken = Some(why);
        let until = Instant::now() + LAST_WORDS_MAX;
        while self.input.len() < LAST_WORDS_OCTETS_MAX {
            match timeout_at(until, self.wire.read(&mut self.input)).await {
                Ok(Ok(octets)) if octets > 0 => {}
                _ => break,
            }
        }
    }

    /// How its session failed, or would have, as far as TLS is concerned.
    pub(super) fn failed(&self) -> Option<Failed> {
        match (&self.wire, self.conversation.tls_refusal()) {
            (Wire::Tls(_), _) => self.doubt.clone(),
            (Wire::Clear(_), Some(reply)) => {
                Some(Failed::new(ResultType::StarttlsNotSupported, format!("STARTTLS was refused: {reply}")))
            }
            (Wire::Clear(_), None) => Some(Failed::new(ResultType::StarttlsNotSupported, "STARTTLS is not offered")),
        }
    }

    /// Where it leads.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Whether one more message may go over it, as far as counting goes.
    pub(super) fn may_go_on(&self) -> bool {
        self.broken.is_none() && self.conversation.may_begin() && self.messages < self.bounds.messages_max
    }

    /// Whether a further parcel may go over it: young, not idle for too long, not used too often,
    /// and nothing heard from the other end since. Looks without waiting.
    pub fn is_fresh(&mut self) -> bool {
        self.may_go_on()
            && self.input.is_empty()
            && self.opened.elapsed() < self.bounds.age_max
            && self.used.elapsed() < self.bounds.idle_max
            && !self.wire.is_stirred()
    }

    /// Says QUIT and hangs up, waiting a few seconds at most for the other end.
    pub async fn close(mut self) {
        self.conversation.quit();
        while !matches!(self.lead(None).await, Stop::Close) {}
        let _ = timeout(Patience::STANDARD.quit, self.wire.shutdown()).await;
    }

    /// Says QUIT to one that would not have us, and waits for nothing.
    fn hang_up(mut self) {
        if self.broken.is_none() {
            tokio::spawn(async move {
                let farewell = async {
                    let mut slices = [IoSlice::new(b"QUIT\r\n")];
                    let _ = self.wire.write(&mut slices, &mut self.input, false).await;
                    self.wire.shutdown().await;
                };
                let _ = timeout(LAST_WORDS_MAX, farewell).await;
            });
        }
    }
}

/// How many recipients from the first on can share a transaction: where the next hop lacks SMTPUTF8,
/// an address beyond ASCII must not take the others with it.
fn alike(recipients: &[Address], offers_smtputf8: bool) -> usize {
    let Some(first) = recipients.first() else { return 0 };
    recipients.iter().take_while(|recipient| offers_smtputf8 || recipient.is_ascii() == first.is_ascii()).count()
}

/// What was asked about the recipients at these places of a parcel.
fn asked<'a>(requests: &'a Requests, parcel: &Parcel, places: &[usize]) -> Vec<&'a RcptParameters> {
    static NOTHING: RcptParameters = RcptParameters { notify: None, orcpt: None };
    let of = |place: &usize| requests.recipients.get(usize::from(parcel.recipients[*place])).unwrap_or(&NOTHING);
    places.iter().map(of).collect()
}

fn out_of_turn() -> Found {
    Found::Failed(Fault::Protocol("the next hop ended the conversation out of turn".into()))
}

/// Whether another host may say something else: the connection failed, or the host as a whole turned us away.
fn may_pass_elsewhere(found: &Found) -> bool {
    match found {
        Found::Replied(_, reply) => reply.code == 421,
        Found::Failed(fault) => {
            matches!(fault, Fault::Lost(_) | Fault::Protocol(_) | Fault::NeedsRequireTls)
        }
    }
}
