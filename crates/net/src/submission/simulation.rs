//! Connections without sockets, listeners and TLS, for a simulator that is the network: what is said on them is carried
//! by the same sessions as in a server. Behind the feature `simulation`, which the binary is built without.

use std::net::IpAddr;
use std::sync::Arc;

use relay::id::SessionId;
use relay::store::Store;
use relay::submission::Visit;
use rustls::server::ResolvesServerCertUsingSni;
use smtp::server::{Security, Session as Machine, When};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::house::{self, Front, Ground, House};
use super::session::Session;
use super::stream::Stream;
use super::{Arrivals, Metrics, Settings, StartError};
use crate::clock::{Clock, DiceBox};
use crate::offload::Offload;
use crate::shutdown::Shutdown;

/// What a reception needs of the world.
pub struct Around<S> {
    /// What remembers.
    pub store: Arc<S>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub dice: DiceBox,
    /// Who wants to know of new messages.
    pub arrivals: Arrivals,
    /// What is counted.
    pub metrics: Metrics,
    /// The signal to stop.
    pub shutdown: Shutdown,
}

/// A server that is handed its connections.
pub struct Reception<S: Store> {
    house: Arc<House<S>>,
}

impl<S: Store> Reception<S> {
    /// Takes up what the store kept, and starts to write down what is gathered. Call within a tokio runtime.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open(settings: Settings, around: Around<S>) -> Result<Self, StartError> {
        let Around { store, clock, dice, arrivals, metrics, shutdown } = around;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| relay::store::StoreError::Unavailable(error.to_string()))?;
        let nobody = Arc::new(ResolvesServerCertUsingSni::new());
        let acceptor = TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_cert_resolver(nobody)));
        let offload = Offload::Inline;
        let ground = Ground { store, acceptor, clock, dice, offload, arrivals, metrics, shutdown };
        let house = House::open(settings, ground).await?;
        house.shutdown.spawn(house::keep(Arc::clone(&house)));
        Ok(Reception { house })
    }

    /// A connection from `remote`, as if TLS had been agreed on: its session is a task of its own. False where there
    /// are too many connections.
    pub fn receive<T>(&self, stream: T, remote: IpAddr) -> bool
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ok(place) = self.house.submission.slots().enter() else { return false };
        let house = Arc::clone(&self.house);
        self.house.shutdown.spawn(async move {
            let now = house.clock.now();
            let mut visit = Visit::new(SessionId::new(now, (house.dice)().as_mut()), remote, place);
            let refusal = house.submission.greet(&mut visit, now).err();
            visit.on_tls("TLS 1.3");
            let mut machine = Machine::new(house.session.clone(), Security::Tls);
            if let Some(reply) = refusal {
                machine.end(reply, When::Now);
            }
            let session = Box::new(Session::new(Arc::clone(&house), machine, visit)).run(Stream::Clear(stream));
            tokio::select! {
                biased;
                () = house.out_of_time.cancelled() => {}
                () = session => {}
            }
        });
        true
    }

    /// Connections now.
    pub fn connections(&self) -> u64 {
        self.house.submission.slots().connections()
    }

    /// Waits until, after the signal to stop, every session has ended or its time is up.
    pub async fn finished(&self) {
        self.house.finished().await;
    }
}
