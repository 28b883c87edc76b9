//! Forgets what has an end of its own: suppressions and reports on DMARC whose time is over.

use relay::store::Store;
use std::sync::Arc;
use std::time::Duration;

use net::shutdown::Shutdown;

use crate::execute::Executor;

/// How often is looked. What is over suppresses nothing from its last moment on; here it only leaves the disk.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Looks until shutdown.
pub(crate) async fn watch<S: Store>(executor: Arc<Executor<S>>, shutdown: Shutdown) {
    loop {
        let (store, now) = (Arc::clone(&executor.store), executor.clock.now());
        match tokio::task::spawn_blocking(move || store.suppressions_expire(now)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(count)) => tracing::info!(count, "suppressions whose time was over are gone"),
            Ok(Err(error)) => tracing::warn!(%error, "suppressions whose time is over could not be forgotten"),
            Err(error) => tracing::error!(%error, "forgetting suppressions broke off"),
        }
        let (store, before) = (Arc::clone(&executor.store), now.day().before(executor.limits.dmarc_days));
        match tokio::task::spawn_blocking(move || store.dmarc_prune(before)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "DMARC reports whose time is over could not be forgotten"),
            Err(error) => tracing::error!(%error, "forgetting DMARC reports broke off"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.begun() => return,
        }
    }
}
