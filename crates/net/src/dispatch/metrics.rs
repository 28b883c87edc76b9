//! What delivery counts.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use relay::queue::Outcome;
use relay::schedule::Depth;

use crate::outbound::Protection;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProtectionLabel {
    protection: &'static str,
}

const OUTCOMES: [&str; 5] = ["delivered", "sandbox", "deferred", "soft_bounced", "hard_bounced"];

fn place_of(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Delivered { sandbox: false } => 0,
        Outcome::Delivered { sandbox: true } => 1,
        Outcome::Deferred { .. } => 2,
        Outcome::SoftBounced => 3,
        Outcome::HardBounced => 4,
    }
}

/// An outcome as metrics and the log name it.
pub(super) fn name_of(outcome: Outcome) -> &'static str {
    OUTCOMES[place_of(outcome)]
}

/// Handles of every metric, registered once; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    outcomes: [Counter; 5],
    protections: [Counter; Protection::NAMES.len()],
    pub(super) attempts_reached: Counter,
    pub(super) attempts_unreached: Counter,
    attempt_seconds: Histogram,
    delivery_seconds: Histogram,
    pub(super) seals: Counter,
    pub(super) seal_failures: Counter,
    pub(super) notifications: Counter,
    messages: Gauge,
    recipients: Gauge,
    due: Gauge,
    held: Gauge,
    conversations: Gauge,
    conversations_idle: Gauge,
    sites_suspended: Gauge,
    sources_set_aside: Gauge,
    sources_warming_up: Gauge,
    warm_ups_used_up: Gauge,
    pub(super) stopped: Gauge,
    next_due: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::register(&mut Registry::default())
    }
}

impl Metrics {
    /// Registers all of them under `envoi_delivery_…`.
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("envoi_delivery");
        let outcomes = Family::<OutcomeLabel, Counter>::default();
        let attempts = Family::<ResultLabel, Counter>::default();
        let protections = Family::<ProtectionLabel, Counter>::default();
        let attempt_seconds = Histogram::new(exponential_buckets(0.005, 2.5, 12));
        let delivery_seconds = Histogram::new(exponential_buckets(0.005, 3.0, 14));
        let metrics = Metrics {
            outcomes: OUTCOMES.map(|outcome| outcomes.get_or_create_owned(&OutcomeLabel { outcome })),
            protections: Protection::NAMES
                .map(|(_, protection)| protections.get_or_create_owned(&ProtectionLabel { protection })),
            attempts_reached: attempts.get_or_create_owned(&ResultLabel { result: "reached" }),
            attempts_unreached: attempts.get_or_create_owned(&ResultLabel { result: "unreached" }),
            attempt_seconds,
            delivery_seconds,
            seals: Counter::default(),
            seal_failures: Counter::default(),
            notifications: Counter::default(),
            messages: Gauge::default(),
            recipients: Gauge::default(),
            due: Gauge::default(),
            held: Gauge::default(),
            conversations: Gauge::default(),
            conversations_idle: Gauge::default(),
            sites_suspended: Gauge::default(),
            sources_set_aside: Gauge::default(),
            sources_warming_up: Gauge::default(),
            warm_ups_used_up: Gauge::default(),
            stopped: Gauge::default(),
            next_due: Gauge::default(),
        };
        registry.register("recipients_settled", "Recipients by what an attempt made of them", outcomes);
        registry.register("attempts", "Attempts by whether the next hop was reached", attempts);
        registry.register(
            "attempts_protected",
            "Attempts that came so far that mail could begin, by how the connection was protected",
            protections,
        );
        metrics.register_rest(registry);
        metrics
    }

    fn register_rest(&self, registry: &mut Registry) {
        registry.register_with_unit("attempt", "How long an attempt took", Unit::Seconds, self.attempt_seconds.clone());
        registry.register_with_unit(
            "latency",
            "From acceptance to delivery of a recipient",
            Unit::Seconds,
            self.delivery_seconds.clone(),
        );
        registry.register("seals", "Messages signed with DKIM", self.seals.clone());
        registry.register("seal_failures", "Messages that could not be signed", self.seal_failures.clone());
        registry.register("notifications", "Outcomes told to a sender by a DSN", self.notifications.clone());
        registry.register("queue_messages", "Live messages", self.messages.clone());
        registry.register("queue_recipients", "Recipients that are not settled", self.recipients.clone());
        registry.register("queue_due", "Recipients that are due and wait for a conversation", self.due.clone());
        registry.register("queue_held", "Recipients that are held", self.held.clone());
        registry.register(
            "conversations",
            "Conversations with next hops, idle ones included",
            self.conversations.clone(),
        );
        registry.register("conversations_idle", "Conversations kept for further mail", self.conversations_idle.clone());
        registry.register(
            "sites_suspended",
            "Sites that say they block the relay, and have not taken mail since",
            self.sites_suspended.clone(),
        );
        registry.register(
            "sources_set_aside",
            "Sources that nothing gets through from, and that have reached no server since",
            self.sources_set_aside.clone(),
        );
        registry.register(
            "sources_warming_up",
            "Sources that get more mail from day to day until they are warm",
            self.sources_warming_up.clone(),
        );
        registry.register(
            "warm_ups_used_up",
            "Pairs of such a source and a provider that today's allowance of mail is used up for",
            self.warm_ups_used_up.clone(),
        );
        registry.register(
            "stopped",
            "1 after a failed write: nothing is delivered until a restart",
            self.stopped.clone(),
        );
        registry.register_with_unit(
            "next_due_timestamp",
            "When the next retry is due, since 1970; 0 where none is",
            Unit::Seconds,
            self.next_due.clone(),
        );
    }

    pub(super) fn settled(&self, outcome: Outcome) {
        self.outcomes[place_of(outcome)].inc();
    }

    pub(super) fn delivered_after(&self, age: Duration) {
        self.delivery_seconds.observe(age.as_secs_f64());
    }

    pub(super) fn attempted(&self, milliseconds: u64) {
        self.attempt_seconds.observe(Duration::from_millis(milliseconds).as_secs_f64());
    }

    pub(super) fn protected(&self, protection: Option<Protection>) {
        let place = |found| Protection::NAMES.iter().position(|(named, _)| *named == found);
        if let Some(counter) = protection.and_then(place).and_then(|place| self.protections.get(place)) {
            counter.inc();
        }
    }

    pub(super) fn depth(&self, depth: &Depth, next_due: Option<u64>) {
        let set = |gauge: &Gauge, value: usize| {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.messages, depth.messages);
        set(&self.recipients, depth.recipients);
        set(&self.due, depth.due);
        set(&self.held, depth.held);
        set(&self.conversations, depth.conversations);
        set(&self.conversations_idle, depth.idle);
        set(&self.sites_suspended, depth.suspended);
        set(&self.sources_set_aside, depth.set_aside);
        set(&self.sources_warming_up, depth.warming);
        set(&self.warm_ups_used_up, depth.used_up);
        self.next_due.set(next_due.map_or(0.0, |due| Duration::from_millis(due).as_secs_f64()));
    }
}
