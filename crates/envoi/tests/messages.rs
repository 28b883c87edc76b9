//! Messages handed in over HTTP, to the real binary: delivered, charged, refused and shown as those that come by SMTP.

#![allow(clippy::unwrap_used)]

mod support;

use net::clock::{Clock, SystemClock};
use relay::id::{Id, MessageId};
use relay::idempotency::{IdempotencyKey, fingerprint};
use relay::limits::Limits;
use relay::service::operation::Operation;
use relay::service::{GivenContent, GivenMessage, Octets};
use relay::store::{KeyedRequest, Requests};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;
use support::api::{Client, Reply, key};
use support::{Hop, House, Server, envoi, eventually};

/// What the message asks for, sent as SMTP user 1.
fn wish(to: &Value) -> Value {
    json!({"user": "1", "from": "Épicerie <shop@example.com>", "to": to, "subject": "Votre reçu", "text": "Merci !\n"})
}

fn shop<'a>(house: &House, server: &'a Server) -> Client<'a> {
    key(house, server, &["Shop", "--account", "1", "--may", "submit", "--may", "activity"])
}

/// The rows of Activity, once there are so many.
fn rows(client: &Client<'_>, search: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} rows of {search}"), || {
        let rows = client.get(&format!("/activity?{search}"))["rows"].as_array().unwrap().clone();
        (rows.len() == count).then_some(rows)
    })
}

