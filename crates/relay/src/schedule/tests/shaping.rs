//! Sites that complain, and domains that share their mail servers, in simulated time.

use super::*;
use crate::shaping::{BLOCKS_OF_ONE, BLOCKS_OF_SEVERAL, Phase, Providers};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// A world of many domains whose mail one set of servers takes.
fn shared(bounds: Bounds) -> World {
    World { hosts: 1, ..World::new(bounds) }
}

impl World {
    pub(super) fn send(&mut self, message: u128, domain: &str) {
        let due = Addressed {
            recipient: 0,
            destination: mx(domain),
            state: RecipientState::Waiting { due: self.now, attempts: 0 },
        };
        // each of its own account: none of them has more than one
        self.arrive(message, 1 + message as u64, vec![due]);
    }

    fn state(&self) -> SiteState {
        self.scheduler.sites(None, 1, false, self.now).remove(0)
    }

    /// Settles whatever is to be settled untried, due when it may be.
    pub(super) fn settle_failing(&mut self) {
        while let Some((parcel, not_before)) = self.failing.pop() {
            self.defer(&parcel, not_before);
        }
    }

    /// Delivers all that is under way, and ends what was told to.
    fn round(&mut self) -> usize {
        let busy: Vec<_> = self.busy.keys().copied().collect();
        for conversation in &busy {
            self.deliver(*conversation);
        }
        self.end_closed();
        busy.len()
    }
}

#[test]
fn domains_at_the_same_servers_share_their_connections() {
    let mut world = shared(bounds(100, 8));
    for message in 0..500 {
        world.send(message, &format!("d{message}.example"));
    }
    assert_eq!(world.busy.len(), 8, "in all, not for each of five hundred domains");
    let state = world.state();
    assert_eq!((state.name.as_str(), state.destination_count, state.recipients), ("mx0.example.net", 500, 500));
    assert_eq!((state.destinations.len(), state.conversations, state.conversations_allowed), (5, 8, 8));
    let mut rounds = 0;
    while world.scheduler.depth().messages > 0 {
        assert!(world.round() > 0, "somebody waits for nothing");
        rounds += 1;
    }
    assert!(rounds <= 500 / 8 + 2, "{rounds} rounds");
}

#[test]
fn a_domain_with_much_mail_keeps_no_neighbour_waiting() {
    let mut world = shared(bounds(100, 2));
    for message in 0..1000 {
        world.send(message, "busy.example");
    }
    world.send(5000, "small.example");
    let mut rounds = 0;
    while world.busy.values().all(|parcel| parcel.message != MessageId(5000)) {
        world.round();
        rounds += 1;
        assert!(rounds <= 2 * PARCELS_IN_A_ROW_MAX, "the small one is starved");
    }
}

#[test]
fn an_idle_conversation_gives_way_to_a_neighbour() {
    let mut world = shared(bounds(100, 1));
    world.send(1, "a.example");
    world.deliver(world.first_busy());
    world.send(2, "b.example");
    assert_eq!(world.closing.len(), 1);
    world.end_closed();
    assert_eq!(world.busy.len(), 1);
}

#[test]
fn too_many_connections_are_halved_and_come_back_one_by_one() {
    let mut world = World::new(bounds(100, 8));
    for message in 0..2000 {
        world.send(message, "a.example");
    }
    while world.busy.len() < 8 {
        world.deliver(world.first_busy());
    }
    world.pass(MINUTE);
    // all eight hear it, of which one thing follows
    for conversation in world.busy.keys().copied().collect::<Vec<_>>() {
        world.complain(conversation, SiteAction::FewerConnections, 1);
        world.end_closed();
    }
    assert_eq!((world.state().conversations_allowed, world.busy.len()), (4, 4));
    assert_eq!(world.state().said.unwrap().text, "550 5.7.1 go away");
    let mut allowed = Vec::new();
    for _ in 0..6 {
        world.pass(MINUTE);
        world.round();
        allowed.push(world.state().conversations_allowed);
    }
    // what was under way when it complained proves nothing
    assert_eq!(allowed, [4, 5, 6, 7, 8, 8]);
    assert_eq!((world.state().phase, world.state().said), (Phase::Open, None));
}

