//! `envoi suppression`: what is typed, the list that is read for it, and what it shows.

use clap::Subcommand;
use relay::clock::Timestamp;
use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::{SuppressionView, SuppressionsImportedView};
use relay::suppression::SuppressionCause;
use std::io::Read;

use super::operate::{Wanted, moment_to_come};
use super::table::table;
use crate::moment::short;

/// A list is at most so long.
const LIST_OCTETS_MAX: u64 = 64 << 20;

/// Suppressions.
#[derive(Debug, Subcommand)]
pub enum SuppressionCommand {
    /// Send nothing to an address any more
    Add {
        /// The account's id
        #[arg(long)]
        account: u64,
        /// The address
        address: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// Until when: a moment to come
        #[arg(long, value_name = "MOMENT")]
        until: Option<String>,
    },
    /// Send nothing any more to the addresses of a list, read from standard input: CSV, or one on each line
    Import {
        /// The account's id
        #[arg(long)]
        account: u64,
    },
    /// List suppressed addresses
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
        /// With this in the address
        #[arg(long, default_value = "")]
        search: String,
        /// By this cause alone: manual, bounce, complaint, unsubscribed
        #[arg(long, value_parser = cause)]
        cause: Option<SuppressionCause>,
    },
    /// Send to an address again
    Remove {
        /// The account's id
        #[arg(long)]
        account: u64,
        /// The address
        address: String,
        /// For the mail of this SMTP user alone, by its number
        #[arg(long, value_name = "NUMBER")]
        smtp_user: Option<u64>,
    },
}

fn cause(word: &str) -> Result<SuppressionCause, String> {
    SuppressionCause::of_word(word).ok_or_else(|| "write manual, bounce, complaint or unsubscribed".to_owned())
}

pub(super) fn operation(command: &SuppressionCommand, now: Timestamp) -> Result<Wanted, Fault> {
    Ok(match command {
        SuppressionCommand::Add { account, address, reason, until } => Operation::SuppressionAdd {
            account: *account,
            address: address.clone(),
            reason: reason.clone(),
            until: until.as_deref().map(|until| moment_to_come(until, now)).transpose()?,
        },
        SuppressionCommand::Import { account } => Operation::SuppressionImport { account: *account, list: list()? },
        SuppressionCommand::List { account, search, cause } => Operation::SuppressionList {
            account: *account,
            search: search.clone(),
            cause: *cause,
            after: None,
            limit: 0,
        },
        SuppressionCommand::Remove { account, address, smtp_user } => {
            Operation::SuppressionRemove { account: *account, address: address.clone(), smtp_user: *smtp_user }
        }
    }
    .into())
}

fn list() -> Result<String, Fault> {
    let mut list = String::new();
    let read = std::io::stdin().lock().take(LIST_OCTETS_MAX).read_to_string(&mut list);
    read.map_err(|error| {
        Fault::invalid(format!("The list cannot be read: {error}."), "Give it in UTF-8, by a pipe or `<`.")
    })?;
    Ok(list)
}

/// Suppressions for people to read.
pub(super) fn list_of(all: &[SuppressionView]) -> String {
    let row = |one: &SuppressionView| {
        let until = one.until.as_deref().map(short).unwrap_or_default();
        let (account, cause) = (one.account.to_string(), one.cause.clone());
        let user = one.smtp_user.map(|user| user.to_string()).unwrap_or_default();
        vec![account, one.address.clone(), cause, user, short(&one.since), until, one.reason.clone()]
    };
    let head = ["account", "address", "cause", "SMTP user", "since", "until", "reason"];
    table(&head, all.iter().map(row), "No address is suppressed.")
}

/// What became of a list.
pub(super) fn imported(imported: &SuppressionsImportedView) -> String {
    let SuppressionsImportedView { added, known, untaken, lines } = imported;
    let mut text = format!("{added} addresses are suppressed now; {known} were already.");
    if *untaken > 0 {
        text.push_str(&format!("\n{untaken} lines were not taken:"));
    }
    for line in lines {
        text.push_str(&format!("\n  line {}: {}", line.line, line.why));
    }
    text
}
