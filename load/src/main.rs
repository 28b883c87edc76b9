//! `load`: named work for a relay, and what it costs there.

mod letter;
mod measure;
mod postfix;
mod relay;
mod resolver;
mod scale;
mod sink;
mod source;
mod start;
mod table;
mod tally;
mod watch;
mod work;

use anyhow::Context;
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use measure::{Peer, Report};
use postfix::Postfix;
use relay::House;
use work::Work;

/// The one work that no client does.
const START: &str = "W9";
/// What is measured by those who look.
const SCALE: &str = "scale";

/// Measures a relay by the work of its clients; prints JSON, for `all` and beside another server a table in Markdown.
#[derive(Parser)]
#[command(name = "load")]
struct Arguments {
    /// W1 to W9, W2-10M and W5-10M (ten million rows of activity there before), or all; several run one after the other
    #[arg(required = true)]
    work: Vec<String>,
    /// How often each is run
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Messages of a run, instead of what the work says
    #[arg(long)]
    messages: Option<usize>,
    /// Octets of a message
    #[arg(long)]
    octets: Option<usize>,
    /// Recipients of a message
    #[arg(long)]
    recipients: Option<usize>,
    /// Sessions at once
    #[arg(long)]
    sessions: Option<usize>,
    /// Messages on one connection
    #[arg(long)]
    per_connection: Option<usize>,
    /// The kind of port
    #[arg(long)]
    port: Option<work::Port>,
    /// Messages a second, evenly, instead of as fast as it goes
    #[arg(long)]
    rate: Option<f64>,
    /// Send commands without waiting for replies
    #[arg(long)]
    pipelining: bool,
    /// Resume TLS sessions on further connections
    #[arg(long)]
    resumption: bool,
    /// Milliseconds that the next hop takes for each message
    #[arg(long)]
    hop_delay: Option<u64>,
    /// Of a hundred messages, so many are deferred by the next hop
    #[arg(long, default_value_t = 0)]
    hop_defers: u64,
    /// Of a hundred messages, so many are refused by the next hop
    #[arg(long, default_value_t = 0)]
    hop_refuses: u64,
    /// W9 goes on: its queue is looked at, tried in vain once, and delivered
    #[arg(long)]
    round: bool,
    /// The relay's binary [default: beside this one]
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Keep the relay's folder here, and use it again [default: a temporary one]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Measure another server as well, in turn: Debian's, which is installed and set up for it (needs root)
    #[arg(long)]
    beside: Option<Other>,
    /// Write all reports into this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A server to measure beside the relay.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Other {
    /// Postfix, with Dovecot for the logins.
    Postfix,
}

fn main() -> ExitCode {
    let mut given: Vec<_> = std::env::args_os().collect();
    let done = match given.get(1) {
        Some(name) if name == SCALE => {
            given.remove(1);
            scale::run(&scale::Arguments::parse_from(given))
        }
        _ => run(&Arguments::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = arguments.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("envoi"),
    };
    let is_all = arguments.work.iter().any(|name| name == "all");
    let wants_table = is_all || arguments.beside.is_some();
    let mut names: Vec<&str> = arguments.work.iter().map(String::as_str).collect();
    if is_all {
        names = work::names();
        names.push(START);
    }
    let mut reports = Vec::new();
    for name in names {
        if name.eq_ignore_ascii_case(START) {
            start(arguments, &folder, &binary)?;
            continue;
        }
        let work = adapt(work::named(name).with_context(|| format!("there is no work named {name}"))?, arguments);
        for _ in 0..arguments.runs {
            let mut round = vec![envoi(&work, &folder, &binary)?];
            if arguments.beside == Some(Other::Postfix) {
                let other = Postfix::start(&folder.join("postfix"))?;
                round.push(measure::run(&work, &other.peer(&work))?);
            }
            for report in &round {
                tell(&format!("{name} {}: {:.3} ms CPU a message", report.server, report.cpu.per_message));
                if !wants_table {
                    print(&serde_json::to_string_pretty(&report)?);
                }
            }
            reports.append(&mut round);
        }
    }
    if let Some(file) = &arguments.json {
        std::fs::write(file, serde_json::to_string_pretty(&reports)?)?;
    }
    if wants_table {
        print(&table::markdown(&reports));
    }
    judge(&reports)
}

/// A run in which mail was lost, doubled or changed is a failure, whatever it cost.
fn judge(reports: &[Report]) -> anyhow::Result<()> {
    let faults: Vec<_> = reports.iter().filter_map(Report::fault).collect();
    tell(&format!("{} passed, {} failed", reports.len() - faults.len(), faults.len()));
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// W9, in a folder of its own.
fn start(arguments: &Arguments, folder: &Path, binary: &Path) -> anyhow::Result<()> {
    let folder = folder.join("start");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let messages = arguments.messages.map_or(start::MESSAGES, |count| count as u64);
    let house = House::new(&folder, binary)?;
    let report = start::run(&house, &start::filler()?, (messages, start::DOMAINS), arguments.round)?;
    print(&serde_json::to_string_pretty(&report)?);
    Ok(std::fs::remove_dir_all(&folder)?)
}

fn adapt(mut work: Work, arguments: &Arguments) -> Work {
    let set = |value: &mut usize, other: Option<usize>| *value = other.unwrap_or(*value);
    set(&mut work.messages, arguments.messages);
    set(&mut work.octets, arguments.octets);
    set(&mut work.recipients, arguments.recipients);
    set(&mut work.sessions, arguments.sessions);
    set(&mut work.per_connection, arguments.per_connection);
    work.port = arguments.port.unwrap_or(work.port);
    work.rate = arguments.rate;
    work.pipelining = arguments.pipelining;
    work.resumption = arguments.resumption;
    work.hop.delay_milliseconds = arguments.hop_delay.unwrap_or(work.hop.delay_milliseconds);
    work.hop.deferred_percent = arguments.hop_defers;
    work.hop.bounced_percent = arguments.hop_refuses;
    work
}

/// Starts a relay of its own, and runs the work on it.
fn envoi(work: &Work, folder: &Path, binary: &Path) -> anyhow::Result<Report> {
    let history = folder.join("history");
    let house = House::new(if work.rows > 0 { &history } else { folder }, binary)?;
    house.configure(&house.to_sink(work.signed))?;
    let mut running = house.serve()?;
    let seats = house.seats(work.sessions)?;
    if work.rows > 0 {
        running.stop()?;
        house.fill_rows(&start::filler()?, work.rows)?;
        running = house.serve()?;
    }
    let peer = Peer {
        name: "envoi",
        server: house.server(work.port),
        watch: running.watch(),
        seats,
        lag: Some(Box::new(|| running.lag())),
        sink: house.sink,
    };
    let report = measure::run(work, &peer)?;
    drop(peer);
    running.stop()?;
    Ok(report)
}

#[expect(clippy::print_stdout, reason = "its output")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "what went wrong")]
fn tell(text: &str) {
    eprintln!("{text}");
}
