//! The queue by its parts: counted, held, released, cancelled, with a server and without, from the command line and the API.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Hop, House, Port, eventually};

/// Sends a message to each of these, and waits until it is deferred: there is no way out of the house.
fn deferred(house: &House, server: &support::Server, login: &support::Login, to: &[&str]) {
    let client = house.client(Port::Tls(server.tls), login);
    for recipient in to {
        let content = b"From: <shop@example.com>\r\nSubject: part\r\n\r\nx\r\n";
        support::send(&client, "shop@example.com", &[recipient], content).unwrap();
    }
    eventually("the deferrals", || {
        let rows = house.json(&["activity", "--status", "deferred"]);
        (rows.as_array().unwrap().len() == to.len()).then_some(())
    });
}

fn states(house: &House) -> Vec<(String, String)> {
    let queue = house.json(&["queue", "list"]);
    let recipients = queue.as_array().unwrap().iter().map(|message| &message["recipients"][0]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    recipients.map(|one| (text(&one["recipient"]), text(&one["state"]))).collect()
}

fn states_are(house: &House, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(to, state)| (format!("@{to}"), (*state).to_owned())).collect();
    assert_eq!(states(house), expected);
}

#[test]
fn a_part_of_the_queue_is_ordered_about_both_ways() {
    let house = House::new(1);
    let login = house.furnish();
    let server = house.serve();
    deferred(&house, &server, &login, &["a@one.example", "b@one.example", "c@two.example"]);
    let counted = house.json(&["queue", "count", "--recipient", "@one.example"]);
    assert_eq!((&counted["messages"], &counted["recipients"]), (&json!(2), &json!(2)));
    let turn = |house: &House| {
        let held = house.json(&["queue", "hold", "--recipient", "A@one.example", "--yes"]);
        assert_eq!(held["recipients"], 1);
        states_are(house, &[("one.example", "held"), ("one.example", "waiting"), ("two.example", "waiting")]);
        assert_eq!(house.json(&["queue", "hold", "--user", &login.username, "--yes"])["recipients"], 2);
        assert_eq!(house.json(&["queue", "release", "--domain", "example.com", "--yes"])["recipients"], 3);
        assert_eq!(house.json(&["queue", "hold", "--until", "1d", "--yes"])["recipients"], 0, "nothing is that old");
        let log = house.json(&["audit", "list", "--limit", "1"]);
        assert_eq!(log[0]["action"], "queue.release");
        assert_eq!(log[0]["subject"], "queue: recipients 3; messages 3; domain example.com");
    };
    turn(&house);
    assert_eq!(house.error(&["queue", "hold", "--recipient", "a@", "--yes"])["kind"], "invalid");
    assert_eq!(house.error(&["queue", "hold", "--account", "99", "--yes"])["kind"], "not_found");
    assert_eq!(server.stop(), Some(0));
    turn(&house);
    let gone = house.json(&["queue", "cancel", "--recipient", "@one.example", "--silently", "--yes"]);
    assert_eq!(gone["recipients"], 2);
    states_are(&house, &[("two.example", "waiting")]);
    let rows = house.json(&["activity", "--status", "hard-bounce"]);
    let reasons: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["reason"].clone()).collect();
    assert_eq!(reasons, ["Cancelled by operator.", "Cancelled by operator."]);
}

#[test]
fn an_order_for_all_that_is_held_leaves_the_other_recipients_of_a_message_alone() {
    let house = House::new(1);
    let login = house.furnish();
    let server = house.serve();
    let client = house.client(Port::Tls(server.tls), &login);
    let content = b"From: <shop@example.com>\r\nSubject: all\r\n\r\nx\r\n";
    support::send(&client, "shop@example.com", &["a@one.example", "b@two.example"], content).unwrap();
    eventually("the deferrals", || {
        let rows = house.json(&["activity", "--status", "deferred"]);
        (rows.as_array().unwrap().len() == 2).then_some(())
    });
    let hold = || {
        eventually("the hold", || {
            let held = house.json(&["queue", "hold", "--recipient", "@one.example", "--yes"]);
            (held["recipients"] == 1).then_some(())
        });
    };
    hold();
    house.json(&["queue", "release", "--all"]);
    let log = house.json(&["audit", "list", "--limit", "1"]);
    assert_eq!(log[0]["subject"], "queue: recipients 1; messages 1");
    hold();
    let cancelled = house.json(&["queue", "cancel", "--all", "--yes"]);
    assert_eq!(cancelled["done"], "Recipients that you held and that are cancelled now: 1, of 1 messages.");
    // the bounce mail waits there, too
    let left = eventually("the end of what was held", || {
        let queue = house.json(&["queue", "list"]);
        let messages = queue.as_array().unwrap().iter();
        let all: Vec<_> = messages.flat_map(|message| message["recipients"].as_array().unwrap().clone()).collect();
        let left: Vec<_> = all.into_iter().map(|one| one["recipient"].clone()).collect();
        (!left.contains(&json!("@one.example"))).then_some(left)
    });
    assert!(left.contains(&json!("@two.example")), "{left:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_part_of_the_queue_goes_another_way_over_a_restart() {
    let hop = Hop::start(10);
    let house = House::new(hop.port());
    let text = std::fs::read_to_string(house.config()).unwrap();
    let dead = "[[delivery.route]]\ndomain = \"dead.example\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\n";
    std::fs::write(house.config(), text.replace("[[delivery.route]]\n", &format!("{dead}[[delivery.route]]\n")))
        .unwrap();
    let login = house.furnish();
    let server = house.serve();
    deferred(&house, &server, &login, &["a@dead.example", "b@dead.example"]);
    let to = format!("127.0.0.1:{}", hop.port());
    let delivered = |recipient: &str| {
        eventually("the delivery", || {
            let rows = house.json(&["activity", "--recipient", recipient, "--status", "delivered"]);
            rows.get(0).is_some().then_some(())
        });
    };
    let error = house.error(&["queue", "reroute", "--to", "gone:25", "--recipient", "a@dead.example", "--yes"]);
    assert!(error["kind"] == "invalid" && error["remedy"].as_str().unwrap().contains(&to), "{error}");
    let reroute = |recipient: &str| house.json(&["queue", "reroute", "--to", &to, "--recipient", recipient, "--yes"]);
    assert_eq!(reroute("a@dead.example")["recipients"], 1);
    delivered("a@dead.example");
    states_are(&house, &[("dead.example", "waiting")]);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(reroute("b@dead.example")["recipients"], 1);
    let server = house.serve();
    house.json(&["queue", "retry", "--recipient", "@dead.example", "--yes"]);
    delivered("b@dead.example");
    // what comes later goes as the routes say
    deferred(&house, &server, &login, &["b@dead.example"]);
    let log = house.json(&["audit", "list", "--limit", "3"]);
    let found = log.as_array().unwrap().iter().find(|line| line["action"] == "queue.reroute").unwrap();
    assert_eq!(found["subject"], format!("queue: recipients 1; messages 1; recipient b@dead.example; route {to}"));
    assert_eq!(server.stop(), Some(0));
}
