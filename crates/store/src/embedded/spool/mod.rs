//! Live mail in an append-only log of segments: what is acknowledged is synced, what is settled is forgotten.
//!
//! [`LogSpool`] is the room's door. Its log is also read by consumers (the ledger): [`LogSpool::events`].
//!
//! - `record`, `meta`, `segment`: the form on the disk; `disk`: the little that is asked of a file system.
//! - `request` → `committer`: what waits becomes one write and one sync; `engine` has the threads.
//! - `state`, `index`: live mail in memory; `read`: one message from the disk; `events`: the log for consumers.
//! - `recovery`, `scan`, `checkpoint`: the start; `damage`: what it found, until the operator has seen it.
//! - `snapshot`: a moment for a backup, `repair`: what the operator orders.
//! - `upkeep`, `copying`, `wiping`: segments are made ahead, emptied, recycled, overwritten.

mod checkpoint;
mod committer;
mod copying;
mod damage;
mod disk;
mod draft;
mod engine;
mod events;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod index;
mod lock;
mod meta;
mod options;
mod progress;
mod read;
mod record;
mod recovery;
mod repair;
mod request;
mod scan;
mod segment;
#[cfg(feature = "simulation")]
pub mod simulation;
mod snapshot;
mod state;
mod upkeep;
mod verbs;
mod wiping;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relay::activity::Notice;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, HoldReason, Settlement};
use relay::report::Report;
use relay::store::StoreError;

use disk::{Disk, RealDisk};
use engine::Engine;
use state::Shared;

pub(crate) use damage::FOLDER as FOLDER_OF_REMAINS;
pub use draft::LogDraft;
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
    /// Waiting recipients were held.
    Held {
        /// The message.
        message: MessageId,
        /// Their numbers; none: all.
        recipients: Option<Vec<u16>>,
        /// Why.
        reason: HoldReason,
        /// When.
        at: Timestamp,
    },
    /// Held recipients were made due.
    Released {
        /// The message.
        message: MessageId,
        /// Their numbers; none: all.
        recipients: Option<Vec<u16>>,
        /// When.
        at: Timestamp,
    },
    /// Refusals, as handed to `note`.
    Noticed(Vec<Notice>),
    /// What was reported of mail that had left.
    Reported(Box<Report>),
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
pub struct LogSpool<D: Disk = RealDisk> {
    engine: Arc<Engine<D>>,
}

impl LogSpool {
    /// Opens or makes the spool in `folder`, whose lock the caller holds: reads checkpoint and log, cuts a torn
    /// tail, reports damage in [`relay::store::StoreHealth::damage`], removes what nobody names, writes the new
    /// epoch, starts its two threads. `consumed` is what the consumer has durably stored
    /// ([`Position::default`] at first).
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] where no segment can be had at all, [`StoreError::Unavailable`] where the folder
    /// cannot be read or a newer version wrote it, [`StoreError::Latched`] where it cannot be written.
    pub fn open(folder: &Path, options: Options, consumed: Position) -> Result<LogSpool, StoreError> {
        std::fs::create_dir_all(folder)
            .map_err(|error| StoreError::Unavailable(format!("{}: {error}", folder.display())))?;
        let shared = open(RealDisk::new(folder), options, consumed)?;
        Ok(LogSpool { engine: Engine::start(shared)? })
    }
}

impl<D: Disk> LogSpool<D> {
    /// Writes what waits, then a checkpoint, and ends the threads. Later verbs fail with
    /// [`StoreError::Unavailable`]. Blocks on the disk. Dropping the spool does the same.
    pub fn close(&self) {
        self.engine.close();
    }

    /// Synced events from `from` on, at most `max`; `from` is a [`Batch::next`] or an event's position. Begins
    /// with the oldest there is where `from` lies before it. Blocks on the disk: call it off the async threads.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the log cannot be read now.
    pub fn events(&self, from: Position, max: usize) -> Result<Batch, StoreError> {
        self.engine.shared.events(from, max)
    }

    /// How far the log is synced: all events before it can be read.
    pub fn synced(&self) -> Position {
        Position(self.engine.shared.progress.position())
    }

    /// Waits until the log is synced beyond `past`, or `patience` ends, or the spool closes; returns how far.
    pub fn wait_synced(&self, past: Position, patience: Duration) -> Position {
        Position(self.engine.shared.progress.wait(past.0, patience))
    }

    /// As [`LogSpool::wait_synced`], for a task.
    pub async fn synced_past(&self, past: Position) -> Position {
        Position(self.engine.shared.progress.past(past.0).await)
    }

    /// The consumer has durably stored everything before `position`: those segments may be recycled.
    pub fn consumed(&self, position: Position) {
        let mut state = self.engine.shared.state();
        state.consumed = state.consumed.max(position.0);
    }

    /// The number of this start, higher at each: the fence.
    pub fn epoch(&self) -> u32 {
        self.engine.shared.state().epoch
    }
}

impl<D: Disk> Drop for LogSpool<D> {
    fn drop(&mut self) {
        self.close();
    }
}

/// The form, `name-NN`, that a file of ours says it has, where that is another than the one that is known: the first octets
/// of a block whose last four are its checksum. Without that, damage could pass for a newer version. Later forms keep it so.
fn newer_form(block: &[u8], known: &[u8; 8]) -> Option<String> {
    let (octets, crc) = block.split_last_chunk::<4>()?;
    let form = octets.first_chunk::<8>()?;
    let is_form = form[..6] == known[..6] && form[6..].iter().all(u8::is_ascii_digit);
    let is_newer = is_form && form > known && crc32c::crc32c(octets) == u32::from_le_bytes(*crc);
    is_newer.then(|| String::from_utf8_lossy(form).into_owned())
}

/// Recovers what is on the disk, and makes what the first mail needs.
fn open<D: Disk>(disk: D, options: Options, consumed: Position) -> Result<Arc<Shared<D>>, StoreError> {
    let options = options.checked();
    let state = recovery::recover(&disk, consumed.0)?;
    let shared = Arc::new(Shared::new(disk, options, state));
    if let Err(error) = shared.keep_damage() {
        tracing::warn!(%error, "what was found damaged could not be written down yet, it is tried again");
    }
    // the reserve, and a head where there is none; what is missing is made later, if there is room
    let wanted = shared.reserve_segments() + usize::from(shared.state().head().is_none());
    while shared.state().free.len() < wanted {
        if let Err(error) = shared.allocate(false, |_| false) {
            tracing::warn!(%error, "the reserve is not whole: new mail is refused until it is");
            break;
        }
    }
    Ok(shared)
}
