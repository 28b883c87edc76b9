//! The relay's own outbound side, with a witness: what is carried at once, and that nothing is carried twice at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use net::dispatch::Carrier;
use net::outbound::{Delivery, Line, Outbound, Parcel};
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::route::{Destination, Routes};
use relay::schedule::KEPT_SHARE;

use crate::plan::Plan;
use crate::world::hops::SimDialer;
use crate::world::pipe::End;
use crate::world::{World, lock};

/// What is being carried.
#[derive(Debug, Default)]
pub struct Carrying {
    /// Message and recipient.
    pub recipients: BTreeSet<(MessageId, u16)>,
    /// Attempts by the site that they go to.
    pub sites: BTreeMap<String, usize>,
    /// When the last attempt at a site ended, milliseconds of the world.
    busy_until: BTreeMap<String, u64>,
    /// Domains whose mail servers are being looked for.
    finding: BTreeMap<String, usize>,
    /// When there was last no room for one more conversation.
    full_until: Option<u64>,
}

impl Carrying {
    /// Whether a site has an attempt, or had one so many milliseconds before `now`.
    pub fn was_busy(&self, site: &str, now: u64, within: u64) -> bool {
        let counts = [self.sites.get(site), self.finding.get(site)];
        let is_busy = counts.into_iter().flatten().any(|count| *count > 0);
        is_busy || self.busy_until.get(site).is_some_and(|until| now - until < within)
    }

    /// Whether there is no room for one more conversation, or was none so many milliseconds before `now`. One whose mail servers
    /// are being looked for has its place already, and the last places are for accounts that have few.
    pub fn was_full(&self, conversations_max: usize, now: u64, within: u64) -> bool {
        let begun = self.sites.values().sum::<usize>() + self.finding.values().sum::<usize>();
        let kept = conversations_max.div_ceil(KEPT_SHARE);
        begun + kept >= conversations_max || self.full_until.is_some_and(|until| now - until < within)
    }

    /// Takes note that something with a site ends now, while it still counts.
    fn ends(&mut self, site: &str, plan: &Plan, now: u64) {
        if self.was_full(plan.conversations_max, now, 0) {
            self.full_until = Some(now);
        }
        self.busy_until.insert(site.to_owned(), now);
    }
}

/// The outbound side with its witness.
pub struct SimCarrier {
    world: Arc<World>,
    outbound: Outbound<SimDialer>,
    carrying: Arc<Mutex<Carrying>>,
}

/// Takes note of the end of an attempt, however it ends.
struct Under<'a> {
    carrier: &'a SimCarrier,
    parcel: &'a Parcel,
    site: String,
}

impl Drop for Under<'_> {
    fn drop(&mut self) {
        let (world, mut carrying) = (&self.carrier.world, lock(&self.carrier.carrying));
        carrying.ends(&self.site, &world.plan, world.clock.milliseconds());
        world.mail().carried(self.parcel.envelope.message, &self.parcel.recipients);
        for recipient in &self.parcel.recipients {
            carrying.recipients.remove(&(self.parcel.envelope.message, *recipient));
        }
        if let Some(count) = carrying.sites.get_mut(&self.site) {
            *count -= 1;
        }
    }
}

/// Takes note of the end of a search for mail servers, however it ends.
struct Finding<'a> {
    carrier: &'a SimCarrier,
    site: String,
}

impl<'a> Finding<'a> {
    fn begin(carrier: &'a SimCarrier, destination: &Destination) -> Self {
        let site = carrier.routes().site(destination);
        *lock(&carrier.carrying).finding.entry(site.clone()).or_default() += 1;
        Finding { carrier, site }
    }
}

impl Drop for Finding<'_> {
    fn drop(&mut self) {
        let (world, mut carrying) = (&self.carrier.world, lock(&self.carrier.carrying));
        carrying.ends(&self.site, &world.plan, world.clock.milliseconds());
        if let Some(count) = carrying.finding.get_mut(&self.site) {
            *count -= 1;
        }
    }
}

impl SimCarrier {
    /// Around the outbound side of a life.
    pub fn new(world: Arc<World>, outbound: Outbound<SimDialer>, carrying: Arc<Mutex<Carrying>>) -> Self {
        SimCarrier { world, outbound, carrying }
    }

    fn begin<'a>(&'a self, destination: &Destination, parcel: &'a Parcel) -> Under<'a> {
        let site = self.routes().site(destination);
        let mut carrying = lock(&self.carrying);
        for recipient in &parcel.recipients {
            if !carrying.recipients.insert((parcel.envelope.message, *recipient)) {
                let message = parcel.envelope.message;
                self.world.violation(format!("{message}: recipient {recipient} is carried twice at once"));
            }
        }
        let begun =
            self.world.mail().begun(&parcel.envelope, &parcel.recipients, &site, self.world.clock.milliseconds());
        if let Err(fault) = begun {
            self.world.violation(fault);
        }
        let at_site = carrying.sites.entry(site.clone()).or_default();
        *at_site += 1;
        let (at_site, total) = (*at_site, carrying.sites.values().sum::<usize>());
        let plan = &self.world.plan;
        if at_site > plan.site_conversations_max || total > plan.conversations_max {
            self.world.violation(format!("{at_site} conversations with {site}, {total} in all"));
        }
        Under { carrier: self, parcel, site }
    }
}

impl Carrier for SimCarrier {
    type Line = Line<End>;

    fn routes(&self) -> &Routes {
        self.outbound.routes()
    }

    async fn hosts(&self, destination: &Destination) -> Option<Vec<String>> {
        let _under = Finding::begin(self, destination);
        self.outbound.hosts(destination).await
    }

    async fn deliver(
        &self,
        line: &mut Option<Line<End>>,
        destination: &Destination,
        parcel: &Parcel,
        at: Timestamp,
    ) -> Delivery {
        let _under = self.begin(destination, parcel);
        self.outbound.deliver(line, destination, parcel, at).await
    }

    async fn close(&self, line: Line<End>) {
        line.close().await;
    }
}
