//! Automatic brakes that are on, for an account's administrators and for the operator: why, and the button that releases one.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{BrakeView, DoneView};

use super::form::Signed;
use super::page::{Failure, Page, shown};
use super::question::Pressed;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const MANAGERS: For = For::Account(Need::Power(Power::Domains));
const OWN: &str = "/brakes";
const ALL: &str = "/operator/brakes";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show(OWN, MANAGERS, own),
        take("/brakes/{brake}/release", MANAGERS, release_own),
        show(ALL, For::Operator, all),
        take("/operator/brakes/{brake}/release", For::Operator, release),
    ]
}

struct Row {
    brake: BrakeView,
    whose: String,
    why: String,
    since: String,
}

#[derive(Template)]
#[template(path = "brakes.html")]
struct BrakesPage {
    page: Page,
    path: &'static str,
    rows: Vec<Row>,
}

fn row(page: &Page, brake: BrakeView) -> Row {
    let words = &page.words;
    let (counted, of) = (words.number(brake.counted), words.number(brake.of));
    let whose = match (&brake.user, &brake.user_name) {
        (Some(_), Some(name)) => page.with("brake-of-user", "name", name),
        (Some(number), None) => page.with("brake-of-user", "name", &number.to_string()),
        (None, _) => page.t("brake-of-account"),
    };
    Row {
        whose,
        why: words.filled(&format!("brake-{}", brake.cause.replace('_', "-")), &[("counted", &counted), ("of", &of)]),
        since: words.minute(&brake.since),
        brake,
    }
}

async fn listed(visit: &Visit, path: &'static str, account: Option<u64>) -> Result<Response, Failure> {
    let brakes: Vec<BrakeView> = visit.ask(Operation::BrakeList { account }).await?;
    let page = visit.page();
    let rows = brakes.into_iter().map(|brake| row(&page, brake)).collect();
    Ok(shown(&BrakesPage { path, rows, page }))
}

async fn own(visit: Visit) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    listed(&visit, OWN, Some(account)).await
}

async fn all(visit: Visit) -> Result<Response, Failure> {
    listed(&visit, ALL, None).await
}

async fn release_own(Path(brake): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::BrakeRelease { brake }).await?;
    Ok(on_to(OWN))
}

async fn release(Path(brake): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::BrakeRelease { brake }).await?;
    Ok(on_to(ALL))
}
