//! What the log's events make of the rows of `activity.db`. An event that was applied before changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use relay::activity::{ActivityRow, Notice, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{Attempt, Envelope, HoldReason, Outcome, Settlement, Verdict};
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::columns::status_number;
use super::{counters, hours};
use crate::counters::{Counters, Key};
use crate::embedded::spool::{Event, Position};
use crate::embedded::sqlite::{from_word, word};
use crate::rows;

/// How far the log was read, and the highest numbers given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) position: Position,
    pub(super) change: u64,
    pub(super) row: u64,
    pub(super) connection: u64,
}

impl Progress {
    pub(super) fn read(reader: &rusqlite::Connection) -> rusqlite::Result<Progress> {
        reader.query_row("SELECT position, change, row, connection FROM progress", [], |row| {
            Ok(Progress {
                position: Position(row.get(0)?),
                change: row.get(1)?,
                row: row.get(2)?,
                connection: row.get(3)?,
            })
        })
    }

    pub(super) fn write(self, writer: &rusqlite::Connection) -> rusqlite::Result<()> {
        let mut update =
            writer.prepare_cached("UPDATE progress SET position = ?1, change = ?2, row = ?3, connection = ?4")?;
        update.execute((self.position.0, self.change, self.row, self.connection)).map(drop)
    }
}

/// Events on their way into one transaction.
pub(super) struct Apply<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) progress: Progress,
    /// Refusals alike within this time of the first are one row.
    pub(super) fold: Duration,
    /// The rows begun in each hour.
    pub(super) begun: BTreeMap<u64, (u64, u64)>,
    /// What the events change of the daily counters.
    pub(super) counters: Counters,
}

/// A change of a row, before it has its number.
struct Change<'a> {
    at: Timestamp,
    status: Status,
    reason: &'a str,
    reply: &'a str,
    until: Option<Timestamp>,
    attempt: Option<&'a Attempt>,
}

