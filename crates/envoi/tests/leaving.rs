//! What is to be there no more, with the real binary: rows after an account's own days, a recipient, an account.

#![allow(clippy::unwrap_used)]

mod support;

use lettre::transport::smtp::commands::Noop;
use serde_json::{Value, json};
use support::api::key;
use support::browser::Browser;
use support::{Hop, House, Login, Port, Server, eventually};

const PASSWORD: &str = "four words nobody knows";

fn send_to(house: &House, server: &Server, login: &Login, recipient: &str) {
    let content = b"From: <shop@example.com>\r\nSubject: Your order\r\n\r\nThank you.\r\n";
    support::send(&house.client(Port::Tls(server.tls), login), "shop@example.com", &[recipient], content).unwrap();
}

/// A browser of a new member of an account, or of the operator.
fn member(house: &House, server: &Server, account: Option<&str>, email: &str) -> Browser {
    let mut line = vec!["member", "add", email, "--name", "Somebody"];
    if let Some(account) = account {
        line.extend(["--account", account]);
    }
    let made = house.json(&line);
    let mut browser = Browser::new(server.console);
    browser.send("/choose-password", &[("token", made["token"].as_str().unwrap()), ("password", PASSWORD)]);
    assert!(browser.is_signed_in());
    browser
}

/// What of account 1 is in the queue; bounce mails are the relay's own.
fn queue(house: &House) -> Vec<Value> {
    let all = house.json(&["queue", "list"]);
    all.as_array().unwrap().iter().filter(|entry| entry["account"] == 1).cloned().collect()
}

#[test]
fn an_account_says_for_how_long_its_activity_is_kept() {
    let house = House::new(1);
    let server = house.serve();
    house.furnish();
    assert_eq!(house.json(&["account", "show", "1"])["activity_days"], Value::Null);
    assert_eq!(house.json(&["account", "set", "1", "--activity-days", "7"])["activity_days"], 7);
    for wrong in ["0", "31", "all"] {
        assert_eq!(house.error(&["account", "set", "1", "--activity-days", wrong])["kind"], "invalid", "{wrong}");
    }
    let client = key(&house, &server, &["Settings", "--account", "1", "--may", "domains"]);
    let set = |days: Value| client.ask("PATCH", "/accounts/1", Some(&json!({"activity_days": days})));
    assert_eq!((set(json!(3)).body["activity_days"].clone(), set(json!(99)).status), (json!(3), 422));
    assert_eq!(set(Value::Null).body["activity_days"], Value::Null);
    let mut browser = member(&house, &server, Some("1"), "jane@example.com");
    let form =
        |days: &'static str| [("name", "Shop"), ("time_zone", "UTC"), ("language", "en"), ("activity_days", days)];
    assert_eq!(browser.post("/account", &form("5")).status, 303);
    assert!(
        browser
            .get("/account")
            .body
            .contains("name=\"activity_days\" type=\"number\" min=\"1\" max=\"30\" value=\"5\"")
    );
    let refused = browser.post("/account", &form("31"));
    assert!(refused.status == 422 && refused.body.contains("from 1 to 30"), "{}", refused.body);
    assert_eq!(browser.post("/account", &form("")).status, 303);
    assert_eq!(house.json(&["account", "show", "1"])["activity_days"], Value::Null);
    let told = house.json(&["audit", "list", "--account", "1", "--limit", "1"])[0]["subject"].to_string();
    assert!(told.contains("activity days from 5 to none"), "{told}");
}

#[test]
fn a_recipient_is_erased_and_the_audit_log_does_not_say_who() {
    let hop = Hop::start(10);
    let house = House::new(hop.port());
    let server = house.serve();
    let login = house.furnish();
    let url = "https://hooks.example/";
    house.json(&["webhook", "add", "--account", "1", "--name", "Hook", "--url", url]);
    house.json(&["suppression", "add", "--account", "1", "anna@example.net"]);
    house.json(&["suppression", "remove", "--account", "1", "anna@example.net"]);
    let before = house.json(&["audit", "list", "--limit", "1000"]).as_array().unwrap().len();
    for recipient in ["anna@example.net", "bert@example.net"] {
        send_to(&house, &server, &login, recipient);
    }
    eventually("two deliveries", || {
        let delivered = house.json(&["activity", "--account", "1", "--status", "delivered"]);
        (delivered.as_array()?.len() == 2).then_some(())
    });
    house.json(&["suppression", "add", "--account", "1", "anna@example.net"]);
    let client = key(&house, &server, &["Privacy", "--account", "1", "--may", "administration"]);
    let erased = client.post("/accounts/1/erasures", &json!({"recipient": "Anna@Example.net"}));
    assert_eq!((&erased["rows"], &erased["suppression"], &erased["waiting"]), (&1.into(), &false.into(), &0.into()));
    assert!(erased["calls"].as_u64().unwrap() >= 1, "{erased}");
    assert_eq!(house.json(&["suppression", "list"])[0]["address"], "anna@example.net", "it was not asked for");
    let again = house.json(&["account", "erase", "1", "--recipient", "anna@example.net", "--suppression", "--yes"]);
    assert_eq!((&again["rows"], &again["suppression"]), (&0.into(), &true.into()));
    assert_eq!(house.json(&["suppression", "list"]), json!([]));
    let left = house.json(&["activity", "--account", "1"]);
    assert_eq!((left.as_array().unwrap().len(), &left[0]["recipient"]), (1, &"bert@example.net".into()));
    let told = house.json(&["audit", "list", "--limit", "1000"]);
    let told: Vec<_> = told.as_array().unwrap().iter().filter(|line| line["action"] != "suppression.add").collect();
    let since = &told[..told.len() - before];
    assert!(since.iter().any(|line| line["action"] == "account.erase"), "{since:?}");
    assert!(since.iter().all(|line| !line.to_string().contains("anna@")), "{since:?}");

    let mut browser = member(&house, &server, Some("1"), "jane@example.com");
    assert_eq!(browser.get("/account/erase").status, 200);
    assert_eq!(browser.post("/account/erase", &[("address", "bert@example.net")]).status, 400, "without the tick");
    assert_eq!(browser.post("/account/erase", &[("address", " "), ("sure", "1")]).status, 422);
    let shown = browser.post("/account/erase", &[("address", "bert@example.net"), ("sure", "1")]);
    assert!(shown.status == 200 && shown.body.contains("rows of Activity: 1"), "{}", shown.body);
    assert_eq!(house.json(&["activity", "--account", "1"]), json!([]));
}

