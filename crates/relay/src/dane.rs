//! DANE for SMTP (RFC 7672): which TLSA records count, and what they ask of the certificates that a mail server shows.
//!
//! Whether the records may be trusted at all is for DNSSEC to say; here they are.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was found of DNSSEC when it was last looked at, and what follows: whether answers are validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// Nobody wants it: nothing is validated.
    Off,
    /// Nobody looked yet, or nobody could tell: what rests on it waits.
    Unknown,
    /// Signatures arrive and hold: answers are validated.
    Holds,
    /// Signatures do not hold, though they did once or have to: answers are validated all the same, so that what rests on
    /// them waits.
    Fails,
    /// Signatures never held since the start, and need not: answers are taken without, and mail goes out without DANE.
    Without,
}

/// What a record speaks of (RFC 6698 §2.1.1). Usages 0 and 1 have no meaning for SMTP (RFC 7672 §3.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// DANE-TA(2): an authority in the server's chain. Names and dates count.
    Anchor,
    /// DANE-EE(3): the server's own certificate. Neither names nor dates count.
    EndEntity,
}

/// What of a certificate is compared (RFC 6698 §2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Cert(0): all of it.
    Certificate,
    /// SPKI(1): its public key.
    Key,
}

/// How it is compared (RFC 6698 §2.1.3), the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matching {
    /// Full(0): octet by octet.
    Whole,
    /// SHA2-256(1).
    Sha256,
    /// SHA2-512(2).
    Sha512,
}

/// A usable TLSA record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlsa {
    /// What it speaks of.
    pub usage: Usage,
    /// What is compared.
    pub selector: Selector,
    /// How.
    pub matching: Matching,
    data: Vec<u8>,
}

impl Tlsa {
    /// Reads a record's data as it stands in DNS (RFC 6698 §2.1). None where SMTP cannot use it: another usage, an
    /// unknown selector or matching type, a digest of the wrong length, or what is no certificate or key.
    pub fn parse(rdata: &[u8]) -> Option<Tlsa> {
        let [usage, selector, matching, data @ ..] = rdata else { return None };
        let usage = match usage {
            2 => Usage::Anchor,
            3 => Usage::EndEntity,
            _ => return None,
        };
        let selector = match selector {
            0 => Selector::Certificate,
            1 => Selector::Key,
            _ => return None,
        };
        let (matching, is_sound) = match matching {
            0 if selector == Selector::Certificate => (Matching::Whole, Parts::of(data).is_some()),
            0 => (Matching::Whole, inside(data).is_some()),
            1 => (Matching::Sha256, data.len() == 32),
            2 => (Matching::Sha512, data.len() == 64),
            _ => return None,
        };
        is_sound.then(|| Tlsa { usage, selector, matching, data: data.to_vec() })
    }

    /// Whether it speaks of this certificate (DER).
    fn matches(&self, certificate: &[u8]) -> bool {
        let selected = match self.selector {
            Selector::Certificate => Some(certificate),
            Selector::Key => Parts::of(certificate).map(|parts| parts.key),
        };
        selected.is_some_and(|octets| match self.matching {
            Matching::Whole => octets == self.data,
            Matching::Sha256 => digest(&SHA256, octets).as_ref() == self.data,
            Matching::Sha512 => digest(&SHA512, octets).as_ref() == self.data,
        })
    }
}

/// What the TLSA records of a host, trusted by DNSSEC, come to (RFC 7672 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// There is none: TLS as if there were no DANE.
    Absent,
    /// There are some, and none that can be used: TLS is a must, whoever is at the other end.
    Unusable,
    /// TLS is a must, with a certificate that one of these speaks of.
    Usable(Vec<Tlsa>),
}

/// Reads the data of a host's TLSA records; of more than `most` the first ones. Of several digests of the same thing the
/// strongest counts alone (RFC 7671 §9).
pub fn read<'a>(records: impl IntoIterator<Item = &'a [u8]>, most: usize) -> Reading {
    let mut seen = false;
    let mut usable = Vec::new();
    for rdata in records.into_iter().take(most) {
        seen = true;
        usable.extend(Tlsa::parse(rdata));
    }
    let is_outdone = |weak: &Tlsa| {
        let same = |strong: &&Tlsa| strong.usage == weak.usage && strong.selector == weak.selector;
        weak.matching != Matching::Whole && usable.iter().filter(same).any(|strong| strong.matching > weak.matching)
    };
    let counting: Vec<Tlsa> = usable.iter().filter(|record| !is_outdone(record)).cloned().collect();
    match (seen, counting.is_empty()) {
        (false, _) => Reading::Absent,
        (true, true) => Reading::Unusable,
        (true, false) => Reading::Usable(counting),
    }
}

/// What is asked of one host's certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dane {
    /// The TLSA base domain: the name to say in the handshake (RFC 7672 §3.3).
    pub base: String,
    /// Further names that a certificate may be for where its authority is what the records speak of: the domain of the
    /// mail, and what an alias leads to (RFC 7672 §3.2.2).
    pub further_names: Vec<String>,
    records: Vec<Tlsa>,
}

