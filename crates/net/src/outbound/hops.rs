//! The hops of a destination, one after the other: host by host, each resolved only when its turn has come.

use crate::reach::refused;
use relay::dice::Dice;
use relay::outcome::{Failure, Finding};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;

use super::OutboundSettings;
use crate::dns::{Hop, LookupError, PlanFault, Resolver, addresses_of, mail_hosts};

/// Where the hosts of a destination come from.
pub(super) enum Origin<'a> {
    /// The MX of this domain.
    Mx(&'a str),
    /// A route of the operator's: this host and port, whatever its addresses.
    Route(&'a str, u16),
}

/// An address to dial now.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub(super) host: String,
    pub(super) remote: SocketAddr,
}

/// The hops of one destination in one attempt.
pub(super) struct Hops<'a> {
    resolver: &'a dyn Resolver,
    settings: &'a OutboundSettings,
    origin: Origin<'a>,
    hosts: VecDeque<String>,
    ready: VecDeque<Hop>,
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
        let hosts = match origin {
            Origin::Route(host, _) => vec![host.to_owned()],
            Origin::Mx(domain) => mail_hosts(resolver, domain, settings.hosts_max, dice).await.map_err(|fault| {
                Finding::Failed(match fault {
                    PlanFault::NoSuchDomain(why) => Failure::NoSuchDomain(why),
                    PlanFault::NullMx => Failure::NullMx,
                    PlanFault::Dns(why) => Failure::Dns(why),
                })
            })?,
        };
        Ok(Hops { resolver, settings, origin, hosts: hosts.into(), ready: VecDeque::new(), given: 0 })
    }

    /// The next address to dial; none where all were given. What was wrong with hosts on the way is
    /// told to `faults`: the host's name, and the finding.
    pub(super) async fn next(&mut self, faults: &mut (dyn FnMut(&str, Finding) + Send)) -> Option<Next> {
        while self.given < self.settings.addresses_max {
            if let Some(hop) = self.ready.pop_front() {
                self.given += 1;
                let port = if let Origin::Route(_, port) = self.origin { port } else { self.settings.mx_port };
                return Some(Next { host: hop.host, remote: SocketAddr::new(hop.address, port) });
            }
            let host = self.hosts.pop_front()?;
            match addresses_of(self.resolver, &host).await {
                Ok(hops) => self.admit(&host, hops, faults),
                Err(error) => faults(&host, self.no_address(&host, &error)),
            }
        }
        None
    }

    fn no_address(&self, host: &str, error: &LookupError) -> Finding {
        Finding::Failed(match (error, &self.origin) {
            (LookupError::Fault(why), _) => Failure::Dns(format!("no answer about the addresses of {host}: {why}")),
            // the operator named it: mail does not pay for a slip there
            (_, Origin::Route(..)) => Failure::Dns(format!("the route's host {host} has no address")),
            (_, Origin::Mx(domain)) if host == *domain => {
                Failure::NoSuchDomain(format!("{domain} has neither mail servers nor an address"))
            }
            (_, Origin::Mx(domain)) => {
                Failure::NoSuchDomain(format!("the mail server {host} of {domain} has no address"))
            }
        })
    }

    /// Takes those addresses that may be dialled.
    fn admit(&mut self, host: &str, hops: Vec<Hop>, faults: &mut (dyn FnMut(&str, Finding) + Send)) {
        let guarded = matches!(self.origin, Origin::Mx(_)) && !self.settings.allow_private;
        for hop in hops {
            if let Some(why) = guarded.then(|| refused(hop.address, &self.settings.own)).flatten() {
                let text = format!("{host} is {}, {why}", hop.address);
                faults(host, Finding::Failed(Failure::ForbiddenAddress(text)));
            } else if self.source(&hop).is_some() {
                self.ready.push_back(hop);
            }
        }
    }

    /// Whether there is an address of ours to dial this one from.
    fn source(&self, hop: &Hop) -> Option<()> {
        let sources = &self.settings.sources;
        (sources.is_empty() || sources.iter().any(|source| source.is_ipv4() == hop.address.is_ipv4())).then_some(())
    }
}
