//! Bits that flip on the medium, what must be said of them, and what they excuse.

use std::collections::BTreeSet;

use relay::id::MessageId;
use store::embedded::spool::simulation::{Kind, RecordAt, records};

use crate::fault::Fault;
use crate::rng::Rng;
use crate::world::World;

/// A bit that flipped.
#[derive(Clone, Debug)]
pub struct Flip {
    /// How a report names the place.
    pub place: String,
    /// The message that it is about, where it is in a record of one.
    pub message: Option<MessageId>,
    /// What kind of record it is in.
    pub kind: Option<Kind>,
    /// Whether it is in the content.
    pub is_content: bool,
    /// It was told.
    pub is_told: bool,
}

/// The file of a record.
fn segment_name(record: &RecordAt) -> String {
    format!("segments/{:08}", record.segment)
}

/// All that flipped.
#[derive(Debug, Default)]
pub struct Damage {
    flips: Vec<Flip>,
    /// Reports that were looked at.
    told: BTreeSet<String>,
}

impl Damage {
    /// Flips a bit of what is known to be on the medium, while no process has it.
    pub fn inflict(&mut self, world: &World, rng: &mut Rng) {
        if rng.chance(150) {
            return self.inflict_on_file(world, rng);
        }
        let disk = world.disk.view();
        let Ok(records) = records(&disk) else { return };
        // what nothing behind it proves to have been synced cannot be told from the rest of a last write: no promise; and what proves
        // it may itself be of a last write that a power cut takes away
        let is_kept = |record: &&RecordAt| disk.is_on_medium(&segment_name(record), record.offset, record.parts[0]);
        let is_proven = |place: usize| {
            let record = &records[place];
            let later = records[place + 1..].iter().filter(is_kept);
            later.map(|later| later.synced).max().is_some_and(|synced| synced > record.position)
        };
        let proven: Vec<&RecordAt> =
            (0..records.len()).filter(|place| is_proven(*place)).map(|place| &records[place]).collect();
        if proven.is_empty() {
            return;
        }
        if rng.chance(220) {
            return inflict_on_segment(world, rng, proven[0].segment);
        }
        let record = proven[rng.below(proven.len() as u64) as usize];
        let [header, meta, content] = record.parts;
        let (fault, from, octets) = match rng.below(4) {
            0 => (Fault::FlippedLength, 8, 8),
            1 => (Fault::FlippedHeader, 0, header),
            2 if content > 0 => (Fault::FlippedContent, header + meta, content),
            _ if meta > 0 => (Fault::FlippedMeta, header, meta),
            _ => (Fault::FlippedHeader, 0, header),
        };
        let at = record.offset + from + rng.below(octets);
        let name = segment_name(record);
        if disk.flip(&name, at as usize, rng.below(8) as u8) {
            world.fault(fault);
            world.tell(format_args!("flipped {name} at {} in {record:?}", at));
            self.flips.push(Flip {
                place: format!("{name} at octet {}:", record.offset),
                message: (record.message.0 != 0).then_some(record.message),
                kind: Some(record.kind),
                is_content: fault == Fault::FlippedContent,
                is_told: false,
            });
        }
    }

    fn inflict_on_file(&mut self, world: &World, rng: &mut Rng) {
        let names: Vec<String> = world.disk.names().into_iter().filter(|name| name.starts_with("content/")).collect();
        if names.is_empty() {
            return;
        }
        let name = &names[rng.below(names.len() as u64) as usize];
        let octets = world.disk.image(name).map_or(0, |image| image.len() as u64);
        if octets > 0 && world.disk.flip(name, rng.below(octets) as usize, rng.below(8) as u8) {
            world.fault(Fault::FlippedContent);
            let place = format!("{name}:");
            self.flips.push(Flip { place, message: None, kind: None, is_content: true, is_told: false });
        }
    }

    /// Looks at what the spool reports: everything that it says must have been done to it, and what it says excuses.
    pub fn told(&mut self, world: &World, reports: &[relay::store::Damage]) {
        for damage in reports {
            let report = &damage.to_string();
            if !self.told.insert(report.clone()) {
                continue;
            }
            world.tell(format_args!("told: {report}"));
            let mut is_known = false;
            for flip in self.flips.iter_mut().filter(|flip| report.starts_with(&flip.place)) {
                is_known = true;
                flip.is_told = true;
                excuse(world, flip, damage.message);
            }
            if !is_known && !follows(world, damage.message) {
                world.violation(format!("damage is reported where none was done: {report}"));
            }
        }
    }
}

/// Whether a report is about a message that a forgotten outcome brought back: its content may have been overwritten,
/// its segment may be gone.
fn follows(world: &World, named: Option<MessageId>) -> bool {
    let Some(id) = named else { return false };
    let mut mail = world.mail();
    let Some(message) = mail.messages.get_mut(&id).filter(|message| message.excuse.outcome) else { return false };
    message.excuse.unreadable = true;
    true
}

/// What a flip that was told excuses, and no more.
fn excuse(world: &World, flip: &Flip, named: Option<MessageId>) {
    let Some(message) = flip.message.or(named) else { return };
    let mut mail = world.mail();
    let Some(known) = mail.messages.get_mut(&message) else { return };
    match flip.kind {
        Some(Kind::Commit | Kind::Copy) | None => {
            known.excuse.unreadable = true;
            known.excuse.lost |= !flip.is_content;
            // a copy carries outcomes with it
            known.excuse.outcome |= flip.kind == Some(Kind::Copy) && !flip.is_content;
        }
        Some(Kind::Settle | Kind::Hold | Kind::Release) => known.excuse.outcome = true,
        Some(Kind::Seal | Kind::Notices | Kind::Report | Kind::Epoch) => {}
    }
}

fn inflict_on_segment(world: &World, rng: &mut Rng, segment: u32) {
    let name = format!("segments/{segment:08}");
    let image = world.disk.image(&name).unwrap_or_default();
    let last = image.len().saturating_sub(4096);
    // one of the two, and only where the other is whole: with both damaged nothing tells what the segment is
    if image.get(..80) != image.get(last..last + 80) {
        return;
    }
    let edge = if rng.chance(500) { 0 } else { last };
    if world.disk.flip(&name, edge + rng.below(80) as usize, rng.below(8) as u8) {
        world.fault(Fault::FlippedSegmentHeader);
    }
}
