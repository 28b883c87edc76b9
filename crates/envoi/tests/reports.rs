//! Reports that come after delivery, end to end: mail goes out with an address of its own, and what comes to it is in Activity.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use support::internet::{Internet, ZONE, add, house, looked, records, text};
use support::{Hop, House, Login, Port, Server, eventually};

use envoi::demo::capture::Captured;
use message::dkim::{BodyHash, Signer, SigningKey, generate_ed25519, record, seal};
use net::clock::{Clock as _, SystemClock};
use relay::power::Role;
use support::browser::member;

const LISTENS: &str = "[bounces]\nlisten = [\"127.0.0.1:0\"]\nfeedback = \"fbl@localhost.test\"\n";

/// A relay with a domain whose records are all there.
struct Scene {
    hop: Hop,
    house: House,
    server: Server,
    login: Login,
    host: String,
    internet: Internet,
}

impl Scene {
    fn start(bounces: &str) -> Scene {
        let (internet, hop) = (Internet::start(), Hop::start(10));
        let house = house(&internet, hop.port(), &format!("{ZONE}\n{bounces}"));
        let server = house.serve();
        internet.relay.store(server.zone, Ordering::SeqCst);
        let domain = add(&house);
        internet.publish("mx.example.net", "TXT", "v=spf1 ip4:127.0.0.1 -all");
        internet.publish_all(records(&domain, "dkim"));
        internet.publish_all(records(&domain, "return_path"));
        looked(&house, |domain| domain["state"] == "validated" && domain["spf"]["result"] == "pass");
        let user = house.json(&["smtp-user", "add", "--domain", "shop.example", "--name", "Till"]);
        let login = Login { username: text(&user["username"]).into(), password: text(&user["password"]).into() };
        let host = text(&records(&domain, "return_path")[0]["name"]).to_owned();
        Scene { hop, house, server, login, host, internet }
    }

    /// Sends mail, and waits until it is delivered: as the next hop had it.
    fn delivered(&self, subject: &str, to: &[&str]) -> Arc<Captured> {
        let content = format!("From: <till@shop.example>\r\nSubject: {subject}\r\n\r\nx\r\n");
        let client = self.house.client(Port::Tls(self.server.tls), &self.login);
        support::send(&client, "till@shop.example", to, content.as_bytes()).unwrap();
        let captured = self.hop.wait(&format!("Subject: {subject}"));
        for recipient in to {
            self.status(recipient, "delivered");
        }
        captured
    }

    fn row(&self, recipient: &str) -> Value {
        let rows = self.house.json(&["activity", "--recipient", recipient]);
        rows.as_array().unwrap().first().cloned().unwrap_or_default()
    }

    /// The row of a recipient, once it has this status.
    fn status(&self, recipient: &str, status: &str) -> Value {
        eventually(status, || Some(self.row(recipient)).filter(|row| row["status"] == status))
    }

    fn events(&self, recipient: &str) -> Vec<String> {
        let status = |event: &Value| text(&event["status"]).to_owned();
        self.timeline(recipient).iter().map(status).collect()
    }

    fn timeline(&self, recipient: &str) -> Vec<Value> {
        let number = self.row(recipient)["row"].to_string();
        let detail = self.house.json(&["activity", "--show", &number]);
        detail["events"].as_array().unwrap().clone()
    }

    /// What the listener says to a report: to RCPT where it refuses there, else to the content.
    fn bring(&self, to: &str, content: &str) -> String {
        self.bring_as("mx.example.net", "", to, content)
    }

    /// The same of a server with this name in EHLO and this MAIL FROM.
    fn bring_as(&self, hello: &str, from: &str, to: &str, content: &str) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.server.reports)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut heard = BufReader::new(stream.try_clone().unwrap());
        let mut hear = move || loop {
            let mut line = String::new();
            heard.read_line(&mut line).unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        };
        hear();
        let mut say = |line: String| {
            (&stream).write_all(format!("{line}\r\n").as_bytes()).unwrap();
            hear()
        };
        say(format!("EHLO {hello}"));
        say(format!("MAIL FROM:<{from}>"));
        let answer = say(format!("RCPT TO:<{to}>"));
        if !answer.starts_with("250") {
            return answer;
        }
        say("DATA".into());
        say(format!("{content}\r\n."))
    }
}

fn bounce(recipient: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 No such user here\r\n\r\n--b--"
    )
}

