//! Periods in every month and wherever the clock goes; counters under every interleaving of sessions and crashes.

use proptest::prelude::*;
use smtp::address::{Address, ReversePath};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::queue::ContentFacts;
use crate::time_zone::TimeZone;

const ACME: Id<Account> = Id::new(1);
const DAY: u64 = 86_400_000;

fn day(year: i32, month: u8, day: u8) -> Day {
    Date::from_calendar_date(year, Month::try_from(month).unwrap(), day).unwrap().into()
}

fn at(day: Day) -> Timestamp {
    Timestamp(day.0 * DAY)
}

fn quota(recipients: u64, renews_on: u8) -> Quota {
    Quota { recipients: Some(recipients), renews_on, moved: None }
}

fn envelope(accepted_at: Timestamp, recipients: &[&str]) -> Envelope {
    Envelope {
        message: MessageId(1),
        account: ACME,
        user: Some(Id::new(1)),
        domain: Some(Id::new(1)),
        origin: Origin::Submission,
        reverse_path: ReversePath::Null,
        recipients: recipients.iter().map(|text| Address::parse(text, false).unwrap()).collect(),
        suppressed: Vec::new(),
        header_needs_smtputf8: false,
        needs_eight_bit: false,
        accepted_at,
        days_ahead: 0,
        retry_for: None,
        sandbox: false,
        facts: ContentFacts::default(),
        session: None,
        requests: None,
        tls_wish: crate::queue::TlsWish::AsAsked,
        priority: crate::priority::Priority::NORMAL,
    }
}

fn words(period: Period) -> String {
    format!("{} to {}", period.begins, period.renews)
}

#[test]
fn a_period_ends_on_the_day_or_the_last_of_a_shorter_month() {
    for (renews_on, today, period) in [
        (1, day(2026, 11, 24), "2026-11-01 to 2026-12-01"),
        (1, day(2026, 12, 1), "2026-12-01 to 2027-01-01"),
        (1, day(2026, 12, 31), "2026-12-01 to 2027-01-01"),
        (15, day(2027, 1, 14), "2026-12-15 to 2027-01-15"),
        (31, day(2026, 1, 30), "2025-12-31 to 2026-01-31"),
        (31, day(2026, 2, 27), "2026-01-31 to 2026-02-28"),
        (31, day(2026, 2, 28), "2026-02-28 to 2026-03-31"),
        (31, day(2028, 2, 28), "2028-01-31 to 2028-02-29"),
        (31, day(2028, 2, 29), "2028-02-29 to 2028-03-31"),
        (31, day(2026, 4, 30), "2026-04-30 to 2026-05-31"),
        (29, day(2026, 3, 1), "2026-02-28 to 2026-03-29"),
        (29, day(2028, 3, 1), "2028-02-29 to 2028-03-29"),
        (30, day(2100, 2, 28), "2100-02-28 to 2100-03-30"),
    ] {
        assert_eq!(words(quota(1, renews_on).period(today)), period, "day {renews_on}, on {today}");
    }
}

#[test]
fn the_ends_of_time_have_periods() {
    assert_eq!(words(quota(1, 15).period(Day(0))), "1970-01-01 to 1970-01-15");
    for renews_on in 1..=31 {
        let period = quota(1, renews_on).period(Timestamp(u64::MAX).day().min(LAST));
        assert!(period.contains(Timestamp(u64::MAX).day().min(LAST)), "{}", words(period));
        assert_eq!(period, quota(1, renews_on).period(Day(u64::MAX)));
    }
}

