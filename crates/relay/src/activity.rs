//! What became of every recipient, and what went wrong with connections, as people read it.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

use crate::account::Account;
use crate::authentication::Authentication;
use crate::clock::{Day, Timestamp};
use crate::id::{Id, MessageId, SessionId};
use crate::outcome::Class;
use crate::priority::Priority;
use crate::queue::{Attempt, ContentFacts, HoldReason, SessionFacts};
use crate::sending_domain::SendingDomain;
use crate::smtp_user::SmtpUser;

/// The status of a recipient (product: activity and statuses).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Refused before sending.
    Rejected,
    /// Ours, on disk, not yet scheduled.
    Accepted,
    /// Waiting for its first attempt, or held.
    Pending,
    /// The next hop answered 250.
    Delivered,
    /// A temporary error; tried again.
    Deferred,
    /// Gave up, or a failure of a class that passes.
    SoftBounce,
    /// Failed permanently.
    HardBounce,
    /// Delivered, and its owner did not want it.
    Complaint,
}

/// A refusal to be remembered: gathered and capped before it reaches the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub kind: NoticeKind,
    /// Whose, where it can be told (product: connections).
    pub account: Option<Id<Account>>,
    /// The SMTP user, where known.
    pub user: Option<Id<SmtpUser>>,
    /// Its domain, where known.
    pub domain: Option<Id<SendingDomain>>,
    /// The username as sent, where one was.
    pub username: String,
    /// The session.
    pub session: SessionId,
    /// The client's address.
    pub remote: IpAddr,
    /// `TLS 1.3`, or `none`.
    pub tls: String,
    /// The sender as sent, where there was one.
    pub sender: String,
    /// The recipient as sent, where there was one.
    pub recipient: String,
    /// The Subject, where content had come.
    pub subject: String,
    /// The reply's stable name in the catalogue.
    pub reference: String,
    /// The reply as the client got it.
    pub reply: String,
    /// The true reason, in words for the owner.
    pub reason: String,
    /// How many alike it stands for.
    pub count: u32,
}

/// What a [`Notice`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A recipient that was refused: a Rejected row.
    Rejected,
    /// A login, a limit, a block or TLS that failed: a Connections row.
    Connection,
}

/// One row of Activity: one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityRow {
    /// Its number: rows of later events are higher.
    pub row: u64,
    /// When the row began: acceptance or first refusal.
    pub at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
    /// Its status now.
    pub status: Status,
    /// The recipient.
    pub recipient: String,
    /// The reverse-path, or From where that is null.
    pub sender: String,
    /// The Subject.
    pub subject: String,
    /// The message; none on a Rejected row.
    pub message: Option<MessageId>,
    /// Whose.
    pub account: Id<Account>,
    /// The SMTP user; none on mail the relay wrote itself.
    pub user: Option<Id<SmtpUser>>,
    /// The sending domain.
    pub domain: Option<Id<SendingDomain>>,
    /// The session.
    pub session: Option<SessionId>,
    /// Of which class the failure is; none where all is well, on a Rejected row, and where no server said it.
    pub class: Option<Class>,
    /// Why, in plain words; empty where all is well.
    pub reason: String,
    /// The remote's own text, or on a Rejected row our reply.
    pub reply: String,
    /// The stable name of our reply on a Rejected row.
    pub reference: String,
    /// Attempts made.
    pub attempts: u32,
    /// How many alike it stands for (Rejected rows).
    pub count: u32,
    /// Captured, not sent.
    pub sandbox: bool,
    /// Why it is held, where it is.
    pub held: Option<HoldReason>,
    /// The last attempt, where there was one.
    pub last_attempt: Option<Attempt>,
}

impl ActivityRow {
    /// Whether it waits for so long that its message counts as delayed: it is deferred, and was accepted `after` ago or earlier.
    pub fn is_delayed(&self, now: Timestamp, after: Duration) -> bool {
        self.status == Status::Deferred && now.since(self.at) >= after
    }
}

/// What was erased of what was kept about a recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Rows of Activity.
    pub rows: u64,
    /// Rows of Connections.
    pub connections: u64,
    /// Calls to webhooks, whether they waited or not.
    pub calls: u64,
    /// Rows that are left, because their mail is in the queue.
    pub waiting: u64,
}

impl Erased {
    /// Adds what else was erased.
    pub fn add(&mut self, more: Erased) {
        self.rows += more.rows;
        self.connections += more.connections;
        self.calls += more.calls;
        self.waiting += more.waiting;
    }
}

