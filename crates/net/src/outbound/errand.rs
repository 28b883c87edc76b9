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
use super::shield::Protection;
use super::tried::{self, Tried};
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
    /// The hops that were no way.
    tried: Vec<Tried>,
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
        let (host, tls, others) = (String::new(), "none".into(), Vec::new());
        let attempt = Attempt { at, milliseconds: 0, host, remote: None, tls, source, others };
        let findings = vec![None; parcel.recipients.len()];
        Errand { parcel, attempt, protection: None, findings, passed_on: Vec::new(), tried: Vec::new() }
    }

    /// The hops that were no way, for those that are found out to be none.
    pub(super) fn tried(&mut self) -> &mut Vec<Tried> {
        &mut self.tried
    }

    /// An open line failed before it heard any content.
    pub(super) fn failed<T: Transport>(&mut self, line: &Line<T>, finding: Finding) {
        let (host, remote, tls) = (line.host.clone(), Some(line.remote), line.tls.clone());
        self.tried.push(Tried { host, remote, tls, finding });
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
            // without addresses of ours all of them go out with the sender's
            let rest = if self.parcel.return_paths.is_some() { line.told_alike(self.parcel, rest) } else { rest };
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
    pub(super) fn give_up(&mut self) {
        let decides = tried::most_hopeful(&self.tried);
        // where a line carried others before, the attempt stays shown with that
        let is_shown = self.findings.iter().all(Option::is_none);
        let tried = match decides {
            Some(place) if is_shown => self.tried.remove(place),
            Some(place) => self.tried[place].clone(),
            None => Tried::nowhere(),
        };
        if is_shown {
            self.attempt.host = tried.host;
            self.attempt.remote = tried.remote;
            self.attempt.tls = tried.tls;
        }
        self.settle_rest(&tried.finding);
    }

    /// What came of it, shown with so many other hops at the most.
    pub(super) fn finish(mut self, took: Duration, others_max: usize) -> Delivery {
        let envelope = &self.parcel.envelope;
        let first = self.parcel.recipients.first().and_then(|number| envelope.recipients.get(usize::from(*number)));
        self.attempt.others = tried::shown(&self.tried, first.map_or("", |address| address.domain()), others_max);
        self.attempt.milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let lost = || Finding::Failed(relay::outcome::Failure::Lost("the attempt ended early".into()));
        let findings = self.findings.into_iter().map(|found| found.unwrap_or_else(lost));
        let findings = self.parcel.recipients.iter().copied().zip(findings).collect();
        Delivery { attempt: self.attempt, findings, passed_on: self.passed_on, protection: self.protection }
    }
}
