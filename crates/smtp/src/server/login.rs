//! AUTH in a session: when it may come, and what its answer means (RFC 4954).

use super::{About, Answer, Asked, Phase, Question, Session};
use crate::replies;
use crate::sasl::{self, Progress};

impl Session {
    /// AUTH in the clear: the name is read for the owner's sake, the secret dropped (RFC 4954 §4).
    pub(super) fn on_auth_in_clear(&mut self, argument: &str) {
        let about = sasl::username_in(argument).map_or(About::Session, About::Username);
        self.error(replies::auth_encryption(), about);
    }

    pub(super) fn on_auth(&mut self, argument: &str) {
        if self.transaction.is_some() {
            self.error(replies::auth_in_transaction(), About::Session);
        } else if self.authenticated {
            self.error(replies::auth_twice(), About::Session);
        } else if self.hello.is_none() {
            self.error(replies::wrong_order("send EHLO first"), About::Session);
        } else {
            self.on_exchange(sasl::begin(argument));
        }
    }

    pub(super) fn on_exchange(&mut self, progress: Progress) {
        match progress {
            Progress::Challenge(challenge, exchange) => {
                self.phase = Phase::Auth(exchange);
                self.send(replies::auth_continue(challenge), About::Session);
            }
            Progress::Credentials { username, secret, mechanism } => {
                let asked = Asked::Authenticate { username: username.clone() };
                self.ask(asked, Question::Authenticate { username, secret, mechanism });
            }
            Progress::Refused(reply, username) => {
                let about = username.map_or(About::Session, About::Username);
                if reply.reference == replies::auth_invalid().reference {
                    self.on_failed_login(reply, about);
                } else {
                    self.error(reply, about);
                }
            }
        }
    }

    pub(super) fn on_authenticated(&mut self, answer: Answer, username: String) {
        let about = About::Username(username);
        match answer {
            Answer::Yes | Answer::YesAt(_) | Answer::Queued(_) => {
                self.authenticated = true;
                self.send(replies::auth_done(), about);
            }
            Answer::No { reply, error: true } => self.on_failed_login(reply, about),
            Answer::No { reply, error: false } => self.send(reply, about),
            Answer::Close(reply) => self.close(reply, about),
        }
    }

    /// The refusal is said first: many mailers show nothing but the reply to AUTH itself.
    fn on_failed_login(&mut self, reply: crate::reply::Reply, about: About) {
        self.authentication_failures += 1;
        self.send(reply, about);
        if self.authentication_failures >= self.settings.authentication_failures_max {
            self.close(replies::auth_failures_max(), About::Session);
        }
    }
}
