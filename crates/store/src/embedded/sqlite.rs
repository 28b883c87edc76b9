//! How the ledger uses SQLite: private files, one writer each, schemas that only go forward, readers beside the writer.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relay::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::OpenError;

/// Readers that are kept open when nobody reads.
const READERS_IDLE_MAX: usize = 4;

/// How long a reader waits for a lock, which is only ever held for a moment.
const BUSY_PATIENCE: Duration = Duration::from_secs(10);

/// Opens or makes a file for its one writer and brings its schema up to date: `migrations` holds the steps from
/// each version to the next, the first from an empty file.
pub(crate) fn open_writer(path: &Path, migrations: &[&str]) -> Result<Connection, OpenError> {
    make_private_file(path)?;
    let failed = |source| OpenError::Ledger { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut writer = Connection::open_with_flags(path, flags).map_err(failed)?;
    set_up_writer(&writer).map_err(failed)?;
    let found: u32 = writer.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    for (version, step) in (1..).zip(migrations).skip(found as usize) {
        migrate(&mut writer, step, version).map_err(failed)?;
    }
    match write_commits_home(&writer) {
        // it takes room, and is not worth a start
        Err(error) if is_full(&error) => {}
        written => written.map_err(failed)?,
    }
    Ok(writer)
}

/// Writes what is in the WAL into the database, syncs that, and begins the WAL anew. What an earlier process left there may
/// be in the system's memory alone, for good where a sync had failed; commits behind it would be lost with it.
fn write_commits_home(writer: &Connection) -> rusqlite::Result<()> {
    writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn set_up_writer(writer: &Connection) -> rusqlite::Result<()> {
    writer.busy_timeout(BUSY_PATIENCE)?;
    writer.set_prepared_statement_cache_capacity(64);
    writer.pragma_update(None, "journal_mode", "WAL")?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    writer.pragma_update(None, "foreign_keys", true)
}

/// One step, whole or not at all.
fn migrate(writer: &mut Connection, step: &str, version: u32) -> rusqlite::Result<()> {
    let transaction = writer.transaction()?;
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

/// Makes the file for us alone; SQLite gives its companions the same mode.
fn make_private_file(path: &Path) -> Result<(), OpenError> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map(drop).map_err(|source| OpenError::Io { path: path.to_owned(), source })
}

/// Syncs what was committed to a file in WAL mode without a sync, by this process or one before it. Takes no room. SQLite
/// itself has no word for it: a commit that changes nothing, even one with full syncs, writes nothing and syncs nothing.
///
/// # Errors
/// One that [`is_disk_failure`] knows: what was committed may be lost.
pub(crate) fn sync_commits(path: &Path) -> rusqlite::Result<()> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // locks are on the database, which is left alone: closing a file loses the locks that the process has on it
    File::open(&log).and_then(|log| log.sync_data()).map_err(|error| {
        let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        rusqlite::Error::SqliteFailure(failure, Some(format!("{}: {error}", Path::new(&log).display())))
    })
}

/// A second connection that may write, to a file that its writer has opened: whoever uses both sees to it that one writes at
/// a time.
pub(crate) fn open_beside(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let beside = Connection::open_with_flags(path, flags)?;
    beside.busy_timeout(BUSY_PATIENCE)?;
    beside.set_prepared_statement_cache_capacity(32);
    // what is erased by it is gone from the file, and not only from its tables
    beside.pragma_update(None, "secure_delete", true)?;
    Ok(beside)
}

/// Connections that read beside the writer and never hold it up.
pub(crate) struct Readers {
    path: PathBuf,
    set_up: fn(&Connection) -> rusqlite::Result<()>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Readers of a file; `set_up` gives each the functions that its questions use.
    pub(crate) fn new(path: &Path, set_up: fn(&Connection) -> rusqlite::Result<()>) -> Self {
        Readers { path: path.to_owned(), set_up, idle: Mutex::new(Vec::new()) }
    }

    /// Reads, all of it from one moment.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.read_from(work).map_err(unavailable)
    }

    fn read_from<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = idle.map_or_else(|| self.open(), Ok)?;
        let transaction = reader.transaction()?;
        let result = work(&transaction);
        transaction.finish()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS_IDLE_MAX {
            idle.push(reader);
        }
        result
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(&self.path, flags)?;
        reader.busy_timeout(BUSY_PATIENCE)?;
        reader.set_prepared_statement_cache_capacity(64);
        (self.set_up)(&reader)?;
        Ok(reader)
    }
}

