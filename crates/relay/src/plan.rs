//! Plans: what the operator offers, which one an account is on, what it has asked for, and what follows from an answer.
//!
//! An account's limit is its plan's, unless the operator gave it one of its own: that holds until another plan begins.
//! What is to come is kept with its day and is in force from that day on by the calendar alone: nothing has to happen at
//! midnight, and no crash can come in between.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::clock::{Day, Timestamp};
use crate::id::Id;
use crate::language::Language;
use crate::quota::Quota;
use crate::store::StoreError;

/// Every plan, by its number.
pub type Plans = HashMap<Id<Plan>, Arc<Plan>>;

/// Something said in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// In English.
    pub english: String,
    /// In French; empty: the same as in English.
    pub french: String,
}

impl Wording {
    /// It in a language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::French if !self.french.is_empty() => &self.french,
            _ => &self.english,
        }
    }
}

/// To how many recipients a month accounts may send, and what that is called and costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its number.
    pub id: Id<Plan>,
    /// What it offers.
    pub terms: Terms,
    /// The accounts that the operator makes begin on it. One plan is so.
    pub is_default: bool,
    /// No account comes to it any more; those that are on it stay.
    pub is_retired: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a plan offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What people call it.
    pub name: Wording,
    /// Recipients in a period; none: without limit.
    pub recipients: Option<u64>,
    /// What it costs, in the operator's words; empty: nothing is said of it.
    pub price: Wording,
    /// Accounts see it and may ask for it.
    pub is_offered: bool,
    /// Its place in lists, the lowest first.
    pub place: u32,
}

impl Plan {
    /// The number of the plan that is there from the beginning.
    pub const BUILT_IN: Id<Plan> = Id::new(1);

    /// The plan that is there from the beginning, and the default until the operator says otherwise: without limit.
    pub fn built_in() -> Plan {
        let name = Wording { english: "Unlimited".to_owned(), french: "Illimité".to_owned() };
        let terms = Terms { name, recipients: None, price: Wording::default(), is_offered: false, place: 0 };
        Plan { id: Plan::BUILT_IN, terms, is_default: true, is_retired: false, created_at: Timestamp(0) }
    }

    /// Whether accounts may ask for it.
    pub fn may_be_asked_for(&self) -> bool {
        self.terms.is_offered && !self.is_retired
    }
}

/// Which plan an account is on, what follows it, and what was asked for last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What it is on until something else follows.
    pub standing: Standing,
    /// What follows.
    pub next: Option<Next>,
    /// The open request, or the last that was answered.
    pub request: Option<Request>,
}

/// Whether an account has a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is on this one.
    Plan(Id<Plan>),
    /// Its plan was cancelled: logins get `525 5.7.13`, what was accepted is delivered.
    Cancelled,
    /// None was approved yet: likewise.
    Unapproved,
}

impl Standing {
    /// The plan, where there is one.
    pub fn plan(self) -> Option<Id<Plan>> {
        match self {
            Standing::Plan(plan) => Some(plan),
            Standing::Cancelled | Standing::Unapproved => None,
        }
    }
}

/// What follows, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// The plan; none: a cancellation.
    pub plan: Option<Id<Plan>>,
    /// The first day on which it is in force: one on which a period begins.
    pub from: Day,
}

/// What an account asks the operator for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number, never given twice.
    pub number: u64,
    /// The plan; none: a cancellation.
    pub wish: Option<Id<Plan>>,
    /// What was said with it.
    pub message: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// What became of it; none: it is open.
    pub answer: Option<Answered>,
}

/// The operator's answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// When.
    pub at: Timestamp,
    /// Whether it was granted.
    pub approved: bool,
    /// Why, or why not; shown to the account.
    pub reason: String,
}

