//! An SPF record taken apart (RFC 7208 §4.6.1, §5, §6): whole, before any term of it is looked at, since one that is wrong makes the
//! record one that cannot be used.

use ipnet::IpNet;
use std::net::IpAddr;

use super::Qualifier;
use super::macros;

/// The lengths of a network's prefix, for IPv4 and IPv6.
pub(super) type Prefix = (u8, u8);

/// What a term asks of the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanism<'t> {
    /// Nothing: it matches.
    All,
    /// To be in this network.
    Network(IpNet),
    /// To pass by the record of this name.
    Include(&'t str),
    /// To be one of this name's, or in its network; empty: of the name whose record it is.
    Address(&'t str, Prefix),
    /// To be one of its mail servers', likewise.
    MailServers(&'t str, Prefix),
    /// That there is such a name.
    Exists(&'t str),
    /// To be called so, or by a name below; empty: so as the name whose record it is.
    Reverse(&'t str),
}

/// A term that says something of the address where it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive<'t> {
    /// As it stands there.
    pub(super) whole: &'t str,
    /// What it says.
    pub(super) qualifier: Qualifier,
    /// When it matches.
    pub(super) mechanism: Mechanism<'t>,
}

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record<'t> {
    /// Its terms, in order.
    pub(super) directives: Vec<Directive<'t>>,
    /// Where none matches: the term, and the name whose record holds instead.
    pub(super) redirect: Option<(&'t str, &'t str)>,
}

/// Takes a record apart.
///
/// # Errors
/// The first term that is none.
pub(super) fn parse(record: &str) -> Result<Record<'_>, &str> {
    let mut parsed = Record::default();
    for whole in record.split(' ').skip(1).filter(|term| !term.is_empty()) {
        match modifier(whole) {
            Some((name, value)) if name.eq_ignore_ascii_case("redirect") => {
                if !is_name(value) || parsed.redirect.replace((whole, value)).is_some() {
                    return Err(whole);
                }
            }
            Some(_) => {}
            None => parsed.directives.push(directive(whole).ok_or(whole)?),
        }
    }
    Ok(parsed)
}

/// A modifier, `NAME=VALUE` (RFC 7208 §6).
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    is_name.then_some((name, value))
}

fn directive(whole: &str) -> Option<Directive<'_>> {
    let (qualifier, mechanism) = match whole.as_bytes()[0] {
        b'+' => (Qualifier::Pass, &whole[1..]),
        b'-' => (Qualifier::Fail, &whole[1..]),
        b'~' => (Qualifier::SoftFail, &whole[1..]),
        b'?' => (Qualifier::Neutral, &whole[1..]),
        _ => (Qualifier::Pass, whole),
    };
    let (kind, rest) = mechanism.split_at(mechanism.find([':', '/']).unwrap_or(mechanism.len()));
    let named = || rest.strip_prefix(':').filter(|value| is_name(value));
    let mechanism = match kind.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Mechanism::All,
        "ip4" => Mechanism::Network(network(rest, false)?),
        "ip6" => Mechanism::Network(network(rest, true)?),
        "include" => Mechanism::Include(named()?),
        "exists" => Mechanism::Exists(named()?),
        "a" => host(rest).map(|(name, prefix)| Mechanism::Address(name, prefix))?,
        "mx" => host(rest).map(|(name, prefix)| Mechanism::MailServers(name, prefix))?,
        "ptr" if rest.is_empty() => Mechanism::Reverse(""),
        "ptr" => Mechanism::Reverse(named()?),
        _ => return None,
    };
    Some(Directive { whole, qualifier, mechanism })
}

/// Whether a value is a name, or macros that make one.
fn is_name(value: &str) -> bool {
    !value.is_empty() && (!value.contains('%') || macros::is_one(value))
}

fn network(rest: &str, six: bool) -> Option<IpNet> {
    let value = rest.strip_prefix(':')?;
    let network = match value.contains('/') {
        true => value.parse().ok()?,
        false => value.parse::<IpAddr>().map(IpNet::from).ok()?,
    };
    Some(network).filter(|network: &IpNet| network.addr().is_ipv6() == six)
}

/// A name, where there is one, and a prefix behind it (RFC 7208 §5.3).
fn host(rest: &str) -> Option<(&str, Prefix)> {
    // a slash in a macro parts what that stands for
    let behind = rest.rfind('}').unwrap_or(0);
    let (name, given) = match rest[behind..].find('/') {
        Some(place) => rest.split_at(behind + place),
        None => (rest, ""),
    };
    let prefix = if given.is_empty() { (32, 128) } else { prefix_lengths(given)? };
    match name.strip_prefix(':') {
        Some(name) => is_name(name).then_some((name, prefix)),
        None => name.is_empty().then_some(("", prefix)),
    }
}

/// `/24`, `//64` or `/24//64` (RFC 7208 §5.6).
fn prefix_lengths(given: &str) -> Option<Prefix> {
    let length = |text: &str, most: u8| text.parse::<u8>().ok().filter(|length| *length <= most);
    match given.split_once("//") {
        Some(("", six)) => Some((32, length(six, 128)?)),
        Some((four, six)) => Some((length(four.strip_prefix('/')?, 32)?, length(six, 128)?)),
        None => Some((length(given.strip_prefix('/')?, 32)?, 128)),
    }
}
