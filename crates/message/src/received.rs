//! The trace field we put in front (RFC 5321 §4.4, RFC 3848, RFC 6710 §4.1).

use crate::admission::Stamp;
use crate::date;

/// The Received field for a stamp, line ends included.
///
/// After `from` stands the session's id, which is a domain by the grammar and says nothing of the
/// client's address or user to strangers, yet finds the session in our own records.
pub(crate) fn field(stamp: &Stamp) -> String {
    let Stamp { hostname, session, protocol, message, seconds, .. } = stamp;
    let date = date::rfc5322(*seconds);
    // a non-ASCII address here would make an otherwise plain header need SMTPUTF8
    let recipient = stamp.recipient.as_deref().filter(|address| address.is_ascii());
    let recipient = recipient.map(|address| format!("\r\n\tfor <{address}>")).unwrap_or_default();
    // what was asked for, whatever priority the message gets (RFC 6710 §10)
    let priority = stamp.priority.map(|priority| format!("\r\n\tPRIORITY {priority}")).unwrap_or_default();
    let clauses = format!("with {protocol} id {message}{recipient}{priority}");
    format!("Received: from {session} by {hostname}\r\n\t{clauses};\r\n\t{date}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(recipient: Option<&str>) -> Stamp {
        Stamp {
            hostname: "relay.example.com".into(),
            session: "01SESSION".into(),
            protocol: "ESMTPSA",
            message: "01MESSAGE".into(),
            recipient: recipient.map(Into::into),
            priority: None,
            seconds: 1_795_469_441,
            domain: "example.com".into(),
            unsubscribe: None,
        }
    }

    #[test]
    fn follows_the_grammar() {
        assert_eq!(
            field(&stamp(Some("bob@example.net"))),
            "Received: from 01SESSION by relay.example.com\r\n\twith ESMTPSA id 01MESSAGE\r\n\
             \tfor <bob@example.net>;\r\n\tMon, 23 Nov 2026 21:30:41 +0000\r\n"
        );
        assert!(field(&stamp(None)).contains("id 01MESSAGE;\r\n\tMon"));
    }

    #[test]
    fn names_the_priority_that_was_asked_for_behind_all_else() {
        for (recipient, priority, clauses) in [
            (None, -4, "id 01MESSAGE\r\n\tPRIORITY -4;\r\n\tMon"),
            (None, 0, "id 01MESSAGE\r\n\tPRIORITY 0;\r\n\tMon"),
            (Some("bob@example.net"), 9, "\r\n\tfor <bob@example.net>\r\n\tPRIORITY 9;\r\n\tMon"),
        ] {
            let field = field(&Stamp { priority: Some(priority), ..stamp(recipient) });
            assert!(field.contains(clauses), "{field}");
        }
    }

    #[test]
    fn never_names_a_recipient_that_would_need_smtputf8() {
        let field = field(&stamp(Some("bøb@example.net")));
        assert!(field.is_ascii());
        assert!(!field.contains("for"));
    }
}
