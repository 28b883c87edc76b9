//! The start: checkpoint and log become live mail again; a torn tail is cut in silence, damage is reported.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use relay::id::MessageId;
use relay::store::{Damage, StoreError};

use super::checkpoint::{self, Checkpoint};
use super::damage::{self, Remains};
use super::disk::{Disk, DiskFile};
use super::index::{Entry, Index};
use super::meta::{self, Filed, Kept};
use super::read::segment_gone;
use super::record::{BOUNDARY, Kind, VERSION};
use super::scan::{Found, Last, Scanner};
use super::segment::{self, SegmentHeader, Use};
use super::state::{
    CONTENT, FreeSegment, Recent, Segment, State, content_damaged, content_name, file_crc, record_damaged,
};

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
    known_damage(disk, &mut state);
    let (checkpoint, is_known) = match checkpoint::read(disk) {
        Ok(found) => (found.unwrap_or_default(), true),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            return Err(unavailable(&newer(&disk.path(checkpoint::NAME), &error.to_string())));
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let what = "damaged; the log is read from its beginning, and what only the checkpoint knew is lost";
            found(disk, &mut state, checkpoint::NAME, what.to_owned());
            state.remains.push(Remains::of_file(checkpoint::NAME));
            (Checkpoint::default(), false)
        }
        Err(error) => return Err(unavailable(&error)),
    };
    survey(disk, &mut state, &checkpoint).map_err(|error| unavailable(&error))?;
    // an earlier start may have ended between the naming of a file and the sync of its folder
    for folder in [segment::FOLDER, ""] {
        disk.sync_folder(folder).map_err(|error| unavailable(&error))?;
    }
    let from = checkpoint.summary.position;
    state.checkpoint = from;
    for (entry, filed) in &checkpoint.entries {
        state.index.put(entry);
        state.files.extend(filed.map(|filed| (entry.message, filed)));
    }
    let last = Last { epoch: checkpoint.summary.epoch, sequence: checkpoint.summary.sequence };
    let mut replay = Replay { disk, state: &mut state, last, suspects: BTreeMap::new(), proven: from, is_known };
    let end = replay.run(from)?;
    let (last, suspects, proven) = (replay.last, replay.suspects, replay.proven);
    let is_closed = checkpoint.summary.is_closed && end == from;
    // what a consumer has read was synced: damage in it is not written again
    state.proven = if is_closed { end } else { proven.max(consumed.min(end)) };
    state.synced = end;
    state.sequence = last.sequence;
    state.epoch = last.epoch.saturating_add(1);
    if !is_closed {
        verify(disk, &mut state, from).map_err(|error| unavailable(&error))?;
    }
    for (message, damage) in suspects {
        if state.index.contains(message) {
            state.damaged(damage);
        }
    }
    if consumed > end {
        let what = format!("the log ends here, and activity has read it {} octets further", consumed - end);
        let damage = match state.head() {
            Some(head) => record_damaged(disk, head, end, None, what),
            None => Damage { file: folder_of(disk), offset: None, message: None, what },
        };
        state.damaged(damage);
    }
    count_live(&mut state);
    orphans(disk, &mut state).map_err(|error| unavailable(&error))?;
    Ok(state)
}

/// What earlier starts found and nobody has acknowledged.
fn known_damage<D: Disk>(disk: &D, state: &mut State) {
    match damage::load(disk) {
        Ok(damage) => {
            for damage in &damage {
                tracing::error!(%damage, "damage found earlier, not acknowledged yet");
            }
            state.damage = damage;
        }
        Err(error) => {
            let what = format!("what earlier starts found damaged cannot be read: {error}");
            found(disk, state, damage::NAME, what);
            state.remains.push(Remains::of_file(damage::NAME));
        }
    }
}

/// Why nothing is made of a file that a newer version wrote.
fn newer(path: &std::path::Path, form: &str) -> io::Error {
    let why = "a newer version of the relay wrote it: start that version again, or restore a backup of this one";
    io::Error::new(io::ErrorKind::Unsupported, format!("{} has the form {form}, unknown here: {why}", path.display()))
}

fn found<D: Disk>(disk: &D, state: &mut State, name: &str, what: String) {
    state.damaged(Damage { file: disk.path(name).display().to_string(), offset: None, message: None, what });
}

fn folder_of<D: Disk>(disk: &D) -> String {
    disk.path(segment::FOLDER).display().to_string()
}

