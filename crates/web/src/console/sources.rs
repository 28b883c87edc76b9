//! The sources that mail is sent from, as the operator sees them: how each fares and warms up, and the orders about that.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{
    BlockingSiteView, DoneView, PoolMemberView, SendingSourceView, WarmUpProviderView, WarmUpView,
};
use relay::warm_up::OTHERS;
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown};
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const LIST: &str = "/operator/sources";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show(LIST, For::Operator, list),
        take("/operator/sources/resume", For::Operator, resume),
        take("/operator/sources/warm-up/stop", For::Operator, stop_warm_up),
        take("/operator/sources/warm-up/start", For::Operator, start_warm_up),
    ]
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
    warm_up: Vec<String>,
    is_warming: bool,
}

/// A warm-up, line by line.
fn warm_up(page: &Page, view: &WarmUpView) -> Vec<String> {
    if view.state == "stopped" {
        return vec![page.t("sources-warm-up-stopped")];
    }
    if view.providers.is_empty() {
        return vec![page.t("sources-warm-up-none")];
    }
    view.providers.iter().flat_map(|provider| climb(page, provider)).collect()
}

/// How far it has come with one provider, and where that blocked it.
fn climb(page: &Page, view: &WarmUpProviderView) -> Vec<String> {
    let words = &page.words;
    let number = |number: u32| words.number(number.into());
    let provider = if view.provider == OTHERS { page.t("sources-warm-up-others") } else { view.provider.clone() };
    let message = match view.state.as_str() {
        "warm" => "sources-warm-up-warm",
        "used_up" => "sources-warm-up-full",
        _ => "sources-warm-up-climbing",
    };
    let (today, allowed) = (number(view.messages_today), number(view.messages_allowed.unwrap_or_default()));
    let (rung, rungs) = (number(view.rung), number(view.rungs));
    let values =
        [("provider", &provider), ("today", &today), ("allowed", &allowed), ("rung", &rung), ("rungs", &rungs)];
    let mut lines = vec![words.filled(message, &values.map(|(name, value)| (name, value.as_str())))];
    if view.blocked {
        lines.push(words.filled("sources-warm-up-blocked", &[("provider", &provider)]));
    }
    lines
}

/// A pool that a source is of, with its weight there, and below it whose mail goes from the pool.
fn pool_lines(page: &Page, pool: &PoolMemberView) -> Vec<String> {
    let words = &page.words;
    let weight = words.number(pool.weight.into());
    let numbered = |message: &'static str, numbers: &[u64]| {
        numbers.iter().map(|number| words.with(message, "number", number.to_string())).collect::<Vec<_>>()
    };
    let mut whose = pool.domains.clone();
    whose.extend(numbered("sources-pool-account", &pool.accounts));
    whose.extend(numbered("sources-pool-plan", &pool.plans));
    if pool.first {
        whose.push(words.t("sources-pool-first"));
    }
    let whose = Some(whose.join(", ")).filter(|whose| !whose.is_empty());
    let whose = whose.map(|whose| words.with("sources-pool-whose", "whose", whose));
    let named = words.filled("sources-pool", &[("pool", &pool.pool), ("weight", &weight)]);
    std::iter::once(named).chain(whose).collect()
}

fn row(page: &Page, source: SendingSourceView) -> Row {
    let words = &page.words;
    let (badge, state) = match source.state.as_str() {
        "good" => (("pass", "check"), "source-good"),
        "tried" => (("pending", "pending"), "source-tried"),
        _ => (("suspended", "cross"), "source-set-aside"),
    };
    let more = source.blocked_count.saturating_sub(source.blocked_by.len() as u64);
    let site = |site: &BlockingSiteView| {
        words.filled("sources-blocked-until", &[("site", &site.site), ("moment", &words.minute(&site.until))])
    };
    let mut blocked = source.blocked_by.iter().map(site).collect::<Vec<_>>().join(", ");
    if more > 0 {
        blocked = words.count_with("sources-more", more, "sites", &blocked);
    }
    Row {
        badge,
        state: page.t(state),
        until: source.until.as_deref().map(|until| words.minute(until)).unwrap_or_default(),
        addresses: source.addresses.join(", "),
        pools: source.pools.iter().flat_map(|pool| pool_lines(page, pool)).collect(),
        connections: words.number(source.connections),
        messages: words.number(source.messages),
        blocked,
        is_set_aside: source.state != "good",
        warm_up: source.warm_up.as_ref().map(|view| warm_up(page, view)).unwrap_or_default(),
        is_warming: source.warm_up.as_ref().is_some_and(|view| view.state != "stopped"),
        source,
    }
}

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    page: Page,
    /// Whether any of them has a warm-up.
    has_warm_up: bool,
    rows: Vec<Row>,
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let sources: Vec<SendingSourceView> = visit.ask(Operation::SourceList).await?;
    let page = visit.page();
    let has_warm_up = sources.iter().any(|source| source.warm_up.is_some());
    let rows = sources.into_iter().map(|source| row(&page, source)).collect();
    Ok(shown(&SourcesPage { rows, has_warm_up, page }))
}

#[derive(Deserialize)]
pub(super) struct SourceForm {
    source: String,
}

async fn resume(Signed { visit, form }: Signed<SourceForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SourceResume { source: form.source }).await?;
    Ok(on_to(LIST))
}

async fn stop_warm_up(Signed { visit, form }: Signed<SourceForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SourceWarmUpStop { source: form.source }).await?;
    Ok(on_to(LIST))
}

async fn start_warm_up(Signed { visit, form }: Signed<SourceForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SourceWarmUpStart { source: form.source }).await?;
    Ok(on_to(LIST))
}
