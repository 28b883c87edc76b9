//! The console of the real binary: every route as everybody, forms that are not ours, and signing in and out.

#![allow(clippy::unwrap_used)]

mod support;

use relay::power::{Need, Role};
use relay::service::view::word;
use serde_json::{Value, json};
use support::browser::{Browser, PASSWORD, Shown, add, member, world};
use support::{Hop, House, Login, Port, Server};
use web::console::For;

/// What belongs to one account.
struct Party {
    account: String,
    domain: String,
    user: String,
    key: String,
    webhook: String,
    call: String,
    member: String,
    row: String,
    message: String,
    plan: String,
    request: String,
    /// None is on.
    brake: String,
}

impl Party {
    /// An account with one of everything, and a message that waits.
    fn new(house: &House, server: &Server, name: &str) -> Party {
        let number = |value: &Value| value["id"].to_string();
        let account = number(&house.json(&["account", "add", "--name", name]));
        let domain = format!("{name}.example");
        house.json(&["domain", "add", "--account", &account, &domain]);
        let vouched = house.json(&["domain", "vouch", &domain]);
        let user = house.json(&["smtp-user", "add", "--domain", &domain, "--name", "Shop"]);
        let text = |field: &str| user[field].as_str().unwrap().to_owned();
        let login = Login { username: text("username"), password: text("password") };
        let content = format!("From: <a@{domain}>\r\nSubject: x\r\n\r\nx\r\n");
        let client = house.client(Port::Tls(server.tls), &login);
        support::send(&client, &format!("a@{domain}"), &["b@c.example"], content.as_bytes()).unwrap();
        let row = support::eventually("the row", || {
            let rows = house.json(&["activity", "--account", &account]);
            rows.get(0).map(|row| row["row"].to_string())
        });
        let waiting = house.json(&["queue", "list", "--account", &account]);
        let message = waiting[0]["message"].as_str().unwrap().to_owned();
        let key = house.json(&["api-key", "add", "--name", "Key", "--account", &account, "--may", "activity"]);
        // nothing listens there either
        let url = "https://hooks.example/";
        let webhook = house.json(&["webhook", "add", "--account", &account, "--name", "Hook", "--url", url]);
        let webhook = number(&webhook["webhook"]);
        house.json(&["webhook", "test", &webhook]);
        let calls = house.json(&["webhook", "log", &webhook]);
        let member = add(house, Some(&account), &format!("kept@{domain}"), Role::Administrator);
        let title = format!("Plan of {name}");
        let plan = number(&house.json(&["plan", "add", "--name", &title, "--recipients", "9", "--offered", "on"]));
        let request = number(&house.json(&["plan", "ask", "--account", &account, "--plan", &plan]));
        Party {
            domain: number(&vouched),
            user: number(&user),
            key: number(&key["key"]),
            call: calls[0]["call"].as_str().unwrap().to_owned(),
            webhook,
            brake: format!("A{account}"),
            member: member["member"]["id"].to_string(),
            account,
            row,
            message,
            plan,
            request,
        }
    }

    /// A route with what it names put in.
    fn path(&self, route: &str) -> String {
        let known = [
            ("{account}", &self.account),
            ("{domain}", &self.domain),
            ("{user}", &self.user),
            ("{key}", &self.key),
            ("{webhook}", &self.webhook),
            ("{call}", &self.call),
            ("{member}", &self.member),
            ("{row}", &self.row),
            ("{message}", &self.message),
            ("{plan}", &self.plan),
            ("{request}", &self.request),
            ("{brake}", &self.brake),
        ];
        let path = known.iter().fold(route.to_owned(), |path, (name, value)| path.replace(name, value));
        assert!(!path.contains('{'), "{route}: say here what it names");
        path
    }

    /// A form with a value for whatever a route may want.
    fn form(&self) -> Vec<(&str, &str)> {
        vec![
            ("account", &self.account),
            ("domain", &self.domain),
            ("user", &self.user),
            ("sure", "1"),
            ("name", "Another"),
            ("email", "another@example.com"),
            ("role", "regular"),
            ("language", "fr"),
            ("powers", "activity"),
            ("url", "https://hooks.example/"),
            ("events", "recipient.delivered"),
            ("hours", "24"),
            ("recipients", "7"),
            ("renews_on", "3"),
            ("vouched", "false"),
            ("address", "127.0.0.9"),
            ("time_zone", "Europe/Paris"),
            ("sender", "a@acme.example"),
            ("to", "b@c.example"),
        ]
    }

