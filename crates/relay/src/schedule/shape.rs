//! Shaping at work: which mail servers a destination has, what they complained of, and whom that keeps waiting.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::lanes::LaneId;
use super::shapers::NONE;
use super::{Action, Complaint, ConversationId, Fault, ParcelId, Scheduler};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::id::Id;
use crate::outcome::SiteAction;
use crate::outcome::{Failure, Finding};
use crate::queue::Attempt;
use crate::retry::Jitter;
use crate::route::Destination;
use crate::shaping::{self, Phase, Reaction, Recovery, Said, name_of_hosts};

/// How long it is believed which mail servers a destination has, once they were found.
const KNOWN_FOR: Duration = Duration::from_secs(6 * 3600);

impl Scheduler {
    /// The place of a destination's record; its shaper is known where the domain's name alone says which.
    pub(super) fn place(&mut self, destination: &Destination, lane: LaneId, now: Timestamp) -> u32 {
        let place = match self.sites.find(destination, lane) {
            Some(place) => return place,
            None => self.sites.place(destination, lane, now, &mut self.shapers),
        };
        if let Destination::Mx { domain } | Destination::Waiving { domain } = destination
            && let Some(provider) = self.providers.of_domain(domain)
        {
            let most = self.bounds.site_conversations_max;
            let shaper = self.shapers.place(&provider.name, || provider.allowance(most));
            self.assign(place, shaper, Timestamp(u64::MAX));
        }
        place
    }

    /// Says to which shaper a destination belongs, as far as is known until then.
    pub(super) fn assign(&mut self, place: u32, shaper: u32, known_until: Timestamp) {
        self.sites.at(place).known_until = known_until;
        let before = self.sites.assign(place, shaper);
        if before == shaper {
            return;
        }
        let site = self.sites.get(place);
        let accounts = if site.standing > 0 { site.accounts() } else { Vec::new() };
        if let Some(old) = self.shapers.get_mut(before) {
            old.sites -= 1;
            self.shapers.stir(before);
        }
        if let Some(new) = self.shapers.get_mut(shaper) {
            new.sites += 1;
        }
        // whoever waits for it at the old one does so at the new one; the old one leaves them out when their turn comes, and
        // what was spoken for there is free once they have stood down
        if !accounts.is_empty() {
            for account in accounts {
                self.wait_for_shaper(place, account);
            }
            self.shapers.stir(shaper);
        }
    }

    /// Whether the mail servers of a destination have to be found before it is dialled.
    pub(super) fn is_to_be_found(&self, place: u32, now: Timestamp) -> bool {
        let site = self.sites.get(place);
        site.shaper == NONE || site.known_until <= now
    }

    pub(super) fn on_found(
        &mut self,
        conversation: ConversationId,
        ParcelId(parcel): ParcelId,
        hosts: &[String],
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(known) = self.conversations.get(&conversation) else { return };
        let (place, counted) = (known.site, known.shaper);
        let most = self.bounds.site_conversations_max;
        let shaper = match self.providers.of_hosts(hosts) {
            Some(provider) => self.shapers.place(&provider.name, || provider.allowance(most)),
            None => match name_of_hosts(hosts) {
                Some(name) => self.unruled(&name),
                None => self.own_shaper(place),
            },
        };
        let by_name = self.sites.at(place).known_until == Timestamp(u64::MAX);
        if !by_name {
            self.assign(place, shaper, now.after(KNOWN_FOR));
        }
        let shaper = self.sites.at(place).shaper;
        if counted == shaper {
            return;
        }
        let account = self.parcels.at(parcel).account;
        let has_room = self.shapers.get(shaper).is_none_or(|shaper| shaper.admits(account, now));
        if has_room && !self.may_not_come(conversation, shaper, now) {
            self.count_at(conversation, shaper);
            self.tries_source(conversation);
            self.begun_at(shaper, now);
            return;
        }
        self.end_conversation(conversation);
        actions.push(Action::Withdraw(conversation));
        self.put_back(parcel, now, actions);
        self.feed_all(place, now, actions);
    }

