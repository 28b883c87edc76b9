//! The messages that are sent, and how they are known again on arrival.

use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memmem;

/// Letters made so far: none has a Message-ID of another's, or a relay could take it for a repetition of work done before.
static LETTERS: AtomicU64 = AtomicU64::new(0);

/// What stands in front of a message's number.
const MARK: &[u8] = b"X-Load-Message: ";
/// Digits of the number.
const DIGITS: usize = 10;
/// What a header takes, about.
const HEADER_OCTETS: usize = 400;
/// How far into a message its number is looked for: relays put fields in front.
const HEADER_OCTETS_MAX: usize = 16 * 1024;
const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog, and nobody knows what became.\r\n";

/// A message that only changes its number: octets as they go over the wire, the end of data included.
#[derive(Clone)]
pub(crate) struct Letter {
    octets: Vec<u8>,
    numbers: [usize; 2],
}

impl Letter {
    /// A message of `octets` in all.
    pub(crate) fn new(sender: &str, octets: usize) -> Letter {
        let zero = "0".repeat(DIGITS);
        let mut header = format!(
            "From: Load <{sender}>\r\nTo: Somebody <r0@load.example>\r\nSubject: Your order has been shipped\r\n\
             Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\nMessage-ID: <"
        )
        .into_bytes();
        let first = header.len();
        header.extend_from_slice(zero.as_bytes());
        let letter = LETTERS.fetch_add(1, Ordering::Relaxed);
        header.extend_from_slice(format!(".{letter}.load@load.example>\r\n").as_bytes());
        header.extend_from_slice(MARK);
        let second = header.len();
        header.extend_from_slice(zero.as_bytes());
        header.extend_from_slice(b"\r\n\r\n");
        let mut whole = header;
        whole.extend_from_slice(&body(octets));
        whole.extend_from_slice(b".\r\n");
        Letter { octets: whole, numbers: [first, second] }
    }

    /// The octets of the message with this number.
    pub(crate) fn numbered(&mut self, number: usize) -> &[u8] {
        let digits = format!("{number:0DIGITS$}");
        for at in self.numbers {
            self.octets[at..at + DIGITS].copy_from_slice(digits.as_bytes());
        }
        &self.octets
    }

    /// As it was numbered last.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// The body of a message of `octets` in all: whole lines.
pub(crate) fn body(octets: usize) -> Vec<u8> {
    let lines = octets.saturating_sub(HEADER_OCTETS).div_ceil(LINE.len()).max(1);
    LINE.repeat(lines)
}

/// Finds the number in content that arrived.
pub(crate) struct Finder(memmem::Finder<'static>);

impl Finder {
    pub(crate) fn new() -> Finder {
        Finder(memmem::Finder::new(MARK))
    }

    /// The number of a message, if it has one.
    pub(crate) fn number(&self, content: &[u8]) -> Option<usize> {
        let header = &content[..content.len().min(HEADER_OCTETS_MAX)];
        let at = self.0.find(header)? + MARK.len();
        std::str::from_utf8(header.get(at..at + DIGITS)?).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Finder, Letter, body};

    #[test]
    fn a_letter_is_known_again_behind_what_a_relay_puts_in_front() {
        let mut letter = Letter::new("app@a.example", 10_000);
        let sent = letter.numbered(4711).to_vec();
        assert!((9_900..10_100).contains(&sent.len()), "{}", sent.len());
        assert!(sent.ends_with(b"\r\n.\r\n"));
        let arrived = [b"Received: from x\r\n".as_slice(), &sent].concat();
        assert_eq!(Finder::new().number(&arrived), Some(4711));
        assert_eq!(Finder::new().number(b"Subject: x\r\n\r\n"), None);
        assert_eq!(letter.numbered(1).len(), sent.len());
    }

    #[test]
    fn no_line_of_a_body_needs_dots_stuffed() {
        assert!(body(1000).windows(3).all(|three| three != b"\r\n."));
    }
}
