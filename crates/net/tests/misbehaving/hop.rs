//! Next hops that misbehave, connection by connection, over streams in memory.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use net::outbound::Dialer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream, DuplexStream};
use tokio_rustls::TlsAcceptor;

/// Octets under way in each direction.
const PIPE_OCTETS: usize = 1024;

/// How long a tarpit thinks before each reply: less than any time-out, and no divisor of one.
const TARPIT: Duration = Duration::from_secs(97);

/// What a slow reader reads at once, and how long it then waits.
const SIP_OCTETS: usize = 48;
const SIP_EVERY: Duration = Duration::from_secs(7);

/// Longer than any time-out of ours.
const FOR_EVER: Duration = Duration::from_secs(4 * 3600);

/// What a next hop does wrong during one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody listens.
    RefusesTheDial,
    /// Its greeting never ends.
    EndlessBanner,
    /// Each of its replies takes long.
    Tarpit,
    /// It takes what it is sent a little at a time.
    SlowReader,
    /// What follows its `220` to STARTTLS is no TLS.
    TlsBroken,
    /// It shows a certificate of another name.
    WrongCertificate,
    /// It does not list 8BITMIME.
    EightBitMissing,
    /// It puts off each recipient that it has not seen before.
    Greylisting,
    /// It hangs up with a 421 in place of its reply to RCPT.
    BusyAtRecipient,
    /// It hangs up when the lone dot has come, and has taken nothing.
    DropAtTheDot,
    /// It takes the message and hangs up without a reply.
    DropAfterTheDot,
    /// It takes the message and says nothing more.
    SilentAfterTheDot,
    /// It says 552 when all of the content has come.
    TooLargeLate,
}

impl Fault {
    pub(crate) const ALL: [Fault; 13] = [
        Fault::RefusesTheDial,
        Fault::EndlessBanner,
        Fault::Tarpit,
        Fault::SlowReader,
        Fault::TlsBroken,
        Fault::WrongCertificate,
        Fault::EightBitMissing,
        Fault::Greylisting,
        Fault::BusyAtRecipient,
        Fault::DropAtTheDot,
        Fault::DropAfterTheDot,
        Fault::SilentAfterTheDot,
        Fault::TooLargeLate,
    ];
}

/// A message that a next hop took for a recipient.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) recipient: String,
    pub(crate) content: Vec<u8>,
    /// Whether its `250` went out while somebody was there to read it.
    pub(crate) replied: bool,
    /// Under which certificate: the right one, a wrong one, none.
    pub(crate) tls: Option<bool>,
}

/// What all next hops saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) taken: Vec<Taken>,
    /// Recipients that were told 552 to a content, with it.
    pub(crate) refused: Vec<(String, Vec<u8>)>,
    /// Recipients of the messages that needed what was not listed.
    pub(crate) eight_bit_missing: bool,
    /// What the relay must not do.
    pub(crate) violations: Vec<String>,
    greylisted: HashSet<String>,
}

/// A next hop: what it does wrong during each of its first connections; during later ones, nothing.
pub(crate) struct Host {
    pub(crate) faults: Vec<Vec<Fault>>,
    pub(crate) right: TlsAcceptor,
    pub(crate) wrong: TlsAcceptor,
    pub(crate) connections: Mutex<usize>,
}