    fn audit(&self, house: &House) -> Value {
        house.json(&["audit", "list", "--account", &self.account, "--limit", "1000"])
    }
}

/// No page has more octets than this.
const PAGE_OCTETS_MAX: usize = 100_000;

fn is_small(path: &str, shown: &Shown) {
    assert!(shown.body.len() < PAGE_OCTETS_MAX, "{path} has {} octets", shown.body.len());
}

/// Routes that change whoever is signed in, or sign them out: tried elsewhere.
fn is_own(path: &str) -> bool {
    path == "/sign-out" || path.starts_with("/profile")
}

#[test]
fn nobody_is_shown_anything() {
    let (house, server) = world();
    let acme = Party::new(&house, &server, "acme");
    let before = house.json(&["audit", "list", "--limit", "1000"]);
    for (method, route, whom) in web::console::table() {
        let (path, mut browser) = (acme.path(route), Browser::new(server.console));
        let shown = if method == "GET" { browser.get(&path) } else { browser.send(&path, &acme.form()) };
        if whom == For::Everybody {
            assert!(matches!(shown.status, 200 | 303 | 400 | 410 | 422), "{method} {path}: {}", shown.status);
            is_small(&path, &shown);
        } else {
            assert_eq!(shown.status, 303, "{method} {path}");
            assert!(shown.location.starts_with("/sign-in?next="), "{method} {path}: {}", shown.location);
        }
    }
    assert_eq!(house.json(&["audit", "list", "--limit", "1000"]), before, "something was changed");
}

#[test]
fn each_role_sees_what_its_powers_let_it() {
    let (house, server) = world();
    let acme = Party::new(&house, &server, "acme");
    let mut browsers: Vec<_> = Role::ALL
        .into_iter()
        .map(|role| {
            let email = format!("{}@acme.example", word(&role).replace('_', "-"));
            (role, member(&house, &server, Some(&acme.account), &email, role))
        })
        .collect();
    let before = house.json(&["audit", "list", "--limit", "1000"]);
    for (method, route, whom) in web::console::table() {
        for (role, browser) in &mut browsers {
            let may = match whom {
                For::Everybody | For::Visitors => continue,
                For::Operator | For::Account(Need::Operator) => false,
                For::Account(Need::Member) => true,
                For::Account(Need::Power(power)) => role.powers().has(power),
            };
            let path = acme.path(route);
            let shown = match (method, may) {
                ("GET", _) => browser.get(&path),
                (_, false) => browser.post(&path, &acme.form()),
                // whoever may, does; what that does is tried elsewhere
                (_, true) => continue,
            };
            assert_eq!(shown.status == 403, !may, "{role:?} {method} {path}: {}", shown.status);
            assert!(shown.status < 500, "{role:?} {method} {path}: {}", shown.body);
            is_small(&path, &shown);
        }
    }
    assert_eq!(house.json(&["audit", "list", "--limit", "1000"]), before, "something was changed");
}

#[test]
fn a_stranger_reaches_nothing_of_another_account() {
    let (house, server) = world();
    let (acme, other) = (Party::new(&house, &server, "acme"), Party::new(&house, &server, "other"));
    let mut stranger = member(&house, &server, Some(&other.account), "stranger@other.example", Role::Administrator);
    let before = acme.audit(&house);
    for (method, route, whom) in web::console::table() {
        if whom == For::Everybody || is_own(route) {
            continue;
        }
        let path = acme.path(route);
        let shown = if method == "GET" { stranger.get(&path) } else { stranger.post(&path, &acme.form()) };
        let names_something = route.contains('{');
        assert!(shown.status < 500, "{method} {path}: {}", shown.body);
        assert!(!names_something || matches!(shown.status, 303 | 400 | 403 | 404), "{method} {path}: {}", shown.status);
        assert!(!shown.body.contains("acme.example"), "{method} {path} shows what is not theirs: {}", shown.body);
    }
    assert_eq!(acme.audit(&house), before, "something was changed");
}

