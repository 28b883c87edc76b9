//! The two threads of a spool: the committer's, which drains what waits, and the upkeep's, which ticks.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use relay::store::StoreError;

use super::checkpoint;
use super::committer::{Committer, refuse};
use super::disk::Disk;
use super::request::Request;
use super::state::{Shared, lock};
use super::upkeep::Upkeep;

/// Between two steps of an idle upkeep.
const TICK: Duration = Duration::from_millis(500);
/// Between two steps of one that waits for its budget.
const BUSY_TICK: Duration = Duration::from_millis(50);

/// What waits for the committer.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) queue: VecDeque<Request>,
    /// Requests in the queue that somebody waits for.
    eager: usize,
    lazy_octets: usize,
    /// When the first lazy one came.
    lazy_since: Option<Instant>,
    pub(super) is_closing: bool,
}

impl Inbox {
    /// Hands over all that waits.
    pub(super) fn empty_into(&mut self, waiting: &mut VecDeque<Request>) {
        waiting.append(&mut self.queue);
        (self.eager, self.lazy_octets, self.lazy_since) = (0, 0, None);
    }
}

#[derive(Default)]
struct Bell {
    is_rung: bool,
    is_closing: bool,
}

/// What the threads and their clients share.
pub(crate) struct Engine<D: Disk> {
    /// The spool.
    pub(crate) shared: Arc<Shared<D>>,
    pub(super) inbox: Mutex<Inbox>,
    arrived: Condvar,
    /// As `arrived`, for a task that stands in for the committer's thread.
    #[cfg(feature = "simulation")]
    pub(super) asked: tokio::sync::Notify,
    bell: Mutex<Bell>,
    rung: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

fn closed() -> StoreError {
    StoreError::Unavailable("the spool is closed".to_owned())
}

impl<D: Disk> Engine<D> {
    pub(super) fn new(shared: Arc<Shared<D>>) -> Self {
        Engine {
            shared,
            inbox: Mutex::default(),
            arrived: Condvar::new(),
            #[cfg(feature = "simulation")]
            asked: tokio::sync::Notify::new(),
            bell: Mutex::default(),
            rung: Condvar::new(),
            threads: Mutex::default(),
        }
    }

    /// Begins the new epoch and starts the threads.
    ///
    /// # Errors
    /// As [`Committer::begin`], and [`StoreError::Unavailable`] where there are no more threads.
    pub(crate) fn start(shared: Arc<Shared<D>>) -> Result<Arc<Self>, StoreError> {
        let committer = Committer::begin(Arc::clone(&shared))?;
        let engine = Arc::new(Engine::new(Arc::clone(&shared)));
        engine.spawn("spool-commit", move |engine| engine.commit(committer))?;
        engine.spawn("spool-upkeep", move |engine| engine.keep(Upkeep::new(shared)))?;
        Ok(engine)
    }

    fn spawn(self: &Arc<Self>, name: &str, run: impl FnOnce(&Engine<D>) + Send + 'static) -> Result<(), StoreError> {
        let engine = Arc::clone(self);
        let body = move || {
            let _guard = Guard(Arc::clone(&engine));
            run(&engine);
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body);
        let thread = thread.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        lock(&self.threads).push(thread);
        Ok(())
    }

    /// Hands a request to the committer. One that nobody waits for is dropped where too much waits; false says so.
    pub(crate) fn push(&self, request: Request) -> bool {
        let mut inbox = lock(&self.inbox);
        if inbox.is_closing {
            drop(inbox);
            let latched = self.shared.state().check().err();
            refuse(request, latched.unwrap_or_else(closed));
            return false;
        }
        if request.is_lazy() {
            let octets = request.lazy_octets();
            if inbox.lazy_octets + octets > self.shared.options.lazy_octets_max {
                return false;
            }
            inbox.lazy_octets += octets;
            inbox.lazy_since.get_or_insert_with(Instant::now);
        } else {
            inbox.eager += 1;
        }
        inbox.queue.push_back(request);
        drop(inbox);
        self.arrived.notify_one();
        #[cfg(feature = "simulation")]
        self.asked.notify_one();
        true
    }

