//! A zone of the operator's, end to end: domains lead to what the relay answers for itself.

#![allow(clippy::unwrap_used)]

mod support;

use relay::power::Role;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use support::browser::member;
use support::internet::{Internet, ZONE, add, house, looked, records, text};
use support::{Hop, Login, Port};

#[test]
fn a_domain_leads_to_the_zone_that_the_relay_answers_for() {
    let (internet, hop) = (Internet::start(), Hop::start(10));
    let house = house(&internet, hop.port(), ZONE);
    let server = house.serve();
    internet.relay.store(server.zone, Ordering::SeqCst);
    let domain = add(&house);
    let forms: Vec<_> = domain["records"].as_array().unwrap().iter().map(|record| text(&record["form"])).collect();
    assert_eq!(forms, ["CNAME", "CNAME", "CNAME", "CNAME", "CNAME", "TXT"]);
    let absent = house.json(&["domain", "verify", "shop.example"]);
    let first = &records(&absent, "dkim")[0];
    let expected = format!(
        "{} has no CNAME record and no TXT record; expected: CNAME {} (name server {}).",
        text(&first["name"]),
        text(&first["value"]),
        internet.address
    );
    assert_eq!(text(&first["explanation"]), expected);
    assert!(text(&absent["reason"]).contains(&expected), "{}", absent["reason"]);

    internet.publish_all(records(&domain, "dkim"));
    internet.publish_all(records(&domain, "return_path"));
    let validated = looked(&house, |domain| domain["state"] == "validated");
    for record in records(&validated, "dkim").into_iter().chain(records(&validated, "return_path")) {
        assert_eq!((&record["finding"], &record["alias"]), (&"right".into(), &record["value"]), "{record}");
        assert_eq!(record["server"], internet.address.to_string());
    }
    assert_eq!(validated["spf"]["result"], "pass");
    let user = house.json(&["smtp-user", "add", "--domain", "shop.example", "--name", "Till"]);
    let login = Login { username: text(&user["username"]).into(), password: text(&user["password"]).into() };
    let content = b"From: <till@shop.example>\r\nSubject: Led\r\n\r\nx\r\n";
    support::send(&house.client(Port::Tls(server.tls), &login), "till@shop.example", &["you@example.net"], content)
        .unwrap();
    let sealed = hop.wait("Subject: Led");
    assert_eq!(String::from_utf8_lossy(&sealed.content).matches("DKIM-Signature:").count(), 2);

    internet.withdraw(text(&first["name"]));
    let warned = looked(&house, |domain| domain["state"] == "warning");
    assert_eq!((&warned["keys"][0]["finding"], &warned["keys"][1]["finding"]), (&"absent".into(), &"right".into()));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn whoever_published_texts_stays_validated_when_a_zone_comes() {
    let internet = Internet::start();
    let house = house(&internet, 1, "");
    let config = std::fs::read_to_string(house.config()).unwrap();
    let server = house.serve();
    let domain = add(&house);
    let forms = |domain: &Value| -> Vec<String> {
        domain["records"].as_array().unwrap().iter().map(|record| text(&record["form"]).to_owned()).collect()
    };
    assert_eq!(forms(&domain), ["TXT", "TXT", "TXT", "TXT", "MX", "TXT", "TXT"]);
    internet.publish_all(records(&domain, "dkim"));
    looked(&house, |domain| domain["state"] == "validated");
    assert_eq!(server.stop(), Some(0));
    let fault = house.error(&["zone", "show"]);
    assert_eq!(fault["kind"], "not_found");

    // from a folder that knows nothing of zones
    std::fs::write(house.config(), config.replace("[zone]\n", &format!("[zone]\n{ZONE}"))).unwrap();
    let server = house.serve();
    internet.relay.store(server.zone, Ordering::SeqCst);
    let led = looked(&house, |domain| domain["checked_at"].is_string());
    assert_eq!((&led["state"], &led["keys"][0]["finding"]), (&"validated".into(), &"right".into()));
    assert_eq!(forms(&led), ["CNAME", "CNAME", "CNAME", "CNAME", "CNAME", "TXT"]);
    for record in records(&led, "dkim") {
        internet.withdraw(text(&record["name"]));
        internet.publish_all([record]);
    }
    let moved = looked(&house, |domain| domain["records"][0]["alias"].is_string());
    assert_eq!((&moved["state"], &moved["records"][0]["finding"]), (&"validated".into(), &"right".into()));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn policy_and_return_path_are_explained_and_refuse_nothing() {
    let internet = Internet::start();
    let house = house(&internet, 1, ZONE);
    let server = house.serve();
    internet.relay.store(server.zone, Ordering::SeqCst);
    let domain = add(&house);
    internet.publish_all(records(&domain, "dkim"));
    let host = text(&records(&domain, "return_path")[0]["name"]).to_owned();
    internet.publish(&host, "MX", "10 localhost");
    internet.publish(&host, "TXT", "v=spf1 ip4:198.51.100.0/24 ~all");
    internet.publish("_dmarc.example", "TXT", "v=DMARC1; p=reject; sp=quarantine; aspf=s; rua=mailto:d@example.org");
    let told = looked(&house, |domain| domain["state"] == "validated");
    assert_eq!(told["reason"], "");
    let path = records(&told, "return_path")[0];
    let refusal = format!("The SPF record of {host} does not let the relay send from 192.0.2.25: ~all.");
    assert_eq!((&path["finding"], &path["required"]), (&"wrong".into(), &false.into()));
    assert_eq!(text(&path["explanation"]), refusal);
    let dmarc = &told["dmarc"];
    assert_eq!((&dmarc["at"], &dmarc["policy"]), (&"_dmarc.example".into(), &"quarantine".into()));
    assert!(text(&dmarc["explanation"]).contains("Reports go to mailto:d@example.org."), "{dmarc}");

    internet.withdraw(&host);
    internet.publish(&host, "MX", "10 localhost");
    internet.publish(&host, "TXT", "v=spf1 ip4:192.0.2.25 -all");
    internet.publish("_dmarc.shop.example", "TXT", "v=DMARC1; p=none");
    internet.publish("_dmarc.shop.example", "TXT", "v=DMARC1; p=reject");
    let told = looked(&house, |domain| domain["spf"]["result"] == "pass");
    assert_eq!(records(&told, "return_path")[0]["finding"], "right", "the records themselves do as well");
    assert_eq!(told["dmarc"]["problems"], serde_json::json!(["several"]));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn people_are_shown_what_to_publish_and_what_is_wrong() {
    let internet = Internet::start();
    let house = house(&internet, 1, ZONE);
    let server = house.serve();
    internet.relay.store(server.zone, Ordering::SeqCst);
    let domain = add(&house);
    let target = text(&records(&domain, "dkim")[0]["value"]);
    let host = text(&records(&domain, "return_path")[0]["name"]);
    internet.publish(host, "TXT", "v=spf1 ip4:198.51.100.1 -all");
    internet.publish("_dmarc.shop.example", "TXT", "v=DMARC1; p=quarantine");
    // the first look may have begun before both were published
    let is_seen = |domain: &Value| domain["dmarc"]["policy"] == "quarantine" && domain["spf"]["result"] == "refused";
    looked(&house, is_seen);
    let mut operator = member(&house, &server, None, "op@example.com", Role::Administrator);
    let shown = operator.get("/operator/zone").body;
    for part in ["ns.relay.test", "192.0.2.25", "PTR", "NS", &format!("{target}. 3600 IN TXT")] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let file = operator.get("/operator/zone/file");
    assert!(file.status == 200 && file.body.contains("IN SOA") && file.body.contains(target), "{}", file.body);
    let mut owner = member(&house, &server, Some("1"), "owner@example.com", Role::Administrator);
    assert_eq!(owner.get("/operator/zone").status, 403);
    let shown = owner.get("/domains/shop.example").body;
    let server_told = internet.address.to_string();
    let policy = "_dmarc.shop.example: mail that fails goes to the spam folder (quarantine).";
    let spf = "The SPF record does not let the relay send from 192.0.2.25: -all.";
    for part in ["CNAME", target, host.split('.').next().unwrap(), policy, spf, &server_told] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_domain_that_is_added_again_gets_new_labels_and_the_file_has_them_all() {
    let internet = Internet::start();
    let house = house(&internet, 1, ZONE);
    let labels = |domain: &Value| -> BTreeSet<String> {
        let records = records(domain, "dkim").into_iter().chain(records(domain, "return_path"));
        records.flat_map(|record| [text(&record["name"]).to_owned(), text(&record["value"]).to_owned()]).collect()
    };
    let before = labels(&add(&house));
    house.json(&["domain", "delete", "1", "--yes"]);
    let again = add(&house);
    let after = labels(&again);
    assert_eq!((before.len(), after.len(), before.intersection(&after).count()), (10, 10, 0));
    let shown = house.run(&["zone", "show"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.starts_with("relay.test. 3600 IN SOA ns.relay.test. hostmaster.relay.test. "), "{shown}");
    for record in records(&again, "dkim") {
        assert!(shown.contains(&format!("{}. 3600 IN TXT \"v=DKIM1; ", text(&record["value"]))), "{shown}");
    }
    let host = text(&records(&again, "return_path")[0]["value"]);
    assert!(shown.contains(&format!("{host}. 3600 IN MX 10 localhost.\n")), "{shown}");
    assert!(shown.contains(&format!("{host}. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n")), "{shown}");
}
