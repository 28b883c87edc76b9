//! Data folders that earlier versions wrote: every one opens, its mail can be delivered, its rows are there.
//!
//! `cargo xtask fixture` makes the next one. One that was made never changes: it is what some disk out there has.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use relay::activity::{ActivityFilter, Status};
use relay::brake::{Cause, Subject};
use relay::clock::Timestamp;
use relay::credential::PasswordKey;
use relay::id::Id;
use relay::plan::{Plan, Standing};
use relay::queue::{HoldReason, Outcome, RecipientState, Settlement, Verdict};
use relay::reroute::Via;
use relay::sandbox::CapturedFilter;
use relay::store::{Book as _, Content, History as _, Spool as _, Store};
use relay::webhook::EventKind;
use store::embedded::{Embedded, OpenError, Options, spool};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Those that were made before there was anything else but mail, a book and its rows.
const FIRST: [&str; 2] = ["data-0.1.0-packed-rows.tar.gz", "data-0.1.0.tar.gz"];

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there is no fixture");
    files
}

/// A copy of a fixture that can be written.
fn unpacked(file: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let packed = flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap());
    tar::Archive::new(packed).unpack(folder.path()).unwrap();
    let data = folder.path().join("data");
    // an archive keeps no modes that matter
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(data.join("master.key"), mode).unwrap();
    (folder, data)
}

fn open(data: &Path) -> Result<Embedded, OpenError> {
    let spool = spool::Options { segment_octets: 32 * 1024, reserve_octets: 32 * 1024, ..spool::Options::small() };
    Embedded::open(data, Options { spool, ..Options::new(Arc::new(|| Timestamp(NOW.0 + 60_000))) })
}

fn octets_of(content: &Content) -> Vec<u8> {
    match content {
        Content::Held(octets) => octets.to_vec(),
        Content::Filed { path, .. } => std::fs::read(path).unwrap(),
    }
}

