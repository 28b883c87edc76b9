//! One attempt at one parcel: who is still to be carried, what was found about the others, and the words for activity.

use relay::clock::Timestamp;
use relay::outcome::Finding;
use relay::queue::{Attempt, TlsWish};
use relay::source::Source;
use smtp::client::Found;
use std::sync::Arc;
use std::time::Duration;

use super::dial::Transport;
use super::line::Line;
use super::opener::Tried;
use super::shield::Protection;
use super::{Delivery, Parcel, finding};

/// The state of an attempt.
pub(super) struct Errand<'a> {
    parcel: &'a Parcel,
    attempt: Attempt,
    /// How the line was protected that carried last.
    protection: Option<Protection>,
    /// One for each recipient of the parcel.
    findings: Vec<Option<Finding>>,
    /// See [`Delivery::passed_on`].
    passed_on: Vec<u16>,
}

/// How far a line carried.
pub(super) enum Carried {
    /// Every recipient has its finding.
    All,
    /// Some have; for the others another connection is needed.
    Some,
    /// None has: the host failed before it heard any content, with this.
    Nothing(Found),
}

impl<'a> Errand<'a> {
    pub(super) fn new(parcel: &'a Parcel, at: Timestamp) -> Self {
        let source = parcel.source.as_ref().map(|source| source.name.clone());
        let attempt = Attempt { at, milliseconds: 0, host: String::new(), remote: None, tls: "none".into(), source };
        let findings = vec![None; parcel.recipients.len()];
        Errand { parcel, attempt, protection: None, findings, passed_on: Vec::new() }
    }

    /// What the sender wants of TLS.
    pub(super) fn tls_wish(&self) -> TlsWish {
        self.parcel.envelope.way_wish()
    }

    /// Where it is sent from; none: the nameless source.
    pub(super) fn source(&self) -> Option<&'a Arc<Source>> {
        self.parcel.source.as_ref()
    }

    /// Recipients in one transaction, as the parcel says; 0: it says nothing.
    pub(super) fn transaction_recipients(&self) -> usize {
        self.parcel.transaction_recipients
    }

    /// From now on the attempt is shown with this line.
    pub(super) fn travels_by<T: Transport>(&mut self, line: &Line<T>) {
        self.attempt.host.clone_from(&line.host);
        self.attempt.remote = Some(line.remote);
        self.attempt.tls.clone_from(&line.tls);
        self.protection = Some(line.protection);
        if line.sent_from.is_some() {
            self.attempt.source.clone_from(&line.sent_from);
        }
    }

    /// Carries all that is left, in as many transactions as it takes.
    pub(super) async fn carry<T: Transport>(&mut self, line: &mut Line<T>, recipients_max: usize) -> Carried {
        let mut progress = false;
        loop {
            let rest: Vec<usize> = (0..self.findings.len()).filter(|place| self.findings[*place].is_none()).collect();
            if rest.is_empty() {
                return Carried::All;
            }
            if progress && !line.may_go_on() {
                return Carried::Some;
            }
            let batch = line.transact(self.parcel, &rest, recipients_max).await;
            let Some(first) = batch.found.first().cloned() else {
                self.settle_rest(&finding(Found::Failed(smtp::client::Fault::Protocol("nobody to carry to".into()))));
                return Carried::All;
            };
            if batch.elsewhere {
                return if progress { Carried::Some } else { Carried::Nothing(first) };
            }
            for (place, found) in rest.into_iter().zip(batch.found) {
                self.findings[place] = Some(finding(found));
                if batch.passed_on {
                    self.passed_on.push(self.parcel.recipients[place]);
                }
            }
            progress = true;
        }
    }

    /// Tells everybody who has no finding yet this one.
    pub(super) fn settle_rest(&mut self, finding: &Finding) {
        for open in self.findings.iter_mut().filter(|open| open.is_none()) {
            *open = Some(finding.clone());
        }
    }

    /// No next hop is left: the most hopeful of what was found decides.
    pub(super) fn give_up(&mut self, tried: Tried) {
        // where a line carried others before, the attempt stays shown with that
        if self.findings.iter().all(Option::is_none) {
            self.attempt.host = tried.host;
            self.attempt.remote = tried.remote;
            self.attempt.tls = tried.tls;
        }
        self.settle_rest(&tried.finding);
    }

    pub(super) fn finish(mut self, took: Duration) -> Delivery {
        self.attempt.milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let lost = || Finding::Failed(relay::outcome::Failure::Lost("the attempt ended early".into()));
        let findings = self.findings.into_iter().map(|found| found.unwrap_or_else(lost));
        let findings = self.parcel.recipients.iter().copied().zip(findings).collect();
        Delivery { attempt: self.attempt, findings, passed_on: self.passed_on, protection: self.protection }
    }
}
