//! Admission, case by case and by chance.

use super::*;
use proptest::prelude::*;

const RECEIVED: &str = "Received: from 01SESSION by relay.example.com\r\n\twith ESMTPSA id 01MESSAGE;\r\n\t\
                        Mon, 23 Nov 2026 21:30:41 +0000\r\n";
const DATE: &str = "Date: Mon, 23 Nov 2026 21:30:41 +0000\r\n";
const MESSAGE_ID: &str = "Message-ID: <01MESSAGE@example.com>\r\n";

fn stamp() -> Stamp {
    Stamp {
        hostname: "relay.example.com".into(),
        session: "01SESSION".into(),
        protocol: "ESMTPSA",
        message: "01MESSAGE".into(),
        recipient: None,
        priority: None,
        seconds: 1_795_469_441,
        domain: "example.com".into(),
        unsubscribe: None,
    }
}

fn admit_pieces(pieces: &[&[u8]]) -> Result<(Vec<u8>, Inspection), AdmissionError> {
    let mut admission = Admission::new(stamp());
    let mut admitted = Vec::new();
    for piece in pieces {
        admitted.extend(admission.on_content(Bytes::copy_from_slice(piece))?);
    }
    let (last, inspection) = admission.finish()?;
    admitted.extend(last);
    Ok((admitted.concat(), inspection))
}

fn admit(content: impl AsRef<[u8]>) -> (Vec<u8>, Inspection) {
    let (admitted, inspection) = admit_pieces(&[content.as_ref()]).unwrap();
    let hash = digest::digest(&digest::SHA256, &admitted);
    assert_eq!(hash.as_ref(), inspection.sha256);
    assert_eq!(inspection.octets, admitted.len() as u64);
    (admitted, inspection)
}

/// What became of the content after the fields we always put in front.
fn admitted(content: impl AsRef<[u8]>) -> String {
    let (admitted, _) = admit(content);
    let text = String::from_utf8(admitted).unwrap();
    text.strip_prefix(RECEIVED).unwrap().to_owned()
}

fn from_of(content: &str) -> From {
    admit(content).1.from
}

#[test]
fn tells_where_to_unsubscribe_where_nothing_is_said_of_that() {
    let link = "https://relay.example.com/unsubscribe/abc";
    let with = |content: &'static str| {
        let mut admission = Admission::new(Stamp { unsubscribe: Some(link.into()), ..stamp() });
        let mut admitted = admission.on_content(Bytes::from_static(content.as_bytes())).unwrap();
        let (last, inspection) = admission.finish().unwrap();
        admitted.extend(last);
        let admitted = admitted.concat();
        assert_eq!(digest::digest(&digest::SHA256, &admitted).as_ref(), inspection.sha256);
        String::from_utf8(admitted).unwrap().strip_prefix(RECEIVED).unwrap().to_owned()
    };
    let letter = "Date: x\r\nMessage-ID: <a@b>\r\n\r\nBody\r\n";
    let fields = format!("List-Unsubscribe: <{link}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    assert_eq!(with(letter), format!("{fields}{letter}"));
    for own in [
        "Date: x\r\nMessage-ID: <a@b>\r\nlist-unsubscribe: <mailto:u@example.com>\r\n\r\nBody\r\n",
        "Date: x\r\nMessage-ID: <a@b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nBody\r\n",
    ] {
        assert_eq!(with(own), own);
    }
}

#[test]
fn knows_the_content_of_an_earlier_message_again() {
    let earlier = |content: &str| {
        let (_, inspection) = admit(content);
        Earlier { stamp: stamp(), header_octets: inspection.header_octets, sha256: inspection.sha256 }
    };
    let later = Stamp { session: "02SESSION".into(), message: "02MESSAGE".into(), seconds: 1_795_469_999, ..stamp() };
    let again = |earlier: Earlier, content: &str| {
        let recall: Recall = Box::new(move |name| (name == "<a@b>").then_some(earlier));
        let mut admission = Admission::new(later.clone()).recalling(Some(recall));
        for piece in content.as_bytes().chunks(7) {
            admission.on_content(Bytes::copy_from_slice(piece)).unwrap();
        }
        admission.finish().unwrap().1.repeats
    };
    for fields in ["", "Date: x\r\n", "List-Unsubscribe: <mailto:u@b.example>\r\n"] {
        let letter = format!("Message-ID: <a@b>\r\n{fields}\r\nBody\r\n");
        assert_eq!(again(earlier(&letter), &letter), Some("01MESSAGE".into()), "{letter}");
        for other in [
            letter.replace("Body", "Bodi"),
            letter.replace("Body", "Bod"),
            format!("Bcc: x@y.example\r\nTo: x\r\n{letter}"),
        ] {
            assert_eq!(again(earlier(&letter), &other), None, "{other}");
        }
        let named = letter.replace("<a@b>", "<c@d>");
        assert_eq!(again(earlier(&named), &named), None, "it was not asked for");
    }
    let nameless = "From: a@example.com\r\n\r\nBody\r\n";
    assert_eq!(again(earlier(nameless), nameless), None, "each is given a name of its own");
}

