//! The time and the dice of the running process.

use aws_lc_rs::rand;
use relay::clock::Timestamp;
use relay::dice::Dice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Who knows what time it is. Never goes backwards.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The system's clock, held against a monotonic one.
///
/// A jump forwards is believed (a machine that slept). A jump backwards is not: time then goes on at
/// the monotonic pace until the system's clock has caught up.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    /// Milliseconds since 1970 that stand for `started`; only ever grows.
    origin: AtomicU64,
}

impl SystemClock {
    /// Starts at the system's time.
    pub fn new() -> Self {
        SystemClock { started: Instant::now(), origin: AtomicU64::new(system_milliseconds()) }
    }

    fn at(&self, system: u64, elapsed: Duration) -> Timestamp {
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let seen = system.saturating_sub(elapsed);
        let origin = self.origin.fetch_max(seen, Ordering::Relaxed).max(seen);
        Timestamp(origin.saturating_add(elapsed))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // elapsed first: read later, it could be ahead of the system's time by the pause between the two
        let elapsed = self.started.elapsed();
        self.at(system_milliseconds(), elapsed)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where the system is asked for the time")]
fn system_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        ManualClock(AtomicU64::new(now.0))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The dice of the operating system, for ids and secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDice;

impl Dice for SystemDice {
    #[expect(clippy::expect_used, reason = "without randomness nothing here is safe to do; the library itself aborts")]
    fn fill(&mut self, octets: &mut [u8]) {
        rand::fill(octets).expect("the operating system gives random octets");
    }
}

/// Where a driver's tasks take dice from.
pub type DiceBox = Arc<dyn Fn() -> Box<dyn Dice> + Send + Sync>;

/// The box of a server: every die is the operating system's.
pub fn system_dice() -> DiceBox {
    // of no size, so nothing is allocated
    Arc::new(|| Box::new(SystemDice))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_when_the_system_clock_is_set_back() {
        let clock = SystemClock { started: Instant::now(), origin: AtomicU64::new(1_000_000) };
        assert_eq!(clock.at(1_005_000, Duration::from_secs(5)), Timestamp(1_005_000));
        assert_eq!(clock.at(400_000, Duration::from_secs(6)), Timestamp(1_006_000));
        assert_eq!(clock.at(401_000, Duration::from_secs(7)), Timestamp(1_007_000));
    }

    #[test]
    fn a_jump_forwards_is_believed_and_kept() {
        let clock = SystemClock { started: Instant::now(), origin: AtomicU64::new(1_000_000) };
        assert_eq!(clock.at(9_000_000, Duration::from_secs(1)), Timestamp(9_000_000));
        assert_eq!(clock.at(1_002_000, Duration::from_secs(2)), Timestamp(9_001_000));
    }

    #[test]
    fn the_system_dice_fall_differently_each_time() {
        let (mut one, mut other) = ([0; 16], [0; 16]);
        SystemDice.fill(&mut one);
        SystemDice.fill(&mut other);
        assert_ne!(one, other);
    }
}
