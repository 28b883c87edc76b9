//! The hops of a destination, one after the other: host by host, each resolved only when its turn has come.

use crate::reach::refused;
use relay::dice::Dice;
use relay::mta_sts::{Mode, Policy};
use relay::outcome::{Failure, Finding};
use relay::queue::TlsWish;
use relay::route::{Route, RouteTls};
use relay::source::Source;
use relay::tls_report::{Applied, Failed, ResultType, Session};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use super::dial::Dialer;
use super::shield::{Asked, Shield, Subject, by_policy, by_tlsa};
use super::{Outbound, OutboundSettings, Sessions};
use crate::dns::{Hop, LookupError, MailHosts, PlanFault, Resolver, VouchedHost, addresses_of, mail_hosts};
use crate::mta_sts::Policies;

/// Where the hosts of a destination come from.
#[derive(Clone, Copy)]
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
    /// How its session is counted; none where it is not.
    pub(super) account: Option<Arc<Account>>,
}

/// How the sessions with one host are counted.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// For which recipient domain.
    pub(super) domain: String,
    /// By which policy.
    pub(super) applied: Applied,
    /// What is wrong with each of them, however it goes.
    pub(super) trouble: Option<Failed>,
}

/// What is asked of the connection with a host, and how its sessions are counted.
#[derive(Clone)]
struct Demand {
    shield: Shield,
    account: Option<Arc<Account>>,
}

/// Who is asked where mail goes, and how.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    resolver: &'a dyn Resolver,
    policies: Option<&'a dyn Policies>,
    sessions: Option<&'a dyn Sessions>,
    settings: &'a OutboundSettings,
    /// Where the next hops are dialled from; none: from the nameless source.
    from: Option<&'a Arc<Source>>,
    /// Whether TLSA records are looked for.
    dane: bool,
    /// Whether the sender requires TLS with whom the domain means.
    is_strict: bool,
    dice: &'a Mutex<Box<dyn Dice>>,
}

impl<'a> Sources<'a> {
    /// Those for mail whose sender wants this of TLS: where nothing is to keep it from arriving, neither policies nor DANE are
    /// asked for, and its sessions are not counted, since they say nothing of either (RFC 8689 §4.3, RFC 8460 §3).
    pub(super) fn of<D: Dialer>(
        outbound: &'a Outbound<D>,
        wish: TlsWish,
        from: Option<&'a Arc<Source>>,
    ) -> Sources<'a> {
        let asks = wish != TlsWish::Waived;
        Sources {
            resolver: outbound.resolver.as_ref(),
            policies: outbound.policies.as_deref().filter(|_| asks),
            sessions: outbound.sessions.as_deref().filter(|_| asks),
            dane: outbound.settings.dane && asks,
            is_strict: wish == TlsWish::Required,
            settings: &outbound.settings,
            from,
            dice: &outbound.dice,
        }
    }

    async fn policy(self, domain: &str) -> Result<Option<Arc<Policy>>, LookupError> {
        match self.policies {
            Some(policies) => policies.of(domain).await,
            None => Ok(None),
        }
    }

    /// Why nobody can tell for now what vouches for the mail servers of a domain, after its policy was asked for; none: what is
    /// known of it is all there is.
    fn doubt(self, domain: &str, fault: Option<&LookupError>) -> Option<String> {
        if let Some(why) = fault {
            return Some(format!("no answer about the MTA-STS policy of {domain}: {why}"));
        }
        if let Some(failed) = self.policies.and_then(|policies| policies.trouble(domain)) {
            return Some(format!("the MTA-STS policy of {domain} cannot be had: {}", failed.why));
        }
        let is_blind = self.dane && self.resolver.is_blind();
        is_blind.then(|| format!("whether DNSSEC vouches for the mail servers of {domain} cannot be seen"))
    }

    /// Counts a session that failed before anybody was dialled.
    fn count(self, domain: &str, applied: &Applied, host: &str, failed: &Failed) {
        let (receiving, sending) = (None, None);
        if let Some(sessions) = self.sessions {
            sessions.count(&Session { domain, applied, host, receiving, sending, failed: Some(failed) });
        }
    }
}

/// The hops of one destination in one attempt.
pub(super) struct Hops<'a> {
    sources: Sources<'a>,
    origin: Origin<'a>,
    hosts: VecDeque<String>,
    /// Whether DNSSEC vouches for the hosts' names.
    is_vouched: bool,
    /// Names that certificates may be for besides the host's; none where TLSA records are not looked for.
    names: Option<Vec<String>>,
    /// Whether the domain is its own host, for want of MX records.
    is_own: bool,
    /// The domain and what it asks of its mail servers (MTA-STS).
    policy: Option<(&'a str, Arc<Policy>)>,
    /// Why nobody can tell for now what vouches for the hosts; looked at where the sender requires TLS.
    doubt: Option<String>,
    ready: VecDeque<(Hop, Demand)>,
    given: usize,
}

