//! Requests with an idempotency key: carried out once, however often and whenever they come.
//!
//! What is under way is known in memory. A message's id and answer are written down just before its commit, so that after
//! a crash the spool and the history tell whether it was kept; of anything else it is written down that it begins, then
//! what came of it.

use net::submission::BeforeCommit;
use relay::account::Account;
use relay::activity::ActivityFilter;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::idempotency::{IdempotencyKey, REMEMBERED_FOR, fingerprint};
use relay::power::Scope;
use relay::service::operation::{Answer, Operation};
use relay::service::view::SubmissionView;
use relay::service::{Fault, Identity};
use relay::store::{KeyHash, KeyedRequest, RequestBounds, Store, StoreError};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Executor, broke_off};

/// How long activity may take to read what was kept.
const ACTIVITY_PATIENCE: Duration = Duration::from_secs(10);

/// A key of an account, or of the operator.
type Whose = (Option<Id<Account>>, KeyHash);

/// The requests with a key that are under way.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashSet<Whose>>);

/// One of them, until it is dropped.
struct Going<S: Store> {
    executor: Arc<Executor<S>>,
    whose: Whose,
}

impl<S: Store> Drop for Going<S> {
    fn drop(&mut self) {
        self.executor.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.whose);
    }
}

/// The start of what is remembered: nothing from before counts any more.
pub(super) fn forgotten_before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(REMEMBERED_FOR.as_millis() as u64))
}

