//! What is shown of the relay itself: what it stands on, its certificates, what it did not understand.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::{BackupView, ViewPage, word};
use crate::brake::{Brake, Subject};
use crate::directory::Directory;
use crate::moment;
use crate::outcome::Class;

views! {
    /// What `doctor --repair` does, or would do.
    RepairView {
        /// Each step.
        steps: Vec<RepairStepView>,
        /// Whether it was done.
        done: bool,
    }
    /// One step of a repair.
    RepairStepView {
        /// `key_mode`, `activity`, `damaged`, `lost`, `orphans` or `acknowledge`.
        action: String,
        /// The message that it is about.
        message: Option<String>,
        /// What is done, in words.
        what: String,
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
        /// A name for what was found, such as `spf-none`, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// What is put into its words, by name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        values: BTreeMap<String, String>,
    }
    /// A certificate that clients are shown.
    CertificateView {
        /// The file that it is in.
        file: String,
        /// The names that it is for.
        names: Vec<String>,
        /// Whether it vouches for itself, so that no client that checks takes it.
        self_signed: bool,
        /// When it begins.
        begins_at: String,
        /// When it ends.
        ends_at: String,
        /// Whole days until then; 0 where it is over.
        days_left: u64,
        /// `soon`, `near` or `ended` where somebody has to look after it.
        alarm: Option<String>,
        /// Whether it comes and renews by itself (ACME).
        automatic: bool,
        /// When it is ordered next, where it renews by itself.
        renews_at: Option<String>,
        /// Whether an order is under way.
        ordering: bool,
        /// Orders in a row that failed.
        failures: u64,
        /// Why the last of them failed.
        fault: Option<String>,
    }
    /// The backups that were made lately.
    BackupsView {
        /// Since when one is being made or checked; none: none is.
        busy_since: Option<String>,
        /// The last that failed since the relay started; none: none did, or one was made after.
        failed: Option<BackupFailureView>,
        /// Those that were made, the latest first.
        backups: Vec<KeptBackupView>,
    }
    /// A backup that was made.
    KeptBackupView {
        /// Its number in the list.
        number: u64,
        /// The backup.
        backup: BackupView,
        /// Who had it made.
        by: String,
        /// Whether its folder is still where it was made.
        there: bool,
        /// When its files were last compared with its manifest; none: not since they were read back as it was made.
        checked_at: Option<String>,
        /// What was wrong then, in words; none: nothing.
        fault: Option<String>,
    }
    /// A backup that failed.
    BackupFailureView {
        /// The folder that it was to be made in.
        folder: String,
        /// When it was begun.
        begun_at: String,
        /// Why, in words.
        fault: String,
        /// A name for that, such as `backup-target-taken`, where it has one.
        code: Option<String>,
        /// What is put into its words, by name.
        values: BTreeMap<String, String>,
    }
    /// An automatic brake that is on.
    BrakeView {
        /// Its reference: `A` and the number of the account, or `U` and that of the SMTP user.
        brake: String,
        /// The number of the account.
        account: u64,
        /// The number of the SMTP user; none: it is on for the whole account.
        user: Option<u64>,
        /// What people call the SMTP user.
        user_name: Option<String>,
        /// `hard_bounces`, `complaints` or `volume`.
        cause: String,
        /// How many recipients bounced, complained, or were sent to.
        counted: u64,
        /// Of how many; of a volume, how many there may be.
        of: u64,
        /// Since when.
        since: String,
        /// Whether who asks may release it.
        releasable: bool,
    }
    /// A part of the queue that was counted, or what an order about it did in one turn.
    QueuePartView {
        /// Messages of which any recipient was counted.
        messages: u64,
        /// Their recipients that were counted.
        recipients: u64,
        /// Recipients that are being delivered right now: they are cancelled if that is deferred, and not counted above.
        under_way: u64,
        /// The message that the next turn goes on behind; none: that was all.
        next: Option<String>,
    }
    /// A site: the mail servers that one recipient domain or many share, or the next hop of a route.
    SiteView {
        /// Its name: a provider's, or those of its mail servers; a domain's where these are not known.
        site: String,
        /// The first of the domains that belong to it.
        domains: Vec<String>,
        /// How many belong to it.
        domain_count: u64,
        /// Recipients that wait for it.
        waiting: u64,
        /// Connections now, idle ones included.
        connections: u64,
        /// Connections at once that it may have now.
        connections_allowed: u64,
        /// Messages a minute that it gets now at the most; none: as many as come.
        messages_per_minute: Option<u32>,
        /// Messages that one connection carries at the most.
        messages_per_connection: u64,
        /// Recipients in one transaction at the most.
        recipients_per_transaction: u64,
        /// Seconds that a connection may wait for further mail.
        idle_seconds: u64,
        /// `open`; `slowed`: fewer connections or messages a minute than it may have; `paused`: nothing is begun for a moment;
        /// `suspended`: it says that it blocks the relay, and its mail is deferred; `probing`: one message tries whether it
        /// takes mail again; `unreached`: some of its domains could not be reached.
        state: String,
        /// How many of its domains could not be reached.
        unreached: u64,
        /// Until when nothing is begun there.
        until: Option<String>,
        /// The class of what led to it.
        class: Option<Class>,
        /// What led to it: the reply without addresses of people, or why there was none.
        said: Option<String>,
        /// When that was.
        said_at: Option<String>,
        /// The sources of the relay's that it blocks.
        blocked_sources: Vec<BlockedSourceView>,
    }
    /// A source that a site blocks.
    BlockedSourceView {
        /// Its name.
        source: String,
        /// Until when the source leaves the site alone; then one message tries.
        until: String,
    }
    /// Where mail is sent from.
    SendingSourceView {
        /// Its name.
        source: String,
        /// Its addresses.
        addresses: Vec<String>,
        /// The name that it says in EHLO.
        hello: String,
        /// The pools that it is of.
        pools: Vec<PoolMemberView>,
        /// `good`; `set_aside`: nothing gets through from it, and nothing is sent from it for a while; `tried`: one message tries
        /// whether that still holds.
        state: String,
        /// Until when it is set aside.
        until: Option<String>,
        /// Why it was set aside.
        reason: Option<String>,
        /// Connections from it now, idle ones included.
        connections: u64,
        /// Messages handed to it since the relay started.
        messages: u64,
        /// The first of the sites that block it.
        blocked_by: Vec<BlockingSiteView>,
        /// How many sites block it.
        blocked_count: u64,
        /// How it warms up; none where the configuration does not ask for that.
        warm_up: Option<WarmUpView>,
    }
    /// The warm-up of a source: each provider gets more from it from day to day.
    WarmUpView {
        /// `warming`; `stopped`: the source is treated as warm.
        state: String,
        /// How far it has come with each provider that it had mail for.
        providers: Vec<WarmUpProviderView>,
    }
    /// How far the warm-up of a source has come with a provider.
    WarmUpProviderView {
        /// The provider's name in the rules of shaping; `others`: all that have none, together.
        provider: String,
        /// `climbing`; `used_up`: it gets nothing more today but urgent mail and that of accounts that had few; `warm`: it gets as much as comes.
        state: String,
        /// Its rung, the first is 1.
        rung: u32,
        /// How many there are.
        rungs: u32,
        /// Messages that the provider was offered today (UTC).
        messages_today: u32,
        /// Those that it may be; none: it is warm.
        messages_allowed: Option<u32>,
        /// Messages of today about which the provider spoke of the source's name or pace.
        objections: u32,
        /// Whether the provider blocked the source today.
        blocked: bool,
        /// When all mail goes on, where today's messages are used up but for what is kept.
        goes_on_at: Option<String>,
    }
    /// A site that blocks a source.
    BlockingSiteView {
        /// Its name.
        site: String,
        /// Until when the source leaves it alone; then one message tries.
        until: String,
    }
    /// A pool that a source is of.
    PoolMemberView {
        /// Its name.
        pool: String,
        /// The part of the pool's mail that is the source's, beside the weights of the others.
        weight: u32,
        /// Whether all mail goes from it for which no pool is chosen.
        first: bool,
        /// The sending domains whose mail goes from it.
        domains: Vec<String>,
        /// The numbers of the accounts whose mail goes from it.
        accounts: Vec<u64>,
        /// The numbers of the plans whose accounts' mail goes from it.
        plans: Vec<u64>,
    }
    /// How TLS went with the mail servers of one domain on one day (UTC), as it is counted for a report to the domain.
    TlsSessionsView {
        /// The day.
        day: String,
        /// The recipient domain.
        domain: String,
        /// Sessions that succeeded.
        successes: u64,
        /// Sessions that failed, or would have under a policy that is tried out.
        failures: u64,
        /// What they were held to: `sts`, `tlsa` or `no-policy-found`.
        policies: Vec<String>,
        /// How often each result came (RFC 8460 §4.3), such as `certificate-expired`.
        results: BTreeMap<String, u64>,
        /// When the report goes out, if the domain wants one; none while the day goes on.
        report_due_at: Option<String>,
    }
    /// A report on TLS that was sent to a domain, or given up.
    TlsReportView {
        /// The domain.
        domain: String,
        /// The day that it is about.
        day: String,
        /// When it was sent or given up.
        at: String,
        /// The places that took it.
        to: Vec<String>,
        /// Sessions that succeeded.
        successes: u64,
        /// Sessions that failed.
        failures: u64,
        /// Why a place did not take it, where one did not.
        fault: Option<String>,
    }
    /// Replies of other servers that no rule knows and that differ only in addresses, numbers, names and ids.
    UnknownReplyView {
        /// What they have in common.
        shape: String,
        /// The last of them, without addresses of people.
        example: String,
        /// The domain of the recipient that it came for.
        domain: String,
        /// How often they came since the relay started.
        count: u64,
        /// When the first came.
        first_at: String,
        /// When the last came.
        last_at: String,
    }
}

impl BrakeView {
    /// The brake, with the name of its SMTP user.
    pub fn new(brake: &Brake, directory: &Directory, releasable: bool) -> Self {
        let user = match brake.subject {
            Subject::User(user) => Some(user),
            Subject::Account(_) => None,
        };
        BrakeView {
            brake: brake.subject.to_string(),
            account: brake.account.number(),
            user: user.map(|user| user.number()),
            user_name: user.and_then(|user| directory.users.get(&user)).map(|user| user.name.clone()),
            cause: word(&brake.cause),
            counted: brake.counted,
            of: brake.of,
            since: moment::text(brake.since),
            releasable,
        }
    }
}
