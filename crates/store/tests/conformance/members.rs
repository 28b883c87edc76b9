//! Members, their sign-ins and links.

use std::net::IpAddr;

use relay::clock::Timestamp;
use relay::id::Id;
use relay::language::Language;
use relay::member::failures::{self, FailedSignIns, SignInFailure};
use relay::member::password::HashedPassword;
use relay::member::{CODE_PATIENCE, Link, Member, MemberChange, NewMember, SignIn};
use relay::power::Role;
use relay::smtp_user::PasswordHash;
use relay::store::{Actor, Store, StoreError};
use smtp::server::Secret;

use super::world::NOW;

fn actor() -> Actor {
    Actor { name: "operator".into(), from: "cli".into() }
}

fn wish(account: Option<Id<relay::account::Account>>, email: &str, role: Role) -> NewMember {
    NewMember { account, email: email.to_owned(), name: "Jane".into(), role, language: Language::French }
}

fn add(store: &impl Store, email: &str) -> Id<Member> {
    store.member_add(wish(None, email, Role::Administrator), &actor(), NOW).unwrap().id
}

fn sign_in(member: Id<Member>, token: u8) -> SignIn {
    SignIn {
        token: PasswordHash([token; 32]),
        member,
        created_at: NOW,
        seen_at: NOW,
        from: "192.0.2.7".parse::<IpAddr>().unwrap(),
        agent: "Browser".into(),
        confirmed: true,
        acting_for: None,
    }
}

/// Keeps a sign-in of a member as they are now.
fn enter(store: &impl Store, sign_in: SignIn) {
    let member = store.directory().members.get(&sign_in.member).cloned().unwrap();
    store.sign_in_add(sign_in, &member, &actor()).unwrap();
}

fn later(milliseconds: u64) -> Timestamp {
    Timestamp(NOW.0 + milliseconds)
}

pub(crate) async fn nobody_shares_an_address(store: &impl Store) {
    let account = store.account_add("Acme", &actor(), NOW).unwrap().id;
    let jane = store.member_add(wish(Some(account), "Jane@example.com", Role::Administrator), &actor(), NOW).unwrap();
    assert_eq!(store.directory().member_of(" jane@EXAMPLE.com ").map(|member| member.id), Some(jane.id));
    let again = store.member_add(wish(None, "jane@example.COM", Role::Administrator), &actor(), NOW);
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let nowhere = store.member_add(wish(Some(Id::new(99)), "a@example.com", Role::Regular), &actor(), NOW);
    assert!(matches!(nowhere, Err(StoreError::NotFound(_))), "{nowhere:?}");
}

pub(crate) async fn somebody_always_administers(store: &impl Store) {
    let account = store.account_add("Acme", &actor(), NOW).unwrap().id;
    let member = |email, role| store.member_add(wish(Some(account), email, role), &actor(), NOW).unwrap().id;
    let (one, other) = (member("a@example.com", Role::Administrator), member("b@example.com", Role::Regular));
    let role = |member, role| store.member_change(member, MemberChange::Role(role), &actor(), NOW);
    assert!(matches!(role(one, Role::Regular), Err(StoreError::Conflict(_))));
    assert!(matches!(store.member_remove(one, &actor(), NOW), Err(StoreError::Conflict(_))));
    // an administrator elsewhere does not help
    add(store, "operator@example.com");
    assert!(matches!(role(one, Role::Custom), Err(StoreError::Conflict(_))));
    role(other, Role::Administrator).unwrap();
    role(one, Role::CustomWithActivity).unwrap();
    assert!(matches!(store.member_remove(other, &actor(), NOW), Err(StoreError::Conflict(_))));
    store.member_remove(one, &actor(), NOW).unwrap();
    assert!(!store.directory().members.contains_key(&one));
    assert!(store.directory().member_of("a@example.com").is_none());
    let audit = store.audit(Some(account), 10).unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions[..3], ["member.remove", "member.role_custom_with_activity", "member.role_administrator"]);
}

