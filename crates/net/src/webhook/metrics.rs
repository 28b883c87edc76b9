//! What sending to webhooks counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use relay::webhook::Verdict;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// Handles of every metric, registered once; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    delivered: Counter,
    retried: Counter,
    failed: Counter,
    waiting: Gauge,
    conversations: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::register(&mut Registry::default())
    }
}

impl Metrics {
    /// Registers all of them under `envoi_webhook_…`.
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("envoi_webhook");
        let calls = Family::<ResultLabel, Counter>::default();
        let metrics = Metrics {
            delivered: calls.get_or_create_owned(&ResultLabel { result: "delivered" }),
            retried: calls.get_or_create_owned(&ResultLabel { result: "retried" }),
            failed: calls.get_or_create_owned(&ResultLabel { result: "failed" }),
            waiting: Gauge::default(),
            conversations: Gauge::default(),
        };
        registry.register("calls", "Calls to webhooks by what became of them: delivered, retried later, failed", calls);
        registry.register("waiting", "Calls to webhooks that wait", metrics.waiting.clone());
        registry.register("conversations", "Conversations with receivers of webhooks", metrics.conversations.clone());
        metrics
    }

    pub(super) fn tried(&self, verdict: Verdict) {
        match verdict {
            Verdict::Delivered => self.delivered.inc(),
            Verdict::Again(_) => self.retried.inc(),
            Verdict::Failed | Verdict::Gone => self.failed.inc(),
        };
    }

    pub(super) fn expired(&self, calls: u64) {
        self.failed.inc_by(calls);
    }

    pub(super) fn waiting(&self, calls: u64) {
        self.waiting.set(i64::try_from(calls).unwrap_or(i64::MAX));
    }

    pub(super) fn conversations(&self, count: usize) {
        self.conversations.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
