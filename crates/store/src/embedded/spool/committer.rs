//! The committer: what waits becomes one write and one sync, then takes effect, then is answered.
//!
//! A step has no thread and no clock of its own. What its failures mean: no segment to go on in is NoRoom for
//! whoever asked; a write or sync of an allocated segment that fails latches the spool for everybody.

mod told;

use std::collections::{HashSet, VecDeque};
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;
use relay::id::MessageId;
use relay::queue::{HoldReason, Settlement};
use relay::store::StoreError;

use super::disk::{Disk, DiskFile};
use super::index::Entry;
use super::meta;
use super::record::{BOUNDARY, HEADER_OCTETS, Header, Kind};
use super::request::{Commit, Copy, Reply, Request};
use super::segment::{EDGE_OCTETS, SegmentHeader, Use};
use super::state::{FreeSegment, Segment, Shared, State};
use told::{lost_record, report_record};

const PADDING: [u8; BOUNDARY as usize] = [0; BOUNDARY as usize];

/// Whose space a record may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// New mail, notices, seals: not the reserve.
    Mail,
    /// What tells senders of failures, which are not settled before: about half of the reserve. Mail that
    /// cannot be delivered would otherwise keep the room that its own end needs.
    Notification,
    /// Copies: half of the reserve, because they give back more.
    Copy,
    /// Outcomes of accepted mail: all there is.
    Outcome,
}

impl Class {
    /// Whether one of so many free segments may be taken.
    fn may_take(self, free: usize, reserve: usize) -> bool {
        match self {
            Class::Mail => free > reserve,
            Class::Notification | Class::Copy => free > reserve / 2,
            Class::Outcome => free > 0,
        }
    }
}

/// What a record does once it is synced.
#[derive(Debug)]
enum Effect {
    Commit(Box<Commit>),
    Settle(Box<Settlement>, Vec<u32>),
    Hold(Option<Vec<u16>>, HoldReason),
    Release(Option<Vec<u16>>, relay::clock::Timestamp),
    Seal(Bytes),
    Copy { entry: Entry, from: u64 },
    Nothing,
}

/// A record, complete but for its place.
#[derive(Debug)]
struct Ready {
    header: Header,
    meta: Vec<u8>,
    content: Vec<Bytes>,
    class: Class,
    effect: Effect,
    reply: Option<Reply>,
}

impl Ready {
    fn new(kind: Kind, message: Option<MessageId>, meta: Vec<u8>, class: Class, effect: Effect) -> Self {
        let header = Header::new(kind, message, &meta);
        Ready { header, meta, content: Vec::new(), class, effect, reply: None }
    }

    fn with_content(mut self, content: Vec<Bytes>, crc: u32) -> Self {
        self.header.content_octets = content.iter().map(Bytes::len).sum::<usize>() as u32;
        self.header.content_crc = crc;
        self.content = content;
        self
    }

    fn with_version(mut self, version: u8) -> Self {
        self.header.version = version;
        self
    }

    fn with_reply(mut self, reply: Reply) -> Self {
        self.reply = Some(reply);
        self
    }

    fn answer(self, result: Result<(), StoreError>) {
        answer(self.reply, result);
    }
}

fn answer(reply: Option<Reply>, result: Result<(), StoreError>) {
    if let Some(reply) = reply {
        // whoever has gone away does not want to know
        let _ = reply.send(result);
    }
}

/// The segment that is written.
struct Head<F> {
    file: Arc<F>,
    header: SegmentHeader,
    tail: u64,
    /// Its header is not on the disk yet.
    is_fresh: bool,
}

/// The records of one write.
#[derive(Default)]
struct Batch {
    records: Vec<Ready>,
    messages: HashSet<u128>,
    octets: u64,
}

/// The one writer of the log.
pub(crate) struct Committer<D: Disk> {
    shared: Arc<Shared<D>>,
    head: Head<D::File>,
    /// Did not fit behind the last batch; comes first in the next.
    pending: Option<Ready>,
    epoch: u32,
    sequence: u64,
    synced: u64,
}

