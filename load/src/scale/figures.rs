//! What was waited for, as figures and as a table.

use serde::Serialize;
use std::time::Duration;

use crate::measure::Report;

/// Part of the mail that people who browse may cost.
const COST_MAX: f64 = 0.1;

/// Milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) p99: f64,
}

impl Spread {
    pub(super) fn of(times: &mut [Duration]) -> Spread {
        times.sort_unstable();
        let at = |part: f64| {
            let place = (times.len() as f64 * part).ceil() as usize;
            let time = times.get(place.saturating_sub(1).min(times.len().saturating_sub(1)));
            time.map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        Spread { median: at(0.5), p99: at(0.99) }
    }
}

/// What may be waited for, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) median: f64,
    pub(super) p99: f64,
}

/// One place, as one person.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    who: String,
    place: String,
    octets: usize,
    warm: Spread,
    cold: Spread,
    all: Spread,
}

impl Asked {
    pub(super) fn new(who: &str, place: &str, octets: usize, warm: &mut [Duration], cold: &mut [Duration]) -> Asked {
        let mut all = [&*warm, &*cold].concat();
        let (who, place) = (who.to_owned(), place.to_owned());
        Asked { who, place, octets, warm: Spread::of(warm), cold: Spread::of(cold), all: Spread::of(&mut all) }
    }

    fn is_within(&self, limits: Limits) -> bool {
        self.all.median <= limits.median && self.all.p99 <= limits.p99
    }
}

/// The slowest first.
pub(super) fn markdown(asked: &[Asked], limits: Limits) -> String {
    let mut lines: Vec<&Asked> = asked.iter().collect();
    lines.sort_by(|one, other| other.all.p99.total_cmp(&one.all.p99));
    let mut text = "| who | place | KB | warm, median / p99 | cold, median / p99 |\n|---|---|---|---|---|\n".to_owned();
    for Asked { who, place, octets, warm, cold, .. } in &lines {
        text.push_str(&format!(
            "| {who} | `{place}` | {} | {:.0} / {:.0} ms | {:.0} / {:.0} ms |\n",
            octets / 1000,
            warm.median,
            warm.p99,
            cold.median,
            cold.p99
        ));
    }
    let within = asked.iter().filter(|asked| asked.is_within(limits)).count();
    text + &format!("\n{within} of {} places within {} and {} ms\n", asked.len(), limits.median, limits.p99)
}

pub(super) fn faults(asked: &[Asked], limits: Limits) -> Vec<String> {
    let slow = asked.iter().filter(|asked| !asked.is_within(limits));
    slow.map(|Asked { who, place, all, .. }| format!("{who} {place}: {:.0} / {:.0} ms", all.median, all.p99)).collect()
}

fn median(reports: &[Report], of: impl Fn(&Report) -> f64) -> f64 {
    let mut values: Vec<f64> = reports.iter().map(of).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn rates(without: &[Report], with: &[Report]) -> (f64, f64) {
    let rate = |reports: &[Report]| median(reports, |report| report.accepted_per_second);
    (rate(without), rate(with))
}

/// What the mail cost without and with people who browse.
pub(super) fn mail(without: &[Report], with: &[Report]) -> String {
    let cpu = |reports: &[Report]| median(reports, |report| report.cpu.per_message);
    let (alone, browsed) = rates(without, with);
    format!(
        "\n| W2 | accepted per second | CPU per message |\n|---|---|---|\n| alone | {alone:.0} | {:.3} ms |\n| browsed | {browsed:.0} | {:.3} ms |\n",
        cpu(without),
        cpu(with)
    )
}

pub(super) fn mail_fault(without: &[Report], with: &[Report]) -> Option<String> {
    let (alone, browsed) = rates(without, with);
    let slower = browsed < alone * (1.0 - COST_MAX);
    slower.then(|| format!("W2: {browsed:.0} a second where people browse, {alone:.0} without"))
}

#[cfg(test)]
mod tests {
    use super::{Asked, Limits, Spread};
    use std::time::Duration;

    #[test]
    fn the_middle_and_nearly_all() {
        let mut times: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(&mut times);
        assert_eq!((spread.median, spread.p99), (100.0, 198.0));
        assert_eq!(Spread::of(&mut []).p99, 0.0);
    }

    #[test]
    fn one_slow_answer_among_few_is_told() {
        let mut warm = vec![Duration::from_millis(10); 20];
        let asked = Asked::new("somebody", "/", 1, &mut warm, &mut [Duration::from_secs(1)]);
        assert!(!asked.is_within(Limits { median: 100.0, p99: 500.0 }));
        assert!(asked.is_within(Limits { median: 100.0, p99: 1000.0 }));
    }
}
