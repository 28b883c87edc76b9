//! Live mail: what is committed is there, what is settled is not.

use bytes::Bytes;
use relay::activity::ActivityFilter;
use relay::notification::Requests;
use relay::priority::{Class, Priority};
use relay::queue::{Envelope, HoldReason, Outcome, RecipientState};
use relay::store::{Draft as _, QueueEntry, Store, StoreError};
use smtp::dsn::{Notify, Ret};
use smtp::envelope::RcptParameters;

use crate::world::*;

fn waiting(due: relay::clock::Timestamp, attempts: u32) -> RecipientState {
    RecipientState::Waiting { due, attempts }
}

fn states(entry: &QueueEntry) -> Vec<(u16, RecipientState)> {
    entry.recipients.iter().map(|(number, _, state)| (*number, state.clone())).collect()
}

fn only_entry(store: &impl Store) -> QueueEntry {
    let mut queue = store.queue(None, 10);
    assert_eq!(queue.len(), 1, "{queue:?}");
    queue.remove(0)
}

pub(crate) async fn commit_keeps_envelope_and_content(store: &impl Store) {
    let envelope = envelope(1, &["anna@example.org", "bert@example.net"]);
    let message = commit(store, envelope.clone()).await;
    let entry = only_entry(store);
    assert_eq!((entry.message, entry.account, entry.domain), (message, envelope.account, envelope.domain));
    assert_eq!(entry.accepted_at, envelope.accepted_at);
    assert_eq!(states(&entry), [(0, waiting(later(1), 0)), (1, waiting(later(1), 0))]);
    assert_eq!(&*entry.recipients[1].1, "example.net");
    let claimed = store.claim(message).await.unwrap().unwrap();
    assert_eq!(*claimed.envelope, envelope);
    assert_eq!(claimed.recipients, [waiting(later(1), 0), waiting(later(1), 0)]);
    assert_eq!(octets_of(&claimed.content), CONTENT);
    assert_eq!(claimed.seal, None);
}

pub(crate) async fn what_was_asked_about_notifications_is_kept_too(store: &impl Store) {
    let asked = RcptParameters { notify: Notify::parse("DELAY"), orcpt: Some("rfc822;B+2B@example.net".into()) };
    let requests = Requests {
        ret: Some(Ret::Headers),
        envid: Some("Order+207".into()),
        recipients: vec![RcptParameters::default(), asked.clone()],
        suppressed: vec![RcptParameters { notify: Some(Notify::NEVER), orcpt: None }],
    };
    let mut envelope = envelope(1, &["anna@example.org", "bert@example.net"]);
    envelope.requests = Some(Box::new(requests));
    let message = commit(store, envelope.clone()).await;
    assert_eq!(*store.peek(message).await.unwrap().unwrap().envelope, envelope);
    let claimed = store.claim(message).await.unwrap().unwrap();
    assert_eq!(claimed.envelope.asked(1), Some(&asked));
}

pub(crate) async fn how_urgent_mail_is_is_known_to_the_queue(store: &impl Store) {
    for (number, priority) in [(1, Priority::LOW), (2, Priority::NORMAL), (3, Priority::HIGH)] {
        commit(store, Envelope { priority, ..envelope(number, &["anna@example.org"]) }).await;
    }
    let classes: Vec<Class> = store.queue(None, 10).iter().map(|entry| entry.class).collect();
    assert_eq!(classes, [Class::Low, Class::Normal, Class::High]);
    assert_eq!(store.peek(message(3)).await.unwrap().unwrap().envelope.priority, Priority::HIGH);
    let rows = rows(store, ActivityFilter::default()).await;
    let told = |id| rows.iter().find(|row| row.message == Some(message(id))).unwrap().row;
    let priority = |id| store.activity_detail(told(id)).unwrap().unwrap().priority;
    assert_eq!([1, 2, 3].map(priority), [Priority::LOW, Priority::NORMAL, Priority::HIGH].map(Some));
}

pub(crate) async fn an_abandoned_draft_leaves_nothing(store: &impl Store) {
    let mut draft = store.draft().unwrap();
    draft.append(Bytes::from_static(CONTENT)).await.unwrap();
    drop(draft);
    assert!(store.queue(None, 10).is_empty());
    assert_eq!(store.health().messages, 0);
}

pub(crate) async fn large_content_comes_back_whole(store: &impl Store) {
    let content: Vec<u8> = (0..3_000_000u32).flat_map(|number| number.to_be_bytes()).collect();
    let message = commit_with(store, envelope(1, &["anna@example.org"]), &content).await;
    let claimed = store.claim(message).await.unwrap().unwrap();
    assert!(octets_of(&claimed.content) == content, "other content came back");
}

