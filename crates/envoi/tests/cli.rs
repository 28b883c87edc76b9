//! The command line with the real binary: with a running relay and without one, and never two writers.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use support::{House, envoi, eventually};

/// What an operator does with accounts, domains, users and keys; the same however it is carried out.
fn tour(house: &House) {
    let account = house.json(&["account", "add", "--name", "Boutique Été"]);
    let id = account["id"].to_string();
    assert_eq!(account["state"], "active");
    assert_eq!(house.error(&["account", "add", "--name", "boutique été"])["kind"], "conflict");
    assert_eq!(house.error(&["account", "show", "999"])["kind"], "not_found");
    quotas(house, &account);
    domains(house, &id);
    let username = smtp_users(house);
    suppressions(house, &id);
    api_keys(house, &id);

    assert_eq!(house.json(&["account", "suspend", &id, "--yes"])["state"], "suspended");
    assert_eq!(house.json(&["account", "resume", &id])["state"], "active");
    house.json(&["smtp-user", "delete", &username, "--yes"]);
    house.json(&["domain", "delete", "bücher.example", "--yes"]);
    assert_eq!(house.json(&["smtp-user", "list", "--account", &id]), serde_json::json!([]));
    assert_eq!(house.json(&["domain", "list", "--account", &id]), serde_json::json!([]));

    let actions: Vec<String> = words(&house.json(&["audit", "list", "--account", &id]), "action");
    for action in [
        "account.add",
        "account.quota",
        "domain.add",
        "domain.vouch",
        "domain.rotate",
        "smtp_user.add",
        "smtp_user.reset",
        "domain.delete",
    ] {
        assert!(actions.iter().any(|done| done == action), "{action}: {actions:?}");
    }
    for list in [["queue", "list"], ["blocks", "list"], ["connections", "list"]] {
        assert_eq!(house.json(&list), serde_json::json!([]), "{list:?}");
    }
    assert_eq!(house.json(&["activity", "--since", "7d", "--status", "delivered"]), serde_json::json!([]));
}

fn quotas(house: &House, account: &Value) {
    let id = account["id"].to_string();
    assert_eq!((&account["quota"], &account["used"]), (&Value::Null, &0.into()));
    let quota = house.json(&["account", "quota", &id, "--recipients", "500", "--renews-on", "31"]);
    assert_eq!((&quota["quota"], &quota["renews_on"]), (&500.into(), &31.into()));
    assert!(quota["renews_at"].as_str().unwrap().starts_with("20"), "{quota}");
    assert_eq!(house.json(&["account", "show", &id]), quota);
    assert_eq!(house.json(&["account", "list"])[0], quota);
    let text = String::from_utf8(house.run(&["account", "show", &id]).stdout).unwrap();
    assert!(text.contains("0 of 500 recipients used"), "{text}");
    assert_eq!(house.json(&["account", "quota", &id, "--of-plan"])["quota"], Value::Null);
    for wrong in [&["--renews-on", "32"][..], &["--recipients", "1000000001"], &[]] {
        assert_eq!(house.error(&[&["account", "quota", &id], wrong].concat())["kind"], "invalid");
    }
    assert_eq!(house.error(&["account", "quota", "999", "--of-plan"])["kind"], "not_found");
    let sent = house.json(&["statistics", "--account", &id, "--since", "2026-11-01", "--until", "2026-11-03"]);
    assert_eq!((&sent["days"][2]["day"], &sent["total"]["recipients"]), (&"2026-11-03".into(), &0.into()));
    assert_eq!(house.error(&["statistics", "--since", "2026-11-03", "--until", "2026-11-01"])["kind"], "invalid");
    assert_eq!(house.error(&["statistics", "--account", "999"])["kind"], "not_found");
}

