//! Warm-ups at work: which source may carry one more message to which provider today, what is counted of that, and what the
//! operator sees of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lanes::LaneId;
use super::{Action, ConversationId, Fault, Scheduler};
use crate::clock::{Day, Timestamp};
use crate::outcome::{Failure, Finding, WarmingUp};
use crate::priority::Class;
use crate::queue::{Attempt, RecipientState};
use crate::shaping::Providers;
use crate::source::{SourceId, Sources};
use crate::warm_up::{self, Climb, Kept, KeptClimb, Ladder, OTHERS, Order};

/// How far a source has come with one provider.
#[derive(Debug)]
struct Step {
    climb: Climb,
    /// Since it was last kept.
    changed: bool,
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
    day: Day,
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
        let mut warming = Warming { ladder, providers, sources: warm_ups, day: Day(0), used_up: 0 };
        for KeptClimb { source, provider, climb } in kept.climbs {
            let is_known = provider == OTHERS || warming.providers.is_named(&provider);
            let source = sources.source_named(&source).filter(|_| is_known);
            if let Some(warm_up) = source.and_then(|source| warming.sources.get_mut(source.place())?.as_mut()) {
                warm_up.climbs.insert(provider.into(), Step { climb, changed: false });
            }
        }
        warming.count_used_up();
        Some(Box::new(warming))
    }

    /// How many sources warm up.
    pub(super) fn count(&self) -> usize {
        self.sources.iter().flatten().filter(|warm_up| !warm_up.is_stopped).count()
    }

    /// How many pairs of a source and a provider have used up what the day allows to other than urgent mail.
    pub(super) fn used_up(&self) -> usize {
        self.used_up
    }

    fn count_used_up(&mut self) {
        let going = self.sources.iter().flatten().filter(|warm_up| !warm_up.is_stopped);
        let steps = going.flat_map(|warm_up| warm_up.climbs.values());
        self.used_up = steps.filter(|step| !step.climb.has_room(&self.ladder, false)).count();
    }

    /// A new day begins, where one does: each climbs, stays or goes down by the last. After a clock that was ahead what it counted
    /// is today's.
    pub(super) fn begin(&mut self, today: Day) {
        if today == self.day {
            return;
        }
        self.day = today;
        for (provider, step) in self.sources.iter_mut().flatten().flat_map(|warm_up| &mut warm_up.climbs) {
            let next = match step.climb.day > today {
                true => Climb { day: today, ..step.climb },
                false => step.climb.on(&self.ladder, today, provider),
            };
            step.changed |= next != step.climb;
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

    /// How far a source that warms up has come with the provider of a site; none: it is no such source.
    fn climb(&self, source: SourceId, site: &str) -> Option<Climb> {
        let warm_up = self.going(source)?;
        Some(warm_up.climbs.get(self.provider(site)).map_or(Climb::first(self.day), |step| step.climb))
    }

    /// Whether a source may carry one more message to a site.
    pub(super) fn has_room(&self, source: SourceId, site: &str, urgent: bool) -> bool {
        self.climb(source, site).is_none_or(|climb| climb.has_room(&self.ladder, urgent))
    }

    /// Changes how far a source has come with the provider of a site, where it is not warm yet.
    fn change(&mut self, source: SourceId, site: &str, change: impl FnOnce(&mut Climb, &str)) {
        let (provider, day) = (self.provider(site), self.day);
        let warm_up = self.sources.get_mut(source.place()).and_then(Option::as_mut);
        let Some(warm_up) = warm_up.filter(|warm_up| !warm_up.is_stopped) else { return };
        if !warm_up.climbs.contains_key(provider) {
            warm_up.climbs.insert(provider.into(), Step { climb: Climb::first(day), changed: false });
        }
        let Some(step) = warm_up.climbs.get_mut(provider) else { return };
        if step.climb.allowance(&self.ladder).is_none() {
            return;
        }
        let had_room = step.climb.has_room(&self.ladder, false);
        change(&mut step.climb, provider);
        step.changed = true;
        match (had_room, step.climb.has_room(&self.ladder, false)) {
            (true, false) => self.used_up += 1,
            (false, true) => self.used_up -= 1,
            _ => {}
        }
    }

    fn ordered(&mut self, source: SourceId, order: Order) {
        let day = self.day;
        let Some(warm_up) = self.sources.get_mut(source.place()).and_then(Option::as_mut) else { return };
        warm_up.is_stopped = order == Order::Stop;
        if order == Order::Start {
            for step in warm_up.climbs.values_mut() {
                *step = Step { climb: Climb::first(day), changed: true };
            }
        }
        self.count_used_up();
    }

    fn state(&self, source: SourceId, now: Timestamp) -> Option<WarmUpState> {
        let warm_up = self.sources.get(source.place())?.as_ref()?;
        let rungs = self.ladder.rungs();
        let climbs = warm_up.climbs.iter().map(|(provider, step)| {
            let climb = step.climb.on(&self.ladder, now.day(), provider);
            let is_used_up = !warm_up.is_stopped && !climb.has_room(&self.ladder, false);
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

    /// What a message to the site of a shaper that a conversation is handed or spared means for its source's warm-up.
    pub(super) fn count_for_warm_up(&mut self, conversation: ConversationId, count: impl FnOnce(&mut Climb, &str)) {
        let Some(warming) = &mut self.sending.warming else { return };
        let Some(known) = self.conversations.get(&conversation) else { return };
        if let (Some(source), Some(shaper)) = (known.source, self.shapers.get(known.shaper))
            && !self.sites.get(known.site).destination.is_route()
        {
            warming.change(source, &shaper.name, count);
        }
    }

    /// One more message is handed to a conversation.
    pub(super) fn warm_up_offers(&mut self, conversation: ConversationId) {
        self.count_for_warm_up(conversation, |climb, _| climb.sent = climb.sent.saturating_add(1));
    }

    /// What a conversation was handed last was offered to nobody. What was counted on another day is that day's.
    pub(super) fn warm_up_spares(&mut self, conversation: ConversationId) {
        let counted_on = self.conversations.get(&conversation).map(|known| known.begun.day());
        self.count_for_warm_up(conversation, |climb, _| {
            climb.sent = climb.sent.saturating_sub(u32::from(counted_on == Some(climb.day)));
        });
    }

    /// Why a source that warms up carries nothing more to a destination today, and when it goes on.
    pub(super) fn used_up(&self, source: SourceId, place: u32, now: Timestamp) -> Option<Arc<Fault>> {
        let warming = self.sending.warming.as_ref()?;
        let shaper = self.shapers.get(self.sites.get(place).shaper)?;
        let climb = warming.climb(source, &shaper.name)?;
        let name = self.sending.source(source)?.name.clone();
        let allowance = climb.allowance(&warming.ladder)?;
        let finding = Finding::Failed(Failure::WarmingUp(Box::new(WarmingUp {
            source: name.clone(),
            provider: warming.provider(&shaper.name).to_owned(),
            sent: climb.sent,
            allowance,
        })));
        Some(Arc::new(Fault { finding, attempt: Attempt::unasked(now, Some(name)) }))
    }

    /// Lets urgent mail, which was taken out of the queue of a destination that is left alone, go by what warm-ups keep for it;
    /// whether it does.
    pub(super) fn goes_urgently(&mut self, site: u32, parcel: u32, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        if self.sending.warming.is_none() || self.parcels.at(parcel).class != Class::High {
            return false;
        }
        let Some(lane) = self.sending.lanes.urgent(self.sites.get(site).lane) else { return false };
        if self.is_left_alone_by(site, lane, now) {
            return false;
        }
        let record = self.parcels.at(parcel);
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
    pub(super) fn toward(&self, place: u32, lane: LaneId, shaper: u32) -> Toward {
        let exempt = self.sending.warming.is_none() || self.sites.get(place).destination.is_route();
        Toward { shaper, urgent: self.sending.lanes.is_urgent(lane), exempt }
    }
}

/// Where a source is to carry mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Toward {
    pub(super) shaper: u32,
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
    /// When mail that is not urgent goes on, where today's allowance is used up.
    pub goes_on_at: Option<Timestamp>,
}
