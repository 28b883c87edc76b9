//! The driver itself: tells the scheduler what happens, and starts what it answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::dice::Dice;
use relay::id::{Id, MessageId};
use relay::outcome::Ending;
use relay::outcome::unknown::{UnknownReplies, UnknownReply};
use relay::queue::{Envelope, HoldReason, RecipientState};
use relay::reroute::Via;
use relay::retry::Jitter;
use relay::schedule::{Action, Addressed, ConversationId, Event, Order, Parcel, Scheduler, SiteState, SourceState};
use relay::sending_domain::SendingDomain;
use relay::source::{PoolId, Sources};
use relay::store::{Actor, QueueEntry, Store, StoreError};
use relay::warm_up;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::carrier::Carrier;
use super::claims::Claims;
use super::conversation::Way;
use super::metrics::Metrics;
use super::suppressing::Pending;
use super::{Answer, Drive, Settings, warm_ups};
use crate::clock::Clock;
use crate::seal::Sealer;
use crate::turns::Turns;

/// The longest sleep: the system's clock may jump ahead while we sleep by another.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// Messages read at once when the live queue is loaded.
pub(super) const PAGE: usize = 1000;

/// How long what was not known when somebody ordered about it waits for that order.
const UNORDERED_WAIT: Duration = Duration::from_secs(1);

/// Everything the driver's tasks share.
pub(super) struct Driver<S: Store, C: Carrier> {
    pub(super) settings: Settings,
    pub(super) store: Arc<S>,
    pub(super) carrier: Arc<C>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
    pub(super) sealer: Arc<Sealer<S>>,
    pub(super) claims: Arc<Claims<S>>,
    /// Messages accepted until then may have been notified of by an earlier process: whatever it left, by whichever
    /// clock. Milliseconds since 1970.
    pub(super) inherited_until: AtomicU64,
    /// What arrives and was accepted before then may be meant by an order to send mail another way. Milliseconds since 1970.
    rerouted_until: AtomicU64,
    state: Mutex<State>,
    /// What no rule knows; locked for one reply at a time.
    unknown: Mutex<UnknownReplies>,
    /// What is to be suppressed; locked to add and to take.
    suppressing: Mutex<Pending>,
    /// Orders about one message, and what follows from the directory for it, come one after the other.
    pub(super) turns: Turns,
    /// How often a message was looked for to be ordered about, each time in its turn.
    found: AtomicU64,
    /// An attempt was turned into a hold since the last look through the queue.
    pub(super) has_held: AtomicBool,
    /// The next due moment came nearer.
    alarm: Notify,
    /// Accounts or domains changed.
    pub(super) directory: Notify,
    pub(super) tasks: TaskTracker,
    /// Nothing is begun any more.
    pub(super) stopping: CancellationToken,
    /// Whatever can be dropped is dropped.
    pub(super) aborting: CancellationToken,
    is_latched: AtomicBool,
}

/// Messages of the queue as they were read for the load of a start.
pub(super) struct Page {
    entries: Vec<QueueEntry>,
    /// What [`Driver::found`] was before.
    found: u64,
}

pub(super) struct State {
    pub(super) scheduler: Scheduler,
    dice: Box<dyn Dice>,
    /// Where each conversation hears of its next parcel; dropped to close it.
    inboxes: HashMap<ConversationId, mpsc::UnboundedSender<Parcel>>,
    next_due: Option<Timestamp>,
}

