//! Activity: a reader of the log that makes rows of its events, in a file and on a thread of its own.
//!
//! Rows and the position behind them are one transaction, so a crash leaves both or neither. Transactions are not
//! synced: the log is there to be read again. Once a second, or after much of the log, all of them are; only then is the
//! log told that it may recycle what was read.

mod apply;
mod asked;
mod belief;
pub(crate) mod calls;
mod changes;
mod columns;
mod connections;
mod convert;
mod counters;
pub(crate) mod erase;
mod group;
mod hand;
mod hours;
mod loose;
mod merge;
mod parts;
mod postings;
mod prune;
mod query;
mod reader;
mod refusals;
mod reports;
mod schema;
mod standing;
mod statuses;
mod sweep;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(in crate::embedded::ledger) mod tests;
mod wanted;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::quota::Charges;
use relay::store::StoreError;
use relay::webhook::Bounds;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use tokio::sync::watch;

use super::Ledger;
use super::charged::Charged;
use crate::embedded::spool::{Batch, LogSpool, Position};
use crate::embedded::sqlite::{self, Readers};
use crate::embedded::{Now, OpenError};
use apply::{Apply, Progress};
use asked::Asked;
use calls::Listeners;
use erase::Erasure;
use merge::Merges;
use reader::Reader;

pub(crate) use connections::connections;
pub(crate) use counters::{sent, sent_by_all};
pub(crate) use query::{activity, detail, since};
pub(crate) use standing::{recipients, settled, unsettled};

/// Parts of the search index that are made between two batches: some tens of milliseconds.
const PARTS_MAX: usize = 4;

/// `activity.db`, opened for its one writer.
pub(crate) struct File {
    path: PathBuf,
    writer: Connection,
    progress: Progress,
    /// The last change of each account, of those that had one since it was opened.
    accounts: HashMap<u64, u64>,
    /// The highest row that is in a part of the search index.
    indexed: u64,
    /// How many rows are indexed together.
    part_rows: u64,
    /// What becomes of parts of the search index as they grow old.
    merges: Merges,
    /// Who hears what becomes of rows; none: nobody.
    listeners: Option<Listeners>,
    /// Calls made since it was opened.
    called: u64,
    /// How many reports of one recipient are taken.
    reports_max: u64,
}

impl File {
    /// Opens or makes it.
    pub(crate) fn open(path: &Path) -> Result<File, OpenError> {
        let failed = |source| OpenError::Activity { path: path.to_owned(), source };
        let mut writer = sqlite::open_writer(path, schema::MIGRATIONS).map_err(|error| match error {
            OpenError::Ledger { source, .. } => failed(source),
            other => other,
        })?;
        set_up(&writer).map_err(failed)?;
        convert::convert(&mut writer).map_err(failed)?;
        let progress = Progress::read(&writer).map_err(failed)?;
        let indexed = parts::last_row(&writer).map_err(failed)?;
        let (accounts, part_rows) = (HashMap::new(), parts::ROWS);
        let path = path.to_owned();
        let (merges, listeners, reports_max) = (Merges::new(), None, crate::reports::REPORTS_MAX);
        let called = 0;
        let file =
            File { path, writer, progress, accounts, indexed, part_rows, merges, listeners, called, reports_max };
        // an earlier process may have ended before it had synced what is read here, and the log is told to go by it
        file.sync().map_err(failed)?;
        Ok(file)
    }

    /// How far the log was read.
    pub(crate) fn position(&self) -> Position {
        self.progress.position
    }

    /// Recipients accepted by account and day, as far as the log was read; not those of mail the relay wrote itself.
    pub(crate) fn accepted(&self) -> Result<Charges, OpenError> {
        let accepted = counters::accepted(&self.writer);
        accepted.map_err(|source| OpenError::Activity { path: "activity.db".into(), source })
    }