pub(crate) async fn a_claim_excludes_others_until_given_back(store: &impl Store) {
    let message = commit(store, envelope(1, &["anna@example.org"])).await;
    assert!(store.claim(message).await.unwrap().is_some());
    assert!(store.claim(message).await.unwrap().is_none());
    store.unclaim(message);
    assert!(store.claim(message).await.unwrap().is_some());
}

pub(crate) async fn what_is_not_there_is_not_claimed(store: &impl Store) {
    assert!(store.claim(message(1)).await.unwrap().is_none());
    assert!(store.peek(message(1)).await.unwrap().is_none());
    store.unclaim(message(1));
    let settled = commit(store, envelope(2, &["anna@example.org"])).await;
    store.claim(settled).await.unwrap().unwrap();
    store.settle(settlement(settled, later(3), &[(0, DELIVERED)])).await.unwrap();
    assert!(store.claim(settled).await.unwrap().is_none());
    assert!(store.peek(settled).await.unwrap().is_none());
}

pub(crate) async fn settled_recipients_leave_one_by_one(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org", "c@example.org"])).await;
    store.claim(message).await.unwrap().unwrap();
    store.settle(settlement(message, later(2), &[(1, DELIVERED)])).await.unwrap();
    assert_eq!(states(&only_entry(store)), [(0, waiting(later(1), 0)), (2, waiting(later(1), 0))]);
    let live = store.peek(message).await.unwrap().unwrap();
    assert_eq!(live.recipients, [waiting(later(1), 0), RecipientState::Settled, waiting(later(1), 0)]);
    let rest = [(0, Outcome::HardBounced), (2, Outcome::SoftBounced)];
    store.settle(settlement(message, later(3), &rest)).await.unwrap();
    assert!(store.queue(None, 10).is_empty());
}

pub(crate) async fn a_deferred_recipient_waits_for_its_time(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.claim(message).await.unwrap().unwrap();
    let deferred = Outcome::Deferred { until: later(600) };
    store.settle(settlement(message, later(2), &[(0, deferred), (1, DELIVERED)])).await.unwrap();
    store.unclaim(message);
    assert_eq!(states(&only_entry(store)), [(0, waiting(later(600), 1))]);
    let claimed = store.claim(message).await.unwrap().unwrap();
    assert_eq!(claimed.recipients, [waiting(later(600), 1), RecipientState::Settled]);
}

pub(crate) async fn an_attempt_counts_and_a_cancellation_does_not(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org"])).await;
    let deferred = [(0, Outcome::Deferred { until: later(600) })];
    store.settle(settlement(message, later(2), &deferred)).await.unwrap();
    let mut without_attempt = settlement(message, later(3), &deferred);
    without_attempt.attempt = None;
    store.settle(without_attempt).await.unwrap();
    assert_eq!(states(&only_entry(store)), [(0, waiting(later(600), 1))]);
}

pub(crate) async fn a_second_verdict_changes_nothing(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    store.settle(settlement(message, later(3), &[(0, Outcome::HardBounced)])).await.unwrap();
    assert_eq!(states(&only_entry(store)), [(1, waiting(later(1), 0))]);
    let delivered = relay::activity::ActivityFilter { recipient: Some("a@".into()), ..Default::default() };
    let rows = rows(store, delivered).await;
    assert_eq!((rows[0].status, rows[0].updated_at), (relay::activity::Status::Delivered, later(2)));
}

pub(crate) async fn what_is_held_stays_held_until_released(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    store.hold(message, HoldReason::Operator, later(3)).await.unwrap();
    let held = RecipientState::Held { reason: HoldReason::Operator, attempts: 0 };
    assert_eq!(states(&only_entry(store)), [(1, held)]);
    store.release(message, later(4)).await.unwrap();
    assert_eq!(states(&only_entry(store)), [(1, waiting(later(4), 0))]);
}

pub(crate) async fn some_of_a_message_are_held_and_released(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org", "c@example.org"])).await;
    store.hold_some(message, Some(vec![0, 2, 7]), HoldReason::Operator, later(3)).await.unwrap();
    let held = RecipientState::Held { reason: HoldReason::Operator, attempts: 0 };
    let first = waiting(later(1), 0);
    assert_eq!(states(&only_entry(store)), [(0, held.clone()), (1, first.clone()), (2, held.clone())]);
    store.hold_some(message, Some(vec![0]), HoldReason::Brake, later(4)).await.unwrap();
    store.release_some(message, Some(vec![1, 2]), later(5)).await.unwrap();
    assert_eq!(states(&only_entry(store)), [(0, held), (1, first), (2, waiting(later(5), 0))]);
    let shown: Vec<_> = rows(store, relay::activity::ActivityFilter::default()).await;
    let mut shown: Vec<_> = shown.iter().map(|row| (row.recipient.as_str(), row.held)).collect();
    shown.sort_by_key(|(recipient, _)| *recipient);
    let expected = [("a@example.org", Some(HoldReason::Operator)), ("b@example.org", None), ("c@example.org", None)];
    assert_eq!(shown, expected);
}

