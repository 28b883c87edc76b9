//! Snapshots: a moment of the log, copied while the log goes on.

use std::path::Path;
use std::sync::Arc;

use relay::store::StoreError;

use super::super::disk::RealDisk;
use super::super::snapshot::Snapshot;
use super::super::{Position, open};
use super::faults::{fill, settle};
use super::rig::{Rig, content, is_kept, tiny};

/// Whether any file below a folder has these octets.
fn has(folder: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            has(&path, text)
        } else {
            std::fs::read(path).unwrap().windows(text.len()).any(|window| window == text)
        }
    })
}

/// What a start makes of a copy: each live message's recipients, its content compared.
fn live_in(folder: &Path, consumed: Position) -> Vec<(u128, String)> {
    let shared = open(RealDisk::new(folder), tiny(), consumed).unwrap();
    assert_eq!(shared.state().damage, []);
    let entries = shared.state().index.entries(None, usize::MAX);
    let told = entries.into_iter().map(|entry| {
        let read = shared.read(entry.message).unwrap().unwrap();
        let octets = if entry.message.0 == 500 { 30_000 } else { 3_000 };
        let is = match read.kept.filed {
            Some(filed) => std::fs::read(folder.join(super::super::state::content_name(filed.number))).unwrap(),
            None => read.held.to_vec(),
        };
        assert!(is == content(entry.message.0, octets), "the content of message {}", entry.message);
        (entry.message.0, format!("{:?}", entry.recipients))
    });
    told.collect()
}

#[test]
fn a_snapshot_is_the_moment_that_was_chosen_whatever_happens_while_it_is_copied() {
    let target = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..40);
    let mut reply = rig.commit(500, 1, 30_000).unwrap();
    rig.drain();
    assert!(is_kept(&mut reply));
    settle(&mut rig, 12..20);
    let consumed = {
        rig.consume();
        rig.consumed
    };
    let mut snapshot = Snapshot::begin(Arc::clone(&rig.shared), target.path()).unwrap();
    assert!(matches!(Snapshot::begin(Arc::clone(&rig.shared), target.path()), Err(StoreError::Conflict(_))));
    settle(&mut rig, 20..23);
    snapshot.checkpoint().unwrap();
    fill(&mut rig, 40..45);
    settle(&mut rig, [11, 41]);
    let moment = snapshot.choose();
    let live: Vec<(u128, String)> =
        rig.live(|message| if message == 500 { 30_000 } else { 3_000 }).into_iter().collect();
    assert_eq!(moment.messages, live.len() as u64);
    // the relay goes on: all of it is settled, read, used again and overwritten, were it not for the snapshot
    settle(&mut rig, (23..41).chain(42..45).chain([500]));
    for round in 0..20 {
        fill(&mut rig, 100 + 10 * round..110 + 10 * round);
        settle(&mut rig, 100 + 10 * round..110 + 10 * round);
        rig.consume();
        rig.keep(3_600_000);
        rig.drain();
    }
    snapshot.copy().unwrap();
    drop(snapshot);
    assert_eq!(live_in(target.path(), consumed), live);
    assert!(has(target.path(), &content(30, 60)), "this was live");
    assert!(!has(target.path(), &content(13, 60)), "this had left the queue before");
    // and then everything goes its way
    let before = rig.shared.state().log.len();
    rig.keep(1_000);
    assert!(rig.shared.state().log.len() < before);
    assert_eq!(rig.shared.state().files_octets, 0);
}
