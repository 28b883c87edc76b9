//! Live mail in memory: for each message an id, a place in the log, and of each recipient a site and a due time.
//!
//! Kept small: about 130 octets for a message of one recipient. Addresses are read when a message is claimed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::priority::Class;
use relay::queue::{Envelope, HoldReason, Outcome, RecipientState, Settlement, TlsWish};
use relay::store::QueueEntry;

use super::meta::StateV1;

/// A site's number among those that live mail goes to.
type Site = u32;

/// An unsettled recipient.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: u64,
    site: Site,
    attempts: u32,
    number: u16,
    held: Option<HoldReason>,
    /// That of its message: kept here, where there is room for it.
    class: Class,
    /// As `class`.
    waives_tls: bool,
}

/// Unsettled recipients: most messages have one.
#[derive(Debug)]
enum Recipients {
    One(Waiting),
    More(Vec<Waiting>),
}

impl Recipients {
    fn as_slice(&self) -> &[Waiting] {
        match self {
            Recipients::One(one) => std::slice::from_ref(one),
            Recipients::More(more) => more,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [Waiting] {
        match self {
            Recipients::One(one) => std::slice::from_mut(one),
            Recipients::More(more) => more,
        }
    }
}

/// A live message.
#[derive(Debug)]
struct Live {
    /// Where its Commit or Copy record starts.
    position: u64,
    /// Where the record with its seal starts; 0 where it has none.
    seal: u64,
    accepted_at: u64,
    account: u64,
    /// `u64::MAX` where it has none.
    domain: u64,
    recipients: Recipients,
}

impl Live {
    fn class(&self) -> Class {
        self.recipients.as_slice().first().map_or(Class::Normal, |waiting| waiting.class)
    }

    fn waives_tls(&self) -> bool {
        self.recipients.as_slice().first().is_some_and(|waiting| waiting.waives_tls)
    }
}

/// A live message with the names of its sites, as a checkpoint keeps it and recovery makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The message.
    pub(crate) message: MessageId,
    /// Where its Commit or Copy record starts.
    pub(crate) position: u64,
    /// Where the record with its seal starts.
    pub(crate) seal: Option<u64>,
    /// Its account.
    pub(crate) account: u64,
    /// Its domain.
    pub(crate) domain: Option<u64>,
    /// When it was accepted.
    pub(crate) accepted_at: u64,
    /// How urgent it is.
    pub(crate) class: Class,
    /// Its sender wants it to arrive whatever policies ask of TLS.
    pub(crate) waives_tls: bool,
    /// Number, site and state of each unsettled recipient.
    pub(crate) recipients: Vec<(u16, Arc<str>, StateV1)>,
}

impl Entry {
    /// Of a message just accepted: everyone waits for a first attempt.
    pub(crate) fn accepted(envelope: &Envelope, position: u64) -> Entry {
        let due = StateV1::Waiting { due: envelope.accepted_at.0, attempts: 0 };
        let sites = envelope.recipients.iter().map(|address| Arc::from(address.domain()));
        Entry {
            message: envelope.message,
            position,
            seal: None,
            account: envelope.account.number(),
            domain: envelope.domain.map(Id::number),
            accepted_at: envelope.accepted_at.0,
            class: envelope.priority.class(),
            waives_tls: envelope.way_wish() == TlsWish::Waived,
            recipients: (0u16..).zip(sites).map(|(number, site)| (number, site, due)).collect(),
        }
    }

    /// Of a copied message: with the states that the copy has.
    pub(crate) fn copied(envelope: &Envelope, position: u64, states: &[(u16, StateV1)]) -> Entry {
        let mut entry = Entry::accepted(envelope, position);
        entry.recipients.retain_mut(|(number, _, state)| {
            let found = states.iter().find(|(of, _)| of == number);
            found.is_some_and(|(_, kept)| {
                *state = *kept;
                true
            })
        });
        entry
    }
}

/// Names of sites, each once.
#[derive(Debug, Default)]
struct Sites {
    numbers: HashMap<Arc<str>, Site>,
    names: Vec<(Arc<str>, u32)>,
    free: Vec<Site>,
}

impl Sites {
    fn enter(&mut self, name: &Arc<str>) -> Site {
        if let Some(site) = self.numbers.get(name) {
            self.names[*site as usize].1 += 1;
            return *site;
        }
        let site = match self.free.pop() {
            Some(site) => {
                self.names[site as usize] = (Arc::clone(name), 1);
                site
            }
            None => {
                self.names.push((Arc::clone(name), 1));
                (self.names.len() - 1) as Site
            }
        };
        self.numbers.insert(Arc::clone(name), site);
        site
    }

    fn leave(&mut self, site: Site) {
        let (name, count) = &mut self.names[site as usize];
        *count -= 1;
        if *count == 0 {
            self.numbers.remove(name);
            *name = Arc::from("");
            self.free.push(site);
        }
    }

