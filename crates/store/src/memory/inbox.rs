//! The model's test inboxes.

use bytes::{Bytes, BytesMut};
use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::sandbox::{Bounds, Capture, Captured, CapturedFilter};
use relay::store::{Content, Inbox, StoreError};

use super::{Memory, State, Verb};

impl Memory {
    /// Sets how much test inboxes hold.
    pub fn set_inbox_bounds(&self, bounds: Bounds) {
        self.state().inbox_bounds = bounds;
    }
}

impl State {
    /// Octets kept, of one account or of all.
    fn inbox_octets(&self, account: Option<Id<Account>>) -> u64 {
        let all = self.inbox.values().map(|(captured, _)| captured);
        all.filter(|kept| account.is_none_or(|account| kept.account == account)).map(|kept| kept.octets).sum()
    }

    /// The oldest message, of one account or of all.
    fn inbox_oldest(&self, account: Option<Id<Account>>) -> Option<MessageId> {
        let mut all = self.inbox.values().map(|(captured, _)| captured);
        all.find(|kept| account.is_none_or(|account| kept.account == account)).map(|kept| kept.message)
    }

    fn inbox_bound(&mut self, account: Id<Account>) {
        let bounds = self.inbox_bounds;
        let own = Some(account);
        loop {
            let count = self.inbox.values().filter(|(captured, _)| captured.account == account).count() as u64;
            let gone = match () {
                () if count > bounds.messages_max || self.inbox_octets(own) > bounds.octets_max => {
                    self.inbox_oldest(own)
                }
                () if self.inbox_octets(None) > bounds.octets_total_max => self.inbox_oldest(None),
                () => None,
            };
            let Some(gone) = gone else { return };
            self.inbox.remove(&gone);
        }
    }
}

impl Inbox for Memory {
    fn inbox_put(&self, capture: Capture) -> Result<(), StoreError> {
        let mut state = self.state();
        state.fault(Verb::Inbox)?;
        let Capture { mut captured, seal, content } = capture;
        let octets = match content {
            Content::Held(octets) => octets,
            Content::Filed { path, .. } => match std::fs::read(&path) {
                Ok(octets) => octets.into(),
                Err(error) => return Err(StoreError::Unavailable(format!("{}: {error}", path.display()))),
            },
        };
        let mut whole = BytesMut::from(seal);
        whole.extend_from_slice(&octets);
        captured.octets = whole.len() as u64;
        if captured.octets > state.inbox_bounds.one_max() {
            return Ok(());
        }
        let account = captured.account;
        match state.inbox.get_mut(&captured.message) {
            Some((kept, _)) => kept.add(&captured),
            None => {
                state.inbox.insert(captured.message, (captured, whole.freeze()));
            }
        }
        state.inbox_bound(account);
        Ok(())
    }

    fn inbox(&self, filter: &CapturedFilter) -> Result<Vec<Captured>, StoreError> {
        let state = self.state();
        let newest_first = state.inbox.values().rev().map(|(captured, _)| captured);
        let wanted = newest_first.filter(|captured| {
            filter.account.is_none_or(|account| captured.account == account)
                && filter.before.is_none_or(|before| captured.message < before)
                && filter.recipient.as_ref().is_none_or(|part| captured.is_to(part))
        });
        Ok(wanted.take(filter.limit).cloned().collect())
    }

    fn inbox_message(
        &self,
        account: Option<Id<Account>>,
        message: MessageId,
    ) -> Result<Option<(Captured, Bytes)>, StoreError> {
        let state = self.state();
        let found = state.inbox.get(&message);
        Ok(found.filter(|(captured, _)| account.is_none_or(|account| captured.account == account)).cloned())
    }

    fn inbox_delete(&self, account: Id<Account>, message: Option<MessageId>) -> Result<u64, StoreError> {
        let mut state = self.state();
        let before = state.inbox.len();
        state.inbox.retain(|id, (captured, _)| captured.account != account || message.is_some_and(|one| one != *id));
        Ok((before - state.inbox.len()) as u64)
    }

    fn inbox_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let count = state.inbox.len();
        let directory = std::sync::Arc::clone(&state.register.directory);
        state
            .inbox
            .retain(|_, (captured, _)| captured.at >= before && directory.accounts.contains_key(&captured.account));
        Ok((count - state.inbox.len()) as u64)
    }
}
