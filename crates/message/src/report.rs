//! What other servers, and people's mail programs, send to the address that mail went out with: delivery status notifications
//! (RFC 3464) and the many that are not, complaints (RFC 5965), automatic answers (RFC 3834).
//!
//! All of it is written by strangers. It is read in bounded room, nothing of it is believed beyond what it says, and what
//! cannot be told stays untold.

mod automatic;
mod complaint;
mod status;
mod text;

use crate::header::{Field, fields, section_octets};
use crate::mime::{Part, Parts};
use crate::words;

/// Recipients of one report that are looked at.
pub const RECIPIENTS_MAX: usize = 100;
/// Addresses of one complaint that are looked at.
pub const ADDRESSES_MAX: usize = 20;
/// Characters of anything that is kept of a report.
const CHARACTERS_MAX: usize = 500;
/// Octets of a text that are looked through.
const TEXT_OCTETS_MAX: usize = 64 * 1024;

/// What a report was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It tells what became of recipients; never empty.
    Status(Vec<Told>),
    /// Somebody says that they did not want the mail.
    Complaint(Complaint),
    /// Written by a program in somebody's absence, or to confirm: nothing became of anything.
    Automatic,
    /// None of these.
    Unknown,
}

/// What became of a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It could not be delivered.
    Failed,
    /// It was not delivered yet.
    Delayed,
    /// It was delivered.
    Delivered,
    /// It was handed to a server that reports nothing.
    Relayed,
    /// It was handed on to several.
    Expanded,
}

/// What is told of one recipient, or of one that is not named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What became of it.
    pub action: Action,
    /// Its address where the report was made; none where it is not named.
    pub recipient: Option<String>,
    /// The address that we sent to, where that is said.
    pub original: Option<String>,
    /// `class.subject.detail`, as it is written; none where it is not.
    pub status: Option<String>,
    /// The words of the server that refused it; empty where there are none.
    pub diagnostic: String,
    /// That server; empty where it is not said.
    pub server: String,
}

impl Told {
    fn failed(recipient: Option<String>, diagnostic: String) -> Told {
        let status = text::status_in(&diagnostic);
        Told { action: Action::Failed, recipient, original: None, status, diagnostic, server: String::new() }
    }
}

/// A complaint (RFC 5965).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// Its Feedback-Type in small letters: `abuse`, `fraud`, …
    pub kind: String,
    /// Whose complaint it is, where that is said.
    pub recipients: Vec<String>,
    /// Addresses that the mail may have gone out with, the likeliest first.
    pub return_paths: Vec<String>,
    /// The program that wrote it; empty where it is not said.
    pub program: String,
}

/// The code of a refusal in the words of a server.
pub fn code_of(diagnostic: &str) -> Option<u16> {
    text::code_in(diagnostic)
}

/// Reads a whole message. `is_null` says that it came from nobody (`MAIL FROM:<>`), as reports have to (RFC 3464 §2).
pub fn read(content: &[u8], is_null: bool) -> Reading {
    let parts = Parts::of(content);
    let of_type = |kinds: &[&str]| parts.parts.iter().find(|part| kinds.contains(&part.media_type.as_str()));
    if let Some(part) = of_type(&["message/delivery-status", "message/global-delivery-status"]) {
        let told = status::read(&cut(part.decoded()));
        if !told.is_empty() {
            return Reading::Status(told);
        }
    }
    if let Some(part) = of_type(&["message/feedback-report"]) {
        let returned = of_type(&["message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"]);
        return complaint::read(&cut(part.decoded()), &returned.map(|part| cut(part.decoded())).unwrap_or_default())
            .map_or(Reading::Unknown, Reading::Complaint);
    }
    let header = Header::of(content);
    let text = body(&parts);
    if let Some(told) = text::of_known_programs(&header, &text) {
        return Reading::Status(told);
    }
    if automatic::is_answer(&header) {
        return Reading::Automatic;
    }
    match text::of_others(&header, &text, is_null) {
        Some(told) => Reading::Status(told),
        None => Reading::Unknown,
    }
}

/// The text that people would read: plain where there is some.
fn body(parts: &Parts<'_>) -> String {
    let whole = |part: &Part<'_>| part.text(TEXT_OCTETS_MAX).0;
    match (parts.text(), parts.html()) {
        (Some(text), _) => whole(text),
        (None, Some(html)) => text::without_marks(&whole(html)),
        (None, None) => String::new(),
    }
}

fn cut(mut octets: Vec<u8>) -> Vec<u8> {
    octets.truncate(TEXT_OCTETS_MAX);
    octets
}

/// The header section of a message.
struct Header<'a>(&'a [u8]);

impl<'a> Header<'a> {
    fn of(content: &'a [u8]) -> Header<'a> {
        let section = &content[..section_octets(content)];
        Header(&section[..section.len().min(TEXT_OCTETS_MAX)])
    }

    /// The first field of a name, decoded; empty where there is none.
    fn value(&self, name: &str) -> String {
        fields(self.0).find(|field| field.is(name)).map(|field| clean(&field)).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        fields(self.0).any(|field| field.is(name))
    }

    /// The same in small letters.
    fn small(&self, name: &str) -> String {
        self.value(name).to_lowercase()
    }
}

/// A field's value on one harmless line.
fn clean(field: &Field<'_>) -> String {
    one_line(&words::decode(&field.unfolded(), CHARACTERS_MAX))
}

/// A text on one harmless line.
fn one_line(text: &str) -> String {
    words::one_line(text, CHARACTERS_MAX)
}

/// An address without its angle brackets and whatever stands around it; none where there is none.
fn address(text: &str) -> Option<String> {
    let inner = match (text.rfind('<'), text.rfind('>')) {
        (Some(begin), Some(end)) if begin < end => &text[begin + 1..end],
        _ => text,
    };
    let inner = inner.trim().trim_matches(['"', '\'', ';', ',', ':', '(', ')']);
    let (local, domain) = inner.rsplit_once('@')?;
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    let is_one = !local.is_empty() && domain.contains('.') && !inner.contains(is_odd);
    (is_one && inner.len() <= 254).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests;
