//! Over HTTP: no password, no slot, and the same judge.

use super::scene::{NOW, Scene, own, reply, yes};
use super::*;
use crate::id::MessageId;
use std::sync::Arc;

fn visit(scene: &Scene) -> Visit {
    let mut visit = Visit::over_http(SessionId(1), "192.0.2.1".parse().unwrap(), MessageId(7));
    let alice = Arc::clone(&scene.directory.users[&Id::new(1)]);
    visit.on_caller(&alice, &scene.directory, NOW).unwrap();
    visit
}

#[test]
fn whoever_may_submit_needs_no_password_and_no_slot() {
    let mut scene = Scene::new();
    let mut visit = visit(&scene);
    assert_eq!(scene.shared.slots().connections(), 0);
    scene.begin(&mut visit, &["a@example.net"]);
    assert_eq!(visit.message(), Some(MessageId(7)), "the id that was to be");
    scene.user(1, |user| user.passwords.clear());
    let envelope = scene.admit(&mut visit, Ok(own())).unwrap();
    let session = envelope.session.unwrap();
    assert_eq!((envelope.message, session.tls.as_str()), (MessageId(7), crate::queue::OVER_HTTP));
}

#[test]
fn what_ends_a_login_ends_this_too() {
    let mut scene = Scene::new();
    let mut visit = visit(&scene);
    scene.begin(&mut visit, &["a@example.net"]);
    scene.user(1, |user| user.enabled = false);
    let answer = scene.admit(&mut visit, Ok(own())).unwrap_err();
    assert_eq!(reply(&answer).reference, Some("session-revoked"));
    let alice = Arc::clone(&scene.directory.users[&Id::new(1)]);
    let mut again = Visit::over_http(SessionId(2), "192.0.2.1".parse().unwrap(), MessageId(8));
    let answer = again.on_caller(&alice, &scene.directory, NOW).unwrap_err();
    assert_eq!(reply(&answer).reference, Some("user-disabled"));
}

#[test]
fn a_message_too_soon_is_told_when_it_may_come() {
    let limits = Limits { user_messages_per_minute: 6, user_messages_burst: 1, ..Limits::default() };
    let mut scene = Scene::with(limits, |_| {});
    let mut first = visit(&scene);
    assert!(yes(&scene.mail(&mut first, "shop@café.example", true)));
    assert_eq!(first.retry_after(), None);
    let mut second = visit(&scene);
    assert!(!yes(&scene.mail(&mut second, "shop@café.example", true)));
    assert_eq!(second.retry_after(), Some(10));
}
