//! Which groups have rows in which status. Nearly all rows end as Delivered, and those are found soon without.

use relay::activity::Status;
use rusqlite::Connection;

use super::columns::status_number;

/// The statuses that are kept, as bits.
fn kept(statuses: u8) -> u8 {
    statuses & !(1 << status_number(Status::Delivered))
}

/// A group's statuses become others.
pub(super) fn change(writer: &Connection, row: u64, before: u8, after: u8) -> rusqlite::Result<()> {
    let (before, after) = (kept(before), kept(after));
    for status in (0..u8::BITS).filter(|status| (before ^ after) >> status & 1 == 1) {
        let sql = if after >> status & 1 == 1 {
            "INSERT INTO statuses (status, row) VALUES (?1, ?2)"
        } else {
            "DELETE FROM statuses WHERE status = ?1 AND row = ?2"
        };
        writer.prepare_cached(sql)?.execute((status, row))?;
    }
    Ok(())
}

/// The groups between two rows with rows in a status, in their order; none where it is not kept which.
pub(super) fn groups(reader: &Connection, status: Status, first: u64, last: u64) -> rusqlite::Result<Option<Vec<u64>>> {
    if status == Status::Delivered {
        return Ok(None);
    }
    let mut query =
        reader.prepare_cached("SELECT row FROM statuses WHERE status = ?1 AND row BETWEEN ?2 AND ?3 ORDER BY row")?;
    let groups = query.query_map((status_number(status), first, last), |row| row.get(0))?;
    groups.collect::<rusqlite::Result<_>>().map(Some)
}
