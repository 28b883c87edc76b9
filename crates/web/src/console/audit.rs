//! The audit log: of an account for its administrators, of all for the operator.

mod said;

use askama::Template;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::AuditView;

use super::page::{Failure, Page, shown};
use super::visit::Visit;
use super::{For, Route, show};

use said::Row;

const ROWS: u32 = 50;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/audit", For::Account(Need::Power(Power::Administration)), page),
        show("/operator/audit", For::Operator, page),
    ]
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

async fn page(visit: Visit) -> Result<Response, Failure> {
    let is_operator = visit.may(Need::Operator);
    let account = visit.number_asked("account")?.filter(|_| is_operator);
    let before = visit.number_asked("before")?;
    let lines: Vec<AuditView> = visit.ask(Operation::Audit { account, before, limit: ROWS }).await?;
    let page = visit.page();
    let last = lines.last().filter(|_| lines.len() == ROWS as usize).map(|last| last.line);
    let rows: Vec<Row> = lines.into_iter().map(|line| Row::new(&page.words, line)).collect();
    let path = if is_operator { "/operator/audit" } else { "/audit" };
    let of = account.map(|account| format!("account={account}&")).unwrap_or_default();
    let newer = before.map(|_| format!("{path}?{}", of.trim_end_matches('&')));
    let older = last.map(|last| format!("{path}?{of}before={last}"));
    Ok(shown(&AuditPage { is_operator, account, rows, newer, older, page }))
}
