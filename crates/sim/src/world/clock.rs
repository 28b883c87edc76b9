//! Time: the runtime's, which stands still while anything can be done, as a wall clock that may jump.

use std::sync::Mutex;
use std::time::Duration;

use net::clock::Clock;
use relay::clock::Timestamp;
use tokio::time::Instant;

use super::lock;

#[derive(Debug)]
struct State {
    /// What the wall shows at `since`.
    wall: u64,
    /// Milliseconds of the world that had passed at `since`, whatever the wall says.
    passed: u64,
    /// When this life's runtime began.
    since: Option<Instant>,
    /// Milliseconds of the world at the last jump.
    jumped_at: Option<u64>,
}

/// The time of the world.
#[derive(Debug)]
pub struct WorldClock(Mutex<State>);

impl WorldClock {
    /// Begins with the wall showing this.
    pub fn new(wall: Timestamp) -> Self {
        WorldClock(Mutex::new(State { wall: wall.0, passed: 0, since: None, jumped_at: None }))
    }

    /// A life begins: its runtime's clock is the pace from now on.
    pub fn begin(&self) {
        lock(&self.0).since = Some(Instant::now());
    }

    /// A life ends. Call within its runtime.
    pub fn end(&self) {
        let mut state = lock(&self.0);
        let elapsed = state.elapsed();
        state.wall += elapsed;
        state.passed += elapsed;
        state.since = None;
    }

    /// The wall jumps ahead by so much.
    pub fn jump_ahead(&self, by: Duration) {
        let mut state = lock(&self.0);
        state.wall += by.as_millis() as u64;
        state.jumped_at = Some(state.passed + state.elapsed());
    }

    /// The wall goes back. Only between two lives: within one a clock never does.
    pub fn go_back(&self, by: Duration) {
        let mut state = lock(&self.0);
        state.wall = state.wall.saturating_sub(by.as_millis() as u64);
        state.jumped_at = Some(state.passed + state.elapsed());
    }

    /// Milliseconds of the world so far.
    pub fn milliseconds(&self) -> u64 {
        let state = lock(&self.0);
        state.passed + state.elapsed()
    }

    /// Milliseconds of the world since the last jump, if there was one.
    pub fn since_jump(&self) -> Option<u64> {
        let state = lock(&self.0);
        state.jumped_at.map(|at| state.passed + state.elapsed() - at)
    }
}

impl State {
    fn elapsed(&self) -> u64 {
        self.since.map_or(0, |since| since.elapsed().as_millis() as u64)
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        let state = lock(&self.0);
        Timestamp(state.wall + state.elapsed())
    }
}

/// The world's clock, for those who want a clock of their own.
pub struct ClockOf(pub std::sync::Arc<super::World>);

impl Clock for ClockOf {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
