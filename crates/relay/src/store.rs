//! What has to be remembered: verbs, each atomic, each durable when it returns.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::account::{Account, AccountState};
use crate::activity::{ActivityDetail, ActivityFilter, ActivityRow, ConnectionRow, DailyCount, Notice};
use crate::clock::{Day, Timestamp};
use crate::directory::Directory;
use crate::id::{Id, MessageId};
use crate::queue::{Envelope, HoldReason, RecipientState, Settlement};
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use crate::smtp_user::{PasswordHash, SmtpUser, UserRules};

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
    /// Each unsettled recipient: its number, its domain, its state.
    pub recipients: Vec<(u16, Arc<str>, RecipientState)>,
}

/// Who did it, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `operator`, `system`, later a member's name.
    pub name: String,
    /// From where: an address, or `cli`.
    pub from: String,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What: `smtp_user.reset`, …
    pub action: String,
    /// On what: `smtp_user 12`, …
    pub subject: String,
    /// In whose account, where in one.
    pub account: Option<Id<Account>>,
}

/// A new SMTP user, its secret already hashed.
#[derive(Clone, Debug)]
pub struct NewSmtpUser {
    /// Its domain.
    pub domain: Id<SendingDomain>,
    /// What people call it.
    pub name: String,
    /// Generated; a username that exists is a [`StoreError::Conflict`].
    pub username: String,
    /// The keyed hash of its password.
    pub password: PasswordHash,
    /// What it may do.
    pub rules: UserRules,
}

/// A new DKIM key: the public face and the private half, which the store wraps.
#[derive(Clone)]
pub struct NewDkimKey {
    /// Selector, algorithm, record.
    pub key: DkimKey,
    /// PKCS#8 DER.
    pub private: smtp::server::Secret,
}

/// A block of an address (product: limits and abuse), kept across a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The address, or the first of its /64.
    pub address: IpAddr,
    /// Why, in words.
    pub cause: String,
    /// When it began.
    pub since: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// How long this one is; the next is twice as long.
    pub seconds: u64,
    /// The accounts at whose users its failures were aimed.
    pub accounts: Vec<Id<Account>>,
}

