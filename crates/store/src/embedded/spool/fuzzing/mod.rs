//! The spool for fuzzing, behind the feature `fuzzing`: step by step over a disk in memory, whatever is on that.
//!
//! Nothing here ships. What is checked stands in the crate `hostile`; this is the door to what the spool keeps to
//! itself.

mod memory_disk;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId, SessionId};
use relay::notification::Requests;
use relay::outcome::Class;
use relay::queue::{Attempt, ContentFacts, Envelope, HoldReason, Origin, Outcome, SessionFacts, Settlement, Verdict};
use relay::report::{Report, ReportKind};
use relay::store::StoreError;
use smtp::address::{Address, ReversePath};
use smtp::dsn::{Notify, Ret};
use smtp::envelope::RcptParameters;
use tokio::sync::oneshot;

use super::committer::Committer;
use super::disk::{Disk, DiskFile};
use super::draft::FileWriter;
use super::index::Entry;
use super::meta;
use super::options::Options;
use super::record::{BOUNDARY, HEADER_OCTETS, Header, Kind};
use super::request::{Commit, Request};
use super::segment::{self, SegmentHeader, Use};
use super::state::Shared;
use super::{checkpoint, open};
use memory_disk::MemoryDisk;

pub use memory_disk::Files;

/// Octets of a segment: a few messages fill one.
pub const SEGMENT_OCTETS: u64 = 32 * 1024;
/// Content longer than this has a file of its own.
pub const HELD_OCTETS_MAX: usize = 4 * 1024;

/// A message as read again, or why it cannot be.
pub type Read = Result<(Envelope, Vec<u8>), StoreError>;

