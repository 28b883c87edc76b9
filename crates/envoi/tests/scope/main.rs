//! Every operation, asked by every role and by a stranger: what is not the caller's does not exist for it.

#![allow(clippy::unwrap_used)]

mod once;
mod operations;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use envoi::execute::Executor;
use net::clock::{Clock, SystemClock, SystemDice};
use relay::account::Account;
use relay::activity::{ActivityFilter, Notice, NoticeKind};
use relay::brake::{Brake, Cause, Subject};
use relay::clock::Timestamp;
use relay::cursor::CursorKey;
use relay::id::{Id, MessageId, SessionId};
use relay::language::Language;
use relay::power::{Need, Powers, Role, Scope};
use relay::sandbox::{Capture, Captured};
use relay::service::operation::{Answer, Operation, Part};
use relay::service::view::ActivityChangesView;
use relay::service::{Fault, FaultKind, Identity, RulesChange, Setting};
use relay::smtp_user::SmtpUser;
use relay::store::{Actor, Block, Book, Brakes, Content, Inbox, Spool, Webhooks};
use relay::webhook::CallId;
use store::memory::Memory;

use operations::{hook, operations};

/// An account with a domain, a user, a row of Activity and a suppression.
struct Party {
    account: u64,
    domain: String,
    domain_number: String,
    user: String,
    user_number: String,
    row: u64,
    /// From before everything, given to the account.
    cursor: String,
    key: u64,
    member: u64,
    webhook: u64,
    call: CallId,
    /// In the test inbox.
    captured: MessageId,
}

struct World {
    executor: Arc<Executor<Memory>>,
    clock: Arc<dyn Clock>,
}

fn somebody(scope: Scope) -> Identity {
    Identity { actor: Actor { name: "somebody".into(), from: "test".into() }, scope, read_only: false, ends_at: None }
}

impl World {
    fn new() -> World {
        World::limited("")
    }

    /// With these lines below `[limits]`.
    fn limited(limits: &str) -> World {
        let text = format!(
            "hostname = \"mx.example.com\"\ndata_dir = \"data\"\n[submission]\ncertificate = \"c.pem\"\n\
             key = \"k.pem\"\n[limits]\n{limits}"
        );
        let (config, _) = envoi::config::from_text(&text, Path::new("/envoi.toml")).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        World { executor: Executor::new(Arc::new(Memory::new()), &config, Arc::clone(&clock), None), clock }
    }

    async fn ask(&self, operation: Operation, scope: Scope) -> Result<Answer, Fault> {
        self.executor.run(operation, somebody(scope)).await
    }

    async fn party(&self, name: &str) -> Party {
        let ask = |operation| self.ask(operation, Scope::Operator);
        let add = Operation::AccountAdd { name: name.into(), without_plan: false, time_zone: None, language: None };
        let Answer::Account(account) = ask(add).await.unwrap() else { panic!() };
        let domain = format!("{name}.example");
        let added = ask(Operation::DomainAdd { account: account.id, name: domain.clone() }).await.unwrap();
        let Answer::Domain(added) = added else { panic!() };
        let user =
            Operation::SmtpUserAdd { domain: domain.clone(), name: "Shop".into(), rules: RulesChange::default() };
        let Answer::Credential(user) = ask(user).await.unwrap() else { panic!() };
        let address = format!("gone@{name}.test");
        ask(Operation::SuppressionAdd { account: account.id, address, reason: String::new(), until: None })
            .await
            .unwrap();
        let row = self.row(Id::new(account.id)).await;
        let (account_of, powers) = (Some(account.id), Role::Administrator.powers());
        let key = Operation::ApiKeyAdd {
            account: account_of,
            name: "Deploy".into(),
            powers,
            read_only: false,
            expires_at: None,
        };
        let Answer::ApiKeySecret(key) = ask(key).await.unwrap() else { panic!() };
        let (name, role, language) = ("Jane".into(), Role::Administrator, Language::English);
        let email = format!("jane@{domain}");
        let member =
            ask(Operation::MemberAdd { account: Some(account.id), email, name, role, language }).await.unwrap();
        let Answer::MemberLink(member) = member else { panic!() };
        let webhook = ask(Operation::WebhookAdd { account: account.id, wish: hook("Hook") }).await.unwrap();
        let Answer::WebhookSecret(webhook) = webhook else { panic!() };
        let webhook = webhook.webhook.id;
        ask(Operation::WebhookTest { webhook }).await.unwrap();
        let call = self.executor.store.webhook_calls(Id::new(webhook), None, 1).unwrap()[0].new.call;
        let (domain_number, user_number) = (added.id.to_string(), user.id.to_string());
        let (account, user, key) = (account.id, user.username, key.key.id);
        let member = member.member.id;
        let cursors = CursorKey::new(self.executor.store.cursor_key());
        let cursor = cursors.seal(Scope::Account(Id::new(account), powers), 0, &mut SystemDice);
        let captured = self.capture(Id::new(account));
        self.brake(Id::new(account), Id::new(user_number.parse().unwrap()));
        Party { account, domain, domain_number, user, user_number, row, cursor, key, member, webhook, call, captured }
    }

