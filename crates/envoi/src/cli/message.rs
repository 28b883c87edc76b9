//! `envoi message`: what is typed, the message that is read for it, and what it shows.

use clap::Subcommand;
use relay::limits::MESSAGE_OCTETS_MAX;
use relay::service::operation::Operation;
use relay::service::view::SubmissionView;
use relay::service::{Fault, GivenContent, GivenMessage, Octets};
use std::io::Read;

use super::operate::Wanted;
use super::table::{pairs, table};

/// Messages.
#[derive(Debug, Subcommand)]
pub enum MessageCommand {
    /// Send a message, read from standard input, as an SMTP user; it is judged as over SMTP
    Send {
        /// The SMTP user, by username or id
        #[arg(long)]
        user: String,
        /// Where failures are told [default: the address in From]
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// A recipient; may be given several times [default: those in To, Cc and Bcc]
        #[arg(long, value_name = "ADDRESS")]
        to: Vec<String>,
    },
}

/// The operation of a command. Reads the message.
pub(super) fn operation(command: &MessageCommand) -> Result<Wanted, Fault> {
    let MessageCommand::Send { user, from, to } = command;
    let mut content = Vec::new();
    // one more than any relay takes is enough to be refused
    let read = std::io::stdin().lock().take(MESSAGE_OCTETS_MAX.ceiling + 1).read_to_end(&mut content);
    read.map_err(|error| {
        Fault::unavailable(format!("Standard input cannot be read: {error}."), "Give the message by a pipe or `<`.")
    })?;
    let message = GivenMessage {
        user: user.clone(),
        reverse_path: from.clone(),
        recipients: to.clone(),
        content: GivenContent::Raw(Octets(content.into())),
    };
    Ok(Operation::MessageSubmit { message: Box::new(message) }.into())
}

/// The fault that it is where nothing is sent to anybody.
pub(super) fn fault(view: &SubmissionView) -> Option<Fault> {
    let why = view.why_nothing()?;
    let told = Fault::invalid(
        format!("The message was refused: {why}"),
        smtp::replies::entry(&why.reference).map_or("", |entry| entry.remedy),
    );
    let each: Vec<_> = view.refused.iter().map(|refused| format!("{}: {}", refused.recipient, refused.reply)).collect();
    Some(told.meaning(each.join("\n  ")))
}

/// What became of it.
pub(super) fn submission(view: &SubmissionView) -> String {
    let head = pairs(&[
        ("Message", view.message.clone().unwrap_or_default()),
        ("Message-ID", view.message_id.clone().unwrap_or_default()),
    ]);
    let accepted = view.accepted.iter().map(|recipient| vec![recipient.clone(), "accepted".to_owned(), String::new()]);
    let refused = view
        .refused
        .iter()
        .map(|refused| vec![refused.recipient.clone(), refused.reply.reference.clone(), refused.reply.to_string()]);
    format!("{head}\n\n{}", table(&["recipient", "what", "reply"], accepted.chain(refused), "No recipients."))
}
