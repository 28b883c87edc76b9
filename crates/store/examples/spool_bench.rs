//! Measures the spool: messages a second, and CPU for each, with 1, 20 and 100 sessions that wait for their sync.
//!
//! `cargo run --release -p store --example spool_bench -- [FOLDER [OCTETS [SECONDS]]]`: the folder should lie on
//! the disk that is to be measured, and have some gigabytes of room.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{ContentFacts, Envelope, Origin, Outcome, Settlement, Verdict};
use relay::store::{Draft, Spool};
use smtp::address::{Address, ReversePath};
use store::embedded::spool::{LogSpool, Options, Position};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn envelope(message: u128) -> Result<Envelope, Failure> {
    Ok(Envelope {
        message: MessageId(message),
        account: Id::new(1),
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        origin: Origin::Submission,
        reverse_path: ReversePath::parse("bounces@example.org", false)?,
        recipients: vec![Address::parse("somebody@example.com", false)?],
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: Timestamp(1),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts { subject: "Your order".to_owned(), ..ContentFacts::default() },
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    })
}

/// User and system time of this process, in seconds, by the kernel's ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// What a session does with each message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    /// Keeps it.
    Commit,
    /// Keeps it, claims it, settles it: a delivery without the network.
    Whole,
}

async fn session(
    spool: &LogSpool,
    load: Load,
    content: &Bytes,
    next: &AtomicU64,
    end: Instant,
) -> Result<u64, Failure> {
    let mut count = 0;
    while Instant::now() < end {
        let message = u128::from(next.fetch_add(1, Ordering::Relaxed));
        let mut draft = spool.draft()?;
        draft.append(content.clone()).await?;
        spool.commit(envelope(message)?, draft).await?;
        if load == Load::Whole {
            let message = MessageId(message);
            spool.claim(message).await?.ok_or("not there")?;
            let verdict = Verdict {
                recipient: 0,
                outcome: Outcome::Delivered { sandbox: false },
                class: None,
                reason: String::new(),
                remote_reply: Some("250 2.0.0 Ok".to_owned()),
            };
            spool.settle(Settlement { message, at: Timestamp(2), attempt: None, verdicts: vec![verdict] }).await?;
        }
        count += 1;
    }
    Ok(count)
}

/// Reads the log as the ledger would, so that segments are recycled.
fn consume(spool: &LogSpool, end: Instant) -> Result<(), Failure> {
    let mut next = Position(0);
    while Instant::now() < end {
        next = spool.events(next, 1000)?.next;
        spool.consumed(next);
        spool.wait_synced(next, Duration::from_millis(100));
    }
    Ok(())
}

async fn measure(folder: &Path, load: Load, sessions: usize, octets: usize, time: Duration) -> Result<(), Failure> {
    let ready = if load == Load::Commit { 24 } else { 4 };
    let options = Options { segments_ready: ready, ..Options::default() };
    let full = (options.segments_ready as u64 + 1) * options.segment_octets;
    let spool = Arc::new(LogSpool::open(folder, options, Position(0))?);
    while spool.health().spool_octets < full {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let content = Bytes::from(vec![b'x'; octets]);
    let next = Arc::new(AtomicU64::new(1));
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let end = started + time;
    let consumer = (load == Load::Whole).then(|| {
        let spool = Arc::clone(&spool);
        std::thread::spawn(move || consume(&spool, end))
    });
    let tasks = (0..sessions).map(|_| {
        let (spool, content, next) = (Arc::clone(&spool), content.clone(), Arc::clone(&next));
        tokio::spawn(async move { session(&spool, load, &content, &next, end).await })
    });
    let mut count = 0;
    for task in tasks.collect::<Vec<_>>() {
        count += task.await??;
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    if let Some(consumer) = consumer {
        consumer.join().map_err(|_| "the consumer stopped")??;
    }
    let what = if load == Load::Commit { "kept" } else { "kept, claimed, settled" };
    println!(
        "{sessions:>4} sessions, {octets} octets, {what}: {:>7.0} messages/s, {:>6.2} ms each, {:>6.1} µs CPU each",
        count as f64 / wall,
        wall * 1000.0 * sessions as f64 / count as f64,
        cpu * 1e6 / count as f64,
    );
    spool.close();
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().map_or_else(|| PathBuf::from("."), PathBuf::from);
    let octets = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let seconds = arguments.next().map_or(Ok(4), |text| text.parse())?;
    for load in [Load::Commit, Load::Whole] {
        for sessions in [1, 20, 100] {
            let folder = tempfile::tempdir_in(&root)?;
            measure(folder.path(), load, sessions, octets, Duration::from_secs(seconds)).await?;
        }
    }
    Ok(())
}
