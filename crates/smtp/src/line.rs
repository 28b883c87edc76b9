//! Takes command lines out of what has arrived, in any pieces and never without bound (RFC 5321 §2.3.8, §4.5.3.1.4).

use bytes::{Buf, BytesMut};

/// Octets of a command line, line end included: the 512 of RFC 5321 §4.5.3.1.4 and what the
/// parameters of MAIL add (RFC 1870, RFC 4954, RFC 6152, RFC 6531), rounded up for generosity.
pub const COMMAND_OCTETS_MAX: usize = 2048;

/// Octets of a line that carries credentials, line end included (RFC 4954 §4).
pub const AUTH_OCTETS_MAX: usize = 12_288;

/// Octets of an overlong line that are thrown away in hope of its end.
pub const DISCARD_OCTETS_MAX: usize = 1024 * 1024;

/// What was found at the head of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line of so many octets without its CRLF; take it with [`LineReader::consume`].
    Whole(usize),
    /// A line over its limit ended and was thrown away; it began with AUTH, or was part of its exchange.
    TooLong {
        /// Whether it carried credentials.
        auth: bool,
    },
    /// A line over [`DISCARD_OCTETS_MAX`], not yet ended.
    Endless,
    /// An LF without CR before it: not a line end, and no way to go on.
    BareLineFeed,
    /// More octets are needed.
    Partial,
}

/// Finds line ends; looks at each octet once.
#[derive(Debug, Default)]
pub struct LineReader {
    /// Octets at the head of the input that hold no LF.
    scanned: usize,
    /// What an overlong line was, and how much of it is gone.
    discarding: Option<(bool, usize)>,
    /// The last octet thrown away was CR.
    discarded_cr: bool,
}

impl LineReader {
    /// Looks at the head of `input`; `exchange` says that an AUTH exchange awaits the line.
    pub fn peek(&mut self, input: &mut BytesMut, exchange: bool) -> Line {
        let start = self.scanned.min(input.len());
        let Some(found) = memchr::memchr(b'\n', &input[start..]) else {
            return self.partial(input, exchange);
        };
        let end = start + found;
        self.scanned = 0;
        if self.discarding.map_or(0, |(_, gone)| gone) + end > DISCARD_OCTETS_MAX {
            // so it would have been told, had its end come later
            return Line::Endless;
        }
        let has_cr = if end == 0 { self.discarded_cr } else { input[end - 1] == b'\r' };
        if let Some((auth, _)) = self.discarding {
            input.advance(end + 1);
            *self = LineReader::default();
            return if has_cr { Line::TooLong { auth } } else { Line::BareLineFeed };
        }
        if !has_cr {
            return Line::BareLineFeed;
        }
        let (limit, auth) = limit(input, exchange);
        if end + 1 > limit {
            input.advance(end + 1);
            return Line::TooLong { auth };
        }
        Line::Whole(end - 1)
    }

    /// Takes a line that [`LineReader::peek`] found whole, and its CRLF.
    pub fn consume(&mut self, input: &mut BytesMut, octets: usize) -> BytesMut {
        let line = input.split_to(octets);
        input.advance(2);
        line
    }

    fn partial(&mut self, input: &mut BytesMut, exchange: bool) -> Line {
        self.scanned = input.len();
        let gone = match self.discarding {
            Some((_, gone)) => gone,
            None => {
                let (limit, auth) = limit(input, exchange);
                if input.len() < limit {
                    return Line::Partial;
                }
                self.discarding = Some((auth, 0));
                0
            }
        };
        if let Some(last) = input.last() {
            self.discarded_cr = *last == b'\r';
        }
        let gone = gone + input.len();
        self.discarding = self.discarding.map(|(auth, _)| (auth, gone));
        input.clear();
        self.scanned = 0;
        if gone > DISCARD_OCTETS_MAX { Line::Endless } else { Line::Partial }
    }
}

/// The limit of the line that `input` begins with, and whether it carries credentials.
fn limit(input: &[u8], exchange: bool) -> (usize, bool) {
    let auth = exchange || input.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
    (if auth { AUTH_OCTETS_MAX } else { COMMAND_OCTETS_MAX }, auth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], step: usize) -> Vec<String> {
        let (mut reader, mut input, mut found) = (LineReader::default(), BytesMut::new(), Vec::new());
        for piece in text.chunks(step) {
            input.extend_from_slice(piece);
            loop {
                match reader.peek(&mut input, false) {
                    Line::Whole(octets) => {
                        let line = reader.consume(&mut input, octets);
                        found.push(String::from_utf8_lossy(&line).into_owned());
                    }
                    Line::Partial => break,
                    Line::BareLineFeed | Line::Endless => {
                        found.push("end".to_owned());
                        return found;
                    }
                    other => found.push(format!("{other:?}")),
                }
            }
        }
        found
    }

    #[test]
    fn lines_come_whole_however_they_arrive() {
        for step in [1, 2, 3, 100] {
            assert_eq!(lines(b"NOOP\r\n\r\nQUIT\r\nRS", step), ["NOOP", "", "QUIT"]);
            assert_eq!(lines(b"a\rb\r\r\nc\r\n", step), ["a\rb\r", "c"]);
        }
    }

    #[test]
    fn a_bare_line_feed_ends_no_line() {
        for step in [1, 2, 3, 100] {
            assert_eq!(lines(b"NOOP\r\nNOOP\nQUIT\r\n", step), ["NOOP", "end"]);
        }
    }

    #[test]
    fn overlong_lines_are_thrown_away_and_the_next_is_read() {
        let mut text = vec![b'x'; COMMAND_OCTETS_MAX - 2];
        text.extend_from_slice(b"\r\nAUTH ");
        text.extend_from_slice(&vec![b'A'; AUTH_OCTETS_MAX]);
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&vec![b'y'; COMMAND_OCTETS_MAX - 1]);
        text.extend_from_slice(b"\r\nNOOP\r\n");
        for step in [1, 7, 4096, 1 << 20] {
            let found = lines(&text, step);
            assert_eq!(found.len(), 4, "{step}");
            assert_eq!(found[0].len(), COMMAND_OCTETS_MAX - 2);
            assert_eq!(found[1..], ["TooLong { auth: true }", "TooLong { auth: false }", "NOOP"]);
        }
    }

    #[test]
    fn endless_lines_end_however_they_arrive() {
        let line = [&vec![b'x'; DISCARD_OCTETS_MAX + 1][..], b"\r\nNOOP\r\n"].concat();
        for step in [1_000, 65_536, line.len()] {
            assert_eq!(lines(&line, step), ["end"], "{step}");
        }
        assert_eq!(lines(&vec![b'x'; DISCARD_OCTETS_MAX + COMMAND_OCTETS_MAX + 1], 1000), ["end"]);
    }
}
