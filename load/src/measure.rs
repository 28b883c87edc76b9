//! One run: a sink, clients, a server under watch, until everything has arrived and the server is at rest.

use anyhow::ensure;
use serde::Serialize;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::sink::Sink;
use crate::source::{self, Seat, Seen};
use crate::tally::{Latency, Tally};
use crate::watch::{Cpu, Watch};
use crate::work::Work;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// A server that used no more than a tick for so long is at rest.
const REST: Duration = Duration::from_millis(600);
/// How long all mail may take to arrive without any of it arriving.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long idle sessions are held.
const IDLE: Duration = Duration::from_secs(5);
const MEGA: f64 = 1_000_000.0;

/// The server that is measured.
pub(crate) struct Peer<'a> {
    pub(crate) name: &'a str,
    pub(crate) server: SocketAddr,
    pub(crate) watch: Watch,
    pub(crate) seats: Vec<Seat>,
    /// What it still has to do in the background, where it can tell.
    pub(crate) lag: Option<Box<dyn Fn() -> anyhow::Result<u64> + Sync + 'a>>,
    /// Where it delivers to.
    pub(crate) sink: SocketAddr,
}

/// What a run showed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) server: String,
    pub(crate) work: Work,
    pub(crate) connections: u64,
    pub(crate) accepted: u64,
    pub(crate) accepted_per_second: f64,
    pub(crate) recipients: Recipients,
    pub(crate) connect_to_250_ms: Option<Latency>,
    pub(crate) mail_to_250_ms: Option<Latency>,
    pub(crate) accepted_to_delivered_ms: Option<Latency>,
    pub(crate) cpu: CpuReport,
    pub(crate) memory: Memory,
    pub(crate) seconds: Seconds,
    pub(crate) failures: u64,
    pub(crate) failed: std::collections::BTreeMap<String, u64>,
}

/// What became of the recipients of accepted messages.
#[derive(Debug, Serialize)]
pub(crate) struct Recipients {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) bounced: u64,
    /// Accepted, and neither delivered nor bounced when the run ended.
    pub(crate) missing: u64,
    pub(crate) duplicates: u64,
    /// Messages that arrived changed, or that nobody sent.
    pub(crate) changed: u64,
    pub(crate) strangers: u64,
    pub(crate) deferred_replies: u64,
    pub(crate) notifications: u64,
}

/// CPU time, in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct CpuReport {
    /// The server's for each accepted message, until it was at rest.
    pub(crate) per_message: f64,
    pub(crate) user_per_message: f64,
    pub(crate) system_per_message: f64,
    pub(crate) server: f64,
    pub(crate) source: f64,
    pub(crate) sink: f64,
}

/// The server's resident memory, in megabytes.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) before: f64,
    pub(crate) peak: f64,
    pub(crate) after: f64,
    /// Kilobytes for each idle session.
    pub(crate) per_session_kilobytes: Option<f64>,
}

/// How long the parts took.
#[derive(Debug, Serialize)]
pub(crate) struct Seconds {
    pub(crate) accepting: f64,
    pub(crate) until_delivered: f64,
    pub(crate) until_rest: f64,
}

impl Report {
    /// What was wrong with the mail itself.
    pub(crate) fn fault(&self) -> Option<String> {
        let Recipients { missing, duplicates, changed, strangers, .. } = self.recipients;
        // what a next hop defers is still waiting at the end
        let lost = if self.work.hop.deferred_percent > 0 { 0 } else { missing };
        let (server, name) = (&self.server, &self.work.name);
        (lost + duplicates + changed + strangers > 0).then(|| {
            format!("{name} {server}: {lost} lost, {duplicates} doubled, {changed} changed, {strangers} from nowhere")
        })
    }
}

