//! Backup and restore: what was there at that moment is there again, whatever breaks it off.

use std::path::Path;

use relay::activity::{ActivityFilter, Status};
use relay::queue::{HoldReason, Outcome, RecipientState};
use relay::sending_domain::DomainState;
use relay::store::{Book as _, Spool as _};
use relay::suppression::Suppression;
use store::embedded::archive::{self, ArchiveError, KeyState, Restored, Restoring};
use store::embedded::{Embedded, MasterKeyError, OpenError};

use crate::world::*;

fn restoring(source: &Path, folder: &Folder, hold: bool) -> Restoring {
    Restoring {
        source: source.to_owned(),
        folder: folder.path().to_owned(),
        master_key: None,
        hold,
        spool: folder.options().spool,
        now: later(1000),
    }
}

async fn restore(source: &Path, folder: &Folder, hold: bool) -> Result<Restored, ArchiveError> {
    let restoring = restoring(source, folder, hold);
    tokio::task::spawn_blocking(move || archive::restore(&restoring)).await.unwrap()
}

/// An account with a domain and a user, a message in every state, one with a file of its own; and the backup of it.
async fn furnished(folder: &Folder, target: &Path, with_master_key: bool) -> Embedded {
    let store = folder.open();
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    let domain = store.domain_add(account, "example.com", vec![key("one")], &operator(), NOW).unwrap().id;
    store.domain_state(domain, DomainState::Vouched, &operator(), NOW).unwrap();
    store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap();
    store
        .suppress(
            account,
            &[("anna@example.org".to_owned(), Suppression::manual("She asked.", NOW))],
            true,
            Some(&operator()),
            NOW,
        )
        .unwrap();
    let half = commit(&store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.settle(settlement(half, later(2), &[(0, DELIVERED)])).await.unwrap();
    let held = commit(&store, envelope(3, &["c@example.org"])).await;
    store.hold(held, HoldReason::AccountSuspended, later(4)).await.unwrap();
    let deferred = commit(&store, envelope(5, &["d@example.org"])).await;
    store.settle(settlement(deferred, later(6), &[(0, Outcome::Deferred { until: later(600) })])).await.unwrap();
    commit_with(&store, envelope(7, &["e@example.org"]), &vec![b'x'; 2 << 20]).await;
    let done = commit(&store, envelope(9, &["f@example.org"])).await;
    store.settle(settlement(done, later(10), &[(0, Outcome::HardBounced)])).await.unwrap();
    let manifest = store.backup(target, with_master_key, later(20)).unwrap();
    assert_eq!((manifest.messages, manifest.recipients, manifest.master_key), (4, 4, with_master_key));
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_there_is_there_again() {
    let (folder, other, target) = (Folder::new(), Folder::new(), tempfile::tempdir().unwrap());
    let store = furnished(&folder, target.path(), false).await;
    let history = rows(&store, ActivityFilter::default()).await;
    let (queue, directory, audit) = (store.queue(None, 10), store.directory(), store.audit(None, 100).unwrap());
    // what comes after is not in it
    commit(&store, envelope(30, &["g@example.org"])).await;
    assert!(!target.path().join("master.key").exists());
    let restored = restore(target.path(), &other, false).await.unwrap();
    assert_eq!(restored.held, 0);
    let KeyState::Missing { users, dkim_keys, domains, .. } = restored.key else { panic!("there is a key") };
    assert_eq!((users, dkim_keys, domains), (1, 1, 1));
    assert!(matches!(other.try_open(), Err(OpenError::MasterKey(MasterKeyError::Missing(_)))));
    std::fs::copy(folder.path().join("master.key"), other.path().join("master.key")).unwrap();
    let again = other.open();
    assert_eq!(again.queue(None, 10), queue);
    assert_eq!(again.directory().accounts, directory.accounts);
    assert_eq!(again.directory().domains, directory.domains);
    assert_eq!(again.directory().users, directory.users);
    assert_eq!(again.directory().suppressions, directory.suppressions);
    assert_eq!(again.audit(None, 100).unwrap(), audit);
    assert_eq!(again.password_key(), store.password_key());
    assert_eq!(rows(&again, ActivityFilter::default()).await, history);
    assert_eq!(again.health().damage, []);
    for entry in queue {
        let (was, is) = (store.peek(entry.message).await.unwrap().unwrap(), again.peek(entry.message).await.unwrap());
        assert_eq!(octets_of(&is.unwrap().content), octets_of(&was.content));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_mail_can_be_held_and_the_key_can_come_along() {
    let (folder, other, target) = (Folder::new(), Folder::new(), tempfile::tempdir().unwrap());
    let store = furnished(&folder, target.path(), true).await;
    let restored = restore(target.path(), &other, true).await.unwrap();
    assert_eq!((restored.held, restored.key), (4, KeyState::InPlace));
    let again = other.open();
    assert_eq!(again.password_key(), store.password_key());
    let held = again.queue(None, 10);
    let is_held = |state: &RecipientState| matches!(state, RecipientState::Held { .. });
    assert!(held.len() == 4 && held.iter().all(|entry| entry.recipients.iter().all(|(_, _, state)| is_held(state))));
    let pending = ActivityFilter { status: Some(Status::Pending), ..ActivityFilter::default() };
    let held_by = rows(&again, pending).await.into_iter().map(|row| row.held).collect::<Vec<_>>();
    assert_eq!(held_by, [Some(HoldReason::Operator); 4], "what was held for its account waits for the operator, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_broken_off_starts_nothing_and_can_be_made_again() {
    let (folder, other, target) = (Folder::new(), Folder::new(), tempfile::tempdir().unwrap());
    let store = furnished(&folder, target.path(), true).await;
    let queue = store.queue(None, 10);
    drop(store);
    restore(target.path(), &other, false).await.unwrap();
    // as if the power had gone before the last step, and before that
    for back in [&["ledger.db"][..], &["spool", "activity.db"]] {
        let passing = other.path().join("restoring");
        if !passing.exists() {
            std::fs::create_dir(&passing).unwrap();
        }
        for name in back {
            if other.path().join(name).exists() {
                std::fs::rename(other.path().join(name), passing.join(name)).unwrap();
            }
        }
        if other.path().join("spool").exists() {
            assert!(matches!(other.try_open(), Err(OpenError::LedgerMissing(_))));
        }
        restore(target.path(), &other, false).await.unwrap();
        assert_eq!(other.open().queue(None, 10), queue);
        let left = std::fs::read_dir(other.path()).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name().to_string_lossy().into_owned();
            // SQLite's companions of a database come and go with it
            !["lock", "master.key", "ledger.db", "activity.db", "spool"].iter().any(|known| name.starts_with(known))
        });
        assert_eq!(left.count(), 0);
        // for the second round, what the first step has made
        for entry in std::fs::read_dir(other.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ledger.db")) {
                std::fs::remove_file(path).unwrap();
            }
        }
        std::fs::create_dir(&passing).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_overwritten_and_a_damaged_backup_is_refused() {
    let (folder, other, target) = (Folder::new(), Folder::new(), tempfile::tempdir().unwrap());
    let store = furnished(&folder, target.path(), true).await;
    assert!(matches!(store.backup(target.path(), false, NOW), Err(ArchiveError::TargetTaken(_))));
    let inside = folder.path().join("backup");
    assert!(matches!(store.backup(&inside, false, NOW), Err(ArchiveError::TargetInside(_))));
    assert!(!inside.exists());
    assert!(matches!(restore(target.path(), &folder, false).await, Err(ArchiveError::Lock(_))));
    drop(store);
    assert!(matches!(restore(target.path(), &folder, false).await, Err(ArchiveError::FolderTaken { .. })));
    let empty = || std::fs::read_dir(other.path()).unwrap().count() == 0;
    let ledger = target.path().join("ledger.db");
    let mut octets = std::fs::read(&ledger).unwrap();
    octets[5000] ^= 1;
    std::fs::write(&ledger, octets).unwrap();
    assert!(matches!(restore(target.path(), &other, false).await, Err(ArchiveError::Damaged(path)) if path == ledger));
    let manifest = target.path().join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"format\": 1", "\"format\": 2", 1)).unwrap();
    let newer = restore(target.path(), &other, false).await.unwrap_err();
    assert!(newer.to_string().contains("has format 2, and this version knows none beyond 1"), "{newer}");
    std::fs::write(&manifest, text.replacen("ledger.db", "../ledger.db", 1)).unwrap();
    assert!(matches!(restore(target.path(), &other, false).await, Err(ArchiveError::Malformed { .. })));
    std::fs::remove_file(manifest).unwrap();
    assert!(matches!(restore(target.path(), &other, false).await, Err(ArchiveError::NoBackup(_))));
    assert!(empty());
}
