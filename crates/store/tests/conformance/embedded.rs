//! What only a data folder has: it is there again after a restart, it is ours alone, it tidies up.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use relay::account::{Account, AccountState, Contact, Contacts};
use relay::activity::{ActivityFilter, Notice, Status};
use relay::id::Id;
use relay::notification::Requests;
use relay::plan::{Plan, SubscriptionChange, Terms};
use relay::priority::{Class, Priority};
use relay::queue::{Envelope, HoldReason, Outcome, RecipientState, TlsWish};
use relay::quota::Quota;
use relay::sending_domain::DomainState;
use relay::smtp_user::{PasswordHash, UserRules};
use relay::store::{
    Block, Book as _, Brakes, History as _, Login, Plans as _, SmtpUserChange, Spool as _, WarmUps as _,
};
use relay::suppression::Suppression;
use smtp::dsn::Notify;
use smtp::envelope::RcptParameters;
use store::embedded::spool::LockError;
use store::embedded::{Embedded, MasterKeyError, OpenError, Options};

use crate::world::*;

/// Waits until something is so that no verb tells the end of.
async fn until(store: &Embedded, is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        store.activity_changed(u64::MAX, None, Duration::from_millis(10)).await;
    }
    panic!("it did not come");
}

#[tokio::test]
async fn the_book_is_there_again() {
    let folder = Folder::new();
    let store = folder.open();
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    store.account_state(account, AccountState::Suspended, &operator(), NOW).unwrap();
    let quota = Quota { recipients: Some(7), ..Quota::default() };
    store.account_quota(account, quota.moved_to(31, NOW.day()), &operator(), NOW).unwrap();
    let plan = store.plan_add(Terms { recipients: Some(5), ..Plan::built_in().terms }, &operator(), NOW).unwrap();
    let ask = SubscriptionChange::Ask { wish: Some(plan.id), message: "Less".into() };
    store.subscribe(account, ask, &operator(), NOW).unwrap();
    store.subscribe(account, SubscriptionChange::Approve { request: 1 }, &operator(), NOW).unwrap();
    let billing = Some(Contact { name: "Élise".into(), email: "bills@example.com".into() });
    store.contacts_set(account, Contacts { billing, primary: None }, &operator(), NOW).unwrap();
    let keys = vec![key("one"), key("two")];
    let domain = store.domain_add(account, "example.com", keys, &operator(), NOW).unwrap().id;
    store.domain_state(domain, DomainState::Vouched, &operator(), NOW).unwrap();
    store.domain_check(domain, found(later(3), &["two"])).unwrap();
    let gone = store.domain_add(account, "example.net", vec![key("three")], &operator(), NOW).unwrap().id;
    store.domain_delete(gone, true, &operator(), later(4)).unwrap();
    let user = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap().id;
    let rules =
        UserRules { retry_seconds: Some(60), networks: vec!["2001:db8::/32".parse().unwrap()], ..UserRules::default() };
    let passwords = SmtpUserChange::Passwords(vec![PasswordHash([2; 32]), PasswordHash([3; 32])]);
    for change in [SmtpUserChange::Rules(rules), passwords, SmtpUserChange::Enabled(false)] {
        store.smtp_user_change(user, "smtp_user.change", change, &operator(), NOW).unwrap();
    }
    store
        .suppress(
            account,
            &[None, Some(user)].map(|stream| {
                ("anna@example.org".to_owned(), Suppression { stream, ..Suppression::manual("She asked.", NOW) })
            }),
            true,
            Some(&operator()),
            NOW,
        )
        .unwrap();
    let block =
        Block { address: REMOTE, cause: "x".into(), since: NOW, until: later(9), seconds: 9, accounts: vec![account] };
    store.block_put(&block).unwrap();
    store.brake_put_on(crate::brakes::brake(account, NOW)).unwrap();
    let filter = relay::selection::Filter { until: Some(later(5)), ..Default::default() };
    let reroute = relay::reroute::Reroute { filter, via: relay::reroute::Via::Route("hub:25".into()) };
    store.reroute(reroute.clone(), None).unwrap();
    let login = Login { user, address: REMOTE, at: later(5), password: None };
    store.logins_note(std::slice::from_ref(&login)).unwrap();
    let climb = crate::warm_ups::climb("out1", "google", 2);
    store.warm_ups_keep(std::slice::from_ref(&climb)).unwrap();
    let (before, audit, password_key) = (store.directory(), store.audit(None, 100).unwrap(), store.password_key());
    drop(store);

    let store = folder.open();
    let after = store.directory();
    assert_eq!(after.accounts, before.accounts);
    assert_eq!((&after.plans, after.plans.len()), (&before.plans, 2));
    assert_eq!(after.domains, before.domains);
    assert_eq!(after.users, before.users);
    assert_eq!(after.usernames, before.usernames);
    assert_eq!(after.suppressions, before.suppressions);
    assert_eq!((&after.brakes, after.brakes.len()), (&before.brakes, 1));
    assert_eq!(*after.reroutes, [reroute]);
    assert_eq!(store.audit(None, 100).unwrap(), audit);
    assert_eq!(store.password_key(), password_key);
    assert_eq!(store.blocks().unwrap(), [block]);
    assert_eq!(store.logins(NOW).unwrap(), [login]);
    assert_eq!(store.warm_ups(&["out1".to_owned()]).unwrap().climbs, [climb]);
    assert_eq!(store.domain_key(domain, "one").unwrap(), key("one").private);
    // numbers and selectors go on
    assert!(store.plan_add(Plan::built_in().terms, &operator(), NOW).unwrap().id > plan.id);
    let ask = SubscriptionChange::Ask { wish: None, message: String::new() };
    let asked = store.subscribe(account, ask, &operator(), NOW).unwrap();
    assert_eq!(asked.subscription.open().unwrap().number, 2);
    assert!(store.account_add("Butcher", &operator(), NOW).unwrap().id > account);
    assert!(store.domain_add(account, "example.org", vec![key("three")], &operator(), NOW).is_err());
}

