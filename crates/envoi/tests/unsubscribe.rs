//! One-click unsubscribe (RFC 8058), end to end: the fields are there and signed, looking does nothing, and whoever asks gets no more
//! of that SMTP user's mail.

#![allow(clippy::unwrap_used)]

mod support;

use lettre::transport::smtp::commands::{Mail, Rcpt};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use support::{Hop, House, Login, Port, Server, eventually, send};

/// A relay with an address for recipients, an account, and an SMTP user whose mail tells them where to unsubscribe.
struct Scene {
    hop: Hop,
    house: House,
    server: Server,
    /// Sends the newsletter.
    news: Login,
    /// Sends receipts.
    till: Login,
}

impl Scene {
    fn start() -> Scene {
        let hop = Hop::start(20);
        let house = House::new(hop.port());
        let text = std::fs::read_to_string(house.config()).unwrap();
        let page = "[unsubscribe]\nurl = \"https://mail.example.net\"\nlisten = [\"127.0.0.1:0\"]\n";
        std::fs::write(house.config(), text + page).unwrap();
        let till = house.furnish();
        let line = ["smtp-user", "add", "--domain", "example.com", "--name", "News", "--one-click-unsubscribe", "on"];
        let user = house.json(&line);
        let text = |field: &str| user[field].as_str().unwrap().to_owned();
        let news = Login { username: text("username"), password: text("password") };
        let server = house.serve();
        Scene { hop, house, server, news, till }
    }

    /// Sends mail.
    fn send(&self, login: &Login, to: &str, subject: &str) {
        let fields =
            "From: <news@example.com>\r\nDate: Mon, 23 Nov 2026 21:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n";
        self.send_raw(login, to, &format!("{fields}Subject: {subject}\r\n\r\nx\r\n"));
    }

    fn send_raw(&self, login: &Login, to: &str, content: &str) {
        let client = self.house.client(Port::Tls(self.server.tls), login);
        send(&client, "news@example.com", &[to], content.as_bytes()).unwrap();
    }

    /// The header section of a message as the next hop had it, unfolded.
    fn header(&self, subject: &str) -> String {
        let captured = self.hop.wait(&format!("Subject: {subject}\r\n"));
        let text = String::from_utf8(captured.content.to_vec()).unwrap();
        text.split_once("\r\n\r\n").unwrap().0.replace("\r\n\t", " ").replace("\r\n ", " ")
    }

    /// The path that a message of that subject leads to.
    fn path(&self, subject: &str) -> String {
        let header = self.header(subject);
        let (_, rest) = header.split_once("List-Unsubscribe: <https://mail.example.net").unwrap();
        rest.split_once('>').unwrap().0.to_owned()
    }

    fn status(&self, recipient: &str, status: &str) -> Value {
        eventually(status, || {
            let rows = self.house.json(&["activity", "--recipient", recipient, "--status", status]);
            rows.as_array().unwrap().first().cloned()
        })
    }
}

