//! The rows of activity as a file: told twice, pruned, asked through each index.

mod gone;
mod merged;

use std::sync::Arc;
use std::time::Duration;

use relay::activity::{ActivityDetail, ActivityFilter, ActivityRow, Notice, NoticeKind, Status};
use relay::clock::{Day, Timestamp};
use relay::id::{Id, MessageId, SessionId};
use relay::queue::{ContentFacts, Envelope, HoldReason, Origin, Outcome, Settlement, Verdict};
use rusqlite::Connection;
use smtp::address::{Address, ReversePath};

use super::{File, connections, counters, prune, query, standing};
use crate::embedded::spool::{Batch, Event, Position};
use crate::embedded::sqlite;
use crate::rows::FOLD;

const HOUR: u64 = 3_600_000;

pub(in crate::embedded::ledger) fn envelope(number: u64, at: u64, recipients: &[&str]) -> Arc<Envelope> {
    Arc::new(Envelope {
        message: MessageId(u128::from(number)),
        account: Id::new(1),
        user: None,
        domain: None,
        origin: Origin::Submission,
        reverse_path: ReversePath::Null,
        recipients: recipients.iter().map(|text| Address::parse(text, false).unwrap()).collect(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: Timestamp(at),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts::default(),
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    })
}

fn settled(number: u64, at: u64, outcome: Outcome) -> Event {
    let verdict = Verdict { recipient: 0, outcome, class: None, reason: String::new(), remote_reply: None };
    let attempt = relay::queue::Attempt {
        at: Timestamp(at),
        milliseconds: 1,
        host: "mx.example.org".into(),
        remote: None,
        tls: "none".into(),
        source: None,
        others: Vec::new(),
    };
    Event::Settled(Settlement {
        message: MessageId(u128::from(number)),
        at: Timestamp(at),
        attempt: Some(attempt),
        verdicts: vec![verdict],
    })
}

fn refusal(at: u64, kind: NoticeKind) -> Notice {
    Notice {
        at: Timestamp(at),
        kind,
        account: Some(Id::new(1)),
        user: None,
        domain: None,
        username: "k1".into(),
        session: SessionId(1),
        remote: "192.0.2.1".parse().unwrap(),
        tls: "none".into(),
        sender: String::new(),
        recipient: "a@example.org".into(),
        subject: String::new(),
        reference: "recipients-max".into(),
        reply: String::new(),
        reason: String::new(),
        count: 2,
    }
}

/// A log whose events lie at 10, 20, 30…
pub(in crate::embedded::ledger) fn log(events: Vec<Event>) -> Batch {
    let events: Vec<_> = (1..).map(|place| Position(place * 10)).zip(events).collect();
    Batch { next: events.last().map_or(Position(0), |(position, _)| *position), events }
}

struct Kept {
    folder: tempfile::TempDir,
    file: File,
}

fn kept() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let file = File::open(&folder.path().join("activity.db")).unwrap();
    Kept { folder, file }
}

impl Kept {
    fn rows(&self, filter: &ActivityFilter) -> Vec<ActivityRow> {
        query::activity(&self.file.writer, filter).unwrap()
    }

    fn all(&self) -> Vec<ActivityRow> {
        self.rows(&ActivityFilter { limit: 1_000_000, ..ActivityFilter::default() })
    }

    /// All that is told of all rows.
    fn details(&self) -> Vec<ActivityDetail> {
        self.all().iter().map(|row| query::detail(&self.file.writer, row.row).unwrap().unwrap()).collect()
    }

    /// All mail leaves the queue, delivered.
    fn settle_all(&mut self) {
        let waiting = standing::unsettled(&self.file.writer).unwrap();
        let mut events = Vec::new();
        for (message, recipient) in waiting {
            let outcome = Outcome::Delivered { sandbox: false };
            let verdict = Verdict { recipient, outcome, class: None, reason: String::new(), remote_reply: None };
            let at = Timestamp(HOUR);
            events.push(Event::Settled(Settlement { message, at, attempt: None, verdicts: vec![verdict] }));
        }
        let end = self.file.position().0;
        let events: Vec<_> = (end + 1..).map(Position).zip(events).collect();
        let next = events.last().map_or(Position(end), |(position, _)| *position);
        self.file.apply(&Batch { events, next }, FOLD).unwrap();
    }

