//! The thread of activity: reads the log in batches, tells how far it is, and tidies up in idle moments.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use relay::account::{Account, Leaving};
use relay::clock::Timestamp;
use relay::cursor::CursorKey;
use relay::id::Id;
use relay::sending_domain::SendingDomain;
use relay::store::{Spool as _, StoreError};

use super::belief::Belief;
use super::calls::{self, Listeners};
use super::erase::{self, Erasure};
use super::sweep::{self, Sweeps};
use super::{File, Seen, Shared, Upkeep, counters, prune, reports};
use crate::embedded::OpenError;
use crate::embedded::spool::{Batch, LogSpool, Position};
use crate::embedded::sqlite::is_disk_failure;

/// How long it is remembered what was reported of a recipient: longer than any address is good that reports come to.
const REPORTS_KEPT: Duration = Duration::from_secs(200 * 86_400);

/// Events in one transaction: some milliseconds. More share the pages that they touch.
const EVENTS_MAX: usize = 2048;
/// How long events are gathered, unless somebody waits for them: what is accepted and delivered in that time is
/// written once.
const GATHER_DELAY: Duration = Duration::from_millis(250);
/// How long what was read may stay unsynced while there is time.
const SYNC_DELAY: Duration = Duration::from_secs(1);
/// How much of the log may stay unsynced while there is none.
const SYNC_OCTETS: u64 = 16 << 20;
/// How often old rows are looked for.
const PRUNE_DELAY: Duration = Duration::from_secs(60);
/// How long after a failure it is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long it waits at least between two steps of merging parts of the search index: half of its time, about, is others'.
const MERGE_DELAY: Duration = Duration::from_millis(20);
/// How long after a failure that is tried again.
const MERGE_RETRY_DELAY: Duration = Duration::from_secs(3600);
/// Blocks are remembered so long after their end, because the next one is twice as long.
const BLOCKS_REMEMBERED: Duration = Duration::from_secs(relay::limits::BLOCK_SECONDS_MAX.ceiling);
/// Logins are remembered so long, because they keep an address open to their user.
const LOGINS_REMEMBERED: Duration = Duration::from_secs(relay::limits::KNOWN_LOGIN_DAYS.ceiling * 86_400);
/// A deleted domain keeps its keys at least so long, and a deleted account is not done with before: a message may have been
/// on its way in.
const DOMAIN_GRACE: Duration = Duration::from_secs(3600);
/// Messages looked at in one step for those of deleted domains.
const QUEUE_PAGE: usize = 1000;

/// The reader of the log.
pub(super) struct Reader {
    file: File,
    spool: Arc<LogSpool>,
    upkeep: Upkeep,
    shared: Arc<Shared>,
    /// What the log was told may be recycled.
    synced: Position,
    synced_at: Instant,
    /// When old rows are looked for next.
    prune_at: Instant,
    /// When parts of the search index may be merged next.
    merge_at: Instant,
    belief: Belief,
    sweeps: Sweeps,
    /// Recipients that an earlier process did not finish to erase.
    erasures: Vec<Erasure>,
    /// Deleted accounts that are looked at, whether something of them is left.
    leaving: Vec<Id<Account>>,
    /// The one of them of which nothing is left here but its counters.
    cleared: Cell<Option<Id<Account>>>,
    /// What numbers of rows are veiled with before accounts are told of them.
    numbers: Arc<CursorKey>,
}

impl Reader {
    pub(super) fn new(mut file: File, spool: Arc<LogSpool>, upkeep: Upkeep, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        file.reports_max = upkeep.reports_max;
        let belief = Belief::new(None, now);
        let (synced, numbers) = (file.position(), Arc::new(CursorKey::new(upkeep.ledger.cursor_key())));
        let (sweeps, erasures, leaving) = (Sweeps::new(), Vec::new(), Vec::new());
        Reader {
            synced,
            file,
            spool,
            upkeep,
            shared,
            synced_at: now,
            prune_at: now,
            merge_at: now,
            belief,
            sweeps,
            erasures,
            leaving,
            cleared: Cell::new(None),
            numbers,
        }
    }

    /// Reads all there is, before anybody asks.
    pub(super) fn catch_up(&mut self, path: &Path) -> Result<(), OpenError> {
        let failed = |source| OpenError::Activity { path: path.to_owned(), source };
        self.upkeep.charged.catch_up(&self.spool).map_err(OpenError::Charges)?;
        self.belief = Belief::new(self.file.newest().map_err(failed)?, Instant::now());
        self.file.set_unsynced().map_err(failed)?;
        let end = self.spool.synced();
        if self.file.position() > end {
            tracing::warn!("the spool is older than what activity has read of it: reading it from its beginning");
            self.file.begin_again().map_err(failed)?;
            self.synced = self.file.position();
        }
        while self.file.position() < end {
            let batch = self.spool.events(self.file.position(), EVENTS_MAX).map_err(OpenError::Spool)?;
            if batch.next <= self.file.position() {
                break;
            }
            self.apply(&batch).map_err(failed)?;
        }
        self.belief = Belief::new(self.file.newest().map_err(failed)?, Instant::now());
        self.erasures = erase::unfinished(&self.file.writer).map_err(failed)?;
        self.sync().map_err(failed)
    }

