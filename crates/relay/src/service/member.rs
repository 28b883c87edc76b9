//! Members: added, changed and removed, by an account for itself and by the operator.

use smtp::server::Secret;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::view::SignInView;
use super::{Caller, Fault, account_find, display_name, mailbox, room};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::credential::PasswordKey;
use crate::dice::Dice;
use crate::id::Id;
use crate::language::Language;
use crate::limits::ACCOUNT_MEMBERS_MAX;
use crate::member::failures;
use crate::member::{Link, Member, MemberChange, NewMember, generate_token};
use crate::power::{Power, Role, Scope};
use crate::store::{Book, Members};

/// How long a link works.
const LINK_LIFE: Duration = Duration::from_secs(3 * 86_400);

/// A link by which a member chooses a password; its token is shown now and never again.
#[derive(Clone, Debug)]
pub struct IssuedLink {
    /// Whose.
    pub member: Arc<Member>,
    /// What the link carries.
    pub token: Secret,
    /// From when on it works no more.
    pub expires_at: Timestamp,
}

/// Adds a member, with a link to choose a password by.
///
/// # Errors
/// The address or the name is none, somebody has the address, or the member would be allowed more than whoever adds them.
pub fn member_add(
    store: &(impl Book + Members),
    wish: NewMember,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<IssuedLink, Fault> {
    if let Some(account) = wish.account {
        account_find(store, account)?;
    } else if wish.role != Role::Administrator {
        return Err(Fault::invalid("People of the operator are all administrators.", "Give that role.")
            .named("member-operators-role", &[]));
    }
    covers(caller, wish.role)?;
    let siblings = store.directory().members.values().filter(|member| member.account == wish.account).count();
    room::for_one_more(wish.account, siblings, ACCOUNT_MEMBERS_MAX, caller.limits.account_members_max)?;
    let (email, name) = (mailbox(&wish.email)?, display_name(&wish.name)?);
    let added = store.member_add(NewMember { email: email.clone(), name, ..wish }, caller.actor, caller.now);
    let member = added.map_err(|error| Fault::of_store(error, "member-address-taken", &[("address", &email)]))?;
    member_link(store, &member, true, dice, caller)
}

/// A new link for a member, who may have lost the password; the password stays until it is used. `alone`: links of before are
/// void.
///
/// # Errors
/// The store's, or the member is allowed more than whoever asks.
pub fn member_link(
    store: &(impl Book + Members),
    member: &Arc<Member>,
    alone: bool,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<IssuedLink, Fault> {
    covers(caller, member.role)?;
    let token = generate_token(dice);
    let expires_at = caller.now.after(LINK_LIFE);
    let hash = PasswordKey::new(store.password_key()).hash(token.expose());
    store.link_put(Link { token: hash, member: member.id, expires_at }, alone, caller.actor, caller.now)?;
    Ok(IssuedLink { member: Arc::clone(member), token, expires_at })
}

/// Nobody gives away more than they have, and no key that ends makes an administrator, who does not. Members who only look it does make, as it
/// makes SMTP users: what hands out access by itself would be given a key without an end otherwise.
fn covers(caller: Caller<'_>, role: Role) -> Result<(), Fault> {
    if caller.ends_at.is_some() && role.powers().has(Power::Administration) {
        return Err(Fault::forbidden(
            "The member would administer longer than this key lives.",
            "Ask with a key that has no end, or have a member do it.",
        )
        .named("member-outlives-key", &[]));
    }
    match caller.scope {
        Scope::Account(_, own) if !own.cover(role.powers()) => Err(Fault::forbidden(
            "The member would be allowed what you are not.",
            "Ask an administrator of the account.",
        )
        .named("member-too-powerful", &[])),
        _ => Ok(()),
    }
}

/// The member with this number, of those that the caller sees.
///
/// # Errors
/// There is none.
pub fn member_find(book: &impl Book, member: Id<Member>, scope: Scope) -> Result<Arc<Member>, Fault> {
    let found = book.directory().members.get(&member).filter(|member| is_seen(member, scope)).cloned();
    found.ok_or_else(|| {
        let told = Fault::not_found(format!("There is no member {member}."), "The list of members shows them all.");
        told.named("member-none", &[("number", &member)])
    })
}

/// Every member that the caller sees, of one account where `account` names it, by name.
pub fn members(book: &impl Book, account: Option<Id<Account>>, scope: Scope) -> Vec<Arc<Member>> {
    let directory = book.directory();
    let wanted = |member: &&Arc<Member>| is_seen(member, scope) && (account.is_none() || member.account == account);
    let mut members: Vec<_> = directory.members.values().filter(wanted).cloned().collect();
    members.sort_by_cached_key(|member| (member.account, member.name.to_lowercase(), member.id));
    members
}

/// Places that sign-ins came from, at the most, in what is shown of them.
const PLACES_SHOWN: usize = 20;

/// Where the sign-ins of a member came from, and what failed, the latest first.
///
/// # Errors
/// The store's.
pub fn member_sign_ins(store: &impl Members, member: Id<Member>, now: Timestamp) -> Result<Vec<SignInView>, Fault> {
    let mut places = store.sites(member)?;
    places.sort_by_key(|(place, at)| (Reverse(*at), *place));
    let mut failed = store.failed_sign_ins(member)?;
    // those that nobody has swept up yet
    let given_up = store.sign_ins(member)?.into_iter().filter(|sign_in| sign_in.has_no_code(now));
    given_up.for_each(|sign_in| failures::add(&mut failed, &sign_in.failed()));
    let mut shown: Vec<_> = failed.iter().map(|failed| (failed.last_at, SignInView::from(failed))).collect();
    shown.extend(places.iter().take(PLACES_SHOWN).map(|(place, at)| (*at, SignInView::of_place(*place, *at))));
    shown.sort_by_key(|(at, _)| Reverse(*at));
    Ok(shown.into_iter().map(|(_, view)| view).collect())
}

/// Changes what a member is, is called, or is spoken to in: all of it, or nothing.
///
/// # Errors
/// They are the last administrator, of the operator, or are or would be allowed more than whoever asks; the name is none.
pub fn member_set(
    store: &impl Members,
    member: &Arc<Member>,
    role: Option<Role>,
    name: Option<&str>,
    language: Option<Language>,
    caller: Caller<'_>,
) -> Result<Arc<Member>, Fault> {
    covers(caller, member.role)?;
    let name = name.map_or_else(|| Ok(member.name.clone()), display_name)?;
    let language = language.unwrap_or(member.language);
    let mut changed = Arc::clone(member);
    if let Some(role) = role {
        changed = member_role(store, member, role, caller)?;
    }
    if (&name, language) != (&member.name, member.language) {
        let change = MemberChange::Profile { name, language };
        changed = store.member_change(member.id, change, caller.actor, caller.now)?;
    }
    Ok(changed)
}

fn member_role(store: &impl Members, member: &Member, role: Role, caller: Caller<'_>) -> Result<Arc<Member>, Fault> {
    if member.account.is_none() && role != Role::Administrator {
        return Err(Fault::invalid("People of the operator are all administrators.", "Remove the member instead.")
            .named("member-operators-remove", &[]));
    }
    covers(caller, role)?;
    let changed = store.member_change(member.id, MemberChange::Role(role), caller.actor, caller.now);
    changed.map_err(|error| Fault::of_store(error, "member-last", &[("address", &member.email)]))
}

/// Removes a member; they are signed out that instant.
///
/// # Errors
/// They are the last administrator, or are allowed more than whoever asks.
pub fn member_remove(store: &impl Members, member: &Member, caller: Caller<'_>) -> Result<(), Fault> {
    covers(caller, member.role)?;
    let removed = store.member_remove(member.id, caller.actor, caller.now);
    removed.map_err(|error| Fault::of_store(error, "member-last", &[("address", &member.email)]))
}

fn is_seen(member: &Member, scope: Scope) -> bool {
    member.account.map_or(scope == Scope::Operator, |account| scope.sees(account))
}
