//! Accounts: made, found, suspended and resumed.

use std::sync::Arc;

use super::{Caller, Fault, display_name};
use crate::account::{Account, AccountState};
use crate::id::Id;
use crate::store::Book;

/// The name of the account that the relay's own mail belongs to.
pub const SYSTEM_ACCOUNT_NAME: &str = "Envoi";

/// Makes an account.
///
/// # Errors
/// The name is not one, or another account has it (two that look alike in every list help nobody).
pub fn account_add(book: &impl Book, name: &str, caller: Caller<'_>) -> Result<Arc<Account>, Fault> {
    let name = display_name(name)?;
    if name.eq_ignore_ascii_case(SYSTEM_ACCOUNT_NAME) {
        return Err(Fault::conflict(
            format!("`{SYSTEM_ACCOUNT_NAME}` is the name of the relay's own account."),
            "Choose another name.",
        ));
    }
    let taken = book.directory().accounts.values().find(|a| a.name.to_lowercase() == name.to_lowercase()).cloned();
    if let Some(account) = taken {
        return Err(Fault::conflict(
            format!("Account {} is called `{}` already.", account.id, account.name),
            "Use that one, or give this one another name.",
        ));
    }
    Ok(book.account_add(&name, caller.actor, caller.now)?)
}

/// The account with this number.
///
/// # Errors
/// There is none.
pub fn account_find(book: &impl Book, account: Id<Account>) -> Result<Arc<Account>, Fault> {
    let found = book.directory().accounts.get(&account).cloned();
    found.ok_or_else(|| {
        Fault::not_found(format!("There is no account {account}."), "`envoi account list` shows them all.")
    })
}

/// Suspends or resumes an account; asking for what is so already changes nothing.
///
/// # Errors
/// There is no such account.
pub fn account_state(
    book: &impl Book,
    account: Id<Account>,
    state: AccountState,
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    let found = account_find(book, account)?;
    if found.state == state {
        return Ok(found);
    }
    if is_system(&found) {
        return Err(Fault::conflict(
            format!("Account {account} is the relay's own: what it writes itself is sent in its name."),
            "Suspend another account.",
        ));
    }
    Ok(book.account_state(account, state, caller.actor, caller.now)?)
}

/// The account that the relay's own mail belongs to, made where there is none yet.
///
/// # Errors
/// The store's.
pub fn system_account(book: &impl Book, caller: Caller<'_>) -> Result<Id<Account>, Fault> {
    let found = book.directory().accounts.values().find(|account| is_system(account)).map(|account| account.id);
    match found {
        Some(account) => Ok(account),
        None => Ok(book.account_add(SYSTEM_ACCOUNT_NAME, caller.actor, caller.now)?.id),
    }
}

/// Whether it is the relay's own: no customer's, and never suspended.
pub fn is_system(account: &Account) -> bool {
    account.name == SYSTEM_ACCOUNT_NAME
}
