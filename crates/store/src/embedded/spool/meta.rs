//! The meta parts of records as they stand on the disk, and what they mean.
//!
//! The structs here are the disk's alone. A field is never added, removed or moved in one of them: another
//! form is another version. Version 2 of a Commit or Copy is version 1 with parts behind it (`meta/further.rs`); it is
//! written only where there is such a part, so that an earlier version of the relay reads everything else.

mod further;

mod report;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use relay::activity::{Notice, NoticeKind};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId, SessionId};
use relay::outcome::Class;
use relay::queue::{
    Attempt, ContentFacts, Envelope, HoldReason, Origin, Outcome, RecipientState, SessionFacts, Settlement, Verdict,
};
use serde::{Deserialize, Serialize};
use smtp::address::{Address, ReversePath};

pub(crate) use report::{report_in, report_out};

use crate::embedded::beside;

/// A meta part that cannot be read although its checksum is right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct MetaError(String);

impl From<postcard::Error> for MetaError {
    fn from(error: postcard::Error) -> Self {
        MetaError(error.to_string())
    }
}

#[derive(Serialize, Deserialize)]
struct EnvelopeV1<'a> {
    account: u64,
    user: Option<u64>,
    domain: Option<u64>,
    notification_of: Option<u128>,
    #[serde(borrow)]
    reverse_path: Cow<'a, str>,
    recipients: Vec<Cow<'a, str>>,
    suppressed: Vec<Cow<'a, str>>,
    header_needs_smtputf8: bool,
    needs_eight_bit: bool,
    sandbox: bool,
    accepted_at: u64,
    retry_for_milliseconds: Option<u64>,
    octets: u64,
    header_octets: u64,
    sha256: [u8; 32],
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    #[serde(borrow)]
    session: Option<SessionV1<'a>>,
}

#[derive(Serialize, Deserialize)]
struct SessionV1<'a> {
    session: u128,
    remote: IpAddr,
    #[serde(borrow)]
    client_name: Cow<'a, str>,
    #[serde(borrow)]
    tls: Cow<'a, str>,
}

/// Content in a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filed {
    /// The file's number, which is its name.
    pub(crate) number: u64,
    /// Its octets.
    pub(crate) octets: u64,
    /// The checksum over all of them.
    pub(crate) crc: u32,
}

#[derive(Serialize, Deserialize)]
struct CommitV1<'a> {
    #[serde(borrow)]
    envelope: EnvelopeV1<'a>,
    filed: Option<Filed>,
}

#[derive(Serialize, Deserialize)]
struct CopyV1<'a> {
    #[serde(borrow)]
    commit: CommitV1<'a>,
    states: Vec<(u16, StateV1)>,
    #[serde(borrow)]
    seal: Option<&'a [u8]>,
}

/// The state of a recipient that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StateV1 {
    /// To be attempted.
    Waiting {
        /// When, milliseconds since 1970.
        due: u64,
        /// Attempts so far.
        attempts: u32,
    },
    /// Held.
    Held {
        /// Why.
        reason: HoldV1,
        /// Attempts so far.
        attempts: u32,
    },
}

impl StateV1 {
    /// Attempts so far.
    pub(crate) fn attempts(self) -> u32 {
        match self {
            StateV1::Waiting { attempts, .. } | StateV1::Held { attempts, .. } => attempts,
        }
    }
}

/// Why a message is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HoldV1 {
    /// By the operator.
    Operator,
    /// Its account is suspended.
    AccountSuspended,
    /// Its domain's validation was lost.
    DomainInvalid,
    /// It is damaged.
    Damaged,
    /// The brake is on of its SMTP user or account.
    Brake,
}

#[derive(Serialize, Deserialize)]
struct SettleV1<'a> {
    at: u64,
    #[serde(borrow)]
    attempt: Option<AttemptV1<'a>>,
    #[serde(borrow)]
    verdicts: Vec<VerdictV1<'a>>,
}

#[derive(Serialize, Deserialize)]
struct AttemptV1<'a> {
    at: u64,
    milliseconds: u64,
    #[serde(borrow)]
    host: Cow<'a, str>,
    remote: Option<SocketAddr>,
    #[serde(borrow)]
    tls: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct VerdictV1<'a> {
    recipient: u16,
    outcome: OutcomeV1,
    /// Attempts of this recipient, this one included: read again, it must not count twice.
    attempts: u32,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow)]
    remote_reply: Option<Cow<'a, str>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum OutcomeV1 {
    Delivered { sandbox: bool },
    Deferred { until: u64 },
    SoftBounced,
    HardBounced,
}

