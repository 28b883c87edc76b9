//! What a session takes of its account's quota, and what it gives back.

use super::*;
use crate::clock::Day;
use crate::quota::{Charge, Quota};

const ACME: Id<Account> = Id::new(1);

fn limited(recipients: u64) -> Scene {
    let mut scene = Scene::new();
    set(&mut scene, recipients);
    scene
}

fn set(scene: &mut Scene, recipients: u64) {
    let account = Arc::make_mut(scene.directory.accounts.get_mut(&ACME).unwrap());
    account.own_quota = Quota { recipients: Some(recipients), ..Quota::default() };
}

fn used(scene: &Scene) -> u64 {
    scene.shared.usage().used(ACME, Quota::default().period(scene.now.day()))
}

/// A message to one recipient, up to where the store decides.
fn until_commit(scene: &mut Scene) -> Visit {
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["a@example.com"]);
    scene.admit(&mut visit, Ok(own())).unwrap();
    visit
}

#[test]
fn recipients_that_fit_are_taken_and_the_others_told_when_to_come_again() {
    let mut scene = limited(1_000);
    scene.shared.charge([Charge { account: ACME, day: NOW.day(), recipients: 998 }]);
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["a@example.com", "a@example.com", "b@example.com"]);
    let decision = scene.recipient(&mut visit, "c@example.com");
    assert_eq!((reference(&decision), counts_as_error(&decision)), ("quota-reached", false));
    let told = "The monthly quota of 1000 recipients is reached; it renews on 2027-02-01T00:00:00+00:00";
    assert_eq!((reply(&decision.answer).code, reply(&decision.answer).text().as_str()), (452, told));
    let noted = scene.notices(&mut visit, &decision, &About::Recipient("c@example.com".into()));
    assert_eq!((noted.len(), noted[0].kind, &*noted[0].recipient), (1, NoticeKind::Rejected, "c@example.com"));
    assert!(noted[0].reason.contains("renews on 2027-02-01"), "{}", noted[0].reason);
    let envelope = scene.admit(&mut visit, Ok(own())).unwrap();
    assert_eq!(envelope.recipients.len(), 2);
    visit.on_accepted();
    assert_eq!(used(&scene), 1_000);
    // another session, another user of the account
    let mut visit = scene.visit("192.0.2.9");
    assert!(yes(&scene.login(&mut visit, "bob", "other")));
    scene.mail(&mut visit, "shop@café.example", true);
    assert_eq!(reference(&scene.recipient(&mut visit, "d@example.com")), "quota-reached");
    scene.now = NOW.after(Duration::from_secs(17 * 86_400));
    assert_eq!(scene.now.day().to_string(), "2027-02-01");
    assert!(yes(&scene.recipient(&mut visit, "d@example.com")));
}

#[test]
fn what_is_taken_counts_on_the_date_of_the_account_and_renews_at_its_midnight() {
    let mut scene = limited(2);
    let zone = |scene: &mut Scene, name: &str| {
        let account = Arc::make_mut(scene.directory.accounts.get_mut(&ACME).unwrap());
        account.time_zone = crate::time_zone::TimeZone::named(name).unwrap();
    };
    // the last of the month in UTC, 11 in the morning
    scene.now = Timestamp((NOW.day().0 + 16) * 86_400_000 + 11 * 3_600_000);
    assert_eq!(scene.now.day().to_string(), "2027-01-31");
    let mut kept = Vec::new();
    for name in ["Pacific/Kiritimati", "Europe/Paris", "Etc/GMT+12"] {
        zone(&mut scene, name);
        let mut visit = scene.alice();
        scene.begin(&mut visit, &["a@example.com"]);
        kept.push(scene.admit(&mut visit, Ok(own())).unwrap().days_ahead);
        visit.on_accepted();
    }
    assert_eq!(kept, [1, 0, -1]);
    let used = |scene: &Scene, day: Day| scene.shared.usage().used(ACME, Quota::default().period(day));
    assert_eq!((used(&scene, scene.now.day()), used(&scene, scene.now.day().ahead(1))), (2, 1));
    // the moment of the renewal is told with its offset; where the zone is further on, it has come already
    let mut visit = scene.alice();
    for (name, renews) in [("Europe/Paris", "2027-02-01T00:00:00+01:00"), ("Etc/GMT+12", "2027-02-01T00:00:00-12:00")] {
        zone(&mut scene, name);
        scene.mail(&mut visit, "shop@café.example", true);
        let decision = scene.recipient(&mut visit, "c@example.com");
        assert!(reply(&decision.answer).text().ends_with(&format!("it renews on {renews}")), "{name}");
    }
    zone(&mut scene, "Pacific/Kiritimati");
    scene.mail(&mut visit, "shop@café.example", true);
    assert!(yes(&scene.recipient(&mut visit, "c@example.com")));
}