/// One event of a recipient: acceptance or refusal first, then each change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityEvent {
    /// When.
    pub at: Timestamp,
    /// The status from then on.
    pub status: Status,
    /// Of which class the failure is; none where all is well, on a Rejected row, and where no server said it.
    pub class: Option<Class>,
    /// Why, in plain words; empty where all is well.
    pub reason: String,
    /// The remote's own text, or on a refusal our reply.
    pub reply: String,
    /// The attempt that it came from, where it was one.
    pub attempt: Option<Attempt>,
    /// When it is tried again, where it was deferred.
    pub until: Option<Timestamp>,
    /// Who vouches for the report that it came from, where it was one; none: that was not looked at.
    #[serde(default)]
    pub authentication: Option<Authentication>,
}

/// All that is known of one row, shown on click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityDetail {
    /// The row.
    pub row: ActivityRow,
    /// What was read of the content; none on a refusal.
    pub facts: Option<ContentFacts>,
    /// How urgent the message is; none on a refusal.
    pub priority: Option<Priority>,
    /// The session it came from; none on mail the relay wrote itself.
    pub session: Option<SessionFacts>,
    /// Its events, oldest first.
    pub events: Vec<ActivityEvent>,
}

/// Which rows are asked for. All empty: the newest of the last 30 days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivityFilter {
    /// Of this account alone.
    pub account: Option<Id<Account>>,
    /// Of this sending domain alone.
    pub domain: Option<Id<SendingDomain>>,
    /// Of this SMTP user alone.
    pub user: Option<Id<SmtpUser>>,
    /// Recipient: an address, its beginning, or `@domain`.
    pub recipient: Option<String>,
    /// Sender: likewise.
    pub sender: Option<String>,
    /// Words of the subject, or their beginnings: all of them, in any order, whatever the case.
    pub subject: Option<String>,
    /// In this status.
    pub status: Option<Status>,
    /// Of this class of failure.
    pub class: Option<Class>,
    /// Of this message.
    pub message: Option<MessageId>,
    /// Begun at or after.
    pub since: Option<Timestamp>,
    /// Begun before.
    pub until: Option<Timestamp>,
    /// At most so many rows; 0 means 100.
    pub limit: u32,
    /// Older than this row, for paging.
    pub before_row: Option<u64>,
}

/// One row of Connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionRow {
    /// Its number.
    pub row: u64,
    /// When it was last seen.
    pub updated_at: Timestamp,
    /// What happened, first time, with the count of all.
    pub notice: Notice,
}

/// What was counted of one account, domain and SMTP user on one day: recipients by what became of them.
///
/// A recipient counts on the day that it was accepted, also with what happens to it later: the difference of
/// `accepted` to the sum of the others is still under way. What was refused or suppressed is not counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyCount {
    /// The day, in the account's time zone at acceptance.
    pub day: Day,
    /// Whose.
    pub account: Id<Account>,
    /// The sending domain; none on mail the relay wrote itself.
    pub domain: Option<Id<SendingDomain>>,
    /// The SMTP user; none on mail the relay wrote itself.
    pub user: Option<Id<SmtpUser>>,
    /// Recipients accepted.
    pub accepted: u64,
    /// Of these, delivered.
    pub delivered: u64,
    /// Of these, ended as soft bounces.
    pub soft_bounced: u64,
    /// Of these, ended as hard bounces.
    pub hard_bounced: u64,
    /// Of those delivered, complained about.
    pub complained: u64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deferred_for_long_counts_as_delayed() {
        let row = |status: &str| -> ActivityRow {
            serde_json::from_value(serde_json::json!({
                "row": 1, "at": 10_000, "updated_at": 11_000, "status": status, "recipient": "a@example.org", "sender": "",
                "subject": "", "message": null, "account": 1, "user": null, "domain": null, "session": null, "class": null,
                "reason": "", "reply": "", "reference": "", "attempts": 3, "count": 1, "sandbox": false, "held": null,
                "last_attempt": null,
            }))
            .unwrap()
        };
        let hour = Duration::from_secs(3_600);
        let is_delayed = |status, now| row(status).is_delayed(Timestamp(now), hour);
        assert_eq!([3_609_999, 3_610_000].map(|now| is_delayed("deferred", now)), [false, true]);
        assert!(!is_delayed("delivered", 9_000_000) && !is_delayed("pending", 9_000_000));
        assert!(!is_delayed("deferred", 0), "a clock that went back");
    }
}
