//! The ledger as a model: a consumer of the log that keeps events and a position together, in batches that it syncs now
//! and then; a crash may take those that are not.

use std::time::Duration;

use relay::account::Account;
use relay::activity::{ActivityDetail, ActivityFilter, ActivityRow, ConnectionRow, DailyCount, Erased, Status};
use relay::clock::Day;
use relay::id::{Id, MessageId};
use relay::queue::Envelope;
use relay::quota::Charges;
use relay::report::Recipient;
use relay::store::{History, StoreError};
use store::embedded::counting::Counting;
use store::embedded::spool::{Batch, Event, Position};

use crate::rng::Rng;
use crate::store::SimStore;
use crate::world::lock;

/// What it has read, in order.
#[derive(Default)]
pub struct Ledger {
    /// Every event, with the position behind it.
    pub events: Vec<(Position, Event)>,
    /// Where to read on.
    pub position: Position,
    /// Where each batch ended: how many events, and the position.
    batches: Vec<(usize, Position)>,
    /// How many batches are synced.
    synced: usize,
    /// What counts towards the quotas, and how far it was counted: in another file, which is synced each time.
    charged: (Charges, Position),
}

impl Ledger {
    /// Takes a batch in, unsynced.
    ///
    /// # Errors
    /// It is not in order.
    pub fn take(&mut self, batch: Batch) -> Result<(), String> {
        let mut last = self.position;
        for (position, event) in batch.events {
            if position <= last || position > batch.next {
                return Err(format!("an event at {position:?} behind {last:?}, before {:?}", batch.next));
            }
            last = position;
            self.events.push((position, event));
        }
        self.position = self.position.max(batch.next);
        self.batches.push((self.events.len(), self.position));
        Ok(())
    }

    /// Everything is synced: how far.
    pub fn sync(&mut self) -> Position {
        self.synced = self.batches.len();
        self.position
    }

    /// How far the quotas are counted for good.
    pub fn charged(&self) -> Position {
        self.charged.1
    }

    /// What was counted since is written down.
    pub fn charge(&mut self, counting: &mut Counting) {
        self.charged.0.extend(counting.sums().iter());
        self.charged.1 = counting.position();
        *counting = Counting::from(counting.position());
    }

    /// The power went: some of what was not synced is gone. Whether anything is.
    pub fn lose(&mut self, rng: &mut Rng) -> bool {
        let kept = rng.between(self.synced as u64, self.batches.len() as u64) as usize;
        if kept == self.batches.len() {
            return false;
        }
        self.batches.truncate(kept);
        let (events, position) = self.batches.last().copied().unwrap_or_default();
        self.events.truncate(events);
        self.position = position;
        self.synced = self.synced.min(kept);
        true
    }

    /// Whether it has read of a message's acceptance.
    pub fn knows(&self, message: MessageId) -> bool {
        self.accepted(message).is_some()
    }

    fn accepted(&self, message: MessageId) -> Option<&Envelope> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::Committed(envelope) if envelope.message == message => Some(&**envelope),
            _ => None,
        })
    }
}

/// Counts all that the log tells beyond what is counted.
///
/// # Errors
/// The log cannot be read.
pub fn read_on(counting: &mut Counting, store: &SimStore) -> Result<(), StoreError> {
    loop {
        let batch = store.spool.events(counting.position(), 50)?;
        if batch.next <= counting.position() {
            return Ok(());
        }
        counting.take(&batch);
    }
}

fn row(envelope: &Envelope) -> ActivityRow {
    ActivityRow {
        row: 1,
        at: envelope.accepted_at,
        updated_at: envelope.accepted_at,
        status: Status::Accepted,
        recipient: String::new(),
        sender: String::new(),
        subject: envelope.facts.subject.clone(),
        message: Some(envelope.message),
        account: envelope.account,
        user: envelope.user,
        domain: envelope.domain,
        session: None,
        class: None,
        reason: String::new(),
        reply: String::new(),
        reference: String::new(),
        attempts: 0,
        count: 1,
        sandbox: false,
        held: None,
        last_attempt: None,
    }
}

/// Only what the relay itself asks of history: whether a message was ever accepted.
impl History for SimStore {
    fn activity(&self, filter: &ActivityFilter) -> Result<Vec<ActivityRow>, StoreError> {
        let ledger = lock(&self.world.ledger);
        let found = filter.message.and_then(|message| ledger.accepted(message));
        Ok(found.map(row).into_iter().collect())
    }

    fn activity_since(&self, cursor: u64, _: &ActivityFilter) -> Result<(Vec<ActivityRow>, u64), StoreError> {
        Ok((Vec::new(), cursor))
    }

    fn activity_cursor(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn activity_changed(&self, _: u64, _: Option<Id<Account>>, patience: Duration) {
        tokio::time::sleep(patience).await;
    }

    fn activity_detail(&self, _: u64) -> Result<Option<ActivityDetail>, StoreError> {
        Ok(None)
    }

    fn connections(&self, _: Option<Id<Account>>, _: Option<u64>, _: usize) -> Result<Vec<ConnectionRow>, StoreError> {
        Ok(Vec::new())
    }

    fn sent(&self, _: Option<Id<Account>>, _: Day, _: Day) -> Result<Vec<DailyCount>, StoreError> {
        Ok(Vec::new())
    }

    fn sent_by_all(&self, _: Day, _: Day) -> Result<Vec<DailyCount>, StoreError> {
        Ok(Vec::new())
    }

    fn erase(&self, _: Id<Account>, _: &str) -> Result<Erased, StoreError> {
        Err(StoreError::Unavailable("this world keeps no rows".to_owned()))
    }

    fn recipients_of(&self, _: MessageId) -> Result<Vec<Recipient>, StoreError> {
        Ok(Vec::new())
    }

    fn charges(&self) -> Result<Charges, StoreError> {
        let mut counting = lock(&self.counting);
        read_on(&mut counting, self)?;
        let mut charges = lock(&self.world.ledger).charged.0.clone();
        charges.extend(counting.sums().iter());
        Ok(charges)
    }

    async fn caught_up(&self) {}
}
