//! Asks lists in DNS (RFC 5782) whether they have the relay's addresses or a domain: when somebody looks, seldom, and with no
//! consequence but words.
//!
//! A list is believed only while it answers as a live one does: it has the entry that is there for trying, and not the one that
//! never is (§5). Everything else, also an answer that is none of a list's, says nothing.

use relay::clock::Timestamp;
use relay::health::Listing;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::dns::{LookupError, Resolver};

/// How long an answer is good for.
const ANSWERED_FOR: Duration = Duration::from_secs(6 * 3600);
/// How long a list that says nothing is left alone.
const SILENT_FOR: Duration = Duration::from_secs(3600);
/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Answers that are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// Lists of each kind that are asked, and addresses that they are asked about; of more the first ones.
const LISTS_MAX: usize = 10;
const ADDRESSES_MAX: usize = 16;

/// The lists of the operator's, by their zones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Of IP addresses.
    pub addresses: Vec<String>,
    /// Of domain names.
    pub domains: Vec<String>,
}

/// What a list said of a name below it; none: nothing.
type Said = Option<bool>;

/// Asks, and remembers what was said.
pub struct Blocklists {
    lists: Lists,
    resolver: Arc<dyn Resolver>,
    clock: Arc<dyn Clock>,
    remembered: Mutex<HashMap<String, (Timestamp, Said)>>,
}

/// One question: of whom, in which list, the name that it is asked by, and those by which the list is tried.
struct Question {
    listing: Listing,
    name: String,
    trials: [String; 2],
}

impl Blocklists {
    /// Asks these lists by a resolver.
    pub fn new(lists: Lists, resolver: Arc<dyn Resolver>, clock: Arc<dyn Clock>) -> Arc<Blocklists> {
        Arc::new(Blocklists { lists, resolver, clock, remembered: Mutex::default() })
    }

    /// What the lists say of addresses and a domain, in the order of the lists; those left out that say nothing.
    pub async fn look(self: &Arc<Self>, addresses: &[IpAddr], domain: &str) -> Vec<Listing> {
        let questions = self.questions(addresses, domain);
        let mut asking = JoinSet::new();
        for (place, question) in questions.into_iter().enumerate() {
            let here = Arc::clone(self);
            asking.spawn(async move { (place, here.ask(question).await) });
        }
        let mut found: Vec<(usize, Option<Listing>)> = asking.join_all().await;
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().filter_map(|(_, listing)| listing).collect()
    }

    fn questions(&self, addresses: &[IpAddr], domain: &str) -> Vec<Question> {
        let question = |list: &String, name: String, below: String, trials: [&str; 2]| Question {
            listing: Listing { list: list.clone(), name, is_listed: false },
            name: format!("{below}.{list}"),
            trials: trials.map(|trial| format!("{trial}.{list}")),
        };
        let of_addresses = self.lists.addresses.iter().take(LISTS_MAX).flat_map(|list| {
            let one = move |address: &IpAddr| {
                question(list, address.to_string(), reversed(*address), ["2.0.0.127", "1.0.0.127"])
            };
            addresses.iter().take(ADDRESSES_MAX).map(one)
        });
        let domains = self.lists.domains.iter().take(LISTS_MAX);
        let of_domain = domains.map(|list| question(list, domain.to_owned(), domain.to_owned(), ["test", "invalid"]));
        of_addresses.chain(of_domain).collect()
    }

    async fn ask(&self, question: Question) -> Option<Listing> {
        let Question { listing, name, trials: [there, absent] } = question;
        let is_alive = self.said(&there).await == Some(true) && self.said(&absent).await == Some(false);
        if !is_alive {
            return None;
        }
        let is_listed = self.said(&name).await?;
        Some(Listing { is_listed, ..listing })
    }

    /// What was said of a name lately, or is now.
    async fn said(&self, name: &str) -> Said {
        let now = self.clock.now();
        let known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        if let Some((at, said)) = known {
            let good_for = if said.is_some() { ANSWERED_FOR } else { SILENT_FOR };
            if now.since(at) < good_for {
                return said;
            }
        }
        let said = match timeout(PATIENCE, self.resolver.addresses(name)).await {
            Ok(Ok(addresses)) => meaning(&addresses),
            Ok(Err(LookupError::NoSuchName | LookupError::NoRecord)) => Some(false),
            Ok(Err(LookupError::Fault(_))) | Err(_) => None,
        };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, (at, _)| now.since(*at) < ANSWERED_FOR);
        }
        if remembered.len() < REMEMBERED_MAX {
            remembered.insert(name.to_owned(), (now, said));
        }
        said
    }
}