    /// An automatic brake that is on.
    fn brake(&self, account: Id<Account>, user: Id<SmtpUser>) {
        let brake = Brake {
            subject: Subject::User(user),
            account,
            cause: Cause::Volume,
            counted: 9,
            of: 1,
            since: self.clock.now(),
            told: false,
            released: None,
            released_before: None,
        };
        self.executor.store.brake_put_on(brake).unwrap();
    }

    /// A message in the test inbox.
    fn capture(&self, account: Id<Account>) -> MessageId {
        let now = self.clock.now();
        let message = MessageId::new(now, &mut SystemDice);
        let captured = Captured {
            message,
            account,
            user: None,
            about: None,
            at: now,
            reverse_path: "a@b.example".into(),
            recipients: vec!["c@d.example".into()],
            subject: "Subject".into(),
            from: "a@b.example".into(),
            octets: 0,
        };
        let content = Content::Held(b"From: a@b.example\r\n\r\nx\r\n".as_slice().into());
        self.executor.store.inbox_put(Capture { captured, seal: Default::default(), content }).unwrap();
        message
    }

    async fn row(&self, account: Id<Account>) -> u64 {
        self.row_to(account, &format!("r{account}@c.example")).await
    }

    /// A rejected recipient and a failed login.
    async fn row_to(&self, account: Id<Account>, recipient: &str) -> u64 {
        let now = self.clock.now();
        let notice = |kind| Notice {
            at: now,
            kind,
            account: Some(account),
            user: None,
            domain: None,
            username: String::new(),
            session: SessionId::new(now, &mut SystemDice),
            remote: IpAddr::V4(Ipv4Addr::LOCALHOST),
            tls: "TLS 1.3".into(),
            sender: "a@b.example".into(),
            recipient: recipient.to_owned(),
            subject: "Subject".into(),
            reference: "quota".into(),
            reply: "452 4.7.1".into(),
            reason: "the quota is used up".into(),
            count: 1,
        };
        self.executor.store.note(vec![notice(NoticeKind::Rejected), notice(NoticeKind::Connection)]);
        let filter = ActivityFilter { account: Some(account), ..ActivityFilter::default() };
        // an account's rows have numbers of its own
        let scope = Scope::Account(account, Powers::ALL);
        let Answer::Activity(rows) = self.ask(Operation::Activity { filter }, scope).await.unwrap() else { panic!() };
        rows[0].row
    }
}

#[tokio::test]
async fn each_operation_is_tried() {
    let party = World::new().party("acme").await;
    let tried: BTreeSet<_> = operations(&party).iter().map(Operation::name).collect();
    let all: BTreeSet<_> = Operation::NAMES.iter().copied().collect();
    assert_eq!(tried, all);
}

