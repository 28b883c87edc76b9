//! Webhooks: what an account is told of by HTTP, how a call is made of an event, and how it is signed
//! (Standard Webhooks, <https://www.standardwebhooks.com>).

mod call;
mod judge;
mod turns;
mod url;

use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use smtp::server::Secret;

use crate::account::Account;
use crate::activity::{ActivityRow, Status};
use crate::blocklist::{Change, Owned};
use crate::brake::{Brake, Subject};
use crate::clock::Timestamp;
use crate::cursor::CursorKey;
use crate::dice::Dice;
use crate::directory::Directory;
use crate::id::Id;
use crate::moment;
use crate::power::{Powers, Scope};
use crate::sending_domain::SendingDomain;
use crate::service::view::{ActivityView, BrakeView};
use crate::smtp_user::SmtpUser;

pub use call::{Bounds, Call, CallId, CallState, NewCall, Outlook, Redo, Standing, Tried, Try};
pub use judge::{RETRY_FOR, Reply, Verdict, judge, retry_after};
pub use turns::Turns;
pub use url::{Target, TargetError, target};

/// What every secret begins with (Standard Webhooks, "Signature scheme").
pub const SECRET_PREFIX: &str = "whsec_";

/// Random octets of a secret: the specification asks for 24 to 64.
const SECRET_OCTETS: usize = 32;

/// How long the secret before a rotation still signs beside the new one.
pub const ROTATION: Duration = Duration::from_secs(24 * 3600);

/// What can happen. The words are those of `type` in what is sent, and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// A recipient was refused, or is suppressed.
    #[serde(rename = "recipient.rejected")]
    Rejected,
    /// A recipient was accepted.
    #[serde(rename = "recipient.accepted")]
    Accepted,
    /// The recipient's server took the message.
    #[serde(rename = "recipient.delivered")]
    Delivered,
    /// A temporary error; it is tried again.
    #[serde(rename = "recipient.deferred")]
    Deferred,
    /// It was given up, or failed in a way that passes.
    #[serde(rename = "recipient.soft_bounce")]
    SoftBounce,
    /// It failed permanently.
    #[serde(rename = "recipient.hard_bounce")]
    HardBounce,
    /// Its owner complained of it.
    #[serde(rename = "recipient.complaint")]
    Complaint,
    /// The automatic brake of an SMTP user or of the account went on.
    #[serde(rename = "brake.on")]
    BrakeOn,
    /// It was released.
    #[serde(rename = "brake.released")]
    BrakeReleased,
    /// A blocklist of the operator's has a sending domain.
    #[serde(rename = "blocklist.listed")]
    BlocklistListed,
    /// It has it no more.
    #[serde(rename = "blocklist.delisted")]
    BlocklistDelisted,
    /// Somebody asked for a test.
    #[serde(rename = "webhook.test")]
    Test,
}

impl EventKind {
    /// Those that a webhook can be told of: all but the test, which is told to whichever was asked.
    pub const CHOICES: [EventKind; 11] = [
        EventKind::Rejected,
        EventKind::Accepted,
        EventKind::Delivered,
        EventKind::Deferred,
        EventKind::SoftBounce,
        EventKind::HardBounce,
        EventKind::Complaint,
        EventKind::BrakeOn,
        EventKind::BrakeReleased,
        EventKind::BlocklistListed,
        EventKind::BlocklistDelisted,
    ];

    /// What a row that has come into this status is told as; none: it is not told.
    pub fn of(status: Status) -> Option<EventKind> {
        match status {
            Status::Rejected => Some(EventKind::Rejected),
            Status::Accepted => Some(EventKind::Accepted),
            Status::Pending => None,
            Status::Delivered => Some(EventKind::Delivered),
            Status::Deferred => Some(EventKind::Deferred),
            Status::SoftBounce => Some(EventKind::SoftBounce),
            Status::HardBounce => Some(EventKind::HardBounce),
            Status::Complaint => Some(EventKind::Complaint),
        }
    }
}

/// Whether a webhook is told anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It is.
    Enabled,
    /// Somebody switched it off.
    Disabled,
    /// Its receiver answered 410 Gone, which switched it off.
    Gone,
}

/// An URL that is told of events, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its number.
    pub id: Id<Webhook>,
    /// Whose.
    pub account: Id<Account>,
    /// What people call it.
    pub name: String,
    /// Where it is, as [`target`] reads it.
    pub url: String,
    /// What it is told of, in order, each once; at least one.
    pub events: Vec<EventKind>,
    /// Of this sending domain alone.
    pub domain: Option<Id<SendingDomain>>,
    /// Of this SMTP user alone.
    pub user: Option<Id<SmtpUser>>,
    /// Whether it is told anything.
    pub state: WebhookState,
    /// When its secret was last replaced.
    pub rotated_at: Option<Timestamp>,
    /// When it was made; what happened before is not told.
    pub created_at: Timestamp,
}

