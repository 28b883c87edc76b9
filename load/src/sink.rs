//! The next hop: takes mail on one port, as fast as it comes or as badly as it is told, and keeps none of it.

mod receiver;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::letter::{Finder, body};
use crate::tally::Tally;
use crate::work::Hop;
use receiver::{Receiver, Turn};

const LISTENER: Token = Token(usize::MAX);
/// How often it looks whether it should stop.
const LOOK: Duration = Duration::from_millis(100);

/// A running sink.
pub(crate) struct Sink {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Duration>>,
}

/// What every connection is held against.
pub(crate) struct Judge {
    pub(crate) tally: Arc<Tally>,
    pub(crate) hop: Hop,
    pub(crate) finder: Finder,
    /// The body that every message must end with, its end of header included.
    pub(crate) body: Vec<u8>,
    /// Messages decided on so far: decides the fate of the next.
    pub(crate) count: u64,
}

impl Sink {
    /// Takes mail from now on.
    pub(crate) fn start(listener: std::net::TcpListener, tally: Arc<Tally>, hop: Hop, octets: usize) -> Sink {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let body = [b"\r\n\r\n".as_slice(), &body(octets)].concat();
        let judge = Judge { tally, hop, finder: Finder::new(), body, count: 0 };
        let thread = std::thread::spawn(move || Loop::new(listener, judge)?.run(&stopping));
        Sink { stop, thread }
    }

    /// Stops; the CPU time that it took.
    pub(crate) fn stop(self) -> anyhow::Result<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the sink broke off"))?
    }
}

/// Listens on an address of loopback.
pub(crate) fn listen(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

struct Loop {
    poll: Poll,
    listener: TcpListener,
    receivers: Vec<Option<Receiver>>,
    free: Vec<usize>,
    /// Replies that are held back: when, for whom, and which of its connections that was.
    held: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    connections: u64,
    judge: Judge,
}

impl Loop {
    fn new(listener: std::net::TcpListener, judge: Judge) -> anyhow::Result<Loop> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::from_std(listener);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (receivers, free, held) = (Vec::new(), Vec::new(), BinaryHeap::new());
        Ok(Loop { poll, listener, receivers, free, held, connections: 0, judge })
    }

    fn run(mut self, stop: &AtomicBool) -> anyhow::Result<Duration> {
        let mut events = Events::with_capacity(1024);
        while !stop.load(Ordering::Relaxed) {
            let patience = match self.held.peek() {
                Some(Reverse((due, _, _))) => due.saturating_duration_since(Instant::now()).min(LOOK),
                None => LOOK,
            };
            match self.poll.poll(&mut events, Some(patience)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(index) => self.turn(index),
                }
            }
            self.release();
        }
        crate::watch::thread_cpu()
    }

    fn accept(&mut self) -> anyhow::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            // a client that is gone already has its turn in which that shows
            let _ = stream.set_nodelay(true);
            let index = self.free.pop().unwrap_or_else(|| {
                self.receivers.push(None);
                self.receivers.len() - 1
            });
            self.poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
            self.connections += 1;
            self.receivers[index] = Some(Receiver::new(stream, self.connections));
            self.turn(index);
        }
    }

    fn turn(&mut self, index: usize) {
        let Some(receiver) = self.receivers.get_mut(index).and_then(Option::as_mut) else { return };
        match receiver.turn(&mut self.judge) {
            Turn::Open => {}
            Turn::Held => {
                let due = Instant::now() + Duration::from_millis(self.judge.hop.delay_milliseconds);
                self.held.push(Reverse((due, index, receiver.connection)));
            }
            Turn::Over => {
                self.receivers[index] = None;
                self.free.push(index);
            }
        }
    }

    /// Gives the replies whose time has come.
    fn release(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((due, index, connection))) = self.held.peek().copied() {
            if due > now {
                return;
            }
            self.held.pop();
            let receiver = self.receivers.get_mut(index).and_then(Option::as_mut);
            if let Some(receiver) = receiver.filter(|receiver| receiver.connection == connection) {
                receiver.release(&self.judge);
                self.turn(index);
            }
        }
    }
}