    /// Goes on until told to stop, or until the disk fails.
    pub(super) fn run(mut self) {
        let _ends = Ends(Arc::clone(&self.shared));
        while !self.shared.stops.load(Ordering::Relaxed) {
            if let Err(error) = self.round() {
                let fails_for_good = is_disk_failure(&error);
                self.report(Some(&error));
                if fails_for_good {
                    // a sync that failed may have lost what SQLite believes written: only a restart knows
                    return;
                }
                self.wait(Position(u64::MAX), RETRY_DELAY);
            }
        }
        if let Err(error) = self.sync() {
            self.report(Some(&error));
        }
    }

    /// One batch where there is one, else what an idle moment is good for.
    fn round(&mut self) -> rusqlite::Result<()> {
        let has_read = match self.spool.events(self.file.position(), EVENTS_MAX) {
            Ok(batch) if batch.next > self.file.position() => {
                self.apply(&batch)?;
                true
            }
            Ok(_) => false,
            Err(error) => {
                if !self.shared.stops.load(Ordering::Relaxed) {
                    tracing::warn!(%error, "the log cannot be read for activity");
                }
                self.wait(Position(u64::MAX), RETRY_DELAY);
                return Ok(());
            }
        };
        self.report(None);
        let unsynced = self.file.position().0.saturating_sub(self.synced.0);
        if unsynced >= SYNC_OCTETS || unsynced > 0 && self.synced_at.elapsed() >= SYNC_DELAY {
            self.sync()?;
        }
        if self.prune_at <= Instant::now() {
            if self.shared.calls_unsynced.swap(false, Ordering::Relaxed) {
                self.file.sync()?;
            }
            self.tidy()?;
        }
        let has_read = self.index()? || has_read;
        if !has_read {
            let idle_until = self.prune_at.saturating_duration_since(Instant::now());
            let until_sync = SYNC_DELAY.saturating_sub(self.synced_at.elapsed());
            let patience = if self.synced < self.file.position() { idle_until.min(until_sync) } else { idle_until };
            let patience = if self.merge() { patience.min(MERGE_DELAY) } else { patience };
            self.wait(self.file.position(), patience);
            if self.spool.synced() > self.file.position() && !self.shared.stops.load(Ordering::Relaxed) {
                self.shared.gather(GATHER_DELAY);
            }
        }
        Ok(())
    }

    fn wait(&self, past: Position, patience: Duration) {
        if !self.shared.stops.load(Ordering::Relaxed) {
            self.spool.wait_synced(past, patience);
        }
    }

    /// Makes rows of a batch, and tells those who wait.
    fn apply(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        if self.synced == self.file.position() {
            // the delay runs from the first that is unsynced
            self.synced_at = Instant::now();
        }
        self.file.listeners = Listeners::of(&self.upkeep.ledger.directory(), &self.numbers, self.upkeep.webhooks);
        {
            let _alone = self.shared.alone();
            self.file.apply(batch, self.upkeep.fold)?;
        }
        let called = std::mem::take(&mut self.file.called);
        if called > 0 {
            self.shared.called.send_modify(|before| *before += called);
        }
        self.upkeep.charged.take(batch);
        // the accounts first: who is woken by the second looks at them
        let accounts = self.file.accounts.drain();
        self.shared.accounts.lock().unwrap_or_else(PoisonError::into_inner).extend(accounts);
        self.shared.seen.send_replace(Seen::of(self.file.progress));
        Ok(())
    }

    /// Syncs all that was read, and what was counted of it; then the log may recycle it.
    fn sync(&mut self) -> rusqlite::Result<()> {
        if self.synced < self.file.position() {
            self.file.sync()?;
            self.upkeep.charged.keep();
            self.synced = self.file.position().min(self.upkeep.charged.kept());
            self.spool.consumed(self.synced);
        }
        self.synced_at = Instant::now();
        Ok(())
    }

    /// Some old rows go; where more are left, it goes on after the next batch.
    fn tidy(&mut self) -> rusqlite::Result<()> {
        let now = (self.upkeep.now)();
        if !self.belief.holds(now, Instant::now()) {
            self.prune_at = Instant::now() + PRUNE_DELAY;
            return Ok(());
        }
        if self.prune(now)? {
            return Ok(());
        }
        self.prune_at = Instant::now() + PRUNE_DELAY;
        let (logins, blocks) = (before(now, LOGINS_REMEMBERED), before(now, BLOCKS_REMEMBERED));
        let pruned = self.upkeep.ledger.prune(logins, blocks, before(now, relay::webhook::ROTATION));
        let pruned = pruned.and_then(|()| self.forget_domains(now));
        if let Err(error) = pruned {
            tracing::warn!(%error, "the ledger was not tidied up");
        }
        Ok(())
    }

    fn index(&mut self) -> rusqlite::Result<bool> {
        let _alone = self.shared.alone();
        self.file.index()
    }

