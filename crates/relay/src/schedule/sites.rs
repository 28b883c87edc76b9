//! Sites: each destination's due parcels, its conversations and who has them, and whether it can be reached.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::due::Due;
use super::lanes::LaneId;
use super::lists::{Links, Lists};
use super::shapers::{NONE, Shapers};
use super::turns::may_take;
use super::{ConversationId, Fault, SITE_CONVERSATIONS_FIRST};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::priority::Class;
use crate::route::Destination;

/// A site that could not be reached.
#[derive(Debug)]
pub(super) struct Down {
    /// Left alone until then.
    pub(super) until: Timestamp,
    pub(super) fault: Arc<Fault>,
}

/// One destination, and the lane that its mail goes by.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) destination: Destination,
    pub(super) lane: LaneId,
    due: Due,
    /// Parcels of any state.
    pub(super) parcels: usize,
    /// Their recipients.
    pub(super) recipients: usize,
    /// Due parcels.
    pub(super) ready: usize,
    /// What is in force at its mail servers; [`NONE`] until these are known.
    pub(super) shaper: u32,
    /// Until when that is believed.
    pub(super) known_until: Timestamp,
    /// How many accounts wait for a conversation with it, in [`Scheduler::turns`](super::Scheduler) or at a shaper; one that
    /// waits in both counts twice.
    pub(super) standing: u32,
    /// Conversations, idle and closing ones included.
    pub(super) conversations: usize,
    /// Those that were told to close.
    pub(super) closing: usize,
    /// Those that carry something, by the account whose mail it is: few.
    taken: Vec<(Id<Account>, usize)>,
    /// Those that have reached the site.
    pub(super) proven: usize,
    pub(super) idle: Vec<ConversationId>,
    /// Conversations at once, for now.
    pub(super) limit: usize,
    /// Successes since the limit last grew.
    credit: usize,
    /// Times in a row that it could not be reached.
    pub(super) failures: u32,
    pub(super) down: Option<Down>,
    /// It stands in [`Sites::failing`].
    pub(super) wants_fail: bool,
}

impl Site {
    fn new(destination: Destination, lane: LaneId, limit: usize) -> Self {
        Site {
            destination,
            lane,
            due: Due::default(),
            parcels: 0,
            recipients: 0,
            ready: 0,
            shaper: NONE,
            known_until: Timestamp(0),
            standing: 0,
            conversations: 0,
            closing: 0,
            taken: Vec::new(),
            proven: 0,
            idle: Vec::new(),
            limit,
            credit: 0,
            failures: 0,
            down: None,
            wants_fail: false,
        }
    }

    pub(super) fn is_down(&self, now: Timestamp) -> bool {
        self.down.as_ref().is_some_and(|down| down.until > now)
    }

    pub(super) fn push(&mut self, account: Id<Account>, class: Class, place: u32, in_front: bool) {
        let is_light = self.taken(account) == 0;
        self.due.push(account, class, place, in_front, is_light);
        self.ready += 1;
    }

    /// One of the due parcels is no more: held, ended or handed out.
    pub(super) fn less_ready(&mut self) {
        self.ready -= 1;
        if self.ready == 0 {
            self.due.clear();
        }
    }

    /// The next place that may be a due parcel, of this account where one is named: the caller looks whether it still is
    /// one.
    pub(super) fn pop(&mut self, account: Option<Id<Account>>) -> Option<u32> {
        match account {
            Some(account) => self.due.pop_of(account),
            None => self.due.pop(|_| true).map(|(_, place)| place),
        }
    }

    /// The same, of those accounts that may have one more conversation here under way and otherwise.
    pub(super) fn pop_allowed(&mut self, may: impl Fn(Id<Account>) -> bool) -> Option<(Id<Account>, u32)> {
        let (free, limit) = (self.free(), self.limit);
        let Site { due, taken, .. } = self;
        due.pop(|account| may_take(taken_by(taken, account), free, limit) && may(account))
    }

    /// How urgent the due mail of an account is, where there is any.
    pub(super) fn class_of(&self, account: Id<Account>) -> Option<Class> {
        self.due.class_of(account)
    }

    /// The accounts with due mail, in turn.
    pub(super) fn accounts(&self) -> Vec<Id<Account>> {
        self.due.accounts()
    }

