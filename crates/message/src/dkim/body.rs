//! The body hash: in relaxed form (RFC 6376 §3.4.4) fed in pieces cut anywhere, in simple form (§3.4.3) of a whole body.

use aws_lc_rs::digest;
use memchr::{memchr2, memmem};

/// Canonical octets gathered before they are hashed.
const GATHERED_OCTETS: usize = 16 * 1024;

/// How far is looked ahead, so that a line of many words stays linear.
const SEARCHED_OCTETS_MAX: usize = 256;

/// The relaxed body hash, fed chunk by chunk.
///
/// Runs of white space become one space, white space before a line end goes, empty lines at the end
/// go, and a body that is not empty ends with CRLF. A line of white space alone is an empty line.
pub struct BodyHash {
    digest: digest::Context,
    gathered: Vec<u8>,
    /// White space was seen, and what follows is not known yet.
    space: bool,
    /// A CR was seen, and what follows is not known yet.
    carriage: bool,
    /// Line ends seen that count only if something follows them.
    line_ends: u64,
    /// The line has something else than white space.
    line_begun: bool,
}

impl Default for BodyHash {
    fn default() -> Self {
        BodyHash {
            digest: digest::Context::new(&digest::SHA256),
            gathered: Vec::with_capacity(GATHERED_OCTETS),
            space: false,
            carriage: false,
            line_ends: 0,
            line_begun: false,
        }
    }
}

impl std::fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyHash").finish_non_exhaustive()
    }
}

impl BodyHash {
    /// Takes the next octets of the body, cut anywhere.
    pub fn update(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some((first, after)) = rest.split_first() {
            match first {
                b'\n' if self.carriage => {
                    self.carriage = false;
                    self.end_line();
                    rest = after;
                }
                // the CR before this was no line end, but an octet like others
                _ if std::mem::take(&mut self.carriage) => self.put(b"\r"),
                b'\r' => {
                    self.carriage = true;
                    rest = after;
                }
                b' ' | b'\t' => {
                    self.space = true;
                    rest = after;
                }
                _ => {
                    let (run, after) = rest.split_at(regular_octets(rest));
                    self.put(run);
                    rest = after;
                }
            }
        }
    }

    /// SHA-256 of the body in relaxed form (RFC 6376 §3.4.4).
    pub fn finish(mut self) -> [u8; 32] {
        if std::mem::take(&mut self.carriage) {
            self.put(b"\r");
        }
        if self.line_begun {
            self.gathered.extend_from_slice(b"\r\n");
        }
        self.digest.update(&self.gathered);
        let mut hash = [0; 32];
        hash.copy_from_slice(self.digest.finish().as_ref());
        hash
    }

    /// White space before a line end is nothing; whether the line end counts shows later.
    fn end_line(&mut self) {
        self.space = false;
        if std::mem::take(&mut self.line_begun) {
            self.gather(b"\r\n");
        } else {
            self.line_ends += 1;
        }
    }

    /// Octets that are there for good, and so is what was held back before them.
    fn put(&mut self, octets: &[u8]) {
        while self.line_ends > 0 {
            self.gather(b"\r\n");
            self.line_ends -= 1;
        }
        if std::mem::take(&mut self.space) {
            self.gather(b" ");
        }
        self.line_begun = true;
        self.gather(octets);
    }

    fn gather(&mut self, octets: &[u8]) {
        if self.gathered.len() + octets.len() > GATHERED_OCTETS {
            self.digest.update(&self.gathered);
            self.gathered.clear();
        }
        if octets.len() > GATHERED_OCTETS {
            self.digest.update(octets);
        } else {
            self.gathered.extend_from_slice(octets);
        }
    }
}

/// SHA-256 of a whole body in simple form: as it stands, but for empty lines at its end (RFC 6376 §3.4.3).
pub(super) fn simple_hash(body: &[u8]) -> [u8; 32] {
    let mut rest = body;
    while let Some(before) = rest.strip_suffix(b"\r\n") {
        rest = before;
    }
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(rest);
    digest.update(b"\r\n");
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.finish().as_ref());
    hash
}

