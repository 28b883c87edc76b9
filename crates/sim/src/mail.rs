//! What is true of every message: what clients sent and heard, what the store answered, what next hops took.

mod letter;
mod message;
mod promises;

use std::collections::{BTreeMap, BTreeSet};

use relay::account::Account;
use relay::brake::Subject;
use relay::id::{Id, MessageId};
use relay::queue::{Envelope, Origin, Settlement};
use relay::quota::{Charge, Quota};
use relay::store::StoreError;

use crate::plan::Plan;
use crate::rng::Rng;
use crate::world::hops::site_number;
use crate::world::pipe::Mark;

pub use letter::{Attempt, Letter, USERS, User};
pub use message::{Answer, Ask, Excuse, Message, Wanted};
pub use promises::{Key, Promises, Verb};

/// A next hop took a message for a recipient.
#[derive(Clone)]
pub struct Taken {
    /// Whom for.
    pub recipient: String,
    /// The number of the site that it is.
    pub site: usize,
    /// The place behind its positive reply, where it gave one.
    pub reply: Option<Mark>,
    /// The life of the relay in which that was.
    pub life: usize,
}

/// All of it.
pub struct Mail {
    /// The life that the process is in, from 0.
    pub life: usize,
    /// What clients want to send.
    pub letters: Vec<Letter>,
    /// What clients sent, by token.
    pub attempts: BTreeMap<String, Attempt>,
    /// What the store was asked to keep.
    pub messages: BTreeMap<MessageId, Message>,
    /// What next hops took, by token and recipient.
    pub takings: BTreeMap<(String, String), Vec<Taken>>,
    /// Recipients that the operator cancelled.
    pub cancelled: BTreeSet<Key>,
    /// Those of them of whose end the sender is not to hear.
    pub untold: BTreeSet<Key>,
    /// How many it was told of in whose name, as outcomes that were kept.
    pub cancellations: BTreeMap<String, u64>,
    /// What the operator was told of what it ordered.
    pub promises: Promises,
    /// Accounts and SMTP users whose mail is not attempted, and why, each with when that began, milliseconds of the world.
    pub barred: BTreeMap<(Subject, &'static str), u64>,
    /// When an account or a brake last changed, milliseconds of the world.
    pub changed_at: u64,
    /// Names that DNS denied.
    pub denied: BTreeSet<String>,
    /// Which message a token became.
    pub by_token: BTreeMap<String, MessageId>,
    /// Message and recipient of what is being carried, and the name of where to.
    pub carried: BTreeMap<Key, String>,
    /// The account that has a quota, if one has.
    pub quota: Option<(Id<Account>, Quota)>,
}

/// The words of the relay behind which it says its id.
const QUEUED: &str = "queued as ";

/// The words before the name of whoever cancelled something.
pub const CANCELLED: &str = "Cancelled by ";

/// The longest flight before it comes to a next hop: names are looked up, and keys are waited for. Milliseconds.
const FLIGHT_MAX: u64 = 300_000;

impl Mail {
    /// What a seed's clients want to send.
    pub fn new(seed: u64, plan: &Plan) -> Self {
        Mail {
            life: 0,
            letters: letter::all(&mut Rng::new(seed, 4), plan),
            attempts: BTreeMap::new(),
            messages: BTreeMap::new(),
            takings: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            untold: BTreeSet::new(),
            cancellations: BTreeMap::new(),
            promises: Promises::default(),
            barred: BTreeMap::new(),
            changed_at: 0,
            denied: BTreeSet::new(),
            by_token: BTreeMap::new(),
            carried: BTreeMap::new(),
            quota: None,
        }
    }

    /// DNS said that a name does not exist.
    pub fn denied(&mut self, name: &str) {
        self.denied.insert(name.to_owned());
    }

    /// The next letter of a client, if there is one now.
    pub fn next_letter(&self, client: usize) -> Option<usize> {
        let is_open = |letter: &&Letter| letter.client == client && letter.is_open && letter.from_life <= self.life;
        self.letters.iter().find(is_open).map(|letter| letter.key)
    }

    /// Whether every client has sent all it wanted.
    pub fn is_sent(&self) -> bool {
        self.letters.iter().all(|letter| !letter.is_open)
    }

    /// A client begins to send a letter, once more maybe: the token of this attempt.
    pub fn begin(&mut self, key: usize) -> String {
        let letter = &mut self.letters[key];
        letter.attempts += 1;
        let token = format!("{key}.{}", letter.attempts);
        self.attempts.insert(token.clone(), Attempt::new(key, self.life));
        token
    }

    /// The client says the end of the content now.
    pub fn end_sent(&mut self, token: &str, end: Mark) {
        if let Some(attempt) = self.attempts.get_mut(token) {
            attempt.end = Some(end);
        }
    }

