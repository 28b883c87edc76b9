//! Turns of what concerns one message: it is done one after the other, and what concerns others mostly beside it.

use relay::id::MessageId;
use tokio::sync::{Mutex, MutexGuard};

/// Messages share so many turns.
const TURNS: usize = 256;

/// Those of all messages.
pub(crate) struct Turns([Mutex<()>; TURNS]);

impl Default for Turns {
    fn default() -> Self {
        Turns(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Turns {
    /// Waits until nobody else has the turn of a message. What was read of it before may not be so any more. Never taken twice at
    /// once: another message may share it.
    pub(crate) async fn of(&self, message: MessageId) -> MutexGuard<'_, ()> {
        let turn = usize::try_from(message.0 % TURNS as u128).unwrap_or(0);
        self.0[turn].lock().await
    }
}
