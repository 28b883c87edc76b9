//! What was accepted before and may come once more: remembered, known again, and what is told of it.

use message::admission::{Earlier, Recall, Stamp};
use smtp::replies;
use smtp::server::About;
use std::sync::Arc;
use std::time::Duration;

use super::{Submission, Visit, lock};
use crate::activity::{Notice, NoticeKind};
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::{Id, MessageId};
use crate::queue::{ContentFacts, Envelope};
use crate::repeat::{First, Key};
use crate::smtp_user::SmtpUser;
use crate::unsubscribe::Wish;

/// The stable name of what is noted of a message that came once more.
const REPEATED: &str = "already-accepted";

/// A message that is remembered.
#[derive(Debug)]
pub struct Remembered {
    user: Id<SmtpUser>,
    key: Key,
    /// Its id.
    pub message: MessageId,
}

impl Submission {
    /// Remembers a message whose client may never have read that it was taken, from its acceptance on; `lasts`: as its SMTP user
    /// wishes, none: as the limits say. Returns by what it can be forgotten; none where it is not remembered.
    pub fn remember(&self, envelope: &Envelope, lasts: Option<Duration>, now: Timestamp) -> Option<Remembered> {
        let (user, session) = (envelope.user?, envelope.session.as_ref()?);
        let recipients: Vec<String> = envelope.recipients.iter().map(ToString::to_string).collect();
        let until = envelope.accepted_at.after(lasts.unwrap_or(self.repeat));
        let first = First::new(envelope.message, session.session, &envelope.facts, until);
        let key = self.remember_first(user, (&envelope.facts, &recipients), first, now)?;
        Some(Remembered { user, key, message: envelope.message })
    }

    /// The client has read that it was taken: from now on it sends again what it sends again.
    pub fn forget(&self, remembered: &Remembered) {
        let Remembered { user, key, message } = remembered;
        lock(&self.repeats).forget(*user, key, *message);
    }

    /// The same of one that is known by what was kept of it; by what it is known again, none where it is not remembered.
    pub fn remember_first(
        &self,
        user: Id<SmtpUser>,
        (facts, recipients): (&ContentFacts, &[String]),
        first: First,
        now: Timestamp,
    ) -> Option<Key> {
        // where nobody is sent to nothing is sent twice, and without a name nothing is known again
        if recipients.is_empty() || facts.message_id.is_empty() || first.until <= now {
            return None;
        }
        let key = Key::of(&facts.message_id, recipients.iter().map(String::as_str));
        lock(&self.repeats).remember(user, key, first, now).then_some(key)
    }

    /// How long a message is remembered that may come once more, where its SMTP user wishes nothing else.
    pub fn repeat(&self) -> Duration {
        self.repeat
    }
}

impl Visit {
    /// Finds what the message that begins now may be once more, by its Message-ID; none where there is nothing that it could be.
    pub fn recall(&self, shared: &Submission, directory: &Directory, stamp: &Stamp, now: Timestamp) -> Option<Recall> {
        // over HTTP there are idempotency keys
        let (identity, _) = (self.identity?, self.place.as_ref()?);
        if !lock(&shared.repeats).knows(identity.user) {
            return None;
        }
        let transaction = self.transaction.as_ref()?;
        let recipients: Vec<String> = transaction.recipients.iter().map(ToString::to_string).collect();
        let link = shared.links.clone().zip(self.wish(directory, now));
        let (repeats, stamp) = (Arc::clone(&shared.repeats), stamp.clone());
        Some(Box::new(move |message_id| {
            let key = Key::of(message_id, recipients.iter().map(String::as_str));
            let first = lock(&repeats).first(identity.user, &key, now)?.clone();
            let made_at = first.message.made_at();
            let unsubscribe = link.and_then(|(links, wish)| links.link(&Wish { sent: made_at.day(), ..wish }));
            let stamp = Stamp {
                session: first.session.to_string(),
                message: first.message.to_string(),
                seconds: made_at.0 / 1_000,
                unsubscribe,
                ..stamp
            };
            Some(Earlier { stamp, header_octets: first.header_octets, sha256: first.sha256 })
        }))
    }

    /// How long the message that was just admitted is to be known again whatever follows; none: where nothing follows alone.
    pub fn knows_for(&self) -> Option<Duration> {
        self.knows_for
    }

    /// The message is one that was accepted before, under this id: its transaction is over, and this is noted of it.
    pub fn on_repeat(
        &mut self,
        shared: &Submission,
        directory: &Directory,
        first: &str,
        now: Timestamp,
    ) -> Vec<Notice> {
        let reason = format!(
            "The same message was accepted already as {first}. It was answered with that id, and was not sent again."
        );
        let notice =
            self.blank(shared, directory, &About::Content, now).answered(&replies::accepted(first), Some(reason));
        let notice = Notice { kind: NoticeKind::Rejected, reference: REPEATED.to_owned(), ..notice };
        let transaction = self.transaction.take();
        self.ended = None;
        let Some(mut transaction) = transaction else { return Vec::new() };
        transaction.reservation.end();
        let each = |recipient: &smtp::address::Address| Notice { recipient: recipient.to_string(), ..notice.clone() };
        transaction.recipients.iter().map(each).collect()
    }
}
