//! The start: checkpoint and log become live mail again; a torn tail is cut in silence, damage is reported.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use relay::id::MessageId;
use relay::store::StoreError;

use super::checkpoint::{self, Checkpoint};
use super::disk::{Disk, DiskFile};
use super::index::{Entry, Index};
use super::meta::{self, Filed, Kept};
use super::record::{Kind, VERSION};
use super::scan::{Found, Last, Scanner};
use super::segment::{self, SegmentHeader, Use};
use super::state::{CONTENT, FreeSegment, Recent, Segment, State, content_damaged, content_name, file_crc};

/// Settled content that a start finds is overwritten so many milliseconds later.
const WIPE_DELAY: u64 = 600_000;

fn unavailable(error: &io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// Reads everything there is. `consumed`: how far the consumers of the log are.
///
/// # Errors
/// [`StoreError::Unavailable`] where the folder cannot be read, or a newer version wrote it.
pub(crate) fn recover<D: Disk>(disk: &D, consumed: u64) -> Result<State, StoreError> {
    let mut state = empty(consumed);
    let (checkpoint, is_known) = match checkpoint::read(disk) {
        Ok(found) => (found.unwrap_or_default(), true),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            state.damaged("checkpoint: damaged; what it alone knew of outcomes is lost".to_owned());
            (Checkpoint::default(), false)
        }
        Err(error) => return Err(unavailable(&error)),
    };
    survey(disk, &mut state, &checkpoint).map_err(|error| unavailable(&error))?;
    let from = checkpoint.summary.position;
    state.checkpoint = from;
    for (entry, filed) in &checkpoint.entries {
        state.index.put(entry);
        state.files.extend(filed.map(|filed| (entry.message, filed)));
    }
    let last = Last { epoch: checkpoint.summary.epoch, sequence: checkpoint.summary.sequence };
    let mut replay = Replay { disk, state: &mut state, last, suspects: HashMap::new(), is_known };
    let end = replay.run(from)?;
    let (last, suspects) = (replay.last, replay.suspects);
    state.synced = end;
    state.sequence = last.sequence;
    state.epoch = last.epoch + 1;
    if !(checkpoint.summary.is_closed && end == from) {
        verify(disk, &mut state, from).map_err(|error| unavailable(&error))?;
    }
    for (message, text) in suspects {
        if state.index.contains(message) {
            state.damaged(text);
        }
    }
    count_live(&mut state);
    orphans(disk, &mut state).map_err(|error| unavailable(&error))?;
    Ok(state)
}

fn empty(consumed: u64) -> State {
    State {
        index: Index::default(),
        files: HashMap::new(),
        files_octets: 0,
        doomed: Vec::new(),
        claims: HashSet::new(),
        seals: HashMap::new(),
        recent: Recent::default(),
        log: BTreeMap::new(),
        free: Vec::new(),
        wiping: 0,
        segments_octets: 0,
        next_number: 1,
        synced: 0,
        sequence: 0,
        consumed,
        checkpoint: 0,
        epoch: 1,
        latched: None,
        no_room: None,
        damage: Vec::new(),
        now: 0,
    }
}

/// Finds the segments and what each is for.
fn survey<D: Disk>(disk: &D, state: &mut State, checkpoint: &Checkpoint) -> io::Result<()> {
    for (file_name, octets) in disk.list(segment::FOLDER)? {
        let Some(number) = segment::number(&file_name) else {
            // a segment that was never finished
            disk.remove(&format!("{}/{file_name}", segment::FOLDER))?;
            continue;
        };
        state.next_number = state.next_number.max(number + 1);
        state.segments_octets += octets;
        let known = checkpoint.summary.segments.iter().find(|segment| segment.number == number);
        let read = SegmentHeader::read(&disk.open(&segment::name(number))?, octets)?;
        if read.is_none() {
            let path = disk.path(&segment::name(number));
            state.damaged(format!("{}: both headers are damaged", path.display()));
        }
        let Some(header) = read.or_else(|| known.map(checkpoint::SegmentV1::header)) else { continue };
        let wipe_at = Some(WIPE_DELAY);
        match header.purpose {
            Use::Clean => state.free.push(FreeSegment { number, header, wipe_at: None }),
            Use::Dirty => state.free.push(FreeSegment { number, header, wipe_at }),
            Use::Log => {
                let known = known.filter(|known| known.base == header.base);
                let segment = Segment {
                    number,
                    header,
                    end: known.map_or(header.data_start(), |known| known.end),
                    messages: known.map_or(0, |known| known.messages),
                    live: 0,
                    wipe_at,
                    sealed_at: 0,
                };
                state.log.insert(header.base, segment);
            }
        }
    }
    Ok(())
}

