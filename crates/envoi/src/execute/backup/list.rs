//! The backups that were made lately: a small file in the data folder that may be lost, and what is under way.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use net::kept_file;
use relay::clock::Timestamp;
use relay::moment;
use relay::service::Fault;
use relay::service::view::{BackupFailureView, BackupView, BackupsView, KeptBackupView};
use serde::{Deserialize, Serialize};
use store::embedded::archive;

/// The name of the file.
const NAME: &str = "backups.json";
/// The form of the file.
const VERSION: u32 = 1;
/// Octets of the file that are read.
const OCTETS_MAX: u64 = 1024 * 1024;
/// Backups that are told of: the oldest leave the list, and stay where they are.
const BACKUPS_MAX: usize = 20;

/// A backup that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Made {
    number: u64,
    backup: BackupView,
    by: String,
    #[serde(default)]
    checked_at: Option<Timestamp>,
    /// What was wrong then.
    #[serde(default)]
    fault: Option<String>,
}

impl Made {
    fn view(&self) -> KeptBackupView {
        KeptBackupView {
            number: self.number,
            there: archive::is_there(Path::new(&self.backup.folder)),
            backup: self.backup.clone(),
            by: self.by.clone(),
            checked_at: self.checked_at.map(moment::text),
            fault: self.fault.clone(),
        }
    }
}

/// What is under way, and what failed last.
#[derive(Debug, Default)]
struct Now {
    busy_since: Option<Timestamp>,
    failed: Option<BackupFailureView>,
}

/// The list, and whether one is being made or checked: one at a time is.
#[derive(Debug)]
pub(in super::super) struct Backups {
    file: PathBuf,
    now: Mutex<Now>,
}

/// Held while one is made or checked.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Backups);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.now().busy_since = None;
    }
}

