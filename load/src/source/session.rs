//! One client: dials, logs in, hands over its messages, takes its leave, and comes again while there is work.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mio::{Interest, Token};
use rustls::ClientConfig;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::wire::Wire;
use super::{Seat, User, World};
use crate::letter::Letter;
use crate::work::Port;

/// How a turn ended.
pub(super) enum Turn {
    /// It waits for the server, or is finished.
    Open,
    /// Its next message may begin then.
    Wait(Instant),
    /// The connection is lost or was refused: why.
    Failed(String),
}

/// The reply that is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt(usize),
    Data,
    Content,
    Quit,
}

impl Expect {
    fn code(self) -> &'static [u8] {
        match self {
            Expect::Greeting | Expect::StartTls => b"220",
            Expect::Auth => b"235",
            Expect::Data => b"354",
            Expect::Quit => b"221",
            Expect::Ehlo | Expect::Mail | Expect::Rcpt(_) | Expect::Content => b"250",
        }
    }
}

/// What a reply led to.
enum Next {
    Go,
    Wait(Instant),
    /// The connection is done.
    Done,
}

/// One client.
pub(super) struct Session {
    pub(super) index: usize,
    letter: Letter,
    seat: Seat,
    config: Arc<ClientConfig>,
    wire: Option<Wire>,
    is_secure: bool,
    lines: Vec<u8>,
    expected: VecDeque<Expect>,
    /// Messages still to send on this connection.
    left: usize,
    message: usize,
    /// How much of the content is on its way.
    sent: Option<usize>,
    dialled_at: Instant,
    mail_at: Instant,
    is_first: bool,
    slot: Option<Instant>,
    finished: bool,
}

