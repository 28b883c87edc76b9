//! Mail that the relay itself writes to people: invitations, resets, alerts. Taken and delivered like any other, from a
//! domain of the operator's in the built-in system account; free of quota and limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use message::letter::{self, Letter};
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::language::Language;
use relay::priority::Priority;
use relay::queue::{Envelope, Origin, TlsWish};
use relay::sending_domain::SendingDomain;
use relay::service::SYSTEM_ACCOUNT;
use relay::store::{Draft, Store, StoreError};
use smtp::address::{Address, ReversePath};

use crate::clock::{Clock, SystemDice};
use crate::dispatch::Handle;
use crate::dispatch::content_facts;

/// Who the relay writes as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// What people call it.
    pub name: String,
    /// Its address, of a domain of the system account.
    pub address: String,
}

/// What is written to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What they are called.
    pub name: String,
    /// Their address.
    pub address: String,
    /// The Subject.
    pub subject: String,
    /// The text, its lines ended by LF.
    pub text: String,
    /// Its language.
    pub language: Language,
}

/// Why a note was not sent.
#[derive(Debug, thiserror::Error)]
pub enum OwnMailError {
    /// The configuration names no sender.
    #[error("the relay has no address of its own: set `from` below [mail]")]
    NoSender,
    /// The sender's domain may not send.
    #[error("{0} is no domain of the system account that may send: add it with `envoi domain add --account 0`")]
    NoDomain(String),
    /// The recipient's address is none.
    #[error("{0} is no address that mail can go to")]
    NoAddress(String),
    /// The letter could not be written.
    #[error("the letter could not be written: {0}")]
    Letter(#[from] std::io::Error),
    /// It is not kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long a report is tried.
const REPORT_RETRY_FOR: Duration = Duration::from_secs(24 * 3600);

/// What the head of a message needs that whoever composes it does not know.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The address that it is from.
    pub from: &'a str,
    /// When it is written, in seconds since 1970.
    pub seconds: u64,
    /// Message-ID, without angle brackets.
    pub message_id: &'a str,
}

/// Composes a message.
pub type Compose<'a> = &'a (dyn Fn(&Frame<'_>) -> Vec<u8> + Send + Sync);

/// The relay's own hand.
pub struct OwnMail<S> {
    /// What keeps it.
    pub store: Arc<S>,
    /// What delivers it.
    pub dispatch: Handle,
    /// The relay's name.
    pub hostname: String,
    /// Who it writes as; none: it writes nothing.
    pub sender: Option<Sender>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl<S: Store> OwnMail<S> {
    /// Whether it could send now.
    ///
    /// # Errors
    /// Why not.
    pub fn is_ready(&self) -> Result<(), OwnMailError> {
        self.origin().map(drop)
    }

    fn origin(&self) -> Result<(&Sender, Arc<SendingDomain>), OwnMailError> {
        let sender = self.sender.as_ref().ok_or(OwnMailError::NoSender)?;
        let name = sender.address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let directory = self.store.directory();
        let its = |domain: &&Arc<SendingDomain>| {
            domain.account == SYSTEM_ACCOUNT && domain.name == name && domain.deleted_at.is_none()
        };
        let domain = directory.domains.values().find(its).filter(|domain| domain.state.may_send());
        Ok((sender, Arc::clone(domain.ok_or_else(|| OwnMailError::NoDomain(name.to_owned()))?)))
    }

    /// The domain that it writes from; none where it writes nothing.
    pub fn domain(&self) -> Option<&str> {
        Some(self.sender.as_ref()?.address.rsplit_once('@')?.1)
    }

    /// Takes a report on TLS for delivery, tried for a day at the most (RFC 8460 §5.5); it is on disk when this returns. It goes
    /// out whatever policies say about TLS (RFC 8460 §3).
    ///
    /// # Errors
    /// Why not; nothing is sent then.
    pub async fn send_report(&self, to: &Address, compose: Compose<'_>) -> Result<MessageId, OwnMailError> {
        let (sender, domain) = self.origin()?;
        let now = self.clock.now();
        let message = MessageId::new(now, &mut SystemDice);
        let message_id = format!("{message}@{}", self.hostname);
        let content = compose(&Frame { from: &sender.address, seconds: now.0 / 1_000, message_id: &message_id });
        let envelope = Envelope {
            retry_for: Some(REPORT_RETRY_FOR),
            tls_wish: TlsWish::Waived,
            // nobody waits for it
            priority: Priority::LOW,
            ..envelope(message, sender, &domain, to.clone(), &content, now)?
        };
        self.keep(envelope, content).await
    }

    async fn keep(&self, envelope: Envelope, content: Vec<u8>) -> Result<MessageId, OwnMailError> {
        let mut draft = self.store.draft()?;
        draft.append(Bytes::from(content)).await?;
        self.store.commit(envelope.clone(), draft).await?;
        self.dispatch.arrived(&envelope);
        Ok(envelope.message)
    }

    /// Takes a note for delivery; it is on disk when this returns.
    ///
    /// # Errors
    /// Why not; nothing is sent then.
    pub async fn send(&self, note: &Note) -> Result<MessageId, OwnMailError> {
        let (sender, domain) = self.origin()?;
        let now = self.clock.now();
        let message = MessageId::new(now, &mut SystemDice);
        let content = letter::compose(&Letter {
            from: (&sender.name, &sender.address),
            to: (&note.name, &note.address),
            subject: &note.subject,
            text: &note.text,
            language: note.language.tag(),
            seconds: now.0 / 1_000,
            message_id: &format!("{message}@{}", self.hostname),
        })?;
        let recipient = address(&note.address)?;
        let envelope = envelope(message, sender, &domain, recipient, &content, now)?;
        self.keep(envelope, content).await
    }
}

fn address(text: &str) -> Result<Address, OwnMailError> {
    Address::parse(text, true).map_err(|_| OwnMailError::NoAddress(text.to_owned()))
}

fn envelope(
    message: MessageId,
    sender: &Sender,
    domain: &SendingDomain,
    recipient: Address,
    content: &[u8],
    now: Timestamp,
) -> Result<Envelope, OwnMailError> {
    Ok(Envelope {
        message,
        account: SYSTEM_ACCOUNT,
        user: None,
        domain: Some(domain.id),
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(address(&sender.address)?),
        header_needs_smtputf8: !recipient.to_string().is_ascii(),
        recipients: vec![recipient],
        suppressed: Vec::new(),
        needs_eight_bit: !content.is_ascii(),
        accepted_at: now,
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: content_facts(content, &sender.address),
        session: None,
        requests: None,
        tls_wish: TlsWish::AsAsked,
        // somebody waits for it, and what is reported to senders, from the same account, may be much
        priority: Priority::HIGH,
    })
}
