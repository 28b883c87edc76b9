//! How much mail a site takes from us at once: what a rule allows, what its replies led to, and how that is recovered.
//!
//! A **site** is the set of mail servers that take the mail of one or many domains. It begins at what its rule allows
//! ([`Providers`]), or at the limits for everybody. A reply that is about us, and not about one message or mailbox, narrows that
//! ([`Shaping::complained`]); mail that is taken widens it again, a step at a time ([`Shaping::taken`]). Nothing here waits or
//! asks for the time: both are passed in.

mod providers;
#[cfg(test)]
mod tests;

pub use providers::{OURS, Provider, Providers, ProvidersError, name_of_hosts};

use std::time::Duration;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::limits::Limits;
use crate::outcome::{Class, SiteAction};
use crate::retry::Jitter;

/// Replies in a row that say that we are blocked, to mail of several accounts, before the site is left alone. One alone may be
/// about the sender that it names.
pub const BLOCKS_OF_SEVERAL: u32 = 3;

/// The same, where all of them were to mail of one account.
pub const BLOCKS_OF_ONE: u32 = 10;

/// Trouble is forgotten where nothing was sent for so long.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Each wait doubles so often at the most.
const DOUBLED_MAX: u32 = 12;

/// What a site may be given at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Connections at once.
    pub connections: usize,
    /// Messages on one connection; 0: as many as every connection may carry.
    pub messages: u32,
    /// Recipients in one transaction; 0: as many as every transaction may have.
    pub recipients: u32,
    /// Messages a minute; 0: no such limit.
    pub per_minute: u32,
    /// How long a connection may wait for further mail; none: as long as every connection may.
    pub idle: Option<Duration>,
}

/// How long is waited for a site that complained, and how it recovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// The first suspension; each further one is twice as long.
    pub suspension_min: Duration,
    /// The longest suspension.
    pub suspension_max: Duration,
    /// The first pause of a site that found us too fast; each further one is twice as long.
    pub pause_min: Duration,
    /// The longest such pause.
    pub pause_max: Duration,
    /// The slowest pace that a complaint leads to, messages a minute; at least 1.
    pub per_minute_min: u32,
    /// Time without a complaint before one more connection, or a quarter more messages a minute.
    pub recovery: Duration,
}

impl Pauses {
    /// What these limits say.
    pub fn held_to(limits: &Limits) -> Pauses {
        let seconds = Duration::from_secs;
        Pauses {
            suspension_min: seconds(limits.site_suspension_seconds_min),
            suspension_max: seconds(limits.site_suspension_seconds_max),
            pause_min: seconds(limits.site_pause_seconds_min),
            pause_max: seconds(limits.site_pause_seconds_max),
            per_minute_min: u32::try_from(limits.site_messages_per_minute_min).unwrap_or(u32::MAX).max(1),
            recovery: seconds(limits.site_recovery_seconds),
        }
    }
}

/// A reply that is about us rather than about a message or a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What the site should do.
    pub action: SiteAction,
    /// Whether it was said before a sender was named: it can be about our address alone.
    pub at_the_door: bool,
    /// Whose mail it was said to.
    pub account: Id<Account>,
    /// When that was begun: what was under way when the site last complained says nothing new.
    pub begun: Timestamp,
}

/// What a complaint led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing, for now.
    Nothing,
    /// Fewer connections at once.
    FewerConnections,
    /// A pause until then, and fewer messages a minute after it.
    Slower(Timestamp),
    /// The site is left alone until then.
    Suspended(Timestamp),
}

/// What mail that was taken led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing, for now.
    Nothing,
    /// More may be sent at once than before.
    More,
    /// The site that was suspended takes mail again.
    Lifted,
}

/// Where a site stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is in force but what its rule says.
    Open,
    /// Fewer connections, or fewer messages a minute, than that.
    Slowed,
    /// Nothing is begun until then; its mail waits.
    Paused(Timestamp),
    /// Nothing is begun until then; its mail is deferred.
    Suspended(Timestamp),
    /// One conversation tries whether it takes mail again.
    Probing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Paused(Timestamp),
    Suspended(Timestamp),
}

/// What is in force at one site.
#[derive(Clone, Debug)]
pub struct Shaping {
    allowance: Allowance,
    state: State,
    connections: usize,
    /// Messages a minute; 0: no such limit.
    pace: u32,
    /// What was sent a minute when it first complained of that.
    pace_before: u32,
    /// The next message begins no sooner.
    next_at: Timestamp,
    /// Whole minutes since 1970, and the messages begun in that one and the one before.
    minute: u64,
    in_minute: u32,
    in_last_minute: u32,
    /// Complaints of speed or crowds, less the steps of recovery since.
    strikes: u32,
    /// Suspensions, less the steps of recovery since.
    suspensions: u32,
    /// Replies in a row that say that we are blocked.
    blocks: u32,
    /// Whose mail the first of them was about, and whether all were about that one's.
    blocked: Option<(Id<Account>, bool)>,
    /// The last complaint or step of recovery.
    changed_at: Timestamp,
    /// The last complaint that something followed from.
    reacted_at: Option<Timestamp>,
}

