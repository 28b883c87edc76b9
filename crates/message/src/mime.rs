//! The parts of a message (RFC 2045, RFC 2046, RFC 2183, RFC 2231), read in bounded room, however they are nested.

mod decode;
mod parameters;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

use crate::header::{Field, fields, section_octets};
use crate::words;

/// Parts that are looked at; what follows them is left out.
pub const PARTS_MAX: usize = 100;
/// Header sections that are read on the way to them.
const SECTIONS_MAX: usize = 4 * PARTS_MAX;
/// How deep parts are looked for within parts.
const DEPTH_MAX: usize = 20;
/// Characters of a name, an id or a type.
const NAME_CHARACTERS_MAX: usize = 200;
/// Octets of a boundary (RFC 2046 §5.1.1: at most 70).
const BOUNDARY_OCTETS_MAX: usize = 200;

/// Pictures that HTML may show: none of them is a program.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// How the octets of a part are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Base64,
    QuotedPrintable,
    /// 7bit, 8bit, binary, or none that is known.
    Plain,
}

/// One part that has no further parts: a text, a picture, a file.
#[derive(Clone)]
pub struct Part<'a> {
    /// Its type, in lower case: `text/plain` where none is said.
    pub media_type: String,
    /// Its file name; empty where it has none.
    pub name: String,
    /// `attachment`, `inline`, …, in lower case; empty where nothing is said.
    pub disposition: String,
    /// Its Content-ID without angle brackets; empty where it has none.
    pub content_id: String,
    charset: String,
    encoding: Encoding,
    octets: &'a [u8],
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("media_type", &self.media_type)
            .field("name", &self.name)
            .field("octets", &self.octets.len())
            .finish_non_exhaustive()
    }
}

impl Part<'_> {
    /// What it holds, decoded.
    pub fn decoded(&self) -> Vec<u8> {
        match self.encoding {
            Encoding::Base64 => decode::base64(self.octets),
            Encoding::QuotedPrintable => decode::quoted_printable(self.octets),
            Encoding::Plain => self.octets.to_vec(),
        }
    }

    /// The same as text, at most so many octets of it; whether that is all.
    pub fn text(&self, octets_max: usize) -> (String, bool) {
        let (mut text, mut is_whole) = (decode::text(&self.decoded(), &self.charset), true);
        if text.len() > octets_max {
            text.truncate(text.floor_char_boundary(octets_max));
            text.shrink_to_fit();
            is_whole = false;
        }
        (text, is_whole)
    }

    /// Whether it is a text of this type to be read, and not a file.
    fn is_body(&self, media_type: &str) -> bool {
        self.media_type == media_type && self.disposition != "attachment"
    }
}

/// What a message is made of.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// Its parts, in their order.
    pub parts: Vec<Part<'a>>,
    /// Whether there are more than were looked at.
    pub is_cut: bool,
    /// How many header sections were read: those that lead to no part as well.
    read: usize,
}

impl<'a> Parts<'a> {
    /// The parts of a whole message.
    pub fn of(content: &'a [u8]) -> Parts<'a> {
        let mut parts = Parts::default();
        parts.walk(content, "text/plain", 0);
        parts
    }

    /// The text that is to be read, where there is one.
    pub fn text(&self) -> Option<&Part<'a>> {
        self.parts.iter().find(|part| part.is_body("text/plain"))
    }

    /// The HTML that is to be read, where there is some.
    pub fn html(&self) -> Option<&Part<'a>> {
        self.parts.iter().find(|part| part.is_body("text/html"))
    }

    /// The HTML that is to be read, with the pictures of the message that it shows by `cid:` in it, as far as it stays within
    /// so many octets.
    pub fn html_with_pictures(&self, octets_max: usize) -> Option<String> {
        let (html, _) = self.html()?.text(octets_max);
        let mut html = without_links(html);
        let shown = |part: &&Part<'_>| PICTURES.contains(&part.media_type.as_str()) && !part.content_id.is_empty();
        for part in self.parts.iter().filter(shown) {
            // an address may spell the id as an address has to
            for id in [part.content_id.clone(), part.content_id.replace('@', "%40")] {
                let name = format!("cid:{id}");
                let times = html.matches(&name).count();
                // base64, and what stands before it
                let octets = part.octets.len().saturating_mul(2).saturating_add(64);
                if times == 0 || html.len().saturating_add(times.saturating_mul(octets)) > octets_max {
                    continue;
                }
                let data = format!("data:{};base64,{}", part.media_type, STANDARD.encode(part.decoded()));
                html = html.replace(&name, &data);
            }
        }
        Some(html)
    }

    /// Looks at a header section with what follows it.
    fn walk(&mut self, entity: &'a [u8], default: &str, depth: usize) {
        if self.parts.len() >= PARTS_MAX || self.read >= SECTIONS_MAX {
            self.is_cut = true;
            return;
        }
        self.read += 1;
        let (header, body) = entity.split_at(section_octets(entity));
        let found = Described::read(header, default);
        let is_composite = found.media_type.starts_with("multipart/");
        match found.boundary.as_deref().filter(|_| is_composite) {
            Some(boundary) if depth < DEPTH_MAX => {
                // RFC 2046 §5.1.5
                let default = if found.media_type == "multipart/digest" { "message/rfc822" } else { "text/plain" };
                for piece in pieces(body, boundary) {
                    self.walk(piece, default, depth + 1);
                    if self.is_cut {
                        return;
                    }
                }
            }
            _ => self.parts.push(found.part(body)),
        }
    }
}

