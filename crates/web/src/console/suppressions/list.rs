//! Suppressions as a list: brought as CSV and told what became of it, taken away as CSV.

use askama::Template;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{SuppressionView, SuppressionsImportedView};
use relay::suppression::COLUMNS;
use serde::Deserialize;

use super::super::export::cell;
use super::super::form::Signed;
use super::super::page::{Failure, Page, shown, shown_as};
use super::super::parts::{Parts, file};
use super::super::refusal::Refusal;
use super::super::sayings;
use super::super::visit::Visit;
use super::super::{Route, show, take};
use super::ADMINISTRATORS;

/// A list may be so long, as a form has it.
const LIST_OCTETS_MAX: usize = 6 << 20;
/// Rows that are read and held at a time.
const ROWS: u32 = 1_000;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    let mut import = take("/suppressions/import", ADMINISTRATORS, import);
    import.answer = import.answer.layer(DefaultBodyLimit::max(LIST_OCTETS_MAX));
    vec![
        show("/suppressions/import", ADMINISTRATORS, page),
        import,
        show("/suppressions/export.csv", ADMINISTRATORS, export),
    ]
}

#[derive(Template)]
#[template(path = "suppressions-import.html")]
struct ImportPage {
    page: Page,
    list: String,
    refused: Option<Refusal>,
}

async fn page(visit: Visit) -> Response {
    shown(&ImportPage { page: visit.page(), list: String::new(), refused: None })
}

#[derive(Deserialize)]
struct ImportForm {
    list: String,
}

#[derive(Template)]
#[template(path = "suppressions-imported.html")]
struct ImportedPage {
    page: Page,
    added: String,
    known: String,
    untaken: Option<String>,
    /// The numbers of lines that were not taken, and why.
    lines: Vec<(u64, Refusal)>,
}

async fn import(Signed { visit, form }: Signed<ImportForm>) -> Result<Response, Failure> {
    let (account, list) = (visit.account_number()?, form.list);
    let order = Operation::SuppressionImport { account, list: list.clone() };
    match visit.try_to::<SuppressionsImportedView>(order).await? {
        Ok(view) => {
            let page = visit.page();
            Ok(shown(&ImportedPage {
                added: page.words.count("suppression-import-added", view.added),
                known: page.words.count("suppression-import-known", view.known),
                untaken: (view.untaken > 0).then(|| page.words.count("suppression-import-untaken", view.untaken)),
                lines: view.lines.iter().map(|line| (line.line, sayings::said(&page.words, &line.why))).collect(),
                page,
            }))
        }
        Err(fault) => {
            let refused = Some(Refusal::of(visit.words(), &fault));
            let page = visit.page();
            Ok(shown_as(StatusCode::UNPROCESSABLE_ENTITY, &ImportPage { page, list, refused }))
        }
    }
}

async fn export(visit: Visit) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    // what is refused, is refused before anything is sent
    let first: Vec<SuppressionView> = visit.ask(behind(account, None)).await?;
    let kind = "text/csv; charset=utf-8; header=present";
    let (to, answer) = file(kind, "attachment; filename=\"suppressions.csv\"");
    tokio::spawn(send(visit, account, first, to));
    Ok(answer)
}

fn behind(account: u64, after: Option<String>) -> Operation {
    Operation::SuppressionList { account: Some(account), search: String::new(), cause: None, after, limit: ROWS }
}

/// Sends all, a page at a time, until it ends or nobody takes it any more.
async fn send(visit: Visit, account: u64, mut rows: Vec<SuppressionView>, to: Parts) {
    // the mark of order makes spreadsheets read UTF-8
    let mut text = format!("\u{feff}{}\r\n", COLUMNS.join(","));
    loop {
        text.extend(rows.iter().map(line));
        let is_last = rows.len() < ROWS as usize;
        if !to.send(std::mem::take(&mut text), is_last).await || is_last {
            return;
        }
        let after = rows.last().map(SuppressionView::place);
        match visit.try_to(behind(account, after)).await {
            Ok(Ok(found)) => rows = found,
            Ok(Err(fault)) => return tracing::warn!(why = fault.what, "an export broke off"),
            // whoever asked has signed out meanwhile
            Err(_) => return,
        }
    }
}

fn line(row: &SuppressionView) -> String {
    let until = row.until.as_deref().unwrap_or_default();
    let user = row.smtp_user.map(|user| user.to_string()).unwrap_or_default();
    [&row.address, &row.cause, &row.reason, &row.since, until, &user].map(cell).join(",") + "\r\n"
}
