//! Webhooks and their calls: each event is told once to whoever wants it, and what is kept is bounded.

use relay::clock::Timestamp;
use relay::id::Id;
use relay::queue::Outcome;
use relay::store::{NewWebhook, Store, StoreError, WebhookChange};
use relay::webhook::{
    Call, CallState, EventKind, RETRY_FOR, ROTATION, Redo, Tried, Try, Verdict, Webhook, WebhookState, test_call,
};
use smtp::server::Secret;

use crate::world::*;

/// Account 1 with a webhook that is told of these events.
fn webhook(store: &impl Store, events: &[EventKind]) -> Webhook {
    if store.directory().accounts.is_empty() {
        store.account_add("Shop", &operator(), NOW).unwrap();
    }
    let new = NewWebhook {
        account: Id::new(1),
        name: "Shop".into(),
        url: "https://example.com/hook".into(),
        events: events.to_vec(),
        domain: None,
        user: None,
    };
    let made = store.webhook_add(new, secret(1), &operator(), NOW).unwrap();
    (*made).clone()
}

fn secret(number: u8) -> Secret {
    Secret::new(format!("whsec_{number}").into_bytes())
}

fn change(store: &impl Store, webhook: &Webhook, change: WebhookChange, at: Timestamp) -> Webhook {
    (*store.webhook_change(webhook.id, change, &operator(), at).unwrap()).clone()
}

async fn calls(store: &impl Store, webhook: &Webhook) -> Vec<Call> {
    store.caught_up().await;
    let mut calls = store.webhook_calls(webhook.id, None, 100).unwrap();
    calls.reverse();
    calls
}

fn kinds(calls: &[Call]) -> Vec<EventKind> {
    calls.iter().map(|call| call.new.event).collect()
}

fn tried(call: &Call, verdict: Verdict) -> Tried {
    let status = if verdict == Verdict::Delivered { 200 } else { 500 };
    Tried {
        webhook: call.new.webhook,
        number: call.number,
        call: call.new.call,
        last: Try {
            at: later(50),
            milliseconds: 12,
            status: Some(status),
            fault: if status == 200 { String::new() } else { "The receiver answered 500.".into() },
            answer: "so be it".into(),
        },
        verdict,
    }
}

/// So many messages, each with one recipient: an event each.
async fn send(store: &impl Store, numbers: std::ops::Range<u64>) {
    for number in numbers {
        commit(store, envelope(number, &[&format!("r{number}@example.org")])).await;
    }
    store.caught_up().await;
}

pub(crate) async fn a_webhook_changes_in_each_way(store: &impl Store) {
    let made = webhook(store, &[EventKind::Delivered]);
    assert_eq!((made.id, made.state, made.created_at), (Id::new(1), WebhookState::Enabled, NOW));
    let wanted = Webhook { name: "Till".into(), events: vec![EventKind::HardBounce], domain: Some(Id::new(3)), ..made };
    let set = change(store, &wanted, WebhookChange::Settings(wanted.clone()), later(1));
    assert_eq!(set, wanted);
    for state in [WebhookState::Disabled, WebhookState::Enabled, WebhookState::Gone] {
        assert_eq!(change(store, &set, WebhookChange::State(state), later(2)).state, state);
    }
    assert_eq!(store.directory().webhook(set.id).unwrap().state, WebhookState::Gone);
    let lines = store.audit(Some(Id::new(1)), 5).unwrap();
    assert!(lines[4].subject.starts_with("webhook 1 Shop: url https://example.com/…; events "), "{}", lines[4].subject);
    assert!(
        lines.iter().all(|line| !format!("{line:?}").contains("/hook")),
        "what follows the host may let somebody in"
    );
    let log: Vec<_> = lines.into_iter().map(|line| line.action).collect();
    assert_eq!(log, ["webhook.gone", "webhook.enable", "webhook.disable", "webhook.set", "webhook.add"]);
    store.webhook_delete(set.id, &operator(), later(3)).unwrap();
    assert_eq!(store.directory().webhooks_of(Id::new(1)).count(), 0);
    let is_told = |result: Result<(), StoreError>| matches!(result, Err(StoreError::NotFound(_)));
    assert!(is_told(store.webhook_delete(set.id, &operator(), later(3))));
    assert!(is_told(store.webhook_secrets(set.id, later(3)).map(drop)));
    assert_eq!(webhook(store, &[EventKind::Delivered]).id, Id::new(2), "no number is given twice");
}

