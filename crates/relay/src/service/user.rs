//! SMTP users: their generated credentials, their rules, and what changes them.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use smtp::server::Secret;
use std::sync::Arc;

use super::{Caller, Fault, display_name, domain_name, mailbox, room};
use crate::clock::Timestamp;
use crate::credential::{PASSWORDS_MAX, PasswordKey, generate_password, generate_username};
use crate::dice::Dice;
use crate::id::Id;
use crate::limits::ACCOUNT_USERS_MAX;
use crate::power::Scope;
use crate::priority::Class;
use crate::sending_domain::SendingDomain;
use crate::smtp_user::{PasswordHash, SmtpUser, UserRules};
use crate::store::{Book, NewSmtpUser, SmtpUserChange, StoreError};

const RETRY_SECONDS_MIN: u64 = 60;
const RETRY_SECONDS_MAX: u64 = 14 * 24 * 3600;
const REPEAT_SECONDS_MIN: u64 = 60;
const REPEAT_SECONDS_MAX: u64 = 7 * 24 * 3600;

/// An SMTP user with the password made for it, which is shown now and never again.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The user.
    pub user: Arc<SmtpUser>,
    /// Its new password.
    pub password: Secret,
}

/// What becomes of one setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting<T> {
    /// It stays.
    #[default]
    Keep,
    /// It goes back to the default.
    Default,
    /// It becomes this.
    To(T),
}

impl<T> Setting<T> {
    /// Whether it stays.
    pub fn is_keep(&self) -> bool {
        matches!(self, Setting::Keep)
    }

    pub(super) fn apply(self, field: &mut Option<T>) {
        match self {
            Setting::Keep => {}
            Setting::Default => *field = None,
            Setting::To(value) => *field = Some(value),
        }
    }
}

/// Which of an SMTP user's rules change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RulesChange {
    /// When its logins end.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub expires_at: Setting<Timestamp>,
    /// Networks that it may log in from.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub networks: Setting<Vec<IpNet>>,
    /// Refuse the whole message after one refused recipient.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub all_or_nothing: Setting<bool>,
    /// Capture, never send.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub sandbox: Setting<bool>,
    /// Seconds to retry.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub retry_seconds: Setting<u64>,
    /// Addresses that may send.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub senders: Setting<Vec<String>>,
    /// Domains that it may send to.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub recipient_domains: Setting<Vec<String>>,
    /// Answer a suppressed recipient with a refusal.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub refuse_suppressed: Setting<bool>,
    /// How urgent its mail is.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub priority: Setting<Class>,
    /// One recipient for each message, and one-click unsubscribe.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub one_click_unsubscribe: Setting<bool>,
    /// Seconds in which the same message once more is not sent again.
    #[serde(skip_serializing_if = "Setting::is_keep")]
    pub repeat_seconds: Setting<u64>,
}

impl RulesChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == RulesChange::default()
    }
}

