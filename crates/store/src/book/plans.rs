//! What each verb of the plans makes of plans, of the accounts that are on them, and of whom these want to be written to.

use std::sync::Arc;

use relay::account::{Account, Contacts};
use relay::audit::{About, Details, Field};
use relay::clock::{Day, Timestamp};
use relay::id::Id;
use relay::plan::{Plan, SubscriptionChange, Terms, Wording};
use relay::store::{Actor, StoreError};

use super::{Decided, Draft, Register, Write};

impl Draft {
    fn put_plan(&mut self, plan: Plan) -> Arc<Plan> {
        let plan = Arc::new(plan);
        self.next.plans.insert(plan.id, Arc::clone(&plan));
        self.writes.push(Write::Plan(Arc::clone(&plan)));
        plan
    }
}

impl Register {
    fn plan(&self, id: Id<Plan>) -> Result<&Arc<Plan>, StoreError> {
        self.directory.plans.get(&id).ok_or_else(|| StoreError::NotFound(format!("plan {id}")))
    }

    pub(crate) fn plan_add(&self, terms: Terms, by: &Actor, now: Timestamp) -> Decided<Arc<Plan>> {
        let mut draft = self.draft();
        draft.numbers.plan += 1;
        let id = Id::new(draft.numbers.plan);
        let plan = draft.put_plan(Plan { id, terms, is_default: false, is_retired: false, created_at: now });
        let Terms { name: _, recipients, price, is_offered, place } = &plan.terms;
        let told = Details::from(About::from(&*plan))
            .with(Field::PlanRecipients, recipients)
            .with(Field::Price, price)
            .with(Field::Offered, is_offered)
            .with(Field::Place, place);
        draft.note(by, now, "plan.add", told, None);
        Ok(draft.done(plan))
    }

    pub(crate) fn plan_set(&self, id: Id<Plan>, terms: Terms, by: &Actor, now: Timestamp) -> Decided<Arc<Plan>> {
        let kept = self.plan(id)?;
        let mut draft = self.draft();
        let plan = draft.put_plan(Plan { terms, ..(**kept).clone() });
        let (before, after) = (&kept.terms, &plan.terms);
        let told = Details::from(About::from(&*plan))
            .changed(Field::PlanName, &before.name, &after.name)
            .changed(Field::PlanRecipients, &before.recipients, &after.recipients)
            .changed(Field::Price, &before.price, &after.price)
            .changed(Field::Offered, &before.is_offered, &after.is_offered)
            .changed(Field::Place, &before.place, &after.place);
        draft.note(by, now, "plan.set", told, None);
        Ok(draft.done(plan))
    }

    pub(crate) fn plan_default(&self, id: Id<Plan>, by: &Actor, now: Timestamp) -> Decided<Arc<Plan>> {
        let plan = self.plan(id)?;
        if plan.is_retired {
            return Err(StoreError::Conflict(format!("Plan {id} is retired: bring it back first.")));
        }
        let mut draft = self.draft();
        let before = self.directory.plans.values().filter(|plan| plan.is_default && plan.id != id);
        before.for_each(|before| drop(draft.put_plan(Plan { is_default: false, ..(**before).clone() })));
        let plan = draft.put_plan(Plan { is_default: true, ..(**plan).clone() });
        draft.note(by, now, "plan.default", About::from(&*plan), None);
        Ok(draft.done(plan))
    }

    pub(crate) fn plan_retire(&self, id: Id<Plan>, retired: bool, by: &Actor, now: Timestamp) -> Decided<Arc<Plan>> {
        let plan = self.plan(id)?;
        if retired && plan.is_default {
            return Err(default_stays(id));
        }
        let mut draft = self.draft();
        let plan = draft.put_plan(Plan { is_retired: retired, ..(**plan).clone() });
        let action = if retired { "plan.retire" } else { "plan.bring_back" };
        draft.note(by, now, action, About::from(&*plan), None);
        Ok(draft.done(plan))
    }

