//! The spool without a disk and without threads: a message is kept, claimed and settled.

use anyhow::Context as _;
use bytes::Bytes;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{ContentFacts, Envelope, Origin, Outcome, Settlement, Verdict};
use relay::store::{Draft, Spool};
use smtp::address::{Address, ReversePath};
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use store::embedded::spool::simulation::Steps;
use store::embedded::spool::{LogSpool, Options, Position};

use crate::disk::MemoryDisk;
use crate::letter::content;

/// Small segments, and few of them ready: memory is where they are.
const SEGMENT_OCTETS: u64 = 16 << 20;
/// After so many messages what was settled is read, as activity does, so that segments come free.
const CONSUMED_EVERY: usize = 100;

pub(crate) fn envelope(number: u64) -> anyhow::Result<Envelope> {
    Ok(Envelope {
        message: MessageId((1_800_000_000_000 + u128::from(number)) << 80),
        account: Id::new(1 + number % 10),
        user: Some(Id::new(1 + number % 20)),
        domain: Some(Id::new(1 + number % 10)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(Address::parse("shop@example.com", false)?),
        recipients: vec![Address::parse(&format!("customer{number}@example.net"), false)?],
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: Timestamp(1_800_000_000_000 + number),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts {
            subject: "Your order has been shipped".to_owned(),
            from: "shop@example.com".to_owned(),
            message_id: format!("<{number}@example.com>"),
            ..ContentFacts::default()
        },
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    })
}

pub(crate) fn settlement(envelope: &Envelope) -> Settlement {
    let verdict = Verdict {
        recipient: 0,
        outcome: Outcome::Delivered { sandbox: false },
        class: None,
        reason: String::new(),
        remote_reply: Some("250 2.0.0 Ok: queued as 4WxYz0123".to_owned()),
    };
    Settlement { message: envelope.message, at: envelope.accepted_at, attempt: None, verdicts: vec![verdict] }
}

/// Finishes a future by making the spool's steps for it.
fn finish<T>(steps: &mut Steps<MemoryDisk>, future: impl Future<Output = T>) -> anyhow::Result<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..8 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Ok(value);
        }
        steps.commit();
    }
    anyhow::bail!("the spool does not answer")
}

/// 10 KB kept, claimed, settled.
pub(crate) fn spool(count: usize, _: &Path) -> anyhow::Result<()> {
    let options = Options { segment_octets: SEGMENT_OCTETS, segments_ready: 1, ..Options::default() };
    let (spool, mut steps) = Steps::open(MemoryDisk::default(), options, Position(0))?;
    let content = Bytes::from(content());
    let mut consumed = Position(0);
    steps.keep(0);
    for number in 0..count {
        let envelope = envelope(number as u64)?;
        let (message, settlement) = (envelope.message, settlement(&envelope));
        let mut draft = spool.draft()?;
        finish(&mut steps, draft.append(content.clone()))??;
        finish(&mut steps, spool.commit(envelope, draft))??;
        finish(&mut steps, spool.claim(message))??.context("the message is not there")?;
        finish(&mut steps, spool.settle(settlement))??;
        if number % CONSUMED_EVERY == CONSUMED_EVERY - 1 {
            consumed = consume(&spool, consumed)?;
            steps.keep(number as u64);
        }
    }
    steps.close();
    Ok(())
}

fn consume(spool: &LogSpool<MemoryDisk>, mut next: Position) -> anyhow::Result<Position> {
    loop {
        let batch = spool.events(next, 1000)?;
        if batch.next == next {
            return Ok(next);
        }
        next = batch.next;
        spool.consumed(next);
    }
}
