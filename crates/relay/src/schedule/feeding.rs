//! Who gets a conversation next. Everywhere accounts take turns, who has the fewest first ([`Turns`](super::turns::Turns)): for
//! new conversations, at the mail servers that destinations share, and, by the parcel, with one destination.
//!
//! Of an account and a destination that it has due mail for, one of these holds after every event: the destination is left
//! alone, with everybody's mail or with this account's; the two stand in turn here or at the shaper; or the destination has no
//! conversation that the account may use, and looks at it again as soon as one is free, ends or may be had beside.

use super::parcels::Errand;
use super::turns::{Front, kept, may_take};
use super::warming::Toward;
use super::{
    Action, Conversation, ConversationId, OWED_MAX, PARCELS_IN_A_ROW_MAX, Parcel, SETTLED_UNTRIED_MAX, Scheduler, State,
};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;

impl Scheduler {
    /// Puts a parcel into the queue of its site, and gives its account there what it needs.
    pub(super) fn make_ready(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        self.queue(place, false);
        let record = self.parcels.at(place);
        self.feed(record.site, record.account, false, now, actions);
    }

    /// Gives an account's due parcels for a site what does not have to be shared, and lets it stand in turn for what has.
    /// `in_turn`: it stood in turn at the shaper, and its turn has come.
    pub(super) fn feed(
        &mut self,
        place: u32,
        account: Id<Account>,
        mut in_turn: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        while !self.stopped && self.sites.get(place).class_of(account).is_some() {
            if self.is_left_alone(place, Some(account), now) {
                self.stand_for_settlement(place);
                return;
            }
            if self.waits_for_pace(place, account, now) {
                return;
            }
            let site = self.sites.get(place);
            if !site.may_have(account) {
                return;
            }
            let shaper = self.shapers.get(site.shaper);
            if shaper.is_some_and(|shaper| !shaper.may_have(account, now)) {
                self.wait_for_shaper(place, account);
                return;
            }
            let Some(conversation) = site.idle.last().copied() else {
                if site.has_room() && !self.waits_for_room(place, account, in_turn, now, actions) {
                    self.stand_for_dial(place, account);
                }
                return;
            };
            if self.has_lost_source(conversation, Some(account), now) {
                self.close_idle(conversation, actions);
                continue;
            }
            if !self.may_go_over_one_more(account) {
                self.stand_for_dial(place, account);
                return;
            }
            if let Some(parcel) = self.take(place, Some(account), Errand::Carry) {
                self.sites.at(place).idle.pop();
                self.idle_count -= 1;
                self.hand_over(conversation, parcel, now, actions);
                in_turn = false;
            }
        }
    }

    /// The same for all who have mail for a site, in turn: it may have more conversations than before, or fewer.
    pub(super) fn feed_all(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        if self.stopped || self.sites.get(place).ready == 0 {
            return;
        }
        if self.is_left_alone(place, None, now) {
            self.stand_for_settlement(place);
            return;
        }
        for account in self.sites.get(place).accounts() {
            let site = self.sites.get(place);
            let is_closed = self.shapers.get(site.shaper).is_some_and(|shaper| shaper.is_closed(now));
            if site.idle.is_empty() && !site.has_room() && !is_closed {
                return;
            }
            self.feed(place, account, false, now, actions);
        }
    }

    fn stand_for_settlement(&mut self, place: u32) {
        if !std::mem::replace(&mut self.sites.at(place).wants_fail, true) {
            self.sites.failing.push_back(place);
        }
    }

    /// Lets an account stand in turn for a new conversation with a site, which is spoken for at its shaper.
    fn stand_for_dial(&mut self, place: u32, account: Id<Account>) {
        let site = self.sites.get(place);
        let (Some(class), shaper) = (site.class_of(account), site.shaper) else { return };
        if self.turns.push(place, account, class, shaper) {
            self.sites.at(place).standing += 1;
            if let Some(shaper) = self.shapers.get_mut(shaper) {
                shaper.speak_for(account);
            }
        }
    }

    /// Takes whoever stands in front out of the turn; what was spoken for is free.
    fn stand_down(&mut self) {
        let Some(Front { account, site, shaper: number, .. }) = self.turns.pop() else { return };
        self.sites.at(site).standing -= 1;
        if let Some(shaper) = self.shapers.get_mut(number) {
            shaper.unspeak(account);
            self.shapers.stir(number);
        }
    }

