//! Signing in to the console of the real binary, and out: links, one-time codes, guesses, and how much one member may ask for.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read as _, Write as _};

use net::clock::{Clock as _, SystemClock};
use relay::power::Role;
use support::House;
use support::browser::{Browser, PASSWORD, Shown, add, field, member, world};

const OTHER: &str = "four words somebody knew";

fn sign_in(browser: &mut Browser, email: &str, password: &str) -> Shown {
    browser.send("/sign-in", &[("email", email), ("password", password), ("next", "/profile")])
}

#[test]
fn links_work_once_and_sign_ins_end() {
    let (house, server) = world();
    let token = server.first_token();
    let mut first = Browser::new(server.console);
    let path = format!("/first-start?token={token}");
    assert_eq!(first.get(&path).status, 200);
    let founder = [("token", token.as_str()), ("email", "op@example.com"), ("name", "Op"), ("password", PASSWORD)];
    assert_eq!(first.send("/first-start", &founder).location, "/operator/first-steps");
    assert_eq!(first.get("/operator/first-steps").status, 200);
    assert_eq!((first.get(&path).status, first.send("/first-start", &founder).status), (410, 410));

    let made = add(&house, None, "second@example.com", Role::Administrator);
    let link = [("token", made["token"].as_str().unwrap()), ("password", PASSWORD)];
    let mut second = Browser::new(server.console);
    let weak = second.send("/choose-password", &[link[0], ("password", "short")]);
    assert_eq!(weak.status, 422, "{}", weak.body);
    assert_eq!(second.send("/choose-password", &link).status, 303);
    assert!(second.is_signed_in());
    assert_eq!(Browser::new(server.console).send("/choose-password", &link).status, 410);

    let mut here = Browser::new(server.console);
    assert_eq!(sign_in(&mut here, "second@example.com", "not the password").status, 422);
    assert!(!here.is_signed_in());
    assert_eq!(sign_in(&mut here, "second@example.com", PASSWORD).location, "/profile");
    let mut there = Browser::new(server.console);
    sign_in(&mut there, "second@example.com", PASSWORD);
    assert_eq!(there.send("/sign-out", &[]).location, "/sign-in");
    assert!(!there.is_signed_in() && here.is_signed_in());

    let cookie = here.get("/profile").body;
    let ended = field(&cookie, "token");
    assert_eq!(here.post("/profile/sign-ins/end", &[("token", &ended)]).status, 303);
    assert!(here.is_signed_in() && !second.is_signed_in());

    sign_in(&mut there, "second@example.com", PASSWORD);
    let wrong = here.post("/profile/password", &[("before", "not the password"), ("after", OTHER)]);
    assert_eq!(wrong.status, 422);
    assert!(there.is_signed_in());
    assert_eq!(here.post("/profile/password", &[("before", PASSWORD), ("after", OTHER)]).status, 303);
    assert!(here.is_signed_in() && !there.is_signed_in() && first.is_signed_in());
    assert_eq!(sign_in(&mut there, "second@example.com", PASSWORD).status, 422);
    assert_eq!(sign_in(&mut there, "second@example.com", OTHER).status, 303);
}

/// The code of now, and the one after it, of the device with this seed. Both stay what they are, however long a test takes.
fn codes(seed: &str) -> [String; 2] {
    let pairs = seed.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let seed: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let totp = totp_rs::Builder::new().with_algorithm(totp_rs::Algorithm::SHA1).with_secret(seed).build_noncompliant();
    let now = SystemClock::new().now().0 / 1_000;
    [now, now + 30].map(|at| totp.generate(at).to_string())
}

/// The row of a table that says this.
fn row_of<'p>(page: &'p str, said: &str) -> &'p str {
    let rows: Vec<_> = page.split("<tr>").filter(|row| row.contains(said)).collect();
    let [row] = rows[..] else { panic!("{said}: {rows:?}") };
    row
}

