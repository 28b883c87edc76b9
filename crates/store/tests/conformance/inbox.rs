//! Test inboxes: kept once, bounded, an account's own.

use bytes::Bytes;
use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::sandbox::{Capture, Captured, CapturedFilter};
use relay::store::{Actor, Content, Inbox as _, Store};

use super::world::{Folder, NOW, later};

const SEAL: &str = "DKIM-Signature: v=1\r\n";

fn account(store: &impl Store, name: &str) -> Id<Account> {
    store.account_add(name, &Actor { name: "operator".into(), from: "cli".into() }, NOW).unwrap().id
}

fn captured(account: Id<Account>, number: u128, recipients: &[&str]) -> Captured {
    Captured {
        message: MessageId(1 << 120 | number),
        account,
        user: Some(Id::new(7)),
        about: Some(MessageId(number)),
        at: NOW,
        reverse_path: "app@shop.example".into(),
        recipients: recipients.iter().map(|one| (*one).to_owned()).collect(),
        subject: "Reçu".into(),
        from: "app@shop.example".into(),
        octets: 0,
    }
}

fn capture(captured: Captured, octets: usize) -> Capture {
    let content = Content::Held(Bytes::from(vec![b'x'; octets - SEAL.len()]));
    Capture { captured, seal: Bytes::from_static(SEAL.as_bytes()), content }
}

fn put(store: &impl Store, account: Id<Account>, number: u128, octets: usize) {
    store.inbox_put(capture(captured(account, number, &["a@b.example"]), octets)).unwrap();
}

fn all() -> CapturedFilter {
    CapturedFilter { limit: 100, ..CapturedFilter::default() }
}

/// The numbers of what is kept, newest first.
fn numbers(store: &impl Store, filter: &CapturedFilter) -> Vec<u128> {
    store.inbox(filter).unwrap().iter().map(|kept| kept.message.0 & 0xffff).collect()
}

pub(crate) async fn what_is_captured_comes_back_whole(store: &impl Store) {
    let own = account(store, "Acme");
    assert_eq!(store.inbox(&all()).unwrap(), []);
    assert_eq!(store.inbox_message(None, MessageId(1)).unwrap(), None);
    assert_eq!(store.inbox_delete(own, None).unwrap(), 0);
    let first = captured(own, 1, &["anna@b.example", "bob@b.example"]);
    store.inbox_put(capture(first.clone(), 100)).unwrap();
    let kept = Captured { octets: 100, ..first };
    assert_eq!(store.inbox(&all()).unwrap(), std::slice::from_ref(&kept));
    let (found, content) = store.inbox_message(Some(own), kept.message).unwrap().unwrap();
    assert_eq!(found, kept);
    assert_eq!(content, Bytes::from(format!("{SEAL}{}", "x".repeat(79))));
    // content of a file of its own, without signature, a reverse-path, or anything else that may be missing
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    std::fs::write(&path, "y".repeat(50)).unwrap();
    let bare = Captured {
        user: None,
        about: None,
        reverse_path: String::new(),
        subject: String::new(),
        octets: 50,
        ..captured(own, 2, &["c@b.example"])
    };
    let filed = Content::Filed { path, octets: 50 };
    store.inbox_put(Capture { captured: bare.clone(), seal: Bytes::new(), content: filed.clone() }).unwrap();
    assert_eq!(store.inbox_message(None, bare.message).unwrap(), Some((bare, Bytes::from("y".repeat(50)))));
    drop(folder);
    let gone = Capture { captured: captured(own, 3, &["c@b.example"]), seal: Bytes::new(), content: filed };
    assert!(store.inbox_put(gone).is_err(), "what cannot be read is not kept");
    assert_eq!(numbers(store, &all()), [2, 1]);
}

pub(crate) async fn a_message_is_kept_once_with_all_its_recipients(store: &impl Store) {
    let own = account(store, "Acme");
    store.inbox_put(capture(captured(own, 1, &["a@b.example", "c@b.example"]), 100)).unwrap();
    let again = Captured { at: later(60), ..captured(own, 1, &["c@b.example", "d@b.example"]) };
    store.inbox_put(capture(again, 100)).unwrap();
    let kept = store.inbox(&all()).unwrap();
    assert_eq!((kept.len(), kept[0].at, kept[0].octets), (1, later(60), 100));
    assert_eq!(kept[0].recipients, ["a@b.example", "c@b.example", "d@b.example"]);
}

pub(crate) async fn the_list_is_searched_and_read_in_pages(store: &impl Store) {
    let own = account(store, "Acme");
    for (number, recipient) in [(1, "anna@b.example"), (2, "bob@b.example"), (3, "Anna.50%@c.example")] {
        store.inbox_put(capture(captured(own, number, &["x@y.example", recipient]), 100)).unwrap();
    }
    let to = |part: &str| numbers(store, &CapturedFilter { recipient: Some(part.into()), ..all() });
    assert_eq!((to("ANNA"), to("@b.example"), to("%"), to("")), (vec![3, 1], vec![2, 1], vec![3], vec![3, 2, 1]));
    assert_eq!(to("example\nanna"), [0_u128; 0], "recipients are searched one by one");
    let page = CapturedFilter { limit: 2, ..all() };
    assert_eq!(numbers(store, &page), [3, 2]);
    let before = store.inbox(&page).unwrap().last().map(|kept| kept.message);
    assert_eq!(numbers(store, &CapturedFilter { before, ..page }), [1]);
}

