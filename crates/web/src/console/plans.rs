//! The operator's plans: listed, made, changed, retired; what accounts ask for, and which plan each is on.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{AccountView, DoneView, PlanRequestView, PlanView};
use relay::service::{Setting, TermsChange};
use serde::Deserialize;

use super::form::Signed;
use super::listing::{Pager, part};
use super::page::{Failure, Page, shown as page_shown, shown_as};
use super::pricing::{recipients, wish};
use super::question::{Pressed, Question, Sure, asked};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/operator/plans", For::Operator, list),
        take("/operator/plans", For::Operator, make),
        show("/operator/plans/{plan}", For::Operator, one),
        take("/operator/plans/{plan}", For::Operator, change),
        take("/operator/plans/{plan}/default", For::Operator, make_default),
        take("/operator/plans/{plan}/retire", For::Operator, retire),
        take("/operator/plans/{plan}/bring-back", For::Operator, bring_back),
        show("/operator/plans/{plan}/delete", For::Operator, delete_asked),
        take("/operator/plans/{plan}/delete", For::Operator, delete),
        show("/operator/requests", For::Operator, requests),
        take("/operator/requests/{request}/approve", For::Operator, approve),
        take("/operator/requests/{request}/decline", For::Operator, decline),
        take("/operator/accounts/{account}/plan", For::Operator, give),
    ]
}

struct Row {
    plan: PlanView,
    price: String,
    recipients: String,
    accounts: String,
}

/// A plan as typed.
#[derive(Default, Deserialize)]
struct PlanForm {
    name: String,
    #[serde(default)]
    name_fr: String,
    /// Empty: without limit.
    recipients: String,
    #[serde(default)]
    price: String,
    #[serde(default)]
    price_fr: String,
    #[serde(default)]
    offered: Option<String>,
    #[serde(default)]
    place: String,
}

impl PlanForm {
    fn of(plan: &PlanView) -> PlanForm {
        // what is the same in both languages was typed once
        let other = |text: &str, english: &str| if text == english { String::new() } else { text.to_owned() };
        PlanForm {
            name: plan.name.clone(),
            name_fr: other(&plan.name_fr, &plan.name),
            recipients: plan.recipients.map(|number| number.to_string()).unwrap_or_default(),
            price: plan.price.clone(),
            price_fr: other(&plan.price_fr, &plan.price),
            offered: plan.offered.then(|| "1".to_owned()),
            place: plan.place.to_string(),
        }
    }

    /// The terms; none where what has to be a number is none.
    fn terms(&self) -> Option<TermsChange> {
        let digits = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        let (number, place) = (digits(&self.recipients), digits(&self.place));
        Some(TermsChange {
            name: Some(self.name.clone()),
            name_fr: Some(self.name_fr.clone()),
            recipients: if number.is_empty() { Setting::Default } else { Setting::To(number.parse().ok()?) },
            price: Some(self.price.clone()),
            price_fr: Some(self.price_fr.clone()),
            offered: Some(self.offered.is_some()),
            place: Some(if place.is_empty() { 0 } else { place.parse().ok()? }),
        })
    }
}

#[derive(Template)]
#[template(path = "plans.html")]
struct PlansPage {
    page: Page,
    rows: Vec<Row>,
    /// Requests that wait.
    waiting: usize,
    form: PlanForm,
    refused: Option<Refusal>,
}

async fn listed(visit: &Visit, form: PlanForm, refused: Option<Refusal>) -> Result<Response, Failure> {
    let plans: Vec<PlanView> = visit.ask(Operation::PlanList { account: None }).await?;
    let waiting: Vec<PlanRequestView> = visit.ask(Operation::PlanRequestList).await?;
    let (page, words) = (visit.page(), visit.words());
    let row = |plan: PlanView| Row {
        price: crate::letters::price_of(words.language, &plan).to_owned(),
        recipients: recipients(words, plan.recipients),
        accounts: words.number(plan.accounts.unwrap_or_default()),
        plan,
    };
    let rows = plans.into_iter().map(row).collect();
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(shown_as(status, &PlansPage { page, rows, waiting: waiting.len(), form, refused }))
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    listed(&visit, PlanForm { offered: Some("1".to_owned()), ..PlanForm::default() }, None).await
}

