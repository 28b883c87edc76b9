//! Questions about `activity.db`: groups are visited from the newest on, and where a part of them is indexed, only
//! those that can have what is asked for.

use std::ops::{ControlFlow, Range};

use relay::activity::{ActivityDetail, ActivityFilter, ActivityRow, Status};
use relay::id::SessionId;
use relay::priority::Priority;
use relay::queue::{ContentFacts, SessionFacts};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::group::{Facts, Group, Past, unpacked, unpacked_owned};
use super::parts::{self, Kind, Part};
use super::wanted::Wanted;
use super::{hours, statuses};
use crate::embedded::beside;
use crate::embedded::sqlite::named;
use crate::rows;

/// Where one group of so many can be meant, they are fetched one by one; where more, looked through in order.
const SPARSE: u64 = 6;

/// Rows that the filter names, newest first.
pub(crate) fn activity(reader: &Connection, filter: &ActivityFilter) -> rusqlite::Result<Vec<ActivityRow>> {
    let mut search = Search { reader, wanted: Wanted::new(filter), limit: rows::limit(filter), found: Vec::new() };
    let Some((first, last)) = period(reader, filter)? else { return Ok(Vec::new()) };
    if filter.subject.is_some() && search.wanted.words().is_empty() {
        // signs alone are no word of any subject: all rows would be looked through for nothing
        return Ok(Vec::new());
    }
    let indexed = parts::last_row(reader)?;
    // a break says that there are enough
    let _ = search.newest_first(filter, first, last, indexed)?;
    Ok(search.found)
}

/// So few groups are looked at whatever else the index knows of them.
const FEW: usize = 16;

/// The first and last row that the filter's times and page leave.
fn period(reader: &Connection, filter: &ActivityFilter) -> rusqlite::Result<Option<(u64, u64)>> {
    let mut period = (0, u64::try_from(i64::MAX).unwrap_or_default());
    if let Some(since) = filter.since {
        let Some(first) = hours::first_row_since(reader, since)? else { return Ok(None) };
        period.0 = first;
    }
    if let Some(until) = filter.until {
        let Some(last) = hours::last_row_until(reader, until)? else { return Ok(None) };
        period.1 = last;
    }
    if let Some(before) = filter.before_row {
        let Some(last) = before.checked_sub(1) else { return Ok(None) };
        period.1 = period.1.min(last);
    }
    Ok(Some(period))
}

/// A search on its way.
struct Search<'a> {
    reader: &'a Connection,
    wanted: Wanted<'a>,
    limit: usize,
    found: Vec<ActivityRow>,
}

/// Whether to go on, or there are enough.
type Enough = ControlFlow<()>;

