//! The decisions of submission: who may connect and log in, what is taken, and what is noted of each refusal.
//!
//! [`Submission`] is what all sessions share; [`Visit`] is one connection. The driver asks, in the
//! order of the dialogue, and carries out the [`Decision`].

mod handed_in;
mod login;
mod notice;
mod recall;
mod transaction;

#[cfg(test)]
mod tests;

use smtp::replies;
use smtp::reply::Reply;
use smtp::server::{Answer, Question};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::account::Account;
use crate::activity::Notice;
use crate::clock::Timestamp;
use crate::credential::PasswordKey;
use crate::dice::Dice;
use crate::directory::Directory;
use crate::gather::Gather;
use crate::guard::Guard;
use crate::id::{Id, MessageId, SessionId};
use crate::limits::Limits;
use crate::policy::Refusal;
use crate::quota::{Charge, Usage};
use crate::rate::{Pace, Rate};
use crate::repeat::Repeats;
use crate::sending_domain::SendingDomain;
use crate::site::Site;
use crate::slots::{Full, Place, Slots};
use crate::smtp_user::{PasswordHash, SmtpUser};
use crate::store::{Block, Login, StoreError};
use crate::unsubscribe::Links;

pub use handed_in::{Receipt, RefusedRecipient};
use login::Attempts;
pub use notice::TlsTrouble;
pub use recall::Remembered;
use transaction::Transaction;

/// Refused connections of one address in quick succession that still hear why.
const REFUSALS_BURST: u64 = 20;

/// What all sessions share: the counters and memories that they are judged by.
pub struct Submission {
    hostname: String,
    key: PasswordKey,
    slots: Slots,
    guard: Mutex<Guard>,
    rate: Mutex<Rate>,
    usage: Usage,
    gather: Mutex<Gather>,
    refusals: Mutex<Pace<Site>>,
    /// The highest priority that clients may ask for; 0: none.
    client_priority_max: i8,
    links: Option<Links>,
    repeats: Arc<Mutex<Repeats>>,
    /// How long a message is remembered that may come once more.
    repeat: Duration,
}

/// What comes of a question.
#[derive(Debug)]
pub struct Decision {
    /// For the machine.
    pub answer: Answer,
    /// A block that began: to be kept.
    pub block: Option<Block>,
    /// A login that succeeded: to be noted.
    pub login: Option<Login>,
    /// The session has one command left, which gets this reply.
    pub end: Option<Reply>,
}

impl Decision {
    fn new(answer: Answer) -> Self {
        Decision { answer, block: None, login: None, end: None }
    }
}

/// Who is logged in, and by which password; none over HTTP.
#[derive(Clone, Copy, Debug)]
struct Identity {
    user: Id<SmtpUser>,
    account: Id<Account>,
    domain: Id<SendingDomain>,
    password: Option<PasswordHash>,
}

/// One inbound connection, or one message handed in over HTTP, as it is judged and noted.
#[derive(Debug)]
pub struct Visit {
    session: SessionId,
    remote: IpAddr,
    tls: String,
    /// Gives its slots back when the visit ends, however it ends; none over HTTP.
    place: Option<Place>,
    identity: Option<Identity>,
    attempts: Attempts,
    transaction: Option<Transaction>,
    /// The transaction that just ended, until its refusal is noted.
    ended: Option<Transaction>,
    /// The true reason of the refusal that is about to be sent.
    reason: Option<String>,
    /// That refusal is in the list already.
    is_told: bool,
    /// The id that the next message gets, where it is known beforehand.
    reserved: Option<MessageId>,
    /// Seconds after which a message is worth another try, where the rate refused the last one.
    wait: Option<u64>,
    /// How long the SMTP user of the last message wishes it to be known again, whatever follows.
    knows_for: Option<Duration>,
}

impl Submission {
    /// What is shared, empty. `shared` are the networks whose addresses many clients share.
    pub fn new(
        hostname: &str,
        limits: &Limits,
        shared: Vec<ipnet::IpNet>,
        password_key: [u8; 32],
        dice: &mut dyn Dice,
    ) -> Self {
        Submission {
            hostname: hostname.to_owned(),
            key: PasswordKey::new(password_key),
            slots: Slots::new(limits),
            guard: Mutex::new(Guard::new(limits, shared, dice)),
            rate: Mutex::new(Rate::new(limits)),
            usage: Usage::default(),
            gather: Mutex::new(Gather::new(limits)),
            refusals: Mutex::new(Pace::new(limits.address_refusals_per_minute, REFUSALS_BURST)),
            client_priority_max: i8::try_from(limits.client_priority_max).unwrap_or(0),
            links: None,
            repeats: Arc::new(Mutex::new(Repeats::new(limits))),
            repeat: limits.repeat(),
        }
    }

    /// The same, whose messages can tell where to unsubscribe.
    #[must_use]
    pub fn with_links(self, links: Option<Links>) -> Self {
        Submission { links, ..self }
    }

    /// Takes up what was kept across a restart.
    pub fn restore(&self, blocks: Vec<Block>, logins: &[Login]) {
        lock(&self.guard).restore(blocks, logins);
    }

    /// Takes up what was charged to the quotas before: once, before the first session.
    pub fn charge(&self, charges: impl IntoIterator<Item = Charge>) {
        self.usage.charge(charges);
    }

    /// What was used of the quotas.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The operator lifted the block of an address.
    pub fn lift(&self, address: IpAddr) {
        lock(&self.guard).lift(address);
    }

    /// Blocks in force.
    pub fn blocks(&self, now: Timestamp) -> Vec<Block> {
        lock(&self.guard).blocks(now)
    }

