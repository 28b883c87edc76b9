//! Looks at the records of sending domains in DNS: often while something is missing, daily once all is there, and at once
//! where somebody asks.
//!
//! What an answer makes of a domain is decided by [`relay::verification`] and kept by the store: a fault of DNS changes
//! nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relay::clock::Timestamp;
use relay::id::Id;
use relay::sending_domain::{DomainState, SendingDomain};
use relay::store::{Book, StoreError};
use relay::verification::{self, Check, RecordState};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::dns::{LookupError, Resolver};
use crate::shutdown::Shutdown;

/// The wait before the second, third, … look while something is missing; the last of them from then on.
const WAITS: [Duration; 7] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
];

/// The wait where a record has vanished.
const WAIT_IN_GRACE: Duration = Duration::from_secs(3600);

/// The wait where all is there.
const WAIT_WHEN_WELL: Duration = Duration::from_secs(24 * 3600);

/// How often the directory is looked at when nobody says that it changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Domains looked at at once.
const LOOKS_MAX: usize = 8;

/// A look that is asked for so soon after the last is that one: who clicks twice does not ask DNS twice.
const FRESH: Duration = Duration::from_secs(3);

/// When a domain is looked at.
#[derive(Clone, Copy, Debug)]
struct Plan {
    next: Timestamp,
    looks: usize,
    state: DomainState,
}

/// A running watch. Cheap to clone.
pub struct DomainWatch<S> {
    eyes: Arc<Eyes<S>>,
    changed: Arc<Notify>,
}

impl<S> Clone for DomainWatch<S> {
    fn clone(&self) -> Self {
        DomainWatch { eyes: Arc::clone(&self.eyes), changed: Arc::clone(&self.changed) }
    }
}

/// What a look needs.
struct Eyes<S> {
    store: Arc<S>,
    resolver: Arc<dyn Resolver>,
    clock: Arc<dyn Clock>,
    on_change: Box<dyn Fn() + Send + Sync>,
    changed: Arc<Notify>,
    /// Domains that a look at another one concerns, to be looked at before their time.
    concerned: Mutex<HashSet<Id<SendingDomain>>>,
}

impl<S: Book> DomainWatch<S> {
    /// Starts to watch, until the stop. `on_change` hears when a domain came into another state. The resolver should keep
    /// no answers. Call within a tokio runtime.
    pub fn start(
        store: Arc<S>,
        resolver: Arc<dyn Resolver>,
        clock: Arc<dyn Clock>,
        on_change: Box<dyn Fn() + Send + Sync>,
        shutdown: &Shutdown,
    ) -> DomainWatch<S> {
        let changed = Arc::new(Notify::new());
        let concerned = Mutex::default();
        let eyes = Arc::new(Eyes { store, resolver, clock, on_change, changed: Arc::clone(&changed), concerned });
        let watch = Watch { eyes: Arc::clone(&eyes), changed: Arc::clone(&changed), plans: HashMap::new() };
        shutdown.spawn(watch.run(shutdown.clone()));
        DomainWatch { eyes, changed }
    }

    /// Domains changed: new ones are looked at now. Without this call it is noticed within half a minute.
    pub fn directory_changed(&self) {
        self.changed.notify_one();
    }

    /// Looks at a domain now; the domain as that leaves it.
    ///
    /// # Errors
    /// There is no such domain, or what was found cannot be kept.
    pub async fn verify(&self, domain: &Arc<SendingDomain>) -> Result<Arc<SendingDomain>, StoreError> {
        let is_fresh = |check: &Check| self.eyes.clock.now().since(check.at) < FRESH;
        if domain.check.as_ref().is_some_and(is_fresh) {
            return Ok(Arc::clone(domain));
        }
        self.eyes.look(domain).await
    }
}

struct Watch<S> {
    eyes: Arc<Eyes<S>>,
    changed: Arc<Notify>,
    plans: HashMap<Id<SendingDomain>, Plan>,
}

