//! Automatic brakes that are on: who sees them, and who releases them.

use super::{Caller, Fault};
use crate::account::Account;
use crate::brake::{Brake, Release, Seen, Subject};
use crate::id::Id;
use crate::power::Scope;
use crate::store::{Book, Brakes};

/// The brakes that are on and that a caller sees, of one account or of all.
pub fn brakes(book: &impl Book, account: Option<Id<Account>>, scope: Scope) -> Vec<Brake> {
    let directory = book.directory();
    let is_its = |brake: &&Brake| {
        brake.is_on() && scope.sees(brake.account) && account.is_none_or(|account| account == brake.account)
    };
    directory.brakes.values().filter(is_its).cloned().collect()
}

/// The brake of this name that is on.
///
/// # Errors
/// There is none, as far as the caller sees.
pub fn brake_find(book: &impl Book, given: &str, scope: Scope) -> Result<Brake, Fault> {
    let found = given.trim().parse::<Subject>().ok().and_then(|subject| {
        let brake = book.directory().brakes.get(&subject).cloned()?;
        (brake.is_on() && scope.sees(brake.account)).then_some(brake)
    });
    found.ok_or_else(|| {
        let told = Fault::not_found(format!("No brake `{given}` is on."), "The list of brakes shows those that are.");
        told.named("brake-none", &[("brake", &given)]).see("BrakeList")
    })
}

/// Releases a brake: new mail is taken again, and what was held goes out. `seen` is what the daily counters say.
///
/// # Errors
/// The account has released the one before within a day: then the operator looks first.
pub fn brake_release(
    store: &(impl Book + Brakes),
    brake: &Brake,
    seen: Seen,
    caller: Caller<'_>,
) -> Result<Brake, Fault> {
    let by_operator = caller.scope == Scope::Operator;
    if !by_operator && !brake.is_for_the_account(caller.now) {
        return Err(Fault::conflict(
            format!("Brake {} went on again within a day of its release.", brake.subject),
            "Ask the operator of the relay, who looks at it and can release it.",
        )
        .named("brake-again", &[("brake", &brake.subject)]));
    }
    let release = Release { at: caller.now, by: caller.actor.name.clone(), by_operator, seen };
    Ok(store.brake_release(brake.subject, release, caller.actor)?)
}
