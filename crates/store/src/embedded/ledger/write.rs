//! Rows of `ledger.db`, as the book's changes want them.

use std::net::IpAddr;

use relay::account::Account;
use relay::api_key::ApiKey;
use relay::certificate;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::quota::alert::Told;
use relay::quota::{Charges, DAYS_KEPT, Quota};
use relay::sending_domain::{DkimKey, SendingDomain};
use relay::smtp_user::{PasswordHash, SmtpUser};
use relay::store::{AuditEntry, Block, Login};
use relay::suppression::Suppression;
use rusqlite::{OptionalExtension as _, Transaction};

use crate::book::{Numbers, Write};
use crate::embedded::master_key::{Keys, Purpose, Sealed};
use crate::embedded::spool::Position;
use crate::embedded::sqlite::{from_json, json, word};

/// Keeps one row of a change.
pub(super) fn row(transaction: &Transaction<'_>, keys: &Keys, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Account(account) => self::account(transaction, account)?,
        Write::Domain(domain) => self::domain(transaction, domain)?,
        Write::PrivateKey { domain, selector, private } => {
            let wrapped = keys.wrap(Purpose::DkimKey { domain: domain.number(), selector }, private);
            let wrapped = wrapped.map_err(not_wrapped)?;
            transaction.execute("UPDATE dkim_keys SET private = ?2 WHERE selector = ?1", (selector, wrapped))?;
        }
        Write::PrivateKeysGone(domain) => {
            transaction.execute("UPDATE dkim_keys SET private = NULL WHERE domain = ?1", [domain.number()])?;
            transaction.execute("UPDATE domains SET forgotten = 1 WHERE id = ?1", [domain.number()])?;
            super::leaving::blank_domains(transaction, "id", domain.number())?;
        }
        Write::User(user) => self::user(transaction, user)?,
        Write::UserGone(user) => {
            transaction.execute("DELETE FROM smtp_users WHERE id = ?1", [user.number()])?;
        }
        Write::ApiKey(key) => self::api_key(transaction, key)?,
        Write::ApiKeyGone(key) => {
            transaction.execute("DELETE FROM api_keys WHERE id = ?1", [key.number()])?;
        }
        Write::Suppression { account, address, suppression } => {
            self::suppression(transaction, *account, address, suppression)?;
        }
        Write::SuppressionGone { account, address, stream: None } => {
            let delete = "DELETE FROM suppressions WHERE account = ?1 AND address = ?2";
            transaction.prepare_cached(delete)?.execute((account.number(), address))?;
        }
        Write::SuppressionGone { account, address, stream: Some(user) } => {
            let delete = "DELETE FROM stream_suppressions WHERE account = ?1 AND address = ?2 AND user = ?3";
            transaction.prepare_cached(delete)?.execute((account.number(), address, user.number()))?;
        }
        Write::Reroutes(reroutes) => {
            transaction.execute("DELETE FROM reroutes", [])?;
            for (place, reroute) in reroutes.iter().enumerate() {
                let insert = "INSERT INTO reroutes (place, reroute) VALUES (?1, ?2)";
                transaction.execute(insert, (place as u64, json(reroute)?))?;
            }
        }
        Write::Brake(brake) => {
            let upsert = "INSERT INTO brakes (subject, brake) VALUES (?1, ?2)
                ON CONFLICT (subject) DO UPDATE SET brake = ?2";
            transaction.execute(upsert, (brake.subject.to_string(), json(brake)?))?;
        }
        Write::BrakeGone(subject) => {
            transaction.execute("DELETE FROM brakes WHERE subject = ?1", [subject.to_string()])?;
        }
        Write::Plan(plan) => super::plans::put(transaction, plan)?,
        Write::PlanGone(plan) => super::plans::gone(transaction, *plan)?,
        Write::Member(_)
        | Write::MemberGone(_)
        | Write::SignIn(_)
        | Write::SignInActs { .. }
        | Write::MemberSite { .. }
        | Write::SignInsGone { .. }
        | Write::Link(_)
        | Write::LinksGone(_) => super::members::row(transaction, keys, write)?,
        Write::AccountLeaves { account, leaving } => super::leaving::begin(transaction, *account, *leaving)?,
        Write::AccountGone(account) => super::leaving::end(transaction, *account)?,
        Write::Webhook(_) | Write::WebhookSecret { .. } | Write::WebhookGone(_) => {
            super::webhooks::row(transaction, keys, write)?;
        }
    }
    Ok(())
}

