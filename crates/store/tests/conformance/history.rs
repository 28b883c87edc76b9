//! What happened: one row for each recipient, one for refusals alike, every change followed once.

use std::time::Duration;

use relay::activity::{ActivityFilter, ActivityRow, DailyCount, Notice, NoticeKind, Status};
use relay::clock::{Day, Timestamp};
use relay::id::Id;
use relay::outcome::Class;
use relay::queue::{HoldReason, Origin, Outcome};
use relay::store::Store;
use smtp::address::ReversePath;

use crate::world::*;

fn of(recipient: &str) -> ActivityFilter {
    ActivityFilter { recipient: Some(recipient.into()), ..ActivityFilter::default() }
}

fn numbers(rows: &[ActivityRow]) -> Vec<u64> {
    rows.iter().map(|row| row.row).collect()
}

/// Notices are not waited for by `caught_up` alone: something durable behind them brings them along.
async fn note(store: &impl Store, notices: Vec<relay::activity::Notice>, marker: u64) {
    store.note(notices);
    let marker = commit(store, envelope(marker, &["marker@example.net"])).await;
    store.settle(settlement(marker, later(1), &[(0, DELIVERED)])).await.unwrap();
    store.caught_up().await;
}

fn rejected(store: &impl Store) -> Vec<ActivityRow> {
    let filter = ActivityFilter { status: Some(Status::Rejected), ..ActivityFilter::default() };
    store.activity(&filter).unwrap()
}

pub(crate) async fn a_message_makes_a_row_for_each_recipient(store: &impl Store) {
    let envelope = envelope(1, &["anna@example.org", "bert@example.net"]);
    commit(store, envelope.clone()).await;
    let rows = rows(store, ActivityFilter::default()).await;
    assert_eq!(rows.len(), 2);
    let expected = ActivityRow {
        row: rows[1].row,
        at: later(1),
        updated_at: later(1),
        status: Status::Accepted,
        recipient: "anna@example.org".into(),
        sender: "shop@example.com".into(),
        subject: "Your order".into(),
        message: Some(envelope.message),
        account: envelope.account,
        user: envelope.user,
        domain: envelope.domain,
        session: Some(session(1)),
        class: None,
        reason: String::new(),
        reply: String::new(),
        reference: String::new(),
        attempts: 0,
        count: 1,
        sandbox: false,
        held: None,
        last_attempt: None,
    };
    assert_eq!(rows[1], expected);
    assert_eq!(rows[0].recipient, "bert@example.net");
    assert!(rows[0].row > rows[1].row);
}

pub(crate) async fn suppressed_recipients_are_rejected_rows(store: &impl Store) {
    let mut envelope = envelope(1, &["anna@example.org"]);
    envelope.suppressed = vec![address("gone@example.org")];
    let message = commit(store, envelope).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    let rows = rows(store, of("gone@")).await;
    assert_eq!((rows[0].status, rows[0].message), (Status::Rejected, Some(message)));
    assert_eq!((rows[0].reference.as_str(), rows[0].attempts), ("recipient-suppressed", 0));
    assert!(rows[0].reason.contains("suppression list"));
}

pub(crate) async fn a_row_follows_its_recipient(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org", "c@example.org"])).await;
    let deferred = Outcome::Deferred { until: later(600) };
    let first = [(0, deferred), (1, Outcome::HardBounced), (2, deferred)];
    store.settle(settlement(message, later(2), &first)).await.unwrap();
    let statuses = |rows: Vec<ActivityRow>| rows.iter().rev().map(|row| row.status).collect::<Vec<_>>();
    let seen = statuses(rows(store, ActivityFilter::default()).await);
    assert_eq!(seen, [Status::Deferred, Status::HardBounce, Status::Deferred]);
    let second = [(0, DELIVERED), (2, Outcome::SoftBounced)];
    store.settle(settlement(message, later(600), &second)).await.unwrap();
    let seen = statuses(rows(store, ActivityFilter::default()).await);
    assert_eq!(seen, [Status::Delivered, Status::HardBounce, Status::SoftBounce]);
}

