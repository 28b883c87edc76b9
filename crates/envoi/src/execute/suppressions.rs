//! The addresses that accounts do not send to.

use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::DoneView;
use relay::service::{self, Caller, Fault, Sought};
use relay::store::Store;

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn suppression(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        match operation {
            Operation::SuppressionAdd { account, address, reason, until } => {
                let address = service::suppress(store, Id::new(account), &address, &reason, until, caller)?;
                Ok(Answer::Done(DoneView { done: format!("Account {account} sends nothing to {address} any more.") }))
            }
            Operation::SuppressionImport { account, list } => {
                let imported = service::suppressions_import(store, Id::new(account), &list, caller)?;
                Ok(Answer::SuppressionsImported(imported.into()))
            }
            Operation::SuppressionRemove { account, address } => {
                let address = service::unsuppress(store, Id::new(account), &address, caller)?;
                Ok(Answer::Done(DoneView { done: format!("Account {account} sends to {address} again.") }))
            }
            Operation::SuppressionList { account, search, cause, after, limit } => {
                let after = after.as_deref().map(place).transpose()?;
                let sought = Sought { account: account.map(Id::new), search: &search, cause, after, limit };
                let directory = store.directory();
                let found = service::suppressions(&directory, sought, caller.now);
                Ok(Answer::Suppressions(found.into_iter().map(Into::into).collect()))
            }
            _ => Err(misplaced()),
        }
    }
}

/// A place in the list, as it was given for its page.
fn place(after: &str) -> Result<(u64, &str), Fault> {
    let place = after.split_once('/').and_then(|(account, address)| Some((account.parse().ok()?, address)));
    place.ok_or_else(|| Fault::invalid("This place of the list was never given.", "Ask for its beginning."))
}
