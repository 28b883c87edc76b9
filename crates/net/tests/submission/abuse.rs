//! Guessed passwords: blocks, whom they spare, and that they outlive a restart.

use net::clock::Clock;
use relay::store::Book;
use std::io::{Read, Write};
use std::time::Duration;
use tokio::net::TcpStream;

use crate::harness::{Client, Relay, Running, by};

/// Five distinct wrong pairs, over two sessions.
async fn guess(running: &Running) {
    for (session, count) in [(0, 3), (1, 2)] {
        let mut client = running.secure().await;
        client.expect("EHLO client.example", "250").await;
        for number in 0..count {
            client.login("nobody", &format!("wrong {session} {number}"), "535 5.7.8").await;
        }
        if count == 3 {
            assert!(client.reply().await.starts_with("421 4.7.0"));
            client.ended().await;
        }
    }
}

#[tokio::test]
async fn a_block_outlives_a_restart_and_ends_by_itself() {
    let relay = Relay::new();
    let running = relay.start().await;
    guess(&running).await;
    running.stop().await;
    let blocks = relay.store.blocks().unwrap();
    assert_eq!((blocks.len(), blocks[0].seconds), (1, 900));

    let running = relay.start().await;
    relay.clock.advance(Duration::from_secs(60));
    let refusal = "421 4.7.0 Too many failed logins from this IP address. Please retry in 14 minutes.";
    Client::greeted(TcpStream::connect(running.starttls).await.unwrap(), refusal).await.ended().await;
    Client::greeted(running.handshake(&[&rustls::version::TLS13]).await, refusal).await.ended().await;
    assert!(relay.connection_references().contains(&"address-blocked".to_owned()));
    relay.clock.advance(Duration::from_secs(14 * 60));
    running.logged_in().await;
}

#[tokio::test]
async fn the_operator_lifts_a_block() {
    let relay = Relay::new();
    let running = relay.start().await;
    guess(&running).await;
    let address = running.server.blocks()[0].address;
    relay.store.block_lift(address, &by(), relay.clock.now()).unwrap();
    running.server.lift(address);
    running.logged_in().await;
}

#[tokio::test]
async fn one_that_logged_in_from_there_is_never_stopped() {
    let relay = Relay::new();
    let running = relay.start().await;
    drop(running.logged_in().await);
    guess(&running).await;
    running.stop().await;
    let running = relay.start().await;
    let mut client = running.secure().await;
    client.expect("EHLO client.example", "250").await;
    client.login("nobody", "right", "454 4.7.0 Too many failed logins").await;
    client.login("alice", "right", "235").await;
    assert!(client.send("x").await.starts_with("250"));
}

#[tokio::test]
async fn one_wrong_pair_by_two_mechanisms_is_one_failure_of_the_session() {
    use crate::harness::base64;
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.secure().await;
    client.expect("EHLO client.example", "250").await;
    for number in 0..3 {
        client.login("alice", &format!("wrong {number}"), "535").await;
        if number == 2 {
            break;
        }
        client.expect(&format!("AUTH LOGIN {}", base64(b"alice")), "334").await;
        client.expect(&base64(format!("wrong {number}").as_bytes()), "535").await;
    }
    assert!(client.reply().await.starts_with("421 4.7.0"));
}

#[tokio::test]
async fn a_session_with_ever_more_to_say_lets_others_have_their_turn() {
    let relay = Relay::new();
    let running = relay.start().await;
    // all of it is there before the relay looks: it never has to wait for this client
    let flood = format!("NOOP {}\r\n", "x".repeat(1_017)).repeat(50);
    let mut client = std::net::TcpStream::connect(running.starttls).unwrap();
    client.write_all(flood.as_bytes()).unwrap();
    client.write_all(b"QUIT\r\n").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    client.set_nonblocking(true).unwrap();
    let (mut heard, mut turns, mut octets) = (String::new(), 0, [0; 65_536]);
    while !heard.contains("221 2.0.0") {
        tokio::task::yield_now().await;
        if let Ok(count) = client.read(&mut octets) {
            heard.push_str(std::str::from_utf8(&octets[..count]).unwrap());
            turns += 1;
        }
    }
    assert_eq!(heard.matches("250 2.0.0").count(), 50, "{heard}");
    assert!(turns > 20, "others had {turns} turns during 50 kilobytes of commands");
}