#[test]
fn the_operator_sees_each_page_and_enters_an_account() {
    let (house, server) = world();
    let acme = Party::new(&house, &server, "acme");
    // with another administrator the one who is there may be removed
    add(&house, Some(&acme.account), "further@acme.example", Role::Administrator);
    let mut operator = member(&house, &server, None, "op@example.com", Role::Administrator);
    let before = house.json(&["audit", "list", "--limit", "1000"]);
    for (method, route, whom) in web::console::table() {
        let path = acme.path(route);
        match (method, whom) {
            ("GET", For::Operator) => {
                let shown = operator.get(&path);
                assert_eq!(shown.status, 200, "{path}: {}", shown.body);
                is_small(&path, &shown);
            }
            ("GET", For::Account(_)) => assert_eq!(operator.get(&path).location, "/operator", "{path}"),
            (_, For::Account(_)) => assert_eq!(operator.post(&path, &acme.form()).location, "/operator", "{path}"),
            _ => {}
        }
    }
    assert_eq!(house.json(&["audit", "list", "--limit", "1000"]), before, "something was changed");

    let shown = operator.post(&format!("/operator/accounts/{}/enter", acme.account), &[]);
    assert_eq!(shown.location, "/");
    let told = acme.audit(&house);
    assert_eq!((&told[0]["action"], &told[0]["actor"]), (&"member.sign_in_as".into(), &"op@example.com".into()));
    assert_eq!(operator.get("/members").status, 200);
    assert_eq!(operator.get("/operator").location, "/", "the account alone, while they look in its place");
    assert_eq!(operator.post("/operator/leave", &[]).location, "/operator");
    assert_eq!(operator.get("/operator").status, 200);
    for far in ["/operator/accounts", "/operator/audit"] {
        assert_eq!(operator.get(&format!("{far}?page={}", u64::MAX)).status, 200, "{far}");
    }
    let missing = operator.post("/operator/accounts/77/enter", &[]);
    assert_eq!(missing.status, 404);

    // and reads of it all in French
    let members = house.json(&["member", "list"]);
    let is_own = |member: &&Value| member["email"] == "op@example.com";
    let own = members.as_array().unwrap().iter().find(is_own).unwrap()["id"].to_string();
    house.json(&["member", "set", &own, "--language", "fr"]);
    let shown = operator.get("/operator/audit").body;
    assert!(!shown.contains("lang=\"en\"") && !shown.contains("audit-"), "{shown}");
    assert!(shown.contains("Langue\u{a0}: anglais → français") && shown.contains("Événements\u{a0}: "), "{shown}");
}

#[test]
fn an_account_is_made_with_a_language_and_a_time_zone() {
    let (house, server) = world();
    let mut operator = member(&house, &server, None, "op@example.com", Role::Administrator);
    let form = operator.get("/operator/accounts").body;
    assert!(form.contains("<option selected>UTC") && form.contains("value=\"en\" lang=\"en\" selected"), "{form}");
    let wrong = [("name", "Boulangerie"), ("language", "fr"), ("time_zone", "Mars/Olympus")];
    assert_eq!(operator.post("/operator/accounts", &wrong).status, 422);
    assert_eq!(house.json(&["account", "list"]), json!([]), "nothing is made of what is wrong");
    let given = [("name", "Boulangerie"), ("language", "fr"), ("time_zone", "America/Toronto")];
    assert_eq!(operator.post("/operator/accounts", &given).status, 303);
    let line = ["account", "add", "--name", "Bakery", "--language", "fr", "--time-zone", "America/Toronto"];
    for made in [house.json(&["account", "show", "1"]), house.json(&line)] {
        assert_eq!((&made["language"], &made["time_zone"]), (&json!("fr"), &json!("America/Toronto")), "{made}");
    }
    // everything is in place: the page leads on into the account
    assert_eq!(operator.post("/operator/accounts/1/enter", &[("to", "//elsewhere.example")]).location, "/");
    assert_eq!(operator.post("/operator/leave", &[]).status, 303);
    assert_eq!(operator.post("/operator/accounts/1/enter", &[("to", "test-email")]).location, "/test-email");
}

