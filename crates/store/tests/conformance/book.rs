//! Accounts, domains and users: what a verb says is true when it returns.

use std::collections::HashMap;
use std::sync::Arc;

use relay::account::{AccountState, Leaving};
use relay::audit::{About, Details, Field, Kind};
use relay::certificate::{self, Alarm};
use relay::clock::{Day, Timestamp};
use relay::id::Id;
use relay::inspection::{Dmarc, ReturnPath, Spf};
use relay::power::{Power, Powers};
use relay::quota::Quota;
use relay::quota::alert::Told;
use relay::sending_domain::{DomainState, KeyAlgorithm, SendingDomain};
use relay::smtp_user::{PasswordHash, UserRules};
use relay::store::{AuditEntry, Block, NewApiKey, SmtpUserChange, Store, StoreError};
use relay::suppression::Suppression;
use relay::verification::{Check, RecordState, Witness};

use crate::world::*;

pub(crate) fn account(store: &impl Store) -> Id<relay::account::Account> {
    store.account_add("Bakery", &operator(), NOW).unwrap().id
}

pub(crate) fn domain(store: &impl Store, account: Id<relay::account::Account>, name: &str) -> Id<SendingDomain> {
    let selector = format!("s{account}{}", name.replace('.', ""));
    store.domain_add(account, name, vec![key(&selector)], &operator(), NOW).unwrap().id
}

fn state(store: &impl Store, domain: Id<SendingDomain>) -> DomainState {
    store.directory().domains[&domain].state
}

fn set(store: &impl Store, domain: Id<SendingDomain>, state: DomainState) -> Result<(), StoreError> {
    store.domain_state(domain, state, &operator(), later(1)).map(drop)
}

pub(crate) async fn accounts_are_numbered_and_never_again(store: &impl Store) {
    let first = store.account_add("Bakery", &operator(), NOW).unwrap();
    let second = store.account_add("Bakery", &operator(), later(1)).unwrap();
    assert!(second.id > first.id);
    assert_eq!((first.name.as_str(), first.state, first.created_at), ("Bakery", AccountState::Active, NOW));
    let domain = domain(store, first.id, "example.com");
    let gone = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap();
    store.smtp_user_delete(gone.id, &operator(), NOW).unwrap();
    let next = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap();
    assert!(next.id > gone.id);
}

pub(crate) async fn a_change_decides_before_the_verb_returns(store: &impl Store) {
    let account = account(store);
    let before = store.directory();
    let suspended = store.account_state(account, AccountState::Suspended, &operator(), later(1)).unwrap();
    assert_eq!(suspended.state, AccountState::Suspended);
    let after = store.directory();
    assert_eq!(after.accounts[&account].state, AccountState::Suspended);
    assert!(after.generation > before.generation);
    assert_eq!(before.accounts[&account].state, AccountState::Active, "a shared snapshot was changed");
    let domain = domain(store, account, "example.com");
    let user = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap();
    assert_eq!(store.directory().user_named("k1"), Some(&user));
    store.smtp_user_delete(user.id, &operator(), NOW).unwrap();
    assert_eq!(store.directory().user_named("k1"), None);
}

pub(crate) async fn every_change_is_in_the_audit_log(store: &impl Store) {
    let (account, other) = (account(store), account(store));
    let domain = domain(store, account, "example.com");
    set(store, domain, DomainState::Vouched).unwrap();
    store.domain_bounce_mails(domain, false, &operator(), later(2)).unwrap();
    let user = store.smtp_user_add(user(domain, "k1"), &operator(), later(3)).unwrap().id;
    let change = SmtpUserChange::Passwords(vec![PasswordHash([2; 32])]);
    store.smtp_user_change(user, "smtp_user.reset", change, &operator(), later(4)).unwrap();
    store.smtp_user_delete(user, &operator(), later(5)).unwrap();
    store.domain_delete(domain, false, &operator(), later(6)).unwrap();
    store.account_state(account, AccountState::Suspended, &operator(), later(7)).unwrap();
    let log = store.audit(Some(account), 100).unwrap();
    assert!(log.iter().all(|entry| entry.details.as_ref().is_some_and(|told| told.to_string() == entry.subject)));
    let actions: Vec<&str> = log.iter().rev().map(|entry| entry.action.as_str()).collect();
    let expected = [
        "account.add",
        "domain.add",
        "domain.vouch",
        "domain.bounce_mails_off",
        "smtp_user.add",
        "smtp_user.reset",
        "smtp_user.delete",
        "domain.delete",
        "account.suspend",
    ];
    assert_eq!(actions, expected);
    assert!(log.iter().all(|entry| entry.actor == operator() && entry.account == Some(account)));
    assert_eq!((log[0].at, log[0].subject.as_str()), (later(7), format!("account {account} Bakery").as_str()));
    assert_eq!(store.audit(Some(other), 100).unwrap().len(), 1);
    assert_eq!(store.audit(None, 3).unwrap().len(), 3);
    assert_eq!(store.audit(None, 100).unwrap().len(), expected.len() + 1);
}

