//! Webhooks of an account: listed, made, changed, tried, their calls read and sent once more.

mod log;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::{Operation, Part};
use relay::service::view::{DomainView, DoneView, SmtpUserView, WebhookSecretView, WebhookView, word};
use relay::service::{Setting, WebhookWish};
use relay::webhook::EventKind;
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown, shown_as};
use super::question::{Pressed, Question, Sure, asked};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};
use log::Log;

const OWN: For = For::Account(Need::Power(Power::Administration));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        show("/webhooks", OWN, list),
        take("/webhooks", OWN, make),
        show("/webhooks/{webhook}", OWN, page),
        take("/webhooks/{webhook}", OWN, set),
        take("/webhooks/{webhook}/enable", OWN, enable),
        take("/webhooks/{webhook}/disable", OWN, disable),
        take("/webhooks/{webhook}/test", OWN, test),
        show("/webhooks/{webhook}/rotate", OWN, rotate_asked),
        take("/webhooks/{webhook}/rotate", OWN, rotate),
        show("/webhooks/{webhook}/delete", OWN, delete_asked),
        take("/webhooks/{webhook}/delete", OWN, delete),
    ];
    routes.extend(log::routes(OWN));
    routes
}

/// The message that names an event.
pub(super) fn event_name(event: &str) -> &'static str {
    match event {
        "recipient.rejected" => "status-rejected",
        "recipient.accepted" => "status-accepted",
        "recipient.delivered" => "status-delivered",
        "recipient.deferred" => "status-deferred",
        "recipient.soft_bounce" => "status-soft",
        "recipient.hard_bounce" => "status-hard",
        "recipient.complaint" => "status-complaint",
        "brake.on" => "webhook-event-brake-on",
        "brake.released" => "webhook-event-brake-released",
        "blocklist.listed" => "webhook-event-blocklist-listed",
        "blocklist.delisted" => "webhook-event-blocklist-delisted",
        _ => "webhook-event-test",
    }
}

/// Colour, icon and words of a state.
struct Badge {
    slug: &'static str,
    icon: &'static str,
    words: String,
}

impl Badge {
    fn of(page: &Page, state: &str) -> Badge {
        let (slug, icon, words) = match state {
            "enabled" => ("active", "delivered", "webhook-is-enabled"),
            "gone" => ("failed", "alert", "webhook-is-gone"),
            _ => ("rejected", "rejected", "webhook-is-disabled"),
        };
        Badge { slug, icon, words: page.t(words) }
    }
}

struct Row {
    webhook: WebhookView,
    state: Badge,
    events: Vec<String>,
    waiting: String,
}

/// An event that can be chosen.
struct Choice {
    word: String,
    name: String,
    is_chosen: bool,
}

/// A domain or SMTP user that can be chosen: its number, its name, and whether it is.
type Chosen = (u64, String, bool);

/// What can be said of a webhook, as it was typed.
#[derive(Default, Deserialize)]
struct HookForm {
    name: String,
    url: String,
    #[serde(default)]
    events: Vec<EventKind>,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    user: String,
}

impl HookForm {
    fn of(webhook: &WebhookView) -> HookForm {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let chosen = |kind: &EventKind| webhook.events.contains(&word(kind));
        HookForm {
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: EventKind::CHOICES.into_iter().filter(chosen).collect(),
            domain: number(webhook.domain),
            user: number(webhook.user),
        }
    }

    fn wish(&self) -> WebhookWish {
        let of = |given: &str| {
            let given = given.trim();
            if given.is_empty() { Setting::Default } else { Setting::To(given.to_owned()) }
        };
        WebhookWish {
            name: Some(self.name.clone()),
            url: Some(self.url.clone()),
            events: Some(self.events.clone()),
            domain: of(&self.domain),
            user: of(&self.user),
            enabled: None,
        }
    }
}

/// The fields of the form, filled.
struct Fields {
    form: HookForm,
    choices: Vec<Choice>,
    domains: Vec<Chosen>,
    users: Vec<Chosen>,
}

