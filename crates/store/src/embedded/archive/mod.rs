//! Backup and restore of a data folder.
//!
//! A backup is a folder with the files of a data folder as of one moment, and a manifest. It is made while the relay
//! works: nothing that was acknowledged before it began is missing, and nothing in it is of a later moment than another.

mod backup;
mod manifest;
mod restore;

use std::io;
use std::path::PathBuf;

use relay::store::StoreError;

use super::{LockError, MasterKeyError, OpenError};

pub use manifest::{FileFacts, Manifest};
pub use restore::{KeyState, Restored, Restoring, restore, verify};

/// Whether a folder has a backup that was finished. Looks for its manifest alone.
pub fn is_there(folder: &std::path::Path) -> bool {
    folder.join(manifest::NAME).is_file()
}

/// Why a backup was not made or not restored. Each text names the file.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The target of a backup has something in it.
    #[error("{} is not empty: nothing was written there", .0.display())]
    TargetTaken(PathBuf),
    /// The target of a backup lies in the data folder, or is it.
    #[error("{} is in the data folder itself", .0.display())]
    TargetInside(PathBuf),
    /// The data folder that is to be restored into has something in it.
    #[error("{} is not empty: it has {what}", folder.display())]
    FolderTaken {
        /// The data folder.
        folder: PathBuf,
        /// What it has.
        what: String,
    },
    /// There is no manifest.
    #[error("{} is no backup, or one that was not finished: it has no manifest", .0.display())]
    NoBackup(PathBuf),
    /// The manifest cannot be understood.
    #[error("{}: {why}", path.display())]
    Malformed {
        /// The manifest.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A newer version made the backup.
    #[error(
        "{} has format {found}, and this version knows none beyond {known}: restore it with the version that made it, \
         or a newer one",
        path.display()
    )]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// A file is not as the manifest says.
    #[error("{} is missing, or not as it was when the backup was made: the backup is damaged", .0.display())]
    Damaged(PathBuf),
    /// Another process has the data folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The master key in the way is another one.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// What was restored cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store did not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A database cannot be read or written.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// Which.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
