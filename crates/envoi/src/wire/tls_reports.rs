//! Reports on TLS to the domains that mail goes to: who counts, and who sends.

use net::clock::Clock;
use net::dispatch;
use net::dns::Resolver;
use net::own_mail::OwnMail;
use net::tls_reports::{Settings, TlsReports, by_own_mail};
use relay::service::Fault;
use std::sync::Arc;

use super::{Ground, further_authorities, no_tls, own_addresses};
use crate::config::Config;

/// Who counts; none where nobody is named for questions.
pub(super) fn open(
    config: &Config,
    resolver: &Arc<dyn Resolver>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<TlsReports>, Fault> {
    let Some(author) = config.tls_reports.clone() else { return Ok(None) };
    let settings = Settings {
        allow_private: config.delivery.allow_private,
        own: own_addresses(config),
        authorities: further_authorities(config)?,
        file: Some(config.tls_reports_file()),
        ..Settings::held_to(&config.limits, author)
    };
    let opened = TlsReports::open(settings, Arc::clone(resolver), Arc::clone(clock));
    opened.map(Some).map_err(|error| no_tls(&error))
}

impl Ground {
    /// The relay's own hand.
    pub(super) fn own_mail(&self, config: &Config, dispatch: &dispatch::Handle) -> OwnMail<store::embedded::Embedded> {
        OwnMail {
            store: Arc::clone(&self.store),
            dispatch: dispatch.clone(),
            hostname: config.hostname.clone(),
            sender: config.mail_from.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Sends reports from now on.
    pub(super) fn report_on_tls(&self, config: &Config, reports: &TlsReports, dispatch: &dispatch::Handle) {
        let Some(author) = config.tls_reports.clone() else { return };
        let mailing = by_own_mail(self.own_mail(config, dispatch), author.contact, author.submitter);
        self.shutdown.spawn(reports.clone().run(mailing, self.shutdown.clone()));
    }
}
