//! A spool without threads, for a simulator that is its disk and decides when each of its steps is made.
//!
//! Everything here is the code that runs in a server; only who calls `Committer::step` and `Upkeep::step`
//! differs. Behind the feature `simulation`, which the binary is built without.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use relay::id::MessageId;
use relay::store::StoreError;

use super::committer::{Committer, refuse};
use super::engine::Engine;
use super::scan::{Last, Scanner};
use super::segment::{FOLDER, SegmentHeader, Use};
use super::state::lock;
use super::upkeep::Upkeep;
use super::{LogSpool, Options, Position, open};

pub use super::disk::{Disk, DiskFile};
pub use super::record::Kind;

/// The steps of one spool, to be made by a task where a server has threads.
pub struct Steps<D: Disk> {
    engine: Arc<Engine<D>>,
    committer: Committer<D>,
    upkeep: Upkeep<D>,
    waiting: VecDeque<super::request::Request>,
}

/// What a spool holds in memory and on the disk, for bounds and leaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Octets of drafts in memory.
    pub drafts_octets: u64,
    /// Octets of new messages held for a first attempt.
    pub recent_octets: usize,
    /// Messages claimed.
    pub claims: usize,
    /// Seals that wait to be written.
    pub seals: usize,
    /// Octets of segments.
    pub segments_octets: u64,
    /// Octets of content files.
    pub files_octets: u64,
    /// Content files of live mail.
    pub files: usize,
    /// Content files that wait to be removed.
    pub doomed: usize,
    /// Segments of the log.
    pub log_segments: usize,
    /// Segments that wait to be used.
    pub free_segments: usize,
}

/// A record on the disk, as a scan from its segment's start finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordAt {
    /// The number of its segment's file: `segments/{number:08}`.
    pub segment: u32,
    /// Where it starts in that file.
    pub offset: u64,
    /// Its log position.
    pub position: u64,
    /// Octets of header, meta part and content, without padding.
    pub parts: [u64; 3],
    /// What it says.
    pub kind: Kind,
    /// The message it is about.
    pub message: MessageId,
    /// How far the log was synced before it was written.
    pub synced: u64,
}

impl<D: Disk> Steps<D> {
    /// As [`LogSpool::open`], over any disk and without threads.
    ///
    /// # Errors
    /// As [`LogSpool::open`].
    pub fn open(disk: D, options: Options, consumed: Position) -> Result<(LogSpool<D>, Steps<D>), StoreError> {
        let shared = open(disk, options, consumed)?;
        let committer = Committer::begin(Arc::clone(&shared))?;
        let upkeep = Upkeep::new(Arc::clone(&shared));
        let engine = Arc::new(Engine::new(shared));
        let steps = Steps { engine: Arc::clone(&engine), committer, upkeep, waiting: VecDeque::new() };
        Ok((LogSpool { engine }, steps))
    }

    /// Waits until something was asked of the committer since the last time.
    pub fn asked(&self) -> impl Future<Output = ()> + Send + 'static {
        let engine = Arc::clone(&self.engine);
        async move { engine.asked.notified().await }
    }

    /// Whether the upkeep has more to do as soon as its budget allows.
    pub fn is_busy(&self) -> bool {
        self.upkeep.is_busy()
    }

    /// One step of the committer over all that waits; whether the upkeep is wanted by now.
    pub fn commit(&mut self) -> bool {
        self.engine.hand_over(&mut self.waiting);
        self.committer.step(&mut self.waiting);
        self.engine.wants_upkeep()
    }

    /// Whether another step of the committer has something to do.
    pub fn is_pending(&self) -> bool {
        self.committer.is_pending() || !self.waiting.is_empty() || self.engine.has_asked()
    }

    /// One step of the upkeep; `now` in milliseconds that only grow.
    pub fn keep(&mut self, now: u64) {
        let mut out = Vec::new();
        self.upkeep.step(now, &mut out);
        for request in out {
            self.engine.push(request);
        }
    }

    /// A graceful end: what waits is written, then a last checkpoint.
    pub fn close(mut self) {
        self.engine.shut();
        while self.is_pending() {
            self.commit();
        }
        self.engine.finish();
        self.engine.shared.progress.close();
    }

    /// What it holds.
    pub fn figures(&self) -> Figures {
        let shared = &self.engine.shared;
        let state = shared.state();
        Figures {
            drafts_octets: shared.drafts_octets.load(Ordering::Relaxed),
            recent_octets: state.recent.octets(),
            claims: state.claims.len(),
            seals: state.seals.len(),
            segments_octets: state.segments_octets,
            files_octets: state.files_octets,
            files: state.files.len(),
            doomed: state.doomed.len(),
            log_segments: state.log.len(),
            free_segments: state.free.len(),
        }
    }
}

impl<D: Disk> Drop for Steps<D> {
    fn drop(&mut self) {
        // nobody steps any more: whoever waits is told
        self.engine.shut();
        self.engine.hand_over(&mut self.waiting);
        for request in self.waiting.drain(..) {
            refuse(request, StoreError::Unavailable("the spool is closed".to_owned()));
        }
    }
}

/// How many segments of the log are in a later life than their first: what an earlier one left may be in them.
///
/// # Errors
/// The disk cannot be read.
pub fn remains<D: Disk>(disk: &D) -> io::Result<usize> {
    let mut count = 0;
    for (name, octets) in disk.list(FOLDER)? {
        let Some(number) = super::segment::number(&name) else { continue };
        let header = SegmentHeader::read(&disk.open(&super::segment::name(number))?, octets)?;
        count += usize::from(header.is_some_and(|header| header.purpose == Use::Log && header.incarnation > 1));
    }
    Ok(count)
}

/// The records on a disk that no spool has open, in the order of the log.
///
/// # Errors
/// It cannot be read.
pub fn records<D: Disk>(disk: &D) -> io::Result<Vec<RecordAt>> {
    let mut records = Vec::new();
    for (name, octets) in disk.list(FOLDER)? {
        let Some(number) = super::segment::number(&name) else { continue };
        let file = disk.open(&super::segment::name(number))?;
        let Some(header) = SegmentHeader::read(&file, octets)?.filter(|header| header.purpose == Use::Log) else {
            continue;
        };
        let mut scanner = Scanner::new(&file, &header, u64::MAX);
        let (mut position, mut last) = (header.data_start(), Last::default());
        while let Some(found) = scanner.at(position, last)? {
            last = last.with(&found.header);
            position = found.end();
            let Some(kind) = found.header.kind() else { continue };
            let parts = [
                super::record::HEADER_OCTETS as u64,
                u64::from(found.header.meta_octets),
                u64::from(found.header.content_octets),
            ];
            records.push(RecordAt {
                segment: number,
                offset: found.position - header.base,
                position: found.position,
                parts,
                kind,
                message: found.header.message(),
                synced: found.header.synced,
            });
        }
    }
    records.sort_by_key(|record| record.position);
    Ok(records)
}

impl<D: Disk> Engine<D> {
    fn hand_over(&self, waiting: &mut VecDeque<super::request::Request>) {
        lock(&self.inbox).empty_into(waiting);
    }

    fn has_asked(&self) -> bool {
        !lock(&self.inbox).queue.is_empty()
    }

    fn shut(&self) {
        lock(&self.inbox).is_closing = true;
    }
}