    /// The client heard the reply to the content.
    ///
    /// # Errors
    /// The reply promises what is not so.
    pub fn replied(&mut self, token: &str, recipients: &[String], code: u16, text: &str) -> Result<(), String> {
        let Some(attempt) = self.attempts.get_mut(token) else { return Ok(()) };
        attempt.code = Some(code);
        let letter = &mut self.letters[attempt.key];
        if code / 100 == 5 {
            letter.is_open = false;
        }
        if code != 250 {
            return Ok(());
        }
        letter.is_open = false;
        let id = text.split(QUEUED).nth(1).and_then(|id| id.trim().parse().ok());
        let Some(id) = id else { return Err(format!("{token}: 250 without an id: {text}")) };
        attempt.message = Some(id);
        let Some(message) = self.messages.get_mut(&id) else {
            return Err(format!("{token}: 250 for {id}, which the store was never asked to keep"));
        };
        if message.commit != Answer::Kept {
            return Err(format!("{token}: 250 for {id} before it was kept"));
        }
        message.is_acknowledged = true;
        let kept: Vec<String> = message.envelope.recipients.iter().map(ToString::to_string).collect();
        if message.token != token || kept != recipients {
            return Err(format!("{token}: 250 for {id}, which is {} for {kept:?}", message.token));
        }
        Ok(())
    }

    /// The store is asked to keep a message.
    ///
    /// # Errors
    /// It must not be.
    pub fn commit_asked(&mut self, envelope: &Envelope) -> Result<(), String> {
        let id = envelope.message;
        let token = match envelope.origin {
            Origin::Notification(_) => format!("dsn:{id}"),
            Origin::Submission => envelope.facts.subject.trim_start_matches("sim ").to_owned(),
        };
        if let Some(known) = self.messages.get(&id)
            && known.commit == Answer::Kept
        {
            return Ok(());
        }
        if envelope.origin == Origin::Submission {
            let Some(attempt) = self.attempts.get(&token) else {
                return Err(format!("{id}: nobody sent what is to be kept: {token}"));
            };
            if !attempt.end.as_ref().is_some_and(Mark::is_read) {
                return Err(format!("{id}: to be kept before the end of {token} was read"));
            }
            if let Some(other) = self.by_token.get(&token) {
                return Err(format!("{token}: sent once, to be kept as {other} and as {id}"));
            }
        }
        self.by_token.insert(token.clone(), id);
        self.messages.insert(id, Message::new(envelope, token, self.life));
        Ok(())
    }

    /// The store answered.
    ///
    /// # Errors
    /// It took more than a quota has.
    pub fn commit_answered(&mut self, id: MessageId, result: &Result<(), StoreError>) -> Result<(), String> {
        let Some(message) = self.messages.get_mut(&id) else { return Ok(()) };
        if message.commit == Answer::Asked {
            message.commit = Answer::of(result);
        }
        let (Some(charge), Some((account, quota))) = (Charge::of(&message.envelope), self.quota) else { return Ok(()) };
        if charge.account != account || result.is_err() {
            return Ok(());
        }
        let period = quota.period(charge.day);
        let is_certain = |message: &&Message| message.commit == Answer::Kept && !message.excuse.lost;
        let charges = self.messages.values().filter(is_certain).filter_map(|message| Charge::of(&message.envelope));
        let of_period = charges.filter(|charge| charge.account == account && period.contains(charge.day));
        let used: u64 = of_period.map(|charge| charge.recipients).sum();
        match quota.recipients {
            Some(most) if used > most => Err(format!("{id}: {used} recipients kept of a quota of {most}")),
            _ => Ok(()),
        }
    }

    /// A client heard that the quota of its account is reached, at a recipient of this letter.
    ///
    /// # Errors
    /// It is not.
    pub fn quota_refused(&mut self, key: usize, is_whole: bool) -> Result<(), String> {
        self.letters[key].is_open &= !is_whole;
        let Some((account, quota)) = self.quota else {
            return Err(format!("letter {key}: refused for a quota that nobody set"));
        };
        let may_count = |message: &&Message| {
            message.envelope.account == account && (message.commit == Answer::Kept || message.may_be_kept())
        };
        let charges = self.messages.values().filter(may_count).filter_map(|message| Charge::of(&message.envelope));
        let kept: u64 = charges.map(|charge| charge.recipients).sum();
        // transactions under way, and those whose end the relay may not have seen yet
        let may_hold = |attempt: &&Attempt| attempt.life == self.life && attempt.code.is_none();
        let shop = self.letters[key].shop();
        let held = self.attempts.values().filter(may_hold).map(|attempt| &self.letters[attempt.key]);
        let held: u64 = held.filter(|letter| letter.shop() == shop).map(|letter| letter.recipients.len() as u64).sum();
        match quota.recipients {
            Some(most) if kept + held >= most => Ok(()),
            most => Err(format!("letter {key}: refused for a quota of {most:?}, {kept} kept and at most {held} held")),
        }
    }

