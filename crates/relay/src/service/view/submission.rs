//! What became of a message that was handed in, as it is shown.

use serde::{Deserialize, Serialize};
use smtp::reply::Reply;
use utoipa::ToSchema;

use super::ViewPage;
use crate::submission::Receipt;

views! {
    /// What became of a message that was handed in.
    SubmissionView {
        /// Its id; none where it is not kept, and nothing is sent.
        message: Option<String>,
        /// Its Message-ID, angle brackets included.
        message_id: Option<String>,
        /// Recipients that it is delivered to.
        accepted: Vec<String>,
        /// Recipients that nothing is sent to, and why.
        refused: Vec<RefusedRecipientView>,
        /// What refused the message as a whole, where something did.
        refusal: Option<ReplyView>,
        /// Seconds after which it is worth another try, where that can be said.
        retry_after: Option<u64>,
    }
    /// A recipient that nothing is sent to.
    RefusedRecipientView {
        /// As it was given.
        recipient: String,
        /// What an SMTP client hears in its place.
        reply: ReplyView,
    }
    /// A reply of SMTP.
    ReplyView {
        /// The reply code.
        code: u16,
        /// The enhanced status code (RFC 3463).
        status: Option<String>,
        /// Its text.
        text: String,
        /// Its stable name in the catalogue.
        reference: String,
    }
}

impl From<&Receipt> for SubmissionView {
    fn from(receipt: &Receipt) -> Self {
        let refused = receipt.refused.iter().map(|refused| RefusedRecipientView {
            recipient: refused.recipient.clone(),
            reply: ReplyView::from(&refused.reply),
        });
        SubmissionView {
            message: receipt.is_kept.then(|| receipt.message.to_string()),
            message_id: receipt.is_kept.then(|| receipt.message_id.clone()),
            accepted: receipt.accepted.clone(),
            refused: refused.collect(),
            refusal: receipt.refusal.as_ref().map(ReplyView::from),
            retry_after: receipt.retry_after,
        }
    }
}

impl SubmissionView {
    /// Why nothing is sent to anybody, if so: the reply to the message, or the first to a recipient.
    pub fn why_nothing(&self) -> Option<&ReplyView> {
        if !self.accepted.is_empty() {
            return None;
        }
        // it only says that each recipient was refused
        let refusal = self.refusal.as_ref().filter(|reply| reply.reference != "no-recipients");
        refusal.or_else(|| self.refused.first().map(|refused| &refused.reply)).or(self.refusal.as_ref())
    }
}

impl SubmissionView {
    /// Whether nothing is sent to anybody, and would not be if it came again as it is.
    pub fn is_refused_for_good(&self) -> bool {
        self.why_nothing().is_some_and(|why| !matches!(why.reference.as_str(), "store-failed" | "shutting-down"))
    }
}

/// `550 5.7.1 …`, as it goes over the wire.
impl std::fmt::Display for ReplyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.status {
            Some(status) => write!(f, "{} {status} {}", self.code, self.text),
            None => write!(f, "{} {}", self.code, self.text),
        }
    }
}

impl From<&Reply> for ReplyView {
    fn from(reply: &Reply) -> Self {
        ReplyView {
            code: reply.code,
            status: reply.enhanced.map(|status| status.to_string()),
            text: reply.text(),
            reference: reply.reference.unwrap_or_default().to_owned(),
        }
    }
}