impl<S: Store, C: Carrier> Driver<S, C> {
    pub(super) fn new(
        settings: Settings,
        store: Arc<S>,
        carrier: Arc<C>,
        clock: Arc<dyn Clock>,
        dice: Box<dyn Dice>,
        metrics: Metrics,
    ) -> Self {
        let scheduler = Scheduler::shaped(settings.bounds, Arc::clone(&settings.providers));
        let scheduler = scheduler.sending_from(Arc::clone(&settings.sources));
        let kept = warm_ups::kept(&settings.sources, &*store);
        let scheduler = scheduler.warming_up(settings.ladder.clone(), kept);
        let state = State { scheduler, dice, inboxes: HashMap::new(), next_due: None };
        Driver {
            sealer: Arc::new(Sealer::new(store.clone(), settings.seals_max, settings.offload)),
            claims: Arc::new(Claims::new(store.clone())),
            inherited_until: AtomicU64::new(clock.now().0),
            rerouted_until: AtomicU64::new(0),
            unknown: Mutex::new(UnknownReplies::new(settings.unknown_replies_max)),
            suppressing: Mutex::default(),
            found: AtomicU64::default(),
            has_held: AtomicBool::new(false),
            turns: Turns::default(),
            settings,
            store,
            carrier,
            clock,
            metrics,
            state: Mutex::new(state),
            alarm: Notify::new(),
            directory: Notify::new(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            aborting: CancellationToken::new(),
            is_latched: AtomicBool::new(false),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unknown(&self) -> MutexGuard<'_, UnknownReplies> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn suppressing(&self) -> MutexGuard<'_, Pending> {
        self.suppressing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn jitter(&self) -> Jitter {
        Jitter::roll(self.state().dice.as_mut())
    }

    /// Tells the scheduler what happened, and starts what it answers.
    pub(super) fn tell(self: &Arc<Self>, event: Event) {
        self.tell_and_keep(event, |_| false);
    }

    /// The same, but gives back instead of starting those actions that `keep` picks.
    pub(super) fn tell_and_keep(self: &Arc<Self>, event: Event, keep: impl Fn(&Action) -> bool) -> Vec<Action> {
        let mut kept = Vec::new();
        let mut state = self.state();
        let now = self.clock.now();
        let State { scheduler, dice, .. } = &mut *state;
        for action in scheduler.on(event, now, dice.as_mut()) {
            if keep(&action) {
                kept.push(action);
            } else {
                self.perform(&mut state, action);
            }
        }
        let next_due = state.scheduler.next_due();
        let came_nearer = next_due.is_some_and(|next| state.next_due.is_none_or(|known| next < known));
        state.next_due = next_due;
        self.metrics.depth(&state.scheduler.depth(), next_due.map(|due| due.0));
        drop(state);
        if came_nearer {
            self.alarm.notify_one();
        }
        kept
    }

    /// Starts an action. Under the lock: it must not wait.
    fn perform(self: &Arc<Self>, state: &mut State, action: Action) {
        match action {
            Action::Open { conversation, destination, source, parcel, find } => {
                let (sender, inbox) = mpsc::unbounded_channel();
                state.inboxes.insert(conversation, sender);
                let source = source.and_then(|source| self.settings.sources.source(source)).cloned();
                let way = Way { conversation, destination, source };
                self.tasks.spawn(self.clone().converse(way, parcel, find, inbox));
            }
            // whoever told what it answers has picked it
            Action::Withdraw(_) | Action::Elsewhere(_) => {}
            Action::Suspended { site, source, until, said } => {
                let minutes = self.minutes_until(until);
                let source = source.as_ref().map_or("", |source| source.name.as_str());
                tracing::warn!(%site, source, minutes, %said, "a site says that it blocks the relay: it is left alone for now");
            }
            Action::SetAside { source, until, why } => {
                let minutes = self.minutes_until(until);
                tracing::error!(source = %source.name, minutes, %why, "nothing gets through from a source: it is set aside for now");
            }
            Action::Restored(source) => {
                tracing::info!(source = %source.name, "a source that was set aside gets through again");
            }
            Action::Carry { conversation, parcel } => {
                if let Some(inbox) = state.inboxes.get(&conversation) {
                    // a conversation listens until it is told to close
                    let _ = inbox.send(parcel);
                }
            }
            Action::Close(conversation) => {
                state.inboxes.remove(&conversation);
            }
            Action::Fail { parcel, fault, attempted, not_before } => {
                let driver = self.clone();
                self.tasks.spawn(async move { driver.fail(parcel, &fault, attempted, not_before).await });
            }
            Action::End { parcel, ending } => {
                let driver = self.clone();
                self.tasks.spawn(async move { driver.end(parcel, &ending).await });
            }
        }
    }

    fn minutes_until(&self, until: Timestamp) -> u64 {
        until.since(self.clock.now()).as_secs().div_ceil(60)
    }

    /// Recipients in one transaction that the site of a conversation takes; 0: as many as every one.
    pub(super) fn transaction_recipients(&self, conversation: ConversationId) -> u32 {
        self.state().scheduler.transaction_recipients(conversation)
    }

    pub(super) fn forget_inbox(&self, conversation: ConversationId) {
        self.state().inboxes.remove(&conversation);
    }

    /// Wakes the scheduler at each due moment, until the stop.
    pub(super) async fn keep_time(self: Arc<Self>) {
        loop {
            let next_due = self.state().next_due;
            let wait = next_due.map_or(SLEEP_MAX, |due| due.since(self.clock.now()).min(SLEEP_MAX));
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = self.alarm.notified() => continue,
                () = tokio::time::sleep(wait) => self.tell(Event::Tick),
            }
        }
    }

    /// Tells the scheduler of everything that is live.
    pub(super) async fn load(self: &Arc<Self>) {
        let mut after = None;
        let mut messages: usize = 0;
        while !self.stopping.is_cancelled() {
            let page = self.page(after);
            let Some(last) = page.entries.last() else { break };
            after = Some(last.message);
            messages += page.entries.len();
            self.load_page(page).await;
            tokio::task::yield_now().await;
        }
        if messages > 0 {
            tracing::info!(messages, "the live queue was loaded");
        }
    }

    /// The next messages of the queue.
    pub(super) fn page(&self, after: Option<MessageId>) -> Page {
        let found = self.found.load(Ordering::SeqCst);
        Page { entries: self.store.queue(after, PAGE), found }
    }

    /// Tells the scheduler of the messages of a page as they are by now: since it was read some may have been ordered about, and
    /// have ended. What has ended would be held for good, or dialled for, if it was told as it stood there.
    pub(super) async fn load_page(self: &Arc<Self>, page: Page) {
        for entry in page.entries {
            let _turn = self.turns.of(entry.message).await;
            // millions are loaded, and hardly ever is one of them ordered about meanwhile
            let is_as_read = self.found.load(Ordering::SeqCst) == page.found;
            if let Some(entry) = if is_as_read { Some(entry) } else { self.entry(entry.message).ok() } {
                self.load_entry(entry, Timestamp(0)).await;
            }
        }
    }

    /// The sources that mail of an account goes from, sent from this domain.
    fn pool_of(&self, account: Id<Account>, domain: Option<Id<SendingDomain>>) -> PoolId {
        let today = || (self.store.directory(), self.clock.now());
        self.settings.sources.pool_of(today, (account, domain))
    }

    /// Tells the scheduler of a message as the store has it; nothing of it is due before this moment.
    async fn load_entry(self: &Arc<Self>, mut entry: QueueEntry, not_before: Timestamp) {
        self.inherited_until.fetch_max(entry.accepted_at.0, Ordering::Relaxed);
        let ways = self.ways(&entry).await;
        if !ways.is_empty() {
            // its envelope may have been read for that: it may have been held, released or settled meanwhile
            let Ok(current) = self.entry(entry.message) else { return };
            entry = current;
        }
        let (routes, wish) = (self.carrier.routes(), entry.way_wish());
        let destination = |recipient: u16, domain: &str| match ways.iter().find(|(number, _)| *number == recipient) {
            Some((_, via)) => routes.toward(via, domain, wish),
            None => routes.destination_wanting(domain, wish),
        };
        let recipients = entry
            .recipients
            .into_iter()
            .map(|(recipient, domain, state)| Addressed {
                recipient,
                destination: destination(recipient, &domain),
                state: match state {
                    RecipientState::Waiting { due, attempts } => {
                        RecipientState::Waiting { due: due.max(not_before), attempts }
                    }
                    state => state,
                },
            })
            .collect();
        let (message, account, class) = (entry.message, entry.account, entry.class);
        let pool = self.pool_of(account, entry.domain);
        self.tell(Event::Arrived { message, account, class, pool, recipients });
    }

    /// The store latched: nothing is delivered whose outcome could not be kept.
    pub(super) fn latch(self: &Arc<Self>, error: &StoreError) {
        if self.is_latched.swap(true, Ordering::SeqCst) {
            return;
        }
        tracing::error!(%error, "delivery stops: outcomes cannot be kept; restart after looking at the disk");
        self.metrics.stopped.set(1);
        self.tell(Event::Stopped);
        self.stopping.cancel();
        self.aborting.cancel();
    }

    /// Holds a message, in the scheduler first, so that nothing more of it begins.
    pub(super) async fn hold_message(
        self: &Arc<Self>,
        message: MessageId,
        reason: HoldReason,
    ) -> Result<(), StoreError> {
        self.tell(Event::Held(message, reason));
        let held = self.store.hold(message, reason, self.clock.now()).await;
        let held = self.minded(held);
        if held.is_err() {
            self.not_held(message, None);
        }
        held
    }

    /// Releases a message, in the store first, so that nothing of it begins that is held there.
    pub(super) async fn release_message(self: &Arc<Self>, message: MessageId) -> Result<(), StoreError> {
        self.find(message).await?;
        let released = self.store.release(message, self.clock.now()).await;
        self.minded(released)?;
        self.tell(Event::Released(message));
        Ok(())
    }

    /// Ends every recipient of a message that is not in flight, and the others when they come back.
    pub(super) async fn give_up(self: &Arc<Self>, message: MessageId, ending: Ending) -> Result<usize, StoreError> {
        let event = Event::GivenUp(message, Arc::new(ending));
        let is_its = |action: &Action| matches!(action, Action::End { parcel, .. } if parcel.message == message);
        let actions = self.tell_and_keep(event, is_its);
        self.end_all(actions).await
    }

    /// Ends the parcels of these actions; of how many recipients.
    pub(super) async fn end_all(self: &Arc<Self>, actions: Vec<Action>) -> Result<usize, StoreError> {
        let (mut ended, mut left) = (0, 0);
        for action in actions {
            if let Action::End { parcel, ending } = action {
                let (message, recipients) = (parcel.message, parcel.recipients.clone());
                if self.end(parcel, &ending).await {
                    ended += recipients.len();
                } else {
                    left += self.left_of(message, &recipients);
                }
            }
        }
        if self.is_latched.load(Ordering::SeqCst) && ended == 0 {
            return Err(StoreError::Latched("the outcome cannot be kept".to_owned()));
        }
        match left {
            0 => Ok(ended),
            left => Err(StoreError::Unavailable(format!("{left} recipients could not be ended now"))),
        }
    }

    /// How many of these recipients are still there, but for those whose message is damaged: nothing ends that is not read.
    pub(super) fn left_of(&self, message: MessageId, recipients: &[u16]) -> usize {
        let is_damaged =
            |state: &RecipientState| matches!(state, RecipientState::Held { reason: HoldReason::Damaged, .. });
        let is_left =
            |(number, _, state): &&(u16, Arc<str>, RecipientState)| recipients.contains(number) && !is_damaged(state);
        self.entry(message).map_or(0, |entry| entry.recipients.iter().filter(is_left).count())
    }

    /// A message of the queue, as the store has it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: it has left.
    pub(super) fn entry(&self, message: MessageId) -> Result<QueueEntry, StoreError> {
        let before = message.0.checked_sub(1).map(MessageId);
        let entry = self.store.queue(before, 1).pop().filter(|entry| entry.message == message);
        entry.ok_or_else(|| gone(message))
    }

    /// Sees to it that the scheduler knows a message of the queue, so that it can be ordered about: one that was kept just now, or
    /// that the load of a start has not come to yet, is told to it first, and begins a moment later.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: it has left.
    pub(super) async fn find(self: &Arc<Self>, message: MessageId) -> Result<(), StoreError> {
        self.found.fetch_add(1, Ordering::SeqCst);
        let is_known = self.state().scheduler.knows(message);
        if !is_known {
            // it would be gone before it is ordered about
            let not_before = self.clock.now().after(UNORDERED_WAIT);
            self.load_entry(self.entry(message)?, not_before).await;
        }
        Ok(())
    }
}

fn gone(message: MessageId) -> StoreError {
    StoreError::NotFound(format!("message {message} in the queue"))
}

impl<S: Store, C: Carrier> Drive for Arc<Driver<S, C>> {
    fn arrived(&self, envelope: &Envelope) {
        let routes = self.carrier.routes();
        let state = RecipientState::Waiting { due: envelope.accepted_at, attempts: 0 };
        let may_be_rerouted = envelope.accepted_at.0 < self.rerouted_until.load(Ordering::SeqCst);
        let recipients = (0u16..)
            .zip(&envelope.recipients)
            .map(|(recipient, address)| Addressed {
                recipient,
                destination: match may_be_rerouted {
                    true => self.way_of(envelope, recipient),
                    false => routes.destination_wanting(address.domain(), envelope.way_wish()),
                },
                state: state.clone(),
            })
            .collect();
        let (message, account, class) = (envelope.message, envelope.account, envelope.priority.class());
        let pool = self.pool_of(account, envelope.domain);
        self.tell(Event::Arrived { message, account, class, pool, recipients });
        if !envelope.suppressed.is_empty() {
            let (driver, envelope) = (self.clone(), envelope.clone());
            self.tasks.spawn(async move { driver.notify_suppressed(&envelope).await });
        }
    }

    fn retry(&self, message: MessageId) -> Answer<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let _turn = self.turns.of(message).await;
            self.find(message).await?;
            if self.state().scheduler.is_held(message) {
                return Err(StoreError::Conflict(format!("message {message} is held; release it instead")));
            }
            self.tell(Event::Retried(message));
            Ok(())
        })
    }