pub(crate) async fn what_is_noted_is_in_the_audit_log(store: &impl Store) {
    let (account, other) = (account(store), account(store));
    let before = store.directory().generation;
    let told = Details::from(About::numbered(Kind::Message, 7)).with(Field::Rows, &3);
    let entry = |action, account| AuditEntry::new(later(1), operator(), action, told.clone(), account);
    let (held, nobodys) = (entry("queue.hold", Some(account)), entry("queue.retry", None));
    store.audit_note(held.clone()).unwrap();
    store.audit_note(nobodys.clone()).unwrap();
    assert_eq!(store.audit(Some(account), 1).unwrap(), std::slice::from_ref(&held));
    assert_eq!(store.audit(None, 2).unwrap(), [nobodys, held], "the newest comes first");
    assert_eq!(store.audit(Some(other), 100).unwrap().len(), 1);
    assert_eq!(store.directory().generation, before, "a note decides nothing");
}

pub(crate) async fn what_does_not_exist_is_told(store: &impl Store) {
    let by = &operator();
    let is_told = |result: Result<(), StoreError>| matches!(result, Err(StoreError::NotFound(_)));
    assert!(is_told(store.account_state(Id::new(9), AccountState::Active, by, NOW).map(drop)));
    assert!(is_told(store.domain_add(Id::new(9), "example.com", vec![], by, NOW).map(drop)));
    assert!(is_told(store.domain_state(Id::new(9), DomainState::Vouched, by, NOW).map(drop)));
    assert!(is_told(store.domain_bounce_mails(Id::new(9), true, by, NOW).map(drop)));
    assert!(is_told(store.domain_check(Id::new(9), found(NOW, &["s"])).map(drop)));
    assert!(is_told(store.domain_key(Id::new(9), "s").map(drop)));
    assert!(is_told(store.domain_delete(Id::new(9), false, by, NOW)));
    assert!(is_told(store.smtp_user_add(user(Id::new(9), "k"), by, NOW).map(drop)));
    let change = SmtpUserChange::Enabled(false);
    assert!(is_told(store.smtp_user_change(Id::new(9), "smtp_user.disable", change, by, NOW).map(drop)));
    assert!(is_told(store.smtp_user_delete(Id::new(9), by, NOW)));
    assert!(is_told(
        store
            .suppress(
                Id::new(9),
                &[("a@example.org".to_owned(), Suppression::manual("asked", NOW))],
                true,
                Some(by),
                NOW
            )
            .map(drop)
    ));
    assert!(is_told(store.unsuppress(Id::new(9), "a@example.org", None, by, NOW)));
    assert!(is_told(store.block_lift(REMOTE, by, NOW)));
    assert!(store.audit(None, 10).unwrap().is_empty(), "what failed is in the audit log");
}

pub(crate) async fn a_domain_is_added_once_per_account(store: &impl Store) {
    let (first, second) = (account(store), account(store));
    let id = domain(store, first, "Example.COM");
    let added = store.directory().domains[&id].clone();
    assert_eq!((added.name.as_str(), added.state, added.bounce_mails), ("example.com", DomainState::Pending, true));
    let again = store.domain_add(first, "example.com", vec![key("another")], &operator(), NOW);
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    domain(store, first, "sub.example.com");
    domain(store, second, "example.com");
}

