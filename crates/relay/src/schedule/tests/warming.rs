//! Warm-ups in simulated time: up, down, over to other sources, and until the next day.

use super::*;
use crate::clock::Day;
use crate::source::tests::source;
use crate::source::{Source, Sources};
use crate::warm_up::{self, Kept, Ladder};

const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

/// The day of the first messages; `START` is within it.
const FIRST_DAY: u64 = START.0 / 86_400_000;

/// A world whose sources are called so; those with `+` warm up, by a ladder of 12, 24 and 48, of which an
/// account that is alone has 9, 18 and 36.
pub(super) fn world(sources: &[&str]) -> World {
    resumed(sources, Kept::default(), START)
}

fn resumed(sources: &[&str], kept: Kept, now: Timestamp) -> World {
    let of =
        |(last, name): (u8, &&str)| Source { warm_up: name.ends_with('+'), ..source(name.trim_end_matches('+'), last) };
    let sources = Sources::new((1..).zip(sources).map(of).collect(), Vec::new()).unwrap();
    let world = World { now, ..World::new(Bounds::default()) };
    let scheduler = world.scheduler.sending_from(Arc::new(sources));
    World { scheduler: scheduler.warming_up(Ladder::new(&[12, 24, 48]).unwrap(), kept), ..world }
}

impl World {
    fn submit(&mut self, message: u128, class: Urgency, domain: &str) {
        self.submit_as(message, (1, class), domain);
    }

    fn submit_as(&mut self, message: u128, from: (u64, Urgency), domain: &str) {
        let due = RecipientState::Waiting { due: self.now, attempts: 0 };
        self.arrive_as(message, from, vec![Addressed { recipient: 0, destination: mx(domain), state: due }]);
    }

    /// Delivers whatever is carried, and defers what is not to be attempted, until nothing goes on; how many went from each
    /// source.
    fn run(&mut self) -> BTreeMap<String, usize> {
        let mut went = BTreeMap::new();
        loop {
            for (parcel, not_before) in std::mem::take(&mut self.failing) {
                assert!(not_before > self.now);
                self.defer(&parcel, not_before);
            }
            let Some(conversation) = self.busy.keys().next().copied() else {
                if self.failing.is_empty() {
                    return went;
                }
                continue;
            };
            *went.entry(self.source_of(conversation)).or_default() += 1;
            self.deliver(conversation);
            self.end_closed();
        }
    }

    fn source_of(&self, conversation: ConversationId) -> String {
        self.scheduler.sending.source(self.from[&conversation]).unwrap().name.clone()
    }

    /// The same for so many new messages.
    fn send_all(&mut self, messages: std::ops::Range<u128>, class: Urgency, domain: &str) -> BTreeMap<String, usize> {
        messages.for_each(|message| self.submit(message, class, domain));
        self.run()
    }

    fn climb(&self, source: &str, provider: &str) -> ClimbState {
        let state = self.scheduler.sources(self.now).into_iter().find(|state| state.source.name == source).unwrap();
        state.warm_up.unwrap().climbs.into_iter().find(|climb| &*climb.provider == provider).unwrap()
    }

    pub(super) fn order(&mut self, source: &str, order: warm_up::Order) {
        let source = self.scheduler.sending.sources().source_named(source).unwrap();
        self.tell(Event::WarmUp { source, order });
    }

    fn next_day(&mut self) {
        self.now = Timestamp((self.now.0 / 86_400_000 + 1) * 86_400_000);
        self.tell(Event::Tick);
        self.end_closed();
    }
}

fn counts(went: &BTreeMap<String, usize>) -> Vec<(&str, usize)> {
    went.iter().map(|(name, count)| (name.as_str(), *count)).collect()
}

#[test]
fn a_source_climbs_from_the_first_rung_until_it_is_warm() {
    let mut world = world(&["new+"]);
    // three quarters
    for (day, goes) in [9, 18, 36].into_iter().enumerate() {
        let first = day as u128 * 1000;
        let went = world.send_all(first..first + 100, Urgency::Normal, "one.example");
        assert_eq!(counts(&went), [("new", goes)], "day {day}");
        assert_eq!(world.scheduler.depth().used_up, 1);
        let climb = world.climb("new", warm_up::OTHERS);
        assert_eq!(
            (climb.rung as usize, climb.goes_on_at),
            (day + 1, Some(Timestamp((FIRST_DAY + day as u64 + 1) * 86_400_000)))
        );
        for waiting in 0..world.scheduler.parcels.places() {
            // what waits for the next day is not wanted here
            let message = world.scheduler.parcels.at(waiting).message;
            world.tell(Event::GivenUp(message, Arc::new(Ending::Cancelled("operator".into()))));
        }
        for parcel in std::mem::take(&mut world.ending) {
            world.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
        }
        world.next_day();
    }
    assert_eq!(world.climb("new", warm_up::OTHERS).allowance, None);
    assert_eq!(counts(&world.send_all(5000..5500, Urgency::Normal, "one.example")), [("new", 500)]);
}

