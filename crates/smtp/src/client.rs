//! The client's side of a conversation with a next hop, as a machine without IO (RFC 5321, 2920, 3207, 3461, 4954, 8689, 9422).
//!
//! The driver calls [`Conversation::step`] with what it has read and carries out each step. After
//! [`Step::Ready`] it may [`Conversation::begin`] a transaction, as often as the next hop lets it, or
//! [`Conversation::quit`]. A connection that breaks or falls silent is told by [`Conversation::lost`].

mod capabilities;
mod exchange;
mod login;
mod stuffing;
#[cfg(test)]
mod tests;

pub use capabilities::Capabilities;
pub use login::Login;
pub use stuffing::Stuffing;

use bytes::{Bytes, BytesMut};
use std::time::Duration;

use crate::address::{Address, ReversePath};
use crate::dsn::Ret;
use crate::envelope::RcptParameters;
use crate::reply::{Reply, ReplyReader};
use exchange::{Exchange, Phase};
use login::Authentication;

/// How TLS is used in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Never.
    Never,
    /// Where offered (RFC 7435).
    Opportunistic,
    /// Nothing is sent without it.
    Required,
    /// From the first octet (RFC 8314): the handshake was done before the conversation began.
    Implicit,
}

/// What a conversation is held to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name in EHLO.
    pub hostname: String,
    /// Whether STARTTLS is used.
    pub tls: Tls,
    /// Whom the next hop is to take us for; none: nobody logs in.
    pub login: Option<Login>,
    /// How long the next hop may stay silent.
    pub patience: Patience,
}

/// How long to wait for each reply (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the greeting, and for EHLO.
    pub greeting: Duration,
    /// For STARTTLS and the handshake.
    pub tls: Duration,
    /// For MAIL and RSET.
    pub mail: Duration,
    /// For RCPT.
    pub recipient: Duration,
    /// For DATA.
    pub data: Duration,
    /// For a piece of content to be taken.
    pub block: Duration,
    /// For the reply to the end of the content.
    pub end: Duration,
    /// For QUIT.
    pub quit: Duration,
}

impl Patience {
    /// The time-outs of RFC 5321 §4.5.3.2; those that it does not name likewise.
    pub const STANDARD: Patience = Patience {
        greeting: Duration::from_secs(300),
        tls: Duration::from_secs(120),
        mail: Duration::from_secs(300),
        recipient: Duration::from_secs(300),
        data: Duration::from_secs(120),
        block: Duration::from_secs(180),
        end: Duration::from_secs(600),
        quit: Duration::from_secs(5),
    };
}

/// How far the conversation had come when a reply was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The greeting.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    Tls,
    /// MAIL, or RSET before it.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The end of the content.
    Content,
}

/// Why there is no reply to judge by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection broke or fell silent, in words.
    Lost(String),
    /// What was said is not SMTP, or out of turn, in words.
    Protocol(String),
    /// TLS is required and cannot be had, in words.
    Tls(String),
    /// TLS is required and was refused for now (4yz), in words.
    TlsForNow(String),
    /// The next hop did not let us log in, or was not asked to for want of TLS, in words.
    Login(String),
    /// SMTPUTF8 is needed and not offered.
    NeedsSmtputf8,
    /// 8BITMIME is needed and not offered.
    NeedsEightBit,
    /// REQUIRETLS is needed and not offered under TLS.
    NeedsRequireTls,
    /// The message is larger than the SIZE offered, in octets.
    TooLarge(u64),
}

/// What became of one recipient, or of the opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The reply that decides. A positive one at [`Stage::Content`] delivers; there are no other positive ones.
    Replied(Stage, Reply),
    /// There was none.
    Failed(Fault),
}

/// What the driver has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Read octets and call again.
    Read,
    /// Write these octets, reading meanwhile, and call again.
    Write(Bytes),
    /// Do the handshake, then call [`Conversation::on_tls`], or drop the connection.
    StartTls,
    /// Nothing is under way: begin a transaction, or quit.
    Ready,
    /// Write the content through [`Stuffing`], its end included, then call [`Conversation::content_sent`].
    /// Where the next hop says something meanwhile, stop writing and call [`Conversation::step`].
    Content,
    /// The transaction is over: one finding for each of its recipients.
    Done(Vec<Found>),
    /// The conversation could not be opened, for this reason.
    Refused(Found),
    /// Close the connection.
    Close,
}

