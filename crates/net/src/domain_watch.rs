//! Looks at the records of sending domains in DNS: often while something is missing, daily once all is there, and at once
//! where somebody asks.
//!
//! What an answer makes of a domain is decided by [`relay::verification`] and kept by the store: a fault of DNS changes
//! nothing. Which domain is next is decided by `plans`: one whose name servers are silent takes a place for as long as
//! that lasts, and the others go on.

mod plans;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relay::id::Id;
use relay::inspection::{self, Answer, Answers, Question, Said};
use relay::limits::Limits;
use relay::sending_domain::{DomainState, SendingDomain};
use relay::store::{Book, StoreError};
use relay::verification::{self, Check};
use relay::zone::Publisher;
use tokio::sync::Notify;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::dns::Witness;
use crate::shutdown::Shutdown;
use plans::{FRESH, Plans};

/// How often the directory is looked at when nobody says that it changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long a look may ask on behind its first questions, which are all that decides: the rest is told as unknown then.
const FURTHER: Duration = Duration::from_secs(20);

/// A running watch. Cheap to clone.
pub struct DomainWatch<S> {
    eyes: Arc<Eyes<S>>,
    wishes: Arc<Wishes>,
}

impl<S> Clone for DomainWatch<S> {
    fn clone(&self) -> Self {
        DomainWatch { eyes: Arc::clone(&self.eyes), wishes: Arc::clone(&self.wishes) }
    }
}

/// What others want of the watch.
#[derive(Default)]
struct Wishes {
    /// Rung where there is something new.
    bell: Notify,
    wanted: Mutex<Wanted>,
}

#[derive(Default)]
struct Wanted {
    /// The directory changed.
    refresh: bool,
    /// To be looked at soon.
    domains: BTreeSet<Id<SendingDomain>>,
}

