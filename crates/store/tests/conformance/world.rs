//! What the checks are made of: stores, messages, refusals, all from fixed numbers.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use relay::activity::{ActivityFilter, ActivityRow, Notice, NoticeKind};
use relay::clock::Timestamp;
use relay::dice::Dice;
use relay::id::{Id, MessageId, SessionId};
use relay::outcome::Class;
use relay::queue::{Attempt, ContentFacts, Envelope, Origin, Outcome, SessionFacts, Settlement, TriedHost, Verdict};
use relay::sandbox;
use relay::sending_domain::{DkimKey, KeyAlgorithm, SendingDomain};
use relay::smtp_user::{PasswordHash, UserRules};
use relay::store::{Actor, Content, Draft as _, NewDkimKey, NewSmtpUser, Store};
use relay::suppression::Suppression;
use relay::verification::{Check, RecordState};
use relay::webhook::Bounds;
use smtp::address::{Address, ReversePath};
use smtp::server::Secret;
use store::embedded::{Embedded, OpenError, Options, spool};
use store::memory::Memory;
use tempfile::TempDir;

/// The moment at which everything begins.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// A moment `seconds` later.
pub(crate) fn later(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1000)
}

/// How much is kept of each webhook here.
const FEW: Bounds = Bounds { waiting_max: 5, log_max: 4 };

/// How much test inboxes hold here.
const SMALL: sandbox::Bounds = sandbox::Bounds { messages_max: 3, octets_max: 500, octets_total_max: 800 };

/// The model.
pub(crate) fn memory() -> Memory {
    let memory = Memory::with_webhook_bounds(FEW);
    memory.set_inbox_bounds(SMALL);
    memory
}

/// A data folder of its own, with a clock that stands.
pub(crate) struct Folder {
    folder: TempDir,
    clock: Arc<AtomicU64>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Folder { folder: tempfile::tempdir().unwrap(), clock: Arc::new(AtomicU64::new(NOW.0)) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn set_clock(&self, now: Timestamp) {
        self.clock.store(now.0, Ordering::Relaxed);
    }

    pub(crate) fn options(&self) -> Options {
        let clock = Arc::clone(&self.clock);
        let now = Arc::new(move || Timestamp(clock.load(Ordering::Relaxed)));
        Options { spool: spool::Options::small(), webhooks: FEW, inbox: SMALL, ..Options::new(now) }
    }

    pub(crate) fn try_open(&self) -> Result<Embedded, OpenError> {
        Embedded::open(self.path(), self.options())
    }

    pub(crate) fn open(&self) -> Embedded {
        self.try_open().unwrap()
    }
}

/// Dice that fall as they are told.
pub(crate) struct Counted(pub(crate) u64);

impl Dice for Counted {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (self.0 >> 33) as u8;
        }
    }
}

/// The id of the message with this number; a higher number is a later one.
pub(crate) fn message(number: u64) -> MessageId {
    MessageId::new(later(number), &mut Counted(number))
}

pub(crate) fn session(number: u64) -> SessionId {
    SessionId::new(NOW, &mut Counted(number))
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text, true).unwrap()
}

pub(crate) fn operator() -> Actor {
    Actor { name: "operator".into(), from: "cli".into() }
}

/// An account suppresses Anna's address.
pub(crate) fn suppress_anna(store: &impl Store, account: Id<relay::account::Account>) {
    let anna = ("anna@example.org".to_owned(), Suppression::manual("", NOW));
    store.suppress(account, &[anna], true, Some(&operator()), NOW).unwrap();
}

/// DNS said at this moment that these selectors' records are there, and no others.
pub(crate) fn found(at: Timestamp, selectors: &[&str]) -> Check {
    Check::new(at, selectors.iter().map(|selector| ((*selector).to_owned(), RecordState::Right)).collect())
}

/// A message of account 1 to these recipients.
pub(crate) fn envelope(number: u64, recipients: &[&str]) -> Envelope {
    Envelope {
        message: message(number),
        account: Id::new(1),
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(address("shop@example.com")),
        recipients: recipients.iter().map(|text| address(text)).collect(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: later(number),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts {
            octets: CONTENT.len() as u64,
            header_octets: 19,
            sha256: hash_of(CONTENT),
            subject: "Your order".into(),
            from: "shop@example.com".into(),
            message_id: format!("<{number}@example.com>"),
        },
        session: Some(SessionFacts {
            session: session(number),
            remote: REMOTE,
            client_name: "client.example.com".into(),
            tls: "TLS 1.3".into(),
            milliseconds: Some(250),
        }),
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    }
}

pub(crate) const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

pub(crate) const CONTENT: &[u8] = b"Subject: Your order\r\n\r\nThank you.\r\n";

fn hash_of(content: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content).as_ref());
    hash
}

/// Keeps a message with the usual content.
pub(crate) async fn commit(store: &impl Store, envelope: Envelope) -> MessageId {
    commit_with(store, envelope, CONTENT).await
}

