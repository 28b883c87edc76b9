//! The policies of recipient domains (MTA-STS, RFC 8461): asked for in DNS, fetched over HTTPS, kept in memory and in a file.

mod fetch;
mod kept;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use relay::clock::Timestamp;
use relay::limits::Limits;
use relay::mta_sts::{Kept, Policy, Record, Standing, Step};
use relay::tls_report::{Failed, ResultType};
use rustls::pki_types::CertificateDer;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::dns::{Lookup, LookupError, Resolver};
use crate::shutdown::Shutdown;
use fetch::Fetcher;

/// How often what has changed is written to the file.
const WRITTEN_EVERY: Duration = Duration::from_secs(30);

/// Which part of the longest time a failure has to take for its server to count as slow: as much as one address that does not answer.
const SLOW_PART: u32 = crate::https::ADDRESSES_MAX;

/// Who knows the policies of domains.
pub trait Policies: Send + Sync + 'static {
    /// The policy that holds for mail to this domain (lower case, A-labels), none where there is none. May wait for it. A fault
    /// where none is kept, and DNS did not say whether there is one: ordinary mail goes as if there were none.
    fn of<'a>(&'a self, domain: &'a str) -> Lookup<'a, Option<Arc<Policy>>>;

    /// Why there is none although the domain says that it has one, where that is known; to be asked after [`Policies::of`].
    fn trouble(&self, _domain: &str) -> Option<Failed> {
        None
    }
}

/// How policies are fetched and kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port of policy servers: 443, unless a test says otherwise.
    pub port: u16,
    /// Dial loopback, private and other special addresses that DNS names.
    pub allow_private: bool,
    /// Addresses that we listen on, as for next hops.
    pub own: Vec<IpAddr>,
    /// Certificate authorities trusted besides the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether the system's certificate authorities are trusted.
    pub system_authorities: bool,
    /// Policies that are kept.
    pub policies_max: usize,
    /// How long fetching one may take.
    pub fetch_max: Duration,
    /// Policies that are fetched at once.
    pub fetches_max: usize,
    /// Where they are kept over restarts; none: nowhere.
    pub file: Option<PathBuf>,
}

impl Settings {
    /// What these limits allow, and the internet.
    pub fn held_to(limits: &Limits) -> Settings {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Settings {
            port: 443,
            allow_private: false,
            own: Vec::new(),
            authorities: Vec::new(),
            system_authorities: true,
            policies_max: count(limits.sts_policies_max),
            fetch_max: Duration::from_secs(limits.sts_fetch_seconds),
            fetches_max: count(limits.sts_fetches_max),
            file: None,
        }
    }
}

/// The policies that are known. Cheap to clone.
#[derive(Clone)]
pub struct MtaSts {
    inner: Arc<Inner>,
}

struct Inner {
    resolver: Arc<dyn Resolver>,
    clock: Arc<dyn Clock>,
    fetcher: Fetcher,
    settings: Settings,
    domains: Mutex<HashMap<String, Arc<Domain>>>,
    places: Semaphore,
    has_changed: AtomicBool,
}

/// What is known of one domain.
#[derive(Default)]
struct Domain {
    standing: Mutex<Standing>,
    /// Held by whoever fetches its policy: the others wait, and take what came.
    gate: tokio::sync::Mutex<()>,
    /// Somebody fetches it behind the back of the mail.
    is_renewed: AtomicBool,
    /// Why it could not be fetched when that was last tried.
    trouble: Mutex<Option<Failed>>,
}

impl Domain {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Failed>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MtaSts {
    /// With what the file has, where that is named and whole.
    ///
    /// # Errors
    /// The cryptography is unusable, which no configuration can mend.
    pub fn open(
        settings: Settings,
        resolver: Arc<dyn Resolver>,
        clock: Arc<dyn Clock>,
    ) -> Result<MtaSts, rustls::Error> {
        let now = clock.now();
        let kept = settings.file.as_deref().map(|file| kept::load(file, settings.policies_max)).unwrap_or_default();
        let holding = kept.into_iter().filter(|(_, kept)| kept.holds(now) && kept.fetched <= now);
        let domain = |kept| Arc::new(Domain { standing: Mutex::new(Standing::of(kept)), ..Domain::default() });
        let domains = holding.map(|(name, kept)| (name, domain(kept))).collect();
        let inner = Inner {
            fetcher: Fetcher::new(&settings, Arc::clone(&resolver))?,
            resolver,
            clock,
            domains: Mutex::new(domains),
            places: Semaphore::new(settings.fetches_max),
            settings,
            has_changed: AtomicBool::new(false),
        };
        Ok(MtaSts { inner: Arc::new(inner) })
    }

    /// Writes what has changed to the file now and then, and once more at the end.
    pub async fn keep(self, shutdown: Shutdown) {
        let mut goes_on = true;
        while goes_on {
            goes_on = tokio::time::timeout(WRITTEN_EVERY, shutdown.begun()).await.is_err();
            self.write().await;
        }
    }

