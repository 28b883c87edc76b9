//! Plans, what accounts ask for, and whom they want to be written to.

use relay::account::Contact;
use relay::service::operation::Operation;
use relay::service::view::{AccountView, ContactsView, DoneView, PlanRequestView, PlanView};
use relay::service::{Setting, TermsChange};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::account::{Named, Whose};
use super::asking::{Asking, Body, Outcome, Path, Query};
use super::smtp_user::setting;

/// The plan of a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path, names("plan"))]
pub(super) struct Its(
    /// Its number.
    u64,
);

/// The request of a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path, names("request"))]
pub(super) struct Asked(
    /// Its number.
    u64,
);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanNew {
    /// What people call it, in English.
    name: String,
    /// The same in French; absent: as in English.
    name_fr: Option<String>,
    /// Recipients in a period of a month; null: without limit. It has to be said.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<u64>)]
    recipients: Setting<u64>,
    /// What it costs, in your words, in English; absent: nothing is said of it.
    price: Option<String>,
    /// The same in French; absent: as in English.
    price_fr: Option<String>,
    /// Whether accounts see it and may ask for it; absent: they do not.
    offered: Option<bool>,
    /// Its place in lists, the lowest first; absent: 0.
    place: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanEdit {
    /// What people call it, in English; absent: as it is.
    name: Option<String>,
    /// The same in French; empty: as in English; absent: as it is.
    name_fr: Option<String>,
    /// Recipients in a period of a month; null: without limit; absent: as it is.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<u64>)]
    recipients: Setting<u64>,
    /// What it costs, in your words, in English; empty: nothing is said of it; absent: as it is.
    price: Option<String>,
    /// The same in French; empty: as in English; absent: as it is.
    price_fr: Option<String>,
    /// Whether accounts see it and may ask for it; absent: as it is.
    offered: Option<bool>,
    /// Its place in lists, the lowest first; absent: as it is.
    place: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Retirement {
    /// Whether it is retired from now on.
    retired: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanGiven {
    /// The number of the plan; null: none.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    plan: Option<u64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanWish {
    /// The number of the plan; null: a cancellation.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    plan: Option<u64>,
    /// What is said with it.
    #[serde(default)]
    message: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Declining {
    /// Why; shown to the account.
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactGiven {
    /// What they are called.
    name: String,
    /// Their address.
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactsChange {
    /// For whatever it is about; null: nobody; absent: as it is.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<ContactGiven>)]
    primary: Setting<ContactGiven>,
    /// For what it costs; null: nobody; absent: as it is.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<ContactGiven>)]
    billing: Setting<ContactGiven>,
}

fn contact(given: Setting<ContactGiven>) -> Setting<Contact> {
    match given {
        Setting::Keep => Setting::Keep,
        Setting::Default => Setting::Default,
        Setting::To(ContactGiven { name, email }) => Setting::To(Contact { name, email }),
    }
}

/// Lists plans: with a key of the operator all, for an account those that it has or may ask for.
#[utoipa::path(get, path = "/plans", operation_id = "PlanList", tag = "Plans", params(Whose),
    responses((status = 200, body = Vec<PlanView>)))]
pub(super) async fn plan_list(asking: Asking, Query(whose): Query<Whose>) -> Outcome<Vec<PlanView>> {
    asking.run(Operation::PlanList { account: whose.account }).await
}

/// Adds a plan.
#[utoipa::path(post, path = "/plans", operation_id = "PlanAdd", tag = "Plans", request_body = PlanNew,
    responses((status = 200, body = PlanView)))]
pub(super) async fn plan_add(asking: Asking, Body(new): Body<PlanNew>) -> Outcome<PlanView> {
    let PlanNew { name, name_fr, recipients, price, price_fr, offered, place } = new;
    let terms = TermsChange { name: None, name_fr, recipients, price, price_fr, offered, place };
    asking.run(Operation::PlanAdd { name, terms }).await
}

/// Changes a plan, for the accounts that are on it too.
#[utoipa::path(patch, path = "/plans/{plan}", operation_id = "PlanSet", tag = "Plans", params(Its),
    request_body = PlanEdit, responses((status = 200, body = PlanView)))]
pub(super) async fn plan_set(
    asking: Asking,
    Path(Its(plan)): Path<Its>,
    Body(edit): Body<PlanEdit>,
) -> Outcome<PlanView> {
    let PlanEdit { name, name_fr, recipients, price, price_fr, offered, place } = edit;
    let terms = TermsChange { name, name_fr, recipients, price, price_fr, offered, place };
    asking.run(Operation::PlanSet { plan, terms }).await
}

/// Deletes a plan that no account is on.
#[utoipa::path(delete, path = "/plans/{plan}", operation_id = "PlanDelete", tag = "Plans", params(Its),
    responses((status = 200, body = DoneView)))]
pub(super) async fn plan_delete(asking: Asking, Path(Its(plan)): Path<Its>) -> Outcome<DoneView> {
    asking.run(Operation::PlanDelete { plan }).await
}

/// Makes a plan the one that new accounts begin on.
#[utoipa::path(post, path = "/plans/{plan}/default", operation_id = "PlanDefault", tag = "Plans", params(Its),
    responses((status = 200, body = PlanView)))]