    /// Waits for requests and moves them to `waiting`; whether the committer is to go on.
    fn next(&self, waiting: &mut VecDeque<Request>, is_pending: bool) -> bool {
        let mut inbox = lock(&self.inbox);
        loop {
            let lazy_delay_max = self.shared.options.lazy_delay_max;
            let is_lazy_due = inbox.lazy_since.is_some_and(|since| since.elapsed() >= lazy_delay_max);
            let has_work = inbox.eager > 0 || is_lazy_due || is_pending || !waiting.is_empty();
            if has_work || inbox.is_closing {
                inbox.empty_into(waiting);
                return has_work || !waiting.is_empty();
            }
            inbox = match inbox.lazy_since {
                Some(since) => {
                    let left = lazy_delay_max.saturating_sub(since.elapsed());
                    match self.arrived.wait_timeout(inbox, left) {
                        Ok((inbox, _)) => inbox,
                        Err(poisoned) => poisoned.into_inner().0,
                    }
                }
                None => self.arrived.wait(inbox).unwrap_or_else(std::sync::PoisonError::into_inner),
            };
        }
    }

    fn commit(&self, mut committer: Committer<D>) {
        let mut waiting = VecDeque::new();
        while self.next(&mut waiting, committer.is_pending()) {
            committer.step(&mut waiting);
            if self.wants_upkeep() {
                self.ring();
            }
        }
    }

    /// Whether the upkeep has something to do at once.
    pub(super) fn wants_upkeep(&self) -> bool {
        let state = self.shared.state();
        !state.doomed.is_empty() || state.free.len() <= self.shared.reserve_segments()
    }

    /// Has the upkeep look now.
    pub(crate) fn ring(&self) {
        lock(&self.bell).is_rung = true;
        self.rung.notify_one();
    }

    fn keep(&self, mut upkeep: Upkeep<D>) {
        let started = Instant::now();
        let mut out = Vec::new();
        loop {
            let now = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            upkeep.step(now, &mut out);
            for request in out.drain(..) {
                self.push(request);
            }
            let tick = if upkeep.is_busy() { BUSY_TICK } else { TICK };
            let mut bell = lock(&self.bell);
            if !bell.is_rung && !bell.is_closing {
                bell = match self.rung.wait_timeout(bell, tick) {
                    Ok((bell, _)) => bell,
                    Err(poisoned) => poisoned.into_inner().0,
                };
            }
            if bell.is_closing {
                return;
            }
            bell.is_rung = false;
        }
    }

    /// Writes what waits, ends the threads, writes a last checkpoint. The second time it does nothing.
    pub(crate) fn close(&self) {
        lock(&self.inbox).is_closing = true;
        self.arrived.notify_all();
        lock(&self.bell).is_closing = true;
        self.rung.notify_all();
        let threads = std::mem::take(&mut *lock(&self.threads));
        let was_open = !threads.is_empty();
        for thread in threads {
            // it panicked: its guard has latched the spool
            let _ = thread.join();
        }
        if was_open {
            self.finish();
        }
        self.shared.progress.close();
    }

    /// Everything is written: the last checkpoint.
    pub(super) fn finish(&self) {
        let is_sound = self.shared.state().latched.is_none();
        // first: a checkpoint passes over what is damaged
        let write = || self.shared.keep_damage().and_then(|()| checkpoint::write(&self.shared, true));
        if is_sound && let Err(error) = write() {
            tracing::warn!(%error, "the last checkpoint could not be written, the next start reads more");
        }
    }
}

/// A thread that ends by a panic must not leave others waiting for it.
struct Guard<D: Disk>(Arc<Engine<D>>);

impl<D: Disk> Drop for Guard<D> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let cause = "a thread of the spool stopped: this is a fault of the program".to_owned();
        let latched = self.0.shared.state().latch(cause);
        let waiting = {
            let mut inbox = lock(&self.0.inbox);
            inbox.is_closing = true;
            std::mem::take(&mut inbox.queue)
        };
        waiting.into_iter().for_each(|request| refuse(request, latched.clone()));
        self.0.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::super::{Options, Position, open};
    use super::*;
    use relay::clock::Timestamp;
    use relay::id::MessageId;
    use tokio::sync::oneshot;

    #[test]
    fn nobody_waits_for_a_committer_that_died() {
        let folder = tempfile::tempdir().unwrap();
        let shared = open(RealDisk::new(folder.path()), Options::small(), Position(0)).unwrap();
        let engine = Arc::new(Engine::new(shared));
        let ask = || {
            let (reply, answer) = oneshot::channel();
            engine.push(Request::Release(MessageId(1), None, Timestamp(1), reply));
            answer
        };
        let before = ask();
        engine.spawn("spool-commit", |_| panic!("on purpose")).unwrap();
        let committer = lock(&engine.threads).pop().unwrap();
        assert!(committer.join().is_err());
        for mut answer in [before, ask()] {
            assert!(matches!(answer.try_recv(), Ok(Err(StoreError::Latched(_)))));
        }
    }
}
