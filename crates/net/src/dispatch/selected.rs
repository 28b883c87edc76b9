//! Orders about a part of the queue: looked for and carried out in turns, so that neither the scheduler nor whoever asks waits
//! long. What a turn leaves, the next goes on with.

use std::sync::Arc;

use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::outcome::Ending;
use relay::queue::{HoldReason, RecipientState};
use relay::reroute::{REROUTES_MAX, Reroute, Via};
use relay::schedule::Order;
use relay::selection::Filter;
use relay::service::QueueOrder;
use relay::store::{Actor, QueueEntry, Spool, Store, StoreError};
use tokio::task::JoinSet;

use super::Handle;
use crate::offload::Offload;

/// Messages of the index that are looked at in one step.
const PAGE: usize = 500;

/// Messages that are looked at in one turn.
const LOOKED_AT_MAX: usize = 200_000;

/// Messages whose envelope is read in one turn.
const READ_MAX: usize = 5_000;

/// Messages that an order is carried out on in one turn.
pub const ORDERED_MAX: usize = 5_000;

/// Messages that are ordered about at once: what is kept of them shares a sync.
const AT_ONCE: usize = 64;

/// Recipients of a message, each with its domain.
pub type Chosen = (MessageId, Vec<(u16, Arc<str>)>);

/// What a look found.
pub struct Found {
    /// Messages with the recipients that are meant.
    pub chosen: Vec<Chosen>,
    /// The message that the next turn goes on behind; none: that was all.
    pub next: Option<MessageId>,
}

/// What an order did.
#[derive(Debug, Default)]
pub struct Done {
    /// Messages that it did something about.
    pub messages: u64,
    /// Recipients that it did something about.
    pub recipients: u64,
    /// Recipients under way, about which it does it when they come back.
    pub under_way: u64,
    /// What broke it off: it may be done for some of what was chosen, and not for the rest.
    pub error: Option<StoreError>,
}

impl Done {
    /// A message of which so many recipients were chosen.
    pub fn with(&mut self, chosen: usize, done: Result<usize, StoreError>) {
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
    pub fn add(&mut self, turn: &Done) {
        self.messages += turn.messages;
        self.recipients += turn.recipients;
        self.under_way += turn.under_way;
    }
}

/// Looks for what a filter means, of the states that are wanted, behind a message: at most so many messages of it.
///
/// # Errors
/// The store's, where an envelope that it has to know could not be read.
pub async fn look(
    spool: &impl Spool,
    filter: &Filter,
    wants: impl Fn(&RecipientState) -> bool,
    mut after: Option<MessageId>,
    most: usize,
) -> Result<Found, StoreError> {
    let (mut chosen, mut looked_at, mut read) = (Vec::new(), 0, 0);
    while looked_at < LOOKED_AT_MAX {
        let page = spool.queue(after, PAGE);
        if page.is_empty() {
            return Ok(Found { chosen, next: None });
        }
        looked_at += page.len();
        for entry in page {
            after = Some(entry.message);
            let mut numbers = filter.of_entry(&entry, &wants);
            if !numbers.is_empty() && filter.needs_envelope() {
                read += 1;
                numbers = meant(spool, filter, &entry, numbers).await?;
            }
            if !numbers.is_empty() {
                let domains = entry.recipients.iter().filter(|(number, ..)| numbers.contains(number));
                let domains = domains.map(|(number, domain, _)| (*number, Arc::clone(domain)));
                chosen.push((entry.message, domains.collect()));
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
async fn meant(
    spool: &impl Spool,
    filter: &Filter,
    entry: &QueueEntry,
    numbers: Vec<u16>,
) -> Result<Vec<u16>, StoreError> {
    match spool.peek(entry.message).await {
        Ok(Some(found)) => Ok(filter.of_envelope(&found.envelope, numbers)),
        Ok(None) | Err(StoreError::Damaged(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Keeps it that what a filter means of the mail accepted before `until` goes another way. To be done before the look for it, so
/// that what is kept meanwhile goes there, too.
///
/// # Errors
/// The store's; [`StoreError::Conflict`] where so many orders stand that none more is taken.
pub async fn keep_reroute<S: Store>(
    store: &Arc<S>,
    offload: Offload,
    (filter, via): (&Filter, &Via),
    until: Timestamp,
) -> Result<(), StoreError> {
    let bounded = Some(filter.until.map_or(until, |given| given.min(until)));
    let reroute = Reroute { filter: Filter { until: bounded, ..filter.clone() }, via: via.clone() };
    let store = Arc::clone(store);
    let kept = offload.run(move || {
        let is_many = store.directory().reroutes.len() >= REROUTES_MAX / 2;
        store.reroute(reroute, is_many.then(|| oldest(store.as_ref(), until)))
    });
    kept.await.map_err(|error| StoreError::Unavailable(format!("an order broke off: {error}")))?
}

/// When the oldest message was accepted that waits.
fn oldest(spool: &impl Spool, until: Timestamp) -> Timestamp {
    let (mut after, mut oldest) = (None, until);
    loop {
        let page = spool.queue(after, PAGE);
        let Some(last) = page.last() else { return oldest };
        after = Some(last.message);
        oldest = page.iter().map(|entry| entry.accepted_at).fold(oldest, Timestamp::min);
    }
}

/// The order as the dispatch knows it.
#[derive(Clone)]
enum Given {
    Order(Order),
    Reroute(Via),
}

fn given(order: &QueueOrder, via: Option<Via>, by: &Actor) -> Given {
    Given::Order(match order {
        QueueOrder::Hold => Order::Hold(HoldReason::Operator),
        QueueOrder::Release => Order::Release,
        QueueOrder::Retry => Order::Retry,
        QueueOrder::Cancel { notify: true } => Order::End(Arc::new(Ending::Cancelled(by.name.clone()))),
        QueueOrder::Cancel { notify: false } => Order::End(Arc::new(Ending::CancelledUntold(by.name.clone()))),
        QueueOrder::Reroute { .. } => return Given::Reroute(via.unwrap_or(Via::Usual)),
    })
}

impl Handle {
    /// Carries an order out on what a look found, some messages at once, in the name of `by`. The first fault ends it. `via`: for
    /// an order to send mail another way, which was kept first.
    pub async fn order_chosen(&self, order: &QueueOrder, via: Option<Via>, chosen: Vec<Chosen>, by: &Actor) -> Done {
        let order = given(order, via, by);
        let mut done = Done::default();
        let mut under_way = JoinSet::new();
        for (message, recipients) in chosen {
            if under_way.len() >= AT_ONCE {
                gather(&mut done, under_way.join_next().await);
            }
            if done.error.is_some() {
                break;
            }
            let (dispatch, order, count) = (self.clone(), order.clone(), recipients.len());
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
}

type Joined = Result<(usize, Result<usize, StoreError>), tokio::task::JoinError>;

fn gather(done: &mut Done, joined: Option<Joined>) {
    match joined {
        Some(Ok((chosen, result))) => done.with(chosen, result),
        Some(Err(error)) => done.error = Some(StoreError::Unavailable(format!("an order broke off: {error}"))),
        None => {}
    }
}
