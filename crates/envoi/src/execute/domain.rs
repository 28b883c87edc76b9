//! Sending domains: added, shown, looked at, changed and deleted.

use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::Id;
use relay::power::Scope;
use relay::rotation::{self, Pace};
use relay::sending_domain::{KeyAlgorithm, SendingDomain};
use relay::service::operation::{Answer, Operation, Part};
use relay::service::view::{DomainView, DoneView};
use relay::service::{self, Caller, Fault};
use relay::store::Store;
use relay::verification;
use std::time::Duration;

use net::clock::SystemDice;

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn domain(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let store = self.store.as_ref();
        let domain = match operation {
            Operation::DomainAdd { account, name } => {
                service::domain_add(store, Id::new(account), &name, &mut SystemDice, caller)?
            }
            Operation::DomainShow { domain } => service::domain_find(store, &domain, caller.scope)?,
            Operation::DomainVouch { domain, vouched } => {
                let domain = service::domain_find(store, &domain, caller.scope)?;
                service::domain_vouch(store, &domain, vouched, caller)?
            }
            Operation::DomainRotate { domain, algorithm, force } => {
                let domain = service::domain_find(store, &domain, caller.scope)?;
                let algorithms = algorithm.as_ref().map_or(&KeyAlgorithm::ALL[..], std::slice::from_ref);
                service::domain_rotate(store, &domain, algorithms, force, caller)?
            }
            Operation::DomainBounceMails { domain, on } => {
                let domain = service::domain_find(store, &domain, caller.scope)?;
                service::domain_bounce_mails(store, &domain, on, caller)?
            }
            Operation::DomainDelete { domain, cancel_mail } => {
                let domain = service::domain_find(store, &domain, caller.scope)?;
                service::domain_delete(store, &domain, cancel_mail, caller)?;
                let mail = if cancel_mail {
                    "its mail that waits is given up"
                } else {
                    "its mail that waits has 24 hours to go out"
                };
                let done = format!("Domain {} is deleted. Its SMTP users have stopped; {mail}.", domain.name);
                return Ok(Answer::Done(DoneView { done }));
            }
            Operation::DomainList { account, part } => return self.domains(account, part),
            _ => return Err(misplaced()),
        };
        Ok(Answer::Domain(self.domain_view(&domain)))
    }

    fn domain_view(&self, domain: &SendingDomain) -> DomainView {
        DomainView::new(domain, &self.publisher).turning(domain, self.pace(), self.clock.now())
    }

    /// How keys follow one another: each stays for as long as anybody's mail may be retried.
    pub(crate) fn pace(&self) -> Option<Pace> {
        let delivery = &self.config.delivery;
        let routes = delivery.routes.iter().filter_map(|table| table.route.retry_for);
        let directory = self.store.directory();
        let users = directory.users.values().filter_map(|user| user.rules.retry_seconds).map(Duration::from_secs);
        let longest = routes.chain(users).fold(delivery.retry_for, Duration::max);
        Pace::new(&self.limits, longest)
    }

    /// How many domains wait for a record of a key that is to sign already, and the name of the first such record.
    pub(super) fn overdue_keys(&self, directory: &Directory, now: Timestamp) -> (u64, Option<String>) {
        let Some(pace) = self.pace() else { return (0, None) };
        let mut late: Vec<_> = directory
            .domains
            .values()
            .filter_map(|domain| Some((domain.id, verification::name(domain, rotation::overdue(domain, pace, now)?))))
            .collect();
        late.sort();
        (late.len() as u64, late.into_iter().next().map(|(_, name)| name))
    }

    pub(super) async fn domain_verify(&self, domain: &str, scope: Scope) -> Result<Answer, Fault> {
        let domain = service::domain_find(self.store.as_ref(), domain, scope)?;
        let Some(running) = &self.running else {
            return Err(Fault::unavailable(
                "No relay runs on this data folder, and DNS is asked by a running one.",
                "Start it with `envoi serve`: it looks at each domain by itself, and now where you ask.",
            ));
        };
        let domain = running.domains.verify(&domain).await?;
        Ok(Answer::Domain(self.domain_view(&domain)))
    }

    fn domains(&self, account: Option<u64>, part: Part) -> Result<Answer, Fault> {
        let directory = self.store.directory();
        let wanted = directory.domains.values().filter(|domain| {
            domain.deleted_at.is_none() && account.is_none_or(|account| domain.account.number() == account)
        });
        let mut wanted = part.of(wanted.collect(), |domain| domain.id.number());
        if part == Part::WHOLE {
            // as people look for them
            wanted.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        }
        let shown = wanted.into_iter().map(|domain| DomainView::listed(domain, &self.publisher));
        Ok(Answer::Domains(shown.collect()))
    }
}
