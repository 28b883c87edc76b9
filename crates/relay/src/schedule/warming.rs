//! Warm-ups at work: which source may carry one more message of an account to which provider today, what is counted of that, and
//! what the operator sees of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::lanes::LaneId;
use super::shapers::Shaper;
use super::{Action, ConversationId, Fault, Scheduler};
use crate::account::Account;
use crate::clock::{Day, Timestamp};
use crate::id::Id;
use crate::outcome::{Failure, Finding, WarmingUp};
use crate::priority::Class;
use crate::queue::{Attempt, RecipientState};
use crate::shaping::Providers;
use crate::source::{SourceId, Sources};
use crate::warm_up::{self, Climb, Had, Kept, KeptClimb, Ladder, OTHERS, Order};

/// By how much a clock may go back over midnight and have the day that had begun go on when that comes again: once more after a
/// leap second, say. One that was further ahead had begun a day which is still to come.
const STEPPED_BACK_MAX: Duration = Duration::from_secs(3600);

/// How far a source has come with one provider.
#[derive(Debug)]
struct Step {
    climb: Climb,
    /// What accounts have had of that day.
    had: Had,
    /// Since it was last kept.
    changed: bool,
}

impl Step {
    fn at(climb: Climb, changed: bool) -> Step {
        Step { climb, had: Had::default(), changed }
    }
}

/// One source's.
#[derive(Debug, Default)]
struct WarmUp {
    is_stopped: bool,
    climbs: BTreeMap<Arc<str>, Step>,
}

/// Those of all sources that have one.
#[derive(Debug)]
pub(super) struct Warming {
    ladder: Ladder,
    /// Those whose names climb on their own: no more than the rules have.
    providers: Arc<Providers>,
    /// By the source's place; none of one that was never to warm up.
    sources: Vec<Option<WarmUp>>,
    /// What the clock said last, and the day that it was.
    now: Timestamp,
    day: Day,
    /// The day that a clock left which went back a little.
    left: Option<Day>,
    used_up: usize,
}

impl Warming {
    /// Those of the sources that are to warm up, as far as they have come; none where no source is.
    pub(super) fn new(ladder: Ladder, providers: Arc<Providers>, sources: &Sources, kept: Kept) -> Option<Box<Self>> {
        let warm_up = |(_, source): (SourceId, &Arc<crate::source::Source>)| {
            source.warm_up.then(|| WarmUp { is_stopped: kept.stopped.contains(&source.name), ..WarmUp::default() })
        };
        let warm_ups: Vec<_> = sources.iter().map(warm_up).collect();
        if warm_ups.iter().all(Option::is_none) {
            return None;
        }
        let (now, day, left) = (Timestamp(0), Day(0), None);
        let mut warming = Warming { ladder, providers, sources: warm_ups, now, day, left, used_up: 0 };
        for KeptClimb { source, provider, climb } in kept.climbs {
            let is_known = provider == OTHERS || warming.providers.is_named(&provider);
            let source = sources.source_named(&source).filter(|_| is_known);
            if let Some(warm_up) = source.and_then(|source| warming.sources.get_mut(source.place())?.as_mut()) {
                warm_up.climbs.insert(provider.into(), Step::at(climb, false));
            }
        }
        warming.count_used_up();
        Some(Box::new(warming))
    }

    /// How many sources warm up.
    pub(super) fn count(&self) -> usize {
        self.sources.iter().flatten().filter(|warm_up| !warm_up.is_stopped).count()
    }

    /// How many pairs of a source and a provider have used up what the day allows, but for what is kept.
    pub(super) fn used_up(&self) -> usize {
        self.used_up
    }

    fn count_used_up(&mut self) {
        let going = self.sources.iter().flatten().filter(|warm_up| !warm_up.is_stopped);
        let steps = going.flat_map(|warm_up| warm_up.climbs.values());
        self.used_up = steps.filter(|step| step.climb.is_used_up(&self.ladder, &step.had)).count();
    }

