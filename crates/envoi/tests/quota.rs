//! A quota with the real binary, killed under load: never exceeded, used to the last recipient, told to everybody.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use support::load::Load;
use support::{Hop, House, eventually, send};

/// More than is acknowledged before the last kill, with all that each kill can leave unheard.
const QUOTA: usize = 150;
const KILLS: usize = 4;
const CLIENTS: usize = 3;
/// Recipients acknowledged before the next kill: load, not luck, says when.
const ACKNOWLEDGED_BETWEEN: usize = 15;

type Sent = Result<String, lettre::transport::smtp::Error>;

fn try_send(load: &Load<'_>, recipients: &[String]) -> Sent {
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let content = b"From: <shop@example.com>\r\nSubject: Your order\r\n\r\nThank you.\r\n";
    send(&load.client(), "shop@example.com", &recipients, content)
}

/// Sends to one to three recipients that nobody else has. Past the quota this client gives up a message of which one
/// recipient is refused.
fn send_to_many(load: &Load<'_>, client: usize) {
    load.repeat(|number| {
        let recipients: Vec<_> = (0..=number % 3).map(|n| format!("r{client}-{number}-{n}@example.net")).collect();
        try_send(load, &recipients).map(|_| recipients)
    });
}

#[test]
fn a_quota_is_used_up_and_never_exceeded_through_kills() {
    let hop = Hop::start(1_000);
    let house = House::new(hop.port());
    let login = house.furnish();
    house.json(&["account", "quota", "1", "--recipients", &QUOTA.to_string()]);
    let server = house.serve();
    let load = Load::new(&house, &login, &server);
    let used = |load: &Load<'_>| load.house.json(&["account", "show", "1"])["used"].as_u64().unwrap() as usize;
    let mut running = Some(server);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let load = &load;
            scope.spawn(move || send_to_many(load, client));
        }
        for kill in 1..=KILLS {
            load.wait_for(kill * ACKNOWLEDGED_BETWEEN);
            running.take().unwrap().kill();
            running = Some(load.serve_again());
            assert!(used(&load) <= QUOTA);
        }
        eventually("the last recipient", || (used(&load) == QUOTA).then_some(()));
        load.end();
    });
    running.take().unwrap().kill();
    running = Some(load.serve_again());
    assert_eq!(used(&load), QUOTA);

    let past = try_send(&load, &["past@example.net".to_owned()]).unwrap_err();
    let said = format!("{past:?}");
    assert!(said.contains(&format!("4.7.1 The monthly quota of {QUOTA} recipients is reached")), "{said}");
    let renews_at = load.house.json(&["account", "show", "1"])["renews_at"].as_str().unwrap().to_owned();
    let rejected = eventually("the row of the refusal", || {
        let rows = load.house.json(&["activity", "--recipient", "past@example.net"]);
        rows.get(0).cloned()
    });
    assert_eq!((&rejected["status"], &rejected["reference"]), (&"rejected".into(), &"quota-reached".into()));
    assert!(rejected["reason"].as_str().unwrap().contains(&renews_at), "{rejected}");

    let rows = load.house.json(&["activity", "--limit", "100000"]);
    let taken: Vec<_> = rows.as_array().unwrap().iter().filter(|row| row["status"] != "rejected").collect();
    let taken: BTreeSet<_> = taken.iter().map(|row| row["recipient"].as_str().unwrap().to_owned()).collect();
    assert_eq!(taken.len(), QUOTA, "what counts is what was taken");
    let acknowledged = load.acknowledged();
    assert!(acknowledged.is_subset(&taken), "what was acknowledged is charged");
    assert_eq!(running.unwrap().stop(), Some(0));
}
