//! `scale`: what people and programs wait for where there are many accounts, and what their looking costs the mail.
//!
//! A data folder is filled once and kept. On it the relay runs under W2 while an operator, administrators and keys ask for
//! every page and list that there is: pages are found by following their links, lists in the API's own document.

mod asking;
mod figures;
mod people;
mod places;
mod seed;

use anyhow::{Context, ensure};
use clap::Parser;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::measure::{self, Peer, Report};
use crate::relay::{House, Running};
use crate::work::{self, Work};
use figures::{Asked, Limits};
use people::Person;
use seed::Town;

/// How many people browse at once where the mail is measured, and how long each looks at a page.
const BROWSING: usize = 10;
const LOOKS: Duration = Duration::from_secs(1);
/// One in so many of their requests is an export.
const EXPORTS: usize = 20;

/// Measures what is waited for at scale; prints a table in Markdown, and fails above the limits.
#[derive(Parser)]
#[command(name = "load scale")]
pub(crate) struct Arguments {
    /// Accounts, of which one has half of all rows
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    #[arg(long, default_value_t = 20_000)]
    domains: u64,
    #[arg(long, default_value_t = 50_000)]
    users: u64,
    /// Rows of activity, over four weeks
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// How often each place is asked for, warm; and a quarter as often, cold
    #[arg(long, default_value_t = 20)]
    asks: usize,
    /// Pairs of runs of W2, without and with people who browse and export; 0: none
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    /// Messages of each of these runs
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// Milliseconds at the median, and for 99 of a hundred
    #[arg(long, default_value_t = 100.0)]
    median: f64,
    #[arg(long, default_value_t = 500.0)]
    p99: f64,
    /// Without W2 beside
    #[arg(long)]
    quiet: bool,
    /// The data folder with all around it; filled where it is not there [default: target/scale]
    #[arg(long, default_value = "target/scale")]
    folder: PathBuf,
    /// The relay's binary [default: beside this one]
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Write everything into this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What came of it.
#[derive(Serialize)]
struct Outcome {
    accounts: u64,
    domains: u64,
    users: u64,
    rows: u64,
    /// Milliseconds that one change takes.
    change_ms: figures::Spread,
    asked: Vec<Asked>,
    without: Vec<Report>,
    with: Vec<Report>,
}

/// Carries it out.
///
/// # Errors
/// Something does not work, or is slower than the limits.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { accounts, domains, users, rows, .. } = *arguments;
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("envoi"),
    };
    let folder = arguments.folder.join(format!("{accounts}-{domains}-{users}-{rows}"));
    let town = Town { accounts, domains, users, rows };
    let (house, faces) = town.house(&folder, &binary)?;
    let running = house.serve()?;
    crate::tell(&format!("ready after {:.1} s", running.ready_after.as_secs_f64()));
    let work = work::named("W2").context("there is a W2")?;
    let work = Work { messages: arguments.messages, ..work };
    let change_ms = changes(&house)?;
    crate::tell(&format!("one change: {:.1} ms at the median", change_ms.median));
    let people = people::all(&house, &faces)?;
    let seats = house.seats(work.sessions)?;
    let mut outcome =
        Outcome { accounts, domains, users, rows, change_ms, asked: Vec::new(), without: Vec::new(), with: Vec::new() };
    let stops = AtomicBool::new(false);
    outcome.asked = std::thread::scope(|scope| {
        let mail = scope.spawn(|| mail_until(&stops, &work, &house, &running, &seats, arguments.quiet));
        let asked = ask(&people, &house, arguments.asks);
        stops.store(true, Ordering::Relaxed);
        mail.join().map_err(|_| anyhow::anyhow!("the mail broke off"))??;
        asked
    })?;
    let tours = tours(&people)?;
    for _ in 0..arguments.pairs {
        outcome.without.push(one_run(&work, &house, &running, &seats)?);
        outcome.with.push(browsed(&work, &house, &running, &seats, &tours)?);
    }
    running.stop()?;
    tell(&outcome, arguments)
}