/// A secret could not be wrapped.
pub(super) fn not_wrapped(_: Sealed) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure("cannot be wrapped".into())
}

fn suppression(
    transaction: &Transaction<'_>,
    account: Id<Account>,
    address: &str,
    suppression: &Suppression,
) -> rusqlite::Result<()> {
    let Suppression { cause, reason, at, until, stream } = suppression;
    let (account, cause, until) = (account.number(), cause.word(), until.map(|until| until.0));
    match stream {
        None => {
            let upsert = "INSERT INTO suppressions (account, address, reason, at, cause, until)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                ON CONFLICT DO UPDATE SET reason = ?3, at = ?4, cause = ?5, until = ?6";
            let values = (account, address, reason, at.0, cause, until);
            transaction.prepare_cached(upsert)?.execute(values).map(drop)
        }
        Some(user) => {
            let upsert = "INSERT INTO stream_suppressions (account, address, reason, at, cause, until, user)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                ON CONFLICT DO UPDATE SET reason = ?3, at = ?4, cause = ?5, until = ?6";
            let values = (account, address, reason, at.0, cause, until, user.number());
            transaction.prepare_cached(upsert)?.execute(values).map(drop)
        }
    }
}

fn account(transaction: &Transaction<'_>, account: &Account) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO accounts
            (id, name, state, created_at, quota, renews_on, period_begins, period_renews, time_zone, language,
                subscription, contacts, activity_days)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        ON CONFLICT (id) DO UPDATE
            SET name = ?2, state = ?3, quota = ?5, renews_on = ?6, period_begins = ?7, period_renews = ?8,
                time_zone = ?9, language = ?10, subscription = ?11, contacts = ?12, activity_days = ?13";
    let Quota { recipients, renews_on, moved } = account.own_quota;
    let (begins, renews) = (moved.map(|period| period.begins.0), moved.map(|period| period.renews.0));
    let (id, state, created_at) = (account.id.number(), word(&account.state)?, account.created_at.0);
    let (zone, language) = (account.time_zone.name(), word(&account.language)?);
    let (subscription, contacts) = (json(&account.subscription)?, json(&account.contacts)?);
    let (name, days) = (&account.name, account.activity_days);
    transaction
        .execute(
            upsert,
            rusqlite::params![
                id,
                name,
                state,
                created_at,
                recipients,
                renews_on,
                begins,
                renews,
                zone,
                language,
                subscription,
                contacts,
                days
            ],
        )
        .map(drop)
}

fn domain(transaction: &Transaction<'_>, domain: &SendingDomain) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO domains (id, account, name, state, bounce_mails, created_at, deleted_at, looked, lost_at, cancels_mail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (id) DO UPDATE SET state = ?4, bounce_mails = ?5, deleted_at = ?7, looked = ?8, lost_at = ?9,
            cancels_mail = ?10";
    transaction.execute(
        upsert,
        (
            domain.id.number(),
            domain.account.number(),
            &domain.name,
            word(&domain.state)?,
            domain.bounce_mails,
            domain.created_at.0,
            domain.deleted_at.map(|at| at.0),
            domain.check.as_ref().map(json).transpose()?,
            domain.lost_at.map(|at| at.0),
            domain.cancels_mail,
        ),
    )?;
    (0..).zip(&domain.keys).try_for_each(|(place, key)| self::key(transaction, domain, place, key))
}

