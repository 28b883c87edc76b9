//! The log as its consumers read it: synced events from a position on.

use std::io;
use std::sync::Arc;

use relay::id::MessageId;
use relay::store::StoreError;

use super::disk::{Disk, DiskFile};
use super::meta::{self, MetaError};
use super::record::Kind;
use super::recovery::damaged_record;
use super::scan::{Found, Last, Scanner};
use super::state::{Segment, Shared, record_damaged};
use super::{Batch, Event, Position};

/// Octets that events are made of, in one batch: with many recipients they are long.
const BATCH_OCTETS_MAX: usize = 4 << 20;

/// A stretch of one segment.
struct Stretch {
    segment: Segment,
    from: u64,
    to: u64,
    is_last: bool,
}

impl<D: Disk> Shared<D> {
    /// The first stretch with records at or behind a position. Records of the index are synced.
    fn stretch(&self, from: u64) -> Option<Stretch> {
        let state = self.state();
        let has_more = |end: u64, start: u64| end > from && end > start;
        let segment = state.log.values().find(|segment| has_more(segment.end, segment.header.data_start()))?;
        Some(Stretch {
            segment: *segment,
            from: from.max(segment.header.data_start()),
            to: segment.end,
            is_last: state.head().is_some_and(|head| head.number == segment.number),
        })
    }

    /// Synced events from a position on, at most `max` or some megabytes. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) fn events(&self, from: Position, max: usize) -> Result<Batch, StoreError> {
        let mut batch = Batch { events: Vec::new(), next: from };
        let mut room = BATCH_OCTETS_MAX;
        while batch.events.len() < max && room > 0 {
            let Some(stretch) = self.stretch(batch.next.0) else { break };
            self.events_of(&stretch, &mut batch, max, &mut room).map_err(|error| {
                StoreError::Unavailable(format!("{}: {error}", self.segment_path(stretch.segment.number).display()))
            })?;
            if stretch.is_last {
                break;
            }
        }
        Ok(batch)
    }

    fn events_of(&self, stretch: &Stretch, batch: &mut Batch, max: usize, room: &mut usize) -> io::Result<()> {
        let file = self.segment_file(stretch.segment.number)?;
        let mut scanner = Scanner::new(&*file, &stretch.segment.header, stretch.to).without_content();
        let mut position = stretch.from;
        while position < stretch.to && batch.events.len() < max && *room > 0 {
            let found = match scanner.at(position, Last::default())? {
                Some(found) => Some(found),
                None => {
                    let found = scanner.find(position, Last::default())?;
                    let octets = found.as_ref().map_or(stretch.to, |found| found.position) - position;
                    self.untold(stretch, position, None, format!("{octets} octets cannot be read, stepped over"));
                    found
                }
            };
            let Some(found) = found else {
                position = stretch.to;
                break;
            };
            position = found.end();
            *room = room.saturating_sub(found.header.meta_octets as usize);
            match read_event(&mut scanner, &found)? {
                Read::Event(event) => batch.events.push((Position(position), event)),
                Read::Nothing => {}
                Read::Damaged(kind) => {
                    let message = found.header.message();
                    let what = format!("{}, stepped over", damaged_record(kind, message));
                    self.untold(stretch, found.position, (message.0 != 0).then_some(message), what);
                }
            }
        }
        batch.next = batch.next.max(Position(position));
        Ok(())
    }

    /// Damage that a consumer comes upon: a start does not read what it does not need.
    fn untold(&self, stretch: &Stretch, position: u64, message: Option<MessageId>, what: String) {
        self.state().damaged(record_damaged(&self.disk, &stretch.segment, position, message, what));
    }
}

/// What a consumer finds in a record.
enum Read {
    Event(Event),
    Nothing,
    Damaged(Kind),
}

fn read_event<F: DiskFile>(scanner: &mut Scanner<'_, F>, found: &Found) -> io::Result<Read> {
    let message = found.header.message();
    let Some(kind) = found.header.kind() else { return Ok(Read::Nothing) };
    if matches!(kind, Kind::Seal | Kind::Copy | Kind::Epoch) {
        return Ok(Read::Nothing);
    }
    let Some(meta) = scanner.meta(found)? else { return Ok(Read::Damaged(kind)) };
    Ok(event(kind, message, meta).ok().flatten().map_or(Read::Nothing, Read::Event))
}

fn event(kind: Kind, message: MessageId, meta: &[u8]) -> Result<Option<Event>, MetaError> {
    Ok(Some(match kind {
        Kind::Commit => Event::Committed(Arc::new(meta::commit_in(message, meta)?.envelope)),
        Kind::Settle => Event::Settled(meta::settle_in(message, meta)?.0),
        Kind::Hold => {
            let (reason, at, recipients) = meta::hold_in(meta)?;
            Event::Held { message, recipients, reason, at }
        }
        Kind::Release => {
            let (at, recipients) = meta::release_in(meta)?;
            Event::Released { message, recipients, at }
        }
        Kind::Notices => Event::Noticed(meta::notices_in(meta)?),
        Kind::Report => Event::Reported(Box::new(meta::report_in(message, meta)?)),
        Kind::Seal | Kind::Copy | Kind::Epoch => return Ok(None),
    }))
}
