//! One session: carries out the machine's steps, answers its questions, keeps its times.

use relay::store::{Spool, Store};
use relay::submission::Visit;
use smtp::replies;
use smtp::reply::Reply;
use smtp::server::{About, Answer, Question, Session as Machine, Step, When};
use std::io;
use std::sync::Arc;

use super::connection::secure;
use super::dialogue::Dialogue;
use super::house::House;
use super::receiving::Receiving;
use super::stream::{Stream, Transport};
use super::unread::Unread;

/// The reply to QUIT.
const QUIT_CODE: u16 = 221;

/// One session behind its greeting.
pub(super) struct Session<S: Store> {
    /// The message that was last accepted, until something of the client's follows. Dropped before the place of the connection.
    unread: Option<Unread<S>>,
    house: Arc<House<S>>,
    dialogue: Dialogue,
    visit: Visit,
    receiving: Option<Receiving<<S as Spool>::Draft>>,
    /// The machine was told that the login is no longer valid.
    revoked: bool,
}

impl<S: Store> Session<S> {
    pub(super) fn new(house: Arc<House<S>>, machine: Machine, visit: Visit) -> Self {
        Session { unread: None, house, dialogue: Dialogue::new(machine), visit, receiving: None, revoked: false }
    }

    /// The dialogue, to its end. Whatever is rare, and takes more room than waiting for a command, is on the heap while it lasts.
    pub(super) async fn run<T: Transport>(mut self: Box<Self>, mut stream: Stream<T>) {
        loop {
            let carried_on = match self.dialogue.step() {
                Step::Read => self.read(&mut stream).await,
                Step::Send { reply, about } => self.send(&mut stream, &reply, &about).await,
                Step::Ask(question) => {
                    let is_end = matches!(question, Question::Accept { .. });
                    self.ask(question).await;
                    if let Some(unread) = self.unread.as_mut().filter(|_| is_end) {
                        unread.has_left = self.dialogue.has_left(&mut stream).await;
                    }
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
                Step::StartTls => match Box::pin(self.start_tls(stream)).await {
                    Some(secured) => {
                        stream = secured;
                        Ok(())
                    }
                    None => return,
                },
                Step::Close => return Box::pin(self.dialogue.close(stream)).await,
            };
            if let Err(error) = carried_on {
                if self.dialogue.is_closed()
                    && let Some(unread) = self.unread.take_if(|unread| !unread.has_left)
                {
                    unread.was_read();
                }
                tracing::debug!(%error, half_message = self.receiving.is_some(), "connection lost");
                return;
            }
        }
    }

    async fn read<T: Transport>(&mut self, stream: &mut Stream<T>) -> io::Result<()> {
        let has_heard = self.dialogue.read(stream, &self.house.shutdown, self.receiving.is_some()).await?;
        if has_heard && let Some(unread) = self.unread.take() {
            unread.was_read();
        }
        if has_heard
            && !self.revoked
            && let Some(reply) = self.visit.revoked(&self.house.store.directory(), self.house.clock.now())
        {
            self.revoked = true;
            self.dialogue.machine.end(reply, When::NextCommand);
        }
        Ok(())
    }

    async fn send<T: Transport>(&mut self, stream: &mut Stream<T>, reply: &Reply, about: &About) -> io::Result<()> {
        if !reply.is_positive() {
            self.house.refused(&mut self.visit, reply, about);
            if self.visit.refuses_rest() {
                self.dialogue.machine.refuse_rest();
            }
        }
        if reply.code == QUIT_CODE
            && let Some(unread) = self.unread.take()
        {
            unread.was_read();
        }
        self.dialogue.say(stream, reply).await
    }

    async fn start_tls<T: Transport>(&mut self, stream: Stream<T>) -> Option<Stream<T>> {
        let stream = self.dialogue.before_tls(stream).await?;
        let stream = secure(&self.house, &mut self.visit, stream).await?;
        self.dialogue.machine.on_tls();
        Some(stream)
    }

    async fn ask(&mut self, question: Question) {
        if matches!(question, Question::Accept { .. }) {
            let answer = Box::pin(self.accept()).await;
            return self.dialogue.machine.answer(answer);
        }
        if matches!(question, Question::Authenticate { .. }) && self.house.store.is_latched() {
            // nothing could be sent anyway, and what a failure counts could not be kept
            let reason = "The store does not work until the relay is restarted; the password was not looked at.";
            let answer = self.visit.refuse(replies::auth_unavailable(), reason);
            return self.dialogue.machine.answer(answer);
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
            Box::pin(self.house.keep_block(block)).await;
        }
        if matches!((&question, &decision.answer), (Question::Begin, Answer::Yes)) {
            match self.house.begin(&mut self.visit, &directory, self.dialogue.machine.protocol(), now) {
                Ok(receiving) => self.receiving = Some(receiving),
                Err(answer) => decision.answer = answer,
            }
        }
        self.dialogue.machine.answer(decision.answer);
        if let Some(reply) = decision.end {
            self.dialogue.machine.end(reply, When::NextCommand);
        }
    }

    /// The content ended: judged, committed, and only then accepted.
    async fn accept(&mut self) -> Answer {
        let client_name = self.dialogue.machine.client_name().unwrap_or_default();
        let admitted = self.house.admit(&mut self.visit, self.receiving.take(), client_name).await;
        match admitted {
            Err(answer) => answer,
            Ok((envelope, draft)) => match self.house.commit(&mut self.visit, &envelope, draft).await {
                Err(answer) => answer,
                Ok(()) => {
                    let queued = Answer::Queued(envelope.message.to_string());
                    self.unread = Unread::new(&self.house, &envelope, self.visit.knows_for());
                    queued
                }
            },
        }
    }
}
