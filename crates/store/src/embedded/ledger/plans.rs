//! Plans in `ledger.db`: read, and written as the book's changes want them.

use std::sync::Arc;

use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::plan::{Plan, Terms, Wording};
use rusqlite::{Connection, Row, Transaction};

use super::load;

/// Every plan, into the directory.
pub(super) fn load(reader: &Connection, directory: &mut Directory) -> rusqlite::Result<()> {
    let query = "SELECT id, name, name_fr, recipients, price, price_fr, offered, place, is_default, retired, created_at
        FROM plans";
    load::each(reader, query, |row| {
        let plan = plan(row)?;
        directory.plans.insert(plan.id, Arc::new(plan));
        Ok(())
    })
}

fn plan(row: &Row<'_>) -> rusqlite::Result<Plan> {
    let terms = Terms {
        name: Wording { english: row.get(1)?, french: row.get(2)? },
        recipients: row.get(3)?,
        price: Wording { english: row.get(4)?, french: row.get(5)? },
        is_offered: row.get(6)?,
        place: row.get(7)?,
    };
    let (is_default, is_retired, created_at) = (row.get(8)?, row.get(9)?, Timestamp(row.get(10)?));
    Ok(Plan { id: Id::new(row.get(0)?), terms, is_default, is_retired, created_at })
}

/// Keeps a plan as it is from now on.
pub(super) fn put(transaction: &Transaction<'_>, plan: &Plan) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO plans
            (id, name, name_fr, recipients, price, price_fr, offered, place, is_default, retired, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (id) DO UPDATE
            SET name = ?2, name_fr = ?3, recipients = ?4, price = ?5, price_fr = ?6, offered = ?7, place = ?8,
                is_default = ?9, retired = ?10";
    let Terms { name, recipients, price, is_offered, place } = &plan.terms;
    let values = (
        plan.id.number(),
        &name.english,
        &name.french,
        recipients,
        &price.english,
        &price.french,
        is_offered,
        place,
        plan.is_default,
        plan.is_retired,
        plan.created_at.0,
    );
    transaction.execute(upsert, values).map(drop)
}

/// A plan is gone.
pub(super) fn gone(transaction: &Transaction<'_>, plan: Id<Plan>) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM plans WHERE id = ?1", [plan.number()]).map(drop)
}
