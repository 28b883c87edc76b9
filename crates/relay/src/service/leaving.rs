//! What is to be there no more: an account, or what is kept about one recipient of its mail.

use super::{Caller, Fault, account_find, mailbox};
use crate::account::Account;
use crate::activity::Erased;
use crate::id::Id;
use crate::sandbox::CapturedFilter;
use crate::store::{AuditEntry, Book, History, Inbox, StoreError};

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
/// erased, how many messages of the test inbox were, and whether there was a suppression that is gone. The audit log tells how much, and not of whom.
///
/// # Errors
/// It is no address, there is no such account, or the store's: what was begun is finished at the next start, or when it is
/// asked again.
pub fn erase(
    store: &(impl Book + History + Inbox),
    account: Id<Account>,
    recipient: &str,
    suppression: bool,
    caller: Caller<'_>,
) -> Result<(Erased, u64, bool), Fault> {
    account_find(store, account)?;
    let recipient = mailbox(recipient)?;
    let erased = store.erase(account, &recipient)?;
    let messages = erase_test_mail(store, account, &recipient)?;
    let lifted = suppression && store.suppression_erase(account, &recipient, caller.actor, caller.now)?;
    let Erased { rows, connections, calls, waiting } = erased;
    store.audit_note(AuditEntry {
        at: caller.now,
        actor: caller.actor.clone(),
        action: "account.erase".to_owned(),
        subject: format!("a recipient: {rows} rows, {connections} connections, {calls} calls, {messages} test messages; {waiting} in the queue"),
        account: Some(account),
    })?;
    Ok((erased, messages, lifted))
}

/// Deletes the messages of an account's test inbox that were taken for an address, and the bounce mails that name it.
fn erase_test_mail(inbox: &impl Inbox, account: Id<Account>, address: &str) -> Result<u64, StoreError> {
    let address = address.to_lowercase();
    let mut count = 0;
    for kept in
        inbox.inbox(&CapturedFilter { account: Some(account), limit: usize::MAX, ..CapturedFilter::default() })?
    {
        let is_told = || {
            let content = inbox.inbox_message(Some(account), kept.message)?.map(|(_, content)| content);
            let text = String::from_utf8_lossy(&content.unwrap_or_default()).to_lowercase();
            Ok::<_, StoreError>(text.contains(&address))
        };
        let is_to = kept.recipients.iter().any(|recipient| recipient.to_lowercase() == address);
        if is_to || kept.about.is_some() && is_told()? {
            count += inbox.inbox_delete(account, Some(kept.message))?;
        }
    }
    Ok(count)
}