#[test]
fn too_fast_is_a_pause_then_half_the_pace_then_as_before() {
    let mut world = World::new(bounds(100, 4));
    for message in 0..5000 {
        world.send(message, "a.example");
    }
    // a hundred in a minute
    for _ in 0..25 {
        world.round();
    }
    world.pass(Duration::from_secs(1));
    world.deliver(world.first_busy());
    world.complain(world.first_busy(), SiteAction::SendSlower, 1);
    let Phase::Paused(until) = world.state().phase else { panic!("{:?}", world.state()) };
    assert!(until.since(world.now) >= Duration::from_secs(30));
    while world.round() > 0 {}
    assert_eq!(world.scheduler.next_due(), Some(until), "nothing is begun in the pause, and its end is not missed");
    world.pass(until.since(world.now));
    assert_eq!((world.busy.len(), world.state().phase), (1, Phase::Probing));
    world.round();
    let pace = world.state().per_minute.unwrap();
    assert!((40..=60).contains(&pace), "{pace}");
    let (before, began) = (world.scheduler.depth().messages, world.now);
    while world.now.since(began) < Duration::from_secs(59) {
        let next = world.scheduler.next_due().unwrap();
        world.pass(next.since(world.now));
        world.round();
    }
    let in_a_minute = before - world.scheduler.depth().messages;
    assert!(in_a_minute <= pace as usize + 1 && in_a_minute + 5 >= pace as usize, "{in_a_minute} at {pace}");
    for _ in 0..30 * 60 {
        world.pass(Duration::from_secs(1));
        world.round();
    }
    assert_eq!((world.state().phase, world.state().per_minute), (Phase::Open, None));
}

#[test]
fn a_block_at_the_door_suspends_and_one_message_tries_again_later_and_later() {
    let mut world = shared(Bounds::default());
    for message in 0..40 {
        world.send(message, &format!("d{message}.example"));
    }
    world.send(100, "a.example");
    world.refuse(world.first_busy(), SiteAction::Suspend);
    assert_eq!(world.suspended.len(), 1);
    let Phase::Suspended(until) = world.state().phase else { panic!("{:?}", world.state()) };
    assert_eq!(world.scheduler.depth().suspended, 1);
    // what was under way goes on, the rest is told, no sooner than that
    assert!(world.failing.iter().all(|(_, not_before)| *not_before == until));
    while world.round() > 0 {}
    world.settle_failing();
    world.send(200, "b.example");
    assert_eq!(world.failing.len(), 1, "new mail is deferred, too");
    world.settle_failing();
    let mut pauses = vec![until.since(world.now)];
    for _ in 0..7 {
        let due = world.scheduler.next_due().unwrap();
        world.pass(due.since(world.now));
        assert_eq!(world.busy.len(), 1, "one alone tries");
        assert_eq!(world.state().phase, Phase::Probing);
        world.refuse(world.first_busy(), SiteAction::Suspend);
        world.settle_failing();
        pauses.push(world.suspended.last().unwrap().1.since(world.now));
    }
    let limits = Limits::default();
    assert!(pauses.windows(2).all(|pair| pair[0] < pair[1] || pair[1].as_secs() >= limits.site_suspension_seconds_max));
    assert!(pauses[7].as_secs() <= limits.site_suspension_seconds_max * 5 / 4, "{pauses:?}");
    let due = world.scheduler.next_due().unwrap();
    world.pass(due.since(world.now));
    world.deliver(world.first_busy());
    world.end_closed();
    assert_eq!(world.scheduler.depth().suspended, 0);
    assert_eq!(world.busy.len(), 1, "the rest follows at once, carefully");
    while world.scheduler.depth().messages > 0 {
        world.round();
        world.settle_failing();
        world.pass(MINUTE);
    }
    for message in 300..330 {
        world.send(message, "a.example");
        while world.round() > 0 {}
        world.pass(MINUTE);
    }
    assert_eq!(world.state().phase, Phase::Open);
}

#[test]
fn one_senders_bad_name_stops_nobody_else() {
    let mut world = World::new(bounds(100, 1));
    for message in 0..100 {
        world.send(message, "a.example");
    }
    let mut refused = 0;
    for _ in 0..40 {
        world.complain(world.first_busy(), SiteAction::Suspend, 1);
        refused += 1;
        if refused % 2 == 0 {
            world.deliver(world.first_busy());
        }
    }
    assert!(world.suspended.is_empty(), "mail of others was taken in between");
}

#[test]
fn blocks_in_a_row_are_believed() {
    for (accounts, needed) in [(1, BLOCKS_OF_ONE), (2, BLOCKS_OF_SEVERAL)] {
        let mut world = World::new(bounds(100, 1));
        for message in 0..100 {
            world.send(message, "a.example");
        }
        let mut refused = 0;
        while world.suspended.is_empty() {
            world.pass(Duration::from_secs(1));
            world.complain(world.first_busy(), SiteAction::Suspend, u64::from(refused) % accounts);
            refused += 1;
        }
        assert_eq!(refused, needed, "{accounts} accounts");
    }
}

