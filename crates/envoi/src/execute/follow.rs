//! Activity as it happens: what has changed since a cursor, waited for.

use relay::activity::{ActivityFilter, ActivityRow};
use relay::clock::Timestamp;
use relay::power::Scope;
use relay::service::Fault;
use relay::service::operation::{Answer, WAIT_SECONDS_MAX};
use relay::service::view::{ActivityChangesView, ActivityDetailView, ActivityView};
use relay::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use net::clock::SystemDice;

use super::{Executor, broke_off};

impl<S: Store> Executor<S> {
    /// Rows that changed since `cursor`; where none has, at most `seconds` later. Without a cursor none, and that of now.
    /// What changes for others, or is not asked for, is no reason to answer.
    pub(super) async fn activity_since(
        self: &Arc<Self>,
        cursor: Option<String>,
        filter: ActivityFilter,
        seconds: u32,
        scope: Scope,
    ) -> Result<Answer, Fault> {
        let Some(cursor) = cursor else {
            let place = self.read(|store| store.activity_cursor()).await?;
            return Ok(self.changes(&[], place, scope));
        };
        let unknown = || Fault::invalid("`cursor` was never given.", "Without one the answer has the cursor of now.");
        let mut place = self.cursors.open(scope, &cursor).ok_or_else(unknown)?;
        let until = Instant::now() + Duration::from_secs(u64::from(seconds.min(WAIT_SECONDS_MAX)));
        loop {
            let wanted = filter.clone();
            let (rows, next) = self.read(move |store| store.activity_since(place, &wanted)).await?;
            let left = until.saturating_duration_since(Instant::now());
            if !rows.is_empty() || left.is_zero() {
                return Ok(self.changes(&rows, next, scope));
            }
            place = next;
            self.store.activity_changed(place, filter.account, left).await;
        }
    }

    fn changes(&self, rows: &[ActivityRow], place: u64, scope: Scope) -> Answer {
        let cursor = self.cursors.seal(scope, place, &mut SystemDice);
        Answer::ActivityChanges(ActivityChangesView { rows: self.rows(rows, scope), cursor })
    }

    /// Rows as this caller sees them.
    pub(super) fn rows(&self, rows: &[ActivityRow], scope: Scope) -> Vec<ActivityView> {
        let (now, delayed_after) = self.delays();
        let number = |row: &ActivityRow| self.cursors.number(scope, row.row);
        rows.iter().map(|row| ActivityView { row: number(row), ..ActivityView::at(row, now, delayed_after) }).collect()
    }

    /// Now, and how long after its acceptance a message counts as delayed.
    fn delays(&self) -> (Timestamp, Duration) {
        (self.clock.now(), Duration::from_secs(self.limits.delayed_seconds))
    }

    /// One row with all that is known of it, by the number that this caller knows it by.
    pub(super) fn activity_show(&self, number: u64, scope: Scope) -> Result<Answer, Fault> {
        match self.store.activity_detail(self.cursors.row(scope, number))? {
            Some(detail) if scope.sees(detail.row.account) => {
                let (now, delayed_after) = self.delays();
                let row = ActivityView { row: number, ..ActivityView::at(&detail.row, now, delayed_after) };
                Ok(Answer::ActivityDetail(ActivityDetailView::new(row, &detail, &self.store.directory())))
            }
            _ => {
                let what = format!("There is no row {number}.");
                let told = Fault::not_found(what, "Activity shows the rows; they are kept 30 days at most.");
                Err(told.named("row-none", &[("number", &number)]).see("Activity"))
            }
        }
    }

    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || read(&store)).await;
        done.map_err(broke_off)?.map_err(Fault::from)
    }
}
