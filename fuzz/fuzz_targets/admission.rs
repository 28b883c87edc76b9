//! Any content, cut anywhere: admission gives the same, and what it gives has no Bcc.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use message::admission::{Admission, AdmissionError, Inspection, Stamp};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, octets)) = data.split_first() else { return };
    let whole = admit(octets, octets.len().max(1));
    let parts = admit(octets, usize::from(cut % 9) + 1);
    match (&whole, &parts) {
        (Ok((a, x)), Ok((b, y))) => {
            assert_eq!(a, b);
            assert_eq!(x, y);
            assert_eq!(a.len() as u64, x.octets);
            let header = &a[..usize::try_from(x.header_octets).unwrap_or(usize::MAX).min(a.len())];
            for line in header.split(|octet| *octet == b'\n') {
                let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
                assert!(!name.trim_ascii_end().eq_ignore_ascii_case(b"bcc"), "Bcc survived");
            }
        }
        (Err(a), Err(b)) => assert_eq!(a, b),
        _ => panic!("{whole:?} and {parts:?}"),
    }
});

fn admit(octets: &[u8], piece_octets: usize) -> Result<(Vec<u8>, Inspection), AdmissionError> {
    let mut admission = Admission::new(Stamp {
        hostname: "relay.test".into(),
        session: "SESSION".into(),
        protocol: "ESMTPSA",
        message: "MESSAGE".into(),
        recipient: None,
        seconds: 1_700_000_000,
        domain: "example.com".into(),
    });
    let mut admitted = Vec::new();
    for piece in octets.chunks(piece_octets) {
        for part in admission.on_content(Bytes::copy_from_slice(piece))? {
            admitted.extend_from_slice(&part);
        }
    }
    let (rest, inspection) = admission.finish()?;
    for part in rest {
        admitted.extend_from_slice(&part);
    }
    Ok((admitted, inspection))
}
