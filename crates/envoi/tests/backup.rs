//! A backup made while clients send, and what comes back from it into an empty folder.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use support::load::Load;
use support::{Hop, House, Port, eventually, send};

const CLIENTS: u64 = 3;
/// Acknowledged before the backup begins, and again while it is there.
const ACKNOWLEDGED: usize = 60;

fn subjects(rows: &Value) -> BTreeSet<String> {
    rows.as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap().to_owned()).collect()
}

/// Everything that is booked, and how much of its quota the account has used.
fn booked(house: &House) -> (Vec<Value>, u64) {
    let mut booked: Vec<Value> =
        ["account", "domain", "suppression"].iter().map(|what| house.json(&[what, "list"])).collect();
    let used = booked[0][0]["used"].take().as_u64().unwrap();
    (booked, used)
}

#[test]
fn a_backup_under_load_has_all_that_was_acknowledged_before_it_began() {
    let hop = Hop::start(100_000);
    let house = House::new(hop.port());
    let login = house.furnish();
    house.json(&["suppression", "add", "--account", "1", "anna@example.org"]);
    let server = house.serve();
    let (before_booked, _) = booked(&house);
    let target = house.path().join("backup");
    let load = Load::new(&house, &login, &server);
    let (before, made) = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let load = &load;
            scope.spawn(move || load.send_marked(client, 10));
        }
        load.wait_for_more(ACKNOWLEDGED);
        let before = load.acknowledged();
        let made = house.json(&["backup", target.to_str().unwrap()]);
        load.wait_for_more(ACKNOWLEDGED);
        load.end();
        (before, made)
    });
    server.kill();
    assert_eq!(made["master_key"], false);
    assert!(!target.join("master.key").exists());
    let again = House::new(hop.port());
    let restored = again.json(&["restore", target.to_str().unwrap()]);
    assert_eq!((&restored["master_key"], &restored["smtp_users_without_key"]), (&Value::from(false), &Value::from(1)));
    assert!(again.error(&["queue", "list"])["what"].as_str().unwrap().contains("master key"));
    std::fs::copy(house.data().join("master.key"), again.data().join("master.key")).unwrap();
    // the moment: each message that was acknowledged before is live, or was delivered
    let (waiting, rows) =
        (again.json(&["queue", "list", "--limit", "100000"]), again.json(&["activity", "--limit", "100000"]));
    assert_eq!(waiting.as_array().unwrap().len() as u64, made["messages"].as_u64().unwrap());
    let missing: Vec<_> = before.difference(&subjects(&rows)).cloned().collect();
    assert!(missing.is_empty(), "{} of {} are not in the backup: {missing:?}", missing.len(), before.len());
    let live: BTreeSet<&str> =
        waiting.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap()).collect();
    for row in rows.as_array().unwrap() {
        let is_live = live.contains(row["message"].as_str().unwrap());
        assert!(is_live != (row["status"] == "delivered"), "{row}");
    }
    assert_eq!(booked(&again), (before_booked, rows.as_array().unwrap().len() as u64));
    // what was settled then stands as it does in the folder that it came from
    let original = house.json(&["activity", "--status", "delivered", "--limit", "100000"]);
    let original: Vec<&Value> = original.as_array().unwrap().iter().collect();
    let delivered: Vec<&Value> = rows.as_array().unwrap().iter().filter(|row| row["status"] == "delivered").collect();
    assert!(delivered.iter().all(|row| original.contains(row)));
    // and it goes on
    let server = again.serve();
    let content = b"From: <shop@example.com>\r\nSubject: after the restore\r\n\r\nHello.\r\n";
    send(&again.client(Port::Tls(server.tls), &login), "shop@example.com", &["b@example.net"], content).unwrap();
    hop.wait("Subject: after the restore");
    eventually("the empty queue", || (again.json(&["queue", "list"]) == serde_json::json!([])).then_some(()));
    eventually("all of them in Activity", || {
        let rows = again.json(&["activity", "--status", "delivered", "--limit", "100000"]);
        before.is_subset(&subjects(&rows)).then_some(())
    });
    let audit = house.json(&["audit", "list"]);
    assert!(audit.as_array().unwrap().iter().any(|line| line["action"] == "backup"), "{audit}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_restored_queue_can_be_held_and_released_as_a_whole() {
    let hop = Hop::start(100);
    let house = House::new(hop.port());
    let login = house.furnish();
    // nobody takes mail yet
    house.configure(9);
    let server = house.serve();
    for subject in ["one", "two"] {
        let content = format!("From: <shop@example.com>\r\nSubject: {subject}\r\n\r\nHello.\r\n");
        send(&house.client(Port::Tls(server.tls), &login), "shop@example.com", &["b@example.net"], content.as_bytes())
            .unwrap();
    }
    server.kill();
    let target = house.path().join("backup");
    // without a relay the command opens the folder itself
    let made = house.json(&["backup", "--with-master-key", target.to_str().unwrap()]);
    assert_eq!(made["messages"], 2);
    assert_eq!(house.error(&["backup", target.to_str().unwrap()])["kind"], "conflict");
    assert_eq!(house.error(&["restore", target.to_str().unwrap()])["kind"], "conflict");
    let again = House::new(hop.port());
    let restored = again.json(&["restore", "--hold", target.to_str().unwrap()]);
    assert_eq!((&restored["held"], &restored["master_key"]), (&Value::from(2), &Value::from(true)));
    let server = again.serve();
    for entry in again.json(&["queue", "list"]).as_array().unwrap() {
        assert_eq!(entry["recipients"][0]["held"], "operator", "{entry}");
    }
    assert!(hop.capture.messages().is_empty());
    again.json(&["queue", "release", "--all"]);
    hop.wait("Subject: one");
    hop.wait("Subject: two");
    assert_eq!(server.stop(), Some(0));
}
