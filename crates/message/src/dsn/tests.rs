//! DSNs, read back by a parser that is not ours.

use super::*;
use mail_parser::{MessageParser, MimeHeaders as _};

fn failed(address: &str, reply: Option<&str>) -> ReportedRecipient {
    ReportedRecipient {
        address: address.into(),
        original: None,
        status: "5.1.1".into(),
        remote_reply: reply.map(Into::into),
        remote_host: reply.map(|_| "mx.example.net".into()),
        reason: "There is no such mailbox. Check the spelling of the address.".into(),
    }
}

const HEADER: &[u8] =
    b"Received: from x\r\n\tby y; z\r\nMessage-ID: <first@example.com>\r\nSubject: =?utf-8?Q?Caf=C3=A9?=\r\n\
                        From: a@example.com\r\n\r\n";

fn notification<'a>(recipient: &'a str, failed: &'a [ReportedRecipient], header: &'a [u8]) -> Notification<'a> {
    Notification {
        hostname: "relay.example.com",
        message: "01DSN",
        recipient,
        original: "01FIRST",
        envelope: None,
        arrived_seconds: 1_795_469_441,
        seconds: 1_795_469_500,
        language: Language::English,
        action: Action::Failed,
        recipients: failed,
        header,
        content: None,
    }
}

/// The parts' media types and decoded texts.
fn parts(content: &[u8]) -> Vec<(String, String)> {
    let message = MessageParser::new().parse(content).unwrap();
    let parts = message.parts.iter().skip(1).map(|part| {
        let kind = part.content_type().unwrap();
        let kind = format!("{}/{}", kind.ctype(), kind.subtype().unwrap());
        (kind, String::from_utf8_lossy(part.contents()).into_owned())
    });
    parts.collect()
}

#[test]
fn people_are_told_in_their_language_and_programs_in_none() {
    let reported = [failed("bob@example.net", Some("550 5.1.1 No such user"))];
    let actions = [
        (Action::Failed, "n’a pas pu être remis", "cessé nos tentatives"),
        (Action::Delayed { until_seconds: 1_795_469_600 }, "est retardé", "se poursuivent"),
        (Action::Delivered, "a été remis", "sont joints"),
        (Action::Relayed, "a été transmis", "est désormais responsable"),
    ];
    for (action, subject, says) in actions {
        let english = Notification { action, ..notification("ann@example.com", &reported, HEADER) };
        let french = Notification { language: Language::French, ..english.clone() };
        let (english, french) = (compose(&english), compose(&french));
        assert!(french.is_ascii() && french.split(|octet| *octet == b'\n').all(|line| line.len() < 79));
        let read = MessageParser::new().parse(&french).unwrap();
        assert!(read.subject().unwrap().contains(subject), "{:?}", read.subject());
        let (english, french) = (parts(&english), parts(&french));
        assert_eq!(english[1..], french[1..]);
        let text = french[0].1.replace("\r\n", " ");
        let text = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(text.contains(subject) && text.contains(says), "{text}");
        assert!(text.contains("Le serveur mx.example.net a répondu\u{a0}: 550"), "{text}");
        for word in ["Your", "Subject", "Sent", "The "] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn is_a_report_of_three_parts() {
    let failed = [failed("bob@example.net", Some("550 5.1.1 No such user"))];
    let content = compose(&notification("ann@example.com", &failed, HEADER));
    assert!(content.is_ascii());
    let parts = parts(&content);
    let kinds: Vec<&str> = parts.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["text/plain", "message/delivery-status", "text/rfc822-headers"]);
    assert_eq!(
        parts[1].1.trim_end(),
        "Reporting-MTA: dns; relay.example.com\r\nArrival-Date: Mon, 23 Nov 2026 21:30:41 +0000\r\n\r\n\
         Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 No such user\r\nLast-Attempt-Date: Mon, 23 Nov 2026 21:31:40 +0000"
    );
    assert_eq!(parts[2].1.trim_end().as_bytes(), HEADER.trim_ascii_end());
    for said in ["Café", "bob@example.net", "no such mailbox", "mx.example.net answered: 550", "Message 01FIRST"] {
        assert!(parts[0].1.contains(said), "{}", parts[0].1);
    }
}

#[test]
fn its_header_starts_no_war_of_robots() {
    let failed = [failed("bob@example.net", None)];
    let content = compose(&notification("ann@example.com", &failed, HEADER));
    let message = MessageParser::new().parse(&content).unwrap();
    assert_eq!(message.header_raw("Auto-Submitted").map(str::trim), Some("auto-replied"));
    assert_eq!(message.message_id(), Some("01DSN@relay.example.com"));
    assert_eq!(message.in_reply_to().as_text(), Some("first@example.com"));
    assert_eq!(message.from().unwrap().first().unwrap().address(), Some("MAILER-DAEMON@relay.example.com"));
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some("ann@example.com"));
    assert!(message.date().is_some());
}

