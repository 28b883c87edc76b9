//! What the committer, the upkeep and the readers share: live mail, segments, and how far the log is synced.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use relay::id::MessageId;
use relay::queue::Envelope;
use relay::store::{Damage, StoreError};

use super::damage::Remains;
use super::disk::{Disk, DiskFile};
use super::index::Index;
use super::meta::Filed;
use super::options::Options;
use super::progress::Progress;
use super::segment::{self, SegmentHeader};
use super::snapshot::Pins;

/// The folder of content files.
pub(crate) const CONTENT: &str = "content";
/// Damage remembered at most; all of it is in the log.
const DAMAGE_MAX: usize = 200;
/// Open files of segments.
const OPEN_MAX: usize = 32;

/// A segment of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// The number of its file.
    pub(crate) number: u32,
    /// Its header.
    pub(crate) header: SegmentHeader,
    /// Where its records end.
    pub(crate) end: u64,
    /// Commit and Copy records written into it.
    pub(crate) messages: u32,
    /// Those whose message is live.
    pub(crate) live: u32,
    /// From when on settled content in it has to be overwritten, milliseconds of the upkeep's clock.
    pub(crate) wipe_at: Option<u64>,
    /// When it was closed, on the same clock.
    pub(crate) sealed_at: u64,
}

/// A segment that waits to be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreeSegment {
    /// The number of its file.
    pub(crate) number: u32,
    /// Its header.
    pub(crate) header: SegmentHeader,
    /// From when on its remains have to be overwritten; none where there are none.
    pub(crate) wipe_at: Option<u64>,
}

/// A message as a first attempt wants it.
#[derive(Clone, Debug)]
pub(crate) struct RecentMessage {
    /// Its envelope.
    pub(crate) envelope: Arc<Envelope>,
    /// Its content.
    pub(crate) content: Bytes,
    /// Its seal, once that is in the log.
    pub(crate) seal: Option<Bytes>,
}

/// What a message takes in memory, about: small ones are mostly envelope.
fn octets_of(envelope: &Envelope, content: &Bytes) -> usize {
    content.len() + 1000 + 100 * (envelope.recipients.len() + envelope.suppressed.len())
}

/// New messages, held so that a first attempt reads nothing.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    messages: HashMap<MessageId, RecentMessage>,
    order: VecDeque<MessageId>,
    octets: usize,
}

impl Recent {
    /// Keeps a message; the oldest go.
    pub(crate) fn keep(&mut self, envelope: Arc<Envelope>, content: Bytes, octets_max: usize) {
        let octets = octets_of(&envelope, &content);
        if octets > octets_max {
            return;
        }
        self.octets += octets;
        self.order.push_back(envelope.message);
        self.messages.insert(envelope.message, RecentMessage { envelope, content, seal: None });
        while self.octets > octets_max || self.order.len() > 2 * self.messages.len() + 16 {
            match self.order.pop_front() {
                Some(oldest) => self.forget(oldest),
                None => break,
            }
        }
    }

    /// Lets a message go.
    pub(crate) fn forget(&mut self, message: MessageId) {
        if let Some(gone) = self.messages.remove(&message) {
            self.octets -= octets_of(&gone.envelope, &gone.content);
        }
    }

    /// Octets that it holds.
    #[cfg(feature = "simulation")]
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    /// A message, if it is still held.
    pub(crate) fn find(&self, message: MessageId) -> Option<RecentMessage> {
        self.messages.get(&message).cloned()
    }

    /// Keeps the seal of a message that is still held.
    pub(crate) fn sealed(&mut self, message: MessageId, seal: Bytes) {
        if let Some(held) = self.messages.get_mut(&message) {
            held.seal = Some(seal);
        }
    }
}