fn key(transaction: &Transaction<'_>, domain: &SendingDomain, place: u32, key: &DkimKey) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO dkim_keys (selector, domain, place, algorithm, record, active, seen_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (selector) DO UPDATE SET active = ?6, seen_at = ?7";
    let (algorithm, seen_at) = (word(&key.algorithm)?, key.seen_at.map(|at| at.0));
    let values = (&key.selector, domain.id.number(), place, algorithm, &key.record, key.active, seen_at);
    transaction.execute(upsert, values).map(drop)
}

fn user(transaction: &Transaction<'_>, user: &SmtpUser) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO smtp_users (id, account, domain, name, username, passwords, enabled, rules, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT (id) DO UPDATE SET name = ?4, passwords = ?6, enabled = ?7, rules = ?8";
    let passwords: Vec<u8> = user.passwords.iter().flat_map(|hash| hash.0).collect();
    transaction
        .execute(
            upsert,
            (
                user.id.number(),
                user.account.number(),
                user.domain.number(),
                &user.name,
                &user.username,
                passwords,
                user.enabled,
                json(&user.rules)?,
                user.created_at.0,
            ),
        )
        .map(drop)
}

fn api_key(transaction: &Transaction<'_>, key: &ApiKey) -> rusqlite::Result<()> {
    let insert = "INSERT INTO api_keys (id, account, name, powers, read_only, hash, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (account, expires_at) = (key.account.map(relay::id::Id::number), key.expires_at.map(|at| at.0));
    let (powers, created_at) = (json(&key.powers)?, key.created_at.0);
    let values = (key.id.number(), account, &key.name, powers, key.read_only, key.hash.0, created_at, expires_at);
    transaction.execute(insert, values).map(drop)
}

/// Keeps that an API key was used, where that is the latest.
pub(super) fn api_key_use(transaction: &Transaction<'_>, key: Id<ApiKey>, at: Timestamp) -> rusqlite::Result<()> {
    let update = "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?2) WHERE id = ?1";
    transaction.prepare_cached(update)?.execute((key.number(), at.0)).map(drop)
}

/// Keeps the highest numbers given.
pub(super) fn numbers(transaction: &Transaction<'_>, numbers: Numbers) -> rusqlite::Result<()> {
    let Numbers { account, domain, user, api_key, member, plan, plan_request, webhook } = numbers;
    let upsert = "INSERT INTO numbers (kind, last)
        VALUES ('account', ?1), ('domain', ?2), ('user', ?3), ('api_key', ?4), ('member', ?5), ('plan', ?6),
            ('plan_request', ?7), ('webhook', ?8)
        ON CONFLICT (kind) DO UPDATE SET last = excluded.last";
    let last = (account, domain, user, api_key, member, plan, plan_request, webhook);
    transaction.execute(upsert, last).map(drop)
}

/// Adds a line to the audit log.
pub(super) fn audit(transaction: &Transaction<'_>, entry: &AuditEntry) -> rusqlite::Result<()> {
    let insert = "INSERT INTO audit (at, actor, origin, action, subject, account, details)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (account, details) = (entry.account.map(relay::id::Id::number), entry.details.as_ref().map(json).transpose()?);
    let values = (entry.at.0, &entry.actor.name, &entry.actor.from, &entry.action, &entry.subject, account, details);
    transaction.execute(insert, values).map(drop)
}

/// Keeps a login where it is the latest of its user and address.
pub(super) fn login(transaction: &Transaction<'_>, login: &Login) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO logins (user, address, at)
        SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM smtp_users WHERE id = ?1)
        ON CONFLICT (user, address) DO UPDATE SET at = max(at, ?3)";
    let mut upsert = transaction.prepare_cached(upsert)?;
    upsert.execute((login.user.number(), login.address.to_string(), login.at.0))?;
    login.password.map_or(Ok(()), |password| password_used(transaction, login, password))
}

