//! API keys: made, listed and deleted, by an account for itself and by the operator.

use smtp::server::Secret;
use std::sync::Arc;

use super::{Caller, Fault, account_find, display_name, room};
use crate::account::Account;
use crate::api_key::{ApiKey, generate};
use crate::credential::PasswordKey;
use crate::dice::Dice;
use crate::id::Id;
use crate::limits::API_KEYS_MAX;
use crate::moment;
use crate::power::{Powers, Scope};
use crate::store::{Book, NewApiKey};

/// A key with its secret, which is shown now and never again.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// The key.
    pub key: Arc<ApiKey>,
    /// Its secret.
    pub secret: Secret,
}

/// Makes an API key; its secret is generated.
///
/// # Errors
/// The name is not one or taken, the key could do nothing, or more or for longer than its maker; it would have expired
/// already; there are too many.
pub fn api_key_add(
    book: &impl Book,
    mut new: NewApiKey,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<IssuedKey, Fault> {
    new.name = display_name(&new.name)?;
    if let Some(account) = new.account {
        account_find(book, account)?;
    }
    check(&new, caller)?;
    let directory = book.directory();
    let siblings: Vec<_> = directory.api_keys.values().filter(|key| key.account == new.account).collect();
    if siblings.iter().any(|key| key.name.to_lowercase() == new.name.to_lowercase()) {
        return Err(Fault::conflict(
            format!("An API key is called `{}` already.", new.name),
            "Give it another name, or delete that one first.",
        )
        .named("api-key-name-taken", &[("name", &new.name)]));
    }
    room::for_one_more(new.account, siblings.len(), API_KEYS_MAX, caller.limits.api_keys_max)?;
    let secret = generate(dice);
    let hash = PasswordKey::new(book.password_key()).hash(secret.expose());
    let key = book.api_key_add(new, hash, caller.actor, caller.now)?;
    Ok(IssuedKey { key, secret })
}

fn check(new: &NewApiKey, caller: Caller<'_>) -> Result<(), Fault> {
    if new.account.is_some() && new.powers == Powers::NONE {
        return Err(Fault::invalid(
            "The key could do nothing.",
            "Name at least one of activity, domains, plan, administration, submit.",
        )
        .named("api-key-powerless", &[]));
    }
    if new.account.is_none() && new.powers != Powers::NONE && new.powers != Powers::ALL {
        return Err(Fault::invalid(
            "A key of the operator may everything, whatever is named.",
            "Name the account that the key is for, or no powers.",
        )
        .named("api-key-of-operator", &[]));
    }
    if let Scope::Account(_, own) = caller.scope
        && !own.cover(new.powers)
    {
        return Err(Fault::forbidden(
            "The key would be allowed what you are not.",
            "Give it powers that you have yourself.",
        )
        .named("api-key-too-powerful", &[]));
    }
    if new.expires_at.is_some_and(|end| end <= caller.now) {
        return Err(Fault::invalid("The key would have expired already.", "Give a moment to come, or none.")
            .named("api-key-expired", &[]));
    }
    // or whoever finds a key that ends makes itself one that does not
    if let Some(end) = caller.ends_at
        && new.expires_at.is_none_or(|given| given > end)
    {
        return Err(Fault::forbidden(
            "The key would outlive the one that makes it.",
            format!("Give it an end, at the latest {}.", moment::text(end)),
        )
        .named("api-key-outlives", &[("end", &moment::text(end))]));
    }
    Ok(())
}

/// The API key with this number, of those that the caller sees.
///
/// # Errors
/// There is none.
pub fn api_key_find(book: &impl Book, key: Id<ApiKey>, scope: Scope) -> Result<Arc<ApiKey>, Fault> {
    let found = book.directory().api_keys.get(&key).filter(|key| is_seen(key, scope)).cloned();
    found.ok_or_else(|| {
        let told = Fault::not_found(format!("There is no API key {key}."), "The list of API keys shows them all.");
        told.named("api-key-none", &[("number", &key)]).see("ApiKeyList")
    })
}

/// Every API key that the caller sees, of one account where `account` names it, by number.
pub fn api_keys(book: &impl Book, account: Option<Id<Account>>, scope: Scope) -> Vec<Arc<ApiKey>> {
    let directory = book.directory();
    let wanted = |key: &&Arc<ApiKey>| is_seen(key, scope) && (account.is_none() || key.account == account);
    let mut keys: Vec<_> = directory.api_keys.values().filter(wanted).cloned().collect();
    keys.sort_by_key(|key| key.id);
    keys
}

/// Deletes an API key; it stops that instant.
///
/// # Errors
/// It may what the caller may not, or the store's.
pub fn api_key_delete(book: &impl Book, key: &ApiKey, caller: Caller<'_>) -> Result<(), Fault> {
    if let Scope::Account(_, own) = caller.scope
        && !own.cover(key.powers)
    {
        return Err(Fault::forbidden(
            "The key is allowed what you are not.",
            "Ask somebody who has its powers to delete it.",
        )
        .named("api-key-stronger", &[]));
    }
    Ok(book.api_key_delete(key.id, caller.actor, caller.now)?)
}

fn is_seen(key: &ApiKey, scope: Scope) -> bool {
    key.account.map_or(scope == Scope::Operator, |account| scope.sees(account))
}
