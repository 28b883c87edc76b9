//! The certificates that clients are shown: what is kept of them, and the order of a new one.

use relay::audit::{About, Kind};
use relay::certificate::Alarm;
use relay::clock::Timestamp;
use relay::moment;
use relay::service::Fault;
use relay::service::operation::Answer;
use relay::service::view::{CertificateView, DoneView, word};
use relay::store::{Actor, AuditEntry, Store};
use std::sync::Arc;

use net::acme::Acme;
use net::tls::{CertificateFacts, Certificates};

use super::Executor;

/// The certificates of a running relay, and what renews one of them.
#[derive(Clone, Debug)]
pub struct Kept {
    /// All that are shown to clients.
    pub certificates: Arc<Certificates>,
    /// What orders one of them; none: all come from the operator's files.
    pub acme: Option<Arc<Acme>>,
}

/// How near the end of one is that people have to look after. One that only stands in is as bad as none, once the
/// authority has refused another.
pub(crate) fn alarm(facts: &CertificateFacts, acme: Option<&Acme>, now: Timestamp) -> Option<Alarm> {
    let stands_in = facts.self_signed && acme.is_some_and(|acme| acme.keeps(facts) && acme.shown().failures > 0);
    if stands_in { Some(Alarm::Ended) } else { facts.validity.alarm(now) }
}

fn view(facts: &CertificateFacts, acme: Option<&Acme>, now: Timestamp) -> CertificateView {
    let state = acme.filter(|acme| acme.keeps(facts)).map(Acme::shown);
    let orders = state.clone().unwrap_or_default();
    CertificateView {
        file: facts.files.certificate.display().to_string(),
        names: facts.names.clone(),
        self_signed: facts.self_signed,
        begins_at: moment::text(facts.validity.begins),
        ends_at: moment::text(facts.validity.ends),
        days_left: facts.validity.ends.since(now).as_secs() / 86_400,
        alarm: alarm(facts, acme, now).map(|alarm| word(&alarm)),
        automatic: state.is_some(),
        renews_at: state.map(|state| moment::text(state.next_at.max(now))),
        ordering: orders.ordering,
        failures: orders.failures.into(),
        fault: orders.fault,
    }
}

impl<S: Store> Executor<S> {
    /// Every certificate: those in use where a relay runs, else those of the configuration that can be read.
    pub(super) fn certificates(&self, now: Timestamp) -> Vec<CertificateView> {
        if let Some(running) = &self.running {
            let Kept { certificates, acme } = &running.kept;
            return certificates.facts().iter().map(|facts| view(facts, acme.as_deref(), now)).collect();
        }
        let files = self.config.certificate_files().into_iter();
        let loaded = files.filter_map(|files| Certificates::load(vec![files]).ok());
        loaded.flat_map(|loaded| loaded.facts()).map(|facts| view(&facts, None, now)).collect()
    }

    pub(super) fn certificate_renew(&self, actor: &Actor, now: Timestamp) -> Result<Answer, Fault> {
        let Some(running) = &self.running else {
            return Err(Fault::unavailable(
                "No relay is running that could order it.",
                "Start it: it orders by itself.",
            ));
        };
        let Some(acme) = &running.kept.acme else {
            let what = "No certificate comes by itself here.";
            let remedy = "Set `terms_agreed` below [acme], or put a new certificate in the place of the old one: it is \
                          taken up within seconds.";
            return Err(Fault::conflict(what, remedy));
        };
        let about = About::named(Kind::Certificate, &self.hostname);
        self.store.audit_note(AuditEntry::new(now, actor.clone(), "certificate.renew", about, None))?;
        acme.order_now();
        let done = "A new certificate is ordered. How it goes is shown with the certificates, within a minute or so.";
        Ok(Answer::Done(DoneView { done: done.to_owned() }))
    }
}