/// What changes of an account's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// The account asks.
    Ask {
        /// The plan; none: a cancellation.
        wish: Option<Id<Plan>>,
        /// What is said with it.
        message: String,
    },
    /// The account takes its open request back.
    Withdraw,
    /// What was to follow does not.
    Keep,
    /// The operator grants the open request of this number. More recipients come at once, what was used stays used;
    /// fewer, and a cancellation, come with the next period.
    Approve {
        /// The request.
        request: u64,
    },
    /// The operator does not grant it.
    Decline {
        /// The request.
        request: u64,
        /// Why.
        reason: String,
    },
    /// The operator gives a plan, or takes it away, at once.
    Put(Option<Id<Plan>>),
}

impl Subscription {
    /// On a plan, with nothing to come.
    pub fn to(plan: Id<Plan>) -> Subscription {
        Subscription { standing: Standing::Plan(plan), next: None, request: None }
    }

    /// Without a plan until one is approved.
    pub fn none() -> Subscription {
        Subscription { standing: Standing::Unapproved, next: None, request: None }
    }

    /// What has followed by a day.
    fn followed(&self, day: Day) -> Option<Next> {
        self.next.filter(|next| next.from <= day)
    }

    /// The open request.
    pub fn open(&self) -> Option<&Request> {
        self.request.as_ref().filter(|request| request.answer.is_none())
    }

    /// Whether it names this plan in what is, what follows or what is asked for.
    pub fn needs(&self, plan: Id<Plan>) -> bool {
        let follows = self.next.is_some_and(|next| next.plan == Some(plan));
        self.standing == Standing::Plan(plan) || follows || self.open().is_some_and(|open| open.wish == Some(plan))
    }
}

impl Account {
    /// The account as it is on a day: what was to follow by then has followed.
    #[must_use]
    pub fn on(&self, day: Day) -> Account {
        let mut account = self.clone();
        if let Some(next) = self.subscription.followed(day) {
            account.begin(next.plan);
        }
        account
    }

    /// Whether it has a plan on a day.
    pub fn standing(&self, day: Day) -> Standing {
        match self.subscription.followed(day) {
            Some(Next { plan, .. }) => plan.map_or(Standing::Cancelled, Standing::Plan),
            None => self.subscription.standing,
        }
    }

    /// Its quota on a day: its plan's, or the one of its own; nothing where it has no plan.
    pub fn quota(&self, plans: &Plans, day: Day) -> Quota {
        let own = self.own_quota.recipients.filter(|_| self.subscription.followed(day).is_none());
        let plan = self.standing(day).plan().and_then(|plan| plans.get(&plan));
        let recipients = match (plan, own) {
            (None, _) => Some(0),
            (Some(_), Some(own)) => Some(own),
            (Some(plan), None) => plan.terms.recipients,
        };
        Quota { recipients, ..self.own_quota }
    }

    /// A plan begins, or what it had ends; what was to follow, and a limit of its own, are gone.
    fn begin(&mut self, plan: Option<Id<Plan>>) {
        self.subscription.standing = plan.map_or(Standing::Cancelled, Standing::Plan);
        self.subscription.next = None;
        self.own_quota.recipients = None;
    }

    /// What a change makes of it, on the day of `now`; `number` is that of a request that is made, `by` who asks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the plan or the request; [`StoreError::Conflict`] where it contradicts what is
    /// there.
    pub fn subscribe(
        &self,
        change: SubscriptionChange,
        plans: &Plans,
        number: u64,
        by: &str,
        now: Timestamp,
    ) -> Result<Account, StoreError> {
        let mut account = self.on(self.day(now));
        let subscription = &mut account.subscription;
        match change {
            SubscriptionChange::Ask { wish, message } => {
                account.may_ask(wish, plans)?;
                let (asked_by, asked_at) = (by.to_owned(), now);
                account.subscription.request =
                    Some(Request { number, wish, message, asked_by, asked_at, answer: None });
            }
            SubscriptionChange::Withdraw => {
                subscription.open().ok_or_else(|| StoreError::NotFound("open request for a plan".to_owned()))?;
                subscription.request = None;
            }
            SubscriptionChange::Keep => {
                let next = subscription.next.take();
                next.ok_or_else(|| StoreError::NotFound("change of the plan to come".to_owned()))?;
            }
            SubscriptionChange::Approve { request } => {
                let wish = subscription.answer(request, true, String::new(), now)?;
                account.follow(wish, plans, self.day(now))?;
            }
            SubscriptionChange::Decline { request, reason } => {
                subscription.answer(request, false, reason, now)?;
            }
            SubscriptionChange::Put(plan) => {
                if let Some(plan) = plan {
                    living(plans, plan)?;
                }
                match (subscription.standing, plan) {
                    (Standing::Plan(before), Some(plan)) if before == plan => subscription.next = None,
                    (Standing::Cancelled | Standing::Unapproved, None) => {}
                    _ => account.begin(plan),
                }
            }
        }
        Ok(account)
    }

