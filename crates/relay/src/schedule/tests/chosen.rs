//! Orders about some recipients of a message.

use super::*;

fn order(message: u128, recipients: &[u16], order: Order) -> Event {
    Event::Chosen { message: MessageId(message), recipients: recipients.to_vec(), order }
}

fn ending() -> Order {
    Order::End(Arc::new(Ending::Cancelled("operator".into())))
}

/// A message to several at one destination, due in a minute.
fn waiting() -> World {
    let mut world = World::new(Bounds::default());
    let state = RecipientState::Waiting { due: START.after(Duration::from_secs(60)), attempts: 1 };
    let to = |recipient| Addressed { recipient, destination: mx("a.example"), state: state.clone() };
    world.arrive(1, 1, (0..3).map(to).collect());
    world
}

fn carried(world: &World) -> Vec<Vec<u16>> {
    world.busy.values().map(|parcel| parcel.recipients.clone()).collect()
}

#[test]
fn some_of_a_parcel_are_held_and_the_others_go() {
    let mut world = waiting();
    world.tell(order(1, &[1, 9], Order::Hold(HoldReason::Operator)));
    assert_eq!((world.scheduler.depth().held, world.scheduler.depth().recipients), (1, 3));
    world.pass(Duration::from_secs(61));
    assert_eq!(carried(&world), [[0, 2]]);
    world.tell(order(1, &[0, 1, 2], Order::Retry));
    assert_eq!(carried(&world).len(), 1, "what is held is not tried");
    world.tell(order(1, &[0, 1, 2], Order::Release));
    assert_eq!(carried(&world), [vec![0, 2], vec![1]]);
    assert_eq!(world.scheduler.depth().held, 0);
}

#[test]
fn some_of_a_parcel_are_tried_now() {
    let mut world = waiting();
    world.tell(order(1, &[2], Order::Retry));
    assert_eq!(carried(&world), [[2]]);
    assert_eq!(world.busy.values().next().unwrap().attempts, 1);
    assert_eq!(world.scheduler.next_due(), Some(START.after(Duration::from_secs(60))));
}

#[test]
fn some_of_a_parcel_end() {
    let mut world = waiting();
    world.tell(order(1, &[0, 2], ending()));
    let ended = world.ending.pop().unwrap();
    assert_eq!(ended.recipients, [0, 2]);
    world.tell(Event::Settled { parcel: ended.id, left: Vec::new() });
    assert_eq!(world.scheduler.depth().recipients, 1);
    world.pass(Duration::from_secs(61));
    assert_eq!(carried(&world), [[1]]);
}

#[test]
fn some_of_a_parcel_go_elsewhere() {
    let mut world = waiting();
    world.tell(order(1, &[1], Order::Hold(HoldReason::Operator)));
    let elsewhere = Destination::Route { index: 0 };
    world.tell(order(1, &[0, 1], Order::Send(elsewhere.clone())));
    assert_eq!(carried(&world), [[0]], "at once, but for what is held");
    world.tell(order(1, &[0, 1], Order::Release));
    let sites = world.scheduler.sites(None, 10, false, world.now);
    let waiting = |destination: &Destination| {
        let site = sites.iter().find(|site| site.destinations.contains(destination)).unwrap();
        site.recipients
    };
    assert_eq!((waiting(&elsewhere), waiting(&mx("a.example"))), (2, 1));
}

#[test]
fn what_is_in_flight_is_dealt_with_when_it_comes_back() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, (0..4).map(|recipient| due_now(recipient, "a.example")).collect());
    world.tell(order(1, &[0], Order::Hold(HoldReason::Operator)));
    world.tell(order(1, &[1], ending()));
    world.tell(order(1, &[2], Order::Send(mx("b.example"))));
    assert_eq!(carried(&world), [[0, 1, 2, 3]]);
    let conversation = world.first_busy();
    let parcel = world.busy.remove(&conversation).unwrap();
    let now = world.now;
    world.defer(&parcel, now);
    assert_eq!(world.ending.iter().map(|parcel| parcel.recipients.clone()).collect::<Vec<_>>(), [[1]]);
    assert_eq!(world.scheduler.depth().held, 1);
    assert!(carried(&world).contains(&vec![2]) && carried(&world).contains(&vec![3]), "{:?}", carried(&world));
    assert!(world.scheduler.chosen.is_empty());
}

#[test]
fn a_release_undoes_a_hold_of_what_is_in_flight() {
    let mut world = World::new(Bounds::default());
    world.arrive(1, 1, vec![due_now(0, "a.example"), due_now(1, "a.example")]);
    world.tell(order(1, &[0, 1], Order::Hold(HoldReason::Operator)));
    world.tell(order(1, &[1], Order::Release));
    let conversation = world.first_busy();
    let parcel = world.busy.remove(&conversation).unwrap();
    let due = world.now.after(Duration::from_secs(60));
    world.defer(&parcel, due);
    assert_eq!(world.scheduler.depth().held, 1);
    world.pass(Duration::from_secs(61));
    assert_eq!(carried(&world), [[1]]);
}

