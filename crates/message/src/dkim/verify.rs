//! Checks signatures as a receiver does (RFC 6376 §6), of the kind that we make: relaxed/relaxed, RSA and Ed25519 over SHA-256.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::BodyHash;
use super::canonical::signed_octets;
use crate::header::{Field, fields, section_octets};

/// Signatures of a message that are checked, from the top: each costs a pass over the header.
const SIGNATURES_MAX: usize = 10;
/// Field names that a signature may list.
const NAMES_MAX: usize = 200;
/// Octets of a signature field; the longest of ours has some 900.
const FIELD_OCTETS_MAX: usize = 16 * 1024;

/// What came of checking a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Pass,
    /// The body is not the one that was signed (`bh=`).
    BodyChanged,
    /// It was not made with this key over this header.
    Wrong,
    /// There is no key to check it with.
    NoKey,
    /// It is of a kind that is not checked here, or cannot be read.
    Unchecked,
}

/// A signature of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// `d=`
    pub domain: String,
    /// `s=`
    pub selector: String,
    /// `a=`
    pub algorithm: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// Checks the signatures of a message, header and body. `record_of` gives the TXT record (`v=DKIM1; k=…; p=…`) of a domain
/// and a selector, both as the signature spells them.
pub fn verify(content: &[u8], record_of: impl Fn(&str, &str) -> Option<String>) -> Vec<Checked> {
    let header_octets = section_octets(content);
    let (header, body) = content.split_at(header_octets);
    let signatures = fields(header).filter(|field| field.is("DKIM-Signature")).take(SIGNATURES_MAX);
    let mut body_hash = None;
    let mut hash = || {
        *body_hash.get_or_insert_with(|| {
            let mut hash = BodyHash::default();
            hash.update(body);
            hash.finish()
        })
    };
    signatures.map(|field| check(&field, header, &mut hash, &record_of)).collect()
}

fn check(
    field: &Field<'_>,
    header: &[u8],
    hash: &mut impl FnMut() -> [u8; 32],
    record_of: &impl Fn(&str, &str) -> Option<String>,
) -> Checked {
    let value = String::from_utf8_lossy(&field.value[..field.value.len().min(FIELD_OCTETS_MAX)]).into_owned();
    let text = |name| tag(&value, name).unwrap_or_default();
    let (domain, selector, algorithm) = (text("d"), text("s"), text("a").to_ascii_lowercase());
    let verdict = if field.value.len() > FIELD_OCTETS_MAX || !is_of_our_kind(&value, &algorithm) {
        Verdict::Unchecked
    } else if BASE64.decode(text("bh")).ok().as_deref() != Some(&hash()[..]) {
        Verdict::BodyChanged
    } else {
        match record_of(&domain, &selector) {
            None => Verdict::NoKey,
            Some(record) if is_right(&value, field, header, &algorithm, &record) => Verdict::Pass,
            Some(_) => Verdict::Wrong,
        }
    };
    Checked { domain, selector, algorithm, verdict }
}

/// Whether it says nothing that is not looked at here.
fn is_of_our_kind(value: &str, algorithm: &str) -> bool {
    let is = |name, expected: &str| tag(value, name).is_some_and(|found| found.eq_ignore_ascii_case(expected));
    let names = tag(value, "h").unwrap_or_default();
    is("v", "1")
        && is("c", "relaxed/relaxed")
        && matches!(algorithm, "rsa-sha256" | "ed25519-sha256")
        && tag(value, "l").is_none()
        && names.split(':').count() <= NAMES_MAX
        && names.split(':').any(|name| name.eq_ignore_ascii_case("from"))
}

fn is_right(value: &str, field: &Field<'_>, header: &[u8], algorithm: &str, record: &str) -> bool {
    let names = tag(value, "h").unwrap_or_default();
    let octets = signed_octets(header, names.split(':'), &unsigned(field));
    let decoded = |text: Option<String>| text.and_then(|text| BASE64.decode(text).ok());
    let (Some(key), Some(signature)) = (decoded(tag(record, "p")), decoded(tag(value, "b"))) else { return false };
    let kind = tag(record, "k").unwrap_or_else(|| "rsa".to_owned());
    match (kind.as_str(), algorithm) {
        ("rsa", "rsa-sha256") => {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(&octets, &signature).is_ok()
        }
        // made over the hash (RFC 8463 §3)
        ("ed25519", "ed25519-sha256") => {
            let hash = digest::digest(&digest::SHA256, &octets);
            UnparsedPublicKey::new(&ED25519, key).verify(hash.as_ref(), &signature).is_ok()
        }
        _ => false,
    }
}

