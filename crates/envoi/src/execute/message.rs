//! Messages that are handed in: prepared here, judged and kept by the submission server.

use net::clock::SystemDice;
use net::submission::{BeforeCommit, HandedIn};
use relay::id::MessageId;
use relay::service::operation::Answer;
use relay::service::view::SubmissionView;
use relay::service::{self, Fault, GivenMessage, Identity};
use relay::store::Store;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::{Executor, Running, broke_off};

impl<S: Store> Executor<S> {
    /// Judges a message and keeps it if it may be: under the id that it is to have, if it is to have one.
    pub(super) async fn message_submit(
        self: &Arc<Self>,
        given: GivenMessage,
        identity: &Identity,
        message: Option<MessageId>,
        before_commit: Option<BeforeCommit>,
    ) -> Result<Answer, Fault> {
        let user = service::user_find(self.store.as_ref(), &given.user, identity.scope)?;
        let running = self.running.as_ref().ok_or_else(not_running)?;
        let message = message.unwrap_or_else(|| MessageId::new(self.clock.now(), &mut SystemDice));
        let directory = self.store.directory();
        let domain = directory.domains.get(&user.domain).map_or(&self.hostname, |domain| &domain.name).clone();
        let (now, limits) = (self.clock.now(), self.limits.clone());
        // files are encoded here: not on a thread that others wait for
        let preparing = move || given.prepare(message, &domain, now, &limits);
        let prepared = tokio::task::spawn_blocking(preparing).await.map_err(broke_off)??;
        let handed = HandedIn {
            user: user.id,
            remote: remote(identity),
            caller: identity.actor.name.clone(),
            message,
            reverse_path: prepared.reverse_path,
            recipients: prepared.recipients,
            content: prepared.content,
            before_commit,
        };
        let receipt = self.hand_in(running, handed).await;
        Ok(Answer::Submission(SubmissionView::from(&receipt)))
    }

    async fn hand_in(&self, running: &Running<S>, handed: HandedIn) -> relay::submission::Receipt {
        (running.hand_in)(handed).await
    }
}

/// Where the caller is; from the command line it is this machine.
fn remote(identity: &Identity) -> IpAddr {
    identity.actor.from.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn not_running() -> Fault {
    Fault::unavailable(
        "No relay runs on this data folder, and a running one takes messages.",
        "Start it with `envoi serve`.",
    )
}
