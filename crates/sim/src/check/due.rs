//! No recipient waits past its due time without cause.

use std::sync::Mutex;

use net::clock::Clock;
use relay::queue::RecipientState;
use relay::store::Spool;

use crate::carrier::Carrying;
use crate::store::SimStore;
use crate::world::{World, lock};

/// As long as anything of the relay's own may take.
const GRACE: u64 = 2_000;
/// The longest sleep of the driver after a clock jumped, and a little.
const GRACE_AFTER_JUMP: u64 = 45_000;
/// The longest good-bye of a conversation, whose place is taken until it is over.
const CLOSING: u64 = 15_000;
/// How long a want of room, or a message that could not be read, puts things off.
const TROUBLE_LASTS: u64 = 400_000;

/// Looks for whom nobody cares. `trouble_at`: when the store last could not do something, milliseconds of the world.
pub fn check(world: &World, store: &SimStore, carrying: &Mutex<Carrying>, began: u64, trouble_at: Option<u64>) {
    let passed = world.clock.milliseconds();
    let is_young = passed - began < GRACE_AFTER_JUMP;
    let has_jumped = world.clock.since_jump().is_some_and(|since| since < GRACE_AFTER_JUMP);
    let has_trouble = trouble_at.is_some_and(|at| passed - at < TROUBLE_LASTS);
    if is_young || has_jumped || has_trouble || store.is_latched() {
        return;
    }
    let now = world.clock.now();
    let carrying = lock(carrying);
    if carrying.was_full(world.plan.conversations_max, passed, CLOSING) {
        return;
    }
    for entry in store.queue(None, usize::MAX) {
        for (recipient, domain, state) in &entry.recipients {
            let RecipientState::Waiting { due, .. } = state else { continue };
            let is_late = due.0 + GRACE < now.0;
            let is_carried = carrying.recipients.contains(&(entry.message, *recipient));
            if !is_late || is_carried || carrying.was_busy(domain, passed, CLOSING) {
                continue;
            }
            let is_excused = world.mail().messages.get(&entry.message).is_some_and(|message| message.excuse.unreadable);
            if !is_excused {
                let late = (now.0 - due.0) / 1000;
                world.violation(format!(
                    "{}: recipient {recipient} at {domain} waits {late} s past its due time, and nothing is done for it",
                    entry.message
                ));
                return;
            }
        }
    }
}