    /// When the newest row began.
    fn newest(&self) -> rusqlite::Result<Option<Timestamp>> {
        let newest = "SELECT at FROM row_groups ORDER BY row DESC LIMIT 1";
        self.writer.query_row(newest, [], |row| row.get(0).map(Timestamp)).optional()
    }

    /// Makes rows of a batch and stores the position behind it. Refusals alike within `fold` of the first are one row.
    /// An event that no row can be made of is left out and told: it would hold up all that come after it, for ever.
    pub(super) fn apply(&mut self, batch: &Batch, fold: Duration) -> rusqlite::Result<()> {
        match self.apply_whole(batch, fold) {
            Err(error) if sqlite::is_unfit(&error) => {}
            result => return result,
        }
        for (position, event) in &batch.events {
            let one = Batch { events: vec![(*position, event.clone())], next: *position };
            match self.apply_whole(&one, fold) {
                Err(error) if sqlite::is_unfit(&error) => {
                    tracing::error!(position = position.0, %error, "an event cannot be shown in activity, left out");
                }
                result => result?,
            }
        }
        self.apply_whole(&Batch { events: Vec::new(), next: batch.next }, fold)
    }

    /// All of it and the position behind it in one transaction, or nothing.
    fn apply_whole(&mut self, batch: &Batch, fold: Duration) -> rusqlite::Result<()> {
        let transaction = self.writer.transaction()?;
        let mut apply = Apply::new(&transaction, self.progress, fold, self.listeners.as_ref());
        apply.reports_max = self.reports_max;
        for (position, event) in &batch.events {
            apply.event(*position, event)?;
        }
        apply.progress.position = batch.next;
        let (progress, accounts, called) = apply.finish()?;
        transaction.commit()?;
        self.called += called;
        self.progress = progress;
        self.accounts.extend(accounts);
        Ok(())
    }

    /// Indexes rows, where there are enough of them, about as many as a batch can bring. Returns whether there were.
    fn index(&mut self) -> rusqlite::Result<bool> {
        let before = self.indexed;
        for _ in 0..PARTS_MAX {
            if self.progress.row < self.indexed + self.part_rows {
                break;
            }
            let transaction = self.writer.transaction()?;
            self.indexed = parts::add(&transaction, self.indexed, self.part_rows)?;
            transaction.commit()?;
        }
        Ok(self.indexed > before)
    }

    /// Makes parts of the search index fewer, a step of some milliseconds. Returns whether there was one to do.
    fn merge(&mut self) -> rusqlite::Result<bool> {
        // what parts were made of is gone from the file with them: something of it may be erased later
        self.writer.pragma_update(None, "secure_delete", true)?;
        let transaction = self.writer.transaction()?;
        let has_done = self.merges.step(&transaction)?;
        transaction.commit().inspect_err(|_| self.merges.give_up())?;
        self.writer.pragma_update(None, "secure_delete", false)?;
        Ok(has_done)
    }

    /// Lets commits come without a sync, until [`File::sync`] syncs them all.
    fn set_unsynced(&self) -> rusqlite::Result<()> {
        self.writer.pragma_update(None, "synchronous", "NORMAL")
    }

    /// Syncs all that was committed.
    fn sync(&self) -> rusqlite::Result<()> {
        sqlite::sync_commits(&self.path)
    }

    /// The log is another one, shorter than what was read of the last: nothing read so far counts for it.
    fn begin_again(&mut self) -> rusqlite::Result<()> {
        let transaction = self.writer.transaction()?;
        transaction.execute("UPDATE connections SET applied = 0", [])?;
        transaction.execute("UPDATE reports SET applied = 0", [])?;
        let progress = Progress { position: Position(0), restarted: self.progress.change, ..self.progress };
        progress.write(&transaction)?;
        transaction.commit()?;
        self.progress = progress;
        Ok(())
    }
}

/// Room for the upper pages of the indexes, and longer ways between checkpoints: a page that many rows touch is then
/// written once. Measured: a fifth less work for each row than with SQLite's defaults.
fn set_up(writer: &Connection) -> rusqlite::Result<()> {
    writer.pragma_update(None, "cache_size", -32_000)?;
    writer.pragma_update(None, "wal_autocheckpoint", 8000)
}

