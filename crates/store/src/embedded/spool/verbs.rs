//! The verbs of [`relay::store::Spool`]: each becomes a request to the committer, or a look at what is in memory.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use relay::activity::Notice;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, HoldReason, Origin, Settlement};
use relay::report::Report;
use relay::store::{Claimed, Content, QueueEntry, Spool, StoreError, StoreHealth};
use tokio::sync::oneshot;

use super::LogSpool;
use super::disk::Disk;
use super::draft::{LogDraft, Received, blocking};
use super::index::{self, Entry};
use super::meta::{self, Filed, StateV1};
use super::request::{Commit, Reply, Request};
use super::state::{RecentMessage, Shared};

/// Content up to this is copied into one piece, for the write and for a first attempt; what it lay in is let go.
const ONE_PIECE_OCTETS_MAX: usize = 64 * 1024;
/// Notices in one record.
const NOTICES_MAX: usize = 100;

impl<D: Disk> LogSpool<D> {
    /// Hands a request to the committer and waits until it is on the disk.
    async fn kept(&self, request: impl FnOnce(Reply) -> Request) -> Result<(), StoreError> {
        let (reply, receiver) = oneshot::channel();
        self.engine.push(request(reply));
        receiver.await.unwrap_or_else(|_| {
            let state = self.engine.shared.state();
            state.check().and_then(|()| Err(StoreError::Unavailable("the spool is closed".to_owned())))
        })
    }

    fn doom(&self, filed: Option<Filed>) {
        if let Some(filed) = filed {
            self.engine.shared.state().doomed.push(filed);
            self.engine.ring();
        }
    }

    async fn lend(&self, message: MessageId, found: Looked) -> Result<Option<Claimed>, StoreError> {
        if let Looked { recent: Some(recent), seal: Seal::None, .. } = found {
            let states = index::all_states(recent.envelope.recipients.len(), &found.states);
            let content = Content::Held(recent.content);
            return Ok(Some(Claimed { envelope: recent.envelope, recipients: states, seal: recent.seal, content }));
        }
        let shared = Arc::clone(&self.engine.shared);
        blocking::<D, _>(move || read(&shared, message, found)).await
    }
}

/// Where the seal of a message is.
enum Seal {
    /// There is none, or it came with what is in memory.
    None,
    /// In memory, not yet in the log.
    Held(Bytes),
    /// In the log.
    At(u64),
}

/// What memory knows of a message.
struct Looked {
    recent: Option<RecentMessage>,
    seal: Seal,
    states: Vec<(u16, StateV1)>,
}

impl<D: Disk> Shared<D> {
    /// Looks a live message up, and claims it if asked and not claimed already.
    fn look(&self, message: MessageId, claim: bool) -> Option<Looked> {
        let mut state = self.state();
        let states = state.index.states(message)?;
        if claim && !state.claims.insert(message) {
            return None;
        }
        let mut recent = state.recent.find(message);
        let waiting = state.seals.get(&message).cloned();
        let seal = match (&mut recent, waiting, state.index.seal(message)) {
            (Some(recent), Some(seal), _) => {
                recent.seal = Some(seal);
                Seal::None
            }
            (Some(recent), None, Some(_)) if recent.seal.is_some() => Seal::None,
            (None, Some(seal), _) => Seal::Held(seal),
            (_, None, Some(position)) => Seal::At(position),
            (_, None, None) => Seal::None,
        };
        Some(Looked { recent, seal, states })
    }
}

fn read<D: Disk>(shared: &Shared<D>, message: MessageId, found: Looked) -> Result<Option<Claimed>, StoreError> {
    let seal = match found.seal {
        Seal::None => None,
        Seal::Held(seal) => Some(seal),
        Seal::At(position) => shared.read_seal(message, position),
    };
    let (envelope, content) = match found.recent {
        Some(recent) => (recent.envelope, Content::Held(recent.content)),
        None => {
            let Some(read) = shared.read(message)? else { return Ok(None) };
            if found.states.iter().any(|(_, state)| state.attempts() > 0) || read.position < shared.state().proven {
                shared.hold_to_hash(&read)?;
            }
            let content = shared.content(&read)?;
            (Arc::new(read.kept.envelope), content)
        }
    };
    let recipients = index::all_states(envelope.recipients.len(), &found.states);
    Ok(Some(Claimed { envelope, recipients, seal, content }))
}

/// Gives a claim back unless it was handed out.
struct Claiming<'a, D: Disk> {
    spool: &'a LogSpool<D>,
    message: MessageId,
    is_done: bool,
}

impl<D: Disk> Drop for Claiming<'_, D> {
    fn drop(&mut self) {
        if !self.is_done {
            self.spool.unclaim(self.message);
        }
    }
}

