//! The model's accounts, domains and users.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use relay::account::{Account, AccountState};
use relay::api_key::ApiKey;
use relay::certificate;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::quota::Quota;
use relay::quota::alert::Told;
use relay::reroute::Reroute;
use relay::sending_domain::{DomainState, KeyAlgorithm, SendingDomain};
use relay::smtp_user::{PasswordHash, SmtpUser};
use relay::store::{
    Actor, AuditEntry, Block, Book, Login, NewApiKey, NewDkimKey, NewSmtpUser, NewWebhook, PasswordUses,
    SmtpUserChange, StoreError, WebhookChange,
};
use relay::suppression::Suppression;
use relay::verification::Check;
use relay::webhook::Webhook;
use smtp::server::Secret;

use super::{CURSOR_KEY, Memory, PASSWORD_KEY, RETURN_PATH_KEY, Verb};
use crate::book::{Change, Register, Write, no_webhook};

impl Memory {
    /// Decides and keeps.
    pub(super) fn book<T>(
        &self,
        decide: impl FnOnce(&Register) -> Result<Change<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        let change = decide(&state.register)?;
        for write in &change.writes {
            match write {
                Write::PrivateKey { selector, private, .. } => {
                    state.private_keys.insert(selector.clone(), private.clone());
                }
                Write::UserGone(user) => state.logins.retain(|(known, _), _| known != user),
                Write::ApiKeyGone(key) => drop(state.api_key_uses.remove(key)),
                Write::WebhookSecret { webhook, secret } => {
                    state.webhook_secrets.entry(*webhook).or_default().push(secret.clone());
                }
                Write::WebhookGone(webhook) => state.webhook_gone(*webhook),
                Write::AccountLeaves { account, .. } => state.account_leaves(*account),
                other => state.keep_member_row(other),
            }
        }
        state.audit.extend(change.audit.iter().cloned());
        Ok(state.register.take(change))
    }
}

