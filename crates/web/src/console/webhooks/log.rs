//! The calls of a webhook: what became of each, what was sent, and sending it once more.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::clock::Timestamp;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, WebhookCallView, WebhookView};
use relay::webhook::CallId;
use serde::Deserialize;
use std::time::Duration;

use super::super::form::Signed;
use super::super::page::{Failure, Page, shown};
use super::super::question::Pressed;
use super::super::refusal::Refusal;
use super::super::sayings;
use super::super::visit::Visit;
use super::super::{For, Route, show, take};
use super::{Badge, done, event_name, webhook_of};

/// Calls on a page.
const CALLS: u32 = 50;

/// Its routes.
pub(super) fn routes(whom: For) -> Vec<Route> {
    vec![
        take("/webhooks/{webhook}/replay", whom, replay),
        show("/webhooks/{webhook}/calls/{call}", whom, one),
        take("/webhooks/{webhook}/calls/{call}/replay", whom, replay_one),
    ]
}

/// A call as it is shown.
pub(super) struct Line {
    pub(super) call: WebhookCallView,
    pub(super) event: String,
    pub(super) at: String,
    pub(super) state: Badge,
    /// The last attempt.
    pub(super) tried: Option<String>,
    pub(super) took: Option<String>,
    pub(super) due: Option<String>,
    pub(super) attempts: String,
    /// Why the last attempt failed, in two sentences.
    pub(super) fault: Option<(String, Option<Refusal>)>,
}

/// Why an attempt failed, by what the receiver answered, or why it did not.
fn fault(page: &Page, call: &WebhookCallView) -> Option<(String, Option<Refusal>)> {
    if call.fault.is_empty() {
        return None;
    }
    Some(match call.status {
        Some(300..=399) => (page.t("webhook-fault-redirected"), None),
        Some(410) => (page.t("webhook-fault-gone"), None),
        Some(status) => (page.with("webhook-fault-answered", "status", &status.to_string()), None),
        None => (page.t("webhook-fault-unanswered"), Some(sayings::said(&page.words, &call.fault))),
    })
}

impl Line {
    fn of(page: &Page, call: WebhookCallView) -> Line {
        let (slug, icon, words) = match call.state.as_str() {
            "delivered" => ("delivered", "delivered", "webhook-call-delivered"),
            "failed" => ("failed", "hard", "webhook-call-failed"),
            _ if call.attempts > 0 => ("deferred", "deferred", "webhook-call-again"),
            _ => ("pending", "pending", "webhook-call-waiting"),
        };
        let minute = |at: &Option<String>| at.as_deref().map(|at| page.words.moment(at));
        Line {
            event: page.t(event_name(&call.event)),
            at: page.words.moment(&call.at),
            state: Badge { slug, icon, words: page.t(words) },
            tried: minute(&call.tried_at),
            took: call.milliseconds.map(|took| page.with("webhook-took", "time", &page.words.number(took))),
            due: minute(&call.due_at).filter(|_| call.attempts > 0),
            attempts: page.words.count("webhook-attempts", call.attempts),
            fault: fault(page, &call),
            call,
        }
    }
}

/// Calls on a page of a webhook.
pub(super) struct Log {
    pub(super) lines: Vec<Line>,
    /// Where older ones are.
    pub(super) older: Option<String>,
    /// Where the newest are, where these are not.
    pub(super) newest: Option<String>,
}

impl Log {
    pub(super) async fn of(visit: &Visit, webhook: u64) -> Result<Log, Failure> {
        let before = visit.number_asked("before")?;
        let calls: Vec<WebhookCallView> = visit.ask(Operation::WebhookLog { webhook, before, limit: CALLS }).await?;
        let page = visit.page();
        let full = calls.len() >= CALLS as usize;
        let older = calls.last().filter(|_| full).map(|last| format!("/webhooks/{webhook}?before={}", last.number));
        let newest = before.map(|_| format!("/webhooks/{webhook}"));
        Ok(Log { lines: calls.into_iter().map(|call| Line::of(&page, call)).collect(), older, newest })
    }
}

#[derive(Template)]
#[template(path = "webhook-call.html")]
struct CallPage {
    page: Page,
    webhook: WebhookView,
    is_enabled: bool,
    line: Line,
    body: String,
}

fn call_of(visit: &Visit, call: &str) -> Result<CallId, Failure> {
    call.parse().map_err(|_| visit.nothing())
}

async fn one(visit: Visit, Path((webhook, call)): Path<(String, String)>) -> Result<Response, Failure> {
    let webhook = webhook_of(&visit, &webhook).await?;
    let wanted = Operation::WebhookCall { webhook: webhook.id, call: call_of(&visit, &call)? };
    let call: WebhookCallView = visit.ask(wanted).await?;
    let (page, sent) = (visit.page(), serde_json::from_str::<serde_json::Value>(&call.body));
    // laid out for people; what is sent has no blanks
    let body = sent.ok().and_then(|sent| serde_json::to_string_pretty(&sent).ok()).unwrap_or_else(|| call.body.clone());
    let (line, is_enabled) = (Line::of(&page, call), webhook.state == "enabled");
    Ok(shown(&CallPage { page, webhook, is_enabled, line, body }))
}

/// How far back those go that are sent once more.
#[derive(Deserialize)]
struct Span {
    hours: u32,
}

async fn replay(Path(webhook): Path<String>, Signed { visit, form }: Signed<Span>) -> Result<Response, Failure> {
    let span = Duration::from_secs(u64::from(form.hours) * 3600);
    let now = visit.console.door.now();
    let since = Timestamp(now.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)));
    let order = Operation::WebhookReplay { webhook: visit.number(&webhook)?, call: None, since: Some(since) };
    done::<DoneView>(&visit, &webhook, order).await
}

async fn replay_one(
    Path((webhook, call)): Path<(String, String)>,
    Signed { visit, .. }: Signed<Pressed>,
) -> Result<Response, Failure> {
    let call = Some(call_of(&visit, &call)?);
    let order = Operation::WebhookReplay { webhook: visit.number(&webhook)?, call, since: None };
    done::<DoneView>(&visit, &webhook, order).await
}
