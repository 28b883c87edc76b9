//! Aggregate reports on mail with a domain's name in From (RFC 7489 §7.2 and appendix C, RFC 9990): the message that brings one, its
//! attachment, and what stands in it.
//!
//! All of it is written by strangers. It is read in bounded room, and what it says is no more than their word.

mod elements;
mod opened;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::IpAddr;

use crate::mime::{Part, Parts};
use crate::words;
use elements::{Elements, Event};

/// Rows of a report that differ and are told apart; of further ones the messages are counted alone.
pub const ROWS_MAX: usize = 5_000;
/// The most messages of one row that are believed.
pub const MESSAGES_MAX: u64 = 1_000_000_000;
/// Characters of a name or an id.
pub const CHARACTERS_MAX: usize = 200;
/// Octets of a domain (RFC 1035 §2.3.4).
const DOMAIN_OCTETS_MAX: usize = 253;
/// Attachments of a message that are looked at: a report is in one (RFC 7489 §7.2.1.1).
const ATTACHMENTS_MAX: usize = 4;

/// Why there is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing in the message is of a form that reports have.
    #[error("there is no report in it")]
    Missing,
    /// What is compressed cannot be opened.
    #[error("its attachment is damaged")]
    Damaged,
    /// Opened, it is larger than it may be.
    #[error("its attachment is too large once it is opened")]
    TooLarge,
    /// It is no XML, or more than reports need of that.
    #[error("its attachment is no XML that is taken here")]
    Markup,
    /// It is not a report of this kind, or does not say of what or from whom.
    #[error("its attachment is no report on DMARC, or lacks what tells it apart")]
    Incomplete,
}

/// What a receiver did with mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// It was delivered as ever, or nothing else is said.
    #[default]
    None,
    /// It was put aside.
    Quarantine,
    /// It was refused.
    Reject,
}

/// Messages that one source sent with a name in From, of which a receiver made the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The address they came from.
    pub source: IpAddr,
    /// The domain in From, in small letters.
    pub from: String,
    /// Whether a signature of that domain was right (aligned DKIM).
    pub dkim: bool,
    /// Whether the source may send for that domain's return-path (aligned SPF).
    pub spf: bool,
    /// What became of them.
    pub disposition: Disposition,
    /// How many.
    pub messages: u64,
}

/// One report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aggregate {
    /// Who reports.
    pub reporter: String,
    /// Its own name for this report.
    pub id: String,
    /// The begin of the time it is about, seconds since 1970.
    pub begins_seconds: u64,
    /// Its end.
    pub ends_seconds: u64,
    /// Whose policy was looked at, in small letters.
    pub domain: String,
    /// What that asked for, as the reporter read it: `none`, `quarantine`, `reject`.
    pub policy: String,
    /// What was seen, each kind of row once.
    pub rows: Vec<Row>,
    /// Messages of rows beyond [`ROWS_MAX`].
    pub left_out: u64,
}

/// Finds and reads the report that a whole message brings. Its attachment may have so many octets once it is opened.
///
/// # Errors
/// There is none that can be read: sent again it would be no other.
pub fn read(content: &[u8], octets_max: u64) -> Result<Aggregate, Fault> {
    let parts = Parts::of(content);
    let is_text = |part: &&Part<'_>| {
        ["text/plain", "text/html"].contains(&part.media_type.as_str()) || part.media_type.starts_with("message/")
    };
    let mut fault = Fault::Missing;
    for part in parts.parts.iter().filter(|part| !is_text(part)).take(ATTACHMENTS_MAX) {
        match read_attachment(&part.decoded(), octets_max) {
            Ok(report) => return Ok(report),
            Err(Fault::Missing) => {}
            Err(other) => fault = other,
        }
    }
    Err(fault)
}

/// Reads the report in an attachment: in gzip, in zip, or as it is.
///
/// # Errors
/// As of [`read`].
pub fn read_attachment(attachment: &[u8], octets_max: u64) -> Result<Aggregate, Fault> {
    let document = opened::open(attachment, octets_max).ok_or(Fault::Missing)?;
    let mut elements = Elements::of(BufReader::new(document));
    let mut reading = Reading::default();
    while let Some(event) = elements.next()? {
        match event {
            Event::Begin if elements.path()[0] != "feedback" => return Err(Fault::Incomplete),
            Event::Begin => {}
            Event::End(name, text) => {
                let above = elements.path();
                reading.end(above.len(), above.last().map_or("", String::as_str), &name, &text);
            }
        }
    }
    reading.done()
}