#[tokio::test]
async fn mail_and_its_history_are_there_again() {
    let folder = Folder::new();
    let store = folder.open();
    let asked = RcptParameters { notify: Notify::parse("SUCCESS,DELAY"), orcpt: None };
    let requests = Requests { recipients: vec![asked], ..Requests::default() };
    let kept = Envelope {
        requests: Some(Box::new(requests)),
        priority: Priority::LOW,
        ..envelope(1, &["a@example.org", "b@example.org"])
    };
    let message = commit(&store, kept.clone()).await;
    store.settle(settlement(message, later(2), &[(0, Outcome::Deferred { until: later(600) })])).await.unwrap();
    store.claim(message).await.unwrap().unwrap();
    let waiving = Envelope { tls_wish: TlsWish::Waived, ..envelope(2, &["c@example.org"]) };
    let held = commit(&store, waiving).await;
    store.hold(held, HoldReason::Operator, later(3)).await.unwrap();
    store.hold_some(message, Some(vec![1]), HoldReason::Brake, later(3)).await.unwrap();
    let done = commit(&store, envelope(3, &["d@example.org"])).await;
    store.settle(settlement(done, later(4), &[(0, DELIVERED)])).await.unwrap();
    let history = rows(&store, ActivityFilter::default()).await;
    let (queue, cursor, epoch) = (store.queue(None, 10), store.activity_cursor().unwrap(), store.epoch());
    drop(store);

    let store = folder.open();
    assert!(store.epoch() > epoch);
    assert_eq!(store.queue(None, 10), queue);
    assert_eq!((queue[0].class, queue[1].class), (Class::Low, Class::Normal));
    assert_eq!((queue[0].waives_tls, queue[1].waives_tls), (false, true));
    assert_eq!(store.activity(&ActivityFilter::default()).unwrap(), history);
    assert_eq!(store.activity_cursor().unwrap(), cursor);
    let claimed = store.claim(message).await.unwrap().expect("a claim outlived its process");
    assert_eq!(*claimed.envelope, kept);
    assert_eq!(octets_of(&claimed.content), CONTENT);
    let waiting = |due, attempts| RecipientState::Waiting { due, attempts };
    let held = RecipientState::Held { reason: HoldReason::Brake, attempts: 0 };
    assert_eq!(claimed.recipients, [waiting(later(600), 1), held]);
    store.settle(settlement(message, later(601), &[(0, DELIVERED), (1, DELIVERED)])).await.unwrap();
    let delivered = ActivityFilter { status: Some(Status::Delivered), ..ActivityFilter::default() };
    assert_eq!(rows(&store, delivered).await.len(), 3);
    assert!(store.activity_cursor().unwrap() > cursor);
}

