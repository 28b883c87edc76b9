//! What is asked for, granted and taken back, and which limit holds on which day.

use time::{Date, Month};

use super::*;
use crate::account::{AccountState, Contacts};
use crate::time_zone::TimeZone;

const SMALL: Id<Plan> = Id::new(2);
const LARGE: Id<Plan> = Id::new(3);
const GONE: Id<Plan> = Id::new(4);
const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn plans() -> Plans {
    let plan = |id, recipients, is_retired| {
        let terms = Terms { recipients, ..Plan::built_in().terms };
        (id, Arc::new(Plan { id, terms, is_default: false, is_retired, created_at: NOW }))
    };
    let given = [plan(SMALL, Some(100), false), plan(LARGE, Some(1_000), false), plan(GONE, Some(5), true)];
    let built_in = (Plan::BUILT_IN, Arc::new(Plan::built_in()));
    given.into_iter().chain([built_in]).collect()
}

fn account(subscription: Subscription) -> Account {
    Account {
        id: Id::new(7),
        name: "Acme".to_owned(),
        state: AccountState::Active,
        activity_days: None,
        own_quota: Quota { recipients: None, renews_on: 20, moved: None },
        subscription,
        contacts: Contacts::default(),
        time_zone: TimeZone::utc(),
        language: Language::English,
        created_at: NOW,
    }
}

fn day(month: u8, day: u8) -> Day {
    Date::from_calendar_date(2027, Month::try_from(month).unwrap(), day).unwrap().into()
}

fn changed(account: &Account, change: SubscriptionChange) -> Result<Account, StoreError> {
    account.subscribe(change, &plans(), 9, "jane@example.com", NOW)
}

fn asked(account: &Account, wish: Option<Id<Plan>>) -> Result<Account, StoreError> {
    changed(account, SubscriptionChange::Ask { wish, message: "Please".to_owned() })
}

fn granted(account: &Account, wish: Option<Id<Plan>>) -> Account {
    changed(&asked(account, wish).unwrap(), SubscriptionChange::Approve { request: 9 }).unwrap()
}

fn limit(account: &Account, on: Day) -> Option<u64> {
    account.quota(&plans(), on).recipients
}

#[test]
fn more_comes_at_once_and_less_with_the_next_period() {
    assert_eq!(NOW.day(), day(1, 15));
    let (eve, renewal) = (day(1, 19), day(1, 20));
    let more = granted(&account(Subscription::to(SMALL)), Some(LARGE));
    assert_eq!((more.subscription.next, limit(&more, NOW.day())), (None, Some(1_000)));
    let less = granted(&more, Some(SMALL));
    assert_eq!(less.subscription.next, Some(Next { plan: Some(SMALL), from: renewal }));
    assert_eq!((limit(&less, eve), limit(&less, renewal)), (Some(1_000), Some(100)));
    assert_eq!(less.standing(renewal), Standing::Plan(SMALL));
    assert_eq!(less.on(renewal).subscription.standing, Standing::Plan(SMALL));
    assert_eq!(limit(&granted(&less, Some(Plan::BUILT_IN)), NOW.day()), None, "unlimited is more than any");
    let from_unlimited = granted(&account(Subscription::to(Plan::BUILT_IN)), Some(LARGE));
    assert_eq!((limit(&from_unlimited, eve), limit(&from_unlimited, renewal)), (None, Some(1_000)));
}

#[test]
fn a_cancellation_comes_with_the_next_period_and_can_be_taken_back() {
    let cancelled = granted(&account(Subscription::to(SMALL)), None);
    assert_eq!(cancelled.standing(day(1, 19)), Standing::Plan(SMALL));
    assert_eq!((cancelled.standing(day(1, 20)), limit(&cancelled, day(1, 20))), (Standing::Cancelled, Some(0)));
    let kept = changed(&cancelled, SubscriptionChange::Keep).unwrap();
    assert_eq!((kept.standing(day(2, 20)), limit(&kept, day(2, 20))), (Standing::Plan(SMALL), Some(100)));
    assert!(matches!(changed(&kept, SubscriptionChange::Keep), Err(StoreError::NotFound(_))));
}

#[test]
fn without_a_plan_whatever_is_granted_begins_at_once() {
    for before in [Subscription::none(), Subscription { standing: Standing::Cancelled, ..Subscription::none() }] {
        let before = account(before);
        assert_eq!(limit(&before, NOW.day()), Some(0));
        assert!(matches!(asked(&before, None), Err(StoreError::Conflict(_))), "nothing to cancel");
        let after = granted(&before, Some(SMALL));
        assert_eq!((after.standing(NOW.day()), limit(&after, NOW.day())), (Standing::Plan(SMALL), Some(100)));
    }
}