#[test]
fn forms_that_are_not_ours_do_nothing() {
    let (house, server) = world();
    let acme = Party::new(&house, &server, "acme");
    let email = "admin@acme.example";
    let mut administrator = member(&house, &server, Some(&acme.account), email, Role::Administrator);
    let mut operator = member(&house, &server, None, "op@example.com", Role::Administrator);
    let before = house.json(&["audit", "list", "--limit", "1000"]);
    let key = operator.csrf();
    for (method, route, whom) in web::console::table() {
        if method == "GET" {
            continue;
        }
        let path = acme.path(route);
        let browser = if matches!(whom, For::Account(_)) { &mut administrator } else { &mut operator };
        assert_eq!(browser.send_from_elsewhere(&path, &acme.form()).status, 403, "{path}");
        if whom != For::Everybody {
            assert_eq!(browser.send(&path, &acme.form()).status, 403, "{path} without the field of our page");
        }
        if matches!(whom, For::Account(_)) {
            let theirs = [acme.form(), vec![("csrf", key.as_str())]].concat();
            assert_eq!(browser.send(&path, &theirs).status, 403, "{path} with another one's field");
        }
    }
    assert_eq!(house.json(&["audit", "list", "--limit", "1000"]), before, "something was changed");
    assert!(administrator.is_signed_in() && operator.is_signed_in());
}

#[test]
fn an_administrator_looks_after_members_and_keys() {
    let (house, server) = world();
    let acme = Party::new(&house, &server, "acme");
    let email = "admin@acme.example";
    let mut browser = member(&house, &server, Some(&acme.account), email, Role::Administrator);
    let invited = [("email", "new@acme.example"), ("name", "New"), ("role", "regular"), ("language", "fr")];
    let shown = browser.post("/members", &invited);
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(shown.body.contains("/choose-password?token="));
    let again = browser.post("/members", &invited);
    assert_eq!(again.status, 422, "the address is taken");
    assert!(again.body.contains("value=\"new@acme.example\""), "the form keeps what was typed");
    let role = format!("/members/{}/role", acme.member);
    assert_eq!(browser.post(&role, &[("role", "custom")]).status, 303);

    // they are the last administrator now
    let members = house.json(&["member", "list", "--account", &acme.account]);
    let own = members.as_array().unwrap().iter().find(|member| member["email"] == email).unwrap()["id"].to_string();
    assert_eq!(browser.post(&format!("/members/{own}/role"), &[("role", "regular")]).status, 422);
    assert_eq!(browser.get(&format!("/members/{own}/remove")).status, 422);
    assert_eq!(browser.post(&format!("/members/{own}/remove"), &[("sure", "1")]).status, 422);
    let removal = format!("/members/{}/remove", acme.member);
    assert_eq!(browser.post(&removal, &[]).status, 400, "it is asked twice");
    assert_eq!(browser.post(&removal, &[("sure", "1")]).status, 303);

    let made = browser.post("/api-keys", &[("name", "Reports"), ("powers", "activity"), ("read_only", "1")]);
    assert_eq!(made.status, 200, "{}", made.body);
    assert!(made.body.contains("Authorization: Bearer"));
    assert_eq!(browser.post("/api-keys", &[("name", "Nothing")]).status, 422, "a key for nothing");
    let past = [("name", "Past"), ("powers", "activity"), ("expires_on", "2020-01-01")];
    assert_eq!(browser.post("/api-keys", &past).status, 422);
    assert_eq!(browser.post(&format!("/api-keys/{}/delete", acme.key), &[("sure", "1")]).status, 303);
    let keys = house.json(&["api-key", "list", "--account", &acme.account]);
    assert_eq!((keys[0]["name"].as_str(), keys.as_array().unwrap().len()), (Some("Reports"), 1));
    assert_eq!(keys[0]["read_only"], true);
}

