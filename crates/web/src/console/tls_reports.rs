//! Reports on TLS to other domains (RFC 8460), for the operator: what was sent, and what is counted for the next.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{TlsReportView, TlsSessionsView};

use super::listing::last_of_more;
use super::page::{Failure, Page, shown};
use super::visit::Visit;
use super::{For, Route, show};

const HERE: &str = "/operator/tls-reports";
/// Rows of each list on a page.
const ROWS: u32 = 50;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(HERE, For::Operator, page)]
}

/// A report.
struct Sent {
    report: TlsReportView,
    slug: &'static str,
    icon: &'static str,
    state: String,
    day: String,
    at: String,
    sessions: String,
}

/// How many sessions there were, and how many of them failed.
fn sessions(page: &Page, successes: u64, failures: u64) -> String {
    let (successes, failures) = (page.words.number(successes), page.words.number(failures));
    page.words.filled("tls-report-sessions", &[("successes", &successes), ("failures", &failures)])
}

fn sent(page: &Page, report: TlsReportView) -> Sent {
    let (slug, icon, state) = match (report.to.is_empty(), &report.fault) {
        (false, None) => ("delivered", "delivered", "tls-report-sent"),
        (false, Some(_)) => ("warning", "alert", "tls-report-sent"),
        (true, _) => ("failed", "hard", "tls-report-given-up"),
    };
    Sent {
        slug,
        icon,
        state: page.t(state),
        day: page.words.day(&report.day),
        at: page.words.minute(&report.at),
        sessions: sessions(page, report.successes, report.failures),
        report,
    }
}

/// What is counted of a domain on a day.
struct Counted {
    domain: String,
    day: String,
    sessions: String,
    policies: String,
    /// What failed, and how often.
    results: Vec<String>,
    due: Option<String>,
}

fn counted(page: &Page, counted: TlsSessionsView) -> Counted {
    let words = &page.words;
    let named = |policy: &String| page.t(&format!("tls-policy-{policy}"));
    let policies: Vec<_> = counted.policies.iter().map(named).collect();
    let result = |(result, count): (&String, &u64)| {
        let (name, count) = (page.t(&format!("tls-result-{result}")), words.number(*count));
        words.filled("tls-report-result", &[("result", &name), ("count", &count)])
    };
    Counted {
        day: words.day(&counted.day),
        sessions: sessions(page, counted.successes, counted.failures),
        policies: policies.join(", "),
        results: counted.results.iter().map(result).collect(),
        due: counted.report_due_at.as_deref().map(|at| page.with("tls-report-due", "moment", &words.minute(at))),
        domain: counted.domain,
    }
}

#[derive(Template)]
#[template(path = "tls-reports.html")]
struct ReportsPage {
    page: Page,
    /// Whether the newest are on this page.
    is_first: bool,
    sent: Vec<Sent>,
    counted: Vec<Counted>,
    newer: Option<String>,
    older: Option<String>,
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    let after = visit.asked("after").filter(|text| !text.is_empty());
    let reports: Vec<TlsReportView> = visit.ask(Operation::TlsReportList { limit: ROWS }).await?;
    let asked = Operation::TlsSessionList { after: after.clone(), limit: ROWS + 1 };
    let mut found: Vec<TlsSessionsView> = visit.ask(asked).await?;
    let page = visit.page();
    let older = last_of_more(&mut found, ROWS).map(|last| {
        let place = [("after", format!("{}/{}", last.day, last.domain))];
        format!("{HERE}?{}", serde_html_form::to_string(place).unwrap_or_default())
    });
    Ok(shown(&ReportsPage {
        is_first: after.is_none(),
        newer: after.map(|_| HERE.to_owned()),
        older,
        sent: reports.into_iter().map(|report| sent(&page, report)).collect(),
        counted: found.into_iter().map(|one| counted(&page, one)).collect(),
        page,
    }))
}
