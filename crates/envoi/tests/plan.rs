//! Plans with the real binary: asked for, approved, held to, changed and cancelled; what a login hears, who is written to.

#![allow(clippy::unwrap_used)]

mod support;

use mail_parser::MessageParser;
use serde_json::Value;
use support::{Hop, House, Login, Port, Server, send};

type Sent = Result<String, lettre::transport::smtp::Error>;

fn try_send(house: &House, server: &Server, login: &Login, recipient: &str) -> Sent {
    let content = b"From: <shop@example.com>\r\nSubject: Your order\r\n\r\nThank you.\r\n";
    send(&house.client(Port::Tls(server.tls), login), "shop@example.com", &[recipient], content)
}

fn refusal(sent: Sent) -> String {
    format!("{:?}", sent.unwrap_err())
}

/// An account that waits for its first plan, with a domain and a user.
fn waiting(house: &House) -> Login {
    let account = house.json(&["account", "add", "--name", "Shop", "--without-plan"]);
    assert_eq!(
        (&account["plan"], &account["no_plan"], &account["quota"]),
        (&Value::Null, &"unapproved".into(), &0.into())
    );
    house.json(&["domain", "add", "--account", "1", "example.com"]);
    house.json(&["domain", "vouch", "example.com"]);
    let user = house.json(&["smtp-user", "add", "--domain", "example.com", "--name", "Web shop"]);
    let text = |field: &str| user[field].as_str().unwrap().to_owned();
    Login { username: text("username"), password: text("password") }
}

#[test]
fn a_plan_is_asked_for_approved_held_to_and_cancelled() {
    let hop = Hop::start(20);
    let house = House::new(hop.port());
    let server = house.serve();
    let login = waiting(&house);
    let refused = refusal(try_send(&house, &server, &login, "early@example.net"));
    assert!(refused.contains("5.7.13") && refused.contains("has no plan"), "{refused}");

    let add = |name: &str, recipients: &str| {
        house.json(&["plan", "add", "--name", name, "--recipients", recipients, "--offered", "on"])["id"].to_string()
    };
    let (small, large) = (add("Small", "2"), add("Large", "3"));
    let ask = |what: &[&str]| house.json(&[&["plan", "ask", "--account", "1"], what].concat())["id"].to_string();
    let first = ask(&["--plan", &small, "--message", "Please"]);
    assert_eq!(house.json(&["plan", "requests"])[0]["message"], "Please");
    assert_eq!(house.error(&["plan", "ask", "--account", "1", "--plan", &large])["kind"], "conflict");
    assert!(refusal(try_send(&house, &server, &login, "early@example.net")).contains("5.7.13"));
    assert_eq!(house.json(&["plan", "approve", &first])["state"], "approved");
    for recipient in ["a@example.net", "b@example.net"] {
        try_send(&house, &server, &login, recipient).unwrap();
    }
    let refused = refusal(try_send(&house, &server, &login, "c@example.net"));
    assert!(refused.contains("4.7.1 The monthly quota of 2 recipients is reached"), "{refused}");

    // more comes at once, with what was used
    house.json(&["plan", "approve", &ask(&["--plan", &large])]);
    try_send(&house, &server, &login, "c@example.net").unwrap();
    assert!(refusal(try_send(&house, &server, &login, "d@example.net")).contains("4.7.1"));
    // less with the next period
    house.json(&["plan", "approve", &ask(&["--plan", &small])]);
    let account = house.json(&["account", "show", "1"]);
    assert_eq!(
        (&account["quota"], &account["used"], &account["plan"]["name"]),
        (&3.into(), &3.into(), &"Large".into())
    );
    assert_eq!(account["plan_change"]["begins_at"], account["renews_at"]);
    house.json(&["plan", "keep", "--account", "1"]);
    // a cancellation too; until then it sends
    house.json(&["plan", "approve", &ask(&["--cancel"])]);
    let account = house.json(&["account", "show", "1"]);
    assert_eq!((&account["plan_change"]["plan"], &account["no_plan"]), (&Value::Null, &Value::Null));
    assert!(refusal(try_send(&house, &server, &login, "d@example.net")).contains("4.7.1"), "its login works");
    // and the operator takes a plan away at once
    let account = house.json(&["account", "plan", "1", "--none", "--yes"]);
    assert_eq!(account["no_plan"], "cancelled");
    let refused = refusal(try_send(&house, &server, &login, "d@example.net"));
    assert!(refused.contains("5.7.13") && refused.contains("has no plan"), "{refused}");
    // what was accepted is delivered, and the reason is told
    for recipient in ["a@example.net", "b@example.net", "c@example.net"] {
        let found = support::eventually("the delivery", || {
            let rows = house.json(&["activity", "--recipient", recipient, "--status", "delivered"]);
            rows.get(0).cloned()
        });
        assert_eq!(found["recipient"], recipient);
    }
    // what is alike within the hour is one row, with the reason of its first
    let told = support::eventually("the row of the login", || {
        let rows = house.json(&["connections", "list", "--account", "1"]);
        let rows = rows.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["reference"] == "account-without-plan" && row["count"].as_u64() >= Some(3))
    });
    assert!(told["reason"].as_str().unwrap().contains("no plan was approved"), "{told}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_plan_in_use_stays_and_new_accounts_begin_on_the_default() {
    let house = House::new(1);
    house.furnish();
    assert_eq!(house.json(&["plan", "list"])[0]["default"], true);
    assert_eq!(house.error(&["plan", "add", "--name", "Small"])["kind"], "invalid", "its limit is not said");
    let add = ["plan", "add", "--name", "Small", "--name-fr", "Petit", "--recipients", "100", "--price", "$5"];
    let small = house.json(&add)["id"].to_string();
    assert_eq!(house.error(&add)["kind"], "conflict", "two of one name");
    house.json(&["plan", "default", &small]);
    assert_eq!(house.json(&["account", "add", "--name", "Later"])["quota"], 100);
    assert_eq!(house.error(&["plan", "delete", &small, "--yes"])["kind"], "conflict");
    assert_eq!(house.error(&["plan", "retire", &small])["kind"], "conflict", "the default stays");
    assert_eq!(house.json(&["plan", "set", &small, "--recipients", "50"])["recipients"], 50);
    assert_eq!(house.json(&["account", "show", "2"])["quota"], 50);
    // a limit of its own, until another plan begins
    assert_eq!(house.json(&["account", "quota", "2", "--recipients", "70"])["quota"], 70);
    assert_eq!(house.json(&["account", "plan", "2", "--plan", "1"])["quota"], Value::Null);
    house.json(&["plan", "default", "1"]);
    house.json(&["plan", "delete", &small, "--yes"]);
    assert_eq!(house.json(&["plan", "list"]).as_array().unwrap().len(), 1);
    let shown = String::from_utf8(house.run(&["account", "show", "2"]).stdout).unwrap();
    assert!(shown.contains("Unlimited (1)"), "{shown}");
    let contact = ["account", "contacts", "2", "--billing", "Élise <bills@example.com>"];
    assert_eq!(house.json(&contact)["billing"]["name"], "Élise");
    assert_eq!(house.error(&["account", "contacts", "2", "--billing", "nobody"])["kind"], "invalid");
    assert_eq!(house.json(&["account", "contacts", "2", "--billing", "none"])["billing"], Value::Null);
}

