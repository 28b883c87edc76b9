//! Follows accounts and domains: what was suspended is held, what was resumed is released.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use relay::account::{Account, AccountState};
use relay::brake::Subject;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::{Id, MessageId};
use relay::outcome::Ending;
use relay::queue::{HoldReason, RecipientState};
use relay::schedule::Order;
use relay::sending_domain::SendingDomain;
use relay::smtp_user::SmtpUser;
use relay::store::{QueueEntry, Store};

use super::carrier::Carrier;
use super::driver::{Driver, PAGE};

/// How often the directory is looked at when nobody says that it changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long mail of a domain that lost its validation is held before it bounces.
pub(super) const INVALID_HELD_FOR: Duration = Duration::from_secs(72 * 3600);

/// What of the directory holds mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Holds {
    suspended: HashSet<Id<Account>>,
    invalid: HashSet<Id<SendingDomain>>,
    /// Accounts whose automatic brake is on, or that of one of their SMTP users.
    braked: BTreeMap<Id<Account>, Braked>,
    /// Deleted accounts, and whether all their mail is given up or only what is held.
    leaving: BTreeMap<Id<Account>, bool>,
    /// Deleted domains whose mail is given up.
    cancelled: BTreeSet<Id<SendingDomain>>,
}

/// What brakes stop of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Braked {
    whole: bool,
    users: BTreeSet<Id<SmtpUser>>,
}

impl Holds {
    fn of(directory: &Directory) -> Self {
        let suspended = directory.accounts.values().filter(|account| account.state == AccountState::Suspended);
        let invalid =
            directory.domains.values().filter(|domain| !domain.state.may_send() && domain.deleted_at.is_none());
        let cancelled = directory.domains.values().filter(|domain| domain.deleted_at.is_some() && domain.cancels_mail);
        Holds {
            suspended: suspended.map(|account| account.id).collect(),
            invalid: invalid.map(|domain| domain.id).collect(),
            braked: braked(directory),
            leaving: directory.leaving.iter().map(|(account, leaving)| (*account, leaving.cancels_mail)).collect(),
            cancelled: cancelled.map(|domain| domain.id).collect(),
        }
    }

    fn reason(&self, entry: &QueueEntry) -> Option<HoldReason> {
        if self.suspended.contains(&entry.account) {
            return Some(HoldReason::AccountSuspended);
        }
        if self.braked.get(&entry.account).is_some_and(|braked| braked.whole) {
            return Some(HoldReason::Brake);
        }
        let is_invalid = entry.domain.is_some_and(|domain| self.invalid.contains(&domain));
        is_invalid.then_some(HoldReason::DomainInvalid)
    }
}