    pub(crate) fn plan_delete(&self, id: Id<Plan>, by: &Actor, now: Timestamp) -> Decided<()> {
        let plan = self.plan(id)?;
        if plan.is_default {
            return Err(default_stays(id));
        }
        let mut draft = self.draft();
        for account in self.directory.accounts.values() {
            let mut settled = account.on(account.day(now));
            if settled.subscription.needs(id) {
                let what =
                    format!("Account {} is on plan {id}, will be, or asks for it: retire it instead.", account.id);
                return Err(StoreError::Conflict(what));
            }
            // nobody is left who names it, not even in what was answered
            settled.subscription.request.take_if(|request| request.wish == Some(id));
            if settled != **account {
                draft.put_account(settled);
            }
        }
        draft.next.plans.remove(&id);
        draft.writes.push(Write::PlanGone(id));
        draft.note(by, now, "plan.delete", About::from(&**plan), None);
        Ok(draft.done(()))
    }

    pub(crate) fn subscribe(
        &self,
        id: Id<Account>,
        change: SubscriptionChange,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Account>> {
        let kept = self.account(id)?;
        let number = self.numbers.plan_request + 1;
        let (action, is_asking) = (action(&change), matches!(change, SubscriptionChange::Ask { .. }));
        let asked = kept.subscription.open().map(|open| open.wish);
        let asked = if let SubscriptionChange::Ask { wish, .. } = &change { Some(*wish) } else { asked };
        let after = kept.subscribe(change, &self.directory.plans, number, &by.name, now)?;
        let mut draft = self.draft();
        if is_asking {
            draft.numbers.plan_request = number;
        }
        let account = draft.put_account(after);
        let told = Details::from(About::from(&*account));
        let told = match (action, asked) {
            ("account.plan" | "plan.keep", _) => {
                let today = account.day(now);
                told.changed(Field::Plan, &self.standing(kept, today), &self.standing(&account, today))
            }
            (_, Some(wish)) => told.with(Field::AskedPlan, &wish.map(|id| self.named(id))),
            _ => told,
        };
        draft.note(by, now, action, told, Some(id));
        Ok(draft.done(account))
    }

    pub(crate) fn contacts_set(
        &self,
        id: Id<Account>,
        contacts: Contacts,
        by: &Actor,
        now: Timestamp,
    ) -> Decided<Arc<Account>> {
        let kept = self.account(id)?;
        let mut draft = self.draft();
        let account = draft.put_account(Account { contacts, ..(**kept).clone() });
        let (before, after) = (&kept.contacts, &account.contacts);
        let told = Details::from(About::from(&*account))
            .changed(Field::PrimaryContact, &before.primary, &after.primary)
            .changed(Field::BillingContact, &before.billing, &after.billing);
        draft.note(by, now, "account.contacts", told, Some(id));
        Ok(draft.done(account))
    }

    /// A plan as the audit log names it.
    fn named(&self, id: Id<Plan>) -> Wording {
        let by_number = || Wording { english: id.to_string(), french: String::new() };
        self.directory.plans.get(&id).map_or_else(by_number, |plan| plan.terms.name.clone())
    }

    fn standing(&self, account: &Account, today: Day) -> Option<Wording> {
        account.standing(today).plan().map(|plan| self.named(plan))
    }
}

fn default_stays(plan: Id<Plan>) -> StoreError {
    StoreError::Conflict(format!("Plan {plan} is the default, which new accounts begin on: choose another first."))
}

/// What the audit log calls a change.
fn action(change: &SubscriptionChange) -> &'static str {
    match change {
        SubscriptionChange::Ask { .. } => "plan.ask",
        SubscriptionChange::Withdraw => "plan.withdraw",
        SubscriptionChange::Keep => "plan.keep",
        SubscriptionChange::Approve { .. } => "plan.approve",
        SubscriptionChange::Decline { .. } => "plan.decline",
        SubscriptionChange::Put(_) => "account.plan",
    }
}
