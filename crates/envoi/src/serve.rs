//! Serve.

use relay::service::Fault;

pub(crate) async fn run(_config: crate::config::Config) -> Result<(), Fault> {
    Ok(())
}