pub(crate) async fn a_secret_signs_for_a_day_beside_the_new_one(store: &impl Store) {
    let made = webhook(store, &[EventKind::Delivered]);
    assert_eq!(store.webhook_secrets(made.id, NOW).unwrap(), [secret(1)]);
    change(store, &made, WebhookChange::Secret(secret(2)), NOW);
    assert_eq!(store.webhook_secrets(made.id, NOW).unwrap(), [secret(2), secret(1)]);
    change(store, &made, WebhookChange::Secret(secret(3)), later(60));
    assert_eq!(store.webhook_secrets(made.id, later(60)).unwrap(), [secret(3), secret(2)], "two at the most");
    assert_eq!(store.webhook_secrets(made.id, later(60).after(ROTATION)).unwrap(), [secret(3)]);
}

pub(crate) async fn each_event_that_is_wanted_is_a_call(store: &impl Store) {
    let all = webhook(store, &EventKind::CHOICES);
    let bounces = webhook(store, &[EventKind::HardBounce]);
    let mut sent = envelope(1, &["a@example.org", "b@example.org"]);
    sent.suppressed = vec![address("gone@example.org")];
    let message = commit(store, sent).await;
    let first = [(0, Outcome::Deferred { until: later(600) }), (1, Outcome::HardBounced)];
    store.settle(settlement(message, later(2), &first)).await.unwrap();
    store.hold(message, relay::queue::HoldReason::Operator, later(3)).await.unwrap();
    store.release(message, later(4)).await.unwrap();
    store.settle(settlement(message, later(600), &[(0, DELIVERED)])).await.unwrap();
    let told = calls(store, &all).await;
    let body = |call: &Call| serde_json::from_str::<serde_json::Value>(&call.new.body).unwrap();
    let mut seen: Vec<_> = told
        .iter()
        .map(|call| (call.new.event, body(call)["data"]["recipient"].as_str().unwrap()[..1].to_owned(), call.new.at))
        .collect();
    seen.sort();
    // at most five wait here, and this is the sixth event
    assert_eq!(told.len(), 5);
    let (a, b, g) = ("a".to_owned(), "b".to_owned(), "g".to_owned());
    let expected = [
        (EventKind::Rejected, g, later(1)),
        (EventKind::Accepted, a.clone(), later(1)),
        (EventKind::Accepted, b.clone(), later(1)),
        (EventKind::Deferred, a, later(2)),
        (EventKind::HardBounce, b, later(2)),
    ];
    assert_eq!(seen, expected);
    let bounced = calls(store, &bounces).await;
    assert_eq!(kinds(&bounced), [EventKind::HardBounce]);
    let (call, body) = (&bounced[0], body(&bounced[0]));
    assert_eq!(
        (call.state, call.attempts, call.due, call.until),
        (CallState::Waiting, 0, later(2), later(2).after(RETRY_FOR))
    );
    assert_eq!((&body["type"], &body["data"]["reason"]), (&"recipient.hard_bounce".into(), &"No such address.".into()));
    assert_eq!(body["data"]["attempts"], 1);
    assert_ne!(call.new.call, told.iter().find(|one| one.new.event == EventKind::HardBounce).unwrap().new.call);
}

pub(crate) async fn what_nobody_wants_is_no_call(store: &impl Store) {
    let made = webhook(store, &EventKind::CHOICES);
    change(store, &made, WebhookChange::State(WebhookState::Disabled), NOW);
    let other = Webhook { domain: Some(Id::new(9)), ..webhook(store, &EventKind::CHOICES) };
    change(store, &other, WebhookChange::Settings(other.clone()), NOW);
    let late = store.webhook_add(
        NewWebhook {
            account: Id::new(1),
            name: "Late".into(),
            url: "https://example.com/".into(),
            events: EventKind::CHOICES.to_vec(),
            domain: None,
            user: None,
        },
        secret(1),
        &operator(),
        later(100),
    );
    send(store, 1..3).await;
    for webhook in [&made, &other, &late.unwrap()] {
        assert_eq!(calls(store, webhook).await, []);
    }
    assert_eq!(store.webhook_outlooks().unwrap(), []);
}

