//! The audit log: of an account for its administrators, of all for the operator.

use askama::Template;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::AuditView;

use super::page::{Failure, Page, shown, slug};
use super::visit::Visit;
use super::words::Words;
use super::{For, Route, show};

const ROWS: u64 = 50;
/// How far back pages go; the API and the command line go further.
const PAGES_MAX: u64 = 200;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/audit", For::Account(Need::Power(Power::Administration)), page),
        show("/operator/audit", For::Operator, page),
    ]
}

struct Row {
    line: AuditView,
    what: String,
    at: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Page,
    is_operator: bool,
    account: Option<u64>,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

/// What was done, in words; its name where there are none.
fn what(words: &Words, action: &str) -> String {
    let name = format!("action-{}", slug(action));
    let said = words.t(&name);
    if said == name { action.to_owned() } else { said }
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    let is_operator = visit.may(Need::Operator);
    let account = visit.number_asked("account")?.filter(|_| is_operator);
    let number = visit.number_asked("page")?.unwrap_or(1).clamp(1, PAGES_MAX);
    let limit = u32::try_from(number * ROWS + 1).unwrap_or(u32::MAX);
    let lines: Vec<AuditView> = visit.ask(Operation::Audit { account, limit }).await?;
    let (page, begin) = (visit.page(), (number - 1) * ROWS);
    let has_more = lines.len() as u64 > number * ROWS && number < PAGES_MAX;
    let row = |line: AuditView| Row { what: what(&page.words, &line.action), at: page.words.moment(&line.at), line };
    let rows = lines.into_iter().skip(usize::try_from(begin).unwrap_or(usize::MAX)).take(ROWS as usize).map(row);
    let rows: Vec<Row> = rows.collect();
    let path = if is_operator { "/operator/audit" } else { "/audit" };
    let of = account.map(|account| format!("account={account}&")).unwrap_or_default();
    let to = |number: u64| format!("{path}?{of}page={number}");
    let newer = (number > 1).then(|| to(number - 1));
    let older = has_more.then(|| to(number + 1));
    Ok(shown(&AuditPage { is_operator, account, rows, newer, older, page }))
}
