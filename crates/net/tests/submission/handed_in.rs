//! Messages handed in over HTTP: what is refused by whom, and that nothing is promised before it is kept.

use bytes::Bytes;
use net::submission::{BeforeCommit, HandedIn};
use relay::activity::{ActivityFilter, ActivityRow};
use relay::id::MessageId;
use relay::limits::Limits;
use relay::store::{History, SmtpUserChange, StoreError};
use relay::submission::Receipt;
use store::memory::Verb;

use super::harness::{Relay, Running};

const CONTENT: &str = "From: <shop@example.com>\nSubject: Handed in\n\nx\n.\n";

fn handed(relay: &Relay, recipients: &[&str], content: &'static str) -> HandedIn {
    HandedIn {
        user: relay.user,
        remote: "192.0.2.9".parse().unwrap(),
        caller: "API key Shop (1)".into(),
        message: MessageId(1 << 100),
        reverse_path: "shop@example.com".into(),
        recipients: recipients.iter().map(|recipient| (*recipient).to_owned()).collect(),
        content: Bytes::from_static(content.as_bytes()),
        before_commit: None,
    }
}

async fn hand_in(relay: &Relay, running: &Running, recipients: &[&str], content: &'static str) -> Receipt {
    running.server.hand_in(handed(relay, recipients, content)).await
}

fn refusal(receipt: &Receipt) -> &'static str {
    assert!(!receipt.is_kept && receipt.accepted.is_empty(), "{receipt:?}");
    receipt.refusal.as_ref().unwrap().reference.unwrap()
}

fn rejected(relay: &Relay) -> Vec<ActivityRow> {
    relay.store.activity(&ActivityFilter::default()).unwrap()
}

#[tokio::test]
async fn what_is_handed_in_is_kept_as_if_it_came_by_smtp() {
    let relay = Relay::new();
    let running = relay.start().await;
    let receipt = hand_in(&relay, &running, &["a@example.net", "b@example.net", "a@example.net"], CONTENT).await;
    assert!(receipt.is_kept && receipt.refused.is_empty(), "{receipt:?}");
    assert_eq!(receipt.accepted, ["a@example.net", "b@example.net"]);
    let kept = relay.kept().await;
    let [(claimed, content)] = &kept[..] else { panic!("{} messages", kept.len()) };
    assert_eq!(claimed.envelope.message, MessageId(1 << 100));
    let session = claimed.envelope.session.as_ref().unwrap();
    assert_eq!((session.tls.as_str(), session.client_name.as_str()), ("HTTP", "API key Shop (1)"));
    assert_eq!(session.remote.to_string(), "192.0.2.9");
    assert!(content.contains("\r\n\twith HTTP id") && content.ends_with("\r\n\r\nx\r\n.\r\n"), "{content}");
    assert_eq!(*relay.arrived.lock().unwrap(), [MessageId(1 << 100)], "who delivers was told");
    assert_eq!(running.server.connections().0, 0, "no slot is taken");
}

