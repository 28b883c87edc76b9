//! A segment's file: the header that says which life it is in, and the making of one.

use std::io::{self, IoSlice};

use super::disk::{Disk, DiskFile, read_around};
use super::record::{Life, u32_at, u64_at};

/// The folder of segments.
pub(crate) const FOLDER: &str = "segments";
/// Octets at either end of a segment that hold its header; records lie between.
pub(crate) const EDGE_OCTETS: u64 = 4096;
/// The smallest segment that is of use.
pub(crate) const SEGMENT_OCTETS_MIN: u64 = 4 * EDGE_OCTETS;

/// The last position of the log that is believed: at a terabyte a day a hundred thousand years away.
pub(crate) const POSITION_MAX: u64 = 1 << 62;
/// The largest segment that is believed.
const OCTETS_MAX: u64 = 1 << 40;

const MAGIC: &[u8; 8] = b"spool-01";
const HEADER_OCTETS: usize = 80;
static ZEROS: [u8; 256 * 1024] = [0; 256 * 1024];

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Free, and nothing of an earlier life is in it.
    Clean,
    /// Free, with the remains of an earlier life.
    Dirty,
    /// Part of the log.
    Log,
}

/// The header of a segment, at both of its ends: either is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// What it is for.
    pub(crate) purpose: Use,
    /// Octets of the file.
    pub(crate) octets: u64,
    /// A number that no peer can guess, given when the file was made.
    pub(crate) salt: u64,
    /// Which life it is in; each recycling begins another.
    pub(crate) incarnation: u64,
    /// The log position of its first octet.
    pub(crate) base: u64,
    /// The log position where the log ended before it went on here.
    pub(crate) previous_end: u64,
}

impl SegmentHeader {
    /// Start value of the checksums in this life.
    pub(crate) fn life(&self) -> Life {
        Life::new(self.salt, self.incarnation)
    }

    /// Where its first record starts.
    pub(crate) fn data_start(&self) -> u64 {
        self.base + EDGE_OCTETS
    }

    /// Where records must have ended.
    pub(crate) fn data_end(&self) -> u64 {
        self.base + self.octets - EDGE_OCTETS
    }

    /// Half way through its records.
    pub(crate) fn middle(&self) -> u64 {
        self.base + self.octets / 2
    }

    /// Whether a log can have it: it ends where numbers still go, and begins behind what came before it.
    pub(crate) fn is_possible(&self) -> bool {
        let is_sized = (SEGMENT_OCTETS_MIN..=OCTETS_MAX).contains(&self.octets);
        is_sized && self.base <= POSITION_MAX && self.previous_end <= self.base
    }

    /// As it stands on the disk.
    pub(crate) fn encode(&self) -> [u8; HEADER_OCTETS] {
        let mut octets = [0; HEADER_OCTETS];
        octets[..8].copy_from_slice(MAGIC);
        octets[8] = match self.purpose {
            Use::Clean => 0,
            Use::Dirty => 1,
            Use::Log => 2,
        };
        let numbers = [self.octets, self.salt, self.incarnation, self.base, self.previous_end];
        for (place, number) in numbers.iter().enumerate() {
            octets[16 + 8 * place..24 + 8 * place].copy_from_slice(&number.to_le_bytes());
        }
        let crc = crc32c::crc32c(&octets[..HEADER_OCTETS - 4]);
        octets[HEADER_OCTETS - 4..].copy_from_slice(&crc.to_le_bytes());
        octets
    }

    fn decode(octets: &[u8]) -> Option<SegmentHeader> {
        let octets = octets.get(..HEADER_OCTETS)?;
        if octets[..8] != *MAGIC || crc32c::crc32c(&octets[..HEADER_OCTETS - 4]) != u32_at(octets, HEADER_OCTETS - 4) {
            return None;
        }
        let purpose = match octets[8] {
            0 => Use::Clean,
            1 => Use::Dirty,
            2 => Use::Log,
            _ => return None,
        };
        let number = |place: usize| u64_at(octets, 16 + 8 * place);
        let header = SegmentHeader {
            purpose,
            octets: number(0),
            salt: number(1),
            incarnation: number(2),
            base: number(3),
            previous_end: number(4),
        };
        header.is_possible().then_some(header)
    }

    /// Writes it at both ends of its file, without a sync.
    pub(crate) fn write<F: DiskFile>(&self, file: &F) -> io::Result<()> {
        let octets = self.encode();
        file.write_at(&mut [IoSlice::new(&octets)], 0)?;
        file.write_at(&mut [IoSlice::new(&octets)], self.octets - EDGE_OCTETS)
    }

