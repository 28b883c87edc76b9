//! How far new sources have come with each provider.

use super::{Actor, StoreError};
use crate::clock::Timestamp;
use crate::warm_up::{Kept, KeptClimb, Order};

/// Warm-ups. Verbs block on the disk: call them off the async threads.
pub trait WarmUps: Send + Sync + 'static {
    /// What is kept of these sources, by name. What is kept of others, which no configuration names any more, is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it is not known how far they have come.
    fn warm_ups(&self, sources: &[String]) -> Result<Kept, StoreError>;

    /// Keeps how far these have come.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: none of it is kept, and is to be kept another time.
    fn warm_ups_keep(&self, climbs: &[KeptClimb]) -> Result<(), StoreError>;

    /// Keeps that the warm-up of a source was stopped, or begins again, with a line in the audit log.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn warm_up_order(&self, source: &str, order: Order, by: &Actor, now: Timestamp) -> Result<(), StoreError>;
}
