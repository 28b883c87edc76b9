//! SMTP users: what is changed and shown of them, with their last logins and what they sent.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::service::operation::{Answer, Operation, Part};
use relay::service::view::{DoneView, Sent, SmtpUserView};
use relay::service::{self, Caller, Fault, RulesChange, Setting};
use relay::smtp_user::SmtpUser;
use relay::store::Store;

use super::{Executor, misplaced};

const LOGINS_SHOWN: Duration = Duration::from_secs(30 * 86_400);
/// Accounts whose sending is asked for one by one.
const ACCOUNTS_ALONE_MAX: usize = 1000;
/// Days of sending that are shown, today included.
const DAYS_SHOWN: u64 = 30;

impl<S: Store> Executor<S> {
    pub(super) fn user(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let find = |user: &str| service::user_find(store, user, caller.scope);
        let user = match operation {
            Operation::SmtpUserShow { user } => find(&user)?,
            Operation::SmtpUserRename { user, name } => service::user_rename(store, &*find(&user)?, &name, caller)?,
            Operation::SmtpUserDropPassword { user } => service::user_drop_password(store, &*find(&user)?, caller)?,
            Operation::SmtpUserEnable { user } => service::user_enabled(store, &find(&user)?, true, caller)?,
            Operation::SmtpUserDisable { user } => service::user_enabled(store, &find(&user)?, false, caller)?,
            Operation::SmtpUserSet { user, rules } => {
                self.can_be_ruled(&rules)?;
                service::user_rules(store, &*find(&user)?, rules, caller)?
            }
            Operation::SmtpUserDelete { user } => {
                let user = find(&user)?;
                service::user_delete(store, &user, caller)?;
                let done = format!(
                    "SMTP user {} ({}) is deleted. Its sessions have ended; mail it sent is delivered.",
                    user.username, user.name
                );
                return Ok(Answer::Done(DoneView { done }));
            }
            _ => return Err(misplaced()),
        };
        let logins = store.logins_of(&[user.id], logins_since(caller.now))?;
        let sent = self.sent(Some(user.account), caller.now)?;
        let directory = store.directory();
        let domain = directory.domains.get(&user.domain).map_or("", |domain| domain.name.as_str());
        let (last, uses) = (logins.get(&user.id), store.passwords_used(&[user.id])?);
        Ok(Answer::SmtpUser(SmtpUserView::new(&user, domain, last, &uses, sent_by(&sent, user.id))))
    }

    /// Whether this relay can do what rules ask for.
    ///
    /// # Errors
    /// Recipients do not reach it where they would unsubscribe.
    pub(super) fn can_be_ruled(&self, rules: &RulesChange) -> Result<(), Fault> {
        if rules.one_click_unsubscribe != Setting::To(true) || self.config.unsubscribe_url().is_some() {
            return Ok(());
        }
        Err(Fault::conflict(
            "Recipients of this relay have no address to unsubscribe at.",
            "The operator gives one by `url` below [unsubscribe], beginning with https://.",
        )
        .named("unsubscribe-nowhere", &[]))
    }

    pub(super) fn users(
        &self,
        account: Option<u64>,
        domain: Option<String>,
        part: Part,
        caller: Caller<'_>,
    ) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let domain = domain.map(|domain| service::domain_find(store, &domain, caller.scope)).transpose()?;
        let directory = store.directory();
        let wanted = directory
            .users
            .values()
            .filter(|user| account.is_none_or(|account| user.account.number() == account))
            .filter(|user| domain.as_ref().is_none_or(|domain| user.domain == domain.id));
        let users = part.of(wanted.collect(), |user| user.id.number());
        let sent = self.sent_of(&users, caller.now)?;
        let ids: Vec<_> = users.iter().map(|user| user.id).collect();
        let logins = store.logins_of(&ids, logins_since(caller.now))?;
        let uses = store.passwords_used(&ids)?;
        let view = |user: &Arc<SmtpUser>| {
            let domain = directory.domains.get(&user.domain).map_or("", |domain| domain.name.as_str());
            SmtpUserView::new(user, domain, logins.get(&user.id), &uses, sent_by(&sent, user.id))
        };
        Ok(Answer::SmtpUsers(users.into_iter().map(view).collect()))
    }

    /// What these sent. Of a few accounts each is asked for alone: what others sent costs nothing then.
    fn sent_of(&self, users: &[&Arc<SmtpUser>], now: Timestamp) -> Result<HashMap<Id<SmtpUser>, Sent>, Fault> {
        let accounts: HashSet<_> = users.iter().map(|user| user.account).collect();
        if accounts.len() > ACCOUNTS_ALONE_MAX {
            return self.sent(None, now);
        }
        let mut sent = HashMap::new();
        for account in accounts {
            sent.extend(self.sent(Some(account), now)?);
        }
        Ok(sent)
    }

    /// What each SMTP user sent, of one account or all.
    fn sent(&self, account: Option<Id<Account>>, now: Timestamp) -> Result<HashMap<Id<SmtpUser>, Sent>, Fault> {
        let directory = self.store.directory();
        // somewhere it is yesterday still, and elsewhere tomorrow already
        let (earliest, latest) = (now.day().before(1), now.day().ahead(1));
        let mut sent: HashMap<_, Sent> = HashMap::new();
        for count in self.store.sent(account, earliest.before(DAYS_SHOWN - 1), latest)? {
            let Some(user) = count.user else { continue };
            let today = directory.day_of(count.account, now);
            if count.day < today.before(DAYS_SHOWN - 1) || count.day > today {
                continue;
            }
            let sent = sent.entry(user).or_default();
            sent.in_30_days += count.accepted;
            if count.day == today {
                sent.today += count.accepted;
            }
        }
        Ok(sent)
    }
}

fn logins_since(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(LOGINS_SHOWN.as_millis() as u64))
}

fn sent_by(sent: &HashMap<Id<SmtpUser>, Sent>, user: Id<SmtpUser>) -> Sent {
    sent.get(&user).copied().unwrap_or_default()
}
