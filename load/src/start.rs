//! W9: a start with a long queue: when it is ready, and what each waiting recipient takes.

use anyhow::{Context, ensure};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::relay::{House, Running};
use crate::watch::Watch;

/// Messages that wait, of one recipient and 2 KB each.
pub(crate) const MESSAGES: u64 = 1_000_000;
/// Domains that they go to.
pub(crate) const DOMAINS: u64 = 200_000;
/// How long the server is let be before its memory is looked at.
const REST: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(120);
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
}

/// Fills a folder that was not used yet, and starts on it.
pub(crate) fn run(house: &House, fill: &Path, messages: u64, domains: u64) -> anyhow::Result<Report> {
    // nobody answers there: what is due would find no way, and nothing is due
    house.configure("[delivery]\nname_servers = [\"127.0.0.1:9\"]\n")?;
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
    let watch: Watch = running.watch();
    let (memory, cpu) = (watch.memory()?, watch.cpu()?);
    running.stop()?;
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
    })
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
