//! The relay's own mail, for the operator: the address that it writes from, and the domains that it may write from.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::service::SYSTEM_ACCOUNT;
use relay::service::operation::{Operation, Part};
use relay::service::view::DomainView;
use serde::Deserialize;

use super::domains::{State, page_of};
use super::form::Signed;
use super::page::{Failure, Page, shown_as};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

/// Where it is.
pub(super) const HERE: &str = "/operator/mail";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(HERE, For::Operator, page), take(HERE, For::Operator, add)]
}

struct Row {
    name: String,
    path: String,
    state: State,
    /// Whether the relay writes from it.
    is_used: bool,
    checked: Option<String>,
}

/// Whether the relay can write, and what is to be done where it cannot.
enum Standing {
    /// The configuration names no address.
    Nameless,
    /// The domain of the address is not there yet.
    Missing(String),
    /// It is there and may not send yet: where its page is.
    Waiting(String),
    /// It writes.
    Writes,
}

#[derive(Template)]
#[template(path = "own-mail.html")]
struct OwnMailPage {
    page: Page,
    from: Option<String>,
    standing: Standing,
    /// What stands in the configuration, for instance.
    example: String,
    rows: Vec<Row>,
    /// What was typed into the form.
    name: String,
    refused: Option<Refusal>,
}

fn standing(visit: &Visit, from: Option<&str>, domains: &[DomainView]) -> Standing {
    let Some(used) = from.and_then(domain_of) else { return Standing::Nameless };
    let Some(found) = domains.iter().find(|domain| domain.name.eq_ignore_ascii_case(used)) else {
        return Standing::Missing(used.to_owned());
    };
    let sends = matches!(found.state.as_str(), "validated" | "warning" | "vouched");
    if sends { Standing::Writes } else { Standing::Waiting(page_of(visit, found)) }
}

fn domain_of(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain)
}

async fn listed(visit: &Visit, form: Option<(String, Refusal)>) -> Result<Response, Failure> {
    let listed = Operation::DomainList { account: Some(SYSTEM_ACCOUNT.number()), part: Part::WHOLE };
    let domains: Vec<DomainView> = visit.ask(listed).await?;
    let (page, words) = (visit.page(), visit.words());
    let from = visit.console.settings.mail_from.clone();
    let used = from.as_deref().and_then(domain_of);
    let row = |domain: &DomainView| Row {
        path: page_of(visit, domain),
        state: State::of(words, domain),
        is_used: used.is_some_and(|used| domain.name.eq_ignore_ascii_case(used)),
        checked: domain.checked_at.as_ref().map(|at| words.minute(at)),
        name: domain.name.clone(),
    };
    let status = if form.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (name, refused) = form.map_or_else(Default::default, |(name, words)| (name, Some(words)));
    Ok(shown_as(
        status,
        &OwnMailPage {
            standing: standing(visit, from.as_deref(), &domains),
            example: format!("[mail]\nfrom = \"Envoi <envoi@{}>\"", page.hostname),
            rows: domains.iter().map(row).collect(),
            from,
            name,
            refused,
            page,
        },
    ))
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    listed(&visit, None).await
}

#[derive(Deserialize)]
struct NameForm {
    name: String,
}

async fn add(Signed { visit, form }: Signed<NameForm>) -> Result<Response, Failure> {
    let order = Operation::DomainAdd { account: SYSTEM_ACCOUNT.number(), name: form.name.clone() };
    match visit.try_to::<DomainView>(order).await? {
        Ok(domain) => Ok(on_to(&page_of(&visit, &domain))),
        Err(fault) => {
            let words = Refusal::of(visit.words(), &fault);
            listed(&visit, Some((form.name, words))).await
        }
    }
}
