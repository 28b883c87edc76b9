//! Questions about `activity.db`: the filter as SQL, through the index that leaves the fewest rows.

use relay::account::Account;
use relay::activity::{ActivityDetail, ActivityEvent, ActivityFilter, ActivityRow, ConnectionRow, Status};
use relay::id::Id;
use relay::queue::{ContentFacts, SessionFacts};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension as _};

use super::columns::{self, CONNECTION, EVENT, ROW, ROW_JOINS, status_number};
use super::hours;
use crate::embedded::sqlite::parsed;
use crate::rows;

/// An index is worth taking where it leaves no more rows than this; what is more frequent is found soon by going
/// through the newest rows.
const RARE_ROWS: u64 = 2000;

/// Gives a reader the functions that the questions use.
pub(super) fn set_up(reader: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    reader.create_scalar_function("address_matches", 2, flags, |arguments| {
        Ok(rows::address_matches(arguments.get_raw(0).as_str()?, arguments.get_raw(1).as_str()?))
    })?;
    reader.create_scalar_function("subject_matches", 2, flags, |arguments| {
        Ok(rows::subject_matches(arguments.get_raw(0).as_str()?, arguments.get_raw(1).as_str()?))
    })
}

/// Conditions with their values, numbered from 1.
#[derive(Default)]
struct Conditions {
    sql: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// Adds a condition; each `?` in it takes the next of `values`.
    fn add(&mut self, sql: &str, values: Vec<Box<dyn ToSql>>) {
        self.sql.push(sql.to_owned());
        self.values.extend(values);
    }

    fn sql(&self) -> String {
        if self.sql.is_empty() { "true".to_owned() } else { self.sql.join(" AND ") }
    }

    fn values(&self) -> impl rusqlite::Params + '_ {
        rusqlite::params_from_iter(self.values.iter().map(|value| &**value))
    }
}

fn boxed(value: impl ToSql + 'static) -> Box<dyn ToSql> {
    Box::new(value)
}

/// All that the filter says, row by row. None where no row can be meant.
fn conditions(reader: &Connection, filter: &ActivityFilter) -> rusqlite::Result<Option<Conditions>> {
    let mut all = Conditions::default();
    if let Some(account) = filter.account {
        all.add("a.account = ?", vec![boxed(account.number())]);
    }
    if let Some(pattern) = &filter.recipient {
        all.add("address_matches(?, a.recipient)", vec![boxed(pattern.clone())]);
    }
    if let Some(pattern) = &filter.sender {
        all.add("address_matches(?, a.sender)", vec![boxed(pattern.clone())]);
    }
    if let Some(pattern) = &filter.subject {
        all.add("subject_matches(?, a.subject)", vec![boxed(pattern.clone())]);
    }
    if let Some(status) = filter.status {
        all.add("a.status = ?", vec![boxed(status_number(status))]);
    }
    if let Some(message) = filter.message {
        all.add("a.message = ?", vec![boxed(message.0.to_be_bytes())]);
    }
    if let Some(since) = filter.since {
        let Some(first) = hours::first_row_since(reader, since)? else { return Ok(None) };
        all.add("a.row >= ? AND a.at >= ?", vec![boxed(first), boxed(since.0)]);
    }
    if let Some(until) = filter.until {
        let Some(last) = hours::last_row_until(reader, until)? else { return Ok(None) };
        all.add("a.row <= ? AND a.at < ?", vec![boxed(last), boxed(until.0)]);
    }
    if let Some(before) = filter.before_row {
        all.add("a.row < ?", vec![boxed(before)]);
    }
    Ok(Some(all))
}

