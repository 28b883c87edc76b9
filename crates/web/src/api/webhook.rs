//! Webhooks and their calls.

use relay::clock::Timestamp;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, WebhookCallView, WebhookSecretView, WebhookView};
use relay::service::{Setting, WebhookWish};
use relay::webhook::{CallId, EventKind};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::account::Whose;
use super::activity::{cursor, moment};
use super::asking::{Asking, Body, Outcome, Path, Query};
use super::page::{Page, limit};
use super::problem::Problem;
use super::smtp_user::setting;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookNew {
    /// The account.
    account: u64,
    /// What people call it.
    name: String,
    /// Where events are sent: `https://…`.
    url: String,
    /// What it is told of: `recipient.rejected`, `recipient.accepted`, `recipient.delivered`, `recipient.deferred`,
    /// `recipient.soft_bounce`, `recipient.hard_bounce`, `recipient.complaint`, `brake.on`, `brake.released`,
    /// `blocklist.listed`, `blocklist.delisted`.
    #[schema(value_type = Vec<String>)]
    events: Vec<EventKind>,
    /// Of this sending domain alone, by number or name.
    domain: Option<String>,
    /// Of this SMTP user alone, by number or username.
    user: Option<String>,
}

/// What is to be another. Absent: as it is; null, of a domain or SMTP user: of all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookChanged {
    /// What people call it.
    name: Option<String>,
    /// Where events are sent.
    url: Option<String>,
    /// What it is told of.
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<Vec<EventKind>>,
    /// Of this sending domain alone, by number or name.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<String>)]
    domain: Setting<String>,
    /// Of this SMTP user alone, by number or username.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<String>)]
    user: Setting<String>,
    /// Whether it is told anything.
    enabled: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replayed {
    /// The id of one call, whatever became of it.
    call: Option<String>,
    /// All that were given up and tell what happened at or after this moment: RFC 3339, or a day.
    since: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Calls {
    /// What the page before gave as `next`.
    #[param(maximum = 9_223_372_036_854_775_807_u64)]
    cursor: Option<u64>,
    /// At most so many; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

fn call_id(given: &str) -> Result<CallId, Problem> {
    given.parse().map_err(|error| Problem::unreadable(&format!("`{given}` is {error}.")))
}

/// Lists webhooks.
#[utoipa::path(get, path = "/webhooks", operation_id = "WebhookList", tag = "Webhooks", params(Whose),
    responses((status = 200, body = Vec<WebhookView>)))]
pub(super) async fn webhook_list(asking: Asking, Query(whose): Query<Whose>) -> Outcome<Vec<WebhookView>> {
    asking.run(Operation::WebhookList { account: whose.account }).await
}

/// Makes a webhook; its secret is shown this once.
#[utoipa::path(post, path = "/webhooks", operation_id = "WebhookAdd", tag = "Webhooks", request_body = WebhookNew,
    responses((status = 200, body = WebhookSecretView)))]
pub(super) async fn webhook_add(asking: Asking, Body(new): Body<WebhookNew>) -> Outcome<WebhookSecretView> {
    let WebhookNew { account, name, url, events, domain, user } = new;
    let of = |named: Option<String>| named.map_or(Setting::Keep, Setting::To);
    let (name, url, events, enabled) = (Some(name), Some(url), Some(events), None);
    let wish = WebhookWish { name, url, events, domain: of(domain), user: of(user), enabled };
    asking.run(Operation::WebhookAdd { account, wish }).await
}

/// Shows a webhook with how its calls stand.
#[utoipa::path(get, path = "/webhooks/{webhook}", operation_id = "WebhookShow", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "Its number.")), responses((status = 200, body = WebhookView)))]
pub(super) async fn webhook_show(asking: Asking, Path(webhook): Path<u64>) -> Outcome<WebhookView> {
    asking.run(Operation::WebhookShow { webhook }).await
}

