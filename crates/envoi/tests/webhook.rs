//! Webhooks of the real binary: events are told, also through a kill, and private receivers only where the operator says so.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use support::{Hop, House, Port, eventually};

/// A receiver: what it was told, and whether it takes it.
struct Hook {
    port: u16,
    takes: Arc<AtomicBool>,
    told: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Hook {
    fn start(takes: bool) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (takes, told) = (Arc::new(AtomicBool::new(takes)), Arc::new(Mutex::new(Vec::new())));
        let hook = Hook { port, takes: Arc::clone(&takes), told: Arc::clone(&told) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (takes, told) = (Arc::clone(&takes), Arc::clone(&told));
                std::thread::spawn(move || Hook::converse(stream.unwrap(), &takes, &told));
            }
        });
        hook
    }

    fn converse(mut stream: TcpStream, takes: &AtomicBool, told: &Mutex<Vec<(String, Value)>>) {
        let (mut text, mut piece) = (String::new(), [0; 4096]);
        loop {
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let field = |name: &str| {
                    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
                    fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
                };
                if field("content-length").parse() == Ok(body.len()) {
                    let takes = takes.load(Ordering::SeqCst);
                    told.lock().unwrap().push((field("webhook-id").to_owned(), serde_json::from_str(body).unwrap()));
                    let status = if takes { "200 OK" } else { "503 Later" };
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                    text.clear();
                }
            }
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(octets) => text.push_str(std::str::from_utf8(&piece[..octets]).unwrap()),
            }
        }
    }

    fn types(&self) -> BTreeSet<String> {
        self.told.lock().unwrap().iter().map(|(_, body)| body["type"].as_str().unwrap().to_owned()).collect()
    }
}

fn allow_private(house: &House) {
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), format!("{text}[webhooks]\nallow_private = true\n")).unwrap();
}

#[test]
fn events_are_told_through_a_kill() {
    let (hop, hook) = (Hop::start(10), Hook::start(false));
    let house = House::new(hop.capture.address().port());
    allow_private(&house);
    let login = house.furnish();
    let server = house.serve();
    let url = format!("http://127.0.0.1:{}/in", hook.port);
    let made = house.json(&["webhook", "add", "--account", "1", "--name", "Shop", "--url", &url]);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let content = b"From: <shop@example.com>\r\nSubject: Your order\r\n\r\nx\r\n";
    support::send(&house.client(Port::Tls(server.tls), &login), "shop@example.com", &["you@example.net"], content)
        .unwrap();
    let all = BTreeSet::from(["recipient.accepted".to_owned(), "recipient.delivered".to_owned()]);
    let log = || house.json(&["webhook", "log", "1"]);
    eventually("two calls that were tried", || {
        let calls = log();
        let tried = calls.as_array()?.iter().filter(|call| call["attempts"].as_u64() > Some(0)).count();
        (tried >= 1 && calls.as_array()?.len() == 2).then_some(())
    });
    server.kill();
    hook.takes.store(true, Ordering::SeqCst);
    let before = hook.told.lock().unwrap().len();
    let _server = house.serve();
    // what was never tried goes out at once; what was, is made due at once instead of some seconds later
    for call in log().as_array().unwrap().iter().filter(|call| call["state"] == "waiting") {
        house.json(&["webhook", "replay", "1", "--call", call["call"].as_str().unwrap()]);
    }
    eventually("both calls are taken", || {
        log().as_array()?.iter().all(|call| call["state"] == "delivered").then_some(())
    });
    assert_eq!(hook.types(), all);
    let told = hook.told.lock().unwrap();
    let ids: BTreeSet<_> = told.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids.len(), 2, "what comes again has the id that it had: {told:?}");
    assert!(told.len() > before);
    let delivered = told.iter().find(|(_, body)| body["type"] == "recipient.delivered").unwrap();
    assert_eq!(
        (&delivered.1["data"]["recipient"], &delivered.1["data"]["status"], &delivered.1["data"]["subject"]),
        (&json!("you@example.net"), &json!("delivered"), &json!("Your order"))
    );
    drop(told);
    let shown = house.json(&["webhook", "show", "1"]);
    assert_eq!((&shown["waiting"], &shown["dropped"], &shown["state"]), (&json!(0), &json!(0), &json!("enabled")));
    // nothing more once it is off
    house.json(&["webhook", "set", "1", "--enabled", "off"]);
    assert_eq!(house.run(&["webhook", "test", "1"]).status.code(), Some(1));
    house.json(&["webhook", "delete", "1", "--yes"]);
    assert_eq!(house.json(&["webhook", "list"]), json!([]));
}

#[test]
fn private_receivers_need_the_operators_word() {
    let house = House::new(1);
    house.json(&["account", "add", "--name", "Shop"]);
    let add = |url: &str| house.run(&["--json", "webhook", "add", "--account", "1", "--name", url, "--url", url]);
    for url in
        ["https://127.0.0.1/", "http://hooks.example/", "https://[::1]/", "https://localhost/", "ftp://a.example/"]
    {
        let refused = add(url);
        assert_eq!(refused.status.code(), Some(1), "{url}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot be called"), "{url}");
    }
    assert_eq!(add("https://hooks.example/").status.code(), Some(0));
    allow_private(&house);
    assert_eq!(add("http://127.0.0.1:8080/").status.code(), Some(0));
}
