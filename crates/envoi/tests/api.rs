//! The API over HTTP, of the real binary: keys, what each reaches, and how faults are told.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::api::{Client, key};
use support::{Hop, House, Port, eventually};

#[test]
fn a_key_of_the_operator_makes_an_account_that_sends() {
    let hop = Hop::start(10);
    let house = House::new(hop.capture.address().port());
    let server = house.serve();
    let operator = key(&house, &server, &["Provisioning", "--everything"]);
    let account = operator.post("/accounts", &json!({"name": "Bakery"}))["id"].clone();
    operator.post("/domains", &json!({"account": account, "name": "bakery.example"}));
    let vouched = operator.ask("PUT", "/domains/bakery.example/vouching", Some(&json!({"vouched": true})));
    assert_eq!(vouched.body["state"], "vouched");
    let rules = json!({"retry_seconds": 7200, "senders": ["till@bakery.example"], "priority": "low"});
    let made = operator.post("/smtp-users", &json!({"domain": "bakery.example", "name": "Till", "rules": rules}));
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    let login = support::Login { username: text("username"), password: text("password") };
    let user = operator.get(&format!("/smtp-users/{}", login.username));
    assert_eq!(user["priority"], "low");
    assert_eq!((&user["retry_seconds"], &user["senders"]), (&7200.into(), &json!(["till@bakery.example"])));

    let cursor = operator.get("/activity/changes")["cursor"].as_str().unwrap().to_owned();
    let content = b"From: <till@bakery.example>\r\nSubject: Fresh bread\r\n\r\nx\r\n";
    support::send(&house.client(Port::Tls(server.tls), &login), "till@bakery.example", &["you@example.net"], content)
        .unwrap();
    let row = eventually("the delivery", || {
        let found = operator.get(&format!("/activity?account={account}&status=delivered"));
        found["rows"].get(0).cloned()
    });
    assert_eq!((&row["subject"], &row["recipient"]), (&"Fresh bread".into(), &"you@example.net".into()));
    let changed = operator.get(&format!("/activity/changes?cursor={cursor}&wait=30"));
    assert_eq!(changed["rows"][0]["recipient"], "you@example.net");
    let detail = operator.get(&format!("/activity/{}", row["row"]));
    assert!(detail["events"].as_array().unwrap().len() >= 2, "{detail}");

    let statistics = operator.get(&format!("/statistics?account={account}"));
    assert_eq!((&statistics["total"]["recipients"], &statistics["total"]["delivery_rate"]), (&1.into(), &1.0.into()));
    assert_eq!(
        (&statistics["before"]["recipients"], &statistics["before"]["delivery_rate"]),
        (&0.into(), &Value::Null)
    );
    assert_eq!(statistics["days"].as_array().unwrap().len(), 7);
    assert_eq!(statistics["domains"][0]["name"], "bakery.example");
    let changed = operator.ask(
        "PATCH",
        &format!("/smtp-users/{}", login.username),
        Some(&json!({"senders": null, "expires_at": "2999-01-01"})),
    );
    assert_eq!(
        (&changed.body["senders"], &changed.body["expires_at"], &changed.body["retry_seconds"]),
        (&json!([]), &"2999-01-01T00:00:00.000Z".into(), &7200.into())
    );
    assert_eq!(operator.get("/audit?limit=1")["rows"][0]["actor"], "API key Provisioning (1)");
    assert_eq!(operator.get("/health")["running"], true);
}

