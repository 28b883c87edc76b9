//! Who gets a conversation next: within a site the accounts in turn, between sites the sites in turn.

use std::sync::Arc;

use super::parcels::Errand;
use super::sites::Down;
use super::{
    Action, Conversation, ConversationId, Fault, PARCELS_IN_A_ROW_MAX, Parcel, ParcelId, SETTLED_UNTRIED_MAX,
    Scheduler, State, Wish,
};
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::retry::{self, Jitter};

impl Scheduler {
    /// Puts a parcel into the queue of its site, and gives the site what it needs.
    pub(super) fn make_ready(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        self.queue(place, false);
        let site = self.parcels.at(place).site;
        self.feed(site, now, actions);
    }

    pub(super) fn queue(&mut self, place: u32, in_front: bool) {
        self.parcels.set(place, State::Ready);
        let record = self.parcels.at(place);
        let (site, account) = (record.site, record.account);
        self.sites.at(site).push(account, place, in_front);
    }

    /// Puts a parcel in front again that was not attempted after all, unless someone wanted it otherwise since.
    pub(super) fn put_back(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        let record = self.parcels.at(place);
        let (message, due) = (record.message, record.due);
        match self.wishes.get(&message).cloned() {
            // what nothing was ordered of is woken at once
            None if self.chosen.contains_key(&message) => self.parcels.wait(place, due.min(now)),
            None => self.queue(place, true),
            Some(Wish::Hold(reason)) => self.parcels.set(place, State::Held(reason)),
            Some(Wish::End(ending)) => self.end(place, &ending, actions),
        }
        self.carry_out_chosen(message, now, actions);
        self.drop_wish(message);
    }

    /// The next due parcel of a site, now in flight.
    fn take(&mut self, site: u32, errand: Errand) -> Option<Parcel> {
        loop {
            let place = self.sites.at(site).pop()?;
            if self.parcels.state(place) == State::Ready && self.parcels.at(place).site == site {
                self.sites.at(site).ready -= 1;
                self.parcels.set(place, State::InFlight(errand));
                return Some(self.parcel(place));
            }
        }
    }

    /// Gives a site's due parcels what does not have to be shared with other sites, and lets it stand
    /// in turn for what has.
    pub(super) fn feed(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        self.feed_as(place, false, now, actions);
    }

    /// The same; `in_turn`: it stood in turn at its shaper, and its turn has come.
    pub(super) fn feed_as(&mut self, place: u32, in_turn: bool, now: Timestamp, actions: &mut Vec<Action>) {
        while !self.stopped && self.sites.at(place).ready > 0 {
            if self.is_left_alone(place, now) {
                let site = self.sites.at(place);
                if !std::mem::replace(&mut site.wants_fail, true) {
                    self.sites.failing.push_back(place);
                }
                return;
            }
            if self.waits_for_pace(place, now) {
                return;
            }
            let Some(conversation) = self.sites.at(place).idle.pop() else {
                let site = self.sites.at(place);
                let may_dial = site.conversations < site.limit && !site.wants_dial;
                if may_dial && !self.waits_for_room(place, in_turn, now, actions) {
                    self.stand_for_dial(place);
                }
                return;
            };
            self.idle_count -= 1;
            self.carry(conversation, place, now, actions);
        }
    }

    /// Lets a site stand in turn for a new conversation, which is spoken for at its shaper.
    fn stand_for_dial(&mut self, place: u32) {
        let site = self.sites.at(place);
        site.wants_dial = true;
        let shaper = site.shaper;
        self.sites.dialling.push_back(place);
        if let Some(shaper) = self.shapers.get_mut(shaper) {
            shaper.dialling += 1;
        }
    }

