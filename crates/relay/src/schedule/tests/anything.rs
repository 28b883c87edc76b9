//! The scheduler in a world that does anything at any moment.

use super::*;
use crate::warm_up;
use proptest::prelude::*;

impl Scheduler {
    /// Due parcels that nothing keeps from being handed out; must be empty after every event.
    fn waiting_without_cause(&mut self, now: Timestamp) -> Vec<MessageId> {
        let mut found = Vec::new();
        let most = self.bounds.conversations_max;
        let free = most - self.conversations.len();
        for place in 0..self.parcels.places() {
            let (state, due) = (self.parcels.state(place), self.parcels.at(place).due);
            let overdue = state == State::Waiting && due <= now;
            if state != State::Ready && !overdue {
                continue;
            }
            let record = self.parcels.at(place);
            let (message, account, site) = (record.message, record.account, self.sites.get(record.site));
            let shaper = self.shapers.get(site.shaper);
            let is_shaped = shaper.is_some_and(|shaper| !shaper.has_room(now));
            let is_paced = shaper.is_some_and(|shaper| shaper.is_closed(now));
            let is_kept = !site.may_have(account) || shaper.is_some_and(|shaper| !shaper.may_have(account, now));
            let may = |free| turns::may_take(self.turns.taken(account), free, most);
            let cause = if self.is_left_alone(record.site, Some(account), now) {
                self.untried >= SETTLED_UNTRIED_MAX
            } else if site.idle.is_empty() {
                is_paced || is_kept || is_shaped || !may(free) || !site.has_room()
            } else {
                is_paced || is_kept || !may(free + 1)
            };
            if overdue || !cause {
                found.push(message);
            }
        }
        found
    }
}

#[derive(Clone, Debug)]
enum Step {
    Arrive { account: u64, class: Urgency, recipients: Vec<(u8, u16)> },
    Deliver(usize),
    DeferSome(usize, u16),
    Unreached(usize),
    Break(usize),
    Complain(usize, u8, bool),
    SettleUntried(usize),
    EndClosed,
    Hold(usize),
    Release(usize),
    Retry(usize),
    GiveUp(usize),
    Choose(usize, u8, u8),
    Pass(u32),
    Block(usize),
    WarmUp(bool),
    ComeTo(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..3, 0..Urgency::COUNT, prop::collection::vec((0u8..5, 0u16..300), 1..4)).prop_map(
            |(account, class, recipients)| Step::Arrive { account, class: Urgency::ALL[class], recipients }
        ),
        6 => any::<usize>().prop_map(Step::Deliver),
        3 => (any::<usize>(), 0u16..300).prop_map(|(which, seconds)| Step::DeferSome(which, seconds)),
        2 => any::<usize>().prop_map(Step::Unreached),
        1 => any::<usize>().prop_map(Step::Break),
        2 => (any::<usize>(), 0u8..3, any::<bool>()).prop_map(|(which, what, door)| Step::Complain(which, what, door)),
        4 => any::<usize>().prop_map(Step::SettleUntried),
        3 => Just(Step::EndClosed),
        1 => any::<usize>().prop_map(Step::Hold),
        1 => any::<usize>().prop_map(Step::Release),
        1 => any::<usize>().prop_map(Step::Retry),
        1 => any::<usize>().prop_map(Step::GiveUp),
        2 => (any::<usize>(), 0u8..5, 1u8..8).prop_map(|(which, what, whom)| Step::Choose(which, what, whom)),
        2 => (0u32..400_000).prop_map(Step::Pass),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, strange)| Step::ComeTo(which, strange)),
    ]
}

/// The same, where there are sources.
fn step_from_sources() -> impl Strategy<Value = Step> {
    prop_oneof![
        9 => step(),
        2 => any::<usize>().prop_map(Step::Block),
        1 => any::<bool>().prop_map(Step::WarmUp),
        1 => (0u32..40_000_000).prop_map(Step::Pass),
    ]
}

