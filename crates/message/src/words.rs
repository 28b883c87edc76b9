//! Unstructured text for people: RFC 2047 encoded words and raw 8-bit, decoded to Unicode.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// As forgiving as readers of mail are: padding or none, stray last bits.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Octets of a value that are looked at: more than 200 characters take in any dress. A search for the
/// end of each word that never ends costs time by the square of the length.
const VALUE_OCTETS_MAX: usize = 8 * 1024;

/// Decodes an unfolded field value to at most `characters_max` characters. Controls become spaces,
/// so that the result is one harmless line; what cannot be decoded stays as it was written.
pub(crate) fn decode(value: &[u8], characters_max: usize) -> String {
    let mut text = String::new();
    // octets of neighbouring encoded words in one charset: some writers cut inside a character
    let mut pending: Option<(&'static Encoding, Vec<u8>)> = None;
    let mut rest = &value[..value.len().min(VALUE_OCTETS_MAX)];
    while !rest.is_empty() {
        let blank = rest.iter().take_while(|octet| is_blank(**octet)).count();
        if let Some((word, length)) = encoded_word(&rest[blank..]) {
            // white space between encoded words is not part of the text (RFC 2047 §6.2)
            if pending.is_none() {
                text.push_str(&raw(&rest[..blank]));
            }
            match &mut pending {
                Some((encoding, octets)) if *encoding == word.encoding => octets.extend(word.octets),
                _ => {
                    flush(&mut pending, &mut text);
                    pending = Some((word.encoding, word.octets));
                }
            }
            rest = &rest[blank + length..];
            continue;
        }
        flush(&mut pending, &mut text);
        let end = plain_end(rest, blank);
        text.push_str(&raw(&rest[..end]));
        rest = &rest[end..];
    }
    flush(&mut pending, &mut text);
    let clean: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    clean.trim().chars().take(characters_max).collect()
}

/// A text on one harmless line, at most so many characters of it: runs of white space are a space, other controls are gone.
pub(crate) fn one_line(text: &str, characters_max: usize) -> String {
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    spaced.chars().filter(|letter| !letter.is_control()).take(characters_max).collect()
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Where the plain word after `blank` blanks ends; an encoded word may follow text directly, though it should not.
fn plain_end(rest: &[u8], blank: usize) -> usize {
    let word = &rest[blank..];
    let end = word.iter().position(|octet| is_blank(*octet)).unwrap_or(word.len());
    let next = memchr::memmem::find_iter(&word[..end], b"=?")
        .find(|start| *start > 0 && encoded_word(&word[*start..]).is_some());
    blank + next.unwrap_or(end)
}

fn flush(pending: &mut Option<(&'static Encoding, Vec<u8>)>, text: &mut String) {
    if let Some((encoding, octets)) = pending.take() {
        text.push_str(&encoding.decode_without_bom_handling(&octets).0);
    }
}

/// Octets that no encoded word covers: UTF-8 where they are, else what most old writers meant.
fn raw(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned(),
    }
}

struct Word {
    encoding: &'static Encoding,
    octets: Vec<u8>,
}

/// The encoded word that `octets` begin with, and its length: `=?charset?B?…?=` or `=?charset?Q?…?=`.
fn encoded_word(octets: &[u8]) -> Option<(Word, usize)> {
    let inner = octets.strip_prefix(b"=?")?;
    let charset_end = memchr::memchr(b'?', inner)?;
    let (charset, inner) = (&inner[..charset_end], &inner[charset_end + 1..]);
    let [method, b'?', inner @ ..] = inner else { return None };
    let length = memchr::memmem::find(inner, b"?=")?;
    let encoded = &inner[..length];
    if charset.iter().chain(encoded).any(|octet| is_blank(*octet)) {
        return None;
    }
    let decoded = match method {
        b'B' | b'b' => BASE64.decode(encoded).ok()?,
        b'Q' | b'q' => unquote(encoded)?,
        _ => return None,
    };
    // a language may follow: `utf-8*en` (RFC 2231 §5)
    let label = charset.split(|octet| *octet == b'*').next()?;
    let encoding = Encoding::for_label(label).unwrap_or(match std::str::from_utf8(&decoded) {
        Ok(_) => UTF_8,
        Err(_) => WINDOWS_1252,
    });
    Some((Word { encoding, octets: decoded }, octets.len() - inner.len() + length + 2))
}

/// The Q encoding (RFC 2047 §4.2); none where an `=` is not followed by two hexadecimal digits.
fn unquote(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut octets = encoded.iter();
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'_' => b' ',
            b'=' => {
                let octet = hexadecimal(octets.as_slice())?;
                octets.nth(1);
                octet
            }
            other => *other,
        });
    }
    Some(decoded)
}