#[tokio::test]
async fn refusals_are_the_same_and_noted() {
    let relay = Relay::with(Limits { recipients_max: 2, message_octets_max: 65_536, ..Limits::default() });
    let running = relay.start().await;
    let to = ["a@example.net", "nobody", "b@example.net", "c@example.net"];
    let receipt = hand_in(&relay, &running, &to, CONTENT).await;
    assert_eq!(receipt.accepted, ["a@example.net", "b@example.net"]);
    let told: Vec<_> =
        receipt.refused.iter().map(|one| (one.recipient.as_str(), one.reply.reference.unwrap())).collect();
    assert_eq!(told, [("nobody", "recipient-syntax"), ("c@example.net", "recipients-max")]);
    let noted = rejected(&relay);
    let noted: Vec<_> =
        noted.iter().filter(|row| !row.reference.is_empty()).map(|row| row.recipient.as_str()).collect();
    assert_eq!(noted, ["c@example.net", "nobody"]);

    assert_eq!(refusal(&hand_in(&relay, &running, &["nobody"], CONTENT).await), "no-recipients");
    let foreign = "From: <boss@other.example>\n\nx\n";
    assert_eq!(refusal(&hand_in(&relay, &running, &["d@example.net"], foreign).await), "from-domain-foreign");
    let sender = HandedIn { reverse_path: "boss@other.example".into(), ..handed(&relay, &["e@example.net"], CONTENT) };
    assert_eq!(refusal(&running.server.hand_in(sender).await), "sender-domain-foreign");
    let large = Bytes::from(vec![b'x'; 65_537]);
    let large = HandedIn { content: large, ..handed(&relay, &["f@example.net"], CONTENT) };
    assert_eq!(refusal(&running.server.hand_in(large).await), "too-large");
    let of = |recipient: &str| rejected(&relay).iter().filter(|row| row.recipient == recipient).count();
    assert_eq!(of("d@example.net"), 1, "what the content is refused for is noted for each recipient");
    relay.change(SmtpUserChange::Enabled(false));
    assert_eq!(refusal(&hand_in(&relay, &running, &["g@example.net"], CONTENT).await), "user-disabled");
    assert_eq!(relay.connection_references(), ["user-disabled"]);
    assert_eq!(relay.kept().await.len(), 1);
}

#[tokio::test]
async fn from_elsewhere_it_is_refused_openly() {
    let relay = Relay::new();
    let running = relay.start().await;
    relay.rules(|rules| rules.networks = vec!["198.51.100.0/24".parse().unwrap()]);
    let receipt = hand_in(&relay, &running, &["a@example.net"], CONTENT).await;
    assert_eq!(refusal(&receipt), "network-not-allowed");
    assert!(receipt.refusal.unwrap().text().contains("192.0.2.9"));
}

#[tokio::test]
async fn one_refusal_refuses_all_where_that_is_wanted() {
    let relay = Relay::new();
    let running = relay.start().await;
    relay.rules(|rules| rules.all_or_nothing = true);
    let receipt = hand_in(&relay, &running, &["a@example.net", "nobody", "b@example.net"], CONTENT).await;
    assert!(!receipt.is_kept);
    let told: Vec<_> = receipt.refused.iter().map(|one| one.recipient.as_str()).collect();
    assert_eq!(told, ["nobody", "a@example.net", "b@example.net"]);
    assert_eq!(rejected(&relay).len(), 3);
    assert!(relay.kept().await.is_empty());
}

#[tokio::test]
async fn nothing_is_promised_that_is_not_kept() {
    let relay = Relay::new();
    let running = relay.start().await;
    for (verb, error, reference) in [
        (Verb::Draft, StoreError::NoRoom("full".into()), "store-full"),
        (Verb::Append, StoreError::NoRoom("full".into()), "store-full"),
        (Verb::Commit, StoreError::Unavailable("busy".into()), "store-failed"),
    ] {
        relay.store.fail_next(verb, error);
        assert_eq!(refusal(&hand_in(&relay, &running, &["a@example.net"], CONTENT).await), reference, "{verb:?}");
    }
    let fails: BeforeCommit = Box::new(|_| Box::pin(async { Err(StoreError::Unavailable("no".into())) }));
    let handed_in = HandedIn { before_commit: Some(fails), ..handed(&relay, &["a@example.net"], CONTENT) };
    assert_eq!(refusal(&running.server.hand_in(handed_in).await), "store-failed");
    assert!(relay.kept().await.is_empty());
    // what comes before the commit knows what will be answered
    let (sender, told) = tokio::sync::oneshot::channel();
    let tells: BeforeCommit = Box::new(|receipt| {
        Box::pin(async move {
            drop(sender.send(receipt));
            Ok(())
        })
    });
    let handed_in = HandedIn { before_commit: Some(tells), ..handed(&relay, &["a@example.net"], CONTENT) };
    let receipt = running.server.hand_in(handed_in).await;
    assert!(receipt.is_kept);
    assert_eq!(told.await.unwrap(), receipt);
    running.shutdown.begin();
    assert_eq!(refusal(&hand_in(&relay, &running, &["b@example.net"], CONTENT).await), "shutting-down");
}
