//! Orders about a part of the queue, as somebody asks for them: which part it is, the order carried out with a running driver
//! (`net::dispatch::selected`) and without, and its line in the audit log.

use net::dispatch::selected::{self, Chosen, Done, Found, ORDERED_MAX};
use net::offload::Offload;
use relay::audit::{About, Details, Field, Kind};
use relay::id::{Id, MessageId};
use relay::outcome::{self, Ending};
use relay::power::Scope;
use relay::queue::{HoldReason, Outcome, RecipientState, Settlement, Verdict};
use relay::reroute::Via;
use relay::route::Routes;
use relay::selection::Filter;
use relay::service::operation::Answer;
use relay::service::view::QueuePartView;
use relay::service::{Fault, QueueOrder, Selection, queue_filter, queue_via};
use relay::store::{Actor, AuditEntry, Store, StoreError};

use super::Executor;

impl<S: Store> Executor<S> {
    /// Counts a part of the queue, as far as one turn goes.
    pub(super) async fn queue_count(
        &self,
        selection: &Selection,
        after: Option<MessageId>,
        scope: Scope,
    ) -> Result<Answer, Fault> {
        let filter = queue_filter(self.store.as_ref(), selection, scope)?;
        let live = |state: &RecipientState| *state != RecipientState::Settled;
        let Found { chosen, next } = selected::look(self.store.as_ref(), &filter, live, after, usize::MAX).await?;
        Ok(Answer::QueuePart(QueuePartView {
            messages: chosen.len() as u64,
            recipients: chosen.iter().map(|(_, numbers)| numbers.len() as u64).sum(),
            under_way: 0,
            next: next.map(|message| message.to_string()),
        }))
    }

    /// Carries an order about a part of the queue out, as far as one turn goes; what was done is in the audit log.
    pub(super) async fn queue_order(
        &self,
        order: &QueueOrder,
        (selection, after): (&Selection, Option<MessageId>),
        actor: &Actor,
        scope: Scope,
    ) -> Result<Answer, Fault> {
        let filter = queue_filter(self.store.as_ref(), selection, scope)?;
        let wants = |state: &RecipientState| order.wants(state);
        let via = self.rerouting(order, &filter).await?;
        let Found { chosen, next } = selected::look(self.store.as_ref(), &filter, wants, after, ORDERED_MAX).await?;
        let done = self.give_order(order, via, chosen, actor).await;
        self.audit_order(order, selection, &done, actor);
        match done.error {
            Some(error) => Err(error.into()),
            None => Ok(Answer::QueuePart(QueuePartView {
                messages: done.messages,
                recipients: done.recipients,
                under_way: done.under_way,
                next: next.map(|message| message.to_string()),
            })),
        }
    }

    /// Carries an order out on these recipients.
    pub(super) async fn give_order(
        &self,
        order: &QueueOrder,
        via: Option<Via>,
        chosen: Vec<Chosen>,
        actor: &Actor,
    ) -> Done {
        match &self.running {
            Some(running) => running.dispatch.order_chosen(order, via, chosen, actor).await,
            None => self.order_chosen(order, chosen, actor).await,
        }
    }

    /// Keeps an order to send mail another way before anything goes there; which way.
    async fn rerouting(&self, order: &QueueOrder, filter: &Filter) -> Result<Option<Via>, Fault> {
        let QueueOrder::Reroute { to } = order else { return Ok(None) };
        let routes = Routes::new(self.config.delivery.routes.iter().map(|table| table.route.clone()).collect());
        let routes = routes.map_err(|error| Fault::invalid(format!("{error}."), "Put the route right."))?;
        let via = queue_via(&routes, to.as_deref())?;
        let now = self.clock.now();
        let until = self.running.as_ref().map_or(now, |running| running.dispatch.accepted_until(now));
        selected::keep_reroute(&self.store, Offload::Threads, (filter, &via), until).await?;
        Ok(Some(via))
    }

    async fn order_chosen(&self, order: &QueueOrder, chosen: Vec<Chosen>, actor: &Actor) -> Done {
        let mut done = Done::default();
        for (message, recipients) in chosen {
            let count = recipients.len();
            let numbers = recipients.into_iter().map(|(number, _)| number).collect();
            let result = self.order_stored(order, message, numbers, actor).await;
            done.with(count, result.map(|()| count));
            if done.error.is_some() {
                break;
            }
        }
        done
    }

    /// Where no server runs, what is kept is all there is.
    async fn order_stored(
        &self,
        order: &QueueOrder,
        message: MessageId,
        numbers: Vec<u16>,
        actor: &Actor,
    ) -> Result<(), StoreError> {
        let at = self.clock.now();
        let ending = Ending::Cancelled(actor.name.clone());
        let verdict = |recipient: u16| match order {
            QueueOrder::Cancel { .. } => outcome::end(recipient, &ending).verdict,
            _ => Verdict {
                recipient,
                outcome: Outcome::Deferred { until: at },
                class: None,
                reason: "To be tried at once, by order of the operator.".to_owned(),
                remote_reply: None,
            },
        };
        match order {
            QueueOrder::Hold => self.store.hold_some(message, Some(numbers), HoldReason::Operator, at).await,
            QueueOrder::Release => self.store.release_some(message, Some(numbers), at).await,
            // gone by at the start
            QueueOrder::Reroute { .. } => Ok(()),
            QueueOrder::Retry | QueueOrder::Cancel { .. } => {
                let verdicts = numbers.into_iter().map(verdict).collect();
                self.store.settle(Settlement { message, at, attempt: None, verdicts }).await
            }
        }
    }

    /// What was ordered is done: where its line cannot be kept, the log tells.
    pub(super) fn audit_order(&self, order: &QueueOrder, selection: &Selection, done: &Done, actor: &Actor) {
        if done.messages == 0 && done.under_way == 0 {
            return;
        }
        let told = Details::from(About::of(Kind::Queue))
            .with(Field::Recipients, &(done.recipients + done.under_way))
            .with(Field::Messages, &done.messages);
        let told = selection.audited(told);
        let told = match order {
            QueueOrder::Cancel { notify } => told.with(Field::NotifiesSenders, notify),
            QueueOrder::Reroute { to } => told.with(Field::Route, to),
            _ => told,
        };
        let account = selection.account.map(Id::new);
        let entry = AuditEntry::new(self.clock.now(), actor.clone(), order.action(), told, account);
        if let Err(error) = self.store.audit_note(entry) {
            tracing::error!(%error, action = order.action(), "an order is carried out, but has no line in the audit log");
        }
    }
}
