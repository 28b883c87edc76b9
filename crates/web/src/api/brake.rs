//! Automatic brakes that are on.

use relay::service::operation::Operation;
use relay::service::view::{BrakeView, DoneView};
use serde::Deserialize;
use utoipa::IntoParams;

use super::asking::{Asking, Outcome, Path, Query};

/// Whose.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Braked {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
}

/// Lists the automatic brakes that are on, with why.
#[utoipa::path(get, path = "/brakes", operation_id = "BrakeList", tag = "Brakes", params(Braked),
    responses((status = 200, body = Vec<BrakeView>)))]
pub(super) async fn brake_list(asking: Asking, Query(braked): Query<Braked>) -> Outcome<Vec<BrakeView>> {
    asking.run(Operation::BrakeList { account: braked.account }).await
}

/// Releases an automatic brake: new mail is taken again, and what was held goes out.
#[utoipa::path(post, path = "/brakes/{brake}/release", operation_id = "BrakeRelease", tag = "Brakes",
    params(("brake" = String, Path, description = "Its reference, such as `U17`.")),
    responses((status = 200, body = DoneView)))]
pub(super) async fn brake_release(asking: Asking, Path(brake): Path<String>) -> Outcome<DoneView> {
    asking.run(Operation::BrakeRelease { brake }).await
}
