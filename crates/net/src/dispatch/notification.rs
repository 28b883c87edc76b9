//! Tells failures to the sender: composes the DSN and commits it as mail of the relay's own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_lc_rs::digest;
use bytes::Bytes;
use message::dsn::{self, FailedRecipient, Notification};
use message::header;
use relay::activity::ActivityFilter;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::notification::{self, About};
use relay::outcome::{self, Ending, Judgement};
use relay::queue::{ContentFacts, Envelope, Origin};
use relay::store::{Claimed, Draft, Store, StoreError};
use smtp::address::{Address, ReversePath};

use super::carrier::Carrier;
use super::driver::Driver;
use super::settle::is_failure;
use super::{Drive, Settings};
use crate::seal;

/// The status of a recipient that the account suppressed: a policy of the sender's side (RFC 3463 §3.8).
const SUPPRESSED_STATUS: &str = "5.7.1";

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
        let failures: Vec<&Judgement> = judgements.iter().filter(|judgement| is_failure(judgement)).collect();
        let Some(addressee) = addressee(&*self.store, &mail.envelope).filter(|_| !failures.is_empty()) else {
            return Ok(None);
        };
        let numbers = failures.iter().map(|judgement| judgement.verdict.recipient);
        let id = notification::id(mail.envelope.message, About::Failed, numbers);
        // the test inbox keeps one once under its id, whatever came before
        let is_inherited = !mail.envelope.sandbox && self.is_inherited(&mail.envelope);
        if is_inherited && was_committed(&self.settings, &self.store, id).await? {
            return Ok(None);
        }
        let failed: Vec<FailedRecipient> =
            failures.iter().map(|judgement| failed(&mail.envelope, host, judgement)).collect();
        let header = self.header(mail).await;
        self.commit(&mail.envelope, &addressee, id, &failed, &header).await
    }

    /// Tells the sender of recipients that the account suppressed. A crash before this is done loses it:
    /// nothing of it is in the queue.
    pub(super) async fn notify_suppressed(self: &Arc<Self>, envelope: &Envelope) {
        let Some(addressee) = addressee(&*self.store, envelope) else { return };
        let count = u16::try_from(envelope.suppressed.len()).unwrap_or(u16::MAX);
        let id = notification::id(envelope.message, About::Suppressed, 0..count);
        let failed: Vec<FailedRecipient> = envelope.suppressed.iter().map(suppressed).collect();
        // where every recipient was suppressed, nothing is kept, and there is no header to repeat
        let header = match self.store.peek(envelope.message).await {
            Ok(Some(mail)) => self.header(&mail).await,
            _ => Bytes::new(),
        };
        match self.commit(envelope, &addressee, id, &failed, &header).await {
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

    async fn header(&self, mail: &Claimed) -> Bytes {
        let (content, octets) = (mail.content.clone(), mail.envelope.facts.header_octets);
        let reading = self.settings.offload.run(move || seal::header(&content, octets));
        match reading.await {
            Ok(Ok(header)) => header,
            _ => {
                tracing::warn!(message_id = %mail.envelope.message, "the header of a failed message cannot be read");
                Bytes::new()
            }
        }
    }

    /// Commits a notification; none where the test inbox keeps it instead.
    async fn commit(
        self: &Arc<Self>,
        original: &Envelope,
        addressee: &Address,
        id: MessageId,
        failed: &[FailedRecipient],
        header: &[u8],
    ) -> Result<Option<Envelope>, StoreError> {
        let told = Told { id, now: self.clock.now(), failed, header };
        if original.sandbox {
            return self.capture_notification(original, addressee, told).await.map(|()| None);
        }
        let envelope = commit(&self.settings, &*self.store, original, addressee, told).await?;
        self.metrics.notifications.inc();
        tracing::info!(message_id = %id, original = %original.message, recipients = failed.len(), "a failure is told to the sender");
        Ok(Some(envelope))
    }
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
    let Some(addressee) = addressee(&**store, envelope).filter(|_| !envelope.sandbox) else { return Ok(false) };
    let id = notification::id(envelope.message, About::Failed, recipients.iter().copied());
    if was_committed(settings, store, id).await? {
        return Ok(false);
    }
    let judgements = recipients.iter().map(|recipient| outcome::end(*recipient, &Ending::Damaged));
    let failed: Vec<FailedRecipient> = judgements.map(|judgement| failed(envelope, "", &judgement)).collect();
    // the header cannot be trusted either
    let told = Told { id, now, failed: &failed, header: &[] };
    commit(settings, &**store, envelope, &addressee, told).await.map(|_| true)
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
    pub(super) failed: &'a [FailedRecipient],
    pub(super) header: &'a [u8],
}

/// The whole content of a notification.
pub(super) fn composed(settings: &Settings, original: &Envelope, addressee: &Address, told: &Told<'_>) -> Bytes {
    Bytes::from(dsn::compose(&Notification {
        hostname: &settings.hostname,
        message: &told.id.to_string(),
        recipient: &addressee.to_string(),
        original: &original.message.to_string(),
        arrived_seconds: original.accepted_at.0 / 1000,
        seconds: told.now.0 / 1000,
        failed: told.failed,
        header: told.header,
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
        retry_for: None,
        sandbox: false,
        facts: content_facts(content, &format!("MAILER-DAEMON@{}", settings.hostname)),
        session: None,
    }
}

/// What is kept of content that the relay itself wrote, from this address.
pub(crate) fn content_facts(content: &[u8], from: &str) -> ContentFacts {
    let end = content.windows(4).position(|window| window == b"\r\n\r\n").map_or(content.len(), |cut| cut + 4);
    let value = |name: &str| {
        let field = header::fields(&content[..end]).find(|field| field.is(name));
        field.map(|field| String::from_utf8_lossy(&field.unfolded()).into_owned()).unwrap_or_default()
    };
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest::digest(&digest::SHA256, content).as_ref());
    ContentFacts {
        octets: content.len() as u64,
        header_octets: end as u64,
        sha256,
        subject: value("Subject"),
        from: from.to_owned(),
        message_id: value("Message-ID"),
    }
}

fn failed(envelope: &Envelope, host: &str, judgement: &Judgement) -> FailedRecipient {
    let verdict = &judgement.verdict;
    let address = envelope.recipients.get(usize::from(verdict.recipient));
    FailedRecipient {
        address: address.map(ToString::to_string).unwrap_or_default(),
        status: judgement.status.to_string(),
        remote_reply: verdict.remote_reply.clone(),
        remote_host: (!host.is_empty()).then(|| host.to_owned()),
        reason: verdict.reason.clone(),
    }
}

fn suppressed(address: &Address) -> FailedRecipient {
    FailedRecipient {
        address: address.to_string(),
        status: SUPPRESSED_STATUS.to_owned(),
        remote_reply: None,
        remote_host: None,
        reason: "This address is suppressed in your account: mail to it failed before, or it asked for no more."
            .to_owned(),
    }
}