pub(crate) async fn selectors_are_never_given_twice(store: &impl Store) {
    let account = account(store);
    let is_told = |result: Result<_, StoreError>| matches!(result, Err(StoreError::Conflict(_)));
    let twice = store.domain_add(account, "example.com", vec![key("one"), key("one")], &operator(), NOW);
    assert!(is_told(twice));
    let first = store.domain_add(account, "example.com", vec![key("one")], &operator(), NOW).unwrap();
    assert!(is_told(store.domain_add(account, "example.org", vec![key("one")], &operator(), NOW)));
    store.domain_delete(first.id, false, &operator(), NOW).unwrap();
    assert!(is_told(store.domain_add(account, "example.org", vec![key("one")], &operator(), NOW)));
}

pub(crate) async fn only_one_account_validates_a_name(store: &impl Store) {
    let (first, second) = (account(store), account(store));
    let (first, second) = (domain(store, first, "example.com"), domain(store, second, "example.com"));
    set(store, first, DomainState::Validated).unwrap();
    for stronger in [DomainState::Validated, DomainState::Warning, DomainState::Vouched] {
        assert!(matches!(set(store, second, stronger), Err(StoreError::Conflict(_))));
    }
    set(store, second, DomainState::Failed).unwrap();
    set(store, first, DomainState::Warning).unwrap();
    assert!(matches!(set(store, second, DomainState::Validated), Err(StoreError::Conflict(_))));
    set(store, first, DomainState::Failed).unwrap();
    set(store, second, DomainState::Validated).unwrap();
    assert_eq!((state(store, first), state(store, second)), (DomainState::Failed, DomainState::Validated));
}

pub(crate) async fn a_vouched_domain_loses_to_a_validated_one(store: &impl Store) {
    let (loser, winner) = (account(store), account(store));
    let (vouched, proven) = (domain(store, loser, "example.com"), domain(store, winner, "example.com"));
    set(store, vouched, DomainState::Vouched).unwrap();
    set(store, proven, DomainState::Validated).unwrap();
    assert_eq!((state(store, vouched), state(store, proven)), (DomainState::Pending, DomainState::Validated));
    let log = store.audit(Some(loser), 1).unwrap();
    assert_eq!((log[0].action.as_str(), log[0].actor.name.as_str()), ("domain.vouch_lost", "system"));
}

pub(crate) async fn two_vouched_domains_of_one_name_conflict(store: &impl Store) {
    let (first, second) = (account(store), account(store));
    let (first, second) = (domain(store, first, "example.com"), domain(store, second, "example.com"));
    set(store, first, DomainState::Vouched).unwrap();
    assert!(matches!(set(store, second, DomainState::Vouched), Err(StoreError::Conflict(_))));
    set(store, first, DomainState::Vouched).unwrap();
    store.domain_delete(first, false, &operator(), NOW).unwrap();
    set(store, second, DomainState::Vouched).unwrap();
}

pub(crate) async fn a_deleted_domain_takes_its_users_and_keeps_its_keys(store: &impl Store) {
    let account = account(store);
    let (gone, stays) = (domain(store, account, "example.com"), domain(store, account, "example.net"));
    store.smtp_user_add(user(gone, "k1"), &operator(), NOW).unwrap();
    store.smtp_user_add(user(gone, "k2"), &operator(), NOW).unwrap();
    let other = store.smtp_user_add(user(stays, "k3"), &operator(), NOW).unwrap();
    let selector = store.directory().domains[&gone].keys[0].selector.clone();
    store.domain_delete(gone, true, &operator(), later(5)).unwrap();
    let directory = store.directory();
    assert!(directory.domains[&gone].cancels_mail && !directory.domains[&stays].cancels_mail);
    assert_eq!(directory.users.keys().copied().collect::<Vec<_>>(), [other.id]);
    assert_eq!(directory.usernames.len(), 1);
    assert_eq!(directory.domains[&gone].deleted_at, Some(later(5)));
    assert_eq!(directory.domains[&gone].keys.len(), 1);
    assert!(store.domain_key(gone, &selector).is_ok());
    let is_told = |result: Result<(), StoreError>| matches!(result, Err(StoreError::NotFound(_)));
    assert!(is_told(store.domain_delete(gone, false, &operator(), later(6))));
    assert!(is_told(set(store, gone, DomainState::Vouched)));
    assert!(is_told(store.smtp_user_add(user(gone, "k4"), &operator(), later(6)).map(drop)));
}

