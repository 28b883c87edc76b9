//! Mail that does not get through: deferred, bounced, told to the sender, never lost.

use std::time::Duration;

use relay::account::Account;
use relay::activity::Status;
use relay::language::Language;
use relay::outcome::{Class, Failure, Stage};
use relay::queue::{Envelope, HoldReason, Origin, Outcome, Settlement, TlsWish, Verdict};
use relay::retry::RETRY_FOR;
use relay::store::{Book, Spool, StoreError};
use relay::suppression::SuppressionCause;
use smtp::address::{Address, ReversePath};
use smtp::reply::Enhanced;
use store::memory::Verb;

use super::world::{Hop, START, World, operator};

fn refused() -> Hop {
    Hop::Fails(Failure::Connect("refused".into()))
}

fn unknown() -> Hop {
    Hop::Says(Stage::Recipient, 550, Enhanced(5, 1, 1), "No such user")
}

#[tokio::test(start_paused = true)]
async fn what_no_rule_knows_is_shown_by_its_shape() {
    let world = World::new();
    let says = Hop::Says(Stage::Recipient, 550, Enhanced(5, 0, 0), "The frobnicator declines case 17");
    world.hop("one.example", says);
    world.hop("two.example", unknown());
    let strange = world.send(1, &["a@one.example", "b@one.example"]).await;
    let known = world.send(2, &["c@two.example"]).await;
    world.settle().await;
    let shown = world.handle.unknown_replies();
    let told: Vec<_> = shown.iter().map(|reply| (reply.shape.as_str(), reply.count, reply.domain.as_str())).collect();
    assert_eq!(told, [("550 5.0.0 The frobnicator declines case <number>", 2, "one.example")]);
    let classes = |message| world.rows(message).iter().map(|row| row.class).collect::<Vec<_>>();
    assert_eq!(classes(strange), [Some(Class::Unknown), Some(Class::Unknown)]);
    assert_eq!(classes(known), [Some(Class::NoSuchMailbox)]);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_does_not_exist_is_suppressed_and_none_that_a_policy_refused() {
    let world = World::new();
    world.hop("two.example", unknown());
    let blocked = "5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus";
    world.hop("one.example", Hop::Says(Stage::Recipient, 550, Enhanced(5, 7, 1), blocked));
    let relays_own = Envelope { domain: None, ..world.envelope(3, &["nobody@two.example"]) };
    world.send(1, &["good@one.example", "Gone@Two.example"]).await;
    world.submit(relays_own).await;
    world.settle().await;
    let directory = world.store.directory();
    let suppressed: Vec<_> = directory.suppressions.values().flat_map(|all| all.iter()).collect();
    let [(address, suppression)] = &suppressed[..] else { panic!("{suppressed:?}") };
    assert_eq!((address.as_str(), suppression.cause), ("gone@two.example", SuppressionCause::Bounce));
    assert!(suppression.reason.starts_with("550 5.1.1") && suppression.until.is_some(), "{suppression:?}");
}

#[tokio::test(start_paused = true)]
async fn each_recipient_has_its_own_outcome() {
    let world = World::new();
    world.hop(
        "one.example",
        Hop::Mixed(vec![
            ("full", Stage::Recipient, 552, Enhanced(5, 2, 2), "over quota"),
            ("later", Stage::Recipient, 450, Enhanced(4, 2, 0), "busy"),
            ("nobody", Stage::Recipient, 550, Enhanced(5, 1, 1), "No such user"),
        ]),
    );
    let message =
        world.send(1, &["fine@one.example", "full@one.example", "later@one.example", "nobody@one.example"]).await;
    world.settle().await;
    let expected = [Status::Delivered, Status::SoftBounce, Status::Deferred, Status::HardBounce];
    assert_eq!(world.statuses(message), expected);
    assert_eq!(world.rows(message)[3].reply, "550 5.1.1 No such user");
    assert_eq!(world.rows(message)[3].reason, "There is no such mailbox at one.example.");
    world.hop("one.example", Hop::Takes);
    world.pass(Duration::from_secs(120)).await;
    let again: Vec<_> = world.carried().into_iter().filter(|carried| carried.envelope.message == message).collect();
    assert_eq!(again.len(), 2);
    assert_eq!(again[1].recipients, ["later@one.example"]);
    assert!(again[1].at.since(START) >= Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn too_many_recipients_at_once_follow_at_once() {
    let pace = Duration::from_millis(10);
    let world = World::with(Vec::new(), |_, hops| hops.pace = pace);
    world.hop("one.example", Hop::Mixed(vec![("b", Stage::Recipient, 452, Enhanced(4, 5, 3), "too many recipients")]));
    let message = world.send(1, &["a@one.example", "b@one.example"]).await;
    world.pass(pace * 3 / 2).await;
    assert_eq!(world.carried().len(), 1);
    world.hop("one.example", Hop::Takes);
    world.pass(pace).await;
    assert_eq!(world.statuses(message), [Status::Delivered; 2]);
    assert_eq!(world.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_comes_back_gets_its_mail() {
    let world = World::new();
    world.hop("dead.example", refused());
    let message = world.send(1, &["a@dead.example"]).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Deferred]);
    assert_eq!(world.rows(message)[0].reason, "The server of dead.example could not be reached (refused).");
    world.hop("dead.example", Hop::Takes);
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_host_with_much_mail_is_dialled_little_and_everyone_is_told() {
    let world = World::new();
    world.hop("dead.example", refused());
    let mut messages = Vec::new();
    for number in 0..500 {
        messages.push(world.send(number, &["a@dead.example"]).await);
    }
    world.settle().await;
    assert!(world.dials() <= 5, "{} dials", world.dials());
    for message in messages {
        assert_eq!(world.statuses(message), [Status::Deferred]);
    }
    world.pass(Duration::from_secs(3600)).await;
    assert!(world.dials() <= 20, "{} dials in an hour", world.dials());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_retry_period_is_a_soft_bounce_that_is_told() {
    let world = World::new();
    world.hop("dead.example", refused());
    let message = world.send(1, &["a@dead.example"]).await;
    world.pass(RETRY_FOR - Duration::from_secs(60)).await;
    assert_eq!(world.statuses(message), [Status::Deferred]);
    world.pass(Duration::from_secs(3 * 3600)).await;
    let row = &world.rows(message)[0];
    assert_eq!(row.status, Status::SoftBounce);
    assert!(row.reason.starts_with("Given up after 5 days. The last attempt: The server"), "{}", row.reason);
    assert!(row.attempts > 20, "{}", row.attempts);
    assert_eq!(world.notifications().len(), 1);
    assert_eq!(world.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_smtp_user_may_have_a_shorter_retry_period() {
    let world = World::new();
    world.hop("dead.example", refused());
    let mut envelope = world.envelope(1, &["a@dead.example"]);
    envelope.retry_for = Some(Duration::from_secs(600));
    let message = world.submit(envelope).await;
    world.pass(Duration::from_secs(700)).await;
    assert_eq!(world.statuses(message), [Status::SoftBounce]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_once_to_the_reverse_path_by_mail_of_the_relays_own() {
    let world = World::new();
    world.hop("one.example", unknown());
    let message = world.send(1, &["a@one.example", "b@one.example"]).await;
    world.settle().await;
    let told = world.notifications();
    assert_eq!(told.len(), 1, "one for both recipients");
    assert_eq!(told[0].recipients, ["app@shop.example"]);
    assert_eq!(told[0].envelope.reverse_path, ReversePath::Null);
    assert_eq!(told[0].envelope.origin, Origin::Notification(message));
    let content = String::from_utf8(told[0].content.to_vec()).unwrap();
    for part in ["a@one.example", "b@one.example", "Status: 5.1.1", "550 5.1.1 No such user", "Your order"] {
        assert!(content.contains(part), "{part} is missing in\n{content}");
    }
    let facts = &told[0].envelope.facts;
    assert_eq!(facts.octets, told[0].content.len() as u64);
    assert!(content[..facts.header_octets as usize].ends_with("\r\n\r\n"));
}

#[tokio::test(start_paused = true)]
async fn people_of_an_account_are_told_in_its_language() {
    let world = World::new();
    let account = (*world.store.directory().accounts[&world.domain.account]).clone();
    let french = Account { language: Language::French, ..account };
    world.store.account_set(french, &operator(), START).unwrap();
    world.hop("one.example", Hop::Says(Stage::Recipient, 550, Enhanced(5, 1, 1), "No such user"));
    world.send(1, &["a@one.example"]).await;
    world.settle().await;
    let told = world.notifications();
    let content = String::from_utf8(told[0].content.to_vec()).unwrap();
    assert!(content.contains("Content-Language: fr"), "{content}");
    assert_eq!(told[0].envelope.facts.subject, "Votre message n’a pas pu être remis");
    let reason = Class::NoSuchMailbox.words(Language::French, "one.example");
    let word = reason.split(' ').find(|word| word.is_ascii() && word.len() > 5).unwrap();
    assert!(content.contains(word) && content.contains("Status: 5.1.1"), "{word}: {content}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_where_the_reverse_path_is_null_or_bounce_mails_are_off_or_of_a_notification() {
    let world = World::new();
    world.hop("one.example", unknown());
    world.hop("shop.example", unknown());
    let mut null = world.envelope(1, &["a@one.example"]);
    null.reverse_path = ReversePath::Null;
    world.submit(null).await;
    world.settle().await;
    assert_eq!(world.notifications().len(), 0);
    world.send(2, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!(world.notifications().len(), 1, "the notification fails, and is not told of in turn");
    world.store.domain_bounce_mails(world.domain.id, false, &operator(), START).unwrap();
    world.send(3, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!(world.notifications().len(), 1);
    assert_eq!(world.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_suppressed_recipient_is_told() {
    let world = World::new();
    let mut envelope = world.envelope(1, &["a@one.example"]);
    envelope.suppressed = vec![Address::parse("gone@one.example", false).unwrap()];
    world.submit(envelope).await;
    world.settle().await;
    let told = world.notifications();
    assert_eq!(told.len(), 1);
    assert!(String::from_utf8_lossy(&told[0].content).contains("gone@one.example"));
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_the_notification_and_the_settlement_neither_loses_nor_doubles_it() {
    let mut world = World::new();
    world.hop("one.example", unknown());
    world.store.fail_next(Verb::Settle, StoreError::Latched("EIO".into()));
    let message = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!(world.live(), 2, "the message and its notification");
    assert_eq!(world.notifications().len(), 0, "after the latch nothing is delivered");
    // what a restart finds: both live; the model forgets its latch with a copy of its mail
    let fresh = World::new();
    for entry in world.store.queue(None, 10) {
        let kept = world.store.peek(entry.message).await.unwrap().unwrap();
        let relay::store::Content::Held(content) = kept.content else { panic!("held") };
        let mut draft = fresh.store.draft().unwrap();
        relay::store::Draft::append(&mut draft, content).await.unwrap();
        fresh.store.commit((*kept.envelope).clone(), draft).await.unwrap();
    }
    fresh.handle.shutdown(Duration::from_secs(1)).await;
    world.store = fresh.store.clone();
    world.restart();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::HardBounce]);
    assert_eq!(world.notifications().len(), 1);
    assert_eq!(world.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_told_before_the_clock_went_back_is_not_told_again() {
    let mut world = World::new();
    world.handle.shutdown(Duration::from_secs(1)).await;
    world.hop("one.example", unknown());
    // an earlier process accepted it by a clock that was ahead, told its failure, and ended before it settled that
    let mut envelope = world.envelope(1, &["a@one.example"]);
    envelope.accepted_at = START.after(Duration::from_secs(3600));
    let message = world.keep(envelope.clone()).await;
    let told = relay::notification::id(message, relay::notification::About::Failed, [0]);
    let mut notification = world.envelope(2, &["app@shop.example"]);
    (notification.message, notification.origin) = (told, Origin::Notification(message));
    world.keep(notification).await;
    let verdict = Verdict {
        recipient: 0,
        outcome: Outcome::Delivered { sandbox: false },
        class: None,
        reason: String::new(),
        remote_reply: None,
    };
    let settlement = Settlement { message: told, at: START, attempt: None, verdicts: vec![verdict] };
    world.store.settle(settlement).await.unwrap();
    world.restart();
    world.pass(Duration::from_secs(2 * 3600)).await;
    assert_eq!(world.statuses(message), [Status::HardBounce]);
    assert_eq!(world.notifications().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_latched_store_stops_delivery_and_loses_nothing() {
    let world = World::new();
    world.store.fail_next(Verb::Settle, StoreError::Latched("EIO".into()));
    world.send(1, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!(world.carried().len(), 1);
    let envelope = world.envelope(2, &["b@two.example"]);
    world.handle.arrived(&envelope);
    world.pass(Duration::from_secs(3600)).await;
    assert_eq!(world.carried().len(), 1, "nothing more is dialled");
    assert_eq!(world.live(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_fails_for_now_is_kept_later_and_the_mail_not_sent_again() {
    let world = World::new();
    for _ in 0..3 {
        world.store.fail_next(Verb::Settle, StoreError::Unavailable("busy".into()));
    }
    let message = world.send(1, &["a@one.example"]).await;
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
    assert_eq!(world.carried().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_room_for_the_notification_the_failure_waits() {
    let world = World::new();
    world.hop("one.example", Hop::Mixed(vec![("no", Stage::Recipient, 550, Enhanced(5, 1, 1), "No such user")]));
    let envelope = world.envelope(1, &["no@one.example", "yes@one.example"]);
    let message = world.keep(envelope.clone()).await;
    world.store.fail_next(Verb::Commit, StoreError::NoRoom("full".into()));
    world.handle.arrived(&envelope);
    world.settle().await;
    assert_ne!(world.statuses(message)[0], Status::HardBounce);
    assert_eq!(world.statuses(message)[1], Status::Delivered, "who got it is not sent it again");
    world.pass(Duration::from_secs(600)).await;
    assert_eq!(world.statuses(message), [Status::HardBounce, Status::Delivered]);
    assert_eq!(world.notifications().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_read_is_tried_again() {
    let world = World::new();
    world.store.fail_next(Verb::Claim, StoreError::Unavailable("damaged".into()));
    let message = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!(world.carried().len(), 0);
    world.pass(Duration::from_secs(600)).await;
    assert_eq!(world.statuses(message), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn a_recipient_settled_elsewhere_is_not_sent_again() {
    let world = World::new();
    let envelope = world.envelope(1, &["a@one.example", "b@one.example"]);
    let message = world.keep(envelope.clone()).await;
    let verdict = Verdict {
        recipient: 0,
        outcome: Outcome::Delivered { sandbox: false },
        class: None,
        reason: String::new(),
        remote_reply: None,
    };
    let settlement = Settlement { message, at: START, attempt: None, verdicts: vec![verdict] };
    world.store.settle(settlement).await.unwrap();
    world.handle.arrived(&envelope);
    world.settle().await;
    assert_eq!(world.carried()[0].recipients, ["b@one.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_signed_is_not_sent_unsigned() {
    let world = World::with(Vec::new(), |_, hops| hops.is_key_broken = true);
    world.key_seen();
    let message = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Deferred]);
    assert_eq!(world.rows(message)[0].reason, "The message could not be signed by the relay.");
    world.pass(RETRY_FOR + Duration::from_secs(6 * 3600)).await;
    assert_eq!(world.statuses(message), [Status::SoftBounce]);
    assert!(world.carried().iter().all(|carried| carried.envelope.message != message));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_goes_wrong_by_a_fault_of_ours_is_made_again() {
    let world = World::new();
    world.hop("odd.example", Hop::Panics);
    let message = world.send(1, &["a@odd.example", "b@one.example"]).await;
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Accepted, Status::Delivered]);
    assert!(world.handle.next_due().is_some_and(|due| due > START));
    world.hop("odd.example", Hop::Takes);
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(world.statuses(message), [Status::Delivered; 2]);
    assert_eq!(world.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_message_is_held_for_the_operator_and_not_tried_again_and_again() {
    let world = World::new();
    world.store.fail_next(Verb::Claim, StoreError::Damaged("the record of the message is damaged".into()));
    let message = world.send(1, &["a@one.example", "b@one.example"]).await;
    world.settle().await;
    assert_eq!(world.rows(message)[0].held, Some(HoldReason::Damaged));
    world.handle.directory_changed();
    world.pass(Duration::from_secs(24 * 3600)).await;
    assert_eq!(world.carried().len(), 0);
    // the operator has mended it
    world.handle.release(message).await.unwrap();
    world.settle().await;
    assert_eq!(world.statuses(message), [Status::Delivered; 2]);
}

#[tokio::test(start_paused = true)]
async fn what_a_policy_about_tls_keeps_waiting_does_not_hold_up_mail_that_waives_it() {
    let world = World::new();
    world.hop("one.example", Hop::Fails(Failure::Tls("the certificate is not valid".into())));
    let waiting = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!(world.statuses(waiting), [Status::Deferred]);
    let waiving = Envelope { tls_wish: TlsWish::Waived, ..world.envelope(2, &["b@one.example"]) };
    let waiving = world.submit(waiving).await;
    world.settle().await;
    assert_eq!(world.statuses(waiving), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn mail_whose_sender_requires_tls_does_not_hold_up_that_of_others() {
    let world = World::new();
    world.hop("one.example", Hop::Fails(Failure::SenderTls("the handshake broke".into())));
    let waiting = world.send(1, &["a@one.example"]).await;
    world.settle().await;
    assert_eq!((world.statuses(waiting), world.rows(waiting)[0].class), (vec![Status::Deferred], Some(Class::Tls)));
    world.hop("one.example", Hop::Takes);
    let other = world.send(2, &["b@one.example"]).await;
    world.settle().await;
    assert_eq!(world.statuses(other), [Status::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn mail_that_waives_tls_goes_its_own_way_after_a_restart_too() {
    let mut world = World::new();
    world.hop("one.example", Hop::Fails(Failure::Tls("the certificate is not valid".into())));
    let ordinary = world.keep(world.envelope(1, &["a@one.example"])).await;
    let waiving = Envelope { tls_wish: TlsWish::Waived, ..world.envelope(2, &["b@one.example"]) };
    let waiving = world.keep(waiving).await;
    world.restart();
    world.settle().await;
    assert_eq!((world.statuses(ordinary), world.statuses(waiving)), (vec![Status::Deferred], vec![Status::Delivered]));
}
