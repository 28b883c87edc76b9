//! The addresses that accounts do not send to.

use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{DoneView, SuppressionView};
use relay::service::{self, Caller, Fault};
use relay::store::Store;

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn suppression(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        match operation {
            Operation::SuppressionAdd { account, address, reason } => {
                let address = service::suppress(store, Id::new(account), &address, &reason, caller)?;
                Ok(Answer::Done(DoneView { done: format!("Account {account} sends nothing to {address} any more.") }))
            }
            Operation::SuppressionRemove { account, address } => {
                let address = service::unsuppress(store, Id::new(account), &address, caller)?;
                Ok(Answer::Done(DoneView { done: format!("Account {account} sends to {address} again.") }))
            }
            Operation::SuppressionList { account } => {
                let directory = store.directory();
                let wanted = directory.suppressions.iter().filter(|(id, _)| account.is_none_or(|a| id.number() == a));
                let mut all: Vec<_> = wanted
                    .flat_map(|(id, addresses)| {
                        addresses
                            .iter()
                            .map(|address| SuppressionView { account: id.number(), address: address.clone() })
                    })
                    .collect();
                all.sort_by(|one, other| (one.account, &one.address).cmp(&(other.account, &other.address)));
                Ok(Answer::Suppressions(all))
            }
            _ => Err(misplaced()),
        }
    }
}
