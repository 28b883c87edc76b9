//! The addresses that an account does not send to: searched, added, lifted.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::mailbox;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, SuppressionView};
use serde::Deserialize;

use super::form::Signed;
use super::listing::{Pager, asked, part};
use super::page::{Failure, Page, shown_as};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const ADMINISTRATORS: For = For::Account(Need::Power(Power::Administration));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/suppressions", ADMINISTRATORS, page),
        take("/suppressions", ADMINISTRATORS, add),
        take("/suppressions/lift", ADMINISTRATORS, lift),
    ]
}

#[derive(Template)]
#[template(path = "suppressions.html")]
struct ListPage {
    page: Page,
    count: String,
    is_empty: bool,
    search: String,
    addresses: Vec<String>,
    pager: Option<Pager>,
    form: AddForm,
    refused: Option<Refusal>,
}

#[derive(Default, Deserialize)]
struct AddForm {
    address: String,
    #[serde(default)]
    reason: String,
}

async fn list(visit: &Visit, form: AddForm, refused: Option<Refusal>) -> Result<Response, Failure> {
    let listed = Operation::SuppressionList { account: Some(visit.account_number()?) };
    let all: Vec<SuppressionView> = visit.ask(listed).await?;
    let search = asked(visit, "search").unwrap_or_default();
    let wanted = search.trim().to_lowercase();
    let (whole, all) = (all.len(), all.into_iter().map(|one| one.address));
    let found: Vec<_> = all.filter(|address| address.contains(&wanted)).collect();
    let (addresses, pager) = part(visit, found);
    let page = visit.page();
    let count = page.count("suppression-count", whole);
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(shown_as(status, &ListPage { page, count, is_empty: whole == 0, search, addresses, pager, form, refused }))
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    list(&visit, AddForm::default(), None).await
}

async fn add(Signed { visit, form }: Signed<AddForm>) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    let (address, reason) = (form.address.clone(), form.reason.clone());
    match visit.try_to::<DoneView>(Operation::SuppressionAdd { account, address, reason }).await? {
        Ok(_) => Ok(on_to("/suppressions")),
        Err(fault) => {
            let is_address = mailbox(&form.address).is_ok();
            let refused = if is_address {
                Refusal::of(visit.words(), &fault)
            } else {
                Refusal::Ours(visit.words().t("suppression-no-address"))
            };
            list(&visit, form, Some(refused)).await
        }
    }
}

#[derive(Deserialize)]
struct LiftForm {
    address: String,
}

async fn lift(Signed { visit, form }: Signed<LiftForm>) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    visit.ask::<DoneView>(Operation::SuppressionRemove { account, address: form.address }).await?;
    Ok(on_to("/suppressions"))
}
