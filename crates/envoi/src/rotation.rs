//! Carries out the automatic rotation of DKIM keys, a few steps at a time.

use relay::power::Scope;
use relay::rotation::{self, Step};
use relay::service::{self, Caller};
use relay::store::{Actor, Store};
use std::sync::Arc;
use std::time::Duration;

use net::shutdown::Shutdown;

use crate::execute::Executor;

/// How often is looked. Who waits for days waits for a minute more.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Steps of one look: the keys of many domains may be due at once, and an RSA key takes a good part of a second.
const STEPS_MAX: usize = 10;

/// Looks until shutdown.
pub(crate) async fn watch<S: Store>(executor: Arc<Executor<S>>, shutdown: Shutdown) {
    loop {
        let looking = Arc::clone(&executor);
        if let Err(error) = tokio::task::spawn_blocking(move || look(&looking)).await {
            tracing::error!(%error, "the rotation of signing keys broke off");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.begun() => return,
        }
    }
}

/// Takes the steps that are due, as many as one look may.
fn look<S: Store>(executor: &Executor<S>) {
    let (Some(pace), Some(running)) = (executor.pace(), &executor.running) else { return };
    let (directory, now) = (executor.store.directory(), executor.clock.now());
    let due = directory
        .domains
        .values()
        .flat_map(|domain| rotation::steps(domain, pace, now).into_iter().map(move |step| (domain, step)));
    let actor = Actor { name: "system".into(), from: "rotation".into() };
    for (domain, step) in due.take(STEPS_MAX) {
        if step == Step::Look {
            running.domains.look_soon(domain.id);
            continue;
        }
        let (now, limits) = (executor.clock.now(), &executor.limits);
        let caller = Caller { actor: &actor, now, scope: Scope::Operator, ends_at: None, limits };
        let name = &domain.name;
        match service::domain_step(executor.store.as_ref(), domain, step.clone(), caller) {
            Ok(()) => {
                tracing::info!(domain = %name, ?step, "the rotation of a domain's signing keys went a step on");
                running.dispatch.directory_changed();
                running.domains.look_soon(domain.id);
            }
            // somebody was faster; else it is tried again
            Err(fault) => tracing::warn!(domain = %name, ?step, %fault, "a signing key could not be changed"),
        }
    }
}
