//! Work that blocks, on the disk or by computing: left to threads that are there for it, or done where it stands.

/// Where such work is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offload {
    /// On the runtime's threads for blocking work: what a server does.
    #[default]
    Threads,
    /// In the task that wants it: for a simulator, where nothing waits for a device and order is part of the seed.
    Inline,
}

/// The work broke off, or the process is ending.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BrokenOff(String);

impl Offload {
    /// Does it, and waits for it.
    ///
    /// # Errors
    /// It panicked, or the runtime ends.
    pub async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, BrokenOff> {
        match self {
            Offload::Threads => tokio::task::spawn_blocking(work).await.map_err(|error| BrokenOff(error.to_string())),
            Offload::Inline => Ok(work()),
        }
    }
}