pub(crate) async fn an_account_reaches_its_own_alone(store: &impl Store) {
    let (own, other) = (account(store, "Acme"), account(store, "Other"));
    put(store, own, 1, 100);
    put(store, own, 2, 100);
    put(store, other, 3, 100);
    assert_eq!(numbers(store, &CapturedFilter { account: Some(other), ..all() }), [3]);
    let first = captured(own, 1, &[]).message;
    assert_eq!(store.inbox_message(Some(other), first).unwrap(), None);
    assert_eq!(store.inbox_delete(other, Some(first)).unwrap(), 0);
    assert_eq!(store.inbox_delete(own, Some(first)).unwrap(), 1);
    assert_eq!((store.inbox_message(None, first).unwrap(), numbers(store, &all())), (None, vec![3, 2]));
    assert_eq!(store.inbox_delete(own, None).unwrap(), 1);
    assert_eq!(numbers(store, &all()), [3]);
}

pub(crate) async fn the_oldest_goes_first(store: &impl Store) {
    let (own, other) = (account(store, "Acme"), account(store, "Other"));
    for number in 1..=4 {
        put(store, own, number, 100);
    }
    assert_eq!(numbers(store, &all()), [4, 3, 2], "three are enough");
    put(store, own, 5, 300);
    assert_eq!(numbers(store, &all()), [5, 4, 3]);
    put(store, own, 6, 300);
    assert_eq!(numbers(store, &all()), [6], "so many octets are");
    put(store, other, 7, 400);
    assert_eq!(numbers(store, &all()), [7, 6]);
    put(store, own, 8, 150);
    assert_eq!(numbers(store, &all()), [8, 7], "so many of all accounts are");
    put(store, own, 9, 501);
    assert_eq!(numbers(store, &all()), [8, 7], "what is too large by itself is not kept, and takes nobody's place");
}

pub(crate) async fn what_is_old_or_nobodys_goes(store: &impl Store) {
    let own = account(store, "Acme");
    let at = |number: u128, at: Timestamp| {
        store.inbox_put(capture(Captured { at, ..captured(own, number, &["a@b.example"]) }, 100)).unwrap();
    };
    at(1, later(10));
    at(2, later(20));
    put(store, Id::new(999), 3, 100);
    assert_eq!(store.inbox_prune(later(20)).unwrap(), 2);
    assert_eq!(numbers(store, &all()), [2]);
    assert_eq!(store.inbox_prune(later(20)).unwrap(), 0);
}

#[test]
fn the_file_is_made_when_something_is_taken_outlasts_a_restart_and_is_in_no_backup() {
    let folder = Folder::new();
    let file = folder.path().join("inbox.db");
    let store = folder.open();
    let own = account(&store, "Acme");
    assert_eq!((store.inbox(&all()).unwrap().len(), store.inbox_prune(later(1)).unwrap()), (0, 0));
    assert!(!file.exists(), "nobody has asked for it");
    put(&store, own, 1, 100);
    let copy = tempfile::tempdir().unwrap();
    store.backup(&copy.path().join("copy"), false, NOW).unwrap();
    assert!(!copy.path().join("copy/inbox.db").exists());
    drop(store);
    let store = folder.open();
    assert_eq!(numbers(&store, &all()), [1]);
    drop(store);
    // a fault of it is one of the sandbox alone
    std::fs::write(&file, "no database at all, and long enough to be looked at as one".repeat(20)).unwrap();
    let store = folder.open();
    let told = store.inbox(&all()).unwrap_err().to_string();
    assert!(told.contains("inbox.db") && told.contains("move it"), "{told}");
    assert!(store.inbox_put(capture(captured(own, 2, &["a@b.example"]), 100)).is_err());
}

#[test]
fn what_is_deleted_is_gone_from_the_disk() {
    let folder = Folder::new();
    let store = folder.open();
    let own = account(&store, "Acme");
    let secret = "the words of a letter that is no more".to_owned();
    let content = Content::Held(Bytes::from(secret.clone()));
    let new = Captured { subject: secret.clone(), ..captured(own, 1, &["a@b.example"]) };
    store.inbox_put(Capture { captured: new, seal: Bytes::new(), content }).unwrap();
    let is_there = || {
        ["inbox.db", "inbox.db-wal"].iter().any(|name| {
            let octets = std::fs::read(folder.path().join(name)).unwrap_or_default();
            octets.windows(secret.len()).any(|window| window == secret.as_bytes())
        })
    };
    assert!(is_there());
    store.inbox_delete(own, None).unwrap();
    assert!(!is_there());
}
