//! Plans: made, changed and retired by the operator, asked for by accounts, granted or not; and whom accounts want to be
//! written to.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::limit;
use super::{Caller, Fault, Setting, account_find, display_name, mailbox, room};
use crate::account::{Account, Contact};
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::Id;
use crate::limits::{Limits, PLANS_MAX};
use crate::plan::{Plan, SubscriptionChange, Terms, Wording};
use crate::power::Scope;
use crate::store::{Book, Plans};

/// Which of a plan's terms change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TermsChange {
    /// What people call it, in English.
    pub name: Option<String>,
    /// The same in French; empty: as in English.
    pub name_fr: Option<String>,
    /// Recipients in a period of a month ([`Setting::Default`]: without limit).
    pub recipients: Setting<u64>,
    /// What it costs, in the operator's words, in English; empty: nothing is said of it.
    pub price: Option<String>,
    /// The same in French; empty: as in English.
    pub price_fr: Option<String>,
    /// Whether accounts see it and may ask for it.
    pub offered: Option<bool>,
    /// Its place in lists, the lowest first.
    pub place: Option<u32>,
}

impl TermsChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == TermsChange::default()
    }

    fn apply(self, mut terms: Terms) -> Result<Terms, Fault> {
        if let Some(name) = self.name {
            terms.name.english = display_name(&name)?;
        }
        for (given, field) in [
            (self.name_fr, &mut terms.name.french),
            (self.price, &mut terms.price.english),
            (self.price_fr, &mut terms.price.french),
        ] {
            if let Some(text) = given {
                *field = if text.trim().is_empty() { String::new() } else { display_name(&text)? };
            }
        }
        limit(self.recipients, &mut terms.recipients)?;
        terms.is_offered = self.offered.unwrap_or(terms.is_offered);
        terms.place = self.place.unwrap_or(terms.place);
        Ok(terms)
    }
}

/// Adds a plan. Its limit has to be said, be it that there is none.
///
/// # Errors
/// A text is none, too long or taken; the limit is missing or too high; there are as many plans as there may be.
pub fn plan_add(
    store: &(impl Book + Plans),
    name: &str,
    terms: TermsChange,
    caller: Caller<'_>,
) -> Result<Arc<Plan>, Fault> {
    if terms.recipients == Setting::Keep {
        return Err(Fault::invalid(
            "How many recipients a month the plan has is not said.",
            "Give a number, or say that there is no limit.",
        )
        .named("plan-without-limit", &[]));
    }
    room::for_one_more(None, store.directory().plans.len(), PLANS_MAX, caller.limits.plans_max)?;
    let (wording, place) = (Wording::default(), 0);
    let blank = Terms { name: wording.clone(), recipients: None, price: wording, is_offered: false, place };
    let terms = TermsChange { name: Some(name.to_owned()), ..terms }.apply(blank)?;
    name_is_free(&store.directory(), &terms.name, None)?;
    Ok(store.plan_add(terms, caller.actor, caller.now)?)
}

/// Two plans that look alike on every page help nobody.
fn name_is_free(directory: &Directory, name: &Wording, own: Option<Id<Plan>>) -> Result<(), Fault> {
    let is_same = |plan: &&Arc<Plan>| {
        Some(plan.id) != own && plan.terms.name.english.to_lowercase() == name.english.to_lowercase()
    };
    match directory.plans.values().find(is_same) {
        Some(plan) => Err(Fault::conflict(
            format!("Plan {} is called `{}` already.", plan.id, plan.terms.name.english),
            "Give this one another name.",
        )
        .named("plan-name-taken", &[("name", &plan.terms.name.english)])),
        None => Ok(()),
    }
}

/// The plan with this number.
///
/// # Errors
/// There is none.
pub fn plan_find(book: &impl Book, plan: Id<Plan>) -> Result<Arc<Plan>, Fault> {
    let found = book.directory().plans.get(&plan).cloned();
    found.ok_or_else(|| no_plan(plan))
}

fn no_plan(plan: Id<Plan>) -> Fault {
    Fault::not_found(format!("There is no plan {plan}."), "The list of plans shows them all.")
        .named("plan-none", &[("number", &plan)])
        .see("PlanList")
}