/// A record as far as it was read.
#[derive(Default)]
struct Record {
    source: Option<IpAddr>,
    messages: Option<u64>,
    from: String,
    dkim: bool,
    spf: bool,
    disposition: Disposition,
}

type Kind = (IpAddr, String, bool, bool, Disposition);

/// A report as far as it was read.
#[derive(Default)]
struct Reading {
    report: Aggregate,
    contact: String,
    begins: Option<u64>,
    record: Record,
    rows: BTreeMap<Kind, u64>,
}

impl Reading {
    /// An element ends, so deep below another.
    fn end(&mut self, depth: usize, above: &str, name: &str, text: &str) {
        let (report, record) = (&mut self.report, &mut self.record);
        match (depth, above, name) {
            (2, "report_metadata", "org_name") => report.reporter = one_line(text),
            (2, "report_metadata", "email") => self.contact = one_line(text),
            (2, "report_metadata", "report_id") => report.id = one_line(text),
            (3, "date_range", "begin") => self.begins = number(text),
            (3, "date_range", "end") => report.ends_seconds = number(text).unwrap_or_default(),
            (2, "policy_published", "domain") => report.domain = domain(text),
            (2, "policy_published", "p") => report.policy = one_line(&text.to_ascii_lowercase()),
            (3, "row", "source_ip") => record.source = text.parse().ok().map(|ip: IpAddr| ip.to_canonical()),
            (3, "row", "count") => record.messages = number(text),
            (4, "policy_evaluated", "disposition") => record.disposition = disposition(text),
            (4, "policy_evaluated", "dkim") => record.dkim = text.eq_ignore_ascii_case("pass"),
            (4, "policy_evaluated", "spf") => record.spf = text.eq_ignore_ascii_case("pass"),
            (3, "identifiers", "header_from") => record.from = domain(text),
            (1, "feedback", "record") => self.count(),
            _ => {}
        }
    }

    /// Counts a record that is whole; one that does not say of what is none.
    fn count(&mut self) {
        let Record { source, messages, from, dkim, spf, disposition } = std::mem::take(&mut self.record);
        let (Some(source), Some(messages)) = (source, messages) else { return };
        let messages = messages.min(MESSAGES_MAX);
        let kind = (source, from, dkim, spf, disposition);
        let sum = if self.rows.len() < ROWS_MAX || self.rows.contains_key(&kind) {
            self.rows.entry(kind).or_default()
        } else {
            &mut self.report.left_out
        };
        *sum = sum.saturating_add(messages).min(MESSAGES_MAX);
    }

    fn done(self) -> Result<Aggregate, Fault> {
        let Reading { mut report, contact, begins, rows, .. } = self;
        if report.reporter.is_empty() {
            report.reporter = contact;
        }
        report.begins_seconds = begins.ok_or(Fault::Incomplete)?;
        if report.reporter.is_empty() || report.id.is_empty() || report.domain.is_empty() {
            return Err(Fault::Incomplete);
        }
        let row =
            |((source, from, dkim, spf, disposition), messages)| Row { source, from, dkim, spf, disposition, messages };
        report.rows = rows.into_iter().map(row).collect();
        Ok(report)
    }
}

fn disposition(text: &str) -> Disposition {
    match text.to_ascii_lowercase().as_str() {
        "quarantine" => Disposition::Quarantine,
        "reject" => Disposition::Reject,
        _ => Disposition::None,
    }
}

/// A whole number; of one that is longer than numbers are, the highest. Some write a fraction behind, which says nothing.
fn number(text: &str) -> Option<u64> {
    let digits = text.split('.').next().unwrap_or_default();
    let is_one = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    is_one.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// A domain in small letters; empty where it is none that DNS could have.
fn domain(text: &str) -> String {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let is_one = name.len() <= DOMAIN_OCTETS_MAX && name.bytes().all(is_letter);
    if is_one { name } else { String::new() }
}

/// A text on one harmless line.
fn one_line(text: &str) -> String {
    words::one_line(text, CHARACTERS_MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