/// An index and the condition that goes through it.
type Way = (&'static str, Conditions);

/// The indexes that could serve the filter.
fn ways(filter: &ActivityFilter) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    let mut add = |index, sql: &str, values| {
        let mut conditions = Conditions::default();
        conditions.add(sql, values);
        ways.push((index, conditions));
    };
    if let Some(message) = filter.message {
        add("activity_by_message", "a.message = ?", vec![boxed(message.0.to_be_bytes())]);
    }
    if let Some(pattern) = &filter.recipient {
        match pattern.strip_prefix('@') {
            Some(domain) => {
                let domain = boxed(domain.to_ascii_lowercase());
                add("activity_by_recipient_domain", "a.recipient_domain = ?", vec![domain]);
            }
            None => add("activity_by_recipient", BEGINS_RECIPIENT, begins(pattern)),
        }
    }
    if let Some(pattern) = filter.sender.as_ref().filter(|pattern| !pattern.starts_with('@')) {
        add("activity_by_sender", BEGINS_SENDER, begins(pattern));
    }
    if let Some(status) = filter.status.filter(|status| *status != Status::Delivered) {
        // the index holds no delivered rows, and the planner has to be told that none are meant
        add("activity_by_status", "a.status = ? AND a.status <> 3", vec![boxed(status_number(status))]);
    }
    ways
}

const BEGINS_RECIPIENT: &str = "lower(a.recipient) >= ? AND lower(a.recipient) < ?";
const BEGINS_SENDER: &str = "lower(a.sender) >= ? AND lower(a.sender) < ?";

/// The range of texts that begin so.
fn begins(pattern: &str) -> Vec<Box<dyn ToSql>> {
    let from = pattern.to_ascii_lowercase();
    let to = format!("{from}{}", char::MAX);
    vec![boxed(from), boxed(to)]
}

/// The way that leaves the fewest rows, where it leaves few.
fn rarest(reader: &Connection, filter: &ActivityFilter) -> rusqlite::Result<Option<Way>> {
    let mut best = None;
    let mut fewest = RARE_ROWS + 1;
    for (index, conditions) in ways(filter) {
        let count = format!(
            "SELECT count(*) FROM (SELECT 1 FROM activity AS a INDEXED BY {index} WHERE {} LIMIT {fewest})",
            conditions.sql()
        );
        let rows: u64 = reader.prepare_cached(&count)?.query_row(conditions.values(), |row| row.get(0))?;
        if rows < fewest {
            (best, fewest) = (Some((index, conditions)), rows);
        }
    }
    Ok(best)
}

/// Rows that the filter names, newest first.
pub(crate) fn activity(reader: &Connection, filter: &ActivityFilter) -> rusqlite::Result<Vec<ActivityRow>> {
    let Some(mut all) = conditions(reader, filter)? else { return Ok(Vec::new()) };
    let index = match rarest(reader, filter)? {
        Some((index, conditions)) => {
            all.add(&conditions.sql(), conditions.values);
            format!("INDEXED BY {index}")
        }
        None if filter.account.is_some() => "INDEXED BY activity_by_account".to_owned(),
        None => "NOT INDEXED".to_owned(),
    };
    let query = format!(
        "SELECT {ROW} FROM activity AS a {index} {ROW_JOINS} WHERE {} ORDER BY a.row DESC LIMIT {}",
        all.sql(),
        rows::limit(filter)
    );
    let mut query = reader.prepare_cached(&query)?;
    query.query_map(all.values(), columns::activity_row)?.collect()
}