impl Fields {
    async fn of(visit: &Visit, form: HookForm) -> Result<Fields, Failure> {
        let account = Some(visit.account_number()?);
        // whoever may not see them chooses among none
        let domains = visit
            .try_to::<Vec<DomainView>>(Operation::DomainList { account, part: Part::WHOLE })
            .await?
            .unwrap_or_default();
        let users = Operation::SmtpUserList { account, domain: None, part: Part::WHOLE };
        let users = visit.try_to::<Vec<SmtpUserView>>(users).await?.unwrap_or_default();
        let is = |id: u64, chosen: &str| chosen == id.to_string();
        let domain = |domain: DomainView| (domain.id, domain.name, is(domain.id, &form.domain));
        let user = |user: SmtpUserView| {
            let name = format!("{} ({})", user.name, user.domain);
            (user.id, name, is(user.id, &form.user))
        };
        let choice = |kind: EventKind| {
            let word = word(&kind);
            let name = visit.words().t(event_name(&word));
            Choice { word, name, is_chosen: form.events.contains(&kind) }
        };
        let choices = EventKind::CHOICES.into_iter().map(choice).collect();
        let (domains, users) = (domains.into_iter().map(domain).collect(), users.into_iter().map(user).collect());
        Ok(Fields { choices, domains, users, form })
    }
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    fields: Fields,
    refused: Option<Refusal>,
}

async fn listed(visit: &Visit, form: HookForm, refused: Option<Refusal>) -> Result<Response, Failure> {
    let (page, account) = (visit.page(), Some(visit.account_number()?));
    let webhooks: Vec<WebhookView> = visit.ask(Operation::WebhookList { account }).await?;
    let row = |webhook: WebhookView| Row {
        state: Badge::of(&page, &webhook.state),
        events: webhook.events.iter().map(|event| page.t(event_name(event))).collect(),
        waiting: page.words.number(webhook.waiting),
        webhook,
    };
    let rows = webhooks.into_iter().map(row).collect();
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let fields = Fields::of(visit, form).await?;
    Ok(shown_as(status, &ListPage { rows, fields, refused, page }))
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let events = vec![EventKind::Delivered, EventKind::SoftBounce, EventKind::HardBounce];
    listed(&visit, HookForm { events, ..HookForm::default() }, None).await
}

#[derive(Template)]
#[template(path = "webhook-secret.html")]
struct SecretPage {
    page: Page,
    id: u64,
    title: String,
    secret: String,
    is_rotation: bool,
}

fn secret(visit: &Visit, made: &WebhookSecretView, is_rotation: bool) -> Response {
    let page = visit.page();
    let title = if is_rotation { "webhook-rotated" } else { "webhook-made" };
    let title = page.with(title, "name", &made.webhook.name);
    shown(&SecretPage { id: made.webhook.id, title, secret: made.secret.expose().to_owned(), is_rotation, page })
}

/// Why a form was not taken: an event has to be ticked, which browsers cannot ask for.
fn no_event(visit: &Visit, form: &HookForm) -> Option<Refusal> {
    form.events.is_empty().then(|| Refusal::Ours(visit.words().t("webhook-no-event")))
}

