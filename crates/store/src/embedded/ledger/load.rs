//! What is read from `ledger.db`: the register at the start, logins, blocks and audit on demand.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use relay::account::Account;
use relay::api_key::ApiKey;
use relay::brake::{Brake, Brakes};
use relay::certificate;
use relay::clock::{Day, Timestamp};
use relay::directory::Directory;
use relay::id::Id;
use relay::quota::alert::Told;
use relay::quota::{Charge, Charges, Period, Quota};
use relay::sending_domain::{DkimKey, SendingDomain};
use relay::smtp_user::{PasswordHash, SmtpUser};
use relay::store::{Actor, AuditEntry, Block, Login, PasswordUses};
use relay::suppression::{Suppression, SuppressionCause, Suppressions};
use relay::time_zone::TimeZone;
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::book::{Numbers, Register};
use crate::embedded::master_key::Keys;
use crate::embedded::spool::Position;
use crate::embedded::sqlite::{from_json, from_word, named, parsed};

/// All that the verbs decide by.
pub(super) fn register(reader: &Connection, sealing: &Keys) -> rusqlite::Result<Register> {
    let mut directory = Directory::default();
    let accounts =
        "SELECT id, name, state, created_at, quota, renews_on, period_begins, period_renews, time_zone, language,
            subscription, contacts, activity_days
        FROM accounts WHERE id > 0 AND left_at IS NULL";
    each(reader, accounts, |row| {
        let account = account(row)?;
        directory.accounts.insert(account.id, Arc::new(account));
        Ok(())
    })?;
    super::leaving::load(reader, &mut directory)?;
    let mut keys = keys(reader)?;
    let domains = "SELECT id, account, name, state, bounce_mails, created_at, deleted_at, looked, lost_at, cancels_mail
        FROM domains WHERE forgotten = 0";
    each(reader, domains, |row| {
        let domain = domain(row, &mut keys)?;
        directory.domains.insert(domain.id, Arc::new(domain));
        Ok(())
    })?;
    let users = "SELECT id, account, domain, name, username, passwords, enabled, rules, created_at FROM smtp_users";
    each(reader, users, |row| {
        let user = user(row)?;
        directory.usernames.insert(user.username.clone(), user.id);
        directory.users.insert(user.id, Arc::new(user));
        Ok(())
    })?;
    for (account, addresses) in suppressions(reader)? {
        directory.suppressions.insert(account, Arc::new(addresses));
    }
    let keys = "SELECT id, account, name, powers, read_only, hash, created_at, expires_at FROM api_keys";
    each(reader, keys, |row| {
        let key = api_key(row)?;
        directory.api_key_hashes.insert(key.hash, key.id);
        directory.api_keys.insert(key.id, Arc::new(key));
        Ok(())
    })?;
    super::members::load(reader, sealing, &mut directory)?;
    let mut brakes = Brakes::default();
    each(reader, "SELECT brake FROM brakes", |row| {
        let brake: Brake = from_json(&row.get::<_, String>(0)?)?;
        brakes.insert(brake.subject, brake);
        Ok(())
    })?;
    directory.brakes = Arc::new(brakes);
    let mut reroutes = Vec::new();
    each(reader, "SELECT reroute FROM reroutes ORDER BY place", |row| {
        reroutes.push(from_json(&row.get::<_, String>(0)?)?);
        Ok(())
    })?;
    directory.reroutes = Arc::new(reroutes);
    super::plans::load(reader, &mut directory)?;
    super::webhooks::load(reader, &mut directory)?;
    let mut selectors = HashSet::new();
    each(reader, "SELECT selector FROM dkim_keys", |row| {
        selectors.insert(row.get(0)?);
        Ok(())
    })?;
    Ok(Register::new(directory, numbers(reader)?, selectors))
}

