//! The store of a data folder, owned by one process: live mail in a log, everything else in a ledger that reads it.
//!
//! ```text
//! data folder (0700)
//! ├── lock           who owns it
//! ├── master.key     what protects the secrets below; never in a backup
//! ├── ledger.db      accounts and what they used of their quotas, domains, SMTP users, suppressions, blocks, logins,
//! │                  audit: primary data
//! ├── activity.db    what became of every recipient, read from the log
//! ├── inbox.db       what the sandbox took, where it took anything; in no backup
//! ├── dmarc.db       what receivers reported of mail with domains' names, where any did; in no backup
//! └── spool/         live mail
//! ```

pub mod archive;
mod beside;
mod book;
mod brakes;
pub mod counting;
mod dmarc_reports;
mod history;
mod inbox;
mod ledger;
mod live;
mod master_key;
mod members;
mod plans;
mod reconcile;
pub mod repair;
mod side_file;
pub mod spool;
mod sqlite;
mod warm_ups;
mod webhooks;

use std::fmt;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use relay::clock::Timestamp;
use relay::dmarc_report;
use relay::sandbox;
use relay::store::StoreError;
use relay::webhook::Bounds;

use ledger::Ledger;
use ledger::activity::{Activity, Upkeep};
use ledger::charged::Charged;
use spool::{Lock, LockError, LogSpool};

pub use master_key::MasterKeyError;

/// The file that the ledger's primary data is in.
const LEDGER_FILE: &str = "ledger.db";
/// The file that activity is in.
const ACTIVITY_FILE: &str = "activity.db";
/// The file that test inboxes are in.
const INBOX_FILE: &str = "inbox.db";
/// The file that reports on DMARC are in.
const DMARC_FILE: &str = "dmarc.db";
/// The file that the master key is in, where the operator names no other.
const MASTER_KEY_FILE: &str = "master.key";
/// The folder of live mail.
const SPOOL_FOLDER: &str = "spool";

/// Who tells the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What may be chosen about a store.
#[derive(Clone)]
pub struct Options {
    /// Sizes and budgets of the spool.
    pub spool: spool::Options,
    /// Where the master key is; none: in the data folder.
    pub master_key: Option<PathBuf>,
    /// Who tells the time by which old rows go.
    pub now: Now,
    /// How long rows of Activity and Connections, and logins, are kept.
    pub keep_rows: Duration,
    /// How long daily counters are kept.
    pub keep_counters: Duration,
    /// Refusals alike within this time of the first are one row with a count.
    pub fold_refusals: Duration,
    /// How many reports of one recipient are taken.
    pub recipient_reports_max: u64,
    /// How much is kept of each webhook.
    pub webhooks: Bounds,
    /// How much test inboxes hold.
    pub inbox: sandbox::Bounds,
    /// How much is kept of reports on DMARC.
    pub dmarc: dmarc_report::Bounds,
}

