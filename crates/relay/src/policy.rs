//! What one SMTP user may do: log in now, send from this address, send to that one, with this From.

use message::admission::From;
use smtp::address::{Address, ReversePath};
use smtp::replies;
use smtp::reply::Reply;
use std::net::IpAddr;

use crate::account::AccountState;
use crate::brake;
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::plan::Standing;
use crate::priority::Priority;
use crate::sending_domain::{DomainState, SendingDomain};
use crate::smtp_user::SmtpUser;
use crate::verification;

/// A refusal by policy: what the client hears, and the true reason for the owner of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the client hears.
    pub reply: Reply,
    /// The true reason; empty where the reply says it all.
    pub reason: String,
}

impl Refusal {
    /// A refusal whose reply says it all.
    pub fn plain(reply: Reply) -> Self {
        Refusal { reply, reason: String::new() }
    }
}

/// Whether an SMTP user whose password is right may log in from here, now.
///
/// # Errors
/// The refusal. From a wrong network it reads like a wrong password.
pub fn login(user: &SmtpUser, directory: &Directory, remote: IpAddr, now: Timestamp) -> Result<(), Refusal> {
    if !is_near(user, remote) {
        let reason =
            format!("The password is right, but this SMTP user may not log in from {}.", remote.to_canonical());
        return Err(Refusal { reply: replies::auth_invalid(), reason });
    }
    active(user, directory, now)
}

/// Whether somebody who may submit for an SMTP user's account may do so for this one from here, now: over HTTP, where no
/// password is given.
///
/// # Errors
/// The refusal. Whoever hears it has proven who they are: it says which network is wrong.
pub fn handing_in(user: &SmtpUser, directory: &Directory, remote: IpAddr, now: Timestamp) -> Result<(), Refusal> {
    if !is_near(user, remote) {
        return Err(Refusal::plain(replies::network_not_allowed(&remote.to_canonical().to_string())));
    }
    active(user, directory, now)
}

/// Whether an address is in one of the user's networks.
fn is_near(user: &SmtpUser, remote: IpAddr) -> bool {
    let (networks, remote) = (&user.rules.networks, remote.to_canonical());
    networks.is_empty() || networks.iter().any(|network| network.contains(&remote))
}

/// Whether an SMTP user and its account are active, whatever the password.
///
/// # Errors
/// The `525` that says what is not.
pub fn active(user: &SmtpUser, directory: &Directory, now: Timestamp) -> Result<(), Refusal> {
    let account = directory.accounts.get(&user.account);
    let Some(account) = account.filter(|account| account.state != AccountState::Suspended) else {
        return Err(Refusal::plain(replies::account_suspended()));
    };
    if let Some(reason) = without_plan(account.standing(account.day(now))) {
        Err(Refusal { reply: replies::account_without_plan(), reason: reason.to_owned() })
    } else if !user.enabled {
        Err(Refusal::plain(replies::user_disabled()))
    } else if user.rules.expires_at.is_some_and(|end| end <= now) {
        Err(Refusal::plain(replies::user_expired()))
    } else {
        Ok(())
    }
}

/// Why an account has no plan, where it has none.
fn without_plan(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Plan(_) => None,
        Standing::Cancelled => Some("The password is right, but the plan of the account was cancelled."),
        Standing::Unapproved => Some("The password is right, but no plan was approved for the account yet."),
    }
}

/// When an application whose mail a brake puts off is told to try again, in seconds.
pub const BRAKE_RETRY_SECONDS: u64 = 3600;

/// The refusal of an SMTP user's mail where a brake is on for it, or for its account.
pub fn braked(user: &SmtpUser, directory: &Directory) -> Option<Refusal> {
    let brake = brake::of_user(&directory.brakes, user.account, Some(user.id))?;
    Some(Refusal::plain(replies::brake_on(&brake.subject.to_string(), BRAKE_RETRY_SECONDS)))
}