/// What changes, under one lock that nobody holds while reading or writing.
#[derive(Debug)]
pub(crate) struct State {
    /// Live mail.
    pub(crate) index: Index,
    /// Content files of live mail.
    pub(crate) files: BTreeMap<MessageId, Filed>,
    /// Octets of all content files, drafts included.
    pub(crate) files_octets: u64,
    /// Content files that nobody needs any more.
    pub(crate) doomed: Vec<Filed>,
    /// Claimed messages.
    pub(crate) claims: HashSet<MessageId>,
    /// Seals handed in and not yet in the log.
    pub(crate) seals: HashMap<MessageId, Bytes>,
    /// New messages.
    pub(crate) recent: Recent,
    /// Segments of the log, by their base; the last is the head.
    pub(crate) log: BTreeMap<u64, Segment>,
    /// Segments that wait to be used.
    pub(crate) free: Vec<FreeSegment>,
    /// Free segments that are just being overwritten.
    pub(crate) wiping: usize,
    /// Octets of all segments.
    pub(crate) segments_octets: u64,
    /// The number of the next segment that is made.
    pub(crate) next_number: u32,
    /// How far the log is synced.
    pub(crate) synced: u64,
    /// How far it was known to be synced when it was read at the start: what lies behind may be in the system's memory
    /// alone, where an earlier process left it.
    pub(crate) proven: u64,
    /// The number of the last record.
    pub(crate) sequence: u64,
    /// How far the consumers are.
    pub(crate) consumed: u64,
    /// From where on the log is needed beside the last checkpoint.
    pub(crate) checkpoint: u64,
    /// The number of this start.
    pub(crate) epoch: u32,
    /// Why nothing more is written, if so.
    pub(crate) latched: Option<String>,
    /// Why no new mail is taken now, if so.
    pub(crate) no_room: Option<String>,
    /// What was found damaged and not acknowledged.
    pub(crate) damage: Vec<Damage>,
    /// The list of damage is not on the disk as it is here.
    pub(crate) damage_changed: bool,
    /// Damaged octets that are still to be set aside.
    pub(crate) remains: Vec<Remains>,
    /// What a backup keeps as it is.
    pub(crate) pins: Option<Pins>,
    /// This start found damage, known or not: what it made of the log may not be all.
    pub(crate) is_incomplete: bool,
    /// The upkeep's clock, milliseconds.
    pub(crate) now: u64,
}

impl State {
    /// The segment of the log that a position is in.
    pub(crate) fn segment_at(&self, position: u64) -> Option<&Segment> {
        let (base, segment) = self.log.range(..=position).next_back()?;
        (position < base + segment.header.octets).then_some(segment)
    }

    /// As [`State::segment_at`], to change it.
    pub(crate) fn segment_at_mut(&mut self, position: u64) -> Option<&mut Segment> {
        let (base, segment) = self.log.range_mut(..=position).next_back()?;
        (position < base + segment.header.octets).then_some(segment)
    }

    /// The head: the segment that is written.
    pub(crate) fn head(&self) -> Option<&Segment> {
        self.log.last_key_value().map(|(_, segment)| segment)
    }

    /// The record of a message at this position is no longer its own.
    pub(crate) fn left(&mut self, position: u64, wipe_at: u64) {
        if let Some(segment) = self.segment_at_mut(position) {
            segment.live = segment.live.saturating_sub(1);
            segment.wipe_at.get_or_insert(wipe_at);
        }
    }

    /// The message has left the queue: everything about it in memory goes.
    pub(crate) fn settled(&mut self, message: MessageId, position: u64, wipe_at: u64) {
        self.left(position, wipe_at);
        self.claims.remove(&message);
        self.recent.forget(message);
        self.seals.remove(&message);
        if let Some(filed) = self.files.remove(&message) {
            self.doomed.push(filed);
        }
    }

    /// Whether a backup keeps this segment of the log as it is.
    pub(crate) fn is_pinned(&self, base: u64) -> bool {
        self.pins.as_ref().is_some_and(|pins| pins.has_segment(base))
    }