async fn make(Signed { visit, form }: Signed<HookForm>) -> Result<Response, Failure> {
    if let Some(refused) = no_event(&visit, &form) {
        return listed(&visit, form, Some(refused)).await;
    }
    let order = Operation::WebhookAdd { account: visit.account_number()?, wish: form.wish() };
    match visit.try_to::<WebhookSecretView>(order).await? {
        Ok(made) => Ok(secret(&visit, &made, false)),
        Err(fault) => listed(&visit, form, Some(Refusal::of(visit.words(), &fault))).await,
    }
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct HookPage {
    page: Page,
    webhook: WebhookView,
    state: Badge,
    is_enabled: bool,
    made: String,
    waiting: String,
    dropped: Option<String>,
    /// When the secret was replaced, where the one before still signs.
    rotated: Option<String>,
    fields: Fields,
    log: Log,
    refused: Option<Refusal>,
}

async fn webhook_of(visit: &Visit, webhook: &str) -> Result<WebhookView, Failure> {
    let webhook = visit.number(webhook)?;
    visit.ask(Operation::WebhookShow { webhook }).await
}

async fn shown_webhook(
    visit: &Visit,
    webhook: WebhookView,
    form: HookForm,
    refused: Option<Refusal>,
) -> Result<Response, Failure> {
    let page = visit.page();
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let dropped = webhook.dropped_at.as_deref().map(|at| {
        let at = page.words.minute(at);
        page.words.count_with("webhook-dropped", webhook.dropped, "at", at.as_str())
    });
    let rotated = webhook.rotated_at.as_deref().filter(|_| webhook.secrets == 2);
    let shown = HookPage {
        state: Badge::of(&page, &webhook.state),
        is_enabled: webhook.state == "enabled",
        made: page.words.minute(&webhook.created_at),
        waiting: page.words.number(webhook.waiting),
        dropped,
        rotated: rotated.map(|at| page.words.minute(at)),
        fields: Fields::of(visit, form).await?,
        log: Log::of(visit, webhook.id).await?,
        refused,
        webhook,
        page,
    };
    Ok(shown_as(status, &shown))
}

async fn page(visit: Visit, Path(webhook): Path<String>) -> Result<Response, Failure> {
    let webhook = webhook_of(&visit, &webhook).await?;
    let form = HookForm::of(&webhook);
    shown_webhook(&visit, webhook, form, None).await
}

/// Does something to a webhook, and shows it again, with what was against it.
async fn done<T>(visit: &Visit, webhook: &str, order: Operation) -> Result<Response, Failure>
where
    T: TryFrom<relay::service::operation::Answer, Error = relay::service::Fault>,
{
    match visit.try_to::<T>(order).await? {
        Ok(_) => Ok(on_to(&format!("/webhooks/{webhook}"))),
        Err(fault) => {
            let webhook = webhook_of(visit, webhook).await?;
            let form = HookForm::of(&webhook);
            shown_webhook(visit, webhook, form, Some(Refusal::of(visit.words(), &fault))).await
        }
    }
}

async fn set(Path(webhook): Path<String>, Signed { visit, form }: Signed<HookForm>) -> Result<Response, Failure> {
    let found = webhook_of(&visit, &webhook).await?;
    if let Some(refused) = no_event(&visit, &form) {
        return shown_webhook(&visit, found, form, Some(refused)).await;
    }
    let order = Operation::WebhookSet { webhook: found.id, wish: form.wish() };
    match visit.try_to::<WebhookView>(order).await? {
        Ok(_) => Ok(on_to(&format!("/webhooks/{webhook}"))),
        Err(fault) => shown_webhook(&visit, found, form, Some(Refusal::of(visit.words(), &fault))).await,
    }
}

async fn switch(visit: &Visit, webhook: &str, enabled: bool) -> Result<Response, Failure> {
    let wish = WebhookWish { enabled: Some(enabled), ..WebhookWish::default() };
    let order = Operation::WebhookSet { webhook: visit.number(webhook)?, wish };
    done::<WebhookView>(visit, webhook, order).await
}

async fn enable(Path(webhook): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    switch(&visit, &webhook, true).await
}

async fn disable(Path(webhook): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    switch(&visit, &webhook, false).await
}

async fn test(Path(webhook): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    let order = Operation::WebhookTest { webhook: visit.number(&webhook)? };
    done::<DoneView>(&visit, &webhook, order).await
}

async fn rotate_asked(visit: Visit, Path(webhook): Path<String>) -> Result<Response, Failure> {
    let found = webhook_of(&visit, &webhook).await?;
    let page = visit.page();
    let mut consequences = vec![page.t("webhook-rotate-then")];
    if found.secrets == 2 {
        consequences.push(page.t("webhook-rotate-twice"));
    }
    let question = Question {
        title: page.with("webhook-rotate-title", "name", &found.name),
        consequences,
        sure: page.t("webhook-rotate-sure"),
        action: format!("/webhooks/{webhook}/rotate"),
        act: page.t("webhook-rotate"),
        back: format!("/webhooks/{webhook}"),
    };
    Ok(asked(page, question))
}

async fn rotate(Path(webhook): Path<String>, Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    let order = Operation::WebhookRotate { webhook: visit.number(&webhook)? };
    let made: WebhookSecretView = visit.ask(order).await?;
    Ok(secret(&visit, &made, true))
}

async fn delete_asked(visit: Visit, Path(webhook): Path<String>) -> Result<Response, Failure> {
    let found = webhook_of(&visit, &webhook).await?;
    let page = visit.page();
    let question = Question {
        title: page.with("webhook-delete-title", "name", &found.name),
        consequences: vec![page.t("webhook-delete-then"), page.t("cannot-be-undone")],
        sure: page.t("webhook-delete-sure"),
        action: format!("/webhooks/{webhook}/delete"),
        act: page.t("webhook-delete"),
        back: format!("/webhooks/{webhook}"),
    };
    Ok(asked(page, question))
}

async fn delete(Path(webhook): Path<String>, Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::WebhookDelete { webhook: visit.number(&webhook)? }).await?;
    Ok(on_to("/webhooks"))
}
