//! Orders about a part of the queue: looked for and carried out in turns, so that neither the scheduler nor whoever asks waits
//! long. What a turn leaves, the next goes on with.

use net::dispatch::Handle;
use relay::audit::{About, Details, Field, Kind};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::outcome::{self, Ending};
use relay::power::Scope;
use relay::queue::{HoldReason, Outcome, RecipientState, Settlement, Verdict};
use relay::reroute::{REROUTES_MAX, Reroute, Via};
use relay::route::Routes;
use relay::schedule::Order;
use relay::selection::Filter;
use relay::service::operation::Answer;
use relay::service::view::QueuePartView;
use relay::service::{Fault, QueueOrder, Selection, queue_filter, queue_via};
use relay::store::{Actor, AuditEntry, QueueEntry, Store, StoreError};
use std::sync::Arc;
use tokio::task::JoinSet;

use super::Executor;

/// Messages of the index that are looked at in one step.
const PAGE: usize = 500;

/// Messages that are looked at in one turn.
const LOOKED_AT_MAX: usize = 200_000;

/// Messages whose envelope is read in one turn.
const READ_MAX: usize = 5_000;

/// Messages that an order is carried out on in one turn.
pub(super) const ORDERED_MAX: usize = 5_000;

/// Messages that are ordered about at once: what is kept of them shares a sync.
const AT_ONCE: usize = 64;

/// Recipients of a message, each with its domain.
pub(super) type Chosen = (MessageId, Vec<(u16, Arc<str>)>);

/// What a look found.
pub(super) struct Found {
    /// Messages with the recipients that are meant.
    pub(super) chosen: Vec<Chosen>,
    /// The message that the next turn goes on behind; none: that was all.
    pub(super) next: Option<MessageId>,
}

/// What an order did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) messages: u64,
    pub(super) recipients: u64,
    under_way: u64,
    pub(super) error: Option<StoreError>,
}

impl Done {
    /// A message of which so many recipients were chosen.
    fn with(&mut self, chosen: usize, done: Result<usize, StoreError>) {
        match done {
            Ok(count) => {
                self.messages += u64::from(count > 0);
                self.recipients += count as u64;
                self.under_way += chosen.saturating_sub(count) as u64;
            }
            // it has left the queue meanwhile
            Err(StoreError::NotFound(_)) => {}
            Err(error) => self.error = Some(error),
        }
    }

