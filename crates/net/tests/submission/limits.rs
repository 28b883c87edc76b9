//! Limits: sessions per user, account, address and in all, however a session ends.

use relay::limits::Limits;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::harness::{Client, Relay, until};

#[tokio::test]
async fn one_session_too_many_of_a_user_hears_454_and_then_421() {
    let relay = Relay::with(Limits { user_sessions_max: 2, ..Limits::default() });
    let running = relay.start().await;
    let (first, _second) = (running.logged_in().await, running.logged_in().await);
    let mut third = running.secure().await;
    third.expect("EHLO client.example", "250").await;
    third.login("alice", "wrong", "535").await;
    let reply = third.login("alice", "right", "454 4.7.0").await;
    assert_eq!(reply, "454 4.7.0 Too many active sessions for user. Please retry later.");
    third.expect("RSET", "421 4.7.0").await;
    third.ended().await;
    let mut fourth = running.secure().await;
    fourth.expect("EHLO client.example", "250").await;
    fourth.login("alice", "right", "454 4.7.0").await;
    fourth.expect("QUIT", "221").await;
    // a session ends with its socket, without QUIT
    let before = running.server.connections().0;
    drop(first);
    until(|| running.server.connections().0 < before).await;
    running.logged_in().await;
}

#[tokio::test]
async fn sessions_of_an_account_are_limited_over_its_users() {
    let relay = Relay::with(Limits { account_sessions_max: 1, ..Limits::default() });
    let running = relay.start().await;
    let _first = running.logged_in().await;
    let mut second = running.secure().await;
    second.expect("EHLO client.example", "250").await;
    let reply = second.login("alice", "right", "454").await;
    assert_eq!(reply, "454 4.7.0 Too many active sessions for account. Please retry later.");
}

#[tokio::test]
async fn connections_of_an_address_are_limited_on_both_ports() {
    let relay = Relay::with(Limits { address_sessions_max: 2, ..Limits::default() });
    let running = relay.start().await;
    let (first, _second) = (running.clear().await, running.secure().await);
    let refusal = "421 4.7.0 Too many active sessions for IP address. Please retry later.";
    let mut third = Client::greeted(TcpStream::connect(running.starttls).await.unwrap(), refusal).await;
    third.ended().await;
    let mut fourth = Client::greeted(running.handshake(&[&rustls::version::TLS13]).await, refusal).await;
    fourth.ended().await;
    until(|| running.server.connections().0 == 2).await;
    drop(first);
    until(|| running.server.connections().0 == 1).await;
    running.clear().await;
    assert_eq!(relay.connection_references(), ["sessions-address"]);
}

#[tokio::test]
async fn refusals_in_quick_succession_are_dropped_before_the_handshake() {
    let relay = Relay::with(Limits { address_sessions_max: 1, ..Limits::default() });
    let running = relay.start().await;
    let _first = running.clear().await;
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let mut stream = TcpStream::connect(running.tls).await.unwrap();
        waiting.spawn(async move { stream.read(&mut [0; 16]).await.unwrap_or(0) });
    }
    // 20 are worth a reply, and wait for our handshake; the rest is closed at once
    for _ in 0..10 {
        assert_eq!(waiting.join_next().await.unwrap().unwrap(), 0);
    }
    Client::greeted(TcpStream::connect(running.starttls).await.unwrap(), "421 4.7.0").await;
}

#[tokio::test]
async fn connections_are_limited_in_all() {
    let relay = Relay::with(Limits { sessions_max: 10, ..Limits::default() });
    let running = relay.start().await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(running.clear().await);
    }
    Client::greeted(TcpStream::connect(running.starttls).await.unwrap(), "421 4.3.2").await.ended().await;
    assert_eq!(TcpStream::connect(running.tls).await.unwrap().read(&mut [0; 16]).await.unwrap_or(0), 0);
    open.clear();
    until(|| running.server.connections().0 == 0).await;
    running.clear().await;
}

#[tokio::test]
async fn messages_of_a_connection_are_limited() {
    let relay = Relay::with(Limits { messages_max: 2, ..Limits::default() });
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    for _ in 0..2 {
        assert!(client.send("x").await.starts_with("250"));
    }
    client.expect("MAIL FROM:<shop@example.com>", "421 4.7.0").await;
    client.ended().await;
}

#[tokio::test]
async fn a_message_too_large_is_refused_at_its_end_and_the_session_goes_on() {
    let relay = Relay::with(Limits { message_octets_max: 65_536, ..Limits::default() });
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client.expect("MAIL FROM:<shop@example.com> SIZE=65537", "552 5.3.4").await;
    let line = "x".repeat(998) + "\r\n";
    let reply = client.send(&line.repeat(70)).await;
    assert!(reply.starts_with("552 5.3.4"), "{reply}");
    assert!(client.send("x").await.starts_with("250"));
    client.begin().await;
    client.write(format!("From: shop@example.com\r\n\r\n{}", line.repeat(140))).await;
    assert!(client.reply().await.starts_with("552 5.3.4"));
    client.ended().await;
    assert_eq!(relay.kept().await.len(), 1);
}
