//! What can be asked of a relay, running or not, and what it answers: the language of the control socket.

use relay::activity::ActivityFilter;
use relay::id::MessageId;
use relay::sending_domain::KeyAlgorithm;
use relay::service::RulesChange;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

use crate::view::{
    AccountView, ActivityDetailView, ActivityView, AuditView, BlockView, ConnectionView, CredentialView, DomainView,
    DoneView, MessageView, QueueView, SmtpUserView, SuppressionView,
};

/// One thing asked for. Domains are named by number or name, SMTP users by number or username.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the command line's, which documents each")]
pub enum Operation {
    AccountAdd { name: String },
    AccountList,
    AccountShow { account: u64 },
    AccountSuspend { account: u64 },
    AccountResume { account: u64 },
    DomainAdd { account: u64, name: String },
    DomainList { account: Option<u64> },
    DomainShow { domain: String },
    DomainVouch { domain: String, vouched: bool },
    DomainRotate { domain: String, algorithm: Option<KeyAlgorithm>, force: bool },
    DomainBounceMails { domain: String, on: bool },
    DomainDelete { domain: String },
    SmtpUserAdd { domain: String, name: String, rules: RulesChange },
    SmtpUserList { account: Option<u64>, domain: Option<String> },
    SmtpUserShow { user: String },
    SmtpUserRename { user: String, name: String },
    SmtpUserReset { user: String },
    SmtpUserAddPassword { user: String },
    SmtpUserDropPassword { user: String },
    SmtpUserEnable { user: String },
    SmtpUserDisable { user: String },
    SmtpUserSet { user: String, rules: RulesChange },
    SmtpUserDelete { user: String },
    SuppressionAdd { account: u64, address: String, reason: String },
    SuppressionList { account: Option<u64> },
    SuppressionRemove { account: u64, address: String },
    Activity { filter: ActivityFilter },
    ActivityShow { row: u64 },
    ActivityFollow { filter: ActivityFilter, backlog: u32 },
    Connections { account: Option<u64>, limit: u32 },
    QueueList { account: Option<u64>, after: Option<MessageId>, limit: u32 },
    QueueShow { message: MessageId },
    QueueRetry { message: MessageId },
    QueueHold { message: MessageId },
    QueueRelease { message: MessageId },
    QueueCancel { message: MessageId },
    Blocks,
    BlockLift { address: IpAddr },
    Audit { account: Option<u64>, limit: u32 },
    Health,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the view of its name")]
#[expect(clippy::large_enum_variant, reason = "one lives at a time, for as long as it takes to print it")]
pub enum Answer {
    Account(AccountView),
    Accounts(Vec<AccountView>),
    Domain(DomainView),
    Domains(Vec<DomainView>),
    SmtpUser(SmtpUserView),
    SmtpUsers(Vec<SmtpUserView>),
    Credential(CredentialView),
    Suppressions(Vec<SuppressionView>),
    Activity(Vec<ActivityView>),
    ActivityDetail(ActivityDetailView),
    Connections(Vec<ConnectionView>),
    Queue(Vec<QueueView>),
    Message(MessageView),
    Blocks(Vec<BlockView>),
    Audit(Vec<AuditView>),
    Health(Health),
    Done(DoneView),
}

impl Answer {
    /// The view alone, as JSON for people and programs. (The wire says its kind, too.)
    pub fn json(&self) -> String {
        let text = match self {
            Answer::Account(view) => serde_json::to_string_pretty(view),
            Answer::Accounts(view) => serde_json::to_string_pretty(view),
            Answer::Domain(view) => serde_json::to_string_pretty(view),
            Answer::Domains(view) => serde_json::to_string_pretty(view),
            Answer::SmtpUser(view) => serde_json::to_string_pretty(view),
            Answer::SmtpUsers(view) => serde_json::to_string_pretty(view),
            Answer::Credential(view) => serde_json::to_string_pretty(view),
            Answer::Suppressions(view) => serde_json::to_string_pretty(view),
            Answer::Activity(view) => serde_json::to_string_pretty(view),
            Answer::ActivityDetail(view) => serde_json::to_string_pretty(view),
            Answer::Connections(view) => serde_json::to_string_pretty(view),
            Answer::Queue(view) => serde_json::to_string_pretty(view),
            Answer::Message(view) => serde_json::to_string_pretty(view),
            Answer::Blocks(view) => serde_json::to_string_pretty(view),
            Answer::Audit(view) => serde_json::to_string_pretty(view),
            Answer::Health(view) => serde_json::to_string_pretty(view),
            Answer::Done(view) => serde_json::to_string_pretty(view),
        };
        // views are plain data: this cannot fail
        text.unwrap_or_default()
    }
}

/// What a relay says of itself, for `doctor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether a server answered (and not the command itself, with the data folder open).
    pub running: bool,
    /// Seconds since the server started.
    pub up_seconds: u64,
    /// Where it listens for STARTTLS.
    pub starttls: Vec<std::net::SocketAddr>,
    /// Where it listens for TLS.
    pub tls: Vec<std::net::SocketAddr>,
    /// The store.
    pub store: relay::store::StoreHealth,
    /// Blocks in force.
    pub blocks: u64,
    /// Connections now.
    pub connections: u64,
    /// The address with most of them (IPv6: the first of its /64), and how many these are.
    pub busiest_address: Option<(IpAddr, u64)>,
}