impl Options {
    /// The defaults of a server, with who tells the time.
    pub fn new(now: Now) -> Self {
        Options {
            spool: spool::Options::default(),
            master_key: None,
            now,
            keep_rows: crate::rows::KEEP,
            keep_counters: crate::counters::KEEP,
            fold_refusals: crate::rows::FOLD,
            recipient_reports_max: crate::reports::REPORTS_MAX,
            webhooks: Bounds::default(),
            inbox: sandbox::Bounds::default(),
            dmarc: dmarc_report::Bounds::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { spool, master_key, now: _, keep_rows, keep_counters, .. } = self;
        let Options { fold_refusals, recipient_reports_max, webhooks, inbox, dmarc, .. } = self;
        f.debug_struct("Options")
            .field("spool", spool)
            .field("master_key", master_key)
            .field("keep_rows", keep_rows)
            .field("keep_counters", keep_counters)
            .field("fold_refusals", fold_refusals)
            .field("recipient_reports_max", recipient_reports_max)
            .field("webhooks", webhooks)
            .field("inbox", inbox)
            .field("dmarc", dmarc)
            .finish_non_exhaustive()
    }
}

/// Why a data folder could not be opened. Each text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process owns it, or the lock cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The master key is missing, malformed, exposed or another one.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A file was written by a newer version.
    #[error(
        "{} has schema {found}, and this version knows none beyond {known}: start the newer version again, or restore a backup of the older one",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// A file of the ledger cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Ledger {
        /// Which file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Mail is there, and the ledger that says whose it is, is not. Nothing was made in its place.
    #[error(
        "{} is missing, and this data folder has a spool: accounts, domains and SMTP users were in it. Bring it back \
         from a backup; to begin anew, move the whole folder away",
        .0.display()
    )]
    LedgerMissing(PathBuf),
    /// Activity cannot be opened or read. It follows from the log, and can be made again.
    #[error(
        "{}: {source}. No mail is lost by this: move that file away, with those beside it whose names begin alike, and \
         start again; activity is then read anew, as far back as the spool still tells it",
        path.display()
    )]
    Activity {
        /// Which file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// What counts towards the quotas cannot be read or written.
    #[error("what counts towards the quotas: {0}")]
    Charges(StoreError),
    /// The spool cannot be opened.
    #[error("the spool: {0}")]
    Spool(StoreError),
    /// A file or folder cannot be made, or its mode not be set.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The store of a data folder. Dropped, it writes what waits, ends its threads and gives the folder free.
pub struct Embedded {
    // in the order of their end: activity reads the spool, and the folder stays ours until both are closed
    activity: Activity,
    spool: Arc<LogSpool>,
    ledger: Arc<Ledger>,
    charged: Arc<Charged>,
    inbox: inbox::File,
    dmarc: dmarc_reports::File,
    _lock: Lock,
    folder: PathBuf,
    master_key: PathBuf,
    now: Now,
}

impl Embedded {
    /// Opens the data folder, or makes it: takes its lock, reads the ledger, replays the log, and returns when
    /// activity has caught up with it.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed but what a later start would do again.
    pub fn open(folder: &Path, options: Options) -> Result<Embedded, OpenError> {
        make_private_folder(folder)?;
        let lock = Lock::acquire(folder)?;
        let master_key = options.master_key.clone().unwrap_or_else(|| folder.join(MASTER_KEY_FILE));
        let spool_folder = folder.join(SPOOL_FOLDER);
        let ledger_path = folder.join(LEDGER_FILE);
        if is_empty(&ledger_path)? && spool_folder.exists() {
            return Err(OpenError::LedgerMissing(ledger_path));
        }
        let ledger = Arc::new(Ledger::open(&ledger_path, &master_key)?);
        let activity_path = folder.join(ACTIVITY_FILE);
        let file = ledger::activity::File::open(&activity_path)?;
        let charged = Arc::new(Charged::open(Arc::clone(&ledger), &file)?);
        make_private_folder(&spool_folder)?;
        // an earlier start may have ended before it had synced what it made
        sync_folder(folder)?;
        let spool = LogSpool::open(&spool_folder, options.spool.clone(), file.position().min(charged.kept()));
        let spool = Arc::new(spool.map_err(OpenError::Spool)?);
        let upkeep = Upkeep {
            now: Arc::clone(&options.now),
            keep: options.keep_rows,
            keep_counters: options.keep_counters,
            fold: options.fold_refusals,
            reports_max: options.recipient_reports_max,
            ledger: Arc::clone(&ledger),
            charged: Arc::clone(&charged),
            webhooks: options.webhooks,
        };
        let activity = Activity::start(&activity_path, file, Arc::clone(&spool), upkeep)?;
        if spool.is_incomplete() {
            reconcile::reconcile(&spool, &activity).map_err(OpenError::Spool)?;
        }
        let inbox = inbox::File::new(folder.join(INBOX_FILE), options.inbox);
        let dmarc = dmarc_reports::File::new(folder.join(DMARC_FILE), options.dmarc);
        let folder = folder.to_owned();
        Ok(Embedded {
            activity,
            spool,
            ledger,
            charged,
            inbox,
            dmarc,
            _lock: lock,
            folder,
            master_key,
            now: options.now,
        })
    }

    /// The number of this start, higher at each.
    pub fn epoch(&self) -> u32 {
        self.spool.epoch()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.activity.ask_to_stop();
        // wakes activity where it waits for the log
        self.spool.close();
        self.activity.join();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

/// Whether a file is missing, or was made and never written.
fn is_empty(path: &Path) -> Result<bool, OpenError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(source) => Err(OpenError::Io { path: path.to_owned(), source }),
    }
}

/// The names in the folder are on the disk when this returns: files synced in a folder that a power cut takes away
/// are lost with it.
fn sync_folder(folder: &Path) -> Result<(), OpenError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| OpenError::Io { path: folder.to_owned(), source })
}

/// Makes the folder where it is missing, and closes it to everybody else where it is not.
fn make_private_folder(folder: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Io { path: folder.to_owned(), source };
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    missing.iter().filter_map(|made| made.parent()).try_for_each(sync_folder)?;
    let mode = std::fs::metadata(folder).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
