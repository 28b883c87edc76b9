//! Parts of the search index that become fewer: what is found is the same before, after and in between, whatever goes, is
//! erased or is killed meanwhile.

use std::collections::BTreeSet;

use proptest::prelude::*;
use relay::activity::ActivityFilter;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use rusqlite::Connection;

use super::super::erase::Erasure;
use super::super::sweep::Sweeps;
use super::super::{parts, postings, prune, query, schema};
use super::gone::{KEEP, begin, directory, erase};
use super::*;

/// Small parts, small steps, few of them merged.
fn small(kept: &mut Kept) {
    kept.file.part_rows = 20;
    (kept.file.merges.fan, kept.file.merges.pages) = (3, 2);
}

fn message(number: u64) -> Event {
    let to = [format!("a{}@one.example", number % 7), format!("B{}@two.example", number % 11), "c@one.example".into()];
    let to: Vec<&str> = to.iter().map(String::as_str).take(1 + number as usize % 3).collect();
    let mut envelope = Envelope::clone(&envelope(number, number * 1000, &to));
    envelope.account = Id::new(1 + number % 3);
    envelope.facts.subject = format!("Order {} of {}", number % 13, number % 5);
    envelope.reverse_path =
        ReversePath::Mailbox(Address::parse(&format!("s{}@example.com", number % 4), false).unwrap());
    Event::Committed(Arc::new(envelope))
}

/// So many messages more, delivered, and as many parts as they make.
fn send(kept: &mut Kept, messages: u64) {
    let (known, end) = (kept.count("row_groups") + kept.file.progress.row, kept.file.position().0);
    let numbers = known + 1..=known + messages;
    let delivered = |number: u64| {
        let verdict = |recipient| Verdict {
            recipient,
            outcome: Outcome::Delivered { sandbox: false },
            class: None,
            reason: String::new(),
            remote_reply: None,
        };
        let verdicts = (0..1 + (number % 3) as u16).map(verdict).collect();
        let (message, at) = (MessageId(u128::from(number)), Timestamp(number * 1000));
        Event::Settled(Settlement { message, at, attempt: None, verdicts })
    };
    let events = numbers.clone().map(message).chain(numbers.map(delivered));
    let events: Vec<_> = (end + 1..).map(Position).zip(events).collect();
    let next = events.last().map_or(Position(end), |(position, _)| *position);
    kept.file.apply(&Batch { events, next }, FOLD).unwrap();
    while kept.file.index().unwrap() {}
}

fn filters() -> Vec<ActivityFilter> {
    let all = || ActivityFilter { limit: 1_000_000, ..ActivityFilter::default() };
    let text = |text: &str| Some(text.to_owned());
    vec![
        all(),
        ActivityFilter { recipient: text("a3@"), ..all() },
        ActivityFilter { recipient: text("b"), account: Some(Id::new(2)), ..all() },
        ActivityFilter { recipient: text("@two.example"), before_row: Some(70), ..all() },
        ActivityFilter { recipient: text("nobody"), ..all() },
        ActivityFilter { sender: text("s1@example.com"), ..all() },
        ActivityFilter { subject: text("order 12"), ..all() },
        ActivityFilter { subject: text("xylophone"), account: Some(Id::new(1)), ..all() },
        ActivityFilter { account: Some(Id::new(3)), limit: 7, ..all() },
    ]
}

/// What is found with the index is what is found without, each row once.
fn finds_all(kept: &Kept) {
    let writer = &kept.file.writer;
    let found: Vec<_> = filters().iter().map(|filter| query::activity(writer, filter).unwrap()).collect();
    writer.execute_batch("SAVEPOINT plain; DELETE FROM parts").unwrap();
    for (filter, found) in filters().iter().zip(found) {
        assert_eq!(found, query::activity(writer, filter).unwrap(), "{filter:?}");
        assert!(found.windows(2).all(|two| two[0].row > two[1].row), "{filter:?}");
    }
    writer.execute_batch("ROLLBACK TO plain; RELEASE plain").unwrap();
}

/// All that the index tells: of what kind, the key, the group.
fn told(kept: &Kept) -> BTreeSet<(u8, Vec<u8>, u64)> {
    let mut told = BTreeSet::new();
    for part in parts::between(&kept.file.writer, 0, 1 << 40).unwrap() {
        let mut pages = kept.file.writer.prepare("SELECT kind, body FROM postings WHERE part = ?1").unwrap();
        let mut pages = pages.query([part.postings]).unwrap();
        while let Some(page) = pages.next().unwrap() {
            let (kind, body): (u8, Vec<u8>) = (page.get(0).unwrap(), page.get(1).unwrap());
            postings::each_entry(&body, &mut |key, place| {
                told.insert((kind, key.to_vec(), part.first + u64::from(place)));
            })
            .unwrap();
        }
    }
    told
}

