//! Plans of the data folder: decided by the book's rules, kept by the ledger.

use std::sync::Arc;

use relay::account::{Account, Contacts};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::plan::{Plan, Subscription, SubscriptionChange, Terms};
use relay::store::{Actor, Plans, StoreError};

use super::Embedded;

impl Plans for Embedded {
    fn account_add_without_plan(&self, name: &str, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError> {
        self.ledger.book(|register| register.account_on(name, Subscription::none(), by, now))
    }

    fn plan_add(&self, terms: Terms, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError> {
        self.ledger.book(|register| register.plan_add(terms, by, now))
    }

    fn plan_set(&self, plan: Id<Plan>, terms: Terms, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError> {
        self.ledger.book(|register| register.plan_set(plan, terms, by, now))
    }

    fn plan_default(&self, plan: Id<Plan>, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError> {
        self.ledger.book(|register| register.plan_default(plan, by, now))
    }

    fn plan_retire(&self, plan: Id<Plan>, retired: bool, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError> {
        self.ledger.book(|register| register.plan_retire(plan, retired, by, now))
    }

    fn plan_delete(&self, plan: Id<Plan>, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.ledger.book(|register| register.plan_delete(plan, by, now))
    }

    fn subscribe(
        &self,
        account: Id<Account>,
        change: SubscriptionChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError> {
        self.ledger.book(|register| register.subscribe(account, change, by, now))
    }

    fn contacts_set(
        &self,
        account: Id<Account>,
        contacts: Contacts,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError> {
        self.ledger.book(|register| register.contacts_set(account, contacts, by, now))
    }
}
