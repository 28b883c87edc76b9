//! The sites that mail goes to and the sources that it comes from, as the running driver sees them, and the orders to try one now.

use relay::audit::{About, Kind};
use relay::service::Fault;
use relay::service::operation::Answer;
use relay::service::view::{DoneView, SendingSourceView, SiteView};
use relay::store::{Actor, AuditEntry, Store, StoreError};
use relay::warm_up::Order;

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
        let gone = || no_source(source);
        let running = self.running.as_ref().ok_or_else(gone)?;
        running.dispatch.resume_source(source).map_err(|error| match error {
            StoreError::NotFound(_) => gone(),
            error => error.into(),
        })?;
        self.note_trial("source.resume", About::named(Kind::Source, source.to_string()), actor);
        Ok(Answer::Done(DoneView { done: format!("{source} is tried now.") }))
    }

    /// Stops the warm-up of a source, or begins it again; the order is in the audit log.
    pub(super) fn warm_up(&self, source: &str, order: Order, actor: &Actor) -> Result<Answer, Fault> {
        let running = self.running.as_ref().ok_or_else(|| no_source(source))?;
        let found = running.dispatch.sources().into_iter().find(|state| state.source.name == source);
        if found.ok_or_else(|| no_source(source))?.warm_up.is_none() {
            let what = format!("The source {source} has no warm-up.");
            let remedy = "Write `warm_up = true` into its table of the configuration and restart the relay.";
            return Err(Fault::conflict(what, remedy).named("source-no-warm-up", &[("source", &source)]));
        }
        self.store.warm_up_order(source, order, actor, self.clock.now())?;
        running.dispatch.warm_up(source, order)?;
        let done = match order {
            Order::Stop => format!("{source} is treated as warm from now on."),
            Order::Start => format!("{source} begins its warm-up again."),
        };
        Ok(Answer::Done(DoneView { done }))
    }

    /// Notes in the audit log that a site or source is tried.
    fn note_trial(&self, action: &str, about: About, actor: &Actor) {
        let entry = AuditEntry::new(self.clock.now(), actor.clone(), action, about, None);
        if let Err(error) = self.store.audit_note(entry) {
            tracing::error!(action, %error, "an order is carried out, but has no line in the audit log");
        }
    }
}

fn no_source(source: &str) -> Fault {
    Fault::not_found(
        format!("There is no source {source}."),
        "`envoi source list` shows those of the configuration, while the relay runs.",
    )
    .named("source-none", &[("source", &source)])
    .see("SourceList")
}
