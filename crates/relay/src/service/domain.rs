//! Sending domains, their keys, and the addresses that an account does not send to.

use smtp::server::Secret;
use std::sync::Arc;

use super::name::DNS_NAME_OCTETS_MAX;
use super::{Caller, Fault, SYSTEM_ACCOUNT, account_find, domain_name, room};
use crate::account::Account;
use crate::dice::Dice;
use crate::id::Id;
use crate::limits::ACCOUNT_DOMAINS_MAX;
use crate::power::Scope;
use crate::rotation::Step;
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use crate::store::{Book, NewDkimKey};
use crate::verification;

const SELECTOR_LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
const SELECTOR_CHARACTERS: usize = 12;

/// Adds a sending domain to an account, in state pending, with two new keys of each algorithm.
///
/// Takes a second and more: RSA keys are made here.
///
/// # Errors
/// The name is not a domain or too long to be signed for, the account has it already, has no room for more or does not
/// exist, or a key could not be made.
pub fn domain_add(
    book: &impl Book,
    account: Id<Account>,
    name: &str,
    dice: &mut dyn Dice,
    caller: Caller<'_>,
) -> Result<Arc<SendingDomain>, Fault> {
    let name = domain_name(name)?;
    keys_fit(&name)?;
    // the relay's own mail is sent from domains of the system account, which is in no list
    if account != SYSTEM_ACCOUNT {
        account_find(book, account)?;
    }
    let directory = book.directory();
    let same =
        |domain: &&Arc<SendingDomain>| domain.account == account && domain.name == name && domain.deleted_at.is_none();
    if let Some(domain) = directory.domains.values().find(same) {
        return Err(Fault::conflict(
            format!("Account {account} has {name} already, as domain {}.", domain.id),
            "Use that one.",
        )
        .named("domain-double", &[("domain", &name)]));
    }
    // deleted ones too: they are held in memory until their queue is empty
    let count = directory.domains.values().filter(|domain| domain.account == account).count();
    room::for_one_more(Some(account), count, ACCOUNT_DOMAINS_MAX, caller.limits.account_domains_max)?;
    let mut keys = Vec::with_capacity(4);
    for algorithm in KeyAlgorithm::ALL {
        for active in [true, false] {
            keys.push(new_key(algorithm, active, dice)?);
        }
    }
    Ok(book.domain_add(account, &name, keys, caller.actor, caller.now)?)
}

/// Whether the names of the domain's keys are still names that DNS can have: it would be looked for in vain for ever.
fn keys_fit(name: &str) -> Result<(), Fault> {
    let longest = verification::record_name(&"s".repeat(SELECTOR_CHARACTERS), name).len();
    if longest <= DNS_NAME_OCTETS_MAX {
        return Ok(());
    }
    let most = DNS_NAME_OCTETS_MAX - (longest - name.len());
    Err(Fault::invalid(
        format!("`{name}` is too long to be signed for: the names of its keys would be longer than DNS allows."),
        format!("Send from a domain of at most {most} octets."),
    )
    .named("domain-too-long", &[("domain", &name), ("most", &most)]))
}

fn new_key(algorithm: KeyAlgorithm, active: bool, dice: &mut dyn Dice) -> Result<NewDkimKey, Fault> {
    made_key(new_selector(dice), algorithm, active)
}

/// A new key for a selector.
fn made_key(selector: String, algorithm: KeyAlgorithm, active: bool) -> Result<NewDkimKey, Fault> {
    let private = match algorithm {
        KeyAlgorithm::Rsa2048 => message::dkim::generate_rsa(),
        KeyAlgorithm::Ed25519 => message::dkim::generate_ed25519(),
    };
    let made = private.and_then(|private| Ok((message::dkim::record(&private)?, private)));
    let (record, private) = made.map_err(|error| Fault::unavailable(error.to_string(), "Try again."))?;
    Ok(NewDkimKey { key: DkimKey::new(selector, algorithm, record, active), private: Secret::new(private) })
}

/// A label of 12 letters and digits (60 bits), so that none is ever given twice.
fn new_selector(dice: &mut dyn Dice) -> String {
    let letter = |_| {
        let place = dice.below(SELECTOR_LETTERS.len() as u64) as usize;
        char::from(SELECTOR_LETTERS[place])
    };
    (0..SELECTOR_CHARACTERS).map(letter).collect()
}

/// The domain with this number or this name, of those that the caller sees.
///
/// # Errors
/// There is none, or several accounts have it: then it has to be named by number.
pub fn domain_find(book: &impl Book, given: &str, scope: Scope) -> Result<Arc<SendingDomain>, Fault> {
    let directory = book.directory();
    let unknown = || {
        let told = Fault::not_found(format!("There is no domain `{given}`."), "The list of domains shows them all.");
        told.named("domain-none", &[("domain", &given)]).see("DomainList")
    };
    let is_there = |domain: &&Arc<SendingDomain>| domain.deleted_at.is_none() && scope.sees(domain.account);
    if let Ok(number) = given.parse::<Id<SendingDomain>>() {
        let found = directory.domains.get(&number).filter(is_there);
        return found.cloned().ok_or_else(unknown);
    }
    let name = domain_name(given)?;
    let mut found: Vec<_> =
        directory.domains.values().filter(|domain| domain.name == name && is_there(domain)).collect();
    found.sort_by_key(|domain| domain.id);
    match found.as_slice() {
        [] => Err(unknown()),
        [domain] => Ok(Arc::clone(domain)),
        several => {
            let list: Vec<_> = several.iter().map(|d| format!("{} (account {})", d.id, d.account)).collect();
            Err(Fault::conflict(
                format!("Several accounts have {name}: {}.", list.join(", ")),
                "Name it by its number.",
            )
            .named("domain-unclear", &[("domain", &name)]))
        }
    }
}

