//! The spool over a real disk with its threads, through the verbs of the store.

use std::time::Duration;

use bytes::Bytes;
use relay::activity::{Notice, NoticeKind};
use relay::clock::Timestamp;
use relay::id::{MessageId, SessionId};
use relay::queue::{HoldReason, Outcome, RecipientState};
use relay::store::{Content, Draft, Spool, StoreError};

use super::super::state::Recent;
use super::super::{Event, LogSpool, Options, Position};
use super::rig::{content, envelope, settlement};

fn open(folder: &std::path::Path) -> LogSpool {
    LogSpool::open(folder, Options::small(), Position(0)).unwrap()
}

async fn commit(spool: &LogSpool, message: u128, recipients: usize, octets: usize) {
    let mut draft = spool.draft().unwrap();
    for chunk in content(message, octets).chunks(40_000) {
        draft.append(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    assert_eq!(draft.octets(), octets as u64);
    spool.commit(envelope(message, recipients), draft).await.unwrap();
}

fn octets(content: &Content) -> Vec<u8> {
    match content {
        Content::Held(octets) => octets.to_vec(),
        Content::Filed { path, octets } => {
            let read = std::fs::read(path).unwrap();
            assert_eq!(read.len() as u64, *octets);
            read
        }
    }
}

fn notice(recipient: &str) -> Notice {
    Notice {
        at: Timestamp(3),
        kind: NoticeKind::Rejected,
        account: None,
        user: None,
        domain: None,
        username: "u".to_owned(),
        session: SessionId(4),
        remote: "192.0.2.9".parse().unwrap(),
        tls: "TLS 1.3".to_owned(),
        sender: "s@example.org".to_owned(),
        recipient: recipient.to_owned(),
        subject: String::new(),
        reference: "recipients-max".to_owned(),
        reply: "452 4.5.3".to_owned(),
        reason: "too many".to_owned(),
        count: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_lives_over_restarts_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    // in the log, and in a file of its own
    for (message, size) in [(10, 10_000), (11, 3_000_000)] {
        commit(&spool, message, 2, size).await;
        let id = MessageId(message);
        let claimed = spool.claim(id).await.unwrap().unwrap();
        assert_eq!(octets(&claimed.content), content(message, size));
        assert!(spool.claim(id).await.unwrap().is_none(), "claimed twice");
        spool.seal(id, Bytes::from_static(b"DKIM-Signature: x\r\n"));
        let until = Timestamp(99);
        let verdicts = [(0, Outcome::Delivered { sandbox: false }), (1, Outcome::Deferred { until })];
        spool.settle(settlement(id, &verdicts)).await.unwrap();
        spool.unclaim(id);
    }
    let queue = spool.queue(None, 10);
    drop(spool);
    let spool = open(folder.path());
    assert_eq!(spool.queue(None, 10), queue);
    assert_eq!(spool.queue(Some(MessageId(10)), 10), queue[1..]);
    for (message, size) in [(10, 10_000), (11, 3_000_000)] {
        let id = MessageId(message);
        let claimed = spool.claim(id).await.unwrap().unwrap();
        assert_eq!(octets(&claimed.content), content(message, size));
        assert_eq!(*claimed.envelope, envelope(message, 2));
        assert_eq!(claimed.seal.as_deref(), Some(&b"DKIM-Signature: x\r\n"[..]));
        let waiting = RecipientState::Waiting { due: Timestamp(99), attempts: 1 };
        assert_eq!(claimed.recipients, [RecipientState::Settled, waiting]);
        spool.settle(settlement(id, &[(1, Outcome::HardBounced)])).await.unwrap();
        assert!(spool.peek(id).await.unwrap().is_none());
        assert!(matches!(
            spool.settle(settlement(id, &[(1, Outcome::HardBounced)])).await,
            Err(StoreError::NotFound(_))
        ));
    }
    drop(spool);
    let spool = open(folder.path());
    assert_eq!(spool.queue(None, 10), []);
    assert_eq!(std::fs::read_dir(folder.path().join("content")).unwrap().count(), 0, "a content file is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_everything_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    commit(&spool, 10, 1, 100).await;
    spool.hold(MessageId(10), HoldReason::Operator, Timestamp(20)).await.unwrap();
    spool.hold(MessageId(10), HoldReason::DomainInvalid, Timestamp(21)).await.unwrap();
    spool.release(MessageId(10), Timestamp(22)).await.unwrap();
    let all = settlement(MessageId(10), &[(0, Outcome::SoftBounced)]);
    spool.settle(all.clone()).await.unwrap();
    let synced = spool.synced();
    spool.note(vec![notice("a@example.com"), notice("b@example.com")]);
    assert!(spool.synced_past(synced).await > synced, "notices are synced though nobody waits");
    let batch = spool.events(Position(0), 100).unwrap();
    let events: Vec<Event> = batch.events.iter().map(|(_, event)| event.clone()).collect();
    let expected = [
        Event::Committed(std::sync::Arc::new(envelope(10, 1))),
        Event::Held { message: MessageId(10), recipients: None, reason: HoldReason::Operator, at: Timestamp(20) },
        Event::Released { message: MessageId(10), recipients: None, at: Timestamp(22) },
        Event::Settled(all),
        Event::Noticed(vec![notice("a@example.com"), notice("b@example.com")]),
    ];
    assert_eq!(events, expected);
    assert_eq!(spool.events(batch.events[2].0, 1).unwrap().events, batch.events[3..4]);
    assert_eq!(spool.wait_synced(spool.synced(), Duration::ZERO), spool.synced());
    assert!(spool.health().activity_lag_octets > 0);
    spool.consumed(batch.next);
    assert_eq!(spool.health().activity_lag_octets, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_draft_leaves_nothing_and_a_closed_spool_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let epoch = spool.epoch();
    let mut draft = spool.draft().unwrap();
    draft.append(Bytes::from(vec![b'x'; 2_000_000])).await.unwrap();
    drop(draft);
    let mut draft = spool.draft().unwrap();
    draft.append(Bytes::from_static(b"small")).await.unwrap();
    spool.close();
    assert!(matches!(spool.commit(envelope(10, 1), draft).await, Err(StoreError::Unavailable(_))));
    drop(spool);
    let spool = open(folder.path());
    assert_eq!(std::fs::read_dir(folder.path().join("content")).unwrap().count(), 0);
    assert!(spool.epoch() > epoch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_content_file_is_told_and_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    commit(&spool, 10, 1, 3_000_000).await;
    commit(&spool, 11, 1, 3_000_000).await;
    let Content::Filed { path, .. } = spool.peek(MessageId(10)).await.unwrap().unwrap().content else {
        panic!("it is not in a file")
    };
    let mut damaged = std::fs::read(&path).unwrap();
    damaged[1_500_000] ^= 4;
    std::fs::write(&path, damaged).unwrap();
    assert!(matches!(spool.claim(MessageId(10)).await, Err(StoreError::Damaged(_))));
    assert_eq!(spool.health().damage.len(), 1);
    let whole = spool.claim(MessageId(11)).await.unwrap().unwrap();
    assert_eq!(octets(&whole.content), content(11, 3_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_not_what_was_admitted_is_told_and_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &content(10, 3_000));
    for message in [10, 11] {
        let mut envelope = envelope(message, 1);
        envelope.facts.sha256.copy_from_slice(hash.as_ref());
        let mut draft = spool.draft().unwrap();
        draft.append(Bytes::from(content(message, 3_000))).await.unwrap();
        spool.commit(envelope, draft).await.unwrap();
    }
    spool.close();
    drop(spool);
    // both are read from the log, where the checksum of either is right
    let spool = open(folder.path());
    let whole = spool.claim(MessageId(10)).await.unwrap().unwrap();
    assert_eq!(octets(&whole.content), content(10, 3_000));
    assert!(matches!(spool.claim(MessageId(11)).await, Err(StoreError::Damaged(_))));
    assert_eq!(spool.health().damage.len(), 1);
}

#[test]
fn what_is_held_for_a_first_attempt_is_bounded_however_small_it_is() {
    let mut recent = Recent::default();
    for message in 1..=1000 {
        recent.keep(std::sync::Arc::new(envelope(message, 50)), Bytes::new(), 60_000);
    }
    assert_eq!((1..=1000).filter(|message| recent.find(MessageId(*message)).is_some()).count(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sessions_are_served_together() {
    let folder = tempfile::tempdir().unwrap();
    let spool = std::sync::Arc::new(open(folder.path()));
    let tasks = (0..20u128).map(|session| {
        let spool = std::sync::Arc::clone(&spool);
        tokio::spawn(async move {
            for place in 0..20 {
                commit(&spool, 1 + session * 100 + place, 1, 3_000).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(spool.health().messages, 400);
    assert_eq!(spool.queue(None, 1000).len(), 400);
}