impl Dane {
    /// What these usable records of this base domain ask.
    pub fn new(base: String, further_names: Vec<String>, records: Vec<Tlsa>) -> Dane {
        Dane { base, further_names, records }
    }

    /// The names of which the certificate must have one, unless a record speaks of itself.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.base).chain(&self.further_names).map(String::as_str)
    }

    /// Whether a record speaks of the server's own certificate (DER): then it is the right one.
    pub fn knows(&self, certificate: &[u8]) -> bool {
        self.of(Usage::EndEntity).any(|record| record.matches(certificate))
    }

    /// Whether a record speaks of this certificate (DER) of an authority.
    pub fn trusts(&self, certificate: &[u8]) -> bool {
        self.of(Usage::Anchor).any(|record| record.matches(certificate))
    }

    /// Whether there are records of authorities at all.
    pub fn has_anchors(&self) -> bool {
        self.of(Usage::Anchor).next().is_some()
    }

    /// The authorities whose certificates (DER) stand in DNS as a whole: the server need not send them.
    pub fn anchor_certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.whole_anchors(Selector::Certificate)
    }

    /// The authorities of which the key (DER of the SubjectPublicKeyInfo) stands in DNS as a whole.
    pub fn anchor_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.whole_anchors(Selector::Key)
    }

    fn whole_anchors(&self, selector: Selector) -> impl Iterator<Item = &[u8]> {
        self.of(Usage::Anchor)
            .filter(move |record| record.selector == selector && record.matching == Matching::Whole)
            .map(|record| record.data.as_slice())
    }

    fn of(&self, usage: Usage) -> impl Iterator<Item = &Tlsa> {
        self.records.iter().filter(move |record| record.usage == usage)
    }
}

/// What is needed of a certificate (RFC 5280 §4.1), which may be of any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Who issued it: what is inside the element `issuer`.
    pub issuer: &'a [u8],
    /// Its SubjectPublicKeyInfo, the whole element.
    pub key: &'a [u8],
}

/// Tags of DER (X.690 §8).
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

