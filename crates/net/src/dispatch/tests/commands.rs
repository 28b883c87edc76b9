//! What people do to mail in the queue: cancel, hold, release, retry, suspend, delete.

use std::sync::Arc;
use std::time::Duration;

use relay::account::AccountState;
use relay::activity::Status;
use relay::outcome::{Ending, Failure};
use relay::queue::HoldReason;
use relay::reroute::Via;
use relay::schedule::Order;
use relay::sending_domain::DomainState;
use relay::store::{Book, Spool, StoreError};

use super::world::{Hop, START, World, operator, route};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A world with one deferred message.
async fn deferred() -> (World, relay::id::MessageId) {
    let world = World::new();
    world.hop("dead.example", Hop::Fails(Failure::Connect("refused".into())));
    let message = world.send(1, &["a@dead.example"]).await;
    world.settle().await;
    (world, message)
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_message_bounces_in_the_name_of_who_did_it() {
    let (world, message) = deferred().await;
    assert_eq!(world.handle.cancel(message, &operator()).await, Ok(1));
    let row = &world.rows(message)[0];
    assert_eq!((row.status, row.reason.as_str()), (Status::HardBounce, "Cancelled by operator."));
    world.settle().await;
    assert_eq!(world.notifications().len(), 1);
    let gone = world.handle.cancel(message, &operator()).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_being_delivered_is_cancelled_only_if_it_fails() {
    let world = World::with(Vec::new(), |_, hops| hops.pace = Duration::from_secs(5));
    world.hop("dead.example", Hop::Fails(Failure::Lost("reset".into())));
    let message = world.send(1, &["a@dead.example", "b@one.example"]).await;
    world.settle().await;
    assert_eq!(world.handle.cancel(message, &operator()).await, Ok(0));
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.statuses(message), [Status::HardBounce, Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_in_flight_is_not_sent_after_a_stop() {
    let end = || Order::End(Arc::new(Ending::Cancelled("operator".into())));
    for (was_suspended, some) in [(false, None), (false, Some(end())), (true, None)] {
        let mut world = World::with(Vec::new(), |_, hops| hops.pace = DAY);
        let message = world.send(1, &["a@one.example"]).await;
        world.settle().await;
        if was_suspended {
            world.handle.hold(message, HoldReason::AccountSuspended).await.unwrap();
        }
        match some {
            Some(order) => world.handle.order(message, vec![0], order).await.unwrap(),
            None => world.handle.cancel(message, &operator()).await.unwrap(),
        };
        world.handle.shutdown(Duration::ZERO).await;
        world.restart();
        world.pass(DAY * 3).await;
        let row = &world.rows(message)[0];
        assert_eq!((row.status, row.held), (Status::Pending, Some(HoldReason::Operator)), "{was_suspended}");
        assert_eq!(world.handle.cancel(message, &operator()).await, Ok(1));
        assert_eq!(world.statuses(message), [Status::HardBounce]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_another_way_is_not_signed_with_a_key_that_dns_lacks() {
    let world = World::with(vec![route("one.example", true)], |_, _| {});
    world.hop("route", Hop::Fails(Failure::Lost("reset".into())));
    let message = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    let recipients = vec![(0, Arc::from("one.example"))];
    assert_eq!(world.handle.reroute(message, recipients, Via::Mx).await, Ok(1));
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
    let carried = world.carried().into_iter().filter(|carried| carried.envelope.message == message);
    assert_eq!(carried.map(|carried| carried.seal.is_some()).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn held_mail_stays_until_released_also_over_a_restart() {
    let (mut world, message) = deferred().await;
    world.handle.hold(message, HoldReason::Operator).await.unwrap();
    assert_eq!(world.rows(message)[0].held, Some(HoldReason::Operator));
    assert!(matches!(world.handle.retry(message).await, Err(StoreError::Conflict(_))));
    world.hop("dead.example", Hop::Takes);
    world.pass(DAY).await;
    world.handle.shutdown(Duration::from_secs(1)).await;
    world.restart();
    world.pass(DAY).await;
    assert_eq!(world.statuses(message), [Status::Pending]);
    world.handle.release(message).await.unwrap();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_while_it_is_delivered_stays_held_if_it_is_deferred() {
    let world = World::with(Vec::new(), |_, hops| hops.pace = Duration::from_secs(5));
    world.hop("dead.example", Hop::Fails(Failure::Lost("reset".into())));
    let message = world.send(1, &["a@dead.example"]).await;
    world.settle().await;
    world.handle.hold(message, HoldReason::Operator).await.unwrap();
    world.pass(DAY).await;
    assert_eq!(world.carried().len(), 1);
    assert_eq!(world.rows(message)[0].held, Some(HoldReason::Operator));
}

#[tokio::test(start_paused = true)]
async fn some_recipients_are_held_over_a_restart_and_the_others_go() {
    let mut world = World::new();
    world.hop("dead.example", Hop::Fails(Failure::Connect("refused".into())));
    let message = world.send(1, &["a@dead.example", "b@dead.example"]).await;
    world.settle().await;
    let hold = Order::Hold(HoldReason::Operator);
    assert_eq!(world.handle.order(message, vec![1], hold).await, Ok(1));
    world.hop("dead.example", Hop::Takes);
    world.handle.shutdown(Duration::from_secs(1)).await;
    world.restart();
    world.pass(DAY).await;
    assert_eq!(world.statuses(message), [Status::Delivered, Status::Pending]);
    assert_eq!(world.handle.order(message, vec![1], Order::Release).await, Ok(1));
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered, Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn some_recipients_are_cancelled_with_and_without_a_word() {
    let world = World::new();
    world.hop("dead.example", Hop::Fails(Failure::Connect("refused".into())));
    let message = world.send(1, &["a@dead.example", "b@dead.example", "c@dead.example"]).await;
    world.settle().await;
    let silently = Order::End(Arc::new(Ending::CancelledUntold("operator".into())));
    assert_eq!(world.handle.order(message, vec![0], silently).await, Ok(1));
    world.settle().await;
    assert!(world.notifications().is_empty());
    let told = Order::End(Arc::new(Ending::Cancelled("operator".into())));
    assert_eq!(world.handle.order(message, vec![1], told).await, Ok(1));
    world.settle().await;
    assert_eq!(world.notifications().len(), 1);
    assert_eq!(world.statuses(message), [Status::HardBounce, Status::HardBounce, Status::Deferred]);
    assert!(world.rows(message)[..2].iter().all(|row| row.reason == "Cancelled by operator."));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_does_not_expire_and_is_tried_once_more() {
    let (world, message) = deferred().await;
    world.handle.hold(message, HoldReason::Operator).await.unwrap();
    world.pass(DAY * 30).await;
    assert_eq!(world.statuses(message), [Status::Pending]);
    world.hop("dead.example", Hop::Takes);
    world.handle.release(message).await.unwrap();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn resuming_an_account_releases_what_it_held_and_leaves_what_the_operator_holds() {
    let world = World::new();
    world.hop("dead.example", Hop::Fails(Failure::Connect("refused".into())));
    let message = world.send(1, &["a@dead.example", "b@dead.example"]).await;
    world.settle().await;
    world.handle.order(message, vec![0], Order::Hold(HoldReason::Operator)).await.unwrap();
    let account = world.domain.account;
    world.store.account_state(account, AccountState::Suspended, &operator(), START).unwrap();
    world.pass(Duration::from_secs(60)).await;
    world.hop("dead.example", Hop::Takes);
    world.store.account_state(account, AccountState::Active, &operator(), START).unwrap();
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.statuses(message), [Status::Pending, Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_the_store_refuses_changes_nothing() {
    let (world, message) = deferred().await;
    world.store.fail_next(store::memory::Verb::Settle, StoreError::Unavailable("busy".into()));
    assert!(world.handle.hold(message, HoldReason::Operator).await.is_err());
    world.hop("dead.example", Hop::Takes);
    world.pass(Duration::from_secs(600)).await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn retry_now_does_not_wait_for_the_due_moment() {
    let (world, message) = deferred().await;
    world.hop("dead.example", Hop::Takes);
    world.handle.retry(message).await.unwrap();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
    assert!(world.handle.retry(message).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn mail_of_a_suspended_account_is_held_and_released_when_it_is_resumed() {
    let (world, waiting) = deferred().await;
    let account = world.domain.account;
    world.store.account_state(account, AccountState::Suspended, &operator(), START).unwrap();
    let arriving = world.send(2, &["b@one.example"]).await;
    world.handle.directory_changed();
    world.settle().await;
    for message in [waiting, arriving] {
        assert_eq!(world.rows(message)[0].held, Some(HoldReason::AccountSuspended), "{message}");
    }
    world.hop("dead.example", Hop::Takes);
    world.pass(DAY).await;
    assert_eq!(world.carried().len(), 1);
    world.store.account_state(account, AccountState::Active, &operator(), START).unwrap();
    world.pass(Duration::from_secs(60)).await;
    for message in [waiting, arriving] {
        assert_eq!(world.statuses(message), [Status::Delivered], "noticed without being told");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_operator_holds_is_not_released_with_its_account() {
    let (world, message) = deferred().await;
    world.handle.hold(message, HoldReason::Operator).await.unwrap();
    for state in [AccountState::Suspended, AccountState::Active] {
        world.store.account_state(world.domain.account, state, &operator(), START).unwrap();
        world.handle.directory_changed();
        world.settle().await;
    }
    assert_eq!(world.rows(message)[0].held, Some(HoldReason::Operator));
}

#[tokio::test(start_paused = true)]
async fn mail_of_a_deleted_domain_is_delivered_for_a_day_and_then_bounced() {
    let (world, message) = deferred().await;
    world.store.domain_delete(world.domain.id, false, &operator(), START).unwrap();
    world.handle.directory_changed();
    world.pass(DAY / 2).await;
    assert_eq!(world.statuses(message), [Status::Deferred]);
    world.pass(DAY).await;
    let row = &world.rows(message)[0];
    assert_eq!(row.status, Status::HardBounce);
    assert!(row.reason.contains("domain was deleted"), "{}", row.reason);
}

#[tokio::test(start_paused = true)]
async fn mail_of_a_deleted_domain_is_bounced_at_once_where_that_was_chosen() {
    let (world, message) = deferred().await;
    let held = world.send(2, &["b@dead.example"]).await;
    world.settle().await;
    world.handle.hold(held, HoldReason::Operator).await.unwrap();
    world.store.domain_delete(world.domain.id, true, &operator(), START).unwrap();
    world.handle.directory_changed();
    world.settle().await;
    for message in [message, held] {
        let row = &world.rows(message)[0];
        assert_eq!((row.status, row.reason.contains("domain was deleted")), (Status::HardBounce, true));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_of_a_deleted_account_is_given_up_and_the_rest_where_that_was_chosen() {
    for cancels_mail in [false, true] {
        let (world, message) = deferred().await;
        let held = world.send(2, &["b@dead.example"]).await;
        world.settle().await;
        world.handle.hold(held, HoldReason::Operator).await.unwrap();
        world.store.account_delete(world.domain.account, cancels_mail, &operator(), START).unwrap();
        world.handle.directory_changed();
        world.settle().await;
        let row = &world.rows(held)[0];
        assert_eq!((row.status, row.reason.contains("account was deleted")), (Status::HardBounce, true));
        let expected = if cancels_mail { Status::HardBounce } else { Status::Deferred };
        assert_eq!(world.statuses(message), [expected]);
        // what is left has a day, as mail of any deleted domain
        world.pass(2 * DAY).await;
        assert_eq!(world.statuses(message), [Status::HardBounce]);
    }
}

#[tokio::test(start_paused = true)]
async fn mail_of_a_domain_that_lost_its_validation_is_held_three_days_and_then_bounced() {
    let (world, message) = deferred().await;
    world.store.domain_state(world.domain.id, DomainState::Failed, &operator(), START).unwrap();
    world.handle.directory_changed();
    world.settle().await;
    assert_eq!(world.rows(message)[0].held, Some(HoldReason::DomainInvalid));
    world.pass(2 * DAY).await;
    assert_eq!(world.statuses(message), [Status::Pending]);
    world.pass(DAY + Duration::from_secs(60)).await;
    assert_eq!(world.statuses(message), [Status::SoftBounce]);
    assert_eq!(world.store.queue(None, 10).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn mail_of_a_domain_that_is_validated_again_goes() {
    let (world, message) = deferred().await;
    world.hop("dead.example", Hop::Takes);
    for state in [DomainState::Failed, DomainState::Vouched] {
        world.store.domain_state(world.domain.id, state, &operator(), START).unwrap();
        world.handle.directory_changed();
        world.settle().await;
    }
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}
