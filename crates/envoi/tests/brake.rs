//! The automatic brake with the real binary: it goes on by what is counted, new mail is put off, what waits is held, people are
//! told, and a release lets all of it go.

#![allow(clippy::unwrap_used)]

mod support;

use mail_parser::MessageParser;
use net::clock::{Clock, SystemClock};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{ContentFacts, Envelope, Origin, Outcome, Settlement, Verdict};
use relay::report::{Report, ReportKind};
use relay::store::{Draft as _, History as _, Spool as _};
use serde_json::{Value, json};
use smtp::address::{Address, ReversePath};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use support::{Hop, House, Login, Port, Server, eventually, send};

fn try_send(
    house: &House,
    server: &Server,
    login: &Login,
    recipient: &str,
) -> Result<String, lettre::transport::smtp::Error> {
    let content = b"From: <shop@example.com>\r\nSubject: Your order\r\n\r\nThank you.\r\n";
    send(&house.client(Port::Tls(server.tls), login), "shop@example.com", &[recipient], content)
}

/// A relay that takes ten recipients a day for a sudden volume, and reaches nobody at dead.example.
fn house(hop: &Hop) -> House {
    let house = House::new(hop.port());
    let text = std::fs::read_to_string(house.config()).unwrap();
    let text = text.replace("[limits]\n", "[limits]\nbrake_volume_recipients_min = 10\n").replace(
        "[[delivery.route]]\n",
        "[[delivery.route]]\ndomain = \"dead.example\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\n[[delivery.route]]\n",
    );
    let mail = "[mail]\nfrom = \"Acme Relay <envoi@mail.example>\"\n";
    std::fs::write(house.config(), text + mail).unwrap();
    house
}

fn row_to(house: &House, recipient: &str) -> Value {
    house.json(&["activity", "--recipient", recipient])[0].clone()
}

#[test]
fn a_sudden_volume_is_put_off_and_held_until_it_is_released() {
    let hop = Hop::start(40);
    let house = house(&hop);
    let login = house.furnish();
    let server = house.serve();
    house.json(&["domain", "add", "--account", "0", "mail.example"]);
    house.json(&["domain", "vouch", "mail.example"]);
    house.json(&["member", "add", "op@example.net", "--name", "Op", "--language", "fr"]);
    house.json(&["member", "add", "jane@example.net", "--account", "1", "--name", "Jane"]);
    let url = "https://hooks.example/in";
    let events = ["--event", "brake.on", "--event", "brake.released"];
    house.json(&[&["webhook", "add", "--account", "1", "--name", "Shop", "--url", url][..], &events[..]].concat());
    let calls = || -> Vec<Value> {
        let log = house.json(&["webhook", "log", "1"]);
        log.as_array().unwrap().iter().map(|call| call["event"].clone()).collect()
    };
    try_send(&house, &server, &login, "late@dead.example").unwrap();
    // by one session, so that no look comes in between that finds less
    let many: Vec<String> = (0..12).map(|number| format!("r{number}@example.net")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let content = b"From: <shop@example.com>\r\nSubject: Your orders\r\n\r\nThank you.\r\n";
    send(&house.client(Port::Tls(server.tls), &login), "shop@example.com", &many, content).unwrap();
    let brakes = eventually("the brake", || {
        let brakes = house.json(&["brake", "list"]);
        brakes.get(0).is_some().then_some(brakes)
    });
    assert_eq!((&brakes[0]["brake"], &brakes[0]["cause"]), (&json!("U1"), &json!("volume")));
    assert_eq!(
        (&brakes[0]["counted"], &brakes[0]["of"], &brakes[0]["user_name"]),
        (&json!(13), &json!(10), &json!("Web shop"))
    );
    let refused = format!("{:?}", try_send(&house, &server, &login, "new@example.net").unwrap_err());
    assert!(
        refused.contains("TransientNegativeCompletion")
            && refused.contains("4.7.1 The automatic brake is on (reference U1)"),
        "{refused}"
    );
    let held = eventually("the hold", || {
        let row = row_to(&house, "late@dead.example");
        (row["status"] == "pending").then_some(row)
    });
    assert!(held["reason"].as_str().unwrap().starts_with("Held by the automatic brake"), "{held}");
    let told = [
        ("jane@example.net", "Shop: the automatic brake is on"),
        ("op@example.net", "Shop\u{a0}: le frein automatique est actif"),
    ];
    for (address, subject) in told {
        let letter = eventually("the letter", || {
            let is_it = |content: &[u8]| MessageParser::new().parse(content).unwrap().subject() == Some(subject);
            let messages = hop.capture.messages().into_iter();
            messages.filter(|message| message.recipients == [address]).find(|message| is_it(&message.content))
        });
        let read = MessageParser::new().parse(&letter.content).unwrap();
        assert!(read.body_text(0).unwrap().contains("U1"), "{address}");
    }
    assert_eq!(house.json(&["account", "show", "1"])["brakes"], 1);
    eventually("the call", || (calls() == ["brake.on"]).then_some(()));

    // it outlasts a restart
    assert_eq!(server.stop(), Some(0));
    let server = house.serve();
    assert!(try_send(&house, &server, &login, "new@example.net").is_err());
    house.json(&["brake", "release", "u1"]);
    try_send(&house, &server, &login, "new@example.net").unwrap();
    eventually("the release of what was held", || {
        let row = row_to(&house, "late@dead.example");
        (row["status"] == "deferred").then_some(())
    });
    assert_eq!(house.error(&["brake", "release", "U1"])["kind"], "not_found");
    // that it went on was told before the restart, and is not told again
    eventually("the call", || (calls() == ["brake.released", "brake.on"]).then_some(()));
    let log = house.json(&["audit", "list", "--account", "1", "--limit", "2"]);
    let actions: Vec<_> = log.as_array().unwrap().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["brake.release", "brake.on"]);
    assert_eq!(server.stop(), Some(0));
}

