//! Accounts: made, found, suspended and resumed.

use std::sync::Arc;

use super::{Caller, Fault, display_name};
use crate::account::{Account, AccountState};
use crate::id::Id;
use crate::store::Book;

/// The account that the relay's own mail belongs to: built in, in no list, never suspended.
pub const SYSTEM_ACCOUNT: Id<Account> = Id::new(0);

/// Makes an account.
///
/// # Errors
/// The name is not one, or another account has it (two that look alike in every list help nobody).
pub fn account_add(book: &impl Book, name: &str, caller: Caller<'_>) -> Result<Arc<Account>, Fault> {
    let name = display_name(name)?;
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
    Ok(book.account_state(account, state, caller.actor, caller.now)?)
}
