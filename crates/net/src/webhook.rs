//! Sends calls to webhooks: what waits in the store goes to its receivers, account by account, until it is taken or given
//! up.
//!
//! What an answer means and whose turn is next is decided by [`relay::webhook`]. A conversation sends one receiver some
//! calls, one after the other on one connection, and ends with the first that is not taken. What came of a call is kept
//! before the next is sent: after a crash at most one of each conversation is sent again.

mod client;
mod metrics;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use relay::account::AccountState;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::limits::Limits;
use relay::store::{Actor, Store, StoreError, WebhookChange};
use relay::webhook::{Call, Target, Tried, Turns, Verdict, Webhook, WebhookState, judge, target};
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::clock::{Clock, DiceBox};
use crate::dns::Resolver;
use crate::shutdown::Shutdown;
use client::{Client, Line};

pub use metrics::Metrics;

/// How often the store is looked at when nobody says that anything changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How soon after the last look at the earliest.
const LOOK_DELAY: Duration = Duration::from_millis(100);
/// How often calls that have waited for too long are given up.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// Calls of one conversation.
const CALLS_MAX: usize = 16;
/// How long a conversation waits where its outcome could not be kept: nothing is sent over and over meanwhile.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// How long the calls under way may go on when the relay stops; what is cut off is sent again after the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// How receivers are called.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether receivers may be in private networks, and without TLS.
    pub allow_private: bool,
    /// Addresses that we listen on (an unspecified one: all of this machine): never dialled, unless `allow_private`.
    pub own: Vec<IpAddr>,
    /// Certificate authorities trusted besides the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether the system's certificate authorities are trusted.
    pub system_authorities: bool,
    /// The numbers of the limits (`webhook_…`).
    pub limits: Limits,
}

/// Calls being sent. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    bell: Arc<Notify>,
}

impl Handle {
    /// Accounts or webhooks changed: what waited for that is sent now. Without this call it is noticed within half a
    /// minute.
    pub fn directory_changed(&self) {
        self.bell.notify_one();
    }
}

/// Who sends, and what that needs.
pub struct Surroundings<S> {
    /// What remembers.
    pub store: Arc<S>,
    /// Who resolves the names of receivers.
    pub resolver: Arc<dyn Resolver>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where jitter comes from.
    pub dice: DiceBox,
    /// What is counted.
    pub metrics: Metrics,
}

/// Starts to send, until the stop. Call within a tokio runtime.
///
/// # Errors
/// The cryptography is unusable, which no configuration can mend.
pub fn start<S: Store>(
    settings: Settings,
    around: Surroundings<S>,
    shutdown: &Shutdown,
) -> Result<Handle, rustls::Error> {
    let bell = Arc::new(Notify::new());
    let turns = Turns::new(&settings.limits);
    let desk = Desk {
        client: Client::new(settings, around.resolver)?,
        store: around.store,
        clock: around.clock,
        dice: around.dice,
        metrics: around.metrics,
        stop: shutdown.clone(),
    };
    let driver = Driver {
        desk: Arc::new(desk),
        bell: Arc::clone(&bell),
        turns,
        under_way: HashMap::new(),
        conversations: JoinSet::new(),
        looked_at: None,
        is_stale: true,
        expire_at: Timestamp(0),
    };
    shutdown.spawn(driver.run(shutdown.clone()));
    Ok(Handle { bell })
}

/// What a conversation needs.
struct Desk<S> {
    client: Client,
    store: Arc<S>,
    clock: Arc<dyn Clock>,
    dice: DiceBox,
    metrics: Metrics,
    stop: Shutdown,
}

/// A conversation that has ended.
struct Ended {
    webhook: Id<Webhook>,
    /// The numbers of the calls that it had.
    calls: Vec<u64>,
    /// Whether the receiver took all that it was sent.
    took: bool,
}

struct Driver<S> {
    desk: Arc<Desk<S>>,
    bell: Arc<Notify>,
    turns: Turns,
    /// The numbers of calls that conversations have.
    under_way: HashMap<Id<Webhook>, HashSet<u64>>,
    conversations: JoinSet<Ended>,
    looked_at: Option<Instant>,
    /// The store may know of more than was seen there.
    is_stale: bool,
    expire_at: Timestamp,
}