    /// Whether an account may begin one more conversation.
    fn may_begin(&self, account: Id<Account>) -> bool {
        let most = self.bounds.conversations_max;
        may_take(self.turns.taken(account), most.saturating_sub(self.conversations.len()), most)
    }

    /// Whether an account may have its mail carried by a conversation that is free.
    fn may_go_over_one_more(&self, account: Id<Account>) -> bool {
        let most = self.bounds.conversations_max;
        may_take(self.turns.taken(account), (most + 1).saturating_sub(self.conversations.len()), most)
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
            if self.fail_one(place, now, actions) {
                self.stand_for_settlement(place);
            } else {
                self.feed_all(place, now, actions);
            }
        }
        while let Some(Front { account, site: place, .. }) = self.turns.front() {
            let site = self.sites.get(place);
            let wants = site.class_of(account).is_some() && (site.has_room() || !site.idle.is_empty());
            let has_idle = !site.idle.is_empty();
            let wants = wants && !self.is_left_alone(place, Some(account), now);
            // by now it may have less under way than when it had to stand here: then an idle conversation will do
            let may = if has_idle { self.may_go_over_one_more(account) } else { self.may_begin(account) };
            if wants && !may {
                self.make_room(actions);
                return;
            }
            self.stand_down();
            if wants && self.may_dial(place, account, now) {
                self.open(place, account, now, actions);
            }
            self.feed(place, account, false, now, actions);
        }
    }

    /// Whether site and shaper let an account begin a conversation, now that its turn has come.
    fn may_dial(&self, place: u32, account: Id<Account>, now: Timestamp) -> bool {
        let site = self.sites.get(place);
        let of_shaper = self.shapers.get(site.shaper).is_none_or(|shaper| shaper.admits(account, now));
        site.idle.is_empty() && site.has_room() && site.may_have(account) && of_shaper
    }

    /// Ends the longest idle conversations, one for each that is waited for.
    fn make_room(&mut self, actions: &mut Vec<Action>) {
        while self.closing < self.turns.len()
            && let Some((conversation, until)) = self.idle.pop_front()
        {
            if self.is_idle(conversation, until) {
                self.close_idle(conversation, actions);
            }
        }
    }

    fn open(&mut self, place: u32, account: Id<Account>, now: Timestamp, actions: &mut Vec<Action>) {
        let source = self.choose_source(place, account, now);
        if source.is_none() && !self.sending.is_plain() {
            return;
        }
        let Some(mut parcel) = self.take(place, Some(account), Errand::Carry) else { return };
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
        self.conversations.insert(conversation, Conversation::new(place, shaper, source, now));
        self.carries(conversation, account);
        self.tries_source(conversation);
        actions.push(Action::Open { conversation, destination, source, parcel, find });
    }

    /// Hands a parcel to a conversation that is free.
    fn hand_over(
        &mut self,
        conversation: ConversationId,
        mut parcel: Parcel,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let account = self.parcels.at(parcel.id.0).account;
        if let Some(known) = self.conversations.get_mut(&conversation) {
            let was_idle = known.idle_until.take().is_some();
            known.in_a_row += 1;
            known.carried += 1;
            known.begun = now;
            known.offered = false;
            if let Some(shaper) = self.shapers.get_mut(known.shaper) {
                shaper.idle -= usize::from(was_idle);
                shaper.shaping.begun(now);
                parcel.transaction_recipients = shaper.shaping.allowance().recipients;
            }
        }
        self.carries(conversation, account);
        actions.push(Action::Carry { conversation, parcel });
    }

    /// A conversation carries an account's mail from now on.
    fn carries(&mut self, conversation: ConversationId, account: Id<Account>) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        known.account = Some(account);
        let (place, source) = (known.site, known.source);
        self.turns.take(account);
        self.sites.at(place).take(account);
        if let Some(shaper) = self.shapers.get_mut(known.shaper) {
            shaper.take(account);
        }
        self.carries_from(source, place);
        self.warm_up_offers(conversation, account);
    }

    /// A conversation carries nothing any more; whose mail it carried.
    pub(super) fn rests(&mut self, conversation: ConversationId) -> Option<Id<Account>> {
        let known = self.conversations.get_mut(&conversation)?;
        let account = known.account.take()?;
        let (place, number) = (known.site, known.shaper);
        if !known.offered {
            self.warm_up_spares(conversation, account);
        }
        self.turns.give_back(account);
        self.sites.at(place).give_back(account);
        if let Some(shaper) = self.shapers.get_mut(number) {
            shaper.give_back(account);
            if shaper.waiting() > 0 {
                self.shapers.stir(number);
            }
        }
        Some(account)
    }

    /// Lets a conversation that is free carry the next due parcel of its site, of those accounts that may have one more
    /// carried, the one whose mail it carried before in any case; whether there was one.
    pub(super) fn carry_next(
        &mut self,
        conversation: ConversationId,
        place: u32,
        before: Option<Id<Account>>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> bool {
        let most = self.bounds.conversations_max;
        let free = (most + 1).saturating_sub(self.conversations.len());
        let toward = self.toward_of(conversation);
        loop {
            let Scheduler { sites, shapers, turns, sending, .. } = self;
            let site = sites.at(place);
            let shaper = shapers.get(site.shaper);
            let of_warm_up = |account| {
                let (source, toward) = toward?;
                Some(sending.has_room(source, shapers.get(toward.shaper)?, Toward { account: Some(account), ..toward }))
            };
            let may = |account| {
                let of_all = before == Some(account) || may_take(turns.taken(account), free, most);
                of_all
                    && shaper.is_none_or(|shaper| shaper.may_have(account, now))
                    && of_warm_up(account).unwrap_or(true)
            };
            let Some((account, parcel)) = site.pop_allowed(may) else { return false };
            if let Some(parcel) = self.picked(parcel, place, Some(account), Errand::Carry) {
                self.hand_over(conversation, parcel, now, actions);
                return true;
            }
        }
    }

    /// The next due parcel of a site, of this account where one is named; now in flight.
    pub(super) fn take(&mut self, site: u32, account: Option<Id<Account>>, errand: Errand) -> Option<Parcel> {
        loop {
            let place = self.sites.at(site).pop(account)?;
            if let Some(parcel) = self.picked(place, site, account, errand) {
                return Some(parcel);
            }
        }
    }

    /// What stood in the queue of a site, now in flight; none where that has moved on.
    fn picked(&mut self, place: u32, site: u32, account: Option<Id<Account>>, errand: Errand) -> Option<Parcel> {
        let record = self.parcels.at(place);
        let is_its = record.site == site && account.is_none_or(|account| account == record.account);
        if self.parcels.state(place) != State::Ready || !is_its {
            return None;
        }
        self.sites.at(site).less_ready();
        self.parcels.set(place, State::InFlight(errand));
        Some(self.parcel(place))
    }

    /// Parcels that a free conversation with a site carries in a row while others wait: one where whoever stands in front is
    /// owed a place, and few are being ended already.
    pub(super) fn in_a_row_max(&mut self, place: u32, number: u32, now: Timestamp) -> u32 {
        let front = self.turns.front();
        let owed = front.map_or(0, |front| {
            self.owed(&front, place, self.turns.taken(front.account), self.bounds.conversations_max)
        });
        let mut is_owed = self.closing < owed;
        if let Some(shaper) = self.shapers.get_mut(number)
            && !shaper.has_room(now)
            && let Some(front) = shaper.front()
        {
            let (taken, closing) = (shaper.taken(front.account), shaper.closing);
            let most = shaper.shaping.connections(now);
            is_owed = is_owed || closing < self.owed(&front, place, taken, most);
        }
        if is_owed { 1 } else { PARCELS_IN_A_ROW_MAX }
    }

    /// How many conversations may be ended at once after a single parcel for the sake of whoever stands in front: of one that
    /// has few, and of mail that is more urgent than that of its own account which goes here.
    fn owed(&self, front: &Front, place: u32, taken: usize, most: usize) -> usize {
        if front.site == place {
            // this very conversation may carry it
            return 0;
        }
        let goes_before = self.sites.get(place).class_of(front.account).is_some_and(|here| here < front.class);
        match taken {
            0 => front.waiting.min(OWED_MAX),
            _ if goes_before => front.waiting.min(OWED_MAX),
            few if few < kept(most) => 1,
            _ => 0,
        }
    }
}