#[tokio::test]
async fn a_stranger_with_every_power_reaches_nothing() {
    let world = World::new();
    let (acme, stranger) = (world.party("acme").await, world.party("stranger").await);
    let scope = Scope::Account(Id::new(stranger.account), Powers::ALL);
    let before =
        world.ask(Operation::Audit { account: Some(acme.account), before: None, limit: 1000 }, Scope::Operator).await;
    for operation in operations(&acme) {
        let refused = match world.ask(operation.clone(), scope).await {
            Err(fault) => matches!(fault.kind, FaultKind::NotFound | FaultKind::Forbidden),
            Ok(answer) => operation == Operation::Blocks && answer == Answer::Blocks(Vec::new()),
        };
        assert!(refused, "{operation:?}");
    }
    let after =
        world.ask(Operation::Audit { account: Some(acme.account), before: None, limit: 1000 }, Scope::Operator).await;
    assert_eq!(before, after, "something was changed");
}

#[tokio::test]
async fn a_stranger_is_told_what_is_told_of_nothing() {
    let world = World::new();
    let (acme, stranger) = (world.party("acme").await, world.party("stranger").await);
    let scope = Scope::Account(Id::new(stranger.account), Powers::ALL);
    let told = async |operation| world.ask(operation, scope).await.unwrap_err().what;
    let there = told(Operation::DomainShow { domain: acme.domain.clone() }).await;
    let nowhere = told(Operation::DomainShow { domain: "nowhere.example".into() }).await;
    assert_eq!(there.replace(&acme.domain, ""), nowhere.replace("nowhere.example", ""));
    let there = told(Operation::SmtpUserShow { user: acme.user.clone() }).await;
    let nowhere = told(Operation::SmtpUserShow { user: "nobody".into() }).await;
    assert_eq!(there.replace(&acme.user, ""), nowhere.replace("nobody", ""));
    let there = told(Operation::ActivityShow { row: acme.row }).await;
    assert_eq!(there, format!("There is no row {}.", acme.row));
}

#[tokio::test]
async fn each_role_does_what_its_powers_let_it() {
    let world = World::new();
    let acme = world.party("acme").await;
    for role in Role::ALL {
        let scope = Scope::Account(Id::new(acme.account), role.powers());
        for operation in operations(&acme).into_iter().filter(Operation::is_read) {
            let may = match operation.need() {
                Need::Operator => false,
                Need::Member => true,
                Need::Power(power) => role.powers().has(power),
            };
            let refused = matches!(&world.ask(operation.clone(), scope).await,
                Err(fault) if fault.kind == FaultKind::Forbidden);
            assert_eq!(refused, !may, "{role:?} {operation:?}");
        }
    }
}

#[tokio::test]
async fn whatever_is_done_is_in_the_audit_log_in_parts_and_without_a_secret() {
    let world = World::new();
    let acme = world.party("acme").await;
    let mut secrets = Vec::new();
    let mut all = operations(&acme);
    // deletions come last, and that of the account behind them
    all.sort_by_key(|one| (one.name() == "AccountDelete", one.name().contains("Delete")));
    for operation in all {
        match world.ask(operation, Scope::Operator).await {
            Ok(Answer::Credential(made)) => secrets.push(made.password.expose().to_owned()),
            Ok(Answer::ApiKeySecret(made)) => secrets.push(made.secret.expose().to_owned()),
            Ok(Answer::WebhookSecret(made)) => secrets.push(made.secret.expose().to_owned()),
            _ => {}
        }
    }
    let all = world.ask(Operation::Audit { account: None, before: None, limit: 1000 }, Scope::Operator).await.unwrap();
    let Answer::Audit(lines) = all else { panic!() };
    let actions: BTreeSet<_> = lines.iter().map(|line| line.action.as_str()).collect();
    assert!(actions.len() > 30, "{actions:?}");
    assert!(!secrets.is_empty());
    for line in &lines {
        let about = line.about.as_ref().unwrap_or_else(|| panic!("{line:?}"));
        assert!(line.subject.starts_with(&about.kind), "{line:?}");
        let told = format!("{line:?}");
        let is_told = |secret: &String| told.contains(secret.as_str());
        assert!(!secrets.iter().any(is_told), "{}", line.action);
    }
}

