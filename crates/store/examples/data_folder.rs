//! Makes the data folder that tests of later versions open: `cargo run -p store --example data_folder FILE.tar.gz`.
//!
//! It has one of everything that is on the disk: accounts with a quota, a domain with a key, a user, a suppression, a block, a
//! login; mail that waits, was deferred, is held, is half delivered, has its content in a file of its own, was delivered, bounced,
//! suppressed and refused; a segment that was used again; a checkpoint; and the master key, made for this and nothing else.
//! Beside these ([`further`]) what came to be kept later: a stream's suppression, a plan, a member, a webhook with a call, brakes, an
//! order, a request with a key, a test inbox, a report on DMARC, a source that an attempt was made from, and a report after delivery.

use aws_lc_rs::digest::{SHA256, digest};
use std::fs::File;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use message::dmarc_report::Disposition;
use relay::activity::{Notice, NoticeKind};
use relay::brake::{Brake, Cause, Release, Seen, Subject};
use relay::clock::{Day, Timestamp};
use relay::credential::PasswordKey;
use relay::dmarc_report;
use relay::id::{Id, MessageId, SessionId};
use relay::language::Language;
use relay::member::{Link, NewMember};
use relay::plan::{Terms, Wording};
use relay::power::Role;
use relay::queue::{Attempt, ContentFacts, Envelope, HoldReason, Origin, Outcome, SessionFacts, Settlement, Verdict};
use relay::quota::Quota;
use relay::report::{Report, ReportKind};
use relay::reroute::{Reroute, Via};
use relay::sandbox::{Capture, Captured};
use relay::selection::{Filter, Whom};
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm};
use relay::smtp_user::{PasswordHash, UserRules};
use relay::store::{
    Actor, Block, Book as _, Content, Draft as _, History as _, KeyedRequest, Login, NewDkimKey, NewSmtpUser,
    NewWebhook, RequestBounds, Spool as _, Store,
};
use relay::suppression::{Suppression, SuppressionCause};
use relay::webhook::EventKind;
use smtp::address::{Address, ReversePath};
use smtp::server::Secret;
use store::embedded::{Embedded, Options, spool};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The moment of everything: 2027-01-15.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn later(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + 1000 * seconds)
}

fn operator() -> Actor {
    Actor { name: "operator".into(), from: "cli".into() }
}

fn envelope(number: u64, recipients: &[&str], content: &[u8]) -> Result<Envelope, Failure> {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, content).as_ref());
    let addresses = recipients.iter().map(|text| Address::parse(text, false)).collect::<Result<_, _>>()?;
    Ok(Envelope {
        message: MessageId(u128::from(later(number).0) << 80 | u128::from(number)),
        account: Id::new(1),
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Mailbox(Address::parse("shop@example.com", false)?),
        recipients: addresses,
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: later(number),
        days_ahead: 0,
        retry_for: (number == 2).then_some(Duration::from_secs(3600)),
        sandbox: false,
        facts: ContentFacts {
            octets: content.len() as u64,
            header_octets: 24,
            sha256,
            subject: format!("Message {number}"),
            from: "shop@example.com".into(),
            message_id: format!("<{number}@example.com>"),
        },
        session: Some(SessionFacts {
            session: SessionId(u128::from(number)),
            remote: ip(7),
            client_name: "client.example.com".into(),
            tls: "TLS 1.3".into(),
            milliseconds: None,
        }),
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    })
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// Content that belongs to a message.
fn content(number: u64, octets: usize) -> Vec<u8> {
    let mut text = format!("Subject: Message {number}\r\n\r\n").into_bytes();
    let line = format!("This is message {number}.\r\n");
    text.extend(line.bytes().cycle().take(octets.saturating_sub(text.len())));
    text
}

async fn commit(store: &Embedded, number: u64, recipients: &[&str], octets: usize) -> Result<MessageId, Failure> {
    let content = content(number, octets);
    let envelope = envelope(number, recipients, &content)?;
    let message = envelope.message;
    let mut draft = store.draft()?;
    draft.append(Bytes::from(content)).await?;
    store.commit(envelope, draft).await?;
    Ok(message)
}

async fn settle(store: &Embedded, message: MessageId, at: u64, verdicts: &[(u16, Outcome)]) -> Result<(), Failure> {
    let verdict = |(recipient, outcome): &(u16, Outcome)| Verdict {
        recipient: *recipient,
        outcome: *outcome,
        class: None,
        reason: "As the next hop said.".into(),
        remote_reply: Some("250 2.0.0 or else".into()),
    };
    let attempt = Attempt {
        at: later(at),
        milliseconds: 120,
        host: "mx.example.org".into(),
        remote: Some(([198, 51, 100, 4], 25).into()),
        tls: "TLS 1.3".into(),
        source: (at == 16).then(|| "out1 (198.51.100.7)".into()),
        others: Vec::new(),
    };
    let verdicts = verdicts.iter().map(verdict).collect();
    Ok(store.settle(Settlement { message, at: later(at), attempt: Some(attempt), verdicts }).await?)
}