#[test]
fn mail_counts_on_the_day_of_the_account_also_when_its_zone_changes() {
    let hop = Hop::start(10);
    let house = House::new(hop.port());
    let login = house.furnish();
    let server = house.serve();
    let operator = key(&house, &server, &["Provisioning", "--everything"]);
    let in_zone = |zone: &str| {
        let set = operator.ask("PATCH", "/accounts/1", Some(&json!({"time_zone": zone})));
        assert_eq!((set.status, &set.body["time_zone"]), (200, &zone.into()), "{}", set.body);
        let statistics = operator.get("/statistics?account=1");
        assert_eq!(statistics["time_zone"], zone);
        statistics
    };
    in_zone("Pacific/Kiritimati");
    let content = b"From: <shop@example.com>\r\nSubject: Early\r\n\r\nx\r\n";
    support::send(&house.client(Port::Tls(server.tls), &login), "shop@example.com", &["you@example.net"], content)
        .unwrap();
    eventually("the delivery", || operator.get("/activity?account=1&status=delivered")["rows"].get(0).cloned());
    let early = in_zone("Pacific/Kiritimati");
    assert_eq!(early["total"]["delivered"], 1);
    let users = format!("/smtp-users/{}", login.username);
    assert_eq!(operator.get(&users)["sent_30_days"], 1);

    // 26 hours behind it is another day at any moment, and the message has not been sent there yet
    let late = in_zone("Etc/GMT+12");
    assert_ne!(late["until"], early["until"]);
    assert_eq!(late["total"]["recipients"], 0);
    assert_eq!((&operator.get(&users)["sent_today"], &operator.get(&users)["sent_30_days"]), (&0.into(), &0.into()));
    let until = early["until"].as_str().unwrap();
    let asked = operator.get(&format!("/statistics?account=1&until={until}"));
    assert_eq!(asked["total"]["delivered"], 1, "it stays on the day that it counted on");
    let whole = operator.get(&format!("/statistics?until={until}"));
    assert_eq!((&whole["time_zone"], &whole["total"]["delivered"]), (&Value::Null, &1.into()));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_key_works_until_it_is_deleted() {
    let house = House::new(1);
    let server = house.serve();
    let operator = key(&house, &server, &["Operator", "--everything"]);
    let account = operator.post("/accounts", &json!({"name": "Bakery"}))["id"].to_string();
    let nobody = Client { server: &server, key: String::new() };
    let stranger = Client { server: &server, key: "envoi_0123456789".into() };
    for client in [&nobody, &stranger] {
        let refused = client.ask("GET", "/accounts", None);
        assert_eq!((refused.status, refused.field("www-authenticate")), (401, "Bearer"));
        assert_eq!(refused.field("content-type"), "application/problem+json");
        assert_eq!(refused.body["kind"], "unauthorized");
    }
    let wish = json!({"account": 1, "name": "Reports", "powers": ["activity"], "read_only": true});
    let made = operator.post("/api-keys", &wish);
    let reports = Client { server: &server, key: made["secret"].as_str().unwrap().to_owned() };
    assert_eq!(reports.get("/activity")["rows"], json!([]));
    assert_eq!(reports.get(&format!("/accounts/{account}"))["name"], "Bakery");
    assert_eq!(reports.ask("GET", "/domains", None).status, 403, "not among its powers");
    eventually("the last use", || {
        let listed = operator.get(&format!("/api-keys?account={account}"));
        listed[0]["last_used_at"].is_string().then_some(())
    });
    let path = format!("/api-keys/{}", made["key"]["id"]);
    assert_eq!(operator.ask("DELETE", &path, None).status, 200);
    assert_eq!(reports.ask("GET", "/activity", None).status, 401);
}

#[test]
fn a_key_that_only_looks_changes_nothing() {
    let house = House::new(1);
    let server = house.serve();
    let account = house.json(&["account", "add", "--name", "Bakery"])["id"].to_string();
    let looking = key(&house, &server, &["Watch", "--account", &account, "--everything", "--read-only"]);
    assert_eq!(looking.get("/domains")["rows"], json!([]));
    let refused = looking.ask("POST", "/domains", Some(&json!({"account": 1, "name": "a.example"})));
    assert_eq!((refused.status, &refused.body["kind"]), (403, &"forbidden".into()));
    assert_eq!(house.json(&["domain", "list"]), json!([]));
    // nor does one of an account give a new one more than it has
    let some = key(&house, &server, &["Admin", "--account", &account, "--may", "administration"]);
    let wish = json!({"name": "More", "powers": ["domains"]});
    assert_eq!(some.ask("POST", "/api-keys", Some(&wish)).status, 403);
    let wish = json!({"name": "Operator's", "account": null, "powers": ["administration"]});
    assert_eq!(some.post("/api-keys", &wish)["key"]["account"], 1, "its own account, and nothing wider");
    // nor is it told by a webhook what it may not see
    let wish =
        json!({"account": 1, "name": "Hook", "url": "https://hooks.example/", "events": ["recipient.delivered"]});
    assert_eq!(some.ask("POST", "/webhooks", Some(&wish)).status, 403);
    let ending = ["Ending", "--account", &account, "--may", "administration", "--expires", "1d"];
    let wish = json!({"name": "Endless", "powers": ["administration"]});
    assert_eq!(key(&house, &server, &ending).ask("POST", "/api-keys", Some(&wish)).status, 403, "it would outlive it");
    let told = house.json(&["audit", "list", "--limit", "1"])[0]["subject"].as_str().unwrap().to_owned();
    assert!(told.contains("Ending: powers administration; read only false; expires at 20"), "{told}");
    house.json(&["account", "suspend", &account, "--yes"]);
    assert_eq!(some.ask("POST", "/api-keys", Some(&wish)).status, 403);
    assert_eq!(looking.get("/domains")["rows"], json!([]));
}

#[test]
fn what_is_wrong_is_told() {
    let house = House::new(1);
    let server = house.serve();
    let operator = key(&house, &server, &["Operator", "--everything"]);
    for (method, path, body, status) in [
        ("GET", "/nowhere", "", 404),
        ("GET", "/accounts/999", "", 404),
        ("GET", "/accounts/first", "", 400),
        ("PUT", "/accounts", "{}", 405),
        ("POST", "/accounts", "{", 400),
        ("POST", "/accounts", r#"{"name": "A", "colour": "red"}"#, 400),
        ("POST", "/accounts", r#"{"name": " "}"#, 422),
        ("POST", "/domains", r#"{"account": 1, "name": "nodot"}"#, 422),
        ("GET", "/activity?since=yesterday", "", 400),
        ("GET", "/activity?colour=red", "", 400),
        ("GET", "/statistics?since=2026-11-24&until=2026-11-23", "", 422),
        ("GET", "/statistics?since=today", "", 400),
        ("GET", "/queue/nothing", "", 400),
        ("GET", "/queue/count", "", 422),
        ("GET", "/queue/count?account=18446744073709551615", "", 404),
        ("GET", "/queue/count?recipient=a@", "", 422),
        ("POST", "/queue/orders", r#"{"order": "hold"}"#, 422),
        ("POST", "/queue/orders", r#"{"order": "lose", "account": 1}"#, 400),
        ("GET", "/activity/changes?cursor=17", "", 422),
        ("GET", "/activity/changes?wait=31", "", 400),
        ("POST", "/backups", r#"{"target": "here"}"#, 400),
        ("DELETE", "/blocks/192.0.2.1", "", 404),
    ] {
        let reply = operator.raw(method, path, body);
        assert_eq!(reply.status, status, "{method} {path} {body}: {}", reply.body);
        assert_eq!(reply.field("content-type"), "application/problem+json", "{method} {path}");
        assert_eq!(reply.field("cache-control"), "no-store", "{method} {path}");
        assert_eq!(reply.body["status"], status);
        assert!(!reply.body["title"].as_str().unwrap().is_empty());
        assert!(!reply.body["detail"].as_str().unwrap().contains("envoi "), "a command: {}", reply.body);
    }
    // just too large: what was sent was read before it is refused, so that the answer comes through
    let large = format!(r#"{{"name": "{}"}}"#, "a".repeat(256 * 1024));
    let refused = operator.raw("POST", "/accounts", &large);
    assert_eq!((refused.status, &refused.body["kind"]), (413, &"too_large".into()));
    let refused = operator.sent("POST", "/accounts", "text/plain", r#"{"name": "A"}"#);
    assert_eq!((refused.status, &refused.body["kind"]), (415, &"not_json".into()));
    assert_eq!(operator.get("/accounts")["rows"], json!([]));
}

#[test]
fn requests_are_paced_for_each_key() {
    let house = House::new(1);
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.replace("api_requests_per_minute = 0", "api_requests_per_minute = 30"))
        .unwrap();
    let server = house.serve();
    let (one, other) =
        (key(&house, &server, &["One", "--everything"]), key(&house, &server, &["Other", "--everything"]));
    let first = one.ask("GET", "/accounts", None);
    assert_eq!(first.field("ratelimit-policy"), "\"key\";q=30;w=60");
    assert!(first.field("ratelimit").starts_with("\"key\";r=2;t="), "{}", first.field("ratelimit"));
    let replies: Vec<_> = (0..4).map(|_| one.ask("GET", "/accounts", None)).collect();
    let refused = replies.iter().find(|reply| reply.status == 429).unwrap();
    assert!(refused.field("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(refused.body["kind"], "too_many_requests");
    assert_eq!((refused.field("ratelimit-policy"), refused.field("cache-control")), ("\"key\";q=30;w=60", "no-store"));
    assert!(refused.field("ratelimit").starts_with("\"key\";r=0;t="), "{}", refused.field("ratelimit"));
    let nothing = other.ask("GET", "/accounts/999", None);
    assert_eq!((nothing.status, nothing.field("ratelimit-policy")), (404, "\"key\";q=30;w=60"));
    assert!(nothing.field("ratelimit").starts_with("\"key\";r=2;t="), "{}", nothing.field("ratelimit"));
    assert_eq!(other.ask("GET", "/accounts", None).status, 200);
}

#[test]
fn lists_come_in_pages() {
    let house = House::new(1);
    let server = house.serve();
    let login = house.furnish();
    let operator = key(&house, &server, &["Operator", "--everything"]);
    let recipients: Vec<String> = (0..5).map(|number| format!("r{number}@example.net")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let content = b"From: <shop@example.com>\r\nSubject: pages\r\n\r\nx\r\n";
    support::send(&house.client(Port::Tls(server.tls), &login), "shop@example.com", &recipients, content).unwrap();
    eventually("five rows", || (operator.get("/activity")["rows"].as_array()?.len() == 5).then_some(()));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = operator.get(&format!("/activity?limit=2{cursor}"));
        seen.extend(page["rows"].as_array().unwrap().iter().map(|row| row["recipient"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen, recipients);
}

/// Every route of the document, asked by a stranger about what belongs to another account.
#[test]
fn no_route_shows_a_stranger_anything() {
    let house = House::new(1);
    let server = house.serve();
    house.furnish();
    house.json(&["suppression", "add", "--account", "1", "gone@example.net"]);
    let theirs = house.json(&["api-key", "add", "--account", "1", "--name", "Theirs", "--everything"]);
    house.json(&["member", "add", "jane@example.net", "--account", "1", "--name", "Jane"]);
    let url = "https://hooks.example/";
    let hook = house.json(&["webhook", "add", "--account", "1", "--name", "Hook", "--url", url]);
    let hook = hook["webhook"]["id"].to_string();
    let user = house.json(&["smtp-user", "list"])[0]["username"].as_str().unwrap().to_owned();
    house.json(&["account", "add", "--name", "Stranger"]);
    let stranger = key(&house, &server, &["Stranger", "--account", "2", "--everything"]);
    let before = house.json(&["audit", "list", "--limit", "1000"]);
    let document = stranger.get("/openapi.json");
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let mut path = path.strip_prefix("/api/v1").unwrap().to_owned();
            for (name, value) in [
                ("{account}", "1"),
                ("{plan}", "1"),
                ("{request}", "1"),
                ("{domain}", "example.com"),
                ("{user}", &user),
                ("{webhook}", &hook),
                ("{brake}", "A1"),
                ("{call}", "msg_00112233445566778899aabbccddeeff"),
                ("{row}", "1"),
                ("{member}", "1"),
                ("{backup}", "1"),
                ("{key}", &theirs["key"]["id"].to_string()),
                ("{message}", "01M87MBMNF8H9AK9PHKWMD8HS2"),
                ("{address}", if id == "BlockLift" { "192.0.2.1" } else { "gone@example.net" }),
            ] {
                path = path.replace(name, value);
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            if parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == "account") {
                path.push_str("?account=1");
            }
            let reply = stranger.ask(&method.to_uppercase(), &path, body(id).as_ref());
            let nothing = id == "Blocks" && reply.body == json!([]);
            assert!(matches!(reply.status, 403 | 404) || nothing, "{id}: {} {}", reply.status, reply.body);
            asked += 1;
        }
    }
    assert!(asked > 40, "{asked}");
    assert_eq!(house.json(&["audit", "list", "--limit", "1000"]), before, "something was changed");
}

/// What the operation wants to be told.
fn body(id: &str) -> Option<Value> {
    Some(match id {
        "AccountAdd" => json!({"name": "Another"}),
        "ActivityErase" => json!({"recipient": "a@example.net"}),
        "AccountQuota" => json!({"recipients": 5}),
        "AccountPlan" => json!({"plan": 1}),
        "AccountContactsSet" => json!({"billing": null}),
        "PlanAdd" => json!({"name": "Small", "recipients": 100}),
        "PlanSet" => json!({"offered": true}),
        "PlanRetire" => json!({"retired": true}),
        "PlanAsk" => json!({"plan": null}),
        "PlanDecline" => json!({}),
        "DomainAdd" => json!({"account": 1, "name": "further.example"}),
        "DomainVouch" => json!({"vouched": true}),
        "DomainRotate" => json!({"force": true}),
        "DomainBounceMails" => json!({"on": false}),
        "SmtpUserAdd" => json!({"domain": "example.com", "name": "Further"}),
        "SmtpUserSet" => json!({"sandbox": true}),
        "SmtpUserRename" => json!({"name": "Other"}),
        "SuppressionAdd" => json!({"account": 1, "address": "a@example.net", "reason": "She asked."}),
        "SuppressionImport" => json!({"account": 1, "list": "address,reason\nb@example.net,She asked.\n"}),
        "MessageSubmit" => json!({"user": "1", "from": "a@example.com", "to": "b@example.net", "text": "x"}),
        "AccountSet" => json!({"time_zone": "Europe/Paris"}),
        "MemberAdd" => json!({"account": 1, "email": "a@example.net", "name": "A", "role": "regular"}),
        "MemberSet" => json!({"role": "regular", "name": "Ann Two", "language": "fr"}),
        "ApiKeyAdd" => json!({"account": 1, "name": "Further", "powers": ["activity"]}),
        "WebhookAdd" => {
            json!({"account": 1, "name": "Further", "url": "https://hooks.example/", "events": ["recipient.delivered"]})
        }
        "WebhookSet" => json!({"enabled": false}),
        "WebhookReplay" => json!({"since": "2026-01-01"}),
        "QueueOrder" => json!({"order": "hold", "account": 1}),
        "SiteResume" => json!({"site": "example.net"}),
        "SourceResume" | "SourceWarmUpStop" | "SourceWarmUpStart" => json!({"source": "out1"}),
        "Backup" => json!({"target": "/nowhere/at/all"}),
        _ => return None,
    })
}