/// The octet that two hexadecimal digits in front stand for; none where they are none.
pub(crate) fn hexadecimal(octets: &[u8]) -> Option<u8> {
    let digit = |place: usize| char::from(*octets.get(place)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(value: impl AsRef<[u8]>) -> String {
        decode(value.as_ref(), 200)
    }

    #[test]
    fn decodes_both_methods() {
        assert_eq!(decoded("=?utf-8?Q?Caf=C3=A9_cr=c3=a8me?="), "Café crème");
        assert_eq!(decoded("=?UTF-8?B?Q2Fmw6k=?="), "Café");
        assert_eq!(decoded("=?utf-8?b?Q2Fmw6k?="), "Café");
        assert_eq!(decoded("=?utf-8*fr?Q?Caf=C3=A9?="), "Café");
    }

    #[test]
    fn decodes_charsets() {
        assert_eq!(decoded("=?iso-8859-1?Q?caf=E9?="), "café");
        assert_eq!(decoded("=?ISO-8859-15?Q?=A4_20?="), "€ 20");
        assert_eq!(decoded("=?windows-1252?Q?=93hi=94?="), "“hi”");
        assert_eq!(decoded("=?us-ascii?Q?plain?="), "plain");
        assert_eq!(decoded("=?iso-2022-jp?B?GyRCJDMkcxsoQg==?="), "こん");
        assert_eq!(decoded("=?x-unknown?Q?caf=C3=A9?="), "café");
    }

    #[test]
    fn joins_neighbouring_words_even_inside_a_character() {
        assert_eq!(decoded("=?utf-8?Q?a?= =?utf-8?Q?b?="), "ab");
        assert_eq!(decoded("=?utf-8?Q?a?=  \t =?iso-8859-1?Q?=E9?= c"), "aé c");
        assert_eq!(decoded("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?="), "é");
        assert_eq!(decoded("Re: =?utf-8?Q?a?= b"), "Re: a b");
        assert_eq!(decoded("[=?utf-8?Q?a?=] b"), "[a] b");
    }

    #[test]
    fn leaves_what_is_no_encoded_word() {
        for text in
            ["=?utf-8?Q?a=ZZ?=", "=?utf-8?X?a?=", "=?utf-8?Q?open", "=?utf-8?Q?a b?=", "1 =? 2 ?=", "=?utf-8?B?!!!!?="]
        {
            assert_eq!(decoded(text), text);
        }
    }

    #[test]
    fn reads_raw_eight_bit() {
        assert_eq!(decoded("Café ☕"), "Café ☕");
        assert_eq!(decoded(b"Caf\xE9"), "Café");
    }

    #[test]
    fn only_the_head_of_an_endless_value_is_looked_at() {
        // each of these begins an encoded word that never ends: a search to the end for each of them
        // would take time by the square of the length
        for unit in ["=?x?q?a", "=?x?q?a "] {
            let (value, looked_at) = (unit.repeat(1_000_000), unit.repeat(VALUE_OCTETS_MAX));
            assert_eq!(decoded(&value), decoded(&looked_at[..VALUE_OCTETS_MAX]));
            assert!(decoded(&value).starts_with("=?x?q?a"));
        }
        let words = "=?utf-8?B?w6k=?= ".repeat(300);
        assert_eq!(decoded(words), "é".repeat(200));
    }

    #[test]
    fn is_one_line_and_short() {
        assert_eq!(decoded("a\tb\x1b[2J=?utf-8?Q?=0D=0AX:_y?="), "a b [2J  X: y");
        assert_eq!(decode("é".repeat(300).as_bytes(), 200).chars().count(), 200);
    }
}
