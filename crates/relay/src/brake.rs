//! The automatic brake: when what an SMTP user or an account sends looks like an accident or an abuse, its new mail is put off
//! and what it has in the queue is held, until somebody has looked and releases it.
//!
//! Bounces are counted in memory, by the hour, as they are settled or reported ([`Windows`]), and written down now and then;
//! complaints and volume are taken from the daily counters, which are kept. A look at both says which brakes are to go on
//! ([`Watch`]); that they are on is kept by the store.

mod windows;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::activity::DailyCount;
use crate::clock::{Day, Timestamp};
use crate::id::Id;
use crate::limits::Limits;
use crate::smtp_user::SmtpUser;

pub use windows::{Ended, KeptWindows, WINDOW, Windows};

/// The days before today whose busiest is what a subject is used to, and about whose mail complaints still count.
pub const WEEK: u64 = 7;

/// After whose mail brakes look, in the form that people and programs name it: `A3`, `U17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All that an account sends.
    Account(Id<Account>),
    /// What one SMTP user sends.
    User(Id<SmtpUser>),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Account(account) => write!(f, "A{}", account.number()),
            Subject::User(user) => write!(f, "U{}", user.number()),
        }
    }
}

/// A text that names nothing that has a brake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not `A` and the number of an account, nor `U` and that of an SMTP user")]
pub struct NoSubject;

impl FromStr for Subject {
    type Err = NoSubject;

    fn from_str(text: &str) -> Result<Self, NoSubject> {
        let (kind, number) = text.split_at_checked(1).ok_or(NoSubject)?;
        let number: u64 = number.parse().map_err(|_| NoSubject)?;
        match kind {
            "A" | "a" => Ok(Subject::Account(Id::new(number))),
            "U" | "u" => Ok(Subject::User(Id::new(number))),
            _ => Err(NoSubject),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a brake went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Too many of its recipients bounced for good.
    HardBounces,
    /// Too many of its recipients called its mail spam.
    Complaints,
    /// It sends far more than it is used to.
    Volume,
}

/// A brake that is on, or the last that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// Whose mail it stops.
    pub subject: Subject,
    /// Whose that is.
    pub account: Id<Account>,
    /// Why.
    pub cause: Cause,
    /// How many recipients bounced, complained, or were sent to.
    pub counted: u64,
    /// Of how many; of a sudden volume, how many there may be.
    pub of: u64,
    /// Since when.
    pub since: Timestamp,
    /// Whether people were told by mail.
    pub told: bool,
    /// Who released it; none: it is on.
    pub released: Option<Release>,
    /// When an administrator released the one before, where that was.
    #[serde(default)]
    pub released_before: Option<Timestamp>,
}

/// The end of a brake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Whether that was the operator.
    pub by_operator: bool,
    /// What was counted until then: whoever released it has seen that.
    pub seen: Seen,
}

/// What the daily counters said of a subject at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The day, in the account's time zone.
    pub day: Day,
    /// Recipients accepted on it.
    pub accepted: u64,
    /// Recipients delivered to, of mail of that day and of the one before.
    pub delivered: u64,
    /// Of these, complained about.
    pub complained: u64,
    /// Of the delivered, those of the day before.
    #[serde(default)]
    pub delivered_before: u64,
    /// Of the complained about, those of the day before.
    #[serde(default)]
    pub complained_before: u64,
    /// Recipients delivered to, of mail of the days before these two, and how many complained; the latest day first.
    #[serde(default)]
    pub earlier: [(u64, u64); EARLIER],
}

/// The days of the week that lie before yesterday.
const EARLIER: usize = WEEK as usize - 1;

impl Seen {
    fn add(&mut self, count: &DailyCount) {
        let Some(before) = self.day.0.checked_sub(count.day.0).and_then(|days| usize::try_from(days).ok()) else {
            return;
        };
        if let Some((delivered, complained)) = before.checked_sub(2).and_then(|place| self.earlier.get_mut(place)) {
            *delivered += count.delivered;
            *complained += count.complained;
        }
        if before > 1 {
            return;
        }
        if before == 0 {
            self.accepted += count.accepted;
        } else {
            self.delivered_before += count.delivered;
            self.complained_before += count.complained;
        }
        self.delivered += count.delivered;
        self.complained += count.complained;
    }

    /// Recipients delivered to of one day's mail, and how many complained.
    fn of(&self, day: Day) -> (u64, u64) {
        match self.day.0.saturating_sub(day.0) {
            0 => (
                self.delivered.saturating_sub(self.delivered_before),
                self.complained.saturating_sub(self.complained_before),
            ),
            1 => (self.delivered_before, self.complained_before),
            before => {
                let place = usize::try_from(before - 2).unwrap_or(EARLIER);
                self.earlier.get(place).copied().unwrap_or_default()
            }
        }
    }