/// Carries out one run.
///
/// # Errors
/// The server ends, mail stands still, or too many clients fail.
pub(crate) fn run(work: &Work, peer: &Peer<'_>) -> anyhow::Result<Report> {
    let tally = Arc::new(Tally::new(work.messages, work.recipients));
    let listener: TcpListener = crate::sink::listen(peer.sink)?;
    let sink = Sink::start(listener, Arc::clone(&tally), work.hop.clone(), work.octets);
    let watch = &peer.watch;
    let (before, cpu_before) = (watch.memory()?, watch.cpu()?);
    let begun = Instant::now();
    let mut watching = Watching { watch, tally: &tally, peak: before, per_session: None };
    let seen = watching.clients(work, peer, before)?;
    watching.arrivals()?;
    let until_delivered = begun.elapsed();
    let cpu = watching.rest(peer)?.since(cpu_before);
    let until_rest = begun.elapsed();
    let after = watch.memory()?;
    let (peak, per_session) = (watching.peak.max(after), watching.per_session);
    let sink = sink.stop()?;
    let each = |time: Duration| time.as_secs_f64() * 1000.0 / seen.accepted.max(1) as f64;
    let count = |number: &std::sync::atomic::AtomicU64| number.load(Relaxed);
    Ok(Report {
        server: peer.name.to_owned(),
        work: work.clone(),
        connections: seen.connections,
        accepted: seen.accepted,
        accepted_per_second: seen.accepted as f64 / seen.time.as_secs_f64().max(1e-6),
        recipients: Recipients {
            accepted: count(&tally.accepted),
            delivered: count(&tally.delivered),
            bounced: count(&tally.bounced),
            missing: tally.outstanding(),
            duplicates: count(&tally.duplicates),
            changed: count(&tally.changed),
            strangers: count(&tally.strangers),
            deferred_replies: count(&tally.deferred),
            notifications: count(&tally.notifications),
        },
        connect_to_250_ms: Latency::of(seen.from_connect),
        mail_to_250_ms: Latency::of(seen.from_mail),
        accepted_to_delivered_ms: Latency::of(tally.delivery_latencies()),
        cpu: CpuReport {
            per_message: each(cpu.total()),
            user_per_message: each(cpu.user),
            system_per_message: each(cpu.system),
            server: cpu.total().as_secs_f64() * 1000.0,
            source: seen.cpu.as_secs_f64() * 1000.0,
            sink: sink.as_secs_f64() * 1000.0,
        },
        memory: Memory {
            before: before as f64 / MEGA,
            peak: peak as f64 / MEGA,
            after: after as f64 / MEGA,
            per_session_kilobytes: per_session,
        },
        seconds: Seconds {
            accepting: seen.time.as_secs_f64(),
            until_delivered: until_delivered.as_secs_f64(),
            until_rest: until_rest.as_secs_f64(),
        },
        failures: seen.failures,
        failed: seen.failed,
    })
}

struct Watching<'a> {
    watch: &'a Watch,
    tally: &'a Arc<Tally>,
    peak: u64,
    per_session: Option<f64>,
}

impl Watching<'_> {
    fn look(&mut self) -> anyhow::Result<()> {
        std::thread::park_timeout(LOOK);
        self.peak = self.peak.max(self.watch.memory()?);
        Ok(())
    }

    /// Lets the clients do their work.
    fn clients(&mut self, work: &Work, peer: &Peer<'_>, before: u64) -> anyhow::Result<Seen> {
        let (mut idle_since, sessions) = (None, work.sessions as u64);
        std::thread::scope(|scope| {
            let clients = scope.spawn(|| source::run(work, peer.server, &peer.seats, Arc::clone(self.tally)));
            while !clients.is_finished() {
                self.look()?;
                if work.messages == 0 && self.tally.idle.load(Relaxed) == sessions {
                    let since = *idle_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > IDLE {
                        let held = self.watch.memory()?.saturating_sub(before);
                        self.per_session = Some(held as f64 / 1000.0 / work.sessions as f64);
                        self.tally.released.store(true, Relaxed);
                    }
                }
            }
            clients.join().map_err(|_| anyhow::anyhow!("the clients broke off"))?
        })
    }

    /// Waits until all that was accepted has arrived, or nothing arrives any more.
    fn arrivals(&mut self) -> anyhow::Result<()> {
        let (mut left, mut moved) = (u64::MAX, Instant::now());
        while self.tally.outstanding() > 0 {
            if self.tally.outstanding() < left {
                (left, moved) = (self.tally.outstanding(), Instant::now());
            }
            if moved.elapsed() > PATIENCE {
                return Ok(());
            }
            self.look()?;
        }
        Ok(())
    }

    /// Waits until the server has nothing left to do; what it has used until then.
    fn rest(&mut self, peer: &Peer<'_>) -> anyhow::Result<Cpu> {
        let begun = Instant::now();
        let (mut cpu, mut since) = (self.watch.cpu()?, Instant::now());
        loop {
            self.look()?;
            let now = self.watch.cpu()?;
            let lag = peer.lag.as_ref().map_or(Ok(0), |lag| lag())?;
            if lag > 0 || now.since(cpu).total() > Duration::from_millis(10) {
                (cpu, since) = (now, Instant::now());
            } else if since.elapsed() > REST {
                return Ok(now);
            }
            ensure!(begun.elapsed() < PATIENCE * 10, "the server does not come to rest: {lag} octets behind");
        }
    }
}