/// Reading the log from a position on.
struct Replay<'a, D> {
    disk: &'a D,
    state: &'a mut State,
    last: Last,
    /// Messages whose content is damaged: told if they are live in the end.
    suspects: HashMap<MessageId, String>,
    /// Whether the position to begin with is to be trusted.
    is_known: bool,
}

impl<D: Disk> Replay<'_, D> {
    /// Returns where the log ends.
    fn run(&mut self, from: u64) -> Result<u64, StoreError> {
        let log = self.state.log.values().copied();
        let segments: Vec<Segment> = log.filter(|s| s.header.base + s.header.octets > from).collect();
        let mut end = from;
        for (place, segment) in segments.iter().enumerate() {
            let header = &segment.header;
            let start = from.max(header.data_start());
            let next = segments.get(place + 1).map(|next| next.header.previous_end);
            if self.is_known && next.is_some_and(|next| next > header.data_end()) {
                self.damaged(segment, header.data_end(), "what follows is missing");
            }
            end = self.segment(segment, start, next)?;
            if let Some(segment) = self.state.log.get_mut(&header.base) {
                segment.end = end;
            }
        }
        Ok(end)
    }

    /// Reads one segment. `next`: where the log ended before the following segment, if there is one: up to there
    /// everything was synced. Returns where its records end.
    fn segment(&mut self, segment: &Segment, start: u64, next: Option<u64>) -> Result<u64, StoreError> {
        let file = self.disk.open(&segment::name(segment.number)).map_err(|error| unavailable(&error))?;
        let limit = next.map_or(segment.header.data_end(), |next| next.min(segment.header.data_end()));
        let mut scanner = Scanner::new(&file, &segment.header, limit);
        // everything before this is known to have been synced
        let mut proof = next.map(|_| limit);
        let mut position = start;
        while position < limit {
            let found = scanner.at(position, self.last).map_err(|error| unavailable(&error))?;
            let is_whole = match &found {
                Some(found) => is_whole(&mut scanner, found).map_err(|error| unavailable(&error))?,
                None => (false, false),
            };
            if is_whole != (true, true) {
                let proof = match proof {
                    Some(proof) => proof,
                    None => *proof
                        .insert(synced_behind(&mut scanner, position, self.last).map_err(|error| unavailable(&error))?),
                };
                if position >= proof {
                    // never acknowledged: what a crash left of the last write
                    break;
                }
            }
            position = match found {
                Some(found) => {
                    self.take(segment, &mut scanner, &found, is_whole)?;
                    found.end()
                }
                None => self.step_over(segment, &mut scanner, position, limit)?,
            };
        }
        Ok(position)
    }

    /// Damage that hides where the next record starts.
    fn step_over<F: DiskFile>(
        &mut self,
        segment: &Segment,
        scanner: &mut Scanner<'_, F>,
        position: u64,
        limit: u64,
    ) -> Result<u64, StoreError> {
        let found = scanner.find(position, self.last).map_err(|error| unavailable(&error))?;
        let next = found.map_or(limit, |found| found.position);
        self.damaged(segment, position, &format!("{} octets cannot be read, stepped over", next - position));
        Ok(next)
    }

    fn damaged(&mut self, segment: &Segment, position: u64, what: &str) {
        let text = told(self.disk, segment, position, what);
        self.state.damaged(text);
    }

    /// Applies a record of the acknowledged log, or reports what is damaged of it.
    fn take<F: DiskFile>(
        &mut self,
        segment: &Segment,
        scanner: &mut Scanner<'_, F>,
        found: &Found,
        (meta_whole, content_whole): (bool, bool),
    ) -> Result<(), StoreError> {
        self.last = self.last.with(&found.header);
        let kind = found.header.kind().filter(|_| found.header.version <= VERSION);
        let Some(kind) = kind else {
            let text = told(self.disk, segment, found.position, "written by a newer version");
            return Err(StoreError::Unavailable(text));
        };
        let message = found.header.message();
        if !meta_whole {
            self.damaged(segment, found.position, &format!("the record of message {message} is damaged, stepped over"));
            return Ok(());
        }
        let meta = scanner.meta(found).map_err(|error| unavailable(&error))?.unwrap_or_default();
        if let Err(error) = self.apply(kind, message, meta, found.position) {
            let what = format!("the record of message {message} cannot be understood, stepped over: {error}");
            self.damaged(segment, found.position, &what);
        } else if matches!(kind, Kind::Commit | Kind::Copy) {
            let what = format!("the content of message {message} is damaged");
            let text = (!content_whole).then(|| told(self.disk, segment, found.position, &what));
            match text {
                Some(text) => self.suspects.insert(message, text),
                None => self.suspects.remove(&message),
            };
        }
        Ok(())
    }

    fn apply(&mut self, kind: Kind, message: MessageId, meta: &[u8], position: u64) -> Result<(), meta::MetaError> {
        let state = &mut *self.state;
        match kind {
            Kind::Commit => state.arrive(&meta::commit_in(message, meta)?, position),
            Kind::Copy => state.arrive(&meta::copy_in(message, meta)?, position),
            Kind::Settle => {
                let (settlement, attempts) = meta::settle_in(message, meta)?;
                if state.index.settle(&settlement, &attempts).is_some() {
                    state.files.remove(&message);
                }
            }
            Kind::Hold => state.index.hold(message, meta::hold_in(meta)?.0),
            Kind::Release => state.index.release(message, meta::release_in(meta)?),
            Kind::Seal => state.index.sealed(message, position),
            Kind::Notices | Kind::Epoch => {}
        }
        Ok(())
    }
}

