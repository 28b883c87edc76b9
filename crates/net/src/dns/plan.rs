//! From a domain to the addresses to dial, in order: MX, preference, implicit and null MX, within bounds.

use relay::dice::Dice;
use std::net::IpAddr;
use std::sync::Mutex;

use super::{LookupError, Mx, Resolver, VouchedMx};

/// Why a domain has no hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanFault {
    /// It does not exist, or has neither MX nor address; in words.
    NoSuchDomain(String),
    /// It says that it takes no mail (RFC 7505).
    NullMx,
    /// DNS did not answer usefully; in words.
    Dns(String),
}

/// An address to dial, and the host name that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The host, for EHLO's other end, certificates and people.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
}

/// The hosts that take mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailHosts {
    /// The hosts, the first to try first.
    pub hosts: Vec<String>,
    /// Whether DNSSEC vouches for their names; where the domain is its own host, for that it has no MX.
    pub is_secure: bool,
    /// Whether the domain is its own host, for want of MX records.
    pub is_own: bool,
    /// The name that has the MX records, where the domain is an alias of it.
    pub alias_of: Option<String>,
}

/// The hosts that take mail for `domain`, the first to try first (RFC 5321 §5.1): by preference, in
/// random order where that is equal, at most `hosts_max`; the domain itself where it has no MX. Whether DNSSEC vouches
/// for them is looked at where it is `vouched`.
///
/// # Errors
/// [`PlanFault`]; only its `Dns` may pass.
pub async fn mail_hosts(
    resolver: &dyn Resolver,
    domain: &str,
    hosts_max: usize,
    dice: &Mutex<Box<dyn Dice>>,
    vouched: bool,
) -> Result<MailHosts, PlanFault> {
    let found = if vouched {
        resolver.vouched_mx(domain).await
    } else {
        let unvouched = |records| VouchedMx { records, is_secure: false, owner: domain.to_owned() };
        resolver.mx(domain).await.map(unvouched)
    };
    match found {
        Ok(VouchedMx { records, is_secure, owner }) => Ok(MailHosts {
            is_own: records.is_empty(),
            hosts: ordered(domain, records, hosts_max, dice)?,
            is_secure,
            alias_of: Some(owner).filter(|owner| owner != domain),
        }),
        // somebody on the way may have left the records out
        Err(LookupError::NoRecord) => {
            Ok(MailHosts { hosts: vec![domain.to_owned()], is_secure: false, is_own: true, alias_of: None })
        }
        Err(LookupError::NoSuchName) => Err(PlanFault::NoSuchDomain(format!("the domain {domain} does not exist"))),
        Err(LookupError::Fault(why)) => Err(PlanFault::Dns(format!("no answer about the MX of {domain}: {why}"))),
    }
}

/// All mail servers of `domain`, the most preferred first, by name where that is equal: what says whether two domains are at
/// the same ones. None where there are none, or DNS does not say.
pub async fn mail_servers(resolver: &dyn Resolver, domain: &str) -> Option<Vec<String>> {
    let mut records = match resolver.mx(domain).await {
        Ok(records) => records,
        Err(LookupError::NoRecord) => Vec::new(),
        Err(LookupError::NoSuchName | LookupError::Fault(_)) => return None,
    };
    if records.is_empty() {
        return Some(vec![domain.to_owned()]);
    }
    records.retain(|mx| !mx.host.is_empty());
    records.sort_unstable_by(|one, other| (one.preference, &one.host).cmp(&(other.preference, &other.host)));
    let mut hosts: Vec<String> = Vec::with_capacity(records.len());
    for mx in records {
        if !hosts.contains(&mx.host) {
            hosts.push(mx.host);
        }
    }
    (!hosts.is_empty()).then_some(hosts)
}

fn ordered(
    domain: &str,
    mut records: Vec<Mx>,
    hosts_max: usize,
    dice: &Mutex<Box<dyn Dice>>,
) -> Result<Vec<String>, PlanFault> {
    // a null MX stands alone; beside others it is a mistake and ignored (RFC 7505 §3)
    if records.iter().all(|mx| mx.host.is_empty()) {
        return if records.is_empty() { Ok(vec![domain.to_owned()]) } else { Err(PlanFault::NullMx) };
    }
    records.retain(|mx| !mx.host.is_empty());
    {
        let mut dice = dice.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        records.sort_by_cached_key(|mx| (mx.preference, dice.below(u64::MAX)));
    }
    let mut hosts: Vec<String> = Vec::new();
    for mx in records {
        if hosts.len() < hosts_max && !hosts.contains(&mx.host) {
            hosts.push(mx.host);
        }
    }
    Ok(hosts)
}

/// The addresses of one host.
///
/// # Errors
/// [`LookupError`], as the resolver says.
pub async fn addresses_of(resolver: &dyn Resolver, host: &str) -> Result<Vec<Hop>, LookupError> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => resolver.addresses(host).await?,
    };
    Ok(addresses.into_iter().map(|address| Hop { host: host.to_owned(), address }).collect())
}
