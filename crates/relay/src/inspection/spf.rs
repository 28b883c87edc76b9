//! What SPF says of an address (RFC 7208): whether the record of a name lets the relay send with it, and where it does not, what of
//! it says so; and of one who sends to us.

mod macros;
mod term;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

use super::{Answers, Kind, Question, Said};
use crate::authentication::Verdict;
use crate::dmarc_report::is_below;
use crate::verification::plain;
use term::{Mechanism, Prefix, Record};

pub use macros::{Sender, reversed};

/// Terms that ask DNS, in all records together (RFC 7208 §4.6.4).
const LOOKUPS_MAX: usize = 10;
/// Of these, those to which there is no answer.
const VOID_LOOKUPS_MAX: usize = 2;
/// Mail servers of one `mx` (RFC 7208 §4.6.4).
const MAIL_SERVERS_MAX: usize = 10;
/// Names of an address that `ptr` looks at (RFC 7208 §4.6.4).
const NAMES_MAX: usize = 10;
/// Octets of a record: ever so many terms are no reason to take them apart again and again.
const RECORD_OCTETS_MAX: usize = 16 * 1024;

/// What a term says of the addresses that it matches (RFC 7208 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// What the SPF record of a name says of the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Spf {
    /// It may send, from every address that it has.
    Pass,
    /// There is no record.
    Absent,
    /// There are several: none of them counts (RFC 7208 §4.5).
    Several,
    /// It may not send.
    Refused {
        /// From this address.
        address: IpAddr,
        /// The term that says so; none: no term lets it.
        term: Option<String>,
    },
    /// The record, or one that it includes, cannot be used.
    Broken {
        /// The name whose record it is.
        name: String,
        /// The term.
        term: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// DNS could not say.
    Unknown {
        /// Why not, in words.
        fault: String,
    },
    /// The record is there; the addresses that the relay sends from are not known.
    Sourceless,
}

/// Why a record cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// No such term, or one that is misspelt.
    Syntax,
    /// The name that it includes has no record, or several.
    Include,
    /// With it DNS would be asked more than ten times.
    Lookups,
    /// More than two of the names that it asks for are not there.
    Void,
    /// It has a macro, which is not worked out where nobody sends: receivers may.
    Macro,
}

impl Problem {
    /// In words, as they go on from "the term".
    pub fn words(self) -> &'static str {
        match self {
            Problem::Syntax => "is not one of SPF",
            Problem::Include => "leads to a name without one SPF record",
            Problem::Lookups => "is one look-up more than the ten that SPF has",
            Problem::Void => "is the third that asks for a name that is not there",
            Problem::Macro => "has a macro, which is not worked out here",
        }
    }
}

/// Judges the SPF record of a name for all these addresses.
///
/// # Errors
/// What has to be asked first.
pub fn judge(name: &str, sources: &[IpAddr], answers: &Answers) -> Result<Spf, Question> {
    let spoken = match records(name, answers)? {
        Err(fault) => return Ok(Spf::Unknown { fault }),
        Ok(spoken) => spoken,
    };
    match spoken.as_slice() {
        [] => return Ok(Spf::Absent),
        [_] if sources.is_empty() => return Ok(Spf::Sourceless),
        [_] => {}
        _ => return Ok(Spf::Several),
    }
    for source in sources {
        match Evaluation::new(*source, None, answers).record(name) {
            Ok(Some(Matched { qualifier: Qualifier::Pass, .. })) => {}
            Ok(matched) => {
                let term = matched.map(|matched| matched.term);
                return Ok(Spf::Refused { address: *source, term });
            }
            Err(Stop::Ask(question)) => return Err(question),
            Err(Stop::Unknown(fault)) => return Ok(Spf::Unknown { fault }),
            Err(Stop::Broken { name, term, problem }) => return Ok(Spf::Broken { name, term, problem }),
        }
    }
    Ok(Spf::Pass)
}

