//! Looks in DNS for the records of signing keys that were not seen yet: signing begins when they are.
//!
//! Only domains that may be sent from are looked at, soon after a key appears and then ever more
//! rarely. A fault of DNS, or a record that is wrong, changes nothing: it is looked at again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use relay::clock::Timestamp;
use relay::id::Id;
use relay::sending_domain::{DkimKey, SendingDomain};
use relay::signing;
use relay::store::Book;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::dns::{LookupError, Resolver};
use crate::shutdown::Shutdown;

/// The wait before the second, third, … look for a key; the last of them from then on.
const WAITS: [Duration; 7] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
];

/// How often the directory is looked at when nobody says that it changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Looks at once.
const LOOKS_MAX: usize = 8;

/// One key of one domain.
type Name = (Id<SendingDomain>, String);

/// When a key is looked for.
#[derive(Clone, Copy, Debug)]
struct Plan {
    next: Timestamp,
    looks: usize,
}

/// A running watch. Cheap to clone.
#[derive(Clone)]
pub struct KeyWatch {
    changed: Arc<Notify>,
}

impl KeyWatch {
    /// Starts to watch, until the stop. Call within a tokio runtime.
    pub fn start<S: Book>(
        store: Arc<S>,
        resolver: Arc<dyn Resolver>,
        clock: Arc<dyn Clock>,
        shutdown: &Shutdown,
    ) -> KeyWatch {
        let changed = Arc::new(Notify::new());
        let watch = Watch { store, resolver, clock, changed: changed.clone(), plans: HashMap::new() };
        shutdown.spawn(watch.run(shutdown.clone()));
        KeyWatch { changed }
    }

    /// Domains or keys changed: new ones are looked for now. Without this call it is noticed within half a minute.
    pub fn directory_changed(&self) {
        self.changed.notify_one();
    }
}

struct Watch<S> {
    store: Arc<S>,
    resolver: Arc<dyn Resolver>,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
    plans: HashMap<Name, Plan>,
}

impl<S: Book> Watch<S> {
    async fn run(mut self, shutdown: Shutdown) {
        loop {
            let unseen = self.unseen();
            self.plans.retain(|name, _| unseen.contains_key(name));
            let mut looks = JoinSet::new();
            for (name, (domain, key)) in unseen {
                if !self.is_time(name) {
                    continue;
                }
                if looks.len() >= LOOKS_MAX {
                    looks.join_next().await;
                }
                if shutdown.is_begun() {
                    return;
                }
                looks.spawn(look(self.store.clone(), self.resolver.clone(), self.clock.clone(), domain, key));
            }
            looks.join_all().await;
            let next = self.plans.values().map(|plan| plan.next.since(self.clock.now())).min();
            tokio::select! {
                () = shutdown.begun() => return,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(next.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)) => {}
            }
        }
    }

    /// Every key that may come to sign, spare ones included, and was not seen.
    fn unseen(&self) -> HashMap<Name, (Arc<SendingDomain>, DkimKey)> {
        let directory = self.store.directory();
        let mut unseen = HashMap::new();
        for domain in directory.domains.values() {
            if domain.state.may_send() && domain.deleted_at.is_none() {
                for key in domain.keys.iter().filter(|key| key.seen_at.is_none()) {
                    unseen.insert((domain.id, key.selector.clone()), (domain.clone(), key.clone()));
                }
            }
        }
        unseen
    }

    /// Whether a key is to be looked for now; the next time is planned then.
    fn is_time(&mut self, name: Name) -> bool {
        let now = self.clock.now();
        let plan = self.plans.entry(name).or_insert(Plan { next: now, looks: 0 });
        if plan.next > now {
            return false;
        }
        plan.next = now.after(WAITS[plan.looks.min(WAITS.len() - 1)]);
        plan.looks += 1;
        true
    }
}

