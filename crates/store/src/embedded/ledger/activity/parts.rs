//! Where addresses, accounts and words of subjects are found: rows are indexed in parts of some ten thousand, each
//! written once, sorted and packed, when it is full. So the work and the pages of a new row do not grow with the rows that are there. The
//! newest rows, of no part yet, are few enough to be looked through. Older parts become fewer (see `merge.rs`).

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::group::{Group, unpacked};
use super::loose;
use super::postings::{self, Entry, Gone, Keys, Page, each_entry, groups_of, pages};
use crate::rows::words;

/// Rows of a part; a last message may go beyond it.
pub(super) const ROWS: u64 = 16_384;

/// How many kinds of keys there are.
pub(super) const KINDS: u8 = 4;

/// What a key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Recipient = 0,
    Sender = 1,
    Account = 2,
    Word = 3,
}

/// Rows that are indexed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its first row and its last.
    pub(super) first: u64,
    pub(super) last: u64,
    /// How many groups they are in.
    pub(super) groups: u64,
    /// Whether the words of their subjects are indexed, as they are since the sixth version of the file.
    pub(super) has_words: bool,
    /// The number that its postings are kept under.
    pub(super) postings: u64,
    /// How often parts were merged until it came of them.
    pub(super) level: u8,
}

/// What of a table of parts [`part`] reads.
macro_rules! parts {
    ($rest:literal) => {
        concat!("SELECT first, last, groups, words, postings, level FROM parts ", $rest)
    };
}

/// The highest row that is in a part; 0: none.
pub(super) fn last_row(reader: &Connection) -> rusqlite::Result<u64> {
    reader.prepare_cached("SELECT coalesce(max(last), 0) FROM parts")?.query_row([], |row| row.get(0))
}

/// The parts with rows between two, newest first.
pub(super) fn between(reader: &Connection, first: u64, last: u64) -> rusqlite::Result<Vec<Part>> {
    let mut query = reader.prepare_cached(parts!("WHERE last >= ?1 AND first <= ?2 ORDER BY last DESC"))?;
    query.query_map((first, last), part)?.collect()
}

/// The parts that lost nothing since they were indexed, oldest first.
pub(super) fn whole(reader: &Connection) -> rusqlite::Result<Vec<Part>> {
    let mut query = reader.prepare_cached(parts!("WHERE stale = 0 AND words <> 0 ORDER BY last"))?;
    query.query_map([], part)?.collect()
}

/// A number for postings, that no others have or had.
pub(super) fn new_postings(writer: &Connection) -> rusqlite::Result<u64> {
    let next = "UPDATE progress SET postings = postings + 1 RETURNING postings";
    writer.prepare_cached(next)?.query_row([], |row| row.get(0))
}

/// Makes the next part, of so many rows behind the last one. Returns its last row.
pub(super) fn add(writer: &Connection, last_row: u64, rows: u64) -> rusqlite::Result<u64> {
    let (first, last, postings) = (last_row + 1, last_row + rows, new_postings(writer)?);
    let (part, keys) = read(writer, Part { first, last, groups: 0, has_words: true, postings, level: 0 })?;
    insert(writer, part)?;
    write(writer, part, keys)?;
    Ok(part.last)
}

/// Adds a part whose postings are there, or will be. It takes the place of the one with the same last row.
pub(super) fn insert(writer: &Connection, part: Part) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT OR REPLACE INTO parts (last, first, groups, words, stale, postings, level)
        VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
    )?;
    insert.execute((part.last, part.first, part.groups, part.has_words, part.postings, part.level)).map(drop)
}

/// Indexes a part anew, as its rows are now. Its postings have another number then: who merges it learns of it.
pub(super) fn renew(writer: &Connection, part: Part) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM postings WHERE part = ?1")?.execute([part.postings])?;
    let (part, keys) = read(writer, Part { postings: new_postings(writer)?, has_words: true, ..part })?;
    insert(writer, part)?;
    write(writer, part, keys)
}