pub(super) async fn plan_default(asking: Asking, Path(Its(plan)): Path<Its>) -> Outcome<PlanView> {
    asking.run(Operation::PlanDefault { plan }).await
}

/// Retires a plan, or brings it back. Accounts that are on it stay.
#[utoipa::path(put, path = "/plans/{plan}/retirement", operation_id = "PlanRetire", tag = "Plans", params(Its),
    request_body = Retirement, responses((status = 200, body = PlanView)))]
pub(super) async fn plan_retire(
    asking: Asking,
    Path(Its(plan)): Path<Its>,
    Body(Retirement { retired }): Body<Retirement>,
) -> Outcome<PlanView> {
    asking.run(Operation::PlanRetire { plan, retired }).await
}

/// Lists the requests that wait for the operator, the oldest first.
#[utoipa::path(get, path = "/plan-requests", operation_id = "PlanRequestList", tag = "Plans",
    responses((status = 200, body = Vec<PlanRequestView>)))]
pub(super) async fn plan_request_list(asking: Asking) -> Outcome<Vec<PlanRequestView>> {
    asking.run(Operation::PlanRequestList).await
}

/// Grants a request: more recipients come at once, fewer and a cancellation with the next period.
#[utoipa::path(post, path = "/plan-requests/{request}/approve", operation_id = "PlanApprove", tag = "Plans",
    params(Asked), responses((status = 200, body = PlanRequestView)))]
pub(super) async fn plan_approve(asking: Asking, Path(Asked(request)): Path<Asked>) -> Outcome<PlanRequestView> {
    asking.run(Operation::PlanApprove { request }).await
}

/// Declines a request, with a reason that the account is shown.
#[utoipa::path(post, path = "/plan-requests/{request}/decline", operation_id = "PlanDecline", tag = "Plans",
    params(Asked), request_body = Declining, responses((status = 200, body = PlanRequestView)))]
pub(super) async fn plan_decline(
    asking: Asking,
    Path(Asked(request)): Path<Asked>,
    Body(Declining { reason }): Body<Declining>,
) -> Outcome<PlanRequestView> {
    asking.run(Operation::PlanDecline { request, reason }).await
}

/// Gives an account a plan at once, or takes it away: its logins are refused then, what was accepted is delivered.
#[utoipa::path(put, path = "/accounts/{account}/plan", operation_id = "AccountPlan", tag = "Plans", params(Named),
    request_body = PlanGiven, responses((status = 200, body = AccountView)))]
pub(super) async fn account_plan(
    asking: Asking,
    Path(Named(account)): Path<Named>,
    Body(PlanGiven { plan }): Body<PlanGiven>,
) -> Outcome<AccountView> {
    asking.run(Operation::AccountPlan { account, plan }).await
}

/// Asks the operator for a plan, or to cancel the one in force.
#[utoipa::path(post, path = "/accounts/{account}/plan-request", operation_id = "PlanAsk", tag = "Plans", params(Named),
    request_body = PlanWish, responses((status = 200, body = PlanRequestView)))]
pub(super) async fn plan_ask(
    asking: Asking,
    Path(Named(account)): Path<Named>,
    Body(PlanWish { plan, message }): Body<PlanWish>,
) -> Outcome<PlanRequestView> {
    asking.run(Operation::PlanAsk { account, plan, message }).await
}

/// Takes the open request of an account back.
#[utoipa::path(delete, path = "/accounts/{account}/plan-request", operation_id = "PlanWithdraw", tag = "Plans",
    params(Named), responses((status = 200, body = AccountView)))]
pub(super) async fn plan_withdraw(asking: Asking, Path(Named(account)): Path<Named>) -> Outcome<AccountView> {
    asking.run(Operation::PlanWithdraw { account }).await
}

/// Keeps the plan that an account is on: what was to follow it does not.
#[utoipa::path(delete, path = "/accounts/{account}/plan-change", operation_id = "PlanKeep", tag = "Plans",
    params(Named), responses((status = 200, body = AccountView)))]
pub(super) async fn plan_keep(asking: Asking, Path(Named(account)): Path<Named>) -> Outcome<AccountView> {
    asking.run(Operation::PlanKeep { account }).await
}

/// Shows whom an account wants to be written to about plan and quota, beside its administrators.
#[utoipa::path(get, path = "/accounts/{account}/contacts", operation_id = "AccountContacts", tag = "Accounts",
    params(Named), responses((status = 200, body = ContactsView)))]
pub(super) async fn account_contacts(asking: Asking, Path(Named(account)): Path<Named>) -> Outcome<ContactsView> {
    asking.run(Operation::AccountContacts { account }).await
}

/// Says whom an account wants to be written to.
#[utoipa::path(patch, path = "/accounts/{account}/contacts", operation_id = "AccountContactsSet", tag = "Accounts",
    params(Named), request_body = ContactsChange, responses((status = 200, body = ContactsView)))]
pub(super) async fn account_contacts_set(
    asking: Asking,
    Path(Named(account)): Path<Named>,
    Body(change): Body<ContactsChange>,
) -> Outcome<ContactsView> {
    let (primary, billing) = (contact(change.primary), contact(change.billing));
    asking.run(Operation::AccountContactsSet { account, primary, billing }).await
}
