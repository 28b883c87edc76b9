//! Carries out operations on a store: the same way inside a running server and without one.

mod api_key;
pub mod backup;
mod brakes;
pub(crate) mod certificates;
mod checks;
pub mod desk;
mod dmarc_reports;
mod domain;
mod door;
mod failed;
mod follow;
mod health;
mod held;
mod inbox;
mod leaving;
mod letters;
mod member;
mod message;
mod once;
mod orders;
mod plan;
mod queue;
mod sites;
mod statistics;
mod suppressions;
mod tls_reports;
mod tries;
mod users;
mod webhook;
mod zone;

use relay::account::{Account, AccountState};
use relay::activity::ConnectionRow;
use relay::clock::{Day, Timestamp};
use relay::cursor::CursorKey;
use relay::id::{Id, MessageId};
use relay::limits::Limits;
use relay::quota::Usage;
use relay::service::{self, AccountChange, Caller, Fault, Identity, SYSTEM_ACCOUNT};
use relay::site::Site;
use relay::store::Store;
use relay::submission::Receipt;
use relay::zone::Publisher;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::hash::Hash;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::task::JoinError;

use net::clock::{Clock, SystemDice};
use net::submission::HandedIn;
use web::letters::LinkFor;

use crate::metrics::SignIns;

pub use certificates::Kept;
use letters::Letters;

use relay::service::operation::{Answer, Health, Operation, Part};
use relay::service::view::{
    AccountView, AuditView, BlockView, ConnectionView, CredentialView, DoneView, PortsView, QueueView, word,
};

const ROWS_DEFAULT: u32 = 100;

/// What an account used of its quota in the period of a day.
type UsedBy<'a> = Box<dyn Fn(&Account, Day) -> u64 + 'a>;

/// Connections: how many in all, and from each address.
type Connections = (u64, Vec<(Site, u64)>);

/// What will have become of a message that was handed in.
pub type HandingIn = Pin<Box<dyn Future<Output = Receipt> + Send>>;

/// The parts of a running server that have to hear of a change; none where there is no server.
pub struct Running<S> {
    /// The delivery driver.
    pub dispatch: net::dispatch::Handle,
    /// Looks at the records of domains in DNS.
    pub domains: net::domain_watch::DomainWatch<S>,
    /// Writes to people.
    pub mail: net::own_mail::OwnMail<S>,
    /// Sends calls to webhooks.
    pub webhooks: net::webhook::Handle,
    /// Counts TLS for reports to other domains; none: nothing is counted.
    pub tls_reports: Option<net::tls_reports::TlsReports>,
    /// Asks the operator's blocklists.
    pub blocklists: Arc<net::blocklists::Blocklists>,
    /// Whom delivery asks about names.
    pub dns: Arc<net::dns::Dns>,
    /// Takes a message that was handed in over HTTP.
    pub hand_in: Box<dyn Fn(HandedIn) -> HandingIn + Send + Sync>,
    /// What came to its end in the last hour, for the automatic brakes.
    pub ended: Arc<std::sync::Mutex<relay::brake::Windows>>,
    /// Lifts a block in the submission server.
    pub lift: Box<dyn Fn(IpAddr) + Send + Sync>,
    /// What the accounts have used of their quotas.
    pub usage: Usage,
    /// Counts the connections of now.
    pub sessions: Box<dyn Fn() -> Connections + Send + Sync>,
    /// The certificates that clients are shown.
    pub kept: Kept,
    /// Where it listens.
    pub ports: PortsBound,
    /// Where it answers for the zone.
    pub zone_at: Vec<std::net::SocketAddr>,
    /// When it started.
    pub started_at: Timestamp,
    /// Counts sign-ins to the console.
    pub sign_ins: SignIns,
}

/// The submission addresses as bound.
#[derive(Clone, Debug, Default)]
pub struct PortsBound {
    /// STARTTLS.
    pub starttls: Vec<std::net::SocketAddr>,
    /// TLS from the first octet.
    pub tls: Vec<std::net::SocketAddr>,
}

