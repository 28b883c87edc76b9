//! What each verb of the book makes of accounts, domains and users: decided here, kept by whoever holds the register.

mod brakes;
mod domains;
mod leaving;
mod members;
mod plans;
mod reroutes;
mod suppressions;
mod warm_ups;
mod webhooks;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use relay::account::{Account, AccountState, Contacts, Leaving};
use relay::api_key::ApiKey;
use relay::audit::{About, Details, Field, Kind, Word};
use relay::brake::{Brake, Subject};
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::language::Language;
use relay::member::{Link, Member, SignIn};
use relay::plan::{Plan, Subscription};
use relay::quota::Quota;
use relay::reroute::Reroute;
use relay::sending_domain::SendingDomain;
use relay::service::SYSTEM_ACCOUNT;
use relay::smtp_user::{PasswordHash, SmtpUser, UserRules};
use relay::store::{Actor, AuditEntry, NewApiKey, NewSmtpUser, SmtpUserChange, StoreError};
use relay::suppression::Suppression;
use relay::time_zone::TimeZone;
use relay::webhook::Webhook;
use smtp::server::Secret;

pub(crate) use warm_ups::warm_up_entry;
pub(crate) use webhooks::no_webhook;

/// The highest numbers given so far: a number is never given twice, also not after a deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) account: u64,
    pub(crate) domain: u64,
    pub(crate) user: u64,
    pub(crate) api_key: u64,
    pub(crate) member: u64,
    pub(crate) plan: u64,
    pub(crate) plan_request: u64,
    pub(crate) webhook: u64,
}

/// All that the verbs decide by.
#[derive(Debug, Default)]
pub(crate) struct Register {
    pub(crate) directory: Arc<Directory>,
    pub(crate) numbers: Numbers,
    /// Every selector ever given, also of domains long gone.
    pub(crate) selectors: HashSet<String>,
}

/// One row to be kept.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    /// An account as it is from now on.
    Account(Arc<Account>),
    /// A domain with its keys' public faces, as it is from now on.
    Domain(Arc<SendingDomain>),
    /// The private half of a new key, to be wrapped.
    PrivateKey { domain: Id<SendingDomain>, selector: String, private: Secret },
    /// The private halves of a domain's keys are destroyed.
    PrivateKeysGone(Id<SendingDomain>),
    /// An SMTP user as it is from now on.
    User(Arc<SmtpUser>),
    /// An SMTP user is gone.
    UserGone(Id<SmtpUser>),
    /// A new API key.
    ApiKey(Arc<ApiKey>),
    /// An API key is gone.
    ApiKeyGone(Id<ApiKey>),
    /// An address is suppressed.
    Suppression { account: Id<Account>, address: String, suppression: Suppression },
    /// It is not any more.
    SuppressionGone { account: Id<Account>, address: String, stream: Option<Id<SmtpUser>> },
    /// A member as they are from now on.
    Member(Arc<Member>),
    /// A member is gone, with their sign-ins and links.
    MemberGone(Id<Member>),
    /// A new sign-in.
    SignIn(SignIn),
    /// A sign-in looks in this account's place from now on, if it still is one.
    SignInActs { token: PasswordHash, acting_for: Option<Id<Account>> },
    /// A member has signed in from there.
    MemberSite { member: Id<Member>, site: IpAddr, at: Timestamp },
    /// Every sign-in of a member but this one has ended.
    SignInsGone { member: Id<Member>, keep: Option<PasswordHash> },
    /// A new link.
    Link(Link),
    /// The links of a member are void.
    LinksGone(Id<Member>),
    /// A plan as it is from now on.
    Plan(Arc<Plan>),
    /// A plan is gone.
    PlanGone(Id<Plan>),
    /// A webhook as it is from now on.
    Webhook(Arc<Webhook>),
    /// The secret of a webhook, to be wrapped; the one before becomes its former one.
    WebhookSecret { webhook: Id<Webhook>, secret: Secret },
    /// A webhook is gone.
    WebhookGone(Id<Webhook>),
    /// The orders to send waiting mail another way, as they are from now on.
    Reroutes(Arc<Vec<Reroute>>),
    /// A brake as it is from now on.
    Brake(Box<Brake>),
    /// A brake is remembered no longer.
    BrakeGone(Subject),
    /// An account is deleted, and something of it is left.
    AccountLeaves { account: Id<Account>, leaving: Leaving },
    /// Nothing is left of it.
    AccountGone(Id<Account>),
}