pub(crate) async fn a_row_shows_the_last_attempt(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org"])).await;
    let deferred = [(0, Outcome::Deferred { until: later(600) })];
    store.settle(settlement(message, later(2), &deferred)).await.unwrap();
    store.settle(settlement(message, later(600), &deferred)).await.unwrap();
    let mut cancelled = settlement(message, later(700), &[(0, Outcome::HardBounced)]);
    cancelled.attempt = None;
    cancelled.verdicts[0].remote_reply = None;
    store.settle(cancelled).await.unwrap();
    let row = only_row(store).await;
    assert_eq!((row.attempts, row.last_attempt), (2, Some(attempt(later(600)))));
    assert_eq!((row.at, row.updated_at), (later(1), later(700)));
    assert_eq!((row.status, row.reply.as_str()), (Status::HardBounce, ""));
}

pub(crate) async fn a_sandboxed_delivery_is_marked(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, Outcome::Delivered { sandbox: true })])).await.unwrap();
    let row = only_row(store).await;
    assert_eq!((row.status, row.sandbox), (Status::Delivered, true));
}

pub(crate) async fn a_bounce_keeps_reason_and_reply(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, Outcome::HardBounced)])).await.unwrap();
    let row = only_row(store).await;
    assert_eq!((row.reason.as_str(), row.reply.as_str()), ("No such address.", "550 5.1.1 Unknown"));
    assert_eq!(row.class, Some(Class::NoSuchMailbox));
}

pub(crate) async fn a_hold_makes_pending_and_a_release_goes_on(store: &impl Store) {
    let message = commit(store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, Outcome::Deferred { until: later(600) })])).await.unwrap();
    store.hold(message, HoldReason::AccountSuspended, later(3)).await.unwrap();
    for row in rows(store, ActivityFilter::default()).await {
        assert_eq!((row.status, row.held), (Status::Pending, Some(HoldReason::AccountSuspended)));
        assert!(row.reason.contains("suspended"), "{}", row.reason);
    }
    store.release(message, later(4)).await.unwrap();
    let released = rows(store, ActivityFilter::default()).await;
    assert_eq!((released[1].status, released[0].status), (Status::Deferred, Status::Pending));
    assert!(released.iter().all(|row| row.held.is_none() && row.updated_at == later(4)));
}

pub(crate) async fn a_null_reverse_path_shows_from(store: &impl Store) {
    let mut envelope = envelope(1, &["a@example.org"]);
    envelope.reverse_path = ReversePath::Null;
    envelope.facts.from = "crm@example.com".into();
    (envelope.user, envelope.domain, envelope.session) = (None, None, None);
    commit(store, envelope).await;
    let row = only_row(store).await;
    assert_eq!((row.sender.as_str(), row.user, row.session), ("crm@example.com", None, None));
}

