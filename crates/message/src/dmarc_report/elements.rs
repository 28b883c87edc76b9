//! The elements of an XML document (XML 1.0 §3) and the texts in them, read octet by octet: whatever is in it, it takes the same
//! room.
//!
//! A declaration of a document type is refused, so that there are no entities but those of XML itself. Attributes are passed
//! over, and so are prefixes of names.

use std::io::{self, BufRead, Bytes};

use super::Fault;

/// How deep elements may lie in elements.
const DEPTH_MAX: usize = 16;
/// Octets of the name of one.
const NAME_OCTETS_MAX: usize = 64;
/// Octets of a text that are kept; of a longer one the rest is passed over.
const TEXT_OCTETS_MAX: usize = 512;
/// Octets of a reference, as `&#x10FFFF;` is the longest.
const REFERENCE_OCTETS_MAX: usize = 8;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An element begins: the last of [`Elements::path`].
    Begin,
    /// One of this name ends, with the text that stood in it last.
    End(String, String),
}

/// Reads a document.
pub(super) struct Elements<R> {
    octets: Bytes<R>,
    path: Vec<String>,
    text: Vec<u8>,
    /// The element that began last has ended in its own tag.
    is_empty: bool,
    has_begun: bool,
}

impl<R: BufRead> Elements<R> {
    pub(super) fn of(document: R) -> Elements<R> {
        Elements { octets: document.bytes(), path: Vec::new(), text: Vec::new(), is_empty: false, has_begun: false }
    }

