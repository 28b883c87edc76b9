//! What an operator or a test may choose about the spool.

use std::time::Duration;

use super::segment::{EDGE_OCTETS, SEGMENT_OCTETS_MIN};

/// Sizes and budgets of a spool. [`Options::default`] is for a server, [`Options::small`] for tests and trials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Octets of a segment made from now on; those that exist keep their size. At least twice a record's largest.
    pub segment_octets: u64,
    /// Segments kept ready beyond the reserve, so that no commit waits for an allocation.
    pub segments_ready: usize,
    /// Octets of all segments and content files together; past it, [`relay::store::StoreError::NoRoom`].
    pub spool_octets_max: u64,
    /// Octets of the disk that are never taken: the ledger and checkpoints live there too.
    pub disk_free_octets_min: u64,
    /// Octets of allocated segments that only outcomes of accepted mail may use; rounded up to whole segments.
    pub reserve_octets: u64,
    /// Content longer than this goes into a file of its own.
    pub held_content_octets_max: usize,
    /// When all drafts together hold so many octets in memory, the larger ones go into files earlier.
    pub drafts_octets_max: u64,
    /// Octets in one write of the committer: a few large messages do not stall a small one.
    pub write_octets_max: usize,
    /// Octets of newly kept messages still held in memory, so that a first attempt reads nothing.
    pub recent_octets_max: usize,
    /// Unsynced records (notices, seals) waiting to be written, octets; beyond it, they are dropped.
    pub lazy_octets_max: usize,
    /// How long unsynced records may wait for a commit to take them along.
    pub lazy_delay_max: Duration,
    /// Octets a second for copying mail out of nearly dead segments and for overwriting.
    pub upkeep_octets_per_second: u64,
    /// How long settled content may stay on the disk before it is overwritten; three of these are below a day.
    pub wipe_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_octets: 64 << 20,
            segments_ready: 2,
            spool_octets_max: 32 << 30,
            disk_free_octets_min: 256 << 20,
            reserve_octets: 64 << 20,
            held_content_octets_max: 1 << 20,
            drafts_octets_max: 256 << 20,
            write_octets_max: 4 << 20,
            recent_octets_max: 64 << 20,
            lazy_octets_max: 4 << 20,
            lazy_delay_max: Duration::from_millis(100),
            upkeep_octets_per_second: 16 << 20,
            wipe_after: Duration::from_secs(6 * 3600),
        }
    }
}

impl Options {
    /// With what cannot work made to work: records fit segments, segments fit the spool.
    pub(crate) fn checked(mut self) -> Self {
        self.segment_octets = self.segment_octets.max(SEGMENT_OCTETS_MIN).next_multiple_of(EDGE_OCTETS);
        let record_octets_max = (self.segment_octets / 4) as usize;
        self.held_content_octets_max = self.held_content_octets_max.min(record_octets_max);
        self.write_octets_max = self.write_octets_max.min(2 * record_octets_max);
        let reserve = self.reserve_octets.div_ceil(self.segment_octets).max(1);
        self.spool_octets_max = self.spool_octets_max.max((reserve + 2) * self.segment_octets);
        self
    }

    /// Little disk and memory: starts in milliseconds.
    pub fn small() -> Self {
        Options {
            segment_octets: 4 << 20,
            segments_ready: 1,
            spool_octets_max: 1 << 30,
            disk_free_octets_min: 16 << 20,
            reserve_octets: 1 << 20,
            recent_octets_max: 4 << 20,
            ..Options::default()
        }
    }
}
