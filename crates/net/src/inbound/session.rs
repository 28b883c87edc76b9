//! One session: carries out the machine's steps and answers its questions.

use bytes::BytesMut;
use relay::return_path::{Refused, Token};
use relay::site::Site;
use relay::store::Store;
use smtp::address::{Address, ReversePath};
use smtp::replies;
use smtp::reply::Reply;
use smtp::server::{Answer, Question, Session as Machine, Step, When};
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

use super::Desk;
use crate::submission::input::Input;
use crate::submission::stream::{Stream, Transport, handshake};

/// Octets of replies that are gathered before they are written.
const OUTPUT_OCTETS_MAX: usize = 16 * 1024;
/// Octets after which others have their turn.
const TURN_OCTETS: usize = 64 * 1024;
/// When whoever finds too many reports at once may come again, seconds.
const AGAIN_SECONDS: u64 = 30;

/// To whom a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addressee {
    /// To an address that mail went out with.
    Mail(Token),
    /// To the one for complaints.
    Feedback,
}

/// The content of a report on its way.
pub(super) struct Receiving {
    pub(super) octets: BytesMut,
    /// Its place among those that are held in memory.
    _room: OwnedSemaphorePermit,
}

/// One session behind its greeting.
pub(super) struct Session<S> {
    pub(super) desk: Arc<Desk<S>>,
    machine: Machine,
    site: Site,
    input: Input,
    output: BytesMut,
    /// The sender of the transaction is nobody.
    pub(super) is_null: bool,
    pub(super) addressee: Option<Addressee>,
    pub(super) receiving: Option<Receiving>,
    /// Octets read since others had their turn.
    unshared: usize,
    leaving: bool,
}

impl<S: Store> Session<S> {
    pub(super) fn new(desk: Arc<Desk<S>>, machine: Machine, site: Site) -> Self {
        Session {
            desk,
            machine,
            site,
            input: Input::default(),
            output: BytesMut::new(),
            is_null: false,
            addressee: None,
            receiving: None,
            unshared: 0,
            leaving: false,
        }
    }

    /// The dialogue, to its end.
    pub(super) async fn run<T: Transport>(mut self, mut stream: Stream<T>) {
        loop {
            let carried_on = match self.machine.step(self.input.buffer()) {
                Step::Read => self.read(&mut stream).await,
                Step::Send { reply, .. } => self.send(&mut stream, &reply).await,
                Step::Ask(question) => {
                    let answer = self.answer(question).await;
                    self.machine.answer(answer);
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
                Step::Close => return stream.close(&self.output, self.machine.patience()).await,
            };
            if let Err(error) = carried_on {
                tracing::debug!(%error, "connection with reports lost");
                return;
            }
        }
    }

    async fn read<T: Transport>(&mut self, stream: &mut Stream<T>) -> io::Result<()> {
        self.flush(stream).await?;
        self.input.make_room(self.receiving.is_some());
        let silence = tokio::time::sleep(self.machine.patience());
        tokio::select! {
            biased;
            () = self.desk.shutdown.begun(), if !self.leaving => {
                self.leaving = true;
                self.machine.end(replies::shutting_down(), When::BetweenTransactions);
                return Ok(());
            }
            read = stream.read_buf(self.input.buffer()) => match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                octets => self.unshared += octets,
            },
            () = silence => {
                self.machine.end(replies::idle(), When::Now);
                return Ok(());
            }
        }
        if self.unshared >= TURN_OCTETS {
            self.unshared = 0;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn send<T: Transport>(&mut self, stream: &mut Stream<T>, reply: &Reply) -> io::Result<()> {
        reply.render(&mut self.output);
        if !reply.is_positive() {
            self.desk.metrics.refused(reply);
        }
        if self.output.len() > OUTPUT_OCTETS_MAX { self.flush(stream).await } else { Ok(()) }
    }

    async fn flush<T: Transport>(&mut self, stream: &mut Stream<T>) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let write = async {
            stream.write_all(&self.output).await?;
            stream.flush().await
        };
        tokio::time::timeout(self.machine.patience(), write).await??;
        self.output.clear();
        Ok(())
    }

    async fn start_tls<T: Transport>(&mut self, mut stream: Stream<T>) -> Option<Stream<T>> {
        self.flush(&mut stream).await.ok()?;
        self.input.buffer().clear();
        let Stream::Clear(stream) = stream else { return None };
        let patience = Duration::from_secs(self.desk.limits.handshake_seconds);
        let (stream, _) = handshake(&self.desk.acceptor, stream, patience).await.ok()?;
        self.machine.on_tls();
        Some(stream)
    }

    async fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Authenticate { .. } => refused(replies::command_not_implemented(), true),
            Question::ReversePath { path, .. } => {
                self.is_null = path == ReversePath::Null;
                Answer::Yes
            }
            Question::ForwardPath { path, .. } => self.forward_path(&path),
            Question::Begin => match Arc::clone(&self.desk.held).try_acquire_owned() {
                Ok(room) => {
                    self.receiving = Some(Receiving { octets: BytesMut::new(), _room: room });
                    Answer::Yes
                }
                Err(_) => refused(replies::reports_hurried(AGAIN_SECONDS), false),
            },
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
        self.token(path).ok().map(Addressee::Mail)
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
