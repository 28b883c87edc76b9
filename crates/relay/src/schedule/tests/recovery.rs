//! Sites that come back, one of many that were gone: what that costs, however deep the queue is.

use super::*;

/// Domains that mail waits for.
const DOMAINS: u128 = 300;
/// Messages to each.
const EACH: usize = 10;
/// Looks at a record that one message may cost which is woken, and is carried or stands in turn.
const LOOKS_EACH: usize = 10;

/// A world where mail waits for all domains, since each conversation ended like this.
fn gone(hosts: usize, end: fn(&mut World, ConversationId)) -> World {
    let mut world = World { hosts, ..World::new(Bounds::default()) };
    for message in 0..DOMAINS * EACH as u128 {
        world.arrive(message, 1, vec![due_now(0, &format!("d{}.example", message % DOMAINS))]);
    }
    while !world.busy.is_empty() || !world.failing.is_empty() {
        if let Some(conversation) = world.busy.keys().next().copied() {
            end(&mut world, conversation);
        }
        for (parcel, _) in std::mem::take(&mut world.failing) {
            // later than the site is asked again: what waits does so for the site
            world.defer(&parcel, world.now.after(retry::DELAY_MAX));
        }
    }
    assert_eq!((world.scheduler.depth().messages as u128, world.scheduler.depth().due), (DOMAINS * EACH as u128, 0));
    world
}

impl World {
    /// Tells something; how many messages it woke, each of which cost few looks at a record.
    fn wakes(&mut self, event: Event) -> usize {
        let before = self.scheduler.depth().due + self.busy.len();
        self.scheduler.parcels.looks();
        self.tell(event);
        let looks = self.scheduler.parcels.looks();
        let woken = self.scheduler.depth().due + self.busy.len() - before;
        assert!(looks <= LOOKS_EACH * woken.max(1), "{looks} looks for {woken} messages");
        woken
    }

    /// A message to one of the domains is tried now.
    fn tries(&mut self, message: u128) -> ConversationId {
        self.tell(Event::Retried(MessageId(message)));
        self.first_busy()
    }
}

#[test]
fn a_site_that_is_reached_again_wakes_what_waits_for_it_and_nothing_else_is_looked_at() {
    let mut world = gone(0, World::unreached);
    let conversation = world.tries(7);
    assert_eq!(world.wakes(Event::Reached(conversation)), EACH - 1);
    assert_eq!(world.wakes(Event::Resumed("d8.example".into())), EACH);
}

#[test]
fn servers_that_take_mail_again_wake_what_waits_for_them_and_nothing_else_is_looked_at() {
    let mut world = gone(20, |world, conversation| world.refuse(conversation, SiteAction::Suspend));
    let states = world.scheduler.sites(None, 20, false, world.now);
    let with = |name: &str| states.iter().find(|state| state.name == name).map(|state| state.recipients).unwrap();
    assert_eq!(states.iter().map(|state| state.recipients).sum::<usize>(), DOMAINS as usize * EACH);
    let host = world.hosts_of(&mx("d7.example")).remove(0);
    world.now = world.now.after(Duration::from_secs(3600));
    let conversation = world.tries(7);
    assert_eq!(world.wakes(Event::Reached(conversation)), with(&host) - 1);
    let other = states.iter().map(|state| state.name.clone()).find(|name| *name != host).unwrap();
    assert_eq!(world.wakes(Event::Resumed(other.clone())), with(&other));
}

#[test]
fn what_is_taken_up_again_by_itself_waits_for_its_site_no_more() {
    let mut world = gone(0, World::unreached);
    let conversation = world.tries(7);
    for message in [7, 307] {
        world.tell(Event::Held(MessageId(message), HoldReason::Operator));
    }
    world.tell(Event::GivenUp(MessageId(607), Arc::new(Ending::Cancelled("operator".into()))));
    assert_eq!(world.wakes(Event::Reached(conversation)), EACH - 3, "one is carried, one held, one ended");
    let parcel = world.ending.remove(0);
    world.tell(Event::Settled { parcel: parcel.id, left: Vec::new() });
    world.tell(Event::Ended(conversation));
    assert_eq!(world.wakes(Event::Resumed("d7.example".into())), 0);
    let ready: usize = world.scheduler.sites.iter().map(|site| site.ready).sum();
    assert_eq!(ready, world.scheduler.parcels.ready(), "nothing stands in a queue twice");
}

#[test]
fn a_domain_that_moved_is_woken_with_its_new_servers_alone() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    world.deliver(world.first_busy());
    world.named_host = Some("mx.new.example".into());
    world.pass(Duration::from_secs(24 * 3600));
    world.end_closed();
    world.arrive(2, 1, vec![due_now(0, "a.example")]);
    let of = |name: &str| world.scheduler.sites.of_shaper(world.scheduler.shapers.find(name).unwrap()).len();
    assert_eq!((of("mx.a.example"), of("mx.new.example")), (0, 1));
}
