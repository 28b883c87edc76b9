//! Who vouches for a message that comes in: what SPF says of whoever brings it (RFC 7208) and what its DKIM signatures are worth (RFC
//! 6376), by the names of RFC 8601.
//!
//! That a domain vouches says who answers for a message, and not that what it says is true.

use message::addressed;
use message::dkim::{self, Checked, KeyRecord};
use serde::{Deserialize, Serialize};
use smtp::address::ReversePath;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::dmarc_report::is_below;
use crate::inspection::{Answers, Kind, Question, Said, spf};

/// Octets of a domain's name (RFC 1035 §2.3.4).
const DOMAIN_OCTETS_MAX: usize = 253;
/// Recipients in a header section beyond which it is not searched for its From.
const ADDRESSED_MAX: usize = 1_000;

/// What came of a check (RFC 8601 §2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// There is nothing to check: no record, no signature.
    None,
    /// It is right.
    Pass,
    /// It is not: the domain says that the message is none of its own; a signature that was changed on the way fails, too.
    Fail,
    /// The domain thinks that it is none of its own.
    SoftFail,
    /// Nothing is said for or against it, or it is of a kind that is not looked at.
    Neutral,
    /// DNS could not say.
    TempError,
    /// What is published cannot be used.
    PermError,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 7] = [
        Verdict::None,
        Verdict::Pass,
        Verdict::Fail,
        Verdict::SoftFail,
        Verdict::Neutral,
        Verdict::TempError,
        Verdict::PermError,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::None => "none",
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::SoftFail => "softfail",
            Verdict::Neutral => "neutral",
            Verdict::TempError => "temperror",
            Verdict::PermError => "permerror",
        }
    }
}

impl FromStr for Verdict {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Verdict::ALL.into_iter().find(|verdict| verdict.name() == name).ok_or(())
    }
}

/// What came of one way to check, and of which domain it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// What came of it.
    pub verdict: Verdict,
    /// The domain, in small letters; empty where there is none.
    pub domain: String,
}

impl Method {
    /// Of a domain that a stranger names; one that DNS could not have is none.
    fn new(verdict: Verdict, domain: &str) -> Method {
        let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
        let is_domain = domain.len() <= DOMAIN_OCTETS_MAX && domain.bytes().all(is_letter);
        Method { verdict, domain: if is_domain { domain.to_ascii_lowercase() } else { String::new() } }
    }

    /// The domain, where it vouches.
    fn passes_for(&self) -> Option<&str> {
        (self.verdict == Verdict::Pass && !self.domain.is_empty()).then_some(self.domain.as_str())
    }
}

/// What is known of who vouches for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Authentication {
    /// Whether the address may send for the domain of MAIL FROM; where that is the null reverse-path, for the name of EHLO.
    pub spf: Method,
    /// Whether SPF's domain is the name of EHLO; false where no domain is known.
    of_hello: bool,
    /// Of the signatures the one that says most: one that is right, of the domain in From before others.
    pub dkim: Method,
}

impl Authentication {
    /// A name of EHLO that no domain could have, such as an address literal, is not told from no domain: both are read back alike.
    fn new(spf: Method, of_hello: bool, dkim: Method) -> Authentication {
        Authentication { of_hello: of_hello && !spf.domain.is_empty(), spf, dkim }
    }

    /// The domain that vouches for the message; none: nobody does, as far as could be found out.
    pub fn vouched_by(&self) -> Option<&str> {
        self.dkim.passes_for().or(self.spf.passes_for())
    }

    /// Whether the domain that it is sent for says that it is none of its own, and no signature says otherwise.
    pub fn is_disowned(&self) -> bool {
        self.spf.verdict == Verdict::Fail && !matches!(self.dkim.verdict, Verdict::Pass | Verdict::TempError)
    }

    /// Whether nobody vouches for it, and DNS could not say all there is to say.
    pub fn is_unknown(&self) -> bool {
        let could_not = [&self.spf, &self.dkim].iter().any(|method| method.verdict == Verdict::TempError);
        self.vouched_by().is_none() && could_not
    }
}

/// As RFC 8601 §2.2 writes results: `spf=pass smtp.helo=mx.example.org; dkim=none`.
impl fmt::Display for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_spf = if self.of_hello { "smtp.helo" } else { "smtp.mailfrom" };
        let property = |name: &str, method: &Method| match method.domain.as_str() {
            "" => String::new(),
            domain => format!(" {name}={domain}"),
        };
        write!(f, "spf={}{}", self.spf.verdict.name(), property(of_spf, &self.spf))?;
        write!(f, "; dkim={}{}", self.dkim.verdict.name(), property("header.d", &self.dkim))
    }
}

/// What is written otherwise, as by a later version, is nothing that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these are no results of SPF and DKIM")]
pub struct Unreadable;

