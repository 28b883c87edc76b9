//! Sites: each destination's due parcels, by account in turn, its conversations, and whether it can be reached.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::shapers::{NONE, Shapers};
use super::{ConversationId, Fault, SITE_CONVERSATIONS_FIRST};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::route::Destination;

/// Due parcels, the accounts taking turns. May name parcels that have moved on.
#[derive(Debug, Default)]
struct Queue {
    of: HashMap<Id<Account>, VecDeque<u32>>,
    turn: VecDeque<Id<Account>>,
}

impl Queue {
    fn push(&mut self, account: Id<Account>, place: u32, in_front: bool) {
        let queue = self.of.entry(account).or_default();
        if queue.is_empty() {
            if in_front {
                self.turn.push_front(account);
            } else {
                self.turn.push_back(account);
            }
        }
        if in_front {
            queue.push_front(place);
        } else {
            queue.push_back(place);
        }
    }

    fn pop(&mut self) -> Option<u32> {
        let account = self.turn.pop_front()?;
        let queue = self.of.get_mut(&account)?;
        let place = queue.pop_front();
        if queue.is_empty() {
            self.of.remove(&account);
        } else {
            self.turn.push_back(account);
        }
        place
    }
}

/// A site that could not be reached.
#[derive(Debug)]
pub(super) struct Down {
    /// Left alone until then.
    pub(super) until: Timestamp,
    pub(super) fault: Arc<Fault>,
}

/// One destination.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) destination: Destination,
    queue: Queue,
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
    /// It stands in turn at its shaper.
    pub(super) waits_for_shaper: bool,
    /// Conversations, idle and closing ones included.
    pub(super) conversations: usize,
    /// Those that were told to close.
    pub(super) closing: usize,
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
    /// It stands in [`Sites::dialling`].
    pub(super) wants_dial: bool,
    /// It stands in [`Sites::failing`].
    pub(super) wants_fail: bool,
}

impl Site {
    fn new(destination: Destination, limit: usize) -> Self {
        Site {
            destination,
            queue: Queue::default(),
            parcels: 0,
            recipients: 0,
            ready: 0,
            shaper: NONE,
            known_until: Timestamp(0),
            waits_for_shaper: false,
            conversations: 0,
            closing: 0,
            proven: 0,
            idle: Vec::new(),
            limit,
            credit: 0,
            failures: 0,
            down: None,
            wants_dial: false,
            wants_fail: false,
        }
    }

    pub(super) fn is_down(&self, now: Timestamp) -> bool {
        self.down.as_ref().is_some_and(|down| down.until > now)
    }

    pub(super) fn push(&mut self, account: Id<Account>, place: u32, in_front: bool) {
        self.queue.push(account, place, in_front);
        self.ready += 1;
    }

    /// The next place that may be a due parcel: the caller looks whether it still is one.
    pub(super) fn pop(&mut self) -> Option<u32> {
        if self.ready == 0 {
            self.queue = Queue::default();
        }
        self.queue.pop()
    }

    /// A dialogue took place: more conversations may follow, one for each whole round of successes.
    /// Whether the site had been down.
    pub(super) fn grow(&mut self, first: bool, most: usize) -> bool {
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
        was_down
    }

    /// Conversations were too many, or went wrong: at most so many for now.
    pub(super) fn shrink(&mut self, limit: usize) {
        self.limit = limit.max(1).min(self.limit);
        self.credit = 0;
    }

    /// Nothing depends on it but its memory of having been down.
    fn is_unused(&self) -> bool {
        let stands = self.wants_dial || self.wants_fail || self.waits_for_shaper;
        self.parcels == 0 && self.conversations == 0 && !stands
    }
}

/// Sites fewer than this are not worth looking through.
const SWEPT_MIN: usize = 1024;

/// All of them.
#[derive(Debug)]
pub(super) struct Sites {
    records: Vec<Option<Site>>,
    vacant: Vec<u32>,
    places: HashMap<Destination, u32>,
    limit_first: usize,
    swept_at: usize,
    /// Sites with due parcels that may have one more conversation, in turn.
    pub(super) dialling: VecDeque<u32>,
    /// Sites that are down and have due parcels, in turn.
    pub(super) failing: VecDeque<u32>,
}

impl Sites {
    pub(super) fn new(site_conversations_max: usize) -> Self {
        Sites {
            records: Vec::new(),
            vacant: Vec::new(),
            places: HashMap::new(),
            limit_first: SITE_CONVERSATIONS_FIRST.min(site_conversations_max).max(1),
            swept_at: SWEPT_MIN,
            dialling: VecDeque::new(),
            failing: VecDeque::new(),
        }
    }

    /// The place of a destination's site, where there is one.
    pub(super) fn find(&self, destination: &Destination) -> Option<u32> {
        self.places.get(destination).copied()
    }

    /// The place of the site that a name means while its mail servers are not known.
    pub(super) fn named(&self, name: &str) -> Option<u32> {
        let destination = match name.strip_prefix("route ").and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => Destination::Route { index: number.checked_sub(1)? },
            None => Destination::Mx { domain: name.to_owned() },
        };
        self.find(&destination)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Site> {
        self.records.iter().flatten()
    }

    /// The places of those of a shaper that have due parcels. Looks at all of them.
    pub(super) fn with_due_mail_at(&self, shaper: u32) -> Vec<u32> {
        let is_its = |site: &Option<Site>| site.as_ref().is_some_and(|site| site.shaper == shaper && site.ready > 0);
        (0u32..).zip(&self.records).filter(|(_, site)| is_its(site)).map(|(place, _)| place).collect()
    }

    /// Has those of a shaper asked again that could not be reached.
    pub(super) fn up_again(&mut self, shaper: u32, now: Timestamp) {
        for site in self.records.iter_mut().flatten().filter(|site| site.shaper == shaper) {
            if let Some(down) = &mut site.down {
                down.until = down.until.min(now);
            }
        }
    }

    /// Makes the place of a destination's site; there is none yet.
    pub(super) fn place(&mut self, destination: &Destination, now: Timestamp, shapers: &mut Shapers) -> u32 {
        if self.places.len() >= self.swept_at {
            self.sweep(now, shapers);
        }
        let site = Some(Site::new(destination.clone(), self.limit_first));
        let place = match self.vacant.pop() {
            Some(place) => {
                self.records[place as usize] = site;
                place
            }
            None => {
                self.records.push(site);
                u32::try_from(self.records.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.places.insert(destination.clone(), place);
        place
    }

    /// Forgets sites that nothing depends on, and then shapers.
    fn sweep(&mut self, now: Timestamp, shapers: &mut Shapers) {
        for place in 0..self.records.len() {
            let unused = self.records[place].as_ref().is_some_and(|site| site.is_unused() && !site.is_down(now));
            if let (true, Ok(number)) = (unused, u32::try_from(place))
                && let Some(site) = self.records[place].take()
            {
                self.places.remove(&site.destination);
                self.vacant.push(number);
                if let Some(shaper) = shapers.get_mut(site.shaper) {
                    shaper.sites -= 1;
                }
            }
        }
        shapers.sweep(now);
        self.swept_at = (2 * self.places.len()).max(SWEPT_MIN);
    }

    /// The site at a place that [`Sites::place`] gave, as long as it has parcels or conversations.
    #[expect(clippy::expect_used, reason = "a site with parcels or conversations is never swept")]
    pub(super) fn at(&mut self, place: u32) -> &mut Site {
        self.records[place as usize].as_mut().expect("a site in use")
    }
}
