//! Plans and what accounts have of them: what has to be remembered, and the verbs that change it.

use std::sync::Arc;

use super::{Actor, StoreError};
use crate::account::{Account, Contacts};
use crate::clock::Timestamp;
use crate::id::Id;
use crate::plan::{Plan, SubscriptionChange, Terms};

/// Plans, the one that each account is on, and whom it wants to be written to. Verbs block on the disk: call them off the
/// async threads. Each is in the audit log and in [`super::Book::directory`] before it returns.
pub trait Plans: Send + Sync + 'static {
    /// Makes an account that has no plan until one is approved.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] (as every verb here).
    fn account_add_without_plan(&self, name: &str, by: &Actor, now: Timestamp) -> Result<Arc<Account>, StoreError>;

    /// Adds a plan.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn plan_add(&self, terms: Terms, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError>;

    /// Changes what a plan offers, for those that are on it too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn plan_set(&self, plan: Id<Plan>, terms: Terms, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError>;

    /// Makes this the plan that accounts begin on which the operator makes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where it is retired.
    fn plan_default(&self, plan: Id<Plan>, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError>;

    /// Retires a plan, or brings it back: whoever is on it stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where it is the default.
    fn plan_retire(&self, plan: Id<Plan>, retired: bool, by: &Actor, now: Timestamp) -> Result<Arc<Plan>, StoreError>;

    /// Deletes a plan.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where it is the default, or an account is on it, will be, or
    /// asks for it.
    fn plan_delete(&self, plan: Id<Plan>, by: &Actor, now: Timestamp) -> Result<(), StoreError>;

    /// Changes which plan an account is on, or what it asks for ([`Account::subscribe`]).
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`]: what [`Account::subscribe`] says.
    fn subscribe(
        &self,
        account: Id<Account>,
        change: SubscriptionChange,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError>;

    /// Keeps whom an account wants to be written to.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn contacts_set(
        &self,
        account: Id<Account>,
        contacts: Contacts,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Account>, StoreError>;
}
