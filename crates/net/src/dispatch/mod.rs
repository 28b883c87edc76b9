//! The delivery driver: carries out what `relay::schedule` decides, and settles what came of it.
//!
//! Nothing polls: an arrival, a settlement, a command or the next due moment wakes it. The lock around
//! the scheduler is held for decisions alone, never across a wait.

mod carrier;
mod claims;
mod conversation;
mod driver;
mod metrics;
mod notification;
mod orders;
mod review;
mod sandbox;
mod sealing;
pub mod selected;
mod settle;
mod suppressing;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod untried;
mod warm_ups;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use relay::account::Account;
use relay::brake::Windows;
use relay::clock::Timestamp;
use relay::dice::Dice;
use relay::id::{Id, MessageId};
use relay::limits::Limits;
use relay::outcome::rules::Rules;
use relay::outcome::unknown::UnknownReply;
use relay::queue::{Envelope, HoldReason};
use relay::reroute::Via;
use relay::retry::RETRY_FOR;
use relay::return_path::ReturnPaths;
use relay::schedule::{Bounds, Order, SiteState, SourceState};
use relay::shaping::Providers;
use relay::source::Sources;
use relay::store::{Actor, Store, StoreError};
use relay::suppression::Bounces;
use relay::warm_up::{self, Ladder};

use crate::clock::Clock;
use crate::offload::Offload;
use driver::Driver;

pub use carrier::Carrier;
pub use metrics::Metrics;
pub(crate) use notification::content_facts;
pub use notification::tell_damaged;
pub(crate) use suppressing::suppress_by_rule;

/// What the driver is held to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name, in notifications (`Reporting-MTA`).
    pub hostname: String,
    /// The account that notifications belong to: the relay's own.
    pub system_account: Id<Account>,
    /// How long to retry where neither the SMTP user nor the route says otherwise.
    pub retry_for: Duration,
    /// How many conversations there may be, and for how long they wait for further mail.
    pub bounds: Bounds,
    /// What large providers take.
    pub providers: Arc<Providers>,
    /// Where mail is sent from.
    pub sources: Arc<Sources>,
    /// What a day has of messages from sources that warm up.
    pub ladder: Ladder,
    /// Which class a next hop's reply is of.
    pub rules: Arc<Rules>,
    /// Shapes of replies that no rule knows, kept for the operator.
    pub unknown_replies_max: usize,
    /// Makes the addresses that mail goes out with; none: it goes out with the submitted reverse-paths.
    pub return_paths: Option<Arc<ReturnPaths>>,
    /// What bounces leave in the suppressions of an account.
    pub bounces: Bounces,
    /// What came to its end in the last hour, for the automatic brakes.
    pub ended: Arc<Mutex<Windows>>,
    /// How long after its acceptance a message counts as delayed.
    pub delayed_after: Duration,
    /// Octets of a message that a notification of its failure brings back whole, where that is asked for.
    pub returned_octets_max: u64,
    /// Signatures made at once; 0: one for each processor.
    pub seals_max: usize,
    /// Where signing and reading for notifications are done.
    pub offload: Offload,
}

impl Settings {
    /// The defaults, for a relay of this name whose own mail belongs to `system_account`.
    pub fn new(hostname: impl Into<String>, system_account: Id<Account>) -> Self {
        Settings {
            hostname: hostname.into(),
            system_account,
            retry_for: RETRY_FOR,
            bounds: Bounds::default(),
            providers: Arc::clone(Providers::ours()),
            sources: Arc::default(),
            ladder: Ladder::default(),
            rules: Arc::clone(Rules::ours()),
            return_paths: None,
            bounces: Bounces { lasts: Duration::ZERO, most: 0 },
            unknown_replies_max: 0,
            ended: Arc::default(),
            delayed_after: Duration::ZERO,
            returned_octets_max: 0,
            seals_max: 0,
            offload: Offload::Threads,
        }
        .held_to(&Limits::default())
    }

    /// The same within these limits.
    pub fn held_to(self, limits: &Limits) -> Self {
        Settings {
            bounds: Bounds::held_to(limits),
            unknown_replies_max: usize::try_from(limits.unknown_replies_max).unwrap_or(usize::MAX),
            delayed_after: Duration::from_secs(limits.delayed_seconds),
            returned_octets_max: limits.notification_content_octets_max,
            bounces: Bounces::held_to(limits),
            ..self
        }
    }
}