/// A writer beside the thread's, which makes the checkpoints for both.
fn second_writer(path: &Path) -> rusqlite::Result<Connection> {
    let writer = sqlite::open_beside(path)?;
    writer.pragma_update(None, "synchronous", "NORMAL")?;
    writer.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(writer)
}

/// What the thread needs for its work and for tidying up in idle moments.
pub(crate) struct Upkeep {
    pub(crate) now: Now,
    /// How long rows are kept.
    pub(crate) keep: Duration,
    /// How long daily counters are kept.
    pub(crate) keep_counters: Duration,
    /// Refusals alike within this time of the first are one row.
    pub(crate) fold: Duration,
    /// How many reports of one recipient are taken.
    pub(crate) reports_max: u64,
    pub(crate) ledger: Arc<Ledger>,
    /// Counts what is read.
    pub(crate) charged: Arc<Charged>,
    /// How much is kept of each webhook.
    pub(crate) webhooks: Bounds,
}

/// How far the rows go, told after each transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    position: Position,
    change: u64,
    /// Nothing comes any more: waiting for it would be for ever.
    has_ended: bool,
}

impl Seen {
    fn of(progress: Progress) -> Self {
        Seen { position: progress.position, change: progress.change, has_ended: false }
    }
}

/// What the thread and those who ask share.
struct Shared {
    seen: watch::Sender<Seen>,
    /// The last change of each account, of those that had one since the start.
    accounts: Mutex<HashMap<u64, u64>>,
    /// The last change of all before the start.
    started: u64,
    stops: AtomicBool,
    fault: Mutex<Option<String>>,
    /// Somebody waits for rows: the thread gathers no longer.
    hurries: Mutex<bool>,
    hurried: Condvar,
    /// A second writer, for calls to webhooks and for what is erased. The thread holds it while it writes itself: SQLite knows one writer at a time,
    /// and one that read before another wrote would fail.
    calls: Mutex<Connection>,
    /// How many calls were made or made to wait again.
    called: watch::Sender<u64>,
    /// It has written something that no sync followed.
    calls_unsynced: AtomicBool,
    /// Which erasure somebody waits for.
    asked: Asked,
}

impl Shared {
    /// Whoever has it is the only one who writes.
    fn alone(&self) -> MutexGuard<'_, Connection> {
        // a transaction whose holder panicked was rolled back
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last change of an account; where it had none since the start, it may be any before.
    fn last(&self, account: Id<Account>) -> u64 {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(&account.number()).copied().unwrap_or(self.started)
    }

    fn hurry(&self) {
        *self.hurries.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.hurried.notify_all();
    }

