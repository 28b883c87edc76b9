//! The model's requests with an idempotency key.

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::store::{KeyHash, KeyedRequest, Requests, StoreError};

use super::{Memory, Verb};

impl Requests for Memory {
    fn request(&self, account: Option<Id<Account>>, key: &KeyHash) -> Result<Option<KeyedRequest>, StoreError> {
        Ok(self.state().requests.get(&(account, *key)).cloned())
    }

    fn request_put(&self, request: &KeyedRequest, max: u64) -> Result<bool, StoreError> {
        let mut state = self.state();
        state.fault(Verb::Book)?;
        let others = state.requests.keys().filter(|(account, key)| *account == request.account && *key != request.key);
        if others.count() as u64 >= max {
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
