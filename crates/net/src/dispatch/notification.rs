//! Tells outcomes to the sender: composes the DSN and commits it as mail of the relay's own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_lc_rs::digest;
use bytes::Bytes;
use message::dsn::{self, Action, Notification, ReportedRecipient};
use message::header;
use relay::activity::ActivityFilter;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::language::Language;
use relay::notification::{self, About};
use relay::outcome::{self, Ending, Judgement};
use relay::queue::{ContentFacts, Envelope, Origin, Outcome, TlsWish};
use relay::store::{Claimed, Draft, Store, StoreError};
use smtp::address::{Address, ReversePath};
use smtp::dsn::{Ret, original_recipient};
use smtp::envelope::RcptParameters;
use smtp::xtext;

use super::carrier::Carrier;
use super::driver::Driver;
use super::settle::{Carried, is_failure};
use super::{Drive, Settings};
use crate::seal;

/// The status of a recipient that the account suppressed: a policy of the sender's side (RFC 3463 §3.8).
const SUPPRESSED_STATUS: &str = "5.7.1";

/// Of a message, as much as is brought back.
#[derive(Default)]
struct Returned {
    header: Bytes,
    /// All of it, where that was asked for.
    content: Option<Bytes>,
}

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Commits the DSN of those judgements that are failures, where there is one to be sent: its
    /// envelope, to be told of once the failures are settled.
    ///
    /// # Errors
    /// It is not committed: the failures must not be settled.
    pub(super) async fn notify_failed(
        self: &Arc<Self>,
        mail: &Claimed,
        host: &str,
        judgements: &[Judgement],
    ) -> Result<Option<Envelope>, StoreError> {
        let failures: Vec<&Judgement> =
            judgements.iter().filter(|judgement| is_told_failure(mail, judgement)).collect();
        self.notify(mail, host, (About::Failed, Action::Failed), &failures).await
    }

    /// Commits the DSNs of delays and deliveries, where the sender asked for one: their envelopes, to be told of once that
    /// is settled. One that cannot be committed is lost: nothing is delivered again for its sake.
    ///
    /// # Errors
    /// The store has latched.
    pub(super) async fn notify_asked(
        self: &Arc<Self>,
        mail: &Claimed,
        host: &str,
        carried: &Carried<'_>,
        judgements: &[Judgement],
    ) -> Result<Vec<Envelope>, StoreError> {
        if mail.envelope.requests.is_none() {
            return Ok(Vec::new());
        }
        let until_seconds = self.period(mail, carried.destination).end().0 / 1000;
        let mut notifications = Vec::new();
        for (about, action) in [
            (About::Delayed, Action::Delayed { until_seconds }),
            (About::Delivered, Action::Delivered),
            (About::Delivered, Action::Relayed),
        ] {
            let its = |judgement: &&Judgement| {
                about.is_told(mail.envelope.asked(judgement.verdict.recipient))
                    && self.action_of(mail, carried, judgement).is_some_and(|found| found == action)
            };
            let its: Vec<&Judgement> = judgements.iter().filter(its).collect();
            match self.notify(mail, host, (about, action), &its).await {
                Ok(notification) => notifications.extend(notification),
                Err(error @ StoreError::Latched(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(message_id = %mail.envelope.message, %error, "what the sender asked to hear cannot be told");
                }
            }
        }
        Ok(notifications)
    }

    /// What there may be to tell of an outcome that is no failure.
    fn action_of(&self, mail: &Claimed, carried: &Carried<'_>, judgement: &Judgement) -> Option<Action> {
        match judgement.verdict.outcome {
            Outcome::Deferred { until } if self.delay(mail).is_told(carried.parcel.due, until) => {
                Some(Action::Delayed { until_seconds: self.period(mail, carried.destination).end().0 / 1000 })
            }
            Outcome::Delivered { sandbox: true } => Some(Action::Delivered),
            // whoever took over what was asked tells of it
            Outcome::Delivered { sandbox: false } if !carried.passed_on.contains(&judgement.verdict.recipient) => {
                Some(Action::Relayed)
            }
            _ => None,
        }
    }

    /// Commits the DSN that tells this, where there is somebody to tell and something to be told.
    async fn notify(
        self: &Arc<Self>,
        mail: &Claimed,
        host: &str,
        (about, action): (About, Action),
        judgements: &[&Judgement],
    ) -> Result<Option<Envelope>, StoreError> {
        if judgements.is_empty() {
            return Ok(None);
        }
        let Some(addressee) = addressee(&*self.store, &mail.envelope) else { return Ok(None) };
        let numbers = judgements.iter().map(|judgement| judgement.verdict.recipient);
        let id = notification::id(mail.envelope.message, about, numbers);
        // the test inbox keeps one once under its id, whatever came before
        let is_inherited = !mail.envelope.sandbox && self.is_inherited(&mail.envelope);
        if is_inherited && was_committed(&self.settings, &self.store, id).await? {
            return Ok(None);
        }
        let language = language(&*self.store, &mail.envelope);
        let reported: Vec<ReportedRecipient> =
            judgements.iter().map(|judgement| reported(language, &mail.envelope, host, judgement)).collect();
        let returned = self.returned(mail, action).await;
        self.commit(&mail.envelope, &addressee, id, action, &reported, &returned).await
    }

    /// Tells the sender of recipients that the account suppressed. A crash before this is done loses it:
    /// nothing of it is in the queue.
    pub(super) async fn notify_suppressed(self: &Arc<Self>, envelope: &Envelope) {
        let Some(addressee) = addressee(&*self.store, envelope) else { return };
        let asked = |number: u16| {
            let requests = envelope.requests.as_ref();
            requests.and_then(|requests| requests.suppressed.get(usize::from(number)))
        };
        let its = |(number, _): &(u16, &Address)| About::Suppressed.is_told(asked(*number));
        let told: Vec<(u16, &Address)> = (0u16..).zip(&envelope.suppressed).filter(its).collect();
        if told.is_empty() {
            return;
        }
        let id = notification::id(envelope.message, About::Suppressed, told.iter().map(|(number, _)| *number));
        let language = language(&*self.store, envelope);
        let reported: Vec<ReportedRecipient> =
            told.iter().map(|(number, address)| suppressed(language, address, asked(*number))).collect();
        // where every recipient was suppressed, nothing is kept, and there is no header to repeat
        let returned = match self.store.peek(envelope.message).await {
            Ok(Some(mail)) => self.returned(&mail, Action::Failed).await,
            _ => Returned::default(),
        };
        match self.commit(envelope, &addressee, id, Action::Failed, &reported, &returned).await {
            Ok(Some(notification)) => Drive::arrived(self, &notification),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(message_id = %envelope.message, %error, "a suppressed recipient cannot be told to the sender");
            }
        }
    }

    fn is_inherited(&self, envelope: &Envelope) -> bool {
        envelope.accepted_at.0 <= self.inherited_until.load(Ordering::Relaxed)
    }

    /// What a notification brings back: the header; of a failure the whole message, where the sender asked for that and it
    /// is not too large (RFC 3461 §6.2).
    async fn returned(&self, mail: &Claimed, action: Action) -> Returned {
        let facts = &mail.envelope.facts;
        let asks_for_all = mail.envelope.requests.as_ref().is_some_and(|requests| requests.ret == Some(Ret::Full));
        // of what requires TLS the header alone comes back (RFC 8689 §4.4)
        let asks_for_all = asks_for_all && mail.envelope.tls_wish != TlsWish::Required;
        let is_whole = action == Action::Failed && asks_for_all && facts.octets <= self.settings.returned_octets_max;
        let (content, octets) = (mail.content.clone(), if is_whole { facts.octets } else { facts.header_octets });
        let reading = self.settings.offload.run(move || seal::beginning(&content, octets));
        let Ok(Ok(beginning)) = reading.await else {
            tracing::warn!(message_id = %mail.envelope.message, "a message that is told of cannot be read");
            return Returned::default();
        };
        let cut = usize::try_from(facts.header_octets).unwrap_or(usize::MAX).min(beginning.len());
        Returned { header: beginning.slice(..cut), content: is_whole.then_some(beginning) }
    }

    /// Commits a notification; none where the test inbox keeps it instead.
    async fn commit(
        self: &Arc<Self>,
        original: &Envelope,
        addressee: &Address,
        id: MessageId,
        action: Action,
        reported: &[ReportedRecipient],
        returned: &Returned,
    ) -> Result<Option<Envelope>, StoreError> {
        let Returned { header, content } = returned;
        let language = language(&*self.store, original);
        let told = Told { id, now: self.clock.now(), language, action, reported, header, content: content.as_deref() };
        if original.sandbox {
            return self.capture_notification(original, addressee, told).await.map(|()| None);
        }
        let envelope = commit(&self.settings, &*self.store, original, addressee, told).await?;
        self.metrics.notifications.inc();
        tracing::info!(message_id = %id, original = %original.message, recipients = reported.len(), ?action, "the sender is notified");
        Ok(Some(envelope))
    }
}

