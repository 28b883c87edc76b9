//! Reports over real sockets: who may bring them, to which address, and what is kept before the 250.

mod aggregates;
mod authentication;

use super::*;
use crate::clock::SystemClock;
use crate::dns::Answering;
use crate::tls::CertificateFiles;
use message::dsn::{self, Action, Notification, ReportedRecipient};
use prometheus_client::registry::Registry;
use relay::activity::{ActivityFilter, ActivityRow, Status};
use relay::brake::Ended;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::inspection::{Answer, Kind, Question, Said};
use relay::outcome::Class;
use relay::queue::{ContentFacts, Envelope, Origin, Outcome, Settlement, Verdict};
use relay::report;
use relay::return_path::Token;
use relay::sending_domain::{DkimKey, KeyAlgorithm};
use relay::store::{Actor, Book, DmarcReports as _, History, NewDkimKey, Spool, StoreError};
use relay::suppression::{Suppression, SuppressionCause};
use smtp::address::ReversePath;
use smtp::server::Secret;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::memory::{Memory, Verb};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const MESSAGE: MessageId = MessageId(7 << 80);
const HOST: &str = "rp-abc.shop.example";

/// What DNS has: texts by name. Everything else is not there.
#[derive(Default)]
struct Names {
    texts: HashMap<String, String>,
    /// Nobody answers.
    is_silent: bool,
    /// How often it was asked.
    asked: AtomicUsize,
}

impl Names {
    /// Of a server of the provider that most tests are told by.
    fn with(texts: &[(&str, &str)]) -> Arc<Names> {
        let all = [("mx.example.org", "v=spf1 ip4:127.0.0.0/8 -all")].into_iter().chain(texts.iter().copied());
        let texts = all.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        Arc::new(Names { texts, ..Names::default() })
    }
}

impl Witness for Names {
    fn ask<'a>(&'a self, question: &'a Question) -> Answering<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.is_silent {
                std::future::pending::<()>().await;
            }
            let text = self.texts.get(&question.name).filter(|_| question.kind == Kind::Txt);
            let said = text.map_or(Said::Nothing, |text| Said::Found(vec![text.clone()]));
            Answer { said, server: None }
        })
    }
}

struct World {
    store: Memory,
    paths: Arc<ReturnPaths>,
    address: SocketAddr,
    ended: Arc<Mutex<Windows>>,
    registry: Registry,
    shutdown: Shutdown,
}

fn certificates(folder: &Path) -> Arc<Certificates> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Certificates::load(vec![CertificateFiles { certificate, key }]).unwrap()
}

fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        message: MESSAGE,
        account: Id::new(1),
        user: None,
        domain: Some(Id::new(1)),
        origin: Origin::Submission,
        reverse_path: ReversePath::parse("app@shop.example", false).unwrap(),
        recipients: recipients.iter().map(|text| Address::parse(text, false).unwrap()).collect(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at: Timestamp(1),
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts::default(),
        session: None,
        requests: None,
        tls_wish: relay::queue::TlsWish::AsAsked,
        priority: relay::priority::Priority::NORMAL,
    }
}

/// That these recipients of the message were delivered to.
fn delivered(recipients: &[u16]) -> Settlement {
    let verdict = |recipient: &u16| Verdict {
        recipient: *recipient,
        outcome: Outcome::Delivered { sandbox: false },
        class: None,
        reason: String::new(),
        remote_reply: None,
    };
    let verdicts = recipients.iter().map(verdict).collect();
    Settlement { message: MESSAGE, at: Timestamp(2), attempt: None, verdicts }
}

impl World {
    async fn start(limits: Limits) -> World {
        World::start_with(limits, Names::with(&[])).await
    }

    async fn start_with(limits: Limits, witness: Arc<Names>) -> World {
        let store = Memory::new();
        let by = Actor { name: "operator".into(), from: "test".into() };
        let account = store.account_add("Shop", &by, Timestamp(1)).unwrap();
        let (algorithm, active) = (KeyAlgorithm::Ed25519, true);
        let key = DkimKey::new("abc", algorithm, "v=DKIM1; p=", active);
        let keys = vec![NewDkimKey { key, private: Secret::new(Vec::new()) }];
        store.domain_add(account.id, "shop.example", keys, &by, Timestamp(1)).unwrap();
        let recipients = ["anna@example.org", "bert@example.org"];
        store.commit(envelope(&recipients), store.draft().unwrap()).await.unwrap();
        store.settle(delivered(&[0, 1])).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let paths = Arc::new(ReturnPaths::new(store.return_path_key(), limits.return_path()));
        let ended = Arc::<Mutex<Windows>>::default();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (address, shutdown) = (listener.address(), Shutdown::new());
        let feedback = Some(Address::parse("fbl@relay.example", false).unwrap());
        let settings =
            Settings { hostname: "relay.example".into(), feedback, rules: Arc::clone(Rules::ours()), limits };
        let mut registry = Registry::default();
        let around = Surroundings {
            store: Arc::new(store.clone()),
            return_paths: Arc::clone(&paths),
            dmarc: Addresses::new(store.return_path_key()),
            witness,
            certificates: certificates(folder.path()),
            clock: Arc::new(SystemClock::new()),
            metrics: Metrics::register(&mut registry),
            ended: Arc::clone(&ended),
            shutdown: shutdown.clone(),
        };
        serve(vec![listener], settings, around);
        World { store, paths, address, ended, registry, shutdown }
    }