#[test]
fn a_moved_day_lets_the_period_under_way_go_on_until_it_comes() {
    let moved = quota(5, 1).moved_to(20, day(2026, 11, 25));
    let under_way = "2026-11-01 to 2026-12-20";
    for today in [day(2026, 11, 1), day(2026, 11, 10), day(2026, 11, 25), day(2026, 12, 19)] {
        assert_eq!(words(moved.period(today)), under_way, "on {today}");
    }
    assert_eq!(words(moved.period(day(2026, 12, 20))), "2026-12-20 to 2027-01-20");
    assert_eq!(words(moved.period(day(2026, 10, 31))), "2026-10-20 to 2026-11-01");
    // and back, and to the same day
    let back = moved.moved_to(1, day(2026, 11, 26));
    assert_eq!(words(back.period(day(2026, 11, 26))), "2026-11-01 to 2026-12-01");
    assert_eq!(moved.moved_to(20, day(2026, 11, 26)), moved);
    // to today: it does not begin anew on the spot
    let today = day(2026, 11, 25);
    assert_eq!(words(quota(5, 1).moved_to(25, today).period(today)), "2026-11-01 to 2026-12-25");
}

proptest! {
    #[test]
    fn periods_follow_one_another_without_gap_or_overlap(
        renews_on in 1u8..=31, start in 0u64..60_000, moves in prop::collection::vec((1u8..=31, 1u64..90), 0..4),
    ) {
        let mut quota = quota(1, renews_on);
        let mut today = Day(start);
        let days_max = 31 * (moves.len() as u64 + 1);
        for (renews_on, days) in moves {
            quota = quota.moved_to(renews_on, today);
            prop_assert!(quota.period(today).contains(today));
            today = Day(today.0 + days);
        }
        let mut period = quota.period(today);
        for _ in 0..30 {
            let days = period.renews.0 - period.begins.0;
            prop_assert!((1..=days_max).contains(&days), "{}", words(period));
            for day in period.begins.0..period.renews.0 {
                prop_assert_eq!(quota.period(Day(day)), period);
            }
            let next = quota.period(period.renews);
            prop_assert_eq!(next.begins, period.renews);
            period = next;
        }
    }
}

#[test]
fn what_is_reserved_and_charged_never_passes_the_quota() {
    let usage = Usage::default();
    let (quota, today) = (quota(3, 1), day(2026, 11, 24));
    let mut first = usage.reservation(ACME);
    first.reserve(&quota, 2, today).unwrap();
    let mut second = usage.reservation(ACME);
    second.reserve(&quota, 1, today).unwrap();
    let refused = Exhausted { recipients: 3, renews: day(2026, 12, 1) };
    assert_eq!(second.reserve(&quota, 2, today), Err(refused));
    // what it held it still holds
    assert_eq!(usage.used(ACME, quota.period(today)), 3);
    assert_eq!(usage.reservation(ACME).reserve(&quota, 1, today), Err(refused));
    drop(first);
    second.reserve(&quota, 3, today).unwrap();
    second.on_commit();
    drop(second);
    assert_eq!(usage.reservation(ACME).reserve(&quota, 1, today), Err(refused), "its fate is unknown: it counts");
    usage.reservation(Id::new(2)).reserve(&quota, 3, today).unwrap();
}

#[test]
fn what_is_released_may_be_used_again_and_leaves_nothing() {
    let usage = Usage::default();
    let (quota, today) = (quota(1, 1), day(2026, 11, 24));
    let mut reservation = usage.reservation(ACME);
    for _ in 0..3 {
        reservation.reserve(&quota, 1, today).unwrap();
        reservation.on_commit();
        reservation.release();
    }
    reservation.reserve(&quota, 1, today).unwrap();
    drop(reservation);
    assert!(usage.lock().is_empty());
}

#[test]
fn no_way_of_the_clock_gives_a_period_twice() {
    let usage = Usage::default();
    let quota = quota(10, 1);
    let send = |today: Day| {
        let mut reservation = usage.reservation(ACME);
        let mut taken = 0;
        while reservation.reserve(&quota, 1, today).is_ok() {
            reservation.on_commit();
            reservation.charge();
            taken += 1;
        }
        taken
    };
    assert_eq!(send(day(2026, 11, 24)), 10);
    assert_eq!(send(day(2026, 11, 2)), 0, "set back within the period");
    assert_eq!(send(day(2027, 3, 5)), 10, "leapt ahead");
    assert_eq!(send(day(2026, 11, 30)), 0, "set right again");
    assert_eq!(send(day(2027, 3, 31)), 0, "when that month comes, it was used");
    assert_eq!(send(day(2026, 10, 31)), 10, "set back to a month in which nothing was sent");
    assert_eq!(send(day(2026, 11, 1)), 0);
}

