//! Activity: one row for each recipient, searched, followed as it happens, and taken away as a file.

pub(super) mod detail;
mod encryption;
mod export;
pub(super) mod row;
mod search;
mod vouched;

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use relay::activity::ActivityFilter;
use relay::clock::Day;
use relay::id::Id;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{ActivityView, StatisticsView};

use super::page::{Failure, Page, shown, shown_as};
use super::visit::Visit;
use super::{For, Route, show};
use row::Row;
use search::{PERIODS, STATUSES, Search, Unclear};

/// Who may look.
const READERS: For = For::Account(Need::Power(Power::Activity));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/activity", READERS, page),
        show("/activity/export.csv", READERS, export::csv),
        show("/activity/export.json", READERS, export::json),
        show("/activity/{row}", READERS, detail::page),
    ]
}

/// Rows of a page.
const ROWS: u32 = 50;

/// Domains or SMTP users to choose among.
const CHOICES_MAX: usize = 200;

/// One of several to choose.
struct Choice {
    value: String,
    name: String,
    is_chosen: bool,
}

/// A status to narrow by.
struct Chip {
    query: String,
    slug: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct ActivityPage {
    page: Page,
    search: Search,
    periods: Vec<Choice>,
    domains: Vec<Choice>,
    users: Vec<Choice>,
    chips: Vec<Chip>,
    /// The query of all statuses.
    all: String,
    /// What exports and the tail ask for.
    query: String,
    /// The query of live where it is off, of not live where it is on.
    live: String,
    is_live: bool,
    refused: Option<String>,
    rows: Vec<Row>,
    /// The query of the first page, where this is another.
    newest: Option<String>,
    older: Option<String>,
}

/// The rows alone, for the script that follows them.
#[derive(Template)]
#[template(path = "activity-tail.html")]
struct TailPage<'a> {
    page: &'a Page,
    rows: &'a [Row],
}

/// The domains and SMTP users that there are.
async fn choices(visit: &Visit, search: &Search) -> Result<(Vec<Choice>, Vec<Choice>), Failure> {
    let none: Option<Day> = None;
    let operation = Operation::Statistics { account: None, domain: None, user: None, since: none, until: none };
    let statistics: StatisticsView = visit.ask(operation).await?;
    let choice = |(id, name, chosen): (u64, Option<String>, &str)| {
        let value = id.to_string();
        Some(Choice { is_chosen: value == chosen, value, name: name? })
    };
    let sorted = |mut choices: Vec<Choice>| {
        choices.sort_by(|one, other| one.name.cmp(&other.name));
        choices.truncate(CHOICES_MAX);
        choices
    };
    let domains = statistics.domains.into_iter().map(|domain| (domain.id, domain.name, search.domain.as_str()));
    let users = statistics.users.into_iter().map(|user| (user.id, user.name, search.user.as_str()));
    Ok((sorted(domains.filter_map(choice).collect()), sorted(users.filter_map(choice).collect())))
}

fn chips(search: &Search) -> Vec<Chip> {
    let chip = |(slug, _): &(&'static str, _)| Chip {
        query: search.query(&[("status", slug)]),
        slug,
        is_chosen: search.status == *slug,
    };
    STATUSES.iter().map(chip).collect()
}

fn told(page: &Page, unclear: Unclear) -> String {
    match unclear {
        Unclear::Days => page.t("activity-wrong-days"),
        Unclear::Message => page.t("activity-wrong-id"),
    }
}

pub(super) async fn page(headers: HeaderMap, visit: Visit) -> Result<Response, Failure> {
    let (page, search) = (visit.page(), Search::of(&visit.here));
    // whoever looks at no account has none to search
    let account = Some(Id::new(visit.account_number()?));
    let (mut found, refused): (Vec<ActivityView>, _) = match search.filter(visit.words()) {
        Ok(filter) => {
            let filter = ActivityFilter { account, limit: ROWS + 1, ..filter };
            (visit.ask(Operation::Activity { filter }).await?, None)
        }
        Err(unclear) => (Vec::new(), Some(told(&page, unclear))),
    };
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let last = found.last().map(|row| row.row.to_string());
    let older = last.filter(|_| more).map(|row| search.query(&[("before", &row), ("live", "")]));
    let rows: Vec<_> = found.iter().map(|row| Row::new(visit.words(), row)).collect();
    if headers.contains_key("x-fragment") {
        return Ok(shown(&TailPage { page: &page, rows: &rows }));
    }
    let (domains, users) = choices(&visit, &search).await?;
    let period = |period: &&str| Choice {
        value: (*period).to_owned(),
        name: page.t(&format!("period-{period}")),
        is_chosen: search.period == **period,
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let live = if search.is_live() { "" } else { "1" };
    let shown = ActivityPage {
        periods: PERIODS.iter().map(period).collect(),
        domains,
        users,
        chips: chips(&search),
        all: search.query(&[("status", "")]),
        query: search.query(&[("live", "")]),
        live: search.query(&[("live", live)]),
        is_live: search.is_live(),
        refused,
        rows,
        newest: (!search.before.is_empty()).then(|| search.query(&[("live", "")])),
        older,
        search,
        page,
    };
    Ok(shown_as(status, &shown))
}