    /// A new day begins, where one does: each climbs, stays or goes down by the last. After a clock that was ahead what it counted
    /// is today's, and no day leads up twice that begins again because the clock went back over midnight.
    pub(super) fn begin(&mut self, now: Timestamp) {
        let (before, today) = (std::mem::replace(&mut self.now, now), now.day());
        if today == self.day {
            return;
        }
        if today < self.day {
            self.left = (before.since(now) <= STEPPED_BACK_MAX).then_some(self.day);
        }
        self.day = today;
        let goes_on = self.left == Some(today);
        for (provider, step) in self.sources.iter_mut().flatten().flat_map(|warm_up| &mut warm_up.climbs) {
            let next = match goes_on || step.climb.day > today {
                true => Climb { day: today, ..step.climb },
                false => step.climb.on(&self.ladder, today, provider),
            };
            step.changed |= next != step.climb;
            if next.sent == 0 {
                step.had = Had::default();
            }
            step.climb = next;
        }
        self.count_used_up();
    }

    /// Under which name a site climbs.
    fn provider<'a>(&self, site: &'a str) -> &'a str {
        if self.providers.is_named(site) { site } else { OTHERS }
    }

    fn going(&self, source: SourceId) -> Option<&WarmUp> {
        self.sources.get(source.place())?.as_ref().filter(|warm_up| !warm_up.is_stopped)
    }

    /// Whether a source may carry one more message of whom it is about to a site.
    pub(super) fn has_room(&self, source: SourceId, site: &Shaper, toward: Toward) -> bool {
        // who has carried nothing yet has room
        let step = self.going(source).and_then(|warm_up| warm_up.climbs.get(self.provider(&site.name)));
        step.is_none_or(|step| step.climb.has_room(&self.ladder, &step.had, toward.account, toward.urgent))
    }

    /// Changes how far a source has come with the provider of a site, where it is not warm yet.
    fn change(&mut self, source: SourceId, site: &str, change: impl FnOnce(&mut Step, &str)) {
        let (provider, day) = (self.provider(site), self.day);
        let warm_up = self.sources.get_mut(source.place()).and_then(Option::as_mut);
        let Some(warm_up) = warm_up.filter(|warm_up| !warm_up.is_stopped) else { return };
        if !warm_up.climbs.contains_key(provider) {
            warm_up.climbs.insert(provider.into(), Step::at(Climb::first(day), false));
        }
        let Some(step) = warm_up.climbs.get_mut(provider) else { return };
        if step.climb.allowance(&self.ladder).is_none() {
            return;
        }
        let was_used_up = step.climb.is_used_up(&self.ladder, &step.had);
        change(step, provider);
        step.changed = true;
        match (was_used_up, step.climb.is_used_up(&self.ladder, &step.had)) {
            (false, true) => self.used_up += 1,
            (true, false) => self.used_up -= 1,
            _ => {}
        }
    }

    fn ordered(&mut self, source: SourceId, order: Order) {
        let day = self.day;
        let Some(warm_up) = self.sources.get_mut(source.place()).and_then(Option::as_mut) else { return };
        warm_up.is_stopped = order == Order::Stop;
        if order == Order::Start {
            for step in warm_up.climbs.values_mut() {
                *step = Step::at(Climb::first(day), true);
            }
        }
        self.count_used_up();
    }

    fn state(&self, source: SourceId, now: Timestamp) -> Option<WarmUpState> {
        let warm_up = self.sources.get(source.place())?.as_ref()?;
        let rungs = self.ladder.rungs();
        let climbs = warm_up.climbs.iter().map(|(provider, step)| {
            let climb = step.climb.on(&self.ladder, now.day(), provider);
            let is_used_up = !warm_up.is_stopped && climb.is_used_up(&self.ladder, &step.had);
            ClimbState {
                provider: Arc::clone(provider),
                rung: climb.rung.saturating_add(1).min(rungs),
                rungs,
                allowance: climb.allowance(&self.ladder),
                sent: climb.sent,
                objections: climb.objections,
                blocked: climb.blocked,
                goes_on_at: is_used_up.then(|| warm_up::next_day(now)),
            }
        });
        Some(WarmUpState { is_stopped: warm_up.is_stopped, climbs: climbs.collect() })
    }
}