/// What SQLite finds wrong with a file that nobody writes, in words; none where it is sound or missing. Reads all of it.
pub(crate) fn damage_of(path: &Path) -> Option<String> {
    if !path.exists() {
        return None;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let check = |reader: Connection| reader.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    match Connection::open_with_flags(path, flags).and_then(check) {
        Ok(found) => Some(found).filter(|found| found != "ok"),
        Err(error) => {
            let code = error.sqlite_error_code();
            let is_damage =
                matches!(code, Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase));
            is_damage.then(|| error.to_string())
        }
    }
}

/// What a failed reading verb says.
pub(crate) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(format!("the ledger: {error}"))
}

/// Whether the disk failed: what was written may be lost although later writes succeed.
pub(crate) fn is_disk_failure(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure)
}

/// Whether there was no room: that ends by itself.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

/// Whether what was to be written does not fit its table: trying again cannot help.
pub(crate) fn is_unfit(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::ToSqlConversionFailure(_) | rusqlite::Error::FromSqlConversionFailure(..))
        || error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

/// A number that somebody names, as SQLite can hold it: those beyond are as high as any, and nobody's.
pub(crate) fn named(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The word that stands for a state in a file.
pub(crate) fn word<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(rusqlite::Error::ToSqlConversionFailure("not a word".into())),
    }
}

/// The state that a word stands for.
pub(crate) fn from_word<T: DeserializeOwned>(word: String) -> rusqlite::Result<T> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(malformed)
}

/// A value kept as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A value that was kept as JSON.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(malformed)
}

/// A text kept for something that is parsed: an address, …
pub(crate) fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    text: &str,
) -> rusqlite::Result<T> {
    text.parse().map_err(malformed)
}

/// What is in the file is not what was written there.
pub(crate) fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const FIRST: &str = "CREATE TABLE pets (name TEXT NOT NULL); INSERT INTO pets VALUES ('Rex');";
    const SECOND: &str = "ALTER TABLE pets ADD COLUMN legs INTEGER NOT NULL DEFAULT 4;";

    #[test]
    fn an_old_schema_goes_forward_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pets.db");
        drop(open_writer(&path, &[FIRST]).unwrap());
        let writer = open_writer(&path, &[FIRST, SECOND]).unwrap();
        let legs: u32 = writer.query_row("SELECT legs FROM pets WHERE name = 'Rex'", [], |row| row.get(0)).unwrap();
        assert_eq!(legs, 4);
        drop(writer);
        match open_writer(&path, &[FIRST]) {
            Err(OpenError::Newer { found: 2, known: 1, .. }) => {}
            other => panic!("a newer schema was opened: {other:?}"),
        }
    }

    #[test]
    fn a_step_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pets.db");
        let broken = "CREATE TABLE toys (name TEXT); INSERT INTO nowhere VALUES (1);";
        assert!(matches!(open_writer(&path, &[FIRST, broken]), Err(OpenError::Ledger { .. })));
        let writer = open_writer(&path, &[FIRST, "CREATE TABLE toys (name TEXT);"]).unwrap();
        assert_eq!(writer.query_row("SELECT count(*) FROM pets", [], |row| row.get::<_, u32>(0)).unwrap(), 1);
    }

    #[test]
    fn what_an_earlier_process_left_in_the_wal_is_in_the_database_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pets.db");
        let writer = open_writer(&path, &[FIRST]).unwrap();
        writer.execute_batch("INSERT INTO pets VALUES ('Tom')").unwrap();
        // as a killed process leaves it
        let left = folder.path().join("left.db");
        std::fs::copy(&path, &left).unwrap();
        std::fs::copy(folder.path().join("pets.db-wal"), folder.path().join("left.db-wal")).unwrap();
        let _writer = open_writer(&left, &[FIRST]).unwrap();
        assert_eq!(std::fs::metadata(folder.path().join("left.db-wal")).unwrap().len(), 0);
        let alone = folder.path().join("alone.db");
        std::fs::copy(&left, &alone).unwrap();
        let reader = Connection::open(&alone).unwrap();
        assert_eq!(reader.query_row("SELECT count(*) FROM pets", [], |row| row.get::<_, u32>(0)).unwrap(), 2);
    }

    #[test]
    fn files_are_for_us_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pets.db");
        let _writer = open_writer(&path, &[FIRST]).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        }
    }
}
