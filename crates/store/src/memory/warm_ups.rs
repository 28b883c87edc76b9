//! The model's warm-ups.

use relay::clock::Timestamp;
use relay::store::{Actor, StoreError, WarmUps};
use relay::warm_up::{Kept, KeptClimb, Order};

use super::{Memory, Verb};

impl WarmUps for Memory {
    fn warm_ups(&self, sources: &[String]) -> Result<Kept, StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        let kept = &mut state.warm_ups;
        kept.climbs.retain(|climb| sources.contains(&climb.source));
        kept.stopped.retain(|source| sources.contains(source));
        Ok(kept.clone())
    }

    fn warm_ups_keep(&self, climbs: &[KeptClimb]) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        let key = |climb: &KeptClimb| (climb.source.clone(), climb.provider.clone());
        for climb in climbs {
            state.warm_ups.climbs.retain(|other| key(other) != key(climb));
            state.warm_ups.climbs.push(climb.clone());
        }
        state.warm_ups.climbs.sort_by_key(key);
        Ok(())
    }

    fn warm_up_order(&self, source: &str, order: Order, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        state.warm_ups.stopped.retain(|stopped| stopped != source);
        match order {
            Order::Stop => state.warm_ups.stopped.push(source.to_owned()),
            Order::Start => state.warm_ups.climbs.retain(|climb| climb.source != source),
        }
        state.warm_ups.stopped.sort();
        state.audit.push(crate::book::warm_up_entry(source, order, by, now));
        Ok(())
    }
}
