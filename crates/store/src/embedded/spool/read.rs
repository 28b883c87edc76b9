//! Reading one message, or its seal, from where the index says that it is.

use std::io;

use aws_lc_rs::digest;
use bytes::Bytes;
use relay::id::MessageId;
use relay::queue::Envelope;
use relay::store::{Content, Damage, StoreError};

use super::disk::{Disk, DiskFile, is_lost, read_around};
use super::meta::{self, Kept};
use super::record::{HEADER_OCTETS, Header, Kind};
use super::segment::{EDGE_OCTETS, FOLDER, SegmentHeader};
use super::state::{Shared, content_damaged, content_name, file_crc, record_damaged};

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
    /// [`StoreError::Damaged`] where its record is damaged, [`StoreError::Unavailable`] where it cannot be read now.
    pub(crate) fn read(&self, message: MessageId) -> Result<Option<Read>, StoreError> {
        let mut before = None;
        loop {
            let Some(position) = self.state().index.position(message) else { return Ok(None) };
            if before == Some(position) {
                // it did not move away while it was read: it is damaged
                return Err(self.record_is_damaged(message, position));
            }
            let record = match self.record_at(position) {
                Ok(record) => record,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => {
                    return Err(StoreError::Unavailable(format!("the record of message {message}: {error}")));
                }
            };
            let kept = record.as_ref().and_then(|record| kept(record, message));
            if let (Some(kept), Some(record)) = (kept, record) {
                return Ok(Some(Read { position, kept, held: record.content() }));
            }
            before = Some(position);
        }
    }

    fn record_is_damaged(&self, message: MessageId, position: u64) -> StoreError {
        let mut state = self.state();
        let what = format!("the record of message {message} is damaged");
        let damage = match state.segment_at(position) {
            Some(segment) => record_damaged(&self.disk, segment, position, Some(message), what),
            None => segment_gone(&self.disk, message),
        };
        let error = StoreError::Damaged(damage.to_string());
        state.damaged(damage);
        error
    }

    /// Holds the content that stood in a record to the SHA-256 that it was admitted with. With large content that costs as much as
    /// all else that is done to deliver it, so a first attempt by the process that wrote it rests on the checksum alone, which was
    /// taken of the very octets that were hashed and which every read is held to.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is another.
    pub(crate) fn hold_to_hash(&self, read: &Read) -> Result<(), StoreError> {
        let Envelope { message, facts, .. } = &read.kept.envelope;
        let is_as_admitted = |hash: &[u8; 32]| digest::digest(&digest::SHA256, &read.held).as_ref() == hash;
        match read.kept.filed.is_some() || facts.known_sha256().is_none_or(is_as_admitted) {
            true => Ok(()),
            false => Err(self.record_is_damaged(*message, read.position)),
        }
    }

    /// The content of a message as read: lent, or the name of its file, which was read through: what is damaged is
    /// not delivered.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where its file is not there whole, [`StoreError::Unavailable`] where it cannot be read now.
    pub(crate) fn content(&self, read: &Read) -> Result<Content, StoreError> {
        let Some(filed) = read.kept.filed else { return Ok(Content::Held(read.held.clone())) };
        let name = content_name(filed.number);
        let path = self.disk.path(&name);
        match self.disk.open(&name).and_then(|file| file_crc(&file)) {
            Ok((crc, octets)) if (crc, octets) == (filed.crc, filed.octets) => Ok(Content::Filed { path, octets }),
            Err(error) if error.kind() != io::ErrorKind::NotFound && !is_lost(&error) => {
                Err(StoreError::Unavailable(format!("{}: {error}", path.display())))
            }
            Ok(_) | Err(_) => {
                let damage = content_damaged(&self.disk, &filed, read.kept.envelope.message);
                let error = StoreError::Damaged(damage.to_string());
                self.state().damaged(damage);
                Err(error)
            }
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

/// What is said of a live message whose segment is not there.
pub(crate) fn segment_gone<D: Disk>(disk: &D, message: MessageId) -> Damage {
    let file = disk.path(FOLDER).display().to_string();
    let what = format!("the record of message {message} is gone with its segment");
    Damage { file, offset: None, message: Some(message), what }
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
