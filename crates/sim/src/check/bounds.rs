//! Limits and memory: nothing grows beyond what is allowed, and at the end nothing is left.

use store::embedded::spool::simulation::Figures;

use crate::world::World;

/// Claims beside those of conversations: settlements without an attempt, endings.
const CLAIMS_BESIDE: usize = 200;
/// Segments beyond the spool's bound, for outcomes that had nowhere else to go.
const SEGMENTS_BEYOND: u64 = 4;

/// While it runs.
pub fn check(world: &World, figures: &Figures) {
    let options = &world.plan.options;
    let beyond = SEGMENTS_BEYOND * options.segment_octets;
    let drafts_max = world.plan.clients as u64 * (options.held_content_octets_max as u64 + 70_000);
    let checks = [
        ("octets of drafts in memory", figures.drafts_octets, drafts_max),
        ("octets of recent messages", figures.recent_octets as u64, options.recent_octets_max as u64),
        ("claims", figures.claims as u64, (world.plan.conversations_max + CLAIMS_BESIDE) as u64),
        ("octets on the disk", figures.segments_octets + figures.files_octets, options.spool_octets_max + beyond),
    ];
    for (what, is, most) in checks {
        if is > most {
            world.violation(format!("{what}: {is}, at most {most} are allowed"));
        }
    }
}

/// At the end the scheduler knows what is in the queue, and no order waits for anything.
pub fn check_remembered(world: &World, remembered: usize, unreadable: usize) {
    if remembered > unreadable {
        world.violation(format!("messages and orders that the scheduler still knows at the end: {remembered}"));
    }
}

/// At the end, with an empty queue but for what cannot be read.
pub fn check_end(world: &World, figures: &Figures, unreadable: usize, connections: u64) {
    let checks = [
        ("octets of drafts", figures.drafts_octets, 0),
        ("claims", figures.claims as u64, 0),
        ("seals not written", figures.seals as u64, 0),
        ("content files", figures.files as u64, unreadable as u64),
        ("content files to be removed", figures.doomed as u64, 0),
        ("connections", connections, 0),
    ];
    for (what, is, most) in checks {
        if is > most {
            world.violation(format!("{what} left at the end: {is}"));
        }
    }
}