    fn token(&self, first: u16, is_single: bool, until_days: u64) -> String {
        self.token_of(MESSAGE, first, is_single, until_days)
    }

    fn token_of(&self, message: MessageId, first: u16, is_single: bool, until_days: u64) -> String {
        let until = relay::clock::Day(SystemClock::new().now().day().0 + until_days);
        let (account, domain, user) = (Id::new(1), Some(Id::new(1)), Some(Id::new(3)));
        let token = Token { message, account, domain, user, first, is_single, until, days_ahead: 0 };
        self.paths.local_part(&token).unwrap()
    }

    fn rows(&self) -> Vec<ActivityRow> {
        self.store.activity(&ActivityFilter::default()).unwrap()
    }

    /// The addresses that the account does not send to any more, and why.
    fn suppressed(&self) -> Vec<(String, SuppressionCause)> {
        let directory = self.store.directory();
        let all = directory.suppressions.get(&Id::new(1)).into_iter().flat_map(|all| all.iter());
        let mut all: Vec<_> = all.map(|(address, why)| (address.clone(), why.cause)).collect();
        all.sort();
        all
    }

    /// What is counted under a name, as it is read from outside, but what never happened: labels and number.
    fn counted(&self, name: &str) -> Vec<String> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let all = text.lines().filter_map(|line| line.strip_prefix(name)).filter(|line| !line.ends_with(" 0"));
        let mut all: Vec<_> = all.map(str::to_owned).collect();
        all.sort();
        all
    }

    fn row(&self, recipient: &str) -> ActivityRow {
        self.rows().into_iter().find(|row| row.recipient == recipient).unwrap()
    }

    /// Brings a report to an address; the last reply.
    async fn bring(&self, to: &str, content: &str) -> String {
        self.bring_as("mx.example.org", "", to, content).await
    }

    /// Brings one by this name in EHLO and this MAIL FROM.
    async fn bring_as(&self, hello: &str, from: &str, to: &str, content: &str) -> String {
        let mut client = Client::connect(self.address).await;
        client.say(&format!("EHLO {hello}")).await;
        client.say(&format!("MAIL FROM:<{from}>")).await;
        let answer = client.say(&format!("RCPT TO:<{to}>")).await;
        if !answer.starts_with("250") {
            return answer;
        }
        client.say("DATA").await;
        client.say(&format!("{content}\r\n.")).await
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(address: SocketAddr) -> Client {
        Client::connect_from("127.0.0.1", address).await
    }

    async fn connect_from(own: &str, address: SocketAddr) -> Client {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(own.parse().unwrap(), 0)).unwrap();
        let mut client = Client(BufReader::new(socket.connect(address).await.unwrap()));
        assert!(client.hear().await.starts_with("220 relay.example"));
        client
    }

    async fn hear(&mut self) -> String {
        let mut whole = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap() == 0 {
                return whole;
            }
            whole.push_str(&line);
            if line.as_bytes().get(3) == Some(&b' ') {
                return whole;
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.hear().await
    }
}

fn bounce(recipient: &str, status: &str, reply: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.org\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; {reply}\r\n\r\n--b--"
    )
}

fn complaint(mail_from: &str) -> String {
    format!(
        "From: fbl@isp.example\r\nSubject: FW\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Loop/1\r\n\
         Original-Mail-From: <{mail_from}>\r\n\r\n--b--"
    )
}

#[tokio::test]
async fn a_bounce_is_in_the_history_before_its_250() {
    let world = World::start(Limits::default()).await;
    let to = format!("{}@{HOST}", world.token(1, true, 1));
    let answer = world.bring(&to.to_uppercase(), &bounce("x@example.net", "5.1.1", "550 5.1.1 No such user")).await;
    assert_eq!(answer, "250 2.0.0 Ok\r\n");
    let row = world.row("bert@example.org");
    assert_eq!((row.status, row.class), (Status::HardBounce, Some(Class::NoSuchMailbox)));
    assert_eq!(row.reply, "550 5.1.1 No such user");
    assert_eq!(world.suppressed(), [("bert@example.org".to_owned(), SuppressionCause::Bounce)]);
    assert_eq!(world.row("anna@example.org").status, Status::Delivered);
    world.shutdown.begin();
}

