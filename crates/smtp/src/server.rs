//! The server's side of a session as a machine without IO (RFC 5321, 4954, 3207, 3030, 1870, 6531, 9422).
//!
//! The driver calls [`Session::step`] with what it has read until it gets [`Step::Read`], carrying
//! out each step in order. While a question stands, no input is looked at: pipelining is right by
//! construction.

use bytes::{Bytes, BytesMut};
use std::time::Duration;

use crate::address::{Address, ReversePath};
use crate::envelope::MailParameters;
use crate::reply::Reply;

/// What a session is held to. The numbers come from `relay::limits`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name in greeting and EHLO.
    pub hostname: String,
    /// Recipients a message may have.
    pub recipients_max: usize,
    /// Octets of content, as sent, dots un-stuffed.
    pub message_octets_max: u64,
    /// Transactions begun on one connection.
    pub messages_max: u32,
    /// Errors of the client before the session is ended.
    pub errors_max: u32,
    /// Failed logins before the session is ended.
    pub authentication_failures_max: u32,
}

/// Whether the bytes travel under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Port 587 before STARTTLS.
    Clear,
    /// After STARTTLS, or port 465.
    Tls,
}

/// A text that prints `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps what must not be printed.
    pub fn new(octets: Vec<u8>) -> Self {
        Secret(octets)
    }

    /// The octets themselves, to be compared and dropped.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// What the driver has to do next.
#[derive(Debug)]
pub enum Step {
    /// Nothing more from what is here: flush replies, read octets, call again.
    Read,
    /// Queue this reply for writing. `about` says what was refused or answered, for activity.
    Send { reply: Reply, about: About },
    /// Decide, then call [`Session::answer`].
    Ask(Question),
    /// Admissible content octets: dots un-stuffed, bare CR and bare LF made CRLF.
    Content(Bytes),
    /// The transaction ended without acceptance: forget its envelope and draft.
    Abandon,
    /// Flush, throw away everything read so far, do the handshake, then call [`Session::on_tls`].
    StartTls,
    /// Flush and close the connection.
    Close,
}

/// What a reply is about, as far as the machine knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The session or command in general.
    Session,
    /// A login: the username as sent, where it could be read. The secret was dropped.
    Username(String),
    /// A reverse-path, as sent.
    Sender(String),
    /// A forward-path, as sent.
    Recipient(String),
    /// The content of the transaction.
    Content,
}

/// A question of the machine, in the order of the dialogue.
#[derive(Clone, Debug)]
pub enum Question {
    /// AUTH gave these credentials.
    Authenticate { username: String, secret: Secret },
    /// MAIL FROM.
    ReversePath { path: ReversePath, parameters: MailParameters },
    /// RCPT TO.
    ForwardPath { path: Address },
    /// DATA or the first BDAT: may content begin?
    Begin,
    /// The content ended; `octets` as received. Answer only when it is on disk.
    Accept { octets: u64 },
}

/// The driver's answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// Yes. The machine gives the positive reply.
    Yes,
    /// Yes, to [`Question::Accept`]: taken responsibility for under this id.
    Queued(String),
    /// No, with this reply. `error` says whether it counts as an error of the client
    /// (for `Authenticate`: as a failed login); refusals by policy never do.
    No { reply: Reply, error: bool },
    /// No, and the session ends after this reply (`421`).
    Close(Reply),
}

/// When [`Session::end`] takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once: a time-out, or instead of the greeting.
    Now,
    /// In place of the next command's reply.
    NextCommand,
    /// As soon as no transaction is under way.
    BetweenTransactions,
}

/// One inbound connection's dialogue.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    security: Security,
}

impl Session {
    /// A session whose first step is the greeting.
    pub fn new(settings: Settings, security: Security) -> Self {
        Session { settings, security }
    }

    /// The next thing to do, consuming from `input` what it used.
    pub fn step(&mut self, input: &mut BytesMut) -> Step {
        let _ = (input, &self.settings, self.security);
        Step::Read
    }

    /// Answers the question that the last step asked.
    pub fn answer(&mut self, answer: Answer) {
        let _ = answer;
    }

    /// The handshake after [`Step::StartTls`] succeeded; everything heard in the clear is forgotten.
    pub fn on_tls(&mut self) {
        self.security = Security::Tls;
    }

    /// Ends the session with `reply` (a `421`) at the moment `when`.
    pub fn end(&mut self, reply: Reply, when: When) {
        let _ = (reply, when);
    }

    /// How long the peer may stay silent in the present state (RFC 5321 §4.5.3.2.7).
    pub fn patience(&self) -> Duration {
        Duration::from_secs(300)
    }

    /// The name the client gave with EHLO or HELO, where it gave one.
    pub fn client_name(&self) -> Option<&str> {
        None
    }

    /// `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA`, `UTF8SMTPSA`… for the Received field (RFC 3848, RFC 6531).
    pub fn protocol(&self) -> &'static str {
        "SMTP"
    }
}