#[tokio::test]
async fn a_suspended_account_looks_and_changes_nothing() {
    let world = World::new();
    let acme = world.party("acme").await;
    world.ask(Operation::AccountSuspend { account: acme.account }, Scope::Operator).await.unwrap();
    let scope = Scope::Account(Id::new(acme.account), Powers::ALL);
    let audit =
        || world.ask(Operation::Audit { account: Some(acme.account), before: None, limit: 1000 }, Scope::Operator);
    let before = audit().await;
    for operation in operations(&acme).into_iter().filter(|operation| scope.meets(operation.need())) {
        let answered = world.ask(operation.clone(), scope).await;
        if operation.is_read() {
            assert!(answered.is_ok(), "{operation:?}: {answered:?}");
            continue;
        }
        let fault = answered.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Forbidden, "{operation:?}");
        assert!(fault.what.contains("suspended"), "{operation:?}: {fault}");
    }
    assert_eq!(audit().await, before, "something was changed");
    let rename = Operation::SmtpUserRename { user: acme.user.clone(), name: "Other".into() };
    world.ask(rename.clone(), Scope::Operator).await.unwrap();
    world.ask(Operation::AccountResume { account: acme.account }, Scope::Operator).await.unwrap();
    world.ask(rename, scope).await.unwrap();
}

