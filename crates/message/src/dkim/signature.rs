//! The DKIM-Signature field (RFC 6376 §3.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use super::canonical::{Form, signed_octets};
use super::{KeyError, SigningKey};
use crate::header::fields;

/// The fields that are signed where present, each as often as it is there (up to a bound); From once
/// more, so that none can be added.
pub const SIGNED: [&str; 12] = [
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// How often a field of one name is signed at most, from the bottom: letters have each once, and a
/// header of nothing but repetitions must not cost more than others.
const REPEATED_MAX: usize = 10;

/// Octets that a line of ours keeps to, line end not counted (RFC 5322 §2.1.1).
const LINE_OCTETS_MAX: usize = 76;

/// What one signature says besides the content.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// `d=`
    pub domain: &'a str,
    /// `s=`
    pub selector: &'a str,
    /// The key.
    pub key: &'a SigningKey,
}

/// DKIM-Signature fields for a message, one for each signer, CRLF after each: sent in front of the content.
///
/// `header` is the admitted header section with its empty line, `seconds` goes into `t=`.
///
/// # Errors
/// A key could not sign.
pub fn seal(signers: &[Signer<'_>], header: &[u8], body_hash: [u8; 32], seconds: u64) -> Result<Bytes, KeyError> {
    let names = names(header);
    let mut sealed = Vec::new();
    for signer in signers {
        let mut lines = unsigned(signer, &names, body_hash, seconds);
        let octets = signed_octets(Form::Relaxed, header, names.iter().copied(), lines.text.as_bytes());
        lines.put_cut(&BASE64.encode(signer.key.sign(&octets)?));
        sealed.extend_from_slice(lines.text.as_bytes());
        sealed.extend_from_slice(b"\r\n");
    }
    Ok(sealed.into())
}

/// What `h=` lists.
fn names(header: &[u8]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in SIGNED {
        let present = fields(header).filter(|field| field.is(name)).take(REPEATED_MAX).count();
        names.extend(std::iter::repeat_n(name, present + usize::from(name == "From")));
    }
    names
}

/// The field up to and with its empty `b=`.
fn unsigned(signer: &Signer<'_>, names: &[&str], body_hash: [u8; 32], seconds: u64) -> Lines {
    let Signer { domain, selector, key } = signer;
    let mut lines = Lines::new(&format!("DKIM-Signature: v=1; a={}; c=relaxed/relaxed;", key.algorithm()));
    lines.put(" ", &format!("d={domain};"));
    lines.put(" ", &format!("s={selector};"));
    lines.put(" ", &format!("t={seconds};"));
    for (position, name) in names.iter().enumerate() {
        let name = name.to_ascii_lowercase();
        let end = if position + 1 == names.len() { ";" } else { ":" };
        if position == 0 {
            lines.put(" ", &format!("h={name}{end}"));
        } else {
            lines.put("", &format!("{name}{end}"));
        }
    }
    lines.put(" ", &format!("bh={};", BASE64.encode(body_hash)));
    lines.put(" ", "b=");
    lines
}

/// A field under way, folded where a line would become too long.
struct Lines {
    text: String,
    line_octets: usize,
}

impl Lines {
    fn new(begin: &str) -> Self {
        Lines { text: begin.to_owned(), line_octets: begin.len() }
    }

    /// Appends `word` after `gap`, or on the next line.
    fn put(&mut self, gap: &str, word: &str) {
        if self.line_octets + gap.len() + word.len() > LINE_OCTETS_MAX {
            self.text.push_str("\r\n\t");
            self.line_octets = 1;
        } else {
            self.text.push_str(gap);
            self.line_octets += gap.len();
        }
        self.text.push_str(word);
        self.line_octets += word.len();
    }

    /// Appends ASCII that may be cut anywhere.
    fn put_cut(&mut self, mut word: &str) {
        while !word.is_empty() {
            let room = LINE_OCTETS_MAX.saturating_sub(self.line_octets);
            let (now, later) = word.split_at(room.min(word.len()));
            self.text.push_str(now);
            self.line_octets += now.len();
            if !later.is_empty() {
                self.text.push_str("\r\n\t");
                self.line_octets = 1;
            }
            word = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BodyHash, generate_ed25519, generate_rsa};
    use super::*;

    const HEADER: &[u8] =
        b"Received: from x\r\nto: a@x.example\r\nTO: b@x.example\r\nFrom: c@x.example\r\nSubject: s\r\n\r\n";

    #[test]
    fn lists_what_is_there_and_from_once_more() {
        assert_eq!(names(HEADER), ["From", "From", "To", "To", "Subject"]);
        assert_eq!(names(b""), ["From"]);
        assert_eq!(names("To: x\r\n".repeat(50).as_bytes()).len(), 1 + REPEATED_MAX);
    }

    #[test]
    fn lines_are_short_and_the_field_is_one() {
        let rsa = SigningKey::from_pkcs8(&generate_rsa().unwrap()).unwrap();
        let ed25519 = SigningKey::from_pkcs8(&generate_ed25519().unwrap()).unwrap();
        let full: String = SIGNED.iter().map(|name| format!("{name}: x\r\n")).collect();
        for domain in ["x.example", "a-rather-long-name.of-a-department.of-an-organisation.example"] {
            let signers = [("rsa", &rsa), ("ed", &ed25519)].map(|(selector, key)| Signer { domain, selector, key });
            let sealed = seal(&signers, full.as_bytes(), BodyHash::default().finish(), 1_795_469_441).unwrap();
            let sealed = std::str::from_utf8(&sealed).unwrap();
            assert!(sealed.ends_with("\r\n"));
            assert!(sealed.lines().all(|line| line.len() < 78 && !line.trim().is_empty()), "{sealed}");
            let found: Vec<_> = fields(sealed.as_bytes()).collect();
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|field| field.name == b"DKIM-Signature"));
            assert!(sealed.contains("bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;"), "{sealed}");
        }
    }
}
