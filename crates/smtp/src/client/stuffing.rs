//! Dots at the head of a line, doubled on the way out; content is lent, never copied (RFC 5321 §4.5.2).

use memchr::memmem;

/// Doubles dots in content that comes in any pieces.
///
/// A dot is doubled by cutting before it and giving it twice: as the last octet of one slice and the
/// first of the next. So every slice is borrowed from the content itself.
#[derive(Clone, Debug)]
pub struct Stuffing {
    tail: Tail,
}

/// What the octets so far end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// CRLF, or nothing yet.
    LineStart,
    /// CR.
    Cr,
    /// Anything else.
    Inside,
}

impl Default for Stuffing {
    fn default() -> Self {
        Stuffing { tail: Tail::LineStart }
    }
}

impl Stuffing {
    /// Adds to `slices` what has to be written for `octets`, in order.
    pub fn split<'a>(&mut self, octets: &'a [u8], slices: &mut Vec<&'a [u8]>) {
        if octets.is_empty() {
            return;
        }
        let mut start = 0;
        let across = match (self.tail, octets) {
            (Tail::LineStart, [b'.', ..]) => Some(0),
            (Tail::Cr, [b'\n', b'.', ..]) => Some(1),
            _ => None,
        };
        let inside = memmem::find_iter(octets, b"\r\n.").map(|found| found + 2);
        for dot in across.into_iter().chain(inside) {
            slices.push(&octets[start..=dot]);
            start = dot;
        }
        slices.push(&octets[start..]);
        self.tail = match (self.tail, octets) {
            (_, [.., b'\r', b'\n']) | (Tail::Cr, [b'\n']) => Tail::LineStart,
            (_, [.., b'\r']) => Tail::Cr,
            _ => Tail::Inside,
        };
    }

    /// What ends the content: the lone dot, after a line end where the content lacks its last.
    pub fn end(&self) -> &'static [u8] {
        match self.tail {
            Tail::LineStart => b".\r\n",
            Tail::Cr | Tail::Inside => b"\r\n.\r\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuffed(pieces: &[&[u8]]) -> String {
        let (mut stuffing, mut slices) = (Stuffing::default(), Vec::new());
        pieces.iter().for_each(|piece| stuffing.split(piece, &mut slices));
        let end = stuffing.end();
        String::from_utf8([slices.concat().as_slice(), end].concat()).unwrap()
    }

    #[test]
    fn dots_at_line_heads_are_doubled_and_no_others() {
        assert_eq!(stuffed(&[b".a\r\n..b\r\nc.d\r\n.\r\n"]), "..a\r\n...b\r\nc.d\r\n..\r\n.\r\n");
        assert_eq!(stuffed(&[b"a\n.b\r.c\r\n"]), "a\n.b\r.c\r\n.\r\n");
    }

    #[test]
    fn the_end_is_a_line_of_its_own() {
        assert_eq!(stuffed(&[]), ".\r\n");
        assert_eq!(stuffed(&[b"a\r\n"]), "a\r\n.\r\n");
        assert_eq!(stuffed(&[b"a"]), "a\r\n.\r\n");
        assert_eq!(stuffed(&[b"a\r", b"\n"]), "a\r\n.\r\n");
        assert_eq!(stuffed(&[b"a\r"]), "a\r\r\n.\r\n");
    }

    #[test]
    fn content_without_dots_is_one_slice() {
        let (content, mut slices) = (b"a: b\r\n\r\nbody\r\n", Vec::new());
        Stuffing::default().split(content, &mut slices);
        assert_eq!(slices, [content]);
    }

    /// The plain way, octet by octet, to compare with.
    fn plainly(content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for (place, octet) in content.iter().enumerate() {
            if *octet == b'.' && (place == 0 || content[..place].ends_with(b"\r\n")) {
                out.push(b'.');
            }
            out.push(*octet);
        }
        out.extend_from_slice(if content.is_empty() || content.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" });
        out
    }

    proptest! {
        #[test]
        fn any_split_is_stuffed_alike(text in "[ab.\r\n]{0,60}", cuts in prop::collection::vec(1usize..6, 1..20)) {
            let (mut rest, mut pieces, mut cuts) = (text.as_bytes(), Vec::new(), cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            prop_assert_eq!(stuffed(&pieces).into_bytes(), plainly(text.as_bytes()));
        }
    }
}
