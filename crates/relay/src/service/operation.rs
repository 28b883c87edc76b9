//! What can be asked of a relay, running or not, and what it answers: the language of the control socket.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

pub use super::own_health::Health;
pub use super::part::Part;

use super::view::{
    AccountView, ActivityChangesView, ActivityDetailView, ActivityView, ApiKeySecretView, ApiKeyView, AuditView,
    BackupView, BackupsView, BlockView, BrakeView, CapturedDetailView, CapturedView, CertificateView, CheckView,
    ConnectionView, ContactsView, CredentialView, DmarcReportedView, DomainHealthView, DomainView, DoneView,
    ErasureView, KeptBackupView, MemberLinkView, MemberView, MessageView, PlanRequestView, PlanView, QueuePartView,
    QueueView, SendingSourceView, SignInView, SiteView, SmtpUserView, SourceView, StatisticsView, SubmissionView,
    SuppressionView, SuppressionsImportedView, TlsReportView, TlsSessionsView, UnknownReplyView, WebhookCallView,
    WebhookSecretView, WebhookView, ZoneView,
};
use super::{Fault, GivenMessage, QueueOrder, RulesChange, Selection, Setting, TermsChange, WebhookWish};
use crate::account::{Account, Contact};
use crate::activity::ActivityFilter;
use crate::clock::{Day, Timestamp};
use crate::id::{Id, MessageId};
use crate::language::Language;
use crate::power::{Need, Power, Powers, Role, Scope};
use crate::sending_domain::KeyAlgorithm;
use crate::suppression::SuppressionCause;
use crate::webhook::CallId;

/// The longest that [`Operation::ActivitySince`] waits for a change.
pub const WAIT_SECONDS_MAX: u32 = 30;

