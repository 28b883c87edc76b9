//! DNS: answers, denials, failures and silence.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use net::dns::{Lookup, LookupError, Mx, Resolver};

use super::hops::{HOSTS_PER_SITE, site_number};
use super::{World, lock};
use crate::fault::Fault;
use crate::rng::Rng;

/// How long the resolver's own patience is.
const PATIENCE: Duration = Duration::from_secs(20);

/// The resolver of the world.
pub struct SimResolver {
    world: Arc<World>,
    rng: Mutex<Rng>,
}

/// The address of a host.
pub fn address(site: usize, host: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(9, 9, site as u8, 1 + host as u8))
}

/// The site and host at an address.
pub fn host_at(address: IpAddr) -> Option<(usize, usize)> {
    match address {
        IpAddr::V4(v4) => match v4.octets() {
            [9, 9, site, host] if host > 0 => Some((usize::from(site), usize::from(host) - 1)),
            _ => None,
        },
        IpAddr::V6(_) => None,
    }
}

impl SimResolver {
    /// Of this world.
    pub fn new(world: Arc<World>, rng: Rng) -> Self {
        SimResolver { world, rng: Mutex::new(rng) }
    }

    async fn weather(&self, name: &str) -> Result<(), LookupError> {
        if self.world.is_calm() {
            return Ok(());
        }
        let (dice, wait) = {
            let mut rng = lock(&self.rng);
            (rng.below(1000), rng.between(0, 40))
        };
        if wait > 20 {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        match dice {
            0..4 => {
                self.world.fault(Fault::NoSuchName);
                self.world.mail().denied(name);
                Err(LookupError::NoSuchName)
            }
            4..20 => {
                self.world.fault(Fault::DnsFails);
                Err(LookupError::Fault("SERVFAIL".to_owned()))
            }
            20..28 => {
                self.world.fault(Fault::DnsSilent);
                tokio::time::sleep(PATIENCE).await;
                Err(LookupError::Fault("no answer in time".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

impl Resolver for SimResolver {
    fn mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, Vec<Mx>> {
        Box::pin(async move {
            self.weather(domain).await?;
            let hosts = (0..HOSTS_PER_SITE)
                .map(|host| Mx { preference: 10 * (1 + host as u16 % 2), host: format!("mx{host}.{domain}") });
            match site_number(domain) {
                Some(site) if site % 3 == 2 => Err(LookupError::NoRecord),
                Some(_) => Ok(hosts.collect()),
                None => Err(LookupError::NoSuchName),
            }
        })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
        Box::pin(async move {
            self.weather(host).await?;
            let (number, domain) = match host.strip_prefix("mx").and_then(|rest| rest.split_once('.')) {
                Some((number, domain)) => (number.parse().unwrap_or(0), domain),
                None => (0, host),
            };
            match site_number(domain) {
                Some(site) => Ok(vec![address(site, number)]),
                None => Err(LookupError::NoSuchName),
            }
        })
    }

    fn txt<'a>(&'a self, _: &'a str) -> Lookup<'a, Vec<String>> {
        Box::pin(async { Err(LookupError::NoRecord) })
    }
}
