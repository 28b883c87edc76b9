//! Blocklists in simulated time.

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const SHOP: Owned = Owned { domain: Id::new(7), account: Id::new(3) };
const OPERATOR: Audience = Audience::Operator;
const ACCOUNT: Audience = Audience::Account(SHOP.account);

fn hours(hours: u64) -> Timestamp {
    NOW.after(Duration::from_secs(hours * 3600))
}

fn said(list: &str, name: &str, is_listed: bool) -> Listing {
    Listing { list: list.into(), name: name.into(), is_listed }
}

/// What is to be told now; it is told.
fn tell(standing: &mut Standing, now: Timestamp) -> Vec<(Audience, String, Vec<String>, Vec<String>)> {
    let due = standing.due(now);
    due.iter().for_each(|news| standing.told(news, now));
    due.into_iter().map(|news| (news.audience, news.list, news.listed, news.gone)).collect()
}

fn listed(audience: Audience, list: &str, names: &[&str]) -> (Audience, String, Vec<String>, Vec<String>) {
    (audience, list.into(), names.iter().map(|name| (*name).to_owned()).collect(), Vec::new())
}

fn gone(audience: Audience, list: &str, names: &[&str]) -> (Audience, String, Vec<String>, Vec<String>) {
    let (audience, list, names, none) = listed(audience, list, names);
    (audience, list, none, names)
}

/// What changed of an address at a look.
fn look(standing: &mut Standing, is_listed: bool, now: Timestamp) -> usize {
    standing.observe(&[said("bl.test", "192.0.2.1", is_listed)], None, now).len()
}

#[test]
fn what_is_listed_is_told_once_and_so_is_its_end() {
    let mut standing = Standing::default();
    assert_eq!(look(&mut standing, false, NOW), 0, "what is clean from the first is no news");
    assert_eq!(standing, Standing::default(), "and takes no room");
    let change = standing.observe(&[said("bl.test", "192.0.2.1", true)], None, hours(1)).remove(0);
    assert_eq!((change.name.as_str(), change.is_listed, change.at), ("192.0.2.1", true, hours(1)));
    assert!(standing.is_listed("bl.test", "192.0.2.1") && !standing.is_listed("other.test", "192.0.2.1"));
    assert_eq!(tell(&mut standing, hours(1)), [listed(OPERATOR, "bl.test", &["192.0.2.1"])]);
    for hour in 2..100 {
        assert_eq!(look(&mut standing, true, hours(hour)), 0);
        assert!(tell(&mut standing, hours(hour)).is_empty(), "what goes on is not told again");
    }
    assert_eq!(look(&mut standing, false, hours(100)), 1);
    assert_eq!(tell(&mut standing, hours(100)), [gone(OPERATOR, "bl.test", &["192.0.2.1"])]);
    assert!(standing.lists["bl.test"].names.is_empty());
}

#[test]
fn a_list_that_says_nothing_changes_nothing() {
    let mut standing = Standing::default();
    look(&mut standing, true, NOW);
    tell(&mut standing, NOW);
    let before = standing.clone();
    assert!(standing.observe(&[], None, hours(30)).is_empty());
    assert!(tell(&mut standing, hours(30)).is_empty());
    assert_eq!(standing, before);
}

#[test]
fn whoever_flaps_is_written_about_once_a_day() {
    let mut standing = Standing::default();
    let (mut changes, mut mails) = (0, Vec::new());
    // each hour in the list, and each other hour out of it, for ten days
    for hour in 0..240 {
        changes += look(&mut standing, hour % 2 == 0, hours(hour));
        mails.extend(tell(&mut standing, hours(hour)).into_iter().map(|_| hour));
    }
    assert_eq!(changes, 240, "each is in the log");
    assert!(mails.len() <= 10 && mails[0] == 0, "{mails:?}");
    assert!(mails.windows(2).all(|two| two[1] - two[0] >= 24), "{mails:?}");
    // in the end they know what is so
    look(&mut standing, false, hours(240));
    tell(&mut standing, hours(300));
    assert!(standing.due(hours(400)).is_empty() && standing.lists["bl.test"].names.is_empty());
}

#[test]
fn what_passes_before_anybody_could_be_told_is_not_told() {
    let mut standing = Standing::default();
    assert_eq!((look(&mut standing, true, NOW), look(&mut standing, false, hours(1))), (1, 1));
    assert!(standing.due(hours(1)).is_empty());
    assert_eq!(look(&mut standing, true, hours(2)), 1, "and counts as news when it comes again");
    assert_eq!(tell(&mut standing, hours(2)).len(), 1);
}

