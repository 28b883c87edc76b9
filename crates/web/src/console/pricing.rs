//! Pricing: the plan that an account is on, what is used of it, what is offered, and the form to ask for it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{AccountView, PlanChangeView, PlanRequestView, PlanView};
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown_as};
use super::question::{Pressed, Question, Sure, asked};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::words::Words;
use super::{For, Route, show, take};
use crate::letters::{name_of, price_of};

const EVERYBODY: For = For::Account(Need::Member);
const ASKING: Need = Need::Power(Power::Plan);

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/pricing", EVERYBODY, page),
        take("/pricing/ask", For::Account(ASKING), ask),
        take("/pricing/withdraw", For::Account(ASKING), withdraw),
        take("/pricing/keep", For::Account(ASKING), keep),
        show("/pricing/cancel", For::Account(ASKING), cancel_asked),
        take("/pricing/cancel", For::Account(ASKING), cancel),
    ]
}

/// A plan as people read it.
pub(super) struct Card {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) price: String,
    pub(super) recipients: String,
    pub(super) is_current: bool,
    pub(super) is_chosen: bool,
}

impl Card {
    pub(super) fn of(words: &Words, plan: &PlanView, current: Option<u64>, chosen: &str) -> Card {
        Card {
            id: plan.id,
            name: name_of(words.language, plan).to_owned(),
            price: price_of(words.language, plan).to_owned(),
            recipients: recipients(words, plan.recipients),
            is_current: current == Some(plan.id),
            is_chosen: plan.id.to_string() == chosen,
        }
    }
}

/// To how many recipients a month something lets an account send.
pub(super) fn recipients(words: &Words, number: Option<u64>) -> String {
    number.map_or_else(|| words.t("plan-unlimited"), |number| words.count("plan-recipients-a-month", number))
}

/// What is asked for, in words.
pub(super) fn wish(words: &Words, request: &PlanRequestView) -> String {
    match &request.plan {
        Some(plan) => words.with("plan-wish", "plan", name_of(words.language, plan)),
        None => words.t("plan-wish-cancel"),
    }
}

/// What became of the last request.
struct Request {
    slug: &'static str,
    icon: &'static str,
    what: String,
    when: String,
    message: String,
    reason: String,
    is_open: bool,
}

fn request(words: &Words, view: &PlanRequestView) -> Request {
    let wish = wish(words, view);
    let (slug, icon, what, at) = match view.state.as_str() {
        "open" => ("info", "clock", "request-open", Some(&view.asked_at)),
        "approved" => ("ok", "check", "request-approved", view.answered_at.as_ref()),
        _ => ("warn", "alert", "request-declined", view.answered_at.as_ref()),
    };
    let at = at.map(|at| words.minute(at)).unwrap_or_default();
    Request {
        slug,
        icon,
        what: words.with(what, "wish", wish.as_str()),
        when: words.filled("request-by", &[("who", &words.person(&view.asked_by)), ("at", &at)]),
        message: view.message.clone(),
        reason: view.reason.clone(),
        is_open: view.state == "open",
    }
}

/// What follows the plan in force, in words.
pub(super) fn change(words: &Words, change: &PlanChangeView) -> String {
    let day = words.day(&change.begins_at);
    match &change.plan {
        Some(plan) => {
            let name = name_of(words.language, plan);
            words.filled("plan-follows", &[("plan", name), ("day", day.as_str())])
        }
        None => words.with("plan-ends", "day", day.as_str()),
    }
}

/// Why an account has no plan, in words.
pub(super) fn no_plan(words: &Words, account: &AccountView) -> Option<String> {
    let why = if account.no_plan.as_deref()? == "cancelled" { "plan-none-cancelled" } else { "plan-none-unapproved" };
    Some(words.t(why))
}

#[derive(Template)]
#[template(path = "pricing.html")]
struct PricingPage {
    page: Page,
    no_plan: Option<String>,
    name: String,
    price: String,
    limit: String,
    is_own: bool,
    used: String,
    renews: String,
    change: Option<String>,
    request: Option<Request>,
    plans: Vec<Card>,
    /// Whether the visitor may ask for a plan, there is another, and no answer is waited for.
    asks: bool,
    /// Whether the visitor may take back what was asked for or is to come.
    may: bool,
    /// Whether there is something to cancel.
    may_cancel: bool,
    message: String,
    message_max: u64,
    refused: Option<Refusal>,
}

