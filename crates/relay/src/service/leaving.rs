//! What is to be there no more: an account, or what is kept about one recipient of its mail.

use std::collections::BTreeSet;

use super::{Caller, Fault, account_find, mailbox};
use crate::account::Account;
use crate::activity::Erased;
use crate::audit::{About, Details, Field, Kind};
use crate::id::Id;
use crate::sandbox::CapturedFilter;
use crate::store::{AuditEntry, Book, History, Inbox, StoreError};

/// The longest text that can have stood for a recipient: RFC 5321 §4.5.3.1 lets a path have 256 octets, clients send more.
const ADDRESS_OCTETS_MAX: usize = 1_024;

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
/// erased, how many messages of the test inbox were, and whether there was a suppression that is gone. The audit log tells how
/// much, and not of whom. The address is meant in each way that it may have been written: its domain with letters of its
/// language or as DNS has it; and whatever else was given for one is looked for as it is.
///
/// # Errors
/// It is no text that could stand for an address, there is no such account, or the store's: rows of which the erasure was begun go at
/// the next start, the rest when it is asked again.
pub fn erase(
    store: &(impl Book + History + Inbox),
    account: Id<Account>,
    recipient: &str,
    suppression: bool,
    caller: Caller<'_>,
) -> Result<(Erased, u64, bool), Fault> {
    account_find(store, account)?;
    let spellings = spellings(recipient)?;
    let (mut erased, mut messages, mut lifted) = (Erased::default(), 0, false);
    for recipient in &spellings {
        messages += erase_test_mail(store, account, recipient)?;
        lifted |= suppression && store.suppression_erase(account, recipient, caller.actor, caller.now)?;
    }
    for recipient in &spellings {
        erased.add(store.erase(account, recipient)?);
    }
    let Erased { rows, connections, calls, waiting } = erased;
    let told = Details::from(About::of(Kind::Recipient))
        .with(Field::Rows, &rows)
        .with(Field::Connections, &connections)
        .with(Field::Calls, &calls)
        .with(Field::TestMessages, &messages)
        .with(Field::Waiting, &waiting);
    let (at, by) = (caller.now, caller.actor.clone());
    store.audit_note(AuditEntry::new(at, by, "account.erase", told, Some(account)))?;
    Ok((erased, messages, lifted))
}

/// The ways in which an address may have been kept.
fn spellings(given: &str) -> Result<BTreeSet<String>, Fault> {
    let given = given.trim();
    let is_text = !given.chars().any(char::is_control);
    if given.is_empty() || given.len() > ADDRESS_OCTETS_MAX || !is_text {
        return Err(Fault::invalid("This cannot have been a recipient.", "Give its address, as Activity shows it.")
            .named("recipient-none", &[]));
    }
    let mut spellings = BTreeSet::from([given.to_lowercase(), given.to_ascii_lowercase()]);
    if let Ok(address) = mailbox(given) {
        if let Some((local, domain)) = address.rsplit_once('@') {
            let (domain, _) = idna::domain_to_unicode(domain);
            spellings.insert(format!("{local}@{domain}").to_ascii_lowercase());
        }
        spellings.insert(address.to_ascii_lowercase());
    }
    Ok(spellings)
}

/// Whether a text names an address, and not one that it is a part of; both in small letters.
fn names(text: &str, address: &str) -> bool {
    let is_local = |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    let is_domain = |letter: char| letter.is_alphanumeric() || letter == '-';
    text.match_indices(address).any(|(at, _)| {
        let mut after = text[at + address.len()..].chars();
        let goes_on = match after.next() {
            Some('.') => after.next().is_some_and(is_domain),
            next => next.is_some_and(is_domain),
        };
        !goes_on && !text[..at].chars().next_back().is_some_and(is_local)
    })
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
            Ok::<_, StoreError>(names(&text, &address))
        };
        let is_to = kept.recipients.iter().any(|recipient| recipient.to_lowercase() == address);
        if is_to || kept.about.is_some() && is_told()? {
            count += inbox.inbox_delete(account, Some(kept.message))?;
        }
    }
    Ok(count)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_meant_however_it_was_written() {
        let of = |given| spellings(given).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(of(" Anna@Example.ORG"), ["anna@example.org"]);
        for given in ["a@bücher.example", "A@xn--bcher-kva.example", "a@BÜCHER.example"] {
            let spellings = of(given);
            for wanted in ["a@bücher.example", "a@xn--bcher-kva.example"] {
                assert!(spellings.iter().any(|spelling| spelling == wanted), "{given}: {spellings:?}");
            }
        }
        assert_eq!(of("mario@gmail"), ["mario@gmail"]);
        assert_eq!(of("\"john smith\"@x.example"), ["\"john smith\"@x.example"]);
        for given in ["", " ", "a@b.example\r\nx"] {
            assert!(spellings(given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn a_text_names_an_address_and_none_that_it_is_a_part_of() {
        let is_named = |text: &str| names(text, "anna@x.example");
        for text in ["anna@x.example", "<anna@x.example>", "to anna@x.example.", "rfc822;anna@x.example\r\n"] {
            assert!(is_named(text), "{text}");
        }
        for text in ["joanna@x.example", "anna@x.example.org", "x.anna@x.example", "anna@x.example-b", "nobody"] {
            assert!(!is_named(text), "{text}");
        }
        assert!(is_named("joanna@x.example, anna@x.example"));
    }
}
