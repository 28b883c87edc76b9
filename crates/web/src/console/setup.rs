//! The first steps of a new relay: what it stands on, then the first account, domain and SMTP user.

use askama::Template;
use axum::response::Response;
use relay::service::operation::{Health, Operation, Part};
use relay::service::view::{AccountView, CheckView, SmtpUserView};

use super::page::{Failure, Page, shown, slug};
use super::refusal::{self, Refusal};
use super::visit::Visit;
use super::{For, Route, show};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show("/operator/first-steps", For::Operator, first_steps), show("/operator/checks", For::Operator, checks)]
}

/// One thing that was looked at.
struct Check {
    dot: &'static str,
    icon: &'static str,
    badge: (&'static str, &'static str, String),
    name: String,
    found: Refusal,
    /// What to do, in the reader's words; none where all is well.
    advice: Option<String>,
    remedy: Option<Refusal>,
}

/// What a check is called within messages.
fn name_of(check: &str) -> String {
    match check.strip_prefix("port ") {
        Some("25") => "way-out".to_owned(),
        Some(_) => "port".to_owned(),
        None => slug(check),
    }
}

fn check(page: &Page, view: CheckView) -> Check {
    let (dot, icon, badge) = match view.result.as_str() {
        "ok" => ("ok", "check", ("pass", "delivered", page.t("check-ok"))),
        "warn" => ("warn", "alert", ("warning", "alert", page.t("check-warn"))),
        _ => ("bad", "cross", ("failed", "hard", page.t("check-fail"))),
    };
    let name = name_of(&view.check);
    let port = view.check.strip_prefix("port ").unwrap_or_default();
    let (found, remedy) = refusal::of_check(&page.words, &view);
    Check {
        dot,
        icon,
        badge,
        name: page.with(&format!("check-name-{name}"), "port", port),
        advice: (view.result != "ok").then(|| page.t(&format!("check-advice-{name}"))),
        found,
        remedy,
    }
}

#[derive(Template)]
#[template(path = "checks.html")]
struct ChecksPage {
    page: Page,
    summary: String,
    checks: Vec<Check>,
}

/// Looks, which takes some seconds, and tells what is not well first.
async fn checks(visit: Visit) -> Result<Response, Failure> {
    let mut found: Vec<CheckView> = visit.ask(Operation::Checks).await?;
    found.sort_by_key(|check| match check.result.as_str() {
        "fail" => 0,
        "warn" => 1,
        _ => 2,
    });
    let page = visit.page();
    let well = found.iter().filter(|check| check.result == "ok").count();
    let summary = match found.len() - well {
        0 => page.count("checks-all-well", well),
        left => page.count("checks-left", left),
    };
    let checks = found.into_iter().map(|view| check(&page, view)).collect();
    Ok(shown(&ChecksPage { summary, checks, page }))
}

/// One of the steps after the checks.
struct Step {
    number: usize,
    is_done: bool,
    title: String,
    what: String,
    path: String,
    then: String,
    /// The account to look at in its place for it.
    enter: Option<u64>,
}

/// What is to be done in an account once everything is in place.
struct Next {
    /// The page that it begins at.
    to: &'static str,
    label: String,
    is_first: bool,
}

#[derive(Template)]
#[template(path = "first-steps.html")]
struct StepsPage {
    page: Page,
    steps: Vec<Step>,
    is_done: bool,
    /// The account that there is, where there is one.
    only: Option<u64>,
    next: Vec<Next>,
}

async fn first_steps(visit: Visit) -> Result<Response, Failure> {
    let few = Part { after: 0, limit: 2 };
    let accounts: Vec<AccountView> = visit.ask(Operation::AccountList { search: None, part: few }).await?;
    let users = Operation::SmtpUserList { account: None, domain: None, part: few };
    let users: Vec<SmtpUserView> = visit.ask(users).await?;
    let health: Health = visit.ask(Operation::Health).await?;
    let page = visit.page();
    let sends = ["validated", "warning", "vouched"].iter().any(|state| health.domains.contains_key(*state));
    // where there is one account, that is the one
    let enter = accounts.first().filter(|_| accounts.len() == 1).map(|account| account.id);
    let step = |number, name: &str, is_done, enter: Option<u64>| Step {
        number,
        is_done,
        title: page.t(&format!("step-{name}")),
        what: page.t(&format!("step-{name}-what")),
        path: "/operator/accounts".to_owned(),
        then: page.t(&format!("step-{name}-do")),
        enter: enter.filter(|_| !is_done),
    };
    let steps = vec![
        step(1, "account", !accounts.is_empty(), None),
        step(2, "domain", sends, enter),
        step(3, "user", !users.is_empty(), enter),
    ];
    let is_done = steps.iter().all(|step| step.is_done);
    let ways = [("test-email", "test-email"), ("domains", "steps-user"), ("", "account-enter")];
    let way =
        |(place, (to, label)): (usize, (&'static str, &str))| Next { to, label: page.t(label), is_first: place == 0 };
    let next = ways.into_iter().enumerate().map(way).collect();
    Ok(shown(&StepsPage { is_done, only: enter, next, steps, page }))
}
