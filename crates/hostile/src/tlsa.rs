//! Any octets as a TLSA record and a certificate: nothing is taken for what it is not, and nothing beyond them is read.

use aws_lc_rs::digest::{SHA256, digest};
use relay::dane::{Dane, Parts, Reading, Tlsa, read};

/// Reads the octets as the data of a record, of as many octets as the first says, and the rest as a certificate.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((cut, octets)) = data.split_first() else { return };
    let (rdata, certificate) = octets.split_at(usize::from(*cut).min(octets.len()));
    let parts = Parts::of(certificate);
    if let Some(Parts { issuer, key }) = parts {
        assert_eq!(key.first(), Some(&0x30));
        assert!(certificate.windows(key.len()).any(|window| window == key));
        assert!(issuer.is_empty() || certificate.windows(issuer.len()).any(|window| window == issuer));
    }
    let asked = |records: Vec<Tlsa>| Dane::new("mx.example".into(), Vec::new(), records);
    match read([rdata], 1) {
        Reading::Absent => panic!("a record that is there is absent"),
        Reading::Unusable => assert_eq!(Tlsa::parse(rdata), None),
        Reading::Usable(records) => {
            assert_eq!(records, Vec::from_iter(Tlsa::parse(rdata)));
            let dane = asked(records);
            assert!(!(dane.knows(certificate) && dane.trusts(certificate)), "one record speaks of one thing");
            assert_eq!(dane.has_anchors(), rdata[0] == 2);
            // a record that has what it compares as a whole is met by that alone
            if (dane.knows(certificate) || dane.trusts(certificate)) && rdata[2] == 0 {
                let compared = if rdata[1] == 0 { Some(certificate) } else { parts.map(|parts| parts.key) };
                assert_eq!(compared, Some(&rdata[3..]));
            }
        }
    }
    // the certificate is met by the record of its own digest, and by none of another's
    for (selector, selected) in [(0, Some(certificate)), (1, parts.map(|parts| parts.key))] {
        let Some(selected) = selected else { continue };
        let mut own = [&[3, selector, 1], digest(&SHA256, selected).as_ref()].concat();
        assert!(asked(Vec::from_iter(Tlsa::parse(&own))).knows(certificate));
        own[3] ^= 1;
        assert!(!asked(Vec::from_iter(Tlsa::parse(&own))).knows(certificate));
    }
}