/// What stands behind a [`SettleV1`] where a verdict is of a class; an earlier version wrote nothing there, and reads over it.
#[derive(Serialize, Deserialize)]
struct ClassesV1 {
    /// One number for each verdict, in their order; 0 where there is none.
    classes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct HoldRecordV1 {
    reason: HoldV1,
    at: u64,
}

#[derive(Serialize, Deserialize)]
struct ReleaseRecordV1 {
    at: u64,
}

/// What stands behind a [`HoldRecordV1`] or [`ReleaseRecordV1`] that is about some of the recipients; an earlier version
/// wrote nothing there, and takes it for one about all.
#[derive(Serialize, Deserialize)]
struct SomeV1 {
    recipients: Vec<u16>,
}

#[derive(Serialize, Deserialize)]
struct NoticeV1<'a> {
    at: u64,
    rejected: bool,
    account: Option<u64>,
    user: Option<u64>,
    domain: Option<u64>,
    #[serde(borrow)]
    username: Cow<'a, str>,
    session: u128,
    remote: IpAddr,
    #[serde(borrow)]
    tls: Cow<'a, str>,
    #[serde(borrow)]
    sender: Cow<'a, str>,
    #[serde(borrow)]
    recipient: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    reference: Cow<'a, str>,
    #[serde(borrow)]
    reply: Cow<'a, str>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    count: u32,
}

impl From<HoldReason> for HoldV1 {
    fn from(reason: HoldReason) -> Self {
        match reason {
            HoldReason::Operator => HoldV1::Operator,
            HoldReason::AccountSuspended => HoldV1::AccountSuspended,
            HoldReason::DomainInvalid => HoldV1::DomainInvalid,
            HoldReason::Damaged => HoldV1::Damaged,
            HoldReason::Brake => HoldV1::Brake,
        }
    }
}

impl From<HoldV1> for HoldReason {
    fn from(reason: HoldV1) -> Self {
        match reason {
            HoldV1::Operator => HoldReason::Operator,
            HoldV1::AccountSuspended => HoldReason::AccountSuspended,
            HoldV1::DomainInvalid => HoldReason::DomainInvalid,
            HoldV1::Damaged => HoldReason::Damaged,
            HoldV1::Brake => HoldReason::Brake,
        }
    }
}

impl From<StateV1> for RecipientState {
    fn from(state: StateV1) -> Self {
        match state {
            StateV1::Waiting { due, attempts } => RecipientState::Waiting { due: Timestamp(due), attempts },
            StateV1::Held { reason, attempts } => RecipientState::Held { reason: reason.into(), attempts },
        }
    }
}

/// The version in which a Commit or Copy of this envelope is written.
pub(crate) fn version(envelope: &Envelope) -> u8 {
    if further::is_needed(envelope) { 2 } else { 1 }
}

fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    // into memory, of types without maps or trait objects: there is nothing that could fail
    postcard::to_allocvec(value).unwrap_or_default()
}

fn address(text: &str) -> Result<Address, MetaError> {
    // as a path: an address once accepted is read again whatever is accepted today
    match ReversePath::parse(text, true) {
        Ok(ReversePath::Mailbox(address)) => Ok(address),
        Ok(ReversePath::Null) => Err(MetaError("an empty address".to_owned())),
        Err(error) => Err(MetaError(format!("{text}: {error}"))),
    }
}

fn envelope_out(envelope: &Envelope) -> EnvelopeV1<'_> {
    let facts = &envelope.facts;
    EnvelopeV1 {
        account: envelope.account.number(),
        user: envelope.user.map(Id::number),
        domain: envelope.domain.map(Id::number),
        notification_of: match envelope.origin {
            Origin::Submission => None,
            Origin::Notification(message) => Some(message.0),
        },
        reverse_path: envelope.reverse_path.to_string().into(),
        recipients: envelope.recipients.iter().map(|address| address.to_string().into()).collect(),
        suppressed: envelope.suppressed.iter().map(|address| address.to_string().into()).collect(),
        header_needs_smtputf8: envelope.header_needs_smtputf8,
        needs_eight_bit: envelope.needs_eight_bit,
        sandbox: envelope.sandbox,
        accepted_at: envelope.accepted_at.0,
        retry_for_milliseconds: envelope.retry_for.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        octets: facts.octets,
        header_octets: facts.header_octets,
        sha256: facts.sha256,
        subject: facts.subject.as_str().into(),
        from: facts.from.as_str().into(),
        message_id: facts.message_id.as_str().into(),
        session: envelope.session.as_ref().map(|session| SessionV1 {
            session: session.session.0,
            remote: session.remote,
            client_name: session.client_name.as_str().into(),
            tls: beside::tls_out(session),
        }),
    }
}