#[test]
fn one_time_codes_are_asked_for() {
    let (house, server) = world();
    let mut browser = member(&house, &server, None, "op@example.com", Role::Administrator);
    let seed = field(&browser.get("/profile/codes").body, "seed");
    let [code, next] = codes(&seed);
    let mut on = |code: &str, password| {
        browser.post("/profile/codes", &[("seed", &seed), ("code", code), ("password", password)])
    };
    assert_eq!(on("000000", PASSWORD).status, 422);
    assert_eq!(on(&code, "not the password").status, 422);
    let shown = on(&code, PASSWORD);
    assert_eq!(shown.status, 200, "{}", shown.body);
    let (_, recovery) = shown.body.split_once("<code id=\"codes\">").unwrap();
    let recovery = recovery.lines().next().unwrap().to_owned();
    assert_eq!(browser.get("/profile/codes").location, "/profile", "whoever finds an open browser replaces none");

    let mut half = Browser::new(server.console);
    assert!(sign_in(&mut half, "op@example.com", PASSWORD).location.starts_with("/sign-in/code"));
    assert_eq!(half.get("/profile").location, "/sign-in/code", "half in is not in");
    assert_eq!(half.send("/sign-in/code", &[("code", "000000")]).status, 422);
    assert_eq!(half.send("/sign-in/code", &[("code", &next)]).status, 303);
    assert!(half.is_signed_in());

    let mut lost = Browser::new(server.console);
    sign_in(&mut lost, "op@example.com", PASSWORD);
    assert_eq!(lost.send("/sign-in/code", &[("code", &next)]).status, 422, "a code is taken once");
    assert_eq!(lost.send("/sign-in/code", &[("code", &code)]).status, 422, "nor one from before");
    assert_eq!(lost.send("/sign-in/code", &[("code", &next)]).status, 422, "which changes nothing");
    assert_eq!(lost.send("/sign-in/code", &[("code", &recovery)]).status, 303);
    assert!(lost.is_signed_in());
    let mut again = Browser::new(server.console);
    sign_in(&mut again, "op@example.com", PASSWORD);
    assert_eq!(again.send("/sign-in/code", &[("code", &recovery)]).status, 422, "a recovery code works once");

    let profile = lost.get("/profile").body;
    let row = row_of(&profile, "Right password, wrong one-time code");
    assert!(row.contains("127.0.0.1") && row.contains("5 times since"), "{row}");
    assert_eq!(lost.post("/profile/codes/off", &[("password", PASSWORD)]).status, 303);
    assert_eq!(sign_in(&mut again, "op@example.com", PASSWORD).location, "/profile");
}

#[test]
fn whoever_guesses_locks_out_nobody_else() {
    let (house, server) = world();
    member(&house, &server, None, "op@example.com", Role::Administrator);
    let mut guessing = Browser::from(server.console, 2);
    let mut statuses = (0..13).map(|_| sign_in(&mut guessing, "op@example.com", "a guess").status);
    assert_eq!(statuses.by_ref().take(10).collect::<Vec<_>>(), [422; 10]);
    assert!(statuses.any(|status| status == 429));
    assert_eq!(sign_in(&mut guessing, "op@example.com", PASSWORD).status, 429, "not even with the right one");
    // another behind the same address is kept out by that neither
    add(&house, None, "other@example.com", Role::Administrator);
    assert_eq!(sign_in(&mut Browser::from(server.console, 2), "other@example.com", "a guess").status, 422);
    let mut elsewhere = Browser::from(server.console, 3);
    assert_eq!(sign_in(&mut elsewhere, "op@example.com", PASSWORD).status, 303);
    // a browser that a member has signed in with is not kept out by the failures of others
    for _ in 0..13 {
        sign_in(&mut Browser::from(server.console, 3), "nobody@example.com", "a guess");
    }
    assert_eq!(sign_in(&mut Browser::from(server.console, 3), "nobody@example.com", "a guess").status, 429);
    assert_eq!(sign_in(&mut elsewhere, "op@example.com", PASSWORD).status, 303);
}

