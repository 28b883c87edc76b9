//! The operator's people, two at once: one orders about single messages, suspends accounts and pulls brakes, the other orders
//! about parts of the queue. So the relay lets them: of each kind it carries out one at a time (`envoi/execute`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use net::clock::Clock;
use net::dispatch::Handle;
use net::dispatch::selected::{self, Chosen, Found, ORDERED_MAX};
use net::offload::Offload;
use relay::account::{Account, AccountState};
use relay::brake::{Brake, Cause, Release, Seen, Subject};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{HoldReason, RecipientState};
use relay::reroute::Via;
use relay::selection::{Filter, Whom};
use relay::service::{QueueOrder, queue_via};
use relay::store::{Actor, Book, Brakes, Spool, StoreError};

use crate::fault::Fault;
use crate::mail::{Key, Verb};
use crate::rng::Rng;
use crate::store::SimStore;
use crate::world::World;
use crate::world::hops::{SITES, routes, ways};

/// In whose name.
pub fn by() -> Actor {
    Actor { name: "operator".to_owned(), from: "cli".to_owned() }
}

/// Why mail is barred: its account is suspended.
const SUSPENDED: &str = "suspended";
/// Why mail is barred: a brake is on.
const BRAKED: &str = "braked";

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// Orders about single messages; accounts and brakes.
    Messages,
    /// Orders about parts of the queue.
    Parts,
}

/// One of the operator's people in one life.
pub struct Operator {
    /// The world it is in.
    pub world: Arc<World>,
    /// What it looks at.
    pub store: Arc<SimStore>,
    /// What it commands.
    pub handle: Handle,
    /// What it does.
    pub desk: Desk,
    /// Its dice in this life.
    pub rng: Rng,
}

impl Operator {
    /// Gives a command now and then, until the process ends or faults are over.
    pub async fn run(mut self) {
        while !self.world.is_calm() {
            let most = self.rng.weighted(&[(6, 60_000), (3, 4_000), (2, 100)]);
            tokio::time::sleep(Duration::from_millis(self.rng.between(1, most))).await;
            match self.desk {
                Desk::Messages => self.command().await,
                Desk::Parts => self.part().await,
            }
        }
    }

    fn actor(&self) -> Actor {
        match self.desk {
            Desk::Messages => by(),
            Desk::Parts => Actor { name: "colleague".to_owned(), from: "cli".to_owned() },
        }
    }

