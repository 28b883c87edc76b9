//! The server's side of a session as a machine without IO (RFC 5321, 4954, 3207, 3030, 1870, 3461, 6531, 8689, 9422).
//!
//! The driver calls [`Session::step`] with what it has read until it gets [`Step::Read`], carrying
//! out each step in order. While a question stands, no input is looked at: pipelining is right by
//! construction.

mod commands;
mod content;
mod login;
#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

use crate::address::{Address, ReversePath};
use crate::body::{ChunkReader, DataReader};
use crate::command::Chunk;
use crate::envelope::{MailParameters, RcptParameters};
use crate::line::{Line, LineReader};
use crate::replies;
use crate::reply::Reply;
use crate::sasl::{Exchange, Mechanism};

pub use crate::secret::Secret;

/// How long the peer may be silent before its next command (RFC 5321 §4.5.3.2.7).
pub const COMMAND_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How long it may be silent inside content (RFC 5321 §4.5.3.2.5).
pub const CONTENT_PATIENCE: Duration = Duration::from_secs(3 * 60);

/// Octets of the client's name that are kept.
const CLIENT_NAME_OCTETS_MAX: usize = 255;

/// Whom a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Applications that hand in mail: nothing without TLS and a login (RFC 6409).
    Submission,
    /// Other mail servers that report on mail: in the clear if they want, and without a login. Whoever answers the questions
    /// decides which recipients are ours.
    Reports,
}

/// What a session is held to. The numbers come from `relay::limits`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom it is for.
    pub service: Service,
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

/// What the driver has to do next.
#[derive(Debug)]
pub enum Step {
    /// Nothing more from what is here: flush replies, read octets, call again.
    Read,
    /// Queue this reply for writing. `about` says what was refused or answered, for activity.
    Send {
        /// What to write.
        reply: Reply,
        /// What it is about.
        about: About,
    },
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
    Authenticate {
        /// As sent.
        username: String,
        /// What proves it.
        secret: Secret,
        /// How it was sent.
        mechanism: Mechanism,
    },
    /// MAIL FROM.
    ReversePath {
        /// Where failures are told.
        path: ReversePath,
        /// What else MAIL said.
        parameters: MailParameters,
    },
    /// RCPT TO.
    ForwardPath {
        /// The recipient.
        path: Address,
        /// What else RCPT said.
        parameters: RcptParameters,
    },
    /// DATA or the first BDAT: may content begin?
    Begin,
    /// The content ended; `octets` as received. Answer only when it is on disk.
    Accept {
        /// Octets of content, as sent, dots un-stuffed.
        octets: u64,
    },
}

/// The driver's answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// Yes. The machine gives the positive reply.
    Yes,
    /// Yes, to [`Question::ReversePath`], but the message gets this priority, not the one that was asked for (RFC 6710).
    YesAt(i8),
    /// Yes, to [`Question::Accept`]: taken responsibility for under this id.
    Queued(String),
    /// No, with this reply. `error` says whether it counts as an error of the client
    /// (for `Authenticate`: as a failed login); refusals by policy never do.
    No {
        /// What the client hears.
        reply: Reply,
        /// Whether it is the client's error.
        error: bool,
    },
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

/// What the next octets are.
#[derive(Debug)]
enum Phase {
    /// A command line.
    Command,
    /// A line of an AUTH exchange.
    Auth(Exchange),
    /// Content after DATA.
    Data(DataReader),
    /// Octets of a BDAT chunk.
    Chunk(Swallow),
    /// Nothing of SMTP: the handshake comes.
    Handshake,
    /// The connection is done with.
    Closed,
}

/// A BDAT chunk being read.
#[derive(Debug)]
struct Swallow {
    /// Octets still to come.
    left: u64,
    /// What follows them.
    then: Then,
}

/// What follows a chunk's last octet.
#[derive(Debug)]
enum Then {
    /// It was content, of so many octets.
    Take { octets: u64, last: bool },
    /// It was thrown away, for this reason.
    Refuse(Refusal),
}

/// A refusal that waits until it may be said.
#[derive(Debug)]
struct Refusal {
    reply: Reply,
    about: About,
    /// It counts as an error of the client.
    error: bool,
    /// The transaction ends with it.
    ends: bool,
}

/// From MAIL to the end of the content.
#[derive(Debug, Default)]
struct Transaction {
    smtputf8: bool,
    /// Recipients answered 250.
    accepted: usize,
    /// There was a recipient, accepted or not.
    tried: bool,
    /// Nothing more is taken of it.
    refused: bool,
    /// The content that came by BDAT, once it began.
    chunks: Option<ChunkReader>,
}

/// A question that stands, and what its reply needs.
#[derive(Debug)]
enum Asked {
    Authenticate { username: String },
    ReversePath { sender: String, smtputf8: bool },
    ForwardPath { recipient: String },
    Begin(Option<Chunk>),
    Accept,
}

