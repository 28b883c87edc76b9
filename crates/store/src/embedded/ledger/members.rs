//! Members, sign-ins and links in `ledger.db`: read, and written as the book's changes want them.

use std::net::IpAddr;
use std::sync::Arc;

use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::member::failures::WAITING_MAX;
use relay::member::password::HashedPassword;
use relay::member::{CODE_PATIENCE, Link, Member, SignIn};
use relay::smtp_user::PasswordHash;
use relay::store::StoreError;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, Transaction};

use super::{Ledger, failures, load, write};
use crate::book::Write;
use crate::embedded::master_key::{Keys, Purpose};
use crate::embedded::sqlite::{from_word, parsed, word};

/// The columns that [`sign_in`] reads.
const COLUMNS: &str = "token, member, created_at, seen_at, origin, agent, confirmed, acting_for";

/// Every member, into the directory.
pub(super) fn load(reader: &Connection, keys: &Keys, directory: &mut Directory) -> rusqlite::Result<()> {
    let query = "SELECT id, account, email, name, role, language, password, totp, recovery, created_at FROM members";
    load::each(reader, query, |row| {
        let member = member(row, keys)?;
        directory.member_emails.insert(Member::key_of(&member.email), member.id);
        directory.members.insert(member.id, Arc::new(member));
        Ok(())
    })
}

fn member(row: &Row<'_>, keys: &Keys) -> rusqlite::Result<Member> {
    let number: u64 = row.get(0)?;
    let totp = row.get::<_, Option<Vec<u8>>>(7)?.map(|wrapped| {
        let seed = keys.unwrap(Purpose::TotpSeed { member: number }, &wrapped);
        seed.map_err(|_| rusqlite::Error::ToSqlConversionFailure("a seed of one-time codes cannot be unwrapped".into()))
    });
    let recovery: Vec<u8> = row.get(8)?;
    let (recovery, _) = recovery.as_chunks::<32>();
    Ok(Member {
        id: Id::new(number),
        account: row.get::<_, Option<u64>>(1)?.map(Id::new),
        email: row.get(2)?,
        name: row.get(3)?,
        role: from_word(row.get(4)?)?,
        language: from_word(row.get(5)?)?,
        password: row.get::<_, Option<String>>(6)?.map(HashedPassword),
        totp: totp.transpose()?,
        recovery: recovery.iter().copied().map(PasswordHash).collect(),
        created_at: Timestamp(row.get(9)?),
    })
}

fn sign_in(row: &Row<'_>) -> rusqlite::Result<SignIn> {
    Ok(SignIn {
        token: PasswordHash(row.get(0)?),
        member: Id::new(row.get(1)?),
        created_at: Timestamp(row.get(2)?),
        seen_at: Timestamp(row.get(3)?),
        from: parsed::<IpAddr>(&row.get::<_, String>(4)?)?,
        agent: row.get(5)?,
        confirmed: row.get(6)?,
        acting_for: row.get::<_, Option<u64>>(7)?.map(Id::new),
    })
}

/// Keeps one row of a change.
pub(super) fn row(transaction: &Transaction<'_>, keys: &Keys, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Member(member) => put_member(transaction, keys, member),
        Write::MemberGone(member) => {
            transaction.execute("DELETE FROM members WHERE id = ?1", [member.number()]).map(drop)
        }
        Write::SignIn(sign_in) => put_sign_in(transaction, sign_in),
        Write::SignInActs { token, acting_for } => {
            let update = "UPDATE sign_ins SET acting_for = ?2 WHERE token = ?1";
            transaction.execute(update, (token.0, acting_for.map(Id::number))).map(drop)
        }
        Write::MemberSite { member, site, at } => {
            let upsert = "INSERT INTO member_sites (member, site, at) VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET at = max(at, ?3)";
            transaction.execute(upsert, (member.number(), site.to_string(), at.0)).map(drop)
        }
        Write::SignInsGone { member, keep } => {
            let of = (member.number(), keep.map(|token| token.0));
            end_sign_ins(transaction, "member = ?1 AND token IS NOT ?2", of)
        }
        Write::Link(link) => {
            let insert = "INSERT INTO links (token, member, expires_at) VALUES (?1, ?2, ?3)";
            transaction.execute(insert, (link.token.0, link.member.number(), link.expires_at.0)).map(drop)
        }
        Write::LinksGone(member) => {
            transaction.execute("DELETE FROM links WHERE member = ?1", [member.number()]).map(drop)
        }
        _ => Ok(()),
    }
}

