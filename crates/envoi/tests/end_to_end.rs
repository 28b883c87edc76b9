//! The main job with the real binary: log in over TLS, be kept, be signed, be delivered, be shown.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use support::internet::Internet;
use support::{Hop, House, Port, eventually, name_server, send};

const CONTENT: &str = "From: Shop <shop@example.com>\r\nTo: <b@example.net>\r\nSubject: Your order\r\n\
    Date: Mon, 23 Nov 2026 21:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    .a dot in front\r\n..two\r\n.\r\nÀ bientôt\r\n\r\n\r\n";

fn with_mark(mark: &str) -> String {
    CONTENT.replace("Your order", &format!("Your order {mark}"))
}

#[test]
fn both_ports_deliver_every_octet_signed_and_shown() {
    let hop = Hop::start(100);
    let house = House::new(hop.port());
    let login = house.furnish();
    let server = house.serve();
    for port in [Port::StartTls(server.starttls), Port::Tls(server.tls)] {
        let mark = format!("{port:?}");
        let content = with_mark(&mark);
        // this client ends every content with a line end of its own
        let given = content.strip_suffix("\r\n").unwrap();
        let client = house.client(port, &login);
        let reply = send(&client, "shop@example.com", &["b@example.net"], given.as_bytes()).unwrap();
        let id = reply.rsplit(' ').next().unwrap().to_owned();
        assert_eq!(reply, format!("2.0.0 Ok: queued as {id}"));

        let captured = hop.wait(&format!("Subject: Your order {mark}\r\n"));
        assert_eq!(
            (captured.sender.as_str(), captured.recipients.as_slice()),
            ("shop@example.com", &["b@example.net".to_owned()][..])
        );
        let front_octets = captured.content.len() - content.len();
        assert_eq!(&captured.content[front_octets..], content.as_bytes(), "the octets are the client's");
        let front = String::from_utf8(captured.content[..front_octets].to_vec()).unwrap();
        assert_eq!(front.matches("DKIM-Signature:").count(), 2, "RSA and Ed25519: {front}");
        assert!(front.contains("d=example.com") && front.contains("\nReceived:"), "{front}");
        assert!(!front.contains("127.0.0.1"), "the client's address stays private: {front}");

        let row = eventually("the delivery in Activity", || {
            let rows = house.json(&["activity", "--message", &id]);
            let row = rows[0].clone();
            (row["status"] == "delivered").then_some(row)
        });
        assert_eq!(row["recipient"], "b@example.net");
        assert_eq!(row["sender"], "shop@example.com");
        assert_eq!(row["subject"], format!("Your order {mark}"));
        assert_eq!(row["attempts"], 1);
        let detail = house.json(&["activity", "--show", &row["row"].to_string()]);
        assert_eq!(detail["events"].as_array().unwrap().len(), 2);
        assert_eq!(detail["tls"], "TLS 1.3");
    }
    assert_eq!(house.json(&["queue", "list"]), serde_json::json!([]));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_restart_keeps_what_waits_and_who_may_log_in() {
    let hop = Hop::start(100);
    // nobody listens on port 1 of loopback
    let house = House::new(1);
    let login = house.furnish();
    let server = house.serve();
    let client = house.client(Port::Tls(server.tls), &login);
    let reply = send(&client, "shop@example.com", &["b@example.net"], with_mark("kept").as_bytes()).unwrap();
    let id = reply.rsplit(' ').next().unwrap().to_owned();
    eventually("the deferral", || {
        let rows = house.json(&["activity", "--message", &id]);
        (rows[0]["status"] == "deferred").then_some(())
    });
    let site = house.json(&["site", "list", "--troubled"])[0].clone();
    assert_eq!((&site["state"], &site["waiting"], &site["class"]), (&"unreached".into(), &1.into(), &"network".into()));
    house.json(&["site", "resume", site["site"].as_str().unwrap()]);
    assert_eq!(house.json(&["audit", "list", "--limit", "1"])[0]["action"], "site.resume");
    assert_eq!(house.error(&["site", "resume", "nowhere.example"])["kind"], "not_found");
    assert_eq!(server.stop(), Some(0));

    let waiting = house.json(&["queue", "list"]);
    assert_eq!(waiting[0]["message"], id.as_str(), "read without a server");
    house.configure(hop.port());
    let server = house.serve();
    let held = house.json(&["queue", "show", &id]);
    assert_eq!(held["recipients"][0]["recipient"], "b@example.net");
    house.json(&["queue", "retry", &id]);
    let captured = hop.wait("Your order kept");
    assert!(captured.content.starts_with(b"DKIM-Signature:"));
    let client = house.client(Port::StartTls(server.starttls), &login);
    send(&client, "shop@example.com", &["b@example.net"], with_mark("after").as_bytes()).unwrap();
    hop.wait("Your order after");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_is_switched_off_stops_at_once() {
    let hop = Hop::start(100);
    let house = House::new(hop.port());
    let login = house.furnish();
    let server = house.serve();
    let client = |login| house.client(Port::Tls(server.tls), login);
    let refused = |login| {
        let error = send(&client(login), "shop@example.com", &["b@example.net"], CONTENT.as_bytes()).unwrap_err();
        error.to_string()
    };
    house.json(&["smtp-user", "disable", &login.username]);
    assert!(refused(&login).contains("525"), "{}", refused(&login));
    house.json(&["smtp-user", "enable", &login.username]);
    send(&client(&login), "shop@example.com", &["b@example.net"], CONTENT.as_bytes()).unwrap();

    let fresh = house.json(&["smtp-user", "reset", &login.username, "--yes"]);
    assert!(refused(&login).contains("535"), "the old password stopped");
    let mut renewed = login.clone();
    renewed.password = fresh["password"].as_str().unwrap().to_owned();
    send(&client(&renewed), "shop@example.com", &["b@example.net"], CONTENT.as_bytes()).unwrap();

    let second = house.json(&["smtp-user", "add-password", &login.username]);
    let mut other = login.clone();
    other.password = second["password"].as_str().unwrap().to_owned();
    for each in [&renewed, &other] {
        send(&client(each), "shop@example.com", &["b@example.net"], CONTENT.as_bytes()).unwrap();
    }
    house.json(&["smtp-user", "drop-password", &login.username, "--yes"]);
    assert!(refused(&renewed).contains("535"), "the older password stopped");
    send(&client(&other), "shop@example.com", &["b@example.net"], CONTENT.as_bytes()).unwrap();

    house.json(&["account", "suspend", "1", "--yes"]);
    assert!(refused(&other).contains("525"), "the account is suspended");
    let wrong = house.json(&["connections", "list"]);
    assert!(wrong.as_array().unwrap().iter().any(|row| row["username"] == login.username.as_str()), "{wrong}");
}

#[test]
fn a_sender_that_is_not_ours_is_refused_and_shown() {
    let house = House::new(1);
    let login = house.furnish();
    let server = house.serve();
    let client = house.client(Port::Tls(server.tls), &login);
    let error = send(&client, "boss@other.example", &["b@example.net"], CONTENT.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("550"), "{error}");
    let row = eventually("the refusal in Activity", || {
        let rows = house.json(&["activity", "--status", "rejected"]);
        rows.get(0).cloned()
    });
    assert_eq!(row["sender"], "boss@other.example");
    assert!(!row["reference"].as_str().unwrap().is_empty());
}

#[test]
fn metrics_and_health_are_served() {
    let house = House::new(1);
    let server = house.serve();
    let look = |path: &str| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.http)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(look("/health/live").starts_with("HTTP/1.1 200"));
    assert!(look("/health/ready").starts_with("HTTP/1.1 200"));
    let metrics = look("/metrics");
    for name in [
        "envoi_build_info",
        "envoi_queue_messages 0",
        "envoi_submission_messages_total 0",
        "envoi_certificate_seconds_left",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
}

#[test]
fn a_warm_up_is_stopped_for_good_and_begun_again() {
    let house = House::new(1);
    let sources = "[[source]]\nname = \"new\"\naddresses = [\"127.0.0.2\"]\nwarm_up = true\n\
         [[source]]\nname = \"old\"\naddresses = [\"127.0.0.3\"]\n";
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), format!("{text}{sources}")).unwrap();
    let state = || house.json(&["source", "list"])[0]["warm_up"]["state"].clone();
    let last_act = || house.json(&["audit", "list", "--limit", "1"])[0]["action"].clone();
    let server = house.serve();
    assert_eq!(state(), "warming");
    house.json(&["source", "warm-up", "stop", "new"]);
    assert_eq!((state(), last_act()), ("stopped".into(), "source.warm_up_stop".into()));
    assert_eq!(house.error(&["source", "warm-up", "stop", "old"])["kind"], "conflict");
    assert_eq!(house.error(&["source", "warm-up", "stop", "nowhere"])["kind"], "not_found");
    assert_eq!(server.stop(), Some(0));
    let server = house.serve();
    assert_eq!(state(), "stopped");
    house.json(&["source", "warm-up", "start", "new"]);
    assert_eq!((state(), last_act()), ("warming".into(), "source.warm_up_start".into()));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn mail_goes_from_the_pool_of_its_account_and_each_attempt_says_its_source() {
    let hop = Hop::start(100);
    let house = House::new(hop.port());
    let login = house.furnish();
    let accounts = house.json(&["account", "list"]);
    let shop = accounts.as_array().unwrap().iter().find(|account| account["name"] == "Shop").unwrap();
    let account = shop["id"].to_string();
    // documentation addresses are nobody's (RFC 5737)
    let sources = format!(
        "[[source]]\nname = \"out1\"\naddresses = [\"127.0.0.2\"]\nhello = \"out1.relay.example\"\n\
         [[source]]\nname = \"gone\"\naddresses = [\"192.0.2.1\"]\n\
         [[pool]]\nname = \"all\"\nsources = [\"gone\"]\n\
         [[pool]]\nname = \"apart\"\nsources = [\"gone=9\", \"out1\"]\naccounts = [{account}]\n"
    );
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), format!("{text}{sources}")).unwrap();
    let server = house.serve();
    let client = house.client(Port::Tls(server.tls), &login);
    let reply = send(&client, "shop@example.com", &["b@example.net"], with_mark("apart").as_bytes()).unwrap();
    let id = reply.rsplit(' ').next().unwrap().to_owned();
    hop.wait("Your order apart");
    let row = eventually("the delivery in Activity", || {
        let row = house.json(&["activity", "--message", &id])[0].clone();
        (row["status"] == "delivered").then_some(row)
    });
    assert_eq!(row["last_attempt"]["source"], "out1 (127.0.0.2)");
    let listed = house.json(&["source", "list"]);
    let pools = &listed[0]["pools"];
    assert_eq!((&pools[0]["pool"], &pools[0]["accounts"][0]), (&"apart".into(), &shop["id"]), "{listed}");
    assert_eq!((&listed[1]["pools"][0]["first"], &pools[0]["first"]), (&true.into(), &false.into()), "{listed}");
    let states: Vec<_> = listed.as_array().unwrap().iter().map(|one| (&one["source"], &one["state"])).collect();
    assert_eq!(states, [(&"out1".into(), &"good".into()), (&"gone".into(), &"set_aside".into())]);
    assert!(listed[1]["reason"].as_str().unwrap().contains("192.0.2.1 cannot be sent from"), "{listed}");
    house.json(&["source", "resume", "gone"]);
    assert_eq!(house.json(&["audit", "list", "--limit", "1"])[0]["action"], "source.resume");
    assert_eq!(house.error(&["source", "resume", "nowhere"])["kind"], "not_found");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_timeline_says_how_the_message_came_and_what_each_server_said() {
    let (hop, internet) = (Hop::start(100), Internet::start());
    let refusing = TcpListener::bind(("127.0.0.4", hop.port())).unwrap();
    std::thread::spawn(move || {
        for stream in refusing.incoming() {
            let _ = stream.unwrap().write_all(b"554 5.7.1 not here\r\n");
        }
    });
    internet.publish("hub.example", "A", "127.0.0.4");
    internet.publish("hub.example", "A", "127.0.0.1");
    let house = House::new(hop.port());
    let config = std::fs::read_to_string(house.config()).unwrap();
    let config = config.replace(&name_server().to_string(), &internet.address.to_string());
    std::fs::write(house.config(), config.replace("host = \"127.0.0.1\"", "host = \"hub.example\"")).unwrap();
    let login = house.furnish();
    let server = house.serve();
    let client = house.client(Port::Tls(server.tls), &login);
    let reply = send(&client, "shop@example.com", &["b@example.net"], with_mark("twice").as_bytes()).unwrap();
    let id = reply.rsplit(' ').next().unwrap().to_owned();
    hop.wait("Your order twice");
    let row = eventually("the delivery in Activity", || {
        let row = house.json(&["activity", "--message", &id])[0].clone();
        (row["status"] == "delivered").then_some(row)
    });
    assert_eq!((&row["attempts"], &row["delayed"]), (&1.into(), &false.into()), "{row}");
    let number = row["row"].to_string();
    let detail = house.json(&["activity", "--show", &number]);
    assert!(detail["submission_milliseconds"].is_u64(), "{detail}");
    let attempt = &detail["events"].as_array().unwrap().last().unwrap()["attempt"];
    assert_eq!(attempt["remote"], format!("127.0.0.1:{}", hop.port()));
    let others = attempt["others"].as_array().unwrap();
    assert_eq!(
        (others.len(), &others[0]["host"], &others[0]["said"]),
        (1, &"hub.example".into(), &"554 5.7.1 not here".into())
    );
    assert_eq!(others[0]["remote"], format!("127.0.0.4:{}", hop.port()));
    let shown = house.run(&["activity", "--show", &number]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("554 5.7.1 not here") && shown.contains("Submission"), "{shown}");
    assert_eq!(server.stop(), Some(0));
}
