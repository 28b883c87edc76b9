//! Nothing is held longer than its cause lasts.

use relay::account::AccountState;
use relay::brake;
use relay::queue::RecipientState;
use relay::store::{Book, Spool};

use super::due::TROUBLE_LASTS;
use crate::store::SimStore;
use crate::world::World;

/// How soon the driver looks by itself whether accounts or brakes changed, and what it takes to release all that they held.
const GRACE: u64 = 90_000;

/// Looks for whom everybody forgot. `trouble_at`: when the store last could not do something, milliseconds of the world.
pub fn check(world: &World, store: &SimStore, began: u64, trouble_at: Option<u64>) {
    let passed = world.clock.milliseconds();
    let has_trouble = trouble_at.is_some_and(|at| passed - at < TROUBLE_LASTS);
    let mail = world.mail();
    let since = began.max(mail.changed_at);
    if passed - since < GRACE || has_trouble || store.is_latched() {
        return;
    }
    let directory = store.directory();
    let is_suspended =
        |account| directory.accounts.get(&account).is_some_and(|known| known.state == AccountState::Suspended);
    for entry in store.queue(None, usize::MAX) {
        let is_forgotten = |state: &RecipientState| match state {
            RecipientState::Held { reason, .. } => !reason.is_for_the_operator(),
            RecipientState::Waiting { .. } | RecipientState::Settled => false,
        };
        let Some((recipient, _, state)) = entry.recipients.iter().find(|(_, _, state)| is_forgotten(state)) else {
            continue;
        };
        let Some(message) = mail.messages.get(&entry.message).filter(|message| !message.excuse.unreadable) else {
            continue;
        };
        let is_braked = brake::of_user(&directory.brakes, entry.account, message.envelope.user).is_some();
        if !is_suspended(entry.account) && !is_braked {
            let fault =
                format!("{}: recipient {recipient} is {state:?}, and nothing is there to hold it", entry.message);
            drop(mail);
            world.violation(fault);
            return;
        }
    }
}