pub(crate) async fn each_filter_narrows(store: &impl Store) {
    for number in 1..=6 {
        let mut envelope = envelope(number * 3600, &["anna@example.org", "Anton@example.net"]);
        envelope.account = Id::new(1 + number % 2);
        envelope.facts.subject = format!("Rechnung für Örtel {number}");
        if number == 4 {
            envelope.reverse_path = ReversePath::Mailbox(address("crm@example.com"));
            envelope.user = Some(Id::new(20));
        } else if number == 5 {
            envelope.domain = Some(Id::new(10));
        }
        commit(store, envelope).await;
    }
    store.settle(settlement(message(3 * 3600), later(1), &[(0, Outcome::HardBounced)])).await.unwrap();
    store.settle(settlement(message(2 * 3600), later(1), &[(0, DELIVERED)])).await.unwrap();
    let found = async |filter: ActivityFilter| rows(store, filter).await.len();
    let all = ActivityFilter::default;
    assert_eq!(found(all()).await, 12);
    assert_eq!(found(ActivityFilter { account: Some(Id::new(2)), ..all() }).await, 6);
    assert_eq!(found(ActivityFilter { domain: Some(Id::new(10)), ..all() }).await, 2);
    assert_eq!(found(ActivityFilter { user: Some(Id::new(20)), ..all() }).await, 2);
    assert_eq!(found(ActivityFilter { user: Some(Id::new(21)), ..all() }).await, 0);
    assert_eq!(found(of("an")).await, 12);
    assert_eq!(found(of("ANNA@Example.org")).await, 6);
    assert_eq!(found(of("anton@")).await, 6);
    assert_eq!(found(of("@example.net")).await, 6);
    assert_eq!(found(of("@ample.net")).await, 0);
    assert_eq!(found(of("nna@")).await, 0);
    assert_eq!(found(ActivityFilter { sender: Some("crm@".into()), ..all() }).await, 2);
    assert_eq!(found(ActivityFilter { sender: Some("@example.com".into()), ..all() }).await, 12);
    assert_eq!(found(ActivityFilter { subject: Some("örtel 5".into()), ..all() }).await, 2);
    assert_eq!(found(ActivityFilter { subject: Some("100%".into()), ..all() }).await, 0);
    assert_eq!(found(ActivityFilter { status: Some(Status::HardBounce), ..all() }).await, 1);
    assert_eq!(found(ActivityFilter { status: Some(Status::Delivered), ..all() }).await, 1);
    assert_eq!(found(ActivityFilter { status: Some(Status::Accepted), ..all() }).await, 10);
    assert_eq!(found(ActivityFilter { class: Some(Class::NoSuchMailbox), ..all() }).await, 1);
    assert_eq!(found(ActivityFilter { class: Some(Class::MailboxFull), ..all() }).await, 0);
    let gone = ActivityFilter { class: Some(Class::NoSuchMailbox), status: Some(Status::Delivered), ..all() };
    assert_eq!(found(gone).await, 0);
    assert_eq!(found(ActivityFilter { message: Some(message(3600)), ..all() }).await, 2);
    assert_eq!(found(ActivityFilter { since: Some(later(5 * 3600)), ..all() }).await, 4);
    assert_eq!(found(ActivityFilter { until: Some(later(5 * 3600)), ..all() }).await, 8);
    let period = ActivityFilter { since: Some(later(3600 + 1)), until: Some(later(3 * 3600 + 1)), ..all() };
    assert_eq!(found(period).await, 4);
    assert_eq!(found(ActivityFilter { since: Some(later(90 * 3600)), ..all() }).await, 0);
    assert_eq!(found(ActivityFilter { until: Some(NOW), ..all() }).await, 0);
    let both = ActivityFilter { account: Some(Id::new(2)), status: Some(Status::HardBounce), ..of("anna") };
    assert_eq!(found(both).await, 1);
}

pub(crate) async fn pages_meet_without_gap(store: &impl Store) {
    for number in 1..=7 {
        commit(store, envelope(number, &["a@example.org"])).await;
    }
    let all = numbers(&rows(store, ActivityFilter::default()).await);
    let mut paged = Vec::new();
    loop {
        let before_row = paged.last().copied();
        let page = rows(store, ActivityFilter { limit: 3, before_row, ..of("a@example.org") }).await;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        paged.extend(numbers(&page));
    }
    assert_eq!(paged, all);
}

pub(crate) async fn numbers_beyond_all_are_nobodys(store: &impl Store) {
    commit(store, envelope(1, &["a@example.org"])).await;
    let (beyond, nobody) = (u64::MAX, Some(Id::new(u64::MAX)));
    let (since, until) = (Some(Timestamp(beyond)), Some(Timestamp(beyond)));
    assert_eq!(rows(store, ActivityFilter { before_row: Some(beyond), until, ..of("a@example.org") }).await.len(), 1);
    assert!(rows(store, ActivityFilter { since, ..of("a@example.org") }).await.is_empty());
    assert!(rows(store, ActivityFilter { account: nobody, ..ActivityFilter::default() }).await.is_empty());
    assert_eq!(store.activity_detail(beyond).unwrap(), None);
    let now = store.activity_cursor().unwrap();
    assert_eq!(store.activity_since(beyond, &ActivityFilter::default()).unwrap(), (Vec::new(), now));
    assert!(store.connections(nobody, None, usize::MAX).unwrap().is_empty());
    assert!(store.sent(nobody, Day(0), Day(beyond)).unwrap().is_empty());
    assert!(store.audit(nobody, usize::MAX).unwrap().is_empty());
}

pub(crate) async fn refusals_alike_are_one_row(store: &impl Store) {
    let refusals = vec![refusal(later(1), "a@example.org"), refusal(later(2), "A@example.org")];
    note(store, refusals, 1).await;
    let mut gathered = refusal(later(3), "a@example.org");
    gathered.count = 5;
    note(store, vec![gathered], 2).await;
    let rows = rejected(store);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].count, rows[0].at, rows[0].updated_at), (7, later(1), later(3)));
    assert_eq!(rows[0].reference, "recipients-max");
    assert_eq!((rows[0].message, rows[0].session), (None, Some(session(77))));
    assert_eq!(rows[0].reply, "452 4.5.3 Too many recipients");
    note(store, vec![refusal(later(3601), "a@example.org")], 3).await;
    let rows = rejected(store);
    assert_eq!(rows.iter().map(|row| row.count).collect::<Vec<_>>(), [1, 7], "an hour later it is a new row");
}

