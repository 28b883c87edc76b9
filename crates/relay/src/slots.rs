//! How many connections and sessions there are at once: in all, per address, per SMTP user, per account.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::Account;
use crate::id::Id;
use crate::limits::Limits;
use crate::site::Site;
use crate::smtp_user::SmtpUser;

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Connections in all.
    Total,
    /// Connections from one address.
    Address,
    /// Sessions of one SMTP user.
    User,
    /// Sessions of one account.
    Account,
}

/// The counters. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Slots {
    // each connection holds a clone, a thousand idle ones a thousand
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Counters {
    total_max: u64,
    site_max: u64,
    user_max: u64,
    account_max: u64,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: u64,
    sites: HashMap<Site, u64>,
    users: HashMap<Id<SmtpUser>, u64>,
    accounts: HashMap<Id<Account>, u64>,
}

/// One connection's place in the counters, given back when dropped: however the socket ended.
#[derive(Debug)]
pub struct Place {
    slots: Slots,
    site: Option<Site>,
    login: Option<(Id<SmtpUser>, Id<Account>)>,
}

impl Slots {
    /// Counters that stand at zero.
    pub fn new(limits: &Limits) -> Self {
        Slots::bounded(limits, limits.sessions_max, limits.address_sessions_max)
    }

    /// Counters of connections over HTTP that stand at zero: nobody logs in on those.
    pub fn of_web(limits: &Limits) -> Self {
        Slots::bounded(limits, limits.web_connections_max, limits.web_address_connections_max)
    }

    /// Counters of connections with questions about the zone.
    pub fn of_zone(limits: &Limits) -> Self {
        Slots::bounded(limits, limits.zone_connections_max, limits.zone_address_connections_max)
    }

    /// Counters of connections with reports.
    pub fn of_reports(limits: &Limits) -> Self {
        Slots::bounded(limits, limits.report_connections_max, limits.report_address_connections_max)
    }

    /// Counters of reports whose content is on its way.
    pub fn of_report_contents(limits: &Limits) -> Self {
        Slots::bounded(limits, limits.reports_at_once_max, limits.report_address_at_once_max)
    }

    fn bounded(limits: &Limits, total_max: u64, site_max: u64) -> Self {
        let (user_max, account_max) = (limits.user_sessions_max, limits.account_sessions_max);
        Slots { counters: Arc::new(Counters { total_max, site_max, user_max, account_max, taken: Mutex::default() }) }
    }

    /// A connection was accepted, its true origin not yet known.
    ///
    /// # Errors
    /// [`Full::Total`].
    pub fn enter(&self) -> Result<Place, Full> {
        let mut taken = self.lock();
        if taken.total >= self.counters.total_max {
            return Err(Full::Total);
        }
        taken.total += 1;
        Ok(Place { slots: self.clone(), site: None, login: None })
    }

    /// Connections now.
    pub fn connections(&self) -> u64 {
        self.lock().total
    }

