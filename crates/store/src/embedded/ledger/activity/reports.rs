//! What was reported of recipients whose mail had left: so many of each, each kind once, also where their rows are gone.

use std::collections::HashMap;

use relay::clock::Timestamp;
use relay::id::MessageId;
use rusqlite::{Connection, OptionalExtension as _};

use crate::embedded::spool::Position;
use crate::reports::Heard;

/// The parts of the column `complained`.
const COUNTS: u8 = 1;
const DOUBTED: u8 = 2;

/// What stands for none that is named: the numbers of recipients are smaller.
const NOBODY: u32 = u32::MAX;

/// What was reported of a recipient before this position; none: what stands there was told already.
pub(super) fn heard(
    reader: &Connection,
    message: MessageId,
    recipient: Option<u16>,
    position: Position,
) -> rusqlite::Result<Option<Heard>> {
    let mut query = reader.prepare_cached(
        "SELECT applied, count, bounced, complained FROM reports WHERE message = ?1 AND recipient = ?2",
    )?;
    let found = query.query_row((message.0.to_be_bytes(), place(recipient)), |row| {
        let (complained, doubted) = complaints(row.get(3)?);
        let heard = Heard { count: row.get(1)?, bounced: row.get(2)?, complained, doubted };
        Ok((row.get::<_, u64>(0)?, heard))
    });
    Ok(match found.optional()? {
        None => Some(Heard::default()),
        Some((applied, heard)) => (applied < position.0).then_some(heard),
    })
}

/// The column `complained`: whether there was a complaint that counts, and one for which nobody vouched. A version that knows no more than
/// yes and no takes either for one.
fn complaints(column: u8) -> (bool, bool) {
    (column & COUNTS != 0, column & DOUBTED != 0)
}

fn complaints_out(heard: Heard) -> u8 {
    (u8::from(heard.complained) * COUNTS) | (u8::from(heard.doubted) * DOUBTED)
}

/// What was reported of each recipient of a message.
pub(super) fn of_message(reader: &Connection, message: MessageId) -> rusqlite::Result<HashMap<u16, Heard>> {
    let mut query = reader.prepare_cached(
        "SELECT recipient, count, bounced, complained FROM reports WHERE message = ?1 AND recipient < ?2",
    )?;
    let heard = query.query_map((message.0.to_be_bytes(), NOBODY), |row| {
        let (complained, doubted) = complaints(row.get(3)?);
        Ok((row.get(0)?, Heard { count: row.get(1)?, bounced: row.get(2)?, complained, doubted }))
    })?;
    heard.collect()
}

/// Keeps what was reported up to this position.
pub(super) fn keep(
    writer: &Connection,
    message: MessageId,
    recipient: Option<u16>,
    position: Position,
    at: Timestamp,
    heard: Heard,
) -> rusqlite::Result<()> {
    let mut upsert = writer.prepare_cached(
        "INSERT INTO reports (message, recipient, applied, at, count, bounced, complained)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT DO UPDATE SET applied = ?3, at = ?4, count = ?5, bounced = ?6, complained = ?7",
    )?;
    let message = message.0.to_be_bytes();
    upsert
        .execute((message, place(recipient), position.0, at.0, heard.count, heard.bounced, complaints_out(heard)))
        .map(drop)
}

fn place(recipient: Option<u16>) -> u32 {
    recipient.map_or(NOBODY, u32::from)
}

/// Forgets those whose last report came before a moment.
pub(super) fn forget_before(writer: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM reports WHERE at < ?1")?.execute([before.0]).map(drop)
}
