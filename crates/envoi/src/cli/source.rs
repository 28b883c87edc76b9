//! Sources: where mail is sent from, how each fares, and the order to try one now.

use super::operate::Wanted;
use super::table::{cut, table};
use crate::moment::short;
use clap::Subcommand;
use relay::service::operation::Operation;
use relay::service::view::{BlockingSiteView, PoolMemberView, SendingSourceView, WarmUpProviderView, WarmUpView};

/// The characters of a reason that a line has room for.
const REASON_CHARACTERS: usize = 80;

/// `source`
#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// List the sources that mail is sent from, with how each fares
    List,
    /// Try a source now that is set aside
    Resume {
        /// Its name
        source: String,
    },
    /// The warm-up of a source: stopped, or begun again
    WarmUp {
        /// What is wanted of it
        #[command(subcommand)]
        command: WarmUpCommand,
    },
}

/// `source warm-up`
#[derive(Debug, Subcommand)]
pub enum WarmUpCommand {
    /// Treat a source as warm from now on
    Stop {
        /// Its name
        source: String,
    },
    /// Begin again, with the first rung at every provider
    Start {
        /// Its name
        source: String,
    },
}

/// The operation of a command.
pub(super) fn operation(command: &SourceCommand) -> Wanted {
    match command {
        SourceCommand::List => Operation::SourceList.into(),
        SourceCommand::Resume { source } => Operation::SourceResume { source: source.clone() }.into(),
        SourceCommand::WarmUp { command: WarmUpCommand::Stop { source } } => {
            Operation::SourceWarmUpStop { source: source.clone() }.into()
        }
        SourceCommand::WarmUp { command: WarmUpCommand::Start { source } } => {
            Operation::SourceWarmUpStart { source: source.clone() }.into()
        }
    }
}

/// A pool that a source is of, with its weight there and whose mail goes from it: `news=1 (news.example.com, account 7)`.
fn pool(pool: &PoolMemberView) -> String {
    let mut whose = pool.domains.clone();
    whose.extend(pool.accounts.iter().map(|number| format!("account {number}")));
    whose.extend(pool.plans.iter().map(|number| format!("plan {number}")));
    if pool.first {
        whose.push("all other mail".to_owned());
    }
    let whose = if whose.is_empty() { String::new() } else { format!(" ({})", whose.join(", ")) };
    format!("{}={}{whose}", pool.pool, pool.weight)
}

/// The list.
pub(super) fn list(sources: &[SendingSourceView]) -> String {
    let row = |source: &SendingSourceView| {
        let pools: Vec<String> = source.pools.iter().map(pool).collect();
        let site = |site: &BlockingSiteView| format!("{} until {}", site.site, short(&site.until));
        let more = source.blocked_count.saturating_sub(source.blocked_by.len() as u64);
        let mut blocked = source.blocked_by.iter().map(site).collect::<Vec<_>>().join(", ");
        if more > 0 {
            blocked.push_str(&format!(" and {more} more"));
        }
        vec![
            source.source.clone(),
            source.state.replace('_', " "),
            source.addresses.join(", "),
            source.hello.clone(),
            pools.join(", "),
            source.connections.to_string(),
            source.messages.to_string(),
            source.until.as_deref().map(short).unwrap_or_default(),
            source.reason.as_deref().map(|reason| cut(reason, REASON_CHARACTERS)).unwrap_or_default(),
            blocked,
            source.warm_up.as_ref().map(warm_up).unwrap_or_default(),
        ]
    };
    table(
        &[
            "source",
            "state",
            "addresses",
            "hello",
            "pools",
            "connections",
            "messages",
            "until",
            "why",
            "blocked by",
            "warm-up",
        ],
        sources.iter().map(row),
        "The relay has no named source: it sends from the address that the system chooses.",
    )
}

/// A warm-up in few words: `google 120 of 400 (rung 4 of 12)`.
fn warm_up(view: &WarmUpView) -> String {
    let provider = |one: &WarmUpProviderView| match one.messages_allowed {
        None => format!("{} warm", one.provider),
        Some(allowed) => {
            let (today, rung, rungs) = (one.messages_today, one.rung, one.rungs);
            format!("{} {today} of {allowed} (rung {rung} of {rungs})", one.provider)
        }
    };
    match (view.state.as_str(), view.providers.is_empty()) {
        ("stopped", _) => "stopped".to_owned(),
        (_, true) => "no mail yet".to_owned(),
        _ => view.providers.iter().map(provider).collect::<Vec<_>>().join(", "),
    }
}
