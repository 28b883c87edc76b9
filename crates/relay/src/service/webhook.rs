//! Webhooks: made, found, changed, tried and sent again by an account for itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use smtp::server::Secret;

use super::{Caller, Fault, Setting, account_find, display_name, domain_find, room, user_find};
use crate::account::Account;
use crate::dice::Dice;
use crate::id::Id;
use crate::limits::WEBHOOKS_MAX;
use crate::power::{Power, Powers, Scope};
use crate::store::{Book, NewWebhook, WebhookChange, Webhooks};
use crate::webhook::{EventKind, Redo, TargetError, Webhook, WebhookState, new_secret, target, test_call};

/// A webhook with its secret, which is shown now and never again.
#[derive(Clone, Debug)]
pub struct IssuedWebhook {
    /// The webhook.
    pub webhook: Arc<Webhook>,
    /// Its secret.
    pub secret: Secret,
}

/// What a webhook is to be, as it was asked for. Domains are named by number or name, SMTP users by number or username.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct WebhookWish {
    /// What people call it.
    pub name: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// What it is told of.
    pub events: Option<Vec<EventKind>>,
    /// Of this sending domain alone.
    pub domain: Setting<String>,
    /// Of this SMTP user alone.
    pub user: Setting<String>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

/// Makes a webhook; its secret is generated. `allow_private`: the operator lets webhooks be in private networks, and in
/// the clear.
///
/// # Errors
/// The name is not one or taken, the URL cannot be called, no event is chosen, the domain or SMTP user is not the
/// account's; there are too many.
pub fn webhook_add(
    book: &impl Book,
    account: Id<Account>,
    wish: WebhookWish,
    allow_private: bool,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<IssuedWebhook, Fault> {
    account_find(book, account)?;
    webhook_may_tell(caller.scope)?;
    let (Some(name), Some(url)) = (wish.name.clone(), wish.url.clone()) else {
        return Err(Fault::invalid("A webhook has a name and an URL.", "Give both.").named("webhook-half", &[]));
    };
    let directory = book.directory();
    let count = directory.webhooks_of(account).count();
    room::for_one_more(Some(account), count, WEBHOOKS_MAX, caller.limits.webhooks_max)?;
    let blank = Webhook {
        id: Id::new(0),
        account,
        name,
        url,
        events: Vec::new(),
        domain: None,
        user: None,
        state: WebhookState::Enabled,
        rotated_at: None,
        created_at: caller.now,
    };
    let Webhook { name, url, events, domain, user, .. } = wished(book, blank, wish, allow_private, caller)?;
    let secret = new_secret(dice);
    let new = NewWebhook { account, name, url, events, domain, user };
    let webhook = book.webhook_add(new, secret.clone(), caller.actor, caller.now)?;
    Ok(IssuedWebhook { webhook, secret })
}

/// A webhook with what is wished of it, checked.
fn wished(
    book: &impl Book,
    mut webhook: Webhook,
    wish: WebhookWish,
    allow_private: bool,
    caller: Caller<'_>,
) -> Result<Webhook, Fault> {
    if let Some(name) = wish.name {
        webhook.name = display_name(&name)?;
        let directory = book.directory();
        let mut siblings = directory.webhooks_of(webhook.account).filter(|other| other.id != webhook.id);
        if siblings.any(|other| other.name.to_lowercase() == webhook.name.to_lowercase()) {
            return Err(Fault::conflict(
                format!("A webhook is called `{}` already.", webhook.name),
                "Give it another name.",
            )
            .named("webhook-name-taken", &[("name", &webhook.name)]));
        }
    }
    if let Some(url) = wish.url {
        webhook.url = target(&url, allow_private).map_err(|error| wrong_url(&error))?.to_string();
    }
    if let Some(events) = wish.events {
        webhook.events = events.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    }
    if webhook.events.is_empty() || webhook.events.contains(&EventKind::Test) {
        return Err(Fault::invalid(
            "No event is chosen that a webhook could be told of.",
            "Choose at least one of recipient.rejected, recipient.accepted, recipient.delivered, recipient.deferred, \
             recipient.soft_bounce, recipient.hard_bounce.",
        )
        .named("webhook-no-event", &[]));
    }
    // of the account that the webhook is in, also where the operator asks
    let within = match caller.scope {
        Scope::Operator => Scope::Account(webhook.account, Powers::ALL),
        own => own,
    };
    match wish.domain {
        Setting::Keep => {}
        Setting::Default => webhook.domain = None,
        Setting::To(domain) => webhook.domain = Some(domain_find(book, &domain, within)?.id),
    }
    match wish.user {
        Setting::Keep => {}
        Setting::Default => webhook.user = None,
        Setting::To(user) => webhook.user = Some(user_find(book, &user, within)?.id),
    }
    Ok(webhook)
}

/// Whether what a webhook is told is for the caller's eyes: who may not see Activity must not have it sent somewhere.
///
/// # Errors
/// It is not.
pub fn webhook_may_tell(scope: Scope) -> Result<(), Fault> {
    match scope {
        Scope::Account(_, powers) if !powers.has(Power::Activity) => Err(Fault::forbidden(
            "A webhook is told what becomes of recipients, which you may not see.",
            "Use a key that may see Activity as well.",
        )
        .named("webhook-not-yours", &[])),
        _ => Ok(()),
    }
}

fn wrong_url(error: &TargetError) -> Fault {
    let fault = Fault::invalid(
        format!("The URL cannot be called: {error}."),
        "Give one such as https://example.com/hooks/mail, which the internet can reach.",
    );
    match error {
        TargetError::Malformed(_) => fault.named("webhook-url", &[]),
        TargetError::Clear | TargetError::Forbidden(..) => fault.named("webhook-url-forbidden", &[]).meaning(
            "What is sent to a webhook leaves the relay under TLS, for a host of the internet, unless the operator allows \
             otherwise (`allow_private` below [webhooks]).",
        ),
    }
}

/// The webhook with this number, of those that the caller sees.
///
/// # Errors
/// There is none.
pub fn webhook_find(book: &impl Book, webhook: Id<Webhook>, scope: Scope) -> Result<Arc<Webhook>, Fault> {
    let directory = book.directory();
    let found = directory.webhook(webhook).filter(|found| scope.sees(found.account)).cloned();
    found.ok_or_else(|| {
        let told = Fault::not_found(format!("There is no webhook {webhook}."), "The list of webhooks shows them all.");
        told.named("webhook-none", &[("number", &webhook)]).see("WebhookList")
    })
}

/// Every webhook that the caller sees, of one account where `account` names it, by account and number.
pub fn webhooks(book: &impl Book, account: Option<Id<Account>>, scope: Scope) -> Vec<Arc<Webhook>> {
    let directory = book.directory();
    let wanted = |webhook: &&Arc<Webhook>| {
        scope.sees(webhook.account) && account.is_none_or(|account| webhook.account == account)
    };
    directory.webhooks.values().filter(wanted).cloned().collect()
}

/// Changes a webhook; what is absent stays.
///
/// # Errors
/// As [`webhook_add`].
pub fn webhook_set(
    book: &impl Book,
    webhook: &Webhook,
    wish: WebhookWish,
    allow_private: bool,
    caller: Caller<'_>,
) -> Result<Arc<Webhook>, Fault> {
    webhook_may_tell(caller.scope)?;
    let enabled = wish.enabled;
    let changed = wished(book, webhook.clone(), wish, allow_private, caller)?;
    let mut kept = Arc::new(webhook.clone());
    if changed != *webhook {
        let change = WebhookChange::Settings(changed);
        kept = book.webhook_change(webhook.id, change, caller.actor, caller.now)?;
    }
    let state = match enabled {
        Some(true) => WebhookState::Enabled,
        Some(false) if kept.state == WebhookState::Enabled => WebhookState::Disabled,
        _ => kept.state,
    };
    if state != kept.state {
        kept = book.webhook_change(webhook.id, WebhookChange::State(state), caller.actor, caller.now)?;
    }
    Ok(kept)
}

/// Replaces the secret of a webhook; the one before signs beside it for a day.
///
/// # Errors
/// The caller may not see Activity; the store's.
pub fn webhook_rotate(
    book: &impl Book,
    webhook: &Webhook,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<IssuedWebhook, Fault> {
    webhook_may_tell(caller.scope)?;
    let secret = new_secret(dice);
    let change = WebhookChange::Secret(secret.clone());
    let webhook = book.webhook_change(webhook.id, change, caller.actor, caller.now)?;
    Ok(IssuedWebhook { webhook, secret })
}

/// Deletes a webhook: it is told nothing any more.
///
/// # Errors
/// The store's.
pub fn webhook_delete(book: &impl Book, webhook: &Webhook, caller: Caller<'_>) -> Result<(), Fault> {
    Ok(book.webhook_delete(webhook.id, caller.actor, caller.now)?)
}

/// Has a call sent that tells nothing but that it comes.
///
/// # Errors
/// The webhook is told nothing; so many calls wait already.
pub fn webhook_test(
    store: &(impl Book + Webhooks),
    webhook: &Webhook,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<(), Fault> {
    must_be_told(webhook)?;
    Ok(store.webhook_put(test_call(webhook, caller.now, dice))?)
}

/// Has calls sent once more. Returns how many.
///
/// # Errors
/// The webhook is told nothing; there is no such call; so many calls wait already.
pub fn webhook_redo(
    store: &(impl Book + Webhooks),
    webhook: &Webhook,
    which: Redo,
    caller: Caller<'_>,
) -> Result<u64, Fault> {
    must_be_told(webhook)?;
    Ok(store.webhook_redo(webhook.id, which, caller.now)?)
}

fn must_be_told(webhook: &Webhook) -> Result<(), Fault> {
    match webhook.state {
        WebhookState::Enabled => Ok(()),
        WebhookState::Disabled | WebhookState::Gone => Err(Fault::conflict(
            format!("Webhook {} is switched off: nothing is sent to it.", webhook.id),
            "Switch it on first.",
        )
        .named("webhook-off", &[])),
    }
}
