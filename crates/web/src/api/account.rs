//! Accounts, and the addresses that they do not send to.

use relay::language::Language;
use relay::service::Setting;
use relay::service::operation::Operation;
use relay::service::view::{AccountView, DoneView, ErasureView};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::asking::{Asking, Body, Outcome, Path, Query};
use super::page::{self, Page};
use super::smtp_user::setting;

/// Whose.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Of this account alone; with a key of an account its own.
    pub(super) account: Option<u64>,
}

/// The account of a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path, names("account"))]
pub(super) struct Named(
    /// Its number.
    pub(super) u64,
);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountNew {
    /// What people call it.
    name: String,
    /// It cannot send until a plan is approved; absent: it is on the default plan.
    #[serde(default)]
    without_plan: bool,
    /// The time zone that its people read times in (IANA name); absent: UTC.
    time_zone: Option<String>,
    /// The language of what is written to it; absent: `en`.
    language: Option<Language>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    /// What people call it; absent: as it is.
    name: Option<String>,
    /// The time zone that its people read times in (IANA name); absent: as it is.
    time_zone: Option<String>,
    /// The language of what is written to it; absent: as it is.
    language: Option<Language>,
    /// For how many days its activity is kept; null: as long as the relay keeps any; absent: as it is.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<u64>)]
    activity_days: Setting<u64>,
}

/// What becomes of its mail.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ItsMail {
    /// All its mail that waits is given up; absent: what is held is, the rest has 24 hours to go out.
    #[serde(default)]
    cancel_mail: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Erasure {
    /// The address, as a whole.
    recipient: String,
    /// Its suppression is lifted too: mail to it may go again.
    #[serde(default)]
    suppression: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuotaChange {
    /// Recipients a month, in place of what its plan says; null: as its plan says; absent: as it is.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<u64>)]
    recipients: Setting<u64>,
    /// The day of the month on which a period begins.
    renews_on: Option<u8>,
}

/// Which accounts, a page at a time.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Searched {
    /// Whose name, number or one of whose domains has this.
    search: Option<String>,
    /// At most so many; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    #[param(maximum = 9_223_372_036_854_775_807_u64)]
    cursor: Option<u64>,
}

/// Lists accounts: all, or those whose name, number or one of whose domains has what is searched for.
#[utoipa::path(get, path = "/accounts", operation_id = "AccountList", tag = "Accounts", params(Searched),
    responses((status = 200, body = Page<AccountView>)))]
pub(super) async fn account_list(asking: Asking, Query(searched): Query<Searched>) -> Outcome<Page<AccountView>> {
    let Searched { search, limit, cursor } = searched;
    let part = page::part(cursor, limit)?;
    let page = move |rows: Vec<AccountView>| Page::new(rows, part.limit, |row| row.id.to_string());
    asking.shown(Operation::AccountList { search, part }, page).await
}

/// Makes an account.
#[utoipa::path(post, path = "/accounts", operation_id = "AccountAdd", tag = "Accounts", request_body = AccountNew,
    responses((status = 200, body = AccountView)))]
pub(super) async fn account_add(asking: Asking, Body(new): Body<AccountNew>) -> Outcome<AccountView> {
    let AccountNew { name, without_plan, time_zone, language } = new;
    asking.run(Operation::AccountAdd { name, without_plan, time_zone, language }).await
}

/// Shows an account with what it used of its quota.
#[utoipa::path(get, path = "/accounts/{account}", operation_id = "AccountShow", tag = "Accounts",
    params(Named), responses((status = 200, body = AccountView)))]
pub(super) async fn account_show(asking: Asking, Path(Named(account)): Path<Named>) -> Outcome<AccountView> {
    asking.run(Operation::AccountShow { account }).await
}

/// Changes what an account is called, its time zone, the language of what is written to it, or for how many days its
/// activity is kept.
#[utoipa::path(patch, path = "/accounts/{account}", operation_id = "AccountSet", tag = "Accounts",
    params(("account" = u64, Path, description = "Its number")), request_body = AccountChange,
    responses((status = 200, body = AccountView)))]
pub(super) async fn account_set(
    asking: Asking,
    Path(account): Path<u64>,
    Body(change): Body<AccountChange>,
) -> Outcome<AccountView> {
    let AccountChange { name, time_zone, language, activity_days } = change;
    asking.run(Operation::AccountSet { account, name, time_zone, language, activity_days }).await
}

/// Deletes an account: all that is its stops at once, and what is kept of it goes, the audit log excepted.
#[utoipa::path(delete, path = "/accounts/{account}", operation_id = "AccountDelete", tag = "Accounts",
    params(("account" = u64, Path, description = "Its number"), ItsMail),
    responses((status = 200, body = DoneView)))]
pub(super) async fn account_delete(
    asking: Asking,
    Path(account): Path<u64>,
    Query(mail): Query<ItsMail>,
) -> Outcome<DoneView> {
    asking.run(Operation::AccountDelete { account, cancel_mail: mail.cancel_mail }).await
}

/// Erases what is kept about a recipient of an account's mail: activity, failed connections, calls to webhooks.
#[utoipa::path(post, path = "/accounts/{account}/erasures", operation_id = "ActivityErase", tag = "Activity",
    params(Named), request_body = Erasure, responses((status = 200, body = ErasureView)))]
pub(super) async fn activity_erase(
    asking: Asking,
    Path(Named(account)): Path<Named>,
    Body(erasure): Body<Erasure>,
) -> Outcome<ErasureView> {
    let Erasure { recipient, suppression } = erasure;
    asking.run(Operation::ActivityErase { account, recipient, suppression }).await
}

/// Suspends an account: its logins are refused, its queue is held.
#[utoipa::path(post, path = "/accounts/{account}/suspend", operation_id = "AccountSuspend", tag = "Accounts",
    params(Named), responses((status = 200, body = AccountView)))]
pub(super) async fn account_suspend(asking: Asking, Path(Named(account)): Path<Named>) -> Outcome<AccountView> {
    asking.run(Operation::AccountSuspend { account }).await
}

/// Resumes a suspended account.
#[utoipa::path(post, path = "/accounts/{account}/resume", operation_id = "AccountResume", tag = "Accounts",
    params(Named), responses((status = 200, body = AccountView)))]
pub(super) async fn account_resume(asking: Asking, Path(Named(account)): Path<Named>) -> Outcome<AccountView> {
    asking.run(Operation::AccountResume { account }).await
}

/// Sets to how many recipients an account may send in a month in place of what its plan says, and on which day that
/// begins anew.
#[utoipa::path(patch, path = "/accounts/{account}/quota", operation_id = "AccountQuota", tag = "Accounts",
    params(Named), request_body = QuotaChange,
    responses((status = 200, body = AccountView)))]
pub(super) async fn account_quota(
    asking: Asking,
    Path(Named(account)): Path<Named>,
    Body(change): Body<QuotaChange>,
) -> Outcome<AccountView> {
    let QuotaChange { recipients, renews_on } = change;
    asking.run(Operation::AccountQuota { account, recipients, renews_on }).await
}
