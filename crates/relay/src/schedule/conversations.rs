//! Conversations from their first word to their last, and the parcels that wait for them.

use std::sync::Arc;

use super::parcels::Errand;
use super::shapers::NONE;
use super::sites::Down;
use super::{Action, Conversation, ConversationId, Fault, PARCELS_IN_A_ROW_MAX, ParcelId, Scheduler, State};
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::retry::{self, Jitter};
use crate::source::SourceId;

impl Conversation {
    /// One that begins with its first parcel.
    pub(super) fn new(site: u32, shaper: u32, source: Option<SourceId>, now: Timestamp) -> Self {
        Conversation {
            site,
            shaper,
            source,
            account: None,
            in_a_row: 1,
            carried: 1,
            begun: now,
            offered: false,
            complained: false,
            proven: false,
            closing: false,
            idle_until: None,
        }
    }
}

impl Scheduler {
    /// Puts a parcel into the queue of its site.
    pub(super) fn queue(&mut self, place: u32, in_front: bool) {
        self.parcels.set(place, State::Ready);
        let record = self.parcels.at(place);
        let (site, account, class) = (record.site, record.account, record.class);
        self.sites.at(site).push(account, class, place, in_front);
    }

    /// Puts a parcel in front again that was not attempted after all, unless someone wanted it otherwise since.
    pub(super) fn put_back(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        let record = self.parcels.at(place);
        let (message, due) = (record.message, record.due);
        match self.endings.get(&message).cloned() {
            Some(ending) => self.end(place, &ending, actions),
            // what nothing was ordered of is woken at once
            None if self.chosen.contains_key(&message) => self.parcels.wait(place, due.min(now)),
            None => self.queue(place, true),
        }
        self.carry_out_chosen(message, now, actions);
        self.drop_ending(message);
    }

    /// Hands out one due parcel of a site that is down, to be settled by what is known about it; whether the site is left alone with
    /// the mail of some accounts, and there may be more of it.
    pub(super) fn fail_one(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        let (account, left_alone) = match self.left_alone(place, None, now) {
            Some(left_alone) => (None, Some(left_alone)),
            None => {
                let account = self.with_its_part_gone(place, now);
                (account, account.and_then(|account| self.left_alone(place, Some(account), now)))
            }
        };
        let Some((not_before, fault)) = left_alone else { return false };
        if let Some(parcel) = self.take(place, account, Errand::FailUntried)
            && !self.goes_urgently(place, parcel.id.0, now, actions)
        {
            self.untried += 1;
            actions.push(Action::Fail { parcel, fault, attempted: false, not_before });
        }
        account.is_some()
    }

    pub(super) fn on_reached(&mut self, conversation: ConversationId, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        let first = !std::mem::replace(&mut known.proven, true);
        known.offered = true;
        let place = known.site;
        let site = self.sites.at(place);
        site.proven += usize::from(first);
        let (was_down, may_have_more) = site.grow(first, self.bounds.site_conversations_max);
        if was_down {
            for parcel in self.parcels.waiting_for(place) {
                self.queue(parcel, false);
            }
        }
        self.reached_at(conversation, first, now, actions);
        if may_have_more {
            self.feed_all(place, now, actions);
        }
    }