pub(crate) async fn commit_with(store: &impl Store, envelope: Envelope, content: &[u8]) -> MessageId {
    let message = envelope.message;
    let mut draft = store.draft().unwrap();
    for piece in content.chunks(64 * 1024) {
        draft.append(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert_eq!(draft.octets(), content.len() as u64);
    store.commit(envelope, draft).await.unwrap();
    message
}

pub(crate) fn octets_of(content: &Content) -> Vec<u8> {
    match content {
        Content::Held(octets) => octets.to_vec(),
        Content::Filed { path, octets } => {
            let read = std::fs::read(path).unwrap();
            assert_eq!(read.len() as u64, *octets);
            read
        }
    }
}

pub(crate) fn attempt(at: Timestamp) -> Attempt {
    Attempt {
        at,
        milliseconds: 120,
        host: "mx.example.org".into(),
        remote: Some("198.51.100.4:25".parse().unwrap()),
        tls: "TLS 1.3".into(),
        source: Some("out1 (192.0.2.7)".into()),
        others: vec![TriedHost {
            host: "mx0.example.org".into(),
            remote: None,
            class: Some(Class::Dns),
            said: "DNS gave no usable answer.".into(),
        }],
    }
}

pub(crate) fn verdict(recipient: u16, outcome: Outcome) -> Verdict {
    let (class, reason, reply) = match outcome {
        Outcome::Delivered { .. } => (None, "", "250 2.0.0 Ok"),
        Outcome::Deferred { .. } => (Some(Class::Rate), "Busy.", "451 4.7.1 Later"),
        Outcome::SoftBounced => (Some(Class::MailboxFull), "Mailbox full.", "552 5.2.2 Full"),
        Outcome::HardBounced => (Some(Class::NoSuchMailbox), "No such address.", "550 5.1.1 Unknown"),
    };
    Verdict { recipient, outcome, class, reason: reason.into(), remote_reply: Some(reply.into()) }
}

pub(crate) const DELIVERED: Outcome = Outcome::Delivered { sandbox: false };

/// The settlement of an attempt.
pub(crate) fn settlement(message: MessageId, at: Timestamp, verdicts: &[(u16, Outcome)]) -> Settlement {
    let verdicts = verdicts.iter().map(|(recipient, outcome)| verdict(*recipient, *outcome)).collect();
    Settlement { message, at, attempt: Some(attempt(at)), verdicts }
}

/// A recipient of account 1 that was refused.
pub(crate) fn refusal(at: Timestamp, recipient: &str) -> Notice {
    Notice {
        at,
        kind: NoticeKind::Rejected,
        account: Some(Id::new(1)),
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        username: "k7".into(),
        session: session(77),
        remote: REMOTE,
        tls: "TLS 1.2".into(),
        sender: "shop@example.com".into(),
        recipient: recipient.into(),
        subject: String::new(),
        reference: "recipients-max".into(),
        reply: "452 4.5.3 Too many recipients".into(),
        reason: "More than 50 recipients.".into(),
        count: 1,
    }
}

/// A login that failed.
pub(crate) fn trouble(at: Timestamp, username: &str) -> Notice {
    Notice {
        kind: NoticeKind::Connection,
        account: None,
        user: None,
        domain: None,
        username: username.into(),
        sender: String::new(),
        reference: "auth-invalid".into(),
        reply: "535 5.7.8 Authentication credentials invalid".into(),
        reason: "Wrong password.".into(),
        ..refusal(at, "")
    }
}

/// All rows that the filter names, once activity has caught up.
pub(crate) async fn rows(store: &impl Store, filter: ActivityFilter) -> Vec<ActivityRow> {
    store.caught_up().await;
    store.activity(&filter).unwrap()
}

/// The only row.
pub(crate) async fn only_row(store: &impl Store) -> ActivityRow {
    let mut rows = rows(store, ActivityFilter::default()).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

/// Each charge: the account, the day counted from the first, the recipients.
pub(crate) fn charges(store: &impl Store) -> Vec<(u64, u64, u64)> {
    let charges = store.charges().unwrap();
    charges.iter().map(|charge| (charge.account.number(), charge.day.0 - NOW.day().0, charge.recipients)).collect()
}

pub(crate) fn key(selector: &str) -> NewDkimKey {
    NewDkimKey {
        key: DkimKey::new(selector, KeyAlgorithm::Ed25519, "v=DKIM1; k=ed25519; p=AAAA", true),
        private: Secret::new(format!("private half of {selector}").into_bytes()),
    }
}

pub(crate) fn user(domain: Id<SendingDomain>, username: &str) -> NewSmtpUser {
    NewSmtpUser {
        domain,
        name: "WordPress".into(),
        username: username.into(),
        password: PasswordHash([1; 32]),
        rules: UserRules::default(),
    }
}