/// A change that was decided and is not yet kept.
pub(crate) struct Change<T> {
    pub(crate) answer: T,
    pub(crate) writes: Vec<Write>,
    pub(crate) audit: Vec<AuditEntry>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) numbers: Numbers,
}

/// Every verb's result.
type Decided<T> = Result<Change<T>, StoreError>;

/// A change in the making.
struct Draft {
    next: Directory,
    numbers: Numbers,
    writes: Vec<Write>,
    audit: Vec<AuditEntry>,
}

impl Draft {
    fn note(
        &mut self,
        by: &Actor,
        at: Timestamp,
        action: &str,
        told: impl Into<Details>,
        account: Option<Id<Account>>,
    ) {
        self.audit.push(AuditEntry::new(at, by.clone(), action, told, account));
    }

    fn put_account(&mut self, account: Account) -> Arc<Account> {
        let account = Arc::new(account);
        self.next.accounts.insert(account.id, Arc::clone(&account));
        self.writes.push(Write::Account(Arc::clone(&account)));
        account
    }

    fn put_domain(&mut self, domain: SendingDomain) -> Arc<SendingDomain> {
        let domain = Arc::new(domain);
        self.next.domains.insert(domain.id, Arc::clone(&domain));
        self.writes.push(Write::Domain(Arc::clone(&domain)));
        domain
    }

    fn put_user(&mut self, user: SmtpUser) -> Arc<SmtpUser> {
        let user = Arc::new(user);
        self.next.usernames.insert(user.username.clone(), user.id);
        self.next.users.insert(user.id, Arc::clone(&user));
        self.writes.push(Write::User(Arc::clone(&user)));
        user
    }

    fn drop_user(&mut self, user: &SmtpUser) {
        self.next.users.remove(&user.id);
        self.next.usernames.remove(&user.username);
        self.writes.push(Write::UserGone(user.id));
    }

    fn done<T>(mut self, answer: T) -> Change<T> {
        self.next.generation += 1;
        Change { answer, writes: self.writes, audit: self.audit, directory: Arc::new(self.next), numbers: self.numbers }
    }
}

/// The actor of what follows by rule from something else.
fn system() -> Actor {
    Actor { name: "system".to_owned(), from: "relay".to_owned() }
}

/// There is no block of this address.
pub(crate) fn no_block(address: IpAddr) -> StoreError {
    StoreError::NotFound(format!("block of {address}"))
}

/// The audit log's lines of a lifted block: one for each account at whose users its failures were aimed, and the
/// operator's.
pub(crate) fn lift_entries(address: IpAddr, aimed_at: &[Id<Account>], by: &Actor, at: Timestamp) -> Vec<AuditEntry> {
    let entry = |account| {
        let block = About::named(Kind::Block, address.to_string());
        AuditEntry::new(at, by.clone(), "block.lift", block, account)
    };
    // names that nobody has stand there as the system account's
    let accounts = aimed_at.iter().filter(|account| **account != SYSTEM_ACCOUNT);
    accounts.map(|account| entry(Some(*account))).chain([entry(None)]).collect()
}

impl Register {
    /// A register of what was read from the disk.
    pub(crate) fn new(directory: Directory, numbers: Numbers, selectors: HashSet<String>) -> Self {
        Register { directory: Arc::new(directory), numbers, selectors }
    }

    /// Takes over a change that is kept.
    pub(crate) fn take<T>(&mut self, change: Change<T>) -> T {
        self.directory = change.directory;
        self.numbers = change.numbers;
        for write in change.writes {
            if let Write::PrivateKey { selector, .. } = write {
                self.selectors.insert(selector);
            }
        }
        change.answer
    }