/// Rows changed since a cursor, oldest change first, and the next cursor.
pub(crate) fn since(
    reader: &Connection,
    cursor: u64,
    filter: &ActivityFilter,
) -> rusqlite::Result<(Vec<ActivityRow>, u64)> {
    let latest: u64 = reader.query_row("SELECT change FROM progress", [], |row| row.get(0))?;
    let Some(mut all) = conditions(reader, filter)? else { return Ok((Vec::new(), latest)) };
    all.add("a.change > ?", vec![boxed(cursor)]);
    let limit = rows::limit(filter);
    let query = format!(
        "SELECT {ROW}, a.change FROM activity AS a INDEXED BY activity_by_change {ROW_JOINS}
        WHERE {} ORDER BY a.change LIMIT {}",
        all.sql(),
        limit + 1
    );
    let mut query = reader.prepare_cached(&query)?;
    let changed = query.query_map(all.values(), |row| Ok((columns::activity_row(row)?, row.get::<_, u64>(24)?)))?;
    let mut changed: Vec<_> = changed.collect::<Result<_, _>>()?;
    let has_all = changed.len() <= limit;
    changed.truncate(limit);
    let next = if has_all { latest.max(cursor) } else { changed.last().map_or(cursor, |(_, change)| *change) };
    Ok((changed.into_iter().map(|(row, _)| row).collect(), next))
}

/// One row with all that is known of it.
pub(crate) fn detail(reader: &Connection, row: u64) -> rusqlite::Result<Option<ActivityDetail>> {
    let query = format!(
        "SELECT {ROW}, a.reason, a.reply, a.events, a.remote, a.tls, m.octets, m.header_octets, m.sha256,
            m.from_header, m.message_id, m.remote, m.client_name, m.tls
        FROM activity AS a {ROW_JOINS} LEFT JOIN messages AS m ON m.message = a.message WHERE a.row = ?1"
    );
    let mut query = reader.prepare_cached(&query)?;
    let detail = query.query_row([row], |columns| {
        let row = columns::activity_row(columns)?;
        let events: u64 = columns.get(26)?;
        let begun = ActivityEvent {
            at: row.at,
            status: if events == 0 { row.status } else { Status::Accepted },
            reason: columns.get(24)?,
            reply: columns.get(25)?,
            attempt: None,
            until: None,
        };
        let facts = facts(columns, &row)?;
        let session = session(columns, &row)?;
        Ok(ActivityDetail { row, facts, session, events: vec![begun] })
    });
    let Some(mut detail) = detail.optional()? else { return Ok(None) };
    let mut events = reader.prepare_cached(&format!("SELECT {EVENT} FROM events WHERE row = ?1 ORDER BY number"))?;
    for event in events.query_map([row], columns::event)? {
        detail.events.push(event?);
    }
    Ok(Some(detail))
}

fn facts(columns: &rusqlite::Row<'_>, row: &ActivityRow) -> rusqlite::Result<Option<ContentFacts>> {
    let Some(octets) = columns.get(29)? else { return Ok(None) };
    Ok(Some(ContentFacts {
        octets,
        header_octets: columns.get(30)?,
        sha256: columns.get(31)?,
        subject: row.subject.clone(),
        from: columns.get(32)?,
        message_id: columns.get(33)?,
    }))
}

/// Of a message from its own columns, of a refusal from the row's.
fn session(columns: &rusqlite::Row<'_>, row: &ActivityRow) -> rusqlite::Result<Option<SessionFacts>> {
    let (remote, client_name, tls) = match columns.get::<_, Option<String>>(34)? {
        Some(remote) => (Some(remote), columns.get(35)?, columns.get(36)?),
        None => (columns.get(27)?, String::new(), columns.get::<_, Option<String>>(28)?.unwrap_or_default()),
    };
    let (Some(remote), Some(session)) = (remote, row.session) else { return Ok(None) };
    Ok(Some(SessionFacts { session, remote: parsed(&remote)?, client_name, tls }))
}

/// The newest Connections rows.
pub(crate) fn connections(
    reader: &Connection,
    account: Option<Id<Account>>,
    limit: usize,
) -> rusqlite::Result<Vec<ConnectionRow>> {
    let narrowed = if account.is_some() { "account = ?1" } else { "?1 IS NULL" };
    let query = format!("SELECT {CONNECTION} FROM connections WHERE {narrowed} ORDER BY row DESC LIMIT ?2");
    let mut query = reader.prepare_cached(&query)?;
    query.query_map((account.map(Id::number), limit as u64), columns::connection_row)?.collect()
}
