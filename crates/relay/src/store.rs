//! What has to be remembered: verbs, each atomic, each durable when it returns.

mod book;
mod brakes;
mod dmarc_reports;
mod inbox;
mod members;
mod plans;
mod requests;
mod warm_ups;
mod webhooks;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

use crate::account::Account;
use crate::activity::{ActivityDetail, ActivityFilter, ActivityRow, ConnectionRow, DailyCount, Erased, Notice};
use crate::clock::{Day, Timestamp};
use crate::id::{Id, MessageId};
use crate::priority::Class;
use crate::queue::{Envelope, HoldReason, RecipientState, Settlement, TlsWish};
use crate::quota::Charges;
use crate::report::{Recipient, Report};
use crate::sending_domain::SendingDomain;

pub use book::{
    Actor, AuditEntry, Block, Book, Login, NewApiKey, NewDkimKey, NewSmtpUser, NewWebhook, PasswordUses,
    SmtpUserChange, WebhookChange,
};
pub use brakes::Brakes;
pub use dmarc_reports::DmarcReports;
pub use inbox::Inbox;
pub use members::Members;
pub use plans::Plans;
pub use requests::{KeyHash, KeyedRequest, RequestBounds, Requests};
pub use warm_ups::WarmUps;
pub use webhooks::Webhooks;

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk, or the reserve is reached: `452 4.3.1`. Ends by itself.
    #[error("no room: {0}")]
    NoRoom(String),
    /// A write or sync failed: nothing more is taken or delivered until a restart has checked everything.
    #[error("the store stopped after a failed write: {0}")]
    Latched(String),
    /// Cannot be reached or read now: `451 4.3.0` or `454 4.7.0`.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What was kept of a message is damaged on the disk: trying again does not help by itself.
    #[error("{0}")]
    Damaged(String),
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// It would contradict what is there; the text says what and what to do.
    #[error("{0}")]
    Conflict(String),
}

/// Content being received. Dropped without `commit`, it leaves nothing behind.
pub trait Draft: Send + 'static {
    /// Takes the next octets of the admitted content.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] or [`StoreError::Latched`]: the message cannot be accepted.
    fn append(&mut self, octets: Bytes) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Octets taken so far.
    fn octets(&self) -> u64;
}

/// Content of a kept message.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory, lent.
    Held(Bytes),
    /// In a file of its own, from the first octet to the last.
    Filed {
        /// Where.
        path: PathBuf,
        /// How long.
        octets: u64,
    },
}

/// A message claimed for an attempt. The claim lives in memory and ends with `unclaim`, a final
/// `settle` of every recipient, or the process.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its envelope.
    pub envelope: Arc<Envelope>,
    /// One state for each recipient.
    pub recipients: Vec<RecipientState>,
    /// The DKIM-Signature fields made for it, if they were: to be sent in front of the content.
    pub seal: Option<Bytes>,
    /// Its admitted content.
    pub content: Content,
}

/// A live message in the queue, without what has to be read from the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// The message.
    pub message: MessageId,
    /// Its account.
    pub account: Id<Account>,
    /// Its domain, where it has one.
    pub domain: Option<Id<SendingDomain>>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// How urgent it is.
    pub class: Class,
    /// Its sender wants it to arrive whatever policies ask of TLS ([`TlsWish::Waived`]).
    pub waives_tls: bool,
    /// Each unsettled recipient: its number, its domain, its state.
    pub recipients: Vec<(u16, Arc<str>, RecipientState)>,
}

impl QueueEntry {
    /// What its sender wants of TLS, as far as that decides where it goes ([`Envelope::way_wish`]).
    pub fn way_wish(&self) -> TlsWish {
        if self.waives_tls { TlsWish::Waived } else { TlsWish::AsAsked }
    }
}

/// Something kept that was found damaged, until the operator has acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// The octet in it where the damage, or the record that has it, begins; none: the file as a whole.
    pub offset: Option<u64>,
    /// The message that it concerns, where that can be told.
    #[schema(value_type = Option<String>)]
    pub message: Option<MessageId>,
    /// What is damaged, in words; names the message again.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at octet {offset}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// What the store says of itself, for `doctor`, metrics and health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreHealth {
    /// Why it latched, if it did.
    pub latched: Option<String>,
    /// No room for new mail now.
    pub full: bool,
    /// Live messages.
    pub messages: u64,
    /// Unsettled recipients.
    pub recipients: u64,
    /// Octets of spool segments and files.
    pub spool_octets: u64,
    /// Log octets that activity has not consumed yet.
    pub activity_lag_octets: u64,
    /// Why activity is not read on, or what is read of it for the quotas not written down, if so.
    pub activity_stopped: Option<String>,
    /// What was found damaged and not acknowledged since.
    pub damage: Vec<Damage>,
}