fn domains(house: &House, id: &str) {
    let domain = house.json(&["domain", "add", "--account", id, "Bücher.example"]);
    assert_eq!(domain["name"], "xn--bcher-kva.example");
    assert_eq!(domain["state"], "pending");
    assert_eq!(domain["keys"].as_array().unwrap().len(), 4);
    assert_eq!(house.error(&["domain", "add", "--account", id, "bücher.example"])["kind"], "conflict");
    assert_eq!(house.error(&["domain", "add", "--account", id, "nodot"])["kind"], "invalid");
    assert_eq!((&domain["keys"][0]["required"], &domain["keys"][2]["required"]), (&true.into(), &false.into()));
    assert_eq!(house.json(&["domain", "vouch", "bücher.example"])["state"], "vouched");
    assert_eq!(house.json(&["domain", "unvouch", "bücher.example"])["state"], "pending");
    let active = |domain: &Value| -> Vec<bool> {
        domain["keys"].as_array().unwrap().iter().map(|key| key["active"].as_bool().unwrap()).collect()
    };
    assert_eq!(active(&domain), [true, false, true, false]);
    let unseen = house.error(&["domain", "rotate", "bücher.example"]);
    assert_eq!(unseen["kind"], "conflict", "no record was seen in DNS");
    let spare = domain["keys"][3]["name"].as_str().unwrap();
    assert!(unseen["what"].as_str().unwrap().contains(spare), "{unseen}");
    let rotated = house.json(&["domain", "rotate", "bücher.example", "--algorithm", "ed25519", "--force"]);
    assert_eq!(active(&rotated), [true, false, false, true]);
    let rotated = house.json(&["domain", "rotate", "bücher.example", "--force"]);
    assert_eq!(active(&rotated), [false, true, true, false]);
}

/// The username that is left.
fn smtp_users(house: &House) -> String {
    let user =
        house.json(&["smtp-user", "add", "--domain", "bücher.example", "--name", "Till", "--networks", "192.0.2.0/24"]);
    assert_eq!(user["password"].as_str().unwrap().len(), 20);
    assert_eq!(user["server"], "localhost");
    assert!(user["ports"]["starttls"].is_array() && user["ports"]["tls"].is_array());
    let username = user["username"].as_str().unwrap();
    let shown = house.json(&["smtp-user", "show", username]);
    assert_eq!(shown["networks"], serde_json::json!(["192.0.2.0/24"]));
    assert!(shown.get("password").is_none());
    assert_eq!((&shown["sent_today"], &shown["sent_30_days"]), (&0.into(), &0.into()));
    assert_eq!(house.json(&["smtp-user", "rename", username, "--name", "Till 2"])["name"], "Till 2");
    let set = house.json(&[
        "smtp-user",
        "set",
        username,
        "--networks",
        "any",
        "--sandbox",
        "on",
        "--retry-for",
        "2h",
        "--priority",
        "low",
    ]);
    assert_eq!(
        (&set["networks"], &set["sandbox"], &set["retry_seconds"], &set["priority"]),
        (&serde_json::json!([]), &true.into(), &7200.into(), &"low".into())
    );
    assert_eq!(house.error(&["smtp-user", "set", username, "--senders", "a@other.example"])["kind"], "invalid");
    assert_eq!(house.json(&["smtp-user", "disable", username])["enabled"], false);
    let reset = house.json(&["smtp-user", "reset", username, "--yes"]);
    assert_ne!(reset["password"], user["password"]);
    username.to_owned()
}