    /// Remembers damage, each place and message once.
    pub(crate) fn damaged(&mut self, damage: Damage) {
        self.is_incomplete = true;
        let is_same = |known: &Damage| {
            (&known.file, known.offset, known.message) == (&damage.file, damage.offset, damage.message)
        };
        if self.damage.iter().any(is_same) {
            return;
        }
        tracing::error!(%damage, "the spool is damaged");
        if self.damage.len() < DAMAGE_MAX {
            self.damage.push(damage);
            self.damage_changed = true;
        }
    }

    /// Whether the verb may go on.
    ///
    /// # Errors
    /// [`StoreError::Latched`].
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &self.latched {
            Some(cause) => Err(StoreError::Latched(cause.clone())),
            None => Ok(()),
        }
    }

    /// Stops everything until a restart. The first cause stays.
    pub(crate) fn latch(&mut self, cause: String) -> StoreError {
        let cause = self.latched.get_or_insert_with(|| {
            tracing::error!(%cause, "the spool stops: nothing more is taken or delivered until a restart");
            cause
        });
        StoreError::Latched(cause.clone())
    }
}

/// What all parts of a spool share.
pub(crate) struct Shared<D: Disk> {
    /// Its files.
    pub(crate) disk: D,
    /// Its sizes.
    pub(crate) options: Options,
    /// How far the log is synced, for those who wait for it.
    pub(crate) progress: Progress,
    state: Mutex<State>,
    open: Mutex<VecDeque<(u32, Arc<D::File>)>>,
    /// Octets that drafts hold in memory.
    pub(crate) drafts_octets: AtomicU64,
    /// The number of the last content file of this start.
    pub(crate) last_file: AtomicU32,
    /// One allocation at a time.
    allocating: Mutex<()>,
    /// One checkpoint at a time.
    pub(crate) checkpointing: Mutex<()>,
    /// One writer of the list of damage at a time.
    pub(crate) keeping_damage: Mutex<()>,
}

