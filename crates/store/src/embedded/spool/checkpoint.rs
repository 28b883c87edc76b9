//! The checkpoint: live mail and the segments of the log, as of a position, so that a start need not read it all.
//!
//! Taken while mail flows: an entry may be younger than the position. Reading the log again from there makes
//! everything right, because every record, applied twice, leaves what the last one said.
//!
//! Behind the pages of mail there may be others, which say what is urgent and what is not, and then what waives TLS: an earlier
//! version, which knows no such thing, does not read on.

use std::io::{self, IoSlice};
use std::sync::Arc;

use relay::id::MessageId;
use relay::priority::Class;
use serde::{Deserialize, Serialize};

use super::disk::{Disk, DiskFile};
use super::index::{Entry, Mark};
use super::meta::{Filed, StateV1};
use super::record::{u32_at, u64_at};
use super::segment::{POSITION_MAX, SegmentHeader, Use};
use super::state::{Shared, lock};

pub(crate) const NAME: &str = "checkpoint";
const PASSING: &str = "checkpoint.new";
/// What the file starts with, and ends with, there with its checksum.
pub(crate) const MAGIC: &[u8; 8] = b"check-01";
/// Messages read from the index under one lock.
const PAGE_ENTRIES: usize = 500;
/// Octets of a page that are believed.
const PAGE_OCTETS_MAX: usize = 64 << 20;

/// The first page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// As of this position: what follows in the log is applied on top.
    pub(crate) position: u64,
    /// The number of the last record before it.
    pub(crate) sequence: u64,
    /// The start that wrote it.
    pub(crate) epoch: u32,
    /// The log ended here, in good order.
    pub(crate) is_closed: bool,
    /// The log's segments.
    pub(crate) segments: Vec<SegmentV1>,
}

/// A segment of the log: its header again, and what that does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentV1 {
    /// The number of its file.
    pub(crate) number: u32,
    /// Octets of its file.
    pub(crate) octets: u64,
    /// As in its header.
    pub(crate) salt: u64,
    /// As in its header.
    pub(crate) incarnation: u64,
    /// Its first log position.
    pub(crate) base: u64,
    /// As in its header.
    pub(crate) previous_end: u64,
    /// Where its records end.
    pub(crate) end: u64,
    /// Commit and Copy records in it.
    pub(crate) messages: u32,
}

#[derive(Serialize, Deserialize)]
struct EntryV1 {
    message: u128,
    position: u64,
    seal: Option<u64>,
    account: u64,
    domain: Option<u64>,
    accepted_at: u64,
    recipients: Vec<(u16, String, StateV1)>,
    filed: Option<Filed>,
}

/// A message that is not of the usual class: whether it is more urgent than others, or less.
type ClassV1 = (u128, bool);

/// A message that waives what policies ask of TLS.
type WaiverV1 = u128;

/// A checkpoint as read.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    /// Its first page.
    pub(crate) summary: Summary,
    /// Live mail.
    pub(crate) entries: Vec<(Entry, Option<Filed>)>,
}

impl SegmentV1 {
    /// Its header, where the file's own is damaged.
    pub(crate) fn header(&self) -> SegmentHeader {
        SegmentHeader {
            purpose: Use::Log,
            octets: self.octets,
            salt: self.salt,
            incarnation: self.incarnation,
            base: self.base,
            previous_end: self.previous_end,
        }
    }
}

impl Summary {
    /// Whether a log can have it, for whatever reason its checksum is right.
    fn is_possible(&self) -> bool {
        let mut segments = self.segments.iter().map(|segment| (segment.header(), segment.end));
        self.position <= POSITION_MAX
            && segments
                .all(|(header, end)| header.is_possible() && (header.data_start()..=header.data_end()).contains(&end))
    }
}

struct Writer<F> {
    file: F,
    offset: u64,
    buffer: Vec<u8>,
}

