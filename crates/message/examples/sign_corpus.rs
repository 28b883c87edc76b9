//! Signs a corpus of awkward messages with both algorithms, for a verifier that is not ours to judge.
//!
//! `sign_corpus FOLDER` writes `NNN-name.eml` files and `keys.txt`, a line `selector record` for each key.

use bytes::Bytes;
use message::admission::{Admission, Inspection, Stamp};
use message::dkim::{BodyHash, Signer, SigningKey, generate_ed25519, generate_rsa, record, seal};
use std::error::Error;
use std::fs;
use std::path::Path;

const DOMAIN: &str = "example.com";
const SECONDS: u64 = 1_795_469_441;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("a folder to write to is expected")?;
    let folder = Path::new(&folder);
    let (rsa, ed25519) = (generate_rsa()?, generate_ed25519()?);
    fs::write(folder.join("keys.txt"), format!("rsa {}\ned25519 {}\n", record(&rsa)?, record(&ed25519)?))?;
    let (rsa, ed25519) = (SigningKey::from_pkcs8(&rsa)?, SigningKey::from_pkcs8(&ed25519)?);
    let signers = [("rsa", &rsa), ("ed25519", &ed25519)];
    let signers = signers.map(|(selector, key)| Signer { domain: DOMAIN, selector, key });
    for (number, (name, content)) in corpus().into_iter().enumerate() {
        let signed = sign(&signers, &content)?;
        fs::write(folder.join(format!("{number:03}-{name}.eml")), signed)?;
    }
    Ok(())
}

/// Admitted and sealed as the relay does it, the body hashed in pieces.
fn sign(signers: &[Signer<'_>], content: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let (admitted, inspection) = admit(content)?;
    let (header, body) = admitted.split_at(usize::try_from(inspection.header_octets)?);
    let mut hash = BodyHash::default();
    body.chunks(7).for_each(|piece| hash.update(piece));
    let seal = seal(signers, header, hash.finish(), SECONDS)?;
    // as the next hop gets it: SMTP content always ends with a line end
    let end: &[u8] = if admitted.ends_with(b"\r\n") { b"" } else { b"\r\n" };
    Ok([&seal[..], &admitted, end].concat())
}

fn admit(content: &[u8]) -> Result<(Vec<u8>, Inspection), Box<dyn Error>> {
    let mut admission = Admission::new(Stamp {
        hostname: "relay.example.com".into(),
        session: "01SESSION".into(),
        protocol: "ESMTPSA",
        message: "01MESSAGE".into(),
        recipient: None,
        priority: None,
        seconds: SECONDS,
        domain: DOMAIN.into(),
        unsubscribe: None,
    });
    let mut admitted = admission.on_content(Bytes::copy_from_slice(content))?;
    let (last, inspection) = admission.finish()?;
    admitted.extend(last);
    Ok((admitted.concat(), inspection))
}

const FROM: &str = "From: Ann <ann@example.com>\r\n";

/// Names and contents: bodies under one header, then headers over one body, then whole messages.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut corpus = Vec::new();
    for (name, body) in bodies() {
        let header = format!("{FROM}To: bob@example.net\r\nSubject: {name}\r\n\r\n");
        corpus.push((format!("body-{name}"), [header.as_bytes(), &body].concat()));
    }
    for (name, header) in headers() {
        corpus.push((format!("header-{name}"), [&header[..], b"\r\nThe body.\r\n"].concat()));
    }
    for (name, content) in wholes() {
        corpus.push((format!("whole-{name}"), content.as_bytes().to_vec()));
    }
    corpus
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("empty", Vec::new()),
        ("line-end", text("\r\n")),
        ("line-ends", text("\r\n\r\n\r\n")),
        ("space", text(" ")),
        ("blank-lines", text(" \r\n\t\r\n  \t \r\n")),
        ("one-letter", text("a")),
        ("no-line-end", text("Hello\r\nworld")),
        ("space-at-end", text("Hello \t\r\nworld  ")),
        ("blank-lines-at-end", text("Hello\r\n \r\n\t\r\n\r\n")),
        ("blank-lines-inside", text("Hello\r\n \r\n\r\n\t \r\nworld\r\n")),
        ("blank-lines-in-front", text("\r\n \r\nHello\r\n")),
        ("runs-of-space", text(" a  b\t\tc \t d \r\n\t e\r\n")),
        ("dots", text(".\r\n..\r\n. \r\n.a\r\n")),
        ("long-line", [vec![b'x'; 70_000], text(" y\r\n")].concat()),
        ("long-words", text(&"word  ".repeat(20_000))),
        ("many-line-ends", text(&format!("a{}b{}", "\r\n".repeat(9000), "\r\n".repeat(9000)))),
        ("utf-8", text("Café ☕\r\nça  va\u{a0}\r\n")),
        ("latin-1", b"caf\xe9 \xa0\r\n\xff\xfe\r\n".to_vec()),
        ("controls", b"\x01\x07\x0b \x0c\x1b\x7f\r\n".to_vec()),
        ("header-like", text("DKIM-Signature: b=\r\n\r\nFrom: x@y.example\r\n")),
        ("mbox-from", text("From here on\r\n>From there\r\n")),
        (
            "base64",
            text(&"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n".repeat(4000)),
        ),
    ]
}

