//! What the command line shows, field by field: the names here are those of `--json`, and stay.

use relay::account::Account;
use relay::activity::{ActivityDetail, ActivityEvent, ActivityRow, ConnectionRow};
use relay::queue::{Attempt, RecipientState};
use relay::sending_domain::SendingDomain;
use relay::smtp_user::SmtpUser;
use relay::store::{AuditEntry, Block, Claimed, Login, QueueEntry};
use serde::{Deserialize, Serialize};

use crate::moment;

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

macro_rules! views {
    ($(#[doc = $about:literal] $name:ident { $(#[doc = $help:literal] $field:ident: $kind:ty,)+ })+) => {
        $(
            #[doc = $about]
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            pub struct $name {
                $(#[doc = $help] pub $field: $kind,)+
            }
        )+

        /// Every view, in the order of the page.
        pub const PAGES: &[ViewPage] = &[$(ViewPage {
            name: stringify!($name),
            about: $about,
            fields: &[$((stringify!($field), stringify!($kind), $help)),+],
        }),+];
    };
}

views! {
    /// An account.
    AccountView {
        /// Its number.
        id: u64,
        /// What people call it.
        name: String,
        /// `active` or `suspended`.
        state: String,
        /// When it was made.
        created_at: String,
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
        /// Its DKIM keys with the records to publish.
        keys: Vec<KeyView>,
        /// When it was added.
        created_at: String,
    }
    /// A DKIM key of a domain.
    KeyView {
        /// The selector.
        selector: String,
        /// `rsa2048` or `ed25519`.
        algorithm: String,
        /// The name of the TXT record to publish.
        name: String,
        /// Its value.
        record: String,
        /// Whether it signs (once seen in DNS).
        active: bool,
        /// When its record was first seen in DNS.
        seen_at: Option<String>,
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
        /// The last successful login, of the last 30 days.
        last_login_at: Option<String>,
        /// Where that came from.
        last_login_from: Option<String>,
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
        password: String,
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
    /// An address that an account does not send to.
    SuppressionView {
        /// The number of the account.
        account: u64,
        /// The address, lower case.
        address: String,
    }
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
        /// Why, in plain words; empty where all is well.
        reason: String,
        /// The other server's own words, or on a rejected row our reply.
        reply: String,
        /// The stable name of our reply on a rejected row.
        reference: String,
        /// Attempts made.
        attempts: u64,
        /// How many alike a rejected row stands for.
        count: u64,
        /// Captured, not sent.
        sandbox: bool,
        /// Why it is held, where it is: `operator`, `account_suspended` or `domain_invalid`.
        held: Option<String>,
        /// The last attempt.
        last_attempt: Option<AttemptView>,
    }
    /// An attempt to deliver.
    AttemptView {
        /// When it began.
        at: String,
        /// How long it took.
        milliseconds: u64,
        /// The next hop's name.
        host: String,
        /// Its address and port, where it was dialled.
        remote: Option<String>,
        /// `TLS 1.3`, … or `none`.
        tls: String,
    }
    /// Everything about one row of Activity.
    ActivityDetailView {
        /// The row.
        row: ActivityView,
        /// Every event, oldest first.
        events: Vec<EventView>,
        /// Octets of the admitted content.
        octets: Option<u64>,
        /// SHA-256 of the admitted content.
        sha256: Option<String>,
        /// Message-ID, angle brackets included.
        message_id: Option<String>,
        /// The client's address.
        remote: Option<String>,
        /// The client's EHLO name.
        client_name: Option<String>,
        /// The session's TLS version.
        tls: Option<String>,
    }
    /// One event of a recipient.
    EventView {
        /// When.
        at: String,
        /// The status from then on.
        status: String,
        /// Why, in plain words.
        reason: String,
        /// The other server's own words.
        reply: String,
        /// When it is tried again.
        until: Option<String>,
        /// The attempt that it came from.
        attempt: Option<AttemptView>,
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
        /// The accounts at whose users its failures were aimed.
        accounts: Vec<u64>,
    }
    /// One line of the audit log.
    AuditView {
        /// When.
        at: String,
        /// Who.
        actor: String,
        /// From where.
        from: String,
        /// What.
        action: String,
        /// On what.
        subject: String,
        /// In whose account.
        account: Option<u64>,
    }
    /// One finding of `doctor`.
    CheckView {
        /// What was looked at.
        check: String,
        /// `ok`, `warn` or `fail`.
        result: String,
        /// What was found.
        found: String,
        /// What to do.
        remedy: String,
    }
    /// What was done, where there is nothing left to show.
    DoneView {
        /// In words.
        done: String,
    }
}

/// The stable word of an enum's value.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => other.map(|value| value.to_string()).unwrap_or_default(),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        AccountView {
            id: account.id.number(),
            name: account.name.clone(),
            state: word(&account.state),
            created_at: moment::text(account.created_at),
        }
    }
}

