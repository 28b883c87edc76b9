//! Damage in a data folder: told, not acted on without a word, repaired when asked.

#![allow(clippy::unwrap_used)]

mod support;

use relay::id::MessageId;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use support::{House, Port, eventually, send};

/// Changes octets of the file that holds `text`, where it begins.
fn damage(house: &House, text: &[u8]) {
    for entry in std::fs::read_dir(house.data().join("spool/segments")).unwrap() {
        let path = entry.unwrap().path();
        let mut octets = std::fs::read(&path).unwrap();
        let Some(at) = octets.windows(text.len()).position(|window| window == text) else { continue };
        octets[at..at + 4].iter_mut().for_each(|octet| *octet ^= 0x5A);
        return std::fs::write(path, octets).unwrap();
    }
    panic!("it is in no segment");
}

/// A relay that nobody takes mail from, killed with these messages in its queue: their ids.
fn with_mail(subjects: &[&str]) -> (House, Vec<String>) {
    let house = House::new(9);
    let login = house.furnish();
    let server = house.serve();
    for subject in subjects {
        let content = format!("From: <shop@example.com>\r\nSubject: {subject}\r\n\r\nContent of {subject}.\r\n");
        let client = house.client(Port::Tls(server.tls), &login);
        send(&client, "shop@example.com", &["b@example.net"], content.as_bytes()).unwrap();
    }
    eventually("all rows", || (rows(&house).len() == subjects.len()).then_some(()));
    assert_eq!(house.error(&["doctor", "--repair", "--yes"])["kind"], "conflict", "a relay runs");
    // while it runs: a command that opens the folder itself would end in good order
    let id = |subject: &&str| row(&house, subject)["message"].as_str().unwrap().to_owned();
    let ids = subjects.iter().map(id).collect();
    server.kill();
    (house, ids)
}

fn rows(house: &House) -> Vec<Value> {
    house.json(&["activity"]).as_array().unwrap().clone()
}

fn row(house: &House, subject: &str) -> Value {
    rows(house).into_iter().find(|row| row["subject"] == subject).unwrap()
}

/// What `doctor` says of the store.
fn damage_told(house: &House) -> Vec<String> {
    let output = house.run(&["--json", "doctor"]);
    let checks: Value = serde_json::from_slice(&output.stdout).unwrap();
    let is_damage = |check: &&Value| check["check"] == "store" && check["result"] == "fail";
    checks
        .as_array()
        .unwrap()
        .iter()
        .filter(is_damage)
        .map(|check| check["found"].as_str().unwrap().to_owned())
        .collect()
}

fn actions(plan: &Value) -> Vec<&str> {
    plan["steps"].as_array().unwrap().iter().map(|step| step["action"].as_str().unwrap()).collect()
}

#[test]
fn damaged_and_lost_mail_is_told_and_given_up_when_the_operator_says_so() {
    let (house, ids) = with_mail(&["whole", "damaged", "lost"]);
    let (damaged, lost) = (&ids[1], &ids[2]);
    let id: MessageId = lost.parse().unwrap();
    damage(&house, b"Content of damaged");
    damage(&house, &id.0.to_le_bytes());
    let told = damage_told(&house);
    assert!(told.iter().any(|told| told.contains(damaged.as_str()) && told.contains("at octet")), "{told:?}");
    assert!(told.iter().any(|told| told.contains(lost.as_str()) && told.contains("lost")), "{told:?}");
    assert_eq!(damage_told(&house), told, "looking at it does not make it go away");
    // nobody to ask and no word: it is said and not done
    let output = house.run(&["--json", "doctor", "--repair"]);
    assert_eq!(output.status.code(), Some(1));
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((actions(&plan), &plan["done"]), (vec!["damaged", "lost", "acknowledge"], &Value::from(false)));
    assert_eq!(house.json(&["queue", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(damage_told(&house), told);
    let done = house.json(&["doctor", "--repair", "--yes"]);
    assert_eq!((actions(&done), &done["done"]), (actions(&plan), &Value::from(true)));
    assert_eq!(damage_told(&house), Vec::<String>::new());
    assert!(house.json(&["doctor", "--repair", "--yes"])["steps"].as_array().unwrap().is_empty());
    for subject in ["damaged", "lost"] {
        let row = row(&house, subject);
        assert_eq!(row["status"], "hard_bounce", "{row}");
        assert!(row["reason"].as_str().unwrap().contains("a fault of its disk damaged it"), "{row}");
    }
    assert_ne!(row(&house, "whole")["status"], "hard_bounce");
    // the whole one, and what tells the sender
    let queue = house.json(&["queue", "list"]);
    assert_eq!(queue.as_array().unwrap().len(), 2, "{queue}");
    assert!(rows(&house).iter().any(|row| row["recipient"] == "shop@example.com"), "a DSN");
    let aside = std::fs::read_dir(house.data().join("spool/damaged")).unwrap();
    let aside: Vec<Vec<u8>> = aside.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    let has = |text: &[u8]| aside.iter().any(|octets| octets.windows(text.len()).any(|window| window == text));
    assert!(has(b"Subject: damaged") && has(b"Content of lost."), "{} files", aside.len());
    assert_eq!(house.serve().stop(), Some(0));
}

#[test]
fn files_that_keep_a_relay_from_starting_are_mended() {
    let (house, _) = with_mail(&["one"]);
    let (key, activity) = (house.data().join("master.key"), house.data().join("activity.db"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut octets = std::fs::read(&activity).unwrap();
    octets[..4096].fill(0x5A);
    std::fs::write(&activity, octets).unwrap();
    assert_eq!(house.error(&["queue", "list"])["kind"], "unavailable");
    let done = house.json(&["doctor", "--repair", "--yes"]);
    assert_eq!(actions(&done), ["key_mode", "activity"]);
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(house.data().join("activity.db.damaged-1").exists());
    assert_eq!(rows(&house).len(), 1, "read anew from the log");
    // of the ledger there is nothing to make it from
    let ledger = house.data().join("ledger.db");
    let mut octets = std::fs::read(&ledger).unwrap();
    octets[..4096].fill(0x5A);
    std::fs::write(&ledger, octets).unwrap();
    let error = house.error(&["doctor", "--repair", "--yes"]);
    assert!(error["remedy"].as_str().unwrap().contains("envoi restore"), "{error}");
}
