//! Refusals of recipients that are alike: within a time of the first they are one row with a count.

use std::time::Duration;

use relay::activity::{ActivityRow, Notice};
use relay::id::Id;
use rusqlite::{Connection, OptionalExtension as _};

use super::group::Group;
use crate::rows;

/// The row of a refusal alike that began less than `fold` before this one.
pub(super) fn alike(reader: &Connection, row: &ActivityRow, fold: Duration) -> rusqlite::Result<Option<u64>> {
    let mut query = reader.prepare_cached(
        "SELECT row FROM refusals
        WHERE account = ?1 AND reference = ?2 AND recipient = ?3 AND user = ?4 AND at > ?5 ORDER BY at DESC LIMIT 1",
    )?;
    let since = row.at.0.saturating_sub(milliseconds(fold));
    let recipient = row.recipient.to_ascii_lowercase();
    let values = (row.account.number(), &row.reference, recipient, row.user.map_or(0, Id::number), since);
    query.query_row(values, |row| row.get(0)).optional()
}

/// Keeps where a refusal has its row.
pub(super) fn keep(writer: &Connection, row: &ActivityRow, number: u64) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO refusals (account, reference, recipient, user, at, row) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let recipient = row.recipient.to_ascii_lowercase();
    let user = row.user.map_or(0, Id::number);
    insert.execute((row.account.number(), &row.reference, recipient, user, row.at.0, number)).map(drop)
}

/// Forgets the refusal of a group that goes.
pub(super) fn forget(writer: &Connection, number: u64, group: &Group<&str>) -> rusqlite::Result<()> {
    let Some((row, refused)) = group.rows.first().and_then(|row| Some((row, row.refused.as_ref()?))) else {
        return Ok(());
    };
    let mut delete = writer.prepare_cached(
        "DELETE FROM refusals
        WHERE account = ?1 AND reference = ?2 AND recipient = ?3 AND user = ?4 AND at = ?5 AND row = ?6",
    )?;
    let recipient = row.recipient.to_ascii_lowercase();
    delete
        .execute((group.account, refused.reference, recipient, group.user.unwrap_or_default(), group.at, number))
        .map(drop)
}

/// Refusals of one event with those alike made one: they share a position, by which a row knows what it has had.
pub(super) fn folded(notices: &[Notice], fold: Duration) -> Vec<Notice> {
    let mut folded: Vec<Notice> = Vec::with_capacity(notices.len());
    for notice in notices {
        match folded.iter_mut().find(|known| is_alike(known, notice) && notice.at.since(known.at) < fold) {
            Some(known) => known.count = known.count.max(1) + notice.count.max(1),
            None => folded.push(notice.clone()),
        }
    }
    folded
}

fn is_alike(a: &Notice, b: &Notice) -> bool {
    match (rows::rejected(a), rows::rejected(b)) {
        (Some(a), Some(b)) => rows::alike_rows(&a, &b),
        (None, None) => rows::alike_connections(a, b),
        _ => false,
    }
}

/// As rows and notices count time.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