#[test]
fn what_is_beyond_the_allowance_waits_for_the_next_day_with_the_reason_and_then_goes() {
    let mut world = world(&["new+"]);
    for message in 0..20 {
        world.submit(message, Urgency::Normal, "one.example");
    }
    let mut reasons = Vec::new();
    while let Some(conversation) = world.busy.keys().next().copied() {
        world.deliver(conversation);
        world.end_closed();
    }
    let fault = world.scheduler.left_alone(0, Some(Id::new(1)), world.now).unwrap();
    reasons.push(crate::outcome::told(&fault.1.finding));
    let midnight = Timestamp((FIRST_DAY + 1) * 86_400_000);
    assert_eq!(fault.0, midnight);
    let (class, words) = reasons.remove(0);
    assert_eq!(class, Some(Class::RelayWarmUp));
    assert_eq!(
        words,
        "The relay's address new is warming up at smaller providers together, and has carried what it may of this account's \
         mail today. It goes on at 00:00 UTC.",
        "nothing of what others sent"
    );
    assert_eq!(fault.1.attempt.source.as_deref(), Some("new"));
    assert!(world.failing.iter().all(|(_, not_before)| *not_before == midnight));
    assert!(world.run().is_empty());
    assert_eq!(world.scheduler.depth().recipients, 11);
    // nothing waits longer than that without being looked at
    let looked_at = world.now.after(retry::DELAY_MAX);
    world.pass(Bounds::default().idle_kept);
    world.end_closed();
    assert_eq!(world.scheduler.next_due(), Some(looked_at));
    world.pass(looked_at.since(world.now));
    assert!(world.run().is_empty());
    world.next_day();
    assert_eq!(counts(&world.run()), [("new", 11)]);
}

#[test]
fn urgent_mail_has_a_part_of_its_own() {
    let mut world = world(&["new+"]);
    assert_eq!(counts(&world.send_all(0..30, Urgency::Normal, "one.example")), [("new", 9)]);
    assert_eq!(counts(&world.send_all(100..102, Urgency::High, "one.example")), [("new", 1)], "and no more than that");
    assert_eq!(counts(&world.send_all(200..202, Urgency::High, "two.example")), [], "small providers share");
    world.next_day();
    // of 24, of which 3 are for urgent ones alone, and one of these for those of others
    assert_eq!(counts(&world.run()), [("new", 18)], "21 others wait, and the three urgent ones go first");
    assert_eq!(counts(&world.send_all(300..310, Urgency::High, "one.example")), [("new", 2)]);
}

#[test]
fn what_a_new_source_may_not_carry_goes_from_those_that_are_warm() {
    let mut world = world(&["new+", "old"]);
    let went = world.send_all(0..100, Urgency::Normal, "one.example");
    assert_eq!(counts(&went), [("new", 9), ("old", 91)]);
    world.next_day();
    let went = world.send_all(200..300, Urgency::Normal, "one.example");
    assert_eq!(counts(&went), [("new", 18), ("old", 82)], "it climbed, and the weights hold until then");
}

#[test]
fn each_named_provider_has_a_ladder_of_its_own() {
    let mut world = world(&["new+"]);
    world.hosts = 0;
    let icloud = Destination::Mx { domain: "icloud.example".into() };
    let due = RecipientState::Waiting { due: world.now, attempts: 0 };
    world.named_host = Some("mx1.mail.icloud.com".into());
    for message in 0..30 {
        let recipient = Addressed { recipient: 0, destination: icloud.clone(), state: due.clone() };
        world.arrive(message, 1, vec![recipient]);
    }
    assert_eq!(counts(&world.run()), [("new", 9)]);
    world.named_host = None;
    assert_eq!(counts(&world.send_all(100..130, Urgency::Normal, "one.example")), [("new", 9)]);
    assert_eq!((world.climb("new", "icloud").sent, world.climb("new", warm_up::OTHERS).sent), (9, 9));
    assert_eq!(world.scheduler.depth().used_up, 2);
}