#[tokio::test]
async fn activity_that_was_lost_is_read_again_from_the_log() {
    let folder = Folder::new();
    let store = folder.open();
    let message = commit(&store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.settle(settlement(message, later(2), &[(0, DELIVERED)])).await.unwrap();
    let history = rows(&store, ActivityFilter::default()).await;
    drop(store);
    for name in ["activity.db", "activity.db-wal", "activity.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(name));
    }
    let store = folder.open();
    assert_eq!(store.activity(&ActivityFilter::default()).unwrap(), history);
}

#[tokio::test]
async fn activity_goes_on_with_a_spool_that_begins_anew() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 1..=20 {
        commit(&store, envelope(number, &["a@example.org"])).await;
    }
    store.caught_up().await;
    drop(store);
    std::fs::remove_dir_all(folder.path().join("spool")).unwrap();
    let store = folder.open();
    let message = commit(&store, envelope(30, &["b@example.org"])).await;
    store.settle(settlement(message, later(31), &[(0, DELIVERED)])).await.unwrap();
    let rows = rows(&store, ActivityFilter::default()).await;
    assert_eq!((rows.len(), rows[0].status), (21, Status::Delivered));
}

#[tokio::test]
async fn what_was_charged_outlives_restarts_rows_and_activity_itself() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 1..=3 {
        let message = commit(&store, envelope(number, &["a@example.org", "b@example.org"])).await;
        store.settle(settlement(message, later(4), &[(0, DELIVERED), (1, DELIVERED)])).await.unwrap();
    }
    assert_eq!(charges(&store), [(1, 0, 6)]);
    drop(store);
    for _ in 0..3 {
        assert_eq!(charges(&folder.open()), [(1, 0, 6)], "it is not counted again");
    }
    for number in 4..=5 {
        each_file(&folder, "activity.db", |path| std::fs::remove_file(path).unwrap());
        let store = folder.open();
        commit(&store, envelope(number, &["c@example.org"])).await;
        assert_eq!(charges(&store), [(1, 0, number + 3)]);
        store.caught_up().await;
    }
    // old rows and daily counters go, whatever the quota still needs
    folder.set_clock(later(1000 * 86_400));
    let store = Embedded::open(folder.path(), Options { keep_counters: Duration::from_secs(1), ..folder.options() });
    let store = store.unwrap();
    assert_eq!(charges(&store), [(1, 0, 8)]);
}

#[tokio::test]
async fn a_spool_that_begins_anew_takes_no_charge_away() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 1..=20 {
        commit(&store, envelope(number, &["a@example.org"])).await;
    }
    store.caught_up().await;
    drop(store);
    std::fs::remove_dir_all(folder.path().join("spool")).unwrap();
    let store = folder.open();
    commit(&store, envelope(30, &["b@example.org"])).await;
    assert_eq!(charges(&store), [(1, 0, 21)]);
    drop(store);
    assert_eq!(charges(&folder.open()), [(1, 0, 21)]);
}

