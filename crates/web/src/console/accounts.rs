//! The operator's accounts: found, made, given a quota, suspended and resumed, vouched for, and looked at in their place.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::language::Language;
use relay::service::Setting;
use relay::service::operation::{Operation, Part};
use relay::service::view::{AccountView, ContactView, ContactsView, DomainView, DoneView, KeyView, PlanView};
use serde::Deserialize;

use super::form::Signed;
use super::listing::{Pager, part};
use super::own_account::{Zone, zones};
use super::page::{Failure, Page, QuotaBar, quota_bar, shown_as};
use super::pricing::{self, Card};
use super::question::{Choice, Confirm, Pressed, Question, Sure, Typed, asked};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::words::Words;
use super::{For, Route, show, take};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/operator/accounts", For::Operator, list),
        take("/operator/accounts", For::Operator, make),
        show("/operator/accounts/{account}", For::Operator, one),
        take("/operator/accounts/{account}/quota", For::Operator, quota),
        show("/operator/accounts/{account}/suspend", For::Operator, suspend_asked),
        take("/operator/accounts/{account}/suspend", For::Operator, suspend),
        take("/operator/accounts/{account}/resume", For::Operator, resume),
        show("/operator/accounts/{account}/delete", For::Operator, delete_asked),
        take("/operator/accounts/{account}/delete", For::Operator, delete),
        take("/operator/accounts/{account}/vouch", For::Operator, vouch),
        take("/operator/accounts/{account}/enter", For::Operator, enter),
        take("/operator/leave", For::Visitors, leave),
    ]
}

struct Row {
    account: AccountView,
    used: String,
    bar: Option<QuotaBar>,
}

fn row(page: &Page, account: AccountView) -> Row {
    let bar = quota_bar(&page.words, &account);
    let used = page.words.number(account.used);
    Row { used, bar, account }
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    page: Page,
    q: String,
    state: String,
    rows: Vec<Row>,
    is_empty: bool,
    pager: Option<Pager>,
    name: String,
    without_plan: bool,
    zones: Vec<Zone>,
    language: Language,
    refused: Option<Refusal>,
}

/// Accounts whose name, number or one of whose domains has what is looked for.
async fn found(visit: &Visit, q: &str, state: &str) -> Result<(Vec<AccountView>, bool), Failure> {
    let search = Some(q.to_owned()).filter(|search| !search.trim().is_empty());
    let listed = |search, part| visit.ask::<Vec<AccountView>>(Operation::AccountList { search, part });
    let mut accounts = listed(search, Part::WHOLE).await?;
    let is_empty = accounts.is_empty() && listed(None, Part { after: 0, limit: 1 }).await?.is_empty();
    if !state.is_empty() {
        accounts.retain(|account| account.state == state);
    }
    accounts.sort_by_cached_key(|account| account.name.to_lowercase());
    Ok((accounts, is_empty))
}

async fn listed(visit: &Visit, form: Option<(MakeForm, Refusal)>) -> Result<Response, Failure> {
    let (q, state) = (visit.asked("q").unwrap_or_default(), visit.asked("state").unwrap_or_default());
    let (accounts, is_empty) = found(visit, &q, &state).await?;
    let (accounts, pager) = part(visit, accounts);
    let page = visit.page();
    let rows = accounts.into_iter().map(|account| row(&page, account)).collect();
    let status = if form.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (MakeForm { name, without_plan, time_zone, language }, refused) =
        form.map_or_else(Default::default, |(form, words)| (form, Some(words)));
    let without_plan = without_plan.is_some();
    // most accounts are where their operator is, and speak as they do
    let zones = zones(time_zone.as_deref().unwrap_or_else(|| page.words.zone()));
    let language = language.unwrap_or(page.words.language);
    let shown = AccountsPage { q, state, rows, is_empty, pager, name, without_plan, zones, language, refused, page };
    Ok(shown_as(status, &shown))
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    listed(&visit, None).await
}

#[derive(Default, Deserialize)]
pub(super) struct MakeForm {
    name: String,
    #[serde(default)]
    without_plan: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    language: Option<Language>,
}

async fn make(Signed { visit, form }: Signed<MakeForm>) -> Result<Response, Failure> {
    let order = Operation::AccountAdd {
        name: form.name.clone(),
        without_plan: form.without_plan.is_some(),
        time_zone: form.time_zone.clone(),
        language: form.language,
    };
    match visit.try_to::<AccountView>(order).await? {
        Ok(made) => Ok(on_to(&place_of(made.id))),
        Err(fault) => listed(&visit, Some((form, Refusal::of(visit.words(), &fault)))).await,
    }
}

/// What an account is called; its number where it is gone.
pub(super) async fn called(visit: &Visit, account: u64) -> Result<String, Failure> {
    // the first from its number on, which is another where it is gone
    let part = Part { after: account.saturating_sub(1), limit: 1 };
    let found: Vec<AccountView> = visit.ask(Operation::AccountList { search: None, part }).await?;
    let found = found.into_iter().find(|found| found.id == account).map(|found| found.name);
    Ok(found.unwrap_or_else(|| visit.words().with("account-number", "number", account.to_string())))
}