pub(crate) async fn refusals_that_differ_are_rows_of_their_own(store: &impl Store) {
    let base = refusal(later(1), "a@example.org");
    let mut other_reason = base.clone();
    other_reason.reference = "sender-not-allowed".into();
    let mut other_user = base.clone();
    other_user.user = Some(Id::new(2));
    let mut no_user = base.clone();
    no_user.user = None;
    let mut other_account = base.clone();
    other_account.account = Some(Id::new(2));
    let other_recipient = refusal(later(1), "b@example.org");
    note(store, vec![base, other_reason, other_user, no_user, other_account, other_recipient], 1).await;
    let rows = rejected(store);
    assert_eq!(rows.len(), 6, "{rows:?}");
    assert!(rows.iter().all(|row| row.count == 1));
}

pub(crate) async fn connections_alike_are_one_row(store: &impl Store) {
    let mut owned = trouble(later(1), "k8");
    owned.account = Some(Id::new(1));
    note(store, vec![trouble(later(1), "k7"), owned, trouble(later(2), "k7")], 1).await;
    note(store, vec![trouble(later(9), "k7")], 2).await;
    let rows = store.connections(None, None, 10).unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!((rows[1].notice.count, rows[1].notice.at, rows[1].updated_at), (3, later(1), later(9)));
    assert_eq!((rows[1].notice.username.as_str(), rows[1].notice.remote), ("k7", REMOTE));
    let mut expected = trouble(later(1), "k7");
    expected.count = 3;
    assert_eq!(rows[1].notice, expected);
    let owned = store.connections(Some(Id::new(1)), None, 10).unwrap();
    assert_eq!((owned.len(), owned[0].notice.username.as_str()), (1, "k8"));
    assert_eq!(store.connections(None, None, 1).unwrap().len(), 1);
    let before = |row| store.connections(None, Some(row), 10).unwrap();
    assert_eq!(before(rows[0].row), rows[1..], "the page behind the first row");
    assert!(before(rows[1].row).is_empty() && before(u64::MAX) == rows);
    assert!(rejected(store).is_empty());
}

pub(crate) async fn a_refusal_without_account_is_a_connection(store: &impl Store) {
    let mut nobodys = refusal(later(1), "a@example.org");
    nobodys.account = None;
    note(store, vec![nobodys], 1).await;
    assert!(rejected(store).is_empty());
    assert_eq!(store.connections(None, None, 10).unwrap().len(), 1);
}

pub(crate) async fn following_shows_each_change_once(store: &impl Store) {
    let all = ActivityFilter::default();
    commit(store, envelope(1, &["a@example.org"])).await;
    store.caught_up().await;
    let cursor = store.activity_cursor().unwrap();
    assert_eq!(store.activity_since(0, &all).unwrap().0.len(), 1);
    assert_eq!(store.activity_since(cursor, &all).unwrap(), (Vec::new(), cursor));
    let second = commit(store, envelope(2, &["b@example.org"])).await;
    store.settle(settlement(message(1), later(3), &[(0, DELIVERED)])).await.unwrap();
    store.caught_up().await;
    let (changed, next) = store.activity_since(cursor, &all).unwrap();
    let seen: Vec<_> = changed.iter().map(|row| (row.recipient.as_str(), row.status)).collect();
    assert_eq!(seen, [("b@example.org", Status::Accepted), ("a@example.org", Status::Delivered)]);
    store.settle(settlement(second, later(4), &[(0, Outcome::HardBounced)])).await.unwrap();
    store.caught_up().await;
    let (none, beyond) = store.activity_since(next, &of("a@example.org")).unwrap();
    assert!(none.is_empty() && beyond > next, "what the filter leaves out is not read again");
    assert_eq!(store.activity_since(next, &all).unwrap().0.len(), 1);
}

pub(crate) async fn following_in_small_steps_misses_nothing(store: &impl Store) {
    for number in 1..=5 {
        commit(store, envelope(number, &["a@example.org", "b@example.org"])).await;
    }
    store.caught_up().await;
    let filter = ActivityFilter { limit: 3, ..ActivityFilter::default() };
    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let (changed, next) = store.activity_since(cursor, &filter).unwrap();
        if changed.is_empty() {
            break;
        }
        seen.extend(numbers(&changed));
        cursor = next;
    }
    let mut all = numbers(&rows(store, ActivityFilter::default()).await);
    all.reverse();
    assert_eq!(seen, all);
    assert_eq!(cursor, store.activity_cursor().unwrap());
}

