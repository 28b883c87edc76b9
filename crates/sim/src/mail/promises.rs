//! What the operator was told of mail that it ordered about: from the answer on it may rely on that.

use std::collections::{BTreeMap, BTreeSet};

use relay::clock::Timestamp;
use relay::id::MessageId;

/// A recipient of a message.
pub type Key = (MessageId, u16);

/// What was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is not to be attempted.
    Hold,
    /// It is due now, if it was held.
    Release,
    /// It is due now, if it waits.
    Retry,
    /// It is to end.
    Cancel,
    /// It is to go elsewhere.
    Reroute,
}

impl Verb {
    /// Whether of two orders given at once one may undo what the other promises.
    fn undoes(self, other: Verb) -> bool {
        matches!(
            (self, other),
            (Verb::Hold, Verb::Retry) | (Verb::Release, Verb::Hold | Verb::Cancel) | (Verb::Reroute, Verb::Reroute)
        )
    }
}

/// What holds of one recipient.
#[derive(Clone, Debug, Default)]
struct Promise {
    /// It is not attempted before somebody asks for its release.
    is_held: bool,
    /// It was in flight when it was cancelled: it is not attempted again in this life, whatever else is asked.
    ends_in: Option<usize>,
    /// The name of where it goes.
    way: Option<String>,
    /// It is due since then, whatever the store says.
    due: Option<Timestamp>,
    /// It was on its way to a next hop when that was promised, and had not come there: that attempt is made still.
    is_flying: bool,
}

/// An order that was given, and not answered yet.
struct Pending {
    verb: Verb,
    /// Whom it is about, with the name of where each is to go.
    recipients: BTreeMap<Key, String>,
    /// Those of whom another order said something else meanwhile.
    spoilt: BTreeSet<Key>,
}

/// All that is promised.
#[derive(Default)]
pub struct Promises {
    of: BTreeMap<Key, Promise>,
    pending: BTreeMap<usize, Pending>,
    given: usize,
}

impl Promises {
    /// An order is about to be given: what it may undo is promised no more. Its number.
    pub fn asked(&mut self, verb: Verb, recipients: BTreeMap<Key, String>) -> usize {
        let mut spoilt = BTreeSet::new();
        for other in self.pending.values_mut() {
            let shared: Vec<Key> =
                recipients.keys().filter(|key| other.recipients.contains_key(key)).copied().collect();
            if verb.undoes(other.verb) {
                other.spoilt.extend(&shared);
            }
            if other.verb.undoes(verb) {
                spoilt.extend(&shared);
            }
        }
        for key in recipients.keys() {
            let Some(promise) = self.of.get_mut(key) else { continue };
            match verb {
                Verb::Hold => promise.due = None,
                Verb::Release => promise.is_held = false,
                Verb::Reroute => promise.way = None,
                Verb::Retry | Verb::Cancel => {}
            }
        }
        self.given += 1;
        self.pending.insert(self.given, Pending { verb, recipients, spoilt });
        self.given
    }

    /// Some recipients may go another way from now on: an order of which it is not known yet whom it is about.
    pub fn may_go_elsewhere(&mut self, is_meant: impl Fn(Key) -> bool) {
        for (_, promise) in self.of.iter_mut().filter(|(key, _)| is_meant(**key)) {
            promise.way = None;
        }
        for pending in self.pending.values_mut().filter(|pending| pending.verb == Verb::Reroute) {
            pending.spoilt.extend(pending.recipients.keys().filter(|key| is_meant(**key)));
        }
    }

    /// Whom an order is about that was not answered yet.
    pub fn about(&self, number: usize) -> Vec<Key> {
        self.pending.get(&number).map(|pending| pending.recipients.keys().copied().collect()).unwrap_or_default()
    }

    /// An order was answered. `flying`: those on their way to a next hop; `live`: those that have not come to their end.
    pub fn answered(
        &mut self,
        number: usize,
        flying: &BTreeSet<Key>,
        live: &BTreeSet<Key>,
        (life, now): (usize, Timestamp),
    ) {
        let Some(pending) = self.pending.remove(&number) else { return };
        for (key, way) in pending.recipients.into_iter().filter(|(key, _)| live.contains(key)) {
            let is_spoilt = pending.spoilt.contains(&key);
            let promise = self.of.entry(key).or_default();
            promise.is_flying = flying.contains(&key);
            match pending.verb {
                // what is cancelled is held at least where this process does not see it end
                Verb::Hold | Verb::Cancel => promise.is_held = !is_spoilt,
                Verb::Reroute => promise.way = (!is_spoilt).then_some(way),
                Verb::Retry => promise.due = (!is_spoilt).then_some(now),
                // what is released is due as the store says, and what was not held is not due by that
                Verb::Release => {}
            }
            if pending.verb == Verb::Cancel {
                promise.ends_in = Some(life);
            }
        }
    }

    /// An order failed: nothing is promised.
    pub fn failed(&mut self, number: usize) {
        self.pending.remove(&number);
    }

    /// A recipient is about to be carried to a place of this name.
    ///
    /// # Errors
    /// It was promised that it is not.
    pub fn begun(&mut self, key: Key, name: &str, life: usize) -> Result<(), String> {
        let Some(promise) = self.of.get_mut(&key) else { return Ok(()) };
        promise.due = None;
        if std::mem::take(&mut promise.is_flying) {
            return Ok(());
        }
        if promise.ends_in == Some(life) {
            return Err("is attempted, though it was cancelled".to_owned());
        }
        if promise.is_held {
            return Err("is attempted, though it is held".to_owned());
        }
        match &promise.way {
            Some(way) if way != name => Err(format!("goes to {name}, though it was sent to {way}")),
            _ => Ok(()),
        }
    }

    /// What became of a recipient was kept: a flight is over.
    pub fn settled(&mut self, key: Key, is_final: bool) {
        if is_final {
            self.of.remove(&key);
        } else if let Some(promise) = self.of.get_mut(&key) {
            promise.is_flying = false;
            promise.due = None;
        }
    }

    /// The process began anew: nothing flies, and what was to end when it came back is held.
    pub fn begin_life(&mut self) {
        self.pending.clear();
        for promise in self.of.values_mut() {
            promise.is_flying = false;
            promise.ends_in = None;
            promise.due = None;
        }
    }

    /// Since when a recipient is due by an order.
    pub fn due(&self, key: Key) -> Option<Timestamp> {
        self.of.get(&key)?.due
    }
}