#[test]
fn however_a_transaction_ends_what_it_reserved_is_free_again() {
    let mut scene = limited(2);
    let ends: [fn(&mut Scene, Visit); 4] = [
        |_, visit| drop(visit),
        |_, mut visit| visit.on_abandon(),
        |scene, mut visit| assert!(yes(&scene.mail(&mut visit, "shop@café.example", true))),
        |scene, mut visit| {
            let foreign = inspection(From::One("shop@other.example".into()));
            scene.admit(&mut visit, Ok(foreign)).unwrap_err();
            visit.on_abandon();
        },
    ];
    for end in ends {
        let mut visit = scene.alice();
        scene.begin(&mut visit, &["a@example.com", "b@example.com"]);
        assert_eq!(used(&scene), 2);
        end(&mut scene, visit);
        assert_eq!(used(&scene), 0);
    }
}

#[test]
fn what_the_store_did_not_keep_is_not_counted_unless_it_may_be_on_the_disk() {
    let mut scene = limited(1);
    for error in [StoreError::NoRoom("full".into()), StoreError::Unavailable("a content file".into())] {
        let mut visit = until_commit(&mut scene);
        visit.on_not_kept(&error);
        assert_eq!(used(&scene), 0, "{error}");
    }
    let mut visit = until_commit(&mut scene);
    let answer = visit.on_not_kept(&StoreError::Latched("input/output error".into()));
    assert_eq!((reply(&answer).code, used(&scene)), (451, 1));
    visit.on_abandon();
    assert_eq!(used(&scene), 1);
}

#[test]
fn a_session_that_is_cut_while_its_message_is_kept_counts() {
    let mut scene = limited(1);
    drop(until_commit(&mut scene));
    assert_eq!(used(&scene), 1);
}

#[test]
fn the_quota_is_looked_at_again_at_the_end_of_data() {
    let mut scene = limited(5);
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["a@example.com", "b@example.com"]);
    set(&mut scene, 1);
    let answer = scene.admit(&mut visit, Ok(own())).unwrap_err();
    assert_eq!(reply(&answer).reference, Some("quota-reached"));
    let noted = visit.on_reply(&scene.shared, &scene.directory, reply(&answer), &About::Content, NOW);
    let recipients: Vec<_> = noted.iter().map(|notice| notice.recipient.as_str()).collect();
    assert_eq!(recipients, ["a@example.com", "b@example.com"]);
    visit.on_abandon();
    // begun in one period and ended in the next, which is full
    set(&mut scene, 5);
    scene.shared.charge([Charge { account: ACME, day: Day(NOW.day().0 + 17), recipients: 4 }]);
    scene.begin(&mut visit, &["a@example.com", "b@example.com"]);
    scene.now = NOW.after(Duration::from_secs(17 * 86_400));
    assert!(scene.admit(&mut visit, Ok(own())).is_err());
    visit.on_abandon();
    scene.begin(&mut visit, &["a@example.com"]);
    assert_eq!(scene.admit(&mut visit, Ok(own())).unwrap().accepted_at, scene.now);
}

#[test]
fn a_quota_that_comes_while_a_message_is_under_way_holds_for_it() {
    let mut scene = Scene::new();
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["a@example.com", "b@example.com"]);
    assert_eq!(used(&scene), 0, "without limit nothing has to be reserved");
    set(&mut scene, 1);
    assert!(scene.admit(&mut visit, Ok(own())).is_err());
    set(&mut scene, 2);
    scene.admit(&mut visit, Ok(own())).unwrap();
    visit.on_accepted();
    assert_eq!(used(&scene), 2);
}

#[test]
fn without_limit_what_is_sent_counts_for_the_day_that_there_is_one() {
    let mut scene = Scene::new();
    until_commit(&mut scene).on_accepted();
    set(&mut scene, 1);
    let mut visit = scene.alice();
    scene.mail(&mut visit, "shop@café.example", true);
    assert_eq!(reference(&scene.recipient(&mut visit, "b@example.com")), "quota-reached");
}

#[test]
fn draft_failures_leave_the_transaction_whole() {
    let mut scene = limited(1);
    let mut visit = scene.alice();
    scene.begin(&mut visit, &["a@example.com"]);
    visit.on_not_kept(&StoreError::NoRoom("full".into()));
    assert_eq!(used(&scene), 0);
    // another takes what was given back: the transaction may not go on as if it had it still
    let mut other = until_commit(&mut scene);
    other.on_accepted();
    assert!(scene.admit(&mut visit, Ok(own())).is_err());
}
