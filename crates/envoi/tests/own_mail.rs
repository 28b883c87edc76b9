//! What the relay writes to people: sent like any other mail, from a domain of the operator's own.

#![allow(clippy::unwrap_used)]

mod support;

use mail_parser::MessageParser;
use support::{Hop, House, Port, send};

/// A house whose relay writes, with a console.
fn house(hop: &Hop) -> House {
    let house = House::new(hop.port());
    let text = std::fs::read_to_string(house.config()).unwrap();
    let text = text.replace("[console]\n", "[console]\nurl = \"https://console.example.com\"\n");
    std::fs::write(house.config(), text + "[mail]\nfrom = \"Acme Relay <envoi@mail.example>\"\n").unwrap();
    house
}

#[test]
fn an_invitation_comes_by_mail_signed_and_in_the_members_language() {
    let hop = Hop::start(10);
    let house = house(&hop);
    let _server = house.serve();
    house.json(&["account", "add", "--name", "Acme"]);
    let add = ["member", "add", "eloise@example.net", "--account", "1", "--name", "Éloïse", "--language", "fr"];
    let made = house.json(&add);
    assert_eq!(made["mailed"], false, "there is no domain to write from yet");
    house.json(&["domain", "add", "--account", "0", "mail.example"]);
    house.json(&["domain", "vouch", "mail.example"]);
    let made = house.json(&["member", "link", "1"]);
    assert_eq!(made["mailed"], true);
    let arrived = hop.wait("eloise@example.net");
    assert_eq!(
        (arrived.sender.as_str(), &arrived.recipients),
        ("envoi@mail.example", &vec!["eloise@example.net".into()])
    );
    let read = MessageParser::default().parse(&arrived.content).unwrap();
    assert!(read.header("DKIM-Signature").is_some() && read.header("Auto-Submitted").is_some());
    assert_eq!(read.subject(), Some("Votre accès à Acme"));
    let text = read.body_text(0).unwrap();
    assert!(text.starts_with("Bonjour Éloïse,"), "{text}");
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("https://console.example.com/choose-password?token="));
    assert!(text.lines().any(|line| line == url), "{text}");
    // it is no account's mail, and in nobody's list
    assert_eq!(house.json(&["activity", "--account", "1"]).as_array().unwrap().len(), 0);
    let accounts = house.json(&["account", "list"]);
    assert_eq!(accounts.as_array().unwrap().len(), 1, "{accounts}");
}

#[test]
fn administrators_and_contacts_are_told_that_the_quota_is_used_up() {
    let hop = Hop::start(20);
    let house = house(&hop);
    let server = house.serve();
    let login = house.furnish();
    house.json(&["domain", "add", "--account", "0", "mail.example"]);
    house.json(&["domain", "vouch", "mail.example"]);
    for (address, role) in [("jane@example.net", "administrator"), ("john@example.net", "regular")] {
        house.json(&["member", "add", address, "--account", "1", "--name", "Somebody", "--role", role]);
        hop.wait(address);
    }
    // one is an administrator already: nobody is written to twice
    let contacts = ["--primary", "Jane <JANE@example.net>", "--billing", "Élise <bills@example.net>"];
    house.json(&[&["account", "contacts", "1"], &contacts[..]].concat());
    house.json(&["account", "set", "1", "--language", "fr"]);
    house.json(&["account", "quota", "1", "--recipients", "2"]);
    let client = house.client(Port::StartTls(server.starttls), &login);
    for number in 0..2 {
        let content = format!("From: a@example.com\r\nSubject: Message {number}\r\n\r\nBody\r\n");
        send(&client, "a@example.com", &["b@example.net"], content.as_bytes()).unwrap();
    }
    let told = hop.wait("used up");
    assert_eq!(told.recipients, ["jane@example.net"]);
    let read = MessageParser::default().parse(&told.content).unwrap();
    assert!(read.body_text(0).unwrap().contains("2 of the 2 recipients"), "{:?}", read.body_text(0));
    let told = hop.wait("bills@example.net");
    let read = MessageParser::default().parse(&told.content).unwrap();
    assert!(read.subject().unwrap().contains("épuisé"), "in the account's language: {:?}", read.subject());
    let alerts = hop.capture.messages();
    let told: Vec<_> = alerts.iter().flat_map(|message| &message.recipients).collect();
    assert_eq!(told.iter().filter(|address| address.eq_ignore_ascii_case("jane@example.net")).count(), 2);
    server.stop();
}

/// Puts another certificate in the place of the house's, which ends so many days from now.
fn ends_in(house: &House, days: i64) {
    let text = std::fs::read_to_string(house.config()).unwrap();
    assert!(text.contains("certificate = \"cert.pem\""));
    let folder = house.config().parent().unwrap().to_owned();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut made = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let now = time::OffsetDateTime::now_utc();
    (made.not_before, made.not_after) = (now - time::Duration::days(360), now + time::Duration::days(days));
    std::fs::write(folder.join("cert.pem"), made.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

#[test]
fn the_operators_people_are_told_that_the_certificate_ends() {
    let hop = Hop::start(20);
    let house = house(&hop);
    let server = house.serve();
    house.json(&["domain", "add", "--account", "0", "mail.example"]);
    house.json(&["domain", "vouch", "mail.example"]);
    house.json(&["member", "add", "operator@example.net", "--name", "Olga"]);
    server.stop();
    for (days, subject) in [(15, "localhost: the certificate ends soon"), (-1, "localhost: applications refuse")] {
        ends_in(&house, days);
        let server = house.serve();
        let told = hop.wait(subject);
        assert_eq!(told.recipients, ["operator@example.net"]);
        let read = MessageParser::default().parse(&told.content).unwrap();
        let text = read.body_text(0).unwrap();
        assert!(text.starts_with("Hello Olga,") && text.contains("The console shows the file"), "{text}");
        assert_eq!(house.json(&["certificate", "list"])[0]["days_left"], days.max(1) - 1, "whole days");
        server.stop();
    }
}
