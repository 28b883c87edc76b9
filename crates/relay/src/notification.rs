//! When a failure is told by a DSN, and under which id, so that one is neither lost nor sent twice.
//!
//! A notification is committed before the failure that it tells is settled: a crash in between loses
//! nothing. Its id follows from the message and the recipients it tells of, so that the repeated attempt
//! after such a crash finds the notification that is there already.

use aws_lc_rs::digest;
use smtp::address::{Address, ReversePath};

use crate::id::MessageId;
use crate::queue::{Envelope, Origin};

/// To whom the failures of a message are told; nobody where its reverse-path is null, where it is a
/// notification itself, or where the domain has switched bounce mails off.
pub fn addressee(envelope: &Envelope, bounce_mails: bool) -> Option<&Address> {
    match (&envelope.origin, &envelope.reverse_path) {
        (Origin::Submission, ReversePath::Mailbox(address)) if bounce_mails => Some(address),
        _ => None,
    }
}

/// Which recipients a notification tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Those that failed.
    Failed,
    /// Those that were not delivered to, because the account suppressed them.
    Suppressed,
}

/// The id of the notification of these recipients' failure, by their numbers.
pub fn id(original: MessageId, about: About, recipients: impl IntoIterator<Item = u16>) -> MessageId {
    let mut recipients: Vec<u16> = recipients.into_iter().collect();
    recipients.sort_unstable();
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"notification");
    context.update(&[u8::from(about == About::Suppressed)]);
    context.update(&original.0.to_be_bytes());
    for recipient in recipients {
        context.update(&recipient.to_be_bytes());
    }
    // the time of the original stays in front: ids sort by age
    let mut octets = original.0.to_be_bytes();
    octets[6..].copy_from_slice(&context.finish().as_ref()[..10]);
    MessageId(u128::from_be_bytes(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::Id;
    use crate::queue::ContentFacts;

    const ORIGINAL: MessageId = MessageId(0x0199_0000_0000_1234_5678_9abc_def0_1234);

    fn envelope(origin: Origin, reverse_path: &str) -> Envelope {
        Envelope {
            message: ORIGINAL,
            account: Id::new(1),
            user: None,
            domain: None,
            origin,
            reverse_path: match reverse_path {
                "" => ReversePath::Null,
                address => ReversePath::Mailbox(Address::parse(address, false).unwrap()),
            },
            recipients: Vec::new(),
            suppressed: Vec::new(),
            header_needs_smtputf8: false,
            needs_eight_bit: false,
            accepted_at: Timestamp(0),
            retry_for: None,
            sandbox: false,
            facts: ContentFacts::default(),
            session: None,
        }
    }

    #[test]
    fn failures_are_told_to_the_reverse_path_and_to_nobody_else() {
        let told =
            |origin, path, bounce_mails| addressee(&envelope(origin, path), bounce_mails).map(ToString::to_string);
        assert_eq!(told(Origin::Submission, "app@shop.example", true).as_deref(), Some("app@shop.example"));
        assert_eq!(told(Origin::Submission, "app@shop.example", false), None);
        assert_eq!(told(Origin::Submission, "", true), None);
        assert_eq!(told(Origin::Notification(ORIGINAL), "app@shop.example", true), None);
    }

    #[test]
    fn the_id_follows_from_message_and_recipients_in_any_order() {
        let one = id(ORIGINAL, About::Failed, [1, 2]);
        assert_eq!(one, id(ORIGINAL, About::Failed, [2, 1]));
        assert_ne!(one, id(ORIGINAL, About::Failed, [1]));
        assert_ne!(one, id(ORIGINAL, About::Suppressed, [1, 2]));
        assert_ne!(one, id(MessageId(ORIGINAL.0 + 1), About::Failed, [1, 2]));
        assert_eq!(one.0 >> 80, ORIGINAL.0 >> 80);
    }
}
