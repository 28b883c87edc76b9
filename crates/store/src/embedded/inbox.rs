//! Test inboxes, in a file beside the ledger.

use std::io::Read as _;
use std::path::PathBuf;

use bytes::Bytes;
use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::sandbox::{Bounds, Capture, Captured, CapturedFilter};
use relay::store::{Content, Inbox, StoreError};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::Embedded;
use super::side_file::SideFile;
use super::sqlite::{malformed, named};

/// The steps from each version of the schema to the next.
const MIGRATIONS: &[&str] = &["
CREATE TABLE captured (
    message      BLOB PRIMARY KEY NOT NULL,
    account      INTEGER NOT NULL,
    user         INTEGER,
    about        BLOB,
    at           INTEGER NOT NULL,
    reverse_path TEXT NOT NULL,
    recipients   TEXT NOT NULL,
    subject      TEXT NOT NULL,
    from_header  TEXT NOT NULL,
    octets       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX captured_of_account ON captured (account, message, octets);
CREATE INDEX captured_at ON captured (at);
CREATE TABLE content (
    message BLOB PRIMARY KEY NOT NULL REFERENCES captured (message) ON DELETE CASCADE,
    octets  BLOB NOT NULL
);
"];

/// The columns of a message, as [`captured`] reads them.
const COLUMNS: &str = "message, account, user, about, at, reverse_path, recipients, subject, from_header, octets";

/// What stands between recipients: no address has it.
const BETWEEN: char = '\n';

/// The file of all test inboxes.
pub(super) struct File {
    file: SideFile,
    bounds: Bounds,
}

impl File {
    /// The file of this path, opened when it is needed.
    pub(super) fn new(path: PathBuf, bounds: Bounds) -> File {
        File { file: SideFile::new(path, MIGRATIONS, "the test inbox"), bounds }
    }

    fn put(&self, capture: &Capture) -> Result<(), StoreError> {
        // one at a time: no more than one content is in memory for this
        self.file.write(|transaction| {
            let Some(whole) = whole(capture, self.bounds.one_max())? else { return Ok(()) };
            keep(transaction, &capture.captured, &whole)
                .and_then(|()| bound(transaction, capture.captured.account, &self.bounds))
                .map_err(|error| self.file.failed(error))
        })
    }
}

/// The signatures and the content behind them; none where that is more than may be kept.
fn whole(capture: &Capture, max: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let mut whole = capture.seal.to_vec();
    let octets = match &capture.content {
        Content::Held(octets) => octets.len() as u64,
        Content::Filed { octets, .. } => *octets,
    };
    if octets.saturating_add(whole.len() as u64) > max {
        return Ok(None);
    }
    match &capture.content {
        Content::Held(octets) => whole.extend_from_slice(octets),
        Content::Filed { path, .. } => {
            let read = std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut whole));
            read.map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        }
    }
    Ok(Some(whole))
}

fn keep(transaction: &Transaction<'_>, new: &Captured, whole: &[u8]) -> rusqlite::Result<()> {
    if let Some(mut kept) = one(transaction, new.message)? {
        kept.add(new);
        let change = "UPDATE captured SET at = ?2, recipients = ?3 WHERE message = ?1";
        return transaction
            .execute(change, params![id(new.message), named(kept.at.0), joined(&kept.recipients)])
            .map(drop);
    }
    let insert = format!("INSERT INTO captured ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    transaction.execute(
        &insert,
        params![
            id(new.message),
            named(new.account.number()),
            new.user.map(|user| named(user.number())),
            new.about.map(id),
            named(new.at.0),
            new.reverse_path,
            joined(&new.recipients),
            new.subject,
            new.from,
            named(whole.len() as u64),
        ],
    )?;
    transaction.execute("INSERT INTO content (message, octets) VALUES (?1, ?2)", params![id(new.message), whole])?;
    Ok(())
}

/// Deletes what is beyond the bounds, the oldest first.
fn bound(transaction: &Transaction<'_>, account: Id<Account>, bounds: &Bounds) -> rusqlite::Result<()> {
    let account = named(account.number());
    let sum = "SELECT count(*), coalesce(sum(octets), 0) FROM captured";
    loop {
        let read = |row: &Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?));
        let (count, octets) = transaction.query_row(&format!("{sum} WHERE account = ?1"), [account], read)?;
        if count > bounds.messages_max || octets > bounds.octets_max {
            transaction.execute(
                "DELETE FROM captured WHERE message = (SELECT min(message) FROM captured WHERE account = ?1)",
                [account],
            )?;
            continue;
        }
        let (_, octets) = transaction.query_row(sum, [], read)?;
        if octets <= bounds.octets_total_max {
            return Ok(());
        }
        transaction.execute("DELETE FROM captured WHERE message = (SELECT min(message) FROM captured)", [])?;
    }
}