/// Makes an SMTP user of a domain; username and password are generated.
///
/// # Errors
/// The name is not one, another user of the domain has it, the account has no room for more, or a rule is not possible.
pub fn user_add(
    book: &impl Book,
    domain: &SendingDomain,
    name: &str,
    rules: RulesChange,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<Issued, Fault> {
    let name = display_name(name)?;
    name_is_free(book, domain.id, &name, None)?;
    let count = book.directory().users.values().filter(|user| user.account == domain.account).count();
    room::for_one_more(Some(domain.account), count, ACCOUNT_USERS_MAX, caller.limits.account_users_max)?;
    room::for_rules(domain.account, &rules, caller.limits)?;
    let rules = changed_rules(UserRules::default(), rules, &domain.name, caller.now)?;
    let password = generate_password(dice);
    let hash = hash(book, &password);
    loop {
        let user = NewSmtpUser {
            domain: domain.id,
            name: name.clone(),
            username: generate_username(dice),
            password: hash,
            rules: rules.clone(),
        };
        let taken = book.directory().user_named(&user.username).is_some();
        if taken {
            continue;
        }
        let user = book.smtp_user_add(user, caller.actor, caller.now)?;
        return Ok(Issued { user, password });
    }
}

/// The user with this number or this username, of those that the caller sees.
///
/// # Errors
/// There is none.
pub fn user_find(book: &impl Book, given: &str, scope: Scope) -> Result<Arc<SmtpUser>, Fault> {
    let directory = book.directory();
    let found = match given.parse::<Id<SmtpUser>>() {
        Ok(number) => directory.users.get(&number),
        Err(_) => directory.user_named(given.trim()),
    };
    found.filter(|user| scope.sees(user.account)).cloned().ok_or_else(|| {
        Fault::not_found(
            format!("There is no SMTP user `{given}`."),
            "The list of SMTP users shows them all; name one by its number or its username.",
        )
        .named("smtp-user-none", &[("user", &given)])
        .see("SmtpUserList")
    })
}

/// Gives a user another descriptive name; its username never changes.
///
/// # Errors
/// The name is not one, or another user of the domain has it.
pub fn user_rename(book: &impl Book, user: &SmtpUser, name: &str, caller: Caller<'_>) -> Result<Arc<SmtpUser>, Fault> {
    let name = display_name(name)?;
    name_is_free(book, user.domain, &name, Some(user.id))?;
    change(book, user, "smtp_user.rename", SmtpUserChange::Name(name), caller)
}

/// Switches a user's logins on or off; what is so already is left alone.
///
/// # Errors
/// The store's.
pub fn user_enabled(
    book: &impl Book,
    user: &Arc<SmtpUser>,
    enabled: bool,
    caller: Caller<'_>,
) -> Result<Arc<SmtpUser>, Fault> {
    if user.enabled == enabled {
        return Ok(Arc::clone(user));
    }
    let action = if enabled { "smtp_user.enable" } else { "smtp_user.disable" };
    change(book, user, action, SmtpUserChange::Enabled(enabled), caller)
}

/// Changes a user's rules.
///
/// # Errors
/// A rule is not possible; the text says which and why.
pub fn user_rules(
    book: &impl Book,
    user: &SmtpUser,
    rules: RulesChange,
    caller: Caller<'_>,
) -> Result<Arc<SmtpUser>, Fault> {
    room::for_rules(user.account, &rules, caller.limits)?;
    let directory = book.directory();
    let domain = directory.domains.get(&user.domain).map(|domain| domain.name.clone()).unwrap_or_default();
    let rules = changed_rules(user.rules.clone(), rules, &domain, caller.now)?;
    change(book, user, "smtp_user.set", SmtpUserChange::Rules(rules), caller)
}

/// A new password in place of every old one, which stop that instant.
///
/// # Errors
/// The store's.
pub fn user_reset(book: &impl Book, user: &SmtpUser, dice: &mut dyn Dice, caller: Caller<'_>) -> Result<Issued, Fault> {
    let password = generate_password(dice);
    let passwords = SmtpUserChange::Passwords(vec![hash(book, &password)]);
    let user = change(book, user, "smtp_user.reset", passwords, caller)?;
    Ok(Issued { user, password })
}

/// A second password beside the one in use, for a change without interruption.
///
/// # Errors
/// There are two already.
pub fn user_new_password(
    book: &impl Book,
    user: &SmtpUser,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<Issued, Fault> {
    let mut passwords = user.passwords.clone();
    if passwords.len() >= PASSWORDS_MAX {
        return Err(Fault::conflict(
            format!("{} has two passwords already.", user.username),
            "Drop the older one first.",
        )
        .named("smtp-user-two-passwords", &[("username", &user.username)])
        .see("SmtpUserDropPassword"));
    }
    let password = generate_password(dice);
    passwords.push(hash(book, &password));
    let user = change(book, user, "smtp_user.add_password", SmtpUserChange::Passwords(passwords), caller)?;
    Ok(Issued { user, password })
}

/// Ends a rotation: of two passwords, the older one stops.
///
/// # Errors
/// There is but one.
pub fn user_drop_password(book: &impl Book, user: &SmtpUser, caller: Caller<'_>) -> Result<Arc<SmtpUser>, Fault> {
    let [_, newer] = user.passwords.as_slice() else {
        return Err(Fault::conflict(
            format!("{} has one password.", user.username),
            "To stop its logins, disable it; for a new password, reset it.",
        )
        .named("smtp-user-one-password", &[("username", &user.username)]));
    };
    change(book, user, "smtp_user.drop_password", SmtpUserChange::Passwords(vec![*newer]), caller)
}

/// Deletes a user: its sessions end, mail it sent is delivered.
///
/// # Errors
/// The store's.
pub fn user_delete(book: &impl Book, user: &SmtpUser, caller: Caller<'_>) -> Result<(), Fault> {
    Ok(book.smtp_user_delete(user.id, caller.actor, caller.now)?)
}

fn change(
    book: &impl Book,
    user: &SmtpUser,
    action: &str,
    change: SmtpUserChange,
    caller: Caller<'_>,
) -> Result<Arc<SmtpUser>, Fault> {
    book.smtp_user_change(user.id, action, change, caller.actor, caller.now).map_err(|error| match error {
        StoreError::NotFound(_) => Fault::not_found(
            format!("SMTP user {} was deleted meanwhile.", user.id),
            "The list of SMTP users shows those that are left.",
        )
        .named("smtp-user-gone", &[])
        .see("SmtpUserList"),
        error => error.into(),
    })
}

fn name_is_free(
    book: &impl Book,
    domain: Id<SendingDomain>,
    name: &str,
    except: Option<Id<SmtpUser>>,
) -> Result<(), Fault> {
    let directory = book.directory();
    let wanted = name.to_lowercase();
    let same =
        |user: &&Arc<SmtpUser>| user.domain == domain && user.name.to_lowercase() == wanted && Some(user.id) != except;
    match directory.users.values().find(same) {
        None => Ok(()),
        Some(user) => Err(Fault::conflict(
            format!("SMTP user {} of this domain is called `{}` already.", user.id, user.name),
            "Use that one, or choose another name.",
        )
        .named("smtp-user-name-taken", &[("name", &user.name)])),
    }
}

fn changed_rules(mut rules: UserRules, change: RulesChange, domain: &str, now: Timestamp) -> Result<UserRules, Fault> {
    if let Setting::To(at) = change.expires_at
        && at <= now
    {
        return Err(Fault::invalid(
            "The expiry lies in the past.",
            "Give a moment to come, or disable the user if it is to stop now.",
        )
        .named("smtp-user-expired", &[]));
    }
    if let Setting::To(seconds) = change.retry_seconds
        && !(RETRY_SECONDS_MIN..=RETRY_SECONDS_MAX).contains(&seconds)
    {
        return Err(Fault::invalid(
            format!("{seconds} seconds is not a period to retry for."),
            "Give one between 1 minute and 14 days.",
        )
        .named("smtp-user-retry", &[]));
    }
    if let Setting::To(seconds) = change.repeat_seconds
        && !(REPEAT_SECONDS_MIN..=REPEAT_SECONDS_MAX).contains(&seconds)
    {
        return Err(Fault::invalid(
            format!("{seconds} seconds is not a period to know a message again in."),
            "Give one between 1 minute and 7 days.",
        )
        .named("smtp-user-repeat", &[]));
    }
    change.expires_at.apply(&mut rules.expires_at);
    change.repeat_seconds.apply(&mut rules.repeat_seconds);
    change.retry_seconds.apply(&mut rules.retry_seconds);
    set(&mut rules.networks, change.networks);
    set(&mut rules.all_or_nothing, change.all_or_nothing);
    set(&mut rules.sandbox, change.sandbox);
    set(&mut rules.refuse_suppressed, change.refuse_suppressed);
    set(&mut rules.priority, change.priority);
    set(&mut rules.one_click_unsubscribe, change.one_click_unsubscribe);
    set(&mut rules.senders, checked(change.senders, |given| sender(given, domain))?);
    set(&mut rules.recipient_domains, checked(change.recipient_domains, domain_name)?);
    rules.networks = rules.networks.iter().map(IpNet::trunc).collect();
    Ok(rules)
}

fn set<T: Default>(field: &mut T, setting: Setting<T>) {
    match setting {
        Setting::Keep => {}
        Setting::Default => *field = T::default(),
        Setting::To(value) => *field = value,
    }
}

fn checked(
    setting: Setting<Vec<String>>,
    check: impl Fn(&str) -> Result<String, Fault>,
) -> Result<Setting<Vec<String>>, Fault> {
    let Setting::To(list) = setting else { return Ok(setting) };
    let mut list = list.iter().map(|item| check(item)).collect::<Result<Vec<_>, _>>()?;
    list.sort();
    list.dedup();
    Ok(Setting::To(list))
}

fn sender(given: &str, domain: &str) -> Result<String, Fault> {
    let address = mailbox(given)?;
    if address.rsplit_once('@').is_some_and(|(_, host)| host == domain) {
        return Ok(address);
    }
    Err(Fault::invalid(
        format!("`{given}` is not an address of {domain}."),
        "An SMTP user sends from its own domain alone; a subdomain is a domain of its own.",
    )
    .named("smtp-user-sender", &[("address", &given), ("domain", &domain)]))
}

fn hash(book: &impl Book, password: &Secret) -> PasswordHash {
    PasswordKey::new(book.password_key()).hash(password.expose())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rules_change_one_by_one_and_go_back() {
        let now = Timestamp(1_000);
        let change = RulesChange {
            networks: Setting::To(vec!["192.0.2.77/24".parse().unwrap()]),
            senders: Setting::To(vec!["shop@EXAMPLE.com".into(), "shop@example.com".into()]),
            sandbox: Setting::To(true),
            retry_seconds: Setting::To(3600),
            priority: Setting::To(Class::Low),
            ..RulesChange::default()
        };
        let rules = changed_rules(UserRules::default(), change, "example.com", now).unwrap();
        assert_eq!(rules.networks[0].to_string(), "192.0.2.0/24");
        assert_eq!(rules.senders, ["shop@example.com"]);
        assert!(rules.sandbox && rules.priority == Class::Low);
        let change = RulesChange { sandbox: Setting::Default, retry_seconds: Setting::Default, ..Default::default() };
        let rules = changed_rules(rules, change, "example.com", now).unwrap();
        assert!(!rules.sandbox);
        assert_eq!(rules.retry_seconds, None);
        assert_eq!(rules.senders, ["shop@example.com"]);
    }

    #[test]
    fn impossible_rules_are_refused() {
        let now = Timestamp(1_000_000);
        for change in [
            RulesChange { expires_at: Setting::To(Timestamp(999_999)), ..Default::default() },
            RulesChange { retry_seconds: Setting::To(1), ..Default::default() },
            RulesChange { repeat_seconds: Setting::To(8 * 86_400), ..Default::default() },
            RulesChange { senders: Setting::To(vec!["a@other.example".into()]), ..Default::default() },
            RulesChange { senders: Setting::To(vec!["a@sub.example.com".into()]), ..Default::default() },
            RulesChange { recipient_domains: Setting::To(vec!["nodot".into()]), ..Default::default() },
        ] {
            assert!(changed_rules(UserRules::default(), change.clone(), "example.com", now).is_err(), "{change:?}");
        }
    }
}
