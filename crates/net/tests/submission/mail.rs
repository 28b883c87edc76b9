//! Mail through both ports: accepted once it is kept, refused where it may not be, never half.

use relay::activity::ActivityFilter;
use relay::store::{Book, History, SmtpUserChange, StoreError};
use std::time::Duration;
use store::memory::Verb;

use crate::harness::{Relay, START, base64, by, until};

#[tokio::test]
async fn both_ports_take_mail_and_tell_the_dispatcher() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    let first = client.send("one").await;
    client.expect("QUIT", "221").await;
    client.ended().await;
    // so that the ids sort
    relay.clock.advance(Duration::from_millis(1));
    let mut client = running.starttls().await;
    client.login("alice", "right", "235").await;
    let second = client.send("two").await;
    let kept = relay.kept().await;
    assert_eq!(kept.len(), 2);
    for ((claimed, content), (reply, body)) in kept.iter().zip([(first, "one"), (second, "two")]) {
        let envelope = &claimed.envelope;
        assert_eq!(reply, format!("250 2.0.0 Ok: queued as {}", envelope.message));
        let session = envelope.session.as_ref().unwrap();
        assert_eq!((session.tls.as_str(), session.client_name.as_str()), ("TLS 1.3", "client.example"));
        assert_eq!((envelope.user, envelope.facts.subject.as_str()), (Some(relay.user), "Hello"));
        assert!(content.starts_with("Received: from "), "{content}");
        assert!(content.contains(&session.session.to_string()) && content.contains("ESMTPSA"), "{content}");
        assert!(!content.contains("127.0.0.1") && !content.contains("alice"), "{content}");
        assert!(content.ends_with(&format!("Subject: Hello\r\n\r\n{body}\r\n")), "{content}");
    }
    let messages: Vec<_> = kept.iter().map(|(claimed, _)| claimed.envelope.message).collect();
    assert_eq!(*relay.arrived.lock().unwrap(), messages);
    running.stop().await;
    let logins = relay.store.logins(START).unwrap();
    assert_eq!((logins.len(), logins[0].user), (1, relay.user));
}

#[tokio::test]
async fn a_transaction_in_one_write_gets_its_replies_in_order() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client
        .write(
            "MAIL FROM:<shop@example.com>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<mario@gmail>\r\n\
             RCPT TO:<b@example.org>\r\nDATA\r\n",
        )
        .await;
    for start in ["250 2.1.0", "250 2.1.5", "501 5.1.3", "250 2.1.5", "354"] {
        let reply = client.reply().await;
        assert!(reply.starts_with(start), "{reply}");
    }
    client.write("From: shop@example.com\r\n\r\nx\r\n.\r\nMAIL FROM:<x@other.example>\r\nQUIT\r\n").await;
    for start in ["250 2.0.0 Ok: queued as ", "550 5.7.1", "221"] {
        let reply = client.reply().await;
        assert!(reply.starts_with(start), "{reply}");
    }
    client.ended().await;
    let recipients: Vec<_> = relay.kept().await[0].0.envelope.recipients.iter().map(ToString::to_string).collect();
    assert_eq!(recipients, ["a@example.org", "b@example.org"]);
    let rows = relay.store.activity(&ActivityFilter::default()).unwrap();
    let mut refused: Vec<_> = rows.iter().filter(|row| !row.reference.is_empty()).collect();
    refused.sort_by_key(|row| row.row);
    let refused: Vec<_> = refused.iter().map(|row| (&*row.reference, &*row.recipient, &*row.sender)).collect();
    assert_eq!(
        refused,
        [("recipient-syntax", "mario@gmail", "shop@example.com"), ("sender-domain-foreign", "", "x@other.example")]
    );
}

#[tokio::test]
async fn chunks_are_taken_like_data() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client
        .write(
            "MAIL FROM:<shop@example.com>\r\nRCPT TO:<a@example.org>\r\nBDAT 24\r\nFrom: shop@example.com\r\n\
             BDAT 5 LAST\r\n\r\nx\r\n",
        )
        .await;
    for start in ["250", "250", "250 2.0.0 24", "250 2.0.0 Ok: queued as "] {
        let reply = client.reply().await;
        assert!(reply.starts_with(start), "{reply}");
    }
    assert!(relay.kept().await[0].1.ends_with("\r\n\r\nx\r\n"));
}

#[tokio::test]
async fn half_a_message_leaves_nothing() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client.begin().await;
    client.write("From: shop@example.com\r\n\r\nhalf").await;
    assert_eq!(running.server.connections().0, 1);
    drop(client);
    until(|| running.server.connections().0 == 0).await;
    assert!(relay.kept().await.is_empty());
    assert!(relay.arrived.lock().unwrap().is_empty());
}

#[tokio::test]
async fn large_content_arrives_whole() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    let line = "0123456789abcdef".repeat(4) + "\r\n";
    let body = line.repeat(50_000);
    let reply = client.send(&body).await;
    assert!(reply.starts_with("250"), "{reply}");
    assert!(relay.kept().await[0].1.ends_with(&format!("\r\n\r\n{body}\r\n")));
}