fn suppressions(house: &House, id: &str) {
    house.json(&["suppression", "add", "--account", id, "Gone@Example.net"]);
    let suppressed = house.json(&["suppression", "list", "--account", id]);
    assert_eq!(suppressed[0]["address"], "gone@example.net");
    assert_eq!((&suppressed[0]["cause"], &suppressed[0]["until"]), (&"manual".into(), &Value::Null));
    house.json(&["suppression", "remove", "--account", id, "gone@example.net"]);
    assert_eq!(house.json(&["suppression", "list"]), serde_json::json!([]));
    let list = "email,cause,reason\nA@Example.net,bounce,550 gone\nnobody,,\nb@example.net,,She asked\n";
    let imported = house.json_of(&["suppression", "import", "--account", id], list);
    assert_eq!((&imported["added"], &imported["known"], &imported["untaken"]), (&2.into(), &0.into(), &1.into()));
    assert_eq!(imported["lines"][0]["line"], 3);
    let bounced = house.json(&["suppression", "list", "--cause", "bounce"]);
    assert_eq!((&bounced[0]["address"], &bounced[0]["reason"]), (&"a@example.net".into(), &"550 gone".into()));
    assert!(bounced[0]["until"].is_string() && bounced[1].is_null());
    assert_eq!(house.json(&["suppression", "list", "--search", "B@"])[0]["address"], "b@example.net");
    let over = house.error(&["suppression", "add", "--account", id, "c@example.net", "--until", "2020-01-01"]);
    assert_eq!(over["kind"], "invalid");
}

fn api_keys(house: &House, id: &str) {
    let add = |rest: &[&str]| house.json(&[&["api-key", "add", "--name"], rest].concat());
    let made = add(&["Deploy", "--account", id, "--may", "activity", "--may", "submit", "--expires", "90d"]);
    assert!(made["secret"].as_str().unwrap().starts_with("envoi_"));
    assert_eq!(made["key"]["powers"], serde_json::json!(["activity", "submit"]));
    let own = add(&["Watch", "--everything", "--read-only"]);
    assert_eq!((&own["key"]["account"], &own["key"]["read_only"]), (&Value::Null, &true.into()));
    let refused = |rest: &[&str]| house.error(&[&["api-key", "add", "--name"], rest].concat())["kind"].clone();
    assert_eq!(refused(&["deploy", "--account", id, "--everything"]), "conflict");
    assert_eq!(refused(&["Late", "--account", id, "--everything", "--expires", "2001-01-01"]), "invalid");
    assert_eq!(refused(&["Nobody's", "--account", "999", "--everything"]), "not_found");
    assert_eq!(refused(&["No account", "--may", "activity"]), "invalid", "it would be the operator's");
    let listed = house.json(&["api-key", "list"]);
    assert_eq!(words(&listed, "name"), ["Deploy", "Watch"]);
    assert!(!listed.to_string().contains("secret"));
    assert_eq!(house.json(&["api-key", "list", "--account", id])[0], made["key"]);
    for key in [&made, &own] {
        house.json(&["api-key", "delete", &key["key"]["id"].to_string(), "--yes"]);
    }
    assert_eq!(house.json(&["api-key", "list"]), serde_json::json!([]));
    assert_eq!(house.error(&["api-key", "delete", "999", "--yes"])["kind"], "not_found");
}

fn words(rows: &Value, field: &str) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
}

#[test]
fn everything_works_without_a_server() {
    let house = House::new(1);
    tour(&house);
}

