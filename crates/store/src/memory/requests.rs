//! The model's requests with an idempotency key.

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::store::{KeyHash, KeyedRequest, RequestBounds, Requests, StoreError};

use super::{Memory, Verb};

impl Requests for Memory {
    fn request(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<Option<KeyedRequest>, StoreError> {
        Ok(self.state().requests.get(&(account, *key)).cloned())
    }

    fn request_put(&self, request: &KeyedRequest, bounds: RequestBounds) -> Result<bool, StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        let is_other = |kept: &&KeyedRequest| kept.account == request.account && kept.key != request.key;
        let others = state.requests.values().filter(is_other);
        let (count, octets) = others.fold((0, 0), |(count, octets), other| {
            (count + 1, octets + other.answer.as_ref().map_or(0, |answer| answer.len() as u64))
        });
        let is_known = state.requests.contains_key(&(request.account, request.key));
        if !bounds.have_room(request, is_known, count, octets) {
            return Ok(false);
        }
        state.requests.insert((request.account, request.key), request.clone());
        Ok(true)
    }

    fn request_forget(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<(), StoreError> {
        self.state().requests.remove(&(account, *key));
        Ok(())
    }

    fn requests_prune(&self, before: Timestamp) -> Result<(), StoreError> {
        self.state().requests.retain(|_, request| request.at >= before);
        Ok(())
    }
}
