//! Each command of a session: whether it may come now, and what it asks (RFC 5321 §4.1, §4.3).

use super::{
    About, Answer, Asked, CLIENT_NAME_OCTETS_MAX, Hello, Phase, Question, Refusal, Security, Service, Session, Step,
    Transaction,
};
use crate::address::Address;
use crate::command::{self, PathArgument, PathFault, Verb};
use crate::envelope::{self, RcptParameters};
use crate::replies;
use crate::reply::Reply;
use std::borrow::Cow;

/// Said where brackets do not close: there is no address to be judged.
const BRACKETS: &str = "it has no closing bracket";

impl Session {
    pub(super) fn on_command(&mut self, line: &str) {
        let (verb, argument) = Verb::split(line);
        if verb == Verb::Quit {
            // 221 even where the session was to end anyway
            return self.close(replies::bye(), About::Session);
        }
        if let Some(reply) = self.revoked.take() {
            return self.close(reply, About::Session);
        }
        if verb == Verb::Http && self.hello.is_none() {
            return self.close(replies::not_http(), About::Session);
        }
        match verb {
            Verb::Ehlo => self.on_hello(argument, true),
            Verb::Helo => self.on_hello(argument, false),
            Verb::Noop => self.send(replies::done(), About::Session),
            Verb::Help => self.send(replies::help(), About::Session),
            Verb::Rset => self.on_rset(argument),
            Verb::StartTls => self.on_starttls(argument),
            Verb::Auth if self.settings.service == Service::Reports => {
                self.error(replies::command_not_implemented(), About::Session);
            }
            Verb::Auth if self.security == Security::Clear => self.on_auth_in_clear(argument),
            // its octets follow whatever we say
            Verb::Bdat => self.on_bdat(argument),
            _ if self.lacks_tls() => self.error(replies::tls_required(), About::Session),
            Verb::Auth => self.on_auth(argument),
            Verb::Mail => self.on_mail(argument),
            Verb::Rcpt => self.on_rcpt(argument),
            Verb::Data => self.on_data(argument),
            Verb::Vrfy => self.send(replies::vrfy(), About::Session),
            Verb::Expn => self.send(replies::command_not_implemented(), About::Session),
            Verb::Http | Verb::Unknown | Verb::Quit => self.error(replies::command_unknown(), About::Session),
        }
    }

    fn on_hello(&mut self, argument: &str, extended: bool) {
        if argument.is_empty() {
            let form = if extended { "EHLO hostname" } else { "HELO hostname" };
            return self.error(replies::argument_invalid(form), About::Session);
        }
        let end = argument.floor_char_boundary(CLIENT_NAME_OCTETS_MAX);
        self.hello = Some(Hello { name: argument[..end].to_owned(), extended });
        self.excused = 0;
        let hostname = &self.settings.hostname;
        let reply = match extended {
            true => replies::extended_hello(hostname, self.keywords()),
            false => replies::hello(hostname),
        };
        self.send(reply, About::Session);
        self.abandon();
    }