#[tokio::test]
async fn the_ledger_of_a_version_without_quotas_opens_with_what_was_sent() {
    let folder = Folder::new();
    let store = folder.open();
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    assert_eq!(account, Id::new(1));
    commit(&store, envelope(1, &["a@example.org", "b@example.org"])).await;
    store.caught_up().await;
    drop(store);
    let ledger = rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap();
    let older = "DROP TABLE requests; DROP TABLE request_counts;
        ALTER TABLE domains DROP COLUMN looked; ALTER TABLE domains DROP COLUMN lost_at;
        DROP TABLE failed_sign_ins; DROP TABLE sign_ins; DROP TABLE links; DROP TABLE member_sites; DROP TABLE members; DROP TABLE quotas_told;
        DROP TABLE webhooks; DROP TABLE certificates_told; DROP TABLE stream_suppressions;
        DROP TABLE password_uses; ALTER TABLE audit DROP COLUMN details; ALTER TABLE domains DROP COLUMN cancels_mail;
        ALTER TABLE dkim_keys DROP COLUMN made_at; ALTER TABLE dkim_keys DROP COLUMN moved_at;
        ALTER TABLE suppressions DROP COLUMN cause; ALTER TABLE suppressions DROP COLUMN until;
        DELETE FROM accounts WHERE id = 0;
        ALTER TABLE accounts DROP COLUMN time_zone; ALTER TABLE accounts DROP COLUMN language;
        DROP TABLE api_keys; DROP TABLE charges; DROP TABLE charged; DROP TABLE brakes; DROP TABLE reroutes; DROP TABLE warm_ups;
        DROP TABLE warm_ups_stopped; PRAGMA user_version = 1;
        ALTER TABLE accounts DROP COLUMN quota; ALTER TABLE accounts DROP COLUMN renews_on;
        ALTER TABLE accounts DROP COLUMN period_begins; ALTER TABLE accounts DROP COLUMN period_renews;
        ALTER TABLE accounts DROP COLUMN subscription; ALTER TABLE accounts DROP COLUMN contacts;
        ALTER TABLE accounts DROP COLUMN activity_days; ALTER TABLE accounts DROP COLUMN left_at;
        ALTER TABLE accounts DROP COLUMN cancels_mail; ALTER TABLE accounts DROP COLUMN gone;
        DROP TABLE plans; DELETE FROM numbers WHERE kind = 'plan';";
    ledger.execute_batch(older).unwrap();
    drop(ledger);
    let store = folder.open();
    assert_eq!(store.directory().accounts[&account].own_quota, Quota::default());
    let lines = store.audit(Some(account), 1).unwrap();
    assert_eq!((lines[0].subject.as_str(), &lines[0].details), ("account 1 Bakery", &None));
    assert_eq!(charges(&store), [(1, 0, 2)]);
    commit(&store, envelope(2, &["c@example.org"])).await;
    assert_eq!(charges(&store), [(1, 0, 3)]);
}

/// Does something with each of the files that SQLite keeps under one name.
fn each_file(folder: &Folder, name: &str, work: impl Fn(&Path)) {
    for end in ["", "-wal", "-shm"] {
        let path = folder.path().join(format!("{name}{end}"));
        if path.exists() {
            work(&path);
        }
    }
}

