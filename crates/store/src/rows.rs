//! What an event makes of the rows of Activity and Connections: the rules that every store obeys.

use std::time::Duration;

use relay::activity::{ActivityEvent, ActivityFilter, ActivityRow, Notice, NoticeKind, Status};
use relay::clock::Timestamp;
use relay::queue::{Envelope, HoldReason, Outcome, SessionFacts, Settlement, Verdict};
use relay::report::Report;
use relay::store::StoreError;
use smtp::address::{Address, ReversePath};

use crate::reports::Effect;

/// Refusals alike within this time of the first are one row with a count, unless the operator says otherwise.
pub(crate) const FOLD: Duration = Duration::from_secs(relay::limits::NOTICE_FOLD_SECONDS.value);

/// How long rows are kept, unless the operator says less.
pub(crate) const KEEP: Duration = Duration::from_secs(relay::limits::ACTIVITY_DAYS.value * 86_400);

/// What the owner reads on the row of a suppressed recipient.
pub(crate) const SUPPRESSED_REASON: &str =
    "This address is on the account's suppression list, so nothing was sent to it.";

/// What the owner reads on a row whose hold was lifted.
pub(crate) const RELEASED_REASON: &str = "It was released and is tried again now.";

/// How many rows are given where the filter does not say.
const ROWS_DEFAULT: u32 = 100;

/// The catalogue's name of the refusal that a suppressed recipient would have got.
pub(crate) fn suppressed_reference() -> String {
    smtp::replies::recipient_suppressed().reference.unwrap_or_default().to_owned()
}

/// The status that an outcome means.
pub(crate) fn status_of(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Delivered { .. } => Status::Delivered,
        Outcome::Deferred { .. } => Status::Deferred,
        Outcome::SoftBounced => Status::SoftBounce,
        Outcome::HardBounced => Status::HardBounce,
    }
}

/// What the owner reads on a held row.
pub(crate) fn hold_words(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::Operator => "Held by the operator of the relay until they release it.",
        HoldReason::AccountSuspended => "Held because the account is suspended.",
        HoldReason::DomainInvalid => "Held because the records of the sending domain are no longer published.",
        HoldReason::Brake => {
            "Held by the automatic brake, until an administrator of the account or the operator of the relay releases it."
        }
        HoldReason::Damaged => "Held because it is damaged on the relay's disk. The operator of the relay was told.",
    }
}

/// The status after a hold ended: what it was before any attempt, or after the last.
pub(crate) fn released_status(attempts: u32) -> Status {
    if attempts == 0 { Status::Pending } else { Status::Deferred }
}

/// The sender that the rows of a message show: the reverse-path, or From where that is null.
pub(crate) fn sender(envelope: &Envelope) -> String {
    match &envelope.reverse_path {
        ReversePath::Null => envelope.facts.from.clone(),
        ReversePath::Mailbox(address) => address.to_string(),
    }
}

/// The rows that a message begins with, in the order of its recipients, suppressed ones last. Their
/// numbers are still 0.
pub(crate) fn accepted(envelope: &Envelope) -> Vec<ActivityRow> {
    let sender = sender(envelope);
    let row = |recipient: &Address, status| ActivityRow {
        row: 0,
        at: envelope.accepted_at,
        updated_at: envelope.accepted_at,
        status,
        recipient: recipient.to_string(),
        sender: sender.clone(),
        subject: envelope.facts.subject.clone(),
        message: Some(envelope.message),
        account: envelope.account,
        user: envelope.user,
        domain: envelope.domain,
        session: envelope.session.as_ref().map(|session| session.session),
        class: None,
        reason: String::new(),
        reply: String::new(),
        reference: String::new(),
        attempts: 0,
        count: 1,
        sandbox: envelope.sandbox,
        held: None,
        last_attempt: None,
    };
    let suppressed = |recipient| ActivityRow {
        reason: SUPPRESSED_REASON.to_owned(),
        reference: suppressed_reference(),
        ..row(recipient, Status::Rejected)
    };
    let kept = envelope.recipients.iter().map(|recipient| row(recipient, Status::Accepted));
    kept.chain(envelope.suppressed.iter().map(suppressed)).collect()
}

/// What a verdict makes of its row.
pub(crate) fn settle(row: &mut ActivityRow, settlement: &Settlement, verdict: &Verdict) -> ActivityEvent {
    row.status = status_of(verdict.outcome);
    row.updated_at = settlement.at;
    row.class = verdict.class;
    row.reason.clone_from(&verdict.reason);
    row.reply = verdict.remote_reply.clone().unwrap_or_default();
    row.held = None;
    if let Some(attempt) = &settlement.attempt {
        row.attempts += 1;
        row.last_attempt = Some(attempt.clone());
    }
    if let Outcome::Delivered { sandbox } = verdict.outcome {
        row.sandbox = sandbox;
    }
    let until = match verdict.outcome {
        Outcome::Deferred { until } => Some(until),
        _ => None,
    };
    ActivityEvent { attempt: settlement.attempt.clone(), until, ..event(row) }
}

/// What a report makes of a row.
pub(crate) fn report(row: &mut ActivityRow, report: &Report, effect: Effect) -> ActivityEvent {
    if let Effect::Becomes(_, after) = effect {
        row.status = after;
        row.class = report.class;
    }
    row.updated_at = report.at;
    row.reason.clone_from(&report.reason);
    row.reply.clone_from(&report.reply);
    ActivityEvent { authentication: report.authentication.clone(), ..event(row) }
}

/// What a hold makes of a row.
pub(crate) fn hold(row: &mut ActivityRow, reason: HoldReason, at: Timestamp) -> ActivityEvent {
    row.status = Status::Pending;
    row.updated_at = at;
    row.held = Some(reason);
    row.class = None;
    hold_words(reason).clone_into(&mut row.reason);
    row.reply.clear();
    event(row)
}