/// White space before a colon is left to the unit tests: dkimpy reads no message that has it.
fn headers() -> Vec<(&'static str, Vec<u8>)> {
    let with = |more: &str| format!("{FROM}{more}").into_bytes();
    vec![
        ("from-alone", with("")),
        (
            "all-signed",
            with(
                "Reply-To: r@example.com\r\nTo: b@example.net\r\nCc: c@example.net\r\nSubject: s\r\nDate: Mon, 23 Nov \
                 2026 21:30:41 +0000\r\nMessage-ID: <i@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: \
                 text/plain;\r\n\tcharset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nList-Unsubscribe: \
                 <https://example.com/u>,\r\n <mailto:u@example.com>\r\nList-Unsubscribe-Post: \
                 List-Unsubscribe=One-Click\r\n",
            ),
        ),
        ("folds", with("Subject: one\r\n  two\r\n\tthree \t \r\n \tfour\r\nTo:\r\n b@example.net\r\n")),
        ("blank-fold", with("Subject: one\r\n \r\n two\r\nTo: b@example.net\r\n")),
        ("ends-blank", with("Subject: one  \t \r\nTo: \t b@example.net\t\r\n")),
        ("empty-values", with("Subject:\r\nTo: \r\nCc:\t\r\n")),
        ("letter-case", with("SUBJECT: one\r\ntO: b@example.net\r\nmime-version: 1.0\r\n")),
        (
            "repeated",
            with("To: 1@x.example\r\nSubject: first\r\nTo: 2@x.example\r\nSubject: last\r\nTo: 3@x.example\r\n"),
        ),
        ("utf-8", with("Subject: Café ☕\r\nTo: Zoë <zoe@example.net>\r\n")),
        ("latin-1", [&with("")[..], b"Subject: caf\xe9\r\n"].concat()),
        ("encoded-words", with("Subject: =?utf-8?Q?Caf=C3=A9?=\r\n =?utf-8?B?4piV?=\r\n")),
        ("long-field", with(&format!("To: {}\r\n", "somebody@example.net,\r\n ".repeat(500) + "b@example.net"))),
        ("long-line", with(&format!("Subject: {}\r\n", "x".repeat(5000)))),
        ("colons", with("Subject: a:b; c=d: e\r\nTo: \"b: c;\" <b@example.net>\r\n")),
        ("bcc", with("Bcc: hidden@example.net,\r\n other@example.net\r\nTo: b@example.net\r\n")),
        (
            "signed-before",
            with("DKIM-Signature: v=1; a=rsa-sha256; d=other.example; s=x; h=from; bh=; b=\r\nTo: b@x.example\r\n"),
        ),
    ]
}

fn wholes() -> Vec<(&'static str, String)> {
    vec![
        ("no-empty-line", format!("{FROM}Subject: x\r\n")),
        ("no-line-end", format!("{FROM}Subject: x")),
        ("body-after-no-field", format!("{FROM}no field\r\nSubject: in the body\r\n")),
        ("mbox", format!("From ann@example.com Mon Nov 23 21:30:41 2026\r\n{FROM}\r\nBody\r\n")),
        ("bare-body", "Hello\r\nworld\r\n".to_owned()),
        ("nothing", String::new()),
    ]
}
