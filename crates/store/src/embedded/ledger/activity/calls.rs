//! Calls to webhooks: made in the transaction of the rows that they tell of, kept until they are taken, then for a while in a
//! log.
//!
//! Of each webhook the standing says how many wait and how many are in the log, so that both are bounded without counting.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use relay::account::Account;
use relay::activity::ActivityRow;
use relay::clock::Timestamp;
use relay::cursor::CursorKey;
use relay::directory::Directory;
use relay::id::Id;
use relay::webhook::{
    self, Bounds, Call, CallId, CallState, NewCall, Outlook, RETRY_FOR, Redo, Standing, Tried, Try, Verdict, Webhook,
};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::embedded::sqlite::{from_word, named, word};
use crate::rows::tells_of;

/// Calls that go in one step: some milliseconds.
const STEP: u64 = 250;

const COLUMNS: &str = "SELECT number, webhook, account, call, event, at, body, state, due, until, attempts, tried_at,
    milliseconds, status, fault, answer FROM webhook_calls";

/// Who wants to hear what becomes of rows.
pub(super) struct Listeners {
    directory: Arc<Directory>,
    numbers: Arc<CursorKey>,
    bounds: Bounds,
}

impl Listeners {
    /// Those of a directory; none where it has no webhook, so that nothing is asked for each event.
    pub(super) fn of(directory: &Arc<Directory>, numbers: &Arc<CursorKey>, bounds: Bounds) -> Option<Listeners> {
        let someone = !directory.webhooks.is_empty();
        someone.then(|| Listeners { directory: Arc::clone(directory), numbers: Arc::clone(numbers), bounds })
    }

    /// Whether rows of an account are told to anybody.
    pub(super) fn hear(&self, account: u64) -> bool {
        self.directory.webhooks_of(Id::new(account)).next().is_some()
    }

    /// The calls that a row gives rise to that has come into its status; `place` is the recipient's in its message.
    pub(super) fn calls(&self, row: &ActivityRow, place: u32) -> Vec<NewCall> {
        let webhooks = self.directory.webhooks_of(row.account).map(AsRef::as_ref);
        webhook::calls(webhooks, row, place, &self.numbers)
    }

    /// Keeps calls, as far as there is room. Returns how many.
    pub(super) fn keep(&self, writer: &Connection, calls: &[NewCall]) -> rusqlite::Result<u64> {
        put(writer, calls, self.bounds)
    }
}

/// What is counted of a webhook.
#[derive(Clone, Copy, Default)]
struct Count {
    account: u64,
    standing: Standing,
    /// Calls in the log.
    ended: u64,
}

impl Count {
    fn read(reader: &Connection, webhook: u64) -> rusqlite::Result<Option<Count>> {
        let mut query = reader.prepare_cached(
            "SELECT account, waiting, ended, dropped, dropped_at FROM webhook_standings WHERE webhook = ?1",
        )?;
        let count = query.query_row([webhook], |row| {
            let dropped_at = row.get::<_, Option<u64>>(4)?.map(Timestamp);
            let standing = Standing { waiting: row.get(1)?, dropped: row.get(3)?, dropped_at };
            Ok(Count { account: row.get(0)?, standing, ended: row.get(2)? })
        });
        count.optional()
    }

    fn write(self, writer: &Connection, webhook: u64) -> rusqlite::Result<()> {
        let mut upsert = writer.prepare_cached(
            "INSERT INTO webhook_standings (webhook, account, waiting, ended, dropped, dropped_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (webhook) DO UPDATE SET waiting = ?3, ended = ?4, dropped = ?5, dropped_at = ?6",
        )?;
        let Count { account, standing: Standing { waiting, dropped, dropped_at }, ended } = self;
        upsert.execute((webhook, account, waiting, ended, dropped, dropped_at.map(|at| at.0))).map(drop)
    }

    /// So many calls that waited are in the log.
    fn end(&mut self, calls: u64) {
        self.standing.waiting = self.standing.waiting.saturating_sub(calls);
        self.ended += calls;
    }

    /// So many calls of the log wait again.
    fn begin_again(&mut self, calls: u64) {
        self.ended = self.ended.saturating_sub(calls);
        self.standing.waiting += calls;
    }

    /// The oldest calls of the log go.
    fn trim(&mut self, writer: &Connection, webhook: u64, bounds: Bounds) -> rusqlite::Result<()> {
        let Some(more) = self.ended.checked_sub(bounds.log_max).filter(|more| *more > 0) else { return Ok(()) };
        let mut delete = writer.prepare_cached(
            "DELETE FROM webhook_calls WHERE number IN
                (SELECT number FROM webhook_calls WHERE webhook = ?1 AND state <> 0 ORDER BY number LIMIT ?2)",
        )?;
        self.ended -= delete.execute((webhook, more))? as u64;
        Ok(())
    }
}

