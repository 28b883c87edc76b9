//! Measures how fast activity reads the log, and how fast it answers:
//! `cargo run --release -p store --example activity_rate [folder] [messages] [recipients] [account] [seconds]`.
//!
//! Each recipient is delivered to at the first attempt. Run again on the same folder, it goes on where it was: 200,000
//! messages to 50 recipients make a history of 10 million rows, on which a second run measures. Questions are about an account
//! (7); where seconds are given it asks once more after them, when parts of the index were merged.

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use relay::activity::{ActivityFilter, Status};
use relay::clock::{Day, Timestamp};
use relay::id::{Id, MessageId};
use relay::queue::{Attempt, ContentFacts, Envelope, Origin, Outcome, Settlement, Verdict};
use relay::store::{Draft as _, History as _, Spool as _};
use smtp::address::{Address, ReversePath};
use store::embedded::{Embedded, Options};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Messages on their way at once.
const TASKS: u64 = 64;

/// A number that looks like chance.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
}

fn recipient(number: u64) -> Result<Address, Failure> {
    let scattered = scattered(number);
    Ok(Address::parse(&format!("customer{scattered}@domain{}.example.org", scattered % 1000), false)?)
}

fn envelope(number: u64, recipients: u64, now: Timestamp) -> Result<Envelope, Failure> {
    let scattered = scattered(number);
    let to = (number * recipients..(number + 1) * recipients).map(recipient);
    Ok(Envelope {
        message: MessageId(u128::from(now.0 + number) << 80 | u128::from(scattered)),
        account: Id::new(1 + scattered % 50),
        user: Some(Id::new(1 + scattered % 100)),
        domain: Some(Id::new(1 + scattered % 60)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(Address::parse("shop@example.com", false)?),
        recipients: to.collect::<Result<_, _>>()?,
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: now,
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts {
            subject: format!("Your order {number} has been shipped"),
            from: "shop@example.com".to_owned(),
            message_id: format!("<{scattered:016x}@example.com>"),
            ..ContentFacts::default()
        },
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    })
}

fn delivery(message: MessageId, recipients: u64, now: Timestamp) -> Settlement {
    let attempt = Attempt {
        at: now,
        milliseconds: 120,
        host: "mx.example.org".to_owned(),
        remote: Some(([192, 0, 2, 1], 25).into()),
        tls: "TLS 1.3".to_owned(),
        source: None,
        others: Vec::new(),
    };
    let verdict = |recipient| Verdict {
        recipient,
        outcome: Outcome::Delivered { sandbox: false },
        class: None,
        reason: String::new(),
        remote_reply: Some("250 2.0.0 Ok: queued as 4WxYz0123".to_owned()),
    };
    let verdicts = (0..u16::try_from(recipients).unwrap_or(u16::MAX)).map(verdict).collect();
    Settlement { message, at: now, attempt: Some(attempt), verdicts }
}

async fn work(
    store: Arc<Embedded>,
    numbers: impl Iterator<Item = u64>,
    recipients: u64,
    now: Timestamp,
) -> Result<(), Failure> {
    let content = Bytes::from(vec![b'x'; 2000]);
    for number in numbers {
        let envelope = envelope(number, recipients, now)?;
        let message = envelope.message;
        let mut draft = store.draft()?;
        draft.append(content.clone()).await?;
        store.commit(envelope, draft).await?;
        store.settle(delivery(message, recipients, now)).await?;
    }
    Ok(())
}

/// CPU time of the thread that makes rows.
fn activity_cpu() -> Result<Duration, Failure> {
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if std::fs::read_to_string(task.join("comm"))?.trim() == "activity" {
            let statistics = std::fs::read_to_string(task.join("schedstat"))?;
            let nanoseconds = statistics.split(' ').next().unwrap_or_default().parse()?;
            return Ok(Duration::from_nanos(nanoseconds));
        }
    }
    Err("no thread named activity".into())
}