fn empty(consumed: u64) -> State {
    State {
        index: Index::default(),
        files: BTreeMap::new(),
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
        proven: 0,
        sequence: 0,
        consumed,
        checkpoint: 0,
        epoch: 1,
        latched: None,
        no_room: None,
        damage: Vec::new(),
        damage_changed: false,
        remains: Vec::new(),
        pins: None,
        is_incomplete: false,
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
        if read.is_none()
            && let Some(form) = SegmentHeader::newer_form(&disk.open(&segment::name(number))?, octets)?
        {
            return Err(newer(&disk.path(&segment::name(number)), &form));
        }
        if read.is_none() {
            found(disk, state, &segment::name(number), "both headers of this segment are damaged".to_owned());
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
    suspects: BTreeMap<MessageId, Damage>,
    /// How far the log was synced, by what its records say.
    proven: u64,
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
                self.damaged(segment, header.data_end(), None, "what follows is missing".to_owned());
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
        // everything before this is known to have been synced: the log went on, or its consumer has read so far
        let consumed = self.state.consumed.next_multiple_of(BOUNDARY).min(limit);
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
                if position >= proof.max(consumed) {
                    // never acknowledged: what a crash left of the last write
                    break;
                }
            }
            position = match found {
                Some(found) => {
                    self.take(segment, &mut scanner, &found, is_whole)?;
                    found.end()
                }
                None => {
                    let end = if next.is_some() { limit } else { consumed.max(position + BOUNDARY).min(limit) };
                    self.step_over(segment, &mut scanner, position, end)?
                }
            };
        }
        Ok(position)
    }

    /// Damage that hides where the next record starts; `end`: where it ends, should there be none.
    fn step_over<F: DiskFile>(
        &mut self,
        segment: &Segment,
        scanner: &mut Scanner<'_, F>,
        position: u64,
        end: u64,
    ) -> Result<u64, StoreError> {
        let found = scanner.find(position, self.last).map_err(|error| unavailable(&error))?;
        let next = found.map_or(end, |found| found.position);
        let octets = next - position;
        self.damaged(segment, position, None, format!("{octets} octets cannot be read, stepped over"));
        self.set_aside(segment, position, octets);
        Ok(next)
    }

    fn damaged(&mut self, segment: &Segment, position: u64, message: Option<MessageId>, what: String) {
        self.state.damaged(record_damaged(self.disk, segment, position, message, what));
    }

    /// What is stepped over pins no segment: it would be gone before anybody has looked.
    fn set_aside(&mut self, segment: &Segment, position: u64, octets: u64) {
        self.state.remains.push(Remains::of_segment(segment.number, &segment.header, position, octets));
        self.state.damage_changed = true;
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
        self.proven = self.proven.max(found.header.synced);
        let kind = found.header.kind().filter(|_| found.header.version <= VERSION);
        let Some(kind) = kind else {
            let what = "a newer version of the relay wrote this record: start that version again, or restore a \
                        backup of this one";
            let newer = record_damaged(self.disk, segment, found.position, None, what.to_owned());
            return Err(StoreError::Unavailable(newer.to_string()));
        };
        let message = found.header.message();
        let named = (message.0 != 0).then_some(message);
        if !meta_whole {
            let what = format!("{}, stepped over", damaged_record(kind, message));
            self.damaged(segment, found.position, named, what);
            self.set_aside(segment, found.position, found.header.record_octets());
            return Ok(());
        }
        let meta = scanner.meta(found).map_err(|error| unavailable(&error))?.unwrap_or_default();
        if let Err(error) = self.apply(kind, message, meta, found.position) {
            let what = format!("the record of message {message} cannot be understood, stepped over: {error}");
            self.damaged(segment, found.position, named, what);
            self.set_aside(segment, found.position, found.header.record_octets());
        } else if matches!(kind, Kind::Commit | Kind::Copy) {
            let what = format!("the content of message {message} is damaged");
            if content_whole {
                self.suspects.remove(&message);
            } else {
                self.suspects.insert(message, record_damaged(self.disk, segment, found.position, named, what));
            }
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
            Kind::Hold => {
                let (reason, _, recipients) = meta::hold_in(meta)?;
                state.index.hold(message, recipients.as_deref(), reason);
            }
            Kind::Release => {
                let (at, recipients) = meta::release_in(meta)?;
                state.index.release(message, recipients.as_deref(), at);
            }
            Kind::Seal => state.index.sealed(message, position),
            Kind::Notices | Kind::Report | Kind::Epoch => {}
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

/// What is said of a record by what it was for.
pub(crate) fn damaged_record(kind: Kind, message: MessageId) -> String {
    match kind {
        Kind::Commit | Kind::Copy => format!("the record of message {message} is damaged"),
        Kind::Settle | Kind::Hold | Kind::Release => format!("a record of what became of message {message} is damaged"),
        Kind::Seal => format!("the signature made for message {message} is damaged"),
        Kind::Report => format!("a record of what was reported of message {message} is damaged"),
        Kind::Notices => "a record of refusals is damaged".to_owned(),
        Kind::Epoch => "the record of a start is damaged".to_owned(),
    }
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
    let mut found_damaged = Vec::new();
    let mut open: Option<(u64, D::File)> = None;
    for (position, message) in positions.into_iter().take_while(|(position, _)| *position < replayed) {
        let Some(segment) = state.segment_at(position) else {
            found_damaged.push(segment_gone(disk, message));
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
            let what = format!("the record of message {message} is damaged");
            found_damaged.push(record_damaged(disk, segment, position, Some(message), what));
        }
        open = Some((segment.header.base, file));
    }
    for (message, filed) in &state.files {
        let name = content_name(filed.number);
        let is_whole =
            disk.open(&name).and_then(|file| file_crc(&file)).is_ok_and(|is| is == (filed.crc, filed.octets));
        if !is_whole {
            found_damaged.push(content_damaged(disk, filed, *message));
        }
    }
    found_damaged.into_iter().for_each(|damage| state.damaged(damage));
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
