//! Where addresses and accounts are found: rows are indexed in parts of some ten thousand, each written once, sorted
//! and packed, when it is full. So the work and the pages of a new row do not grow with the rows that are there. The
//! newest rows, of no part yet, are few enough to be looked through.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction};

use super::group::{Group, unpacked};
use super::postings::{Entry, Keys, Page, groups_of, pages};

/// Rows of a part; a last message may go beyond it.
pub(super) const ROWS: u64 = 16_384;

/// What a key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Recipient = 0,
    Sender = 1,
    Account = 2,
}

/// Rows that are indexed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its first row and its last.
    pub(super) first: u64,
    pub(super) last: u64,
    /// How many groups they are in.
    pub(super) groups: u64,
}

/// The highest row that is in a part; 0: none.
pub(super) fn last_row(reader: &Connection) -> rusqlite::Result<u64> {
    reader.prepare_cached("SELECT coalesce(max(last), 0) FROM parts")?.query_row([], |row| row.get(0))
}

/// The parts with rows between two, newest first.
pub(super) fn between(reader: &Connection, first: u64, last: u64) -> rusqlite::Result<Vec<Part>> {
    let mut query = reader
        .prepare_cached("SELECT first, last, groups FROM parts WHERE last >= ?1 AND first <= ?2 ORDER BY last DESC")?;
    let parts = query
        .query_map((first, last), |row| Ok(Part { first: row.get(0)?, last: row.get(1)?, groups: row.get(2)? }))?;
    parts.collect()
}

/// Makes the next part, of so many rows behind the last one. Returns its last row.
pub(super) fn add(writer: &Transaction<'_>, last_row: u64, rows: u64) -> rusqlite::Result<u64> {
    let mut query = writer
        .prepare_cached("SELECT row, count, body FROM row_groups WHERE row > ?1 AND row <= ?1 + ?2 ORDER BY row")?;
    let mut groups = query.query((last_row, rows))?;
    let mut keys = [Keys::default(), Keys::default(), Keys::default()];
    let mut part = Part { first: last_row + 1, last: last_row + rows, groups: 0 };
    while let Some(row) = groups.next()? {
        let number: u64 = row.get(0)?;
        part.last = part.last.max(number + row.get::<_, u64>(1)? - 1);
        part.groups += 1;
        let group: Group<&str> = unpacked(row.get_ref(2)?.as_blob()?)?;
        let place = u32::try_from(number - part.first).unwrap_or(u32::MAX);
        group.rows.iter().for_each(|row| keys[Kind::Recipient as usize].add_address(row.recipient, place));
        keys[Kind::Sender as usize].add_address(group.sender, place);
        keys[Kind::Account as usize].add(&group.account.to_be_bytes(), place);
    }
    writer.prepare_cached("INSERT INTO parts (last, first, groups) VALUES (?1, ?2, ?3)")?.execute((
        part.last,
        part.first,
        part.groups,
    ))?;
    let mut insert = writer.prepare_cached("INSERT INTO postings (part, kind, key, body) VALUES (?1, ?2, ?3, ?4)")?;
    for (kind, keys) in (0..).zip(keys) {
        for Page { key, body } in pages(keys) {
            insert.execute((part.last, kind, key, body))?;
        }
    }
    Ok(part.last)
}

/// The groups of a part with a key from one on and before another, in their order.
pub(super) fn groups(
    reader: &Connection,
    part: Part,
    kind: Kind,
    keys: &std::ops::Range<Vec<u8>>,
) -> rusqlite::Result<Vec<u64>> {
    let mut query = reader.prepare_cached(
        "SELECT body FROM postings WHERE part = ?1 AND kind = ?2 AND key < ?4 AND key >= coalesce(
            (SELECT max(key) FROM postings WHERE part = ?1 AND kind = ?2 AND key <= ?3), x'')
        ORDER BY key",
    )?;
    let mut pages = query.query((part.last, kind as u8, &keys.start, &keys.end))?;
    let mut found = BTreeSet::new();
    while let Some(page) = pages.next()? {
        groups_of(page.get_ref(0)?.as_blob()?, keys, &mut |place: Entry| {
            found.insert(part.first + u64::from(place));
        })?;
    }
    Ok(found.into_iter().collect())
}

/// Forgets parts of which no row is left.
pub(super) fn forget_empty(writer: &Connection) -> rusqlite::Result<()> {
    let oldest = "SELECT coalesce((SELECT min(row) FROM row_groups), (SELECT row + 1 FROM progress))";
    let oldest: u64 = writer.prepare_cached(oldest)?.query_row([], |row| row.get(0))?;
    writer.prepare_cached("DELETE FROM postings WHERE part < ?1")?.execute([oldest])?;
    writer.prepare_cached("DELETE FROM parts WHERE last < ?1")?.execute([oldest]).map(drop)
}