/// Changes what a plan offers, for the accounts that are on it too.
///
/// # Errors
/// There is no such plan, a text is none, too long or taken, or the limit is too high.
pub fn plan_set(
    store: &(impl Book + Plans),
    plan: Id<Plan>,
    terms: TermsChange,
    caller: Caller<'_>,
) -> Result<Arc<Plan>, Fault> {
    let found = plan_find(store, plan)?;
    let terms = terms.apply(found.terms.clone())?;
    if terms == found.terms {
        return Ok(found);
    }
    name_is_free(&store.directory(), &terms.name, Some(plan))?;
    Ok(store.plan_set(plan, terms, caller.actor, caller.now)?)
}

/// Makes a plan the one that new accounts begin on.
///
/// # Errors
/// There is no such plan, or it is retired.
pub fn plan_default(store: &(impl Book + Plans), plan: Id<Plan>, caller: Caller<'_>) -> Result<Arc<Plan>, Fault> {
    let found = plan_find(store, plan)?;
    if found.is_default {
        return Ok(found);
    }
    store.plan_default(plan, caller.actor, caller.now).map_err(|error| Fault::of_store(error, "plan-retired", &[]))
}

/// Retires a plan, or brings it back.
///
/// # Errors
/// There is no such plan, or it is the default.
pub fn plan_retire(
    store: &(impl Book + Plans),
    plan: Id<Plan>,
    retired: bool,
    caller: Caller<'_>,
) -> Result<Arc<Plan>, Fault> {
    let found = plan_find(store, plan)?;
    if found.is_retired == retired {
        return Ok(found);
    }
    let done = store.plan_retire(plan, retired, caller.actor, caller.now);
    done.map_err(|error| Fault::of_store(error, "plan-default-stays", &[]))
}

/// Deletes a plan.
///
/// # Errors
/// There is no such plan, it is the default, or an account is on it, will be, or asks for it.
pub fn plan_delete(store: &(impl Book + Plans), plan: Id<Plan>, caller: Caller<'_>) -> Result<Arc<Plan>, Fault> {
    let found = plan_find(store, plan)?;
    let deleted = store.plan_delete(plan, caller.actor, caller.now);
    deleted.map_err(|error| Fault::of_store(error, "plan-in-use", &[]))?;
    Ok(found)
}

/// A plan, and how many accounts are on it, will be, or ask for it, where that is told.
pub type Counted = (Arc<Plan>, Option<u64>);

/// Plans in the order of their places: all, or those that an account has, gets, or may ask for. How many accounts each
/// has is told to the operator alone.
///
/// # Errors
/// There is no such account.
pub fn plans(
    book: &impl Book,
    account: Option<Id<Account>>,
    scope: Scope,
    now: Timestamp,
) -> Result<Vec<Counted>, Fault> {
    let directory = book.directory();
    let of =
        account.map(|account| account_find(book, account)).transpose()?.map(|account| account.on(account.day(now)));
    let mut counts: BTreeMap<Id<Plan>, u64> = BTreeMap::new();
    if scope == Scope::Operator {
        for account in directory.accounts.values() {
            let account = account.on(account.day(now));
            let needed = directory.plans.keys().filter(|plan| account.subscription.needs(**plan));
            needed.for_each(|plan| *counts.entry(*plan).or_default() += 1);
        }
    }
    let is_shown = |plan: &&Arc<Plan>| {
        of.as_ref().is_none_or(|account| plan.may_be_asked_for() || account.subscription.needs(plan.id))
    };
    let mut plans: Vec<_> = directory.plans.values().filter(is_shown).cloned().collect();
    plans.sort_by_cached_key(|plan| (plan.is_retired, plan.terms.place, plan.id));
    let count = |plan: &Plan| (scope == Scope::Operator).then(|| counts.get(&plan.id).copied().unwrap_or_default());
    Ok(plans.into_iter().map(|plan| (Arc::clone(&plan), count(&plan))).collect())
}

