//! One session: carries out the machine's steps and answers its questions.

use bytes::BytesMut;
use relay::authentication::Bringer;
use relay::id::Id;
use relay::return_path::{Refused, Token};
use relay::sending_domain::SendingDomain;
use relay::site::Site;
use relay::slots::Place;
use relay::store::Store;
use smtp::address::{Address, ReversePath};
use smtp::replies;
use smtp::reply::Reply;
use smtp::server::{Answer, Question, Session as Machine, Step, When};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

use super::Desk;
use crate::submission::dialogue::Dialogue;
use crate::submission::stream::{Stream, Transport, handshake};

/// When whoever finds too many reports at once may come again, seconds.
const AGAIN_SECONDS: u64 = 30;

/// To whom a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addressee {
    /// To an address that mail went out with.
    Mail(Token),
    /// To that of a domain for reports on DMARC.
    Domain(Id<SendingDomain>),
    /// To the one for complaints.
    Feedback,
}

/// The content of a report on its way.
pub(super) struct Receiving {
    pub(super) octets: BytesMut,
    /// Its place among those that are held in memory.
    pub(super) room: Place,
    /// When it has to be there.
    until: Instant,
}

/// One session behind its greeting.
pub(super) struct Session<S> {
    pub(super) desk: Arc<Desk<S>>,
    dialogue: Dialogue,
    peer: IpAddr,
    site: Site,
    /// The sender of the transaction.
    pub(super) path: ReversePath,
    pub(super) addressee: Option<Addressee>,
    pub(super) receiving: Option<Receiving>,
}

impl<S: Store> Session<S> {
    pub(super) fn new(desk: Arc<Desk<S>>, machine: Machine, peer: IpAddr) -> Self {
        let (dialogue, site) = (Dialogue::new(machine), Site::of(peer));
        Session { desk, dialogue, peer, site, path: ReversePath::Null, addressee: None, receiving: None }
    }

    /// Who brings what comes in this transaction.
    pub(super) fn bringer(&self) -> Bringer {
        Bringer::new(self.peer, self.dialogue.machine.client_name().unwrap_or_default(), &self.path)
    }

    /// The dialogue, to its end.
    pub(super) async fn run<T: Transport>(mut self, mut stream: Stream<T>) {
        loop {
            let carried_on = match self.dialogue.step() {
                Step::Read => self.read(&mut stream).await,
                Step::Send { reply, .. } => {
                    if !reply.is_positive() {
                        self.desk.metrics.refused(&reply);
                    }
                    self.dialogue.say(&mut stream, &reply).await
                }
                Step::Ask(question) => {
                    let answer = self.answer(question).await;
                    self.dialogue.machine.answer(answer);
                    Ok(())
                }
                Step::Content(octets) => {
                    if let Some(receiving) = &mut self.receiving {
                        receiving.octets.extend_from_slice(&octets);
                    }
                    Ok(())
                }
                Step::Abandon => {
                    (self.addressee, self.receiving) = (None, None);
                    Ok(())
                }
                Step::StartTls => match self.start_tls(stream).await {
                    Some(secured) => {
                        stream = secured;
                        Ok(())
                    }
                    None => return,
                },
                Step::Close => return self.dialogue.close(stream).await,
            };
            if let Err(error) = carried_on {
                tracing::debug!(%error, "connection with reports lost");
                return;
            }
        }
    }

    /// Waits for the other server: for content no longer than its place may be taken, however steadily it comes.
    async fn read<T: Transport>(&mut self, stream: &mut Stream<T>) -> io::Result<()> {
        let until = self.receiving.as_ref().map(|receiving| receiving.until);
        let reading = self.dialogue.read(stream, &self.desk.shutdown, until.is_some());
        let Some(until) = until else { return reading.await.map(drop) };
        match tokio::time::timeout_at(until, reading).await {
            Ok(read) => read.map(drop),
            Err(_) => {
                (self.addressee, self.receiving) = (None, None);
                self.dialogue.machine.end(replies::idle(), When::Now);
                Ok(())
            }
        }
    }

    /// Gives the content of a report its place, where there is one and its address has not had its share.
    fn begin(&mut self) -> Answer {
        let place = self.desk.held.enter().and_then(|mut place| place.locate(self.site).map(|()| place));
        let Ok(room) = place else { return refused(replies::reports_hurried(AGAIN_SECONDS), false) };
        let until = Instant::now() + Duration::from_secs(self.desk.limits.report_content_seconds);
        self.receiving = Some(Receiving { octets: BytesMut::new(), room, until });
        Answer::Yes
    }

    async fn start_tls<T: Transport>(&mut self, stream: Stream<T>) -> Option<Stream<T>> {
        let stream = self.dialogue.before_tls(stream).await?;
        let patience = Duration::from_secs(self.desk.limits.handshake_seconds);
        let (stream, _) = handshake(&self.desk.acceptor, stream, patience).await.ok()?;
        self.dialogue.machine.on_tls();
        Some(stream)
    }

    async fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Authenticate { .. } => refused(replies::command_not_implemented(), true),
            Question::ReversePath { path, .. } => {
                self.path = path;
                Answer::Yes
            }
            Question::ForwardPath { path, .. } => self.forward_path(&path),
            Question::Begin => self.begin(),
            Question::Accept { .. } => match self.take().await {
                Ok(()) => Answer::Yes,
                Err(reply) => refused(reply, false),
            },
        }
    }

    /// Whether a recipient is one of ours.
    fn forward_path(&mut self, path: &Address) -> Answer {
        let now = self.desk.clock.now();
        let mut pace = self.desk.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let hurried = pace.on(self.site, now);
        drop(pace);
        if let Err(seconds) = hurried {
            return refused(replies::reports_hurried(seconds), false);
        }
        match self.desk.addressee(path) {
            Some(addressee) => {
                self.addressee = Some(addressee);
                Answer::Yes
            }
            None => refused(replies::recipient_not_ours(), true),
        }
    }
}

impl<S: Store> Desk<S> {
    /// Who an address is; none where it is nobody of ours.
    fn addressee(&self, path: &Address) -> Option<Addressee> {
        let is_feedback =
            |own: &Address| own.domain() == path.domain() && own.local().eq_ignore_ascii_case(path.local());
        if self.feedback.as_ref().is_some_and(is_feedback) {
            return Some(Addressee::Feedback);
        }
        let directory = self.store.directory();
        let domain = self.dmarc.domain(path, |id| directory.domains.get(&id)).map(|domain| domain.id);
        domain.map(Addressee::Domain).or_else(|| self.token(path).ok().map(Addressee::Mail))
    }

    /// What an address names that mail went out with. Its host is that of the domain, as long as there is that.
    pub(super) fn token(&self, path: &Address) -> Result<Token, Refused> {
        let token = self.return_paths.token(path.local(), self.clock.now())?;
        let directory = self.store.directory();
        let host = token
            .domain
            .and_then(|domain| directory.domains.get(&domain))
            .and_then(|domain| relay::zone::return_path_host(domain));
        if host.is_none_or(|host| host == path.domain()) { Ok(token) } else { Err(Refused::Foreign) }
    }
}

fn refused(reply: Reply, error: bool) -> Answer {
    Answer::No { reply, error }
}
