//! The operator's overview, blocks and limits.

use askama::Template;
use axum::response::Response;
use relay::limits::Limit;
use relay::service::operation::{Health, Operation};
use relay::service::view::{BlockView, DoneView};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::accounts::{self, state_icon};
use super::form::Signed;
use super::page::{Failure, Page, shown};
use super::reasons;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

/// With fewer connections than this, one address with most of them says nothing.
const CROWD_MIN: u64 = 20;
/// Octets of the log that activity may be behind without a word.
const LAG_OCTETS_MAX: u64 = 64 << 20;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/operator", For::Operator, overview),
        show("/operator/blocks", For::Operator, blocks),
        take("/operator/blocks/lift", For::Operator, lift),
        show("/operator/limits", For::Operator, limits),
    ]
}

/// One thing that is so, or not as it should be.
struct Fact {
    dot: &'static str,
    icon: &'static str,
    what: String,
    /// In the relay's own words.
    found: String,
    /// Where more of it is.
    path: &'static str,
    then: String,
}

/// A number worth a glance.
struct Tile {
    name: String,
    number: String,
    more: String,
}

struct StateCount {
    slug: &'static str,
    icon: &'static str,
    name: String,
    count: String,
}

#[derive(Template)]
#[template(path = "operator.html")]
struct OverviewPage {
    page: Page,
    lede: String,
    facts: Vec<Fact>,
    tiles: Vec<Tile>,
    states: Vec<StateCount>,
    ports: Vec<(String, String)>,
    is_new: bool,
}

/// How long something goes on, in the one unit that says it.
fn period(page: &Page, seconds: u64) -> String {
    let (name, count) = match seconds {
        0..7_200 => ("period-minutes", (seconds / 60).max(1)),
        7_200..172_800 => ("period-hours", seconds / 3_600),
        _ => ("period-days", seconds / 86_400),
    };
    page.words.count(name, count)
}

fn fact(dot: &'static str, what: String, found: String) -> Fact {
    let icon = match dot {
        "bad" => "cross",
        "warn" => "alert",
        _ => "check",
    };
    Fact { dot, icon, what, found, path: "", then: String::new() }
}

/// What the relay says of itself, the worst first.
fn facts(page: &Page, health: &Health) -> Vec<Fact> {
    let (store, mut facts) = (&health.store, Vec::new());
    if let Some(why) = &store.latched {
        facts.push(fact("bad", page.t("health-latched"), why.clone()));
    }
    if store.full {
        facts.push(fact("bad", page.t("health-full"), String::new()));
    }
    for damage in &store.damage {
        facts.push(fact("bad", page.t("health-damage"), damage.to_string()));
    }
    if let Some(why) = &store.activity_stopped {
        facts.push(fact("bad", page.t("health-activity-stopped"), why.clone()));
    }
    if store.activity_lag_octets > LAG_OCTETS_MAX {
        let megabytes = page.words.number(store.activity_lag_octets >> 20);
        facts.push(fact("warn", page.with("health-lag", "megabytes", &megabytes), String::new()));
    }
    for certificate in health.certificates.iter().filter(|certificate| certificate.alarm.is_some()) {
        let (slug, _, words) = super::certificates::state(certificate);
        let what = page.with(&format!("health-{words}"), "names", &certificate.names.join(", "));
        let dot = if slug == "failed" { "bad" } else { "warn" };
        let told = fact(dot, what, certificate.fault.clone().unwrap_or_default());
        facts.push(Fact { path: "/operator/certificates", then: page.t("menu-certificates"), ..told });
    }
    if health.blocks > 0 {
        let blocked = fact("warn", page.words.count("health-blocks", health.blocks), String::new());
        facts.push(Fact { path: "/operator/blocks", then: page.t("menu-blocks"), ..blocked });
    }
    if health.plan_requests > 0 {
        let waiting = fact("warn", page.words.count("health-requests", health.plan_requests), String::new());
        facts.push(Fact { path: "/operator/requests", then: page.t("menu-requests"), ..waiting });
    }
    if let Some((address, count)) = health.busiest_address
        && health.connections >= CROWD_MIN
        && count * 10 >= health.connections * 9
    {
        let (address, part) = (address.to_string(), page.words.number(count));
        let all = page.words.number(health.connections);
        let values = [("address", address.as_str()), ("count", part.as_str()), ("all", all.as_str())];
        facts.push(fact("warn", page.words.filled("health-crowd", &values), String::new()));
    }
    if facts.iter().all(|fact| fact.dot != "bad") {
        facts.push(fact("ok", page.t("health-well"), String::new()));
    }
    facts
}

/// How many are in one of these states.
fn count(states: &BTreeMap<String, u64>, wanted: &[&str]) -> u64 {
    wanted.iter().filter_map(|state| states.get(*state)).sum()
}