/// The keys of a part's rows, and it as it is with them.
fn read(reader: &Connection, mut part: Part) -> rusqlite::Result<(Part, [Keys; KINDS as usize])> {
    let mut query =
        reader.prepare_cached("SELECT row, count, body FROM row_groups WHERE row BETWEEN ?1 AND ?2 ORDER BY row")?;
    let mut groups = query.query((part.first, part.last))?;
    let mut keys = Default::default();
    part.groups = 0;
    while let Some(row) = groups.next()? {
        let number: u64 = row.get(0)?;
        part.last = part.last.max(number + row.get::<_, u64>(1)? - 1);
        part.groups += 1;
        let group: Group<&str> = unpacked(row.get_ref(2)?.as_blob()?)?;
        add_keys(&mut keys, &group, u32::try_from(number - part.first).unwrap_or(u32::MAX));
    }
    Ok((part, keys))
}

/// Adds the keys of a group.
fn add_keys<T: AsRef<str>>(keys: &mut [Keys; KINDS as usize], group: &Group<T>, place: Entry) {
    // an empty address is nobody's, or was erased
    let mut add = |kind: Kind, address: &str| {
        if !address.is_empty() {
            keys[kind as usize].add_address(address, place);
        }
    };
    group.rows.iter().for_each(|row| add(Kind::Recipient, row.recipient.as_ref()));
    add(Kind::Sender, group.sender.as_ref());
    keys[Kind::Account as usize].add(&group.account.to_be_bytes(), place);
    words(group.subject.as_ref()).for_each(|word| keys[Kind::Word as usize].add(word.as_bytes(), place));
}

fn write(writer: &Connection, part: Part, keys: [Keys; KINDS as usize]) -> rusqlite::Result<()> {
    for (kind, keys) in (0..).zip(keys) {
        pages(keys).into_iter().try_for_each(|page| write_page(writer, part.postings, kind, page))?;
    }
    Ok(())
}

/// Writes a page of postings.
pub(super) fn write_page(writer: &Connection, postings: u64, kind: u8, page: Page) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached("INSERT INTO postings (part, kind, key, body) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute((postings, kind, page.key, page.body)).map(drop)
}

/// What the index of a part is to tell no more.
#[derive(Default)]
pub(super) struct Forgotten([Gone; KINDS as usize]);

impl Forgotten {
    /// The keys that a group, by its first row, had before it was changed and has no more; none is left where it is gone.
    pub(super) fn add(&mut self, part: Part, row: u64, before: &Group<String>, after: Option<&Group<String>>) {
        let place = u32::try_from(row - part.first).unwrap_or(u32::MAX);
        let (mut had, mut has) = Default::default();
        add_keys(&mut had, before, place);
        after.into_iter().for_each(|group| add_keys(&mut has, group, place));
        for (gone, (had, has)) in self.0.iter_mut().zip(had.iter().zip(&has)) {
            let kept: BTreeSet<&[u8]> = has.iter().collect();
            for key in had.iter().filter(|key| !kept.contains(key)) {
                gone.entry(key.to_vec()).or_default().insert(place);
            }
        }
    }

    /// Takes them out of the part's postings. What is being made of these will not be kept.
    pub(super) fn take_out(&self, writer: &Connection, part: Part) -> rusqlite::Result<()> {
        if self.0.iter().all(Gone::is_empty) {
            return Ok(());
        }
        loose::doom(writer)?;
        let mut query = writer.prepare_cached(
            "SELECT key, body FROM postings WHERE part = ?1 AND kind = ?2 AND key <= ?3 ORDER BY key DESC LIMIT 1",
        )?;
        let mut delete = writer.prepare_cached("DELETE FROM postings WHERE part = ?1 AND kind = ?2 AND key = ?3")?;
        for (kind, gone) in (0..).zip(&self.0) {
            let mut done: Option<Vec<u8>> = None;
            for key in gone.keys() {
                let page = query.query_row((part.postings, kind, key), |row| Ok((row.get(0)?, row.get(1)?)));
                let Some((first, body)): Option<(Vec<u8>, Vec<u8>)> = page.optional()? else { continue };
                if done.as_ref() == Some(&first) {
                    // with a key before, of the same page
                    continue;
                }
                delete.execute((part.postings, kind, &first))?;
                let left = postings::without(body, gone)?;
                done = left.first().map(|page| page.key.clone());
                left.into_iter().try_for_each(|page| write_page(writer, part.postings, kind, page))?;
            }
        }
        Ok(())
    }
}

