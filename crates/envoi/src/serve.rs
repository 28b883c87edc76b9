//! `envoi serve`: the relay until it is told to stop.

use relay::service::Fault;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::descriptors;
use crate::telemetry;
use crate::wire::Relay;

/// Runs until SIGTERM or SIGINT, then stops gracefully; a second one stops at once. SIGHUP looks at the certificates.
pub(crate) async fn run(mut config: Config) -> Result<(), Fault> {
    telemetry::start(&config.log);
    let mut signals = Signals::new()?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), file = %config.file.display(), "starting");
    descriptors::fit(&mut config.limits);
    let relay = tokio::select! {
        relay = Relay::start(&config) => relay?,
        () = signals.stop() => return Ok(()),
    };
    for address in &relay.ports.starttls {
        tracing::info!(%address, "listening for submission with STARTTLS");
    }
    for address in &relay.ports.tls {
        tracing::info!(%address, "listening for submission with TLS");
    }
    for address in &relay.api {
        tracing::info!(%address, "listening for the API");
    }
    for address in &relay.console {
        tracing::info!(%address, "listening for the console");
    }
    for address in &relay.unsubscribe {
        tracing::info!(%address, "listening for recipients who unsubscribe");
    }
    for address in &relay.zone {
        tracing::info!(%address, "listening for questions about the zone");
    }
    for address in &relay.reports {
        tracing::info!(%address, "listening for reports of other servers");
    }
    for address in &relay.http {
        tracing::info!(%address, "listening for metrics and health");
    }
    tracing::info!(hostname = config.hostname, data_dir = %config.data_dir.display(), "ready");
    welcome(&relay);
    while signals.next().await == Told::Reload {
        reload(&relay);
    }
    tracing::info!("stopping: running transactions and deliveries finish; a second signal stops at once");
    tokio::select! {
        () = relay.stop() => {
            tracing::info!("stopped");
            Ok(())
        }
        () = signals.stop() => Err(Fault::unavailable(
            "Stopped at once by a second signal.",
            "Nothing that was accepted is lost: it is delivered after the next start.",
        )),
    }
}

/// Prints the link of the first member, where there is none yet. It is no line of the log: logs are kept and read by many.
#[expect(clippy::print_stderr, reason = "for whoever has started it, and for nobody else")]
fn welcome(relay: &Relay) {
    if let Some(link) = &relay.first_link {
        eprintln!(
            "\nNobody can sign in to the console yet. Open this link to be the first; it works once:\n\n  {link}\n"
        );
    }
}

fn reload(relay: &Relay) {
    match relay.certificates.reload() {
        Ok(true) => tracing::info!("certificates were taken up again"),
        Ok(false) => tracing::info!("the certificates' files have not changed"),
        Err(error) => tracing::error!(%error, "a certificate cannot be used; the one before stays"),
    }
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Stop,
    Reload,
}

/// The signals that a server obeys.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Signals, Fault> {
        let listen =
            |kind| signal(kind).map_err(|error| Fault::unavailable(format!("Signals cannot be heard: {error}."), ""));
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }

    /// Waits for SIGTERM or SIGINT.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != Told::Stop {}
    }
}
