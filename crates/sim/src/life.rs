//! One life of the process: it starts over what the disk has, works in its weather, and ends in one way or another.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use net::dispatch::{self, Dispatch, Handle};
use net::outbound::{Outbound, OutboundSettings};
use net::shutdown::Shutdown;
use net::submission::simulation::{Around, Reception};
use net::submission::{self, Settings};
use relay::dice::Dice;
use relay::id::Id;
use relay::limits::Limits;
use relay::schedule::Bounds;
use relay::store::{Spool, StoreError};
use relay::suppression::Bounces;
use store::embedded::counting::Counting;
use store::embedded::spool::Position;
use store::embedded::spool::simulation::{Steps, remains};
use store::memory::Memory;
use tokio::sync::Notify;

use crate::carrier::{Carrying, SimCarrier};
use crate::check::{bounds, due, held, outcome, recovery};
use crate::client::Client;
use crate::damage::Damage;
use crate::fault::Fault;
use crate::ledger::read_on;
use crate::operator::{Desk, Operator};
use crate::plan::{Ending, Life};
use crate::rng::Rng;
use crate::store::SimStore;
use crate::world::clock::ClockOf;
use crate::world::disk::{End, SimDisk, Trouble};
use crate::world::dns::SimResolver;
use crate::world::hops::{SimDialer, routes};
use crate::world::{World, lock};

/// The account of the relay's own mail.
const SYSTEM: u64 = 999;
/// How long the last life may take to bring everything to an end.
const DRAIN_MAX: Duration = Duration::from_secs(9 * 3600);

type SharedSteps = Arc<Mutex<Option<Steps<SimDisk>>>>;

/// What all parts of a life share.
struct Parts {
    world: Arc<World>,
    store: Arc<SimStore>,
    steps: SharedSteps,
    /// The upkeep is wanted.
    bell: Arc<Notify>,
    carrying: Arc<Mutex<Carrying>>,
    handle: Handle,
    reception: Arc<Reception<SimStore>>,
    shutdown: Shutdown,
    /// When it began, milliseconds of the world.
    began: u64,
    rng: Rng,
}