impl Backups {
    /// The list of a data folder.
    pub(in super::super) fn of(data_dir: &Path) -> Backups {
        Backups { file: data_dir.join(NAME), now: Mutex::default() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the one turn that there is.
    pub(super) fn begin(&self, at: Timestamp) -> Result<Turn<'_>, Fault> {
        let mut now = self.now();
        if now.busy_since.is_some() {
            return Err(Fault::conflict(
                "A backup is being made or checked already.",
                "Wait until that is done: the list of backups shows it.",
            )
            .named("backup-busy", &[])
            .see("BackupList"));
        }
        now.busy_since = Some(at);
        Ok(Turn(self))
    }

    /// One was not made.
    pub(super) fn failed(&self, folder: &Path, at: Timestamp, fault: &Fault) {
        let named = fault.named.as_deref();
        self.now().failed = Some(BackupFailureView {
            folder: folder.display().to_string(),
            begun_at: moment::text(at),
            fault: format!("{} {}", fault.what, fault.remedy).trim_end().to_owned(),
            code: named.map(|named| named.code.clone()),
            values: named.map(|named| named.values.iter().cloned().collect()).unwrap_or_default(),
        });
    }

    /// One was made. (It is there whether or not the list can be written.)
    pub(super) fn made(&self, backup: &BackupView, by: &str) {
        self.now().failed = None;
        let mut all = self.read();
        let number = all.first().map_or(1, |last| last.number.saturating_add(1));
        // one that was made in the place of an earlier one is the one that is there
        all.retain(|made| made.backup.folder != backup.folder);
        all.insert(0, Made { number, backup: backup.clone(), by: by.to_owned(), checked_at: None, fault: None });
        all.truncate(BACKUPS_MAX);
        self.write(&all);
    }

    /// One was compared with its manifest; as it is now shown. None: the list has none of this number.
    pub(super) fn checked(&self, number: u64, at: Timestamp, fault: Option<String>) -> Option<KeptBackupView> {
        let mut all = self.read();
        let made = all.iter_mut().find(|made| made.number == number)?;
        (made.checked_at, made.fault) = (Some(at), fault);
        let view = made.view();
        self.write(&all);
        Some(view)
    }

    /// Where the one of this number was made.
    pub(super) fn folder(&self, number: u64) -> Result<PathBuf, Fault> {
        let all = self.read();
        let made = all.iter().find(|made| made.number == number);
        made.map(|made| PathBuf::from(&made.backup.folder)).ok_or_else(|| {
            Fault::not_found(
                format!("There is no backup {number} in the list."),
                "The list of backups shows those that were made lately.",
            )
            .named("backup-none", &[("number", &number)])
            .see("BackupList")
        })
    }

    /// All of it. Looks at the disks that the backups were made on.
    pub(in super::super) fn view(&self) -> BackupsView {
        let (busy_since, failed) = {
            let now = self.now();
            (now.busy_since.map(moment::text), now.failed.clone())
        };
        BackupsView { busy_since, failed, backups: self.read().iter().map(Made::view).collect() }
    }

    fn read(&self) -> Vec<Made> {
        let read = kept_file::read(&self.file, VERSION, OCTETS_MAX).unwrap_or_else(|error| {
            tracing::warn!(file = %self.file.display(), %error, "the list of backups cannot be read: it begins anew");
            None
        });
        read.unwrap_or_default()
    }

    fn write(&self, all: &[Made]) {
        if let Err(error) = kept_file::write(&self.file, &all, VERSION) {
            tracing::warn!(file = %self.file.display(), %error, "the list of backups cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(folder: &str) -> BackupView {
        BackupView {
            folder: folder.to_owned(),
            version: "1.0.0".into(),
            begun_at: "2026-11-30T00:00:00.000Z".into(),
            moment: "2026-11-30T00:00:00.000Z".into(),
            messages: 0,
            recipients: 0,
            octets: 1,
            master_key: false,
        }
    }

    #[test]
    fn the_list_has_the_latest_first_and_so_many() {
        let folder = tempfile::tempdir().unwrap();
        let backups = Backups::of(folder.path());
        assert_eq!(backups.view(), BackupsView { busy_since: None, failed: None, backups: Vec::new() });
        for number in 1..=BACKUPS_MAX + 2 {
            backups.made(&backup(&format!("/backups/{number}")), "operator");
        }
        // another one, in the place of one that was moved away
        backups.made(&backup("/backups/22"), "operator");
        let numbers: Vec<_> = backups.view().backups.iter().map(|made| made.number).collect();
        assert_eq!(numbers, [23, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
        assert!(backups.folder(2).is_err() && backups.checked(2, Timestamp(1), None).is_none());
        let checked = backups.checked(3, Timestamp(1), Some("a file is missing".into())).unwrap();
        assert_eq!((checked.there, checked.fault.as_deref()), (false, Some("a file is missing")));
        // what cannot be read is begun anew
        std::fs::write(folder.path().join(NAME), "{").unwrap();
        assert!(backups.view().backups.is_empty());
    }

    #[test]
    fn one_at_a_time_and_a_failure_is_told_until_one_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let backups = Backups::of(folder.path());
        let turn = backups.begin(Timestamp(1)).unwrap();
        assert!(backups.begin(Timestamp(2)).is_err());
        assert_eq!(backups.view().busy_since.as_deref(), Some("1970-01-01T00:00:00.001Z"));
        drop(turn);
        assert!(backups.begin(Timestamp(3)).is_ok());
        let fault =
            Fault::conflict("It is not empty.", "Name another.").named("backup-target-taken", &[("folder", &"/b")]);
        backups.failed(Path::new("/b"), Timestamp(3), &fault);
        let failed = backups.view().failed.unwrap();
        assert_eq!((failed.fault.as_str(), failed.values["folder"].as_str()), ("It is not empty. Name another.", "/b"));
        backups.made(&backup("/b"), "operator");
        assert_eq!(backups.view().failed, None);
    }
}