impl<F: DiskFile> Writer<F> {
    fn page<T: Serialize>(&mut self, page: &T) -> io::Result<()> {
        let octets = postcard::to_allocvec(page).map_err(io::Error::other)?;
        self.buffer.extend_from_slice(&(octets.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(&crc32c::crc32c(&octets).to_le_bytes());
        self.buffer.extend_from_slice(&octets);
        if self.buffer.len() >= 256 * 1024 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&mut [IoSlice::new(&self.buffer)], self.offset)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

fn summary<D: Disk>(shared: &Shared<D>, is_closed: bool) -> Summary {
    let state = shared.state();
    let segments = state.log.values().map(|segment| SegmentV1 {
        number: segment.number,
        octets: segment.header.octets,
        salt: segment.header.salt,
        incarnation: segment.header.incarnation,
        base: segment.header.base,
        previous_end: segment.header.previous_end,
        end: segment.end,
        messages: segment.messages,
    });
    Summary {
        position: state.synced,
        sequence: state.sequence,
        epoch: state.epoch,
        is_closed,
        segments: segments.collect(),
    }
}

/// Writes a checkpoint, durable when this returns, and says up to where the log is no longer needed.
///
/// # Errors
/// The old one stays.
pub(crate) fn write<D: Disk>(shared: &Shared<D>, is_closed: bool) -> io::Result<u64> {
    let _turn = lock(&shared.checkpointing);
    let written = write_new(shared, is_closed);
    if written.is_err() {
        let _ = shared.disk.remove(PASSING);
    }
    let position = written?;
    shared.disk.rename(PASSING, NAME)?;
    shared.disk.sync_folder("")?;
    shared.state().checkpoint = position;
    Ok(position)
}

fn write_new<D: Disk>(shared: &Shared<D>, is_closed: bool) -> io::Result<u64> {
    let disk = &shared.disk;
    if disk.list("")?.iter().any(|(name, _)| name == PASSING) {
        disk.remove(PASSING)?;
    }
    let file = disk.create(PASSING)?;
    write_into(shared, file, is_closed, &mut Vec::new())
}

/// Writes a checkpoint into a file, and says up to where the log is no longer needed; `positions`: where the records of
/// the messages in it are.
pub(crate) fn write_into<D: Disk, F: DiskFile>(
    shared: &Shared<D>,
    file: F,
    is_closed: bool,
    positions: &mut Vec<u64>,
) -> io::Result<u64> {
    let mut writer = Writer { file, offset: 0, buffer: MAGIC.to_vec() };
    let summary = summary(shared, is_closed);
    writer.page(&summary)?;
    let mut after = None;
    loop {
        let page = {
            let state = shared.state();
            let entries = state.index.entries(after, PAGE_ENTRIES).into_iter();
            entries.map(|entry| entry_out(state.files.get(&entry.message), entry)).collect::<Vec<_>>()
        };
        after = page.last().map(|entry| MessageId(entry.message));
        positions.extend(page.iter().map(|entry| entry.position));
        // an empty page is the end: without it the file is not whole
        writer.page(&page)?;
        if page.is_empty() {
            break;
        }
    }
    write_marks(shared, &mut writer)?;
    writer.buffer.extend_from_slice(MAGIC);
    writer.buffer.extend_from_slice(&crc32c::crc32c(MAGIC).to_le_bytes());
    writer.flush()?;
    writer.file.sync()?;
    Ok(summary.position)
}

/// Writes the pages behind the mail: of what is urgent and what is not, and of what waives TLS, where there is any.
fn write_marks<D: Disk, F: DiskFile>(shared: &Shared<D>, writer: &mut Writer<F>) -> io::Result<()> {
    let class = |(message, class, _): &Mark| match class {
        Class::Normal => None,
        class => Some((message.0, *class == Class::High)),
    };
    let waiver = |(message, _, waives_tls): &Mark| waives_tls.then_some(message.0);
    write_marked::<D, F, ClassV1>(shared, writer, class)?;
    writer.page(&Vec::<ClassV1>::new())?;
    if write_marked::<D, F, WaiverV1>(shared, writer, waiver)? {
        writer.page(&Vec::<WaiverV1>::new())?;
    }
    Ok(())
}

/// Writes pages of what some messages have; whether any has it.
fn write_marked<D: Disk, F: DiskFile, T: Serialize>(
    shared: &Shared<D>,
    writer: &mut Writer<F>,
    marked: impl Fn(&Mark) -> Option<T>,
) -> io::Result<bool> {
    let (mut after, mut is_any) = (None, false);
    loop {
        let page = shared.state().index.marks(after, PAGE_ENTRIES);
        let Some((last, ..)) = page.last() else { return Ok(is_any) };
        after = Some(*last);
        let those: Vec<T> = page.iter().filter_map(&marked).collect();
        if !those.is_empty() {
            writer.page(&those)?;
            is_any = true;
        }
    }
}

/// Reads the pages behind the mail, up to `end`; what an earlier version did not write is not there.
fn read_marks<F: DiskFile>(
    file: &F,
    mut offset: u64,
    end: u64,
    entries: &mut [(Entry, Option<Filed>)],
) -> io::Result<()> {
    // they stand in the order of their ids; one that came after its entry would have been written is read from the log
    let place = |entries: &[(Entry, Option<Filed>)], message: u128| {
        entries.binary_search_by_key(&message, |(entry, _)| entry.message.0)
    };
    read_marked(file, &mut offset, end, |(message, is_urgent): ClassV1| {
        if let Ok(place) = place(entries, message) {
            entries[place].0.class = if is_urgent { Class::High } else { Class::Low };
        }
    })?;
    read_marked(file, &mut offset, end, |message: WaiverV1| {
        if let Ok(place) = place(entries, message) {
            entries[place].0.waives_tls = true;
        }
    })
}

/// Reads pages up to an empty one, or up to `end`.
fn read_marked<F: DiskFile, T: serde::de::DeserializeOwned>(
    file: &F,
    offset: &mut u64,
    end: u64,
    mut mark: impl FnMut(T),
) -> io::Result<()> {
    while *offset < end {
        let marked: Vec<T> = page(file, offset)?;
        if marked.is_empty() {
            break;
        }
        marked.into_iter().for_each(&mut mark);
    }
    Ok(())
}

fn entry_out(filed: Option<&Filed>, entry: Entry) -> EntryV1 {
    EntryV1 {
        message: entry.message.0,
        position: entry.position,
        seal: entry.seal,
        account: entry.account,
        domain: entry.domain,
        accepted_at: entry.accepted_at,
        recipients: entry.recipients.into_iter().map(|(number, site, state)| (number, (*site).into(), state)).collect(),
        filed: filed.copied(),
    }
}

fn entry_in(entry: EntryV1) -> (Entry, Option<Filed>) {
    let recipients = entry.recipients.into_iter();
    let read = Entry {
        message: MessageId(entry.message),
        position: entry.position,
        seal: entry.seal,
        account: entry.account,
        domain: entry.domain,
        accepted_at: entry.accepted_at,
        class: Class::Normal,
        waives_tls: false,
        recipients: recipients.map(|(number, site, state)| (number, Arc::from(site), state)).collect(),
    };
    (read, entry.filed)
}

/// Reads the checkpoint; none where there is none.
///
/// # Errors
/// It cannot be read, or is damaged: then the log is all there is.
pub(crate) fn read<D: Disk>(disk: &D) -> io::Result<Option<Checkpoint>> {
    let Some((_, octets)) = disk.list("")?.into_iter().find(|(name, _)| name == NAME) else { return Ok(None) };
    let file = disk.open(NAME)?;
    let mut form = [0; 8];
    if file.read_at(&mut form, 0)? != form.len() || form != *MAGIC {
        let mut end = [0; 12];
        let count = file.read_at(&mut end, octets.saturating_sub(12))?;
        return Err(match super::newer_form(&end[..count], MAGIC) {
            Some(form) => io::Error::new(io::ErrorKind::Unsupported, form),
            None => damaged(),
        });
    }
    let mut offset = 8;
    let summary: Summary = page(&file, &mut offset)?;
    if !summary.is_possible() {
        return Err(damaged());
    }
    let mut checkpoint = Checkpoint { summary, entries: Vec::new() };
    loop {
        let entries: Vec<EntryV1> = page(&file, &mut offset)?;
        if entries.is_empty() {
            read_marks(&file, offset, octets.saturating_sub(12), &mut checkpoint.entries)?;
            return Ok(Some(checkpoint));
        }
        checkpoint.entries.extend(entries.into_iter().map(entry_in));
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the checkpoint is damaged")
}

fn page<F: DiskFile, T: serde::de::DeserializeOwned>(file: &F, offset: &mut u64) -> io::Result<T> {
    let mut head = [0; 12];
    if file.read_at(&mut head, *offset)? != head.len() {
        return Err(damaged());
    }
    let octets_count = u64_at(&head, 0) as usize;
    if octets_count > PAGE_OCTETS_MAX {
        return Err(damaged());
    }
    let mut octets = vec![0; octets_count];
    if file.read_at(&mut octets, *offset + 12)? != octets.len() || crc32c::crc32c(&octets) != u32_at(&head, 8) {
        return Err(damaged());
    }
    *offset += 12 + octets.len() as u64;
    postcard::from_bytes(&octets).map_err(|_| damaged())
}
