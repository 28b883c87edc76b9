//! What receivers reported of mail with a domain's name, and how the domain fares, as the command line shows them.

use super::table::{cut, printable, table};
use relay::service::view::{DmarcReportedView, DmarcTallyView, DomainHealthView, HealthFindingView};

/// Characters of a name that a line has room for.
const NAME_CHARACTERS: usize = 40;

/// In all and by day, by source, by reporter.
pub(super) fn reported(found: &DmarcReportedView) -> String {
    let Some(address) = &found.address else {
        return "The relay takes no reports: [bounces] listens nowhere.".to_owned();
    };
    if found.reports.is_empty() {
        return format!(
            "No report on {} has come of {} to {}. Its DMARC record has to have them sent to mailto:{address} (rua).",
            found.domain, found.since, found.until
        );
    }
    let in_all = [row("in all", &found.total)];
    let days = found.days.iter().map(|day| row(&day.day, &day.tally)).chain(in_all);
    let source = |one: &relay::service::view::DmarcSourceView| {
        let name = one.source.as_deref().unwrap_or("others");
        row(&if one.own == Some(true) { format!("{name} (this relay)") } else { name.to_owned() }, &one.tally)
    };
    let reporter = |one: &relay::service::view::DmarcReporterView| {
        let vouched = match (&one.vouched_by, one.counted) {
            (Some(domain), _) => cut(domain, NAME_CHARACTERS),
            (None, true) => "not checked".to_owned(),
            (None, false) => "nobody: not counted".to_owned(),
        };
        vec![cut(&one.name, NAME_CHARACTERS), vouched, one.reports.to_string(), one.messages.to_string()]
    };
    [
        table(&head("day"), days, ""),
        table(&head("source"), found.sources.iter().map(source), ""),
        table(&["reporter", "vouched for by", "reports", "messages"], found.reporters.iter().map(reporter), ""),
    ]
    .join("\n")
}

/// Each finding, with the next step below it.
pub(super) fn health(found: &DomainHealthView) -> String {
    let one = |finding: &HealthFindingView| {
        let mut lines = vec![format!("{:>8}  {}", finding.verdict, printable(&finding.found))];
        if let (Some(rate), Some(by), Some(at)) = (finding.published_rate, &finding.published_by, &finding.published_at)
        {
            lines.push(format!("          {by} has published {} %: {at}", rate * 100.0));
        }
        if !finding.advice.is_empty() {
            lines.push(format!("          {}", finding.advice));
        }
        lines.join("\n")
    };
    let head = format!("{}: {} ({} to {})", found.domain, found.verdict, found.since, found.until);
    std::iter::once(head).chain(found.findings.iter().map(one)).collect::<Vec<_>>().join("\n")
}

fn head(first: &str) -> [&str; 8] {
    [first, "messages", "passed", "passed %", "DKIM", "SPF", "put aside", "refused"]
}

fn row(what: &str, tally: &DmarcTallyView) -> Vec<String> {
    let rate = tally.pass_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1}", rate * 100.0));
    let numbers = [tally.dkim, tally.spf, tally.quarantined, tally.rejected];
    let first = [what.to_owned(), tally.messages.to_string(), tally.passed.to_string(), rate];
    first.into_iter().chain(numbers.iter().map(u64::to_string)).collect()
}