/// The first part with rows from one on.
pub(super) fn from(reader: &Connection, row: u64) -> rusqlite::Result<Option<Part>> {
    one(reader, parts!("WHERE last >= ?1 ORDER BY last LIMIT 1"), [row])
}

/// A part that is to be indexed anew.
pub(super) fn stale(reader: &Connection) -> rusqlite::Result<Option<Part>> {
    one(reader, parts!("WHERE stale <> 0 ORDER BY last LIMIT 1"), [])
}

fn one(reader: &Connection, query: &str, values: impl rusqlite::Params) -> rusqlite::Result<Option<Part>> {
    reader.prepare_cached(query)?.query_row(values, part).optional()
}

fn part(row: &Row<'_>) -> rusqlite::Result<Part> {
    Ok(Part {
        first: row.get(0)?,
        last: row.get(1)?,
        groups: row.get(2)?,
        has_words: row.get(3)?,
        postings: row.get(4)?,
        level: row.get(5)?,
    })
}

/// Some rows between two are gone: the parts that they are in are to be indexed anew.
pub(super) fn mark_stale(writer: &Connection, first: u64, last: u64) -> rusqlite::Result<()> {
    let update = "UPDATE parts SET stale = 1 WHERE last >= ?1 AND first <= ?2 AND stale <> 1";
    writer.prepare_cached(update)?.execute((first, last)).map(drop)
}

/// The groups of a part that are of some accounts, in their order.
pub(super) fn groups_of_accounts(
    reader: &Connection,
    part: Part,
    accounts: &BTreeSet<u64>,
) -> rusqlite::Result<Vec<u64>> {
    let mut query = reader.prepare_cached("SELECT body FROM postings WHERE part = ?1 AND kind = ?2 ORDER BY key")?;
    let mut pages = query.query((part.postings, Kind::Account as u8))?;
    let mut found = Vec::new();
    while let Some(page) = pages.next()? {
        each_entry(page.get_ref(0)?.as_blob()?, &mut |key, place| {
            if <[u8; 8]>::try_from(key).is_ok_and(|account| accounts.contains(&u64::from_be_bytes(account))) {
                found.push(part.first + u64::from(place));
            }
        })?;
    }
    Ok(in_order(found))
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
    let mut pages = query.query((part.postings, kind as u8, &keys.start, &keys.end))?;
    let mut found = Vec::new();
    while let Some(page) = pages.next()? {
        groups_of(page.get_ref(0)?.as_blob()?, keys, &mut |place: Entry| found.push(part.first + u64::from(place)))?;
    }
    Ok(in_order(found))
}

/// Each once, in their order, as those of one key are already.
fn in_order(mut groups: Vec<u64>) -> Vec<u64> {
    if !groups.is_sorted() {
        groups.sort_unstable();
    }
    groups.dedup();
    groups
}

/// Forgets parts of which no row is left; their postings are deleted by and by.
pub(super) fn forget_empty(writer: &Connection) -> rusqlite::Result<()> {
    let oldest = "SELECT coalesce((SELECT min(row) FROM row_groups), (SELECT row + 1 FROM progress))";
    let oldest: u64 = writer.prepare_cached(oldest)?.query_row([], |row| row.get(0))?;
    let loose = "INSERT INTO loose_postings (part) SELECT postings FROM parts WHERE last < ?1";
    writer.prepare_cached(loose)?.execute([oldest])?;
    writer.prepare_cached("DELETE FROM parts WHERE last < ?1")?.execute([oldest]).map(drop)
}
