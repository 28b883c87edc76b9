//! What the command line shows, field by field: the names here are those of `--json`, and stay.

#[macro_use]
mod views;

mod account;
mod activity;
mod dmarc;
mod domain;
mod from;
mod health;
mod inbox;
mod member;
mod relay;
mod submission;
mod suppression;
mod webhook;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::credential::SecretText;
pub use account::{AccountView, ContactView, ContactsView, ErasureView, PlanChangeView, PlanRequestView, PlanView};
pub use activity::{
    ActivityChangesView, ActivityDetailView, ActivityView, AttemptView, AuthenticationView, EventView, TriedHostView,
};
pub use dmarc::{DmarcDayView, DmarcReportView, DmarcReportedView, DmarcReporterView, DmarcSourceView, DmarcTallyView};
pub use domain::{DmarcView, DnsRecordView, KeyView, RotationView, SpfView, ZoneView};
pub use from::{Sent, word};
pub use health::{DomainHealthView, HealthFindingView};
pub use inbox::{
    BODY_OCTETS_MAX, CapturedDetailView, CapturedView, HeaderView, LinkView, PartView, SignatureView, SourceView,
};
pub use member::{MemberLinkView, MemberView, SignInView};
pub use relay::{
    BackupFailureView, BackupsView, BlockedSourceView, BlockingSiteView, BrakeView, CertificateView, CheckView,
    KeptBackupView, PoolMemberView, QueuePartView, RepairStepView, RepairView, SendingSourceView, SiteView,
    TlsReportView, TlsSessionsView, UnknownReplyView, WarmUpProviderView, WarmUpView,
};
pub use submission::{RefusedRecipientView, ReplyView, SubmissionView};
pub use suppression::{SuppressionView, SuppressionsImportedView, UntakenLineView};
pub use webhook::{WebhookCallView, WebhookSecretView, WebhookView};

/// One kind of object that `--json` prints, for the reference page.
#[derive(Clone, Copy, Debug)]
pub struct ViewPage {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Each field: name, type, meaning.
    pub fields: &'static [(&'static str, &'static str, &'static str)],
}

