//! API keys: made, listed and deleted, by an account for itself and by the operator.

use smtp::server::Secret;
use std::sync::Arc;

use super::{Caller, Fault, account_find, display_name};
use crate::account::Account;
use crate::api_key::{ApiKey, KEYS_MAX, generate};
use crate::clock::Timestamp;
use crate::credential::PasswordKey;
use crate::dice::Dice;
use crate::id::Id;
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

/// What a new API key is to be.
#[derive(Clone, Debug)]
pub struct KeyWish<'a> {
    /// Whose; none: the operator's.
    pub account: Option<Id<Account>>,
    /// What people call it.
    pub name: &'a str,
    /// What it may do.
    pub powers: Powers,
    /// It only looks.
    pub read_only: bool,
    /// From when on it works no more.
    pub expires_at: Option<Timestamp>,
}

/// Makes an API key; its secret is generated.
///
/// # Errors
/// The name is not one or taken, the key could do nothing, or more than its maker; it would have expired already; there
/// are too many.
pub fn api_key_add(
    book: &impl Book,
    wish: &KeyWish<'_>,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<IssuedKey, Fault> {
    let name = display_name(wish.name)?;
    if let Some(account) = wish.account {
        account_find(book, account)?;
    }
    check(wish, caller)?;
    let directory = book.directory();
    let siblings: Vec<_> = directory.api_keys.values().filter(|key| key.account == wish.account).collect();
    if siblings.iter().any(|key| key.name.to_lowercase() == name.to_lowercase()) {
        return Err(Fault::conflict(
            format!("An API key is called `{name}` already."),
            "Give it another name, or delete that one first.",
        ));
    }
    if siblings.len() >= KEYS_MAX {
        return Err(Fault::conflict(
            format!("There are {KEYS_MAX} API keys, which is the most there may be."),
            "Delete those that are not used any more.",
        ));
    }
    let secret = generate(dice);
    let hash = PasswordKey::new(book.password_key()).hash(secret.expose());
    let (account, powers, read_only, expires_at) = (wish.account, wish.powers, wish.read_only, wish.expires_at);
    let new = NewApiKey { account, name, powers, read_only, hash, expires_at };
    let key = book.api_key_add(new, caller.actor, caller.now)?;
    Ok(IssuedKey { key, secret })
}

fn check(wish: &KeyWish<'_>, caller: Caller<'_>) -> Result<(), Fault> {
    if wish.account.is_some() && wish.powers == Powers::NONE {
        return Err(Fault::invalid(
            "The key could do nothing.",
            "Name at least one of activity, domains, plan, administration, submit.",
        ));
    }
    if wish.account.is_none() && wish.powers != Powers::NONE && wish.powers != Powers::ALL {
        return Err(Fault::invalid(
            "A key of the operator may everything, whatever is named.",
            "Name the account that the key is for, or no powers.",
        ));
    }
    if let Scope::Account(_, own) = caller.scope
        && !own.cover(wish.powers)
    {
        return Err(Fault::forbidden(
            "The key would be allowed what you are not.",
            "Give it powers that you have yourself.",
        ));
    }
    if wish.expires_at.is_some_and(|end| end <= caller.now) {
        return Err(Fault::invalid("The key would have expired already.", "Give a moment to come, or none."));
    }
    Ok(())
}

/// The API key with this number, of those that the caller sees.
///
/// # Errors
/// There is none.
pub fn api_key_find(book: &impl Book, key: Id<ApiKey>, scope: Scope) -> Result<Arc<ApiKey>, Fault> {
    let found = book.directory().api_keys.get(&key).filter(|key| is_seen(key, scope)).cloned();
    found.ok_or_else(|| Fault::not_found(format!("There is no API key {key}."), "`envoi api-key list` shows them all."))
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
/// The store's.
pub fn api_key_delete(book: &impl Book, key: &ApiKey, caller: Caller<'_>) -> Result<(), Fault> {
    Ok(book.api_key_delete(key.id, caller.actor, caller.now)?)
}

fn is_seen(key: &ApiKey, scope: Scope) -> bool {
    key.account.map_or(scope == Scope::Operator, |account| scope.sees(account))
}
