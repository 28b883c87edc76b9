//! What is shown of accounts: their plans and quotas, what they ask for, whom they want to be written to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ViewPage, word};
use crate::account::{Account, Contact};
use crate::clock::Day;
use crate::directory::Directory;
use crate::id::Id;
use crate::moment;
use crate::plan::{Plan, Request, Standing};

views! {
    /// An account.
    AccountView {
        /// Its number.
        id: u64,
        /// What people call it.
        name: String,
        /// `active` or `suspended`.
        state: String,
        /// The plan that it is on; none: it has none, and cannot send.
        plan: Option<PlanView>,
        /// Why it has no plan, where it has none: `cancelled` or `unapproved`.
        no_plan: Option<String>,
        /// What follows its plan.
        plan_change: Option<PlanChangeView>,
        /// The request that waits for the operator, or the last that was answered.
        plan_request: Option<PlanRequestView>,
        /// Recipients that it may send to in a period; none: without limit.
        quota: Option<u64>,
        /// The same, where it is a limit of its own and not its plan's.
        own_quota: Option<u64>,
        /// Recipients accepted in the period under way, delivered or not.
        used: u64,
        /// The day of the month on which a period begins, in the account's time zone; in a shorter month its last day.
        renews_on: u64,
        /// The day on which the next period begins, in the account's time zone.
        renews_at: String,
        /// The time zone that its people read times in, and whose days its mail is counted by.
        time_zone: String,
        /// The language of what is written to it: `en` or `fr`.
        language: String,
        /// For how many days its activity is kept; none: as long as the relay keeps any.
        activity_days: Option<u64>,
        /// Automatic brakes that are on of it and of its SMTP users.
        brakes: u64,
        /// When it was made.
        created_at: String,
    }
    /// What was erased of what was kept about a recipient.
    ErasureView {
        /// Rows of Activity.
        rows: u64,
        /// Failed connections and refusals that named it.
        connections: u64,
        /// Calls to webhooks that told of it, delivered or not.
        calls: u64,
        /// Messages of the test inbox that were taken for it, and bounce mails there that name it.
        messages: u64,
        /// Whether its suppression was lifted: mail to it may go again.
        suppression: bool,
        /// Rows that are left, because mail to it is in the queue: ask again when that has left.
        waiting: u64,
    }
    /// A plan.
    PlanView {
        /// Its number.
        id: u64,
        /// What people call it, in English.
        name: String,
        /// The same in French.
        name_fr: String,
        /// Recipients in a period of a month; none: without limit.
        recipients: Option<u64>,
        /// What it costs, in the operator's words, in English; empty: nothing is said of it.
        price: String,
        /// The same in French.
        price_fr: String,
        /// Whether accounts see it and may ask for it.
        offered: bool,
        /// Whether accounts that the operator makes begin on it.
        default: bool,
        /// Whether it is retired: no account comes to it any more.
        retired: bool,
        /// Its place in lists, the lowest first.
        place: u32,
        /// How many accounts are on it, will be, or ask for it; told to the operator alone.
        accounts: Option<u64>,
    }
    /// What follows the plan of an account.
    PlanChangeView {
        /// The plan; none: a cancellation.
        plan: Option<PlanView>,
        /// The first day on which it is in force, in the account's time zone.
        begins_at: String,
    }
    /// What an account asks the operator for.
    PlanRequestView {
        /// Its number.
        id: u64,
        /// The number of the account.
        account: u64,
        /// What people call the account.
        account_name: String,
        /// The plan; none: a cancellation.
        plan: Option<PlanView>,
        /// What was said with it.
        message: String,
        /// Who asked.
        asked_by: String,
        /// When.
        asked_at: String,
        /// `open`, `approved` or `declined`.
        state: String,
        /// When it was answered.
        answered_at: Option<String>,
        /// Why it was declined.
        reason: String,
    }
    /// Whom an account wants to be written to about plan and quota, beside its administrators.
    ContactsView {
        /// The number of the account.
        account: u64,
        /// For whatever it is about.
        primary: Option<ContactView>,
        /// For what it costs.
        billing: Option<ContactView>,
    }
    /// Somebody with an address.
    ContactView {
        /// What they are called.
        name: String,
        /// Their address.
        email: String,
    }
}

