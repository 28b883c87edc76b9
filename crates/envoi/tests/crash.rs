//! Killed under load, again and again: what was acknowledged is delivered.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use support::{Hop, House, Login, Port, eventually, send};

const KILLS: u64 = 8;
const CLIENTS: u64 = 4;
/// Acknowledgements to wait for before the next kill: load, not luck, says when.
const ACKNOWLEDGED_BETWEEN: usize = 12;

/// What the clients share.
struct Load {
    house: House,
    login: Login,
    port: AtomicU64,
    over: AtomicBool,
    acknowledged: Mutex<BTreeSet<String>>,
}

impl Load {
    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Sends one message after the other until it is over, each with a mark of its own.
    fn send(&self, client: u64) {
        let mut number = 0u64;
        while !self.over.load(Ordering::SeqCst) {
            number += 1;
            let port = Port::Tls(u16::try_from(self.port.load(Ordering::SeqCst)).unwrap());
            let mark = format!("mark-{client}-{number}-end");
            let size = if number.is_multiple_of(5) { 1_500_000 } else { 2_000 };
            let body = "0123456789abcdef0123456789abcdef0123456789abcdef\r\n".repeat(size / 50);
            let content = format!("From: <shop@example.com>\r\nSubject: {mark}\r\n\r\n{body}");
            match send(
                &self.house.client(port, &self.login),
                "shop@example.com",
                &["b@example.net"],
                content.as_bytes(),
            ) {
                Ok(_) => {
                    self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).insert(mark);
                }
                // the server was killed: what was not acknowledged may be lost
                Err(_) => std::thread::park_timeout(Duration::from_millis(20)),
            }
        }
    }
}

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
    let load = Load {
        house,
        login,
        port: AtomicU64::new(u64::from(server.tls)),
        over: AtomicBool::new(false),
        acknowledged: Mutex::default(),
    };
    let mut running = Some(server);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let load = &load;
            scope.spawn(move || load.send(client));
        }
        for _ in 0..KILLS {
            let wanted = load.acknowledged() + ACKNOWLEDGED_BETWEEN;
            eventually("load", || (load.acknowledged() >= wanted).then_some(()));
            running.take().unwrap().kill();
            let server = load.house.serve();
            load.port.store(u64::from(server.tls), Ordering::SeqCst);
            running = Some(server);
        }
        load.over.store(true, Ordering::SeqCst);
    });
    let acknowledged = load.acknowledged.into_inner().unwrap();
    eventually("the empty queue", || (load.house.json(&["queue", "list"]) == serde_json::json!([])).then_some(()));
    let delivered = marks(&hop);
    let lost: Vec<_> = acknowledged.difference(&delivered).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged messages are lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() >= (KILLS as usize) * ACKNOWLEDGED_BETWEEN);

    let rows = load.house.json(&["activity", "--status", "delivered", "--limit", "100000"]);
    let shown: BTreeSet<_> =
        rows.as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap().to_owned()).collect();
    assert!(acknowledged.is_subset(&shown), "every acknowledged message is shown as delivered");
    assert_eq!(running.unwrap().stop(), Some(0));
}
