//! How far the log is synced, for threads and tasks that wait for more.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::state::lock;

/// A position that grows until it is closed.
#[derive(Debug)]
pub(crate) struct Progress {
    /// How far, and whether nothing more will come.
    state: Mutex<(u64, bool)>,
    grown: Condvar,
    tasks: watch::Sender<(u64, bool)>,
}

impl Progress {
    /// From here.
    pub(crate) fn new(position: u64) -> Self {
        let tasks = watch::Sender::new((position, false));
        Progress { state: Mutex::new((position, false)), grown: Condvar::new(), tasks }
    }

    /// How far.
    pub(crate) fn position(&self) -> u64 {
        lock(&self.state).0
    }

    /// Goes on to `position`, and wakes.
    pub(crate) fn advance(&self, position: u64) {
        lock(&self.state).0 = position;
        self.tell();
    }

    /// Nothing more will come: nobody waits any longer.
    pub(crate) fn close(&self) {
        lock(&self.state).1 = true;
        self.tell();
    }

    fn tell(&self) {
        self.grown.notify_all();
        self.tasks.send_replace(*lock(&self.state));
    }

    /// Waits until it is beyond `past`, or closed, or `patience` ends.
    pub(crate) fn wait(&self, past: u64, patience: Duration) -> u64 {
        let end = Instant::now() + patience;
        let mut state = lock(&self.state);
        while state.0 <= past && !state.1 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = match self.grown.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        state.0
    }

    /// As [`Progress::wait`], without an end to the patience.
    pub(crate) async fn past(&self, past: u64) -> u64 {
        let mut tasks = self.tasks.subscribe();
        // the sender lives in self: it cannot be gone
        let _ = tasks.wait_for(|(position, closed)| *position > past || *closed).await;
        tasks.borrow().0
    }
}