/// What a transaction sends, besides the content.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// Where failures are told.
    pub reverse_path: &'a ReversePath,
    /// The recipients: at least one, at most [`Capabilities::batch`].
    pub recipients: &'a [Address],
    /// Octets of the content, dots not doubled.
    pub octets: u64,
    /// The content has octets above 127.
    pub needs_eight_bit: bool,
    /// An address or header field has non-ASCII.
    pub needs_smtputf8: bool,
    /// Whether the sender wants TLS on the whole way (RFC 8689).
    pub require_tls: RequireTls,
    /// What the sender asked about notifications; said only where the next hop lists DSN (RFC 3461 §5.2.1, §5.2.2).
    pub asked: Asked<'a>,
    /// Its priority, from -9 to 9; said, 0 as well, where the next hop lists MT-PRIORITY (RFC 6710 §4.2).
    pub priority: i8,
}

/// Whether a transaction says REQUIRETLS (RFC 8689).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequireTls {
    /// It does not.
    #[default]
    No,
    /// Where the next hop lists it: a notification about such mail goes out without it, too (RFC 8689 §4.4).
    IfOffered,
    /// Nothing goes out without it.
    Always,
}

/// What a sender asked about notifications (RFC 3461).
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID.
    pub envid: Option<&'a str>,
    /// NOTIFY and ORCPT of the recipients, in their order; for those beyond its end nothing was asked.
    pub recipients: &'a [&'a RcptParameters],
}

/// One outbound dialogue.
#[derive(Debug)]
pub struct Conversation {
    settings: Settings,
    reader: ReplyReader,
    state: State,
    capabilities: Capabilities,
    secured: bool,
    tls_refusal: Option<String>,
    out: BytesMut,
    event: Option<Step>,
    transactions: u32,
    needs_reset: bool,
    turns: u64,
}

#[derive(Debug)]
enum State {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Handshake,
    Login(Authentication),
    Ready,
    Transaction(Box<Exchange>),
    Quit,
    Over,
}

impl Conversation {
    /// A conversation that waits for the greeting.
    pub fn new(settings: Settings) -> Self {
        Conversation {
            secured: settings.tls == Tls::Implicit,
            settings,
            reader: ReplyReader::default(),
            state: State::Greeting,
            capabilities: Capabilities::default(),
            tls_refusal: None,
            out: BytesMut::new(),
            event: None,
            transactions: 0,
            needs_reset: false,
            turns: 0,
        }
    }

    /// The next thing to do, consuming from `input` the replies that it used.
    pub fn step(&mut self, input: &mut BytesMut) -> Step {
        loop {
            if !self.out.is_empty() {
                return Step::Write(self.out.split().freeze());
            }
            if let Some(event) = self.event.take() {
                return event;
            }
            match &self.state {
                State::Over => return Step::Close,
                State::Handshake => return Step::StartTls,
                State::Ready if input.is_empty() => return Step::Ready,
                State::Transaction(exchange) if exchange.wants_content() && input.is_empty() => return Step::Content,
                _ => {}
            }
            match self.reader.next(input) {
                Ok(None) => return Step::Read,
                Ok(Some(reply)) => {
                    self.turns += 1;
                    self.on_reply(reply, input);
                }
                Err(error) => self.fail(Fault::Protocol(error.to_string())),
            }
        }
    }

    /// The handshake after [`Step::StartTls`] succeeded: everything heard in the clear is forgotten.
    pub fn on_tls(&mut self) {
        if matches!(self.state, State::Handshake) {
            self.secured = true;
            self.capabilities = Capabilities::default();
            self.say_hello("EHLO", State::Ehlo);
        }
    }

    /// Whether a transaction may begin: all is quiet, and the next hop takes one more (RFC 9422 MAILMAX).
    pub fn may_begin(&self) -> bool {
        matches!(self.state, State::Ready)
            && self.event.is_none()
            && self.capabilities.mails_max.is_none_or(|max| self.transactions < max)
    }