/// How the client introduced itself.
#[derive(Debug)]
struct Hello {
    name: String,
    extended: bool,
}

/// One inbound connection's dialogue.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    security: Security,
    phase: Phase,
    lines: LineReader,
    /// Steps found and not yet handed out.
    steps: VecDeque<Step>,
    asked: Option<Asked>,
    hello: Option<Hello>,
    /// Nothing has come yet.
    is_unheard: bool,
    authenticated: bool,
    transaction: Option<Transaction>,
    errors: u32,
    authentication_failures: u32,
    messages: u32,
    /// Commands out of order that a pipelining client could not know to be so: it sent them before
    /// it heard that MAIL or BDAT was refused.
    excused: usize,
    /// Said in place of the next command's reply.
    revoked: Option<Reply>,
    /// Said once no transaction is under way.
    leaving: Option<Reply>,
}

impl Session {
    /// A session whose first step is the greeting.
    pub fn new(settings: Settings, security: Security) -> Self {
        let greeting = Step::Send { reply: replies::greeting(&settings.hostname), about: About::Session };
        Session {
            settings,
            security,
            phase: Phase::Command,
            lines: LineReader::default(),
            steps: VecDeque::from([greeting]),
            asked: None,
            hello: None,
            is_unheard: true,
            authenticated: false,
            transaction: None,
            errors: 0,
            authentication_failures: 0,
            messages: 0,
            excused: 0,
            revoked: None,
            leaving: None,
        }
    }

    /// The next thing to do, consuming from `input` what it used. `input` must be the same buffer
    /// from call to call, only ever appended to in between.
    pub fn step(&mut self, input: &mut BytesMut) -> Step {
        loop {
            if let Some(step) = self.steps.pop_front() {
                if matches!(step, Step::StartTls) {
                    // what was sent in the clear behind STARTTLS is never looked at (RFC 3207 §6)
                    input.clear();
                }
                return step;
            }
            if self.asked.is_some() {
                return Step::Read;
            }
            if self.transaction.is_none()
                && matches!(self.phase, Phase::Command | Phase::Auth(_))
                && let Some(reply) = self.leaving.take()
            {
                self.close(reply, About::Session);
                continue;
            }
            let went_on = match self.phase {
                Phase::Command | Phase::Auth(_) => self.on_command_input(input),
                Phase::Data(_) => self.on_data_input(input),
                Phase::Chunk(_) => self.on_chunk_input(input),
                Phase::Handshake => {
                    input.clear();
                    false
                }
                Phase::Closed => return Step::Close,
            };
            if !went_on {
                return Step::Read;
            }
        }
    }

    /// Answers the question that the last step asked.
    pub fn answer(&mut self, answer: Answer) {
        let Some(asked) = self.asked.take() else { return };
        match asked {
            Asked::Authenticate { username } => self.on_authenticated(answer, username),
            Asked::ReversePath { sender, smtputf8 } => self.on_reverse_path(answer, sender, smtputf8),
            Asked::ForwardPath { recipient } => self.on_forward_path(answer, recipient),
            Asked::Begin(chunk) => self.on_begin(answer, chunk),
            Asked::Accept => self.on_accept(answer),
        }
    }

    /// The handshake after [`Step::StartTls`] succeeded; everything heard in the clear is forgotten.
    pub fn on_tls(&mut self) {
        self.security = Security::Tls;
        self.hello = None;
        self.excused = 0;
        self.lines = LineReader::default();
        if matches!(self.phase, Phase::Handshake) {
            self.phase = Phase::Command;
        }
    }

    /// Ends the session with `reply` (a `421`) at the moment `when`; call [`Session::step`] afterwards.
    ///
    /// QUIT is answered `221` even where `reply` stands for the next command's. A message whose
    /// content is still coming is refused by [`When::NextCommand`] and finished by
    /// [`When::BetweenTransactions`]; one that is being accepted is left alone by both.
    pub fn end(&mut self, reply: Reply, when: When) {
        match when {
            When::Now => {
                self.steps
                    .retain(|step| !matches!(step, Step::Send { reply, .. } if reply.reference == Some("greeting")));
                self.asked = None;
                if !matches!(self.phase, Phase::Closed) {
                    self.close(reply, About::Session);
                }
            }
            When::NextCommand => self.revoked = Some(reply),
            When::BetweenTransactions => self.leaving = Some(reply),
        }
    }

