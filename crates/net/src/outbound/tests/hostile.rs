//! Next hops that drop, stall, flood and lie: nothing hangs, nothing is delivered twice or taken for delivered.

use super::*;
use relay::outcome::Stage;

/// Delivers to a hop that does `act` at the line that begins with `at`.
async fn at(line: &'static str, act: Act, keywords: &'static [&'static str]) -> (Delivery, hop::Heard) {
    // only where silence is what is expected may a slow machine look like it
    let settings = if matches!(act, Act::Mute | Act::Drip(_)) { hasty() } else { settings() };
    let hop = Hop::start(polite(keywords, move |_, heard| {
        let hit = if line.is_empty() { heard.is_empty() } else { heard.starts_with(line) };
        hit.then(|| act.clone())
    }))
    .await;
    let outbound = routed(settings, hop.address, RouteTls::None);
    (once(&outbound, &parcel(&["x@b.example"])).await, hop.heard())
}

const STAGES: [&str; 6] = ["", "EHLO", "MAIL", "RCPT", "DATA", "."];

#[tokio::test]
async fn a_drop_at_any_stage_is_a_loss() {
    for keywords in [&["PIPELINING"][..], &[]] {
        for stage in STAGES {
            let (delivery, heard) = at(stage, Act::Drop, keywords).await;
            assert_eq!(short(&delivery), ["Lost"], "at {stage:?}, {keywords:?}");
            assert_eq!(heard.connections, 1);
            assert_eq!(heard.contents.len(), usize::from(stage == "."));
        }
    }
}

#[tokio::test]
async fn silence_at_any_stage_ends() {
    for stage in STAGES {
        let (delivery, _) = at(stage, Act::Mute, &[]).await;
        assert_eq!(short(&delivery), ["Lost"], "at {stage:?}");
    }
}

#[tokio::test]
async fn closing_at_any_stage_is_the_reply_that_decides() {
    let expected = ["Greeting 421", "Hello 421", "Mail 421", "Recipient 421", "Data 421", "Content 421"];
    for keywords in [&["PIPELINING"][..], &[]] {
        for (stage, expected) in STAGES.into_iter().zip(expected) {
            let (delivery, _) = at(stage, Act::SayAndDrop("421 4.3.2 going down\r\n".into()), keywords).await;
            assert_eq!(short(&delivery), [expected], "at {stage:?}, {keywords:?}");
        }
    }
}

#[tokio::test]
async fn refusals_at_any_stage_are_told_as_they_are() {
    let expected = ["Greeting 554", "Hello 554", "Mail 554", "Recipient 554", "Data 554", "Content 554"];
    for (stage, expected) in STAGES.into_iter().zip(expected) {
        let hop = Hop::start(polite(&["PIPELINING"], move |_, line| {
            let hit = if stage.is_empty() { line.is_empty() } else { line.starts_with(stage) };
            (hit || stage == "EHLO" && line.starts_with("HELO")).then(|| say("554 5.7.1 no"))
        }))
        .await;
        let outbound = routed(settings(), hop.address, RouteTls::None);
        assert_eq!(short(&once(&outbound, &parcel(&["x@b.example"])).await), [expected]);
    }
}

#[tokio::test]
async fn replies_of_several_lines_are_one_reply() {
    let (delivery, _) = at(".", Act::Say("250-2.0.0 well\r\n250-2.0.0 well\r\n250 2.0.0 done\r\n".into()), &[]).await;
    let Finding::Replied(Stage::Content, reply) = &delivery.findings[0].1 else { panic!() };
    assert_eq!(reply.text(), "well well done");
}

#[tokio::test]
async fn a_flood_instead_of_a_greeting_ends() {
    for flood in ["220-welcome to the longest banner\r\n", "22222222222222222222222222"] {
        let (delivery, _) = at("", Act::Flood(flood.into()), &[]).await;
        assert_eq!(short(&delivery), ["Protocol"]);
    }
}

#[tokio::test]
async fn a_drip_never_outlasts_the_time_for_its_reply() {
    for stage in ["", "MAIL", "."] {
        let (delivery, _) = at(stage, Act::Drip(b'2'), &[]).await;
        // digits without end are no reply either, should they come first
        assert!(matches!(short(&delivery)[0].as_str(), "Lost" | "Protocol"));
    }
}

#[tokio::test]
async fn what_is_not_smtp_delivers_nothing() {
    for (stage, text) in [
        ("", "SSH-2.0-OpenSSH_9.2\r\n"),
        ("EHLO", "HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("RCPT", "\0\0\0\0\r\n"),
        ("DATA", "250 no need to send it\r\n"),
        (".", "yes\r\n"),
        (".", "354 more please\r\n"),
    ] {
        let (delivery, _) = at(stage, Act::Say(text.into()), &[]).await;
        assert_eq!(short(&delivery), ["Protocol"], "at {stage:?}");
    }
}

#[tokio::test]
async fn a_reply_too_many_delivers_nothing() {
    let (delivery, heard) = at("EHLO", Act::Say("250 hub\r\n250 unasked\r\n".into()), &[]).await;
    assert_eq!(short(&delivery), ["Protocol"]);
    assert!(heard.contents.is_empty());
    let (delivery, heard) = at("MAIL", Act::Say("250 ok\r\n250 unasked\r\n".into()), &["PIPELINING"]).await;
    assert_eq!(short(&delivery), ["Protocol"]);
    assert!(heard.contents.is_empty());
}

/// A hop that says something as soon as it hears the first content, and reads no more.
async fn interrupts(text: &'static str) -> Delivery {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (done, until_done) = tokio::sync::oneshot::channel::<()>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        stream.write_all(b"220 hub\r\n").await.unwrap();
        for reply in ["250 hub\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", text] {
            let _ = stream.read(&mut buffer).await.unwrap();
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
        let _ = until_done.await;
    });
    let outbound = routed(settings(), address, RouteTls::None);
    let content = Bytes::from(b"some text\r\n".repeat(3_000_000));
    let parcel = Parcel { content: Content::Held(content), ..parcel(&["x@b.example"]) };
    let delivery = once(&outbound, &parcel).await;
    drop(done);
    serving.await.unwrap();
    delivery
}

#[tokio::test]
async fn a_refusal_in_the_midst_of_the_content_counts_and_praise_does_not() {
    assert_eq!(short(&interrupts("552 5.3.4 too big\r\n").await), ["Content 552"]);
    assert_eq!(short(&interrupts("250 2.0.0 thanks, enough\r\n").await), ["Protocol"]);
}

#[tokio::test]
async fn last_words_before_a_drop_are_heard() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        stream.write_all(b"220 hub\r\n").await.unwrap();
        for reply in ["250 hub\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"] {
            let _ = stream.read(&mut buffer).await.unwrap();
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
        let _ = stream.read(&mut buffer[..16]).await.unwrap();
        stream.write_all(b"552 5.3.4 too big\r\n").await.unwrap();
        // closed with unread content: the other end's writes now fail
    });
    let outbound = routed(settings(), address, RouteTls::None);
    let content = Bytes::from(b"some text\r\n".repeat(3_000_000));
    let parcel = Parcel { content: Content::Held(content), ..parcel(&["x@b.example"]) };
    let delivery = once(&outbound, &parcel).await;
    serving.await.unwrap();
    // the network may lose the words together with the connection; either way nothing is delivered
    assert!(matches!(short(&delivery)[0].as_str(), "Content 552" | "Lost"));
}

#[tokio::test]
async fn an_attempt_ends_in_any_case() {
    let hop = Hop::start(polite(&[], |_, line| (line == ".").then_some(Act::Mute))).await;
    let settings = OutboundSettings { attempt_max: Duration::from_millis(200), ..settings() };
    let outbound = routed(settings, hop.address, RouteTls::None);
    let mut line = None;
    let delivery = deliver(&outbound, &mut line, &parcel(&["x@b.example"])).await;
    assert_eq!(short(&delivery), ["Lost"]);
    assert!(line.is_none());
}
