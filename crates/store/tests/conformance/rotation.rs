//! DKIM keys that follow one another by themselves, over months, with a DNS that publishes what it is given.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use relay::clock::Timestamp;
use relay::id::Id;
use relay::inspection::{self, Answer, Answers, Kind, Said};
use relay::limits::Limits;
use relay::power::Scope;
use relay::rotation::{self, MARGIN, Pace, SPREAD, Step};
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use relay::service::{self, Caller};
use relay::signing;
use relay::store::{NewDkimKey, Store, StoreError};
use relay::verification;
use relay::zone::{Data, Held, Publisher, Zone};
use smtp::server::Secret;

use crate::book::account;
use crate::world::{Folder, NOW, operator};

const RETRY: Duration = Duration::from_secs(5 * 86_400);
const HALF_DAY: Duration = Duration::from_secs(43_200);

/// A domain, and what DNS has of it: through a zone, or texts of its owner's.
struct Town<'s, S> {
    store: &'s S,
    kept: Kept,
}

/// What is no store's.
struct Kept {
    domain: Id<SendingDomain>,
    publisher: Publisher,
    texts: HashMap<String, String>,
    limits: Limits,
    /// Since when DNS has which text of a selector.
    since: HashMap<String, (Timestamp, String)>,
    /// What was signed: when, by which selector, under which text.
    signed: Vec<(Timestamp, String, String)>,
    moves: usize,
}

impl<'s, S: Store> Town<'s, S> {
    fn new(store: &'s S, is_led: bool) -> Self {
        let zone = Zone { name: "z.test".into(), name_servers: vec!["ns.z.test".into()], is_served: true };
        let publisher = Publisher { zone: is_led.then_some(zone), hostname: "out.test".into(), ..Publisher::default() };
        let keys = vec![key("one", true), key("two", false)];
        let domain = store.domain_add(account(store), "shop.example", keys, &operator(), NOW).unwrap().id;
        let limits = Limits { dkim_rotation_days: 30, ..Limits::default() };
        let (texts, since, signed) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut town = Town { store, kept: Kept { domain, publisher, texts, limits, since, signed, moves: 0 } };
        town.publish();
        town.look(NOW);
        assert_eq!(town.domain().state, DomainState::Validated);
        town
    }

    fn domain(&self) -> Arc<SendingDomain> {
        Arc::clone(&self.store.directory().domains[&self.kept.domain])
    }

    /// The owner publishes what the domain's page shows.
    fn publish(&mut self) {
        for key in &self.domain().keys {
            self.kept.texts.insert(key.selector.clone(), key.record.clone());
        }
    }

    /// The text that stands at a selector.
    fn text(&self, key: &DkimKey) -> Option<String> {
        let Some(target) = self.kept.publisher.key_target(&self.domain(), key) else {
            return self.kept.texts.get(&key.selector).cloned();
        };
        let Held::Records(records) = self.kept.publisher.held(&self.store.directory(), &target, 1) else { return None };
        records.into_iter().find_map(|record| if let Data::Txt(text) = record.data { Some(text) } else { None })
    }

    fn look(&self, now: Timestamp) {
        let (domain, mut answers) = (self.domain(), Answers::default());
        let check = loop {
            let open = match inspection::look(&domain, &self.kept.publisher, now, &answers) {
                Ok(check) => break check,
                Err(open) => open,
            };
            for question in open {
                let key = domain.keys.iter().find(|key| verification::name(&domain, key) == question.name);
                let text = key.filter(|_| question.kind == Kind::Txt).and_then(|key| self.text(key));
                let said = text.map_or(Said::Nothing, |text| Said::Found(vec![text]));
                answers.put(question, Answer { said, server: None });
            }
        };
        self.store.domain_check(domain.id, check).unwrap();
    }

