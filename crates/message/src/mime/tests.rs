//! Parts as they are written, well and badly, and as another reader finds them.
#![allow(clippy::unwrap_used)]

use super::*;
use mail_parser::{MessageParser, MimeHeaders as _};
use proptest::prelude::*;

const LETTER: &str = "From: a@x.example\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed;\r\n boundary=\"out;er\"\r\n\r\nFor old readers.\r\n\
    --out;er\r\nContent-Type: multipart/related; boundary=in\r\n\r\n\
    --in\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n\
    --inner\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Caf=E9 =\r\nnoir\r\n\
    --inner \t\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    PGI+Q2Fm\r\nw6k8L2I+\r\n\
    --inner--\r\n\
    --in\r\nContent-Type: IMAGE/PNG; name=logo.png\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\nAQID\r\n\
    --in--\r\n\
    --out;er\r\nContent-Type: application/pdf; name=other.pdf\r\n\
    Content-Disposition: attachment; filename*0*=utf-8''facture%20; filename*1*=%C3%A9t%C3%A9; filename*2=.pdf\r\n\r\n\
    --out;erx\r\nno boundary\r\n\
    --out;er--\r\nAfter.\r\n";

#[test]
fn nested_parts_are_found_with_what_they_hold() {
    let parts = Parts::of(LETTER.as_bytes());
    let types: Vec<_> = parts.parts.iter().map(|part| part.media_type.as_str()).collect();
    assert_eq!(types, ["text/plain", "text/html", "image/png", "application/pdf"]);
    assert_eq!(parts.text().unwrap().text(100), ("Café noir".to_owned(), true));
    assert_eq!(parts.html().unwrap().text(100), ("<b>Café</b>".to_owned(), true));
    assert_eq!(parts.html().unwrap().text(7), ("<b>Caf".to_owned(), false), "no half character");
    let (logo, file) = (&parts.parts[2], &parts.parts[3]);
    assert_eq!((logo.content_id.as_str(), logo.name.as_str(), logo.decoded()), ("logo@x", "logo.png", vec![1, 2, 3]));
    assert_eq!((file.name.as_str(), file.disposition.as_str()), ("facture été.pdf", "attachment"));
    assert_eq!(file.decoded(), b"--out;erx\r\nno boundary");
    assert!(!parts.is_cut);
}

#[test]
fn pictures_of_the_message_are_shown_in_its_html() {
    let letter = |html: &str| {
        format!(
            "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n--b\r\n\
             Content-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\nAQID\r\n--b\r\n\
             Content-Type: image/svg+xml\r\nContent-ID: <svg>\r\n\r\n<svg/>\r\n--b--\r\n"
        )
    };
    let shown = |html: &str, max| Parts::of(letter(html).as_bytes()).html_with_pictures(max).unwrap();
    assert_eq!(
        shown("<img src=cid:logo@x><img src=\"cid:logo%40x\"><img src=cid:svg><img src=cid:none>", 1000),
        "<img src=data:image/png;base64,AQID><img src=\"data:image/png;base64,AQID\"><img src=cid:svg><img src=cid:none>"
    );
    assert_eq!(shown("<img src=cid:logo@x>", 21), "<img src=cid:logo@x>", "there is an end to it");
    assert!(Parts::of(b"\r\nplain").html_with_pictures(10).is_none());
}

