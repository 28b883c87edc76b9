//! Carries out operations on a store: the same way inside a running server and without one.

mod users;

use relay::account::AccountState;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::outcome::{self, Ending};
use relay::queue::{HoldReason, Outcome, RecipientState, Settlement, Verdict};
use relay::sending_domain::KeyAlgorithm;
use relay::service::{self, Caller, Fault};
use relay::site::Site;
use relay::store::{Actor, Store, StoreError};
use std::net::IpAddr;
use std::sync::Arc;

use net::clock::{Clock, SystemDice};

use crate::operation::{Answer, Health, Operation};
use crate::view::{
    AccountView, ActivityDetailView, ActivityView, AuditView, BlockView, ConnectionView, CredentialView, DomainView,
    DoneView, MessageView, PortsView, QueueView, SuppressionView,
};

const ROWS_DEFAULT: u32 = 100;

/// Connections: how many in all, and from each address.
type Connections = (u64, Vec<(Site, u64)>);

/// The parts of a running server that have to hear of a change; none where there is no server.
pub struct Running {
    /// The delivery driver.
    pub dispatch: net::dispatch::Handle,
    /// Looks for signing keys in DNS.
    pub keys: net::key_watch::KeyWatch,
    /// Lifts a block in the submission server.
    pub lift: Box<dyn Fn(IpAddr) + Send + Sync>,
    /// Counts the connections of now.
    pub sessions: Box<dyn Fn() -> Connections + Send + Sync>,
    /// Where it listens.
    pub ports: PortsBound,
    /// When it started.
    pub started_at: Timestamp,
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
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The server around it, if one runs.
    pub running: Option<Running>,
    /// Held while something is read, changed and written: two commands at once must not undo one another.
    changing: tokio::sync::Mutex<()>,
}

impl<S: Store> Executor<S> {
    /// An executor on this store.
    pub fn new(
        store: Arc<S>,
        config: &crate::config::Config,
        clock: Arc<dyn Clock>,
        running: Option<Running>,
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
        let hostname = config.hostname.clone();
        Arc::new(Executor { store, hostname, ports, clock, running, changing: tokio::sync::Mutex::default() })
    }