#[test]
fn a_zone_that_is_changed_at_the_edge_gives_no_period_twice_and_takes_none_away() {
    let usage = Usage::default();
    let quota = quota(10, 1);
    // 30 November in the west, 1 December in the east
    let now = Timestamp(at(day(2026, 11, 30)).0 + 11 * 3_600_000);
    let send = |zone: &str, now: Timestamp, most: u64| {
        let today = TimeZone::named(zone).unwrap().day(now);
        let mut reservation = usage.reservation(ACME);
        let fits = |count: &u64| reservation.reserve(&quota, *count, today).is_ok();
        let taken = (1..=most).take_while(fits).count();
        reservation.on_commit();
        reservation.charge();
        taken
    };
    assert_eq!(send("Etc/GMT+12", now, 7), 7);
    assert_eq!(send("Pacific/Kiritimati", now, 20), 10, "the next period has begun there");
    assert_eq!(send("Etc/GMT+12", now, 20), 3, "what was left of the one before is still there");
    for zone in ["Pacific/Kiritimati", "UTC", "Etc/GMT+12", "Europe/Paris", "Pacific/Kiritimati"] {
        assert_eq!(send(zone, now, 20), 0, "{zone}");
    }
    let tomorrow = Timestamp(now.0 + 2 * DAY);
    assert_eq!(send("Etc/GMT+12", tomorrow, 20), 0, "December was used in the east");
}

#[test]
fn a_message_that_crosses_into_a_full_period_does_not_fit() {
    let usage = Usage::default();
    let (quota, evening) = (quota(2, 1), day(2026, 11, 30));
    usage.charge([Charge { account: ACME, day: day(2026, 12, 1), recipients: 1 }]);
    let mut reservation = usage.reservation(ACME);
    reservation.reserve(&quota, 2, evening).unwrap();
    let midnight = day(2026, 12, 1);
    assert_eq!(reservation.reserve(&quota, 2, midnight).unwrap_err().renews, day(2027, 1, 1));
    reservation.reserve(&quota, 1, midnight).unwrap();
    assert_eq!(usage.used(ACME, quota.period(day(2026, 11, 30))), 0, "it moved with its message");
    assert_eq!(usage.used(ACME, quota.period(day(2026, 12, 1))), 2);
}

#[test]
fn memory_is_bounded_and_the_period_under_way_is_never_forgotten() {
    let usage = Usage::default();
    for day in 0..10_000 {
        usage.charge([Charge { account: ACME, day: Day(day), recipients: 1 }]);
    }
    assert_eq!(usage.lock()[&ACME].0.len(), DAYS_KEPT);
    let longest = Period { begins: Day(9_999 - 61), renews: Day(10_001) };
    assert_eq!(usage.used(ACME, longest), 62);
    // a clock that was far away for two months
    for day in 500_000..500_060 {
        usage.charge([Charge { account: ACME, day: Day(day), recipients: 1 }]);
    }
    assert_eq!(usage.used(ACME, longest), 62);
}

#[test]
fn what_a_commit_counts_is_read_from_its_record() {
    let mut envelope = envelope(at(Day(20_000)), &["a@example.org", "b@example.org"]);
    assert_eq!(Charge::of(&envelope), Some(Charge { account: ACME, day: Day(20_000), recipients: 2 }));
    envelope.suppressed = std::mem::take(&mut envelope.recipients);
    assert_eq!(Charge::of(&envelope), None, "suppressed recipients are not counted");
    envelope.recipients = std::mem::take(&mut envelope.suppressed);
    envelope.origin = Origin::Notification(MessageId(1));
    assert_eq!(Charge::of(&envelope), None, "what the relay writes itself is free");
}

