//! Everything around the relay, shared by all of its parts: time, disk, network, DNS, next hops, and what is true.

pub mod clock;
pub mod disk;
pub mod dns;
pub mod hop;
pub mod hops;
pub mod pipe;
pub mod talk;

use std::fmt::Arguments;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::fault::{Fault, Tally};
use crate::ledger::Ledger;
use crate::mail::Mail;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::trace::Trace;
use clock::WorldClock;
use disk::SimDisk;
use hops::Hops;

/// A lock that outlives a panic: what it protects is looked at to say what went wrong.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The world of one seed.
pub struct World {
    /// What the seed decided at the start.
    pub plan: Plan,
    /// The time.
    pub clock: WorldClock,
    /// The disk.
    pub disk: SimDisk,
    /// The next hops.
    pub hops: Hops,
    /// What is true of every message.
    pub mail: Mutex<Mail>,
    /// The model consumer of the log.
    pub ledger: Mutex<Ledger>,
    /// How often each fault fired.
    pub tally: Arc<Tally>,
    /// What happened.
    pub trace: Arc<Trace>,
    /// What must not have happened.
    violations: Mutex<Vec<String>>,
    /// The process is gone: nothing that it still does counts.
    dead: Arc<AtomicBool>,
    /// The process is to be gone.
    pub death: Arc<Notify>,
    /// Faults are over: the world is kind from now on.
    calm: AtomicBool,
    pipes: AtomicU64,
    /// When the store last could not do something, milliseconds of the world and one.
    trouble_at: AtomicU64,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64, keeps_text: bool) -> Arc<World> {
        let plan = Plan::of(seed);
        let tally = Arc::new(Tally::default());
        let trace = Arc::new(Trace::new(keeps_text));
        let dead = Arc::new(AtomicBool::new(false));
        let death = Arc::new(Notify::new());
        let clock = WorldClock::new(plan.begins_at);
        let disk = SimDisk::new(
            plan.disk_octets,
            Rng::new(seed, 1),
            disk::Around {
                tally: Arc::clone(&tally),
                trace: Arc::clone(&trace),
                dead: Arc::clone(&dead),
                death: Arc::clone(&death),
            },
        );
        Arc::new(World {
            clock,
            disk,
            hops: Hops::new(seed),
            mail: Mutex::new(Mail::new(seed, &plan)),
            ledger: Mutex::new(Ledger::default()),
            plan,
            tally,
            trace,
            violations: Mutex::default(),
            dead,
            death,
            calm: AtomicBool::new(false),
            pipes: AtomicU64::new(0),
            trouble_at: AtomicU64::new(0),
        })
    }

    /// Something happened.
    pub fn tell(&self, what: Arguments<'_>) {
        self.trace.on(self.clock.milliseconds(), what);
    }

    /// A fault fired.
    pub fn fault(&self, fault: Fault) {
        self.tally.on(fault);
        self.tell(format_args!("fault: {}", fault.text()));
    }

    /// Something that must not be. The run ends.
    pub fn violation(&self, what: String) {
        self.tell(format_args!("VIOLATION {what}"));
        lock(&self.violations).push(what);
        self.death.notify_one();
    }

    /// What must not have been.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.violations).clone()
    }

    /// Whether something was that must not be.
    pub fn is_violated(&self) -> bool {
        !lock(&self.violations).is_empty()
    }

    /// Whether the process is gone.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// The process is gone, or there again.
    pub fn set_dead(&self, dead: bool) {
        self.dead.store(dead, Ordering::Relaxed);
    }

    /// Whether faults are over.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Faults are over.
    pub fn become_calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// The store could not do something.
    pub fn trouble(&self) {
        self.trouble_at.store(self.clock.milliseconds() + 1, Ordering::Relaxed);
    }

    /// When that last was.
    pub fn trouble_at(&self) -> Option<u64> {
        self.trouble_at.load(Ordering::Relaxed).checked_sub(1)
    }

    /// A number for the next connection.
    pub fn next_pipe(&self) -> u64 {
        self.pipes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The truth of every message.
    pub fn mail(&self) -> MutexGuard<'_, Mail> {
        lock(&self.mail)
    }
}
