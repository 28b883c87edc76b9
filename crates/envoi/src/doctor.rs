//! Doctor.

use crate::cli::Failure;

pub(crate) async fn run(_file: &std::path::Path, _json: bool) -> Result<(), Failure> {
    Ok(())
}