pub(crate) async fn a_domain_added_again_is_another(store: &impl Store) {
    let account = account(store);
    let first = domain(store, account, "example.com");
    store.domain_delete(first, false, &operator(), NOW).unwrap();
    let second = store.domain_add(account, "example.com", vec![key("new")], &operator(), NOW).unwrap();
    assert!(second.id > first);
    assert_eq!((second.state, second.keys[0].selector.as_str()), (DomainState::Pending, "new"));
    assert_eq!(store.directory().domains.len(), 2);
}

pub(crate) async fn a_key_comes_back_as_it_was_given(store: &impl Store) {
    let account = account(store);
    let keys = vec![key("one"), key("two")];
    let domain = store.domain_add(account, "example.com", keys.clone(), &operator(), NOW).unwrap();
    assert_eq!(domain.keys, [keys[0].key.clone(), keys[1].key.clone()]);
    for given in keys {
        assert_eq!(store.domain_key(domain.id, &given.key.selector).unwrap(), given.private);
    }
    let other = self::domain(store, account, "example.net");
    assert!(matches!(store.domain_key(other, "one"), Err(StoreError::NotFound(_))));
}

pub(crate) async fn a_key_is_seen_once(store: &impl Store) {
    let account = account(store);
    let keys = vec![key("one"), key("two")];
    let domain = store.domain_add(account, "example.com", keys, &operator(), NOW).unwrap().id;
    store.domain_check(domain, found(later(5), &["two"])).unwrap();
    store.domain_check(domain, found(later(9), &["two", "three"])).unwrap();
    let seen: Vec<_> = store.directory().domains[&domain].keys.iter().map(|key| key.seen_at).collect();
    assert_eq!(seen, [None, Some(later(5))]);
    store.domain_check(domain, found(later(8), &[])).unwrap();
    let kept = store.directory().domains[&domain].check.clone();
    assert_eq!(kept, Some(found(later(9), &["two", "three"])));
}

pub(crate) async fn dns_validates_a_domain_and_gives_it_72_hours(store: &impl Store) {
    let account = account(store);
    let domain = store.domain_add(account, "example.com", vec![key("one")], &operator(), NOW).unwrap().id;
    let lost = |at| Check::new(at, vec![("one".into(), RecordState::Absent)]);
    let state = |check| store.domain_check(domain, check).unwrap().state;
    assert_eq!(state(lost(later(1))), DomainState::Pending);
    assert_eq!(state(found(later(2), &["one"])), DomainState::Validated);
    assert_eq!(state(lost(later(3))), DomainState::Warning);
    assert_eq!(store.directory().domains[&domain].lost_at, Some(later(3)));
    assert_eq!(state(lost(later(3 + 71 * 3600))), DomainState::Warning);
    assert_eq!(state(lost(later(3 + 72 * 3600))), DomainState::Failed);
    assert_eq!(state(found(later(300_000), &["one"])), DomainState::Validated);
    assert_eq!(store.directory().domains[&domain].lost_at, None);
    let actions: Vec<_> = store.audit(Some(account), 5).unwrap().into_iter().map(|line| line.action).collect();
    assert_eq!(
        actions,
        ["domain.validate", "domain.fail", "domain.warn", "domain.validate", "domain.key_seen"],
        "a look that changes nothing leaves no line"
    );
}

pub(crate) async fn dns_does_not_validate_what_another_account_has_proven(store: &impl Store) {
    let (one, other) = (account(store), account(store));
    let add =
        |account, selector| store.domain_add(account, "example.com", vec![key(selector)], &operator(), NOW).unwrap().id;
    let (first, second) = (add(one, "one"), add(other, "two"));
    set(store, second, DomainState::Vouched).unwrap();
    assert_eq!(store.domain_check(first, found(NOW, &["one"])).unwrap().state, DomainState::Validated);
    assert_eq!(state(store, second), DomainState::Pending, "the operator's word gives way");
    assert_eq!(store.domain_check(second, found(NOW, &["two"])).unwrap().state, DomainState::Pending);
    store.domain_delete(first, false, &operator(), later(1)).unwrap();
    assert_eq!(store.domain_check(second, found(later(2), &["two"])).unwrap().state, DomainState::Validated);
}