/// HTML whose `<link>` is none any more: a browser may dial a host that one names before any policy is asked.
fn without_links(mut html: String) -> String {
    let small = html.to_ascii_lowercase();
    for (at, found) in small.match_indices("<link") {
        // an element that no browser knows, as long as the other
        html.replace_range(at..at + found.len(), "<lin-");
    }
    html
}

/// What the header of a part says of it.
struct Described {
    media_type: String,
    name: String,
    disposition: String,
    content_id: String,
    charset: String,
    boundary: Option<String>,
    encoding: Encoding,
}

impl Described {
    fn read(header: &[u8], default: &str) -> Described {
        let value = |name: &str| fields(header).find(|field| field.is(name)).map(|field| unfolded(&field));
        let (media_type, of_type) = parameters::read(&value("Content-Type").unwrap_or_default());
        let (disposition, of_disposition) = parameters::read(&value("Content-Disposition").unwrap_or_default());
        let name = of_disposition.text("filename").or_else(|| of_type.text("name")).unwrap_or_default();
        let encoding = match value("Content-Transfer-Encoding").unwrap_or_default().trim().to_ascii_lowercase().as_str()
        {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Plain,
        };
        let content_id = value("Content-ID").unwrap_or_default();
        let boundary = of_type.plain("boundary").filter(|text| (1..=BOUNDARY_OCTETS_MAX).contains(&text.len()));
        Described {
            media_type: if media_type.contains('/') { short(&media_type) } else { default.to_owned() },
            name: short(&name),
            disposition: short(&disposition),
            content_id: short(content_id.trim().trim_matches(['<', '>'])),
            charset: short(&of_type.plain("charset").unwrap_or_default()),
            boundary,
            encoding,
        }
    }

    fn part(self, octets: &[u8]) -> Part<'_> {
        let Described { media_type, name, disposition, content_id, charset, boundary: _, encoding } = self;
        Part { media_type, name, disposition, content_id, charset, encoding, octets }
    }
}

fn unfolded(field: &Field<'_>) -> String {
    String::from_utf8_lossy(&field.unfolded()).into_owned()
}

fn short(text: &str) -> String {
    words::decode(text.as_bytes(), NAME_CHARACTERS_MAX)
}

/// What lies between the boundary's lines, without the line end before each (RFC 2046 §5.1.1). Where the last is missing,
/// the end of the body ends it.
fn pieces<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = &'a [u8]> {
    let delimiter = format!("--{boundary}").into_bytes();
    // what stands before the first one is for nobody
    let first = delimiter_line(body, &delimiter).filter(|line| !line.is_last);
    let (mut rest, mut is_over) = (first.map(|line| &body[line.end..]), false);
    std::iter::from_fn(move || {
        let octets = rest.take().filter(|_| !is_over)?;
        let Some(line) = delimiter_line(octets, &delimiter) else { return Some(octets) };
        (rest, is_over) = (Some(&octets[line.end..]), line.is_last);
        let piece = &octets[..line.begin];
        let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
        Some(piece.strip_suffix(b"\r").unwrap_or(piece))
    })
}

/// A line that is a boundary's.
struct DelimiterLine {
    begin: usize,
    /// Behind its line end.
    end: usize,
    is_last: bool,
}

fn delimiter_line(octets: &[u8], delimiter: &[u8]) -> Option<DelimiterLine> {
    memchr::memmem::find_iter(octets, delimiter).find_map(|begin| {
        if begin > 0 && octets[begin - 1] != b'\n' {
            return None;
        }
        let after = &octets[begin + delimiter.len()..];
        let (is_last, after) = match after.strip_prefix(b"--") {
            Some(after) => (true, after),
            None => (false, after),
        };
        let blank = after.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | b'\r')).count();
        let line_end = match after.get(blank) {
            None => blank,
            Some(b'\n') => blank + 1,
            Some(_) => return None,
        };
        Some(DelimiterLine { begin, end: octets.len() - after.len() + line_end, is_last })
    })
}

#[cfg(test)]
mod tests;