impl Shaping {
    /// Of a site that said nothing yet.
    pub fn new(allowance: Allowance) -> Shaping {
        let allowance = Allowance { connections: allowance.connections.max(1), ..allowance };
        Shaping {
            connections: allowance.connections,
            pace: allowance.per_minute,
            allowance,
            state: State::Free,
            pace_before: 0,
            next_at: Timestamp(0),
            minute: 0,
            in_minute: 0,
            in_last_minute: 0,
            strikes: 0,
            suspensions: 0,
            blocks: 0,
            blocked: None,
            changed_at: Timestamp(0),
            reacted_at: None,
        }
    }

    /// What it may be given at the most.
    pub fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Where it stands.
    pub fn phase(&self, now: Timestamp) -> Phase {
        match self.state {
            State::Suspended(until) if until > now => Phase::Suspended(until),
            State::Paused(until) if until > now => Phase::Paused(until),
            State::Suspended(_) | State::Paused(_) => Phase::Probing,
            State::Free if self.is_whole() => Phase::Open,
            State::Free => Phase::Slowed,
        }
    }

    fn is_whole(&self) -> bool {
        self.connections == self.allowance.connections && self.pace == self.allowance.per_minute
    }

    /// Connections that it may have at once now.
    pub fn connections(&self, now: Timestamp) -> usize {
        match self.phase(now) {
            Phase::Open | Phase::Slowed => self.connections,
            Phase::Probing => 1,
            Phase::Paused(_) | Phase::Suspended(_) => 0,
        }
    }

    /// Messages a minute that it gets now at the most; none: as many as come.
    pub fn per_minute(&self) -> Option<u32> {
        (self.pace > 0).then_some(self.pace)
    }