/// Nothing is left to do: the index tells what one made now would tell, and nothing is loose.
fn is_settled(kept: &mut Kept) {
    let owned = "SELECT count(*) FROM postings WHERE part NOT IN (SELECT postings FROM parts)";
    assert_eq!(kept.file.writer.query_row(owned, [], |row| row.get::<_, u64>(0)).unwrap(), 0);
    assert_eq!(kept.count("loose_postings"), 0);
    let (told_now, indexed) = (told(kept), kept.file.indexed);
    kept.file.writer.execute_batch("SAVEPOINT anew; DELETE FROM parts; DELETE FROM postings").unwrap();
    let oldest = "SELECT coalesce(min(row), 1) - 1 FROM row_groups";
    let mut row: u64 = kept.file.writer.query_row(oldest, [], |row| row.get(0)).unwrap();
    while row < indexed {
        row = add(&kept.file.writer, row, indexed - row);
    }
    let made_anew = told(kept);
    kept.file.writer.execute_batch("ROLLBACK TO anew; RELEASE anew").unwrap();
    assert!(told_now == made_anew, "{:?}", told_now.symmetric_difference(&made_anew).collect::<Vec<_>>());
}

fn merge(kept: &mut Kept, steps: usize) {
    for _ in 0..steps {
        kept.file.merge().unwrap();
    }
}

fn add(writer: &Connection, last_row: u64, rows: u64) -> u64 {
    parts::add(writer, last_row, rows).unwrap()
}

fn sweep_all(kept: &mut Kept, directory: &Directory) {
    let mut sweeps = Sweeps::new();
    while sweeps.step(&mut kept.file, directory, KEEP, Timestamp(0)).unwrap() != Some(false) {}
}

fn opened_again(kept: Kept) -> Kept {
    let Kept { folder, file } = kept;
    drop(file);
    let file = File::open(&folder.path().join("activity.db")).unwrap();
    let mut kept = Kept { folder, file };
    small(&mut kept);
    kept
}

#[test]
fn parts_become_fewer_and_find_the_same() {
    let mut kept = kept();
    small(&mut kept);
    send(&mut kept, 100);
    let parts = kept.count("parts");
    assert!(parts >= 9);
    let mut steps = 0;
    while kept.file.merge().unwrap() {
        finds_all(&kept);
        steps += 1;
    }
    assert!(steps > 30, "in small steps");
    assert_eq!(kept.count("parts"), parts / 3 + parts % 3);
    is_settled(&mut kept);
    // what comes later is merged later, and what was merged is not merged again
    send(&mut kept, 60);
    while kept.file.merge().unwrap() {}
    let levels = "SELECT count(*) FROM parts WHERE level = 1";
    assert_eq!(kept.file.writer.query_row(levels, [], |row| row.get::<_, u64>(0)).unwrap(), kept.file.indexed / 60);
    finds_all(&kept);
    is_settled(&mut kept);
}

#[test]
fn killed_at_any_step_it_is_done_at_last() {
    for killed_after in 0..40 {
        let mut kept = kept();
        small(&mut kept);
        send(&mut kept, 40);
        merge(&mut kept, killed_after);
        let mut kept = opened_again(kept);
        finds_all(&kept);
        while kept.file.merge().unwrap() {
            finds_all(&kept);
        }
        assert!(kept.count("parts") < 4, "{killed_after}");
        is_settled(&mut kept);
    }
}

#[test]
fn a_merged_part_is_made_anew_without_what_is_gone() {
    let mut kept = kept();
    small(&mut kept);
    send(&mut kept, 100);
    while kept.file.merge().unwrap() {}
    let parts = kept.count("parts");
    let leaving = relay::account::Leaving { since: Timestamp(0), cancels_mail: false };
    let directory = Directory { leaving: [(Id::new(2), leaving)].into(), ..Directory::default() };
    sweep_all(&mut kept, &directory);
    assert_eq!(kept.count("parts"), parts, "no large part becomes small ones");
    assert!(kept.rows(&ActivityFilter { account: Some(Id::new(2)), ..ActivityFilter::default() }).is_empty());
    finds_all(&kept);
    is_settled(&mut kept);
}

