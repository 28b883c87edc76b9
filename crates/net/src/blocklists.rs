//! Asks lists in DNS (RFC 5782) whether they have the relay's addresses or domains: when somebody looks and for alarms, seldom, and
//! with no consequence but words.
//!
//! A list is believed only while it answers as a live one does: it has the entry that is there for trying, and not the one that
//! never is (§5). Everything else, also an answer that is none of a list's, says nothing.

use relay::clock::Timestamp;
use relay::health::Listing;
use relay::inspection::spf::reversed;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::dns::{LookupError, Resolver};

/// How long an answer is good for.
const ANSWERED_FOR: Duration = Duration::from_secs(3600);
/// How long a list that says nothing is left alone.
const SILENT_FOR: Duration = Duration::from_secs(3600);
/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Answers that are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// Lists of each kind that are asked, and addresses that they are asked about (two of each source); of more the first ones.
const LISTS_MAX: usize = 10;
const ADDRESSES_MAX: usize = 128;

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

/// A list, the labels that it is tried by (one that is there, and one that never is), and what it is asked about: as people call
/// that, and as it is looked for below the list.
struct Asked {
    list: String,
    trials: [&'static str; 2],
    names: Vec<(String, String)>,
}

impl Blocklists {
    /// Asks these lists by a resolver.
    pub fn new(lists: Lists, resolver: Arc<dyn Resolver>, clock: Arc<dyn Clock>) -> Arc<Blocklists> {
        Arc::new(Blocklists { lists, resolver, clock, remembered: Mutex::default() })
    }

    /// What the lists say of addresses and domains, in the order of the lists; those left out that say nothing.
    pub async fn look(self: &Arc<Self>, addresses: &[IpAddr], domains: &[&str]) -> Vec<Listing> {
        let lists = self.lists(addresses, domains).into_iter().map(|asked| {
            let here = Arc::clone(self);
            async move { here.ask(asked).await }
        });
        at_once(lists).await.concat()
    }

    /// The lists that have something to be asked about.
    fn lists(&self, addresses: &[IpAddr], domains: &[&str]) -> Vec<Asked> {
        let about = |address: &IpAddr| (address.to_string(), reversed(*address));
        let backwards: Vec<_> = addresses.iter().take(ADDRESSES_MAX).map(about).collect();
        let themselves: Vec<_> = domains.iter().map(|domain| ((*domain).to_owned(), (*domain).to_owned())).collect();
        let asked = |lists: &[String], trials: [&'static str; 2], names: &[(String, String)]| -> Vec<Asked> {
            let one = |list: &String| Asked { list: list.clone(), trials, names: names.to_vec() };
            lists.iter().take(LISTS_MAX).filter(|_| !names.is_empty()).map(one).collect()
        };
        let of_addresses = asked(&self.lists.addresses, ["2.0.0.127", "1.0.0.127"], &backwards);
        let of_domains = asked(&self.lists.domains, ["test", "invalid"], &themselves);
        of_addresses.into_iter().chain(of_domains).collect()
    }

    /// Asks a list, which is tried once for all that it is asked about.
    async fn ask(self: Arc<Self>, Asked { list, trials: [there, absent], names }: Asked) -> Vec<Listing> {
        let is_alive = self.said(&format!("{there}.{list}")).await == Some(true)
            && self.said(&format!("{absent}.{list}")).await == Some(false);
        if !is_alive {
            return Vec::new();
        }
        let listings = names.into_iter().map(|(name, below)| {
            let (here, list) = (Arc::clone(&self), list.clone());
            async move {
                let is_listed = here.said(&format!("{below}.{list}")).await?;
                Some(Listing { list, name, is_listed })
            }
        });
        at_once(listings).await.into_iter().flatten().collect()
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

/// Does all of it at once; what came of it, in its order. Who leaves meanwhile ends it.
async fn at_once<T: Send + 'static>(
    work: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut doing = JoinSet::new();
    for (place, one) in work.into_iter().enumerate() {
        doing.spawn(async move { (place, one.await) });
    }
    let mut done = doing.join_all().await;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, found)| found).collect()
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
        let found = lists.look(&addresses, &["shop.example"]).await;
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
        assert_eq!(asked, 2 + 2 + 3, "each list is tried once, whatever it is asked about");
        assert_eq!(told(&lists).await, wanted);
        assert_eq!(resolver.1.load(Ordering::Relaxed), asked, "it is remembered");
    }

    #[tokio::test]
    async fn a_list_that_has_nothing_to_be_asked_about_is_left_alone() {
        let (lists, resolver) = asked(&[("test.dbl.test", there([127, 0, 1, 2]))]);
        assert_eq!(lists.look(&[], &["a.example", "b.example"]).await.len(), 2);
        assert_eq!(resolver.1.load(Ordering::Relaxed), 2 + 2);
        assert_eq!(lists.look(&[], &[]).await, []);
        assert_eq!(resolver.1.load(Ordering::Relaxed), 2 + 2);
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
