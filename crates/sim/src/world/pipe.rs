//! A connection: octets both ways, in pieces of any size, lost at any octet.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{World, lock};
use crate::fault::Fault;
use crate::rng::Rng;

/// Octets under way before a writer has to wait.
const CAPACITY: usize = 64 * 1024;

/// How a connection ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Both ends hear that it is gone.
    Broken,
    /// Nobody hears anything more.
    Silent,
}

/// Where a direction of a connection is lost.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// After so many octets.
    pub after: u64,
    /// How.
    pub loss: Loss,
    /// What it is counted as.
    pub fault: Fault,
}

#[derive(Default)]
struct Direction {
    octets: BytesMut,
    written: u64,
    read: u64,
    /// The writer has said all.
    is_shut: bool,
    cut: Option<Cut>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

struct State {
    /// What the first end writes, and what the second does.
    directions: [Direction; 2],
    lost: Option<Loss>,
    /// Ends that were dropped.
    gone: [bool; 2],
    rng: Rng,
}

/// One end.
pub struct End {
    world: Arc<World>,
    state: Arc<Mutex<State>>,
    side: usize,
    number: u64,
    /// It belongs to the relay: it ends with the process.
    is_ours: bool,
}

/// A place in what one end said, to be asked later whether the other end has read so far.
#[derive(Clone)]
pub struct Mark {
    state: Arc<Mutex<State>>,
    side: usize,
    at: u64,
}

impl Mark {
    /// Whether the other end has read everything before it.
    pub fn is_read(&self) -> bool {
        lock(&self.state).directions[self.side].read >= self.at
    }

    /// Whether everything before it was at least written.
    pub fn is_written(&self) -> bool {
        lock(&self.state).directions[self.side].written >= self.at
    }
}

/// A connection between the relay (the first end) and a stranger. `cuts`: what becomes of what the relay says, and of
/// what it hears.
pub fn connection(world: &Arc<World>, rng: Rng, cuts: [Option<Cut>; 2]) -> (End, End) {
    let number = world.next_pipe();
    let [said, heard] = cuts;
    let directions =
        [Direction { cut: said, ..Direction::default() }, Direction { cut: heard, ..Direction::default() }];
    let state = Arc::new(Mutex::new(State { directions, lost: None, gone: [false; 2], rng }));
    let end = |side, is_ours| End { world: Arc::clone(world), state: Arc::clone(&state), side, number, is_ours };
    (end(0, true), end(1, false))
}

impl State {
    fn wake_all(&mut self) {
        for direction in &mut self.directions {
            direction.wake();
        }
    }
}

impl Direction {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}

impl End {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The place behind all that this end has said, and `more` octets.
    pub fn mark(&self, more: usize) -> Mark {
        let at = self.state().directions[self.side].written + more as u64;
        Mark { state: Arc::clone(&self.state), side: self.side, at }
    }

    /// The number of the connection.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Loses the connection where it stands.
    pub fn lose(&self, loss: Loss) {
        let mut state = self.state();
        state.lost.get_or_insert(loss);
        state.wake_all();
    }

    fn is_over(&self) -> bool {
        self.is_ours && self.world.is_dead()
    }
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if self.is_over() {
            return Poll::Pending;
        }
        let (other, lost, gone) = (1 - self.side, state.lost, state.gone[1 - self.side]);
        let piece = if state.rng.chance(300) { state.rng.between(1, 60) as usize } else { usize::MAX };
        let direction = &mut state.directions[other];
        let count = direction.octets.len().min(buffer.remaining()).min(piece);
        if count > 0 {
            buffer.put_slice(&direction.octets[..count]);
            direction.octets.advance(count);
            direction.read += count as u64;
            if let Some(writer) = direction.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Ok(()));
        }
        match lost {
            Some(Loss::Broken) => Poll::Ready(Err(broken())),
            None if direction.is_shut || gone => Poll::Ready(Ok(())),
            Some(Loss::Silent) | None => {
                direction.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        if self.is_over() {
            return Poll::Pending;
        }
        match state.lost {
            Some(Loss::Broken) => return Poll::Ready(Err(broken())),
            Some(Loss::Silent) => return Poll::Ready(Ok(octets.len())),
            None if state.gone[1 - self.side] => return Poll::Ready(Err(broken())),
            None => {}
        }
        let direction = &mut state.directions[self.side];
        let mut count = octets.len().min(CAPACITY - direction.octets.len().min(CAPACITY));
        if count == 0 && !octets.is_empty() {
            direction.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let cut = direction.cut.filter(|cut| direction.written + count as u64 > cut.after);
        if let Some(cut) = cut {
            count = (cut.after - direction.written.min(cut.after)) as usize;
        }
        self.world.trace.octets(self.number * 2 + self.side as u64, &octets[..count]);
        direction.octets.extend_from_slice(&octets[..count]);
        direction.written += count as u64;
        if let Some(reader) = direction.reader.take() {
            reader.wake();
        }
        if let Some(cut) = cut {
            state.lost = Some(cut.loss);
            state.wake_all();
            drop(state);
            self.world.fault(cut.fault);
            return Poll::Ready(Ok(octets.len()));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if !self.is_over() {
            let direction = &mut state.directions[self.side];
            direction.is_shut = true;
            direction.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.state();
        state.gone[self.side] = true;
        state.wake_all();
    }
}
