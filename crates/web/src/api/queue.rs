//! Orders about a part of the queue, named by what its recipients have in common.

use relay::service::operation::Operation;
use relay::service::view::QueuePartView;
use relay::service::{QueueOrder, Selection};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::activity::moment;
use super::asking::{Asking, Body, Outcome, Query};
use super::operator::id;
use super::problem::Problem;

/// Which part of the queue; one thing at least has to be named.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Counted {
    /// Of this account alone.
    account: Option<u64>,
    /// Of this sending domain alone, by number or name.
    domain: Option<String>,
    /// Of this SMTP user alone, by number or username.
    user: Option<String>,
    /// To this address, or to `@domain`.
    recipient: Option<String>,
    /// Accepted at or after: RFC 3339, or a day.
    since: Option<String>,
    /// Accepted before.
    until: Option<String>,
    /// What the answer before gave as `next`.
    cursor: Option<String>,
}

/// What is to become of it: `hold`, `release` (what the operator holds), `retry`, `cancel` (it cannot be undone), `reroute`.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Ordered {
    Hold,
    Release,
    Retry,
    Cancel,
    Reroute,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderOfQueue {
    #[schema(inline)]
    order: Ordered,
    /// Whether senders that want to be are told of what is cancelled.
    #[serde(default = "yes")]
    notify: bool,
    /// Where what is rerouted goes: the next hop of a route, `host:port`; `mx`: the mail servers of its domain; none: as the
    /// routes say.
    to: Option<String>,
    /// Of this account alone.
    account: Option<u64>,
    /// Of this sending domain alone, by number or name.
    domain: Option<String>,
    /// Of this SMTP user alone, by number or username.
    user: Option<String>,
    /// To this address, or to `@domain`.
    recipient: Option<String>,
    /// Accepted at or after: RFC 3339, or a day.
    since: Option<String>,
    /// Accepted before.
    until: Option<String>,
    /// What the answer before gave as `next`.
    cursor: Option<String>,
}

fn yes() -> bool {
    true
}

fn at(given: Option<String>) -> Result<Option<relay::clock::Timestamp>, Problem> {
    given.as_deref().map(moment).transpose()
}

/// Counts the recipients of a part of the queue, as far as one look goes: go on with `next` while there is one.
#[utoipa::path(get, path = "/queue/count", operation_id = "QueueCount", tag = "Queue", params(Counted),
    responses((status = 200, body = QueuePartView)))]
pub(super) async fn queue_count(asking: Asking, Query(part): Query<Counted>) -> Outcome<QueuePartView> {
    let Counted { account, domain, user, recipient, since, until, cursor } = part;
    let selection = Selection { account, domain, user, recipient, since: at(since)?, until: at(until)? };
    let after = cursor.as_deref().map(id).transpose()?;
    asking.run(Operation::QueueCount { selection, after }).await
}

/// Holds, releases, tries, cancels or reroutes a part of the queue, as far as one turn goes: go on with `next` while there is one.
#[utoipa::path(post, path = "/queue/orders", operation_id = "QueueOrder", tag = "Queue", request_body = OrderOfQueue,
    responses((status = 200, body = QueuePartView)))]
pub(super) async fn queue_order(asking: Asking, Body(given): Body<OrderOfQueue>) -> Outcome<QueuePartView> {
    let OrderOfQueue { order, notify, to, account, domain, user, recipient, since, until, cursor } = given;
    let order = match order {
        Ordered::Hold => QueueOrder::Hold,
        Ordered::Release => QueueOrder::Release,
        Ordered::Retry => QueueOrder::Retry,
        Ordered::Cancel => QueueOrder::Cancel { notify },
        Ordered::Reroute => QueueOrder::Reroute { to },
    };
    let selection = Selection { account, domain, user, recipient, since: at(since)?, until: at(until)? };
    let after = cursor.as_deref().map(id).transpose()?;
    asking.run(Operation::QueueOrder { order, selection, after }).await
}
