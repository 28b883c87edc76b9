//! The hops of a destination, one after the other: host by host, each resolved only when its turn has come.

use crate::reach::refused;
use relay::dice::Dice;
use relay::outcome::{Failure, Finding};
use relay::route::{Route, RouteTls};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use super::OutboundSettings;
use super::shield::{Shield, Subject, by_tlsa};
use crate::dns::{Hop, LookupError, MailHosts, PlanFault, Resolver, VouchedHost, addresses_of, mail_hosts};

/// Where the hosts of a destination come from.
pub(super) enum Origin<'a> {
    /// The MX of this domain.
    Mx(&'a str),
    /// A route of the operator's: this host and port, whatever its addresses.
    Route(&'a Route),
}

/// An address to dial now.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub(super) host: String,
    pub(super) remote: SocketAddr,
    pub(super) shield: Shield,
}

/// The hops of one destination in one attempt.
pub(super) struct Hops<'a> {
    resolver: &'a dyn Resolver,
    settings: &'a OutboundSettings,
    origin: Origin<'a>,
    hosts: VecDeque<String>,
    /// Names that certificates may be for besides the host's; none where DNSSEC does not vouch for the hosts' names.
    vouched: Option<Vec<String>>,
    ready: VecDeque<(Hop, Shield)>,
    given: usize,
}

impl<'a> Hops<'a> {
    /// Finds the hosts.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn find(
        resolver: &'a dyn Resolver,
        settings: &'a OutboundSettings,
        origin: Origin<'a>,
        dice: &Mutex<Box<dyn Dice>>,
    ) -> Result<Hops<'a>, Finding> {
        let (hosts, vouched) = match origin {
            Origin::Route(route) => (vec![route.host.clone()], None),
            Origin::Mx(domain) => {
                let found = mail_hosts(resolver, domain, settings.hosts_max, dice, settings.dane).await;
                let MailHosts { hosts, is_secure, alias_of } = found.map_err(no_hosts)?;
                let names = || std::iter::once(domain.to_owned()).chain(alias_of).collect();
                (hosts, is_secure.then(names))
            }
        };
        Ok(Hops { resolver, settings, origin, hosts: hosts.into(), vouched, ready: VecDeque::new(), given: 0 })
    }

    /// The next address to dial; none where all were given. What was wrong with hosts on the way is
    /// told to `faults`: the host's name, and the finding.
    pub(super) async fn next(&mut self, faults: &mut (dyn FnMut(&str, Finding) + Send)) -> Option<Next> {
        while self.given < self.settings.addresses_max {
            if let Some((hop, shield)) = self.ready.pop_front() {
                self.given += 1;
                let remote = SocketAddr::new(hop.address, self.port());
                return Some(Next { host: hop.host, remote, shield });
            }
            let host = self.hosts.pop_front()?;
            match self.resolve(&host).await {
                Ok((hops, shield)) => self.admit(&host, hops, &shield, faults),
                Err(finding) => faults(&host, finding),
            }
        }
        None
    }

    fn port(&self) -> u16 {
        if let Origin::Route(route) = self.origin { route.port } else { self.settings.mx_port }
    }

    /// The addresses of a host, and what is asked of the connection with it.
    async fn resolve(&self, host: &str) -> Result<(Vec<Hop>, Shield), Finding> {
        let unresolved = |error| self.no_address(host, &error);
        let Some(names) = self.vouched.as_ref().filter(|_| host.parse::<IpAddr>().is_err()) else {
            let tls = if let Origin::Route(route) = self.origin { route.tls } else { RouteTls::Opportunistic };
            return Ok((addresses_of(self.resolver, host).await.map_err(unresolved)?, Shield::Route(tls)));
        };
        let VouchedHost { addresses, bases } = self.resolver.vouched_host(host).await.map_err(unresolved)?;
        let subject = Subject { host, port: self.port(), bases: &bases, names };
        // without an answer nobody can say what is to be asked of the host: it must not be used (RFC 7672 §2.1)
        let shield = by_tlsa(self.resolver, subject, self.settings.tlsa_records_max).await.map_err(|error| {
            Finding::Failed(Failure::Dns(format!("no answer about the TLSA records of {host}: {error}")))
        })?;
        let hops = addresses.into_iter().map(|address| Hop { host: host.to_owned(), address }).collect();
        Ok((hops, shield.unwrap_or(Shield::Route(RouteTls::Opportunistic))))
    }

    fn no_address(&self, host: &str, error: &LookupError) -> Finding {
        Finding::Failed(match (error, &self.origin) {
            (LookupError::Fault(why), _) => Failure::Dns(format!("no answer about the addresses of {host}: {why}")),
            // the operator named it: mail does not pay for a slip there
            (_, Origin::Route(_)) => Failure::Dns(format!("the route's host {host} has no address")),
            (_, Origin::Mx(domain)) if host == *domain => {
                Failure::NoSuchDomain(format!("{domain} has neither mail servers nor an address"))
            }
            (_, Origin::Mx(domain)) => {
                Failure::NoSuchDomain(format!("the mail server {host} of {domain} has no address"))
            }
        })
    }

    /// Takes those addresses that may be dialled.
    fn admit(&mut self, host: &str, hops: Vec<Hop>, shield: &Shield, faults: &mut (dyn FnMut(&str, Finding) + Send)) {
        let guarded = matches!(self.origin, Origin::Mx(_)) && !self.settings.allow_private;
        for hop in hops {
            if let Some(why) = guarded.then(|| refused(hop.address, &self.settings.own)).flatten() {
                let text = format!("{host} is {}, {why}", hop.address);
                faults(host, Finding::Failed(Failure::ForbiddenAddress(text)));
            } else if self.source(&hop).is_some() {
                self.ready.push_back((hop, shield.clone()));
            }
        }
    }

    /// Whether there is an address of ours to dial this one from.
    fn source(&self, hop: &Hop) -> Option<()> {
        let sources = &self.settings.sources;
        (sources.is_empty() || sources.iter().any(|source| source.is_ipv4() == hop.address.is_ipv4())).then_some(())
    }
}

/// Why a domain has no hosts, in the words of outcomes.
fn no_hosts(fault: PlanFault) -> Finding {
    Finding::Failed(match fault {
        PlanFault::NoSuchDomain(why) => Failure::NoSuchDomain(why),
        PlanFault::NullMx => Failure::NullMx,
        PlanFault::Dns(why) => Failure::Dns(why),
    })
}
