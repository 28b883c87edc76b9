//! Sending domains.

use relay::sending_domain::KeyAlgorithm;
use relay::service::operation::Operation;
use relay::service::view::{DomainView, DoneView};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::asking::{Asking, Body, Outcome, Path, Query};
use super::page::{self, Page};

/// The domain of a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path, names("domain"))]
pub(super) struct Named(
    /// Its number or name.
    String,
);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DomainNew {
    /// The account.
    account: u64,
    /// The name: the part behind the @ of its senders.
    name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Vouching {
    /// Whether it is vouched for.
    vouched: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// `rsa2048` or `ed25519`; absent: both.
    #[schema(value_type = Option<String>)]
    algorithm: Option<KeyAlgorithm>,
    /// Also where the record of the other selector was not in DNS at the last look.
    #[serde(default)]
    force: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    /// On or off.
    on: bool,
}

/// Which, a page at a time.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listed {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
    /// At most so many; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    #[param(maximum = 9_223_372_036_854_775_807_u64)]
    cursor: Option<u64>,
}

/// Lists sending domains.
#[utoipa::path(get, path = "/domains", operation_id = "DomainList", tag = "Domains", params(Listed),
    responses((status = 200, body = Page<DomainView>)))]
pub(super) async fn domain_list(asking: Asking, Query(listed): Query<Listed>) -> Outcome<Page<DomainView>> {
    let (account, part) = (listed.account, page::part(listed.cursor, listed.limit)?);
    let page = move |rows: Vec<DomainView>| Page::new(rows, part.limit, |row| row.id.to_string());
    asking.shown(Operation::DomainList { account, part }, page).await
}

/// Adds a sending domain with its keys, in state pending. Takes a second and more.
#[utoipa::path(post, path = "/domains", operation_id = "DomainAdd", tag = "Domains", request_body = DomainNew,
    responses((status = 200, body = DomainView)))]
pub(super) async fn domain_add(asking: Asking, Body(new): Body<DomainNew>) -> Outcome<DomainView> {
    asking.run(Operation::DomainAdd { account: new.account, name: new.name }).await
}

/// Shows a sending domain with the records to publish.
#[utoipa::path(get, path = "/domains/{domain}", operation_id = "DomainShow", tag = "Domains",
    params(Named),
    responses((status = 200, body = DomainView)))]
pub(super) async fn domain_show(asking: Asking, Path(Named(domain)): Path<Named>) -> Outcome<DomainView> {
    asking.run(Operation::DomainShow { domain }).await
}

/// What becomes of its mail.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ItsMail {
    /// Its mail that waits is given up; absent: it has 24 hours to go out.
    #[serde(default)]
    cancel_mail: bool,
}

/// Deletes a domain: its SMTP users stop at once, its queue has 24 hours or is given up. It cannot be undone.
#[utoipa::path(delete, path = "/domains/{domain}", operation_id = "DomainDelete", tag = "Domains",
    params(Named, ItsMail),
    responses((status = 200, body = DoneView)))]
pub(super) async fn domain_delete(
    asking: Asking,
    Path(Named(domain)): Path<Named>,
    Query(mail): Query<ItsMail>,
) -> Outcome<DoneView> {
    asking.run(Operation::DomainDelete { domain, cancel_mail: mail.cancel_mail }).await
}

/// Vouches for a domain instead of DNS, or takes that back.
#[utoipa::path(put, path = "/domains/{domain}/vouching", operation_id = "DomainVouch", tag = "Domains",
    params(Named), request_body = Vouching,
    responses((status = 200, body = DomainView)))]
pub(super) async fn domain_vouch(
    asking: Asking,
    Path(Named(domain)): Path<Named>,
    Body(vouching): Body<Vouching>,
) -> Outcome<DomainView> {
    asking.run(Operation::DomainVouch { domain, vouched: vouching.vouched }).await
}

/// Looks in DNS now, and says what is there of each record.
#[utoipa::path(post, path = "/domains/{domain}/verify", operation_id = "DomainVerify", tag = "Domains",
    params(Named),
    responses((status = 200, body = DomainView)))]
pub(super) async fn domain_verify(asking: Asking, Path(Named(domain)): Path<Named>) -> Outcome<DomainView> {
    asking.run(Operation::DomainVerify { domain }).await
}

/// Moves the signing of a domain to its other selector. Nothing changes in DNS.
#[utoipa::path(post, path = "/domains/{domain}/rotate", operation_id = "DomainRotate", tag = "Domains",
    params(Named), request_body = Rotation,
    responses((status = 200, body = DomainView)))]
pub(super) async fn domain_rotate(
    asking: Asking,
    Path(Named(domain)): Path<Named>,
    Body(rotation): Body<Rotation>,
) -> Outcome<DomainView> {
    let Rotation { algorithm, force } = rotation;
    asking.run(Operation::DomainRotate { domain, algorithm, force }).await
}

/// Switches a domain's bounce mails on or off.
#[utoipa::path(put, path = "/domains/{domain}/bounce-mails", operation_id = "DomainBounceMails", tag = "Domains",
    params(Named), request_body = Switch,
    responses((status = 200, body = DomainView)))]
pub(super) async fn domain_bounce_mails(
    asking: Asking,
    Path(Named(domain)): Path<Named>,
    Body(switch): Body<Switch>,
) -> Outcome<DomainView> {
    asking.run(Operation::DomainBounceMails { domain, on: switch.on }).await
}
