//! How far new sources have come, in `ledger.db`: a row for each source and provider, and one for each that was stopped.

use relay::clock::{Day, Timestamp};
use relay::store::{Actor, StoreError};
use relay::warm_up::{Climb, Kept, KeptClimb, Order};
use rusqlite::{Connection, Transaction, params};

use super::load::each;
use super::{Ledger, write};
use crate::book;

impl Ledger {
    pub(crate) fn warm_ups(&self, sources: &[String]) -> Result<Kept, StoreError> {
        self.writer().transact(|transaction| {
            let mut kept = read(transaction)?;
            let is_gone = |source: &String| !sources.contains(source);
            let gone = kept.climbs.iter().map(|climb| &climb.source).chain(&kept.stopped).filter(|one| is_gone(one));
            for source in gone {
                transaction.execute("DELETE FROM warm_ups WHERE source = ?1", [source])?;
                transaction.execute("DELETE FROM warm_ups_stopped WHERE source = ?1", [source])?;
            }
            kept.climbs.retain(|climb| !is_gone(&climb.source));
            kept.stopped.retain(|source| !is_gone(source));
            Ok(kept)
        })
    }

    pub(crate) fn warm_ups_keep(&self, climbs: &[KeptClimb]) -> Result<(), StoreError> {
        self.writer().transact(|transaction| climbs.iter().try_for_each(|climb| put(transaction, climb)))
    }

    pub(crate) fn warm_up_order(
        &self,
        source: &str,
        order: Order,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer().transact(|transaction| {
            match order {
                Order::Stop => {
                    transaction.execute("INSERT OR IGNORE INTO warm_ups_stopped (source) VALUES (?1)", [source])?;
                }
                Order::Start => {
                    transaction.execute("DELETE FROM warm_ups_stopped WHERE source = ?1", [source])?;
                    transaction.execute("DELETE FROM warm_ups WHERE source = ?1", [source])?;
                }
            }
            write::audit(transaction, &book::warm_up_entry(source, order, by, now))
        })
    }
}

fn read(reader: &Connection) -> rusqlite::Result<Kept> {
    let mut kept = Kept::default();
    let climbs =
        "SELECT source, provider, rung, day, sent, objections, blocked FROM warm_ups ORDER BY source, provider";
    each(reader, climbs, |row| {
        let climb = Climb {
            rung: row.get(2)?,
            day: Day(row.get(3)?),
            sent: row.get(4)?,
            objections: row.get(5)?,
            blocked: row.get(6)?,
        };
        kept.climbs.push(KeptClimb { source: row.get(0)?, provider: row.get(1)?, climb });
        Ok(())
    })?;
    each(reader, "SELECT source FROM warm_ups_stopped ORDER BY source", |row| {
        kept.stopped.push(row.get(0)?);
        Ok(())
    })?;
    Ok(kept)
}

fn put(transaction: &Transaction<'_>, KeptClimb { source, provider, climb }: &KeptClimb) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO warm_ups (source, provider, rung, day, sent, objections, blocked)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (source, provider)
        DO UPDATE SET rung = ?3, day = ?4, sent = ?5, objections = ?6, blocked = ?7";
    let Climb { rung, day, sent, objections, blocked } = climb;
    let row = params![source, provider, rung, day.0, sent, objections, blocked];
    transaction.prepare_cached(upsert)?.execute(row).map(drop)
}
