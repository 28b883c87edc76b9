//! What goes with an account that is deleted, and what is lifted without a word of whom it was about.

use std::sync::Arc;

use relay::account::{Account, Leaving};
use relay::audit::{About, Details, Field, Kind};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::member::Member;
use relay::sending_domain::SendingDomain;
use relay::store::{Actor, StoreError};

use super::{Decided, Draft, Register, Write, system};

impl Draft {
    /// Its people, keys and webhooks work no more.
    fn drop_people(&mut self, id: Id<Account>) {
        let members: Vec<_> = self.next.members.values().filter(|one| one.account == Some(id)).cloned().collect();
        for member in members {
            self.next.members.remove(&member.id);
            self.next.member_emails.remove(&Member::key_of(&member.email));
            self.writes.push(Write::MemberGone(member.id));
        }
        let keys: Vec<_> = self.next.api_keys.values().filter(|key| key.account == Some(id)).cloned().collect();
        for key in keys {
            self.next.api_keys.remove(&key.id);
            self.next.api_key_hashes.remove(&key.hash);
            self.writes.push(Write::ApiKeyGone(key.id));
        }
        let webhooks: Vec<_> = self.next.webhooks_of(id).map(|webhook| webhook.id).collect();
        for webhook in webhooks {
            self.next.webhooks.remove(&(id, webhook));
            self.next.webhook_accounts.remove(&webhook);
            self.writes.push(Write::WebhookGone(webhook));
        }
    }

    /// Its domains are deleted, and its SMTP users with them.
    fn drop_domains(&mut self, id: Id<Account>, by: &Actor, now: Timestamp) {
        let users: Vec<_> = self.next.users.values().filter(|user| user.account == id).cloned().collect();
        users.iter().for_each(|user| self.drop_user(user));
        let is_its = |domain: &&Arc<SendingDomain>| domain.account == id && domain.deleted_at.is_none();
        let domains: Vec<_> = self.next.domains.values().filter(is_its).cloned().collect();
        for domain in domains {
            self.put_domain(SendingDomain { deleted_at: Some(now), ..(*domain).clone() });
            self.note(by, now, "domain.delete", About::from(&*domain), Some(id));
        }
    }
}

impl Register {
    pub(crate) fn account_delete(
        &self,
        id: Id<Account>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<()> {
        let account = self.account(id)?;
        let mut draft = self.draft();
        draft.drop_people(id);
        draft.drop_domains(id, by, now);
        draft.next.suppressions.remove(&id);
        draft.next.accounts.remove(&id);
        let leaving = Leaving { since: now, cancels_mail };
        draft.next.leaving.insert(id, leaving);
        draft.writes.push(Write::AccountLeaves { account: id, leaving });
        let told = Details::from(About::from(&**account)).with(Field::CancelsMail, &cancels_mail);
        draft.note(by, now, "account.delete", told, Some(id));
        Ok(draft.done(()))
    }

    /// Nothing is left of a deleted account but its number and the audit log.
    pub(crate) fn account_gone(&self, id: Id<Account>, now: Timestamp) -> Decided<()> {
        let mut draft = self.draft();
        if draft.next.leaving.remove(&id).is_none() {
            return Err(StoreError::NotFound(format!("deleted account {id}")));
        }
        draft.writes.push(Write::AccountGone(id));
        draft.note(&system(), now, "account.purged", About::numbered(Kind::Account, id), Some(id));
        Ok(draft.done(()))
    }
}
