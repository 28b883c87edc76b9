//! The sandbox: nothing is dialled, what it takes is kept before it is settled, and addresses are answered as they say.

use std::time::Duration;

use relay::activity::Status;
use relay::id::{Id, MessageId};
use relay::outcome::Failure;
use relay::retry::DELAYS;
use relay::sandbox::{Captured, CapturedFilter};
use relay::store::{Inbox, StoreError};
use store::memory::Verb;

use super::world::{CONTENT, Hop, SYSTEM, World};

impl World {
    async fn send_in_sandbox(&self, number: u128, recipients: &[&str]) -> MessageId {
        let mut envelope = self.envelope(number, recipients);
        envelope.sandbox = true;
        let message = self.submit(envelope).await;
        self.settle().await;
        message
    }

    fn inbox(&self) -> Vec<Captured> {
        self.store.inbox(&CapturedFilter { limit: 100, ..CapturedFilter::default() }).unwrap()
    }

    fn captured(&self, message: MessageId) -> String {
        let (_, content) = self.store.inbox_message(None, message).unwrap().unwrap();
        String::from_utf8(content.to_vec()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn mail_is_taken_signed_and_kept_without_dialling_even_for_a_dead_host() {
    let world = World::new();
    world.key_seen();
    world.hop("dead.example", Hop::Fails(Failure::Connect("refused".into())));
    world.send(1, &["a@dead.example"]).await;
    world.settle().await;
    let dials = world.dials();
    let message = world.send_in_sandbox(2, &["a@dead.example", "b@one.example"]).await;
    assert_eq!((world.dials(), world.live()), (dials, 1), "the other one waits for its host");
    let rows = world.rows(message);
    assert!(rows.iter().all(|row| row.status == Status::Delivered && row.sandbox && row.attempts == 1));
    let kept = world.inbox();
    assert_eq!((kept.len(), kept[0].message, kept[0].account), (1, message, world.domain.account));
    let mut recipients = kept[0].recipients.clone();
    recipients.sort();
    assert_eq!(recipients, ["a@dead.example", "b@one.example"], "one message, whatever the sites");
    let content = world.captured(message);
    assert!(content.starts_with("DKIM-Signature: ") && content.ends_with(CONTENT), "{content}");
    assert_eq!(kept[0].octets, content.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn addresses_are_answered_as_they_say_and_the_bounce_mail_is_kept_too() {
    let world = World::new();
    let to = ["bounce+550@one.example", "bounce+552@one.example", "bounce+554-5.7.1@one.example", "fine@one.example"];
    let message = world.send_in_sandbox(1, &to).await;
    use Status::{Delivered, HardBounce, SoftBounce};
    assert_eq!(world.statuses(message), [HardBounce, SoftBounce, HardBounce, Delivered]);
    let hard = &world.rows(message)[0];
    assert_eq!(hard.reason, "There is no such mailbox at one.example.");
    assert_eq!(hard.reply, "550 Answered by the sandbox, as the address asks");
    assert!(hard.sandbox && hard.last_attempt.as_ref().is_some_and(|attempt| attempt.host == "sandbox"));
    assert_eq!((world.dials(), world.live(), world.notifications().len()), (0, 0, 0));
    let kept = world.inbox();
    let of = |about| kept.iter().find(|captured| captured.about == about).unwrap();
    assert_eq!(of(None).recipients, ["fine@one.example"]);
    let told = of(Some(message));
    assert_eq!((told.account, &*told.recipients), (world.domain.account, &["app@shop.example".to_owned()][..]));
    assert_ne!(told.account, Id::new(SYSTEM));
    let dsn = world.captured(told.message);
    for (address, status) in [("bounce+550", "5.1.1"), ("bounce+552", "5.2.2"), ("bounce+554-5.7.1", "5.7.1")] {
        assert!(dsn.contains(&format!("Final-Recipient: rfc822; {address}@one.example")), "{dsn}");
        assert!(dsn.contains(&format!("Status: {status}")), "{dsn}");
    }
    assert!(dsn.contains("Remote-MTA: dns; sandbox"), "{dsn}");
}

#[tokio::test(start_paused = true)]
async fn a_deferred_address_is_taken_at_the_second_attempt() {
    let world = World::new();
    let message = world.send_in_sandbox(1, &["defer+421@one.example", "fine@one.example"]).await;
    assert_eq!(world.statuses(message), [Status::Deferred, Status::Delivered]);
    assert_eq!(world.rows(message)[0].reply, "421 Answered by the sandbox, as the address asks");
    world.pass(DELAYS[0] * 2).await;
    assert_eq!(world.statuses(message), [Status::Delivered, Status::Delivered]);
    assert_eq!((world.rows(message)[0].attempts, world.dials()), (2, 0));
    assert_eq!(world.inbox()[0].recipients, ["fine@one.example", "defer+421@one.example"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_not_delivered() {
    let world = World::new();
    world.store.fail_next(Verb::Inbox, StoreError::NoRoom("full".into()));
    let message = world.send_in_sandbox(1, &["a@one.example"]).await;
    assert_eq!((world.statuses(message), world.inbox().len()), (vec![Status::Deferred], 0));
    assert_eq!(world.rows(message)[0].reason, "The test inbox cannot keep the message at the moment.");
    world.pass(DELAYS[0] * 2).await;
    assert_eq!((world.statuses(message), world.inbox().len()), (vec![Status::Delivered], 1));
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_outcome_a_crash_lost_is_kept_once() {
    let mut world = World::new();
    world.store.fail_next(Verb::Settle, StoreError::Unavailable("not now".into()));
    let message = world.send_in_sandbox(1, &["a@one.example"]).await;
    // kept, and not settled
    assert_eq!((world.live(), world.inbox().len()), (1, 1));
    world.handle.shutdown(Duration::ZERO).await;
    assert_eq!(world.live(), 1, "the attempt was cut off");
    world.restart();
    world.pass(Duration::from_secs(1)).await;
    assert_eq!((world.statuses(message), world.inbox().len()), (vec![Status::Delivered], 1));
    assert_eq!(world.inbox()[0].recipients, ["a@one.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_cannot_be_told_in_the_inbox_is_settled_later() {
    let world = World::new();
    world.store.fail_next(Verb::Inbox, StoreError::Unavailable("locked".into()));
    let message = world.send_in_sandbox(1, &["bounce+550@one.example"]).await;
    assert_eq!((world.live(), world.inbox().len()), (1, 0));
    world.pass(Duration::from_secs(10 * 60)).await;
    assert_eq!((world.statuses(message), world.inbox().len()), (vec![Status::HardBounce], 1));
}