    /// What one turn more has done.
    pub(super) fn add(&mut self, turn: &Done) {
        self.messages += turn.messages;
        self.recipients += turn.recipients;
        self.under_way += turn.under_way;
    }
}

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
        let Found { chosen, next } = self.look(&filter, live, after, usize::MAX).await?;
        Ok(Answer::QueuePart(QueuePartView {
            messages: chosen.len() as u64,
            recipients: chosen.iter().map(|(_, numbers)| numbers.len() as u64).sum(),
            under_way: 0,
            next: next.map(|message| message.to_string()),
        }))
    }

    /// Carries an order about a part of the queue out, as far as one turn goes; what was done is in the audit log.
    pub(super) async fn queue_order(
        self: &Arc<Self>,
        order: &QueueOrder,
        (selection, after): (&Selection, Option<MessageId>),
        actor: &Actor,
        scope: Scope,
    ) -> Result<Answer, Fault> {
        let filter = queue_filter(self.store.as_ref(), selection, scope)?;
        let wants = |state: &RecipientState| order.wants(state);
        let via = self.rerouting(order, &filter).await?;
        let Found { chosen, next } = self.look(&filter, wants, after, ORDERED_MAX).await?;
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
            Some(running) => ordered(&running.dispatch, scheduled(order, via, actor), chosen).await,
            None => self.order_chosen(order, chosen, actor).await,
        }
    }

    /// Keeps an order to send mail another way before anything goes there; which way.
    async fn rerouting(self: &Arc<Self>, order: &QueueOrder, filter: &Filter) -> Result<Option<Via>, Fault> {
        let QueueOrder::Reroute { to } = order else { return Ok(None) };
        let routes = Routes::new(self.config.delivery.routes.iter().map(|table| table.route.clone()).collect());
        let routes = routes.map_err(|error| Fault::invalid(format!("{error}."), "Put the route right."))?;
        let via = queue_via(&routes, to.as_deref())?;
        let now = self.clock.now();
        let until = Some(filter.until.map_or(now, |until| until.min(now)));
        let reroute = Reroute { filter: Filter { until, ..filter.clone() }, via: via.clone() };
        let here = Arc::clone(self);
        let kept = tokio::task::spawn_blocking(move || {
            let is_many = here.store.directory().reroutes.len() >= REROUTES_MAX / 2;
            here.store.reroute(reroute, is_many.then(|| here.oldest(now)))
        });
        kept.await.map_err(super::broke_off)??;
        Ok(Some(via))
    }

    /// When the oldest message was accepted that waits.
    fn oldest(&self, now: Timestamp) -> Timestamp {
        let (mut after, mut oldest) = (None, now);
        loop {
            let page = self.store.queue(after, PAGE);
            let Some(last) = page.last() else { return oldest };
            after = Some(last.message);
            oldest = page.iter().map(|entry| entry.accepted_at).fold(oldest, Timestamp::min);
        }
    }

    /// Looks for what a filter means, of the states that are wanted: at most so many messages of it.
    pub(super) async fn look(
        &self,
        filter: &Filter,
        wants: impl Fn(&RecipientState) -> bool,
        mut after: Option<MessageId>,
        most: usize,
    ) -> Result<Found, Fault> {
        let (mut chosen, mut looked_at, mut read) = (Vec::new(), 0, 0);
        while looked_at < LOOKED_AT_MAX {
            let page = self.store.queue(after, PAGE);
            if page.is_empty() {
                return Ok(Found { chosen, next: None });
            }
            looked_at += page.len();
            for entry in page {
                after = Some(entry.message);
                let mut numbers = filter.of_entry(&entry, &wants);
                if !numbers.is_empty() && filter.needs_envelope() {
                    read += 1;
                    numbers = self.meant(filter, &entry, numbers).await?;
                }
                if !numbers.is_empty() {
                    let domains = entry.recipients.iter().filter(|(number, ..)| numbers.contains(number));
                    chosen.push((
                        entry.message,
                        domains.map(|(number, domain, _)| (*number, Arc::clone(domain))).collect(),
                    ));
                }
                if chosen.len() >= most || read >= READ_MAX {
                    return Ok(Found { chosen, next: after });
                }
            }
            // others have their turn in between
            tokio::task::yield_now().await;
        }
        Ok(Found { chosen, next: after })
    }

    /// Those of these recipients that a filter means which has to know the envelope. Of a message that cannot be read none is.
    async fn meant(&self, filter: &Filter, entry: &QueueEntry, numbers: Vec<u16>) -> Result<Vec<u16>, Fault> {
        match self.store.peek(entry.message).await {
            Ok(Some(found)) => Ok(filter.of_envelope(&found.envelope, numbers)),
            Ok(None) | Err(StoreError::Damaged(_)) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
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

/// The order as the dispatch knows it.
#[derive(Clone)]
enum Given {
    Order(Order),
    Reroute(Via),
}

fn scheduled(order: &QueueOrder, via: Option<Via>, actor: &Actor) -> Given {
    Given::Order(match order {
        QueueOrder::Hold => Order::Hold(HoldReason::Operator),
        QueueOrder::Release => Order::Release,
        QueueOrder::Retry => Order::Retry,
        QueueOrder::Cancel { notify: true } => Order::End(Arc::new(Ending::Cancelled(actor.name.clone()))),
        QueueOrder::Cancel { notify: false } => Order::End(Arc::new(Ending::CancelledUntold(actor.name.clone()))),
        QueueOrder::Reroute { .. } => return Given::Reroute(via.unwrap_or(Via::Usual)),
    })
}

/// Has the running driver carry an order out, some messages at once. The first fault ends it.
async fn ordered(dispatch: &Handle, order: Given, chosen: Vec<Chosen>) -> Done {
    let mut done = Done::default();
    let mut under_way = JoinSet::new();
    for (message, recipients) in chosen {
        if under_way.len() >= AT_ONCE {
            gather(&mut done, under_way.join_next().await);
        }
        if done.error.is_some() {
            break;
        }
        let (dispatch, order, count) = (dispatch.clone(), order.clone(), recipients.len());
        under_way.spawn(async move {
            let done = match order {
                Given::Order(order) => {
                    let numbers = recipients.into_iter().map(|(number, _)| number).collect();
                    dispatch.order(message, numbers, order).await
                }
                Given::Reroute(via) => dispatch.reroute(message, recipients, via).await,
            };
            (count, done)
        });
    }
    while let Some(joined) = under_way.join_next().await {
        gather(&mut done, Some(joined));
    }
    done
}

type Joined = Result<(usize, Result<usize, StoreError>), tokio::task::JoinError>;

fn gather(done: &mut Done, joined: Option<Joined>) {
    match joined {
        Some(Ok((chosen, result))) => done.with(chosen, result),
        Some(Err(error)) => done.error = Some(StoreError::Unavailable(format!("an order broke off: {error}"))),
        None => {}
    }
}