impl Search<'_> {
    fn newest_first(
        &mut self,
        filter: &ActivityFilter,
        first: u64,
        last: u64,
        indexed: u64,
    ) -> rusqlite::Result<Enough> {
        if let Some(message) = filter.message {
            let group = "SELECT row, body FROM row_groups WHERE message = ?1 AND row <= ?2";
            return self.visit(group, (message.0.to_be_bytes(), last));
        }
        if last > indexed {
            let newest = first.max(indexed + 1);
            let candidates = self.with_status(filter, newest, last)?;
            if self.candidates(candidates, newest, last, u64::MAX)?.is_break() {
                return Ok(Enough::Break(()));
            }
        }
        for part in parts::between(self.reader, first, last)? {
            let (first, last) = (first.max(part.first), last.min(part.last));
            let candidates = self.of_part(filter, part, first, last)?;
            if self.candidates(candidates, first, last, part.groups)?.is_break() {
                return Ok(Enough::Break(()));
            }
        }
        Ok(Enough::Continue(()))
    }

    /// The groups that can be meant in a part, as its index tells; none where any can.
    fn of_part(
        &self,
        filter: &ActivityFilter,
        part: Part,
        first: u64,
        last: u64,
    ) -> rusqlite::Result<Option<Vec<u64>>> {
        let mut candidates = self.with_status(filter, first, last)?;
        let keys = [
            // what is one account's is few where the account is small
            (Kind::Account, filter.account.map(|account| exactly(&account.number().to_be_bytes()))),
            (Kind::Recipient, filter.recipient.as_deref().and_then(address_keys)),
            (Kind::Sender, filter.sender.as_deref().and_then(address_keys)),
        ];
        let words = self.wanted.words().iter().filter(|_| part.has_words);
        let words = words.map(|word| (Kind::Word, Some(beginning(word.as_bytes()))));
        for (kind, keys) in keys.into_iter().chain(words) {
            let Some(keys) = keys else { continue };
            if candidates.as_ref().is_some_and(|known| known.len() <= FEW) {
                // they are sooner looked at than what others have of the same key
                break;
            }
            let groups = parts::groups(self.reader, part, kind, &keys)?;
            candidates = Some(match candidates {
                None => groups,
                Some(mut known) => {
                    known.retain(|group| groups.binary_search(group).is_ok());
                    known
                }
            });
        }
        Ok(candidates)
    }

    fn with_status(&self, filter: &ActivityFilter, first: u64, last: u64) -> rusqlite::Result<Option<Vec<u64>>> {
        if let Some(status) = filter.status {
            return statuses::groups(self.reader, status, first, last);
        }
        if filter.class.is_none() {
            return Ok(None);
        }
        // only what failed is of a class, and that is far less than what is delivered
        let mut failed = Vec::new();
        for status in [Status::Deferred, Status::SoftBounce, Status::HardBounce] {
            failed.extend(statuses::groups(self.reader, status, first, last)?.into_iter().flatten());
        }
        failed.sort_unstable();
        failed.dedup();
        Ok(Some(failed))
    }

    /// Visits the candidates between two rows, or all groups where any can be meant, newest first.
    fn candidates(
        &mut self,
        candidates: Option<Vec<u64>>,
        first: u64,
        last: u64,
        groups: u64,
    ) -> rusqlite::Result<Enough> {
        match candidates {
            Some(candidates) if (candidates.len() as u64).saturating_mul(SPARSE) <= groups => {
                let within = candidates.into_iter().rev().skip_while(|group| *group > last);
                for group in within.take_while(|group| *group >= first) {
                    if self.visit("SELECT row, body FROM row_groups WHERE row = ?1", [group])?.is_break() {
                        return Ok(Enough::Break(()));
                    }
                }
                Ok(Enough::Continue(()))
            }
            _ => self.through(first, last),
        }
    }

    /// Visits all groups between two rows, newest first.
    fn through(&mut self, first: u64, last: u64) -> rusqlite::Result<Enough> {
        match self.wanted.account() {
            // the groups of others need not be unpacked
            Some(account) => self.visit(
                "SELECT row, body FROM row_groups WHERE row BETWEEN ?1 AND ?2 AND account = ?3 ORDER BY row DESC",
                (first, last, named(account)),
            ),
            None => self
                .visit("SELECT row, body FROM row_groups WHERE row BETWEEN ?1 AND ?2 ORDER BY row DESC", (first, last)),
        }
    }

    /// Takes what is wanted of the groups that a query finds.
    fn visit(&mut self, query: &str, values: impl rusqlite::Params) -> rusqlite::Result<Enough> {
        let mut query = self.reader.prepare_cached(query)?;
        let mut groups = query.query(values)?;
        while let Some(row) = groups.next()? {
            let first: u64 = row.get(0)?;
            let group: Group<&str> = unpacked(row.get_ref(1)?.as_blob()?)?;
            for place in self.wanted.rows_of(first, &group).rev() {
                self.found.push(group.row(first, place)?);
                if self.found.len() >= self.limit {
                    return Ok(Enough::Break(()));
                }
            }
        }
        Ok(Enough::Continue(()))
    }
}

/// The keys that a filter of addresses names; none where it names any.
fn address_keys(pattern: &str) -> Option<Range<Vec<u8>>> {
    let pattern = pattern.to_ascii_lowercase();
    let key = pattern.as_bytes();
    let key = &key[..key.len().min(super::postings::KEY_OCTETS_MAX)];
    match key.first() {
        None => None,
        Some(b'@') => Some(exactly(key)),
        Some(_) => Some(beginning(key)),
    }
}

/// The keys that begin like this.
fn beginning(key: &[u8]) -> Range<Vec<u8>> {
    let key = &key[..key.len().min(super::postings::KEY_OCTETS_MAX)];
    // no text has this octet
    key.to_vec()..[key, &[0xff]].concat()
}

pub(super) fn exactly(key: &[u8]) -> Range<Vec<u8>> {
    key.to_vec()..[key, &[0]].concat()
}

