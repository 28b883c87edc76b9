//! Plans: kept by the operator, asked for by accounts, granted or not, and who is told of it.

use relay::account::Account;
use relay::id::Id;
use relay::plan::SubscriptionChange;
use relay::service::operation::{Answer, Operation};
use relay::service::view::{ContactsView, DoneView, PlanRequestView, PlanView};
use relay::service::{self, Caller, Fault};
use relay::store::Store;
use web::letters::{self, Letter, Wish};

use super::{Executor, misplaced};
use crate::people::{self, Person};

/// Which part of what is carried out here an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Plans themselves.
    Plans,
    /// What accounts have of them.
    Subscriptions,
    /// Whom accounts want to be written to.
    Contacts,
}

/// The part that an operation belongs to; none where it is carried out elsewhere.
pub(super) fn part_of(operation: &Operation) -> Option<Part> {
    use Operation as O;
    match operation {
        O::PlanList { .. }
        | O::PlanAdd { .. }
        | O::PlanSet { .. }
        | O::PlanDefault { .. }
        | O::PlanRetire { .. }
        | O::PlanDelete { .. } => Some(Part::Plans),
        O::AccountPlan { .. }
        | O::PlanAsk { .. }
        | O::PlanWithdraw { .. }
        | O::PlanKeep { .. }
        | O::PlanRequestList
        | O::PlanApprove { .. }
        | O::PlanDecline { .. } => Some(Part::Subscriptions),
        O::AccountContacts { .. } | O::AccountContactsSet { .. } => Some(Part::Contacts),
        _ => None,
    }
}

impl<S: Store> Executor<S> {
    pub(super) fn plans(&self, part: Part, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        match part {
            Part::Plans => self.plan(operation, caller),
            Part::Subscriptions => self.subscription(operation, caller),
            Part::Contacts => self.contacts(operation, caller),
        }
    }

    /// What the operator does with plans.
    fn plan(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let plan = match operation {
            Operation::PlanList { account } => {
                let plans = service::plans(store, account.map(Id::new), caller.scope, caller.now)?;
                let views = plans.iter().map(|(plan, accounts)| PlanView::new(plan, *accounts));
                return Ok(Answer::Plans(views.collect()));
            }
            Operation::PlanAdd { name, terms } => service::plan_add(store, &name, terms, caller)?,
            Operation::PlanSet { plan, terms } => service::plan_set(store, Id::new(plan), terms, caller)?,
            Operation::PlanDefault { plan } => service::plan_default(store, Id::new(plan), caller)?,
            Operation::PlanRetire { plan, retired } => service::plan_retire(store, Id::new(plan), retired, caller)?,
            Operation::PlanDelete { plan } => {
                let plan = service::plan_delete(store, Id::new(plan), caller)?;
                let done = format!("Plan {} ({}) is deleted.", plan.id, plan.terms.name.english);
                return Ok(Answer::Done(DoneView { done }));
            }
            _ => return Err(misplaced()),
        };
        Ok(Answer::Plan(PlanView::new(&plan, None)))
    }

    /// What an account has of plans, and what it asks for.
    fn subscription(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let account = match operation {
            Operation::AccountPlan { account, plan } => {
                let change = SubscriptionChange::Put(plan.map(Id::new));
                service::plan_subscribe(store, Id::new(account), change, caller)?
            }
            Operation::PlanWithdraw { account } => {
                service::plan_subscribe(store, Id::new(account), SubscriptionChange::Withdraw, caller)?
            }
            Operation::PlanKeep { account } => {
                service::plan_subscribe(store, Id::new(account), SubscriptionChange::Keep, caller)?
            }
            Operation::PlanAsk { account, plan, message } => {
                let asked = service::plan_ask(store, Id::new(account), plan.map(Id::new), &message, caller)?;
                return self.request(&asked);
            }
            Operation::PlanApprove { request } => {
                return self.request(&*service::plan_answer(store, request, None, caller)?);
            }
            Operation::PlanDecline { request, reason } => {
                return self.request(&*service::plan_answer(store, request, Some(&reason), caller)?);
            }
            Operation::PlanRequestList => {
                let directory = store.directory();
                let asking = service::requests(store);
                let views = asking.iter().filter_map(|account| {
                    Some(PlanRequestView::new(account, account.subscription.open()?, &directory))
                });
                return Ok(Answer::PlanRequests(views.collect()));
            }
            _ => return Err(misplaced()),
        };
        self.shown(&account, caller.now)
    }

    /// Whom an account wants to be written to.
    fn contacts(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let account = match operation {
            Operation::AccountContacts { account } => service::account_find(store, Id::new(account))?,
            Operation::AccountContactsSet { account, primary, billing } => {
                service::account_contacts(store, Id::new(account), primary, billing, caller)?
            }
            _ => return Err(misplaced()),
        };
        Ok(Answer::Contacts(ContactsView::from(account.as_ref())))
    }

    fn request(&self, account: &Account) -> Result<Answer, Fault> {
        let request = account.subscription.request.as_ref().ok_or_else(misplaced)?;
        Ok(Answer::PlanRequest(PlanRequestView::new(account, request, &self.store.directory())))
    }

    /// Writes of a request that was made to the operator's people, and of one that was answered to the account's. That it
    /// was made or answered stands, whether it can be written or not: the pages show it.
    pub(super) async fn tell_of_request(&self, view: &PlanRequestView) {
        let Some(running) = self.running.as_ref().filter(|running| running.mail.is_ready().is_ok()) else { return };
        let directory = self.store.directory();
        let Some(account) = directory.accounts.get(&Id::new(view.account)) else { return };
        let is_open = view.state == "open";
        let people = if is_open { people::of_operator(&directory) } else { people::of_account(&directory, account) };
        for person in people {
            // an account that asks again and again fills nobody's mailbox
            if is_open && !self.request_letters.may_write(&person.address, Some(view.account), self.clock.now()) {
                tracing::warn!(
                    account = view.account,
                    "of a request for a plan one person was not told: too many lately"
                );
                continue;
            }
            let letter = self.letter(view, account, &person);
            match running.mail.send(&person.note(letter)).await {
                Ok(message) => {
                    tracing::info!(message_id = %message, account = view.account, state = view.state, "a request for a plan was told of")
                }
                Err(error) => tracing::warn!(%error, account = view.account, "a request for a plan was not told of"),
            }
        }
    }

    fn letter(&self, view: &PlanRequestView, account: &Account, person: &Person) -> Letter {
        let plan = view.plan.as_ref();
        let wish = match plan {
            Some(plan) => Wish::Plan(letters::name_of(person.language, plan)),
            None => Wish::Cancellation,
        };
        let page = |path: &str| self.console.as_ref().map(|console| format!("{console}{path}")).unwrap_or_default();
        if view.state == "open" {
            let (who, url) = (view.asked_by.as_str(), page("/operator/requests"));
            return letters::plan_asked(person.language, &person.name, &account.name, wish, (who, &view.message), &url);
        }
        let begins = account.subscription.next.map(|next| next.from.to_string());
        let answer = (view.state == "approved").then_some(begins);
        letters::plan_answered(
            person.language,
            &person.name,
            (&account.name, account.time_zone.name()),
            wish,
            answer,
            &view.reason,
            &page("/pricing"),
        )
    }
}