/// Changes a webhook; what is absent stays.
#[utoipa::path(patch, path = "/webhooks/{webhook}", operation_id = "WebhookSet", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "Its number.")), request_body = WebhookChanged,
    responses((status = 200, body = WebhookView)))]
pub(super) async fn webhook_set(
    asking: Asking,
    Path(webhook): Path<u64>,
    Body(changed): Body<WebhookChanged>,
) -> Outcome<WebhookView> {
    let WebhookChanged { name, url, events, domain, user, enabled } = changed;
    let wish = WebhookWish { name, url, events, domain, user, enabled };
    asking.run(Operation::WebhookSet { webhook, wish }).await
}

/// Deletes a webhook with its log: it is told nothing any more.
#[utoipa::path(delete, path = "/webhooks/{webhook}", operation_id = "WebhookDelete", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "Its number.")), responses((status = 200, body = DoneView)))]
pub(super) async fn webhook_delete(asking: Asking, Path(webhook): Path<u64>) -> Outcome<DoneView> {
    asking.run(Operation::WebhookDelete { webhook }).await
}

/// Gives a webhook a new secret, shown this once; the one before signs beside it for 24 hours.
#[utoipa::path(post, path = "/webhooks/{webhook}/secret", operation_id = "WebhookRotate", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "Its number.")), responses((status = 200, body = WebhookSecretView)))]
pub(super) async fn webhook_rotate(asking: Asking, Path(webhook): Path<u64>) -> Outcome<WebhookSecretView> {
    asking.run(Operation::WebhookRotate { webhook }).await
}

/// Sends a webhook a test.
#[utoipa::path(post, path = "/webhooks/{webhook}/test", operation_id = "WebhookTest", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "Its number.")), responses((status = 200, body = DoneView)))]
pub(super) async fn webhook_test(asking: Asking, Path(webhook): Path<u64>) -> Outcome<DoneView> {
    asking.run(Operation::WebhookTest { webhook }).await
}

/// Reads the log of a webhook, the newest call first.
#[utoipa::path(get, path = "/webhooks/{webhook}/calls", operation_id = "WebhookLog", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "Its number."), Calls),
    responses((status = 200, body = Page<WebhookCallView>)))]
pub(super) async fn webhook_log(
    asking: Asking,
    Path(webhook): Path<u64>,
    Query(calls): Query<Calls>,
) -> Outcome<Page<WebhookCallView>> {
    let (before, limit) = (cursor(calls.cursor)?, limit(calls.limit)?);
    let page = |calls: Vec<WebhookCallView>| Page::new(calls, limit, |call| call.number.to_string());
    asking.shown(Operation::WebhookLog { webhook, before, limit }, page).await
}

/// Shows one call with what is sent.
#[utoipa::path(get, path = "/webhooks/{webhook}/calls/{call}", operation_id = "WebhookCall", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "The webhook's number."), ("call" = String, Path, description = "Its id.")),
    responses((status = 200, body = WebhookCallView)))]
pub(super) async fn webhook_call(
    asking: Asking,
    Path((webhook, call)): Path<(u64, String)>,
) -> Outcome<WebhookCallView> {
    let call = call_id(&call)?;
    asking.run(Operation::WebhookCall { webhook, call }).await
}

/// Sends calls once more: one, or all that were given up since a moment.
#[utoipa::path(post, path = "/webhooks/{webhook}/replay", operation_id = "WebhookReplay", tag = "Webhooks",
    params(("webhook" = u64, Path, description = "Its number.")), request_body = Replayed,
    responses((status = 200, body = DoneView)))]
pub(super) async fn webhook_replay(
    asking: Asking,
    Path(webhook): Path<u64>,
    Body(replayed): Body<Replayed>,
) -> Outcome<DoneView> {
    let call = replayed.call.as_deref().map(call_id).transpose()?;
    let since: Option<Timestamp> = replayed.since.as_deref().map(moment).transpose()?;
    asking.run(Operation::WebhookReplay { webhook, call, since }).await
}
