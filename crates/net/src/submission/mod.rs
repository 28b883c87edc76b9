//! The submission driver: listens, and carries sessions between sockets, the SMTP machine, the judge and the store; and
//! takes messages that are handed in over HTTP the same way.

mod connection;
pub(crate) mod dialogue;
mod handed_in;
mod house;
mod input;
mod keeping;
pub(crate) mod listener;
mod metrics;
mod read_ahead;
mod receiving;
mod session;
#[cfg(feature = "simulation")]
pub mod simulation;
pub(crate) mod stream;
mod unread;

use ipnet::IpNet;
use relay::limits::Limits;
use relay::queue::Envelope;
use relay::quota::Usage;
use relay::site::Site;
use relay::store::{Block, Store, StoreError};
use relay::submission::Receipt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

use crate::clock::{Clock, system_dice};
use crate::listening;
use crate::offload::Offload;
use crate::shutdown::Shutdown;
use crate::tls::Certificates;
use house::{Front, Ground, House};
use listener::Port;

pub use handed_in::{BeforeCommit, HandedIn};
pub use metrics::Metrics;

/// How long a start waits until what may come once more is known; then it goes on, and that comes when it comes.
const RECALL_PATIENCE: Duration = Duration::from_secs(3);
/// How often certificate files are looked at.
const CERTIFICATE_PERIOD: Duration = Duration::from_secs(5);

/// What the server is told by its operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name in greeting, EHLO and Received.
    pub hostname: String,
    /// Addresses where STARTTLS is required (port 587). An IPv6 address listens for IPv6 alone.
    pub starttls: Vec<SocketAddr>,
    /// Addresses with TLS from the first byte (port 465). An IPv6 address listens for IPv6 alone.
    pub tls: Vec<SocketAddr>,
    /// Networks of load balancers, whose connections begin with a PROXY header (and must).
    pub proxies: Vec<IpNet>,
    /// Networks whose addresses many clients share: no block there ever silences a whole address.
    pub shared: Vec<IpNet>,
    /// Where recipients reach the page on which they unsubscribe, `https://mail.example.com`; none: no message tells them.
    pub unsubscribe: Option<String>,
    /// The limits in force.
    pub limits: Limits,
}

/// What is told of each message right after `commit`: wakes the dispatcher. Must not block.
pub type Arrivals = Arc<dyn Fn(&Envelope) + Send + Sync>;

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Blocks or logins could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the server needs of the rest of the process.
pub struct Surroundings<S> {
    /// What remembers.
    pub store: Arc<S>,
    /// The certificates; the server watches their files.
    pub certificates: Arc<Certificates>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who wants to know of new messages.
    pub arrivals: Arrivals,
    /// What is counted.
    pub metrics: Metrics,
    /// The signal to stop.
    pub shutdown: Shutdown,
}

/// A running server.
pub struct Server {
    starttls: Vec<SocketAddr>,
    tls: Vec<SocketAddr>,
    front: Arc<dyn Front>,
}

impl Server {
    /// Listens on every address and starts to accept. Call within a tokio runtime.
    ///
    /// # Errors
    /// An address is taken or forbidden, or the store cannot be read; then nothing listens.
    pub async fn start<S: Store>(settings: Settings, around: Surroundings<S>) -> Result<Server, StartError> {
        let bind_all = |addresses: &[SocketAddr]| -> Result<Vec<_>, StartError> {
            let bind = |address: &SocketAddr| {
                listening::tcp(*address).map_err(|source| StartError::Listen { address: *address, source })
            };
            addresses.iter().map(bind).collect()
        };
        let listeners = (bind_all(&settings.starttls)?, bind_all(&settings.tls)?);
        let Surroundings { store, certificates, clock, arrivals, metrics, shutdown } = around;
        let ground = Ground {
            store,
            acceptor: TlsAcceptor::from(certificates.config()),
            clock,
            dice: system_dice(),
            offload: Offload::Threads,
            arrivals,
            metrics,
            shutdown,
        };
        let house = House::open(settings, ground).await?;
        // who was cut off tries again at once
        let recalling = house.shutdown.spawn(unread::recall(Arc::clone(&house)));
        let _ = tokio::time::timeout(RECALL_PATIENCE, recalling).await;
        let mut server = Server { starttls: Vec::new(), tls: Vec::new(), front: Arc::clone(&house) as Arc<dyn Front> };
        for (listener, address) in listeners.0 {
            server.starttls.push(address);
            house.shutdown.spawn(listener::accept(Arc::clone(&house), listener, Port::StartTls));
        }
        for (listener, address) in listeners.1 {
            server.tls.push(address);
            house.shutdown.spawn(listener::accept(Arc::clone(&house), listener, Port::Tls));
        }
        house.shutdown.spawn(certificates.watch(CERTIFICATE_PERIOD, house.shutdown.clone()));
        house.shutdown.spawn(house::keep(Arc::clone(&house)));
        Ok(server)
    }

    /// The STARTTLS addresses as bound (a configured port 0 is a real one here).
    pub fn starttls_addresses(&self) -> &[SocketAddr] {
        &self.starttls
    }

    /// The TLS addresses as bound.
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls
    }

    /// The operator lifted the block of an address (after `Book::block_lift`).
    pub fn lift(&self, address: IpAddr) {
        self.front.lift(address);
    }

    /// Blocks in force, those of single usernames at shared addresses among them.
    pub fn blocks(&self) -> Vec<Block> {
        self.front.blocks()
    }

    /// Connections now, and the busiest addresses with theirs: where one carries nearly all, `doctor`
    /// asks whether a load balancer stands there.
    pub fn connections(&self) -> (u64, Vec<(Site, u64)>) {
        self.front.connections()
    }

    /// Takes a message that was handed in over HTTP. Where it was kept it is on disk when this returns; once begun it goes
    /// on to its end, whoever stops waiting.
    pub async fn hand_in(&self, handed: HandedIn) -> Receipt {
        Arc::clone(&self.front).hand_in(handed).await
    }

    /// What the accounts have used of their quotas, as it is counted.
    pub fn usage(&self) -> Usage {
        self.front.usage()
    }

    /// Waits until, after the signal to stop, every session has ended or its time is up; then writes
    /// down what is still gathered.
    pub async fn finished(&self) {
        self.front.finished().await;
    }
}
