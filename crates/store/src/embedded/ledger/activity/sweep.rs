//! Rows of some accounts go before those of others: of accounts that keep them for fewer days, and of those that are
//! deleted. Each account's are found by the index, a part at a time; rows whose mail is in the queue stay until it has left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use relay::account::Account;
use relay::activity::Status;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::columns::status_number;
use super::prune::{self, GROUPS_MAX};
use super::{File, calls, hours, parts};

/// How often is looked for what has become old, where nothing else gives cause to.
const DELAY: Duration = Duration::from_secs(3600);
/// Rows of Connections and counters that go in one step.
const STEP: u64 = 250;
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// The statuses of mail in the queue, as bits.
pub(super) fn in_the_queue() -> u8 {
    [Status::Accepted, Status::Pending, Status::Deferred].map(|status| 1 << status_number(status)).iter().sum()
}

/// Accounts by for how many days they keep their rows; none: not at all, they are deleted.
type Goals = BTreeMap<Option<u64>, BTreeSet<u64>>;

/// The goals that a directory sets, where the relay keeps rows for so long.
fn goals(directory: &Directory, keep: Duration) -> Goals {
    let mut goals = Goals::new();
    for account in directory.accounts.values() {
        if let Some(days) = account.activity_days.filter(|days| Duration::from_secs(days * 86_400) < keep) {
            goals.entry(Some(days)).or_default().insert(account.id.number());
        }
    }
    if !directory.leaving.is_empty() {
        goals.insert(None, directory.leaving.keys().map(|account| account.number()).collect());
    }
    goals
}

/// One goal on its way.
struct Sweep {
    days: Option<u64>,
    accounts: BTreeSet<u64>,
    /// Rows up to this one were looked through.
    row: u64,
    /// The same, of which none is left but those that came later; below [`Sweep::row`] where mail was in the queue.
    clean: Option<u64>,
}

/// Where the work stands.
enum Phase {
    /// Nothing is to be done before this moment; none: nothing was done yet.
    Idle(Option<Instant>),
    Sweeping(Vec<Sweep>),
    /// Parts that lost rows are indexed anew.
    Renewing,
}

/// What is to go, and how far that has come.
pub(super) struct Sweeps {
    goals: Goals,
    /// The rows up to which each goal is reached, since the start, and for which accounts.
    reached: BTreeMap<Option<u64>, (BTreeSet<u64>, u64)>,
    phase: Phase,
}

impl Sweeps {
    /// Nothing was looked at yet.
    pub(super) fn new() -> Self {
        Sweeps { goals: Goals::new(), reached: BTreeMap::new(), phase: Phase::Idle(None) }
    }

    /// Does a part of the work: some milliseconds, as long as a batch where a part is indexed anew. Returns whether there
    /// is more to do now; none: all is done, for the first time since there was.
    pub(super) fn step(
        &mut self,
        file: &mut File,
        directory: &Directory,
        keep: Duration,
        now: Timestamp,
    ) -> rusqlite::Result<Option<bool>> {
        let File { writer, merges, .. } = file;
        self.begin(directory, keep);
        // what is left of those that are deleted is gone from the file, and not only from its tables
        let is_secret = self.goals.contains_key(&None) || matches!(self.phase, Phase::Renewing);
        writer.pragma_update(None, "secure_delete", is_secret)?;
        let transaction = writer.transaction()?;
        let mut done = Some(true);
        match &mut self.phase {
            Phase::Idle(_) => done = Some(false),
            Phase::Sweeping(under_way) => match under_way.last_mut() {
                None => self.phase = Phase::Renewing,
                Some(sweep) => {
                    if !sweep.step(&transaction, now)? {
                        let row = sweep.clean.map_or(sweep.row, |clean| clean.min(sweep.row));
                        self.reached.insert(sweep.days, (std::mem::take(&mut sweep.accounts), row));
                        under_way.pop();
                    }
                }
            },
            Phase::Renewing => {
                if !merges.renew(&transaction)? {
                    self.phase = Phase::Idle(Some(Instant::now() + DELAY));
                    done = None;
                }
            }
        }
        transaction.commit().inspect_err(|_| merges.give_up())?;
        Ok(done)
    }

    /// Begins with all goals, where it is time or they are others.
    fn begin(&mut self, directory: &Directory, keep: Duration) {
        let goals = goals(directory, keep);
        let is_due = matches!(self.phase, Phase::Idle(due) if due.is_none_or(|due| due <= Instant::now()));
        if !is_due && goals == self.goals {
            return;
        }
        let under_way =
            if let Phase::Sweeping(under_way) = &mut self.phase { std::mem::take(under_way) } else { Vec::new() };
        let sweep = |(days, accounts): (&Option<u64>, &BTreeSet<u64>)| {
            // an account that has come to it may have rows from long before
            let is_for = |known: &BTreeSet<u64>| accounts.is_subset(known);
            let begun = under_way.iter().find(|sweep| sweep.days == *days && is_for(&sweep.accounts));
            let reached = self.reached.get(days).filter(|(known, _)| is_for(known));
            let (row, clean) = match (begun, reached) {
                (Some(begun), _) => (begun.row, begun.clean),
                (None, reached) => (reached.map_or(0, |(_, row)| *row), None),
            };
            Sweep { days: *days, accounts: accounts.clone(), row, clean }
        };
        self.phase = Phase::Sweeping(goals.iter().map(sweep).collect());
        self.goals = goals;
    }
}