pub(crate) async fn a_claim_that_misses_records_gives_way_to_one_that_has_all(store: &impl Store) {
    let (old, new) = (account(store), account(store));
    let add =
        |account, selector| store.domain_add(account, "example.com", vec![key(selector)], &operator(), NOW).unwrap().id;
    let (holder, taker) = (add(old, "one"), add(new, "two"));
    let look = |domain, at, selectors: &[&str]| store.domain_check(domain, found(later(at), selectors)).unwrap();
    let lost = |at| Check::new(later(at), vec![("one".into(), RecordState::Absent)]);
    assert_eq!(look(holder, 1, &["one"]).state, DomainState::Validated);
    let waiting = look(taker, 2, &["two"]);
    assert_eq!(waiting.state, DomainState::Pending, "both have their records: the first holds the name");
    assert!(relay::verification::is_held_elsewhere(&waiting));
    assert_eq!(store.domain_check(holder, lost(3)).unwrap().state, DomainState::Warning);
    assert_eq!(look(taker, 4, &["two"]).state, DomainState::Validated);
    assert_eq!(store.directory().domains[&holder].state, DomainState::Failed);
    let log = store.audit(Some(old), 1).unwrap();
    assert_eq!((log[0].action.as_str(), log[0].actor.name.as_str()), ("domain.claim_lost", "system"));
    assert_eq!(look(holder, 5, &["one"]).state, DomainState::Failed, "now the other holds it");
    assert_eq!(state(store, taker), DomainState::Validated);
}

pub(crate) async fn a_word_taken_back_is_looked_at_anew(store: &impl Store) {
    let account = account(store);
    let domain = store.domain_add(account, "example.com", vec![key("one")], &operator(), NOW).unwrap().id;
    set(store, domain, DomainState::Vouched).unwrap();
    store.domain_check(domain, found(later(1), &["one"])).unwrap();
    set(store, domain, DomainState::Pending).unwrap();
    let taken_back = store.directory().domains[&domain].clone();
    assert_eq!((taken_back.state, &taken_back.check), (DomainState::Pending, &None));
    assert_eq!(
        relay::verification::reason(&taken_back, &relay::zone::Publisher::default()),
        "",
        "nobody else holds the name"
    );
    assert_eq!(store.domain_check(domain, found(later(2), &["one"])).unwrap().state, DomainState::Validated);
}

pub(crate) async fn usernames_are_unique(store: &impl Store) {
    let domain = domain(store, account(store), "example.com");
    let added = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap();
    assert_eq!((added.account, added.domain, added.enabled), (Id::new(1), domain, true));
    let again = store.smtp_user_add(user(domain, "k1"), &operator(), NOW);
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    assert_eq!(store.directory().users.len(), 1);
}

pub(crate) async fn an_smtp_user_changes_in_each_way(store: &impl Store) {
    let domain = domain(store, account(store), "example.com");
    let id = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap().id;
    let rules = UserRules { sandbox: true, networks: vec!["192.0.2.0/24".parse().unwrap()], ..UserRules::default() };
    let passwords = vec![PasswordHash([2; 32]), PasswordHash([3; 32])];
    let change = |change| store.smtp_user_change(id, "smtp_user.change", change, &operator(), later(1));
    change(SmtpUserChange::Name("Printer".into())).unwrap();
    change(SmtpUserChange::Enabled(false)).unwrap();
    change(SmtpUserChange::Rules(rules.clone())).unwrap();
    let last = change(SmtpUserChange::Passwords(passwords.clone())).unwrap();
    assert_eq!((last.name.as_str(), last.enabled, &last.rules), ("Printer", false, &rules));
    assert_eq!((&last.passwords, last.username.as_str()), (&passwords, "k1"));
    assert_eq!(store.directory().users[&id], last);
    let three = SmtpUserChange::Passwords(vec![PasswordHash([4; 32]); 3]);
    assert!(matches!(change(three), Err(StoreError::Conflict(_))));
}

