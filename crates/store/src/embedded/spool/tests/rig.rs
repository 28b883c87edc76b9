//! A spool without threads, driven step by step, with what it ought to remember beside it.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{Attempt, ContentFacts, Envelope, Origin, Outcome, SessionFacts, Settlement, Verdict};
use relay::store::StoreError;
use smtp::address::{Address, ReversePath};
use tokio::sync::oneshot;

use super::super::committer::Committer;
use super::super::disk::{Disk, DiskFile};
use super::super::draft::FileWriter;
use super::super::index::Entry;
use super::super::meta;
use super::super::options::Options;
use super::super::request::{Commit, Request};
use super::super::state::Shared;
use super::super::upkeep::Upkeep;
use super::super::{Event, Position, checkpoint, open};
use super::fake_disk::FakeDisk;

/// Tiny segments, so that a few messages fill one.
pub(super) fn tiny() -> Options {
    Options {
        segment_octets: 64 * 1024,
        segments_ready: 1,
        spool_octets_max: 20 * 64 * 1024,
        disk_free_octets_min: 0,
        reserve_octets: 64 * 1024,
        held_content_octets_max: 16 * 1024,
        write_octets_max: 32 * 1024,
        recent_octets_max: 0,
        ..Options::default()
    }
}

/// Content that belongs to a message and to no other.
pub(super) fn content(message: u128, octets: usize) -> Vec<u8> {
    let line = format!("message {message}, again\r\n");
    line.bytes().cycle().take(octets).collect()
}

