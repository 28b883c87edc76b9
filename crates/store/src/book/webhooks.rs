//! What each verb of webhooks makes of them.

use std::sync::Arc;

use relay::audit::{About, Details, Field, Word};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::store::{Actor, NewWebhook, StoreError, WebhookChange};
use relay::webhook::{EventKind, Webhook, WebhookState};
use smtp::server::Secret;

use super::{Decided, Draft, Register, Write};

impl Draft {
    fn put_webhook(&mut self, webhook: Webhook) -> Arc<Webhook> {
        let webhook = Arc::new(webhook);
        self.next.webhooks.insert((webhook.account, webhook.id), Arc::clone(&webhook));
        self.next.webhook_accounts.insert(webhook.id, webhook.account);
        self.writes.push(Write::Webhook(Arc::clone(&webhook)));
        webhook
    }
}

impl Register {
    fn webhook(&self, id: Id<Webhook>) -> Result<&Arc<Webhook>, StoreError> {
        self.directory.webhook(id).ok_or_else(|| no_webhook(id))
    }

    pub(crate) fn webhook_add(
        &self,
        new: NewWebhook,
        secret: Secret,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Webhook>> {
        self.account(new.account)?;
        let mut draft = self.draft();
        draft.numbers.webhook += 1;
        let NewWebhook { account, name, url, events, domain, user } = new;
        let webhook = draft.put_webhook(Webhook {
            id: Id::new(draft.numbers.webhook),
            account,
            name,
            url,
            events,
            domain,
            user,
            state: WebhookState::Enabled,
            rotated_at: None,
            created_at: now,
        });
        draft.writes.push(Write::WebhookSecret { webhook: webhook.id, secret });
        let told = Details::from(About::from(&*webhook))
            .with(Field::Url, &place(&webhook))
            .with(Field::Events, &words(&webhook))
            .with_any(Field::Domain, self.domain_of(&webhook).as_ref())
            .with_any(Field::SmtpUser, self.user_of(&webhook).as_ref());
        draft.note(by, now, "webhook.add", told, Some(account));
        Ok(draft.done(webhook))
    }

    pub(crate) fn webhook_change(
        &self,
        id: Id<Webhook>,
        change: WebhookChange,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Webhook>> {
        let kept = self.webhook(id)?;
        let mut webhook = (**kept).clone();
        let (mut action, mut secret) = ("webhook.set", None);
        match change {
            WebhookChange::Settings(Webhook { name, url, events, domain, user, .. }) => {
                webhook = Webhook { name, url, events, domain, user, ..webhook };
            }
            WebhookChange::State(state) => {
                webhook.state = state;
                action = match state {
                    WebhookState::Enabled => "webhook.enable",
                    WebhookState::Disabled => "webhook.disable",
                    WebhookState::Gone => "webhook.gone",
                };
            }
            WebhookChange::Secret(new) => {
                webhook.rotated_at = Some(now);
                (action, secret) = ("webhook.rotate", Some(new));
            }
        }
        let mut draft = self.draft();
        let webhook = draft.put_webhook(webhook);
        draft.writes.extend(secret.map(|secret| Write::WebhookSecret { webhook: id, secret }));
        let told = Details::from(About::from(&*webhook))
            .changed(Field::Name, &kept.name, &webhook.name)
            .changed(Field::Events, &words(kept), &words(&webhook))
            .changed(Field::Domain, &self.domain_of(kept), &self.domain_of(&webhook))
            .changed(Field::SmtpUser, &self.user_of(kept), &self.user_of(&webhook));
        let told =
            if kept.url == webhook.url { told } else { told.replaced(Field::Url, &place(kept), &place(&webhook)) };
        draft.note(by, now, action, told, Some(webhook.account));
        Ok(draft.done(webhook))
    }

    pub(crate) fn webhook_delete(&self, id: Id<Webhook>, by: &Actor, now: Timestamp) -> Decided<()> {
        let webhook = self.webhook(id)?;
        let mut draft = self.draft();
        draft.next.webhooks.remove(&(webhook.account, id));
        draft.next.webhook_accounts.remove(&id);
        draft.writes.push(Write::WebhookGone(id));
        draft.note(by, now, "webhook.delete", About::from(&**webhook), Some(webhook.account));
        Ok(draft.done(()))
    }

    /// The name of the domain that a webhook is narrowed to.
    fn domain_of(&self, webhook: &Webhook) -> Option<String> {
        let name = |id| self.directory.domains.get(&id).map_or_else(|| id.to_string(), |domain| domain.name.clone());
        webhook.domain.map(name)
    }

    /// The name of the SMTP user that it is narrowed to.
    fn user_of(&self, webhook: &Webhook) -> Option<String> {
        webhook.user.map(|id| self.user_named(id))
    }
}

/// There is no such webhook.
pub(crate) fn no_webhook(id: Id<Webhook>) -> StoreError {
    StoreError::NotFound(format!("webhook {id}"))
}

/// Where a webhook calls, without what may let whoever knows it in.
fn place(webhook: &Webhook) -> String {
    let Some((scheme, rest)) = webhook.url.split_once("://") else { return "…".to_owned() };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let more = if rest.trim_end_matches('/').len() > host.len() { "/…" } else { "" };
    format!("{scheme}://{host}{more}")
}

fn words(webhook: &Webhook) -> Vec<Word<EventKind>> {
    webhook.events.iter().map(|event| Word(*event)).collect()
}