async fn make(Signed { visit, form }: Signed<PlanForm>) -> Result<Response, Failure> {
    let Some(terms) = form.terms() else {
        let refused = Refusal::Ours(visit.words().t("plan-no-number"));
        return listed(&visit, form, Some(refused)).await;
    };
    match visit.try_to::<PlanView>(Operation::PlanAdd { name: form.name.clone(), terms }).await? {
        Ok(_) => Ok(on_to("/operator/plans")),
        Err(fault) => listed(&visit, form, Some(Refusal::of(visit.words(), &fault))).await,
    }
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    page: Page,
    plan: PlanView,
    name: String,
    accounts: String,
    is_free: bool,
    form: PlanForm,
    refused: Option<Refusal>,
}

async fn of(visit: &Visit, plan: &str) -> Result<PlanView, Failure> {
    let number = visit.number(plan)?;
    let plans: Vec<PlanView> = visit.ask(Operation::PlanList { account: None }).await?;
    plans.into_iter().find(|plan| plan.id == number).ok_or_else(|| visit.nothing())
}

fn one_shown(visit: &Visit, plan: PlanView, form: Option<(PlanForm, Refusal)>) -> Response {
    let (page, words) = (visit.page(), visit.words());
    let status = if form.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (form, refused) = form.map_or_else(|| (PlanForm::of(&plan), None), |(form, refused)| (form, Some(refused)));
    let accounts = words.count("plan-accounts", plan.accounts.unwrap_or_default());
    let (name, is_free) = (crate::letters::name_of(words.language, &plan).to_owned(), plan.accounts == Some(0));
    shown_as(status, &PlanPage { page, name, accounts, is_free: is_free && !plan.default, plan, form, refused })
}

async fn one(visit: Visit, Path(plan): Path<String>) -> Result<Response, Failure> {
    let plan = of(&visit, &plan).await?;
    Ok(one_shown(&visit, plan, None))
}

fn place_of(plan: u64) -> String {
    format!("/operator/plans/{plan}")
}

async fn change(Path(plan): Path<String>, Signed { visit, form }: Signed<PlanForm>) -> Result<Response, Failure> {
    let plan = of(&visit, &plan).await?;
    let Some(terms) = form.terms() else {
        let refused = Refusal::Ours(visit.words().t("plan-no-number"));
        return Ok(one_shown(&visit, plan, Some((form, refused))));
    };
    match visit.try_to::<PlanView>(Operation::PlanSet { plan: plan.id, terms }).await? {
        Ok(_) => Ok(on_to("/operator/plans")),
        Err(fault) => Ok(one_shown(&visit, plan, Some((form, Refusal::of(visit.words(), &fault))))),
    }
}

async fn make_default(Path(plan): Path<String>, form: Signed<Pressed>) -> Result<Response, Failure> {
    let plan = form.visit.number(&plan)?;
    form.visit.ask::<PlanView>(Operation::PlanDefault { plan }).await?;
    Ok(on_to(&place_of(plan)))
}

async fn retire(Path(plan): Path<String>, form: Signed<Pressed>) -> Result<Response, Failure> {
    let plan = form.visit.number(&plan)?;
    form.visit.ask::<PlanView>(Operation::PlanRetire { plan, retired: true }).await?;
    Ok(on_to(&place_of(plan)))
}

async fn bring_back(Path(plan): Path<String>, form: Signed<Pressed>) -> Result<Response, Failure> {
    let plan = form.visit.number(&plan)?;
    form.visit.ask::<PlanView>(Operation::PlanRetire { plan, retired: false }).await?;
    Ok(on_to(&place_of(plan)))
}