fn braked(directory: &Directory) -> BTreeMap<Id<Account>, Braked> {
    let mut braked: BTreeMap<Id<Account>, Braked> = BTreeMap::new();
    for brake in directory.brakes.values().filter(|brake| brake.is_on()) {
        let of_account = braked.entry(brake.account).or_default();
        match brake.subject {
            Subject::Account(_) => of_account.whole = true,
            Subject::User(user) => drop(of_account.users.insert(user)),
        }
    }
    braked
}

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Loads the queue, then follows the directory until the stop.
    pub(super) async fn review(self: Arc<Self>) {
        self.load().await;
        let mut known: Option<Holds> = None;
        // in memory: a restart begins the 72 hours anew, so that they are never shorter
        let mut invalid_since: HashMap<Id<SendingDomain>, Timestamp> = HashMap::new();
        let mut generation = None;
        loop {
            let directory = self.store.directory();
            if generation != Some(directory.generation) {
                generation = Some(directory.generation);
                let holds = Holds::of(&directory);
                // what an attempt was turned into a hold for may have begun and ended between two looks
                let has_held = self.has_held.swap(false, Ordering::SeqCst);
                if has_held || known.as_ref() != Some(&holds) {
                    self.apply(&holds).await;
                    let now = self.clock.now();
                    invalid_since.retain(|domain, _| holds.invalid.contains(domain));
                    for domain in &holds.invalid {
                        invalid_since.entry(*domain).or_insert(now);
                    }
                    known = Some(holds);
                }
            }
            self.give_up_invalid(&mut invalid_since).await;
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = self.directory.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Holds and releases, so that the queue is as the directory says.
    async fn apply(self: &Arc<Self>, holds: &Holds) {
        let mut after = None;
        while !self.stopping.is_cancelled() {
            let page = self.store.queue(after, PAGE);
            let Some(last) = page.last() else { return };
            after = Some(last.message);
            for entry in page {
                self.apply_to(holds, entry.message).await;
            }
        }
    }

    async fn apply_to(self: &Arc<Self>, holds: &Holds, message: MessageId) {
        let _turn = self.turns.of(message).await;
        // somebody may have held it since the page was read: that is not released
        let Ok(entry) = &self.entry(message) else { return };
        if let Some(all) = holds.leaving.get(&entry.account) {
            let is_held = entry.recipients.iter().any(|(_, _, state)| matches!(state, RecipientState::Held { .. }));
            if *all || is_held {
                self.give_up_of_deleted(entry, Ending::AccountDeleted).await;
            }
            return;
        }
        if entry.domain.is_some_and(|domain| holds.cancelled.contains(&domain)) {
            self.give_up_of_deleted(entry, Ending::DomainDeleted).await;
            return;
        }
        let is_waiting = |state: &RecipientState| matches!(state, RecipientState::Waiting { .. });
        let released: Vec<u16> = entry
            .recipients
            .iter()
            .filter(|(_, _, state)| match state {
                RecipientState::Held { reason, .. } => !reason.is_for_the_operator(),
                _ => false,
            })
            .map(|(number, ..)| *number)
            .collect();
        let done = match self.reason(holds, entry).await {
            Some(reason) if entry.recipients.iter().any(|(_, _, state)| is_waiting(state)) => {
                self.hold_message(entry.message, reason).await
            }
            None if !released.is_empty() => self.order(entry.message, released, Order::Release).await.map(|_| ()),
            _ => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(message_id = %entry.message, %error, "a message could not be held or released");
        }
    }

    /// Why a message is to be held. Whose SMTP user's it is stands in its envelope alone.
    async fn reason(&self, holds: &Holds, entry: &QueueEntry) -> Option<HoldReason> {
        if let Some(reason) = holds.reason(entry) {
            return Some(reason);
        }
        let users = holds.braked.get(&entry.account).map(|braked| &braked.users).filter(|users| !users.is_empty())?;
        match self.store.peek(entry.message).await {
            Ok(found) => found?.envelope.user.filter(|user| users.contains(user)).map(|_| HoldReason::Brake),
            // what cannot be read is neither held nor released for this
            Err(error) => {
                tracing::warn!(message_id = %entry.message, %error, "a message could not be looked at for a brake");
                None
            }
        }
    }

    /// Gives mail of a deleted account or domain up.
    async fn give_up_of_deleted(self: &Arc<Self>, entry: &QueueEntry, ending: Ending) {
        if let Err(error) = self.give_up(entry.message, ending).await {
            tracing::warn!(message_id = %entry.message, %error, "a message of what was deleted could not be given up");
        }
    }

    /// Bounces the mail of domains that have been invalid for too long.
    async fn give_up_invalid(self: &Arc<Self>, invalid_since: &mut HashMap<Id<SendingDomain>, Timestamp>) {
        let now = self.clock.now();
        let over: HashSet<_> = invalid_since
            .iter()
            .filter(|(_, since)| now.since(**since) >= INVALID_HELD_FOR)
            .map(|(domain, _)| *domain)
            .collect();
        if over.is_empty() {
            return;
        }
        let mut after = None;
        while !self.stopping.is_cancelled() {
            let page = self.store.queue(after, PAGE);
            let Some(last) = page.last() else { break };
            after = Some(last.message);
            for entry in page.iter().filter(|entry| entry.domain.is_some_and(|domain| over.contains(&domain))) {
                if let Err(error) = self.give_up(entry.message, Ending::DomainInvalid).await {
                    tracing::warn!(message_id = %entry.message, %error, "a message could not be given up");
                }
            }
        }
        // what is held from now on waits as long again
        for domain in over {
            invalid_since.insert(domain, now);
        }
    }
}