#[test]
fn a_message_handed_in_is_delivered_and_shown() {
    let hop = Hop::start(10);
    let house = House::new(hop.port());
    let login = house.furnish();
    let server = house.serve();
    let client = shop(&house, &server);
    let pdf = "JVBERi0xLjcK";
    let mut message = wish(&json!(["Zoë <z@example.net>", {"address": "a@example.net"}]));
    message["bcc"] = json!("hidden@example.net");
    message["html"] = json!("<p>Merci !</p>");
    message["headers"] = json!({"X-Campaign": "été"});
    message["attachments"] = json!([{"name": "reçu.pdf", "type": "application/pdf", "content": pdf}]);
    let answer = client.post("/messages", &message);
    let id = answer["message"].as_str().unwrap().to_owned();
    assert_eq!(answer["accepted"], json!(["z@example.net", "a@example.net", "hidden@example.net"]));
    assert_eq!((&answer["refused"], &answer["refusal"]), (&json!([]), &Value::Null));
    assert_eq!(answer["message_id"], format!("<{id}@example.com>"));

    let captured = hop.wait(&format!("<{id}@example.com>"));
    let content = String::from_utf8(captured.content.clone()).unwrap();
    assert_eq!(captured.sender, "shop@example.com");
    assert!(
        content.is_ascii() && content.contains("DKIM-Signature:") && content.contains("\twith HTTP id"),
        "{content}"
    );
    assert!(!content.contains("hidden@example.net") && content.contains(pdf), "{content}");
    assert!(content.contains("From: =?utf-8?") && content.contains("Subject: =?utf-8?"), "{content}");

    let row = rows(&client, "status=delivered&recipient=z@example.net", 1).remove(0);
    assert_eq!((&row["message"], &row["subject"]), (&id.into(), &"Votre reçu".into()));
    let detail = client.get(&format!("/activity/{}", row["row"]));
    assert_eq!((&detail["tls"], &detail["remote"]), (&"HTTP".into(), &"127.0.0.1".into()));
    assert!(detail["client_name"].as_str().unwrap().starts_with("API key Shop ("), "{detail}");
    assert_eq!(house.json(&["account", "show", "1"])["used"], 3, "each recipient is charged");

    // as it is, with its own envelope, by the username
    let raw = "From: <shop@example.com>\nSubject: raw one\nTo: nobody@example.org\n\nx\n";
    let path = format!("/messages?user={}&to=r1@example.net&to=r2@example.net&from=", login.username);
    let reply = client.sent("POST", &path, "message/rfc822", raw);
    assert_eq!((reply.status, &reply.body["accepted"]), (200, &json!(["r1@example.net", "r2@example.net"])));
    let captured = hop.wait("Subject: raw one\r\n");
    assert_eq!((captured.sender.as_str(), captured.recipients.len()), ("", 2));

    // and by the command line
    let mut child = envoi()
        .arg("--config")
        .arg(house.config())
        .args(["--json", "message", "send", "--user", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let raw = b"From: <shop@example.com>\r\nSubject: typed one\r\nTo: <t@example.net>\r\n\r\nx\r\n";
    child.stdin.take().unwrap().write_all(raw).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["accepted"], json!(["t@example.net"]));
    hop.wait("Subject: typed one\r\n");
}

#[test]
fn each_recipient_hears_of_its_refusal_and_activity_shows_it() {
    let hop = Hop::start(10);
    let house = House::new(hop.port());
    house.furnish();
    house.json(&["suppression", "add", "--account", "1", "gone@example.net"]);
    house.json(&["account", "quota", "1", "--recipients", "2"]);
    let server = house.serve();
    let client = shop(&house, &server);
    let to =
        json!(["a@example.net", "mario@gmail", "b@[192.0.2.1]", "gone@example.net", "b@example.net", "c@example.net"]);
    let answer = client.post("/messages", &wish(&to));
    assert_eq!(answer["accepted"], json!(["a@example.net", "b@example.net"]));
    let refused: Vec<_> = answer["refused"].as_array().unwrap().iter().collect();
    let told = |refused: &Value| {
        let text = |field: &str| refused["reply"][field].as_str().unwrap().to_owned();
        (refused["recipient"].as_str().unwrap().to_owned(), text("reference"), text("status"))
    };
    let told: Vec<_> = refused.iter().map(|refused| told(refused)).collect();
    let expected = [
        ("mario@gmail", "recipient-syntax", "5.1.3"),
        ("b@[192.0.2.1]", "recipient-literal", "5.1.2"),
        ("c@example.net", "quota-reached", "4.7.1"),
        ("gone@example.net", "recipient-suppressed", "5.7.1"),
    ];
    assert_eq!(
        told,
        expected.map(|(recipient, reference, status)| (recipient.into(), reference.into(), status.into()))
    );
    assert_eq!(refused[2]["reply"]["code"], 452);
    let mut rejected: Vec<_> =
        rows(&client, "status=rejected", 4).iter().map(|row| row["recipient"].as_str().unwrap().to_owned()).collect();
    rejected.sort();
    assert_eq!(rejected, ["b@[192.0.2.1]", "c@example.net", "gone@example.net", "mario@gmail"]);
    assert_eq!(house.json(&["account", "show", "1"])["used"], 2);

    let none = client.ask("POST", "/messages", Some(&wish(&json!(["mario@gmail", "c@example.net"]))));
    assert_eq!((none.status, none.field("content-type")), (422, "application/problem+json"));
    assert_eq!((&none.body["kind"], &none.body["reply"]["reference"]), (&"refused".into(), &"recipient-syntax".into()));
    assert_eq!(none.body["refused"].as_array().unwrap().len(), 2);
    let none = client.ask("POST", "/messages", Some(&wish(&json!("c@example.net"))));
    assert_eq!((none.status, &none.body["reply"]["reference"]), (429, &"quota-reached".into()));

    house.json(&["smtp-user", "set", "1", "--all-or-nothing", "on"]);
    house.json(&["account", "quota", "1", "--recipients", "100"]);
    let none = client.ask("POST", "/messages", Some(&wish(&json!(["d@example.net", "mario@gmail", "e@example.net"]))));
    let told: Vec<_> = none.body["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reply"]["reference"].as_str().unwrap())
        .collect();
    assert_eq!((none.status, told), (422, vec!["recipient-syntax", "all-or-nothing", "all-or-nothing"]));
    assert_eq!(house.json(&["account", "show", "1"])["used"], 2);
    rows(&client, "recipient=d@example.net&status=rejected", 1);
}

