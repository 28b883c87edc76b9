//! `envoi api-key`: what is typed, the operation that it asks for, and what it shows.

use clap::{Subcommand, ValueEnum};
use relay::clock::Timestamp;
use relay::power::{Power, Powers};
use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::{ApiKeySecretView, ApiKeyView};

use super::operate::{Wanted, asking, moment_to_come};
use super::table::{pairs, table};
use crate::moment::short;

/// API keys.
#[derive(Debug, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key; its secret is shown once
    Add {
        /// The account that it is for; without one it is the operator's, and may everything
        #[arg(long)]
        account: Option<u64>,
        /// What people call it
        #[arg(long)]
        name: String,
        /// What it may do in its account; may be given several times
        #[arg(long = "may", value_name = "POWER", required_unless_present = "everything")]
        may: Vec<PowerWord>,
        /// It may do everything
        #[arg(long, conflicts_with = "may")]
        everything: bool,
        /// It only looks, and changes nothing
        #[arg(long)]
        read_only: bool,
        /// When it ends: a moment, or how long from now (`90d`)
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// List the keys
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
    },
    /// Delete a key: it stops at once
    Delete {
        /// Its id
        key: u64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What a key may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PowerWord {
    /// See Activity and Connections
    Activity,
    /// Manage domains and SMTP users
    Domains,
    /// Ask for another plan
    Plan,
    /// Manage members, keys and suppressions, read the audit log, lift blocks
    Administration,
    /// Hand in messages by HTTP
    Submit,
}

impl PowerWord {
    fn power(self) -> Power {
        match self {
            PowerWord::Activity => Power::Activity,
            PowerWord::Domains => Power::Domains,
            PowerWord::Plan => Power::Plan,
            PowerWord::Administration => Power::Administration,
            PowerWord::Submit => Power::Submit,
        }
    }
}

/// The operation of a command.
pub(super) fn operation(command: &ApiKeyCommand, now: Timestamp) -> Result<Wanted, Fault> {
    Ok(match command {
        ApiKeyCommand::Add { account, name, may, everything, read_only, expires } => {
            let some = may.iter().map(|word| word.power());
            Operation::ApiKeyAdd {
                account: *account,
                name: name.clone(),
                powers: if *everything { Powers::ALL } else { some.collect() },
                read_only: *read_only,
                expires_at: expires.as_deref().map(|given| moment_to_come(given, now)).transpose()?,
            }
            .into()
        }
        ApiKeyCommand::List { account } => Operation::ApiKeyList { account: *account }.into(),
        ApiKeyCommand::Delete { key, yes } => asking(
            Operation::ApiKeyDelete { key: *key },
            *yes,
            format!("Delete API key {key}? Programs that use it are refused at once; it cannot be undone."),
        ),
    })
}

/// Keys as a table.
pub(super) fn list(keys: &[ApiKeyView]) -> String {
    table(
        &["id", "account", "name", "may", "made", "expires", "last used"],
        keys.iter().map(|key| {
            let moment = |at: &Option<String>| at.as_deref().map(short).unwrap_or_default();
            let account = key.account.map_or_else(|| "operator".to_owned(), |account| account.to_string());
            let may = if key.account.is_none() { "everything".to_owned() } else { key.powers.join(", ") };
            let may = if key.read_only { format!("{may} (looks only)") } else { may };
            let (made, expires, used) = (short(&key.created_at), moment(&key.expires_at), moment(&key.last_used_at));
            vec![key.id.to_string(), account, key.name.clone(), may, made, expires, used]
        }),
        "There is no API key: `envoi api-key add --name NAME --may activity --account ID` makes one.",
    )
}

/// A new key with its secret.
pub(super) fn secret(made: &ApiKeySecretView) -> String {
    let shown = pairs(&[
        ("API key", format!("{} (id {})", made.key.name, made.key.id)),
        ("Secret", made.secret.expose().to_owned()),
    ]);
    format!("{shown}\n\nThe secret is shown this once: it is kept nowhere. Send it as `Authorization: Bearer …`.")
}
