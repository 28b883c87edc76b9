//! The addresses that accounts do not send to.

use axum::extract::Path;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, SuppressionView, SuppressionsImportedView};
use relay::suppression::SuppressionCause;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::activity::moment;
use super::asking::{Asking, Body, Outcome, Query};
use super::page::{self, Page};

/// A list of addresses may be so long.
pub(super) const LIST_OCTETS_MAX: usize = 4 << 20;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuppressionNew {
    /// The account.
    account: u64,
    /// The address.
    address: String,
    /// Why.
    #[serde(default)]
    reason: String,
    /// Until when; none: until it is lifted.
    #[schema(format = DateTime)]
    until: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuppressionsNew {
    /// The account.
    account: u64,
    /// CSV with columns `address`, `cause`, `reason`, `until`, `smtp_user`, named in a first line; or an address on each line.
    list: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// The account.
    account: u64,
    /// The number of the SMTP user for whose mail alone it is lifted.
    #[param(maximum = 9_223_372_036_854_775_807_u64)]
    smtp_user: Option<u64>,
}

/// Which suppressions, a page at a time.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Suppressed {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
    /// With this in the address.
    #[serde(default)]
    search: String,
    /// By this cause alone.
    #[param(inline)]
    cause: Option<SuppressionCause>,
    /// At most so many; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

/// Lists the addresses that accounts do not send to.
#[utoipa::path(get, path = "/suppressions", operation_id = "SuppressionList", tag = "Suppressions", params(Suppressed),
    responses((status = 200, body = Page<SuppressionView>)))]
pub(super) async fn suppression_list(
    asking: Asking,
    Query(suppressed): Query<Suppressed>,
) -> Outcome<Page<SuppressionView>> {
    let Suppressed { account, search, cause, limit, cursor } = suppressed;
    let limit = page::limit(limit)?;
    let place = |row: &SuppressionView| row.place();
    let page = move |rows: Vec<SuppressionView>| Page::new(rows, limit, place);
    asking.shown(Operation::SuppressionList { account, search, cause, after: cursor, limit }, page).await
}

/// Ends sending to an address.
#[utoipa::path(post, path = "/suppressions", operation_id = "SuppressionAdd", tag = "Suppressions",
    request_body = SuppressionNew, responses((status = 200, body = DoneView)))]
pub(super) async fn suppression_add(asking: Asking, Body(new): Body<SuppressionNew>) -> Outcome<DoneView> {
    let SuppressionNew { account, address, reason, until } = new;
    let until = until.as_deref().map(moment).transpose()?;
    asking.run(Operation::SuppressionAdd { account, address, reason, until }).await
}

/// Ends sending to every address of a list. What is suppressed already keeps what lasts longer; lines that cannot be taken
/// are told.
#[utoipa::path(post, path = "/suppressions/import", operation_id = "SuppressionImport", tag = "Suppressions",
    request_body = SuppressionsNew, responses((status = 200, body = SuppressionsImportedView)))]
pub(super) async fn suppression_import(
    asking: Asking,
    Body(new): Body<SuppressionsNew>,
) -> Outcome<SuppressionsImportedView> {
    asking.run(Operation::SuppressionImport { account: new.account, list: new.list }).await
}

/// Lifts the suppression of an address: for the mail of an SMTP user alone where that is named, else for all of the account's.
#[utoipa::path(delete, path = "/suppressions/{address}", operation_id = "SuppressionRemove", tag = "Suppressions",
    params(("address" = String, Path, description = "The address."), Whose),
    responses((status = 200, body = DoneView)))]
pub(super) async fn suppression_remove(
    asking: Asking,
    Path(address): Path<String>,
    Query(whose): Query<Whose>,
) -> Outcome<DoneView> {
    let Whose { account, smtp_user } = whose;
    asking.run(Operation::SuppressionRemove { account, address, smtp_user }).await
}
