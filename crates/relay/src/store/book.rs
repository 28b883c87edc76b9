//! Accounts and what belongs to them: what has to be remembered of it, and the verbs that change it.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::StoreError;
use crate::account::{Account, AccountState};
use crate::api_key::ApiKey;
use crate::audit::Details;
use crate::certificate;
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::Id;
use crate::power::Powers;
use crate::quota::Quota;
use crate::quota::alert::Told;
use crate::reroute::Reroute;
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use crate::smtp_user::{PasswordHash, SmtpUser, UserRules};
use crate::suppression::Suppression;
use crate::verification::Check;
use crate::webhook::{EventKind, Webhook, WebhookState};

/// Who did it, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `operator`, `system`, later a member's name.
    pub name: String,
    /// From where: an address, or `cli`.
    pub from: String,
}

impl Actor {
    /// What the name of one of the operator's people ends in who acts in an account's place.
    pub const OF_OPERATOR: &str = " (operator)";
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
    /// On what, and what changed of it, as an English sentence: `smtp_user 12 …`.
    pub subject: String,
    /// The same in parts; none in lines of versions that had the sentence alone.
    #[serde(default)]
    pub details: Option<Details>,
    /// In whose account, where in one.
    pub account: Option<Id<Account>>,
}

impl AuditEntry {
    /// A line of what is done now.
    pub fn new(
        at: Timestamp,
        actor: Actor,
        action: &str,
        details: impl Into<Details>,
        account: Option<Id<Account>>,
    ) -> AuditEntry {
        let details = details.into();
        AuditEntry {
            at,
            actor,
            action: action.to_owned(),
            subject: details.to_string(),
            details: Some(details),
            account,
        }
    }
}

/// When passwords of SMTP users were last used.
pub type PasswordUses = HashMap<(Id<SmtpUser>, PasswordHash), Timestamp>;

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

/// What a new API key is to be; its secret is none of it.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Whose; none: the operator's.
    pub account: Option<Id<Account>>,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub powers: Powers,
    /// It only looks.
    pub read_only: bool,
    /// From when on it works no more.
    pub expires_at: Option<Timestamp>,
}

/// What a new webhook is to be; its secret is none of it.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Whose.
    pub account: Id<Account>,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What it is told of.
    pub events: Vec<EventKind>,
    /// Of this sending domain alone.
    pub domain: Option<Id<SendingDomain>>,
    /// Of this SMTP user alone.
    pub user: Option<Id<SmtpUser>>,
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
    /// The accounts at whose users its failures were aimed; the system account where at a name that nobody has.
    pub accounts: Vec<Id<Account>>,
}

