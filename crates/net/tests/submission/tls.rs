//! TLS: versions, certificates, reloads, what is heard in the clear, and handshakes that never end.

use rcgen::PKCS_ECDSA_P256_SHA256;
use relay::limits::Limits;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::{Client, NAME, Relay, client_config, server_name, strict, until, write_certificate};

#[tokio::test]
async fn tls_1_2_is_taken_and_told() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = Client::greeted(running.handshake(&[&rustls::version::TLS12]).await, "220").await;
    client.expect("EHLO client.example", "250").await;
    client.login("alice", "right", "235").await;
    assert!(client.send("x").await.starts_with("250"));
    assert_eq!(relay.kept().await[0].0.envelope.session.as_ref().unwrap().tls, "TLS 1.2");
}

#[tokio::test]
async fn each_client_gets_the_certificate_that_it_can_check() {
    let relay = Relay::with_rsa();
    let running = relay.start().await;
    for (rsa_only, place) in [(false, 0), (true, 1)] {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let connector = TlsConnector::from(Arc::new(client_config(&[version], rsa_only)));
            let stream = TcpStream::connect(running.tls).await.unwrap();
            let stream = connector.connect(server_name(), stream).await.unwrap();
            let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
            assert_eq!(shown, CertificateDer::from_pem_file(&relay.files[place].certificate).unwrap());
            Client::greeted(stream, "220").await;
        }
    }
}

#[tokio::test]
async fn a_reload_changes_new_connections_and_drops_no_session() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client.begin().await;
    let renewed = write_certificate(relay.folder.path(), "p256", NAME, &PKCS_ECDSA_P256_SHA256);
    assert!(relay.certificates.reload().unwrap());
    let stream = TcpStream::connect(running.tls).await.unwrap();
    let stream = strict(&[renewed]).connect(server_name(), stream).await.unwrap();
    Client::greeted(stream, "220").await;
    client.write("From: shop@example.com\r\n\r\nx\r\n.\r\n").await;
    assert!(client.reply().await.starts_with("250"));
}

#[tokio::test]
async fn what_is_said_in_the_clear_behind_starttls_is_never_heard() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.clear().await;
    client.expect("EHLO client.example", "250").await;
    client.write("STARTTLS\r\nRSET\r\nEHLO evil.example\r\n").await;
    assert!(client.reply().await.starts_with("220"));
    let connector = TlsConnector::from(Arc::new(client_config(&[&rustls::version::TLS13], false)));
    let mut client = Client::new(connector.connect(server_name(), client.into_inner()).await.unwrap());
    client.expect("NOOP", "250 2.0.0").await;
    client.expect("MAIL FROM:<shop@example.com>", "5").await;
}

#[tokio::test]
async fn a_client_of_old_tls_is_told_to_its_owner() {
    let relay = Relay::new();
    let running = relay.start().await;
    drop(running.logged_in().await);
    let mut stream = TcpStream::connect(running.tls).await.unwrap();
    // a ClientHello of TLS 1.1: version, random, no session, one suite, no compression
    let mut hello = vec![0x03, 0x02];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0, 2, 0x00, 0x2f, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let record = [&[0x16, 0x03, 0x01, 0, length + 4, 1, 0, 0, length][..], &hello].concat();
    stream.write_all(&record).await.unwrap();
    let mut alert = Vec::new();
    // the reset that may follow the alert is as good an end
    let _ = stream.read_to_end(&mut alert).await;
    assert_eq!(&alert[..2], [0x15, 0x03], "no alert: {alert:?}");
    until(|| !relay.connections().is_empty()).await;
    let notice = &relay.connections()[0];
    assert_eq!(notice.reference, "tls-old", "{}", notice.reason);
    assert!(notice.account.is_some() && notice.user.is_none());
    assert!(notice.reason.contains("TLS 1.2"), "{}", notice.reason);
}

#[tokio::test]
async fn a_client_that_distrusts_us_is_told_to_its_owner() {
    let relay = Relay::new();
    let running = relay.start().await;
    let stream = TcpStream::connect(running.tls).await.unwrap();
    assert!(strict(&[]).connect(server_name(), stream).await.is_err());
    until(|| !relay.connections().is_empty()).await;
    let notice = &relay.connections()[0];
    assert_eq!(notice.reference, "tls-distrusted", "{}", notice.reason);
    assert!(notice.reason.contains("does not trust"), "{}", notice.reason);
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_not_waited_for() {
    let relay = Relay::with(Limits { handshake_seconds: 1, ..Limits::default() });
    let running = relay.start().await;
    let mut silent = TcpStream::connect(running.tls).await.unwrap();
    let mut client = running.clear().await;
    client.expect("EHLO client.example", "250").await;
    client.expect("STARTTLS", "220").await;
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0);
    client.ended().await;
    until(|| running.server.connections().0 == 0).await;
}

#[tokio::test]
async fn nothing_of_importance_without_tls() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.clear().await;
    let hello = client.expect("EHLO client.example", "250").await;
    assert!(hello.contains("STARTTLS") && !hello.contains("AUTH"), "{hello}");
    client.expect("MAIL FROM:<shop@example.com>", "530 5.7.0").await;
    client.login("alice", "right", "538 5.7.11").await;
    let notices = relay.connections();
    let told = notices.iter().find(|notice| notice.reference == "auth-encryption").unwrap();
    assert_eq!((told.username.as_str(), told.user), ("alice", Some(relay.user)));
}
