//! The automatic brake: when what an SMTP user or an account sends looks like an accident or an abuse, its new mail is put off
//! and what it has in the queue is held, until somebody has looked and releases it.
//!
//! Bounces are counted in memory, by the hour, as they are settled ([`Windows`]), and written down now and then; complaints and
//! volume are taken from the daily counters, which are kept. A look at both says which brakes are to go on ([`Watch`]); that they are on is kept by the store.

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

/// The days before today whose busiest is what a subject is used to.
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
}

impl Seen {
    /// What of it is counted still on a day: all of it on its own, of that day alone on the next one, then nothing.
    fn on(self, day: Day) -> Seen {
        match day.0.saturating_sub(self.day.0) {
            0 => self,
            1 => Seen {
                day,
                delivered: self.delivered.saturating_sub(self.delivered_before),
                complained: self.complained.saturating_sub(self.complained_before),
                ..Seen::default()
            },
            _ => Seen { day, ..Seen::default() },
        }
    }

    /// The greater of each.
    fn max(self, other: Seen) -> Seen {
        Seen {
            accepted: self.accepted.max(other.accepted),
            delivered: self.delivered.max(other.delivered),
            complained: self.complained.max(other.complained),
            ..self
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

    fn by_bounces(&self, ended: Ended) -> Option<Found> {
        let is_over = self.bounce_percent > 0
            && ended.all >= self.bounce_recipients
            && ended.bounced.saturating_mul(100) >= ended.all.saturating_mul(self.bounce_percent);
        is_over.then_some((Cause::HardBounces, ended.bounced, ended.all))
    }

    fn by_counts(&self, counted: Seen, peak: u64, seen: Seen) -> Option<Found> {
        let share = self.complaints_per_ten_thousand;
        let (delivered, complained) =
            (counted.delivered.saturating_sub(seen.delivered), counted.complained.saturating_sub(seen.complained));
        if share > 0
            && delivered >= self.complaint_recipients
            && complained.saturating_mul(10_000) >= delivered.saturating_mul(share)
        {
            return Some((Cause::Complaints, complained, delivered));
        }
        // whoever is new may begin with the least, and come to ten times as much from day to day
        let most = self.volume_recipients.max(peak.saturating_mul(self.volume_factor));
        let accepted = counted.accepted.saturating_sub(seen.accepted);
        (self.volume_factor > 0 && accepted > most).then_some((Cause::Volume, accepted, most))
    }
}

/// Looks at what was counted, and says which brakes are to go on. An account's is looked at without those of its SMTP users
/// that have one on: the rest of it goes on.
#[derive(Debug)]
pub struct Watch {
    thresholds: Thresholds,
    /// The busiest day of the week before today, of each.
    peaks: HashMap<Subject, u64>,
}

impl Watch {
    /// With the thresholds of the limits; what anybody is used to has to be learnt.
    pub fn new(limits: &Limits) -> Self {
        Watch { thresholds: Thresholds::of(limits), peaks: HashMap::new() }
    }

    /// Learns from the week before today what everybody is used to; `today` says which day it is for an account.
    pub fn learn(&mut self, counts: &[DailyCount], today: impl Fn(Id<Account>) -> Day) {
        let mut days: HashMap<(Subject, Day), u64> = HashMap::new();
        let is_before = |count: &&DailyCount| {
            let today = today(count.account);
            today.before(WEEK) <= count.day && count.day < today
        };
        for count in counts.iter().filter(is_before) {
            for subject in subjects(count) {
                *days.entry((subject, count.day)).or_default() += count.accepted;
            }
        }
        self.peaks.clear();
        for ((subject, _), accepted) in days {
            let peak = self.peaks.entry(subject).or_default();
            *peak = accepted.max(*peak);
        }
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
            match self.thresholds.by_bounces(*ended) {
                Some(found) => put_on.push(brake(brakes, subject, *account, found, now)),
                None => of_accounts.entry(*account).or_default().add(*ended),
            }
        }
        for (account, ended) in of_accounts {
            let subject = Subject::Account(account);
            if let Some(found) = self.thresholds.by_bounces(ended).filter(|_| !is_on(brakes, subject)) {
                put_on.push(brake(brakes, subject, account, found, now));
            }
        }
        put_on
    }

    /// The brakes that go on because of what the daily counters of yesterday and today say; `today` says which day it is
    /// for an account.
    pub fn by_counts(
        &self,
        brakes: &Brakes,
        counts: &[DailyCount],
        today: impl Fn(Id<Account>) -> Day,
        now: Timestamp,
    ) -> Vec<Brake> {
        let mut of_users: BTreeMap<(Id<Account>, Id<SmtpUser>), Seen> = BTreeMap::new();
        for count in counts {
            if let Some(user) = count.user {
                add(of_users.entry((count.account, user)).or_default(), count, today(count.account));
            }
        }
        // what is counted of each account, and what was looked at of it at the releases of its users
        let mut of_accounts: BTreeMap<Id<Account>, (Seen, Seen)> = BTreeMap::new();
        let mut put_on = Vec::new();
        for ((account, user), counted) in of_users {
            let subject = Subject::User(user);
            if is_on(brakes, subject) {
                continue;
            }
            let seen = seen_at_release(brakes, subject, counted.day);
            match self.found(subject, counted, seen) {
                Some(found) => put_on.push(brake(brakes, subject, account, found, now)),
                None => {
                    let (all, looked_at) = of_accounts.entry(account).or_default();
                    sum(all, counted);
                    sum(looked_at, seen);
                }
            }
        }
        for (account, (counted, looked_at)) in of_accounts {
            let subject = Subject::Account(account);
            let seen = seen_at_release(brakes, subject, counted.day).max(looked_at);
            if let Some(found) = self.found(subject, counted, seen).filter(|_| !is_on(brakes, subject)) {
                put_on.push(brake(brakes, subject, account, found, now));
            }
        }
        put_on
    }

    fn found(&self, subject: Subject, counted: Seen, seen: Seen) -> Option<Found> {
        let peak = self.peaks.get(&subject).copied().unwrap_or_default();
        self.thresholds.by_counts(counted, peak, seen)
    }
}

/// What of a day's counters, and of the day before, somebody has looked at who released this.
fn seen_at_release(brakes: &Brakes, subject: Subject, day: Day) -> Seen {
    let released = brakes.get(&subject).and_then(|brake| brake.released.as_ref());
    released.map(|release| release.seen.on(day)).unwrap_or_default()
}

/// What the counters of yesterday and today say of one subject, to be kept with a release.
pub fn seen(counts: &[DailyCount], subject: Subject, today: Day) -> Seen {
    let mut seen = Seen { day: today, ..Seen::default() };
    let its = counts.iter().filter(|count| subjects(count).any(|one| one == subject));
    its.for_each(|count| add(&mut seen, count, today));
    seen
}

fn add(seen: &mut Seen, count: &DailyCount, today: Day) {
    seen.day = today;
    if count.day < today.before(1) || count.day > today {
        return;
    }
    if count.day == today {
        seen.accepted += count.accepted;
    } else {
        seen.delivered_before += count.delivered;
        seen.complained_before += count.complained;
    }
    seen.delivered += count.delivered;
    seen.complained += count.complained;
}

fn sum(seen: &mut Seen, other: Seen) {
    seen.day = other.day;
    seen.accepted += other.accepted;
    seen.delivered += other.delivered;
    seen.complained += other.complained;
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