#[test]
fn a_block_leads_one_rung_down_at_once_and_objections_by_the_next_day() {
    let mut world = world(&["new+"]);
    world.named_host = Some("mx1.mail.icloud.com".into());
    world.send_all(0..9, Urgency::Normal, "one.example");
    world.next_day();
    assert_eq!(world.climb("new", "icloud").rung, 2);
    world.submit(100, Urgency::Normal, "one.example");
    let conversation = world.first_busy();
    let parcel = world.busy.remove(&conversation).unwrap();
    world.tell(complaint(conversation, SiteAction::Suspend, 1, true));
    world.tell(Event::Unreached { conversation, parcel: parcel.id, fault: fault() });
    let climb = world.climb("new", "icloud");
    assert_eq!((climb.rung, climb.blocked, climb.sent), (1, true, 0), "nobody was offered anything");
    world.next_day();
    assert_eq!(world.climb("new", "icloud").rung, 1, "a day with a block leads no further");
    for (parcel, not_before) in std::mem::take(&mut world.failing) {
        world.defer(&parcel, not_before);
    }
    world.pass(HOUR);
    world.run();
    world.send_all(200..208, Urgency::Normal, "two.example");
    world.next_day();
    assert_eq!(world.climb("new", "icloud").rung, 2);
    for message in 300..305 {
        world.submit(message, Urgency::Normal, "three.example");
    }
    while let Some(conversation) = world.busy.keys().next().copied() {
        world.complain(conversation, SiteAction::SendSlower, 1);
        world.end_closed();
    }
    assert_eq!(world.climb("new", "icloud").rung, 2);
    world.next_day();
    assert_eq!(world.climb("new", "icloud").rung, 1);
}

#[test]
fn counts_and_rungs_come_through_a_restart() {
    let mut world = world(&["new+"]);
    world.send_all(0..9, Urgency::Normal, "one.example");
    world.next_day();
    world.send_all(100..105, Urgency::Normal, "one.example");
    let climbs = world.scheduler.warm_ups_to_keep();
    assert_eq!(climbs.iter().map(|kept| (kept.climb.rung, kept.climb.sent)).collect::<Vec<_>>(), [(1, 5)]);
    assert!(world.scheduler.warm_ups_to_keep().is_empty(), "nothing changed since");
    world.scheduler.warm_ups_not_kept(&climbs);
    assert_eq!(world.scheduler.warm_ups_to_keep(), climbs);
    let kept = Kept { climbs, stopped: Vec::new() };
    let mut next = resumed(&["new+", "other+"], kept.clone(), world.now);
    assert_eq!(counts(&next.send_all(200..240, Urgency::Normal, "one.example")), [("new", 13), ("other", 9)]);
    let mut later = resumed(&["new+"], kept.clone(), world.now.after(2 * DAY));
    assert_eq!(
        later.send_all(200..240, Urgency::Normal, "one.example")["new"],
        18,
        "the day was not full enough to climb"
    );
    let mut stopped = resumed(&["new+"], Kept { stopped: vec!["new".into()], ..kept }, world.now);
    assert_eq!(counts(&stopped.send_all(200..240, Urgency::Normal, "one.example")), [("new", 40)]);
}

#[test]
fn the_operator_stops_a_warm_up_and_begins_it_again() {
    let mut world = world(&["new+"]);
    world.send_all(0..30, Urgency::Normal, "one.example");
    assert_eq!((world.scheduler.depth().warming, world.scheduler.depth().recipients), (1, 21));
    world.order("new", warm_up::Order::Stop);
    assert_eq!(counts(&world.run()), [("new", 21)], "what waited goes at once");
    let depth = world.scheduler.depth();
    assert_eq!((depth.warming, depth.used_up), (0, 0));
    world.order("new", warm_up::Order::Start);
    assert_eq!(world.climb("new", warm_up::OTHERS).sent, 0);
    assert_eq!(counts(&world.send_all(100..130, Urgency::Normal, "one.example")), [("new", 9)]);
}