/// Looks for one key.
async fn look<S: Book>(
    store: Arc<S>,
    resolver: Arc<dyn Resolver>,
    clock: Arc<dyn Clock>,
    domain: Arc<SendingDomain>,
    key: DkimKey,
) {
    let host = format!("{}._domainkey.{}", key.selector, domain.name);
    match resolver.txt(&host).await {
        Ok(records) if records.iter().any(|record| signing::publishes(record, &key)) => {}
        Ok(records) => return tracing::debug!(%host, found = records.len(), "a signing key's record is another"),
        Err(LookupError::Fault(error)) => {
            return tracing::debug!(%host, error, "DNS did not say whether a signing key is there");
        }
        Err(error) => return tracing::debug!(%host, %error, "a signing key is not in DNS yet"),
    }
    let (id, selector, now) = (domain.id, key.selector, clock.now());
    let kept = tokio::task::spawn_blocking(move || store.domain_key_seen(id, &selector, now)).await;
    match kept {
        Ok(Ok(())) => tracing::info!(%host, "a signing key was seen in DNS: it signs from now on"),
        Ok(Err(error)) => tracing::warn!(%host, %error, "a signing key was seen, which could not be kept"),
        Err(_) => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dns::{Lookup, Mx};
    use relay::sending_domain::{DomainState, KeyAlgorithm};
    use relay::store::{Actor, NewDkimKey};
    use smtp::server::Secret;
    use std::net::IpAddr;
    use std::sync::Mutex;
    use store::memory::Memory;
    use tokio::time::Instant;

    const START: Timestamp = Timestamp(1_800_000_000_000);

    struct PausedClock(Instant);

    impl Clock for PausedClock {
        fn now(&self) -> Timestamp {
            START.after(self.0.elapsed())
        }
    }

    /// DNS with one answer for every TXT question, and the questions it heard.
    struct OneAnswer {
        answer: Mutex<Result<Vec<String>, LookupError>>,
        heard: Mutex<Vec<String>>,
    }

    impl Resolver for OneAnswer {
        fn mx<'a>(&'a self, _domain: &'a str) -> Lookup<'a, Vec<Mx>> {
            Box::pin(async { Err(LookupError::NoRecord) })
        }

        fn addresses<'a>(&'a self, _host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
            Box::pin(async { Err(LookupError::NoRecord) })
        }

        fn txt<'a>(&'a self, name: &'a str) -> Lookup<'a, Vec<String>> {
            self.heard.lock().unwrap().push(name.to_owned());
            let answer = self.answer.lock().unwrap().clone();
            Box::pin(async move { answer })
        }
    }

    struct World {
        store: Memory,
        dns: Arc<OneAnswer>,
        watch: KeyWatch,
        shutdown: Shutdown,
        actor: Actor,
    }

    impl World {
        fn new(answer: Result<Vec<String>, LookupError>) -> Self {
            let store = Memory::new();
            let dns = Arc::new(OneAnswer { answer: Mutex::new(answer), heard: Mutex::default() });
            let (clock, shutdown) = (Arc::new(PausedClock(Instant::now())), Shutdown::new());
            let watch = KeyWatch::start(Arc::new(store.clone()), dns.clone(), clock, &shutdown);
            World { store, dns, watch, shutdown, actor: Actor { name: "operator".into(), from: "test".into() } }
        }

        fn add(&self, state: DomainState) -> Id<SendingDomain> {
            let account = self.store.account_add("Shop", &self.actor, START).unwrap();
            let key = |selector: &str, active| DkimKey {
                selector: selector.into(),
                algorithm: KeyAlgorithm::Ed25519,
                record: "v=DKIM1; k=ed25519; p=RIGHT".into(),
                active,
                seen_at: None,
            };
            let new = |key| NewDkimKey { key, private: Secret::new(Vec::new()) };
            let keys = vec![new(key("s1", true)), new(key("s2", false))];
            let domain = self.store.domain_add(account.id, "shop.example", keys, &self.actor, START).unwrap();
            self.store.domain_state(domain.id, state, &self.actor, START).unwrap();
            self.watch.directory_changed();
            domain.id
        }

        async fn is_seen_after(&self, domain: Id<SendingDomain>, time: Duration) -> bool {
            tokio::time::sleep(time).await;
            self.store.directory().domains[&domain].keys.iter().all(|key| key.seen_at.is_some())
        }

        fn looks(&self) -> usize {
            self.dns.heard.lock().unwrap().len()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn published_keys_are_seen_at_once_the_spare_too() {
        let world = World::new(Ok(vec!["v=DKIM1; k=ed25519; p=RI GHT".into()]));
        let domain = world.add(DomainState::Vouched);
        assert!(world.is_seen_after(domain, Duration::from_millis(5)).await);
        let mut heard = world.dns.heard.lock().unwrap().clone();
        heard.sort();
        assert_eq!(heard, ["s1._domainkey.shop.example", "s2._domainkey.shop.example"]);
        assert!(world.is_seen_after(domain, Duration::from_secs(3600)).await);
        assert_eq!(world.looks(), 2, "what was seen is not looked for again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_record_or_a_fault_is_looked_at_again_ever_more_rarely() {
        let world = World::new(Ok(vec!["v=DKIM1; k=ed25519; p=WRONG".into()]));
        let domain = world.add(DomainState::Vouched);
        assert!(!world.is_seen_after(domain, Duration::from_secs(600)).await);
        let first = world.looks();
        *world.dns.answer.lock().unwrap() = Err(LookupError::Fault("SERVFAIL".into()));
        assert!(!world.is_seen_after(domain, Duration::from_secs(600)).await);
        assert!(first >= 4 && world.looks() - first < first, "{first}, then {}", world.looks());
        *world.dns.answer.lock().unwrap() = Ok(vec!["v=DKIM1; p=RIGHT".into()]);
        assert!(world.is_seen_after(domain, Duration::from_secs(3600)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pending_domain_is_not_looked_at() {
        let world = World::new(Ok(vec!["p=RIGHT".into()]));
        let domain = world.add(DomainState::Pending);
        assert!(!world.is_seen_after(domain, Duration::from_secs(3600)).await);
        assert_eq!(world.looks(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_watch_ends_with_the_process() {
        let world = World::new(Err(LookupError::NoSuchName));
        world.add(DomainState::Vouched);
        world.shutdown.begin();
        assert!(world.shutdown.finished(Duration::from_secs(60)).await);
    }
}
