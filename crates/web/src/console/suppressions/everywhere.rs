//! The addresses that the accounts of the relay do not send to, of all of them or of one, for the operator.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, SuppressionView};
use relay::suppression::SuppressionCause;
use serde::Deserialize;

use super::super::form::Signed;
use super::super::listing::last_of_more;
use super::super::page::{Failure, Page, shown};
use super::super::visit::{Visit, on_to, place};
use super::super::{For, Route, show, take};
use super::{Choice, Row, choices};

const HERE: &str = "/operator/suppressions";
/// Rows of a page.
const ROWS: u32 = 50;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(HERE, For::Operator, page), take("/operator/suppressions/lift", For::Operator, lift)]
}

/// What is looked for.
struct Sought {
    account: Option<u64>,
    search: String,
    cause: Option<SuppressionCause>,
}

impl Sought {
    /// The list behind a place of it.
    fn path(&self, after: Option<&str>) -> String {
        let account = self.account.map(|account| account.to_string()).unwrap_or_default();
        let cause = self.cause.map(SuppressionCause::word).unwrap_or_default();
        let pairs = [
            ("account", account.as_str()),
            ("search", self.search.as_str()),
            ("cause", cause),
            ("after", after.unwrap_or_default()),
        ];
        let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        if pairs.is_empty() {
            return HERE.to_owned();
        }
        format!("{HERE}?{}", serde_html_form::to_string(pairs).unwrap_or_default())
    }
}

#[derive(Template)]
#[template(path = "suppressions-everywhere.html")]
struct EverywherePage {
    page: Page,
    account: Option<u64>,
    search: String,
    causes: Vec<Choice>,
    /// The number of the account with each.
    rows: Vec<(u64, Row)>,
    /// Where a form comes back to.
    here: String,
    newer: Option<String>,
    older: Option<String>,
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    let sought = Sought {
        account: visit.number_asked("account")?,
        search: visit.asked("search").unwrap_or_default(),
        cause: visit.asked("cause").and_then(|word| SuppressionCause::of_word(&word)),
    };
    let after = visit.asked("after").filter(|text| !text.is_empty());
    let (account, search, cause) = (sought.account, sought.search.clone(), sought.cause);
    let asked = Operation::SuppressionList { account, search, cause, after: after.clone(), limit: ROWS + 1 };
    let mut found: Vec<SuppressionView> = visit.ask(asked).await?;
    let page = visit.page();
    let older = last_of_more(&mut found, ROWS).map(|last| sought.path(Some(&last.place())));
    let newer = after.as_ref().map(|_| sought.path(None));
    Ok(shown(&EverywherePage {
        here: sought.path(after.as_deref()),
        causes: choices(&page, sought.cause),
        rows: found.into_iter().map(|view| (view.account, Row::of(&page, view))).collect(),
        account: sought.account,
        search: sought.search,
        newer,
        older,
        page,
    }))
}

#[derive(Deserialize)]
struct LiftForm {
    account: u64,
    address: String,
    #[serde(default)]
    smtp_user: Option<u64>,
    /// The part of the list that is looked at.
    #[serde(default)]
    here: String,
}

async fn lift(Signed { visit, form }: Signed<LiftForm>) -> Result<Response, Failure> {
    let LiftForm { account, address, smtp_user, here } = form;
    visit.ask::<DoneView>(Operation::SuppressionRemove { account, address, smtp_user }).await?;
    let here = if here.starts_with(HERE) { place(&here) } else { HERE };
    Ok(on_to(here))
}
