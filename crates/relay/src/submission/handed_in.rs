//! A message handed in over HTTP: whoever asks is known already, and no slot is taken. From there on it is judged as over
//! SMTP, by the same questions.

use smtp::replies;
use smtp::reply::Reply;
use smtp::server::Answer;
use std::net::IpAddr;

use super::{Attempts, Identity, Visit};
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::{MessageId, SessionId};
use crate::policy;
use crate::queue::{Envelope, OVER_HTTP};
use crate::smtp_user::SmtpUser;

/// What became of a message that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its id, given beforehand.
    pub message: MessageId,
    /// Whether it was taken responsibility for: it is on disk then.
    pub is_kept: bool,
    /// Its Message-ID, where it is kept.
    pub message_id: String,
    /// Recipients that are delivered to.
    pub accepted: Vec<String>,
    /// The others.
    pub refused: Vec<RefusedRecipient>,
    /// What refused the message as a whole, if anything did.
    pub refusal: Option<Reply>,
    /// Seconds after which it is worth another try, where the rate refused it.
    pub retry_after: Option<u64>,
}

/// A recipient that nothing is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecipient {
    /// As it was given.
    pub recipient: String,
    /// What an SMTP client would have heard.
    pub reply: Reply,
}

impl Receipt {
    /// Nothing has happened yet.
    pub fn new(message: MessageId) -> Self {
        Receipt {
            message,
            is_kept: false,
            message_id: String::new(),
            accepted: Vec::new(),
            refused: Vec::new(),
            refusal: None,
            retry_after: None,
        }
    }

    /// A recipient is not delivered to.
    pub fn refuse(&mut self, recipient: String, reply: Reply) {
        self.refused.push(RefusedRecipient { recipient, reply });
    }

    /// None of those accepted so far is delivered to.
    pub fn refuse_accepted(&mut self, reply: &Reply) {
        for recipient in std::mem::take(&mut self.accepted) {
            self.refuse(recipient, reply.clone());
        }
    }

    /// The message is about to be kept: what its envelope makes of each recipient. Over SMTP a suppressed one hears
    /// nothing of it; here it is told.
    pub fn on_envelope(&mut self, envelope: &Envelope) {
        self.accepted = envelope.recipients.iter().map(ToString::to_string).collect();
        for suppressed in &envelope.suppressed {
            self.refuse(suppressed.to_string(), replies::recipient_suppressed());
        }
        self.message_id.clone_from(&envelope.facts.message_id);
    }
}

impl Visit {
    /// A message that is handed in over HTTP from `remote`, and gets this id if it is kept.
    pub fn over_http(session: SessionId, remote: IpAddr, message: MessageId) -> Self {
        Visit {
            session,
            remote: remote.to_canonical(),
            tls: OVER_HTTP.to_owned(),
            place: None,
            identity: None,
            attempts: Attempts::default(),
            transaction: None,
            ended: None,
            reason: None,
            is_told: false,
            reserved: Some(message),
            wait: None,
            knows_for: None,
        }
    }

    /// It is to be sent as this SMTP user, for whom the caller may submit.
    ///
    /// # Errors
    /// The answer that refuses it: the user or its account is not active, or not from here.
    pub fn on_caller(&mut self, user: &SmtpUser, directory: &Directory, now: Timestamp) -> Result<(), Answer> {
        policy::handing_in(user, directory, self.remote, now).map_err(|refusal| self.no(refusal))?;
        self.identity = Some(Identity { user: user.id, account: user.account, domain: user.domain, password: None });
        Ok(())
    }

    /// Seconds after which the message is worth another try, where the rate refused it.
    pub fn retry_after(&self) -> Option<u64> {
        self.wait
    }
}