    /// The counters of connections and sessions.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Gathers a refusal; gives it back where it must be noted now.
    pub fn gather(&self, notice: Notice) -> Option<Notice> {
        lock(&self.gather).on(notice)
    }

    /// The refusals counted since the last call; forgets what is over. To be called every few seconds.
    pub fn flush(&self, now: Timestamp) -> Vec<Notice> {
        lock(&self.guard).tidy(now);
        lock(&self.gather).flush(now)
    }

    /// Whether a connection may be greeted; takes its place among those of its address.
    ///
    /// # Errors
    /// The `421` in place of the greeting.
    pub fn greet(&self, visit: &mut Visit, now: Timestamp) -> Result<(), Reply> {
        if let Some(blocked) = lock(&self.guard).on_connection(visit.remote, now) {
            return Err(replies::address_blocked(blocked.minutes));
        }
        visit.place.as_mut().map_or(Ok(()), |place| place.locate(Site::of(visit.remote)).map_err(full))
    }

    /// Whether a refused connection is worth a handshake and a reply, or comes so fast after others
    /// from there that it is dropped.
    pub fn is_worth_a_reply(&self, visit: &Visit, now: Timestamp) -> bool {
        lock(&self.refusals).on(Site::of(visit.remote), now).is_ok()
    }
}

impl Visit {
    /// A connection that took a place, and whose true origin is known.
    pub fn new(session: SessionId, remote: IpAddr, place: Place) -> Self {
        Visit {
            session,
            remote: remote.to_canonical(),
            tls: String::from("none"),
            place: Some(place),
            identity: None,
            attempts: Attempts::default(),
            transaction: None,
            ended: None,
            reason: None,
            is_told: false,
            reserved: None,
            wait: None,
            knows_for: None,
        }
    }

    /// Its id.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// TLS began: `TLS 1.3`, …
    pub fn on_tls(&mut self, version: &str) {
        version.clone_into(&mut self.tls);
    }

    /// Whether somebody is logged in.
    pub fn is_logged_in(&self) -> bool {
        self.identity.is_some()
    }

    /// Answers a question of the machine but [`Question::Accept`], which has [`Visit::admit`].
    pub fn decide(
        &mut self,
        shared: &Submission,
        directory: &Directory,
        question: &Question,
        now: Timestamp,
        dice: &mut dyn Dice,
    ) -> Decision {
        let answer = match question {
            Question::Authenticate { username, secret, mechanism } => {
                return self.on_login(shared, directory, username, (secret, *mechanism), now);
            }
            Question::ReversePath { path, parameters } => {
                let taken = self.on_mail(shared, directory, path, parameters, now);
                return Decision::new(taken.unwrap_or_else(|refusal| refusal));
            }
            Question::ForwardPath { path, parameters } => self.on_recipient(directory, path, parameters, now),
            Question::Begin => self.on_begin(directory, now, dice),
            Question::Accept { .. } => Ok(()),
        };
        Decision::new(answer.map_or_else(|answer| answer, |()| Answer::Yes))
    }

    /// The reply to hear at the next command, where the login is no longer valid: the user was deleted,
    /// disabled, expired or got a new password, or its account was suspended.
    pub fn revoked(&self, directory: &Directory, now: Timestamp) -> Option<Reply> {
        let identity = self.identity?;
        self.user(directory, identity, now).is_none().then(replies::session_revoked)
    }

    /// The transaction ended without acceptance.
    pub fn on_abandon(&mut self) {
        if let Some(mut transaction) = self.transaction.take() {
            // its refusal may still be noted; what it reserved is free now
            transaction.reservation.end();
            self.ended = Some(transaction);
        }
    }

    /// The id that the message under way will have, once content may begin.
    pub fn message(&self) -> Option<MessageId> {
        self.transaction.as_ref()?.message
    }

    /// Whether one refused recipient has refused the whole message under way.
    pub fn refuses_rest(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.refused)
    }

    /// The store did not take content, or did not keep the message: nothing was accepted, and the client may come
    /// again.
    pub fn on_not_kept(&mut self, error: &StoreError) -> Answer {
        if let Some(transaction) = &mut self.transaction {
            match error {
                // what was written before the store stopped may be on the disk, and be delivered after the restart
                StoreError::Latched(_) => transaction.reservation.end(),
                _ => transaction.reservation.release(),
            }
        }
        let reply = match error {
            StoreError::NoRoom(_) => replies::store_full(),
            _ => replies::store_failed(),
        };
        self.refuse(reply, "")
    }

    /// A refusal that the driver has cause for, with its true reason.
    pub fn refuse(&mut self, reply: Reply, reason: &str) -> Answer {
        self.no(Refusal { reply, reason: reason.to_owned() })
    }

    /// The user as it stands, if its login still holds.
    fn user<'a>(&self, directory: &'a Directory, identity: Identity, now: Timestamp) -> Option<&'a SmtpUser> {
        let user = directory.users.get(&identity.user)?;
        let is_known = identity.password.is_none_or(|password| user.passwords.contains(&password));
        let holds = is_known && crate::policy::active(user, directory, now).is_ok();
        holds.then_some(user)
    }

    /// A refusal by policy, which is no error of the client.
    fn no(&mut self, refusal: Refusal) -> Answer {
        if !refusal.reason.is_empty() {
            self.reason = Some(refusal.reason);
        }
        Answer::No { reply: refusal.reply, error: false }
    }
}

fn full(full: Full) -> Reply {
    match full {
        Full::Total => replies::sessions_total(),
        Full::Address => replies::sessions_address(),
        Full::User => replies::sessions_user(),
        Full::Account => replies::sessions_account(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // what is behind these locks is whole between any two statements
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
