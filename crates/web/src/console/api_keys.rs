//! API keys: those of an account for its administrators, and the operator's own for the operator.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power, Powers};
use relay::service::operation::Operation;
use relay::service::view::{ApiKeySecretView, ApiKeyView, DoneView, word};
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown, shown_as};
use super::question::{Question, Sure, asked};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const OWN: For = For::Account(Need::Power(Power::Administration));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/api-keys", OWN, list),
        take("/api-keys", OWN, make),
        show("/api-keys/{key}/delete", OWN, delete_asked),
        take("/api-keys/{key}/delete", OWN, delete),
        show("/operator/api-keys", For::Operator, list),
        take("/operator/api-keys", For::Operator, make),
        show("/operator/api-keys/{key}/delete", For::Operator, delete_asked),
        take("/operator/api-keys/{key}/delete", For::Operator, delete),
    ]
}

/// Where these pages are for this visitor.
fn base(visit: &Visit) -> &'static str {
    if visit.may(Need::Operator) { "/operator/api-keys" } else { "/api-keys" }
}

fn list_of(visit: &Visit, account: Option<u64>) -> String {
    match account.filter(|_| visit.may(Need::Operator)) {
        Some(account) => format!("{}?account={account}", base(visit)),
        None => base(visit).to_owned(),
    }
}

struct Row {
    key: ApiKeyView,
    powers: Vec<String>,
    made: String,
    end: Option<String>,
    used: Option<String>,
}

/// A power that can be given.
struct Choice {
    word: String,
    name: String,
    about: String,
    is_chosen: bool,
}

/// What was typed into the form.
#[derive(Deserialize)]
pub(super) struct KeyForm {
    name: String,
    #[serde(default)]
    powers: Vec<Power>,
    #[serde(default)]
    read_only: Option<String>,
    #[serde(default)]
    expires_on: String,
    #[serde(default)]
    account: Option<u64>,
}

impl KeyForm {
    fn empty(account: Option<u64>) -> KeyForm {
        let (name, expires_on) = (String::new(), String::new());
        KeyForm { name, powers: vec![Power::Activity], read_only: None, expires_on, account }
    }
}

#[derive(Template)]
#[template(path = "api-keys.html")]
struct KeysPage {
    page: Page,
    base: &'static str,
    account: Option<u64>,
    /// They reach one account, and no further than their powers.
    has_powers: bool,
    rows: Vec<Row>,
    choices: Vec<Choice>,
    form: KeyForm,
    refused: Option<Refusal>,
    /// Where the reference of the API is; none: it is not served.
    reference: Option<String>,
}

async fn listed(visit: &Visit, form: KeyForm, refused: Option<Refusal>) -> Result<Response, Failure> {
    let (page, account) = (visit.page(), form.account.filter(|_| visit.may(Need::Operator)));
    let mut keys: Vec<ApiKeyView> = visit.ask(Operation::ApiKeyList { account }).await?;
    if visit.may(Need::Operator) {
        keys.retain(|key| key.account == account);
    }
    let row = |key: ApiKeyView| Row {
        powers: key.powers.iter().map(|power| page.t(&format!("power-{power}"))).collect(),
        made: page.words.minute(&key.created_at),
        end: key.expires_at.as_deref().map(|at| page.words.minute(at)),
        used: key.last_used_at.as_deref().map(|at| page.words.minute(at)),
        key,
    };
    let choice = |power: Power| {
        let word = word(&power);
        let (name, about) = (page.t(&format!("power-{word}")), page.t(&format!("power-what-{word}")));
        Choice { word, name, about, is_chosen: form.powers.contains(&power) }
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = KeysPage {
        base: base(visit),
        account,
        has_powers: !visit.may(Need::Operator) || account.is_some(),
        rows: keys.into_iter().map(row).collect(),
        choices: Power::ALL.into_iter().map(choice).collect(),
        form,
        refused,
        reference: visit.console.settings.api_url.as_ref().map(|url| format!("{url}{}/reference", crate::api::PREFIX)),
        page,
    };
    Ok(shown_as(status, &shown))
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let account = visit.number_asked("account")?;
    listed(&visit, KeyForm::empty(account), None).await
}

#[derive(Template)]
#[template(path = "api-key-made.html")]
struct MadePage {
    page: Page,
    back: String,
    name: String,
    secret: String,
    end: Option<String>,
    example: Option<String>,
}

/// A request that any key may make.
fn example(visit: &Visit, made: &ApiKeySecretView, secret: &str) -> Option<String> {
    let url = visit.console.settings.api_url.as_ref()?;
    let path = made.key.account.map_or_else(|| "health".to_owned(), |account| format!("accounts/{account}"));
    Some(format!("curl -H 'Authorization: Bearer {secret}' {url}/api/v1/{path}"))
}

async fn make(Signed { visit, form }: Signed<KeyForm>) -> Result<Response, Failure> {
    let account = form.account.filter(|_| visit.may(Need::Operator));
    let Ok(expires_at) = visit.words().end_of_day(&form.expires_on) else {
        let words = visit.words().t("api-key-no-day");
        return listed(&visit, form, Some(Refusal::Ours(words))).await;
    };
    let reaches_all = visit.may(Need::Operator) && account.is_none();
    let powers = if reaches_all { Powers::NONE } else { form.powers.iter().copied().collect() };
    if !reaches_all && powers == Powers::NONE {
        let words = visit.words().t("api-key-no-power");
        return listed(&visit, form, Some(Refusal::Ours(words))).await;
    }
    let (name, read_only) = (form.name.clone(), form.read_only.is_some());
    let order = Operation::ApiKeyAdd { account, name, powers, read_only, expires_at };
    match visit.try_to::<ApiKeySecretView>(order).await? {
        Ok(made) => {
            let page = visit.page();
            let secret = made.secret.expose().to_owned();
            let shown_page = MadePage {
                back: list_of(&visit, made.key.account),
                example: example(&visit, &made, &secret),
                end: made.key.expires_at.as_deref().map(|at| page.words.minute(at)),
                name: made.key.name,
                secret,
                page,
            };
            Ok(shown(&shown_page))
        }
        Err(fault) => listed(&visit, form, Some(Refusal::of(visit.words(), &fault))).await,
    }
}

async fn key_of(visit: &Visit, key: &str) -> Result<ApiKeyView, Failure> {
    let number = visit.number(key)?;
    let keys: Vec<ApiKeyView> = visit.ask(Operation::ApiKeyList { account: None }).await?;
    keys.into_iter().find(|key| key.id == number).ok_or_else(|| visit.nothing())
}

async fn delete_asked(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    let found = key_of(&visit, &key).await?;
    let page = visit.page();
    let question = Question {
        title: page.with("api-key-delete-title", "name", &found.name),
        consequences: vec![page.t("api-key-delete-then"), page.t("cannot-be-undone")],
        sure: page.t("api-key-delete-sure"),
        action: format!("{}/{key}/delete", base(&visit)),
        act: page.t("api-key-delete"),
        back: list_of(&visit, found.account),
    };
    Ok(asked(page, question))
}

async fn delete(Path(key): Path<String>, Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    let found = key_of(&visit, &key).await?;
    visit.ask::<DoneView>(Operation::ApiKeyDelete { key: found.id }).await?;
    Ok(on_to(&list_of(&visit, found.account)))
}