pub(crate) async fn following_waits_for_what_is_newer(store: &impl Store) {
    const LONG: Duration = Duration::from_secs(60);
    let cursor = store.activity_cursor().unwrap();
    store.activity_changed(cursor, None, Duration::ZERO).await;
    let waits = store.activity_changed(cursor, None, LONG);
    let happens = commit(store, envelope(1, &["a@example.org"]));
    let ((), _) = tokio::time::timeout(LONG / 2, async { tokio::join!(waits, happens) }).await.unwrap();
    assert_eq!(store.activity_since(cursor, &ActivityFilter::default()).unwrap().0.len(), 1);
    // a cursor that is behind already does not wait
    tokio::time::timeout(LONG / 2, store.activity_changed(cursor, None, LONG)).await.unwrap();
}

pub(crate) async fn following_an_account_does_not_hear_of_others(store: &impl Store) {
    const LONG: Duration = Duration::from_secs(60);
    let of_account = |number: u64, account: u64| {
        let mut envelope = envelope(number, &["a@example.org"]);
        envelope.account = Id::new(account);
        envelope
    };
    commit(store, of_account(1, 1)).await;
    commit(store, of_account(2, 2)).await;
    store.caught_up().await;
    let cursor = store.activity_cursor().unwrap();
    let mut waits = std::pin::pin!(store.activity_changed(cursor, Some(Id::new(1)), LONG));
    commit(store, of_account(3, 2)).await;
    store.settle(settlement(message(2), later(3), &[(0, DELIVERED)])).await.unwrap();
    store.caught_up().await;
    assert!(tokio::time::timeout(Duration::ZERO, &mut waits).await.is_err(), "woken by another account");
    commit(store, of_account(4, 1)).await;
    tokio::time::timeout(LONG / 2, waits).await.unwrap();
}

pub(crate) async fn details_tell_every_event(store: &impl Store) {
    let envelope = envelope(1, &["a@example.org"]);
    let message = commit(store, envelope.clone()).await;
    store.settle(settlement(message, later(2), &[(0, Outcome::Deferred { until: later(600) })])).await.unwrap();
    store.hold(message, HoldReason::Operator, later(3)).await.unwrap();
    store.release(message, later(4)).await.unwrap();
    store.settle(settlement(message, later(5), &[(0, DELIVERED)])).await.unwrap();
    let row = only_row(store).await;
    let detail = store.activity_detail(row.row).unwrap().unwrap();
    assert_eq!(detail.row, row);
    assert_eq!(detail.facts, Some(envelope.facts));
    assert_eq!(detail.session, envelope.session);
    let events: Vec<_> = detail.events.iter().map(|event| (event.at, event.status)).collect();
    let expected = [
        (later(1), Status::Accepted),
        (later(2), Status::Deferred),
        (later(3), Status::Pending),
        (later(4), Status::Deferred),
        (later(5), Status::Delivered),
    ];
    assert_eq!(events, expected);
    assert_eq!((detail.events[1].attempt.clone(), detail.events[1].until), (Some(attempt(later(2))), Some(later(600))));
    assert_eq!(detail.events[1].reply, "451 4.7.1 Later");
    assert_eq!((detail.events[1].class, detail.events[2].class), (Some(Class::Rate), None));
    assert_eq!((&detail.events[2].attempt, detail.events[2].reply.as_str()), (&None, ""));
    assert!(detail.events[2].reason.contains("operator"));
    assert_eq!(store.activity_detail(row.row + 1).unwrap(), None);
}

pub(crate) async fn details_of_a_refusal_tell_its_session(store: &impl Store) {
    note(store, vec![refusal(later(1), "a@example.org")], 1).await;
    let detail = store.activity_detail(rejected(store)[0].row).unwrap().unwrap();
    assert_eq!(detail.facts, None);
    let session = detail.session.unwrap();
    assert_eq!((session.session, session.remote, session.tls.as_str()), (crate::world::session(77), REMOTE, "TLS 1.2"));
    assert_eq!(detail.events.len(), 1);
    assert_eq!((detail.events[0].status, detail.events[0].at), (Status::Rejected, later(1)));
    assert_eq!(detail.events[0].reply, "452 4.5.3 Too many recipients");
}