/// The same rows in a file of the version before parts were merged.
fn as_before(kept: &Kept) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("activity.db");
    let before = sqlite::open_writer(&path, &schema::MIGRATIONS[..6]).unwrap();
    let now = kept.folder.path().join("activity.db");
    before.execute("ATTACH ?1 AS now", [now.to_str().unwrap()]).unwrap();
    before
        .execute_batch(
            "UPDATE main.progress SET (position, change, row, connection) =
                (SELECT position, change, row, connection FROM now.progress);
            INSERT INTO main.row_groups SELECT * FROM now.row_groups;
            INSERT INTO main.hours SELECT * FROM now.hours;
            INSERT INTO main.changes SELECT * FROM now.changes;
            INSERT INTO main.parts (last, first, groups, words) SELECT last, first, groups, words FROM now.parts;
            INSERT INTO main.postings (part, kind, key, body) SELECT last, kind, key, body
                FROM now.postings JOIN now.parts ON now.parts.postings = now.postings.part;",
        )
        .unwrap();
    drop(before);
    let file = File::open(&path).unwrap();
    Kept { folder, file }
}

#[test]
fn files_from_before_are_merged() {
    let mut kept = kept();
    small(&mut kept);
    send(&mut kept, 100);
    let mut opened = as_before(&kept);
    small(&mut opened);
    assert_eq!((opened.all(), told(&opened)), (kept.all(), told(&kept)));
    finds_all(&opened);
    while opened.file.merge().unwrap() {}
    assert!(opened.count("parts") < kept.count("parts") / 2);
    send(&mut opened, 20);
    finds_all(&opened);
    is_settled(&mut opened);
}

#[derive(Clone, Debug)]
enum Move {
    Send(u64),
    Merge(usize),
    Erase(u64, u64),
    Prune(u64),
    Delete(u64),
    Kill,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (1..60_u64).prop_map(Move::Send),
        5 => (1..30_usize).prop_map(Move::Merge),
        2 => (1..4_u64, 0..7_u64).prop_map(|(account, number)| Move::Erase(account, number)),
        1 => (1..150_u64).prop_map(Move::Prune),
        1 => (1..4_u64).prop_map(Move::Delete),
        2 => Just(Move::Kill),
    ];
    proptest::collection::vec(one, 1..14)
}

fn make(mut kept: Kept, sweeps: &mut Sweeps, deleted: &mut Directory, one: &Move) -> Kept {
    match *one {
        Move::Send(messages) => send(&mut kept, messages),
        Move::Merge(steps) => merge(&mut kept, steps),
        Move::Erase(account, number) => {
            let recipient = format!("a{number}@one.example");
            let erasure: Erasure = begin(&mut kept, account, &recipient);
            erase(&mut kept, &erasure, 1000).unwrap();
            let its =
                ActivityFilter { recipient: Some(recipient), account: Some(Id::new(account)), ..filters()[0].clone() };
            assert!(kept.rows(&its).is_empty());
            let loose = "SELECT count(*) FROM postings WHERE part NOT IN (SELECT postings FROM parts)";
            assert_eq!(kept.file.writer.query_row(loose, [], |row| row.get::<_, u64>(0)).unwrap(), 0);
        }
        Move::Prune(before) => while prune::some(&mut kept.file.writer, Timestamp(before * 1000)).unwrap() {},
        Move::Delete(account) => {
            let leaving = relay::account::Leaving { since: Timestamp(0), cancels_mail: false };
            deleted.leaving.insert(Id::new(account), leaving);
            // some of it, so that the rest is done in between
            for _ in 0..5 {
                sweeps.step(&mut kept.file, deleted, KEEP, Timestamp(0)).unwrap();
            }
        }
        Move::Kill => {
            *sweeps = Sweeps::new();
            kept = opened_again(kept);
        }
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_happens_in_whatever_order_each_row_is_found_once(moves in moves()) {
        let mut kept = kept();
        small(&mut kept);
        let (mut sweeps, mut deleted) = (Sweeps::new(), directory(&[]));
        for one in &moves {
            kept = make(kept, &mut sweeps, &mut deleted, one);
            finds_all(&kept);
        }
        sweep_all(&mut kept, &deleted);
        while kept.file.merge().unwrap() {}
        finds_all(&kept);
        is_settled(&mut kept);
    }
}
