//! How a domain fares: what is counted, seen in DNS, reported and listed of it, put together.

use relay::clock::Day;
use relay::health::{self, DAYS, Known, Listing};
use relay::power::Scope;
use relay::service::operation::Answer;
use relay::service::view::DomainHealthView;
use relay::service::{self, Fault};
use relay::statistics::{Period, Statistics};
use relay::store::Store;
use std::sync::Arc;

use super::{Executor, broke_off};

impl<S: Store> Executor<S> {
    pub(super) async fn domain_health(self: &Arc<Self>, domain: &str, scope: Scope) -> Result<Answer, Fault> {
        let domain = service::domain_find(self.store.as_ref(), domain, scope)?;
        let listings = match &self.running {
            Some(running) => running.blocklists.look(&self.publisher.addresses, &[&domain.name]).await,
            // without a relay that runs nobody is asked
            None => Vec::new(),
        };
        let here = Arc::clone(self);
        tokio::task::spawn_blocking(move || here.health_of(&domain, &listings)).await.map_err(broke_off)?
    }

    fn health_of(&self, domain: &relay::sending_domain::SendingDomain, listings: &[Listing]) -> Result<Answer, Fault> {
        let today = self.store.directory().day_of(domain.account, self.clock.now());
        let period = Period { since: today.before(DAYS - 1), until: today };
        let counts = self.store.sent(Some(domain.account), period.since, period.until)?;
        let sent = Statistics::of(counts.iter().filter(|count| count.domain == Some(domain.id)), period).total;
        // reporters have days of their own
        let reported = self.store.dmarc_kept(domain.id, period.since, Day(today.0 + 2))?;
        let known = Known { domain, publisher: &self.publisher, sent, reported: &reported, listings };
        let findings = health::look(&known);
        Ok(Answer::DomainHealth(DomainHealthView::new(domain, period, &findings)))
    }
}
