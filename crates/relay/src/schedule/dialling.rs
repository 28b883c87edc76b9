//! Who gets the next new conversation: the account that has the fewest, those with as many in turn; each has its sites in
//! turn, the more urgent mail first.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::account::Account;
use crate::id::Id;
use crate::priority::Class;

/// What an account waits for.
#[derive(Debug)]
struct Line {
    /// Its sites, by how urgent its mail for them is.
    sites: [VecDeque<u32>; Class::COUNT],
    /// Its parcels that are carried, and its place among those that have as many.
    turn: (u32, u64),
}

/// Who stands in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) account: Id<Account>,
    pub(super) site: u32,
    /// How urgent its mail for that site is.
    pub(super) class: Class,
    /// How many sites it waits for with mail as urgent, about.
    pub(super) waiting: usize,
}

/// All who wait.
#[derive(Debug, Default)]
pub(super) struct Dialling {
    lines: HashMap<Id<Account>, Line>,
    turns: BTreeSet<(u32, u64, Id<Account>)>,
    given: u64,
    /// Which site stands in whose line, and where: what stands there under another class has moved up since.
    known: HashMap<(u32, Id<Account>), Class>,
}

impl Dialling {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Lets an account, of which so many parcels are carried, wait for a conversation with a site; whether it did not yet.
    pub(super) fn push(&mut self, site: u32, account: Id<Account>, class: Class, carried: u32) -> bool {
        let is_new = match self.known.entry((site, account)) {
            Entry::Occupied(known) if *known.get() >= class => return false,
            Entry::Occupied(mut known) => {
                known.insert(class);
                false
            }
            Entry::Vacant(vacant) => {
                vacant.insert(class);
                true
            }
        };
        let line = self.lines.entry(account).or_insert_with(|| {
            self.given += 1;
            let turn = (carried, self.given);
            self.turns.insert((turn.0, turn.1, account));
            Line { sites: Default::default(), turn }
        });
        line.sites[class.place()].push_back(site);
        is_new
    }

    /// So many parcels of an account are carried now.
    pub(super) fn recount(&mut self, account: Id<Account>, carried: u32) {
        if let Some(line) = self.lines.get_mut(&account) {
            self.turns.remove(&(line.turn.0, line.turn.1, account));
            line.turn.0 = carried;
            self.turns.insert((line.turn.0, line.turn.1, account));
        }
    }

    /// Whose turn it is, and for which site.
    pub(super) fn front(&mut self) -> Option<Front> {
        while let Some((carried, given, account)) = self.turns.first().copied() {
            if let Some(line) = self.lines.get_mut(&account) {
                for class in Class::ALL {
                    let sites = &mut line.sites[class.place()];
                    while let Some(site) = sites.front().copied() {
                        if self.known.get(&(site, account)) == Some(&class) {
                            return Some(Front { account, site, class, waiting: sites.len() });
                        }
                        sites.pop_front();
                    }
                }
            }
            self.lines.remove(&account);
            self.turns.remove(&(carried, given, account));
        }
        None
    }

    /// Takes what [`Dialling::front`] says; the account has its next turn after those that have as many.
    pub(super) fn pop(&mut self) {
        let Some(Front { account, site, class, .. }) = self.front() else { return };
        self.known.remove(&(site, account));
        if let Some(line) = self.lines.get_mut(&account) {
            line.sites[class.place()].pop_front();
            self.turns.remove(&(line.turn.0, line.turn.1, account));
            self.given += 1;
            line.turn.1 = self.given;
            self.turns.insert((line.turn.0, line.turn.1, account));
        }
    }
}
