//! What each verb of the sending domains makes of them, and which of several claims on a name gives way.

use std::collections::HashSet;
use std::sync::Arc;

use relay::account::Account;
use relay::audit::{About, Details, Field, Word};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use relay::service::SYSTEM_ACCOUNT;
use relay::store::{Actor, NewDkimKey, StoreError};
use relay::verification::{self, Check, RecordState};

use super::{Decided, Draft, Register, Write, system};

/// What the audit log calls a domain's new state.
fn state_action(state: DomainState) -> &'static str {
    match state {
        DomainState::Pending => "domain.pending",
        DomainState::Validated => "domain.validate",
        DomainState::Warning => "domain.warn",
        DomainState::Failed => "domain.fail",
        DomainState::Vouched => "domain.vouch",
    }
}

/// A domain that is in another state, as the audit log tells of it.
fn moved(from: &SendingDomain, to: &SendingDomain) -> Details {
    Details::from(About::from(to)).changed(Field::State, &Word(from.state), &Word(to.state))
}

/// Whether DNS has spoken for this claim.
fn is_proven(state: DomainState) -> bool {
    matches!(state, DomainState::Validated | DomainState::Warning)
}

impl Draft {
    /// A claim gives way to another account's: a word as if it were taken back, records as if their grace were over.
    fn give_way(&mut self, losing: &SendingDomain, now: Timestamp) {
        let (state, action) = match losing.state {
            DomainState::Vouched => (DomainState::Pending, "domain.vouch_lost"),
            _ => (DomainState::Failed, "domain.claim_lost"),
        };
        let lost = self.put_domain(SendingDomain { state, lost_at: None, ..losing.clone() });
        self.note(&system(), now, action, moved(losing, &lost), Some(losing.account));
    }
}

