//! Carries: finds the next hop of a destination, dials it, speaks with it, and reports what it said.

mod content;
mod dial;
mod errand;
mod hops;
mod line;
mod opener;
mod shield;
mod tls;
mod tried;
mod wire;

pub use dial::{Dialer, SourceUnusable, TcpDialer, Transport};
pub use line::Line;
pub use shield::Protection;
pub(crate) use tls::{checking as checking_tls, is_about_certificate};

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::dice::Dice;
use relay::limits::Limits;
use relay::outcome::{Failure, Finding};
use relay::queue::{Attempt, Envelope};
use relay::return_path::Verp;
use relay::route::{Destination, Routes};
use relay::source::Source;
use relay::store::Content;
use relay::tls_report::Session;
use rustls::pki_types::CertificateDer;
use smtp::client::{Fault, Found, Patience};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, timeout};

use crate::dns::{Resolver, mail_servers};
use crate::mta_sts::Policies;
use errand::{Carried, Errand};

/// How mail is carried.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// Our name in EHLO.
    pub hostname: String,
    /// The port of MX hosts: 25, unless a test says otherwise.
    pub mx_port: u16,
    /// The addresses to dial from, at most one of each family. Empty: the system chooses. Where there
    /// is one, a family without one is not dialled.
    pub sources: Vec<IpAddr>,
    /// Dial loopback, private and other special addresses that DNS named.
    pub allow_private: bool,
    /// Addresses that we listen on (an unspecified one: all of this machine): never dialled where DNS named them, unless
    /// `allow_private`.
    pub own: Vec<IpAddr>,
    /// Certificate authorities trusted besides the system's, for routes that require TLS.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether the system's certificate authorities are trusted.
    pub system_authorities: bool,
    /// Whether TLSA records of MX hosts are looked for; what they ask is never gone without then (RFC 7672).
    pub dane: bool,
    /// TLSA records of one host that are looked at.
    pub tlsa_records_max: usize,
    /// How long a next hop may take for each of its replies.
    pub patience: Patience,
    /// How long a dial may take.
    pub dial_max: Duration,
    /// How long all dials and greetings of one attempt may take together.
    pub opening_max: Duration,
    /// How long one attempt may take in all.
    pub attempt_max: Duration,
    /// Mail servers of a domain that are looked at.
    pub hosts_max: usize,
    /// Addresses that are dialled in one attempt.
    pub addresses_max: usize,
    /// Hops that an attempt is shown with besides the one that decided.
    pub tried_max: usize,
    /// Messages carried on one line.
    pub line_messages_max: u32,
    /// How long a line may stay idle and be used again.
    pub line_idle_max: Duration,
    /// How old a line may grow and be used again.
    pub line_age_max: Duration,
    /// Recipients in one transaction, unless the next hop says less (RFC 9422).
    pub recipients_max: usize,
}

impl OutboundSettings {
    /// What these limits allow; everything else as it is without configuration.
    pub fn held_to(limits: &Limits) -> OutboundSettings {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        OutboundSettings {
            hostname: "localhost".into(),
            mx_port: 25,
            sources: Vec::new(),
            allow_private: false,
            own: Vec::new(),
            authorities: Vec::new(),
            system_authorities: true,
            dane: true,
            tlsa_records_max: count(limits.tlsa_records_max),
            patience: Patience::STANDARD,
            dial_max: Duration::from_secs(limits.dial_seconds),
            opening_max: Duration::from_secs(limits.opening_seconds),
            attempt_max: Duration::from_secs(limits.attempt_seconds),
            hosts_max: count(limits.mail_hosts_max),
            addresses_max: count(limits.mail_addresses_max),
            tried_max: count(limits.tried_hosts_max),
            line_messages_max: u32::try_from(limits.line_messages_max).unwrap_or(u32::MAX),
            line_idle_max: Duration::from_secs(limits.line_idle_seconds),
            line_age_max: Duration::from_secs(limits.line_age_seconds),
            recipients_max: count(limits.transaction_recipients_max),
        }
    }
}

impl Default for OutboundSettings {
    fn default() -> Self {
        OutboundSettings::held_to(&Limits::default())
    }
}

/// Who counts attempts to agree on TLS with the mail servers that DNS names (RFC 8460).
pub trait Sessions: Send + Sync + 'static {
    /// Counts one. Called on the way of mail: it does not wait.
    fn count(&self, session: &Session<'_>);
}