/// The envelope that belongs to a message and to no other.
pub fn envelope(message: u128) -> Envelope {
    let address = |place| Address::parse(&format!("r{place}@site{}.example", (message + place) % 3), false).ok();
    Envelope {
        message: MessageId(message),
        account: Id::new(7),
        user: Some(Id::new(8)),
        domain: message.is_multiple_of(2).then(|| Id::new(9)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Null,
        recipients: (0..=message % 3).filter_map(address).collect(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: true,
        accepted_at: Timestamp(1_000),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts { subject: format!("Subject {message}"), ..ContentFacts::default() },
        session: Some(SessionFacts {
            session: SessionId(message),
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

/// The content that belongs to a message and to no other; that of each fifth has a file of its own.
pub fn content(message: u128) -> Vec<u8> {
    let octets = if message.is_multiple_of(5) { HELD_OCTETS_MAX + 1_000 } else { 300 };
    format!("message {message}, again\r\n").bytes().cycle().take(octets).collect()
}

/// A spool without threads.
pub struct Steps {
    disk: MemoryDisk,
    shared: Arc<Shared<MemoryDisk>>,
    committer: Committer<MemoryDisk>,
    waiting: VecDeque<Request>,
    answers: Vec<oneshot::Receiver<Result<(), StoreError>>>,
}

impl Steps {
    /// Starts over files.
    ///
    /// # Errors
    /// As [`super::LogSpool::open`].
    pub fn start(files: Files) -> Result<Steps, StoreError> {
        let options = Options {
            segment_octets: SEGMENT_OCTETS,
            segments_ready: 1,
            spool_octets_max: 64 * SEGMENT_OCTETS,
            disk_free_octets_min: 0,
            reserve_octets: SEGMENT_OCTETS,
            held_content_octets_max: HELD_OCTETS_MAX,
            write_octets_max: 8 * 1024,
            recent_octets_max: 0,
            ..Options::default()
        };
        let disk = MemoryDisk::new(files);
        let shared = open(disk.clone(), options, Default::default())?;
        let committer = Committer::begin(Arc::clone(&shared))?;
        Ok(Steps { disk, shared, committer, waiting: VecDeque::new(), answers: Vec::new() })
    }

    /// What is on the disk.
    pub fn files(&self) -> Files {
        self.disk.files()
    }

    /// What was found damaged.
    pub fn damage(&self) -> Vec<String> {
        self.shared.state().damage.iter().map(ToString::to_string).collect()
    }

    /// Live messages, each as it is read again.
    pub fn live(&self) -> Vec<(u128, Read)> {
        let messages: Vec<_> = self.shared.state().index.positions().map(|(message, _)| message).collect();
        let read = |message| {
            let gone = || StoreError::Unavailable("it is live no longer".to_owned());
            let read = self.shared.read(message)?.ok_or_else(gone)?;
            // damage of a file is found here
            self.shared.content(&read)?;
            let content = match read.kept.filed {
                None => read.held.to_vec(),
                Some(filed) => {
                    let name = super::state::content_name(filed.number);
                    self.disk.files().remove(&name).ok_or_else(gone)?
                }
            };
            Ok((read.kept.envelope, content))
        };
        messages.into_iter().map(|message| (message.0, read(message))).collect()
    }

    /// Commits a message; written by the next [`Steps::sync`].
    ///
    /// # Errors
    /// Its content file cannot be made.
    pub fn commit(&mut self, message: u128) -> Result<(), StoreError> {
        let (envelope, content) = (envelope(message), Bytes::from(content(message)));
        let crc = crc32c::crc32c(&content);
        let mut filed = None;
        if content.len() > HELD_OCTETS_MAX {
            let mut file = FileWriter::new(Arc::clone(&self.shared))?;
            file.write(std::slice::from_ref(&content))?;
            filed = Some(file.finish(crc)?);
        }
        let commit = Commit {
            meta: meta::commit_out(&envelope, filed),
            version: meta::version(&envelope),
            content: if filed.is_some() { Vec::new() } else { vec![content] },
            content_crc: if filed.is_some() { 0 } else { crc },
            filed,
            entry: Entry::accepted(&envelope, 0),
            is_notification: false,
            recent: None,
        };
        self.push(|reply| Request::Commit(Box::new(commit), reply));
        Ok(())
    }

    /// Delivers recipients of a message.
    pub fn deliver(&mut self, message: u128, recipients: std::ops::Range<u16>) {
        let verdict = |recipient| Verdict {
            recipient,
            outcome: Outcome::Delivered { sandbox: false },
            class: None,
            reason: "a reason".to_owned(),
            remote_reply: Some("250 ok".to_owned()),
        };
        let verdicts = recipients.map(verdict).collect();
        let settlement = Settlement { message: MessageId(message), at: Timestamp(9), attempt: None, verdicts };
        self.push(|reply| Request::Settle(Box::new(settlement), reply));
    }

    /// Holds a message.
    pub fn hold(&mut self, message: u128) {
        self.push(|reply| Request::Hold(MessageId(message), None, HoldReason::Operator, Timestamp(5), reply));
    }

    /// Gives a message its seal.
    pub fn seal(&mut self, message: u128) {
        self.waiting.push_back(Request::Seal(MessageId(message), Bytes::from_static(b"DKIM-Signature: a\r\n")));
    }

    /// Goes on in another segment.
    ///
    /// # Errors
    /// As [`Steps::make_room`].
    pub fn roll(&mut self) -> Result<(), StoreError> {
        self.make_room()?;
        self.waiting.push_back(Request::Roll);
        Ok(())
    }

    /// Makes a segment ahead, as the upkeep does.
    ///
    /// # Errors
    /// There is no room.
    pub fn make_room(&self) -> Result<(), StoreError> {
        self.shared.allocate(false, |_| false)
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// As the disk's.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let written = checkpoint::write(&self.shared, false);
        written.map(drop).map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Writes and syncs all that waits.
    ///
    /// # Errors
    /// What the first was told that was refused.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        while !self.waiting.is_empty() || self.committer.is_pending() {
            self.committer.step(&mut self.waiting);
        }
        let unanswered = || Err(StoreError::Unavailable("no answer".to_owned()));
        self.answers.drain(..).try_for_each(|mut answer| answer.try_recv().unwrap_or_else(|_| unanswered()))
    }

    fn push(&mut self, request: impl FnOnce(super::request::Reply) -> Request) {
        let (reply, answer) = oneshot::channel();
        self.waiting.push_back(request(reply));
        self.answers.push(answer);
    }
}

/// A record with whatever in it, and every checksum right.
#[derive(Clone, Debug)]
pub struct Forged<'a> {
    /// What it says that it is.
    pub kind: u8,
    /// The message it is about.
    pub message: u128,
    /// How far it says that the log was synced.
    pub synced: u64,
    /// Its meta part.
    pub meta: &'a [u8],
    /// Its content.
    pub content: &'a [u8],
}

/// A segment of such records that says it begins at `base`, behind a log that ended at `previous_end`.
///
/// # Errors
/// As the disk's.
pub fn forged(base: u64, previous_end: u64, records: &[Forged<'_>]) -> std::io::Result<Files> {
    let disk = MemoryDisk::default();
    let header =
        SegmentHeader { purpose: Use::Log, octets: SEGMENT_OCTETS, salt: 7, incarnation: 1, base, previous_end };
    let file = disk.create(&segment::name(1))?;
    segment::zero(&file, 0, SEGMENT_OCTETS)?;
    header.write(&file)?;
    let mut offset = segment::EDGE_OCTETS;
    for (place, record) in records.iter().enumerate() {
        let mut head = Header::new(Kind::Epoch, Some(MessageId(record.message)), record.meta);
        head.kind_code = record.kind;
        head.content_octets = record.content.len() as u32;
        head.content_crc = crc32c::crc32c(record.content);
        head.epoch = 1;
        head.sequence = 1 + place as u64;
        head.synced = record.synced;
        let octets = [&head.encode(header.life()), record.meta, record.content].concat();
        if offset + octets.len() as u64 > SEGMENT_OCTETS - segment::EDGE_OCTETS {
            break;
        }
        file.write_at(&mut [std::io::IoSlice::new(&octets)], offset)?;
        offset = (offset + octets.len() as u64).next_multiple_of(BOUNDARY);
    }
    Ok(disk.files())
}

/// A checkpoint with whatever in its pages, and every checksum right.
pub fn forged_checkpoint(pages: &[&[u8]]) -> Vec<u8> {
    let mut octets = checkpoint::MAGIC.to_vec();
    for page in pages {
        octets.extend_from_slice(&(page.len() as u64).to_le_bytes());
        octets.extend_from_slice(&crc32c::crc32c(page).to_le_bytes());
        octets.extend_from_slice(page);
    }
    octets
}

/// The same with classes.
fn classed(settlement: Settlement) -> Settlement {
    let classes = [Some(Class::Greylisting), None];
    let verdicts = settlement.verdicts.into_iter().zip(classes);
    let verdicts = verdicts.map(|(verdict, class)| Verdict { class, ..verdict }).collect();
    Settlement { verdicts, ..settlement }
}

fn reported() -> Report {
    Report {
        message: MessageId(2),
        account: Id::new(7),
        domain: None,
        user: Some(Id::new(8)),
        days_ahead: 0,
        recipient: Some(2),
        at: Timestamp(9),
        kind: ReportKind::HardBounce,
        class: Some(Class::NoSuchMailbox),
        reason: "a reason".to_owned(),
        reply: "550 5.1.1 no".to_owned(),
        authentication: "spf=none smtp.helo=mx.example.org; dkim=pass header.d=example.org".parse().ok(),
    }
}

/// A meta part of each kind.
pub fn metas() -> Vec<Vec<u8>> {
    let envelope = envelope(2);
    let filed = Some(meta::Filed { number: 1 << 32, octets: 9, crc: 7 });
    let verdict = |recipient, outcome| Verdict {
        recipient,
        outcome,
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
    let verdicts = vec![verdict(0, Outcome::Deferred { until: Timestamp(70) }), verdict(2, Outcome::HardBounced)];
    let settlement = Settlement { message: MessageId(2), at: Timestamp(9), attempt: Some(attempt), verdicts };
    let states = vec![
        (0, meta::StateV1::Waiting { due: 5, attempts: 1 }),
        (2, meta::StateV1::Held { reason: meta::HoldV1::Operator, attempts: 0 }),
    ];
    let asked = |notify, orcpt: Option<&str>| RcptParameters { notify, orcpt: orcpt.map(Into::into) };
    let requests = Requests {
        ret: Some(Ret::Full),
        envid: Some("Order+2B7".into()),
        recipients: vec![asked(Some(Notify::NEVER), None), asked(None, Some("rfc822;b@c.example"))],
        suppressed: vec![asked(Some(Notify::DELAY), None)],
    };
    let asking = Envelope { requests: Some(Box::new(requests)), ..envelope.clone() };
    vec![
        meta::commit_out(&asking, filed),
        meta::commit_out(&envelope, None),
        meta::commit_out(&envelope, filed),
        meta::copy_out(&envelope, filed, states, Some(b"DKIM-Signature: a\r\n")),
        meta::settle_out(&settlement, &[1, 1]),
        meta::settle_out(&classed(settlement), &[1, 1]),
        meta::hold_out(HoldReason::DomainInvalid, Timestamp(3), None),
        meta::hold_out(HoldReason::Operator, Timestamp(3), Some(&[0, 300])),
        meta::release_out(Timestamp(3), None),
        meta::release_out(Timestamp(3), Some(&[2])),
        meta::report_out(&reported()),
    ]
}

/// Reads octets as everything that stands on the disk; what is understood must come back when it is written again.
pub fn decode(octets: &[u8]) {
    let message = MessageId(1);
    let life = SegmentHeader { purpose: Use::Log, octets: 0, salt: 7, incarnation: 1, base: 0, previous_end: 0 }.life();
    if let Some(header) = Header::decode(octets, life) {
        assert_eq!(header.encode(life)[8..60], octets[8..60.min(HEADER_OCTETS)]);
        let _ = header.record_octets();
    }
    if let Ok(kept) = meta::commit_in(message, octets) {
        let again = meta::commit_in(message, &meta::commit_out(&kept.envelope, kept.filed));
        assert_eq!(again.as_ref(), Ok(&kept));
    }
    if let Ok(kept) = meta::copy_in(message, octets) {
        let states = kept.states.clone().unwrap_or_default();
        let written = meta::copy_out(&kept.envelope, kept.filed, states, kept.seal.as_deref());
        assert_eq!(meta::copy_in(message, &written).as_ref(), Ok(&kept));
    }
    if let Ok((settlement, attempts)) = meta::settle_in(message, octets) {
        let again = meta::settle_in(message, &meta::settle_out(&settlement, &attempts));
        assert_eq!(again, Ok((settlement, attempts)));
    }
    if let Ok(report) = meta::report_in(message, octets) {
        assert_eq!(meta::report_in(message, &meta::report_out(&report)), Ok(report));
    }
    if let Ok((reason, at, some)) = meta::hold_in(octets) {
        assert_eq!(meta::hold_in(&meta::hold_out(reason, at, some.as_deref())), Ok((reason, at, some)));
    }
    if let Ok((at, some)) = meta::release_in(octets) {
        assert_eq!(meta::release_in(&meta::release_out(at, some.as_deref())), Ok((at, some)));
    }
    if let Ok(notices) = meta::notices_in(octets) {
        assert_eq!(meta::notices_in(&meta::notices_out(&notices)).as_ref(), Ok(&notices));
    }
    let disk = MemoryDisk::new(Files::from([("checkpoint".to_owned(), octets.to_vec())]));
    // damaged or whole, it is read without harm
    let _ = checkpoint::read(&disk);
}