/// Keeps calls, as far as there is room; what has none is counted. Returns how many are kept. One that is there changes
/// nothing.
pub(crate) fn put(writer: &Connection, calls: &[NewCall], bounds: Bounds) -> rusqlite::Result<u64> {
    let mut counts: HashMap<u64, Count> = HashMap::new();
    let mut insert = writer.prepare_cached(
        "INSERT INTO webhook_calls (webhook, account, call, event, at, body, state, due, until, attempts, fault, answer)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?5, ?7, 0, '', '') ON CONFLICT DO NOTHING",
    )?;
    let mut kept = 0;
    for call in calls {
        let (webhook, account) = (call.webhook.number(), call.account.number());
        let count = match counts.entry(webhook) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let count = Count::read(writer, webhook)?;
                vacant.insert(count.unwrap_or(Count { account, ..Count::default() }))
            }
        };
        if count.standing.waiting >= bounds.waiting_max {
            count.standing.dropped += 1;
            count.standing.dropped_at = Some(call.at);
            continue;
        }
        let until = call.at.after(RETRY_FOR).0;
        let values = (webhook, account, call.call.0, word(&call.event)?, call.at.0, &call.body, until);
        let inserted = insert.execute(values)? as u64;
        count.standing.waiting += inserted;
        kept += inserted;
    }
    counts.into_iter().try_for_each(|(webhook, count)| count.write(writer, webhook))?;
    Ok(kept)
}

/// Keeps what came of attempts.
pub(crate) fn tried(writer: &Connection, tried: &[Tried], bounds: Bounds) -> rusqlite::Result<()> {
    let mut update = writer.prepare_cached(
        "UPDATE webhook_calls SET state = ?4, due = coalesce(?5, due), attempts = attempts + 1, tried_at = ?6,
            milliseconds = ?7, status = ?8, fault = ?9, answer = ?10
        WHERE number = ?1 AND webhook = ?2 AND call = ?3 AND state = 0",
    )?;
    let mut ended: HashMap<u64, u64> = HashMap::new();
    for Tried { webhook, number, call, last, verdict } in tried {
        let (state, due) = match verdict {
            Verdict::Again(due) => (CallState::Waiting, Some(due.0)),
            Verdict::Delivered => (CallState::Delivered, None),
            Verdict::Failed | Verdict::Gone => (CallState::Failed, None),
        };
        let Try { at, milliseconds, status, fault, answer } = last;
        let of = (*number, webhook.number(), call.0, state_number(state), due);
        let changed = update.execute((of.0, of.1, of.2, of.3, of.4, at.0, milliseconds, status, fault, answer))?;
        if state != CallState::Waiting {
            *ended.entry(webhook.number()).or_default() += changed as u64;
        }
    }
    for (webhook, calls) in ended {
        count(writer, webhook, bounds, |count| count.end(calls))?;
    }
    Ok(())
}

/// Changes what is counted of a webhook; what is too much in its log goes.
fn count(writer: &Connection, webhook: u64, bounds: Bounds, change: impl FnOnce(&mut Count)) -> rusqlite::Result<()> {
    let Some(mut count) = Count::read(writer, webhook)? else { return Ok(()) };
    change(&mut count);
    count.trim(writer, webhook, bounds)?;
    count.write(writer, webhook)
}

/// Gives up the calls that have waited for too long. Returns how many.
pub(crate) fn expire(writer: &Connection, now: Timestamp, bounds: Bounds) -> rusqlite::Result<u64> {
    let mut expired = 0;
    for webhook in webhooks(writer, "WHERE waiting > 0")? {
        let mut update = writer.prepare_cached(
            "UPDATE webhook_calls SET state = 2 WHERE webhook = ?1 AND state = 0 AND due <= ?2 AND until <= ?2",
        )?;
        let calls = update.execute((webhook, now.0))? as u64;
        if calls > 0 {
            count(writer, webhook, bounds, |count| count.end(calls))?;
        }
        expired += calls;
    }
    Ok(expired)
}