    /// Begins a transaction; nothing happens unless [`Self::may_begin`]. Where the next hop lacks what
    /// the message needs, it is over at once and nothing is sent.
    pub fn begin(&mut self, transaction: &Transaction<'_>) {
        if !self.may_begin() || transaction.recipients.is_empty() {
            return;
        }
        if let Some(fault) = self.lacking(transaction) {
            let found = vec![Found::Failed(fault); transaction.recipients.len()];
            self.event = Some(Step::Done(found));
            return;
        }
        self.transactions += 1;
        let says_require_tls =
            transaction.require_tls != RequireTls::No && self.secured && self.capabilities.require_tls;
        let needs_reset = std::mem::take(&mut self.needs_reset);
        let mut exchange = Exchange::new(transaction, &self.capabilities, says_require_tls, needs_reset);
        exchange.send(&mut self.out);
        self.state = State::Transaction(Box::new(exchange));
    }

    /// The content and its end were written whole: now the final reply counts.
    pub fn content_sent(&mut self) {
        if let State::Transaction(exchange) = &mut self.state {
            exchange.content_sent();
        }
    }

    /// Says QUIT where nothing is under way, and ends the conversation in any case.
    pub fn quit(&mut self) {
        if matches!(self.state, State::Ready) {
            self.out.extend_from_slice(b"QUIT\r\n");
            self.state = State::Quit;
        } else {
            self.state = State::Over;
        }
    }

    /// The connection broke or fell silent, for this reason. The next steps tell what that means.
    /// Octets that arrived before must have been stepped through already.
    pub fn lost(&mut self, why: &str) {
        self.out.clear();
        self.fail(Fault::Lost(why.to_owned()));
    }

    /// How long the next hop may take for the reply that is awaited now (RFC 5321 §4.5.3.2).
    pub fn patience(&self) -> Duration {
        let patience = &self.settings.patience;
        match &self.state {
            State::Greeting | State::Ehlo | State::Helo => patience.greeting,
            State::StartTls | State::Handshake => patience.tls,
            State::Login(_) => patience.mail,
            State::Transaction(exchange) => match exchange.phase() {
                Phase::Commands(Stage::Recipient) => patience.recipient,
                Phase::Commands(Stage::Data) => patience.data,
                Phase::Commands(_) => patience.mail,
                Phase::Content => patience.block,
                Phase::End | Phase::LoneDot => patience.end,
            },
            State::Ready | State::Quit | State::Over => patience.quit,
        }
    }

    /// Replies heard so far: the clock of [`Self::patience`] starts anew with each.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// Whether the end of the content may have reached the next hop and its final reply has not
    /// reached us: a repeat may then deliver twice.
    pub fn is_in_doubt(&self) -> bool {
        matches!(&self.state, State::Transaction(exchange) if matches!(exchange.phase(), Phase::End))
    }

    /// What the next hop offers; nothing before EHLO was answered, or where it only knows HELO.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Why STARTTLS, though offered, was refused, where it was.
    pub fn tls_refusal(&self) -> Option<&str> {
        self.tls_refusal.as_deref()
    }

    fn lacking(&self, transaction: &Transaction<'_>) -> Option<Fault> {
        let offered = &self.capabilities;
        if transaction.require_tls == RequireTls::Always && !(self.secured && offered.require_tls) {
            return Some(Fault::NeedsRequireTls);
        }
        if transaction.needs_smtputf8 && !offered.smtputf8 {
            return Some(Fault::NeedsSmtputf8);
        }
        if transaction.needs_eight_bit && !offered.eight_bit_mime {
            return Some(Fault::NeedsEightBit);
        }
        offered.octets_max.filter(|max| transaction.octets > *max).map(Fault::TooLarge)
    }