impl Book for Memory {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.state().register.directory)
    }

    fn account_add(&self, name: &str, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError> {
        self.book(|register| register.account_add(name, by, now))
    }

    fn account_state(
        &self,
        account: Id<Account>,
        state: AccountState,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError> {
        self.book(|register| register.account_state(account, state, by, now))
    }

    fn account_delete(
        &self,
        account: Id<Account>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.book(|register| register.account_delete(account, cancels_mail, by, now))
    }

    fn account_set(&self, account: Account, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError> {
        self.book(|register| register.account_set(account, by, now))
    }

    fn account_quota(
        &self,
        account: Id<Account>,
        quota: Quota,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError> {
        self.book(|register| register.account_quota(account, quota, by, now))
    }

    fn domain_add(
        &self,
        account: Id<Account>,
        name: &str,
        keys: Vec<NewDkimKey>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.book(|register| register.domain_add(account, name, keys, by, now))
    }

    fn domain_state(
        &self,
        domain: Id<SendingDomain>,
        state: DomainState,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.book(|register| register.domain_state(domain, state, by, now))
    }

    fn domain_bounce_mails(
        &self,
        domain: Id<SendingDomain>,
        on: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.book(|register| register.domain_bounce_mails(domain, on, by, now))
    }

    fn domain_check(&self, domain: Id<SendingDomain>, check: Check) -> Result<Arc<SendingDomain>, StoreError> {
        self.book(|register| register.domain_check(domain, check))
    }

    fn domain_rotate(
        &self,
        domain: Id<SendingDomain>,
        algorithm: KeyAlgorithm,
        force: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.book(|register| register.domain_rotate(domain, algorithm, force, by, now))
    }

    fn domain_key(&self, domain: Id<SendingDomain>, selector: &str) -> Result<Secret, StoreError> {
        let state = self.state();
        let domain = state.register.directory.domains.get(&domain);
        let is_its = domain.is_some_and(|domain| domain.keys.iter().any(|key| key.selector == selector));
        let private = state.private_keys.get(selector).filter(|_| is_its);
        private.cloned().ok_or_else(|| StoreError::NotFound(format!("DKIM key {selector}")))
    }

    fn domain_delete(
        &self,
        domain: Id<SendingDomain>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.book(|register| register.domain_delete(domain, cancels_mail, by, now))
    }

    fn smtp_user_add(&self, user: NewSmtpUser, by: &Actor, now: Timestamp) -> Result<Arc<SmtpUser>, StoreError> {
        self.book(|register| register.smtp_user_add(user, by, now))
    }

    fn smtp_user_change(
        &self,
        user: Id<SmtpUser>,
        action: &str,
        change: SmtpUserChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SmtpUser>, StoreError> {
        self.book(|register| register.smtp_user_change(user, action, change, by, now))
    }

    fn smtp_user_delete(&self, user: Id<SmtpUser>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.book(|register| register.smtp_user_delete(user, by, now))
    }

    fn api_key_add(
        &self,
        key: NewApiKey,
        hash: PasswordHash,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<ApiKey>, StoreError> {
        self.book(|register| register.api_key_add(key, hash, by, now))
    }

    fn api_key_delete(&self, key: Id<ApiKey>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.book(|register| register.api_key_delete(key, by, now))
    }

    fn webhook_add(
        &self,
        webhook: NewWebhook,
        secret: Secret,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Webhook>, StoreError> {
        self.book(|register| register.webhook_add(webhook, secret, by, now))
    }

    fn webhook_change(
        &self,
        webhook: Id<Webhook>,
        change: WebhookChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Webhook>, StoreError> {
        self.book(|register| register.webhook_change(webhook, change, by, now))
    }

    fn webhook_delete(&self, webhook: Id<Webhook>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.book(|register| register.webhook_delete(webhook, by, now))
    }

    fn webhook_secrets(&self, webhook: Id<Webhook>, now: Timestamp) -> Result<Vec<Secret>, StoreError> {
        let state = self.state();
        let known = state.register.directory.webhook(webhook).ok_or_else(|| no_webhook(webhook))?;
        let count = if known.has_two_secrets(now) { 2 } else { 1 };
        let secrets = state.webhook_secrets.get(&webhook).into_iter().flatten();
        Ok(secrets.rev().take(count).cloned().collect())
    }

    fn api_keys_used(&self, uses: &[(Id<ApiKey>, Timestamp)]) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        for (key, at) in uses {
            if state.register.directory.api_keys.contains_key(key) {
                let latest = state.api_key_uses.entry(*key).or_insert(*at);
                *latest = (*at).max(*latest);
            }
        }
        Ok(())
    }

    fn api_key_uses(&self) -> Result<HashMap<Id<ApiKey>, Timestamp>, StoreError> {
        Ok(self.state().api_key_uses.clone())
    }

    fn password_key(&self) -> [u8; 32] {
        PASSWORD_KEY
    }

    fn cursor_key(&self) -> [u8; 32] {
        CURSOR_KEY
    }

    fn return_path_key(&self) -> [u8; 32] {
        RETURN_PATH_KEY
    }

    fn logins_note(&self, logins: &[Login]) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        for login in logins {
            if state.register.directory.users.contains_key(&login.user) {
                let latest = state.logins.entry((login.user, login.address)).or_insert(login.at);
                *latest = login.at.max(*latest);
                if let Some(password) = login.password {
                    let used = state.password_uses.entry((login.user, password)).or_insert(login.at);
                    *used = login.at.max(*used);
                }
            }
        }
        Ok(())
    }

    fn passwords_used(&self, users: &[Id<SmtpUser>]) -> Result<PasswordUses, StoreError> {
        let state = self.state();
        let known = &state.register.directory.users;
        let works = |(user, password): &(Id<SmtpUser>, PasswordHash)| {
            users.contains(user) && known.get(user).is_some_and(|user| user.passwords.contains(password))
        };
        let uses = state.password_uses.iter().filter(|(used, _)| works(used));
        Ok(uses.map(|(used, at)| (*used, *at)).collect())
    }

    fn logins(&self, since: Timestamp) -> Result<Vec<Login>, StoreError> {
        let state = self.state();
        let logins = state.logins.iter().map(|((user, address), at)| Login {
            user: *user,
            address: *address,
            at: *at,
            password: None,
        });
        let mut logins: Vec<Login> = logins.filter(|login| login.at >= since).collect();
        logins.sort_by_key(|login| (login.user, login.address));
        Ok(logins)
    }

    fn logins_of(&self, users: &[Id<SmtpUser>], since: Timestamp) -> Result<HashMap<Id<SmtpUser>, Login>, StoreError> {
        let mut last: HashMap<Id<SmtpUser>, Login> = HashMap::new();
        for login in self.logins(since)?.into_iter().filter(|login| users.contains(&login.user)) {
            // of two at once, the address that comes first as text, as SQL has it
            let rank = |login: &Login| (login.at, Reverse(login.address.to_string()));
            if last.get(&login.user).is_none_or(|known| rank(known) < rank(&login)) {
                last.insert(login.user, login);
            }
        }
        Ok(last)
    }

    fn quotas_told(&self) -> Result<HashMap<Id<Account>, Told>, StoreError> {
        Ok(self.state().quotas_told.clone())
    }

    fn quota_told(&self, account: Id<Account>, told: Told) -> Result<(), StoreError> {
        self.state().quotas_told.insert(account, told);
        Ok(())
    }

    fn certificates_told(&self) -> Result<HashMap<String, certificate::Told>, StoreError> {
        Ok(self.state().certificates_told.clone())
    }

    fn certificate_told(&self, file: &str, told: certificate::Told) -> Result<(), StoreError> {
        self.state().certificates_told.insert(file.to_owned(), told);
        Ok(())
    }

    fn suppress(
        &self,
        account: Id<Account>,
        added: &[(String, Suppression)],
        replace: bool,
        by: Option<&Actor>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.book(|register| register.suppress(account, added, replace, by, now))
    }

    fn suppressions_expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.book(|register| Ok(register.suppressions_expire(now)))
    }

    fn unsuppress(
        &self,
        account: Id<Account>,
        address: &str,
        stream: Option<Id<SmtpUser>>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.book(|register| register.unsuppress(account, address, stream, by, now))
    }

    fn suppression_erase(
        &self,
        account: Id<Account>,
        address: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.book(|register| register.suppression_erase(account, address, by, now))
    }

    fn block_put(&self, block: &Block) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        state.blocks.insert(block.address, block.clone());
        Ok(())
    }

    fn blocks(&self) -> Result<Vec<Block>, StoreError> {
        let mut blocks: Vec<Block> = self.state().blocks.values().cloned().collect();
        blocks.sort_by_key(|block| (block.since, block.address));
        Ok(blocks)
    }

    fn block_lift(&self, address: IpAddr, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        let block = state.blocks.remove(&address).ok_or_else(|| crate::book::no_block(address))?;
        state.audit.extend(crate::book::lift_entries(address, &block.accounts, by, now));
        Ok(())
    }

    fn audit_note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        state.audit.push(entry);
        Ok(())
    }

    fn audit_before(
        &self,
        account: Option<Id<Account>>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let state = self.state();
        let mut lines: Vec<_> = (1u64..).zip(&state.audit).collect();
        lines.reverse();
        let is_wanted = |(number, entry): &(u64, &AuditEntry)| {
            before.is_none_or(|before| *number < before) && (account.is_none() || entry.account == account)
        };
        let wanted = lines.into_iter().filter(is_wanted).take(limit);
        Ok(wanted.map(|(number, entry)| (number, entry.clone())).collect())
    }

    fn reroute(&self, reroute: Reroute, oldest: Option<Timestamp>) -> Result<(), StoreError> {
        self.book(|register| register.reroute(reroute, oldest))
    }
}