impl<D: Disk> Committer<D> {
    /// Goes on where recovery found the end of the log, and writes that a new start begins.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] where there is no segment to write into, [`StoreError::Latched`] where the write fails.
    pub(crate) fn begin(shared: Arc<Shared<D>>) -> Result<Self, StoreError> {
        let (head, epoch, sequence, synced, proven, must_roll) = {
            let state = shared.state();
            let head = state.head().copied();
            let must_roll = head.is_some() && state.consumed > state.synced;
            (head, state.epoch, state.sequence, state.synced, state.proven, must_roll)
        };
        let head = match head {
            Some(segment) => {
                let file = shared.latching("a segment cannot be opened", shared.segment_file(segment.number))?;
                let again = write_again(&*file, &segment, proven);
                shared.latching("the end of the log cannot be written again", again)?;
                Head { file, header: segment.header, tail: segment.end, is_fresh: false }
            }
            None => Self::take(&shared, Class::Outcome, synced, synced)?,
        };
        let mut committer = Committer { shared, head, pending: None, epoch, sequence, synced };
        if must_roll {
            // the consumers know a longer log than this: new events must lie beyond
            committer.roll(Class::Outcome)?;
        }
        committer.pending = Some(Ready::new(Kind::Epoch, None, Vec::new(), Class::Outcome, Effect::Nothing));
        committer.step(&mut VecDeque::new());
        committer.shared.state().check()?;
        if committer.synced == synced {
            return Err(StoreError::NoRoom("there is no segment to write into".to_owned()));
        }
        Ok(committer)
    }

    /// Takes what fits into one write from the front of `waiting`, at least one if there is one, writes and syncs
    /// it, lets it take effect, answers.
    pub(crate) fn step(&mut self, waiting: &mut VecDeque<Request>) {
        let mut batch = Batch::default();
        let check = self.shared.state().check();
        match (self.pending.take(), &check) {
            (Some(ready), Ok(())) => self.admit(&mut batch, ready),
            (Some(ready), Err(error)) => ready.answer(Err(error.clone())),
            (None, _) => {}
        }
        while self.pending.is_none()
            && let Some(request) = waiting.pop_front()
        {
            if message_of(&request).is_some_and(|message| batch.messages.contains(&message)) {
                // it is judged by what the earlier one makes of the message
                waiting.push_front(request);
                break;
            }
            match self.prepare(request) {
                Some(Prepared::Record(ready)) => self.admit(&mut batch, *ready),
                Some(Prepared::Roll) if batch.records.is_empty() => {
                    let _ = self.roll(Class::Copy);
                    break;
                }
                Some(Prepared::Roll) => {
                    waiting.push_front(Request::Roll);
                    break;
                }
                None => {}
            }
        }
        if !batch.records.is_empty() || (self.head.is_fresh && check.is_ok()) {
            self.write(batch);
        }
    }

    /// Whether something did not fit and waits for the next step.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Makes a record of a request, or answers it at once.
    fn prepare(&self, request: Request) -> Option<Prepared> {
        let state = self.shared.state();
        if let Err(error) = state.check() {
            drop(state);
            refuse(request, error);
            return None;
        }
        let (reply, result) = match request {
            Request::Commit(commit, reply) => (Some(reply), commit_record(&state, commit)),
            Request::Settle(settlement, reply) => (Some(reply), settle_record(&state, settlement)),
            Request::Report(report, reply) => (Some(reply), Ok(Some(report_record(&report)))),
            Request::Lost(settlement, reply) => (Some(reply), Ok(Some(lost_record(&settlement)))),
            Request::Hold(message, recipients, reason, at, reply) => {
                let some = recipients.as_deref();
                let record =
                    || (Kind::Hold, meta::hold_out(reason, at, some), Effect::Hold(recipients.clone(), reason));
                (Some(reply), change_record(&state, message, some, Some(reason), record))
            }
            Request::Release(message, recipients, at, reply) => {
                let some = recipients.as_deref();
                let record = || (Kind::Release, meta::release_out(at, some), Effect::Release(recipients.clone(), at));
                (Some(reply), change_record(&state, message, some, None, record))
            }
            Request::Seal(message, seal) => (None, seal_record(&state, message, seal)),
            Request::Notices(meta) => {
                (None, Ok(Some(Ready::new(Kind::Notices, None, meta, Class::Mail, Effect::Nothing))))
            }
            Request::Copy(copy, reply) => (Some(reply), Ok(copy_record(&state, *copy))),
            Request::Roll => return Some(Prepared::Roll),
        };
        drop(state);
        match (result, reply) {
            (Ok(Some(ready)), Some(reply)) => Some(Prepared::Record(Box::new(ready.with_reply(reply)))),
            (Ok(Some(ready)), None) => Some(Prepared::Record(Box::new(ready))),
            (Ok(None), reply) => {
                answer(reply, Ok(()));
                None
            }
            (Err(error), reply) => {
                answer(reply, Err(error));
                None
            }
        }
    }

