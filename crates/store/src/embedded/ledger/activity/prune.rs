//! Old rows go, a few at a time, so that nobody waits for it.

use relay::clock::Timestamp;
use rusqlite::Connection;

use super::hours;

/// Rows in one transaction: some milliseconds.
const ROWS_MAX: usize = 500;

/// Deletes the oldest rows that began before a moment, with all that belongs to them. Returns whether there may be
/// more.
pub(super) fn some(writer: &mut Connection, before: Timestamp) -> rusqlite::Result<bool> {
    let transaction = writer.transaction()?;
    let connections = transaction
        .prepare_cached(
            "DELETE FROM connections WHERE row IN
                (SELECT row FROM connections WHERE at < ?1 AND row < (SELECT min(row) FROM connections) + ?2)",
        )?
        .execute((before.0, ROWS_MAX as u64))?;
    let rows = activity(&transaction, before)?;
    if rows < ROWS_MAX {
        hours::forget_before(&transaction, before)?;
    }
    transaction.commit()?;
    Ok(rows == ROWS_MAX || connections == ROWS_MAX)
}

fn activity(writer: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    let Some(last) = hours::last_row_until(writer, before)? else { return Ok(0) };
    let mut old = writer.prepare_cached(
        "SELECT row, message FROM activity NOT INDEXED WHERE row <= ?1 AND at < ?2 ORDER BY row LIMIT ?3",
    )?;
    let old = old.query_map((last, before.0, ROWS_MAX as u64), |row| {
        Ok((row.get::<_, u64>(0)?, row.get::<_, Option<[u8; 16]>>(1)?))
    })?;
    let old: Vec<_> = old.collect::<Result<_, _>>()?;
    let mut events = writer.prepare_cached("DELETE FROM events WHERE row = ?1")?;
    // its recipients began together and go together
    let mut messages = writer.prepare_cached("DELETE FROM messages WHERE message = ?1")?;
    let mut rows = writer.prepare_cached("DELETE FROM activity WHERE row = ?1")?;
    for (row, message) in &old {
        events.execute([row])?;
        rows.execute([row])?;
        if let Some(message) = message {
            messages.execute([message])?;
        }
    }
    Ok(old.len())
}