/// Of each counter: days since the first, account, domain, SMTP user, then recipients accepted, delivered, soft and
/// hard bounced.
fn numbers_of(sent: &[DailyCount]) -> Vec<[u64; 8]> {
    let some = |number: Option<u64>| number.unwrap_or_default();
    let row = |count: &DailyCount| {
        let (domain, user) = (some(count.domain.map(Id::number)), some(count.user.map(Id::number)));
        let DailyCount { accepted, delivered, soft_bounced, hard_bounced, .. } = *count;
        let day = count.day.0 - NOW.day().0;
        [day, count.account.number(), domain, user, accepted, delivered, soft_bounced, hard_bounced]
    };
    sent.iter().map(row).collect()
}

async fn sent(store: &impl Store, account: Option<u64>, days: std::ops::RangeInclusive<u64>) -> Vec<[u64; 8]> {
    store.caught_up().await;
    let day = |day: u64| Day(NOW.day().0 + day);
    numbers_of(&store.sent(account.map(Id::new), day(*days.start()), day(*days.end())).unwrap())
}

pub(crate) async fn what_was_sent_is_counted_by_day_account_domain_and_user(store: &impl Store) {
    const DAY: u64 = 86_400;
    let of = |number: u64, account: u64, user: Option<u64>| {
        let mut envelope = envelope(number, &["a@example.org", "b@example.org"]);
        (envelope.account, envelope.user) = (Id::new(account), user.map(Id::new));
        if user.is_none() {
            envelope.domain = None;
        }
        envelope
    };
    for (number, account, user) in
        [(1, 1, Some(1)), (2, 1, Some(1)), (3, 1, Some(2)), (4, 2, Some(9)), (DAY, 1, Some(1)), (5, 1, None)]
    {
        commit(store, of(number, account, user)).await;
    }
    // what comes later counts on the day of the acceptance
    let outcomes = [(0, DELIVERED), (1, Outcome::HardBounced)];
    store.settle(settlement(message(1), later(3 * DAY), &outcomes)).await.unwrap();
    store.settle(settlement(message(DAY), later(3 * DAY), &[(0, Outcome::SoftBounced)])).await.unwrap();
    let day_one = [[0, 1, 0, 0, 2, 0, 0, 0], [0, 1, 1, 1, 4, 1, 0, 1], [0, 1, 1, 2, 2, 0, 0, 0]];
    let other = [0, 2, 1, 9, 2, 0, 0, 0];
    let day_two = [1, 1, 1, 1, 2, 0, 1, 0];
    assert_eq!(sent(store, Some(1), 0..=0).await, day_one);
    assert_eq!(sent(store, None, 0..=9).await, [&day_one[..], &[other, day_two]].concat());
    assert_eq!(sent(store, None, 1..=1).await, [day_two]);
    assert_eq!(sent(store, Some(2), 0..=9).await, [other]);
    let by_all: Vec<_> = store
        .sent_by_all(NOW.day(), later(9 * DAY).day())
        .unwrap()
        .into_iter()
        .map(|count| (count.account.number(), count.accepted, count.delivered, count.soft_bounced, count.hard_bounced))
        .collect();
    assert_eq!(by_all, [(0, 10, 1, 0, 1), (0, 2, 0, 1, 0)]);
    assert_eq!(sent(store, Some(3), 0..=9).await.len() + sent(store, None, 2..=9).await.len(), 0);
}

pub(crate) async fn only_what_changes_a_row_is_counted(store: &impl Store) {
    let mut envelope = envelope(1, &["a@example.org", "b@example.org"]);
    envelope.suppressed = vec![address("gone@example.org")];
    let message = commit(store, envelope).await;
    let deferred = Outcome::Deferred { until: later(600) };
    store.settle(settlement(message, later(2), &[(0, deferred)])).await.unwrap();
    store.hold(message, HoldReason::Operator, later(3)).await.unwrap();
    store.release(message, later(4)).await.unwrap();
    assert_eq!(sent(store, None, 0..=0).await, [[0, 1, 1, 1, 2, 0, 0, 0]]);
    store.settle(settlement(message, later(5), &[(0, DELIVERED)])).await.unwrap();
    // a second verdict on what is settled
    store.settle(settlement(message, later(6), &[(0, Outcome::HardBounced), (7, DELIVERED)])).await.unwrap();
    note(store, vec![refusal(Timestamp(NOW.0 + 1), "c@example.org")], 9).await;
    assert_eq!(sent(store, None, 0..=0).await, [[0, 1, 1, 1, 3, 2, 0, 0]], "the marker is one of the three");
}

