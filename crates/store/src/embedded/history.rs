//! What happened, as the rows of activity tell it.

use std::time::{Duration, Instant};

use relay::account::Account;
use relay::activity::{ActivityDetail, ActivityFilter, ActivityRow, ConnectionRow, DailyCount, Erased};
use relay::clock::Day;
use relay::id::{Id, MessageId};
use relay::quota::Charges;
use relay::report::Recipient;
use relay::store::{History, StoreError};

use super::Embedded;
use super::ledger::activity;
use super::ledger::activity::erase::{self, Erasure};

/// The least time between two steps of an erasure: whoever follows the log takes its turn in it.
const TURN: Duration = Duration::from_millis(1);

/// Leaves as much time to what is new as an erasure took.
#[expect(clippy::disallowed_methods, reason = "a thread of its own, which is not to take every turn")]
fn give_turn(taken: Duration) {
    std::thread::sleep(taken.max(TURN));
}

impl History for Embedded {
    fn activity(&self, filter: &ActivityFilter) -> Result<Vec<ActivityRow>, StoreError> {
        self.activity.read(|reader| activity::activity(reader, filter))
    }

    fn activity_since(&self, cursor: u64, filter: &ActivityFilter) -> Result<(Vec<ActivityRow>, u64), StoreError> {
        self.activity.read(|reader| activity::since(reader, cursor, filter))
    }

    fn activity_cursor(&self) -> Result<u64, StoreError> {
        Ok(self.activity.cursor())
    }

    async fn activity_changed(&self, cursor: u64, account: Option<Id<Account>>, patience: Duration) {
        self.activity.changed(cursor, account, patience).await;
    }

    fn activity_detail(&self, row: u64) -> Result<Option<ActivityDetail>, StoreError> {
        self.activity.read(|reader| activity::detail(reader, row))
    }

    fn connections(
        &self,
        account: Option<Id<Account>>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ConnectionRow>, StoreError> {
        self.activity.read(|reader| activity::connections(reader, account, before, limit))
    }

    fn sent(&self, account: Option<Id<Account>>, since: Day, until: Day) -> Result<Vec<DailyCount>, StoreError> {
        self.activity.read(|reader| activity::sent(reader, account, since, until))
    }

    fn sent_by_all(&self, since: Day, until: Day) -> Result<Vec<DailyCount>, StoreError> {
        self.activity.read(|reader| activity::sent_by_all(reader, since, until))
    }

    fn erase(&self, account: Id<Account>, recipient: &str) -> Result<Erased, StoreError> {
        let erasure = Erasure::of(account, recipient);
        self.activity.asked(&erasure, || {
            self.activity.write(|writer, _| erase::begin(writer, &erasure))?;
            self.activity.sync()?;
            loop {
                let began = Instant::now();
                if let Some(erased) = self.activity.write(|writer, _| erase::step(writer, &erasure))? {
                    self.activity.sync()?;
                    return Ok(erased);
                }
                give_turn(began.elapsed());
            }
        })
    }

    fn recipients_of(&self, message: MessageId) -> Result<Vec<Recipient>, StoreError> {
        self.activity.read(|reader| activity::recipients(reader, message))
    }

    fn charges(&self) -> Result<Charges, StoreError> {
        self.charged.all(&self.spool)
    }

    async fn caught_up(&self) {
        self.activity.caught_up(self.spool.synced()).await;
    }
}
