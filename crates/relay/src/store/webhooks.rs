//! Calls to webhooks: what has to be remembered of each on its way, and the verbs that change it.

use std::collections::HashMap;
use std::future::Future;

use super::StoreError;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::webhook::{Call, CallId, NewCall, Outlook, Redo, Standing, Tried, Webhook};

/// Calls. Those that events give rise to are made with the rows of Activity, all of it or nothing: each event is told at
/// least once to every webhook that wants it, whatever crashes, as far as there is room.
///
/// Verbs block on the disk: call them off the async threads. What they change outlives the process, and is on the disk
/// within a minute: a power cut before may bring a call back that was taken already.
pub trait Webhooks: Send + Sync + 'static {
    /// The webhooks that have calls that wait, also those that are deleted or told nothing now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] (as every verb here).
    fn webhook_outlooks(&self) -> Result<Vec<Outlook>, StoreError>;

    /// Calls of a webhook that are due, the first first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn webhook_due(&self, webhook: Id<Webhook>, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError>;

    /// Keeps what came of attempts. Calls that are gone, or wait no more, are left as they are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: they wait as before, and are sent again.
    fn webhook_tried(&self, tried: &[Tried]) -> Result<(), StoreError>;

    /// Gives up the calls that have waited for too long. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn webhook_expire(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Keeps a call that no event gave rise to, due at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where so many wait already; [`StoreError::Unavailable`].
    fn webhook_put(&self, call: NewCall) -> Result<(), StoreError>;

    /// Makes calls that wait no more wait again, due now, for as long as there is room. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the one that is meant is not there; [`StoreError::Conflict`] where there is no room
    /// for it; [`StoreError::Unavailable`].
    fn webhook_redo(&self, webhook: Id<Webhook>, which: Redo, now: Timestamp) -> Result<u64, StoreError>;

    /// The calls of a webhook, the newest first; of those before a number, where one is given.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn webhook_calls(&self, webhook: Id<Webhook>, before: Option<u64>, limit: usize) -> Result<Vec<Call>, StoreError>;

    /// One call of a webhook; none where it is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn webhook_call(&self, webhook: Id<Webhook>, call: CallId) -> Result<Option<Call>, StoreError>;

    /// How the calls of each webhook stand, of those that ever had any.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn webhook_standings(&self) -> Result<HashMap<Id<Webhook>, Standing>, StoreError>;

    /// Waits until calls have been made since the mark was given that `seen` is (0: none yet); returns the mark of now.
    fn webhooks_called(&self, seen: u64) -> impl Future<Output = u64> + Send;
}
