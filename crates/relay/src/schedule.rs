//! What is carried next: which message to which site, over which conversation, and what waits for when.
//!
//! The driver tells what happened ([`Event`]) and carries out what is returned ([`Action`]), in order.
//! Every live message is known here by a small record (see [`Scheduler::on`] for what may be in flight);
//! its envelope and content are read when it is claimed, so that a deep queue costs little memory and
//! only as much content is held as there are conversations.
//!
//! A **parcel** is what goes in one transaction: the recipients of one message with the same destination
//! and the same due moment. A **site** is here a destination with its conversations; a **shaper** holds what is in force at the
//! mail servers that several destinations may share ([`crate::shaping`]). A due parcel waits only for one of: a free
//! conversation of its site, what its shaper allows, a free conversation at all, or the driver's stop.
//!
//! **Fair** is between accounts: at each of the three they take turns, whatever each of them sends, and the last places are kept
//! for accounts that have few (`turns.rs`; `tests/fairness.rs` has the figures). Of one account's mail the more urgent goes first.

mod chosen;
mod conversations;
mod due;
mod events;
mod feeding;
mod lanes;
mod lists;
mod overview;
mod parcels;
mod records;
mod sending;
mod shape;
mod shapers;
mod sites;
#[cfg(test)]
mod tests;
mod turns;
mod warming;

pub use chosen::Order;
pub use events::{Action, Addressed, Complaint, ConversationId, Event, Fault, Parcel, ParcelId};
pub use overview::SiteState;
pub use sending::{SourceHealth, SourceState};
pub use warming::{ClimbState, WarmUpState};

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::id::{Id, MessageId};
use crate::limits::Limits;
use crate::outcome::Ending;
use crate::queue::{HoldReason, RecipientState};
use crate::retry;
use crate::route::Destination;
use crate::shaping::{Pauses, Providers};
use crate::source::{PoolId, SourceId, Sources};
use lanes::LaneId;
use parcels::{Errand, Mail, Parcels, State};
use sending::Sending;
use shapers::Shapers;
use sites::Sites;
use turns::Turns;

/// Conversations at once with a site that has not taken mail yet.
pub const SITE_CONVERSATIONS_FIRST: usize = 5;

/// Parcels that one conversation carries in a row while another site waits for a conversation.
pub const PARCELS_IN_A_ROW_MAX: u32 = 20;

/// One conversation in so many, and at least one, is kept for accounts that have few: of all, of those with one site, and of
/// those with the mail servers that sites share.
pub const KEPT_SHARE: usize = 20;

/// Conversations that are ended at once for the sake of an account that has none, or of its more urgent mail.
pub const OWED_MAX: usize = 10;

/// Parcels of one account that go before one that is less urgent, where both wait for the same.
pub const LESS_URGENT_AFTER: u8 = 20;

/// Turns in a row that go to urgent mail of accounts which have nothing under way, while others wait for theirs.
pub const URGENT_IN_A_ROW_MAX: u8 = 4;

/// Parcels that are settled at once without an attempt, because their site is down.
pub const SETTLED_UNTRIED_MAX: usize = 32;

/// Destinations one after the other that cannot be reached from a source, while others get through, before it is set aside.
pub const SOURCE_UNREACHED_MAX: u32 = 10;

/// Lanes that there may be: the pools, and what is left of them for mail that some of their sources may not carry; each once more for
/// urgent mail. Where there are as many, a refusal because of a source is final.
pub const LANES_MAX: usize = 512;

/// How long mail waits whose only source is being tried by another message.
pub const SOURCE_TRIED_FOR: Duration = Duration::from_secs(60);

/// What the scheduler is held to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Conversations at once, in total.
    pub conversations_max: usize,
    /// Conversations at once with one site.
    pub site_conversations_max: usize,
    /// How long a conversation is kept open for further mail to its site.
    pub idle_kept: Duration,
    /// How sites that complain are spared.
    pub pauses: Pauses,
}