fn tell(outcome: &Outcome, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.json {
        std::fs::write(file, serde_json::to_string_pretty(outcome)?)?;
    }
    let limits = Limits { median: arguments.median, p99: arguments.p99 };
    crate::print(&figures::markdown(&outcome.asked, limits));
    let mut faults = figures::faults(&outcome.asked, limits);
    if !outcome.with.is_empty() {
        crate::print(&figures::mail(&outcome.without, &outcome.with));
        faults.extend(figures::mail_fault(&outcome.without, &outcome.with));
        faults.extend(outcome.without.iter().chain(&outcome.with).filter_map(Report::fault));
    }
    ensure!(faults.is_empty(), "{} above the limits:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

/// How long a change of what decides takes: an account's name, back and forth.
fn changes(house: &House) -> anyhow::Result<figures::Spread> {
    let name = |number: usize| format!("Changed {}", number % 2);
    let mut times = Vec::new();
    for number in 0..20 {
        let begun = Instant::now();
        house.ask(&["account", "set", "1", "--name", &name(number)])?;
        times.push(begun.elapsed());
    }
    Ok(figures::Spread::of(&mut times))
}

fn peer<'a>(house: &House, running: &'a Running, work: &Work, seats: &[crate::source::Seat]) -> Peer<'a> {
    Peer {
        name: "envoi",
        server: house.server(work.port),
        watch: running.watch(),
        seats: seats.to_vec(),
        lag: Some(Box::new(|| running.lag())),
        sink: house.sink,
    }
}

fn one_run(work: &Work, house: &House, running: &Running, seats: &[crate::source::Seat]) -> anyhow::Result<Report> {
    measure::run(work, &peer(house, running, work, seats))
}

/// W2 over and over, until there is enough.
fn mail_until(
    stops: &AtomicBool,
    work: &Work,
    house: &House,
    running: &Running,
    seats: &[crate::source::Seat],
    quiet: bool,
) -> anyhow::Result<()> {
    while !quiet && !stops.load(Ordering::Relaxed) {
        one_run(work, house, running, seats)?;
    }
    Ok(())
}

/// Every place, as everybody who may see it: warm, then cold.
fn ask(people: &[Person], house: &House, asks: usize) -> anyhow::Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for person in people {
        let places = places::of(person)?;
        crate::tell(&format!("{}: {} places", person.name, places.len()));
        for place in places {
            let mut warm = Vec::new();
            let mut octets = 0;
            for _ in 0..asks {
                let answer = person.get(&place.path)?;
                ensure!(answer.status == 200, "{} {}: {}", person.name, place.path, answer.status);
                octets = octets.max(answer.octets);
                warm.push(answer.time);
            }
            let mut cold = Vec::new();
            for _ in 0..asks.div_ceil(4) {
                seed::forget_cached(&house.folder.join("data"))?;
                cold.push(person.get(&place.path)?.time);
            }
            asked.push(Asked::new(&person.name, &place.name, octets, &mut warm, &mut cold));
        }
    }
    Ok(asked)
}

/// Somebody with the pages that they look at.
struct Tour<'a> {
    person: &'a Person,
    places: Vec<places::Place>,
}

/// What each of the people looks at, found before the mail is measured.
fn tours(people: &[Person]) -> anyhow::Result<Vec<Tour<'_>>> {
    let people = people.iter().filter(|person| !person.is_program);
    people.map(|person| Ok(Tour { person, places: places::of(person)? })).collect()
}

/// W2 while people look at pages and export.
fn browsed(
    work: &Work,
    house: &House,
    running: &Running,
    seats: &[crate::source::Seat],
    tours: &[Tour<'_>],
) -> anyhow::Result<Report> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let browsing: Vec<_> = (0..BROWSING)
            .map(|number| {
                let (tour, over) = (&tours[number % tours.len()], &over);
                scope.spawn(move || browse(tour, number, over))
            })
            .collect();
        let report = one_run(work, house, running, seats);
        over.store(true, Ordering::Relaxed);
        for one in browsing {
            one.join().map_err(|_| anyhow::anyhow!("whoever browsed broke off"))??;
        }
        report
    })
}

/// One after the other, the next when the last was looked at.
fn browse(tour: &Tour<'_>, number: usize, over: &AtomicBool) -> anyhow::Result<()> {
    let Tour { person, places } = tour;
    let mut turn = number * 7;
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        if turn.is_multiple_of(EXPORTS) && person.account.is_some() {
            let answer = person.get(places::EXPORT)?;
            // where others have taken all places it is refused
            ensure!([200, 503].contains(&answer.status), "{}: {}", places::EXPORT, answer.status);
        } else {
            // what was there when the pages were found may be gone: a message of the queue
            person.get(&places[turn % places.len()].path)?;
        }
        turn += 1;
        while begun.elapsed() < LOOKS && !over.load(Ordering::Relaxed) {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
    Ok(())
}