    fn count(&self, table: &str) -> u64 {
        self.file.writer.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

fn everything() -> Vec<Event> {
    let message = MessageId(2);
    vec![
        Event::Committed(envelope(1, HOUR, &["a@example.org"])),
        Event::Committed(envelope(2, HOUR, &["a@example.org", "b@example.org"])),
        settled(1, 2 * HOUR, Outcome::Deferred { until: Timestamp(3 * HOUR) }),
        settled(1, 3 * HOUR, Outcome::Delivered { sandbox: false }),
        Event::Held { message, recipients: None, reason: HoldReason::Operator, at: Timestamp(HOUR) },
        Event::Released { message, recipients: None, at: Timestamp(HOUR) },
        settled(2, 2 * HOUR, Outcome::Deferred { until: Timestamp(9 * HOUR) }),
        Event::Noticed(vec![refusal(HOUR, NoticeKind::Rejected), refusal(HOUR, NoticeKind::Rejected)]),
        Event::Noticed(vec![refusal(HOUR + 1, NoticeKind::Rejected), refusal(HOUR, NoticeKind::Connection)]),
        Event::Noticed(vec![refusal(HOUR + 2, NoticeKind::Connection)]),
        // beyond the hour of the first: rows of their own
        Event::Noticed(vec![refusal(3 * HOUR, NoticeKind::Rejected), refusal(3 * HOUR, NoticeKind::Connection)]),
    ]
}

fn counts(kept: &Kept) -> (Vec<u32>, Vec<u32>) {
    let connections = connections::connections(&kept.file.writer, None, None, 10).unwrap();
    let refused = kept.rows(&ActivityFilter { status: Some(Status::Rejected), ..ActivityFilter::default() });
    (refused.iter().map(|row| row.count).collect(), connections.iter().map(|row| row.notice.count).collect())
}

#[test]
fn a_sync_reaches_the_file_that_commits_went_to() {
    let mut kept = kept();
    kept.file.apply(&log(everything()), FOLD).unwrap();
    kept.file.sync().unwrap();
    // nothing is committed since: SQLite has nothing to sync, and would not miss the file that it has open
    std::fs::remove_file(kept.folder.path().join("activity.db-wal")).unwrap();
    assert!(kept.file.sync().is_err_and(|error| sqlite::is_disk_failure(&error)));
}

#[test]
fn an_event_that_no_row_can_hold_stops_nothing() {
    let mut kept = kept();
    // SQLite has no number so high
    let never = Event::Committed(envelope(3, u64::MAX, &["never@example.org"]));
    let events = vec![
        Event::Committed(envelope(1, HOUR, &["a@example.org"])),
        never,
        Event::Committed(envelope(2, HOUR, &["b@example.org"])),
        settled(1, HOUR, Outcome::Delivered { sandbox: false }),
    ];
    kept.file.apply(&log(events), FOLD).unwrap();
    assert_eq!(kept.file.position(), Position(40));
    let statuses: Vec<Status> = kept.all().iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Status::Accepted, Status::Delivered]);
}

/// Of each counter: the day, accepted, delivered, soft bounced, hard bounced.
fn sent(kept: &Kept) -> Vec<[u64; 5]> {
    let sent = counters::sent(&kept.file.writer, None, Day(0), Day(99_999)).unwrap();
    let numbers =
        sent.iter().map(|sent| [sent.day.0, sent.accepted, sent.delivered, sent.soft_bounced, sent.hard_bounced]);
    numbers.collect()
}