    pub(super) fn on_broke(&mut self, conversation: ConversationId) {
        if let Some(known) = self.conversations.get_mut(&conversation) {
            known.offered = true;
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
        let known = self.conversations.get(&conversation);
        let (source, number) = known.map_or((None, NONE), |known| (known.source, known.shaper));
        let Some(place) = self.end_conversation(conversation) else { return };
        if self.source_unreached(source, place, &fault, now, dice, actions) || self.is_refused(source, number, &fault) {
            // it may go from another one
            self.put_back(parcel, now, actions);
            self.feed_all(place, now, actions);
            return;
        }
        let site = self.sites.at(place);
        let others = site.proven.max(site.conversations - site.closing);
        if others > 0 {
            // others get through, or may yet: it takes no more conversations at once than these
            site.shrink(others);
            self.put_back(parcel, now, actions);
            self.feed_all(place, now, actions);
            return;
        }
        if !site.is_down(now) {
            site.failures = site.failures.saturating_add(1);
            let until = now.after(retry::site_delay(site.failures, Jitter::roll(dice)));
            site.down = Some(Down { until, fault: fault.kept() });
            site.shrink(1);
        }
        let down_until = site.down.as_ref().map_or(now, |down| down.until);
        let shaper = self.shapers.get(site.shaper);
        let suspended_until = shaper.and_then(|shaper| shaper.shaping.suspended_until(now));
        let not_before = suspended_until.map_or(down_until, |until| until.max(down_until));
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
        let before = self.rests(conversation);
        let Some(known) = self.conversations.get(&conversation) else { return };
        let (place, number) = (known.site, known.shaper);
        let others_wait = self.others_wait(place, number, now);
        let in_a_row_max = if others_wait { self.in_a_row_max(place, number, now) } else { PARCELS_IN_A_ROW_MAX };
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        if !others_wait {
            known.in_a_row = 0;
        }
        let (carried, has_had_its_turn) = (known.carried, known.in_a_row >= in_a_row_max);
        let shaper = self.shapers.get(number);
        let worn = self.has_lost_source(conversation, None, now);
        let worn = worn
            || shaper.is_some_and(|shaper| {
                let messages = shaper.shaping.allowance().messages;
                shaper.is_crowded(now) || (messages > 0 && carried >= messages)
            });
        let closed = shaper.is_some_and(|shaper| shaper.is_closed(now));
        let idle_kept = shaper.and_then(|shaper| shaper.shaping.allowance().idle);
        let idle_kept = idle_kept.map_or(self.bounds.idle_kept, |idle| idle.min(self.bounds.idle_kept));
        let site = self.sites.at(place);
        let is_crowded = site.conversations - site.closing > site.limit || worn;
        let may_go_on = !self.stopped && !site.is_down(now) && !is_crowded && !has_had_its_turn;
        if may_go_on && !closed && self.carry_next(conversation, place, before, now, actions) {
            let carries = self.conversations.get(&conversation).and_then(|known| known.account);
            if let Some(before) = before.filter(|before| carries != Some(*before)) {
                // it has less under way here than when it had to wait
                self.feed(place, before, false, now, actions);
            }
            return;
        }
        if may_go_on && open && !others_wait && !idle_kept.is_zero() {
            self.keep_idle(conversation, now.after(idle_kept));
            // where it is the pace that keeps it from carrying more, or where the next are to stand in turn first
            self.feed_all(place, now, actions);
            return;
        }
        self.close(conversation, actions);
        // an idle one may be for those that were given way to
        self.feed_all(place, now, actions);
    }

    /// Whether anybody waits for a conversation that is to be had only once another one ends.
    fn others_wait(&mut self, place: u32, number: u32, now: Timestamp) -> bool {
        // whoever still stands there may not begin
        if self.turns.front().is_some() {
            return true;
        }
        let Some(shaper) = self.shapers.get_mut(number) else { return false };
        let front = shaper.front();
        !shaper.has_room(now) && front.is_some_and(|front| front.site != place || shaper.waiting() > 1)
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
            self.feed_all(place, now, actions);
        }
    }

    /// Forgets a conversation; the place of its site.
    pub(super) fn end_conversation(&mut self, conversation: ConversationId) -> Option<u32> {
        self.rests(conversation);
        let known = self.conversations.remove(&conversation)?;
        self.closing -= usize::from(known.closing);
        self.leaves_source(conversation, known.source, known.shaper);
        if let Some(shaper) = self.shapers.get_mut(known.shaper) {
            shaper.conversations -= 1;
            shaper.closing -= usize::from(known.closing);
            shaper.proven -= usize::from(known.proven);
            shaper.idle -= usize::from(known.idle_until.is_some());
            shaper.tidy();
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
