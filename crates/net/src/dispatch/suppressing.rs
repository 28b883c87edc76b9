//! What bounces leave behind: an address that does not exist is not written to again by its account.

use std::collections::BTreeMap;
use std::sync::Arc;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::queue::Settlement;
use relay::store::{Claimed, Store, StoreError};
use relay::suppression::{Suppression, SuppressionCause};

use super::carrier::Carrier;
use super::driver::Driver;

/// Addresses that wait to be kept at the most; a conversation that finds more waits for its own.
const PENDING_MAX: usize = 10_000;

/// Addresses of an account, and why each is suppressed.
type Added = Vec<(String, Suppression)>;

/// What is to be suppressed, until the one writer of it comes by: an address in each message must not cost each a commit.
#[derive(Debug, Default)]
pub(super) struct Pending {
    of: BTreeMap<Id<Account>, Added>,
    count: usize,
    has_writer: bool,
}

impl Pending {
    /// Takes these in, and says whether a writer is to be started; gives them back where there is no room.
    fn add(&mut self, account: Id<Account>, added: Added) -> Result<bool, Added> {
        if self.count >= PENDING_MAX {
            return Err(added);
        }
        self.count += added.len();
        self.of.entry(account).or_default().extend(added);
        Ok(!std::mem::replace(&mut self.has_writer, true))
    }

    /// The next of them; none ends the writer.
    fn take(&mut self) -> Option<(Id<Account>, Added)> {
        let taken = self.of.pop_first();
        self.count -= taken.as_ref().map_or(0, |(_, added)| added.len());
        self.has_writer = taken.is_some();
        taken
    }
}

/// Suppresses addresses by what servers say of them, as far as the account may have as many; how many. Where its list is full
/// complaints have as much room again.
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
    let directory = store.directory();
    let all = directory.suppressions.get(&account);
    let known = all.map_or(0, |all| all.len()) as u64;
    let is_complaint = |(_, one): &(String, Suppression)| one.cause == SuppressionCause::Complaint;
    let mut free = most.saturating_sub(known);
    if free == 0 && added.iter().all(is_complaint) {
        // who complained is to hear no more, however many bounces fill the list
        let complaints =
            all.map_or(0, |all| all.iter().filter(|(_, one)| one.cause == SuppressionCause::Complaint).count());
        free = most.saturating_sub(complaints as u64);
    }
    let room = usize::try_from(free).unwrap_or(usize::MAX);
    if room < added.len() {
        tracing::debug!(%account, known, "an account suppresses as many addresses as it may: no more are added");
    }
    match &added[..room.min(added.len())] {
        [] => Ok(0),
        added => store.suppress(account, added, false, None, at),
    }
}

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Has the recipients of a settlement suppressed whose address is bad. It is kept already, so that a crash before they are
    /// costs a further bounce at the most; and so does what cannot be kept here.
    pub(super) async fn suppress_bounced(self: &Arc<Self>, mail: &Claimed, settlement: &Settlement) {
        let account = mail.envelope.account;
        let added = self.settings.bounces.of(&mail.envelope, &settlement.verdicts, settlement.at);
        if added.is_empty() {
            return;
        }
        let pending = self.suppressing().add(account, added);
        match pending {
            Ok(false) => {}
            Ok(true) => {
                let driver = Arc::clone(self);
                self.tasks.spawn(async move { driver.keep_suppressed().await });
            }
            Err(added) => self.suppress(account, added).await,
        }
    }

    /// The writer: keeps what is pending, an account at a time, until nothing is.
    async fn keep_suppressed(&self) {
        loop {
            let Some((account, added)) = self.suppressing().take() else { return };
            self.suppress(account, added).await;
        }
    }

    async fn suppress(&self, account: Id<Account>, added: Added) {
        let (store, most, at) = (self.store.clone(), self.settings.bounces.most, self.clock.now());
        let kept = self.settings.offload.run(move || suppress_by_rule(&*store, account, &added, most, at));
        match kept.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%account, %error, "bad addresses were not suppressed"),
            Err(error) => tracing::error!(%account, %error, "suppressing bad addresses broke off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entry(address: &str) -> (String, Suppression) {
        let (at, lasts) = (Timestamp(0), Some(Duration::from_secs(60)));
        (address.to_owned(), Suppression::by_rule(SuppressionCause::Bounce, "550 5.1.1", at, lasts))
    }

    #[test]
    fn one_writer_takes_what_came_meanwhile_account_by_account() {
        let (first, second) = (Id::new(1), Id::new(2));
        let mut pending = Pending::default();
        assert_eq!(pending.add(second, vec![entry("a@one.example")]), Ok(true));
        assert_eq!(pending.add(first, vec![entry("b@one.example")]), Ok(false));
        assert_eq!(pending.add(second, vec![entry("c@one.example")]), Ok(false));
        assert_eq!(pending.take(), Some((first, vec![entry("b@one.example")])));
        assert_eq!(pending.take(), Some((second, vec![entry("a@one.example"), entry("c@one.example")])));
        assert_eq!(pending.take(), None);
        assert_eq!(pending.add(first, vec![entry("d@one.example")]), Ok(true));
    }

    #[test]
    fn what_finds_no_room_is_given_back() {
        let mut pending = Pending::default();
        let many = vec![entry("a@one.example"); PENDING_MAX];
        assert_eq!(pending.add(Id::new(1), many), Ok(true));
        assert_eq!(pending.add(Id::new(2), vec![entry("b@one.example")]), Err(vec![entry("b@one.example")]));
    }
}
