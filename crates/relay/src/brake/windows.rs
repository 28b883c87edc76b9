//! What came to its end or was reported in the last hour, by SMTP user: counted in memory, and written down so that a restart goes on with it.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::account::Account;
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::Id;
use crate::queue::{Envelope, Outcome, Verdict};
use crate::smtp_user::SmtpUser;

/// How long bounces are counted.
pub const WINDOW: Duration = Duration::from_secs(3600);

/// The parts of the window: what is older than a part less than the window counts no more.
const SLOTS: usize = 12;

/// Recipients that came to their end, and how many of them bounced for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// All of them.
    pub all: u64,
    /// Those that bounced for good.
    pub bounced: u64,
    /// Further ones, whose end was delivery at some earlier time, and whose bounce was reported only now.
    pub late: u64,
}

impl Ended {
    /// What a settlement adds: what other servers said, not what people cancelled or the relay gave up by itself.
    pub fn of(envelope: &Envelope, verdicts: &[Verdict]) -> Ended {
        let mut ended = Ended::default();
        if envelope.sandbox {
            return ended;
        }
        for verdict in verdicts {
            match verdict.outcome {
                Outcome::Delivered { sandbox: false } => ended.all += 1,
                Outcome::SoftBounced if verdict.class.is_some() => ended.all += 1,
                Outcome::HardBounced if verdict.class.is_some() => {
                    ended.all += 1;
                    ended.bounced += 1;
                }
                _ => {}
            }
        }
        ended
    }

    pub(super) fn add(&mut self, other: Ended) {
        self.all = self.all.saturating_add(other.all);
        self.bounced = self.bounced.saturating_add(other.bounced);
        self.late = self.late.saturating_add(other.late);
    }
}

/// The last hour of one SMTP user.
#[derive(Clone, Debug)]
struct Window {
    account: Id<Account>,
    slots: [Ended; SLOTS],
    /// The number of the newest part, counted from 1970.
    newest: u64,
}

impl Window {
    /// Makes the part of this moment the newest.
    fn move_on(&mut self, number: u64) {
        let ahead = number.saturating_sub(self.newest);
        // a clock that was far ahead has filled what would else stay for as long
        let is_lost = ahead >= SLOTS as u64 || self.newest > number + SLOTS as u64;
        if is_lost {
            self.slots = [Ended::default(); SLOTS];
            self.newest = number;
        }
        while self.newest < number {
            self.newest += 1;
            self.slots[place_of(self.newest)] = Ended::default();
        }
    }

    fn total(&self) -> Ended {
        let mut total = Ended::default();
        self.slots.iter().for_each(|slot| total.add(*slot));
        total
    }

    fn kept((user, window): (&Id<SmtpUser>, &Window)) -> KeptWindow {
        let part = |before: u64| Some((before, window.slots[place_of(window.newest.checked_sub(before)?)]));
        let (mut parts, mut late) = (Vec::new(), Vec::new());
        for (before, ended) in (0..SLOTS as u64).filter_map(part) {
            if ended.all > 0 || ended.bounced > 0 {
                parts.push((before, ended.all, ended.bounced));
            }
            if ended.late > 0 {
                late.push((before, ended.late));
            }
        }
        KeptWindow { account: window.account, user: *user, newest: window.newest, parts, late }
    }

    fn restored(kept: KeptWindow) -> Window {
        let mut window = Window { account: kept.account, slots: [Ended::default(); SLOTS], newest: kept.newest };
        let parts = kept.parts.into_iter().map(|(before, all, bounced)| (before, Ended { all, bounced, late: 0 }));
        let late = kept.late.into_iter().map(|(before, late)| (before, Ended { late, ..Ended::default() }));
        for (before, ended) in parts.chain(late).filter(|(before, _)| *before < SLOTS as u64) {
            if let Some(number) = kept.newest.checked_sub(before) {
                window.slots[place_of(number)].add(ended);
            }
        }
        window
    }
}

/// Where a part stands.
fn place_of(number: u64) -> usize {
    (number % SLOTS as u64) as usize
}

fn slot_of(now: Timestamp) -> u64 {
    now.0 / (WINDOW.as_millis() as u64 / SLOTS as u64)
}

