//! What a next hop that behaves gets, and what it says of each recipient.

use super::*;
use relay::notification::Requests;
use relay::priority::Priority;
use smtp::dsn::{Notify, Ret};
use smtp::envelope::RcptParameters;

#[tokio::test]
async fn a_message_goes_out_as_it_is_with_its_seal_in_front() {
    let hop = Hop::start(polite(&["PIPELINING", "SIZE 100000"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let parcel = Parcel { seal: Some(Bytes::from_static(b"DKIM-Signature: x\r\n")), ..parcel(&["x@b.example"]) };
    let delivery = once(&outbound, &parcel).await;
    assert_eq!(short(&delivery), ["Content 250"]);
    assert_eq!(delivery.findings[0].0, 0);
    let attempt = delivery.attempt;
    assert_eq!((attempt.at, attempt.host.as_str(), attempt.tls.as_str()), (Timestamp(7), "127.0.0.1", "none"));
    assert_eq!(attempt.remote, Some(hop.address));
    let heard = hop.heard();
    let octets = CONTENT.len() + 19;
    let mail = format!("MAIL FROM:<shop@a.example> SIZE={octets}");
    assert_eq!(heard.lines, ["EHLO relay.example", &mail, "RCPT TO:<x@b.example>", "DATA"]);
    assert_eq!(heard.contents, [[b"DKIM-Signature: x\r\n", SENT].concat()]);
}

#[tokio::test]
async fn recipients_are_judged_one_by_one_with_and_without_pipelining() {
    for keywords in [&["PIPELINING"][..], &[]] {
        let hop = Hop::start(polite(keywords, |_, line| match line {
            "RCPT TO:<y@b.example>" => Some(say("450 4.2.0 later")),
            "RCPT TO:<z@b.example>" => Some(say("550 5.1.1 nobody")),
            _ => None,
        }))
        .await;
        let outbound = routed(settings(), hop.address, RouteTls::None);
        let delivery = once(&outbound, &parcel(&["x@b.example", "y@b.example", "z@b.example"])).await;
        assert_eq!(short(&delivery), ["Content 250", "Recipient 450", "Recipient 550"], "{keywords:?}");
        assert_eq!(hop.heard().contents, [SENT]);
    }
}

#[tokio::test]
async fn numbers_of_recipients_are_those_of_the_envelope() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let parcel = Parcel { recipients: vec![2, 0], ..parcel(&["x@b.example", "y@c.example", "z@b.example"]) };
    let delivery = once(&outbound, &parcel).await;
    assert_eq!(delivery.findings.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 0]);
    let paths: Vec<_> = hop.heard().lines.into_iter().filter(|line| line.starts_with("RCPT")).collect();
    assert_eq!(paths, ["RCPT TO:<z@b.example>", "RCPT TO:<x@b.example>"]);
}

#[tokio::test]
async fn a_site_is_given_no_more_recipients_at_once_than_it_takes() {
    let hop = Hop::start(polite(&["PIPELINING"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let parcel = Parcel { transaction_recipients: 2, ..parcel(&["x@b.example", "y@b.example", "z@b.example"]) };
    let delivery = once(&outbound, &parcel).await;
    assert_eq!(short(&delivery), ["Content 250"; 3]);
    assert_eq!(hop.heard().contents, [SENT, SENT], "two, and then the third");
}

#[tokio::test]
async fn where_all_are_refused_nothing_of_the_content_goes_out() {
    for keywords in [&["PIPELINING"][..], &[]] {
        let hop =
            Hop::start(polite(keywords, |_, line| line.starts_with("RCPT").then(|| say("550 5.1.1 nobody")))).await;
        let outbound = routed(settings(), hop.address, RouteTls::None);
        let mut line = None;
        let delivery = deliver(&outbound, &mut line, &parcel(&["x@b.example", "y@b.example"])).await;
        assert_eq!(short(&delivery), ["Recipient 550", "Recipient 550"]);
        assert!(hop.heard().contents.iter().all(Vec::is_empty), "{keywords:?}");
        assert!(line.is_some(), "the line is still good");
    }
}

#[tokio::test]
async fn what_the_next_hop_lacks_is_found_before_anything_is_sent() {
    let hop = Hop::start(polite(&["SIZE 10"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let needing = |eight: bool, utf8: bool| {
        let mut parcel = parcel(&["x@b.example"]);
        let mut envelope = Envelope::clone(&parcel.envelope);
        (envelope.needs_eight_bit, envelope.header_needs_smtputf8) = (eight, utf8);
        parcel.envelope = Arc::new(envelope);
        parcel
    };
    assert_eq!(short(&once(&outbound, &needing(true, false)).await), ["NeedsEightBit"]);
    assert_eq!(short(&once(&outbound, &needing(false, true)).await), ["NeedsSmtputf8"]);
    assert_eq!(short(&once(&outbound, &parcel(&["ü@b.example"])).await), ["NeedsSmtputf8"]);
    assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), ["TooLarge"]);
    assert!(hop.heard().lines.iter().all(|line| !line.starts_with("MAIL")));
}

#[tokio::test]
async fn an_address_beyond_ascii_takes_no_other_with_it() {
    let hop = Hop::start(polite(&["PIPELINING"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let delivery = once(&outbound, &parcel(&["x@b.example", "ü@b.example", "y@b.example"])).await;
    assert_eq!(short(&delivery), ["Content 250", "NeedsSmtputf8", "Content 250"]);
}

#[tokio::test]
async fn what_it_has_is_used() {
    let hop = Hop::start(polite(&["8BITMIME", "SMTPUTF8"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let mut parcel = parcel(&["ü@b.example"]);
    Arc::make_mut(&mut parcel.envelope).needs_eight_bit = true;
    assert_eq!(short(&once(&outbound, &parcel).await), ["Content 250"]);
    assert!(hop.heard().lines.contains(&"MAIL FROM:<shop@a.example> BODY=8BITMIME SMTPUTF8".to_owned()));
}

#[tokio::test]
async fn many_recipients_are_several_transactions_on_one_connection() {
    let hop = Hop::start(polite(&["PIPELINING"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let names: Vec<String> = (0..150).map(|number| format!("r{number}@b.example")).collect();
    let parcel = parcel(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let delivery = once(&outbound, &parcel).await;
    assert!(short(&delivery).iter().all(|finding| finding == "Content 250"));
    let heard = hop.heard();
    assert_eq!((heard.connections, heard.contents.len()), (1, 2));
    assert_eq!(heard.lines.iter().filter(|line| line.starts_with("RCPT")).count(), 150);
}

#[tokio::test]
async fn limits_of_the_next_hop_are_kept() {
    let hop = Hop::start(polite(&["LIMITS RCPTMAX=2 MAILMAX=1"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let mut line = None;
    let delivery = deliver(&outbound, &mut line, &parcel(&["x@b.example", "y@b.example", "z@b.example"])).await;
    assert_eq!(short(&delivery), ["Content 250"; 3]);
    let heard = hop.heard();
    assert_eq!((heard.connections, heard.contents.len()), (2, 2));
    assert!(line.is_none(), "it takes no more mail");
}

#[tokio::test]
async fn content_from_a_file_is_streamed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    let content: Vec<u8> = b"a: b\r\n\r\n".iter().copied().chain(b".dots\r\nno dots\r\n".repeat(40_000)).collect();
    std::fs::write(&path, &content).unwrap();
    let hop = Hop::start(polite(&["PIPELINING"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let filed = |octets| Parcel { content: Content::Filed { path: path.clone(), octets }, ..parcel(&["x@b.example"]) };
    assert_eq!(short(&once(&outbound, &filed(content.len() as u64)).await), ["Content 250"]);
    let sent = &hop.heard().contents[0];
    assert_eq!(sent.len(), content.len() + 40_000);
    assert!(sent.starts_with(b"a: b\r\n\r\n..dots\r\nno dots\r\n..dots\r\n"));
    // a file that is shorter than it should be is never passed off as a whole message
    assert_eq!(short(&once(&outbound, &filed(content.len() as u64 + 1)).await), ["Lost"]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(short(&once(&outbound, &filed(content.len() as u64)).await), ["Lost"]);
    assert_eq!(hop.heard().contents.len(), 1);
}

#[tokio::test]
async fn a_file_that_was_changed_since_it_was_submitted_is_not_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    let content = b"a: b\r\n\r\n".iter().copied().chain(b".dots\r\nno dots\r\n".repeat(20_000)).collect::<Vec<u8>>();
    let hop = Hop::start(polite(&["PIPELINING"], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let mut parcel = parcel(&["x@b.example"]);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &content);
    Arc::make_mut(&mut parcel.envelope).facts.sha256.copy_from_slice(digest.as_ref());
    parcel.content = Content::Filed { path: path.clone(), octets: content.len() as u64 };
    std::fs::write(&path, &content).unwrap();
    assert_eq!(short(&once(&outbound, &parcel).await), ["Content 250"]);
    let mut changed = content;
    *changed.last_mut().unwrap() = b'x';
    std::fs::write(&path, &changed).unwrap();
    assert_eq!(short(&once(&outbound, &parcel).await), ["Lost"]);
    assert_eq!(hop.heard().contents.len(), 1);
}

#[tokio::test]
async fn a_null_reverse_path_is_said_as_such() {
    let hop = Hop::start(polite(&[], nothing_special)).await;
    let outbound = routed(settings(), hop.address, RouteTls::None);
    let mut parcel = parcel(&["x@b.example"]);
    Arc::make_mut(&mut parcel.envelope).reverse_path = ReversePath::Null;
    assert_eq!(short(&once(&outbound, &parcel).await), ["Content 250"]);
    assert!(hop.heard().lines.contains(&"MAIL FROM:<>".to_owned()));
}

#[tokio::test]
async fn what_is_asked_about_notifications_goes_to_whom_lists_dsn_and_the_rest_is_known() {
    let asked = RcptParameters { notify: Notify::parse("SUCCESS"), orcpt: Some("rfc822;Z+2B@b.example".into()) };
    let recipients = vec![RcptParameters::default(), RcptParameters::default(), asked];
    let requests = Requests { ret: Some(Ret::Full), envid: Some("Q1".into()), recipients, ..Requests::default() };
    for (keywords, mail, recipient, passed_on) in [
        (&["DSN"][..], " RET=FULL ENVID=Q1", " NOTIFY=SUCCESS ORCPT=rfc822;Z+2B@b.example", vec![2, 0]),
        (&[], "", "", vec![]),
    ] {
        let hop = Hop::start(polite(keywords, nothing_special)).await;
        let outbound = routed(settings(), hop.address, RouteTls::None);
        let plain = parcel(&["x@b.example", "y@c.example", "z@b.example"]);
        let envelope = Envelope { requests: Some(Box::new(requests.clone())), ..(*plain.envelope).clone() };
        let parcel = Parcel { recipients: vec![2, 0], envelope: Arc::new(envelope), ..plain };
        let delivery = once(&outbound, &parcel).await;
        assert_eq!(short(&delivery), ["Content 250", "Content 250"]);
        assert_eq!(delivery.passed_on, passed_on);
        let lines = [
            format!("MAIL FROM:<shop@a.example>{mail}"),
            format!("RCPT TO:<z@b.example>{recipient}"),
            "RCPT TO:<x@b.example>".to_owned(),
        ];
        assert_eq!(hop.heard().lines[1..4], lines);
    }
}

#[tokio::test]
async fn a_priority_goes_to_whom_lists_it() {
    for (keywords, priority, said) in [
        (&["MT-PRIORITY"][..], Priority::HIGH, " MT-PRIORITY=4"),
        (&["MT-PRIORITY"], Priority::NORMAL, " MT-PRIORITY=0"),
        (&[], Priority::HIGH, ""),
    ] {
        let hop = Hop::start(polite(keywords, nothing_special)).await;
        let plain = parcel(&["x@b.example"]);
        let envelope = Envelope { priority, ..(*plain.envelope).clone() };
        once(&routed(settings(), hop.address, RouteTls::None), &Parcel { envelope: Arc::new(envelope), ..plain }).await;
        assert_eq!(hop.heard().lines[1], format!("MAIL FROM:<shop@a.example>{said}"));
    }
}

#[tokio::test]
async fn where_nothing_is_asked_nothing_is_passed_on_even_to_whom_lists_dsn() {
    let hop = Hop::start(polite(&["DSN"], nothing_special)).await;
    let delivery = once(&routed(settings(), hop.address, RouteTls::None), &parcel(&["x@b.example"])).await;
    assert!(delivery.passed_on.is_empty());
    assert_eq!(hop.heard().lines[1..3], ["MAIL FROM:<shop@a.example>", "RCPT TO:<x@b.example>"]);
}