#[test]
fn counters_go_by_whole_days() {
    let mut kept = kept();
    let messages = (0..4).map(|day| Event::Committed(envelope(day + 1, day * 24 * HOUR + 5, &["a@example.org"])));
    kept.file.apply(&log(messages.collect()), FOLD).unwrap();
    counters::forget_before(&kept.file.writer, Timestamp(2 * 24 * HOUR + 17 * HOUR)).unwrap();
    assert_eq!(sent(&kept), [[2, 1, 0, 0, 0], [3, 1, 0, 0, 0]]);
}

#[test]
fn events_told_again_from_any_place_change_nothing() {
    let once = {
        let mut kept = kept();
        kept.file.apply(&log(everything()), FOLD).unwrap();
        (kept.details(), counts(&kept), kept.count("timeline"), sent(&kept))
    };
    assert_eq!(once.3, [[0, 3, 1, 0, 0]]);
    assert_eq!(once.1, (vec![2, 6], vec![2, 4]));
    assert_eq!(once.0.iter().map(|row| row.row.attempts).collect::<Vec<_>>(), [0, 0, 0, 1, 2]);
    for from in 0..everything().len() {
        let mut kept = kept();
        kept.file.apply(&log(everything()), FOLD).unwrap();
        let change = kept.file.progress.change;
        // as after a crash that lost the position alone
        let mut again = log(everything());
        again.events.drain(..from);
        kept.file.apply(&again, FOLD).unwrap();
        let again = (kept.details(), counts(&kept), kept.count("timeline"), sent(&kept));
        assert_eq!(again, once, "told again from {from}");
        assert_eq!(kept.file.progress.change, change, "followers are told of nothing");
    }
}

#[test]
fn a_crash_between_batches_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("activity.db");
    let whole = log(everything());
    for (place, (position, event)) in whole.events.iter().enumerate() {
        let mut file = File::open(&path).unwrap();
        let expected = place.checked_sub(1).map_or(Position(0), |before| whole.events[before].0);
        assert_eq!(file.position(), expected);
        file.apply(&Batch { events: vec![(*position, event.clone())], next: *position }, FOLD).unwrap();
        // a transaction that the crash interrupts
        let transaction = file.writer.transaction().unwrap();
        transaction.execute("UPDATE progress SET position = 999", []).unwrap();
        transaction.execute("DELETE FROM row_groups", []).unwrap();
    }
    let file = File::open(&path).unwrap();
    let kept = Kept { folder, file };
    assert_eq!(counts(&kept), (vec![2, 6], vec![2, 4]));
    assert_eq!(kept.all().len(), 5);
    assert_eq!(sent(&kept), [[0, 3, 1, 0, 0]]);
}

#[test]
fn another_shorter_log_counts_anew() {
    let mut kept = kept();
    let long = log(everything());
    kept.file.apply(&long, FOLD).unwrap();
    kept.file.begin_again().unwrap();
    assert_eq!(kept.file.position(), Position(0));
    kept.file.apply(&log(vec![settled(2, 5 * HOUR, Outcome::HardBounced)]), FOLD).unwrap();
    let bounced = kept.rows(&ActivityFilter { status: Some(Status::HardBounce), ..ActivityFilter::default() });
    assert_eq!(bounced.len(), 1);
    assert_eq!(sent(&kept), [[0, 3, 1, 0, 1]]);
    kept.file.begin_again().unwrap();
    kept.file.apply(&long, FOLD).unwrap();
    assert_eq!(sent(&kept), [[0, 3, 1, 0, 1]], "what is known is not counted twice");
}