impl AccountView {
    /// The account on a day, with what it used of its quota in the period of that day.
    pub fn new(account: &Account, directory: &Directory, used: u64, today: Day) -> Self {
        let account = account.on(today);
        let quota = account.quota(&directory.plans, today);
        let standing = account.subscription.standing;
        let no_plan = match standing {
            Standing::Plan(_) => None,
            Standing::Cancelled => Some("cancelled"),
            Standing::Unapproved => Some("unapproved"),
        };
        let change = account.subscription.next.map(|next| PlanChangeView {
            plan: next.plan.and_then(|plan| PlanView::named(directory, plan)),
            begins_at: next.from.to_string(),
        });
        let request = account.subscription.request.as_ref();
        AccountView {
            id: account.id.number(),
            name: account.name.clone(),
            state: word(&account.state),
            plan: standing.plan().and_then(|plan| PlanView::named(directory, plan)),
            no_plan: no_plan.map(str::to_owned),
            plan_change: change,
            plan_request: request.map(|request| PlanRequestView::new(&account, request, directory)),
            quota: quota.recipients,
            own_quota: account.own_quota.recipients,
            used,
            renews_on: u64::from(quota.renews_on),
            renews_at: quota.period(today).renews.to_string(),
            time_zone: account.time_zone.name().to_owned(),
            language: account.language.tag().to_owned(),
            activity_days: account.activity_days,
            brakes: directory.brakes.values().filter(|brake| brake.is_on() && brake.account == account.id).count()
                as u64,
            created_at: moment::text(account.created_at),
        }
    }
}

impl PlanView {
    /// The plan, with how many accounts are on it where that is told.
    pub fn new(plan: &Plan, accounts: Option<u64>) -> Self {
        let (name, price) = (&plan.terms.name, &plan.terms.price);
        PlanView {
            id: plan.id.number(),
            name: name.english.clone(),
            name_fr: name.in_language(crate::language::Language::French).to_owned(),
            recipients: plan.terms.recipients,
            price: price.english.clone(),
            price_fr: price.in_language(crate::language::Language::French).to_owned(),
            offered: plan.terms.is_offered,
            default: plan.is_default,
            retired: plan.is_retired,
            place: plan.terms.place,
            accounts,
        }
    }

    fn named(directory: &Directory, plan: Id<Plan>) -> Option<PlanView> {
        directory.plans.get(&plan).map(|plan| PlanView::new(plan, None))
    }
}

impl PlanRequestView {
    /// The request of an account.
    pub fn new(account: &Account, request: &Request, directory: &Directory) -> Self {
        let state = match &request.answer {
            None => "open",
            Some(answer) if answer.approved => "approved",
            Some(_) => "declined",
        };
        let answer = request.answer.as_ref();
        PlanRequestView {
            id: request.number,
            account: account.id.number(),
            account_name: account.name.clone(),
            plan: request.wish.and_then(|plan| PlanView::named(directory, plan)),
            message: request.message.clone(),
            asked_by: request.asked_by.clone(),
            asked_at: moment::text(request.asked_at),
            state: state.to_owned(),
            answered_at: answer.map(|answer| moment::text(answer.at)),
            reason: answer.map(|answer| answer.reason.clone()).unwrap_or_default(),
        }
    }
}

impl From<&Account> for ContactsView {
    fn from(account: &Account) -> Self {
        let contact = |contact: &Contact| ContactView { name: contact.name.clone(), email: contact.email.clone() };
        ContactsView {
            account: account.id.number(),
            primary: account.contacts.primary.as_ref().map(contact),
            billing: account.contacts.billing.as_ref().map(contact),
        }
    }
}
