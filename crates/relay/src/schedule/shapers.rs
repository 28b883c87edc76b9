//! Shapers: what is in force at the mail servers that destinations share, who waits for it, and when it opens.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::Fault;
use super::sending::Blocks;
use super::turns::{Front, Turns, may_take};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::priority::Class;
use crate::shaping::{Allowance, Said, Shaping};

/// No shaper.
pub(super) const NONE: u32 = u32::MAX;

/// The mail servers of one destination or of many.
#[derive(Debug)]
pub(super) struct Shaper {
    pub(super) name: Arc<str>,
    pub(super) shaping: Shaping,
    /// Destinations that belong to it.
    pub(super) sites: usize,
    /// Conversations, idle and closing ones included.
    pub(super) conversations: usize,
    /// Those that were told to close.
    pub(super) closing: usize,
    /// Those that wait for further mail.
    pub(super) idle: usize,
    /// Those that have reached it.
    pub(super) proven: usize,
    /// Those of whoever stands in turn for a new conversation: places that are spoken for.
    dialling: usize,
    /// The accounts with due mail for its destinations that wait for it, in turn, and the places that each has taken or
    /// spoken for; none where there are none.
    turns: Option<Box<Turns>>,
    /// What mail that waits for it is told while it is suspended.
    pub(super) fault: Option<Arc<Fault>>,
    /// The reply that led to what is in force.
    pub(super) said: Option<Said>,
    /// What it has against sources of ours; none where there is nothing.
    pub(super) blocks: Option<Box<Blocks>>,
    /// When it is looked at because something opens then.
    alarm: Option<Timestamp>,
    /// It stands in [`Shapers::stirred`].
    is_stirred: bool,
}

impl Shaper {
    /// Whether one more conversation may begin, those that are spoken for counted.
    pub(super) fn has_room(&self, now: Timestamp) -> bool {
        self.conversations + self.dialling < self.shaping.connections(now)
    }

    /// Whether no message may begin now.
    pub(super) fn is_closed(&self, now: Timestamp) -> bool {
        self.shaping.closed_until(now).is_some()
    }

    /// Whether an account may begin a conversation with a message now.
    pub(super) fn admits(&self, account: Id<Account>, now: Timestamp) -> bool {
        self.has_room(now) && !self.is_closed(now) && self.may_have(account, now)
    }

    /// Whether an account may have one more of its conversations carry something, those that are spoken for counted.
    pub(super) fn may_have(&self, account: Id<Account>, now: Timestamp) -> bool {
        let most = self.shaping.connections(now);
        let busy = self.turns.as_ref().map_or(0, |turns| turns.total()) + self.closing;
        may_take(self.taken(account), most.saturating_sub(busy), most)
    }

    /// Conversations that carry an account's mail, and places that are spoken for by it.
    pub(super) fn taken(&self, account: Id<Account>) -> usize {
        self.turns.as_ref().map_or(0, |turns| turns.taken(account))
    }

    /// One more of them.
    pub(super) fn take(&mut self, account: Id<Account>) {
        self.turns.get_or_insert_default().take(account);
    }

    /// One less.
    pub(super) fn give_back(&mut self, account: Id<Account>) {
        if let Some(turns) = &mut self.turns {
            turns.give_back(account);
        }
    }

    /// An account stands in turn for a new conversation.
    pub(super) fn speak_for(&mut self, account: Id<Account>) {
        self.dialling += 1;
        self.take(account);
    }

    /// It does no more.
    pub(super) fn unspeak(&mut self, account: Id<Account>) {
        self.dialling -= 1;
        self.give_back(account);
        self.tidy();
    }

    /// Lets an account wait for it with a destination; whether it did not yet.
    pub(super) fn wait(&mut self, site: u32, account: Id<Account>, class: Class) -> bool {
        self.turns.get_or_insert_default().push(site, account, class, NONE)
    }

    /// How many wait for it.
    pub(super) fn waiting(&self) -> usize {
        self.turns.as_ref().map_or(0, |turns| turns.len())
    }

    /// Who waits for it longest of those that have the least.
    pub(super) fn front(&mut self) -> Option<Front> {
        self.turns.as_mut()?.front()
    }

    /// Takes what [`Shaper::front`] says.
    pub(super) fn pop(&mut self) {
        if let Some(turns) = &mut self.turns {
            turns.pop();
        }
        self.tidy();
    }

    /// Forgets who took turns, where that is nobody any more and it has no conversation.
    pub(super) fn tidy(&mut self) {
        if self.conversations == 0 && self.turns.as_ref().is_some_and(|turns| turns.is_unused()) {
            self.turns = None;
        }
    }

    /// Whether it has more conversations than it may.
    pub(super) fn is_crowded(&self, now: Timestamp) -> bool {
        self.conversations - self.closing > self.shaping.connections(now)
    }