pub(crate) async fn a_call_waits_until_it_is_taken(store: &impl Store) {
    let made = webhook(store, &[EventKind::Accepted]);
    send(store, 1..4).await;
    let due = |now, limit| store.webhook_due(made.id, now, limit).unwrap();
    assert_eq!(due(later(2), 10).len(), 2, "the third happens later");
    let all = due(later(9), 10);
    assert_eq!((all.len(), due(later(9), 1)), (3, vec![all[0].clone()]));
    let outlooks = store.webhook_outlooks().unwrap();
    assert_eq!((outlooks.len(), outlooks[0].waiting, outlooks[0].due), (1, 3, later(1)));
    let outcomes = [
        tried(&all[0], Verdict::Delivered),
        tried(&all[1], Verdict::Again(later(99))),
        tried(&all[2], Verdict::Failed),
    ];
    store.webhook_tried(&outcomes).unwrap();
    assert_eq!(due(later(98), 10), []);
    let again = &due(later(99), 10)[0];
    assert_eq!((again.number, again.attempts, again.last.clone()), (all[1].number, 1, Some(outcomes[1].last.clone())));
    let states: Vec<_> = calls(store, &made).await.iter().map(|call| call.state).collect();
    assert_eq!(states, [CallState::Delivered, CallState::Waiting, CallState::Failed]);
    assert_eq!(store.webhook_standings().unwrap()[&made.id].waiting, 1);
    // told twice, or about another call, it changes nothing
    store.webhook_tried(&[tried(&all[0], Verdict::Failed), Tried { number: 99, ..outcomes[1].clone() }]).unwrap();
    let first = store.webhook_call(made.id, all[0].new.call).unwrap().unwrap();
    assert_eq!((first.state, first.attempts), (CallState::Delivered, 1));
    assert_eq!(store.webhook_call(Id::new(7), all[0].new.call).unwrap(), None);
}

pub(crate) async fn what_has_waited_for_a_day_is_given_up(store: &impl Store) {
    let made = webhook(store, &[EventKind::Accepted]);
    send(store, 1..3).await;
    assert_eq!(store.webhook_expire(later(1).after(RETRY_FOR)).unwrap(), 1);
    let states: Vec<_> = calls(store, &made).await.iter().map(|call| (call.state, call.attempts)).collect();
    assert_eq!(states, [(CallState::Failed, 0), (CallState::Waiting, 0)]);
    assert_eq!(store.webhook_standings().unwrap()[&made.id].waiting, 1);
}

pub(crate) async fn what_waits_is_bounded_and_what_is_dropped_is_counted(store: &impl Store) {
    let made = webhook(store, &[EventKind::Accepted]);
    send(store, 1..9).await;
    let standing = store.webhook_standings().unwrap()[&made.id];
    assert_eq!((standing.waiting, standing.dropped, standing.dropped_at), (5, 3, Some(later(8))));
    let test = test_call(&made, later(9), &mut Counted(1));
    assert!(matches!(store.webhook_put(test.clone()), Err(StoreError::Conflict(_))));
    let first = store.webhook_due(made.id, later(9), 1).unwrap().remove(0);
    store.webhook_tried(&[tried(&first, Verdict::Delivered)]).unwrap();
    store.webhook_put(test).unwrap();
    send(store, 9..10).await;
    let standing = store.webhook_standings().unwrap()[&made.id];
    assert_eq!((standing.waiting, standing.dropped), (5, 5), "the refused test is counted as well");
}

pub(crate) async fn the_log_keeps_the_newest(store: &impl Store) {
    let made = webhook(store, &[EventKind::Accepted]);
    for round in 0..3 {
        send(store, round * 3 + 1..round * 3 + 4).await;
        let due = store.webhook_due(made.id, later(99), 10).unwrap();
        let all: Vec<_> = due.iter().map(|call| tried(call, Verdict::Delivered)).collect();
        store.webhook_tried(&all).unwrap();
    }
    let kept = calls(store, &made).await;
    let at: Vec<_> = kept.iter().map(|call| call.new.at).collect();
    assert_eq!(at, [later(6), later(7), later(8), later(9)]);
    let page = store.webhook_calls(made.id, Some(kept[2].number), 1).unwrap();
    assert_eq!(page, [kept[1].clone()], "pages meet");
    assert_eq!(store.webhook_calls(made.id, Some(u64::MAX), 100).unwrap().len(), 4);
}

