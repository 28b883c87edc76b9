//! A look at what DNS has of a domain, without asking it: which questions are open, and what the answers make.
//!
//! [`look`] is called again with every answer until no question is left. Its records decide what becomes of the domain
//! ([`crate::verification`]); its return-path host and its DMARC policy are told, and refuse nothing.

pub mod dmarc;
pub mod spf;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use crate::clock::Timestamp;
use crate::sending_domain::SendingDomain;
use crate::verification::{self, Check, RecordState, Witness};
use crate::zone::{self, Publisher};

pub use dmarc::Dmarc;
pub use spf::Spf;

/// What is asked for at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// What it is an alias of.
    Cname,
    /// Mail servers.
    Mx,
    /// What an address is called, at its name below `in-addr.arpa` or `ip6.arpa`.
    Ptr,
    /// Texts.
    Txt,
}

/// A question to DNS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// The name, without a final dot.
    pub name: String,
    /// What is wanted of it.
    pub kind: Kind,
}

/// What was said to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// These records: addresses and names as text, a mail server behind its preference, the strings of a text joined.
    Found(Vec<String>),
    /// There is none, or not even the name: an authority says so.
    Nothing,
    /// Nobody could say.
    Fault(String),
}

/// An answer, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was said.
    pub said: Said,
    /// The name server that was asked; none where none was.
    pub server: Option<SocketAddr>,
}

/// The answers of one look.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    all: HashMap<Question, Answer>,
}

impl Answers {
    /// Keeps an answer.
    pub fn put(&mut self, question: Question, answer: Answer) {
        self.all.insert(question, answer);
    }

    /// What was said; the question where it has not been asked.
    pub(crate) fn of(&self, name: &str, kind: Kind) -> Result<&Answer, Question> {
        let question = Question { name: name.to_owned(), kind };
        self.all.get(&question).ok_or(question)
    }
}

/// What DNS has of a domain's return-path host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPath {
    /// Whether bounces would come to the relay: its mail server.
    pub mail: RecordState,
    /// Whether the relay may send with it.
    pub spf: Spf,
}

impl ReturnPath {
    /// Whether all of it is as it should be.
    pub fn is_right(&self) -> bool {
        self.mail == RecordState::Right && self.spf == Spf::Pass
    }
}

/// One look at all that a domain has in DNS, begun at a moment.
///
/// # Errors
/// What has to be asked first; with the answers it is called again. It ends: each question is asked once, and their
/// number is bounded (RFC 7208 §4.6.4, DMARCbis §4.10).
pub fn look(
    domain: &SendingDomain,
    publisher: &Publisher,
    at: Timestamp,
    answers: &Answers,
) -> Result<Check, BTreeSet<Question>> {
    let mut open = BTreeSet::new();
    let mut check = Check::new(at, Vec::with_capacity(domain.keys.len()));
    for key in &domain.keys {
        let name = verification::name(domain, key);
        let found = needed(answers.of(&name, Kind::Txt), &mut open);
        let witness = witness(answers, &name, &mut open);
        if let (Some(found), Some(witness)) = (found, witness) {
            let state = match &found.said {
                Said::Found(texts) => RecordState::of(texts, key),
                Said::Nothing => RecordState::Absent,
                Said::Fault(fault) => RecordState::Unknown { fault: fault.clone() },
            };
            check.records.push((key.selector.clone(), state));
            check.made.extend(key.made_at.map(|made| (key.selector.clone(), made)));
            check.witnesses.push(Witness { server: found.server.or(witness.server), ..witness });
        }
    }
    if let Some(host) = zone::return_path_host(domain) {
        check.witnesses.extend(witness(answers, &host, &mut open));
        check.return_path = return_path(&host, publisher, answers, &mut open);
    }
    let policy = format!("_dmarc.{}", domain.name);
    check.witnesses.extend(witness(answers, &policy, &mut open));
    check.dmarc = needed(dmarc::read(&domain.name, answers), &mut open);
    if open.is_empty() { Ok(check) } else { Err(open) }
}

fn needed<T>(known: Result<T, Question>, open: &mut BTreeSet<Question>) -> Option<T> {
    known.map_err(|question| open.insert(question)).ok()
}

/// What a name is an alias of, and who says so.
fn witness(answers: &Answers, name: &str, open: &mut BTreeSet<Question>) -> Option<Witness> {
    let answer = needed(answers.of(name, Kind::Cname), open)?;
    let alias = match &answer.said {
        Said::Found(names) => names.first().map(|name| verification::plain(name)),
        _ => None,
    };
    Some(Witness { name: name.to_owned(), alias, server: answer.server })
}

fn return_path(
    host: &str,
    publisher: &Publisher,
    answers: &Answers,
    open: &mut BTreeSet<Question>,
) -> Option<ReturnPath> {
    let mail = needed(answers.of(host, Kind::Mx), open);
    // its own record is asked for with the rest, whatever else has to be known before it is judged
    needed(answers.of(host, Kind::Txt), open);
    let spf = sources(publisher, answers, open).and_then(|sources| needed(spf::judge(host, &sources, answers), open));
    let mail = match &mail?.said {
        Said::Found(servers) => mail_state(servers, &publisher.hostname),
        Said::Nothing => RecordState::Absent,
        Said::Fault(fault) => RecordState::Unknown { fault: fault.clone() },
    };
    Some(ReturnPath { mail, spf: spf? })
}

/// Whether these mail servers, `PREFERENCE HOST` each, are the relay and nobody else: bounces that went elsewhere would be
/// lost.
fn mail_state(servers: &[String], hostname: &str) -> RecordState {
    let is_ours = |server: &String| server.rsplit(' ').next() == Some(hostname);
    if servers.iter().all(is_ours) { RecordState::Right } else { RecordState::wrong(servers) }
}

/// The addresses that mail comes from: those that are configured, else those of the relay's name.
fn sources(publisher: &Publisher, answers: &Answers, open: &mut BTreeSet<Question>) -> Option<Vec<IpAddr>> {
    if !publisher.addresses.is_empty() {
        return Some(publisher.addresses.clone());
    }
    let found = [Kind::A, Kind::Aaaa].map(|kind| needed(answers.of(&publisher.hostname, kind), open));
    let mut sources = Vec::new();
    for answer in found {
        if let Said::Found(addresses) = &answer?.said {
            sources.extend(addresses.iter().filter_map(|address| address.parse::<IpAddr>().ok()));
        }
    }
    Some(sources)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