    /// Puts a record into the batch; one that does not fit becomes pending, or is answered where it never will.
    fn admit(&mut self, batch: &mut Batch, ready: Ready) {
        let octets = ready.header.record_octets();
        let is_first = batch.records.is_empty();
        if !is_first && batch.octets + octets > self.shared.options.write_octets_max as u64 {
            self.pending = Some(ready);
            return;
        }
        let has_room = self.head.tail + batch.octets + octets <= self.head.header.data_end();
        if !has_room && !is_first {
            self.pending = Some(ready);
            return;
        }
        let result =
            if has_room { self.check_reserve(ready.class, batch.octets + octets) } else { self.roll(ready.class) };
        if let Err(error) = result {
            return ready.answer(Err(error));
        }
        if self.head.tail + octets > self.head.header.data_end() {
            return ready.answer(Err(StoreError::NoRoom(format!("a record of {octets} octets fits no segment"))));
        }
        batch.octets += octets;
        if ready.header.message != 0 {
            batch.messages.insert(ready.header.message);
        }
        batch.records.push(ready);
    }

    /// New mail is not written where the head itself is of the reserve, notifications not where the
    /// second half of the last one would begin.
    fn check_reserve(&self, class: Class, octets: u64) -> Result<(), StoreError> {
        let reserve = self.shared.reserve_segments();
        let left = |state: &State| state.free.len() + state.wiping;
        if class == Class::Mail {
            // outcomes that went on in a segment of the reserve cost new mail nothing while another can be had
            while left(&self.shared.state()) < reserve
                && self.shared.allocate(false, |state| left(state) >= reserve).is_ok()
            {}
        }
        let mut state = self.shared.state();
        let left = left(&state);
        let cause = "what is left is kept for the outcomes of mail already accepted".to_owned();
        match class {
            Class::Mail if left < reserve => Err(StoreError::NoRoom(state.no_room.get_or_insert(cause).clone())),
            Class::Notification if left == 0 && self.head.tail + octets > self.head.header.middle() => {
                Err(StoreError::NoRoom(cause))
            }
            Class::Mail | Class::Notification | Class::Copy | Class::Outcome => Ok(()),
        }
    }

    /// Goes on in a new segment.
    fn roll(&mut self, class: Class) -> Result<(), StoreError> {
        let base = self.head.header.base + self.head.header.octets;
        self.head = Self::take(&self.shared, class, base, self.head.tail)?;
        Ok(())
    }

    /// Takes a free segment, or makes one, and puts it at the end of the log.
    fn take(shared: &Shared<D>, class: Class, base: u64, previous_end: u64) -> Result<Head<D::File>, StoreError> {
        let reserve = shared.reserve_segments();
        let may_take = |state: &State| class.may_take(state.free.len(), reserve);
        let is_there = may_take(&shared.state());
        if !is_there && let Err(error) = shared.allocate(class == Class::Outcome, may_take) {
            if class == Class::Mail {
                shared.state().no_room = Some(error.to_string());
            }
            return Err(error);
        }
        let (free, header) = {
            let mut state = shared.state();
            // one with remains first: it is overwritten by being used
            let place = state.free.iter().position(|free| free.wipe_at.is_some());
            let place = place.or_else(|| state.free.len().checked_sub(1));
            let Some(place) = place else { return Err(StoreError::NoRoom("no segment is free".to_owned())) };
            let free = state.free.swap_remove(place);
            (free, state.append(free, base, previous_end))
        };
        let file = shared.latching("a segment cannot be opened", shared.segment_file(free.number))?;
        Ok(Head { file, header, tail: header.data_start(), is_fresh: true })
    }

    fn write(&mut self, mut batch: Batch) {
        if let Err(error) = self.write_and_sync(&mut batch) {
            let path = self.shared.state().head().map(|head| self.shared.segment_path(head.number));
            let path = path.unwrap_or_default();
            let latched = self.shared.state().latch(format!("{}: {error}", path.display()));
            for ready in batch.records {
                ready.answer(Err(latched.clone()));
            }
            return;
        }
        self.head.is_fresh = false;
        let mut replies = Vec::with_capacity(batch.records.len());
        {
            let mut state = self.shared.state();
            let wipe_at = self.shared.wipe_at(state.now);
            for ready in batch.records {
                let octets = ready.header.record_octets();
                state.take_effect(ready.header.message(), self.head.tail, ready.effect, wipe_at, &self.shared);
                self.head.tail += octets;
                replies.push(ready.reply);
            }
            self.synced = self.head.tail;
            state.synced = self.synced;
            state.sequence = self.sequence;
            if let Some(segment) = state.segment_at_mut(self.head.header.base) {
                segment.end = self.head.tail;
            }
        }
        self.shared.progress.advance(self.synced);
        for reply in replies {
            answer(reply, Ok(()));
        }
    }

