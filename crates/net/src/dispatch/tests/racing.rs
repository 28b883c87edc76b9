//! Orders that meet what they are about on its way: into the queue, to a next hop, out of a hold that ends by itself.

use std::sync::Arc;
use std::time::Duration;

use relay::account::AccountState;
use relay::activity::Status;
use relay::outcome::Failure;
use relay::queue::HoldReason;
use relay::reroute::Via;
use relay::schedule::Order;
use relay::selection::Filter;
use relay::store::{Book, Spool, StoreError};
use store::memory::Verb;

use super::super::{Drive, selected};
use super::world::{Hop, START, World, operator, route};
use crate::clock::Clock;
use crate::offload::Offload;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn lost() -> Hop {
    Hop::Fails(Failure::Lost("reset".into()))
}

/// Has mail of the world's account go by the mail servers of its domains.
async fn reroute(world: &World) {
    let until = world.handle.accepted_until(world.clock.now());
    let filter = Filter { account: Some(world.domain.account), ..Filter::default() };
    let store = Arc::new(world.store.clone());
    selected::keep_reroute(&store, Offload::Inline, (&filter, &Via::Mx), until).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_just_now_is_held_before_the_driver_hears_of_it() {
    let world = World::new();
    let envelope = world.envelope(1, &["a@one.example"]);
    let message = world.keep(envelope.clone()).await;
    assert_eq!(world.handle.order(message, vec![0], Order::Hold(HoldReason::Operator)).await, Ok(1));
    world.handle.arrived(&envelope);
    world.pass(DAY).await;
    assert_eq!(world.rows(message)[0].held, Some(HoldReason::Operator));
    assert!(world.carried().is_empty());
    world.handle.release(message).await.unwrap();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_before_a_reroute_and_kept_after_it_goes_that_way() {
    let world = World::with(vec![route("one.example", true)], |_, _| {});
    world.hop("route", lost());
    let envelope = world.envelope(1, &["a@one.example"]);
    reroute(&world).await;
    let message = world.submit(envelope).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
    world.pass(Duration::from_secs(1)).await;
    let later = world.send(2, &["b@one.example"]).await;
    world.settle().await;
    assert_eq!(world.statuses(later), [Status::Deferred], "the order is about what waited then");
}

#[tokio::test(start_paused = true)]
async fn a_reroute_means_what_was_accepted_before_the_clock_went_back() {
    let mut world = World::with(vec![route("one.example", true)], |_, _| {});
    world.hop("route", lost());
    let mut envelope = world.envelope(1, &["a@one.example"]);
    envelope.accepted_at = envelope.accepted_at.after(Duration::from_secs(7200));
    let message = world.submit(envelope).await;
    world.settle().await;
    for is_again in [false, true] {
        world.handle.shutdown(Duration::from_secs(1)).await;
        world.restart();
        world.settle().await;
        if !is_again {
            reroute(&world).await;
        }
    }
    world.pass(DAY).await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn what_the_operator_holds_stays_held_where_it_was_held_for_its_account() {
    let world = World::new();
    world.hop("dead.example", lost());
    let message = world.send(1, &["a@dead.example"]).await;
    world.settle().await;
    let set = |state| {
        world.store.account_state(world.domain.account, state, &operator(), START).unwrap();
        world.handle.directory_changed();
    };
    set(AccountState::Suspended);
    world.settle().await;
    world.handle.hold(message, HoldReason::Operator).await.unwrap();
    world.hop("dead.example", Hop::Takes);
    set(AccountState::Active);
    world.pass(DAY).await;
    assert_eq!(world.rows(message)[0].held, Some(HoldReason::Operator));
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_the_store_refuses_lets_nothing_go_that_is_held_already() {
    let world = World::new();
    world.hop("dead.example", lost());
    let message = world.send(1, &["a@dead.example", "b@dead.example"]).await;
    world.settle().await;
    world.handle.order(message, vec![0], Order::Hold(HoldReason::Operator)).await.unwrap();
    world.hop("dead.example", Hop::Takes);
    world.store.fail_next(Verb::Settle, StoreError::Unavailable("busy".into()));
    assert!(world.handle.order(message, vec![0], Order::Hold(HoldReason::Operator)).await.is_err());
    world.store.fail_next(Verb::Settle, StoreError::Unavailable("busy".into()));
    assert!(world.handle.hold(message, HoldReason::Operator).await.is_err());
    world.pass(DAY).await;
    assert_eq!(world.statuses(message), [Status::Pending, Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cancelled_now_is_held_and_not_sent() {
    for is_in_flight in [false, true] {
        let pace = if is_in_flight { Duration::from_secs(5) } else { Duration::ZERO };
        let world = World::with(Vec::new(), |_, hops| hops.pace = pace);
        world.hop("dead.example", lost());
        let message = world.send(1, &["a@dead.example"]).await;
        world.settle().await;
        // no room to tell the sender of it
        world.store.fail_next(Verb::Draft, StoreError::NoRoom("full".into()));
        assert_eq!(world.handle.cancel(message, &operator()).await.is_ok(), is_in_flight);
        world.pass(pace + Duration::from_secs(1)).await;
        world.hop("dead.example", Hop::Takes);
        world.pass(DAY).await;
        assert_eq!(world.rows(message)[0].held, Some(HoldReason::Operator), "in flight: {is_in_flight}");
        assert_eq!(world.handle.cancel(message, &operator()).await, Ok(1));
        assert_eq!(world.statuses(message), [Status::HardBounce]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_the_queue_that_was_read_before_an_order_undoes_nothing() {
    for ordered in ["hold", "release", "cancel"] {
        let world = World::new();
        // its own driver has loaded the queue before anything is in it
        world.settle().await;
        let message = world.keep(world.envelope(1, &["a@one.example"])).await;
        if ordered != "hold" {
            world.store.hold(message, HoldReason::Operator, START).await.unwrap();
        }
        let driver = world.unloaded();
        let page = driver.page(None);
        match ordered {
            "hold" => driver.hold(message, HoldReason::Operator).await.unwrap(),
            "release" => driver.release(message).await.unwrap(),
            _ => assert_eq!(driver.cancel(message, &operator()).await, Ok(1)),
        }
        world.settle().await;
        driver.load_page(page).await;
        world.settle().await;
        let depth = driver.state().scheduler.depth();
        let (known, status) = match ordered {
            "hold" => ((1, 1), Status::Pending),
            "release" => ((0, 0), Status::Delivered),
            _ => ((0, 0), Status::HardBounce),
        };
        assert_eq!(((depth.messages, depth.held), world.statuses(message)), (known, vec![status]), "{ordered}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_for_what_else_is_done_about_its_message() {
    let world = World::new();
    world.settle().await;
    let message = world.keep(world.envelope(1, &["a@one.example"])).await;
    let driver = world.unloaded();
    let turn = driver.turns.of(message).await;
    assert!(tokio::time::timeout(DAY, driver.retry(message)).await.is_err());
    assert!(!driver.state().scheduler.knows(message));
    drop(turn);
    assert_eq!(driver.retry(message).await, Ok(()));
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}
