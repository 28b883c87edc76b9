//! Bulk work that nobody is to feel: a runtime whose threads have the lowest scheduling priority, so that mail and pages have the
//! processor first. On a machine with nothing else to do it is as fast as anything.
//!
//! What runs here may hold only what nobody waits for. Reading the store is such work: each reader has a connection of its own,
//! and holds nothing between two parts.

use std::future::Future;
use std::io;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::{Builder, Runtime};

/// Threads for tasks, and as many for what blocks: no more bulk work runs at once.
const THREADS: usize = 4;
/// The lowest priority that there is (setpriority(2)).
const NICE: i32 = 19;

/// Made when it is first needed; none where that fails.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| match runtime() {
    Ok(runtime) => Some(runtime),
    Err(error) => {
        tracing::warn!(%error, "there are no threads for bulk work: it shares those of everything else");
        None
    }
});

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(THREADS)
        .thread_name("background")
        .on_thread_start(step_back)
        .enable_time()
        .build()
}

/// Gives the calling thread the lowest priority: on Linux a thread has one of its own.
fn step_back() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if let Err(error) = rustix::process::setpriority_process(None, NICE)
        && !TOLD.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(%error, "bulk work has the same priority as everything else");
    }
}

/// Carries out a task in the background, with all that it lets block.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    match &*RUNTIME {
        Some(runtime) => drop(runtime.spawn(task)),
        None => drop(tokio::spawn(task)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn nice() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    #[tokio::test]
    async fn what_runs_in_the_background_steps_back_and_nothing_else_does() {
        let before = nice();
        let (told, heard) = tokio::sync::oneshot::channel();
        spawn(async move {
            let blocking = tokio::task::spawn_blocking(nice).await.unwrap();
            told.send((nice(), blocking)).unwrap();
        });
        assert_eq!(heard.await.unwrap(), (NICE, NICE), "tasks, and what they let block");
        assert_eq!((nice(), tokio::task::spawn_blocking(nice).await.unwrap()), (before, before));
    }
}
