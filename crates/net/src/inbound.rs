//! Takes what other mail servers report about mail that has left: only at the addresses that it went out with, at those of
//! domains for reports on DMARC, and at the configured one for complaints; from anybody, in the clear or under TLS. Nothing is
//! ever sent in answer.
//!
//! A report is understood and on the disk before its `250`: whoever sends it need not keep it, and nobody has to send it twice. Who
//! vouches for it by SPF and DKIM is found out before, in bounded time, and decides what follows from it (decision 26).

mod aggregates;
mod authentication;
mod metrics;
mod session;
mod taking;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use relay::brake::Windows;
use relay::dmarc_report::Addresses;
use relay::limits::Limits;
use relay::outcome::rules::Rules;
use relay::rate::Pace;
use relay::return_path::ReturnPaths;
use relay::site::Site;
use relay::slots::{Place, Slots};
use relay::store::Store;
use smtp::address::Address;
use smtp::replies;
use smtp::server::{Security, Session as Machine, When};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::dns::Witness;
use crate::listening;
use crate::shutdown::Shutdown;
use crate::submission::listener::{EXHAUSTED_PAUSE, is_exhausted, say_full};
use crate::submission::stream::Stream;
use crate::tls::Certificates;
use crate::turns::Turns;

pub use metrics::Metrics;
use session::Session;

/// What is told by the operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name in greeting and EHLO.
    pub hostname: String,
    /// Where providers send complaints, besides the addresses that mail goes out with.
    pub feedback: Option<Address>,
    /// Which class a failure is of.
    pub rules: Arc<Rules>,
    /// The limits in force (`report_…`).
    pub limits: Limits,
}

/// What is needed of the rest of the process.
pub struct Surroundings<S> {
    /// What remembers.
    pub store: Arc<S>,
    /// Knows the addresses again.
    pub return_paths: Arc<ReturnPaths>,
    /// Knows the addresses for reports on DMARC again.
    pub dmarc: Addresses,
    /// Who is asked for SPF and DKIM of reports.
    pub witness: Arc<dyn Witness>,
    /// The certificates.
    pub certificates: Arc<Certificates>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: Metrics,
    /// What ended in the last hour, for automatic brakes.
    pub ended: Arc<Mutex<Windows>>,
    /// The signal to stop.
    pub shutdown: Shutdown,
}

/// A socket that nobody is served on yet.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds it. Call within a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn bind(address: SocketAddr) -> io::Result<Listener> {
        let (listener, address) = listening::tcp(address)?;
        Ok(Listener { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Everything that sessions share.
struct Desk<S> {
    store: Arc<S>,
    return_paths: Arc<ReturnPaths>,
    dmarc: Addresses,
    feedback: Option<Address>,
    rules: Arc<Rules>,
    witness: Arc<dyn Witness>,
    session: smtp::server::Settings,
    acceptor: TlsAcceptor,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    ended: Arc<Mutex<Windows>>,
    /// Reports of a message are acted on one after the other.
    turns: Turns,
    shutdown: Shutdown,
    slots: Slots,
    pace: Mutex<Pace<Site>>,
    /// Reports whose content is held in memory.
    held: Slots,
    /// Reports that are opened.
    opening: Semaphore,
    limits: Limits,
}

/// Takes reports on these sockets until the stop.
pub fn serve<S: Store>(listeners: Vec<Listener>, settings: Settings, around: Surroundings<S>) {
    let Surroundings { store, return_paths, dmarc, witness, certificates, clock, metrics, ended, shutdown } = around;
    let limits = settings.limits;
    let rate = limits.reports_per_minute;
    let desk = Arc::new(Desk {
        store,
        return_paths,
        dmarc,
        feedback: settings.feedback,
        rules: settings.rules,
        witness,
        session: limits.report_session(&settings.hostname),
        acceptor: TlsAcceptor::from(certificates.config()),
        clock,
        metrics,
        ended,
        turns: Turns::default(),
        shutdown: shutdown.clone(),
        slots: Slots::of_reports(&limits),
        pace: Mutex::new(Pace::new(rate, (rate / 10).max(1))),
        held: Slots::of_report_contents(&limits),
        opening: Semaphore::new(1),
        limits,
    });
    for Listener { listener, .. } in listeners {
        shutdown.spawn(accept(Arc::clone(&desk), listener));
    }
}

/// Accepts until the stop; each connection is a task of its own.
async fn accept<S: Store>(desk: Arc<Desk<S>>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = desk.shutdown.begun() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                desk.metrics.connections.inc();
                match desk.slots.enter() {
                    Ok(place) => {
                        let serving = converse(Arc::clone(&desk), stream, peer, place);
                        desk.shutdown.spawn(serving);
                    }
                    Err(_) => {
                        desk.metrics.refused(&replies::sessions_total());
                        say_full(stream);
                    }
                }
            }
            Err(error) if is_exhausted(&error) => {
                tracing::error!(%error, "no connection with reports can be accepted");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            // the other server was gone before we looked
            Err(error) => tracing::debug!(%error, "accept"),
        }
    }
}

/// One connection, from accept to its end; whoever takes longer than the limit is cut.
async fn converse<S: Store>(desk: Arc<Desk<S>>, stream: TcpStream, peer: SocketAddr, mut place: Place) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let address = peer.ip().to_canonical();
    let mut machine = Machine::new(desk.session.clone(), Security::Clear);
    if place.locate(Site::of(address)).is_err() {
        desk.metrics.refused(&replies::sessions_address());
        machine.end(replies::sessions_address(), When::Now);
    }
    let longest = Duration::from_secs(desk.limits.report_connection_seconds);
    let session = Session::new(desk, machine, address);
    if tokio::time::timeout(longest, session.run(Stream::Clear(stream))).await.is_err() {
        tracing::debug!(%peer, "a connection with reports lasted too long");
    }
    drop(place);
}