#[test]
fn names_every_recipient() {
    let failed = [failed("bob@example.net", None), failed("eve@example.net", Some("552 5.2.2 full"))];
    let parts = parts(&compose(&notification("ann@example.com", &failed, HEADER)));
    assert_eq!(parts[1].1.matches("Action: failed").count(), 2);
    assert!(parts[0].1.contains("bob@example.net") && parts[0].1.contains("eve@example.net"));
    assert!(parts[0].1.contains("these addresses"));
}

#[test]
fn a_hostile_reply_stays_a_reply() {
    let reply = format!("550 no\r\nAction: delivered\r\n\r\n--=_01FIRST--\x00 é {}", "word ".repeat(300));
    let failed = [failed("bob@example.net", Some(&reply))];
    let content = compose(&notification("ann@example.com", &failed, HEADER));
    assert!(content.is_ascii() && !content.contains(&0));
    assert!(content.split(|octet| *octet == b'\n').all(|line| line.len() < 100));
    let parts = parts(&content);
    assert_eq!(parts.len(), 3);
    assert!(!parts[1].1.contains("\r\nAction: delivered"));
    assert_eq!(parts[1].1.matches("word").count(), 300);
}

#[test]
fn the_part_for_programs_is_always_seven_bit() {
    let failed = [failed("bob@example.net", Some(&format!("550 {} é", "x".repeat(5000))))];
    let content = compose(&notification("ann@example.com", &failed, HEADER));
    let text = String::from_utf8(content).unwrap();
    let status = text.split("Content-Type: message/delivery-status\r\n").nth(1).unwrap();
    assert!(status.starts_with("Content-Transfer-Encoding: 7bit\r\n"), "{status}");
    assert!(has_short_lines(status.as_bytes()));
}

#[test]
fn a_non_ascii_recipient_travels_in_seven_bits_to_an_ascii_address() {
    let failed = [failed("bøb@example.net", None)];
    let content = compose(&notification("ann@example.com", &failed, HEADER));
    assert!(content.is_ascii());
    let parts = parts(&content);
    assert_eq!(parts[1].0, "message/global-delivery-status");
    let text = String::from_utf8(content).unwrap();
    assert!(text.contains("Final-Recipient: utf-8; b=C3=B8b@example.net"), "{text}");
}

#[test]
fn to_a_non_ascii_address_it_is_eight_bit() {
    let failed = [failed("bøb@example.net", None)];
    let content = compose(&notification("ånn@example.com", &failed, "Subject: Café\r\n\r\n".as_bytes()));
    let text = String::from_utf8(content.clone()).unwrap();
    assert!(text.contains("To: <ånn@example.com>"));
    assert!(text.contains("Final-Recipient: utf-8; bøb@example.net"));
    assert_eq!(parts(&content)[2].0, "message/global-headers");
}

#[test]
fn strange_headers_come_back_octet_for_octet() {
    let long = [&b"X-Long: "[..], &b"x".repeat(2000), b"\r\n\r\n"].concat();
    for header in [&b"Subject: caf\xe9\r\n\r\n"[..], "Subject: café\r\n\r\n".as_bytes(), &long, b"A: b", b"A: b\r\n"] {
        let failed = [failed("bob@example.net", None)];
        let content = compose(&notification("ann@example.com", &failed, header));
        assert!(content.is_ascii() && has_short_lines(&content));
        let message = MessageParser::new().parse(&content).unwrap();
        let part = message.parts.last().unwrap();
        let raw = &content[part.raw_body_offset() as usize..part.raw_end_offset() as usize];
        let expected = [header.trim_ascii_end(), b"\r\n"].concat();
        let expected =
            if expected.is_ascii() && has_short_lines(&expected) { expected } else { encode(&expected).into_bytes() };
        assert_eq!(raw.trim_ascii_end(), expected.trim_ascii_end());
    }
}

#[test]
fn a_status_that_is_none_is_replaced() {
    for (status, expected) in [
        ("5.1.1", true),
        ("4.10.100", true),
        ("2.0.0", false),
        ("", false),
        ("5.1", false),
        ("5.1.1\r\n", false),
        ("45.1.1", false),
    ] {
        assert_eq!(is_status(status, "45"), expected, "{status}");
    }
}