/// Whether a judgement is a failure that the sender hears of.
pub(super) fn is_told_failure(mail: &Claimed, judgement: &Judgement) -> bool {
    is_failure(judgement) && About::Failed.is_told(mail.envelope.asked(judgement.verdict.recipient))
}

/// Tells the sender that recipients of a damaged message are given up, where there is a sender to tell and that was not
/// done before; whether it was done now. For a repair, while no driver runs.
///
/// # Errors
/// It is not committed: the recipients must not be settled.
pub async fn tell_damaged<S: Store>(
    settings: &Settings,
    store: &Arc<S>,
    now: Timestamp,
    envelope: &Envelope,
    recipients: &[u16],
) -> Result<bool, StoreError> {
    let is_told = |recipient: &u16| About::Failed.is_told(envelope.asked(*recipient));
    let recipients: Vec<u16> = recipients.iter().copied().filter(is_told).collect();
    let has_somebody = !envelope.sandbox && !recipients.is_empty();
    let Some(addressee) = addressee(&**store, envelope).filter(|_| has_somebody) else { return Ok(false) };
    let id = notification::id(envelope.message, About::Failed, recipients.iter().copied());
    if was_committed(settings, store, id).await? {
        return Ok(false);
    }
    let judgements = recipients.iter().map(|recipient| outcome::end(*recipient, &Ending::Damaged));
    let language = language(&**store, envelope);
    let reported: Vec<ReportedRecipient> =
        judgements.map(|judgement| reported(language, envelope, "", &judgement)).collect();
    // the header cannot be trusted either
    let told = Told { id, now, language, action: Action::Failed, reported: &reported, header: &[], content: None };
    commit(settings, &**store, envelope, &addressee, told).await.map(|_| true)
}