impl From<&SendingDomain> for DomainView {
    fn from(domain: &SendingDomain) -> Self {
        let key = |key: &relay::sending_domain::DkimKey| KeyView {
            selector: key.selector.clone(),
            algorithm: word(&key.algorithm),
            name: format!("{}._domainkey.{}", key.selector, domain.name),
            record: key.record.clone(),
            active: key.active,
            seen_at: key.seen_at.map(moment::text),
        };
        DomainView {
            id: domain.id.number(),
            name: domain.name.clone(),
            account: domain.account.number(),
            state: word(&domain.state),
            bounce_mails: domain.bounce_mails,
            keys: domain.keys.iter().map(key).collect(),
            created_at: moment::text(domain.created_at),
        }
    }
}

impl SmtpUserView {
    /// The user with the name of its domain and its last login.
    pub fn new(user: &SmtpUser, domain: &str, login: Option<&Login>) -> Self {
        let rules = &user.rules;
        SmtpUserView {
            id: user.id.number(),
            name: user.name.clone(),
            username: user.username.clone(),
            domain: domain.to_owned(),
            account: user.account.number(),
            enabled: user.enabled,
            passwords: user.passwords.len() as u64,
            expires_at: rules.expires_at.map(moment::text),
            networks: rules.networks.iter().map(ToString::to_string).collect(),
            all_or_nothing: rules.all_or_nothing,
            sandbox: rules.sandbox,
            retry_seconds: rules.retry_seconds,
            senders: rules.senders.clone(),
            recipient_domains: rules.recipient_domains.clone(),
            refuse_suppressed: rules.refuse_suppressed,
            last_login_at: login.map(|login| moment::text(login.at)),
            last_login_from: login.map(|login| login.address.to_string()),
            created_at: moment::text(user.created_at),
        }
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        AttemptView {
            at: moment::text(attempt.at),
            milliseconds: attempt.milliseconds,
            host: attempt.host.clone(),
            remote: attempt.remote.map(|remote| remote.to_string()),
            tls: attempt.tls.clone(),
        }
    }
}

impl From<&ActivityRow> for ActivityView {
    fn from(row: &ActivityRow) -> Self {
        ActivityView {
            row: row.row,
            at: moment::text(row.at),
            updated_at: moment::text(row.updated_at),
            status: word(&row.status),
            recipient: row.recipient.clone(),
            sender: row.sender.clone(),
            subject: row.subject.clone(),
            message: row.message.map(|message| message.to_string()),
            account: row.account.number(),
            user: row.user.map(|user| user.number()),
            domain: row.domain.map(|domain| domain.number()),
            session: row.session.map(|session| session.to_string()),
            reason: row.reason.clone(),
            reply: row.reply.clone(),
            reference: row.reference.clone(),
            attempts: u64::from(row.attempts),
            count: u64::from(row.count),
            sandbox: row.sandbox,
            held: row.held.as_ref().map(word),
            last_attempt: row.last_attempt.as_ref().map(AttemptView::from),
        }
    }
}

impl From<&ActivityEvent> for EventView {
    fn from(event: &ActivityEvent) -> Self {
        EventView {
            at: moment::text(event.at),
            status: word(&event.status),
            reason: event.reason.clone(),
            reply: event.reply.clone(),
            until: event.until.map(moment::text),
            attempt: event.attempt.as_ref().map(AttemptView::from),
        }
    }
}

