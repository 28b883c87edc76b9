//! Plans, the accounts that are on them, what these ask for, and whom they want to be written to.

use relay::account::{Account, Contact, Contacts};
use relay::clock::{Day, Timestamp};
use relay::id::Id;
use relay::plan::{Plan, Standing, SubscriptionChange, Terms, Wording};
use relay::quota::Quota;
use relay::store::{Actor, Store, StoreError};

use super::world::NOW;

fn actor() -> Actor {
    Actor { name: "jane@example.com".into(), from: "192.0.2.7".into() }
}

fn terms(name: &str, recipients: Option<u64>) -> Terms {
    let name = Wording { english: name.to_owned(), french: String::new() };
    let price = Wording { english: "$20".into(), french: "20 $".into() };
    Terms { name, recipients, price, is_offered: true, place: 3 }
}

fn add(store: &impl Store, name: &str, recipients: u64) -> Id<Plan> {
    store.plan_add(terms(name, Some(recipients)), &actor(), NOW).unwrap().id
}

fn limit(store: &impl Store, account: Id<Account>, day: Day) -> Option<u64> {
    let directory = store.directory();
    directory.accounts[&account].quota(&directory.plans, day).recipients
}

fn ask(store: &impl Store, account: Id<Account>, wish: Option<Id<Plan>>) -> u64 {
    let change = SubscriptionChange::Ask { wish, message: "Please\nsoon".into() };
    let asked = store.subscribe(account, change, &actor(), NOW).unwrap();
    asked.subscription.open().unwrap().number
}

pub(crate) async fn accounts_begin_on_the_default_plan(store: &impl Store) {
    let built_in = store.directory().plans[&Plan::BUILT_IN].clone();
    assert_eq!(*built_in, Plan::built_in());
    let first = store.account_add("First", &actor(), NOW).unwrap();
    assert_eq!(first.subscription.standing, Standing::Plan(Plan::BUILT_IN));
    let small = add(store, "Small", 100);
    assert!(small > Plan::BUILT_IN);
    store.plan_default(small, &actor(), NOW).unwrap();
    let second = store.account_add("Second", &actor(), NOW).unwrap();
    assert_eq!(second.subscription.standing, Standing::Plan(small));
    let limits = [&first, &second].map(|account| limit(store, account.id, NOW.day()));
    assert_eq!(limits, [None, Some(100)], "who was there stays");
    let third = store.account_add_without_plan("Third", &actor(), NOW).unwrap();
    assert_eq!((third.standing(NOW.day()), limit(store, third.id, NOW.day())), (Standing::Unapproved, Some(0)));
    let defaults: Vec<_> =
        store.directory().plans.values().filter(|plan| plan.is_default).map(|plan| plan.id).collect();
    assert_eq!(defaults, [small]);
}

pub(crate) async fn a_plan_changes_for_those_that_are_on_it(store: &impl Store) {
    let small = add(store, "Small", 100);
    let account = store.account_add("Acme", &actor(), NOW).unwrap().id;
    store.subscribe(account, SubscriptionChange::Put(Some(small)), &actor(), NOW).unwrap();
    let kept = store.plan_set(small, terms("Smaller", Some(50)), &actor(), NOW).unwrap();
    assert_eq!((&kept.terms, limit(store, account, NOW.day())), (&terms("Smaller", Some(50)), Some(50)));
    let missing = store.plan_set(Id::new(99), terms("X", None), &actor(), NOW);
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
    let told: Vec<_> = store.audit(None, 2).unwrap().into_iter().map(|entry| (entry.action, entry.account)).collect();
    assert_eq!(told, [("plan.set".to_owned(), None), ("account.plan".to_owned(), Some(account))]);
}

pub(crate) async fn a_plan_in_use_is_retired_and_not_deleted(store: &impl Store) {
    let (small, large) = (add(store, "Small", 100), add(store, "Large", 1_000));
    let account = store.account_add("Acme", &actor(), NOW).unwrap().id;
    let delete = |plan| store.plan_delete(plan, &actor(), NOW);
    assert!(matches!(delete(Plan::BUILT_IN), Err(StoreError::Conflict(_))), "it is the default");
    assert!(matches!(store.plan_retire(Plan::BUILT_IN, true, &actor(), NOW), Err(StoreError::Conflict(_))));
    store.subscribe(account, SubscriptionChange::Put(Some(large)), &actor(), NOW).unwrap();
    let request = ask(store, account, Some(small));
    assert!(matches!(delete(small), Err(StoreError::Conflict(_))), "it is asked for");
    store.subscribe(account, SubscriptionChange::Approve { request }, &actor(), NOW).unwrap();
    assert!(matches!(delete(small), Err(StoreError::Conflict(_))), "it follows");
    assert!(matches!(delete(large), Err(StoreError::Conflict(_))), "it is in force");
    assert!(store.plan_retire(large, true, &actor(), NOW).unwrap().is_retired);
    assert_eq!(limit(store, account, NOW.day()), Some(1_000), "who is on it stays");
    assert!(matches!(store.plan_default(large, &actor(), NOW), Err(StoreError::Conflict(_))));
    store.subscribe(account, SubscriptionChange::Put(Some(small)), &actor(), NOW).unwrap();
    delete(large).unwrap();
    assert!(!store.directory().plans.contains_key(&large));
    assert!(add(store, "Third", 5) > large, "a number is never given twice");
    // what was asked for and granted goes with the plan
    store.subscribe(account, SubscriptionChange::Put(Some(Plan::BUILT_IN)), &actor(), NOW).unwrap();
    delete(small).unwrap();
    assert_eq!(store.directory().accounts[&account].subscription.request, None);
}

