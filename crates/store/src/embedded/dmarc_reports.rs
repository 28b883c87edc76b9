//! Reports on DMARC, in a file beside the ledger: what they counted, by day, source and result, and which of them there were.
//!
//! Whoever reads a domain's record in DNS may send some: they are bounded by domain and day, and in all.

use std::net::IpAddr;
use std::path::PathBuf;

use message::dmarc_report::Disposition;
use relay::account::Account;
use relay::clock::{Day, Timestamp};
use relay::dmarc_report::{Bounds, Kept, Listed, Report, Seen, Taken};
use relay::id::Id;
use relay::sending_domain::SendingDomain;
use relay::store::{DmarcReports, StoreError};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::Embedded;
use super::side_file::SideFile;
use super::sqlite::{named, parsed};

/// The steps from each version of the schema to the next. Days are numbers since 1970, times milliseconds.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE reports (
    domain   INTEGER NOT NULL,
    reporter TEXT NOT NULL,
    id       TEXT NOT NULL,
    account  INTEGER NOT NULL,
    day      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    policy   TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (domain, reporter, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_of_day ON reports (domain, day);
CREATE INDEX reports_by_day ON reports (day);

CREATE TABLE counted (
    domain      INTEGER NOT NULL,
    day         INTEGER NOT NULL,
    -- an address; empty: those beyond the bound
    source      TEXT NOT NULL,
    dkim        INTEGER NOT NULL,
    spf         INTEGER NOT NULL,
    -- 0: none, 1: quarantine, 2: reject
    disposition INTEGER NOT NULL,
    account     INTEGER NOT NULL,
    messages    INTEGER NOT NULL,
    PRIMARY KEY (domain, day, source, dkim, spf, disposition)
) STRICT, WITHOUT ROWID;
CREATE INDEX counted_by_day ON counted (day);

-- how many rows both have: what bounds them must not count them
CREATE TABLE size (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL) STRICT;
INSERT INTO size VALUES (1, 0);
CREATE TRIGGER reports_more AFTER INSERT ON reports BEGIN UPDATE size SET count = count + 1; END;
CREATE TRIGGER reports_fewer AFTER DELETE ON reports BEGIN UPDATE size SET count = count - 1; END;
CREATE TRIGGER counted_more AFTER INSERT ON counted BEGIN UPDATE size SET count = count + 1; END;
CREATE TRIGGER counted_fewer AFTER DELETE ON counted BEGIN UPDATE size SET count = count - 1; END;
",
    "
-- who vouches for it; empty: that was not looked at
ALTER TABLE reports ADD COLUMN authentication TEXT NOT NULL DEFAULT '';
-- whether its messages are in the rows of what is counted
ALTER TABLE reports ADD COLUMN counts INTEGER NOT NULL DEFAULT 1;
",
];

/// The most that one row counts, so that sums of rows are numbers that SQLite has.
const MESSAGES_MAX: u64 = 1_000_000_000_000;

/// The file of all such reports.
pub(super) struct File {
    file: SideFile,
    bounds: Bounds,
}

impl File {
    /// The file of this path, opened when it is needed.
    pub(super) fn new(path: PathBuf, bounds: Bounds) -> File {
        File { file: SideFile::new(path, MIGRATIONS, "the file of DMARC reports"), bounds }
    }
}

