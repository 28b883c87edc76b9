//! The due parcels of one destination: the accounts take turns, and of each account the more urgent mail goes first.

use std::collections::{HashMap, VecDeque};

use super::URGENT_IN_A_ROW_MAX;
use super::turns::ClassOrder;
use crate::account::Account;
use crate::id::Id;
use crate::priority::Class;

/// One account's.
#[derive(Debug, Default)]
struct Lanes {
    parcels: [VecDeque<u32>; Class::COUNT],
    order: ClassOrder,
}

impl Lanes {
    /// How urgent the most urgent of them is.
    fn class(&self) -> Option<Class> {
        Class::ALL.into_iter().find(|class| !self.parcels[class.place()].is_empty())
    }

    fn pop(&mut self, class: Class) -> Option<u32> {
        let Lanes { parcels, order } = self;
        let place = parcels[class.place()].pop_front();
        order.took(class, |class| !parcels[class.place()].is_empty());
        place
    }

    fn pop_next(&mut self) -> Option<u32> {
        let class = self.order.next(|class| !self.parcels[class.place()].is_empty())?;
        self.pop(class)
    }
}

/// All of them. May name parcels that have moved on.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Those that stand in `turn`; some may have nothing left.
    of: HashMap<Id<Account>, Box<Lanes>>,
    turn: VecDeque<Id<Account>>,
    /// Accounts that had nothing under way here when urgent mail of theirs came: they do not wait for their turn.
    urgent: VecDeque<Id<Account>>,
    urgent_in_a_row: u8,
}

impl Due {
    /// How urgent the most urgent mail of an account is, where it has any.
    pub(super) fn class_of(&self, account: Id<Account>) -> Option<Class> {
        self.of.get(&account)?.class()
    }

    /// The accounts that have mail, in turn.
    pub(super) fn accounts(&self) -> Vec<Id<Account>> {
        let has_mail = |account: &Id<Account>| self.class_of(*account).is_some();
        self.turn.iter().copied().filter(has_mail).collect()
    }

    /// A parcel is due. `in_front`: it was its turn already. `is_light`: its account has nothing under way here.
    pub(super) fn push(&mut self, account: Id<Account>, class: Class, place: u32, in_front: bool, is_light: bool) {
        let Due { of, turn, urgent, .. } = self;
        let lanes = of.entry(account).or_insert_with(|| {
            if in_front {
                turn.push_front(account);
            } else {
                turn.push_back(account);
            }
            Box::default()
        });
        let lane = &mut lanes.parcels[class.place()];
        if class == Class::High && lane.is_empty() && is_light && turn.len() > 1 {
            urgent.push_back(account);
        }
        if in_front {
            lane.push_front(place);
        } else {
            lane.push_back(place);
        }
    }

    /// The next parcel of an account. Where that stands in front, it has had its turn.
    pub(super) fn pop_of(&mut self, account: Id<Account>) -> Option<u32> {
        let place = self.of.get_mut(&account)?.pop_next();
        if self.turn.front() == Some(&account) {
            self.turn.rotate_left(1);
        }
        place
    }

    /// The next parcel of those accounts that may have one carried, and whose it is.
    pub(super) fn pop(&mut self, mut may: impl FnMut(Id<Account>) -> bool) -> Option<(Id<Account>, u32)> {
        if self.urgent_in_a_row < URGENT_IN_A_ROW_MAX
            && let Some(account) = self.next_urgent(&mut may)
        {
            self.urgent_in_a_row += 1;
            let place = self.of.get_mut(&account)?.pop(Class::High)?;
            return Some((account, place));
        }
        self.urgent_in_a_row = 0;
        let account = self.next_in_turn(&mut may)?;
        let place = self.of.get_mut(&account)?.pop_next()?;
        Some((account, place))
    }

    fn next_urgent(&mut self, may: &mut impl FnMut(Id<Account>) -> bool) -> Option<Id<Account>> {
        let mut index = 0;
        while let Some(account) = self.urgent.get(index).copied() {
            let is_urgent = self.class_of(account) == Some(Class::High);
            if is_urgent && !may(account) {
                index += 1;
                continue;
            }
            self.urgent.remove(index);
            if is_urgent {
                return Some(account);
            }
        }
        None
    }

    fn next_in_turn(&mut self, may: &mut impl FnMut(Id<Account>) -> bool) -> Option<Id<Account>> {
        let mut index = 0;
        while let Some(account) = self.turn.get(index).copied() {
            let has_mail = self.class_of(account).is_some();
            // only accounts that have something under way, or have had their part of a warm-up's day, are passed over, and so few
            if has_mail && !may(account) {
                index += 1;
                continue;
            }
            self.turn.remove(index);
            if has_mail {
                self.turn.push_back(account);
                return Some(account);
            }
            self.of.remove(&account);
        }
        None
    }

    /// Forgets parcels that have all moved on.
    pub(super) fn clear(&mut self) {
        self.of.clear();
        self.turn.clear();
        self.urgent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u64) -> Id<Account> {
        Id::new(number)
    }

    fn order(due: &mut Due, may: impl Fn(u64) -> bool) -> Vec<u32> {
        std::iter::from_fn(|| due.pop(|account| may(account.number()))).map(|(_, place)| place).collect()
    }

    #[test]
    fn accounts_take_turns_and_one_that_may_not_keeps_its_place() {
        let mut due = Due::default();
        for place in 0..6 {
            due.push(account(u64::from(place) % 3), Class::Normal, place, false, false);
        }
        assert_eq!(order(&mut due, |account| account != 0), [1, 2, 4, 5]);
        assert_eq!(due.accounts(), [account(0)]);
        due.push(account(1), Class::Normal, 7, true, false);
        assert_eq!(order(&mut due, |_| true), [7, 0, 3]);
        assert!(due.accounts().is_empty() && due.of.is_empty());
    }

    #[test]
    fn of_an_account_the_more_urgent_goes_first_but_the_rest_is_not_starved() {
        let mut due = Due::default();
        due.push(account(1), Class::Low, 1000, false, true);
        due.push(account(1), Class::Normal, 1001, false, true);
        for place in 0..50 {
            due.push(account(1), Class::High, place, false, false);
        }
        let order = order(&mut due, |_| true);
        assert_eq!((order[0], order[20], order[21], order.len()), (0, 1000, 1001, 52));
    }

    #[test]
    fn urgent_mail_of_whom_has_nothing_under_way_does_not_wait_for_its_turn() {
        let mut due = Due::default();
        for number in 1..=500 {
            due.push(account(number), Class::Normal, number as u32, false, true);
        }
        due.push(account(700), Class::High, 700, false, true);
        due.push(account(800), Class::High, 800, false, false);
        due.push(account(300), Class::High, 900, false, true);
        let order = order(&mut due, |_| true);
        assert_eq!(order[..4], [700, 900, 1, 2]);
        assert_eq!(order.last(), Some(&800));
    }
}