/// The language that an account is written to in.
fn language<S: Store>(store: &S, envelope: &Envelope) -> Language {
    store.directory().accounts.get(&envelope.account).map(|account| account.language).unwrap_or_default()
}

fn addressee<S: Store>(store: &S, envelope: &Envelope) -> Option<Address> {
    let directory = store.directory();
    let domain = envelope.domain.and_then(|domain| directory.domains.get(&domain));
    let bounce_mails = domain.is_none_or(|domain| domain.bounce_mails);
    notification::addressee(envelope, bounce_mails).cloned()
}

/// Whether an earlier life of this process committed the notification, and died before it settled
/// what it tells of.
async fn was_committed<S: Store>(settings: &Settings, store: &Arc<S>, id: MessageId) -> Result<bool, StoreError> {
    if store.peek(id).await?.is_some() {
        return Ok(true);
    }
    let store = store.clone();
    let rows = settings
        .offload
        .run(move || store.activity(&ActivityFilter { message: Some(id), limit: 1, ..ActivityFilter::default() }));
    match rows.await {
        Ok(rows) => Ok(!rows?.is_empty()),
        Err(_) => Err(StoreError::Unavailable("the process is ending".to_owned())),
    }
}

/// What a notification is made of besides the message and whom it tells.
pub(super) struct Told<'a> {
    pub(super) id: MessageId,
    pub(super) now: Timestamp,
    pub(super) language: Language,
    pub(super) action: Action,
    pub(super) reported: &'a [ReportedRecipient],
    pub(super) header: &'a [u8],
    /// All of the message, where that is brought back.
    pub(super) content: Option<&'a [u8]>,
}

