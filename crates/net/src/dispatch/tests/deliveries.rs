//! Mail that gets through: at once, over few conversations, signed once, within bounds.

use std::time::Duration;

use relay::activity::Status;
use relay::outcome::Stage;
use smtp::reply::Enhanced;

use super::world::{CONTENT, Hop, START, World, route};

#[tokio::test(start_paused = true)]
async fn a_message_leaves_with_its_arrival_and_without_time_passing() {
    let world = World::new();
    let message = world.send(1, &["a@one.example", "b@one.example", "c@two.example"]).await;
    world.settle().await;
    let carried = world.carried();
    assert_eq!(carried.len(), 2, "recipients of one domain share a transaction");
    assert!(carried.iter().all(|carried| carried.at == START), "nothing waited for a timer");
    assert_eq!(carried[0].recipients, ["a@one.example", "b@one.example"]);
    assert_eq!(&carried[0].content[..], CONTENT.as_bytes());
    assert_eq!(world.statuses(message), [Status::Delivered; 3]);
    assert_eq!(world.rows(message)[0].reply, "250 2.0.0 Ok: queued as NEXT");
    assert_eq!(world.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_conversation_carries_one_message_after_the_other_and_is_closed_when_idle() {
    let world = World::new();
    for number in 0..10 {
        world.send(number, &["a@one.example"]).await;
        world.settle().await;
    }
    assert_eq!((world.carried().len(), world.dials()), (10, 1));
    assert!(world.carried().iter().all(|carried| carried.line == 1));
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.script.hops.lock().unwrap().closed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_burst_shares_a_few_conversations_within_the_bounds() {
    let world = World::with(Vec::new(), |settings, hops| {
        settings.bounds.conversations_max = 7;
        settings.bounds.site_conversations_max = 4;
        hops.pace = Duration::from_millis(50);
    });
    for number in 0..100 {
        world.send(number, &["a@one.example", "b@two.example", "c@three.example"]).await;
    }
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.live(), 0);
    let hops = world.script.hops.lock().unwrap();
    assert_eq!(hops.busy_max, 6, "all but the one that is kept for other accounts");
    assert!(hops.dials < 60, "{} dials for 300 parcels", hops.dials);
}

#[tokio::test(start_paused = true)]
async fn the_bound_of_a_site_holds() {
    let world = World::with(Vec::new(), |settings, hops| {
        settings.bounds.site_conversations_max = 3;
        hops.pace = Duration::from_millis(50);
    });
    for number in 0..30 {
        world.send(number, &["a@one.example"]).await;
    }
    world.pass(Duration::from_secs(60)).await;
    // one is kept for other accounts
    assert_eq!((world.live(), world.script.hops.lock().unwrap().busy_max), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_signed_once_and_the_retry_carries_the_same_seal() {
    let world = World::new();
    world.key_seen();
    world.hop("later.example", Hop::Says(Stage::Recipient, 451, Enhanced(4, 7, 1), "later"));
    world.send(1, &["a@one.example", "b@later.example"]).await;
    world.settle().await;
    world.hop("later.example", Hop::Takes);
    world.pass(Duration::from_secs(120)).await;
    let seals: Vec<_> = world.carried().into_iter().map(|carried| carried.seal.unwrap()).collect();
    assert_eq!(seals.len(), 3);
    assert!(seals.iter().all(|seal| *seal == seals[0]));
    let seal = String::from_utf8(seals[0].to_vec()).unwrap();
    assert!(seal.starts_with("DKIM-Signature: ") && seal.contains("d=shop.example"), "{seal}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_not_seen_in_dns_signs_only_on_a_route_that_says_so() {
    let world = World::with(vec![route("hub.example", true)], |_, _| {});
    world.send(1, &["a@hub.example", "b@mx.example"]).await;
    world.settle().await;
    let signed: Vec<_> =
        world.carried().into_iter().map(|carried| (carried.recipients[0].clone(), carried.seal.is_some())).collect();
    assert!(signed.contains(&("a@hub.example".into(), true)), "{signed:?}");
    assert!(signed.contains(&("b@mx.example".into(), false)), "{signed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_queue_of_an_earlier_life_is_delivered() {
    let mut world = World::new();
    world.handle.shutdown(Duration::from_secs(1)).await;
    for number in 0..2500 {
        world.keep(world.envelope(number, &["a@one.example"])).await;
    }
    world.restart();
    world.pass(Duration::from_secs(5)).await;
    assert_eq!((world.live(), world.carried().len()), (0, 2500));
}

#[tokio::test(start_paused = true)]
async fn after_the_shutdown_running_attempts_are_settled_and_nothing_begins() {
    let world = World::with(Vec::new(), |_, hops| hops.pace = Duration::from_secs(2));
    let first = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    let (handle, stop) = (world.handle.clone(), Duration::from_secs(30));
    let stopping = tokio::spawn(async move { handle.shutdown(stop).await });
    world.settle().await;
    let second = world.send(2, &["a@one.example"]).await;
    stopping.await.unwrap();
    assert_eq!(world.statuses(first), [Status::Delivered]);
    assert_ne!(world.statuses(second), [Status::Delivered]);
    assert_eq!(world.live(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_without_patience_cuts_attempts_off_and_keeps_the_mail() {
    let world = World::with(Vec::new(), |_, hops| hops.pace = Duration::from_secs(3600));
    world.send(1, &["a@one.example"]).await;
    world.settle().await;
    world.handle.shutdown(Duration::from_secs(1)).await;
    assert_eq!(world.live(), 1);
}