/// Asks over HTTP as a mailbox provider does: no cookie, no origin.
fn ask(port: u16, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let octets = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: mail.example.net\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {octets}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

#[test]
fn whoever_unsubscribes_hears_no_more_of_that_stream() {
    let scene = Scene::start();
    scene.send(&scene.news, "Anna@example.org", "one");
    let header = scene.header("one");
    assert!(header.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{header}");
    let signatures: Vec<_> = header.lines().filter(|line| line.starts_with("DKIM-Signature:")).collect();
    assert_eq!(signatures.len(), 2);
    for signature in signatures {
        let signed: String = signature.chars().filter(|letter| !letter.is_whitespace()).collect();
        assert!(
            signed.contains("list-unsubscribe:list-unsubscribe-post"),
            "both are signed (RFC 8058 §4): {signature}"
        );
    }
    let path = scene.path("one");
    let (status, page) = ask(scene.server.unsubscribe, "GET", &path, "");
    assert!(status == 200 && page.contains("anna@example.org") && page.contains("example.com"), "{page}");
    assert_eq!(scene.house.json(&["suppression", "list"]), json!([]), "looking does nothing");

    for port in [scene.server.unsubscribe, scene.server.console] {
        let (status, page) = ask(port, "POST", &path, ONE_CLICK);
        assert!(status == 200 && !page.to_lowercase().contains("set-cookie"), "{page}");
    }
    let listed = scene.house.json(&["suppression", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1, "asked twice, kept once: {listed}");
    let (one, user) = (&listed[0], &scene.house.json(&["smtp-user", "show", &scene.news.username])["id"]);
    assert_eq!((&one["address"], &one["cause"]), (&json!("anna@example.org"), &json!("unsubscribed")));
    assert_eq!((&one["smtp_user"], &one["smtp_user_name"], &one["until"]), (user, &json!("News"), &Value::Null));

    scene.send(&scene.news, "anna@example.org", "two");
    let row = scene.status("anna@example.org", "rejected");
    assert_eq!(row["subject"], "two");
    scene.send(&scene.till, "anna@example.org", "receipt");
    assert!(!scene.header("receipt").contains("List-Unsubscribe"), "another stream goes on, as it was");

    let lift = ["suppression", "remove", "--account", "1", "anna@example.org"];
    assert_eq!(scene.house.error(&lift)["kind"], "not_found", "the account as a whole suppresses nobody");
    scene.house.json(&[&lift[..], &["--smtp-user", &user.to_string()]].concat());
    scene.send(&scene.news, "anna@example.org", "three");
    scene.header("three");
}

#[test]
fn one_recipient_each_and_what_has_its_own_field_is_left_alone() {
    let scene = Scene::start();
    let mut session = scene.house.session(scene.server.tls, &scene.news);
    let address = |text: &str| text.parse::<lettre::Address>().unwrap();
    session.command(Mail::new(Some(address("news@example.com")), Vec::new())).unwrap();
    session.command(Rcpt::new(address("anna@example.org"), Vec::new())).unwrap();
    let refused = session.command(Rcpt::new(address("bob@example.org"), Vec::new())).unwrap_err();
    assert!(refused.is_transient() && refused.to_string().contains("one-click"), "{refused}");
    drop(session);
    let own = "List-Unsubscribe: <mailto:off@example.com>\r\nFrom: <news@example.com>\r\nSubject: own\r\n\r\nx\r\n";
    scene.send_raw(&scene.news, "anna@example.org", own);
    let header = scene.header("own");
    assert_eq!(header.matches("\r\nList-Unsubscribe").count(), 1, "{header}");
    assert!(!header.contains("mail.example.net"), "{header}");
}

#[test]
fn a_link_works_whatever_was_deleted_and_whatever_restarted() {
    let scene = Scene::start();
    for (to, subject) in [("anna@example.org", "one"), ("bob@example.org", "two")] {
        scene.send(&scene.news, to, subject);
    }
    let (anna, bob) = (scene.path("one"), scene.path("two"));
    scene.status("bob@example.org", "delivered");
    scene.house.json(&["smtp-user", "delete", &scene.news.username, "--yes"]);
    scene.house.json(&["domain", "delete", "example.com", "--yes"]);
    let Scene { house, server, .. } = scene;
    server.stop();
    let server = house.serve();
    assert_eq!(ask(server.unsubscribe, "POST", &anna, ONE_CLICK).0, 200);
    let listed = house.json(&["suppression", "list", "--cause", "unsubscribed"]);
    assert_eq!((&listed[0]["address"], &listed[0]["smtp_user_name"]), (&json!("anna@example.org"), &Value::Null));
    // nothing is sent in the name of an account that is gone, and nothing is kept of it
    house.json(&["account", "delete", "1", "--yes"]);
    assert_eq!(ask(server.unsubscribe, "POST", &bob, ONE_CLICK).0, 200);
    assert_eq!(house.json(&["suppression", "list"]), json!([]));
    let forged = format!("{}a", &bob[..bob.len() - 1]);
    assert_eq!(
        ask(server.unsubscribe, "POST", if forged == bob { "/unsubscribe/aa" } else { &forged }, ONE_CLICK).0,
        404
    );
    assert_eq!(ask(server.unsubscribe, "GET", "/sign-in", "").0, 404, "nothing else of the console is there");
}

#[test]
fn it_needs_an_address_that_recipients_reach() {
    let house = House::new(1);
    let login = house.furnish();
    let fault = house.error(&["smtp-user", "set", &login.username, "--one-click-unsubscribe", "on"]);
    assert_eq!(fault["kind"], "conflict");
    assert!(fault.to_string().contains("[unsubscribe]"), "{fault}");
}