/// Whether an SMTP user of `domain` may send with this reverse-path. An empty one is judged by From later.
///
/// # Errors
/// The refusal.
pub fn reverse_path(user: &SmtpUser, domain: &SendingDomain, path: &ReversePath) -> Result<(), Refusal> {
    if let ReversePath::Mailbox(address) = path {
        if address.domain_ascii() != domain.name {
            return Err(Refusal::plain(replies::sender_domain_foreign(address.domain(), &domain.name)));
        }
        if !is_listed(&user.rules.senders, address.local(), &domain.name) {
            return Err(Refusal::plain(replies::sender_not_allowed(&address.to_string())));
        }
    }
    authenticated(domain).map_err(|reason| {
        let reply = replies::sender_domain_unauthenticated(&domain.name);
        Refusal { reply, reason }
    })
}

/// Whether an SMTP user of `domain` may send a message with this From; its one address.
///
/// # Errors
/// The refusal.
pub fn from<'a>(user: &SmtpUser, domain: &SendingDomain, from: &'a From) -> Result<&'a str, Refusal> {
    let address = match from {
        From::Missing => return Err(Refusal::plain(replies::from_missing())),
        From::Several => return Err(Refusal::plain(replies::from_several())),
        From::One(address) => address,
    };
    let Some((local, given)) = address.rsplit_once('@') else {
        return Err(Refusal::plain(replies::from_several()));
    };
    let ascii = idna::domain_to_ascii(given).unwrap_or_else(|_| given.to_owned());
    if ascii != domain.name {
        return Err(Refusal::plain(replies::from_domain_foreign(given, &domain.name)));
    }
    if !is_listed(&user.rules.senders, local, &domain.name) {
        return Err(Refusal::plain(replies::from_not_allowed(address)));
    }
    match authenticated(domain) {
        Ok(()) => Ok(address),
        Err(reason) => Err(Refusal { reply: replies::from_domain_unauthenticated(&domain.name), reason }),
    }
}

/// What becomes of a recipient that is well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It is delivered to.
    Deliver,
    /// It is answered `250` and not delivered to.
    Suppress,
    /// It is refused.
    Refuse(Refusal),
}

/// Whether an SMTP user may send to this recipient now.
pub fn forward_path(user: &SmtpUser, directory: &Directory, path: &Address, now: Timestamp) -> Taking {
    let domain = path.domain_ascii();
    let allowed = &user.rules.recipient_domains;
    if !allowed.is_empty() && !allowed.iter().any(|one| one.eq_ignore_ascii_case(&domain)) {
        return Taking::Refuse(Refusal::plain(replies::recipient_not_allowed(path.domain())));
    }
    let suppressed = directory.suppressions.get(&user.account).is_some_and(|addresses| {
        let spelt = path.to_string().to_lowercase();
        let holds = |address: &str| addresses.hold(address, user.id, now);
        holds(&spelt) || holds(&format!("{}@{domain}", path.local()).to_lowercase())
    });
    match (suppressed, user.rules.refuse_suppressed) {
        (false, _) => Taking::Deliver,
        (true, false) => Taking::Suppress,
        (true, true) => Taking::Refuse(Refusal::plain(replies::recipient_suppressed())),
    }
}

fn authenticated(domain: &SendingDomain) -> Result<(), String> {
    if domain.deleted_at.is_some() {
        return Err(format!("The domain {} was deleted.", domain.name));
    }
    match domain.state {
        state if state.may_send() => Ok(()),
        _ if verification::is_held_elsewhere(domain) => {
            Err(format!("{} is validated in another account of this relay.", domain.name))
        }
        DomainState::Pending => Err(format!("The records of {} have not been seen in DNS yet.", domain.name)),
        _ => Err(format!("The records of {} are gone from DNS, or wrong.", domain.name)),
    }
}

fn is_listed(list: &[String], local: &str, domain: &str) -> bool {
    // case is compared loosely: people write Shop@ and mean shop@, and both are the owner's
    let given = format!("{local}@{domain}").to_lowercase();
    list.is_empty() || list.iter().any(|one| one.to_lowercase() == given)
}

/// The priority of a message whose client asked for this one: up to that of its SMTP user, or up to `client_max` where that is
/// more and not 0; where nothing was asked that of the user.
pub fn priority(user: &SmtpUser, asked: Option<Priority>, client_max: i8) -> Priority {
    let own = user.rules.priority.priority();
    let most = Priority::new(client_max).filter(|_| client_max > 0).map_or(own, |most| most.max(own));
    asked.map_or(own, |asked| asked.min(most))
}