    fn draft(&self) -> Draft {
        Draft { next: (*self.directory).clone(), numbers: self.numbers, writes: Vec::new(), audit: Vec::new() }
    }

    fn account(&self, id: Id<Account>) -> Result<&Arc<Account>, StoreError> {
        self.directory.accounts.get(&id).ok_or_else(|| StoreError::NotFound(format!("account {id}")))
    }

    /// A domain that is not deleted.
    fn domain(&self, id: Id<SendingDomain>) -> Result<&Arc<SendingDomain>, StoreError> {
        self.directory
            .domains
            .get(&id)
            .filter(|domain| domain.deleted_at.is_none())
            .ok_or_else(|| StoreError::NotFound(format!("domain {id}")))
    }

    fn user(&self, id: Id<SmtpUser>) -> Result<&Arc<SmtpUser>, StoreError> {
        self.directory.users.get(&id).ok_or_else(|| StoreError::NotFound(format!("SMTP user {id}")))
    }

    /// What the audit log calls an SMTP user; the number where there is none any more.
    fn user_named(&self, id: Id<SmtpUser>) -> String {
        let user = self.directory.users.get(&id).map(|user| About::from(&**user));
        user.and_then(|about| about.name).unwrap_or_else(|| id.to_string())
    }

    pub(crate) fn account_add(&self, name: &str, by: &Actor, now: Timestamp) -> Decided<Arc<Account>> {
        // one plan is always the default
        let plan = self.directory.default_plan().map_or(Plan::BUILT_IN, |plan| plan.id);
        self.account_on(name, Subscription::to(plan), by, now)
    }