    fn any<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.rng.below(all.len() as u64) as usize].clone())
    }

    /// A message of the queue, more often than not one that is being carried right now.
    fn message(&mut self) -> Option<MessageId> {
        let carried: Vec<MessageId> = self.world.mail().carried.keys().map(|(message, _)| *message).collect();
        if self.rng.chance(600)
            && let Some(message) = self.any(&carried)
        {
            return Some(message);
        }
        let queue: Vec<MessageId> = self.store.queue(None, 1_000).iter().map(|entry| entry.message).collect();
        self.any(&queue)
    }

    async fn command(&mut self) {
        let what = self.rng.below(100);
        match what {
            0..10 => return self.suspend(what < 4),
            10..20 => return self.brake(what < 14),
            _ => {}
        }
        let Some(message) = self.message() else { return };
        let verb = match what {
            20..45 => Verb::Hold,
            45..72 => Verb::Release,
            72..93 => Verb::Retry,
            _ => Verb::Cancel,
        };
        self.about(verb, message).await;
    }

    /// Orders about a whole message.
    async fn about(&self, verb: Verb, message: MessageId) {
        let recipients = recipients_of(&self.store, message);
        self.world.tell(format_args!("operator: {verb:?} {message}"));
        let number =
            self.asked(verb, recipients.into_iter().map(|number| ((message, number), String::new())).collect());
        let done = match verb {
            Verb::Hold => self.handle.hold(message, HoldReason::Operator).await,
            Verb::Release => self.handle.release(message).await,
            Verb::Retry => self.handle.retry(message).await,
            Verb::Cancel | Verb::Reroute => self.handle.cancel(message, &self.actor()).await.map(|_| ()),
        };
        self.answered(verb, number, done.err());
    }

    fn asked(&self, verb: Verb, recipients: BTreeMap<Key, String>) -> usize {
        let mut mail = self.world.mail();
        if verb == Verb::Cancel {
            mail.cancelled.extend(recipients.keys());
        }
        mail.promises.asked(verb, recipients)
    }

    /// An order was answered: from now on it holds.
    fn answered(&self, verb: Verb, number: usize, error: Option<StoreError>) {
        if self.world.is_dead() {
            // nobody hears it any more
            return;
        }
        let mut mail = self.world.mail();
        if let Some(error) = error {
            mail.promises.failed(number);
            drop(mail);
            self.world.tell(format_args!("operator: {verb:?}: {error}"));
            return;
        }
        let about = mail.promises.about(number);
        let messages: BTreeSet<MessageId> = about.iter().map(|(message, _)| *message).collect();
        let (mut in_flight, mut flying) = (BTreeSet::new(), BTreeSet::new());
        for message in messages {
            for (recipient, may_be_carried) in self.handle.in_flight(message) {
                let key = (message, recipient);
                in_flight.insert(key);
                if may_be_carried && !mail.carried.contains_key(&key) {
                    flying.insert(key);
                }
            }
        }
        let is_live = |(message, recipient): &Key| {
            mail.messages.get(message).is_some_and(|known| !known.is_settled(usize::from(*recipient)))
        };
        let live: BTreeSet<Key> = about.into_iter().filter(is_live).collect();
        let is_excused = |(message, _): &Key| mail.messages[message].excuse != crate::mail::Excuse::default();
        let left =
            live.iter().find(|key| verb == Verb::Cancel && !in_flight.contains(key) && !is_excused(key)).copied();
        let moment = (mail.life, self.world.clock.now());
        mail.promises.answered(number, &flying, &live, moment);
        drop(mail);
        self.world.tally.on(Fault::Ordered);
        if !in_flight.is_empty() {
            self.world.tally.on(Fault::OrderedInFlight);
        }
        if let Some((message, recipient)) = left {
            self.world.violation(format!("{message}: recipient {recipient} is said to be cancelled, and waits"));
        }
    }

    /// What somebody means of the queue, as often as not by what the index of the queue does not know.
    fn filter(&mut self) -> Filter {
        let directory = self.store.directory();
        let mut accounts: Vec<Id<Account>> = directory.accounts.keys().copied().collect();
        accounts.sort();
        let mut users: Vec<_> = directory.users.values().map(|user| (user.id, user.domain)).collect();
        users.sort();
        let mut filter = Filter::default();
        match self.rng.below(100) {
            0..20 => filter.account = self.any(&accounts),
            20..35 => {
                let user = self.any(&users);
                (filter.user, filter.domain) = (user.map(|user| user.0), user.map(|user| user.1));
            }
            35..65 => filter.recipient = Whom::parse(&format!("@site{}.example", self.rng.below(SITES as u64))),
            65..85 => filter.recipient = self.recipient().as_deref().and_then(Whom::parse),
            _ => {}
        }
        let age = Duration::from_secs(self.rng.between(1, 600));
        let then = Timestamp(self.world.clock.now().0.saturating_sub(age.as_millis() as u64));
        match self.rng.below(100) {
            0..15 => filter.since = Some(then),
            15..25 => filter.until = Some(then),
            _ if filter.is_empty() => filter.since = Some(then),
            _ => {}
        }
        filter
    }

    /// The address of somebody who waits.
    fn recipient(&mut self) -> Option<String> {
        let message = self.message()?;
        let numbers = recipients_of(&self.store, message);
        let number = self.any(&numbers)?;
        let mail = self.world.mail();
        mail.messages.get(&message)?.envelope.recipients.get(usize::from(number)).map(ToString::to_string)
    }

    async fn part(&mut self) {
        let (order, verb) = match self.rng.below(100) {
            0..24 => (QueueOrder::Hold, Verb::Hold),
            24..52 => (QueueOrder::Release, Verb::Release),
            52..66 => (QueueOrder::Retry, Verb::Retry),
            66..72 => (QueueOrder::Cancel { notify: self.rng.chance(700) }, Verb::Cancel),
            _ => {
                let to = self.rng.chance(700).then(|| self.any(&ways()).map(str::to_owned)).flatten();
                (QueueOrder::Reroute { to }, Verb::Reroute)
            }
        };
        // all that is held, as a restore leaves it, is released or given up without being named
        let is_all = matches!(verb, Verb::Release | Verb::Cancel) && self.rng.chance(100);
        let filter = if is_all { Filter::default() } else { self.filter() };
        self.world.tell(format_args!("operator: {order:?} {filter:?}"));
        let via = match self.rerouting(&order, &filter).await {
            Ok(via) => via,
            Err(error) => return self.world.tell(format_args!("operator: {error}")),
        };
        let wants = |state: &RecipientState| if is_all { QueueOrder::Release.wants(state) } else { order.wants(state) };
        match selected::look(self.store.as_ref(), &filter, wants, None, ORDERED_MAX).await {
            Ok(Found { chosen, .. }) => self.order((&order, verb), via, chosen).await,
            Err(error) => self.world.tell(format_args!("operator: {error}")),
        }
    }

    /// As `envoi/execute/orders.rs` does it: kept before anything goes another way.
    async fn rerouting(&self, order: &QueueOrder, filter: &Filter) -> Result<Option<Via>, StoreError> {
        let QueueOrder::Reroute { to } = order else { return Ok(None) };
        let via = queue_via(&routes(), to.as_deref()).map_err(|fault| StoreError::Unavailable(fault.to_string()))?;
        {
            let mail = &mut *self.world.mail();
            let is_meant = |(message, recipient): Key| {
                mail.messages.get(&message).is_some_and(|known| filter.is_of(&known.envelope, recipient))
            };
            mail.promises.may_go_elsewhere(is_meant);
        }
        let until = self.handle.accepted_until(self.world.clock.now());
        selected::keep_reroute(&self.store, Offload::Inline, (filter, &via), until).await?;
        Ok(Some(via))
    }

    async fn order(&self, (order, verb): (&QueueOrder, Verb), via: Option<Via>, chosen: Vec<Chosen>) {
        let name = |message: MessageId, domain: &str| {
            let wish = self.world.mail().messages.get(&message).map(|known| known.envelope.way_wish());
            let destination = via.as_ref().zip(wish).map(|(via, wish)| routes().toward(via, domain, wish));
            destination.map_or_else(String::new, |destination| routes().site(&destination))
        };
        let keys = chosen.iter().flat_map(|(message, all)| {
            let name = &name;
            all.iter().map(move |(number, domain)| ((*message, *number), name(*message, domain)))
        });
        let keys: BTreeMap<Key, String> = keys.collect();
        let (count, actor) = (keys.len() as u64, self.actor());
        if *order == (QueueOrder::Cancel { notify: false }) {
            self.world.mail().untold.extend(keys.keys());
        }
        let number = self.asked(verb, keys);
        let cancelled = || self.world.mail().cancellations.get(&actor.name).copied().unwrap_or_default();
        let before = cancelled();
        let done = self.handle.order_chosen(order, via.clone(), chosen, &actor).await;
        self.world.tell(format_args!("operator: {verb:?} of {count}: {done:?}"));
        let is_told = done.error.is_none() && !self.world.is_dead();
        if is_told && (done.recipients + done.under_way > count || (verb != Verb::Cancel && done.under_way > 0)) {
            self.world.violation(format!("{verb:?} of {count} recipients is said to have done {done:?}"));
        }
        if is_told && verb == Verb::Cancel && cancelled() - before < done.recipients {
            self.world.violation(format!("{done:?}, and {} cancellations were kept", cancelled() - before));
        }
        self.answered(verb, number, done.error);
    }

    fn suspend(&mut self, suspend: bool) {
        let mut accounts: Vec<Id<Account>> = self.store.directory().accounts.keys().copied().collect();
        accounts.sort();
        let Some(account) = self.any(&accounts) else { return };
        let state = if suspend { AccountState::Suspended } else { AccountState::Active };
        self.world.tell(format_args!("operator: account {account} {state:?}"));
        self.bar(Subject::Account(account), SUSPENDED, suspend);
        // an account that is there can be changed
        let _ = self.store.account_state(account, state, &by(), self.world.clock.now());
        self.changed();
    }

    /// Pulls a brake of somebody, or releases one that is on.
    fn brake(&mut self, on: bool) {
        let directory = self.store.directory();
        let mut all: Vec<(Subject, Id<Account>)> = match on {
            true => {
                let accounts = directory.accounts.keys().map(|account| (Subject::Account(*account), *account));
                let account_of = |domain| directory.domains.get(domain).map(|domain| domain.account);
                let users = directory.users.values();
                let users = users.filter_map(|user| Some((Subject::User(user.id), account_of(&user.domain)?)));
                accounts.chain(users).collect()
            }
            false => {
                let brakes = directory.brakes.values().filter(|brake| brake.is_on());
                brakes.map(|brake| (brake.subject, brake.account)).collect()
            }
        };
        all.sort();
        let Some((subject, account)) = self.any(&all) else { return };
        self.world.tell(format_args!("operator: brake {subject} {}", if on { "on" } else { "released" }));
        let now = self.world.clock.now();
        self.bar(subject, BRAKED, on);
        if on {
            let (cause, counted, of) = (Cause::Volume, 1, 1);
            let (told, released, released_before) = (true, None, None);
            let brake = Brake { subject, account, cause, counted, of, since: now, told, released, released_before };
            // an account that is there can be braked
            let _ = self.store.brake_put_on(brake);
        } else {
            self.release_brake(subject, now);
        }
        self.changed();
    }

    fn release_brake(&self, subject: Subject, now: Timestamp) {
        let release = Release { at: now, by: by().name, by_operator: true, seen: Seen::default() };
        // one that is on can be released
        let _ = self.store.brake_release(subject, release, &by());
    }

    /// Mail is barred from now on, or not any more.
    fn bar(&self, subject: Subject, reason: &'static str, on: bool) {
        let (now, mail) = (self.world.clock.milliseconds(), &mut *self.world.mail());
        mail.changed_at = now;
        match on {
            true => drop(mail.barred.entry((subject, reason)).or_insert(now)),
            false => drop(mail.barred.remove(&(subject, reason))),
        }
    }

    fn changed(&mut self) {
        if self.rng.chance(800) {
            self.handle.directory_changed();
        }
    }

    /// Everything that was held goes: the end of a run.
    pub async fn release_all(&self) {
        let (directory, now) = (self.store.directory(), self.world.clock.now());
        for account in directory.accounts.keys() {
            self.bar(Subject::Account(*account), SUSPENDED, false);
            // as above
            let _ = self.store.account_state(*account, AccountState::Active, &by(), now);
        }
        for brake in directory.brakes.values().filter(|brake| brake.is_on()) {
            self.bar(brake.subject, BRAKED, false);
            self.release_brake(brake.subject, now);
        }
        self.handle.directory_changed();
        tokio::time::sleep(Duration::from_secs(1)).await;
        for entry in self.store.queue(None, usize::MAX) {
            if entry.recipients.iter().any(|(_, _, state)| matches!(state, RecipientState::Held { .. })) {
                self.about(Verb::Release, entry.message).await;
            }
        }
    }
}

/// Those recipients of a message that have not come to their end.
fn recipients_of(store: &SimStore, message: MessageId) -> Vec<u16> {
    let before = message.0.checked_sub(1).map(MessageId);
    let entry = store.queue(before, 1).pop().filter(|entry| entry.message == message);
    entry.map(|entry| entry.recipients.iter().map(|(number, ..)| *number).collect()).unwrap_or_default()
}
