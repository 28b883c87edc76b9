//! Accounts that are deleted: what is left of them in `ledger.db` goes a few rows at a time.

use relay::account::{Account, Leaving};
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::store::StoreError;
use rusqlite::{Connection, Transaction};

use super::{Ledger, load};

/// Rows that go in one step: some milliseconds.
const STEP: u64 = 500;

/// What of an account goes by and by: tables, and the columns that name a row.
const LEFT: [(&str, &str); 5] = [
    ("suppressions", "account, address"),
    ("stream_suppressions", "account, address, user"),
    ("requests", "account, key"),
    ("charges", "account, day"),
    ("quotas_told", "account"),
];

/// Accounts of which something is left, into the directory.
pub(super) fn load(reader: &Connection, directory: &mut Directory) -> rusqlite::Result<()> {
    let query = "SELECT id, left_at, cancels_mail FROM accounts WHERE left_at IS NOT NULL AND gone = 0";
    load::each(reader, query, |row| {
        let leaving = Leaving { since: Timestamp(row.get(1)?), cancels_mail: row.get(2)? };
        directory.leaving.insert(Id::new(row.get(0)?), leaving);
        Ok(())
    })
}

/// An account is deleted: what its row says of people is gone with it.
pub(super) fn begin(transaction: &Transaction<'_>, account: Id<Account>, leaving: Leaving) -> rusqlite::Result<()> {
    let update = "UPDATE accounts SET left_at = ?2, cancels_mail = ?3, name = '',
            subscription = '{\"standing\":\"cancelled\",\"next\":null,\"request\":null}',
            contacts = '{\"primary\":null,\"billing\":null}'
        WHERE id = ?1";
    transaction.execute(update, (account.number(), leaving.since.0, leaving.cancels_mail)).map(drop)
}

/// Nothing is left of it.
pub(super) fn end(transaction: &Transaction<'_>, account: Id<Account>) -> rusqlite::Result<()> {
    transaction.execute("UPDATE accounts SET gone = 1 WHERE id = ?1", [account.number()])?;
    blank_domains(transaction, "account", account.number())
}

/// Of the domains of an account that is gone nothing is left but that they were: their selectors are never given again. `of`: the
/// column, `id` or `account`, that says which are meant.
pub(super) fn blank_domains(transaction: &Transaction<'_>, of: &str, number: u64) -> rusqlite::Result<()> {
    let theirs = format!("{of} = ?1 AND forgotten = 1 AND account IN (SELECT id FROM accounts WHERE gone = 1)");
    let keys = format!(
        "UPDATE dkim_keys SET record = '' WHERE record <> '' AND domain IN (SELECT id FROM domains WHERE {theirs})"
    );
    transaction.execute(&keys, [number])?;
    let domains = format!("UPDATE domains SET name = '', looked = NULL WHERE {theirs} AND name <> ''");
    transaction.execute(&domains, [number]).map(drop)
}

impl Ledger {
    /// Some of what is left of a deleted account goes. Returns whether there may be more.
    pub(crate) fn purge_some(&self, account: Id<Account>) -> Result<bool, StoreError> {
        self.writer().transact(|transaction| {
            for (table, key) in LEFT {
                let delete = format!(
                    "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE account = ?1 LIMIT ?2)"
                );
                if transaction.execute(&delete, (account.number(), STEP))? as u64 == STEP {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}