#[test]
fn old_rows_go_in_small_steps_with_all_that_is_theirs() {
    let mut kept = kept();
    let messages = (1..=1200)
        .map(|number| Event::Committed(envelope(number, number * HOUR / 100, &["a@example.org", "b@example.org"])));
    let settled = (1..=1200).map(|number| settled(number, 12 * HOUR, Outcome::Delivered { sandbox: false }));
    let notices = (0..12).map(|hour| {
        Event::Noticed(vec![
            refusal(hour * 2 * HOUR, NoticeKind::Rejected),
            refusal(hour * 2 * HOUR, NoticeKind::Connection),
        ])
    });
    kept.file.apply(&log(messages.chain(settled).chain(notices).collect()), FOLD).unwrap();
    let before = Timestamp(6 * HOUR);
    let mut steps = 0;
    while prune::some(&mut kept.file.writer, before).unwrap() {
        steps += 1;
        assert!(steps < 10, "it does not come to an end");
    }
    assert!(steps >= 2, "more than a step's worth went at once");
    let left = kept.all();
    assert!(left.iter().all(|row| row.at >= before));
    assert_eq!(left.iter().filter(|row| row.message.is_some()).count(), 2 * 601);
    assert_eq!(left.iter().filter(|row| row.message.is_none()).count(), 9);
    assert_eq!((kept.count("row_groups"), kept.count("refusals"), kept.count("connections")), (601 + 9, 9, 9));
    // one recipient of each message is still accepted, and each refusal is rejected
    assert_eq!(kept.count("statuses"), 601 + 9);
    let hours: u64 = kept.file.writer.query_row("SELECT min(hour) FROM hours", [], |row| row.get(0)).unwrap();
    assert_eq!(hours, 6);
    assert!(!prune::some(&mut kept.file.writer, before).unwrap());
    // numbers go on where they were, also when every row is gone; what was counted outlives the rows
    while prune::some(&mut kept.file.writer, Timestamp(100 * HOUR)).unwrap() {}
    assert_eq!(kept.all().len(), 0);
    assert_eq!(sent(&kept), [[0, 2400, 1200, 0, 0]]);
    let highest = kept.file.progress.row;
    kept.file
        .apply(
            &Batch {
                events: vec![(Position(99_999), Event::Committed(envelope(9999, 101 * HOUR, &["a@example.org"])))],
                next: Position(99_999),
            },
            FOLD,
        )
        .unwrap();
    assert_eq!(kept.all()[0].row, highest + 1);
}

#[test]
fn a_frequent_value_is_found_among_the_newest_and_a_rare_one_through_its_index() {
    let mut kept = kept();
    let many = (1..=2500).map(|number| Event::Committed(envelope(number, number, &["often@example.org"])));
    let rare = Event::Committed(envelope(9000, 9000, &["rare@example.net"]));
    kept.file.apply(&log([rare].into_iter().chain(many).collect()), FOLD).unwrap();
    let of = |recipient: &str| ActivityFilter { recipient: Some(recipient.into()), limit: 5000, ..Default::default() };
    for (recipient, rows) in [("often@example.org", 2500), ("rare@", 1), ("@example.net", 1), ("@example.org", 2500)] {
        assert_eq!(kept.rows(&of(recipient)).len(), rows, "{recipient}");
        let narrowed = ActivityFilter { account: Some(Id::new(1)), status: Some(Status::Accepted), ..of(recipient) };
        assert_eq!(kept.rows(&narrowed).len(), rows, "{recipient} in an account");
    }
}

#[test]
fn pruning_is_not_held_up_by_readers_nor_readers_by_it() {
    let mut kept = kept();
    kept.file.apply(&log(everything()), FOLD).unwrap();
    let path = kept.folder.path().join("activity.db");
    let mut reader = Connection::open(path).unwrap();
    reader.busy_timeout(Duration::ZERO).unwrap();
    let transaction = reader.transaction().unwrap();
    let count = |reader: &Connection| -> u64 {
        reader.query_row("SELECT sum(count) FROM row_groups", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&transaction), 5);
    while prune::some(&mut kept.file.writer, Timestamp(100 * HOUR)).unwrap() {}
    assert_eq!(count(&transaction), 5, "a reader sees one moment");
    transaction.finish().unwrap();
    assert_eq!(kept.count("row_groups"), 0);
}

