//! What is shown of webhooks and their calls.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ViewPage, word};
use crate::clock::Timestamp;
use crate::credential::SecretText;
use crate::moment;
use crate::webhook::{Call, CallState, Standing, Webhook};

views! {
    /// A webhook.
    WebhookView {
        /// Its number.
        id: u64,
        /// The number of its account.
        account: u64,
        /// What people call it.
        name: String,
        /// Where events are sent.
        url: String,
        /// What it is told of: `recipient.rejected`, `recipient.accepted`, `recipient.delivered`, `recipient.deferred`, `recipient.soft_bounce`, `recipient.hard_bounce`.
        events: Vec<String>,
        /// The number of the sending domain whose recipients it is told of; none: of all.
        domain: Option<u64>,
        /// The number of the SMTP user whose recipients it is told of; none: of all.
        user: Option<u64>,
        /// `enabled`, `disabled`, or `gone`: its receiver answered 410.
        state: String,
        /// How many secrets sign: 1, or 2 for a day after a rotation.
        secrets: u64,
        /// When its secret was last replaced.
        rotated_at: Option<String>,
        /// Calls that wait to be sent.
        waiting: u64,
        /// Events that were not kept for it, because so many calls waited already.
        dropped: u64,
        /// When that last happened.
        dropped_at: Option<String>,
        /// When it was made.
        created_at: String,
    }
    /// A webhook with its new secret, shown once.
    WebhookSecretView {
        /// The webhook.
        webhook: WebhookView,
        /// The secret that calls are signed with; it is never shown again.
        #[schema(value_type = String)]
        secret: SecretText,
    }
    /// One call: an event on its way to a webhook.
    WebhookCallView {
        /// Its number: those of later calls are higher.
        number: u64,
        /// Its id, `webhook-id` of each attempt.
        call: String,
        /// The number of the webhook.
        webhook: u64,
        /// What it tells: as of a webhook, or `webhook.test`.
        event: String,
        /// When that happened.
        at: String,
        /// `waiting`, `delivered`, or `failed`: it was given up.
        state: String,
        /// When it is sent next, where it waits.
        due_at: Option<String>,
        /// When it is given up, where it waits.
        until: Option<String>,
        /// Attempts made.
        attempts: u64,
        /// When the last attempt began.
        tried_at: Option<String>,
        /// How long that took.
        milliseconds: Option<u64>,
        /// The status of the receiver's answer; none where there was none.
        status: Option<u64>,
        /// Why it was not taken, in words; empty where it was.
        fault: String,
        /// The beginning of the receiver's answer.
        answer: String,
        /// What is sent, where one call is shown; else empty.
        body: String,
    }
}

impl WebhookView {
    /// The webhook with how its calls stand at this moment.
    pub fn new(webhook: &Webhook, standing: Standing, now: Timestamp) -> Self {
        WebhookView {
            id: webhook.id.number(),
            account: webhook.account.number(),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.iter().map(word).collect(),
            domain: webhook.domain.map(|domain| domain.number()),
            user: webhook.user.map(|user| user.number()),
            state: word(&webhook.state),
            secrets: if webhook.has_two_secrets(now) { 2 } else { 1 },
            rotated_at: webhook.rotated_at.map(moment::text),
            waiting: standing.waiting,
            dropped: standing.dropped,
            dropped_at: standing.dropped_at.map(moment::text),
            created_at: moment::text(webhook.created_at),
        }
    }
}

impl WebhookCallView {
    /// The call as the log shows it.
    pub fn new(call: &Call) -> Self {
        let (waits, last) = (call.state == CallState::Waiting, call.last.as_ref());
        WebhookCallView {
            number: call.number,
            call: call.new.call.to_string(),
            webhook: call.new.webhook.number(),
            event: word(&call.new.event),
            at: moment::text(call.new.at),
            state: word(&call.state),
            due_at: waits.then(|| moment::text(call.due)),
            until: waits.then(|| moment::text(call.until)),
            attempts: u64::from(call.attempts),
            tried_at: last.map(|last| moment::text(last.at)),
            milliseconds: last.map(|last| last.milliseconds),
            status: last.and_then(|last| last.status).map(u64::from),
            fault: last.map(|last| last.fault.clone()).unwrap_or_default(),
            answer: last.map(|last| last.answer.clone()).unwrap_or_default(),
            body: String::new(),
        }
    }

    /// The call with what is sent.
    pub fn whole(call: &Call) -> Self {
        WebhookCallView { body: call.new.body.clone(), ..WebhookCallView::new(call) }
    }
}