#[test]
fn a_deleted_account_stops_at_once_and_is_purged() {
    // nothing listens there: what is sent waits
    let house = House::new(1);
    let server = house.serve();
    let login = house.furnish();
    let api = key(&house, &server, &["Everything", "--account", "1", "--everything"]);
    let mut jane = member(&house, &server, Some("1"), "jane@example.com");
    let mut operator = member(&house, &server, None, "op@example.com");
    send_to(&house, &server, &login, "a@example.net");
    send_to(&house, &server, &login, "b@example.net");
    let waiting = queue(&house);
    house.json(&["queue", "hold", waiting[0]["message"].as_str().unwrap()]);
    let mut session = house.session(server.tls, &login);
    session.command(Noop).unwrap();

    let asked = operator.get("/operator/accounts/1/delete");
    assert!(asked.status == 200 && asked.body.contains("pattern=\"Shop\""), "{}", asked.body);
    let wrong = operator.post("/operator/accounts/1/delete", &[("typed", "Ship"), ("choice", "deliver")]);
    assert_eq!((wrong.status, house.json(&["account", "list"]).as_array().unwrap().len()), (422, 1));
    let done = operator.post("/operator/accounts/1/delete", &[("typed", "Shop"), ("choice", "deliver")]);
    assert_eq!(done.location, "/operator/accounts", "{}", done.body);

    let ended = session.command(Noop).unwrap_err();
    assert!(ended.to_string().contains("4.7.0"), "{ended}");
    assert_eq!(api.ask("GET", "/accounts/1", None).status, 401);
    assert!(!jane.is_signed_in());
    for list in ["account", "domain", "smtp-user", "webhook"] {
        assert_eq!(house.json(&[list, "list"]), json!([]), "{list}");
    }
    // what is held is given up, the rest goes on
    let left = eventually("the held one to go", || {
        let left = queue(&house);
        (left.len() == 1).then_some(left)
    });
    assert_ne!(left[0]["message"], waiting[0]["message"]);
    assert_eq!(house.error(&["account", "delete", "1", "--yes"])["kind"], "not_found");
    let message = left[0]["message"].as_str().unwrap().to_owned();
    house.json(&["queue", "cancel", &message, "--yes"]);
    server.stop();

    // what is left goes in the background, from the start on
    let _server = house.serve();
    eventually("the purge", || {
        let rows = house.json(&["activity"]);
        rows.as_array()?.iter().all(|row| row["account"] != 1).then_some(())
    });
    let told = house.json(&["audit", "list", "--account", "1", "--limit", "3"]);
    let told: Vec<_> = told.as_array().unwrap().iter().map(|line| line["action"].clone()).collect();
    assert!(told.contains(&"account.delete".into()), "{told:?}");
    let next = house.json(&["account", "add", "--name", "Shop"]);
    assert_eq!(next["id"], 2, "its number is not given again");
}

#[test]
fn all_mail_of_a_deleted_account_is_given_up_where_that_is_asked_for() {
    let house = House::new(1);
    let server = house.serve();
    let login = house.furnish();
    send_to(&house, &server, &login, "a@example.net");
    let operator = key(&house, &server, &["Everything", "--everything"]);
    assert_eq!(operator.ask("DELETE", "/accounts/1?cancel_mail=true", None).status, 200);
    eventually("an empty queue", || queue(&house).is_empty().then_some(()));
}

#[test]
fn all_mail_of_a_deleted_domain_is_given_up_where_that_is_chosen() {
    let house = House::new(1);
    let server = house.serve();
    let login = house.furnish();
    send_to(&house, &server, &login, "a@example.net");
    let mut jane = member(&house, &server, Some("1"), "jane@example.com");
    let asked = jane.get("/domains/example.com/delete").body;
    assert!(asked.contains("value=\"deliver\" checked") && asked.contains("value=\"cancel\""), "{asked}");
    let done = jane.post("/domains/example.com/delete", &[("typed", "example.com"), ("choice", "cancel")]);
    assert_eq!(done.location, "/domains", "{}", done.body);
    eventually("an empty queue", || queue(&house).is_empty().then_some(()));
    eventually("the bounce", || {
        let row = &house.json(&["activity", "--account", "1"])[0];
        (row["status"] == "hard_bounce").then_some(())
    });
}
