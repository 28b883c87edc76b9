//! The next hops of the whole world: who they are, in what mood, and how they are dialled.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use net::outbound::Dialer;
use relay::route::{Route, RouteTls, Routes};

use super::dns::host_at;
use super::pipe::{Cut, End, Loss, connection};
use super::{World, hop, lock};
use crate::fault::Fault;
use crate::rng::Rng;

/// Domains that mail goes to.
pub const SITES: usize = 7;
/// Where the sites of the senders' own domains begin: notifications go there.
pub const SENDERS: usize = 20;
/// Where the sites of the operator's routes begin, to which mail goes by order alone.
const HUBS: usize = 40;
/// How many of these there are.
const HUB_COUNT: usize = 2;
/// Mail servers of a domain.
pub const HOSTS_PER_SITE: usize = 2;
/// What stands behind a hub's name in that of the route to it.
const HUB_PORT: &str = ":25";
/// How long a mood lasts, milliseconds.
const MOOD_LASTS: u64 = 300_000;

/// How a site is, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Nearly everything works.
    Good,
    /// Much goes wrong.
    Flaky,
    /// Nobody answers the door.
    Down,
    /// Everything is put off.
    Greylisting,
}

/// The number of a site, by its domain, or the name of a route to it.
pub fn site_number(name: &str) -> Option<usize> {
    let domain = name.strip_suffix(HUB_PORT).unwrap_or(name);
    let name = domain.strip_suffix(".example")?;
    let number_of = |kind| name.strip_prefix(kind).and_then(|number| number.parse::<usize>().ok());
    let site = number_of("site").filter(|number| *number < SITES);
    let hub = number_of("hub").filter(|number| *number < HUB_COUNT).map(|number| HUBS + number);
    site.or(number_of("shop").map(|number| SENDERS + number)).or(hub)
}

/// The operator's routes: no domain's mail goes there by itself.
pub fn routes() -> Routes {
    let hub = |number| Route {
        pattern: format!("hub{number}.example"),
        host: format!("hub{number}.example"),
        port: 25,
        tls: RouteTls::None,
        implicit_tls: false,
        login: None,
        retry_for: None,
        sign_unpublished: false,
    };
    // they are as routes have to be
    Routes::new((0..HUB_COUNT).map(hub).collect()).unwrap_or_default()
}

/// The names by which the operator may send mail there, and by the mail servers of its domain.
pub fn ways() -> [&'static str; 3] {
    ["hub0.example:25", "hub1.example:25", "mx"]
}

/// All next hops.
pub struct Hops {
    seed: u64,
    rng: Mutex<Rng>,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    replies: u64,
    positive: BTreeSet<u64>,
}

impl Hops {
    /// Of a seed.
    pub fn new(seed: u64) -> Self {
        Hops { seed, rng: Mutex::new(Rng::new(seed, 2)), said: Mutex::default() }
    }

    /// How a site is at a moment.
    pub fn mood(&self, site: usize, milliseconds: u64) -> Mood {
        let mut rng = Rng::new(self.seed, 0x600D + ((site as u64) << 32) + milliseconds / MOOD_LASTS);
        rng.weighted(&[(600, Mood::Good), (250, Mood::Flaky), (70, Mood::Down), (80, Mood::Greylisting)])
    }

    /// The serial number of the next reply: activity has to repeat it.
    pub fn next_reply(&self, is_positive: bool) -> u64 {
        let mut said = lock(&self.said);
        said.replies += 1;
        let serial = said.replies;
        if is_positive {
            said.positive.insert(serial);
        }
        serial
    }

    /// Whether a reply with this number was given, and was positive.
    pub fn was_said(&self, serial: u64) -> Option<bool> {
        let said = lock(&self.said);
        (serial >= 1 && serial <= said.replies).then(|| said.positive.contains(&serial))
    }
}

/// Dials next hops.
pub struct SimDialer(pub Arc<World>);

/// What goes wrong with a dial.
#[derive(Clone, Copy)]
enum Weather {
    Connects,
    Refused,
    Unanswered,
}

impl Dialer for SimDialer {
    type Stream = End;

    async fn dial(&self, remote: SocketAddr, _: Option<IpAddr>) -> io::Result<End> {
        let world = &self.0;
        let Some((site, _)) = host_at(remote.ip()) else { return Err(io::ErrorKind::HostUnreachable.into()) };
        let mood = if world.is_calm() { Mood::Good } else { world.hops.mood(site, world.clock.milliseconds()) };
        let (weather, wait, mut rng) = {
            let mut rng = lock(&world.hops.rng);
            let weather = match mood {
                _ if world.is_calm() => Weather::Connects,
                Mood::Good => {
                    rng.weighted(&[(985, Weather::Connects), (12, Weather::Refused), (3, Weather::Unanswered)])
                }
                Mood::Down => {
                    rng.weighted(&[(20, Weather::Connects), (880, Weather::Refused), (100, Weather::Unanswered)])
                }
                Mood::Flaky | Mood::Greylisting => {
                    rng.weighted(&[(900, Weather::Connects), (80, Weather::Refused), (20, Weather::Unanswered)])
                }
            };
            let stream = rng.roll();
            (weather, rng.between(1, 30), Rng::new(world.hops.seed, stream))
        };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        match weather {
            Weather::Connects => {}
            Weather::Refused => {
                world.fault(Fault::HopUnreachable);
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            Weather::Unanswered => {
                world.fault(Fault::HopUnreachable);
                tokio::time::sleep(Duration::from_secs(3600)).await;
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let cuts = if world.is_calm() { [None; 2] } else { cuts(&mut rng, mood) };
        let (ours, theirs) = connection(world, Rng::new(world.hops.seed, rng.roll()), cuts);
        tokio::spawn(hop::serve(Arc::clone(world), site, mood, theirs, rng));
        Ok(ours)
    }

    fn local(&self, _: &End) -> Option<IpAddr> {
        None
    }
}

/// Where the connection is lost, if it is: what the relay says, what it hears.
fn cuts(rng: &mut Rng, mood: Mood) -> [Option<Cut>; 2] {
    let chance = if mood == Mood::Flaky { 60 } else { 15 };
    let mut cut = |fault, most| {
        let loss = if rng.chance(700) { Loss::Broken } else { Loss::Silent };
        rng.chance(chance).then(|| Cut { after: rng.below(most), loss, fault })
    };
    [cut(Fault::HopLostHearing, 8_000), cut(Fault::HopLostSpeaking, 700)]
}