fn take(transaction: &Transaction<'_>, report: &Report, bounds: &Bounds) -> rusqlite::Result<Taken> {
    let (domain, day) = (named(report.domain.number()), named(report.day.0));
    let named_so = "domain = ?1 AND reporter = ?2 AND id = ?3";
    let names = params![domain, report.reporter, report.id];
    let known = format!("SELECT counts, day FROM reports WHERE {named_so}");
    let known = transaction.query_row(&known, names, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    // what somebody made up may have the name of one that is real
    if known.is_some_and(|(counts, _): (bool, i64)| counts || !report.counts()) {
        return Ok(Taken::Again);
    }
    let count = |table: &str| {
        let query = format!("SELECT count(*) FROM {table} WHERE domain = ?1 AND day = ?2");
        transaction.query_row(&query, [domain, day], |row| row.get::<_, u64>(0))
    };
    let leaves = u64::from(known.is_some_and(|(_, its)| its == day));
    let is_full = count("reports")? - leaves >= bounds.reports_max;
    if is_full && !(report.counts() && give_way(transaction, domain, day)?) {
        return Ok(Taken::Beyond);
    }
    // not before it is sure that the other one is kept: it may be of another day, which has room
    if known.is_some() {
        transaction.execute(&format!("DELETE FROM reports WHERE {named_so}"), names)?;
    }
    let (account, messages) = (named(report.account.number()), named(report.messages().min(MESSAGES_MAX)));
    transaction.execute(
        "INSERT INTO reports (domain, reporter, id, account, day, at, policy, messages, authentication, counts)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            domain,
            report.reporter,
            report.id,
            account,
            day,
            named(report.at.0),
            report.policy,
            messages,
            report.authentication.as_ref().map(ToString::to_string).unwrap_or_default(),
            report.counts(),
        ],
    )?;
    if !report.counts() {
        bound(transaction, bounds.total_max)?;
        return Ok(Taken::Apart);
    }
    let mut rows = count("counted")?;
    for (seen, messages) in &report.rows {
        rows += add(transaction, report, seen, *messages, rows < bounds.rows_max)?;
    }
    bound(transaction, bounds.total_max)?;
    Ok(Taken::Kept)
}

/// Deletes the oldest report of a domain and day that does not count, for one that does; whether there was one.
fn give_way(transaction: &Transaction<'_>, domain: i64, day: i64) -> rusqlite::Result<bool> {
    let oldest = "DELETE FROM reports WHERE (domain, reporter, id) IN (SELECT domain, reporter, id FROM reports
        WHERE domain = ?1 AND day = ?2 AND NOT counts ORDER BY at, reporter, id LIMIT 1)";
    Ok(transaction.execute(oldest, [domain, day])? > 0)
}

/// Adds messages to their row, where there is none and may be no more to that of other sources; how many rows are new.
fn add(
    transaction: &Transaction<'_>,
    report: &Report,
    seen: &Seen,
    messages: u64,
    may_be_new: bool,
) -> rusqlite::Result<u64> {
    let (domain, day, account) = (named(report.domain.number()), named(report.day.0), named(report.account.number()));
    let messages = named(messages.min(MESSAGES_MAX));
    let source = seen.source.map(|source| source.to_string()).unwrap_or_default();
    let (dkim, spf, disposition) = (seen.dkim, seen.spf, code(seen.disposition));
    let update = "UPDATE counted SET messages = min(messages + ?7, ?8)
        WHERE domain = ?1 AND day = ?2 AND source = ?3 AND dkim = ?4 AND spf = ?5 AND disposition = ?6";
    let most = named(MESSAGES_MAX);
    let mut update = transaction.prepare_cached(update)?;
    if update.execute(params![domain, day, source, dkim, spf, disposition, messages, most])? > 0 {
        return Ok(0);
    }
    let source = if may_be_new { source } else { String::new() };
    let insert = "INSERT INTO counted (domain, day, source, dkim, spf, disposition, account, messages)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT DO UPDATE SET messages = min(messages + ?8, ?9)";
    let mut insert = transaction.prepare_cached(insert)?;
    insert.execute(params![domain, day, source, dkim, spf, disposition, account, messages, most])?;
    Ok(u64::from(may_be_new))
}

/// Deletes the oldest days of all domains until there is no more than there may be.
fn bound(transaction: &Transaction<'_>, total_max: u64) -> rusqlite::Result<()> {
    let size = || transaction.query_row("SELECT count FROM size", [], |row| row.get::<_, u64>(0));
    while size()? > total_max {
        // what nobody vouches for takes no place of what somebody does
        let apart = "DELETE FROM reports WHERE NOT counts AND day = (SELECT min(day) FROM reports WHERE NOT counts)";
        if transaction.execute(apart, [])? > 0 {
            continue;
        }
        let oldest =
            "SELECT min(day) FROM (SELECT min(day) AS day FROM reports UNION ALL SELECT min(day) FROM counted)";
        let oldest: Option<u64> = transaction.query_row(oldest, [], |row| row.get(0))?;
        let Some(oldest) = oldest else { return Ok(()) };
        delete_before(transaction, Day(oldest + 1))?;
    }
    Ok(())
}