    /// What of it is counted still where mail of a day and of the one before is looked at.
    fn on(&self, day: Day) -> Counted {
        if day > self.day.ahead(1) {
            return Counted::default();
        }
        let (last, before) = (if day > self.day { (0, 0) } else { self.of(day) }, self.of(day.before(1)));
        let accepted = if day > self.day { 0 } else { self.accepted };
        Counted { accepted, delivered: last.0 + before.0, complained: last.1 + before.1 }
    }
}

/// What the daily counters say of a day: recipients accepted on it; delivered to and complained about, of its mail and of that
/// of the day before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    accepted: u64,
    delivered: u64,
    complained: u64,
}

impl Counted {
    /// Counts what belongs to this day, or to the one before.
    fn add(&mut self, count: &DailyCount, day: Day) {
        if count.day == day {
            self.accepted += count.accepted;
        }
        self.delivered += count.delivered;
        self.complained += count.complained;
    }

    fn sum(&mut self, other: Counted) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.complained += other.complained;
    }

    /// The greater of each.
    fn max(self, other: Counted) -> Counted {
        Counted {
            accepted: self.accepted.max(other.accepted),
            delivered: self.delivered.max(other.delivered),
            complained: self.complained.max(other.complained),
        }
    }

    fn without(self, seen: Counted) -> Counted {
        Counted {
            accepted: self.accepted.saturating_sub(seen.accepted),
            delivered: self.delivered.saturating_sub(seen.delivered),
            complained: self.complained.saturating_sub(seen.complained),
        }
    }
}

/// How long after an administrator released a brake only the operator releases the next one of the same subject.
pub const RELEASED_AGAIN: Duration = Duration::from_secs(24 * 3600);

impl Brake {
    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.released.is_none()
    }

    /// Whether somebody of its account may release it, or the operator alone: they did already within a day.
    pub fn is_for_the_account(&self, now: Timestamp) -> bool {
        self.released_before.is_none_or(|at| now.since(at) >= RELEASED_AGAIN)
    }
}

/// Brakes by whose mail they stop, those too that were released.
pub type Brakes = BTreeMap<Subject, Brake>;

/// When somebody last released the brake of an SMTP user or of its account.
pub fn released_at(brakes: &Brakes, account: Id<Account>, user: Id<SmtpUser>) -> Option<Timestamp> {
    let at = |subject| Some(brakes.get(&subject)?.released.as_ref()?.at);
    at(Subject::Account(account)).max(at(Subject::User(user)))
}

/// The brake that is on for what an SMTP user of an account sends.
pub fn of_user(brakes: &Brakes, account: Id<Account>, user: Option<Id<SmtpUser>>) -> Option<&Brake> {
    // nearly always there is none
    if brakes.is_empty() {
        return None;
    }
    let on = |subject| brakes.get(&subject).filter(|brake| brake.is_on());
    on(Subject::Account(account)).or_else(|| on(Subject::User(user?)))
}

/// When brakes go on; a share or factor of 0: never for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thresholds {
    bounce_percent: u64,
    bounce_recipients: u64,
    complaints_per_ten_thousand: u64,
    complaint_recipients: u64,
    volume_factor: u64,
    volume_recipients: u64,
}

/// Why a brake goes on, with the figures.
type Found = (Cause, u64, u64);

impl Thresholds {
    fn of(limits: &Limits) -> Self {
        Thresholds {
            bounce_percent: limits.brake_bounce_percent,
            bounce_recipients: limits.brake_bounce_recipients_min,
            complaints_per_ten_thousand: limits.brake_complaints_per_ten_thousand,
            complaint_recipients: limits.brake_complaint_recipients_min,
            volume_factor: limits.brake_volume_factor,
            volume_recipients: limits.brake_volume_recipients_min,
        }
    }

    /// What ended within the hour says; what came of it late is compared with all that came to its end lately, where that is known.
    fn by_bounces(&self, Ended { all, bounced, late }: Ended, lately: Option<u64>) -> Option<Found> {
        let found = |bounced: u64, all: u64, of: u64| {
            let is_over = self.bounce_percent > 0
                && all >= self.bounce_recipients
                && bounced.saturating_mul(100) >= of.saturating_mul(self.bounce_percent);
            is_over.then_some((Cause::HardBounces, bounced, of))
        };
        let with_late = || {
            let all = all.saturating_add(late);
            found(bounced.saturating_add(late), all, all.max(lately?))
        };
        found(bounced, all, all).or_else(with_late)
    }

    fn by_complaints(&self, Counted { delivered, complained, .. }: Counted) -> Option<Found> {
        let share = self.complaints_per_ten_thousand;
        let is_over = share > 0
            && delivered >= self.complaint_recipients
            && complained.saturating_mul(10_000) >= delivered.saturating_mul(share);
        is_over.then_some((Cause::Complaints, complained, delivered))
    }

