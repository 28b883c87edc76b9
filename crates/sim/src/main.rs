//! Runs seeds: `sim --seed N`, `sim --seeds N [--from M]`, `sim --hours H`; `cargo xtask sim` calls it.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sim::report::Report;
use sim::run::run;
use sim::world::lock;

const USAGE: &str = "sim --seed N                    runs one seed, and tells what happened
sim --seeds N [--from M]        runs so many seeds
sim --hours H [--from M]        runs seeds for so long
  --commit C                    what is said of the commit
  --jobs J                      seeds at once
  --first                       ends with the first seed that fails";

#[derive(Clone, Debug, Default)]
struct Orders {
    seed: Option<u64>,
    seeds: Option<u64>,
    hours: Option<f64>,
    from: u64,
    jobs: Option<usize>,
    commit: String,
    is_first: bool,
}

fn orders(arguments: &[String]) -> Option<Orders> {
    let mut orders = Orders { commit: "unknown".to_owned(), from: 1, ..Orders::default() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => orders.seed = Some(arguments.next()?.parse().ok()?),
            "--seeds" => orders.seeds = Some(arguments.next()?.parse().ok()?),
            "--hours" => orders.hours = Some(arguments.next()?.parse().ok()?),
            "--from" => orders.from = arguments.next()?.parse().ok()?,
            "--jobs" => orders.jobs = Some(arguments.next()?.parse().ok()?),
            "--commit" => orders.commit.clone_from(arguments.next()?),
            "--first" => orders.is_first = true,
            _ => return None,
        }
    }
    let ways = usize::from(orders.seed.is_some()) + usize::from(orders.seeds.is_some());
    (ways + usize::from(orders.hours.is_some()) == 1).then_some(orders)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(orders) = orders(&arguments) else {
        tell(USAGE);
        return ExitCode::from(2);
    };
    let is_sound = match orders.seed {
        Some(seed) => one(seed, &orders.commit),
        None => many(&orders),
    };
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(seed: u64, commit: &str) -> bool {
    let began = Instant::now();
    let outcome = run(seed, true);
    outcome.lines.iter().for_each(|line| tell(line));
    let mut report = Report::default();
    report.add(seed, &outcome);
    tell(&report.text());
    outcome.violations.iter().for_each(|violation| tell(&format!("VIOLATION {violation}")));
    tell(&format!(
        "seed {seed} of commit {commit}, {} ms, digest {:016x}",
        began.elapsed().as_millis(),
        outcome.digest
    ));
    outcome.violations.is_empty()
}

fn many(orders: &Orders) -> bool {
    let (report, next, stop) = (Mutex::new(Report::default()), AtomicU64::new(orders.from), AtomicBool::new(false));
    let began = Instant::now();
    let until = orders.hours.map(|hours| began + Duration::from_secs_f64(hours * 3600.0));
    let end = orders.seeds.map_or(u64::MAX, |seeds| orders.from + seeds);
    let work = || {
        while !stop.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let outcome = std::panic::catch_unwind(|| run(seed, false));
            let Ok(outcome) = outcome else {
                tell(&format!("seed {seed} of commit {}: PANIC", orders.commit));
                lock(&report).failed.push((seed, vec!["a panic".to_owned()]));
                stop.fetch_or(orders.is_first, Ordering::Relaxed);
                continue;
            };
            if let Some(violation) = outcome.violations.first() {
                tell(&format!("seed {seed} of commit {}: {violation}", orders.commit));
                stop.fetch_or(orders.is_first, Ordering::Relaxed);
            }
            lock(&report).add(seed, &outcome);
        }
    };
    let jobs = orders.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    std::thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(work))));
    let report = lock(&report).clone();
    tell(&report.text());
    tell(&format!("commit {}, {} s", orders.commit, began.elapsed().as_secs()));
    let seldom: Vec<&str> = report.seldom().iter().map(|fault| fault.text()).collect();
    let is_rich = report.seeds < 1000 || seldom.is_empty();
    if !is_rich {
        tell(&format!("too seldom: {}", seldom.join(", ")));
    }
    tell(&format!("{} passed, {} failed", report.seeds - report.failed.len() as u64, report.failed.len()));
    report.failed.is_empty() && is_rich
}

#[expect(clippy::print_stdout, reason = "a program for people")]
fn tell(line: &str) {
    println!("{line}");
}