impl Scheduler {
    /// Lets the sources that are to warm up do so by this ladder, from where they had come; before anything else is told, and
    /// after the sources are.
    #[must_use]
    pub fn warming_up(mut self, ladder: Ladder, kept: Kept) -> Self {
        let providers = Arc::clone(&self.providers);
        self.sending.warming = Warming::new(ladder, providers, self.sending.sources(), kept);
        self
    }

    /// Counts what the site of a shaper says to a conversation for its source's warm-up.
    pub(super) fn count_for_warm_up(&mut self, conversation: ConversationId, count: impl FnOnce(&mut Climb, &str)) {
        self.change_step(conversation, |step, provider, _| count(&mut step.climb, provider));
    }

    /// Changes the step that a conversation counts for, which is told whether its lane has what is kept for urgent mail.
    fn change_step(&mut self, conversation: ConversationId, change: impl FnOnce(&mut Step, &str, bool)) {
        let Some(warming) = &mut self.sending.warming else { return };
        let Some(known) = self.conversations.get(&conversation) else { return };
        let site = self.sites.get(known.site);
        if let (Some(source), Some(shaper)) = (known.source, self.shapers.get(known.shaper))
            && !site.destination.is_route()
        {
            let urgent = self.sending.lanes.is_urgent(site.lane);
            warming.change(source, &shaper.name, |step, provider| change(step, provider, urgent));
        }
    }

    /// One more message of an account is handed to a conversation.
    pub(super) fn warm_up_offers(&mut self, conversation: ConversationId, account: Id<Account>) {
        self.change_step(conversation, |step, _, urgent| {
            step.climb.sent = step.climb.sent.saturating_add(1);
            step.had.take(account, urgent);
        });
    }

    /// What a conversation was handed last, of an account, was offered to nobody. What was counted on another day is that day's.
    pub(super) fn warm_up_spares(&mut self, conversation: ConversationId, account: Id<Account>) {
        let counted_on = self.conversations.get(&conversation).map(|known| known.begun.day());
        self.change_step(conversation, |step, _, urgent| {
            if counted_on == Some(step.climb.day) {
                step.climb.sent = step.climb.sent.saturating_sub(1);
                step.had.give_back(account, urgent);
            }
        });
    }

    /// The first account whose due mail a destination is left alone with while others' goes: it has had its part of a day.
    pub(super) fn with_its_part_gone(&self, place: u32, now: Timestamp) -> Option<Id<Account>> {
        self.sending.warming.as_ref()?;
        let mut accounts = self.sites.get(place).accounts().into_iter();
        accounts.find(|account| self.is_left_alone(place, Some(*account), now))
    }

    /// Why a source that warms up carries nothing more to a destination today, and when it goes on. Not how much it has carried:
    /// accounts read it, and what others sent is not theirs to know.
    pub(super) fn used_up(&self, source: SourceId, place: u32, now: Timestamp) -> Option<Arc<Fault>> {
        let warming = self.sending.warming.as_ref()?;
        let shaper = self.shapers.get(self.sites.get(place).shaper)?;
        let name = self.sending.source(source)?.name.clone();
        let provider = warming.provider(&shaper.name).to_owned();
        let finding = Finding::Failed(Failure::WarmingUp(Box::new(WarmingUp { source: name.clone(), provider })));
        Some(Arc::new(Fault { finding, attempt: Attempt::unasked(now, Some(name)) }))
    }