    /// Conversations that carry an account's mail.
    pub(super) fn taken(&self, account: Id<Account>) -> usize {
        taken_by(&self.taken, account)
    }

    /// One more of them.
    pub(super) fn take(&mut self, account: Id<Account>) {
        match self.taken.iter_mut().find(|(other, _)| *other == account) {
            Some((_, taken)) => *taken += 1,
            None => self.taken.push((account, 1)),
        }
    }

    /// One less.
    pub(super) fn give_back(&mut self, account: Id<Account>) {
        if let Some(index) = self.taken.iter().position(|(other, _)| *other == account) {
            self.taken[index].1 -= 1;
            if self.taken[index].1 == 0 {
                self.taken.swap_remove(index);
            }
        }
    }

    /// Conversations that it may have and that carry nothing, idle ones included.
    fn free(&self) -> usize {
        let carrying: usize = self.taken.iter().map(|(_, taken)| taken).sum();
        self.limit.saturating_sub(carrying + self.closing)
    }

    /// Whether an account may have one more of its conversations carry something.
    pub(super) fn may_have(&self, account: Id<Account>) -> bool {
        may_take(self.taken(account), self.free(), self.limit)
    }

    /// Whether a new conversation may begin.
    pub(super) fn has_room(&self) -> bool {
        self.conversations < self.limit
    }

    /// A dialogue took place: more conversations may follow, one for each whole round of successes.
    /// Whether the site had been down, and whether there may be more than before.
    pub(super) fn grow(&mut self, first: bool, most: usize) -> (bool, bool) {
        let before = self.limit;
        self.failures = 0;
        let was_down = self.down.take().is_some();
        if was_down {
            self.limit = self.limit.max(SITE_CONVERSATIONS_FIRST.min(most));
        }
        self.credit += 1;
        if (first || self.credit >= self.limit) && self.limit < most {
            self.limit += 1;
            self.credit = 0;
        }
        (was_down, was_down || self.limit > before)
    }

    /// Conversations were too many, or went wrong: at most so many for now.
    pub(super) fn shrink(&mut self, limit: usize) {
        self.limit = limit.max(1).min(self.limit);
        self.credit = 0;
    }

    /// Nothing depends on it but its memory of having been down.
    fn is_unused(&self) -> bool {
        self.parcels == 0 && self.conversations == 0 && self.standing == 0 && !self.wants_fail
    }
}

fn taken_by(taken: &[(Id<Account>, usize)], account: Id<Account>) -> usize {
    taken.iter().find(|(other, _)| *other == account).map_or(0, |(_, taken)| *taken)
}

/// Sites fewer than this are not worth looking through.
const SWEPT_MIN: usize = 1024;

/// All of them.
#[derive(Debug)]
pub(super) struct Sites {
    records: Vec<Option<Site>>,
    vacant: Vec<u32>,
    /// By lane and destination.
    places: Vec<HashMap<Destination, u32>>,
    /// Those of each shaper, and the neighbours of each in that list.
    of_shapers: Lists,
    links: Vec<Links>,
    limit_first: usize,
    swept_at: usize,
    /// Sites that are down and have due parcels, in turn.
    pub(super) failing: VecDeque<u32>,
}

impl Sites {
    pub(super) fn new(site_conversations_max: usize) -> Self {
        Sites {
            records: Vec::new(),
            vacant: Vec::new(),
            places: Vec::new(),
            of_shapers: Lists::default(),
            links: Vec::new(),
            limit_first: SITE_CONVERSATIONS_FIRST.min(site_conversations_max).max(1),
            swept_at: SWEPT_MIN,
            failing: VecDeque::new(),
        }
    }

    /// The place of a destination's site, where there is one.
    pub(super) fn find(&self, destination: &Destination, lane: LaneId) -> Option<u32> {
        self.places.get(lane.place())?.get(destination).copied()
    }

    fn count(&self) -> usize {
        self.records.len() - self.vacant.len()
    }

