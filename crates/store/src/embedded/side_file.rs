//! A file beside the ledger for what is no primary data: made when something is first kept, so that nobody else pays for it, and
//! no fault of it stops anything but what it is for.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use relay::store::StoreError;
use rusqlite::{Connection, Transaction};

use super::sqlite::{self, Readers};

/// Such a file.
pub(super) struct SideFile {
    path: PathBuf,
    migrations: &'static [&'static str],
    /// What is kept in it, as a fault calls it.
    what: &'static str,
    opened: Mutex<Option<Arc<Opened>>>,
}

struct Opened {
    writer: Mutex<Connection>,
    readers: Readers,
}

impl SideFile {
    /// The file of this path, opened when it is needed.
    pub(super) fn new(path: PathBuf, migrations: &'static [&'static str], what: &'static str) -> SideFile {
        SideFile { path, migrations, what, opened: Mutex::new(None) }
    }

    fn open(&self) -> Result<Arc<Opened>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = opened.as_ref() {
            return Ok(Arc::clone(opened));
        }
        let failed = |error: &dyn std::fmt::Display| {
            let (path, what) = (self.path.display(), self.what);
            StoreError::Unavailable(format!(
                "{what} cannot be opened ({error}); where {path} is damaged, move it and those beside it whose names begin \
                 alike away: nothing else is in it"
            ))
        };
        let writer = sqlite::open_writer(&self.path, self.migrations).map_err(|error| failed(&error))?;
        // what is deleted is gone from the file, and not only from its tables
        writer.pragma_update(None, "secure_delete", true).map_err(|error| failed(&error))?;
        let made = Arc::new(Opened { writer: Mutex::new(writer), readers: Readers::new(&self.path, |_| Ok(())) });
        *opened = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Reads where anything was ever kept.
    pub(super) fn read<T: Default>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if !self.path.exists() {
            return Ok(T::default());
        }
        self.open()?.readers.read(work)
    }

    /// Writes, one at a time, whole or not at all: on disk when it returns.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let opened = self.open()?;
        let mut writer = opened.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction().map_err(|error| self.failed(error))?;
        let done = work(&transaction)?;
        transaction.commit().map_err(|error| self.failed(error))?;
        Ok(done)
    }

    /// Deletes where anything was ever kept, and leaves nothing of it in the file's log either; how much that was.
    pub(super) fn delete(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<u64>,
    ) -> Result<u64, StoreError> {
        if !self.path.exists() {
            return Ok(0);
        }
        let count = self.write(|transaction| work(transaction).map_err(|error| self.failed(error)))?;
        if count > 0 {
            let opened = self.open()?;
            let writer = opened.writer.lock().unwrap_or_else(PoisonError::into_inner);
            // a reader may be in the way: then the next one does it
            let _ = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        Ok(count)
    }

    /// What a failed verb says. Nothing but this file is concerned: nothing latches.
    pub(super) fn failed(&self, error: rusqlite::Error) -> StoreError {
        if sqlite::is_full(&error) {
            return StoreError::NoRoom(format!("{} has no room on the disk", self.what));
        }
        StoreError::Unavailable(format!("{}: {error}", self.what))
    }
}
