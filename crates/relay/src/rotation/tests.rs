//! Where keys stand, moment by moment; that a whole life of them verifies is held by the store's tests.

use super::*;
use crate::id::Id;
use crate::verification::{Check, RecordState};

const DAY: Duration = Duration::from_secs(86_400);
const START: Timestamp = Timestamp(1_800_000_000_000);

fn day(number: u32) -> Timestamp {
    START.after(DAY * number)
}

fn key(selector: &str, active: bool) -> DkimKey {
    DkimKey {
        seen_at: Some(START),
        ..DkimKey::new(selector, KeyAlgorithm::Rsa2048, format!("v=DKIM1; p={selector}"), active)
    }
}

/// Two keys, found like this at a look at a moment.
fn domain(spare: DkimKey, finding: RecordState, looked_at: Timestamp) -> SendingDomain {
    let records = vec![("a".into(), RecordState::Right), ("b".into(), finding)];
    SendingDomain {
        state: DomainState::Validated,
        check: Some(Check::new(looked_at, records)),
        ..SendingDomain::new(Id::new(1), Id::new(1), "shop.example", vec![key("a", true), spare], START)
    }
}

fn pace() -> Pace {
    Pace::new(&Limits::default(), DAY * 5).unwrap()
}

fn at(domain: &SendingDomain, now: Timestamp) -> Option<Stage> {
    stage(domain, KeyAlgorithm::Rsa2048, pace(), now)
}

#[test]
fn the_other_key_signs_after_the_period_by_a_look_of_the_last_hour() {
    let old = domain(key("b", false), RecordState::Right, day(179));
    assert_eq!(at(&old, day(179)), Some(Stage::Signing { until: day(180) }));
    assert_eq!(at(&old, day(180)), Some(Stage::Looking));
    assert_eq!(steps(&old, pace(), day(180)), [Step::Look]);
    let fresh = domain(key("b", false), RecordState::Right, day(180));
    assert_eq!(steps(&fresh, pace(), day(180)), [Step::Move(KeyAlgorithm::Rsa2048)]);
    let warned = SendingDomain { state: DomainState::Warning, ..fresh.clone() };
    assert_eq!((at(&warned, day(180)), steps(&warned, pace(), day(180))), (Some(Stage::Held), vec![]));
    let never = Limits { dkim_rotation_days: 0, ..Limits::default() };
    assert_eq!(Pace::new(&never, DAY), None);
    let deleted = SendingDomain { deleted_at: Some(day(1)), ..fresh };
    assert_eq!(at(&deleted, day(180)), None, "its mail goes out with the keys that it had");
}

#[test]
fn a_record_that_is_missing_stops_it_and_is_told_when_it_is_time() {
    let awaited = domain(key("b", false), RecordState::Absent, day(200));
    assert_eq!(at(&awaited, day(200)), Some(Stage::Awaited { due: day(180) }));
    assert_eq!(steps(&awaited, pace(), day(200)), []);
    assert_eq!(overdue(&awaited, pace(), day(200)).unwrap().selector, "b");
    assert_eq!(overdue(&awaited, pace(), day(179)), None, "there is time yet");
    let unseen = DkimKey { seen_at: None, made_at: Some(day(20)), ..key("b", false) };
    let wrong = domain(unseen, RecordState::wrong(&["v=DKIM1; p=before".into()]), day(21));
    assert_eq!(at(&wrong, day(21)), Some(Stage::Awaited { due: day(180) }));
    let judged = verification::judge(&wrong, wrong.check.as_ref().unwrap());
    assert_eq!(judged.state, DomainState::Validated, "mail goes on");
}

#[test]
fn a_key_that_signed_rests_for_the_longest_retry_and_a_margin() {
    let resting = domain(DkimKey { moved_at: Some(day(0)), ..key("b", false) }, RecordState::Right, day(11));
    assert_eq!(at(&resting, day(11)), Some(Stage::Resting { until: day(12) }));
    let renewal = Step::Renew { selector: "b".into(), algorithm: KeyAlgorithm::Rsa2048, ended_at: day(0) };
    assert_eq!(steps(&resting, pace(), day(12)), [renewal]);
}

#[test]
fn a_new_key_signs_no_earlier_than_what_was_there_before_is_forgotten() {
    let late = DkimKey { seen_at: Some(day(190)), made_at: Some(day(12)), ..key("b", false) };
    let spreading = domain(late, RecordState::Right, day(191));
    assert_eq!(at(&spreading, day(191)), Some(Stage::Signing { until: day(192) }));
}

#[test]
fn keys_that_nobody_ever_saw_are_left_alone() {
    let mut unused = domain(key("b", false), RecordState::Absent, day(200));
    unused.keys[0].seen_at = None;
    assert_eq!((at(&unused, day(200)), overdue(&unused, pace(), day(200))), (None, None));
    assert_eq!(stage(&unused, KeyAlgorithm::Ed25519, pace(), day(200)), None, "there are none");
}

#[test]
fn a_seal_is_stale_where_its_key_is_gone() {
    let renewed = DkimKey { made_at: Some(day(12)), ..key("b", false) };
    let domain = domain(renewed, RecordState::Right, day(12));
    let seal = |selector: &str| format!("DKIM-Signature: v=1; d=shop.example; s={selector};\r\n").into_bytes();
    assert!(is_stale(&seal("b"), &domain, day(11)));
    assert!(!is_stale(&seal("b"), &domain, day(13)), "it was made by the new one");
    assert!(!is_stale(&seal("a"), &domain, day(11)) && !is_stale(&seal("bb"), &domain, day(11)));
}
