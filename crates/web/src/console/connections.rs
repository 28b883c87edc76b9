//! Connections: logins and connections that failed, each with its cause and what to do, and the blocks that followed.

mod export;
mod search;

use std::net::IpAddr;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{BlockView, ConnectionView, DoneView, StatisticsView};
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown_as};
use super::reasons::{self, TROUBLES, Trouble, Why};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::words::Words;
use super::{For, Route, show, take};
use search::Search;

/// Who may look.
const READERS: For = For::Account(Need::Power(Power::Activity));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/connections", READERS, page),
        show("/connections/export.csv", READERS, export::csv),
        show("/connections/export.json", READERS, export::json),
        take("/connections/lift", For::Account(Need::Power(Power::Administration)), lift),
    ]
}

/// Rows of the page.
const SHOWN: usize = 60;
/// SMTP users to choose among.
const USERS_MAX: usize = 200;

/// A row of the page.
struct Row {
    trouble: Trouble,
    name: String,
    why: Why,
    /// How often, where it was more than once.
    times: String,
    /// Code and enhanced status of our reply, and its stable name.
    reply: String,
    reference: String,
    user: Option<u64>,
    /// The name of the SMTP user, or the username as it was sent.
    who: String,
    remote: String,
    stamp: String,
    time: String,
}

/// A block that is in force.
struct Blocked {
    address: String,
    title: String,
    cause: String,
    liftable: bool,
}

#[derive(Template)]
#[template(path = "connections.html")]
struct ConnectionsPage {
    page: Page,
    search: Search,
    troubles: Vec<(&'static str, String)>,
    /// Number, name, whether it is chosen.
    users: Vec<(u64, String, bool)>,
    blocks: Vec<Blocked>,
    rows: Vec<Row>,
    count: String,
    /// What exports ask for, which is the query of the first page.
    query: String,
    is_first: bool,
    /// The query of the next page.
    older: Option<String>,
    refused: Option<Refusal>,
}

fn row(visit: &Visit, row: &ConnectionView, users: &[(u64, String, bool)]) -> Row {
    let words = visit.words();
    let mut why = reasons::of_connection(words, row);
    // whatever it trusts, it does not know the authority of a demonstration
    if let ("tls-distrusted", Some(demo)) = (row.reference.as_str(), &visit.console.settings.demonstration) {
        why.fix = words.with("demo-certificate", "path", demo.authority.as_str());
    }
    let trouble = reasons::trouble_of(row);
    let named = row.user.and_then(|user| users.iter().find(|(id, ..)| *id == user));
    let code: Vec<_> = row.reply.split(' ').take(2).collect();
    let is_code = code.first().is_some_and(|code| code.len() == 3 && code.bytes().all(|octet| octet.is_ascii_digit()));
    Row {
        trouble,
        name: words.t(&format!("trouble-{}", trouble.word)),
        why,
        times: if row.count > 1 { words.count("connections-times", row.count) } else { String::new() },
        reply: if is_code { code.join(" ") } else { String::new() },
        reference: row.reference.clone(),
        user: named.map(|(id, ..)| *id),
        who: named.map_or_else(|| row.username.clone(), |(_, name, _)| name.clone()),
        remote: row.remote.clone(),
        stamp: words.stamp(&row.updated_at),
        time: words.recent(&row.updated_at),
    }
}

fn blocked(words: &Words, block: &BlockView) -> Blocked {
    let until = words.minute(&block.until);
    Blocked {
        title: words.filled("connections-blocked", &[("address", block.address.as_str()), ("until", until.as_str())]),
        address: block.address.clone(),
        cause: reasons::of_block(words, &block.cause),
        liftable: block.liftable,
    }
}

async fn users(visit: &Visit, chosen: &str) -> Result<Vec<(u64, String, bool)>, Failure> {
    let operation = Operation::Statistics { account: None, domain: None, user: None, since: None, until: None };
    let statistics: StatisticsView = visit.ask(operation).await?;
    let named = statistics.users.into_iter().filter_map(|user| {
        let is_chosen = user.id.to_string() == chosen;
        Some((user.id, user.name?, is_chosen))
    });
    let mut users: Vec<_> = named.collect();
    users.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
    Ok(users)
}

async fn connections(visit: &Visit, refused: Option<Refusal>) -> Result<Response, Failure> {
    let (words, search) = (visit.words(), Search::of(&visit.here));
    let found = search::page_of(visit, visit.account_number()?, &search, SHOWN).await;
    let (found, last) = found.map_err(|fault| visit.page().failure(fault))?;
    let mut users = users(visit, &search.user).await?;
    let blocks: Vec<BlockView> =
        if visit.may(Need::Power(Power::Administration)) { visit.ask(Operation::Blocks).await? } else { Vec::new() };
    let rows: Vec<_> = found.iter().map(|found| row(visit, found, &users)).collect();
    users.truncate(USERS_MAX);
    let page = visit.page();
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = ConnectionsPage {
        troubles: TROUBLES.iter().map(|trouble| (trouble.word, page.t(&format!("trouble-{}", trouble.word)))).collect(),
        users,
        blocks: blocks.iter().map(|block| blocked(words, block)).collect(),
        count: page.count("connections-count", rows.len()),
        rows,
        query: search.query(""),
        is_first: search.before().is_none(),
        older: last.map(|last| search.query(&last.to_string())),
        refused,
        search,
        page,
    };
    Ok(shown_as(status, &shown))
}

pub(super) async fn page(visit: Visit) -> Result<Response, Failure> {
    connections(&visit, None).await
}

#[derive(Deserialize)]
pub(super) struct LiftForm {
    address: String,
}

pub(super) async fn lift(Signed { visit, form }: Signed<LiftForm>) -> Result<Response, Failure> {
    let Ok(address) = form.address.parse::<IpAddr>() else { return Ok(on_to("/connections")) };
    match visit.try_to::<DoneView>(Operation::BlockLift { address }).await? {
        Ok(_) => Ok(on_to("/connections")),
        Err(fault) => connections(&visit, Some(Refusal::of(visit.words(), &fault))).await,
    }
}
