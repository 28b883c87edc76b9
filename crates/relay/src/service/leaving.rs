//! What is to be there no more: an account, or what is kept about one recipient of its mail.

use super::{Caller, Fault, account_find, mailbox};
use crate::account::Account;
use crate::activity::Erased;
use crate::id::Id;
use crate::store::{AuditEntry, Book, History};

/// Deletes an account: its SMTP users, members, API keys and webhooks stop that instant, its domains are deleted. What is
/// held of its mail is given up, and all the rest too where `cancels_mail`; else that has 24 hours. Its activity goes by and
/// by, the audit log stays, and its number is never given again.
///
/// # Errors
/// There is no such account.
pub fn account_delete(
    book: &impl Book,
    account: Id<Account>,
    cancels_mail: bool,
    caller: Caller<'_>,
) -> Result<(), Fault> {
    account_find(book, account)?;
    Ok(book.account_delete(account, cancels_mail, caller.actor, caller.now)?)
}

/// Erases what is kept about a recipient of an account's mail, and its suppression where that is asked for. Returns what was
/// erased, and whether there was a suppression that is gone. The audit log tells how much, and not of whom.
///
/// # Errors
/// It is no address, there is no such account, or the store's: what was begun is finished at the next start, or when it is
/// asked again.
pub fn erase(
    store: &(impl Book + History),
    account: Id<Account>,
    recipient: &str,
    suppression: bool,
    caller: Caller<'_>,
) -> Result<(Erased, bool), Fault> {
    account_find(store, account)?;
    let recipient = mailbox(recipient)?;
    let erased = store.erase(account, &recipient)?;
    let lifted = suppression && store.suppression_erase(account, &recipient, caller.actor, caller.now)?;
    let Erased { rows, connections, calls, waiting } = erased;
    store.audit_note(AuditEntry {
        at: caller.now,
        actor: caller.actor.clone(),
        action: "account.erase".to_owned(),
        subject: format!("a recipient: {rows} rows, {connections} connections, {calls} calls; {waiting} in the queue"),
        account: Some(account),
    })?;
    Ok((erased, lifted))
}