fn refusal() -> Notice {
    Notice {
        at: later(30),
        kind: NoticeKind::Rejected,
        account: Some(Id::new(1)),
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        username: "fixture".into(),
        session: SessionId(77),
        remote: ip(7),
        tls: "TLS 1.2".into(),
        sender: "shop@example.com".into(),
        recipient: "zoe@example.org".into(),
        subject: String::new(),
        reference: "recipients-max".into(),
        reply: "452 4.5.3 Too many recipients".into(),
        reason: "More than 50 recipients.".into(),
        count: 1,
    }
}

fn book(store: &Embedded) -> Result<(), Failure> {
    let account = store.account_add("Bakery", &operator(), NOW)?.id;
    store.account_quota(
        account,
        Quota { recipients: Some(1000), renews_on: 15, ..Quota::default() },
        &operator(),
        NOW,
    )?;
    let key = DkimKey::new("one", KeyAlgorithm::Ed25519, "v=DKIM1; k=ed25519; p=AAAA", true);
    let keys = vec![NewDkimKey { key, private: Secret::new(b"the private half".to_vec()) }];
    let domain = store.domain_add(account, "example.com", keys, &operator(), NOW)?.id;
    store.domain_state(domain, DomainState::Vouched, &operator(), NOW)?;
    let password = PasswordKey::new(store.password_key()).hash(b"a password of the fixture");
    let (name, username) = ("WordPress".to_owned(), "fixture".to_owned());
    let user = NewSmtpUser { domain, name, username, password, rules: UserRules::default() };
    let user = store.smtp_user_add(user, &operator(), NOW)?.id;
    store.suppress(
        account,
        &[("anna@example.org".to_owned(), Suppression::manual("She asked.", NOW))],
        true,
        Some(&operator()),
        NOW,
    )?;
    let address = ip(66);
    let accounts = vec![account];
    store.block_put(&Block { address, cause: "x".into(), since: NOW, until: later(900), seconds: 900, accounts })?;
    Ok(store.logins_note(&[Login { user, address: ip(7), at: later(5), password: None }])?)
}

async fn mail(store: &Embedded) -> Result<(), Failure> {
    let delivered = Outcome::Delivered { sandbox: false };
    commit(store, 1, &["waits@example.org"], 300).await?;
    let deferred = commit(store, 2, &["deferred@example.org"], 300).await?;
    settle(store, deferred, 12, &[(0, Outcome::Deferred { until: later(600) })]).await?;
    let held = commit(store, 3, &["held@example.org"], 300).await?;
    store.hold(held, HoldReason::Operator, later(13)).await?;
    let half = commit(store, 4, &["done@example.org", "open@example.org"], 300).await?;
    store.seal(half, Bytes::from_static(b"DKIM-Signature: of the fixture\r\n"));
    settle(store, half, 14, &[(0, delivered)]).await?;
    commit(store, 5, &["filed@example.org"], 30_000).await?;
    let done = commit(store, 6, &["delivered@example.org"], 300).await?;
    settle(store, done, 16, &[(0, delivered)]).await?;
    let bounced = commit(store, 7, &["bounced@example.org"], 300).await?;
    settle(store, bounced, 17, &[(0, Outcome::HardBounced)]).await?;
    store.note(vec![refusal()]);
    store.report(remark(done)).await?;
    store.caught_up().await;
    Ok(())
}

/// What somebody reports of a message after its delivery, and changes nothing.
fn remark(message: MessageId) -> Report {
    Report {
        message,
        account: Id::new(1),
        domain: Some(Id::new(1)),
        user: Some(Id::new(1)),
        days_ahead: 0,
        recipient: Some(0),
        at: later(40),
        kind: ReportKind::Remark,
        class: None,
        reason: "It was read.".into(),
        reply: String::new(),
        authentication: None,
    }
}