/// Accounts and what belongs to them. Verbs block on the disk: call them off the async threads.
/// Each is in the audit log and in [`Book::directory`] before it returns.
pub trait Book: Send + Sync + 'static {
    /// The deciding snapshot.
    fn directory(&self) -> Arc<Directory>;

    /// Makes an account, on the default plan.
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

    /// Deletes an account: its SMTP users, members, API keys, webhooks and suppressions are gone at once, its domains are
    /// deleted, and what else is kept of it goes by and by ([`Directory::leaving`]). Its number is never given again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn account_delete(
        &self,
        account: Id<Account>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Keeps another name, time zone and language of an account, and for how long its rows are kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn account_set(&self, account: Account, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError>;

    /// Gives an account another quota of its own ([`Account::requoted`]). What it used stays used.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn account_quota(
        &self,
        account: Id<Account>,
        quota: Quota,
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

    /// Keeps what DNS said of a domain's records, and what that makes of it ([`crate::verification::judge`]): keys whose record
    /// is there sign from now on. Where another account's claim on the name is stronger, the state stays.
    /// A look that was begun before the one that is kept changes nothing: it would tell what was so before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn domain_check(&self, domain: Id<SendingDomain>, check: Check) -> Result<Arc<SendingDomain>, StoreError>;

    /// Makes the other selector of an algorithm the one that signs from now on. Messages already sealed keep their
    /// seal.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where there is no other selector, or its record was not in
    /// DNS at the last look and `force` is not given.
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

    /// Deletes a domain: its users are gone at once, its queue has 24 h, or is given up where `cancels_mail`, then its keys
    /// go too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn domain_delete(
        &self,
        domain: Id<SendingDomain>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError>;

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

    /// Makes an API key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its secret was given before, [`StoreError::NotFound`] without the account.
    fn api_key_add(
        &self,
        key: NewApiKey,
        hash: PasswordHash,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<ApiKey>, StoreError>;

    /// Deletes an API key: it stops that instant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn api_key_delete(&self, key: Id<ApiKey>, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// Makes a webhook with its secret, which the store wraps.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the account.
    fn webhook_add(
        &self,
        webhook: NewWebhook,
        secret: smtp::server::Secret,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Webhook>, StoreError>;

    /// Changes a webhook.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn webhook_change(
        &self,
        webhook: Id<Webhook>,
        change: WebhookChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Webhook>, StoreError>;

    /// Deletes a webhook: it is told nothing any more, and its log goes with it, within a minute.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn webhook_delete(&self, webhook: Id<Webhook>, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// The unwrapped secrets that sign at this moment: the one in force, and for a day after a rotation the one before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Unavailable`] where the master key is another.
    fn webhook_secrets(&self, webhook: Id<Webhook>, now: Timestamp) -> Result<Vec<smtp::server::Secret>, StoreError>;

    /// Last uses of API keys, gathered; what is older than what is kept changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn api_keys_used(&self, uses: &[(Id<ApiKey>, Timestamp)]) -> Result<(), StoreError>;

    /// When each API key was last used, of those that ever were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn api_key_uses(&self) -> Result<HashMap<Id<ApiKey>, Timestamp>, StoreError>;

    /// The key that password hashes are made under, derived from the master key.
    fn password_key(&self) -> [u8; 32];

    /// The key that cursors are sealed under ([`crate::cursor`]), derived from the master key.
    fn cursor_key(&self) -> [u8; 32];

    /// The key that the addresses are made under which mail goes out with ([`crate::return_path::ReturnPaths`]), and the links in
    /// it ([`crate::unsubscribe::Links`]).
    fn return_path_key(&self) -> [u8; 32];

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

    /// The last login of each of these users since then; those who did not log in are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn logins_of(&self, users: &[Id<SmtpUser>], since: Timestamp) -> Result<HashMap<Id<SmtpUser>, Login>, StoreError>;

    /// When each password of these users that works was last used, where it was since this is noted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn passwords_used(&self, users: &[Id<SmtpUser>]) -> Result<PasswordUses, StoreError>;

    /// What was last told of each account's quota ([`crate::quota::alert`]).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn quotas_told(&self) -> Result<HashMap<Id<Account>, Told>, StoreError>;

    /// Keeps what was told of an account's quota.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Latched`].
    fn quota_told(&self, account: Id<Account>, told: Told) -> Result<(), StoreError>;

    /// The last alarm about each certificate that people were told, by its file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn certificates_told(&self) -> Result<HashMap<String, certificate::Told>, StoreError>;

    /// Keeps what was told of the certificate in a file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Latched`].
    fn certificate_told(&self, file: &str, told: certificate::Told) -> Result<(), StoreError>;

    /// Suppresses addresses for an account, or each for the stream that it names, in one change. An address that is suppressed already keeps what outlasts the
    /// new one, unless `replace`. Returns how many were added or changed. Where `by` is none, for what follows by rule from
    /// a bounce or a complaint, Activity shows it, and the audit log has no line.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the account.
    fn suppress(
        &self,
        account: Id<Account>,
        added: &[(String, Suppression)],
        replace: bool,
        by: Option<&Actor>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Forgets suppressions whose time is over, of all accounts; how many. The audit log has no line of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Latched`].
    fn suppressions_expire(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Lifts the suppression of an address for the stream of an SMTP user; none: that for the whole account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn unsuppress(
        &self,
        account: Id<Account>,
        address: &str,
        stream: Option<Id<SmtpUser>>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Lifts every suppression of an address, for the account and for streams, and the audit log does not say of which
    /// address. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Latched`].
    fn suppression_erase(
        &self,
        account: Id<Account>,
        address: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

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

    /// Keeps an order to send waiting mail another way, and forgets those that are over where `oldest` says what waits longest.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Conflict`] where there are as many as may be.
    fn reroute(&self, reroute: Reroute, oldest: Option<Timestamp>) -> Result<(), StoreError>;

    /// Adds a line to the audit log of what was done outside of this trait, as on the queue; kept when it returns.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Latched`]: the line is not kept, what it tells of is done.
    fn audit_note(&self, entry: AuditEntry) -> Result<(), StoreError>;

    /// Lines of the audit log with their numbers, the newest first; `before`: of those with a lower number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn audit_before(
        &self,
        account: Option<Id<Account>>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError>;

    /// The newest of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn audit(&self, account: Option<Id<Account>>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.audit_before(account, None, limit)?.into_iter().map(|(_, entry)| entry).collect())
    }
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
    /// By which password; none where that is not asked for, as in what is read back.
    #[serde(skip)]
    pub password: Option<PasswordHash>,
}

/// What changes of a webhook.
#[derive(Clone, Debug)]
pub enum WebhookChange {
    /// Name, URL, events, domain and SMTP user become those of this one.
    Settings(Webhook),
    /// Whether it is told anything.
    State(WebhookState),
    /// A new secret; the one before signs beside it for a day.
    Secret(smtp::server::Secret),
}