/// The operator vouches for a domain, or takes the word back, which leaves it pending.
///
/// # Errors
/// Another account's claim on the name is stronger.
pub fn domain_vouch(
    book: &impl Book,
    domain: &SendingDomain,
    vouched: bool,
    caller: Caller<'_>,
) -> Result<Arc<SendingDomain>, Fault> {
    let state = match (vouched, domain.state) {
        (true, DomainState::Validated) => {
            return Err(Fault::conflict(
                format!("{} is validated by its records in DNS.", domain.name),
                "Nothing is to be done: a validated domain needs nobody's word.",
            )
            .named("domain-needs-no-word", &[("domain", &domain.name)]));
        }
        (true, _) => DomainState::Vouched,
        (false, DomainState::Vouched) => DomainState::Pending,
        (false, _) => {
            return Err(Fault::conflict(
                format!("{} is not vouched for.", domain.name),
                "Nothing is to be taken back.",
            )
            .named("domain-not-vouched", &[("domain", &domain.name)]));
        }
    };
    Ok(book.domain_state(domain.id, state, caller.actor, caller.now)?)
}

/// Switches the domain's bounce mails on or off.
///
/// # Errors
/// The store's.
pub fn domain_bounce_mails(
    book: &impl Book,
    domain: &SendingDomain,
    on: bool,
    caller: Caller<'_>,
) -> Result<Arc<SendingDomain>, Fault> {
    Ok(book.domain_bounce_mails(domain.id, on, caller.actor, caller.now)?)
}

/// Moves the signing of a domain to the other selector of each of these algorithms: of all, or of none where one
/// cannot be. Nothing changes in DNS; messages already sealed keep their seal.
///
/// # Errors
/// The record of a spare selector was not in DNS at the last look, and `force` is not given; the store's.
pub fn domain_rotate(
    book: &impl Book,
    domain: &SendingDomain,
    algorithms: &[KeyAlgorithm],
    force: bool,
    caller: Caller<'_>,
) -> Result<Arc<SendingDomain>, Fault> {
    let spares = domain.keys.iter().filter(|key| !key.active && algorithms.contains(&key.algorithm));
    let missing: Vec<_> =
        spares.filter(|key| !verification::is_there(domain, key)).map(|key| verification::name(domain, key)).collect();
    if !missing.is_empty() && !force {
        return Err(Fault::conflict(
            format!("Not in DNS, as far as the last look told: {}.", missing.join(", ")),
            "Publish these records, as the domain shows them, and try again in some minutes; or rotate one algorithm \
             alone, or by force.",
        )
        .meaning("Signed with such a key, mail would look forged or unsigned. Nothing was changed.")
        .named("domain-keys-unseen", &[("records", &missing.join(", "))])
        .see("DomainShow"));
    }
    let mut rotated = Arc::new(domain.clone());
    for algorithm in algorithms {
        rotated = book.domain_rotate(domain.id, *algorithm, force, caller.actor, caller.now)?;
    }
    Ok(rotated)
}

/// Takes a step of the automatic rotation that changes a domain's keys ([`crate::rotation::steps`]). A new RSA key takes a
/// good part of a second.
///
/// # Errors
/// A key could not be made; the keys moved since the step was found; the store's. It is found again where it is still due.
pub fn domain_step(book: &impl Book, domain: &SendingDomain, step: Step, caller: Caller<'_>) -> Result<(), Fault> {
    match step {
        Step::Look => {}
        Step::Move(algorithm) => drop(domain_rotate(book, domain, &[algorithm], false, caller)?),
        Step::Renew { selector, algorithm, ended_at } => {
            let key = made_key(selector, algorithm, false)?;
            book.domain_renew(domain.id, key, ended_at, caller.actor, caller.now)?;
        }
    }
    Ok(())
}

/// Deletes a domain: its users stop at once, its queue has 24 h, or is given up where `cancels_mail`.
///
/// # Errors
/// The store's.
pub fn domain_delete(
    book: &impl Book,
    domain: &SendingDomain,
    cancels_mail: bool,
    caller: Caller<'_>,
) -> Result<(), Fault> {
    Ok(book.domain_delete(domain.id, cancels_mail, caller.actor, caller.now)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_room_for_those_of_its_keys() {
        let label = "a".repeat(61);
        let name = |rest: usize| format!("{label}.{label}.{label}.{}.example", "b".repeat(rest));
        assert_eq!((name(35).len(), keys_fit(&name(35))), (229, Ok(())));
        let fault = keys_fit(&name(36)).err().map(|fault| fault.remedy);
        assert_eq!(fault.as_deref(), Some("Send from a domain of at most 229 octets."));
        assert!(domain_name(&name(36)).is_ok(), "mail can be sent to it");
    }
}