#[tokio::test]
async fn what_the_store_cannot_keep_is_never_acknowledged() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    relay.store.fail_next(Verb::Draft, StoreError::NoRoom("low".into()));
    client.expect("MAIL FROM:<shop@example.com>", "250").await;
    client.expect("RCPT TO:<mario@example.org>", "250").await;
    client.expect("DATA", "452 4.3.1").await;
    relay.store.fail_next(Verb::Append, StoreError::NoRoom("low".into()));
    let reply = client.send("x").await;
    assert!(reply.starts_with("452 4.3.1"), "{reply}");
    relay.store.fail_next(Verb::Commit, StoreError::Unavailable("busy".into()));
    let reply = client.send("x").await;
    assert!(reply.starts_with("451 4.3.0"), "{reply}");
    assert!(relay.kept().await.is_empty() && relay.arrived.lock().unwrap().is_empty());
    let reply = client.send("x").await;
    assert!(reply.starts_with("250"), "{reply}");
    relay.store.fail_next(Verb::Commit, StoreError::Latched("EIO".into()));
    for _ in 0..2 {
        client.expect("RSET", "250").await;
        client.expect("MAIL FROM:<shop@example.com>", "250").await;
        client.expect("RCPT TO:<mario@example.org>", "250").await;
        let reply = client.command("DATA").await;
        let reply =
            if reply.starts_with("354") { client.command("From: shop@example.com\r\n\r\n.").await } else { reply };
        assert!(reply.starts_with("451 4.3.0"), "{reply}");
    }
}

#[tokio::test]
async fn no_password_is_judged_while_the_store_does_not_work() {
    let relay = Relay::new();
    let running = relay.start().await;
    relay.store.fail_next(Verb::Commit, StoreError::Latched("EIO".into()));
    let reply = running.logged_in().await.send("x").await;
    assert!(reply.starts_with("451 4.3.0"), "{reply}");
    let mut client = running.secure().await;
    client.expect("EHLO client.example", "250").await;
    client.login("alice", "right", "454 4.7.0 Temporary authentication failure").await;
    // neither failures of the session nor of the address
    for number in 0..20 {
        client.login("alice", &format!("wrong {number}"), "454 4.7.0 Temporary authentication failure").await;
    }
    assert!(running.server.blocks().is_empty());
    assert!(relay.connection_references().contains(&"auth-unavailable".to_owned()));
    client.expect("QUIT", "221").await;
}

#[tokio::test]
async fn a_deleted_user_stops_that_instant() {
    let relay = Relay::new();
    let running = relay.start().await;
    let (mut idle, mut sending) = (running.logged_in().await, running.logged_in().await);
    sending.begin().await;
    sending.write("From: shop@example.com\r\n").await;
    relay.store.smtp_user_delete(relay.user, &by(), START).unwrap();
    idle.expect("MAIL FROM:<shop@example.com>", "421 4.7.0").await;
    idle.ended().await;
    sending.write("\r\nx\r\n.\r\n").await;
    let reply = sending.reply().await;
    assert!(reply.starts_with("421 4.7.0"), "{reply}");
    sending.ended().await;
    assert!(relay.kept().await.is_empty());
    let mut client = running.secure().await;
    client.expect("EHLO client.example", "250").await;
    client.login("alice", "right", "535 5.7.8").await;
}

#[tokio::test]
async fn a_reset_password_ends_sessions_and_a_disabled_user_hears_so() {
    let relay = Relay::new();
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    relay.change(SmtpUserChange::Passwords(vec![]));
    client.expect("NOOP", "421 4.7.0").await;
    let key = relay::credential::PasswordKey::new(relay.store.password_key());
    relay.change(SmtpUserChange::Passwords(vec![key.hash(b"new")]));
    relay.change(SmtpUserChange::Enabled(false));
    let mut client = running.secure().await;
    client.expect("EHLO client.example", "250").await;
    client.login("alice", "new", "525 5.7.13").await;
    client.expect(&format!("AUTH LOGIN {}", base64(b"alice")), "334").await;
    client.expect(&base64(b"right"), "535 5.7.8").await;
}

#[tokio::test]
async fn all_or_nothing_holds_over_the_wire() {
    let relay = Relay::new();
    relay.rules(|rules| rules.all_or_nothing = true);
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client.expect("MAIL FROM:<shop@example.com>", "250").await;
    client.expect("RCPT TO:<a@example.org>", "250").await;
    client.expect("RCPT TO:<mario@gmail>", "501 5.1.3").await;
    client.expect("RCPT TO:<b@example.org>", "554 5.5.1").await;
    client.expect("DATA", "554 5.5.1").await;
    let rows = relay.store.activity(&ActivityFilter::default()).unwrap();
    let mut recipients: Vec<_> = rows.iter().map(|row| &*row.recipient).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, ["a@example.org", "b@example.org", "mario@gmail"]);
    assert!(client.send("x").await.starts_with("250"));
}
