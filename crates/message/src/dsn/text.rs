//! What a DSN says to people, in plain English, and the folding of lines.

use std::fmt::Write as _;

use super::{FailedRecipient, Notification, one_line};
use crate::admission::SUBJECT_CHARACTERS_MAX;
use crate::header::fields;
use crate::{date, words};

/// Characters of a line for people.
const LINE_CHARACTERS_MAX: usize = 72;

/// Characters of a word before it is cut: a stranger's reply must not make a line too long for 7-bit.
const WORD_CHARACTERS_MAX: usize = 200;

/// The text, CRLF line ends.
pub(super) fn compose(notification: &Notification<'_>) -> String {
    let Notification { hostname, original, failed, .. } = notification;
    let subject = subject(notification.header);
    let mut text = String::from("Your message could not be delivered.\r\n\r\n");
    if !subject.is_empty() {
        text.push_str(&paragraph("", &format!("Subject: {subject}")));
    }
    let _ = write!(text, "Sent: {}\r\n\r\n", date::rfc5322(notification.arrived_seconds));
    text.push_str("It did not reach:\r\n");
    for recipient in *failed {
        text.push_str(&about(recipient));
    }
    let those = if failed.len() == 1 { "this address" } else { "these addresses" };
    text.push_str("\r\n");
    text.push_str(&paragraph(
        "",
        &format!(
            "We have stopped trying for {those}. Any other recipient of the message is not affected. \
             If it still matters, correct what is said above and send the message again."
        ),
    ));
    text.push_str("\r\n");
    text.push_str(&paragraph("", "Details for your administrator and the header of your message are attached."));
    let _ = write!(text, "\r\nThe mail relay at {hostname}\r\nMessage {original}\r\n");
    text
}

fn subject(header: &[u8]) -> String {
    let field = fields(header).find(|field| field.is("Subject"));
    field.map(|field| words::decode(&field.unfolded(), SUBJECT_CHARACTERS_MAX)).unwrap_or_default()
}

fn about(failed: &FailedRecipient) -> String {
    let clean = |text: &str| one_line(text, true);
    let mut text = format!("\r\n  {}\r\n", clean(&failed.address));
    text.push_str(&paragraph("    ", &clean(&failed.reason)));
    if let Some(reply) = &failed.remote_reply {
        let who = match failed.remote_host.as_deref().filter(|host| !host.is_empty()) {
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
