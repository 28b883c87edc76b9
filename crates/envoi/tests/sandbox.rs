//! The sandbox of the real binary: mail is taken, signed and kept, addresses answer as told, and nothing leaves.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::io::ErrorKind;
use std::net::TcpListener;
use support::api::key;
use support::browser::Browser;
use support::{House, Login, Port, Server, eventually};

/// A next hop that notices whoever comes.
struct Alarm(TcpListener);

impl Alarm {
    fn new() -> Alarm {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Alarm(listener)
    }

    fn house(&self) -> House {
        House::new(self.0.local_addr().unwrap().port())
    }

    fn is_silent(&self) -> bool {
        matches!(self.0.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

/// An SMTP user in sandbox mode.
fn furnish(house: &House) -> Login {
    let login = house.furnish();
    let set = house.json(&["smtp-user", "set", &login.username, "--sandbox", "on"]);
    assert_eq!(set["sandbox"], true);
    login
}

const LETTER: &str = "From: Shop <shop@example.com>\r\nTo: you@example.net\r\nSubject: Your receipt\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n\
    --b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
    --c\r\n\r\nThanks! https://shop.example/r/1\r\n\
    --c\r\nContent-Type: text/html\r\n\r\n\
    <script>alert(1)</script><a href=\"https://shop.example/r/2\">Thanks</a><img src=\"https://track.example/p.gif\">\r\n\
    --c--\r\n\
    --b\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\nAQIDBA==\r\n--b--\r\n";

fn send(house: &House, server: &Server, login: &Login, to: &[&str]) -> String {
    let told = support::send(&house.client(Port::Tls(server.tls), login), "shop@example.com", to, LETTER.as_bytes());
    told.unwrap().rsplit(' ').next().unwrap().to_owned()
}

/// The rows of a message by recipient, once each is as it should be.
fn rows(house: &House, message: &str, statuses: &[(&str, &str)]) -> Vec<Value> {
    eventually(&format!("{statuses:?}"), || {
        let rows = house.json(&["activity", "--message", message]);
        let found = |(recipient, status): &(&str, &str)| {
            rows.as_array()?.iter().find(|row| row["recipient"] == *recipient && row["status"] == *status).cloned()
        };
        statuses.iter().map(found).collect()
    })
}

fn inbox(house: &House) -> Vec<Value> {
    house.json(&["inbox", "list"]).as_array().unwrap().clone()
}

#[test]
fn an_integration_is_tried_to_its_end_and_nothing_leaves() {
    let alarm = Alarm::new();
    let house = alarm.house();
    let login = furnish(&house);
    let server = house.serve();
    let to = ["you@example.net", "bounce+550@example.net", "bounce+552@other.example", "defer+421@example.net"];
    let message = send(&house, &server, &login, &to);
    let statuses = [(to[0], "delivered"), (to[1], "hard_bounce"), (to[2], "soft_bounce"), (to[3], "deferred")];
    let told = rows(&house, &message, &statuses);
    assert!(told.iter().all(|row| row["sandbox"] == true), "{told:?}");
    assert_eq!(told[1]["reason"], "There is no such mailbox at example.net.");
    assert_eq!(told[1]["reply"], "550 Answered by the sandbox, as the address asks");
    assert_eq!(told[1]["last_attempt"]["host"], "sandbox");
    assert_eq!(told[3]["reply"], "421 Answered by the sandbox, as the address asks");

    // what was taken, and the bounce mail that tells of what was not
    let kept = eventually("the bounce mail", || Some(inbox(&house)).filter(|kept| kept.len() == 2));
    let first = kept.iter().find(|one| one["message"] == *message).unwrap();
    assert_eq!((&first["recipients"], &first["subject"]), (&json!([to[0]]), &"Your receipt".into()));
    let bounces: Vec<_> = kept.iter().filter(|one| one["about"] == *message).collect();
    assert_eq!((bounces.len(), &bounces[0]["recipients"]), (1, &json!(["shop@example.com"])));

    // the second attempt is taken
    house.json(&["queue", "retry", &message]);
    rows(&house, &message, &[(to[3], "delivered")]);
    let shown = house.json(&["inbox", "show", &message]);
    assert_eq!(shown["captured"]["recipients"], json!([to[0], to[3]]));
    let verdicts: Vec<_> = shown["signatures"].as_array().unwrap().iter().map(|one| &one["verdict"]).collect();
    assert_eq!(verdicts, ["pass", "pass"], "{shown}");
    assert_eq!(shown["text"], "Thanks! https://shop.example/r/1");
    assert!(shown["html"].as_str().unwrap().starts_with("<script>"));
    let parts: Vec<_> =
        shown["parts"].as_array().unwrap().iter().map(|one| (&one["media_type"], &one["octets"])).collect();
    assert_eq!((parts.len(), parts[2]), (3, (&"image/png".into(), &4.into())));
    let links: Vec<_> = shown["links"].as_array().unwrap().iter().map(|one| &one["place"]).collect();
    assert_eq!(links, ["html", "loaded", "text"]);
    assert_eq!(shown["headers"][0]["name"], "DKIM-Signature");
    let source = house.run(&["inbox", "source", &message]).stdout;
    assert!(source.starts_with(b"DKIM-Signature: ") && source.ends_with(b"AQIDBA==\r\n--b--\r\n\r\n"));
    assert_eq!(first["octets"], source.len());
    let text = String::from_utf8(house.run(&["inbox", "show", &message]).stdout).unwrap();
    assert!(text.contains("image/png") && text.contains("rsa-sha256") && text.contains("pass"), "{text}");

    // it outlasts a kill
    server.kill();
    let server = house.serve();
    assert_eq!(inbox(&house).len(), 2);
    let erased = house.json(&["account", "erase", "1", "--recipient", to[1], "--yes"]);
    assert_eq!((&erased["messages"], inbox(&house).len()), (&1.into(), 1), "the bounce mail names it");
    house.json(&["inbox", "delete", &message]);
    assert_eq!(house.error(&["inbox", "show", &message])["kind"], "not_found");
    house.json(&["inbox", "empty", "--account", "1", "--yes"]);
    assert_eq!(inbox(&house), [] as [Value; 0]);
    let audit = house.json(&["audit", "list", "--limit", "2"]);
    assert_eq!((&audit[0]["action"], &audit[1]["action"]), (&"test_inbox.empty".into(), &"test_inbox.delete".into()));
    assert!(alarm.is_silent(), "somebody was dialled");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn an_account_sees_its_own_inbox_over_the_api_and_the_oldest_goes() {
    let alarm = Alarm::new();
    let house = alarm.house();
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.replace("[limits]\n", "[limits]\ninbox_messages_max = 2\n")).unwrap();
    let login = furnish(&house);
    let server = house.serve();
    let messages: Vec<_> = (0..3)
        .map(|number| {
            let to = format!("r{number}@example.net");
            let message = send(&house, &server, &login, &[&to]);
            rows(&house, &message, &[(&to, "delivered")]);
            message
        })
        .collect();
    house.json(&["account", "add", "--name", "Stranger"]);
    let own = key(&house, &server, &["Own", "--account", "1", "--may", "activity"]);
    let stranger = key(&house, &server, &["Stranger", "--account", "2", "--everything"]);
    let page = own.get("/inbox?limit=1");
    assert_eq!(
        (&page["rows"][0]["message"], &page["next"]),
        (&messages[2].as_str().into(), &messages[2].as_str().into())
    );
    let older = own.get(&format!("/inbox?cursor={}", messages[2]));
    assert_eq!(
        (&older["rows"][0]["message"], older["rows"].as_array().unwrap().len()),
        (&messages[1].as_str().into(), 1)
    );
    assert_eq!(own.get("/inbox?recipient=R1@")["rows"][0]["message"], *messages[1]);
    let source = own.ask("GET", &format!("/inbox/{}/source", messages[2]), None);
    assert_eq!((source.status, source.field("content-type")), (200, "message/rfc822"));
    assert_eq!(own.ask("DELETE", &format!("/inbox/{}", messages[2]), None).status, 403, "it may only look");
    assert_eq!(stranger.get("/inbox")["rows"], json!([]));
    for path in ["", "/source"] {
        assert_eq!(stranger.ask("GET", &format!("/inbox/{}{path}", messages[2]), None).status, 404);
    }
    assert_eq!(stranger.ask("DELETE", &format!("/inbox/{}", messages[2]), None).status, 404);
    assert_eq!(stranger.ask("DELETE", "/accounts/1/inbox", None).status, 404);
    let operator = key(&house, &server, &["Operator", "--everything"]);
    assert_eq!(operator.ask("DELETE", &format!("/inbox/{}", messages[2]), None).status, 200);
    assert_eq!(operator.get("/inbox?account=1")["rows"].as_array().unwrap().len(), 1);
    // what an account has sent to the sandbox counts like other mail
    assert_eq!(operator.get("/accounts/1")["used"], 3);
    assert!(alarm.is_silent(), "somebody was dialled");
}

/// Somebody of an account, signed in.
fn browser(house: &House, server: &Server, account: &str, role: &str) -> Browser {
    let email = format!("{role}-{account}@example.net");
    let line = ["member", "add", &email, "--account", account, "--name", "Somebody", "--role", role];
    let made = house.json(&line);
    let mut browser = Browser::new(server.console);
    let fields = [("token", made["token"].as_str().unwrap()), ("password", "four words nobody knows")];
    assert_eq!(browser.send("/choose-password", &fields).status, 303);
    browser
}

#[test]
fn the_console_shows_what_was_taken_and_runs_nothing_of_it() {
    let alarm = Alarm::new();
    let house = alarm.house();
    let login = furnish(&house);
    let server = house.serve();
    let message = send(&house, &server, &login, &["you@example.net", "bounce+550@example.net"]);
    rows(&house, &message, &[("you@example.net", "delivered"), ("bounce+550@example.net", "hard_bounce")]);
    let bounce = eventually("the bounce mail", || {
        let kept = inbox(&house);
        let bounce = kept.iter().find(|one| one["about"] == *message)?;
        Some(bounce["message"].as_str()?.to_owned())
    });
    let mut member = browser(&house, &server, "1", "regular");
    let list = member.get("/inbox");
    assert!(list.body.contains(&format!("/inbox/{message}")) && list.body.contains("Your receipt"), "{}", list.body);
    assert!(member.get("/inbox?search=nobody").body.contains("nobody") && !list.body.contains("/inbox/empty"));

    let (path, frame) = (format!("/inbox/{message}"), format!("/inbox/{message}/html"));
    let page = member.get(&path);
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains(&format!("<iframe class=\"letter\" sandbox src=\"{frame}\"")), "{}", page.body);
    assert!(!page.body.contains("<script>alert") && page.body.contains("https://shop.example/r/2"), "{}", page.body);
    assert!(page.body.contains("rsa-sha256") && page.body.contains("image/png"), "{}", page.body);
    let framed = member.get(&frame);
    assert!(framed.body.starts_with("<script>alert(1)</script>"), "nothing is taken out: nothing of it runs");
    let policy: Vec<_> = framed.policy.split("; ").collect();
    assert!(policy.contains(&"sandbox") && policy.contains(&"default-src 'none'"), "{policy:?}");
    assert!(policy.contains(&"frame-ancestors 'self'") && policy.contains(&"form-action 'none'"), "{policy:?}");
    assert!(!framed.policy.contains("script-src") && !framed.policy.contains("allow-"), "{policy:?}");
    assert!(
        framed.policy.contains("img-src data:;") && page.policy.contains("frame-src 'self'"),
        "no picture from elsewhere"
    );
    let whole = member.get(&format!("{path}/source.eml"));
    assert!(whole.body.starts_with("DKIM-Signature: ") && whole.policy.starts_with("sandbox;"));
    assert_eq!(member.get(&format!("/inbox/{bounce}")).status, 200);
    assert_eq!(member.get(&format!("/inbox/{bounce}/html")).status, 404, "it has none");
    let activity = member.get("/activity").body;
    let details: Vec<_> = activity
        .split("href=\"/activity/")
        .filter_map(|rest| rest.split('"').next())
        .filter(|row| row.parse::<u64>().is_ok())
        .map(|row| member.get(&format!("/activity/{row}")).body)
        .collect();
    assert_eq!(details.len(), 2, "{activity}");
    assert_eq!(details.iter().filter(|detail| detail.contains(&path)).count(), 1, "where it was taken");
    assert!(details.iter().all(|detail| detail.contains("The sandbox answered")), "{details:?}");

    // whoever only looks deletes nothing, and a stranger sees nothing
    assert_eq!(member.post(&format!("{path}/delete"), &[]).status, 403);
    house.json(&["account", "add", "--name", "Stranger"]);
    let mut stranger = browser(&house, &server, "2", "administrator");
    for path in [path.clone(), frame.clone(), format!("{path}/source.eml")] {
        assert_eq!(stranger.get(&path).status, 404);
        assert_eq!(Browser::new(server.console).get(&path).status, 303, "nobody");
    }
    assert_eq!(stranger.post(&format!("{path}/delete"), &[]).status, 404);
    let mut administrator = browser(&house, &server, "1", "administrator");
    assert_eq!(administrator.post(&format!("{path}/delete"), &[]).location, "/inbox");
    assert_eq!(administrator.get(&path).status, 404);
    assert_eq!(administrator.get("/inbox/empty").status, 200);
    assert_eq!(administrator.post("/inbox/empty", &[("sure", "1")]).location, "/inbox");
    assert!(inbox(&house).is_empty() && alarm.is_silent());
}
