//! Content as it was before it was encoded for the way, as forgiving as readers of mail are.

use base64::Engine as _;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::words::{BASE64, hexadecimal};

/// Base64 (RFC 2045 §6.8): what is no letter of it is left out, and it ends where it is padded.
pub(super) fn base64(octets: &[u8]) -> Vec<u8> {
    let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let mut letters: Vec<u8> = octets.iter().copied().take_while(|octet| *octet != b'=').filter(is_letter).collect();
    // a letter that is left alone is no octet
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    BASE64.decode(letters).unwrap_or_default()
}

/// Quoted-printable (RFC 2045 §6.7): what is not written as it should be stays as it is.
pub(super) fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(equals) = memchr::memchr(b'=', rest) {
        decoded.extend_from_slice(&rest[..equals]);
        let after = &rest[equals + 1..];
        let blank = after.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | b'\r')).count();
        match (after.get(blank), hexadecimal(after)) {
            // a soft line break
            (Some(b'\n'), _) => rest = &after[blank + 1..],
            (None, _) => rest = &[],
            (_, Some(octet)) => {
                decoded.push(octet);
                rest = &after[2..];
            }
            _ => {
                decoded.push(b'=');
                rest = after;
            }
        }
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// Text in a charset; where that is not known, UTF-8, or what most old writers meant.
pub(super) fn text(octets: &[u8], charset: &str) -> String {
    let unknown = || if std::str::from_utf8(octets).is_ok() { UTF_8 } else { WINDOWS_1252 };
    let encoding = match charset.trim().to_ascii_lowercase().as_str() {
        // many say so who write UTF-8
        "" | "us-ascii" => unknown(),
        label => Encoding::for_label(label.as_bytes()).unwrap_or_else(unknown),
    };
    encoding.decode(octets).0.into_owned()
}