fn one(reader: &Connection, message: MessageId) -> rusqlite::Result<Option<Captured>> {
    let question = format!("SELECT {COLUMNS} FROM captured WHERE message = ?1");
    reader.prepare_cached(&question)?.query_row([id(message)], captured).optional()
}

/// A message's id in the file: sorts as ids do.
fn id(message: MessageId) -> Value {
    Value::Blob(message.0.to_be_bytes().to_vec())
}

fn joined(recipients: &[String]) -> String {
    recipients.join(&BETWEEN.to_string())
}

fn captured(row: &Row<'_>) -> rusqlite::Result<Captured> {
    let message = |octets: Vec<u8>| -> rusqlite::Result<MessageId> {
        let octets: [u8; 16] = octets.as_slice().try_into().map_err(malformed)?;
        Ok(MessageId(u128::from_be_bytes(octets)))
    };
    let recipients: String = row.get(6)?;
    Ok(Captured {
        message: message(row.get(0)?)?,
        account: Id::new(row.get(1)?),
        user: row.get::<_, Option<u64>>(2)?.map(Id::new),
        about: row.get::<_, Option<Vec<u8>>>(3)?.map(message).transpose()?,
        at: Timestamp(row.get(4)?),
        reverse_path: row.get(5)?,
        recipients: recipients.split(BETWEEN).filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        subject: row.get(7)?,
        from: row.get(8)?,
        octets: row.get(9)?,
    })
}

impl Inbox for Embedded {
    fn inbox_put(&self, capture: Capture) -> Result<(), StoreError> {
        self.inbox.put(&capture)
    }

    fn inbox(&self, filter: &CapturedFilter) -> Result<Vec<Captured>, StoreError> {
        let account = filter.account.map(|account| named(account.number()));
        let before = filter.before.map(id);
        let question = format!(
            "SELECT {COLUMNS} FROM captured WHERE (?1 IS NULL OR account = ?1) AND (?2 IS NULL OR message < ?2) \
             ORDER BY message DESC"
        );
        self.inbox.file.read(|reader| {
            let mut statement = reader.prepare_cached(&question)?;
            let mut rows = statement.query(params![account, before])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                if found.len() >= filter.limit {
                    break;
                }
                let kept = captured(row)?;
                if filter.recipient.as_ref().is_none_or(|part| kept.is_to(part)) {
                    found.push(kept);
                }
            }
            Ok(found)
        })
    }

    fn inbox_message(
        &self,
        account: Option<Id<Account>>,
        message: MessageId,
    ) -> Result<Option<(Captured, Bytes)>, StoreError> {
        self.inbox.file.read(|reader| {
            let found = one(reader, message)?;
            let Some(kept) = found.filter(|kept| account.is_none_or(|account| kept.account == account)) else {
                return Ok(None);
            };
            let question = "SELECT octets FROM content WHERE message = ?1";
            let content: Vec<u8> = reader.query_row(question, [id(message)], |row| row.get(0))?;
            Ok(Some((kept, content.into())))
        })
    }

    fn inbox_delete(&self, account: Id<Account>, message: Option<MessageId>) -> Result<u64, StoreError> {
        let account = named(account.number());
        self.inbox.file.delete(|transaction| {
            let count = match message {
                Some(message) => transaction.execute(
                    "DELETE FROM captured WHERE account = ?1 AND message = ?2",
                    params![account, id(message)],
                )?,
                None => transaction.execute("DELETE FROM captured WHERE account = ?1", [account])?,
            };
            Ok(count as u64)
        })
    }

    fn inbox_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let directory = self.ledger.directory();
        self.inbox.file.delete(|transaction| {
            let mut count = transaction.execute("DELETE FROM captured WHERE at < ?1", [named(before.0)])?;
            let mut statement = transaction.prepare("SELECT DISTINCT account FROM captured")?;
            let accounts = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<u64>>>()?;
            for account in accounts.into_iter().filter(|account| !directory.accounts.contains_key(&Id::new(*account))) {
                count += transaction.execute("DELETE FROM captured WHERE account = ?1", [named(account)])?;
            }
            Ok(count as u64)
        })
    }
}
