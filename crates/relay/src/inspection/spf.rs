//! Whether the SPF record of a name lets the relay send with it (RFC 7208), and where it does not, what of it says so.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

use super::{Answers, Kind, Question, Said};
use crate::verification::plain;

/// Terms that ask DNS, in all records together (RFC 7208 §4.6.4).
const LOOKUPS_MAX: usize = 10;
/// Of these, those to which there is no answer.
const VOID_LOOKUPS_MAX: usize = 2;
/// Mail servers of one `mx` whose addresses are asked for.
const MAIL_SERVERS_MAX: usize = 10;

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
    /// It has a macro, which we do not work out: receivers may.
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
        let mut evaluation = Evaluation { source: *source, answers, lookups: 0, voids: 0 };
        match evaluation.record(name, 0) {
            Ok(Some(Verdict { passes: true, .. })) => {}
            Ok(verdict) => {
                let term = verdict.map(|verdict| verdict.term);
                return Ok(Spf::Refused { address: *source, term });
            }
            Err(Stop::Ask(question)) => return Err(question),
            Err(Stop::Unknown(fault)) => return Ok(Spf::Unknown { fault }),
            Err(Stop::Broken { name, term, problem }) => return Ok(Spf::Broken { name, term, problem }),
        }
    }
    Ok(Spf::Pass)
}

/// The SPF records of a name; the inner error is a fault of DNS.
fn records(name: &str, answers: &Answers) -> Result<Result<Vec<String>, String>, Question> {
    Ok(match &answers.of(name, Kind::Txt)?.said {
        Said::Nothing => Ok(Vec::new()),
        Said::Fault(fault) => Err(fault.clone()),
        Said::Found(texts) => Ok(texts.iter().filter(|text| is_spf(text)).cloned().collect()),
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
struct Verdict {
    passes: bool,
    term: String,
}

/// The addresses of a name, of the family of the source.
struct Evaluation<'a> {
    source: IpAddr,
    answers: &'a Answers,
    lookups: usize,
    voids: usize,
}

/// A term of a record, taken apart, and whose it is.
struct Term<'t> {
    of: &'t str,
    whole: &'t str,
    /// Behind `:` or `=`; empty: the name itself.
    value: &'t str,
    /// The lengths of a network's prefix, for IPv4 and IPv6.
    prefix: (u8, u8),
}

impl Term<'_> {
    fn broken(&self, problem: Problem) -> Stop {
        Stop::Broken { name: plain(self.of), term: plain(self.whole), problem }
    }
}

