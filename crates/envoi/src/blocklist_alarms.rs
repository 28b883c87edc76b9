//! Looks at the operator's blocklists, and tells by log, metrics, mail and webhooks that an address of the relay or a sending domain is
//! listed, or no longer is.

use net::blocklists::Lists;
use net::kept_file;
use net::own_mail::OwnMailError;
use net::shutdown::Shutdown;
use relay::blocklist::{Audience, Change, News, Owned, Standing};
use relay::directory::Directory;
use relay::member::Member;
use relay::sending_domain::SendingDomain;
use relay::service::SYSTEM_ACCOUNT;
use relay::store::{Store, StoreError};
use relay::webhook::{self, NewCall};
use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use web::letters::BlocklistNews;

use crate::config::Config;
use crate::execute::Executor;
use crate::people;

/// How often lists are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// Looks in which each domain has its turn, a day's.
const LOOKS_A_ROUND: usize = 144;
/// Domains that are looked at in one look; with more of them a round takes longer than a day.
const DOMAINS_A_LOOK_MAX: usize = 100;
/// Domains that lists are asked about at once.
const DOMAINS_AT_ONCE: usize = 10;
/// Calls of webhooks that wait to be kept.
const CALLS_MAX: usize = 1000;
/// Octets of the file that are read.
const OCTETS_MAX: u64 = 16 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;

/// What lists said, and which are asked about what. It is kept in a file: a restart tells nothing again.
pub(crate) struct Alarms {
    standing: Mutex<Standing>,
    lists: Lists,
    addresses: Vec<IpAddr>,
    file: PathBuf,
}

/// What is remembered from look to look.
#[derive(Default)]
struct Telling {
    /// Calls that are still to be kept.
    calls: Vec<NewCall>,
    /// News that went to an address: what could not be told to all is not told again to whoever has it.
    sent: HashSet<(News, String)>,
    /// What the file has.
    written: Standing,
}

/// A gauge: the list, the address (none: it counts domains), and its value.
pub(crate) type Listed = (String, Option<String>, i64);

impl Alarms {
    /// With what the file has; nothing where there is no file, or none that can be read.
    pub(crate) fn open(config: &Config) -> Arc<Alarms> {
        let (lists, addresses, file) =
            (config.blocklists.clone(), config.publisher().addresses, config.blocklists_file());
        let kept = kept_file::read::<Standing>(&file, VERSION, OCTETS_MAX).unwrap_or_else(|error| {
            tracing::warn!(file = %file.display(), %error, "what blocklists said cannot be read: what is listed is told again");
            None
        });
        Arc::new(Alarms { standing: Mutex::new(kept.unwrap_or_default()), lists, addresses, file })
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the gauges show: for each list of addresses each of the relay's, for each list of domains how many it has.
    pub(crate) fn shown(&self) -> Vec<Listed> {
        let standing = self.standing();
        let addresses = self.lists.addresses.iter().flat_map(|list| {
            let one = |address: &IpAddr| {
                let address = address.to_string();
                let is_listed = standing.is_listed(list, &address);
                (list.clone(), Some(address), i64::from(is_listed))
            };
            self.addresses.iter().map(one).collect::<Vec<_>>()
        });
        let count = |list: &String| i64::try_from(standing.domains_in(list)).unwrap_or(i64::MAX);
        let domains = self.lists.domains.iter().map(|list| (list.clone(), None, count(list)));
        addresses.chain(domains).collect()
    }

    /// Looks until shutdown; never where no list is named.
    pub(crate) async fn watch<S: Store>(self: Arc<Self>, executor: Arc<Executor<S>>, shutdown: Shutdown) {
        if self.lists == Lists::default() {
            return;
        }
        let mut telling = Telling { written: self.standing().clone(), ..Telling::default() };
        loop {
            tokio::select! {
                biased;
                () = shutdown.begun() => return,
                () = self.look(&executor, &mut telling) => {}
            }
            if let Err(error) = self.tell(&executor, &mut telling).await {
                tracing::warn!(%error, "what a blocklist has was not told to all");
            }
            self.write(&mut telling).await;
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = shutdown.begun() => return,
            }
        }
    }

