//! Checks signatures as a receiver does (RFC 6376 §6, RFC 8301, RFC 8463): RSA of 1024 to 8192 bits and Ed25519, over SHA-256.
//!
//! One over a part of the body (`l=`) is not checked: anybody may have written the rest.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::BodyHash;
use super::body::simple_hash;
use super::canonical::{Form, signed_octets};
use crate::header::{Field, fields, section_octets};

/// Signatures of a message that are checked, from the top: each costs a pass over the header.
pub const SIGNATURES_MAX: usize = 10;
/// Field names that a signature may list.
const NAMES_MAX: usize = 200;
/// Fields of a header whose signatures are checked: each name that one lists is looked for among them.
const FIELDS_MAX: usize = 1_000;
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
    /// Its time is over (`x=`).
    Expired,
    /// There is no key to check it with, or none any more.
    NoKey,
    /// Nobody could say what its key is: it may be right.
    Unknown,
    /// It is of a kind that is not checked here, only a trial, or cannot be read.
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

/// What there is at the name of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRecord {
    /// This TXT record (`v=DKIM1; k=…; p=…`).
    Found(String),
    /// None.
    Absent,
    /// Nobody could say.
    Unknown,
}

/// Checks the signatures of a message, header and body, at this time, seconds since 1970. `record_of` gives the record of a
/// domain and a selector, both as the signature spells them; it is asked for signatures alone whose body is the one that was
/// signed.
pub fn verify(content: &[u8], seconds: u64, record_of: impl Fn(&str, &str) -> KeyRecord) -> Vec<Checked> {
    let header_octets = section_octets(content);
    let (header, body) = content.split_at(header_octets);
    let mut message = Message {
        header,
        body,
        is_countable: fields(header).take(FIELDS_MAX + 1).count() <= FIELDS_MAX,
        seconds,
        hashes: [None, None],
    };
    let signatures = fields(header).filter(|field| field.is("DKIM-Signature")).take(SIGNATURES_MAX);
    signatures.map(|field| message.check(&field, &record_of)).collect()
}

/// Whether a TXT record is one of a key (RFC 6376 §3.6.1).
pub fn is_key(record: &str) -> bool {
    tag(record, "p").is_some() && tag(record, "v").is_none_or(|version| version == "DKIM1")
}

/// A message whose signatures are checked.
struct Message<'a> {
    header: &'a [u8],
    body: &'a [u8],
    /// Its header has no more fields than are looked through.
    is_countable: bool,
    /// Now.
    seconds: u64,
    /// Of the body, in simple and in relaxed form, once it was needed.
    hashes: [Option<[u8; 32]>; 2],
}

impl Message<'_> {
    fn check(&mut self, field: &Field<'_>, record_of: &impl Fn(&str, &str) -> KeyRecord) -> Checked {
        let value = String::from_utf8_lossy(&field.value[..field.value.len().min(FIELD_OCTETS_MAX)]).into_owned();
        let text = |name| tag(&value, name).unwrap_or_default();
        let (domain, selector, algorithm) = (text("d"), text("s"), text("a").to_ascii_lowercase());
        let forms = forms(&value).filter(|_| is_checked(&value, &domain, &algorithm));
        let verdict = match forms {
            Some([of_header, of_body]) if self.is_countable && field.value.len() <= FIELD_OCTETS_MAX => {
                if BASE64.decode(text("bh")).ok().as_deref() != Some(&self.body_hash(of_body)[..]) {
                    Verdict::BodyChanged
                } else if tag(&value, "x").is_some_and(|end| end.parse().map_or(true, |end: u64| end < self.seconds)) {
                    Verdict::Expired
                } else {
                    match record_of(&domain, &selector) {
                        KeyRecord::Unknown => Verdict::Unknown,
                        KeyRecord::Absent => Verdict::NoKey,
                        KeyRecord::Found(record) => self.by_key(field, &value, of_header, &algorithm, &record),
                    }
                }
            }
            _ => Verdict::Unchecked,
        };
        Checked { domain, selector, algorithm, verdict }
    }

    fn body_hash(&mut self, form: Form) -> [u8; 32] {
        let body = self.body;
        *self.hashes[form as usize].get_or_insert_with(|| match form {
            Form::Simple => simple_hash(body),
            Form::Relaxed => {
                let mut hash = BodyHash::default();
                hash.update(body);
                hash.finish()
            }
        })
    }

    /// What the record of its key says of a signature.
    fn by_key(&self, field: &Field<'_>, value: &str, form: Form, algorithm: &str, record: &str) -> Verdict {
        let key = tag(record, "p").unwrap_or_default();
        let kind = tag(record, "k").unwrap_or_else(|| "rsa".to_owned());
        // an empty key is one that was taken back
        if key.is_empty() || !is_key(record) || !is_for(record, "h", "sha256") || !is_for(record, "s", "email") {
            return Verdict::NoKey;
        }
        let flags = tag(record, "t").unwrap_or_default();
        let has = |flag: &str| flags.split(':').any(|one| one == flag);
        if has("y") || (has("s") && signer(value).is_some_and(|of| !of.eq_ignore_ascii_case(&domain_of(value)))) {
            return Verdict::Unchecked;
        }
        let names = tag(value, "h").unwrap_or_default();
        let octets = signed_octets(form, self.header, names.split(':'), &unsigned(field));
        let decoded = |text: String| BASE64.decode(text).ok();
        let (Some(key), Some(signature)) = (decoded(key), decoded(tag(value, "b").unwrap_or_default())) else {
            return Verdict::Wrong;
        };
        if is_right(&kind, algorithm, &key, &octets, &signature) { Verdict::Pass } else { Verdict::Wrong }
    }
}