#[test]
fn each_list_has_a_mail_of_its_own_and_later_names_wait_for_the_next_day() {
    let mut standing = Standing::default();
    standing.observe(&[said("a.test", "192.0.2.1", true), said("b.test", "192.0.2.1", true)], None, NOW);
    let both = [listed(OPERATOR, "a.test", &["192.0.2.1"]), listed(OPERATOR, "b.test", &["192.0.2.1"])];
    assert_eq!(tell(&mut standing, NOW), both);
    standing.observe(&[said("a.test", "192.0.2.2", true), said("a.test", "192.0.2.3", true)], None, hours(5));
    assert!(tell(&mut standing, hours(23)).is_empty());
    standing.observe(&[said("a.test", "192.0.2.1", false)], None, hours(23));
    let news = standing.due(hours(24)).remove(0);
    assert_eq!((news.listed, news.gone), (vec!["192.0.2.2".into(), "192.0.2.3".into()], vec!["192.0.2.1".into()]));
}

#[test]
fn a_domain_is_told_to_its_account_and_to_the_operator() {
    let mut standing = Standing::default();
    standing.observe(&[said("dbl.test", "shop.example", true)], Some(SHOP), NOW);
    let other = Owned { domain: Id::new(8), account: Id::new(4) };
    standing.observe(&[said("dbl.test", "news.example", true)], Some(other), NOW);
    assert_eq!(standing.domains_in("dbl.test"), 2);
    assert_eq!(
        tell(&mut standing, NOW),
        [
            listed(OPERATOR, "dbl.test", &["news.example", "shop.example"]),
            listed(ACCOUNT, "dbl.test", &["shop.example"]),
            listed(Audience::Account(Id::new(4)), "dbl.test", &["news.example"]),
        ]
    );
    standing.observe(&[said("dbl.test", "shop.example", false)], Some(SHOP), hours(30));
    let both = [gone(OPERATOR, "dbl.test", &["shop.example"]), gone(ACCOUNT, "dbl.test", &["shop.example"])];
    assert_eq!(tell(&mut standing, hours(30)), both);
    assert_eq!(standing.domains_in("dbl.test"), 1);
}

#[test]
fn a_restart_tells_nothing_again() {
    let mut standing = Standing::default();
    look(&mut standing, true, NOW);
    standing.observe(&[said("dbl.test", "shop.example", true)], Some(SHOP), NOW);
    tell(&mut standing, NOW);
    let mut again: Standing = serde_json::from_slice(&serde_json::to_vec(&standing).unwrap()).unwrap();
    assert_eq!(again, standing);
    assert_eq!(look(&mut again, true, hours(40)), 0);
    assert!(again.due(hours(40)).is_empty());
}

#[test]
fn what_is_asked_about_no_more_is_forgotten_without_a_word() {
    let mut standing = Standing::default();
    standing.observe(&[said("a.test", "192.0.2.1", true), said("b.test", "192.0.2.1", true)], None, NOW);
    standing.observe(&[said("b.test", "shop.example", true)], Some(SHOP), NOW);
    tell(&mut standing, NOW);
    standing.retain(&["b.test".into()], |name, owned| owned.is_none() && name == "192.0.2.1");
    assert!(standing.is_listed("b.test", "192.0.2.1") && !standing.is_listed("a.test", "192.0.2.1"));
    assert!(!standing.is_listed("b.test", "shop.example") && standing.due(hours(40)).is_empty());
}

#[test]
fn every_domain_has_its_turn() {
    let mut standing = Standing::default();
    let of = |numbers: &[u64]| -> Vec<Id<SendingDomain>> { numbers.iter().map(|number| Id::new(*number)).collect() };
    let all = || of(&[5, 1, 9, 3]);
    assert_eq!(standing.turn(all(), 3), of(&[1, 3, 5]));
    assert_eq!(standing.turn(all(), 3), of(&[9, 1, 3]));
    assert_eq!(standing.turn(of(&[1, 4]), 5), of(&[4, 1]), "one that is gone is passed over");
    assert_eq!(standing.turn(Vec::new(), 5), []);
    assert_eq!(standing.turn(of(&[1]), 5), of(&[1]));
}

#[test]
fn the_room_is_bounded() {
    let mut standing = Standing::default();
    let many: Vec<Listing> = (0..REMEMBERED_MAX + 5).map(|n| said("bl.test", &n.to_string(), true)).collect();
    assert_eq!(standing.observe(&many, None, NOW).len(), REMEMBERED_MAX);
    assert_eq!(standing.observe(&many[..10], None, NOW).len(), 0);
}