/// Carries out operations, changes one after the other.
pub struct Executor<S> {
    /// What remembers.
    pub store: Arc<S>,
    /// The server that applications are told to connect to.
    pub hostname: String,
    /// The ports that applications are told to connect to.
    pub ports: PortsView,
    /// Where people find the console; none: it is not served.
    pub console: Option<String>,
    /// The limits in force.
    pub limits: Limits,
    /// How often people are written to.
    letters: Letters,
    /// How often the operator's people are, of requests for a plan.
    request_letters: Letters,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The server around it, if one runs.
    pub running: Option<Running<S>>,
    config: crate::config::Config,
    /// What domains publish.
    publisher: Publisher,
    /// What the last look found.
    checks: checks::Last,
    /// Seals the cursors that callers are given.
    cursors: CursorKey,
    /// The backups that were made lately.
    backups: backup::Backups,
    /// Requests with an idempotency key that are under way.
    under_way: once::UnderWay,
    /// Sign-ins that failed and are not written down yet.
    failed: failed::Failed,
    /// Held while something is read, changed and written: two commands at once must not undo one another.
    changing: tokio::sync::Mutex<()>,
    /// Held while a recipient is erased, which may take long and keeps no change from its turn.
    erasing: tokio::sync::Mutex<()>,
    /// Held while an order about a part of the queue is carried out, likewise.
    ordering: tokio::sync::Mutex<()>,
}

impl<S: Store> Executor<S> {
    /// An executor on this store.
    pub fn new(
        store: Arc<S>,
        config: &crate::config::Config,
        clock: Arc<dyn Clock>,
        running: Option<Running<S>>,
    ) -> Arc<Self> {
        let numbers = |sockets: &[std::net::SocketAddr]| {
            let mut ports: Vec<_> = sockets.iter().map(std::net::SocketAddr::port).collect();
            ports.sort_unstable();
            ports.dedup();
            ports
        };
        let ports = match &running {
            Some(running) => PortsView { starttls: numbers(&running.ports.starttls), tls: numbers(&running.ports.tls) },
            None => PortsView { starttls: numbers(&config.submission.starttls), tls: numbers(&config.submission.tls) },
        };
        let (hostname, console, limits) = (config.hostname.clone(), config.console_url(), config.limits.clone());
        let (cursors, changing) = (CursorKey::new(store.cursor_key()), tokio::sync::Mutex::default());
        let publisher = dmarc_reports::publisher(config, store.as_ref());
        let (config, checks) = (config.clone(), checks::Last::default());
        let backups = backup::Backups::of(&config.data_dir);
        Arc::new(Executor {
            store,
            hostname,
            ports,
            console,
            limits,
            letters: Letters::default(),
            request_letters: Letters::default(),
            clock,
            running,
            config,
            publisher,
            checks,
            cursors,
            backups,
            under_way: once::UnderWay::default(),
            failed: failed::Failed::default(),
            changing,
            erasing: tokio::sync::Mutex::default(),
            ordering: tokio::sync::Mutex::default(),
        })
    }

    /// Carries out one operation for somebody, as far as they reach.
    ///
    /// # Errors
    /// What happened, what it means, what to do.
    pub async fn run(self: &Arc<Self>, operation: Operation, identity: Identity) -> Result<Answer, Fault> {
        let (operation, narrowed) = operation.confined(identity.scope)?;
        if let Some(account) = narrowed.filter(|account| *account != SYSTEM_ACCOUNT) {
            // of one that is deleted its log stays, and what is left of it can be looked at
            let is_left = self.store.directory().leaving.contains_key(&account);
            let has_log = matches!(operation, Operation::Audit { .. }) && i64::try_from(account.number()).is_ok();
            if !is_left && !has_log {
                service::account_find(self.store.as_ref(), account)?;
            }
        }
        // what waits for DNS, or for the spool, is one change of its own, and keeps nobody from theirs
        if operation.is_read() || matches!(operation, Operation::DomainVerify { .. } | Operation::MessageSubmit { .. })
        {
            return self.perform(operation, identity).await;
        }
        // a task of its own: whoever asked may go away, and a change that has begun is finished before the next begins
        let here = Arc::clone(self);
        let change = tokio::spawn(async move {
            let turn = match operation {
                Operation::ActivityErase { .. } => &here.erasing,
                Operation::QueueOrder { .. } => &here.ordering,
                _ => &here.changing,
            };
            let _one_at_a_time = turn.lock().await;
            here.perform(operation, identity).await
        });
        change.await.map_err(broke_off)?
    }