pub(crate) async fn a_member_changes_in_each_way(store: &impl Store) {
    let jane = add(store, "jane@example.com");
    let change = |change| store.member_change(jane, change, &actor(), NOW).unwrap();
    let profile = MemberChange::Profile { name: "Jeanne".into(), language: Language::English };
    let kept = change(profile);
    assert_eq!((kept.name.as_str(), kept.language), ("Jeanne", Language::English));
    let password = HashedPassword("$argon2id$x".into());
    let kept = change(MemberChange::Password { password: password.clone(), keep: None });
    assert_eq!(kept.password, Some(password));
    let (seed, codes) = (Secret::new(vec![7; 20]), vec![PasswordHash([1; 32]), PasswordHash([2; 32])]);
    let kept = change(MemberChange::Totp(Some((seed.clone(), codes.clone()))));
    assert_eq!((kept.totp.as_ref(), &kept.recovery), (Some(&seed), &codes));
    let kept = change(MemberChange::RecoveryUsed(codes[0]));
    assert_eq!(kept.recovery, codes[1..]);
    let again = store.member_change(jane, MemberChange::RecoveryUsed(codes[0]), &actor(), NOW);
    assert!(matches!(again, Err(StoreError::NotFound(_))), "a code works once");
    let kept = change(MemberChange::Totp(None));
    assert_eq!((kept.totp.as_ref(), kept.recovery.len()), (None, 0));
    assert_eq!(store.directory().members.get(&jane), Some(&kept));
}

pub(crate) async fn sign_ins_end(store: &impl Store) {
    let (jane, john) = (add(store, "jane@example.com"), add(store, "john@example.com"));
    for (member, token) in [(jane, 1), (jane, 2), (jane, 3), (john, 4)] {
        enter(store, sign_in(member, token));
    }
    let found = |token: u8| store.sign_in(&PasswordHash([token; 32])).unwrap();
    assert_eq!(found(1), Some(sign_in(jane, 1)));
    store.sign_ins_seen(&[(PasswordHash([2; 32]), later(5)), (PasswordHash([9; 32]), later(5))]).unwrap();
    store.sign_ins_seen(&[(PasswordHash([2; 32]), later(3))]).unwrap();
    let seen: Vec<_> = store.sign_ins(jane).unwrap().iter().map(|kept| (kept.token.0[0], kept.seen_at)).collect();
    assert_eq!(seen, [(2, later(5)), (1, NOW), (3, NOW)]);
    store.sign_in_end(&PasswordHash([3; 32])).unwrap();
    assert_eq!(found(3), None);
    let (password, keep) = (HashedPassword("x".into()), Some(PasswordHash([2; 32])));
    store.member_change(jane, MemberChange::Password { password, keep }, &actor(), NOW).unwrap();
    assert!(found(1).is_none() && found(2).is_some() && found(4).is_some(), "a new password ends the others");
    store.sign_ins_prune(later(1), NOW, NOW).unwrap();
    assert!(found(2).is_some() && found(4).is_none(), "what was not used ends");
    store.sign_ins_prune(NOW, later(1), NOW).unwrap();
    assert!(found(2).is_none(), "what is too old ends");
    enter(store, sign_in(john, 5));
    let was = store.directory().members.get(&john).cloned().unwrap();
    store.member_remove(john, &actor(), NOW).unwrap();
    assert!(found(5).is_none(), "who is removed is signed out");
    let nobody = store.sign_in_add(sign_in(john, 6), &was, &actor());
    assert!(matches!(nobody, Err(StoreError::NotFound(_))), "{nobody:?}");
}

pub(crate) async fn a_sign_in_that_has_ended_acts_for_nobody(store: &impl Store) {
    let account = store.account_add("Acme", &actor(), NOW).unwrap().id;
    let jane = add(store, "jane@example.com");
    enter(store, sign_in(jane, 1));
    let found = || store.sign_in(&PasswordHash([1; 32])).unwrap();
    store.sign_in_act(&sign_in(jane, 1), Some(account), &actor(), later(1)).unwrap();
    assert_eq!(found().unwrap().acting_for, Some(account));
    let acting = found().unwrap();
    store.sign_in_act(&acting, None, &actor(), later(2)).unwrap();
    assert_eq!(found().unwrap().acting_for, None);
    let told: Vec<_> = store.audit(Some(account), 2).unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(told, ["member.leave_account", "member.sign_in_as"]);
    store.sign_in_end(&PasswordHash([1; 32])).unwrap();
    store.sign_in_act(&sign_in(jane, 1), Some(account), &actor(), later(3)).unwrap();
    assert_eq!(found(), None, "it has come back");
}

