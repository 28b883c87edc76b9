//! W9: a start with a long queue: when it is ready, and what each waiting recipient takes; then, where that is asked for,
//! how it is looked at, what a full round of retries makes of it, and how fast it drains.

use anyhow::{Context, ensure};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::relay::{House, Running};
use crate::resolver::Resolver;
use crate::sink::{self, Sink};
use crate::tally::Tally;
use crate::work::Hop;

/// Messages that wait, of one recipient and 2 KB each.
pub(crate) const MESSAGES: u64 = 1_000_000;
/// Domains that they go to.
pub(crate) const DOMAINS: u64 = 200_000;
/// How long the server is let be before its memory is looked at.
const REST: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(120);
/// How often is looked how far a round has come.
const STEP: Duration = Duration::from_millis(250);
/// Recipients that an attempt deferred, as the relay counts them.
const DEFERRED: &str = "envoi_delivery_recipients_settled_total{outcome=\"deferred\"}";
const WAITING: &str = "envoi_queue_recipients";
/// All that is filled in: it is of the time when it is due.
const ALL: [&str; 2] = ["--since", "1d"];
const MEGA: f64 = 1_000_000.0;

/// What a start showed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    work: &'static str,
    messages: u64,
    domains: u64,
    /// From the start of the process to its listening.
    pub(crate) ready_seconds: f64,
    /// From the start of the process to the whole queue being scheduled.
    pub(crate) loaded_seconds: f64,
    memory_empty: f64,
    memory_loaded: f64,
    /// What a recipient adds to resident memory.
    pub(crate) octets_per_recipient: f64,
    cpu_seconds: f64,
    /// What became of it afterwards, where that was asked for.
    round: Option<Round>,
}

/// A long queue that is looked at, tried and delivered.
#[derive(Debug, Serialize)]
struct Round {
    /// What the operator's commands took, their own start included.
    counted_seconds: f64,
    listed_seconds: f64,
    /// From the order to try everything to its being taken, and to the last recipient's having been tried in vain.
    ordered_seconds: f64,
    round_seconds: f64,
    /// What a recipient adds to resident memory after that.
    octets_per_recipient: f64,
    cpu_seconds: f64,
    /// Of the start that follows, and of the delivery of everything to a next hop that takes it.
    ready_again_seconds: f64,
    drained_seconds: f64,
    drained_per_second: f64,
}

/// Fills a folder that was not used yet, and starts on it; `round`: goes on to retries and delivery.
pub(crate) fn run(house: &House, fill: &Path, (messages, domains): (u64, u64), round: bool) -> anyhow::Result<Report> {
    // what is tried finds nobody, at a site of its own for each domain; at the start nothing is due
    let resolver = Resolver::start()?;
    house.configure(&format!("[delivery]\nallow_private = true\nname_servers = [\"{}\"]\n", resolver.address))?;
    let running = house.serve()?;
    rest();
    let empty = running.watch().memory()?;
    running.stop()?;
    fill_in(fill, &house.folder.join("data"), &["queue", &messages.to_string(), &domains.to_string()])?;
    let begun = Instant::now();
    let running = house.serve()?;
    let ready = running.ready_after;
    let loaded = loaded(&running, begun)?;
    rest();
    let watch = running.watch();
    let (memory, cpu) = (watch.memory()?, watch.cpu()?);
    crate::tell(&format!("loaded: {:.0} octets a recipient", memory.saturating_sub(empty) as f64 / messages as f64));
    let round = match round {
        true => Some(tried(house, running, messages, empty)?),
        false => running.stop().map(|()| None)?,
    };
    Ok(Report {
        work: "W9",
        messages,
        domains,
        ready_seconds: ready.as_secs_f64(),
        loaded_seconds: loaded.as_secs_f64(),
        memory_empty: empty as f64 / MEGA,
        memory_loaded: memory as f64 / MEGA,
        octets_per_recipient: memory.saturating_sub(empty) as f64 / messages as f64,
        cpu_seconds: cpu.total().as_secs_f64(),
        round,
    })
}

