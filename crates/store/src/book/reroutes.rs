//! What the verb of orders to send waiting mail another way makes of them.

use std::sync::Arc;

use relay::clock::Timestamp;
use relay::reroute::{REROUTES_MAX, Reroute};
use relay::store::StoreError;

use super::{Decided, Register, Write};

impl Register {
    pub(crate) fn reroute(&self, reroute: Reroute, oldest: Option<Timestamp>) -> Decided<()> {
        let mut kept = Vec::clone(&self.directory.reroutes);
        if oldest.is_some() {
            kept.retain(|one| !one.is_over(oldest));
        }
        kept.retain(|one| !reroute.supersedes(one));
        if kept.len() >= REROUTES_MAX {
            let what = format!(
                "{REROUTES_MAX} orders to send waiting mail another way are in force: wait until some of it has left."
            );
            return Err(StoreError::Conflict(what));
        }
        kept.push(reroute);
        let mut draft = self.draft();
        draft.next.reroutes = Arc::new(kept);
        draft.writes.push(Write::Reroutes(Arc::clone(&draft.next.reroutes)));
        Ok(draft.done(()))
    }
}