fn envelope_in(message: MessageId, disk: EnvelopeV1<'_>) -> Result<Envelope, MetaError> {
    Ok(Envelope {
        message,
        account: Id::new(disk.account),
        user: disk.user.map(Id::new),
        domain: disk.domain.map(Id::new),
        origin: disk.notification_of.map_or(Origin::Submission, |of| Origin::Notification(MessageId(of))),
        reverse_path: ReversePath::parse(&disk.reverse_path, true)
            .map_err(|error| MetaError(format!("{}: {error}", disk.reverse_path)))?,
        recipients: disk.recipients.iter().map(|text| address(text)).collect::<Result<_, _>>()?,
        suppressed: disk.suppressed.iter().map(|text| address(text)).collect::<Result<_, _>>()?,
        header_needs_smtputf8: disk.header_needs_smtputf8,
        needs_eight_bit: disk.needs_eight_bit,
        accepted_at: Timestamp(disk.accepted_at),
        days_ahead: 0,
        retry_for: disk.retry_for_milliseconds.map(Duration::from_millis),
        sandbox: disk.sandbox,
        facts: ContentFacts {
            octets: disk.octets,
            header_octets: disk.header_octets,
            sha256: disk.sha256,
            subject: disk.subject.into_owned(),
            from: disk.from.into_owned(),
            message_id: disk.message_id.into_owned(),
        },
        session: disk.session.map(|session| {
            let (tls, milliseconds) = beside::tls_in(&session.tls);
            SessionFacts {
                session: SessionId(session.session),
                remote: session.remote,
                client_name: session.client_name.into_owned(),
                tls: tls.to_owned(),
                milliseconds,
            }
        }),
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    })
}

/// A kept message as a Commit or Copy record has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// Its envelope.
    pub(crate) envelope: Envelope,
    /// Where its content is, if not in the record.
    pub(crate) filed: Option<Filed>,
    /// A Copy's unsettled recipients, by number; none in a Commit: all wait for their first attempt.
    pub(crate) states: Option<Vec<(u16, StateV1)>>,
    /// A Copy's DKIM fields, where it had them.
    pub(crate) seal: Option<Vec<u8>>,
}

/// The meta part of a Commit.
pub(crate) fn commit_out(envelope: &Envelope, filed: Option<Filed>) -> Vec<u8> {
    further::behind(encoded(&CommitV1 { envelope: envelope_out(envelope), filed }), envelope)
}