/// An account asks for a plan, or to have its own cancelled.
///
/// # Errors
/// There is no such plan that may be asked for, a request is open already, it would change nothing, or the message is
/// too long.
pub fn plan_ask(
    store: &(impl Book + Plans),
    account: Id<Account>,
    wish: Option<Id<Plan>>,
    message: &str,
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    let found = account_find(store, account)?;
    let found = found.on(found.day(caller.now));
    if let Some(wish) = wish {
        let plan = plan_find(store, wish)?;
        // what is not offered does not exist for an account, but for what it is on
        let is_seen = plan.may_be_asked_for() || found.subscription.needs(wish);
        if caller.scope != Scope::Operator && !is_seen {
            return Err(no_plan(wish));
        }
    }
    let message = text(message, caller.limits)?;
    let asked = store.subscribe(account, SubscriptionChange::Ask { wish, message }, caller.actor, caller.now);
    asked.map_err(|error| Fault::of_store(error, "plan-not-now", &[]))
}

/// A text of some lines.
fn text(given: &str, limits: &Limits) -> Result<String, Fault> {
    let text = given.replace("\r\n", "\n").trim().to_owned();
    room::for_reason(&text, limits)?;
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err(
            Fault::invalid("The text has control characters.", "Give it as plain text.").named("text-control", &[])
        );
    }
    Ok(text)
}

/// Changes the plan of an account in a way that needs no text.
///
/// # Errors
/// There is no such account, plan, request or change to come.
pub fn plan_subscribe(
    store: &(impl Book + Plans),
    account: Id<Account>,
    change: SubscriptionChange,
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    account_find(store, account)?;
    let changed = store.subscribe(account, change, caller.actor, caller.now);
    changed.map_err(|error| Fault::of_store(error, "plan-not-now", &[]))
}

/// Grants a request, or declines it for a reason.
///
/// # Errors
/// There is no such request that is open, the plan is retired, or the reason is too long.
pub fn plan_answer(
    store: &(impl Book + Plans),
    request: u64,
    declined: Option<&str>,
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    let directory = store.directory();
    let is_its = |account: &&Arc<Account>| account.subscription.open().is_some_and(|open| open.number == request);
    let account = directory.accounts.values().find(is_its).ok_or_else(|| {
        let what = format!("There is no open request {request}.");
        Fault::not_found(what, "It was withdrawn or answered; the list shows those that are open.")
            .named("plan-request-none", &[("number", &request)])
            .see("PlanRequestList")
    })?;
    let change = match declined {
        None => SubscriptionChange::Approve { request },
        Some(reason) => SubscriptionChange::Decline { request, reason: text(reason, caller.limits)? },
    };
    Ok(store.subscribe(account.id, change, caller.actor, caller.now)?)
}

/// Every account with an open request, the oldest request first.
pub fn requests(book: &impl Book) -> Vec<Arc<Account>> {
    let directory = book.directory();
    let number = |account: &Account| account.subscription.open().map(|open| open.number);
    let mut asking: Vec<_> = directory.accounts.values().filter(|account| number(account).is_some()).cloned().collect();
    asking.sort_by_key(|account| number(account));
    asking
}

/// Says whom an account wants to be written to ([`Setting::Default`]: nobody).
///
/// # Errors
/// There is no such account, or a name or an address is none.
pub fn account_contacts(
    store: &(impl Book + Plans),
    account: Id<Account>,
    primary: Setting<Contact>,
    billing: Setting<Contact>,
    caller: Caller<'_>,
) -> Result<Arc<Account>, Fault> {
    let found = account_find(store, account)?;
    let mut contacts = found.contacts.clone();
    checked(primary)?.apply(&mut contacts.primary);
    checked(billing)?.apply(&mut contacts.billing);
    if contacts == found.contacts {
        return Ok(found);
    }
    Ok(store.contacts_set(account, contacts, caller.actor, caller.now)?)
}

fn checked(contact: Setting<Contact>) -> Result<Setting<Contact>, Fault> {
    Ok(match contact {
        Setting::To(Contact { name, email }) => {
            Setting::To(Contact { name: display_name(&name)?, email: mailbox(&email)? })
        }
        other => other,
    })
}
