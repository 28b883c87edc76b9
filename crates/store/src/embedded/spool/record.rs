//! A record of the log: a header with its own checksum, a meta part, the content.
//!
//! Records start on boundaries, with a mark. The header's checksum covers the segment's salt and incarnation,
//! so that what an earlier life of the segment left behind is never taken for mail. Meta and content have
//! checksums of their own, so that a consumer reads envelopes without reading content.

use relay::id::MessageId;

/// Records start at multiples of this.
pub(crate) const BOUNDARY: u64 = 64;
/// Octets of a record's header.
pub(crate) const HEADER_OCTETS: usize = 64;
/// What a header starts with.
pub(crate) const MARK: [u8; 4] = [0xE7, b'R', 0x0D, 0x9A];
/// The newest version of a meta part: 2 of a Commit or Copy that says more than version 1 could.
pub(crate) const VERSION: u8 = 2;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "simulation"), allow(unreachable_pub, reason = "a simulator reads it"))]
pub enum Kind {
    /// A message was accepted: its envelope and content.
    Commit,
    /// What became of recipients.
    Settle,
    /// Waiting recipients are held.
    Hold,
    /// Held recipients are due.
    Release,
    /// The DKIM fields made for a message.
    Seal,
    /// Refusals.
    Notices,
    /// A live message, copied from elsewhere in the log, as it stands.
    Copy,
    /// The process started.
    Epoch,
}

impl Kind {
    const ALL: [(Kind, u8); 8] = [
        (Kind::Commit, 1),
        (Kind::Settle, 2),
        (Kind::Hold, 3),
        (Kind::Release, 4),
        (Kind::Seal, 5),
        (Kind::Notices, 6),
        (Kind::Copy, 7),
        (Kind::Epoch, 8),
    ];

    fn code(self) -> u8 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, code)| *code)
    }

    /// None where a newer version wrote it.
    pub(crate) fn of(code: u8) -> Option<Kind> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(kind, _)| *kind)
    }
}

/// The header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The [`Kind`], as written: a newer version may have others.
    pub(crate) kind_code: u8,
    /// The version of the meta part.
    pub(crate) version: u8,
    /// Octets of the meta part.
    pub(crate) meta_octets: u32,
    /// Octets of the content.
    pub(crate) content_octets: u32,
    /// The number of the start that wrote it.
    pub(crate) epoch: u32,
    /// Its number in the log.
    pub(crate) sequence: u64,
    /// How far the log was synced before this record was written.
    pub(crate) synced: u64,
    /// The message it is about; 0 where none.
    pub(crate) message: u128,
    /// Checksum of the meta part.
    pub(crate) meta_crc: u32,
    /// Checksum of the content.
    pub(crate) content_crc: u32,
}

/// The start value of the header checksums in one life of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life(u32);

impl Life {
    /// Of a segment in this incarnation.
    pub(crate) fn new(salt: u64, incarnation: u64) -> Life {
        Life(crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), &incarnation.to_le_bytes()))
    }
}

impl Header {
    /// What it says, where this version knows it.
    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::of(self.kind_code)
    }

    /// Sets what it says.
    pub(crate) fn new(kind: Kind, message: Option<MessageId>, meta: &[u8]) -> Header {
        Header {
            kind_code: kind.code(),
            version: 1,
            meta_octets: meta.len() as u32,
            content_octets: 0,
            epoch: 0,
            sequence: 0,
            synced: 0,
            message: message.map_or(0, |message| message.0),
            meta_crc: crc32c::crc32c(meta),
            content_crc: 0,
        }
    }

    /// The message it is about.
    pub(crate) fn message(&self) -> MessageId {
        MessageId(self.message)
    }

    /// Octets of the whole record, up to the next boundary.
    pub(crate) fn record_octets(&self) -> u64 {
        record_octets(self.meta_octets as usize, self.content_octets as usize)
    }

    /// As it stands on the disk.
    pub(crate) fn encode(&self, life: Life) -> [u8; HEADER_OCTETS] {
        let mut octets = [0; HEADER_OCTETS];
        octets[0..4].copy_from_slice(&MARK);
        octets[4] = self.kind_code;
        octets[5] = self.version;
        octets[8..12].copy_from_slice(&self.meta_octets.to_le_bytes());
        octets[12..16].copy_from_slice(&self.content_octets.to_le_bytes());
        octets[16..20].copy_from_slice(&self.epoch.to_le_bytes());
        octets[20..28].copy_from_slice(&self.sequence.to_le_bytes());
        octets[28..36].copy_from_slice(&self.synced.to_le_bytes());
        octets[36..52].copy_from_slice(&self.message.to_le_bytes());
        octets[52..56].copy_from_slice(&self.meta_crc.to_le_bytes());
        octets[56..60].copy_from_slice(&self.content_crc.to_le_bytes());
        let crc = crc32c::crc32c_append(life.0, &octets[..60]);
        octets[60..64].copy_from_slice(&crc.to_le_bytes());
        octets
    }

    /// Reads it; none where this is no header written in this life.
    pub(crate) fn decode(octets: &[u8], life: Life) -> Option<Header> {
        let octets: &[u8; HEADER_OCTETS] = octets.get(..HEADER_OCTETS)?.try_into().ok()?;
        if octets[..4] != MARK || crc32c::crc32c_append(life.0, &octets[..60]) != u32_at(octets, 60) {
            return None;
        }
        let mut message = [0; 16];
        message.copy_from_slice(&octets[36..52]);
        Some(Header {
            kind_code: octets[4],
            version: octets[5],
            meta_octets: u32_at(octets, 8),
            content_octets: u32_at(octets, 12),
            epoch: u32_at(octets, 16),
            sequence: u64_at(octets, 20),
            synced: u64_at(octets, 28),
            message: u128::from_le_bytes(message),
            meta_crc: u32_at(octets, 52),
            content_crc: u32_at(octets, 56),
        })
    }
}

/// Octets of a record with such parts, up to the next boundary.
pub(crate) fn record_octets(meta: usize, content: usize) -> u64 {
    (HEADER_OCTETS as u64 + meta as u64 + content as u64).next_multiple_of(BOUNDARY)
}

/// Four octets as a number.
pub(crate) fn u32_at(octets: &[u8], at: usize) -> u32 {
    octets[at..at + 4].iter().rev().fold(0, |number, octet| number << 8 | u32::from(*octet))
}

/// Eight octets as a number.
pub(crate) fn u64_at(octets: &[u8], at: usize) -> u64 {
    octets[at..at + 8].iter().rev().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_comes_back_in_its_own_life_alone() {
        let mut header = Header::new(Kind::Copy, Some(MessageId(77)), b"meta");
        header.sequence = u64::MAX - 3;
        header.synced = 1 << 40;
        let life = Life::new(9, 1);
        let octets = header.encode(life);
        assert_eq!(Header::decode(&octets, life), Some(header));
        assert_eq!(Header::decode(&octets, Life::new(9, 2)), None);
        assert_eq!(Header::decode(&octets, Life::new(8, 1)), None);
    }

    #[test]
    fn any_flipped_bit_of_a_header_is_seen() {
        let life = Life::new(1, 1);
        let octets = Header::new(Kind::Commit, Some(MessageId(5)), b"").encode(life);
        for bit in 0..HEADER_OCTETS * 8 {
            let mut damaged = octets;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&damaged, life), None, "bit {bit}");
        }
    }
}
