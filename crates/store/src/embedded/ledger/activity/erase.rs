//! What is kept about one recipient of an account is erased: first the rows, a part at a time, with what the index tells of
//! them, then what is loose of the index, then Connections, then calls to webhooks. What is under way is kept, so that a
//! start finishes what a crash broke off.

use relay::account::Account;
use relay::activity::Erased;
use relay::id::Id;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::group::{Event, Facts, Group, Past, StatusClass, packed, unpacked, unpacked_owned};
use super::parts::{self, Forgotten, Kind};
use super::prune::{self, GROUPS_MAX};
use super::query::exactly;
use super::{calls, loose, sweep};

/// Rows of Connections that are looked at in one step, and groups that are in no part yet.
const STEP: u64 = 2000;
/// Pages of the index that are deleted in one step.
const PAGES_MAX: usize = 200;

/// Whose recipient is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Erasure {
    account: u64,
    /// Its address, in small letters.
    recipient: String,
}

/// How far that has come.
struct Job {
    last: u64,
    stage: u8,
    row: u64,
    erased: Erased,
}

impl Erasure {
    /// Of an account, this address, whatever the case of its letters.
    pub(crate) fn of(account: Id<Account>, recipient: &str) -> Self {
        Erasure { account: account.number(), recipient: recipient.to_ascii_lowercase() }
    }

    fn job(&self, reader: &Connection) -> rusqlite::Result<Option<Job>> {
        let mut query = reader.prepare_cached(
            "SELECT last, stage, row, rows, connections, calls, waiting FROM erasures
            WHERE account = ?1 AND recipient = ?2",
        )?;
        let job = |row: &Row<'_>| {
            let erased =
                Erased { rows: row.get(3)?, connections: row.get(4)?, calls: row.get(5)?, waiting: row.get(6)? };
            Ok(Job { last: row.get(0)?, stage: row.get(1)?, row: row.get(2)?, erased })
        };
        query.query_row((self.account, &self.recipient), job).optional()
    }

    fn keep(&self, writer: &Connection, job: &Job) -> rusqlite::Result<()> {
        let mut upsert = writer.prepare_cached(
            "INSERT OR REPLACE INTO erasures (account, recipient, last, stage, row, rows, connections, calls, waiting)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let Erased { rows, connections, calls, waiting } = job.erased;
        let of = (self.account, &self.recipient, job.last, job.stage, job.row);
        upsert.execute((of.0, of.1, of.2, of.3, of.4, rows, connections, calls, waiting)).map(drop)
    }

    fn is_its(&self, recipient: &str) -> bool {
        recipient.eq_ignore_ascii_case(&self.recipient)
    }
}

/// Those that are not done.
pub(super) fn unfinished(reader: &Connection) -> rusqlite::Result<Vec<Erasure>> {
    let mut query = reader.prepare("SELECT account, recipient FROM erasures")?;
    query.query_map([], |row| Ok(Erasure { account: row.get(0)?, recipient: row.get(1)? }))?.collect()
}

/// Begins, of the rows that are there now. Where it was begun before it looks through all of them again, and goes on counting:
/// whoever asks again is told what went already, too.
pub(crate) fn begin(writer: &Transaction<'_>, erasure: &Erasure) -> rusqlite::Result<()> {
    let last = sweep::last_row(writer)?;
    let before = erasure.job(writer)?.map(|job| job.erased).unwrap_or_default();
    // those that wait are still there, and counted anew
    erasure.keep(writer, &Job { last, stage: 0, row: 0, erased: Erased { waiting: 0, ..before } })
}

/// Does a part of it: some milliseconds. What was erased in all, once it is done.
pub(crate) fn step(writer: &Transaction<'_>, erasure: &Erasure) -> rusqlite::Result<Option<Erased>> {
    // finished by another
    let Some(mut job) = erasure.job(writer)? else { return Ok(Some(Erased::default())) };
    let before = job.stage;
    match job.stage {
        0 => rows(writer, erasure, &mut job)?,
        1 if loose::forget_some(writer, PAGES_MAX)? => {}
        1 => connections(writer, erasure, &mut job)?,
        _ => {
            let next = calls::of_account(writer, erasure.account)?.into_iter().find(|webhook| *webhook > job.row);
            let Some(webhook) = next else {
                let delete = "DELETE FROM erasures WHERE account = ?1 AND recipient = ?2";
                writer.execute(delete, (erasure.account, &erasure.recipient))?;
                return Ok(Some(job.erased));
            };
            job.erased.calls += calls::forget_recipient(writer, webhook, &erasure.recipient)?;
            job.row = webhook;
        }
    }
    if job.stage != before {
        job.row = 0;
    }
    erasure.keep(writer, &job)?;
    Ok(None)
}

