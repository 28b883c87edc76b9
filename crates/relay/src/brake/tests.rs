//! Brakes in simulated time.

use std::sync::Arc;

use super::*;
use crate::directory::Directory;
use crate::smtp_user::UserRules;

const SHOP: Id<SmtpUser> = Id::new(17);
const NEWS: Id<SmtpUser> = Id::new(18);
const ACCOUNT: Id<Account> = Id::new(3);
const DAY: u64 = 86_400_000;
/// The noon of a day.
const NOW: Timestamp = Timestamp(20_000 * DAY + DAY / 2);

fn ended(all: u64, bounced: u64) -> Ended {
    Ended { all, bounced, late: 0 }
}

/// Bounces that were reported of mail of before this hour, beside what ended in it.
fn late(all: u64, bounced: u64, late: u64) -> Ended {
    Ended { all, bounced, late }
}

fn found(put_on: &[Brake]) -> Vec<(Subject, Cause, u64, u64)> {
    let mut found: Vec<_> = put_on.iter().map(|one| (one.subject, one.cause, one.counted, one.of)).collect();
    found.sort_by_key(|one| one.0);
    found
}

fn by_bounces(totals: &[(Id<SmtpUser>, Ended)]) -> Vec<(Subject, Cause, u64, u64)> {
    let totals: Vec<_> = totals.iter().map(|(user, ended)| (ACCOUNT, *user, *ended)).collect();
    found(&Watch::new(&Limits::default()).by_bounces(&Brakes::default(), &totals, NOW))
}

fn count(user: Id<SmtpUser>, days_ago: u64, accepted: u64, delivered: u64, complained: u64) -> DailyCount {
    DailyCount {
        day: NOW.day().before(days_ago),
        account: ACCOUNT,
        domain: Some(Id::new(1)),
        user: Some(user),
        accepted,
        delivered,
        soft_bounced: 0,
        hard_bounced: 0,
        complained,
    }
}

fn today(_: Id<Account>) -> Day {
    NOW.day()
}

fn by_counts(week: &[DailyCount], counts: &[DailyCount]) -> Vec<(Subject, Cause, u64, u64)> {
    let mut watch = Watch::new(&Limits::default());
    watch.learn(week, today);
    found(&watch.by_counts(&Brakes::default(), counts, today, NOW))
}