#[test]
fn a_bounce_after_delivery_is_in_the_history_and_the_statistics_are_right() {
    let scene = Scene::start(LISTENS);
    let sent = scene.delivered("One", &["anna@example.net"]);
    let (local, host) = sent.sender.split_once('@').unwrap();
    assert!(local.starts_with("b-") && local.len() <= 64 && host == scene.host, "{}", sent.sender);
    assert!(!String::from_utf8_lossy(&sent.content).contains(local), "the content is as it was admitted");

    let mut forged = sent.sender.clone();
    forged.replace_range(8..9, if &forged[8..9] == "a" { "b" } else { "a" });
    for to in [forged.as_str(), "anna@example.net", "postmaster@localhost.test"] {
        assert!(scene.bring(to, "").starts_with("550 5.7.1"), "{to}");
    }
    let vacation = "From: anna@example.net\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nAway.";
    assert!(scene.bring(&sent.sender, vacation).starts_with("250"));
    assert_eq!(scene.events("anna@example.net"), ["accepted", "delivered"]);

    assert!(scene.bring(&sent.sender, &bounce("anna@example.net")).starts_with("250 2.0.0"));
    let row = scene.status("anna@example.net", "hard_bounce");
    assert_eq!((&row["class"], &row["reply"]), (&"no_such_mailbox".into(), &"550 5.1.1 No such user here".into()));
    assert_eq!(scene.events("anna@example.net"), ["accepted", "delivered", "hard_bounce"]);
    let total = scene.house.json(&["statistics"])["total"].clone();
    assert_eq!((&total["delivered"], &total["hard_bounces"], &total["complaints"]), (&0.into(), &1.into(), &0.into()));

    let mut owner = member(&scene.house, &scene.server, Some("1"), "owner@example.com", Role::Administrator);
    let number = own_number(&mut owner, "anna@example.net");
    let shown = owner.get(&format!("/activity/{number}")).body;
    assert!(shown.contains("Reported after the message was delivered: There is no such mailbox"), "{shown}");
    assert_eq!(scene.server.stop(), Some(0));
}

/// The number of a recipient's row as its account knows it.
fn own_number(owner: &mut support::browser::Browser, recipient: &str) -> String {
    let list = owner.get(&format!("/activity?to={recipient}")).body;
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    let mut numbers = list.split("href=\"/activity/").skip(1).map(number);
    numbers.find(|number| !number.is_empty()).unwrap_or_else(|| panic!("no row in {list}"))
}

fn complaint(about: &str) -> String {
    format!(
        "From: fbl@isp.example\r\nSubject: FW\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Loop/1\r\nVersion: 1\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nReturn-Path: <{about}>\r\nSubject: One\r\n\r\n--b--"
    )
}

/// A report signed by a domain, and the record of the key.
fn signed(domain: &str, report: &str) -> (String, String) {
    let der = generate_ed25519().unwrap();
    let key = SigningKey::from_pkcs8(&der).unwrap();
    let (header, body) = report.split_once("\r\n\r\n").unwrap();
    let mut hash = BodyHash::default();
    hash.update(format!("{body}\r\n").as_bytes());
    let signers = [Signer { domain, selector: "s", key: &key }];
    let sealed = seal(&signers, format!("{header}\r\n\r\n").as_bytes(), hash.finish(), 1).unwrap();
    (format!("{}{report}", String::from_utf8(sealed.to_vec()).unwrap()), record(&der).unwrap())
}