#[tokio::test]
async fn the_same_bounce_once_more_suppresses_nobody_who_was_let_go() {
    let world = World::start(Limits::default()).await;
    let to = format!("{}@{HOST}", world.token(1, true, 1));
    let bounce = bounce("bert@example.org", "5.1.1", "550 5.1.1 No such user");
    world.bring(&to, &bounce).await;
    assert_eq!(world.suppressed(), [("bert@example.org".to_owned(), SuppressionCause::Bounce)]);
    let by = Actor { name: "anna".into(), from: "test".into() };
    world.store.unsuppress(Id::new(1), "bert@example.org", None, &by, Timestamp(9)).unwrap();
    assert!(world.bring(&to, &bounce).await.starts_with("250"));
    assert_eq!(world.suppressed(), []);
    // what was not said before counts, once
    assert!(world.bring(&to, &complaint("bert@example.org")).await.starts_with("250"));
    assert_eq!(world.suppressed(), [("bert@example.org".to_owned(), SuppressionCause::Complaint)]);
    world.store.unsuppress(Id::new(1), "bert@example.org", None, &by, Timestamp(9)).unwrap();
    assert!(world.bring(&to, &complaint("bert@example.org")).await.starts_with("250"));
    assert_eq!(world.suppressed(), []);
    world.shutdown.begin();
}

#[tokio::test]
async fn a_first_bounce_counts_towards_the_brake() {
    let world = World::start(Limits::default()).await;
    let bounced = || world.ended.lock().unwrap().totals(SystemClock::new().now());
    let to = |recipient| format!("{}@{HOST}", world.token(recipient, true, 1));
    let (full, gone) = ("552 5.2.2 Mailbox full", "550 5.1.1 No such user");
    world.bring(&to(0), &bounce("anna@example.org", "5.2.2", full)).await;
    world.bring(&to(0), &bounce("anna@example.org", "5.1.1", gone)).await;
    assert_eq!(bounced(), [], "it bounced already, and not for good");
    for _ in 0..2 {
        world.bring(&to(1), &bounce("bert@example.org", "5.1.1", gone)).await;
    }
    assert_eq!(bounced(), [(Id::new(1), Id::new(3), Ended { late: 1, ..Ended::default() })], "of mail of 1970");
    world.shutdown.begin();
}

#[tokio::test]
async fn bounces_that_fill_the_list_leave_room_for_complaints() {
    let world = World::start(Limits { account_suppressions_max: 1, ..Limits::default() }).await;
    let by = Actor { name: "anna".into(), from: "test".into() };
    let full = Suppression::by_rule(SuppressionCause::Bounce, "550 5.1.1", Timestamp(9), None);
    world.store.suppress(Id::new(1), &[("x@example.net".to_owned(), full)], false, Some(&by), Timestamp(9)).unwrap();
    let to = format!("{}@{HOST}", world.token(0, true, 1));
    world.bring(&to, &bounce("anna@example.org", "5.1.1", "550 5.1.1 No such user")).await;
    assert_eq!(world.suppressed().len(), 1);
    world.bring(&to, &complaint("anna@example.org")).await;
    assert_eq!(world.suppressed()[0], ("anna@example.org".to_owned(), SuppressionCause::Complaint));
    let to = format!("{}@{HOST}", world.token(1, true, 1));
    world.bring(&to, &complaint("bert@example.org")).await;
    assert_eq!(world.suppressed().len(), 2, "they have a bound, too");
    world.shutdown.begin();
}

