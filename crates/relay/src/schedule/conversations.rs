//! Who gets a conversation next: the account that has the fewest, each with its sites in turn; within a site the accounts in
//! turn. Some conversations are kept for accounts that have few; where they are taken too, the next one that gets free makes
//! room.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::dialling::Front;
use super::parcels::Errand;
use super::sites::Down;
use super::{
    Action, Conversation, ConversationId, Fault, KEPT_FREE_SHARE, OWED_MAX, PARCELS_IN_A_ROW_MAX, Parcel, ParcelId,
    SETTLED_UNTRIED_MAX, Scheduler, State, Wish,
};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::id::Id;
use crate::priority::Class;
use crate::retry::{self, Jitter};

impl Scheduler {
    /// Puts a parcel into the queue of its site, and gives the site what it needs.
    pub(super) fn make_ready(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        self.queue(place, false);
        let record = self.parcels.at(place);
        let (site, account, class) = (record.site, record.account, record.class);
        if self.feed(site, now, actions) {
            self.want(site, account, class);
        }
    }

    /// Lets an account wait for a conversation with a site.
    fn want(&mut self, site: u32, account: Id<Account>, class: Class) {
        let carried = self.carried_of(account);
        if self.sites.dialling.push(site, account, class, carried) {
            self.sites.at(site).waited_for += 1;
        }
    }

    /// A site may have more conversations than before: gives it what it needs, and lets all who have mail for it wait.
    fn feed_all(&mut self, site: u32, now: Timestamp, actions: &mut Vec<Action>) {
        if self.feed(site, now, actions) {
            for (account, class) in self.sites.at(site).accounts() {
                self.want(site, account, class);
            }
        }
    }

    /// Parcels of an account that are carried.
    fn carried_of(&self, account: Id<Account>) -> u32 {
        self.carried.get(&account).copied().unwrap_or_default()
    }

    /// Conversations that are kept for accounts which have few.
    fn kept_free(&self) -> usize {
        self.bounds.conversations_max / KEPT_FREE_SHARE
    }

    /// Whether this account has few conversations: fewer than half of those that are kept for such.
    fn has_few(&self, account: Id<Account>) -> bool {
        (self.carried_of(account) as usize) < (self.kept_free() / 2).max(1)
    }

    /// Whether this account may begin a conversation now.
    fn may_begin(&self, account: Id<Account>) -> bool {
        let kept_free = if self.has_few(account) { 0 } else { self.kept_free() };
        self.conversations.len() + kept_free < self.bounds.conversations_max
    }

    /// How many conversations may be ended at once after a single parcel for the sake of whoever stands in front: of one
    /// that has few, and of mail that is more urgent than that of its own account which goes here.
    fn owed(&mut self, front: Option<Front>, place: u32) -> usize {
        let Some(Front { account, class, waiting, .. }) = front.filter(|front| !self.may_begin(front.account)) else {
            return 0;
        };
        let goes_before = self.sites.at(place).class_of(account).is_some_and(|here| here < class);
        match self.carried_of(account) {
            _ if goes_before => waiting.min(OWED_MAX),
            0 => waiting.min(OWED_MAX),
            _ => usize::from(self.has_few(account)),
        }
    }

    /// A parcel of this account is no longer carried.
    pub(super) fn no_longer_carried(&mut self, account: Id<Account>) {
        if let Entry::Occupied(mut carried) = self.carried.entry(account) {
            *carried.get_mut() -= 1;
            let left = *carried.get();
            if left == 0 {
                carried.remove();
            }
            self.sites.dialling.recount(account, left);
        }
    }

    fn queue(&mut self, place: u32, in_front: bool) {
        self.parcels.set(place, State::Ready);
        let record = self.parcels.at(place);
        let (site, account, class) = (record.site, record.account, record.class);
        self.sites.at(site).push(account, class, place, in_front);
    }

    /// Puts a parcel in front again that was not attempted after all, unless someone wanted it otherwise since.
    fn put_back(&mut self, place: u32, actions: &mut Vec<Action>) {
        let message = self.parcels.at(place).message;
        match self.wishes.get(&message).cloned() {
            None => self.queue(place, true),
            Some(Wish::Hold(reason)) => self.parcels.set(place, State::Held(reason)),
            Some(Wish::End(ending)) => self.end(place, &ending, actions),
        }
        self.drop_wish(message);
    }

