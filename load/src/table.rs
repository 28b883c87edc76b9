//! The table of a whole run, in Markdown: each work's median by CPU time.

use crate::measure::Report;
use crate::tally::Latency;

const HEAD: &str = "| work | server | CPU per message | accepted per second | MAIL to 250, p50 / p99 | 250 to delivered, p50 | \
                    memory, peak | lost | duplicates |\n|---|---|---|---|---|---|---|---|---|\n";

/// One line for each work and server, in the order of their first runs.
pub(crate) fn markdown(reports: &[Report]) -> String {
    let mut text = String::from(HEAD);
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for report in reports {
        let key = (report.work.name.as_str(), report.server.as_str());
        if !seen.contains(&key) {
            seen.push(key);
            let is_alike = |other: &&Report| (other.work.name.as_str(), other.server.as_str()) == key;
            text.push_str(&line(median(reports.iter().filter(is_alike).collect())));
        }
    }
    text
}

/// The run in the middle, by CPU time for each message.
fn median(mut reports: Vec<&Report>) -> &Report {
    reports.sort_by(|a, b| a.cpu.per_message.total_cmp(&b.cpu.per_message));
    reports[(reports.len() - 1) / 2]
}

fn line(report: &Report) -> String {
    let milliseconds = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.1} ms"));
    let of = |latency: Option<Latency>, which: fn(Latency) -> f64| milliseconds(latency.map(which));
    let (cpu, rate) = match report.memory.per_session_kilobytes {
        Some(kilobytes) => (format!("{kilobytes:.1} KB a session"), "–".to_owned()),
        None => (format!("{:.2} ms", report.cpu.per_message), format!("{:.0}", report.accepted_per_second)),
    };
    format!(
        "| {} | {} | {cpu} | {rate} | {} / {} | {} | {:.0} MB | {} | {} |\n",
        report.work.name,
        report.server,
        of(report.mail_to_250_ms, |latency| latency.p50),
        of(report.mail_to_250_ms, |latency| latency.p99),
        of(report.accepted_to_delivered_ms, |latency| latency.p50),
        report.memory.peak,
        report.recipients.missing,
        report.recipients.duplicates,
    )
}
