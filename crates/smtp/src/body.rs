//! The framing of content: DATA un-stuffed, BDAT chunks, bare CR and LF made CRLF (RFC 5321 §4.5.2, RFC 3030).
//!
//! Only CRLF.CRLF ends the data, and a dot is taken away only after CRLF: what other servers take for
//! a line end can neither end a message here nor begin another one (smuggling).

use bytes::{Buf, Bytes, BytesMut};

const CRLF: &[u8] = b"\r\n";

/// What came out of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Content.
    Content(Bytes),
    /// The end of the data; it was taken from the input.
    End,
    /// More octets are needed.
    Partial,
}

/// Reads the content that follows DATA. Lends the input's octets wherever they pass unchanged.
#[derive(Debug)]
pub struct DataReader {
    /// The next octet follows CRLF, or is the first.
    line_start: bool,
    octets: u64,
}

impl Default for DataReader {
    fn default() -> Self {
        DataReader { line_start: true, octets: 0 }
    }
}

impl DataReader {
    /// Octets of content taken so far, as sent, dots un-stuffed.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Takes what can be told from the head of `input`. At most three octets stay that could still
    /// become the end.
    pub fn next(&mut self, input: &mut BytesMut) -> Piece {
        if self.line_start && input.starts_with(b".\r\n") {
            input.advance(3);
            return Piece::End;
        }
        let (end, dots, copy) = self.scan(input);
        if end == 0 {
            return Piece::Partial;
        }
        self.octets += (end - dots) as u64;
        let lent = input.split_to(end);
        // a dot is taken away only together with an octet behind it, so this is never empty
        Piece::Content(copy.finish(&lent).unwrap_or_else(|| lent.freeze()))
    }

    /// How far content goes, how many dots were taken away, and what had to be changed.
    fn scan(&mut self, input: &[u8]) -> (usize, usize, Copy) {
        let (mut at, mut dots, mut copy) = (0, 0, Copy::default());
        loop {
            if self.line_start {
                match &input[at..] {
                    [] | [b'.'] | [b'.', b'\r'] | [b'.', b'\r', b'\n', ..] => break,
                    [b'.', ..] => {
                        copy.replace(input, at, b"");
                        at += 1;
                        dots += 1;
                    }
                    _ => {}
                }
                self.line_start = false;
            }
            let Some(found) = memchr::memchr2(b'\r', b'\n', &input[at..]) else {
                at = input.len();
                break;
            };
            at += found;
            match &input[at..] {
                [b'\r', b'\n', ..] => {
                    at += 2;
                    self.line_start = true;
                }
                [b'\r'] => break,
                _ => {
                    copy.replace(input, at, CRLF);
                    at += 1;
                }
            }
        }
        (at, dots, copy)
    }
}

/// Reads the content that BDAT carries, over all chunks of a message.
#[derive(Debug, Default)]
pub struct ChunkReader {
    /// A CR ended the last piece: a line end only if LF comes next.
    held_cr: bool,
    /// The content so far ends with CRLF, or is empty.
    ended_line: bool,
    octets: u64,
}

impl ChunkReader {
    /// Octets taken so far, as sent.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Makes content of the next octets of a chunk; empty where they say nothing yet.
    pub fn content(&mut self, piece: BytesMut) -> Bytes {
        if piece.is_empty() {
            return Bytes::new();
        }
        self.octets += piece.len() as u64;
        let mut copy = Copy::default();
        let mut at = 0;
        if std::mem::take(&mut self.held_cr) {
            copy.insert(CRLF);
            if piece[0] == b'\n' {
                copy.replace(&piece, 0, b"");
                at = 1;
            }
        }
        self.ended_line = at > 0;
        while let Some(found) = memchr::memchr2(b'\r', b'\n', &piece[at..]) {
            at += found;
            match &piece[at..] {
                [b'\r', b'\n', ..] => at += 2,
                [b'\r'] => {
                    copy.replace(&piece, at, b"");
                    self.held_cr = true;
                    at += 1;
                }
                _ => {
                    copy.replace(&piece, at, CRLF);
                    at += 1;
                }
            }
            self.ended_line = true;
        }
        self.ended_line &= at == piece.len();
        copy.finish(&piece).unwrap_or_else(|| piece.freeze())
    }

