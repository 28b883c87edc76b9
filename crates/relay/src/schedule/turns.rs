//! Whose turn it is where accounts share something: conversations in all, or those with one set of mail servers. Who has the
//! fewest goes first, those with as many in turn; each account has its destinations in turn, the more urgent mail first.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};

use super::{KEPT_SHARE, LESS_URGENT_AFTER, URGENT_IN_A_ROW_MAX};
use crate::account::Account;
use crate::id::Id;
use crate::priority::Class;

/// Of so many places, those that are kept for accounts that have few.
pub(super) fn kept(most: usize) -> usize {
    most.div_ceil(KEPT_SHARE)
}

/// Whether an account that has taken so many of `most` places may take a further one of those that are free. The last ones
/// are kept for accounts that have fewer than are free: one account alone never has all, unless there is but one.
pub(super) fn may_take(taken: usize, free: usize, most: usize) -> bool {
    free > kept(most) || taken < free
}

/// Of which class an account's next is, where it has mail of several: the most urgent, but for one in so many of each other.
#[derive(Debug, Default)]
pub(super) struct ClassOrder {
    /// How often each class was passed over since it last had its turn.
    passed: [u8; Class::COUNT],
}

impl ClassOrder {
    pub(super) fn next(&self, waits: impl Fn(Class) -> bool) -> Option<Class> {
        let is_overdue = |class: &Class| waits(*class) && self.passed[class.place()] >= LESS_URGENT_AFTER;
        let overdue = Class::ALL.into_iter().rev().find(is_overdue);
        overdue.or_else(|| Class::ALL.into_iter().find(|class| waits(*class)))
    }

    /// One of this class went.
    pub(super) fn took(&mut self, class: Class, waits: impl Fn(Class) -> bool) {
        for other in Class::ALL {
            let passed = &mut self.passed[other.place()];
            if other == class || !waits(other) {
                *passed = 0;
            } else if other < class {
                *passed = passed.saturating_add(1);
            }
        }
    }
}

/// What an account waits for.
#[derive(Debug, Default)]
struct Line {
    /// Its destinations, by how urgent its mail for them is. May name some that have moved up since.
    sites: [VecDeque<u32>; Class::COUNT],
    order: ClassOrder,
    key: Key,
}

/// Its place among the accounts: what it has taken, whether it has nothing else than urgent mail to begin with, its turn.
type Key = (u32, bool, u64);

/// A destination in an account's line.
#[derive(Debug)]
struct Standing {
    class: Class,
    /// Where a place is spoken for with it.
    shaper: u32,
}

/// Who stands in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) account: Id<Account>,
    pub(super) site: u32,
    /// How urgent its mail for that site is.
    pub(super) class: Class,
    /// Where a place is spoken for with it.
    pub(super) shaper: u32,
    /// How many destinations it waits for with mail as urgent, about.
    pub(super) waiting: usize,
}

/// All who wait, and what each account has.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Places that each account has taken; none is no entry.
    taken: HashMap<Id<Account>, u32>,
    total: usize,
    lines: HashMap<Id<Account>, Line>,
    keys: BTreeSet<(Key, Id<Account>)>,
    /// Turns given so far.
    given: u64,
    urgent_in_a_row: u8,
    standing: HashMap<(u32, Id<Account>), Standing>,
}

impl Turns {
    /// How many wait: destinations, each as often as accounts wait for it.
    pub(super) fn len(&self) -> usize {
        self.standing.len()
    }

    /// Nobody waits, and nobody has anything.
    pub(super) fn is_unused(&self) -> bool {
        self.taken.is_empty() && self.standing.is_empty()
    }

    /// Places that are taken.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// Places that an account has taken.
    pub(super) fn taken(&self, account: Id<Account>) -> usize {
        self.taken.get(&account).map_or(0, |taken| *taken as usize)
    }

    /// An account takes a place.
    pub(super) fn take(&mut self, account: Id<Account>) {
        let taken = self.taken.entry(account).or_default();
        *taken += 1;
        self.total += 1;
        let taken = *taken;
        self.rekey(account, |(_, _, turn)| (taken, true, turn));
    }

    /// An account gives a place back.
    pub(super) fn give_back(&mut self, account: Id<Account>) {
        let Entry::Occupied(mut taken) = self.taken.entry(account) else { return };
        *taken.get_mut() -= 1;
        self.total -= 1;
        let left = *taken.get();
        if left == 0 {
            taken.remove();
        }
        self.rekey(account, |(_, ordinary, turn)| (left, ordinary, turn));
    }

    fn rekey(&mut self, account: Id<Account>, key: impl FnOnce(Key) -> Key) {
        if let Some(line) = self.lines.get_mut(&account) {
            self.keys.remove(&(line.key, account));
            line.key = key(line.key);
            self.keys.insert((line.key, account));
        }
    }