    /// A conversation came to a mail server. Where that is none of those that its shaper stands for, its destination has others
    /// than were found: it is a site of its own for a while, since whoever answers for it may not speak for those.
    pub(super) fn on_came_to(
        &mut self,
        conversation: ConversationId,
        host: &str,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(known) = self.conversations.get(&conversation) else { return };
        let (place, counted) = (known.site, known.shaper);
        let site = self.sites.get(place);
        let is_by_name = site.known_until == Timestamp(u64::MAX);
        let Some(shaper) = self.shapers.get(counted).filter(|_| !is_by_name && !site.destination.is_route()) else {
            return;
        };
        let is_own = *shaper.name == *self.unruled_name(&own_name(&site.destination));
        if is_own || self.providers.has_server(&shaper.name, host) {
            return;
        }
        let own = self.own_shaper(place);
        self.assign(place, own, now.after(KNOWN_FOR));
        self.count_at(conversation, own);
        self.begun_at(own, now);
        // it may be left alone there
        self.feed_all(place, now, actions);
    }

    /// The place of the shaper of a destination alone, whatever its mail servers are.
    fn own_shaper(&mut self, place: u32) -> u32 {
        let name = own_name(&self.sites.get(place).destination);
        self.unruled(&name)
    }

    /// The place of the shaper of this name where there is no rule for it.
    fn unruled(&mut self, name: &str) -> u32 {
        let everybody = shaping::Provider::default().allowance(self.bounds.site_conversations_max);
        let name = self.unruled_name(name);
        self.shapers.place(&name, || everybody)
    }

