//! The records of the relay's zone, a part at a time.

use relay::clock::Timestamp;
use relay::sending_domain::SendingDomain;
use relay::service::operation::Answer;
use relay::service::view::ZoneView;
use relay::store::Store;
use relay::zone::Record;
use std::sync::Arc;

use super::Executor;

impl<S: Store> Executor<S> {
    /// The first part has the records that are of no domain; each has those of so many domains, by their numbers.
    pub(super) fn zone_show(&self, after: Option<u64>, domains_max: usize, now: Timestamp) -> Answer {
        let (publisher, directory) = (&self.publisher, self.store.directory());
        let is_behind = |domain: &&Arc<SendingDomain>| after.is_none_or(|after| domain.id.number() > after);
        let mut domains: Vec<_> = directory.domains.values().filter(is_behind).collect();
        if publisher.zone.is_none() {
            domains.clear();
        }
        let is_last = domains.len() <= domains_max;
        if !is_last {
            domains.select_nth_unstable_by_key(domains_max, |domain| domain.id);
            domains.truncate(domains_max);
        }
        domains.sort_unstable_by_key(|domain| domain.id);
        let serial = u32::try_from(now.0 / 1_000).unwrap_or(u32::MAX);
        let own = if after.is_none() { publisher.own_records(serial) } else { Vec::new() };
        let records = domains.iter().flat_map(|domain| publisher.records_of(domain));
        let bound = self.running.as_ref().map(|running| &running.zone_at);
        Answer::Zone(ZoneView {
            zone: publisher.zone.as_ref().map(|zone| zone.name.clone()),
            name_servers: publisher.zone.as_ref().map(|zone| zone.name_servers.clone()).unwrap_or_default(),
            served: publisher.zone.as_ref().is_some_and(|zone| zone.is_served),
            listening: bound.into_iter().flatten().map(ToString::to_string).collect(),
            hostname: publisher.hostname.clone(),
            addresses: publisher.addresses.iter().map(ToString::to_string).collect(),
            spf: publisher.spf(),
            lines: own.into_iter().chain(records).map(|record: Record| record.to_string()).collect(),
            domains: domains.len() as u64,
            next: domains.last().filter(|_| !is_last).map(|domain| domain.id.number()),
        })
    }
}