pub(crate) async fn places_are_remembered_longer_than_sign_ins(store: &impl Store) {
    let (jane, john) = (add(store, "jane@example.com"), add(store, "john@example.com"));
    let from = |address: &str, token| SignIn { from: address.parse().unwrap(), ..sign_in(jane, token) };
    enter(store, from("2001:db8:1:2:3::4", 1));
    enter(store, SignIn { confirmed: false, ..from("192.0.2.9", 2) });
    store.sign_in_end(&PasswordHash([1; 32])).unwrap();
    let place: IpAddr = "2001:db8:1:2::".parse().unwrap();
    assert_eq!(store.sites(jane).unwrap(), [(place, NOW)], "half a sign-in proves no place");
    assert_eq!(store.sites(john).unwrap(), []);
    store.sign_ins_prune(later(1), NOW, NOW).unwrap();
    assert_eq!(store.sites(jane).unwrap(), [(place, NOW)]);
    store.sign_ins_prune(later(1), later(1), NOW).unwrap();
    assert_eq!(store.sites(jane).unwrap(), []);
}

fn failed(member: Id<Member>, failure: SignInFailure, place: &str, at: u64) -> FailedSignIns {
    let place = Some(place.parse().unwrap());
    FailedSignIns { member, failure, place, count: 1, first_at: later(at), last_at: later(at) }
}

pub(crate) async fn failed_sign_ins_are_kept_bounded_and_forgotten(store: &impl Store) {
    let (jane, john) = (add(store, "jane@example.com"), add(store, "john@example.com"));
    let wrong = |member, place: &str, at| failed(member, SignInFailure::WrongPassword, place, at);
    let code = failed(jane, SignInFailure::WrongCode, "192.0.2.9", 2);
    store.sign_ins_failed(&[wrong(jane, "192.0.2.1", 1), code, wrong(john, "192.0.2.1", 3)]).unwrap();
    store.sign_ins_failed(&[wrong(jane, "192.0.2.1", 7), wrong(Id::new(99), "192.0.2.1", 1)]).unwrap();
    let both = FailedSignIns { count: 2, first_at: later(1), ..wrong(jane, "192.0.2.1", 7) };
    assert_eq!(store.failed_sign_ins(jane).unwrap(), [both, code]);
    assert_eq!(store.failed_sign_ins(Id::new(99)).unwrap(), []);
    let many: Vec<_> = (0..100_u64).map(|number| wrong(jane, &format!("2001:db8:0:{number}::"), 10 + number)).collect();
    store.sign_ins_failed(&many).unwrap();
    let kept = store.failed_sign_ins(jane).unwrap();
    assert_eq!((kept.len(), kept[0]), (failures::PLACES_MAX + 2, many[99]));
    assert!(kept.contains(&code) && kept.iter().map(|one| one.count).sum::<u64>() == 103);
    store.sign_ins_prune(NOW, later(90), NOW).unwrap();
    assert_eq!(store.failed_sign_ins(jane).unwrap().len(), failures::PLACES_MAX, "what came last");
    assert_eq!(store.failed_sign_ins(john).unwrap(), []);
    add(store, "admin@example.com");
    store.member_remove(jane, &actor(), NOW).unwrap();
    assert_eq!(store.failed_sign_ins(jane).unwrap(), []);
}

pub(crate) async fn a_sign_in_without_its_code_is_a_failure(store: &impl Store) {
    let jane = add(store, "jane@example.com");
    let half =
        |token: u8, at| SignIn { confirmed: false, created_at: later(at), seen_at: later(at), ..sign_in(jane, token) };
    let found = || store.failed_sign_ins(jane).unwrap();
    let counted = |count, first, last| FailedSignIns {
        count,
        first_at: later(first),
        ..failed(jane, SignInFailure::NoCode, "192.0.2.7", last)
    };
    enter(store, half(1, 1));
    store.sign_in_end(&PasswordHash([1; 32])).unwrap();
    assert_eq!(found(), [], "its code has come");
    let waiting = u8::try_from(failures::WAITING_MAX).unwrap();
    for token in 0..waiting + 2 {
        enter(store, half(token, 10 + u64::from(token)));
    }
    assert_eq!((store.sign_ins(jane).unwrap().len(), found()), (failures::WAITING_MAX, vec![counted(2, 10, 11)]));
    let patience = u64::try_from(CODE_PATIENCE.as_millis()).unwrap();
    enter(store, sign_in(jane, 99));
    store.sign_ins_prune(NOW, NOW, later(patience + 12)).unwrap();
    assert_eq!((store.sign_ins(jane).unwrap().len(), found()), (failures::WAITING_MAX, vec![counted(3, 10, 12)]));
    let change = MemberChange::Password { password: HashedPassword("x".into()), keep: None };
    store.member_change(jane, change, &actor(), NOW).unwrap();
    assert_eq!((store.sign_ins(jane).unwrap(), found()), (vec![], vec![counted(12, 10, 21)]));
}