#[test]
fn an_administrator_asks_for_a_plan_and_the_operator_answers() {
    let (house, server) = world();
    house.json(&["account", "add", "--name", "acme", "--without-plan"]);
    let mut jane = member(&house, &server, Some("1"), "jane@acme.example", Role::Administrator);
    let mut john = member(&house, &server, Some("1"), "john@acme.example", Role::Regular);
    let mut operator = member(&house, &server, None, "op@example.com", Role::Administrator);
    let plan = [("name", "Large"), ("name_fr", "Grand"), ("price", "$9"), ("offered", "1"), ("place", "2")];
    for (recipients, status) in [("many", 422), ("1 000", 303), ("5", 422)] {
        let sent = [&plan[..], &[("recipients", recipients)]].concat();
        assert_eq!(operator.post("/operator/plans", &sent).status, status, "{recipients}");
    }
    assert!(operator.get("/operator/plans").body.contains("Large"));

    for page in ["/pricing", "/"] {
        assert!(jane.get(page).body.contains("No plan was approved for this account yet"), "{page}");
    }
    let has_form = |shown: &Shown| shown.body.contains("action=\"/pricing/ask\"");
    let (form, looked) = (jane.get("/pricing"), john.get("/pricing"));
    assert_eq!((form.status, looked.status, has_form(&form), has_form(&looked)), (200, 200, true, false));
    assert!(looked.body.contains("Large") && looked.body.contains("1,000 recipients a month"));
    assert_eq!(jane.post("/pricing/ask", &[("message", "none was chosen")]).status, 422);
    let wish = [("plan", "2"), ("message", "We grow")];
    assert_eq!(john.post("/pricing/ask", &wish).status, 403);
    assert_eq!(jane.post("/pricing/ask", &wish).status, 303);
    assert_eq!(jane.post("/pricing/ask", &wish).status, 422, "one at a time");
    let waits = jane.get("/pricing");
    assert!(waits.body.contains("Withdraw the request") && !has_form(&waits), "{}", waits.body);
    assert!(!john.get("/pricing").body.contains("Withdraw the request"));
    assert!(operator.get("/operator").body.contains("href=\"/operator/requests\""));
    assert!(operator.get("/operator/requests").body.contains("We grow"));
    assert_eq!(operator.post("/operator/requests/1/decline", &[("reason", "Not yet")]).status, 303);
    assert!(jane.get("/pricing").body.contains("Not yet"));
    assert_eq!(jane.post("/pricing/ask", &wish).status, 303);
    assert_eq!(operator.post("/operator/requests/1/approve", &[]).status, 404, "that was another");
    assert_eq!(operator.post("/operator/requests/2/approve", &[]).status, 303);
    let shown = jane.get("/pricing");
    assert!(shown.body.contains("0 of 1,000 recipients") && !shown.body.contains("No plan"), "{}", shown.body);

    assert_eq!(jane.get("/pricing/cancel").status, 200);
    assert_eq!(jane.post("/pricing/cancel", &[]).status, 400, "it is asked twice");
    assert_eq!(jane.post("/pricing/cancel", &[("sure", "1")]).status, 303);
    assert_eq!(jane.post("/pricing/withdraw", &[]).status, 303);
    assert_eq!(jane.post("/pricing/cancel", &[("sure", "1")]).status, 303);
    assert_eq!(operator.post("/operator/requests/4/approve", &[]).status, 303);
    assert!(jane.get("/pricing").body.contains("The plan ends on"));
    assert_eq!(jane.post("/pricing/keep", &[]).status, 303);
    assert!(!jane.get("/pricing").body.contains("The plan ends on"));

    assert_eq!(operator.post("/operator/plans/2/default", &[]).status, 303);
    assert_eq!(operator.post("/operator/plans/1/retire", &[]).status, 303);
    assert_eq!(operator.post("/operator/accounts/1/plan", &[("plan", "")]).status, 303);
    assert!(jane.get("/").body.contains("The plan of this account was cancelled"));
    assert_eq!(operator.get("/operator/plans/1/delete").status, 200);
    assert_eq!(operator.post("/operator/plans/1/delete", &[("sure", "1")]).status, 303);
    assert_eq!(operator.get("/operator/plans/1").status, 404);
}