impl Sweep {
    /// Some rows go. Returns whether there may be more.
    fn step(&mut self, writer: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<bool> {
        let before = self.days.map(|days| Timestamp(now.0.saturating_sub(days * DAY)));
        let last = match before {
            Some(before) => hours::last_row_until(writer, before)?,
            None => Some(last_row(writer)?),
        };
        if let Some(last) = last.filter(|last| *last > self.row) {
            self.rows(writer, before, last)?;
            return Ok(true);
        }
        let moment = before.unwrap_or(Timestamp(i64::MAX as u64));
        for account in &self.accounts {
            let connections = connections(writer, *account, moment)?;
            if connections || calls::forget_before(writer, *account, moment)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks through a stretch of rows.
    fn rows(&mut self, writer: &Transaction<'_>, before: Option<Timestamp>, last: u64) -> rusqlite::Result<()> {
        let part = parts::from(writer, self.row + 1)?;
        let (end, mut groups) = match part {
            Some(part) => (part.last.min(last), parts::groups_of_accounts(writer, part, &self.accounts)?),
            None => (last, self.unindexed(writer, last)?),
        };
        groups.retain(|group| *group > self.row && *group <= end);
        let has_all = groups.len() <= GROUPS_MAX;
        groups.truncate(GROUPS_MAX);
        let mut gone = Vec::new();
        let mut query = writer
            .prepare_cached("SELECT statuses, message IS NULL, body, at, account FROM row_groups WHERE row = ?1")?;
        for group in &groups {
            let is_gone = query.query_row([group], |columns| {
                let statuses: u8 = columns.get(0)?;
                let is_old = before.is_none_or(|before| columns.get::<_, u64>(3).is_ok_and(|at| at < before.0));
                if !is_old || !self.accounts.contains(&columns.get(4)?) || statuses & in_the_queue() != 0 {
                    return Ok(false);
                }
                prune::forget(writer, *group, statuses, columns.get(1)?, columns.get_ref(2)?.as_blob()?)?;
                Ok(true)
            });
            match is_gone.optional()? {
                Some(true) => gone.push(*group),
                // it stays, and is looked at again
                Some(false) => self.clean = Some(self.clean.map_or(group - 1, |clean| clean.min(group - 1))),
                None => {}
            }
        }
        prune::delete(writer, &gone)?;
        self.row = if has_all { end } else { groups.last().copied().unwrap_or(end) };
        Ok(())
    }

    /// Groups of these accounts that are in no part yet: as many as make one, at the most.
    fn unindexed(&self, reader: &Connection, last: u64) -> rusqlite::Result<Vec<u64>> {
        let mut query = reader.prepare_cached("SELECT row, account FROM row_groups WHERE row > ?1 AND row <= ?2")?;
        let groups = query.query_map((self.row, last), |row| Ok((row.get(0)?, row.get::<_, u64>(1)?)))?;
        let groups = groups.filter(|group| group.as_ref().map_or(true, |(_, account)| self.accounts.contains(account)));
        groups.map(|group| group.map(|(row, _)| row)).collect()
    }
}

pub(super) fn last_row(reader: &Connection) -> rusqlite::Result<u64> {
    reader.query_row("SELECT row FROM progress", [], |row| row.get(0))
}

/// Some old rows of Connections of an account go. Returns whether there may be more.
fn connections(writer: &Connection, account: u64, before: Timestamp) -> rusqlite::Result<bool> {
    let mut delete = writer.prepare_cached(
        "DELETE FROM connections WHERE row IN
            (SELECT row FROM connections WHERE account = ?1 ORDER BY row LIMIT ?3) AND at < ?2",
    )?;
    Ok(delete.execute((account, before.0, STEP))? as u64 == STEP)
}

/// Whether anything but counters is left of an account: a look through the whole index.
pub(super) fn has_rows(writer: &Connection, account: Id<Account>) -> rusqlite::Result<bool> {
    let account = account.number();
    let of = BTreeSet::from([account]);
    let mut row = 0;
    while let Some(part) = parts::from(writer, row + 1)? {
        let groups = parts::groups_of_accounts(writer, part, &of)?;
        if is_any_there(writer, &groups)? {
            return Ok(true);
        }
        row = part.last;
    }
    let left = Sweep { days: None, accounts: of, row, clean: None };
    let is_left = !left.unindexed(writer, last_row(writer)?)?.is_empty();
    let others = "SELECT EXISTS (SELECT 1 FROM connections WHERE account = ?1)
        OR EXISTS (SELECT 1 FROM webhook_standings WHERE account = ?1)";
    Ok(is_left || writer.prepare_cached(others)?.query_row([account], |row| row.get(0))?)
}

/// Some counters of an account go. Returns whether there may be more.
pub(super) fn forget_counters(writer: &Connection, account: Id<Account>) -> rusqlite::Result<bool> {
    let mut delete = writer.prepare_cached(
        "DELETE FROM counters WHERE (account, day, domain, user) IN
            (SELECT account, day, domain, user FROM counters WHERE account = ?1 LIMIT ?2)",
    )?;
    Ok(delete.execute((account.number(), STEP))? as u64 == STEP)
}

fn is_any_there(reader: &Connection, groups: &[u64]) -> rusqlite::Result<bool> {
    let mut query = reader.prepare_cached("SELECT EXISTS (SELECT 1 FROM row_groups WHERE row = ?1)")?;
    for group in groups {
        if query.query_row([group], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}
