//! Sources at work: from which of its lane a conversation begins, and which are left out, because a site blocks them, because
//! nothing gets through from them, or because they warm up and have carried what today allows.
//!
//! Each source of a pool has the part of its mail that its weight says, counted in messages: whoever is furthest behind begins
//! the next conversation. One that is left out for a while catches up with nobody for that.

use std::sync::Arc;

use super::lanes::{LaneId, Lanes};
use super::shapers::Shaper;
use super::sites::Site;
use super::warming::{Toward, WarmUpState, Warming};
use super::{Action, Conversation, ConversationId, Fault, SOURCE_TRIED_FOR, SOURCE_UNREACHED_MAX, Scheduler};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::id::Id;
use crate::outcome::{self, Failure, Finding};
use crate::queue::Attempt;
use crate::retry::{self, Jitter};
use crate::shaping::{self, Allowance, Reaction, Recovery, Shaping};
use crate::source::{Source, SourceId, Sources};
use crate::warm_up;

/// Steps of recovery of a source from a block, until it counts as one that was never blocked.
const RECOVERY_STEPS: usize = 4;

/// Sites that block a source and are named.
const SITES_SHOWN: usize = 5;

/// A source from which nothing gets through.
#[derive(Debug)]
struct Aside {
    until: Timestamp,
    fault: Arc<Fault>,
    /// What tries it since.
    tried_by: Option<ConversationId>,
}

/// How a source fares.
#[derive(Debug, Default)]
struct Health {
    /// Destinations one after the other that could not be reached from it, the last of them, and since when.
    failures: u32,
    last: Option<u32>,
    since: Timestamp,
    /// When it last reached one.
    reached_at: Timestamp,
    /// Times that it was set aside since it last reached one.
    times: u32,
    aside: Option<Aside>,
    /// Messages handed to it since the start.
    carried: u64,
}

/// What a site has against one source.
#[derive(Debug)]
struct Block {
    source: SourceId,
    shaping: Shaping,
    fault: Option<Arc<Fault>>,
    /// What tries it since.
    tried_by: Option<ConversationId>,
}

/// What a site has against sources.
#[derive(Debug, Default)]
pub(super) struct Blocks(Vec<Block>);

impl Blocks {
    fn of(&self, source: SourceId) -> Option<&Block> {
        self.0.iter().find(|block| block.source == source)
    }

    fn at(&mut self, source: SourceId) -> Option<&mut Block> {
        self.0.iter_mut().find(|block| block.source == source)
    }