impl Session {
    pub(super) fn new(index: usize, letter: Letter, seat: Seat, config: Arc<ClientConfig>) -> Session {
        let now = Instant::now();
        Session {
            index,
            letter,
            seat,
            config,
            wire: None,
            is_secure: false,
            lines: Vec::new(),
            expected: VecDeque::new(),
            left: 0,
            message: 0,
            sent: None,
            dialled_at: now,
            mail_at: now,
            is_first: true,
            slot: None,
            finished: false,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// An idle session goes away.
    pub(super) fn leave(&mut self) {
        self.finished = true;
        self.wire = None;
    }

    /// Goes on as far as it can without waiting.
    pub(super) fn turn(&mut self, world: &mut World) -> Turn {
        match self.go_on(world) {
            Ok(None) => Turn::Open,
            Ok(Some(until)) => Turn::Wait(until),
            Err(error) => {
                let at = self.expected.front().map_or_else(String::new, |expected| format!("{expected:?}: "));
                world.planned -= self.left;
                self.left = 0;
                self.wire = None;
                Turn::Failed(format!("{at}{error}"))
            }
        }
    }

    fn go_on(&mut self, world: &mut World) -> anyhow::Result<Option<Instant>> {
        loop {
            if self.finished || (self.wire.is_none() && !self.dial(world)?) {
                return Ok(None);
            }
            if let Some(slot) = self.slot {
                if slot > Instant::now() {
                    return Ok(None);
                }
                self.slot = None;
                self.begin(world)?;
            }
            self.wire()?.flush()?;
            self.send_content()?;
            let more = {
                let Some(wire) = &mut self.wire else { continue };
                wire.read(&mut self.lines)?
            };
            match self.replies(world)? {
                Next::Go if !more => return Ok(None),
                Next::Go | Next::Done => {}
                Next::Wait(until) => return Ok(Some(until)),
            }
        }
    }

    /// Whether there is still something to dial for.
    fn dial(&mut self, world: &mut World) -> anyhow::Result<bool> {
        let Some(left) = world.plan() else {
            self.finished = true;
            return Ok(false);
        };
        self.left = left;
        self.lines.clear();
        self.expected.clear();
        self.expected.push_back(Expect::Greeting);
        (self.sent, self.slot, self.is_first, self.is_secure) = (None, None, true, false);
        self.dialled_at = Instant::now();
        let mut wire = Wire::dial(world.server, self.seat.address)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        world.poll.registry().register(&mut wire.stream, Token(self.index), interest)?;
        if world.work.port == Port::Tls {
            wire.secure(&self.config)?;
            self.is_secure = true;
        }
        self.wire = Some(wire);
        world.seen.connections += 1;
        Ok(true)
    }

    fn wire(&mut self) -> anyhow::Result<&mut Wire> {
        self.wire.as_mut().ok_or_else(|| anyhow::anyhow!("no connection"))
    }

    fn send_content(&mut self) -> anyhow::Result<()> {
        let (Some(sent), Some(wire)) = (self.sent, &mut self.wire) else { return Ok(()) };
        let octets = self.letter.octets();
        let sent = sent + wire.send(&octets[sent..])?;
        self.sent = (sent < octets.len()).then_some(sent);
        Ok(())
    }

    /// Answers all replies that are there whole.
    fn replies(&mut self, world: &mut World) -> anyhow::Result<Next> {
        let mut next = Next::Go;
        let mut used = 0;
        while let Some(at) = memchr::memchr(b'\n', &self.lines[used..]) {
            let line = used..used + at + 1;
            used = line.end;
            if self.lines.get(line.start + 3) == Some(&b'-') {
                continue;
            }
            let expected = self.expected.front().copied();
            let text = self.lines[line].trim_ascii_end();
            match expected {
                Some(expected) if text.starts_with(expected.code()) => {
                    self.expected.pop_front();
                    next = self.reply(expected, world)?;
                    if !matches!(next, Next::Go) {
                        break;
                    }
                }
                _ => anyhow::bail!("{}", known(text)),
            }
        }
        self.lines.drain(..used.min(self.lines.len()));
        Ok(next)
    }

    /// The expected reply came: what follows it.
    fn reply(&mut self, expected: Expect, world: &mut World) -> anyhow::Result<Next> {
        let pipelining = world.work.pipelining;
        match expected {
            Expect::Greeting => self.say(Expect::Ehlo, b"EHLO client.load.example\r\n")?,
            Expect::Ehlo if !self.is_secure => self.say(Expect::StartTls, b"STARTTLS\r\n")?,
            Expect::Ehlo => {
                let User { username, password, .. } = &*self.seat.user;
                let token = STANDARD.encode(format!("\0{username}\0{password}"));
                self.say(Expect::Auth, format!("AUTH PLAIN {token}\r\n").as_bytes())?;
            }
            Expect::StartTls => {
                self.is_secure = true;
                let config = Arc::clone(&self.config);
                self.wire()?.secure(&config)?;
                self.say(Expect::Ehlo, b"EHLO client.load.example\r\n")?;
            }
            Expect::Auth if world.work.messages == 0 => {
                world.tally.idle.fetch_add(1, Relaxed);
            }
            Expect::Auth => return self.next_message(world),
            Expect::Mail if !pipelining => self.recipient(0)?,
            Expect::Rcpt(number) if !pipelining => {
                if number + 1 < world.work.recipients {
                    self.recipient(number + 1)?;
                } else {
                    self.say(Expect::Data, b"DATA\r\n")?;
                }
            }
            Expect::Mail | Expect::Rcpt(_) => {}
            Expect::Data => {
                self.expected.push_back(Expect::Content);
                self.sent = Some(0);
                self.send_content()?;
            }
            Expect::Content => {
                self.accepted(world);
                return self.next_message(world);
            }
            Expect::Quit => {
                self.wire = None;
                return Ok(Next::Done);
            }
        }
        Ok(Next::Go)
    }

    fn say(&mut self, expected: Expect, command: &[u8]) -> anyhow::Result<()> {
        self.expected.push_back(expected);
        Ok(self.wire()?.say(command)?)
    }

    fn recipient(&mut self, number: usize) -> anyhow::Result<()> {
        self.say(Expect::Rcpt(number), format!("RCPT TO:<r{number}@load.example>\r\n").as_bytes())
    }

    fn accepted(&mut self, world: &mut World) {
        let now = Instant::now();
        let microseconds = |since: Instant| u64::try_from((now - since).as_micros()).unwrap_or(u64::MAX);
        world.tally.accept(self.message);
        world.seen.accepted += 1;
        world.seen.from_mail.push(microseconds(self.mail_at));
        if std::mem::take(&mut self.is_first) {
            world.seen.from_connect.push(microseconds(self.dialled_at));
        }
        world.last_accepted = now;
    }

    fn next_message(&mut self, world: &mut World) -> anyhow::Result<Next> {
        if self.left == 0 {
            self.say(Expect::Quit, b"QUIT\r\n")?;
            return Ok(Next::Go);
        }
        let now = Instant::now();
        let slot = world.slot(now);
        if slot > now + Duration::from_micros(100) {
            self.slot = Some(slot);
            return Ok(Next::Wait(slot));
        }
        self.begin(world)?;
        Ok(Next::Go)
    }

    fn begin(&mut self, world: &mut World) -> anyhow::Result<()> {
        self.left -= 1;
        self.message = world.next_message;
        world.next_message += 1;
        self.letter.numbered(self.message);
        self.mail_at = Instant::now();
        let mut commands = format!("MAIL FROM:<{}>\r\n", self.seat.user.sender).into_bytes();
        self.expected.push_back(Expect::Mail);
        if world.work.pipelining {
            for number in 0..world.work.recipients {
                write!(commands, "RCPT TO:<r{number}@load.example>\r\n")?;
                self.expected.push_back(Expect::Rcpt(number));
            }
            commands.extend_from_slice(b"DATA\r\n");
            self.expected.push_back(Expect::Data);
        }
        Ok(self.wire()?.say(&commands)?)
    }
}

/// A reply without what is different in each: so that alike ones are counted together.
fn known(reply: &[u8]) -> String {
    String::from_utf8_lossy(&reply[..reply.len().min(80)]).into_owned()
}