    /// What EHLO lists: what works fully, and nothing else.
    fn keywords(&self) -> Vec<Cow<'static, str>> {
        let settings = &self.settings;
        let mut keywords = vec![
            Cow::Borrowed("PIPELINING"),
            Cow::Owned(format!("SIZE {}", settings.message_octets_max)),
            Cow::Borrowed("8BITMIME"),
            Cow::Borrowed("SMTPUTF8"),
            Cow::Borrowed("ENHANCEDSTATUSCODES"),
        ];
        if settings.service == Service::Submission {
            keywords.push(Cow::Borrowed("DSN"));
            keywords.push(Cow::Borrowed("MT-PRIORITY"));
        }
        keywords.push(Cow::Borrowed("CHUNKING"));
        let limits = format!("LIMITS RCPTMAX={} MAILMAX={}", settings.recipients_max, settings.messages_max);
        keywords.push(Cow::Owned(limits));
        match (self.security, settings.service) {
            (Security::Clear, _) => keywords.push(Cow::Borrowed("STARTTLS")),
            (Security::Tls, Service::Submission) => {
                // never in the clear (RFC 8689 §2)
                keywords.push(Cow::Borrowed("REQUIRETLS"));
                keywords.push(Cow::Borrowed("AUTH PLAIN LOGIN"));
            }
            (Security::Tls, Service::Reports) => {}
        }
        keywords
    }

    fn on_rset(&mut self, argument: &str) {
        if !argument.is_empty() {
            return self.error(replies::argument_invalid("RSET"), About::Session);
        }
        self.excused = 0;
        self.send(replies::done(), About::Session);
        self.abandon();
    }

    fn on_starttls(&mut self, argument: &str) {
        if self.security == Security::Tls {
            return self.error(replies::tls_active(), About::Session);
        }
        if !argument.is_empty() {
            return self.error(replies::argument_invalid("STARTTLS"), About::Session);
        }
        self.send(replies::tls_ready(), About::Session);
        self.steps.push_back(Step::StartTls);
        self.phase = Phase::Handshake;
    }

    fn on_mail(&mut self, argument: &str) {
        if self.lacks_login() {
            return self.error(replies::auth_required(), About::Session);
        }
        if self.hello.is_none() {
            return self.error(replies::wrong_order("send EHLO first"), About::Session);
        }
        if self.transaction.is_some() {
            return self.error(replies::wrong_order("a transaction is under way; RSET ends it"), About::Session);
        }
        if self.messages >= self.settings.messages_max {
            return self.close(replies::messages_max(self.settings.messages_max), About::Session);
        }
        // until it is granted, what was pipelined behind it is excused
        self.excuse();
        let found = match PathArgument::parse(argument, "FROM:") {
            Ok(found) => found,
            Err(PathFault::Argument) => {
                let form = "MAIL FROM:<address> [parameters]";
                return self.error(replies::argument_invalid(form), About::Session);
            }
            Err(PathFault::Path) => {
                return self.error(replies::sender_syntax(BRACKETS), About::Sender(argument.to_owned()));
            }
        };
        let about = About::Sender(found.path.to_owned());
        let parameters = match command::mail_parameters(found.parameters) {
            Ok(parameters) => parameters,
            Err(reply) => return self.error(reply, about),
        };
        if parameters.require_tls && self.settings.service == Service::Reports {
            return self.error(replies::parameter_unknown("REQUIRETLS"), about);
        }
        let path = match envelope::reverse_path(found.path, parameters.smtputf8) {
            Ok(path) => path,
            Err(reply) => return self.error(reply, about),
        };
        if parameters.size.is_some_and(|size| size > self.settings.message_octets_max) {
            return self.send(replies::too_large(self.settings.message_octets_max), about);
        }
        let asked = Asked::ReversePath { sender: found.path.to_owned(), smtputf8: parameters.smtputf8 };
        self.ask(asked, Question::ReversePath { path, parameters });
    }

    pub(super) fn on_reverse_path(&mut self, answer: Answer, sender: String, smtputf8: bool) {
        let about = About::Sender(sender);
        match answer {
            Answer::Yes | Answer::YesAt(_) | Answer::Queued(_) => {
                self.excused = 0;
                self.messages += 1;
                self.transaction = Some(Transaction { smtputf8, ..Transaction::default() });
                let reply = match answer {
                    Answer::YesAt(priority) => replies::priority_changed(priority),
                    _ => replies::sender_done(),
                };
                self.send(reply, about);
            }
            Answer::No { reply, error } => self.refuse(Refusal { reply, about, error, ends: false }),
            Answer::Close(reply) => self.close(reply, about),
        }
    }

    fn on_rcpt(&mut self, argument: &str) {
        if self.lacks_login() {
            return self.error(replies::auth_required(), About::Session);
        }
        let smtputf8 = match &self.transaction {
            Some(Transaction { chunks: Some(_), .. }) => {
                return self.error(replies::wrong_order("the content has begun; RSET ends it"), About::Session);
            }
            Some(Transaction { refused: true, .. }) => {
                let path = PathArgument::parse(argument, "TO:").map_or(argument, |found| found.path);
                return self.send(replies::all_or_nothing(), About::Recipient(path.to_owned()));
            }
            Some(transaction) => transaction.smtputf8,
            None => {
                let refusal = self.wrong_order("send MAIL first");
                return self.refuse(refusal);
            }
        };
        let found = match PathArgument::parse(argument, "TO:") {
            Ok(found) => found,
            Err(PathFault::Argument) => {
                return self.error(replies::argument_invalid("RCPT TO:<address>"), About::Session);
            }
            Err(PathFault::Path) => {
                return self.on_bad_recipient(replies::recipient_syntax(BRACKETS), argument);
            }
        };
        let read = command::rcpt_parameters(found.parameters, smtputf8)
            .and_then(|parameters| Ok((envelope::forward_path(found.path, smtputf8)?, parameters)));
        match read {
            Ok((path, parameters)) => self.on_recipient(path, parameters, found.path),
            Err(reply) => self.on_bad_recipient(reply, found.path),
        }
    }

    fn on_bad_recipient(&mut self, reply: Reply, recipient: &str) {
        self.tried();
        self.error(reply, About::Recipient(recipient.to_owned()));
    }

    fn on_recipient(&mut self, path: Address, parameters: RcptParameters, recipient: &str) {
        let max = self.settings.recipients_max;
        let recipient = recipient.to_owned();
        if self.tried() >= max {
            // the limit was announced and is no error: many mailers send to those before it
            return self.send(replies::recipients_max(max), About::Recipient(recipient));
        }
        self.ask(Asked::ForwardPath { recipient }, Question::ForwardPath { path, parameters });
    }

    /// A recipient came; how many are accepted.
    fn tried(&mut self) -> usize {
        self.transaction.as_mut().map_or(0, |transaction| {
            transaction.tried = true;
            transaction.accepted
        })
    }

    pub(super) fn on_forward_path(&mut self, answer: Answer, recipient: String) {
        let about = About::Recipient(recipient);
        match answer {
            Answer::Yes | Answer::YesAt(_) | Answer::Queued(_) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.accepted += 1;
                }
                self.send(replies::recipient_done(), about);
            }
            Answer::No { reply, error } => self.refuse(Refusal { reply, about, error, ends: false }),
            Answer::Close(reply) => self.close(reply, about),
        }
    }
}
