//! The clients: many sessions on one thread, each an application that logs in and hands over its mail.

mod session;
mod wire;

use mio::{Events, Poll, Token};
use rustls::ClientConfig;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::letter::Letter;
use crate::tally::Tally;
use crate::work::Work;
use session::{Session, Turn};

/// Failures after which a run is given up.
const FAILURES_MAX: u64 = 10_000;
/// How long a session that failed waits before it comes again.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest wait for anything.
const LOOK: Duration = Duration::from_millis(100);
/// Sessions that stand still for so long end the run.
const PATIENCE: Duration = Duration::from_secs(120);

/// Someone who may send.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(crate) struct User {
    pub(crate) username: String,
    pub(crate) password: String,
    /// An address that it may send from.
    pub(crate) sender: String,
}

/// Where a session comes from and who it is.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) user: Arc<User>,
    /// The address that it is sent from; none: what the system chooses.
    pub(crate) address: Option<IpAddr>,
}

/// What the clients saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Microseconds from the dial to the 250 of the connection's first message.
    pub(crate) from_connect: Vec<u64>,
    /// Microseconds from MAIL to 250.
    pub(crate) from_mail: Vec<u64>,
    /// From the first dial to the last 250.
    pub(crate) time: Duration,
    /// CPU time of the clients' thread.
    pub(crate) cpu: Duration,
    pub(crate) accepted: u64,
    pub(crate) connections: u64,
    pub(crate) failures: u64,
    /// What failed, how often; the first few kinds.
    pub(crate) failed: BTreeMap<String, u64>,
}

/// What all sessions share.
struct World {
    poll: Poll,
    work: Work,
    server: SocketAddr,
    tally: Arc<Tally>,
    tls: Arc<ClientConfig>,
    /// Messages that are promised to connections.
    planned: usize,
    next_message: usize,
    /// When the next message may begin, where they come evenly.
    next_slot: Instant,
    waiting: BinaryHeap<Reverse<(Instant, usize)>>,
    last_accepted: Instant,
    seen: Seen,
}

impl World {
    /// Messages for a new connection; none where there is nothing left to send.
    fn plan(&mut self) -> Option<usize> {
        if self.work.messages == 0 {
            return Some(0);
        }
        let count = self.work.per_connection.min(self.work.messages - self.planned);
        self.planned += count;
        (count > 0).then_some(count)
    }

    fn fail(&mut self, what: String) {
        self.seen.failures += 1;
        if self.seen.failed.len() < 20 || self.seen.failed.contains_key(&what) {
            *self.seen.failed.entry(what).or_default() += 1;
        }
    }

    /// The moment at which the next message may begin.
    fn slot(&mut self, now: Instant) -> Instant {
        let Some(rate) = self.work.rate else { return now };
        let slot = self.next_slot.max(now);
        self.next_slot = slot + Duration::from_secs_f64(1.0 / rate);
        slot
    }
}

/// Carries out the work to its end: every message was accepted or failed.
///
/// # Errors
/// The system does not let it, or too much failed.
pub(crate) fn run(work: &Work, server: SocketAddr, seats: &[Seat], tally: Arc<Tally>) -> anyhow::Result<Seen> {
    let now = Instant::now();
    let mut world = World {
        poll: Poll::new()?,
        work: work.clone(),
        server,
        tally,
        tls: wire::config(work.resumption)?,
        planned: 0,
        next_message: 0,
        next_slot: now,
        waiting: BinaryHeap::new(),
        last_accepted: now,
        seen: Seen::default(),
    };
    let letters = |seat: &Seat| Letter::new(&seat.user.sender, work.octets);
    let mut sessions = Vec::new();
    for index in 0..work.sessions {
        let seat = seats[index % seats.len()].clone();
        // tickets are each client's own
        let tls = if work.resumption { wire::config(true)? } else { Arc::clone(&world.tls) };
        sessions.push(Session::new(index, letters(&seat), seat, tls));
    }
    for session in &mut sessions {
        drive(session, &mut world);
    }
    spin(&mut world, &mut sessions)?;
    world.seen.time = world.last_accepted.saturating_duration_since(now);
    world.seen.cpu = crate::watch::thread_cpu()?;
    Ok(world.seen)
}

fn spin(world: &mut World, sessions: &mut [Session]) -> anyhow::Result<()> {
    let mut events = Events::with_capacity(1024);
    let mut moved = Instant::now();
    while sessions.iter().any(|session| !session.is_finished()) {
        let now = Instant::now();
        let patience = match world.waiting.peek() {
            Some(Reverse((due, _))) => due.saturating_duration_since(now).min(LOOK),
            None => LOOK,
        };
        match world.poll.poll(&mut events, Some(patience)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        let idle = world.work.messages == 0 && world.tally.idle.load(Relaxed) == sessions.len() as u64;
        if !events.is_empty() || idle {
            moved = Instant::now();
        }
        anyhow::ensure!(moved.elapsed() < PATIENCE, "nothing moved for {PATIENCE:?}: {:?}", world.seen.failed);
        for event in &events {
            let Token(index) = event.token();
            drive(&mut sessions[index], world);
        }
        let now = Instant::now();
        while let Some(Reverse((due, index))) = world.waiting.peek().copied()
            && due <= now
        {
            world.waiting.pop();
            drive(&mut sessions[index], world);
        }
        if world.tally.released.load(Relaxed) {
            sessions.iter_mut().for_each(Session::leave);
        }
        anyhow::ensure!(world.seen.failures < FAILURES_MAX, "too much failed: {:?}", world.seen.failed);
    }
    Ok(())
}

fn drive(session: &mut Session, world: &mut World) {
    match session.turn(world) {
        Turn::Open => {}
        Turn::Wait(until) => world.waiting.push(Reverse((until, session.index))),
        Turn::Failed(what) => {
            world.fail(what);
            world.waiting.push(Reverse((Instant::now() + PAUSE, session.index)));
        }
    }
}