/// What the end of a hold makes of a row.
pub(crate) fn release(row: &mut ActivityRow, at: Timestamp) -> ActivityEvent {
    row.status = released_status(row.attempts);
    row.updated_at = at;
    row.held = None;
    row.class = None;
    RELEASED_REASON.clone_into(&mut row.reason);
    row.reply.clear();
    event(row)
}

/// The event that brought a row to where it is.
pub(crate) fn event(row: &ActivityRow) -> ActivityEvent {
    ActivityEvent {
        at: row.updated_at,
        status: row.status,
        class: row.class,
        reason: row.reason.clone(),
        reply: row.reply.clone(),
        attempt: None,
        until: None,
        authentication: None,
    }
}

/// The row of a refusal; none where it has to be one of Connections, for want of an account.
pub(crate) fn rejected(notice: &Notice) -> Option<ActivityRow> {
    let account = notice.account.filter(|_| notice.kind == NoticeKind::Rejected)?;
    Some(ActivityRow {
        row: 0,
        at: notice.at,
        updated_at: notice.at,
        status: Status::Rejected,
        recipient: notice.recipient.clone(),
        sender: notice.sender.clone(),
        subject: notice.subject.clone(),
        message: None,
        account,
        user: notice.user,
        domain: notice.domain,
        session: Some(notice.session),
        class: None,
        reason: notice.reason.clone(),
        reply: notice.reply.clone(),
        reference: notice.reference.clone(),
        attempts: 0,
        count: notice.count.max(1),
        sandbox: false,
        held: None,
        last_attempt: None,
    })
}

/// The session that a refusal came from, as far as it is known.
pub(crate) fn session_of(notice: &Notice) -> SessionFacts {
    SessionFacts {
        session: notice.session,
        remote: notice.remote,
        client_name: String::new(),
        tls: notice.tls.clone(),
        milliseconds: None,
    }
}

/// Whether two refusals of recipients share a row, their times apart: same user, recipient and reason.
pub(crate) fn alike_rows(a: &ActivityRow, b: &ActivityRow) -> bool {
    (a.account, a.user, &a.reference) == (b.account, b.user, &b.reference)
        && a.recipient.eq_ignore_ascii_case(&b.recipient)
}

/// Whether two troubles of connections share a row, their times apart: same address, name and reason.
pub(crate) fn alike_connections(a: &Notice, b: &Notice) -> bool {
    (a.account, a.user, &a.username, a.remote, &a.reference) == (b.account, b.user, &b.username, b.remote, &b.reference)
}

/// How many rows a filter asks for.
pub(crate) fn limit(filter: &ActivityFilter) -> usize {
    (if filter.limit == 0 { ROWS_DEFAULT } else { filter.limit }) as usize
}

/// Whether an address is the one, begins so, or is at the `@domain`, whatever the case.
pub(crate) fn address_matches(pattern: &str, address: &str) -> bool {
    if pattern.starts_with('@') {
        address.rfind('@').is_some_and(|at| address[at..].eq_ignore_ascii_case(pattern))
    } else {
        address.as_bytes().get(..pattern.len()).is_some_and(|start| start.eq_ignore_ascii_case(pattern.as_bytes()))
    }
}

/// The words of a text, in small letters: letters and digits that stand together.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

/// Whether a subject has a word that begins with each of these; where there are none, it has not.
pub(crate) fn subject_has(wanted: &[String], subject: &str) -> bool {
    if wanted.is_empty() {
        return false;
    }
    let subject: Vec<String> = words(subject).collect();
    wanted.iter().all(|wanted| subject.iter().any(|word| word.starts_with(wanted)))
}

/// Whether the body of a call to a webhook tells of this recipient, whatever the case.
pub(crate) fn tells_of(body: &str, recipient: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Body {
        data: Data,
    }
    #[derive(serde::Deserialize)]
    struct Data {
        #[serde(default)]
        recipient: String,
    }
    let told = serde_json::from_str::<Body>(body);
    told.is_ok_and(|body| body.data.recipient.eq_ignore_ascii_case(recipient))
}

/// There is no such call to a webhook.
pub(crate) fn no_call() -> StoreError {
    StoreError::NotFound("call of this id in the log of the webhook".to_owned())
}

/// So many calls to a webhook wait that it gets no more.
pub(crate) fn no_room_for_calls() -> StoreError {
    StoreError::Conflict(
        "so many calls wait for this webhook that no more are kept: see what its receiver answers".to_owned(),
    )
}

/// Whether the filter names this row; its limit is left aside.
pub(crate) fn matches(filter: &ActivityFilter, row: &ActivityRow) -> bool {
    filter.account.is_none_or(|account| row.account == account)
        && filter.domain.is_none_or(|domain| row.domain == Some(domain))
        && filter.user.is_none_or(|user| row.user == Some(user))
        && filter.recipient.as_ref().is_none_or(|pattern| address_matches(pattern, &row.recipient))
        && filter.sender.as_ref().is_none_or(|pattern| address_matches(pattern, &row.sender))
        && filter.subject.as_ref().is_none_or(|pattern| subject_has(&words(pattern).collect::<Vec<_>>(), &row.subject))
        && filter.status.is_none_or(|status| row.status == status)
        && filter.class.is_none_or(|class| row.class == Some(class))
        && filter.message.is_none_or(|message| row.message == Some(message))
        && filter.since.is_none_or(|since| row.at >= since)
        && filter.until.is_none_or(|until| row.at < until)
        && filter.before_row.is_none_or(|before| row.row < before)
}