    async fn perform(self: &Arc<Self>, operation: Operation, identity: Identity) -> Result<Answer, Fault> {
        if !operation.is_read() {
            // asked when its turn has come: a suspension that was answered holds for what waited behind it
            identity.may_change(&self.store.directory())?;
        }
        if let Some(message) = queue::message_of(&operation) {
            return self.queue(&operation, message, &identity.actor).await;
        }
        if let Some(order) = held::order_of(&operation) {
            return self.queue_all(&order, &identity.actor).await;
        }
        if let Operation::QueueCount { selection, after } = &operation {
            return self.queue_count(selection, *after, identity.scope).await;
        }
        if let Operation::QueueOrder { order, selection, after } = &operation {
            return self.queue_order(order, (selection, *after), &identity.actor, identity.scope).await;
        }
        if inbox::is_part(&operation) {
            return self.inbox(operation, identity).await;
        }
        if operation == Operation::Checks {
            return self.look_around().await;
        }
        if let Operation::DomainVerify { domain } = operation {
            return self.domain_verify(&domain, identity.scope).await;
        }
        if let Operation::DomainHealth { domain } = operation {
            return self.domain_health(&domain, identity.scope).await;
        }
        if let Operation::MessageSubmit { message } = operation {
            return self.message_submit(*message, &identity, None, None).await;
        }
        if let Operation::ActivitySince { cursor, filter, seconds } = operation {
            return self.activity_since(cursor, filter, seconds, identity.scope).await;
        }
        if let Operation::ActivityErase { .. } = operation {
            // what was delivered a moment ago is erased too
            self.store.caught_up().await;
        }
        let changes = is_change(&operation);
        let here = Arc::clone(self);
        let mut answer =
            tokio::task::spawn_blocking(move || here.book(operation, &identity)).await.map_err(broke_off)?;
        if let (true, Some(running)) = (changes, &self.running) {
            running.dispatch.directory_changed();
            running.domains.directory_changed();
            running.webhooks.directory_changed();
        }
        match &mut answer {
            Ok(Answer::MemberLink(link)) => {
                let why = if link.member.joined { LinkFor::Given } else { LinkFor::Invitation };
                self.mail_link(link, why).await;
            }
            Ok(Answer::PlanRequest(request)) => self.tell_of_request(request).await,
            _ => {}
        }
        answer
    }