#[test]
fn contacts_are_told_apart_from_half_of_one() {
    let (house, server) = world();
    house.json(&["account", "add", "--name", "acme"]);
    let mut jane = member(&house, &server, Some("1"), "jane@acme.example", Role::Administrator);
    let half = [("billing_name", "Élise"), ("billing_email", "")];
    let refused = jane.post("/account/contacts", &half);
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("value=\"Élise\""), "the form keeps what was typed");
    let whole = [("billing_name", "Élise"), ("billing_email", "bills@acme.example")];
    assert_eq!(jane.post("/account/contacts", &whole).status, 303);
    assert!(jane.get("/account").body.contains("bills@acme.example"));
    assert_eq!(jane.post("/account/contacts", &[]).status, 303);
    let kept = house.json(&["account", "contacts", "1"]);
    assert_eq!((&kept["primary"], &kept["billing"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_test_mail_is_sent_and_followed_to_its_end() {
    let hop = Hop::start(10);
    let house = House::new(hop.port());
    house.furnish();
    let server = house.serve();
    let made =
        house.json(&["member", "add", "jane@example.com", "--account", "1", "--name", "Jane", "--language", "fr"]);
    let mut browser = Browser::new(server.console);
    let fields = [("token", made["token"].as_str().unwrap()), ("password", PASSWORD)];
    assert_eq!(browser.send("/choose-password", &fields).status, 303);
    for page in ["/domains/example.com", "/users/1", "/connection-settings"] {
        assert!(browser.get(page).body.contains("href=\"/test-email?"), "{page}");
    }
    let form = browser.get("/test-email?user=1").body;
    for value in ["test@example.com", "jane@example.com"] {
        assert!(form.contains(&format!("value=\"{value}\"")), "{value}: {form}");
    }

    let wish = |sender, to| [("user", "1"), ("sender", sender), ("to", to)];
    let refused = browser.post("/test-email", &wish("boss@other.example", "jane@example.com"));
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("550 5.7.1") && refused.body.contains("value=\"boss@other.example\""));
    let refused = browser.post("/test-email", &wish("test@example.com", "nobody"));
    assert!(refused.status == 422 && refused.body.contains("501 5.1.3"), "{}", refused.body);

    let sent = browser.post("/test-email", &wish("test@example.com", "jane@example.net"));
    assert_eq!(sent.status, 303, "{}", sent.body);
    assert!(sent.location.starts_with("/test-email/"), "{}", sent.location);
    let captured = hop.wait("Auto-Submitted: auto-generated");
    let content = String::from_utf8(captured.content.clone()).unwrap();
    assert!(content.contains("Content-Language: fr") && content.contains("DKIM-Signature:"), "{content}");
    assert_eq!(captured.recipients, ["jane@example.net"]);
    let over = support::eventually("the end of its way", || {
        let shown = browser.get(&sent.location);
        assert_eq!(shown.status, 200, "{}", shown.body);
        // while there is more to come the page asks for it by itself, and by a link
        let is_followed = shown.body.contains(&format!("data-poll=\"{}\"", sent.location));
        let is_linked = shown.body.matches(&format!("href=\"{}\"", sent.location)).count() > 0;
        assert_eq!(is_followed, is_linked);
        (!is_followed).then_some(shown)
    });
    assert!(over.body.contains("s-delivered") && over.body.contains("jane@example.com"), "{}", over.body);
    assert!(over.body.contains("250"), "the other server's reply: {}", over.body);
    assert_eq!(browser.get("/test-email/01M87MBMNF8H9AK9PHKWMD8HS2").status, 404);
    assert_eq!(browser.get("/test-email/nothing").status, 404);
}

/// Refusals of one SMTP user's mail, each from an address of its own, as a trusted proxy tells.
fn refusals(house: &House, count: usize) -> Server {
    let text = std::fs::read_to_string(house.config()).unwrap();
    let text = text.replace("[limits]\n", "[limits]\nnotices_per_minute_max = 1000\n");
    let text = text.replace("[api]\n", "[api]\ntrusted_proxies = [\"127.0.0.1/32\"]\n");
    std::fs::write(house.config(), text).unwrap();
    let server = house.serve();
    house.furnish();
    house.json(&["smtp-user", "disable", "1"]);
    let client = support::api::key(house, &server, &["Shop", "--account", "1", "--may", "submit"]);
    let body = json!({"user": "1", "from": "a@example.com", "to": "b@example.net", "text": "x"}).to_string();
    for last in 1..=count {
        let told = [("Content-Type", "application/json"), ("X-Forwarded-For", &*format!("192.0.2.{last}"))];
        assert_eq!(client.with_fields("POST", "/messages", &told, &body).status, 403);
    }
    support::eventually("all rows", || {
        let rows = house.json(&["connections", "list", "--limit", "1000"]);
        (rows.as_array().unwrap().len() == count).then_some(())
    });
    server
}

#[test]
fn connections_come_in_pages_and_as_files() {
    let house = House::new(1);
    let server = refusals(&house, 70);
    let mut browser = member(&house, &server, Some("1"), "a@example.com", Role::Regular);
    let addresses = |text: &str| {
        let found = text.match_indices("from 192.0.2.").map(|(at, from)| {
            text[at + from.len()..].split(|letter: char| !letter.is_ascii_digit()).next().unwrap().to_owned()
        });
        found.collect::<Vec<_>>()
    };
    let older = |page: &str| {
        let (before, _) = page.split_once("\" rel=\"next\"")?;
        Some(before.rsplit_once("href=\"")?.1.replace("&amp;", "&"))
    };
    let first = browser.get("/connections").body;
    let second = browser.get(&older(&first).unwrap()).body;
    let (mut shown, more) = (addresses(&first), addresses(&second));
    assert_eq!((shown.len(), more.len(), older(&second)), (60, 10, None));
    assert_eq!((shown[0].as_str(), more[9].as_str()), ("70", "1"), "newest first");
    shown.extend(more);
    assert_eq!(shown.iter().collect::<std::collections::BTreeSet<_>>().len(), 70, "pages meet without gap");
    let narrow = browser.get("/connections?address=192.0.2.7&cause=state").body;
    assert_eq!(addresses(&narrow), ["70", "7"]);
    assert!(addresses(&browser.get("/connections?cause=tls").body).is_empty());
    for before in ["-1", "x", "18446744073709551615"] {
        assert_eq!(browser.get(&format!("/connections?before={before}")).status, 200, "{before}");
    }

    let csv = whole(&browser.get("/connections/export.csv").body);
    assert_eq!(csv.lines().count(), 71, "{csv}");
    assert!(csv.lines().nth(1).unwrap().contains("\"192.0.2.70\""), "{csv}");
    let csv = whole(&browser.get("/connections/export.csv?address=192.0.2.7").body);
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let rows: Value = serde_json::from_str(&whole(&browser.get("/connections/export.json").body)).unwrap();
    assert_eq!((rows.as_array().unwrap().len(), &rows[69]["remote"]), (70, &"192.0.2.1".into()));

    let client = support::api::key(&house, &server, &["Watch", "--account", "1", "--may", "activity"]);
    let page = client.ask("GET", "/connections?limit=40", None).body;
    let rest =
        client.ask("GET", &format!("/connections?limit=40&cursor={}", page["next"].as_str().unwrap()), None).body;
    let count = |page: &Value| page["rows"].as_array().unwrap().len();
    assert_eq!((count(&page), count(&rest), &rest["next"]), (40, 30, &Value::Null));
    assert_eq!(rest["rows"][29]["remote"], "192.0.2.1");
    assert_eq!(client.ask("GET", "/connections?cursor=9223372036854775808", None).status, 400);
    let before = house.json(&["connections", "list"])[9]["row"].to_string();
    let rows = house.json(&["connections", "list", "--before", &before]);
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["remote"]), (60, &"192.0.2.60".into()));
}

/// What came in chunks (RFC 9112 §7.1), as one.
fn whole(body: &str) -> String {
    let (mut rest, mut whole) = (body, String::new());
    while let Some((size, chunks)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.push_str(&chunks[..size]);
        rest = &chunks[size + 2..];
    }
    whole
}