/// The internet: next hops by their addresses.
pub(crate) struct Network {
    pub(crate) hosts: HashMap<IpAddr, Arc<Host>>,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl Dialer for Network {
    type Stream = DuplexStream;

    async fn dial(&self, remote: SocketAddr, _source: Option<IpAddr>) -> io::Result<DuplexStream> {
        let host = self.hosts.get(&remote.ip()).ok_or(io::ErrorKind::HostUnreachable)?;
        let number = {
            let mut connections = host.connections.lock().unwrap();
            *connections += 1;
            *connections - 1
        };
        let faults = host.faults.get(number).cloned().unwrap_or_default();
        if faults.contains(&Fault::RefusesTheDial) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = tokio::io::duplex(PIPE_OCTETS);
        let talk = Talk { faults, host: Arc::clone(host), seen: Arc::clone(&self.seen) };
        // however it ends, the connection ends with it
        tokio::spawn(async move { talk.run(theirs).await.ok() });
        Ok(ours)
    }

    fn local(&self, _stream: &DuplexStream) -> Option<IpAddr> {
        None
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection in clear or under TLS, and whether that showed the right certificate.
struct Wire {
    stream: BufStream<Box<dyn Stream>>,
    tls: Option<bool>,
}

struct Talk {
    faults: Vec<Fault>,
    host: Arc<Host>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Transaction {
    sender: String,
    recipients: Vec<String>,
}

impl Talk {
    fn is(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    async fn say(&self, wire: &mut Wire, text: &str) -> io::Result<()> {
        if self.is(Fault::Tarpit) {
            tokio::time::sleep(TARPIT).await;
        }
        wire.stream.write_all(text.as_bytes()).await?;
        wire.stream.write_all(b"\r\n").await?;
        wire.stream.flush().await
    }

    async fn run(self, stream: DuplexStream) -> io::Result<()> {
        let mut wire = Wire { stream: BufStream::new(Box::new(stream)), tls: None };
        while self.is(Fault::EndlessBanner) {
            self.say(&mut wire, "220-welcome, and welcome again").await?;
        }
        self.say(&mut wire, "220 next.example ESMTP").await?;
        let mut transaction = Transaction::default();
        loop {
            let line = self.line(&mut wire).await?;
            let path = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" => self.hello(&mut wire).await?,
                "STAR" => wire = self.handshake(wire).await?,
                "MAIL" => {
                    if self.is(Fault::EightBitMissing) && line.contains("BODY=8BITMIME") {
                        self.note(|seen| seen.violations.push(format!("not listed: {line}")));
                    }
                    transaction = Transaction { sender: path, recipients: Vec::new() };
                    self.say(&mut wire, "250 2.1.0 ok").await?;
                }
                "RCPT" => self.recipient(&mut wire, path, &mut transaction).await?,
                "DATA" if transaction.recipients.is_empty() => self.say(&mut wire, "554 5.5.1 for nobody").await?,
                "DATA" => {
                    self.say(&mut wire, "354 go on").await?;
                    let content = self.content(&mut wire).await?;
                    self.end(&mut wire, std::mem::take(&mut transaction), content).await?;
                }
                "QUIT" => return self.say(&mut wire, "221 2.0.0 bye").await,
                _ => self.say(&mut wire, "250 2.0.0 ok").await?,
            }
        }
    }

    fn note<T>(&self, note: impl FnOnce(&mut Seen) -> T) -> T {
        note(&mut self.seen.lock().unwrap())
    }

    async fn hello(&self, wire: &mut Wire) -> io::Result<()> {
        let mut text = String::from("250-next.example\r\n250-PIPELINING\r\n");
        if wire.tls.is_none() {
            text.push_str("250-STARTTLS\r\n");
        }
        if self.is(Fault::EightBitMissing) {
            self.note(|seen| seen.eight_bit_missing = true);
        } else {
            text.push_str("250-8BITMIME\r\n");
        }
        text.push_str("250 ENHANCEDSTATUSCODES");
        self.say(wire, &text).await
    }

    async fn handshake(&self, mut wire: Wire) -> io::Result<Wire> {
        self.say(&mut wire, "220 2.0.0 go").await?;
        if self.is(Fault::TlsBroken) {
            self.say(&mut wire, "and this is no TLS").await?;
            // what the other end says to that is read, so that the end is orderly
            let _ = wire.stream.read(&mut [0; 1024]).await?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let is_right = !self.is(Fault::WrongCertificate);
        let acceptor = if is_right { &self.host.right } else { &self.host.wrong };
        let stream = acceptor.accept(wire.stream.into_inner()).await?;
        Ok(Wire { stream: BufStream::new(Box::new(stream)), tls: Some(is_right) })
    }

    async fn recipient(&self, wire: &mut Wire, path: String, transaction: &mut Transaction) -> io::Result<()> {
        if self.is(Fault::BusyAtRecipient) {
            self.say(wire, "421 4.3.2 too busy").await?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let is_new = self.note(|seen| seen.greylisted.insert(format!("{} {path}", transaction.sender)));
        if self.is(Fault::Greylisting) && is_new {
            return self.say(wire, "451 4.7.1 greylisted, come back later").await;
        }
        transaction.recipients.push(path);
        self.say(wire, "250 2.1.5 ok").await
    }

    /// The content is here.
    async fn end(&self, wire: &mut Wire, transaction: Transaction, content: Vec<u8>) -> io::Result<()> {
        let gone = || Err(io::ErrorKind::ConnectionAborted.into());
        if self.is(Fault::DropAtTheDot) {
            return gone();
        }
        if self.is(Fault::TooLargeLate) {
            self.note(|seen| {
                seen.refused.extend(transaction.recipients.iter().map(|to| (to.clone(), content.clone())));
            });
            return self.say(wire, "552 5.3.4 larger than we take").await;
        }
        let silent = [Fault::DropAfterTheDot, Fault::SilentAfterTheDot].into_iter().find(|fault| self.is(*fault));
        let replied = silent.is_none() && self.say(wire, "250 2.0.0 taken").await.is_ok();
        self.note(|seen| {
            let taken = |recipient| Taken { recipient, content: content.clone(), replied, tls: wire.tls };
            seen.taken.extend(transaction.recipients.into_iter().map(taken));
        });
        if silent == Some(Fault::SilentAfterTheDot) {
            tokio::time::sleep(FOR_EVER).await;
        }
        if replied { Ok(()) } else { gone() }
    }

    async fn line(&self, wire: &mut Wire) -> io::Result<String> {
        let mut line = String::new();
        match wire.stream.read_line(&mut line).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// The content, dots as they were before they were doubled.
    async fn content(&self, wire: &mut Wire) -> io::Result<Vec<u8>> {
        let (mut content, mut line) = (Vec::new(), Vec::new());
        let mut sips = 0;
        loop {
            line.clear();
            if wire.stream.read_until(b'\n', &mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                return Ok(content);
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if self.is(Fault::SlowReader) && content.len() / SIP_OCTETS > sips {
                sips = content.len() / SIP_OCTETS;
                tokio::time::sleep(SIP_EVERY).await;
            }
        }
    }
}
