//! API keys: made, listed with their last use, deleted.

use net::clock::SystemDice;
use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{ApiKeySecretView, ApiKeyView, DoneView};
use relay::service::{self, Caller, Fault};
use relay::store::{NewApiKey, Store};

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn api_key(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        Ok(match operation {
            Operation::ApiKeyAdd { account, name, powers, read_only, expires_at } => {
                let new = NewApiKey { account: account.map(Id::new), name, powers, read_only, expires_at };
                let issued = service::api_key_add(store, new, &mut SystemDice, caller)?;
                Answer::ApiKeySecret(ApiKeySecretView {
                    key: ApiKeyView::new(&issued.key, None),
                    secret: (&issued.secret).into(),
                })
            }
            Operation::ApiKeyList { account } => {
                let uses = store.api_key_uses()?;
                let keys = service::api_keys(store, account.map(Id::new), caller.scope);
                Answer::ApiKeys(keys.iter().map(|key| ApiKeyView::new(key, uses.get(&key.id).copied())).collect())
            }
            Operation::ApiKeyDelete { key } => {
                let key = service::api_key_find(store, Id::new(key), caller.scope)?;
                service::api_key_delete(store, &key, caller)?;
                let done = format!("API key {} ({}) is deleted: it is refused from now on.", key.id, key.name);
                Answer::Done(DoneView { done })
            }
            _ => return Err(misplaced()),
        })
    }
}
