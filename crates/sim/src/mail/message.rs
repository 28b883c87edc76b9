//! A message that the store was asked to keep: what was asked about it since, what was answered, where it stands.

use std::sync::Arc;

use relay::clock::Timestamp;
use relay::queue::{Envelope, HoldReason, Outcome, RecipientState, Settlement};
use relay::store::{QueueEntry, StoreError};

/// What the store answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet, or the process ended before.
    Asked,
    /// It is kept.
    Kept,
    /// The store stopped: it may be kept, or not.
    Latched,
    /// It is not kept.
    Refused,
    /// A later start did not find it.
    Gone,
}

impl Answer {
    pub(super) fn of(result: &Result<(), StoreError>) -> Answer {
        match result {
            Ok(()) => Answer::Kept,
            Err(StoreError::Latched(_)) => Answer::Latched,
            Err(_) => Answer::Refused,
        }
    }
}

/// What was wanted of a message.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Keep outcomes.
    Settle(Settlement),
    /// Hold it, or these of its recipients.
    Hold(HoldReason, Option<Vec<u16>>),
    /// Release it, or these of its recipients.
    Release(Timestamp, Option<Vec<u16>>),
}

/// One thing that was asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What.
    pub wanted: Wanted,
    /// The answer.
    pub answer: Answer,
    /// It was kept, and changed something.
    pub has_changed: bool,
    /// A start has shown since what came of it.
    pub is_seen: bool,
}

/// What reported damage excuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excuse {
    /// The message itself may be lost.
    pub lost: bool,
    /// An outcome may be forgotten, and so be told or delivered again.
    pub outcome: bool,
    /// Its content cannot be read: it stays.
    pub unreadable: bool,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its envelope.
    pub envelope: Arc<Envelope>,
    /// What next hops know it by.
    pub token: String,
    /// Whether it is kept.
    pub commit: Answer,
    /// A client heard 250.
    pub is_acknowledged: bool,
    /// What was asked about it.
    pub asks: Vec<Ask>,
    /// Where each recipient stands.
    pub states: Vec<RecipientState>,
    /// What damage excuses.
    pub excuse: Excuse,
    /// The life in which it was first to be kept.
    pub life: usize,
}

impl Message {
    pub(super) fn new(envelope: &Envelope, token: String, life: usize) -> Self {
        let waiting = RecipientState::Waiting { due: envelope.accepted_at, attempts: 0 };
        Message {
            states: vec![waiting; envelope.recipients.len()],
            envelope: Arc::new(envelope.clone()),
            token,
            commit: Answer::Asked,
            is_acknowledged: false,
            asks: Vec::new(),
            excuse: Excuse::default(),
            life,
        }
    }

    /// The place of a recipient, by its address.
    pub fn place_of(&self, recipient: &str) -> Option<usize> {
        self.envelope.recipients.iter().position(|address| address.to_string() == recipient)
    }

    /// Whether an outcome of a recipient is known to be kept.
    pub fn is_settled(&self, place: usize) -> bool {
        self.states.get(place) == Some(&RecipientState::Settled)
    }

    /// Whether it is kept by an answer that may mean both.
    pub fn may_be_kept(&self) -> bool {
        matches!(self.commit, Answer::Asked | Answer::Latched)
    }

    /// Something is asked; its number.
    pub fn ask(&mut self, wanted: Wanted) -> usize {
        self.asks.push(Ask { wanted, answer: Answer::Asked, has_changed: false, is_seen: false });
        self.asks.len() - 1
    }

    /// The answer to it.
    pub fn answered(&mut self, ask: usize, result: &Result<(), StoreError>) {
        let answer = Answer::of(result);
        self.asks[ask].answer = answer;
        if answer == Answer::Kept {
            let wanted = self.asks[ask].wanted.clone();
            let before = self.states.clone();
            apply(&mut self.states, &wanted);
            self.asks[ask].has_changed = before != self.states;
        }
    }

