//! Killed under load, again and again: what was acknowledged is delivered.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use support::load::Load;
use support::{Hop, House, eventually};

const KILLS: u64 = 8;
const CLIENTS: u64 = 4;
/// Acknowledgements to wait for before the next kill: load, not luck, says when.
const ACKNOWLEDGED_BETWEEN: usize = 12;

fn marks(hop: &Hop) -> BTreeSet<String> {
    let subject = |content: &[u8]| {
        let head = String::from_utf8_lossy(&content[..content.len().min(8192)]).into_owned();
        head.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)).unwrap()
    };
    hop.capture.messages().iter().map(|message| subject(&message.content)).collect()
}

#[test]
fn what_was_acknowledged_survives_kills() {
    let hop = Hop::start(100_000);
    let house = House::new(hop.port());
    let login = house.furnish();
    let server = house.serve();
    let load = Load::new(&house, &login, &server);
    let mut running = Some(server);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let load = &load;
            scope.spawn(move || load.send_marked(client, 5));
        }
        for _ in 0..KILLS {
            load.wait_for_more(ACKNOWLEDGED_BETWEEN);
            running.take().unwrap().kill();
            running = Some(load.serve_again());
        }
        load.end();
    });
    let acknowledged = load.acknowledged();
    eventually("the empty queue", || (load.house.json(&["queue", "list"]) == serde_json::json!([])).then_some(()));
    let delivered = marks(&hop);
    let lost: Vec<_> = acknowledged.difference(&delivered).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged messages are lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() >= (KILLS as usize) * ACKNOWLEDGED_BETWEEN);

    // activity follows the log a quarter of a second's worth at a time
    eventually("every acknowledged message shown as delivered", || {
        let rows = load.house.json(&["activity", "--status", "delivered", "--limit", "100000"]);
        let shown: BTreeSet<_> =
            rows.as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap().to_owned()).collect();
        acknowledged.is_subset(&shown).then_some(())
    });
    assert_eq!(running.unwrap().stop(), Some(0));
}
