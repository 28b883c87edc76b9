//! Postings that belong to no part: not yet, while parts are merged into it, or no more. Whoever finds them there at a start
//! finds what a crash left.

use rusqlite::{Connection, OptionalExtension as _};

/// Postings of this number are about to be made.
pub(super) fn add(writer: &Connection, postings: u64) -> rusqlite::Result<()> {
    writer.prepare_cached("INSERT INTO loose_postings (part) VALUES (?1)")?.execute([postings]).map(drop)
}

/// They belong to a part from now on.
pub(super) fn keep(writer: &Connection, postings: u64) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM loose_postings WHERE part = ?1")?.execute([postings]).map(drop)
}

/// Whether they may be made, still.
pub(super) fn may_be_kept(reader: &Connection, postings: u64) -> rusqlite::Result<bool> {
    let mut query = reader.prepare_cached("SELECT doomed FROM loose_postings WHERE part = ?1")?;
    Ok(query.query_row([postings], |row| row.get(0)).optional()? == Some(false))
}

/// What is being made will be of no use: what it is made of was changed.
pub(super) fn doom(writer: &Connection) -> rusqlite::Result<()> {
    writer.prepare_cached("UPDATE loose_postings SET doomed = 1 WHERE doomed = 0")?.execute([]).map(drop)
}

/// Deletes so many pages of them, made or not. Returns whether there were any.
pub(super) fn forget_some(writer: &Connection, pages: usize) -> rusqlite::Result<bool> {
    let mut oldest = writer.prepare_cached("SELECT min(part) FROM loose_postings")?;
    let Some(postings): Option<u64> = oldest.query_row([], |row| row.get(0))? else { return Ok(false) };
    doom(writer)?;
    let mut delete = writer
        .prepare_cached("DELETE FROM postings WHERE page IN (SELECT page FROM postings WHERE part = ?1 LIMIT ?2)")?;
    if delete.execute((postings, pages as u64))? < pages {
        keep(writer, postings)?;
    }
    Ok(true)
}