/// What is to be carried to one destination.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The message's envelope.
    pub envelope: Arc<Envelope>,
    /// Numbers of those of its recipients that go to this destination.
    pub recipients: Vec<u16>,
    /// Recipients in one transaction; 0: as many as every transaction may have.
    pub transaction_recipients: usize,
    /// Fields to send in front of the content.
    pub seal: Option<Bytes>,
    /// The admitted content.
    pub content: Content,
    /// Makes a reverse-path for each transaction; none: the submitted one.
    pub return_paths: Option<Arc<Verp>>,
    /// Where it is sent from; none: from [`OutboundSettings::sources`], as [`OutboundSettings::hostname`].
    pub source: Option<Arc<Source>>,
}

/// What came of a parcel.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The attempt, as activity shows it: the next hop that decided, and the others that were tried.
    pub attempt: Attempt,
    /// One finding for each recipient of the parcel, in its order.
    pub findings: Vec<(u16, Finding)>,
    /// The recipients about whom the next hop was told what the sender asked: it lists DSN (RFC 3461), and tells the sender
    /// of them from here on. Empty where nothing was asked.
    pub passed_on: Vec<u16>,
    /// How the connection was protected, where one came so far that mail could begin.
    pub protection: Option<Protection>,
}

/// The outbound side. One is enough for the whole process; every verb may be called from any task.
pub struct Outbound<D = TcpDialer> {
    settings: OutboundSettings,
    routes: Arc<Routes>,
    resolver: Arc<dyn Resolver>,
    policies: Option<Arc<dyn Policies>>,
    sessions: Option<Arc<dyn Sessions>>,
    dice: Mutex<Box<dyn Dice>>,
    tls: tls::TlsClients,
    dialer: D,
}

impl Outbound {
    /// The outbound side. `dice` orders MX hosts of equal preference.
    ///
    /// # Errors
    /// The cryptography is unusable, which no configuration can mend.
    pub fn new(
        settings: OutboundSettings,
        routes: Arc<Routes>,
        resolver: Arc<dyn Resolver>,
        dice: Box<dyn Dice>,
    ) -> Result<Outbound, rustls::Error> {
        Outbound::dialling_by(TcpDialer, settings, routes, resolver, dice)
    }
}

impl<D: Dialer> Outbound<D> {
    /// As [`Outbound::new`], over connections of another kind than TCP.
    ///
    /// # Errors
    /// As there.
    pub fn dialling_by(
        dialer: D,
        settings: OutboundSettings,
        routes: Arc<Routes>,
        resolver: Arc<dyn Resolver>,
        dice: Box<dyn Dice>,
    ) -> Result<Outbound<D>, rustls::Error> {
        let tls = tls::TlsClients::new(&settings)?;
        Ok(Outbound { settings, routes, resolver, policies: None, sessions: None, dice: Mutex::new(dice), tls, dialer })
    }

    /// Goes by the policies of domains (MTA-STS), too.
    #[must_use]
    pub fn with_policies(self, policies: Arc<dyn Policies>) -> Outbound<D> {
        Outbound { policies: Some(policies), ..self }
    }

    /// Has its sessions counted.
    #[must_use]
    pub fn counted_by(self, sessions: Arc<dyn Sessions>) -> Outbound<D> {
        Outbound { sessions: Some(sessions), ..self }
    }

    /// The routes it goes by.
    pub fn routes(&self) -> &Arc<Routes> {
        &self.routes
    }

    /// The names of the mail servers of a destination, the most preferred first; none where DNS does not say. A route's is its
    /// host with the port. The domain's policy is there then, too: while its host hangs nothing is held that others share.
    pub async fn hosts(&self, destination: &Destination) -> Option<Vec<String>> {
        match destination {
            Destination::Mx { domain } => {
                let policy = async {
                    if let Some(policies) = &self.policies {
                        // whoever delivers asks again, and goes by what went wrong
                        let _ = policies.of(domain).await;
                    }
                };
                tokio::join!(mail_servers(self.resolver.as_ref(), domain), policy).0
            }
            Destination::Waiving { domain } => mail_servers(self.resolver.as_ref(), domain).await,
            Destination::Route { .. } => Some(vec![self.routes.site(destination)]),
        }
    }

