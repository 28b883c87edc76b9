//! One outbound transaction: its commands, all at once or step by step, and what each recipient was told.

use bytes::{BufMut, BytesMut};
use std::collections::VecDeque;
use std::fmt::Write;

use super::{Asked, Capabilities, Fault, Found, Stage, Transaction};
use crate::dsn::ascii_orcpt;
use crate::envelope::RcptParameters;
use crate::reply::Reply;

/// A command of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Reset,
    Mail,
    /// The recipient at this place.
    Recipient(usize),
    Data,
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The reply to a command of this stage is awaited.
    Commands(Stage),
    /// The content is to be written, or being written.
    Content,
    /// The content was written: its reply is awaited.
    End,
    /// Nobody takes the content, yet it was asked for: the reply to an empty one is awaited (RFC 2920 §3.1).
    LoneDot,
}

/// How a transaction ended.
#[derive(Debug)]
pub(super) struct End {
    /// One for each recipient.
    pub(super) found: Vec<Found>,
    /// The next transaction must begin with RSET.
    pub(super) needs_reset: bool,
    /// The conversation is over with it.
    pub(super) over: bool,
}

/// One transaction.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Commands not yet sent, each with the octets it takes from `octets`.
    unsent: VecDeque<(Command, usize)>,
    /// Their octets.
    octets: BytesMut,
    /// Commands sent and not answered, the oldest first.
    awaited: VecDeque<Command>,
    /// What each recipient was told; none while it is accepted or not yet answered.
    found: Vec<Option<Found>>,
    /// Recipients accepted.
    accepted: usize,
    pipelining: bool,
    mail_refused: bool,
    phase: Phase,
}

impl Exchange {
    /// A transaction with its commands ready to be sent.
    pub(super) fn new(
        transaction: &Transaction<'_>,
        offered: &Capabilities,
        says_require_tls: bool,
        needs_reset: bool,
    ) -> Exchange {
        let mut exchange = Exchange {
            unsent: VecDeque::with_capacity(transaction.recipients.len() + 3),
            octets: BytesMut::with_capacity(64 * (transaction.recipients.len() + 3)),
            awaited: VecDeque::new(),
            found: vec![None; transaction.recipients.len()],
            accepted: 0,
            pipelining: offered.pipelining,
            mail_refused: false,
            phase: Phase::Commands(Stage::Mail),
        };
        if needs_reset {
            exchange.push(Command::Reset, format_args!("RSET"));
        }
        let size = if offered.size { format!(" SIZE={}", transaction.octets) } else { String::new() };
        let body = if transaction.needs_eight_bit { " BODY=8BITMIME" } else { "" };
        let utf8 = if transaction.needs_smtputf8 { " SMTPUTF8" } else { "" };
        let tls = if says_require_tls { " REQUIRETLS" } else { "" };
        let mail = if offered.dsn { of_mail(&transaction.asked) } else { String::new() };
        let value = transaction.priority;
        let priority = if offered.priority { format!(" MT-PRIORITY={value}") } else { String::new() };
        let path = transaction.reverse_path;
        exchange.push(Command::Mail, format_args!("MAIL FROM:<{path}>{size}{body}{utf8}{tls}{mail}{priority}"));
        for (place, recipient) in transaction.recipients.iter().enumerate() {
            let asked = transaction.asked.recipients.get(place).filter(|_| offered.dsn);
            let asked = asked.map(|asked| of_recipient(asked, transaction.needs_smtputf8)).unwrap_or_default();
            exchange.push(Command::Recipient(place), format_args!("RCPT TO:<{recipient}>{asked}"));
        }
        exchange.push(Command::Data, format_args!("DATA"));
        exchange
    }

    fn push(&mut self, command: Command, line: std::fmt::Arguments<'_>) {
        let before = self.octets.len();
        // writing into BytesMut cannot fail: it grows
        let _ = self.octets.write_fmt(line);
        self.octets.put_slice(b"\r\n");
        self.unsent.push_back((command, self.octets.len() - before));
    }

    /// Sends what may be sent now: everything with PIPELINING, else the next command.
    pub(super) fn send(&mut self, out: &mut BytesMut) {
        if self.pipelining {
            self.awaited.extend(self.unsent.drain(..).map(|(command, _)| command));
            out.unsplit(self.octets.split());
        } else if let Some((command, octets)) = self.unsent.pop_front() {
            self.awaited.push_back(command);
            out.unsplit(self.octets.split_to(octets));
        }
        self.watch();
    }

