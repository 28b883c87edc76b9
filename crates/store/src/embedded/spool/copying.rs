//! Long-deferred mail is copied out of nearly dead segments, so that a few messages never pin one.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use relay::store::StoreError;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::disk::Disk;
use super::record::Kind;
use super::request::{Copy, Request};
use super::scan::{Last, Scanner};
use super::state::{Segment, Shared};
use super::upkeep::Budget;

/// How long a closed segment is left to die by itself, milliseconds.
const PATIENCE: u64 = 600_000;
/// A segment is nearly dead when at most one in so many of its messages is live.
const NEARLY_DEAD: u32 = 8;
/// The same where segments run short.
const NEARLY_DEAD_WHEN_TIGHT: u32 = 2;
/// Copies handed to the committer at once.
const IN_FLIGHT_MAX: usize = 16;

struct Job {
    segment: Segment,
    position: u64,
}

/// The copying of one segment after another.
pub(crate) struct Copying<D: Disk> {
    shared: Arc<Shared<D>>,
    job: Option<Job>,
    in_flight: Vec<oneshot::Receiver<Result<(), StoreError>>>,
    /// Segments with a message that cannot be read: they stay until it is settled.
    given_up: HashSet<u64>,
}

impl<D: Disk> Copying<D> {
    pub(crate) fn new(shared: Arc<Shared<D>>) -> Self {
        Copying { shared, job: None, in_flight: Vec::new(), given_up: HashSet::new() }
    }

    /// Whether there is a segment being copied.
    pub(crate) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Goes on as far as the budget allows.
    pub(crate) fn step(&mut self, now: u64, budget: &mut Budget, out: &mut Vec<Request>) {
        let mut has_failed = false;
        self.in_flight.retain_mut(|reply| match reply.try_recv() {
            Ok(result) => {
                has_failed |= result.is_err();
                false
            }
            Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Closed) => false,
        });
        if has_failed {
            // no room for now: it is chosen again when there is
            self.job = None;
        }
        if !self.in_flight.is_empty() || !budget.has_left() {
            return;
        }
        let Some(mut job) = self.job.take().or_else(|| self.choose(now)) else { return };
        match self.copy(&mut job, budget, out) {
            Ok(true) => self.job = Some(job),
            Ok(false) => {
                // what is still live here could not be read, or is on its way: those in flight decide
                if self.in_flight.is_empty() {
                    self.given_up.insert(job.segment.header.base);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a segment could not be read for copying");
                self.given_up.insert(job.segment.header.base);
            }
        }
    }

    fn choose(&self, now: u64) -> Option<Job> {
        let state = self.shared.state();
        let is_tight = state.free.len() <= self.shared.reserve_segments();
        let head = state.head()?.number;
        let is_ripe = |segment: &&Segment| {
            let share = if is_tight { NEARLY_DEAD_WHEN_TIGHT } else { NEARLY_DEAD };
            let has_waited = is_tight || now.saturating_sub(segment.sealed_at) >= PATIENCE;
            segment.number != head
                && segment.live > 0
                && segment.live.saturating_mul(share) <= segment.messages
                && has_waited
                && !self.given_up.contains(&segment.header.base)
        };
        let segment = state.log.values().filter(is_ripe).min_by_key(|segment| segment.live)?;
        Some(Job { segment: *segment, position: segment.header.data_start() })
    }

    /// Reads on in the segment; whether there is more of it.
    fn copy(&mut self, job: &mut Job, budget: &mut Budget, out: &mut Vec<Request>) -> io::Result<bool> {
        let file = self.shared.segment_file(job.segment.number)?;
        let mut scanner = Scanner::new(&*file, &job.segment.header, job.segment.end);
        while budget.has_left() && self.in_flight.len() < IN_FLIGHT_MAX {
            let Some(found) = scanner.find(job.position, Last::default())? else { return Ok(false) };
            job.position = found.end();
            budget.spend(64);
            let message = found.header.message();
            let is_message = matches!(found.header.kind(), Some(Kind::Commit | Kind::Copy));
            let (is_here, seal) = {
                let state = self.shared.state();
                (state.index.position(message) == Some(found.position), state.index.seal(message))
            };
            if !is_message || !is_here {
                continue;
            }
            // damaged: reported, and left where it is
            let Ok(Some(read)) = self.shared.read(message) else { continue };
            if read.position != found.position {
                continue;
            }
            let seal = seal.and_then(|position| self.shared.read_seal(message, position));
            budget.spend(2 * found.header.record_octets());
            let (reply, receiver) = oneshot::channel();
            self.in_flight.push(receiver);
            let copy = Copy {
                from: read.position,
                envelope: read.kept.envelope,
                filed: read.kept.filed,
                content: read.held,
                seal: seal.map(Vec::from),
            };
            out.push(Request::Copy(Box::new(copy), reply));
        }
        Ok(true)
    }
}
