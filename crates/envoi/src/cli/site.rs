//! Sites: the mail servers of others, what is in force there, and the order to try one now.

use super::operate::Wanted;
use super::table::{cut, table};
use crate::moment::short;
use clap::Subcommand;
use relay::service::operation::Operation;
use relay::service::view::{BlockedSourceView, SiteView};

/// The characters of a reply that a line has room for.
const SAID_CHARACTERS: usize = 80;

/// `site`
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// List the sites that mail goes to, with what is in force at each and why
    List {
        /// Those alone where something is in force
        #[arg(long)]
        troubled: bool,
        /// Those behind this one
        #[arg(long)]
        after: Option<String>,
        /// So many at the most
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Try a site now that is left alone or slowed
    Resume {
        /// Its name
        site: String,
    },
}

/// The operation of a command.
pub(super) fn operation(command: &SiteCommand) -> Wanted {
    match command {
        SiteCommand::List { troubled, after, limit } => {
            Operation::SiteList { after: after.clone(), limit: *limit, troubled: *troubled }.into()
        }
        SiteCommand::Resume { site } => Operation::SiteResume { site: site.clone() }.into(),
    }
}

/// What one connection may carry, how many recipients a transaction may have, and how long it may wait for more.
fn connection(site: &SiteView) -> String {
    let (messages, recipients) = (site.messages_per_connection, site.recipients_per_transaction);
    format!("{messages} messages, {recipients} recipients, {} s", site.idle_seconds)
}

/// The list.
pub(super) fn list(sites: &[SiteView]) -> String {
    let blocked = |blocked: &BlockedSourceView| format!("{} until {}", blocked.source, short(&blocked.until));
    let row = |site: &SiteView| {
        let more = site.domain_count.saturating_sub(site.domains.len() as u64);
        let mut domains = site.domains.join(", ");
        if more > 0 {
            domains.push_str(&format!(" and {more} more"));
        }
        vec![
            site.site.clone(),
            site.state.clone(),
            domains,
            site.waiting.to_string(),
            format!("{}/{}", site.connections, site.connections_allowed),
            site.messages_per_minute.map(|pace| pace.to_string()).unwrap_or_default(),
            connection(site),
            site.until.as_deref().map(short).unwrap_or_default(),
            site.said.as_deref().map(|said| cut(said, SAID_CHARACTERS)).unwrap_or_default(),
            site.blocked_sources.iter().map(blocked).collect::<Vec<_>>().join(", "),
        ]
    };
    table(
        &[
            "site",
            "state",
            "domains",
            "waiting",
            "connections",
            "a minute",
            "each connection",
            "until",
            "why",
            "blocks",
        ],
        sites.iter().map(row),
        "There is no such site.",
    )
}
