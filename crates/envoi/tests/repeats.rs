//! A message whose 250 a crash took away: sent once more by its application, and delivered once.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Hop, House, Login, Server, eventually};

const CONTENT: &[u8] = b"From: <shop@example.com>\r\nMessage-ID: <order-1@example.com>\r\nSubject: Your order\r\n\r\nx";

/// Sends the message on a session that goes on; the id that it got.
fn sent(house: &House, server: &Server, login: &Login) -> (lettre::transport::smtp::client::SmtpConnection, String) {
    let mut session = house.session(server.tls, login);
    let (from, to) = ("shop@example.com".parse().unwrap(), "anna@example.org".parse().unwrap());
    let envelope = lettre::address::Envelope::new(Some(from), vec![to]).unwrap();
    let reply = session.send(&envelope, CONTENT).unwrap();
    let id = reply.message().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    (session, id)
}

#[test]
fn what_was_accepted_before_a_crash_is_known_again_after_it() {
    let hop = Hop::start(20);
    let house = House::new(hop.port());
    let login = house.furnish();
    let server = house.serve();
    let (session, first) = sent(&house, &server, &login);
    hop.wait("Subject: Your order");
    let rows = |status: &str| house.json(&["activity", "--recipient", "anna@example.org", "--status", status]);
    let row = |status: &str| eventually(status, || rows(status).as_array().unwrap().first().cloned());
    assert_eq!(row("delivered")["message"], first.as_str());
    // nobody knows whether the 250 was read
    server.kill();
    drop(session);
    let server = house.serve();
    let (_session, again) = sent(&house, &server, &login);
    assert_eq!(again, first);
    let repeated: Value = row("rejected");
    assert_eq!(repeated["reference"], "already-accepted");
    assert!(repeated["reason"].as_str().unwrap().contains(&first), "{repeated}");
    assert_eq!(rows("delivered").as_array().unwrap().len(), 1);
    assert_eq!(house.json(&["queue", "list"]), serde_json::json!([]));
    // an SMTP user may have more of that, in so many words
    house.json(&["smtp-user", "set", &login.username, "--repeats-within", "7d"]);
    assert_eq!(house.json(&["smtp-user", "show", &login.username])["repeat_seconds"], 604_800);
    assert_eq!(house.error(&["smtp-user", "set", &login.username, "--repeats-within", "8d"])["kind"], "invalid");
    assert_eq!(server.stop(), Some(0));
}
