//! `envoi queue`: what is typed.

use clap::{Args, Subcommand};
use relay::clock::Timestamp;
use relay::service::operation::Operation;
use relay::service::{Fault, QueueOrder};

use super::PartArgs;
use super::operate::{Wanted, asking, message_id};

/// `queue`
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// List messages, oldest first
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
        /// Those after this message, for paging
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// List the replies of other servers that no rule knows, by their shape, since the relay started
    UnknownReplies,
    /// Show a message with its recipients
    Show {
        /// Its id
        message: String,
    },
    /// Count a part of the queue
    Count {
        /// Which part of the queue
        #[command(flatten)]
        part: PartArgs,
    },
    /// Try the waiting recipients of a message, or of a part of the queue, now
    Retry(OneOrPart),
    /// Hold a message, or a part of the queue, until it is released
    Hold(OneOrPart),
    /// Release a message, or what you hold of a part of the queue, and try it now
    Release {
        /// Its id
        #[arg(required_unless_present_any = ["all", "part"], conflicts_with_all = ["all", "part"])]
        message: Option<String>,
        /// Every message that you hold
        #[arg(long, conflicts_with = "part")]
        all: bool,
        /// Which part of the queue
        #[command(flatten)]
        part: PartArgs,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Send a part of the queue another way, over restarts, as long as it waits
    Reroute {
        /// The next hop of a route, `host:port`; `mx`: the mail servers of the domain; `usual`: as the routes say
        #[arg(long, value_name = "ROUTE")]
        to: String,
        /// Which part of the queue
        #[command(flatten)]
        part: PartArgs,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Give a message, or a part of the queue, up: its recipients become hard bounces
    Cancel {
        /// Its id
        #[arg(required_unless_present_any = ["all", "part"], conflicts_with_all = ["all", "part"])]
        message: Option<String>,
        /// Every message that you hold
        #[arg(long, conflicts_with = "part")]
        all: bool,
        /// Which part of the queue
        #[command(flatten)]
        part: PartArgs,
        /// Tell no sender, whatever they asked for
        #[arg(long, requires = "part")]
        silently: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// A message, or a part of the queue.
#[derive(Args, Debug)]
pub struct OneOrPart {
    /// Its id
    #[arg(required_unless_present = "part", conflicts_with = "part")]
    message: Option<String>,
    /// Which part of the queue
    #[command(flatten)]
    part: PartArgs,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// An order about a part of the queue is asked about once it is known how much that is.
fn about_part(operation: Operation, yes: bool) -> Wanted {
    let is_asked = !yes && matches!(operation, Operation::QueueOrder { .. });
    Wanted { operation, question: is_asked.then(String::new) }
}

pub(super) fn operation(command: &QueueCommand, now: Timestamp) -> Result<Wanted, Fault> {
    Ok(match command {
        QueueCommand::List { account, after, limit } => {
            let after = after.as_deref().map(message_id).transpose()?;
            Operation::QueueList { account: *account, after, limit: *limit }.into()
        }
        QueueCommand::UnknownReplies => Operation::UnknownReplies.into(),
        QueueCommand::Show { message: id } => Operation::QueueShow { message: message_id(id)? }.into(),
        QueueCommand::Count { part } => Operation::QueueCount { selection: part.selection(now)?, after: None }.into(),
        QueueCommand::Retry(OneOrPart { message, part, yes }) => {
            let one = |message| Operation::QueueRetry { message };
            about_part(part.operation(message.as_ref(), one, QueueOrder::Retry, now)?, *yes)
        }
        QueueCommand::Hold(OneOrPart { message, part, yes }) => {
            let one = |message| Operation::QueueHold { message };
            about_part(part.operation(message.as_ref(), one, QueueOrder::Hold, now)?, *yes)
        }
        QueueCommand::Release { all: true, .. } => Operation::QueueReleaseAll.into(),
        QueueCommand::Release { message, part, yes, .. } => {
            let one = |message| Operation::QueueRelease { message };
            about_part(part.operation(message.as_ref(), one, QueueOrder::Release, now)?, *yes)
        }
        QueueCommand::Cancel { message: Some(id), yes, .. } => asking(
            Operation::QueueCancel { message: message_id(id)? },
            *yes,
            format!("Cancel message {id}? Its recipients become hard bounces, and it cannot be undone."),
        ),
        QueueCommand::Reroute { to, part, yes } => {
            let to = (to != "usual").then(|| to.clone());
            let (order, selection) = (QueueOrder::Reroute { to }, part.selection(now)?);
            about_part(Operation::QueueOrder { order, selection, after: None }, *yes)
        }
        QueueCommand::Cancel { message: None, all: false, part, silently, yes } => {
            let (order, selection) = (QueueOrder::Cancel { notify: !silently }, part.selection(now)?);
            about_part(Operation::QueueOrder { order, selection, after: None }, *yes)
        }
        QueueCommand::Cancel { message: None, yes, .. } => asking(
            Operation::QueueCancelAll,
            *yes,
            "Cancel everything that you hold? Those recipients become hard bounces, and it cannot be undone."
                .to_owned(),
        ),
    })
}