    /// A start found this in the queue.
    ///
    /// # Errors
    /// It must not be so.
    pub fn recovered(&mut self, found: Option<&QueueEntry>) -> Result<(), String> {
        let (id, token) = (self.envelope.message, self.token.clone());
        let of = |place: usize| {
            let listed =
                found.and_then(|entry| entry.recipients.iter().find(|(number, ..)| usize::from(*number) == place));
            listed.map_or(RecipientState::Settled, |(_, _, state)| state.clone())
        };
        let actual: Vec<RecipientState> = (0..self.states.len()).map(of).collect();
        match (self.commit, found) {
            (Answer::Refused | Answer::Gone, Some(_)) => {
                return Err(format!("{id} ({token}): in the queue, though it was refused or is gone"));
            }
            (Answer::Refused | Answer::Gone, None) => return Ok(()),
            (Answer::Asked | Answer::Latched, None) => {
                self.commit = Answer::Gone;
                return Ok(());
            }
            (Answer::Asked | Answer::Latched, Some(_)) => {
                self.commit = Answer::Kept;
                self.states.clone_from(&actual);
            }
            (Answer::Kept, _) => {}
        }
        let unseen: Vec<Wanted> = self.asks.iter().filter(|ask| ask.is_open()).map(|ask| ask.wanted.clone()).collect();
        for (place, is) in actual.iter().enumerate() {
            let was = &self.states[place];
            if is == was || self.is_possible(place, was, is, &unseen) {
                continue;
            }
            let who = &self.envelope.recipients[place];
            return Err(format!("{id} ({token}), {who}: {was:?} before the start, {is:?} after it"));
        }
        for ask in &mut self.asks {
            ask.is_seen = true;
        }
        self.states = actual;
        Ok(())
    }

    fn is_possible(&self, place: usize, was: &RecipientState, is: &RecipientState, unseen: &[Wanted]) -> bool {
        let excuse = self.excuse;
        if excuse.lost && *is == RecipientState::Settled || excuse.outcome {
            return true;
        }
        // any of what was asked and not answered may have come about, in its order
        let mut states = vec![was.clone()];
        for wanted in unseen {
            for state in states.clone() {
                let mut one = vec![RecipientState::Settled; place];
                one.push(state);
                apply(&mut one, wanted);
                states.extend(one.pop());
            }
        }
        states.contains(is)
    }
}

impl Ask {
    fn is_open(&self) -> bool {
        !self.is_seen && matches!(self.answer, Answer::Asked | Answer::Latched)
    }
}

/// The states of these recipients, or of all.
fn chosen<'a>(
    states: &'a mut [RecipientState],
    some: Option<&'a [u16]>,
) -> impl Iterator<Item = &'a mut RecipientState> {
    let is_its = move |number: u16| some.is_none_or(|some| some.contains(&number));
    (0u16..).zip(states).filter(move |(number, _)| is_its(*number)).map(|(_, state)| state)
}

/// What comes of it, as the store's documentation says.
fn apply(states: &mut [RecipientState], wanted: &Wanted) {
    match wanted {
        Wanted::Settle(settlement) => {
            let more = u32::from(settlement.attempt.is_some());
            for verdict in &settlement.verdicts {
                let Some(state) = states.get_mut(usize::from(verdict.recipient)) else { continue };
                *state = match (&*state, verdict.outcome) {
                    (RecipientState::Waiting { attempts, .. }, Outcome::Deferred { until }) => {
                        RecipientState::Waiting { due: until, attempts: attempts + more }
                    }
                    (RecipientState::Held { reason, attempts }, Outcome::Deferred { .. }) => {
                        RecipientState::Held { reason: *reason, attempts: attempts + more }
                    }
                    _ => RecipientState::Settled,
                };
            }
        }
        Wanted::Hold(reason, some) => {
            for state in chosen(states, some.as_deref()) {
                *state = match *state {
                    RecipientState::Waiting { attempts, .. } => RecipientState::Held { reason: *reason, attempts },
                    RecipientState::Held { reason: held, attempts } if reason.outlasts(held) => {
                        RecipientState::Held { reason: *reason, attempts }
                    }
                    _ => continue,
                };
            }
        }
        Wanted::Release(now, some) => {
            for state in chosen(states, some.as_deref()) {
                if let RecipientState::Held { attempts, .. } = *state {
                    *state = RecipientState::Waiting { due: *now, attempts };
                }
            }
        }
    }
}
