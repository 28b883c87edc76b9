//! Admission: what a submission's content becomes before we take responsibility (RFC 6409 §8).
//!
//! `Bcc`, `Resent-Bcc` and `Return-Path` go; Received, and where missing Date and Message-ID, come in
//! front, as do the fields of RFC 8058 where they are wanted and the message has none of its own; the rest
//! passes as it is. The header section is held until its end, the body is only lent.
//!
//! Two repairs keep the fields in front part of the header, whoever reads it next. Where a line that
//! is no field follows the header section without an empty line, or there is no header at all, the
//! empty line is put in. An mbox separator (`From ` without colon) before the first field is left out.

use aws_lc_rs::digest;
use bytes::Bytes;
use std::fmt::Write as _;

use crate::header::{Line, fields};
use crate::{date, mailbox, message_id, received, words};

/// What goes in front, decided by the caller, who has the clock and the dice.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Our name, after `by`.
    pub hostname: String,
    /// The session's id, after `from`: it stands for the client, whose address and name stay private.
    pub session: String,
    /// `ESMTPSA`, … (RFC 3848).
    pub protocol: &'static str,
    /// The message's id, after `id`; also the left side of a Message-ID we add.
    pub message: String,
    /// The recipient, where there is exactly one (never name one of several: Bcc).
    pub recipient: Option<String>,
    /// The priority that MAIL asked for, where it did (RFC 6710 §4.1).
    pub priority: Option<i8>,
    /// Seconds since 1970, UTC.
    pub seconds: u64,
    /// The right side of a Message-ID we add.
    pub domain: String,
    /// Where the recipient unsubscribes with one click (RFC 8058), an `https` address: told in the header where the
    /// message says nothing of that itself. None: not at all.
    pub unsubscribe: Option<String>,
}

/// A message that was admitted before, which the one that comes may be once more.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// By what its front was made.
    pub stamp: Stamp,
    /// Octets of its header section as admitted, empty line included.
    pub header_octets: u64,
    /// SHA-256 of it as admitted.
    pub sha256: [u8; 32],
}

/// Finds the message with this Message-ID that the one which comes may be once more.
pub type Recall = Box<dyn FnOnce(&str) -> Option<Earlier> + Send>;

/// Why content cannot be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// A NUL octet.
    #[error("the content has a NUL octet")]
    Nul,
    /// More than 100 Received fields: a loop.
    #[error("more than 100 Received fields")]
    Loop,
    /// The header section is longer than we hold in memory.
    #[error("the header section is over {HEADER_OCTETS_MAX} octets")]
    HeaderTooLong,
}

/// The longest header section, in octets.
pub const HEADER_OCTETS_MAX: usize = 256 * 1024;

/// Received fields past which a message is taken to run in a circle (RFC 5321 §6.3).
pub const RECEIVED_MAX: usize = 100;

/// Characters kept of a Subject.
pub const SUBJECT_CHARACTERS_MAX: usize = 200;

/// What List-Unsubscribe-Post says, and what is sent to unsubscribe (RFC 8058 §3.1, §3.2).
pub const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// Fields that are the client's own business and never leave: blind copies, and the path's trace.
const REMOVED: [&str; 3] = ["Bcc", "Resent-Bcc", "Return-Path"];

/// Octets hashed and searched at a time, so that the second look finds them in the cache.
const WINDOW_OCTETS: usize = 16 * 1024;

/// The From field of an admitted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// One field with one mailbox: its `local@domain`, domain in lower case.
    One(String),
    /// None.
    Missing,
    /// Several fields, several mailboxes, or none that can be read.
    Several,
}

