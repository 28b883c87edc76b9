//! The sources that mail is sent from, as the operator sees them: how each fares, and the order to try one now.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, SendingSourceView};
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown};
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const LIST: &str = "/operator/sources";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(LIST, For::Operator, list), take("/operator/sources/resume", For::Operator, resume)]
}

struct Row {
    source: SendingSourceView,
    badge: (&'static str, &'static str),
    state: String,
    until: String,
    addresses: String,
    pools: Vec<String>,
    connections: String,
    messages: String,
    blocked: String,
    is_set_aside: bool,
}

fn row(page: &Page, source: SendingSourceView) -> Row {
    let words = &page.words;
    let (badge, state) = match source.state.as_str() {
        "good" => (("pass", "check"), "source-good"),
        "tried" => (("pending", "pending"), "source-tried"),
        _ => (("suspended", "cross"), "source-set-aside"),
    };
    let pool = |pool: &relay::service::view::PoolMemberView| {
        words.filled("sources-pool", &[("pool", &pool.pool), ("weight", &words.number(pool.weight.into()))])
    };
    let more = source.blocked_count.saturating_sub(source.blocked_by.len() as u64);
    let mut blocked = source.blocked_by.join(", ");
    if more > 0 {
        blocked = words.count_with("sources-more", more, "sites", &blocked);
    }
    Row {
        badge,
        state: page.t(state),
        until: source.until.as_deref().map(|until| words.minute(until)).unwrap_or_default(),
        addresses: source.addresses.join(", "),
        pools: source.pools.iter().map(pool).collect(),
        connections: words.number(source.connections),
        messages: words.number(source.messages),
        blocked,
        is_set_aside: source.state != "good",
        source,
    }
}

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    page: Page,
    rows: Vec<Row>,
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let sources: Vec<SendingSourceView> = visit.ask(Operation::SourceList).await?;
    let page = visit.page();
    let rows = sources.into_iter().map(|source| row(&page, source)).collect();
    Ok(shown(&SourcesPage { rows, page }))
}

#[derive(Deserialize)]
pub(super) struct ResumeForm {
    source: String,
}

async fn resume(Signed { visit, form }: Signed<ResumeForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SourceResume { source: form.source }).await?;
    Ok(on_to(LIST))
}
