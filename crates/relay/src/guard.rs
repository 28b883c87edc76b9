//! The guard against guessed passwords: which addresses are blocked, since when, why, and whom a block never stops.
//!
//! Only distinct wrong pairs and the number of failures count, so that an application that repeats
//! one wrong password slowly blocks nobody. What was tried is kept as a truncated keyed hash, in
//! memory, for the length of the window.

use aws_lc_rs::hmac;
use ipnet::IpNet;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::id::Id;
use crate::limits::Limits;
use crate::service::SYSTEM_ACCOUNT;
use crate::site::Site;
use crate::smtp_user::SmtpUser;
use crate::store::{Block, Login};

/// Known pairs of SMTP user and address held at once; past it the oldest go.
const KNOWN_MAX: usize = 1_000_000;

/// Characters of a username that are shown in a cause: it is a stranger's text.
const NAME_CHARACTERS_MAX: usize = 64;

/// A login that was blocked: come back in so many minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Minutes until the block ends, at least 1.
    pub minutes: u64,
}

/// What was tried, unreadable: a truncated keyed hash of username and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tried(u64);

/// Whom failures are counted against and a block stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Target {
    /// Everybody at a site.
    Site(Site),
    /// One username (hashed) at a site that many share.
    Pair(Site, Tried),
}

impl Target {
    fn site(self) -> Site {
        match self {
            Target::Site(site) | Target::Pair(site, _) => site,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    at: Timestamp,
    tried: Tried,
    account: Option<Id<Account>>,
}

/// The judge of failed logins. Small and quick: held under one lock.
pub struct Guard {
    key: hmac::Key,
    limits: Limits,
    shared: Vec<IpNet>,
    failures: HashMap<Target, VecDeque<Failure>>,
    blocks: HashMap<Target, Block>,
    known: BTreeMap<(Site, Id<SmtpUser>), Timestamp>,
}

impl Guard {
    /// A guard that knows nothing yet. `shared` are networks whose addresses many clients share: there
    /// only wrong pairs count, and a block stops one username from one address, never an address.
    pub fn new(limits: &Limits, shared: Vec<IpNet>, dice: &mut dyn Dice) -> Self {
        let mut key = [0; 32];
        dice.fill(&mut key);
        Guard {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            limits: limits.clone(),
            shared,
            failures: HashMap::new(),
            blocks: HashMap::new(),
            known: BTreeMap::new(),
        }
    }

    /// Takes up what was kept across a restart: blocks, and the logins of the last days.
    pub fn restore(&mut self, blocks: Vec<Block>, logins: &[Login]) {
        for block in blocks {
            // at a shared address it is not kept whom it stopped, and it never stopped the others
            if !self.is_shared(block.address) {
                self.blocks.insert(Target::Site(Site::of(block.address)), block);
            }
        }
        for login in logins {
            self.on_success(login.address, login.user, login.at);
        }
    }

    /// Whether a new connection must be refused. One from a blocked address is let in as far as AUTH
    /// where a user logged in from there lately, since it may be that user.
    pub fn on_connection(&self, address: IpAddr, now: Timestamp) -> Option<Blocked> {
        if self.is_shared(address) || self.known_users(address, now).next().is_some() {
            return None;
        }
        self.block_of(Target::Site(Site::of(address)), now)
    }

    /// Whether a login must be refused without a look at the password. `user` is whose the username is.
    pub fn on_login(
        &self,
        address: IpAddr,
        username: &str,
        user: Option<Id<SmtpUser>>,
        now: Timestamp,
    ) -> Option<Blocked> {
        if user.is_some_and(|user| self.is_known(address, user, now)) {
            return None;
        }
        self.block_of(self.target(address, username), now)
    }

    /// What stands for a username and password, to tell distinct pairs apart.
    pub fn tried(&self, username: &str, password: &[u8]) -> Tried {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(username.len() as u64).to_be_bytes());
        context.update(username.as_bytes());
        context.update(password);
        let mut octets = [0; 8];
        octets.copy_from_slice(&context.sign().as_ref()[..8]);
        Tried(u64::from_be_bytes(octets))
    }

    /// A login failed. `account` is whose user it was aimed at, if any. The block that began, if one did:
    /// to be kept.
    pub fn on_failure(
        &mut self,
        address: IpAddr,
        username: &str,
        tried: Tried,
        account: Option<Id<Account>>,
        now: Timestamp,
    ) -> Option<Block> {
        let target = self.target(address, username);
        self.make_room(target, now);
        let window = self.limits.login_window();
        let failures_max = usize::try_from(self.limits.login_failures_max).unwrap_or(usize::MAX);
        let failures = self.failures.entry(target).or_default();
        while failures.front().is_some_and(|failure| now.since(failure.at) >= window) || failures.len() >= failures_max
        {
            failures.pop_front();
        }
        failures.push_back(Failure { at: now, tried, account });
        let pairs = failures.iter().map(|failure| failure.tried).collect::<HashSet<_>>().len() as u64;
        let count = failures.len() as u64;
        let minutes = self.limits.login_window_seconds / 60;
        let cause = if pairs >= self.limits.login_pairs_max {
            format!("{pairs} distinct wrong pairs of username and password within {minutes} minutes")
        } else if count >= self.limits.login_failures_max && matches!(target, Target::Site(_)) {
            format!("{count} failed logins within {minutes} minutes")
        } else {
            return None;
        };
        self.block(target, username, cause, now)
    }

    fn block(&mut self, target: Target, username: &str, mut cause: String, now: Timestamp) -> Option<Block> {
        if self.block_of(target, now).is_some() {
            return None;
        }
        let failures = self.failures.remove(&target).unwrap_or_default();
        let unknown = failures.iter().filter(|failure| failure.account.is_none()).count();
        if unknown > 0 {
            cause.push_str(&format!(", {unknown} of them with usernames that do not exist"));
        }
        if let Target::Pair(..) = target {
            let name: String =
                username.chars().filter(|letter| !letter.is_control()).take(NAME_CHARACTERS_MAX).collect();
            cause.push_str(&format!("; the address is shared, so only {name} is stopped there"));
        }
        let mut accounts: Vec<_> = failures.iter().map(|failure| failure.account.unwrap_or(SYSTEM_ACCOUNT)).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let (shortest, longest) = (self.limits.block_seconds_min, self.limits.block_seconds_max);
        let seconds = match self.blocks.get(&target) {
            Some(last) if self.is_remembered(last, now) => last.seconds.saturating_mul(2).clamp(shortest, longest),
            _ => shortest,
        };
        let block = Block {
            address: target.site().address(),
            cause,
            since: now,
            until: now.after(Duration::from_secs(seconds)),
            seconds,
            accounts,
        };
        self.blocks.insert(target, block.clone());
        Some(block)
    }

    /// A login succeeded: from now on no block there stops this user.
    pub fn on_success(&mut self, address: IpAddr, user: Id<SmtpUser>, now: Timestamp) {
        let last = self.known.entry((Site::of(address), user)).or_insert(now);
        *last = (*last).max(now);
        if self.known.len() > KNOWN_MAX {
            let oldest = quarter(self.known.values().copied());
            self.known.retain(|_, last| *last > oldest);
        }
    }

    /// The operator lifted the blocks of an address: they are over and their doubling is forgotten.
    pub fn lift(&mut self, address: IpAddr) {
        let site = Site::of(address);
        self.blocks.retain(|target, _| target.site() != site);
        self.failures.retain(|target, _| target.site() != site);
    }

    /// Blocks in force, those of single usernames at shared addresses among them.
    pub fn blocks(&self, now: Timestamp) -> Vec<Block> {
        self.blocks.values().filter(|block| block.until > now).cloned().collect()
    }

    /// SMTP users that logged in from an address lately.
    pub fn known_users(&self, address: IpAddr, now: Timestamp) -> impl Iterator<Item = Id<SmtpUser>> + '_ {
        let site = Site::of(address);
        self.known
            .range((site, Id::new(0))..=(site, Id::new(u64::MAX)))
            .filter(move |(_, last)| now.since(**last) < self.limits.known_login())
            .map(|((_, user), _)| *user)
    }