    /// Lets a conversation carry the next due parcel of its site; whether there was one.
    fn carry(&mut self, conversation: ConversationId, site: u32, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        let Some(mut parcel) = self.take(site, Errand::Carry) else { return false };
        if let Some(known) = self.conversations.get_mut(&conversation) {
            let was_idle = known.idle_until.take().is_some();
            known.in_a_row += 1;
            known.carried += 1;
            known.begun = now;
            if let Some(shaper) = self.shapers.get_mut(known.shaper) {
                shaper.idle -= usize::from(was_idle);
                shaper.shaping.begun(now);
                parcel.transaction_recipients = shaper.shaping.allowance().recipients;
            }
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
            self.feed(place, now, actions);
        }
        while let Some(place) = self.sites.dialling.front().copied() {
            let site = self.sites.at(place);
            let wants = site.ready > 0 && site.conversations < site.limit;
            let wants = wants && !self.is_left_alone(place, now);
            if wants && self.conversations.len() >= self.bounds.conversations_max {
                self.make_room(actions);
                return;
            }
            self.sites.dialling.pop_front();
            let site = self.sites.at(place);
            site.wants_dial = false;
            let shaper = site.shaper;
            let may = self.shapers.get_mut(shaper).is_none_or(|shaper| {
                shaper.dialling -= 1;
                shaper.has_room(now) && shaper.shaping.closed_until(now).is_none()
            });
            if wants && may {
                self.open(place, now, actions);
            } else {
                // the place that was spoken for is free
                self.shapers.stir(shaper);
            }
            self.feed(place, now, actions);
        }
    }

    /// Ends the longest idle conversations, one for each site that waits for a new one.
    fn make_room(&mut self, actions: &mut Vec<Action>) {
        while self.closing < self.sites.dialling.len()
            && let Some((conversation, until)) = self.idle.pop_front()
        {
            if self.is_idle(conversation, until) {
                self.close_idle(conversation, actions);
            }
        }
    }

    fn open(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(mut parcel) = self.take(place, Errand::Carry) else { return };
        self.conversations_begun += 1;
        let conversation = ConversationId(self.conversations_begun);
        let find = self.is_to_be_found(place, now);
        let site = self.sites.at(place);
        site.conversations += 1;
        let (shaper, destination) = (site.shaper, site.destination.clone());
        if let Some(shaper) = self.shapers.get_mut(shaper) {
            shaper.conversations += 1;
            shaper.shaping.begun(now);
            parcel.transaction_recipients = shaper.shaping.allowance().recipients;
        }
        let known = Conversation {
            site: place,
            shaper,
            in_a_row: 1,
            carried: 1,
            begun: now,
            complained: false,
            proven: false,
            closing: false,
            idle_until: None,
        };
        self.conversations.insert(conversation, known);
        actions.push(Action::Open { conversation, destination, parcel, find });
    }