/// The world, and which recipients have not come to their end.
struct Model {
    world: World,
    live: BTreeSet<(MessageId, u16)>,
    messages: u128,
}

impl Model {
    fn busy(&self, which: usize) -> Option<ConversationId> {
        let count = self.world.busy.len();
        self.world.busy.keys().nth(which.checked_rem(count)?).copied()
    }

    fn message(&self, which: usize) -> MessageId {
        MessageId((which as u128).checked_rem(self.messages).unwrap_or(0))
    }

    fn finish(&mut self, parcel: &Parcel) {
        for recipient in &parcel.recipients {
            assert!(self.live.remove(&(parcel.message, *recipient)), "a recipient ended twice");
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Arrive { account, class, recipients } => self.arrive((account, class), &recipients),
            Step::Deliver(which) => {
                if let Some(conversation) = self.busy(which) {
                    self.finish(&self.world.busy[&conversation].clone());
                    self.world.deliver(conversation);
                }
            }
            Step::DeferSome(which, seconds) => self.defer_some(which, seconds),
            Step::Unreached(which) => {
                if let Some(conversation) = self.busy(which) {
                    self.world.unreached(conversation);
                }
            }
            Step::Break(which) => self.break_off(which),
            Step::Complain(which, what, at_the_door) => self.complain(which, what, at_the_door),
            Step::SettleUntried(which) => self.settle_untried(which),
            Step::EndClosed => self.world.end_closed(),
            Step::Hold(which) => self.world.tell(Event::Held(self.message(which), HoldReason::Operator)),
            Step::Release(which) => self.world.tell(Event::Released(self.message(which))),
            Step::Retry(which) => self.world.tell(Event::Retried(self.message(which))),
            Step::GiveUp(which) => {
                let ending = Arc::new(Ending::Cancelled("operator".into()));
                self.world.tell(Event::GivenUp(self.message(which), ending));
            }
            Step::Choose(which, what, whom) => {
                let order = match what {
                    0 => Order::Hold(HoldReason::Operator),
                    1 => Order::Release,
                    2 => Order::Retry,
                    3 => Order::End(Arc::new(Ending::Cancelled("operator".into()))),
                    _ => Order::Send(mx("0.example")),
                };
                let recipients = (0u16..3).filter(|number| whom & (1 << number) != 0).collect();
                self.world.tell(Event::Chosen { message: self.message(which), recipients, order });
            }
            Step::Block(which) => self.block(which),
            Step::WarmUp(begins) => {
                self.world.order("new", if begins { warm_up::Order::Start } else { warm_up::Order::Stop });
            }
            Step::ComeTo(which, strange) => {
                if let Some(conversation) = self.busy(which) {
                    self.world.come_to(conversation, if strange { "mx.stranger.example" } else { "mx0.example.net" });
                }
            }
            Step::Pass(milliseconds) => self.world.pass(Duration::from_millis(milliseconds.into())),
        }
    }

    fn arrive(&mut self, from: (u64, Urgency), recipients: &[(u8, u16)]) {
        let message = self.messages;
        self.messages += 1;
        let addressed = recipients.iter().enumerate().map(|(number, (site, seconds))| {
            let due = Timestamp(self.world.now.0 + u64::from(*seconds) * 1000);
            let state = RecipientState::Waiting { due, attempts: 0 };
            self.live.insert((MessageId(message), number as u16));
            Addressed { recipient: number as u16, destination: mx(&format!("{site}.example")), state }
        });
        let addressed = addressed.collect();
        self.world.arrive_as(message, from, addressed);
    }