    /// Lives until a moment, half a day at a time, and holds what must be so.
    fn live(&mut self, from: Timestamp, until: Timestamp) {
        let pace = Pace::new(&self.kept.limits, RETRY).unwrap();
        let mut now = from;
        while now < until {
            self.look(now);
            for step in rotation::steps(&self.domain(), pace, now) {
                self.kept.moves += usize::from(matches!(step, Step::Move(_)));
                let actor = operator();
                let limits = &self.kept.limits;
                let caller = Caller { actor: &actor, now, scope: Scope::Operator, ends_at: None, limits };
                service::domain_step(self.store, &self.domain(), step, caller).unwrap();
            }
            self.sign(now);
            self.verify(now);
            now = now.after(HALF_DAY);
        }
    }

    /// What goes out at this moment is signed by a key that others have known for long enough.
    fn sign(&mut self, now: Timestamp) {
        let domain = self.domain();
        for key in &domain.keys {
            let text = self.text(key).unwrap_or_default();
            let known = self.kept.since.entry(key.selector.clone()).or_insert_with(|| (now, text.clone()));
            if known.1 != text {
                *known = (now, text);
            }
        }
        let signing = signing::keys(&domain, false);
        assert_eq!(signing.len(), 1, "one key signs, always");
        let key = signing[0];
        let (since, text) = &self.kept.since[&key.selector];
        assert!(signing::publishes(text, key), "{} is published", key.selector);
        assert!(*since == NOW || now.since(*since) >= SPREAD, "{} is known", key.selector);
        let private = self.store.domain_key(domain.id, &key.selector).unwrap();
        assert_eq!(message::dkim::record(private.expose()).unwrap(), key.record, "its private half signs");
        self.kept.signed.push((now, key.selector.clone(), key.record.clone()));
    }

    /// What may still be on its way verifies.
    fn verify(&mut self, now: Timestamp) {
        assert_eq!(self.domain().state, DomainState::Validated);
        self.kept.signed.retain(|(at, ..)| now.since(*at) < RETRY + MARGIN);
        let keys = &self.domain().keys;
        for (at, selector, record) in &self.kept.signed {
            let key = keys.iter().find(|key| key.selector == *selector).unwrap();
            assert_eq!(self.text(key).as_ref(), Some(record), "signed at {at:?}, on its way at {now:?}");
        }
    }

    fn actions(&self) -> Vec<String> {
        let mut lines = self.store.audit(None, 100).unwrap();
        lines.reverse();
        lines.into_iter().map(|line| line.action).filter(|action| action.starts_with("domain.")).collect()
    }
}

fn key(selector: &str, active: bool) -> NewDkimKey {
    let private = message::dkim::generate_ed25519().unwrap();
    let record = message::dkim::record(&private).unwrap();
    let (selector, algorithm) = (selector.to_owned(), KeyAlgorithm::Ed25519);
    let key = DkimKey::new(selector, algorithm, record, active);
    NewDkimKey { key, private: Secret::new(private) }
}

fn day(number: u32) -> Timestamp {
    NOW.after(Duration::from_secs(86_400) * number)
}

pub(crate) async fn keys_follow_one_another_and_what_they_signed_verifies_while_it_is_on_its_way(store: &impl Store) {
    let mut town = Town::new(store, true);
    let first = town.domain();
    town.live(NOW, day(130));
    assert_eq!(town.kept.moves, 4, "one each month");
    let last = town.domain();
    let is_new = |key: &DkimKey| first.keys.iter().all(|before| before.record != key.record);
    assert!(last.keys.iter().all(is_new), "no key signs a second time");
    let selectors = |domain: &SendingDomain| domain.keys.iter().map(|key| key.selector.clone()).collect::<Vec<_>>();
    assert_eq!(selectors(&last), selectors(&first), "nothing changes in the domain's own DNS");
    let expected = ["domain.rotate", "domain.key_renew", "domain.key_seen"];
    let actions = town.actions();
    assert_eq!(actions[4..10], [expected, expected].concat(), "{actions:?}");
}

