//! Mail that is ours: the envelope kept with the content, and what becomes of each recipient.

use serde::{Deserialize, Serialize};
use smtp::address::{Address, ReversePath};
use smtp::client::RequireTls;
use smtp::envelope::RcptParameters;
use std::net::IpAddr;
use std::time::Duration;

use crate::account::Account;
use crate::clock::{Day, Timestamp};
use crate::id::{Id, MessageId, SessionId};
use crate::notification::Requests;
use crate::outcome::Class;
use crate::priority::Priority;
use crate::sending_domain::SendingDomain;
use crate::smtp_user::SmtpUser;

/// Everything kept about an accepted message besides its content. Never changes after `commit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its id, as told to the client.
    pub message: MessageId,
    /// Whose it is.
    pub account: Id<Account>,
    /// The SMTP user that sent it; none on mail the relay wrote itself.
    pub user: Option<Id<SmtpUser>>,
    /// The sending domain; none on mail the relay wrote itself.
    pub domain: Option<Id<SendingDomain>>,
    /// Why it exists.
    pub origin: Origin,
    /// Where failures are told.
    pub reverse_path: ReversePath,
    /// Recipients to deliver to; a recipient's number is its place here.
    pub recipients: Vec<Address>,
    /// Recipients answered 250 and not delivered to, because the account suppressed them.
    pub suppressed: Vec<Address>,
    /// The next hop must have SMTPUTF8 whatever the addresses, because a header field really has non-ASCII.
    pub header_needs_smtputf8: bool,
    /// The next hop must have 8BITMIME, because the content has octets above 127.
    pub needs_eight_bit: bool,
    /// When we took responsibility.
    pub accepted_at: Timestamp,
    /// By how many days the date in its account's time zone was ahead of that in UTC then: -1, 0 or 1.
    pub days_ahead: i8,
    /// How long to retry, where the SMTP user says so.
    pub retry_for: Option<Duration>,
    /// Capture instead of sending.
    pub sandbox: bool,
    /// What was read of the content.
    pub facts: ContentFacts,
    /// The session it came from; none on mail the relay wrote itself.
    pub session: Option<SessionFacts>,
    /// What the client asked about notifications (RFC 3461); none where it asked nothing.
    pub requests: Option<Box<Requests>>,
    /// What the sender wants of TLS on the whole way.
    pub tls_wish: TlsWish,
    /// How urgent it is.
    pub priority: Priority,
}

impl Envelope {
    /// The day that its recipients count on, now and ever after: the date at acceptance in the account's time zone.
    pub fn day(&self) -> Day {
        self.accepted_at.day().ahead(self.days_ahead)
    }

    /// Whether a transaction that carries it to these of its recipients needs SMTPUTF8 (RFC 6531 §3.1).
    pub fn needs_smtputf8<'a>(&self, recipients: impl IntoIterator<Item = &'a Address>) -> bool {
        let sender_is_ascii = match &self.reverse_path {
            ReversePath::Null => true,
            ReversePath::Mailbox(address) => address.is_ascii(),
        };
        self.header_needs_smtputf8 || !sender_is_ascii || !recipients.into_iter().all(Address::is_ascii)
    }

    /// Whether its transactions say REQUIRETLS. A notification goes out without it, too: it has the header alone of what it
    /// tells of, and nobody would hear of its loss (RFC 8689 §4.4).
    pub fn require_tls(&self) -> RequireTls {
        match (self.tls_wish, &self.reverse_path) {
            (TlsWish::Required, ReversePath::Null) => RequireTls::IfOffered,
            (TlsWish::Required, ReversePath::Mailbox(_)) => RequireTls::Always,
            _ => RequireTls::No,
        }
    }

    /// What is wanted of TLS on its way: nothing of what may go out without it.
    pub fn way_wish(&self) -> TlsWish {
        if self.require_tls() == RequireTls::IfOffered { TlsWish::AsAsked } else { self.tls_wish }
    }

    /// What the client asked about one of its recipients; none where it asked nothing.
    pub fn asked(&self, recipient: u16) -> Option<&RcptParameters> {
        self.requests.as_ref()?.recipients.get(usize::from(recipient))
    }
}

/// What the sender of a message wants of TLS between mail servers (RFC 8689).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TlsWish {
    /// Nothing: what the recipients' domains ask decides.
    #[default]
    AsAsked,
    /// TLS with a certificate that is checked, and a promise of the same from each next hop, or a bounce: REQUIRETLS.
    Required,
    /// That it arrives, though a domain's policy or DANE records ask for more than can be had: the field `TLS-Required: No`.
    Waived,
}

/// Why a message exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An application submitted it.
    Submission,
    /// The relay tells a failure of this other message.
    Notification(MessageId),
}

/// What was read of the admitted content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentFacts {
    /// Octets of the admitted content.
    pub octets: u64,
    /// Octets of its header section, the empty line included.
    pub header_octets: u64,
    /// SHA-256 of the admitted content.
    pub sha256: [u8; 32],
    /// The Subject, decoded, at most 200 characters.
    pub subject: String,
    /// The address in From.
    pub from: String,
    /// The Message-ID, angle brackets included.
    pub message_id: String,
}

impl ContentFacts {
    /// The SHA-256 that the content is held to before it is delivered; none where none was taken, as of a notification of ours.
    pub fn known_sha256(&self) -> Option<&[u8; 32]> {
        Some(&self.sha256).filter(|hash| **hash != [0; 32])
    }
}

