//! Rows of `ledger.db`, as the book's changes want them.

use relay::sending_domain::{DkimKey, SendingDomain};
use relay::smtp_user::SmtpUser;
use relay::store::{AuditEntry, Block, Login};
use rusqlite::Transaction;

use crate::book::{Numbers, Write};
use crate::embedded::master_key::Keys;
use crate::embedded::sqlite::{json, word};

/// Keeps one row of a change.
pub(super) fn row(transaction: &Transaction<'_>, keys: &Keys, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Account(account) => {
            let upsert = "INSERT INTO accounts (id, name, state, created_at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (id) DO UPDATE SET name = ?2, state = ?3";
            let state = word(&account.state)?;
            transaction.execute(upsert, (account.id.number(), &account.name, state, account.created_at.0))?;
        }
        Write::Domain(domain) => self::domain(transaction, domain)?,
        Write::PrivateKey { domain, selector, private } => {
            let wrapped = keys.wrap(domain.number(), selector, private);
            let wrapped = wrapped.map_err(|_| rusqlite::Error::ToSqlConversionFailure("cannot be wrapped".into()))?;
            transaction.execute("UPDATE dkim_keys SET private = ?2 WHERE selector = ?1", (selector, wrapped))?;
        }
        Write::PrivateKeysGone(domain) => {
            transaction.execute("UPDATE dkim_keys SET private = NULL WHERE domain = ?1", [domain.number()])?;
            transaction.execute("UPDATE domains SET forgotten = 1 WHERE id = ?1", [domain.number()])?;
        }
        Write::User(user) => self::user(transaction, user)?,
        Write::UserGone(user) => {
            transaction.execute("DELETE FROM smtp_users WHERE id = ?1", [user.number()])?;
        }
        Write::Suppression { account, address, reason, at } => {
            let upsert = "INSERT INTO suppressions (account, address, reason, at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT DO UPDATE SET reason = ?3, at = ?4";
            transaction.execute(upsert, (account.number(), address, reason, at.0))?;
        }
        Write::SuppressionGone { account, address } => {
            let delete = "DELETE FROM suppressions WHERE account = ?1 AND address = ?2";
            transaction.execute(delete, (account.number(), address))?;
        }
    }
    Ok(())
}

fn domain(transaction: &Transaction<'_>, domain: &SendingDomain) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO domains (id, account, name, state, bounce_mails, created_at, deleted_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (id) DO UPDATE SET state = ?4, bounce_mails = ?5, deleted_at = ?7";
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

/// Keeps the highest numbers given.
pub(super) fn numbers(transaction: &Transaction<'_>, numbers: Numbers) -> rusqlite::Result<()> {
    let Numbers { account, domain, user } = numbers;
    let upsert = "INSERT INTO numbers (kind, last) VALUES ('account', ?1), ('domain', ?2), ('user', ?3)
        ON CONFLICT (kind) DO UPDATE SET last = excluded.last";
    transaction.execute(upsert, (account, domain, user)).map(drop)
}

/// Adds a line to the audit log.
pub(super) fn audit(transaction: &Transaction<'_>, entry: &AuditEntry) -> rusqlite::Result<()> {
    let insert = "INSERT INTO audit (at, actor, origin, action, subject, account) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let account = entry.account.map(relay::id::Id::number);
    let values = (entry.at.0, &entry.actor.name, &entry.actor.from, &entry.action, &entry.subject, account);
    transaction.execute(insert, values).map(drop)
}

/// Keeps a login where it is the latest of its user and address.
pub(super) fn login(transaction: &Transaction<'_>, login: &Login) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO logins (user, address, at)
        SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM smtp_users WHERE id = ?1)
        ON CONFLICT (user, address) DO UPDATE SET at = max(at, ?3)";
    let mut upsert = transaction.prepare_cached(upsert)?;
    upsert.execute((login.user.number(), login.address.to_string(), login.at.0)).map(drop)
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
