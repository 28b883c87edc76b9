//! What goes before its time: recipients that are erased, rows of accounts that keep them for less, deleted accounts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use relay::account::{Account, AccountState, Contacts, Leaving};
use relay::activity::{ActivityFilter, ActivityRow, Erased, Status};
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::language::Language;
use relay::plan::{Plan, Subscription};
use relay::quota::Quota;

use super::super::erase::{self, Erasure};
use super::super::sweep::{self, Sweeps};
use super::{HOUR, Kept, indexed};

const DAY: u64 = 24 * HOUR;
/// As long as the relay keeps rows.
pub(super) const KEEP: Duration = Duration::from_secs(30 * 86_400);

fn account(number: u64, activity_days: Option<u64>) -> Account {
    Account {
        id: Id::new(number),
        name: "Shop".into(),
        state: AccountState::Active,
        activity_days,
        own_quota: Quota::default(),
        subscription: Subscription::to(Plan::BUILT_IN),
        contacts: Contacts::default(),
        time_zone: relay::time_zone::TimeZone::utc(),
        language: Language::English,
        created_at: Timestamp(0),
    }
}

pub(super) fn directory(accounts: &[(u64, Option<u64>)]) -> Directory {
    let accounts = accounts.iter().map(|(number, days)| (Id::new(*number), Arc::new(account(*number, *days))));
    Directory { accounts: accounts.collect(), ..Directory::default() }
}

/// What the file knows, octet by octet, wherever it keeps it.
fn knows(kept: &Kept, text: &str) -> bool {
    let writer = &kept.file.writer;
    let columns = [("row_groups", "body"), ("row_groups", "facts"), ("timeline", "body"), ("connections", "recipient")];
    let has = |(table, column): (&str, &str)| {
        let query =
            format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE instr(CAST({column} AS BLOB), CAST(?1 AS BLOB)))");
        writer.query_row(&query, [text], |row| row.get::<_, bool>(0)).unwrap()
    };
    columns.into_iter().any(has) || !kept.rows(&to(text)).is_empty() || in_postings(kept, text)
}

/// Whether the index has this very key.
fn in_postings(kept: &Kept, text: &str) -> bool {
    let mut query = kept.file.writer.prepare("SELECT body FROM postings WHERE kind = 0").unwrap();
    let pages: Vec<Vec<u8>> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found = false;
    for page in pages {
        super::super::postings::each_entry(&page, &mut |key, _| found |= key == text.as_bytes()).unwrap();
    }
    found
}

fn to(recipient: &str) -> ActivityFilter {
    ActivityFilter { recipient: Some(recipient.into()), limit: 100_000, ..ActivityFilter::default() }
}

/// Erases, as much as `steps` allow; what was erased where that was enough.
pub(super) fn erase(kept: &mut Kept, erasure: &Erasure, steps: usize) -> Option<Erased> {
    for _ in 0..steps {
        let transaction = kept.file.writer.transaction().unwrap();
        let done = erase::step(&transaction, erasure).unwrap();
        transaction.commit().unwrap();
        if done.is_some() {
            return done;
        }
    }
    None
}

pub(super) fn begin(kept: &mut Kept, account: u64, recipient: &str) -> Erasure {
    let erasure = Erasure::of(Id::new(account), recipient);
    let transaction = kept.file.writer.transaction().unwrap();
    erase::begin(&transaction, &erasure).unwrap();
    transaction.commit().unwrap();
    erasure
}

#[test]
fn a_recipient_is_erased_from_the_index_and_beyond_it() {
    is_erased_from_the_index_and_beyond_it(indexed());
}

#[test]
fn a_recipient_is_erased_from_merged_parts_and_from_what_they_were_made_of() {
    for steps in [0, 1, 2, 3, 5, 8, 1000] {
        let mut kept = indexed();
        (kept.file.merges.fan, kept.file.merges.pages) = (2, 5);
        // under way, or just done, or long
        for _ in 0..steps {
            kept.file.merge().unwrap();
        }
        is_erased_from_the_index_and_beyond_it(kept);
    }
}

