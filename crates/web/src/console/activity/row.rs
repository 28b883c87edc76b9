//! A row of Activity as lists show it.

use relay::service::view::ActivityView;

use crate::console::reasons;
use crate::console::words::Words;

/// An address in two parts, so that a narrow column breaks between them.
pub(in crate::console) struct Address {
    /// With the `@`.
    pub(in crate::console) local: String,
    pub(in crate::console) domain: String,
}

impl Address {
    pub(in crate::console) fn new(address: &str) -> Address {
        let at = address.rfind('@').map_or(0, |at| at + 1);
        Address { local: address[..at].to_owned(), domain: address[at..].to_owned() }
    }

    pub(in crate::console) fn is_empty(&self) -> bool {
        self.local.is_empty() && self.domain.is_empty()
    }
}

/// A recipient and what became of it.
pub(in crate::console) struct Row {
    pub(in crate::console) number: u64,
    pub(in crate::console) recipient: Address,
    pub(in crate::console) sender: Address,
    pub(in crate::console) subject: String,
    /// The message that stands where there is none.
    pub(in crate::console) no_subject: &'static str,
    pub(in crate::console) slug: &'static str,
    pub(in crate::console) status: String,
    /// Why, in one line; empty where all is well.
    pub(in crate::console) why: String,
    pub(in crate::console) stamp: String,
    pub(in crate::console) time: String,
}

impl Row {
    pub(in crate::console) fn new(words: &Words, row: &ActivityView) -> Row {
        let mut why = why(words, row);
        if let Some(delayed) = delayed(words, row, jiff::Timestamp::now()) {
            why.push(' ');
            why.push_str(&delayed);
        }
        Row {
            number: row.row,
            recipient: Address::new(&row.recipient),
            sender: Address::new(&row.sender),
            subject: row.subject.clone(),
            no_subject: no_subject(row),
            slug: slug(&row.status),
            status: words.t(&format!("status-{}", slug(&row.status))),
            why,
            stamp: words.stamp(&row.at),
            time: words.recent(&row.at),
        }
    }
}

/// The message that stands in place of a subject: a message that was refused before its content came has none that is
/// known.
pub(super) fn no_subject(row: &ActivityView) -> &'static str {
    let of_content = ["from-", "content-", "header-"].iter().any(|about| row.reference.starts_with(about));
    let has_come = row.status != "rejected" || row.message.is_some() || of_content;
    if has_come { "activity-subject-none" } else { "activity-subject-unknown" }
}

/// The word of a status in classes and names of messages.
pub(in crate::console) fn slug(status: &str) -> &'static str {
    match status {
        "rejected" => "rejected",
        "accepted" => "accepted",
        "delivered" => "delivered",
        "deferred" => "deferred",
        "soft_bounce" => "soft",
        "hard_bounce" => "hard",
        "complaint" => "complaint",
        _ => "pending",
    }
}

/// Where a recipient waits for so long that its message counts as delayed, that and since when, in a sentence.
pub(super) fn delayed(words: &Words, row: &ActivityView, now: jiff::Timestamp) -> Option<String> {
    let accepted: jiff::Timestamp = row.at.parse().ok().filter(|_| row.delayed == Some(true))?;
    let waits = u64::try_from(now.as_second() - accepted.as_second()).unwrap_or_default();
    Some(words.count("why-delayed", (waits / 3600).max(1)))
}

fn why(words: &Words, row: &ActivityView) -> String {
    if row.sandbox && row.status == "delivered" {
        return words.t("why-sandbox");
    }
    let mut why = reasons::of_row(words, row).cause;
    if why.is_empty() && row.status == "pending" {
        why = words.t("why-waiting");
    }
    if row.count > 1 && row.message.is_none() && !row.reason.contains("further refusals") {
        why.push(' ');
        why.push_str(&words.count("why-times", row.count));
    }
    why
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(status: &str) -> ActivityView {
        serde_json::from_value(serde_json::json!({
            "row": 1, "at": "2026-11-29T10:00:00Z", "updated_at": "2026-11-29T10:00:00Z", "status": status,
            "recipient": "a@example.org", "sender": "", "subject": "", "message": null, "account": 1, "user": null,
            "domain": null, "session": null, "reason": "", "reply": "", "reference": "", "attempts": 3, "count": 1,
            "sandbox": false, "held": null, "last_attempt": null,
        }))
        .unwrap()
    }

    #[test]
    fn what_was_refused_before_its_content_has_no_subject_that_is_known() {
        assert_eq!(no_subject(&row("rejected")), "activity-subject-unknown");
        assert_eq!(no_subject(&row("delivered")), "activity-subject-none");
        let refused = |reference: &str| ActivityView { reference: reference.to_owned(), ..row("rejected") };
        assert_eq!(no_subject(&refused("sender-domain-foreign")), "activity-subject-unknown");
        assert_eq!(no_subject(&refused("from-missing")), "activity-subject-none");
        let kept = ActivityView { message: Some("a".to_owned()), ..refused("recipient-suppressed") };
        assert_eq!(no_subject(&kept), "activity-subject-none");
    }

    #[test]
    fn what_is_delayed_says_since_when() {
        let words = Words::new(relay::language::Language::English);
        let shown = |is_delayed, now: &str| {
            let row = ActivityView { delayed: is_delayed, ..row("deferred") };
            delayed(&words, &row, now.parse().unwrap())
        };
        assert_eq!(shown(None, "2026-11-29T15:30:00Z"), None);
        assert_eq!(shown(Some(false), "2026-11-29T15:30:00Z"), None);
        let five = shown(Some(true), "2026-11-29T15:30:00Z");
        assert_eq!(five.as_deref(), Some("Delayed: accepted 5 hours ago."));
        // a clock that went back
        let back = shown(Some(true), "2026-11-29T09:00:00Z");
        assert_eq!(back.as_deref(), Some("Delayed: accepted an hour ago."));
    }
}
