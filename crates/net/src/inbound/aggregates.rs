//! A report on DMARC that has come to the address of a domain: read, judged and kept before it is answered.

use message::dmarc_report as mail;
use relay::dmarc_report::{self, Report, Taken};
use relay::id::Id;
use relay::sending_domain::SendingDomain;
use relay::store::{Store, StoreError};
use std::sync::Arc;

use super::Desk;
use super::taking::Came;
use crate::offload::Offload;

impl<S: Store> Desk<S> {
    /// Takes one; whatever cannot be used is heard and forgotten: sent again it would be no other.
    ///
    /// # Errors
    /// It could not be kept.
    pub(super) async fn take_aggregate(&self, domain: Id<SendingDomain>, came: Came) -> Result<(), StoreError> {
        let Some(domain) = self.store.directory().domains.get(&domain).map(Arc::clone) else { return Ok(()) };
        let report = match self.read_aggregate(&domain, &came).await? {
            Ok(report) => report,
            Err(why) => {
                self.metrics.count("dmarc_unusable");
                tracing::info!(domain = %domain.name, why, "a report on DMARC is not used");
                return Ok(());
            }
        };
        let known = came.authenticated(self).await;
        let authentication = known.to_string();
        let report = Report { authentication: Some(known), ..report };
        let (reporter, messages) = (report.reporter.clone(), report.messages());
        let store = Arc::clone(&self.store);
        let taken = Offload::Threads.run(move || store.dmarc_take(&report)).await;
        let taken = taken.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        self.metrics.count(match taken {
            Taken::Kept => "dmarc",
            Taken::Apart => "dmarc_apart",
            Taken::Again => "dmarc_again",
            Taken::Beyond => "dmarc_beyond",
        });
        let domain = &domain.name;
        match taken {
            Taken::Kept => tracing::info!(%domain, reporter, messages, authentication, "DMARC was reported on"),
            Taken::Apart => tracing::info!(
                %domain,
                reporter,
                messages,
                authentication,
                "a report on DMARC is not counted: nobody vouches for it"
            ),
            Taken::Again | Taken::Beyond => {}
        }
        Ok(())
    }

    /// What of one is kept; the inner error is why nothing is.
    async fn read_aggregate(
        &self,
        domain: &Arc<SendingDomain>,
        came: &Came,
    ) -> Result<Result<Report, String>, StoreError> {
        // one at a time: opening what strangers have compressed takes no more than one processor
        let _turn = self.opening.acquire().await;
        let (domain, content, limits, now) =
            (Arc::clone(domain), came.content.clone(), self.limits.clone(), self.clock.now());
        let reading = move || {
            let read = mail::read(&content, limits.dmarc_opened_octets_max).map_err(|fault| fault.to_string())?;
            dmarc_report::judge(read, &domain, now, limits.dmarc_days).map_err(|unusable| unusable.to_string())
        };
        Offload::Threads.run(reading).await.map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
