//! The executor as the API asks it: whose key, what they may, and when a key was last used.

use relay::api_key::ApiKey;
use relay::clock::Timestamp;
use relay::credential::PasswordKey;
use relay::id::Id;
use relay::service::operation::Operation;
use relay::service::{BoxedAnswer, Fault, Identity, Service};
use relay::store::{Actor, Store};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use net::shutdown::Shutdown;

use super::Executor;
use super::backup::Archive;

/// How often last uses of keys are written down.
const KEEPING_PERIOD: Duration = Duration::from_secs(5);

/// An executor with what its callers over HTTP need.
pub struct Desk<S> {
    executor: Arc<Executor<S>>,
    secrets: PasswordKey,
    /// Uses that are not written down yet.
    uses: Mutex<HashMap<Id<ApiKey>, Timestamp>>,
}

impl<S: Store + Archive> Desk<S> {
    /// Opens it; last uses are written down until shutdown.
    pub fn open(executor: Arc<Executor<S>>, shutdown: &Shutdown) -> Arc<Desk<S>> {
        let secrets = PasswordKey::new(executor.store.password_key());
        let desk = Arc::new(Desk { executor, secrets, uses: Mutex::default() });
        let (keeping, ending) = (Arc::clone(&desk), shutdown.clone());
        shutdown.spawn(async move {
            while !ending.is_begun() {
                tokio::select! {
                    () = tokio::time::sleep(KEEPING_PERIOD) => {}
                    () = ending.begun() => {}
                }
                keeping.write_down().await;
            }
        });
        desk
    }

    async fn write_down(&self) {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        if uses.is_empty() {
            return;
        }
        let (store, uses) = (Arc::clone(&self.executor.store), uses.into_iter().collect::<Vec<_>>());
        let kept = tokio::task::spawn_blocking(move || store.api_keys_used(&uses)).await;
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "last uses of API keys were not written down"),
            Err(error) => tracing::error!(%error, "writing down the last uses of API keys broke off"),
        }
    }
}

impl<S: Store + Archive> Service for Desk<S> {
    fn ask(&self, operation: Operation, identity: Identity) -> BoxedAnswer<'_> {
        Box::pin(async move {
            if identity.read_only && !operation.is_read() {
                return Err(Fault::forbidden(
                    "This key only looks, and changes nothing.",
                    "Make one that may change things, for what has to.",
                ));
            }
            self.executor.carry_out(operation, identity.actor, identity.scope).await
        })
    }

    fn bearer(&self, secret: &[u8], from: IpAddr) -> Option<(Id<ApiKey>, Identity)> {
        let now = self.now();
        let directory = self.executor.store.directory();
        let key = directory.api_key_of(&self.secrets.hash(secret)).filter(|key| key.is_live(now))?;
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).insert(key.id, now);
        let actor = Actor { name: format!("API key {} ({})", key.name, key.id), from: from.to_string() };
        Some((key.id, Identity { actor, scope: key.scope(), read_only: key.read_only }))
    }

    fn now(&self) -> Timestamp {
        self.executor.clock.now()
    }
}