impl Evaluation<'_> {
    /// The first term of the record of a name that says something of the source; none where none does.
    fn record(&mut self, name: &str, depth: usize) -> Result<Option<Verdict>, Stop> {
        let spoken = records(name, self.answers).map_err(Stop::Ask)?.map_err(Stop::Unknown)?;
        // the caller looked whether there is one
        let Some(record) = spoken.first() else { return Ok(None) };
        let mut redirect = None;
        for whole in record.split(' ').skip(1).filter(|term| !term.is_empty()) {
            let of = name;
            if whole.contains('%') {
                return Err(Term { of, whole, value: "", prefix: (32, 128) }.broken(Problem::Macro));
            }
            if let Some((modifier, value)) = modifier(whole) {
                if modifier.eq_ignore_ascii_case("redirect") {
                    redirect = Some(Term { of, whole, value, prefix: (32, 128) });
                }
                continue;
            }
            let (passes, mechanism) = match whole.as_bytes()[0] {
                b'+' => (true, &whole[1..]),
                b'-' | b'~' | b'?' => (false, &whole[1..]),
                _ => (true, whole),
            };
            if self.matches(of, whole, mechanism, depth)? {
                return Ok(Some(Verdict { passes, term: plain(whole) }));
            }
        }
        let Some(redirect) = redirect else { return Ok(None) };
        self.look_up(&redirect)?;
        self.is_one(&redirect)?;
        self.record(redirect.value, depth + 1)
    }

    fn matches(&mut self, of: &str, whole: &str, mechanism: &str, depth: usize) -> Result<bool, Stop> {
        let (kind, rest) = mechanism.split_at(mechanism.find([':', '/']).unwrap_or(mechanism.len()));
        let is_network = kind.eq_ignore_ascii_case("ip4") || kind.eq_ignore_ascii_case("ip6");
        let (value, prefix) = if is_network { (rest, None) } else { split_prefix(rest) };
        let bare = Term { of, whole, value: value.strip_prefix(':').unwrap_or(value), prefix: (32, 128) };
        let Some(prefix) = prefix.map_or(Some((32, 128)), prefix_lengths) else {
            return Err(bare.broken(Problem::Syntax));
        };
        let term = Term { prefix, ..bare };
        match kind.to_ascii_lowercase().as_str() {
            "all" if rest.is_empty() => Ok(true),
            "ip4" | "ip6" => self.is_in(&term, kind.ends_with('6')),
            "include" if !term.value.is_empty() => {
                self.look_up(&term)?;
                self.is_one(&term)?;
                Ok(self.record(term.value, depth + 1)?.is_some_and(|verdict| verdict.passes))
            }
            "a" => {
                self.look_up(&term)?;
                let host = if term.value.is_empty() { of } else { term.value };
                self.has_address(host, &term, true)
            }
            "mx" => self.mail_servers(&term),
            "exists" if !term.value.is_empty() => {
                self.look_up(&term)?;
                Ok(!self.ask(term.value, Kind::A, &term, true)?.is_empty())
            }
            // asks for what the address is called, of which receivers make less and less (RFC 7208 §5.5)
            "ptr" => self.look_up(&term).map(|()| false),
            _ => Err(term.broken(Problem::Syntax)),
        }
    }

    /// One look-up more.
    fn look_up(&mut self, term: &Term<'_>) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUPS_MAX { Err(term.broken(Problem::Lookups)) } else { Ok(()) }
    }

    /// Whether the name that a term leads to has one record.
    fn is_one(&self, term: &Term<'_>) -> Result<(), Stop> {
        let spoken = records(term.value, self.answers).map_err(Stop::Ask)?.map_err(Stop::Unknown)?;
        if spoken.len() == 1 { Ok(()) } else { Err(term.broken(Problem::Include)) }
    }

    fn is_in(&self, term: &Term<'_>, six: bool) -> Result<bool, Stop> {
        let syntax = || term.broken(Problem::Syntax);
        let network: Result<ipnet::IpNet, _> = match term.value.contains('/') {
            true => term.value.parse().map_err(|_| syntax()),
            false => term.value.parse::<IpAddr>().map(ipnet::IpNet::from).map_err(|_| syntax()),
        };
        let network = network?;
        if network.addr().is_ipv6() != six {
            return Err(syntax());
        }
        Ok(network.contains(&self.source))
    }

    /// Whether a host has the source, or an address in its network.
    fn has_address(&mut self, host: &str, term: &Term<'_>, counts: bool) -> Result<bool, Stop> {
        let (kind, length) = match self.source {
            IpAddr::V4(_) => (Kind::A, term.prefix.0),
            IpAddr::V6(_) => (Kind::Aaaa, term.prefix.1),
        };
        let addresses = self.ask(host, kind, term, counts)?;
        let network = |address: &String| ipnet::IpNet::new(address.parse().ok()?, length).ok();
        Ok(addresses.iter().filter_map(network).any(|network| network.contains(&self.source)))
    }

    fn mail_servers(&mut self, term: &Term<'_>) -> Result<bool, Stop> {
        self.look_up(term)?;
        let domain = if term.value.is_empty() { term.of } else { term.value };
        let servers = self.ask(domain, Kind::Mx, term, true)?;
        for server in servers.iter().take(MAIL_SERVERS_MAX) {
            let host = server.rsplit(' ').next().unwrap_or_default();
            if !host.is_empty() && self.has_address(host, term, false)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is at a name; nothing counts as a void look-up.
    fn ask(&mut self, name: &str, kind: Kind, term: &Term<'_>, counts: bool) -> Result<Vec<String>, Stop> {
        match &self.answers.of(name, kind).map_err(Stop::Ask)?.said {
            Said::Found(records) => Ok(records.clone()),
            Said::Fault(fault) => Err(Stop::Unknown(fault.clone())),
            Said::Nothing => {
                self.voids += usize::from(counts);
                if self.voids > VOID_LOOKUPS_MAX { Err(term.broken(Problem::Void)) } else { Ok(Vec::new()) }
            }
        }
    }
}

/// A modifier, `NAME=VALUE` (RFC 7208 §6).
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    is_name.then_some((name, value))
}

/// A mechanism's value, and the lengths of a prefix behind it.
fn split_prefix(rest: &str) -> (&str, Option<&str>) {
    match rest.find('/') {
        Some(place) => (&rest[..place], Some(&rest[place..])),
        None => (rest, None),
    }
}

/// `/24`, `//64` or `/24//64` (RFC 7208 §5.6).
fn prefix_lengths(given: &str) -> Option<(u8, u8)> {
    let length = |text: &str, most: u8| text.parse::<u8>().ok().filter(|length| *length <= most);
    match given.split_once("//") {
        Some(("", six)) => Some((32, length(six, 128)?)),
        Some((four, six)) => Some((length(four.strip_prefix('/')?, 32)?, length(six, 128)?)),
        None => Some((length(given.strip_prefix('/')?, 32)?, 128)),
    }
}