#[tokio::test]
async fn a_key_makes_none_that_outlives_it() {
    let world = World::new();
    let acme = world.party("acme").await;
    let end = Timestamp(world.clock.now().0 + 3_600_000);
    let own = Scope::Account(Id::new(acme.account), Role::Administrator.powers());
    for scope in [own, Scope::Operator] {
        let add = |name: &str, expires_at| {
            let (account, powers, read_only) = (Some(acme.account), Role::Regular.powers(), false);
            let name = format!("{name} {scope:?}");
            let key = Operation::ApiKeyAdd { account, name, powers, read_only, expires_at };
            world.executor.run(key, Identity { ends_at: Some(end), ..somebody(scope) })
        };
        for longer in [None, Some(Timestamp(end.0 + 1))] {
            let fault = add("Longer", longer).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Forbidden, "{longer:?}");
        }
        add("As long", Some(end)).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_ends_makes_nobody_who_administers() {
    let world = World::new();
    let acme = world.party("acme").await;
    let ends_at = Some(Timestamp(world.clock.now().0 + 3_600_000));
    let own = Scope::Account(Id::new(acme.account), Role::Administrator.powers());
    let run = |operation| world.executor.run(operation, Identity { ends_at, ..somebody(own) });
    let add = |role| {
        let (account, email) = (Some(acme.account), format!("{role:?}@example.com"));
        Operation::MemberAdd { account, email, name: "X".into(), role, language: Language::English }
    };
    run(add(Role::Regular)).await.unwrap();
    let link = Operation::MemberLink { member: acme.member };
    for operation in [add(Role::Administrator), link] {
        let fault = run(operation.clone()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Forbidden, "{operation:?}");
    }
}

#[tokio::test]
async fn a_number_that_no_account_can_have_has_no_log() {
    let world = World::new();
    let audit = |account| Operation::Audit { account: Some(account), before: None, limit: 1 };
    let fault = world.ask(audit(1 << 63), Scope::Operator).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert_eq!(world.ask(audit(7), Scope::Operator).await.unwrap(), Answer::Audit(Vec::new()));
}

#[tokio::test]
async fn a_member_is_changed_whole_or_not_at_all() {
    let world = World::new();
    let acme = world.party("acme").await;
    let own = Scope::Account(Id::new(acme.account), Role::Administrator.powers());
    let set = |role, name: &str, language| {
        let name = Some(name.to_owned());
        world.ask(Operation::MemberSet { member: acme.member, role, name, language }, own)
    };
    let shown = |answer| match answer {
        Answer::Member(view) => (view.name, view.role, view.language),
        other => panic!("{other:?}"),
    };
    let before = shown(set(None, "Ann", None).await.unwrap());
    let refused = set(Some(Role::Custom), " ", Some(Language::French)).await.unwrap_err();
    assert_eq!(refused.named.unwrap().code, "name-empty");
    let last = set(Some(Role::Custom), "Other", Some(Language::French)).await.unwrap_err();
    assert_eq!(last.named.unwrap().code, "member-last");
    assert_eq!(shown(set(None, "Ann", None).await.unwrap()), before, "something was changed");
    let after = shown(set(None, "Zoé", Some(Language::French)).await.unwrap());
    assert_eq!((after.0.as_str(), &after.1, after.2.as_str()), ("Zoé", &before.1, "fr"));
}

#[tokio::test]
async fn an_account_has_as_much_as_the_limits_let_it() {
    use Operation as O;
    let world = World::limited(
        "account_domains_max = 1\naccount_users_max = 1\nuser_rules_max = 1\naccount_suppressions_max = 1\n\
         reason_octets_max = 50\napi_keys_max = 1\nwebhooks_max = 1\n",
    );
    let acme = world.party("acme").await;
    let (account, domain, user) = (acme.account, acme.domain.clone(), acme.user.clone());
    let two = Setting::To(vec!["a.example".to_owned(), "b.example".to_owned()]);
    let rules = RulesChange { recipient_domains: two, ..RulesChange::default() };
    let suppress = |address: &str, reason: &str| O::SuppressionAdd {
        account,
        address: address.to_owned(),
        reason: reason.to_owned(),
        until: None,
    };
    let key = O::ApiKeyAdd {
        account: Some(account),
        name: "Second".into(),
        powers: Powers::ALL,
        read_only: true,
        expires_at: None,
    };
    let hook = O::WebhookAdd { account, wish: hook("Second") };
    for scope in [Scope::Account(Id::new(account), Powers::ALL), Scope::Operator] {
        for (operation, kind, limit) in [
            (O::DomainAdd { account, name: "further.example".into() }, FaultKind::Conflict, "1 domains"),
            (
                O::SmtpUserAdd { domain: domain.clone(), name: "Second".into(), rules: RulesChange::default() },
                FaultKind::Conflict,
                "1 SMTP users",
            ),
            (O::SmtpUserSet { user: user.clone(), rules: rules.clone() }, FaultKind::Invalid, "2 recipient domains"),
            (suppress("a@b.example", ""), FaultKind::Conflict, "1 suppressed addresses"),
            (suppress("gone@acme.test", &"x".repeat(51)), FaultKind::Invalid, "50 octets"),
            (key.clone(), FaultKind::Conflict, "1 API keys"),
            (hook.clone(), FaultKind::Conflict, "1 webhooks"),
        ] {
            let fault = world.ask(operation.clone(), scope).await.unwrap_err();
            assert!(fault.kind == kind && fault.what.contains(limit), "{operation:?}: {fault:?}");
        }
        // what is there already takes no more room
        world.ask(suppress("gone@acme.test", "again"), scope).await.unwrap();
    }
    // another account has room of its own, and what is deleted makes some
    world.party("other").await;
    world.ask(O::SmtpUserDelete { user }, Scope::Operator).await.unwrap();
    let again = O::SmtpUserAdd { domain, name: "Second".into(), rules: RulesChange::default() };
    world.ask(again, Scope::Operator).await.unwrap();
}

#[tokio::test]
async fn an_answer_with_a_secret_prints_none() {
    let world = World::new();
    let acme = world.party("acme").await;
    let key = Operation::ApiKeyAdd {
        account: Some(acme.account),
        name: "Second".into(),
        powers: Powers::ALL,
        read_only: true,
        expires_at: None,
    };
    let rotate = Operation::WebhookRotate { webhook: acme.webhook };
    for (operation, field) in
        [(key, "secret"), (rotate, "secret"), (Operation::SmtpUserReset { user: acme.user }, "password")]
    {
        let answer = world.ask(operation, Scope::Operator).await.unwrap();
        let shown: serde_json::Value = serde_json::from_str(&answer.json()).unwrap();
        assert!(shown[field].as_str().unwrap().len() >= 20, "its owner is shown it");
        let printed = format!("{answer:?}");
        assert!(printed.contains("[secret]") && !printed.contains(shown[field].as_str().unwrap()), "{printed}");
    }
}

#[tokio::test]
async fn without_a_name_the_own_account_is_meant() {
    let world = World::new();
    let (acme, _) = (world.party("acme").await, world.party("other").await);
    let scope = Scope::Account(Id::new(acme.account), Role::Administrator.powers());
    let Answer::Domains(domains) =
        world.ask(Operation::DomainList { account: None, part: Part::WHOLE }, scope).await.unwrap()
    else {
        panic!()
    };
    assert!(domains.len() == 1 && domains[0].account == acme.account);
    let activity = Operation::Activity { filter: ActivityFilter::default() };
    let Answer::Activity(rows) = world.ask(activity, scope).await.unwrap() else { panic!() };
    assert!(!rows.is_empty() && rows.iter().all(|row| row.account == acme.account));
    let Answer::Audit(lines) =
        world.ask(Operation::Audit { account: None, before: None, limit: 0 }, scope).await.unwrap()
    else {
        panic!()
    };
    assert!(!lines.is_empty() && lines.iter().all(|line| line.account == Some(acme.account)));
}

#[tokio::test]
async fn the_numbers_of_rows_tell_an_account_nothing_of_others() {
    let world = World::new();
    let acme = world.party("acme").await;
    let rows = async |scope, before_row, limit| {
        let account = Some(Id::new(acme.account));
        let filter = ActivityFilter { account, before_row, limit, ..ActivityFilter::default() };
        let Answer::Activity(rows) = world.ask(Operation::Activity { filter }, scope).await.unwrap() else { panic!() };
        rows
    };
    for number in 0..3 {
        world.party(&format!("other{number}")).await;
        world.row_to(Id::new(acme.account), &format!("{number}@c.example")).await;
    }
    let scope = Scope::Account(Id::new(acme.account), Powers::ALL);
    let (own, true_ones) = (rows(scope, None, 0).await, rows(Scope::Operator, None, 0).await);
    assert_eq!((own.len(), true_ones.len()), (4, 4));
    for (own, true_one) in own.iter().zip(&true_ones) {
        assert_eq!((&own.recipient, own.row == true_one.row), (&true_one.recipient, false));
        let Answer::ActivityDetail(detail) = world.ask(Operation::ActivityShow { row: own.row }, scope).await.unwrap()
        else {
            panic!()
        };
        assert_eq!((&detail.row.recipient, detail.row.row), (&own.recipient, own.row));
    }
    let rest = rows(scope, Some(own[1].row), 2).await;
    assert_eq!(rest.iter().map(|row| row.row).collect::<Vec<_>>(), [own[2].row, own[3].row], "pages meet");
}

#[tokio::test(start_paused = true)]
async fn who_follows_activity_learns_nothing_of_others() {
    let world = World::new();
    let (acme, other) = (world.party("acme").await, world.party("other").await);
    let scope = Scope::Account(Id::new(acme.account), Powers::ALL);
    let since = async |cursor: Option<&String>, seconds| {
        let (cursor, filter) = (cursor.cloned(), ActivityFilter::default());
        let answer = world.ask(Operation::ActivitySince { cursor, filter, seconds }, scope).await?;
        ActivityChangesView::try_from(answer)
    };
    let first = since(None, 0).await.unwrap();
    let begun = tokio::time::Instant::now();
    let (waited, ()) = tokio::join!(since(Some(&first.cursor), 30), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.row(Id::new(other.account)).await;
    });
    let waited = waited.unwrap();
    assert_eq!((waited.rows.len(), begun.elapsed().as_secs()), (0, 30), "answered because of another account");
    assert_ne!(waited.cursor, first.cursor);
    let again = since(Some(&waited.cursor), 0).await.unwrap();
    assert_ne!(again.cursor, waited.cursor, "whether anything happened cannot be seen");
    let begun = tokio::time::Instant::now();
    let (own, _) = tokio::join!(since(Some(&first.cursor), 30), world.row(Id::new(acme.account)));
    assert_eq!((own.unwrap().rows.len(), begun.elapsed().as_secs()), (1, 0));
    for strange in [&other.cursor, &"17".to_owned(), &String::new()] {
        assert_eq!(since(Some(strange), 0).await.unwrap_err().kind, FaultKind::Invalid, "{strange}");
    }
}