pub(crate) async fn a_text_that_nobody_publishes_stops_the_rotation_and_nothing_else(store: &impl Store) {
    let mut town = Town::new(store, false);
    town.live(NOW, day(100));
    assert_eq!(town.kept.moves, 1, "to the key that was published from the start");
    let pace = Pace::new(&town.kept.limits, RETRY).unwrap();
    assert_eq!(rotation::overdue(&town.domain(), pace, day(100)).unwrap().selector, "one");
    let reason = verification::reason(&town.domain(), &town.kept.publisher);
    assert!(reason.contains("one._domainkey.shop.example has another TXT record"), "{reason}");
    assert!(reason.ends_with("until its record is there the keys stay as they are."), "{reason}");
    town.publish();
    town.live(day(100), day(102));
    assert_eq!(town.kept.moves, 1, "what was there before is remembered elsewhere");
    town.live(day(102), day(103));
    assert_eq!(town.kept.moves, 2);
}

pub(crate) async fn a_look_that_was_begun_before_a_key_was_made_says_nothing_of_it(store: &impl Store) {
    let town = Town::new(store, false);
    store.domain_rotate(town.kept.domain, KeyAlgorithm::Ed25519, false, &operator(), day(1)).unwrap();
    let before = town.domain();
    let found = inspection_of(&before, day(3));
    store.domain_renew(town.kept.domain, key("one", false), day(1), &operator(), day(2)).unwrap();
    let after = store.domain_check(town.kept.domain, found).unwrap();
    let renewed = after.keys.iter().find(|key| key.selector == "one").unwrap();
    assert_eq!((renewed.made_at, renewed.seen_at, renewed.moved_at), (Some(day(2)), None, None));
    assert!(!verification::is_there(&after, renewed), "what was found was the one before");
    assert_eq!(after.state, DomainState::Validated);
    town.look(day(4));
    assert_eq!(town.domain().state, DomainState::Validated, "another text stands there, and mail goes on");
}

/// A look at a domain that finds all its keys.
fn inspection_of(domain: &SendingDomain, at: Timestamp) -> verification::Check {
    let right = |key: &DkimKey| (key.selector.clone(), verification::RecordState::Right);
    let made = domain.keys.iter().filter_map(|key| Some((key.selector.clone(), key.made_at?))).collect();
    verification::Check { made, ..verification::Check::new(at, domain.keys.iter().map(right).collect()) }
}

pub(crate) async fn only_a_key_that_signs_no_more_is_made_anew(store: &impl Store) {
    let town = Town::new(store, true);
    let renew = |selector: &str, ended_at| {
        store.domain_renew(town.kept.domain, key(selector, false), ended_at, &operator(), day(9)).map(drop)
    };
    let is_refused = |result| matches!(result, Err(StoreError::Conflict(_)));
    assert!(is_refused(renew("one", day(1))), "it signs");
    assert!(is_refused(renew("two", day(1))), "it never signed");
    store.domain_rotate(town.kept.domain, KeyAlgorithm::Ed25519, false, &operator(), day(1)).unwrap();
    assert!(is_refused(renew("one", day(2))), "it ended at another moment");
    assert!(is_refused(renew("three", day(1))), "it is none of the domain's");
    store.domain_rotate(town.kept.domain, KeyAlgorithm::Ed25519, false, &operator(), day(2)).unwrap();
    assert!(is_refused(renew("one", day(1))), "it signs again");
    assert_eq!(renew("two", day(2)), Ok(()));
    let missing = store.domain_renew(Id::new(99), key("two", false), day(2), &operator(), day(9));
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_where_the_rotation_was() {
    let folder = Folder::new();
    let store = folder.open();
    let mut town = Town::new(&store, true);
    town.live(NOW, day(35));
    let kept = town.kept;
    drop(store);
    let store = folder.open();
    let mut town = Town { store: &store, kept };
    town.live(day(35), day(65));
    assert_eq!(town.kept.moves, 2);
    let kept = town.kept;
    drop(store);
    let store = folder.open();
    let mut town = Town { store: &store, kept };
    town.live(day(65), day(95));
    assert_eq!(town.kept.moves, 3);
}
