//! One connection of the sink: reads commands and content in place, replies in one write.

use memchr::{memchr, memmem};
use mio::net::TcpStream;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::Ordering::Relaxed;

use super::Judge;

const END: &[u8] = b"\r\n.\r\n";
/// Room that a connection begins with.
const ROOM_OCTETS: usize = 32 * 1024;

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It waits for the client.
    Open,
    /// Its reply to the content is to be held back.
    Held,
    /// It is over.
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Commands,
    /// Content, looked through up to here.
    Content(usize),
    /// The reply to the content is held back.
    Held,
}

/// What the content got for an answer.
enum Fate {
    Taken,
    Deferred,
    Bounced,
}

/// One connection.
pub(super) struct Receiver {
    stream: TcpStream,
    /// Which one it is of all that there were.
    pub(super) connection: u64,
    /// Read and not yet used: `buffer[begin..end]`.
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    output: Vec<u8>,
    state: State,
    is_null: bool,
    recipients: Vec<usize>,
    message: Option<usize>,
    quits: bool,
}

impl Receiver {
    pub(super) fn new(stream: TcpStream, connection: u64) -> Receiver {
        Receiver {
            stream,
            connection,
            buffer: vec![0; ROOM_OCTETS],
            begin: 0,
            end: 0,
            output: b"220 sink.load.example ESMTP\r\n".to_vec(),
            state: State::Commands,
            is_null: false,
            recipients: Vec::new(),
            message: None,
            quits: false,
        }
    }

    /// Reads, understands and replies as far as it goes.
    pub(super) fn turn(&mut self, judge: &mut Judge) -> Turn {
        loop {
            let read = match self.read() {
                Ok(read) => read,
                Err(()) => return Turn::Over,
            };
            let held = self.state == State::Held;
            self.understand(judge);
            if self.write().is_err() || (self.quits && self.output.is_empty()) {
                return Turn::Over;
            }
            if self.state == State::Held {
                return if held { Turn::Open } else { Turn::Held };
            }
            if !read {
                return Turn::Open;
            }
        }
    }

    /// Reads once; whether there may be more.
    fn read(&mut self) -> Result<bool, ()> {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
        if self.end == self.buffer.len() {
            if self.begin > 0 {
                self.buffer.copy_within(self.begin..self.end, 0);
                (self.begin, self.end) = (0, self.end - self.begin);
            }
            if self.buffer.len() - self.end < ROOM_OCTETS / 2 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        match self.stream.read(&mut self.buffer[self.end..]) {
            Ok(0) => Err(()),
            Ok(count) => {
                self.end += count;
                // a read that leaves room has emptied the socket: what comes later is a new event
                Ok(self.end == self.buffer.len())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(_) => Err(()),
        }
    }

    fn understand(&mut self, judge: &mut Judge) {
        loop {
            match self.state {
                State::Held => return,
                State::Commands => {
                    let input = &self.buffer[self.begin..self.end];
                    let Some(at) = memchr(b'\n', input) else { return };
                    let line = self.begin..self.begin + at + 1;
                    self.begin = line.end;
                    self.command(line);
                }
                State::Content(looked) => {
                    let input = &self.buffer[self.begin..self.end];
                    match memmem::find(&input[looked.min(input.len())..], END) {
                        None => {
                            self.state = State::Content(input.len().saturating_sub(END.len() - 1));
                            return;
                        }
                        Some(at) => {
                            let content = self.begin..self.begin + looked + at + 2;
                            self.begin = content.end + 3;
                            self.content(content, judge);
                        }
                    }
                }
            }
        }
    }

    fn command(&mut self, line: std::ops::Range<usize>) {
        let line = &self.buffer[line];
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let reply: &[u8] = match verb.as_slice() {
            b"EHLO" => b"250-sink.load.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 200000000\r\n",
            b"HELO" => b"250 sink.load.example\r\n",
            b"MAIL" => {
                self.is_null = memmem::find(line, b"<>").is_some();
                self.recipients.clear();
                b"250 2.1.0 Ok\r\n"
            }
            b"RCPT" => {
                self.recipients.push(recipient(line).unwrap_or(usize::MAX));
                b"250 2.1.5 Ok\r\n"
            }
            b"DATA" => {
                self.state = State::Content(0);
                b"354 Go on\r\n"
            }
            b"RSET" | b"NOOP" => b"250 2.0.0 Ok\r\n",
            b"QUIT" => {
                self.quits = true;
                b"221 2.0.0 Bye\r\n"
            }
            _ => b"502 5.5.1 Not here\r\n",
        };
        self.output.extend_from_slice(reply);
    }

    /// Content has come whole.
    fn content(&mut self, content: std::ops::Range<usize>, judge: &mut Judge) {
        let content = &self.buffer[content];
        let tally = &judge.tally;
        self.message = None;
        if self.is_null {
            tally.notifications.fetch_add(1, Relaxed);
        } else {
            match judge.finder.number(content).filter(|number| tally.knows(*number, &self.recipients)) {
                None => _ = tally.strangers.fetch_add(1, Relaxed),
                Some(_) if !content.ends_with(&judge.body) => _ = tally.changed.fetch_add(1, Relaxed),
                number => self.message = number,
            }
        }
        match fate(judge) {
            Fate::Deferred => {
                judge.tally.deferred.fetch_add(1, Relaxed);
                self.reply(b"451 4.3.0 Come again\r\n");
            }
            Fate::Bounced => {
                judge.tally.bounced.fetch_add(self.recipients.len() as u64, Relaxed);
                self.reply(b"550 5.7.1 Not this one\r\n");
            }
            Fate::Taken if judge.hop.delay_milliseconds > 0 => self.state = State::Held,
            Fate::Taken => self.take(judge),
        }
    }

    /// Gives the reply that was held back.
    pub(super) fn release(&mut self, judge: &Judge) {
        self.take(judge);
    }

    fn take(&mut self, judge: &Judge) {
        if let Some(message) = self.message {
            judge.tally.deliver(message, &self.recipients);
        }
        self.reply(b"250 2.0.0 Ok: taken\r\n");
    }

    fn reply(&mut self, reply: &[u8]) {
        self.state = State::Commands;
        self.output.extend_from_slice(reply);
    }

    fn write(&mut self) -> Result<(), ()> {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(written) => _ = self.output.drain(..written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(()),
            }
        }
        Ok(())
    }
}

/// Spreads the shares evenly: of each hundred messages so many, scattered.
fn fate(judge: &mut Judge) -> Fate {
    // 37 and 100 have no common divisor: every number below 100 comes once
    let number = judge.count * 37 % 100;
    judge.count += 1;
    if number < judge.hop.deferred_percent {
        Fate::Deferred
    } else if number < judge.hop.deferred_percent + judge.hop.bounced_percent {
        Fate::Bounced
    } else {
        Fate::Taken
    }
}

/// The number in `RCPT TO:<r17@…>`.
fn recipient(line: &[u8]) -> Option<usize> {
    let at = memmem::find(line, b"<r")? + 2;
    let end = at + memchr(b'@', &line[at..])?;
    std::str::from_utf8(&line[at..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::recipient;

    #[test]
    fn recipients_are_numbered() {
        assert_eq!(recipient(b"RCPT TO:<r17@load.example>\r\n"), Some(17));
        assert_eq!(recipient(b"RCPT TO:<x@load.example>\r\n"), None);
    }
}