fn place_of(account: u64) -> String {
    format!("/operator/accounts/{account}")
}

struct DomainRow {
    domain: DomainView,
    icon: &'static str,
    state: String,
    /// What its required records lack.
    wrong: Vec<String>,
}

/// Of each required record of a domain that is not as it should be, its name and what DNS has of it.
fn wrong(words: &Words, domain: &DomainView) -> Vec<String> {
    let told = |key: &KeyView| {
        let finding = key.finding.as_deref().filter(|finding| key.required && *finding != "right")?;
        let said = match finding {
            "absent" => "record-absent",
            "wrong" => "record-wrong",
            _ => "record-unknown",
        };
        Some(words.filled("record-of", &[("name", &key.name), ("said", &words.t(said))]))
    };
    domain.keys.iter().filter_map(told).collect()
}

/// The icon of a domain's state.
pub(super) fn state_icon(state: &str) -> &'static str {
    match state {
        "validated" => "delivered",
        "warning" => "alert",
        "failed" => "hard",
        "vouched" => "shield",
        _ => "pending",
    }
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    row: Row,
    renews: String,
    made: String,
    /// What stands in the form of the quota.
    recipients: String,
    renews_on: String,
    plans: Vec<Card>,
    no_plan: bool,
    change: Option<String>,
    /// What it asks for, where that waits.
    wish: Option<String>,
    contacts: Vec<(String, ContactView)>,
    domains: Vec<DomainRow>,
    refused: Option<Refusal>,
}

async fn one_shown(visit: &Visit, account: u64, form: Option<(QuotaForm, Refusal)>) -> Result<Response, Failure> {
    let account: AccountView = visit.ask(Operation::AccountShow { account }).await?;
    let domains: Vec<DomainView> =
        visit.ask(Operation::DomainList { account: Some(account.id), part: Part::WHOLE }).await?;
    let contacts: ContactsView = visit.ask(Operation::AccountContacts { account: account.id }).await?;
    let plans = plans_for(visit, &account).await?;
    let page = visit.page();
    let contact = |name, contact: Option<ContactView>| Some((page.t(name), contact?));
    let contacts = [contact("contact-primary", contacts.primary), contact("contact-billing", contacts.billing)];
    let open = account.plan_request.as_ref().filter(|request| request.state == "open");
    let wish = open.map(|request| pricing::wish(&page.words, request));
    let domain = |domain: DomainView| DomainRow {
        icon: state_icon(&domain.state),
        state: page.t(&format!("domain-is-{}", domain.state)),
        wrong: wrong(&page.words, &domain),
        domain,
    };
    let kept = QuotaForm {
        recipients: account.own_quota.map(|quota| quota.to_string()).unwrap_or_default(),
        renews_on: account.renews_on.to_string(),
    };
    let status = if form.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (form, refused) = form.map_or((kept, None), |(form, words)| (form, Some(words)));
    let shown = AccountPage {
        renews: page.words.day(&account.renews_at),
        made: page.words.minute(&account.created_at),
        recipients: form.recipients,
        renews_on: form.renews_on,
        plans,
        no_plan: account.plan.is_none(),
        change: account.plan_change.as_ref().map(|change| pricing::change(&page.words, change)),
        wish,
        contacts: contacts.into_iter().flatten().collect(),
        domains: domains.into_iter().map(domain).collect(),
        row: row(&page, account),
        refused,
        page,
    };
    Ok(shown_as(status, &shown))
}

/// The plans that an account may be given, and the one that it is on.
async fn plans_for(visit: &Visit, account: &AccountView) -> Result<Vec<Card>, Failure> {
    let plans: Vec<PlanView> = visit.ask(Operation::PlanList { account: None }).await?;
    let current = account.plan.as_ref().map(|plan| plan.id);
    let may_be = plans.iter().filter(|plan| !plan.retired || current == Some(plan.id));
    Ok(may_be.map(|plan| Card::of(visit.words(), plan, current, "")).collect())
}

async fn one(visit: Visit, Path(account): Path<String>) -> Result<Response, Failure> {
    let account = visit.number(&account)?;
    one_shown(&visit, account, None).await
}

#[derive(Deserialize)]
pub(super) struct QuotaForm {
    recipients: String,
    renews_on: String,
}

impl QuotaForm {
    fn order(&self, account: u64) -> Option<Operation> {
        let digits: String = self.recipients.chars().filter(|letter| !letter.is_whitespace()).collect();
        let recipients = if digits.is_empty() { Setting::Default } else { Setting::To(digits.parse().ok()?) };
        let renews_on = Some(self.renews_on.trim().parse().ok()?);
        Some(Operation::AccountQuota { account, recipients, renews_on })
    }
}