#[tokio::test]
async fn only_addresses_of_ours_are_taken() {
    let world = World::start(Limits::default()).await;
    let good = world.token(0, true, 1);
    let mut forged = good.clone();
    forged.replace_range(10..11, if &good[10..11] == "a" { "b" } else { "a" });
    let yesterday = {
        let until = relay::clock::Day(SystemClock::new().now().day().0 - 1);
        let (account, domain) = (Id::new(1), Some(Id::new(1)));
        world.paths.local_part(&Token {
            message: MESSAGE,
            account,
            domain,
            user: None,
            first: 0,
            is_single: true,
            until,
            days_ahead: 0,
        })
    };
    let others = [
        format!("{forged}@{HOST}"),
        format!("{}@{HOST}", yesterday.unwrap()),
        format!("{good}@elsewhere.example"),
        "postmaster@relay.example".to_owned(),
        "anna@example.org".to_owned(),
    ];
    for to in others {
        let answer = world.bring(&to, "").await;
        assert_eq!(answer, "550 5.7.1 Only reports on mail of this relay are taken here\r\n", "{to}");
    }
    let mut client = Client::connect(world.address).await;
    let extensions = client.say("EHLO x").await;
    assert!(extensions.contains("STARTTLS") && extensions.contains("SIZE 1048576"), "{extensions}");
    assert!(!extensions.contains("AUTH"), "{extensions}");
    client.say("MAIL FROM:<anybody@anywhere.example>").await;
    assert!(client.say(&format!("RCPT TO:<{good}@{HOST}>")).await.starts_with("250"));
    assert!(client.say("RCPT TO:<fbl@relay.example>").await.starts_with("452 4.5.3"), "one at a time");
    assert!(world.rows().iter().all(|row| row.status == Status::Delivered));
    world.shutdown.begin();
}

#[tokio::test]
async fn of_several_the_named_one_is_meant_and_otherwise_nobody() {
    let world = World::start(Limits::default()).await;
    let to = format!("{}@{HOST}", world.token(0, false, 1));
    world.bring(&to, &bounce("bert@example.org", "5.1.1", "550 5.1.1 No such user")).await;
    assert_eq!(world.row("bert@example.org").status, Status::HardBounce);
    world.bring(&to, &bounce("unknown@example.org", "5.1.1", "550 5.1.1 No such user")).await;
    let row = world.row("anna@example.org");
    assert_eq!((row.status, row.reason.as_str()), (Status::Delivered, report::UNATTRIBUTED));
    world.shutdown.begin();
}

#[tokio::test]
async fn an_answer_in_absence_is_taken_and_changes_nothing() {
    let world = World::start(Limits::default()).await;
    let to = format!("{}@{HOST}", world.token(0, true, 1));
    let vacation = "From: anna@example.org\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\n550 5.1.1";
    assert!(world.bring(&to, vacation).await.starts_with("250"));
    assert!(world.rows().iter().all(|row| row.status == Status::Delivered && row.reason.is_empty()));
    world.shutdown.begin();
}

#[tokio::test]
async fn a_complaint_comes_to_either_address() {
    let world = World::start(Limits::default()).await;
    let address = format!("{}@{HOST}", world.token(0, true, 1));
    assert!(world.bring("FBL@relay.example", &complaint(&address)).await.starts_with("250"));
    assert_eq!(world.row("anna@example.org").status, Status::Complaint);
    let other = format!("{}@{HOST}", world.token(1, true, 1));
    assert!(world.bring(&other, &complaint("x@y.example")).await.starts_with("250"));
    assert_eq!(world.row("bert@example.org").status, Status::Complaint);
    let complained = |address: &str| (address.to_owned(), SuppressionCause::Complaint);
    assert_eq!(world.suppressed(), ["anna@example.org", "bert@example.org"].map(complained));
    assert!(world.bring("fbl@relay.example", &complaint("b-nobody@x.example")).await.starts_with("250"));
    world.shutdown.begin();
}

#[tokio::test]
async fn what_cannot_be_kept_is_brought_again() {
    let world = World::start(Limits::default()).await;
    let to = format!("{}@{HOST}", world.token(0, true, 1));
    let report = bounce("anna@example.org", "5.1.1", "550 5.1.1 No");
    world.store.fail_next(Verb::Settle, StoreError::NoRoom("full".into()));
    assert!(world.bring(&to, &report).await.starts_with("452 4.3.1"));
    world.store.fail_next(Verb::Settle, StoreError::Unavailable("gone".into()));
    assert!(world.bring(&to, &report).await.starts_with("451 4.3.0"));
    assert_eq!(world.row("anna@example.org").status, Status::Delivered);
    assert!(world.bring(&to, &report).await.starts_with("250"));
    assert_eq!(world.row("anna@example.org").status, Status::HardBounce);
    world.shutdown.begin();
}