    /// Whether it may ask for this now.
    fn may_ask(&self, wish: Option<Id<Plan>>, plans: &Plans) -> Result<(), StoreError> {
        let Subscription { standing, next, .. } = &self.subscription;
        let conflict = |what: &str| Err(StoreError::Conflict(format!("Account {} {what}.", self.id)));
        if self.subscription.open().is_some() {
            return conflict("has a request that is not answered yet: withdraw it first");
        }
        if let Some(plan) = wish {
            living(plans, plan)?;
        }
        match (standing.plan(), next, wish) {
            (_, Some(next), wish) if next.plan == wish => conflict("gets just that with its next period already"),
            (Some(plan), Some(_), Some(wish)) if plan == wish => {
                conflict("is on that plan: withdraw the change that is to come, and it stays")
            }
            (Some(plan), None, Some(wish)) if plan == wish => conflict("is on that plan already"),
            (None, _, None) => conflict("has no plan that could be cancelled"),
            _ => Ok(()),
        }
    }

    /// What was granted begins: at once, or with the next period.
    fn follow(&mut self, wish: Option<Id<Plan>>, plans: &Plans, today: Day) -> Result<(), StoreError> {
        let from = self.own_quota.period(today).renews;
        let Some(id) = wish else {
            self.subscription.next = Some(Next { plan: None, from });
            return Ok(());
        };
        let (plan, has_plan) = (living(plans, id)?, self.subscription.standing.plan().is_some());
        let is_less = match (self.quota(plans, today).recipients, plan.terms.recipients) {
            (None, Some(_)) => true,
            (Some(before), Some(after)) => after < before,
            (_, None) => false,
        };
        if has_plan && is_less {
            self.subscription.next = Some(Next { plan: Some(id), from });
        } else {
            self.begin(Some(id));
        }
        Ok(())
    }

    /// Renewed on another day of the month: what follows with the next period follows when that begins.
    pub fn requoted(&self, quota: Quota, today: Day) -> Account {
        let mut account = Account { own_quota: quota, ..self.on(today) };
        if let Some(next) = &mut account.subscription.next {
            next.from = quota.period(today).renews;
        }
        account
    }
}

impl Subscription {
    /// Answers the open request; what it wished.
    fn answer(
        &mut self,
        number: u64,
        approved: bool,
        reason: String,
        at: Timestamp,
    ) -> Result<Option<Id<Plan>>, StoreError> {
        let open = self.request.as_mut().filter(|request| request.answer.is_none() && request.number == number);
        let request = open.ok_or_else(|| StoreError::NotFound(format!("open request {number}")))?;
        request.answer = Some(Answered { at, approved, reason });
        Ok(request.wish)
    }
}

/// A plan that accounts may come to.
fn living(plans: &Plans, plan: Id<Plan>) -> Result<&Plan, StoreError> {
    let found = plans.get(&plan).ok_or_else(|| StoreError::NotFound(format!("plan {plan}")))?;
    if found.is_retired {
        return Err(StoreError::Conflict(format!("Plan {plan} is retired: no account comes to it any more.")));
    }
    Ok(found)
}
