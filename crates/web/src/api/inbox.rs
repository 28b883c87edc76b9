//! Test inboxes: what the sandbox took.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use relay::id::MessageId;
use relay::service::operation::Operation;
use relay::service::view::{CapturedDetailView, CapturedView, DoneView, SourceView};
use serde::Deserialize;
use utoipa::IntoParams;

use super::asking::{Asking, Outcome, Path, Query};
use super::operator::{Named, id};
use super::page::{Page, limit};
use super::problem::Problem;
use crate::whole::Place;

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Taken {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
    /// With this in the address of a recipient.
    recipient: Option<String>,
    /// Messages of a page; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

/// Lists the messages of test inboxes, newest first.
#[utoipa::path(get, path = "/inbox", operation_id = "InboxList", tag = "Test inbox", params(Taken),
    responses((status = 200, body = Page<CapturedView>)))]
pub(super) async fn inbox_list(asking: Asking, Query(taken): Query<Taken>) -> Outcome<Page<CapturedView>> {
    let limit = limit(taken.limit)?;
    let before: Option<MessageId> = taken.cursor.as_deref().map(id).transpose()?;
    let page = |rows: Vec<CapturedView>| Page::new(rows, limit, |row| row.message.clone());
    let (account, recipient) = (taken.account, taken.recipient);
    asking.shown(Operation::InboxList { account, recipient, before, limit }, page).await
}

/// Shows one with what is in it: text, HTML, parts, links, signatures.
#[utoipa::path(get, path = "/inbox/{message}", operation_id = "InboxShow", tag = "Test inbox",
    params(Named), responses((status = 200, body = CapturedDetailView)))]
pub(super) async fn inbox_show(asking: Asking, Path(Named(message)): Path<Named>) -> Outcome<CapturedDetailView> {
    asking.run(Operation::InboxShow { message: id(&message)? }).await
}

/// Gives one as it would have been sent, signatures in front.
#[utoipa::path(get, path = "/inbox/{message}/source", operation_id = "InboxSource", tag = "Test inbox",
    params(Named), responses((status = 200, body = String, content_type = "message/rfc822")))]
pub(super) async fn inbox_source(asking: Asking, Path(Named(message)): Path<Named>) -> Result<Response, Problem> {
    let place = Place::take(asking.account()).await?;
    let view: SourceView = asking.answer(Operation::InboxSource { message: id(&message)? }).await?;
    Ok(([(header::CONTENT_TYPE, "message/rfc822")], place.body(view.source.0)).into_response())
}

/// Deletes one.
#[utoipa::path(delete, path = "/inbox/{message}", operation_id = "InboxDelete", tag = "Test inbox",
    params(Named), responses((status = 200, body = DoneView)))]
pub(super) async fn inbox_delete(asking: Asking, Path(Named(message)): Path<Named>) -> Outcome<DoneView> {
    asking.run(Operation::InboxDelete { message: id(&message)? }).await
}

/// Deletes all of an account.
#[utoipa::path(delete, path = "/accounts/{account}/inbox", operation_id = "InboxEmpty", tag = "Test inbox",
    params(("account" = u64, Path, description = "Its number.")), responses((status = 200, body = DoneView)))]
pub(super) async fn inbox_empty(asking: Asking, Path(account): Path<u64>) -> Outcome<DoneView> {
    asking.run(Operation::InboxEmpty { account }).await
}
