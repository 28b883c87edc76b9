//! The ledger: primary data in one SQLite file, and what decides in memory, swapped after each commit.

pub(crate) mod activity;
pub(crate) mod charged;
mod failures;
mod leaving;
mod load;
mod members;
mod plans;
mod requests;
mod schema;
mod warm_ups;
mod webhooks;
mod write;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use relay::account::Account;
use relay::api_key::ApiKey;
use relay::certificate;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::quota::Charges;
use relay::quota::alert::Told;
use relay::sending_domain::SendingDomain;
use relay::smtp_user::SmtpUser;
use relay::store::{Actor, AuditEntry, Block, Login, PasswordUses, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use smtp::server::Secret;

use super::OpenError;
use super::master_key::{Keys, Purpose};
use super::spool::Position;
use super::sqlite::{self, Readers, unavailable};
use crate::book::{self, Change, Register};

/// Accounts, domains, SMTP users, suppressions, blocks, logins and audit of a data folder.
pub(crate) struct Ledger {
    writer: Mutex<Writer>,
    directory: ArcSwap<Directory>,
    readers: Readers,
    keys: Keys,
}

/// Whoever holds it writes, and nobody else.
struct Writer {
    connection: Connection,
    register: Register,
    /// Why nothing more is written: the disk failed, and what SQLite holds may differ from what is on it.
    latched: Option<String>,
}

/// What a ledger says without its master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What it remembers of the master key it was made with.
    pub(crate) master_key_check: Option<Vec<u8>>,
    /// SMTP users.
    pub(crate) users: u64,
    /// DKIM keys that were not destroyed.
    pub(crate) dkim_keys: u64,
    /// The domains that have such.
    pub(crate) domains: u64,
}

/// Looks into a ledger that nobody has open; its schema is brought up to date.
///
/// # Errors
/// It cannot be read, or a newer version wrote it.
pub(crate) fn look(path: &Path) -> Result<Facts, OpenError> {
    let connection = sqlite::open_writer(path, schema::MIGRATIONS)?;
    let count = |query: &str| connection.query_row(query, [], |row| row.get(0));
    let read = || {
        Ok(Facts {
            master_key_check: connection
                .query_row("SELECT value FROM facts WHERE name = 'master_key_check'", [], |row| row.get(0))
                .optional()?,
            users: count("SELECT count(*) FROM smtp_users")?,
            dkim_keys: count("SELECT count(*) FROM dkim_keys WHERE private IS NOT NULL")?,
            domains: count("SELECT count(DISTINCT domain) FROM dkim_keys WHERE private IS NOT NULL")?,
        })
    };
    read().map_err(|source| OpenError::Ledger { path: path.to_owned(), source })
}