/// The signature field with an empty `b=`, as it was signed (RFC 6376 §3.7).
fn unsigned(field: &Field<'_>) -> Vec<u8> {
    let mut octets = field.name.to_vec();
    octets.push(b':');
    for (number, part) in field.value.split(|octet| *octet == b';').enumerate() {
        if number > 0 {
            octets.push(b';');
        }
        let equals = part.iter().position(|octet| *octet == b'=');
        match equals {
            Some(equals) if part[..equals].trim_ascii() == b"b" => octets.extend_from_slice(&part[..=equals]),
            _ => octets.extend_from_slice(part),
        }
    }
    octets
}

/// The value of a tag, white space left out (RFC 6376 §3.2): none of those that are read here has any.
fn tag(list: &str, name: &str) -> Option<String> {
    list.split(';').find_map(|part| {
        let (tag, value) = part.split_once('=')?;
        (tag.trim() == name).then(|| value.split_whitespace().collect())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Signer, SigningKey, generate_ed25519, generate_rsa, record, seal};
    use super::*;

    const HEADER: &str = "From: a@x.example\r\nTo: b@y.example\r\nSubject: Hi\r\n there\r\n\r\n";
    const BODY: &str = "Hi.\r\n\r\nSee you.\r\n";

    struct Signed {
        content: String,
        records: Vec<(String, String)>,
    }

    fn signed() -> Signed {
        let keys = [("r", generate_rsa().unwrap()), ("e", generate_ed25519().unwrap())];
        let parsed: Vec<_> = keys.iter().map(|(name, key)| (*name, SigningKey::from_pkcs8(key).unwrap())).collect();
        let signers: Vec<_> =
            parsed.iter().map(|(selector, key)| Signer { domain: "x.example", selector, key }).collect();
        let mut hash = BodyHash::default();
        hash.update(BODY.as_bytes());
        let seal = seal(&signers, HEADER.as_bytes(), hash.finish(), 1_800_000_000).unwrap();
        let content = format!("{}{HEADER}{BODY}", String::from_utf8(seal.to_vec()).unwrap());
        let records = keys.iter().map(|(name, key)| ((*name).to_owned(), record(key).unwrap())).collect();
        Signed { content, records }
    }

    impl Signed {
        fn verdicts(&self, content: &str) -> Vec<Verdict> {
            let record = |domain: &str, selector: &str| {
                assert_eq!(domain, "x.example");
                self.records.iter().find(|(name, _)| name == selector).map(|(_, record)| record.clone())
            };
            verify(content.as_bytes(), record).into_iter().map(|checked| checked.verdict).collect()
        }
    }

    #[test]
    fn what_we_sign_is_right_until_it_is_changed() {
        use Verdict::{BodyChanged, NoKey, Pass, Unchecked, Wrong};
        let mut signed = signed();
        let content = signed.content.clone();
        assert_eq!(signed.verdicts(&content), [Pass, Pass]);
        let found = verify(content.as_bytes(), |_, _| None);
        let said = |checked: &Checked| (checked.selector.clone(), checked.algorithm.clone(), checked.verdict);
        assert_eq!(said(&found[0]), ("r".into(), "rsa-sha256".into(), NoKey));
        assert_eq!(said(&found[1]), ("e".into(), "ed25519-sha256".into(), NoKey));
        let changed = |from: &str, to: &str| signed.verdicts(&content.replace(from, to));
        assert_eq!(changed("See you.", "See me."), [BodyChanged, BodyChanged]);
        assert_eq!(changed("Subject: Hi", "Subject: Ho"), [Wrong, Wrong]);
        assert_eq!(changed("\r\n there\r\n", " \t there \r\n"), [Pass, Pass], "relaxed");
        assert_eq!(changed("From: a@", "From: c@z.example\r\nFrom: a@"), [Wrong, Wrong], "oversigned");
        assert_eq!(changed("c=relaxed/relaxed", "c=simple/simple"), [Unchecked, Unchecked]);
        assert_eq!(changed("v=1;", "v=1; l=5;"), [Unchecked, Unchecked]);
        assert_eq!(changed("v=1; a=rsa-sha256", "v=1; a=rsa-sha1"), [Unchecked, Pass]);
        signed.records.swap(0, 1);
        let (first, second) = (signed.records[0].1.clone(), signed.records[1].1.clone());
        signed.records = vec![("r".into(), first), ("e".into(), second)];
        assert_eq!(signed.verdicts(&content), [Wrong, Wrong], "keys of another kind");
    }

    #[test]
    fn fields_that_say_nothing_sensible_are_unchecked() {
        for field in ["", ";", "=", "b=", "v=1", "v=1; a=rsa-sha256; c=relaxed/relaxed; h=to; bh=; b="] {
            let content = format!("DKIM-Signature: {field}\r\nFrom: a@x.example\r\n\r\n");
            assert_eq!(verify(content.as_bytes(), |_, _| None)[0].verdict, Verdict::Unchecked, "{field}");
        }
        let many = "DKIM-Signature: v=1\r\n".repeat(1000);
        assert_eq!(verify(many.as_bytes(), |_, _| None).len(), SIGNATURES_MAX);
    }
}
