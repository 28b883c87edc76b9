//! What became of each recipient, as it is shown: rows of Activity, their events, attempts, and reports.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ViewPage;

views! {
    /// One recipient in Activity.
    ActivityView {
        /// The number of the row.
        row: u64,
        /// When the row began.
        at: String,
        /// When its status last changed.
        updated_at: String,
        /// `rejected`, `accepted`, `pending`, `delivered`, `deferred`, `soft_bounce` or `hard_bounce`.
        status: String,
        /// The recipient.
        recipient: String,
        /// The reverse-path, or From where that is null.
        sender: String,
        /// The Subject.
        subject: String,
        /// The message's id; none on a rejected row.
        message: Option<String>,
        /// The number of the account.
        account: u64,
        /// The number of the SMTP user.
        user: Option<u64>,
        /// The number of the domain.
        domain: Option<u64>,
        /// The session's id.
        session: Option<String>,
        /// Of which class the failure is, such as `mailbox_full` (docs/reference/bounces.md); none where no server caused it.
        class: Option<String>,
        /// Why, in plain words; empty where all is well.
        reason: String,
        /// The other server's own words, or on a rejected row our reply.
        reply: String,
        /// The stable name of our reply on a rejected row.
        reference: String,
        /// Attempts made; what waited instead is counted as well.
        attempts: u64,
        /// How many alike a rejected row stands for.
        count: u64,
        /// Captured, not sent.
        sandbox: bool,
        /// Why it is held, where it is: `operator`, `account_suspended`, `domain_invalid`, `damaged` or `brake`.
        held: Option<String>,
        /// Whether it is deferred and waits for so long that the message counts as delayed: four hours after its acceptance, unless the operator says otherwise (`delayed_seconds`). Absent in calls to webhooks, which tell what was when it happened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delayed: Option<bool>,
        /// The last attempt.
        last_attempt: Option<AttemptView>,
    }
    /// What has changed in Activity since a cursor was given.
    ActivityChangesView {
        /// The rows that are new or have changed, in the order of their changes.
        rows: Vec<ActivityView>,
        /// The cursor to ask with next: letters and digits that mean nothing elsewhere.
        cursor: String,
    }
    /// An attempt to deliver.
    AttemptView {
        /// When it began.
        at: String,
        /// How long it took.
        milliseconds: u64,
        /// The next hop's name; empty where no server was asked, because there was none or the mail waits for one that was asked about other mail.
        host: String,
        /// Its address and port, where it was dialled.
        remote: Option<String>,
        /// How it was encrypted: `TLS 1.3, DANE`, `TLS 1.3, MTA-STS`, `TLS 1.3`, …, or `none`, with what there is to say behind it.
        tls: String,
        /// The source that it was made from, with its address where that is known; none where the relay has but one.
        source: Option<String>,
        /// The other servers that were tried in it, in their order: the first ones (`tried_hosts_max`).
        #[serde(default)]
        others: Vec<TriedHostView>,
    }
    /// A server that an attempt tried, and that did not take the mail.
    TriedHostView {
        /// Its name.
        host: String,
        /// Its address and port, where it was dialled.
        remote: Option<String>,
        /// Of which class the failure is; none where it replied.
        class: Option<String>,
        /// Its reply, or why there was none; cut where it is long.
        said: String,
    }
    /// Everything about one row of Activity.
    ActivityDetailView {
        /// The row.
        row: ActivityView,
        /// Every event, oldest first.
        events: Vec<EventView>,
        /// Octets of the admitted content.
        octets: Option<u64>,
        /// SHA-256 of the content as submitted (as admitted, that is: with Received in front).
        sha256: Option<String>,
        /// SHA-256 of the content as delivered, below the signature that was put in front: the same, or it would not have been handed over. None where it was not delivered.
        delivered_sha256: Option<String>,
        /// Message-ID, angle brackets included.
        message_id: Option<String>,
        /// The message's priority, from -9 to 9: above 0 it is urgent, below 0 it can wait (RFC 6710).
        priority: Option<i8>,
        /// The client's address.
        remote: Option<String>,
        /// The client's EHLO name; over HTTP who asked.
        client_name: Option<String>,
        /// The session's TLS version; `HTTP` where the message was handed in over HTTP.
        tls: Option<String>,
        /// How long the submission of the message took, milliseconds: from MAIL until all of it had come and it was handed to the disk; over HTTP from when the request was there. None where that is not known.
        submission_milliseconds: Option<u64>,
        /// What people call the SMTP user; none where it is gone.
        user_name: Option<String>,
    }
    /// One event of a recipient.
    EventView {
        /// When.
        at: String,
        /// The status from then on.
        status: String,
        /// Of which class the failure is; none where no server caused it.
        class: Option<String>,
        /// Why, in plain words.
        reason: String,
        /// The other server's own words.
        reply: String,
        /// When it is tried again.
        until: Option<String>,
        /// The attempt that it came from.
        attempt: Option<AttemptView>,
        /// Who vouches for the report that it came from; none: it came from none, or from one that was not checked.
        authentication: Option<AuthenticationView>,
    }
    /// What SPF and DKIM say of a report that came in: `none`, `pass`, `fail`, `softfail`, `neutral`, `temperror` (DNS could not say) or `permerror` (RFC 8601).
    AuthenticationView {
        /// What SPF says of the address that it came from.
        spf: String,
        /// The domain that this is about: that of MAIL FROM, or where that was empty the name of EHLO; none: it is not one.
        spf_domain: Option<String>,
        /// What its signature is worth: of several that which says most.
        dkim: String,
        /// The domain that signed; none: there is no signature.
        dkim_domain: Option<String>,
        /// The domain that vouches for the report; none: nobody does.
        vouched_by: Option<String>,
        /// Whether the domain that it was sent for says that it is none of its own (SPF `fail`, and no right signature).
        disowned: bool,
    }
}
