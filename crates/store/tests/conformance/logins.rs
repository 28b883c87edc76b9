//! Who logged in, from where and by which password: the last of each is kept.

use std::collections::HashMap;
use std::net::IpAddr;

use relay::id::Id;
use relay::smtp_user::PasswordHash;
use relay::store::{Login, SmtpUserChange, Store};

use crate::book::{account, domain};
use crate::world::*;

pub(crate) async fn logins_keep_the_latest(store: &impl Store) {
    let domain = domain(store, account(store), "example.com");
    let user = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap().id;
    let elsewhere: IpAddr = "2001:db8::1".parse().unwrap();
    let login = |address, seconds| Login { user, address, at: later(seconds), password: None };
    let stranger = Login { user: Id::new(99), address: REMOTE, at: later(1), password: None };
    store.logins_note(&[login(REMOTE, 5), login(elsewhere, 1), stranger]).unwrap();
    store.logins_note(&[login(REMOTE, 3)]).unwrap();
    assert_eq!(store.logins(NOW).unwrap(), [login(REMOTE, 5), login(elsewhere, 1)]);
    assert_eq!(store.logins(later(2)).unwrap(), [login(REMOTE, 5)]);
    store.smtp_user_delete(user, &operator(), NOW).unwrap();
    assert!(store.logins(NOW).unwrap().is_empty());
}

pub(crate) async fn the_last_use_of_each_password(store: &impl Store) {
    let domain = domain(store, account(store), "example.com");
    let known = store.smtp_user_add(user(domain, "k1"), &operator(), NOW).unwrap();
    let (user, first, second) = (known.id, known.passwords[0], PasswordHash([9; 32]));
    let by = |password, seconds| Login { user, address: REMOTE, at: later(seconds), password: Some(password) };
    let uses = || store.passwords_used(&[user]).unwrap();
    store.logins_note(&[by(first, 5), by(PasswordHash([8; 32]), 6)]).unwrap();
    assert_eq!(uses(), HashMap::from([((user, first), later(5))]), "and none of what is no password of its");
    let both = SmtpUserChange::Passwords(vec![first, second]);
    store.smtp_user_change(user, "smtp_user.add_password", both, &operator(), NOW).unwrap();
    store.logins_note(&[by(second, 7), by(first, 3)]).unwrap();
    assert_eq!(uses(), HashMap::from([((user, first), later(5)), ((user, second), later(7))]));
    let one = SmtpUserChange::Passwords(vec![second]);
    store.smtp_user_change(user, "smtp_user.drop_password", one, &operator(), NOW).unwrap();
    store.logins_note(&[by(second, 8)]).unwrap();
    assert_eq!(uses(), HashMap::from([((user, second), later(8))]));
    assert!(store.passwords_used(&[]).unwrap().is_empty());
}

pub(crate) async fn the_last_login_of_some_users(store: &impl Store) {
    let domain = domain(store, account(store), "example.com");
    let add = |name| store.smtp_user_add(user(domain, name), &operator(), NOW).unwrap().id;
    let (one, two, silent) = (add("k1"), add("k2"), add("k3"));
    let elsewhere: IpAddr = "2001:db8::1".parse().unwrap();
    let login = |user, address, seconds| Login { user, address, at: later(seconds), password: None };
    let all = [login(one, REMOTE, 5), login(one, elsewhere, 7), login(two, REMOTE, 1), login(two, elsewhere, 1)];
    store.logins_note(&all).unwrap();
    let of = |users: &[_], since| store.logins_of(users, since).unwrap();
    assert_eq!(of(&[one, silent], NOW), HashMap::from([(one, login(one, elsewhere, 7))]));
    assert_eq!(of(&[one, two], later(2)), HashMap::from([(one, login(one, elsewhere, 7))]));
    let both = of(&[one, two], NOW);
    let first = [REMOTE, elsewhere].into_iter().min_by_key(ToString::to_string).unwrap();
    assert_eq!((both.len(), &both[&two]), (2, &login(two, first, 1)), "of two at once always the same");
    assert!(of(&[], NOW).is_empty());
}
