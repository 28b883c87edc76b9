//! A reply: code, enhanced status, text; how ours are written and a remote's are read (RFC 5321 §4.2, RFC 2034, RFC 3463).

use bytes::{Buf, BytesMut};
use std::borrow::Cow;
use std::fmt;

/// The longest reply line we write, line end included (RFC 5321 §4.5.3.1.5).
pub const LINE_OCTETS_MAX: usize = 512;

/// The octets of one line of a remote's reply that are kept; what is longer is cut.
pub const REMOTE_LINE_OCTETS_MAX: usize = 1024;

/// The octets of a remote's reply, all lines together, that are read before we give up on it.
pub const REMOTE_OCTETS_MAX: usize = 64 * 1024;

/// An enhanced status code, `class.subject.detail` (RFC 3463 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl Enhanced {
    /// Reads `class.subject.detail`, classes 2, 4 and 5 alone.
    pub fn parse(text: &str) -> Option<Enhanced> {
        let mut parts = text.split('.');
        let class = match parts.next()? {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        let (subject, detail) = (number(parts.next()?)?, number(parts.next()?)?);
        parts.next().is_none().then_some(Enhanced(class, subject, detail))
    }
}

/// One to three digits (RFC 3463 §2).
fn number(text: &str) -> Option<u16> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// One reply, ours or a remote server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, 200 to 599.
    pub code: u16,
    /// The enhanced status, where there is one.
    pub enhanced: Option<Enhanced>,
    /// Text lines without code, status or line end; at least one.
    pub lines: Vec<Cow<'static, str>>,
    /// The catalogue's stable name of one of our replies (`replies.rs`); none on a remote's.
    pub reference: Option<&'static str>,
}

impl Reply {
    /// 2xx or 3xx.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// 4xx: may succeed later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// 5xx.
    pub fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// The text on one line, lines joined by a space.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Writes the reply as it goes over the wire, every line ended by CRLF.
    ///
    /// What a peer said may be quoted in the text: octets that are not printable ASCII become `?`, so
    /// that no text can forge a line, and a line over [`LINE_OCTETS_MAX`] is cut.
    pub fn render(&self, out: &mut BytesMut) {
        use fmt::Write;
        let last = self.lines.len().saturating_sub(1);
        for (place, line) in self.lines.iter().enumerate() {
            let start = out.len();
            let mark = if place == last { ' ' } else { '-' };
            // writing into BytesMut cannot fail: it grows
            let _ = write!(out, "{:03}{mark}", self.code);
            if let Some(enhanced) = self.enhanced {
                let _ = write!(out, "{enhanced} ");
            }
            let room = LINE_OCTETS_MAX - 2 - (out.len() - start);
            // as nearly every line is, and several of each message are
            if line.bytes().all(is_printable) {
                out.extend_from_slice(&line.as_bytes()[..line.len().min(room)]);
            } else {
                out.extend(line.chars().take(room).map(printable));
            }
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn printable(character: char) -> u8 {
    u8::try_from(character).ok().filter(|octet| is_printable(*octet)).unwrap_or(b'?')
}

fn is_printable(octet: u8) -> bool {
    octet == b' ' || octet.is_ascii_graphic()
}

/// Code, status and text on one line: `550 5.1.1 No such user`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        self.lines.iter().filter(|line| !line.is_empty()).try_for_each(|line| write!(f, " {line}"))
    }
}

/// Why what a remote server said is not a reply. The connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A line that does not begin with a code from 200 to 599; its beginning, made printable.
    #[error("not an SMTP reply: {0}")]
    Malformed(String),
    /// More than [`REMOTE_OCTETS_MAX`] without an end.
    #[error("a reply of more than {REMOTE_OCTETS_MAX} octets")]
    TooLong,
}

/// Reads a remote server's replies out of what has arrived, in any pieces.
///
/// Tolerant where servers in the wild differ (a bare LF, a code without text, another code on an
/// earlier line: the last one counts), bounded always.
#[derive(Debug, Default)]
pub struct ReplyReader {
    lines: Vec<Cow<'static, str>>,
    enhanced: Option<Enhanced>,
    /// Octets of this reply already taken.
    octets: usize,
    /// Octets at the head of the input already known to hold no LF.
    scanned: usize,
}

impl ReplyReader {
    /// The next whole reply, consuming it from `input`; none where more octets are needed.
    /// `input` must be the same buffer from call to call, only ever appended to in between.
    ///
    /// # Errors
    /// [`ReplyError`]: the remote does not speak SMTP, or never ends; close the connection.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, ReplyError> {
        loop {
            let unseen = self.scanned.min(input.len());
            let Some(found) = memchr::memchr(b'\n', &input[unseen..]) else {
                self.scanned = input.len();
                return if self.octets + input.len() > REMOTE_OCTETS_MAX { Err(ReplyError::TooLong) } else { Ok(None) };
            };
            let end = unseen + found;
            let read = self.line(&input[..end]);
            input.advance(end + 1);
            self.scanned = 0;
            self.octets += end + 1;
            if let Some(code) = read? {
                let done = std::mem::take(self);
                return Ok(Some(Reply { code, enhanced: done.enhanced, lines: done.lines, reference: None }));
            }
            if self.octets > REMOTE_OCTETS_MAX {
                return Err(ReplyError::TooLong);
            }
        }
    }

    /// Takes one line; the code, where it was the last of its reply.
    fn line(&mut self, line: &[u8]) -> Result<Option<u16>, ReplyError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let malformed = || ReplyError::Malformed(readable(&line[..line.len().min(80)]));
        let (code, rest) = line.split_first_chunk::<3>().ok_or_else(malformed)?;
        if !code.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&code[0]) {
            return Err(malformed());
        }
        let more = match rest.first() {
            None | Some(b' ' | b'\t') => false,
            Some(b'-') => true,
            Some(_) => return Err(malformed()),
        };
        let text = readable(&rest[rest.len().min(1)..rest.len().min(REMOTE_LINE_OCTETS_MAX)]);
        let (enhanced, text) = split_enhanced(code[0] - b'0', &text);
        self.enhanced = enhanced.or(self.enhanced);
        self.lines.push(Cow::Owned(text.to_owned()));
        let code = code.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0'));
        Ok((!more).then_some(code))
    }
}