#[test]
fn one_request_is_open_at_a_time_and_is_answered_once() {
    let open = asked(&account(Subscription::to(SMALL)), Some(LARGE)).unwrap();
    assert!(matches!(asked(&open, None), Err(StoreError::Conflict(_))));
    for request in [8, 10] {
        let other = changed(&open, SubscriptionChange::Approve { request });
        assert!(matches!(other, Err(StoreError::NotFound(_))), "{request}");
    }
    let declined = changed(&open, SubscriptionChange::Decline { request: 9, reason: "Not yet".to_owned() }).unwrap();
    assert_eq!((limit(&declined, NOW.day()), declined.subscription.open()), (Some(100), None));
    let answer = declined.subscription.request.as_ref().unwrap().answer.clone().unwrap();
    assert_eq!((answer.approved, answer.reason.as_str()), (false, "Not yet"));
    let again = changed(&declined, SubscriptionChange::Approve { request: 9 });
    assert!(matches!(again, Err(StoreError::NotFound(_))));
    assert!(matches!(changed(&declined, SubscriptionChange::Withdraw), Err(StoreError::NotFound(_))));
    let withdrawn = changed(&asked(&declined, Some(LARGE)).unwrap(), SubscriptionChange::Withdraw).unwrap();
    assert_eq!(withdrawn.subscription, Subscription::to(SMALL));
}

#[test]
fn what_is_so_already_and_what_is_retired_is_not_asked_for() {
    let on_large = account(Subscription::to(LARGE));
    assert!(matches!(asked(&on_large, Some(LARGE)), Err(StoreError::Conflict(_))));
    assert!(matches!(asked(&on_large, Some(GONE)), Err(StoreError::Conflict(_))));
    assert!(matches!(asked(&on_large, Some(Id::new(99))), Err(StoreError::NotFound(_))));
    let less = granted(&on_large, Some(SMALL));
    for wish in [SMALL, LARGE] {
        assert!(matches!(asked(&less, Some(wish)), Err(StoreError::Conflict(_))), "{wish}");
    }
    assert!(asked(&less, None).is_ok());
    let put = changed(&on_large, SubscriptionChange::Put(Some(GONE)));
    assert!(matches!(put, Err(StoreError::Conflict(_))));
}

#[test]
fn a_limit_of_its_own_holds_until_another_plan_begins() {
    let mut own = account(Subscription::to(SMALL));
    own.own_quota.recipients = Some(500);
    assert_eq!(limit(&own, NOW.day()), Some(500));
    let more = granted(&own, Some(LARGE));
    assert_eq!((more.own_quota.recipients, limit(&more, NOW.day())), (None, Some(1_000)));
    own.subscription = Subscription::to(LARGE);
    let less = granted(&own, Some(SMALL));
    assert_eq!((limit(&less, day(1, 19)), limit(&less, day(1, 20))), (Some(500), Some(100)));
    assert_eq!(less.on(day(1, 20)).own_quota.recipients, None);
    // more than the limit of its own, though less than the plan's would be
    own.own_quota.recipients = Some(50);
    assert_eq!(limit(&granted(&own, Some(SMALL)), NOW.day()), Some(100));
}

#[test]
fn the_operator_gives_and_takes_at_once() {
    let scheduled = granted(&account(Subscription::to(LARGE)), Some(SMALL));
    let same = changed(&scheduled, SubscriptionChange::Put(Some(LARGE))).unwrap();
    assert_eq!((same.subscription.next, same.subscription.standing), (None, Standing::Plan(LARGE)));
    let taken = changed(&scheduled, SubscriptionChange::Put(None)).unwrap();
    assert_eq!((taken.standing(NOW.day()), taken.subscription.next), (Standing::Cancelled, None));
    let never = changed(&account(Subscription::none()), SubscriptionChange::Put(None)).unwrap();
    assert_eq!(never.subscription.standing, Standing::Unapproved);
    let given = changed(&taken, SubscriptionChange::Put(Some(SMALL))).unwrap();
    assert_eq!(limit(&given, NOW.day()), Some(100));
}

#[test]
fn what_follows_with_the_next_period_moves_with_its_day() {
    let less = granted(&account(Subscription::to(LARGE)), Some(SMALL));
    let moved = less.requoted(less.own_quota.moved_to(5, NOW.day()), NOW.day());
    assert_eq!(moved.subscription.next, Some(Next { plan: Some(SMALL), from: day(2, 5) }));
    assert_eq!((limit(&moved, day(2, 4)), limit(&moved, day(2, 5))), (Some(1_000), Some(100)));
}

#[test]
fn a_plan_that_is_not_there_lets_nothing_through() {
    assert_eq!(limit(&account(Subscription::to(Id::new(99))), NOW.day()), Some(0));
}

#[test]
fn words_fall_back_to_english() {
    let both = Wording { english: "Free".to_owned(), french: "Gratuit".to_owned() };
    assert_eq!((both.in_language(Language::English), both.in_language(Language::French)), ("Free", "Gratuit"));
    let one = Wording { english: "Free".to_owned(), french: String::new() };
    assert_eq!(one.in_language(Language::French), "Free");
}