pub(crate) async fn the_audit_log_is_read_in_parts(store: &impl Store) {
    let account = account(store);
    for name in ["a.example", "b.example", "c.example"] {
        domain(store, account, name);
    }
    let all = store.audit_before(None, None, 100).unwrap();
    assert!(all.windows(2).all(|pair| pair[0].0 > pair[1].0), "{all:?}");
    let (mut parts, mut before) = (Vec::new(), None);
    loop {
        let part = store.audit_before(None, before, 2).unwrap();
        let Some((last, _)) = part.last() else { break };
        before = Some(*last);
        parts.extend(part);
    }
    assert_eq!(parts, all);
    let of_account = store.audit_before(Some(account), Some(all[0].0), 1).unwrap();
    assert_eq!(of_account, [all[1].clone()]);
}

pub(crate) async fn api_keys_work_until_they_are_deleted(store: &impl Store) {
    let account = account(store);
    let new = |name: &str, account| NewApiKey {
        account,
        name: name.into(),
        powers: Powers::from_iter([Power::Activity, Power::Submit]),
        read_only: true,
        expires_at: Some(later(900)),
    };
    let add =
        |name, account, octet, at| store.api_key_add(new(name, account), PasswordHash([octet; 32]), &operator(), at);
    let key = add("Deploy", Some(account), 1, NOW).unwrap();
    let own = add("Watch", None, 2, NOW).unwrap();
    let again = add("Copy", None, 2, NOW);
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    let nobody = add("Copy", Some(Id::new(99)), 3, NOW);
    assert!(matches!(nobody, Err(StoreError::NotFound(_))));
    let directory = store.directory();
    assert_eq!(directory.api_key_of(&PasswordHash([1; 32])), Some(&key));
    assert_eq!((key.account, own.account, key.expires_at), (Some(account), None, Some(later(900))));
    store.api_keys_used(&[(key.id, later(5)), (Id::new(99), later(5))]).unwrap();
    store.api_keys_used(&[(key.id, later(3))]).unwrap();
    assert_eq!(store.api_key_uses().unwrap(), HashMap::from([(key.id, later(5))]));
    store.api_key_delete(key.id, &operator(), later(6)).unwrap();
    assert_eq!(store.directory().api_key_of(&PasswordHash([1; 32])), None);
    assert!(store.api_key_uses().unwrap().is_empty());
    assert!(matches!(store.api_key_delete(key.id, &operator(), later(6)), Err(StoreError::NotFound(_))));
    let further = add("Further", Some(account), 4, later(7)).unwrap();
    assert!(further.id > own.id, "a number is never given twice");
    let log = store.audit(Some(account), 2).unwrap();
    assert_eq!([log[0].action.as_str(), log[1].action.as_str()], ["api_key.add", "api_key.delete"]);
    assert_eq!(log[0].details, Some(further.audited()));
}

pub(crate) async fn blocks_are_kept_and_lifted(store: &impl Store) {
    let block = Block {
        address: REMOTE,
        cause: "5 wrong passwords".into(),
        since: NOW,
        until: later(900),
        seconds: 900,
        accounts: vec![Id::new(1), Id::new(2)],
    };
    let grown = Block { since: later(1000), until: later(2800), seconds: 1800, ..block.clone() };
    let other = Block { address: "2001:db8::".parse().unwrap(), ..block.clone() };
    for block in [&block, &other, &grown] {
        store.block_put(block).unwrap();
    }
    assert_eq!(store.blocks().unwrap(), [other.clone(), grown]);
    let (one, two) = (account(store), account(store));
    store.block_lift(REMOTE, &operator(), later(1200)).unwrap();
    assert_eq!(store.blocks().unwrap(), [other]);
    for concerned in [one, two] {
        let log = store.audit(Some(concerned), 1).unwrap();
        assert_eq!((log[0].action.as_str(), log[0].subject.as_str()), ("block.lift", "block 192.0.2.7"));
    }
    let lines = store.audit(None, 10).unwrap();
    let lifts: Vec<_> = lines.iter().filter(|line| line.action == "block.lift").map(|line| line.account).collect();
    assert_eq!(lifts, [None, Some(two), Some(one)]);
    let log = store.audit(None, 1).unwrap();
    assert_eq!((log[0].action.as_str(), log[0].subject.as_str()), ("block.lift", "block 192.0.2.7"));
}