/// Live mail. Every verb is safe to call from any task.
pub trait Spool: Send + Sync + 'static {
    /// Content being received.
    type Draft: Draft;

    /// Begins to receive content.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], [`StoreError::Latched`].
    fn draft(&self) -> Result<Self::Draft, StoreError>;

    /// Begins a notification of our own. Where new mail has no room, it may have some of the room that is
    /// kept for outcomes: the failures that it tells of are not settled before it is kept.
    ///
    /// # Errors
    /// As [`Spool::draft`].
    fn draft_notification(&self) -> Result<Self::Draft, StoreError> {
        self.draft()
    }

    /// Keeps the message. When this returns, it is on disk; only then may the client hear `250`.
    ///
    /// # Errors
    /// Nothing was accepted, and the draft is gone. After [`StoreError::Latched`] the message may be on the disk all the
    /// same, and is delivered after the next start; after any other error it is not.
    fn commit(&self, envelope: Envelope, draft: Self::Draft) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims a live message for an attempt; none where it is settled or claimed already.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unavailable`] where its record cannot be read.
    fn claim(&self, message: MessageId) -> impl Future<Output = Result<Option<Claimed>, StoreError>> + Send;

    /// Gives a claim back.
    fn unclaim(&self, message: MessageId);

    /// Keeps the signature made for a message, without waiting for the disk: lost in a crash, it is made again.
    fn seal(&self, message: MessageId, seal: Bytes);

    /// Keeps what an attempt made of its recipients, in one record. When this returns, it is on disk.
    ///
    /// # Errors
    /// The outcome is not kept: the recipients stay as they were.
    fn settle(&self, settlement: Settlement) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps what was reported of mail that has left. When this returns, it is on disk.
    ///
    /// # Errors
    /// It is not kept: whoever reports it has to try again.
    fn report(&self, report: Report) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Holds waiting recipients of the message, those with these numbers or all, durable when it returns. Of those that are held
    /// already the reason is this one from now on where it outlasts the other ([`HoldReason::outlasts`]).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not live.
    fn hold_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        reason: HoldReason,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes held recipients of the message due now, those with these numbers or all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not live.
    fn release_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Holds every waiting recipient of the message.
    ///
    /// # Errors
    /// As [`Spool::hold_some`].
    fn hold(
        &self,
        message: MessageId,
        reason: HoldReason,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.hold_some(message, None, reason, now)
    }

    /// Makes every held recipient of the message due now.
    ///
    /// # Errors
    /// As [`Spool::release_some`].
    fn release(&self, message: MessageId, now: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.release_some(message, None, now)
    }

    /// Live messages in the order of their ids, after `after`, at most `limit`.
    fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry>;

    /// One live message as it stands, without claiming it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unavailable`] where its record cannot be read.
    fn peek(&self, message: MessageId) -> impl Future<Output = Result<Option<Claimed>, StoreError>> + Send;

    /// Remembers refusals, without waiting for the disk: they may be lost in a crash, mail never is.
    fn note(&self, notices: Vec<Notice>);

    /// How it is.
    fn health(&self) -> StoreHealth;

    /// Whether it has latched, as [`Spool::health`] says in words; cheap enough to be asked at each login.
    fn is_latched(&self) -> bool;
}

/// What happened. Reads block on the disk: call them off the async threads.
pub trait History: Send + Sync + 'static {
    /// Rows that the filter names, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity(&self, filter: &ActivityFilter) -> Result<Vec<ActivityRow>, StoreError>;

    /// Rows begun or changed since `cursor` (0: none yet seen), oldest change first, and the next cursor. One beyond the
    /// latest change is taken for that of now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity_since(&self, cursor: u64, filter: &ActivityFilter) -> Result<(Vec<ActivityRow>, u64), StoreError>;

    /// The cursor of now, to follow from.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity_cursor(&self) -> Result<u64, StoreError>;

    /// Waits until there is something newer than `cursor`, of one account or of any, or `patience` ends. What is older
    /// than the start may count as newer.
    fn activity_changed(
        &self,
        cursor: u64,
        account: Option<Id<Account>>,
        patience: Duration,
    ) -> impl Future<Output = ()> + Send;

    /// One row with every event of its recipient and the session it came from; none where it is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity_detail(&self, row: u64) -> Result<Option<ActivityDetail>, StoreError>;

    /// Rows of Connections, the newest first; of one account, or all; those before the row of a number, where one is given.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn connections(
        &self,
        account: Option<Id<Account>>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ConnectionRow>, StoreError>;

    /// What was sent from the day `since` to the day `until`, both included, by day, account, domain and SMTP user;
    /// of one account, or all. Days without mail are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sent(&self, account: Option<Id<Account>>, since: Day, until: Day) -> Result<Vec<DailyCount>, StoreError>;

    /// What all accounts together sent on these days, both included: of each day one count, of account 0, also of accounts
    /// that are deleted. Days without mail are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sent_by_all(&self, since: Day, until: Day) -> Result<Vec<DailyCount>, StoreError>;

    /// The recipients of a message, as far as their rows are there; those that were refused left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn recipients_of(&self, message: MessageId) -> Result<Vec<Recipient>, StoreError>;

    /// What counts towards the quotas: the charge ([`crate::quota::Charge::of`]) of every message committed before this
    /// call, once, by account and day. Of each account at least the days nearest to its last are there
    /// ([`crate::quota::DAYS_KEPT`]).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn charges(&self) -> Result<Charges, StoreError>;

    /// Erases what is kept about a recipient of an account: rows whose mail has left the queue, Connections, calls to
    /// webhooks. What came before this call goes; done whole, also where a crash comes between, and on disk when it returns.
    /// Asked again for what was broken off and is not done, it counts what went before, too.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: something may be erased, and the rest goes at the next start, or when it is asked again.
    fn erase(&self, account: Id<Account>, recipient: &str) -> Result<Erased, StoreError>;

    /// Waits until every event of mail accepted or settled before this call is in its rows.
    fn caught_up(&self) -> impl Future<Output = ()> + Send;
}

/// All that the relay remembers.
pub trait Store:
    Spool + Book + Brakes + Members + Plans + Requests + History + Webhooks + Inbox + DmarcReports + WarmUps
{
}

impl<S: Spool + Book + Brakes + Members + Plans + Requests + History + Webhooks + Inbox + DmarcReports + WarmUps> Store
    for S
{
}