    /// The name of a site that no rule is for. A host or domain of one label may be called as a provider is; it gets the final
    /// dot that DNS writes it with, and is not taken for that one.
    fn unruled_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.providers.is_named(name) { Cow::Owned(format!("{name}.")) } else { Cow::Borrowed(name) }
    }

    /// Counts a conversation at a shaper, and no more at the one before.
    fn count_at(&mut self, conversation: ConversationId, shaper: u32) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        let (before, proven, closing) = (known.shaper, usize::from(known.proven), usize::from(known.closing));
        let (idle, account, source) = (usize::from(known.idle_until.is_some()), known.account, known.source);
        let counted = account.filter(|_| !known.offered);
        if let Some(account) = counted {
            self.warm_up_spares(conversation, account);
        }
        if let Some(known) = self.conversations.get_mut(&conversation) {
            known.shaper = shaper;
        }
        if let Some(account) = counted {
            self.warm_up_offers(conversation, account);
        }
        self.leaves_block(conversation, source, before);
        if let Some(old) = self.shapers.get_mut(before) {
            old.conversations -= 1;
            old.proven -= proven;
            old.closing -= closing;
            old.idle -= idle;
            if let Some(account) = account {
                old.give_back(account);
            }
            old.tidy();
            self.shapers.stir(before);
        }
        if let Some(new) = self.shapers.get_mut(shaper) {
            new.conversations += 1;
            new.proven += proven;
            new.closing += closing;
            new.idle += idle;
            if let Some(account) = account {
                new.take(account);
            }
        }
    }

    /// Notes that a message begins.
    pub(super) fn begun_at(&mut self, shaper: u32, now: Timestamp) {
        if let Some(shaper) = self.shapers.get_mut(shaper) {
            shaper.shaping.begun(now);
        }
    }

    /// Until when a destination is left alone with an account's mail, or none: with anybody's, and why: because it could not be
    /// reached, because it says it blocks us, or because nothing more of it may be sent now.
    pub(super) fn left_alone(
        &self,
        place: u32,
        account: Option<Id<Account>>,
        now: Timestamp,
    ) -> Option<(Timestamp, Arc<Fault>)> {
        let lane = self.sites.get(place).lane;
        self.left_alone_itself(place, now).or_else(|| self.without_source(place, lane, account, now))
    }

    /// The same of a destination itself, whatever it is sent from.
    fn left_alone_itself(&self, place: u32, now: Timestamp) -> Option<(Timestamp, Arc<Fault>)> {
        let site = self.sites.get(place);
        if let Some(down) = site.down.as_ref().filter(|down| down.until > now) {
            return Some((down.until, Arc::clone(&down.fault)));
        }
        let shaper = self.shapers.get(site.shaper)?;
        Some((shaper.shaping.suspended_until(now)?, Arc::clone(shaper.fault.as_ref()?)))
    }

    /// Whether a destination is left alone with an account's mail, or none: with anybody's.
    pub(super) fn is_left_alone(&self, place: u32, account: Option<Id<Account>>, now: Timestamp) -> bool {
        self.is_left_alone_by(place, self.sites.get(place).lane, account, now)
    }

    /// The same by a lane that is not its own.
    pub(super) fn is_left_alone_by(
        &self,
        place: u32,
        lane: LaneId,
        account: Option<Id<Account>>,
        now: Timestamp,
    ) -> bool {
        self.left_alone_itself(place, now).is_some() || self.is_without_source(place, lane, account, now)
    }

    /// Whether the shaper of a destination lets no message begin now; where so, an account's mail for it waits for that.
    pub(super) fn waits_for_pace(&mut self, place: u32, account: Id<Account>, now: Timestamp) -> bool {
        let shaper = self.sites.get(place).shaper;
        let closed = self.shapers.get(shaper).and_then(|shaper| shaper.shaping.closed_until(now));
        let Some(until) = closed else { return false };
        self.wait_for_shaper(place, account);
        self.shapers.wake_at(shaper, until);
        true
    }

    /// Whether an account has to wait for a further conversation with a destination: its shaper has no room, or others wait for
    /// it longer.
    pub(super) fn waits_for_room(
        &mut self,
        place: u32,
        account: Id<Account>,
        in_turn: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> bool {
        let number = self.sites.get(place).shaper;
        let Some(shaper) = self.shapers.get(number) else { return false };
        let has_room = shaper.has_room(now);
        if has_room && (in_turn || shaper.waiting() == 0) {
            return false;
        }
        self.wait_for_shaper(place, account);
        if has_room {
            self.shapers.stir(number);
        } else {
            self.make_room_at(number, actions);
        }
        true
    }

    /// Lets an account wait at the shaper of a destination that it has mail for.
    pub(super) fn wait_for_shaper(&mut self, place: u32, account: Id<Account>) {
        let site = self.sites.at(place);
        if let Some(class) = site.class_of(account)
            && let Some(shaper) = self.shapers.get_mut(site.shaper)
            && shaper.wait(place, account, class)
        {
            site.standing += 1;
        }
    }

    /// Ends an idle conversation of a shaper, for another of its destinations.
    fn make_room_at(&mut self, shaper: u32, actions: &mut Vec<Action>) {
        if self.shapers.get(shaper).is_none_or(|shaper| shaper.idle == 0 || shaper.closing > 0) {
            return;
        }
        let longest_idle = self.idle_at(shaper).next();
        if let Some(conversation) = longest_idle {
            self.close_idle(conversation, actions);
        }
    }

    /// The idle conversations of a shaper, the longest idle first.
    fn idle_at(&self, shaper: u32) -> impl Iterator<Item = ConversationId> + '_ {
        let is_its = move |conversation: &ConversationId| {
            let known = self.conversations.get(conversation);
            known.is_some_and(|known| known.shaper == shaper && known.idle_until.is_some())
        };
        self.idle.iter().map(|(conversation, _)| *conversation).filter(is_its)
    }

    /// Looks at whoever waits for one shaper where something opened; whether there was one.
    pub(super) fn stir(&mut self, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        let Some(number) = self.shapers.stirred() else { return false };
        while !self.stopped
            && let Some(shaper) = self.shapers.get_mut(number)
            && let Some(front) = shaper.front()
        {
            let is_suspended = shaper.shaping.suspended_until(now).is_some();
            if let Some(until) = shaper.shaping.closed_until(now).filter(|_| !is_suspended) {
                self.shapers.wake_at(number, until);
                break;
            }
            let site = self.sites.get(front.site);
            // it may have come to other servers since
            let is_gone = site.shaper != number || site.class_of(front.account).is_none();
            let may_go_on = !site.idle.is_empty() || shaper.has_room(now);
            if is_gone || is_suspended || (may_go_on && shaper.may_have(front.account, now)) {
                shaper.pop();
                self.sites.at(front.site).standing -= 1;
                if !is_gone {
                    self.feed(front.site, front.account, true, now, actions);
                }
            } else if !self.use_idle_at(number, now, actions) {
                self.make_room_at(number, actions);
                break;
            }
        }
        true
    }

    /// Lets an idle conversation of a shaper carry mail that waits for its own destination, and so needs no room; whether one
    /// did.
    fn use_idle_at(&mut self, number: u32, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        if self.shapers.get(number).is_none_or(|shaper| shaper.idle == 0) {
            return false;
        }
        let conversations: Vec<ConversationId> = self.idle_at(number).collect();
        for conversation in conversations {
            let Some(place) = self.conversations.get(&conversation).map(|known| known.site) else { continue };
            let is_open = !self.is_left_alone(place, None, now) && !self.has_lost_source(conversation, None, now);
            let may = self.sites.get(place).ready > 0 && is_open;
            if may && self.carry_next(conversation, place, None, now, actions) {
                self.sites.at(place).idle.retain(|idle| *idle != conversation);
                self.idle_count -= 1;
                return true;
            }
        }
        false
    }

    pub(super) fn on_complained(
        &mut self,
        conversation: ConversationId,
        complaint: Complaint,
        now: Timestamp,
        dice: &mut dyn Dice,
        actions: &mut Vec<Action>,
    ) {
        let place = self.shaper_of(conversation);
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        known.complained = true;
        let (begun, proven, source) = (known.begun, usize::from(known.proven), known.source);
        if matches!(complaint.action, SiteAction::Suspend | SiteAction::SendSlower) {
            self.count_for_warm_up(conversation, |climb, _| climb.objections = climb.objections.saturating_add(1));
        }
        let pauses = self.bounds.pauses;
        let Some(shaper) = self.shapers.get_mut(place) else { return };
        let was_suspended = shaper.shaping.is_suspended();
        let heard = shaping::Complaint {
            action: complaint.action,
            at_the_door: complaint.at_the_door,
            account: complaint.account,
            begun,
        };
        let (in_hand, others) = (shaper.conversations, shaper.proven > proven);
        let Complaint { action, class, said, source: from, .. } = complaint;
        // mail of other accounts is shown it, to whom the next hop of this one says nothing
        let attempt = Attempt::unasked(now, from);
        let fault = Arc::new(Fault { finding: Finding::Failed(Failure::Suspended(class)), attempt });
        // what is about our address is about the one that was sent from
        let source = source.filter(|_| action == SiteAction::Suspend);
        let reaction = match source {
            Some(source) => self.source_blocked(conversation, source, (&heard, Arc::clone(&fault)), now, dice),
            None => shaper.shaping.complained(&heard, in_hand, others, now, Jitter::roll(dice), &pauses),
        };
        let Some(shaper) = self.shapers.get_mut(place).filter(|_| reaction != Reaction::Nothing) else { return };
        shaper.said = Some(Said { at: now, class: Some(class), text: said.clone() });
        if let Reaction::Suspended(until) = reaction {
            if source.is_none() {
                shaper.fault = Some(fault);
            }
            let source = source.and_then(|source| self.sending.source(source));
            actions.push(Action::Suspended { site: Arc::clone(&shaper.name), source, until, said });
        }
        let is_suspended = shaper.shaping.is_suspended();
        self.shapers.suspended = self.shapers.suspended + usize::from(is_suspended) - usize::from(was_suspended);
        if let Reaction::Suspended(_) = reaction {
            for site in self.sites.with_due_mail_at(place) {
                self.feed_all(site, now, actions);
            }
        }
        self.shapers.stir(place);
    }

    /// The shaper of a conversation; one of its destination's own where its mail servers could not be found.
    fn shaper_of(&mut self, conversation: ConversationId) -> u32 {
        let Some(known) = self.conversations.get(&conversation) else { return NONE };
        let (place, shaper) = (known.site, known.shaper);
        if shaper != NONE {
            return shaper;
        }
        let mut shaper = self.sites.get(place).shaper;
        if shaper == NONE {
            shaper = self.own_shaper(place);
            // looked for again with the next conversation
            self.assign(place, shaper, Timestamp(0));
        }
        self.count_at(conversation, shaper);
        shaper
    }

    /// A conversation took part in a dialogue; what that means for its shaper.
    pub(super) fn reached_at(
        &mut self,
        conversation: ConversationId,
        first: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        let (place, begun, source) = (known.shaper, known.begun, known.source);
        let complained = std::mem::take(&mut known.complained);
        self.source_reached((source, place), (begun, complained), now, actions);
        let pauses = self.bounds.pauses;
        let Some(shaper) = self.shapers.get_mut(place) else { return };
        shaper.proven += usize::from(first);
        if complained {
            return;
        }
        match shaper.shaping.taken(begun, now, &pauses) {
            Recovery::Nothing => return,
            Recovery::More => {}
            Recovery::Lifted => {
                shaper.fault = None;
                self.shapers.suspended -= 1;
                self.wake_all_of(place, now);
            }
        }
        if let Some(shaper) = self.shapers.get_mut(place)
            && shaper.shaping.phase(now) == Phase::Open
        {
            shaper.said = None;
        }
        self.shapers.stir(place);
    }

    /// Makes due whatever was deferred because a shaper was left alone.
    pub(super) fn wake_all_of(&mut self, shaper: u32, now: Timestamp) {
        for site in self.sites.of_shaper(shaper) {
            if self.sites.get(site).is_down(now) {
                continue;
            }
            for parcel in self.parcels.waiting_for(site) {
                self.queue(parcel, false);
                self.wait_for_shaper(site, self.parcels.at(parcel).account);
            }
        }
    }

    /// Whether there is a site of this name: of mail servers, or of a destination whose servers are not known.
    pub fn has_site(&self, name: &str) -> bool {
        self.shapers.find(name).is_some() || !self.sites.named(name).is_empty()
    }

    pub(super) fn on_resumed(&mut self, name: &str, now: Timestamp, actions: &mut Vec<Action>) {
        let named = self.sites.named(name);
        let mut known = named.iter().map(|place| self.sites.get(*place).shaper).filter(|shaper| *shaper != NONE);
        let of_named = known.next();
        if let Some(shaper) = self.shapers.find(name).or(of_named) {
            self.shapers.ask_again(shaper, now);
            self.sites.up_again(shaper, now);
            self.wake_all_of(shaper, now);
            return;
        }
        for place in named {
            if let Some(down) = &mut self.sites.at(place).down {
                down.until = now;
            }
            for parcel in self.parcels.waiting_for(place) {
                self.queue(parcel, false);
            }
            self.feed_all(place, now, actions);
        }
    }

    /// Recipients in one transaction that the site of a conversation takes at the most; 0: as many as every one does.
    pub fn transaction_recipients(&self, conversation: ConversationId) -> u32 {
        let known = self.conversations.get(&conversation);
        let shaper = known.and_then(|known| self.shapers.get(known.shaper));
        shaper.map_or(0, |shaper| shaper.shaping.allowance().recipients)
    }
}

/// The name of a destination's own site.
pub(super) fn own_name(destination: &Destination) -> String {
    match destination {
        Destination::Mx { domain } | Destination::Waiving { domain } => domain.clone(),
        Destination::Route { index } => format!("route {}", index + 1),
    }
}
