//! Settled content is overwritten where it lies, in time: in segments that others still pin, and in free ones.

use std::io;
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use super::record::Kind;
use super::scan::{Last, Scanner};
use super::segment::{EDGE_OCTETS, SegmentHeader, Use, zero};
use super::state::{FreeSegment, Segment, Shared};
use super::upkeep::Budget;

/// Octets overwritten between two looks at the budget.
const SLICE_OCTETS: u64 = 1 << 20;

enum Job {
    /// A free segment, out of the list until it is clean; the offset reached.
    Free(FreeSegment, u64),
    /// A closed segment of the log; the position reached.
    Log(Segment, u64),
}

/// The overwriting of one segment after another.
pub(crate) struct Wiping<D: Disk> {
    shared: Arc<Shared<D>>,
    job: Option<Job>,
}

impl<D: Disk> Wiping<D> {
    pub(crate) fn new(shared: Arc<Shared<D>>) -> Self {
        Wiping { shared, job: None }
    }

    /// Whether there is a segment being overwritten.
    pub(crate) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Goes on as far as the budget allows.
    pub(crate) fn step(&mut self, now: u64, budget: &mut Budget) -> io::Result<()> {
        if !budget.has_left() {
            return Ok(());
        }
        if self.job.is_none() {
            self.job = self.choose(now);
        }
        self.job = match self.job.take() {
            Some(Job::Free(free, offset)) => self.wipe_free(free, offset, budget)?,
            Some(Job::Log(segment, position)) => self.wipe_log(segment, position, budget)?,
            None => None,
        };
        Ok(())
    }

    fn choose(&self, now: u64) -> Option<Job> {
        let mut state = self.shared.state();
        let is_due = |wipe_at: Option<u64>| wipe_at.is_some_and(|at| at <= now);
        // the last one stays for outcomes while it can
        let patience = if state.free.len() > 1 { 0 } else { self.shared.wipe_at(0) };
        let is_overdue = |wipe_at: Option<u64>| is_due(wipe_at.map(|at| at.saturating_add(patience)));
        if let Some(place) = state.free.iter().position(|free| is_overdue(free.wipe_at)) {
            let free = state.free.swap_remove(place);
            state.wiping += 1;
            return Some(Job::Free(free, EDGE_OCTETS));
        }
        let head = state.head()?.number;
        let pinned: Vec<u64> = state.log.keys().copied().filter(|base| state.is_pinned(*base)).collect();
        let is_free = |segment: &Segment| segment.number != head && !pinned.contains(&segment.header.base);
        let segment = state.log.values_mut().find(|segment| is_due(segment.wipe_at) && is_free(segment))?;
        // what is settled from now on has its own time
        segment.wipe_at = None;
        Some(Job::Log(*segment, segment.header.data_start()))
    }

    fn wipe_free(&self, free: FreeSegment, mut offset: u64, budget: &mut Budget) -> io::Result<Option<Job>> {
        let file = self.shared.segment_file(free.number)?;
        let end = free.header.octets - EDGE_OCTETS;
        while offset < end {
            if !budget.has_left() {
                return Ok(Some(Job::Free(free, offset)));
            }
            let to = end.min(offset + SLICE_OCTETS);
            zero(&*file, offset, to)?;
            budget.spend(to - offset);
            offset = to;
        }
        file.sync()?;
        // only now: the header must not say so before it is so
        let header = SegmentHeader { purpose: Use::Clean, incarnation: free.header.incarnation + 1, ..free.header };
        header.write(&*file)?;
        file.sync()?;
        let mut state = self.shared.state();
        state.wiping -= 1;
        state.free.push(FreeSegment { header, wipe_at: None, ..free });
        Ok(None)
    }

    fn wipe_log(&self, segment: Segment, mut position: u64, budget: &mut Budget) -> io::Result<Option<Job>> {
        let base = segment.header.base;
        if !self.shared.state().log.contains_key(&base) {
            return Ok(None);
        }
        let file = self.shared.segment_file(segment.number)?;
        let mut scanner = Scanner::new(&*file, &segment.header, segment.end);
        while let Some(found) = scanner.find(position, Last::default())? {
            let (is_pinned, is_live) = {
                let state = self.shared.state();
                (state.is_pinned(base), state.index.position(found.header.message()) == Some(found.position))
            };
            if is_pinned || !budget.has_left() {
                return Ok(Some(Job::Log(segment, position)));
            }
            position = found.end();
            budget.spend(64);
            let octets = u64::from(found.header.content_octets);
            let is_message = matches!(found.header.kind(), Some(Kind::Commit | Kind::Copy));
            if is_message && !is_live && octets > 0 {
                let from = found.content_at() - base;
                zero(&*file, from, from + octets)?;
                budget.spend(octets);
            }
        }
        // behind the last record there may be remains of an earlier life
        zero(&*file, segment.end - base, segment.header.data_end() - base)?;
        budget.spend(segment.header.data_end() - segment.end);
        file.sync()?;
        Ok(None)
    }
}
