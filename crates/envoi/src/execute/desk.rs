//! The executor as the API asks it: whose key, what they may, and when a key was last used.

use relay::api_key::ApiKey;
use relay::clock::Timestamp;
use relay::credential::PasswordKey;
use relay::id::Id;
use relay::idempotency::IdempotencyKey;
use relay::limits::Limits;
use relay::service::operation::Operation;
use relay::service::{BoxedAnswer, Identity, Service};
use relay::store::{Actor, Store};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use net::shutdown::Shutdown;

use super::Executor;
use super::backup::Archive;
use super::door::Porch;
use super::once::forgotten_before;

/// How often last uses of keys are written down.
const KEEPING_PERIOD: Duration = Duration::from_secs(5);
/// How often sign-ins and links that have ended are forgotten.
const FORGETTING_PERIOD: Duration = Duration::from_secs(3600);

/// An executor with what its callers over HTTP need.
pub struct Desk<S> {
    pub(super) executor: Arc<Executor<S>>,
    pub(super) secrets: PasswordKey,
    pub(super) porch: Porch,
    /// Uses that are not written down yet.
    uses: Mutex<HashMap<Id<ApiKey>, Timestamp>>,
}

impl<S: Store + Archive> Desk<S> {
    /// Opens it; last uses are written down until shutdown.
    pub fn open(executor: Arc<Executor<S>>, limits: &Limits, shutdown: &Shutdown) -> Arc<Desk<S>> {
        let secrets = PasswordKey::new(executor.store.password_key());
        let desk = Arc::new(Desk { executor, secrets, porch: Porch::new(limits), uses: Mutex::default() });
        let (keeping, ending) = (Arc::clone(&desk), shutdown.clone());
        shutdown.spawn(async move {
            let mut forgetting = tokio::time::interval(FORGETTING_PERIOD);
            while !ending.is_begun() {
                tokio::select! {
                    _ = forgetting.tick() => {
                        keeping.forget_sign_ins().await;
                        keeping.forget_requests().await;
                        keeping.forget_test_mail().await;
                    }
                    () = tokio::time::sleep(KEEPING_PERIOD) => {}
                    () = ending.begun() => {}
                }
                keeping.write_down().await;
            }
        });
        desk
    }

    /// Forgets idempotency keys that are old enough.
    async fn forget_requests(&self) {
        let (store, before) = (Arc::clone(&self.executor.store), forgotten_before(self.now()));
        match tokio::task::spawn_blocking(move || store.requests_prune(before)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "idempotency keys were not forgotten"),
            Err(error) => tracing::error!(%error, "forgetting idempotency keys broke off"),
        }
    }

    /// Deletes test mail that is old enough, or nobody's any more.
    async fn forget_test_mail(&self) {
        let store = Arc::clone(&self.executor.store);
        let before = Timestamp(self.now().0.saturating_sub(self.executor.limits.inbox().as_millis() as u64));
        match tokio::task::spawn_blocking(move || store.inbox_prune(before)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "old test mail was not deleted"),
            Err(error) => tracing::error!(%error, "deleting old test mail broke off"),
        }
    }

    async fn write_down(&self) {
        let executor = Arc::clone(&self.executor);
        match tokio::task::spawn_blocking(move || executor.write_failed()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "sign-ins that failed were not written down"),
            Err(error) => tracing::error!(%error, "writing down sign-ins that failed broke off"),
        }
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        let (uses, seen) = (uses.into_iter().collect::<Vec<_>>(), self.porch.take_seen());
        if uses.is_empty() && seen.is_empty() {
            return;
        }
        let store = Arc::clone(&self.executor.store);
        let keeping = move || {
            if !uses.is_empty() {
                store.api_keys_used(&uses)?;
            }
            if seen.is_empty() { Ok(()) } else { store.sign_ins_seen(&seen) }
        };
        match tokio::task::spawn_blocking(keeping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "last uses of API keys and sign-ins were not written down"),
            Err(error) => tracing::error!(%error, "writing down last uses broke off"),
        }
    }
}

impl<S: Store + Archive> Service for Desk<S> {
    fn ask(&self, operation: Operation, identity: Identity) -> BoxedAnswer<'_> {
        Box::pin(self.executor.carry_out(operation, identity))
    }

    fn ask_once(&self, operation: Operation, identity: Identity, key: IdempotencyKey) -> BoxedAnswer<'_> {
        match operation {
            // into a folder that must not be there: once by itself; and one that is checked twice is as it was
            Operation::Backup { .. } | Operation::BackupCheck { .. } => self.ask(operation, identity),
            _ => Box::pin(self.executor.run_once(operation, identity, key)),
        }
    }

    fn bearer(&self, secret: &[u8], from: IpAddr) -> Option<(Id<ApiKey>, Identity)> {
        let now = self.now();
        let directory = self.executor.store.directory();
        let key = directory.api_key_of(&self.secrets.hash(secret)).filter(|key| key.is_live(now))?;
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).insert(key.id, now);
        let actor = Actor { name: format!("API key {} ({})", key.name, key.id), from: from.to_string() };
        let identity = Identity { actor, scope: key.scope(), read_only: key.read_only, ends_at: key.expires_at };
        Some((key.id, identity))
    }

    fn now(&self) -> Timestamp {
        self.executor.clock.now()
    }
}