/// What happens in a world of sessions, a log and crashes.
#[derive(Clone, Debug)]
enum Happening {
    Recipient(usize),
    Abandon(usize),
    /// The end of data: the message goes to the store.
    Commit(usize),
    /// What became of it there.
    Return(usize, Fate),
    /// The process ends: memory is read again from the log.
    Crash,
    /// The clock goes, or is put, so many hours on or back.
    Clock(i64),
    /// The account moves to this one of the [`ZONES`].
    Zone(usize),
}

/// From one end of the earth to the other, with days of 23 and of 25 hours.
const ZONES: [&str; 6] =
    ["UTC", "Europe/Paris", "Pacific/Kiritimati", "Etc/GMT+12", "America/St_Johns", "Australia/Lord_Howe"];

thread_local! {
    static KNOWN: Vec<TimeZone> = ZONES.iter().map(|name| TimeZone::named(name).unwrap()).collect();
}

fn day_in(zone: usize, at: Timestamp) -> Day {
    KNOWN.with(|zones| zones[zone].day(at))
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Kept,
    /// Refused before anything was written.
    NoRoom,
    /// Nobody hears, and it is kept or not.
    Unknown(bool),
}

const SESSIONS: usize = 4;

fn happening() -> impl Strategy<Value = Happening> {
    let fate = prop_oneof![
        6 => Just(Fate::Kept),
        1 => Just(Fate::NoRoom),
        1 => any::<bool>().prop_map(Fate::Unknown),
    ];
    prop_oneof![
        10 => (0..SESSIONS).prop_map(Happening::Recipient),
        1 => (0..SESSIONS).prop_map(Happening::Abandon),
        3 => (0..SESSIONS).prop_map(Happening::Commit),
        4 => (0..SESSIONS, fate).prop_map(|(session, fate)| Happening::Return(session, fate)),
        1 => Just(Happening::Crash),
        1 => (-40i64..40).prop_map(|days| Happening::Clock(days * 24)),
        2 => (-30i64..30).prop_map(Happening::Clock),
        2 => (0..ZONES.len()).prop_map(Happening::Zone),
    ]
}

struct Transaction {
    reservation: Reservation,
    recipients: u64,
    /// With the store since this day, which its record has.
    accepted_on: Option<Day>,
}

struct World {
    usage: Usage,
    quota: Quota,
    now: Timestamp,
    /// The account's, by its place among [`ZONES`].
    zone: usize,
    sessions: Vec<Transaction>,
    /// What is on the disk, with each period that it counts in.
    log: Charges,
    periods: BTreeSet<(Day, Day)>,
}

impl World {
    fn new(quota: Quota) -> World {
        let now = at(day(2026, 11, 24));
        let (usage, log, periods) = (Usage::default(), Charges::default(), BTreeSet::new());
        let mut world = World { usage, quota, now, zone: 0, sessions: Vec::new(), log, periods };
        world.begin();
        world
    }

    /// A process begins: it knows what is on the disk, and nothing else.
    fn begin(&mut self) {
        self.usage = Usage::default();
        self.usage.charge(self.log.iter());
        self.sessions = (0..SESSIONS).map(|_| self.transaction()).collect();
    }

    /// The day that it is for the account.
    fn today(&self) -> Day {
        day_in(self.zone, self.now)
    }

    fn transaction(&self) -> Transaction {
        Transaction { reservation: self.usage.reservation(ACME), recipients: 0, accepted_on: None }
    }

