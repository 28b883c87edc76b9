//! What a seed decides before anything happens.

use std::time::Duration;

use relay::clock::Timestamp;
use store::embedded::spool::Options;

use crate::rng::Rng;

/// Messages that clients want to send in one run.
pub const LETTERS: usize = 240;
/// Where the wall clock begins.
const BEGIN: u64 = 1_800_000_000_000;

/// How a life of the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The power goes, at so many changes of the disk.
    PowerCut(u64),
    /// The process is killed, at so many changes of the disk.
    KilledWriting(u64),
    /// The process is killed, at a moment.
    Killed(Duration),
    /// A graceful stop, at a moment.
    Stopped(Duration),
}

/// One life of the process, and what happens around it.
#[derive(Clone, Debug)]
pub struct Life {
    /// How it ends.
    pub ending: Ending,
    /// It lasts no longer than this.
    pub lasts: Duration,
    /// A write of the disk fails, so many writes from its start.
    pub write_fails_after: Option<u64>,
    /// A sync of the disk fails, so many syncs from its start.
    pub sync_fails_after: Option<u64>,
    /// From when to when the disk is full.
    pub full: Option<(Duration, Duration)>,
    /// When the clock jumps ahead, and by how much.
    pub jump: Option<(Duration, Duration)>,
    /// By how much the clock goes back before it.
    pub back: Option<Duration>,
    /// Bits that flip before it.
    pub flips: u64,
}

/// The plan of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its seed.
    pub seed: u64,
    /// What the wall clock shows at the start.
    pub begins_at: Timestamp,
    /// Octets of the disk.
    pub disk_octets: u64,
    /// The spool's sizes.
    pub options: Options,
    /// Clients that send at once.
    pub clients: usize,
    /// The lives of the process, the last of them kind.
    pub lives: Vec<Life>,
    /// To how many recipients the last account may send in a month, and the day on which that begins anew.
    pub quota: Option<(u64, u8)>,
    /// Conversations at once.
    pub conversations_max: usize,
    /// Conversations at once with one site.
    pub site_conversations_max: usize,
}

impl Plan {
    /// What the seed decides.
    pub fn of(seed: u64) -> Plan {
        let mut rng = Rng::new(seed, 3);
        let segment = rng.weighted(&[(2, 32 * 1024), (5, 64 * 1024), (2, 128 * 1024)]);
        let segments_max = rng.between(14, 40);
        let options = Options {
            segment_octets: segment,
            segments_ready: rng.between(0, 2) as usize,
            spool_octets_max: segments_max * segment,
            disk_free_octets_min: 16 * 1024,
            reserve_octets: segment * rng.between(1, 2),
            held_content_octets_max: 8 * 1024,
            drafts_octets_max: 256 * 1024,
            write_octets_max: rng.weighted(&[(1, 8 * 1024), (2, 32 * 1024)]),
            recent_octets_max: rng.weighted(&[(1, 0), (1, 20_000), (1, 1 << 20)]),
            lazy_octets_max: 16 * 1024,
            lazy_delay_max: Duration::from_millis(100),
            upkeep_octets_per_second: rng.weighted(&[(1, 64 * 1024), (2, 16 << 20)]),
            wipe_after: Duration::from_secs(rng.between(60, 3600)),
        };
        let disk_octets = options.spool_octets_max + rng.between(256 * 1024, 2 << 20);
        let lives = rng.between(3, 6);
        let mut lives: Vec<Life> = (0..lives).map(|number| life(&mut rng, number)).collect();
        let back = rng.chance(150).then(|| Duration::from_secs(rng.between(1, 7200)));
        lives.push(Life {
            ending: Ending::Stopped(Duration::MAX),
            lasts: Duration::MAX,
            write_fails_after: None,
            sync_fails_after: None,
            full: None,
            jump: None,
            back,
            flips: if rng.chance(100) { 1 } else { 0 },
        });
        Plan {
            seed,
            begins_at: Timestamp(BEGIN + rng.below(86_400_000)),
            disk_octets,
            options,
            clients: rng.between(3, 7) as usize,
            lives,
            quota: rng.chance(400).then(|| (rng.between(30, 120), rng.between(1, 31) as u8)),
            conversations_max: rng.between(2, 12) as usize,
            site_conversations_max: rng.between(1, 6) as usize,
        }
    }
}

fn life(rng: &mut Rng, number: u64) -> Life {
    let lasts = Duration::from_secs(rng.between(30, 1500));
    let within = |rng: &mut Rng| Duration::from_millis(rng.below(lasts.as_millis() as u64));
    let changes_max = if rng.chance(300) { 40 } else { 400 };
    let changes = rng.between(3, changes_max);
    let ending = match rng.below(100) {
        0..45 => Ending::PowerCut(changes),
        45..65 => Ending::KilledWriting(changes),
        65..78 => Ending::Killed(within(rng)),
        _ => Ending::Stopped(within(rng)),
    };
    let full_from = within(rng);
    Life {
        ending,
        lasts,
        write_fails_after: rng.chance(90).then(|| rng.between(5, 150)),
        sync_fails_after: rng.chance(120).then(|| rng.between(5, 150)),
        full: rng.chance(250).then(|| (full_from, Duration::from_secs(rng.between(5, 400)))),
        jump: rng.chance(120).then(|| {
            let most = rng.weighted(&[(3, 120), (3, 7_200), (1, 400_000)]);
            (within(rng), Duration::from_secs(rng.between(1, most)))
        }),
        back: (number > 0 && rng.chance(150)).then(|| Duration::from_secs(rng.between(1, 20_000))),
        flips: if number > 0 && rng.chance(300) { rng.between(1, 2) } else { 0 },
    }
}