pub(crate) async fn a_link_works_until_it_is_used_or_replaced(store: &impl Store) {
    let jane = add(store, "jane@example.com");
    let link = |token: u8| Link { token: PasswordHash([token; 32]), member: jane, expires_at: later(10) };
    let found = |token: u8| store.link(&PasswordHash([token; 32])).unwrap();
    store.link_put(link(1), true, &actor(), NOW).unwrap();
    assert_eq!(found(1), Some(link(1)));
    store.link_put(link(2), true, &actor(), NOW).unwrap();
    assert_eq!((found(1), found(2)), (None, Some(link(2))));
    store.link_put(link(4), false, &actor(), NOW).unwrap();
    assert_eq!((found(2), found(4)), (Some(link(2)), Some(link(4))), "one that was asked for voids none");
    let password = HashedPassword("x".into());
    store.member_change(jane, MemberChange::Password { password, keep: None }, &actor(), NOW).unwrap();
    assert_eq!((found(2), found(4)), (None, None));
    store.link_put(link(3), true, &actor(), NOW).unwrap();
    store.sign_ins_prune(NOW, NOW, later(9)).unwrap();
    assert!(found(3).is_some());
    store.sign_ins_prune(NOW, NOW, later(10)).unwrap();
    assert!(found(3).is_none());
}

pub(crate) async fn what_was_checked_for_another_password_is_not_done(store: &impl Store) {
    let invited = store.member_add(wish(None, "jane@example.com", Role::Administrator), &actor(), NOW).unwrap();
    let password = |text: &str| MemberChange::Password { password: HashedPassword(text.into()), keep: None };
    let change = |change: MemberChange| store.member_change(invited.id, change, &actor(), NOW);
    let first = change(password("one").checked_for(&invited)).unwrap();
    let again = change(password("two").checked_for(&invited));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "a link works once: {again:?}");
    enter(store, sign_in(invited.id, 1));
    let second = change(password("two").checked_for(&first)).unwrap();
    // the password of before was right when it was looked at
    let late = store.sign_in_add(sign_in(invited.id, 2), &first, &actor());
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    let seed = Secret::new(vec![7; 20]);
    change(MemberChange::Totp(Some((seed, Vec::new()))).checked_for(&second)).unwrap();
    let late = store.sign_in_add(sign_in(invited.id, 3), &second, &actor());
    assert!(matches!(late, Err(StoreError::Conflict(_))), "no code was asked for: {late:?}");
    let late = change(MemberChange::Totp(None).checked_for(&second));
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    assert_eq!(store.sign_ins(invited.id).unwrap(), []);
    assert_eq!(store.directory().members.get(&invited.id).unwrap().password, Some(HashedPassword("two".into())));
}

pub(crate) async fn who_has_not_joined_administers_nothing(store: &impl Store) {
    let account = Some(store.account_add("Acme", &actor(), NOW).unwrap().id);
    let member = |email| store.member_add(wish(account, email, Role::Administrator), &actor(), NOW).unwrap().id;
    let (joined, invited) = (member("a@example.com"), member("b@example.com"));
    let join = |member| {
        let change = MemberChange::Password { password: HashedPassword("x".into()), keep: None };
        store.member_change(member, change, &actor(), NOW).unwrap();
    };
    join(joined);
    assert!(matches!(store.member_remove(joined, &actor(), NOW), Err(StoreError::Conflict(_))));
    let demoted = store.member_change(joined, MemberChange::Role(Role::Regular), &actor(), NOW);
    assert!(matches!(demoted, Err(StoreError::Conflict(_))), "{demoted:?}");
    let third = member("c@example.com");
    store.member_remove(third, &actor(), NOW).unwrap();
    join(invited);
    store.member_remove(joined, &actor(), NOW).unwrap();
}