/// A mail server without a single mailbox; its port.
fn without_mailboxes() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || refuse_all(&stream));
        }
    });
    port
}

/// Until the other end has gone, which is its own affair.
fn refuse_all(mut stream: &TcpStream) -> Option<()> {
    stream.write_all(b"220 nobody.example\r\n").ok()?;
    for line in BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok) {
        let reply = match line.get(..4)? {
            "RCPT" => "550 5.1.1 No such user here",
            "QUIT" => "221 Goodbye",
            _ => "250 Fine",
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).ok()?;
    }
    Some(())
}

#[test]
fn what_bounced_before_a_restart_counts_towards_the_brake() {
    let house = House::new(without_mailboxes());
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.replace("[limits]\n", "[limits]\nrecipients_max = 75\n")).unwrap();
    let login = house.furnish();
    let server = house.serve();
    // as many as one message may have, so that none comes after the brake
    let bounce = |server: &Server, recipients: std::ops::Range<u32>| {
        let names: Vec<String> = recipients.map(|number| format!("r{number}@example.net")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let content = b"From: <shop@example.com>\r\nSubject: Your orders\r\n\r\nThank you.\r\n";
        send(&house.client(Port::Tls(server.tls), &login), "shop@example.com", &names, content).unwrap();
    };
    bounce(&server, 0..75);
    bounce(&server, 75..150);
    eventually("the bounces", || {
        let bounced = house.json(&["statistics", "--account", "1"])["total"]["hard_bounces"].clone();
        (bounced == 150).then_some(())
    });
    assert_eq!(house.json(&["brake", "list"]), json!([]), "too few to say");
    assert_eq!(server.stop(), Some(0));
    let server = house.serve();
    bounce(&server, 150..210);
    let brakes = eventually("the brake", || {
        let brakes = house.json(&["brake", "list"]);
        brakes.get(0).is_some().then_some(brakes)
    });
    let (user, cause) = (&brakes[0]["brake"], &brakes[0]["cause"]);
    assert_eq!((user, cause), (&json!("U1"), &json!("hard_bounces")));
    assert!(brakes[0]["counted"].as_u64() >= Some(200), "{brakes}");

    // what was seen at its release is not counted again by the next start
    house.json(&["brake", "release", "U1"]);
    assert_eq!(server.stop(), Some(0));
    let kept: Value = serde_json::from_slice(&std::fs::read(house.data().join("brakes.json")).unwrap()).unwrap();
    assert_eq!(kept["kept"]["users"], json!([]));
}