    fn on_reply(&mut self, reply: Reply, input: &BytesMut) {
        match &mut self.state {
            State::Greeting => match reply.code {
                200..=299 => self.say_hello("EHLO", State::Ehlo),
                300..=399 => self.out_of_turn(&reply),
                _ => self.refuse(Found::Replied(Stage::Greeting, reply)),
            },
            State::Ehlo | State::Helo => self.on_hello(reply),
            State::StartTls => self.on_starttls(reply, input),
            State::Login(_) => self.on_login(&reply),
            State::Transaction(exchange) => {
                if let Some(end) = exchange.on_reply(reply, &mut self.out) {
                    self.event = Some(Step::Done(end.found));
                    self.needs_reset = end.needs_reset;
                    self.state = if end.over { State::Over } else { State::Ready };
                }
            }
            // QUIT is answered, or something was said unasked: either way nothing more can come of it
            State::Quit | State::Ready | State::Handshake | State::Over => self.state = State::Over,
        }
    }

    fn say_hello(&mut self, verb: &str, state: State) {
        self.out.extend_from_slice(format!("{verb} {}\r\n", self.settings.hostname).as_bytes());
        self.state = state;
    }

    fn on_hello(&mut self, reply: Reply) {
        let extended = matches!(self.state, State::Ehlo);
        match reply.code {
            200..=299 if extended => {
                self.capabilities = Capabilities::read(&reply);
                self.decide_tls();
            }
            200..=299 => self.decide_tls(),
            300..=399 => self.out_of_turn(&reply),
            // RFC 5321 §3.2: a server that does not know EHLO is spoken to with HELO
            500..=599 if extended => self.say_hello("HELO", State::Helo),
            _ => self.refuse(Found::Replied(Stage::Hello, reply)),
        }
    }

    fn decide_tls(&mut self) {
        match self.settings.tls {
            _ if self.secured => self.log_in(),
            Tls::Opportunistic | Tls::Required if self.capabilities.starttls => {
                self.out.extend_from_slice(b"STARTTLS\r\n");
                self.state = State::StartTls;
            }
            Tls::Required => self.fail(Fault::Tls("the next hop does not offer STARTTLS".into())),
            Tls::Never | Tls::Opportunistic | Tls::Implicit => self.log_in(),
        }
    }

    /// All is as secure as it gets: says who we are, where somebody is to know.
    fn log_in(&mut self) {
        let Some(login) = &self.settings.login else {
            self.state = State::Ready;
            return;
        };
        match Authentication::begin(login, &self.capabilities, self.secured, &mut self.out) {
            Ok(authentication) => self.state = State::Login(authentication),
            Err(why) => self.fail(Fault::Login(why)),
        }
    }

    fn on_login(&mut self, reply: &Reply) {
        let (State::Login(authentication), Some(login)) = (&mut self.state, &self.settings.login) else { return };
        match authentication.on_reply(reply, login, &self.capabilities, &mut self.out) {
            Ok(true) => self.state = State::Ready,
            Ok(false) => {}
            Err(why) => self.fail(Fault::Login(why)),
        }
    }

    fn on_starttls(&mut self, reply: Reply, input: &BytesMut) {
        match reply.code {
            // what stands behind the reply was put there by somebody in the middle (RFC 3207 §6)
            200..=299 if !input.is_empty() => {
                self.fail(Fault::Tls("the next hop spoke in the clear after its reply to STARTTLS".into()));
            }
            200..=299 => self.state = State::Handshake,
            421 => self.refuse(Found::Replied(Stage::Tls, reply)),
            _ if self.settings.tls == Tls::Required => {
                let why = format!("the next hop refused STARTTLS: {reply}");
                self.fail(if reply.is_transient() { Fault::TlsForNow(why) } else { Fault::Tls(why) });
            }
            _ => {
                self.tls_refusal = Some(reply.to_string());
                self.log_in();
            }
        }
    }

    fn out_of_turn(&mut self, reply: &Reply) {
        self.fail(Fault::Protocol(format!("a reply out of turn: {reply}")));
    }

    fn refuse(&mut self, found: Found) {
        self.event = Some(Step::Refused(found));
        self.state = State::Over;
    }

    /// Ends the conversation by a fault, which is told to whatever is under way.
    fn fail(&mut self, fault: Fault) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Transaction(mut exchange) => self.event = Some(Step::Done(exchange.fail(fault))),
            State::Ready | State::Quit | State::Over => {}
            _ => self.event = Some(Step::Refused(Found::Failed(fault))),
        }
    }
}
