//! Connections from a load balancer: whose address counts, and what is not believed.

use relay::limits::Limits;
use relay::store::Spool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Client, Relay, Running, connector, server_name, until};

fn behind_a_balancer() -> Relay {
    let mut relay = Relay::with(Limits { proxy_seconds: 1, ..Limits::default() });
    relay.settings.proxies = vec!["127.0.0.0/8".parse().unwrap()];
    relay
}

/// Sends a message over the TLS port behind this header; from where it came, as the store knows it.
async fn send_behind(relay: &Relay, running: &Running, header: &[u8]) -> String {
    let mut stream = TcpStream::connect(running.tls).await.unwrap();
    stream.write_all(header).await.unwrap();
    let stream = connector(&[&rustls::version::TLS13]).connect(server_name(), stream).await.unwrap();
    let mut client = Client::greeted(stream, "220").await;
    client.expect("EHLO client.example", "250").await;
    client.login("alice", "right", "235").await;
    let reply = client.send("x").await;
    let id = reply.strip_prefix("250 2.0.0 Ok: queued as ").unwrap().parse().unwrap();
    let envelope = relay.store.peek(id).await.unwrap().unwrap().envelope;
    envelope.session.as_ref().unwrap().remote.to_string()
}

#[tokio::test]
async fn the_header_names_the_client_in_both_versions() {
    let relay = behind_a_balancer();
    let running = relay.start().await;
    let first = b"PROXY TCP4 192.0.2.7 127.0.0.1 40000 465\r\n";
    assert_eq!(send_behind(&relay, &running, first).await, "192.0.2.7");
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24".to_vec();
    second.extend_from_slice(&"2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets());
    second.extend_from_slice(&[0; 20]);
    assert_eq!(send_behind(&relay, &running, &second).await, "2001:db8::7");
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    assert_eq!(send_behind(&relay, &running, local).await, "127.0.0.1");
}

#[tokio::test]
async fn without_a_proper_header_in_time_there_is_no_greeting() {
    let relay = behind_a_balancer();
    let running = relay.start().await;
    for start in
        [&b"EHLO client.example\r\n"[..], b"PROXY TCP4 nonsense 127.0.0.1 1 2\r\n", b"PROXY TCP4 192.0.2.7", b""]
    {
        let mut stream = TcpStream::connect(running.starttls).await.unwrap();
        stream.write_all(start).await.unwrap();
        let mut heard = Vec::new();
        // the reset that follows unread octets is as good an end
        let _ = stream.read_to_end(&mut heard).await;
        assert_eq!(heard, b"", "after {start:?}");
    }
    until(|| running.server.connections().0 == 0).await;
}

#[tokio::test]
async fn a_header_from_anywhere_else_is_no_header() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.clear().await;
    client.expect("PROXY TCP4 192.0.2.7 127.0.0.1 40000 587", "5").await;
    assert_eq!(running.server.connections().1[0].0.to_string(), "127.0.0.1");
}

#[tokio::test]
async fn addresses_behind_a_balancer_are_limited_one_by_one() {
    let mut relay = behind_a_balancer();
    relay.settings.limits.address_sessions_max = 1;
    let running = relay.start().await;
    let mut open = Vec::new();
    for (client, start) in [("192.0.2.1", "220"), ("192.0.2.2", "220"), ("192.0.2.1", "421 4.7.0")] {
        let mut stream = TcpStream::connect(running.starttls).await.unwrap();
        stream.write_all(format!("PROXY TCP4 {client} 127.0.0.1 40000 587\r\n").as_bytes()).await.unwrap();
        open.push(Client::greeted(stream, start).await);
    }
}