/// Rows changed since a cursor, oldest change first, and the next cursor.
pub(crate) fn since(
    reader: &Connection,
    cursor: u64,
    filter: &ActivityFilter,
) -> rusqlite::Result<(Vec<ActivityRow>, u64)> {
    let latest: u64 = reader.query_row("SELECT change FROM progress", [], |row| row.get(0))?;
    // a cursor of a database that was lost since would be beyond all changes for long
    let cursor = cursor.min(latest);
    let (wanted, limit) = (Wanted::new(filter), rows::limit(filter));
    let mut stretches =
        reader.prepare_cached("SELECT change, first, last FROM changes WHERE change > ?1 ORDER BY change")?;
    let mut stretches = stretches.query([named(cursor)])?;
    let mut groups = reader.prepare_cached("SELECT row, body FROM row_groups WHERE row BETWEEN ?1 AND ?2")?;
    let (mut changed, mut behind) = (Vec::new(), cursor);
    while let Some(stretch) = stretches.next()? {
        let change: u64 = stretch.get(0)?;
        let mut groups = groups.query((stretch.get::<_, u64>(1)?, stretch.get::<_, u64>(2)?))?;
        let mut rows = Vec::new();
        while let Some(row) = groups.next()? {
            let first: u64 = row.get(0)?;
            let group: Group<&str> = unpacked(row.get_ref(1)?.as_blob()?)?;
            for place in wanted.rows_of(first, &group) {
                let at = group.change - group.rows[place].age;
                if at > behind && at <= change {
                    rows.push((at, group.row(first, place)?));
                }
            }
        }
        rows.sort_unstable_by_key(|(at, _)| *at);
        changed.extend(rows);
        if changed.len() > limit {
            changed.truncate(limit);
            let next = changed.last().map_or(cursor, |(change, _)| *change);
            return Ok((changed.into_iter().map(|(_, row)| row).collect(), next));
        }
        behind = change;
    }
    Ok((changed.into_iter().map(|(_, row)| row).collect(), latest))
}

/// One row with all that is known of it.
pub(crate) fn detail(reader: &Connection, row: u64) -> rusqlite::Result<Option<ActivityDetail>> {
    let mut query =
        reader.prepare_cached("SELECT row, body, facts FROM row_groups WHERE row <= ?1 ORDER BY row DESC LIMIT 1")?;
    let found = query.query_row([named(row)], |columns| {
        let group: Group<String> = unpacked_owned(columns.get_ref(1)?.as_blob()?)?;
        let facts = Facts::unpacked(columns.get_ref(2)?.as_blob()?)?;
        Ok((columns.get::<_, u64>(0)?, group, facts))
    });
    let Some((first, group, facts)) = found.optional()? else { return Ok(None) };
    let place = usize::try_from(row - first).unwrap_or(usize::MAX);
    if group.rows.get(place).is_none_or(|row| group.is_erased(row)) {
        return Ok(None);
    }
    let mut events = group.events_of(place)?;
    let mut past = reader.prepare_cached("SELECT body FROM timeline WHERE row = ?1 ORDER BY change")?;
    let mut past = past.query([first])?;
    while let Some(row) = past.next()? {
        events.extend(past_of(row, place)?);
    }
    events.sort_by_key(|(number, _)| *number);
    let events = std::iter::once(group.beginning(place)?).chain(events.into_iter().map(|(_, event)| event));
    let (events, row) = (events.collect(), group.row(first, place)?);
    let content = content(&facts, &row);
    let priority = content.as_ref().and_then(|_| Priority::new(facts.priority));
    Ok(Some(ActivityDetail { facts: content, priority, session: session(facts, row.session), row, events }))
}

/// The events of a row that a record of the timeline has, with their numbers.
fn past_of(row: &Row<'_>, place: usize) -> rusqlite::Result<Vec<(u32, relay::activity::ActivityEvent)>> {
    let past: Past = unpacked_owned(row.get_ref(0)?.as_blob()?)?;
    let of_row = past.of.iter().filter(|(row, _, _)| *row as usize == place);
    of_row
        .filter_map(|(_, number, event)| Some((*number, past.events.get(*event as usize)?)))
        .map(|(number, event)| Ok((number, event.event()?)))
        .collect()
}

fn content(facts: &Facts, row: &ActivityRow) -> Option<ContentFacts> {
    facts.content.as_ref().map(|content| ContentFacts {
        octets: content.octets,
        header_octets: content.header_octets,
        sha256: content.sha256,
        subject: row.subject.clone(),
        from: content.from.clone(),
        message_id: content.message_id.clone(),
    })
}

fn session(facts: Facts, session: Option<SessionId>) -> Option<SessionFacts> {
    let (client, session) = (facts.client?, session?);
    let (tls, milliseconds) = beside::tls_in(&client.tls);
    Some(SessionFacts { session, remote: client.remote, client_name: client.name, tls: tls.to_owned(), milliseconds })
}
