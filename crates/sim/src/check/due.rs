//! No recipient waits past its due time without cause.

use std::sync::{Arc, Mutex};

use net::clock::Clock;
use relay::queue::RecipientState;
use relay::reroute;
use relay::store::{Book, QueueEntry, Spool};

use crate::carrier::Carrying;
use crate::store::SimStore;
use crate::world::hops::routes;
use crate::world::{World, lock};

/// As long as anything of the relay's own may take.
const GRACE: u64 = 2_000;
/// The longest sleep of the driver after a clock jumped, and a little.
const GRACE_AFTER_JUMP: u64 = 45_000;
/// The longest good-bye of a conversation, whose place is taken until it is over.
const CLOSING: u64 = 15_000;
/// How long a want of room, or a message that could not be read, puts things off.
pub(super) const TROUBLE_LASTS: u64 = 400_000;

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
            let RecipientState::Waiting { due, .. } = *state else { continue };
            let ordered = world.mail().promises.due((entry.message, *recipient));
            let due = ordered.map_or(due, |ordered| ordered.min(due));
            let is_late = due.0 + GRACE < now.0;
            let is_carried = carrying.recipients.contains(&(entry.message, *recipient));
            let is_busy = |name: &str| carrying.was_busy(name, passed, CLOSING);
            if !is_late || is_carried || is_busy(domain) || is_busy(&way_of(world, store, &entry, *recipient, domain)) {
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

/// The name of where a recipient goes, as the operator's orders say.
fn way_of(world: &World, store: &SimStore, entry: &QueueEntry, recipient: u16, domain: &str) -> String {
    let envelope = world.mail().messages.get(&entry.message).map(|message| Arc::clone(&message.envelope));
    let directory = store.directory();
    let way = envelope.as_ref().and_then(|envelope| reroute::way(&directory.reroutes, envelope, recipient));
    way.map_or_else(|| domain.to_owned(), |via| routes().site(&routes().toward(via, domain, entry.way_wish())))
}