impl From<&ActivityDetail> for ActivityDetailView {
    fn from(detail: &ActivityDetail) -> Self {
        let (facts, session) = (detail.facts.as_ref(), detail.session.as_ref());
        ActivityDetailView {
            row: ActivityView::from(&detail.row),
            events: detail.events.iter().map(EventView::from).collect(),
            octets: facts.map(|facts| facts.octets),
            sha256: facts.map(|facts| hex(&facts.sha256)),
            message_id: facts.map(|facts| facts.message_id.clone()),
            remote: session.map(|session| session.remote.to_string()),
            client_name: session.map(|session| session.client_name.clone()),
            tls: session.map(|session| session.tls.clone()),
        }
    }
}

impl From<&ConnectionRow> for ConnectionView {
    fn from(row: &ConnectionRow) -> Self {
        let notice = &row.notice;
        ConnectionView {
            row: row.row,
            at: moment::text(notice.at),
            updated_at: moment::text(row.updated_at),
            count: u64::from(notice.count),
            account: notice.account.map(|account| account.number()),
            user: notice.user.map(|user| user.number()),
            username: notice.username.clone(),
            remote: notice.remote.to_string(),
            tls: notice.tls.clone(),
            reference: notice.reference.clone(),
            reply: notice.reply.clone(),
            reason: notice.reason.clone(),
            session: notice.session.to_string(),
        }
    }
}

impl QueueRecipientView {
    fn new(number: usize, recipient: String, state: &RecipientState) -> Self {
        let (word_of, due, attempts, held) = match state {
            RecipientState::Waiting { due, attempts } => ("waiting", Some(*due), Some(*attempts), None),
            RecipientState::Held { reason, attempts } => ("held", None, Some(*attempts), Some(word(reason))),
            RecipientState::Settled => ("settled", None, None, None),
        };
        QueueRecipientView {
            number: number as u64,
            recipient,
            state: word_of.to_owned(),
            due_at: due.map(moment::text),
            attempts: attempts.map(u64::from),
            held,
        }
    }
}

impl From<&QueueEntry> for QueueView {
    fn from(entry: &QueueEntry) -> Self {
        let recipients = entry
            .recipients
            .iter()
            .map(|(number, domain, state)| QueueRecipientView::new(usize::from(*number), format!("@{domain}"), state));
        QueueView {
            message: entry.message.to_string(),
            account: entry.account.number(),
            domain: entry.domain.map(|domain| domain.number()),
            accepted_at: moment::text(entry.accepted_at),
            recipients: recipients.collect(),
        }
    }
}

impl From<&Claimed> for MessageView {
    fn from(claimed: &Claimed) -> Self {
        let envelope = &claimed.envelope;
        let session = envelope.session.as_ref();
        let recipients = envelope.recipients.iter().zip(&claimed.recipients).enumerate();
        MessageView {
            message: envelope.message.to_string(),
            account: envelope.account.number(),
            user: envelope.user.map(|user| user.number()),
            domain: envelope.domain.map(|domain| domain.number()),
            reverse_path: envelope.reverse_path.to_string(),
            subject: envelope.facts.subject.clone(),
            message_id: envelope.facts.message_id.clone(),
            octets: envelope.facts.octets,
            sha256: hex(&envelope.facts.sha256),
            accepted_at: moment::text(envelope.accepted_at),
            session: session.map(|session| session.session.to_string()),
            remote: session.map(|session| session.remote.to_string()),
            recipients: recipients
                .map(|(number, (address, state))| QueueRecipientView::new(number, address.to_string(), state))
                .collect(),
        }
    }
}

impl From<&Block> for BlockView {
    fn from(block: &Block) -> Self {
        BlockView {
            address: block.address.to_string(),
            cause: block.cause.clone(),
            since: moment::text(block.since),
            until: moment::text(block.until),
            accounts: block.accounts.iter().map(|account| account.number()).collect(),
        }
    }
}

impl From<&AuditEntry> for AuditView {
    fn from(entry: &AuditEntry) -> Self {
        AuditView {
            at: moment::text(entry.at),
            actor: entry.actor.name.clone(),
            from: entry.actor.from.clone(),
            action: entry.action.clone(),
            subject: entry.subject.clone(),
            account: entry.account.map(|account| account.number()),
        }
    }
}