/// The whole content of a notification.
pub(super) fn composed(settings: &Settings, original: &Envelope, addressee: &Address, told: &Told<'_>) -> Bytes {
    let envid = original.requests.as_ref().and_then(|requests| requests.envid.as_deref()).and_then(xtext::decode);
    Bytes::from(dsn::compose(&Notification {
        hostname: &settings.hostname,
        message: &told.id.to_string(),
        recipient: &addressee.to_string(),
        original: &original.message.to_string(),
        envelope: envid.as_deref(),
        arrived_seconds: original.accepted_at.0 / 1000,
        seconds: told.now.0 / 1000,
        language: match told.language {
            Language::English => dsn::Language::English,
            Language::French => dsn::Language::French,
        },
        action: told.action,
        recipients: told.reported,
        header: told.header,
        content: told.content,
    }))
}

async fn commit<S: Store>(
    settings: &Settings,
    store: &S,
    original: &Envelope,
    addressee: &Address,
    told: Told<'_>,
) -> Result<Envelope, StoreError> {
    let (id, now) = (told.id, told.now);
    let content = composed(settings, original, addressee, &told);
    let envelope = envelope(settings, original, addressee, id, &content, now);
    let mut draft = store.draft_notification()?;
    draft.append(content).await?;
    store.commit(envelope.clone(), draft).await?;
    Ok(envelope)
}

fn envelope(
    settings: &Settings,
    original: &Envelope,
    addressee: &Address,
    message: MessageId,
    content: &[u8],
    now: Timestamp,
) -> Envelope {
    Envelope {
        message,
        account: settings.system_account,
        user: None,
        domain: None,
        origin: Origin::Notification(original.message),
        reverse_path: ReversePath::Null,
        recipients: vec![addressee.clone()],
        suppressed: Vec::new(),
        header_needs_smtputf8: !addressee.to_string().is_ascii(),
        needs_eight_bit: !content.is_ascii(),
        accepted_at: now,
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: content_facts(content, &format!("MAILER-DAEMON@{}", settings.hostname)),
        session: None,
        requests: None,
        tls_wish: if original.tls_wish == TlsWish::Required { TlsWish::Required } else { TlsWish::AsAsked },
        // as urgent as the message that it is about
        priority: original.priority,
    }
}

/// What is kept of content that the relay itself wrote, from this address.
pub(crate) fn content_facts(content: &[u8], from: &str) -> ContentFacts {
    let end = content.windows(4).position(|window| window == b"\r\n\r\n").map_or(content.len(), |cut| cut + 4);
    let field = |name: &str| header::fields(&content[..end]).find(|field| field.is(name));
    let value = |field: header::Field<'_>| String::from_utf8_lossy(&field.unfolded()).into_owned();
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest::digest(&digest::SHA256, content).as_ref());
    ContentFacts {
        octets: content.len() as u64,
        header_octets: end as u64,
        sha256,
        subject: field("Subject").map(|field| field.text()).unwrap_or_default(),
        from: from.to_owned(),
        message_id: field("Message-ID").map(value).unwrap_or_default(),
    }
}

fn reported(language: Language, envelope: &Envelope, host: &str, judgement: &Judgement) -> ReportedRecipient {
    let verdict = &judgement.verdict;
    let address = envelope.recipients.get(usize::from(verdict.recipient));
    let domain = address.map(Address::domain).unwrap_or_default();
    ReportedRecipient {
        address: address.map(ToString::to_string).unwrap_or_default(),
        original: original(envelope.asked(verdict.recipient)),
        status: judgement.status.to_string(),
        remote_reply: verdict.remote_reply.clone(),
        remote_host: (!host.is_empty()).then(|| host.to_owned()),
        reason: outcome::reason_in(language, verdict, domain),
    }
}

fn suppressed(language: Language, address: &Address, asked: Option<&RcptParameters>) -> ReportedRecipient {
    ReportedRecipient {
        address: address.to_string(),
        original: original(asked),
        status: SUPPRESSED_STATUS.to_owned(),
        remote_reply: None,
        remote_host: None,
        reason: outcome::suppressed_in(language).to_owned(),
    }
}

/// The recipient that the sender named, as a notification repeats it.
fn original(asked: Option<&RcptParameters>) -> Option<String> {
    let (kind, address) = original_recipient(asked?.orcpt.as_deref()?)?;
    Some(format!("{kind};{address}"))
}
