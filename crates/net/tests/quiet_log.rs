//! A client that is refused over and over fills no log. Alone in its process: who listens to the log is known to all of it.
#![allow(clippy::unwrap_used)]

#[path = "submission/harness.rs"]
#[allow(dead_code)]
mod harness;

use harness::Relay;
use relay::limits::Limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Counts the lines of the log that say that a client was refused something.
#[derive(Clone, Default)]
struct Refusals(Arc<AtomicUsize>);

impl Subscriber for Refusals {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let is_refusal = event.metadata().fields().field("reference").is_some();
        self.0.fetch_add(usize::from(is_refusal), Ordering::Relaxed);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_client_that_is_refused_over_and_over_fills_no_log() {
    let refusals = Refusals::default();
    let _told = tracing::subscriber::set_default(refusals.clone());
    let relay = Relay::with(Limits { recipients_max: 1, ..Limits::default() });
    let running = relay.start().await;
    let mut client = running.logged_in().await;
    client.expect("MAIL FROM:<shop@example.com>", "250").await;
    client.expect("RCPT TO:<mario@example.org>", "250").await;
    for _ in 0..500 {
        client.expect("RCPT TO:<luigi@example.org>", "452 4.5.3").await;
    }
    assert_eq!(refusals.0.load(Ordering::Relaxed), 1, "one line for one row");
}
