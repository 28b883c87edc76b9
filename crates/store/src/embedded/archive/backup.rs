//! Making a backup of a store in operation.

use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use relay::clock::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction};

use super::super::{ACTIVITY_FILE, Embedded, LEDGER_FILE, MASTER_KEY_FILE, SPOOL_FOLDER};
use super::{ArchiveError, Manifest};

/// Pages of a database copied in one step.
const PAGES: std::ffi::c_int = 1000;

impl Embedded {
    /// Copies everything into the folder `target`, which is made or empty, as of one moment after this is called, and
    /// synced when it returns. Mail flows meanwhile. Blocks on the disk, for as long as the copying takes; room that
    /// segments of the log would give back meanwhile is given back after.
    ///
    /// # Errors
    /// No backup was made; what was written of it is removed where that can be.
    pub fn backup(&self, target: &Path, with_master_key: bool, now: Timestamp) -> Result<Manifest, ArchiveError> {
        let io = |source| ArchiveError::Io { path: target.to_owned(), source };
        let inside = |target: &Path| Ok(target.canonicalize()?.starts_with(self.folder.canonicalize()?));
        let was_there = target.try_exists().map_err(io)?;
        if was_there && std::fs::read_dir(target).map_err(io)?.next().is_some() {
            return Err(ArchiveError::TargetTaken(target.to_owned()));
        }
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(target).map_err(io)?;
        let result = match inside(target) {
            Ok(true) => Err(ArchiveError::TargetInside(target.to_owned())),
            Ok(false) => self.copy_into(target, with_master_key, now),
            Err(source) => Err(io(source)),
        };
        if result.is_err() {
            remove(target, was_there);
        }
        result
    }

    fn copy_into(&self, target: &Path, with_master_key: bool, now: Timestamp) -> Result<Manifest, ArchiveError> {
        let io = |source| ArchiveError::Io { path: target.to_owned(), source };
        let mut manifest = Manifest::begun(now);
        // first of all, so that the log still has what activity has not read when it is looked at
        let mut snapshot = self.spool.snapshot(&target.join(SPOOL_FOLDER))?;
        let mut activity = reader(&self.folder.join(ACTIVITY_FILE))?;
        let activity = begun(&mut activity, &self.folder.join(ACTIVITY_FILE))?;
        snapshot.checkpoint().map_err(io)?;
        let ledger_path = self.folder.join(LEDGER_FILE);
        let mut ledger = reader(&ledger_path)?;
        // nothing is booked between the two: a domain is not forgotten while mail of it is in the log
        let (ledger, moment) = self
            .ledger
            .between_writes(|| Ok::<_, ArchiveError>((begun(&mut ledger, &ledger_path)?, snapshot.choose())))?;
        manifest.moment = (self.now)();
        (manifest.position, manifest.messages, manifest.recipients) =
            (moment.position, moment.messages, moment.recipients);
        snapshot.copy().map_err(io)?;
        drop(snapshot);
        copy_database(&activity, &target.join(ACTIVITY_FILE))?;
        copy_database(&ledger, &target.join(LEDGER_FILE))?;
        if with_master_key {
            copy_private(&self.master_key, &target.join(MASTER_KEY_FILE))?;
            manifest.master_key = true;
        }
        manifest.add_all(target, "").map_err(io)?;
        manifest.write(target).map_err(io)?;
        let above = target.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above).and_then(|above| above.sync_all()).map_err(io)?;
        Ok(manifest)
    }
}

/// Removes what was written of a backup that failed.
fn remove(target: &Path, keep_folder: bool) {
    let removed = if keep_folder {
        std::fs::read_dir(target).and_then(|mut entries| {
            entries.try_for_each(|entry| {
                let entry = entry?;
                let is_folder = entry.file_type()?.is_dir();
                if is_folder { std::fs::remove_dir_all(entry.path()) } else { std::fs::remove_file(entry.path()) }
            })
        })
    } else {
        std::fs::remove_dir_all(target)
    };
    if let Err(error) = removed {
        tracing::warn!(folder = %target.display(), %error, "what was written of a backup could not be removed");
    }
}

fn reader(path: &Path) -> Result<Connection, ArchiveError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|source| ArchiveError::Sqlite { path: path.to_owned(), source })
}

/// A look at a database as it is now, that later writes do not change.
fn begun<'a>(reader: &'a mut Connection, path: &Path) -> Result<Transaction<'a>, ArchiveError> {
    let begin = |reader: &'a mut Connection| {
        let transaction = reader.transaction()?;
        // a transaction begins with its first look
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, u64>(0))?;
        Ok(transaction)
    };
    begin(reader).map_err(|source| ArchiveError::Sqlite { path: path.to_owned(), source })
}

/// Copies a database page by page, synced when it returns.
fn copy_database(from: &Connection, target: &Path) -> Result<(), ArchiveError> {
    let io = |source| ArchiveError::Io { path: target.to_owned(), source };
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(target).map_err(io)?;
    let copy = || {
        let mut to = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        to.pragma_update(None, "synchronous", "OFF")?;
        let backup = rusqlite::backup::Backup::new(from, &mut to)?;
        backup.run_to_completion(PAGES, std::time::Duration::ZERO, None)
    };
    copy().map_err(|source| ArchiveError::Sqlite { path: target.to_owned(), source })?;
    file.sync_all().map_err(io)
}

fn copy_private(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    let copy = || {
        let mut source = File::open(from)?;
        let mut target = File::options().write(true).create_new(true).mode(0o600).open(to)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()
    };
    copy().map_err(|source| ArchiveError::Io { path: from.to_owned(), source })
}