#[test]
fn what_smtp_refuses_is_refused() {
    let house = House::new(1);
    let text = std::fs::read_to_string(house.config()).unwrap();
    let limits = "[limits]\nmessage_octets_max = 65536\nuser_messages_per_minute = 1\nuser_messages_burst = 2\n\
        api_key_held_octets_max = 1048576\n";
    std::fs::write(house.config(), text.replace("[limits]\n", limits)).unwrap();
    let login = house.furnish();
    let server = house.serve();
    let client = shop(&house, &server);
    let ask = |change: &dyn Fn(&mut Value)| {
        let mut message = wish(&json!("a@example.net"));
        change(&mut message);
        let reply = client.ask("POST", "/messages", Some(&message));
        assert_eq!(reply.field("content-type"), "application/problem+json", "{}", reply.body);
        let reference = reply.body["reply"]["reference"].as_str().unwrap_or_default().to_owned();
        (reply.status, reference)
    };
    let refused = |status: u16, reference: &str| (status, reference.to_owned());
    assert_eq!(ask(&|message| message["from"] = json!("boss@other.example")), refused(422, "sender-domain-foreign"));
    assert_eq!(ask(&|message| message["envelope"] = json!({"from": "x"})), refused(422, "sender-syntax"));
    assert_eq!(ask(&|message| message["text"] = json!("x".repeat(70_000))), refused(413, "too-large"));
    assert_eq!(ask(&|message| message["user"] = json!("2")), refused(404, ""));
    assert_eq!(ask(&|message| message["colour"] = json!("red")), refused(400, ""));
    assert_eq!(ask(&|message| message["from"] = Value::Null), refused(400, ""));
    assert_eq!(ask(&|message| message["headers"] = json!({"Bcc": "x@example.net"})), refused(422, ""));
    let large = client.sent("POST", "/messages?user=1", "message/rfc822", &"x".repeat(200_000));
    assert_eq!((large.status, &large.body["kind"]), (413, &"too_large".into()));
    assert_eq!(client.sent("POST", "/messages", "text/plain", "x").status, 415);
    // within the rate of two: what is refused for its content counts as over SMTP
    let nul = client.sent(
        "POST",
        "/messages?user=1&to=a@example.net",
        "message/rfc822",
        "From: <shop@example.com>\r\n\r\n\0\r\n",
    );
    assert_eq!((nul.status, &nul.body["reply"]["reference"]), (422, &"content-nul".into()));
    let forged = "From: <boss@other.example>\r\n\r\nx\r\n";
    let forged =
        client.sent("POST", "/messages?user=1&to=a@example.net&from=shop@example.com", "message/rfc822", forged);
    assert_eq!((forged.status, &forged.body["reply"]["reference"]), (422, &"from-domain-foreign".into()));
    let fast = client.ask("POST", "/messages", Some(&wish(&json!("a@example.net"))));
    assert_eq!((fast.status, &fast.body["reply"]["reference"]), (429, &"rate-limited".into()));
    assert!((1..=60).contains(&fast.field("retry-after").parse::<u64>().unwrap()));

    house.json(&["smtp-user", "set", "1", "--networks", "192.0.2.0/24"]);
    assert_eq!(ask(&|_| {}), refused(403, "network-not-allowed"));
    house.json(&["smtp-user", "disable", &login.username]);
    house.json(&["smtp-user", "set", "1", "--networks", "any"]);
    assert_eq!(ask(&|_| {}), refused(403, "user-disabled"));
    eventually("the trouble in Connections", || {
        let rows = house.json(&["connections", "list"]);
        rows.as_array()
            .unwrap()
            .iter()
            .any(|row| row["reference"] == "user-disabled" && row["tls"] == "HTTP")
            .then_some(())
    });
    let reports = key(&house, &server, &["Reports", "--account", "1", "--may", "activity"]);
    assert_eq!(
        reports.ask("POST", "/messages", Some(&wish(&json!("a@example.net")))).status,
        403,
        "not among its powers"
    );
    house.json(&["account", "suspend", "1", "--yes"]);
    assert_eq!(ask(&|_| {}), refused(403, ""));
    assert_eq!(house.json(&["queue", "list"]), json!([]));
}

/// Hands a message in under an idempotency key.
fn keyed(server: &Server, secret: &str, message: &Value, key: &str) -> Reply {
    let fields = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    let client = Client { server, key: secret.to_owned() };
    client.with_fields("POST", "/messages", &fields, &message.to_string())
}