/// What the record of one who sends says of the address that they send from (`check_host()`, RFC 7208 §4).
///
/// # Errors
/// What has to be asked first. It ends: their number is bounded (RFC 7208 §4.6.4).
pub fn check(sender: &Sender, answers: &Answers) -> Result<Verdict, Question> {
    if !is_domain(&sender.domain) {
        return Ok(Verdict::None);
    }
    match records(&sender.domain, answers)? {
        Err(_) => return Ok(Verdict::TempError),
        Ok(spoken) if spoken.is_empty() => return Ok(Verdict::None),
        Ok(spoken) if spoken.len() > 1 => return Ok(Verdict::PermError),
        Ok(_) => {}
    }
    let matched = match Evaluation::new(sender.address, Some(sender), answers).record(&sender.domain) {
        Ok(matched) => matched,
        Err(Stop::Ask(question)) => return Err(question),
        Err(Stop::Unknown(_)) => return Ok(Verdict::TempError),
        Err(Stop::Broken { .. }) => return Ok(Verdict::PermError),
    };
    Ok(match matched.map(|matched| matched.qualifier) {
        Some(Qualifier::Pass) => Verdict::Pass,
        Some(Qualifier::Fail) => Verdict::Fail,
        Some(Qualifier::SoftFail) => Verdict::SoftFail,
        Some(Qualifier::Neutral) | None => Verdict::Neutral,
    })
}

/// Whether a record may be asked for at a name (RFC 7208 §4.3): with two labels and more, as DNS could have it.
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(is_letter)
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label)
}

/// The SPF records of a name; the inner error is a fault of DNS.
fn records<'a>(name: &str, answers: &'a Answers) -> Result<Result<Vec<&'a str>, String>, Question> {
    Ok(match &answers.of(name, Kind::Txt)?.said {
        Said::Nothing => Ok(Vec::new()),
        Said::Fault(fault) => Err(fault.clone()),
        Said::Found(texts) => Ok(texts.iter().map(String::as_str).filter(|text| is_spf(text)).collect()),
    })
}

/// Whether a text is an SPF record (RFC 7208 §4.5).
fn is_spf(text: &str) -> bool {
    let version = text.split(' ').next().unwrap_or_default();
    version.eq_ignore_ascii_case("v=spf1")
}

/// Why an evaluation goes no further.
enum Stop {
    Ask(Question),
    Unknown(String),
    Broken { name: String, term: String, problem: Problem },
}

/// What the first term that matches says.
struct Matched {
    qualifier: Qualifier,
    term: String,
}

/// The way through the records for one address.
struct Evaluation<'a> {
    source: IpAddr,
    /// Who sends; none: that is not asked, and macros are not worked out.
    sender: Option<&'a Sender>,
    answers: &'a Answers,
    lookups: usize,
    voids: usize,
}

/// A term, and whose it is.
#[derive(Clone, Copy)]
struct Term<'t> {
    of: &'t str,
    whole: &'t str,
}

impl Term<'_> {
    fn broken(&self, problem: Problem) -> Stop {
        Stop::Broken { name: plain(self.of), term: plain(self.whole), problem }
    }
}

impl<'a> Evaluation<'a> {
    fn new(source: IpAddr, sender: Option<&'a Sender>, answers: &'a Answers) -> Self {
        Evaluation { source, sender, answers, lookups: 0, voids: 0 }
    }

    /// The first term of the record of a name that says something of the source; none where none does.
    fn record(&mut self, name: &str) -> Result<Option<Matched>, Stop> {
        let spoken = records(name, self.answers).map_err(Stop::Ask)?.map_err(Stop::Unknown)?;
        // the caller looked whether there is one
        let Some(record) = spoken.first() else { return Ok(None) };
        if record.len() > RECORD_OCTETS_MAX {
            return Err(Term { of: name, whole: "v=spf1" }.broken(Problem::Syntax));
        }
        let parsed = term::parse(record);
        let Record { directives, redirect } =
            parsed.map_err(|whole| Term { of: name, whole }.broken(Problem::Syntax))?;
        for directive in &directives {
            if self.matches(Term { of: name, whole: directive.whole }, &directive.mechanism)? {
                return Ok(Some(Matched { qualifier: directive.qualifier, term: plain(directive.whole) }));
            }
        }
        let Some((whole, value)) = redirect else { return Ok(None) };
        let target = self.one_record(Term { of: name, whole }, value)?;
        self.record(&target)
    }

