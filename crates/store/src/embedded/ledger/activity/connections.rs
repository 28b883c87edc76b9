//! Rows of Connections: troubles alike within a time of the first are one row with a count.

use std::time::Duration;

use relay::account::Account;
use relay::activity::{ConnectionRow, Notice};
use relay::clock::Timestamp;
use relay::id::{Id, SessionId};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::apply::Progress;
use super::refusals::milliseconds;
use crate::embedded::spool::Position;
use crate::embedded::sqlite::{from_word, malformed, named, word};

/// Makes or counts up the row of a trouble; `position` is the one behind its event.
pub(super) fn noticed(
    writer: &Connection,
    progress: &mut Progress,
    position: Position,
    notice: &Notice,
    fold: Duration,
) -> rusqlite::Result<()> {
    let mut query = writer.prepare_cached(
        "SELECT row, applied FROM connections INDEXED BY connections_alike
        WHERE remote = ?1 AND reference = ?2 AND username = ?3 AND at > ?4 AND account IS ?5 AND user IS ?6
        ORDER BY at DESC LIMIT 1",
    )?;
    let since = notice.at.0.saturating_sub(milliseconds(fold));
    let (account, user) = (notice.account.map(Id::number), notice.user.map(Id::number));
    let values = (notice.remote.to_string(), &notice.reference, &notice.username, since, account, user);
    let alike = query.query_row(values, |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?))).optional()?;
    match alike {
        None => {
            progress.connection += 1;
            insert(writer, progress.connection, position, notice)
        }
        Some((_, applied)) if applied >= position.0 => Ok(()),
        Some((known, _)) => {
            let mut update = writer.prepare_cached(
                "UPDATE connections SET applied = ?2, count = count + ?3, updated_at = max(updated_at, ?4)
                WHERE row = ?1",
            )?;
            update.execute((known, position.0, notice.count.max(1), notice.at.0)).map(drop)
        }
    }
}

fn insert(writer: &Connection, row: u64, position: Position, notice: &Notice) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO connections (row, applied, at, updated_at, kind, account, user, domain, username, session,
            remote, tls, sender, recipient, subject, reference, reply, reason, count)
        VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    insert
        .execute(rusqlite::params![
            row,
            position.0,
            notice.at.0,
            word(&notice.kind)?,
            notice.account.map(Id::number),
            notice.user.map(Id::number),
            notice.domain.map(Id::number),
            notice.username,
            notice.session.0.to_be_bytes(),
            notice.remote.to_string(),
            notice.tls,
            notice.sender,
            notice.recipient,
            notice.subject,
            notice.reference,
            notice.reply,
            notice.reason,
            notice.count.max(1),
        ])
        .map(drop)
}

/// Rows of Connections, the newest first, before a row or from the last.
pub(crate) fn connections(
    reader: &Connection,
    account: Option<Id<Account>>,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<ConnectionRow>> {
    let narrowed = if account.is_some() { "account = ?1" } else { "?1 IS NULL" };
    let query = format!("SELECT {COLUMNS} FROM connections WHERE {narrowed} AND row < ?2 ORDER BY row DESC LIMIT ?3");
    let mut query = reader.prepare_cached(&query)?;
    let values =
        (account.map(|account| named(account.number())), named(before.unwrap_or(u64::MAX)), named(limit as u64));
    query.query_map(values, connection_row)?.collect()
}

/// The columns that [`connection_row`] reads.
const COLUMNS: &str = "row, updated_at, at, kind, account, user, domain, username, session, remote, tls,
    sender, recipient, subject, reference, reply, reason, count";

/// One row of Connections, from the columns of [`COLUMNS`].
fn connection_row(row: &Row<'_>) -> rusqlite::Result<ConnectionRow> {
    let notice = Notice {
        at: Timestamp(row.get(2)?),
        kind: from_word(row.get(3)?)?,
        account: row.get::<_, Option<u64>>(4)?.map(Id::new),
        user: row.get::<_, Option<u64>>(5)?.map(Id::new),
        domain: row.get::<_, Option<u64>>(6)?.map(Id::new),
        username: row.get(7)?,
        session: SessionId(u128::from_be_bytes(row.get(8)?)),
        remote: row.get::<_, String>(9)?.parse().map_err(malformed)?,
        tls: row.get(10)?,
        sender: row.get(11)?,
        recipient: row.get(12)?,
        subject: row.get(13)?,
        reference: row.get(14)?,
        reply: row.get(15)?,
        reason: row.get(16)?,
        count: row.get(17)?,
    };
    Ok(ConnectionRow { row: row.get(0)?, updated_at: Timestamp(row.get(1)?), notice })
}
