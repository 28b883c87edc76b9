//! Orders about a part of the queue: counted and asked about first, then carried out turn after turn.

use clap::Args;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::service::operation::{Answer, Operation};
use relay::service::view::QueuePartView;
use relay::service::{Fault, QueueOrder, Selection};

use super::ask;
use super::operate::message_id;
use super::run::{Failure, agreed, eprint, print};
use crate::config::Config;
use crate::moment;

/// A part of the queue, named by what its recipients have in common.
#[derive(Args, Clone, Debug)]
#[group(id = "part", multiple = true)]
pub struct PartArgs {
    /// Of this account
    #[arg(long, value_name = "NUMBER")]
    pub account: Option<u64>,
    /// Of this sending domain, by number or name
    #[arg(long)]
    pub domain: Option<String>,
    /// Of this SMTP user, by number or username
    #[arg(long)]
    pub user: Option<String>,
    /// To this address, or to `@domain`
    #[arg(long)]
    pub recipient: Option<String>,
    /// Accepted at or after: a moment, a day, or how long ago (`2h`)
    #[arg(long, value_name = "MOMENT")]
    pub since: Option<String>,
    /// Accepted before: a moment, a day, or how long ago (`2h`); `0s`: all that is there
    #[arg(long, value_name = "MOMENT")]
    pub until: Option<String>,
}

impl PartArgs {
    /// What they name.
    pub(super) fn selection(&self, now: Timestamp) -> Result<Selection, Fault> {
        let moment = |given: &String| moment::parse(given, now).map_err(|what| Fault::invalid(format!("{what}."), ""));
        Ok(Selection {
            account: self.account,
            domain: self.domain.clone(),
            user: self.user.clone(),
            recipient: self.recipient.clone(),
            since: self.since.as_ref().map(moment).transpose()?,
            until: self.until.as_ref().map(moment).transpose()?,
        })
    }

    /// The order for the message that is named, or else for the part of the queue.
    pub(super) fn operation(
        &self,
        message: Option<&String>,
        one: fn(MessageId) -> Operation,
        order: QueueOrder,
        now: Timestamp,
    ) -> Result<Operation, Fault> {
        match message {
            Some(message) => Ok(one(message_id(message)?)),
            None => Ok(Operation::QueueOrder { order, selection: self.selection(now)?, after: None }),
        }
    }
}

/// What an order does, as a question and as what was done.
fn verbs(order: &QueueOrder) -> (&'static str, &'static str) {
    match order {
        QueueOrder::Hold => ("Hold", "held until they are released"),
        QueueOrder::Release => ("Release what you hold of", "released and tried now"),
        QueueOrder::Retry => ("Try now what waits of", "tried now"),
        QueueOrder::Reroute { .. } => ("Send another way", "sent another way"),
        QueueOrder::Cancel { notify: true } => ("Cancel for good", "cancelled"),
        QueueOrder::Cancel { notify: false } => ("Cancel for good, without a word to the senders,", "cancelled"),
    }
}

/// Counts what is meant, asks, and carries the order out to its end.
pub(super) async fn carry_out(
    config: &Config,
    order: QueueOrder,
    selection: Selection,
    yes: bool,
    json: bool,
) -> Result<(), Failure> {
    let (question, done) = verbs(&order);
    if !yes {
        let count = |after| Operation::QueueCount { selection: selection.clone(), after };
        let counted = all_turns(config, count).await?;
        let (recipients, messages) = (counted.recipients, counted.messages);
        let words = selection.words();
        if !agreed(&format!("{question} {recipients} recipients of {messages} messages ({words})?")).await {
            eprint("Nothing was done.");
            return Err(Failure::Told);
        }
    }
    let turn = |after| Operation::QueueOrder { order: order.clone(), selection: selection.clone(), after };
    let part = all_turns(config, turn).await?;
    if json {
        print(&Answer::QueuePart(part).json());
    } else {
        print(&text(&part, done));
    }
    Ok(())
}

/// Counts a part of the queue to its end.
pub(super) async fn count(config: &Config, selection: Selection, json: bool) -> Result<(), Failure> {
    let part = all_turns(config, |after| Operation::QueueCount { selection: selection.clone(), after }).await?;
    if json {
        print(&Answer::QueuePart(part).json());
    } else {
        print(&counted(&part));
    }
    Ok(())
}

/// How much it is.
pub(super) fn counted(part: &QueuePartView) -> String {
    format!("Recipients: {}, of {} messages.", part.recipients, part.messages)
}

/// What all turns together come to.
async fn all_turns(config: &Config, turn: impl Fn(Option<MessageId>) -> Operation) -> Result<QueuePartView, Fault> {
    let mut sum = QueuePartView { messages: 0, recipients: 0, under_way: 0, next: None };
    let mut after = None;
    loop {
        let Answer::QueuePart(part) = ask::ask(config, turn(after)).await? else {
            return Err(Fault::unavailable("The relay answered what was not asked.", "This is a fault of its own."));
        };
        sum.messages += part.messages;
        sum.recipients += part.recipients;
        sum.under_way += part.under_way;
        match part.next {
            Some(next) => after = Some(message_id(&next)?),
            None => return Ok(sum),
        }
    }
}

/// What came of an order, for people to read.
fn text(part: &QueuePartView, done: &str) -> String {
    let mut text = format!("Recipients: {}, of {} messages, are {done}.", part.recipients, part.messages);
    if part.under_way > 0 {
        text.push_str(&format!(" {} are being delivered right now; what is deferred then is too.", part.under_way));
    }
    text
}
