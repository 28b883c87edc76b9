//! A report on DMARC that has come to the address of a domain: read, judged and kept before it is answered.

use bytes::Bytes;
use message::dmarc_report as mail;
use relay::dmarc_report::{self, Taken};
use relay::id::Id;
use relay::sending_domain::SendingDomain;
use relay::store::{Store, StoreError};
use std::sync::Arc;

use super::Desk;
use crate::offload::Offload;

/// What became of one, as it is counted.
enum Came {
    Kept(u64),
    Again,
    Beyond,
    /// Why nothing is kept of it.
    Unusable(String),
}

impl<S: Store> Desk<S> {
    /// Takes one; whatever cannot be used is heard and forgotten: sent again it would be no other.
    ///
    /// # Errors
    /// It could not be kept.
    pub(super) async fn take_aggregate(&self, domain: Id<SendingDomain>, content: Bytes) -> Result<(), StoreError> {
        let Some(domain) = self.store.directory().domains.get(&domain).map(Arc::clone) else { return Ok(()) };
        // one at a time: opening what strangers have compressed takes no more than one processor
        let _turn = self.opening.acquire().await;
        let (store, limits, now) = (Arc::clone(&self.store), self.limits.clone(), self.clock.now());
        let about = Arc::clone(&domain);
        let taking = move || -> Result<Came, StoreError> {
            let read = match mail::read(&content, limits.dmarc_opened_octets_max) {
                Ok(read) => read,
                Err(fault) => return Ok(Came::Unusable(fault.to_string())),
            };
            let report = match dmarc_report::judge(read, &about, now, limits.dmarc_days) {
                Ok(report) => report,
                Err(unusable) => return Ok(Came::Unusable(unusable.to_string())),
            };
            Ok(match store.dmarc_take(&report)? {
                Taken::Kept => Came::Kept(report.messages()),
                Taken::Again => Came::Again,
                Taken::Beyond => Came::Beyond,
            })
        };
        let came = Offload::Threads.run(taking).await;
        let came = came.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        self.metrics.count(match &came {
            Came::Kept(_) => "dmarc",
            Came::Again => "dmarc_again",
            Came::Beyond => "dmarc_beyond",
            Came::Unusable(_) => "dmarc_unusable",
        });
        match came {
            Came::Kept(messages) => tracing::info!(domain = %domain.name, messages, "DMARC was reported on"),
            Came::Unusable(why) => tracing::info!(domain = %domain.name, why, "a report on DMARC is not used"),
            Came::Again | Came::Beyond => {}
        }
        Ok(())
    }
}
