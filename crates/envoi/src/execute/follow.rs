//! Activity as it happens: what has changed since a cursor, waited for.

use relay::activity::ActivityFilter;
use relay::service::Fault;
use relay::service::operation::{Answer, WAIT_SECONDS_MAX};
use relay::service::view::{ActivityChangesView, ActivityView};
use relay::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

use super::{Executor, broke_off};

impl<S: Store> Executor<S> {
    /// Rows that changed since `cursor`; where none has, at most `seconds` later. Without a cursor none, and that of now.
    pub(super) async fn activity_since(
        self: &Arc<Self>,
        cursor: Option<u64>,
        filter: ActivityFilter,
        seconds: u32,
    ) -> Result<Answer, Fault> {
        let Some(cursor) = cursor else {
            let cursor = self.read(|store| store.activity_cursor()).await?;
            return Ok(Answer::ActivityChanges(ActivityChangesView { rows: Vec::new(), cursor }));
        };
        let patience = Duration::from_secs(u64::from(seconds.min(WAIT_SECONDS_MAX)));
        self.store.activity_changed(cursor, patience).await;
        let (rows, cursor) = self.read(move |store| store.activity_since(cursor, &filter)).await?;
        Ok(Answer::ActivityChanges(ActivityChangesView { rows: rows.iter().map(ActivityView::from).collect(), cursor }))
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
