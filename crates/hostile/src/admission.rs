//! Any content, cut anywhere: admission gives the same, and of it what a simple model of the product says.

use bytes::Bytes;
use message::admission::{
    Admission, AdmissionError, From, HEADER_OCTETS_MAX, Inspection, RECEIVED_MAX, SUBJECT_CHARACTERS_MAX, Stamp,
};
use message::header::fields;

use crate::phrases::{self, spoken};

/// Fields that never leave.
const REMOVED: [&str; 3] = ["bcc", "resent-bcc", "return-path"];
/// The bit of the first octet that makes every line end CRLF first, as the framing does.
const FRAMED: u8 = 0x80;

/// Admits the octets behind the first, as phrases of a header, whole and cut as the first says.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((&control, octets)) = data.split_first() else { return };
    let mut octets = spoken(octets, phrases::HEADER);
    let framed = control & FRAMED == 0;
    if framed {
        octets = with_crlf(&octets);
    }
    let whole = admit(&octets, octets.len().max(1));
    let parts = admit(&octets, usize::from(control % 9) + 1);
    assert_eq!(whole, parts, "it depends on how the content was cut");
    match whole {
        Ok((admitted, inspection)) => {
            facts_are_true(&admitted, &inspection);
            nothing_private_leaves(&admitted, &inspection);
            if framed {
                only_put_in_front(&octets, &admitted, &inspection);
            }
        }
        Err(AdmissionError::Nul) => assert!(octets.contains(&0)),
        Err(AdmissionError::Loop) => assert!(octets.iter().filter(|octet| **octet == b':').count() > RECEIVED_MAX),
        Err(AdmissionError::HeaderTooLong) => assert!(octets.len() > HEADER_OCTETS_MAX),
    }
}

/// Every line end CRLF, the last line ended: what the framing hands on.
fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let text = octets.to_vec();
    let mut out = Vec::with_capacity(text.len());
    for (place, octet) in text.iter().enumerate() {
        match octet {
            b'\n' if place > 0 && text[place - 1] == b'\r' => {}
            b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
            octet => out.push(*octet),
        }
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn admit(octets: &[u8], piece_octets: usize) -> Result<(Vec<u8>, Inspection), AdmissionError> {
    let mut admission = Admission::new(Stamp {
        hostname: "relay.test".into(),
        session: "SESSION".into(),
        protocol: "ESMTPSA",
        message: "MESSAGE".into(),
        recipient: None,
        priority: None,
        seconds: 1_700_000_000,
        domain: "example.com".into(),
        unsubscribe: None,
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

/// What was read of the content is true of it.
fn facts_are_true(admitted: &[u8], inspection: &Inspection) {
    assert_eq!(admitted.len() as u64, inspection.octets);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, admitted);
    assert_eq!(digest.as_ref(), inspection.sha256);
    let (header, body) = admitted.split_at(inspection.header_octets as usize);
    assert_eq!((!header.is_ascii(), !body.is_ascii()), (inspection.header_eight_bit, inspection.body_eight_bit));
    let subject = &inspection.subject;
    assert!(subject.chars().count() <= SUBJECT_CHARACTERS_MAX && !subject.chars().any(char::is_control), "{subject:?}");
    assert!(!inspection.message_id.chars().any(char::is_control));
    if let From::One(address) = &inspection.from {
        assert!(address.contains('@') && !address.chars().any(char::is_control), "{address:?}");
        let count = fields(header).filter(|field| field.is("From")).count();
        assert_eq!(count, 1, "one address of {count} From fields");
    }
}

/// Blind copies and the trace of the path are gone, whoever reads the header.
fn nothing_private_leaves(admitted: &[u8], inspection: &Inspection) {
    let header = &admitted[..inspection.header_octets as usize];
    for line in header.split(|octet| *octet == b'\n') {
        let name = line.split(|octet| *octet == b':').next().unwrap_or_default().trim_ascii_end();
        assert!(!REMOVED.iter().any(|removed| name.eq_ignore_ascii_case(removed.as_bytes())), "{name:?} survived");
    }
    let names: Vec<String> = fields(header).map(|field| String::from_utf8_lossy(field.name).to_lowercase()).collect();
    assert_eq!(names.first().map(String::as_str), Some("received"));
    for name in ["date", "message-id"] {
        assert!(names.iter().any(|one| one == name), "there is no {name}");
    }
}

/// The model: fields are kept in order but for the removed ones, the body as it is; what we add stands in front.
fn only_put_in_front(received: &[u8], admitted: &[u8], inspection: &Inspection) {
    let (kept, body) = model(received);
    let mut tail = kept;
    let has_body = body.is_some();
    if let Some(body) = body {
        tail.extend_from_slice(b"\r\n");
        tail.extend_from_slice(body);
    }
    let Some(front) = admitted.strip_suffix(&tail[..]) else {
        panic!("{:?} does not end with {:?}", String::from_utf8_lossy(admitted), String::from_utf8_lossy(&tail))
    };
    for field in fields(front) {
        assert!(["Received", "Date", "Message-ID"].iter().any(|name| field.is(name)), "{field:?} was added");
    }
    assert_eq!(fields(front).map(|field| field.octets.len()).sum::<usize>(), front.len());
    let header = &admitted[..inspection.header_octets as usize];
    assert_eq!(header.ends_with(b"\r\n\r\n"), has_body, "the empty line is where the body begins");
}

/// The fields that stay, and the body where there is one.
fn model(received: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut rest = received;
    let mut kept: Vec<(bool, Vec<u8>)> = Vec::new();
    let mut may_separate = true;
    while !rest.is_empty() {
        let length = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(length);
        let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
        let blanks = name.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let name = &name[..name.len() - blanks];
        let is_field = line.contains(&b':') && !name.is_empty() && name.iter().all(|octet| (33..=126).contains(octet));
        if line == b"\r\n" {
            return (joined(kept), Some(after));
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            let Some((_, field)) = kept.last_mut() else { return (joined(kept), Some(rest)) };
            field.extend_from_slice(line);
        } else if is_field {
            let goes = REMOVED.iter().any(|removed| name.eq_ignore_ascii_case(removed.as_bytes()));
            kept.push((!goes, line.to_vec()));
        } else if may_separate && kept.is_empty() && (line.starts_with(b"From ") || line.starts_with(b">From ")) {
            may_separate = false;
        } else {
            return (joined(kept), Some(rest));
        }
        rest = after;
    }
    (joined(kept), None)
}

fn joined(kept: Vec<(bool, Vec<u8>)>) -> Vec<u8> {
    kept.into_iter().filter(|(stays, _)| *stays).flat_map(|(_, field)| field).collect()
}