/// Keeps when a password was last used, and forgets that of those that work no more.
fn password_used(transaction: &Transaction<'_>, login: &Login, password: PasswordHash) -> rusqlite::Result<()> {
    let works = "instr((SELECT passwords FROM smtp_users WHERE id = ?1), hash) > 0";
    let forget = format!("DELETE FROM password_uses WHERE user = ?1 AND NOT {works}");
    transaction.prepare_cached(&forget)?.execute([login.user.number()])?;
    let upsert = "INSERT INTO password_uses (user, hash, at)
        SELECT ?1, ?2, ?3 FROM smtp_users WHERE id = ?1 AND instr(passwords, ?2) > 0
        ON CONFLICT (user, hash) DO UPDATE SET at = max(at, ?3)";
    transaction.prepare_cached(upsert)?.execute((login.user.number(), password.0, login.at.0)).map(drop)
}

/// Keeps a block that began or grew.
pub(super) fn block(transaction: &Transaction<'_>, block: &Block) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO blocks (address, cause, since, until, seconds, accounts)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (address) DO UPDATE SET cause = ?2, since = ?3, until = ?4, seconds = ?5, accounts = ?6";
    let (address, accounts) = (block.address.to_string(), json(&block.accounts)?);
    let values = (address, &block.cause, block.since.0, block.until.0, block.seconds, accounts);
    transaction.execute(upsert, values).map(drop)
}

/// Takes a block away; the accounts that it was aimed at, none where there is no such block.
pub(super) fn block_gone(transaction: &Transaction<'_>, address: IpAddr) -> rusqlite::Result<Option<Vec<Id<Account>>>> {
    let delete = "DELETE FROM blocks WHERE address = ?1 RETURNING accounts";
    let accounts = transaction.query_row(delete, [address.to_string()], |row| row.get::<_, String>(0)).optional()?;
    accounts.map(|accounts| from_json(&accounts)).transpose()
}

/// Keeps what was told of an account's quota.
pub(super) fn quota_told(transaction: &Transaction<'_>, account: Id<Account>, told: Told) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO quotas_told (account, period, step) VALUES (?1, ?2, ?3)
        ON CONFLICT (account) DO UPDATE SET period = ?2, step = ?3";
    transaction.execute(upsert, (account.number(), told.period.0, told.step)).map(drop)
}

pub(super) fn certificate_told(
    transaction: &Transaction<'_>,
    file: &str,
    told: certificate::Told,
) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO certificates_told (file, ends, alarm) VALUES (?1, ?2, ?3)
        ON CONFLICT (file) DO UPDATE SET ends = ?2, alarm = ?3";
    transaction.execute(upsert, (file, told.ends.0, word(&told.alarm)?)).map(drop)
}

/// Adds charges, with how far the log was read for them.
pub(super) fn charges(transaction: &Transaction<'_>, charges: &Charges, position: Position) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO charges (account, day, recipients) VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET recipients = recipients + ?3 RETURNING recipients",
    )?;
    // none but one of the days furthest from that which was charged goes: see `relay::quota`
    let mut forget = transaction.prepare_cached(
        "DELETE FROM charges WHERE account = ?1
            AND (SELECT count(*) FROM charges WHERE account = ?1) > ?3
            AND day = (SELECT day FROM charges WHERE account = ?1 ORDER BY abs(day - ?2) DESC LIMIT 1)",
    )?;
    for charge in charges.iter() {
        let (account, day) = (charge.account.number(), charge.day.0);
        let sum: u64 = upsert.query_row((account, day, charge.recipients), |row| row.get(0))?;
        if sum == charge.recipients {
            forget.execute((account, day, DAYS_KEPT))?;
        }
    }
    let upsert = "INSERT INTO charged (id, position) VALUES (1, ?1) ON CONFLICT DO UPDATE SET position = ?1";
    transaction.prepare_cached(upsert)?.execute([position.0]).map(drop)
}