impl FromStr for Authentication {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let method = |text: &str, name: &str| {
            let (verdict, property) = text.strip_prefix(name)?.split_once(' ').unwrap_or((&text[name.len()..], ""));
            let (property, domain) = property.split_once('=').unwrap_or(("", ""));
            Some((Method::new(verdict.parse().ok()?, domain), property == "smtp.helo"))
        };
        let (spf, dkim) = text.split_once("; ").ok_or(Unreadable)?;
        let (spf, of_hello) = method(spf, "spf=").ok_or(Unreadable)?;
        let (dkim, _) = method(dkim, "dkim=").ok_or(Unreadable)?;
        Ok(Authentication::new(spf, of_hello, dkim))
    }
}

impl From<Authentication> for String {
    fn from(known: Authentication) -> String {
        known.to_string()
    }
}

impl TryFrom<String> for Authentication {
    type Error = Unreadable;

    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

/// Who brings a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bringer {
    /// What SPF judges by.
    sender: spf::Sender,
    of_hello: bool,
}

impl Bringer {
    /// Whoever comes from this address, with this name in EHLO and this MAIL FROM.
    pub fn new(address: IpAddr, hello: &str, path: &ReversePath) -> Bringer {
        let hello = hello.trim_end_matches('.').to_ascii_lowercase();
        let (of_hello, local, domain) = match path {
            ReversePath::Null => (true, "postmaster".to_owned(), hello.clone()),
            ReversePath::Mailbox(mailbox) => {
                (false, mailbox.local().to_owned(), mailbox.domain_ascii().to_ascii_lowercase())
            }
        };
        Bringer { sender: spf::Sender { address, local, domain, hello }, of_hello }
    }

    /// What SPF says of them.
    ///
    /// # Errors
    /// What has to be asked first; with the answer it is called again. It ends ([`spf::check`]).
    pub fn spf(&self, answers: &Answers) -> Result<Method, Question> {
        spf::check(&self.sender, answers).map(|verdict| Method::new(verdict, &self.sender.domain))
    }

    /// All that is known of a message that they bring.
    pub fn with(self, spf: Method, dkim: Method) -> Authentication {
        Authentication::new(spf, self.of_hello, dkim)
    }

    /// All that is known where the checks broke off.
    pub fn unknown(self) -> Authentication {
        let spf = Method::new(Verdict::TempError, &self.sender.domain);
        self.with(spf, Method::new(Verdict::TempError, ""))
    }
}

/// What the signatures of a message are worth at this time. It takes as long as hashing it: call it off the async threads.
///
/// # Errors
/// What has to be asked first, all at once: with the answers it is known.
pub fn signatures(content: &[u8], now: Timestamp, answers: &Answers) -> Result<Method, BTreeSet<Question>> {
    let open = RefCell::new(BTreeSet::new());
    let record = |domain: &str, selector: &str| {
        let name = format!("{selector}._domainkey.{domain}").to_ascii_lowercase();
        match answers.of(&name, Kind::Txt).map(|answer| &answer.said) {
            Ok(Said::Found(texts)) => {
                let key = texts.iter().find(|text| dkim::is_key(text));
                key.map_or(KeyRecord::Absent, |text| KeyRecord::Found(text.clone()))
            }
            Ok(Said::Nothing) => KeyRecord::Absent,
            Ok(Said::Fault(_)) => KeyRecord::Unknown,
            Err(question) => {
                open.borrow_mut().insert(question);
                KeyRecord::Unknown
            }
        }
    };
    let checked = dkim::verify(content, now.0 / 1_000, record);
    let open = open.into_inner();
    if open.is_empty() { Ok(best_of(&checked, from_domain(content).as_deref())) } else { Err(open) }
}

/// The signature that says most: a right one of the domain in From or one above it, any right one, one that may be right, a wrong one.
fn best_of(checked: &[Checked], from: Option<&str>) -> Method {
    let is_aligned = |domain: &str| from.is_some_and(|from| is_below(from, domain) || is_below(domain, from));
    let said = |one: &Checked| match one.verdict {
        dkim::Verdict::Pass => Verdict::Pass,
        dkim::Verdict::BodyChanged | dkim::Verdict::Wrong | dkim::Verdict::Expired => Verdict::Fail,
        dkim::Verdict::NoKey => Verdict::PermError,
        dkim::Verdict::Unknown => Verdict::TempError,
        dkim::Verdict::Unchecked => Verdict::Neutral,
    };
    let rank = |one: &&Checked| match said(one) {
        Verdict::Pass if is_aligned(&one.domain) => 0,
        Verdict::Pass => 1,
        Verdict::TempError => 2,
        Verdict::Fail => 3,
        Verdict::PermError => 4,
        _ => 5,
    };
    let best = checked.iter().min_by_key(rank);
    best.map_or_else(|| Method::new(Verdict::None, ""), |one| Method::new(said(one), &one.domain))
}

/// The domain in the From of a message; none where it has no single one.
fn from_domain(content: &[u8]) -> Option<String> {
    let from = addressed::read(content, ADDRESSED_MAX).from?;
    from.rsplit_once('@').map(|(_, domain)| domain.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