    fn name(&self, site: Site) -> Arc<str> {
        Arc::clone(&self.names[site as usize].0)
    }
}

/// What few messages have of a live one: its class, and whether it waives what policies ask of TLS.
pub(crate) type Mark = (MessageId, Class, bool);

/// What a settlement would change.
#[derive(Debug)]
pub(crate) struct Effect {
    /// The verdicts on recipients that are unsettled, in order, with their attempts after this one.
    pub(crate) verdicts: Vec<(usize, u32)>,
}

/// All live messages.
#[derive(Debug, Default)]
pub(crate) struct Index {
    live: BTreeMap<MessageId, Box<Live>>,
    sites: Sites,
    recipients: u64,
}

impl Index {
    /// Live messages.
    pub(crate) fn messages(&self) -> u64 {
        self.live.len() as u64
    }

    /// Unsettled recipients.
    pub(crate) fn recipients(&self) -> u64 {
        self.recipients
    }

    /// Whether the message is live.
    pub(crate) fn contains(&self, message: MessageId) -> bool {
        self.live.contains_key(&message)
    }

    /// Where its record starts.
    pub(crate) fn position(&self, message: MessageId) -> Option<u64> {
        self.live.get(&message).map(|live| live.position)
    }

    /// Where the record with its seal starts.
    pub(crate) fn seal(&self, message: MessageId) -> Option<u64> {
        self.live.get(&message).map(|live| live.seal).filter(|seal| *seal != 0)
    }

    /// Where its seal is from now on; nothing where it is not live.
    pub(crate) fn sealed(&mut self, message: MessageId, position: u64) {
        if let Some(live) = self.live.get_mut(&message) {
            live.seal = position;
        }
    }

    /// Adds or replaces a message; one without recipients is not live. Returns the position it had.
    pub(crate) fn put(&mut self, entry: &Entry) -> Option<u64> {
        let before = self.remove(entry.message);
        let waiting = |sites: &mut Sites, (number, site, state): &(u16, Arc<str>, StateV1)| {
            let (due, attempts, held) = match *state {
                StateV1::Waiting { due, attempts } => (due, attempts, None),
                StateV1::Held { reason, attempts } => (0, attempts, Some(reason.into())),
            };
            let (class, waives_tls) = (entry.class, entry.waives_tls);
            Waiting { due, site: sites.enter(site), attempts, number: *number, held, class, waives_tls }
        };
        let recipients = match entry.recipients.as_slice() {
            [] => return before,
            [one] => Recipients::One(waiting(&mut self.sites, one)),
            more => Recipients::More(more.iter().map(|one| waiting(&mut self.sites, one)).collect()),
        };
        self.recipients += entry.recipients.len() as u64;
        let live = Live {
            position: entry.position,
            seal: entry.seal.unwrap_or(0),
            accepted_at: entry.accepted_at,
            account: entry.account,
            domain: entry.domain.unwrap_or(u64::MAX),
            recipients,
        };
        self.live.insert(entry.message, Box::new(live));
        before
    }

    /// Forgets a message; returns the position it had.
    pub(crate) fn remove(&mut self, message: MessageId) -> Option<u64> {
        let live = self.live.remove(&message)?;
        for waiting in live.recipients.as_slice() {
            self.sites.leave(waiting.site);
        }
        self.recipients -= live.recipients.as_slice().len() as u64;
        Some(live.position)
    }

    /// What a settlement would change, without doing it; none where the message is not live.
    pub(crate) fn effect(&self, settlement: &Settlement) -> Option<Effect> {
        let live = self.live.get(&settlement.message)?;
        let more = u32::from(settlement.attempt.is_some());
        let mut verdicts = Vec::with_capacity(settlement.verdicts.len());
        for (place, verdict) in settlement.verdicts.iter().enumerate() {
            let repeated = settlement.verdicts[..place].iter().any(|earlier| earlier.recipient == verdict.recipient);
            let waiting = live.recipients.as_slice().iter().find(|waiting| waiting.number == verdict.recipient);
            if let Some(waiting) = waiting.filter(|_| !repeated) {
                verdicts.push((place, waiting.attempts.saturating_add(more)));
            }
        }
        Some(Effect { verdicts })
    }

    /// Does what a settlement says, with the attempts of each verdict's recipient; the same again changes
    /// nothing. Returns the message's position if it has left the queue by this.
    pub(crate) fn settle(&mut self, settlement: &Settlement, attempts: &[u32]) -> Option<u64> {
        let live = self.live.get_mut(&settlement.message)?;
        for (verdict, attempts) in settlement.verdicts.iter().zip(attempts) {
            let all = live.recipients.as_mut_slice();
            let Some(place) = all.iter().position(|waiting| waiting.number == verdict.recipient) else { continue };
            if let Outcome::Deferred { until } = verdict.outcome {
                all[place].attempts = *attempts;
                all[place].due = until.0;
                continue;
            }
            match &mut live.recipients {
                Recipients::More(more) if more.len() > 1 => {
                    self.sites.leave(more.remove(place).site);
                    self.recipients -= 1;
                }
                _ => return self.remove(settlement.message),
            }
        }
        None
    }