/// What stands in the place of a TLS version where a message was handed in over HTTP: no client can say that of itself.
pub const OVER_HTTP: &str = "HTTP";

/// What is shown of the session a message came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFacts {
    /// The session.
    pub session: SessionId,
    /// The client's address.
    pub remote: IpAddr,
    /// Its EHLO or HELO name; over HTTP who asked.
    pub client_name: String,
    /// `TLS 1.3`, …; [`OVER_HTTP`] where there was no session of SMTP.
    pub tls: String,
    /// How long the submission of this message took, milliseconds: from MAIL (over HTTP from when the request was there) until
    /// all of it had come and it was handed to the disk. None: not known, of a refusal or of an earlier version's.
    #[serde(default)]
    pub milliseconds: Option<u64>,
}

/// One recipient's state in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientState {
    /// To be attempted at `due`; `attempts` so far.
    Waiting {
        /// When.
        due: Timestamp,
        /// How many were made.
        attempts: u32,
    },
    /// Not attempted until released.
    Held {
        /// Why.
        reason: HoldReason,
        /// How many were made.
        attempts: u32,
    },
    /// Done.
    Settled,
}

/// Why a message waits for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The operator said so.
    Operator,
    /// Its account is suspended.
    AccountSuspended,
    /// The validation of its domain was lost.
    DomainInvalid,
    /// What was kept of it is damaged on the disk.
    Damaged,
    /// The brake is on of its SMTP user or account.
    Brake,
}

impl HoldReason {
    /// Whether it ends by the operator's word alone; the others end with their cause.
    pub fn is_for_the_operator(self) -> bool {
        matches!(self, HoldReason::Operator | HoldReason::Damaged)
    }

    /// Whether it takes the place of what a recipient is held for already: what is to wait for the operator does not go when
    /// some other cause ends.
    pub fn outlasts(self, other: HoldReason) -> bool {
        self.is_for_the_operator() && !other.is_for_the_operator()
    }
}

/// One delivery attempt of a message to one or more recipients of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub milliseconds: u64,
    /// The next hop's name; empty where none was found, or none was asked.
    pub host: String,
    /// Its address and port, where it was dialled.
    pub remote: Option<std::net::SocketAddr>,
    /// `TLS 1.3`, or `none`.
    pub tls: String,
    /// The source that it was made from, with the address where that is known; none where no sources are configured.
    #[serde(default)]
    pub source: Option<String>,
    /// The other servers that were tried in it, in their order, a bounded number ([`crate::limits::TRIED_HOSTS_MAX`]).
    #[serde(default)]
    pub others: Vec<TriedHost>,
}

impl Attempt {
    /// One in which no server was asked: its mail waits for one that was asked about other mail, or came no further than us. It
    /// counts towards the end of the retry period as any other.
    pub fn unasked(at: Timestamp, source: Option<String>) -> Attempt {
        let (host, tls, others) = (String::new(), "none".to_owned(), Vec::new());
        Attempt { at, milliseconds: 0, host, remote: None, tls, source, others }
    }

    /// The same without the other servers: what is kept of it where many are kept.
    #[must_use]
    pub fn alone(&self) -> Attempt {
        Attempt {
            host: self.host.clone(),
            tls: self.tls.clone(),
            source: self.source.clone(),
            others: Vec::new(),
            ..*self
        }
    }
}

/// A server that was tried in an attempt and did not take the mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedHost {
    /// Its name.
    pub host: String,
    /// Its address and port; none where it was not dialled.
    pub remote: Option<std::net::SocketAddr>,
    /// Of which class the failure is; none where it replied.
    pub class: Option<Class>,
    /// Its reply on one line, cut where it is long; where there was none, why, in English words.
    pub said: String,
}

/// What an attempt, a cancellation or an expiry made of one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The recipient's number in the envelope.
    pub recipient: u16,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Of which class the failure is; none on delivery, of an end that no server caused, and of older ones.
    #[serde(default)]
    pub class: Option<Class>,
    /// In words that a non-expert understands; empty on delivery.
    pub reason: String,
    /// The next hop's own words, code and status first: `550 5.1.1 No such user`.
    pub remote_reply: Option<String>,
}

impl Verdict {
    /// Whether it says that the address itself is bad, so that nothing should be sent to it again (product: suppressions).
    pub fn is_bad_address(&self) -> bool {
        self.outcome == Outcome::HardBounced && self.class.is_some_and(Class::suppresses)
    }
}

/// What becomes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The next hop answered 250, or the sandbox took it.
    Delivered {
        /// It was captured, not sent.
        sandbox: bool,
    },
    /// A temporary error: tried again at `until`.
    Deferred {
        /// When.
        until: Timestamp,
    },
    /// The retry period ended, or a permanent reply of a class that passes.
    SoftBounced,
    /// Failed permanently, or cancelled by a named person.
    HardBounced,
}

impl Outcome {
    /// Whether the recipient leaves the queue.
    pub fn is_final(self) -> bool {
        !matches!(self, Outcome::Deferred { .. })
    }
}

/// The outcome of one attempt, kept in one log record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The message.
    pub message: MessageId,
    /// When it was settled.
    pub at: Timestamp,
    /// The attempt; none for a cancellation or an expiry without one.
    pub attempt: Option<Attempt>,
    /// One entry for each recipient that it concerned.
    pub verdicts: Vec<Verdict>,
}