pub(crate) async fn what_was_committed_is_charged_once(store: &impl Store) {
    const DAY: u64 = 86_400;
    assert!(store.charges().unwrap().is_empty());
    let mut own = envelope(1, &["a@example.org", "b@example.org"]);
    own.suppressed = vec![address("gone@example.org")];
    let own = commit(store, own).await;
    // before activity has heard of it
    assert_eq!(charges(store), [(1, 0, 2)]);
    let mut suppressed = envelope(2, &[]);
    suppressed.suppressed = vec![address("gone@example.org")];
    commit(store, suppressed).await;
    let mut told = envelope(3, &["shop@example.com"]);
    (told.account, told.origin) = (Id::new(0), Origin::Notification(own));
    commit(store, told).await;
    drop(store.draft().unwrap());
    let mut other = envelope(4, &["a@example.org"]);
    other.account = Id::new(2);
    commit(store, other).await;
    commit(store, envelope(DAY, &["a@example.org"])).await;
    // no outcome changes it, and no refusal counts
    let bounced = [(0, Outcome::HardBounced), (1, Outcome::SoftBounced)];
    store.settle(settlement(own, later(9), &bounced)).await.unwrap();
    note(store, vec![refusal(NOW, "c@example.org")], DAY + 1).await;
    assert_eq!(charges(store), [(1, 0, 2), (1, 1, 2), (2, 0, 1)], "the marker is one of the second day");
}

pub(crate) async fn a_recipient_is_erased(store: &impl Store) {
    let whole = commit(store, envelope(1, &["Anna@example.org", "b@example.org"])).await;
    let verdicts = [(0, Outcome::Deferred { until: later(9) }), (1, DELIVERED)];
    store.settle(settlement(whole, later(2), &verdicts)).await.unwrap();
    store.settle(settlement(whole, later(10), &[(0, Outcome::HardBounced)])).await.unwrap();
    commit(store, envelope(3, &["anna@example.org"])).await;
    let named = Notice { kind: NoticeKind::Connection, ..refusal(later(6), "anna@example.org") };
    store.note(vec![refusal(later(6), "ANNA@example.org"), refusal(later(6), "c@example.org"), named]);
    let mut others = envelope(4, &["anna@example.org"]);
    others.account = Id::new(2);
    let others = commit(store, others).await;
    store.settle(settlement(others, later(5), &[(0, DELIVERED)])).await.unwrap();
    assert_eq!(rows(store, ActivityFilter::default()).await.len(), 6);
    let erased = store.erase(Id::new(1), "anna@Example.org").unwrap();
    assert_eq!((erased.rows, erased.connections, erased.waiting), (2, 1, 1));
    let mut left: Vec<_> = rows(store, ActivityFilter::default())
        .await
        .into_iter()
        .map(|row| (row.account.number(), row.recipient, row.status))
        .collect();
    let row = |account, recipient: &str, status| (account, recipient.to_owned(), status);
    let expected = [
        row(1, "anna@example.org", Status::Accepted),
        row(1, "b@example.org", Status::Delivered),
        row(1, "c@example.org", Status::Rejected),
        row(2, "anna@example.org", Status::Delivered),
    ];
    left.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    assert_eq!(left, expected);
    assert!(store.connections(None, None, 10).unwrap().is_empty());
    // what is left of the message is told as before, and once more there is nothing
    let of_message = ActivityFilter { message: Some(whole), ..ActivityFilter::default() };
    let other = rows(store, of_message).await.remove(0);
    let detail = store.activity_detail(other.row).unwrap().unwrap();
    assert_eq!((detail.events.len(), detail.row.reply.as_str()), (2, "250 2.0.0 Ok"));
    assert!(store.activity_detail(other.row - 1).unwrap().is_none());
    assert_eq!(store.erase(Id::new(1), "anna@example.org").unwrap().rows, 0);
    assert_eq!(store.sent(Some(Id::new(1)), NOW.day(), NOW.day()).unwrap()[0].accepted, 3, "counters name nobody");
}