    fn hold(&self, message: MessageId, reason: HoldReason) -> Answer<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let _turn = self.turns.of(message).await;
            self.find(message).await?;
            self.hold_message(message, reason).await
        })
    }

    fn release(&self, message: MessageId) -> Answer<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let _turn = self.turns.of(message).await;
            self.release_message(message).await
        })
    }

    fn cancel<'a>(&'a self, message: MessageId, by: &'a Actor) -> Answer<'a, Result<usize, StoreError>> {
        Box::pin(async move {
            let _turn = self.turns.of(message).await;
            let entry = self.entry(message)?;
            let recipients = entry.recipients.iter().map(|(number, ..)| *number).collect();
            self.order(message, recipients, Order::End(Arc::new(Ending::Cancelled(by.name.clone())))).await
        })
    }

    fn order(&self, message: MessageId, recipients: Vec<u16>, order: Order) -> Answer<'_, Result<usize, StoreError>> {
        Box::pin(async move {
            let _turn = self.turns.of(message).await;
            Driver::order(self, message, recipients, order).await
        })
    }

    fn reroute(
        &self,
        message: MessageId,
        recipients: Vec<(u16, Arc<str>)>,
        via: Via,
    ) -> Answer<'_, Result<usize, StoreError>> {
        Box::pin(async move {
            let _turn = self.turns.of(message).await;
            Driver::reroute(self, message, recipients, &via).await
        })
    }

    fn accepted_until(&self, now: Timestamp) -> Timestamp {
        let newest = now.max(Timestamp(self.inherited_until.load(Ordering::Relaxed)));
        let until = newest.after(Duration::from_millis(1));
        self.rerouted_until.fetch_max(until.0, Ordering::SeqCst);
        until
    }

    #[cfg(feature = "simulation")]
    fn in_flight(&self, message: MessageId) -> Vec<(u16, bool)> {
        self.state().scheduler.in_flight(message)
    }

    #[cfg(feature = "simulation")]
    fn remembered(&self) -> usize {
        self.state().scheduler.remembered()
    }

    fn directory_changed(&self) {
        self.directory.notify_one();
    }

    fn shutdown(&self, patience: Duration) -> Answer<'_, ()> {
        Box::pin(async move {
            self.tell(Event::Stopped);
            self.stopping.cancel();
            self.tasks.close();
            if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
                tracing::warn!(
                    tasks = self.tasks.len(),
                    "attempts are cut off by the stop; they are repeated after the next start"
                );
                self.aborting.cancel();
                self.tasks.wait().await;
            }
            self.keep_warm_ups_now().await;
        })
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.state().next_due
    }

    fn unknown_replies(&self) -> Vec<UnknownReply> {
        self.unknown().list()
    }

    fn sites(&self, after: Option<&str>, limit: usize, troubled: bool) -> Vec<(SiteState, Vec<String>)> {
        let found = self.state().scheduler.sites(after, limit, troubled, self.clock.now());
        let routes = self.carrier.routes();
        let named = |site: SiteState| {
            let names = site.destinations.iter().map(|destination| routes.site(destination)).collect();
            (site, names)
        };
        found.into_iter().map(named).collect()
    }

    fn resume_site(&self, site: &str) -> Result<(), StoreError> {
        if !self.state().scheduler.has_site(site) {
            return Err(StoreError::NotFound(format!("site {site}")));
        }
        self.tell(Event::Resumed(site.to_owned()));
        Ok(())
    }

    fn sources(&self) -> Vec<SourceState> {
        self.state().scheduler.sources(self.clock.now())
    }

    fn configured_sources(&self) -> Arc<Sources> {
        Arc::clone(&self.settings.sources)
    }

    fn resume_source(&self, source: &str) -> Result<(), StoreError> {
        let found = self.settings.sources.source_named(source);
        let found = found.ok_or_else(|| StoreError::NotFound(format!("source {source}")))?;
        self.tell(Event::SourceResumed(found));
        Ok(())
    }

    fn warm_up(&self, source: &str, order: warm_up::Order) -> Result<(), StoreError> {
        self.order_warm_up(source, order)
    }
}
