//! The file in the attachment of a report, opened as it is read and no further than so far: gzip (RFC 1952), zip, or the
//! document itself.
//!
//! Of a zip the first entry is read by the header in front of it: a report is one file (RFC 7489 §7.2.1.1), and nothing
//! else of that form, with its directories of many entries that may lie about one another, is looked at.

use flate2::bufread::{DeflateDecoder, GzDecoder};
use std::io::{self, Read};

/// What a gzip begins with.
const GZIP: &[u8] = b"\x1f\x8b";
/// What the header of an entry of a zip begins with.
const ENTRY: &[u8] = b"PK\x03\x04";
/// Octets of that header in front of the entry's name.
const ENTRY_OCTETS: usize = 30;

/// Opens an attachment; nothing where it is none of these. Reading fails with [`io::ErrorKind::FileTooLarge`] beyond so many
/// octets of what is in it.
pub(super) fn open(attachment: &[u8], octets_max: u64) -> Option<Box<dyn Read + '_>> {
    let inner: Box<dyn Read + '_> = if attachment.starts_with(GZIP) {
        Box::new(GzDecoder::new(attachment))
    } else if attachment.starts_with(ENTRY) {
        entry(attachment)?
    } else if is_document(attachment) {
        Box::new(attachment)
    } else {
        return None;
    };
    Some(Box::new(Bounded { inner, left: octets_max }))
}

fn is_document(octets: &[u8]) -> bool {
    octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets).trim_ascii_start().starts_with(b"<")
}

/// The content of the first entry of a zip; nothing where it is encrypted or of a form that hardly anybody writes.
fn entry(zip: &[u8]) -> Option<Box<dyn Read + '_>> {
    let (header, rest) = zip.split_at_checked(ENTRY_OCTETS)?;
    let short = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let (flags, method, before) = (short(6), short(8), short(26) + short(28));
    let content = rest.get(before..)?;
    match method {
        _ if flags & 1 == 1 => None,
        8 => Some(Box::new(DeflateDecoder::new(content))),
        0 => {
            let octets = u32::from_le_bytes([header[18], header[19], header[20], header[21]]);
            Some(Box::new(content.get(..usize::try_from(octets).ok()?)?))
        }
        _ => None,
    }
}

/// Fails once there is more than there may be.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return match self.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::ErrorKind::FileTooLarge.into()),
            };
        }
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let count = self.inner.read(&mut into[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};
    use std::io::Write as _;

    pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// A zip as its writers make it that do not know the size beforehand, without the directory behind.
    pub(crate) fn zip(content: &[u8], is_stored: bool) -> Vec<u8> {
        let packed = if is_stored {
            content.to_vec()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        };
        let (flags, method, octets) = if is_stored { (0, 0, packed.len() as u32) } else { (8_u16, 8_u16, 0) };
        let mut zip = [ENTRY, &20_u16.to_le_bytes(), &flags.to_le_bytes(), &method.to_le_bytes(), &[0; 8]].concat();
        zip.extend(octets.to_le_bytes());
        zip.extend(octets.to_le_bytes());
        zip.extend([5, 0, 2, 0]);
        zip.extend(b"a.xml??");
        zip.extend(packed);
        zip.extend(b"PK\x07\x08 and what follows");
        zip
    }

    fn opened(attachment: &[u8], octets_max: u64) -> Option<io::Result<Vec<u8>>> {
        let mut content = Vec::new();
        open(attachment, octets_max).map(|mut reader| reader.read_to_end(&mut content).map(|_| content))
    }

    #[test]
    fn each_form_is_opened() {
        let content = b"<a>text</a>".to_vec();
        for attachment in [content.clone(), gzip(&content), zip(&content, false), zip(&content, true)] {
            assert_eq!(opened(&attachment, 11).unwrap().unwrap(), content);
            let error = opened(&attachment, 10).unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
        assert_eq!(opened(b"\xef\xbb\xbf \r\n<a/>", 100).unwrap().unwrap().len(), 10);
    }

    #[test]
    fn a_bomb_is_not_followed() {
        let bomb = gzip(&vec![b' '; 20_000_000]);
        assert!(bomb.len() < 30_000);
        assert_eq!(opened(&bomb, 1_000_000).unwrap().unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_none_of_them_or_damaged_is_told() {
        let whole = zip(b"<a/>", false);
        let mut encrypted = whole.clone();
        encrypted[6] |= 1;
        let mut other = whole.clone();
        other[8] = 14;
        for attachment in
            [&b"text"[..], b"", b"PK\x03\x04", &whole[..20], &encrypted, &other, &zip(b"<a/>", true)[..40]]
        {
            assert!(opened(attachment, 100).is_none(), "{attachment:?}");
        }
        let mut damaged = gzip(b"<a>some text that is long enough</a>");
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x55;
        assert!(opened(&damaged, 100).unwrap().is_err());
    }
}
