//! The addresses that an account does not send to: searched, added, brought as a list, taken away as a file, lifted.

mod everywhere;
mod list;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::mailbox;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, SuppressionView};
use relay::suppression::SuppressionCause;
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
    let mut routes = vec![
        show("/suppressions", ADMINISTRATORS, page),
        take("/suppressions", ADMINISTRATORS, add),
        take("/suppressions/lift", ADMINISTRATORS, lift),
    ];
    routes.extend(list::routes());
    routes.extend(everywhere::routes());
    routes
}

/// A row of the page.
struct Row {
    address: String,
    slug: &'static str,
    icon: &'static str,
    cause: String,
    reason: String,
    since: String,
    until: Option<String>,
    /// The number and the name of the SMTP user whose mail alone is not sent there.
    stream: Option<(u64, String)>,
}

impl Row {
    fn of(page: &Page, view: SuppressionView) -> Row {
        let (slug, icon) = match view.cause.as_str() {
            "bounce" => ("failed", "hard"),
            "complaint" => ("warning", "alert"),
            "unsubscribed" => ("rejected", "suppressions"),
            _ => ("rejected", "rejected"),
        };
        Row {
            cause: page.t(&format!("suppression-by-{}", view.cause)),
            since: page.words.minute(&view.since),
            until: view.until.as_deref().map(|until| page.words.minute(until)),
            stream: view.smtp_user.map(|user| {
                let name = view.smtp_user_name.map(|name| page.with("suppression-stream", "name", &name));
                (user, name.unwrap_or_else(|| page.with("suppression-stream-gone", "user", &user.to_string())))
            }),
            address: view.address,
            reason: view.reason,
            slug,
            icon,
        }
    }
}

/// A cause to narrow by: its word, its name, whether it is chosen.
type Choice = (&'static str, String, bool);

/// Every cause.
fn choices(page: &Page, chosen: Option<SuppressionCause>) -> Vec<Choice> {
    let named = |cause: SuppressionCause| {
        (cause.word(), page.t(&format!("suppression-by-{}", cause.word())), chosen == Some(cause))
    };
    SuppressionCause::ALL.into_iter().map(named).collect()
}

#[derive(Template)]
#[template(path = "suppressions.html")]
struct ListPage {
    page: Page,
    count: String,
    is_empty: bool,
    search: String,
    causes: Vec<Choice>,
    rows: Vec<Row>,
    /// Whether owners of addresses on the page have unsubscribed.
    has_streams: bool,
    pager: Option<Pager>,
    form: AddForm,
    refused: Option<Refusal>,
}

#[derive(Default, Deserialize)]
struct AddForm {
    address: String,
    #[serde(default)]
    reason: String,
    /// A day, in the zone of the account; empty: without an end.
    #[serde(default)]
    until: String,
}

fn every(account: u64, search: String, cause: Option<SuppressionCause>) -> Operation {
    Operation::SuppressionList { account: Some(account), search, cause, after: None, limit: 0 }
}

async fn list(visit: &Visit, form: AddForm, refused: Option<Refusal>) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    let search = asked(visit, "search").unwrap_or_default();
    let chosen = asked(visit, "cause").and_then(|word| SuppressionCause::of_word(&word));
    let mut found: Vec<SuppressionView> = visit.ask(every(account, search.clone(), chosen)).await?;
    // who was added last is looked for first
    found.sort_by(|one, other| (&other.since, &one.address).cmp(&(&one.since, &other.address)));
    let is_narrow = chosen.is_some() || !search.trim().is_empty();
    let (page, count) = (visit.page(), found.len());
    let (found, pager) = part(visit, found);
    let rows: Vec<Row> = found.into_iter().map(|view| Row::of(&page, view)).collect();
    let has_streams = rows.iter().any(|row| row.stream.is_some());
    let causes = choices(&page, chosen);
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (is_empty, count) = (count == 0 && !is_narrow, page.count("suppression-count", count));
    Ok(shown_as(status, &ListPage { page, count, is_empty, search, causes, rows, has_streams, pager, form, refused }))
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    list(&visit, AddForm::default(), None).await
}

async fn add(Signed { visit, form }: Signed<AddForm>) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    let (address, reason) = (form.address.clone(), form.reason.clone());
    let Ok(until) = visit.words().end_of_day(&form.until) else {
        let refused = Refusal::Ours(visit.words().t("suppression-no-day"));
        return list(&visit, form, Some(refused)).await;
    };
    match visit.try_to::<DoneView>(Operation::SuppressionAdd { account, address, reason, until }).await? {
        Ok(_) => Ok(on_to("/suppressions")),
        Err(fault) => {
            let refused = if mailbox(&form.address).is_ok() {
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
    #[serde(default)]
    smtp_user: Option<u64>,
}

async fn lift(Signed { visit, form }: Signed<LiftForm>) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    visit
        .ask::<DoneView>(Operation::SuppressionRemove { account, address: form.address, smtp_user: form.smtp_user })
        .await?;
    Ok(on_to("/suppressions"))
}