/// How many octets from a visible one on are in relaxed form already: words with one space between.
fn regular_octets(octets: &[u8]) -> usize {
    let octets = &octets[..octets.len().min(SEARCHED_OCTETS_MAX)];
    let end = memchr2(b'\t', b'\r', octets).unwrap_or(octets.len());
    let end = memmem::find(&octets[..end], b"  ").unwrap_or(end);
    // a space at the end may still be one before a line end
    if octets[..end].ends_with(b" ") { end - 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word for word, on a whole body.
    fn relaxed(body: &[u8]) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut rest = body;
        while !rest.is_empty() {
            let end = memchr::memmem::find(rest, b"\r\n");
            let line = &rest[..end.unwrap_or(rest.len())];
            let mut words = Vec::new();
            for octet in line {
                match octet {
                    b' ' | b'\t' if words.last() == Some(&b' ') => {}
                    b' ' | b'\t' => words.push(b' '),
                    other => words.push(*other),
                }
            }
            if words.last() == Some(&b' ') {
                words.pop();
            }
            lines.push(words);
            rest = &rest[end.map_or(rest.len(), |end| end + 2)..];
        }
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        lines.iter().flat_map(|line| [line.as_slice(), b"\r\n"].concat()).collect()
    }

    fn hash(octets: &[u8]) -> Vec<u8> {
        digest::digest(&digest::SHA256, octets).as_ref().to_vec()
    }

    fn body_hash(pieces: &[&[u8]]) -> Vec<u8> {
        let mut body = BodyHash::default();
        pieces.iter().for_each(|piece| body.update(piece));
        body.finish().to_vec()
    }

    #[test]
    fn follows_the_example_of_the_rfc() {
        assert_eq!(body_hash(&[b" C \r\nD \t E\r\n\r\n\r\n"]), hash(b" C\r\nD E\r\n"));
    }

    #[test]
    fn simple_leaves_all_but_empty_lines_at_the_end() {
        let same = [&b" C \r\nD \t E\r\n\r\n\r\n"[..], b" C \r\nD \t E\r\n", b" C \r\nD \t E"];
        for body in same {
            assert_eq!(simple_hash(body).to_vec(), hash(b" C \r\nD \t E\r\n"), "{body:?}");
        }
        assert_eq!(simple_hash(b"").to_vec(), hash(b"\r\n"), "an empty body is an empty line");
        assert_eq!(simple_hash(b"\n\r\n").to_vec(), hash(b"\n\r\n"));
    }

    #[test]
    fn bodies_of_nothing_but_blanks_are_empty() {
        for body in [&b""[..], b"\r\n", b"\r\n\r\n", b" ", b" \t\r\n", b"\t\r\n \r\n  "] {
            assert_eq!(body_hash(&[body]), hash(b""), "{body:?}");
        }
    }

    #[test]
    fn ends_with_one_line_end() {
        for body in [&b"a"[..], b"a ", b"a\r\n", b"a\r\n \t\r\n", b"a \r\n\r\n\t\r\n ", b"a\t\r\n\t"] {
            assert_eq!(body_hash(&[body]), hash(b"a\r\n"), "{body:?}");
        }
    }

    #[test]
    fn bare_cr_and_lf_are_octets_like_others() {
        assert_eq!(body_hash(&[b"a \rb \nc\r\r\n\r"]), hash(b"a \rb \nc\r\r\n\r\r\n"));
    }

    #[test]
    fn holds_blank_lines_inside() {
        assert_eq!(body_hash(&[b"a\r\n\r\n ", b"\r\nb"]), hash(b"a\r\n\r\n\r\nb\r\n"));
    }

    #[test]
    fn hashes_long_runs() {
        let long = vec![b'x'; 3 * GATHERED_OCTETS + 7];
        assert_eq!(body_hash(&[&long]), hash(&[&long[..], b"\r\n"].concat()));
        assert_eq!(body_hash(&[&long[..5], &long[5..], b"\r\n"]), hash(&[&long[..], b"\r\n"].concat()));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            body in proptest::collection::vec(prop_oneof![Just(b' '), Just(b'\t'), Just(b'\r'), Just(b'\n'), Just(b'a'), any::<u8>()], 0..80),
            cuts in proptest::collection::vec(0usize..80, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).chain([0, body.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]).collect();
            prop_assert_eq!(body_hash(&pieces), hash(&relaxed(&body)));
        }

        #[test]
        fn lines_of_text(
            body in proptest::collection::vec(prop_oneof![Just(&b"\r\n"[..]), Just(&b" "[..]), Just(&b"\t "[..]), Just(&b"word"[..])], 0..60),
        ) {
            prop_assert_eq!(body_hash(&body), hash(&relaxed(&body.concat())));
        }
    }
}
