//! The hops of a destination, one after the other: host by host, each resolved only when its turn has come.

use crate::reach::refused;
use relay::dice::Dice;
use relay::mta_sts::Policy;
use relay::outcome::{Failure, Finding};
use relay::route::{Route, RouteTls};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use super::dial::Dialer;
use super::shield::{Shield, Subject, by_policy, by_tlsa};
use super::{Outbound, OutboundSettings};
use crate::dns::{Hop, LookupError, MailHosts, PlanFault, Resolver, VouchedHost, addresses_of, mail_hosts};
use crate::mta_sts::Policies;

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

/// Who is asked where mail goes, and how.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    resolver: &'a dyn Resolver,
    policies: Option<&'a dyn Policies>,
    settings: &'a OutboundSettings,
    dice: &'a Mutex<Box<dyn Dice>>,
}

impl<'a> Sources<'a> {
    pub(super) fn of<D: Dialer>(outbound: &'a Outbound<D>) -> Sources<'a> {
        Sources {
            resolver: outbound.resolver.as_ref(),
            policies: outbound.policies.as_deref(),
            settings: &outbound.settings,
            dice: &outbound.dice,
        }
    }

    async fn policy(self, domain: &str) -> Option<Arc<Policy>> {
        self.policies?.of(domain).await
    }
}

/// The hops of one destination in one attempt.
pub(super) struct Hops<'a> {
    sources: Sources<'a>,
    origin: Origin<'a>,
    hosts: VecDeque<String>,
    /// Names that certificates may be for besides the host's; none where DNSSEC does not vouch for the hosts' names.
    vouched: Option<Vec<String>>,
    /// The domain and what it asks of its mail servers (MTA-STS).
    policy: Option<(&'a str, Arc<Policy>)>,
    ready: VecDeque<(Hop, Shield)>,
    given: usize,
}

impl<'a> Hops<'a> {
    /// Finds the hosts.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn find(sources: Sources<'a>, origin: Origin<'a>) -> Result<Hops<'a>, Finding> {
        let Sources { resolver, settings, dice, .. } = sources;
        let (hosts, vouched, policy) = match origin {
            Origin::Route(route) => (vec![route.host.clone()], None, None),
            Origin::Mx(domain) => {
                let finding = mail_hosts(resolver, domain, settings.hosts_max, dice, settings.dane);
                let (found, policy) = tokio::join!(finding, sources.policy(domain));
                let MailHosts { hosts, is_secure, alias_of } = found.map_err(no_hosts)?;
                let names = || std::iter::once(domain.to_owned()).chain(alias_of).collect();
                (hosts, is_secure.then(names), policy.map(|policy| (domain, policy)))
            }
        };
        Ok(Hops { sources, origin, hosts: hosts.into(), vouched, policy, ready: VecDeque::new(), given: 0 })
    }

    /// The next address to dial; none where all were given. What was wrong with hosts on the way is
    /// told to `faults`: the host's name, and the finding.
    pub(super) async fn next(&mut self, faults: &mut (dyn FnMut(&str, Finding) + Send)) -> Option<Next> {
        while self.given < self.sources.settings.addresses_max {
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
        if let Origin::Route(route) = self.origin { route.port } else { self.sources.settings.mx_port }
    }

    /// The addresses of a host, and what is asked of the connection with it: what its TLSA records say where it has any,
    /// else what the domain's policy says.
    async fn resolve(&self, host: &str) -> Result<(Vec<Hop>, Shield), Finding> {
        let Sources { resolver, settings, .. } = self.sources;
        let unresolved = |error| self.no_address(host, &error);
        let Some(names) = self.vouched.as_ref().filter(|_| host.parse::<IpAddr>().is_err()) else {
            let shield = self.shield_without_dane(host)?;
            return Ok((addresses_of(resolver, host).await.map_err(unresolved)?, shield));
        };
        let VouchedHost { addresses, bases } = resolver.vouched_host(host).await.map_err(unresolved)?;
        let subject = Subject { host, port: self.port(), bases: &bases, names };
        // without an answer nobody can say what is to be asked of the host: it must not be used (RFC 7672 §2.1)
        let by_tlsa = by_tlsa(resolver, subject, settings.tlsa_records_max).await.map_err(|error| {
            Finding::Failed(Failure::Dns(format!("no answer about the TLSA records of {host}: {error}")))
        })?;
        let shield = match by_tlsa {
            Some(shield @ Shield::Dane(_)) => shield,
            None => self.shield_without_dane(host)?,
            Some(shield) => match self.shield_without_dane(host)? {
                enforced @ Shield::Sts(_) => enforced,
                _ => shield,
            },
        };
        let hops = addresses.into_iter().map(|address| Hop { host: host.to_owned(), address }).collect();
        Ok((hops, shield))
    }

    fn shield_without_dane(&self, host: &str) -> Result<Shield, Finding> {
        match (&self.origin, &self.policy) {
            (Origin::Route(route), _) => Ok(Shield::Route(route.tls())),
            (Origin::Mx(_), Some((domain, policy))) => by_policy(domain, policy, host),
            (Origin::Mx(_), None) => Ok(Shield::Route(RouteTls::Opportunistic)),
        }
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
        let guarded = matches!(self.origin, Origin::Mx(_)) && !self.sources.settings.allow_private;
        for hop in hops {
            if let Some(why) = guarded.then(|| refused(hop.address, &self.sources.settings.own)).flatten() {
                let text = format!("{host} is {}, {why}", hop.address);
                faults(host, Finding::Failed(Failure::ForbiddenAddress(text)));
            } else if self.source(&hop).is_some() {
                self.ready.push_back((hop, shield.clone()));
            }
        }
    }

    /// Whether there is an address of ours to dial this one from.
    fn source(&self, hop: &Hop) -> Option<()> {
        let sources = &self.sources.settings.sources;
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
