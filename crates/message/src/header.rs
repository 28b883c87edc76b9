//! The header section: what its lines are, and its fields (RFC 5322 §2.2, §3.6.8).
//!
//! A line is a field, the continuation of one, the empty line that ends the section, or none of
//! these, which ends it as well. Nothing here changes an octet.

use crate::admission::SUBJECT_CHARACTERS_MAX;
use crate::words;

/// What a line of a header section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// `Name: value`, also with white space before the colon (RFC 5322 §4.5).
    Field,
    /// Begins with a space or tab.
    Continuation,
    /// The empty line.
    Empty,
    /// Anything else: the header section ended before it.
    Other,
}

impl Line {
    /// What `line` is, with or without its line end.
    pub fn of(line: &[u8]) -> Line {
        match line {
            [] | b"\r\n" | b"\n" => Line::Empty,
            [b' ' | b'\t', ..] => Line::Continuation,
            _ if name_of(line).is_some() => Line::Field,
            _ => Line::Other,
        }
    }
}

/// One field of a header section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as spelt, without white space or colon.
    pub name: &'a [u8],
    /// Everything after the colon, folds and line end included.
    pub value: &'a [u8],
    /// The whole field, line end included.
    pub octets: &'a [u8],
}

impl Field<'_> {
    /// Whether this is the field `name`, in any letter case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line: line ends taken out, ends trimmed (RFC 5322 §2.2.3).
    pub fn unfolded(&self) -> Vec<u8> {
        let mut value = self.value.to_vec();
        value.retain(|octet| !matches!(octet, b'\r' | b'\n'));
        value.trim_ascii().to_vec()
    }

    /// The beginning of the value as people read it: encoded words decoded (RFC 2047), on one harmless line.
    pub fn text(&self) -> String {
        words::decode(&self.unfolded(), SUBJECT_CHARACTERS_MAX)
    }
}

/// The fields of a header section in their order; ends at the empty line, or at the first line that
/// belongs to no field.
pub fn fields(section: &[u8]) -> Fields<'_> {
    Fields { rest: section }
}

/// Octets of the header section that a message or a part begins with, the empty line included. Ends as well before the
/// first line that belongs to no field.
pub fn section_octets(content: &[u8]) -> usize {
    let octets: usize = fields(content).map(|field| field.octets.len()).sum();
    let line = first_line(&content[octets..]);
    octets + if Line::of(line) == Line::Empty { line.len() } else { 0 }
}

/// Iterates over the fields of a header section.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let name = name_of(first_line(self.rest))?;
        let mut end = first_line(self.rest).len();
        while let Some(b' ' | b'\t') = self.rest.get(end) {
            end += first_line(&self.rest[end..]).len();
        }
        let (octets, rest) = self.rest.split_at(end);
        self.rest = rest;
        let colon = memchr::memchr(b':', octets)?;
        Some(Field { name, value: &octets[colon + 1..], octets })
    }
}

/// The first line of `octets`, its line end included.
fn first_line(octets: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', octets).map_or(octets.len(), |feed| feed + 1);
    &octets[..end]
}

/// The name of the field that begins with this line, if one does.
fn name_of(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line)?;
    let length = line[..colon].iter().rposition(|octet| !matches!(octet, b' ' | b'\t'))? + 1;
    let name = &line[..length];
    name.iter().all(|octet| matches!(octet, 33..=126)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_lines_apart() {
        assert_eq!(Line::of(b"Subject: x\r\n"), Line::Field);
        assert_eq!(Line::of(b"Subject :x"), Line::Field);
        assert_eq!(Line::of(b"X-!#$%&'*+-/^_`{|}~.():\r\n"), Line::Field);
        assert_eq!(Line::of(b" more\r\n"), Line::Continuation);
        assert_eq!(Line::of(b" \r\n"), Line::Continuation);
        assert_eq!(Line::of(b"\r\n"), Line::Empty);
        assert_eq!(Line::of(b""), Line::Empty);
        assert_eq!(Line::of(b": x\r\n"), Line::Other);
        assert_eq!(Line::of(b"no colon\r\n"), Line::Other);
        assert_eq!(Line::of(b"two words: x\r\n"), Line::Other);
        assert_eq!(Line::of(b"From a@b Mon Nov 23 21:30:41 2026\r\n"), Line::Other);
        assert_eq!(Line::of("Sujét: x\r\n".as_bytes()), Line::Other);
        assert_eq!(Line::of(b"A\x01B: x\r\n"), Line::Other);
    }

    #[test]
    fn gathers_folds_and_stops_at_the_empty_line() {
        let section = b"A: 1\r\n\t2\r\n \r\nB :3\r\n\r\nC: body\r\n";
        let found: Vec<_> = fields(section).map(|field| (field.name, field.unfolded())).collect();
        assert_eq!(found, vec![(&b"A"[..], b"1\t2".to_vec()), (&b"B"[..], b"3".to_vec())]);
    }

    #[test]
    fn the_last_field_may_lack_its_line_end() {
        let found: Vec<_> = fields(b"A: 1\r\nB: 2").map(|field| field.octets.to_vec()).collect();
        assert_eq!(found, vec![b"A: 1\r\n".to_vec(), b"B: 2".to_vec()]);
    }

    #[test]
    fn a_section_that_begins_with_white_space_has_no_field() {
        assert_eq!(fields(b" A: 1\r\nB: 2\r\n").count(), 0);
    }
}
