//! Judges what was found, tells the sender, and keeps the outcome in one record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relay::brake::{Ended, Windows};
use relay::clock::Timestamp;
use relay::notification::{About, Delay};
use relay::outcome::{self, Class, Context, Finding, Judgement, Stage};
use relay::queue::{Attempt, Outcome, RecipientState, Settlement};
use relay::retry::Period;
use relay::route::Destination;
use relay::schedule::{Event, Parcel};
use relay::store::{Claimed, Store, StoreError};

use super::Drive;
use super::carrier::Carrier;
use super::driver::Driver;
use super::metrics;
use super::notification::is_told_failure;

/// The first wait before a settlement that the store did not take is tried again; doubled up to the last.
const SETTLE_WAIT_FIRST: Duration = Duration::from_secs(1);
const SETTLE_WAIT_LAST: Duration = Duration::from_secs(60);

/// When recipients are tried again whose failure could not be told to the sender.
const UNTOLD_WAIT: Duration = Duration::from_secs(5 * 60);

/// An outcome that was kept, to be told to the scheduler.
pub(super) struct Settled {
    pub(super) event: Event,
    kept: usize,
}

/// A parcel that was carried, or whose recipients come to an end otherwise.
#[derive(Clone, Copy)]
pub(super) struct Carried<'a> {
    pub(super) parcel: &'a Parcel,
    pub(super) destination: &'a Destination,
    /// Those recipients of whom the next hop tells the sender from here on.
    pub(super) passed_on: &'a [u16],
}

impl<S: Store, C: Carrier> Driver<S, C> {
    /// The retry period of a message to this destination.
    pub(super) fn period(&self, mail: &Claimed, destination: &Destination) -> Period {
        let envelope = &mail.envelope;
        let route = self.carrier.routes().route(destination).and_then(|route| route.retry_for);
        Period::of(envelope.accepted_at, envelope.retry_for, route, self.settings.retry_for)
    }

    /// From when on a message counts as delayed.
    pub(super) fn delay(&self, mail: &Claimed) -> Delay {
        Delay::of(mail.envelope.accepted_at, self.settings.delayed_after)
    }

    fn context<'a>(&'a self, mail: &'a Claimed, destination: &Destination, parcel: &Parcel) -> Context<'a> {
        Context {
            rules: &self.settings.rules,
            now: self.clock.now(),
            domain: "",
            period: self.period(mail, destination),
            attempts: parcel.attempts.saturating_add(1),
            jitter: self.jitter(),
            not_before: Timestamp(0),
            progressed: false,
            elsewhere: false,
        }
    }

    pub(super) fn judge(
        &self,
        mail: &Claimed,
        destination: &Destination,
        parcel: &Parcel,
        findings: &[(u16, Finding)],
        (not_before, elsewhere): (Timestamp, &[u16]),
    ) -> Vec<Judgement> {
        let progressed = findings
            .iter()
            .any(|(_, finding)| matches!(finding, Finding::Replied(Stage::Content, reply) if reply.is_positive()));
        let context = Context { not_before, progressed, ..self.context(mail, destination, parcel) };
        let judge = |(recipient, finding): &(u16, Finding)| {
            let elsewhere = elsewhere.contains(recipient);
            let context = Context { domain: domain_of(mail, *recipient), elsewhere, ..context };
            let judgement = outcome::judge(*recipient, finding, &context);
            self.count_unknown(mail, finding, &judgement);
            judgement
        };
        self.watched(mail, context.now, findings.iter().map(judge).collect())
    }

    /// The judgements, with an attempt at the moment from which the message counts as delayed for each recipient whose
    /// sender wants to hear of that.
    fn watched(&self, mail: &Claimed, now: Timestamp, mut judgements: Vec<Judgement>) -> Vec<Judgement> {
        if mail.envelope.requests.is_some() {
            for verdict in judgements.iter_mut().map(|judgement| &mut judgement.verdict) {
                if let Outcome::Deferred { until } = &mut verdict.outcome
                    && About::Delayed.is_told(mail.envelope.asked(verdict.recipient))
                {
                    *until = self.delay(mail).until(now, *until);
                }
            }
        }
        judgements
    }

    /// Shows the operator a reply that no rule knows; the sandbox's own are no other server's.
    fn count_unknown(&self, mail: &Claimed, finding: &Finding, judgement: &Judgement) {
        let Finding::Replied(_, reply) = finding else { return };
        if judgement.verdict.class != Some(Class::Unknown) || mail.envelope.sandbox {
            return;
        }
        if let Some(recipient) = mail.envelope.recipients.get(usize::from(judgement.verdict.recipient)) {
            self.unknown().count(reply, recipient, self.clock.now());
        }
    }

    pub(super) fn postpone(
        &self,
        mail: &Claimed,
        destination: &Destination,
        parcel: &Parcel,
        reason: &str,
    ) -> Vec<Judgement> {
        let context = self.context(mail, destination, parcel);
        let postpone = |recipient: &u16| outcome::postpone(*recipient, reason, &context);
        self.watched(mail, context.now, parcel.recipients.iter().map(postpone).collect())
    }

    /// Keeps what became of a parcel's recipients, and tells the scheduler; whether all of it could be kept.
    pub(super) async fn settle(
        self: &Arc<Self>,
        mail: &Claimed,
        (parcel, destination): (&Parcel, &Destination),
        attempt: Option<Attempt>,
        judgements: Vec<Judgement>,
    ) -> bool {
        let recipients = judgements.len();
        let carried = Carried { parcel, destination, passed_on: &[] };
        let Some(settled) = self.keep_outcome(mail, carried, attempt, judgements).await else { return false };
        let is_whole = settled.kept == recipients;
        self.tell(settled.event);
        is_whole
    }