impl<S: Store> Driver<S> {
    async fn run(mut self, shutdown: Shutdown) {
        let store = Arc::clone(&self.desk.store);
        let mut seen = 0;
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "calls to webhooks cannot be read");
            }
            self.begin().await;
            let wait = self.wait();
            tokio::select! {
                () = shutdown.begun() => break,
                mark = store.webhooks_called(seen) => (seen, self.is_stale) = (mark, true),
                () = self.bell.notified() => self.is_stale = true,
                Some(ended) = self.conversations.join_next() => self.end(ended),
                () = sleep_until(wait) => self.is_stale = true,
            }
        }
        let all = async { while self.conversations.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_PATIENCE, all).await.is_err() {
            tracing::info!("calls to webhooks are cut off: they are sent again after the next start");
        }
    }

    /// Until when there is nothing to do, unless something happens.
    fn wait(&self) -> Instant {
        let (at, now) = (Instant::now(), self.desk.clock.now());
        if self.is_stale {
            return self.looked_at.map_or(at, |looked_at| looked_at + LOOK_DELAY);
        }
        at + self.turns.due().map_or(LOOK_EVERY, |due| due.since(now)).clamp(LOOK_DELAY, LOOK_EVERY)
    }

    /// Looks which webhooks have calls, where that may have changed and was not just done.
    async fn look(&mut self) -> Result<(), StoreError> {
        let just = self.looked_at.is_some_and(|looked_at| looked_at.elapsed() < LOOK_DELAY);
        if !self.is_stale || just {
            return Ok(());
        }
        (self.looked_at, self.is_stale) = (Some(Instant::now()), false);
        let now = self.desk.clock.now();
        let expire = now >= self.expire_at;
        if expire {
            self.expire_at = now.after(EXPIRE_EVERY);
        }
        let (expired, outlooks) = self
            .desk
            .ask(move |store| {
                let expired = if expire { store.webhook_expire(now)? } else { 0 };
                Ok((expired, store.webhook_outlooks()?))
            })
            .await?;
        self.desk.metrics.expired(expired);
        self.desk.metrics.waiting(outlooks.iter().map(|outlook| outlook.waiting).sum());
        let directory = self.desk.store.directory();
        let told = |webhook| told(&directory, webhook).is_some();
        self.turns.refresh(outlooks.into_iter().filter(|outlook| told(outlook.webhook)));
        Ok(())
    }

    /// Begins as many conversations as there is room for.
    async fn begin(&mut self) {
        while let Some(id) = self.turns.next(self.desk.clock.now()) {
            let webhook = told(&self.desk.store.directory(), id);
            let known = self.under_way.get(&id).map_or(0, HashSet::len);
            let (now, limit) = (self.desk.clock.now(), CALLS_MAX + known);
            let due = self.desk.ask(move |store| store.webhook_due(id, now, limit)).await;
            let due = due.unwrap_or_else(|error| {
                tracing::warn!(webhook = %id, %error, "calls to a webhook cannot be read");
                Vec::new()
            });
            let under_way = self.under_way.entry(id).or_default();
            let mut calls: Vec<Call> = due.into_iter().filter(|call| !under_way.contains(&call.number)).collect();
            calls.truncate(CALLS_MAX);
            let (Some(webhook), false) = (webhook, calls.is_empty()) else {
                if under_way.is_empty() {
                    self.under_way.remove(&id);
                }
                self.turns.had_nothing(id);
                continue;
            };
            under_way.extend(calls.iter().map(|call| call.number));
            let desk = Arc::clone(&self.desk);
            self.conversations.spawn(async move { desk.converse(webhook, calls).await });
        }
        self.desk.metrics.conversations(self.conversations.len());
    }

    fn end(&mut self, ended: Result<Ended, JoinError>) {
        self.is_stale = true;
        let Ended { webhook, calls, took } = match ended {
            Ok(ended) => ended,
            // its calls stay under way until the next start: this is a fault of the program
            Err(error) => return tracing::error!(%error, "a conversation with the receiver of a webhook broke off"),
        };
        if let Some(under_way) = self.under_way.get_mut(&webhook) {
            under_way.retain(|call| !calls.contains(call));
            if under_way.is_empty() {
                self.under_way.remove(&webhook);
            }
        }
        self.turns.ended(webhook, took);
    }
}