impl Webhook {
    /// Whether it is to be told that this row has come into the status that it has.
    pub fn wants(&self, kind: EventKind, row: &ActivityRow) -> bool {
        self.state == WebhookState::Enabled
            && self.account == row.account
            && self.events.contains(&kind)
            && self.domain.is_none_or(|domain| row.domain == Some(domain))
            && self.user.is_none_or(|user| row.user == Some(user))
            && row.updated_at >= self.created_at
    }

    /// Whether it is to be told that a brake went on or was released at a moment. One on the whole account concerns every
    /// domain and SMTP user of it.
    fn wants_brake(&self, kind: EventKind, at: Timestamp, brake: &Brake, directory: &Directory) -> bool {
        let concerns = match brake.subject {
            Subject::Account(_) => true,
            Subject::User(user) => {
                let domain = directory.users.get(&user).map(|user| user.domain);
                self.user.is_none_or(|wanted| wanted == user) && self.domain.is_none_or(|wanted| domain == Some(wanted))
            }
        };
        concerns && self.is_told(kind, brake.account, at)
    }

    /// Whether it is to be told that a domain was put into a blocklist or taken out of it.
    fn wants_listing(&self, kind: EventKind, owned: Owned, at: Timestamp, directory: &Directory) -> bool {
        let sends_from_it = |user| directory.users.get(user).is_some_and(|user| user.domain == owned.domain);
        self.domain.is_none_or(|wanted| wanted == owned.domain)
            && self.user.as_ref().is_none_or(sends_from_it)
            && self.is_told(kind, owned.account, at)
    }

    /// Whether it is told of what happened so to an account at a moment.
    fn is_told(&self, kind: EventKind, account: Id<Account>, at: Timestamp) -> bool {
        self.state == WebhookState::Enabled
            && self.account == account
            && self.events.contains(&kind)
            && at >= self.created_at
    }

    /// Whether the secret before the last rotation still signs.
    pub fn has_two_secrets(&self, now: Timestamp) -> bool {
        self.rotated_at.is_some_and(|at| now.since(at) < ROTATION)
    }
}

/// What is sent: `{"type": …, "timestamp": …, "data": …}`.
#[derive(Serialize)]
struct Payload<'a, T> {
    #[serde(rename = "type")]
    kind: EventKind,
    timestamp: String,
    data: &'a T,
}

fn payload<T: Serialize>(kind: EventKind, at: Timestamp, data: &T) -> String {
    // plain data: this cannot fail
    serde_json::to_string(&Payload { kind, timestamp: moment::text(at), data }).unwrap_or_default()
}

/// The calls that a row which has come into a status gives rise to, for those of `webhooks` that want it. `place` is the
/// recipient's in its message. The row has the number by which its account knows it.
pub fn calls<'w>(
    webhooks: impl Iterator<Item = &'w Webhook>,
    row: &ActivityRow,
    place: u32,
    numbers: &CursorKey,
) -> Vec<NewCall> {
    let Some(kind) = EventKind::of(row.status) else { return Vec::new() };
    let mut body = None;
    let wanting = webhooks.filter(|webhook| webhook.wants(kind, row));
    let call = |webhook: &Webhook| NewCall {
        webhook: webhook.id,
        account: webhook.account,
        call: call_id(webhook.id, kind, row, place),
        event: kind,
        at: row.updated_at,
        body: body.get_or_insert_with(|| body_of(kind, row, numbers)).clone(),
    };
    wanting.map(call).collect()
}

fn body_of(kind: EventKind, row: &ActivityRow, numbers: &CursorKey) -> String {
    let number = numbers.number(Scope::Account(row.account, Powers::NONE), row.row);
    payload(kind, row.updated_at, &ActivityView { row: number, ..ActivityView::from(row) })
}

/// What is told of a brake.
#[derive(Serialize)]
struct BrakeData {
    #[serde(flatten)]
    brake: BrakeView,
    /// When it was released; none: it is on.
    released_at: Option<String>,
}

/// The calls that a brake gives rise to: that it went on, and where it is released, that too. They have the same ids
/// however often they are made.
pub fn brake_calls(directory: &Directory, brake: &Brake) -> Vec<NewCall> {
    let released = brake.released.as_ref().map(|release| (EventKind::BrakeReleased, release.at));
    let told = |(kind, at): (EventKind, Timestamp)| {
        let wanting = directory.webhooks_of(brake.account).map(AsRef::as_ref);
        let wanting = wanting.filter(move |webhook: &&Webhook| webhook.wants_brake(kind, at, brake, directory));
        wanting.map(move |webhook| brake_call(directory, webhook, brake, kind, at))
    };
    [(EventKind::BrakeOn, brake.since)].into_iter().chain(released).flat_map(told).collect()
}

