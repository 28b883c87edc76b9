//! How recipients stand by the rows of activity, for a start that cannot believe the spool alone.

use relay::activity::Status;
use relay::id::MessageId;
use relay::report::Recipient;
use rusqlite::{Connection, OptionalExtension as _};

use super::columns::status;
use super::group::{Group, Row, unpacked, unpacked_owned};
use super::reports;

/// The recipients of a message that have left the queue, by their numbers.
pub(crate) fn settled(reader: &Connection, message: MessageId) -> rusqlite::Result<Vec<u16>> {
    let mut query = reader.prepare_cached("SELECT body FROM row_groups WHERE message = ?1")?;
    let group: Option<Group<String>> =
        query.query_row([message.0.to_be_bytes()], |row| unpacked_owned(row.get_ref(0)?.as_blob()?)).optional()?;
    let left =
        |status| matches!(status, Status::Delivered | Status::SoftBounce | Status::HardBounce | Status::Complaint);
    group.map_or(Ok(Vec::new()), |group| numbers(&group, left))
}

/// The recipients of a message whose rows are there, those that were refused left out.
pub(crate) fn recipients(reader: &Connection, message: MessageId) -> rusqlite::Result<Vec<Recipient>> {
    let mut query = reader.prepare_cached("SELECT body FROM row_groups WHERE message = ?1")?;
    let group: Option<Group<String>> =
        query.query_row([message.0.to_be_bytes()], |row| unpacked_owned(row.get_ref(0)?.as_blob()?)).optional()?;
    let Some(group) = group else { return Ok(Vec::new()) };
    let there = (0..).zip(&group.rows).filter(|(_, row)| row.refused.is_none() && !group.is_erased(row));
    let heard = reports::of_message(reader, message)?;
    let recipient = |(place, row): (u32, &Row<String>)| {
        let number = u16::try_from(group.number + place).ok()?;
        let acted = heard.get(&number).map(|heard| heard.acted).unwrap_or_default();
        let (address, host) = (row.recipient.clone(), group.host_of(row));
        let is_delivered = matches!(status(group.status_of(row)), Ok(Status::Delivered | Status::Complaint));
        Some(Recipient { number, address, host, is_delivered, is_waiting: group.is_unsettled(row), acted })
    };
    Ok(there.filter_map(recipient).collect())
}

/// Every recipient that waits in the queue: message and number, oldest first.
pub(crate) fn unsettled(reader: &Connection) -> rusqlite::Result<Vec<(MessageId, u16)>> {
    let mut query = reader.prepare(
        "SELECT message, body FROM row_groups
        WHERE row IN (SELECT row FROM statuses WHERE status IN (1, 2, 4)) AND message IS NOT NULL ORDER BY message",
    )?;
    let mut groups = query.query([])?;
    let mut told = Vec::new();
    let waits = |status| matches!(status, Status::Accepted | Status::Pending | Status::Deferred);
    while let Some(row) = groups.next()? {
        let message = MessageId(u128::from_be_bytes(row.get(0)?));
        let group: Group<&str> = unpacked(row.get_ref(1)?.as_blob()?)?;
        told.extend(numbers(&group, waits)?.into_iter().map(|number| (message, number)));
    }
    Ok(told)
}

/// The numbers of the recipients that stand so.
fn numbers<T: AsRef<str>>(group: &Group<T>, stands: impl Fn(Status) -> bool) -> rusqlite::Result<Vec<u16>> {
    let mut numbers = Vec::new();
    for (place, row) in (0..).zip(&group.rows) {
        if stands(status(group.status_of(row))?) {
            numbers.extend(u16::try_from(group.number + place));
        }
    }
    Ok(numbers)
}
