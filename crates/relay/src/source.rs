//! Sources that mail is sent from, each with its addresses and the name that it says in EHLO, and pools of them with weights.
//!
//! Without any there is one source without a name: the relay's hostname, and the address that the system chooses.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::account::Account;
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::Id;
use crate::plan::Plan;
use crate::sending_domain::SendingDomain;

/// Sources that there may be.
pub const SOURCES_MAX: usize = 64;

/// Pools that there may be.
pub const POOLS_MAX: usize = 64;

/// The most that a source may weigh in a pool.
pub const WEIGHT_MAX: u32 = 1000;

/// The pool that there is where sources are named and no pool is.
pub const DEFAULT_POOL: &str = "default";

/// A source, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u16);

impl SourceId {
    /// Its place.
    pub fn place(self) -> usize {
        usize::from(self.0)
    }
}

/// A pool, by its place in the configuration. The first is that of mail for which none is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PoolId(u16);

impl PoolId {
    /// Its place.
    pub fn place(self) -> usize {
        usize::from(self.0)
    }
}

/// Where connections come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, for people.
    pub name: String,
    /// Its IPv4 address; none: it reaches no server at such an address.
    pub v4: Option<Ipv4Addr>,
    /// Its IPv6 address; none likewise.
    pub v6: Option<Ipv6Addr>,
    /// What it says in EHLO (RFC 5321 §4.1.1.1).
    pub hello: String,
    /// Whether it gets more mail from day to day, until it is warm ([`crate::warm_up`]).
    pub warm_up: bool,
}

impl Source {
    /// Its address of the family of `remote`.
    pub fn toward(&self, remote: IpAddr) -> Option<IpAddr> {
        match remote {
            IpAddr::V4(_) => self.v4.map(IpAddr::V4),
            IpAddr::V6(_) => self.v6.map(IpAddr::V6),
        }
    }

    /// Its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }
}

/// Sources that share the mail of whoever has this pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its sources, each once, with the part of the mail that it is to carry.
    pub members: Vec<(SourceId, u32)>,
    /// Whose mail goes from it.
    pub whose: Whose,
}

/// Whose mail goes from a pool, beside what goes from it because it is the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// Sending domains by name: they go before accounts.
    pub domains: Vec<String>,
    /// Accounts by number: they go before plans.
    pub accounts: Vec<u64>,
    /// Plans by number.
    pub plans: Vec<u64>,
}

/// A pool as the operator writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolSpec {
    /// Its name.
    pub name: String,
    /// The names of its sources, with weights.
    pub members: Vec<(String, u32)>,
    /// Whose mail goes from it.
    pub whose: Whose,
}

/// The pools that were chosen for somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Choices {
    domains: HashMap<String, PoolId>,
    accounts: HashMap<Id<Account>, PoolId>,
    plans: HashMap<Id<Plan>, PoolId>,
}

impl Choices {
    /// Takes note of a choice.
    ///
    /// # Errors
    /// In words: it was made before.
    fn add(&mut self, pool: PoolId, whose: &Whose) -> Result<(), String> {
        let again = |what: &str| Err(format!("has {what}, as an earlier pool"));
        for name in &whose.domains {
            if self.domains.insert(name.clone(), pool).is_some() {
                return again(&format!("the domain {name}"));
            }
        }
        for number in &whose.accounts {
            if self.accounts.insert(Id::new(*number), pool).is_some() {
                return again(&format!("the account {number}"));
            }
        }
        for number in &whose.plans {
            if self.plans.insert(Id::new(*number), pool).is_some() {
                return again(&format!("the plan {number}"));
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.domains.is_empty() && self.accounts.is_empty() && self.plans.is_empty()
    }
}

/// What is wrong with sources or pools; the place is that of the source or pool in its list, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcesError {
    /// A source.
    Source(usize, String),
    /// A pool.
    Pool(usize, String),
}

impl fmt::Display for SourcesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (SourcesError::Source(_, what) | SourcesError::Pool(_, what)) = self;
        f.write_str(what)
    }
}

impl std::error::Error for SourcesError {}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    sources: Vec<Arc<Source>>,
    pools: Vec<Pool>,
    /// None where all mail goes from the first.
    choices: Option<Box<Choices>>,
}

impl Sources {
    /// These sources and pools. Where there are sources and no pool, all of them are one, with equal weights.
    ///
    /// # Errors
    /// [`SourcesError`], in words for the operator.
    pub fn new(sources: Vec<Source>, pools: Vec<PoolSpec>) -> Result<Sources, SourcesError> {
        check(&sources)?;
        let mut made: Vec<Pool> = Vec::with_capacity(pools.len().max(1));
        let mut choices = Choices::default();
        for (number, PoolSpec { name, members, whose }) in (0u16..).zip(pools) {
            let place = usize::from(number);
            let fault = |what| SourcesError::Pool(place, what);
            if place >= POOLS_MAX {
                return Err(fault(format!("is one more than the {POOLS_MAX} pools that there may be")));
            }
            if made.iter().any(|earlier| earlier.name == name) {
                return Err(fault(format!("there are two pools called {name}")));
            }
            let members = members_of(&sources, &members).map_err(fault)?;
            choices.add(PoolId(number), &whose).map_err(fault)?;
            made.push(Pool { name, members, whose });
        }
        if made.is_empty() && !sources.is_empty() {
            let all = (0u16..).zip(&sources).map(|(place, _)| (SourceId(place), 1));
            made.push(Pool { name: DEFAULT_POOL.to_owned(), members: all.collect(), whose: Whose::default() });
        }
        let choices = (!choices.is_empty()).then(|| Box::new(choices));
        Ok(Sources { sources: sources.into_iter().map(Arc::new).collect(), pools: made, choices })
    }