#[tokio::test]
async fn a_lost_ledger_is_refused_and_not_made_anew() {
    let folder = Folder::new();
    let store = folder.open();
    commit(&store, envelope(1, &["a@example.org"])).await;
    drop(store);
    each_file(&folder, "ledger.db", |path| std::fs::remove_file(path).unwrap());
    for _ in 0..2 {
        let error = folder.try_open().unwrap_err();
        assert!(matches!(error, OpenError::LedgerMissing(_)), "{error:?}");
        assert!(error.to_string().contains("backup"), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_activity_file_is_told_with_the_way_out() {
    let garbage: fn(&Path) = |path| std::fs::write(path, [7; 50_000]).unwrap();
    let cut: fn(&Path) = |path| std::fs::File::options().write(true).open(path).unwrap().set_len(9_000).unwrap();
    for damage in [garbage, cut] {
        let folder = Folder::new();
        let store = folder.open();
        let message = commit(&store, envelope(1, &["a@example.org"])).await;
        drop(store);
        damage(&folder.path().join("activity.db"));
        let error = folder.try_open().unwrap_err();
        assert!(matches!(error, OpenError::Activity { .. }), "{error:?}");
        assert!(error.to_string().contains("No mail is lost"), "{error}");
        each_file(&folder, "activity.db", |path| std::fs::remove_file(path).unwrap());
        let store = folder.open();
        assert_eq!(only_row(&store).await.message, Some(message));
    }
}

#[tokio::test]
async fn a_folder_has_one_owner() {
    let folder = Folder::new();
    let store = folder.open();
    match folder.try_open() {
        Err(OpenError::Lock(LockError::Held { pid, .. })) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("opened twice: {other:?}"),
    }
    drop(store);
    folder.open();
}

#[tokio::test]
async fn another_master_key_is_refused_in_words() {
    let folder = Folder::new();
    drop(folder.open());
    let path = folder.path().join("master.key");
    let right = std::fs::read(&path).unwrap();
    std::fs::write(&path, "0".repeat(64)).unwrap();
    let error = folder.try_open().unwrap_err();
    assert!(matches!(error, OpenError::MasterKey(MasterKeyError::Wrong(_))), "{error:?}");
    assert!(error.to_string().contains("Bring the right one back"), "{error}");
    std::fs::remove_file(&path).unwrap();
    let error = folder.try_open().unwrap_err();
    assert!(matches!(error, OpenError::MasterKey(MasterKeyError::Missing(_))), "{error:?}");
    // elsewhere, as the operator says
    let elsewhere = folder.path().join("elsewhere.key");
    std::fs::write(&elsewhere, right).unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut options = folder.options();
    options.master_key = Some(elsewhere);
    Embedded::open(folder.path(), options).unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    for name in ["ledger.db", "activity.db"] {
        let folder = Folder::new();
        drop(folder.open());
        let file = rusqlite::Connection::open(folder.path().join(name)).unwrap();
        file.pragma_update(None, "user_version", 99).unwrap();
        drop(file);
        let error = folder.try_open().unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn files_and_folders_are_ours_alone() {
    fn check(path: &Path, seen: &mut usize) {
        let metadata = std::fs::metadata(path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        // other bits than the owner's: a spool file may be narrower, never wider
        assert_eq!(metadata.permissions().mode() & 0o777 & !expected, 0, "{}", path.display());
        *seen += 1;
        if metadata.is_dir() {
            std::fs::read_dir(path).unwrap().for_each(|entry| check(&entry.unwrap().path(), seen));
        }
    }
    let folder = Folder::new();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let store = folder.open();
    store.account_add("Bakery", &operator(), NOW).unwrap();
    commit(&store, envelope(1, &["a@example.org"])).await;
    commit_with(&store, envelope(2, &["a@example.org"]), &vec![b'x'; 3_000_000]).await;
    let mut seen = 0;
    check(folder.path(), &mut seen);
    assert!(seen >= 8, "{seen} files and folders alone");
}

#[tokio::test]
async fn secrets_are_not_in_the_files() {
    let folder = Folder::new();
    let store = folder.open();
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    store.domain_add(account, "example.com", vec![key("one")], &operator(), NOW).unwrap();
    let password_key = store.password_key();
    assert!(!format!("{store:?}").contains("key"));
    drop(store);
    let is_in = |octets: &[u8], secret: &[u8]| octets.windows(secret.len()).any(|window| window == secret);
    for name in ["ledger.db", "ledger.db-wal"] {
        let octets = std::fs::read(folder.path().join(name)).unwrap_or_default();
        assert!(!is_in(&octets, b"private half of one"), "a private key lies open in {name}");
        assert!(!is_in(&octets, &password_key), "the password key lies open in {name}");
    }
}

#[tokio::test]
async fn old_rows_go_and_new_ones_stay() {
    let folder = Folder::new();
    let store = folder.open();
    let month = 30 * 86_400;
    commit(&store, envelope(1, &["old@example.org"])).await;
    commit(&store, envelope(month, &["new@example.org"])).await;
    store.note(vec![trouble(later(1), "old"), trouble(later(month), "new")]);
    store.caught_up().await;
    drop(store);
    folder.set_clock(later(month + 60));
    let store = folder.open();
    until(&store, || store.activity(&ActivityFilter::default()).unwrap().len() == 1).await;
    assert_eq!(only_row(&store).await.recipient, "new@example.org");
    until(&store, || store.connections(None, None, 10).unwrap().len() == 1).await;
    assert_eq!(store.connections(None, None, 10).unwrap()[0].notice.username, "new");
    assert_eq!(store.queue(None, 10).len(), 2, "mail is not rows");
}

#[tokio::test]
async fn rows_of_an_account_go_after_its_own_days() {
    let folder = Folder::new();
    let store = folder.open();
    let day = 86_400;
    let account = |name| store.account_add(name, &operator(), NOW).unwrap();
    let (one, other) = (account("Bakery"), account("Butcher"));
    store.note(vec![refusal(later(4), "r@example.org"), Notice { account: Some(one.id), ..trouble(later(4), "k") }]);
    for (number, account) in [(1, &one), (2, &other), (3 * day, &one)] {
        let mut envelope = envelope(number, &["a@example.org"]);
        envelope.account = account.id;
        let message = commit(&store, envelope).await;
        store.settle(settlement(message, later(number), &[(0, DELIVERED)])).await.unwrap();
    }
    assert_eq!(rows(&store, ActivityFilter::default()).await.len(), 4);
    store.account_set(Account { activity_days: Some(2), ..(*one).clone() }, &operator(), NOW).unwrap();
    drop(store);
    folder.set_clock(later(3 * day));
    let store = folder.open();
    assert_eq!(store.directory().accounts[&one.id].activity_days, Some(2));
    until(&store, || store.activity(&ActivityFilter::default()).unwrap().len() == 2).await;
    until(&store, || store.connections(None, None, 10).unwrap().is_empty()).await;
    let left: Vec<_> = rows(&store, ActivityFilter::default()).await.iter().map(|row| row.account).collect();
    assert_eq!(left, [one.id, other.id]);
}

#[tokio::test]
async fn a_deleted_account_is_purged_once_its_queue_is_empty() {
    let folder = Folder::new();
    let store = folder.open();
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    suppress_anna(&store, account);
    store.domain_add(account, "bakery.example", vec![key("one")], &operator(), NOW).unwrap();
    let done = commit(&store, envelope(1, &["a@example.org"])).await;
    store.settle(settlement(done, later(2), &[(0, DELIVERED)])).await.unwrap();
    let waits = commit(&store, envelope(3, &["b@example.org"])).await;
    store.caught_up().await;
    store.account_delete(account, false, &operator(), later(4)).unwrap();
    drop(store);

    folder.set_clock(later(2 * 3600));
    let store = folder.open();
    let all = || store.activity(&ActivityFilter::default()).unwrap();
    until(&store, || all().len() == 1).await;
    assert!(store.directory().leaving.contains_key(&account) && !store.directory().suppressions.contains_key(&account));
    store.settle(settlement(waits, later(5), &[(0, DELIVERED)])).await.unwrap();
    store.caught_up().await;
    drop(store);

    let store = folder.open();
    until(&store, || store.directory().leaving.is_empty()).await;
    assert!(store.activity(&ActivityFilter::default()).unwrap().is_empty());
    assert!(store.sent(Some(account), NOW.day(), NOW.day()).unwrap().is_empty() && charges(&store).is_empty());
    let log = store.audit(Some(account), 100).unwrap();
    // the keys of its domain go when they go
    assert_eq!(log.iter().filter(|line| line.action == "account.purged").count(), 1, "{log:?}");
    drop(store);
    let store = folder.open();
    assert!(store.directory().leaving.is_empty() && store.directory().accounts.is_empty());
    until(&store, || store.directory().domains.is_empty()).await;
    let ledger = rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap();
    let left = "SELECT name || record FROM domains JOIN dkim_keys ON domain = id";
    assert_eq!(ledger.query_row(left, [], |row| row.get::<_, String>(0)).unwrap(), "", "its selector alone");
    assert!(store.account_add("Bakery", &operator(), NOW).unwrap().id > account);
}

#[tokio::test]
async fn a_deleted_domain_loses_its_keys_when_its_queue_is_empty() {
    let folder = Folder::new();
    let store = folder.open();
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    let add = |store: &Embedded, name: &str, selector: &str| {
        store.domain_add(account, name, vec![key(selector)], &operator(), NOW).unwrap().id
    };
    let (with_mail, without) = (add(&store, "example.com", "one"), add(&store, "example.net", "two"));
    let mut envelope = envelope(1, &["a@example.org"]);
    envelope.domain = Some(with_mail);
    let message = commit(&store, envelope).await;
    store.domain_delete(with_mail, false, &operator(), NOW).unwrap();
    store.domain_delete(without, false, &operator(), NOW).unwrap();
    drop(store);

    folder.set_clock(later(2 * 3600));
    let store = folder.open();
    until(&store, || !store.directory().domains.contains_key(&without)).await;
    assert!(store.domain_key(without, "two").is_err());
    assert!(store.directory().domains.contains_key(&with_mail), "its mail is still to be signed");
    assert!(store.domain_key(with_mail, "one").is_ok());
    store.settle(settlement(message, later(9), &[(0, DELIVERED)])).await.unwrap();
    drop(store);

    let store = folder.open();
    until(&store, || store.directory().domains.is_empty()).await;
    assert!(store.domain_key(with_mail, "one").is_err());
    drop(store);
    let store = folder.open();
    assert!(store.directory().domains.is_empty());
    let again = store.domain_add(account, "example.net", vec![key("two")], &operator(), NOW);
    assert!(again.is_err(), "the selector of a destroyed key was given again");
}

#[tokio::test]
async fn logins_and_blocks_are_forgotten_in_time() {
    let folder = Folder::new();
    let store = folder.open();
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    let domain = store.domain_add(account, "example.com", vec![], &operator(), NOW).unwrap().id;
    let user = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap().id;
    let elsewhere = "2001:db8::1".parse().unwrap();
    let login = |address, at| Login { user, address, at, password: None };
    let logins = [login(REMOTE, NOW), login(elsewhere, later(40 * 86_400))];
    store.logins_note(&logins).unwrap();
    let block =
        Block { address: REMOTE, cause: "x".into(), since: NOW, until: later(900), seconds: 900, accounts: vec![] };
    store.block_put(&block).unwrap();
    drop(store);
    folder.set_clock(later(40 * 86_400));
    let store = folder.open();
    until(&store, || store.blocks().unwrap().is_empty()).await;
    assert_eq!(store.logins(Default::default()).unwrap(), logins[1..]);
}

#[tokio::test]
async fn the_lag_of_activity_is_told() {
    let folder = Folder::new();
    let store = folder.open();
    commit(&store, envelope(1, &["a@example.org"])).await;
    store.caught_up().await;
    assert_eq!(store.health().activity_lag_octets, 0);
    assert_eq!(store.activity(&ActivityFilter { account: Some(Id::new(1)), ..Default::default() }).unwrap().len(), 1);
}
