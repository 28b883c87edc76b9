//! One session: carries out the machine's steps, answers its questions, keeps its times.

use bytes::BytesMut;
use relay::store::{Spool, Store};
use relay::submission::Visit;
use smtp::replies;
use smtp::reply::Reply;
use smtp::server::{About, Answer, Question, Session as Machine, Step, When};
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connection::secure;
use super::house::House;
use super::input::Input;
use super::receiving::Receiving;
use super::stream::{Stream, Transport};

/// Octets of replies that are gathered before they are written.
const OUTPUT_OCTETS_MAX: usize = 16 * 1024;
/// Octets of commands after which others have their turn: a client that pipelines without end keeps no thread.
const TURN_COMMANDS_OCTETS: usize = 2 * 1024;
/// Octets of content after which others have their turn.
const TURN_CONTENT_OCTETS: usize = 64 * 1024;
/// Room for replies that an idle session keeps.
const OUTPUT_OCTETS_IDLE: usize = 1024;

/// One session behind its greeting.
pub(super) struct Session<S: Store> {
    house: Arc<House<S>>,
    machine: Machine,
    visit: Visit,
    input: Input,
    output: BytesMut,
    receiving: Option<Receiving<<S as Spool>::Draft>>,
    /// Octets read since others had their turn.
    unshared: usize,
    /// The machine was told that the server stops.
    leaving: bool,
    /// The machine was told that the login is no longer valid.
    revoked: bool,
}

impl<S: Store> Session<S> {
    pub(super) fn new(house: Arc<House<S>>, machine: Machine, visit: Visit) -> Self {
        Session {
            house,
            machine,
            visit,
            input: Input::default(),
            output: BytesMut::new(),
            receiving: None,
            unshared: 0,
            leaving: false,
            revoked: false,
        }
    }

    /// The dialogue, to its end.
    pub(super) async fn run<T: Transport>(mut self, mut stream: Stream<T>) {
        loop {
            let carried_on = match self.machine.step(self.input.buffer()) {
                Step::Read => self.read(&mut stream).await,
                Step::Send { reply, about } => self.send(&mut stream, &reply, &about).await,
                Step::Ask(question) => {
                    self.ask(question).await;
                    Ok(())
                }
                Step::Content(octets) => {
                    if let Some(receiving) = &mut self.receiving {
                        receiving.take(octets).await;
                    }
                    Ok(())
                }
                Step::Abandon => {
                    self.receiving = None;
                    self.visit.on_abandon();
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
                tracing::debug!(%error, half_message = self.receiving.is_some(), "connection lost");
                return;
            }
        }
    }

    /// Waits for the client, at most as long as the machine is patient; wakes when the server stops.
    async fn read<T: Transport>(&mut self, stream: &mut Stream<T>) -> io::Result<()> {
        self.flush(stream).await?;
        self.input.make_room(self.receiving.is_some());
        let silence = tokio::time::sleep(self.machine.patience());
        tokio::select! {
            biased;
            () = self.house.shutdown.begun(), if !self.leaving => {
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
        if self.unshared >= if self.receiving.is_some() { TURN_CONTENT_OCTETS } else { TURN_COMMANDS_OCTETS } {
            self.unshared = 0;
            tokio::task::yield_now().await;
        }
        if !self.revoked
            && let Some(reply) = self.visit.revoked(&self.house.store.directory(), self.house.clock.now())
        {
            self.revoked = true;
            self.machine.end(reply, When::NextCommand);
        }
        Ok(())
    }

    async fn send<T: Transport>(&mut self, stream: &mut Stream<T>, reply: &Reply, about: &About) -> io::Result<()> {
        reply.render(&mut self.output);
        if !reply.is_positive() {
            self.house.refused(&mut self.visit, reply, about);
            if self.visit.refuses_rest() {
                self.machine.refuse_rest();
            }
        }
        if self.output.len() > OUTPUT_OCTETS_MAX { self.flush(stream).await } else { Ok(()) }
    }

    /// Writes all replies that are gathered, in one go.
    async fn flush<T: Transport>(&mut self, stream: &mut Stream<T>) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let write = async {
            stream.write_all(&self.output).await?;
            stream.flush().await
        };
        // a client that never reads is not waited for longer than one that never writes
        tokio::time::timeout(self.machine.patience(), write).await??;
        if self.output.capacity() > OUTPUT_OCTETS_IDLE {
            self.output = BytesMut::new();
        } else {
            self.output.clear();
        }
        Ok(())
    }

    async fn start_tls<T: Transport>(&mut self, mut stream: Stream<T>) -> Option<Stream<T>> {
        self.flush(&mut stream).await.ok()?;
        self.input.buffer().clear();
        let Stream::Clear(stream) = stream else { return None };
        let stream = secure(&self.house, &mut self.visit, stream).await?;
        self.machine.on_tls();
        Some(stream)
    }

    async fn ask(&mut self, question: Question) {
        if matches!(question, Question::Accept { .. }) {
            let answer = self.accept().await;
            return self.machine.answer(answer);
        }
        if matches!(question, Question::Authenticate { .. }) && self.house.store.is_latched() {
            // nothing could be sent anyway, and what a failure counts could not be kept
            let reason = "The store does not work until the relay is restarted; the password was not looked at.";
            let answer = self.visit.refuse(replies::auth_unavailable(), reason);
            return self.machine.answer(answer);
        }
        let (directory, now) = (self.house.store.directory(), self.house.clock.now());
        let mut dice = (self.house.dice)();
        let mut decision = self.visit.decide(&self.house.submission, &directory, &question, now, dice.as_mut());
        drop(dice);
        if let Some(login) = &decision.login {
            self.house.metrics.on_login();
            self.house.on_login(login);
            tracing::info!(user = %login.user, remote = %login.address, "logged in");
        }
        if let Some(block) = decision.block.take() {
            self.house.keep_block(block).await;
        }
        if matches!((&question, &decision.answer), (Question::Begin, Answer::Yes)) {
            match self.house.begin(&mut self.visit, &directory, self.machine.protocol(), now) {
                Ok(receiving) => self.receiving = Some(receiving),
                Err(answer) => decision.answer = answer,
            }
        }
        self.machine.answer(decision.answer);
        if let Some(reply) = decision.end {
            self.machine.end(reply, When::NextCommand);
        }
    }

    /// The content ended: judged, committed, and only then accepted.
    async fn accept(&mut self) -> Answer {
        let client_name = self.machine.client_name().unwrap_or_default();
        let admitted = self.house.admit(&mut self.visit, self.receiving.take(), client_name).await;
        match admitted {
            Err(answer) => answer,
            Ok((envelope, draft)) => match self.house.commit(&mut self.visit, &envelope, draft).await {
                Err(answer) => answer,
                Ok(()) => Answer::Queued(envelope.message.to_string()),
            },
        }
    }
}