    /// The content ended: the CRLF that its last line lacked, so that it can be sent on by DATA.
    pub fn finish(&mut self) -> Option<Bytes> {
        let lacking = self.octets > 0 && (self.held_cr || !self.ended_line);
        lacking.then(|| Bytes::from_static(CRLF))
    }
}

/// Copies octets with changes, but only once there is one.
#[derive(Default)]
struct Copy {
    out: Option<BytesMut>,
    /// Octets of the source that are copied or passed over.
    done: usize,
}

impl Copy {
    /// Puts octets in front of all that follows.
    fn insert(&mut self, octets: &[u8]) {
        self.out.get_or_insert_default().extend_from_slice(octets);
    }

    /// Replaces the one octet at `at`.
    fn replace(&mut self, source: &[u8], at: usize, by: &[u8]) {
        let out = self.out.get_or_insert_with(|| BytesMut::with_capacity(source.len() + source.len() / 16 + 2));
        out.extend_from_slice(&source[self.done..at]);
        out.extend_from_slice(by);
        self.done = at + 1;
    }

    /// The changed copy of `source`; none where nothing changed.
    fn finish(self, source: &[u8]) -> Option<Bytes> {
        let mut out = self.out?;
        out.extend_from_slice(&source[self.done..]);
        Some(out.freeze())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Content and what stayed behind the end, or none where it did not end.
    fn data(wire: &[u8], steps: &[usize]) -> (Vec<u8>, Option<Vec<u8>>, u64) {
        let (mut reader, mut input, mut content) = (DataReader::default(), BytesMut::new(), Vec::new());
        let (mut rest, mut steps) = (wire, steps.iter().cycle());
        loop {
            match reader.next(&mut input) {
                Piece::Content(octets) => {
                    assert!(!octets.is_empty());
                    content.extend_from_slice(&octets);
                }
                Piece::End => {
                    let mut left = input.to_vec();
                    left.extend_from_slice(rest);
                    return (content, Some(left), reader.octets());
                }
                Piece::Partial if rest.is_empty() => return (content, None, reader.octets()),
                Piece::Partial => {
                    let (now, later) = rest.split_at((*steps.next().unwrap()).min(rest.len()));
                    input.extend_from_slice(now);
                    rest = later;
                }
            }
        }
    }

    fn chunks(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut reader, mut content) = (ChunkReader::default(), Vec::new());
        for piece in pieces {
            content.extend_from_slice(&reader.content(BytesMut::from(*piece)));
        }
        content.extend_from_slice(&reader.finish().unwrap_or_default());
        content
    }

    const STEPS: [&[usize]; 5] = [&[1], &[2], &[3], &[5, 1], &[100_000]];

    #[test]
    fn dots_are_unstuffed_only_after_crlf() {
        for steps in STEPS {
            let (content, rest, octets) = data(b"..a\r\n.b\r\nc.\r\n...\r\nd\n.e\r\n.\r\nQUIT\r\n", steps);
            assert_eq!(content, b".a\r\nb\r\nc.\r\n..\r\nd\r\n.e\r\n");
            assert_eq!(rest.unwrap(), b"QUIT\r\n");
            assert_eq!(octets, 21);
        }
    }

    #[test]
    fn an_empty_message_ends_at_once() {
        for steps in STEPS {
            assert_eq!(data(b".\r\nNOOP\r\n", steps), (Vec::new(), Some(b"NOOP\r\n".to_vec()), 0));
            assert_eq!(data(b"\r\n.\r\n", steps), (b"\r\n".to_vec(), Some(Vec::new()), 2));
        }
    }

