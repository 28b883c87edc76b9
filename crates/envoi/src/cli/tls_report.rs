//! Reports on TLS to other domains: what is counted, and what was sent.

use super::operate::Wanted;
use super::table::{cut, table};
use crate::moment::short;
use clap::Subcommand;
use relay::service::operation::Operation;
use relay::service::view::{TlsReportView, TlsSessionsView};

/// The characters of a fault that a line has room for.
const FAULT_CHARACTERS: usize = 60;

/// `tls-report`
#[derive(Debug, Subcommand)]
pub enum TlsReportCommand {
    /// List how TLS went with the mail servers of domains, as counted today and on days whose reports are still to go out
    Counted {
        /// Those behind this one: `2026-11-30/example.com`
        #[arg(long)]
        after: Option<String>,
        /// So many at the most
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// List the reports that were sent or given up, the newest first
    List {
        /// So many at the most
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

/// The operation of a command.
pub(super) fn operation(command: &TlsReportCommand) -> Wanted {
    match command {
        TlsReportCommand::Counted { after, limit } => {
            Operation::TlsSessionList { after: after.clone(), limit: *limit }.into()
        }
        TlsReportCommand::List { limit } => Operation::TlsReportList { limit: *limit }.into(),
    }
}

/// What is counted.
pub(super) fn counted(all: &[TlsSessionsView]) -> String {
    let row = |one: &TlsSessionsView| {
        let results: Vec<String> = one.results.iter().map(|(result, count)| format!("{result} {count}")).collect();
        vec![
            one.day.clone(),
            one.domain.clone(),
            one.successes.to_string(),
            one.failures.to_string(),
            one.policies.join(", "),
            results.join(", "),
            one.report_due_at.as_deref().map(short).unwrap_or_default(),
        ]
    };
    table(
        &["day", "domain", "succeeded", "failed", "policies", "results", "report due"],
        all.iter().map(row),
        "Nothing is counted: [tls_reports] names no contact, or no mail has gone out.",
    )
}

/// What was sent.
pub(super) fn sent(all: &[TlsReportView]) -> String {
    let row = |one: &TlsReportView| {
        vec![
            one.day.clone(),
            one.domain.clone(),
            short(&one.at),
            one.to.join(", "),
            one.successes.to_string(),
            one.failures.to_string(),
            one.fault.as_deref().map(|fault| cut(fault, FAULT_CHARACTERS)).unwrap_or_default(),
        ]
    };
    table(
        &["day", "domain", "sent", "to", "succeeded", "failed", "fault"],
        all.iter().map(row),
        "No report was sent yet.",
    )
}
