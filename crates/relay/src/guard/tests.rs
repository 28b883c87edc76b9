//! The guard, rule by rule.

use super::*;
use crate::dice::Seeded;

const START: Timestamp = Timestamp(1_800_000_000_000);
const ALICE: Id<SmtpUser> = Id::new(1);
const BOB: Id<SmtpUser> = Id::new(2);
const ACME: Id<Account> = Id::new(10);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn guard() -> Guard {
    Guard::new(&Limits::default(), vec!["10.0.0.0/8".parse().unwrap()], &mut Seeded::new(1))
}

fn after(minutes: u64) -> Timestamp {
    START.after(Duration::from_secs(minutes * 60))
}

/// `count` failures of `username` with distinct passwords; the last block that began.
fn fail(guard: &mut Guard, from: &str, username: &str, count: usize, now: Timestamp) -> Option<Block> {
    (0..count).fold(None, |block, number| {
        let tried = guard.tried(username, format!("wrong {number}").as_bytes());
        guard.on_failure(address(from), username, tried, Some(ACME), now).or(block)
    })
}

fn connect(guard: &Guard, from: &str, now: Timestamp) -> Option<u64> {
    guard.on_connection(address(from), now).map(|blocked| blocked.minutes)
}

#[test]
fn five_distinct_wrong_pairs_block_for_fifteen_minutes() {
    let mut guard = guard();
    assert_eq!(fail(&mut guard, "192.0.2.1", "alice", 4, START), None);
    assert_eq!(connect(&guard, "192.0.2.1", START), None);
    let block = fail(&mut guard, "192.0.2.1", "bob", 1, START).unwrap();
    assert_eq!((block.seconds, block.since, block.until), (900, START, after(15)));
    assert_eq!(block.cause, "5 distinct wrong pairs of username and password within 10 minutes");
    assert_eq!(block.accounts, [ACME]);
    assert_eq!(connect(&guard, "192.0.2.1", START), Some(15));
    assert_eq!(connect(&guard, "192.0.2.1", after(14)), Some(1));
    assert_eq!(connect(&guard, "192.0.2.1", after(15)), None);
    assert_eq!(connect(&guard, "192.0.2.2", START), None);
    assert_eq!(guard.on_login(address("192.0.2.1"), "carol", None, after(5)), Some(Blocked { minutes: 10 }));
}

#[test]
fn one_wrong_pair_twenty_times_in_ten_minutes_blocks_and_slowly_never() {
    let mut guard = guard();
    let tried = guard.tried("alice", b"wrong");
    for number in 1..=19 {
        assert_eq!(guard.on_failure(address("192.0.2.1"), "alice", tried, None, START), None, "{number}");
    }
    let block = guard.on_failure(address("192.0.2.1"), "alice", tried, None, START).unwrap();
    assert_eq!(block.cause, "20 failed logins within 10 minutes, 20 of them with usernames that do not exist");
    for minute in 0..24 * 60 {
        assert_eq!(guard.on_failure(address("192.0.2.9"), "alice", tried, None, after(minute)), None);
    }
}

#[test]
fn the_window_slides() {
    let mut guard = guard();
    fail(&mut guard, "192.0.2.1", "alice", 4, START);
    assert_eq!(fail(&mut guard, "192.0.2.1", "bob", 1, after(10)), None);
    assert_eq!(fail(&mut guard, "192.0.2.1", "alice", 3, after(11)), None);
    assert!(fail(&mut guard, "192.0.2.1", "carol", 1, after(12)).is_some());
}

#[test]
fn blocks_double_up_to_a_day_while_it_goes_on_and_start_again_after_a_day_of_peace() {
    let mut guard = guard();
    let mut now = START;
    for seconds in [900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 86_400] {
        let block = fail(&mut guard, "192.0.2.1", "alice", 5, now).unwrap();
        assert_eq!(block.seconds, seconds);
        now = block.until;
    }
    let block = fail(&mut guard, "192.0.2.1", "alice", 5, now.after(Duration::from_secs(86_400))).unwrap();
    assert_eq!(block.seconds, 900);
}

#[test]
fn a_pair_that_logged_in_within_thirty_days_is_never_stopped() {
    let mut guard = guard();
    guard.on_success(address("192.0.2.1"), ALICE, START);
    fail(&mut guard, "192.0.2.1", "bob", 5, START).unwrap();
    // the connection may be hers
    assert_eq!(connect(&guard, "192.0.2.1", START), None);
    assert_eq!(guard.on_login(address("192.0.2.1"), "alice", Some(ALICE), START), None);
    assert!(guard.on_login(address("192.0.2.1"), "bob", Some(BOB), START).is_some());
    assert!(guard.on_login(address("192.0.2.1"), "nobody", None, START).is_some());

    let later = START.after(Duration::from_secs(30 * 86_400));
    fail(&mut guard, "192.0.2.1", "bob", 5, later).unwrap();
    assert_eq!(connect(&guard, "192.0.2.1", later), Some(15));
    assert!(guard.on_login(address("192.0.2.1"), "alice", Some(ALICE), later).is_some());
}