    async fn write(&self) {
        let inner = &self.inner;
        let Some(file) = inner.settings.file.clone() else { return };
        if !inner.has_changed.swap(false, Ordering::AcqRel) {
            return;
        }
        let domains: Vec<_> = inner.domains().iter().map(|(name, domain)| (name.clone(), Arc::clone(domain))).collect();
        let kept: Vec<(String, Kept)> =
            domains.into_iter().filter_map(|(name, domain)| Some((name, domain.standing().kept.clone()?))).collect();
        let written = tokio::task::spawn_blocking(move || kept::save(&file, &kept)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "the policies of domains (MTA-STS) cannot be written down; they are fetched again after a restart");
        }
    }

    async fn policy(&self, name: &str) -> Result<Option<Arc<Policy>>, LookupError> {
        let (record, untold) = match self.inner.resolver.txt(&format!("_mta-sts.{name}")).await {
            Ok(texts) => (Record::read(&texts), Ok(None)),
            Err(LookupError::NoRecord | LookupError::NoSuchName) => (Record::Absent, Ok(None)),
            Err(fault @ LookupError::Fault(_)) => (Record::Unknown, Err(fault)),
        };
        let now = self.inner.clock.now();
        let Some(domain) = self.inner.domain(name, matches!(record, Record::Policy(_)), now) else { return untold };
        if record == Record::Absent {
            *domain.trouble() = None;
        }
        let step = domain.standing().step(&record, now);
        match (step, record) {
            (Step::Fetch, Record::Policy(id)) => self.inner.renew(name, &domain, &id).await,
            (Step::UseAndFetch, Record::Policy(id)) if !domain.is_renewed.swap(true, Ordering::AcqRel) => {
                let (inner, name, domain) = (Arc::clone(&self.inner), name.to_owned(), Arc::clone(&domain));
                tokio::spawn(async move {
                    inner.renew(&name, &domain, &id).await;
                    domain.is_renewed.store(false, Ordering::Release);
                });
            }
            _ => {}
        }
        let found = domain.standing().policy(self.inner.clock.now()).cloned();
        found.map_or(untold, |policy| Ok(Some(Arc::new(policy))))
    }
}

impl Policies for MtaSts {
    fn of<'a>(&'a self, domain: &'a str) -> Lookup<'a, Option<Arc<Policy>>> {
        Box::pin(self.policy(domain))
    }

    fn trouble(&self, domain: &str) -> Option<Failed> {
        let domain = self.inner.domains().get(domain).map(Arc::clone)?;
        domain.trouble().clone()
    }
}

impl Inner {
    fn domains(&self) -> MutexGuard<'_, HashMap<String, Arc<Domain>>> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a domain; where nothing is, a place for it if it is to have one.
    fn domain(&self, name: &str, is_wanted: bool, now: Timestamp) -> Option<Arc<Domain>> {
        let mut domains = self.domains();
        if let Some(domain) = domains.get(name) {
            return Some(Arc::clone(domain));
        }
        if !is_wanted {
            return None;
        }
        if domains.len() >= self.settings.policies_max {
            make_room(&mut domains, now);
        }
        let domain = Arc::new(Domain::default());
        domains.insert(name.to_owned(), Arc::clone(&domain));
        Some(domain)
    }

    /// Fetches a policy, unless somebody else just did.
    async fn renew(&self, name: &str, domain: &Domain, id: &str) {
        let _alone = domain.gate.lock().await;
        if domain.standing().step(&Record::Policy(id.to_owned()), self.clock.now()) == Step::Use {
            return;
        }
        // that others hold all places is nothing against this domain; each gives its own back in time. They are never closed
        let Ok(_place) = self.places.acquire().await else { return };
        let (begun, longest) = (Instant::now(), self.settings.fetch_max);
        let seconds = longest.as_secs();
        let fetched = tokio::time::timeout(longest, self.fetcher.fetch(name)).await;
        let fetched = fetched.unwrap_or_else(|_| {
            let why = format!("it did not come within {seconds} seconds");
            Err(Failed::new(ResultType::StsPolicyFetchError, why))
        });
        let now = self.clock.now();
        match fetched {
            Ok(policy) => {
                tracing::debug!(domain = name, id, mode = ?policy.mode, "a policy was fetched (MTA-STS)");
                domain.standing().fetched(id, policy, now);
                *domain.trouble() = None;
                self.has_changed.store(true, Ordering::Release);
            }
            Err(failed) => {
                tracing::info!(domain = name, id, why = %failed.why, "a policy cannot be fetched (MTA-STS)");
                domain.standing().failed(now, begun.elapsed() >= longest / SLOW_PART);
                *domain.trouble() = Some(failed);
            }
        }
    }
}

/// Makes room for more: what nothing is lost with goes, and where that is little, a tenth of the rest, whose time ends
/// first.
fn make_room(domains: &mut HashMap<String, Arc<Domain>>, now: Timestamp) {
    let before = domains.len();
    domains.retain(|_, domain| Arc::strong_count(domain) > 1 || !domain.standing().is_idle(now));
    if domains.len() > before - before / 10 {
        let end = |domain: &Domain| domain.standing().kept.as_ref().map_or(now, Kept::ends);
        let mut ends: Vec<Timestamp> = domains.values().map(|domain| end(domain)).collect();
        let place = ends.len() / 10;
        let (_, last, _) = ends.select_nth_unstable(place);
        let last = *last;
        domains.retain(|_, domain| end(domain) > last);
    }
}