/// Enough messages for two parts of the index, and some that are in none yet. Of three recipients each, `rare` is in
/// few, `a` in all.
fn indexed() -> Kept {
    let mut kept = kept();
    kept.file.part_rows = 1000;
    let messages: Vec<_> = (1..=900_u64)
        .map(|number| {
            let rare = if number % 200 == 7 { "Rare" } else { "often" };
            let own = format!("{rare}{number}@host{}.example.org", number % 50);
            let mut envelope =
                Envelope::clone(&envelope(number, number * 10_000, &["a@example.org", &own, "z@example.org"]));
            envelope.account = Id::new(1 + number % 3);
            envelope.facts.subject = format!("Votre REÇU {number} – {rare}, l’Été");
            envelope.reverse_path =
                ReversePath::Mailbox(Address::parse(&format!("s{}@example.com", number % 9), false).unwrap());
            Event::Committed(Arc::new(envelope))
        })
        .collect();
    kept.file.apply(&log(messages), FOLD).unwrap();
    while kept.file.index().unwrap() {}
    let end = kept.file.position().0;
    let late = [7, 207, 807].map(|number| (Position(end + number), settled(number, HOUR, Outcome::HardBounced)));
    kept.file.apply(&Batch { events: late.to_vec(), next: Position(end + 1000) }, FOLD).unwrap();
    kept
}

#[test]
fn rows_are_found_in_and_beyond_the_index_as_without_it() {
    let mut kept = indexed();
    assert_eq!(kept.count("parts"), 2);
    assert!(kept.file.indexed < kept.file.progress.row);
    let all = ActivityFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let filters = [
        all(),
        ActivityFilter { recipient: text("rare"), ..all() },
        ActivityFilter { recipient: text("RARE207@host7.example.org"), ..all() },
        ActivityFilter { recipient: text("@HOST7.example.org"), ..all() },
        ActivityFilter { recipient: text("@example.org"), limit: 2000, ..all() },
        ActivityFilter { recipient: text("@ost7.example.org"), ..all() },
        ActivityFilter { recipient: text("nobody"), ..all() },
        ActivityFilter { sender: text("s4@"), recipient: text("rare"), ..all() },
        ActivityFilter { sender: text("@example.com"), limit: 2700, ..all() },
        ActivityFilter { subject: text("reçu 80"), limit: 2700, ..all() },
        ActivityFilter { subject: text("été rare"), limit: 2700, ..all() },
        ActivityFilter { subject: text("votre"), account: Some(Id::new(2)), limit: 2700, ..all() },
        ActivityFilter { subject: text("eçu"), limit: 2700, ..all() },
        ActivityFilter { subject: text("–"), limit: 2700, ..all() },
        ActivityFilter { account: Some(Id::new(2)), recipient: text("rare"), ..all() },
        ActivityFilter { account: Some(Id::new(2)), limit: 2000, ..all() },
        ActivityFilter { account: Some(Id::new(9)), ..all() },
        ActivityFilter { status: Some(Status::HardBounce), ..all() },
        ActivityFilter { status: Some(Status::HardBounce), account: Some(Id::new(2)), ..all() },
        ActivityFilter { recipient: text("rare"), before_row: Some(1500), since: Some(Timestamp(HOUR)), ..all() },
        ActivityFilter { recipient: text("rare"), until: Some(Timestamp(2 * HOUR)), limit: 1, ..all() },
    ];
    let with: Vec<_> = filters.iter().map(|filter| kept.rows(filter)).collect();
    kept.file.writer.execute_batch("DELETE FROM parts; DELETE FROM postings").unwrap();
    for (filter, with) in filters.iter().zip(with) {
        assert_eq!(with, kept.rows(filter), "{filter:?}");
        assert!(with.iter().all(|row| crate::rows::matches(filter, row)), "{filter:?}");
    }
    assert_eq!(kept.rows(&filters[1]).len(), 5);
    let found = |from: usize| filters[from..from + 5].iter().map(|filter| kept.rows(filter).len()).collect::<Vec<_>>();
    // 80 and 800 to 809, three recipients each; five rare ones; a third of all
    assert_eq!(found(9), [33, 15, 900, 0, 0]);
    assert_eq!(kept.rows(&filters[17]).len(), 3);
    kept.file.indexed = 0;
    assert!(kept.file.index().unwrap(), "and it is made anew");
}