    /// Holds recipients that wait, or are held for what the reason outlasts: these, or all.
    pub(crate) fn hold(&mut self, message: MessageId, recipients: Option<&[u16]>, reason: HoldReason) {
        if let Some(live) = self.live.get_mut(&message) {
            let is_its = |waiting: &&mut Waiting| waiting.is_among(recipients) && waiting.is_held_by(reason);
            live.recipients.as_mut_slice().iter_mut().filter(is_its).for_each(|waiting| waiting.held = Some(reason));
        }
    }

    /// Makes held recipients due: these, or all.
    pub(crate) fn release(&mut self, message: MessageId, recipients: Option<&[u16]>, now: Timestamp) {
        if let Some(live) = self.live.get_mut(&message) {
            let is_held = |waiting: &&mut Waiting| waiting.is_among(recipients) && waiting.held.is_some();
            for waiting in live.recipients.as_mut_slice().iter_mut().filter(is_held) {
                waiting.held = None;
                waiting.due = now.0;
            }
        }
    }

    /// Whether a hold for this reason, or else a release, changes any of its recipients, of these or of all; none where it is not
    /// live.
    pub(crate) fn any(&self, message: MessageId, recipients: Option<&[u16]>, held: Option<HoldReason>) -> Option<bool> {
        let live = self.live.get(&message)?;
        let changes = |waiting: &Waiting| held.map_or(waiting.held.is_some(), |reason| waiting.is_held_by(reason));
        let is_so = |waiting: &Waiting| waiting.is_among(recipients) && changes(waiting);
        Some(live.recipients.as_slice().iter().any(is_so))
    }

    /// The unsettled recipients of a message.
    pub(crate) fn states(&self, message: MessageId) -> Option<Vec<(u16, StateV1)>> {
        let live = self.live.get(&message)?;
        Some(live.recipients.as_slice().iter().map(|waiting| (waiting.number, waiting.state())).collect())
    }

    /// Live messages after `after`, in the order of their ids.
    pub(crate) fn entries(&self, after: Option<MessageId>, limit: usize) -> Vec<Entry> {
        self.after(after).take(limit).map(|(message, live)| self.entry_of(*message, live)).collect()
    }

    /// As [`Index::entries`], in the words of the store.
    pub(crate) fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry> {
        let told = |(message, live): (&MessageId, &Live)| QueueEntry {
            message: *message,
            account: Id::new(live.account),
            domain: (live.domain != u64::MAX).then(|| Id::new(live.domain)),
            accepted_at: Timestamp(live.accepted_at),
            class: live.class(),
            waives_tls: live.waives_tls(),
            recipients: live
                .recipients
                .as_slice()
                .iter()
                .map(|waiting| (waiting.number, self.sites.name(waiting.site), waiting.state().into()))
                .collect(),
        };
        self.after(after).take(limit).map(told).collect()
    }

    /// How urgent the live messages after this one are, and whether they waive what policies ask of TLS.
    pub(crate) fn marks(&self, after: Option<MessageId>, limit: usize) -> Vec<Mark> {
        self.after(after).take(limit).map(|(message, live)| (*message, live.class(), live.waives_tls())).collect()
    }

    /// Message and position of every live message, in the order of their ids.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (MessageId, u64)> + '_ {
        self.live.iter().map(|(message, live)| (*message, live.position))
    }

    fn after(&self, after: Option<MessageId>) -> impl Iterator<Item = (&MessageId, &Live)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.live.range((from, Bound::Unbounded)).map(|(message, live)| (message, &**live))
    }

    fn entry_of(&self, message: MessageId, live: &Live) -> Entry {
        let recipients = live.recipients.as_slice().iter();
        Entry {
            message,
            position: live.position,
            seal: (live.seal != 0).then_some(live.seal),
            account: live.account,
            domain: (live.domain != u64::MAX).then_some(live.domain),
            accepted_at: live.accepted_at,
            class: live.class(),
            waives_tls: live.waives_tls(),
            recipients: recipients
                .map(|waiting| (waiting.number, self.sites.name(waiting.site), waiting.state()))
                .collect(),
        }
    }
}

impl Waiting {
    /// Whether it is one of these; of none given every one is.
    fn is_among(&self, recipients: Option<&[u16]>) -> bool {
        recipients.is_none_or(|some| some.contains(&self.number))
    }

    /// Whether a hold for this reason changes it.
    fn is_held_by(&self, reason: HoldReason) -> bool {
        self.held.is_none_or(|held| reason.outlasts(held))
    }

    fn state(&self) -> StateV1 {
        match self.held {
            Some(reason) => StateV1::Held { reason: reason.into(), attempts: self.attempts },
            None => StateV1::Waiting { due: self.due, attempts: self.attempts },
        }
    }
}

/// One state for each recipient of an envelope.
pub(crate) fn all_states(recipients: usize, unsettled: &[(u16, StateV1)]) -> Vec<RecipientState> {
    let mut states = vec![RecipientState::Settled; recipients];
    for (number, state) in unsettled {
        if let Some(place) = states.get_mut(usize::from(*number)) {
            *place = (*state).into();
        }
    }
    states
}