    fn matches(&mut self, term: Term<'_>, mechanism: &Mechanism<'_>) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Network(network) => Ok(network.contains(&self.source)),
            Mechanism::Include(name) => {
                let target = self.one_record(term, name)?;
                let matched = self.record(&target)?;
                Ok(matched.is_some_and(|matched| matched.qualifier == Qualifier::Pass))
            }
            Mechanism::Address(name, prefix) => {
                self.look_up(term)?;
                let host = self.target(term, name)?;
                self.has_address(&host, *prefix, term, true)
            }
            Mechanism::MailServers(name, prefix) => self.mail_servers(term, name, *prefix),
            Mechanism::Exists(name) => {
                self.look_up(term)?;
                let name = self.target(term, name)?;
                Ok(!self.ask(&name, Kind::A, term, true)?.is_empty())
            }
            Mechanism::Reverse(name) => {
                self.look_up(term)?;
                let domain = self.target(term, name)?;
                self.is_called(&domain)
            }
        }
    }

    /// The name that a term speaks of: its own, or, where that is empty, the one whose record it is in.
    fn target<'t>(&self, term: Term<'t>, name: &'t str) -> Result<Cow<'t, str>, Stop> {
        match (name, self.sender) {
            ("", _) => Ok(Cow::Borrowed(term.of)),
            _ if !name.contains('%') => Ok(Cow::Borrowed(name)),
            (_, Some(sender)) => {
                let expanded = macros::expanded(name, sender, term.of);
                expanded.map(Cow::Owned).ok_or_else(|| term.broken(Problem::Syntax))
            }
            (_, None) => Err(term.broken(Problem::Macro)),
        }
    }

    /// One look-up more.
    fn look_up(&mut self, term: Term<'_>) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUPS_MAX { Err(term.broken(Problem::Lookups)) } else { Ok(()) }
    }

    /// The name that a term leads to, which has one record.
    fn one_record<'t>(&mut self, term: Term<'t>, name: &'t str) -> Result<Cow<'t, str>, Stop> {
        self.look_up(term)?;
        let target = self.target(term, name)?;
        let spoken = records(&target, self.answers).map_err(Stop::Ask)?.map_err(Stop::Unknown)?;
        if spoken.len() == 1 { Ok(target) } else { Err(term.broken(Problem::Include)) }
    }

    /// Whether a host has the source, or an address in its network.
    fn has_address(&mut self, host: &str, prefix: Prefix, term: Term<'_>, counts: bool) -> Result<bool, Stop> {
        let (kind, length) = match self.source {
            IpAddr::V4(_) => (Kind::A, prefix.0),
            IpAddr::V6(_) => (Kind::Aaaa, prefix.1),
        };
        let addresses = self.ask(host, kind, term, counts)?;
        let network = |address: &String| ipnet::IpNet::new(address.parse().ok()?, length).ok();
        Ok(addresses.iter().filter_map(network).any(|network| network.contains(&self.source)))
    }

    fn mail_servers(&mut self, term: Term<'_>, name: &str, prefix: Prefix) -> Result<bool, Stop> {
        self.look_up(term)?;
        let domain = self.target(term, name)?;
        let servers = self.ask(&domain, Kind::Mx, term, true)?;
        if servers.len() > MAIL_SERVERS_MAX {
            return Err(term.broken(Problem::Lookups));
        }
        for server in servers {
            let host = server.rsplit(' ').next().unwrap_or_default();
            if !host.is_empty() && self.has_address(host, prefix, term, false)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the source is called by this name, or by one below it, which leads back to it (RFC 7208 §5.5). Whoever has the
    /// address says what it is called, and must not be able to break a record by it: what DNS does not say is no match.
    fn is_called(&self, domain: &str) -> Result<bool, Stop> {
        let said = |name: &str, kind| self.answers.of(name, kind).map(|answer| &answer.said).map_err(Stop::Ask);
        let Said::Found(names) = said(&macros::reverse_name(self.source), Kind::Ptr)? else { return Ok(false) };
        let kind = if self.source.is_ipv4() { Kind::A } else { Kind::Aaaa };
        let is_it = |address: &String| address.parse::<IpAddr>() == Ok(self.source);
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        for name in names.iter().take(NAMES_MAX).filter(|name| is_below(name, domain)) {
            if matches!(said(name, kind)?, Said::Found(addresses) if addresses.iter().any(is_it)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is at a name; nothing counts as a void look-up.
    fn ask(&mut self, name: &str, kind: Kind, term: Term<'_>, counts: bool) -> Result<&'a [String], Stop> {
        match &self.answers.of(name, kind).map_err(Stop::Ask)?.said {
            Said::Found(records) => Ok(records),
            Said::Fault(fault) => Err(Stop::Unknown(fault.clone())),
            Said::Nothing => {
                self.voids += usize::from(counts);
                if self.voids > VOID_LOOKUPS_MAX { Err(term.broken(Problem::Void)) } else { Ok(&[]) }
            }
        }
    }
}