#[test]
fn everything_works_while_the_server_runs() {
    let house = House::new(1);
    let server = house.serve();
    let socket = std::fs::metadata(house.data().join("control.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    tour(&house);
    assert_eq!(server.stop(), Some(0));
    assert!(!house.data().join("control.sock").exists());
    // what was done through the socket is there without it
    assert_eq!(words(&house.json(&["account", "list"]), "name"), ["Boutique Été"]);
}

#[test]
fn there_is_never_a_second_writer() {
    let house = House::new(1);
    let server = house.serve();
    let second = house.run(&["serve"]);
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains("is in use by process"), "{told}");
    assert_eq!(server.stop(), Some(0));

    // somebody has the folder and answers nothing
    let lock = store::embedded::spool::Lock::acquire(&house.data()).unwrap();
    let error = house.error(&["account", "list"]);
    assert_eq!(error["kind"], "unavailable");
    let process = format!("process {}", std::process::id());
    assert!(error["what"].as_str().unwrap().contains(&process), "{error}");
    drop(lock);
    house.json(&["account", "list"]);
}

#[test]
fn two_commands_at_once_wait_for_one_another() {
    let house = House::new(1);
    let children: Vec<_> = (0..4)
        .map(|number| {
            let mut command = envoi();
            command.arg("--config").arg(house.config()).args(["account", "add", "--name", &format!("Shop {number}")]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(house.json(&["account", "list"]).as_array().unwrap().len(), 4);
}

#[test]
fn what_a_crash_left_behind_does_not_stop_the_next_start() {
    let house = House::new(1);
    house.serve().kill();
    assert!(house.data().join("control.sock").exists());
    house.json(&["account", "list"]);
    assert_eq!(house.serve().stop(), Some(0));
}

#[test]
fn activity_is_followed() {
    let house = House::new(1);
    let error = house.error(&["activity", "--follow"]);
    assert_eq!(error["kind"], "unavailable", "without a server nothing happens");
    let login = house.furnish();
    let server = house.serve();
    let mut child = envoi()
        .arg("--config")
        .arg(house.config())
        .args(["--json", "activity", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let client = house.client(support::Port::Tls(server.tls), &login);
    let content = b"From: <shop@example.com>\r\nSubject: followed\r\n\r\nx\r\n";
    support::send(&client, "shop@example.com", &["b@example.net"], content).unwrap();
    let mut seen = Vec::new();
    while !seen.contains(&"deferred".to_owned()) {
        let row: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(row["subject"], "followed");
        seen.push(row["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(server.stop(), Some(0));
    assert!(child.wait().unwrap().success(), "it ends with the server");
}

/// What was done to the message is in the audit log of its account, and nothing that failed.
fn audited(house: &House, message: &str) {
    let account = house.json(&["account", "list"])[0]["id"].to_string();
    let log = house.json(&["audit", "list", "--account", &account]);
    let subject = format!("message {message}");
    let mut actions: Vec<&str> = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["subject"] == subject.as_str())
        .inspect(|line| assert!(line["actor"] == "operator" && line["from"] == "cli", "{line}"))
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    actions.reverse();
    // a cancellation that met an attempt is ordered more than once
    actions.dedup();
    assert_eq!(actions, ["queue.hold", "queue.release", "queue.retry", "queue.cancel"], "{log}");
}

#[test]
fn a_message_can_be_held_released_and_cancelled_both_ways() {
    let house = House::new(1);
    let login = house.furnish();
    let server = house.serve();
    let client = house.client(support::Port::Tls(server.tls), &login);
    let send = |subject: &str| {
        let content = format!("From: <shop@example.com>\r\nSubject: {subject}\r\n\r\nx\r\n");
        let reply = support::send(&client, "shop@example.com", &["b@example.net"], content.as_bytes()).unwrap();
        reply.rsplit(' ').next().unwrap().to_owned()
    };
    let (with, without) = (send("with"), send("without"));
    // none before activity has read of it
    let status = |id: &str| house.json(&["activity", "--message", id])[0]["status"].as_str().map(str::to_owned);
    for id in [&with, &without] {
        eventually("the deferral", || (status(id).as_deref() == Some("deferred")).then_some(()));
    }
    let turn = |id: &str| {
        house.json(&["queue", "hold", id]);
        assert_eq!(house.json(&["queue", "show", id])["recipients"][0]["state"], "held");
        house.json(&["queue", "release", id]);
        assert_eq!(house.json(&["queue", "show", id])["recipients"][0]["state"], "waiting");
        house.json(&["queue", "retry", id]);
        eventually("the end", || {
            // an attempt may be under way: then the cancellation waits for its end
            house.run(&["queue", "cancel", id, "--yes"]);
            (status(id).as_deref() == Some("hard_bounce")).then_some(())
        });
        assert_eq!(house.error(&["queue", "show", id])["kind"], "not_found");
        audited(&house, id);
        assert_eq!(house.error(&["queue", "hold", id])["kind"], "not_found");
        audited(&house, id);
    };
    turn(&with);
    let sent = |house: &House| {
        let user = &house.json(&["smtp-user", "list"])[0];
        (user["sent_today"].as_u64().unwrap(), user["sent_30_days"].as_u64().unwrap())
    };
    // midnight may lie between the two messages
    assert!(sent(&house).0 <= 2 && sent(&house).1 == 2);
    assert_eq!(server.stop(), Some(0));
    turn(&without);
    assert_eq!(sent(&house).1, 2, "what became of them does not change how many were sent");
}

#[test]
fn faults_of_the_configuration_are_told_by_line() {
    let house = House::new(1);
    assert!(house.run(&["config", "check"]).status.success());
    let text = std::fs::read_to_string(house.config()).unwrap();
    let broken = text
        .replace("hostname =", "hostnam =")
        .replace("cert.pem", "gone.pem")
        .replace("tls = \"none\"", "tls = \"nonee\"");
    std::fs::write(house.config(), broken).unwrap();
    let told = String::from_utf8(house.run(&["config", "check"]).stderr).unwrap();
    assert!(told.contains("envoi.toml:2: hostnam: ") && told.contains("`hostname`"), "{told}");
    assert!(told.contains("\"none\""), "{told}");
    let error = house.error(&["config", "check"]);
    assert_eq!(error["kind"], "config");
    assert!(error["problems"].as_array().unwrap().len() >= 3, "{error}");
    assert_eq!(house.error(&["account", "list"])["kind"], "config", "no command goes by a broken file");

    std::fs::write(house.config(), text.replace("cert.pem", "gone.pem").replace("\"key.pem\"", "\"cert.pem\""))
        .unwrap();
    let told = String::from_utf8(house.run(&["config", "check"]).stderr).unwrap();
    assert!(told.contains("gone.pem"), "{told}");
    std::fs::write(house.config(), text.replace("\"key.pem\"", "\"cert.pem\"")).unwrap();
    assert_eq!(house.run(&["config", "check"]).status.code(), Some(1), "a key file without a key");
}

#[test]
fn a_key_of_another_certificate_and_an_expired_one_are_told() {
    let house = House::new(1);
    let other = rcgen::KeyPair::generate().unwrap();
    std::fs::write(house.path().join("key.pem"), other.serialize_pem()).unwrap();
    let told = String::from_utf8(house.run(&["config", "check"]).stderr).unwrap();
    assert!(told.contains("submission.key") || told.contains("submission.certificate"), "{told}");

    let mut old = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    old.not_before = rcgen::date_time_ymd(2020, 1, 1);
    old.not_after = rcgen::date_time_ymd(2021, 1, 1);
    std::fs::write(house.path().join("cert.pem"), old.self_signed(&other).unwrap().pem()).unwrap();
    let told = String::from_utf8(house.run(&["config", "check"]).stderr).unwrap();
    assert!(told.contains("expired"), "{told}");
}

#[test]
fn exit_codes_and_errors_keep_their_form() {
    let misused = envoi().args(["account", "shw"]).output().unwrap();
    assert_eq!(misused.status.code(), Some(2));
    let misused = envoi().args(["--json", "account", "shw"]).output().unwrap();
    assert_eq!(misused.status.code(), Some(2));
    let told: Value = serde_json::from_slice(&misused.stderr).unwrap();
    assert_eq!(told["error"]["kind"], "usage");
    assert!(envoi().arg("--version").output().unwrap().status.success());
    let missing = envoi().args(["--config", "/nonexistent/envoi.toml", "account", "list"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("config example"));
    let example = envoi().args(["config", "example"]).output().unwrap();
    assert!(String::from_utf8(example.stdout).unwrap().contains("hostname = "));
}