    /// Carries a parcel to its destination, over `line` where that is still usable, and leaves there
    /// the line that may be used for the next parcel to the same destination, or none.
    ///
    /// Never fails: what went wrong is a finding of every recipient that it concerns. `at` is the
    /// moment that the attempt is shown with. Dropping the future drops the connection; whether the
    /// next hop took the content is then not known.
    pub async fn deliver(
        &self,
        line: &mut Option<Line<D::Stream>>,
        destination: &Destination,
        parcel: &Parcel,
        at: Timestamp,
    ) -> Delivery {
        let begun = Instant::now();
        let mut errand = Errand::new(parcel, at);
        let wish = parcel.envelope.way_wish();
        let is_its = |line: &Line<D::Stream>| {
            line.destination() == destination && line.wish == wish && line.source == parcel.source
        };
        let found_line = line.take().filter(is_its);
        match timeout(self.settings.attempt_max, self.run(found_line, destination, &mut errand)).await {
            Ok(left) => *line = left,
            Err(_) => errand.settle_rest(&Finding::Failed(Failure::Lost("the attempt took too long".into()))),
        }
        let delivery = errand.finish(begun.elapsed(), self.settings.tried_max);
        tracing::debug!(
            message_id = %parcel.envelope.message,
            site = %self.routes.site(destination),
            host = %delivery.attempt.host,
            remote = ?delivery.attempt.remote,
            tls = %delivery.attempt.tls,
            source = delivery.attempt.source.as_deref().unwrap_or_default(),
            milliseconds = delivery.attempt.milliseconds,
            recipients = delivery.findings.len(),
            "attempt ended"
        );
        delivery
    }

    /// The attempt itself; the line that may be used again.
    async fn run(
        &self,
        line: Option<Line<D::Stream>>,
        destination: &Destination,
        errand: &mut Errand<'_>,
    ) -> Option<Line<D::Stream>> {
        let mut opener = opener::Opener::new(self, destination, errand.tls_wish(), errand.source());
        let recipients_max = match errand.transaction_recipients() {
            0 => self.settings.recipients_max,
            most => most.min(self.settings.recipients_max),
        };
        let mut current = line.and_then(fresh);
        loop {
            let reused = current.is_some();
            let mut line = match current.take() {
                Some(line) => line,
                None => match opener.open(errand.tried()).await {
                    Some(line) => line,
                    None => {
                        errand.give_up();
                        return None;
                    }
                },
            };
            errand.travels_by(&line);
            match errand.carry(&mut line, recipients_max).await {
                Carried::All if line.may_go_on() => return Some(line),
                Carried::All => {
                    hang_up(line);
                    return None;
                }
                // all that was carried so far is settled; the rest goes to the same host again
                Carried::Some => {
                    hang_up(line);
                    opener.stay();
                }
                // a line that went stale while it was idle says nothing about its host
                Carried::Nothing(_) if reused => {}
                Carried::Nothing(found) => {
                    errand.failed(&line, finding(found));
                    hang_up(line);
                }
            }
        }
    }
}

/// The line, where it is still usable.
fn fresh<T: Transport>(mut line: Line<T>) -> Option<Line<T>> {
    if line.is_fresh() {
        return Some(line);
    }
    hang_up(line);
    None
}

/// Ends a line behind the back of the attempt.
fn hang_up<T: Transport>(line: Line<T>) {
    tokio::spawn(line.close());
}

/// What the conversation found, in the words of outcomes.
fn finding(found: Found) -> Finding {
    match found {
        Found::Replied(at, reply) => Finding::Replied(at, reply),
        Found::Failed(fault) => Finding::Failed(match fault {
            Fault::Lost(why) => Failure::Lost(why),
            Fault::Protocol(why) => Failure::Protocol(why),
            Fault::Tls(why) | Fault::TlsForNow(why) => Failure::Tls(why),
            Fault::Login(why) => Failure::Login(why),
            Fault::NeedsSmtputf8 => Failure::NeedsSmtputf8,
            Fault::NeedsEightBit => Failure::NeedsEightBit,
            Fault::NeedsRequireTls => Failure::NeedsRequireTls("it does not list REQUIRETLS".into()),
            Fault::TooLarge(octets) => Failure::TooLarge(octets),
        }),
    }
}

#[cfg(test)]
mod tests;
