//! `envoi inbox`: what is typed, the operation that it asks for, and what it shows.

use clap::Subcommand;
use relay::id::MessageId;
use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::{CapturedDetailView, CapturedView};

use super::operate::{Wanted, asking, message_id};
use super::table::{cut, pairs, printable, table};
use crate::moment::short;

/// Test inboxes.
#[derive(Debug, Subcommand)]
pub enum InboxCommand {
    /// List messages that the sandbox took, the newest first
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<u64>,
        /// With this in the address of a recipient
        #[arg(long, value_name = "TEXT")]
        recipient: Option<String>,
        /// Those before this message, for paging
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one with its text, parts, links and signatures
    Show {
        /// Its id
        message: String,
    },
    /// Write one out as it would have been sent
    Source {
        /// Its id
        message: String,
    },
    /// Delete one
    Delete {
        /// Its id
        message: String,
    },
    /// Delete all of an account
    Empty {
        /// The account's id
        #[arg(long)]
        account: u64,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// The operation of a command.
pub(super) fn operation(command: &InboxCommand) -> Result<Wanted, Fault> {
    use InboxCommand as C;
    Ok(match command {
        C::List { account, recipient, before, limit } => {
            let before: Option<MessageId> = before.as_deref().map(message_id).transpose()?;
            let (account, recipient, limit) = (*account, recipient.clone(), *limit);
            Operation::InboxList { account, recipient, before, limit }.into()
        }
        C::Show { message } => Operation::InboxShow { message: message_id(message)? }.into(),
        C::Source { message } => Operation::InboxSource { message: message_id(message)? }.into(),
        C::Delete { message } => Operation::InboxDelete { message: message_id(message)? }.into(),
        C::Empty { account, yes } => asking(
            Operation::InboxEmpty { account: *account },
            *yes,
            format!("Delete every message in the test inbox of account {account}? It cannot be undone."),
        ),
    })
}

/// Messages as a table.
pub(super) fn list(messages: &[CapturedView]) -> String {
    table(
        &["message", "account", "at", "to", "subject", "octets"],
        messages.iter().map(|one| {
            let (to, subject) = (cut(&one.recipients.join(", "), 50), cut(&one.subject, 50));
            vec![one.message.clone(), one.account.to_string(), short(&one.at), to, subject, one.octets.to_string()]
        }),
        "The sandbox has taken nothing: `envoi smtp-user set USER --sandbox on` sends an SMTP user's mail there.",
    )
}

/// One message.
pub(super) fn one(found: &CapturedDetailView) -> String {
    let CapturedDetailView { captured, signatures, parts, links, text, cut: is_cut, .. } = found;
    let head = pairs(&[
        ("Message", captured.message.clone()),
        ("Account", captured.account.to_string()),
        ("SMTP user", captured.user.map(|user| user.to_string()).unwrap_or_default()),
        ("Tells of", captured.about.clone().unwrap_or_default()),
        ("Taken", short(&captured.at)),
        ("Sender", captured.reverse_path.clone()),
        ("Recipients", captured.recipients.join(", ")),
        ("From", captured.from.clone()),
        ("Subject", captured.subject.clone()),
        ("Octets", captured.octets.to_string()),
    ]);
    let signed = table(
        &["signed by", "selector", "algorithm", "verdict", "in DNS"],
        signatures.iter().map(|one| {
            let finding = one.finding.clone().unwrap_or_default();
            vec![one.domain.clone(), one.selector.clone(), one.algorithm.clone(), one.verdict.clone(), finding]
        }),
        "It has no DKIM signature.",
    );
    let made_of = table(
        &["part", "name", "content id", "octets"],
        parts.iter().map(|part| {
            vec![part.media_type.clone(), part.name.clone(), part.content_id.clone(), part.octets.to_string()]
        }),
        "It has no part.",
    );
    let mut shown = format!("{head}\n\n{signed}\n\n{made_of}");
    if !links.is_empty() {
        let leads =
            table(&["found in", "link"], links.iter().map(|link| vec![link.place.clone(), link.address.clone()]), "");
        shown.push_str(&format!("\n\n{leads}"));
    }
    if let Some(text) = text {
        shown.push_str(&format!("\n\n{}", printable(&text.replace("\r\n", "\n"))));
    }
    if *is_cut {
        shown.push_str("\n\nThere is more of it: `envoi inbox source` gives it whole.");
    }
    shown
}
