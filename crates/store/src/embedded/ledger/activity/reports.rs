//! What was reported of recipients whose mail had left: so many of each, each kind once, also where their rows are gone.

use std::collections::HashMap;

use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::report::Acted;
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::embedded::spool::Position;
use crate::reports::Heard;

/// The parts of the columns `bounced` and `complained`: of the history, and of what followed from it. A version that knows no more
/// than yes and no takes either for one.
const HISTORY: u8 = 1;
const ACTED: u8 = 2;
const DOUBTED: u8 = 4;

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
    let found = query
        .query_row((message.0.to_be_bytes(), place(recipient)), |row| Ok((row.get::<_, u64>(0)?, heard_in(row, 1)?)));
    Ok(match found.optional()? {
        None => Some(Heard::default()),
        Some((applied, heard)) => (applied < position.0).then_some(heard),
    })
}

/// What was reported, from the columns `count`, `bounced` and `complained`, the first of them at this place.
fn heard_in(row: &Row<'_>, first: usize) -> rusqlite::Result<Heard> {
    let (bounced, complained): (u8, u8) = (row.get(first + 1)?, row.get(first + 2)?);
    let has = |column: u8, part: u8| column & part != 0;
    let acted =
        Acted { bounced: has(bounced, ACTED), complained: has(complained, ACTED), doubted: has(complained, DOUBTED) };
    let (count, bounced, complained) = (row.get(first)?, has(bounced, HISTORY), has(complained, HISTORY));
    Ok(Heard { count, bounced, complained, acted })
}

/// The columns `bounced` and `complained`.
fn heard_out(heard: Heard) -> (u8, u8) {
    let part = |is: bool, part: u8| if is { part } else { 0 };
    let Acted { bounced, complained, doubted } = heard.acted;
    (
        part(heard.bounced, HISTORY) | part(bounced, ACTED),
        part(heard.complained, HISTORY) | part(complained, ACTED) | part(doubted, DOUBTED),
    )
}

/// What was reported of each recipient of a message.
pub(super) fn of_message(reader: &Connection, message: MessageId) -> rusqlite::Result<HashMap<u16, Heard>> {
    let mut query = reader.prepare_cached(
        "SELECT recipient, count, bounced, complained FROM reports WHERE message = ?1 AND recipient < ?2",
    )?;
    let heard = query.query_map((message.0.to_be_bytes(), NOBODY), |row| Ok((row.get(0)?, heard_in(row, 1)?)))?;
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
    let (message, (bounced, complained)) = (message.0.to_be_bytes(), heard_out(heard));
    upsert.execute((message, place(recipient), position.0, at.0, heard.count, bounced, complained)).map(drop)
}

fn place(recipient: Option<u16>) -> u32 {
    recipient.map_or(NOBODY, u32::from)
}

/// Forgets those whose last report came before a moment.
pub(super) fn forget_before(writer: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM reports WHERE at < ?1")?.execute([before.0]).map(drop)
}
