//! Requests with an idempotency key in `ledger.db`.

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::store::{KeyHash, KeyedRequest, RequestBounds, Requests, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Ledger;
use crate::embedded::Embedded;

/// What stands for the operator, who has no account.
const OPERATOR: i64 = -1;

fn number(account: Option<Id<Account>>) -> i64 {
    account.map_or(OPERATOR, |account| account.number().cast_signed())
}

fn request(row: &Row<'_>, account: Option<Id<Account>>, key: &KeyHash) -> rusqlite::Result<KeyedRequest> {
    let message: Option<[u8; 16]> = row.get(2)?;
    Ok(KeyedRequest {
        account,
        key: *key,
        fingerprint: row.get(0)?,
        at: Timestamp(row.get(1)?),
        message: message.map(|octets| MessageId(u128::from_be_bytes(octets))),
        answer: row.get(3)?,
    })
}

/// Whether an account has room for a request, or has this one already.
fn has_room(
    connection: &Connection,
    account: i64,
    request: &KeyedRequest,
    bounds: RequestBounds,
) -> rusqlite::Result<bool> {
    let query = "SELECT length(CAST(answer AS BLOB)) FROM requests WHERE account = ?1 AND key = ?2";
    let own = connection.prepare_cached(query)?.query_row((account, request.key), |row| row.get::<_, Option<u64>>(0));
    let own = own.optional()?;
    let query = "SELECT count, octets FROM request_counts WHERE account = ?1";
    let all = connection.prepare_cached(query)?.query_row([account], |row| Ok((row.get::<_, u64>(0)?, row.get(1)?)));
    let (count, octets): (u64, u64) = all.optional()?.unwrap_or_default();
    let others = octets.saturating_sub(own.flatten().unwrap_or_default());
    Ok(bounds.have_room(request, own.is_some(), count, others))
}

impl Ledger {
    fn request(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<Option<KeyedRequest>, StoreError> {
        self.readers.read(|reader| {
            let query = "SELECT fingerprint, at, message, answer FROM requests WHERE account = ?1 AND key = ?2";
            let mut query = reader.prepare_cached(query)?;
            query.query_row((number(account), key), |row| request(row, account, key)).optional()
        })
    }

    fn request_put(&self, request: &KeyedRequest, bounds: RequestBounds) -> Result<bool, StoreError> {
        let account = number(request.account);
        self.writer().transact(|transaction| {
            if !has_room(transaction, account, request, bounds)? {
                return Ok(false);
            }
            let upsert = "INSERT INTO requests (account, key, fingerprint, at, message, answer)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                ON CONFLICT DO UPDATE SET fingerprint = ?3, at = ?4, message = ?5, answer = ?6";
            let message = request.message.map(|message| message.0.to_be_bytes());
            let values = (account, request.key, request.fingerprint, request.at.0, message, &request.answer);
            transaction.prepare_cached(upsert)?.execute(values)?;
            Ok(true)
        })
    }

    fn request_forget(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<(), StoreError> {
        self.writer().transact(|transaction| {
            let delete = "DELETE FROM requests WHERE account = ?1 AND key = ?2";
            transaction.execute(delete, (number(account), key)).map(drop)
        })
    }

    fn requests_prune(&self, before: Timestamp) -> Result<(), StoreError> {
        self.writer().transact(|transaction| {
            transaction.execute("DELETE FROM requests WHERE at < ?1", [before.0])?;
            transaction.execute("DELETE FROM request_counts WHERE count = 0", []).map(drop)
        })
    }
}

impl Requests for Embedded {
    fn request(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<Option<KeyedRequest>, StoreError> {
        self.ledger.request(account, key)
    }

    fn request_put(&self, request: &KeyedRequest, bounds: RequestBounds) -> Result<bool, StoreError> {
        self.ledger.request_put(request, bounds)
    }

    fn request_forget(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<(), StoreError> {
        self.ledger.request_forget(account, key)
    }

    fn requests_prune(&self, before: Timestamp) -> Result<(), StoreError> {
        self.ledger.requests_prune(before)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::schema::MIGRATIONS;
    use crate::embedded::sqlite::open_writer;

    #[test]
    fn answers_that_an_earlier_version_kept_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let place = MIGRATIONS.iter().position(|step| step.contains("ALTER TABLE request_counts")).unwrap();
        let before = open_writer(&path, &MIGRATIONS[..place]).unwrap();
        let insert = "INSERT INTO requests (account, key, fingerprint, at, answer) VALUES (7, ?1, x'00', 1, ?2)";
        before.execute(insert, ([1_u8; 32], Some("é"))).unwrap();
        before.execute(insert, ([2_u8; 32], None::<&str>)).unwrap();
        drop(before);
        let writer = open_writer(&path, MIGRATIONS).unwrap();
        let counted = || {
            let counts = "SELECT count, octets FROM request_counts WHERE account = 7";
            let row = writer.query_row(counts, [], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)));
            row.unwrap()
        };
        assert_eq!(counted(), (2, 2));
        writer.execute("UPDATE requests SET answer = 'abc' WHERE answer IS NULL", []).unwrap();
        assert_eq!(counted(), (2, 5));
        writer.execute("DELETE FROM requests WHERE answer = 'é'", []).unwrap();
        assert_eq!(counted(), (1, 3));
    }
}
