//! API keys.

use relay::power::Power;
use relay::service::operation::Operation;
use relay::service::view::{ApiKeySecretView, ApiKeyView, DoneView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::account::Whose;
use super::activity::moment;
use super::asking::{Asking, Body, Outcome, Path, Query};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyNew {
    /// The account; absent with a key of the operator: the operator's own.
    account: Option<u64>,
    /// What people call it.
    name: String,
    /// What it may do in its account: `activity`, `domains`, `plan`, `administration`, `submit`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    powers: Vec<Power>,
    /// It only looks.
    #[serde(default)]
    read_only: bool,
    /// From when on it works no more: RFC 3339, or a day.
    expires_at: Option<String>,
}

/// Lists API keys.
#[utoipa::path(get, path = "/api-keys", operation_id = "ApiKeyList", tag = "API keys", params(Whose),
    responses((status = 200, body = Vec<ApiKeyView>)))]
pub(super) async fn api_key_list(asking: Asking, Query(whose): Query<Whose>) -> Outcome<Vec<ApiKeyView>> {
    asking.run(Operation::ApiKeyList { account: whose.account }).await
}

/// Makes an API key; its secret is shown this once.
#[utoipa::path(post, path = "/api-keys", operation_id = "ApiKeyAdd", tag = "API keys", request_body = KeyNew,
    responses((status = 200, body = ApiKeySecretView)))]
pub(super) async fn api_key_add(asking: Asking, Body(new): Body<KeyNew>) -> Outcome<ApiKeySecretView> {
    let KeyNew { account, name, powers, read_only, expires_at } = new;
    let expires_at = expires_at.as_deref().map(moment).transpose()?;
    let powers = powers.into_iter().collect();
    asking.run(Operation::ApiKeyAdd { account, name, powers, read_only, expires_at }).await
}

/// Deletes an API key: it stops at once.
#[utoipa::path(delete, path = "/api-keys/{key}", operation_id = "ApiKeyDelete", tag = "API keys",
    params(("key" = u64, Path, description = "Its number.")), responses((status = 200, body = DoneView)))]
pub(super) async fn api_key_delete(asking: Asking, Path(key): Path<u64>) -> Outcome<DoneView> {
    asking.run(Operation::ApiKeyDelete { key }).await
}
