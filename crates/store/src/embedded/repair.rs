//! What an operator can have done about damage, while no relay works on the folder. Each verb can be repeated, and
//! leaves what was damaged where the operator finds it.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, Settlement};
use relay::store::{QueueEntry, Spool as _, StoreError};

use super::reconcile;
use super::spool::{FOLDER_OF_REMAINS, Lock};
use super::{
    ACTIVITY_FILE, Embedded, LEDGER_FILE, MASTER_KEY_FILE, OpenError, SPOOL_FOLDER, master_key, sqlite, sync_folder,
};

/// Messages looked at in one step.
const PAGE: usize = 500;

/// A file that keeps a data folder from being opened, or from being safe, and that can be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// Others can read or change the master key: its mode becomes 600.
    KeyMode {
        /// The key.
        path: PathBuf,
        /// Its mode now.
        mode: u32,
    },
    /// Activity is damaged: it is set aside, and read anew from the log, as far back as that goes.
    Activity {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        why: String,
        /// Where it goes.
        to: PathBuf,
    },
}

/// What is wrong with the files of a data folder that nobody has open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// What can be mended.
    pub mends: Vec<Mend>,
    /// What is wrong with the ledger: nothing but a backup has what was in it.
    pub ledger: Option<String>,
}

/// A live message that cannot be read.
#[derive(Clone, Debug)]
pub struct DamagedMail {
    /// The message, with its unsettled recipients.
    pub entry: QueueEntry,
    /// Its envelope, where that can be read.
    pub envelope: Option<Arc<Envelope>>,
}

/// Looks at the files of a data folder, without changing any.
///
/// # Errors
/// [`OpenError::Lock`] where a relay has it, [`OpenError::Io`] where it cannot be read.
pub fn examine(folder: &Path, key: Option<&Path>) -> Result<Condition, OpenError> {
    let _lock = Lock::acquire(folder)?;
    let mut condition = Condition::default();
    let key = key.map_or_else(|| folder.join(MASTER_KEY_FILE), Path::to_owned);
    if let Some(mode) = master_key::exposed(&key).map_err(|source| OpenError::Io { path: key.clone(), source })? {
        condition.mends.push(Mend::KeyMode { path: key, mode });
    }
    let activity = folder.join(ACTIVITY_FILE);
    if let Some(why) = sqlite::damage_of(&activity) {
        let taken = |number: &u32| !folder.join(format!("{ACTIVITY_FILE}.damaged-{number}")).exists();
        let number = (1..).find(taken).unwrap_or_default();
        let to = folder.join(format!("{ACTIVITY_FILE}.damaged-{number}"));
        condition.mends.push(Mend::Activity { path: activity, why, to });
    }
    condition.ledger = sqlite::damage_of(&folder.join(LEDGER_FILE));
    Ok(condition)
}

/// Mends one file. Again, it changes nothing.
///
/// # Errors
/// [`OpenError::Lock`], [`OpenError::Io`].
pub fn mend(folder: &Path, mend: &Mend) -> Result<(), OpenError> {
    let _lock = Lock::acquire(folder)?;
    match mend {
        Mend::KeyMode { path, .. } => std::fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|source| OpenError::Io { path: path.clone(), source }),
        Mend::Activity { path, to, .. } => {
            // the companions first: a new file must not find them
            for companion in ["-wal", "-shm", ""] {
                let name = |path: &Path| PathBuf::from(format!("{}{companion}", path.display()));
                match std::fs::rename(name(path), name(to)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(OpenError::Io { path: name(path), source: error });
                    }
                    _ => {}
                }
            }
            sync_folder(folder)
        }
    }
}

impl Embedded {
    /// Reads every live message, and returns those that cannot be. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where one cannot be read for another reason than damage.
    pub fn damaged_mail(&self) -> Result<Vec<DamagedMail>, StoreError> {
        let (mut after, mut damaged) = (None, Vec::new());
        loop {
            let page = self.spool.queue(after, PAGE);
            let Some(last) = page.last() else { return Ok(damaged) };
            after = Some(last.message);
            for entry in page {
                if self.spool.is_damaged(entry.message)? {
                    let envelope = self.spool.envelope_left(entry.message).map(Arc::new);
                    damaged.push(DamagedMail { entry, envelope });
                }
            }
        }
    }

    /// Messages that wait by the rows of activity, and of which the spool has no record: their recipients' numbers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn lost_mail(&self) -> Result<BTreeMap<MessageId, Vec<u16>>, StoreError> {
        reconcile::lost(&self.spool, &self.activity)
    }

    /// Copies what is left of a damaged message to [`Embedded::remains`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it must not be settled.
    pub fn set_aside(&self, message: MessageId) -> Result<(), StoreError> {
        self.spool.set_aside(message)
    }

    /// Where damaged octets are set aside.
    pub fn remains(&self) -> PathBuf {
        self.folder.join(SPOOL_FOLDER).join(FOLDER_OF_REMAINS)
    }

    /// Content files that no message names: kept since damage was found, one of them may belong to what is lost.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn orphans(&self) -> Result<Vec<String>, StoreError> {
        self.spool.orphans()
    }

    /// Moves such content files to [`Embedded::remains`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn set_orphans_aside(&self) -> Result<(), StoreError> {
        self.spool.set_orphans_aside()
    }

    /// Keeps what became of the recipients of a message that is not in the queue any more, for activity to tell.
    /// Durable when it returns; blocks: not to be called from a task.
    ///
    /// # Errors
    /// As for a settlement.
    pub fn settle_lost(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.spool.settle_lost(settlement)
    }

    /// The operator has seen all damage there is: it is told no more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn acknowledge_damage(&self) -> Result<(), StoreError> {
        self.spool.acknowledge_damage()
    }

    /// The time by which rows go.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }
}
