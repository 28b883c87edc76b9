//! Bringing a backup back into an empty data folder.
//!
//! Killed anywhere, it leaves a folder that no relay starts on and that can be restored into again: everything is made
//! beside, and the ledger, without which a folder with a spool is refused, comes in last.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use relay::clock::Timestamp;

use super::super::ledger;
use super::super::master_key::Keys;
use super::super::spool::{self, Lock, LogSpool, Position};
use super::super::{
    ACTIVITY_FILE, LEDGER_FILE, MASTER_KEY_FILE, MasterKeyError, OpenError, SPOOL_FOLDER, make_private_folder,
    sync_folder,
};
use super::manifest::digest_of;
use super::{ArchiveError, FileFacts, Manifest};

/// Where everything is made.
const PASSING: &str = "restoring";

/// What is to be restored, and how.
#[derive(Clone, Debug)]
pub struct Restoring {
    /// The backup.
    pub source: PathBuf,
    /// The data folder: missing, or empty but for a master key.
    pub folder: PathBuf,
    /// Where the master key is, or is to be; none: in the data folder.
    pub master_key: Option<PathBuf>,
    /// Whether every message that waits is held, for the operator to release or cancel.
    pub hold: bool,
    /// Sizes and budgets of the spool.
    pub spool: spool::Options,
    /// The moment of the holds.
    pub now: Timestamp,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Messages that were put on hold.
    pub held: u64,
    /// How it stands with the master key.
    pub key: KeyState,
}

/// How a restored data folder stands with its master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is there: SMTP users log in and keys sign as before.
    InPlace,
    /// It is not: no relay starts until it is.
    Missing {
        /// Where it has to be.
        path: PathBuf,
        /// SMTP users whose passwords only it can check.
        users: u64,
        /// DKIM keys that only it opens.
        dkim_keys: u64,
        /// The domains that these are of.
        domains: u64,
    },
}

/// Reads a backup through: every file is there, as it was when the backup was made.
///
/// # Errors
/// It is none, of a newer version, or damaged.
pub fn verify(source: &Path) -> Result<Manifest, ArchiveError> {
    let manifest = Manifest::read(source)?;
    for facts in &manifest.files {
        let path = path_in(source, facts)?;
        check(&path, facts, |_| Ok(()))?;
    }
    Ok(manifest)
}

/// Restores a backup, durable when this returns. Blocks on the disk; not to be called from a task.
///
/// # Errors
/// The data folder is as it was, or has what the next try removes.
pub fn restore(restoring: &Restoring) -> Result<Restored, ArchiveError> {
    let manifest = verify(&restoring.source)?;
    let folder = &restoring.folder;
    make_private_folder(folder)?;
    let _lock = Lock::acquire(folder)?;
    clear(folder)?;
    let passing = folder.join(PASSING);
    make(&passing)?;
    for facts in &manifest.files {
        copy(&restoring.source, facts, &passing)?;
    }
    let held = if restoring.hold { hold(restoring, &passing)? } else { 0 };
    let key = settle_key(restoring, &passing, manifest.master_key)?;
    let names = names_in(&passing)?;
    for name in names.iter().filter(|name| *name != LEDGER_FILE) {
        move_up(&passing, folder, name)?;
    }
    sync_folder(folder)?;
    move_up(&passing, folder, LEDGER_FILE)?;
    sync_folder(folder)?;
    std::fs::remove_dir(&passing).map_err(|source| ArchiveError::Io { path: passing.clone(), source })?;
    Ok(Restored { manifest, held, key })
}

/// Removes what an earlier try left, and refuses a folder that has anything else.
fn clear(folder: &Path) -> Result<(), ArchiveError> {
    let mut names = names_in(folder)?;
    let was_broken_off = names.iter().any(|name| name == PASSING) && !names.iter().any(|name| name == LEDGER_FILE);
    if was_broken_off {
        let is_ours = |name: &String| name == PASSING || name == SPOOL_FOLDER || name.starts_with(ACTIVITY_FILE);
        for name in names.extract_if(.., |name| is_ours(name)) {
            let path = folder.join(&name);
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(|source| ArchiveError::Io { path, source })?;
        }
    }
    match names.into_iter().find(|name| !["lock", MASTER_KEY_FILE].contains(&name.as_str())) {
        Some(what) => Err(ArchiveError::FolderTaken { folder: folder.to_owned(), what }),
        None => Ok(()),
    }
}

