//! What an operator, later an administrator or a program, may ask of the relay: the rules, once for every door.
//!
//! The command line, the control socket, the API and the console all come through here, so that a name
//! that one refuses no other takes. Time and dice are passed in; the store does the remembering.

mod account;
mod api_key;
mod block;
mod brake;
mod domain;
pub mod door;
mod fault;
mod given;
mod leaving;
mod member;
mod name;
pub mod operation;
mod own_health;
mod part;
mod plan;
mod queue;
mod room;
mod suppression;
mod user;
pub mod view;
mod webhook;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use crate::account::AccountState;
use crate::api_key::ApiKey;
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::Id;
use crate::idempotency::IdempotencyKey;
use crate::limits::Limits;
use crate::power::Scope;
use crate::store::Actor;
use operation::{Answer, Operation};

pub use account::{
    AccountChange, SYSTEM_ACCOUNT, account_add, account_find, account_quota, account_set, account_state, accounts_with,
};
pub use api_key::{IssuedKey, api_key_add, api_key_delete, api_key_find, api_keys};
pub use block::{block_lift, blocks};
pub use brake::{brake_find, brake_release, brakes};
pub use domain::{
    domain_add, domain_bounce_mails, domain_delete, domain_find, domain_rotate, domain_step, domain_vouch,
};
pub use fault::{Fault, FaultKind, Named};
pub use given::{GivenContent, GivenFile, GivenMessage, Mailbox, MessageParts, Octets, Prepared};
pub use leaving::{account_delete, erase};
pub use member::{
    IssuedLink, member_add, member_find, member_link, member_remove, member_set, member_sign_ins, members,
};
pub use name::{DISPLAY_NAME_CHARACTERS_MAX, display_name, domain_name, mailbox, takes_no_place};
pub use plan::{
    Counted, TermsChange, account_contacts, plan_add, plan_answer, plan_ask, plan_default, plan_delete, plan_find,
    plan_retire, plan_set, plan_subscribe, plans, requests,
};
pub use queue::{QueueOrder, Selection, queue_filter, queue_via};
pub use suppression::{Imported, Sought, suppress, suppressions, suppressions_import, unsuppress};
pub use user::{
    Issued, RulesChange, Setting, user_add, user_delete, user_drop_password, user_enabled, user_find,
    user_new_password, user_rename, user_reset, user_rules,
};
pub use webhook::{
    IssuedWebhook, WebhookWish, webhook_add, webhook_delete, webhook_find, webhook_may_tell, webhook_redo,
    webhook_rotate, webhook_set, webhook_test, webhooks,
};

/// Who asks, when, and how much there may be: what every change is told.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// For the audit log.
    pub actor: &'a Actor,
    /// The moment of the change.
    pub now: Timestamp,
    /// How far it reaches: what lies beyond does not exist for it.
    pub scope: Scope,
    /// From when on it may nothing any more, where that is known: no key that it makes may live longer.
    pub ends_at: Option<Timestamp>,
    /// The limits in force.
    pub limits: &'a Limits,
}

/// Who asks, and how far they reach.
#[derive(Clone, Debug)]
pub struct Identity {
    /// For the audit log.
    pub actor: Actor,
    /// What exists for them.
    pub scope: Scope,
    /// They only look.
    pub read_only: bool,
    /// From when on they may nothing any more: the end of an API key.
    pub ends_at: Option<Timestamp>,
}

impl Identity {
    /// The operator, from here: whoever may open the data folder.
    pub fn operator(from: &str) -> Identity {
        let actor = Actor { name: "operator".to_owned(), from: from.to_owned() };
        Identity { actor, scope: Scope::Operator, read_only: false, ends_at: None }
    }

    /// Whether they may change anything now.
    ///
    /// # Errors
    /// They only look, or their account is suspended.
    pub fn may_change(&self, directory: &Directory) -> Result<(), Fault> {
        if self.read_only {
            return Err(Fault::forbidden(
                "This key only looks, and changes nothing.",
                "Make one that may change things, for what has to.",
            )
            .named("key-only-looks", &[]));
        }
        let Scope::Account(own, _) = self.scope else { return Ok(()) };
        match directory.accounts.get(&own) {
            Some(account) if account.state == AccountState::Suspended => Err(Fault::forbidden(
                format!("Account {own} is suspended: it can be looked at, and nothing of it can be changed."),
                "Ask the operator of the relay, who alone can resume it.",
            )
            .named("account-suspended", &[])),
            None if directory.leaving.contains_key(&own) => {
                let told = Fault::not_found(format!("There is no account {own}."), "It was deleted.");
                Err(told.named("account-none", &[("number", &own)]))
            }
            _ => Ok(()),
        }
    }
}

/// All that can be asked of a relay. The API, and later the console, ask it here and nowhere else.
pub trait Service: Send + Sync + 'static {
    /// Carries out one operation for somebody.
    ///
    /// # Errors
    /// What happened, what it means, what to do; [`FaultKind::Forbidden`] where they may not.
    fn ask(&self, operation: Operation, identity: Identity) -> BoxedAnswer<'_>;

    /// The same, once for each key of an account: what is asked again under a key gets the answer of the first.
    ///
    /// # Errors
    /// As [`Service::ask`]; [`FaultKind::Invalid`] where the key stands for another request, [`FaultKind::Conflict`] where
    /// the first is under way, or what it answered is not kept.
    fn ask_once(&self, operation: Operation, identity: Identity, key: IdempotencyKey) -> BoxedAnswer<'_>;

    /// Whose secret of an API key this is; none where it is nobody's, or works no more. The use is remembered.
    fn bearer(&self, secret: &[u8], from: IpAddr) -> Option<(Id<ApiKey>, Identity)>;

    /// The moment, for what is paced.
    fn now(&self) -> Timestamp;
}

/// What a [`Service`] will have answered.
pub type BoxedAnswer<'a> = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send + 'a>>;
