//! Whose calls are sent next: accounts by turns, each webhook and each account within its share of the conversations.

use std::collections::{BTreeMap, HashMap};

use super::{Outlook, Webhook};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::limits::Limits;

/// Who has calls to send, and who is being sent some.
#[derive(Debug)]
pub struct Turns {
    max: usize,
    account_max: usize,
    webhook_max: usize,
    desks: BTreeMap<Id<Webhook>, Desk>,
    /// Conversations of each account.
    busy: HashMap<Id<Account>, usize>,
    running: usize,
    /// How many turns there were.
    turns: u64,
    /// The account whose turn was last.
    last: Option<Id<Account>>,
}

/// What is known of a webhook.
#[derive(Debug)]
struct Desk {
    account: Id<Account>,
    /// When its first call is due; none: nothing that is not under way.
    due: Option<Timestamp>,
    conversations: usize,
    /// Its receiver did not take what it was last sent.
    fails: bool,
    /// When it was last its turn, in turns.
    turn: u64,
}

impl Turns {
    /// Nobody has anything yet.
    pub fn new(limits: &Limits) -> Self {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Turns {
            max: count(limits.webhook_requests_max),
            account_max: count(limits.account_webhook_requests_max),
            webhook_max: count(limits.one_webhook_requests_max),
            desks: BTreeMap::new(),
            busy: HashMap::new(),
            running: 0,
            turns: 0,
            last: None,
        }
    }

    /// Takes over which webhooks have calls that may be sent; others have none.
    pub fn refresh(&mut self, outlooks: impl IntoIterator<Item = Outlook>) {
        self.desks.values_mut().for_each(|desk| desk.due = None);
        for Outlook { webhook, account, due, .. } in outlooks {
            let fresh = Desk { account, due: None, conversations: 0, fails: false, turn: 0 };
            self.desks.entry(webhook).or_insert(fresh).due = Some(due);
        }
        // one that fails is remembered for as long as it has calls
        self.desks.retain(|_, desk| desk.due.is_some() || desk.conversations > 0);
    }

    /// A webhook that is to be sent calls now; a conversation of it has begun with this.
    pub fn next(&mut self, now: Timestamp) -> Option<Id<Webhook>> {
        let last = self.last;
        let due = self.desks.iter().filter(|(_, desk)| desk.due.is_some_and(|due| due <= now) && self.has_room(desk));
        // the accounts behind the last one first, then from the beginning; of each the webhook that has waited longest
        let order = |desk: &Desk| (last.is_some_and(|last| desk.account <= last), desk.account, desk.turn);
        let (webhook, _) = due.min_by_key(|(_, desk)| order(desk))?;
        let webhook = *webhook;
        self.turns += 1;
        let desk = self.desks.get_mut(&webhook)?;
        desk.conversations += 1;
        desk.turn = self.turns;
        self.running += 1;
        self.last = Some(desk.account);
        *self.busy.entry(desk.account).or_default() += 1;
        Some(webhook)
    }

    fn has_room(&self, desk: &Desk) -> bool {
        let most = if desk.fails { 1 } else { self.webhook_max };
        self.running < self.max
            && desk.conversations < most
            && self.busy.get(&desk.account).is_none_or(|busy| *busy < self.account_max)
    }

    /// There was nothing to send: all that is due is under way. Until the next refresh it has no turn.
    pub fn had_nothing(&mut self, webhook: Id<Webhook>) {
        if let Some(desk) = self.desks.get_mut(&webhook) {
            desk.due = None;
        }
        self.release(webhook);
    }

    /// A conversation has ended, and the receiver took what it was last sent, or did not.
    pub fn ended(&mut self, webhook: Id<Webhook>, took: bool) {
        if let Some(desk) = self.desks.get_mut(&webhook) {
            desk.fails = !took;
        }
        self.release(webhook);
    }

    fn release(&mut self, webhook: Id<Webhook>) {
        let Some(desk) = self.desks.get_mut(&webhook).filter(|desk| desk.conversations > 0) else { return };
        desk.conversations -= 1;
        self.running -= 1;
        if let Some(busy) = self.busy.get_mut(&desk.account) {
            *busy -= 1;
            if *busy == 0 {
                self.busy.remove(&desk.account);
            }
        }
    }

    /// When the next turn is, where one comes without an end of what runs.
    pub fn due(&self) -> Option<Timestamp> {
        self.desks.values().filter(|desk| self.has_room(desk)).filter_map(|desk| desk.due).min()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn turns() -> Turns {
        Turns::new(&Limits {
            webhook_requests_max: 6,
            account_webhook_requests_max: 4,
            one_webhook_requests_max: 3,
            ..Limits::default()
        })
    }

    fn outlook(account: u64, webhook: u64, due: u64) -> Outlook {
        Outlook { webhook: Id::new(webhook), account: Id::new(account), waiting: 1, due: Timestamp(due) }
    }

    fn all(turns: &mut Turns) -> Vec<u64> {
        std::iter::from_fn(|| turns.next(NOW)).map(Id::number).collect()
    }

    #[test]
    fn accounts_have_turns_within_their_shares() {
        let mut turns = turns();
        // account 1 has three webhooks with work, account 2 one, account 3 nothing that is due
        turns.refresh([
            outlook(1, 10, 0),
            outlook(1, 11, 0),
            outlook(1, 12, 0),
            outlook(2, 20, 0),
            outlook(3, 30, 2_000),
        ]);
        assert_eq!(all(&mut turns), [10, 20, 11, 20, 12, 20], "by turns; then all is taken");
        turns.ended(Id::new(20), true);
        assert_eq!(all(&mut turns), [10], "the place goes to whoever waits");
        turns.ended(Id::new(20), true);
        assert_eq!(all(&mut turns), [20], "account 1 has its four");
        assert_eq!(turns.due(), None, "nothing more before something ends");
    }

    #[test]
    fn one_that_fails_is_tried_by_one_conversation() {
        let mut turns = turns();
        turns.refresh([outlook(1, 10, 0)]);
        assert_eq!(all(&mut turns), [10, 10, 10]);
        (0..3).for_each(|_| turns.ended(Id::new(10), false));
        assert_eq!(all(&mut turns), [10]);
        turns.refresh([outlook(1, 10, 0)]);
        assert_eq!(all(&mut turns), Vec::<u64>::new());
        turns.ended(Id::new(10), true);
        assert_eq!(all(&mut turns), [10, 10, 10], "it takes again");
    }

    #[test]
    fn one_whose_calls_are_all_under_way_waits_for_the_next_refresh() {
        let mut turns = turns();
        turns.refresh([outlook(1, 10, 0), outlook(2, 20, 5_000)]);
        assert_eq!(turns.next(NOW), Some(Id::new(10)));
        assert_eq!(turns.next(NOW), Some(Id::new(10)));
        turns.had_nothing(Id::new(10));
        assert_eq!((turns.next(NOW), turns.due()), (None, Some(Timestamp(5_000))));
        turns.refresh([outlook(1, 10, 0)]);
        assert_eq!(turns.next(NOW), Some(Id::new(10)));
    }

    #[test]
    fn one_that_is_gone_gives_its_places_back() {
        let mut turns = turns();
        turns.refresh([outlook(1, 10, 0)]);
        assert_eq!(all(&mut turns).len(), 3);
        turns.refresh([]);
        (0..3).for_each(|_| turns.ended(Id::new(10), true));
        turns.refresh([]);
        assert_eq!((turns.running, turns.busy.len(), turns.desks.len()), (0, 0, 0));
    }
}
