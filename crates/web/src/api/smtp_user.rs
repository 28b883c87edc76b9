//! SMTP users: what applications log in with.

use ipnet::IpNet;
use relay::clock::Timestamp;
use relay::priority::Class;
use relay::service::operation::Operation;
use relay::service::view::{CredentialView, DoneView, SmtpUserView};
use relay::service::{RulesChange, Setting};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use super::asking::{Asking, Body, Outcome, Path, Query};
use super::page::{self, Page};

/// What is absent stays, null goes back to the default, anything else is the new value (RFC 7396).
pub(super) fn setting<'de, D: Deserializer<'de>, T: Deserialize<'de>>(given: D) -> Result<Setting<T>, D::Error> {
    Option::<T>::deserialize(given).map(|value| value.map_or(Setting::Default, Setting::To))
}

/// The same for a moment in RFC 3339.
fn moment<'de, D: Deserializer<'de>>(given: D) -> Result<Setting<Timestamp>, D::Error> {
    match Option::<String>::deserialize(given)? {
        None => Ok(Setting::Default),
        Some(text) => relay::moment::parse(&text).map(Setting::To).map_err(D::Error::custom),
    }
}

/// What an SMTP user may do. Absent: as it is; null: the default.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    /// When its logins end.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<String>)]
    expires_at: Setting<Timestamp>,
    /// Networks that it may log in from.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<Vec<String>>)]
    networks: Setting<Vec<IpNet>>,
    /// Refuse the whole message after one refused recipient.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<bool>)]
    all_or_nothing: Setting<bool>,
    /// Capture, never send.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<bool>)]
    sandbox: Setting<bool>,
    /// Seconds to retry.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<u64>)]
    retry_seconds: Setting<u64>,
    /// Addresses that may send.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<Vec<String>>)]
    senders: Setting<Vec<String>>,
    /// Domains that it may send to.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<Vec<String>>)]
    recipient_domains: Setting<Vec<String>>,
    /// Answer a suppressed recipient with a refusal.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<bool>)]
    refuse_suppressed: Setting<bool>,
    /// How urgent its mail is: `high`, `normal` or `low`.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<String>)]
    priority: Setting<Class>,
    /// Send each message to one recipient, and tell them where to unsubscribe with one click (RFC 8058).
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<bool>)]
    one_click_unsubscribe: Setting<bool>,
    /// Seconds in which the same message once more is answered with the first id and not sent again, whatever followed the first.
    #[serde(default, deserialize_with = "setting")]
    #[schema(value_type = Option<u64>)]
    repeat_seconds: Setting<u64>,
}

impl From<Rules> for RulesChange {
    fn from(rules: Rules) -> Self {
        RulesChange {
            expires_at: rules.expires_at,
            networks: rules.networks,
            all_or_nothing: rules.all_or_nothing,
            sandbox: rules.sandbox,
            retry_seconds: rules.retry_seconds,
            senders: rules.senders,
            recipient_domains: rules.recipient_domains,
            refuse_suppressed: rules.refuse_suppressed,
            priority: rules.priority,
            one_click_unsubscribe: rules.one_click_unsubscribe,
            repeat_seconds: rules.repeat_seconds,
        }
    }
}

/// The SMTP user of a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path, names("user"))]
pub(super) struct Named(
    /// Its number or username.
    String,
);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserNew {
    /// The domain, by number or name.
    domain: String,
    /// What people call it.
    name: String,
    /// What it may do.
    #[serde(default)]
    rules: Rules,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Naming {
    /// What people call it.
    name: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
    /// Of this domain alone, by number or name.
    domain: Option<String>,
    /// At most so many; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    #[param(maximum = 9_223_372_036_854_775_807_u64)]
    cursor: Option<u64>,
}

/// Lists SMTP users.
#[utoipa::path(get, path = "/smtp-users", operation_id = "SmtpUserList", tag = "SMTP users", params(Which),
    responses((status = 200, body = Page<SmtpUserView>)))]
pub(super) async fn smtp_user_list(asking: Asking, Query(which): Query<Which>) -> Outcome<Page<SmtpUserView>> {
    let Which { account, domain, limit, cursor } = which;
    let part = page::part(cursor, limit)?;
    let page = move |rows: Vec<SmtpUserView>| Page::new(rows, part.limit, |row| row.id.to_string());
    asking.shown(Operation::SmtpUserList { account, domain, part }, page).await
}

/// Makes an SMTP user; its password is shown this once.
#[utoipa::path(post, path = "/smtp-users", operation_id = "SmtpUserAdd", tag = "SMTP users", request_body = UserNew,
    responses((status = 200, body = CredentialView)))]