    fn by_volume(&self, Counted { accepted, .. }: Counted, peak: u64) -> Option<Found> {
        // whoever is new may begin with the least, and come to ten times as much from day to day
        let most = self.volume_recipients.max(peak.saturating_mul(self.volume_factor));
        (self.volume_factor > 0 && accepted > most).then_some((Cause::Volume, accepted, most))
    }
}

/// What was learnt of a subject from today and the week before it.
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    /// What it sent on the busiest of the days before today.
    peak: u64,
    /// Recipients that came to their end, of the mail of all these days.
    ended: u64,
    /// Of these, those of the days before yesterday.
    ended_before: u64,
}

/// Looks at what was counted, and says which brakes are to go on. An account's is looked at without those of its SMTP users
/// that have one on: the rest of it goes on.
#[derive(Debug)]
pub struct Watch {
    thresholds: Thresholds,
    usual: HashMap<Subject, Usual>,
    /// What came to its end of the mail of today and yesterday; none: nobody has looked yet.
    ended: Option<HashMap<Subject, u64>>,
}

impl Watch {
    /// With the thresholds of the limits; what anybody is used to has to be learnt.
    pub fn new(limits: &Limits) -> Self {
        Watch { thresholds: Thresholds::of(limits), usual: HashMap::new(), ended: None }
    }

    /// Learns from today and the week before it what everybody is used to; `today` says which day it is for an account.
    pub fn learn(&mut self, counts: &[DailyCount], today: impl Fn(Id<Account>) -> Day) {
        let mut days: HashMap<(Subject, Day), u64> = HashMap::new();
        self.usual.clear();
        for count in counts {
            let today = today(count.account);
            if count.day < today.before(WEEK) || count.day > today {
                continue;
            }
            for subject in subjects(count) {
                let usual = self.usual.entry(subject).or_default();
                usual.ended += ended(count);
                if count.day < today.before(1) {
                    usual.ended_before += ended(count);
                }
                if count.day < today {
                    let sent = days.entry((subject, count.day)).or_default();
                    *sent += count.accepted;
                    usual.peak = usual.peak.max(*sent);
                }
            }
        }
    }

    /// What came to its end of a subject's mail of today and the week before it; none: that is not known yet.
    fn lately(&self, subject: Subject) -> Option<u64> {
        let ended = self.ended.as_ref()?.get(&subject).copied().unwrap_or_default();
        let usual = self.usual.get(&subject).copied().unwrap_or_default();
        // past a midnight the day before yesterday is in neither part of the sum, until the week is learnt anew
        Some(usual.ended.max(usual.ended_before.saturating_add(ended)))
    }

    /// The brakes that go on because of what bounced in the last hour.
    pub fn by_bounces(
        &self,
        brakes: &Brakes,
        totals: &[(Id<Account>, Id<SmtpUser>, Ended)],
        now: Timestamp,
    ) -> Vec<Brake> {
        let mut of_accounts: HashMap<Id<Account>, Ended> = HashMap::new();
        let mut put_on = Vec::new();
        for (account, user, ended) in totals {
            let subject = Subject::User(*user);
            if is_on(brakes, subject) {
                continue;
            }
            match self.thresholds.by_bounces(*ended, self.lately(subject)) {
                Some(found) => put_on.push(brake(brakes, subject, *account, found, now)),
                None => of_accounts.entry(*account).or_default().add(*ended),
            }
        }
        for (account, ended) in of_accounts {
            let subject = Subject::Account(account);
            let is_stopped = |brake: &&Brake| brake.account == account && brake.subject != subject && brake.is_on();
            let stopped =
                brakes.values().chain(&put_on).filter(is_stopped).filter_map(|brake| self.lately(brake.subject));
            let lately = self.lately(subject).map(|all| stopped.fold(all, u64::saturating_sub));
            let found = self.thresholds.by_bounces(ended, lately).filter(|_| !is_on(brakes, subject));
            put_on.extend(found.map(|found| brake(brakes, subject, account, found, now)));
        }
        put_on
    }

    /// The brakes that go on because of what the daily counters of yesterday and today say; `today` says which day it is
    /// for an account.
    pub fn by_counts(
        &mut self,
        brakes: &Brakes,
        counts: &[DailyCount],
        today: impl Fn(Id<Account>) -> Day,
        now: Timestamp,
    ) -> Vec<Brake> {
        let mut sums: HashMap<Subject, u64> = HashMap::new();
        for count in counts.iter().filter(|count| is_of(today(count.account), count)) {
            subjects(count).for_each(|subject| *sums.entry(subject).or_default() += ended(count));
        }
        self.ended = Some(sums);
        let found = |subject: Subject, counted: Counted| {
            let peak = self.usual.get(&subject).map_or(0, |usual| usual.peak);
            self.thresholds.by_complaints(counted).or_else(|| self.thresholds.by_volume(counted, peak))
        };
        look((brakes, counts), today, found, now)
    }