    /// The phase follows the oldest unanswered command.
    fn watch(&mut self) {
        if let Some(command) = self.awaited.front() {
            self.phase = Phase::Commands(match command {
                Command::Reset | Command::Mail => Stage::Mail,
                Command::Recipient(_) => Stage::Recipient,
                Command::Data => Stage::Data,
            });
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn wants_content(&self) -> bool {
        self.phase == Phase::Content
    }

    pub(super) fn content_sent(&mut self) {
        if self.phase == Phase::Content {
            self.phase = Phase::End;
        }
    }

    /// Takes the next reply; how the transaction ended, where it did.
    pub(super) fn on_reply(&mut self, reply: Reply, out: &mut BytesMut) -> Option<End> {
        match self.phase {
            Phase::Commands(stage) if reply.code == 421 => Some(self.closed(stage, reply)),
            Phase::Commands(_) => {
                let command = self.awaited.pop_front()?;
                let end = self.on_answer(command, reply, out);
                if end.is_none() && self.awaited.is_empty() && matches!(self.phase, Phase::Commands(_)) {
                    self.send(out);
                } else {
                    self.watch();
                }
                end
            }
            // said before the content was whole: a refusal is one, anything else cannot be meant for it
            Phase::Content if reply.code >= 400 => Some(self.closed(Stage::Content, reply)),
            Phase::End if reply.code == 421 => Some(self.closed(Stage::Content, reply)),
            Phase::End if !(300..400).contains(&reply.code) => {
                self.settle_rest(Stage::Content, &reply);
                Some(self.end(false))
            }
            Phase::LoneDot if reply.code != 421 => Some(self.end(false)),
            Phase::LoneDot => Some(self.closed(Stage::Data, reply)),
            Phase::Content | Phase::End => Some(self.out_of_turn(&reply)),
        }
    }

    fn on_answer(&mut self, command: Command, reply: Reply, out: &mut BytesMut) -> Option<End> {
        match (command, reply.code) {
            (Command::Data, 300..=399) if self.accepted > 0 => self.phase = Phase::Content,
            (Command::Data, 300..=399) => {
                out.extend_from_slice(b".\r\n");
                self.phase = Phase::LoneDot;
            }
            (Command::Data, 400..) => {
                self.settle_rest(Stage::Data, &reply);
                return Some(self.end(!self.mail_refused));
            }
            (Command::Mail, 400..) => {
                self.settle_rest(Stage::Mail, &reply);
                self.mail_refused = true;
                if !self.pipelining {
                    return Some(self.end(false));
                }
            }
            (Command::Recipient(place), 400..) => {
                self.found[place].get_or_insert(Found::Replied(Stage::Recipient, reply));
                // without pipelining the last recipient decides whether DATA is said at all
                if self.unsent.front().is_some_and(|(next, _)| *next == Command::Data) && self.accepted == 0 {
                    return Some(self.end(true));
                }
            }
            (Command::Recipient(_), 200..=299) if !self.mail_refused => self.accepted += 1,
            (Command::Reset | Command::Mail | Command::Recipient(_), 200..=299) => {}
            _ => return Some(self.out_of_turn(&reply)),
        }
        None
    }

    /// Tells everybody who was not refused this reply.
    fn settle_rest(&mut self, stage: Stage, reply: &Reply) {
        for found in self.found.iter_mut().filter(|found| found.is_none()) {
            *found = Some(Found::Replied(stage, reply.clone()));
        }
    }

    /// The next hop ends the conversation with this reply.
    fn closed(&mut self, stage: Stage, reply: Reply) -> End {
        self.settle_rest(stage, &reply);
        End { over: true, ..self.end(false) }
    }

    fn out_of_turn(&mut self, reply: &Reply) -> End {
        let found = self.fail(Fault::Protocol(format!("a reply out of turn: {reply}")));
        End { found, needs_reset: false, over: true }
    }

    fn end(&mut self, needs_reset: bool) -> End {
        End { found: self.fail(Fault::Protocol("no reply for this recipient".into())), needs_reset, over: false }
    }

    /// What every recipient was told; those that were told nothing get this fault.
    pub(super) fn fail(&mut self, fault: Fault) -> Vec<Found> {
        let rest = || Found::Failed(fault.clone());
        std::mem::take(&mut self.found).into_iter().map(|found| found.unwrap_or_else(rest)).collect()
    }
}

/// What MAIL says about notifications.
fn of_mail(asked: &Asked<'_>) -> String {
    let ret = asked.ret.map(|ret| format!(" RET={}", ret.keyword())).unwrap_or_default();
    let envid = asked.envid.map(|envid| format!(" ENVID={envid}")).unwrap_or_default();
    ret + &envid
}

/// What RCPT says about notifications. `smtputf8`: the transaction takes text beyond ASCII.
fn of_recipient(asked: &RcptParameters, smtputf8: bool) -> String {
    let notify = asked.notify.map(|notify| format!(" NOTIFY={notify}")).unwrap_or_default();
    let orcpt = asked.orcpt.as_deref().and_then(|orcpt| if smtputf8 { Some(orcpt.into()) } else { ascii_orcpt(orcpt) });
    notify + &orcpt.map(|orcpt| format!(" ORCPT={orcpt}")).unwrap_or_default()
}