#[test]
fn the_operator_is_told_of_a_request_and_the_account_of_the_answer() {
    let hop = Hop::start(20);
    let house = House::new(hop.port());
    let text = std::fs::read_to_string(house.config()).unwrap();
    let text = text.replace("[console]\n", "[console]\nurl = \"https://console.example.com\"\n");
    std::fs::write(house.config(), text + "[mail]\nfrom = \"Acme Relay <envoi@mail.example>\"\n").unwrap();
    let server = house.serve();
    house.json(&["domain", "add", "--account", "0", "mail.example"]);
    house.json(&["domain", "vouch", "mail.example"]);
    waiting(&house);
    house.json(&["member", "add", "op@example.net", "--name", "Op", "--language", "fr"]);
    house.json(&["member", "add", "jane@example.net", "--account", "1", "--name", "Jane"]);
    for contact in [["--billing", "Bills <bills@example.net>"], ["--primary", "Jane <JANE@example.net>"]] {
        house.json(&[&["account", "contacts", "1"], &contact[..]].concat());
    }
    house.json(&["plan", "add", "--name", "Small", "--name-fr", "Petit", "--recipients", "100", "--offered", "on"]);
    house.json(&["plan", "ask", "--account", "1", "--plan", "2", "--message", "We grow"]);
    let asked = hop.wait("We grow");
    assert_eq!(asked.recipients, ["op@example.net"]);
    let read = MessageParser::default().parse(&asked.content).unwrap();
    assert_eq!(read.subject(), Some("Shop demande le forfait Petit"));
    assert!(read.body_text(0).unwrap().contains("https://console.example.com/operator/requests"));
    house.json(&["plan", "decline", "1", "--reason", "Not yet of age"]);
    for address in ["jane@example.net", "bills@example.net"] {
        let told = support::eventually("the answer", || {
            hop.capture.messages().into_iter().find(|message| {
                let has = |part: &str| String::from_utf8_lossy(&message.content).contains(part);
                message.recipients == [address] && has("Not yet of age")
            })
        });
        let read = MessageParser::default().parse(&told.content).unwrap();
        assert_eq!(read.subject(), Some("Shop: the plan Small is declined"));
    }
    let answers = hop.capture.messages();
    let answers = answers.iter().filter(|message| String::from_utf8_lossy(&message.content).contains("Not yet of age"));
    assert_eq!(answers.count(), 2, "each address once");
    server.stop();
}