/// A lock that outlives a panic elsewhere: what it protects is changed in whole steps.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<D: Disk> Shared<D> {
    /// Around a recovered state.
    pub(crate) fn new(disk: D, options: Options, state: State) -> Self {
        Shared {
            disk,
            options,
            progress: Progress::new(state.synced),
            state: Mutex::new(state),
            open: Mutex::new(VecDeque::new()),
            drafts_octets: AtomicU64::new(0),
            last_file: AtomicU32::new(0),
            allocating: Mutex::new(()),
            checkpointing: Mutex::new(()),
            keeping_damage: Mutex::new(()),
        }
    }

    /// The state. Not to be held while reading or writing.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Segments that outcomes of accepted mail have for themselves.
    pub(crate) fn reserve_segments(&self) -> usize {
        (self.options.reserve_octets.div_ceil(self.options.segment_octets) as usize).max(1)
    }

    /// When content that is settled now has to be overwritten.
    pub(crate) fn wipe_at(&self, now: u64) -> u64 {
        now.saturating_add(u64::try_from(self.options.wipe_after.as_millis()).unwrap_or(u64::MAX))
    }

    /// The file of a segment; a few stay open.
    pub(crate) fn segment_file(&self, number: u32) -> io::Result<Arc<D::File>> {
        if let Some((_, file)) = lock(&self.open).iter().find(|(of, _)| *of == number) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.disk.open(&segment::name(number))?);
        self.keep_open(number, &file);
        Ok(file)
    }

    fn keep_open(&self, number: u32, file: &Arc<D::File>) {
        let mut open = lock(&self.open);
        if open.len() >= OPEN_MAX {
            open.pop_front();
        }
        open.push_back((number, Arc::clone(file)));
    }

    /// Lets go of a segment's open file.
    pub(crate) fn close_file(&self, number: u32) {
        lock(&self.open).retain(|(of, _)| *of != number);
    }

    /// Makes one more free segment, unless `enough` says that it is no longer wanted once the turn has come.
    /// `over` the bounds of the configuration only for outcomes that have nowhere else to go.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] with the cause.
    pub(crate) fn allocate(&self, over: bool, enough: impl Fn(&State) -> bool) -> Result<(), StoreError> {
        let _turn = lock(&self.allocating);
        let octets = self.options.segment_octets;
        let number = {
            let mut state = self.state();
            if enough(&state) {
                return Ok(());
            }
            let used = state.segments_octets + state.files_octets;
            if !over && used + octets > self.options.spool_octets_max {
                let octets_max = self.options.spool_octets_max;
                return Err(StoreError::NoRoom(format!("the spool has {used} of at most {octets_max} octets")));
            }
            state.next_number += 1;
            state.next_number - 1
        };
        self.check_disk(if over { 0 } else { octets + self.options.disk_free_octets_min })?;
        let (file, header) = segment::make(&self.disk, number, octets)
            .map_err(|error| StoreError::NoRoom(format!("a segment cannot be made: {error}")))?;
        self.keep_open(number, &Arc::new(file));
        let mut state = self.state();
        state.segments_octets += octets;
        state.free.push(FreeSegment { number, header, wipe_at: None });
        Ok(())
    }

    fn check_disk(&self, wanted: u64) -> Result<(), StoreError> {
        let free = self.disk.free_octets().map_err(|error| StoreError::NoRoom(error.to_string()))?;
        if free < wanted {
            return Err(StoreError::NoRoom(format!("the disk has {free} octets free, {wanted} are needed")));
        }
        Ok(())
    }

    /// Takes room for octets of a content file.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`].
    pub(crate) fn take_file_room(&self, octets: u64) -> Result<(), StoreError> {
        self.check_disk(octets + self.options.disk_free_octets_min)?;
        let mut state = self.state();
        let used = state.segments_octets + state.files_octets;
        if used + octets > self.options.spool_octets_max {
            let octets_max = self.options.spool_octets_max;
            return Err(StoreError::NoRoom(format!("the spool has {used} of at most {octets_max} octets")));
        }
        state.files_octets += octets;
        Ok(())
    }

    /// Opens and writes so that a failure latches.
    pub(crate) fn latching<T>(&self, what: &str, done: io::Result<T>) -> Result<T, StoreError> {
        done.map_err(|error| self.state().latch(format!("{what}: {error}")))
    }

    /// Where a segment's file is.
    pub(crate) fn segment_path(&self, number: u32) -> PathBuf {
        self.disk.path(&segment::name(number))
    }
}

/// The name of a content file.
pub(crate) fn content_name(number: u64) -> String {
    format!("{CONTENT}/{number:016x}")
}

/// What is said of a content file that is not as it was written.
pub(crate) fn content_damaged<D: Disk>(disk: &D, filed: &Filed, message: MessageId) -> Damage {
    let file = disk.path(&content_name(filed.number)).display().to_string();
    Damage { file, offset: None, message: Some(message), what: format!("the content of message {message} is damaged") }
}

/// What is said of damage in a segment of the log.
pub(crate) fn record_damaged<D: Disk>(
    disk: &D,
    segment: &Segment,
    position: u64,
    message: Option<MessageId>,
    what: String,
) -> Damage {
    let file = disk.path(&segment::name(segment.number)).display().to_string();
    Damage { file, offset: Some(position - segment.header.base), message, what }
}

/// The checksum of the whole of a file, and its length.
pub(crate) fn file_crc<F: DiskFile>(file: &F) -> io::Result<(u32, u64)> {
    let mut buffer = vec![0; 256 * 1024];
    let (mut crc, mut offset) = (0, 0);
    loop {
        let count = file.read_at(&mut buffer, offset)?;
        if count == 0 {
            return Ok((crc, offset));
        }
        crc = crc32c::crc32c_append(crc, &buffer[..count]);
        offset += count as u64;
    }
}