impl State {
    /// A message found in the log.
    fn arrive(&mut self, kept: &Kept, position: u64) {
        let envelope = &kept.envelope;
        let mut entry = match &kept.states {
            Some(states) => Entry::copied(envelope, position, states),
            None => Entry::accepted(envelope, position),
        };
        entry.seal = match kept.seal {
            Some(_) => Some(position),
            None => self.index.seal(envelope.message),
        };
        self.index.put(&entry);
        if let Some(filed) = kept.filed.filter(|_| !entry.recipients.is_empty()) {
            self.files.insert(envelope.message, filed);
        }
        if let Some(segment) = self.segment_at_mut(position) {
            segment.messages += 1;
        }
    }
}

fn told<D: Disk>(disk: &D, segment: &Segment, position: u64, what: &str) -> String {
    let path = disk.path(&segment::name(segment.number));
    format!("{} at octet {}: {what}", path.display(), position - segment.header.base)
}

/// Whether meta part and content are as they were written.
fn is_whole<F: DiskFile>(scanner: &mut Scanner<'_, F>, found: &Found) -> io::Result<(bool, bool)> {
    Ok((scanner.meta(found)?.is_some(), scanner.content(found)?.is_some()))
}

/// How far the log was synced, by what the records behind a position say.
fn synced_behind<F: DiskFile>(scanner: &mut Scanner<'_, F>, position: u64, mut last: Last) -> io::Result<u64> {
    let (mut from, mut synced) = (position, 0);
    while let Some(found) = scanner.find(from, last)? {
        synced = synced.max(found.header.synced);
        last = last.with(&found.header);
        from = found.end();
    }
    Ok(synced)
}

/// Checks what was not read again: records before `replayed`, and content files.
fn verify<D: Disk>(disk: &D, state: &mut State, replayed: u64) -> io::Result<()> {
    let mut positions: Vec<(u64, MessageId)> =
        state.index.positions().map(|(message, position)| (position, message)).collect();
    positions.sort_unstable();
    let mut texts = Vec::new();
    let mut open: Option<(u64, D::File)> = None;
    for (position, message) in positions.into_iter().take_while(|(position, _)| *position < replayed) {
        let Some(segment) = state.segment_at(position) else {
            texts.push(format!("the record of message {message} is gone with its segment"));
            continue;
        };
        let file = match open.take_if(|(base, _)| *base == segment.header.base) {
            Some((_, file)) => file,
            None => disk.open(&segment::name(segment.number))?,
        };
        let mut scanner = Scanner::new(&file, &segment.header, u64::MAX);
        let found = scanner.at(position, Last::default())?.filter(|found| found.header.message() == message);
        let is_whole = match &found {
            Some(found) => is_whole(&mut scanner, found)? == (true, true),
            None => false,
        };
        if !is_whole {
            texts.push(told(disk, segment, position, &format!("the record of message {message} is damaged")));
        }
        open = Some((segment.header.base, file));
    }
    for (message, filed) in &state.files {
        let name = content_name(filed.number);
        let is_whole =
            disk.open(&name).and_then(|file| file_crc(&file)).is_ok_and(|is| is == (filed.crc, filed.octets));
        if !is_whole {
            texts.push(content_damaged(&disk.path(&name), *message));
        }
    }
    texts.into_iter().for_each(|text| state.damaged(text));
    Ok(())
}

fn count_live(state: &mut State) {
    let positions: Vec<u64> = state.index.positions().map(|(_, position)| position).collect();
    for position in positions {
        if let Some(segment) = state.segment_at_mut(position) {
            segment.live += 1;
        }
    }
}

/// Removes content files that no live message names; after damage they stay: it may have been a record that did.
fn orphans<D: Disk>(disk: &D, state: &mut State) -> io::Result<()> {
    let named: HashSet<String> = state.files.values().map(|filed| content_name(filed.number)).collect();
    for (file_name, _) in disk.list(CONTENT)? {
        let name = format!("{CONTENT}/{file_name}");
        if !named.contains(&name) && state.damage.is_empty() {
            disk.remove(&name)?;
        }
    }
    state.files_octets = state.files.values().map(|filed: &Filed| filed.octets).sum();
    Ok(())
}