/// What came to be kept later, in the ledger and beside it.
fn further(store: &impl Store) -> Result<(), Failure> {
    let (account, user, by) = (Id::new(1), Id::new(1), operator());
    let unsubscribed = Suppression {
        cause: SuppressionCause::Unsubscribed,
        stream: Some(user),
        until: Some(later(90_000_000)),
        ..Suppression::manual("List-Unsubscribe", NOW)
    };
    store.suppress(account, &[("ben@example.org".to_owned(), unsubscribed)], false, None, NOW)?;
    let password = store.directory().users.get(&user).and_then(|user| user.passwords.first().copied());
    store.logins_note(&[Login { user, address: ip(7), at: later(6), password }])?;
    let wording = |english: &str, french: &str| Wording { english: english.into(), french: french.into() };
    let (name, price) = (wording("Large", "Grand"), wording("$20", "20 $"));
    store.plan_add(Terms { name, recipients: Some(50_000), price, is_offered: true, place: 3 }, &by, NOW)?;
    let (name, email) = ("Jane".into(), "jane@example.com".into());
    let member =
        NewMember { account: Some(account), email, name, role: Role::Administrator, language: Language::French };
    let member = store.member_add(member, &by, NOW)?.id;
    let link = Link { token: PasswordHash([3; 32]), member, expires_at: later(90_000_000) };
    store.link_put(link, true, &by, NOW)?;
    let (name, url) = ("Shop".into(), "https://example.com/hook".into());
    let webhook = NewWebhook { account, name, url, events: vec![EventKind::HardBounce], domain: None, user: None };
    store.webhook_add(webhook, Secret::new(b"whsec_of the fixture".to_vec()), &by, NOW)?;
    brakes(store)?;
    let filter = Filter { recipient: Whom::parse("@elsewhere.example"), until: Some(NOW), ..Filter::default() };
    store.reroute(Reroute { filter, via: Via::Mx }, None)?;
    let (message, answer) = (Some(MessageId(7)), Some("{}".into()));
    let request = KeyedRequest { account: Some(account), key: [1; 32], fingerprint: [9; 32], at: NOW, message, answer };
    store.request_put(&request, RequestBounds { keys: 5, octets: 100 })?;
    beside(store)
}

/// One that is on, and one that was released.
fn brakes(store: &impl Store) -> Result<(), Failure> {
    let brake = |subject, cause| Brake {
        subject,
        account: Id::new(1),
        cause,
        counted: 30,
        of: 200,
        since: NOW,
        told: false,
        released: None,
        released_before: None,
    };
    let (user, account) = (Subject::User(Id::new(1)), Subject::Account(Id::new(1)));
    store.brake_put_on(brake(user, Cause::HardBounces))?;
    store.brake_told(user)?;
    store.brake_put_on(brake(account, Cause::Volume))?;
    let seen = Seen { day: NOW.day(), accepted: 5, ..Seen::default() };
    let release = Release { at: later(20), by: "operator".into(), by_operator: true, seen };
    store.brake_release(account, release, &operator())?;
    Ok(())
}

/// What is in files of its own beside the ledger.
fn beside(store: &impl Store) -> Result<(), Failure> {
    let captured = Captured {
        message: MessageId(1 << 120 | 1),
        account: Id::new(1),
        user: Some(Id::new(1)),
        about: None,
        at: NOW,
        reverse_path: "shop@example.com".into(),
        recipients: vec!["test@example.org".into()],
        subject: "A test".into(),
        from: "shop@example.com".into(),
        octets: 0,
    };
    let seal = Bytes::from_static(b"DKIM-Signature: of the fixture\r\n");
    store.inbox_put(Capture { captured, seal, content: Content::Held(Bytes::from(content(9, 300))) })?;
    let seen = dmarc_report::Seen { source: Some(ip(25)), dkim: true, spf: false, disposition: Disposition::None };
    store.dmarc_take(&dmarc_report::Report {
        account: Id::new(1),
        domain: Id::new(1),
        reporter: "isp.example".into(),
        id: "of the fixture".into(),
        day: Day(NOW.day().0 - 1),
        at: NOW,
        policy: "none".into(),
        rows: [(seen, 12)].into_iter().collect(),
        left_out: 0,
        authentication: None,
    })?;
    Ok(())
}

fn pack(folder: &Path, file: &Path) -> Result<(), Failure> {
    let packed = GzEncoder::new(File::create_new(file)?, Compression::best());
    let mut archive = tar::Builder::new(packed);
    archive.mode(tar::HeaderMode::Deterministic);
    archive.append_dir_all("data", folder)?;
    archive.into_inner()?.finish()?.sync_all()?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let file = std::env::args().nth(1).ok_or("the file to make is to be named")?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let spool = spool::Options { segment_octets: 32 * 1024, reserve_octets: 32 * 1024, ..spool::Options::small() };
    let options = Options { spool, ..Options::new(Arc::new(|| later(60))) };
    let store = Embedded::open(&data, options)?;
    book(&store)?;
    further(&store)?;
    mail(&store).await?;
    drop(store);
    std::fs::remove_file(data.join("lock"))?;
    pack(&data, Path::new(&file))
}
