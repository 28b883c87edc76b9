//! Webhooks in `ledger.db`: read, and written as the book's changes want them. Their calls are in `activity.db`.

use std::sync::Arc;

use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::store::StoreError;
use relay::webhook::Webhook;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use smtp::server::Secret;

use super::{Ledger, load, write};
use crate::book::{Write, no_webhook};
use crate::embedded::master_key::{Keys, Purpose};
use crate::embedded::sqlite::{from_json, from_word, json, word};

/// Every webhook, into the directory.
pub(super) fn load(reader: &Connection, directory: &mut Directory) -> rusqlite::Result<()> {
    let query = "SELECT id, account, name, url, events, domain, user, state, rotated_at, created_at FROM webhooks";
    load::each(reader, query, |row| {
        let webhook = webhook(row)?;
        directory.webhook_accounts.insert(webhook.id, webhook.account);
        directory.webhooks.insert((webhook.account, webhook.id), Arc::new(webhook));
        Ok(())
    })
}

fn webhook(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    Ok(Webhook {
        id: Id::new(row.get(0)?),
        account: Id::new(row.get(1)?),
        name: row.get(2)?,
        url: row.get(3)?,
        events: from_json(&row.get::<_, String>(4)?)?,
        domain: row.get::<_, Option<u64>>(5)?.map(Id::new),
        user: row.get::<_, Option<u64>>(6)?.map(Id::new),
        state: from_word(row.get(7)?)?,
        rotated_at: row.get::<_, Option<u64>>(8)?.map(Timestamp),
        created_at: Timestamp(row.get(9)?),
    })
}

/// Keeps one row of a change.
pub(super) fn row(transaction: &Transaction<'_>, keys: &Keys, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Webhook(webhook) => put(transaction, webhook),
        Write::WebhookSecret { webhook, secret } => {
            let wrapped = keys.wrap(Purpose::WebhookSecret { webhook: webhook.number() }, secret);
            let update = "UPDATE webhooks SET previous = secret, secret = ?2 WHERE id = ?1";
            transaction.execute(update, (webhook.number(), wrapped.map_err(write::not_wrapped)?)).map(drop)
        }
        Write::WebhookGone(webhook) => {
            transaction.execute("DELETE FROM webhooks WHERE id = ?1", [webhook.number()]).map(drop)
        }
        _ => Ok(()),
    }
}

fn put(transaction: &Transaction<'_>, webhook: &Webhook) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO webhooks (id, account, name, url, events, domain, user, state, rotated_at, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (id) DO UPDATE
            SET name = ?3, url = ?4, events = ?5, domain = ?6, user = ?7, state = ?8, rotated_at = ?9";
    let values = (
        webhook.id.number(),
        webhook.account.number(),
        &webhook.name,
        &webhook.url,
        json(&webhook.events)?,
        webhook.domain.map(Id::number),
        webhook.user.map(Id::number),
        word(&webhook.state)?,
        webhook.rotated_at.map(|at| at.0),
        webhook.created_at.0,
    );
    transaction.execute(upsert, values).map(drop)
}

impl Ledger {
    /// The unwrapped secrets of a webhook that sign at this moment.
    pub(crate) fn webhook_secrets(&self, webhook: Id<Webhook>, now: Timestamp) -> Result<Vec<Secret>, StoreError> {
        let directory = self.directory();
        let known = directory.webhook(webhook).ok_or_else(|| no_webhook(webhook))?;
        let wrapped = self.readers.read(|reader| {
            let mut query = reader.prepare_cached("SELECT secret, previous FROM webhooks WHERE id = ?1")?;
            let secrets = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
            query.query_row([webhook.number()], secrets).optional()
        })?;
        let (secret, previous) = wrapped.ok_or_else(|| no_webhook(webhook))?;
        let previous = previous.filter(|_| known.has_two_secrets(now));
        let purpose = Purpose::WebhookSecret { webhook: webhook.number() };
        let unwrap = |wrapped: Vec<u8>| {
            self.keys.unwrap(purpose, &wrapped).map_err(|_| {
                StoreError::Unavailable(format!("the secret of webhook {webhook} was wrapped under another master key"))
            })
        };
        [secret].into_iter().chain(previous).map(unwrap).collect()
    }
}