#[test]
fn puts_received_in_front_and_leaves_the_rest() {
    let content =
        "Date: x\r\nMESSAGE-ID: <a@b>\r\nFrom: a@example.com\r\nX-Odd :\tv  \r\n\tw\r\n\r\nBody\r\n. \r\n\r\n";
    assert_eq!(admitted(content), content);
    let (all, inspection) = admit(content);
    assert_eq!(inspection.header_octets as usize, all.len() - "Body\r\n. \r\n\r\n".len());
    assert_eq!(inspection.message_id, "<a@b>");
    assert_eq!(inspection.from, From::One("a@example.com".into()));
}

#[test]
fn adds_what_is_missing() {
    assert_eq!(admitted("From: a@b.example\r\n\r\nx"), format!("{DATE}{MESSAGE_ID}From: a@b.example\r\n\r\nx"));
    assert_eq!(admitted("Date: x\r\n\r\n"), format!("{MESSAGE_ID}Date: x\r\n\r\n"));
    assert_eq!(admitted("Message-ID: <x@y>\r\n\r\n"), format!("{DATE}Message-ID: <x@y>\r\n\r\n"));
    assert_eq!(admit("From: a@b.example\r\n\r\n").1.message_id, "<01MESSAGE@example.com>");
}

#[test]
fn takes_out_blind_copies_and_return_paths_with_their_folds() {
    let content = "BCC: a@x.example,\r\n b@x.example\r\nDate: x\r\nbcc :c@x.example\r\nReturn-Path: <d@x.example>\r\n\
                   Resent-Bcc:\r\n\te@x.example\r\nX-Bcc: stays\r\nMessage-ID: <i@x>\r\nBcc: last\r\n\r\nBcc: body\r\n";
    assert_eq!(admitted(content), "Date: x\r\nX-Bcc: stays\r\nMessage-ID: <i@x>\r\n\r\nBcc: body\r\n");
}

#[test]
fn a_header_alone_stays_alone() {
    assert_eq!(admitted("Date: x\r\nMessage-ID: <i@x>\r\n"), "Date: x\r\nMessage-ID: <i@x>\r\n");
    assert_eq!(admitted("Date: x\r\nMessage-ID: <i@x>"), "Date: x\r\nMessage-ID: <i@x>");
    assert_eq!(admitted("Date: x\r\nMessage-ID: <i@x>\r\nBcc: y"), "Date: x\r\nMessage-ID: <i@x>\r\n");
    assert_eq!(admitted("Date: x\r\nMessage-ID: <i@x>\r\n\r\n"), "Date: x\r\nMessage-ID: <i@x>\r\n\r\n");
}

#[test]
fn nothing_at_all_becomes_a_header() {
    assert_eq!(admitted(""), format!("{DATE}{MESSAGE_ID}"));
    assert_eq!(admitted("\r\n"), format!("{DATE}{MESSAGE_ID}\r\n"));
    assert_eq!(admit("").1.from, From::Missing);
}

#[test]
fn a_body_without_header_gets_its_empty_line() {
    assert_eq!(admitted("Hello\r\n\r\nA: b\r\n"), format!("{DATE}{MESSAGE_ID}\r\nHello\r\n\r\nA: b\r\n"));
    assert_eq!(admitted("Hello"), format!("{DATE}{MESSAGE_ID}\r\nHello"));
    assert_eq!(admitted("\r\nHello"), format!("{DATE}{MESSAGE_ID}\r\nHello"));
    // white space first would otherwise be folded into our own last field
    assert_eq!(admitted(" Subject: x\r\n\r\ny"), format!("{DATE}{MESSAGE_ID}\r\n Subject: x\r\n\r\ny"));
}

