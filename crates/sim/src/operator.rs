//! The operator: holds, releases, retries and cancels messages, suspends and resumes accounts.

use std::sync::Arc;
use std::time::Duration;

use net::clock::Clock;
use net::dispatch::Handle;
use relay::account::{Account, AccountState};
use relay::id::{Id, MessageId};
use relay::queue::HoldReason;
use relay::store::{Actor, Book, Spool};

use crate::rng::Rng;
use crate::store::SimStore;
use crate::world::World;

/// In whose name.
pub fn by() -> Actor {
    Actor { name: "operator".to_owned(), from: "cli".to_owned() }
}

/// The operator of one life.
pub struct Operator {
    /// The world it is in.
    pub world: Arc<World>,
    /// What it looks at.
    pub store: Arc<SimStore>,
    /// What it commands.
    pub handle: Handle,
    /// Its dice in this life.
    pub rng: Rng,
}

impl Operator {
    /// Gives a command now and then, until the process ends or faults are over.
    pub async fn run(mut self) {
        while !self.world.is_calm() {
            tokio::time::sleep(Duration::from_millis(self.rng.between(100, 60_000))).await;
            self.command().await;
        }
    }

    fn any(&mut self) -> Option<MessageId> {
        let queue = self.store.queue(None, 1_000);
        (!queue.is_empty()).then(|| queue[self.rng.below(queue.len() as u64) as usize].message)
    }

    async fn command(&mut self) {
        let what = self.rng.below(100);
        if what < 16 {
            return self.suspend(what < 8);
        }
        let Some(message) = self.any() else { return };
        self.world.tell(format_args!("operator: command {what} for {message}"));
        let done = match what {
            16..45 => self.handle.hold(message, HoldReason::Operator).await,
            45..75 => self.handle.release(message).await,
            75..95 => self.handle.retry(message).await,
            _ => {
                self.world.mail().cancelled.insert(message);
                self.handle.cancel(message, &by()).await.map(|_| ())
            }
        };
        if let Err(error) = done {
            self.world.tell(format_args!("operator: {message}: {error}"));
        }
    }

    fn suspend(&mut self, suspend: bool) {
        let mut accounts: Vec<Id<Account>> = self.store.directory().accounts.keys().copied().collect();
        accounts.sort();
        let account = accounts[self.rng.below(accounts.len() as u64) as usize];
        let state = if suspend { AccountState::Suspended } else { AccountState::Active };
        self.world.tell(format_args!("operator: account {account} {state:?}"));
        // an account that is there can be changed
        let _ = self.store.account_state(account, state, &by(), self.world.clock.now());
        if self.rng.chance(800) {
            self.handle.directory_changed();
        }
    }

    /// Everything that was held goes: the end of a run.
    pub async fn release_all(&self) {
        let directory = self.store.directory();
        for account in directory.accounts.keys() {
            // as above
            let _ = self.store.account_state(*account, AccountState::Active, &by(), self.world.clock.now());
        }
        self.handle.directory_changed();
        tokio::time::sleep(Duration::from_secs(1)).await;
        for entry in self.store.queue(None, usize::MAX) {
            let is_held =
                entry.recipients.iter().any(|(_, _, state)| matches!(state, relay::queue::RecipientState::Held { .. }));
            if is_held && let Err(error) = self.handle.release(entry.message).await {
                self.world.tell(format_args!("operator: {}: {error}", entry.message));
            }
        }
    }
}
