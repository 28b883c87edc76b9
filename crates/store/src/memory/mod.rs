//! The model: a whole store in memory, obviously right, lost with the process, with switches for faults.

mod book;
mod brakes;
mod dmarc_reports;
mod history;
mod inbox;
mod members;
mod plans;
mod requests;
mod spool;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod warm_ups;
mod webhooks;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use relay::account::Account;
use relay::activity::{ActivityDetail, ConnectionRow};
use relay::api_key::ApiKey;
use relay::certificate;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::{Id, MessageId};
use relay::member::failures::FailedSignIns;
use relay::member::{Link, Member, SignIn};
use relay::plan::Plan;
use relay::queue::{Envelope, RecipientState};
use relay::quota::Charges;
use relay::quota::alert::Told;
use relay::sandbox;
use relay::smtp_user::{PasswordHash, SmtpUser};
use relay::store::{AuditEntry, Block, KeyHash, KeyedRequest, PasswordUses, StoreError};
use relay::warm_up;
use relay::webhook::{Bounds, Call, Standing, Webhook};
use smtp::server::Secret;
use tokio::sync::watch;

use crate::book::{Numbers, Register};
use crate::counters::Counters;
use crate::reports::Heard;

pub use spool::MemoryDraft;

/// The key that [`Memory`] makes password hashes under: nothing outlives it, so it needs no secret.
const PASSWORD_KEY: [u8; 32] = [7; 32];
/// What cursors are sealed under here.
const CURSOR_KEY: [u8; 32] = [8; 32];
/// The key that addresses for reports are made under: nobody outside a test sees them.
const RETURN_PATH_KEY: [u8; 32] = [9; 32];

/// A store in memory. Clones share it.
#[derive(Clone)]
pub struct Memory {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// The change cursor of now.
    changes: watch::Sender<u64>,
}

/// A group of verbs that can be made to fail once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// [`relay::store::Spool::draft`].
    Draft,
    /// [`relay::store::Draft::append`].
    Append,
    /// [`relay::store::Spool::commit`].
    Commit,
    /// [`relay::store::Spool::claim`] and `peek`.
    Claim,
    /// [`relay::store::Spool::settle`], `hold` and `release`.
    Settle,
    /// [`relay::store::Inbox::inbox_put`].
    Inbox,
    /// [`relay::store::DmarcReports::dmarc_take`].
    Dmarc,
    /// Every verb of [`relay::store::Book`] that changes something.
    Book,
    /// Every reading verb of [`relay::store::History`].
    History,
}

#[derive(Default)]
struct State {
    faults: HashMap<Verb, VecDeque<StoreError>>,
    latched: Option<String>,
    live: BTreeMap<MessageId, Live>,
    rows: Vec<Row>,
    connections: Vec<ConnectionRow>,
    counters: Counters,
    charges: Charges,
    /// What was reported of recipients, by message and number.
    reports: HashMap<(MessageId, Option<u16>), Heard>,
    register: Register,
    private_keys: HashMap<String, Secret>,
    logins: HashMap<(Id<SmtpUser>, IpAddr), Timestamp>,
    password_uses: PasswordUses,
    api_key_uses: HashMap<Id<ApiKey>, Timestamp>,
    blocks: HashMap<IpAddr, Block>,
    quotas_told: HashMap<Id<Account>, Told>,
    certificates_told: HashMap<String, certificate::Told>,
    warm_ups: warm_up::Kept,
    sign_ins: HashMap<PasswordHash, SignIn>,
    links: HashMap<PasswordHash, Link>,
    requests: HashMap<(Option<Id<Account>>, KeyHash), KeyedRequest>,
    member_sites: HashMap<(Id<Member>, IpAddr), Timestamp>,
    failed_sign_ins: HashMap<Id<Member>, Vec<FailedSignIns>>,
    audit: Vec<AuditEntry>,
    /// The secrets of each webhook, the last one in force.
    webhook_secrets: HashMap<Id<Webhook>, Vec<Secret>>,
    calls: Vec<Call>,
    standings: HashMap<Id<Webhook>, Standing>,
    webhook_bounds: Bounds,
    inbox: BTreeMap<MessageId, (sandbox::Captured, Bytes)>,
    inbox_bounds: sandbox::Bounds,
    dmarc: dmarc_reports::Reports,
    call_last: u64,
    row_last: u64,
    connection_last: u64,
    change_last: u64,
}

/// A message that is ours.
struct Live {
    envelope: Arc<Envelope>,
    content: Bytes,
    recipients: Vec<RecipientState>,
    seal: Option<Bytes>,
    is_claimed: bool,
}

/// A row of Activity, the change that it saw last, and whose place it has in its message.
struct Row {
    detail: ActivityDetail,
    change: u64,
    recipient: usize,
    /// By how many days the date of its account was ahead of that in UTC.
    days_ahead: i8,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        let mut directory = Directory::default();
        directory.plans.insert(Plan::BUILT_IN, Arc::new(Plan::built_in()));
        let numbers = Numbers { plan: Plan::BUILT_IN.number(), ..Numbers::default() };
        let state = State { register: Register::new(directory, numbers, HashSet::new()), ..State::default() };
        let shared = Shared { state: Mutex::new(state), changes: watch::Sender::new(0) };
        Memory { shared: Arc::new(shared) }
    }

    /// Makes the next call of `verb` fail with `error`; several faults for one verb come one after the other.
    /// A [`StoreError::Latched`] of a writing verb of the spool stays, as it does on a disk.
    pub fn fail_next(&self, verb: Verb, error: StoreError) {
        self.state().faults.entry(verb).or_default().push_back(error);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // a test that panicked while holding the lock has failed already
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the state, then tells those who follow where the changes have come to.
    fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = work(&mut state);
        let change = state.change_last;
        drop(state);
        self.shared.changes.send_if_modified(|last| std::mem::replace(last, change) != change);
        result
    }
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Memory").field("live", &state.live.len()).field("rows", &state.rows.len()).finish()
    }
}

impl State {
    /// The fault that was switched on for this verb, if one was.
    fn fault(&mut self, verb: Verb) -> Result<(), StoreError> {
        let spool_writes = matches!(verb, Verb::Draft | Verb::Append | Verb::Commit | Verb::Settle);
        if let Some(error) = self.faults.get_mut(&verb).and_then(VecDeque::pop_front) {
            if let (true, StoreError::Latched(why)) = (spool_writes, &error) {
                self.latched = Some(why.clone());
            }
            return Err(error);
        }
        match &self.latched {
            Some(why) if spool_writes => Err(StoreError::Latched(why.clone())),
            _ => Ok(()),
        }
    }

    fn live(&mut self, message: MessageId) -> Result<&mut Live, StoreError> {
        self.live.get_mut(&message).ok_or_else(|| StoreError::NotFound(format!("message {message} in the queue")))
    }
}