impl<S: Store> Executor<S> {
    /// As [`Executor::run`], once for each key of an account.
    ///
    /// # Errors
    /// As there; and where the key stands for another request, or for one that is under way, or was broken off by a crash.
    pub async fn run_once(
        self: &Arc<Self>,
        operation: Operation,
        identity: Identity,
        key: IdempotencyKey,
    ) -> Result<Answer, Fault> {
        if operation.is_read() {
            return self.run(operation, identity).await;
        }
        // who may not is told so, whatever is remembered
        let (operation, _) = operation.confined(identity.scope)?;
        identity.may_change(&self.store.directory())?;
        let account = match identity.scope {
            Scope::Account(account, _) => Some(account),
            Scope::Operator => None,
        };
        let whose = (account, key.0);
        let is_first = self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).insert(whose);
        if !is_first {
            return Err(Fault::conflict(
                "A request with this Idempotency-Key is still being carried out.",
                "Ask again in a moment: the answer is then that of the first.",
            ));
        }
        let going = Going { executor: Arc::clone(self), whose };
        // a task of its own: whoever asked may go away, and what has begun is carried out, and remembered
        let task = tokio::spawn(async move { going.executor.once(operation, identity, going.whose).await });
        task.await.map_err(broke_off)?
    }

    async fn once(
        self: &Arc<Self>,
        operation: Operation,
        identity: Identity,
        (account, key): Whose,
    ) -> Result<Answer, Fault> {
        // a message may be long
        let hashing = move || (fingerprint(&operation), operation);
        let (fingerprint, operation) = tokio::task::spawn_blocking(hashing).await.map_err(broke_off)?;
        let request = KeyedRequest { account, key, fingerprint, at: self.clock.now(), message: None, answer: None };
        let known = self.with_requests(move |store| store.request(account, &key)).await?;
        let known = known.filter(|known| known.at >= forgotten_before(request.at));
        if known.as_ref().is_some_and(|known| known.fingerprint != request.fingerprint) {
            return Err(Fault::invalid(
                "This Idempotency-Key was sent with another request within the last 24 hours.",
                "Make a new key for each request, and send it again only with that very request.",
            ));
        }
        if let Operation::MessageSubmit { message } = operation {
            return self.message_once(*message, &identity, request, known).await;
        }
        match known.map(|known| known.answer) {
            Some(Some(answer)) if !answer.is_empty() => read(&answer),
            Some(Some(_)) => Err(Fault::conflict(
                "This was done with this Idempotency-Key already, and its answer is not kept: it had a secret, which is shown \
                 once, or there was no room for it.",
                "The list shows what was made; a new secret is made with a new key.",
            )),
            Some(None) => Err(Fault::conflict(
                "This was begun with this Idempotency-Key, and broken off: whether it was done is not known.",
                "Look whether it was; if not, ask again with a new key.",
            )),
            None => self.change_once(operation, identity, request).await,
        }
    }

    async fn change_once(
        self: &Arc<Self>,
        operation: Operation,
        identity: Identity,
        request: KeyedRequest,
    ) -> Result<Answer, Fault> {
        self.remember(request.clone()).await?;
        match self.run(operation, identity).await {
            Ok(answer) => {
                let kept = if answer.is_shown_once() { String::new() } else { written(&answer) };
                let done = KeyedRequest { answer: Some(kept), ..request };
                if let Err(fault) = self.remember_done(done).await {
                    tracing::error!(error = fault.what, "what was done is not remembered under its key");
                }
                Ok(answer)
            }
            Err(fault) => {
                // nothing was done: the same key may be tried again
                let (account, key) = (request.account, request.key);
                if let Err(error) = self.with_requests(move |store| store.request_forget(account, &key)).await {
                    tracing::error!(error = error.what, "a request that was refused is not forgotten");
                }
                Err(fault)
            }
        }
    }

    /// A message: the same again where it was kept, else now, under the id that it was to have.
    async fn message_once(
        self: &Arc<Self>,
        given: relay::service::GivenMessage,
        identity: &Identity,
        request: KeyedRequest,
        known: Option<KeyedRequest>,
    ) -> Result<Answer, Fault> {
        let before = known.and_then(|known| known.message.zip(known.answer));
        if let Some((message, answer)) = &before
            && self.was_kept(*message).await?
        {
            return read(answer);
        }
        let (account, key) = (request.account, request.key);
        let message = before.as_ref().map(|(message, _)| *message);
        let (is_full, is_written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(before.is_some())));
        let writing = self.before_commit(request, Arc::clone(&is_full), Arc::clone(&is_written));
        let answer = self.message_submit(given, identity, message, Some(writing)).await;
        if is_full.load(Ordering::Acquire) {
            return Err(self.no_room());
        }
        let is_nobodys = match &answer {
            Ok(Answer::Submission(view)) => view.is_refused_for_good(),
            _ => false,
        };
        // what was refused, and may be sent otherwise, leaves its key free
        if is_nobodys && is_written.load(Ordering::Acquire) {
            self.with_requests(move |store| store.request_forget(account, &key)).await?;
        }
        answer
    }

    fn before_commit(
        self: &Arc<Self>,
        request: KeyedRequest,
        is_full: Arc<AtomicBool>,
        is_written: Arc<AtomicBool>,
    ) -> BeforeCommit {
        let (store, bounds) = (Arc::clone(&self.store), self.limits.requests());
        Box::new(move |receipt| {
            let answer = written(&Answer::Submission(SubmissionView::from(&receipt)));
            let request = KeyedRequest { message: Some(receipt.message), answer: Some(answer), ..request };
            Box::pin(async move {
                let put = tokio::task::spawn_blocking(move || store.request_put(&request, bounds)).await;
                let has_room = put.map_err(|error| StoreError::Unavailable(error.to_string()))??;
                if !has_room {
                    is_full.store(true, Ordering::Release);
                    return Err(StoreError::Unavailable(
                        "the account has as many keys or answers as it may".to_owned(),
                    ));
                }
                is_written.store(true, Ordering::Release);
                Ok(())
            })
        })
    }

    /// Whether a message was kept: it is live, or the history has its rows.
    async fn was_kept(self: &Arc<Self>, message: MessageId) -> Result<bool, Fault> {
        match self.store.peek(message).await {
            Ok(Some(_)) | Err(StoreError::Damaged(_)) => return Ok(true),
            Ok(None) => {}
            Err(error) => return Err(error.into()),
        }
        // what activity does not know yet is not known: never sent again for that
        let caught_up = tokio::time::timeout(ACTIVITY_PATIENCE, self.store.caught_up()).await;
        if caught_up.is_err() || self.store.health().activity_stopped.is_some() {
            return Err(Fault::unavailable(
                "Whether this message was kept before is not known: activity is behind.",
                "Nothing was done now. Ask again later, with the same Idempotency-Key.",
            ));
        }
        let filter = ActivityFilter { message: Some(message), limit: 1, ..ActivityFilter::default() };
        let rows = self.with_requests(move |store| store.activity(&filter)).await?;
        Ok(!rows.is_empty())
    }

    async fn remember(self: &Arc<Self>, request: KeyedRequest) -> Result<(), Fault> {
        let bounds = self.limits.requests();
        let has_room = self.with_requests(move |store| store.request_put(&request, bounds)).await?;
        if has_room { Ok(()) } else { Err(self.no_room()) }
    }

    /// Remembers what was done, where there is no room for its answer without it.
    async fn remember_done(self: &Arc<Self>, done: KeyedRequest) -> Result<(), Fault> {
        let bounds = self.limits.requests();
        let put = move |store: &S| match store.request_put(&done, bounds)? {
            true => Ok(true),
            false => store.request_put(&KeyedRequest { answer: Some(String::new()), ..done }, bounds),
        };
        if self.with_requests(put).await? { Ok(()) } else { Err(self.no_room()) }
    }

    fn no_room(&self) -> Fault {
        let RequestBounds { keys, octets } = self.limits.requests();
        Fault::conflict(
            format!(
                "The account has sent {keys} keys within 24 hours, or answers of {octets} octets are remembered: more there \
                 may not be."
            ),
            "Nothing was done. Ask again later, or without a key. The operator can raise `account_idempotency_keys_max` \
             and `account_idempotency_octets_max` below [limits].",
        )
    }

    async fn with_requests<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = Arc::clone(&self.store);
        Ok(tokio::task::spawn_blocking(move || work(&store)).await.map_err(broke_off)??)
    }
}

fn written(answer: &Answer) -> String {
    // plain data: this cannot fail
    serde_json::to_string(answer).unwrap_or_default()
}

fn read(answer: &str) -> Result<Answer, Fault> {
    serde_json::from_str(answer).map_err(|_| {
        Fault::conflict(
            "This was done with this Idempotency-Key already, by an earlier version whose answer cannot be read any more.",
            "The list shows what was made.",
        )
    })
}