fn tiles(visit: &Visit, page: &Page, health: &Health) -> Vec<Tile> {
    let words = &page.words;
    let (accounts, domains) = (health.accounts.values().sum(), health.domains.values().sum());
    let suspended = count(&health.accounts, &["suspended"]);
    let sending = count(&health.domains, &["validated", "warning", "vouched"]);
    let sessions = words.number(visit.console.settings.limits.sessions_max);
    let busiest = health.busiest_address.map(|(address, count)| {
        let (address, count) = (address.to_string(), words.number(count));
        words.filled("tile-busiest", &[("address", address.as_str()), ("count", count.as_str())])
    });
    let tile = |name: &str, number: u64, more: String| Tile { name: page.t(name), number: words.number(number), more };
    vec![
        tile("menu-accounts", accounts, words.count("tile-suspended", suspended)),
        tile("menu-domains", domains, words.count("tile-sending", sending)),
        tile("menu-queue", health.store.messages, words.count("tile-recipients", health.store.recipients)),
        tile(
            "tile-connections",
            health.connections,
            busiest.unwrap_or_else(|| page.with("tile-of", "number", &sessions)),
        ),
        tile("menu-blocks", health.blocks, page.t("tile-blocks")),
    ]
}

async fn overview(visit: Visit) -> Result<Response, Failure> {
    let health: Health = visit.ask(Operation::Health).await?;
    let page = visit.page();
    let up = period(&page, health.up_seconds);
    let lede = page.words.filled(
        "overview-lede",
        &[("host", page.hostname.as_str()), ("version", page.version()), ("period", up.as_str())],
    );
    let states = ["validated", "vouched", "warning", "pending", "failed"].into_iter().map(|slug| StateCount {
        slug,
        icon: state_icon(slug),
        name: page.t(&format!("domain-is-{slug}")),
        count: page.words.number(count(&health.domains, &[slug])),
    });
    let ports = [(&health.starttls, "STARTTLS"), (&health.tls, "TLS")];
    let ports = ports.into_iter().flat_map(|(list, name)| list.iter().map(|at| (at.to_string(), name.to_owned())));
    let shown_page = OverviewPage {
        lede,
        facts: facts(&page, &health),
        tiles: tiles(&visit, &page, &health),
        states: states.collect(),
        ports: ports.collect(),
        is_new: health.accounts.is_empty() || health.domains.is_empty(),
        page,
    };
    Ok(shown(&shown_page))
}

struct BlockRow {
    cause: String,
    /// The accounts that it was aimed at, each with its name; none: names of nobody.
    aimed: Vec<(u64, Option<String>)>,
    block: BlockView,
    since: String,
    until: String,
}

#[derive(Template)]
#[template(path = "blocks.html")]
struct BlocksPage {
    page: Page,
    rows: Vec<BlockRow>,
}

async fn blocks(visit: Visit) -> Result<Response, Failure> {
    let blocks: Vec<BlockView> = visit.ask(Operation::Blocks).await?;
    let page = visit.page();
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    for account in blocks.iter().flat_map(|block| &block.accounts).filter(|account| **account != 0) {
        if !names.contains_key(account) {
            names.insert(*account, accounts::called(&visit, *account).await?);
        }
    }
    let row = |block: BlockView| BlockRow {
        cause: reasons::of_block(&page.words, &block.cause),
        aimed: block.accounts.iter().map(|account| (*account, names.get(account).cloned())).collect(),
        since: page.words.minute(&block.since),
        until: page.words.minute(&block.until),
        block,
    };
    let rows = blocks.into_iter().map(row).collect();
    Ok(shown(&BlocksPage { rows, page }))
}

#[derive(Deserialize)]
pub(super) struct LiftForm {
    address: IpAddr,
}

async fn lift(Signed { visit, form }: Signed<LiftForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::BlockLift { address: form.address }).await?;
    Ok(on_to("/operator/blocks"))
}

struct LimitRow {
    limit: Limit,
    value: String,
    unit: String,
    about: String,
    default: Option<String>,
}

#[derive(Template)]
#[template(path = "limits.html")]
struct LimitsPage {
    page: Page,
    rows: Vec<LimitRow>,
}

async fn limits(visit: Visit) -> Response {
    let page = visit.page();
    let row = |(limit, value): (Limit, u64)| LimitRow {
        value: page.words.number(value),
        unit: page.words.with(&format!("unit-{}", super::page::slug(limit.unit)), "count", value),
        about: page.t(&format!("limit-{}", super::page::slug(limit.name))),
        default: (value != limit.value).then(|| page.words.number(limit.value)),
        limit,
    };
    let rows = visit.console.settings.limits.values().into_iter().map(row).collect();
    shown(&LimitsPage { rows, page })
}
