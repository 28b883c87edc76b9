//! Upkeep: segments are made ahead and recycled, checkpoints written, what nobody needs removed.
//!
//! A step has no thread and no clock of its own, and does a bounded amount. What its failures mean: no room for
//! a new segment or a checkpoint is tried again; a failed write of a segment latches.

use std::io;
use std::sync::Arc;

use relay::store::StoreError;

use super::checkpoint;
use super::copying::Copying;
use super::disk::{Disk, DiskFile};
use super::meta::Filed;
use super::request::Request;
use super::segment::{self, SegmentHeader, Use};
use super::state::{FreeSegment, Segment, Shared, State, content_name};
use super::wiping::Wiping;

/// Milliseconds until something that failed is tried again.
const RETRY_AFTER: u64 = 1_000;
/// Free segments kept beside those that are wanted.
const SPARE_SEGMENTS: usize = 2;
/// Octets of a live message in a checkpoint, about.
const ENTRY_OCTETS: u64 = 80;
/// Segments of log after which a checkpoint is due in any case: what a start has to read.
const LOG_SEGMENTS_MAX: u64 = 8;

/// Octets that may be spent, refilled by time.
#[derive(Debug)]
pub(crate) struct Budget {
    per_second: u64,
    left: i64,
    since: u64,
}

impl Budget {
    fn new(per_second: u64) -> Self {
        Budget { per_second, left: per_second as i64, since: 0 }
    }

    fn refill(&mut self, now: u64) {
        let earned = (now.saturating_sub(self.since).min(10_000) * self.per_second / 1000) as i64;
        self.left = (self.left + earned).min(self.per_second as i64);
        self.since = now;
    }

    /// Whether anything is left.
    pub(crate) fn has_left(&self) -> bool {
        self.left > 0
    }

    /// Spends; the last one may overdraw.
    pub(crate) fn spend(&mut self, octets: u64) {
        self.left -= octets as i64;
    }
}

/// What keeps the spool in order.
pub(crate) struct Upkeep<D: Disk> {
    shared: Arc<Shared<D>>,
    budget: Budget,
    copying: Copying<D>,
    wiping: Wiping<D>,
    allocate_at: u64,
    checkpoint_at: u64,
    roll_at: u64,
}

impl<D: Disk> Upkeep<D> {
    /// Of a spool.
    pub(crate) fn new(shared: Arc<Shared<D>>) -> Self {
        Upkeep {
            budget: Budget::new(shared.options.upkeep_octets_per_second),
            copying: Copying::new(Arc::clone(&shared)),
            wiping: Wiping::new(Arc::clone(&shared)),
            shared,
            allocate_at: 0,
            checkpoint_at: 0,
            roll_at: 0,
        }
    }

    /// Does what is due at `now`, in milliseconds that only grow, and hands out what the committer is to write.
    pub(crate) fn step(&mut self, now: u64, out: &mut Vec<Request>) {
        {
            let mut state = self.shared.state();
            state.now = now;
            if state.latched.is_some() {
                return;
            }
        }
        self.budget.refill(now);
        self.remove_doomed();
        self.recycle();
        // first: a checkpoint passes over what is damaged
        if let Err(error) = self.shared.keep_damage() {
            tracing::warn!(%error, "what was found damaged could not be written down, it is tried again");
            self.checkpoint_at = now + 5 * RETRY_AFTER;
        }
        if now >= self.checkpoint_at && self.is_checkpoint_due() {
            match checkpoint::write(&self.shared, false) {
                Ok(_) => self.recycle(),
                Err(error) => {
                    tracing::warn!(%error, "a checkpoint could not be written, it is tried again");
                    self.checkpoint_at = now + 5 * RETRY_AFTER;
                }
            }
        }
        self.keep_ready(now);
        self.close_old_head(now, out);
        self.copying.step(now, &mut self.budget, out);
        if let Err(error) = self.wiping.step(now, &mut self.budget) {
            self.shared.state().latch(format!("a segment could not be overwritten: {error}"));
        }
    }

    /// Whether more is to be done as soon as the budget allows.
    pub(crate) fn is_busy(&self) -> bool {
        self.copying.is_busy() || self.wiping.is_busy()
    }

