//! The same message once more: answered with the first id where the client may never have read that, and sent again where it did.

use relay::activity::{ActivityFilter, Status};
use relay::store::History;
use std::io::Write;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::harness::{Client, Relay, Running, until};

/// A message with a name of its own.
fn letter(body: &str) -> String {
    format!("From: shop@example.com\r\nMessage-ID: <1@example.com>\r\nSubject: Hello\r\n\r\n{body}\r\n.\r\n")
}

/// The id in the reply to a message.
async fn sent<T: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<T>, body: &str) -> String {
    client.begin().await;
    client.write(letter(body)).await;
    let reply = client.reply().await;
    reply.strip_prefix("250 2.0.0 Ok: queued as ").unwrap_or_else(|| panic!("{reply}")).to_owned()
}

/// Sends on a connection of its own, and leaves in order.
async fn sent_and_quit(running: &Running, body: &str) -> String {
    let mut client = running.logged_in().await;
    let id = sent(&mut client, body).await;
    client.expect("QUIT", "221").await;
    client.ended().await;
    id
}

/// Sends on a connection of its own, which breaks once the relay has accepted; the id.
async fn sent_and_lost(relay: &Relay, running: &Running, body: &str) -> String {
    let before = relay.arrived.lock().unwrap().len();
    let mut client = running.logged_in().await;
    client.begin().await;
    client.write(letter(body)).await;
    until(|| relay.arrived.lock().unwrap().len() > before).await;
    let (socket, _) = client.into_inner().into_inner();
    // no farewell of TLS: so does a client that crashed, or a network that did
    drop(socket);
    until(|| running.server.connections().0 == 0).await;
    relay.arrived.lock().unwrap().last().unwrap().to_string()
}

#[tokio::test]
async fn what_the_client_may_not_have_read_is_answered_with_the_first_id() {
    let relay = Relay::new();
    let running = relay.start().await;
    let first = sent_and_lost(&relay, &running, "one").await;
    relay.clock.advance(Duration::from_secs(60));
    assert_eq!(sent_and_quit(&running, "one").await, first);
    assert_eq!(sent_and_quit(&running, "one").await, first, "however often");
    assert_eq!((relay.kept().await.len(), relay.arrived.lock().unwrap().len()), (1, 1));
    running.stop().await;
    let rows = relay.store.activity(&ActivityFilter { status: Some(Status::Rejected), ..Default::default() }).unwrap();
    assert_eq!(rows.len(), 1, "one row with a count");
    let row = &rows[0];
    assert_eq!(
        (row.reference.as_str(), row.recipient.as_str(), row.count),
        ("already-accepted", "mario@example.org", 2)
    );
    assert!(row.reason.contains(&first) && row.subject == "Hello" && row.reply.contains(&first), "{row:?}");
}

#[tokio::test]
async fn a_network_that_died_without_a_word_leaves_the_session_open_and_the_client_comes_again() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut silent = running.logged_in().await;
    let first = sent(&mut silent, "one").await;
    assert_eq!(sent_and_quit(&running, "one").await, first);
    // it lives after all: what it said was read, and whoever sends the same now wants it sent
    silent.expect("NOOP", "250").await;
    assert_ne!(sent_and_quit(&running, "one").await, first);
    drop(silent);
    running.stop().await;
}

#[tokio::test]
async fn what_differs_in_anything_is_another_message() {
    let relay = Relay::new();
    let running = relay.start().await;
    let first = sent_and_lost(&relay, &running, "one").await;
    assert_ne!(sent_and_quit(&running, "two").await, first, "another content");
    let mut client = running.logged_in().await;
    client.expect("MAIL FROM:<shop@example.com>", "250").await;
    client.expect("RCPT TO:<luigi@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.write(letter("one")).await;
    assert!(!client.reply().await.ends_with(&first), "another recipient");
    client.begin().await;
    client.write(letter("one").replace("<1@", "<2@")).await;
    assert!(!client.reply().await.ends_with(&first), "another name");
    drop(client);
    relay.clock.advance(Duration::from_secs(3_601));
    assert_ne!(sent_and_quit(&running, "one").await, first, "after an hour");
    running.stop().await;
}

#[tokio::test]
async fn what_the_client_has_read_is_sent_again() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut ids = vec![sent_and_quit(&running, "one").await];
    // a further octet says as much, and so does a connection that is closed as TLS has it
    let mut client = running.logged_in().await;
    ids.push(sent(&mut client, "one").await);
    client.expect("RSET", "250").await;
    drop(client.into_inner().into_inner());
    until(|| running.server.connections().0 == 0).await;
    let mut client = running.logged_in().await;
    ids.push(sent(&mut client, "one").await);
    client.into_inner().shutdown().await.unwrap();
    until(|| running.server.connections().0 == 0).await;
    ids.push(sent_and_quit(&running, "one").await);
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), relay.kept().await.len()), (4, 4));
    running.stop().await;
}

#[tokio::test]
async fn whoever_has_left_before_the_reply_has_not_read_it() {
    let relay = Relay::new();
    let running = relay.start().await;
    let before = relay.arrived.lock().unwrap().len();
    let mut client = running.logged_in().await;
    client.begin().await;
    // in one write: the content, and behind it the farewell of TLS, before any reply could come
    let mut stream = client.into_inner();
    let (socket, tls) = stream.get_mut();
    tls.writer().write_all(letter("one").as_bytes()).unwrap();
    tls.send_close_notify();
    let mut octets = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut octets).unwrap();
    }
    socket.write_all(&octets).await.unwrap();
    until(|| relay.arrived.lock().unwrap().len() > before).await;
    until(|| running.server.connections().0 == 0).await;
    drop(stream);
    let first = relay.arrived.lock().unwrap()[0].to_string();
    assert_eq!(sent_and_quit(&running, "one").await, first);
    running.stop().await;
}

#[tokio::test]
async fn an_smtp_user_may_have_it_whatever_followed_and_for_longer() {
    let relay = Relay::new();
    relay.rules(|rules| rules.repeat_seconds = Some(86_400));
    let running = relay.start().await;
    let first = sent_and_quit(&running, "one").await;
    relay.clock.advance(Duration::from_secs(86_399));
    assert_eq!(sent_and_quit(&running, "one").await, first);
    relay.clock.advance(Duration::from_secs(2));
    assert_ne!(sent_and_quit(&running, "one").await, first);
    running.stop().await;
}

#[tokio::test]
async fn after_a_start_the_last_message_of_each_session_is_known() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    let earlier = sent(&mut client, "earlier").await;
    relay.clock.advance(Duration::from_millis(1));
    let last = sent(&mut client, "last").await;
    running.stop().await;
    drop(client);
    // what was in memory is gone with the server; what Activity has is not
    let running = relay.start().await;
    assert_eq!(sent_and_quit(&running, "last").await, last);
    assert_ne!(sent_and_quit(&running, "earlier").await, earlier, "what followed it shows that it was read");
    running.stop().await;
}