/// The addresses that accounts and their streams do not send to.
fn suppressions(reader: &Connection) -> rusqlite::Result<HashMap<Id<Account>, Suppressions>> {
    // of an account that is deleted they go by and by
    let query = "SELECT account, address, reason, at, cause, until, user FROM
            (SELECT account, address, reason, at, cause, until, NULL AS user FROM suppressions
            UNION ALL SELECT account, address, reason, at, cause, until, user FROM stream_suppressions)
        WHERE account NOT IN (SELECT id FROM accounts WHERE left_at IS NOT NULL)";
    let mut suppressions: HashMap<Id<Account>, Suppressions> = HashMap::new();
    each(reader, query, |row| {
        let cause = SuppressionCause::of_word(row.get_ref(4)?.as_str()?).unwrap_or_default();
        let until = row.get::<_, Option<u64>>(5)?.map(Timestamp);
        let stream = row.get::<_, Option<u64>>(6)?.map(Id::new);
        let suppression = Suppression { cause, reason: row.get(2)?, at: Timestamp(row.get(3)?), until, stream };
        suppressions.entry(Id::new(row.get(0)?)).or_default().insert(row.get(1)?, suppression);
        Ok(())
    })?;
    Ok(suppressions)
}

/// Does something with each row of a query.
pub(super) fn each(
    reader: &Connection,
    query: &str,
    mut work: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = reader.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        work(row)?;
    }
    Ok(())
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: Id::new(row.get(0)?),
        name: row.get(1)?,
        state: from_word(row.get(2)?)?,
        own_quota: quota(row)?,
        subscription: from_json(&row.get::<_, String>(10)?)?,
        contacts: from_json(&row.get::<_, String>(11)?)?,
        time_zone: TimeZone::from(row.get::<_, String>(8)?),
        language: from_word(row.get(9)?)?,
        activity_days: row.get(12)?,
        created_at: Timestamp(row.get(3)?),
    })
}

fn quota(row: &Row<'_>) -> rusqlite::Result<Quota> {
    let period = row.get::<_, Option<u64>>(6)?.zip(row.get::<_, Option<u64>>(7)?);
    let moved = period.map(|(begins, renews)| Period { begins: Day(begins), renews: Day(renews) });
    Ok(Quota { recipients: row.get(4)?, renews_on: row.get(5)?, moved })
}

/// How far the log was read for the charges; none where it never was.
pub(super) fn charged_position(reader: &Connection) -> rusqlite::Result<Option<Position>> {
    let position = reader.query_row("SELECT position FROM charged", [], |row| row.get(0).map(Position));
    position.optional()
}

/// Every charge, by account and day.
pub(super) fn charges(reader: &Connection) -> rusqlite::Result<Charges> {
    let mut charges = Charges::default();
    each(reader, "SELECT account, day, recipients FROM charges", |row| {
        charges.add(Charge { account: Id::new(row.get(0)?), day: Day(row.get(1)?), recipients: row.get(2)? });
        Ok(())
    })?;
    Ok(charges)
}

fn keys(reader: &Connection) -> rusqlite::Result<HashMap<u64, Vec<DkimKey>>> {
    let mut keys: HashMap<u64, Vec<DkimKey>> = HashMap::new();
    let query = "SELECT domain, selector, algorithm, record, active, seen_at FROM dkim_keys
        WHERE private IS NOT NULL ORDER BY domain, place";
    each(reader, query, |row| {
        keys.entry(row.get(0)?).or_default().push(DkimKey {
            selector: row.get(1)?,
            algorithm: from_word(row.get(2)?)?,
            record: row.get(3)?,
            active: row.get(4)?,
            seen_at: row.get::<_, Option<u64>>(5)?.map(Timestamp),
        });
        Ok(())
    })?;
    Ok(keys)
}