/// Reads the meta part of a Commit.
pub(crate) fn commit_in(message: MessageId, meta: &[u8]) -> Result<Kept, MetaError> {
    let (disk, further): (CommitV1<'_>, _) = postcard::take_from_bytes(meta)?;
    let envelope = further::read(further, envelope_in(message, disk.envelope)?)?;
    Ok(Kept { envelope, filed: disk.filed, states: None, seal: None })
}

/// The meta part of a Copy.
pub(crate) fn copy_out(
    envelope: &Envelope,
    filed: Option<Filed>,
    states: Vec<(u16, StateV1)>,
    seal: Option<&[u8]>,
) -> Vec<u8> {
    let commit = CommitV1 { envelope: envelope_out(envelope), filed };
    further::behind(encoded(&CopyV1 { commit, states, seal }), envelope)
}

/// Reads the meta part of a Copy.
pub(crate) fn copy_in(message: MessageId, meta: &[u8]) -> Result<Kept, MetaError> {
    let (disk, further): (CopyV1<'_>, _) = postcard::take_from_bytes(meta)?;
    Ok(Kept {
        envelope: further::read(further, envelope_in(message, disk.commit.envelope)?)?,
        filed: disk.commit.filed,
        states: Some(disk.states),
        seal: disk.seal.map(<[u8]>::to_vec),
    })
}

/// The meta part of a Settle; `attempts` has one number for each verdict.
pub(crate) fn settle_out(settlement: &Settlement, attempts: &[u32]) -> Vec<u8> {
    let attempt = settlement.attempt.as_ref().map(|attempt| AttemptV1 {
        at: attempt.at.0,
        milliseconds: attempt.milliseconds,
        host: beside::host_out(attempt),
        remote: attempt.remote,
        tls: attempt.tls.as_str().into(),
    });
    let verdict = |(verdict, attempts): (&'_ Verdict, &u32)| VerdictV1 {
        recipient: verdict.recipient,
        outcome: match verdict.outcome {
            Outcome::Delivered { sandbox } => OutcomeV1::Delivered { sandbox },
            Outcome::Deferred { until } => OutcomeV1::Deferred { until: until.0 },
            Outcome::SoftBounced => OutcomeV1::SoftBounced,
            Outcome::HardBounced => OutcomeV1::HardBounced,
        },
        attempts: *attempts,
        reason: verdict.reason.clone().into(),
        remote_reply: verdict.remote_reply.clone().map(Cow::Owned),
    };
    let verdicts = settlement.verdicts.iter().zip(attempts).map(verdict).collect();
    let mut meta = encoded(&SettleV1 { at: settlement.at.0, attempt, verdicts });
    if settlement.verdicts.iter().any(|verdict| verdict.class.is_some()) {
        let classes = settlement.verdicts.iter().map(|verdict| verdict.class.map_or(0, Class::number)).collect();
        meta.extend(encoded(&ClassesV1 { classes }));
    }
    meta
}

/// Reads the meta part of a Settle: the settlement, and the attempts of each verdict's recipient.
pub(crate) fn settle_in(message: MessageId, meta: &[u8]) -> Result<(Settlement, Vec<u32>), MetaError> {
    let (disk, behind): (SettleV1<'_>, &[u8]) = postcard::take_from_bytes(meta)?;
    let classes = if behind.is_empty() { Vec::new() } else { postcard::from_bytes::<ClassesV1>(behind)?.classes };
    let attempts = disk.verdicts.iter().map(|verdict| verdict.attempts).collect();
    let attempt = disk.attempt.map(|attempt| {
        let (host, source, others) = beside::host_in(&attempt.host);
        Attempt {
            at: Timestamp(attempt.at),
            milliseconds: attempt.milliseconds,
            host: host.to_owned(),
            remote: attempt.remote,
            tls: attempt.tls.into_owned(),
            source: source.map(str::to_owned),
            others,
        }
    });
    let verdict = |(place, verdict): (usize, VerdictV1<'_>)| Verdict {
        recipient: verdict.recipient,
        outcome: match verdict.outcome {
            OutcomeV1::Delivered { sandbox } => Outcome::Delivered { sandbox },
            OutcomeV1::Deferred { until } => Outcome::Deferred { until: Timestamp(until) },
            OutcomeV1::SoftBounced => Outcome::SoftBounced,
            OutcomeV1::HardBounced => Outcome::HardBounced,
        },
        class: classes.get(place).copied().and_then(Class::of_number),
        reason: verdict.reason.into_owned(),
        remote_reply: verdict.remote_reply.map(Cow::into_owned),
    };
    let verdicts = disk.verdicts.into_iter().enumerate().map(verdict).collect();
    Ok((Settlement { message, at: Timestamp(disk.at), attempt, verdicts }, attempts))
}

/// The meta part of a Hold of these recipients, or of all.
pub(crate) fn hold_out(reason: HoldReason, at: Timestamp, recipients: Option<&[u16]>) -> Vec<u8> {
    with_some(encoded(&HoldRecordV1 { reason: reason.into(), at: at.0 }), recipients)
}

/// Reads the meta part of a Hold: why, when, and of which recipients; none: of all.
pub(crate) fn hold_in(meta: &[u8]) -> Result<(HoldReason, Timestamp, Option<Vec<u16>>), MetaError> {
    let (disk, behind): (HoldRecordV1, &[u8]) = postcard::take_from_bytes(meta)?;
    Ok((disk.reason.into(), Timestamp(disk.at), some_in(behind)?))
}

/// The meta part of a Release of these recipients, or of all.
pub(crate) fn release_out(at: Timestamp, recipients: Option<&[u16]>) -> Vec<u8> {
    with_some(encoded(&ReleaseRecordV1 { at: at.0 }), recipients)
}

/// Reads the meta part of a Release: when, and of which recipients; none: of all.
pub(crate) fn release_in(meta: &[u8]) -> Result<(Timestamp, Option<Vec<u16>>), MetaError> {
    let (disk, behind): (ReleaseRecordV1, &[u8]) = postcard::take_from_bytes(meta)?;
    Ok((Timestamp(disk.at), some_in(behind)?))
}

fn with_some(mut meta: Vec<u8>, recipients: Option<&[u16]>) -> Vec<u8> {
    if let Some(some) = recipients {
        meta.extend(encoded(&SomeV1 { recipients: some.to_vec() }));
    }
    meta
}

fn some_in(behind: &[u8]) -> Result<Option<Vec<u16>>, MetaError> {
    if behind.is_empty() {
        return Ok(None);
    }
    Ok(Some(postcard::from_bytes::<SomeV1>(behind)?.recipients))
}

/// The meta part of a Notices record.
pub(crate) fn notices_out(notices: &[Notice]) -> Vec<u8> {
    let notice = |notice: &'_ Notice| NoticeV1 {
        at: notice.at.0,
        rejected: notice.kind == NoticeKind::Rejected,
        account: notice.account.map(Id::number),
        user: notice.user.map(Id::number),
        domain: notice.domain.map(Id::number),
        username: notice.username.clone().into(),
        session: notice.session.0,
        remote: notice.remote,
        tls: notice.tls.clone().into(),
        sender: notice.sender.clone().into(),
        recipient: notice.recipient.clone().into(),
        subject: notice.subject.clone().into(),
        reference: notice.reference.clone().into(),
        reply: notice.reply.clone().into(),
        reason: notice.reason.clone().into(),
        count: notice.count,
    };
    encoded(&notices.iter().map(notice).collect::<Vec<_>>())
}

/// Reads the meta part of a Notices record.
pub(crate) fn notices_in(meta: &[u8]) -> Result<Vec<Notice>, MetaError> {
    let notice = |disk: NoticeV1<'_>| Notice {
        at: Timestamp(disk.at),
        kind: if disk.rejected { NoticeKind::Rejected } else { NoticeKind::Connection },
        account: disk.account.map(Id::new),
        user: disk.user.map(Id::new),
        domain: disk.domain.map(Id::new),
        username: disk.username.into_owned(),
        session: SessionId(disk.session),
        remote: disk.remote,
        tls: disk.tls.into_owned(),
        sender: disk.sender.into_owned(),
        recipient: disk.recipient.into_owned(),
        subject: disk.subject.into_owned(),
        reference: disk.reference.into_owned(),
        reply: disk.reply.into_owned(),
        reason: disk.reason.into_owned(),
        count: disk.count,
    };
    let disk: Vec<NoticeV1<'_>> = postcard::from_bytes(meta)?;
    Ok(disk.into_iter().map(notice).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn settlement(classes: [Option<Class>; 2]) -> Settlement {
        let verdict = |(recipient, class): (u16, Option<Class>)| Verdict {
            recipient,
            outcome: Outcome::HardBounced,
            class,
            reason: "No.".to_owned(),
            remote_reply: None,
        };
        let verdicts = (0..).zip(classes).map(verdict).collect();
        Settlement { message: MessageId(4), at: Timestamp(9), attempt: None, verdicts }
    }

    #[test]
    fn classes_stand_behind_what_stood_there_before() {
        let without = settle_out(&settlement([None, None]), &[1, 2]);
        assert_eq!(settle_in(MessageId(4), &without).unwrap(), (settlement([None, None]), vec![1, 2]));
        let classes = [None, Some(Class::NoSuchMailbox)];
        let with = settle_out(&settlement(classes), &[1, 2]);
        assert_eq!(settle_in(MessageId(4), &with).unwrap(), (settlement(classes), vec![1, 2]));
        assert!(with.starts_with(&without), "an earlier version reads what it knows, and over the rest");
        let earlier: SettleV1<'_> = postcard::from_bytes(&with).unwrap();
        assert_eq!(earlier.verdicts.len(), 2);
    }

    #[test]
    fn a_class_of_a_later_version_is_none() {
        let mut meta = settle_out(&settlement([None, None]), &[1, 2]);
        meta.extend(encoded(&ClassesV1 { classes: vec![250, 2] }));
        let read = settle_in(MessageId(4), &meta).unwrap().0;
        let classes: Vec<_> = read.verdicts.iter().map(|verdict| verdict.class).collect();
        assert_eq!(classes, [None, Some(Class::NoSuchDomain)]);
    }
}