    /// Hands out one due parcel of a site that is down, to be settled by what is known about it.
    fn fail_one(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        let Some((not_before, fault)) = self.left_alone(place, now) else { return };
        if let Some(parcel) = self.take(place, Errand::FailUntried) {
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
        if site.grow(first, self.bounds.site_conversations_max) {
            for parcel in self.parcels.waiting_for(|site| site == place) {
                self.queue(parcel, false);
            }
        }
        self.reached_at(conversation, first, now);
        self.feed(place, now, actions);
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
        let site = self.sites.at(place);
        let others = site.proven.max(site.conversations - site.closing);
        if others > 0 {
            // others get through, or may yet: it takes no more conversations at once than these
            site.shrink(others);
            self.put_back(parcel, now, actions);
            self.feed(place, now, actions);
            return;
        }
        if !site.is_down(now) {
            site.failures = site.failures.saturating_add(1);
            let until = now.after(retry::site_delay(site.failures, Jitter::roll(dice)));
            site.down = Some(Down { until, fault: fault.clone() });
            site.shrink(1);
        }
        let down_until = site.down.as_ref().map_or(now, |down| down.until);
        let shaper = self.shapers.get(site.shaper);
        let suspended_until = shaper.and_then(|shaper| shaper.shaping.suspended_until(now));
        let not_before = suspended_until.map_or(down_until, |until| until.max(down_until));
        self.parcels.set(parcel, State::InFlight(Errand::Fail));
        actions.push(Action::Fail { parcel: self.parcel(parcel), fault, attempted: true, not_before });
        self.feed(place, now, actions);
    }

    pub(super) fn on_free(
        &mut self,
        conversation: ConversationId,
        open: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let others_wait = !self.sites.dialling.is_empty() && self.conversations.len() >= self.bounds.conversations_max;
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        let shaper = self.shapers.get(known.shaper);
        let others_wait = others_wait || shaper.is_some_and(|shaper| shaper.others_wait(known.site, now));
        if !others_wait {
            known.in_a_row = 0;
        }
        let worn = shaper.is_some_and(|shaper| {
            let messages = shaper.shaping.allowance().messages;
            shaper.is_crowded(now) || (messages > 0 && known.carried >= messages)
        });
        let closed = shaper.is_some_and(|shaper| shaper.shaping.closed_until(now).is_some());
        let idle_kept = shaper.and_then(|shaper| shaper.shaping.allowance().idle);
        let idle_kept = idle_kept.map_or(self.bounds.idle_kept, |idle| idle.min(self.bounds.idle_kept));
        let (place, has_had_its_turn) = (known.site, known.in_a_row >= PARCELS_IN_A_ROW_MAX);
        let site = self.sites.at(place);
        let is_crowded = site.conversations - site.closing > site.limit || worn;
        let may_go_on = !self.stopped && !site.is_down(now) && !is_crowded && !has_had_its_turn;
        if may_go_on && !closed && self.carry(conversation, place, now, actions) {
            return;
        }
        if may_go_on && open && !others_wait && !idle_kept.is_zero() {
            self.keep_idle(conversation, now.after(idle_kept));
            // where it is the pace that keeps it from carrying more
            self.feed(place, now, actions);
            return;
        }
        self.close(conversation, actions);
    }

    fn keep_idle(&mut self, conversation: ConversationId, until: Timestamp) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        known.idle_until = Some(until);
        let place = known.site;
        if let Some(shaper) = self.shapers.get_mut(known.shaper) {
            shaper.idle += 1;
        }
        // nearly always at the end: few sites have a time of their own
        let at = self.idle.partition_point(|(_, other)| *other <= until);
        self.idle.insert(at, (conversation, until));
        self.idle_count += 1;
        self.sites.at(place).idle.push(conversation);
    }

    pub(super) fn on_ended(&mut self, conversation: ConversationId, now: Timestamp, actions: &mut Vec<Action>) {
        if let Some(place) = self.end_conversation(conversation) {
            self.feed(place, now, actions);
        }
    }

    /// Forgets a conversation; the place of its site.
    pub(super) fn end_conversation(&mut self, conversation: ConversationId) -> Option<u32> {
        let known = self.conversations.remove(&conversation)?;
        self.closing -= usize::from(known.closing);
        if let Some(shaper) = self.shapers.get_mut(known.shaper) {
            shaper.conversations -= 1;
            shaper.closing -= usize::from(known.closing);
            shaper.proven -= usize::from(known.proven);
            shaper.idle -= usize::from(known.idle_until.is_some());
            self.shapers.stir(known.shaper);
        }
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
            if let Some(shaper) = self.shapers.get_mut(known.shaper) {
                shaper.idle -= 1;
            }
            self.sites.at(place).idle.retain(|idle| *idle != conversation);
        }
        self.close(conversation, actions);
    }

    fn close(&mut self, conversation: ConversationId, actions: &mut Vec<Action>) {
        if let Some(known) = self.conversations.get_mut(&conversation) {
            known.closing = true;
            self.closing += 1;
            let place = known.site;
            if let Some(shaper) = self.shapers.get_mut(known.shaper) {
                shaper.closing += 1;
            }
            self.sites.at(place).closing += 1;
            actions.push(Action::Close(conversation));
        }
    }
}