pub(crate) async fn signing_moves_to_the_other_selector_once_it_was_seen(store: &impl Store) {
    let account = account(store);
    let spare = |selector: &str| {
        let mut new = key(selector);
        new.key.active = false;
        new
    };
    let mut rsa = key("rsa");
    rsa.key.algorithm = KeyAlgorithm::Rsa2048;
    let keys = vec![key("one"), spare("two"), rsa];
    let id = store.domain_add(account, "example.com", keys, &operator(), NOW).unwrap().id;
    let rotate = |algorithm, force| store.domain_rotate(id, algorithm, force, &operator(), later(1));
    let active = || -> Vec<String> {
        let domain = Arc::clone(&store.directory().domains[&id]);
        domain.keys.iter().filter(|key| key.active).map(|key| key.selector.clone()).collect()
    };
    let refused = rotate(KeyAlgorithm::Ed25519, false).unwrap_err();
    assert!(matches!(&refused, StoreError::Conflict(why) if why.contains("two._domainkey.example.com")), "{refused}");
    assert!(matches!(rotate(KeyAlgorithm::Rsa2048, true), Err(StoreError::Conflict(_))), "there is but one");
    assert_eq!(active(), ["one", "rsa"]);
    store.domain_check(id, found(NOW, &["two"])).unwrap();
    let rotated = rotate(KeyAlgorithm::Ed25519, false).unwrap();
    assert_eq!(rotated, store.directory().domains[&id]);
    assert_eq!(active(), ["two", "rsa"]);
    let private = store.domain_key(id, "one").unwrap();
    assert_eq!(private.expose(), b"private half of one", "what was sealed may be looked at, and rotated back to");
    assert!(rotate(KeyAlgorithm::Ed25519, false).is_err(), "the first was never seen");
    let looked_at = |at, records| store.domain_check(id, Check::new(at, records)).unwrap();
    let both = |finding: RecordState| vec![("one".to_owned(), finding), ("two".to_owned(), RecordState::Right)];
    looked_at(later(1), both(RecordState::Right));
    looked_at(later(2), both(RecordState::Absent));
    let refused = rotate(KeyAlgorithm::Ed25519, false).unwrap_err();
    assert!(refused.to_string().contains("one._domainkey.example.com"), "it was there, and is not any more: {refused}");
    looked_at(later(3), both(RecordState::Unknown { fault: "SERVFAIL".into() }));
    assert!(rotate(KeyAlgorithm::Ed25519, false).is_err(), "a fault of DNS does not bring it back");
    rotate(KeyAlgorithm::Ed25519, true).unwrap();
    assert_eq!(active(), ["one", "rsa"]);
    let audit = store.audit(Some(account), 1).unwrap();
    assert_eq!((audit[0].action.as_str(), &audit[0].actor), ("domain.rotate", &operator()));
    let told = format!("domain {id} example.com: algorithm ed25519; selector from two to one");
    assert_eq!(audit[0].subject, told);
    let gone = store.domain_rotate(Id::new(99), KeyAlgorithm::Ed25519, true, &operator(), NOW);
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
}

pub(crate) async fn a_look_is_kept_with_all_that_it_found(store: &impl Store) {
    let (account, name) = (account(store), "example.com");
    let id = store.domain_add(account, name, vec![key("one")], &operator(), NOW).unwrap().id;
    let server = Some("192.0.2.53:53".parse().unwrap());
    let look = Check {
        witnesses: vec![Witness { name: "one._domainkey.example.com".into(), alias: Some("one.test".into()), server }],
        return_path: Some(ReturnPath {
            mail: RecordState::Wrong { found: vec!["10 mail.test".into()] },
            spf: Spf::Refused { address: "2001:db8::1".parse().unwrap(), term: Some("-all".into()) },
        }),
        dmarc: Some(Dmarc { at: Some("_dmarc.example.com".into()), is_trial: true, server, ..Dmarc::default() }),
        ..found(later(1), &["one"])
    };
    store.domain_check(id, look.clone()).unwrap();
    assert_eq!(store.directory().domains[&id].check.as_ref(), Some(&look));
}