#[test]
fn subjects_have_names() {
    for subject in [Subject::Account(ACCOUNT), Subject::User(SHOP)] {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
    assert_eq!((Subject::Account(ACCOUNT).to_string(), Subject::User(SHOP).to_string()), ("A3".into(), "U17".into()));
    for wrong in ["", "A", "17", "X3", "Aé", "A-3", "é"] {
        assert_eq!(wrong.parse::<Subject>(), Err(NoSubject), "{wrong}");
    }
}

#[test]
fn a_tenth_of_two_hundred_bounces_within_an_hour() {
    let user = Subject::User(SHOP);
    assert_eq!(by_bounces(&[(SHOP, ended(200, 20))]), [(user, Cause::HardBounces, 20, 200)]);
    assert!(by_bounces(&[(SHOP, ended(200, 19))]).is_empty());
    assert!(by_bounces(&[(SHOP, ended(199, 199))]).is_empty(), "too few to say");
}

#[test]
fn an_account_is_looked_at_without_its_users_that_are_stopped() {
    let account = Subject::Account(ACCOUNT);
    let two = [(SHOP, ended(150, 15)), (NEWS, ended(100, 10))];
    assert_eq!(by_bounces(&two), [(account, Cause::HardBounces, 25, 250)]);
    let one = [(SHOP, ended(300, 300)), (NEWS, ended(300, 0))];
    assert_eq!(by_bounces(&one), [(Subject::User(SHOP), Cause::HardBounces, 300, 300)]);
}

/// A watch that has looked at these days.
fn looked_at(counts: &[DailyCount]) -> Watch {
    let mut watch = Watch::new(&Limits::default());
    watch.learn(counts, today);
    watch.by_counts(&Brakes::default(), counts, today, NOW);
    watch
}

#[test]
fn late_bounces_are_a_part_of_what_was_delivered() {
    let totals = [(ACCOUNT, SHOP, late(0, 0, 200))];
    let put_on = |watch: &Watch| found(&watch.by_bounces(&Brakes::default(), &totals, NOW));
    assert!(put_on(&Watch::new(&Limits::default())).is_empty(), "nothing is known of what was delivered");
    // in the night much was sent, and what comes back comes when nothing else ends
    assert!(put_on(&looked_at(&[count(SHOP, 0, 0, 100_000, 0)])).is_empty());
    assert!(put_on(&looked_at(&[count(SHOP, 7, 0, 1_000, 0), count(SHOP, 1, 0, 1_001, 0)])).is_empty());
    let found = |of| vec![(Subject::User(SHOP), Cause::HardBounces, 200, of)];
    assert_eq!(put_on(&looked_at(&[count(SHOP, 7, 0, 1_000, 0), count(SHOP, 0, 0, 1_000, 0)])), found(2_000));
    assert_eq!(put_on(&looked_at(&[count(SHOP, 8, 0, 9_000, 0)])), found(200), "a week ago is long ago");
}

#[test]
fn late_bounces_and_those_of_the_hour_are_seen_together() {
    let watch = looked_at(&[count(SHOP, 0, 0, 500, 0)]);
    let put_on = |ended| found(&watch.by_bounces(&Brakes::default(), &[(ACCOUNT, SHOP, ended)], NOW));
    assert_eq!(put_on(late(170, 16, 34)), [(Subject::User(SHOP), Cause::HardBounces, 50, 500)]);
    assert!(put_on(late(170, 16, 33)).is_empty());
    assert!(put_on(late(165, 16, 34)).is_empty(), "too few within the hour");
    assert_eq!(put_on(late(200, 20, 0)), [(Subject::User(SHOP), Cause::HardBounces, 20, 200)], "the hour for itself");
}

#[test]
fn what_stopped_users_delivered_does_not_excuse_the_rest_of_an_account() {
    let watch = looked_at(&[count(SHOP, 1, 0, 50_000, 0), count(NEWS, 1, 0, 300, 0)]);
    let totals = |news| [(ACCOUNT, SHOP, ended(300, 300)), (ACCOUNT, NEWS, late(0, 0, news))];
    let put_on = |brakes: &Brakes, news| found(&watch.by_bounces(brakes, &totals(news), NOW));
    let shop = (Subject::User(SHOP), Cause::HardBounces, 300, 300);
    let none = Brakes::default();
    assert_eq!(put_on(&none, 199), [shop]);
    let other: Id<SmtpUser> = Id::new(19);
    let both = [(ACCOUNT, NEWS, late(0, 0, 150)), (ACCOUNT, other, ended(120, 0))];
    assert!(watch.by_bounces(&none, &both, NOW).is_empty(), "beside all that the account delivered it is little");
    let stopped = watch.by_bounces(&none, &totals(0), NOW).into_iter().map(|brake| (brake.subject, brake)).collect();
    let account = (Subject::Account(ACCOUNT), Cause::HardBounces, 150, 300);
    assert_eq!(found(&watch.by_bounces(&stopped, &both, NOW)), [account]);
}

#[test]
fn past_midnight_the_days_before_are_still_known() {
    let mut watch = looked_at(&[count(SHOP, 1, 0, 10_000, 0)]);
    // two days ago by now, and the week was not looked at since
    let tomorrow = NOW.after(Duration::from_secs(86_400));
    let today = [DailyCount { day: tomorrow.day(), ..count(SHOP, 0, 0, 5, 0) }];
    watch.by_counts(&Brakes::default(), &today, |_| tomorrow.day(), tomorrow);
    assert!(watch.by_bounces(&Brakes::default(), &[(ACCOUNT, SHOP, late(0, 0, 200))], tomorrow).is_empty());
}

#[test]
fn what_is_on_already_is_not_put_on_again() {
    let watch = Watch::new(&Limits::default());
    let totals = [(ACCOUNT, SHOP, ended(300, 300))];
    let put_on = watch.by_bounces(&Brakes::default(), &totals, NOW);
    let brakes: Brakes = put_on.into_iter().map(|brake| (brake.subject, brake)).collect();
    assert!(watch.by_bounces(&brakes, &totals, NOW).is_empty());
}

#[test]
fn the_hour_moves_on() {
    let mut windows = Windows::default();
    let minutes = |minutes: u64| NOW.after(Duration::from_secs(minutes * 60));
    windows.on(ACCOUNT, SHOP, ended(100, 10), NOW);
    windows.on(ACCOUNT, SHOP, ended(50, 0), minutes(30));
    assert_eq!(windows.totals(minutes(54)), [(ACCOUNT, SHOP, ended(150, 10))]);
    assert_eq!(windows.totals(minutes(65)), [(ACCOUNT, SHOP, ended(50, 0))]);
    assert!(windows.totals(minutes(100)).is_empty());
    assert!(windows.is_empty(), "who sends nothing takes no room");
}

#[test]
fn a_late_bounce_counts_in_the_hour_of_its_delivery_and_apart_where_that_is_over() {
    let minutes = |minutes: u64| NOW.after(Duration::from_secs(minutes * 60));
    let whose = (ACCOUNT, SHOP);
    let mut windows = Windows::default();
    windows.on(ACCOUNT, SHOP, ended(1_000, 1), minutes(10));
    windows.reported(whose, minutes(10), None, minutes(55));
    windows.reported(whose, NOW, None, minutes(66));
    assert_eq!(windows.totals(minutes(66)), [(ACCOUNT, SHOP, late(1_000, 2, 1))]);
    // what was seen at a release is not of this hour any more
    windows.reported(whose, minutes(10), Some(minutes(11)), minutes(67));
    windows.reported(whose, minutes(10), Some(NOW), minutes(67));
    assert_eq!(windows.totals(minutes(69)), [(ACCOUNT, SHOP, late(1_000, 3, 2))]);
    assert_eq!(windows.totals(minutes(75)), [(ACCOUNT, SHOP, late(0, 0, 2))], "it goes with its delivery");
    let there = directory(&[SHOP], Brakes::default());
    assert_eq!(restarted(&mut windows, minutes(76), &there).totals(minutes(77)), [(ACCOUNT, SHOP, late(0, 0, 2))]);
    assert!(windows.totals(minutes(130)).is_empty());
}

#[test]
fn a_clock_that_was_ahead_freezes_nothing() {
    let mut windows = Windows::default();
    windows.on(ACCOUNT, SHOP, ended(100, 100), NOW.after(Duration::from_secs(30 * 86_400)));
    windows.on(ACCOUNT, SHOP, ended(1, 0), NOW);
    assert_eq!(windows.totals(NOW), [(ACCOUNT, SHOP, ended(1, 0))]);
}

#[test]
fn a_release_begins_the_hour_anew() {
    let mut windows = Windows::default();
    windows.on(ACCOUNT, SHOP, ended(100, 100), NOW);
    windows.on(ACCOUNT, NEWS, ended(7, 0), NOW);
    windows.forget(Subject::User(SHOP));
    assert_eq!(windows.totals(NOW), [(ACCOUNT, NEWS, ended(7, 0))]);
    windows.forget(Subject::Account(ACCOUNT));
    assert!(windows.totals(NOW).is_empty());
}

fn smtp_user(id: Id<SmtpUser>) -> SmtpUser {
    SmtpUser {
        id,
        account: ACCOUNT,
        domain: Id::new(1),
        name: "Web shop".into(),
        username: id.to_string(),
        passwords: Vec::new(),
        enabled: true,
        rules: UserRules::default(),
        created_at: NOW,
    }
}

fn directory(users: &[Id<SmtpUser>], brakes: Brakes) -> Directory {
    let mut directory = Directory { brakes: Arc::new(brakes), ..Directory::default() };
    for user in users {
        directory.users.insert(*user, Arc::new(smtp_user(*user)));
    }
    directory
}

/// As it is after a restart: written down, read, and put right by what the ledger has.
fn restarted(windows: &mut Windows, at: Timestamp, directory: &Directory) -> Windows {
    let written = serde_json::to_vec(&windows.changed(at).unwrap()).unwrap();
    Windows::restored(serde_json::from_slice(&written).unwrap(), directory)
}

#[test]
fn an_hour_goes_on_after_a_restart() {
    let minutes = |minutes: u64| NOW.after(Duration::from_secs(minutes * 60));
    let mut windows = Windows::default();
    assert_eq!(windows.changed(NOW), None);
    windows.on(ACCOUNT, SHOP, ended(100, 100), NOW);
    windows.on(ACCOUNT, SHOP, ended(50, 50), minutes(30));
    windows.on(ACCOUNT, NEWS, ended(7, 0), minutes(30));
    let there = directory(&[SHOP], Brakes::default());
    let mut windows = restarted(&mut windows, minutes(31), &there);
    assert_eq!(windows.changed(minutes(31)), None, "what was read is written down already");
    windows.on(ACCOUNT, SHOP, ended(60, 60), minutes(40));
    let totals = windows.totals(minutes(50));
    assert_eq!(totals, [(ACCOUNT, SHOP, ended(210, 210))], "a user that is gone is counted no more");
    let watch = Watch::new(&Limits::default());
    let put_on = watch.by_bounces(&Brakes::default(), &totals, minutes(50));
    assert_eq!(found(&put_on), [(Subject::User(SHOP), Cause::HardBounces, 210, 210)]);
    assert_eq!(windows.totals(minutes(65)), [(ACCOUNT, SHOP, ended(110, 110))], "each part leaves in its turn");
    let mut windows = restarted(&mut windows, minutes(65), &there);
    assert!(windows.totals(minutes(200)).is_empty(), "after a long stop nothing is left");
}

#[test]
fn a_release_that_was_not_written_down_yet_counts_after_a_restart() {
    let released_at = |at: Timestamp, by_operator| {
        let release = Release { at, by: "Ann".into(), by_operator, seen: Seen::default() };
        let on = brake(&Brakes::default(), Subject::User(SHOP), ACCOUNT, (Cause::HardBounces, 2, 1), NOW);
        Brakes::from([(Subject::User(SHOP), Brake { released: Some(release), ..on })])
    };
    let minutes = |minutes: u64| NOW.after(Duration::from_secs(minutes * 60));
    for (at, left) in [(minutes(2), vec![(ACCOUNT, SHOP, ended(9, 9))]), (minutes(6), Vec::new())] {
        let mut windows = Windows::default();
        windows.on(ACCOUNT, SHOP, ended(9, 9), minutes(3));
        let there = directory(&[SHOP], released_at(at, false));
        assert_eq!(restarted(&mut windows, minutes(5), &there).totals(minutes(7)), left);
    }
}

#[test]
fn a_file_that_was_tampered_with_breaks_nothing() {
    let odd = r#"{"at":5,"users":[{"account":3,"user":17,"newest":2,"parts":[[0,1,1],[3,5,5],[99,7,7],[18446744073709551615,1,1]]}]}"#;
    let windows = Windows::restored(serde_json::from_str(odd).unwrap(), &directory(&[SHOP], Brakes::default()));
    assert_eq!({ windows }.totals(Timestamp(700_000)), [(ACCOUNT, SHOP, ended(1, 1))]);
}

#[test]
fn three_complaints_in_a_thousand() {
    let user = Subject::User(SHOP);
    let days = [count(SHOP, 1, 400, 400, 1), count(SHOP, 0, 600, 600, 2)];
    assert_eq!(by_counts(&[], &days), [(user, Cause::Complaints, 3, 1_000)]);
    assert!(by_counts(&[], &[count(SHOP, 0, 1_000, 1_000, 2)]).is_empty());
    assert!(by_counts(&[], &[count(SHOP, 0, 999, 999, 99)]).is_empty(), "too few to say");
}

#[test]
fn complaints_that_come_days_later_count_with_their_mail() {
    let watch = Watch::new(&Limits::default());
    let put_on = |brakes: &Brakes, counts: &[DailyCount]| watch.by_late_complaints(brakes, counts, today, NOW);
    let none = Brakes::default();
    // the newsletter of some day among much that nobody minds
    let newsletter = |days| vec![count(SHOP, 0, 0, 90_000, 0), count(NEWS, days, 0, 5_000, 100)];
    let brake_of = |complained, of| vec![(Subject::User(NEWS), Cause::Complaints, complained, of)];
    for days in 1..=WEEK {
        assert_eq!(found(&put_on(&none, &newsletter(days))), brake_of(100, 5_000), "{days}");
    }
    for days in [0, WEEK + 1] {
        assert!(put_on(&none, &newsletter(days)).is_empty(), "{days}");
    }
    let two_days = [count(NEWS, 4, 0, 500, 1), count(NEWS, 3, 0, 500, 2)];
    assert_eq!(found(&put_on(&none, &two_days)), brake_of(3, 1_000));
    assert!(
        put_on(&none, &[count(NEWS, 5, 0, 500, 1), count(NEWS, 3, 0, 500, 2)]).is_empty(),
        "not one after the other"
    );
    assert!(put_on(&none, &[count(NEWS, 3, 0, 999, 99)]).is_empty(), "too few to say");
}

#[test]
fn complaints_about_the_week_that_were_seen_count_no_more() {
    let watch = Watch::new(&Limits::default());
    let subject = Subject::User(SHOP);
    let week = [count(SHOP, 7, 0, 2_000, 50), count(SHOP, 3, 0, 1_000, 5), count(SHOP, 1, 0, 4_000, 40)];
    let put_on = watch.by_late_complaints(&Brakes::default(), &week, today, NOW);
    assert_eq!(found(&put_on), [(subject, Cause::Complaints, 40, 4_000)], "one of them is enough");
    let seen = seen(&week, subject, NOW.day());
    let release = Release { at: NOW, by: "Ann".into(), by_operator: false, seen };
    let brakes = Brakes::from([(subject, Brake { released: Some(release), ..put_on[0].clone() })]);
    for later in 0..9 {
        let day = Day(NOW.day().0 + later);
        let all = watch.by_late_complaints(&brakes, &week, |_| day, NOW);
        assert!(all.is_empty(), "{later}: {all:?}");
        let further = [week.to_vec(), vec![DailyCount { day: day.before(3), ..count(SHOP, 0, 0, 1_000, 3) }]].concat();
        let all = watch.by_late_complaints(&brakes, &further, |_| day, NOW);
        assert_eq!(found(&all), [(subject, Cause::Complaints, 3, 1_000)], "{later}");
    }
}

#[test]
fn a_release_of_before_knows_two_days() {
    let kept =
        r#"{"day":20000,"accepted":9,"delivered":30,"complained":3,"delivered_before":10,"complained_before":1}"#;
    let seen: Seen = serde_json::from_str(kept).unwrap();
    let of = |accepted, delivered, complained| Counted { accepted, delivered, complained };
    let days = [19_998, 19_999, 20_000, 20_001, 20_002].map(|day| seen.on(Day(day)));
    assert_eq!(days, [of(9, 0, 0), of(9, 10, 1), of(9, 30, 3), of(0, 20, 2), of(0, 0, 0)]);
}

#[test]
fn ten_times_its_own_busiest_day_and_the_new_begin_small() {
    let user = Subject::User(SHOP);
    assert!(by_counts(&[], &[count(SHOP, 0, 5_000, 0, 0)]).is_empty());
    assert_eq!(by_counts(&[], &[count(SHOP, 0, 5_001, 0, 0)]), [(user, Cause::Volume, 5_001, 5_000)]);
    let week = [count(SHOP, 3, 2_000, 0, 0), count(SHOP, 2, 900, 0, 0)];
    assert!(by_counts(&week, &[count(SHOP, 0, 20_000, 0, 0)]).is_empty());
    assert_eq!(by_counts(&week, &[count(SHOP, 0, 20_001, 0, 0)]), [(user, Cause::Volume, 20_001, 20_000)]);
    let yesterday = [count(SHOP, 1, 90_000, 0, 0)];
    assert!(by_counts(&week, &yesterday).is_empty(), "volume is of today");
}

#[test]
fn what_was_seen_at_a_release_counts_no_more() {
    let mut watch = Watch::new(&Limits::default());
    let counts = [count(SHOP, 0, 6_000, 1_000, 5)];
    let mut brakes = Brakes::default();
    let brake = watch.by_counts(&brakes, &counts, today, NOW).remove(0);
    let subject = brake.subject;
    let seen = seen(&counts, subject, NOW.day());
    assert_eq!((seen.accepted, seen.delivered, seen.complained), (6_000, 1_000, 5));
    let release = Release { at: NOW, by: "Ann".into(), by_operator: false, seen };
    brakes.insert(subject, Brake { released: Some(release), ..brake });
    let mut put_on = |counts: &[DailyCount], now: Timestamp| watch.by_counts(&brakes, counts, |_| now.day(), now);
    assert_eq!(put_on(&counts, NOW), [], "the account's mail is the same: whoever released it has seen it");
    assert_eq!(put_on(&[count(SHOP, 0, 11_000, 1_900, 5)], NOW), []);
    let beside = put_on(&[count(SHOP, 0, 8_000, 1_000, 5), count(NEWS, 0, 3_001, 0, 0)], NOW);
    assert_eq!(
        beside.iter().map(|brake| (brake.subject, brake.counted)).collect::<Vec<_>>(),
        [(Subject::Account(ACCOUNT), 5_001)]
    );
    let again = put_on(&[count(SHOP, 0, 11_001, 1_000, 5)], NOW).remove(0);
    assert_eq!(again.subject, subject);
    assert_eq!((again.cause, again.counted, again.released_before), (Cause::Volume, 5_001, Some(NOW)));
    assert!(!again.is_for_the_account(NOW.after(Duration::from_secs(3600))));
    assert!(again.is_for_the_account(NOW.after(RELEASED_AGAIN)));
    let tomorrow = NOW.after(Duration::from_secs(86_400));
    let later = DailyCount { day: tomorrow.day(), ..count(SHOP, 0, 5_001, 0, 0) };
    assert!(!put_on(&[later], tomorrow).is_empty(), "the next day is counted from its beginning");
}

#[test]
fn the_day_after_a_release_what_was_delivered_before_it_is_counted_by_days() {
    let mut watch = Watch::new(&Limits::default());
    let counts = [count(SHOP, 1, 0, 100_000, 0), count(SHOP, 0, 0, 1_000, 5)];
    let subject = Subject::User(SHOP);
    let seen = seen(&counts, subject, NOW.day());
    let release = Release { at: NOW, by: "Ann".into(), by_operator: false, seen };
    let released = brake(&Brakes::default(), subject, ACCOUNT, (Cause::Complaints, 5, 1_000), NOW);
    let brakes = Brakes::from([(subject, Brake { released: Some(release), ..released })]);
    assert!(watch.by_counts(&brakes, &counts, today, NOW).is_empty());
    let tomorrow = NOW.after(Duration::from_secs(86_400));
    let later = [counts[1].clone(), DailyCount { day: tomorrow.day(), ..count(SHOP, 0, 0, 50_000, 2_000) }];
    let found = watch.by_counts(&brakes, &later, |_| tomorrow.day(), tomorrow).remove(0);
    assert_eq!((found.subject, found.cause, found.counted, found.of), (subject, Cause::Complaints, 2_000, 50_000));
}

#[test]
fn thresholds_are_the_operators() {
    let off = Limits { brake_bounce_percent: 0, brake_volume_factor: 0, ..Limits::default() };
    let mut off = Watch::new(&Limits { brake_complaints_per_ten_thousand: 0, ..off });
    assert!(off.by_bounces(&Brakes::default(), &[(ACCOUNT, SHOP, ended(1_000, 1_000))], NOW).is_empty());
    let counts = [count(SHOP, 0, 1_000_000, 1_000_000, 1_000_000)];
    assert!(off.by_counts(&Brakes::default(), &counts, today, NOW).is_empty());
}

#[test]
fn a_brake_stops_its_user_or_the_whole_account() {
    let on = |subject| {
        let brake = brake(&Brakes::default(), subject, ACCOUNT, (Cause::Volume, 2, 1), NOW);
        Brakes::from([(subject, brake)])
    };
    let stops = |brakes: &Brakes, user| of_user(brakes, ACCOUNT, Some(user)).is_some();
    let of_shop = on(Subject::User(SHOP));
    assert!(stops(&of_shop, SHOP) && !stops(&of_shop, NEWS));
    let of_account = on(Subject::Account(ACCOUNT));
    assert!(stops(&of_account, SHOP) && stops(&of_account, NEWS));
    assert!(of_user(&of_account, Id::new(4), Some(SHOP)).is_none());
}