fn is_erased_from_the_index_and_beyond_it(mut kept: Kept) {
    kept.settle_all();
    let before = kept.all();
    // message 207 is in a part, message 807 in none; both are of account 1, and their neighbours stay
    for (address, account) in [("rare207@host7.example.org", 1), ("rare807@host7.example.org", 1)] {
        assert!(knows(&kept, &address.replacen('r', "R", 1)), "{address}");
        let erasure = begin(&mut kept, account, &address.to_uppercase());
        let erased = erase(&mut kept, &erasure, 100).unwrap();
        assert_eq!(erased, Erased { rows: 1, ..Erased::default() }, "{address}");
        assert!(!knows(&kept, address) && !knows(&kept, &address.replacen('r', "R", 1)), "{address}");
        assert!(erase::unfinished(&kept.file.writer).unwrap().is_empty());
    }
    let is_its = |row: &ActivityRow| ["Rare207@", "Rare807@"].iter().any(|own| row.recipient.starts_with(own));
    let expected: Vec<_> = before.into_iter().filter(|row| !is_its(row)).collect();
    assert_eq!(kept.all(), expected);
    assert_eq!(kept.rows(&to("a@example.org")).len(), expected.len() / 3 + 1, "others of the same messages are found");
}

#[test]
fn an_erasure_that_was_broken_off_is_finished_and_tells_no_other_account() {
    let mut kept = indexed();
    kept.settle_all();
    let erasure = begin(&mut kept, 2, "z@example.org");
    assert_eq!(erase(&mut kept, &erasure, 2), None);
    let path = kept.folder.path().join("activity.db");
    kept.file = super::File::open(&path).unwrap();
    assert_eq!(erase::unfinished(&kept.file.writer).unwrap(), std::slice::from_ref(&erasure));
    let erased = erase(&mut kept, &erasure, 100).unwrap();
    assert_eq!((erased.rows, erased.waiting), (300, 0));
    let left = kept.rows(&to("z@example.org"));
    assert!(left.len() == 600 && left.iter().all(|row| row.account != Id::new(2)));
}

#[test]
fn an_erasure_that_is_asked_for_again_tells_what_went_before_too() {
    let mut kept = indexed();
    kept.settle_all();
    let of = |kept: &Kept| {
        let rows = kept.rows(&to("z@example.org"));
        rows.iter().filter(|row| row.account == Id::new(2)).count()
    };
    let erasure = begin(&mut kept, 2, "z@example.org");
    assert_eq!(of(&kept), 300);
    assert_eq!(erase(&mut kept, &erasure, 2), None);
    assert!((1..300).contains(&of(&kept)), "some are gone, some are left");
    let path = kept.folder.path().join("activity.db");
    kept.file = super::File::open(&path).unwrap();
    // as one who asks right after the start
    let erasure = begin(&mut kept, 2, "z@example.org");
    let erased = erase(&mut kept, &erasure, 100).unwrap();
    assert_eq!((erased.rows, erased.waiting, of(&kept)), (300, 0, 0));
    assert!(erase::unfinished(&kept.file.writer).unwrap().is_empty());
}

#[test]
fn what_waits_in_the_queue_stays() {
    let mut kept = indexed();
    // message 8 alone: nothing of it was settled
    let erasure = begin(&mut kept, 3, "z@example.org");
    let erased = erase(&mut kept, &erasure, 100).unwrap();
    assert_eq!((erased.rows, erased.waiting), (0, 300));
    assert_eq!(kept.rows(&to("z@example.org")).len(), 900);
}

