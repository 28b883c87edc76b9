//! What is reported of mail that has left: a further event of the recipient, and statistics that are right again.

use relay::activity::{ActivityFilter, DailyCount, Status};
use relay::id::{Id, MessageId};
use relay::outcome::Class;
use relay::queue::{Envelope, Settlement};
use relay::quota::Period;
use relay::report::{Acted, Recipient, Report, ReportKind};
use relay::store::Store;

use crate::world::*;

fn report(message: MessageId, recipient: Option<u16>, kind: ReportKind, at: u64) -> Report {
    Report {
        message,
        account: Id::new(1),
        domain: Some(Id::new(1)),
        user: Some(Id::new(1)),
        days_ahead: 0,
        recipient,
        at: later(at),
        kind,
        class: matches!(kind, ReportKind::HardBounce | ReportKind::SoftBounce).then_some(Class::NoSuchMailbox),
        reason: "Reported.".into(),
        reply: "550 5.1.1 Unknown".into(),
        authentication: None,
    }
}

/// Delivered, soft and hard bounced, complained of.
async fn counted(store: &impl Store) -> [u64; 4] {
    store.caught_up().await;
    let counts = store.sent(None, NOW.day(), NOW.day()).unwrap();
    let all = store.sent_by_all(NOW.day(), NOW.day()).unwrap();
    let numbers = |count: &DailyCount| [count.delivered, count.soft_bounced, count.hard_bounced, count.complained];
    assert_eq!((counts.len(), numbers(&counts[0])), (1, numbers(&all[0])));
    numbers(&counts[0])
}

async fn events(store: &impl Store, recipient: &str) -> Vec<(Status, Option<Class>, String)> {
    let filter = ActivityFilter { recipient: Some(recipient.into()), ..ActivityFilter::default() };
    let row = rows(store, filter).await[0].row;
    let detail = store.activity_detail(row).unwrap().unwrap();
    assert_eq!(detail.events.last().unwrap().status, detail.row.status);
    detail.events.into_iter().map(|event| (event.status, event.class, event.reply)).collect()
}

pub(crate) async fn a_late_bounce_follows_the_delivery(store: &impl Store) {
    let message = commit(store, envelope(1, &["anna@example.org", "bert@example.net"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED), (1, DELIVERED)])).await.unwrap();
    assert_eq!(counted(store).await, [2, 0, 0, 0]);
    for at in [100, 101] {
        store.report(report(message, Some(1), ReportKind::HardBounce, at)).await.unwrap();
    }
    assert_eq!(counted(store).await, [1, 0, 1, 0], "the second says what is known");
    let told = events(store, "bert@example.net").await;
    let statuses: Vec<_> = told.iter().map(|(status, class, _)| (*status, *class)).collect();
    let bounced = (Status::HardBounce, Some(Class::NoSuchMailbox));
    assert_eq!(statuses, [(Status::Accepted, None), (Status::Delivered, None), bounced]);
    assert_eq!(told[2].2, "550 5.1.1 Unknown");
    let bounces = ActivityFilter { status: Some(Status::HardBounce), ..ActivityFilter::default() };
    assert_eq!(rows(store, bounces).await.len(), 1);
    assert_eq!(events(store, "anna@example.org").await.len(), 2);
}