#[test]
fn a_refusal_at_the_door_while_others_get_through_is_no_block() {
    let mut world = World::new(bounds(100, 8));
    for message in 0..50 {
        world.send(message, "a.example");
    }
    world.deliver(world.first_busy());
    world.pass(Duration::from_secs(1));
    world.refuse(*world.busy.keys().last().unwrap(), SiteAction::Suspend);
    assert!(world.suspended.is_empty());
    assert!(world.failing.is_empty(), "its parcel goes over the others");
}

#[test]
fn mail_of_other_sites_does_not_wait_for_one_that_is_suspended() {
    let mut world = World::new(Bounds::default());
    for message in 0..5 {
        world.send(message, "bad.example");
    }
    world.refuse(world.first_busy(), SiteAction::Suspend);
    world.send(100, "good.example");
    assert!(world.busy.values().any(|parcel| parcel.message == MessageId(100)));
}

#[test]
fn the_operator_has_a_site_asked_now() {
    let mut world = shared(Bounds::default());
    world.send(1, "a.example");
    world.refuse(world.first_busy(), SiteAction::Suspend);
    world.send(2, "b.example");
    world.settle_failing();
    assert!(world.busy.is_empty());
    assert!(world.scheduler.has_site("mx0.example.net") && world.scheduler.has_site("a.example"));
    assert!(!world.scheduler.has_site("c.example"));
    world.tell(Event::Resumed("mx0.example.net".into()));
    assert_eq!(world.busy.len(), 1);
    world.deliver(world.first_busy());
    world.end_closed();
    world.deliver(world.first_busy());
    assert_eq!(world.scheduler.depth().messages, 0);
}

#[test]
fn a_rule_says_how_many_connections_messages_and_recipients() {
    let rules = "[[provider]]\nname = \"big\"\nmx = [\"*.example.net\"]\nconnections = 2\nmessages_per_connection = 3\n\
        recipients_per_transaction = 7\n[[provider]]\nname = \"quick\"\ndomains = [\"q.example\"]\nmessages_per_minute = 60\n";
    let providers = Arc::new(Providers::parse(rules).unwrap());
    let mut world = World { scheduler: Scheduler::shaped(bounds(100, 9), providers), ..shared(bounds(100, 9)) };
    for message in 0..9 {
        world.send(message, "a.example");
    }
    assert_eq!((world.busy.len(), world.state().name.as_str()), (2, "big"));
    for _ in 0..2 {
        world.round();
        assert!(world.busy.values().all(|parcel| parcel.transaction_recipients == 7));
    }
    assert_eq!(world.dials, 2);
    world.round();
    assert_eq!((world.dials, world.busy.len()), (4, 2), "three on each, and then another");
    assert_eq!(world.scheduler.transaction_recipients(world.first_busy()), 7);
    while world.round() > 0 {}
    for message in 100..110 {
        world.send(message, "q.example");
    }
    assert_eq!(world.busy.len(), 1, "one a second, known by the domain's name");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.busy.len(), 2);
}

#[test]
fn sites_come_in_pages_of_names() {
    let mut world = World::new(Bounds::default());
    for (message, domain) in ["c.example", "a.example", "b.example"].into_iter().enumerate() {
        world.send(message as u128, domain);
    }
    let names = |world: &World, after: Option<&str>, limit, troubled| -> Vec<String> {
        world.scheduler.sites(after, limit, troubled, world.now).into_iter().map(|site| site.name).collect()
    };
    assert_eq!(names(&world, None, 2, false), ["mx.a.example", "mx.b.example"]);
    assert_eq!(names(&world, Some("mx.b.example"), 2, false), ["mx.c.example"]);
    assert!(names(&world, None, 9, true).is_empty());
    let last = *world.busy.keys().last().unwrap();
    world.unreached(last);
    assert_eq!(names(&world, None, 9, true), ["mx.b.example"]);
    let state = world.scheduler.sites(None, 9, true, world.now).remove(0);
    assert_eq!((state.unreached, state.said.unwrap().class), (1, Some(Class::Network)));
}

#[test]
fn sites_without_mail_are_forgotten() {
    let mut world = World::new(Bounds::default());
    for message in 0..5000u128 {
        world.send(message, &format!("d{message}.example"));
        while world.round() > 0 {}
        world.pass(Duration::from_secs(6));
        world.end_closed();
    }
    let sites = world.scheduler.sites(None, usize::MAX, false, world.now);
    assert!(sites.len() <= 2500, "{} are remembered", sites.len());
}
