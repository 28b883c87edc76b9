//! Accounts: made, found, changed, suspended and resumed, given a quota.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Caller, Fault, Setting, display_name};
use crate::account::{Account, AccountState};
use crate::directory::Directory;
use crate::id::Id;
use crate::language::Language;
use crate::store::{Book, Plans};
use crate::time_zone::TimeZone;

/// The account that the relay's own mail belongs to: built in, in no list, never suspended.
pub const SYSTEM_ACCOUNT: Id<Account> = Id::new(0);

/// The highest quota that can be given, to an account or a plan: a number beyond it is a slip of the keyboard.
const QUOTA_RECIPIENTS_MAX: u64 = 1_000_000_000;

/// Makes an account, on the default plan, or without one until one is approved; in UTC and English where nothing else is
/// said.
///
/// # Errors
/// The name is not one, or another account has it (two that look alike in every list help nobody), or there is no such
/// time zone: nothing is made. Where the store fails in between, the account is there in UTC and English.
pub fn account_add(
    store: &(impl Book + Plans),
    name: &str,
    without_plan: bool,
    (time_zone, language): (Option<&str>, Option<Language>),
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    let name = name_of_account(store, name, None)?;
    let time_zone = time_zone.map(zone_named).transpose()?;
    let made = match without_plan {
        true => store.account_add_without_plan(&name, caller.actor, caller.now)?,
        false => store.account_add(&name, caller.actor, caller.now)?,
    };
    let wanted = Account {
        time_zone: time_zone.unwrap_or_else(|| made.time_zone.clone()),
        language: language.unwrap_or(made.language),
        ..(*made).clone()
    };
    if wanted == *made { Ok(made) } else { Ok(store.account_set(wanted, caller.actor, caller.now)?) }
}

/// The time zone of a name that somebody gave.
fn zone_named(given: &str) -> Result<TimeZone, Fault> {
    TimeZone::named(given.trim()).ok_or_else(|| {
        let remedy = "Give one of the IANA time zone database, such as America/Montreal, Europe/Paris or UTC.";
        Fault::invalid(format!("`{given}` is no time zone."), remedy).named("time-zone-none", &[("zone", &given)])
    })
}

/// A name that no account has but `own`.
fn name_of_account(book: &impl Book, name: &str, own: Option<Id<Account>>) -> Result<String, Fault> {
    let name = display_name(name)?;
    let directory = book.directory();
    let mut others = directory.accounts.values().filter(|account| Some(account.id) != own);
    if let Some(account) = others.find(|account| account.name.to_lowercase() == name.to_lowercase()) {
        return Err(Fault::conflict(
            format!("Account {} is called `{}` already.", account.id, account.name),
            "Use that one, or give this one another name.",
        )
        .named("account-name-taken", &[("name", &account.name)]));
    }
    Ok(name)
}

/// What changes of an account; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// What people call it.
    pub name: Option<String>,
    /// The time zone that its people read times in, and whose days its mail is counted by from now on. What was counted
    /// stays on the day that it was counted on.
    pub time_zone: Option<String>,
    /// The language of what is written to it.
    pub language: Option<Language>,
    /// For how many days its activity is kept.
    pub activity_days: Setting<u64>,
}

/// Changes what an account is called, the time zone that its people read times in, the language of what is written to
/// it, or for how many days its activity is kept.
///
/// # Errors
/// The name is none or taken, there is no such time zone, or the days are more than the relay keeps any or none.
pub fn account_set(
    book: &impl Book,
    account: Id<Account>,
    change: AccountChange,
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    let AccountChange { name, time_zone, language, activity_days } = change;
    let mut changed = (*account_find(book, account)?).clone();
    if let Some(name) = name {
        changed.name = name_of_account(book, &name, Some(account))?;
    }
    if let Setting::To(days) = activity_days
        && !(1..=caller.limits.activity_days).contains(&days)
    {
        let max = caller.limits.activity_days;
        return Err(Fault::invalid(
            format!("Activity cannot be kept for {days} days."),
            format!("Give a number of days from 1 to {max}, for how long this relay keeps any."),
        )
        .named("activity-days", &[("days", &days), ("most", &max)]));
    }
    activity_days.apply(&mut changed.activity_days);
    if let Some(given) = time_zone {
        changed.time_zone = zone_named(&given)?;
    }
    changed.language = language.unwrap_or(changed.language);
    Ok(book.account_set(changed, caller.actor, caller.now)?)
}

/// The accounts whose name, number or one of whose domains has what is searched for; an empty search finds all.
pub fn accounts_with<'d>(directory: &'d Directory, search: &str) -> Vec<&'d Arc<Account>> {
    let wanted = search.trim().to_lowercase();
    if wanted.is_empty() {
        return directory.accounts.values().collect();
    }
    let domains = directory.domains.values().filter(|domain| domain.deleted_at.is_none());
    let of_domains: HashSet<_> =
        domains.filter(|domain| domain.name.contains(&wanted)).map(|domain| domain.account).collect();
    let is_meant = |account: &&Arc<Account>| {
        of_domains.contains(&account.id)
            || account.id.to_string() == wanted
            || account.name.to_lowercase().contains(&wanted)
    };
    directory.accounts.values().filter(is_meant).collect()
}

/// The account with this number.
///
/// # Errors
/// There is none.
pub fn account_find(book: &impl Book, account: Id<Account>) -> Result<Arc<Account>, Fault> {
    let found = book.directory().accounts.get(&account).cloned();
    found.ok_or_else(|| {
        let told = Fault::not_found(format!("There is no account {account}."), "The list of accounts shows them all.");
        told.named("account-none", &[("number", &account)]).see("AccountList")
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

/// Gives an account a quota of its own in place of its plan's ([`Setting::Default`]: its plan's again), or another day on
/// which it renews. What it used stays used: where the day moves, the period under way goes on until that day comes.
///
/// # Errors
/// There is no such account, or a number is none that can be.
pub fn account_quota(
    book: &impl Book,
    account: Id<Account>,
    recipients: Setting<u64>,
    renews_on: Option<u8>,
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    let found = account_find(book, account)?;
    let today = found.day(caller.now);
    let before = found.on(today).own_quota;
    let mut quota = before;
    limit(recipients, &mut quota.recipients)?;
    match renews_on {
        None => {}
        Some(day @ 1..=31) => quota = quota.moved_to(day, today),
        Some(day) => {
            return Err(Fault::invalid(
                format!("No month has a day {day}."),
                "Give a day from 1 to 31; in a shorter month its last day counts.",
            )
            .named("quota-no-day", &[("day", &day)]));
        }
    }
    if quota == before {
        return Ok(found);
    }
    Ok(book.account_quota(account, quota, caller.actor, caller.now)?)
}

/// Sets a number of recipients a month.
///
/// # Errors
/// It is more than can be.
pub(super) fn limit(recipients: Setting<u64>, field: &mut Option<u64>) -> Result<(), Fault> {
    if let Setting::To(max) = recipients
        && max > QUOTA_RECIPIENTS_MAX
    {
        return Err(Fault::invalid(
            format!("{max} recipients a month are more than a quota can be."),
            format!("Give at most {QUOTA_RECIPIENTS_MAX}, or no limit at all."),
        )
        .named("quota-too-high", &[("most", &QUOTA_RECIPIENTS_MAX)]));
    }
    recipients.apply(field);
    Ok(())
}
