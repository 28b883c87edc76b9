//! Accounts, domains and users of the data folder: decided by the book's rules, kept by the ledger.

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

use super::Embedded;

impl Book for Embedded {
    fn directory(&self) -> Arc<Directory> {
        self.ledger.directory()
    }

    fn account_add(&self, name: &str, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError> {
        self.ledger.book(|register| register.account_add(name, by, now))
    }

    fn account_state(
        &self,
        account: Id<Account>,
        state: AccountState,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError> {
        self.ledger.book(|register| register.account_state(account, state, by, now))
    }

    fn account_delete(
        &self,
        account: Id<Account>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ledger.book(|register| register.account_delete(account, cancels_mail, by, now))
    }

    fn account_set(&self, account: Account, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError> {
        self.ledger.book(|register| register.account_set(account, by, now))
    }

    fn account_quota(
        &self,
        account: Id<Account>,
        quota: Quota,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError> {
        self.ledger.book(|register| register.account_quota(account, quota, by, now))
    }

    fn domain_add(
        &self,
        account: Id<Account>,
        name: &str,
        keys: Vec<NewDkimKey>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.ledger.book(|register| register.domain_add(account, name, keys, by, now))
    }

    fn domain_state(
        &self,
        domain: Id<SendingDomain>,
        state: DomainState,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.ledger.book(|register| register.domain_state(domain, state, by, now))
    }

    fn domain_bounce_mails(
        &self,
        domain: Id<SendingDomain>,
        on: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.ledger.book(|register| register.domain_bounce_mails(domain, on, by, now))
    }

    fn domain_check(&self, domain: Id<SendingDomain>, check: Check) -> Result<Arc<SendingDomain>, StoreError> {
        self.ledger.book(|register| register.domain_check(domain, check))
    }

    fn domain_rotate(
        &self,
        domain: Id<SendingDomain>,
        algorithm: KeyAlgorithm,
        force: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SendingDomain>, StoreError> {
        self.ledger.book(|register| register.domain_rotate(domain, algorithm, force, by, now))
    }

    fn domain_key(&self, domain: Id<SendingDomain>, selector: &str) -> Result<Secret, StoreError> {
        self.ledger.domain_key(domain, selector)
    }

    fn domain_delete(
        &self,
        domain: Id<SendingDomain>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ledger.book(|register| register.domain_delete(domain, cancels_mail, by, now))
    }

    fn smtp_user_add(&self, user: NewSmtpUser, by: &Actor, now: Timestamp) -> Result<Arc<SmtpUser>, StoreError> {
        self.ledger.book(|register| register.smtp_user_add(user, by, now))
    }

    fn smtp_user_change(
        &self,
        user: Id<SmtpUser>,
        action: &str,
        change: SmtpUserChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<SmtpUser>, StoreError> {
        self.ledger.book(|register| register.smtp_user_change(user, action, change, by, now))
    }

    fn smtp_user_delete(&self, user: Id<SmtpUser>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.book(|register| register.smtp_user_delete(user, by, now))
    }

    fn api_key_add(
        &self,
        key: NewApiKey,
        hash: PasswordHash,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<ApiKey>, StoreError> {
        self.ledger.book(|register| register.api_key_add(key, hash, by, now))
    }

    fn api_key_delete(&self, key: Id<ApiKey>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.book(|register| register.api_key_delete(key, by, now))
    }

    fn webhook_add(
        &self,
        webhook: NewWebhook,
        secret: Secret,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Webhook>, StoreError> {
        self.ledger.book(|register| register.webhook_add(webhook, secret, by, now))
    }

    fn webhook_change(
        &self,
        webhook: Id<Webhook>,
        change: WebhookChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Webhook>, StoreError> {
        self.ledger.book(|register| register.webhook_change(webhook, change, by, now))
    }

    fn webhook_delete(&self, webhook: Id<Webhook>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.book(|register| register.webhook_delete(webhook, by, now))
    }

    fn webhook_secrets(&self, webhook: Id<Webhook>, now: Timestamp) -> Result<Vec<Secret>, StoreError> {
        self.ledger.webhook_secrets(webhook, now)
    }

    fn api_keys_used(&self, uses: &[(Id<ApiKey>, Timestamp)]) -> Result<(), StoreError> {
        self.ledger.api_keys_used(uses)
    }

    fn api_key_uses(&self) -> Result<HashMap<Id<ApiKey>, Timestamp>, StoreError> {
        self.ledger.api_key_uses()
    }

    fn password_key(&self) -> [u8; 32] {
        self.ledger.password_key()
    }

    fn cursor_key(&self) -> [u8; 32] {
        self.ledger.cursor_key()
    }

    fn return_path_key(&self) -> [u8; 32] {
        self.ledger.return_path_key()
    }

    fn logins_note(&self, logins: &[Login]) -> Result<(), StoreError> {
        self.ledger.logins_note(logins)
    }

    fn logins(&self, since: Timestamp) -> Result<Vec<Login>, StoreError> {
        self.ledger.logins(since)
    }

    fn passwords_used(&self, users: &[Id<SmtpUser>]) -> Result<PasswordUses, StoreError> {
        self.ledger.passwords_used(users)
    }

    fn logins_of(&self, users: &[Id<SmtpUser>], since: Timestamp) -> Result<HashMap<Id<SmtpUser>, Login>, StoreError> {
        self.ledger.logins_of(users, since)
    }

    fn quotas_told(&self) -> Result<HashMap<Id<Account>, Told>, StoreError> {
        self.ledger.quotas_told()
    }

    fn quota_told(&self, account: Id<Account>, told: Told) -> Result<(), StoreError> {
        self.ledger.quota_told(account, told)
    }

    fn certificates_told(&self) -> Result<HashMap<String, certificate::Told>, StoreError> {
        self.ledger.certificates_told()
    }

    fn certificate_told(&self, file: &str, told: certificate::Told) -> Result<(), StoreError> {
        self.ledger.certificate_told(file, told)
    }

    fn suppress(
        &self,
        account: Id<Account>,
        added: &[(String, Suppression)],
        replace: bool,
        by: Option<&Actor>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.ledger.book(|register| register.suppress(account, added, replace, by, now))
    }

    fn suppressions_expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.ledger.book(|register| Ok(register.suppressions_expire(now)))
    }

    fn unsuppress(
        &self,
        account: Id<Account>,
        address: &str,
        stream: Option<Id<SmtpUser>>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ledger.book(|register| register.unsuppress(account, address, stream, by, now))
    }

    fn suppression_erase(
        &self,
        account: Id<Account>,
        address: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.ledger.book(|register| register.suppression_erase(account, address, by, now))
    }

    fn block_put(&self, block: &Block) -> Result<(), StoreError> {
        self.ledger.block_put(block)
    }

    fn blocks(&self) -> Result<Vec<Block>, StoreError> {
        self.ledger.blocks()
    }

    fn block_lift(&self, address: IpAddr, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.block_lift(address, by, now)
    }

    fn audit_note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.ledger.audit_note(&entry)
    }

    fn audit_before(
        &self,
        account: Option<Id<Account>>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.ledger.audit(account, before, limit)
    }

    fn reroute(&self, reroute: Reroute, oldest: Option<Timestamp>) -> Result<(), StoreError> {
        self.ledger.book(|register| register.reroute(reroute, oldest))
    }
}