/// How many of an account's messages are delivered where it sends so many.
fn goes(world: &mut World, (account, class): (u64, Urgency), messages: std::ops::Range<u128>) -> usize {
    messages.for_each(|message| world.submit_as(message, (account, class), "one.example"));
    world.run().into_values().sum()
}

#[test]
fn an_account_that_has_used_up_a_day_leaves_others_theirs_and_hears_nothing_of_them() {
    let mut world = world(&["new+"]);
    assert_eq!(goes(&mut world, (1, Urgency::Normal), 0..100), 9, "of 12 three quarters");
    assert_eq!(goes(&mut world, (2, Urgency::Normal), 200..203), 1, "the one that is left for others than it");
    assert_eq!(world.scheduler.depth().messages, 93);
    assert_eq!(goes(&mut world, (1, Urgency::High), 300..310), 1, "of two for urgent mail");
    assert_eq!(goes(&mut world, (2, Urgency::High), 400..410), 1);
    assert_eq!(world.climb("new", warm_up::OTHERS).sent, 12);
    assert_eq!(goes(&mut world, (3, Urgency::High), 500..501), 0, "and no more than the day has");
}

#[test]
fn mail_of_one_account_that_has_had_its_part_is_deferred_while_that_of_another_goes() {
    let mut world = world(&["new+"]);
    for message in 0..50 {
        world.submit_as(message, (1, Urgency::Normal), "one.example");
        world.submit_as(100 + message, (2, Urgency::Normal), "one.example");
    }
    let went = world.run().into_values().sum::<usize>();
    assert_eq!(
        (went, world.scheduler.depth().due),
        (9, 0),
        "both have had more than is left, and wait for the next day"
    );
    world.submit_as(200, (3, Urgency::Normal), "one.example");
    assert_eq!(world.busy.values().map(|parcel| parcel.message).collect::<Vec<_>>(), [MessageId(200)]);
    // what is due again meanwhile is not handed to the conversation that the third has
    world.tell(Event::Retried(MessageId(49)));
    assert!(world.failing.iter().any(|(parcel, until)| {
        (parcel.message, *until) == (MessageId(49), Timestamp((FIRST_DAY + 1) * 86_400_000))
    }));
    assert_eq!(world.run().into_values().sum::<usize>(), 1);
}

#[test]
fn what_one_account_may_not_send_from_a_new_source_goes_from_a_warm_one_and_the_others_does_not() {
    let mut world = world(&["new+", "old"]);
    let went = world.send_all(0..100, Urgency::Normal, "one.example");
    assert_eq!(counts(&went), [("new", 9), ("old", 91)]);
    world.submit_as(200, (2, Urgency::Normal), "one.example");
    world.submit_as(201, (2, Urgency::Normal), "two.example");
    let went = world.run();
    assert_eq!(went.values().sum::<usize>(), 2);
    assert!(went.get("new").is_none_or(|new| *new == 1), "{went:?}");
}

#[test]
fn a_route_is_exempt() {
    let mut world = world(&["new+"]);
    for message in 0..30 {
        let state = RecipientState::Waiting { due: world.now, attempts: 0 };
        let destination = Destination::Route { index: 0 };
        world.arrive(message, 1, vec![Addressed { recipient: 0, destination, state }]);
    }
    assert_eq!(counts(&world.run()), [("new", 30)]);
}

#[test]
fn what_nobody_was_offered_counts_for_nothing() {
    let mut world = world(&["new+"]);
    for message in 0..5 {
        world.submit(message, Urgency::Normal, &format!("dead{message}.example"));
    }
    for conversation in world.busy.keys().copied().collect::<Vec<_>>() {
        world.unreached(conversation);
    }
    assert_eq!(world.climb("new", warm_up::OTHERS).sent, 0);
    world.run();
    assert_eq!(goes(&mut world, (1, Urgency::Normal), 100..200), 9);
    world.submit_as(200, (2, Urgency::Normal), "down.example");
    world.unreached(world.first_busy());
    world.run();
    assert_eq!(goes(&mut world, (2, Urgency::Normal), 201..203), 1, "nor to the account");
}