impl Wishes {
    fn wish(&self, wish: impl FnOnce(&mut Wanted)) {
        wish(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.notify_one();
    }

    fn take(&self) -> Wanted {
        std::mem::take(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a look needs.
struct Eyes<S> {
    store: Arc<S>,
    witness: Arc<dyn Witness>,
    publisher: Arc<Publisher>,
    clock: Arc<dyn Clock>,
    on_change: Box<dyn Fn() + Send + Sync>,
}

impl<S: Book> DomainWatch<S> {
    /// Starts to watch, until the stop, with the numbers of the limits (`domain_looks_max`, `account_domain_looks_max`).
    /// `on_change` hears when a domain came into another state. Call within a tokio runtime.
    pub fn start(
        store: Arc<S>,
        witness: Arc<dyn Witness>,
        publisher: Arc<Publisher>,
        clock: Arc<dyn Clock>,
        limits: &Limits,
        on_change: Box<dyn Fn() + Send + Sync>,
        shutdown: &Shutdown,
    ) -> DomainWatch<S> {
        let eyes = Arc::new(Eyes { store, witness, publisher, clock, on_change });
        let wishes = Arc::new(Wishes::default());
        let watch = Watch {
            eyes: Arc::clone(&eyes),
            wishes: Arc::clone(&wishes),
            plans: Plans::new(limits),
            looks: JoinSet::new(),
            looked_at: HashMap::new(),
        };
        shutdown.spawn(watch.run(shutdown.clone()));
        DomainWatch { eyes, wishes }
    }

    /// Domains changed: new ones are looked at now. Without this call it is noticed within half a minute.
    pub fn directory_changed(&self) {
        self.wishes.wish(|wanted| wanted.refresh = true);
    }

    /// A domain is looked at before those whose time has come; nobody waits for it. Costs next to nothing, and a look that
    /// is seconds old is not repeated.
    pub fn look_soon(&self, domain: Id<SendingDomain>) {
        self.wishes.wish(|wanted| {
            wanted.domains.insert(domain);
        });
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

/// A look that has ended: whose task it was, and the domain as it is now where that was kept.
type Ended = Result<(task::Id, Result<Arc<SendingDomain>, StoreError>), JoinError>;

struct Watch<S> {
    eyes: Arc<Eyes<S>>,
    wishes: Arc<Wishes>,
    plans: Plans,
    looks: JoinSet<Result<Arc<SendingDomain>, StoreError>>,
    looked_at: HashMap<task::Id, Id<SendingDomain>>,
}

impl<S: Book> Watch<S> {
    /// Until the stop; what is still looked for then is looked for again after the next start.
    async fn run(mut self, shutdown: Shutdown) {
        self.refresh();
        let mut refresh_at = Instant::now() + LOOK_EVERY;
        loop {
            self.begin_looks();
            let now = self.eyes.clock.now();
            let due = self.plans.due_after(now).map_or(LOOK_EVERY, |due| due.since(now));
            tokio::select! {
                () = shutdown.begun() => return,
                Some(ended) = self.looks.join_next_with_id() => self.end_look(ended),
                () = self.wishes.bell.notified() => self.grant(),
                () = tokio::time::sleep_until(refresh_at) => {
                    self.refresh();
                    refresh_at = Instant::now() + LOOK_EVERY;
                }
                () = tokio::time::sleep(due) => {}
            }
        }
    }

    fn refresh(&mut self) {
        let directory = self.eyes.store.directory();
        self.plans.refresh(directory.domains.values().map(AsRef::as_ref), self.eyes.clock.now());
    }

    /// Does what others wished for.
    fn grant(&mut self) {
        let Wanted { refresh, domains } = self.wishes.take();
        if refresh {
            self.refresh();
        }
        let (directory, now) = (self.eyes.store.directory(), self.eyes.clock.now());
        for domain in domains.into_iter().filter_map(|id| directory.domains.get(&id)) {
            self.plans.look_soon(domain, now);
        }
    }

    /// Begins as many looks as there is room for.
    fn begin_looks(&mut self) {
        let directory = self.eyes.store.directory();
        while let Some(id) = self.plans.begin(self.eyes.clock.now()) {
            let domain = directory.domains.get(&id).filter(|domain| domain.deleted_at.is_none());
            let Some(domain) = domain.cloned() else {
                self.plans.forget(id);
                continue;
            };
            let eyes = Arc::clone(&self.eyes);
            let task = self.looks.spawn(async move { eyes.look(&domain).await });
            self.looked_at.insert(task.id(), id);
        }
    }

    fn end_look(&mut self, ended: Ended) {
        let (task, kept) = match ended {
            Ok((task, kept)) => (task, kept.map_err(|error| error.to_string())),
            Err(error) => (error.id(), Err(error.to_string())),
        };
        let Some(id) = self.looked_at.remove(&task) else { return };
        if let Err(error) = &kept {
            tracing::warn!(domain = %id, error, "what DNS says of a domain could not be kept");
        }
        // where it could not be kept the domain stands as it did; one that is gone is forgotten with the next refresh
        let domain = kept.ok().or_else(|| self.eyes.store.directory().domains.get(&id).cloned());
        let (directory, now) = (self.eyes.store.directory(), self.eyes.clock.now());
        let Some(domain) = domain else { return self.plans.forget(id) };
        let is_changed = self.plans.end(&domain, now);
        // of a name that two accounts claim, neither waits for the other's time
        for rival in verification::rivals(&directory, &domain) {
            if is_changed { self.plans.look_again(rival, now) } else { self.plans.look_soon(rival, now) }
        }
    }
}

impl<S: Book> Eyes<S> {
    /// Looks at all records of a domain, and keeps what was found.
    async fn look(&self, domain: &Arc<SendingDomain>) -> Result<Arc<SendingDomain>, StoreError> {
        let (at, mut answers) = (self.clock.now(), Answers::default());
        let mut ends = None;
        let check = loop {
            match inspection::look(domain, &self.publisher, at, &answers) {
                Ok(check) => break check,
                Err(open) => self.ask(open, &mut answers, &mut ends).await,
            }
        };
        let (store, id) = (Arc::clone(&self.store), domain.id);
        let kept = tokio::task::spawn_blocking(move || store.domain_check(id, check)).await;
        let kept = kept.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        self.tell(domain, &kept);
        Ok(kept)
    }

    /// Asks these, together: a name server that does not answer is waited for once. The first of a look take what they
    /// take, all further ones have until `ends` together.
    async fn ask(&self, open: BTreeSet<Question>, answers: &mut Answers, ends: &mut Option<Instant>) {
        let mut asking = JoinSet::new();
        let deadline = *ends;
        for question in open {
            let witness = Arc::clone(&self.witness);
            asking.spawn(async move {
                let said = match deadline {
                    None => Some(witness.ask(&question).await),
                    Some(deadline) => tokio::time::timeout_at(deadline, witness.ask(&question)).await.ok(),
                };
                let late = || Said::Fault("the name servers took too long".to_owned());
                (question, said.unwrap_or_else(|| Answer { said: late(), server: None }))
            });
        }
        for (question, answer) in asking.join_all().await {
            answers.put(question, answer);
        }
        ends.get_or_insert_with(|| Instant::now() + FURTHER);
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
                let reason = verification::reason(after, &self.publisher);
                tracing::warn!(domain = %after.name, state = ?after.state, %reason, "records of a domain are not right");
            }
            state => tracing::info!(domain = %after.name, ?state, "a domain came into another state"),
        }
        (self.on_change)();
    }
}
