//! The addresses that accounts do not send to.

use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{DoneView, SuppressionView};
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
            Operation::SuppressionRemove { account, address, smtp_user } => {
                let stream = smtp_user.map(Id::new);
                let address = service::unsuppress(store, Id::new(account), &address, stream, caller)?;
                let whose = smtp_user.map_or_else(|| format!("Account {account}"), |user| format!("SMTP user {user}"));
                Ok(Answer::Done(DoneView { done: format!("{whose} sends to {address} again.") }))
            }
            Operation::SuppressionList { account, search, cause, after, limit } => {
                let after = after.as_deref().map(place).transpose()?;
                let sought = Sought { account: account.map(Id::new), search: &search, cause, after, limit };
                let directory = store.directory();
                let found = service::suppressions(&directory, sought, caller.now);
                let shown = |(account, address, one)| SuppressionView::new(&directory, account, address, one);
                Ok(Answer::Suppressions(found.into_iter().map(shown).collect()))
            }
            _ => Err(misplaced()),
        }
    }
}

/// A place in the list, as it was given for its page.
fn place(after: &str) -> Result<(u64, &str, Option<u64>), Fault> {
    let mut parts = after.splitn(3, '/');
    let mut number = || parts.next().and_then(|number| number.parse::<u64>().ok());
    let numbers = number().zip(number());
    let place = numbers
        .zip(parts.next())
        .map(|((account, user), address)| (account, address, Some(user).filter(|user| *user > 0)));
    place.ok_or_else(|| Fault::invalid("This place of the list was never given.", "Ask for its beginning."))
}
