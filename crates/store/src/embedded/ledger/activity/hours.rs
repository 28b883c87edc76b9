//! Which rows began in which hour: a period asked for, or to be pruned, is a range of rows without an index on time.

use std::collections::BTreeMap;

use relay::clock::Timestamp;
use rusqlite::Connection;

/// The hour that a moment lies in.
pub(super) fn of(at: Timestamp) -> u64 {
    at.0 / 3_600_000
}

/// Keeps the first and last row begun in each hour, and the last change before.
pub(super) fn begin(writer: &Connection, begun: &BTreeMap<u64, (u64, u64)>, change: u64) -> rusqlite::Result<()> {
    let mut upsert = writer.prepare_cached(
        "INSERT INTO hours (hour, first, last, change) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET first = min(first, ?2), last = max(last, ?3), change = max(change, ?4)",
    )?;
    begun.iter().try_for_each(|(hour, (first, last))| upsert.execute((hour, first, last, change)).map(drop))
}

/// The lowest row that began at or after a moment, or one below it; none where no row did.
pub(super) fn first_row_since(reader: &Connection, since: Timestamp) -> rusqlite::Result<Option<u64>> {
    reader.prepare_cached("SELECT min(first) FROM hours WHERE hour >= ?1")?.query_row([of(since)], |row| row.get(0))
}

/// The highest row that began before a moment, or one above it; none where no row did.
pub(super) fn last_row_until(reader: &Connection, until: Timestamp) -> rusqlite::Result<Option<u64>> {
    reader.prepare_cached("SELECT max(last) FROM hours WHERE hour <= ?1")?.query_row([of(until)], |row| row.get(0))
}

/// Forgets hours before the one of this moment: no row is left of them. Returns the last change of theirs.
pub(super) fn forget_before(writer: &Connection, before: Timestamp) -> rusqlite::Result<Option<u64>> {
    let mut last = writer.prepare_cached("SELECT max(change) FROM hours WHERE hour < ?1")?;
    let last = last.query_row([of(before)], |row| row.get(0))?;
    writer.prepare_cached("DELETE FROM hours WHERE hour < ?1")?.execute([of(before)])?;
    Ok(last)
}
