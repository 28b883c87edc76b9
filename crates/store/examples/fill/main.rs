//! Fills a data folder that no relay uses: `queue` with messages that wait, `rows` with activity of mail delivered, `town`
//! with accounts and what is theirs, `spread` with activity of all of these over four weeks, half of it of the first.
//!
//! `cargo run --release -p store --example fill -- FOLDER queue MESSAGES DOMAINS`, `… rows ROWS`, `… town ACCOUNTS DOMAINS
//! USERS` or `… spread ROWS`. It goes through the store's own verbs, so that what it leaves is what a relay would have left.
#![allow(clippy::print_stdout)]

mod town;

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{Attempt, ContentFacts, Envelope, Origin, Outcome, Settlement, Verdict};
use relay::store::{Draft as _, History as _, Spool as _};
use smtp::address::{Address, ReversePath};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};
use store::embedded::{Embedded, Options};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Messages on their way at once.
const TASKS: u64 = 256;
/// Octets of a message that waits.
const QUEUED_OCTETS: usize = 2000;
/// Recipients of a message that is delivered: one commit for so many rows.
const ROWS_A_MESSAGE: u64 = 50;
/// What waits is due by then: a start is measured, not the attempts that follow it.
const DUE_AFTER: Duration = Duration::from_secs(4 * 3600);

/// What is filled in.
#[derive(Clone, Copy)]
enum Fill {
    /// Messages of one recipient each, in so many domains.
    Queue { messages: u64, domains: u64 },
    /// Rows.
    Rows(u64),
    /// Rows of those who are there.
    Spread(u64),
}

impl Fill {
    fn of(arguments: &[String]) -> Result<(&Path, Fill), Failure> {
        match arguments {
            [folder, what, messages, domains] if what == "queue" => {
                let fill = Fill::Queue { messages: messages.parse()?, domains: domains.parse()? };
                Ok((Path::new(folder), fill))
            }
            [folder, what, rows] if what == "rows" => Ok((Path::new(folder), Fill::Rows(rows.parse()?))),
            [folder, what, rows] if what == "spread" => Ok((Path::new(folder), Fill::Spread(rows.parse()?))),
            _ => Err("FOLDER queue MESSAGES DOMAINS, rows ROWS, town ACCOUNTS DOMAINS USERS or spread ROWS".into()),
        }
    }

    fn messages(self) -> u64 {
        match self {
            Fill::Queue { messages, .. } => messages,
            Fill::Rows(rows) => rows.div_ceil(ROWS_A_MESSAGE),
            Fill::Spread(rows) => rows.div_ceil(town::ROWS_A_MESSAGE),
        }
    }

    fn recipients(self, number: u64) -> Vec<String> {
        match self {
            Fill::Queue { domains, .. } => vec![format!("customer{number}@domain{}.example", number % domains)],
            Fill::Rows(rows) => scattered(number, rows, ROWS_A_MESSAGE),
            Fill::Spread(rows) => scattered(number, rows, town::ROWS_A_MESSAGE),
        }
    }
}

/// The recipients of a message, scattered as customers are: no two rows beside each other are alike.
fn scattered(number: u64, rows: u64, each: u64) -> Vec<String> {
    let first = number * each;
    let all = (first..rows.min(first + each)).map(town::scatter).map(|row| row >> 40);
    all.map(|row| format!("customer{row}@domain{}.example", row % 20_000)).collect()
}

fn envelope(number: u64, recipients: &[String], now: Timestamp) -> Result<Envelope, Failure> {
    let account = 1 + number % 50;
    Ok(Envelope {
        message: MessageId(u128::from(now.0) << 80 | u128::from(number)),
        account: Id::new(account),
        user: Some(Id::new(1 + number % 100)),
        domain: Some(Id::new(account)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(Address::parse("shop@example.com", false)?),
        recipients: recipients.iter().map(|address| Address::parse(address, false)).collect::<Result<_, _>>()?,
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
            message_id: format!("<{number:016x}@example.com>"),
            ..ContentFacts::default()
        },
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    })
}

fn delivered(envelope: &Envelope) -> Settlement {
    let attempt = Attempt {
        at: envelope.accepted_at,
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
    let verdicts = (0u16..).zip(&envelope.recipients).map(|(recipient, _)| verdict(recipient)).collect();
    Settlement { message: envelope.message, at: envelope.accepted_at, attempt: Some(attempt), verdicts }
}

async fn work(
    store: Arc<Embedded>,
    fill: Fill,
    task: u64,
    now: Timestamp,
    spread: Option<Arc<town::Spread>>,
) -> Result<(), Failure> {
    let octets = if matches!(fill, Fill::Queue { .. }) { QUEUED_OCTETS } else { 200 };
    let content = Bytes::from(vec![b'x'; octets]);
    for number in (task..fill.messages()).step_by(TASKS as usize) {
        let mut envelope = envelope(number, &fill.recipients(number), now)?;
        if let Some(spread) = &spread {
            spread.place(&mut envelope, number)?;
        }
        let mut settlement = delivered(&envelope);
        if spread.is_some() {
            town::vary(&mut settlement, number);
        }
        let mut draft = store.draft()?;
        draft.append(content.clone()).await?;
        store.commit(envelope, draft).await?;
        if !matches!(fill, Fill::Queue { .. }) {
            store.settle(settlement).await?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let now = Timestamp(u64::try_from(UNIX_EPOCH.elapsed()?.as_millis())?);
    if let [folder, what, accounts, domains, users] = arguments.as_slice()
        && what == "town"
    {
        let store = Embedded::open(Path::new(folder), Options::new(Arc::new(move || now)))?;
        return town::build(&store, accounts.parse()?, domains.parse()?, users.parse()?, now);
    }
    let (folder, fill) = Fill::of(&arguments)?;
    let store = Arc::new(Embedded::open(folder, Options::new(Arc::new(move || now)))?);
    let at = if matches!(fill, Fill::Queue { .. }) { now.after(DUE_AFTER) } else { now };
    let spread = match fill {
        Fill::Spread(_) => Some(Arc::new(town::Spread::over(&store, fill.messages(), now)?)),
        _ => None,
    };
    let began = Instant::now();
    let work = |task| tokio::spawn(work(Arc::clone(&store), fill, task, at, spread.clone()));
    let tasks: Vec<_> = (0..TASKS).map(work).collect();
    for task in tasks {
        task.await??;
    }
    store.caught_up().await;
    println!("{} messages in {:.1?}", fill.messages(), began.elapsed());
    Ok(())
}