    fn remove_doomed(&self) {
        let doomed: Vec<Filed> = {
            let mut state = self.shared.state();
            let is_copied = state.pins.as_ref().is_some_and(super::snapshot::Pins::has_files);
            if is_copied { Vec::new() } else { std::mem::take(&mut state.doomed) }
        };
        for filed in doomed {
            let name = content_name(filed.number);
            match self.shared.disk.remove(&name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(file = %self.shared.disk.path(&name).display(), %error, "not removed, left for the next start");
                }
                _ => {}
            }
            let mut state = self.shared.state();
            state.files_octets = state.files_octets.saturating_sub(filed.octets);
        }
    }

    /// Frees segments that hold nothing live, whose events the consumers have, and that no start would read.
    fn recycle(&self) {
        loop {
            let dead = {
                let mut state = self.shared.state();
                let checkpoint = state.checkpoint;
                let is_over = |segment: &&Segment| segment.end <= checkpoint && !state.is_pinned(segment.header.base);
                let dead = state.dead().find(is_over).copied();
                dead.and_then(|dead| state.log.remove(&dead.header.base))
            };
            let Some(dead) = dead else { return };
            if let Err(error) = self.free(&dead) {
                let path = self.shared.segment_path(dead.number);
                self.shared.state().latch(format!("{}: {error}", path.display()));
                return;
            }
        }
    }

    /// Begins another life of a segment: from now on nothing in it is a record.
    fn free(&self, dead: &Segment) -> io::Result<()> {
        let file = self.shared.segment_file(dead.number)?;
        let header = SegmentHeader { purpose: Use::Dirty, incarnation: dead.header.incarnation + 1, ..dead.header };
        header.write(&*file)?;
        file.sync()?;
        let mut state = self.shared.state();
        let wipe_at = Some(dead.wipe_at.unwrap_or_else(|| self.shared.wipe_at(state.now)));
        state.free.push(FreeSegment { number: dead.number, header, wipe_at });
        Ok(())
    }

    fn is_checkpoint_due(&self) -> bool {
        let state = self.shared.state();
        let estimate = state.index.messages() * ENTRY_OCTETS;
        let checkpoint = state.checkpoint;
        let gain: u64 = state.dead().filter(|dead| dead.end > checkpoint).map(|dead| dead.header.octets).sum();
        let is_tight = state.free.len() <= self.shared.reserve_segments();
        let log = state.synced.saturating_sub(checkpoint);
        (gain > 0 && (is_tight || gain >= 2 * estimate))
            || log >= (LOG_SEGMENTS_MAX * self.shared.options.segment_octets).max(4 * estimate)
    }

    /// Makes segments ahead, or gives back what is more than enough.
    fn keep_ready(&mut self, now: u64) {
        let reserve = self.shared.reserve_segments();
        let wanted = reserve + self.shared.options.segments_ready;
        let enough = |state: &State| state.free.len() + state.wiping >= wanted;
        let is_enough = enough(&self.shared.state());
        if !is_enough && now >= self.allocate_at {
            match self.shared.allocate(false, enough) {
                Ok(()) => {}
                Err(StoreError::NoRoom(cause)) => {
                    tracing::debug!(%cause, "no segment can be made ahead");
                    self.allocate_at = now + RETRY_AFTER;
                }
                Err(error) => tracing::warn!(%error, "no segment can be made ahead"),
            }
        }
        let mut state = self.shared.state();
        if state.free.len() + state.wiping > reserve && state.no_room.take().is_some() {
            tracing::info!("there is room for mail again");
        }
        if state.free.len() > wanted + SPARE_SEGMENTS + state.log.len()
            && let Some(surplus) = state.free.pop()
        {
            state.segments_octets -= surplus.header.octets;
            drop(state);
            self.shared.close_file(surplus.number);
            if let Err(error) = self.shared.disk.remove(&segment::name(surplus.number)) {
                tracing::warn!(%error, "a free segment could not be removed, the next start finds it");
            }
        }
    }

    /// A head that holds settled content for too long is closed, so that it can be overwritten.
    fn close_old_head(&mut self, now: u64, out: &mut Vec<Request>) {
        let state = self.shared.state();
        let Some(head) = state.head() else { return };
        let is_due = head.wipe_at.is_some_and(|at| at <= now) && head.end > head.header.data_start();
        if is_due && now >= self.roll_at {
            self.roll_at = now + 60 * RETRY_AFTER;
            out.push(Request::Roll);
        }
    }
}

impl State {
    /// Closed segments that hold nothing live and whose events the consumers have.
    fn dead(&self) -> impl Iterator<Item = &Segment> {
        let head = self.head().map(|head| head.number);
        let consumed = self.consumed;
        self.log
            .values()
            .filter(move |segment| segment.live == 0 && segment.end <= consumed && Some(segment.number) != head)
    }
}