#[test]
fn parts_go_with_their_rows() {
    let mut kept = indexed();
    while prune::some(&mut kept.file.writer, Timestamp(400 * 10_000)).unwrap() {}
    while kept.file.merge().unwrap() {}
    assert_eq!(kept.count("parts"), 1);
    let left = "SELECT min(part) FROM postings";
    let left: u64 = kept.file.writer.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(kept.file.writer.query_row("SELECT postings FROM parts", [], |row| row.get(0)), Ok(left));
    let rare = ActivityFilter { recipient: Some("rare".into()), ..ActivityFilter::default() };
    assert_eq!(kept.rows(&rare).len(), 3);
    while prune::some(&mut kept.file.writer, Timestamp(9 * HOUR)).unwrap() {}
    while kept.file.merge().unwrap() {}
    assert_eq!((kept.count("parts"), kept.count("postings")), (0, 0));
    assert!(!kept.file.index().unwrap());
}

#[test]
fn changes_go_with_their_hours() {
    let mut kept = kept();
    for hour in 1..=4 {
        let event = Event::Committed(envelope(hour, hour * HOUR, &["a@example.org"]));
        kept.file.apply(&Batch { events: vec![(Position(hour), event)], next: Position(hour) }, FOLD).unwrap();
    }
    while prune::some(&mut kept.file.writer, Timestamp(3 * HOUR)).unwrap() {}
    // those of the newest hour that went may be known of later ones too
    let (followed, next) = query::since(&kept.file.writer, 0, &ActivityFilter::default()).unwrap();
    assert_eq!((followed.len(), next, kept.count("changes")), (2, 4, 3));
}

#[test]
fn recipients_stand_as_their_rows_say() {
    let mut kept = kept();
    kept.file.apply(&log(everything()), FOLD).unwrap();
    assert_eq!(standing::settled(&kept.file.writer, MessageId(1)).unwrap(), [0]);
    assert_eq!(standing::settled(&kept.file.writer, MessageId(2)).unwrap(), [0_u16; 0]);
    assert_eq!(standing::settled(&kept.file.writer, MessageId(3)).unwrap(), [0_u16; 0]);
    assert_eq!(standing::unsettled(&kept.file.writer).unwrap(), [(MessageId(2), 0), (MessageId(2), 1)]);
}

#[test]
fn followers_are_told_of_every_row_once_whatever_the_batches() {
    let mut kept = kept();
    let everything = log(everything());
    let mut seen = Vec::new();
    let (mut cursor, filter) = (0, ActivityFilter { limit: 1, ..ActivityFilter::default() });
    for some in everything.events.chunks(4) {
        let next = some.last().unwrap().0;
        kept.file.apply(&Batch { events: some.to_vec(), next }, FOLD).unwrap();
        loop {
            let (rows, next) = query::since(&kept.file.writer, cursor, &filter).unwrap();
            assert!(next > cursor || rows.is_empty());
            cursor = next;
            if rows.is_empty() {
                break;
            }
            seen.extend(rows.into_iter().map(|row| (row.row, row.status, row.count)));
        }
    }
    use Status::{Accepted, Deferred, Delivered, Pending, Rejected};
    let batches = [
        &[(2, Accepted, 1), (3, Accepted, 1), (1, Delivered, 1)][..],
        &[(3, Pending, 1), (2, Deferred, 1), (4, Rejected, 4)],
        &[(4, Rejected, 6), (5, Rejected, 2)],
    ];
    assert_eq!(seen, batches.concat());
    assert_eq!(cursor, kept.file.progress.change);
}