impl Apply<'_> {
    /// Applies one event; `position` is the one behind it.
    pub(super) fn event(&mut self, position: Position, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Committed(envelope) => self.committed(position, envelope),
            Event::Settled(settlement) => self.settled(position, settlement),
            Event::Held { message, reason, at } => self.held(position, *message, *reason, *at),
            Event::Released { message, at } => self.released(position, *message, *at),
            Event::Noticed(notices) => {
                folded(notices, self.fold).iter().try_for_each(|notice| self.noticed(position, notice))
            }
        }
    }

    /// Writes what the whole batch gathered.
    pub(super) fn finish(self) -> rusqlite::Result<Progress> {
        hours::begin(self.transaction, &self.begun)?;
        counters::add(self.transaction, &self.counters)?;
        self.progress.write(self.transaction)?;
        Ok(self.progress)
    }

    fn committed(&mut self, position: Position, envelope: &Envelope) -> rusqlite::Result<()> {
        self.message(envelope)?;
        for (number, row) in (0..).zip(rows::accepted(envelope)) {
            self.insert(position, &row, Some(number), None)?;
        }
        Ok(())
    }

    fn message(&self, envelope: &Envelope) -> rusqlite::Result<()> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO messages
                (message, octets, header_octets, sha256, from_header, message_id, remote, client_name, tls)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        )?;
        let (facts, session) = (&envelope.facts, envelope.session.as_ref());
        insert
            .execute((
                envelope.message.0.to_be_bytes(),
                facts.octets,
                facts.header_octets,
                facts.sha256,
                &facts.from,
                &facts.message_id,
                session.map(|session| session.remote.to_string()),
                session.map(|session| &session.client_name),
                session.map(|session| &session.tls),
            ))
            .map(drop)
    }

    /// Begins a row; one that exists already stays as it is.
    fn insert(
        &mut self,
        position: Position,
        row: &ActivityRow,
        number: Option<u64>,
        notice: Option<&Notice>,
    ) -> rusqlite::Result<()> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO activity (row, applied, change, at, updated_at, status, recipient, recipient_domain, sender,
                subject, message, number, account, user, domain, session, remote, tls, reason, reply, reference,
                attempts, count, sandbox, held, events, tried)
            VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                0, ?21, ?22, NULL, 0, 0)
            ON CONFLICT (message, number) WHERE message IS NOT NULL DO NOTHING",
        )?;
        let domain = row.recipient.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
        let inserted = insert.execute(rusqlite::params![
            self.progress.row + 1,
            position.0,
            self.progress.change + 1,
            row.at.0,
            status_number(row.status),
            row.recipient,
            domain,
            row.sender,
            row.subject,
            row.message.map(|message| message.0.to_be_bytes()),
            number,
            row.account.number(),
            row.user.map(Id::number),
            row.domain.map(Id::number),
            row.session.map(|session| session.0.to_be_bytes()),
            notice.map(|notice| notice.remote.to_string()),
            notice.map(|notice| &notice.tls),
            row.reason,
            row.reply,
            row.reference,
            row.count,
            row.sandbox,
        ])?;
        if inserted > 0 {
            self.progress.row += 1;
            self.progress.change += 1;
            let number = self.progress.row;
            self.begun.entry(hours::of(row.at)).or_insert((number, number)).1 = number;
            self.counters.begin(Key::of(row), row.status);
        }
        Ok(())
    }

    fn settled(&mut self, position: Position, settlement: &Settlement) -> rusqlite::Result<()> {
        settlement.verdicts.iter().try_for_each(|verdict| self.verdict(position, settlement, verdict))
    }

    /// One that comes after the row's end changes nothing, as in the queue.
    fn verdict(&mut self, position: Position, settlement: &Settlement, verdict: &Verdict) -> rusqlite::Result<()> {
        let mut update = self.transaction.prepare_cached(
            "UPDATE activity SET applied = ?3, change = ?4, updated_at = ?5, status = ?6, events = events + 1,
                attempts = attempts + ?7, tried = iif(?7, events + 1, tried), held = iif(?8, NULL, held),
                sandbox = coalesce(?9, sandbox)
            WHERE message = ?1 AND number = ?2 AND applied < ?3 AND status IN (1, 2, 4)
            RETURNING row, events, held, at, account, domain, user",
        )?;
        let status = rows::status_of(verdict.outcome);
        let (sandbox, until) = match verdict.outcome {
            Outcome::Delivered { sandbox } => (Some(sandbox), None),
            Outcome::Deferred { until } => (None, Some(until)),
            _ => (None, None),
        };
        let values = rusqlite::params![
            settlement.message.0.to_be_bytes(),
            verdict.recipient,
            position.0,
            self.progress.change + 1,
            settlement.at.0,
            status_number(status),
            settlement.attempt.is_some(),
            verdict.outcome.is_final(),
            sandbox,
        ];
        let changed = update.query_row(values, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?, counted(row, 3)?))
        });
        let Some((row, number, held, key)) = changed.optional()? else { return Ok(()) };
        self.progress.change += 1;
        // it was in the queue, where every status counts alike
        self.counters.change(key, Status::Accepted, status);
        let change = Change {
            at: settlement.at,
            status,
            reason: &verdict.reason,
            reply: verdict.remote_reply.as_deref().unwrap_or_default(),
            until,
            attempt: settlement.attempt.as_ref(),
        };
        self.append(row, number, &change)?;
        match held {
            Some(reason) => self.hold_row(row, number + 1, from_word(reason)?, settlement.at),
            None => Ok(()),
        }
    }

    /// Adds an event to a row.
    fn append(&self, row: u64, number: u64, change: &Change<'_>) -> rusqlite::Result<()> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO events
                (row, number, at, status, reason, reply, until, attempted_at, milliseconds, host, remote, tls)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        let attempt = change.attempt;
        insert
            .execute((
                row,
                number,
                change.at.0,
                status_number(change.status),
                change.reason,
                change.reply,
                change.until.map(|until| until.0),
                attempt.map(|attempt| attempt.at.0),
                attempt.map(|attempt| attempt.milliseconds),
                attempt.map(|attempt| &attempt.host),
                attempt.and_then(|attempt| attempt.remote).map(|remote| remote.to_string()),
                attempt.map(|attempt| &attempt.tls),
            ))
            .map(drop)
    }

    fn held(
        &mut self,
        position: Position,
        message: MessageId,
        reason: HoldReason,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        for (row, events, _) in self.unsettled(position, message, "held IS NULL")? {
            self.touch(position, row)?;
            self.hold_row(row, events + 1, reason, at)?;
        }
        Ok(())
    }

    /// Shows a row as held.
    fn hold_row(&self, row: u64, number: u64, reason: HoldReason, at: Timestamp) -> rusqlite::Result<()> {
        let mut update = self.transaction.prepare_cached(
            "UPDATE activity SET updated_at = ?2, status = ?3, held = ?4, events = ?5 WHERE row = ?1",
        )?;
        let change = Change {
            at,
            status: Status::Pending,
            reason: rows::hold_words(reason),
            reply: "",
            until: None,
            attempt: None,
        };
        update.execute((row, at.0, status_number(change.status), word(&reason)?, number))?;
        self.append(row, number, &change)
    }

    fn released(&mut self, position: Position, message: MessageId, at: Timestamp) -> rusqlite::Result<()> {
        for (row, events, attempts) in self.unsettled(position, message, "held IS NOT NULL")? {
            self.touch(position, row)?;
            let mut update = self.transaction.prepare_cached(
                "UPDATE activity SET updated_at = ?2, status = ?3, held = NULL, events = ?4 WHERE row = ?1",
            )?;
            let status = rows::released_status(attempts);
            update.execute((row, at.0, status_number(status), events + 1))?;
            let change = Change { at, status, reason: rows::RELEASED_REASON, reply: "", until: None, attempt: None };
            self.append(row, events + 1, &change)?;
        }
        Ok(())
    }

    /// The rows of a message that the queue still has, with their counts of events and attempts.
    fn unsettled(&self, position: Position, message: MessageId, which: &str) -> rusqlite::Result<Vec<(u64, u64, u32)>> {
        let mut query = self.transaction.prepare_cached(&format!(
            "SELECT row, events, attempts FROM activity
            WHERE message = ?1 AND applied < ?2 AND status IN (1, 2, 4) AND {which} ORDER BY number"
        ))?;
        let found = query
            .query_map((message.0.to_be_bytes(), position.0), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        found.collect()
    }

    /// Marks a row as changed by the event before `position`.
    fn touch(&mut self, position: Position, row: u64) -> rusqlite::Result<()> {
        self.progress.change += 1;
        let mut update =
            self.transaction.prepare_cached("UPDATE activity SET applied = ?2, change = ?3 WHERE row = ?1")?;
        update.execute((row, position.0, self.progress.change)).map(drop)
    }

    fn noticed(&mut self, position: Position, notice: &Notice) -> rusqlite::Result<()> {
        match rows::rejected(notice) {
            Some(row) => self.rejected(position, notice, &row),
            None => self.connection(position, notice),
        }
    }

    fn rejected(&mut self, position: Position, notice: &Notice, row: &ActivityRow) -> rusqlite::Result<()> {
        let mut query = self.transaction.prepare_cached(
            "SELECT row, applied FROM activity INDEXED BY activity_by_refusal
            WHERE message IS NULL AND account = ?1 AND reference = ?2 AND lower(recipient) = lower(?3) AND at > ?4
                AND user IS ?5
            ORDER BY at DESC LIMIT 1",
        )?;
        let since = notice.at.0.saturating_sub(milliseconds(self.fold));
        let values = (row.account.number(), &row.reference, &row.recipient, since, row.user.map(Id::number));
        let alike = query.query_row(values, |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?))).optional()?;
        match alike {
            None => self.insert(position, row, None, Some(notice)),
            Some((_, applied)) if applied >= position.0 => Ok(()),
            Some((known, _)) => {
                self.touch(position, known)?;
                let mut update = self.transaction.prepare_cached(
                    "UPDATE activity SET count = count + ?2, updated_at = max(updated_at, ?3) WHERE row = ?1",
                )?;
                update.execute((known, row.count, notice.at.0)).map(drop)
            }
        }
    }

    fn connection(&mut self, position: Position, notice: &Notice) -> rusqlite::Result<()> {
        let mut query = self.transaction.prepare_cached(
            "SELECT row, applied FROM connections INDEXED BY connections_alike
            WHERE remote = ?1 AND reference = ?2 AND username = ?3 AND at > ?4 AND account IS ?5 AND user IS ?6
            ORDER BY at DESC LIMIT 1",
        )?;
        let since = notice.at.0.saturating_sub(milliseconds(self.fold));
        let (account, user) = (notice.account.map(Id::number), notice.user.map(Id::number));
        let values = (notice.remote.to_string(), &notice.reference, &notice.username, since, account, user);
        let alike = query.query_row(values, |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?))).optional()?;
        match alike {
            None => self.insert_connection(position, notice),
            Some((_, applied)) if applied >= position.0 => Ok(()),
            Some((known, _)) => {
                let mut update = self.transaction.prepare_cached(
                    "UPDATE connections SET applied = ?2, count = count + ?3, updated_at = max(updated_at, ?4)
                    WHERE row = ?1",
                )?;
                update.execute((known, position.0, notice.count.max(1), notice.at.0)).map(drop)
            }
        }
    }

    fn insert_connection(&mut self, position: Position, notice: &Notice) -> rusqlite::Result<()> {
        self.progress.connection += 1;
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO connections (row, applied, at, updated_at, kind, account, user, domain, username, session,
                remote, tls, sender, recipient, subject, reference, reply, reason, count)
            VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?;
        insert
            .execute(rusqlite::params![
                self.progress.connection,
                position.0,
                notice.at.0,
                word(&notice.kind)?,
                notice.account.map(Id::number),
                notice.user.map(Id::number),
                notice.domain.map(Id::number),
                notice.username,
                notice.session.0.to_be_bytes(),
                notice.remote.to_string(),
                notice.tls,
                notice.sender,
                notice.recipient,
                notice.subject,
                notice.reference,
                notice.reply,
                notice.reason,
                notice.count.max(1),
            ])
            .map(drop)
    }
}

/// Where a recipient counts, from four columns: when it was accepted, account, domain, SMTP user.
fn counted(row: &Row<'_>, first: usize) -> rusqlite::Result<Key> {
    Ok(Key::new(
        Timestamp(row.get(first)?),
        Id::new(row.get(first + 1)?),
        row.get::<_, Option<u64>>(first + 2)?.map(Id::new),
        row.get::<_, Option<u64>>(first + 3)?.map(Id::new),
    ))
}

/// Refusals of one event with those alike made one: they share a position, by which a row knows what it has had.
fn folded(notices: &[Notice], fold: Duration) -> Vec<Notice> {
    let mut folded: Vec<Notice> = Vec::with_capacity(notices.len());
    for notice in notices {
        match folded.iter_mut().find(|known| is_alike(known, notice) && notice.at.since(known.at) < fold) {
            Some(known) => known.count = known.count.max(1) + notice.count.max(1),
            None => folded.push(notice.clone()),
        }
    }
    folded
}

fn is_alike(a: &Notice, b: &Notice) -> bool {
    match (rows::rejected(a), rows::rejected(b)) {
        (Some(a), Some(b)) => rows::alike_rows(&a, &b),
        (None, None) => rows::alike_connections(a, b),
        _ => false,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
