//! What bounces leave behind: an address that does not exist is not written to again by its account.

use std::sync::Arc;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::queue::Settlement;
use relay::store::{Claimed, Store, StoreError};
use relay::suppression::Suppression;

use super::carrier::Carrier;
use super::driver::Driver;

/// Suppresses addresses by what servers say of them, as far as the account may have as many; how many.
///
/// # Errors
/// The store's: they are not suppressed.
pub(crate) fn suppress_by_rule(
    store: &impl Store,
    account: Id<Account>,
    added: &[(String, Suppression)],
    most: u64,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let known = store.directory().suppressions.get(&account).map_or(0, |all| all.len()) as u64;
    if known.saturating_add(added.len() as u64) > most {
        tracing::debug!(%account, known, "an account suppresses as many addresses as it may: bounces add none");
        return Ok(0);
    }
    store.suppress(account, added, false, None, at)
}

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Suppresses the recipients of a settlement whose address is bad. It is kept already, so that a crash in between costs
    /// a further bounce at the most; and so does what cannot be kept here.
    pub(super) async fn suppress_bounced(self: &Arc<Self>, mail: &Claimed, settlement: &Settlement) {
        let (envelope, bounces) = (&mail.envelope, self.settings.bounces);
        let added = bounces.of(envelope, &settlement.verdicts, settlement.at);
        if added.is_empty() {
            return;
        }
        let (store, account, at) = (self.store.clone(), envelope.account, settlement.at);
        let kept = self.settings.offload.run(move || suppress_by_rule(&*store, account, &added, bounces.most, at));
        match kept.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(message_id = %envelope.message, %error, "a bad address was not suppressed")
            }
            Err(error) => {
                tracing::error!(message_id = %envelope.message, %error, "suppressing a bad address broke off")
            }
        }
    }
}