#[test]
fn what_failed_is_shown_to_whoever_it_was_aimed_at_and_names_nobody_else() {
    let (house, server) = world();
    let mut browser = member(&house, &server, None, "op@example.com", Role::Administrator);
    let other = add(&house, None, "other@example.com", Role::Administrator);
    for email in ["op@example.com", "op@example.com", "nobody@example.com"] {
        assert_eq!(sign_in(&mut Browser::from(server.console, 2), email, "a guess").status, 422);
    }
    let profile = browser.get("/profile").body;
    let row = row_of(&profile, "Wrong password");
    assert!(row.contains("127.0.0.2") && row.contains("2 times since"), "{row}");
    assert!(row_of(&profile, ">Signed in<").contains("127.0.0.1"));
    let members = house.json(&["member", "list"]);
    let own = members.as_array().unwrap().iter().find(|member| member["email"] == "op@example.com").unwrap();
    let page = browser.get(&format!("/operator/members/{}", own["id"])).body;
    assert!(row_of(&page, "Wrong password").contains("2 times since"));
    let shown = house.json(&["member", "sign-ins", &own["id"].to_string()]);
    let results: Vec<_> =
        shown.as_array().unwrap().iter().map(|row| (row["result"].clone(), row["count"].clone())).collect();
    assert_eq!(results, [("wrong_password".into(), 2.into()), ("signed_in".into(), serde_json::Value::Null)]);
    let others = house.json(&["member", "sign-ins", &other["member"]["id"].to_string()]);
    assert_eq!(others, serde_json::json!([]));

    let audit = house.json(&["audit", "list", "--limit", "1000"]).to_string();
    assert_eq!(audit.matches("member.sign_in_wrong_password").count(), 1, "{audit}");
    assert!(!audit.contains("nobody@example.com"), "{audit}");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.http)).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).unwrap();
    for counted in ["wrong_password\"} 3", "wrong_code\"} 0", "in\"} 1"] {
        let line = format!("envoi_console_sign_ins_total{{result=\"{counted}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

/// A proxy at 127.0.0.9, which the operator trusts.
#[test]
fn a_trusted_proxy_says_who_asks_and_nobody_else_does() {
    let house = House::new(1);
    let trusting = "[console]\ntrusted_proxies = [\"127.0.0.9/32\"]\n";
    let text = std::fs::read_to_string(house.config()).unwrap().replace("[console]\n", trusting);
    std::fs::write(house.config(), text).unwrap();
    let server = house.serve();
    member(&house, &server, None, "op@example.com", Role::Administrator);
    let via = |last, told: &str| Browser::from(server.console, last).told(told);

    // the first address is the client's own invention
    let told = "X-Forwarded-For: 198.51.100.1, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n";
    let mut proxied = via(9, told);
    let shown = sign_in(&mut proxied, "op@example.com", PASSWORD);
    assert_eq!(shown.status, 303);
    let cookie = shown.head.lines().find(|line| line.starts_with("set-cookie: ")).unwrap();
    assert!(cookie.contains("__Host-envoi=") && cookie.contains("; Secure"), "{cookie}");
    assert!(shown.head.contains("strict-transport-security: "), "{}", shown.head);
    let profile = proxied.get("/profile").body;
    assert!(profile.contains("203.0.113.7") && !profile.contains("198.51.100.1"), "{profile}");

    let mut spoofing = via(8, told);
    let shown = sign_in(&mut spoofing, "op@example.com", PASSWORD);
    assert!(shown.head.contains("set-cookie: envoi=") && !shown.head.contains("Secure"), "{}", shown.head);
    assert!(!shown.head.contains("strict-transport-security"), "{}", shown.head);
    let audit = house.json(&["audit", "list", "--limit", "2"]);
    let places: Vec<_> = audit.as_array().unwrap().iter().map(|line| line["from"].as_str().unwrap()).collect();
    assert_eq!(places, ["127.0.0.8", "203.0.113.7"]);

    // whoever guesses behind the proxy is counted by their own address
    let guess = |host: u8| {
        let mut guessing = via(9, &format!("X-Forwarded-For: 192.0.2.{host}\r\n"));
        sign_in(&mut guessing, "nobody@example.com", "a guess").status
    };
    let guessed: Vec<_> = (0..13).map(|_| guess(1)).collect();
    assert!(guessed[..10].iter().all(|status| *status == 422) && guessed.contains(&429), "{guessed:?}");
    assert_eq!(guess(2), 422);
}

#[test]
fn a_wrong_password_is_answered_alike_whoever_it_is_for() {
    let (house, server) = world();
    // signed in on loopback itself, and at 127.0.0.5
    member(&house, &server, None, "op@example.com", Role::Administrator);
    sign_in(&mut Browser::from(server.console, 5), "op@example.com", PASSWORD);
    let statuses = |last, email| {
        let status = |_| sign_in(&mut Browser::from(server.console, last), email, "a guess").status;
        (0..12).map(status).collect::<Vec<_>>()
    };
    // ten at once, then one a minute
    let is_limited = |statuses: &[u16]| statuses[..10] == [422; 10] && statuses.contains(&429);
    let has_had_enough = |statuses: &[u16]| statuses.iter().filter(|status| **status == 429).count() >= 10;
    for (last, email) in
        [(5, "op@example.com"), (1, "op@example.com"), (1, "nobody@example.com"), (6, "nobody@example.com")]
    {
        let statuses = statuses(last, email);
        assert!(is_limited(&statuses), "{email} at {last}: {statuses:?}");
    }
    // nor is anybody told apart where they have had enough
    assert!(is_limited(&statuses(6, "op@example.com")));
    for email in ["op@example.com", "nobody@example.com"] {
        let statuses = statuses(6, email);
        assert!(has_had_enough(&statuses), "{email}: {statuses:?}");
    }
    // the failures of others keep no browser out that somebody has signed in with, and its own do
    let mut own = Browser::from(server.console, 7);
    assert_eq!(sign_in(&mut own, "op@example.com", PASSWORD).status, 303);
    assert!(is_limited(&statuses(7, "op@example.com")));
    assert_eq!(sign_in(&mut own, "op@example.com", PASSWORD).status, 303);
    let failures: Vec<_> = (0..12).map(|_| sign_in(&mut own, "op@example.com", "a guess").status).collect();
    assert!(is_limited(&failures), "{failures:?}");
}

#[test]
fn a_link_works_once_however_many_use_it_at_once() {
    let (house, server) = world();
    let made = add(&house, None, "op@example.com", Role::Administrator);
    let token = made["token"].as_str().unwrap();
    let choose = |number: usize| {
        let password = format!("four words nobody knows {number}");
        let mut browser = Browser::new(server.console);
        let status = browser.send("/choose-password", &[("token", token), ("password", &password)]).status;
        (status, browser.is_signed_in())
    };
    let all: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|number| scope.spawn(move || choose(number))).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(all.iter().filter(|asked| **asked == (303, true)).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|asked| **asked == (410, false)).count(), 3, "{all:?}");
}