    fn defer_some(&mut self, which: usize, seconds: u16) {
        let Some(conversation) = self.busy(which) else { return };
        let mut parcel = self.world.busy.remove(&conversation).unwrap();
        self.world.tell(Event::Reached(conversation));
        let id = parcel.id;
        let rest = parcel.recipients.split_off(parcel.recipients.len() / 2);
        self.finish(&parcel);
        let due = Timestamp(self.world.now.0 + u64::from(seconds) * 1000);
        self.world.defer(&Parcel { id, recipients: rest, ..parcel }, due);
        self.world.tell(Event::Free { conversation, open: seconds.is_multiple_of(2) });
    }

    fn break_off(&mut self, which: usize) {
        let Some(conversation) = self.busy(which) else { return };
        let parcel = self.world.busy.remove(&conversation).unwrap();
        self.world.tell(Event::Broke(conversation));
        self.world.defer(&parcel, self.world.now.after(Duration::from_secs(60)));
        self.world.tell(Event::Ended(conversation));
    }

    fn complain(&mut self, which: usize, what: u8, at_the_door: bool) {
        let Some(conversation) = self.busy(which) else { return };
        let actions = [SiteAction::FewerConnections, SiteAction::SendSlower, SiteAction::Suspend];
        let action = actions[usize::from(what)];
        if at_the_door {
            self.world.refuse(conversation, action);
        } else {
            self.world.complain(conversation, action, which as u64 % 3);
        }
    }

    fn block(&mut self, which: usize) {
        let Some(conversation) = self.busy(which) else { return };
        let parcel = self.world.busy[&conversation].clone();
        if !self.world.refuse_for_good(conversation, false) {
            self.finish(&parcel);
        }
    }

    /// No more was offered from a source than the day allows; a block lowers that for what went before it.
    fn check_warm_ups(&self) {
        let states = self.world.scheduler.sources(self.world.now);
        for climb in states.into_iter().filter_map(|state| state.warm_up).flat_map(|warm_up| warm_up.climbs) {
            assert!(climb.blocked || climb.allowance.is_none_or(|allowance| climb.sent <= allowance), "{climb:?}");
        }
        assert!(self.world.scheduler.elsewhere.keys().all(|place| self.world.scheduler.is_in_flight(*place)));
    }

    fn settle_untried(&mut self, which: usize) {
        if !self.world.failing.is_empty() {
            let which = which % self.world.failing.len();
            let (parcel, not_before) = self.world.failing.swap_remove(which);
            self.world.defer(&parcel, not_before);
        }
        if let Some(parcel) = self.world.ending.pop() {
            self.finish(&parcel);
            self.world.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
        }
    }

    fn check(&mut self, bounds: Bounds) {
        let scheduler = &mut self.world.scheduler;
        let depth = scheduler.depth();
        assert!(depth.conversations <= bounds.conversations_max);
        for site in 0..5 {
            let destination = mx(&format!("{site}.example"));
            let place = scheduler.place(&destination, LaneId::default(), self.world.now);
            let site = scheduler.sites.at(place);
            assert!(site.conversations <= bounds.site_conversations_max);
            let shaper = scheduler.shapers.get(site.shaper);
            assert!(shaper.is_none_or(|shaper| shaper.conversations <= bounds.site_conversations_max));
        }
        assert_eq!(depth.recipients, self.live.len(), "a recipient was forgotten or doubled");
        assert_eq!(scheduler.waiting_without_cause(self.world.now), []);
        self.check_counts();
        self.check_lists();
        let scheduler = &mut self.world.scheduler;
        let next = scheduler.next_due();
        assert!(next.is_none_or(|next| next > self.world.now), "what is due now was left for later");
    }

    /// What is counted of accounts is what they have: no place is lost, and none is given twice.
    fn check_counts(&self) {
        let scheduler = &self.world.scheduler;
        let carrying = |account| scheduler.conversations.values().filter(move |known| known.account == account);
        for account in (0..3).map(Id::new) {
            assert_eq!(scheduler.turns.taken(account), carrying(Some(account)).count());
            for site in scheduler.sites.iter() {
                let place = scheduler.sites.find(&site.destination, site.lane);
                let here = carrying(Some(account)).filter(|known| Some(known.site) == place).count();
                assert_eq!(site.taken(account), here);
            }
        }
        let busy = self.world.busy.len();
        assert_eq!(scheduler.turns.total(), busy, "whatever is busy carries somebody's mail");
        assert_eq!(scheduler.sites.iter().map(|site| site.ready).sum::<usize>(), scheduler.parcels.ready());
    }

