//! Claims shared by the parcels of one message: the store lends a message once, its parcels may be many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use relay::id::MessageId;
use relay::store::{Claimed, Spool, StoreError};
use tokio::sync::OnceCell;

/// A message as lent by the store, with what its parcels share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    claimed: OnceCell<Option<Claimed>>,
    /// The seal with published keys, and the one with all keys.
    pub(super) seals: [OnceCell<Bytes>; 2],
}

#[derive(Debug, Default)]
struct Entry {
    users: usize,
    shared: Arc<Shared>,
}

/// Everything claimed now.
#[derive(Debug)]
pub(super) struct Claims<S: Spool> {
    store: Arc<S>,
    entries: Mutex<HashMap<MessageId, Entry>>,
}

/// A share in a claim; the last one to go gives it back.
pub(super) struct Claim<S: Spool> {
    claims: Arc<Claims<S>>,
    message: MessageId,
    pub(super) shared: Arc<Shared>,
}

impl<S: Spool> Claims<S> {
    pub(super) fn new(store: Arc<S>) -> Self {
        Claims { store, entries: Mutex::default() }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<MessageId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims a message, or takes a share in its claim; none where it is not live any more.
    pub(super) async fn claim(self: &Arc<Self>, message: MessageId) -> Result<Option<Claim<S>>, StoreError> {
        let shared = {
            let mut entries = self.entries();
            let entry = entries.entry(message).or_default();
            entry.users += 1;
            entry.shared.clone()
        };
        let claim = Claim { claims: self.clone(), message, shared };
        let claimed = claim.shared.claimed.get_or_try_init(|| self.store.claim(message)).await?;
        Ok(claimed.is_some().then_some(claim))
    }
}

impl<S: Spool> Claim<S> {
    /// The message as it was when it was claimed.
    pub(super) fn mail(&self) -> Option<&Claimed> {
        self.shared.claimed.get().and_then(Option::as_ref)
    }
}

impl<S: Spool> Drop for Claim<S> {
    fn drop(&mut self) {
        let mut entries = self.claims.entries();
        let Some(entry) = entries.get_mut(&self.message) else { return };
        entry.users -= 1;
        if entry.users == 0 {
            entries.remove(&self.message);
            // under the lock: the next claim comes after
            self.claims.store.unclaim(self.message);
        }
    }
}
