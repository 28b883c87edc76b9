//! A process that keeps and settles mail is killed at any moment; whatever it was told is kept must be there again.
//!
//! The process is this executable again: it opens a folder, and after every verb that returned says so on its output.
//! A killed process leaves what it wrote to the system's cache, so this proves the order of things and the reading
//! again, not that the disk was asked to sync; the spool's own tests cut the power.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use relay::activity::{ActivityFilter, Status};
use relay::clock::{Day, Timestamp};
use relay::id::{Id, MessageId};
use relay::queue::{ContentFacts, Envelope, Origin, Outcome, RecipientState, Settlement, Verdict};
use relay::store::{Content, Draft as _, History as _, Spool as _, StoreError};
use smtp::address::{Address, ReversePath};
use store::embedded::{Embedded, Options, spool};

/// Where the killed process finds its folder, and the number it begins with.
const FOLDER: &str = "ENVOI_CRASH_FOLDER";
const FIRST: &str = "ENVOI_CRASH_FIRST";
/// How often it is killed, unless time runs out.
const ROUNDS: u64 = 20;
/// How long all rounds may take.
const TIME: Duration = Duration::from_secs(12);
/// Sessions that keep mail at once.
const SESSIONS: u64 = 4;
/// When a deferred recipient is due.
const DUE: Timestamp = Timestamp(4_000_000_000_000);

fn open(folder: &Path) -> Embedded {
    let options = spool::Options {
        segment_octets: 256 << 10,
        segments_ready: 1,
        disk_free_octets_min: 0,
        reserve_octets: 256 << 10,
        // some of the content goes into files of its own
        held_content_octets_max: 20_000,
        ..spool::Options::small()
    };
    let now = Arc::new(|| Timestamp(1_800_000_000_000));
    Embedded::open(folder, Options { spool: options, ..Options::new(now) }).unwrap()
}

/// Content that tells which message it is of: now and then long.
fn content(number: u64) -> Vec<u8> {
    let octets = [300, 2_000, 9_000, 40_000][(number % 4) as usize];
    format!("Subject: {number}\r\n\r\n").into_bytes().into_iter().cycle().take(octets).collect()
}

fn envelope(number: u64) -> Envelope {
    Envelope {
        message: MessageId(u128::from(number)),
        account: Id::new(1),
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Null,
        recipients: vec![Address::parse(&format!("a{number}@example.org"), false).unwrap()],
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: Timestamp(1_800_000_000_000),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts::default(),
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    }
}

/// What each message comes to, by its number: most are delivered, so that segments are recycled.
fn outcome(number: u64) -> Option<Outcome> {
    match number % 10 {
        0 => None,
        1 => Some(Outcome::Deferred { until: DUE }),
        _ => Some(Outcome::Delivered { sandbox: false }),
    }
}

async fn keep(store: &Embedded, number: u64) -> Result<(), StoreError> {
    let mut draft = store.draft()?;
    for piece in content(number).chunks(7_000) {
        draft.append(Bytes::copy_from_slice(piece)).await?;
    }
    store.commit(envelope(number), draft).await?;
    println!("kept {number}");
    let Some(outcome) = outcome(number) else { return Ok(()) };
    let verdict = Verdict { recipient: 0, outcome, class: None, reason: "Busy.".into(), remote_reply: None };
    let (message, at) = (MessageId(u128::from(number)), Timestamp(1_800_000_001_000));
    store.settle(Settlement { message, at, attempt: None, verdicts: vec![verdict] }).await?;
    println!("settled {number}");
    Ok(())
}

/// The process that is killed. In a run of the tests, where it has no folder, it has nothing to do.
#[test]
fn keeps_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let first: u64 = std::env::var_os(FIRST).unwrap().into_string().unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = Arc::new(open(Path::new(&folder)));
    runtime.block_on(async {
        let sessions = (0..SESSIONS).map(|session| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in (first + session..).step_by(SESSIONS as usize) {
                    keep(&store, number).await.unwrap();
                }
            })
        });
        for session in sessions.collect::<Vec<_>>() {
            session.await.unwrap();
        }
    });
}

/// What was said of a message before the process was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Kept,
    Settled,
}

/// Runs the process until it has said `lines` lines, kills it, and notes all that it said.
fn run(folder: &Path, first: u64, lines: u64, said: &mut HashMap<u64, Said>) -> u64 {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keeps_until_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let (mut count, mut last) = (0, first);
    for line in BufReader::new(process.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // the test harness speaks too; a line cut by the kill was never said
        let Some((word, number)) = line.split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match word {
            "kept" => said.insert(number, Said::Kept),
            "settled" => said.insert(number, Said::Settled),
            _ => continue,
        };
        last = last.max(number);
        count += 1;
        if count == lines {
            process.kill().unwrap();
        }
    }
    assert!(count >= lines, "the process ended by itself: {:?}", process.wait());
    process.wait().unwrap();
    // those that it was just keeping are neither here nor there
    last + 2 * SESSIONS
}

async fn check(folder: &Path, said: &HashMap<u64, Said>) {
    let store = open(folder);
    assert_eq!(store.health().damage, []);
    // read before activity could make up for it
    let charged: u64 = store.charges().unwrap().iter().map(|charge| charge.recipients).sum();
    store.caught_up().await;
    let counts = store.sent(None, Day(0), Day(99_999)).unwrap();
    assert_eq!(charged, counts.iter().map(|count| count.accepted).sum::<u64>(), "each message is charged once");
    assert!(charged >= said.len() as u64, "what was acknowledged is charged");
    for (number, said) in said {
        let message = MessageId(u128::from(*number));
        let found = store.claim(message).await.unwrap();
        let is_final = outcome(*number).is_some_and(Outcome::is_final);
        match (said, &found) {
            (Said::Settled, None) if is_final => {}
            // settled a moment before the end, and not yet said
            (Said::Kept, None) if is_final => {}
            (_, Some(_)) if *said == Said::Kept || !is_final => {}
            _ => panic!("message {number} was {said:?}, and now it is {found:?}"),
        }
        let is_gone = found.is_none();
        if let Some(found) = found {
            let octets = match found.content {
                Content::Held(octets) => octets.to_vec(),
                Content::Filed { path, .. } => std::fs::read(path).unwrap(),
            };
            assert!(octets == content(*number), "the content of message {number} is another");
            assert_eq!(*found.envelope, envelope(*number));
            let deferred = RecipientState::Waiting { due: DUE, attempts: 0 };
            if *said == Said::Settled {
                assert_eq!(found.recipients, [deferred], "message {number}");
            }
            store.unclaim(message);
        }
        let filter = ActivityFilter { message: Some(message), ..ActivityFilter::default() };
        let rows = store.activity(&filter).unwrap();
        assert_eq!(rows.len(), 1, "message {number}: {rows:?}");
        if *said == Said::Settled {
            let expected = if is_final { Status::Delivered } else { Status::Deferred };
            assert_eq!(rows[0].status, expected, "message {number}");
        }
        assert_eq!(is_gone, rows[0].status == Status::Delivered, "message {number} left the queue for another reason");
    }
}

#[tokio::test]
async fn what_was_said_to_be_kept_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (mut said, mut first) = (HashMap::new(), 1);
    let started = Instant::now();
    for round in 0..ROUNDS {
        // soon after the start, in the middle of the first segment, after some were recycled
        let lines = 1 + (round * round * 37) % 600;
        let before = said.len();
        first = run(folder.path(), first, lines, &mut said);
        assert!(said.len() > before);
        check(folder.path(), &said).await;
        if started.elapsed() > TIME {
            break;
        }
    }
}