/// What people ask, and how long the answer takes.
fn questions(store: &Embedded, now: Timestamp, account: u64) -> Result<(), Failure> {
    let all = ActivityFilter::default;
    let account = Some(Id::new(account));
    let week = Day(now.day().0 - 6);
    let rare = "customer12345".to_owned();
    let asked = [
        ("newest", all()),
        ("newest of an account", ActivityFilter { account, ..all() }),
        ("beginning of an address", ActivityFilter { recipient: Some(rare.clone()), ..all() }),
        ("an address of an account", ActivityFilter { recipient: Some(rare), account, ..all() }),
        ("an address never seen", ActivityFilter { recipient: Some("nobody@example.net".to_owned()), ..all() }),
        ("that, of an account", ActivityFilter { recipient: Some("nobody@example.net".to_owned()), account, ..all() }),
        ("domain", ActivityFilter { recipient: Some("@domain7.example.org".to_owned()), ..all() }),
        ("sender", ActivityFilter { sender: Some("shop@example.com".to_owned()), account, ..all() }),
        ("status", ActivityFilter { status: Some(Status::HardBounce), ..all() }),
        ("frequent word of the subject", ActivityFilter { subject: Some("shipped".to_owned()), ..all() }),
        ("word never seen in a subject", ActivityFilter { subject: Some("invoice".to_owned()), ..all() }),
        ("that, of an account", ActivityFilter { subject: Some("invoice".to_owned()), account, ..all() }),
        ("an old page", ActivityFilter { before_row: Some(store.activity_cursor()? / 40), ..all() }),
    ];
    for (question, filter) in asked {
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..3 {
            let began = Instant::now();
            rows = store.activity(&filter)?.len();
            times.push(began.elapsed());
        }
        times.sort_unstable();
        println!("{question:32} {rows:4} rows {:10.2?}", times[1]);
    }
    let began = Instant::now();
    let counters = store.sent(account, week, now.day())?.len();
    println!("{:32} {counters:4} rows {:10.2?}", "a week's counters of an account", began.elapsed());
    Ok(())
}

/// Octets of activity's files.
fn octets(folder: &Path) -> u64 {
    let octets = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |metadata| metadata.len());
    octets("activity.db") + octets("activity.db-wal")
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "activity-rate".to_owned()));
    let messages: u64 = arguments.next().map_or(Ok(100_000), |count| count.parse())?;
    let recipients: u64 = arguments.next().map_or(Ok(1), |count| count.parse())?;
    let account: u64 = arguments.next().map_or(Ok(7), |number| number.parse())?;
    let idle: Option<u64> = arguments.next().map(|seconds| seconds.parse()).transpose()?;
    let now = Timestamp(u64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_millis())?);
    let store = Arc::new(Embedded::open(&folder, Options::new(Arc::new(move || now)))?);
    let (known, octets_before) = (store.activity_cursor()?, octets(&folder));
    let numbers = known..known + messages;
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let numbers = numbers.clone().skip(task as usize).step_by(TASKS as usize);
            tokio::spawn(work(Arc::clone(&store), numbers, recipients, now))
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let (accepted, lag) = (began.elapsed(), store.health().activity_lag_octets);
    store.caught_up().await;
    let (caught_up, cpu) = (began.elapsed(), activity_cpu()?);
    let rows = messages * recipients;
    println!(
        "{messages} messages to {recipients} accepted and delivered in {accepted:.2?}, activity {lag} octets behind"
    );
    println!("caught up after {caught_up:.2?}: {:.0} rows/s", rows as f64 / caught_up.as_secs_f64());
    let microseconds = cpu.as_secs_f64() * 1e6;
    println!(
        "CPU of activity: {:.1} µs a message, {:.2} µs a row",
        microseconds / messages as f64,
        microseconds / rows as f64
    );
    println!("octets a row: {}", (octets(&folder) - octets_before) / rows.max(1));
    questions(&store, now, account)?;
    if let Some(idle) = idle {
        let before = activity_cpu()?;
        tokio::time::sleep(Duration::from_secs(idle)).await;
        println!("CPU of activity in {idle} idle seconds: {:.1?}", activity_cpu()? - before);
        questions(&store, now, account)?;
    }
    Ok(())
}