/// How header and body were written (RFC 6376 §3.5, `c=`); none where it says something else.
fn forms(value: &str) -> Option<[Form; 2]> {
    let form = |name: &str| match name.to_ascii_lowercase().as_str() {
        "simple" => Some(Form::Simple),
        "relaxed" => Some(Form::Relaxed),
        _ => None,
    };
    let said = tag(value, "c").unwrap_or_else(|| "simple".to_owned());
    let (header, body) = said.split_once('/').unwrap_or((&said, "simple"));
    Some([form(header)?, form(body)?])
}

/// Whether a signature says nothing that is not looked at here.
fn is_checked(value: &str, domain: &str, algorithm: &str) -> bool {
    let names = tag(value, "h").unwrap_or_default();
    // the identity is of the domain, or below it (RFC 6376 §3.5, `i=`)
    let is_below = |of: &str| {
        let (of, domain) = (of.to_ascii_lowercase(), domain.to_ascii_lowercase());
        of == domain || of.strip_suffix(&domain).is_some_and(|front| front.ends_with('.'))
    };
    tag(value, "v").as_deref() == Some("1")
        && matches!(algorithm, "rsa-sha256" | "ed25519-sha256")
        && !domain.is_empty()
        && tag(value, "l").is_none()
        && tag(value, "q").is_none_or(|query| query.split(':').any(|one| one.eq_ignore_ascii_case("dns/txt")))
        && signer(value).is_none_or(|of| is_below(&of))
        && names.split(':').count() <= NAMES_MAX
        && names.split(':').any(|name| name.eq_ignore_ascii_case("from"))
}

fn domain_of(value: &str) -> String {
    tag(value, "d").unwrap_or_default()
}

/// The domain of `i=`; none where it says nothing.
fn signer(value: &str) -> Option<String> {
    let identity = tag(value, "i")?;
    Some(identity.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_owned()))
}

/// Whether a list in the record of a key has this, or everything, or is not there (RFC 6376 §3.6.1, `h=` and `s=`).
fn is_for(record: &str, list: &str, wanted: &str) -> bool {
    tag(record, list).is_none_or(|all| all.split(':').any(|one| one == "*" || one.eq_ignore_ascii_case(wanted)))
}

fn is_right(kind: &str, algorithm: &str, key: &[u8], octets: &[u8], signature: &[u8]) -> bool {
    match (kind, algorithm) {
        ("rsa", "rsa-sha256") => {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key);
            key.verify(octets, signature).is_ok()
        }
        // made over the hash (RFC 8463 §3)
        ("ed25519", "ed25519-sha256") => {
            let hash = digest::digest(&digest::SHA256, octets);
            UnparsedPublicKey::new(&ED25519, key).verify(hash.as_ref(), signature).is_ok()
        }
        _ => false,
    }
}

/// The signature field with an empty `b=` and without its line end, as it was signed (RFC 6376 §3.7).
fn unsigned(field: &Field<'_>) -> Vec<u8> {
    let value = field.value.strip_suffix(b"\n").unwrap_or(field.value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    let mut octets = field.octets[..field.octets.len() - field.value.len()].to_vec();
    for (number, part) in value.split(|octet| *octet == b';').enumerate() {
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
mod tests;