/// A stretch of rows: those of a part that the index names, or those of none.
fn rows(writer: &Transaction<'_>, erasure: &Erasure, job: &mut Job) -> rusqlite::Result<()> {
    let part = parts::from(writer, job.row + 1)?;
    let (end, mut groups) = match part {
        Some(part) => {
            let mut groups = parts::groups(writer, part, Kind::Recipient, &keys(&erasure.recipient))?;
            let own = parts::groups(writer, part, Kind::Account, &exactly(&erasure.account.to_be_bytes()))?;
            groups.retain(|group| own.binary_search(group).is_ok());
            (part.last.min(job.last), groups)
        }
        None => unindexed(writer, erasure, job)?,
    };
    groups.retain(|group| *group > job.row && *group <= end);
    let has_all = groups.len() <= GROUPS_MAX;
    groups.truncate(GROUPS_MAX);
    let mut forgotten = Forgotten::default();
    for group in &groups {
        if let Some((before, after)) = erase(writer, erasure, *group, &mut job.erased)?
            && let Some(part) = part
        {
            forgotten.add(part, *group, &before, after.as_ref());
        }
    }
    if let Some(part) = part {
        // from the very change that erases rows the index tells nothing of them
        forgotten.take_out(writer, part)?;
    }
    job.row = if has_all { end } else { groups.last().copied().unwrap_or(end) };
    if job.row >= job.last {
        job.stage = 1;
    }
    Ok(())
}

fn keys(recipient: &str) -> std::ops::Range<Vec<u8>> {
    let key = recipient.as_bytes();
    exactly(&key[..key.len().min(super::postings::KEY_OCTETS_MAX)])
}

/// Groups of the account that are in no part yet, and the row up to which that is all of them.
fn unindexed(writer: &Transaction<'_>, erasure: &Erasure, job: &Job) -> rusqlite::Result<(u64, Vec<u64>)> {
    let mut query = writer.prepare_cached(
        "SELECT row, account, body FROM row_groups WHERE row > ?1 AND row <= ?2 ORDER BY row LIMIT ?3",
    )?;
    let mut groups = query.query((job.row, job.last, STEP))?;
    let (mut found, mut looked, mut end) = (Vec::new(), 0, job.last);
    while let Some(columns) = groups.next()? {
        let row = columns.get(0)?;
        looked += 1;
        if looked == STEP {
            end = row;
        }
        if columns.get::<_, u64>(1)? == erasure.account {
            let group: Group<&str> = unpacked(columns.get_ref(2)?.as_blob()?)?;
            if group.rows.iter().any(|row| erasure.is_its(row.recipient)) {
                found.push(row);
            }
        }
    }
    Ok((end, found))
}

/// What a group was, and is; none: it is gone.
type Erasing = (Group<String>, Option<Group<String>>);

/// Erases the recipient's rows of a group, but those whose mail is in the queue. What the group was and is, where there were
/// such rows.
fn erase(
    writer: &Transaction<'_>,
    erasure: &Erasure,
    row: u64,
    erased: &mut Erased,
) -> rusqlite::Result<Option<Erasing>> {
    let mut query = writer.prepare_cached("SELECT statuses, body FROM row_groups WHERE row = ?1")?;
    let found = query.query_row([row], |columns| {
        let group = Group::unpacked(columns.get_ref(1)?.as_blob()?)?;
        Ok((columns.get::<_, u8>(0)?, group))
    });
    let Some((statuses, mut group)) = found.optional()? else { return Ok(None) };
    let is_live = |place: &usize| 1 << group.status_of(&group.rows[*place]) & sweep::in_the_queue() != 0;
    let its = (0..group.rows.len()).filter(|place| erasure.is_its(&group.rows[*place].recipient));
    let (live, places): (Vec<usize>, Vec<usize>) = its.partition(is_live);
    erased.waiting += live.len() as u64;
    erased.rows += places.len() as u64;
    if places.is_empty() {
        return Ok(None);
    }
    if group.message.is_none() {
        prune::forget(writer, row, statuses, true, &group.packed()?)?;
        prune::delete_unindexed(writer, &[row])?;
        return Ok(Some((group, None)));
    }
    let before = group.clone();
    past(writer, row, &places)?;
    places.iter().for_each(|place| group.blank(*place));
    group.forget_past();
    let mut facts = None;
    if group.rows.iter().all(|row| group.is_erased(row)) {
        // nobody is left whom the rest would be about
        (group.sender, group.subject, group.session) = (String::new(), String::new(), None);
        facts = Some(Facts { content: None, client: None, priority: 0 }.packed()?);
    }
    let update = "UPDATE row_groups SET body = ?2, facts = coalesce(?3, facts) WHERE row = ?1";
    writer.prepare_cached(update)?.execute((row, group.packed()?, facts))?;
    Ok(Some((before, Some(group))))
}