views! {
    /// A backup.
    BackupView {
        /// Its folder.
        folder: String,
        /// The version of the relay that made it.
        version: String,
        /// When it was begun: everything acknowledged before is in it.
        begun_at: String,
        /// The moment that it shows.
        moment: String,
        /// Messages that waited at that moment.
        messages: u64,
        /// Their recipients that were not settled.
        recipients: u64,
        /// Octets of all its files.
        octets: u64,
        /// Whether the master key is in it.
        master_key: bool,
    }
    /// A backup that was restored.
    RestoreView {
        /// The data folder.
        folder: String,
        /// The backup.
        backup: BackupView,
        /// Messages that were put on hold.
        held: u64,
        /// Whether the right master key is in place.
        master_key: bool,
        /// SMTP users whose passwords cannot be checked without the missing master key.
        smtp_users_without_key: u64,
        /// DKIM keys that cannot sign without it.
        dkim_keys_without_key: u64,
    }
    /// A sending domain.
    DomainView {
        /// Its number.
        id: u64,
        /// The name, in A-labels.
        name: String,
        /// The number of its account.
        account: u64,
        /// `pending`, `validated`, `warning`, `failed` or `vouched`.
        state: String,
        /// Whether failed deliveries are told to the reverse-path.
        bounce_mails: bool,
        /// Its DKIM keys.
        keys: Vec<KeyView>,
        /// Where the keys of each algorithm stand that follow one another by themselves; empty in the list of domains.
        rotations: Vec<RotationView>,
        /// The records to publish, with what DNS has of each; empty in the list of domains.
        records: Vec<DnsRecordView>,
        /// Whether its return-path host lets the relay send with it; none: not asked yet.
        spf: Option<SpfView>,
        /// Its DMARC policy; none: not asked yet.
        dmarc: Option<DmarcView>,
        /// The address where the relay takes DMARC reports on it; none: it takes none.
        dmarc_address: Option<String>,
        /// Whether the policy that was last seen has reports sent there; none: there is no such address.
        dmarc_reported: Option<bool>,
        /// When DNS was last asked.
        checked_at: Option<String>,
        /// What is not as it should be: what was found and expected of which record, or that another account holds the name; empty where all is well.
        reason: String,
        /// Since when a record is missing that was there before.
        lost_at: Option<String>,
        /// When mail from it is refused, where that record does not come back.
        fails_at: Option<String>,
        /// When it was added.
        created_at: String,
    }
    /// An SMTP user.
    SmtpUserView {
        /// Its number.
        id: u64,
        /// What people call it.
        name: String,
        /// What it logs in with.
        username: String,
        /// The name of its domain.
        domain: String,
        /// The number of its account.
        account: u64,
        /// Whether it may log in.
        enabled: bool,
        /// How many passwords work: 1, or 2 during a rotation.
        passwords: u64,
        /// When each of them was last used, the older first; none: not since this is noted.
        passwords_used_at: Vec<Option<String>>,
        /// When its logins end.
        expires_at: Option<String>,
        /// Networks it may log in from; empty: any.
        networks: Vec<String>,
        /// After one refused recipient the whole message is refused.
        all_or_nothing: bool,
        /// Mail is captured, not sent.
        sandbox: bool,
        /// Seconds to retry, where it says so.
        retry_seconds: Option<u64>,
        /// Addresses that may send; empty: any of the domain.
        senders: Vec<String>,
        /// Domains that it may send to; empty: any.
        recipient_domains: Vec<String>,
        /// A suppressed recipient is refused instead of taken and rejected.
        refuse_suppressed: bool,
        /// How urgent its mail is: `high`, `normal` or `low`. Of the account's mail the more urgent goes first.
        priority: String,
        /// Each message goes to one recipient, and tells them where to unsubscribe with one click.
        one_click_unsubscribe: bool,
        /// Seconds in which the same message once more is not sent again, whatever followed the first; none: only where nothing
        /// followed, for an hour unless the operator says otherwise.
        repeat_seconds: Option<u64>,
        /// The last successful login, of the last 30 days.
        last_login_at: Option<String>,
        /// Where that came from.
        last_login_from: Option<String>,
        /// Recipients accepted from it today, in the account's time zone.
        sent_today: u64,
        /// Recipients accepted from it in the last 30 days, today included, in the account's time zone.
        sent_30_days: u64,
        /// When it was made.
        created_at: String,
    }
    /// The settings of an SMTP user with its new password, shown once.
    CredentialView {
        /// The number of the SMTP user.
        id: u64,
        /// What people call it.
        name: String,
        /// The name of its domain.
        domain: String,
        /// What it logs in with.
        username: String,
        /// The password; it is kept nowhere and never shown again.
        #[schema(value_type = String)]
        password: SecretText,
        /// The server to connect to.
        server: String,
        /// The ports to connect to.
        ports: PortsView,
    }
    /// The submission ports.
    PortsView {
        /// Those where STARTTLS comes first (587).
        starttls: Vec<u16>,
        /// Those with TLS from the first octet (465).
        tls: Vec<u16>,
    }
    /// What was sent in a period, and what became of it.
    StatisticsView {
        /// The time zone whose days they are; none where several accounts are counted, each by the days of its own.
        time_zone: Option<String>,
        /// The first day.
        since: String,
        /// The last day.
        until: String,
        /// In all.
        total: TallyView,
        /// In the period of equal length before.
        before: TallyView,
        /// Each day, those without mail too.
        days: Vec<DayTallyView>,
        /// Each sending domain that had mail; of one account, those that had none too.
        domains: Vec<DomainTallyView>,
        /// Each SMTP user, likewise.
        users: Vec<UserTallyView>,
    }
    /// Recipients by what became of them. A recipient counts on the day that it was accepted.
    TallyView {
        /// Accepted.
        recipients: u64,
        /// Of these, delivered.
        delivered: u64,
        /// Of these, ended as soft bounces.
        soft_bounces: u64,
        /// Of these, ended as hard bounces.
        hard_bounces: u64,
        /// Of those delivered, complained about.
        complaints: u64,
        /// Of these, still under way.
        pending: u64,
        /// What part of those whose fate is known was delivered, 0 to 1; none where none is known.
        delivery_rate: Option<f64>,
        /// What part ended as soft bounces.
        soft_bounce_rate: Option<f64>,
        /// What part ended as hard bounces.
        hard_bounce_rate: Option<f64>,
    }
    /// One day of a period.
    DayTallyView {
        /// The day.
        day: String,
        /// What was sent.
        tally: TallyView,
    }
    /// One sending domain in a period.
    DomainTallyView {
        /// Its number.
        id: u64,
        /// Its name; none where it is gone.
        name: Option<String>,
        /// `pending`, `validated`, `warning`, `failed` or `vouched`; none where it is gone.
        state: Option<String>,
        /// What was sent from it.
        tally: TallyView,
    }
    /// One SMTP user in a period.
    UserTallyView {
        /// Its number.
        id: u64,
        /// What people call it; none where it is gone.
        name: Option<String>,
        /// What it sent.
        tally: TallyView,
    }
    /// One row of Connections: a login, limit, block or TLS that failed.
    ConnectionView {
        /// The number of the row.
        row: u64,
        /// When it was first seen.
        at: String,
        /// When it was last seen.
        updated_at: String,
        /// How often.
        count: u64,
        /// The number of the account, where it can be told.
        account: Option<u64>,
        /// The number of the SMTP user, where known.
        user: Option<u64>,
        /// The username as sent.
        username: String,
        /// The client's address.
        remote: String,
        /// `TLS 1.3`, … or `none`.
        tls: String,
        /// The stable name of our reply.
        reference: String,
        /// Our reply.
        reply: String,
        /// The true reason.
        reason: String,
        /// The session's id.
        session: String,
    }
    /// A message in the queue.
    QueueView {
        /// Its id.
        message: String,
        /// The number of the account.
        account: u64,
        /// The number of the domain.
        domain: Option<u64>,
        /// When it was accepted.
        accepted_at: String,
        /// How urgent it is: `high`, `normal` or `low`.
        priority: String,
        /// Its recipients that are not settled.
        recipients: Vec<QueueRecipientView>,
    }
    /// A recipient in the queue.
    QueueRecipientView {
        /// Its number in the message.
        number: u64,
        /// Its address, or in a list its domain.
        recipient: String,
        /// `waiting`, `held` or `settled`.
        state: String,
        /// When it is tried next.
        due_at: Option<String>,
        /// Attempts made.
        attempts: Option<u64>,
        /// Why it is held.
        held: Option<String>,
    }
    /// A message in the queue, whole.
    MessageView {
        /// Its id.
        message: String,
        /// The number of the account.
        account: u64,
        /// The number of the SMTP user.
        user: Option<u64>,
        /// The number of the domain.
        domain: Option<u64>,
        /// Where failures are told; empty: nowhere.
        reverse_path: String,
        /// The Subject.
        subject: String,
        /// Message-ID, angle brackets included.
        message_id: String,
        /// Octets of the admitted content.
        octets: u64,
        /// SHA-256 of the admitted content.
        sha256: String,
        /// When it was accepted.
        accepted_at: String,
        /// Its priority, from -9 to 9: above 0 it is urgent, below 0 it can wait (RFC 6710).
        priority: i8,
        /// The session's id.
        session: Option<String>,
        /// The client's address.
        remote: Option<String>,
        /// Every recipient.
        recipients: Vec<QueueRecipientView>,
    }
    /// A block of an address.
    BlockView {
        /// The address, or the first of its /64.
        address: String,
        /// Why.
        cause: String,
        /// When it began.
        since: String,
        /// When it ends.
        until: String,
        /// The accounts at whose users its failures were aimed; 0 where at a name that nobody has.
        accounts: Vec<u64>,
        /// Whether who asks may lift it.
        liftable: bool,
    }
    /// An API key.
    ApiKeyView {
        /// Its number.
        id: u64,
        /// The number of its account; none: the operator's.
        account: Option<u64>,
        /// What people call it.
        name: String,
        /// What it may do in its account: `activity`, `domains`, `plan`, `administration`, `submit`.
        powers: Vec<String>,
        /// It only looks.
        read_only: bool,
        /// When it was made.
        created_at: String,
        /// From when on it works no more.
        expires_at: Option<String>,
        /// When it was last used.
        last_used_at: Option<String>,
    }
    /// A new API key with its secret, shown once.
    ApiKeySecretView {
        /// The key.
        key: ApiKeyView,
        /// Its secret, to be sent as `Authorization: Bearer`; it is kept nowhere and never shown again.
        #[schema(value_type = String)]
        secret: SecretText,
    }
    /// One line of the audit log.
    AuditView {
        /// Its number in the log.
        line: u64,
        /// When.
        at: String,
        /// Who.
        actor: String,
        /// From where.
        from: String,
        /// What.
        action: String,
        /// On what, and what changed of it, in English.
        subject: String,
        /// What it is about, as it was then; lines of earlier versions have the sentence alone.
        about: Option<AuditAboutView>,
        /// What changed, or how it was made.
        changes: Vec<AuditChangeView>,
        /// In whose account.
        account: Option<u64>,
    }
    /// What a line of the audit log is about.
    AuditAboutView {
        /// What it is: `account`, `smtp_user`, …
        kind: String,
        /// Its number or other identifier, where it has one.
        id: Option<String>,
        /// What it was called then, where it has a name.
        name: Option<String>,
        /// Its name in French, where that is another.
        french: Option<String>,
    }
    /// Something that changed.
    AuditChangeView {
        /// What: `role`, `networks`, …
        field: String,
        /// What it was, several values of a list, none where nothing was set; null where it was made, or counted.
        from: Option<Vec<String>>,
        /// What it is from then on. Moments are RFC 3339; a wording is there in English, then in French; of a long list there is
        /// the beginning, and `…`.
        to: Vec<String>,
    }
    /// What was done, where there is nothing left to show.
    DoneView {
        /// In words.
        done: String,
    }
}

/// Every view, in the order of the page.
pub fn pages() -> impl Iterator<Item = &'static ViewPage> {
    PAGES
        .iter()
        .chain(activity::PAGES)
        .chain(domain::PAGES)
        .chain(dmarc::PAGES)
        .chain(health::PAGES)
        .chain(account::PAGES)
        .chain(member::PAGES)
        .chain(webhook::PAGES)
        .chain(relay::PAGES)
        .chain(submission::PAGES)
        .chain(inbox::PAGES)
        .chain(suppression::PAGES)
}