    fn book(&self, operation: Operation, identity: &Identity) -> Result<Answer, Fault> {
        use Operation as O;
        let Identity { actor, scope, ends_at, .. } = identity;
        let (now, limits) = (self.clock.now(), &self.limits);
        let caller = Caller { actor, now, scope: *scope, ends_at: *ends_at, limits };
        if let Some(part) = plan::part_of(&operation) {
            return self.plans(part, operation, caller);
        }
        match operation {
            O::AccountAdd { .. }
            | O::AccountList { .. }
            | O::AccountShow { .. }
            | O::AccountSuspend { .. }
            | O::AccountResume { .. }
            | O::AccountSet { .. }
            | O::AccountQuota { .. } => self.account(operation, caller),
            O::AccountDelete { account, cancel_mail } => self.account_delete(account, cancel_mail, caller),
            O::ActivityErase { account, recipient, suppression } => {
                self.activity_erase(account, &recipient, suppression, caller)
            }
            O::DomainAdd { .. }
            | O::DomainList { .. }
            | O::DomainShow { .. }
            | O::DomainVouch { .. }
            | O::DomainRotate { .. }
            | O::DomainBounceMails { .. }
            | O::DomainDelete { .. } => self.domain(operation, caller),
            O::DomainDmarc { domain, days } => self.domain_dmarc(&domain, days, caller),
            O::SmtpUserAdd { .. } | O::SmtpUserReset { .. } | O::SmtpUserAddPassword { .. } => {
                self.credential(operation, caller)
            }
            O::SmtpUserList { account, domain, part } => self.users(account, domain, part, caller),
            O::SmtpUserShow { .. }
            | O::SmtpUserRename { .. }
            | O::SmtpUserDropPassword { .. }
            | O::SmtpUserEnable { .. }
            | O::SmtpUserDisable { .. }
            | O::SmtpUserSet { .. }
            | O::SmtpUserDelete { .. } => self.user(operation, caller),
            O::SuppressionAdd { .. }
            | O::SuppressionImport { .. }
            | O::SuppressionList { .. }
            | O::SuppressionRemove { .. } => self.suppression(operation, caller),
            O::MemberAdd { .. }
            | O::MemberList { .. }
            | O::MemberSet { .. }
            | O::MemberLink { .. }
            | O::MemberSignIns { .. }
            | O::MemberRemove { .. } => self.member(operation, caller),
            O::ApiKeyAdd { .. } | O::ApiKeyList { .. } | O::ApiKeyDelete { .. } => self.api_key(operation, caller),
            O::WebhookAdd { .. }
            | O::WebhookList { .. }
            | O::WebhookShow { .. }
            | O::WebhookSet { .. }
            | O::WebhookRotate { .. }
            | O::WebhookTest { .. }
            | O::WebhookLog { .. }
            | O::WebhookCall { .. }
            | O::WebhookReplay { .. }
            | O::WebhookDelete { .. } => self.webhook(operation, caller),
            O::BrakeList { .. } | O::BrakeRelease { .. } => self.brake(operation, caller),
            O::Statistics { .. } => self.statistics(operation, caller),
            other => self.history(other, caller),
        }
    }

    fn account(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let account = match operation {
            Operation::AccountAdd { name, without_plan, time_zone, language } => {
                service::account_add(store, &name, without_plan, (time_zone.as_deref(), language), caller)?
            }
            Operation::AccountShow { account } => service::account_find(store, Id::new(account))?,
            Operation::AccountSuspend { account } => {
                service::account_state(store, Id::new(account), AccountState::Suspended, caller)?
            }
            Operation::AccountResume { account } => {
                service::account_state(store, Id::new(account), AccountState::Active, caller)?
            }
            Operation::AccountSet { account, name, time_zone, language, activity_days } => {
                let change = AccountChange { name, time_zone, language, activity_days };
                service::account_set(store, Id::new(account), change, caller)?
            }
            Operation::AccountQuota { account, recipients, renews_on } => {
                service::account_quota(store, Id::new(account), recipients, renews_on, caller)?
            }
            Operation::AccountList { search, part } => {
                return self.accounts(&search.unwrap_or_default(), part, caller.now);
            }
            _ => return Err(misplaced()),
        };
        self.shown(&account, caller.now)
    }

    /// An account with what it used of its quota.
    fn shown(&self, account: &Account, now: Timestamp) -> Result<Answer, Fault> {
        let today = account.day(now);
        let used = self.used()?(account, today);
        Ok(Answer::Account(AccountView::new(account, &self.store.directory(), used, today)))
    }