/// What took place before, of rows by their places.
fn past(writer: &Transaction<'_>, row: u64, places: &[usize]) -> rusqlite::Result<()> {
    let mut query = writer.prepare_cached("SELECT change, body FROM timeline WHERE row = ?1")?;
    let kept = query.query_map([row], |columns| Ok((columns.get(0)?, columns.get(1)?)))?;
    let kept: Vec<(u64, Vec<u8>)> = kept.collect::<rusqlite::Result<_>>()?;
    for (change, body) in kept {
        let mut past: Past = unpacked_owned(&body)?;
        if past.without(places) {
            let (sql, body) = match past.of.is_empty() {
                true => ("DELETE FROM timeline WHERE row = ?1 AND change = ?2 AND ?3 IS NOT NULL", Vec::new()),
                false => ("UPDATE timeline SET body = ?3 WHERE row = ?1 AND change = ?2", packed(&past)?),
            };
            writer.prepare_cached(sql)?.execute((row, change, body))?;
        }
    }
    Ok(())
}

impl Group<String> {
    /// Of a row nothing is left but its place and its status, by which it is known that its mail left the queue.
    fn blank(&mut self, place: usize) {
        let (at, kind) = (self.at, StatusClass::plain(self.status_of(&self.rows[place])));
        let row = &mut self.rows[place];
        row.recipient.clear();
        (row.held, row.tried) = (None, None);
        if let Some(refused) = &mut row.refused {
            refused.reason.clear();
            refused.reply.clear();
        }
        if row.last.is_some() {
            row.last = u32::try_from(self.events.len()).ok();
            let (reason, reply) = (String::new(), String::new());
            self.events.push(Event { at, kind, reason, reply, until: None, attempt: None });
        }
    }
}

impl Past {
    /// Drops the events of rows by their places. Returns whether there were any.
    fn without(&mut self, places: &[usize]) -> bool {
        let before = self.of.len();
        self.of.retain(|(row, _, _)| !places.contains(&(*row as usize)));
        let mut moved = vec![None; self.events.len()];
        let mut events = Vec::new();
        for (_, _, event) in &mut self.of {
            let Some(place) = moved.get_mut(*event as usize) else { continue };
            let new = *place.get_or_insert_with(|| {
                events.push(self.events[*event as usize].clone());
                events.len() - 1
            });
            *event = u32::try_from(new).unwrap_or(u32::MAX);
        }
        self.events = events;
        self.of.len() < before
    }
}

/// Connections that name the recipient.
fn connections(writer: &Transaction<'_>, erasure: &Erasure, job: &mut Job) -> rusqlite::Result<()> {
    let mut query = writer.prepare_cached(
        "SELECT row, recipient FROM connections WHERE account = ?1 AND row > ?2 ORDER BY row LIMIT ?3",
    )?;
    let rows = query.query_map((erasure.account, job.row, STEP), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(u64, String)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut delete = writer.prepare_cached("DELETE FROM connections WHERE row = ?1")?;
    for (row, _) in rows.iter().filter(|(_, recipient)| erasure.is_its(recipient)) {
        job.erased.connections += delete.execute([row])? as u64;
    }
    job.row = rows.last().map_or(job.row, |(row, _)| *row);
    if (rows.len() as u64) < STEP {
        job.stage = 2;
    }
    Ok(())
}
