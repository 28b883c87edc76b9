//! What happened in a run, as one number, and as text where somebody wants to read it.

use std::fmt::{Arguments, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines kept of a run that nobody watches: the last ones before a fault.
const LINES_MAX: usize = 20_000;

#[derive(Debug, Default)]
struct State {
    digest: u64,
    lines: std::collections::VecDeque<String>,
    keeps_text: bool,
}

/// The trace of one run.
#[derive(Debug, Default)]
pub struct Trace(Mutex<State>);

/// FNV-1a, 64 bits.
struct Hash<'a>(&'a mut u64);

impl Write for Hash<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        mix(self.0, text.as_bytes());
        Ok(())
    }
}

fn mix(digest: &mut u64, octets: &[u8]) {
    for octet in octets {
        *digest = (*digest ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01B3);
    }
}

impl Trace {
    /// One that keeps its last lines, or only the number.
    pub fn new(keeps_text: bool) -> Self {
        let digest = 0xCBF2_9CE4_8422_2325;
        Trace(Mutex::new(State { digest, keeps_text, ..State::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened, at this moment of the world.
    pub fn on(&self, milliseconds: u64, what: Arguments<'_>) {
        let mut state = self.state();
        mix(&mut state.digest, &milliseconds.to_le_bytes());
        // hashing cannot fail
        let _ = Hash(&mut state.digest).write_fmt(what);
        if state.keeps_text {
            if state.lines.len() >= LINES_MAX {
                state.lines.pop_front();
            }
            let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
            state.lines.push_back(format!("{seconds:>7}.{rest:03} {what}"));
        }
    }

    /// Octets went over a wire or a disk.
    pub fn octets(&self, place: u64, octets: &[u8]) {
        let mut state = self.state();
        mix(&mut state.digest, &place.to_le_bytes());
        let mut digest = state.digest ^ octets.len() as u64;
        for chunk in octets.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            digest = (digest ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        }
        state.digest = digest;
    }

    /// The number so far.
    pub fn digest(&self) -> u64 {
        self.state().digest
    }

    /// The last lines.
    pub fn lines(&self) -> Vec<String> {
        self.state().lines.iter().cloned().collect()
    }
}
