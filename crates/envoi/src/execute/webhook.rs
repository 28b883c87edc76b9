//! Webhooks: made, shown with how their calls stand, changed, tried, and their calls sent once more.

use net::clock::SystemDice;
use relay::audit::{About, Details, Field};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{DoneView, WebhookCallView, WebhookSecretView, WebhookView};
use relay::service::{self, Caller, Fault, IssuedWebhook};
use relay::store::{AuditEntry, Store};
use relay::webhook::{CallId, Redo, Standing, Webhook};

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn webhook(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let (store, allow_private) = (self.store.as_ref(), self.config.webhooks_allow_private);
        let find = |webhook| service::webhook_find(store, Id::new(webhook), caller.scope);
        Ok(match operation {
            Operation::WebhookAdd { account, wish } => {
                let dice = &mut SystemDice;
                let issued = service::webhook_add(store, Id::new(account), wish, allow_private, dice, caller)?;
                self.issued(&issued, caller.now)?
            }
            Operation::WebhookRotate { webhook } => {
                let issued = service::webhook_rotate(store, &*find(webhook)?, &mut SystemDice, caller)?;
                self.issued(&issued, caller.now)?
            }
            Operation::WebhookList { account } => {
                let standings = store.webhook_standings()?;
                let standing = |webhook: &Webhook| standings.get(&webhook.id).copied().unwrap_or_default();
                let all = service::webhooks(store, account.map(Id::new), caller.scope);
                let shown = all.iter().map(|webhook| WebhookView::new(webhook, standing(webhook), caller.now));
                Answer::Webhooks(shown.collect())
            }
            Operation::WebhookShow { webhook } => Answer::Webhook(self.webhook_view(&*find(webhook)?, caller.now)?),
            Operation::WebhookSet { webhook, wish } => {
                let kept = service::webhook_set(store, &*find(webhook)?, wish, allow_private, caller)?;
                Answer::Webhook(self.webhook_view(&kept, caller.now)?)
            }
            Operation::WebhookTest { webhook } => {
                let webhook = find(webhook)?;
                service::webhook_test(store, &webhook, &mut SystemDice, caller)?;
                let done = format!("A test is on its way to {}: its log says what comes of it.", webhook.url);
                Answer::Done(DoneView { done })
            }
            Operation::WebhookReplay { webhook, call, since } => self.replay(&*find(webhook)?, call, since, caller)?,
            Operation::WebhookDelete { webhook } => {
                let webhook = find(webhook)?;
                service::webhook_delete(store, &webhook, caller)?;
                let done =
                    format!("Webhook {} ({}) is deleted: it is told nothing any more.", webhook.id, webhook.name);
                Answer::Done(DoneView { done })
            }
            other => self.webhook_log(other, caller)?,
        })
    }

    fn webhook_log(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let find = |webhook| service::webhook_find(store, Id::new(webhook), caller.scope);
        match operation {
            Operation::WebhookLog { webhook, before, limit } => {
                let calls = store.webhook_calls(find(webhook)?.id, before, super::rows(limit))?;
                Ok(Answer::WebhookCalls(calls.iter().map(WebhookCallView::new).collect()))
            }
            Operation::WebhookCall { webhook, call } => {
                service::webhook_may_tell(caller.scope)?;
                let found = store.webhook_call(find(webhook)?.id, call)?;
                let found = found.ok_or_else(|| {
                    Fault::not_found(format!("There is no call {call}."), "The log of the webhook shows them all.")
                        .named("webhook-call-none", &[])
                })?;
                Ok(Answer::WebhookCall(WebhookCallView::whole(&found)))
            }
            _ => Err(misplaced()),
        }
    }

    fn issued(&self, issued: &IssuedWebhook, now: Timestamp) -> Result<Answer, Fault> {
        let webhook = self.webhook_view(&issued.webhook, now)?;
        Ok(Answer::WebhookSecret(WebhookSecretView { webhook, secret: (&issued.secret).into() }))
    }

    fn webhook_view(&self, webhook: &Webhook, now: Timestamp) -> Result<WebhookView, Fault> {
        let standing: Standing = self.store.webhook_standings()?.get(&webhook.id).copied().unwrap_or_default();
        Ok(WebhookView::new(webhook, standing, now))
    }

    fn replay(
        &self,
        webhook: &Webhook,
        call: Option<CallId>,
        since: Option<Timestamp>,
        caller: Caller<'_>,
    ) -> Result<Answer, Fault> {
        let which = match (call, since) {
            (Some(call), None) => Redo::One(call),
            (None, Some(since)) => Redo::FailedSince(since),
            _ => {
                return Err(Fault::invalid("Which calls are meant is not clear.", "Name one call, or a moment.")
                    .named("webhook-calls-unclear", &[]));
            }
        };
        let calls = service::webhook_redo(self.store.as_ref(), webhook, which, caller)?;
        let told = Details::from(About::from(webhook));
        let told = match call {
            Some(call) => told.with(Field::Call, &call.to_string()),
            None => told.with(Field::Calls, &(calls as u64)),
        };
        let (by, account) = (caller.actor.clone(), Some(webhook.account));
        let entry = AuditEntry::new(caller.now, by, "webhook.replay", told, account);
        if let Err(error) = self.store.audit_note(entry) {
            tracing::error!(webhook = %webhook.id, %error, "calls are sent once more, which has no line in the audit log");
        }
        let noun = if calls == 1 { "call is" } else { "calls are" };
        let done = format!("{calls} {noun} sent once more, and tried anew for a day.");
        Ok(Answer::Done(DoneView { done }))
    }
}