pub(super) async fn smtp_user_add(asking: Asking, Body(new): Body<UserNew>) -> Outcome<CredentialView> {
    let UserNew { domain, name, rules } = new;
    asking.run(Operation::SmtpUserAdd { domain, name, rules: rules.into() }).await
}

/// Shows an SMTP user with its rules and its last login.
#[utoipa::path(get, path = "/smtp-users/{user}", operation_id = "SmtpUserShow", tag = "SMTP users",
    params(Named),
    responses((status = 200, body = SmtpUserView)))]
pub(super) async fn smtp_user_show(asking: Asking, Path(Named(user)): Path<Named>) -> Outcome<SmtpUserView> {
    asking.run(Operation::SmtpUserShow { user }).await
}

/// Changes the rules of an SMTP user.
#[utoipa::path(patch, path = "/smtp-users/{user}", operation_id = "SmtpUserSet", tag = "SMTP users",
    params(Named), request_body = Rules,
    responses((status = 200, body = SmtpUserView)))]
pub(super) async fn smtp_user_set(
    asking: Asking,
    Path(Named(user)): Path<Named>,
    Body(rules): Body<Rules>,
) -> Outcome<SmtpUserView> {
    asking.run(Operation::SmtpUserSet { user, rules: rules.into() }).await
}

/// Deletes an SMTP user: its sessions end, mail it sent is delivered. It cannot be undone.
#[utoipa::path(delete, path = "/smtp-users/{user}", operation_id = "SmtpUserDelete", tag = "SMTP users",
    params(Named),
    responses((status = 200, body = DoneView)))]
pub(super) async fn smtp_user_delete(asking: Asking, Path(Named(user)): Path<Named>) -> Outcome<DoneView> {
    asking.run(Operation::SmtpUserDelete { user }).await
}

/// Gives an SMTP user another descriptive name; its username never changes.
#[utoipa::path(put, path = "/smtp-users/{user}/name", operation_id = "SmtpUserRename", tag = "SMTP users",
    params(Named), request_body = Naming,
    responses((status = 200, body = SmtpUserView)))]
pub(super) async fn smtp_user_rename(
    asking: Asking,
    Path(Named(user)): Path<Named>,
    Body(naming): Body<Naming>,
) -> Outcome<SmtpUserView> {
    asking.run(Operation::SmtpUserRename { user, name: naming.name }).await
}

/// Replaces every password of an SMTP user by a new one, shown this once; the old ones stop that instant.
#[utoipa::path(post, path = "/smtp-users/{user}/reset", operation_id = "SmtpUserReset", tag = "SMTP users",
    params(Named),
    responses((status = 200, body = CredentialView)))]
pub(super) async fn smtp_user_reset(asking: Asking, Path(Named(user)): Path<Named>) -> Outcome<CredentialView> {
    asking.run(Operation::SmtpUserReset { user }).await
}

/// Makes a second password beside the one in use, shown this once.
#[utoipa::path(post, path = "/smtp-users/{user}/passwords", operation_id = "SmtpUserAddPassword", tag = "SMTP users",
    params(Named),
    responses((status = 200, body = CredentialView)))]
pub(super) async fn smtp_user_add_password(asking: Asking, Path(Named(user)): Path<Named>) -> Outcome<CredentialView> {
    asking.run(Operation::SmtpUserAddPassword { user }).await
}

/// Drops the older of two passwords.
#[utoipa::path(delete, path = "/smtp-users/{user}/passwords/older", operation_id = "SmtpUserDropPassword",
    tag = "SMTP users", params(Named),
    responses((status = 200, body = SmtpUserView)))]
pub(super) async fn smtp_user_drop_password(asking: Asking, Path(Named(user)): Path<Named>) -> Outcome<SmtpUserView> {
    asking.run(Operation::SmtpUserDropPassword { user }).await
}

/// Lets an SMTP user log in again.
#[utoipa::path(post, path = "/smtp-users/{user}/enable", operation_id = "SmtpUserEnable", tag = "SMTP users",
    params(Named),
    responses((status = 200, body = SmtpUserView)))]
pub(super) async fn smtp_user_enable(asking: Asking, Path(Named(user)): Path<Named>) -> Outcome<SmtpUserView> {
    asking.run(Operation::SmtpUserEnable { user }).await
}

/// Ends the logins of an SMTP user.
#[utoipa::path(post, path = "/smtp-users/{user}/disable", operation_id = "SmtpUserDisable", tag = "SMTP users",
    params(Named),
    responses((status = 200, body = SmtpUserView)))]
pub(super) async fn smtp_user_disable(asking: Asking, Path(Named(user)): Path<Named>) -> Outcome<SmtpUserView> {
    asking.run(Operation::SmtpUserDisable { user }).await
}