impl Ledger {
    /// Opens or makes the file, and the master key with it.
    pub(crate) fn open(path: &Path, master_key: &Path) -> Result<Ledger, OpenError> {
        let failed = |source| OpenError::Ledger { path: path.to_owned(), source };
        let connection = sqlite::open_writer(path, schema::MIGRATIONS)?;
        let check: Option<Vec<u8>> = connection
            .query_row("SELECT value FROM facts WHERE name = 'master_key_check'", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let keys = Keys::open(master_key, check.as_deref())?;
        if check.is_none() {
            let insert = "INSERT INTO facts (name, value) VALUES ('master_key_check', ?1)";
            connection.execute(insert, [keys.check()]).map_err(failed)?;
        }
        let register = load::register(&connection, &keys).map_err(failed)?;
        let directory = ArcSwap::new(Arc::clone(&register.directory));
        let writer = Mutex::new(Writer { connection, register, latched: None });
        Ok(Ledger { writer, directory, readers: Readers::new(path, |_| Ok(())), keys })
    }

    /// The deciding snapshot.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// The key that password hashes are made under.
    pub(crate) fn password_key(&self) -> [u8; 32] {
        self.keys.passwords()
    }

    /// The key that cursors are sealed under.
    pub(crate) fn cursor_key(&self) -> [u8; 32] {
        self.keys.cursors()
    }

    /// The key that addresses for reports are made under.
    pub(crate) fn return_path_key(&self) -> [u8; 32] {
        self.keys.return_paths()
    }

    /// Decides, keeps, and lets the decision take effect, in this order.
    pub(crate) fn book<T>(
        &self,
        decide: impl FnOnce(&Register) -> Result<Change<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer();
        let change = decide(&writer.register)?;
        writer.transact(|transaction| {
            for write in &change.writes {
                write::row(transaction, &self.keys, write)?;
            }
            write::numbers(transaction, change.numbers)?;
            change.audit.iter().try_for_each(|entry| write::audit(transaction, entry))
        })?;
        let answer = writer.register.take(change);
        self.directory.store(Arc::clone(&writer.register.directory));
        Ok(answer)
    }

    /// Does something while nothing is booked.
    pub(crate) fn between_writes<T>(&self, work: impl FnOnce() -> T) -> T {
        let _writer = self.writer();
        work()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // a verb that panicked has rolled its transaction back and left the register as it was
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The unwrapped private half of a DKIM key.
    pub(crate) fn domain_key(&self, domain: Id<SendingDomain>, selector: &str) -> Result<Secret, StoreError> {
        let wrapped = self.readers.read(|reader| {
            let mut query =
                reader.prepare_cached("SELECT private FROM dkim_keys WHERE selector = ?1 AND domain = ?2")?;
            query.query_row((selector, domain.number()), |row| row.get::<_, Option<Vec<u8>>>(0)).optional()
        })?;
        let wrapped = wrapped.flatten().ok_or_else(|| StoreError::NotFound(format!("DKIM key {selector}")))?;
        self.keys.unwrap(Purpose::DkimKey { domain: domain.number(), selector }, &wrapped).map_err(|_| {
            StoreError::Unavailable(format!("the DKIM key {selector} was wrapped under another master key"))
        })
    }

    /// Keeps the latest login of each user and address; users that are gone are left out.
    pub(crate) fn logins_note(&self, logins: &[Login]) -> Result<(), StoreError> {
        self.writer().transact(|transaction| logins.iter().try_for_each(|login| write::login(transaction, login)))
    }

    pub(crate) fn logins(&self, since: Timestamp) -> Result<Vec<Login>, StoreError> {
        self.readers.read(|reader| load::logins(reader, since))
    }

    pub(crate) fn logins_of(
        &self,
        users: &[Id<SmtpUser>],
        since: Timestamp,
    ) -> Result<HashMap<Id<SmtpUser>, Login>, StoreError> {
        self.readers.read(|reader| load::logins_of(reader, users, since))
    }

    pub(crate) fn passwords_used(&self, users: &[Id<SmtpUser>]) -> Result<PasswordUses, StoreError> {
        self.readers.read(|reader| load::passwords_used(reader, users))
    }

    /// Keeps the latest use of each API key; keys that are gone are left out.
    pub(crate) fn api_keys_used(&self, uses: &[(Id<ApiKey>, Timestamp)]) -> Result<(), StoreError> {
        self.writer()
            .transact(|transaction| uses.iter().try_for_each(|(key, at)| write::api_key_use(transaction, *key, *at)))
    }

    pub(crate) fn api_key_uses(&self) -> Result<HashMap<Id<ApiKey>, Timestamp>, StoreError> {
        self.readers.read(load::api_key_uses)
    }

    pub(crate) fn block_put(&self, block: &Block) -> Result<(), StoreError> {
        self.writer().transact(|transaction| write::block(transaction, block))
    }

    pub(crate) fn blocks(&self) -> Result<Vec<Block>, StoreError> {
        self.readers.read(load::blocks)
    }

    pub(crate) fn block_lift(&self, address: IpAddr, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        let lifted = self.writer().transact(|transaction| {
            let Some(aimed_at) = write::block_gone(transaction, address)? else { return Ok(false) };
            for entry in book::lift_entries(address, &aimed_at, by, now) {
                write::audit(transaction, &entry)?;
            }
            Ok(true)
        })?;
        if lifted { Ok(()) } else { Err(book::no_block(address)) }
    }

    pub(crate) fn audit_note(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.writer().transact(|transaction| write::audit(transaction, entry))
    }

    pub(crate) fn audit(
        &self,
        account: Option<Id<Account>>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.readers.read(|reader| load::audit(reader, account, before, limit))
    }

    pub(crate) fn quotas_told(&self) -> Result<HashMap<Id<Account>, Told>, StoreError> {
        self.readers.read(load::quotas_told)
    }

    pub(crate) fn quota_told(&self, account: Id<Account>, told: Told) -> Result<(), StoreError> {
        self.writer().transact(|transaction| write::quota_told(transaction, account, told))
    }

    pub(crate) fn certificates_told(&self) -> Result<HashMap<String, certificate::Told>, StoreError> {
        self.readers.read(load::certificates_told)
    }

    pub(crate) fn certificate_told(&self, file: &str, told: certificate::Told) -> Result<(), StoreError> {
        self.writer().transact(|transaction| write::certificate_told(transaction, file, told))
    }

    /// How far the log was read for the charges; none where it never was.
    pub(crate) fn charged_position(&self) -> Result<Option<Position>, StoreError> {
        self.readers.read(load::charged_position)
    }

    /// The charges written down.
    pub(crate) fn charges(&self) -> Result<Charges, StoreError> {
        self.readers.read(load::charges)
    }

    /// Adds charges, and keeps how far the log was read for them.
    pub(crate) fn charges_keep(&self, charges: &Charges, position: Position) -> Result<(), StoreError> {
        self.writer().transact(|transaction| write::charges(transaction, charges, position))
    }

    /// Forgets logins older than `logins_before`, blocks whose doubling is remembered no longer, and secrets of webhooks
    /// that were replaced before `rotated_before`.
    pub(crate) fn prune(
        &self,
        logins_before: Timestamp,
        blocks_before: Timestamp,
        rotated_before: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer().transact(|transaction| {
            transaction.execute("DELETE FROM logins WHERE at < ?1", [logins_before.0])?;
            transaction.execute("DELETE FROM blocks WHERE until < ?1", [blocks_before.0])?;
            let former = "UPDATE webhooks SET previous = NULL WHERE previous IS NOT NULL AND rotated_at < ?1";
            transaction.execute(former, [rotated_before.0])?;
            Ok(())
        })
    }
}

impl Writer {
    /// All of it or nothing, on disk when it returns.
    fn transact<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        if let Some(why) = &self.latched {
            return Err(StoreError::Latched(why.clone()));
        }
        let attempt = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        attempt(&mut self.connection).map_err(|error| {
            if sqlite::is_disk_failure(&error) {
                let why = format!("the ledger could not be written: {error}; restart when the disk is sound");
                self.latched = Some(why.clone());
                return StoreError::Latched(why);
            }
            unavailable(error)
        })
    }
}