    /// One recipient was refused and so the whole message is: every further RCPT of the transaction under
    /// way, and DATA, gets `554`.
    pub fn refuse_rest(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.refused = true;
        }
    }

    /// How long the peer may stay silent in the present state (RFC 5321 §4.5.3.2.7).
    pub fn patience(&self) -> Duration {
        match self.phase {
            Phase::Data(_) | Phase::Chunk(_) => CONTENT_PATIENCE,
            _ => COMMAND_PATIENCE,
        }
    }

    /// The name the client gave with EHLO or HELO, where it gave one.
    pub fn client_name(&self) -> Option<&str> {
        self.hello.as_ref().map(|hello| hello.name.as_str())
    }

    /// `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA`, `UTF8SMTPSA`… for the Received field (RFC 3848, RFC 6531).
    pub fn protocol(&self) -> &'static str {
        let utf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.smtputf8);
        let extended = self.hello.as_ref().is_some_and(|hello| hello.extended);
        match (utf8, extended, self.security, self.authenticated) {
            (true, _, Security::Tls, true) => "UTF8SMTPSA",
            (true, _, Security::Tls, false) => "UTF8SMTPS",
            (true, _, Security::Clear, _) => "UTF8SMTP",
            (false, true, Security::Tls, true) => "ESMTPSA",
            (false, true, Security::Tls, false) => "ESMTPS",
            (false, true, Security::Clear, _) => "ESMTP",
            (false, false, ..) => "SMTP",
        }
    }

    /// Whether it must be secured before anything of importance.
    fn lacks_tls(&self) -> bool {
        self.security == Security::Clear && self.settings.service == Service::Submission
    }

    /// Whether somebody must log in first.
    fn lacks_login(&self) -> bool {
        !self.authenticated && self.settings.service == Service::Submission
    }

    fn send(&mut self, reply: Reply, about: About) {
        self.steps.push_back(Step::Send { reply, about });
    }

    fn ask(&mut self, asked: Asked, question: Question) {
        self.asked = Some(asked);
        self.steps.push_back(Step::Ask(question));
    }

    /// A refusal that counts as an error of the client; the last one that it may make ends the session.
    fn error(&mut self, reply: Reply, about: About) {
        self.errors += 1;
        self.send(reply, about);
        if self.errors >= self.settings.errors_max {
            self.close(replies::errors_max(), About::Session);
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        if refusal.ends {
            self.excuse();
        }
        if refusal.error {
            self.error(refusal.reply, refusal.about);
        } else {
            self.send(refusal.reply, refusal.about);
        }
        if refusal.ends {
            self.abandon();
        }
    }

    /// The commands of the refused message that may be under way already are no errors.
    fn excuse(&mut self) {
        self.excused = self.settings.recipients_max + 2;
    }

    /// A command that needs a transaction, or a recipient, and has none.
    fn wrong_order(&mut self, hint: &str) -> Refusal {
        let error = self.excused == 0;
        self.excused = self.excused.saturating_sub(1);
        Refusal { reply: replies::wrong_order(hint), about: About::Session, error, ends: false }
    }

    /// The transaction ends without acceptance; its last reply has been given, so that whoever
    /// keeps a record of the refusal still had its envelope.
    fn abandon(&mut self) {
        if self.transaction.take().is_some() {
            self.steps.push_back(Step::Abandon);
        }
    }

    fn close(&mut self, reply: Reply, about: About) {
        self.send(reply, about);
        self.abandon();
        self.steps.push_back(Step::Close);
        self.phase = Phase::Closed;
    }

    /// Looks for a line; whether something came of it.
    fn on_command_input(&mut self, input: &mut BytesMut) -> bool {
        // a TLS record of type handshake: no line will ever end. Only in front of everything: behind that, what stands
        // in front of the input depends on how it was cut
        let is_first = !input.is_empty() && std::mem::take(&mut self.is_unheard);
        if is_first && self.security == Security::Clear && input.first() == Some(&0x16) {
            self.close(replies::not_tls(), About::Session);
            return true;
        }
        match self.lines.peek(input, matches!(self.phase, Phase::Auth(_))) {
            Line::Partial => return false,
            Line::Whole(octets) => {
                let line = self.lines.consume(input, octets);
                self.on_line(&line);
            }
            Line::TooLong { auth } => {
                self.phase = Phase::Command;
                match self.revoked.take() {
                    Some(reply) => self.close(reply, About::Session),
                    None if auth => self.error(replies::auth_line_too_long(), About::Session),
                    None => self.error(replies::line_too_long(), About::Session),
                }
            }
            Line::Endless => self.close(replies::line_too_long(), About::Session),
            Line::BareLineFeed => self.close(replies::bare_line_feed(), About::Session),
        }
        true
    }

    fn on_line(&mut self, line: &[u8]) {
        let malformed = line.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t');
        let text = String::from_utf8_lossy(line);
        match std::mem::replace(&mut self.phase, Phase::Command) {
            Phase::Auth(exchange) => match self.revoked.take() {
                Some(reply) => self.close(reply, About::Session),
                None => self.on_exchange(exchange.on_line(&text)),
            },
            _ if malformed => match self.revoked.take() {
                Some(reply) => self.close(reply, About::Session),
                None => self.error(replies::line_malformed(), About::Session),
            },
            _ => self.on_command(&text),
        }
    }
}
