//! Whom a message names in its header section: the envelope that it has where nobody gives another.

use std::collections::HashSet;

use crate::header::fields;
use crate::mailbox::mailboxes;

/// The addresses of a header section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressed {
    /// The address in From, where there is exactly one.
    pub from: Option<String>,
    /// Those in To, Cc and Bcc, each once, in their order.
    pub recipients: Vec<String>,
    /// A field whose addresses cannot be read: nobody is guessed from it.
    pub unreadable: Option<&'static str>,
}

/// Reads the header section that `content` begins with. Once there are more than `most` recipients it looks for no further
/// ones: the message has too many in any case.
pub fn read(content: &[u8], most: usize) -> Addressed {
    let (mut found, mut authors) = (Addressed::default(), Vec::new());
    let mut seen = HashSet::new();
    for field in fields(content) {
        let Some(name) = ["From", "To", "Cc", "Bcc"].into_iter().find(|name| field.is(name)) else { continue };
        match mailboxes(field.value) {
            Ok(named) if name == "From" => authors.extend(named.into_iter().map(|mailbox| mailbox.0)),
            Ok(named) => {
                let new = named.into_iter().map(|mailbox| mailbox.0).filter(|address| seen.insert(address.clone()));
                found.recipients.extend(new);
                if found.recipients.len() > most {
                    break;
                }
            }
            Err(_) => drop(found.unreadable.get_or_insert(name)),
        }
    }
    if let [only] = &mut *authors {
        found.from = Some(std::mem::take(only));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_is_found_once() {
        let content = b"From: Shop <shop@Example.com>\r\nTo: a@x.example, \"B, b\" <b@x.example>\r\n\
            CC: Team: c@x.example, a@x.example;\r\nBcc: d@x.example\r\nSubject: To: e@x.example\r\n\r\nTo: f@x.example\r\n";
        let found = read(content, 50);
        assert_eq!(found.from.as_deref(), Some("shop@example.com"));
        assert_eq!(found.recipients, ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]);
        assert_eq!(found.unreadable, None);
    }

    #[test]
    fn many_recipients_are_read_in_no_time_and_no_further_than_is_asked() {
        let many: Vec<_> = (0..100_000).map(|number| format!("r{number}@x.example")).collect();
        let content = format!("To: {}\r\nCc: one@y.example\r\n\r\n", many.join(",\r\n "));
        assert_eq!(read(content.as_bytes(), usize::MAX).recipients.len(), 100_001);
        let cut = read(content.as_bytes(), 50).recipients;
        assert!(cut.len() > 50 && !cut.contains(&"one@y.example".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let found = read(b"From: a@x.example, b@x.example\nTo: <a@x.example\n\n", 50);
        assert_eq!((found.from, found.unreadable), (None, Some("To")));
        assert_eq!(read(b"", 50), Addressed::default());
    }
}
