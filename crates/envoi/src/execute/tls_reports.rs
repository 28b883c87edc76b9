//! What is counted of TLS for reports to other domains, and what was sent, as the running relay has it.

use net::tls_reports::{CountedDomain, SentReport};
use relay::clock::Day;
use relay::moment;
use relay::service::Fault;
use relay::service::view::{TlsReportView, TlsSessionsView};
use relay::store::Store;
use std::collections::BTreeMap;

use super::Executor;

impl<S: Store> Executor<S> {
    /// Whoever counts knows: without a running relay, or without a contact for reports, there is nothing.
    pub(super) fn tls_sessions(&self, after: Option<&str>, limit: usize) -> Result<Vec<TlsSessionsView>, Fault> {
        let after = after.map(place_of).transpose()?;
        let Some(reports) = self.running.as_ref().and_then(|running| running.tls_reports.as_ref()) else {
            return Ok(Vec::new());
        };
        Ok(reports.counted(after, limit).into_iter().map(sessions).collect())
    }

    pub(super) fn tls_reports_sent(&self, limit: usize) -> Vec<TlsReportView> {
        let reports = self.running.as_ref().and_then(|running| running.tls_reports.as_ref());
        reports.map(|reports| reports.sent(limit)).unwrap_or_default().into_iter().map(sent).collect()
    }
}

/// The place behind which a list goes on: `2026-11-30/example.com`.
fn place_of(given: &str) -> Result<(Day, &str), Fault> {
    let wrong = || Fault::invalid(format!("`{given}` is no place in the list."), "Give what the page before gave.");
    let (day, domain) = given.split_once('/').ok_or_else(wrong)?;
    let at = Some(day).filter(|day| day.len() == 10).and_then(|day| moment::parse(day).ok()).ok_or_else(wrong)?;
    Ok((at.day(), domain))
}

fn sessions(CountedDomain { day, domain, counted, due }: CountedDomain) -> TlsSessionsView {
    let (successes, failures) = counted.sessions();
    let mut results: BTreeMap<String, u64> = BTreeMap::new();
    for row in counted.policies.iter().flat_map(|policy| &policy.details) {
        let count = results.entry(row.result.name().to_owned()).or_default();
        *count = count.saturating_add(row.sessions);
    }
    let mut policies: Vec<String> =
        counted.policies.iter().map(|policy| policy.applied.policy_type.name().to_owned()).collect();
    policies.dedup();
    let report_due_at = due.map(moment::text);
    TlsSessionsView { day: day.to_string(), domain, successes, failures, policies, results, report_due_at }
}

fn sent(report: SentReport) -> TlsReportView {
    let SentReport { domain, day, at, to, successes, failures, fault } = report;
    TlsReportView { domain, day: day.to_string(), at: moment::text(at), to, successes, failures, fault }
}