#[test]
fn rows_of_a_message_without_recipients_say_nothing() {
    let mut kept = indexed();
    kept.settle_all();
    for address in ["a@example.org", "often8@host8.example.org", "z@example.org"] {
        let erasure = begin(&mut kept, 3, address);
        assert!(erase(&mut kept, &erasure, 100).unwrap().rows > 0, "{address}");
    }
    let filter = ActivityFilter { message: Some(relay::id::MessageId(8)), ..ActivityFilter::default() };
    assert!(kept.rows(&filter).is_empty());
    let (body, facts): (Vec<u8>, Vec<u8>) = kept
        .file
        .writer
        .query_row("SELECT body, facts FROM row_groups WHERE row = (SELECT min(row) + 21 FROM row_groups)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert!(!body.windows(3).any(|three| three == b"@ex") && facts.len() < 8, "its sender and facts are gone too");
}

/// Sweeps until there is nothing more to do.
fn sweep(kept: &mut Kept, sweeps: &mut Sweeps, directory: &Directory, now: u64) -> usize {
    for steps in 0..10_000 {
        let more = sweeps.step(&mut kept.file, directory, KEEP, Timestamp(now)).unwrap();
        if more == Some(false) {
            return steps;
        }
    }
    panic!("it does not end");
}

fn accounts_of(kept: &Kept) -> BTreeSet<u64> {
    kept.all().iter().map(|row| row.account.number()).collect()
}

#[test]
fn rows_of_an_account_go_after_its_own_days() {
    let mut kept = indexed();
    kept.settle_all();
    let (mut sweeps, all) = (Sweeps::new(), kept.all().len());
    let two = directory(&[(1, None), (2, Some(3)), (3, Some(30))]);
    let gone_by = |message: u64| message * 10_000 + 3 * DAY;
    sweep(&mut kept, &mut sweeps, &two, gone_by(450));
    let of = |kept: &Kept, account| kept.all().iter().filter(|row| row.account == Id::new(account)).count();
    assert_eq!((of(&kept, 1) + of(&kept, 2) + of(&kept, 3), of(&kept, 2)), (all - 450, 450));
    let oldest = kept.all().iter().filter(|row| row.account == Id::new(2)).map(|row| row.at).min().unwrap();
    assert_eq!(oldest, Timestamp(450 * 10_000 + 10_000), "message 451 is the next of that account");
    assert!(!in_postings(&kept, "often4@host4.example.org") && in_postings(&kept, "often3@host3.example.org"));
    // an account that joins has its rows from the beginning looked through
    let both = directory(&[(1, Some(3)), (2, Some(3))]);
    sweep(&mut kept, &mut sweeps, &both, gone_by(2000));
    assert_eq!(accounts_of(&kept), BTreeSet::from([3]));
    assert!(sweep(&mut kept, &mut sweeps, &both, gone_by(2000)) == 0, "nothing is looked through twice at once");
}

#[test]
fn who_joins_is_not_forgotten_where_others_join_meanwhile() {
    let mut kept = indexed();
    kept.settle_all();
    let mut sweeps = Sweeps::new();
    let now = 2000 * 10_000 + 3 * DAY;
    sweep(&mut kept, &mut sweeps, &directory(&[(1, None), (2, Some(3))]), now);
    let joined = directory(&[(1, Some(3)), (2, Some(3))]);
    sweeps.step(&mut kept.file, &joined, KEEP, Timestamp(now)).unwrap();
    let others = directory(&[(1, Some(3)), (2, Some(3)), (3, Some(20))]);
    sweep(&mut kept, &mut sweeps, &others, now);
    assert_eq!(accounts_of(&kept), BTreeSet::from([3]));
}

#[test]
fn rows_of_mail_in_the_queue_go_once_it_has_left() {
    let mut kept = indexed();
    let mut sweeps = Sweeps::new();
    let leaving = Leaving { since: Timestamp(0), cancels_mail: false };
    let directory = Directory { leaving: [(Id::new(2), leaving)].into(), ..Directory::default() };
    sweep(&mut kept, &mut sweeps, &directory, 0);
    assert_eq!(accounts_of(&kept), BTreeSet::from([1, 2, 3]));
    assert!(sweep::has_rows(&kept.file.writer, Id::new(2)).unwrap());
    kept.settle_all();
    let mut again = Sweeps::new();
    sweep(&mut kept, &mut again, &directory, 0);
    assert_eq!(accounts_of(&kept), BTreeSet::from([1, 3]));
    assert!(!sweep::has_rows(&kept.file.writer, Id::new(2)).unwrap());
    while sweep::forget_counters(&kept.file.writer, Id::new(2)).unwrap() {}
    assert!(kept.rows(&ActivityFilter { status: Some(Status::Accepted), ..ActivityFilter::default() }).is_empty());
    let counters = "SELECT count(*) FROM counters WHERE account = 2";
    assert_eq!(kept.file.writer.query_row(counters, [], |row| row.get::<_, u64>(0)).unwrap(), 0);
}