/// Lives it. Call on a runtime of its own, which is dropped when this returns.
pub async fn live(world: &Arc<World>, number: usize, life: &Life, book: &Memory, damage: &mut Damage) -> End {
    let mut rng = Rng::new(world.plan.seed, 100 + number as u64);
    world.clock.begin();
    world.set_dead(false);
    let is_last = number + 1 == world.plan.lives.len();
    if is_last {
        world.become_calm();
    }
    {
        let mut mail = world.mail();
        mail.life = number;
        mail.promises.begin_life();
    }
    world.tell(format_args!("life {number}: {:?}", life.ending));
    let power_cut_after = match life.ending {
        Ending::PowerCut(changes) | Ending::KilledWriting(changes) => Some(changes),
        Ending::Killed(_) | Ending::Stopped(_) => None,
    };
    let trouble =
        Trouble { power_cut_after, write_fails_after: life.write_fails_after, sync_fails_after: life.sync_fails_after };
    let end = match start(world, trouble, book, damage, &mut rng).await {
        Ok(parts) => parts.go_on(life, is_last, damage).await,
        Err(error) => {
            world.tell(format_args!("it does not start: {error}"));
            if is_last && !world.is_violated() {
                world.violation(format!("it does not start in a kind world: {error}"));
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
            Died::Dead
        }
    };
    world.clock.end();
    world.set_dead(true);
    match (end, life.ending) {
        (Died::Stopped, _) | (Died::Dead, Ending::KilledWriting(_) | Ending::Killed(_)) => {
            world.fault(if end == Died::Stopped { Fault::Restart } else { Fault::Kill });
            End::Process
        }
        (Died::Dead, Ending::PowerCut(_)) => {
            world.fault(Fault::PowerCut);
            End::Power
        }
        (Died::Dead, Ending::Stopped(_)) => {
            // it stopped by itself, or was killed after the store had
            world.fault(Fault::Kill);
            if rng.chance(500) { End::Power } else { End::Process }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Died {
    Dead,
    Stopped,
}

async fn start(
    world: &Arc<World>,
    trouble: Trouble,
    book: &Memory,
    damage: &mut Damage,
    rng: &mut Rng,
) -> Result<Parts, StoreError> {
    let remains = remains(&world.disk.view()).unwrap_or(0);
    (0..remains).for_each(|_| world.tally.on(Fault::EarlierLife));
    let disk = world.disk.begin_life(trouble);
    // as activity's file: what is read of it is synced before the log may go by it
    let (consumed, charged) = {
        let mut ledger = lock(&world.ledger);
        (ledger.sync().min(ledger.charged()), ledger.charged())
    };
    let (spool, steps) = Steps::open(disk, world.plan.options.clone(), consumed)?;
    let counting = Mutex::new(Counting::from(charged));
    let store = Arc::new(SimStore { world: Arc::clone(world), spool, book: book.clone(), counting });
    damage.told(world, &store.health().damage);
    recovery::check(world, &store, damage, rng).await;
    read_on(&mut lock(&store.counting), &store)?;
    catch_up(world, &store)?;
    let carrying = Arc::new(Mutex::new(Carrying::default()));
    let handle = dispatch(world, &store, &carrying, rng)?;
    let shutdown = Shutdown::new();
    let reception = receive(world, &store, &handle, &shutdown, rng).await?;
    Ok(Parts {
        world: Arc::clone(world),
        store,
        steps: Arc::new(Mutex::new(Some(steps))),
        bell: Arc::new(Notify::new()),
        carrying,
        handle,
        reception: Arc::new(reception),
        shutdown,
        began: world.clock.milliseconds(),
        rng: Rng::new(rng.roll(), 0),
    })
}

/// The ledger reads all there is before anybody asks it anything.
fn catch_up(world: &World, store: &SimStore) -> Result<(), StoreError> {
    loop {
        let position = lock(&world.ledger).position;
        let batch = store.spool.events(position, 64)?;
        if batch.next == position {
            return Ok(());
        }
        lock(&store.counting).take(&batch);
        let taken = lock(&world.ledger).take(batch);
        if let Err(fault) = taken {
            world.violation(fault);
        }
    }
}

fn dispatch(
    world: &Arc<World>,
    store: &Arc<SimStore>,
    carrying: &Arc<Mutex<Carrying>>,
    rng: &mut Rng,
) -> Result<Handle, StoreError> {
    let settings = dispatch::Settings {
        bounds: Bounds {
            conversations_max: world.plan.conversations_max,
            site_conversations_max: world.plan.site_conversations_max,
            idle_kept: Duration::from_secs(5),
            ..Bounds::default()
        },
        seals_max: 1,
        offload: net::offload::Offload::Inline,
        // its clients write to the same addresses over and over, whatever became of it
        bounces: Bounces { most: 0, ..Bounces::held_to(&Limits::default()) },
        ..dispatch::Settings::new("relay.example", Id::new(SYSTEM))
    };
    let outbound = OutboundSettings { hostname: "relay.example".to_owned(), ..quick() };
    let resolver = Arc::new(SimResolver::new(Arc::clone(world), Rng::new(rng.roll(), 6)));
    let dice = Box::new(Rng::new(rng.roll(), 7));
    let outbound = Outbound::dialling_by(SimDialer(Arc::clone(world)), outbound, Arc::new(routes()), resolver, dice)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let carrier = Arc::new(SimCarrier::new(Arc::clone(world), outbound, Arc::clone(carrying)));
    let clock = Arc::new(ClockOf(Arc::clone(world)));
    let dice = Box::new(Rng::new(rng.roll(), 8));
    Ok(Dispatch::start(settings, Arc::clone(store), carrier, clock, dice, dispatch::Metrics::default()))
}

/// The limits of a server, without the authorities of the system, which no dialogue here asks for.
fn quick() -> OutboundSettings {
    OutboundSettings { system_authorities: false, ..OutboundSettings::default() }
}

async fn receive(
    world: &Arc<World>,
    store: &Arc<SimStore>,
    handle: &Handle,
    shutdown: &Shutdown,
    rng: &mut Rng,
) -> Result<Reception<SimStore>, StoreError> {
    let settings = Settings {
        hostname: "relay.example".to_owned(),
        starttls: Vec::new(),
        tls: Vec::new(),
        proxies: Vec::new(),
        shared: Vec::new(),
        unsubscribe: None,
        limits: Limits::default(),
    };
    let dice = Mutex::new(Rng::new(rng.roll(), 9));
    let waking = handle.clone();
    let around = Around {
        store: Arc::clone(store),
        clock: Arc::new(ClockOf(Arc::clone(world))),
        dice: Arc::new(move || {
            let seed = lock(&dice).roll();
            Box::new(Rng::new(seed, 10)) as Box<dyn Dice>
        }),
        arrivals: Arc::new(move |envelope| waking.arrived(envelope)),
        metrics: submission::Metrics::default(),
        shutdown: shutdown.clone(),
    };
    Reception::open(settings, around).await.map_err(|error| StoreError::Unavailable(error.to_string()))
}

impl Parts {
    async fn go_on(mut self, life: &Life, is_last: bool, damage: &mut Damage) -> Died {
        tokio::spawn(commit(self.tools()));
        tokio::spawn(keep(self.tools(), self.began));
        tokio::spawn(consume(self.tools()));
        for number in 0..self.world.plan.clients {
            let (world, reception) = (Arc::clone(&self.world), Arc::clone(&self.reception));
            let rng = Rng::new(self.rng.roll(), 11);
            tokio::spawn(Client { world, reception, number, rng }.run());
        }
        let one = self.operator(Desk::Messages, 12);
        let other = self.operator(Desk::Parts, 17);
        if is_last {
            return self.drain(one, damage).await;
        }
        tokio::spawn(one.run());
        tokio::spawn(other.run());
        self.weather(life);
        self.until_the_end(life, damage).await
    }

    fn operator(&mut self, desk: Desk, label: u64) -> Operator {
        let rng = Rng::new(self.rng.roll(), label);
        let (world, store) = (Arc::clone(&self.world), Arc::clone(&self.store));
        Operator { world, store, handle: self.handle.clone(), desk, rng }
    }

    fn tools(&mut self) -> Tools {
        Tools {
            world: Arc::clone(&self.world),
            store: Arc::clone(&self.store),
            steps: Arc::clone(&self.steps),
            bell: Arc::clone(&self.bell),
            rng: Rng::new(self.rng.roll(), 13),
        }
    }

    /// A full disk, and a clock that jumps.
    fn weather(&self, life: &Life) {
        if let Some((from, lasts)) = life.full {
            let world = Arc::clone(&self.world);
            tokio::spawn(async move {
                tokio::time::sleep(from).await;
                world.fault(Fault::NoRoom);
                world.disk.set_capacity(world.disk.used() + 8 * 1024);
                tokio::time::sleep(lasts).await;
                world.tell(format_args!("the disk has room again"));
                world.disk.set_capacity(world.plan.disk_octets);
            });
        }
        if let Some((at, by)) = life.jump {
            let world = Arc::clone(&self.world);
            tokio::spawn(async move {
                tokio::time::sleep(at).await;
                world.fault(Fault::ClockAhead);
                world.clock.jump_ahead(by);
            });
        }
    }

    async fn until_the_end(&mut self, life: &Life, damage: &mut Damage) -> Died {
        let (world, death) = (Arc::clone(&self.world), Arc::clone(&self.world.death));
        let limit = match life.ending {
            Ending::Killed(at) | Ending::Stopped(at) => at,
            Ending::PowerCut(_) | Ending::KilledWriting(_) => life.lasts,
        };
        let end = tokio::time::Instant::now() + limit;
        let mut latched_since = None;
        loop {
            tokio::select! {
                biased;
                () = death.notified() => {
                    if world.is_dead() || world.is_violated() {
                        return Died::Dead;
                    }
                }
                () = tokio::time::sleep_until(end) => break,
                () = tokio::time::sleep(Duration::from_secs(15)) => self.look(damage),
            }
            if self.store.is_latched() {
                let since = *latched_since.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() >= Duration::from_secs(60) {
                    break;
                }
            }
        }
        if matches!(life.ending, Ending::Killed(_)) {
            return Died::Dead;
        }
        tokio::select! {
            biased;
            () = death.notified() => Died::Dead,
            died = self.stop() => died,
        }
    }

    /// The checks that are made while it runs.
    fn look(&self, damage: &mut Damage) {
        let health = self.store.health();
        if health.full {
            self.world.trouble();
        }
        damage.told(&self.world, &health.damage);
        due::check(&self.world, &self.store, &self.carrying, self.began, self.world.trouble_at());
        held::check(&self.world, &self.store, self.began, self.world.trouble_at());
        if let Some(steps) = &*lock(&self.steps) {
            bounds::check(&self.world, &steps.figures());
        }
    }

    async fn stop(&mut self) -> Died {
        self.world.tell(format_args!("it stops"));
        self.shutdown.begin();
        tokio::join!(self.reception.finished(), self.handle.shutdown(Duration::from_secs(20)));
        let steps = lock(&self.steps).take();
        if let Some(steps) = steps {
            steps.close();
        }
        if self.world.is_dead() { Died::Dead } else { Died::Stopped }
    }

    /// The end of a run: everything goes its way.
    async fn drain(&mut self, operator: Operator, damage: &mut Damage) -> Died {
        let world = Arc::clone(&self.world);
        world.disk.set_capacity(world.plan.disk_octets * 4);
        tokio::time::sleep(Duration::from_secs(2)).await;
        operator.release_all().await;
        let began = tokio::time::Instant::now();
        let left = loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            self.look(damage);
            let queue = self.store.queue(None, usize::MAX);
            let mail = world.mail();
            let is_stuck =
                |id: &relay::id::MessageId| mail.messages.get(id).is_some_and(|message| message.excuse.unreadable);
            let left: Vec<_> = queue.iter().map(|entry| entry.message).filter(|message| !is_stuck(message)).collect();
            let is_done = left.is_empty() && mail.is_sent();
            drop(mail);
            if world.is_violated() {
                return Died::Dead;
            }
            if is_done {
                break queue.len();
            }
            if began.elapsed() > DRAIN_MAX {
                let sent = world.mail().is_sent();
                world.violation(format!("mail does not come to an end in a kind world: {left:?}, all sent: {sent}"));
                return Died::Dead;
            }
        };
        // what is behind the last outcome: lines close, seals are written, files removed
        tokio::time::sleep(Duration::from_secs(90)).await;
        self.last_look(left);
        let died = self.stop().await;
        self.last_events();
        damage.told(&self.world, &self.store.health().damage);
        outcome::check(&world, &lock(&world.ledger));
        died
    }

    fn last_look(&self, left: usize) {
        if let Some(steps) = &mut *lock(&self.steps) {
            steps.keep(self.world.clock.milliseconds() - self.began + 600_000);
            bounds::check_end(&self.world, &steps.figures(), left, self.reception.connections());
            bounds::check_remembered(&self.world, self.handle.remembered(), left);
        }
    }

    fn last_events(&self) {
        if let Err(error) = catch_up(&self.world, &self.store) {
            self.world.violation(format!("the log cannot be read to its end: {error}"));
        }
    }
}

/// What the tasks in place of the threads have.
struct Tools {
    world: Arc<World>,
    store: Arc<SimStore>,
    steps: SharedSteps,
    bell: Arc<Notify>,
    rng: Rng,
}

/// In place of the committer's thread: a sync takes its time, and whatever comes meanwhile shares the next.
async fn commit(mut tools: Tools) {
    loop {
        let asked = lock(&tools.steps).as_ref().map(Steps::asked);
        let Some(asked) = asked else { return };
        asked.await;
        loop {
            let wait = tools.rng.weighted(&[(6, 1), (6, 4), (1, 150)]);
            tokio::time::sleep(Duration::from_millis(tools.rng.below(wait + 1))).await;
            let Some(steps) = &mut *lock(&tools.steps) else { return };
            if steps.commit() {
                tools.bell.notify_one();
            }
            if !steps.is_pending() {
                break;
            }
        }
    }
}

/// In place of the upkeep's thread.
async fn keep(mut tools: Tools, began: u64) {
    loop {
        let is_busy = lock(&tools.steps).as_ref().is_some_and(Steps::is_busy);
        let most = if is_busy { 300 } else { 8_000 };
        let wait = Duration::from_millis(tools.rng.between(50, most));
        tokio::select! {
            biased;
            () = tools.bell.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
        let Some(steps) = &mut *lock(&tools.steps) else { return };
        steps.keep(tools.world.clock.milliseconds() - began);
    }
}

/// The ledger reads on, and syncs now and then.
async fn consume(mut tools: Tools) {
    loop {
        let position = lock(&tools.world.ledger).position;
        let more = tokio::time::timeout(Duration::from_secs(30), tools.store.spool.synced_past(position)).await;
        tokio::time::sleep(Duration::from_millis(tools.rng.between(1, 3_000))).await;
        if tools.world.is_dead() || lock(&tools.steps).is_none() {
            return;
        }
        if more.is_ok() {
            let Ok(batch) = tools.store.spool.events(position, tools.rng.between(1, 40) as usize) else { continue };
            lock(&tools.store.counting).take(&batch);
            let taken = lock(&tools.world.ledger).take(batch);
            if let Err(fault) = taken {
                tools.world.violation(fault);
            }
        }
        if more.is_err() || tools.rng.chance(250) {
            let mut ledger = lock(&tools.world.ledger);
            if tools.rng.chance(700) {
                ledger.charge(&mut lock(&tools.store.counting));
            }
            let synced: Position = ledger.sync().min(ledger.charged());
            tools.store.spool.consumed(synced);
        }
    }
}