    /// The lists that are threaded through sites and parcels have whom they are of.
    fn check_lists(&self) {
        let Scheduler { parcels, sites, shapers, .. } = &self.world.scheduler;
        let waits = |place: &u32| parcels.at(*place).waits_for_site;
        let mut listed = Vec::new();
        for site in sites.iter() {
            let place = sites.find(&site.destination, site.lane).unwrap();
            if let Some(shaper) = shapers.get(site.shaper) {
                let its = sites.of_shaper(site.shaper);
                assert!(its.contains(&place) && its.len() == shaper.sites, "{its:?}");
            }
            let waiting = parcels.waiting_for(place);
            assert!(waiting.iter().all(|parcel| parcels.at(*parcel).site == place), "{waiting:?}");
            listed.extend(waiting);
        }
        listed.sort_unstable();
        assert!(listed.iter().all(|parcel| parcels.state(*parcel) == State::Waiting), "{listed:?}");
        assert_eq!(listed, (0..parcels.places()).filter(waits).collect::<Vec<_>>());
    }

    /// Lets everything come to its end: each message released, each site up.
    fn drain(&mut self) {
        for message in 0..self.messages {
            self.world.tell(Event::Released(MessageId(message)));
        }
        for _ in 0..100_000 {
            if self.live.is_empty() {
                return;
            }
            if let Some(conversation) = self.busy(0) {
                self.apply(Step::Deliver(0));
                let _ = conversation;
            } else if !self.world.failing.is_empty() || !self.world.ending.is_empty() {
                self.settle_untried(0);
            } else if !self.world.closing.is_empty() {
                self.world.end_closed();
            } else {
                let due = self.world.scheduler.next_due().expect("something is waited for");
                self.world.pass(due.since(self.world.now));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nobody_is_forgotten_no_bound_is_passed_and_nothing_due_waits_without_cause(
        total in 1usize..6, site in 1usize..4, hosts in 0usize..3, steps in prop::collection::vec(step(), 1..120),
    ) {
        let bounds = bounds(total, site);
        let world = World { hosts, ..World::new(bounds) };
        let mut model = Model { world, live: BTreeSet::new(), messages: 0 };
        for step in steps {
            model.apply(step);
            model.check(bounds);
        }
        model.drain();
        prop_assert!(model.live.is_empty(), "left: {:?}", model.live);
        prop_assert!(model.world.scheduler.endings.is_empty() && model.world.scheduler.chosen.is_empty());
        prop_assert_eq!((model.world.scheduler.turns.total(), model.world.scheduler.turns.len()), (0, 0));
    }

    #[test]
    fn nobody_is_forgotten_where_sources_are_blocked_or_new(
        alone in any::<bool>(), hosts in 0usize..3, steps in prop::collection::vec(step_from_sources(), 1..120),
    ) {
        let sources: &[&str] = if alone { &["new+"] } else { &["new+", "old", "other"] };
        let world = World { hosts, ..super::warming::world(sources) };
        let mut model = Model { world, live: BTreeSet::new(), messages: 0 };
        for step in steps {
            model.apply(step);
            prop_assert_eq!(model.world.scheduler.depth().recipients, model.live.len());
            model.check_counts();
            model.check_lists();
            model.check_warm_ups();
        }
        model.drain();
        prop_assert!(model.live.is_empty(), "left: {:?}", model.live);
        prop_assert_eq!((model.world.scheduler.turns.total(), model.world.scheduler.turns.len()), (0, 0));
        prop_assert!(model.world.scheduler.elsewhere.is_empty());
    }
}