    /// A step towards fewer parts of the search index. Returns whether there was one to do. Nothing waits for it: where it
    /// fails, activity goes on, and it is tried again later.
    fn merge(&mut self) -> bool {
        if self.merge_at > Instant::now() {
            return false;
        }
        let merged = {
            let _alone = self.shared.alone();
            self.file.merge()
        };
        merged.unwrap_or_else(|error| {
            tracing::warn!(%error, "parts of the search index were not merged");
            self.merge_at = Instant::now() + MERGE_RETRY_DELAY;
            false
        })
    }

    /// Old rows, calls and counters go, some of each. Returns whether there may be more.
    fn prune(&mut self, now: Timestamp) -> rusqlite::Result<bool> {
        let _alone = self.shared.alone();
        let old = before(now, self.upkeep.keep);
        let more = prune::some(&mut self.file.writer, old)?;
        if more || calls::tidy(&self.file.writer, &self.upkeep.ledger.directory(), old)? {
            return Ok(true);
        }
        if let Some(place) = self.shared.asked.left(&self.erasures) {
            self.file.writer.pragma_update(None, "secure_delete", true)?;
            let transaction = self.file.writer.transaction()?;
            let done = erase::step(&transaction, &self.erasures[place])?;
            transaction.commit()?;
            if done.is_some() {
                self.erasures.swap_remove(place);
            }
            return Ok(true);
        }
        let directory = self.upkeep.ledger.directory();
        match self.sweeps.step(&mut self.file, &directory, self.upkeep.keep, now)? {
            Some(true) => return Ok(true),
            Some(false) => {}
            None => {
                let is_due = |leaving: &Leaving| now.since(leaving.since) >= DOMAIN_GRACE;
                let leaving = directory.leaving.iter().filter(|(_, leaving)| is_due(leaving));
                self.leaving = self.without_mail(leaving.map(|(account, _)| *account).collect());
            }
        }
        if let Some(account) = self.leaving.last() {
            if self.leave(*account)? {
                self.leaving.pop();
            }
            return Ok(true);
        }
        counters::forget_before(&self.file.writer, before(now, self.upkeep.keep_counters))?;
        reports::forget_before(&self.file.writer, before(now, REPORTS_KEPT))?;
        Ok(false)
    }

    /// Those of some accounts that have no mail in the queue.
    fn without_mail(&self, mut accounts: Vec<Id<Account>>) -> Vec<Id<Account>> {
        let mut after = None;
        while !accounts.is_empty() {
            let page = self.spool.queue(after, QUEUE_PAGE);
            accounts.retain(|account| !page.iter().any(|entry| entry.account == *account));
            let Some(last) = page.last() else { break };
            after = Some(last.message);
        }
        accounts
    }

    /// A step towards the end of a deleted account. Returns whether that is reached, or has to wait.
    fn leave(&self, account: Id<Account>) -> rusqlite::Result<bool> {
        // nothing comes to an account that is deleted and has no mail: one look is enough
        if self.cleared.get() != Some(account) {
            if sweep::has_rows(&self.file.writer, account)? {
                return Ok(true);
            }
            self.cleared.set(Some(account));
        }
        if sweep::forget_counters(&self.file.writer, account)? {
            return Ok(false);
        }
        let now = (self.upkeep.now)();
        let ledger = &self.upkeep.ledger;
        let done = match ledger.purge_some(account) {
            Ok(true) => return Ok(false),
            Ok(false) => ledger.book(|register| register.account_gone(account, now)),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%account, %error, "what is left of a deleted account could not be purged");
        }
        Ok(true)
    }

    /// Deleted domains whose queue is empty lose their keys.
    fn forget_domains(&self, now: Timestamp) -> Result<(), StoreError> {
        let directory = self.upkeep.ledger.directory();
        let is_due = |domain: &SendingDomain| domain.deleted_at.is_some_and(|at| now.since(at) >= DOMAIN_GRACE);
        let mut due: Vec<Id<SendingDomain>> =
            directory.domains.values().filter(|domain| is_due(domain)).map(|domain| domain.id).collect();
        let mut after = None;
        while !due.is_empty() {
            let page = self.spool.queue(after, QUEUE_PAGE);
            due.retain(|domain| !page.iter().any(|entry| entry.domain == Some(*domain)));
            let Some(last) = page.last() else { break };
            after = Some(last.message);
        }
        due.into_iter().try_for_each(|id| self.upkeep.ledger.book(|register| register.domain_forget(id, now)))
    }

    /// Tells of a failure once, and of its end.
    pub(super) fn report(&self, error: Option<&rusqlite::Error>) {
        let fault = error.map(|error| format!("activity stands still: {error}"));
        let mut known = self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != fault {
            match &fault {
                Some(fault) => tracing::error!("{fault}"),
                None => tracing::info!("activity goes on"),
            }
            *known = fault;
        }
    }
}

/// The moment so long before another.
fn before(now: Timestamp, duration: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
}

/// Tells those who wait for rows that none will come any more, however the thread ends.
struct Ends(Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let fault = "activity stands still until a restart: this is a fault of the program".to_owned();
            self.0.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        }
        self.0.seen.send_modify(|seen| seen.has_ended = true);
    }
}
