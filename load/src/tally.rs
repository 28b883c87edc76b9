//! What was accepted and what arrived, message by message; the source writes one half, the sink the other.

use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// The account of one run. Messages are numbered from 0, recipients of each from 0.
pub(crate) struct Tally {
    begun: Instant,
    recipients: usize,
    words: usize,
    /// Microseconds from the beginning, 0: not.
    accepted_at: Vec<AtomicU64>,
    delivered_at: Vec<AtomicU64>,
    /// One bit for each recipient that was delivered.
    seen: Vec<AtomicU64>,
    /// Recipients of accepted messages.
    pub(crate) accepted: AtomicU64,
    /// Recipients that arrived, each once.
    pub(crate) delivered: AtomicU64,
    /// Recipients that arrived again.
    pub(crate) duplicates: AtomicU64,
    /// Messages that did not arrive as they were sent.
    pub(crate) changed: AtomicU64,
    /// Messages that nobody sent.
    pub(crate) strangers: AtomicU64,
    /// Messages with a null reverse-path: failures told by the relay.
    pub(crate) notifications: AtomicU64,
    /// Replies 451 by the sink.
    pub(crate) deferred: AtomicU64,
    /// Recipients that the sink answered 550.
    pub(crate) bounced: AtomicU64,
    /// Sessions that are logged in and idle.
    pub(crate) idle: AtomicU64,
    /// Set: idle sessions leave.
    pub(crate) released: std::sync::atomic::AtomicBool,
}

fn zeros(count: usize) -> Vec<AtomicU64> {
    std::iter::repeat_with(AtomicU64::default).take(count).collect()
}

impl Tally {
    pub(crate) fn new(messages: usize, recipients: usize) -> Tally {
        let words = recipients.div_ceil(64);
        Tally {
            begun: Instant::now(),
            recipients,
            words,
            accepted_at: zeros(messages),
            delivered_at: zeros(messages),
            seen: zeros(messages * words),
            accepted: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            strangers: AtomicU64::new(0),
            notifications: AtomicU64::new(0),
            deferred: AtomicU64::new(0),
            bounced: AtomicU64::new(0),
            idle: AtomicU64::new(0),
            released: std::sync::atomic::AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }

    /// The server said 250 to this message.
    pub(crate) fn accept(&self, message: usize) {
        self.accepted_at[message].store(self.now(), Relaxed);
        self.accepted.fetch_add(self.recipients as u64, Relaxed);
    }

    /// The sink took this message for these recipients.
    pub(crate) fn deliver(&self, message: usize, recipients: &[usize]) {
        self.delivered_at[message].store(self.now(), Relaxed);
        for recipient in recipients {
            let word = &self.seen[message * self.words + recipient / 64];
            let bit = 1u64 << (recipient % 64);
            let count = if word.fetch_or(bit, Relaxed) & bit == 0 { &self.delivered } else { &self.duplicates };
            count.fetch_add(1, Relaxed);
        }
    }

    /// Whether a message and a recipient with these numbers can have been sent.
    pub(crate) fn knows(&self, message: usize, recipients: &[usize]) -> bool {
        message < self.accepted_at.len() && recipients.iter().all(|recipient| *recipient < self.recipients)
    }

    /// Recipients that were accepted and have neither arrived nor been refused for good by the sink.
    pub(crate) fn outstanding(&self) -> u64 {
        let gone = self.delivered.load(Relaxed) + self.bounced.load(Relaxed);
        self.accepted.load(Relaxed).saturating_sub(gone)
    }

    /// Microseconds from acceptance to the last arrival of each message that did arrive.
    pub(crate) fn delivery_latencies(&self) -> Vec<u64> {
        let pairs = self.accepted_at.iter().zip(&self.delivered_at);
        pairs
            .map(|(accepted, delivered)| (accepted.load(Relaxed), delivered.load(Relaxed)))
            .filter(|(accepted, delivered)| *accepted > 0 && *delivered > 0)
            .map(|(accepted, delivered)| delivered.saturating_sub(accepted))
            .collect()
    }
}

/// A distribution of times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Latency {
    /// Of these microseconds; nothing where there are none.
    pub(crate) fn of(mut microseconds: Vec<u64>) -> Option<Latency> {
        microseconds.sort_unstable();
        let last = microseconds.len().checked_sub(1)?;
        let at = |share: f64| microseconds[(last as f64 * share).round() as usize] as f64 / 1000.0;
        Some(Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Latency, Tally};
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn what_is_missing_and_what_came_twice_is_seen() {
        let tally = Tally::new(2, 70);
        tally.accept(0);
        tally.accept(1);
        let all: Vec<_> = (0..70).collect();
        tally.deliver(0, &all);
        tally.deliver(1, &all[..69]);
        assert_eq!((tally.outstanding(), tally.duplicates.load(Relaxed)), (1, 0));
        tally.deliver(1, &[68]);
        assert_eq!((tally.outstanding(), tally.duplicates.load(Relaxed)), (1, 1));
        tally.deliver(1, &[69]);
        assert_eq!((tally.outstanding(), tally.duplicates.load(Relaxed)), (0, 1));
        assert!(tally.knows(1, &[69]) && !tally.knows(2, &[0]) && !tally.knows(1, &[70]));
        assert_eq!(tally.delivery_latencies().len(), 2);
    }

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let latency = Latency::of((0..=100).rev().map(|number| number * 1000).collect()).unwrap();
        assert_eq!((latency.p50, latency.p90, latency.p99, latency.max), (50.0, 90.0, 99.0, 100.0));
        assert!(Latency::of(Vec::new()).is_none());
    }
}