impl<S: Book> Watch<S> {
    async fn run(mut self, shutdown: Shutdown) {
        loop {
            let directory = self.eyes.store.directory();
            let is_there = |id: &Id<SendingDomain>| directory.domains.get(id).is_some_and(|d| d.deleted_at.is_none());
            self.plans.retain(|id, _| is_there(id));
            let now = self.eyes.clock.now();
            for id in std::mem::take(&mut *self.eyes.concerned()) {
                if let Some(plan) = self.plans.get_mut(&id) {
                    plan.next = now;
                }
            }
            let mut looks = JoinSet::new();
            for domain in directory.domains.values().filter(|domain| domain.deleted_at.is_none()) {
                if !self.is_time(domain) {
                    continue;
                }
                if looks.len() >= LOOKS_MAX {
                    tokio::select! {
                        _ = looks.join_next() => {}
                        () = shutdown.begun() => return,
                    }
                }
                let (eyes, domain) = (Arc::clone(&self.eyes), Arc::clone(domain));
                looks.spawn(async move {
                    if let Err(error) = eyes.look(&domain).await {
                        tracing::warn!(domain = %domain.name, %error, "what DNS says of a domain could not be kept");
                    }
                });
            }
            tokio::select! {
                () = async { while looks.join_next().await.is_some() {} } => {}
                // what is still looked for is looked for again after the next start
                () = shutdown.begun() => return,
            }
            let next = self.plans.values().map(|plan| plan.next.since(self.eyes.clock.now())).min();
            tokio::select! {
                () = shutdown.begun() => return,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(next.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)) => {}
            }
        }
    }

    /// Whether a domain is to be looked at now; the next time is planned then.
    fn is_time(&mut self, domain: &SendingDomain) -> bool {
        let now = self.eyes.clock.now();
        let looked_at = domain.check.as_ref().map(|check| check.at);
        let plan = self.plans.entry(domain.id).or_insert_with(|| {
            // after a restart it goes on where it was
            let next = looked_at.filter(|_| verification::is_well(domain)).map(|at| at.after(WAIT_WHEN_WELL));
            Plan { next: next.unwrap_or(now), looks: 0, state: domain.state }
        });
        if plan.state != domain.state {
            // by what was just found, or by somebody's word
            let is_found = looked_at.is_some_and(|at| now.since(at) < FRESH);
            let next = if is_found { now.after(wait(domain, 0)) } else { now };
            *plan = Plan { next, looks: 0, state: domain.state };
        }
        if plan.next > now {
            return false;
        }
        plan.next = now.after(wait(domain, plan.looks));
        plan.looks += 1;
        true
    }
}

/// How long after so many looks the next one is.
fn wait(domain: &SendingDomain, looks: usize) -> Duration {
    match domain.state {
        _ if verification::is_well(domain) => WAIT_WHEN_WELL,
        DomainState::Warning => WAIT_IN_GRACE,
        _ => WAITS[looks.min(WAITS.len() - 1)],
    }
}

impl<S: Book> Eyes<S> {
    /// Looks at all records of a domain, and keeps what was found.
    async fn look(&self, domain: &Arc<SendingDomain>) -> Result<Arc<SendingDomain>, StoreError> {
        let at = self.clock.now();
        // together: a name server that does not answer is waited for once
        let mut looks = JoinSet::new();
        for (place, key) in domain.keys.iter().enumerate() {
            let (resolver, name) = (Arc::clone(&self.resolver), verification::name(domain, key));
            looks.spawn(async move { (place, resolver.txt(&name).await) });
        }
        let mut records = Vec::with_capacity(domain.keys.len());
        for (place, answer) in looks.join_all().await {
            let key = &domain.keys[place];
            let found = match answer {
                Ok(found) => RecordState::of(&found, key),
                Err(LookupError::NoSuchName | LookupError::NoRecord) => RecordState::Absent,
                Err(LookupError::Fault(fault)) => RecordState::Unknown { fault },
            };
            records.push((place, key.selector.clone(), found));
        }
        records.sort_by_key(|(place, _, _)| *place);
        let records = records.into_iter().map(|(_, selector, found)| (selector, found)).collect();
        let (store, id, check) = (Arc::clone(&self.store), domain.id, Check { at, records });
        let kept = tokio::task::spawn_blocking(move || store.domain_check(id, check)).await;
        let kept = kept.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        self.tell(domain, &kept);
        self.concern_rivals(&kept);
        Ok(kept)
    }

    /// A name that two accounts claim: neither waits for the other's time.
    fn concern_rivals(&self, domain: &SendingDomain) {
        let directory = self.store.directory();
        let rivals: Vec<_> = verification::rivals(&directory, domain).map(|rival| rival.id).collect();
        if !rivals.is_empty() {
            self.concerned().extend(rivals);
            self.changed.notify_one();
        }
    }

