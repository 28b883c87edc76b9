//! What is kept about one recipient, erased for good.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::ErasureView;
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown_as};
use super::refusal::Refusal;
use super::visit::Visit;
use super::{For, Route, show, take};

const ADMINISTRATORS: For = For::Account(Need::Power(Power::Administration));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show("/account/erase", ADMINISTRATORS, page), take("/account/erase", ADMINISTRATORS, erase)]
}

#[derive(Template)]
#[template(path = "erase.html")]
struct ErasePage {
    page: Page,
    address: String,
    /// What was erased.
    told: Vec<String>,
    refused: Option<Refusal>,
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    let shown = ErasePage { page: visit.page(), address: String::new(), told: Vec::new(), refused: None };
    Ok(shown_as(StatusCode::OK, &shown))
}

/// A form without the last tick is none.
#[derive(Deserialize)]
struct EraseForm {
    address: String,
    #[serde(default)]
    suppression: Option<String>,
    #[serde(rename = "sure")]
    _sure: String,
}

async fn erase(Signed { visit, form }: Signed<EraseForm>) -> Result<Response, Failure> {
    let (account, recipient) = (visit.account_number()?, form.address.clone());
    let order = Operation::ActivityErase { account, recipient, suppression: form.suppression.is_some() };
    let page = visit.page();
    match visit.try_to::<ErasureView>(order).await? {
        Ok(erased) => {
            let told = lines(&page, &form.address, &erased);
            Ok(shown_as(StatusCode::OK, &ErasePage { page, address: String::new(), told, refused: None }))
        }
        Err(fault) => {
            let refused = match relay::service::mailbox(&form.address) {
                Ok(_) => Refusal::of(visit.words(), &fault),
                Err(_) => Refusal::Ours(page.t("suppression-no-address")),
            };
            let shown = ErasePage { page, address: form.address, told: Vec::new(), refused: Some(refused) };
            Ok(shown_as(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

fn lines(page: &Page, address: &str, erased: &ErasureView) -> Vec<String> {
    let words = &page.words;
    let number = |number: u64| words.number(number);
    let (rows, connections, calls) = (number(erased.rows), number(erased.connections), number(erased.calls));
    let messages = number(erased.messages);
    let values = [
        ("address", address.trim()),
        ("rows", rows.as_str()),
        ("connections", connections.as_str()),
        ("calls", calls.as_str()),
        ("messages", messages.as_str()),
    ];
    let mut told = vec![words.filled("erase-done", &values)];
    if erased.suppression {
        told.push(page.t("erase-done-suppression"));
    }
    if erased.waiting > 0 {
        told.push(words.count("erase-done-waiting", erased.waiting));
    }
    told
}