impl Bounds {
    /// What these limits allow.
    pub fn held_to(limits: &Limits) -> Self {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Bounds {
            conversations_max: count(limits.conversations_max),
            site_conversations_max: count(limits.site_conversations_max),
            idle_kept: Duration::from_secs(limits.line_idle_seconds),
            pauses: Pauses::held_to(limits),
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds::held_to(&Limits::default())
    }
}

/// What waits, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages.
    pub messages: usize,
    /// Their recipients.
    pub recipients: usize,
    /// Recipients that are due and wait for a conversation.
    pub due: usize,
    /// Recipients that are held.
    pub held: usize,
    /// Conversations, idle ones included.
    pub conversations: usize,
    /// Idle conversations.
    pub idle: usize,
    /// Sites that are left alone because they say that they block us, or are asked for the first time since.
    pub suspended: usize,
    /// Sources that are set aside, or tried for the first time since.
    pub set_aside: usize,
    /// Sources that warm up.
    pub warming: usize,
    /// Pairs of such a source and a provider whose allowance of the day was used up, urgent mail's part apart.
    pub used_up: usize,
}

#[derive(Debug)]
struct Conversation {
    site: u32,
    /// Where it counts; [`NONE`] while the site's mail servers are not known.
    shaper: u32,
    /// Where it comes from; none where there is but the nameless source.
    source: Option<SourceId>,
    /// Whose mail it carries; none while it carries nothing.
    account: Option<Id<Account>>,
    /// Parcels since another site last waited.
    in_a_row: u32,
    /// Parcels in all.
    carried: u32,
    /// When the parcel that it carries was handed out.
    begun: Timestamp,
    /// The site was offered it: what nobody was offered counts for no warm-up.
    offered: bool,
    /// The site complained about it.
    complained: bool,
    /// It has reached its site.
    proven: bool,
    /// It was told to close.
    closing: bool,
    /// When it is closed, while idle.
    idle_until: Option<Timestamp>,
}

/// Decides what is carried when.
#[derive(Debug)]
pub struct Scheduler {
    bounds: Bounds,
    providers: Arc<Providers>,
    sending: Sending,
    parcels: Parcels,
    sites: Sites,
    shapers: Shapers,
    conversations: HashMap<ConversationId, Conversation>,
    conversations_begun: u64,
    /// The accounts that wait for a conversation with a site that may have one, and how many conversations carry mail of each.
    turns: Turns,
    idle: VecDeque<(ConversationId, Timestamp)>,
    idle_count: usize,
    closing: usize,
    /// Messages given up while some of them was in flight.
    endings: HashMap<MessageId, Arc<Ending>>,
    /// What was ordered of recipients while they were in flight.
    chosen: HashMap<MessageId, Vec<(u16, Order)>>,
    /// Recipients of parcels in flight that go from another source next, and by which lane.
    elsewhere: HashMap<u32, (Vec<u16>, LaneId)>,
    untried: usize,
    stopped: bool,
}

impl Scheduler {
    /// Knows nothing yet, and of providers what comes with the relay.
    pub fn new(bounds: Bounds) -> Self {
        Scheduler::shaped(bounds, Arc::clone(Providers::ours()))
    }

    /// Knows nothing yet but these rules for providers.
    pub fn shaped(bounds: Bounds, providers: Arc<Providers>) -> Self {
        let at_least_one = |bound: usize| bound.max(1);
        let bounds = Bounds {
            conversations_max: at_least_one(bounds.conversations_max),
            site_conversations_max: at_least_one(bounds.site_conversations_max),
            ..bounds
        };
        Scheduler {
            sites: Sites::new(bounds.site_conversations_max),
            shapers: Shapers::default(),
            bounds,
            providers,
            sending: Sending::default(),
            parcels: Parcels::default(),
            conversations: HashMap::new(),
            conversations_begun: 0,
            turns: Turns::default(),
            idle: VecDeque::new(),
            idle_count: 0,
            closing: 0,
            endings: HashMap::new(),
            chosen: HashMap::new(),
            elsewhere: HashMap::new(),
            untried: 0,
            stopped: false,
        }
    }

