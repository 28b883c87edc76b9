//! Members.

use relay::language::Language;
use relay::power::Role;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, MemberLinkView, MemberView, SignInView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::account::Whose;
use super::asking::{Asking, Body, Outcome, Path, Query};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberNew {
    /// The account; absent with a key of the operator: the operator's own.
    account: Option<u64>,
    /// The address they sign in with.
    email: String,
    /// What people call them.
    name: String,
    /// What they are in the account.
    #[schema(value_type = String)]
    role: Role,
    /// What they are spoken to in.
    #[serde(default)]
    language: Language,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberEdit {
    /// What they are from now on.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// What people call them from now on.
    name: Option<String>,
    /// What they are spoken to in from now on.
    language: Option<Language>,
}

/// Lists members.
#[utoipa::path(get, path = "/members", operation_id = "MemberList", tag = "Members", params(Whose),
    responses((status = 200, body = Vec<MemberView>)))]
pub(super) async fn member_list(asking: Asking, Query(whose): Query<Whose>) -> Outcome<Vec<MemberView>> {
    asking.run(Operation::MemberList { account: whose.account }).await
}

/// Adds a member; the link to choose a password by is shown this once.
#[utoipa::path(post, path = "/members", operation_id = "MemberAdd", tag = "Members", request_body = MemberNew,
    responses((status = 200, body = MemberLinkView)))]
pub(super) async fn member_add(asking: Asking, Body(new): Body<MemberNew>) -> Outcome<MemberLinkView> {
    let MemberNew { account, email, name, role, language } = new;
    asking.run(Operation::MemberAdd { account, email, name, role, language }).await
}

/// Changes what a member is, is called, or is spoken to in; what is absent stays. Their password and one-time codes are theirs
/// alone, in the console.
#[utoipa::path(patch, path = "/members/{member}", operation_id = "MemberSet", tag = "Members",
    params(("member" = u64, Path, description = "Their number")), request_body = MemberEdit,
    responses((status = 200, body = MemberView)))]
pub(super) async fn member_set(
    asking: Asking,
    Path(member): Path<u64>,
    Body(change): Body<MemberEdit>,
) -> Outcome<MemberView> {
    let MemberEdit { role, name, language } = change;
    asking.run(Operation::MemberSet { member, role, name, language }).await
}

/// Makes a new link to choose a password by, shown this once; links of before are void.
#[utoipa::path(post, path = "/members/{member}/link", operation_id = "MemberLink", tag = "Members",
    params(("member" = u64, Path, description = "Their number")), responses((status = 200, body = MemberLinkView)))]
pub(super) async fn member_link(asking: Asking, Path(member): Path<u64>) -> Outcome<MemberLinkView> {
    asking.run(Operation::MemberLink { member }).await
}

/// Shows where the sign-ins of a member came from, and what failed, the latest first.
#[utoipa::path(get, path = "/members/{member}/sign-ins", operation_id = "MemberSignIns", tag = "Members",
    params(("member" = u64, Path, description = "Their number")), responses((status = 200, body = Vec<SignInView>)))]
pub(super) async fn member_sign_ins(asking: Asking, Path(member): Path<u64>) -> Outcome<Vec<SignInView>> {
    asking.run(Operation::MemberSignIns { member }).await
}

/// Removes a member, who is signed out that instant.
#[utoipa::path(delete, path = "/members/{member}", operation_id = "MemberRemove", tag = "Members",
    params(("member" = u64, Path, description = "Their number")), responses((status = 200, body = DoneView)))]
pub(super) async fn member_remove(asking: Asking, Path(member): Path<u64>) -> Outcome<DoneView> {
    asking.run(Operation::MemberRemove { member }).await
}
