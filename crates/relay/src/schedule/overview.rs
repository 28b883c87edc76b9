//! What is in force at each site and why, for the operator.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::parcels::{Errand, State};
use super::shape::own_name;
use super::sites::Site;
use super::{Fault, Scheduler};
use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::outcome;
use crate::route::Destination;
use crate::shaping::{Allowance, Phase, Said};

/// Destinations of a site that are named.
const DESTINATIONS_SHOWN: usize = 5;

/// One site: the mail servers that one destination or many share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteState {
    /// Its name: a provider's, or those of its mail servers; a destination's where these are not known.
    pub name: String,
    /// The first of the destinations that belong to it.
    pub destinations: Vec<Destination>,
    /// How many belong to it.
    pub destination_count: usize,
    /// Recipients that are not settled.
    pub recipients: usize,
    /// Conversations now, idle ones included.
    pub conversations: usize,
    /// Conversations at once that it may have now.
    pub conversations_allowed: usize,
    /// Messages a minute at the most; none: as many as come.
    pub per_minute: Option<u32>,
    /// What its rule allows; none where only what every site may have is known.
    pub allowance: Option<Allowance>,
    /// Where it stands.
    pub phase: Phase,
    /// How many of its destinations are left alone because they could not be reached.
    pub unreached: usize,
    /// Until when nothing is begun there; of destinations that could not be reached the first moment.
    pub until: Option<Timestamp>,
    /// What led to it.
    pub said: Option<Said>,
    /// The sources of ours that it blocks, and until when each leaves it alone.
    pub kept_out: Vec<(String, Timestamp)>,
}

impl SiteState {
    /// Whether anything is in force there beside its rule.
    pub fn is_troubled(&self) -> bool {
        self.phase != Phase::Open || self.unreached > 0 || !self.kept_out.is_empty()
    }
}

impl Scheduler {
    /// Sites in the order of their names, behind one: so many at the most, and those alone where something is in force if
    /// `troubled`. Looks at every destination.
    pub fn sites(&self, after: Option<&str>, limit: usize, troubled: bool, now: Timestamp) -> Vec<SiteState> {
        let mut names: BTreeMap<Arc<str>, Vec<&Site>> = BTreeMap::new();
        for site in self.sites.iter().filter(|site| !troubled || self.is_troubled(site, now)) {
            let name = self.name_of(site);
            if after.is_some_and(|after| *name <= *after) {
                continue;
            }
            let is_behind = names.len() >= limit && names.last_key_value().is_some_and(|(last, _)| *last < name);
            if is_behind {
                continue;
            }
            names.entry(name).or_default();
            if names.len() > limit {
                names.pop_last();
            }
        }
        let last = names.last_key_value().map(|(last, _)| Arc::clone(last));
        for site in self.sites.iter() {
            let name = self.name_of(site);
            if last.as_ref().is_some_and(|last| name <= *last)
                && let Some(sites) = names.get_mut(&name)
            {
                sites.push(site);
            }
        }
        names.iter().map(|(name, sites)| self.state_of(name, sites, now)).collect()
    }

    /// The recipients of a message that are in flight, and whether their flight may lead to a next hop.
    pub fn in_flight(&self, message: MessageId) -> Vec<(u16, bool)> {
        let mut flying = Vec::new();
        for place in self.parcels.of(message) {
            if let State::InFlight(errand) = self.parcels.state(place) {
                let recipients = self.parcels.at(place).recipients();
                flying.extend(recipients.iter().map(|number| (*number, errand == Errand::Carry)));
            }
        }
        flying
    }

    /// Messages that are known, and orders that are remembered until what they are about comes back.
    pub fn remembered(&self) -> usize {
        self.parcels.messages() + self.endings.len() + self.chosen.len()
    }

    fn name_of(&self, site: &Site) -> Arc<str> {
        match self.shapers.get(site.shaper) {
            Some(shaper) => Arc::clone(&shaper.name),
            None => own_name(&site.destination).into(),
        }
    }

    fn is_troubled(&self, site: &Site, now: Timestamp) -> bool {
        let shaper = self.shapers.get(site.shaper);
        let is_in_force = shaper.is_some_and(|shaper| shaper.shaping.phase(now) != Phase::Open);
        site.is_down(now) || is_in_force || !self.kept_out(shaper, now).is_empty()
    }

    fn state_of(&self, name: &str, sites: &[&Site], now: Timestamp) -> SiteState {
        let shaper = sites.first().and_then(|site| self.shapers.get(site.shaper));
        let down = || sites.iter().filter_map(|site| site.down.as_ref().filter(|down| down.until > now));
        let mut destinations: Vec<_> = sites.iter().map(|site| &site.destination).collect();
        if !self.sending.is_plain() {
            // several pools have mail for it
            let mut seen = HashSet::new();
            destinations.retain(|destination| seen.insert(*destination));
        }
        let destination_count = destinations.len();
        let key = |destination: &&Destination| own_name(destination);
        if destinations.len() > DESTINATIONS_SHOWN {
            destinations.select_nth_unstable_by_key(DESTINATIONS_SHOWN, key);
            destinations.truncate(DESTINATIONS_SHOWN);
        }
        destinations.sort_by_cached_key(key);
        let closed = shaper.and_then(|shaper| match shaper.shaping.phase(now) {
            Phase::Suspended(until) | Phase::Paused(until) => Some(until),
            _ => None,
        });
        let soonest = down().min_by_key(|down| down.until);
        let said = shaper.and_then(|shaper| shaper.said.clone());
        SiteState {
            name: name.to_owned(),
            destinations: destinations.into_iter().cloned().collect(),
            destination_count,
            recipients: sites.iter().map(|site| site.recipients).sum(),
            conversations: sites.iter().map(|site| site.conversations).sum(),
            conversations_allowed: match shaper {
                Some(shaper) => shaper.shaping.connections(now),
                None => sites.iter().map(|site| site.limit).sum(),
            },
            per_minute: shaper.and_then(|shaper| shaper.shaping.per_minute()),
            allowance: shaper.map(|shaper| *shaper.shaping.allowance()),
            phase: shaper.map_or(Phase::Open, |shaper| shaper.shaping.phase(now)),
            unreached: down().count(),
            until: closed.or(soonest.map(|down| down.until)),
            said: said.or_else(|| soonest.map(|down| said_by(&down.fault))),
            kept_out: self.kept_out(shaper, now),
        }
    }
}

/// Why a destination could not be reached.
fn said_by(fault: &Fault) -> Said {
    let (class, text) = outcome::told(&fault.finding);
    Said { at: fault.attempt.at, class, text }
}