#[test]
fn who_vouches_for_a_report_decides_what_follows_and_is_shown() {
    let scene = Scene::start(LISTENS);
    let all = ["anna@example.net", "bert@example.net", "cleo@example.net"];
    let sent: Vec<_> = all.iter().map(|to| scene.delivered(to, &[to]).sender.clone()).collect();
    let suppressed = || {
        let found = scene.house.json(&["suppression", "list", "--account", "1"]);
        let address = |one: &Value| text(&one["address"]).to_owned();
        let mut found: Vec<_> = found.as_array().unwrap().iter().map(address).collect();
        found.sort();
        found
    };
    scene.internet.publish("isp.example", "TXT", "v=spf1 ip4:192.0.2.1 -all");
    // somebody who knows the address, in another's name
    assert!(scene.bring_as("x", "staff@isp.example", &sent[0], &bounce(all[0])).starts_with("250"));
    scene.status(all[0], "hard_bounce");
    let known = scene.timeline(all[0]).pop().unwrap()["authentication"].clone();
    let said = |known: &Value| [&known["spf"], &known["spf_domain"], &known["dkim"]].map(|one| text(one).to_owned());
    assert_eq!((said(&known), &known["disowned"]), (["fail", "isp.example", "none"].map(str::to_owned), &true.into()));
    assert!(scene.bring_as("x", "staff@isp.example", "fbl@localhost.test", &complaint(&sent[1])).starts_with("250"));
    eventually("the complaint", || (scene.events(all[1]).len() == 3).then_some(()));
    assert_eq!(scene.events(all[1]), ["accepted", "delivered", "delivered"], "a complaint is not counted");
    assert_eq!(suppressed(), [""; 0], "nothing follows beyond the history");

    let (good, key) = signed("isp.example", &complaint(&sent[1]));
    scene.internet.publish("s._domainkey.isp.example", "TXT", &key);
    assert!(scene.bring_as("x", "staff@isp.example", "fbl@localhost.test", &good).starts_with("250"));
    scene.status(all[1], "complaint");
    let known = scene.timeline(all[1]).pop().unwrap()["authentication"].clone();
    assert_eq!((&known["vouched_by"], &known["dkim"]), (&"isp.example".into(), &"pass".into()));
    // as most bounces come: nothing is known of their server
    assert!(scene.bring_as("host.nowhere.example", "", &sent[2], &bounce(all[2])).starts_with("250"));
    scene.status(all[2], "hard_bounce");
    assert_eq!(suppressed(), [all[1], all[2]]);

    let mut owner = member(&scene.house, &scene.server, Some("1"), "owner@example.com", Role::Administrator);
    let mut shown = |recipient: &str| {
        let number = own_number(&mut owner, recipient);
        owner.get(&format!("/activity/{number}")).body
    };
    assert!(shown(all[0]).contains("isp.example says that this report does not come from one of its servers"));
    let page = shown(all[1]);
    assert!(
        page.contains("isp.example vouches for this report: it is signed") && page.contains("it is not counted"),
        "{page}"
    );
    assert!(shown(all[2]).contains("No domain vouches for whoever sent this report (SPF: none, DKIM: none)"));
    assert_eq!(scene.server.stop(), Some(0));
}

#[test]
fn a_complaint_is_told_and_counted() {
    let scene = Scene::start(LISTENS);
    let sent = scene.delivered("One", &["anna@example.net"]);
    assert!(scene.bring("fbl@localhost.test", &complaint(&sent.sender)).starts_with("250"));
    scene.status("anna@example.net", "complaint");
    let total = scene.house.json(&["statistics"])["total"].clone();
    assert_eq!((&total["delivered"], &total["complaints"]), (&1.into(), &1.into()));
    assert_eq!(scene.house.json(&["activity", "--status", "complaint"]).as_array().unwrap().len(), 1);
    assert_eq!(scene.server.stop(), Some(0));
}