async fn quota(Path(account): Path<String>, Signed { visit, form }: Signed<QuotaForm>) -> Result<Response, Failure> {
    let account = visit.number(&account)?;
    let Some(order) = form.order(account) else {
        let words = Refusal::Ours(visit.words().t("account-quota-no-number"));
        return one_shown(&visit, account, Some((form, words))).await;
    };
    match visit.try_to::<AccountView>(order).await? {
        Ok(_) => Ok(on_to(&place_of(account))),
        Err(fault) => one_shown(&visit, account, Some((form, Refusal::of(visit.words(), &fault)))).await,
    }
}

async fn suspend_asked(visit: Visit, Path(account): Path<String>) -> Result<Response, Failure> {
    let account: AccountView = visit.ask(Operation::AccountShow { account: visit.number(&account)? }).await?;
    let page = visit.page();
    let question = Question {
        title: page.with("account-suspend-title", "name", &account.name),
        consequences: vec![
            page.t("account-suspend-logins"),
            page.t("account-suspend-queue"),
            page.t("account-suspend-members"),
        ],
        sure: page.t("account-suspend-sure"),
        action: format!("{}/suspend", place_of(account.id)),
        act: page.t("account-suspend"),
        back: place_of(account.id),
    };
    Ok(asked(page, question))
}

async fn suspend(Path(account): Path<String>, Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    let account = visit.number(&account)?;
    visit.ask::<AccountView>(Operation::AccountSuspend { account }).await?;
    Ok(on_to(&place_of(account)))
}

async fn resume(Path(account): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    let account = visit.number(&account)?;
    visit.ask::<AccountView>(Operation::AccountResume { account }).await?;
    Ok(on_to(&place_of(account)))
}

/// Asks with the name, which is to be typed; what becomes of the mail is chosen.
fn deletion(visit: &Visit, account: &AccountView, cancels: bool, refused: Option<Refusal>) -> Response {
    let page = visit.page();
    let choice = |value, name: &str, is_chosen| Choice { value, label: page.t(name), is_chosen };
    let choices =
        vec![choice("deliver", "account-delete-deliver", !cancels), choice("cancel", "account-delete-cancel", cancels)];
    let label = page.with("account-delete-type", "name", &account.name);
    let confirm = Confirm {
        title: page.with("account-delete-title", "name", &account.name),
        lines: vec![
            page.t("account-delete-stops"),
            page.t("account-delete-held"),
            page.t("account-delete-purged"),
            page.t("account-delete-final"),
        ],
        action: format!("{}/delete", place_of(account.id)),
        back: place_of(account.id),
        button: page.t("account-delete-do"),
        typed: Some(Typed::text(label, &account.name)),
        sure: None,
        which: page.t("account-delete-which"),
        choices,
        is_final: true,
        refused,
        page,
    };
    confirm.asked()
}

async fn delete_asked(visit: Visit, Path(account): Path<String>) -> Result<Response, Failure> {
    let account: AccountView = visit.ask(Operation::AccountShow { account: visit.number(&account)? }).await?;
    Ok(deletion(&visit, &account, false, None))
}

#[derive(Deserialize)]
pub(super) struct DeleteForm {
    #[serde(default)]
    typed: String,
    #[serde(default)]
    choice: String,
}

async fn delete(Path(account): Path<String>, Signed { visit, form }: Signed<DeleteForm>) -> Result<Response, Failure> {
    let account: AccountView = visit.ask(Operation::AccountShow { account: visit.number(&account)? }).await?;
    let cancel_mail = form.choice == "cancel";
    if form.typed.trim() != account.name {
        let words = visit.words().with("account-delete-typed-else", "name", account.name.as_str());
        return Ok(deletion(&visit, &account, cancel_mail, Some(Refusal::Ours(words))));
    }
    visit.ask::<DoneView>(Operation::AccountDelete { account: account.id, cancel_mail }).await?;
    Ok(on_to("/operator/accounts"))
}

#[derive(Deserialize)]
pub(super) struct VouchForm {
    domain: String,
    vouched: bool,
}

async fn vouch(Path(account): Path<String>, Signed { visit, form }: Signed<VouchForm>) -> Result<Response, Failure> {
    let account = visit.number(&account)?;
    let VouchForm { domain, vouched } = form;
    visit.ask::<DomainView>(Operation::DomainVouch { domain, vouched }).await?;
    Ok(on_to(&place_of(account)))
}

/// Where whoever looks in an account's place begins.
#[derive(Deserialize)]
pub(super) struct EnterForm {
    #[serde(default)]
    to: String,
}

async fn enter(Path(account): Path<String>, Signed { visit, form }: Signed<EnterForm>) -> Result<Response, Failure> {
    let account = visit.number(&account)?;
    let door = visit.console.door.clone();
    door.act_for(visit.visitor.clone(), Some(account)).await.map_err(|fault| visit.page().failure(fault))?;
    // nowhere but to one of its pages
    Ok(on_to(match form.to.as_str() {
        "domains" => "/domains",
        "test-email" => "/test-email",
        _ => "/",
    }))
}

async fn leave(Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    let door = visit.console.door.clone();
    door.act_for(visit.visitor.clone(), None).await.map_err(|fault| visit.page().failure(fault))?;
    Ok(on_to("/operator"))
}
