//! The watch on DNS that answers as it is told, in paused time.

use super::*;
use crate::dns::{Answering, LookupError};
use relay::account::Account;
use relay::clock::Timestamp;
use relay::inspection::Kind;
use relay::sending_domain::{DkimKey, KeyAlgorithm};
use relay::store::{Actor, NewDkimKey};
use smtp::server::Secret;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::memory::Memory;

const START: Timestamp = Timestamp(1_800_000_000_000);

struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        START.after(self.0.elapsed())
    }
}

/// DNS with one answer for the record of every key and nothing else, and the keys it was asked for.
struct OneAnswer {
    answer: Mutex<Result<Vec<String>, LookupError>>,
    /// Selectors whose records have vanished.
    gone: Mutex<Vec<&'static str>>,
    heard: Mutex<Vec<String>>,
}

/// What names of silent name servers end with.
const SILENT: &str = "silent.example";

impl Witness for OneAnswer {
    fn ask<'a>(&'a self, question: &'a Question) -> Answering<'a> {
        let Question { name, kind } = question;
        let is_silent = name.ends_with(SILENT);
        let is_of_key = *kind == Kind::Txt && name.contains("._domainkey.");
        let mut answer = Err(LookupError::NoRecord);
        if is_of_key {
            self.heard.lock().unwrap().push(name.to_owned());
            let is_gone = self.gone.lock().unwrap().iter().any(|gone| name.split('.').next() == Some(gone));
            answer = if is_gone { answer } else { self.answer.lock().unwrap().clone() };
        }
        Box::pin(async move {
            if is_silent {
                tokio::time::sleep(Duration::from_secs(30)).await;
                answer = Err(LookupError::Fault("no answer".into()));
            }
            let said = match answer {
                Ok(found) => Said::Found(found),
                Err(LookupError::Fault(fault)) => Said::Fault(fault),
                Err(_) => Said::Nothing,
            };
            Answer { said, server: None }
        })
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
        let dns = Arc::new(OneAnswer { answer: Mutex::new(answer), gone: Mutex::default(), heard: Mutex::default() });
        let (clock, shutdown) = (Arc::new(PausedClock(Instant::now())), Shutdown::new());
        let changes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&changes);
        let on_change = Box::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let limits = Limits::default();
        let (kept, publisher) = (Arc::new(store.clone()), Arc::new(Publisher::default()));
        let watch = DomainWatch::start(kept, dns.clone(), publisher, clock, &limits, on_change, &shutdown);
        let actor = Actor { name: "operator".into(), from: "test".into() };
        World { store, dns, watch, shutdown, changes, actor }
    }

    fn add(&self, state: DomainState) -> Id<SendingDomain> {
        let account = self.store.account_add("Shop", &self.actor, START).unwrap();
        self.add_to(account.id, "shop.example", state)
    }

    fn add_to(&self, account: Id<Account>, name: &str, state: DomainState) -> Id<SendingDomain> {
        let key = |selector: &str, active| {
            DkimKey::new(selector, KeyAlgorithm::Ed25519, "v=DKIM1; k=ed25519; p=RIGHT", active)
        };
        let new = |key| NewDkimKey { key, private: Secret::new(Vec::new()) };
        // no selector is given twice
        let before = 2 * self.store.directory().domains.len();
        let [active, spare] = [1, 2].map(|number| format!("s{}", before + number));
        let keys = vec![new(key(&active, true)), new(key(&spare, false))];
        let domain = self.store.domain_add(account, name, keys, &self.actor, START).unwrap();
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
    let account = world.store.account_add("Taker", &world.actor, START).unwrap();
    let taker = world.add_to(account.id, "shop.example", DomainState::Pending);
    assert_eq!(world.state_after(taker, MOMENT).await, DomainState::Pending);
    *world.dns.gone.lock().unwrap() = vec!["s1", "s2"];
    assert_eq!(world.state_after(taker, Duration::from_secs(60)).await, DomainState::Validated);
    assert_eq!(world.domain(holder).state, DomainState::Failed);
}

#[tokio::test(start_paused = true)]
async fn the_watch_ends_with_the_process() {
    let world = World::new(Err(LookupError::NoSuchName));
    world.add(DomainState::Vouched);
    world.shutdown.begin();
    assert!(world.shutdown.finished(Duration::from_secs(60)).await);
}

#[tokio::test(start_paused = true)]
async fn silent_name_servers_of_one_account_delay_nobody_else() {
    let world = World::new(right());
    let account = world.store.account_add("Many", &world.actor, START).unwrap();
    for number in 0..200 {
        world.add_to(account.id, &format!("d{number}.{SILENT}"), DomainState::Pending);
    }
    tokio::time::sleep(MOMENT).await;
    assert_eq!(world.looks(), 4 * 2, "so many of one account at once");
    let domain = world.add(DomainState::Pending);
    assert_eq!(world.state_after(domain, MOMENT).await, DomainState::Validated);
    world.looks();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(world.looks(), 4 * 2, "the next of them");
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_is_asked_for_is_looked_at_soon_and_once() {
    let world = World::new(right());
    let domain = world.add(DomainState::Pending);
    assert_eq!(world.state_after(domain, HOUR).await, DomainState::Validated);
    world.looks();
    world.answer(Err(LookupError::NoSuchName));
    world.watch.look_soon(domain);
    world.watch.look_soon(domain);
    assert_eq!(world.state_after(domain, MOMENT).await, DomainState::Warning);
    assert_eq!(world.looks(), 2);
    world.watch.look_soon(domain);
    world.watch.look_soon(Id::new(99));
    tokio::time::sleep(MOMENT).await;
    assert_eq!(world.looks(), 0, "a look that is seconds old is not repeated");
}
