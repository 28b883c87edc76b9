//! Messages handed in over HTTP: what a session asks, in the same order, without a dialogue.

use bytes::{Bytes, BytesMut};
use relay::id::{Id, MessageId, SessionId};
use relay::smtp_user::SmtpUser;
use relay::store::{Store, StoreError};
use relay::submission::{Receipt, Visit};
use smtp::address::{Address, ReversePath};
use smtp::body::ChunkReader;
use smtp::envelope::{MailParameters, RcptParameters, forward_path, reverse_path};
use smtp::replies;
use smtp::reply::Reply;
use smtp::server::{About, Answer, Question};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use tracing::Instrument;

use super::house::House;

/// What stands after `with` in Received. RFC 5321 §4.4 lets a protocol be any word; there is no registered one for this,
/// and this is the word of those who do the same.
const PROTOCOL: &str = "HTTP";
/// Octets of content that are looked at before others have their turn.
const TURN_OCTETS: usize = 64 * 1024;

/// Carried out when everything about the message is known and it is about to be committed; where it fails, nothing is.
pub type BeforeCommit = Box<dyn FnOnce(Receipt) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>> + Send>;

/// A message that somebody hands in who may.
pub struct HandedIn {
    /// The SMTP user that sends it.
    pub user: Id<SmtpUser>,
    /// The caller's address.
    pub remote: IpAddr,
    /// Who calls, in words.
    pub caller: String,
    /// The id that it gets.
    pub message: MessageId,
    /// Where failures are told, as given; empty: nowhere.
    pub reverse_path: String,
    /// The recipients, as given.
    pub recipients: Vec<String>,
    /// Header section and body.
    pub content: Bytes,
    /// What has to be done before it is committed.
    pub before_commit: Option<BeforeCommit>,
}

/// A refusal of the message as a whole, and what it is about.
type Refused = (Reply, About);

/// Judges the message and keeps it if it may be.
pub(super) async fn hand_in<S: Store>(house: &House<S>, handed: HandedIn) -> Receipt {
    let session = SessionId::new(house.clock.now(), (house.dice)().as_mut());
    let span = tracing::info_span!("session", id = %session);
    let visit = Visit::over_http(session, handed.remote, handed.message);
    let mut here = Handing { house, visit, receipt: Receipt::new(handed.message) };
    let going = async move {
        if let Err((reply, about)) = here.take(handed).await {
            here.house.refused(&mut here.visit, &reply, &about);
            here.receipt.is_kept = false;
            here.receipt.refuse_accepted(&reply);
            here.receipt.refusal = Some(reply);
        }
        here.visit.on_abandon();
        here.receipt.retry_after = here.visit.retry_after();
        here.receipt
    };
    going.instrument(span).await
}

/// One message on its way.
struct Handing<'a, S: Store> {
    house: &'a House<S>,
    visit: Visit,
    receipt: Receipt,
}