    /// The next due parcel of a site, of this account where one is named; now in flight.
    fn take(&mut self, site: u32, account: Option<Id<Account>>, errand: Errand) -> Option<Parcel> {
        loop {
            let place = self.sites.at(site).pop(account)?;
            let record = self.parcels.at(place);
            let is_its = record.site == site && account.is_none_or(|account| account == record.account);
            if self.parcels.state(place) == State::Ready && is_its {
                if errand == Errand::Carry {
                    let carried = self.carried.entry(record.account).or_default();
                    *carried += 1;
                    self.sites.dialling.recount(record.account, *carried);
                }
                self.sites.at(site).ready -= 1;
                self.parcels.set(place, State::InFlight(errand));
                return Some(self.parcel(place));
            }
        }
    }

    /// Gives a site's due parcels what does not have to be shared with other sites, and lets it stand
    /// in turn for being settled untried; whether it may have more conversations for those that are left.
    fn feed(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        while !self.stopped && self.sites.at(place).ready > 0 {
            let site = self.sites.at(place);
            if site.is_down(now) {
                if !std::mem::replace(&mut site.wants_fail, true) {
                    self.sites.failing.push_back(place);
                }
                return false;
            }
            let Some(conversation) = site.idle.pop() else { return site.conversations < site.limit };
            self.idle_count -= 1;
            self.carry(conversation, place, actions);
        }
        false
    }

    /// Lets a conversation carry the next due parcel of its site; whether there was one.
    fn carry(&mut self, conversation: ConversationId, site: u32, actions: &mut Vec<Action>) -> bool {
        let Some(parcel) = self.take(site, None, Errand::Carry) else { return false };
        if let Some(known) = self.conversations.get_mut(&conversation) {
            known.idle_until = None;
            known.in_a_row += 1;
        }
        actions.push(Action::Carry { conversation, parcel });
        true
    }

    /// Gives out what all sites share: new conversations, and settlements without an attempt.
    pub(super) fn share(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.stopped {
            return;
        }
        while self.untried < SETTLED_UNTRIED_MAX
            && let Some(place) = self.sites.failing.pop_front()
        {
            self.sites.at(place).wants_fail = false;
            self.fail_one(place, now, actions);
            self.feed_all(place, now, actions);
        }
        while let Some(Front { account, site: place, .. }) = self.sites.dialling.front() {
            let site = self.sites.at(place);
            let may_have_more = site.conversations < site.limit && !site.is_down(now);
            let wants = may_have_more && site.class_of(account).is_some();
            if wants && !self.may_begin(account) {
                self.make_room(actions);
                return;
            }
            self.sites.dialling.pop();
            self.sites.at(place).waited_for -= 1;
            if wants {
                self.open(place, account, actions);
            }
            if self.feed(place, now, actions)
                && let Some(class) = self.sites.at(place).class_of(account)
            {
                self.want(place, account, class);
            }
        }
    }

    /// Ends the longest idle conversations, one for each that is waited for.
    fn make_room(&mut self, actions: &mut Vec<Action>) {
        while self.closing < self.sites.dialling.len()
            && let Some((conversation, until)) = self.idle.pop_front()
        {
            if self.is_idle(conversation, until) {
                self.close_idle(conversation, actions);
            }
        }
    }

    fn open(&mut self, place: u32, account: Id<Account>, actions: &mut Vec<Action>) {
        let Some(parcel) = self.take(place, Some(account), Errand::Carry) else { return };
        self.conversations_begun += 1;
        let conversation = ConversationId(self.conversations_begun);
        let known = Conversation { site: place, in_a_row: 1, proven: false, closing: false, idle_until: None };
        self.conversations.insert(conversation, known);
        let site = self.sites.at(place);
        site.conversations += 1;
        actions.push(Action::Open { conversation, destination: site.destination.clone(), parcel });
    }

    /// Hands out one due parcel of a site that is down, to be settled by what is known about it.
    fn fail_one(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        let site = self.sites.at(place);
        let Some(Down { until, fault }) = site.down.as_ref().filter(|_| site.is_down(now)) else { return };
        let (not_before, fault) = (*until, fault.clone());
        if let Some(parcel) = self.take(place, None, Errand::FailUntried) {
            self.untried += 1;
            actions.push(Action::Fail { parcel, fault, attempted: false, not_before });
        }
    }

    pub(super) fn on_reached(&mut self, conversation: ConversationId, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        let first = !std::mem::replace(&mut known.proven, true);
        let place = known.site;
        let site = self.sites.at(place);
        site.proven += usize::from(first);
        let (was_down, may_have_more) = site.grow(first, self.bounds.site_conversations_max);
        if was_down {
            for parcel in self.parcels.waiting_for(place) {
                self.queue(parcel, false);
            }
        }
        if may_have_more {
            self.feed_all(place, now, actions);
        }
    }

