//! The sites that mail goes to, as the running driver sees them, and the order to try one now.

use relay::audit::{About, Kind};
use relay::service::Fault;
use relay::service::operation::Answer;
use relay::service::view::{DoneView, SiteView};
use relay::store::{Actor, AuditEntry, Store, StoreError};

use super::Executor;

impl<S: Store> Executor<S> {
    /// Whoever delivers knows the sites: without a running relay there are none.
    pub(super) fn sites(&self, after: Option<&str>, limit: usize, troubled: bool) -> Vec<SiteView> {
        let Some(running) = &self.running else { return Vec::new() };
        let found = running.dispatch.sites(after, limit, troubled);
        found.into_iter().map(|(site, domains)| SiteView::new(&site, domains)).collect()
    }

    /// Has a site tried now; the order is in the audit log.
    pub(super) fn site_resume(&self, site: &str, actor: &Actor) -> Result<Answer, Fault> {
        let gone = || {
            Fault::not_found(
                format!("There is no site {site}."),
                "The list of sites shows those that mail waits for or went to lately, while the relay runs.",
            )
            .named("site-none", &[("site", &site)])
            .see("SiteList")
        };
        let running = self.running.as_ref().ok_or_else(gone)?;
        running.dispatch.resume_site(site).map_err(|error| match error {
            StoreError::NotFound(_) => gone(),
            error => error.into(),
        })?;
        let about = About::named(Kind::Site, site.to_string());
        let entry = AuditEntry::new(self.clock.now(), actor.clone(), "site.resume", about, None);
        if let Err(error) = self.store.audit_note(entry) {
            tracing::error!(%site, %error, "an order is carried out, but has no line in the audit log");
        }
        Ok(Answer::Done(DoneView { done: format!("{site} is tried now.") }))
    }
}