impl<S: Store> Handing<'_, S> {
    async fn take(&mut self, handed: HandedIn) -> Result<(), Refused> {
        let HandedIn { user, caller, reverse_path, recipients, content, before_commit, .. } = handed;
        if self.house.shutdown.is_begun() {
            return Err((replies::shutting_down(), About::Session));
        }
        self.enter(user)?;
        // nobody says SMTPUTF8 here: it is needed where an address is beyond ASCII
        let smtputf8 = !reverse_path.is_ascii() || !recipients.iter().all(|recipient| recipient.is_ascii());
        self.mail(&reverse_path, content.len() as u64, smtputf8)?;
        for recipient in recipients {
            self.recipient(recipient, smtputf8)?;
        }
        if self.receipt.accepted.is_empty() {
            // each was refused, and noted, by itself
            return Err((replies::no_recipients(), About::Session));
        }
        self.content(content, &caller, before_commit).await
    }

    fn enter(&mut self, user: Id<SmtpUser>) -> Result<(), Refused> {
        let directory = self.house.store.directory();
        let Some(user) = directory.users.get(&user) else {
            return Err((replies::session_revoked(), About::Session));
        };
        let about = About::Username(user.username.clone());
        let entered = self.visit.on_caller(user, &directory, self.house.clock.now());
        entered.map_err(|answer| (reply_of(answer), about))
    }

    fn mail(&mut self, path: &str, octets: u64, smtputf8: bool) -> Result<(), Refused> {
        let about = || About::Sender(path.to_owned());
        let parsed: ReversePath = reverse_path(path, smtputf8).map_err(|reply| (reply, about()))?;
        let max = self.house.limits.message_octets_max;
        if octets > max {
            return Err((replies::too_large(max), about()));
        }
        let parameters = MailParameters { size: Some(octets), smtputf8, ..MailParameters::default() };
        self.ask(&Question::ReversePath { path: parsed, parameters }).map_err(|reply| (reply, about()))
    }

    fn recipient(&mut self, given: String, smtputf8: bool) -> Result<(), Refused> {
        match forward_path(&given, smtputf8).and_then(|path| self.recipient_at(path)) {
            Ok(()) => self.receipt.accepted.push(given),
            Err(reply) if reply.code == 421 => return Err((reply, About::Recipient(given))),
            Err(reply) => {
                self.house.refused(&mut self.visit, &reply, &About::Recipient(given.clone()));
                self.receipt.refuse(given, reply);
                if self.visit.refuses_rest() {
                    // they are noted already, with the refusal that takes them along
                    self.receipt.refuse_accepted(&replies::all_or_nothing());
                }
            }
        }
        Ok(())
    }

    fn recipient_at(&mut self, path: Address) -> Result<(), Reply> {
        let max = self.house.session.recipients_max;
        if self.receipt.accepted.len() >= max && !self.visit.refuses_rest() {
            return Err(replies::recipients_max(max));
        }
        self.ask(&Question::ForwardPath { path, parameters: RcptParameters::default() })
    }

    async fn content(
        &mut self,
        content: Bytes,
        caller: &str,
        before_commit: Option<BeforeCommit>,
    ) -> Result<(), Refused> {
        let refused = |answer| (reply_of(answer), About::Content);
        self.ask(&Question::Begin).map_err(|reply| (reply, About::Content))?;
        let (directory, now) = (self.house.store.directory(), self.house.clock.now());
        let mut receiving = self.house.begin(&mut self.visit, &directory, PROTOCOL, now).map_err(refused)?;
        drop(directory);
        let mut reader = ChunkReader::default();
        for piece in content.chunks(TURN_OCTETS) {
            receiving.take(reader.content(BytesMut::from(piece))).await;
            tokio::task::yield_now().await;
        }
        if let Some(end) = reader.finish() {
            receiving.take(end).await;
        }
        let admitted = self.house.admit(&mut self.visit, Some(receiving), caller).await;
        let (envelope, draft) = admitted.map_err(refused)?;
        self.receipt.on_envelope(&envelope);
        self.receipt.is_kept = true;
        if let Some(before_commit) = before_commit
            && let Err(error) = before_commit(self.receipt.clone()).await
        {
            return Err(refused(self.house.not_kept(&mut self.visit, &error)));
        }
        self.house.commit(&mut self.visit, &envelope, draft).await.map_err(refused)
    }

    /// Asks; the reply that refuses, if one does.
    fn ask(&mut self, question: &Question) -> Result<(), Reply> {
        let House { store, submission, clock, dice, .. } = self.house;
        let decision = self.visit.decide(submission, &store.directory(), question, clock.now(), dice().as_mut());
        match decision.answer {
            Answer::Yes | Answer::YesAt(_) | Answer::Queued(_) => Ok(()),
            answer => Err(reply_of(answer)),
        }
    }
}

/// What a client would have heard.
fn reply_of(answer: Answer) -> Reply {
    match answer {
        Answer::No { reply, .. } | Answer::Close(reply) => reply,
        // no refusal has these
        Answer::Yes | Answer::YesAt(_) | Answer::Queued(_) => replies::done(),
    }
}