fn webhooks(reader: &Connection, so: &str) -> rusqlite::Result<Vec<u64>> {
    let mut query = reader.prepare_cached(&format!("SELECT webhook FROM webhook_standings {so}"))?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// Why calls do not wait again.
pub(crate) enum NotAgain {
    /// The one that is meant is not there.
    Gone,
    /// So many wait already.
    Full,
}

/// Makes calls wait again, due now, as far as there is room. Returns how many.
pub(crate) fn redo(
    writer: &Connection,
    webhook: Id<Webhook>,
    which: Redo,
    now: Timestamp,
    bounds: Bounds,
) -> rusqlite::Result<Result<u64, NotAgain>> {
    let webhook = webhook.number();
    let count = Count::read(writer, webhook)?;
    let room = bounds.waiting_max.saturating_sub(count.map_or(0, |count| count.standing.waiting));
    let until = now.after(RETRY_FOR).0;
    let begun = match which {
        Redo::One(call) => {
            let state = "SELECT state FROM webhook_calls WHERE webhook = ?1 AND call = ?2";
            let state: Option<u8> = writer.query_row(state, (webhook, call.0), |row| row.get(0)).optional()?;
            if state.is_none() || state != Some(0) && room == 0 {
                return Ok(Err(if state.is_none() { NotAgain::Gone } else { NotAgain::Full }));
            }
            // one that waits is due at once, and given up when it would have been
            writer.execute(
                "UPDATE webhook_calls SET due = ?3, until = iif(state = 0, until, ?4), attempts = iif(state = 0, attempts, 0),
                    state = 0 WHERE webhook = ?1 AND call = ?2",
                (webhook, call.0, now.0, until),
            )?;
            u64::from(state != Some(0))
        }
        Redo::FailedSince(since) => writer.execute(
            "UPDATE webhook_calls SET state = 0, due = ?2, until = ?3, attempts = 0 WHERE number IN
                (SELECT number FROM webhook_calls WHERE webhook = ?1 AND state = 2 AND at >= ?4 ORDER BY number LIMIT ?5)",
            (webhook, now.0, until, since.0, named(room)),
        )? as u64,
    };
    if let Some(mut count) = count {
        count.begin_again(begun);
        count.write(writer, webhook)?;
    }
    Ok(Ok(if matches!(which, Redo::One(_)) { 1 } else { begun }))
}

/// Some old calls of logs go, and some of webhooks that are gone. Returns whether there may be more.
pub(super) fn tidy(writer: &Connection, directory: &Directory, before: Timestamp) -> rusqlite::Result<bool> {
    let there: HashSet<u64> = directory.webhooks.keys().map(|(_, webhook)| webhook.number()).collect();
    let mut more = false;
    for webhook in webhooks(writer, "")?.into_iter().filter(|webhook| !there.contains(webhook)) {
        let mut delete = writer.prepare_cached(
            "DELETE FROM webhook_calls WHERE number IN (SELECT number FROM webhook_calls WHERE webhook = ?1 LIMIT ?2)",
        )?;
        if delete.execute((webhook, STEP))? as u64 == STEP {
            return Ok(true);
        }
        writer.execute("DELETE FROM webhook_standings WHERE webhook = ?1", [webhook])?;
    }
    let mut old = writer.prepare_cached(
        "DELETE FROM webhook_calls WHERE number IN
            (SELECT number FROM webhook_calls WHERE state <> 0 AND at < ?1 LIMIT ?2) RETURNING webhook",
    )?;
    let mut gone: HashMap<u64, u64> = HashMap::new();
    let mut rows = old.query((before.0, STEP))?;
    while let Some(row) = rows.next()? {
        *gone.entry(row.get(0)?).or_default() += 1;
    }
    for (webhook, calls) in gone {
        more |= calls == STEP;
        let Some(mut count) = Count::read(writer, webhook)? else { continue };
        count.ended = count.ended.saturating_sub(calls);
        count.write(writer, webhook)?;
    }
    Ok(more)
}

/// Some old calls go of the logs of an account's webhooks. Returns whether there may be more.
pub(super) fn forget_before(writer: &Connection, account: u64, before: Timestamp) -> rusqlite::Result<bool> {
    for webhook in of_account(writer, account)? {
        let mut old = writer.prepare_cached(
            "DELETE FROM webhook_calls WHERE number IN
                (SELECT number FROM webhook_calls WHERE webhook = ?1 AND state <> 0 AND at < ?2 ORDER BY number LIMIT ?3)",
        )?;
        let gone = old.execute((webhook, before.0, STEP))? as u64;
        take_off(writer, webhook, 0, gone)?;
        if gone == STEP {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The webhooks of an account that ever had calls, by number.
pub(super) fn of_account(reader: &Connection, account: u64) -> rusqlite::Result<Vec<u64>> {
    webhooks(reader, &format!("WHERE account = {account} ORDER BY webhook"))
}

/// The calls of a webhook that tell of a recipient are gone. Returns how many.
pub(super) fn forget_recipient(writer: &Connection, webhook: u64, recipient: &str) -> rusqlite::Result<u64> {
    let mut query = writer.prepare_cached("SELECT number, state, body FROM webhook_calls WHERE webhook = ?1")?;
    let mut calls = query.query([webhook])?;
    let (mut waited, mut numbers) = (0, Vec::new());
    while let Some(call) = calls.next()? {
        if tells_of(call.get_ref(2)?.as_str()?, recipient) {
            waited += u64::from(call.get::<_, u8>(1)? == 0);
            numbers.push(call.get::<_, u64>(0)?);
        }
    }
    let mut delete = writer.prepare_cached("DELETE FROM webhook_calls WHERE number = ?1")?;
    for number in &numbers {
        delete.execute([number])?;
    }
    let gone = numbers.len() as u64;
    take_off(writer, webhook, waited, gone - waited)?;
    Ok(gone)
}

/// So many calls that waited are gone, and so many of the log.
fn take_off(writer: &Connection, webhook: u64, waited: u64, ended: u64) -> rusqlite::Result<()> {
    if waited + ended == 0 {
        return Ok(());
    }
    let Some(mut count) = Count::read(writer, webhook)? else { return Ok(()) };
    count.standing.waiting = count.standing.waiting.saturating_sub(waited);
    count.ended = count.ended.saturating_sub(ended);
    count.write(writer, webhook)
}

/// The webhooks that have calls that wait.
pub(crate) fn outlooks(reader: &Connection) -> rusqlite::Result<Vec<Outlook>> {
    let mut query = reader.prepare_cached(
        "SELECT webhook, account, waiting,
            (SELECT min(due) FROM webhook_calls WHERE webhook_calls.webhook = webhook_standings.webhook AND state = 0)
        FROM webhook_standings WHERE waiting > 0",
    )?;
    let outlooks = query.query_map([], |row| {
        let (webhook, account): (u64, u64) = (row.get(0)?, row.get(1)?);
        let due = Timestamp(row.get::<_, Option<u64>>(3)?.unwrap_or_default());
        Ok(Outlook { webhook: Id::new(webhook), account: Id::<Account>::new(account), waiting: row.get(2)?, due })
    })?;
    outlooks.collect()
}

/// How the calls of each webhook stand.
pub(crate) fn standings(reader: &Connection) -> rusqlite::Result<HashMap<Id<Webhook>, Standing>> {
    let mut query = reader.prepare_cached("SELECT webhook, waiting, dropped, dropped_at FROM webhook_standings")?;
    let standings = query.query_map([], |row| {
        let dropped_at = row.get::<_, Option<u64>>(3)?.map(Timestamp);
        Ok((Id::new(row.get(0)?), Standing { waiting: row.get(1)?, dropped: row.get(2)?, dropped_at }))
    })?;
    standings.collect()
}

/// Calls of a webhook that are due, the first first.
pub(crate) fn due(
    reader: &Connection,
    webhook: Id<Webhook>,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Call>> {
    let so = "WHERE webhook = ?1 AND state = 0 AND due <= ?2 ORDER BY due, number LIMIT ?3";
    let mut query = reader.prepare_cached(&format!("{COLUMNS} {so}"))?;
    query.query_map((webhook.number(), now.0, named(limit as u64)), call)?.collect()
}

/// The calls of a webhook, the newest first.
pub(crate) fn log(
    reader: &Connection,
    webhook: Id<Webhook>,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<Call>> {
    let so = "WHERE webhook = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
    let mut query = reader.prepare_cached(&format!("{COLUMNS} {so}"))?;
    let before = before.map_or(i64::MAX, named);
    query.query_map((webhook.number(), before, named(limit as u64)), call)?.collect()
}

/// One call of a webhook.
pub(crate) fn one(reader: &Connection, webhook: Id<Webhook>, id: CallId) -> rusqlite::Result<Option<Call>> {
    let mut query = reader.prepare_cached(&format!("{COLUMNS} WHERE webhook = ?1 AND call = ?2"))?;
    query.query_row((webhook.number(), id.0), call).optional()
}

fn state_number(state: CallState) -> u8 {
    match state {
        CallState::Waiting => 0,
        CallState::Delivered => 1,
        CallState::Failed => 2,
    }
}

fn call(row: &Row<'_>) -> rusqlite::Result<Call> {
    let last = row.get::<_, Option<u64>>(11)?.map(|at| {
        Ok::<_, rusqlite::Error>(Try {
            at: Timestamp(at),
            milliseconds: row.get(12)?,
            status: row.get(13)?,
            fault: row.get(14)?,
            answer: row.get(15)?,
        })
    });
    Ok(Call {
        number: row.get(0)?,
        new: NewCall {
            webhook: Id::new(row.get(1)?),
            account: Id::new(row.get(2)?),
            call: CallId(row.get(3)?),
            event: from_word(row.get(4)?)?,
            at: Timestamp(row.get(5)?),
            body: row.get(6)?,
        },
        state: match row.get::<_, u8>(7)? {
            0 => CallState::Waiting,
            1 => CallState::Delivered,
            _ => CallState::Failed,
        },
        due: Timestamp(row.get(8)?),
        until: Timestamp(row.get(9)?),
        attempts: row.get(10)?,
        last: last.transpose()?,
    })
}