impl<'a> Hops<'a> {
    /// Finds the hosts.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn find(sources: Sources<'a>, origin: Origin<'a>) -> Result<Hops<'a>, Finding> {
        let Sources { resolver, settings, dane, dice, is_strict, .. } = sources;
        let bare = |hosts: Vec<String>| Hops {
            sources,
            hosts: hosts.into(),
            is_vouched: false,
            names: None,
            is_own: false,
            policy: None,
            doubt: None,
            ready: VecDeque::new(),
            given: 0,
            origin,
        };
        let domain = match origin {
            Origin::Route(route) => return Ok(bare(vec![route.host.clone()])),
            Origin::Mx(domain) => domain,
        };
        let finding = mail_hosts(resolver, domain, settings.hosts_max, dice, dane);
        let (found, policy) = tokio::join!(finding, sources.policy(domain));
        let MailHosts { hosts, is_secure, is_own, alias_of } = found.map_err(no_hosts)?;
        let names = || std::iter::once(domain.to_owned()).chain(alias_of).collect();
        // that the domain is its own host needs no proof here: its records are its own, or are not signed
        let names = (is_secure || dane && is_own).then(names);
        let doubt = if is_strict { sources.doubt(domain, policy.as_ref().err()) } else { None };
        let policy = policy.ok().flatten().map(|policy| (domain, policy));
        Ok(Hops { is_vouched: is_secure, names, is_own, policy, doubt, ..bare(hosts) })
    }

    /// The next address to dial; none where all were given. What was wrong with hosts on the way is
    /// told to `faults`: the host's name, and the finding.
    pub(super) async fn next(&mut self, faults: &mut (dyn FnMut(&str, Finding) + Send)) -> Option<Next> {
        while self.given < self.sources.settings.addresses_max {
            if let Some((hop, Demand { shield, account })) = self.ready.pop_front() {
                self.given += 1;
                let remote = SocketAddr::new(hop.address, self.port());
                return Some(Next { host: hop.host, remote, shield, account });
            }
            let host = self.hosts.pop_front()?;
            match self.resolve(&host).await.and_then(|(hops, demand)| Ok((hops, self.hardened(&host, demand)?))) {
                Ok((hops, demand)) => self.admit(&host, hops, &demand, faults),
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
    async fn resolve(&self, host: &str) -> Result<(Vec<Hop>, Demand), Finding> {
        let Sources { resolver, settings, .. } = self.sources;
        let unresolved = |error| self.no_address(host, &error);
        let Some(names) = self.names.as_ref().filter(|_| host.parse::<IpAddr>().is_err()) else {
            let demand = self.demand_without_dane(host)?;
            return Ok((addresses_of(resolver, host).await.map_err(unresolved)?, demand));
        };
        let VouchedHost { addresses, bases } = resolver.vouched_host(host).await.map_err(unresolved)?;
        let subject = Subject { host, port: self.port(), bases: &bases, names };
        // without an answer nobody can say what is to be asked of the host: it must not be used (RFC 7672 §2.1)
        let by_tlsa = by_tlsa(resolver, subject, settings.tlsa_records_max).await.map_err(|error| {
            let why = format!("no answer about the TLSA records of {host}: {error}");
            self.count(&Applied::tlsa(host, &[]), host, ResultType::DnssecInvalid, &why);
            Finding::Failed(Failure::Dns(why))
        })?;
        let demand = match by_tlsa {
            None => self.demand_without_dane(host)?,
            Some(asked) if matches!(asked.shield, Shield::Dane(_)) => self.demand_of_dane(asked),
            Some(asked) => match self.demand_without_dane(host)? {
                enforced @ Demand { shield: Shield::Sts(_), .. } => enforced,
                _ => self.demand_of_dane(asked),
            },
        };
        let hops = addresses.into_iter().map(|address| Hop { host: host.to_owned(), address }).collect();
        Ok((hops, demand))
    }

    /// The demand, where the sender requires TLS: with a certificate that is checked, of a server that DNSSEC or the domain's
    /// policy vouches for (RFC 8689 §4.2.1). The operator vouches for that of a route.
    fn hardened(&self, host: &str, demand: Demand) -> Result<Demand, Finding> {
        if !self.sources.is_strict {
            return Ok(demand);
        }
        if let Origin::Mx(domain) = self.origin {
            let by_policy =
                self.policy.as_ref().is_some_and(|(_, policy)| policy.mode != Mode::None && policy.admits(host));
            if !self.is_vouched && !by_policy {
                return Err(Finding::Failed(match &self.doubt {
                    Some(why) => Failure::SenderTls(why.clone()),
                    None => Failure::NeedsRequireTls(format!(
                        "neither DNSSEC nor a policy (MTA-STS) says that {host} is a mail server of {domain}"
                    )),
                }));
            }
        }
        let shield = match demand.shield {
            checked @ (Shield::Dane(_) | Shield::Sts(_)) => checked,
            _ => Shield::Demanded,
        };
        Ok(Demand { shield, ..demand })
    }

    fn demand_of_dane(&self, asked: Asked) -> Demand {
        let Asked { shield, base, records } = asked;
        let unusable = matches!(shield, Shield::Encrypted)
            .then(|| Failed::new(ResultType::TlsaInvalid, "none of the TLSA records can be used"));
        Demand { shield, account: self.account(|| (Applied::tlsa(&base, &records), unusable)) }
    }

    fn demand_without_dane(&self, host: &str) -> Result<Demand, Finding> {
        let domain = match self.origin {
            Origin::Route(route) => return Ok(Demand { shield: Shield::Route(route.tls()), account: None }),
            Origin::Mx(domain) => domain,
        };
        let Some((_, policy)) = &self.policy else {
            let trouble = || self.sources.policies.and_then(|policies| policies.trouble(domain));
            let account = self.account(|| (Applied::none(domain), trouble()));
            return Ok(Demand { shield: Shield::Route(RouteTls::Opportunistic), account });
        };
        let shield = by_policy(domain, policy, host).inspect_err(|_| {
            let why = "the policy does not name this mail server";
            self.count(&Applied::sts(domain, policy), host, ResultType::ValidationFailure, why);
        })?;
        let unnamed = matches!(shield, Shield::StsTesting { is_listed: false })
            .then(|| Failed::new(ResultType::ValidationFailure, "the policy does not name this mail server"));
        Ok(Demand { shield, account: self.account(|| (Applied::sts(domain, policy), unnamed)) })
    }

    /// How the sessions of a host are counted, where they are.
    fn account(&self, of: impl FnOnce() -> (Applied, Option<Failed>)) -> Option<Arc<Account>> {
        let (Origin::Mx(domain), Some(_)) = (&self.origin, self.sources.sessions) else { return None };
        let (applied, trouble) = of();
        Some(Arc::new(Account { domain: (*domain).to_owned(), applied, trouble }))
    }

    fn count(&self, applied: &Applied, host: &str, result: ResultType, why: &str) {
        if let Origin::Mx(domain) = self.origin {
            self.sources.count(domain, applied, host, &Failed::new(result, why));
        }
    }

    fn no_address(&self, host: &str, error: &LookupError) -> Finding {
        Finding::Failed(match (error, &self.origin) {
            (LookupError::Fault(why), _) => Failure::Dns(format!("no answer about the addresses of {host}: {why}")),
            // the operator named it: mail does not pay for a slip there
            (_, Origin::Route(_)) => Failure::Dns(format!("the route's host {host} has no address")),
            (_, Origin::Mx(domain)) if self.is_own => {
                Failure::NoSuchDomain(format!("{domain} has neither mail servers nor an address"))
            }
            // the domain takes mail and names a host for it: a slip in DNS that passes, and nothing that speaks of an address
            (_, Origin::Mx(domain)) => Failure::Dns(format!("the mail server {host} of {domain} has no address")),
        })
    }

    /// Takes those addresses that may be dialled.
    fn admit(&mut self, host: &str, hops: Vec<Hop>, demand: &Demand, faults: &mut (dyn FnMut(&str, Finding) + Send)) {
        let guarded = matches!(self.origin, Origin::Mx(_)) && !self.sources.settings.allow_private;
        for hop in hops {
            if let Some(why) = guarded.then(|| refused(hop.address, &self.sources.settings.own)).flatten() {
                let text = format!("{host} is {}, {why}", hop.address);
                faults(host, Finding::Failed(Failure::ForbiddenAddress(text)));
            } else if self.source(&hop).is_some() {
                self.ready.push_back((hop, demand.clone()));
            }
        }
    }

    /// Whether there is an address of ours to dial this one from.
    fn source(&self, hop: &Hop) -> Option<()> {
        if let Some(source) = self.sources.from {
            return source.toward(hop.address).map(|_| ());
        }
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