/// What addresses mean that a list has for a name: those of the loopback network say that it is there (RFC 5782 §2.1). A list answers from
/// 127.255.255.0/24 where it does not answer whoever asks; other addresses are of a zone that is no list any more.
fn meaning(addresses: &[IpAddr]) -> Said {
    let octets = |address: &IpAddr| match address {
        IpAddr::V4(address) => Some(address.octets()),
        IpAddr::V6(_) => None,
    };
    let all: Option<Vec<[u8; 4]>> = addresses.iter().map(octets).collect();
    let is_said = |octets: &[u8; 4]| octets[0] == 127 && octets[..3] != [127, 255, 255];
    all.filter(|all| !all.is_empty() && all.iter().all(is_said)).map(|_| true)
}

/// An address as lists have it: its octets, or the halves of those, the last first.
fn reversed(address: IpAddr) -> String {
    let parts: Vec<String> = match address {
        IpAddr::V4(address) => address.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(address) => {
            let halves = address.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            halves.map(|half| format!("{half:x}")).collect()
        }
    };
    parts.join(".")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::dns::{Lookup, Mx};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Lists that answer as they are told.
    struct Answering(HashMap<String, Result<Vec<IpAddr>, LookupError>>, AtomicUsize);

    impl Resolver for Answering {
        fn mx<'a>(&'a self, _: &'a str) -> Lookup<'a, Vec<Mx>> {
            Box::pin(async { Err(LookupError::NoRecord) })
        }

        fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            let said = self.0.get(host).cloned().unwrap_or(Err(LookupError::NoSuchName));
            Box::pin(async { said })
        }

        fn txt<'a>(&'a self, _: &'a str) -> Lookup<'a, Vec<String>> {
            Box::pin(async { Err(LookupError::NoRecord) })
        }
    }

    fn there(last: [u8; 4]) -> Result<Vec<IpAddr>, LookupError> {
        Ok(vec![last.into()])
    }

    fn asked(said: &[(&str, Result<Vec<IpAddr>, LookupError>)]) -> (Arc<Blocklists>, Arc<Answering>) {
        let said = said.iter().map(|(name, said)| ((*name).to_owned(), said.clone())).collect();
        let resolver = Arc::new(Answering(said, AtomicUsize::new(0)));
        let lists = Lists { addresses: vec!["bl.test".into()], domains: vec!["dbl.test".into()] };
        (Blocklists::new(lists, Arc::clone(&resolver) as _, Arc::new(SystemClock::new())), resolver)
    }

    async fn told(lists: &Arc<Blocklists>) -> Vec<(String, bool)> {
        let addresses = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let found = lists.look(&addresses, "shop.example").await;
        found.into_iter().map(|listing| (listing.name, listing.is_listed)).collect()
    }

    #[tokio::test]
    async fn what_is_listed_is_told_and_asked_seldom() {
        let (lists, resolver) = asked(&[
            ("2.0.0.127.bl.test", there([127, 0, 0, 2])),
            ("test.dbl.test", there([127, 0, 1, 2])),
            ("1.2.0.192.bl.test", there([127, 0, 0, 4])),
        ]);
        let named = |name: &str, is_listed| (name.to_owned(), is_listed);
        let wanted = [named("192.0.2.1", true), named("2001:db8::1", false), named("shop.example", false)];
        assert_eq!(told(&lists).await, wanted);
        let asked = resolver.1.load(Ordering::Relaxed);
        assert_eq!(told(&lists).await, wanted);
        assert_eq!(resolver.1.load(Ordering::Relaxed), asked, "it is remembered");
    }

    #[tokio::test]
    async fn a_list_that_is_dead_says_nothing() {
        let fault = || Err(LookupError::Fault("SERVFAIL".into()));
        for (trial, absent) in [
            (fault(), Err(LookupError::NoSuchName)),
            // its zone is gone
            (Err(LookupError::NoSuchName), Err(LookupError::NoSuchName)),
            // it has everything
            (there([127, 0, 0, 2]), there([127, 0, 0, 2])),
            // somebody else has the name now
            (there([192, 0, 2, 80]), there([192, 0, 2, 80])),
            // it does not answer whoever asks by this resolver
            (there([127, 255, 255, 254]), Err(LookupError::NoSuchName)),
        ] {
            let (lists, _) = asked(&[
                ("2.0.0.127.bl.test", trial.clone()),
                ("1.0.0.127.bl.test", absent.clone()),
                ("test.dbl.test", trial),
                ("invalid.dbl.test", absent),
                ("1.2.0.192.bl.test", there([127, 0, 0, 4])),
            ]);
            assert_eq!(told(&lists).await, []);
        }
    }

    #[test]
    fn an_address_is_asked_for_backwards() {
        assert_eq!(reversed("192.0.2.1".parse().unwrap()), "1.2.0.192");
        let six = reversed("2001:db8::1".parse().unwrap());
        assert!(six.starts_with("1.0.0.0.0.0") && six.ends_with("8.b.d.0.1.0.0.2") && six.len() == 63, "{six}");
    }
}
