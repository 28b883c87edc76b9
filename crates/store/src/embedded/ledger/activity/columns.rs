//! How values stand in `activity.db`, and rows read back from it.

use relay::activity::{ActivityEvent, ActivityRow, ConnectionRow, Notice, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId, SessionId};
use relay::queue::Attempt;
use rusqlite::{Error, Row};

use crate::embedded::sqlite::{from_word, malformed, parsed};

/// The number that stands for a status.
pub(super) fn status_number(status: Status) -> u8 {
    match status {
        Status::Rejected => 0,
        Status::Accepted => 1,
        Status::Pending => 2,
        Status::Delivered => 3,
        Status::Deferred => 4,
        Status::SoftBounce => 5,
        Status::HardBounce => 6,
    }
}

/// The status that a number stands for.
pub(super) fn status(number: u8) -> rusqlite::Result<Status> {
    Ok(match number {
        0 => Status::Rejected,
        1 => Status::Accepted,
        2 => Status::Pending,
        3 => Status::Delivered,
        4 => Status::Deferred,
        5 => Status::SoftBounce,
        6 => Status::HardBounce,
        _ => return Err(Error::IntegralValueOutOfRange(0, i64::from(number))),
    })
}

/// The columns that [`activity_row`] reads, of a row `a`, its last event `l` and its last attempt `t`.
pub(super) const ROW: &str = "a.row, a.at, a.updated_at, a.status, a.recipient, a.sender, a.subject, a.message,
    a.account, a.user, a.domain, a.session, coalesce(l.reason, a.reason), coalesce(l.reply, a.reply), a.reference,
    a.attempts, a.count, a.sandbox, a.held, t.attempted_at, t.milliseconds, t.host, t.remote, t.tls";

/// What stands behind `activity AS a` for the columns of [`ROW`].
pub(super) const ROW_JOINS: &str = "LEFT JOIN events AS l ON l.row = a.row AND l.number = a.events
    LEFT JOIN events AS t ON t.row = a.row AND t.number = a.tried";

/// One row of Activity from the columns of [`ROW`].
pub(super) fn activity_row(row: &Row<'_>) -> rusqlite::Result<ActivityRow> {
    Ok(ActivityRow {
        row: row.get(0)?,
        at: Timestamp(row.get(1)?),
        updated_at: Timestamp(row.get(2)?),
        status: status(row.get(3)?)?,
        recipient: row.get(4)?,
        sender: row.get(5)?,
        subject: row.get(6)?,
        message: row.get::<_, Option<[u8; 16]>>(7)?.map(|octets| MessageId(u128::from_be_bytes(octets))),
        account: Id::new(row.get(8)?),
        user: row.get::<_, Option<u64>>(9)?.map(Id::new),
        domain: row.get::<_, Option<u64>>(10)?.map(Id::new),
        session: row.get::<_, Option<[u8; 16]>>(11)?.map(|octets| SessionId(u128::from_be_bytes(octets))),
        reason: row.get(12)?,
        reply: row.get(13)?,
        reference: row.get(14)?,
        attempts: row.get(15)?,
        count: row.get(16)?,
        sandbox: row.get(17)?,
        held: row.get::<_, Option<String>>(18)?.map(from_word).transpose()?,
        last_attempt: attempt(row, 19)?,
    })
}

/// An attempt from five columns, the first of which is empty where there was none.
fn attempt(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Attempt>> {
    let Some(at) = row.get::<_, Option<u64>>(first)? else { return Ok(None) };
    let remote: Option<String> = row.get(first + 3)?;
    Ok(Some(Attempt {
        at: Timestamp(at),
        milliseconds: row.get(first + 1)?,
        host: row.get(first + 2)?,
        remote: remote.map(|remote| parsed(&remote)).transpose()?,
        tls: row.get(first + 4)?,
    }))
}

/// The columns that [`event`] reads.
pub(super) const EVENT: &str = "at, status, reason, reply, until, attempted_at, milliseconds, host, remote, tls";

/// One event of a row, from the columns of [`EVENT`].
pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<ActivityEvent> {
    Ok(ActivityEvent {
        at: Timestamp(row.get(0)?),
        status: status(row.get(1)?)?,
        reason: row.get(2)?,
        reply: row.get(3)?,
        until: row.get::<_, Option<u64>>(4)?.map(Timestamp),
        attempt: attempt(row, 5)?,
    })
}

/// The columns that [`connection_row`] reads.
pub(super) const CONNECTION: &str = "row, updated_at, at, kind, account, user, domain, username, session, remote, tls,
    sender, recipient, subject, reference, reply, reason, count";

/// One row of Connections, from the columns of [`CONNECTION`].
pub(super) fn connection_row(row: &Row<'_>) -> rusqlite::Result<ConnectionRow> {
    let notice = Notice {
        at: Timestamp(row.get(2)?),
        kind: from_word(row.get(3)?)?,
        account: row.get::<_, Option<u64>>(4)?.map(Id::new),
        user: row.get::<_, Option<u64>>(5)?.map(Id::new),
        domain: row.get::<_, Option<u64>>(6)?.map(Id::new),
        username: row.get(7)?,
        session: SessionId(u128::from_be_bytes(row.get(8)?)),
        remote: row.get::<_, String>(9)?.parse().map_err(malformed)?,
        tls: row.get(10)?,
        sender: row.get(11)?,
        recipient: row.get(12)?,
        subject: row.get(13)?,
        reference: row.get(14)?,
        reply: row.get(15)?,
        reason: row.get(16)?,
        count: row.get(17)?,
    };
    Ok(ConnectionRow { row: row.get(0)?, updated_at: Timestamp(row.get(1)?), notice })
}