/// Looks at the queue, has everything tried in vain once, and then delivered.
fn tried(house: &House, running: Running, messages: u64, empty: u64) -> anyhow::Result<Round> {
    let counted = timed(house, &[&["queue", "count"][..], &ALL].concat())?;
    let listed = timed(house, &["queue", "list"])?;
    let (began, spent) = (Instant::now(), running.watch().cpu()?.total());
    let ordered = timed(house, &[&["queue", "retry", "--yes"][..], &ALL].concat())?;
    until(&running, DEFERRED, |tried| tried >= messages)?;
    let round = began.elapsed();
    rest();
    let watch = running.watch();
    let (memory, cpu) = (watch.memory()?, watch.cpu()?.total().saturating_sub(spent));
    crate::tell(&format!("tried: {:.0} octets a recipient", memory.saturating_sub(empty) as f64 / messages as f64));
    running.stop()?;
    let (ready_again, drained) = drained(house)?;
    Ok(Round {
        counted_seconds: counted.as_secs_f64(),
        listed_seconds: listed.as_secs_f64(),
        ordered_seconds: ordered.as_secs_f64(),
        round_seconds: round.as_secs_f64(),
        octets_per_recipient: memory.saturating_sub(empty) as f64 / messages as f64,
        cpu_seconds: cpu.as_secs_f64(),
        ready_again_seconds: ready_again.as_secs_f64(),
        drained_seconds: drained.as_secs_f64(),
        drained_per_second: messages as f64 / drained.as_secs_f64(),
    })
}

/// A start with a next hop that takes everything, and how long that takes.
fn drained(house: &House) -> anyhow::Result<(Duration, Duration)> {
    house.configure(&house.to_sink(false))?;
    let sink = Sink::start(sink::listen(house.sink)?, Arc::new(Tally::new(0, 1)), Hop::default(), 0);
    let begun = Instant::now();
    let running = house.serve()?;
    let ready = running.ready_after;
    loaded(&running, begun)?;
    let begun = Instant::now();
    timed(house, &[&["queue", "retry", "--yes"][..], &ALL].concat())?;
    until(&running, WAITING, |waiting| waiting == 0)?;
    let drained = begun.elapsed();
    running.stop()?;
    sink.stop()?;
    Ok((ready, drained))
}

/// A command of the operator's, and how long it took.
fn timed(house: &House, arguments: &[&str]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    house.ask(arguments)?;
    Ok(begun.elapsed())
}

/// Waits for a figure of the relay's to become so; a figure that stands still for long is a fault.
fn until(running: &Running, name: &str, is_so: impl Fn(u64) -> bool) -> anyhow::Result<()> {
    let (mut last, mut since) = (running.metric(name)?, Instant::now());
    while !is_so(last) {
        std::thread::park_timeout(STEP);
        let now = running.metric(name)?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
        ensure!(since.elapsed() < PATIENCE, "{name} has stood at {last} for {PATIENCE:?}");
    }
    Ok(())
}

fn rest() {
    let begun = Instant::now();
    while begun.elapsed() < REST {
        std::thread::park_timeout(REST.saturating_sub(begun.elapsed()));
    }
}

fn loaded(running: &Running, begun: Instant) -> anyhow::Result<Duration> {
    while !running.says("the live queue was loaded")? {
        ensure!(begun.elapsed() < PATIENCE, "the queue was not loaded in {PATIENCE:?}");
        std::thread::park_timeout(LOOK);
    }
    Ok(begun.elapsed())
}

/// The example of the store that fills data folders, beside this binary.
pub(crate) fn filler() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.parent().context("this binary's folder")?.join("examples/fill"))
}

/// Runs it on a data folder that no relay uses.
pub(crate) fn fill_in(filler: &Path, data: &Path, what: &[&str]) -> anyhow::Result<()> {
    ensure!(filler.exists(), "there is no {}: `cargo build --release -p store --example fill`", filler.display());
    let status = Command::new(filler).arg(data).args(what).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "the data folder could not be filled with {}", what.join(" "));
    Ok(())
}
