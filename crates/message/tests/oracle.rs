//! What admission reads of a letter, held against a parser that is not ours.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use mail_parser::MessageParser;
use message::admission::{Admission, From, Inspection, Stamp};
use proptest::prelude::*;

fn admit(content: &str) -> (Vec<u8>, Inspection) {
    let mut admission = Admission::new(Stamp {
        hostname: "relay.example.com".into(),
        session: "01SESSION".into(),
        protocol: "ESMTPSA",
        message: "01MESSAGE".into(),
        recipient: Some("bob@example.net".into()),
        priority: None,
        seconds: 1_795_469_441,
        domain: "example.com".into(),
        unsubscribe: None,
    });
    let mut admitted = admission.on_content(Bytes::copy_from_slice(content.as_bytes())).unwrap();
    let (last, inspection) = admission.finish().unwrap();
    admitted.extend(last);
    (admitted.concat(), inspection)
}

fn address() -> impl Strategy<Value = String> {
    let local = "[a-z]{1,6}([.+_-][a-z0-9]{1,5}){0,2}";
    (local, "[a-zA-Z]{1,8}(\\.[a-z0-9]{2,6}){1,2}").prop_map(|(local, domain)| format!("{local}@{domain}"))
}

fn mailbox() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        "[A-Z][a-z]{0,8}( [A-Z][a-z]{1,8}){0,2}",
        "\"[A-Za-z ,.;:<>@()]{0,16}\"",
        Just("=?utf-8?Q?Caf=C3=A9_=2C?=".to_owned()),
        Just("=?utf-8?B?w6nDqCBy?=\r\n =?iso-8859-1?Q?=E9?=".to_owned()),
        "[A-Z][a-z]{1,5} \\([a-z, ]{0,9}\\)",
    ];
    (name, address(), 0..4).prop_map(|(name, address, dress)| {
        let written = match dress {
            0 => address.clone(),
            1 => format!("<{address}>"),
            2 => format!("{name} <{address}>"),
            _ => format!("{name}\r\n\t<{address}>"),
        };
        (written, address)
    })
}

/// An encoded word for each piece, by B or Q.
fn encode(pieces: &[(String, bool)]) -> String {
    use base64::Engine as _;
    let word = |(piece, base64): &(String, bool)| match base64 {
        true => format!("=?utf-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(piece)),
        false => {
            let octets: String = piece.bytes().map(|octet| format!("={octet:02X}")).collect();
            format!("=?UTF-8?q?{octets}?=")
        }
    };
    pieces.iter().map(word).collect::<Vec<_>>().join("\r\n ")
}

proptest! {
    #[test]
    fn one_mailbox_is_read_alike((written, address) in mailbox()) {
        let (admitted, inspection) = admit(&format!("From: {written}\r\nSubject: x\r\n\r\nbody"));
        let (local, domain) = address.rsplit_once('@').unwrap();
        prop_assert_eq!(inspection.from, From::One(format!("{local}@{}", domain.to_lowercase())));
        let message = MessageParser::new().parse(&admitted).unwrap();
        prop_assert_eq!(message.from().unwrap().first().unwrap().address(), Some(address.as_str()), "{}", written);
    }

    #[test]
    fn several_mailboxes_are_several(mailboxes in proptest::collection::vec(mailbox(), 2..4)) {
        let written: Vec<String> = mailboxes.into_iter().map(|(written, _)| written).collect();
        let (_, inspection) = admit(&format!("From: {}\r\n\r\nbody", written.join(", ")));
        prop_assert_eq!(inspection.from, From::Several);
    }

    #[test]
    fn any_octets_in_from_are_survived(value in proptest::collection::vec(1u8..128, 0..60)) {
        let value: String = value.into_iter().map(char::from).filter(|letter| !matches!(letter, '\r' | '\n')).collect();
        let (_, inspection) = admit(&format!("From:{value}\r\n\r\nbody"));
        prop_assert_ne!(inspection.from, From::Missing);
    }

    #[test]
    fn encoded_subjects_are_decoded(pieces in proptest::collection::vec(("[a-zé☕🙂 ]{1,8}", any::<bool>()), 1..4)) {
        let plain: String = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
        let (admitted, inspection) = admit(&format!("Subject: {}\r\n\r\nbody", encode(&pieces)));
        prop_assert_eq!(&inspection.subject, plain.trim());
        let message = MessageParser::new().parse(&admitted).unwrap();
        prop_assert_eq!(message.subject().unwrap().trim(), plain.trim());
    }
}

#[test]
fn what_we_put_in_front_is_well_formed() {
    let (admitted, inspection) = admit("From: a@example.com\r\n\r\nbody");
    let message = MessageParser::new().parse(&admitted).unwrap();
    let received = message.received().unwrap();
    assert_eq!(received.from().unwrap().to_string(), "01SESSION");
    assert_eq!(received.by().unwrap().to_string(), "relay.example.com");
    assert_eq!(received.id(), Some("01MESSAGE"));
    assert_eq!(received.for_(), Some("bob@example.net"));
    assert_eq!(received.date().unwrap().to_timestamp(), 1_795_469_441);
    assert_eq!(message.date().unwrap().to_timestamp(), 1_795_469_441);
    assert_eq!(Some(inspection.message_id.as_str()), message.message_id().map(|id| format!("<{id}>")).as_deref());
}
