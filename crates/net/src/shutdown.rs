//! One word for the whole process to stop, and the wait until everyone has.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The signal to stop, shared by every task. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    begun: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Nothing has been told to stop yet.
    pub fn new() -> Self {
        Shutdown::default()
    }

    /// Tells everyone to stop. Telling twice is telling once.
    pub fn begin(&self) {
        self.begun.cancel();
        self.tasks.close();
    }

    /// Whether everyone was told to stop.
    pub fn is_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Waits until everyone is told to stop.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// A signal of its own for a part: it ends with the whole, or alone; its tasks are its own.
    #[must_use]
    pub fn child(&self) -> Shutdown {
        Shutdown { begun: self.begun.child_token(), tasks: TaskTracker::new() }
    }

    /// Starts a task that [`Shutdown::finished`] waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Tasks that have not ended.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until every task has ended, at most `patience`; whether they all did. Call after [`Shutdown::begin`].
    pub async fn finished(&self, patience: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_ends_with_the_whole_and_the_whole_not_with_a_part() {
        let whole = Shutdown::new();
        let (one, other) = (whole.child(), whole.child());
        one.begin();
        assert!(one.is_begun() && !whole.is_begun() && !other.is_begun());
        whole.begin();
        other.begun().await;
    }

    #[tokio::test]
    async fn the_wait_ends_with_the_last_task_or_with_patience() {
        let shutdown = Shutdown::new();
        let task = shutdown.clone();
        shutdown.spawn(async move { task.begun().await });
        assert_eq!(shutdown.tasks(), 1);
        shutdown.begin();
        assert!(shutdown.finished(Duration::from_secs(60)).await);
        shutdown.spawn(std::future::pending::<()>());
        assert!(!shutdown.finished(Duration::ZERO).await);
    }
}