pub(crate) async fn calls_are_sent_once_more(store: &impl Store) {
    let made = webhook(store, &[EventKind::Accepted]);
    send(store, 1..5).await;
    let all = store.webhook_due(made.id, later(9), 10).unwrap();
    let verdicts = [Verdict::Delivered, Verdict::Failed, Verdict::Failed, Verdict::Failed];
    let outcomes: Vec<_> = all.iter().zip(verdicts).map(|(call, verdict)| tried(call, verdict)).collect();
    store.webhook_tried(&outcomes).unwrap();
    assert_eq!(store.webhook_redo(made.id, Redo::FailedSince(later(3)), later(200)).unwrap(), 2);
    let due = store.webhook_due(made.id, later(200), 10).unwrap();
    assert_eq!(due.iter().map(|call| call.new.call).collect::<Vec<_>>(), [all[2].new.call, all[3].new.call]);
    assert_eq!((due[0].attempts, due[0].until, &due[0].new.body), (0, later(200).after(RETRY_FOR), &all[2].new.body));
    // what was taken is sent again where it is asked for by its id
    assert_eq!(store.webhook_redo(made.id, Redo::One(all[0].new.call), later(201)).unwrap(), 1);
    assert_eq!(store.webhook_standings().unwrap()[&made.id].waiting, 3);
    let unknown = relay::webhook::CallId([9; 16]);
    assert!(matches!(store.webhook_redo(made.id, Redo::One(unknown), later(201)), Err(StoreError::NotFound(_))));
    // one that waits is due at once, and no second call
    store.webhook_tried(&[tried(&due[0], Verdict::Again(later(5_000)))]).unwrap();
    assert_eq!(store.webhook_redo(made.id, Redo::One(due[0].new.call), later(300)).unwrap(), 1);
    let waiting = store.webhook_call(made.id, due[0].new.call).unwrap().unwrap();
    assert_eq!((waiting.due, waiting.attempts), (later(300), 1));
    // as far as there is room
    send(store, 5..7).await;
    assert!(matches!(
        store.webhook_redo(made.id, Redo::One(all[1].new.call), later(301)),
        Err(StoreError::Conflict(_))
    ));
    assert_eq!(store.webhook_redo(made.id, Redo::FailedSince(NOW), later(301)).unwrap(), 0);
}

pub(crate) async fn who_waits_for_calls_hears_of_them(store: &impl Store) {
    let made = webhook(store, &[EventKind::Accepted]);
    let first = store.webhooks_called(0);
    send(store, 1..2).await;
    let mark = first.await;
    let next = store.webhooks_called(mark);
    store.webhook_put(test_call(&made, later(9), &mut Counted(1))).unwrap();
    assert!(next.await > mark);
}

/// What only a data folder has: it is there after a restart, and goes when its time has come.
mod in_a_folder {
    use super::*;
    use std::time::Duration;

    use relay::store::{Book as _, History as _, Spool as _, Webhooks as _};

    #[tokio::test]
    async fn webhooks_and_what_waits_are_there_again() {
        let folder = Folder::new();
        let store = folder.open();
        let made = webhook(&store, &[EventKind::Accepted]);
        let made = change(&store, &made, WebhookChange::Secret(secret(2)), later(1));
        send(&store, 1..4).await;
        let due = store.webhook_due(made.id, later(9), 2).unwrap();
        store.webhook_tried(&[tried(&due[0], Verdict::Delivered), tried(&due[1], Verdict::Again(later(60)))]).unwrap();
        let (before, directory) = (calls(&store, &made).await, store.directory());
        drop(store);
        let store = folder.open();
        assert_eq!(store.directory().webhooks, directory.webhooks);
        assert_eq!(store.webhook_secrets(made.id, later(2)).unwrap(), [secret(2), secret(1)]);
        assert_eq!(calls(&store, &made).await, before);
        assert_eq!(store.webhook_standings().unwrap()[&made.id].waiting, 2);
        send(&store, 4..5).await;
        assert_eq!(calls(&store, &made).await.len(), 4);
        let new = webhook(&store, &[EventKind::Accepted]);
        assert!(new.id > made.id);
    }

