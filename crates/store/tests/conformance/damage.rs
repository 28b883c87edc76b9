//! Damage on the disk of a data folder: what activity knows keeps mail from being delivered twice or lost in silence.

use std::path::PathBuf;

use relay::activity::{ActivityFilter, Status};
use relay::store::{History as _, Spool as _, StoreError};

use crate::world::*;

/// Changes octets of the segment file that holds `text`, at so many octets from it.
fn damage(folder: &Folder, text: &[u8], offset: isize) -> PathBuf {
    for entry in std::fs::read_dir(folder.path().join("spool/segments")).unwrap() {
        let path = entry.unwrap().path();
        let mut octets = std::fs::read(&path).unwrap();
        let Some(at) = octets.windows(text.len()).position(|window| window == text) else { continue };
        let at = at.checked_add_signed(offset).unwrap();
        octets[at..at + 4].iter_mut().for_each(|octet| *octet ^= 0x5A);
        std::fs::write(&path, octets).unwrap();
        return path;
    }
    panic!("it is in no segment");
}

fn damage_checkpoint(folder: &Folder) {
    let path = folder.path().join("spool/checkpoint");
    let mut octets = std::fs::read(&path).unwrap();
    octets[20] ^= 1;
    std::fs::write(path, octets).unwrap();
}

#[tokio::test]
async fn what_activity_knows_as_settled_is_not_delivered_again_when_its_record_is_damaged() {
    let folder = Folder::new();
    let store = folder.open();
    let done = commit(&store, envelope(1, &["a@example.org", "b@example.org"])).await;
    let half = commit(&store, envelope(2, &["c@example.org", "d@example.org"])).await;
    store.settle(settlement(done, later(3), &[(0, DELIVERED), (1, DELIVERED)])).await.unwrap();
    let mut told = settlement(half, later(4), &[(1, DELIVERED)]);
    told.verdicts[0].remote_reply = Some("250 the damaged one".into());
    store.settle(told).await.unwrap();
    store.caught_up().await;
    drop(store);
    damage_checkpoint(&folder);
    damage(&folder, b"250 2.0.0 Ok", 0);
    damage(&folder, b"250 the damaged one", 0);
    for _ in 0..2 {
        let store = folder.open();
        let queue = store.queue(None, 10);
        assert_eq!(queue.len(), 1, "{queue:?}");
        assert_eq!((queue[0].message, queue[0].recipients.len(), queue[0].recipients[0].0), (half, 1, 0));
        assert!(store.health().damage.iter().any(|damage| damage.file.ends_with("checkpoint")));
        let delivered = ActivityFilter { status: Some(Status::Delivered), ..ActivityFilter::default() };
        assert_eq!(rows(&store, delivered).await.len(), 3);
    }
}

#[tokio::test]
async fn a_message_whose_header_is_damaged_is_told_by_its_id() {
    let folder = Folder::new();
    let store = folder.open();
    let lost = commit(&store, envelope(1, &["a@example.org", "b@example.org"])).await;
    let other = commit(&store, envelope(2, &["c@example.org"])).await;
    store.caught_up().await;
    drop(store);
    damage_checkpoint(&folder);
    // the message's id is in the header of its record
    damage(&folder, &lost.0.to_le_bytes(), 0);
    for _ in 0..2 {
        let store = folder.open();
        assert_eq!(store.queue(None, 10).len(), 1);
        let damage = store.health().damage;
        let told = damage.iter().find(|damage| damage.message == Some(lost)).unwrap();
        assert!(told.what.contains("2 of its recipients were waiting"), "{told}");
        assert!(damage.iter().all(|damage| damage.message != Some(other)));
    }
}

#[tokio::test]
async fn a_claim_of_what_is_damaged_says_so() {
    let folder = Folder::new();
    let store = folder.open();
    let message = commit(&store, envelope(1, &["a@example.org"])).await;
    drop(store);
    let path = damage(&folder, CONTENT, 0);
    let store = folder.open();
    let Err(StoreError::Damaged(text)) = store.claim(message).await else { panic!("it was claimed") };
    assert!(text.contains(&path.display().to_string()) && text.contains(&message.to_string()), "{text}");
    assert!(text.contains("at octet"), "{text}");
    assert_eq!(store.health().damage.len(), 1);
    drop(store);
    assert_eq!(folder.open().health().damage.len(), 1);
}