/// A webhook, where anything is sent to it now.
fn told(directory: &Directory, webhook: Id<Webhook>) -> Option<Arc<Webhook>> {
    let webhook = directory.webhook(webhook).filter(|webhook| webhook.state == WebhookState::Enabled)?;
    let account = directory.accounts.get(&webhook.account)?;
    (account.state == AccountState::Active).then(|| Arc::clone(webhook))
}

impl<S: Store> Desk<S> {
    /// Asks the store, off the async threads.
    async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        let asked = tokio::task::spawn_blocking(move || what(&store)).await;
        asked.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Sends calls one after the other, until one is not taken.
    async fn converse(&self, webhook: Arc<Webhook>, calls: Vec<Call>) -> Ended {
        let mut ended =
            Ended { webhook: webhook.id, calls: calls.iter().map(|call| call.number).collect(), took: true };
        let receiver = target(&webhook.url, self.client.allows_private()).map_err(|error| error.to_string());
        let mut line = None;
        for call in calls {
            // switched off, changed or deleted meanwhile: whoever is asked next decides anew
            let unchanged = told(&self.store.directory(), webhook.id).is_some_and(|now| now == webhook);
            if self.stop.is_begun() || !unchanged {
                break;
            }
            match self.send(&webhook, &receiver, &mut line, call).await {
                Ok(Verdict::Delivered) => {}
                Ok(_) => {
                    ended.took = false;
                    break;
                }
                Err(error) => {
                    tracing::error!(webhook = %webhook.id, %error, "what came of a call to a webhook is not kept");
                    tokio::select! {
                        () = tokio::time::sleep(STORE_PAUSE) => {}
                        () = self.stop.begun() => {}
                    }
                    ended.took = false;
                    break;
                }
            }
        }
        ended
    }

    /// Sends a call, and keeps what came of it.
    async fn send(
        &self,
        webhook: &Arc<Webhook>,
        receiver: &Result<Target, String>,
        line: &mut Option<Line>,
        call: Call,
    ) -> Result<Verdict, StoreError> {
        let (id, now) = (webhook.id, self.clock.now());
        let secrets = self.ask(move |store| store.webhook_secrets(id, now)).await?;
        let begun = Instant::now();
        let exchange = match receiver {
            Ok(receiver) => self.client.send(line, receiver, &call.new, &secrets, now).await,
            Err(fault) => client::Exchange::failed(format!("The URL cannot be called: {fault}.")),
        };
        let (attempts, until) = (call.attempts + 1, call.until);
        let verdict = judge(exchange.reply, attempts, until, self.clock.now(), (self.dice)().as_mut());
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let tried = Tried {
            webhook: id,
            number: call.number,
            call: call.new.call,
            last: exchange.tried(now, milliseconds),
            verdict,
        };
        let fault = tried.last.fault.clone();
        self.ask(move |store| store.webhook_tried(&[tried])).await?;
        self.metrics.tried(verdict);
        tracing::debug!(webhook = %id, call = %call.new.call, ?verdict, fault, "a call to a webhook was tried");
        if verdict == Verdict::Gone {
            self.switch_off(id).await?;
        }
        Ok(verdict)
    }

    /// The receiver wants nothing more: its account reads of it in the audit log.
    async fn switch_off(&self, webhook: Id<Webhook>) -> Result<(), StoreError> {
        tracing::info!(%webhook, "a webhook is switched off: its receiver answered 410");
        let (by, now) = (Actor { name: "system".to_owned(), from: "relay".to_owned() }, self.clock.now());
        let change = WebhookChange::State(WebhookState::Gone);
        self.ask(move |store| store.webhook_change(webhook, change, &by, now)).await.map(drop)
    }
}
