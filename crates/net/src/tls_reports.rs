//! Reports on TLS to the domains that mail goes to (TLS-RPT, RFC 8460): the sessions of a day (UTC) are counted in memory, and
//! after its end each domain that wants a report is sent what was counted of it. What is counted and what waits stands in a file,
//! too, so that a restart loses a minute of it at the most.

mod kept;
mod mail;
mod post;
mod state;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use mail::{Mailing, by_own_mail};
pub use state::{CountedDomain, SentReport};

use flate2::Compression;
use flate2::write::GzEncoder;
use relay::clock::{Day, Timestamp};
use relay::limits::Limits;
use relay::tls_report::{Author, Bounds, Counted, Report, Rua, Session, read_record};
use rustls::pki_types::CertificateDer;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

use crate::acme::write_whole;
use crate::clock::Clock;
use crate::dns::{LookupError, Resolver};
use crate::https::Trust;
use crate::outbound::Sessions;
use crate::shutdown::Shutdown;
use mail::Outgoing;
use post::Poster;
use state::{Due, State, Tried};

/// How often it is looked whether something is due, and what has changed is written down.
const LOOKED_EVERY: Duration = Duration::from_secs(60);
/// In how long after the end of a day reports begin to go out, so that not all of the world does at once.
const SPREAD_OVER: Duration = Duration::from_secs(4 * 3600);

/// Who reports, and in which room.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the relay's operator is called.
    pub organization: String,
    /// The address for questions.
    pub contact: String,
    /// The domain that reports.
    pub submitter: String,
    /// The room for one day.
    pub bounds: Bounds,
    /// Reports that the list of those that were sent has.
    pub kept_max: usize,
    /// Reports that are under way at once.
    pub at_once: usize,
    /// Post to loopback, private and other special addresses that DNS names.
    pub allow_private: bool,
    /// Addresses that we listen on, as for next hops.
    pub own: Vec<IpAddr>,
    /// Certificate authorities trusted besides the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether the system's certificate authorities are trusted.
    pub system_authorities: bool,
    /// Where it is kept over restarts; none: nowhere.
    pub file: Option<PathBuf>,
}

impl Settings {
    /// What these limits allow, by an author of these names.
    pub fn held_to(limits: &Limits, author: Author) -> Settings {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Settings {
            organization: author.organization,
            contact: author.contact,
            submitter: author.submitter,
            bounds: Bounds::held_to(limits),
            kept_max: count(limits.tls_reports_kept_max),
            at_once: count(limits.tls_reports_at_once),
            allow_private: false,
            own: Vec::new(),
            authorities: Vec::new(),
            system_authorities: true,
            file: None,
        }
    }
}

/// What is counted, and what was sent. Cheap to clone.
#[derive(Clone)]
pub struct TlsReports {
    inner: Arc<Inner>,
}

struct Inner {
    author: Author,
    settings: Settings,
    resolver: Arc<dyn Resolver>,
    clock: Arc<dyn Clock>,
    poster: Poster,
    state: Mutex<State>,
}

impl TlsReports {
    /// With what the file has, where that is named and whole.
    ///
    /// # Errors
    /// The cryptography is unusable, which no configuration can mend.
    pub fn open(
        settings: Settings,
        resolver: Arc<dyn Resolver>,
        clock: Arc<dyn Clock>,
    ) -> Result<TlsReports, rustls::Error> {
        let trust = Trust {
            system_authorities: settings.system_authorities,
            authorities: settings.authorities.clone(),
            allow_private: settings.allow_private,
            own: settings.own.clone(),
        };
        let poster = Poster::new(trust, Arc::clone(&resolver))?;
        let state = settings.file.as_deref().and_then(kept::load);
        let state = state.unwrap_or_else(|| State::of(clock.now().day()));
        let author = Author {
            organization: settings.organization.clone(),
            contact: settings.contact.clone(),
            submitter: settings.submitter.clone(),
        };
        let inner = Inner { author, settings, resolver, clock, poster, state: Mutex::new(state) };
        Ok(TlsReports { inner: Arc::new(inner) })
    }

    /// What was counted of domains on the present day and on those whose reports are still to go out, in the order of days and
    /// names, behind one of them; so many at the most.
    pub fn counted(&self, after: Option<(Day, &str)>, limit: usize) -> Vec<CountedDomain> {
        self.inner.rolled().counted(after, limit)
    }

    /// The reports that were sent or given up, the newest first; so many at the most.
    pub fn sent(&self, limit: usize) -> Vec<SentReport> {
        self.inner.state().sent.iter().rev().take(limit).cloned().collect()
    }