    /// Recipients are about to be carried to a place of this name.
    ///
    /// # Errors
    /// They must not be.
    pub fn begun(&mut self, envelope: &Envelope, recipients: &[u16], name: &str, now: u64) -> Result<(), String> {
        let id = envelope.message;
        let is_excused = self.messages.get(&id).is_none_or(|message| message.excuse.lost || message.excuse.outcome);
        let mut all = Ok(());
        for recipient in recipients {
            self.carried.insert((id, *recipient), name.to_owned());
            let promised = self.promises.begun((id, *recipient), name, self.life);
            all = all.and(promised.map_err(|fault| format!("{id}: recipient {recipient} {fault}")));
        }
        let is_its = |subject: &Subject| match subject {
            Subject::Account(account) => *account == envelope.account,
            Subject::User(user) => Some(*user) == envelope.user,
        };
        let barred = self.barred.iter().find(|((subject, _), since)| is_its(subject) && now - **since > FLIGHT_MAX);
        if let Some(((subject, reason), _)) = barred {
            return Err(format!("{id}: attempted, though the mail of {subject} is {reason}"));
        }
        if is_excused { Ok(()) } else { all }
    }

    /// What became of recipients was kept.
    pub fn settled(&mut self, settlement: &Settlement) {
        for verdict in &settlement.verdicts {
            self.promises.settled((settlement.message, verdict.recipient), verdict.outcome.is_final());
            if let Some(by) = verdict.reason.strip_prefix(CANCELLED).and_then(|by| by.strip_suffix('.')) {
                *self.cancellations.entry(by.to_owned()).or_default() += 1;
            }
        }
    }

    /// An attempt is over: a reply that was not heard by now came too late to count.
    pub fn carried(&mut self, id: MessageId, recipients: &[u16]) {
        let Some(message) = self.messages.get(&id) else { return };
        for recipient in recipients {
            let Some(address) = message.envelope.recipients.get(usize::from(*recipient)) else { continue };
            self.carried.remove(&(id, *recipient));
            let takings = self.takings.get_mut(&(message.token.clone(), address.to_string()));
            for taking in takings.into_iter().flatten() {
                taking.reply = taking.reply.take().filter(Mark::is_read);
            }
        }
    }

    /// A next hop took a message; under which token it knows it.
    ///
    /// # Errors
    /// It must not have come, or not so, or not again.
    pub fn taken(&mut self, is_notification: bool, content: &[u8], taken: Taken) -> Result<String, String> {
        let taken = Taken { life: self.life, ..taken };
        let token = letter::token_of(is_notification, content);
        let token = token.ok_or_else(|| {
            let head = String::from_utf8_lossy(&content[..content.len().min(300)]);
            format!("a next hop took what nobody sent: {head}")
        })?;
        let Some(id) = self.by_token.get(&token).copied() else {
            return Err(format!("{token}: delivered without ever being kept"));
        };
        let message = &self.messages[&id];
        if message.commit != Answer::Kept && !message.may_be_kept() {
            return Err(format!("{id} ({token}): delivered, though it was not kept"));
        }
        let Some(place) = message.place_of(&taken.recipient) else {
            return Err(format!("{id} ({token}): delivered to {}, who is none of its recipients", taken.recipient));
        };
        if let Some(attempt) = self.attempts.get(&token)
            && !content.ends_with(&self.letters[attempt.key].content(&token))
        {
            return Err(format!("{id} ({token}): the content was changed on its way"));
        }
        let carried = self.carried.get(&(id, place as u16));
        if let Some(name) = carried
            && site_number(name) != Some(taken.site)
        {
            return Err(format!(
                "{id} ({token}): site {} took for {} what went to {name}",
                taken.site, taken.recipient
            ));
        }
        let is_late = carried.is_none();
        let taken = Taken { reply: taken.reply.filter(|_| !is_late), ..taken };
        let takings = self.takings.entry((token.clone(), taken.recipient.clone())).or_default();
        for earlier in takings.iter() {
            let is_heard = earlier.reply.as_ref().is_some_and(Mark::is_read);
            let is_excused = message.excuse.outcome;
            if is_heard && !is_excused && (earlier.life == self.life || message.is_settled(place)) {
                return Err(format!(
                    "{id} ({token}): delivered again to {}, though the reply was heard in life {} (now {})",
                    taken.recipient, earlier.life, self.life
                ));
            }
        }
        takings.push(taken);
        Ok(token)
    }
}