/// The enhanced status at the head of a text, where its class is the code's, and the rest.
fn split_enhanced(class: u8, text: &str) -> (Option<Enhanced>, &str) {
    let (head, rest) = text.split_once(' ').unwrap_or((text, ""));
    match Enhanced::parse(head) {
        Some(enhanced) if enhanced.0 == class => (Some(enhanced), rest.trim_start_matches(' ')),
        _ => (None, text),
    }
}

/// A remote's octets as text that can be shown: no control characters, no broken UTF-8.
fn readable(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    if text.contains(char::is_control) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reply(code: u16, enhanced: Option<Enhanced>, lines: &[&'static str]) -> Reply {
        Reply { code, enhanced, lines: lines.iter().map(|line| Cow::Borrowed(*line)).collect(), reference: None }
    }

    fn rendered(reply: &Reply) -> String {
        let mut out = BytesMut::new();
        reply.render(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn read(text: &str) -> Result<Option<Reply>, ReplyError> {
        ReplyReader::default().next(&mut BytesMut::from(text))
    }

    #[test]
    fn status_stands_on_every_line() {
        let text = rendered(&reply(550, Some(Enhanced(5, 7, 1)), &["no", "not ever"]));
        assert_eq!(text, "550-5.7.1 no\r\n550 5.7.1 not ever\r\n");
    }

    #[test]
    fn an_empty_challenge_keeps_its_space() {
        assert_eq!(rendered(&reply(334, None, &[""])), "334 \r\n");
    }

    #[test]
    fn quoted_text_cannot_forge_a_line() {
        let text = rendered(&reply(500, None, &["x\r\n250 ok\u{e9}\0"]));
        assert_eq!(text, "500 x??250 ok??\r\n");
    }

    #[test]
    fn long_lines_are_cut_at_512() {
        let long = "x".repeat(600);
        let reply =
            Reply { code: 550, enhanced: Some(Enhanced(5, 0, 0)), lines: vec![Cow::Owned(long)], reference: None };
        assert_eq!(rendered(&reply).len(), LINE_OCTETS_MAX);
    }

    #[test]
    fn a_remote_reply_of_several_lines_is_read() {
        let found = read("250-2.1.0 first\r\n250-second\r\n250 2.1.5 third\r\nrest").unwrap().unwrap();
        assert_eq!(found, reply(250, Some(Enhanced(2, 1, 5)), &["first", "second", "third"]));
    }

    #[test]
    fn what_servers_in_the_wild_say_is_read() {
        assert_eq!(read("250\n").unwrap().unwrap(), reply(250, None, &[""]));
        assert_eq!(read("250 \r\n").unwrap().unwrap(), reply(250, None, &[""]));
        assert_eq!(read("550 5.1.1\r\n").unwrap().unwrap(), reply(550, Some(Enhanced(5, 1, 1)), &[""]));
        // a class that is not the code's is text
        assert_eq!(read("550 4.1.1 x\r\n").unwrap().unwrap(), reply(550, None, &["4.1.1 x"]));
        // the last line's code counts
        assert_eq!(read("250-a\r\n550 b\r\n").unwrap().unwrap(), reply(550, None, &["a", "b"]));
        assert_eq!(read("550 5.1.1234 x\r\n").unwrap().unwrap().enhanced, None);
    }

    #[test]
    fn what_is_not_smtp_is_refused() {
        for text in
            ["HTTP/1.1 400 Bad Request\r\n", "\r\n", "25\r\n", "650 x\r\n", "199 x\r\n", "250x\r\n", "\u{ff}\r\n"]
        {
            assert!(matches!(read(text), Err(ReplyError::Malformed(_))), "{text:?}");
        }
    }

    #[test]
    fn endless_replies_end() {
        assert_eq!(read(&"2".repeat(REMOTE_OCTETS_MAX + 1)), Err(ReplyError::TooLong));
        assert_eq!(read(&"250-x\r\n".repeat(REMOTE_OCTETS_MAX / 7 + 1)), Err(ReplyError::TooLong));
    }

    proptest! {
        #[test]
        fn any_split_reads_the_same(
            lines in prop::collection::vec("[ -~]{0,40}", 1..5),
            code in 200u16..600,
            cuts in prop::collection::vec(1usize..9, 1..60),
        ) {
            let whole = Reply {
                code,
                enhanced: None,
                lines: lines.into_iter().map(Cow::Owned).collect(),
                reference: None,
            };
            let mut wire = BytesMut::new();
            whole.render(&mut wire);
            wire.extend_from_slice(b"220 next\r\n");
            let at_once = ReplyReader::default().next(&mut wire.clone()).unwrap().unwrap();
            let (mut reader, mut input, mut found, mut cuts) =
                (ReplyReader::default(), BytesMut::new(), Vec::new(), cuts.into_iter().cycle());
            while !wire.is_empty() {
                let piece = wire.split_to(cuts.next().unwrap().min(wire.len()));
                input.extend_from_slice(&piece);
                while let Some(reply) = reader.next(&mut input).unwrap() {
                    found.push(reply);
                }
            }
            prop_assert_eq!(found, vec![at_once, reply(220, None, &["next"])]);
        }
    }
}
