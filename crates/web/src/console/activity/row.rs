//! A row of Activity as lists show it.

use relay::service::view::ActivityView;

use crate::console::reasons;
use crate::console::words::Words;

/// An address in two parts, so that a narrow column breaks between them.
pub(in crate::console) struct Address {
    /// With the `@`.
    pub(in crate::console) local: String,
    pub(in crate::console) domain: String,
}

impl Address {
    pub(in crate::console) fn new(address: &str) -> Address {
        let at = address.rfind('@').map_or(0, |at| at + 1);
        Address { local: address[..at].to_owned(), domain: address[at..].to_owned() }
    }

    pub(in crate::console) fn is_empty(&self) -> bool {
        self.local.is_empty() && self.domain.is_empty()
    }
}

/// A recipient and what became of it.
pub(in crate::console) struct Row {
    pub(in crate::console) number: u64,
    pub(in crate::console) recipient: Address,
    pub(in crate::console) sender: Address,
    pub(in crate::console) subject: String,
    pub(in crate::console) slug: &'static str,
    pub(in crate::console) status: String,
    /// Why, in one line; empty where all is well.
    pub(in crate::console) why: String,
    pub(in crate::console) stamp: String,
    pub(in crate::console) time: String,
}

impl Row {
    pub(in crate::console) fn new(words: &Words, row: &ActivityView) -> Row {
        Row {
            number: row.row,
            recipient: Address::new(&row.recipient),
            sender: Address::new(&row.sender),
            subject: row.subject.clone(),
            slug: slug(&row.status),
            status: words.t(&format!("status-{}", slug(&row.status))),
            why: why(words, row),
            stamp: words.stamp(&row.at),
            time: words.recent(&row.at),
        }
    }
}

/// The word of a status in classes and names of messages.
pub(in crate::console) fn slug(status: &str) -> &'static str {
    match status {
        "rejected" => "rejected",
        "accepted" => "accepted",
        "delivered" => "delivered",
        "deferred" => "deferred",
        "soft_bounce" => "soft",
        "hard_bounce" => "hard",
        "complaint" => "complaint",
        _ => "pending",
    }
}

fn why(words: &Words, row: &ActivityView) -> String {
    if row.sandbox && row.status == "delivered" {
        return words.t("why-sandbox");
    }
    let mut why = reasons::of_row(words, row).cause;
    if why.is_empty() && row.status == "pending" {
        why = words.t("why-waiting");
    }
    if row.count > 1 && row.message.is_none() && !row.reason.contains("further refusals") {
        why.push(' ');
        why.push_str(&words.count("why-times", row.count));
    }
    why
}
