//! Sign-ins to the console that failed, in `ledger.db`: a bounded part for each member.

use std::net::IpAddr;

use relay::clock::Timestamp;
use relay::id::Id;
use relay::member::Member;
use relay::member::failures::{self, FailedSignIns};
use relay::store::StoreError;
use rusqlite::{Connection, Row, Transaction};

use super::Ledger;
use crate::embedded::sqlite::{from_word, parsed, word};

fn failed(row: &Row<'_>, member: Id<Member>) -> rusqlite::Result<FailedSignIns> {
    let place: String = row.get(1)?;
    Ok(FailedSignIns {
        member,
        failure: from_word(row.get(0)?)?,
        place: if place.is_empty() { None } else { Some(parsed::<IpAddr>(&place)?) },
        count: row.get(2)?,
        first_at: Timestamp(row.get(3)?),
        last_at: Timestamp(row.get(4)?),
    })
}

fn of(reader: &Connection, member: Id<Member>) -> rusqlite::Result<Vec<FailedSignIns>> {
    let mut query = reader
        .prepare_cached("SELECT failure, place, count, first_at, last_at FROM failed_sign_ins WHERE member = ?1")?;
    query.query_map([member.number()], |row| failed(row, member))?.collect()
}

/// Adds failures of a member that is there.
pub(super) fn add(transaction: &Transaction<'_>, more: &FailedSignIns) -> rusqlite::Result<()> {
    let number = more.member.number();
    let mut kept = of(transaction, more.member)?;
    failures::add(&mut kept, more);
    transaction.prepare_cached("DELETE FROM failed_sign_ins WHERE member = ?1")?.execute([number])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO failed_sign_ins (member, failure, place, count, first_at, last_at)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM members WHERE id = ?1)",
    )?;
    for one in kept {
        let place = one.place.map(|place| place.to_string()).unwrap_or_default();
        insert.execute((number, word(&one.failure)?, place, one.count, one.first_at.0, one.last_at.0))?;
    }
    Ok(())
}

pub(super) fn forget_before(transaction: &Transaction<'_>, before: Timestamp) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM failed_sign_ins WHERE last_at < ?1", [before.0]).map(drop)
}

impl Ledger {
    pub(crate) fn sign_ins_failed(&self, failed: &[FailedSignIns]) -> Result<(), StoreError> {
        self.writer().transact(|transaction| failed.iter().try_for_each(|failed| add(transaction, failed)))
    }

    pub(crate) fn failed_sign_ins(&self, member: Id<Member>) -> Result<Vec<FailedSignIns>, StoreError> {
        let mut found = self.readers.read(|reader| of(reader, member))?;
        found.sort_by_key(failures::order);
        Ok(found)
    }
}
