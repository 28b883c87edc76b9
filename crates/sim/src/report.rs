//! What many runs came to: seeds that failed, and how often each fault fired.

use std::fmt::Write;

use crate::fault::Fault;
use crate::run::Outcome;

/// Each fault fires so often at least in a thousand seeds.
pub const FIRED_MIN_PER_THOUSAND: u64 = 100;

/// The sum of runs.
#[derive(Clone, Debug)]
pub struct Report {
    /// Seeds that ran.
    pub seeds: u64,
    /// Seeds that failed, with what was wrong.
    pub failed: Vec<(u64, Vec<String>)>,
    fired: Vec<u64>,
    letters: usize,
    acknowledged: usize,
    kept: usize,
    delivered: usize,
    repeated: usize,
    acknowledged_min: usize,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            seeds: 0,
            failed: Vec::new(),
            fired: vec![0; Fault::ALL.len()],
            letters: 0,
            acknowledged: 0,
            kept: 0,
            delivered: 0,
            repeated: 0,
            acknowledged_min: usize::MAX,
        }
    }
}

impl Report {
    /// Adds what came of a seed.
    pub fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        if !outcome.violations.is_empty() {
            self.failed.push((seed, outcome.violations.clone()));
        }
        for (sum, fault) in self.fired.iter_mut().zip(Fault::ALL) {
            *sum += outcome.tally.of(*fault);
        }
        self.letters += outcome.letters;
        self.acknowledged += outcome.acknowledged;
        self.kept += outcome.kept;
        self.delivered += outcome.delivered;
        self.repeated += outcome.repeated;
        self.acknowledged_min = self.acknowledged_min.min(outcome.acknowledged);
    }

    /// Faults that fired too seldom for so many seeds.
    pub fn seldom(&self) -> Vec<Fault> {
        let floor = FIRED_MIN_PER_THOUSAND * self.seeds / 1000;
        let seldom = Fault::ALL.iter().zip(&self.fired).filter(|(_, fired)| **fired < floor);
        seldom.map(|(fault, _)| *fault).collect()
    }

    /// As text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // writing to a String cannot fail
        for (fault, fired) in Fault::ALL.iter().zip(&self.fired) {
            let _ = writeln!(text, "{fired:>10}  {}", fault.text());
        }
        let _ = writeln!(
            text,
            "{} seeds: {} messages to be sent, {} acknowledged ({} or more in each), {} kept with notifications, \
             {} deliveries, {} of them repeated",
            self.seeds,
            self.letters,
            self.acknowledged,
            self.acknowledged_min.min(self.letters),
            self.kept,
            self.delivered,
            self.repeated
        );
        text
    }
}
