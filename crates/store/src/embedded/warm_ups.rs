//! Warm-ups of the data folder, kept by the ledger.

use relay::clock::Timestamp;
use relay::store::{Actor, StoreError, WarmUps};
use relay::warm_up::{Kept, KeptClimb, Order};

use super::Embedded;

impl WarmUps for Embedded {
    fn warm_ups(&self, sources: &[String]) -> Result<Kept, StoreError> {
        self.ledger.warm_ups(sources)
    }

    fn warm_ups_keep(&self, climbs: &[KeptClimb]) -> Result<(), StoreError> {
        self.ledger.warm_ups_keep(climbs)
    }

    fn warm_up_order(&self, source: &str, order: Order, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.warm_up_order(source, order, by, now)
    }
}
