//! The addresses that an account does not send to: added one by one or as a list, shown, lifted.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::Id;
use crate::limits::ACCOUNT_SUPPRESSIONS_MAX;
use crate::smtp_user::SmtpUser;
use crate::store::Book;
use crate::suppression::{self, Suppression, SuppressionCause, Untaken};

use super::{Caller, Fault, account_find, mailbox, room};

/// Suppresses an address for an account; kept in lower case. It replaces what was said of it before.
///
/// # Errors
/// It is not an address, the reason is too long, the end is over, there are too many, or there is no such account.
pub fn suppress(
    book: &impl Book,
    account: Id<Account>,
    address: &str,
    reason: &str,
    until: Option<Timestamp>,
    caller: Caller<'_>,
) -> Result<String, Fault> {
    account_find(book, account)?;
    let address = mailbox(address)?.to_lowercase();
    let reason = reason.trim();
    room::for_reason(reason, caller.limits)?;
    if until.is_some_and(|until| until <= caller.now) {
        return Err(Fault::invalid("The suppression would be over already.", "Give a moment to come, or none.")
            .named("suppression-over", &[]));
    }
    let directory = book.directory();
    let known = directory.suppressions.get(&account);
    if known.is_none_or(|known| !known.contains_key(&address)) {
        room_for(account, known.map_or(0, |known| known.len()), caller)?;
    }
    let suppression = Suppression { until, ..Suppression::manual(reason, caller.now) };
    book.suppress(account, &[(address.clone(), suppression)], true, Some(caller.actor), caller.now)?;
    Ok(address)
}

fn room_for(account: Id<Account>, count: usize, caller: Caller<'_>) -> Result<(), Fault> {
    room::for_one_more(Some(account), count, ACCOUNT_SUPPRESSIONS_MAX, caller.limits.account_suppressions_max)
}

/// What became of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Addresses that are suppressed now and were not, or not as long.
    pub added: u64,
    /// Those that were already, as long or longer.
    pub known: u64,
    /// Lines that were not taken, with why.
    pub untaken: Vec<Untaken>,
}

/// Suppresses every address of a list in CSV ([`suppression::read`]) for an account, in one change. A line that cannot be
/// taken is told and takes nothing from the others. An address that is suppressed already keeps what lasts longer.
///
/// # Errors
/// There is no such account, or no room for so many: nothing is added then.
pub fn suppressions_import(
    book: &impl Book,
    account: Id<Account>,
    list: &str,
    caller: Caller<'_>,
) -> Result<Imported, Fault> {
    account_find(book, account)?;
    let listed = suppression::read(list, caller.now, caller.limits);
    let (mut wanted, mut imported) = (BTreeMap::new(), Imported { untaken: listed.untaken, ..Imported::default() });
    for (line, address, suppression) in listed.entries {
        let told = match (mailbox(&address), room::for_reason(&suppression.reason, caller.limits)) {
            (Err(fault), _) | (_, Err(fault)) => Some(fault.what),
            _ if !suppression.holds(caller.now) => Some("Its time is over.".to_owned()),
            (Ok(address), Ok(())) => {
                wanted.insert((suppression.stream, address.to_lowercase()), suppression);
                None
            }
        };
        imported.untaken.extend(told.map(|why| Untaken { line, why }));
    }
    imported.untaken.sort_by_key(|untaken| untaken.line);
    let directory = book.directory();
    let known = directory.suppressions.get(&account);
    let is_new = |stream, address: &str| known.is_none_or(|known| known.of(address, stream).is_none());
    let new = |of_streams: bool| {
        let such = wanted.keys().filter(|(stream, _)| stream.is_some() == of_streams);
        such.filter(|(stream, address)| is_new(*stream, address)).count()
    };
    for (known, new) in
        [(known.map_or(0, |known| known.len()), new(false)), (known.map_or(0, |known| known.streams_len()), new(true))]
    {
        if new > 0 {
            room_for(account, known + new - 1, caller)?;
        }
    }
    let wanted: Vec<_> = wanted.into_iter().map(|((_, address), suppression)| (address, suppression)).collect();
    imported.added = book.suppress(account, &wanted, false, Some(caller.actor), caller.now)?;
    imported.known = wanted.len() as u64 - imported.added;
    Ok(imported)
}

/// Lifts the suppression of an address for the stream of an SMTP user, which may be deleted; none: that for the whole account.
///
/// # Errors
/// The address is not suppressed there.
pub fn unsuppress(
    book: &impl Book,
    account: Id<Account>,
    address: &str,
    stream: Option<Id<SmtpUser>>,
    caller: Caller<'_>,
) -> Result<String, Fault> {
    account_find(book, account)?;
    let address = mailbox(address)?.to_lowercase();
    let known = book.directory().suppressions.get(&account).is_some_and(|all| all.of(&address, stream).is_some());
    if !known {
        let whom = stream.map_or_else(|| format!("account {account}"), |user| format!("SMTP user {user}"));
        return Err(Fault::not_found(
            format!("{address} is not suppressed for {whom}."),
            "The list of suppressions shows those that are.",
        )
        .named("suppression-none", &[("address", &address)])
        .see("SuppressionList"));
    }
    book.unsuppress(account, &address, stream, caller.actor, caller.now)?;
    Ok(address)
}

/// Which suppressions are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sought<'a> {
    /// Of this account; none: of all.
    pub account: Option<Id<Account>>,
    /// With this in the address.
    pub search: &'a str,
    /// By this cause alone.
    pub cause: Option<SuppressionCause>,
    /// Those behind this one, by account, address and stream, in that order; of the whole account comes first.
    pub after: Option<(u64, &'a str, Option<u64>)>,
    /// At most so many; 0: all.
    pub limit: u32,
}

/// The suppressions that are in force and asked for, in the order of accounts, addresses and streams.
pub fn suppressions<'d>(
    directory: &'d Directory,
    sought: Sought<'_>,
    now: Timestamp,
) -> Vec<(Id<Account>, &'d str, &'d Suppression)> {
    let search = sought.search.trim().to_lowercase();
    let is_behind = |at: (u64, &str, Option<u64>)| sought.after.is_none_or(|after| at > after);
    let of_accounts =
        directory.suppressions.iter().filter(|(id, _)| sought.account.is_none_or(|account| account == **id));
    let mut found: Vec<_> = of_accounts
        .flat_map(|(account, all)| all.iter().map(move |(address, one)| (*account, address.as_str(), one)))
        .filter(|(account, address, one)| {
            one.holds(now)
                && sought.cause.is_none_or(|cause| cause == one.cause)
                && address.contains(&search)
                && is_behind((account.number(), address, one.stream.map(Id::number)))
        })
        .collect();
    let order = |(account, address, one): &(Id<Account>, &'d str, &'d Suppression)| {
        (account.number(), *address, one.stream.map(Id::number))
    };
    let limit = sought.limit as usize;
    if limit > 0 && found.len() > limit {
        // the rest need not be sorted
        found.select_nth_unstable_by(limit, |one, other| order(one).cmp(&order(other)));
        found.truncate(limit);
    }
    found.sort_unstable_by(|one, other| order(one).cmp(&order(other)));
    found
}