fn delete_before(transaction: &Transaction<'_>, before: Day) -> rusqlite::Result<u64> {
    let mut count = 0;
    for table in ["reports", "counted"] {
        count += transaction.execute(&format!("DELETE FROM {table} WHERE day < ?1"), [named(before.0)])?;
    }
    Ok(count as u64)
}

/// Deletes what a column, `account` or `domain`, names.
fn delete_of(transaction: &Transaction<'_>, column: &str, number: u64) -> rusqlite::Result<u64> {
    let mut count = 0;
    for table in ["reports", "counted"] {
        count += transaction.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [named(number)])?;
    }
    Ok(count as u64)
}

fn code(disposition: Disposition) -> i64 {
    match disposition {
        Disposition::None => 0,
        Disposition::Quarantine => 1,
        Disposition::Reject => 2,
    }
}

fn counted(row: &Row<'_>) -> rusqlite::Result<(Day, Seen, u64)> {
    let source: String = row.get(1)?;
    let source = if source.is_empty() { None } else { Some(parsed::<IpAddr>(&source)?) };
    let disposition = match row.get(4)? {
        1_i64 => Disposition::Quarantine,
        2 => Disposition::Reject,
        _ => Disposition::None,
    };
    Ok((Day(row.get(0)?), Seen { source, dkim: row.get(2)?, spf: row.get(3)?, disposition }, row.get(5)?))
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        reporter: row.get(0)?,
        id: row.get(1)?,
        day: Day(row.get(2)?),
        at: Timestamp(row.get(3)?),
        policy: row.get(4)?,
        messages: row.get(5)?,
        authentication: row.get::<_, String>(6)?.parse().ok(),
    })
}

impl DmarcReports for Embedded {
    fn dmarc_take(&self, report: &Report) -> Result<Taken, StoreError> {
        let File { file, bounds } = &self.dmarc;
        file.write(|transaction| take(transaction, report, bounds).map_err(|error| file.failed(error)))
    }

    fn dmarc_kept(&self, domain: Id<SendingDomain>, since: Day, until: Day) -> Result<Kept, StoreError> {
        self.dmarc.file.read(|reader| {
            let these = [named(domain.number()), named(since.0), named(until.0)];
            let rows = "SELECT day, source, dkim, spf, disposition, messages FROM counted
                WHERE domain = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day, source, dkim, spf, disposition";
            let rows = reader.prepare_cached(rows)?.query_map(these, counted)?.collect::<rusqlite::Result<_>>()?;
            let reports = "SELECT reporter, id, day, at, policy, messages, authentication FROM reports
                WHERE domain = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day DESC, at DESC, reporter, id";
            let reports = reader.prepare_cached(reports)?.query_map(these, listed)?.collect::<rusqlite::Result<_>>()?;
            Ok(Kept { rows, reports })
        })
    }

    fn dmarc_delete(&self, account: Id<Account>) -> Result<(), StoreError> {
        self.dmarc.file.delete(|transaction| delete_of(transaction, "account", account.number())).map(drop)
    }

    fn dmarc_prune(&self, before: Day) -> Result<(), StoreError> {
        let directory = self.ledger.directory();
        let is_gone =
            |domain: &u64| directory.domains.get(&Id::new(*domain)).is_none_or(|domain| domain.deleted_at.is_some());
        let work = |transaction: &Transaction<'_>| {
            let mut count = delete_before(transaction, before)?;
            let mut domains = transaction.prepare("SELECT DISTINCT domain FROM reports")?;
            let domains = domains.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<u64>>>()?;
            for domain in domains.into_iter().filter(is_gone) {
                count += delete_of(transaction, "domain", domain)?;
            }
            Ok(count)
        };
        self.dmarc.file.delete(work).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sqlite;
    use super::*;

    #[test]
    fn what_was_kept_before_reports_were_checked_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dmarc.db");
        let before = sqlite::open_writer(&path, &MIGRATIONS[..1]).unwrap();
        before.execute_batch("INSERT INTO reports VALUES (1, 'isp.example', 'a', 1, 10, 5, 'none', 3)").unwrap();
        drop(before);
        let file = File::new(path, Bounds::default());
        let reports = "SELECT reporter, id, day, at, policy, messages, authentication FROM reports";
        let found = file.file.read(|reader| reader.query_row(reports, [], listed).map(Some)).unwrap().unwrap();
        assert_eq!((found.messages, found.authentication.clone(), found.counts()), (3, None, true));
    }
}