    /// Until when it is left alone.
    pub fn suspended_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            State::Suspended(until) if until > now => Some(until),
            _ => None,
        }
    }

    /// Whether it was suspended, and did not take mail since.
    pub fn is_suspended(&self) -> bool {
        matches!(self.state, State::Suspended(_))
    }

    /// Until when no message may be begun; none: one may now.
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = match self.state {
            State::Free => self.next_at,
            State::Paused(until) | State::Suspended(until) => until.max(self.next_at),
        };
        (until > now).then_some(until)
    }

    /// A message is begun.
    pub fn begun(&mut self, now: Timestamp) {
        let minute = now.0 / 60_000;
        if minute != self.minute {
            self.in_last_minute = if minute == self.minute + 1 { self.in_minute } else { 0 };
            self.in_minute = 0;
            self.minute = minute;
        }
        self.in_minute = self.in_minute.saturating_add(1);
        if self.pace > 0 {
            self.next_at = self.next_at.max(now).after(Duration::from_millis(60_000 / u64::from(self.pace)));
        }
    }

    /// A message that was begun did not go after all, and nobody was asked.
    pub fn taken_back(&mut self) {
        self.in_minute = self.in_minute.saturating_sub(1);
    }

    /// The site complained. `in_hand`: its conversations now; `others`: whether other conversations got through meanwhile.
    pub fn complained(
        &mut self,
        complaint: &Complaint,
        in_hand: usize,
        others: bool,
        now: Timestamp,
        jitter: Jitter,
        pauses: &Pauses,
    ) -> Reaction {
        let blocked = complaint.action == SiteAction::Suspend && self.is_blocked(complaint, others);
        // the conversations of one moment all hear the same
        if self.reacted_at.is_some_and(|at| complaint.begun <= at) {
            return Reaction::Nothing;
        }
        let reaction = match complaint.action {
            SiteAction::Nothing | SiteAction::WaitShorter => Reaction::Nothing,
            SiteAction::Suspend if !blocked => Reaction::Nothing,
            SiteAction::Suspend => self.suspend(now, jitter, pauses),
            SiteAction::SendSlower => self.slow_down(now, jitter, pauses),
            SiteAction::FewerConnections => self.crowd_less(in_hand),
        };
        if reaction != Reaction::Nothing {
            self.reacted_at = Some(now);
            self.changed_at = now;
        }
        reaction
    }

    /// Counts a reply that says that we are blocked; whether that is to be believed.
    fn is_blocked(&mut self, complaint: &Complaint, others: bool) -> bool {
        self.blocks = self.blocks.saturating_add(1);
        let alone = match self.blocked {
            None => true,
            Some((first, alone)) => alone && first == complaint.account,
        };
        self.blocked = Some((self.blocked.map_or(complaint.account, |(first, _)| first), alone));
        if self.is_suspended() {
            // it was let in once to see whether that still holds
            return true;
        }
        let enough = if alone { BLOCKS_OF_ONE } else { BLOCKS_OF_SEVERAL };
        (complaint.at_the_door && !others) || self.blocks >= enough
    }

    fn suspend(&mut self, now: Timestamp, jitter: Jitter, pauses: &Pauses) -> Reaction {
        let lasts = doubled(pauses.suspension_min, self.suspensions, pauses.suspension_max);
        let until = now.after(jitter.stretch(lasts));
        self.suspensions = self.suspensions.saturating_add(1);
        self.connections = 1;
        self.state = State::Suspended(until);
        Reaction::Suspended(until)
    }

    fn slow_down(&mut self, now: Timestamp, jitter: Jitter, pauses: &Pauses) -> Reaction {
        let minute = now.0 / 60_000;
        let seen = match minute.checked_sub(self.minute) {
            Some(0) => self.in_minute.max(self.in_last_minute),
            Some(1) => self.in_minute,
            _ => 0,
        };
        if self.pace_before == 0 {
            self.pace_before = seen.max(pauses.per_minute_min);
        }
        let from = if self.pace > 0 { self.pace } else { self.pace_before };
        self.pace = (from / 2).max(pauses.per_minute_min);
        let until = now.after(jitter.stretch(doubled(pauses.pause_min, self.strikes, pauses.pause_max)));
        self.strikes = self.strikes.saturating_add(1);
        self.connections = 1;
        // a suspension is not made shorter by it
        if self.suspended_until(now).is_none_or(|suspended| suspended < until) {
            self.state = State::Paused(until);
        }
        Reaction::Slower(until)
    }

    fn crowd_less(&mut self, in_hand: usize) -> Reaction {
        self.strikes = self.strikes.saturating_add(1);
        self.connections = (in_hand.min(self.connections) / 2).max(1);
        Reaction::FewerConnections
    }

    /// The site took part in a dialogue and complained of nothing. `begun`: when that message was.
    pub fn taken(&mut self, begun: Timestamp, now: Timestamp, pauses: &Pauses) -> Recovery {
        self.blocks = 0;
        self.blocked = None;
        if self.state == State::Free && self.is_whole() {
            return Recovery::Nothing;
        }
        // what was under way when it complained proves nothing
        if self.reacted_at.is_some_and(|at| begun <= at) {
            return Recovery::Nothing;
        }
        if self.state != State::Free {
            let lifted = self.is_suspended();
            self.state = State::Free;
            self.changed_at = now;
            return if lifted { Recovery::Lifted } else { Recovery::More };
        }
        let wait = doubled(pauses.recovery, self.strikes.saturating_sub(1).min(4), Duration::MAX);
        if now.since(self.changed_at) < wait {
            return Recovery::Nothing;
        }
        self.recover();
        self.changed_at = now;
        Recovery::More
    }

    /// One step of recovery.
    fn recover(&mut self) {
        self.connections = (self.connections + 1).min(self.allowance.connections);
        if self.pace != self.allowance.per_minute {
            let faster = self.pace.saturating_add((self.pace / 4).max(1));
            let most = match self.allowance.per_minute {
                // what it took before it complained, and as much again
                0 => self.pace_before.saturating_mul(2),
                most => most,
            };
            self.pace = if faster >= most { self.allowance.per_minute } else { faster };
        }
        self.strikes = self.strikes.saturating_sub(1);
        self.suspensions = self.suspensions.saturating_sub(1);
        if self.is_whole() {
            (self.pace_before, self.strikes, self.suspensions) = (0, 0, 0);
        }
    }

    /// Somebody wants it asked now: one conversation tries whether it takes mail again.
    pub fn ask_again(&mut self, now: Timestamp) {
        match &mut self.state {
            State::Free => {}
            State::Paused(until) | State::Suspended(until) => *until = (*until).min(now),
        }
        self.next_at = self.next_at.min(now);
    }

    /// Whether there is nothing in it that is worth being remembered.
    pub fn is_forgettable(&self, now: Timestamp) -> bool {
        let is_calm = self.state == State::Free && self.is_whole() && self.strikes == 0 && self.suspensions == 0;
        let is_long_ago = now.since(self.changed_at) >= FORGOTTEN_AFTER && self.closed_until(now).is_none();
        is_calm || is_long_ago
    }
}

/// A wait that doubled so often, up to the longest.
fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times.min(DOUBLED_MAX)).min(longest)
}

/// The reply that led to what is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// Of which class it is; none where there was no reply.
    pub class: Option<Class>,
    /// The reply without addresses of people, or why there was none.
    pub text: String,
}
