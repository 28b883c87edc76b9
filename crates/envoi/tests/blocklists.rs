//! Blocklists with the real binary: who is listed hears of it once, whoever is taken out again too, and a list that answers wrongly
//! raises no alarm.

#![allow(clippy::unwrap_used)]

mod support;

use envoi::demo::capture::Captured;
use mail_parser::MessageParser;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use support::internet::Internet;
use support::{Hop, House, Server, eventually};

/// What a list answers with that has something.
const LISTED: &str = "127.0.0.2";

/// A relay that asks two lists of addresses, of which one has everything, and one of domains; it writes from mail.example.
fn house(internet: &Internet, hop: &Hop) -> House {
    let house = House::new(hop.port());
    let config = std::fs::read_to_string(house.config()).unwrap();
    let config = config.replace(&support::name_server().to_string(), &internet.address.to_string());
    let further = "[zone]\naddresses = [\"192.0.2.25\", \"192.0.2.26\"]\n\
                   [blocklists]\naddresses = [\"bl.test\", \"dead.test\"]\ndomains = [\"dbl.test\"]\n\
                   [mail]\nfrom = \"Acme Relay <envoi@mail.example>\"\n";
    std::fs::write(house.config(), config + further).unwrap();
    for name in ["2.0.0.127.bl.test", "2.0.0.127.dead.test", "1.0.0.127.dead.test", "test.dbl.test"] {
        internet.publish(name, "A", LISTED);
    }
    for address in ["25.2.0.192", "26.2.0.192"] {
        internet.publish(&format!("{address}.dead.test"), "A", LISTED);
    }
    house.furnish();
    house.json(&["domain", "add", "--account", "0", "mail.example"]);
    house.json(&["domain", "vouch", "mail.example"]);
    house.json(&["member", "add", "op@example.net", "--name", "Olga"]);
    house.json(&["member", "add", "jeanne@example.net", "--account", "1", "--name", "Jeanne", "--language", "fr"]);
    let url = ["--url", "https://hooks.example/in", "--event", "blocklist.listed", "--event", "blocklist.delisted"];
    house.json(&[&["webhook", "add", "--account", "1", "--name", "Shop"][..], &url[..]].concat());
    house
}

/// The lines of the gauges of this name.
fn gauge(server: &Server, name: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.http)).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().filter(|line| line.starts_with(&format!("{name}{{"))).map(str::to_owned).collect()
}

fn shows(server: &Server, name: &str, wanted: &[&str]) {
    eventually(name, || (gauge(server, name) == wanted).then_some(()));
}

/// The letters to somebody about lists, by their Subjects.
fn letters(hop: &Hop, address: &str) -> Vec<(String, String)> {
    let read = |message: Arc<Captured>| {
        let read = MessageParser::new().parse(&message.content).unwrap();
        (read.subject().unwrap().to_owned(), read.body_text(0).unwrap().into_owned())
    };
    let all = hop.capture.messages().into_iter().filter(|message| message.recipients == [address]).map(read);
    all.filter(|(subject, _)| subject.contains("bl.test")).collect()
}

fn listed(one: &str, other: &str) -> [String; 4] {
    [("bl.test", "25", one), ("bl.test", "26", other), ("dead.test", "25", "0"), ("dead.test", "26", "0")].map(
        |(list, last, value)| format!("envoi_blocklist_listed{{list=\"{list}\",address=\"192.0.2.{last}\"}} {value}"),
    )
}

#[test]
fn what_is_listed_is_told_to_whom_it_concerns_and_not_again_by_a_restart() {
    let (internet, hop) = (Internet::start(), Hop::start(20));
    let house = house(&internet, &hop);
    let calls = || -> Vec<String> {
        let log = house.json(&["webhook", "log", "1"]);
        log.as_array().unwrap().iter().map(|call| call["event"].as_str().unwrap().to_owned()).collect()
    };
    let shown = |server: &Server, addresses: [String; 4], domains: usize| {
        let domains = format!("envoi_blocklist_listed_domains{{list=\"dbl.test\"}} {domains}");
        shows(server, "envoi_blocklist_listed_domains", &[&domains]);
        shows(server, "envoi_blocklist_listed", &addresses.each_ref().map(String::as_str));
    };
    internet.publish("25.2.0.192.bl.test", "A", LISTED);
    internet.publish("example.com.dbl.test", "A", "127.0.1.2");
    let server = house.serve();
    shown(&server, listed("1", "0"), 1);
    let operator = eventually("the letters to the operator", || {
        let letters = letters(&hop, "op@example.net");
        (letters.len() == 2).then_some(letters)
    });
    let of = |list: &str| operator.iter().find(|(subject, _)| subject.ends_with(list)).unwrap();
    assert_eq!(of(" bl.test").0, "localhost: on the blocklist bl.test");
    assert!(of(" bl.test").1.lines().any(|line| line == "192.0.2.25"), "{operator:?}");
    assert!(of(" dbl.test").1.lines().any(|line| line == "example.com"), "{operator:?}");
    let (subject, text) = eventually("the letter to the account", || letters(&hop, "jeanne@example.net").pop());
    assert_eq!(subject, "Shop\u{a0}: inscription sur la liste noire dbl.test");
    assert!(text.starts_with("Bonjour Jeanne,") && text.lines().any(|line| line == "example.com"), "{text}");
    eventually("the call", || (calls() == ["blocklist.listed"]).then_some(()));
    let kept = house.data().join("blocklists.json");
    eventually("the file", || std::fs::read_to_string(&kept).ok().filter(|text| text.contains("example.com")));
    assert_eq!(server.stop(), Some(0));

    // one more, and one taken out: both lists were written about today
    internet.withdraw("25.2.0.192.bl.test");
    internet.withdraw("example.com.dbl.test");
    internet.publish("26.2.0.192.bl.test", "A", LISTED);
    let server = house.serve();
    shown(&server, listed("0", "1"), 0);
    eventually("the call", || (calls() == ["blocklist.delisted", "blocklist.listed"]).then_some(()));
    assert_eq!(server.stop(), Some(0));
    assert_eq!((letters(&hop, "op@example.net").len(), letters(&hop, "jeanne@example.net").len()), (2, 1));

    // the next day
    let text = std::fs::read_to_string(&kept).unwrap();
    let mut aged: serde_json::Value = serde_json::from_str(&text).unwrap();
    for list in aged["kept"]["lists"].as_object_mut().unwrap().values_mut() {
        list["operator_told"] = json!(0);
        list["accounts_told"] = json!({});
    }
    std::fs::write(&kept, aged.to_string()).unwrap();
    let server = house.serve();
    let operator = eventually("the letters of the next day", || {
        let letters = letters(&hop, "op@example.net");
        (letters.len() == 4).then_some(letters)
    });
    let both = operator.iter().find(|(_, text)| text.contains("192.0.2.26")).unwrap();
    assert!(both.1.contains("no longer contains") && both.1.contains("192.0.2.25"), "{both:?}");
    let gone = eventually("the end", || letters(&hop, "jeanne@example.net").get(1).cloned());
    assert_eq!(gone.0, "Shop\u{a0}: retrait de la liste noire dbl.test");
    assert_eq!(calls(), ["blocklist.delisted", "blocklist.listed"]);
    assert_eq!(server.stop(), Some(0));
}