    /// Sends what is due, and writes down what has changed, until the end.
    pub async fn run(self, mailing: Mailing, shutdown: Shutdown) {
        let mailing = Arc::new(mailing);
        let mut goes_on = true;
        while goes_on {
            tokio::select! {
                biased;
                () = shutdown.begun() => goes_on = false,
                () = self.send_due(&mailing) => {
                    goes_on = tokio::time::timeout(LOOKED_EVERY, shutdown.begun()).await.is_err();
                }
            }
            self.write().await;
        }
    }

    /// Sends every report that is due now.
    async fn send_due(&self, mailing: &Arc<Mailing>) {
        loop {
            let now = self.inner.clock.now();
            let due = self.inner.rolled().due(now, self.inner.settings.at_once);
            if due.is_empty() {
                return;
            }
            let mut sending = JoinSet::new();
            for one in due {
                let (inner, mailing) = (Arc::clone(&self.inner), Arc::clone(mailing));
                sending.spawn(async move {
                    let tried = inner.try_one(&one, &mailing).await;
                    let at = inner.clock.now();
                    inner.state().settle(&one, tried, at, inner.settings.kept_max);
                });
            }
            while sending.join_next().await.is_some() {}
        }
    }

    async fn write(&self) {
        let Some(file) = self.inner.settings.file.clone() else { return };
        let Some(octets) = self.inner.state().changed() else { return };
        let written = tokio::task::spawn_blocking(move || write_whole(&file, &octets)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "what was counted for reports on TLS cannot be written down; a restart loses it");
            self.inner.state().has_changed = true;
        }
    }
}

impl Sessions for TlsReports {
    fn count(&self, session: &Session<'_>) {
        let mut state = self.inner.rolled();
        state.today.count(session, &self.inner.settings.bounds);
        state.has_changed = true;
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state on the day of now: a day that is over is sealed.
    fn rolled(&self) -> MutexGuard<'_, State> {
        let day = self.clock.now().day();
        let mut state = self.state();
        state.roll(day, SPREAD_OVER);
        state
    }

    /// Sends the report about one domain to all the places that it names and that have not taken it yet.
    async fn try_one(&self, due: &Due, mailing: &Mailing) -> Tried {
        let places = match self.resolver.txt(&format!("_smtp._tls.{}", due.domain)).await {
            Ok(texts) => read_record(&texts, self.settings.allow_private),
            Err(LookupError::NoRecord | LookupError::NoSuchName) => Vec::new(),
            Err(error) => {
                let why = format!("DNS does not say where reports go: {error}");
                return Tried { taken: Vec::new(), fault: Some(why) };
            }
        };
        let mut tried = Tried { taken: Vec::new(), fault: None };
        let packed = match self.packed(due.day, &due.domain, &due.counted) {
            Ok(packed) => packed,
            Err(error) => return Tried { fault: Some(format!("the report cannot be written: {error}")), ..tried },
        };
        for place in places {
            let (name, sent) = match &place {
                Rua::Mail(address) if due.has_taken(&format!("mailto:{address}")) => continue,
                Rua::Https(target) if due.has_taken(&target.to_string()) => continue,
                Rua::Mail(address) => (format!("mailto:{address}"), mailing(packed.to(address.clone())).await),
                Rua::Https(target) => (target.to_string(), self.poster.post(target, packed.gzip.clone()).await),
            };
            match sent {
                Ok(()) => tried.taken.push(name),
                Err(why) => tried.fault = Some(format!("{name}: {why}")),
            }
        }
        tried
    }

    fn packed(&self, day: Day, domain: &str, counted: &Counted) -> std::io::Result<Packed> {
        let report = Report { author: &self.author, domain, day, counted };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&report.json()?)?;
        Ok(Packed {
            subject: report.subject(),
            file_name: report.file_name(),
            domain: domain.to_owned(),
            day,
            gzip: encoder.finish()?.into(),
        })
    }
}

/// A report, ready to go.
struct Packed {
    subject: String,
    file_name: String,
    domain: String,
    day: Day,
    gzip: bytes::Bytes,
}

impl Packed {
    fn to(&self, to: smtp::address::Address) -> Outgoing {
        Outgoing {
            to,
            subject: self.subject.clone(),
            domain: self.domain.clone(),
            day: self.day,
            file_name: self.file_name.clone(),
            gzip: self.gzip.clone(),
        }
    }
}

/// When the report about a domain and day is due: the same moment whenever that is asked.
fn due_at(day: Day, domain: &str, spread: Duration) -> Timestamp {
    let seed = domain
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3));
    let spread = u64::try_from(spread.as_millis()).unwrap_or(u64::MAX).max(1);
    Timestamp((day.0 + 1) * 86_400_000).after(Duration::from_millis(seed % spread))
}