    /// The places of the sites that a name means while their mail servers are not known, one for each lane.
    pub(super) fn named(&self, name: &str) -> Vec<u32> {
        let destination = match name.strip_prefix("route ").and_then(|number| number.parse::<usize>().ok()) {
            Some(0) => return Vec::new(),
            Some(number) => Destination::Route { index: number - 1 },
            None => Destination::Mx { domain: name.to_owned() },
        };
        self.places.iter().filter_map(|places| places.get(&destination).copied()).collect()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Site> {
        self.records.iter().flatten()
    }

    /// The places of those that are like this. Looks at all of them.
    pub(super) fn places(&self, is_wanted: impl Fn(&Site) -> bool) -> Vec<u32> {
        let is_wanted = |site: &Option<Site>| site.as_ref().is_some_and(&is_wanted);
        (0u32..).zip(&self.records).filter(|(_, site)| is_wanted(site)).map(|(place, _)| place).collect()
    }

    /// Says to which shaper a site belongs; the one before.
    pub(super) fn assign(&mut self, place: u32, shaper: u32) -> u32 {
        let before = std::mem::replace(&mut self.at(place).shaper, shaper);
        if before != shaper {
            self.leaves(place, before);
            if shaper != NONE {
                self.of_shapers.push(shaper, place, &mut self.links);
            }
        }
        before
    }

    fn leaves(&mut self, place: u32, shaper: u32) {
        if shaper != NONE {
            self.of_shapers.take_out(shaper, place, &mut self.links);
        }
    }

    /// The places of those of a shaper.
    pub(super) fn of_shaper(&self, shaper: u32) -> Vec<u32> {
        self.of_shapers.of(shaper, &self.links)
    }

    /// The places of those of a shaper that have due parcels.
    pub(super) fn with_due_mail_at(&self, shaper: u32) -> Vec<u32> {
        let mut places = self.of_shaper(shaper);
        places.retain(|place| self.get(*place).ready > 0);
        places
    }

    /// Has those of a shaper asked again that could not be reached.
    pub(super) fn up_again(&mut self, shaper: u32, now: Timestamp) {
        for place in self.of_shaper(shaper) {
            if let Some(down) = &mut self.at(place).down {
                down.until = down.until.min(now);
            }
        }
    }

    /// Makes the place of a destination's site; there is none yet.
    pub(super) fn place(
        &mut self,
        destination: &Destination,
        lane: LaneId,
        now: Timestamp,
        shapers: &mut Shapers,
    ) -> u32 {
        if self.count() >= self.swept_at {
            self.sweep(now, shapers);
        }
        let site = Some(Site::new(destination.clone(), lane, self.limit_first));
        let place = match self.vacant.pop() {
            Some(place) => {
                self.records[place as usize] = site;
                place
            }
            None => {
                self.records.push(site);
                self.links.push(Links::default());
                u32::try_from(self.records.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if self.places.len() <= lane.place() {
            self.places.resize_with(lane.place() + 1, HashMap::new);
        }
        self.places[lane.place()].insert(destination.clone(), place);
        place
    }

    /// Forgets sites that nothing depends on, and then shapers.
    fn sweep(&mut self, now: Timestamp, shapers: &mut Shapers) {
        for place in 0..self.records.len() {
            let unused = self.records[place].as_ref().is_some_and(|site| site.is_unused() && !site.is_down(now));
            if let (true, Ok(number)) = (unused, u32::try_from(place))
                && let Some(site) = self.records[place].take()
            {
                if let Some(places) = self.places.get_mut(site.lane.place()) {
                    places.remove(&site.destination);
                }
                self.vacant.push(number);
                self.leaves(number, site.shaper);
                if let Some(shaper) = shapers.get_mut(site.shaper) {
                    shaper.sites -= 1;
                }
            }
        }
        shapers.sweep(now);
        self.swept_at = (2 * self.count()).max(SWEPT_MIN);
    }

    /// The site at a place that [`Sites::place`] gave, as long as it has parcels or conversations.
    #[expect(clippy::expect_used, reason = "a site with parcels or conversations is never swept")]
    pub(super) fn get(&self, place: u32) -> &Site {
        self.records[place as usize].as_ref().expect("a site in use")
    }

    /// The same, to be changed.
    #[expect(clippy::expect_used, reason = "a site with parcels or conversations is never swept")]
    pub(super) fn at(&mut self, place: u32) -> &mut Site {
        self.records[place as usize].as_mut().expect("a site in use")
    }
}