fn domain(row: &Row<'_>, keys: &mut HashMap<u64, Vec<DkimKey>>) -> rusqlite::Result<SendingDomain> {
    let id: u64 = row.get(0)?;
    Ok(SendingDomain {
        id: Id::new(id),
        account: Id::new(row.get(1)?),
        name: row.get(2)?,
        state: from_word(row.get(3)?)?,
        bounce_mails: row.get(4)?,
        keys: keys.remove(&id).unwrap_or_default(),
        created_at: Timestamp(row.get(5)?),
        deleted_at: row.get::<_, Option<u64>>(6)?.map(Timestamp),
        cancels_mail: row.get(9)?,
        check: row.get::<_, Option<String>>(7)?.map(|text| from_json(&text)).transpose()?,
        lost_at: row.get::<_, Option<u64>>(8)?.map(Timestamp),
    })
}

fn user(row: &Row<'_>) -> rusqlite::Result<SmtpUser> {
    let passwords: Vec<u8> = row.get(5)?;
    let (passwords, _) = passwords.as_chunks::<32>();
    Ok(SmtpUser {
        id: Id::new(row.get(0)?),
        account: Id::new(row.get(1)?),
        domain: Id::new(row.get(2)?),
        name: row.get(3)?,
        username: row.get(4)?,
        passwords: passwords.iter().copied().map(PasswordHash).collect(),
        enabled: row.get(6)?,
        rules: from_json(&row.get::<_, String>(7)?)?,
        created_at: Timestamp(row.get(8)?),
    })
}

fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        id: Id::new(row.get(0)?),
        account: row.get::<_, Option<u64>>(1)?.map(Id::new),
        name: row.get(2)?,
        powers: from_json(&row.get::<_, String>(3)?)?,
        read_only: row.get(4)?,
        hash: PasswordHash(row.get(5)?),
        created_at: Timestamp(row.get(6)?),
        expires_at: row.get::<_, Option<u64>>(7)?.map(Timestamp),
    })
}

/// When each API key was last used.
pub(super) fn api_key_uses(reader: &Connection) -> rusqlite::Result<HashMap<Id<ApiKey>, Timestamp>> {
    let mut uses = HashMap::new();
    each(reader, "SELECT id, last_used_at FROM api_keys WHERE last_used_at IS NOT NULL", |row| {
        uses.insert(Id::new(row.get(0)?), Timestamp(row.get(1)?));
        Ok(())
    })?;
    Ok(uses)
}

/// What was last told of each account's quota.
pub(super) fn quotas_told(reader: &Connection) -> rusqlite::Result<HashMap<Id<Account>, Told>> {
    let mut told = HashMap::new();
    each(reader, "SELECT account, period, step FROM quotas_told", |row| {
        told.insert(Id::new(row.get(0)?), Told { period: Day(row.get(1)?), step: row.get(2)? });
        Ok(())
    })?;
    Ok(told)
}

/// What was last told of the certificate in each file.
pub(super) fn certificates_told(reader: &Connection) -> rusqlite::Result<HashMap<String, certificate::Told>> {
    let mut told = HashMap::new();
    each(reader, "SELECT file, ends, alarm FROM certificates_told", |row| {
        let alarm = from_word(row.get(2)?)?;
        told.insert(row.get(0)?, certificate::Told { ends: Timestamp(row.get(1)?), alarm });
        Ok(())
    })?;
    Ok(told)
}

fn numbers(reader: &Connection) -> rusqlite::Result<Numbers> {
    let mut numbers = Numbers::default();
    each(reader, "SELECT kind, last FROM numbers", |row| {
        let last = row.get(1)?;
        match row.get::<_, String>(0)?.as_str() {
            "account" => numbers.account = last,
            "domain" => numbers.domain = last,
            "user" => numbers.user = last,
            "api_key" => numbers.api_key = last,
            "member" => numbers.member = last,
            "plan" => numbers.plan = last,
            "plan_request" => numbers.plan_request = last,
            "webhook" => numbers.webhook = last,
            _ => {}
        }
        Ok(())
    })?;
    Ok(numbers)
}

