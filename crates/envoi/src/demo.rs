//! The demonstration.

use crate::cli::{DemoArgs, Failure};

pub(crate) async fn run(_arguments: &DemoArgs, _json: bool) -> Result<(), Failure> {
    Ok(())
}