    /// Forgets what is over. To be called now and then.
    pub fn tidy(&mut self, now: Timestamp) {
        let window = self.limits.login_window();
        self.failures.retain(|_, failures| failures.back().is_some_and(|last| now.since(last.at) < window));
        let known = self.limits.known_login();
        self.known.retain(|_, last| now.since(*last) < known);
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.retain(|_, block| self.is_remembered(block, now));
        self.blocks = blocks;
    }

    fn is_shared(&self, address: IpAddr) -> bool {
        self.shared.iter().any(|network| network.contains(&address.to_canonical()))
    }

    fn is_known(&self, address: IpAddr, user: Id<SmtpUser>, now: Timestamp) -> bool {
        let last = self.known.get(&(Site::of(address), user));
        last.is_some_and(|last| now.since(*last) < self.limits.known_login())
    }

    fn target(&self, address: IpAddr, username: &str) -> Target {
        let site = Site::of(address);
        if self.is_shared(address) { Target::Pair(site, self.tried(username, &[])) } else { Target::Site(site) }
    }

    fn block_of(&self, target: Target, now: Timestamp) -> Option<Blocked> {
        let left = self.blocks.get(&target)?.until.since(now);
        (!left.is_zero()).then(|| Blocked { minutes: left.as_secs().div_ceil(60).max(1) })
    }

    /// Whether a further block would be twice as long as this one.
    fn is_remembered(&self, block: &Block, now: Timestamp) -> bool {
        now.since(block.until) < Duration::from_secs(self.limits.block_seconds_max)
    }

    fn make_room(&mut self, target: Target, now: Timestamp) {
        let room = usize::try_from(self.limits.remembered_addresses_max).unwrap_or(usize::MAX);
        if self.failures.len() >= room && !self.failures.contains_key(&target) {
            self.tidy(now);
            if self.failures.len() >= room {
                // a quarter at once, so that the cost of looking is spread
                let oldest = quarter(self.failures.values().filter_map(|failures| Some(failures.back()?.at)));
                self.failures.retain(|_, failures| failures.back().is_some_and(|last| last.at > oldest));
            }
        }
        if self.blocks.len() >= room {
            let first = quarter(self.blocks.values().map(|block| block.until));
            self.blocks.retain(|_, block| block.until > first);
        }
    }
}

/// The moment that a quarter of these is not later than.
fn quarter(moments: impl Iterator<Item = Timestamp>) -> Timestamp {
    let mut moments: Vec<_> = moments.collect();
    let place = moments.len() / 4;
    if moments.is_empty() { Timestamp(0) } else { *moments.select_nth_unstable(place).1 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