pub(crate) async fn a_hold_by_the_operator_takes_the_place_of_one_that_ends_by_itself(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.hold(message, HoldReason::AccountSuspended, later(2)).await.unwrap();
    store.hold_some(message, Some(vec![1]), HoldReason::Operator, later(3)).await.unwrap();
    store.hold(message, HoldReason::Brake, later(4)).await.unwrap();
    let held = |reason| RecipientState::Held { reason, attempts: 0 };
    let expected = [(0, held(HoldReason::AccountSuspended)), (1, held(HoldReason::Operator))];
    assert_eq!(states(&only_entry(store)), expected);
    let mut shown: Vec<_> = rows(store, relay::activity::ActivityFilter::default()).await;
    shown.sort_by(|one, other| one.recipient.cmp(&other.recipient));
    let shown: Vec<_> = shown.iter().map(|row| row.held).collect();
    assert_eq!(shown, [Some(HoldReason::AccountSuspended), Some(HoldReason::Operator)]);
}

pub(crate) async fn a_hold_outlasts_the_attempt_it_met(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.claim(message).await.unwrap().unwrap();
    store.hold(message, HoldReason::AccountSuspended, later(2)).await.unwrap();
    let verdicts = [(0, Outcome::Deferred { until: later(600) }), (1, DELIVERED)];
    store.settle(settlement(message, later(3), &verdicts)).await.unwrap();
    store.unclaim(message);
    let held = RecipientState::Held { reason: HoldReason::AccountSuspended, attempts: 1 };
    assert_eq!(states(&only_entry(store)), [(0, held)]);
}

pub(crate) async fn a_seal_is_kept(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org"])).await;
    let seal = Bytes::from_static(b"DKIM-Signature: v=1\r\n");
    store.seal(message, seal.clone());
    assert_eq!(store.claim(message).await.unwrap().unwrap().seal, Some(seal));
}

pub(crate) async fn the_queue_is_read_in_pages(store: &impl Store) {
    for number in [3, 1, 4, 2, 5] {
        commit(store, envelope(number, &["a@example.org"])).await;
    }
    let numbers = |page: Vec<QueueEntry>| page.iter().map(|entry| entry.message).collect::<Vec<_>>();
    assert_eq!(numbers(store.queue(None, 2)), [message(1), message(2)]);
    assert_eq!(numbers(store.queue(Some(message(2)), 2)), [message(3), message(4)]);
    assert_eq!(numbers(store.queue(Some(message(4)), 2)), [message(5)]);
    assert!(store.queue(Some(message(5)), 2).is_empty());
}

pub(crate) async fn peeking_claims_nothing(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org"])).await;
    let live = store.peek(message).await.unwrap().unwrap();
    assert_eq!(octets_of(&live.content), CONTENT);
    assert!(store.claim(message).await.unwrap().is_some());
    assert!(store.peek(message).await.unwrap().is_some());
}

pub(crate) async fn a_message_with_suppressed_recipients_alone_is_done(store: &impl Store) {
    let mut envelope = envelope(1, &[]);
    envelope.suppressed = vec![address("gone@example.org")];
    commit(store, envelope).await;
    assert!(store.queue(None, 10).is_empty());
    assert_eq!(only_row(store).await.recipient, "gone@example.org");
}

pub(crate) async fn verbs_on_what_is_not_live_say_so(store: &impl Store) {
    let is_told = |result| matches!(result, Err(StoreError::NotFound(_)));
    assert!(is_told(store.hold(message(1), HoldReason::Operator, NOW).await));
    assert!(is_told(store.release(message(1), NOW).await));
    assert!(is_told(store.settle(settlement(message(1), NOW, &[(0, DELIVERED)])).await));
}

pub(crate) async fn health_counts_what_is_live(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org"])).await;
    commit(store, envelope(2, &["a@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    let health = store.health();
    assert_eq!((health.messages, health.recipients), (2, 2));
    assert_eq!((health.latched, health.full), (None, false));
    assert!(!store.is_latched());
    assert!(health.damage.is_empty());
}