#[test]
fn what_the_sender_named_is_repeated() {
    let mut reported = [failed("bob@example.net", None), failed("eve@example.net", None)];
    reported[0].original = Some("rfc822;Bob=shop@example.com".into());
    let told = Notification { envelope: Some("Order 7+1"), ..notification("ann@example.com", &reported, HEADER) };
    let parts = parts(&compose(&told));
    assert!(parts[1].1.starts_with("Original-Envelope-Id: Order 7+1\r\nReporting-MTA: dns; "), "{}", parts[1].1);
    let named =
        "\r\n\r\nOriginal-Recipient: rfc822; Bob=shop@example.com\r\nFinal-Recipient: rfc822; bob@example.net\r\n";
    assert!(parts[1].1.contains(named), "{}", parts[1].1);
    assert_eq!(parts[1].1.matches("Original-Recipient").count(), 1);
}

#[test]
fn an_original_recipient_beyond_ascii_makes_the_report_international() {
    let mut reported = [failed("bob@example.net", None)];
    reported[0].original = Some("utf-8;b\u{f8}b@example.com".into());
    let parts = parts(&compose(&notification("ann@example.com", &reported, HEADER)));
    assert_eq!(parts[1].0, "message/global-delivery-status");
    assert!(parts[1].1.contains("Original-Recipient: utf-8; b\u{f8}b@example.com"), "{}", parts[1].1);
}

#[test]
fn each_action_has_its_words_and_a_status_of_its_class() {
    let until_seconds = 1_795_901_441;
    for (action, name, status, subject) in [
        (Action::Failed, "failed", "5.1.1", "Your message could not be delivered"),
        (Action::Delayed { until_seconds }, "delayed", "4.0.0", "Your message is delayed"),
        (Action::Delivered, "delivered", "2.0.0", "Your message was delivered"),
        (Action::Relayed, "relayed", "2.0.0", "Your message was handed on"),
    ] {
        let reported = [failed("bob@example.net", Some("250 2.0.0 Ok"))];
        let content = compose(&Notification { action, ..notification("ann@example.com", &reported, HEADER) });
        assert_eq!(MessageParser::new().parse(&content).unwrap().subject(), Some(subject));
        let parts = parts(&content);
        assert!(parts[0].1.starts_with(subject), "{}", parts[0].1);
        assert!(parts[1].1.contains(&format!("Action: {name}\r\nStatus: {status}\r\n")), "{}", parts[1].1);
        let is_delayed = matches!(action, Action::Delayed { .. });
        assert_eq!(
            parts[1].1.contains("Will-Retry-Until: Sat, 28 Nov 2026 21:30:41 +0000"),
            is_delayed,
            "{}",
            parts[1].1
        );
        assert_eq!(parts[0].1.contains("Sat, 28 Nov 2026 21:30:41 +0000"), is_delayed, "{}", parts[0].1);
    }
}

fn whole(recipient: &str, header: &str, body: &str) -> Vec<u8> {
    let reported = [failed("bob@example.net", None)];
    let (header, content) = (header.as_bytes(), [header, body].concat());
    compose(&Notification { content: Some(content.as_bytes()), ..notification(recipient, &reported, header) })
}

#[test]
fn a_message_comes_back_whole_octet_for_octet() {
    const PLAIN: &str = "Subject: Order\r\nFrom: a@example.com\r\n\r\n";
    for body in ["It is on its way.\r\n", "caf\u{e9}\r\n", "no end of line"] {
        let content = whole("ann@example.com", PLAIN, body);
        let text = String::from_utf8(content.clone()).unwrap();
        let encoding = if body.is_ascii() { "7bit" } else { "8bit" };
        let head =
            format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{PLAIN}{body}");
        assert!(text.contains(&head), "{text}");
        assert_eq!(text.split("\r\n\r\n").next().unwrap().contains("Encoding: 8bit"), !body.is_ascii(), "{text}");
        assert!(text.contains("and your message are attached"), "{text}");
        assert_eq!(MessageParser::new().parse(&content).unwrap().parts.len(), 4);
    }
}

#[test]
fn a_message_that_no_encoding_can_carry_is_told_by_its_header() {
    let long = "x".repeat(2000);
    let text = String::from_utf8(whole("ann@example.com", "Subject: Order\r\n\r\n", &long)).unwrap();
    assert!(text.contains("text/rfc822-headers") && text.contains("the header of your message"), "{text}");
    assert!(!text.contains(&long));
}

#[test]
fn a_header_beyond_ascii_makes_the_returned_message_global() {
    const HEADER: &str = "Subject: Caf\u{e9}\r\n\r\n";
    let content = whole("ann@example.com", HEADER, "x\r\n");
    assert!(content.is_ascii());
    assert!(
        String::from_utf8(content).unwrap().contains("message/global\r\nContent-Transfer-Encoding: quoted-printable")
    );
    let content = String::from_utf8(whole("\u{e5}nn@example.com", HEADER, "x\r\n")).unwrap();
    assert!(
        content.contains(&format!("message/global\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{HEADER}x\r\n")),
        "{content}"
    );
}