#[tokio::test]
async fn what_is_reported_before_the_outcome_is_kept_is_brought_again() {
    let world = World::start(Limits::default()).await;
    let message = MessageId(8 << 80);
    let sent = Envelope { message, ..envelope(&["cleo@example.org", "dora@example.org"]) };
    world.store.commit(sent, world.store.draft().unwrap()).await.unwrap();
    let settle = |recipient| world.store.settle(Settlement { message, ..delivered(&[recipient]) });
    settle(1).await.unwrap();
    let to = format!("{}@{HOST}", world.token_of(message, 0, false, 1));
    let gone = |recipient: &str| bounce(recipient, "5.1.1", "550 5.1.1 No such user");
    assert!(world.bring(&to, &gone("cleo@example.org")).await.starts_with("451 4.3.0 What became of this mail"));
    assert!(world.suppressed().is_empty(), "nothing follows from what is to come again");
    assert!(world.bring(&to, &gone("dora@example.org")).await.starts_with("250"), "hers is settled");
    settle(0).await.unwrap();
    assert!(world.bring(&to, &gone("cleo@example.org")).await.starts_with("250"));
    for recipient in ["cleo@example.org", "dora@example.org"] {
        assert_eq!(world.row(recipient).status, Status::HardBounce, "{recipient}");
    }
    assert_eq!(world.suppressed().len(), 2);
    world.shutdown.begin();
}

#[tokio::test]
async fn size_rate_and_connections_are_bounded() {
    let limits = Limits {
        report_octets_max: 65_536,
        report_address_connections_max: 1,
        reports_per_minute: 20,
        ..Limits::default()
    };
    let world = World::start(limits).await;
    let to = format!("{}@{HOST}", world.token(0, true, 1));
    assert!(world.bring(&to, &"x\r\n".repeat(30_000)).await.starts_with("552 5.3.4"));
    let mut held = Client::connect(world.address).await;
    let mut second = BufReader::new(TcpStream::connect(world.address).await.unwrap());
    let mut line = String::new();
    second.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("421 4.7.0"), "{line}");
    held.say("EHLO x").await;
    held.say("MAIL FROM:<>").await;
    assert!(held.say(&format!("RCPT TO:<{to}>")).await.starts_with("250"));
    held.say("RSET").await;
    held.say("MAIL FROM:<>").await;
    assert!(held.say(&format!("RCPT TO:<{to}>")).await.starts_with("450 4.7.1 Too many reports"));
    world.shutdown.begin();
}

/// Comes to `DATA` of a report; what it is answered.
async fn content_begun(client: &mut Client, to: &str) -> String {
    client.say("EHLO x").await;
    client.say("MAIL FROM:<>").await;
    assert!(client.say(&format!("RCPT TO:<{to}>")).await.starts_with("250"));
    client.say("DATA").await
}

#[tokio::test]
async fn an_address_has_a_share_of_the_places_for_content() {
    let limits = Limits { reports_at_once_max: 2, report_address_at_once_max: 1, ..Limits::default() };
    let world = World::start(limits).await;
    let mut slow = Client::connect(world.address).await;
    assert!(content_begun(&mut slow, "fbl@relay.example").await.starts_with("354"));
    let mut second = Client::connect(world.address).await;
    assert!(content_begun(&mut second, "fbl@relay.example").await.starts_with("450 4.7.1"), "of the same address");
    let mut other = Client::connect_from("127.0.0.2", world.address).await;
    assert!(content_begun(&mut other, "fbl@relay.example").await.starts_with("354"));
    drop(slow);
    world.shutdown.begin();
}

#[tokio::test]
async fn content_that_does_not_come_gives_its_place_back() {
    let limits = Limits { report_content_seconds: 0, reports_at_once_max: 1, ..Limits::default() };
    let world = World::start(limits).await;
    for _ in 0..2 {
        let mut slow = Client::connect(world.address).await;
        assert!(content_begun(&mut slow, "fbl@relay.example").await.starts_with("354"));
        assert!(slow.hear().await.starts_with("421"));
    }
    world.shutdown.begin();
}

#[tokio::test]
async fn a_notification_of_our_own_making_is_read_as_one() {
    let world = World::start(Limits::default()).await;
    let failed = ReportedRecipient {
        address: "anna@example.org".into(),
        original: None,
        status: "5.1.1".into(),
        remote_reply: Some("550 5.1.1 User unknown".into()),
        remote_host: Some("mx.example.org".into()),
        reason: "There is no such mailbox.".into(),
    };
    let content = dsn::compose(&Notification {
        hostname: "other.example",
        message: "1",
        recipient: "x@y.example",
        original: "2",
        envelope: None,
        arrived_seconds: 1,
        seconds: 2,
        language: dsn::Language::English,
        action: Action::Failed,
        recipients: &[failed],
        header: b"Subject: Hello\r\n\r\n",
        content: None,
    });
    let to = format!("{}@{HOST}", world.token(0, true, 1));
    assert!(world.bring(&to, &String::from_utf8(content).unwrap()).await.starts_with("250"));
    assert_eq!(world.row("anna@example.org").status, Status::HardBounce);
    world.shutdown.begin();
}