    /// Keeps what became of a parcel's recipients. First the DSNs, then the outcome: a crash in between
    /// repeats the attempt, and finds the DSNs already there. None where the store has latched: the
    /// parcel stays in flight for good.
    pub(super) async fn keep_outcome(
        self: &Arc<Self>,
        mail: &Claimed,
        carried: Carried<'_>,
        attempt: Option<Attempt>,
        mut judgements: Vec<Judgement>,
    ) -> Option<Settled> {
        let parcel = carried.parcel;
        let host = attempt.as_ref().map_or("", |attempt| attempt.host.as_str());
        let mut untold = Vec::new();
        let failed = match self.notify_failed(mail, host, &judgements).await {
            Ok(notification) => notification,
            Err(error @ StoreError::Latched(_)) => {
                self.latch(&error);
                return None;
            }
            Err(error) => {
                tracing::error!(message_id = %parcel.message, %error, "a failure cannot be told to the sender now");
                untold = judgements.extract_if(.., |judgement| is_told_failure(mail, judgement)).collect();
                None
            }
        };
        let asked = match self.notify_asked(mail, host, &carried, &judgements).await {
            Ok(notifications) => notifications,
            Err(error) => {
                self.latch(&error);
                return None;
            }
        };
        let settlement = Settlement {
            message: parcel.message,
            at: self.clock.now(),
            attempt,
            verdicts: judgements.iter().map(|judgement| judgement.verdict.clone()).collect(),
        };
        if !settlement.verdicts.is_empty() && !self.keep(&settlement).await {
            return None;
        }
        for notification in failed.iter().chain(&asked) {
            Drive::arrived(self, notification);
        }
        self.count_ended(mail, &settlement);
        self.suppress_bounced(mail, &settlement).await;
        let mut left = self.left(mail, parcel, &settlement);
        let due = settlement.at.after(UNTOLD_WAIT);
        let waiting = RecipientState::Waiting { due, attempts: parcel.attempts };
        left.extend(untold.iter().map(|judgement| (judgement.verdict.recipient, waiting.clone())));
        Some(Settled { event: Event::Settled { parcel: parcel.id, left }, kept: settlement.verdicts.len() })
    }

    /// Counts what came to its end towards the automatic brake of its SMTP user and account.
    fn count_ended(&self, mail: &Claimed, settlement: &Settlement) {
        let Some(user) = mail.envelope.user else { return };
        let ended = Ended::of(&mail.envelope, &settlement.verdicts);
        lock(&self.settings.ended).on(mail.envelope.account, user, ended, settlement.at);
    }

    /// Keeps the end of a parcel's recipients without a word to their sender; whether that could be kept.
    pub(super) async fn settle_untold(
        self: &Arc<Self>,
        mail: &Claimed,
        parcel: &Parcel,
        judgements: Vec<Judgement>,
    ) -> bool {
        let verdicts = judgements.into_iter().map(|judgement| judgement.verdict).collect();
        let settlement = Settlement { message: parcel.message, at: self.clock.now(), attempt: None, verdicts };
        let is_kept = self.keep(&settlement).await;
        if is_kept {
            let left = self.left(mail, parcel, &settlement);
            self.tell(Event::Settled { parcel: parcel.id, left });
        }
        is_kept
    }

    /// What is left of a parcel after a settlement that was kept.
    fn left(&self, mail: &Claimed, parcel: &Parcel, settlement: &Settlement) -> Vec<(u16, RecipientState)> {
        let attempts = parcel.attempts + u32::from(settlement.attempt.is_some());
        let mut left = Vec::new();
        for verdict in &settlement.verdicts {
            self.metrics.settled(verdict.outcome);
            match verdict.outcome {
                Outcome::Deferred { until } => {
                    left.push((verdict.recipient, RecipientState::Waiting { due: until, attempts }));
                }
                Outcome::Delivered { .. } => {
                    self.metrics.delivered_after(settlement.at.since(mail.envelope.accepted_at));
                }
                Outcome::SoftBounced | Outcome::HardBounced => {}
            }
            tracing::info!(
                message_id = %settlement.message,
                recipient = verdict.recipient,
                outcome = metrics::name_of(verdict.outcome),
                host = settlement.attempt.as_ref().map_or("", |attempt| attempt.host.as_str()),
                reason = %verdict.reason,
                reply = verdict.remote_reply.as_deref().unwrap_or(""),
                "settled"
            );
        }
        left
    }

    /// Keeps a settlement, as often as it takes; whether it is kept.
    async fn keep(self: &Arc<Self>, settlement: &Settlement) -> bool {
        let mut wait = SETTLE_WAIT_FIRST;
        loop {
            let error = match self.store.settle(settlement.clone()).await {
                Ok(()) => return true,
                Err(StoreError::NotFound(_)) => return true,
                Err(error) => error,
            };
            if matches!(error, StoreError::Latched(_)) {
                self.latch(&error);
                return false;
            }
            tracing::error!(message_id = %settlement.message, %error, "an outcome could not be kept; it is tried again");
            tokio::select! {
                biased;
                () = self.aborting.cancelled() => return false,
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(SETTLE_WAIT_LAST),
            }
        }
    }
}

fn lock(windows: &Mutex<Windows>) -> MutexGuard<'_, Windows> {
    // counters are whole between any two statements
    windows.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a judgement is a failure.
pub(super) fn is_failure(judgement: &Judgement) -> bool {
    matches!(judgement.verdict.outcome, Outcome::SoftBounced | Outcome::HardBounced)
}

fn domain_of(mail: &Claimed, recipient: u16) -> &str {
    mail.envelope.recipients.get(usize::from(recipient)).map_or("", |address| address.domain())
}
