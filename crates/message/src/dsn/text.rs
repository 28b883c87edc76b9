//! What a DSN says to people, in plain English, and the folding of lines.

use std::fmt::Write as _;

use super::{Action, Notification, ReportedRecipient, one_line};
use crate::admission::SUBJECT_CHARACTERS_MAX;
use crate::header::fields;
use crate::{date, words};

/// Characters of a line for people.
const LINE_CHARACTERS_MAX: usize = 72;

/// Characters of a word before it is cut: a stranger's reply must not make a line too long for 7-bit.
const WORD_CHARACTERS_MAX: usize = 200;

/// The words that go with an action.
struct Words {
    subject: &'static str,
    /// What happened, in front of everything.
    first: &'static str,
    /// In front of the addresses.
    whom: &'static str,
}

fn words_of(action: Action) -> Words {
    match action {
        Action::Failed => Words {
            subject: "Your message could not be delivered",
            first: "Your message could not be delivered.",
            whom: "It did not reach:",
        },
        Action::Delayed { .. } => Words {
            subject: "Your message is delayed",
            first: "Your message is delayed: it has not been delivered yet.",
            whom: "It has not reached so far:",
        },
        Action::Delivered => Words {
            subject: "Your message was delivered",
            first: "Your message was delivered, as you asked to be told.",
            whom: "It was delivered to:",
        },
        Action::Relayed => Words {
            subject: "Your message was handed on",
            first: "Your message was handed on to another server, as you asked to be told.",
            whom: "It was taken there for:",
        },
    }
}

/// The subject of a notification.
pub(super) fn subject_of(action: Action) -> &'static str {
    words_of(action).subject
}

/// What follows for the sender.
fn consequence(action: Action, count: usize) -> String {
    let those = if count == 1 { "this address" } else { "these addresses" };
    match action {
        Action::Failed => format!(
            "We have stopped trying for {those}. Any other recipient of the message is not affected. \
             If it still matters, correct what is said above and send the message again."
        ),
        Action::Delayed { until_seconds } => format!(
            "We go on trying for {those} until {}. You need not send the message again.",
            date::rfc5322(until_seconds)
        ),
        Action::Delivered => String::new(),
        Action::Relayed => {
            "That server has taken responsibility for it. It cannot be asked to tell you of the delivery.".to_owned()
        }
    }
}

/// The text, CRLF line ends. `is_whole`: all of the message comes with it.
pub(super) fn compose(notification: &Notification<'_>, is_whole: bool) -> String {
    let Notification { hostname, original, recipients, action, .. } = notification;
    let Words { first, whom, .. } = words_of(*action);
    let subject = subject(notification.header);
    let mut text = format!("{}\r\n", paragraph("", first));
    if !subject.is_empty() {
        text.push_str(&paragraph("", &format!("Subject: {subject}")));
    }
    let _ = write!(text, "Sent: {}\r\n\r\n", date::rfc5322(notification.arrived_seconds));
    let _ = write!(text, "{whom}\r\n");
    for recipient in *recipients {
        text.push_str(&about(recipient));
    }
    text.push_str("\r\n");
    let returned = if is_whole { "your message" } else { "the header of your message" };
    let attached = format!("Details for your administrator and {returned} are attached.");
    for words in [consequence(*action, recipients.len()), attached] {
        if !words.is_empty() {
            let _ = write!(text, "{}\r\n", paragraph("", &words));
        }
    }
    let _ = write!(text, "The mail relay at {hostname}\r\nMessage {original}\r\n");
    text
}

fn subject(header: &[u8]) -> String {
    let field = fields(header).find(|field| field.is("Subject"));
    field.map(|field| words::decode(&field.unfolded(), SUBJECT_CHARACTERS_MAX)).unwrap_or_default()
}

fn about(reported: &ReportedRecipient) -> String {
    let clean = |text: &str| one_line(text, true);
    let mut text = format!("\r\n  {}\r\n", clean(&reported.address));
    text.push_str(&paragraph("    ", &clean(&reported.reason)));
    if let Some(reply) = &reported.remote_reply {
        let who = match reported.remote_host.as_deref().filter(|host| !host.is_empty()) {
            Some(host) => format!("The server {}", clean(host)),
            None => "The other server".to_owned(),
        };
        text.push_str(&paragraph("    ", &format!("{who} answered: {}", clean(reply))));
    }
    text
}

/// Words on lines of bearable length, each line after `indent`; nothing for no words.
fn paragraph(indent: &str, words: &str) -> String {
    let lines = wrap(words, LINE_CHARACTERS_MAX - indent.len(), LINE_CHARACTERS_MAX - indent.len());
    lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{indent}{line}\r\n")).collect()
}

/// A field folded at its spaces, without the last line end.
pub(super) fn fold(name: &str, value: &str) -> String {
    let first = LINE_CHARACTERS_MAX.saturating_sub(name.len() + 1);
    format!("{name} {}", wrap(value, first, LINE_CHARACTERS_MAX).join("\r\n\t"))
}

fn wrap(words: &str, first_max: usize, next_max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let letters: Vec<char> = word.chars().collect();
        for word in letters.chunks(WORD_CHARACTERS_MAX) {
            let max = if lines.len() == 1 { first_max } else { next_max };
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.extend(word),
                Some(line) if line.chars().count() + 1 + word.len() <= max => {
                    line.push(' ');
                    line.extend(word);
                }
                _ => lines.push(word.iter().collect()),
            }
        }
    }
    lines
}
