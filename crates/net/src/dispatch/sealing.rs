//! Seals a message once, whatever its parcels and retries, where every key that signs is published.

use std::sync::Arc;

use bytes::Bytes;
use relay::queue::Attempt;
use relay::rotation;
use relay::route::Destination;
use relay::schedule::Parcel;
use relay::signing;
use relay::store::{Claimed, Store};

use super::carrier::Carrier;
use super::claims::Claim;
use super::driver::Driver;
use crate::seal::{SealError, Unsealed};

impl<S: Store, C: Carrier> Driver<S, C> {
    /// The seal of a message: the one it has, or a new one. None where it cannot be made now: the
    /// parcel has been settled as deferred.
    pub(super) async fn seal(
        self: &Arc<Self>,
        claim: &Claim<S>,
        mail: &Claimed,
        destination: &Destination,
        parcel: &Parcel,
    ) -> Option<Option<Bytes>> {
        let directory = self.store.directory();
        let domain = mail.envelope.domain.and_then(|domain| directory.domains.get(&domain));
        if let Some(seal) = &mail.seal {
            // what was held longer than its key was kept is sealed anew
            let accepted_at = mail.envelope.accepted_at;
            if !domain.is_some_and(|domain| rotation::is_stale(seal, domain, accepted_at)) {
                return Some(mail.seal.clone());
            }
        }
        let Some(domain) = domain else { return Some(None) };
        let unpublished = self.signs_unpublished(destination);
        let keys = signing::keys(domain, unpublished);
        if keys.is_empty() {
            return Some(None);
        }
        let unsealed = Unsealed::new(
            domain.clone(),
            &keys,
            mail.content.clone(),
            mail.envelope.facts.header_octets,
            self.clock.now(),
        );
        // a seal with a key that DNS lacks is for this destination: the message may be sent another way
        let is_lasting = signing::is_published(domain);
        let make = || async {
            let seal = self.sealer.seal(unsealed).await?;
            self.metrics.seals.inc();
            if is_lasting {
                self.store.seal(parcel.message, seal.clone());
            }
            Ok::<_, SealError>(seal)
        };
        // where every key is published, both kinds of seal are the same
        let kind = usize::from(unpublished && !signing::is_published(domain));
        match claim.shared.seals[kind].get_or_try_init(make).await {
            Ok(seal) => Some(Some(seal.clone())),
            Err(error) => {
                self.metrics.seal_failures.inc();
                tracing::error!(message_id = %parcel.message, %error, "a message cannot be signed; it is tried again later");
                let reason = "The message could not be signed by the relay.";
                let judgements = self.postpone(mail, destination, parcel, reason);
                // an attempt that came no further than us: it counts towards the retry period's end
                let attempt = Attempt::unasked(self.clock.now(), None);
                self.settle(mail, (parcel, destination), Some(attempt), judgements).await;
                None
            }
        }
    }

    fn signs_unpublished(&self, destination: &Destination) -> bool {
        self.carrier.routes().route(destination).is_some_and(|route| route.sign_unpublished)
    }
}
