//! `[tls_reports]`: who reports on TLS to other domains, and whether the reports can go out.

use relay::tls_report::Author;

use super::read::Tree;
use super::{Config, Problem, value};

/// Who reports; none where nobody is named for questions.
pub(super) fn read(tree: &Tree) -> Option<Author> {
    let table = tree.table("tls_reports");
    let text = |name: &str| Some(table.text(name)).filter(|text| !text.is_empty());
    let hostname = tree.table("").text("hostname");
    let sender = value::sender(&tree.table("mail").text("from"));
    let domain = sender.and_then(|sender| sender.address.rsplit_once('@').map(|(_, domain)| domain.to_owned()));
    Some(Author {
        contact: text("contact")?,
        organization: text("organization").unwrap_or_else(|| hostname.clone()),
        submitter: domain.unwrap_or(hostname),
    })
}

/// What the rest of the file says against it.
pub(super) fn contradictions(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let table = tree.table("tls_reports");
    if config.tls_reports.is_some() && config.mail_from.is_none() {
        let what = "is set, and the relay has no address of its own: domains that want their reports by mail get none";
        let remedy = "Set `from` below [mail].";
        problems.push(Problem::warning(table.line_of("contact"), "tls_reports.contact", what, remedy));
    }
    if config.tls_reports.is_none() && table.value("organization").is_some() {
        let what = "is set without a contact: nothing is counted, and nothing is sent";
        let remedy = "Set `contact` below [tls_reports], or take this out.";
        problems.push(Problem::warning(table.line_of("organization"), "tls_reports.organization", what, remedy));
    }
}