/// A message of this moment to so many recipients, of the SMTP user that a house is furnished with.
fn envelope(accepted_at: Timestamp, recipients: u16) -> Envelope {
    let address = |number| Address::parse(&format!("r{number}@example.net"), false).unwrap();
    Envelope {
        message: MessageId(u128::from(accepted_at.0) << 80),
        account: Id::new(1),
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        origin: Origin::Submission,
        reverse_path: ReversePath::parse("shop@example.com", false).unwrap(),
        recipients: (0..recipients).map(address).collect(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at,
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts::default(),
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    }
}

/// Leaves in the data folder, where no relay runs, what was delivered so many days ago, and that one recipient complained of it now.
async fn complained_of(house: &House, days: u64, recipients: u16) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.now();
    let config = envoi::config::load(&house.config()).ok().unwrap();
    let store = envoi::data::open(&config, clock).unwrap();
    let sent = envelope(Timestamp(now.0 - days * 86_400_000), recipients);
    let (message, at) = (sent.message, sent.accepted_at);
    let mut draft = store.draft().unwrap();
    draft.append("Subject: News\r\n\r\nMuch.\r\n".into()).await.unwrap();
    store.commit(sent, draft).await.unwrap();
    let delivered = |recipient| Verdict {
        recipient,
        outcome: Outcome::Delivered { sandbox: false },
        class: None,
        reason: String::new(),
        remote_reply: None,
    };
    let verdicts = (0..recipients).map(delivered).collect();
    store.settle(Settlement { message, at, attempt: None, verdicts }).await.unwrap();
    let complaint = Report {
        message,
        account: Id::new(1),
        domain: Some(Id::new(1)),
        user: Some(Id::new(1)),
        days_ahead: 0,
        recipient: Some(0),
        at: now,
        kind: ReportKind::Complaint,
        class: None,
        reason: relay::report::COMPLAINED.into(),
        reply: "abuse".into(),
        authentication: None,
    };
    store.report(complaint).await.unwrap();
    store.caught_up().await;
}

#[test]
fn complaints_about_mail_of_days_ago_put_the_brake_on_once() {
    let hop = Hop::start(1);
    let house = House::new(hop.port());
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.replace("[limits]\n", "[limits]\nbrake_complaint_recipients_min = 12\n"))
        .unwrap();
    let login = house.furnish();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(complained_of(&house, 4, 12));
    let server = house.serve();
    let brakes = eventually("the brake", || {
        let brakes = house.json(&["brake", "list"]);
        brakes.get(0).is_some().then_some(brakes)
    });
    let brake = &brakes[0];
    assert_eq!((&brake["brake"], &brake["cause"]), (&json!("U1"), &json!("complaints")));
    assert_eq!((&brake["counted"], &brake["of"]), (&json!(1), &json!(12)));
    assert!(try_send(&house, &server, &login, "new@example.net").is_err());
    house.json(&["brake", "release", "U1"]);
    assert_eq!(server.stop(), Some(0));
    // somebody has looked at that mail: beside it only another message counts
    runtime.block_on(complained_of(&house, 5, 20));
    let server = house.serve();
    let again = eventually("the brake", || {
        let brakes = house.json(&["brake", "list"]);
        brakes.get(0).is_some().then_some(brakes)
    });
    assert_eq!((&again[0]["counted"], &again[0]["of"]), (&json!(1), &json!(20)), "{again}");
    assert_eq!(server.stop(), Some(0));
}