    /// Whether there is but the one without a name.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// A source. The nameless one has no place.
    pub fn source(&self, id: SourceId) -> Option<&Arc<Source>> {
        self.sources.get(id.place())
    }

    /// Every source.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Arc<Source>)> {
        (0u16..).map(SourceId).zip(&self.sources)
    }

    /// Every pool, that of mail for which none is chosen first.
    pub fn pools(&self) -> impl Iterator<Item = (PoolId, &Pool)> {
        (0u16..).map(PoolId).zip(&self.pools)
    }

    /// A pool's sources with their weights; of a pool that is not there none.
    pub fn members(&self, pool: PoolId) -> &[(SourceId, u32)] {
        self.pools.get(pool.place()).map_or(&[], |pool| &pool.members)
    }

    /// The pool that mail of an account goes from, sent from this domain: the domain's, else the account's, else that of the plan
    /// that it has now, else the first. Directory and time are asked for only where a pool was chosen for anybody.
    pub fn pool_of(
        &self,
        today: impl FnOnce() -> (Arc<Directory>, Timestamp),
        (account, domain): (Id<Account>, Option<Id<SendingDomain>>),
    ) -> PoolId {
        let Some(choices) = &self.choices else { return PoolId::default() };
        let (directory, now) = today();
        let domain = domain.and_then(|domain| directory.domains.get(&domain));
        let of_domain = domain.and_then(|domain| choices.domains.get(&domain.name));
        let of_plan = || {
            let account = directory.accounts.get(&account)?;
            let plan = account.standing(account.day(now)).plan()?;
            choices.plans.get(&plan)
        };
        of_domain.or_else(|| choices.accounts.get(&account)).or_else(of_plan).copied().unwrap_or_default()
    }

    /// The source of a name.
    pub fn source_named(&self, name: &str) -> Option<SourceId> {
        self.iter().find(|(_, source)| source.name == name).map(|(id, _)| id)
    }
}

/// Whether sources can stand beside one another.
fn check(sources: &[Source]) -> Result<(), SourcesError> {
    for (place, source) in sources.iter().enumerate() {
        let fault = |what: String| Err(SourcesError::Source(place, what));
        if place >= SOURCES_MAX {
            return fault(format!("is one more than the {SOURCES_MAX} sources that there may be"));
        }
        if source.addresses().next().is_none() {
            return fault(format!("{} has no address", source.name));
        }
        for earlier in &sources[..place] {
            if earlier.name == source.name {
                return fault(format!("there are two sources called {}", source.name));
            }
            if let Some(address) = source.addresses().find(|one| earlier.addresses().any(|other| other == *one)) {
                return fault(format!("{address} is an address of {} already", earlier.name));
            }
        }
    }
    Ok(())
}