#[test]
fn a_line_that_is_no_field_ends_the_header() {
    assert_eq!(
        admitted("Date: x\r\nMessage-ID: <i@x>\r\nno field\r\nSubject: body\r\n"),
        "Date: x\r\nMessage-ID: <i@x>\r\n\r\nno field\r\nSubject: body\r\n"
    );
    assert_eq!(admitted("Date: x\r\nMessage-ID: <i@x>\r\nend"), "Date: x\r\nMessage-ID: <i@x>\r\n\r\nend");
    let (_, inspection) = admit("Subject: s\r\nno field\r\nFrom: a@x.example\r\n\r\n");
    assert_eq!(inspection.from, From::Missing);
}

#[test]
fn an_mbox_separator_goes_once() {
    let header = "Date: x\r\nMessage-ID: <i@x>\r\n\r\nFrom here on\r\n";
    assert_eq!(admitted(format!("From a@b Mon Nov 23 21:30:41 2026\r\n{header}")), header);
    assert_eq!(admitted(format!(">From a@b Mon Nov 23 21:30:41 2026\r\n{header}")), header);
    assert_eq!(admitted("From a\r\nFrom b\r\n"), format!("{DATE}{MESSAGE_ID}\r\nFrom b\r\n"));
    assert_eq!(admitted("From a\r\n folded\r\n"), format!("{DATE}{MESSAGE_ID}\r\n folded\r\n"));
    assert_eq!(admitted("From a"), format!("{DATE}{MESSAGE_ID}"));
}

#[test]
fn reads_from() {
    assert_eq!(from_of("From: A <a@EXAMPLE.com>\r\n\r\n"), From::One("a@example.com".into()));
    assert_eq!(from_of("from :\r\n a@example.com\r\n\r\n"), From::One("a@example.com".into()));
    assert_eq!(from_of("To: a@example.com\r\nX-From: b@c.example\r\n\r\nFrom: b@c.example"), From::Missing);
    assert_eq!(from_of("From: a@example.com\r\nFROM: a@example.com\r\n\r\n"), From::Several);
    assert_eq!(from_of("From: a@example.com, b@example.com\r\n\r\n"), From::Several);
    assert_eq!(from_of("From: nobody\r\n\r\n"), From::Several);
    assert_eq!(from_of("From:\r\n\r\n"), From::Several);
    assert_eq!(from_of("From: undisclosed:;\r\n\r\n"), From::Several);
}

#[test]
fn reads_the_first_subject() {
    let content = "Subject: =?utf-8?B?Q2Fmw6k=?=\r\n =?utf-8?Q?_cr=C3=A8me?=\r\n today\r\nSubject: second\r\n\r\n";
    assert_eq!(admit(content).1.subject, "Café crème today");
    assert_eq!(admit("Subject: \r\n\r\n").1.subject, "");
}

#[test]
fn tells_where_eight_bit_octets_are() {
    let found = |content: &str| {
        let (_, inspection) = admit(content);
        (inspection.header_eight_bit, inspection.body_eight_bit)
    };
    assert_eq!(found("Subject: x\r\n\r\ny"), (false, false));
    assert_eq!(found("Subject: é\r\n\r\ny"), (true, false));
    assert_eq!(found("Subject: x\r\n\r\né"), (false, true));
    assert_eq!(found("Bcc: é@x.example\r\n\r\ny"), (false, false));
    assert_eq!(found("é"), (false, true));
}

#[test]
fn reads_whether_policies_about_tls_are_waived() {
    for (fields, waives) in [
        ("TLS-Required: No\r\n", true),
        ("tls-required:\r\n no \r\n", true),
        ("TLS-Required: Yes\r\n", false),
        ("TLS-Required: No way\r\n", false),
        ("TLS-Required:\r\n", false),
        ("TLS-Required: No\r\nTLS-Required: No\r\n", false),
        ("X-TLS-Required: No\r\n", false),
    ] {
        let (admitted, inspection) = admit(format!("From: a@b.c\r\n{fields}\r\nTLS-Required: No\r\n"));
        assert_eq!(inspection.waives_tls, waives, "{fields}");
        assert!(String::from_utf8(admitted).unwrap().contains(fields));
    }
}

#[test]
fn refuses_nul_anywhere() {
    for content in [&b"Subject: \0\r\n\r\n"[..], b"Subject: x\r\n\r\na\0", b"\0", b"Bcc: \0\r\n\r\n", b"x\0y\r\n"] {
        assert_eq!(admit_pieces(&[content]).unwrap_err(), AdmissionError::Nul, "{content:?}");
    }
    let mut late = b"A: b\r\n\r\n".to_vec();
    late.resize(3 * WINDOW_OCTETS, b'x');
    late.push(0);
    assert_eq!(admit_pieces(&[&late]).unwrap_err(), AdmissionError::Nul);
}

