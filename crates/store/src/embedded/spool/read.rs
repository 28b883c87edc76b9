//! Reading one message, or its seal, from where the index says that it is.

use std::io;

use bytes::Bytes;
use relay::id::MessageId;
use relay::store::{Content, StoreError};

use super::disk::{Disk, DiskFile, read_around};
use super::meta::{self, Kept};
use super::record::{HEADER_OCTETS, Header, Kind};
use super::segment::{EDGE_OCTETS, SegmentHeader};
use super::state::{Shared, content_damaged, content_name, file_crc};

/// Read at once: most records whole.
const GUESS_OCTETS: usize = 16 * 1024;

/// A record as read.
struct Record {
    header: Header,
    octets: Bytes,
}

impl Record {
    fn meta(&self) -> Bytes {
        self.octets.slice(HEADER_OCTETS..HEADER_OCTETS + self.header.meta_octets as usize)
    }

    fn content(&self) -> Bytes {
        let from = HEADER_OCTETS + self.header.meta_octets as usize;
        self.octets.slice(from..from + self.header.content_octets as usize)
    }
}

/// A live message as read.
#[derive(Debug)]
pub(crate) struct Read {
    /// Where it was found.
    pub(crate) position: u64,
    /// Its envelope, and what a copy has besides.
    pub(crate) kept: Kept,
    /// The content that stood in the record; empty where it has a file of its own.
    pub(crate) held: Bytes,
}

/// Reads the record at a position; none where it is damaged or no longer there.
fn record<F: DiskFile>(file: &F, segment: &SegmentHeader, position: u64) -> io::Result<Option<Record>> {
    let offset = position - segment.base;
    let there = segment.octets.saturating_sub(EDGE_OCTETS + offset) as usize;
    let mut octets = vec![0; GUESS_OCTETS.min(there)];
    let count = read_around(file, &mut octets, offset)?;
    octets.truncate(count);
    let Some(header) = Header::decode(&octets, segment.life()) else { return Ok(None) };
    let parts = header.meta_octets as usize + header.content_octets as usize;
    let whole = HEADER_OCTETS + parts;
    if whole > there {
        return Ok(None);
    }
    let have = octets.len().min(whole);
    octets.resize(whole, 0);
    if read_around(file, &mut octets[have..], offset + have as u64)? < whole - have {
        return Ok(None);
    }
    let record = Record { header, octets: Bytes::from(octets) };
    let is_whole = crc32c::crc32c(&record.meta()) == record.header.meta_crc
        && crc32c::crc32c(&record.content()) == record.header.content_crc;
    Ok(is_whole.then_some(record))
}

impl<D: Disk> Shared<D> {
    fn record_at(&self, position: u64) -> io::Result<Option<Record>> {
        let segment = self.state().segment_at(position).map(|segment| (segment.number, segment.header));
        match segment {
            Some((number, header)) => record(&*self.segment_file(number)?, &header, position),
            None => Ok(None),
        }
    }

    /// Reads a live message; none where it is live no longer. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where its record is damaged or cannot be read.
    pub(crate) fn read(&self, message: MessageId) -> Result<Option<Read>, StoreError> {
        let mut before = None;
        loop {
            let Some(position) = self.state().index.position(message) else { return Ok(None) };
            if before == Some(position) {
                // it did not move away while it was read: it is damaged
                return Err(self.cannot_read(message, position, "is damaged"));
            }
            let record = self
                .record_at(position)
                .map_err(|error| self.cannot_read(message, position, &format!("cannot be read: {error}")))?;
            let kept = record.as_ref().and_then(|record| kept(record, message));
            if let (Some(kept), Some(record)) = (kept, record) {
                return Ok(Some(Read { position, kept, held: record.content() }));
            }
            before = Some(position);
        }
    }

    fn cannot_read(&self, message: MessageId, position: u64, what: &str) -> StoreError {
        let mut state = self.state();
        let place = state.segment_at(position).map(|segment| {
            format!("{} at octet {}", self.segment_path(segment.number).display(), position - segment.header.base)
        });
        let place = place.unwrap_or_else(|| "a segment that is gone".to_owned());
        let text = format!("{place}: the record of message {message} {what}");
        state.damaged(text.clone());
        StoreError::Unavailable(text)
    }

    /// The content of a message as read: lent, or the name of its file, which was read through: what is damaged is
    /// not delivered.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where its file is not there whole.
    pub(crate) fn content(&self, read: &Read) -> Result<Content, StoreError> {
        let Some(filed) = read.kept.filed else { return Ok(Content::Held(read.held.clone())) };
        let name = content_name(filed.number);
        let path = self.disk.path(&name);
        match self.disk.open(&name).and_then(|file| file_crc(&file)) {
            Ok((crc, octets)) if (crc, octets) == (filed.crc, filed.octets) => Ok(Content::Filed { path, octets }),
            Ok(_) => {
                let text = content_damaged(&path, read.kept.envelope.message);
                self.state().damaged(text.clone());
                Err(StoreError::Unavailable(text))
            }
            Err(error) => Err(StoreError::Unavailable(format!("{}: {error}", path.display()))),
        }
    }

    /// The seal at a position; none where it is no longer there or damaged: it is made again.
    pub(crate) fn read_seal(&self, message: MessageId, position: u64) -> Option<Bytes> {
        let record = self.record_at(position).ok().flatten()?;
        if record.header.message() != message {
            return None;
        }
        match record.header.kind()? {
            Kind::Seal => Some(record.meta()),
            Kind::Copy => meta::copy_in(message, &record.meta()).ok()?.seal.map(Bytes::from),
            _ => None,
        }
    }
}

fn kept(record: &Record, message: MessageId) -> Option<Kept> {
    if record.header.message() != message {
        return None;
    }
    match record.header.kind()? {
        Kind::Commit => meta::commit_in(message, &record.meta()).ok(),
        Kind::Copy => meta::copy_in(message, &record.meta()).ok(),
        _ => None,
    }
}