    /// Lets urgent mail, which was taken out of the queue of a destination that is left alone, go by what warm-ups keep for it;
    /// whether it does.
    pub(super) fn goes_urgently(&mut self, site: u32, parcel: u32, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        if self.sending.warming.is_none() || self.parcels.at(parcel).class != Class::High {
            return false;
        }
        let Some(lane) = self.sending.lanes.urgent(self.sites.get(site).lane) else { return false };
        let record = self.parcels.at(parcel);
        if self.is_left_alone_by(site, lane, Some(record.account), now) {
            return false;
        }
        let (mail, attempts) = ((record.message, record.account, record.class), record.attempts());
        let (recipients, due) = (record.recipients().to_vec(), record.due.min(now));
        let to = self.beside(site, lane, now);
        self.admit(mail, to, recipients, &RecipientState::Waiting { due, attempts }, now, actions);
        self.forget(parcel);
        true
    }

    pub(super) fn on_warm_up(&mut self, source: SourceId, order: Order, now: Timestamp) {
        if let Some(warming) = &mut self.sending.warming {
            warming.ordered(source, order);
            self.wake_all_from(source, now);
        }
    }

    /// How far warm-ups have come where that has changed since it was last asked. What is then not kept after all is to be given
    /// to [`Scheduler::warm_ups_not_kept`].
    pub fn warm_ups_to_keep(&mut self) -> Vec<KeptClimb> {
        let Some(warming) = &mut self.sending.warming else { return Vec::new() };
        let mut changed = Vec::new();
        for (source, warm_up) in self.sending.sources.iter().map(|(_, source)| source).zip(&mut warming.sources) {
            for (provider, step) in warm_up.iter_mut().flat_map(|warm_up| &mut warm_up.climbs) {
                if std::mem::take(&mut step.changed) {
                    let (source, provider) = (source.name.clone(), provider.to_string());
                    changed.push(KeptClimb { source, provider, climb: step.climb });
                }
            }
        }
        changed
    }

    /// These are to be kept another time.
    pub fn warm_ups_not_kept(&mut self, climbs: &[KeptClimb]) {
        let Some(warming) = &mut self.sending.warming else { return };
        for KeptClimb { source, provider, .. } in climbs {
            let source = self.sending.sources.source_named(source);
            let warm_up = source.and_then(|source| warming.sources.get_mut(source.place())?.as_mut());
            if let Some(step) = warm_up.and_then(|warm_up| warm_up.climbs.get_mut(provider.as_str())) {
                step.changed = true;
            }
        }
    }

    pub(super) fn warm_up_of(&self, source: SourceId, now: Timestamp) -> Option<WarmUpState> {
        self.sending.warming.as_ref()?.state(source, now)
    }

    /// Whether a lane may take what is kept for urgent mail, and whether a destination is exempt from warm-ups.
    pub(super) fn toward(&self, place: u32, lane: LaneId, shaper: u32, account: Option<Id<Account>>) -> Toward {
        let exempt = self.sending.warming.is_none() || self.sites.get(place).destination.is_route();
        Toward { shaper, account, urgent: self.sending.lanes.is_urgent(lane), exempt }
    }
}

/// Where a source is to carry mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Toward {
    pub(super) shaper: u32,
    /// Whose; none: that of an account which has had nothing today, of whom anything is asked that is open to anybody.
    pub(super) account: Option<Id<Account>>,
    /// By a lane for urgent mail.
    pub(super) urgent: bool,
    /// Nothing warms up there.
    pub(super) exempt: bool,
}

/// The warm-up of one source, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmUpState {
    /// It was stopped: the source is treated as warm.
    pub is_stopped: bool,
    /// How far it has come with each provider that it had mail for.
    pub climbs: Vec<ClimbState>,
}

/// How far a source has come with one provider, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClimbState {
    /// The provider's name; [`OTHERS`]: all that no rule names.
    pub provider: Arc<str>,
    /// Its rung, the first is 1.
    pub rung: u32,
    /// How many there are.
    pub rungs: u32,
    /// Messages that it may have today; none: it is warm there.
    pub allowance: Option<u32>,
    /// Messages of today.
    pub sent: u32,
    /// Those of them about which the provider spoke of the source's name or pace.
    pub objections: u32,
    /// Whether the provider blocked it today.
    pub blocked: bool,
    /// When the mail of whoever has had the most goes on, where today's allowance is used up but for what is kept.
    pub goes_on_at: Option<Timestamp>,
}