#[test]
fn whoever_guesses_with_many_addresses_is_stopped_by_where_they_come_from() {
    let house = House::new(1);
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.replace("[limits]\n", "[limits]\nsign_in_failures_burst = 3\n")).unwrap();
    let server = house.serve();
    member(&house, &server, None, "op@example.com", Role::Administrator);
    let guess = |number: usize| {
        sign_in(&mut Browser::from(server.console, 2), &format!("nobody{number}@example.com"), "a guess").status
    };
    // thirty at once, then one in six seconds: each with an address of its own
    let statuses: Vec<_> = (0..60).map(guess).collect();
    assert!(statuses[..30] == [422; 30] && statuses.contains(&429), "{statuses:?}");
    // whoever signs in elsewhere is not concerned
    assert_eq!(sign_in(&mut Browser::from(server.console, 3), "op@example.com", PASSWORD).status, 303);
}

/// Who the operator's people are, as the command line lists them.
fn operators(house: &House) -> Vec<String> {
    let members = house.json(&["member", "list"]);
    members.as_array().unwrap().iter().map(|member| member["email"].as_str().unwrap().to_owned()).collect()
}

fn found(browser: &mut Browser, token: &str, email: &str) -> Shown {
    browser.send("/first-start", &[("token", token), ("email", email), ("name", "Op"), ("password", PASSWORD)])
}

#[test]
fn the_link_of_the_first_start_makes_one_operator_however_many_use_it_at_once() {
    let (house, server) = world();
    let token = server.first_token();
    for wrong in ["", "guess", &token.to_lowercase()] {
        assert_eq!(Browser::new(server.console).get(&format!("/first-start?token={wrong}")).status, 410);
        assert_eq!(found(&mut Browser::new(server.console), wrong, "thief@example.com").status, 410);
    }
    let mut weak = Browser::new(server.console);
    let fields = [("token", token.as_str()), ("email", "op@example.com"), ("name", "Op"), ("password", "short")];
    assert_eq!(weak.send("/first-start", &fields).status, 422, "and the link still works");
    assert_eq!(operators(&house), [""; 0]);
    let come = |number: usize| {
        let mut browser = Browser::new(server.console);
        let status = found(&mut browser, &token, &format!("op{number}@example.com")).status;
        (status, browser.is_signed_in())
    };
    let all: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|number| scope.spawn(move || come(number))).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(all.iter().filter(|asked| **asked == (303, true)).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|asked| **asked == (410, false)).count(), 3, "{all:?}");
    assert_eq!(operators(&house).len(), 1);
    // the page says that it leads nowhere any more, and nothing of who came by it
    let shown = Browser::new(server.console).get(&format!("/first-start?token={token}&language=fr"));
    assert!(shown.status == 410 && shown.body.contains("Ce lien ne fonctionne plus"), "{}", shown.body);
    assert!(!shown.body.contains("@example.com") && !shown.body.contains(&token), "{}", shown.body);
}