fn names_in(folder: &Path) -> Result<Vec<String>, ArchiveError> {
    let read = || -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(folder)?;
        names.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    read().map_err(|source| ArchiveError::Io { path: folder.to_owned(), source })
}

fn make(folder: &Path) -> Result<(), ArchiveError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| ArchiveError::Io { path: folder.to_owned(), source })
}

/// Where a file of the backup is. A name that leads out of it is nothing that we wrote.
fn path_in(folder: &Path, facts: &FileFacts) -> Result<PathBuf, ArchiveError> {
    let name = Path::new(&facts.name);
    if name.components().all(|part| matches!(part, Component::Normal(_))) {
        return Ok(folder.join(name));
    }
    Err(ArchiveError::Malformed { path: folder.to_owned(), why: format!("{} is no name of a file in it", facts.name) })
}

/// Reads a file through, piece by piece, and compares it with what the manifest says.
fn check(path: &Path, facts: &FileFacts, each: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), ArchiveError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ArchiveError::Damaged(path.to_owned())),
        Err(source) => return Err(ArchiveError::Io { path: path.to_owned(), source }),
    };
    let (octets, sha256) =
        digest_of(&mut file, each).map_err(|source| ArchiveError::Io { path: path.to_owned(), source })?;
    if (octets, &sha256) == (facts.octets, &facts.sha256) {
        Ok(())
    } else {
        Err(ArchiveError::Damaged(path.to_owned()))
    }
}

/// Copies a file with what is zero in it: segments are allocated ahead.
fn copy(source: &Path, facts: &FileFacts, passing: &Path) -> Result<(), ArchiveError> {
    let (from, to) = (path_in(source, facts)?, path_in(passing, facts)?);
    let above = to.parent().unwrap_or(passing);
    make(above)?;
    let io = |source| ArchiveError::Io { path: to.clone(), source };
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&to).map_err(io)?;
    check(&from, facts, |piece| file.write_all(piece))?;
    file.sync_all().map_err(io)?;
    Ok(sync_folder(above)?)
}

/// Puts every message that waits on hold, by a record of the log as for any other hold.
fn hold(restoring: &Restoring, passing: &Path) -> Result<u64, ArchiveError> {
    // from the beginning: nothing is used again before whoever reads the log has read it
    let spool = LogSpool::open(&passing.join(SPOOL_FOLDER), restoring.spool.clone(), Position::default());
    let spool = spool.map_err(OpenError::Spool)?;
    let held = spool.hold_all(restoring.now)?;
    spool.close();
    Ok(held)
}

/// Puts the key of the backup where it belongs, and says how things stand.
fn settle_key(restoring: &Restoring, passing: &Path, is_in_backup: bool) -> Result<KeyState, ArchiveError> {
    let path = restoring.master_key.clone().unwrap_or_else(|| restoring.folder.join(MASTER_KEY_FILE));
    let brought = passing.join(MASTER_KEY_FILE);
    let facts = ledger::look(&passing.join(LEDGER_FILE))?;
    if is_in_backup {
        if !path.exists() {
            let io = |source| ArchiveError::Io { path: path.clone(), source };
            let unfinished = path.with_extension("new");
            let mut to =
                File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished).map_err(io)?;
            let copied = File::open(&brought).and_then(|mut from| io::copy(&mut from, &mut to));
            copied.and_then(|_| to.sync_all()).and_then(|()| std::fs::rename(&unfinished, &path)).map_err(io)?;
            sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        }
        std::fs::remove_file(&brought).map_err(|source| ArchiveError::Io { path: brought.clone(), source })?;
    }
    let Some(check) = facts.master_key_check else { return Ok(KeyState::InPlace) };
    match Keys::open(&path, Some(&check)) {
        Ok(_) => Ok(KeyState::InPlace),
        Err(MasterKeyError::Missing(path)) => {
            let ledger::Facts { users, dkim_keys, domains, .. } = facts;
            Ok(KeyState::Missing { path, users, dkim_keys, domains })
        }
        Err(error) => Err(error.into()),
    }
}

fn move_up(passing: &Path, folder: &Path, name: &str) -> Result<(), ArchiveError> {
    let to = folder.join(name);
    std::fs::rename(passing.join(name), &to).map_err(|source| ArchiveError::Io { path: to.clone(), source })
}