pub(crate) async fn a_complaint_is_counted_beside_the_delivery(store: &impl Store) {
    let message = commit(store, envelope(1, &["anna@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    store.report(report(message, Some(0), ReportKind::Complaint, 100)).await.unwrap();
    assert_eq!(counted(store).await, [1, 0, 0, 1]);
    assert_eq!(events(store, "anna@example.org").await[2].0, Status::Complaint);
    let complaints = ActivityFilter { status: Some(Status::Complaint), ..ActivityFilter::default() };
    assert_eq!(rows(store, complaints).await.len(), 1);
}

pub(crate) async fn who_vouches_stands_with_the_event_alone(store: &impl Store) {
    let message = commit(store, envelope(1, &["anna@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    let nobody = "spf=none smtp.helo=fbl.example; dkim=none";
    let vouched = "spf=none smtp.helo=fbl.example; dkim=pass header.d=isp.example";
    for (at, known) in [(100, nobody), (101, vouched)] {
        let complaint = report(message, Some(0), ReportKind::Complaint, at);
        store.report(Report { authentication: known.parse().ok(), ..complaint }).await.unwrap();
        let counts = if known == vouched { 1 } else { 0 };
        assert_eq!(counted(store).await, [1, 0, 0, counts], "{known}");
    }
    store.report(report(message, Some(0), ReportKind::HardBounce, 102)).await.unwrap();
    assert_eq!(counted(store).await, [0, 0, 1, 0]);
    let row = &rows(store, ActivityFilter::default()).await[0];
    assert_eq!(row.reply, "550 5.1.1 Unknown", "and nothing behind it");
    let events = store.activity_detail(row.row).unwrap().unwrap().events;
    let told: Vec<_> = events
        .into_iter()
        .map(|event| (event.status, event.reply.is_empty(), event.authentication.map(|known| known.to_string())))
        .collect();
    let expected = [
        (Status::Accepted, true, None),
        (Status::Delivered, told[1].1, None),
        (Status::Delivered, false, Some(nobody.to_owned())),
        (Status::Complaint, false, Some(vouched.to_owned())),
        (Status::HardBounce, false, None),
    ];
    assert_eq!(told, expected);
}

pub(crate) async fn what_is_gone_is_counted_right_once(store: &impl Store) {
    let message = commit(store, envelope(1, &["anna@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    store.caught_up().await;
    assert_eq!(store.erase(Id::new(1), "anna@example.org").unwrap().rows, 1);
    for at in [100, 101] {
        store.report(report(message, Some(0), ReportKind::SoftBounce, at)).await.unwrap();
    }
    assert_eq!(counted(store).await, [0, 1, 0, 0]);
}

pub(crate) async fn a_late_bounce_corrects_the_day_of_the_account_that_was_counted_on(store: &impl Store) {
    // the first of two accepted when the account's date was a day ahead of UTC, the third when it was a day behind
    let ahead = |number, recipient, days_ahead| Envelope { days_ahead, ..envelope(number, &[recipient]) };
    let [first, second, third] = [
        commit(store, ahead(1, "anna@example.org", 1)).await,
        commit(store, ahead(2, "bert@example.net", 1)).await,
        commit(store, ahead(3, "clara@example.com", -1)).await,
    ];
    for message in [first, second, third] {
        store.settle(settlement(message, later(9), &[(0, DELIVERED)])).await.unwrap();
    }
    store.caught_up().await;
    assert_eq!(store.erase(Id::new(1), "bert@example.net").unwrap().rows, 1);
    // what knows the row follows it; where it is gone, the report itself says on which day it counts
    for (message, days_ahead) in [(first, 0), (second, 1)] {
        let bounce = report(message, Some(0), ReportKind::HardBounce, 100);
        store.report(Report { days_ahead, ..bounce }).await.unwrap();
    }
    store.caught_up().await;
    let day = |days| {
        let counts = store.sent(None, NOW.day().ahead(days), NOW.day().ahead(days)).unwrap();
        counts.iter().map(|count| [count.accepted, count.delivered, count.hard_bounced]).collect::<Vec<_>>()
    };
    assert_eq!((day(-1), day(0), day(1)), (vec![[1, 1, 0]], vec![], vec![[2, 0, 2]]));
    let charged = store.charges().unwrap();
    let used =
        |days| charged.used(Id::new(1), Period { begins: NOW.day().ahead(days), renews: NOW.day().ahead(days + 1) });
    assert_eq!((used(-1), used(0), used(1)), (1, 0, 2), "the quota counts by the same days");
}

pub(crate) async fn a_report_of_nobody_is_shown_at_each_and_changes_nothing(store: &impl Store) {
    let mut sent = envelope(1, &["anna@example.org", "bert@example.net", "clara@example.com"]);
    sent.suppressed = vec![address("gone@example.org")];
    let message = commit(store, sent).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED), (1, DELIVERED)])).await.unwrap();
    store.report(report(message, None, ReportKind::Remark, 100)).await.unwrap();
    assert_eq!(counted(store).await, [2, 0, 0, 0]);
    for recipient in ["anna@example.org", "bert@example.net"] {
        let told = events(store, recipient).await;
        assert_eq!((told.len(), told[2].0, told[2].2.as_str()), (3, Status::Delivered, "550 5.1.1 Unknown"));
    }
    assert_eq!(events(store, "clara@example.com").await.len(), 1, "it is in the queue");
    assert_eq!(events(store, "gone@example.org").await.len(), 1);
}

pub(crate) async fn reports_of_one_recipient_are_bounded(store: &impl Store) {
    let message = commit(store, envelope(1, &["anna@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    for at in 100..120 {
        store.report(report(message, Some(0), ReportKind::Remark, at)).await.unwrap();
    }
    let max = relay::limits::RECIPIENT_REPORTS_MAX.value as usize;
    assert_eq!(events(store, "anna@example.org").await.len(), 2 + max);
}

pub(crate) async fn what_is_reported_of_mail_in_the_queue_waits_for_nothing(store: &impl Store) {
    let message = commit(store, envelope(1, &["anna@example.org"])).await;
    store.report(report(message, Some(0), ReportKind::HardBounce, 5)).await.unwrap();
    store.settle(settlement(message, later(9), &[(0, DELIVERED)])).await.unwrap();
    assert_eq!(counted(store).await, [1, 0, 0, 0]);
    assert_eq!(only_row(store).await.status, Status::Delivered);
}

pub(crate) async fn the_recipients_of_a_message_are_those_that_are_left(store: &impl Store) {
    let mut sent = envelope(1, &["anna@example.org", "bert@example.net"]);
    sent.suppressed = vec![address("gone@example.org")];
    let message = commit(store, sent).await;
    store.caught_up().await;
    let recipients = store.recipients_of(message).unwrap();
    let named: Vec<_> = recipients.iter().map(|known| (known.number, known.address.as_str())).collect();
    assert_eq!(named, [(0, "anna@example.org"), (1, "bert@example.net")]);
    let is_untouched = |known: &Recipient| known.host.is_none() && !known.is_delivered && known.is_waiting;
    assert!(recipients.iter().all(|known| is_untouched(known) && known.acted == Acted::default()));
    let tried = Some(attempt(later(1)));
    store
        .settle(Settlement { attempt: tried, ..settlement(message, later(2), &[(0, DELIVERED), (1, DELIVERED)]) })
        .await
        .unwrap();
    store.report(report(message, Some(0), ReportKind::HardBounce, 100)).await.unwrap();
    store.report(report(message, Some(1), ReportKind::Complaint, 101)).await.unwrap();
    store.caught_up().await;
    let recipients = store.recipients_of(message).unwrap();
    let known: Vec<_> = recipients
        .iter()
        .map(|known| (known.host.as_deref(), known.is_delivered, known.acted.bounced, known.acted.complained))
        .collect();
    let host = Some("mx.example.org");
    assert_eq!(known, [(host, false, true, false), (host, true, false, true)]);
    assert!(recipients.iter().all(|known| !known.is_waiting));
    assert!(store.recipients_of(crate::world::message(99)).unwrap().is_empty());
}
