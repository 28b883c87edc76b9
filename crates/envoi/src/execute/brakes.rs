//! Automatic brakes: shown, and released.

use relay::account::Account;
use relay::brake::{self, Brake};
use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{BrakeView, DoneView};
use relay::service::{self, Caller, Fault};
use relay::store::Store;
use std::sync::PoisonError;

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn brake(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        match operation {
            Operation::BrakeList { account } => Ok(Answer::Brakes(self.brakes(account.map(Id::new), caller))),
            Operation::BrakeRelease { brake } => self.brake_release(&brake, caller),
            _ => Err(misplaced()),
        }
    }

    fn brakes(&self, account: Option<Id<Account>>, caller: Caller<'_>) -> Vec<BrakeView> {
        let directory = self.store.directory();
        let may_release =
            |brake: &Brake| caller.scope == relay::power::Scope::Operator || brake.is_for_the_account(caller.now);
        let on = service::brakes(self.store.as_ref(), account, caller.scope);
        on.iter().map(|brake| BrakeView::new(brake, &directory, may_release(brake))).collect()
    }

    fn brake_release(&self, given: &str, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let found = service::brake_find(store, given, caller.scope)?;
        let today = store.directory().day_of(found.account, caller.now);
        let counts = store.sent(Some(found.account), today.before(brake::WEEK), today)?;
        let seen = brake::seen(&counts, found.subject, today);
        let released = service::brake_release(store, &found, seen, caller)?;
        if let Some(running) = &self.running {
            // what bounced before was seen: it is not counted once more
            running.ended.lock().unwrap_or_else(PoisonError::into_inner).forget(released.subject);
        }
        let done =
            format!("Brake {} is released: new mail is taken again, and what was held goes out.", released.subject);
        Ok(Answer::Done(DoneView { done }))
    }
}