pub(crate) async fn what_was_told_of_a_quota_is_kept(store: &impl Store) {
    let (one, other) = (account(store), store.account_add("Other", &operator(), NOW).unwrap().id);
    let told = |period, step| Told { period: Day(period), step };
    store.quota_told(one, told(20_000, 80)).unwrap();
    store.quota_told(other, told(20_000, 90)).unwrap();
    store.quota_told(one, told(20_030, 100)).unwrap();
    let kept = store.quotas_told().unwrap();
    assert_eq!((kept.len(), kept[&one], kept[&other]), (2, told(20_030, 100), told(20_000, 90)));
}

pub(crate) async fn what_was_told_of_a_certificate_is_kept(store: &impl Store) {
    let told = |ends, alarm| certificate::Told { ends: Timestamp(ends), alarm };
    store.certificate_told("/one.pem", told(5_000, Alarm::Soon)).unwrap();
    store.certificate_told("/other.pem", told(5_000, Alarm::Near)).unwrap();
    store.certificate_told("/one.pem", told(9_000, Alarm::Ended)).unwrap();
    let kept = store.certificates_told().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!((kept["/one.pem"], kept["/other.pem"]), (told(9_000, Alarm::Ended), told(5_000, Alarm::Near)));
}

pub(crate) async fn an_account_gets_another_quota(store: &impl Store) {
    let account = account(store);
    let quota_of = || store.directory().accounts[&account].own_quota;
    assert_eq!(quota_of(), Quota::default());
    let limited = Quota { recipients: Some(1_000), renews_on: 31, moved: None };
    let unlimited = Quota { recipients: None, ..limited.moved_to(5, NOW.day()) };
    for quota in [limited, unlimited] {
        assert_eq!(store.account_quota(account, quota, &operator(), later(1)).unwrap().own_quota, quota);
        assert_eq!(quota_of(), quota);
    }
    let log = store.audit(Some(account), 10).unwrap();
    let lines: Vec<(&str, &str)> = log.iter().map(|entry| (entry.action.as_str(), entry.subject.as_str())).collect();
    let subjects = [
        format!("account {account} Bakery: quota from 1000 to none; renews on from 31 to 5"),
        format!("account {account} Bakery: quota from none to 1000; renews on from 1 to 31"),
    ];
    assert_eq!(lines[..2], [("account.quota", subjects[0].as_str()), ("account.quota", subjects[1].as_str())]);
    assert!(matches!(store.account_quota(Id::new(999), limited, &operator(), NOW), Err(StoreError::NotFound(_))));
}

pub(crate) async fn a_deleted_account_takes_all_that_is_its(store: &impl Store) {
    let (gone, stays) = (account(store), store.account_add("Butcher", &operator(), NOW).unwrap().id);
    for (number, of) in [gone, stays].into_iter().enumerate() {
        let domain = domain(store, of, &format!("{number}.example"));
        store.smtp_user_add(user(domain, &format!("k{number}")), &operator(), NOW).unwrap();
        suppress_anna(store, of);
    }
    store.account_delete(gone, true, &operator(), later(5)).unwrap();
    let directory = store.directory();
    assert_eq!(directory.accounts.keys().copied().collect::<Vec<_>>(), [stays]);
    assert_eq!(directory.leaving[&gone], Leaving { since: later(5), cancels_mail: true });
    assert_eq!(directory.usernames.keys().collect::<Vec<_>>(), ["k1"]);
    assert_eq!(directory.suppressions.keys().copied().collect::<Vec<_>>(), [stays]);
    let deleted: Vec<_> = directory.domains.values().filter(|domain| domain.deleted_at == Some(later(5))).collect();
    assert!(deleted.len() == 1 && deleted[0].account == gone);
    assert!(matches!(store.account_delete(gone, true, &operator(), NOW), Err(StoreError::NotFound(_))));
    let told: Vec<_> = store.audit(Some(gone), 2).unwrap().into_iter().map(|line| line.action).collect();
    assert_eq!(told, ["account.delete", "domain.delete"]);
    assert!(store.account_add("Bakery", &operator(), NOW).unwrap().id > stays, "its number is not given again");
}
