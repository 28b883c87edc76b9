//! What receivers reported of mail with a domain's name, and where they are asked to.

use relay::dmarc_report::Addresses;
use relay::service::operation::Answer;
use relay::service::view::DmarcReportedView;
use relay::service::{self, Caller, Fault};
use relay::statistics::Period;
use relay::store::Store;
use relay::zone::Publisher;

use super::Executor;
use crate::config::Config;

/// The days that are shown where nobody says how many.
const DAYS_DEFAULT: u64 = 30;

/// What domains publish; reports are taken where other servers can bring some.
pub(super) fn publisher(config: &Config, store: &impl Store) -> Publisher {
    let takes = !config.reports.listen.is_empty();
    let dmarc_reports = takes.then(|| Addresses::new(store.return_path_key()));
    Publisher { dmarc_reports, ..config.publisher() }
}

impl<S: Store> Executor<S> {
    pub(super) fn domain_dmarc(&self, domain: &str, days: Option<u64>, caller: Caller<'_>) -> Result<Answer, Fault> {
        let domain = service::domain_find(self.store.as_ref(), domain, caller.scope)?;
        let most = self.limits.dmarc_days;
        let days = days.unwrap_or(DAYS_DEFAULT.min(most));
        if days == 0 || days > most {
            return Err(Fault::invalid(
                format!("Reports of {days} days are not kept."),
                format!("Ask for 1 to {most} days."),
            )
            .named("dmarc-days-wrong", &[("most", &most)]));
        }
        let today = caller.now.day();
        let period = Period { since: today.before(days - 1), until: today };
        // reporters in zones ahead of UTC have begun the next day
        let kept = self.store.dmarc_kept(domain.id, period.since, relay::clock::Day(today.0 + 1))?;
        Ok(Answer::DmarcReported(DmarcReportedView::new(&domain, &self.publisher, period, &kept)))
    }
}