    pub(super) fn on_broke(&mut self, conversation: ConversationId) {
        if let Some(known) = self.conversations.get(&conversation) {
            let site = self.sites.at(known.site);
            site.shrink(site.limit / 2);
        }
    }

    pub(super) fn on_unreached(
        &mut self,
        conversation: ConversationId,
        ParcelId(parcel): ParcelId,
        fault: Arc<Fault>,
        now: Timestamp,
        dice: &mut dyn Dice,
        actions: &mut Vec<Action>,
    ) {
        let Some(place) = self.end_conversation(conversation) else { return };
        self.no_longer_carried(self.parcels.at(parcel).account);
        let site = self.sites.at(place);
        if site.proven > 0 {
            // others get through: it takes no more conversations at once than these
            site.shrink(site.proven);
            self.put_back(parcel, actions);
            self.feed_all(place, now, actions);
            return;
        }
        if !site.is_down(now) {
            site.failures = site.failures.saturating_add(1);
            let until = now.after(retry::site_delay(site.failures, Jitter::roll(dice)));
            site.down = Some(Down { until, fault: fault.clone() });
            site.shrink(1);
        }
        let not_before = site.down.as_ref().map_or(now, |down| down.until);
        self.parcels.set(parcel, State::InFlight(Errand::Fail));
        actions.push(Action::Fail { parcel: self.parcel(parcel), fault, attempted: true, not_before });
        self.feed_all(place, now, actions);
    }

    pub(super) fn on_free(
        &mut self,
        conversation: ConversationId,
        open: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(place) = self.conversations.get(&conversation).map(|known| known.site) else { return };
        let is_full = self.conversations.len() + self.kept_free() >= self.bounds.conversations_max;
        let front = self.sites.dialling.front().filter(|_| is_full);
        let others_wait = front.is_some();
        let in_a_row_max = if self.closing < self.owed(front, place) { 1 } else { PARCELS_IN_A_ROW_MAX };
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        if !others_wait {
            known.in_a_row = 0;
        }
        let has_had_its_turn = known.in_a_row >= in_a_row_max;
        let site = self.sites.at(place);
        let may_go_on =
            !self.stopped && !site.is_down(now) && site.conversations - site.closing <= site.limit && !has_had_its_turn;
        if may_go_on && self.carry(conversation, place, actions) {
            return;
        }
        if may_go_on && open && !others_wait && !self.bounds.idle_kept.is_zero() {
            let until = now.after(self.bounds.idle_kept);
            if let Some(known) = self.conversations.get_mut(&conversation) {
                known.idle_until = Some(until);
            }
            self.idle.push_back((conversation, until));
            self.idle_count += 1;
            self.sites.at(place).idle.push(conversation);
            return;
        }
        self.close(conversation, actions);
    }

    pub(super) fn on_ended(&mut self, conversation: ConversationId, now: Timestamp, actions: &mut Vec<Action>) {
        if let Some(place) = self.end_conversation(conversation) {
            self.feed_all(place, now, actions);
        }
    }

    /// Forgets a conversation; the place of its site.
    fn end_conversation(&mut self, conversation: ConversationId) -> Option<u32> {
        let known = self.conversations.remove(&conversation)?;
        self.closing -= usize::from(known.closing);
        let site = self.sites.at(known.site);
        site.conversations -= 1;
        site.closing -= usize::from(known.closing);
        site.proven -= usize::from(known.proven);
        if known.idle_until.is_some() {
            site.idle.retain(|idle| *idle != conversation);
            self.idle_count -= 1;
        }
        Some(known.site)
    }

    pub(super) fn is_idle(&self, conversation: ConversationId, until: Timestamp) -> bool {
        self.conversations.get(&conversation).is_some_and(|known| known.idle_until == Some(until))
    }

    pub(super) fn close_idle(&mut self, conversation: ConversationId, actions: &mut Vec<Action>) {
        if let Some(known) = self.conversations.get_mut(&conversation) {
            known.idle_until = None;
            self.idle_count -= 1;
            let place = known.site;
            self.sites.at(place).idle.retain(|idle| *idle != conversation);
        }
        self.close(conversation, actions);
    }

    fn close(&mut self, conversation: ConversationId, actions: &mut Vec<Action>) {
        if let Some(known) = self.conversations.get_mut(&conversation) {
            known.closing = true;
            self.closing += 1;
            let place = known.site;
            self.sites.at(place).closing += 1;
            actions.push(Action::Close(conversation));
        }
    }
}