    /// Waits for so long, or until somebody is in a hurry.
    fn gather(&self, delay: Duration) {
        let hurries = self.hurries.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.hurried.wait_timeout_while(hurries, delay, |hurries| !*hurries);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// Activity in operation.
pub(crate) struct Activity {
    shared: Arc<Shared>,
    path: PathBuf,
    readers: Readers,
    webhooks: Bounds,
    thread: Option<JoinHandle<()>>,
}

impl Activity {
    /// Catches up with the log, then goes on reading it on a thread.
    pub(crate) fn start(path: &Path, file: File, spool: Arc<LogSpool>, upkeep: Upkeep) -> Result<Activity, OpenError> {
        let (seen, started) = (watch::Sender::new(Seen::of(file.progress)), file.progress.change);
        let readers = Readers::new(path, |_| Ok(()));
        let failed = |source| OpenError::Activity { path: path.to_owned(), source };
        let (calls, webhooks) = (second_writer(path).map_err(failed)?, upkeep.webhooks);
        let shared = Arc::new(Shared {
            seen,
            accounts: Mutex::default(),
            started,
            stops: AtomicBool::new(false),
            fault: Mutex::new(None),
            hurries: Mutex::new(false),
            hurried: Condvar::new(),
            calls: Mutex::new(calls),
            called: watch::Sender::new(0),
            calls_unsynced: AtomicBool::new(false),
            asked: Asked::default(),
        });
        let mut reader = Reader::new(file, spool, upkeep, Arc::clone(&shared));
        match reader.catch_up(path) {
            // mail can go on, and makes room: activity follows when there is some
            Err(OpenError::Activity { source, .. }) if sqlite::is_full(&source) => reader.report(Some(&source)),
            result => result?,
        }
        let thread = std::thread::Builder::new().name("activity".to_owned()).spawn(move || reader.run());
        let thread = thread.map_err(|source| OpenError::Io { path: "the activity thread".into(), source })?;
        Ok(Activity { shared, path: path.to_owned(), readers, webhooks, thread: Some(thread) })
    }

    /// How far the log was read.
    pub(crate) fn position(&self) -> Position {
        self.shared.seen.borrow().position
    }

    /// Why activity stands still, if it does.
    pub(crate) fn fault(&self) -> Option<String> {
        self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the log is read up to `position`, or activity stands still for good.
    pub(crate) async fn caught_up(&self, position: Position) {
        let mut seen = self.shared.seen.subscribe();
        if seen.borrow().position < position {
            self.shared.hurry();
        }
        // the sender lives as long as we do
        let _ = seen.wait_for(|seen| seen.position >= position || seen.has_ended).await;
    }

    /// Waits until there is a change after `cursor`, of one account or of any, or `patience` ends.
    pub(crate) async fn changed(&self, cursor: u64, account: Option<Id<Account>>, patience: Duration) {
        let mut seen = self.shared.seen.subscribe();
        let is_newer = |seen: &Seen| seen.change > cursor && account.is_none_or(|own| self.shared.last(own) > cursor);
        // both a change and the end of patience are answers
        let _ = tokio::time::timeout(patience, seen.wait_for(is_newer)).await;
    }

    /// Reads, all of it from one moment.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.readers.read(work)
    }

    /// Writes of calls to webhooks, or of what is erased, all of it or nothing. It is on the disk with the next sync, within a minute.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>, Bounds) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if self.shared.seen.borrow().has_ended {
            return Err(StoreError::Unavailable("activity stands still: nothing of it is changed".to_owned()));
        }
        let attempt = |writer: &mut Connection| {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction, self.webhooks)?;
            transaction.commit()?;
            Ok(result)
        };
        let result = attempt(&mut self.shared.alone()).map_err(sqlite::unavailable);
        self.shared.calls_unsynced.store(true, Ordering::Relaxed);
        result
    }

    /// What was written by [`Activity::write`] is on the disk when this returns.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        sqlite::sync_commits(&self.path).map_err(sqlite::unavailable)
    }

    /// Does the work of an erasure that somebody waits for.
    pub(crate) fn asked<T>(&self, erasure: &Erasure, work: impl FnOnce() -> T) -> T {
        self.shared.asked.carry_out(erasure, work)
    }

    /// So many calls wait more.
    pub(crate) fn called(&self, calls: u64) {
        self.shared.called.send_modify(|called| *called += calls);
    }

    /// Waits until calls wait beyond a mark; the mark of now.
    pub(crate) async fn wait_called(&self, seen: u64) -> u64 {
        let mut called = self.shared.called.subscribe();
        // the sender lives as long as we do
        called.wait_for(|called| *called > seen).await.map_or(seen, |called| *called)
    }

    /// The change cursor of now.
    pub(crate) fn cursor(&self) -> u64 {
        self.shared.seen.borrow().change
    }

    /// Tells the thread to end when it next looks.
    pub(crate) fn ask_to_stop(&self) {
        self.shared.stops.store(true, Ordering::Relaxed);
        self.shared.hurry();
    }

    /// Waits for the thread's end.
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the activity thread panicked");
        }
    }
}