/// A future of one of [`Handle`]'s verbs.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What can be asked of a running driver.
pub(crate) trait Drive: Send + Sync {
    fn arrived(&self, envelope: &Envelope);
    fn retry(&self, message: MessageId) -> Answer<'_, Result<(), StoreError>>;
    fn hold(&self, message: MessageId, reason: HoldReason) -> Answer<'_, Result<(), StoreError>>;
    fn release(&self, message: MessageId) -> Answer<'_, Result<(), StoreError>>;
    fn cancel<'a>(&'a self, message: MessageId, by: &'a Actor) -> Answer<'a, Result<usize, StoreError>>;
    fn order(&self, message: MessageId, recipients: Vec<u16>, order: Order) -> Answer<'_, Result<usize, StoreError>>;
    fn reroute(
        &self,
        message: MessageId,
        recipients: Vec<(u16, Arc<str>)>,
        via: Via,
    ) -> Answer<'_, Result<usize, StoreError>>;
    fn accepted_until(&self, now: Timestamp) -> Timestamp;
    #[cfg(feature = "simulation")]
    fn in_flight(&self, message: MessageId) -> Vec<(u16, bool)>;
    #[cfg(feature = "simulation")]
    fn remembered(&self) -> usize;
    fn directory_changed(&self);
    fn shutdown(&self, patience: Duration) -> Answer<'_, ()>;
    fn next_due(&self) -> Option<Timestamp>;
    fn unknown_replies(&self) -> Vec<UnknownReply>;
    fn sites(&self, after: Option<&str>, limit: usize, troubled: bool) -> Vec<(SiteState, Vec<String>)>;
    fn resume_site(&self, site: &str) -> Result<(), StoreError>;
    fn sources(&self) -> Vec<SourceState>;
    fn configured_sources(&self) -> Arc<Sources>;
    fn resume_source(&self, source: &str) -> Result<(), StoreError>;
    fn warm_up(&self, source: &str, order: warm_up::Order) -> Result<(), StoreError>;
}

/// A running driver, as the rest of the process sees it. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    driver: Arc<dyn Drive>,
}

impl Handle {
    /// A message was committed: call it after `Store::commit` returned, before or after the client heard `250`.
    pub fn arrived(&self, envelope: &Envelope) {
        self.driver.arrived(envelope);
    }

    /// Makes every waiting recipient of the message due now, and asks its sites again even if they were down.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not live, [`StoreError::Conflict`] where all of it is held.
    pub async fn retry(&self, message: MessageId) -> Result<(), StoreError> {
        self.driver.retry(message).await
    }

    /// Holds every waiting recipient; one that is being delivered right now is held if that is deferred.
    ///
    /// # Errors
    /// The store's; [`StoreError::NotFound`] where it is not live.
    pub async fn hold(&self, message: MessageId, reason: HoldReason) -> Result<(), StoreError> {
        self.driver.hold(message, reason).await
    }

    /// Makes every held recipient due now.
    ///
    /// # Errors
    /// The store's; [`StoreError::NotFound`] where it is not live.
    pub async fn release(&self, message: MessageId) -> Result<(), StoreError> {
        self.driver.release(message).await
    }

    /// Bounces every recipient that is not settled, in the name of `by`; how many these were.
    /// One that is being delivered right now is cancelled if that is deferred.
    ///
    /// # Errors
    /// The store's; [`StoreError::NotFound`] where it is not live.
    pub async fn cancel(&self, message: MessageId, by: &Actor) -> Result<usize, StoreError> {
        self.driver.cancel(message, by).await
    }

    /// Carries an order out about these recipients of a message; of how many. One that is being delivered right now is held,
    /// sent elsewhere or ended if that is deferred, and not counted where it is to end.
    ///
    /// # Errors
    /// The store's; [`StoreError::NotFound`] where it is not live.
    pub async fn order(&self, message: MessageId, recipients: Vec<u16>, order: Order) -> Result<usize, StoreError> {
        self.driver.order(message, recipients, order).await
    }