fn members_of(sources: &[Source], members: &[(String, u32)]) -> Result<Vec<(SourceId, u32)>, String> {
    let mut found: Vec<(SourceId, u32)> = Vec::with_capacity(members.len());
    for (name, weight) in members {
        let mut named = (0u16..).zip(sources).filter(|(_, source)| source.name == *name);
        let Some((place, _)) = named.next() else { return Err(format!("there is no source called {name}")) };
        if found.iter().any(|(earlier, _)| *earlier == SourceId(place)) {
            return Err(format!("names {name} twice"));
        }
        if !(1..=WEIGHT_MAX).contains(weight) {
            return Err(format!("gives {name} the weight {weight}: write 1 to {WEIGHT_MAX}"));
        }
        found.push((SourceId(place), *weight));
    }
    if found.is_empty() { Err("has no source".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::account::{AccountState, Contacts};
    use crate::language::Language;
    use crate::plan::Subscription;
    use crate::quota::Quota;
    use crate::sending_domain::DomainState;
    use crate::time_zone::TimeZone;

    /// A source of this name with an IPv4 address of its own.
    pub(crate) fn source(name: &str, last: u8) -> Source {
        let v4 = Some(Ipv4Addr::new(192, 0, 2, last));
        Source { name: name.into(), v4, v6: None, hello: format!("{name}.example.net"), warm_up: false }
    }

    /// Pools of these sources, with weights.
    pub(crate) fn pools(sources: &[&str], pools: &[(&str, &[(&str, u32)])]) -> Result<Sources, SourcesError> {
        let sources = (1..).zip(sources).map(|(last, name)| source(name, last)).collect();
        let member = |(name, weight): &(&str, u32)| ((*name).to_owned(), *weight);
        let pool = |(name, members): &(&str, &[(&str, u32)])| PoolSpec {
            name: (*name).to_owned(),
            members: members.iter().map(member).collect(),
            whose: Whose::default(),
        };
        Sources::new(sources, pools.iter().map(pool).collect())
    }

    #[test]
    fn without_a_pool_all_sources_are_one_and_without_sources_there_is_none() {
        let one = pools(&["a", "b"], &[]).unwrap();
        assert_eq!(one.pools().count(), 1);
        assert_eq!(one.members(PoolId::default()), [(SourceId(0), 1), (SourceId(1), 1)]);
        let none = pools(&[], &[]).unwrap();
        assert!(none.is_empty() && none.members(PoolId::default()).is_empty());
    }

    fn account(number: u64, plan: u64) -> Account {
        Account {
            id: Id::new(number),
            name: "Acme".to_owned(),
            state: AccountState::Active,
            activity_days: None,
            own_quota: Quota { recipients: None, renews_on: 1, moved: None },
            subscription: Subscription::to(Id::new(plan)),
            contacts: Contacts::default(),
            time_zone: TimeZone::utc(),
            language: Language::English,
            created_at: Timestamp(0),
        }
    }

    fn domain(name: &str) -> SendingDomain {
        SendingDomain {
            state: DomainState::Validated,
            ..SendingDomain::new(Id::new(9), Id::new(1), name, Vec::new(), Timestamp(0))
        }
    }

    #[test]
    fn a_pool_is_the_domains_else_the_accounts_else_the_plans_else_the_first() {
        let pool = |name: &str, whose| PoolSpec { name: name.into(), members: vec![("a".into(), 1)], whose };
        let none = Whose::default;
        let specs = vec![
            pool("first", none()),
            pool("domain", Whose { domains: vec!["shop.example".into()], ..none() }),
            pool("account", Whose { accounts: vec![1, 2], ..none() }),
            pool("plan", Whose { plans: vec![5], ..none() }),
        ];
        let sources = Sources::new(vec![source("a", 1)], specs.clone()).unwrap();
        let mut directory = Directory::default();
        for (number, plan) in [(1, 5), (2, 5), (3, 5), (4, 6)] {
            directory.accounts.insert(Id::new(number), Arc::new(account(number, plan)));
        }
        directory.domains.insert(Id::new(9), Arc::new(domain("shop.example")));
        let directory = Arc::new(directory);
        let of = |account, domain: Option<u64>| {
            let whose = (Id::new(account), domain.map(Id::new));
            let pool = sources.pool_of(|| (Arc::clone(&directory), Timestamp(1_800_000_000_000)), whose);
            sources.pools().find(|(id, _)| *id == pool).unwrap().1.name.clone()
        };
        assert_eq!([of(1, Some(9)), of(4, Some(9))], ["domain", "domain"]);
        assert_eq!([of(1, None), of(2, Some(8))], ["account", "account"]);
        assert_eq!([of(3, None), of(4, None), of(99, None)], ["plan", "first", "first"]);
        let mut twice = specs;
        twice[3].whose.accounts = vec![2];
        let fault = Sources::new(vec![source("a", 1)], twice).unwrap_err();
        assert_eq!(fault, SourcesError::Pool(3, "has the account 2, as an earlier pool".into()));
    }

    #[test]
    fn faults_say_what_is_wrong_with_which() {
        let fault = |sources: &[&str], of: &[(&str, &[(&str, u32)])]| pools(sources, of).unwrap_err();
        assert!(matches!(fault(&["a", "a"], &[]), SourcesError::Source(1, _)));
        assert!(matches!(fault(&["a"], &[("p", &[])]), SourcesError::Pool(0, _)));
        assert!(matches!(fault(&["a"], &[("p", &[("b", 1)])]), SourcesError::Pool(0, _)));
        assert!(matches!(fault(&["a"], &[("p", &[("a", 1), ("a", 2)])]), SourcesError::Pool(0, _)));
        assert!(matches!(fault(&["a"], &[("p", &[("a", 0)])]), SourcesError::Pool(0, _)));
        assert!(matches!(fault(&["a"], &[("p", &[("a", 1)]), ("p", &[("a", 1)])]), SourcesError::Pool(1, _)));
        assert!(matches!(fault(&[], &[("p", &[("a", 1)])]), SourcesError::Pool(0, _)));
        let same = vec![source("a", 1), source("b", 1)];
        assert!(matches!(Sources::new(same, Vec::new()), Err(SourcesError::Source(1, _))));
        let nowhere = vec![Source { v4: None, ..source("a", 1) }];
        assert!(matches!(Sources::new(nowhere, Vec::new()), Err(SourcesError::Source(0, _))));
    }

    #[test]
    fn a_family_without_an_address_is_not_reached() {
        let one = source("a", 7);
        assert_eq!(one.toward([198, 51, 100, 1].into()), Some([192, 0, 2, 7].into()));
        assert_eq!(one.toward("2001:db8::1".parse().unwrap()), None);
    }
}