/// In one piece where that is cheap.
fn gathered(chunks: Vec<Bytes>, octets: usize) -> Vec<Bytes> {
    if octets > ONE_PIECE_OCTETS_MAX {
        return chunks;
    }
    let mut whole = BytesMut::with_capacity(octets);
    chunks.iter().for_each(|chunk| whole.extend_from_slice(chunk));
    vec![whole.freeze()]
}

fn commit_request(envelope: Envelope, received: Received) -> Commit {
    let is_live = !envelope.recipients.is_empty();
    let (content, content_crc, filed) = match received {
        Received::Held { chunks, octets, crc } if is_live => (gathered(chunks, octets), crc, None),
        Received::Filed(filed) if is_live => (Vec::new(), 0, Some(filed)),
        // nobody will read it
        _ => (Vec::new(), 0, None),
    };
    let (meta, version) = (meta::commit_out(&envelope, filed), meta::version(&envelope));
    let entry = Entry::accepted(&envelope, 0);
    let is_notification = matches!(envelope.origin, Origin::Notification(_));
    let recent = match content.as_slice() {
        [one] if is_live && one.len() <= ONE_PIECE_OCTETS_MAX => Some((Arc::new(envelope), one.clone())),
        _ => None,
    };
    Commit { meta, version, content, content_crc, filed, entry, is_notification, recent }
}

impl<D: Disk> Spool for LogSpool<D> {
    type Draft = LogDraft<D>;

    fn draft(&self) -> Result<LogDraft<D>, StoreError> {
        let state = self.engine.shared.state();
        state.check()?;
        match &state.no_room {
            Some(cause) => Err(StoreError::NoRoom(cause.clone())),
            None => Ok(LogDraft::new(Arc::clone(&self.engine.shared))),
        }
    }

    fn draft_notification(&self) -> Result<LogDraft<D>, StoreError> {
        self.engine.shared.state().check()?;
        Ok(LogDraft::new(Arc::clone(&self.engine.shared)))
    }

    async fn commit(&self, envelope: Envelope, draft: LogDraft<D>) -> Result<(), StoreError> {
        self.engine.shared.state().check()?;
        let received = draft.finish().await?;
        let filed = match &received {
            Received::Filed(filed) => Some(*filed),
            Received::Held { .. } => None,
        };
        let commit = Box::new(commit_request(envelope, received));
        let is_needed = commit.filed.is_some();
        let result = self.kept(|reply| Request::Commit(commit, reply)).await;
        if result.is_err() || !is_needed {
            self.doom(filed);
        }
        result
    }

    async fn claim(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        self.engine.shared.state().check()?;
        let Some(found) = self.engine.shared.look(message, true) else { return Ok(None) };
        let mut claiming = Claiming { spool: self, message, is_done: false };
        let claimed = self.lend(message, found).await?;
        claiming.is_done = claimed.is_some();
        Ok(claimed)
    }

    fn unclaim(&self, message: MessageId) {
        self.engine.shared.state().claims.remove(&message);
    }

    fn seal(&self, message: MessageId, seal: Bytes) {
        {
            let mut state = self.engine.shared.state();
            if !state.index.contains(message) || state.latched.is_some() {
                return;
            }
            state.seals.insert(message, seal.clone());
        }
        if !self.engine.push(Request::Seal(message, seal)) {
            self.engine.shared.state().seals.remove(&message);
        }
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.kept(|reply| Request::Settle(Box::new(settlement), reply)).await
    }

    async fn report(&self, report: Report) -> Result<(), StoreError> {
        self.kept(|reply| Request::Report(Box::new(report), reply)).await
    }

    async fn hold_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        reason: HoldReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.kept(|reply| Request::Hold(message, recipients, reason, now, reply)).await
    }

    async fn release_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.kept(|reply| Request::Release(message, recipients, now, reply)).await
    }

    fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry> {
        self.engine.shared.state().index.queue(after, limit)
    }

    async fn peek(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        match self.engine.shared.look(message, false) {
            Some(found) => self.lend(message, found).await,
            None => Ok(None),
        }
    }

    fn note(&self, notices: Vec<Notice>) {
        for notices in notices.chunks(NOTICES_MAX) {
            self.engine.push(Request::Notices(meta::notices_out(notices)));
        }
    }

    fn health(&self) -> StoreHealth {
        let state = self.engine.shared.state();
        StoreHealth {
            latched: state.latched.clone(),
            full: state.no_room.is_some(),
            messages: state.index.messages(),
            recipients: state.index.recipients(),
            spool_octets: state.segments_octets + state.files_octets,
            activity_lag_octets: state.synced.saturating_sub(state.consumed),
            activity_stopped: None,
            damage: state.damage.clone(),
        }
    }

    fn is_latched(&self) -> bool {
        self.engine.shared.state().latched.is_some()
    }
}
