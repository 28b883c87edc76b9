//! What submission counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Port {
    port: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reference {
    reference: &'static str,
}

/// Handles of every metric, registered once; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    connections: Family<Port, Counter>,
    dropped: Family<Reason, Counter>,
    sessions: Gauge,
    tls_failures: Family<Reason, Counter>,
    logins: Counter,
    messages: Counter,
    recipients: Counter,
    octets: Counter,
    refusals: Family<Reference, Counter>,
    repeats: Counter,
    commit_seconds: Histogram,
}

impl Default for Metrics {
    /// Unregistered: they count for nobody.
    fn default() -> Self {
        Metrics {
            connections: Family::default(),
            dropped: Family::default(),
            sessions: Gauge::default(),
            tls_failures: Family::default(),
            logins: Counter::default(),
            messages: Counter::default(),
            recipients: Counter::default(),
            octets: Counter::default(),
            refusals: Family::default(),
            repeats: Counter::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
        }
    }
}

impl Metrics {
    /// Registers all of them under `envoi_submission_…`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Metrics::default();
        let registry = registry.sub_registry_with_prefix("envoi_submission");
        registry.register("connections", "Connections accepted, by kind of port", metrics.connections.clone());
        registry.register("dropped", "Connections dropped without a reply, by reason", metrics.dropped.clone());
        registry.register("sessions", "Connections open now", metrics.sessions.clone());
        registry.register("tls_failures", "TLS handshakes that failed, by reason", metrics.tls_failures.clone());
        registry.register("logins", "Logins that succeeded", metrics.logins.clone());
        registry.register("messages", "Messages accepted", metrics.messages.clone());
        registry.register("recipients", "Recipients accepted", metrics.recipients.clone());
        registry.register("content_octets", "Octets of content accepted", metrics.octets.clone());
        let about = "Messages that were accepted before, and answered with the first id";
        registry.register("repeats", about, metrics.repeats.clone());
        registry.register("refusals", "Refusals, by the reference of the reply", metrics.refusals.clone());
        registry.register_with_unit(
            "commit",
            "From the end of a message's content to its being on disk",
            Unit::Seconds,
            metrics.commit_seconds.clone(),
        );
        // what never happened is 0, not absent, so that the first time shows as a rise
        for entry in smtp::replies::CATALOGUE.iter().filter(|entry| entry.code >= 400) {
            drop(metrics.refusals.get_or_create(&Reference { reference: entry.reference }));
        }
        for port in ["starttls", "tls"] {
            drop(metrics.connections.get_or_create(&Port { port }));
        }
        for reason in ["proxy-header", "refused-too-fast"] {
            drop(metrics.dropped.get_or_create(&Reason { reason }));
        }
        for reason in ["distrusted", "failed", "gone", "old", "time-out"] {
            drop(metrics.tls_failures.get_or_create(&Reason { reason }));
        }
        metrics
    }

    pub(super) fn on_connection(&self, port: &'static str) {
        self.connections.get_or_create(&Port { port }).inc();
    }

    pub(super) fn on_drop(&self, reason: &'static str) {
        self.dropped.get_or_create(&Reason { reason }).inc();
    }

    /// Counts a session until what is returned is dropped.
    pub(super) fn session(&self) -> Open {
        self.sessions.inc();
        Open(self.sessions.clone())
    }

    pub(super) fn on_tls_failure(&self, reason: &'static str) {
        self.tls_failures.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn on_login(&self) {
        self.logins.inc();
    }

    pub(super) fn on_refusal(&self, reference: &'static str) {
        self.refusals.get_or_create(&Reference { reference }).inc();
    }

    pub(super) fn on_repeat(&self) {
        self.repeats.inc();
    }

    pub(super) fn on_message(&self, recipients: usize, octets: u64, committed_in: Duration) {
        self.messages.inc();
        self.recipients.inc_by(recipients as u64);
        self.octets.inc_by(octets);
        self.commit_seconds.observe(committed_in.as_secs_f64());
    }
}

/// One open session, as the gauge counts it.
#[derive(Debug)]
pub(super) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn everything_counted_is_shown() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.on_connection("tls");
        let open = metrics.session();
        metrics.on_refusal("auth-invalid");
        metrics.on_message(3, 1_000, Duration::from_millis(1));
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry).unwrap();
        for line in [
            "envoi_submission_connections_total{port=\"tls\"} 1",
            "envoi_submission_sessions 1",
            "envoi_submission_refusals_total{reference=\"auth-invalid\"} 1",
            "envoi_submission_refusals_total{reference=\"too-large\"} 0",
            "envoi_submission_messages_total 1",
            "envoi_submission_repeats_total 0",
            "envoi_submission_recipients_total 3",
            "envoi_submission_content_octets_total 1000",
            "envoi_submission_commit_seconds_count 1",
        ] {
            assert!(page.lines().any(|shown| shown == line), "{line} is not in\n{page}");
        }
        drop(open);
        assert_eq!(metrics.sessions.get(), 0);
    }
}