    /// Sends recipients of a message, each with its domain, another way from now on; how many. The order itself has to be kept
    /// first: after a start it is gone by that.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not live.
    pub async fn reroute(
        &self,
        message: MessageId,
        recipients: Vec<(u16, Arc<str>)>,
        via: Via,
    ) -> Result<usize, StoreError> {
        self.driver.reroute(message, recipients, via).await
    }

    /// Before when all was accepted that an order to send mail another way means which is about to be kept: all that waits,
    /// whatever the clock said when an earlier process took it. What comes into the queue from now on and was accepted before
    /// then is looked at by that order.
    pub fn accepted_until(&self, now: Timestamp) -> Timestamp {
        self.driver.accepted_until(now)
    }

    /// The recipients of a message that are in flight, and whether their flight may lead to a next hop: for the simulator.
    #[cfg(feature = "simulation")]
    pub fn in_flight(&self, message: MessageId) -> Vec<(u16, bool)> {
        self.driver.in_flight(message)
    }

    /// Messages that the scheduler knows, and orders that it remembers: for the simulator.
    #[cfg(feature = "simulation")]
    pub fn remembered(&self) -> usize {
        self.driver.remembered()
    }

    /// Accounts, domains or users changed: suspended accounts' mail is held, resumed accounts' mail released.
    /// Without this call it is noticed within half a minute.
    pub fn directory_changed(&self) {
        self.driver.directory_changed();
    }

    /// Begins nothing more, lets running attempts finish for `patience`, then drops them (they are
    /// repeated after the next start).
    pub async fn shutdown(&self, patience: Duration) {
        self.driver.shutdown(patience).await;
    }

    /// When something will be due next, where anything waits for a moment.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.driver.next_due()
    }

    /// The replies that no rule knows, by their shape, those that came most often first.
    pub fn unknown_replies(&self) -> Vec<UnknownReply> {
        self.driver.unknown_replies()
    }

    /// What is in force at each site, in the order of names, behind one: so many at the most, and those alone where something
    /// is if `troubled`. With each the names of the first of its destinations.
    pub fn sites(&self, after: Option<&str>, limit: usize, troubled: bool) -> Vec<(SiteState, Vec<String>)> {
        self.driver.sites(after, limit, troubled)
    }

    /// Has a site asked now that was left alone: one conversation tries whether it takes mail again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no site of this name.
    pub fn resume_site(&self, site: &str) -> Result<(), StoreError> {
        self.driver.resume_site(site)
    }

    /// The sources with what is in force for each, as they are configured.
    pub fn sources(&self) -> Vec<SourceState> {
        self.driver.sources()
    }

    /// The sources and pools as they are configured, with whose mail goes from which.
    pub fn configured_sources(&self) -> Arc<Sources> {
        self.driver.configured_sources()
    }

    /// Has a source tried now that is set aside: one message tries whether it gets through.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no source of this name.
    pub fn resume_source(&self, source: &str) -> Result<(), StoreError> {
        self.driver.resume_source(source)
    }

    /// Stops the warm-up of a source, or begins it again. The order itself has to be kept first: after a start it is gone by that.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no source of this name.
    pub fn warm_up(&self, source: &str, order: warm_up::Order) -> Result<(), StoreError> {
        self.driver.warm_up(source, order)
    }
}

/// Starts drivers.
pub struct Dispatch;

impl Dispatch {
    /// Starts a driver and loads the live queue. Call within a tokio runtime; messages that are
    /// committed from now on have to be told to [`Handle::arrived`].
    pub fn start<S: Store, C: Carrier>(
        settings: Settings,
        store: Arc<S>,
        carrier: Arc<C>,
        clock: Arc<dyn Clock>,
        dice: Box<dyn Dice>,
        metrics: Metrics,
    ) -> Handle {
        let warms_up = settings.sources.iter().any(|(_, source)| source.warm_up);
        let driver = Arc::new(Driver::new(settings, store, carrier, clock, dice, metrics));
        driver.tasks.spawn(driver.clone().keep_time());
        driver.tasks.spawn(driver.clone().review());
        if warms_up {
            driver.tasks.spawn(driver.clone().keep_warm_ups());
        }
        Handle { driver: Arc::new(driver) }
    }
}