#[test]
fn the_link_of_the_first_start_is_void_once_an_operator_is_there_by_whatever_way() {
    let (house, server) = world();
    let token = server.first_token();
    let path = format!("/first-start?token={token}");
    let mut stranger = Browser::new(server.console);
    let made = add(&house, None, "op@example.com", Role::Administrator);
    // who is invited, and has not joined, is nobody yet
    let shown = stranger.get(&path);
    assert_eq!(shown.status, 200);
    assert!(shown.head.contains("referrer-policy: no-referrer") && shown.head.contains("cache-control: no-store"));
    assert_eq!(stranger.send_from_elsewhere("/first-start", &[("token", token.as_str())]).status, 403);
    let link = [("token", made["token"].as_str().unwrap()), ("password", PASSWORD)];
    assert_eq!(Browser::new(server.console).send("/choose-password", &link).status, 303);
    assert_eq!((stranger.get(&path).status, found(&mut stranger, &token, "thief@example.com").status), (410, 410));
    assert!(!stranger.is_signed_in());
    assert_eq!(operators(&house), ["op@example.com"]);
}

#[test]
fn each_start_without_an_operator_has_a_link_of_its_own() {
    let (house, server) = world();
    let before = server.first_token();
    assert_eq!(server.stop(), Some(0));
    let server = house.serve();
    let now = server.first_token();
    assert_ne!(before, now);
    assert_eq!(found(&mut Browser::new(server.console), &before, "thief@example.com").status, 410);
    assert_eq!(found(&mut Browser::new(server.console), &now, "op@example.com").status, 303);
    assert_eq!(operators(&house), ["op@example.com"]);
}

/// A form that is held back while its sender loses the right to send it.
#[test]
fn a_form_is_asked_who_sends_it_when_it_has_come() {
    let (house, server) = world();
    let mut owner = member(&house, &server, None, "op@example.com", Role::Administrator);
    let mut stolen = Browser::new(server.console);
    assert_eq!(sign_in(&mut stolen, "op@example.com", PASSWORD).status, 303);
    let held = stolen.hold("/operator/leave");
    assert_eq!(owner.post("/profile/password", &[("before", PASSWORD), ("after", OTHER)]).status, 303);
    let shown = held.go_on(&mut stolen);
    assert!(shown.location.starts_with("/sign-in"), "{} {}", shown.status, shown.location);
    assert!(!stolen.is_signed_in() && owner.is_signed_in());
}

#[test]
fn a_stranger_voids_no_invitation() {
    let (house, server) = world();
    let made = house.json(&["member", "add", "op@example.com", "--name", "Op"]);
    let link = format!("/choose-password?token={}", made["token"].as_str().unwrap());
    let mut stranger = Browser::from(server.console, 4);
    assert_eq!(stranger.send("/forgotten", &[("email", "op@example.com")]).status, 200);
    assert_eq!(stranger.get(&link).status, 200);
}

#[test]
fn a_member_asks_for_so_many_pages_a_minute() {
    let house = House::new(1);
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.replace("console_requests_per_minute = 0", "console_requests_per_minute = 30"))
        .unwrap();
    let server = house.serve();
    let mut busy = member(&house, &server, None, "op@example.com", Role::Administrator);
    let mut other = member(&house, &server, None, "other@example.com", Role::Administrator);
    let refused = (0..20).map(|_| busy.get("/operator/limits")).find(|shown| shown.status != 200).unwrap();
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("Too many pages"), "{}", refused.body);
    // from wherever they ask, and nobody else
    let mut elsewhere = Browser::from(server.console, 2);
    sign_in(&mut elsewhere, "op@example.com", PASSWORD);
    assert_eq!(elsewhere.get("/operator/limits").status, 429);
    assert_eq!(other.get("/operator/limits").status, 200);
}