pub(super) fn envelope(message: u128, recipients: usize) -> Envelope {
    let address = |place| Address::parse(&format!("r{place}@site{}.example", (message + place) % 3), false).unwrap();
    Envelope {
        message: MessageId(message),
        account: Id::new(7),
        user: Some(Id::new(8)),
        domain: message.is_multiple_of(2).then(|| Id::new(9)),
        origin: if message.is_multiple_of(5) { Origin::Notification(MessageId(1)) } else { Origin::Submission },
        reverse_path: if message.is_multiple_of(5) {
            ReversePath::Null
        } else {
            ReversePath::parse("sender@example.org", false).unwrap()
        },
        recipients: (0..recipients as u128).map(address).collect(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: true,
        accepted_at: Timestamp(1_000 + message as u64),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts { subject: format!("Subject {message}"), ..ContentFacts::default() },
        session: Some(SessionFacts {
            session: relay::id::SessionId(message),
            remote: IpAddr::V4(Ipv4Addr::LOCALHOST),
            client_name: "client.example".to_owned(),
            tls: "TLS 1.3".to_owned(),
            milliseconds: None,
        }),
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    }
}

pub(super) fn settlement(message: MessageId, verdicts: &[(u16, Outcome)]) -> Settlement {
    let verdict = |(recipient, outcome): &(u16, Outcome)| Verdict {
        recipient: *recipient,
        outcome: *outcome,
        class: None,
        reason: "a reason".to_owned(),
        remote_reply: Some("450 4.2.0 later".to_owned()),
    };
    let attempt = Attempt {
        at: Timestamp(5),
        milliseconds: 6,
        host: "mx.example".to_owned(),
        remote: Some(([192, 0, 2, 1], 25).into()),
        tls: "none".to_owned(),
        source: None,
        others: Vec::new(),
    };
    Settlement { message, at: Timestamp(9), attempt: Some(attempt), verdicts: verdicts.iter().map(verdict).collect() }
}

pub(super) type Receiver = oneshot::Receiver<Result<(), StoreError>>;

/// What is live: the unsettled recipients of each message, as text to compare.
pub(super) type Live = BTreeMap<u128, String>;

pub(super) struct Rig {
    pub(super) disk: FakeDisk,
    pub(super) options: Options,
    pub(super) shared: Arc<Shared<FakeDisk>>,
    pub(super) committer: Committer<FakeDisk>,
    pub(super) upkeep: Upkeep<FakeDisk>,
    pub(super) waiting: VecDeque<Request>,
    pub(super) now: u64,
    /// What the consumer has durably stored.
    pub(super) consumed: Position,
    pub(super) events: Vec<Event>,
}

impl Rig {
    /// Over a new disk.
    pub(super) fn new(options: Options) -> Rig {
        Rig::over(FakeDisk::new(1 << 30), options, Position(0)).unwrap()
    }

    pub(super) fn over(disk: FakeDisk, options: Options, consumed: Position) -> Result<Rig, StoreError> {
        let shared = open(disk.clone(), options.clone(), consumed)?;
        Ok(Rig {
            committer: Committer::begin(Arc::clone(&shared))?,
            upkeep: Upkeep::new(Arc::clone(&shared)),
            waiting: VecDeque::new(),
            now: 0,
            consumed,
            events: Vec::new(),
            disk,
            options,
            shared,
        })
    }

    /// Starts again over what is left of the disk.
    pub(super) fn restart(self, disk: FakeDisk) -> Rig {
        let events = self.events;
        let mut rig = Rig::over(disk, self.options, self.consumed).unwrap();
        rig.events = events;
        rig
    }

    /// A proper end, and a start.
    pub(super) fn reopen(mut self) -> Rig {
        self.drain();
        checkpoint::write(&self.shared, true).unwrap();
        let disk = self.disk.clone();
        self.restart(disk)
    }

    pub(super) fn commit(&mut self, message: u128, recipients: usize, octets: usize) -> Result<Receiver, StoreError> {
        let envelope = envelope(message, recipients);
        let content = Bytes::from(content(message, octets));
        let crc = crc32c::crc32c(&content);
        let filed = if octets > self.shared.options.held_content_octets_max {
            let mut file = FileWriter::new(Arc::clone(&self.shared))?;
            file.write(&[content.slice(..octets / 2), content.slice(octets / 2..)])?;
            Some(file.finish(crc)?)
        } else {
            None
        };
        let commit = Commit {
            meta: meta::commit_out(&envelope, filed),
            version: meta::version(&envelope),
            content: if filed.is_some() { Vec::new() } else { vec![content] },
            content_crc: if filed.is_some() { 0 } else { crc },
            filed,
            entry: Entry::accepted(&envelope, 0),
            is_notification: matches!(envelope.origin, Origin::Notification(_)),
            recent: None,
        };
        Ok(self.push(|reply| Request::Commit(Box::new(commit), reply)))
    }

    pub(super) fn settle(&mut self, message: u128, verdicts: &[(u16, Outcome)]) -> Receiver {
        let settlement = settlement(MessageId(message), verdicts);
        self.push(|reply| Request::Settle(Box::new(settlement), reply))
    }

    pub(super) fn push(&mut self, request: impl FnOnce(super::super::request::Reply) -> Request) -> Receiver {
        let (reply, receiver) = oneshot::channel();
        self.waiting.push_back(request(reply));
        receiver
    }

    /// Lets the committer do all that waits.
    pub(super) fn drain(&mut self) {
        while !self.waiting.is_empty() || self.committer.is_pending() {
            self.committer.step(&mut self.waiting);
        }
    }

    /// One step of the upkeep, some time later.
    pub(super) fn keep(&mut self, milliseconds: u64) {
        self.now += milliseconds;
        let mut out = Vec::new();
        self.upkeep.step(self.now, &mut out);
        self.waiting.extend(out);
    }

    /// The consumer reads all there is, and has it.
    pub(super) fn consume(&mut self) {
        loop {
            let batch = self.shared.events(self.consumed, 3).unwrap();
            let is_end = batch.events.is_empty() && batch.next == self.consumed;
            assert!(batch.events.iter().all(|(position, _)| *position > self.consumed && *position <= batch.next));
            self.events.extend(batch.events.into_iter().map(|(_, event)| event));
            self.consumed = batch.next;
            if is_end {
                break;
            }
        }
        let mut state = self.shared.state();
        state.consumed = state.consumed.max(self.consumed.0);
    }

    /// Everything that is live, its content compared with what it must be.
    pub(super) fn live(&self, octets_of: impl Fn(u128) -> usize) -> Live {
        let entries = self.shared.state().index.entries(None, usize::MAX);
        let mut live = Live::new();
        for entry in entries {
            let id = entry.message.0;
            let read = self.shared.read(entry.message).unwrap().unwrap();
            let count = entry.recipients.iter().map(|(number, ..)| usize::from(*number) + 1).max().unwrap_or(0);
            let recipients = read.kept.envelope.recipients.len();
            assert!(count <= recipients);
            assert_eq!(read.kept.envelope, envelope(id, recipients));
            let is = match read.kept.filed {
                Some(filed) => {
                    let name = super::super::state::content_name(filed.number);
                    let mut octets = vec![0; filed.octets as usize];
                    let count = self.disk.open(&name).unwrap().read_at(&mut octets, 0).unwrap();
                    assert_eq!(count, octets.len());
                    octets
                }
                None => read.held.to_vec(),
            };
            assert!(is == content(id, octets_of(id)), "the content of message {id} is not its own");
            live.insert(id, format!("{:?}", entry.recipients));
        }
        live
    }
}

/// Whether a request was answered well.
pub(super) fn is_kept(receiver: &mut Receiver) -> bool {
    matches!(receiver.try_recv(), Ok(Ok(())))
}