    /// Carries out one operation in the name of `actor`. `ActivityFollow` gives its backlog alone.
    ///
    /// # Errors
    /// What happened, what it means, what to do.
    pub async fn run(self: &Arc<Self>, operation: Operation, actor: Actor) -> Result<Answer, Fault> {
        let _one_at_a_time = self.changing.lock().await;
        if let Some(message) = queue_message(&operation) {
            return self.queue(&operation, message, &actor).await;
        }
        let changes = is_change(&operation);
        let here = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || here.book(operation, &actor))
            .await
            .map_err(|_| Fault::unavailable("The command broke off inside.", "The log says more."))?;
        if let (true, Some(running)) = (changes, &self.running) {
            running.dispatch.directory_changed();
            running.keys.directory_changed();
        }
        answer
    }

    fn book(&self, operation: Operation, actor: &Actor) -> Result<Answer, Fault> {
        use Operation as O;
        let caller = Caller { actor, now: self.clock.now() };
        match operation {
            O::AccountAdd { .. }
            | O::AccountList
            | O::AccountShow { .. }
            | O::AccountSuspend { .. }
            | O::AccountResume { .. } => self.account(operation, caller),
            O::DomainAdd { .. }
            | O::DomainList { .. }
            | O::DomainShow { .. }
            | O::DomainVouch { .. }
            | O::DomainRotate { .. }
            | O::DomainBounceMails { .. }
            | O::DomainDelete { .. } => self.domain(operation, caller),
            O::SmtpUserAdd { .. } | O::SmtpUserReset { .. } | O::SmtpUserAddPassword { .. } => {
                self.credential(operation, caller)
            }
            O::SmtpUserList { account, domain } => self.users(account, domain),
            O::SmtpUserShow { .. }
            | O::SmtpUserRename { .. }
            | O::SmtpUserDropPassword { .. }
            | O::SmtpUserEnable { .. }
            | O::SmtpUserDisable { .. }
            | O::SmtpUserSet { .. }
            | O::SmtpUserDelete { .. } => self.user(operation, caller),
            O::SuppressionAdd { .. } | O::SuppressionList { .. } | O::SuppressionRemove { .. } => {
                self.suppression(operation, caller)
            }
            other => self.history(other, caller),
        }
    }

    fn account(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let account = match operation {
            Operation::AccountAdd { name } => service::account_add(store, &name, caller)?,
            Operation::AccountShow { account } => service::account_find(store, Id::new(account))?,
            Operation::AccountSuspend { account } => {
                service::account_state(store, Id::new(account), AccountState::Suspended, caller)?
            }
            Operation::AccountResume { account } => {
                service::account_state(store, Id::new(account), AccountState::Active, caller)?
            }
            _ => {
                let directory = store.directory();
                let mut accounts: Vec<_> = directory.accounts.values().map(|a| AccountView::from(a.as_ref())).collect();
                accounts.sort_by_key(|account| account.id);
                return Ok(Answer::Accounts(accounts));
            }
        };
        Ok(Answer::Account(AccountView::from(account.as_ref())))
    }

    fn domain(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let domain = match operation {
            Operation::DomainAdd { account, name } => {
                service::domain_add(store, Id::new(account), &name, &mut SystemDice, caller)?
            }
            Operation::DomainShow { domain } => service::domain_find(store, &domain)?,
            Operation::DomainVouch { domain, vouched } => {
                let domain = service::domain_find(store, &domain)?;
                service::domain_vouch(store, &domain, vouched, caller)?
            }
            Operation::DomainRotate { domain, algorithm, force } => {
                let domain = service::domain_find(store, &domain)?;
                let both = [KeyAlgorithm::Rsa2048, KeyAlgorithm::Ed25519];
                let algorithms = algorithm.as_ref().map_or(&both[..], std::slice::from_ref);
                service::domain_rotate(store, &domain, algorithms, force, caller)?
            }
            Operation::DomainBounceMails { domain, on } => {
                let domain = service::domain_find(store, &domain)?;
                service::domain_bounce_mails(store, &domain, on, caller)?
            }
            Operation::DomainDelete { domain } => {
                let domain = service::domain_find(store, &domain)?;
                service::domain_delete(store, &domain, caller)?;
                let done = format!(
                    "Domain {} is deleted. Its SMTP users have stopped; mail in its queue has 24 hours to go out.",
                    domain.name
                );
                return Ok(Answer::Done(DoneView { done }));
            }
            Operation::DomainList { account } => return self.domains(account),
            _ => return Err(misplaced()),
        };
        Ok(Answer::Domain(DomainView::from(domain.as_ref())))
    }

    fn domains(&self, account: Option<u64>) -> Result<Answer, Fault> {
        if let Some(account) = account {
            service::account_find(self.store.as_ref(), Id::new(account))?;
        }
        let directory = self.store.directory();
        let wanted = directory.domains.values().filter(|domain| {
            domain.deleted_at.is_none() && account.is_none_or(|account| domain.account.number() == account)
        });
        let mut domains: Vec<_> = wanted.map(|domain| DomainView::from(domain.as_ref())).collect();
        domains.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Ok(Answer::Domains(domains))
    }

    fn credential(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let dice = &mut SystemDice;
        let issued = match operation {
            Operation::SmtpUserAdd { domain, name, rules } => {
                let domain = service::domain_find(store, &domain)?;
                service::user_add(store, &domain, &name, rules, dice, caller)?
            }
            Operation::SmtpUserReset { user } => {
                let user = service::user_find(store, &user)?;
                service::user_reset(store, &user, dice, caller)?
            }
            Operation::SmtpUserAddPassword { user } => {
                let user = service::user_find(store, &user)?;
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
            password: String::from_utf8_lossy(issued.password.expose()).into_owned(),
            server: self.hostname.clone(),
            ports: self.ports.clone(),
        }))
    }

    fn suppression(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        match operation {
            Operation::SuppressionAdd { account, address, reason } => {
                let address = service::suppress(store, Id::new(account), &address, &reason, caller)?;
                Ok(Answer::Done(DoneView { done: format!("Account {account} sends nothing to {address} any more.") }))
            }
            Operation::SuppressionRemove { account, address } => {
                let address = service::unsuppress(store, Id::new(account), &address, caller)?;
                Ok(Answer::Done(DoneView { done: format!("Account {account} sends to {address} again.") }))
            }
            Operation::SuppressionList { account } => {
                if let Some(account) = account {
                    service::account_find(store, Id::new(account))?;
                }
                let directory = store.directory();
                let wanted = directory.suppressions.iter().filter(|(id, _)| account.is_none_or(|a| id.number() == a));
                let mut all: Vec<_> = wanted
                    .flat_map(|(id, addresses)| {
                        addresses
                            .iter()
                            .map(|address| SuppressionView { account: id.number(), address: address.clone() })
                    })
                    .collect();
                all.sort_by(|one, other| (one.account, &one.address).cmp(&(other.account, &other.address)));
                Ok(Answer::Suppressions(all))
            }
            _ => Err(misplaced()),
        }
    }

    fn history(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let limit = |limit: u32| if limit == 0 { ROWS_DEFAULT } else { limit } as usize;
        Ok(match operation {
            Operation::Activity { filter } => {
                Answer::Activity(store.activity(&filter)?.iter().map(ActivityView::from).collect())
            }
            Operation::ActivityFollow { mut filter, backlog } => {
                if backlog == 0 {
                    return Ok(Answer::Activity(Vec::new()));
                }
                filter.limit = backlog;
                let mut rows = store.activity(&filter)?;
                rows.reverse();
                Answer::Activity(rows.iter().map(ActivityView::from).collect())
            }
            Operation::ActivityShow { row } => match store.activity_detail(row)? {
                Some(detail) => Answer::ActivityDetail(ActivityDetailView::from(&detail)),
                None => {
                    return Err(Fault::not_found(
                        format!("There is no row {row}."),
                        "`envoi activity` shows the rows; they are kept 30 days.",
                    ));
                }
            },
            Operation::Connections { account, limit: rows } => {
                let rows = store.connections(account.map(Id::new), limit(rows))?;
                Answer::Connections(rows.iter().map(ConnectionView::from).collect())
            }
            Operation::QueueList { account, after, limit: rows } => self.queue_list(account, after, limit(rows)),
            Operation::Blocks => {
                let mut blocks = store.blocks()?;
                blocks.retain(|block| block.until > caller.now);
                blocks.sort_by_key(|block| std::cmp::Reverse(block.until));
                Answer::Blocks(blocks.iter().map(BlockView::from).collect())
            }
            Operation::BlockLift { address } => self.block_lift(address, caller)?,
            Operation::Audit { account, limit: rows } => {
                let lines = store.audit(account.map(Id::new), limit(rows))?;
                Answer::Audit(lines.iter().map(AuditView::from).collect())
            }
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
        let site = Site::of(address).address();
        self.store.block_lift(site, caller.actor, caller.now).map_err(|error| match error {
            StoreError::NotFound(_) => Fault::not_found(
                format!("{address} is not blocked."),
                "`envoi blocks list` shows the addresses that are.",
            ),
            error => error.into(),
        })?;
        if let Some(running) = &self.running {
            (running.lift)(site);
        }
        Ok(Answer::Done(DoneView { done: format!("{site} may log in again.") }))
    }

    fn health(&self, now: Timestamp) -> Result<Health, Fault> {
        let (connections, sites) = self.running.as_ref().map(|running| (running.sessions)()).unwrap_or_default();
        let busiest = sites.into_iter().max_by_key(|(_, count)| *count);
        let running = self.running.as_ref();
        Ok(Health {
            running: running.is_some(),
            up_seconds: running.map_or(0, |running| now.since(running.started_at).as_secs()),
            starttls: running.map(|running| running.ports.starttls.clone()).unwrap_or_default(),
            tls: running.map(|running| running.ports.tls.clone()).unwrap_or_default(),
            store: self.store.health(),
            blocks: self.store.blocks()?.iter().filter(|block| block.until > now).count() as u64,
            connections,
            busiest_address: busiest.map(|(site, count)| (site.address(), count)),
        })
    }

    async fn queue(&self, operation: &Operation, message: MessageId, actor: &Actor) -> Result<Answer, Fault> {
        let gone = |error: StoreError| match error {
            StoreError::NotFound(_) => gone(message),
            error => error.into(),
        };
        if let Operation::QueueShow { .. } = operation {
            let claimed = self.store.peek(message).await.map_err(gone)?;
            return claimed
                .map(|claimed| Answer::Message(MessageView::from(&claimed)))
                .ok_or_else(|| self::gone(message));
        }
        let done = match (operation, &self.running) {
            (Operation::QueueRetry { .. }, Some(running)) => {
                running.dispatch.retry(message).await.map_err(gone)?;
                "is tried now"
            }
            (Operation::QueueHold { .. }, Some(running)) => {
                running.dispatch.hold(message, HoldReason::Operator).await.map_err(gone)?;
                "is held until it is released"
            }
            (Operation::QueueRelease { .. }, Some(running)) => {
                running.dispatch.release(message).await.map_err(gone)?;
                "is released and tried now"
            }
            (Operation::QueueCancel { .. }, Some(running)) => {
                let count = running.dispatch.cancel(message, actor).await.map_err(gone)?;
                return Ok(cancelled(message, count));
            }
            (Operation::QueueHold { .. }, None) => {
                self.store.hold(message, HoldReason::Operator, self.clock.now()).await.map_err(gone)?;
                "is held until it is released"
            }
            (Operation::QueueRelease { .. }, None) => {
                self.store.release(message, self.clock.now()).await.map_err(gone)?;
                "is released; it is tried when the relay runs"
            }
            (Operation::QueueRetry { .. }, None) => {
                self.retry_without_server(message).await?;
                "is tried as soon as the relay runs"
            }
            (_, None) => {
                let count = self.cancel_without_server(message, actor).await?;
                return Ok(cancelled(message, count));
            }
            _ => return Err(misplaced()),
        };
        Ok(Answer::Done(DoneView { done: format!("Message {message} {done}.") }))
    }

    /// Nothing else can have the claim where no server runs.
    async fn settle_without_server(
        &self,
        message: MessageId,
        wanted: impl Fn(&RecipientState) -> bool,
        verdict: impl Fn(u16) -> Verdict,
    ) -> Result<usize, Fault> {
        let claimed = self.store.claim(message).await?.ok_or_else(|| gone(message))?;
        let numbers = (0u16..).zip(&claimed.recipients).filter(|(_, state)| wanted(state)).map(|(number, _)| number);
        let verdicts: Vec<_> = numbers.map(verdict).collect();
        let count = verdicts.len();
        let settled = if count == 0 {
            Ok(())
        } else {
            self.store.settle(Settlement { message, at: self.clock.now(), attempt: None, verdicts }).await
        };
        self.store.unclaim(message);
        settled?;
        Ok(count)
    }

    async fn retry_without_server(&self, message: MessageId) -> Result<usize, Fault> {
        let outcome = Outcome::Deferred { until: self.clock.now() };
        let verdict = |recipient| {
            let reason = "To be tried at once, by order of the operator.".to_owned();
            Verdict { recipient, outcome, reason, remote_reply: None }
        };
        let waits = |state: &RecipientState| matches!(state, RecipientState::Waiting { .. });
        match self.settle_without_server(message, waits, verdict).await? {
            0 => Err(StoreError::Conflict(format!("message {message} is held; release it instead")).into()),
            count => Ok(count),
        }
    }

    /// The sender gets no bounce mail: the driver, which does not run, would write it.
    async fn cancel_without_server(&self, message: MessageId, actor: &Actor) -> Result<usize, Fault> {
        let ending = Ending::Cancelled(actor.name.clone());
        let verdict = |recipient| outcome::end(recipient, &ending).verdict;
        self.settle_without_server(message, |state| *state != RecipientState::Settled, verdict).await
    }
}

fn cancelled(message: MessageId, count: usize) -> Answer {
    let done = match count {
        0 => format!("Message {message} is being delivered right now; what is not delivered then is cancelled."),
        1 => format!("Message {message} is cancelled for 1 recipient."),
        count => format!("Message {message} is cancelled for {count} recipients."),
    };
    Answer::Done(DoneView { done })
}

fn gone(message: MessageId) -> Fault {
    Fault::not_found(
        format!("There is no message {message} in the queue."),
        "`envoi queue list` shows what waits; `envoi activity` what became of the rest.",
    )
}

fn misplaced() -> Fault {
    Fault::invalid("This operation is not carried out here.", "")
}

fn queue_message(operation: &Operation) -> Option<MessageId> {
    match operation {
        Operation::QueueShow { message }
        | Operation::QueueRetry { message }
        | Operation::QueueHold { message }
        | Operation::QueueRelease { message }
        | Operation::QueueCancel { message } => Some(*message),
        _ => None,
    }
}

/// Whether accounts, domains or users may be others after it.
fn is_change(operation: &Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::AccountAdd { .. }
            | O::AccountSuspend { .. }
            | O::AccountResume { .. }
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
    )
}
