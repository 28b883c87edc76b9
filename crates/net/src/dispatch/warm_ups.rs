//! How far warm-ups have come, kept: once a minute where something changed, and at the end.

use std::sync::Arc;
use std::time::Duration;

use relay::schedule::Event;
use relay::source::Sources;
use relay::store::{Store, StoreError};
use relay::warm_up::{Kept, Order};

use super::carrier::Carrier;
use super::driver::Driver;

/// How often what changed is kept: so much of the counts is lost by a crash.
const KEPT_EVERY: Duration = Duration::from_secs(60);

/// What is kept of the sources that are to warm up. Where it cannot be read they begin at the foot: too little mail from them does
/// less harm than too much.
pub(super) fn kept(sources: &Sources, store: &impl Store) -> Kept {
    let warming = sources.iter().filter(|(_, source)| source.warm_up);
    let names: Vec<String> = warming.map(|(_, source)| source.name.clone()).collect();
    // of none, too: what is kept of others goes
    store.warm_ups(&names).unwrap_or_else(|error| {
        tracing::error!(%error, "how far sources have warmed up cannot be read: they begin again");
        Kept::default()
    })
}

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Keeps what changes, until the stop.
    pub(super) async fn keep_warm_ups(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(KEPT_EVERY) => self.keep_warm_ups_now().await,
            }
        }
    }

    /// Keeps what has changed; what cannot be kept is tried the next time.
    pub(super) async fn keep_warm_ups_now(&self) {
        let climbs = Arc::new(self.state().scheduler.warm_ups_to_keep());
        if climbs.is_empty() {
            return;
        }
        let (store, keeping) = (Arc::clone(&self.store), Arc::clone(&climbs));
        let fault = match self.settings.offload.run(move || store.warm_ups_keep(&keeping)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(error = %fault, "how far sources have warmed up cannot be kept now");
        self.state().scheduler.warm_ups_not_kept(&climbs);
    }

    /// Carries out an order about the warm-up of a source. It has to be kept first.
    pub(super) fn order_warm_up(self: &Arc<Self>, source: &str, order: Order) -> Result<(), StoreError> {
        let found = self.settings.sources.source_named(source);
        let found = found.ok_or_else(|| StoreError::NotFound(format!("source {source}")))?;
        self.tell(Event::WarmUp { source: found, order });
        Ok(())
    }
}