fn brake_call(directory: &Directory, webhook: &Webhook, brake: &Brake, kind: EventKind, at: Timestamp) -> NewCall {
    let is_released = kind == EventKind::BrakeReleased;
    let releasable = !is_released && brake.is_for_the_account(at);
    let released_at = is_released.then(|| moment::text(at));
    let data = BrakeData { brake: BrakeView::new(brake, directory, releasable), released_at };
    call_about(webhook, kind, at, &brake.subject.to_string(), &data)
}

/// What is told of a domain in a blocklist.
#[derive(Serialize)]
struct ListingData<'a> {
    /// The domain's number.
    domain: u64,
    domain_name: &'a str,
    account: u64,
    /// The list: its zone in DNS.
    list: &'a str,
}

/// The calls that a change in a blocklist gives rise to: none where it is about an address of the relay's, which is no account's.
pub fn listing_calls(directory: &Directory, change: &Change) -> Vec<NewCall> {
    let Some(owned) = change.owned else { return Vec::new() };
    let kind = if change.is_listed { EventKind::BlocklistListed } else { EventKind::BlocklistDelisted };
    let (domain, account) = (owned.domain.number(), owned.account.number());
    let data = ListingData { domain, domain_name: &change.name, account, list: &change.list };
    let about = format!("{} {}", change.list, change.name);
    let wanting = directory.webhooks_of(owned.account).map(AsRef::as_ref);
    let wanting = wanting.filter(|webhook: &&Webhook| webhook.wants_listing(kind, owned, change.at, directory));
    wanting.map(|webhook| call_about(webhook, kind, change.at, &about, &data)).collect()
}

/// A call of what is no row; it has the same id however often it is made.
fn call_about<T: Serialize>(webhook: &Webhook, kind: EventKind, at: Timestamp, about: &str, data: &T) -> NewCall {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&webhook.id.number().to_be_bytes());
    context.update(&[kind as u8]);
    context.update(&at.0.to_be_bytes());
    context.update(about.as_bytes());
    let mut call = [0; 16];
    call.copy_from_slice(&context.finish().as_ref()[..16]);
    let (webhook, account) = (webhook.id, webhook.account);
    NewCall { webhook, account, call: CallId(call), event: kind, at, body: payload(kind, at, data) }
}

/// What a test sends.
#[derive(Serialize)]
struct TestData<'a> {
    webhook: u64,
    name: &'a str,
}

/// A call that tells nothing but that it comes.
pub fn test_call(webhook: &Webhook, now: Timestamp, dice: &mut dyn Dice) -> NewCall {
    let mut call = [0; 16];
    dice.fill(&mut call);
    let data = TestData { webhook: webhook.id.number(), name: &webhook.name };
    NewCall {
        webhook: webhook.id,
        account: webhook.account,
        call: CallId(call),
        event: EventKind::Test,
        at: now,
        body: payload(EventKind::Test, now, &data),
    }
}

/// The same for the same event, however often it is read from the log: receivers know a repetition by it.
fn call_id(webhook: Id<Webhook>, kind: EventKind, row: &ActivityRow, place: u32) -> CallId {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&webhook.number().to_be_bytes());
    context.update(&row.message.map_or(0, |message| message.0).to_be_bytes());
    context.update(&row.session.map_or(0, |session| session.0).to_be_bytes());
    context.update(&[kind as u8]);
    for number in [u64::from(place), row.updated_at.0, u64::from(row.attempts)] {
        context.update(&number.to_be_bytes());
    }
    context.update(row.recipient.as_bytes());
    let mut call = [0; 16];
    call.copy_from_slice(&context.finish().as_ref()[..16]);
    CallId(call)
}

/// A new secret, as its owner is shown it.
pub fn new_secret(dice: &mut dyn Dice) -> Secret {
    let mut octets = [0; SECRET_OCTETS];
    dice.fill(&mut octets);
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(octets)).into_bytes())
}

/// The field `webhook-signature` of a call that is sent at this moment, for each of the secrets: the HMAC-SHA256 of its id,
/// the second and the body, with dots between.
pub fn signature(secrets: &[Secret], call: CallId, at: Timestamp, body: &str) -> String {
    let signed = format!("{call}.{}.{body}", at.0 / 1000);
    let one = |secret: &Secret| {
        let text = secret.expose().strip_prefix(SECRET_PREFIX.as_bytes()).unwrap_or_default();
        let key = STANDARD.decode(text).unwrap_or_default();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    };
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
