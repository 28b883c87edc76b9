//! What the operator's blocklists say of the relay's addresses and of sending domains, from look to look: what has changed, and who
//! is to be told of it by mail.
//!
//! A change is known at once. Mail about a list goes to the same people once a day at the most, and says what is another than what
//! they were told last: whoever is listed and taken out again within the hour is written about once, not with each turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::clock::Timestamp;
use crate::health::Listing;
use crate::id::Id;
use crate::sending_domain::SendingDomain;

/// Names that are remembered because a list has them; of more nothing is told.
pub const REMEMBERED_MAX: usize = 10_000;

/// How long the same people get no further mail about a list.
pub const TOLD_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Whose a sending domain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// The domain.
    pub domain: Id<SendingDomain>,
    /// Its account.
    pub account: Id<Account>,
}

/// Who is told of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// The operator's people: of the relay's addresses and of every domain.
    Operator,
    /// An account's people: of its domains.
    Account(Id<Account>),
}

/// A name that was put into a list, or taken out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The list: its zone in DNS.
    pub list: String,
    /// The address or domain.
    pub name: String,
    /// Whose domain it is; none: an address of the relay's.
    pub owned: Option<Owned>,
    /// Whether it is in the list now.
    pub is_listed: bool,
    /// When that was seen.
    pub at: Timestamp,
}

/// What somebody is to be told of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct News {
    /// Who.
    pub audience: Audience,
    /// Of which list.
    pub list: String,
    /// What it has that they do not know of.
    pub listed: Vec<String>,
    /// What it has no more, and they were told that it had.
    pub gone: Vec<String>,
}

/// What a list was found to say of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    owned: Option<Owned>,
    is_listed: bool,
    /// What the operator's people were told last.
    operator_knows: bool,
    /// What the account's were.
    account_knows: bool,
}

impl Entry {
    fn concerns(&self, audience: Audience) -> bool {
        match audience {
            Audience::Operator => true,
            Audience::Account(account) => self.owned.is_some_and(|owned| owned.account == account),
        }
    }

    fn is_known_to(&self, audience: Audience) -> bool {
        match audience {
            Audience::Operator => self.operator_knows,
            Audience::Account(_) => self.account_knows,
        }
    }

    fn is_news_to(&self, audience: Audience) -> bool {
        self.concerns(audience) && self.is_known_to(audience) != self.is_listed
    }

    /// Nobody has to be told anything of it any more.
    fn is_over(&self) -> bool {
        !self.is_listed && !self.operator_knows && !self.account_knows
    }
}

/// What is known of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OfList {
    names: BTreeMap<String, Entry>,
    /// When the operator's people were last written to.
    operator_told: Option<Timestamp>,
    /// When those of accounts were, by the account's number.
    accounts_told: BTreeMap<u64, Timestamp>,
}

impl OfList {
    fn told_at(&self, audience: Audience) -> Option<Timestamp> {
        match audience {
            Audience::Operator => self.operator_told,
            Audience::Account(account) => self.accounts_told.get(&account.number()).copied(),
        }
    }

    /// Everybody whom something of it concerns.
    fn audiences(&self) -> BTreeSet<Audience> {
        let owners = self.names.values().filter_map(|entry| Some(Audience::Account(entry.owned?.account)));
        owners.chain([Audience::Operator]).collect()
    }
}

/// What the lists said until now, and who knows of it. Kept over restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    lists: BTreeMap<String, OfList>,
    /// The domain that was looked at last.
    after: Option<Id<SendingDomain>>,
}

impl Standing {
    /// Takes what lists said of names at a moment, and gives what of it is another than before. `owned`: whose domain each name is; none:
    /// they are addresses of the relay's. What a list did not speak of is as it was.
    pub fn observe(&mut self, listings: &[Listing], owned: Option<Owned>, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for listing in listings {
            if self.is_change(listing, owned) {
                let (list, name) = (listing.list.clone(), listing.name.clone());
                changes.push(Change { list, name, owned, is_listed: listing.is_listed, at: now });
            }
        }
        changes
    }