    /// The one of a source, which is made where there is none.
    fn place(&mut self, source: SourceId) -> &mut Block {
        let place = self.0.iter().position(|block| block.source == source).unwrap_or_else(|| {
            let allowance =
                Allowance { connections: RECOVERY_STEPS, messages: 0, recipients: 0, per_minute: 0, idle: None };
            self.0.push(Block { source, shaping: Shaping::new(allowance), fault: None, tried_by: None });
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    /// How many of them keep a source out, or let it be tried.
    pub(super) fn suspended(&self) -> usize {
        self.0.iter().filter(|block| block.shaping.is_suspended()).count()
    }

    /// Somebody wants the site asked now.
    pub(super) fn ask_again(&mut self, now: Timestamp) {
        self.0.iter_mut().for_each(|block| block.shaping.ask_again(now));
    }

    pub(super) fn is_forgettable(&self, now: Timestamp) -> bool {
        self.0.iter().all(|block| block.shaping.is_forgettable(now))
    }
}

/// Until when something is left out that was left alone until then, and is tried by one conversation after that. `own`: whose
/// own trial does not count.
fn closed(
    until: Timestamp,
    tried_by: Option<ConversationId>,
    own: Option<ConversationId>,
    now: Timestamp,
) -> Option<Timestamp> {
    match tried_by {
        _ if until > now => Some(until),
        Some(_) if tried_by != own => Some(now.after(SOURCE_TRIED_FOR)),
        _ => None,
    }
}

/// Why a source is left out.
#[derive(Debug)]
enum Closed {
    /// It is set aside, or a site blocks it.
    For(Arc<Fault>),
    /// It warms up, and has carried what today allows.
    UsedUp(SourceId),
}

/// The sources, and how each fares.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub(super) sources: Arc<Sources>,
    pub(super) lanes: Lanes,
    /// None where no source is to warm up.
    pub(super) warming: Option<Box<Warming>>,
    health: Vec<Health>,
}

impl Sending {
    pub(super) fn new(sources: Arc<Sources>) -> Self {
        let health = sources.iter().map(|_| Health::default()).collect();
        Sending { lanes: Lanes::new(&sources), warming: None, sources, health }
    }

    /// Whether there is but the nameless source.
    pub(super) fn is_plain(&self) -> bool {
        self.health.is_empty()
    }

    /// A source.
    pub(super) fn source(&self, id: SourceId) -> Option<Arc<Source>> {
        self.sources.source(id).map(Arc::clone)
    }

    /// All of them.
    pub(super) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Sources that are set aside, or tried since.
    pub(super) fn set_aside(&self) -> usize {
        self.health.iter().filter(|health| health.aside.is_some()).count()
    }

    /// A source of a lane carries a message.
    fn carries(&mut self, lane: LaneId, source: SourceId) {
        self.lanes.carries(lane, source);
        if let Some(health) = self.health.get_mut(source.place()) {
            health.carried += 1;
        }
    }

    /// One more destination could not be reached from a source; whether that is the source's own fault: others get through.
    fn unreached(&mut self, source: SourceId, site: u32, now: Timestamp) -> bool {
        let Some(health) = self.health.get_mut(source.place()) else { return false };
        if health.last != Some(site) {
            health.failures = health.failures.saturating_add(1);
            health.last = Some(site);
            if health.failures == 1 {
                health.since = now;
            }
        }
        let (is_tried, failures, since) = (health.aside.is_some(), health.failures, health.since);
        let mut others = (0..).zip(&self.health).filter(|(place, _)| *place != source.place());
        is_tried || (failures >= SOURCE_UNREACHED_MAX && others.any(|(_, other)| other.reached_at > since))
    }

    /// Whether the warm-up of a source, if it has one, leaves room for one more message that way.
    pub(super) fn has_room(&self, source: SourceId, shaper: &Shaper, toward: Toward) -> bool {
        let warming = self.warming.as_ref().filter(|_| !toward.exempt);
        warming.is_none_or(|warming| warming.has_room(source, shaper, toward))
    }

    fn aside(&mut self, source: SourceId) -> Option<&mut Aside> {
        self.health.get_mut(source.place())?.aside.as_mut()
    }
}

impl Shaper {
    fn block(&self, source: SourceId) -> Option<&Block> {
        self.blocks.as_ref()?.of(source)
    }
}

impl Scheduler {
    /// Until when a source is left out of what goes that way, and why.
    fn closed_from(
        &self,
        source: SourceId,
        toward: Toward,
        own: Option<ConversationId>,
        now: Timestamp,
    ) -> Option<(Timestamp, Closed)> {
        let aside = self.sending.health.get(source.place()).and_then(|health| health.aside.as_ref());
        if let Some(aside) = aside
            && let Some(until) = closed(aside.until, aside.tried_by, own, now)
        {
            return Some((until, Closed::For(Arc::clone(&aside.fault))));
        }
        // of what leads nowhere yet it is asked once that is known
        let shaper = self.shapers.get(toward.shaper)?;
        if let Some(block) = shaper.block(source)
            && let Some(fault) = &block.fault
            && let Some(until) =
                closed(block.shaping.suspended_until(now).unwrap_or_default(), block.tried_by, own, now)
        {
            return Some((until, Closed::For(Arc::clone(fault))));
        }
        let is_used_up = !self.sending.has_room(source, shaper, toward);
        is_used_up.then(|| (warm_up::next_day(now), Closed::UsedUp(source)))
    }

    /// Whether a source may begin something that way.
    pub(super) fn is_open(&self, source: SourceId, toward: Toward, now: Timestamp) -> bool {
        self.closed_from(source, toward, None, now).is_none()
    }

    /// Until when an account's mail to a site has no source of a lane that it could go from, and why.
    fn shut(
        &self,
        place: u32,
        lane: LaneId,
        account: Option<Id<Account>>,
        now: Timestamp,
    ) -> Option<(Timestamp, Closed)> {
        if self.sending.is_plain() {
            return None;
        }
        let toward = self.toward(place, lane, self.sites.get(place).shaper, account);
        let mut soonest: Option<(Timestamp, Closed)> = None;
        for (source, _) in self.sending.lanes.members(lane) {
            let closed = self.closed_from(*source, toward, None, now)?;
            if soonest.as_ref().is_none_or(|(until, _)| closed.0 < *until) {
                soonest = Some(closed);
            }
        }
        soonest
    }

    /// Whether an account's mail to a site has no source of a lane that it could go from.
    pub(super) fn is_without_source(
        &self,
        place: u32,
        lane: LaneId,
        account: Option<Id<Account>>,
        now: Timestamp,
    ) -> bool {
        self.shut(place, lane, account, now).is_some()
    }

    /// Until when it has none, and why.
    pub(super) fn without_source(
        &self,
        place: u32,
        lane: LaneId,
        account: Option<Id<Account>>,
        now: Timestamp,
    ) -> Option<(Timestamp, Arc<Fault>)> {
        let (until, closed) = self.shut(place, lane, account, now)?;
        match closed {
            Closed::For(fault) => Some((until, fault)),
            Closed::UsedUp(source) => Some((until, self.used_up(source, place, now)?)),
        }
    }

    /// The source of a conversation that begins with a site and an account's mail.
    pub(super) fn choose_source(&mut self, place: u32, account: Id<Account>, now: Timestamp) -> Option<SourceId> {
        if self.sending.is_plain() {
            return None;
        }
        let site = self.sites.get(place);
        let (lane, toward) = (site.lane, self.toward(place, site.lane, site.shaper, Some(account)));
        let members = self.sending.lanes.members(lane).iter();
        let open: Vec<bool> = members.map(|(source, _)| self.is_open(*source, toward, now)).collect();
        self.sending.lanes.next(lane, &open)
    }

    /// A conversation's source carries a message.
    pub(super) fn carries_from(&mut self, source: Option<SourceId>, place: u32) {
        if let Some(source) = source {
            self.sending.carries(self.sites.get(place).lane, source);
        }
    }

    /// A conversation tries its source, where that is left out for others.
    pub(super) fn tries_source(&mut self, conversation: ConversationId) {
        let Some(known) = self.conversations.get(&conversation) else { return };
        let (Some(source), shaper) = (known.source, known.shaper) else { return };
        if let Some(aside) = self.sending.aside(source) {
            aside.tried_by = Some(conversation);
        }
        if let Some(block) = self.block_at(source, shaper).filter(|block| block.shaping.is_suspended()) {
            block.tried_by = Some(conversation);
        }
    }

    /// A conversation tries its source no more at a shaper.
    pub(super) fn leaves_block(&mut self, conversation: ConversationId, source: Option<SourceId>, shaper: u32) {
        let block = source.and_then(|source| self.block_at(source, shaper));
        if let Some(block) = block.filter(|block| block.tried_by == Some(conversation)) {
            block.tried_by = None;
        }
    }

    /// A conversation is over, and so is its trial of a source.
    pub(super) fn leaves_source(&mut self, conversation: ConversationId, source: Option<SourceId>, shaper: u32) {
        self.leaves_block(conversation, source, shaper);
        let aside = source.and_then(|source| self.sending.aside(source));
        if let Some(aside) = aside.filter(|aside| aside.tried_by == Some(conversation)) {
            aside.tried_by = None;
        }
    }

    fn block_at(&mut self, source: SourceId, shaper: u32) -> Option<&mut Block> {
        self.shapers.get_mut(shaper)?.blocks.as_mut()?.at(source)
    }

    /// Whether the source of a conversation is left out by now where that leads, for an account's mail; none: for anybody's.
    pub(super) fn has_lost_source(
        &self,
        conversation: ConversationId,
        account: Option<Id<Account>>,
        now: Timestamp,
    ) -> bool {
        let known = self.conversations.get(&conversation);
        known.is_some_and(|known| self.is_closed(known, (known.shaper, account), None, now))
    }

    /// From where to where a conversation leads, where sources warm up.
    pub(super) fn toward_of(&self, conversation: ConversationId) -> Option<(SourceId, Toward)> {
        self.sending.warming.as_ref()?;
        let known = self.conversations.get(&conversation)?;
        let lane = self.sites.get(known.site).lane;
        Some((known.source?, self.toward(known.site, lane, known.shaper, None)))
    }

    /// Whether the source of a conversation is left out at a shaper that it turns out to lead to.
    pub(super) fn may_not_come(&self, conversation: ConversationId, shaper: u32, now: Timestamp) -> bool {
        let known = self.conversations.get(&conversation);
        known.is_some_and(|known| self.is_closed(known, (shaper, known.account), Some(conversation), now))
    }

    fn is_closed(
        &self,
        known: &Conversation,
        (shaper, account): (u32, Option<Id<Account>>),
        own: Option<ConversationId>,
        now: Timestamp,
    ) -> bool {
        let Some(source) = known.source else { return false };
        let toward = self.toward(known.site, self.sites.get(known.site).lane, shaper, account);
        self.closed_from(source, toward, own, now).is_some()
    }

    /// Whether a site keeps a conversation's source out, by now.
    fn is_blocked(&self, source: Option<SourceId>, shaper: u32) -> bool {
        let block = source.and_then(|source| self.shapers.get(shaper)?.block(source));
        block.is_some_and(|block| block.shaping.is_suspended())
    }

    /// Whether a conversation was refused at the door because its source is blocked there: another one may be let in.
    pub(super) fn is_refused(&self, source: Option<SourceId>, shaper: u32, fault: &Fault) -> bool {
        matches!(fault.finding, Finding::Replied(..)) && self.is_blocked(source, shaper)
    }

    /// The site of a conversation says that it blocks its source; what follows for that.
    pub(super) fn source_blocked(
        &mut self,
        conversation: ConversationId,
        source: SourceId,
        (heard, fault): (&shaping::Complaint, Arc<Fault>),
        now: Timestamp,
        dice: &mut dyn Dice,
    ) -> Reaction {
        let Some(number) = self.conversations.get(&conversation).map(|known| known.shaper) else {
            return Reaction::Nothing;
        };
        let mut beside = self.conversations.iter().filter(|(other, _)| **other != conversation);
        let others = beside.any(|(_, known)| known.shaper == number && known.source == Some(source) && known.proven);
        let pauses = self.bounds.pauses;
        let Some(shaper) = self.shapers.get_mut(number) else { return Reaction::Nothing };
        let block = shaper.blocks.get_or_insert_default().place(source);
        let was_suspended = block.shaping.is_suspended();
        let reaction = block.shaping.complained(heard, 1, others, now, Jitter::roll(dice), &pauses);
        if let Reaction::Suspended(_) = reaction {
            block.fault = Some(fault);
            // what is known of it now is not what the trial was for
            block.tried_by = None;
            self.shapers.suspended += usize::from(!was_suspended);
            self.count_for_warm_up(conversation, warm_up::Climb::is_blocked);
        }
        reaction
    }

    /// A conversation took part in a dialogue; what that means for its source.
    pub(super) fn source_reached(
        &mut self,
        (source, shaper): (Option<SourceId>, u32),
        (begun, complained): (Timestamp, bool),
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(source) = source else { return };
        if let Some(health) = self.sending.health.get_mut(source.place()) {
            (health.failures, health.last, health.times, health.reached_at) = (0, None, 0, now);
            if health.aside.take().is_some() {
                actions.extend(self.sending.source(source).map(Action::Restored));
                self.wake_all_from(source, now);
            }
        }
        let pauses = self.bounds.pauses;
        let block = self.block_at(source, shaper).filter(|_| !complained);
        let Some(block) = block else { return };
        if block.shaping.taken(begun, now, &pauses) == Recovery::Lifted {
            (block.fault, block.tried_by) = (None, None);
            self.shapers.suspended -= 1;
            self.wake_all_of(shaper, now);
        }
    }

    /// Nothing was reached from a conversation's source; whether that is its own fault, and it is set aside.
    pub(super) fn source_unreached(
        &mut self,
        source: Option<SourceId>,
        place: u32,
        fault: &Arc<Fault>,
        now: Timestamp,
        dice: &mut dyn Dice,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some(source) = source else { return false };
        let (is_own, finding) = match &fault.finding {
            Finding::Failed(Failure::Source(_)) => (true, fault.finding.clone()),
            Finding::Failed(Failure::Connect(why)) => {
                (false, Finding::Failed(Failure::Source(format!("no server is reached from it, the last was {why}"))))
            }
            _ => return false,
        };
        if !is_own && !self.sending.unreached(source, place, now) {
            return false;
        }
        let Some(health) = self.sending.health.get_mut(source.place()) else { return false };
        // several conversations find the same out
        let is_known = health.aside.as_ref().is_some_and(|aside| aside.until > now);
        if !is_known {
            health.times = health.times.saturating_add(1);
            let until = now.after(retry::site_delay(health.times, Jitter::roll(dice)));
            let (_, why) = outcome::told(&finding);
            // mail of other accounts is shown it, to whom the next hop of this one says nothing
            let attempt = Attempt::unasked(fault.attempt.at, fault.attempt.source.clone());
            let fault = Arc::new(Fault { finding, attempt });
            health.aside = Some(Aside { until, fault, tried_by: None });
            let source = self.sending.source(source);
            actions.extend(source.map(|source| Action::SetAside { source, until, why }));
        }
        true
    }

    /// Somebody wants a source tried now that is set aside.
    pub(super) fn on_source_resumed(&mut self, source: SourceId, now: Timestamp) {
        if let Some(aside) = self.sending.aside(source) {
            aside.until = aside.until.min(now);
            self.wake_all_from(source, now);
        }
    }

    /// Makes due whatever was deferred because a source was left out. Looks at every destination.
    pub(super) fn wake_all_from(&mut self, source: SourceId, now: Timestamp) {
        let lanes = &self.sending.lanes;
        let is_its =
            |site: &Site| site.down.is_none() && lanes.members(site.lane).iter().any(|(member, _)| *member == source);
        for site in self.sites.places(is_its) {
            for parcel in self.parcels.waiting_for(site) {
                let due = self.parcels.at(parcel).due.min(now);
                self.parcels.wait(parcel, due);
            }
        }
    }

    /// Each source with what is in force for it.
    pub fn sources(&self, now: Timestamp) -> Vec<SourceState> {
        self.sending.sources.iter().map(|(id, source)| self.source_state(id, source, now)).collect()
    }

    fn source_state(&self, id: SourceId, source: &Arc<Source>, now: Timestamp) -> SourceState {
        let sources = &self.sending.sources;
        let weight =
            |members: &[(SourceId, u32)]| members.iter().find(|(member, _)| *member == id).map(|(_, one)| *one);
        let pools = sources.pools().filter_map(|(_, pool)| Some((pool.name.clone(), weight(&pool.members)?)));
        let blocked = self.shapers.iter().filter_map(|shaper| {
            let until = shaper.block(id)?.shaping.suspended_until(now)?;
            Some((Arc::clone(&shaper.name), until))
        });
        let mut blocked: Vec<(Arc<str>, Timestamp)> = blocked.collect();
        let blocked_count = blocked.len();
        blocked.sort();
        blocked.truncate(SITES_SHOWN);
        let health = self.sending.health.get(id.place());
        let aside = health.and_then(|health| health.aside.as_ref());
        let (health_now, why) = match aside {
            Some(aside) if aside.until > now => {
                (SourceHealth::SetAside(aside.until), Some(outcome::told(&aside.fault.finding).1))
            }
            Some(aside) => (SourceHealth::Tried, Some(outcome::told(&aside.fault.finding).1)),
            None => (SourceHealth::Good, None),
        };
        SourceState {
            source: Arc::clone(source),
            pools: pools.collect(),
            conversations: self.conversations.values().filter(|known| known.source == Some(id)).count(),
            carried: health.map_or(0, |health| health.carried),
            health: health_now,
            why,
            blocked,
            blocked_count,
            warm_up: self.warm_up_of(id, now),
        }
    }

    /// The sources that the site of a shaper keeps out, and until when.
    pub(super) fn kept_out(&self, shaper: Option<&Shaper>, now: Timestamp) -> Vec<(String, Timestamp)> {
        let Some(blocks) = shaper.and_then(|shaper| shaper.blocks.as_ref()) else { return Vec::new() };
        let named = |block: &Block| {
            let until = block.shaping.suspended_until(now)?;
            Some((self.sending.sources.source(block.source)?.name.clone(), until))
        };
        blocks.0.iter().filter_map(named).collect()
    }
}

/// How a source fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceHealth {
    /// It is used.
    Good,
    /// Nothing is sent from it until then.
    SetAside(Timestamp),
    /// One message tries whether it gets through.
    Tried,
}

/// One source, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// Which.
    pub source: Arc<Source>,
    /// The pools that it is of, with its weight in each.
    pub pools: Vec<(String, u32)>,
    /// Conversations from it now, idle ones included.
    pub conversations: usize,
    /// Messages handed to it since the start.
    pub carried: u64,
    /// How it fares.
    pub health: SourceHealth,
    /// Why it was set aside, in words for the operator.
    pub why: Option<String>,
    /// The first of the sites that block it, and until when each is left alone.
    pub blocked: Vec<(Arc<str>, Timestamp)>,
    /// How many these are.
    pub blocked_count: usize,
    /// How it warms up; none: it was never to.
    pub warm_up: Option<WarmUpState>,
}