/// What was read while admitting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Octets of the admitted content.
    pub octets: u64,
    /// Octets of its header section, empty line included.
    pub header_octets: u64,
    /// SHA-256 of the admitted content.
    pub sha256: [u8; 32],
    /// From.
    pub from: From,
    /// Subject, encoded words decoded, at most 200 characters.
    pub subject: String,
    /// Message-ID with angle brackets, the client's or ours. Empty where the client's is.
    pub message_id: String,
    /// Octets above 127 in the header section.
    pub header_eight_bit: bool,
    /// Octets above 127 in the body.
    pub body_eight_bit: bool,
    /// One field `TLS-Required`, and it says `No` (RFC 8689 §3).
    pub waives_tls: bool,
    /// The id of the earlier message ([`Admission::recalling`]) that was sent with the very same content.
    pub repeats: Option<String>,
}

/// Admits one message, chunk by chunk.
pub struct Admission {
    stamp: Stamp,
    header: HeaderBuffer,
    in_body: bool,
    failed: Option<AdmissionError>,
    digest: digest::Context,
    inspection: Inspection,
    recall: Option<Recall>,
    comparison: Option<Comparison>,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Admission { stamp, in_body, failed, inspection, .. } = self;
        let mut output = f.debug_struct("Admission");
        output.field("stamp", stamp).field("in_body", in_body).field("failed", failed);
        output.field("inspection", inspection).finish_non_exhaustive()
    }
}

impl Admission {
    /// Begins.
    pub fn new(stamp: Stamp) -> Self {
        Admission {
            stamp,
            header: HeaderBuffer::default(),
            in_body: false,
            failed: None,
            digest: digest::Context::new(&digest::SHA256),
            inspection: Inspection {
                octets: 0,
                header_octets: 0,
                sha256: [0; 32],
                from: From::Missing,
                subject: String::new(),
                message_id: String::new(),
                header_eight_bit: false,
                body_eight_bit: false,
                waives_tls: false,
                repeats: None,
            },
            recall: None,
            comparison: None,
        }
    }

    /// The same, which says whether the content is that of an earlier message.
    #[must_use]
    pub fn recalling(self, recall: Option<Recall>) -> Self {
        Admission { recall, ..self }
    }

    /// Takes received octets (line ends already CRLF) and returns the admitted octets that are ready.
    ///
    /// # Errors
    /// The message cannot be admitted; further octets may be thrown away.
    pub fn on_content(&mut self, octets: Bytes) -> Result<Vec<Bytes>, AdmissionError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.take(octets).inspect_err(|error| self.failed = Some(*error))
    }

    fn take(&mut self, octets: Bytes) -> Result<Vec<Bytes>, AdmissionError> {
        let mut ready = Vec::new();
        let mut body = octets;
        if !self.in_body {
            let Some(used) = self.header.take(&body)? else { return Ok(ready) };
            body = body.slice(used..);
            self.end_header(&mut ready)?;
        }
        if !body.is_empty() {
            self.look(&body)?;
            ready.push(body);
        }
        Ok(ready)
    }

    /// The content ended: the last admitted octets, and what was read.
    ///
    /// # Errors
    /// As [`Admission::on_content`].
    pub fn finish(mut self) -> Result<(Vec<Bytes>, Inspection), AdmissionError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut ready = Vec::new();
        if !self.in_body {
            self.header.finish();
            self.end_header(&mut ready)?;
        }
        self.inspection.sha256.copy_from_slice(self.digest.finish().as_ref());
        self.inspection.repeats = self.comparison.and_then(Comparison::end);
        Ok((ready, self.inspection))
    }

    /// The header section is whole: writes it, and whatever of the body was held with it.
    fn end_header(&mut self, ready: &mut Vec<Bytes>) -> Result<(), AdmissionError> {
        self.in_body = true;
        let HeaderBuffer { octets, end, .. } = std::mem::take(&mut self.header);
        let (section, body) = octets.split_at(end);
        if memchr::memchr(0, section).is_some() {
            return Err(AdmissionError::Nul);
        }
        let header = Header::read(section, !body.is_empty())?;
        let (front, message_id) = header.front(&self.stamp);
        let earlier = self.recall.take().filter(|_| header.is_named()).and_then(|recall| recall(&message_id));
        self.comparison = earlier.and_then(|earlier| Comparison::begin(earlier, &header));
        let admitted = header.admitted(front, message_id, &mut self.inspection);
        self.digest.update(&admitted);
        self.inspection.header_octets = admitted.len() as u64;
        self.inspection.octets = admitted.len() as u64;
        ready.push(admitted.into());
        if !body.is_empty() {
            self.look(body)?;
            ready.push(Bytes::copy_from_slice(body));
        }
        Ok(())
    }

    /// Hashes and searches octets of the body.
    fn look(&mut self, body: &[u8]) -> Result<(), AdmissionError> {
        for window in body.chunks(WINDOW_OCTETS) {
            if memchr::memchr(0, window).is_some() {
                return Err(AdmissionError::Nul);
            }
            self.inspection.body_eight_bit = self.inspection.body_eight_bit || !window.is_ascii();
            self.digest.update(window);
            if let Some(comparison) = &mut self.comparison {
                comparison.digest.update(window);
            }
        }
        self.inspection.octets += body.len() as u64;
        Ok(())
    }
}