    fn is_change(&mut self, listing: &Listing, owned: Option<Owned>) -> bool {
        let has_room = self.lists.values().map(|of_list| of_list.names.len()).sum::<usize>() < REMEMBERED_MAX;
        let names = self.lists.get_mut(&listing.list).map(|of_list| &mut of_list.names);
        let known = names.and_then(|names| Some((names.get(&listing.name)?.is_listed, names)));
        match known {
            Some((was_listed, _)) if was_listed == listing.is_listed => false,
            Some((_, names)) => {
                if let Some(entry) = names.get_mut(&listing.name) {
                    entry.is_listed = listing.is_listed;
                }
                names.retain(|_, entry| !entry.is_over());
                true
            }
            None if listing.is_listed && has_room => {
                let entry = Entry { owned, is_listed: true, operator_knows: false, account_knows: false };
                self.lists.entry(listing.list.clone()).or_default().names.insert(listing.name.clone(), entry);
                true
            }
            None => false,
        }
    }

    /// Forgets lists that are asked no more, and names that are asked about no more: nobody is told of them.
    pub fn retain(&mut self, lists: &[String], is_asked: impl Fn(&str, Option<Owned>) -> bool) {
        self.lists.retain(|list, of_list| {
            of_list.names.retain(|name, entry| is_asked(name, entry.owned));
            lists.contains(list)
        });
    }

    /// Which of these domains are looked at now, so many at the most: each in its turn, through restarts.
    pub fn turn(&mut self, mut domains: Vec<Id<SendingDomain>>, most: usize) -> Vec<Id<SendingDomain>> {
        domains.sort_unstable();
        let behind = self.after.map_or(0, |after| domains.partition_point(|domain| *domain <= after));
        domains.rotate_left(behind);
        domains.truncate(most);
        self.after = domains.last().copied().or(self.after);
        domains
    }

    /// What is to be told by mail now.
    pub fn due(&self, now: Timestamp) -> Vec<News> {
        let mut due = Vec::new();
        for (list, of_list) in &self.lists {
            for audience in of_list.audiences() {
                let news = || of_list.names.iter().filter(move |(_, entry)| entry.is_news_to(audience));
                let is_early = of_list.told_at(audience).is_some_and(|at| now.since(at) < TOLD_EVERY);
                if is_early || news().next().is_none() {
                    continue;
                }
                let that_are = |is_listed| {
                    let names = news().filter(move |(_, entry)| entry.is_listed == is_listed);
                    names.map(|(name, _)| name.clone()).collect()
                };
                due.push(News { audience, list: list.clone(), listed: that_are(true), gone: that_are(false) });
            }
        }
        due
    }

    /// They were told.
    pub fn told(&mut self, news: &News, now: Timestamp) {
        let Some(of_list) = self.lists.get_mut(&news.list) else { return };
        let all = news.listed.iter().map(|name| (name, true)).chain(news.gone.iter().map(|name| (name, false)));
        for (name, is_listed) in all {
            if let Some(entry) = of_list.names.get_mut(name) {
                match news.audience {
                    Audience::Operator => entry.operator_knows = is_listed,
                    Audience::Account(_) => entry.account_knows = is_listed,
                }
            }
        }
        match news.audience {
            Audience::Operator => of_list.operator_told = Some(now),
            Audience::Account(account) => {
                of_list.accounts_told.retain(|_, at| now.since(*at) < TOLD_EVERY);
                of_list.accounts_told.insert(account.number(), now);
            }
        }
        of_list.names.retain(|_, entry| !entry.is_over());
    }

    /// Whether a list has a name, as it last said.
    pub fn is_listed(&self, list: &str, name: &str) -> bool {
        let entry = self.lists.get(list).and_then(|of_list| of_list.names.get(name));
        entry.is_some_and(|entry| entry.is_listed)
    }

    /// How many sending domains a list has.
    pub fn domains_in(&self, list: &str) -> usize {
        let entries = self.lists.get(list).into_iter().flat_map(|of_list| of_list.names.values());
        entries.filter(|entry| entry.is_listed && entry.owned.is_some()).count()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