/// What the store says of itself, for `doctor`, metrics and health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Records found damaged at start, each in words: file, offset, message.
    pub damage: Vec<String>,
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
    /// Nothing was accepted. The draft is gone.
    fn commit(&self, envelope: Envelope, draft: Self::Draft) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims a live message for an attempt; none where it is settled or claimed already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where its record cannot be read.
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

    /// Holds every waiting recipient of the message, durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not live.
    fn hold(
        &self,
        message: MessageId,
        reason: HoldReason,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes every held recipient of the message due now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not live.
    fn release(&self, message: MessageId, now: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Live messages in the order of their ids, after `after`, at most `limit`.
    fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry>;

    /// One live message as it stands, without claiming it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where its record cannot be read.
    fn peek(&self, message: MessageId) -> impl Future<Output = Result<Option<Claimed>, StoreError>> + Send;

    /// Remembers refusals, without waiting for the disk: they may be lost in a crash, mail never is.
    fn note(&self, notices: Vec<Notice>);

    /// How it is.
    fn health(&self) -> StoreHealth;

    /// Whether it has latched, as [`Spool::health`] says in words; cheap enough to be asked at each login.
    fn is_latched(&self) -> bool;
}

/// Accounts and what belongs to them. Verbs block on the disk: call them off the async threads.
/// Each is in the audit log and in [`Book::directory`] before it returns.
pub trait Book: Send + Sync + 'static {
    /// The deciding snapshot.
    fn directory(&self) -> Arc<Directory>;

    /// Makes an account.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] (as every verb here).
    fn account_add(&self, name: &str, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError>;

    /// Suspends or resumes an account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn account_state(
        &self,
        account: Id<Account>,
        state: AccountState,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError>;

    /// Adds a sending domain with its keys, in state pending.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where this account has it already, [`StoreError::NotFound`] without the account.
    fn domain_add(
        &self,
        account: Id<Account>,
        name: &str,
        keys: Vec<NewDkimKey>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError>;

    /// Changes a domain's state.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where another account's claim on the name is stronger.
    fn domain_state(
        &self,
        domain: Id<SendingDomain>,
        state: DomainState,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError>;

    /// Switches bounce mails of a domain on or off.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn domain_bounce_mails(
        &self,
        domain: Id<SendingDomain>,
        on: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError>;

    /// A key's record was seen in DNS.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn domain_key_seen(&self, domain: Id<SendingDomain>, selector: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Makes the other selector of an algorithm the one that signs from now on. Messages already sealed keep their
    /// seal.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where there is no other selector, or its record was not
    /// seen in DNS and `force` is not given.
    fn domain_rotate(
        &self,
        domain: Id<SendingDomain>,
        algorithm: KeyAlgorithm,
        force: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError>;

    /// The unwrapped private half (PKCS#8 DER) of a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Unavailable`] where the master key is another.
    fn domain_key(&self, domain: Id<SendingDomain>, selector: &str) -> Result<smtp::server::Secret, StoreError>;

    /// Deletes a domain: its users are gone at once, its queue has 24 h, then its keys go too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn domain_delete(&self, domain: Id<SendingDomain>, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// Makes an SMTP user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the username exists, [`StoreError::NotFound`] without the domain.
    fn smtp_user_add(&self, user: NewSmtpUser, by: &Actor, now: Timestamp) -> Result<Arc<SmtpUser>, StoreError>;

    /// Changes name, enabled, rules or passwords of an SMTP user; `action` is what the audit log calls it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn smtp_user_change(
        &self,
        user: Id<SmtpUser>,
        action: &str,
        change: SmtpUserChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SmtpUser>, StoreError>;

    /// Deletes an SMTP user. Mail it sent is delivered.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn smtp_user_delete(&self, user: Id<SmtpUser>, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// The key that password hashes are made under, derived from the master key.
    fn password_key(&self) -> [u8; 32];

    /// Last successful logins, gathered: user, when, from where.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn logins_note(&self, logins: &[Login]) -> Result<(), StoreError>;

    /// The logins of the last 30 days: per user and address the latest.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn logins(&self, since: Timestamp) -> Result<Vec<Login>, StoreError>;

    /// Suppresses an address for an account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the account.
    fn suppress(
        &self,
        account: Id<Account>,
        address: &str,
        reason: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Lifts a suppression.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn unsuppress(&self, account: Id<Account>, address: &str, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// Keeps blocks that began or grew.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn block_put(&self, block: &Block) -> Result<(), StoreError>;

    /// Blocks still in force, and those whose doubling is remembered.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn blocks(&self) -> Result<Vec<Block>, StoreError>;

    /// Lifts the block of an address.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn block_lift(&self, address: IpAddr, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// The newest lines of the audit log.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn audit(&self, account: Option<Id<Account>>, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;
}

/// What changes of an SMTP user.
#[derive(Clone, Debug)]
pub enum SmtpUserChange {
    /// Its descriptive name.
    Name(String),
    /// Whether it may log in.
    Enabled(bool),
    /// What it may do.
    Rules(UserRules),
    /// The passwords that work from now on, at most two.
    Passwords(Vec<PasswordHash>),
}

/// A successful login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Who.
    pub user: Id<SmtpUser>,
    /// From where.
    pub address: IpAddr,
    /// When.
    pub at: Timestamp,
}

/// What happened. Reads block on the disk: call them off the async threads.
pub trait History: Send + Sync + 'static {
    /// Rows that the filter names, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity(&self, filter: &ActivityFilter) -> Result<Vec<ActivityRow>, StoreError>;

    /// Rows begun or changed since `cursor` (0: none yet seen), oldest change first, and the next cursor.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity_since(&self, cursor: u64, filter: &ActivityFilter) -> Result<(Vec<ActivityRow>, u64), StoreError>;

    /// The cursor of now, to follow from.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity_cursor(&self) -> Result<u64, StoreError>;

    /// Waits until there is something newer than `cursor`, or `patience` ends.
    fn activity_changed(&self, cursor: u64, patience: Duration) -> impl Future<Output = ()> + Send;

    /// One row with every event of its recipient and the session it came from; none where it is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn activity_detail(&self, row: u64) -> Result<Option<ActivityDetail>, StoreError>;

    /// The newest Connections rows; of one account, or all.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn connections(&self, account: Option<Id<Account>>, limit: usize) -> Result<Vec<ConnectionRow>, StoreError>;

    /// What was sent from the day `since` to the day `until`, both included, by day, account, domain and SMTP user;
    /// of one account, or all. Days without mail are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sent(&self, account: Option<Id<Account>>, since: Day, until: Day) -> Result<Vec<DailyCount>, StoreError>;

    /// Waits until every event of mail accepted or settled before this call is in its rows.
    fn caught_up(&self) -> impl Future<Output = ()> + Send;
}

/// All that the relay remembers.
pub trait Store: Spool + Book + History {}

impl<S: Spool + Book + History> Store for S {}
