//! Measures how fast activity reads the log: `cargo run --release -p store --example activity_rate [folder] [messages]`.
//!
//! Each message has one recipient, delivered at its first attempt: one row, one change, one event.

#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{Attempt, ContentFacts, Envelope, Origin, Outcome, Settlement, Verdict};
use relay::store::{Draft as _, History as _, Spool as _};
use smtp::address::{Address, ReversePath};
use store::embedded::{Embedded, Options};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Messages on their way at once.
const TASKS: u64 = 64;

fn envelope(number: u64, now: Timestamp) -> Result<Envelope, Failure> {
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let recipient = format!("customer{scattered}@domain{}.example.org", scattered % 1000);
    Ok(Envelope {
        message: MessageId(u128::from(now.0 + number) << 80 | u128::from(scattered)),
        account: Id::new(1 + scattered % 50),
        user: Some(Id::new(1 + scattered % 100)),
        domain: Some(Id::new(1 + scattered % 60)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(Address::parse("shop@example.com", false)?),
        recipients: vec![Address::parse(&recipient, false)?],
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: now,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts {
            subject: format!("Your order {number} has been shipped"),
            from: "shop@example.com".to_owned(),
            message_id: format!("<{scattered:016x}@example.com>"),
            ..ContentFacts::default()
        },
        session: None,
    })
}

fn delivery(message: MessageId, now: Timestamp) -> Settlement {
    let attempt = Attempt {
        at: now,
        milliseconds: 120,
        host: "mx.example.org".to_owned(),
        remote: Some(([192, 0, 2, 1], 25).into()),
        tls: "TLS 1.3".to_owned(),
    };
    let verdict = Verdict {
        recipient: 0,
        outcome: Outcome::Delivered { sandbox: false },
        reason: String::new(),
        remote_reply: Some("250 2.0.0 Ok: queued as 4WxYz0123".to_owned()),
    };
    Settlement { message, at: now, attempt: Some(attempt), verdicts: vec![verdict] }
}

async fn work(store: Arc<Embedded>, numbers: impl Iterator<Item = u64>, now: Timestamp) -> Result<(), Failure> {
    let content = Bytes::from(vec![b'x'; 2000]);
    for number in numbers {
        let envelope = envelope(number, now)?;
        let message = envelope.message;
        let mut draft = store.draft()?;
        draft.append(content.clone()).await?;
        store.commit(envelope, draft).await?;
        store.settle(delivery(message, now)).await?;
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

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "activity-rate".to_owned()));
    let messages: u64 = arguments.next().map_or(Ok(100_000), |count| count.parse())?;
    let now = Timestamp(1_800_000_000_000);
    let store = Arc::new(Embedded::open(&folder, Options::new(Arc::new(move || now)))?);
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(work(Arc::clone(&store), (task..messages).step_by(TASKS as usize), now)))
        .collect();
    for task in tasks {
        task.await??;
    }
    let (accepted, lag) = (began.elapsed(), store.health().activity_lag_octets);
    store.caught_up().await;
    let (caught_up, cpu) = (began.elapsed(), activity_cpu()?);
    let per_row = cpu.as_secs_f64() * 1e6 / messages as f64;
    println!("{messages} messages accepted and delivered in {accepted:.2?}, activity {lag} octets behind");
    println!("caught up after {caught_up:.2?}: {:.0} rows/s", messages as f64 / caught_up.as_secs_f64());
    println!("CPU of activity: {per_row:.1} µs a row, good for {:.0} rows/s on one core", 1e6 / per_row);
    Ok(())
}
