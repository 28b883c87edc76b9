//! From the first octet of content to the message that is on disk, and what a refusal leaves behind: the same for a session
//! and for what is handed in over HTTP.

use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::queue::Envelope;
use relay::store::{Spool, Store, StoreError};
use relay::submission::Visit;
use smtp::reply::Reply;
use smtp::server::{About, Answer};
use std::time::Instant;

use super::house::House;
use super::receiving::{Failure, Receiving};

impl<S: Store> House<S> {
    /// Counts a refusal, notes it where somebody wants to see it, and logs it. To be called for each.
    pub(super) fn refused(&self, visit: &mut Visit, reply: &Reply, about: &About) {
        let reference = reply.reference.unwrap_or_default();
        self.metrics.on_refusal(reference);
        let notices = visit.on_reply(&self.submission, &self.store.directory(), reply, about, self.clock.now());
        // a line for each row: whoever repeats what is refused fills neither disk
        if self.note(notices) {
            tracing::info!(code = reply.code, reference, "refused");
        } else {
            tracing::debug!(code = reply.code, reference, "refused");
        }
    }

    /// Content may begin.
    ///
    /// # Errors
    /// The answer that refuses it, where the store takes none.
    pub(super) fn begin(
        &self,
        visit: &mut Visit,
        directory: &Directory,
        protocol: &'static str,
        now: Timestamp,
    ) -> Result<Receiving<<S as Spool>::Draft>, Answer> {
        let stamp = visit.stamp(&self.submission, directory, protocol, now);
        match self.store.draft() {
            Ok(draft) => {
                let recall = visit.recall(&self.submission, directory, &stamp, now);
                Ok(Receiving::new(stamp, recall, draft))
            }
            Err(error) => Err(self.not_kept(visit, &error)),
        }
    }

    /// The content ended: judged, as what is to be committed.
    ///
    /// # Errors
    /// The answer that refuses it; or the one that a message gets which was accepted before.
    pub(super) async fn admit(
        &self,
        visit: &mut Visit,
        receiving: Option<Receiving<<S as Spool>::Draft>>,
        client_name: &str,
    ) -> Result<(Envelope, <S as Spool>::Draft), Answer> {
        let Some(receiving) = receiving else {
            return Err(self.not_kept(visit, &StoreError::Unavailable("no content was being received".into())));
        };
        let (draft, inspection) = match receiving.finish().await {
            Ok((draft, inspection)) => (Some(draft), Ok(inspection)),
            Err(Failure::Inadmissible(error)) => (None, Err(error)),
            Err(Failure::Store(error)) => return Err(self.not_kept(visit, &error)),
        };
        let envelope = match visit.admit(&self.store.directory(), inspection, client_name, self.clock.now()) {
            Err(Answer::Queued(first)) => return Err(self.repeated(visit, first)),
            admitted => admitted?,
        };
        match draft {
            Some(draft) => Ok((envelope, draft)),
            None => Err(self.not_kept(visit, &StoreError::Unavailable("the draft is gone".into()))),
        }
    }

    /// A message came once more: it is answered with the id of the first, and noted.
    fn repeated(&self, visit: &mut Visit, first: String) -> Answer {
        self.metrics.on_repeat();
        tracing::info!(message_id = %first, "accepted before, and answered with that id");
        self.note(visit.on_repeat(&self.submission, &self.store.directory(), &first, self.clock.now()));
        Answer::Queued(first)
    }

    /// Commits it, and only then takes responsibility.
    ///
    /// # Errors
    /// The answer that refuses it: it is not kept.
    pub(super) async fn commit(
        &self,
        visit: &mut Visit,
        envelope: &Envelope,
        draft: <S as Spool>::Draft,
    ) -> Result<(), Answer> {
        let started = Instant::now();
        if let Err(error) = self.store.commit(envelope.clone(), draft).await {
            return Err(self.not_kept(visit, &error));
        }
        let recipients = envelope.recipients.len() + envelope.suppressed.len();
        self.metrics.on_message(recipients, envelope.facts.octets, started.elapsed());
        tracing::info!(message_id = %envelope.message, recipients, octets = envelope.facts.octets, "accepted");
        (self.arrivals)(envelope);
        visit.on_accepted();
        Ok(())
    }

    /// The store did not take it: nothing was accepted, and the client may come again.
    pub(super) fn not_kept(&self, visit: &mut Visit, error: &StoreError) -> Answer {
        self.on_not_kept(error);
        visit.on_not_kept(error)
    }
}