    fn write_and_sync(&mut self, batch: &mut Batch) -> io::Result<()> {
        let life = self.head.header.life();
        let mut headers = Vec::<[u8; HEADER_OCTETS]>::with_capacity(batch.records.len());
        for ready in &mut batch.records {
            self.sequence += 1;
            ready.header.epoch = self.epoch;
            ready.header.sequence = self.sequence;
            ready.header.synced = self.synced;
            headers.push(ready.header.encode(life));
        }
        let mut parts = Vec::with_capacity(4 * headers.len());
        for (ready, header) in batch.records.iter().zip(&headers) {
            parts.push(IoSlice::new(header));
            parts.push(IoSlice::new(&ready.meta));
            parts.extend(ready.content.iter().map(|chunk| IoSlice::new(chunk)));
            let octets = HEADER_OCTETS + ready.meta.len() + ready.header.content_octets as usize;
            parts.push(IoSlice::new(&PADDING[..ready.header.record_octets() as usize - octets]));
        }
        if self.head.is_fresh {
            self.head.header.write(&*self.head.file)?;
        }
        self.head.file.write_at(&mut parts, self.head.tail - self.head.header.base)?;
        self.head.file.sync()
    }
}

/// Writes what no record proves to be on the disk once more, and syncs it: the log may go on in another segment. After a
/// sync that failed, the system may show for as long as it runs what it will never write.
fn write_again<F: DiskFile>(file: &F, segment: &Segment, proven: u64) -> io::Result<()> {
    segment.header.write(file)?;
    let from = proven.max(segment.header.data_start());
    if from < segment.end {
        let mut octets = vec![0; (segment.end - from) as usize];
        let offset = from - segment.header.base;
        let count = file.read_at(&mut octets, offset)?;
        file.write_at(&mut [IoSlice::new(&octets[..count])], offset)?;
    }
    file.sync()
}

enum Prepared {
    Record(Box<Ready>),
    Roll,
}

fn message_of(request: &Request) -> Option<u128> {
    match request {
        Request::Commit(commit, _) => Some(commit.entry.message.0),
        Request::Settle(settlement, _) | Request::Lost(settlement, _) => Some(settlement.message.0),
        Request::Report(report, _) => Some(report.message.0),
        Request::Hold(message, ..) | Request::Release(message, ..) | Request::Seal(message, _) => Some(message.0),
        Request::Copy(copy, _) => Some(copy.envelope.message.0),
        Request::Notices(_) | Request::Roll => None,
    }
}

/// Answers a request that will not be written.
pub(crate) fn refuse(request: Request, error: StoreError) {
    match request {
        Request::Commit(_, reply)
        | Request::Settle(_, reply)
        | Request::Lost(_, reply)
        | Request::Report(_, reply)
        | Request::Hold(.., reply)
        | Request::Release(.., reply)
        | Request::Copy(_, reply) => answer(Some(reply), Err(error)),
        Request::Seal(..) | Request::Notices(_) | Request::Roll => {}
    }
}

fn not_live(message: MessageId) -> StoreError {
    StoreError::NotFound(format!("message {message} in the queue"))
}

type Recorded = Result<Option<Ready>, StoreError>;

fn commit_record(state: &State, mut commit: Box<Commit>) -> Recorded {
    let message = commit.entry.message;
    if state.index.contains(message) {
        return Err(StoreError::Conflict(format!("message {message} is in the queue already")));
    }
    let (meta, content) = (std::mem::take(&mut commit.meta), std::mem::take(&mut commit.content));
    let (crc, version) = (commit.content_crc, commit.version);
    let class = if commit.is_notification { Class::Notification } else { Class::Mail };
    let ready = Ready::new(Kind::Commit, Some(message), meta, class, Effect::Commit(commit));
    Ok(Some(ready.with_version(version).with_content(content, crc)))
}

fn settle_record(state: &State, mut settlement: Box<Settlement>) -> Recorded {
    let message = settlement.message;
    let effect = state.index.effect(&settlement).ok_or_else(|| not_live(message))?;
    if effect.verdicts.is_empty() {
        return Ok(None);
    }
    let (places, attempts): (Vec<usize>, Vec<u32>) = effect.verdicts.into_iter().unzip();
    if places.len() < settlement.verdicts.len() {
        settlement.verdicts = places.iter().map(|place| settlement.verdicts[*place].clone()).collect();
    }
    let meta = meta::settle_out(&settlement, &attempts);
    let effect = Effect::Settle(settlement, attempts);
    Ok(Some(Ready::new(Kind::Settle, Some(message), meta, Class::Outcome, effect)))
}