    fn on(&mut self, happening: &Happening) {
        match *happening {
            Happening::Recipient(session) => {
                let today = self.today();
                let transaction = &mut self.sessions[session];
                let (reservation, wanted) = (&mut transaction.reservation, transaction.recipients + 1);
                if transaction.accepted_on.is_none() && reservation.reserve(&self.quota, wanted, today).is_ok() {
                    transaction.recipients = wanted;
                }
            }
            // one that is with the store is cut there, and kept or not: see `Fate::Unknown`
            Happening::Abandon(session) if self.sessions[session].accepted_on.is_none() => {
                self.sessions[session] = self.transaction();
            }
            Happening::Abandon(_) => {}
            Happening::Commit(session) => self.commit(session),
            Happening::Return(session, fate) => self.on_return(session, fate),
            Happening::Crash => {
                // what was with the store at that moment is on the disk or not
                for session in 0..SESSIONS {
                    self.on_return(session, Fate::Unknown(session % 2 == 0));
                }
                self.begin();
            }
            Happening::Clock(hours) => self.now = Timestamp(self.now.0.saturating_add_signed(hours * 3_600_000)),
            Happening::Zone(zone) => self.zone = zone,
        }
    }

    fn commit(&mut self, session: usize) {
        let today = self.today();
        let transaction = &mut self.sessions[session];
        let (reservation, recipients) = (&mut transaction.reservation, transaction.recipients);
        if transaction.accepted_on.is_some() || recipients == 0 {
            return;
        }
        if reservation.reserve(&self.quota, recipients, today).is_ok() {
            reservation.on_commit();
            transaction.accepted_on = Some(today);
        } else {
            self.sessions[session] = self.transaction();
        }
    }

    fn on_return(&mut self, session: usize, fate: Fate) {
        if self.sessions[session].accepted_on.is_none() {
            return;
        }
        let fresh = self.transaction();
        let Transaction { mut reservation, recipients, accepted_on } =
            std::mem::replace(&mut self.sessions[session], fresh);
        if matches!(fate, Fate::Kept | Fate::Unknown(true)) {
            let day = accepted_on.unwrap();
            let period = self.quota.period(day);
            self.periods.insert((period.begins, period.renews));
            self.log.add(Charge { account: ACME, day, recipients });
        }
        match fate {
            Fate::Kept => reservation.charge(),
            Fate::NoRoom => reservation.release(),
            Fate::Unknown(_) => drop(reservation),
        }
    }

    fn check(&self) {
        for (begins, renews) in &self.periods {
            let period = Period { begins: *begins, renews: *renews };
            let used = self.log.used(ACME, period);
            assert!(Some(used) <= self.quota.recipients, "{used} in {}", words(period));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn never_exceeded_and_used_up_in_any_interleaving(
        recipients in 0u64..40, renews_on in 1u8..=31, happenings in prop::collection::vec(happening(), 1..300),
    ) {
        let mut world = World::new(quota(recipients, renews_on));
        for happening in &happenings {
            world.on(happening);
            world.check();
        }
        // after a restart nothing is in doubt: with demand enough, all of it may be used, and not one more
        world.on(&Happening::Crash);
        for _ in 0..=recipients {
            world.on(&Happening::Recipient(0));
            world.on(&Happening::Commit(0));
            world.on(&Happening::Return(0, Fate::Kept));
        }
        world.check();
        let period = world.quota.period(world.today());
        prop_assert_eq!(world.log.used(ACME, period), recipients);
    }
}

#[test]
fn never_exceeded_by_threads_at_once() {
    const THREADS: u64 = 8;
    let (usage, quota, today) = (Usage::default(), quota(1_000, 1), day(2026, 11, 24));
    let kept = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (usage, kept) = (usage.clone(), Arc::clone(&kept));
            scope.spawn(move || {
                for turn in 0..1_000 {
                    let mut reservation = usage.reservation(ACME);
                    let wanted = (turn + thread) % 5 + 1;
                    let taken =
                        (1..=wanted).take_while(|count| reservation.reserve(&quota, *count, today).is_ok()).count();
                    if (turn + thread) % 3 > 0 {
                        reservation.on_commit();
                        std::thread::yield_now();
                        kept.fetch_add(taken as u64, Ordering::Relaxed);
                        reservation.charge();
                    }
                }
            });
        }
    });
    assert_eq!(kept.load(Ordering::Relaxed), 1_000);
    assert_eq!(usage.used(ACME, quota.period(today)), 1_000);
}
