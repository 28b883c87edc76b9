//! Old rows go, a few at a time, so that nobody waits for it.

use relay::clock::Timestamp;
use rusqlite::{Connection, Transaction};

use super::group::{Group, unpacked};
use super::{changes, hours, parts, refusals, statuses};

/// Groups, and rows of Connections, in one transaction: some milliseconds.
pub(super) const GROUPS_MAX: usize = 250;

/// Deletes the oldest rows that began before a moment, with all that belongs to them. Returns whether there may be
/// more.
pub(super) fn some(writer: &mut Connection, before: Timestamp) -> rusqlite::Result<bool> {
    let transaction = writer.transaction()?;
    let connections = transaction
        .prepare_cached(
            "DELETE FROM connections WHERE row IN
                (SELECT row FROM connections WHERE at < ?1 AND row < (SELECT min(row) FROM connections) + ?2)",
        )?
        .execute((before.0, GROUPS_MAX as u64))?;
    let groups = activity(&transaction, before)?;
    if groups < GROUPS_MAX {
        if let Some(change) = hours::forget_before(&transaction, before)? {
            changes::forget_until(&transaction, change)?;
        }
        parts::forget_empty(&transaction)?;
    }
    transaction.commit()?;
    Ok(groups == GROUPS_MAX || connections == GROUPS_MAX)
}

fn activity(writer: &Transaction<'_>, before: Timestamp) -> rusqlite::Result<usize> {
    let Some(last) = hours::last_row_until(writer, before)? else { return Ok(0) };
    let mut old = writer.prepare_cached(
        "SELECT row, statuses, message IS NULL, body FROM row_groups
        WHERE row <= ?1 AND at < ?2 ORDER BY row LIMIT ?3",
    )?;
    let mut old = old.query((last, before.0, GROUPS_MAX as u64))?;
    let mut rows = Vec::new();
    while let Some(group) = old.next()? {
        let row: u64 = group.get(0)?;
        forget(writer, row, group.get(1)?, group.get(2)?, group.get_ref(3)?.as_blob()?)?;
        rows.push(row);
    }
    delete(writer, &rows)?;
    Ok(rows.len())
}

/// What points to a group that goes goes first: its statuses, and where it is a refusal what is alike with it.
pub(super) fn forget(
    writer: &Connection,
    row: u64,
    statuses: u8,
    is_refusal: bool,
    body: &[u8],
) -> rusqlite::Result<()> {
    statuses::change(writer, row, statuses, 0)?;
    if is_refusal {
        let refusal: Group<&str> = unpacked(body)?;
        refusals::forget(writer, row, &refusal)?;
    }
    Ok(())
}

/// Deletes groups, by their first rows, in the order of these. The parts that they were in are to be indexed anew.
pub(super) fn delete(writer: &Connection, rows: &[u64]) -> rusqlite::Result<()> {
    delete_unindexed(writer, rows)?;
    match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => parts::mark_stale(writer, *first, *last),
        _ => Ok(()),
    }
}

/// Deletes groups of which the index tells nothing any more, or will not.
pub(super) fn delete_unindexed(writer: &Connection, rows: &[u64]) -> rusqlite::Result<()> {
    let mut timelines = writer.prepare_cached("DELETE FROM timeline WHERE row = ?1")?;
    let mut groups = writer.prepare_cached("DELETE FROM row_groups WHERE row = ?1")?;
    for row in rows {
        timelines.execute([row])?;
        groups.execute([row])?;
    }
    Ok(())
}