    /// Activity is made anew from the log: what it tells again has the ids that it had.
    #[tokio::test]
    async fn events_read_again_are_the_same_calls() {
        let folder = Folder::new();
        let store = folder.open();
        let made = webhook(&store, &[EventKind::Accepted]);
        send(&store, 1..4).await;
        let before: Vec<_> = calls(&store, &made).await.into_iter().map(|call| call.new).collect();
        drop(store);
        for file in ["activity.db", "activity.db-wal", "activity.db-shm"] {
            let _ = std::fs::remove_file(folder.path().join(file));
        }
        let store = folder.open();
        let after: Vec<_> = calls(&store, &made).await.into_iter().map(|call| call.new).collect();
        assert_eq!(after, before);
    }

    /// Tidying up is done once a minute and at the start.
    async fn tidied(folder: &Folder, is_so: impl Fn(&store::embedded::Embedded) -> bool) {
        let store = folder.open();
        for _ in 0..1000 {
            if is_so(&store) {
                return;
            }
            store.activity_changed(u64::MAX, None, Duration::from_millis(10)).await;
        }
        panic!("it was not tidied up");
    }

    #[tokio::test]
    async fn calls_go_with_their_webhook_and_when_they_are_old() {
        let folder = Folder::new();
        let store = folder.open();
        let (gone, stays) = (webhook(&store, &[EventKind::Accepted]), webhook(&store, &[EventKind::Accepted]));
        send(&store, 1..4).await;
        let due = store.webhook_due(stays.id, later(9), 1).unwrap();
        store.webhook_tried(&[tried(&due[0], Verdict::Delivered)]).unwrap();
        store.webhook_delete(gone.id, &operator(), later(9)).unwrap();
        drop(store);
        tidied(&folder, |store| store.webhook_calls(gone.id, None, 9).unwrap().is_empty()).await;
        let store = folder.open();
        assert_eq!(store.webhook_standings().unwrap().len(), 1);
        assert_eq!(calls(&store, &stays).await.len(), 3);
        drop(store);
        // what is over is kept as long as rows are; what waits is given up by its own time
        folder.set_clock(later(31 * 86_400));
        commit_later(&folder).await;
        tidied(&folder, |store| store.webhook_calls(stays.id, None, 9).unwrap().len() == 3).await;
        let store = folder.open();
        let left = calls(&store, &stays).await;
        assert!(left.iter().all(|call| call.state == CallState::Waiting), "{left:?}");
    }

    /// A clock that leaps ahead is believed where mail has come since.
    async fn commit_later(folder: &Folder) {
        let store = folder.open();
        commit(&store, envelope(31 * 86_400, &["late@example.org"])).await;
        store.caught_up().await;
    }

    /// Two connections write to one file: each has its turn, and neither fails.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn calls_are_written_while_mail_flows() {
        let folder = Folder::new();
        let store = std::sync::Arc::new(folder.open());
        let made = webhook(&*store, &[EventKind::Accepted]);
        let (taking, id) = (std::sync::Arc::clone(&store), made.id);
        let taken = tokio::task::spawn_blocking(move || {
            let mut taken = 0;
            while taken < 20 {
                let due = taking.webhook_due(id, later(9_999), 3).unwrap();
                let all: Vec<_> = due.iter().map(|call| tried(call, Verdict::Delivered)).collect();
                taking.webhook_tried(&all).unwrap();
                taken += all.len();
            }
        });
        let mut number = 0;
        while !taken.is_finished() {
            number += 1;
            commit(&*store, envelope(number, &[&format!("r{number}@example.org")])).await;
            store.caught_up().await;
        }
        taken.await.unwrap();
        assert_eq!(store.health().activity_stopped, None);
        let rows = store.activity(&relay::activity::ActivityFilter { limit: 100_000, ..Default::default() }).unwrap();
        assert_eq!(rows.len() as u64, number, "no event is missing");
    }
}