/// What came to its end in the last hour, by SMTP user: in memory, as many as there are SMTP users.
#[derive(Debug, Default)]
pub struct Windows {
    users: HashMap<Id<SmtpUser>, Window>,
    /// Not yet written down.
    has_changed: bool,
}

/// It as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWindows {
    /// When.
    at: Timestamp,
    users: Vec<KeptWindow>,
}

/// One SMTP user's, without the parts in which nothing ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptWindow {
    account: Id<Account>,
    user: Id<SmtpUser>,
    newest: u64,
    /// How many parts before the newest, what ended in it, and what of that bounced.
    parts: Vec<(u64, u64, u64)>,
    /// How many parts before the newest, and how many late bounces were reported in it.
    #[serde(default)]
    late: Vec<(u64, u64)>,
}

impl Windows {
    /// What was written down, of SMTP users that are still there, without what somebody has looked at since who released a brake.
    /// What of it is too old is left out by the next look.
    pub fn restored(kept: KeptWindows, directory: &Directory) -> Windows {
        let is_there = |window: &KeptWindow| directory.users.contains_key(&window.user);
        let users = kept.users.into_iter().filter(is_there).map(|kept| (kept.user, Window::restored(kept)));
        let mut windows = Windows { users: users.collect(), has_changed: false };
        let released = directory.brakes.values().filter_map(|brake| Some((brake.subject, brake.released.as_ref()?.at)));
        released.filter(|(_, at)| *at >= kept.at).for_each(|(subject, _)| windows.forget(subject));
        windows
    }

    /// It, to be written down; none where nothing was counted or forgotten since it was last.
    pub fn changed(&mut self, now: Timestamp) -> Option<KeptWindows> {
        let has_changed = std::mem::take(&mut self.has_changed);
        has_changed.then(|| KeptWindows { at: now, users: self.users.iter().map(Window::kept).collect() })
    }

    /// What was to be written down could not be.
    pub fn not_written(&mut self) {
        self.has_changed = true;
    }

    /// Counts what a settlement ended of an SMTP user's mail.
    pub fn on(&mut self, account: Id<Account>, user: Id<SmtpUser>, ended: Ended, now: Timestamp) {
        if ended.all == 0 {
            return;
        }
        let window = self.window(account, user, slot_of(now));
        window.slots[place_of(window.newest)].add(ended);
    }

    /// Counts a bounce for good that is reported after delivery. Where its mail was accepted within the hour, and after a brake was
    /// last released, its delivery is among what ended: it leaves the hour no later than that does, so that never more bounce than
    /// ended. Else it is counted apart, to be compared with what came to its end earlier.
    pub fn reported(
        &mut self,
        (account, user): (Id<Account>, Id<SmtpUser>),
        accepted: Timestamp,
        released: Option<Timestamp>,
        now: Timestamp,
    ) {
        let accepted_in = slot_of(accepted);
        let window = self.window(account, user, slot_of(now));
        let is_of_the_hour = accepted_in <= window.newest && accepted_in + SLOTS as u64 > window.newest;
        if is_of_the_hour && released.is_none_or(|at| at < accepted) {
            window.slots[place_of(accepted_in)].bounced += 1;
        } else {
            window.slots[place_of(window.newest)].late += 1;
        }
    }

    /// The window of an SMTP user, in which the part with this number is the newest.
    fn window(&mut self, account: Id<Account>, user: Id<SmtpUser>, number: u64) -> &mut Window {
        self.has_changed = true;
        let fresh = || Window { account, slots: [Ended::default(); SLOTS], newest: number };
        let window = self.users.entry(user).or_insert_with(fresh);
        window.move_on(number);
        window
    }

    /// What every SMTP user had in the last hour; those without are forgotten.
    pub fn totals(&mut self, now: Timestamp) -> Vec<(Id<Account>, Id<SmtpUser>, Ended)> {
        let number = slot_of(now);
        self.users.retain(|_, window| {
            window.move_on(number);
            window.total() != Ended::default()
        });
        self.users.iter().map(|(user, window)| (window.account, *user, window.total())).collect()
    }

    /// Begins anew for those whose brake is released.
    pub fn forget(&mut self, subject: Subject) {
        self.users.retain(|user, window| match subject {
            Subject::Account(account) => window.account != account,
            Subject::User(one) => *user != one,
        });
        self.has_changed = true;
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}