/// Holds received octets until the header section has ended.
#[derive(Debug, Default)]
struct HeaderBuffer {
    octets: Vec<u8>,
    /// Where the line begins that is not whole yet.
    line: usize,
    /// Where the section ended, its empty line included; octets after it are the body's.
    end: usize,
    /// An mbox separator was left out: there is one at most.
    separated: bool,
}

impl HeaderBuffer {
    /// Takes lines up to the end of the section; says how many octets were used, once it is there.
    fn take(&mut self, octets: &[u8]) -> Result<Option<usize>, AdmissionError> {
        let mut used = 0;
        while used < octets.len() {
            let rest = &octets[used..];
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |feed| feed + 1);
            if self.octets.len() + length > HEADER_OCTETS_MAX {
                return Err(AdmissionError::HeaderTooLong);
            }
            self.octets.extend_from_slice(&rest[..length]);
            used += length;
            if self.octets.ends_with(b"\n") && self.line_ends_section() {
                return Ok(Some(used));
            }
        }
        Ok(None)
    }

    /// The content ended inside the section: judges a last line that has no line end.
    fn finish(&mut self) {
        if self.line < self.octets.len() && self.line_ends_section() {
            return;
        }
        self.end = self.octets.len();
    }

    /// Judges the line that was just completed.
    fn line_ends_section(&mut self) -> bool {
        let start = std::mem::replace(&mut self.line, self.octets.len());
        let line = &self.octets[start..];
        match Line::of(line) {
            Line::Field => false,
            Line::Continuation if start > 0 => false,
            Line::Empty => {
                self.end = self.octets.len();
                true
            }
            Line::Other if start == 0 && !self.separated && is_mbox_separator(line) => {
                self.octets.clear();
                self.line = 0;
                self.separated = true;
                false
            }
            Line::Continuation | Line::Other => {
                self.end = start;
                true
            }
        }
    }
}

