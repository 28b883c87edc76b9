//! The sites that mail goes to and the sources that it comes from, as the running driver sees them, and the orders to try one now.

use relay::audit::{About, Kind};
use relay::service::Fault;
use relay::service::operation::Answer;
use relay::service::view::{DoneView, SendingSourceView, SiteView};
use relay::store::{Actor, AuditEntry, Store, StoreError};

use super::Executor;

impl<S: Store> Executor<S> {
    /// Whoever delivers knows the sites: without a running relay there are none.
    pub(super) fn sites(&self, after: Option<&str>, limit: usize, troubled: bool) -> Vec<SiteView> {
        let Some(running) = &self.running else { return Vec::new() };
        let found = running.dispatch.sites(after, limit, troubled);
        found.into_iter().map(|(site, domains)| SiteView::new(&site, domains, &self.limits)).collect()
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
        self.note_trial("site.resume", About::named(Kind::Site, site.to_string()), actor);
        Ok(Answer::Done(DoneView { done: format!("{site} is tried now.") }))
    }

    /// Whoever delivers knows how the sources fare: without a running relay there are none.
    pub(super) fn sources(&self) -> Vec<SendingSourceView> {
        let Some(running) = &self.running else { return Vec::new() };
        let configured = running.dispatch.configured_sources();
        running.dispatch.sources().iter().map(|state| SendingSourceView::new(state, &configured)).collect()
    }

    /// Has a source tried now; the order is in the audit log.
    pub(super) fn source_resume(&self, source: &str, actor: &Actor) -> Result<Answer, Fault> {
        let gone = || {
            Fault::not_found(
                format!("There is no source {source}."),
                "`envoi source list` shows those of the configuration, while the relay runs.",
            )
            .named("source-none", &[("source", &source)])
            .see("SourceList")
        };
        let running = self.running.as_ref().ok_or_else(gone)?;
        running.dispatch.resume_source(source).map_err(|error| match error {
            StoreError::NotFound(_) => gone(),
            error => error.into(),
        })?;
        self.note_trial("source.resume", About::named(Kind::Source, source.to_string()), actor);
        Ok(Answer::Done(DoneView { done: format!("{source} is tried now.") }))
    }

    /// Notes in the audit log that a site or source is tried.
    fn note_trial(&self, action: &str, about: About, actor: &Actor) {
        let entry = AuditEntry::new(self.clock.now(), actor.clone(), action, about, None);
        if let Err(error) = self.store.audit_note(entry) {
            tracing::error!(action, %error, "an order is carried out, but has no line in the audit log");
        }
    }
}