fn rows(store: &Embedded) -> Vec<(String, Status)> {
    let mut rows: Vec<(String, Status)> = store
        .activity(&ActivityFilter::default())
        .unwrap()
        .into_iter()
        .map(|row| (row.recipient.split('@').next().unwrap().to_owned(), row.status))
        .collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_kept_is_there_and_can_be_delivered() {
    for file in fixtures() {
        let (_folder, data) = unpacked(&file);
        let store = open(&data).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(store.health().damage, []);
        let expected = [
            ("bounced", Status::HardBounce),
            ("deferred", Status::Deferred),
            ("delivered", Status::Delivered),
            ("done", Status::Delivered),
            ("filed", Status::Accepted),
            ("held", Status::Pending),
            ("open", Status::Accepted),
            ("waits", Status::Accepted),
            ("zoe", Status::Rejected),
        ];
        let waits = |status| if status == Status::Pending { Status::Accepted } else { status };
        let alike = |rows: &[(String, Status)]| {
            let told: Vec<_> = rows.iter().map(|(name, status)| (name.clone(), waits(*status))).collect();
            let wanted: Vec<_> = expected.iter().map(|(name, status)| ((*name).to_owned(), waits(*status))).collect();
            assert_eq!(told, wanted, "{}", file.display());
        };
        alike(&rows(&store));
        booked(&store);
        if !FIRST.iter().any(|first| file.ends_with(first)) {
            further(&store);
        }
        let queue = store.queue(None, 10);
        assert_eq!(queue.len(), 5, "{queue:?}");
        for entry in queue {
            deliver(&store, entry.message).await;
        }
        store.caught_up().await;
        let delivered = rows(&store).into_iter().filter(|(_, status)| *status == Status::Delivered).count();
        assert_eq!(delivered, 7, "{}", file.display());
        drop(store);
        assert_eq!(open(&data).unwrap().queue(None, 10), []);
    }
}

/// Its content is its own, its states are what they were; then it goes.
async fn deliver(store: &Embedded, message: relay::id::MessageId) {
    let claimed = store.claim(message).await.unwrap().unwrap();
    let number = claimed.envelope.facts.subject.strip_prefix("Message ").unwrap().to_owned();
    let content = octets_of(&claimed.content);
    assert_eq!(content.len(), if number == "5" { 30_000 } else { 300 });
    assert!(content.starts_with(format!("Subject: Message {number}\r\n\r\nThis is message {number}.\r\n").as_bytes()));
    let state = claimed.recipients.last().unwrap();
    match number.as_str() {
        "2" => assert_eq!(*state, RecipientState::Waiting { due: Timestamp(NOW.0 + 600_000), attempts: 1 }),
        "3" => assert_eq!(*state, RecipientState::Held { reason: HoldReason::Operator, attempts: 0 }),
        "4" => {
            assert_eq!(claimed.recipients[0], RecipientState::Settled);
            assert_eq!(claimed.seal.unwrap(), b"DKIM-Signature: of the fixture\r\n"[..]);
        }
        _ => assert!(matches!(state, RecipientState::Waiting { attempts: 0, .. })),
    }
    let outcome = Outcome::Delivered { sandbox: false };
    let recipient = u16::try_from(claimed.recipients.len() - 1).unwrap();
    let verdicts = vec![Verdict { recipient, outcome, class: None, reason: String::new(), remote_reply: None }];
    let at = Timestamp(NOW.0 + 50_000);
    store.settle(Settlement { message, at, attempt: None, verdicts }).await.unwrap();
}

fn booked(store: &Embedded) {
    let directory = store.directory();
    let account = &directory.accounts[&Id::new(1)];
    assert_eq!((account.name.as_str(), account.quota(&directory.plans, NOW.day()).recipients), ("Bakery", Some(1000)));
    assert_eq!(account.standing(NOW.day()), Standing::Plan(Plan::BUILT_IN));
    assert_eq!(directory.domains[&Id::new(1)].name, "example.com");
    let user = &directory.users[&Id::new(1)];
    let hasher = PasswordKey::new(store.password_key());
    assert!(hasher.verify(b"a password of the fixture", &user.passwords).is_some(), "its login works");
    let private = store.domain_key(Id::new(1), "one").unwrap();
    assert_eq!(private.expose(), b"the private half");
    let suppressed = &directory.suppressions[&Id::new(1)];
    assert_eq!((suppressed.len(), suppressed.contains_key("anna@example.org")), (1, true), "for the whole account");
    assert_eq!((store.blocks().unwrap().len(), store.logins(NOW).unwrap().len()), (1, 1));
    assert!(store.audit(None, 100).unwrap().len() >= 5);
}

/// What came to be kept later.
fn further(store: &impl Store) {
    let (account, user) = (Id::new(1), Id::new(1));
    let directory = store.directory();
    assert_eq!(directory.suppressions[&account].streams_of("ben@example.org"), [user]);
    assert!(directory.suppressions[&account].hold("ben@example.org", user, NOW));
    assert_eq!(store.passwords_used(&[user]).unwrap().len(), 1);
    assert!(
        directory
            .plans
            .values()
            .any(|plan| plan.terms.name.english == "Large" && plan.terms.recipients == Some(50_000))
    );
    let member = directory.member_of("jane@example.com").unwrap();
    assert_eq!((member.account, member.language.tag()), (Some(account), "fr"));
    let webhook = directory.webhooks_of(account).next().unwrap();
    let calls = store.webhook_calls(webhook.id, None, 10).unwrap();
    assert_eq!(calls.iter().map(|call| call.new.event).collect::<Vec<_>>(), [EventKind::HardBounce]);
    let secrets = store.webhook_secrets(webhook.id, NOW).unwrap();
    assert_eq!(secrets.iter().map(|secret| secret.expose().to_vec()).collect::<Vec<_>>(), [b"whsec_of the fixture"]);
    let (on, off) = (&directory.brakes[&Subject::User(user)], &directory.brakes[&Subject::Account(account)]);
    assert_eq!((on.is_on(), on.told, on.cause, on.counted), (true, true, Cause::HardBounces, 30));
    let release = off.released.as_ref().unwrap();
    assert_eq!((off.cause, release.by_operator, release.seen.accepted), (Cause::Volume, true, 5));
    assert_eq!(directory.reroutes.iter().map(|reroute| &reroute.via).collect::<Vec<_>>(), [&Via::Mx]);
    assert_eq!(store.request(Some(account), &[1; 32]).unwrap().unwrap().answer.as_deref(), Some("{}"));
    let inbox = store.inbox(&CapturedFilter { limit: 10, ..CapturedFilter::default() }).unwrap();
    assert_eq!(inbox.iter().map(|kept| kept.subject.as_str()).collect::<Vec<_>>(), ["A test"]);
    assert!(store.inbox_message(Some(account), inbox[0].message).unwrap().unwrap().1.starts_with(b"DKIM-Signature"));
    let reported = store.dmarc_kept(Id::new(1), NOW.day().before(7), NOW.day()).unwrap();
    assert_eq!((reported.rows[0].2, reported.reports[0].reporter.as_str()), (12, "isp.example"));
    let filter = ActivityFilter { recipient: Some("delivered@example.org".into()), ..ActivityFilter::default() };
    let row = store.activity(&filter).unwrap().remove(0);
    assert_eq!(row.last_attempt.unwrap().source.as_deref(), Some("out1 (198.51.100.7)"));
    let events = store.activity_detail(row.row).unwrap().unwrap().events;
    assert_eq!(events.last().unwrap().reason, "It was read.");
}

#[test]
fn a_newer_schema_is_refused_in_words() {
    for name in ["ledger.db", "activity.db"] {
        let (_folder, data) = unpacked(&fixtures()[0]);
        let raise = |connection: rusqlite::Connection| {
            let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            assert!(version > 0, "every file has a version");
            connection.pragma_update(None, "user_version", 1000).unwrap();
        };
        raise(rusqlite::Connection::open(data.join(name)).unwrap());
        let error = open(&data).unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 1000, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("start the newer version again"), "{text}");
    }
}