    /// Says what an account used of its quota in the period of a day: as it is counted where a server runs, else as it was
    /// written down.
    pub(crate) fn used(&self) -> Result<UsedBy<'_>, Fault> {
        if let Some(running) = &self.running {
            return Ok(Box::new(|account, today| running.usage.used(account.id, account.own_quota.period(today))));
        }
        let charges = self.store.charges()?;
        Ok(Box::new(move |account, today| charges.used(account.id, account.own_quota.period(today))))
    }

    fn accounts(&self, search: &str, part: Part, now: Timestamp) -> Result<Answer, Fault> {
        let used = self.used()?;
        let directory = self.store.directory();
        let found = service::accounts_with(&directory, search);
        let shown = |account: &Arc<Account>| {
            let today = account.day(now);
            AccountView::new(account, &directory, used(account, today), today)
        };
        Ok(Answer::Accounts(part.of(found, |account| account.id.number()).into_iter().map(shown).collect()))
    }

    fn credential(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let dice = &mut SystemDice;
        let issued = match operation {
            Operation::SmtpUserAdd { domain, name, rules } => {
                self.can_be_ruled(&rules)?;
                let domain = service::domain_find(store, &domain, caller.scope)?;
                service::user_add(store, &domain, &name, rules, dice, caller)?
            }
            Operation::SmtpUserReset { user } => {
                let user = service::user_find(store, &user, caller.scope)?;
                service::user_reset(store, &user, dice, caller)?
            }
            Operation::SmtpUserAddPassword { user } => {
                let user = service::user_find(store, &user, caller.scope)?;
                service::user_new_password(store, &user, dice, caller)?
            }
            _ => return Err(misplaced()),
        };
        let directory = store.directory();
        let domain = directory.domains.get(&issued.user.domain);
        Ok(Answer::Credential(CredentialView {
            id: issued.user.id.number(),
            name: issued.user.name.clone(),
            domain: domain.map(|domain| domain.name.clone()).unwrap_or_default(),
            username: issued.user.username.clone(),
            password: (&issued.password).into(),
            server: self.hostname.clone(),
            ports: self.ports.clone(),
        }))
    }

    fn history(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        Ok(match operation {
            Operation::Activity { mut filter } => {
                filter.before_row = filter.before_row.map(|number| self.cursors.row(caller.scope, number));
                Answer::Activity(self.rows(&store.activity(&filter)?, caller.scope))
            }
            Operation::ActivityShow { row } => self.activity_show(row, caller.scope)?,
            Operation::Connections { account, before, limit: rows } => {
                let before = before.map(|number| self.cursors.row(caller.scope, number));
                let rows = store.connections(account.map(Id::new), before, self::rows(rows))?;
                let number = |row: &ConnectionRow| self.cursors.number(caller.scope, row.row);
                let view = |row| ConnectionView { row: number(row), ..ConnectionView::from(row) };
                Answer::Connections(rows.iter().map(view).collect())
            }
            Operation::QueueList { account, after, limit: rows } => self.queue_list(account, after, self::rows(rows)),
            Operation::UnknownReplies => Answer::UnknownReplies(self.unknown_replies()),
            Operation::SiteList { after, limit: rows, troubled } => {
                Answer::Sites(self.sites(after.as_deref(), self::rows(rows), troubled))
            }
            Operation::SiteResume { site } => self.site_resume(&site, caller.actor)?,
            Operation::SourceList => Answer::SendingSources(self.sources()),
            Operation::SourceResume { source } => self.source_resume(&source, caller.actor)?,
            Operation::TlsSessionList { after, limit: rows } => {
                Answer::TlsSessions(self.tls_sessions(after.as_deref(), self::rows(rows))?)
            }
            Operation::TlsReportList { limit: rows } => Answer::TlsReports(self.tls_reports_sent(self::rows(rows))),
            Operation::Blocks => Answer::Blocks(service::blocks(store, caller)?.iter().map(BlockView::from).collect()),
            Operation::BlockLift { address } => self.block_lift(address, caller)?,
            Operation::Audit { account, before, limit: rows } => {
                let lines = store.audit_before(account.map(Id::new), before, self::rows(rows))?;
                Answer::Audit(lines.iter().map(AuditView::from).collect())
            }
            Operation::CertificateList => Answer::Certificates(self.certificates(caller.now)),
            Operation::CertificateRenew => self.certificate_renew(caller.actor, caller.now)?,
            Operation::ZoneShow { after, limit: rows } => self.zone_show(after, self::rows(rows), caller.now),
            Operation::BackupList => Answer::Backups(self.backups.view()),
            Operation::Health => Answer::Health(self.health(caller.now)?),
            _ => return Err(misplaced()),
        })
    }

    fn queue_list(&self, account: Option<u64>, mut after: Option<MessageId>, limit: usize) -> Answer {
        let mut found = Vec::new();
        loop {
            let page = self.store.queue(after, limit);
            let Some(last) = page.last() else { break };
            after = Some(last.message);
            let wanted = page.iter().filter(|entry| account.is_none_or(|account| entry.account.number() == account));
            found.extend(wanted.map(QueueView::from));
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        Answer::Queue(found)
    }

    fn block_lift(&self, address: IpAddr, caller: Caller<'_>) -> Result<Answer, Fault> {
        let site = service::block_lift(self.store.as_ref(), address, caller)?;
        if let Some(running) = &self.running {
            (running.lift)(site);
        }
        Ok(Answer::Done(DoneView { done: format!("{site} may log in again.") }))
    }

    fn health(&self, now: Timestamp) -> Result<Health, Fault> {
        let (connections, sites) = self.running.as_ref().map(|running| (running.sessions)()).unwrap_or_default();
        let busiest = sites.into_iter().max_by_key(|(_, count)| *count);
        let running = self.running.as_ref();
        let directory = self.store.directory();
        let (overdue_keys, overdue_key) = self.overdue_keys(&directory, now);
        Ok(Health {
            running: running.is_some(),
            up_seconds: running.map_or(0, |running| now.since(running.started_at).as_secs()),
            starttls: running.map(|running| running.ports.starttls.clone()).unwrap_or_default(),
            tls: running.map(|running| running.ports.tls.clone()).unwrap_or_default(),
            store: self.store.health(),
            plan_requests: service::requests(self.store.as_ref()).len() as u64,
            blocks: self.store.blocks()?.iter().filter(|block| block.until > now).count() as u64,
            connections,
            busiest_address: busiest.map(|(site, count)| (site.address(), count)),
            certificates: self.certificates(now),
            accounts: counted(directory.accounts.values().map(|account| account.state)),
            domains: counted(directory.domains.values().map(|domain| domain.state)),
            overdue_keys,
            overdue_key,
            dnssec: running.map(|running| running.dns.dnssec()),
        })
    }
}