/// Logins at or after `since`.
pub(super) fn logins(reader: &Connection, since: Timestamp) -> rusqlite::Result<Vec<Login>> {
    let mut query = reader.prepare_cached("SELECT user, address, at FROM logins WHERE at >= ?1")?;
    let logins = query.query_map([since.0], |row| {
        let address: String = row.get(1)?;
        Ok(Login { user: Id::new(row.get(0)?), address: parsed(&address)?, at: Timestamp(row.get(2)?), password: None })
    })?;
    let mut logins: Vec<Login> = logins.collect::<Result<_, _>>()?;
    logins.sort_by_key(|login| (login.user, login.address));
    Ok(logins)
}

/// The last login of each of these users at or after `since`: of the primary key, so that what others did costs nothing.
pub(super) fn logins_of(
    reader: &Connection,
    users: &[Id<SmtpUser>],
    since: Timestamp,
) -> rusqlite::Result<HashMap<Id<SmtpUser>, Login>> {
    let wanted = "SELECT address, at FROM logins WHERE user = ?1 AND at >= ?2 ORDER BY at DESC, address LIMIT 1";
    let mut query = reader.prepare_cached(wanted)?;
    let mut last = HashMap::new();
    for &user in users {
        let login = query.query_row((user.number(), since.0), |row| {
            let address: String = row.get(0)?;
            Ok(Login { user, address: parsed(&address)?, at: Timestamp(row.get(1)?), password: None })
        });
        last.extend(login.optional()?.map(|login| (user, login)));
    }
    Ok(last)
}

/// When each password of these users was last used.
pub(super) fn passwords_used(reader: &Connection, users: &[Id<SmtpUser>]) -> rusqlite::Result<PasswordUses> {
    let mut query = reader.prepare_cached("SELECT hash, at FROM password_uses WHERE user = ?1")?;
    let mut uses = PasswordUses::new();
    for &user in users {
        let found =
            query.query_map([user.number()], |row| Ok(((user, PasswordHash(row.get(0)?)), Timestamp(row.get(1)?))))?;
        for used in found {
            uses.extend([used?]);
        }
    }
    Ok(uses)
}

/// Every block that is remembered, oldest first.
pub(super) fn blocks(reader: &Connection) -> rusqlite::Result<Vec<Block>> {
    let mut query = reader.prepare_cached("SELECT address, cause, since, until, seconds, accounts FROM blocks")?;
    let blocks = query.query_map([], |row| {
        Ok(Block {
            address: parsed(&row.get::<_, String>(0)?)?,
            cause: row.get(1)?,
            since: Timestamp(row.get(2)?),
            until: Timestamp(row.get(3)?),
            seconds: row.get(4)?,
            accounts: from_json(&row.get::<_, String>(5)?)?,
        })
    })?;
    let mut blocks: Vec<Block> = blocks.collect::<Result<_, _>>()?;
    blocks.sort_by_key(|block| (block.since, block.address));
    Ok(blocks)
}

/// Lines of the audit log with their numbers, the newest first, of those before a number where one is named.
pub(super) fn audit(
    reader: &Connection,
    account: Option<Id<Account>>,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<(u64, AuditEntry)>> {
    const COLUMNS: &str = "SELECT at, actor, origin, action, subject, account, id, details FROM audit";
    let narrowed = if account.is_some() { "WHERE account = ?1" } else { "WHERE ?1 IS NULL" };
    let so = format!("{COLUMNS} {narrowed} AND id < ?3 ORDER BY id DESC LIMIT ?2");
    let mut query = reader.prepare_cached(&so)?;
    let account = account.map(|account| named(account.number()));
    let before = before.map_or(i64::MAX, named);
    let lines = query.query_map((account, named(limit as u64), before), |row| {
        let entry = AuditEntry {
            at: Timestamp(row.get(0)?),
            actor: Actor { name: row.get(1)?, from: row.get(2)? },
            action: row.get(3)?,
            subject: row.get(4)?,
            details: row.get::<_, Option<String>>(7)?.map(|text| from_json(&text)).transpose()?,
            account: row.get::<_, Option<u64>>(5)?.map(Id::new),
        };
        Ok((row.get(6)?, entry))
    })?;
    lines.collect()
}