#[test]
fn a_message_without_parts_is_one() {
    let plain = Parts::of(b"Subject: x\r\n\r\nHi\r\n");
    assert_eq!((plain.parts.len(), plain.text().unwrap().text(10).0.as_str()), (1, "Hi\r\n"));
    assert!(plain.html().is_none());
    let attached = Parts::of(b"Content-Type: text/html\r\nContent-Disposition: attachment\r\n\r\n<b>\r\n");
    assert!(attached.html().is_none() && attached.text().is_none());
    for odd in [&b""[..], b"\r\n", b"Content-Type:\r\n\r\n", b"Content-Type: multipart/mixed\r\n\r\n--\r\n"] {
        assert_eq!(Parts::of(odd).parts.len(), 1);
    }
    let unclosed = Parts::of(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo");
    assert_eq!(unclosed.parts.iter().map(Part::decoded).collect::<Vec<_>>(), [b"one", b"two"]);
}

#[test]
fn what_is_written_wrongly_is_read_as_well_as_can_be() {
    assert_eq!(decode::base64(b"aGk\r\n!=ignored"), b"hi");
    assert_eq!(decode::base64(b"aGkx a"), b"hi1");
    assert_eq!(decode::quoted_printable(b"a=ZZ=4=41=\r\nb=  \nc="), b"a=ZZ=4Abc");
    assert_eq!(decode::text("é".as_bytes(), "x-unknown"), "é");
    assert_eq!(decode::text(b"\xe9", "us-ascii"), "é");
    assert_eq!(parameters::read("a/b; x=\"q\\\"; y\"; z").1.plain("x").as_deref(), Some("q\"; y"));
}

#[test]
fn whoever_nests_without_end_gets_no_further_than_a_bound() {
    let mut many = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    many.push_str(&"--b\r\n\r\nx\r\n".repeat(100_000));
    let parts = Parts::of(many.as_bytes());
    assert!(parts.parts.len() == PARTS_MAX && parts.is_cut);
    let mut deep = String::new();
    for number in 0..10_000 {
        deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n"));
    }
    let parts = Parts::of(deep.as_bytes());
    assert_eq!((parts.parts.len(), parts.parts[0].media_type.as_str()), (1, "multipart/mixed"));
    // a boundary that is the beginning of the one around it
    let same = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(1000);
    assert!(Parts::of(same.as_bytes()).parts.len() <= PARTS_MAX);
}

/// What another reader makes of it: types, and what is in them.
fn oracle(content: &[u8]) -> Vec<(String, Vec<u8>)> {
    let message = MessageParser::default().parse(content).unwrap();
    let leaves = message.parts.iter().filter(|part| !part.is_multipart());
    leaves
        .map(|part| {
            let kind = part.content_type().map_or_else(
                || "text/plain".to_owned(),
                |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase(),
            );
            (kind, part.contents().to_vec())
        })
        .collect()
}

#[test]
fn another_reader_finds_the_same() {
    let found: Vec<_> = Parts::of(LETTER.as_bytes()).parts.iter().map(|part| part.media_type.clone()).collect();
    assert_eq!(found, oracle(LETTER.as_bytes()).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn files_come_back_as_they_were(files in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..5)) {
        use base64::Engine as _;
        let mut letter = "Content-Type: multipart/mixed; boundary=edge\r\n\r\n".to_owned();
        for file in &files {
            let encoded = base64::engine::general_purpose::STANDARD.encode(file);
            letter.push_str(&format!(
                "--edge\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n"
            ));
        }
        letter.push_str("--edge--\r\n");
        let parts = Parts::of(letter.as_bytes());
        prop_assert_eq!(parts.parts.iter().map(Part::decoded).collect::<Vec<_>>(), files.clone());
        prop_assert_eq!(oracle(letter.as_bytes()).into_iter().map(|(_, octets)| octets).collect::<Vec<_>>(), files);
    }

    #[test]
    fn any_octets_are_read(octets in proptest::collection::vec(prop_oneof![
        Just(&b"--b"[..]), Just(&b"\r\n"[..]), Just(&b"\n"[..]), Just(&b"Content-Type: multipart/mixed; boundary=b"[..]),
        Just(&b"Content-Type: text/html; charset=\"\\"[..]), Just(&b"Content-Transfer-Encoding: base64"[..]),
        Just(&b"--"[..]), Just(&b"=\xff"[..]), Just(&b" ;*0*='"[..]),
    ], 0..60)) {
        let octets = octets.concat();
        let parts = Parts::of(&octets);
        prop_assert!(!parts.parts.is_empty() && parts.parts.len() <= PARTS_MAX || octets.contains(&b'b'));
        for part in &parts.parts {
            prop_assert!(part.text(50).0.len() <= 50);
        }
    }
}

#[test]
fn a_frame_names_no_host_that_a_browser_would_dial() {
    let message = "Content-Type: text/html\r\n\r\n<LINK rel=preconnect href=//a.example><p>x</p><link>";
    let html = Parts::of(message.as_bytes()).html_with_pictures(1000).unwrap();
    assert_eq!(html, "<lin- rel=preconnect href=//a.example><p>x</p><lin->");
}

#[test]
fn pieces_that_lead_to_no_part_are_counted() {
    let piece = "--b\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\n\r\n";
    let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", piece.repeat(5_000));
    let parts = Parts::of(message.as_bytes());
    assert!(parts.is_cut && parts.read == SECTIONS_MAX, "{}", parts.read);
}
