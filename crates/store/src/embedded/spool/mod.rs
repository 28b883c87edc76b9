//! Live mail in an append-only log of segments: what is acknowledged is synced, what is settled is forgotten.
//!
//! [`LogSpool`] is the room's door. Its log is also read by consumers (the ledger): [`LogSpool::events`].

mod lock;
mod options;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use relay::activity::Notice;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, HoldReason, Settlement};
use relay::store::{Claimed, QueueEntry, StoreError, StoreHealth};

pub use lock::{Lock, LockError};
pub use options::Options;

/// A place in the log, in octets since it began: never given twice, in the order of events. A consumer keeps
/// the position that came with what it has durably stored, and goes on from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// What the log tells its consumers. Effects must be idempotent: after a crash events come again.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A message was accepted.
    Committed(Arc<Envelope>),
    /// What an attempt, a cancellation or an expiry made of recipients.
    Settled(Settlement),
    /// Its waiting recipients were held.
    Held {
        /// The message.
        message: MessageId,
        /// Why.
        reason: HoldReason,
        /// When.
        at: Timestamp,
    },
    /// Its held recipients were made due.
    Released {
        /// The message.
        message: MessageId,
        /// When.
        at: Timestamp,
    },
    /// Refusals, as handed to `note`.
    Noticed(Vec<Notice>),
}

/// Events read from the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Each with the position behind it.
    pub events: Vec<(Position, Event)>,
    /// Where to go on: at or behind the last event's position. To be stored even where `events` is empty and it
    /// grew, or the log cannot be recycled.
    pub next: Position,
}

/// Live mail of one process, which owns the folder: [`relay::store::Spool`] over a log of segments.
pub struct LogSpool {}

impl LogSpool {
    /// Opens or makes the spool in `folder`, whose lock the caller holds: reads checkpoint and log, cuts a torn
    /// tail, reports damage in [`StoreHealth::damage`], removes what nobody names, writes the new epoch, starts
    /// its two threads. `consumed` is what the consumer has durably stored ([`Position::default`] at first).
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] where not even the reserve can be allocated, [`StoreError::Unavailable`] where the
    /// folder cannot be read or written.
    pub fn open(folder: &Path, options: Options, consumed: Position) -> Result<LogSpool, StoreError> {
        let _ = (folder, options, consumed);
        Err(StoreError::Unavailable("not yet".into()))
    }

    /// Writes what waits, then a checkpoint, and ends the threads. Later verbs fail with
    /// [`StoreError::Unavailable`]. Blocks on the disk. Dropping the spool does the same.
    pub fn close(&self) {}

    /// Synced events from `from` on, at most `max`; `from` is a [`Batch::next`] or an event's position. Begins
    /// with the oldest there is where `from` lies before it. Blocks on the disk: call it off the async threads.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the log cannot be read now.
    pub fn events(&self, from: Position, max: usize) -> Result<Batch, StoreError> {
        let _ = max;
        Ok(Batch { events: Vec::new(), next: from })
    }

    /// How far the log is synced: all events before it can be read.
    pub fn synced(&self) -> Position {
        Position(0)
    }

    /// Waits until the log is synced beyond `past`, or `patience` ends, or the spool closes; returns how far.
    pub fn wait_synced(&self, past: Position, patience: Duration) -> Position {
        let _ = (past, patience);
        Position(0)
    }

    /// As [`LogSpool::wait_synced`], for a task.
    pub async fn synced_past(&self, past: Position) -> Position {
        let _ = past;
        Position(0)
    }

    /// The consumer has durably stored everything before `position`: those segments may be recycled.
    pub fn consumed(&self, position: Position) {
        let _ = position;
    }

    /// The number of this start, higher at each: the fence.
    pub fn epoch(&self) -> u32 {
        0
    }
}

/// Content being received; dropped without `commit`, it leaves nothing behind.
pub struct LogDraft {}

impl relay::store::Draft for LogDraft {
    async fn append(&mut self, octets: Bytes) -> Result<(), StoreError> {
        let _ = octets;
        Err(StoreError::Unavailable("not yet".into()))
    }

    fn octets(&self) -> u64 {
        0
    }
}

impl relay::store::Spool for LogSpool {
    type Draft = LogDraft;

    fn draft(&self) -> Result<LogDraft, StoreError> {
        Ok(LogDraft {})
    }

    async fn commit(&self, envelope: Envelope, draft: LogDraft) -> Result<(), StoreError> {
        let _ = (envelope, draft);
        Err(StoreError::Unavailable("not yet".into()))
    }

    async fn claim(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        let _ = message;
        Ok(None)
    }

    fn unclaim(&self, message: MessageId) {
        let _ = message;
    }

    fn seal(&self, message: MessageId, seal: Bytes) {
        let _ = (message, seal);
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        let _ = settlement;
        Err(StoreError::Unavailable("not yet".into()))
    }

    async fn hold(&self, message: MessageId, reason: HoldReason, now: Timestamp) -> Result<(), StoreError> {
        let _ = (message, reason, now);
        Err(StoreError::Unavailable("not yet".into()))
    }

    async fn release(&self, message: MessageId, now: Timestamp) -> Result<(), StoreError> {
        let _ = (message, now);
        Err(StoreError::Unavailable("not yet".into()))
    }

    fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry> {
        let _ = (after, limit);
        Vec::new()
    }

    async fn peek(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        let _ = message;
        Ok(None)
    }

    fn note(&self, notices: Vec<Notice>) {
        let _ = notices;
    }

    fn health(&self) -> StoreHealth {
        StoreHealth::default()
    }
}