    #[test]
    fn only_crlf_dot_crlf_ends_the_data() {
        let ends: [&[u8]; 16] = [
            b"\n.\n",
            b"\r.\r",
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r\n.\r",
            b"\r.\r\n",
            b"\r.\n",
            b"\n.\r",
            b"\r\r.\r\r",
            b"\n\n.\n\n",
            b"\r\n.\r\r\n",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
            b"\r\n .\r\n",
            b"\r\n. \r\n",
            b"\r\n..\r\n",
        ];
        for end in ends {
            let wire = [b"a", end, b"MAIL FROM:<x@example.com>\r\nRSET\r\n"].concat();
            for steps in STEPS {
                assert_eq!(data(&wire, steps).1, None, "{end:?}");
                let whole = [&wire[..], b".\r\n"].concat();
                let (content, rest, _) = data(&whole, steps);
                assert_eq!(rest, Some(Vec::new()), "{end:?}");
                assert!(content.ends_with(b"RSET\r\n"));
            }
        }
    }

    #[test]
    fn clean_content_is_lent_not_copied() {
        let mut input = BytesMut::from(&b"Subject: x\r\n\r\nbody\r\n.\r\n"[..]);
        let at = input.as_ptr();
        let Piece::Content(content) = DataReader::default().next(&mut input) else { panic!("no content") };
        assert_eq!(content.as_ptr(), at);
        let piece = BytesMut::from(&b"a\r\nb\r\n"[..]);
        let at = piece.as_ptr();
        assert_eq!(ChunkReader::default().content(piece).as_ptr(), at);
    }

    #[test]
    fn chunks_keep_dots_and_get_crlf() {
        assert_eq!(chunks(&[b".\r\n", b"..a\nb\rc\r", b"\nd\r", b"e\r"]), b".\r\n..a\r\nb\r\nc\r\nd\r\ne\r\n");
        assert_eq!(chunks(&[b"a"]), b"a\r\n");
        assert_eq!(chunks(&[b"a\r", b"", b"\n"]), b"a\r\n");
        assert_eq!(chunks(&[]), b"");
        assert_eq!(chunks(&[b"\r", b"\r", b"\n"]), b"\r\n\r\n");
    }

    /// Octets that matter to framing, mostly.
    fn wire() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), any::<u8>()], 0..80)
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_data(wire in wire(), steps in prop::collection::vec(1usize..7, 1..20)) {
            prop_assert_eq!(data(&wire, &[1000]), data(&wire, &steps));
        }

        #[test]
        fn data_ends_where_crlf_dot_crlf_stands(wire in wire()) {
            let framed = [b"\r\n", &wire[..]].concat();
            let end = memchr::memmem::find(&framed, b"\r\n.\r\n");
            let rest = data(&wire, &[1000]).1;
            prop_assert_eq!(end.map(|at| framed[at + 5..].to_vec()), rest);
        }

        #[test]
        fn content_has_no_bare_line_ends(wire in wire(), cut in 0usize..80) {
            let cut = cut.min(wire.len());
            for content in [data(&wire, &[1000]).0, chunks(&[&wire[..cut], &wire[cut..]])] {
                for (at, octet) in content.iter().enumerate() {
                    match octet {
                        b'\n' => prop_assert!(at > 0 && content[at - 1] == b'\r'),
                        b'\r' => prop_assert!(content.get(at + 1) == Some(&b'\n')),
                        _ => {}
                    }
                }
            }
        }

        #[test]
        fn any_split_gives_the_same_chunks(wire in wire(), cuts in prop::collection::vec(0usize..80, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(wire.len())).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &wire[pair[0]..pair[1]]).collect();
            prop_assert_eq!(chunks(&pieces), chunks(&[&wire]));
        }

        #[test]
        fn stuffed_data_comes_back(lines in prop::collection::vec("[.a-z]{0,6}", 0..10)) {
            let content: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
            let stuffed: String =
                lines.iter().flat_map(|line| [if line.starts_with('.') { "." } else { "" }, line, "\r\n"]).collect();
            let (found, rest, octets) = data(format!("{stuffed}.\r\n").as_bytes(), &[3]);
            prop_assert_eq!(found, content.as_bytes());
            prop_assert_eq!(rest, Some(Vec::new()));
            prop_assert_eq!(octets, content.len() as u64);
        }
    }
}