    pub(crate) fn account_on(
        &self,
        name: &str,
        subscription: Subscription,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Account>> {
        let mut draft = self.draft();
        draft.numbers.account += 1;
        let id = Id::new(draft.numbers.account);
        let account = draft.put_account(Account {
            id,
            name: name.to_owned(),
            state: AccountState::Active,
            own_quota: Quota::default(),
            activity_days: None,
            subscription,
            contacts: Contacts::default(),
            time_zone: TimeZone::utc(),
            language: Language::default(),
            created_at: now,
        });
        draft.note(by, now, "account.add", About::from(&*account), Some(id));
        Ok(draft.done(account))
    }

    pub(crate) fn account_state(
        &self,
        id: Id<Account>,
        state: AccountState,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Account>> {
        let account = self.account(id)?;
        let mut draft = self.draft();
        let account = draft.put_account(Account { state, ..(**account).clone() });
        let action = match state {
            AccountState::Active => "account.resume",
            AccountState::Suspended => "account.suspend",
        };
        draft.note(by, now, action, About::from(&*account), Some(id));
        Ok(draft.done(account))
    }

    /// Name, time zone, language and days of what is given; the rest stays.
    pub(crate) fn account_set(&self, set: Account, by: &Actor, now: Timestamp) -> Decided<Arc<Account>> {
        let kept = self.account(set.id)?;
        let mut draft = self.draft();
        let Account { id, name, time_zone, language, activity_days, .. } = set;
        let account = draft.put_account(Account { name, time_zone, language, activity_days, ..(**kept).clone() });
        let told = Details::from(About::from(&*account))
            .changed(Field::Name, &kept.name, &account.name)
            .changed(Field::TimeZone, kept.time_zone.name(), account.time_zone.name())
            .changed(Field::Language, &Word(kept.language), &Word(account.language))
            .changed(Field::ActivityDays, &kept.activity_days, &account.activity_days);
        draft.note(by, now, "account.set", told, Some(id));
        Ok(draft.done(account))
    }

    pub(crate) fn account_quota(
        &self,
        id: Id<Account>,
        quota: Quota,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Account>> {
        let kept = self.account(id)?;
        let mut draft = self.draft();
        let account = draft.put_account(kept.requoted(quota, kept.day(now)));
        let told = Details::from(About::from(&*account))
            .changed(Field::Quota, &kept.own_quota.recipients, &quota.recipients)
            .changed(Field::RenewsOn, &kept.own_quota.renews_on, &quota.renews_on);
        draft.note(by, now, "account.quota", told, Some(id));
        Ok(draft.done(account))
    }

    pub(crate) fn smtp_user_add(&self, new: NewSmtpUser, by: &Actor, now: Timestamp) -> Decided<Arc<SmtpUser>> {
        let domain = self.domain(new.domain)?;
        if self.directory.usernames.contains_key(&new.username) {
            return Err(StoreError::Conflict(format!("the username {} exists: draw another", new.username)));
        }
        let mut draft = self.draft();
        draft.numbers.user += 1;
        let id = Id::new(draft.numbers.user);
        let user = draft.put_user(SmtpUser {
            id,
            account: domain.account,
            domain: domain.id,
            name: new.name,
            username: new.username,
            passwords: vec![new.password],
            enabled: true,
            rules: new.rules,
            created_at: now,
        });
        let told = Details::from(About::from(&*user)).with(Field::Domain, &domain.name);
        draft.note(by, now, "smtp_user.add", told.rules(&UserRules::default(), &user.rules), Some(user.account));
        Ok(draft.done(user))
    }

    pub(crate) fn smtp_user_change(
        &self,
        id: Id<SmtpUser>,
        action: &str,
        change: SmtpUserChange,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<SmtpUser>> {
        let kept = self.user(id)?;
        let mut user = (**kept).clone();
        match change {
            SmtpUserChange::Name(name) => user.name = name,
            SmtpUserChange::Enabled(enabled) => user.enabled = enabled,
            SmtpUserChange::Rules(rules) => user.rules = rules,
            SmtpUserChange::Passwords(passwords) if passwords.len() > 2 => {
                return Err(StoreError::Conflict("an SMTP user has two passwords at the most".to_owned()));
            }
            SmtpUserChange::Passwords(passwords) => user.passwords = passwords,
        }
        let mut draft = self.draft();
        let user = draft.put_user(user);
        let told = Details::from(About::from(&*user))
            .changed(Field::Name, &kept.name, &user.name)
            .rules(&kept.rules, &user.rules);
        draft.note(by, now, action, told, Some(user.account));
        Ok(draft.done(user))
    }

    pub(crate) fn smtp_user_delete(&self, id: Id<SmtpUser>, by: &Actor, now: Timestamp) -> Decided<()> {
        let user = self.user(id)?;
        let mut draft = self.draft();
        draft.drop_user(user);
        draft.note(by, now, "smtp_user.delete", About::from(&**user), Some(user.account));
        Ok(draft.done(()))
    }

    pub(crate) fn api_key_add(
        &self,
        new: NewApiKey,
        hash: PasswordHash,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<ApiKey>> {
        if let Some(account) = new.account {
            self.account(account)?;
        }
        if self.directory.api_key_hashes.contains_key(&hash) {
            return Err(StoreError::Conflict("this secret was given before: draw another".to_owned()));
        }
        let mut draft = self.draft();
        draft.numbers.api_key += 1;
        let key = Arc::new(ApiKey {
            id: Id::new(draft.numbers.api_key),
            account: new.account,
            name: new.name,
            powers: new.powers,
            read_only: new.read_only,
            hash,
            created_at: now,
            expires_at: new.expires_at,
        });
        draft.next.api_key_hashes.insert(key.hash, key.id);
        draft.next.api_keys.insert(key.id, Arc::clone(&key));
        draft.writes.push(Write::ApiKey(Arc::clone(&key)));
        draft.note(by, now, "api_key.add", key.audited(), key.account);
        Ok(draft.done(key))
    }

    pub(crate) fn api_key_delete(&self, id: Id<ApiKey>, by: &Actor, now: Timestamp) -> Decided<()> {
        let key = self.directory.api_keys.get(&id);
        let key = key.ok_or_else(|| StoreError::NotFound(format!("API key {id}")))?;
        let mut draft = self.draft();
        draft.next.api_keys.remove(&id);
        draft.next.api_key_hashes.remove(&key.hash);
        draft.writes.push(Write::ApiKeyGone(id));
        draft.note(by, now, "api_key.delete", About::from(&**key), key.account);
        Ok(draft.done(()))
    }
}