    async fn look<S: Store>(&self, executor: &Arc<Executor<S>>, telling: &mut Telling) {
        let Some(running) = &executor.running else { return };
        let (directory, now) = (executor.store.directory(), executor.clock.now());
        self.forget(&directory);
        let listings = running.blocklists.look(&self.addresses, &[]).await;
        let mut changes = self.standing().observe(&listings, None, now);
        for domains in self.turn(&directory).chunks(DOMAINS_AT_ONCE) {
            let names: Vec<&str> = domains.iter().map(|domain| domain.name.as_str()).collect();
            let listings = running.blocklists.look(&[], &names).await;
            for domain in domains {
                let its: Vec<_> = listings.iter().filter(|listing| listing.name == domain.name).cloned().collect();
                let owned = Owned { domain: domain.id, account: domain.account };
                changes.extend(self.standing().observe(&its, Some(owned), now));
            }
        }
        changes.iter().for_each(log);
        telling.calls.extend(changes.iter().flat_map(|change| webhook::listing_calls(&directory, change)));
        telling.calls.truncate(CALLS_MAX);
        keep_calls(executor, &mut telling.calls).await;
    }

    /// Forgets what is asked about no more.
    fn forget(&self, directory: &Directory) {
        let lists: Vec<String> = self.lists.addresses.iter().chain(&self.lists.domains).cloned().collect();
        let is_own = |name: &str| self.addresses.iter().any(|address| address.to_string() == name);
        let is_asked = |name: &str, owned: Option<Owned>| match owned {
            None => is_own(name),
            Some(owned) => directory.domains.get(&owned.domain).is_some_and(sends),
        };
        self.standing().retain(&lists, is_asked);
    }

    /// The domains that are looked at now: those that may send, each in its turn.
    fn turn(&self, directory: &Directory) -> Vec<Arc<SendingDomain>> {
        if self.lists.domains.is_empty() {
            return Vec::new();
        }
        let all: Vec<_> = directory.domains.values().filter(|domain| sends(domain)).map(|domain| domain.id).collect();
        let most = all.len().div_ceil(LOOKS_A_ROUND).clamp(DOMAINS_AT_ONCE, DOMAINS_A_LOOK_MAX);
        let turn = self.standing().turn(all, most);
        turn.iter().filter_map(|id| directory.domains.get(id).cloned()).collect()
    }

    /// Writes to whom it concerns, in their language.
    async fn tell<S: Store>(&self, executor: &Arc<Executor<S>>, telling: &mut Telling) -> anyhow::Result<()> {
        let Some(running) = &executor.running else { return Ok(()) };
        if running.mail.is_ready().is_err() {
            return Ok(());
        }
        let directory = executor.store.directory();
        let due = self.standing().due(executor.clock.now());
        for news in due {
            let (account, people) = match news.audience {
                Audience::Operator => (None, people::of_operator(&directory)),
                // of the relay's own domains the operator's people are told
                Audience::Account(id) if id == SYSTEM_ACCOUNT => (None, Vec::new()),
                Audience::Account(id) => {
                    let account = directory.accounts.get(&id);
                    let people = account.map(|account| people::of_account(&directory, account));
                    (account.map(|account| account.name.as_str()), people.unwrap_or_default())
                }
            };
            for person in people {
                let mark = (news.clone(), Member::key_of(&person.address));
                if telling.sent.contains(&mark) {
                    continue;
                }
                let about = BlocklistNews { account, list: &news.list, listed: &news.listed, gone: &news.gone };
                let letter = web::letters::blocklist(person.language, &person.name, &executor.hostname, about);
                match running.mail.send(&person.note(letter)).await {
                    Ok(message) => {
                        tracing::info!(message_id = %message, list = news.list, "what a blocklist has was told by mail")
                    }
                    // an address that cannot be written to keeps nobody else from being told
                    Err(error @ OwnMailError::NoAddress(_)) => {
                        tracing::warn!(%error, list = news.list, "what a blocklist has was not told to one address")
                    }
                    Err(error) => return Err(error.into()),
                }
                telling.sent.insert(mark);
            }
            telling.sent.retain(|(sent, _)| (sent.audience, &sent.list) != (news.audience, &news.list));
            self.standing().told(&news, executor.clock.now());
        }
        Ok(())
    }

    /// Replaces the file, where something has changed and every webhook that wants it is told of it.
    async fn write(&self, telling: &mut Telling) {
        let standing = self.standing().clone();
        if standing == telling.written || !telling.calls.is_empty() {
            return;
        }
        let file = self.file.clone();
        let writing =
            tokio::task::spawn_blocking(move || kept_file::write(&file, &standing, VERSION).map(|()| standing));
        match writing.await {
            Ok(Ok(written)) => telling.written = written,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what blocklists said cannot be written down; a restart tells it again");
            }
            Err(error) => tracing::error!(%error, "what blocklists said was not written down"),
        }
    }
}