fn put_member(transaction: &Transaction<'_>, keys: &Keys, member: &Member) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO members
            (id, account, email, name, role, language, password, totp, recovery, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (id) DO UPDATE
            SET email = ?3, name = ?4, role = ?5, language = ?6, password = ?7, totp = ?8, recovery = ?9";
    let purpose = Purpose::TotpSeed { member: member.id.number() };
    let totp = member.totp.as_ref().map(|seed| keys.wrap(purpose, seed).map_err(write::not_wrapped)).transpose()?;
    let recovery: Vec<u8> = member.recovery.iter().flat_map(|hash| hash.0).collect();
    let values = (
        member.id.number(),
        member.account.map(Id::number),
        &member.email,
        &member.name,
        word(&member.role)?,
        word(&member.language)?,
        member.password.as_ref().map(|password| &password.0),
        totp,
        recovery,
        member.created_at.0,
    );
    transaction.execute(upsert, values).map(drop)
}

fn put_sign_in(transaction: &Transaction<'_>, sign_in: &SignIn) -> rusqlite::Result<()> {
    let insert = "INSERT INTO sign_ins (token, member, created_at, seen_at, origin, agent, confirmed, acting_for)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = (
        sign_in.token.0,
        sign_in.member.number(),
        sign_in.created_at.0,
        sign_in.seen_at.0,
        sign_in.from.to_string(),
        &sign_in.agent,
        sign_in.confirmed,
        sign_in.acting_for.map(Id::number),
    );
    transaction.execute(insert, values)?;
    if sign_in.confirmed {
        return Ok(());
    }
    let beyond = "token IN (SELECT token FROM sign_ins WHERE member = ?1 AND confirmed = 0
        ORDER BY created_at DESC, token LIMIT -1 OFFSET ?2)";
    end_sign_ins(transaction, beyond, (sign_in.member.number(), WAITING_MAX as u64))
}

/// Ends sign-ins by a condition; those that waited for a one-time code are failures.
fn end_sign_ins(transaction: &Transaction<'_>, which: &str, values: impl Params) -> rusqlite::Result<()> {
    let mut query = transaction.prepare_cached(&format!("DELETE FROM sign_ins WHERE {which} RETURNING {COLUMNS}"))?;
    let ended: Vec<SignIn> = query.query_map(values, sign_in)?.collect::<rusqlite::Result<_>>()?;
    let waited = ended.iter().filter(|sign_in| !sign_in.confirmed);
    waited.map(SignIn::failed).try_for_each(|failed| failures::add(transaction, &failed))
}

impl Ledger {
    pub(crate) fn sign_in(&self, token: &PasswordHash) -> Result<Option<SignIn>, StoreError> {
        self.readers.read(|reader| {
            let mut query = reader.prepare_cached(&format!("SELECT {COLUMNS} FROM sign_ins WHERE token = ?1"))?;
            query.query_row([token.0], sign_in).optional()
        })
    }

    pub(crate) fn sign_ins(&self, member: Id<Member>) -> Result<Vec<SignIn>, StoreError> {
        self.readers.read(|reader| {
            let order = "WHERE member = ?1 ORDER BY seen_at DESC, token";
            let mut query = reader.prepare_cached(&format!("SELECT {COLUMNS} FROM sign_ins {order}"))?;
            query.query_map([member.number()], sign_in)?.collect()
        })
    }

    pub(crate) fn sign_in_end(&self, token: &PasswordHash) -> Result<(), StoreError> {
        self.writer()
            .transact(|transaction| transaction.execute("DELETE FROM sign_ins WHERE token = ?1", [token.0]).map(drop))
    }

    /// Keeps the latest use of each sign-in; those that have ended are left out.
    pub(crate) fn sign_ins_seen(&self, seen: &[(PasswordHash, Timestamp)]) -> Result<(), StoreError> {
        self.writer().transact(|transaction| {
            let update = "UPDATE sign_ins SET seen_at = max(seen_at, ?2) WHERE token = ?1";
            let mut update = transaction.prepare_cached(update)?;
            seen.iter().try_for_each(|(token, at)| update.execute((token.0, at.0)).map(drop))
        })
    }

    pub(crate) fn sign_ins_prune(
        &self,
        unused_since: Timestamp,
        made_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer().transact(|transaction| {
            let old = "seen_at < ?1 OR created_at < ?2 OR confirmed = 0 AND created_at <= ?3";
            let patience = u64::try_from(CODE_PATIENCE.as_millis()).unwrap_or(u64::MAX);
            let waited_since = now.0.saturating_sub(patience);
            end_sign_ins(transaction, old, (unused_since.0, made_before.0, waited_since))?;
            failures::forget_before(transaction, made_before)?;
            transaction.execute("DELETE FROM member_sites WHERE at < ?1", [made_before.0])?;
            transaction.execute("DELETE FROM links WHERE expires_at <= ?1", [now.0]).map(drop)
        })
    }

    pub(crate) fn sites(&self, member: Id<Member>) -> Result<Vec<(IpAddr, Timestamp)>, StoreError> {
        self.readers.read(|reader| {
            let query = "SELECT site, at FROM member_sites WHERE member = ?1 ORDER BY site";
            let mut query = reader.prepare_cached(query)?;
            let site = |row: &Row<'_>| Ok((parsed(&row.get::<_, String>(0)?)?, Timestamp(row.get(1)?)));
            query.query_map([member.number()], site)?.collect()
        })
    }

    pub(crate) fn link(&self, token: &PasswordHash) -> Result<Option<Link>, StoreError> {
        self.readers.read(|reader| {
            let mut query = reader.prepare_cached("SELECT member, expires_at FROM links WHERE token = ?1")?;
            let link = query.query_row([token.0], |row| {
                Ok(Link { token: *token, member: Id::new(row.get(0)?), expires_at: Timestamp(row.get(1)?) })
            });
            link.optional()
        })
    }
}
