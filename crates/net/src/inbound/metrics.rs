//! What is counted of reports.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use relay::authentication::{Authentication, Verdict};
use relay::report::{Report, ReportKind};
use smtp::reply::Reply;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    method: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reference {
    reference: &'static str,
}

/// What reports are counted as.
const KINDS: [&str; 14] = [
    "soft_bounce",
    "hard_bounce",
    "complaint",
    "complaint_doubted",
    "remark",
    "unattributed",
    "automatic",
    "unknown",
    "nobody",
    "dmarc",
    "dmarc_apart",
    "dmarc_again",
    "dmarc_beyond",
    "dmarc_unusable",
];

/// How reports are checked.
const METHODS: [&str; 2] = ["spf", "dkim"];

/// Handles of every metric, registered once; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(super) connections: Counter,
    reports: Family<Kind, Counter>,
    checks: Family<Check, Counter>,
    refusals: Family<Reference, Counter>,
}

impl Metrics {
    /// Registers all of them under `envoi_reports_…`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Metrics::default();
        let registry = registry.sub_registry_with_prefix("envoi_reports");
        registry.register("connections", "Connections of servers that report on mail", metrics.connections.clone());
        registry.register("taken", "Reports taken, by what they were found to be", metrics.reports.clone());
        let help = "Reports whose SPF and DKIM were checked, by what came of it (RFC 8601)";
        registry.register("checked", help, metrics.checks.clone());
        registry.register("refusals", "Refusals, by the reference of the reply", metrics.refusals.clone());
        // what never happened is 0, not absent, so that the first time shows as a rise
        for kind in KINDS {
            drop(metrics.reports.get_or_create(&Kind { kind }));
        }
        for (method, verdict) in METHODS.into_iter().flat_map(|method| Verdict::ALL.map(|verdict| (method, verdict))) {
            drop(metrics.checks.get_or_create(&Check { method, result: verdict.name() }));
        }
        metrics
    }

    pub(super) fn refused(&self, reply: &Reply) {
        self.refusals.get_or_create(&Reference { reference: reply.reference.unwrap_or_default() }).inc();
    }

    pub(super) fn taken(&self, report: &Report) {
        self.count(match (report.kind, report.recipient) {
            (_, None) => "unattributed",
            (ReportKind::SoftBounce, _) => "soft_bounce",
            (ReportKind::HardBounce, _) => "hard_bounce",
            (ReportKind::Complaint, _) if report.is_doubted() => "complaint_doubted",
            (ReportKind::Complaint, _) => "complaint",
            (ReportKind::Remark, _) => "remark",
        });
    }

    pub(super) fn checked(&self, known: &Authentication) {
        for (method, of) in METHODS.into_iter().zip([&known.spf, &known.dkim]) {
            self.checks.get_or_create(&Check { method, result: of.verdict.name() }).inc();
        }
    }

    pub(super) fn count(&self, kind: &'static str) {
        self.reports.get_or_create(&Kind { kind }).inc();
    }
}