    /// Sends from these, before anything else is told.
    #[must_use]
    pub fn sending_from(self, sources: Arc<Sources>) -> Self {
        Scheduler { sending: Sending::new(sources), ..self }
    }

    /// Takes in what happened, and says what is to be done, in order.
    ///
    /// A parcel is in flight from the action that names it until [`Event::Settled`] or
    /// [`Event::Unreached`] gives it back; a recipient is never in two parcels.
    pub fn on(&mut self, event: Event, now: Timestamp, dice: &mut dyn Dice) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(warming) = &mut self.sending.warming {
            warming.begin(now);
        }
        match event {
            Event::Arrived { message, account, class, pool, recipients } => {
                self.on_arrived((message, account, class), pool, recipients, now, &mut actions);
            }
            Event::Settled { parcel, left } => self.on_settled(parcel, left, now, &mut actions),
            Event::Found { conversation, parcel, hosts } => {
                self.on_found(conversation, parcel, &hosts, now, &mut actions);
            }
            Event::CameTo { conversation, host } => {
                self.on_came_to(conversation, &host, now, &mut actions);
            }
            Event::Reached(conversation) => self.on_reached(conversation, now, &mut actions),
            Event::Complained { conversation, complaint } => {
                self.on_complained(conversation, *complaint, now, dice, &mut actions);
            }
            Event::Broke(conversation) => self.on_broke(conversation),
            Event::Unreached { conversation, parcel, fault } => {
                self.on_unreached(conversation, parcel, fault, now, dice, &mut actions);
            }
            Event::Free { conversation, open } => self.on_free(conversation, open, now, &mut actions),
            Event::Ended(conversation) => self.on_ended(conversation, now, &mut actions),
            Event::Held(message, reason) => self.on_held(message, reason, now, &mut actions),
            Event::Released(message) => self.on_released(message, now, &mut actions),
            Event::Retried(message) => self.on_retried(message, now, &mut actions),
            Event::Chosen { message, recipients, order } => {
                self.on_chosen(message, &recipients, &order, now, &mut actions);
            }
            Event::Resumed(site) => self.on_resumed(&site, now, &mut actions),
            Event::SourceResumed(source) => self.on_source_resumed(source, now),
            Event::Blocked { conversation, parcel, recipients } => {
                self.on_blocked(conversation, parcel, recipients, now, &mut actions);
            }
            Event::WarmUp { source, order } => self.on_warm_up(source, order, now),
            Event::GivenUp(message, ending) => self.on_given_up(message, &ending, &mut actions),
            Event::Tick => {}
            Event::Stopped => self.stopped = true,
        }
        self.on_time(now, &mut actions);
        self.share(now, &mut actions);
        while self.stir(now, &mut actions) {
            self.share(now, &mut actions);
        }
        actions
    }

    /// When [`Event::Tick`] is to be told next, if nothing happens before.
    pub fn next_due(&mut self) -> Option<Timestamp> {
        while let Some((conversation, until)) = self.idle.front().copied() {
            if self.is_idle(conversation, until) {
                break;
            }
            self.idle.pop_front();
        }
        let idle = self.idle.front().map(|(_, until)| *until);
        let due = self.parcels.next_due().filter(|_| !self.stopped);
        let opens = self.shapers.next_alarm().filter(|_| !self.stopped);
        idle.into_iter().chain(due).chain(opens).min()
    }

    /// Whether anything of this message is live.
    pub fn knows(&self, message: MessageId) -> bool {
        self.parcels.knows(message)
    }

    /// Whether this message is live and all of it is held.
    pub fn is_held(&self, message: MessageId) -> bool {
        let places = self.parcels.of(message);
        !places.is_empty() && places.iter().all(|place| matches!(self.parcels.state(*place), State::Held(_)))
    }

    /// What waits now.
    pub fn depth(&self) -> Depth {
        Depth {
            messages: self.parcels.messages(),
            recipients: self.parcels.recipients,
            due: self.parcels.recipients_ready,
            held: self.parcels.recipients_held,
            conversations: self.conversations.len(),
            idle: self.idle_count,
            suspended: self.shapers.suspended,
            set_aside: self.sending.set_aside(),
            warming: self.sending.warming.as_ref().map_or(0, |warming| warming.count()),
            used_up: self.sending.warming.as_ref().map_or(0, |warming| warming.used_up()),
        }
    }

    fn on_arrived(
        &mut self,
        mail: Mail,
        pool: PoolId,
        recipients: Vec<Addressed>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        if self.parcels.knows(mail.0) {
            return;
        }
        let mut groups: Vec<(Destination, RecipientState, Vec<u16>)> = Vec::new();
        for Addressed { recipient, destination, state } in recipients {
            if state == RecipientState::Settled {
                continue;
            }
            match groups.iter_mut().find(|group| group.0 == destination && group.1 == state) {
                Some(group) => group.2.push(recipient),
                None => groups.push((destination, state, vec![recipient])),
            }
        }
        for (destination, state, recipients) in groups {
            let site = self.place(&destination, pool.into(), now);
            self.admit(mail, site, recipients, &state, now, actions);
        }
    }

    fn insert(&mut self, mail: Mail, site: u32, recipients: Vec<u16>, attempts: u32) -> u32 {
        let record = self.sites.at(site);
        record.parcels += 1;
        record.recipients += recipients.len();
        self.parcels.insert(mail, site, recipients, attempts)
    }

    /// Makes a parcel of recipients that share site and state.
    fn admit(
        &mut self,
        mail: Mail,
        site: u32,
        recipients: Vec<u16>,
        state: &RecipientState,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> u32 {
        let place = self.insert(mail, site, recipients, attempts_of(state));
        match state {
            RecipientState::Waiting { due, .. } if *due <= now => {
                self.parcels.was_due(place, *due);
                self.make_ready(place, now, actions);
            }
            RecipientState::Waiting { due, .. } => self.parcels.wait(place, retry::sane_due(*due, now)),
            RecipientState::Held { reason, .. } => self.parcels.set(place, State::Held(*reason)),
            RecipientState::Settled => unreachable!("the callers leave settled recipients out"),
        }
        place
    }

    fn on_settled(
        &mut self,
        ParcelId(place): ParcelId,
        left: Vec<(u16, RecipientState)>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let State::InFlight(errand) = self.parcels.state(place) else { return };
        self.untried -= usize::from(errand == Errand::FailUntried);
        let record = self.parcels.at(place);
        let (message, site) = (record.message, record.site);
        let mail = (message, record.account, record.class);
        let ending = self.endings.get(&message).cloned();
        let ways_on = self.ways_on(place);
        let mut groups: Vec<(LaneId, RecipientState, Vec<u16>)> = Vec::new();
        for (recipient, state) in left {
            let state = match self.until_ordered(message, recipient, state, now) {
                RecipientState::Settled => continue,
                state => state,
            };
            let lane = ways_on.of(recipient, &state);
            match groups.iter_mut().find(|group| group.0 == lane && group.1 == state) {
                Some(group) => group.2.push(recipient),
                None => groups.push((lane, state, vec![recipient])),
            }
        }
        for (lane, state, recipients) in groups {
            match &ending {
                Some(ending) => {
                    let place = self.insert(mail, site, recipients, attempts_of(&state));
                    self.end(place, ending, actions);
                }
                None => {
                    let site = self.beside(site, lane, now);
                    let place = self.admit(mail, site, recipients, &state, now, actions);
                    if matches!(errand, Errand::Fail | Errand::FailUntried) {
                        self.parcels.waits_for_site(place);
                    }
                }
            }
        }
        self.forget(place);
        self.carry_out_chosen(message, now, actions);
        self.drop_ending(message);
    }

    /// Forgets that a message was given up once nothing of it is in flight.
    fn drop_ending(&mut self, message: MessageId) {
        let flies = |place: &u32| self.is_in_flight(*place);
        if self.endings.contains_key(&message) && !self.parcels.of(message).iter().any(flies) {
            self.endings.remove(&message);
        }
    }

    fn forget(&mut self, place: u32) {
        let record = self.parcels.at(place);
        let (site, recipients) = (record.site, record.recipients().len());
        self.parcels.remove(place);
        let record = self.sites.at(site);
        record.parcels -= 1;
        record.recipients -= recipients;
    }

    fn is_in_flight(&self, place: u32) -> bool {
        matches!(self.parcels.state(place), State::InFlight(_))
    }

    /// Takes a parcel out of the queue of its site, where it stands in one.
    fn withdraw(&mut self, place: u32) {
        if self.parcels.state(place) == State::Ready {
            let site = self.parcels.at(place).site;
            self.sites.at(site).less_ready();
        }
    }

    /// Holds each recipient that there is, so that one that is released afterwards is not held by what was said of the others.
    fn on_held(&mut self, message: MessageId, reason: HoldReason, now: Timestamp, actions: &mut Vec<Action>) {
        let places = self.parcels.of(message).into_iter();
        let recipients: Vec<u16> = places.flat_map(|place| self.parcels.at(place).recipients().to_vec()).collect();
        self.on_chosen(message, &recipients, &Order::Hold(reason), now, actions);
    }

    fn on_released(&mut self, message: MessageId, now: Timestamp, actions: &mut Vec<Action>) {
        if let Some(wanted) = self.chosen.get_mut(&message) {
            wanted.retain(|(_, order)| !matches!(order, Order::Hold(_)));
            if wanted.is_empty() {
                self.chosen.remove(&message);
            }
        }
        for place in self.parcels.of(message) {
            if let State::Held(_) = self.parcels.state(place) {
                self.hurry(place, now, actions);
            }
        }
    }

    fn on_retried(&mut self, message: MessageId, now: Timestamp, actions: &mut Vec<Action>) {
        for place in self.parcels.of(message) {
            if self.parcels.state(place) == State::Waiting {
                self.hurry(place, now, actions);
            }
        }
    }

    /// Makes a parcel due that somebody waits for, and has its site asked again even if that was down.
    fn hurry(&mut self, place: u32, now: Timestamp, actions: &mut Vec<Action>) {
        let site = self.parcels.at(place).site;
        let record = self.sites.at(site);
        if let Some(down) = &mut record.down {
            down.until = now;
        }
        let shaper = record.shaper;
        self.shapers.ask_again(shaper, now);
        self.make_ready(place, now, actions);
    }

    fn on_given_up(&mut self, message: MessageId, ending: &Arc<Ending>, actions: &mut Vec<Action>) {
        for place in self.parcels.of(message) {
            if self.is_in_flight(place) {
                self.endings.insert(message, ending.clone());
            } else {
                self.end(place, ending, actions);
            }
        }
    }

    fn end(&mut self, place: u32, ending: &Arc<Ending>, actions: &mut Vec<Action>) {
        self.withdraw(place);
        self.parcels.set(place, State::InFlight(Errand::End));
        actions.push(Action::End { parcel: self.parcel(place), ending: ending.clone() });
    }

    fn parcel(&self, place: u32) -> Parcel {
        let record = self.parcels.at(place);
        Parcel {
            id: ParcelId(place),
            message: record.message,
            recipients: record.recipients().to_vec(),
            attempts: record.attempts(),
            transaction_recipients: 0,
            due: record.due,
        }
    }

    /// Wakes what is due, and ends what has been idle for long enough.
    fn on_time(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if !self.stopped {
            self.shapers.ring(now);
        }
        while let Some(place) = if self.stopped { None } else { self.parcels.due(now) } {
            self.make_ready(place, now, actions);
        }
        while let Some((conversation, until)) = self.idle.front().copied() {
            let is_idle = self.is_idle(conversation, until);
            if is_idle && until > now && !self.stopped {
                break;
            }
            self.idle.pop_front();
            if is_idle {
                self.close_idle(conversation, actions);
            }
        }
    }
}

fn attempts_of(state: &RecipientState) -> u32 {
    match state {
        RecipientState::Waiting { attempts, .. } | RecipientState::Held { attempts, .. } => *attempts,
        RecipientState::Settled => 0,
    }
}
