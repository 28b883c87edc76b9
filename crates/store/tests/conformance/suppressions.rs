//! Addresses that an account does not send to.

use relay::id::Id;
use relay::store::{Store, StoreError};
use relay::suppression::{Suppression, SuppressionCause};

use crate::book::account;
use crate::world::*;

pub(crate) async fn suppressions_whatever_the_case(store: &impl Store) {
    let (account, other) = (account(store), account(store));
    let by = operator();
    let first = [("Anna@Example.org".to_owned(), Suppression::manual("She asked.", NOW))];
    assert_eq!(store.suppress(account, &first, true, Some(&by), NOW).unwrap(), 1);
    let again = [("anna@example.org".to_owned(), Suppression::manual("She asked again.", later(1)))];
    assert_eq!(store.suppress(account, &again, true, Some(&by), later(1)).unwrap(), 1);
    // what follows by rule takes nothing from what a person said, and leaves no line in the audit log
    let lines = store.audit(Some(account), 100).unwrap().len();
    let (cause, until) = (SuppressionCause::Bounce, Some(later(9)));
    let bounced = Suppression { cause, until, ..Suppression::manual("550 gone", later(2)) };
    let both = ["anna@example.org", "ben@example.org"].map(|address| (address.to_owned(), bounced.clone()));
    assert_eq!(store.suppress(account, &both, false, None, later(2)).unwrap(), 1);
    assert_eq!(store.audit(Some(account), 100).unwrap().len(), lines);
    let directory = store.directory();
    assert_eq!(directory.suppressions[&account]["anna@example.org"], again[0].1);
    assert_eq!(directory.suppressions[&account]["ben@example.org"], bounced);
    assert_eq!(directory.suppressions[&account].len(), 2);
    assert_eq!((store.suppressions_expire(later(8)).unwrap(), store.suppressions_expire(later(9)).unwrap()), (0, 1));
    let missing = store.suppress(Id::new(999), &both, false, None, later(2));
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
    assert!(directory.suppressions.get(&other).is_none_or(|set| set.is_empty()));
    store.unsuppress(account, "ANNA@example.org", None, &operator(), later(2)).unwrap();
    assert!(store.directory().suppressions.get(&account).is_none_or(|set| set.is_empty()));
    let again = store.unsuppress(account, "anna@example.org", None, &operator(), later(3));
    assert!(matches!(again, Err(StoreError::NotFound(_))));
}

pub(crate) async fn streams_are_suppressed_by_themselves(store: &impl Store) {
    let (account, address) = (account(store), "anna@example.org");
    let wish = |user| Suppression {
        cause: SuppressionCause::Unsubscribed,
        stream: Some(Id::new(user)),
        ..Suppression::manual("List-Unsubscribe", NOW)
    };
    let bounced = Suppression { until: Some(later(9)), ..Suppression::manual("550 gone", NOW) };
    let all = [wish(7), wish(8), bounced.clone()].map(|one| (address.to_owned(), one));
    assert_eq!(store.suppress(account, &all, false, None, NOW).unwrap(), 3);
    assert_eq!(store.suppress(account, &all, false, None, later(1)).unwrap(), 0, "all are known");
    let known = |stream: Option<u64>| {
        let directory = store.directory();
        directory.suppressions[&account].of(address, stream.map(Id::new)).cloned()
    };
    assert_eq!([None, Some(7), Some(8), Some(9)].map(known), [Some(bounced), Some(wish(7)), Some(wish(8)), None]);
    assert_eq!(store.suppressions_expire(later(9)).unwrap(), 1);
    assert_eq!([None, Some(7), Some(8)].map(|stream| known(stream).is_some()), [false, true, true]);
    store.unsuppress(account, address, Some(Id::new(7)), &operator(), later(9)).unwrap();
    let told = store.audit(Some(account), 1).unwrap().remove(0);
    assert_eq!(told.subject, "suppression anna@example.org: smtp user 7");
    assert_eq!([Some(7), Some(8)].map(|stream| known(stream).is_some()), [false, true]);
    let again = store.unsuppress(account, address, Some(Id::new(7)), &operator(), later(9));
    assert!(matches!(again, Err(StoreError::NotFound(_))));
    assert!(store.suppression_erase(account, address, &operator(), later(9)).unwrap(), "of every stream");
    assert!(store.directory().suppressions[&account].is_empty());
}

pub(crate) async fn a_suppression_is_erased_without_its_address(store: &impl Store) {
    let account = account(store);
    suppress_anna(store, account);
    assert!(store.suppression_erase(account, "Anna@example.org", &operator(), later(1)).unwrap());
    assert!(!store.suppression_erase(account, "anna@example.org", &operator(), later(1)).unwrap());
    let told = store.audit(Some(account), 1).unwrap().remove(0);
    assert_eq!((told.action.as_str(), told.subject.contains('@')), ("suppression.erase", false));
    assert!(store.directory().suppressions[&account].is_empty());
}