async fn delete_asked(visit: Visit, Path(plan): Path<String>) -> Result<Response, Failure> {
    let plan = of(&visit, &plan).await?;
    let (page, name) = (visit.page(), crate::letters::name_of(visit.words().language, &plan));
    let question = Question {
        title: page.with("plan-delete-title", "name", name),
        consequences: vec![page.t("cannot-be-undone")],
        sure: page.t("plan-delete-sure"),
        action: format!("{}/delete", place_of(plan.id)),
        act: page.t("plan-delete"),
        back: place_of(plan.id),
    };
    Ok(asked(page, question))
}

async fn delete(Path(plan): Path<String>, Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    let plan = of(&visit, &plan).await?;
    match visit.try_to::<DoneView>(Operation::PlanDelete { plan: plan.id }).await? {
        Ok(_) => Ok(on_to("/operator/plans")),
        Err(fault) => {
            let form = PlanForm::of(&plan);
            Ok(one_shown(&visit, plan, Some((form, Refusal::of(visit.words(), &fault)))))
        }
    }
}

struct Waiting {
    request: PlanRequestView,
    who: String,
    wish: String,
    at: String,
    /// What the account is on now, and may send to.
    now: String,
}

#[derive(Template)]
#[template(path = "plan-requests.html")]
struct RequestsPage {
    page: Page,
    rows: Vec<Waiting>,
    pager: Option<Pager>,
    reason_max: u64,
    refused: Option<Refusal>,
}

async fn requests_shown(visit: &Visit, refused: Option<Refusal>) -> Result<Response, Failure> {
    let (waiting, pager) = part::<PlanRequestView>(visit, visit.ask(Operation::PlanRequestList).await?);
    // what took a form is no place that a link leads to
    let pager = pager.filter(|_| refused.is_none());
    let (page, words) = (visit.page(), visit.words());
    let mut rows = Vec::new();
    for request in waiting {
        let account: AccountView = visit.ask(Operation::AccountShow { account: request.account }).await?;
        let plan = account.plan.as_ref().map(|plan| crate::letters::name_of(words.language, plan));
        let limit = recipients(words, account.quota);
        let now = match plan {
            Some(plan) => words.filled("request-now", &[("plan", plan), ("recipients", limit.as_str())]),
            None => words.t("plan-none"),
        };
        let (who, at) = (words.person(&request.asked_by), words.minute(&request.asked_at));
        rows.push(Waiting { wish: wish(words, &request), who, at, now, request });
    }
    let reason_max = visit.console.settings.limits.reason_octets_max;
    let shown = RequestsPage { page, rows, pager, reason_max, refused };
    if shown.refused.is_some() {
        Ok(shown_as(StatusCode::UNPROCESSABLE_ENTITY, &shown))
    } else {
        Ok(page_shown(&shown))
    }
}

async fn requests(visit: Visit) -> Result<Response, Failure> {
    requests_shown(&visit, None).await
}

async fn answered(visit: &Visit, operation: Operation) -> Result<Response, Failure> {
    match visit.try_to::<PlanRequestView>(operation).await? {
        Ok(_) => Ok(on_to("/operator/requests")),
        Err(fault) => requests_shown(visit, Some(Refusal::of(visit.words(), &fault))).await,
    }
}

async fn approve(Path(request): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    let request = visit.number(&request)?;
    answered(&visit, Operation::PlanApprove { request }).await
}

#[derive(Deserialize)]
struct DeclineForm {
    #[serde(default)]
    reason: String,
}

async fn decline(
    Path(request): Path<String>,
    Signed { visit, form }: Signed<DeclineForm>,
) -> Result<Response, Failure> {
    let request = visit.number(&request)?;
    answered(&visit, Operation::PlanDecline { request, reason: form.reason }).await
}

#[derive(Deserialize)]
struct GiveForm {
    /// Empty: none.
    plan: String,
}

async fn give(Path(account): Path<String>, Signed { visit, form }: Signed<GiveForm>) -> Result<Response, Failure> {
    let account = visit.number(&account)?;
    let plan = if form.plan.is_empty() { None } else { Some(visit.number(&form.plan)?) };
    visit.ask::<AccountView>(Operation::AccountPlan { account, plan }).await?;
    Ok(on_to(&format!("/operator/accounts/{account}")))
}