#[test]
fn what_was_offered_to_nobody_after_midnight_is_not_taken_from_the_new_day() {
    let mut world = world(&["new+"]);
    world.submit(1, Urgency::Normal, "dead.example");
    let over_midnight = world.first_busy();
    assert_eq!(world.climb("new", warm_up::OTHERS).sent, 1);
    world.next_day();
    world.submit(2, Urgency::Normal, "one.example");
    let today = *world.busy.keys().next_back().unwrap();
    world.deliver(today);
    world.unreached(over_midnight);
    assert_eq!(world.climb("new", warm_up::OTHERS).sent, 1, "today's was offered");
    for (parcel, _) in std::mem::take(&mut world.failing) {
        world.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
    }
    assert_eq!(counts(&world.send_all(100..130, Urgency::Normal, "one.example")), [("new", 8)], "the day has no more");
}

#[test]
fn urgent_mail_that_one_source_is_refused_for_goes_by_what_is_kept_for_it_at_another() {
    let mut world = world(&["new+", "old"]);
    assert_eq!(counts(&world.send_all(0..100, Urgency::Normal, "one.example")), [("new", 9), ("old", 91)]);
    let mut refuse = |message: u128, class| {
        world.submit(message, class, "one.example");
        let conversation = world.first_busy();
        assert_eq!(world.source_of(conversation), "old", "while that is open");
        let goes_on = world.refuse_for_good(conversation, false);
        (goes_on, world.run().into_keys().next())
    };
    assert_eq!(refuse(200, Urgency::Normal), (false, None), "the rest is for urgent mail alone");
    assert_eq!(refuse(201, Urgency::High), (true, Some("new".to_owned())));
    assert_eq!(refuse(202, Urgency::High), (false, None), "one of ten was kept");
    let climb = world.climb("new", warm_up::OTHERS);
    assert_eq!((climb.sent, climb.allowance, world.scheduler.depth().messages), (10, Some(12), 0));
}

#[test]
fn counts_of_a_day_to_come_are_todays_and_the_source_climbs_from_there() {
    let climb = |days| warm_up::Climb { rung: 1, sent: 5, ..warm_up::Climb::first(Day(FIRST_DAY + days)) };
    let of = |days| warm_up::KeptClimb { source: "new".into(), provider: warm_up::OTHERS.into(), climb: climb(days) };
    for days in [1, 300] {
        let kept = Kept { climbs: vec![of(days)], stopped: Vec::new() };
        let mut world = resumed(&["new+"], kept, START);
        assert_eq!(counts(&world.send_all(0..60, Urgency::Normal, "one.example")), [("new", 13)], "of 18, {days}");
        assert_eq!(world.climb("new", warm_up::OTHERS).rung, 2, "{days}");
        world.next_day();
        assert_eq!(world.climb("new", warm_up::OTHERS).rung, 3, "{days}");
        assert_eq!(counts(&world.run()), [("new", 36)], "{days}");
    }
}

#[test]
fn a_clock_that_is_ahead_for_a_while_leads_up_once_and_stops_nothing() {
    let mut world = world(&["new+"]);
    assert_eq!(counts(&world.send_all(0..9, Urgency::Normal, "one.example")), [("new", 9)]);
    let before = world.now;
    world.pass(300 * DAY);
    world.end_closed();
    assert_eq!(counts(&world.send_all(100..118, Urgency::Normal, "one.example")), [("new", 18)]);
    world.now = before;
    assert!(world.send_all(200..220, Urgency::Normal, "one.example").is_empty(), "what went counts");
    assert_eq!(world.climb("new", warm_up::OTHERS).rung, 2);
    world.next_day();
    assert_eq!(world.climb("new", warm_up::OTHERS).rung, 3, "and not 300 days later");
    assert_eq!(counts(&world.run()), [("new", 20)]);
}

#[test]
fn a_day_that_begins_twice_leads_up_once() {
    let mut world = world(&["new+"]);
    world.send_all(0..9, Urgency::Normal, "one.example");
    // a leap second, and a clock that is set
    for (first, back) in [(100, 1_000), (300, 600_000)] {
        world.next_day();
        world.send_all(first..first + 100, Urgency::Normal, "one.example");
        let used_up = world.climb("new", warm_up::OTHERS);
        world.now = Timestamp(world.now.0 - back);
        world.tell(Event::Tick);
        world.next_day();
        let again = world.send_all(first + 100..first + 110, Urgency::Normal, "one.example");
        assert!(again.is_empty(), "the day has no second allowance: {again:?}");
        assert_eq!(world.climb("new", warm_up::OTHERS), used_up);
    }
    world.next_day();
    assert_eq!(world.climb("new", warm_up::OTHERS).allowance, None, "each day that was used has led up by one");
}