/// How many rows a list has that was asked for like this.
fn rows(limit: u32) -> usize {
    (if limit == 0 { ROWS_DEFAULT } else { limit }) as usize
}

/// How many there are of each state, by its word: what a glance needs of lists that may be long.
fn counted<T: Copy + Eq + Hash + Serialize>(states: impl Iterator<Item = T>) -> BTreeMap<String, u64> {
    let mut counts: HashMap<T, u64> = HashMap::new();
    states.for_each(|state| *counts.entry(state).or_default() += 1);
    counts.into_iter().map(|(state, count)| (word(&state), count)).collect()
}

/// The task of an operation panicked.
pub(crate) fn broke_off(_: JoinError) -> Fault {
    Fault::unavailable("The command broke off inside.", "The log says more.").named("broke-off", &[])
}

fn misplaced() -> Fault {
    Fault::invalid("This operation is not carried out here.", "")
}

/// Whether accounts, domains, users or webhooks may be others after it.
fn is_change(operation: &Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::AccountAdd { .. }
            | O::AccountSuspend { .. }
            | O::AccountResume { .. }
            | O::AccountDelete { .. }
            | O::AccountQuota { .. }
            | O::DomainAdd { .. }
            | O::DomainVouch { .. }
            | O::DomainRotate { .. }
            | O::DomainBounceMails { .. }
            | O::DomainDelete { .. }
            | O::SmtpUserAdd { .. }
            | O::SmtpUserReset { .. }
            | O::SmtpUserDisable { .. }
            | O::SmtpUserEnable { .. }
            | O::SmtpUserSet { .. }
            | O::SmtpUserDelete { .. }
            | O::WebhookSet { .. }
            | O::BrakeRelease { .. }
    )
}
