//! Automatic brakes.

use std::time::Duration;

use relay::account::Account;
use relay::brake::{Brake, Cause, Release, Seen, Subject};
use relay::clock::Timestamp;
use relay::id::Id;
use relay::store::{Store, StoreError};

use crate::world::{NOW, later, operator};

pub(crate) fn brake(account: Id<Account>, since: Timestamp) -> Brake {
    Brake {
        subject: Subject::User(Id::new(7)),
        account,
        cause: Cause::HardBounces,
        counted: 30,
        of: 200,
        since,
        told: false,
        released: None,
        released_before: None,
    }
}

fn release(at: Timestamp) -> Release {
    Release { at, by: "operator".into(), by_operator: true, seen: Seen { accepted: 5, ..Seen::default() } }
}

pub(crate) async fn a_brake_is_on_until_it_is_released(store: &impl Store) {
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    let brake = brake(account, NOW);
    assert_eq!(store.brake_put_on(brake.clone()), Ok(true));
    let again = Brake { cause: Cause::Volume, ..brake.clone() };
    assert_eq!(store.brake_put_on(again.clone()), Ok(false), "it is on, and stays as it is");
    assert_eq!(store.directory().brakes[&brake.subject], brake);
    store.brake_told(brake.subject).unwrap();
    assert!(store.directory().brakes[&brake.subject].told);
    let released = store.brake_release(brake.subject, release(later(5)), &operator()).unwrap();
    assert_eq!(released, Brake { told: true, released: Some(release(later(5))), ..brake.clone() });
    assert_eq!(store.directory().brakes[&brake.subject], released);
    let none = store.brake_release(brake.subject, release(later(6)), &operator());
    assert!(matches!(none, Err(StoreError::NotFound(_))));
    assert_eq!(store.brake_put_on(again.clone()), Ok(true));
    assert_eq!(store.directory().brakes[&brake.subject], again);
    let log = store.audit(Some(account), 10).unwrap();
    let log: Vec<_> = log.iter().map(|line| (line.action.as_str(), line.subject.as_str())).collect();
    let (on, released) = ("brake.on", "brake.release");
    let told = |cause| format!("brake U7: smtp user 7; cause {cause}; counted 30; counted of 200");
    let told = [told("volume"), told("hard_bounces")];
    assert_eq!(log[..2], [(on, told[0].as_str()), (released, told[1].as_str())]);
}

pub(crate) async fn brakes_of_long_ago_and_of_nobody_are_forgotten(store: &impl Store) {
    let account = store.account_add("Bakery", &operator(), NOW).unwrap().id;
    let gone = store.account_add("Butcher", &operator(), NOW).unwrap().id;
    let of = |number: u64, account, since| Brake { subject: Subject::User(Id::new(number)), ..brake(account, since) };
    store.brake_put_on(of(1, account, NOW)).unwrap();
    store.brake_release(Subject::User(Id::new(1)), release(NOW), &operator()).unwrap();
    store.brake_put_on(of(2, gone, NOW)).unwrap();
    store.account_delete(gone, false, &operator(), NOW).unwrap();
    let later = NOW.after(Duration::from_secs(8 * 24 * 3600));
    store.brake_put_on(of(3, account, later)).unwrap();
    let left: Vec<_> = store.directory().brakes.keys().copied().collect();
    assert_eq!(left, [Subject::User(Id::new(3))]);
    assert!(matches!(store.brake_put_on(of(4, gone, later)), Err(StoreError::NotFound(_))));
}