#[test]
fn refuses_a_loop() {
    let hops = |count: usize| format!("{}\r\n", "received: from a by b; date\r\n".repeat(count));
    assert!(admit_pieces(&[hops(100).as_bytes()]).is_ok());
    assert_eq!(admit_pieces(&[hops(101).as_bytes()]).unwrap_err(), AdmissionError::Loop);
}

#[test]
fn refuses_a_header_beyond_what_is_held() {
    let fits = format!("X: {}\r\n\r\n", "x".repeat(HEADER_OCTETS_MAX - 7));
    assert!(admit_pieces(&[fits.as_bytes(), &vec![b'y'; HEADER_OCTETS_MAX * 2]]).is_ok());
    let over = format!("X: {}\r\n\r\n", "x".repeat(HEADER_OCTETS_MAX - 6));
    assert_eq!(admit_pieces(&[over.as_bytes()]).unwrap_err(), AdmissionError::HeaderTooLong);
    let endless = "X".repeat(1024);
    let mut admission = Admission::new(stamp());
    let results: Vec<_> = (0..258).map(|_| admission.on_content(Bytes::from(endless.clone())).err()).collect();
    assert_eq!(results[255..], [None, Some(AdmissionError::HeaderTooLong), Some(AdmissionError::HeaderTooLong)]);
    assert_eq!(admission.finish().unwrap_err(), AdmissionError::HeaderTooLong);
}

#[test]
fn lends_the_body() {
    let content = Bytes::from_static(b"A: b\r\n\r\nbody");
    let mut admission = Admission::new(stamp());
    let ready = admission.on_content(content.clone()).unwrap();
    assert_eq!(ready.len(), 2);
    assert_eq!(ready[1].as_ptr(), content[8..].as_ptr());
    let body = Bytes::from_static(b"more");
    assert_eq!(admission.on_content(body.clone()).unwrap()[0].as_ptr(), body.as_ptr());
}

/// Lines that a client may send in any order, the strange ones among them.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: &'static str| Just(text.as_bytes().to_vec());
    prop_oneof![
        text("Bcc: a@x.example\r\n"),
        text("BCC :a@x.example\r\n"),
        text("resent-bcc: x\r\n"),
        text("Return-Path: <>\r\n"),
        text("From: Ann <a@example.com>\r\n"),
        text("Subject: =?utf-8?Q?=C3=A9?=\r\n"),
        text("Date: x\r\n"),
        text("Message-ID: <i@x>\r\n"),
        text(" folded: text\r\n"),
        text("\t\r\n"),
        text("From a@b Mon\r\n"),
        text("no field\r\n"),
        text(": x\r\n"),
        text("\r\n"),
        text("unfinished"),
        proptest::collection::vec(1u8.., 0..12),
    ]
}

/// The names of the fields, read by nobody of ours: up to the first line without content.
fn names(admitted: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(admitted).replace("\r\n", "\n");
    text.split('\n')
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap().trim().to_ascii_lowercase())
        .collect()
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        lines in proptest::collection::vec(line(), 0..8),
        cuts in proptest::collection::vec(0usize..120, 0..6),
    ) {
        let content = lines.concat();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(content.len())).chain([0, content.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &content[cut[0]..cut[1]]).collect();
        prop_assert_eq!(admit_pieces(&pieces), admit_pieces(&[&content]));
    }

    #[test]
    fn no_blind_copy_ever_and_our_fields_always(lines in proptest::collection::vec(line(), 0..8)) {
        let (admitted, inspection) = admit(lines.concat());
        let names = names(&admitted);
        for removed in REMOVED {
            prop_assert!(!names.iter().any(|name| name.eq_ignore_ascii_case(removed)), "{names:?}");
        }
        for ours in ["received", "date", "message-id"] {
            prop_assert!(names.iter().any(|name| name == ours), "{names:?}");
        }
        prop_assert!(inspection.header_octets <= inspection.octets);
    }

    #[test]
    fn admitted_content_is_admitted_unchanged(lines in proptest::collection::vec(line(), 0..8)) {
        let (once, first) = admit(lines.concat());
        let (twice, second) = admit(&once);
        prop_assert_eq!(String::from_utf8_lossy(&twice[RECEIVED.len()..]), String::from_utf8_lossy(&once));
        prop_assert_eq!(first.from, second.from);
        prop_assert_eq!(first.subject, second.subject);
        prop_assert_eq!(first.header_octets + RECEIVED.len() as u64, second.header_octets);
    }
}
