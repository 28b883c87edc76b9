//! After each start: what was acknowledged is there, what was settled is not, and nothing else is.

use std::collections::BTreeMap;

use relay::id::MessageId;
use relay::store::{Content, QueueEntry, Spool};

use crate::damage::Damage;
use crate::rng::Rng;
use crate::store::SimStore;
use crate::world::World;

/// Messages whose content is read after a start.
const READ_MAX: u64 = 6;

/// Looks at the queue that a start came up with.
pub async fn check(world: &World, store: &SimStore, damage: &mut Damage, rng: &mut Rng) {
    let queue = store.queue(None, usize::MAX);
    let found: BTreeMap<MessageId, &QueueEntry> = queue.iter().map(|entry| (entry.message, entry)).collect();
    let mut faults = Vec::new();
    {
        let mut mail = world.mail();
        faults.extend(
            found
                .keys()
                .filter(|id| !mail.messages.contains_key(id))
                .map(|id| format!("{id} is in the queue, and nobody ever handed it in")),
        );
        for (id, message) in &mut mail.messages {
            faults.extend(message.recovered(found.get(id).copied()).err());
        }
    }
    faults.into_iter().for_each(|fault| world.violation(fault));
    for _ in 0..READ_MAX.min(queue.len() as u64) {
        let entry = &queue[rng.below(queue.len() as u64) as usize];
        read(world, store, damage, entry.message).await;
    }
}

/// The content of a live message is the one that was handed in.
async fn read(world: &World, store: &SimStore, damage: &mut Damage, id: MessageId) {
    let read = store.peek(id).await;
    // what a start does not look at is told when it is read
    damage.told(world, &store.health().damage);
    let (excuse, token, letter) = {
        let mail = world.mail();
        let Some(message) = mail.messages.get(&id) else { return };
        let letter = mail.attempts.get(&message.token).map(|attempt| mail.letters[attempt.key].clone());
        (message.excuse, message.token.clone(), letter)
    };
    match read {
        Ok(Some(claimed)) => {
            let Content::Held(content) = &claimed.content else { return };
            if let Some(letter) = letter
                && !content.ends_with(&letter.content(&token))
            {
                world.violation(format!("{id} ({token}): the kept content is not what was sent"));
            }
        }
        Ok(None) => world.violation(format!("{id} ({token}): in the queue, and not to be read")),
        // whatever cannot be read is told, and only what was damaged cannot
        Err(error) if !excuse.unreadable && !world.is_dead() => {
            world.violation(format!("{id} ({token}): cannot be read: {error}"));
        }
        Err(_) => {}
    }
}
