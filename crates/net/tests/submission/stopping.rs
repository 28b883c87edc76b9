//! Shutting down: between transactions at once, in one after its end, and never for ever.

use net::submission::{Metrics, Server, StartError, Surroundings};
use relay::limits::Limits;
use std::sync::Arc;
use tokio::net::TcpStream;

use crate::harness::{Relay, until};

#[tokio::test]
async fn idle_sessions_end_and_running_transactions_finish() {
    let relay = Relay::new();
    let running = relay.start().await;
    let (mut idle, mut sending) = (running.logged_in().await, running.logged_in().await);
    let mut clear = running.clear().await;
    sending.begin().await;
    sending.write("From: shop@example.com\r\n").await;
    running.shutdown.begin();
    let finished = running.server.finished();
    let dialogue = async {
        for client in [idle.reply().await, clear.reply().await] {
            assert!(client.starts_with("421 4.3.2"), "{client}");
        }
        idle.ended().await;
        drop((idle, clear));
        sending.write("\r\nx\r\n.\r\n").await;
        assert!(sending.reply().await.starts_with("250 2.0.0 Ok: queued as "));
        assert!(sending.reply().await.starts_with("421 4.3.2"));
        sending.ended().await;
        drop(sending);
    };
    tokio::join!(finished, dialogue);
    assert_eq!(running.server.connections().0, 0);
    assert_eq!(relay.kept().await.len(), 1);
    assert!(TcpStream::connect(running.starttls).await.is_err());
    // the same address is free at once
    let mut again = relay;
    again.settings.starttls = vec![running.starttls];
    again.start().await.clear().await;
}

#[tokio::test]
async fn a_transaction_that_never_ends_is_cut() {
    let relay = Relay::with(Limits { shutdown_seconds: 1, ..Limits::default() });
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client.begin().await;
    running.stop().await;
    client.ended().await;
    assert_eq!(running.server.connections().0, 0);
    assert!(relay.kept().await.is_empty());
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut settings = relay.settings.clone();
    settings.starttls = vec![running.tls];
    let around = Surroundings {
        store: Arc::new(relay.store.clone()),
        certificates: Arc::clone(&relay.certificates),
        clock: Arc::clone(&relay.clock) as Arc<dyn net::clock::Clock>,
        arrivals: Arc::new(|_| {}),
        metrics: Metrics::default(),
        shutdown: running.shutdown.clone(),
    };
    match Server::start(settings, around).await {
        Err(StartError::Listen { address, .. }) => assert_eq!(address, running.tls),
        other => panic!("it started: {}", other.is_ok()),
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_not_waited_for() {
    let relay = Relay::new();
    let running = relay.start().await;
    let _silent = TcpStream::connect(running.tls).await.unwrap();
    until(|| running.server.connections().0 == 1).await;
    running.stop().await;
    assert_eq!(running.server.connections().0, 0);
}
