//! Requests under an idempotency key: whose they are, what is remembered of them, and how many there may be.

use relay::clock::Timestamp;
use relay::id::Id;
use relay::idempotency::{IdempotencyKey, fingerprint};
use relay::limits::Limits;
use relay::power::{Power, Powers, Scope};
use relay::service::operation::{Answer, Operation, Part};
use relay::service::{FaultKind, RulesChange};
use relay::store::{KeyedRequest, Requests};

use super::operations::hook;
use super::{World, somebody};

/// On one thread: what is asked second is asked while the first is under way.
#[tokio::test]
async fn what_is_asked_twice_under_one_key_is_done_once() {
    let world = World::new();
    let key = |text: &str| IdempotencyKey::parse(text.as_bytes(), &Limits::default()).unwrap();
    let add =
        |name: &str| Operation::AccountAdd { name: name.into(), without_plan: false, time_zone: None, language: None };
    let ask = |operation, text: &str| world.executor.run_once(operation, somebody(Scope::Operator), key(text));
    let (first, second) = tokio::join!(ask(add("Acme"), "one"), ask(add("Acme"), "one"));
    let first = first.unwrap();
    let fault = second.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    assert!(fault.what.contains("still being carried out"), "{fault}");
    assert_eq!(ask(add("Acme"), "one").await.unwrap(), first);
    assert_eq!(ask(add("Other"), "one").await.unwrap_err().kind, FaultKind::Invalid);
    // what was refused was not done, and leaves its key free
    assert_eq!(ask(add(" "), "two").await.unwrap_err().kind, FaultKind::Invalid);
    assert!(ask(add("Other"), "two").await.is_ok());
    let Answer::Accounts(accounts) =
        world.ask(Operation::AccountList { search: None, part: Part::WHOLE }, Scope::Operator).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(accounts.len(), 2);

    // a secret is shown once, and kept nowhere
    let secret = |name: &str| Operation::ApiKeyAdd {
        account: None,
        name: name.into(),
        powers: Powers::ALL,
        read_only: false,
        expires_at: None,
    };
    let Answer::ApiKeySecret(made) = ask(secret("Deploy"), "three").await.unwrap() else { panic!() };
    let again = ask(secret("Deploy"), "three").await.unwrap_err();
    assert_eq!(again.kind, FaultKind::Conflict);
    assert!(!format!("{again:?}").contains(made.secret.expose()));
    // what was begun and broken off is not done again
    let begun = KeyedRequest {
        account: None,
        key: key("four").0,
        fingerprint: fingerprint(&add("Third")),
        at: world.clock.now(),
        message: None,
        answer: None,
    };
    world.executor.store.request_put(&begun, Limits::default().requests()).unwrap();
    assert!(ask(add("Third"), "four").await.unwrap_err().what.contains("broken off"));
    let old = KeyedRequest { at: Timestamp(begun.at.0 - 25 * 3_600_000), ..begun };
    world.executor.store.request_put(&old, Limits::default().requests()).unwrap();
    assert!(ask(add("Third"), "four").await.is_ok(), "after a day it is forgotten");
    // another account's key is another key
    let bakery = world.party("bakery").await;
    let scope = Scope::Account(Id::new(bakery.account), Powers::ALL);
    let rename = Operation::SmtpUserRename { user: bakery.user.clone(), name: "Renamed".into() };
    assert!(world.executor.run_once(rename.clone(), somebody(scope), key("one")).await.is_ok());
    let stranger = Scope::Account(Id::new(1), Powers::ALL);
    let refused = world.executor.run_once(rename, somebody(stranger), key("one")).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn of_an_answer_with_a_secret_nothing_is_remembered() {
    let world = World::new();
    let acme = world.party("acme").await;
    let (name, rules) = (String::from("Second"), RulesChange::default());
    let secrets = [
        Operation::WebhookAdd { account: acme.account, wish: hook("Second") },
        Operation::WebhookRotate { webhook: acme.webhook },
        Operation::SmtpUserAdd { domain: acme.domain.clone(), name, rules },
        Operation::SmtpUserReset { user: acme.user.clone() },
        Operation::MemberLink { member: acme.member },
    ];
    for (number, operation) in secrets.into_iter().enumerate() {
        let key = IdempotencyKey::parse(number.to_string().as_bytes(), &Limits::default()).unwrap();
        let ask = || world.executor.run_once(operation.clone(), somebody(Scope::Operator), key);
        ask().await.unwrap();
        let kept = world.executor.store.request(None, &key.0).unwrap().unwrap();
        assert_eq!(kept.answer.as_deref(), Some(""), "{operation:?}");
        assert!(ask().await.unwrap_err().what.contains("shown once"), "{operation:?}");
    }
}

#[tokio::test]
async fn who_may_not_see_activity_tells_no_webhook_of_it() {
    let world = World::new();
    let acme = world.party("acme").await;
    let blind = Scope::Account(Id::new(acme.account), [Power::Administration].into_iter().collect());
    for operation in [
        Operation::WebhookAdd { account: acme.account, wish: hook("Second") },
        Operation::WebhookSet { webhook: acme.webhook, wish: hook("Other") },
        Operation::WebhookRotate { webhook: acme.webhook },
    ] {
        let fault = world.ask(operation.clone(), blind).await.unwrap_err();
        assert_eq!(fault.named.unwrap().code, "webhook-not-yours", "{operation:?}");
    }
}

#[tokio::test]
async fn an_account_has_so_many_keys() {
    let world = World::limited("account_idempotency_keys_max = 100");
    let ask = |number: u32| {
        let key = IdempotencyKey::parse(number.to_string().as_bytes(), &Limits::default()).unwrap();
        world.executor.run_once(
            Operation::AccountAdd { name: format!("A{number}"), without_plan: false, time_zone: None, language: None },
            somebody(Scope::Operator),
            key,
        )
    };
    for number in 0..100 {
        ask(number).await.unwrap();
    }
    let fault = ask(100).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    let Answer::Accounts(accounts) =
        world.ask(Operation::AccountList { search: None, part: Part::WHOLE }, Scope::Operator).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(accounts.len(), 100, "nothing was done");
    assert!(ask(7).await.is_ok(), "what is remembered is answered");
}

#[tokio::test]
async fn an_account_has_so_many_octets_of_answers() {
    let octets = 1_048_576;
    let world = World::limited(&format!("account_idempotency_octets_max = {octets}"));
    let key = |text: &str| IdempotencyKey::parse(text.as_bytes(), &Limits::default()).unwrap();
    let ask = |name: &str| {
        let operation =
            Operation::AccountAdd { name: name.into(), without_plan: false, time_zone: None, language: None };
        world.executor.run_once(operation, somebody(Scope::Operator), key(name))
    };
    let fill = |octets: usize| {
        let long = KeyedRequest {
            account: None,
            key: [7; 32],
            fingerprint: [7; 32],
            at: world.clock.now(),
            message: None,
            answer: Some("x".repeat(octets)),
        };
        assert!(world.executor.store.request_put(&long, world.executor.limits.requests()).unwrap());
    };
    ask("Kept").await.unwrap();
    // room for a key, and for no whole answer
    let kept = world.executor.store.request(None, &key("Kept").0).unwrap().unwrap().answer.unwrap().len();
    fill(octets - kept - 5);
    ask("Done").await.unwrap();
    assert!(ask("Kept").await.is_ok(), "what is remembered is answered");
    let again = ask("Done").await.unwrap_err();
    assert!(again.kind == FaultKind::Conflict && again.what.contains("no room"), "{again}");
    fill(octets - kept);
    let fault = ask("Refused").await.unwrap_err();
    assert!(fault.remedy.contains("account_idempotency_octets_max"), "{fault:?}");
    let Answer::Accounts(accounts) =
        world.ask(Operation::AccountList { search: None, part: Part::WHOLE }, Scope::Operator).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(accounts.len(), 2, "done once, and what was refused not at all");
}
