//! What every session of a server shares, and the little that is written down in the background.

use relay::activity::Notice;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::limits::Limits;
use relay::quota::Usage;
use relay::site::Site;
use relay::smtp_user::{PasswordHash, SmtpUser};
use relay::store::{Block, Login, Store, StoreError};
use relay::submission::{Receipt, Submission};
use relay::unsubscribe::Links;
use smtp::replies;
use smtp::server::Settings as SessionSettings;
use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::handed_in::{self, HandedIn};
use super::{Arrivals, Metrics, Settings, StartError};
use crate::clock::{Clock, DiceBox};
use crate::offload::Offload;
use crate::shutdown::Shutdown;

/// How often gathered logins and refusals are written down.
const KEEPING_PERIOD: Duration = Duration::from_secs(5);
/// Users and addresses whose logins wait to be written down; further ones wait for the next login.
const LOGINS_MAX: usize = 100_000;
/// Refused connections at once that still hear why.
const REFUSED_MAX: usize = 256;
/// Addresses that are named where one may be a load balancer.
const BUSIEST: usize = 5;

/// Logins that are not written down yet: whose, from where and by which password, and when last.
type Logins = HashMap<(Id<SmtpUser>, IpAddr, Option<PasswordHash>), Timestamp>;

/// What every session shares.
pub(super) struct House<S> {
    pub(super) store: Arc<S>,
    pub(super) submission: Submission,
    pub(super) session: SessionSettings,
    pub(super) proxies: Vec<ipnet::IpNet>,
    pub(super) limits: Limits,
    pub(super) acceptor: TlsAcceptor,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) dice: DiceBox,
    pub(super) offload: Offload,
    pub(super) arrivals: Arrivals,
    pub(super) metrics: Metrics,
    /// Ends the listeners at once and sessions between transactions.
    pub(super) shutdown: Shutdown,
    /// Ends sessions whose time to finish is up.
    pub(super) out_of_time: CancellationToken,
    /// Room for connections that are only told why they are refused.
    pub(super) refused: Semaphore,
    logins: Mutex<Logins>,
    /// Messages that the store did not take, since it was last written down.
    not_kept: AtomicU64,
}

/// What a house stands on.
pub(super) struct Ground<S> {
    pub(super) store: Arc<S>,
    pub(super) acceptor: TlsAcceptor,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) dice: DiceBox,
    pub(super) offload: Offload,
    pub(super) arrivals: Arrivals,
    pub(super) metrics: Metrics,
    pub(super) shutdown: Shutdown,
}