    /// Lets an account wait for a place with a destination; whether it did not yet.
    pub(super) fn push(&mut self, site: u32, account: Id<Account>, class: Class, shaper: u32) -> bool {
        let is_new = match self.standing.entry((site, account)) {
            Entry::Occupied(known) if known.get().class >= class => return false,
            Entry::Occupied(mut known) => {
                known.get_mut().class = class;
                false
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Standing { class, shaper });
                true
            }
        };
        let taken = self.taken.get(&account).copied().unwrap_or_default();
        if !self.lines.contains_key(&account) {
            self.given += 1;
            let key = (taken, true, self.given);
            self.keys.insert((key, account));
            self.lines.insert(account, Line { key, ..Line::default() });
        }
        if let Some(line) = self.lines.get_mut(&account) {
            line.sites[class.place()].push_back(site);
        }
        if class == Class::High && taken == 0 {
            self.rekey(account, |(taken, _, turn)| (taken, false, turn));
        }
        is_new
    }

    /// Whose turn it is, and for which destination.
    pub(super) fn front(&mut self) -> Option<Front> {
        loop {
            let account = self.foremost()?;
            let Turns { lines, standing, .. } = self;
            let line = lines.get_mut(&account)?;
            for class in Class::ALL {
                let sites = &mut line.sites[class.place()];
                let stands = |site: &u32| standing.get(&(*site, account)).is_some_and(|known| known.class == class);
                while sites.front().is_some_and(|site| !stands(site)) {
                    sites.pop_front();
                }
            }
            let next = line.order.next(|class| !line.sites[class.place()].is_empty());
            let found = next.and_then(|class| Some((class, *line.sites[class.place()].front()?)));
            if let Some((class, site)) = found {
                let shaper = standing.get(&(site, account)).map_or(u32::MAX, |known| known.shaper);
                return Some(Front { account, site, class, shaper, waiting: line.sites[class.place()].len() });
            }
            let key = line.key;
            self.lines.remove(&account);
            self.keys.remove(&(key, account));
        }
    }

    /// The account with the fewest; of several those that have nothing yet and urgent mail, but not without end.
    fn foremost(&self) -> Option<Id<Account>> {
        let ((taken, ordinary, _), account) = *self.keys.first()?;
        if !ordinary && self.urgent_in_a_row >= URGENT_IN_A_ROW_MAX {
            let mut others = self.keys.range(((taken, true, 0), Id::new(0))..);
            if let Some((_, other)) = others.next().filter(|(key, _)| key.0 == taken) {
                return Some(*other);
            }
        }
        Some(account)
    }

    /// Takes what [`Turns::front`] says; the account has its next turn after those that have as many.
    pub(super) fn pop(&mut self) -> Option<Front> {
        let front = self.front()?;
        self.standing.remove(&(front.site, front.account));
        self.given += 1;
        let given = self.given;
        if let Some(line) = self.lines.get_mut(&front.account) {
            line.sites[front.class.place()].pop_front();
            let Line { sites, order, .. } = line;
            order.took(front.class, |class| !sites[class.place()].is_empty());
            self.urgent_in_a_row = if line.key.1 { 0 } else { self.urgent_in_a_row.saturating_add(1) };
        }
        self.rekey(front.account, |(taken, _, _)| (taken, true, given));
        Some(front)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn account(number: u64) -> Id<Account> {
        Id::new(number)
    }

    fn served(turns: &mut Turns) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| turns.pop()).map(|front| (front.account.number(), front.site)).collect()
    }

    #[test]
    fn the_last_places_are_for_whom_has_few() {
        let most_of_one = |most: usize| (0..=most).find(|taken| !may_take(*taken, most - taken, most)).unwrap();
        assert_eq!([1, 2, 3, 5, 10, 20, 40, 200].map(most_of_one), [1, 1, 2, 4, 9, 19, 38, 190]);
        assert!(may_take(0, 1, 10) && !may_take(0, 0, 10) && !may_take(1, 1, 10));
    }

    #[test]
    fn whoever_has_the_fewest_goes_first_and_the_others_in_turn() {
        let mut turns = Turns::default();
        turns.take(account(1));
        for site in 0..3 {
            assert!(turns.push(site, account(1), Class::Normal, 0));
            assert!(turns.push(site, account(2), Class::Normal, 0));
            assert!(turns.push(site, account(3), Class::Normal, 0));
        }
        assert!(!turns.push(0, account(1), Class::Low, 0), "it stands there already");
        assert_eq!(served(&mut turns), [(2, 0), (3, 0), (2, 1), (3, 1), (2, 2), (3, 2), (1, 0), (1, 1), (1, 2)]);
        assert_eq!((turns.len(), turns.total(), turns.taken(account(1))), (0, 1, 1));
        turns.give_back(account(1));
        assert!(turns.is_unused());
    }

    #[test]
    fn urgent_mail_moves_up_and_lets_one_in_so_many_of_the_rest_go() {
        let mut turns = Turns::default();
        turns.push(1000, account(1), Class::Low, 0);
        turns.push(1001, account(1), Class::Normal, 0);
        for site in 0..60 {
            turns.push(site, account(1), Class::High, 0);
        }
        turns.push(1000, account(1), Class::Normal, 0);
        let sites: Vec<u32> = served(&mut turns).iter().map(|(_, site)| *site).collect();
        assert_eq!(sites.len(), 62);
        let after = |site: u32| sites.iter().position(|other| *other == site).unwrap();
        assert_eq!((after(0), after(1001), after(1000)), (0, usize::from(LESS_URGENT_AFTER), 41));
    }

    #[test]
    fn urgent_mail_of_whom_has_nothing_goes_before_that_of_others_but_not_without_end() {
        let mut turns = Turns::default();
        for number in 1..=10 {
            turns.push(0, account(number), Class::Normal, 0);
        }
        for number in 11..=20 {
            turns.push(0, account(number), Class::High, 0);
        }
        let order: Vec<u64> = served(&mut turns).iter().map(|(account, _)| *account).collect();
        assert_eq!(order[..11], [11, 12, 13, 14, 1, 15, 16, 17, 18, 2, 19]);
    }
}