#[test]
fn a_message_sent_again_under_its_key_is_one_message() {
    // nothing listens there: what is sent waits
    let house = House::new(1);
    house.furnish();
    let server = house.serve();
    let made = house.json(&["api-key", "add", "--name", "Shop", "--account", "1", "--everything"]);
    let secret = made["secret"].as_str().unwrap().to_owned();
    let queue = || house.json(&["queue", "list"]).as_array().unwrap().clone();
    let message = wish(&json!(["a@example.net", "mario@gmail"]));
    let first = keyed(&server, &secret, &message, "\"order-17\"");
    assert_eq!((first.status, first.body["refused"].as_array().unwrap().len()), (200, 1), "{}", first.body);
    let again = keyed(&server, &secret, &message, "\"order-17\"");
    assert_eq!((again.status, &again.body), (200, &first.body));
    let other = keyed(&server, &secret, &wish(&json!("b@example.net")), "order-17");
    assert_eq!(other.status, 422, "{}", other.body);
    assert_eq!(keyed(&server, &secret, &message, "").status, 400);
    // what was refused leaves its key free
    assert_eq!(keyed(&server, &secret, &wish(&json!("mario@gmail")), "order-18").status, 422);
    assert_eq!(keyed(&server, &secret, &wish(&json!("c@example.net")), "order-18").status, 200);
    assert_eq!(queue().len(), 2);

    // kept, and the relay is killed before anybody has heard of it
    let lost = wish(&json!("d@example.net"));
    let fields = [("Content-Type", "application/json"), ("Idempotency-Key", "order-19")];
    let unheard =
        Client { server: &server, key: secret.clone() }.begin("POST", "/messages", &fields, &lost.to_string());
    let ids = |queue: &[Value]| queue.iter().map(|one| one["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let kept = eventually("the third message", || Some(ids(&queue())).filter(|ids| ids.len() == 3));
    server.kill();
    drop(unheard);
    let server = house.serve();
    let heard = keyed(&server, &secret, &lost, "order-19");
    assert_eq!((heard.status, heard.body["message"].as_str()), (200, Some(kept[2].as_str())), "{}", heard.body);
    assert_eq!(ids(&queue()), kept, "nothing was sent twice");
    // one that has left the queue is known by its row
    house.json(&["queue", "cancel", &kept[2], "--yes"]);
    let before = ids(&queue());
    assert!(!before.contains(&kept[2]));
    assert_eq!(keyed(&server, &secret, &lost, "order-19").body, heard.body);
    assert_eq!(keyed(&server, &secret, &message, "order-17").body, first.body);
    assert_eq!(ids(&queue()), before);
    assert_eq!(keyed(&server, &secret, &lost, "order-20").status, 200, "under another key it is another message");
    assert_eq!(queue().len(), before.len() + 1);
}

/// What a crash between the row and the commit leaves behind.
#[test]
fn a_message_that_was_written_down_and_never_kept_is_sent_under_its_id() {
    let house = House::new(1);
    house.furnish();
    let raw = "From: <shop@example.com>\r\nSubject: x\r\n\r\nx\r\n";
    let message = GivenMessage {
        user: "1".into(),
        reverse_path: None,
        recipients: vec!["a@example.net".into()],
        content: GivenContent::Raw(Octets(raw.into())),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let left_behind = KeyedRequest {
        account: Some(Id::new(1)),
        key: IdempotencyKey::parse(b"order-21", &Limits::default()).unwrap().0,
        fingerprint: fingerprint(&Operation::MessageSubmit { message: Box::new(message) }),
        at: clock.now(),
        message: Some(MessageId(7 << 64)),
        answer: Some("{}".into()),
    };
    let config = envoi::config::load(&house.config()).ok().unwrap();
    let store = envoi::data::open(&config, clock).unwrap();
    assert!(store.request_put(&left_behind, Limits::default().requests()).unwrap());
    drop(store);

    let server = house.serve();
    let client = shop(&house, &server);
    let fields = [("Content-Type", "message/rfc822"), ("Idempotency-Key", "order-21")];
    let ask = || client.with_fields("POST", "/messages?user=1&to=a@example.net", &fields, raw);
    let sent = ask();
    assert_eq!((sent.status, &sent.body["message"]), (200, &MessageId(7 << 64).to_string().into()), "{}", sent.body);
    assert_eq!(ask().body, sent.body);
    assert_eq!(house.json(&["queue", "list"]).as_array().unwrap().len(), 1);
}