fn log(change: &Change) {
    let Change { list, name, .. } = change;
    if change.is_listed {
        tracing::warn!(code = "blocklist-listed", list, name, "a blocklist has a name of ours");
    } else {
        tracing::info!(code = "blocklist-delisted", list, name, "a blocklist has a name of ours no more");
    }
}

/// Keeps calls of webhooks; those that could not be kept are left.
async fn keep_calls<S: Store>(executor: &Arc<Executor<S>>, calls: &mut Vec<NewCall>) {
    if calls.is_empty() {
        return;
    }
    let (store, to_keep) = (Arc::clone(&executor.store), calls.clone());
    let keeping = tokio::task::spawn_blocking(move || {
        let is_left = |call: &NewCall| match store.webhook_put(call.clone()) {
            // there already, or there is no room: that is counted, and so it is with every event
            Ok(()) | Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => false,
            Err(error) => {
                tracing::warn!(%error, "webhooks could not be told of a blocklist; it is tried again");
                true
            }
        };
        to_keep.into_iter().filter(is_left).collect()
    });
    if let Ok(left) = keeping.await {
        *calls = left;
    }
}

/// Whether a domain is one that mail may be sent from.
fn sends(domain: &Arc<SendingDomain>) -> bool {
    domain.deleted_at.is_none() && domain.state.may_send()
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::clock::Timestamp;
    use relay::health::Listing;
    use relay::id::Id;
    use relay::sending_domain::DomainState;

    fn domain(number: u64, state: DomainState) -> SendingDomain {
        let name = format!("{number}.example");
        SendingDomain { state, ..SendingDomain::new(Id::new(number), Id::new(1), name, Vec::new(), Timestamp(1)) }
    }

    fn directory(domains: &[SendingDomain]) -> Directory {
        let domains = domains.iter().map(|domain| (domain.id, Arc::new(domain.clone()))).collect();
        Directory { domains, ..Directory::default() }
    }

    /// Alarms of a list that has these domains and the relay's address.
    fn listed(domains: &[SendingDomain]) -> Alarms {
        let address: IpAddr = [192, 0, 2, 1].into();
        let listing = |name: &str| Listing { list: "bl.test".into(), name: name.into(), is_listed: true };
        let mut standing = Standing::default();
        standing.observe(&[listing(&address.to_string())], None, Timestamp(1));
        for domain in domains {
            let owned = Owned { domain: domain.id, account: domain.account };
            standing.observe(&[listing(&domain.name)], Some(owned), Timestamp(1));
        }
        let lists = Lists { addresses: vec!["bl.test".into()], domains: vec!["bl.test".into()] };
        Alarms { standing: Mutex::new(standing), lists, addresses: vec![address], file: PathBuf::new() }
    }

    fn gauges(address: i64, domains: i64) -> Vec<Listed> {
        let list = || "bl.test".to_owned();
        vec![(list(), Some("192.0.2.1".to_owned()), address), (list(), None, domains)]
    }

    #[test]
    fn domains_that_may_no_longer_send_leave_the_gauge_and_nobody_is_told() {
        let mut domains: Vec<_> = (1..=4).map(|number| domain(number, DomainState::Validated)).collect();
        let alarms = listed(&domains);
        alarms.forget(&directory(&domains));
        assert_eq!(alarms.shown(), gauges(1, 4));
        // its records are gone for good; deleted, with mail that is left; one that still may, for 72 hours
        domains[0].state = DomainState::Failed;
        domains[1].deleted_at = Some(Timestamp(2));
        domains[2].state = DomainState::Warning;
        alarms.forget(&directory(&domains));
        assert_eq!(alarms.shown(), gauges(1, 2));
        let news = alarms.standing().due(Timestamp(3));
        assert!(
            news.iter().all(|news| news.gone.is_empty() && !news.listed.contains(&"1.example".to_owned())),
            "{news:?}"
        );
        // nothing is left of it
        alarms.forget(&directory(&domains[..2]));
        assert_eq!(alarms.shown(), gauges(1, 0));
        // back again it counts once a list says so again
        domains[0].state = DomainState::Validated;
        alarms.forget(&directory(&domains));
        assert_eq!(alarms.shown(), gauges(1, 0));
    }
}
