//! Reading one segment's records in order, and finding the way again behind damage.

use std::io;

use super::disk::{DiskFile, read_around};
use super::record::{BOUNDARY, HEADER_OCTETS, Header, Life, MARK};
use super::segment::SegmentHeader;

/// Octets read at once.
const WINDOW_OCTETS: usize = 256 * 1024;
/// Octets read at once by those who leave content aside.
const META_WINDOW_OCTETS: usize = 16 * 1024;

/// Reads records of one segment, by log position.
pub(crate) struct Scanner<'f, F> {
    file: &'f F,
    life: Life,
    base: u64,
    limit: u64,
    window_octets: usize,
    window: Vec<u8>,
    window_at: u64,
}

/// A record whose header is right.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Where it starts.
    pub(crate) position: u64,
    /// Its header.
    pub(crate) header: Header,
}

impl Found {
    /// Where the next record starts.
    pub(crate) fn end(&self) -> u64 {
        self.position + self.header.record_octets()
    }

    /// Where its meta part starts.
    pub(crate) fn meta_at(&self) -> u64 {
        self.position + HEADER_OCTETS as u64
    }

    /// Where its content starts.
    pub(crate) fn content_at(&self) -> u64 {
        self.meta_at() + u64::from(self.header.meta_octets)
    }
}

/// The last record that was taken: a later one is of the same start or a later one, with a higher number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Last {
    /// Its epoch.
    pub(crate) epoch: u32,
    /// Its number.
    pub(crate) sequence: u64,
}

impl Last {
    /// Whether a record may stand behind it: what an unfinished write left there may not.
    pub(crate) fn admits(self, header: &Header) -> bool {
        header.epoch >= self.epoch && header.sequence > self.sequence
    }

    /// With this record taken.
    pub(crate) fn with(self, header: &Header) -> Last {
        Last { epoch: header.epoch, sequence: header.sequence }
    }
}

impl<'f, F: DiskFile> Scanner<'f, F> {
    /// Of a segment's file, for records that end at or before `limit`.
    pub(crate) fn new(file: &'f F, header: &SegmentHeader, limit: u64) -> Self {
        let limit = limit.min(header.data_end());
        let window_octets = WINDOW_OCTETS;
        Scanner { file, life: header.life(), base: header.base, limit, window_octets, window: Vec::new(), window_at: 0 }
    }

    /// For who leaves content aside: little is read of it.
    pub(crate) fn without_content(self) -> Self {
        Scanner { window_octets: META_WINDOW_OCTETS, ..self }
    }

    /// Octets from a log position on: fewer where the file ends.
    pub(crate) fn view(&mut self, position: u64, octets: usize) -> io::Result<&[u8]> {
        let held = self.window_at..self.window_at + self.window.len() as u64;
        if position < held.start || position + octets as u64 > held.end {
            // no further than records reach: a consumer that keeps up reads only what is new
            let ahead = self.limit.saturating_sub(position).min(self.window_octets as u64) as usize;
            self.window.resize(octets.max(ahead), 0);
            let count = read_around(self.file, &mut self.window, position - self.base)?;
            self.window.truncate(count);
            self.window_at = position;
        }
        let from = (position - self.window_at) as usize;
        Ok(&self.window[from..self.window.len().min(from + octets)])
    }

    /// The record that starts at a position, if one does that fits and that `last` admits.
    pub(crate) fn at(&mut self, position: u64, last: Last) -> io::Result<Option<Found>> {
        if position + HEADER_OCTETS as u64 > self.limit {
            return Ok(None);
        }
        let (life, limit) = (self.life, self.limit);
        let header = Header::decode(self.view(position, HEADER_OCTETS)?, life);
        Ok(header
            .map(|header| Found { position, header })
            .filter(|found| found.end() <= limit && last.admits(&found.header)))
    }

    /// The next record at or behind a position, wherever it starts.
    pub(crate) fn find(&mut self, from: u64, last: Last) -> io::Result<Option<Found>> {
        let mut position = from.next_multiple_of(BOUNDARY);
        while position + HEADER_OCTETS as u64 <= self.limit {
            if *self.view(position, MARK.len())? == MARK
                && let Some(found) = self.at(position, last)?
            {
                return Ok(Some(found));
            }
            position += BOUNDARY;
        }
        Ok(None)
    }

    /// The meta part of a record; none where it is damaged.
    pub(crate) fn meta(&mut self, found: &Found) -> io::Result<Option<&[u8]>> {
        let octets = found.header.meta_octets as usize;
        let meta = self.view(found.meta_at(), octets)?;
        Ok((meta.len() == octets && crc32c::crc32c(meta) == found.header.meta_crc).then_some(meta))
    }

    /// The content of a record; none where it is damaged.
    pub(crate) fn content(&mut self, found: &Found) -> io::Result<Option<&[u8]>> {
        let octets = found.header.content_octets as usize;
        let content = self.view(found.content_at(), octets)?;
        Ok((content.len() == octets && crc32c::crc32c(content) == found.header.content_crc).then_some(content))
    }
}