pub(crate) async fn a_request_is_asked_answered_and_kept(store: &impl Store) {
    let (small, large) = (add(store, "Small", 100), add(store, "Large", 1_000));
    let (one, other) =
        (store.account_add("One", &actor(), NOW).unwrap().id, store.account_add("Other", &actor(), NOW).unwrap().id);
    store.subscribe(one, SubscriptionChange::Put(Some(small)), &actor(), NOW).unwrap();
    let (first, second) = (ask(store, one, Some(large)), ask(store, other, None));
    assert!(second > first);
    let strange = store.subscribe(one, SubscriptionChange::Approve { request: second }, &actor(), NOW);
    assert!(matches!(strange, Err(StoreError::NotFound(_))), "that is another's");
    store.subscribe(one, SubscriptionChange::Approve { request: first }, &actor(), NOW).unwrap();
    assert_eq!(limit(store, one, NOW.day()), Some(1_000));
    let decline = SubscriptionChange::Decline { request: second, reason: "Stay".into() };
    store.subscribe(other, decline, &actor(), NOW).unwrap();
    let kept = store.directory().accounts[&other].subscription.request.clone().unwrap();
    assert_eq!((kept.message.as_str(), kept.asked_by.as_str()), ("Please\nsoon", "jane@example.com"));
    assert_eq!(kept.answer.unwrap().reason, "Stay");
    let third = ask(store, other, None);
    assert!(third > second);
    store.subscribe(other, SubscriptionChange::Withdraw, &actor(), NOW).unwrap();
    let told: Vec<_> = store.audit(Some(other), 10).unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(told, ["plan.withdraw", "plan.ask", "plan.decline", "plan.ask", "account.add"]);
}

pub(crate) async fn what_follows_begins_on_its_day(store: &impl Store) {
    let (small, large) = (add(store, "Small", 100), add(store, "Large", 1_000));
    let account = store.account_add("Acme", &actor(), NOW).unwrap().id;
    store.subscribe(account, SubscriptionChange::Put(Some(large)), &actor(), NOW).unwrap();
    let request = ask(store, account, Some(small));
    let after = store.subscribe(account, SubscriptionChange::Approve { request }, &actor(), NOW).unwrap();
    let from = after.subscription.next.unwrap().from;
    assert_eq!(from, Quota::default().period(NOW.day()).renews);
    let moved = after.own_quota.moved_to(9, NOW.day());
    let after = store.account_quota(account, moved, &actor(), NOW).unwrap();
    let from = after.subscription.next.unwrap().from;
    assert_eq!(from, moved.period(NOW.day()).renews);
    assert_eq!((limit(store, account, from.before(1)), limit(store, account, from)), (Some(1_000), Some(100)));
    // whatever is changed once it has begun keeps it so
    let later = Timestamp((from.0 + 1) * 86_400_000);
    let settled = store.account_quota(account, Quota { recipients: Some(7), ..moved }, &actor(), later).unwrap();
    assert_eq!((settled.subscription.standing, settled.subscription.next), (Standing::Plan(small), None));
    assert_eq!(limit(store, account, later.day()), Some(7));
}

pub(crate) async fn contacts_are_kept(store: &impl Store) {
    let account = store.account_add("Acme", &actor(), NOW).unwrap();
    assert_eq!(account.contacts, Contacts::default());
    let contact = |name: &str| Some(Contact { name: name.into(), email: "bills@example.com".into() });
    let contacts = Contacts { primary: None, billing: contact("Élise") };
    assert_eq!(store.contacts_set(account.id, contacts.clone(), &actor(), NOW).unwrap().contacts, contacts);
    assert_eq!(store.directory().accounts[&account.id].contacts, contacts);
    assert_eq!(store.audit(Some(account.id), 1).unwrap()[0].action, "account.contacts");
    let missing = store.contacts_set(Id::new(99), contacts, &actor(), NOW);
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
}