    /// Reads the header of a file of so many octets: of two that differ the one of the later life. None where
    /// both are damaged.
    pub(crate) fn read<F: DiskFile>(file: &F, octets: u64) -> io::Result<Option<SegmentHeader>> {
        let mut buffer = [0; HEADER_OCTETS];
        let mut found = None::<SegmentHeader>;
        for offset in [0, octets.saturating_sub(EDGE_OCTETS)] {
            let count = read_around(file, &mut buffer, offset)?;
            let header = SegmentHeader::decode(&buffer[..count]).filter(|header| header.octets == octets);
            found = match (found, header) {
                (Some(one), Some(other)) if other.age() > one.age() => Some(other),
                (None, other) => other,
                (one, _) => one,
            };
        }
        Ok(found)
    }

    /// The form that either end of a file says that it has, where that is one which this version does not know.
    pub(crate) fn newer_form<F: DiskFile>(file: &F, octets: u64) -> io::Result<Option<String>> {
        let mut block = [0; HEADER_OCTETS];
        for offset in [0, octets.saturating_sub(EDGE_OCTETS)] {
            let count = read_around(file, &mut block, offset)?;
            if let Some(form) = super::newer_form(&block[..count], MAGIC) {
                return Ok(Some(form));
            }
        }
        Ok(None)
    }

    /// Later headers of a file are higher: lives are counted, and within one it is free before it is the log.
    fn age(&self) -> (u64, bool) {
        (self.incarnation, self.purpose == Use::Log)
    }
}

/// The name of a segment's file.
pub(crate) fn name(number: u32) -> String {
    format!("{FOLDER}/{number:08}")
}

/// The number of a segment's file, by its name in the folder.
pub(crate) fn number(name: &str) -> Option<u32> {
    (name.len() == 8).then(|| name.parse().ok()).flatten()
}

/// Makes a segment: every octet of it written and synced, so that a sync of records writes no metadata.
///
/// # Errors
/// There is no room, or the disk failed; nothing is left of it.
pub(crate) fn make<D: Disk>(disk: &D, number: u32, octets: u64) -> io::Result<(D::File, SegmentHeader)> {
    let passing = format!("{FOLDER}/{number:08}.new");
    let header =
        SegmentHeader { purpose: Use::Clean, octets, salt: disk.salt(), incarnation: 1, base: 0, previous_end: 0 };
    let made = (|| {
        let file = disk.create(&passing)?;
        file.allocate(octets)?;
        zero(&file, 0, octets)?;
        header.write(&file)?;
        file.sync()?;
        disk.rename(&passing, &name(number))?;
        disk.sync_folder(FOLDER)?;
        Ok(file)
    })();
    if made.is_err() {
        let _ = disk.remove(&passing);
    }
    made.map(|file| (file, header))
}

/// Overwrites octets with zeros, without a sync.
pub(crate) fn zero<F: DiskFile>(file: &F, from: u64, to: u64) -> io::Result<()> {
    let mut offset = from;
    while offset < to {
        let count = (to - offset).min(ZEROS.len() as u64);
        file.write_at(&mut [IoSlice::new(&ZEROS[..count as usize])], offset)?;
        offset += count;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_comes_back_and_damage_is_seen() {
        let header = SegmentHeader {
            purpose: Use::Log,
            octets: 65536,
            salt: 3,
            incarnation: 4,
            base: 1 << 41,
            previous_end: (1 << 41) - 64,
        };
        let octets = header.encode();
        assert_eq!(SegmentHeader::decode(&octets), Some(header));
        for at in 0..octets.len() {
            let mut damaged = octets;
            damaged[at] ^= 1;
            assert_eq!(SegmentHeader::decode(&damaged), None, "octet {at}");
        }
    }

    #[test]
    fn a_header_that_no_log_can_have_is_damaged_however_right_its_checksum() {
        let header =
            SegmentHeader { purpose: Use::Log, octets: 65536, salt: 3, incarnation: 4, base: 128, previous_end: 64 };
        assert_eq!(SegmentHeader::decode(&header.encode()), Some(header));
        for impossible in [
            SegmentHeader { base: u64::MAX, ..header },
            SegmentHeader { octets: u64::MAX, ..header },
            SegmentHeader { octets: 0, ..header },
            SegmentHeader { previous_end: 129, ..header },
        ] {
            assert_eq!(SegmentHeader::decode(&impossible.encode()), None, "{impossible:?}");
        }
    }

    #[test]
    fn names_and_numbers() {
        assert_eq!(number(name(12).strip_prefix("segments/").unwrap()), Some(12));
        assert_eq!(number("00000012.new"), None);
    }
}
