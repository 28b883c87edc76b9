//! The daily counters as a table: added to by key, read by days, forgotten after their months.

use std::collections::BTreeMap;

use relay::account::Account;
use relay::activity::DailyCount;
use relay::clock::{Day, Timestamp};
use relay::id::Id;
use relay::quota::{Charge, Charges};
use relay::service::SYSTEM_ACCOUNT;
use rusqlite::{Connection, Row};

use crate::counters::{Counters, Key, Tally};
use crate::embedded::sqlite::named;

/// Adds what a batch changed, one write for each key.
pub(super) fn add(writer: &Connection, changed: &Counters) -> rusqlite::Result<()> {
    let mut upsert = writer.prepare_cached(
        "INSERT INTO counters (account, day, domain, user, accepted, delivered, soft_bounced, hard_bounced, complained)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT DO UPDATE SET accepted = accepted + ?5, delivered = delivered + ?6,
            soft_bounced = soft_bounced + ?7, hard_bounced = hard_bounced + ?8, complained = complained + ?9",
    )?;
    let mut days: BTreeMap<Day, Tally> = BTreeMap::new();
    for (key, tally) in changed.iter() {
        days.entry(key.day).or_default().add(tally, 1);
    }
    let mut upsert_day = writer.prepare_cached(
        "INSERT INTO day_counters (day, accepted, delivered, soft_bounced, hard_bounced, complained)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT DO UPDATE SET accepted = accepted + ?2, delivered = delivered + ?3,
            soft_bounced = soft_bounced + ?4, hard_bounced = hard_bounced + ?5, complained = complained + ?6",
    )?;
    for (day, tally) in days {
        let Tally { accepted, delivered, soft_bounced, hard_bounced, complained } = tally;
        upsert_day.execute((day.0, accepted, delivered, soft_bounced, hard_bounced, complained))?;
    }
    changed.iter().try_for_each(|(key, tally)| {
        let Tally { accepted, delivered, soft_bounced, hard_bounced, complained } = tally;
        let (domain, user) = (key.domain.map_or(0, Id::number), key.user.map_or(0, Id::number));
        let (account, day) = (key.account.number(), key.day.0);
        upsert
            .execute((account, day, domain, user, accepted, delivered, soft_bounced, hard_bounced, complained))
            .map(drop)
    })
}

/// The counters of these days, both included, by day, account, domain and SMTP user.
pub(crate) fn sent(
    reader: &Connection,
    account: Option<Id<Account>>,
    since: Day,
    until: Day,
) -> rusqlite::Result<Vec<DailyCount>> {
    const COLUMNS: &str =
        "SELECT account, day, domain, user, accepted, delivered, soft_bounced, hard_bounced, complained";
    match account {
        Some(account) => reader
            .prepare_cached(&format!(
                "{COLUMNS} FROM counters WHERE account = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day, domain, user"
            ))?
            .query_map((named(account.number()), named(since.0), named(until.0)), count)?
            .collect(),
        None => reader
            .prepare_cached(&format!(
                "{COLUMNS} FROM counters WHERE day BETWEEN ?1 AND ?2 ORDER BY day, account, domain, user"
            ))?
            .query_map((named(since.0), named(until.0)), count)?
            .collect(),
    }
}

/// What all accounts together sent on these days, both included.
pub(crate) fn sent_by_all(reader: &Connection, since: Day, until: Day) -> rusqlite::Result<Vec<DailyCount>> {
    let mut query = reader.prepare_cached(
        "SELECT 0, day, 0, 0, accepted, delivered, soft_bounced, hard_bounced, complained FROM day_counters
        WHERE day BETWEEN ?1 AND ?2 ORDER BY day",
    )?;
    query.query_map((named(since.0), named(until.0)), count)?.collect()
}

/// Recipients accepted by account and day, without the system account, which has no quota.
pub(super) fn accepted(reader: &Connection) -> rusqlite::Result<Charges> {
    let query = "SELECT account, day, sum(accepted) FROM counters WHERE account <> ?1 GROUP BY account, day";
    let mut query = reader.prepare(query)?;
    let charges = query.query_map([SYSTEM_ACCOUNT.number()], |row| {
        Ok(Charge { account: Id::new(row.get(0)?), day: Day(row.get(1)?), recipients: row.get(2)? })
    })?;
    let mut sums = Charges::default();
    sums.extend(charges.collect::<rusqlite::Result<Vec<_>>>()?);
    Ok(sums)
}

fn count(row: &Row<'_>) -> rusqlite::Result<DailyCount> {
    let some = |number: u64| (number != 0).then_some(number);
    let key = Key {
        account: Id::new(row.get(0)?),
        day: Day(row.get(1)?),
        domain: some(row.get(2)?).map(Id::new),
        user: some(row.get(3)?).map(Id::new),
    };
    let tally = Tally {
        accepted: row.get(4)?,
        delivered: row.get(5)?,
        soft_bounced: row.get(6)?,
        hard_bounced: row.get(7)?,
        complained: row.get(8)?,
    };
    Ok(tally.shown(key))
}

/// Forgets the days before the one of this moment.
pub(super) fn forget_before(writer: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM day_counters WHERE day < ?1")?.execute([before.day().0])?;
    writer.prepare_cached("DELETE FROM counters WHERE day < ?1")?.execute([before.day().0]).map(drop)
}
