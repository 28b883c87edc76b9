//! The letter: admission of 10 KB, and its seal.

use bytes::Bytes;
use message::admission::{Admission, Stamp};
use message::dkim::{self, BodyHash, Signer, SigningKey};
use std::hint::black_box;
use std::path::Path;

const OCTETS: usize = 10_000;
const HEADER: &str = "From: Shop <shop@example.com>\r\nTo: Customer <customer@example.net>\r\n\
                      Subject: Your order has been shipped\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n\
                      Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                      Content-Transfer-Encoding: 7bit\r\n\r\n";
const LINE: &str = "The quick brown fox jumps over the lazy dog, and nobody knows what became.\r\n";

/// A message of 10 KB.
pub(crate) fn content() -> Vec<u8> {
    [HEADER, &LINE.repeat((OCTETS - HEADER.len()) / LINE.len())].concat().into_bytes()
}

/// Content in two pieces, as it comes from a socket, to admitted octets.
pub(crate) fn admission(count: usize, _: &Path) -> anyhow::Result<()> {
    let content = Bytes::from(content());
    for _ in 0..count {
        let mut admission = Admission::new(Stamp {
            hostname: "relay.example".into(),
            session: "01M858A5CV7R6CKZGTARVC9Y0C".into(),
            protocol: "ESMTPSA",
            message: "01M858A5CV7R6CKZGTARVC9Y0D".into(),
            recipient: Some("customer@example.net".into()),
            priority: None,
            seconds: 1_800_000_000,
            domain: "example.com".into(),
            unsubscribe: None,
        });
        black_box(admission.on_content(content.slice(..OCTETS / 2))?);
        black_box(admission.on_content(content.slice(OCTETS / 2..))?);
        black_box(admission.finish()?);
    }
    Ok(())
}

/// Makes the keys that [`seal`] signs with: made anew in each run they would cost differently each time.
pub(crate) fn prepare(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("rsa"), dkim::generate_rsa()?)?;
    Ok(std::fs::write(folder.join("ed25519"), dkim::generate_ed25519()?)?)
}

/// The body hash and both signatures.
pub(crate) fn seal(count: usize, folder: &Path) -> anyhow::Result<()> {
    let key = |name: &str| -> anyhow::Result<_> { Ok(SigningKey::from_pkcs8(&std::fs::read(folder.join(name))?)?) };
    let (rsa, ed25519) = (key("rsa")?, key("ed25519")?);
    let signer = |selector, key| Signer { domain: "example.com", selector, key };
    let signers = [signer("r1", &rsa), signer("e1", &ed25519)];
    let content = content();
    let (header, body) = content.split_at(HEADER.len());
    for _ in 0..count {
        let mut hash = BodyHash::default();
        hash.update(body);
        black_box(dkim::seal(&signers, header, hash.finish(), 1_800_000_000)?);
    }
    Ok(())
}