    fn is_unused(&self, now: Timestamp) -> bool {
        let is_waited_for = self.turns.as_ref().is_some_and(|turns| !turns.is_unused());
        let is_calm = self.blocks.as_ref().is_none_or(|blocks| blocks.is_forgettable(now));
        self.sites == 0 && self.conversations == 0 && !is_waited_for && is_calm && self.shaping.is_forgettable(now)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Shapers {
    records: Vec<Option<Shaper>>,
    vacant: Vec<u32>,
    places: HashMap<Arc<str>, u32>,
    /// May name moments that have moved on.
    alarms: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// Those where something opened: whoever waits for them is to be looked at.
    stirred: Vec<u32>,
    /// Those that are suspended, or did not take mail since.
    pub(super) suspended: usize,
}

impl Shapers {
    /// The place of the shaper of a name, which is made where there is none.
    pub(super) fn place(&mut self, name: &str, allowance: impl FnOnce() -> Allowance) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let name: Arc<str> = name.into();
        let shaper = Some(Shaper {
            name: Arc::clone(&name),
            shaping: Shaping::new(allowance()),
            sites: 0,
            conversations: 0,
            closing: 0,
            idle: 0,
            proven: 0,
            dialling: 0,
            turns: None,
            fault: None,
            said: None,
            blocks: None,
            alarm: None,
            is_stirred: false,
        });
        let place = match self.vacant.pop() {
            Some(place) => {
                self.records[place as usize] = shaper;
                place
            }
            None => {
                self.records.push(shaper);
                u32::try_from(self.records.len() - 1).unwrap_or(NONE)
            }
        };
        self.places.insert(name, place);
        place
    }

    /// The shaper at a place; none at [`NONE`], and of one that was forgotten.
    pub(super) fn get(&self, place: u32) -> Option<&Shaper> {
        self.records.get(place as usize)?.as_ref()
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Shaper> {
        self.records.get_mut(place as usize)?.as_mut()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Shaper> {
        self.records.iter().flatten()
    }

    /// The place of the shaper of a name.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.places.get(name).copied()
    }

    /// Says that something may have opened.
    pub(super) fn stir(&mut self, place: u32) {
        if let Some(shaper) = self.get_mut(place)
            && !std::mem::replace(&mut shaper.is_stirred, true)
        {
            self.stirred.push(place);
        }
    }

    /// One where something may have opened.
    pub(super) fn stirred(&mut self) -> Option<u32> {
        let place = self.stirred.pop()?;
        if let Some(shaper) = self.get_mut(place) {
            shaper.is_stirred = false;
        }
        Some(place)
    }

    /// Has it looked at again at a moment.
    pub(super) fn wake_at(&mut self, place: u32, at: Timestamp) {
        if let Some(shaper) = self.get_mut(place)
            && shaper.alarm.is_none_or(|alarm| at < alarm)
        {
            shaper.alarm = Some(at);
            self.alarms.push(Reverse((at, place)));
        }
    }

    fn is_set(&self, place: u32, at: Timestamp) -> bool {
        self.get(place).is_some_and(|shaper| shaper.alarm == Some(at))
    }

    /// When the next of them is to be looked at.
    pub(super) fn next_alarm(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, place))) = self.alarms.peek().copied() {
            if self.is_set(place, at) {
                return Some(at);
            }
            self.alarms.pop();
        }
        None
    }

    /// Stirs those whose moment has come.
    pub(super) fn ring(&mut self, now: Timestamp) {
        while self.next_alarm().is_some_and(|at| at <= now) {
            if let Some(Reverse((_, place))) = self.alarms.pop() {
                if let Some(shaper) = self.get_mut(place) {
                    shaper.alarm = None;
                }
                self.stir(place);
            }
        }
    }

    /// Somebody wants it asked now.
    pub(super) fn ask_again(&mut self, place: u32, now: Timestamp) {
        if let Some(shaper) = self.get_mut(place) {
            shaper.shaping.ask_again(now);
            if let Some(blocks) = &mut shaper.blocks {
                blocks.ask_again(now);
            }
            self.stir(place);
        }
    }

    /// Forgets those that no destination belongs to and nothing is known of.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        for place in 0..self.records.len() {
            let unused = self.records[place].as_ref().is_some_and(|shaper| shaper.is_unused(now));
            if let (true, Ok(number)) = (unused, u32::try_from(place))
                && let Some(shaper) = self.records[place].take()
            {
                self.suspended -= usize::from(shaper.shaping.is_suspended());
                self.suspended -= shaper.blocks.map_or(0, |blocks| blocks.suspended());
                self.places.remove(&shaper.name);
                self.vacant.push(number);
            }
        }
    }
}
