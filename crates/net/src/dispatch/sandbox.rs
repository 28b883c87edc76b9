//! The sandbox in the place of a next hop: it answers each recipient, and keeps what it takes in the test inbox before that is
//! settled. A crash in between repeats the attempt, and finds the message there under its id.

use std::sync::Arc;

use bytes::Bytes;
use relay::clock::Timestamp;
use relay::outcome::{self, Ending, Finding, Judgement};
use relay::queue::Envelope;
use relay::route::Destination;
use relay::sandbox::{self, Capture, Captured};
use relay::schedule::Parcel;
use relay::store::{Claimed, Content, Store, StoreError};
use smtp::address::{Address, ReversePath};

use super::carrier::Carrier;
use super::claims::Claim;
use super::driver::Driver;
use super::notification::{Told, composed, content_facts};

/// Why recipients wait whose message cannot be kept.
const UNKEPT: &str = "The test inbox cannot keep the message at the moment.";

impl<S: Store, C: Carrier> Driver<S, C> {
    /// Answers the recipients of a parcel, keeps the message for those that are taken, and settles them all.
    pub(super) async fn take_in(
        self: &Arc<Self>,
        claim: &Claim<S>,
        mail: &Claimed,
        destination: &Destination,
        parcel: &Parcel,
    ) {
        let Some(seal) = self.seal(claim, mail, destination, parcel).await else { return };
        let attempt = sandbox::attempt(self.clock.now());
        let answer = |number: &u16| {
            let address = mail.envelope.recipients.get(usize::from(*number));
            (*number, address.and_then(|address| sandbox::answer(address, parcel.attempts)))
        };
        let answers: Vec<(u16, Option<Finding>)> = parcel.recipients.iter().map(answer).collect();
        let taken: Vec<u16> =
            answers.iter().filter(|(_, answer)| answer.is_none()).map(|(number, _)| *number).collect();
        let kept = if taken.is_empty() { Ok(()) } else { self.capture(mail, seal, &taken).await };
        let judgements = match kept {
            Ok(()) => answers.iter().map(|answer| self.judge_answer(mail, destination, parcel, answer)).collect(),
            Err(error) => {
                tracing::error!(message_id = %parcel.message, %error, "the test inbox cannot keep a message; it is tried again later");
                self.postpone(mail, destination, parcel, UNKEPT)
            }
        };
        self.settle(mail, (parcel, destination), Some(attempt), judgements).await;
    }

    fn judge_answer(
        &self,
        mail: &Claimed,
        destination: &Destination,
        parcel: &Parcel,
        (number, answer): &(u16, Option<Finding>),
    ) -> Judgement {
        let judged = answer.as_ref().and_then(|finding| {
            self.judge(mail, destination, parcel, &[(*number, finding.clone())], (Timestamp(0), &[])).pop()
        });
        judged.unwrap_or_else(|| outcome::end(*number, &Ending::Sandbox))
    }

    async fn capture(&self, mail: &Claimed, seal: Option<Bytes>, taken: &[u16]) -> Result<(), StoreError> {
        let envelope = &mail.envelope;
        let recipients = taken.iter().filter_map(|number| envelope.recipients.get(usize::from(*number)));
        let captured = Captured {
            message: envelope.message,
            account: envelope.account,
            user: envelope.user,
            about: None,
            at: self.clock.now(),
            reverse_path: match &envelope.reverse_path {
                ReversePath::Null => String::new(),
                ReversePath::Mailbox(address) => address.to_string(),
            },
            recipients: recipients.map(ToString::to_string).collect(),
            subject: envelope.facts.subject.clone(),
            from: envelope.facts.from.clone(),
            octets: 0,
        };
        self.put(Capture { captured, seal: seal.unwrap_or_default(), content: mail.content.clone() }).await
    }

    /// Keeps the DSN that would tell a failure of a sandbox message: it goes no further than the message itself.
    pub(super) async fn capture_notification(
        &self,
        original: &Envelope,
        addressee: &Address,
        told: Told<'_>,
    ) -> Result<(), StoreError> {
        let (id, now) = (told.id, told.now);
        let content = composed(&self.settings, original, addressee, &told);
        let facts = content_facts(&content, &format!("MAILER-DAEMON@{}", self.settings.hostname));
        let captured = Captured {
            message: id,
            account: original.account,
            user: original.user,
            about: Some(original.message),
            at: now,
            reverse_path: String::new(),
            recipients: vec![addressee.to_string()],
            subject: facts.subject,
            from: facts.from,
            octets: 0,
        };
        self.put(Capture { captured, seal: Bytes::new(), content: Content::Held(content) }).await
    }

    async fn put(&self, capture: Capture) -> Result<(), StoreError> {
        let store = self.store.clone();
        let kept = self.settings.offload.run(move || store.inbox_put(capture)).await;
        kept.unwrap_or_else(|_| Err(StoreError::Unavailable("the process is ending".to_owned())))
    }
}
