//! What the committer is asked to put into the log.

use std::sync::Arc;

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, HoldReason, Settlement};
use relay::report::Report;
use relay::store::StoreError;
use tokio::sync::oneshot;

use super::index::Entry;
use super::meta::Filed;

/// Who waits for a record to be synced.
pub(crate) type Reply = oneshot::Sender<Result<(), StoreError>>;

/// A record to be written.
#[derive(Debug)]
pub(crate) enum Request {
    /// A message to be accepted.
    Commit(Box<Commit>, Reply),
    /// What became of recipients.
    Settle(Box<Settlement>, Reply),
    /// What became of recipients of a message that is not live: its record is lost.
    Lost(Box<Settlement>, Reply),
    /// What was reported of mail that had left.
    Report(Box<Report>, Reply),
    /// Hold a message, or these of its recipients.
    Hold(MessageId, Option<Vec<u16>>, HoldReason, Timestamp, Reply),
    /// Release a message, or these of its recipients.
    Release(MessageId, Option<Vec<u16>>, Timestamp, Reply),
    /// The seal of a message; nobody waits.
    Seal(MessageId, Bytes),
    /// The meta part of a Notices record; nobody waits.
    Notices(Vec<u8>),
    /// A live message to be written again, where it does not pin an old segment.
    Copy(Box<Copy>, Reply),
    /// Go on in a new segment, so that the old one can be cleaned.
    Roll,
}

/// A message to be accepted, prepared by its own task.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The meta part.
    pub(crate) meta: Vec<u8>,
    /// Its version.
    pub(crate) version: u8,
    /// The content, unless it has a file of its own.
    pub(crate) content: Vec<Bytes>,
    /// The checksum of `content`.
    pub(crate) content_crc: u32,
    /// The file of its content.
    pub(crate) filed: Option<Filed>,
    /// What the index keeps, its position not yet known.
    pub(crate) entry: Entry,
    /// It tells a sender of failures, and may use some of the reserve.
    pub(crate) is_notification: bool,
    /// What a first attempt will want.
    pub(crate) recent: Option<(Arc<Envelope>, Bytes)>,
}

/// A live message read from an old segment.
#[derive(Debug)]
pub(crate) struct Copy {
    /// Where it was read: if it is elsewhere by now, nothing is written.
    pub(crate) from: u64,
    /// Its envelope.
    pub(crate) envelope: Envelope,
    /// The file of its content.
    pub(crate) filed: Option<Filed>,
    /// Its content, unless it has a file of its own.
    pub(crate) content: Bytes,
    /// Its DKIM fields.
    pub(crate) seal: Option<Vec<u8>>,
}

impl Request {
    /// Whether nobody waits for it.
    pub(crate) fn is_lazy(&self) -> bool {
        matches!(self, Request::Seal(..) | Request::Notices(..))
    }

    /// Octets it holds in memory, of those that nobody waits for.
    pub(crate) fn lazy_octets(&self) -> usize {
        match self {
            Request::Seal(_, seal) => seal.len() + 64,
            Request::Notices(meta) => meta.len() + 64,
            _ => 0,
        }
    }
}
