//! Requests with an idempotency key.

use relay::account::Account;
use relay::id::{Id, MessageId};
use relay::store::{Actor, KeyedRequest, RequestBounds, Store};

use super::world::{NOW, later};

const FEW: RequestBounds = RequestBounds { keys: 5, octets: 100 };
const TWO: RequestBounds = RequestBounds { keys: 2, octets: 100 };

fn request(account: Option<Id<Account>>, key: u8) -> KeyedRequest {
    KeyedRequest { account, key: [key; 32], fingerprint: [9; 32], at: NOW, message: None, answer: None }
}

pub(crate) async fn a_request_is_remembered_as_it_last_was(store: &impl Store) {
    let actor = Actor { name: "operator".into(), from: "cli".into() };
    let account = Some(store.account_add("Acme", &actor, NOW).unwrap().id);
    assert_eq!(store.request(account, &[1; 32]).unwrap(), None);
    assert!(store.request_put(&request(account, 1), FEW).unwrap());
    assert_eq!(store.request(account, &[1; 32]).unwrap(), Some(request(account, 1)));
    assert_eq!(store.request(None, &[1; 32]).unwrap(), None, "a key is an account's own");
    let done = KeyedRequest {
        message: Some(MessageId(1 << 127 | 7)),
        answer: Some("{}".into()),
        at: later(5),
        ..request(account, 1)
    };
    assert!(store.request_put(&done, FEW).unwrap());
    assert_eq!(store.request(account, &[1; 32]).unwrap(), Some(done));
    store.request_forget(account, &[1; 32]).unwrap();
    store.request_forget(account, &[1; 32]).unwrap();
    assert_eq!(store.request(account, &[1; 32]).unwrap(), None);
}

pub(crate) async fn requests_are_bounded_and_forgotten(store: &impl Store) {
    let put = |account, key, seconds| {
        store.request_put(&KeyedRequest { at: later(seconds), ..request(account, key) }, TWO).unwrap()
    };
    let other = Some(Id::new(0));
    assert!(put(None, 1, 1) && put(None, 2, 2));
    assert!(!put(None, 3, 3), "two are enough");
    assert_eq!(store.request(None, &[3; 32]).unwrap(), None);
    assert!(put(None, 2, 3), "one of them is no further one");
    assert!(put(other, 3, 3), "others have their own");
    store.request_forget(None, &[1; 32]).unwrap();
    assert!(put(None, 3, 1) && !put(None, 4, 4));
    store.requests_prune(later(3)).unwrap();
    let left = |account, key: u8| store.request(account, &[key; 32]).unwrap().is_some();
    assert_eq!((left(None, 2), left(None, 3), left(other, 3)), (true, false, true));
    assert!(put(None, 4, 4) && !put(None, 5, 5));
}

pub(crate) async fn answers_of_requests_are_bounded(store: &impl Store) {
    let answered = |account, key, octets: usize| KeyedRequest {
        // each letter is two octets
        answer: Some("é".repeat(octets / 2)),
        ..request(account, key)
    };
    let put = |request: &KeyedRequest| store.request_put(request, FEW).unwrap();
    assert!(put(&answered(None, 1, 60)));
    assert!(!put(&answered(None, 2, 42)), "together they are longer");
    assert_eq!(store.request(None, &[2; 32]).unwrap(), None);
    assert!(put(&request(None, 2)), "one whose answer is to come");
    assert!(!put(&answered(None, 2, 42)) && store.request(None, &[2; 32]).unwrap() == Some(request(None, 2)));
    assert!(put(&answered(None, 2, 40)));
    assert!(!put(&request(None, 3)), "there would be no room for any answer");
    assert!(put(&answered(None, 2, 0)) && put(&request(None, 3)), "room is given back by a shorter answer");
    assert!(put(&answered(Some(Id::new(0)), 3, 100)), "others have their own");
    store.request_forget(None, &[1; 32]).unwrap();
    assert!(put(&answered(None, 4, 100)) && put(&answered(None, 2, 0)));
    store.requests_prune(later(1)).unwrap();
    assert!(put(&answered(None, 5, 100)));
}