    fn concerned(&self) -> MutexGuard<'_, HashSet<Id<SendingDomain>>> {
        self.concerned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, before: &SendingDomain, after: &SendingDomain) {
        let seen = |domain: &SendingDomain| domain.keys.iter().filter(|key| key.seen_at.is_some()).count();
        if seen(after) > seen(before) {
            tracing::info!(domain = %after.name, "signing keys were seen in DNS: they sign from now on");
        }
        if after.state == before.state {
            return;
        }
        match after.state {
            DomainState::Warning | DomainState::Failed => {
                let reason = verification::reason(after);
                tracing::warn!(domain = %after.name, state = ?after.state, %reason, "records of a domain are not right");
            }
            state => tracing::info!(domain = %after.name, ?state, "a domain came into another state"),
        }
        (self.on_change)();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dns::{Lookup, Mx};
    use relay::sending_domain::{DkimKey, KeyAlgorithm};
    use relay::store::{Actor, NewDkimKey};
    use smtp::server::Secret;
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use store::memory::Memory;
    use tokio::time::Instant;

    const START: Timestamp = Timestamp(1_800_000_000_000);

    struct PausedClock(Instant);

    impl Clock for PausedClock {
        fn now(&self) -> Timestamp {
            START.after(self.0.elapsed())
        }
    }

    /// DNS with one answer for every TXT question but those about names that begin with `gone`, and what it was asked.
    struct OneAnswer {
        answer: Mutex<Result<Vec<String>, LookupError>>,
        gone: Mutex<Option<&'static str>>,
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
            let is_gone = self.gone.lock().unwrap().is_some_and(|gone| name.starts_with(gone));
            let answer = if is_gone { Err(LookupError::NoRecord) } else { self.answer.lock().unwrap().clone() };
            Box::pin(async move { answer })
        }
    }

    struct World {
        store: Memory,
        dns: Arc<OneAnswer>,
        watch: DomainWatch<Memory>,
        shutdown: Shutdown,
        changes: Arc<AtomicUsize>,
        actor: Actor,
    }

    impl World {
        fn new(answer: Result<Vec<String>, LookupError>) -> Self {
            let store = Memory::new();
            let dns =
                Arc::new(OneAnswer { answer: Mutex::new(answer), gone: Mutex::default(), heard: Mutex::default() });
            let (clock, shutdown) = (Arc::new(PausedClock(Instant::now())), Shutdown::new());
            let changes = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&changes);
            let on_change = Box::new(move || {
                counted.fetch_add(1, Ordering::SeqCst);
            });
            let watch = DomainWatch::start(Arc::new(store.clone()), dns.clone(), clock, on_change, &shutdown);
            let actor = Actor { name: "operator".into(), from: "test".into() };
            World { store, dns, watch, shutdown, changes, actor }
        }

        fn add(&self, state: DomainState) -> Id<SendingDomain> {
            self.claim(["s1", "s2"], state)
        }

        /// The same name in an account of its own.
        fn claim(&self, selectors: [&str; 2], state: DomainState) -> Id<SendingDomain> {
            let account = self.store.account_add("Shop", &self.actor, START).unwrap();
            let key = |selector: &str, active| DkimKey {
                selector: selector.into(),
                algorithm: KeyAlgorithm::Ed25519,
                record: "v=DKIM1; k=ed25519; p=RIGHT".into(),
                active,
                seen_at: None,
            };
            let new = |key| NewDkimKey { key, private: Secret::new(Vec::new()) };
            let keys = vec![new(key(selectors[0], true)), new(key(selectors[1], false))];
            let domain = self.store.domain_add(account.id, "shop.example", keys, &self.actor, START).unwrap();
            self.store.domain_state(domain.id, state, &self.actor, START).unwrap();
            self.watch.directory_changed();
            domain.id
        }

        fn answer(&self, answer: Result<Vec<String>, LookupError>) {
            *self.dns.answer.lock().unwrap() = answer;
        }

        fn domain(&self, domain: Id<SendingDomain>) -> Arc<SendingDomain> {
            Arc::clone(&self.store.directory().domains[&domain])
        }

        async fn state_after(&self, domain: Id<SendingDomain>, time: Duration) -> DomainState {
            tokio::time::sleep(time).await;
            self.domain(domain).state
        }

        async fn is_seen_after(&self, domain: Id<SendingDomain>, time: Duration) -> bool {
            tokio::time::sleep(time).await;
            self.domain(domain).keys.iter().all(|key| key.seen_at.is_some())
        }

        /// Questions since it was last asked.
        fn looks(&self) -> usize {
            std::mem::take(&mut *self.dns.heard.lock().unwrap()).len()
        }
    }

    fn right() -> Result<Vec<String>, LookupError> {
        Ok(vec!["v=DKIM1; k=ed25519; p=RI GHT".into()])
    }

    const MOMENT: Duration = Duration::from_millis(5);
    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn published_keys_are_seen_at_once_the_spare_too() {
        let world = World::new(right());
        let domain = world.add(DomainState::Vouched);
        assert!(world.is_seen_after(domain, MOMENT).await);
        let mut heard = world.dns.heard.lock().unwrap().clone();
        heard.sort();
        assert_eq!(heard, ["s1._domainkey.shop.example", "s2._domainkey.shop.example"]);
        assert_eq!(world.domain(domain).state, DomainState::Vouched, "a word stays a word");
    }

    #[tokio::test(start_paused = true)]
    async fn a_domain_is_validated_when_its_records_are_there_and_looked_at_daily_from_then_on() {
        let world = World::new(Err(LookupError::NoSuchName));
        let domain = world.add(DomainState::Pending);
        assert_eq!(world.state_after(domain, HOUR).await, DomainState::Pending);
        assert!(world.looks() > 8);
        world.answer(right());
        assert_eq!(world.state_after(domain, 2 * HOUR).await, DomainState::Validated);
        assert_eq!(world.changes.load(Ordering::SeqCst), 1);
        world.looks();
        tokio::time::sleep(72 * HOUR).await;
        assert_eq!(world.looks(), 3 * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_record_or_a_fault_is_looked_at_again_ever_more_rarely() {
        let world = World::new(Ok(vec!["v=DKIM1; k=ed25519; p=WRONG".into()]));
        let domain = world.add(DomainState::Vouched);
        assert!(!world.is_seen_after(domain, Duration::from_secs(600)).await);
        let first = world.looks();
        world.answer(Err(LookupError::Fault("SERVFAIL".into())));
        assert!(!world.is_seen_after(domain, Duration::from_secs(600)).await);
        let then = world.looks();
        assert!(first >= 8 && then < first, "{first}, then {then}");
        world.answer(right());
        assert!(world.is_seen_after(domain, HOUR).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_vanishes_is_waited_for_72_hours() {
        let world = World::new(right());
        let domain = world.add(DomainState::Pending);
        assert_eq!(world.state_after(domain, MOMENT).await, DomainState::Validated);
        world.answer(Err(LookupError::Fault("SERVFAIL".into())));
        assert_eq!(world.state_after(domain, 48 * HOUR).await, DomainState::Validated, "a fault is no absence");
        world.answer(Err(LookupError::NoRecord));
        assert_eq!(world.state_after(domain, 24 * HOUR).await, DomainState::Warning);
        assert_eq!(world.state_after(domain, 47 * HOUR).await, DomainState::Warning);
        assert_eq!(world.state_after(domain, 26 * HOUR).await, DomainState::Failed);
        world.answer(right());
        assert_eq!(world.state_after(domain, 7 * HOUR).await, DomainState::Validated);
        assert_eq!(world.changes.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_is_told_what_is_so_now() {
        let world = World::new(Err(LookupError::NoSuchName));
        let domain = world.add(DomainState::Pending);
        tokio::time::sleep(24 * HOUR).await;
        world.looks();
        world.answer(right());
        let verified = world.watch.verify(&world.domain(domain)).await.unwrap();
        assert_eq!((verified.state, world.looks()), (DomainState::Validated, 2));
        world.watch.verify(&verified).await.unwrap();
        assert_eq!(world.looks(), 0, "asked again at once, it is the same look");
        let nobody = SendingDomain { id: Id::new(99), check: None, ..(*verified).clone() };
        assert!(matches!(world.watch.verify(&Arc::new(nobody)).await, Err(StoreError::NotFound(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_all_records_of_a_name_does_not_wait_for_the_day_of_who_held_it() {
        let world = World::new(right());
        let holder = world.add(DomainState::Pending);
        assert_eq!(world.state_after(holder, HOUR).await, DomainState::Validated);
        let taker = world.claim(["t1", "t2"], DomainState::Pending);
        assert_eq!(world.state_after(taker, MOMENT).await, DomainState::Pending);
        *world.dns.gone.lock().unwrap() = Some("s");
        assert_eq!(world.state_after(taker, WAITS[0]).await, DomainState::Validated);
        assert_eq!(world.domain(holder).state, DomainState::Failed);
    }

    #[tokio::test(start_paused = true)]
    async fn the_watch_ends_with_the_process() {
        let world = World::new(Err(LookupError::NoSuchName));
        world.add(DomainState::Vouched);
        world.shutdown.begin();
        assert!(world.shutdown.finished(Duration::from_secs(60)).await);
    }
}