impl Register {
    pub(crate) fn domain_add(
        &self,
        account: Id<Account>,
        name: &str,
        keys: Vec<NewDkimKey>,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<SendingDomain>> {
        if account != SYSTEM_ACCOUNT {
            self.account(account)?;
        }
        let name = name.to_ascii_lowercase();
        if self.claims(&name).any(|domain| domain.account == account) {
            return Err(StoreError::Conflict(format!("account {account} has {name} already")));
        }
        let mut given = HashSet::new();
        for new in &keys {
            let selector = &new.key.selector;
            if self.selectors.contains(selector) || !given.insert(selector) {
                return Err(StoreError::Conflict(format!("the selector {selector} was given before: draw another")));
            }
        }
        let mut draft = self.draft();
        draft.numbers.domain += 1;
        let id = Id::new(draft.numbers.domain);
        let domain = draft.put_domain(SendingDomain::new(
            id,
            account,
            name,
            keys.iter().map(|new| new.key.clone()).collect(),
            now,
        ));
        for new in keys {
            draft.writes.push(Write::PrivateKey { domain: id, selector: new.key.selector, private: new.private });
        }
        draft.note(by, now, "domain.add", About::from(&*domain), Some(account));
        Ok(draft.done(domain))
    }

    /// Domains of this name that are not deleted.
    fn claims(&self, name: &str) -> impl Iterator<Item = &Arc<SendingDomain>> {
        self.directory.domains.values().filter(move |domain| domain.deleted_at.is_none() && domain.name == name)
    }

    /// Of several claims on one name only one may be proven by DNS, and a proven one beats the operator's word.
    pub(crate) fn domain_state(
        &self,
        id: Id<SendingDomain>,
        state: DomainState,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<SendingDomain>> {
        let kept = self.domain(id)?;
        let losing = self.losing(kept, state, false)?;
        let mut draft = self.draft();
        losing.into_iter().for_each(|losing| draft.give_way(losing, now));
        // a word that is taken back leaves what nobody has looked at yet
        let check = kept.check.clone().filter(|_| state != DomainState::Pending);
        let domain = draft.put_domain(SendingDomain { state, lost_at: None, check, ..(**kept).clone() });
        draft.note(by, now, state_action(state), moved(kept, &domain), Some(domain.account));
        Ok(draft.done(domain))
    }

    /// The other accounts' claims on the name that give way to this one in that state. Where all records were just
    /// `shown`, one that misses some gives way too: its owner has moved on.
    fn losing(
        &self,
        domain: &SendingDomain,
        state: DomainState,
        shown: bool,
    ) -> Result<Vec<&Arc<SendingDomain>>, StoreError> {
        let mut losing = Vec::new();
        for other in self.claims(&domain.name).filter(|other| other.id != domain.id) {
            let loses = match other.state {
                DomainState::Vouched => is_proven(state),
                DomainState::Warning => shown && state == DomainState::Validated,
                _ => false,
            };
            if loses {
                losing.push(other);
            } else if is_proven(other.state) && state.may_send() {
                return Err(StoreError::Conflict(format!(
                    "{} is validated in account {}: its records must be removed there first",
                    domain.name, other.account
                )));
            } else if other.state == DomainState::Vouched && state == DomainState::Vouched {
                return Err(StoreError::Conflict(format!(
                    "{} is vouched for in account {}: take that back, or delete it there first",
                    domain.name, other.account
                )));
            }
        }
        Ok(losing)
    }

    pub(crate) fn domain_bounce_mails(
        &self,
        id: Id<SendingDomain>,
        on: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<SendingDomain>> {
        let domain = self.domain(id)?;
        let mut draft = self.draft();
        let domain = draft.put_domain(SendingDomain { bounce_mails: on, ..(**domain).clone() });
        let action = if on { "domain.bounce_mails_on" } else { "domain.bounce_mails_off" };
        draft.note(by, now, action, About::from(&*domain), Some(domain.account));
        Ok(draft.done(domain))
    }

    /// What DNS said; a state that another claim does not allow is not taken.
    pub(crate) fn domain_check(&self, id: Id<SendingDomain>, check: Check) -> Decided<Arc<SendingDomain>> {
        let kept = self.domain(id)?;
        if kept.check.as_ref().is_some_and(|newer| newer.at > check.at) {
            return Ok(self.draft().done(Arc::clone(kept)));
        }
        let check = check.of_keys(&kept.keys).following(kept);
        let mut domain = (**kept).clone();
        let (before, now, judgement) = (domain.state, check.at, verification::judge(&domain, &check));
        let mut draft = self.draft();
        for key in domain.keys.iter_mut().filter(|key| key.seen_at.is_none()) {
            if check.of(&key.selector) == Some(&RecordState::Right) {
                key.seen_at = Some(now);
                let told = Details::from(About::from(&**kept)).with(Field::Selector, &key.selector);
                draft.note(&system(), now, "domain.key_seen", told, Some(domain.account));
            }
        }
        domain.check = Some(check);
        let losing =
            if judgement.state == before { Ok(Vec::new()) } else { self.losing(&domain, judgement.state, true) };
        if let Ok(losing) = losing {
            losing.into_iter().for_each(|losing| draft.give_way(losing, now));
            (domain.state, domain.lost_at) = (judgement.state, judgement.lost_at);
        }
        if domain.state != before {
            draft.note(&system(), now, state_action(domain.state), moved(kept, &domain), Some(domain.account));
        }
        let domain = draft.put_domain(domain);
        Ok(draft.done(domain))
    }

    /// The spare key of an algorithm signs from now on, and the one that signed is the spare.
    pub(crate) fn domain_rotate(
        &self,
        id: Id<SendingDomain>,
        algorithm: KeyAlgorithm,
        force: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<SendingDomain>> {
        let mut domain = (**self.domain(id)?).clone();
        let spare = domain.keys.iter().find(|key| key.algorithm == algorithm && !key.active);
        let spare = spare.ok_or_else(|| {
            StoreError::Conflict(format!("{} has no second selector of this algorithm to move to", domain.name))
        })?;
        let selector = spare.selector.clone();
        if !verification::is_there(&domain, spare) && !force {
            return Err(StoreError::Conflict(format!(
                "the record of {} was not in DNS at the last look: publish it first, or force the rotation",
                verification::name(&domain, spare)
            )));
        }
        let signed = domain.keys.iter().find(|key| key.algorithm == algorithm && key.active);
        let signed = signed.map(|key| key.selector.clone());
        for key in domain.keys.iter_mut().filter(|key| key.algorithm == algorithm) {
            let active = key.selector == selector;
            if key.active != active {
                (key.active, key.moved_at) = (active, Some(now));
            }
        }
        let mut draft = self.draft();
        let told = Details::from(About::from(&domain)).with(Field::Algorithm, &Word(algorithm)).changed(
            Field::Selector,
            &signed,
            &Some(selector),
        );
        draft.note(by, now, "domain.rotate", told, Some(domain.account));
        let domain = draft.put_domain(domain);
        Ok(draft.done(domain))
    }

    /// A new key takes the place of one that signs no more, under its selector. What was found of that one says nothing
    /// about it.
    pub(crate) fn domain_renew(
        &self,
        id: Id<SendingDomain>,
        new: NewDkimKey,
        ended_at: Timestamp,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<SendingDomain>> {
        let mut domain = (**self.domain(id)?).clone();
        let NewDkimKey { key: new, private } = new;
        let is_spent = |key: &&mut DkimKey| {
            let is_same = key.selector == new.selector && key.algorithm == new.algorithm;
            is_same && !key.active && key.moved_at == Some(ended_at)
        };
        let Some(key) = domain.keys.iter_mut().find(is_spent) else {
            return Err(StoreError::Conflict(format!(
                "{} has no selector {} that signs no more since then",
                domain.name, new.selector
            )));
        };
        (key.record, key.made_at, key.moved_at, key.seen_at) = (new.record, Some(now), None, None);
        if let Some(check) = &mut domain.check {
            check.records.retain(|(selector, _)| *selector != new.selector);
        }
        let mut draft = self.draft();
        let about = Details::from(About::from(&domain));
        let told = about.with(Field::Algorithm, &Word(new.algorithm)).with(Field::Selector, &new.selector);
        draft.note(by, now, "domain.key_renew", told, Some(domain.account));
        let domain = draft.put_domain(domain);
        draft.writes.push(Write::PrivateKey { domain: id, selector: new.selector, private });
        Ok(draft.done(domain))
    }

    pub(crate) fn domain_delete(
        &self,
        id: Id<SendingDomain>,
        cancels_mail: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<()> {
        let domain = self.domain(id)?;
        let mut draft = self.draft();
        for user in self.directory.users.values().filter(|user| user.domain == id) {
            draft.drop_user(user);
        }
        draft.put_domain(SendingDomain { deleted_at: Some(now), cancels_mail, ..(**domain).clone() });
        let told = Details::from(About::from(&**domain)).with(Field::CancelsMail, &cancels_mail);
        draft.note(by, now, "domain.delete", told, Some(domain.account));
        Ok(draft.done(()))
    }

    /// A deleted domain whose queue is empty: its keys are destroyed and it decides nothing any more.
    pub(crate) fn domain_forget(&self, id: Id<SendingDomain>, now: Timestamp) -> Decided<()> {
        let domain = self.directory.domains.get(&id).filter(|domain| domain.deleted_at.is_some());
        let domain = domain.ok_or_else(|| StoreError::NotFound(format!("deleted domain {id}")))?;
        let mut draft = self.draft();
        draft.next.domains.remove(&id);
        draft.writes.push(Write::PrivateKeysGone(id));
        draft.note(&system(), now, "domain.keys_destroyed", About::from(&**domain), Some(domain.account));
        Ok(draft.done(()))
    }
}