fn is_mbox_separator(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// A received header section without what never leaves, and what it said.
struct Header {
    kept: Vec<u8>,
    seen: Seen,
}

/// What the fields of a header section said.
#[derive(Default)]
struct Seen {
    received: usize,
    date: bool,
    message_id: Option<String>,
    subject: Option<String>,
    from: Option<From>,
    waives_tls: Option<bool>,
    unsubscribe: bool,
}

impl Header {
    fn read(section: &[u8], body_begins: bool) -> Result<Header, AdmissionError> {
        let mut kept = Vec::with_capacity(section.len());
        let mut seen = Seen::default();
        let mut used = 0;
        for field in fields(section) {
            used += field.octets.len();
            if REMOVED.iter().any(|name| field.is(name)) {
                continue;
            }
            kept.extend_from_slice(field.octets);
            if field.is("Received") {
                seen.received += 1;
            } else if field.is("Date") {
                seen.date = true;
            } else if field.is("Message-ID") {
                seen.message_id.get_or_insert_with(|| message_id::read(field.value));
            } else if field.is("Subject") {
                seen.subject.get_or_insert_with(|| words::decode(&field.unfolded(), SUBJECT_CHARACTERS_MAX));
            } else if field.is("TLS-Required") {
                // of several none counts
                let waives = field.unfolded().trim_ascii().eq_ignore_ascii_case(b"no");
                seen.waives_tls = Some(waives && seen.waives_tls.is_none());
            } else if field.is("From") {
                seen.from = Some(if seen.from.is_none() { from(field.value) } else { From::Several });
            } else if field.is("List-Unsubscribe") || field.is("List-Unsubscribe-Post") {
                seen.unsubscribe = true;
            }
        }
        if seen.received > RECEIVED_MAX {
            return Err(AdmissionError::Loop);
        }
        kept.extend_from_slice(&section[used..]);
        let has_empty_line = section.len() > used;
        if body_begins && !has_empty_line {
            kept.extend_from_slice(b"\r\n");
        }
        Ok(Header { kept, seen })
    }

    /// Whether the client gave the message a name.
    fn is_named(&self) -> bool {
        self.seen.message_id.as_ref().is_some_and(|name| !name.is_empty())
    }

    /// What comes in front of it with this stamp, and the Message-ID that it has or gets.
    fn front(&self, stamp: &Stamp) -> (String, String) {
        let mut front = received::field(stamp);
        if !self.seen.date {
            let _ = write!(front, "Date: {}\r\n", date::rfc5322(stamp.seconds));
        }
        let message_id = self.seen.message_id.clone().unwrap_or_else(|| {
            let made = message_id::make(&stamp.message, &stamp.domain, &stamp.hostname);
            let _ = write!(front, "Message-ID: {made}\r\n");
            made
        });
        if let Some(link) = stamp.unsubscribe.as_deref().filter(|_| !self.seen.unsubscribe) {
            let _ = write!(front, "List-Unsubscribe: <{link}>\r\nList-Unsubscribe-Post: {ONE_CLICK}\r\n");
        }
        (front, message_id)
    }

    /// The admitted header section, and what there is to read in it.
    fn admitted(mut self, front: String, message_id: String, inspection: &mut Inspection) -> Vec<u8> {
        inspection.from = self.seen.from.unwrap_or(From::Missing);
        inspection.subject = self.seen.subject.unwrap_or_default();
        inspection.waives_tls = self.seen.waives_tls.unwrap_or_default();
        inspection.message_id = message_id;
        let mut admitted = front.into_bytes();
        admitted.append(&mut self.kept);
        inspection.header_eight_bit = !admitted.is_ascii();
        admitted
    }
}

/// The content as it would have been admitted when the earlier message was, hashed: where that was sent with the very same content,
/// the hash is its own. So nothing more is kept of a message than is shown of it anyway.
struct Comparison {
    earlier: Earlier,
    digest: digest::Context,
}

impl Comparison {
    /// None where it cannot be the same.
    fn begin(earlier: Earlier, header: &Header) -> Option<Comparison> {
        let (front, _) = header.front(&earlier.stamp);
        let octets = (front.len() + header.kept.len()) as u64;
        if octets != earlier.header_octets {
            return None;
        }
        let mut digest = digest::Context::new(&digest::SHA256);
        digest.update(front.as_bytes());
        digest.update(&header.kept);
        Some(Comparison { earlier, digest })
    }

    /// The id of the earlier message, where it was the same.
    fn end(self) -> Option<String> {
        (self.digest.finish().as_ref() == self.earlier.sha256).then_some(self.earlier.stamp.message)
    }
}

fn from(value: &[u8]) -> From {
    match mailbox::mailboxes(value).as_deref() {
        Ok([mailbox::Mailbox(address)]) => From::One(address.clone()),
        _ => From::Several,
    }
}

#[cfg(test)]
mod tests;