    /// Connections of each site, the busiest first: `doctor` says when one carries nearly all.
    pub fn busiest(&self, count: usize) -> Vec<(Site, u64)> {
        let mut sites: Vec<_> = self.lock().sites.iter().map(|(site, count)| (*site, *count)).collect();
        sites.sort_unstable_by_key(|(site, count)| (std::cmp::Reverse(*count), *site));
        sites.truncate(count);
        sites
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // the counters are right after every single change, so a panic elsewhere does not spoil them
        self.counters.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Where the connection comes from is known now.
    ///
    /// # Errors
    /// [`Full::Address`]; the connection still counts in all.
    pub fn locate(&mut self, site: Site) -> Result<(), Full> {
        let mut taken = self.slots.lock();
        if self.site.is_some() || !take(&mut taken.sites, site, self.slots.counters.site_max) {
            return Err(Full::Address);
        }
        drop(taken);
        self.site = Some(site);
        Ok(())
    }

    /// A password was verified: from now on this is a session of that user and account.
    ///
    /// # Errors
    /// [`Full::User`] or [`Full::Account`]; the session does not count then.
    pub fn login(&mut self, user: Id<SmtpUser>, account: Id<Account>) -> Result<(), Full> {
        let mut taken = self.slots.lock();
        if self.login.is_some() || !take(&mut taken.users, user, self.slots.counters.user_max) {
            return Err(Full::User);
        }
        if !take(&mut taken.accounts, account, self.slots.counters.account_max) {
            give_back(&mut taken.users, user);
            return Err(Full::Account);
        }
        drop(taken);
        self.login = Some((user, account));
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.total = taken.total.saturating_sub(1);
        if let Some(site) = self.site {
            give_back(&mut taken.sites, site);
        }
        if let Some((user, account)) = self.login {
            give_back(&mut taken.users, user);
            give_back(&mut taken.accounts, account);
        }
    }
}

fn take<K: Eq + Hash>(counters: &mut HashMap<K, u64>, key: K, max: u64) -> bool {
    let count = counters.entry(key).or_default();
    let free = *count < max;
    *count += u64::from(free);
    free
}

fn give_back<K: Eq + Hash>(counters: &mut HashMap<K, u64>, key: K) {
    if let Some(count) = counters.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counters.remove(&key);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ALICE: Id<SmtpUser> = Id::new(1);
    const BOB: Id<SmtpUser> = Id::new(2);
    const CAROL: Id<SmtpUser> = Id::new(3);
    const ACME: Id<Account> = Id::new(1);
    const OTHER: Id<Account> = Id::new(2);

    fn site(text: &str) -> Site {
        Site::of(text.parse().unwrap())
    }

    fn login(slots: &Slots, user: Id<SmtpUser>, account: Id<Account>) -> Result<Place, Full> {
        let mut place = slots.enter().unwrap();
        place.login(user, account).map(|()| place)
    }

    #[test]
    fn ten_sessions_per_user_and_twenty_per_account() {
        let slots = Slots::new(&Limits::default());
        let mut open: Vec<_> = (0..10).map(|_| login(&slots, ALICE, ACME).unwrap()).collect();
        assert_eq!(login(&slots, ALICE, ACME).unwrap_err(), Full::User);
        open.extend((0..10).map(|_| login(&slots, BOB, ACME).unwrap()));
        assert_eq!(login(&slots, CAROL, ACME).unwrap_err(), Full::Account);
        login(&slots, CAROL, OTHER).unwrap();
        open.pop();
        // a refusal for the account took nothing from the user's ten
        open.push(login(&slots, CAROL, ACME).unwrap());
        drop(open);
        assert!(slots.lock().users.is_empty() && slots.lock().accounts.is_empty());
    }

    #[test]
    fn a_hundred_connections_per_address() {
        let slots = Slots::new(&Limits::default());
        let mut open = Vec::new();
        for number in 0..100 {
            let mut place = slots.enter().unwrap();
            place.locate(site(&format!("2001:db8::{number:x}"))).unwrap();
            open.push(place);
        }
        let mut place = slots.enter().unwrap();
        assert_eq!(place.locate(site("2001:db8::ffff")), Err(Full::Address));
        drop(place);
        slots.enter().unwrap().locate(site("192.0.2.1")).unwrap();
        assert_eq!(slots.busiest(2), [(site("2001:db8::"), 100)]);
        open.clear();
        assert_eq!(slots.connections(), 0);
        assert!(slots.lock().sites.is_empty());
    }

    #[test]
    fn connections_are_limited_in_all() {
        let slots = Slots::new(&Limits { sessions_max: 10, ..Limits::default() });
        let open: Vec<_> = (0..10).map(|_| slots.enter().unwrap()).collect();
        assert_eq!(slots.enter().unwrap_err(), Full::Total);
        drop(open);
        slots.enter().unwrap();
    }

    #[test]
    fn a_session_counts_until_it_is_dropped_whatever_happened() {
        let slots = Slots::new(&Limits { user_sessions_max: 1, ..Limits::default() });
        let other = slots.clone();
        let thread = std::thread::spawn(move || {
            let _place = login(&other, ALICE, ACME).unwrap();
            panic!("a session that ends badly");
        });
        assert!(thread.join().is_err());
        login(&slots, ALICE, ACME).unwrap();
    }
}