impl<'a> Parts<'a> {
    /// Finds them in a certificate (DER); none where it is not built like one. Nothing else of it is looked at.
    pub fn of(certificate: &'a [u8]) -> Option<Parts<'a>> {
        let mut rest = inside(inside_first(inside(certificate)?)?)?;
        if rest.first() == Some(&VERSION) {
            rest = Element::first_of(rest)?.rest;
        }
        rest = Element::tagged(rest, INTEGER)?.rest;
        let algorithm = Element::tagged(rest, SEQUENCE)?;
        let issuer = Element::tagged(algorithm.rest, SEQUENCE)?;
        let validity = Element::tagged(issuer.rest, SEQUENCE)?;
        let subject = Element::tagged(validity.rest, SEQUENCE)?;
        let key = Element::tagged(subject.rest, SEQUENCE)?;
        Some(Parts { issuer: issuer.inside, key: key.whole })
    }
}

/// What is inside a sequence that is all of `der`.
pub fn inside(der: &[u8]) -> Option<&[u8]> {
    Element::tagged(der, SEQUENCE).filter(|element| element.rest.is_empty()).map(|element| element.inside)
}

/// The first element, which must be a sequence.
fn inside_first(der: &[u8]) -> Option<&[u8]> {
    Element::tagged(der, SEQUENCE).map(|element| element.whole)
}

/// An element of DER and what stands behind it.
struct Element<'a> {
    tag: u8,
    whole: &'a [u8],
    inside: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of `der`, of at most 2^32 octets.
    fn first_of(der: &'a [u8]) -> Option<Element<'a>> {
        let [tag, length, behind @ ..] = der else { return None };
        let (length, behind) = match length {
            short @ 0..=0x7f => (usize::from(*short), behind),
            long @ 0x81..=0x84 => {
                let (length, behind) = behind.split_at_checked(usize::from(long & 0x7f))?;
                let sum = length.iter().fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet));
                (usize::try_from(sum).ok()?, behind)
            }
            _ => return None,
        };
        let (inside, rest) = behind.split_at_checked(length)?;
        Some(Element { tag: *tag, whole: &der[..der.len() - rest.len()], inside, rest })
    }

    fn tagged(der: &'a [u8], tag: u8) -> Option<Element<'a>> {
        Element::first_of(der).filter(|element| element.tag == tag)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn element(tag: u8, inside: &[u8]) -> Vec<u8> {
        let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], inside].concat()
    }

    /// Something built like a certificate with this key, of version 3 or 1.
    fn certificate(key: &[u8], is_v3: bool) -> Vec<u8> {
        let version = if is_v3 { element(VERSION, &element(INTEGER, &[2])) } else { Vec::new() };
        let sequence = |inside: &[u8]| element(SEQUENCE, inside);
        let inside = [
            version,
            element(INTEGER, &[7]),
            sequence(b"algorithm"),
            sequence(b"issuer"),
            sequence(b"validity"),
            sequence(b"subject"),
            sequence(key),
            sequence(b"extensions"),
        ];
        sequence(&[sequence(&inside.concat()), sequence(b"algorithm"), element(3, b"signature")].concat())
    }

    fn rdata(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Vec<u8> {
        [&[usage, selector, matching], data].concat()
    }

    fn dane(records: &[Vec<u8>]) -> Dane {
        match read(records.iter().map(Vec::as_slice), 100) {
            Reading::Usable(records) => Dane::new("mx.b.example".into(), vec!["b.example".into()], records),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_parts_of_a_certificate_are_found_in_any_version() {
        for is_v3 in [true, false] {
            let certificate = certificate(b"key", is_v3);
            let parts = Parts::of(&certificate).unwrap();
            assert_eq!((parts.issuer, parts.key), (&b"issuer"[..], &element(SEQUENCE, b"key")[..]));
        }
    }

    #[test]
    fn what_is_cut_off_has_no_parts() {
        let whole = certificate(b"key", true);
        for end in 0..whole.len() {
            assert_eq!(Parts::of(&whole[..end]), None, "{end}");
        }
        assert_eq!(Parts::of(&[whole, vec![0]].concat()), None);
    }

    #[test]
    fn each_selector_and_matching_type_finds_its_certificate_and_no_other() {
        let (right, wrong) = (certificate(b"right", true), certificate(b"wrong", true));
        let key = Parts::of(&right).unwrap().key;
        for (selector, octets) in [(0, right.as_slice()), (1, key)] {
            let digests =
                [octets.to_vec(), digest(&SHA256, octets).as_ref().into(), digest(&SHA512, octets).as_ref().into()];
            for (matching, data) in (0..).zip(digests) {
                let own = dane(&[rdata(3, selector, matching, &data)]);
                assert!(own.knows(&right) && !own.knows(&wrong) && !own.trusts(&right) && !own.has_anchors());
                let anchor = dane(&[rdata(2, selector, matching, &data)]);
                assert!(anchor.trusts(&right) && !anchor.trusts(&wrong) && !anchor.knows(&right));
                assert_eq!(anchor.anchor_certificates().count(), usize::from((selector, matching) == (0, 0)));
                assert_eq!(anchor.anchor_keys().count(), usize::from((selector, matching) == (1, 0)));
            }
        }
    }

    #[test]
    fn what_smtp_cannot_use_is_unusable_and_still_asks_for_tls() {
        let digest = [0; 32];
        for unusable in [
            rdata(0, 0, 1, &digest),
            rdata(1, 1, 1, &digest),
            rdata(4, 1, 1, &digest),
            rdata(255, 1, 1, &digest),
            rdata(3, 2, 1, &digest),
            rdata(3, 1, 3, &digest),
            rdata(3, 1, 1, &digest[1..]),
            rdata(3, 1, 2, &digest),
            rdata(3, 0, 0, b"no certificate"),
            rdata(2, 1, 0, b"no key"),
            rdata(3, 1, 0, b""),
            vec![3, 1],
            Vec::new(),
        ] {
            assert_eq!(read([unusable.as_slice()], 100), Reading::Unusable, "{unusable:?}");
            let sound = rdata(3, 1, 1, &digest);
            assert!(
                matches!(read([unusable.as_slice(), sound.as_slice()], 100), Reading::Usable(found) if found.len() == 1)
            );
        }
        assert_eq!(read([], 100), Reading::Absent);
    }

    #[test]
    fn the_strongest_digest_counts_alone_and_what_is_whole_counts_besides() {
        let right = certificate(b"right", true);
        let other = certificate(b"other", true);
        let sha256 = rdata(3, 0, 1, digest(&SHA256, &other).as_ref());
        let sha512 = rdata(3, 0, 2, digest(&SHA512, &right).as_ref());
        let both = dane(&[sha256.clone(), sha512.clone()]);
        assert!(both.knows(&right) && !both.knows(&other));
        // of another thing, or of another usage, there is nothing stronger
        let key = digest(&SHA256, Parts::of(&other).unwrap().key);
        assert!(dane(&[rdata(3, 1, 1, key.as_ref()), sha512.clone()]).knows(&other));
        assert!(dane(&[sha256, rdata(2, 0, 2, digest(&SHA512, &right).as_ref())]).knows(&other));
        assert!(dane(&[rdata(3, 0, 0, &other), sha512]).knows(&other));
    }

    #[test]
    fn of_too_many_records_the_first_count() {
        let one = rdata(3, 1, 1, &[1; 32]);
        let records = std::iter::repeat_n(one.as_slice(), 100);
        assert!(matches!(read(records, 32), Reading::Usable(found) if found.len() == 32));
    }

    #[test]
    fn the_base_domain_is_the_first_of_the_names() {
        let asked = dane(&[rdata(2, 1, 1, &[1; 32])]);
        assert_eq!(asked.names().collect::<Vec<_>>(), ["mx.b.example", "b.example"]);
    }
}
