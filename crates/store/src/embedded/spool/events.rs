//! The log as its consumers read it: synced events from a position on.

use std::io;
use std::sync::Arc;

use relay::id::MessageId;
use relay::store::StoreError;

use super::disk::{Disk, DiskFile};
use super::meta::{self, MetaError};
use super::record::Kind;
use super::scan::{Found, Last, Scanner};
use super::segment::SegmentHeader;
use super::state::Shared;
use super::{Batch, Event, Position};

/// A stretch of one segment.
struct Stretch {
    number: u32,
    header: SegmentHeader,
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
            number: segment.number,
            header: segment.header,
            from: from.max(segment.header.data_start()),
            to: segment.end,
            is_last: state.head().is_some_and(|head| head.number == segment.number),
        })
    }

    /// Synced events from a position on, at most `max`. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) fn events(&self, from: Position, max: usize) -> Result<Batch, StoreError> {
        let mut batch = Batch { events: Vec::new(), next: from };
        while batch.events.len() < max {
            let Some(stretch) = self.stretch(batch.next.0) else { break };
            self.events_of(&stretch, &mut batch, max).map_err(|error| {
                StoreError::Unavailable(format!("{}: {error}", self.segment_path(stretch.number).display()))
            })?;
            if stretch.is_last {
                break;
            }
        }
        Ok(batch)
    }

    fn events_of(&self, stretch: &Stretch, batch: &mut Batch, max: usize) -> io::Result<()> {
        let file = self.segment_file(stretch.number)?;
        let mut scanner = Scanner::new(&*file, &stretch.header, stretch.to);
        let mut position = stretch.from;
        while position < stretch.to && batch.events.len() < max {
            let found = match scanner.at(position, Last::default())? {
                Some(found) => Some(found),
                // damage, which the start has reported
                None => scanner.find(position, Last::default())?,
            };
            let Some(found) = found else {
                position = stretch.to;
                break;
            };
            position = found.end();
            if let Some(event) = read_event(&mut scanner, &found)? {
                batch.events.push((Position(position), event));
            }
        }
        batch.next = batch.next.max(Position(position));
        Ok(())
    }
}

fn read_event<F: DiskFile>(scanner: &mut Scanner<'_, F>, found: &Found) -> io::Result<Option<Event>> {
    let message = found.header.message();
    let Some(kind) = found.header.kind() else { return Ok(None) };
    if matches!(kind, Kind::Seal | Kind::Copy | Kind::Epoch) {
        return Ok(None);
    }
    Ok(scanner.meta(found)?.and_then(|meta| event(kind, message, meta).ok().flatten()))
}

fn event(kind: Kind, message: MessageId, meta: &[u8]) -> Result<Option<Event>, MetaError> {
    Ok(Some(match kind {
        Kind::Commit => Event::Committed(Arc::new(meta::commit_in(message, meta)?.envelope)),
        Kind::Settle => Event::Settled(meta::settle_in(message, meta)?.0),
        Kind::Hold => {
            let (reason, at) = meta::hold_in(meta)?;
            Event::Held { message, reason, at }
        }
        Kind::Release => Event::Released { message, at: meta::release_in(meta)? },
        Kind::Notices => Event::Noticed(meta::notices_in(meta)?),
        Kind::Seal | Kind::Copy | Kind::Epoch => return Ok(None),
    }))
}
