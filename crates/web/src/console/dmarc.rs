//! What receivers reported of mail with a domain's name: by day, by the address that it came from, by who reports.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{DmarcReportedView, DmarcTallyView};

use super::page::{Failure, Page, shown};
use super::visit::Visit;
use super::words::Words;
use super::{For, Route, show};

/// The periods to choose from, days; the first where none is chosen.
const PERIODS: [u64; 2] = [30, 7];

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show("/domains/{domain}/dmarc", For::Account(Need::Power(Power::Domains)), page)]
}

/// What was seen of some mail, in the cells of a table.
struct Cells {
    name: String,
    more: String,
    messages: String,
    passed: String,
    dkim: String,
    spf: String,
    /// Put aside, and refused.
    kept_off: [String; 2],
}

impl Cells {
    fn new(words: &Words, name: String, more: String, tally: &DmarcTallyView) -> Cells {
        let part = |count: u64| words.percent((tally.messages > 0).then(|| count as f64 / tally.messages as f64));
        Cells {
            name,
            more,
            messages: words.number(tally.messages),
            passed: words.percent(tally.pass_rate),
            dkim: part(tally.dkim),
            spf: part(tally.spf),
            kept_off: [tally.quarantined, tally.rejected].map(|count| words.number(count)),
        }
    }
}

/// One that reports.
struct Reporter {
    name: String,
    /// Who vouches for it.
    more: String,
    reports: String,
    messages: String,
}

#[derive(Template)]
#[template(path = "dmarc.html")]
struct DmarcPage {
    page: Page,
    domain: String,
    /// Where reports are to be sent, as a DMARC record says it; none: the relay takes none.
    address: Option<String>,
    days: u64,
    /// What is wrong where mail is that fails, and what to do: the kind of the note, its icon, its words.
    advice: Option<(&'static str, &'static str, String)>,
    total: Cells,
    by_day: Vec<Cells>,
    sources: Vec<Cells>,
    reporters: Vec<Reporter>,
}

/// What the sums call for.
fn advice(words: &Words, found: &DmarcReportedView) -> Option<(&'static str, &'static str, String)> {
    let failed = |tally: &DmarcTallyView| tally.messages.saturating_sub(tally.passed);
    let own = found.sources.iter().filter(|source| source.own == Some(true));
    let own: u64 = own.map(|source| failed(&source.tally)).sum();
    let is_known = found.sources.iter().any(|source| source.own.is_some());
    match (found.total.messages, failed(&found.total)) {
        (0, _) => None,
        (_, 0) => Some(("ok", "check", words.t("dmarc-advice-none"))),
        _ if own > 0 => Some(("bad", "alert", words.count("dmarc-advice-own", own))),
        (_, others) if is_known => Some(("warn", "alert", words.count("dmarc-advice-others", others))),
        (_, some) => Some(("warn", "alert", words.count("dmarc-advice-some", some))),
    }
}

async fn page(visit: Visit, Path(domain): Path<String>) -> Result<Response, Failure> {
    let asked = visit.number_asked("days")?;
    let days = PERIODS.into_iter().find(|days| asked == Some(*days)).unwrap_or(PERIODS[0]);
    let days = days.min(visit.console.settings.limits.dmarc_days);
    let found: DmarcReportedView = visit.ask(Operation::DomainDmarc { domain, days: Some(days) }).await?;
    let words = visit.words();
    let by_day = found.days.iter().rev();
    let source = |one: &relay::service::view::DmarcSourceView| {
        let name = one.source.clone().unwrap_or_else(|| words.t("dmarc-source-others"));
        let more = if one.own == Some(true) { words.t("dmarc-source-own") } else { String::new() };
        Cells::new(words, name, more, &one.tally)
    };
    let reporter = |one: &relay::service::view::DmarcReporterView| Reporter {
        name: one.name.clone(),
        more: match (&one.vouched_by, one.counted) {
            (Some(domain), _) => words.with("dmarc-vouched", "domain", domain.as_str()),
            (None, true) => words.t("dmarc-unchecked"),
            (None, false) => words.t("dmarc-unvouched"),
        },
        reports: words.number(one.reports),
        messages: words.number(one.messages),
    };
    Ok(shown(&DmarcPage {
        days,
        advice: advice(words, &found),
        total: Cells::new(words, words.t("dmarc-in-all"), String::new(), &found.total),
        by_day: by_day.map(|day| Cells::new(words, words.weekday(&day.day), String::new(), &day.tally)).collect(),
        sources: found.sources.iter().map(source).collect(),
        reporters: found.reporters.iter().map(reporter).collect(),
        address: found.address.map(|address| format!("mailto:{address}")),
        domain: found.domain,
        page: visit.page(),
    }))
}