macro_rules! operations {
    ($($(#[doc = $about:literal])+ $name:ident $({ $($field:ident: $kind:ty),+ })? needs $need:expr;)+) => {
        /// One thing asked for. Domains are named by number or name, SMTP users by number or username.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "do", rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the fields are the command line's, which documents each")]
        pub enum Operation {
            $($(#[doc = $about])+ $name $({ $($field: $kind),+ })?,)+
        }

        impl Operation {
            /// Every operation by its name: what each face has to offer.
            pub const NAMES: &[&str] = &[$(stringify!($name)),+];

            /// Its name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Operation::$name { .. } => stringify!($name),)+
                }
            }

            /// What it asks of the caller.
            pub fn need(&self) -> Need {
                match self {
                    $(Operation::$name { .. } => $need,)+
                }
            }
        }
    };
}

use Need::{Member, Operator};
use Power::{Activity, Administration, Domains, Plan, Submit};

operations! {
    /// Makes an account, on the default plan, or without one until one is approved.
    AccountAdd {
        name: String,
        without_plan: bool,
        time_zone: Option<String>,
        language: Option<Language>
    } needs Operator;
    /// Lists accounts: all, or those whose name, number or one of whose domains has what is searched for.
    AccountList { search: Option<String>, part: Part } needs Operator;
    /// Shows an account with what it used of its quota.
    AccountShow { account: u64 } needs Member;
    /// Suspends an account: its logins are refused, its queue is held.
    AccountSuspend { account: u64 } needs Operator;
    /// Resumes a suspended account.
    AccountResume { account: u64 } needs Operator;
    /// Deletes an account: all that is its stops at once, and what is kept of it goes, the audit log excepted.
    AccountDelete { account: u64, cancel_mail: bool } needs Operator;
    /// Changes what an account is called, its time zone, the language of what is written to it, or for how many days its
    /// activity is kept.
    AccountSet {
        account: u64,
        name: Option<String>,
        time_zone: Option<String>,
        language: Option<Language>,
        activity_days: Setting<u64>
    } needs Need::Power(Domains);
    /// Sets to how many recipients an account may send in a month in place of what its plan says, and on which day that
    /// begins anew.
    AccountQuota { account: u64, recipients: Setting<u64>, renews_on: Option<u8> } needs Operator;
    /// Gives an account a plan at once, or takes it away: its logins are refused then, what was accepted is delivered.
    AccountPlan { account: u64, plan: Option<u64> } needs Operator;
    /// Shows whom an account wants to be written to about plan and quota, beside its administrators.
    AccountContacts { account: u64 } needs Need::Power(Domains);
    /// Says whom an account wants to be written to.
    AccountContactsSet { account: u64, primary: Setting<Contact>, billing: Setting<Contact> } needs Need::Power(Domains);
    /// Lists plans: of the operator all, for an account those that it has or may ask for.
    PlanList { account: Option<u64> } needs Member;
    /// Adds a plan.
    PlanAdd { name: String, terms: TermsChange } needs Operator;
    /// Changes a plan, for the accounts that are on it too.
    PlanSet { plan: u64, terms: TermsChange } needs Operator;
    /// Makes a plan the one that new accounts begin on.
    PlanDefault { plan: u64 } needs Operator;
    /// Retires a plan, or brings it back. Accounts that are on it stay.
    PlanRetire { plan: u64, retired: bool } needs Operator;
    /// Deletes a plan that no account is on.
    PlanDelete { plan: u64 } needs Operator;
    /// Asks the operator for a plan, or to cancel the one in force.
    PlanAsk { account: u64, plan: Option<u64>, message: String } needs Need::Power(Plan);
    /// Takes the open request of an account back.
    PlanWithdraw { account: u64 } needs Need::Power(Plan);
    /// Keeps the plan that an account is on: what was to follow it does not.
    PlanKeep { account: u64 } needs Need::Power(Plan);
    /// Lists the requests that wait for the operator, the oldest first.
    PlanRequestList needs Operator;
    /// Grants a request: more recipients come at once, fewer and a cancellation with the next period.
    PlanApprove { request: u64 } needs Operator;
    /// Declines a request, with a reason that the account is shown.
    PlanDecline { request: u64, reason: String } needs Operator;
    /// Adds a sending domain with its keys.
    DomainAdd { account: u64, name: String } needs Need::Power(Domains);
    /// Lists sending domains.
    DomainList { account: Option<u64>, part: Part } needs Need::Power(Domains);
    /// Shows a sending domain with the records to publish.
    DomainShow { domain: String } needs Need::Power(Domains);
    /// Vouches for a domain instead of DNS, or takes that back.
    DomainVouch { domain: String, vouched: bool } needs Operator;
    /// Looks in DNS now, and says what is there of each record.
    DomainVerify { domain: String } needs Need::Power(Domains);
    /// Moves the signing of a domain to its other selector.
    DomainRotate { domain: String, algorithm: Option<KeyAlgorithm>, force: bool } needs Need::Power(Domains);
    /// Switches a domain's bounce mails on or off.
    DomainBounceMails { domain: String, on: bool } needs Need::Power(Domains);
    /// Shows what receivers reported of mail with a domain's name (DMARC), of so many days until today.
    DomainDmarc { domain: String, days: Option<u64> } needs Need::Power(Domains);
    /// Shows how a domain fares: its records, what was reported of its mail, bounces, complaints, blocklists.
    DomainHealth { domain: String } needs Need::Power(Domains);
    /// Deletes a domain: its users stop at once, its queue has 24 hours or is given up.
    DomainDelete { domain: String, cancel_mail: bool } needs Need::Power(Domains);
    /// Makes an SMTP user; its password is shown once.
    SmtpUserAdd { domain: String, name: String, rules: RulesChange } needs Need::Power(Domains);
    /// Lists SMTP users.
    SmtpUserList { account: Option<u64>, domain: Option<String>, part: Part } needs Need::Power(Domains);
    /// Shows an SMTP user with its rules and its last login.
    SmtpUserShow { user: String } needs Need::Power(Domains);
    /// Gives an SMTP user another descriptive name.
    SmtpUserRename { user: String, name: String } needs Need::Power(Domains);
    /// Replaces every password of an SMTP user by a new one, shown once.
    SmtpUserReset { user: String } needs Need::Power(Domains);
    /// Makes a second password beside the one in use, shown once.
    SmtpUserAddPassword { user: String } needs Need::Power(Domains);
    /// Drops the older of two passwords.
    SmtpUserDropPassword { user: String } needs Need::Power(Domains);
    /// Lets an SMTP user log in again.
    SmtpUserEnable { user: String } needs Need::Power(Domains);
    /// Ends the logins of an SMTP user.
    SmtpUserDisable { user: String } needs Need::Power(Domains);
    /// Changes the rules of an SMTP user.
    SmtpUserSet { user: String, rules: RulesChange } needs Need::Power(Domains);
    /// Deletes an SMTP user.
    SmtpUserDelete { user: String } needs Need::Power(Domains);
    /// Ends sending to an address.
    SuppressionAdd {
        account: u64,
        address: String,
        reason: String,
        until: Option<Timestamp>
    } needs Need::Power(Administration);
    /// Ends sending to every address of a list in CSV.
    SuppressionImport { account: u64, list: String } needs Need::Power(Administration);
    /// Lists suppressed addresses, those behind `after` (numbers of an account and, or 0, of an SMTP user, and an address, with
    /// slashes between them).
    SuppressionList {
        account: Option<u64>,
        search: String,
        cause: Option<SuppressionCause>,
        after: Option<String>,
        limit: u32
    } needs Need::Power(Administration);
    /// Lifts the suppression of an address for the stream of an SMTP user; without one that for the whole account.
    SuppressionRemove { account: u64, address: String, smtp_user: Option<u64> } needs Need::Power(Administration);
    /// Erases what is kept about a recipient of an account's mail.
    ActivityErase { account: u64, recipient: String, suppression: bool } needs Need::Power(Administration);
    /// Searches Activity.
    Activity { filter: ActivityFilter } needs Need::Power(Activity);
    /// Shows one row of Activity with every event and attempt.
    ActivityShow { row: u64 } needs Need::Power(Activity);
    /// What has changed in Activity since a cursor was given; waits so many seconds where nothing has. Without a cursor
    /// it gives the one of now.
    ActivitySince { cursor: Option<String>, filter: ActivityFilter, seconds: u32 } needs Need::Power(Activity);
    /// Counts what was sent in a period, and what became of it. Of a whole relay with more than a thousand domains or SMTP users
    /// these are not listed.
    Statistics {
        account: Option<u64>,
        domain: Option<String>,
        user: Option<String>,
        since: Option<Day>,
        until: Option<Day>
    } needs Need::Power(Activity);
    /// Lists failed logins, blocks and limits reached, newest first; from before the number of one.
    Connections { account: Option<u64>, before: Option<u64>, limit: u32 } needs Need::Power(Activity);
    /// Lists the messages of test inboxes, newest first.
    InboxList {
        account: Option<u64>,
        recipient: Option<String>,
        before: Option<MessageId>,
        limit: u32
    } needs Need::Power(Activity);
    /// Shows a message of a test inbox with what is in it.
    InboxShow { message: MessageId } needs Need::Power(Activity);
    /// Gives a message of a test inbox as it would have been sent.
    InboxSource { message: MessageId } needs Need::Power(Activity);
    /// Deletes a message of a test inbox.
    InboxDelete { message: MessageId } needs Need::Power(Domains);
    /// Deletes every message of an account's test inbox.
    InboxEmpty { account: u64 } needs Need::Power(Domains);
    /// Hands a message in, to be sent as one of the account's SMTP users: judged as over SMTP, and on disk before the answer.
    MessageSubmit { message: Box<GivenMessage> } needs Need::Power(Submit);
    /// Lists the queue.
    QueueList { account: Option<u64>, after: Option<MessageId>, limit: u32 } needs Operator;
    /// Shows a message of the queue.
    QueueShow { message: MessageId } needs Operator;
    /// Tries a message now.
    QueueRetry { message: MessageId } needs Operator;
    /// Holds a message.
    QueueHold { message: MessageId } needs Operator;
    /// Releases a held message.
    QueueRelease { message: MessageId } needs Operator;
    /// Gives a message up.
    QueueCancel { message: MessageId } needs Operator;
    /// Counts the recipients of a part of the queue, behind one of its messages, as far as one look goes.
    QueueCount { selection: Selection, after: Option<MessageId> } needs Operator;
    /// Orders something of a part of the queue, behind one of its messages, as far as one turn goes.
    QueueOrder { order: QueueOrder, selection: Selection, after: Option<MessageId> } needs Operator;
    /// Releases every message that the operator holds.
    QueueReleaseAll needs Operator;
    /// Gives every message up that the operator holds.
    QueueCancelAll needs Operator;
    /// Lists the replies of other servers that no rule knows, by their shape, since the relay started.
    UnknownReplies needs Operator;
    /// Lists the sites that mail goes to, in the order of their names behind one, with what is in force at each and why; those
    /// alone where something is, if `troubled`.
    SiteList { after: Option<String>, limit: u32, troubled: bool } needs Operator;
    /// Has a site tried now that is left alone or slowed.
    SiteResume { site: String } needs Operator;
    /// Lists the sources that mail is sent from, with what is in force for each.
    SourceList needs Operator;
    /// Has a source tried now that is set aside.
    SourceResume { source: String } needs Operator;
    /// Stops the warm-up of a source: it is treated as warm from now on.
    SourceWarmUpStop { source: String } needs Operator;
    /// Begins the warm-up of a source again, with the first rung at every provider.
    SourceWarmUpStart { source: String } needs Operator;
    /// Lists what was counted of TLS with the mail servers of domains, on the present day and on those whose reports are still to
    /// go out, in the order of days and names, behind one of them (`2026-11-30/example.com`).
    TlsSessionList { after: Option<String>, limit: u32 } needs Operator;
    /// Lists the reports on TLS that were sent to domains, or given up, the newest first.
    TlsReportList { limit: u32 } needs Operator;
    /// Lists blocked addresses.
    Blocks needs Need::Power(Administration);
    /// Lifts the block of an address.
    BlockLift { address: IpAddr } needs Need::Power(Administration);
    /// Lists the automatic brakes that are on.
    BrakeList { account: Option<u64> } needs Need::Power(Domains);
    /// Releases an automatic brake, named by its reference.
    BrakeRelease { brake: String } needs Need::Power(Domains);
    /// Lists the certificates that clients are shown.
    CertificateList needs Operator;
    /// Orders the certificate now that comes by itself (ACME), whatever is there.
    CertificateRenew needs Operator;
    /// Shows the records of the relay's zone: its own, then those of so many domains behind the number of one.
    ZoneShow { after: Option<u64>, limit: u32 } needs Operator;
    /// Reads the audit log.
    Audit { account: Option<u64>, before: Option<u64>, limit: u32 } needs Need::Power(Administration);
    /// Makes an API key; its secret is shown once.
    ApiKeyAdd {
        account: Option<u64>,
        name: String,
        powers: Powers,
        read_only: bool,
        expires_at: Option<Timestamp>
    } needs Need::Power(Administration);
    /// Lists API keys.
    ApiKeyList { account: Option<u64> } needs Need::Power(Administration);
    /// Deletes an API key: it stops at once.
    ApiKeyDelete { key: u64 } needs Need::Power(Administration);
    /// Makes a webhook; its secret is shown once.
    WebhookAdd { account: u64, wish: WebhookWish } needs Need::Power(Administration);
    /// Lists webhooks.
    WebhookList { account: Option<u64> } needs Need::Power(Administration);
    /// Shows a webhook with how its calls stand.
    WebhookShow { webhook: u64 } needs Need::Power(Administration);
    /// Changes a webhook: its name, URL and events, what they are of, and whether it is told anything.
    WebhookSet { webhook: u64, wish: WebhookWish } needs Need::Power(Administration);
    /// Gives a webhook a new secret, shown once; the one before signs beside it for 24 hours.
    WebhookRotate { webhook: u64 } needs Need::Power(Administration);
    /// Sends a webhook a test.
    WebhookTest { webhook: u64 } needs Need::Power(Administration);
    /// Reads the log of a webhook, the newest call first; from before the number of one.
    WebhookLog { webhook: u64, before: Option<u64>, limit: u32 } needs Need::Power(Administration);
    /// Shows one call with what is sent.
    WebhookCall { webhook: u64, call: CallId } needs Need::Power(Administration);
    /// Sends a call once more, or without one all that were given up since a moment.
    WebhookReplay {
        webhook: u64,
        call: Option<CallId>,
        since: Option<Timestamp>
    } needs Need::Power(Administration);
    /// Deletes a webhook with its log: it is told nothing any more.
    WebhookDelete { webhook: u64 } needs Need::Power(Administration);
    /// Adds a member; the link to choose a password by is shown once.
    MemberAdd {
        account: Option<u64>,
        email: String,
        name: String,
        role: Role,
        language: Language
    } needs Need::Power(Administration);
    /// Lists members.
    MemberList { account: Option<u64> } needs Need::Power(Administration);
    /// Changes what a member is, is called, or is spoken to in; what is not given stays.
    MemberSet {
        member: u64,
        role: Option<Role>,
        name: Option<String>,
        language: Option<Language>
    } needs Need::Power(Administration);
    /// Makes a new link to choose a password by, shown once; links of before are void.
    MemberLink { member: u64 } needs Need::Power(Administration);
    /// Shows where the sign-ins of a member came from, and what failed, the latest first.
    MemberSignIns { member: u64 } needs Need::Power(Administration);
    /// Removes a member, who is signed out that instant.
    MemberRemove { member: u64 } needs Need::Power(Administration);
    /// Copies everything while mail flows.
    Backup { target: PathBuf, with_master_key: bool } needs Operator;
    /// Lists the backups that were made lately, the latest first, and says whether one is being made or checked.
    BackupList needs Operator;
    /// Compares every file of a backup of the list with its manifest. Takes as long as reading them does.
    BackupCheck { backup: u64 } needs Operator;
    /// Says how the relay is.
    Health needs Operator;
    /// Looks at what the relay stands on: ports, certificates, clock, disk, DNS, its name, the way out. Takes some seconds.
    Checks needs Operator;
}

impl Operation {
    /// Whether it only looks.
    pub fn is_read(&self) -> bool {
        matches!(
            self,
            Operation::AccountList { .. }
                | Operation::AccountShow { .. }
                | Operation::AccountContacts { .. }
                | Operation::PlanList { .. }
                | Operation::PlanRequestList
                | Operation::DomainList { .. }
                | Operation::DomainShow { .. }
                | Operation::DomainDmarc { .. }
                | Operation::DomainHealth { .. }
                | Operation::SmtpUserList { .. }
                | Operation::SmtpUserShow { .. }
                | Operation::SuppressionList { .. }
                | Operation::Activity { .. }
                | Operation::ActivityShow { .. }
                | Operation::ActivitySince { .. }
                | Operation::Statistics { .. }
                | Operation::Connections { .. }
                | Operation::InboxList { .. }
                | Operation::InboxShow { .. }
                | Operation::InboxSource { .. }
                | Operation::QueueList { .. }
                | Operation::QueueShow { .. }
                | Operation::QueueCount { .. }
                | Operation::UnknownReplies
                | Operation::SiteList { .. }
                | Operation::SourceList
                | Operation::TlsSessionList { .. }
                | Operation::TlsReportList { .. }
                | Operation::Blocks
                | Operation::BrakeList { .. }
                | Operation::CertificateList
                | Operation::ZoneShow { .. }
                | Operation::ApiKeyList { .. }
                | Operation::MemberList { .. }
                | Operation::MemberSignIns { .. }
                | Operation::WebhookList { .. }
                | Operation::WebhookShow { .. }
                | Operation::WebhookLog { .. }
                | Operation::WebhookCall { .. }
                | Operation::Audit { .. }
                | Operation::BackupList
                | Operation::Health
                | Operation::Checks
        )
    }

    /// The operation as this caller may ask it, for its own account where it names none; and the account that it is
    /// narrowed to, where it is to one.
    ///
    /// # Errors
    /// The caller lacks the power, or names an account that does not exist for it.
    pub fn confined(mut self, scope: Scope) -> Result<(Operation, Option<Id<Account>>), Fault> {
        if !scope.meets(self.need()) {
            return Err(Fault::forbidden(
                "This is not yours to do.",
                "Ask an administrator of the account, or the operator of the relay.",
            )
            .named("not-yours", &[]));
        }
        let own = if let Scope::Account(own, _) = scope { Some(own) } else { None };
        let (named, narrowed) = match &mut self {
            Operation::AccountShow { account }
            | Operation::AccountSet { account, .. }
            | Operation::AccountContacts { account }
            | Operation::AccountContactsSet { account, .. }
            | Operation::PlanAsk { account, .. }
            | Operation::PlanWithdraw { account }
            | Operation::PlanKeep { account }
            | Operation::DomainAdd { account, .. }
            | Operation::InboxEmpty { account }
            | Operation::SuppressionAdd { account, .. }
            | Operation::SuppressionImport { account, .. }
            | Operation::WebhookAdd { account, .. }
            | Operation::ActivityErase { account, .. }
            | Operation::SuppressionRemove { account, .. } => (Some(Id::new(*account)), None),
            Operation::DomainList { account, .. }
            | Operation::PlanList { account }
            | Operation::SmtpUserList { account, .. }
            | Operation::SuppressionList { account, .. }
            | Operation::Statistics { account, .. }
            | Operation::Connections { account, .. }
            | Operation::InboxList { account, .. }
            | Operation::QueueList { account, .. }
            | Operation::ApiKeyAdd { account, .. }
            | Operation::ApiKeyList { account }
            | Operation::MemberAdd { account, .. }
            | Operation::MemberList { account }
            | Operation::BrakeList { account }
            | Operation::WebhookList { account }
            | Operation::Audit { account, .. } => {
                *account = account.or(own.map(Id::number));
                (account.map(Id::new), account.map(Id::new))
            }
            Operation::Activity { filter } | Operation::ActivitySince { filter, .. } => {
                filter.account = filter.account.or(own);
                (filter.account, filter.account)
            }
            _ => (None, None),
        };
        match (own, named) {
            (Some(own), Some(named)) if own != named => {
                Err(Fault::not_found(format!("There is no account {named}."), "Name your own.")
                    .named("account-none", &[("number", &named)]))
            }
            _ => Ok((self, narrowed)),
        }
    }
}

macro_rules! answers {
    ($($name:ident($view:ty);)+) => {
        /// What came of it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "value", rename_all = "snake_case")]
        #[expect(missing_docs, reason = "each is the view of its name")]
        #[allow(clippy::large_enum_variant, reason = "one lives at a time, for as long as it takes to print it")]
        pub enum Answer {
            $($name($view),)+
        }

        impl Answer {
            /// The view alone, as JSON for people and programs. (The wire says its kind, too.)
            pub fn json(&self) -> String {
                let text = match self {
                    $(Answer::$name(view) => serde_json::to_string_pretty(view),)+
                };
                // views are plain data: this cannot fail
                text.unwrap_or_default()
            }
        }

        impl Answer {
            /// Whether it has a secret, which is shown once and kept nowhere: whether a field of its view is one.
            pub fn is_shown_once(&self) -> bool {
                let view = match self {
                    $(Answer::$name(_) => stringify!($view),)+
                };
                super::view::pages().any(|page| page.name == view && page.fields.iter().any(|field| field.1 == "SecretText"))
            }
        }

        $(impl TryFrom<Answer> for $view {
            type Error = Fault;

            fn try_from(answer: Answer) -> Result<$view, Fault> {
                match answer {
                    Answer::$name(view) => Ok(view),
                    _ => Err(Fault::unavailable("The relay answered what was not asked.", "This is a fault of its own.")),
                }
            }
        })+
    };
}

answers! {
    Account(AccountView);
    Accounts(Vec<AccountView>);
    Contacts(ContactsView);
    Plan(PlanView);
    Plans(Vec<PlanView>);
    PlanRequest(PlanRequestView);
    PlanRequests(Vec<PlanRequestView>);
    Domain(DomainView);
    Domains(Vec<DomainView>);
    DmarcReported(DmarcReportedView);
    DomainHealth(DomainHealthView);
    SmtpUser(SmtpUserView);
    SmtpUsers(Vec<SmtpUserView>);
    Credential(CredentialView);
    Suppressions(Vec<SuppressionView>);
    SuppressionsImported(SuppressionsImportedView);
    Erasure(ErasureView);
    Activity(Vec<ActivityView>);
    ActivityChanges(ActivityChangesView);
    ActivityDetail(ActivityDetailView);
    Statistics(StatisticsView);
    Connections(Vec<ConnectionView>);
    Queue(Vec<QueueView>);
    QueuePart(QueuePartView);
    Message(MessageView);
    Submission(SubmissionView);
    Inbox(Vec<CapturedView>);
    Captured(CapturedDetailView);
    Source(SourceView);
    UnknownReplies(Vec<UnknownReplyView>);
    Sites(Vec<SiteView>);
    SendingSources(Vec<SendingSourceView>);
    TlsSessions(Vec<TlsSessionsView>);
    TlsReports(Vec<TlsReportView>);
    Blocks(Vec<BlockView>);
    Brakes(Vec<BrakeView>);
    Certificates(Vec<CertificateView>);
    Zone(ZoneView);
    Audit(Vec<AuditView>);
    ApiKeys(Vec<ApiKeyView>);
    ApiKeySecret(ApiKeySecretView);
    Webhook(WebhookView);
    Webhooks(Vec<WebhookView>);
    WebhookSecret(WebhookSecretView);
    WebhookCall(WebhookCallView);
    WebhookCalls(Vec<WebhookCallView>);
    Member(MemberView);
    Members(Vec<MemberView>);
    MemberLink(MemberLinkView);
    SignIns(Vec<SignInView>);
    Health(Health);
    Checks(Vec<CheckView>);
    Backup(BackupView);
    Backups(BackupsView);
    KeptBackup(KeptBackupView);
    Done(DoneView);
}