/// Of a hold or release: nothing to write where no recipient changes.
fn change_record(
    state: &State,
    message: MessageId,
    recipients: Option<&[u16]>,
    held: Option<HoldReason>,
    record: impl Fn() -> (Kind, Vec<u8>, Effect),
) -> Recorded {
    let changes = state.index.any(message, recipients, held).ok_or_else(|| not_live(message))?;
    Ok(changes.then(|| {
        let (kind, meta, effect) = record();
        Ready::new(kind, Some(message), meta, Class::Outcome, effect)
    }))
}

fn seal_record(state: &State, message: MessageId, seal: Bytes) -> Recorded {
    if !state.index.contains(message) {
        return Ok(None);
    }
    let meta = seal.to_vec();
    Ok(Some(Ready::new(Kind::Seal, Some(message), meta, Class::Mail, Effect::Seal(seal))))
}

/// Nothing to write where the message has left its old place.
fn copy_record(state: &State, copy: Copy) -> Option<Ready> {
    let message = copy.envelope.message;
    if state.index.position(message) != Some(copy.from) {
        return None;
    }
    let states = state.index.states(message)?;
    let mut entry = Entry::copied(&copy.envelope, 0, &states);
    entry.seal = copy.seal.as_ref().map(|_| 0);
    let meta = meta::copy_out(&copy.envelope, copy.filed, states, copy.seal.as_deref());
    let effect = Effect::Copy { entry, from: copy.from };
    let crc = crc32c::crc32c(&copy.content);
    let ready = Ready::new(Kind::Copy, Some(message), meta, Class::Copy, effect);
    Some(ready.with_version(meta::version(&copy.envelope)).with_content(vec![copy.content], crc))
}

impl State {
    /// Puts a free segment at the end of the log.
    fn append(&mut self, free: FreeSegment, base: u64, previous_end: u64) -> SegmentHeader {
        // positions are never given twice, not even where the consumers know more than the log
        let base = base.max(self.consumed).next_multiple_of(EDGE_OCTETS);
        let header = SegmentHeader { purpose: Use::Log, base, previous_end, ..free.header };
        let now = self.now;
        if let Some(mut head) = self.log.last_entry() {
            head.get_mut().sealed_at = now;
        }
        let segment = Segment {
            number: free.number,
            header,
            end: header.data_start(),
            messages: 0,
            live: 0,
            wipe_at: free.wipe_at,
            sealed_at: u64::MAX,
        };
        self.log.insert(base, segment);
        header
    }

    fn take_effect<D: Disk>(
        &mut self,
        message: MessageId,
        position: u64,
        effect: Effect,
        wipe_at: u64,
        shared: &Shared<D>,
    ) {
        match effect {
            Effect::Commit(commit) => {
                let Commit { mut entry, filed, recent, .. } = *commit;
                entry.position = position;
                self.arrived(&entry, wipe_at);
                if !entry.recipients.is_empty() {
                    self.files.extend(filed.map(|filed| (message, filed)));
                    if let Some((envelope, content)) = recent {
                        self.recent.keep(envelope, content, shared.options.recent_octets_max);
                    }
                }
            }
            Effect::Settle(settlement, attempts) => {
                if let Some(left) = self.index.settle(&settlement, &attempts) {
                    self.settled(message, left, wipe_at);
                }
            }
            Effect::Hold(recipients, reason) => self.index.hold(message, recipients.as_deref(), reason),
            Effect::Release(recipients, at) => self.index.release(message, recipients.as_deref(), at),
            Effect::Seal(seal) => {
                self.index.sealed(message, position);
                if self.seals.get(&message).is_some_and(|waiting| *waiting == seal) {
                    self.seals.remove(&message);
                }
                self.recent.sealed(message, seal);
            }
            Effect::Copy { mut entry, from } => {
                entry.position = position;
                entry.seal = entry.seal.map(|_| position).or(self.index.seal(message));
                self.arrived(&entry, wipe_at);
                self.left(from, wipe_at);
            }
            Effect::Nothing => {}
        }
    }

    /// A message stands at a new place.
    fn arrived(&mut self, entry: &Entry, wipe_at: u64) {
        let is_live = !entry.recipients.is_empty();
        self.index.put(entry);
        if let Some(segment) = self.segment_at_mut(entry.position) {
            segment.messages += 1;
            segment.live += u32::from(is_live);
            if !is_live {
                segment.wipe_at.get_or_insert(wipe_at);
            }
        }
    }
}