    /// The elements that have begun and not ended, without prefixes.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    /// What comes next; nothing at the end of a document that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Fault> {
        if std::mem::take(&mut self.is_empty) {
            return self.end().map(Some);
        }
        loop {
            match self.octet()? {
                Some(b'<') => {
                    if let Some(event) = self.markup()? {
                        return Ok(Some(event));
                    }
                }
                Some(b'&') => self.reference()?,
                Some(octet) => self.keep(octet),
                None if self.has_begun && self.path.is_empty() => return Ok(None),
                None => return Err(Fault::Markup),
            }
        }
    }

    fn octet(&mut self) -> Result<Option<u8>, Fault> {
        self.octets.next().transpose().map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Fault::TooLarge,
            _ => Fault::Damaged,
        })
    }

    /// The next octet, where a document that ends has broken off.
    fn needed(&mut self) -> Result<u8, Fault> {
        self.octet()?.ok_or(Fault::Markup)
    }

    fn keep(&mut self, octet: u8) {
        if self.text.len() < TEXT_OCTETS_MAX {
            self.text.push(octet);
        }
    }

    /// What stands behind `<`.
    fn markup(&mut self) -> Result<Option<Event>, Fault> {
        match self.needed()? {
            b'?' => self.pass(b"?>").map(|()| None),
            b'!' => match self.needed()? {
                b'-' if self.needed()? == b'-' => self.pass(b"-->").map(|()| None),
                b'[' => self.literal().map(|()| None),
                _ => Err(Fault::Markup),
            },
            b'/' => {
                let (name, last) = self.name(None)?;
                let is_last = self.path.last() == Some(&name);
                let blank = |octet: u8| octet.is_ascii_whitespace();
                let mut octet = last;
                while blank(octet) {
                    octet = self.needed()?;
                }
                if is_last && octet == b'>' { self.end().map(Some) } else { Err(Fault::Markup) }
            }
            first => {
                let (name, last) = self.name(Some(first))?;
                if self.path.len() >= DEPTH_MAX || (self.path.is_empty() && self.has_begun) {
                    return Err(Fault::Markup);
                }
                self.is_empty = self.attributes(last)?;
                self.has_begun = true;
                self.text.clear();
                self.path.push(name);
                Ok(Some(Event::Begin))
            }
        }
    }

    fn end(&mut self) -> Result<Event, Fault> {
        let name = self.path.pop().ok_or(Fault::Markup)?;
        let text = std::mem::take(&mut self.text);
        Ok(Event::End(name, String::from_utf8_lossy(&text).trim().to_owned()))
    }

    /// A name without its prefix, and what stands behind it.
    fn name(&mut self, first: Option<u8>) -> Result<(String, u8), Fault> {
        let mut name = Vec::new();
        let mut octet = first.map_or_else(|| self.needed(), Ok)?;
        while octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.' | b':') || !octet.is_ascii() {
            if name.len() >= NAME_OCTETS_MAX {
                return Err(Fault::Markup);
            }
            name.push(octet);
            octet = self.needed()?;
        }
        let name = String::from_utf8(name).map_err(|_| Fault::Markup)?;
        let local = name.rsplit(':').next().unwrap_or_default();
        if local.is_empty() { Err(Fault::Markup) } else { Ok((local.to_owned(), octet)) }
    }

    /// Passes over the attributes of a tag, of which this octet was read; whether it ends its element, too.
    fn attributes(&mut self, mut octet: u8) -> Result<bool, Fault> {
        let (mut before, mut quote) = (0, None);
        loop {
            match (octet, quote) {
                (b'>', None) => return Ok(before == b'/'),
                (b'<', _) => return Err(Fault::Markup),
                (b'"' | b'\'', None) => quote = Some(octet),
                (_, Some(end)) if end == octet => quote = None,
                _ => {}
            }
            before = octet;
            octet = self.needed()?;
        }
    }

    /// Passes over everything to the end of this, which has at most three octets.
    fn pass(&mut self, end: &[u8]) -> Result<(), Fault> {
        let mut last = [0; 3];
        while !last.ends_with(end) {
            last = [last[1], last[2], self.needed()?];
        }
        Ok(())
    }

    /// A section of text as it is (§2.7), whose `<![` was read.
    fn literal(&mut self) -> Result<(), Fault> {
        for expected in b"CDATA[" {
            if self.needed()? != *expected {
                return Err(Fault::Markup);
            }
        }
        let mut last = [self.needed()?, self.needed()?];
        loop {
            let octet = self.needed()?;
            if last == *b"]]" && octet == b'>' {
                return Ok(());
            }
            self.keep(last[0]);
            last = [last[1], octet];
        }
    }

    /// A character by its number, or one of the five that have a name (§4.6), whose `&` was read.
    fn reference(&mut self) -> Result<(), Fault> {
        let mut name = Vec::new();
        loop {
            match self.needed()? {
                b';' => break,
                octet if name.len() < REFERENCE_OCTETS_MAX => name.push(octet),
                _ => return Err(Fault::Markup),
            }
        }
        let name = String::from_utf8(name).map_err(|_| Fault::Markup)?;
        let letter = match (name.as_str(), name.strip_prefix("#x"), name.strip_prefix('#')) {
            ("amp", ..) => Some('&'),
            ("lt", ..) => Some('<'),
            ("gt", ..) => Some('>'),
            ("quot", ..) => Some('"'),
            ("apos", ..) => Some('\''),
            (_, Some(number), _) => u32::from_str_radix(number, 16).ok().and_then(char::from_u32),
            (_, None, Some(number)) => number.parse().ok().and_then(char::from_u32),
            _ => None,
        };
        let mut octets = [0; 4];
        letter.ok_or(Fault::Markup)?.encode_utf8(&mut octets).bytes().for_each(|octet| self.keep(octet));
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The ends in a document, as `a/b=text`.
    fn ends(document: &str) -> Result<Vec<String>, Fault> {
        let (mut elements, mut found) = (Elements::of(document.as_bytes()), Vec::new());
        while let Some(event) = elements.next()? {
            if let Event::End(name, text) = event {
                let above: String = elements.path().iter().map(|name| format!("{name}/")).collect();
                found.push(format!("{above}{name}={text}"));
            }
        }
        Ok(found)
    }

    #[test]
    fn elements_end_with_their_texts() {
        let document = "\u{feff}<?xml version=\"1.0\"?>\n<!-- a -> b --><f:a xmlns:f='u>v' x=\"/\"><b >1 &amp; &#50;&#x33;</b >\
                        <c/><d e='1'/><b><![CDATA[<x>]]]]></b></f:a>\n";
        assert_eq!(ends(document).unwrap(), ["a/b=1 & 23", "a/c=", "a/d=", "a/b=<x>]]", "a="]);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for document in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a></a><b></b>",
            "</a>",
            "<a><b></a></b>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
            "<a>&b;</a>",
            "<a>&#xD800;</a>",
            "<a>&amp</a>",
            "<a b='<'/>",
            "<a",
            "< a/>",
            "<a><![CDATA[x</a>",
            "<a><!-- x</a>",
            "<a><!ELEMENT x></a>",
        ] {
            assert_eq!(ends(document), Err(Fault::Markup), "{document}");
        }
        assert_eq!(ends(&"<a>".repeat(100)), Err(Fault::Markup));
        assert_eq!(ends(&format!("<{}/>", "a".repeat(65))), Err(Fault::Markup));
    }

    #[test]
    fn of_a_long_text_the_beginning_is_kept() {
        let found = ends(&format!("<a b='{}'>{}</a>", "y".repeat(100_000), "x".repeat(100_000))).unwrap();
        assert_eq!(found, [format!("a={}", "x".repeat(TEXT_OCTETS_MAX))]);
    }
}
