//! What is done about damage: with what activity knows at a start, and by the operator's order.

use std::collections::HashSet;
use std::io;

use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, HoldReason, Outcome, Settlement, Verdict};
use relay::store::{Damage, QueueEntry, Spool as _, StoreError};
use tokio::sync::oneshot;

use super::damage::Remains;
use super::disk::Disk;
use super::record::{BOUNDARY, Kind};
use super::request::Request;
use super::scan::{Last, Scanner};
use super::state::{CONTENT, Segment, content_name};
use super::{LogSpool, checkpoint, meta, segment};

/// Messages held at once.
const PAGE: usize = 500;

impl<D: Disk> LogSpool<D> {
    /// Whether this start found damage: what it made of the log may be too much or too little.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.engine.shared.state().is_incomplete
    }

    /// Whether a message is live.
    pub(crate) fn contains(&self, message: MessageId) -> bool {
        self.engine.shared.state().index.contains(message)
    }

    /// Takes recipients out of the queue that left it before, by outcomes that the log has lost. In memory: the next
    /// checkpoint keeps it.
    pub(crate) fn forget_settled(&self, message: MessageId, recipients: &[u16]) {
        let shared = &self.engine.shared;
        let mut state = shared.state();
        let wipe_at = shared.wipe_at(state.now);
        let outcome = Outcome::Delivered { sandbox: false };
        let verdict = |recipient: &u16| Verdict {
            recipient: *recipient,
            outcome,
            class: None,
            reason: String::new(),
            remote_reply: None,
        };
        let verdicts: Vec<Verdict> = recipients.iter().map(verdict).collect();
        let attempts = vec![0; verdicts.len()];
        let settlement = Settlement { message, at: Timestamp(0), attempt: None, verdicts };
        if let Some(position) = state.index.settle(&settlement, &attempts) {
            state.settled(message, position, wipe_at);
        }
    }

    /// Writes a checkpoint now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; the old one stays.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        let written = checkpoint::write(&self.engine.shared, false);
        written.map(drop).map_err(|error| StoreError::Unavailable(format!("a checkpoint: {error}")))
    }

    /// Remembers a message that was accepted, is not settled, and has no record any more.
    pub(crate) fn report_lost(&self, message: MessageId, recipients: usize) {
        let shared = &self.engine.shared;
        let file = shared.disk.path(segment::FOLDER).display().to_string();
        let what = format!("message {message} was accepted and is lost: {recipients} of its recipients were waiting");
        shared.state().damaged(Damage { file, offset: None, message: Some(message), what });
    }

    /// Writes down what was found damaged, and sets its octets aside.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; it is tried again by the upkeep.
    pub(crate) fn keep_damage(&self) -> Result<(), StoreError> {
        self.engine
            .shared
            .keep_damage()
            .map_err(|error| StoreError::Unavailable(format!("the list of damage: {error}")))
    }

    /// Holds every message that waits, by the operator's word; how many these are. Blocks: not to be called from a task.
    ///
    /// # Errors
    /// The store's; some may be held already.
    pub(crate) fn hold_all(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (mut after, mut held) = (None, 0);
        loop {
            let page = self.queue(after, PAGE);
            let Some(last) = page.last() else { return Ok(held) };
            after = Some(last.message);
            let ask = |entry: &QueueEntry| {
                let (reply, receiver) = oneshot::channel();
                self.engine.push(Request::Hold(entry.message, None, HoldReason::Operator, now, reply));
                receiver
            };
            for receiver in page.iter().map(ask).collect::<Vec<_>>() {
                let closed = |_| Err(StoreError::Unavailable("the spool is closed".to_owned()));
                receiver.blocking_recv().unwrap_or_else(closed)?;
                held += 1;
            }
        }
    }

    /// Whether a live message cannot be read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where that cannot be told now.
    pub(crate) fn is_damaged(&self, message: MessageId) -> Result<bool, StoreError> {
        let shared = &self.engine.shared;
        let read = shared.read(message).and_then(|read| match read {
            Some(read) => shared.hold_to_hash(&read).and_then(|()| shared.content(&read).map(drop)),
            None => Ok(()),
        });
        match read {
            Err(StoreError::Damaged(_)) => Ok(true),
            result => result.map(|()| false),
        }
    }

    /// What can still be read of a damaged message's record: its envelope, or nothing.
    pub(crate) fn envelope_left(&self, message: MessageId) -> Option<Envelope> {
        let shared = &self.engine.shared;
        let (segment, position) = self.place(message)?;
        let file = shared.segment_file(segment.number).ok()?;
        let mut scanner = Scanner::new(&*file, &segment.header, segment.end);
        let found = scanner.at(position, Last::default()).ok()??;
        let kind = found.header.kind()?;
        let meta = scanner.meta(&found).ok()??;
        match kind {
            Kind::Commit => meta::commit_in(message, meta).ok().map(|kept| kept.envelope),
            Kind::Copy => meta::copy_in(message, meta).ok().map(|kept| kept.envelope),
            _ => None,
        }
    }

    fn place(&self, message: MessageId) -> Option<(Segment, u64)> {
        let state = self.engine.shared.state();
        let position = state.index.position(message)?;
        state.segment_at(position).map(|segment| (*segment, position))
    }

    /// Copies the octets of a live message into the folder of what is set aside, durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) fn set_aside(&self, message: MessageId) -> Result<(), StoreError> {
        let shared = &self.engine.shared;
        let mut all = Vec::new();
        if let Some((segment, position)) = self.place(message) {
            let octets = self.octets_of(&segment, position).map_err(|error| unavailable(&error))?;
            all.push(Remains::of_segment(segment.number, &segment.header, position, octets));
        }
        let filed = shared.state().files.get(&message).copied();
        all.extend(filed.map(|filed| Remains::of_file(&content_name(filed.number))));
        all.iter().try_for_each(|remains| remains.set_aside(&shared.disk)).map_err(|error| unavailable(&error))
    }

    /// How far a record goes: as its header says, or up to the next one.
    fn octets_of(&self, segment: &Segment, position: u64) -> io::Result<u64> {
        let file = self.engine.shared.segment_file(segment.number)?;
        let mut scanner = Scanner::new(&*file, &segment.header, segment.end);
        if let Some(found) = scanner.at(position, Last::default())? {
            return Ok(found.header.record_octets());
        }
        let next = scanner.find(position + BOUNDARY, Last::default())?;
        Ok(next.map_or(segment.end, |found| found.position) - position)
    }

    /// Content files that no live message names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) fn orphans(&self) -> Result<Vec<String>, StoreError> {
        let shared = &self.engine.shared;
        let named: HashSet<String> = shared.state().files.values().map(|filed| content_name(filed.number)).collect();
        let files = shared.disk.list(CONTENT).map_err(|error| unavailable(&error))?;
        let names = files.into_iter().map(|(name, _)| format!("{CONTENT}/{name}"));
        Ok(names.filter(|name| !named.contains(name)).collect())
    }

    /// Moves them into the folder of what is set aside.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) fn set_orphans_aside(&self) -> Result<(), StoreError> {
        let disk = &self.engine.shared.disk;
        for name in self.orphans()? {
            Remains::of_file(&name).set_aside(disk).map_err(|error| unavailable(&error))?;
            disk.remove(&name).map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    /// Writes what became of a message that is not live, for the log's consumers alone. Blocks: not to be called from a
    /// task.
    ///
    /// # Errors
    /// As for a settlement.
    pub(crate) fn settle_lost(&self, settlement: Settlement) -> Result<(), StoreError> {
        let (reply, receiver) = oneshot::channel();
        self.engine.push(Request::Lost(Box::new(settlement), reply));
        receiver.blocking_recv().unwrap_or_else(|_| Err(StoreError::Unavailable("the spool is closed".to_owned())))
    }

    /// The operator has seen all damage there is: it is told no more.
    ///
    /// # Errors
    /// As [`LogSpool::keep_damage`].
    pub(crate) fn acknowledge_damage(&self) -> Result<(), StoreError> {
        // first what is still to be set aside
        self.keep_damage()?;
        {
            let mut state = self.engine.shared.state();
            state.damage.clear();
            state.damage_changed = true;
        }
        self.keep_damage()
    }
}

fn unavailable(error: &io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
