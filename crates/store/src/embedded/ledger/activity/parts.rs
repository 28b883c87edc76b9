//! Where addresses and accounts are found: rows are indexed in parts of some ten thousand, each written once, sorted
//! and packed, when it is full. So the work and the pages of a new row do not grow with the rows that are there. The
//! newest rows, of no part yet, are few enough to be looked through.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::group::{Group, unpacked};
use super::postings::{Entry, Keys, Page, each_entry, groups_of, pages};

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
    let part = Part { first: last_row + 1, last: last_row + rows, groups: 0 };
    let (part, keys) = read(writer, part)?;
    writer.prepare_cached("INSERT INTO parts (last, first, groups) VALUES (?1, ?2, ?3)")?.execute((
        part.last,
        part.first,
        part.groups,
    ))?;
    write(writer, part, keys)?;
    Ok(part.last)
}

/// Indexes a part anew, as its rows are now.
pub(super) fn renew(writer: &Connection, part: Part) -> rusqlite::Result<()> {
    let (part, keys) = read(writer, part)?;
    writer.prepare_cached("DELETE FROM postings WHERE part = ?1")?.execute([part.last])?;
    writer
        .prepare_cached("UPDATE parts SET groups = ?2, stale = 0 WHERE last = ?1")?
        .execute((part.last, part.groups))?;
    write(writer, part, keys)
}

/// The keys of a part's rows, and it as it is with them.
fn read(reader: &Connection, mut part: Part) -> rusqlite::Result<(Part, [Keys; 3])> {
    let mut query =
        reader.prepare_cached("SELECT row, count, body FROM row_groups WHERE row BETWEEN ?1 AND ?2 ORDER BY row")?;
    let mut groups = query.query((part.first, part.last))?;
    let mut keys = [Keys::default(), Keys::default(), Keys::default()];
    part.groups = 0;
    while let Some(row) = groups.next()? {
        let number: u64 = row.get(0)?;
        part.last = part.last.max(number + row.get::<_, u64>(1)? - 1);
        part.groups += 1;
        let group: Group<&str> = unpacked(row.get_ref(2)?.as_blob()?)?;
        let place = u32::try_from(number - part.first).unwrap_or(u32::MAX);
        let recipients = group.rows.iter().map(|row| row.recipient).filter(|recipient| !recipient.is_empty());
        recipients.for_each(|recipient| keys[Kind::Recipient as usize].add_address(recipient, place));
        keys[Kind::Sender as usize].add_address(group.sender, place);
        keys[Kind::Account as usize].add(&group.account.to_be_bytes(), place);
    }
    Ok((part, keys))
}

fn write(writer: &Connection, part: Part, keys: [Keys; 3]) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached("INSERT INTO postings (part, kind, key, body) VALUES (?1, ?2, ?3, ?4)")?;
    for (kind, keys) in (0..).zip(keys) {
        for Page { key, body } in pages(keys) {
            insert.execute((part.last, kind, key, body))?;
        }
    }
    Ok(())
}

/// The first part with rows from one on.
pub(super) fn from(reader: &Connection, row: u64) -> rusqlite::Result<Option<Part>> {
    one(reader, "SELECT first, last, groups FROM parts WHERE last >= ?1 ORDER BY last LIMIT 1", [row])
}

/// A part that is to be indexed anew.
pub(super) fn stale(reader: &Connection) -> rusqlite::Result<Option<Part>> {
    one(reader, "SELECT first, last, groups FROM parts WHERE stale <> 0 ORDER BY last LIMIT 1", [])
}

fn one(reader: &Connection, query: &str, values: impl rusqlite::Params) -> rusqlite::Result<Option<Part>> {
    let part = |row: &Row<'_>| Ok(Part { first: row.get(0)?, last: row.get(1)?, groups: row.get(2)? });
    reader.prepare_cached(query)?.query_row(values, part).optional()
}

/// Some rows between two are gone, or recipients of theirs erased: the parts that they are in are to be indexed anew.
pub(super) fn mark_stale(writer: &Connection, first: u64, last: u64) -> rusqlite::Result<()> {
    let update = "UPDATE parts SET stale = 1 WHERE last >= ?1 AND first <= ?2 AND stale = 0";
    writer.prepare_cached(update)?.execute((first, last)).map(drop)
}

/// The groups of a part that are of some accounts, in their order.
pub(super) fn groups_of_accounts(
    reader: &Connection,
    part: Part,
    accounts: &BTreeSet<u64>,
) -> rusqlite::Result<Vec<u64>> {
    let mut query = reader.prepare_cached("SELECT body FROM postings WHERE part = ?1 AND kind = ?2 ORDER BY key")?;
    let mut pages = query.query((part.last, Kind::Account as u8))?;
    let mut found = BTreeSet::new();
    while let Some(page) = pages.next()? {
        each_entry(page.get_ref(0)?.as_blob()?, &mut |key, place| {
            if <[u8; 8]>::try_from(key).is_ok_and(|account| accounts.contains(&u64::from_be_bytes(account))) {
                found.insert(part.first + u64::from(place));
            }
        })?;
    }
    Ok(found.into_iter().collect())
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