async fn shown(visit: &Visit, form: AskForm, refused: Option<Refusal>) -> Result<Response, Failure> {
    let number = visit.account_number()?;
    let account: AccountView = visit.ask(Operation::AccountShow { account: number }).await?;
    let plans: Vec<PlanView> = visit.ask(Operation::PlanList { account: Some(number) }).await?;
    let (page, words) = (visit.page(), visit.words());
    let may = visit.may(ASKING) && !page.suspended;
    let current = account.plan.as_ref().map(|plan| plan.id);
    let cards: Vec<Card> = plans.iter().map(|plan| Card::of(words, plan, current, &form.plan)).collect();
    let own = account.plan.as_ref().map(|plan| Card::of(words, plan, current, ""));
    let request = account.plan_request.as_ref().map(|view| request(words, view));
    let is_open = request.as_ref().is_some_and(|request| request.is_open);
    let asks = may && !is_open && cards.iter().any(|card| !card.is_current);
    let ends = account.plan_change.as_ref().is_some_and(|change| change.plan.is_none());
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = PricingPage {
        no_plan: no_plan(words, &account),
        name: own.as_ref().map(|card| card.name.clone()).unwrap_or_default(),
        price: own.map(|card| card.price).unwrap_or_default(),
        limit: recipients(words, account.quota),
        is_own: account.own_quota.is_some(),
        used: words.number(account.used),
        renews: words.day(&account.renews_at),
        change: account.plan_change.as_ref().map(|next| change(words, next)),
        request,
        plans: cards,
        asks,
        may,
        may_cancel: may && !is_open && current.is_some() && !ends,
        message: form.message,
        message_max: visit.console.settings.limits.reason_octets_max,
        refused,
        page,
    };
    Ok(shown_as(status, &shown))
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    shown(&visit, AskForm::default(), None).await
}

#[derive(Default, Deserialize)]
struct AskForm {
    #[serde(default)]
    plan: String,
    #[serde(default)]
    message: String,
}

async fn ask(Signed { visit, form }: Signed<AskForm>) -> Result<Response, Failure> {
    let Ok(plan) = form.plan.parse() else {
        let refused = Refusal::Ours(visit.words().t("plan-choose"));
        return shown(&visit, form, Some(refused)).await;
    };
    let (account, message) = (visit.account_number()?, form.message.clone());
    match visit.try_to::<PlanRequestView>(Operation::PlanAsk { account, plan: Some(plan), message }).await? {
        Ok(_) => Ok(on_to("/pricing")),
        Err(fault) => shown(&visit, form, Some(Refusal::of(visit.words(), &fault))).await,
    }
}

async fn withdraw(Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    visit.ask::<AccountView>(Operation::PlanWithdraw { account: visit.account_number()? }).await?;
    Ok(on_to("/pricing"))
}

async fn keep(Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    visit.ask::<AccountView>(Operation::PlanKeep { account: visit.account_number()? }).await?;
    Ok(on_to("/pricing"))
}

async fn cancel_asked(visit: Visit) -> Result<Response, Failure> {
    let account: AccountView = visit.ask(Operation::AccountShow { account: visit.account_number()? }).await?;
    let (page, day) = (visit.page(), visit.words().day(&account.renews_at));
    let question = Question {
        title: page.t("plan-cancel-title"),
        consequences: vec![
            page.t("plan-cancel-approval"),
            page.with("plan-cancel-when", "day", &day),
            page.t("plan-cancel-logins"),
            page.t("plan-cancel-back"),
        ],
        sure: page.t("plan-cancel-sure"),
        action: "/pricing/cancel".to_owned(),
        act: page.t("plan-cancel-do"),
        back: "/pricing".to_owned(),
    };
    Ok(asked(page, question))
}

async fn cancel(Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    let (account, message) = (visit.account_number()?, String::new());
    match visit.try_to::<PlanRequestView>(Operation::PlanAsk { account, plan: None, message }).await? {
        Ok(_) => Ok(on_to("/pricing")),
        Err(fault) => shown(&visit, AskForm::default(), Some(Refusal::of(visit.words(), &fault))).await,
    }
}
