//! Carries out what recipients ask for by the links in their mail, on the store.

use net::clock::Clock;
use relay::clock::Timestamp;
use relay::limits::Limits;
use relay::service::Fault;
use relay::service::door::Boxed;
use relay::store::Book;
use relay::unsubscribe::{Links, Unsubscriber, Wish, carry_out};
use std::sync::Arc;
use store::embedded::Embedded;

use crate::config::Config;
use crate::execute::broke_off;

/// Takes wishes of recipients to the store.
pub(crate) struct Unsubscribing {
    store: Arc<Embedded>,
    links: Links,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl Unsubscribing {
    /// Over a store. Links are known whatever stands in front of them: the relay's public name may change.
    pub(crate) fn over(store: &Arc<Embedded>, config: &Config, clock: &Arc<dyn Clock>) -> Arc<Unsubscribing> {
        Arc::new(Unsubscribing {
            store: Arc::clone(store),
            links: Links::new(store.return_path_key(), &config.unsubscribe_url().unwrap_or_default()),
            limits: config.limits.clone(),
            clock: Arc::clone(clock),
        })
    }
}

impl Unsubscriber for Unsubscribing {
    fn wish(&self, token: &str) -> Option<Wish> {
        self.links.wish(token)
    }

    fn sender(&self, wish: &Wish) -> Option<String> {
        let directory = self.store.directory();
        let user = directory.users.get(&wish.user).filter(|user| user.account == wish.account)?;
        Some(directory.domains.get(&user.domain)?.name.clone())
    }

    fn unsubscribe(&self, wish: Wish) -> Boxed<'_, Result<(), Fault>> {
        let (store, limits, now) = (Arc::clone(&self.store), self.limits.clone(), self.clock.now());
        Box::pin(async move {
            let (account, user) = (wish.account, wish.user);
            let kept = tokio::task::spawn_blocking(move || carry_out(&*store, &wish, &limits, now)).await;
            if kept.map_err(broke_off)?? {
                tracing::info!(%account, %user, "a recipient unsubscribed");
            }
            Ok(())
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