#[test]
fn of_several_recipients_the_named_one_bounces_and_nobody_is_guessed() {
    let scene = Scene::start(LISTENS);
    let sent = scene.delivered("Both", &["anna@example.net", "bert@example.net"]);
    assert!(scene.bring(&sent.sender, &bounce("somebody@elsewhere.example")).starts_with("250"));
    eventually("a remark", || {
        Some(()).filter(|()| scene.events("anna@example.net") == ["accepted", "delivered", "delivered"])
    });
    assert!(text(&scene.row("bert@example.net")["reason"]).contains("did not say for which of them"));
    assert!(scene.bring(&sent.sender, &bounce("bert@example.net")).starts_with("250"));
    scene.status("bert@example.net", "hard_bounce");
    assert_eq!(scene.row("anna@example.net")["status"], "delivered");
    // what is on the disk is there after a crash
    let Scene { house, server, .. } = scene;
    server.kill();
    let server = house.serve();
    let rows = house.json(&["activity", "--recipient", "bert@example.net"]);
    assert_eq!(rows[0]["status"], "hard_bounce");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn without_the_setting_mail_goes_out_as_it_was_submitted() {
    let scene = Scene::start("[bounces]\nlisten = [\"127.0.0.1:0\"]\nreturn_path = false\n");
    assert_eq!(scene.delivered("One", &["anna@example.net"]).sender, "till@shop.example");
    assert_eq!(scene.server.stop(), Some(0));
    let scene = Scene::start("");
    assert_eq!(scene.delivered("One", &["anna@example.net"]).sender, "till@shop.example");
    assert_eq!(scene.server.stop(), Some(0));
}

/// A DMARC report of today on a domain, plain as some are sent.
fn aggregate(domain: &str, id: &str) -> String {
    let begin = SystemClock::new().now().day().0 * 86_400;
    let record = |source: &str, count: u32, result: &str| {
        format!(
            "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated><disposition>none\
             </disposition><dkim>{result}</dkim><spf>{result}</spf></policy_evaluated></row><identifiers><header_from>{domain}\
             </header_from></identifiers></record>\r\n"
        )
    };
    format!(
        "From: dmarc@isp.example\r\nSubject: Report Domain: {domain}\r\nMIME-Version: 1.0\r\nContent-Type: text/xml\r\n\r\n\
         <feedback>\r\n<report_metadata><org_name>isp.example</org_name><report_id>{id}</report_id><date_range><begin>{begin}\
         </begin><end>{}</end></date_range></report_metadata>\r\n<policy_published><domain>{domain}</domain><p>none</p>\
         </policy_published>\r\n{}{}</feedback>",
        begin + 86_399,
        record("192.0.2.1", 40, "pass"),
        record("192.0.2.9", 5, "fail"),
    )
}

#[test]
fn what_receivers_report_on_dmarc_is_shown_with_the_domain() {
    let scene = Scene::start(LISTENS);
    let domain = scene.house.json(&["domain", "show", "shop.example"]);
    let advised = text(&records(&domain, "dmarc")[0]["value"]).to_owned();
    let address = text(&domain["dmarc_address"]).to_owned();
    assert!(advised.ends_with(&format!("rua=mailto:{address}")) && address.ends_with(&scene.host), "{advised}");
    assert_eq!(domain["dmarc_reported"], false, "there is no record yet");
    assert_eq!(scene.house.json(&["domain", "dmarc", "shop.example"])["total"]["messages"], 0);

    for id in ["1", "1", "2"] {
        assert!(scene.bring(&address, &aggregate("shop.example", id)).starts_with("250"));
    }
    assert!(scene.bring(&address, &aggregate("elsewhere.example", "3")).starts_with("250"), "heard, and not counted");
    let forged = aggregate("shop.example", "4").replace("isp.example</org_name>", "forger.example</org_name>");
    assert!(
        scene.bring_as("host.nowhere.example", "", &address, &forged).starts_with("250"),
        "listed, and not counted"
    );
    let found = scene.house.json(&["domain", "dmarc", "shop.example"]);
    let reporter = |number: usize| {
        let one = &found["reporters"][number];
        [&one["name"], &one["vouched_by"], &one["counted"], &one["messages"]].map(Value::clone)
    };
    assert_eq!(json!(reporter(0)), json!(["isp.example", "mx.example.net", true, 90]));
    assert_eq!(json!(reporter(1)), json!(["forger.example", null, false, 45]));
    let total = &found["total"];
    assert_eq!((&total["messages"], &total["passed"], &total["dkim"]), (&90.into(), &80.into(), &80.into()));
    assert_eq!((&found["sources"][0]["source"], &found["reporters"][0]["reports"]), (&"192.0.2.1".into(), &2.into()));
    assert_eq!(found["days"].as_array().unwrap().len(), 1);
    assert_eq!(scene.house.error(&["domain", "dmarc", "shop.example", "--days", "91"])["kind"], "invalid");

    let health = scene.house.json(&["domain", "health", "shop.example"]);
    let codes: Vec<&str> = health["findings"].as_array().unwrap().iter().map(|one| text(&one["code"])).collect();
    let wanted =
        ["records-right", "return-path-right", "policy-absent", "alignment-others", "bounces-few", "complaints-few"];
    assert_eq!((codes.as_slice(), &health["verdict"]), (&wanted[..], &"bad".into()));
    let mut owner = member(&scene.house, &scene.server, Some("1"), "owner@example.com", Role::Administrator);
    let page = owner.get("/domains/shop.example/dmarc").body;
    assert!(page.contains("192.0.2.9") && page.contains("mx.example.net vouches for it"), "{page}");
    assert!(page.contains("forger.example") && page.contains("Nobody vouches for it: not counted"), "{page}");
    let page = owner.get("/domains/shop.example/health").body;
    assert!(page.contains("10 of 90 messages"), "{page}");
    // what was taken is on the disk
    let Scene { house, server, .. } = scene;
    server.kill();
    let server = house.serve();
    assert_eq!(house.json(&["domain", "dmarc", "shop.example", "--days", "1"])["total"]["messages"], 90);
    assert_eq!(server.stop(), Some(0));
}