#[tokio::test]
async fn a_block_is_lifted_by_whoever_it_concerns_alone() {
    let world = World::new();
    let (acme, other) = (world.party("acme").await, world.party("other").await);
    let until = Timestamp(world.clock.now().0 + 900_000);
    let block = |last: u8, accounts: &[u64]| Block {
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)),
        cause: "5 wrong passwords".into(),
        since: world.clock.now(),
        until,
        seconds: 900,
        accounts: accounts.iter().map(|account| Id::new(*account)).collect(),
    };
    // an account of number 0 is nobody's: the name that was tried does not exist
    for block in [
        block(1, &[acme.account]),
        block(2, &[acme.account, other.account]),
        block(3, &[0, acme.account]),
        block(4, &[]),
    ] {
        world.executor.store.block_put(&block).unwrap();
    }
    let scope = Scope::Account(Id::new(acme.account), Role::Administrator.powers());
    let Answer::Blocks(seen) = world.ask(Operation::Blocks, scope).await.unwrap() else { panic!() };
    let mut addresses: Vec<_> = seen.iter().map(|block| block.address.as_str()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    assert!(seen.iter().all(|block| block.accounts == [acme.account]), "what concerns others is not told");
    let lift = |last| Operation::BlockLift { address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)) };
    for (last, kind) in [(2, FaultKind::Forbidden), (3, FaultKind::Forbidden), (4, FaultKind::NotFound)] {
        assert_eq!(world.ask(lift(last), scope).await.unwrap_err().kind, kind, "{last}");
    }
    world.ask(lift(1), scope).await.unwrap();
    world.ask(lift(4), Scope::Operator).await.unwrap();
}

#[tokio::test]
async fn a_change_that_has_begun_is_finished_before_the_next_whoever_asked_for_it() {
    let world = World::limited("user_rules_max = 2000\n");
    let acme = world.party("acme").await;
    let set = |rules: RulesChange| Operation::SmtpUserSet { user: acme.user.clone(), rules };
    for round in 0..20 {
        let domains: Vec<String> = (0..2_000).map(|number| format!("d{number}.r{round}.example")).collect();
        let slow = set(RulesChange { recipient_domains: Setting::To(domains), ..RulesChange::default() });
        let asked = {
            let executor = Arc::clone(&world.executor);
            tokio::spawn(async move { executor.run(slow, somebody(Scope::Operator)).await })
        };
        tokio::task::yield_now().await;
        // its client went away
        asked.abort();
        let sandbox = set(RulesChange { sandbox: Setting::To(round % 2 == 0), ..RulesChange::default() });
        world.ask(sandbox, Scope::Operator).await.unwrap();
        let shown = Operation::SmtpUserShow { user: acme.user.clone() };
        let Answer::SmtpUser(user) = world.ask(shown, Scope::Operator).await.unwrap() else { panic!() };
        assert_eq!(user.sandbox, round % 2 == 0, "what was acknowledged stays");
    }
}
