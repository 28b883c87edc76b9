//! The sites that mail goes to, as the operator sees them: what is in force at each and why, and the order to try one now.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{BlockedSourceView, DoneView, SiteView};
use serde::Deserialize;

use super::form::Signed;
use super::listing::last_of_more;
use super::page::{Failure, Page, shown};
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const ROWS: u32 = 50;
const LIST: &str = "/operator/sites";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(LIST, For::Operator, list), take("/operator/sites/resume", For::Operator, resume)]
}

struct Row {
    site: SiteView,
    badge: (&'static str, &'static str),
    state: String,
    domains: String,
    waiting: String,
    connections: String,
    pace: String,
    /// What one connection may carry.
    connection: String,
    until: String,
    /// What led to it, in the reader's language.
    why: String,
    at: String,
    /// The sources that it blocks.
    blocked: String,
    is_troubled: bool,
}

fn row(page: &Page, site: SiteView) -> Row {
    let words = &page.words;
    let badge = match site.state.as_str() {
        "open" => ("pass", "check"),
        "suspended" => ("suspended", "cross"),
        "slowed" | "probing" => ("pending", "pending"),
        _ => ("warning", "alert"),
    };
    let more = site.domain_count.saturating_sub(site.domains.len() as u64);
    let mut domains = site.domains.join(", ");
    if more > 0 {
        domains = words.count_with("sites-more", more, "domains", &domains);
    }
    let first = site.domains.first().cloned().unwrap_or_default();
    let moment = |at: &Option<String>| at.as_deref().map(|at| words.minute(at)).unwrap_or_default();
    let blocked = |blocked: &BlockedSourceView| {
        words.filled("sites-blocked-until", &[("source", &blocked.source), ("moment", &words.minute(&blocked.until))])
    };
    Row {
        badge,
        state: page.t(&format!("site-{}", site.state)),
        domains,
        waiting: words.number(site.waiting),
        connections: format!("{} / {}", words.number(site.connections), words.number(site.connections_allowed)),
        pace: site.messages_per_minute.map(|pace| words.number(pace.into())).unwrap_or_default(),
        connection: words.filled(
            "sites-connection",
            &[
                ("messages", &words.number(site.messages_per_connection)),
                ("recipients", &words.number(site.recipients_per_transaction)),
                ("seconds", &words.number(site.idle_seconds)),
            ],
        ),
        until: moment(&site.until),
        why: site.class.map(|class| class.words(words.language, &first)).unwrap_or_default(),
        at: moment(&site.said_at),
        blocked: site.blocked_sources.iter().map(blocked).collect::<Vec<_>>().join(", "),
        is_troubled: site.state != "open" || !site.blocked_sources.is_empty(),
        site,
    }
}

#[derive(Template)]
#[template(path = "sites.html")]
struct SitesPage {
    page: Page,
    troubled: bool,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

/// The list behind a site.
fn path(troubled: bool, after: Option<&str>) -> String {
    let shown = if troubled { "troubled" } else { "all" };
    let pairs: Vec<(&str, &str)> =
        std::iter::once(("show", shown)).chain(after.map(|after| ("after", after))).collect();
    format!("{LIST}?{}", serde_html_form::to_string(pairs).unwrap_or_default())
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let troubled = visit.asked("show").as_deref() == Some("troubled");
    let after = visit.asked("after").filter(|text| !text.is_empty());
    let asked = Operation::SiteList { after: after.clone(), limit: ROWS + 1, troubled };
    let mut sites: Vec<SiteView> = visit.ask(asked).await?;
    let page = visit.page();
    let older = last_of_more(&mut sites, ROWS).map(|site| path(troubled, Some(&site.site)));
    let newer = after.map(|_| path(troubled, None));
    let rows = sites.into_iter().map(|site| row(&page, site)).collect();
    Ok(shown(&SitesPage { troubled, rows, newer, older, page }))
}

#[derive(Deserialize)]
pub(super) struct ResumeForm {
    site: String,
}

async fn resume(Signed { visit, form }: Signed<ResumeForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SiteResume { site: form.site }).await?;
    Ok(on_to("/operator/sites?show=troubled"))
}
