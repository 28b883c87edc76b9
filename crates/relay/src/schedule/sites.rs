//! Sites: each destination's due parcels, by account in turn, its conversations, and whether it can be reached.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::dialling::Dialling;
use super::{ConversationId, Fault, SITE_CONVERSATIONS_FIRST};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::priority::Class;
use crate::route::Destination;

/// Due parcels, the accounts taking turns, the more urgent ones of an account first. May name parcels that have moved on,
/// and accounts that have none any more.
#[derive(Debug, Default)]
struct Queue {
    of: HashMap<(Id<Account>, Class), VecDeque<u32>>,
    turn: VecDeque<Id<Account>>,
}

impl Queue {
    /// How urgent the most urgent parcel of an account is, where it has one.
    fn class_of(&self, account: Id<Account>) -> Option<Class> {
        Class::ALL.into_iter().find(|class| self.of.contains_key(&(account, *class)))
    }

    fn push(&mut self, account: Id<Account>, class: Class, place: u32, in_front: bool) {
        if self.class_of(account).is_none() {
            if in_front {
                self.turn.push_front(account);
            } else {
                self.turn.push_back(account);
            }
        }
        let queue = self.of.entry((account, class)).or_default();
        if in_front {
            queue.push_front(place);
        } else {
            queue.push_back(place);
        }
    }

    /// The next parcel of whoever's turn it is.
    fn pop(&mut self) -> Option<u32> {
        loop {
            let account = self.turn.pop_front()?;
            if let Some(place) = self.pop_of(account) {
                if self.class_of(account).is_some() {
                    self.turn.push_back(account);
                }
                return Some(place);
            }
        }
    }

    /// The next parcel of an account.
    fn pop_of(&mut self, account: Id<Account>) -> Option<u32> {
        let class = self.class_of(account)?;
        let queue = self.of.get_mut(&(account, class))?;
        let place = queue.pop_front();
        if queue.is_empty() {
            self.of.remove(&(account, class));
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
    /// Due parcels.
    pub(super) ready: usize,
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
    /// How many accounts wait for a conversation with it, in [`Sites::dialling`].
    pub(super) waited_for: u32,
    /// It stands in [`Sites::failing`].
    pub(super) wants_fail: bool,
}

impl Site {
    fn new(destination: Destination, limit: usize) -> Self {
        Site {
            destination,
            queue: Queue::default(),
            parcels: 0,
            ready: 0,
            conversations: 0,
            closing: 0,
            proven: 0,
            idle: Vec::new(),
            limit,
            credit: 0,
            failures: 0,
            down: None,
            waited_for: 0,
            wants_fail: false,
        }
    }

    pub(super) fn is_down(&self, now: Timestamp) -> bool {
        self.down.as_ref().is_some_and(|down| down.until > now)
    }

    pub(super) fn push(&mut self, account: Id<Account>, class: Class, place: u32, in_front: bool) {
        self.queue.push(account, class, place, in_front);
        self.ready += 1;
    }

    /// The next place that may be a due parcel, of this account where one is named: the caller looks whether it still is
    /// one.
    pub(super) fn pop(&mut self, account: Option<Id<Account>>) -> Option<u32> {
        if self.ready == 0 {
            self.queue = Queue::default();
        }
        match account {
            // in front, it has had its turn; elsewhere in the turn it keeps its place
            Some(account) if self.queue.turn.front() != Some(&account) => self.queue.pop_of(account),
            _ => self.queue.pop(),
        }
    }

    /// How urgent the due mail of an account is, where there is any.
    pub(super) fn class_of(&self, account: Id<Account>) -> Option<Class> {
        self.queue.class_of(account).filter(|_| self.ready > 0)
    }

    /// The accounts with due mail.
    pub(super) fn accounts(&self) -> Vec<(Id<Account>, Class)> {
        let of = |account: &Id<Account>| Some((*account, self.class_of(*account)?));
        self.queue.turn.iter().filter_map(of).collect()
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
        self.parcels == 0 && self.conversations == 0 && self.waited_for == 0 && !self.wants_fail
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
    /// Who waits for one more conversation with which site.
    pub(super) dialling: Dialling,
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
            dialling: Dialling::default(),
            failing: VecDeque::new(),
        }
    }

    /// The place of a destination's site, which is made where there is none.
    pub(super) fn place(&mut self, destination: &Destination, now: Timestamp) -> u32 {
        if let Some(place) = self.places.get(destination) {
            return *place;
        }
        if self.places.len() >= self.swept_at {
            self.sweep(now);
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

    /// Forgets sites that nothing depends on.
    fn sweep(&mut self, now: Timestamp) {
        for place in 0..self.records.len() {
            let unused = self.records[place].as_ref().is_some_and(|site| site.is_unused() && !site.is_down(now));
            if let (true, Ok(number)) = (unused, u32::try_from(place))
                && let Some(site) = self.records[place].take()
            {
                self.places.remove(&site.destination);
                self.vacant.push(number);
            }
        }
        self.swept_at = (2 * self.places.len()).max(SWEPT_MIN);
    }

    /// The site at a place that [`Sites::place`] gave, as long as it has parcels or conversations.
    #[expect(clippy::expect_used, reason = "a site with parcels or conversations is never swept")]
    pub(super) fn at(&mut self, place: u32) -> &mut Site {
        self.records[place as usize].as_mut().expect("a site in use")
    }
}