#[test]
fn what_is_released_while_it_flies_is_not_held_when_it_comes_back() {
    let mut world = waiting();
    world.pass(Duration::from_secs(61));
    world.tell(Event::Held(MessageId(1), HoldReason::AccountSuspended));
    world.tell(order(1, &[0, 2], Order::Release));
    let parcel = world.busy.remove(&world.first_busy()).unwrap();
    world.defer(&parcel, world.now.after(Duration::from_secs(60)));
    assert_eq!((world.scheduler.depth().held, world.scheduler.depth().recipients), (1, 3), "the other stays held");
}

#[test]
fn what_is_released_beside_another_that_flies_is_not_held_again() {
    let mut world = World::new(Bounds::default());
    let later = RecipientState::Waiting { due: START.after(Duration::from_secs(600)), attempts: 1 };
    let waits = Addressed { recipient: 1, destination: mx("b.example"), state: later };
    world.arrive(1, 1, vec![due_now(0, "a.example"), waits]);
    let (flies, _) = world.busy.pop_first().unwrap();
    world.tell(Event::Held(MessageId(1), HoldReason::Operator));
    world.tell(order(1, &[1], Order::Release));
    let released = world.busy.remove(&world.first_busy()).unwrap();
    assert!(released.recipients == [1] && flies.0 > 0);
    world.defer(&released, world.now.after(Duration::from_secs(60)));
    assert_eq!(world.scheduler.depth().held, 0, "the order is about what flies alone");
    world.pass(Duration::from_secs(61));
    assert_eq!(carried(&world), [[1]]);
}

/// A message to one at a.example that is in flight, while a conversation with b.example is idle.
fn in_flight_beside_an_idle_line() -> World {
    let mut world = World::new(Bounds::default());
    world.arrive(2, 1, vec![due_now(0, "b.example")]);
    world.deliver(world.first_busy());
    world.arrive(1, 1, vec![due_now(0, "a.example")]);
    world
}

/// What is in flight comes back, to be tried again in a minute.
fn comes_back(world: &mut World) {
    let parcel = world.busy.remove(&world.first_busy()).unwrap();
    world.defer(&parcel, world.now.after(Duration::from_secs(60)));
}

#[test]
fn what_is_sent_elsewhere_and_held_in_flight_is_held() {
    for wishes in [
        [Order::Send(mx("b.example")), Order::Hold(HoldReason::Operator)],
        [Order::Hold(HoldReason::Operator), Order::Send(mx("b.example"))],
    ] {
        let mut world = in_flight_beside_an_idle_line();
        for wish in wishes {
            world.tell(order(1, &[0], wish));
        }
        comes_back(&mut world);
        assert!(world.busy.is_empty(), "{:?}", carried(&world));
        assert_eq!(world.scheduler.depth().held, 1);
        world.tell(order(1, &[0], Order::Release));
        assert_eq!(world.dials, 2, "released it goes where it was sent, by the conversation that is idle there");
        assert_eq!(carried(&world), [[0]]);
    }
}

#[test]
fn what_is_sent_elsewhere_and_cancelled_in_flight_ends() {
    for wishes in [[Order::Send(mx("b.example")), ending()], [ending(), Order::Send(mx("b.example"))]] {
        let mut world = in_flight_beside_an_idle_line();
        for wish in wishes {
            world.tell(order(1, &[0], wish));
        }
        comes_back(&mut world);
        assert!(world.busy.is_empty(), "{:?}", carried(&world));
        assert_eq!(world.ending.pop().unwrap().recipients, [0]);
    }
}

#[test]
fn what_is_sent_elsewhere_in_flight_and_back_goes_where_it_went() {
    let mut world = in_flight_beside_an_idle_line();
    world.tell(order(1, &[0], Order::Send(mx("b.example"))));
    world.tell(order(1, &[0], Order::Send(mx("a.example"))));
    comes_back(&mut world);
    assert!(world.busy.is_empty(), "{:?}", carried(&world));
    let sites = world.scheduler.sites(None, 10, false, world.now);
    let at = |destination: &Destination| {
        sites.iter().filter(|site| site.destinations.contains(destination)).map(|site| site.recipients).sum::<usize>()
    };
    assert_eq!((at(&mx("a.example")), at(&mx("b.example"))), (1, 0));
}

#[test]
fn a_message_cancelled_in_flight_ends_though_it_is_held_since() {
    let mut world = in_flight_beside_an_idle_line();
    let Order::End(cancelled) = ending() else { unreachable!() };
    world.tell(Event::GivenUp(MessageId(1), cancelled));
    world.tell(Event::Held(MessageId(1), HoldReason::AccountSuspended));
    world.tell(Event::Released(MessageId(1)));
    comes_back(&mut world);
    assert_eq!(world.ending.pop().unwrap().recipients, [0]);
    assert_eq!(world.scheduler.depth().held, 0);
}