/// The house as [`super::Server`] sees it, whatever the store.
pub(super) trait Front: Send + Sync {
    fn lift(&self, address: IpAddr);
    fn blocks(&self) -> Vec<Block>;
    fn connections(&self) -> (u64, Vec<(Site, u64)>);
    fn usage(&self) -> Usage;
    fn hand_in(self: Arc<Self>, handed: HandedIn) -> Pin<Box<dyn Future<Output = Receipt> + Send>>;
    fn finished(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

impl<S: Store> House<S> {
    /// Takes up what the store kept of blocks and logins.
    pub(super) async fn open(settings: Settings, ground: Ground<S>) -> Result<Arc<House<S>>, StartError> {
        let Settings { hostname, proxies, shared, limits, unsubscribe, .. } = settings;
        let Ground { store, acceptor, clock, dice, offload, arrivals, metrics, shutdown } = ground;
        let links = unsubscribe.map(|base| Links::new(store.return_path_key(), &base));
        let submission = Submission::new(&hostname, &limits, shared, store.password_key(), dice().as_mut());
        let submission = submission.with_links(links);
        let known_since = Timestamp(clock.now().0.saturating_sub(milliseconds(limits.known_login())));
        let reader = Arc::clone(&store);
        let kept = move || Ok((reader.blocks()?, reader.logins(known_since)?, reader.charges()?));
        let (blocks, logins, charges) = blocking(offload, kept).await?;
        submission.restore(blocks, &logins);
        submission.charge(charges.iter());
        Ok(Arc::new(House {
            store,
            submission,
            session: limits.session(&hostname),
            proxies,
            limits,
            acceptor,
            clock,
            dice,
            offload,
            arrivals,
            metrics,
            shutdown: shutdown.child(),
            out_of_time: CancellationToken::new(),
            refused: Semaphore::new(REFUSED_MAX),
            logins: Mutex::default(),
            not_kept: AtomicU64::new(0),
        }))
    }

    /// Hands refusals to the store, gathered. Returns whether one of them is news, and no repetition.
    pub(super) fn note(&self, notices: Vec<Notice>) -> bool {
        let notices: Vec<_> = notices.into_iter().filter_map(|notice| self.submission.gather(notice)).collect();
        let is_news = !notices.is_empty();
        if is_news {
            self.store.note(notices);
        }
        is_news
    }

    /// Remembers a login for the next writing down.
    pub(super) fn on_login(&self, login: &Login) {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        if logins.len() < LOGINS_MAX {
            logins.insert((login.user, login.address, login.password), login.at);
        }
    }

    /// Keeps a block that began.
    pub(super) async fn keep_block(&self, block: Block) {
        tracing::warn!(address = %block.address, minutes = block.seconds / 60, cause = %block.cause, "address blocked");
        let store = Arc::clone(&self.store);
        if let Err(error) = blocking(self.offload, move || store.block_put(&block)).await {
            tracing::error!(%error, "the block was not kept; it ends with this process");
        }
    }

    /// Logs that the store did not take a message: the first at once, those that follow it as a number, or a full disk
    /// would get a line for each attempt of each client.
    pub(super) fn on_not_kept(&self, error: &StoreError) {
        if self.not_kept.fetch_add(1, Relaxed) == 0 {
            tracing::error!(%error, "message not kept, and not accepted");
        } else {
            tracing::debug!(%error, "message not kept, and not accepted");
        }
    }

    async fn write_down(&self) {
        let more = self.not_kept.swap(0, Relaxed).saturating_sub(1);
        if more > 0 {
            tracing::error!(more, "message not kept, and not accepted: more of them since");
        }
        let notices = self.submission.flush(self.clock.now());
        if !notices.is_empty() {
            self.store.note(notices);
        }
        let logins = std::mem::take(&mut *self.logins.lock().unwrap_or_else(PoisonError::into_inner));
        if logins.is_empty() {
            return;
        }
        let login = |((user, address, password), at)| Login { user, address, at, password };
        let logins: Vec<_> = logins.into_iter().map(login).collect();
        let store = Arc::clone(&self.store);
        if let Err(error) = blocking(self.offload, move || store.logins_note(&logins)).await {
            tracing::warn!(%error, "last connections were not written down");
        }
    }
}

impl<S: Store> Front for House<S> {
    fn lift(&self, address: IpAddr) {
        self.submission.lift(address);
    }

    fn blocks(&self) -> Vec<Block> {
        self.submission.blocks(self.clock.now())
    }

    fn connections(&self) -> (u64, Vec<(Site, u64)>) {
        let slots = self.submission.slots();
        (slots.connections(), slots.busiest(BUSIEST))
    }

    fn usage(&self) -> Usage {
        self.submission.usage().clone()
    }

    fn hand_in(self: Arc<Self>, handed: HandedIn) -> Pin<Box<dyn Future<Output = Receipt> + Send>> {
        let nothing = Receipt::new(handed.message);
        let (here, tasks) = (Arc::clone(&self), self.shutdown.clone());
        // a task of its own, which is waited for at the end: whoever asked may go away, and a commit that has begun is
        // counted, charged and told
        let task = tasks.spawn(async move {
            tokio::select! {
                biased;
                () = here.out_of_time.cancelled() => None,
                receipt = handed_in::hand_in(&here, handed) => Some(receipt),
            }
        });
        Box::pin(async move {
            match task.await {
                Ok(Some(receipt)) => receipt,
                Ok(None) => Receipt { refusal: Some(replies::shutting_down()), ..nothing },
                Err(error) => {
                    tracing::error!(%error, "a message that was handed in broke off");
                    Receipt { refusal: Some(replies::store_failed()), ..nothing }
                }
            }
        })
    }

    fn finished(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.shutdown.begun().await;
            let patience = Duration::from_secs(self.limits.shutdown_seconds);
            if !self.shutdown.finished(patience).await {
                tracing::warn!(sessions = self.shutdown.tasks(), "sessions did not finish in time; they are cut");
                self.out_of_time.cancel();
                self.shutdown.finished(KEEPING_PERIOD).await;
            }
            self.write_down().await;
        })
    }
}

/// Writes down what is gathered, every few seconds.
pub(super) async fn keep<S: Store>(house: Arc<House<S>>) {
    loop {
        tokio::select! {
            biased;
            () = house.shutdown.begun() => return,
            () = tokio::time::sleep(KEEPING_PERIOD) => house.write_down().await,
        }
    }
}

/// Runs a verb of the store that blocks on the disk.
pub(super) async fn blocking<T: Send + 'static>(
    offload: Offload,
    verb: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match offload.run(verb).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Unavailable(error.to_string())),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