    /// The brakes that go on because of complaints about earlier mail of the week, which may come days after it: of each two
    /// days of it, as of yesterday and today.
    pub fn by_late_complaints(
        &self,
        brakes: &Brakes,
        week: &[DailyCount],
        today: impl Fn(Id<Account>) -> Day,
        now: Timestamp,
    ) -> Vec<Brake> {
        let mut brakes = brakes.clone();
        let mut put_on = Vec::new();
        for ago in 1..WEEK {
            let day = |account| today(account).before(ago);
            let found = look((&brakes, week), day, |_, counted| self.thresholds.by_complaints(counted), now);
            brakes.extend(found.iter().map(|brake| (brake.subject, brake.clone())));
            put_on.extend(found);
        }
        put_on
    }
}

/// Looks at what was counted on a day and on the one before: of SMTP users, then of accounts without those found.
fn look(
    (brakes, counts): (&Brakes, &[DailyCount]),
    day: impl Fn(Id<Account>) -> Day,
    found: impl Fn(Subject, Counted) -> Option<Found>,
    now: Timestamp,
) -> Vec<Brake> {
    let mut of_users: BTreeMap<(Id<Account>, Id<SmtpUser>), Counted> = BTreeMap::new();
    for count in counts {
        let day = day(count.account);
        if let Some(user) = count.user.filter(|_| is_of(day, count)) {
            of_users.entry((count.account, user)).or_default().add(count, day);
        }
    }
    // what is counted of each account, and what was looked at of it at the releases of its users
    let mut of_accounts: BTreeMap<Id<Account>, (Counted, Counted)> = BTreeMap::new();
    let mut put_on = Vec::new();
    for ((account, user), counted) in of_users {
        let subject = Subject::User(user);
        if is_on(brakes, subject) {
            continue;
        }
        let seen = seen_at_release(brakes, subject, day(account));
        match found(subject, counted.without(seen)) {
            Some(found) => put_on.push(brake(brakes, subject, account, found, now)),
            None => {
                let (all, looked_at) = of_accounts.entry(account).or_default();
                all.sum(counted);
                looked_at.sum(seen);
            }
        }
    }
    for (account, (counted, looked_at)) in of_accounts {
        let subject = Subject::Account(account);
        let seen = seen_at_release(brakes, subject, day(account)).max(looked_at);
        if let Some(found) = found(subject, counted.without(seen)).filter(|_| !is_on(brakes, subject)) {
            put_on.push(brake(brakes, subject, account, found, now));
        }
    }
    put_on
}

/// What of a day's counters, and of the day before, somebody has looked at who released this.
fn seen_at_release(brakes: &Brakes, subject: Subject, day: Day) -> Counted {
    let released = brakes.get(&subject).and_then(|brake| brake.released.as_ref());
    released.map(|release| release.seen.on(day)).unwrap_or_default()
}

/// What the counters of today and the week before it say of one subject, to be kept with a release.
pub fn seen(counts: &[DailyCount], subject: Subject, today: Day) -> Seen {
    let mut seen = Seen { day: today, ..Seen::default() };
    let its = counts.iter().filter(|count| subjects(count).any(|one| one == subject));
    its.for_each(|count| seen.add(count));
    seen
}

/// Whether a count is of a day or of the one before.
fn is_of(day: Day, count: &DailyCount) -> bool {
    (day.before(1)..=day).contains(&count.day)
}

/// Recipients of a count that came to their end.
fn ended(count: &DailyCount) -> u64 {
    count.delivered.saturating_add(count.soft_bounced).saturating_add(count.hard_bounced)
}

/// Whose a count is; the relay's own mail is nobody's.
fn subjects(count: &DailyCount) -> impl Iterator<Item = Subject> {
    let user = count.user.map(Subject::User);
    [user.map(|_| Subject::Account(count.account)), user].into_iter().flatten()
}

fn is_on(brakes: &Brakes, subject: Subject) -> bool {
    brakes.get(&subject).is_some_and(Brake::is_on)
}

fn brake(
    brakes: &Brakes,
    subject: Subject,
    account: Id<Account>,
    (cause, counted, of): Found,
    now: Timestamp,
) -> Brake {
    let before = brakes.get(&subject).and_then(|brake| brake.released.as_ref());
    let released_before = before.filter(|release| !release.by_operator).map(|release| release.at);
    Brake { subject, account, cause, counted, of, since: now, told: false, released: None, released_before }
}

#[cfg(test)]
mod tests;