#[test]
fn a_block_never_touches_the_user_from_elsewhere() {
    let mut guard = guard();
    fail(&mut guard, "192.0.2.1", "alice", 5, START).unwrap();
    assert_eq!(guard.on_login(address("198.51.100.1"), "alice", Some(ALICE), START), None);
}

#[test]
fn a_64_is_one_address() {
    let mut guard = guard();
    for number in 0..5 {
        let from = format!("2001:db8:1:2::{number}");
        let block = fail(&mut guard, &from, &format!("user{number}"), 1, START);
        assert_eq!(block.is_some(), number == 4);
    }
    assert!(connect(&guard, "2001:db8:1:2:ffff::", START).is_some());
    assert!(connect(&guard, "2001:db8:1:3::", START).is_none());
}

#[test]
fn private_addresses_are_like_any_other_and_listed_ones_block_single_usernames() {
    let mut guard = guard();
    assert!(fail(&mut guard, "192.168.1.1", "alice", 5, START).is_some());
    assert!(fail(&mut guard, "127.0.0.1", "alice", 5, START).is_some());
    let tried = guard.tried("alice", b"wrong");
    for _ in 0..100 {
        assert_eq!(guard.on_failure(address("10.1.1.1"), "alice", tried, None, START), None);
    }
    for name in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(fail(&mut guard, "10.1.1.1", name, 1, START), None);
    }
    let block = fail(&mut guard, "10.1.1.1", "alice", 5, START).unwrap();
    assert!(block.cause.ends_with("only alice is stopped there"), "{}", block.cause);
    assert_eq!(connect(&guard, "10.1.1.1", START), None);
    assert!(guard.on_login(address("10.1.1.1"), "alice", Some(ALICE), START).is_some());
    assert_eq!(guard.on_login(address("10.1.1.1"), "bob", Some(BOB), START), None);
    assert_eq!(guard.on_login(address("10.1.1.2"), "alice", Some(ALICE), START), None);
}

#[test]
fn blocks_and_known_pairs_outlive_a_restart() {
    let mut before = guard();
    let block = fail(&mut before, "192.0.2.1", "bob", 5, START).unwrap();
    let mut guard = guard();
    let login = Login { user: ALICE, address: address("192.0.2.1"), at: START, password: None };
    guard.restore(vec![block], &[login]);
    assert!(guard.on_login(address("192.0.2.1"), "bob", Some(BOB), after(1)).is_some());
    assert_eq!(guard.on_login(address("192.0.2.1"), "alice", Some(ALICE), after(1)), None);
    assert_eq!(fail(&mut guard, "192.0.2.1", "bob", 5, after(15)).unwrap().seconds, 1_800);
    // at a shared address nobody but one username was stopped, or the address was listed since
    let shared = fail(&mut before, "10.1.1.1", "bob", 5, START).unwrap();
    guard.restore(vec![shared], &[]);
    assert!(guard.blocks(START).iter().all(|block| block.address != address("10.1.1.1")));
}

#[test]
fn a_lifted_block_is_over_and_its_doubling_forgotten() {
    let mut guard = guard();
    fail(&mut guard, "192.0.2.1", "alice", 5, START).unwrap();
    fail(&mut guard, "10.1.1.1", "alice", 5, START).unwrap();
    assert_eq!(guard.blocks(START).len(), 2);
    guard.lift(address("192.0.2.1"));
    guard.lift(address("10.1.1.1"));
    assert_eq!(guard.blocks(START), []);
    assert_eq!(fail(&mut guard, "192.0.2.1", "alice", 5, START).unwrap().seconds, 900);
}

#[test]
fn memory_is_bounded() {
    let limits = Limits { remembered_addresses_max: 1_024, ..Limits::default() };
    let mut guard = Guard::new(&limits, vec![], &mut Seeded::new(1));
    for number in 0..10_000u32 {
        let from = IpAddr::from(number.to_be_bytes());
        let tried = guard.tried("alice", b"wrong");
        for _ in 0..if number % 2 == 0 { 1 } else { 20 } {
            guard.on_failure(from, "alice", tried, None, START.after(Duration::from_millis(number.into())));
        }
    }
    assert!(guard.failures.len() <= 1_024 && guard.blocks.len() <= 1_024);
    guard.tidy(after(60 * 48));
    assert!(guard.failures.is_empty() && guard.blocks.is_empty());
}

#[test]
fn a_cause_is_one_short_line_whatever_the_username() {
    let mut guard = guard();
    let username = format!("\r\n\x1b[2J{}", "x".repeat(9_000));
    let block = fail(&mut guard, "10.1.1.1", &username, 5, START).unwrap();
    assert!(block.cause.len() < 300 && !block.cause.chars().any(char::is_control), "{:?}", block.cause);
}
