//! Letters that the relay itself writes to people: plain text, in any language, readable everywhere.

use crate::composition::{self, Composition, Mailbox};

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// What the sender is called, and its address.
    pub from: (&'a str, &'a str),
    /// What the recipient is called, and their address.
    pub to: (&'a str, &'a str),
    /// The Subject.
    pub subject: &'a str,
    /// The text, its lines ended by LF.
    pub text: &'a str,
    /// Its language (BCP 47).
    pub language: &'a str,
    /// When it is written, in seconds since 1970.
    pub seconds: u64,
    /// Message-ID, without angle brackets.
    pub message_id: &'a str,
}

/// The letter as content (RFC 5322): 7-bit lines in CRLF, so that every next hop can take it. It says that no person wrote
/// it, so that nothing answers by itself (RFC 3834 §5).
///
/// # Errors
/// The library could not write it.
pub fn compose(letter: &Letter<'_>) -> std::io::Result<Vec<u8>> {
    let mailbox = |(name, address)| Mailbox { name: Some(name), address };
    composition::write(&Composition {
        from: mailbox(letter.from),
        to: vec![mailbox(letter.to)],
        subject: letter.subject,
        fields: vec![("Auto-Submitted", "auto-generated"), ("Content-Language", letter.language)],
        text: Some(letter.text),
        seconds: letter.seconds,
        message_id: letter.message_id,
        ..Composition::default()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_read_as_it_was_written() {
        let text =
            "Bonjour Éloïse,\n\nVotre invitation : https://console.example.com/choose-password?token=abc\n\n.\nFin\n";
        let letter = Letter {
            from: ("Relais Québec", "envoi@example.com"),
            to: ("Éloïse", "eloise@example.net"),
            subject: "Votre accès à la console",
            text,
            language: "fr",
            seconds: 1_800_000_000,
            message_id: "01A@mx.example.com",
        };
        let content = compose(&letter).unwrap();
        assert!(content.is_ascii());
        let plain = String::from_utf8(content.clone()).unwrap();
        assert!(!plain.replace("\r\n", "").contains(['\r', '\n']), "only CRLF ends a line");
        assert!(plain.split("\r\n").all(|line| line.len() <= 998));
        let read = mail_parser::MessageParser::default().parse(&content).unwrap();
        let from = read.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Relais Québec"), Some("envoi@example.com")));
        assert_eq!(read.to().unwrap().first().unwrap().name(), Some("Éloïse"));
        assert_eq!(read.subject(), Some("Votre accès à la console"));
        assert_eq!(read.message_id(), Some("01A@mx.example.com"));
        assert_eq!(read.date().unwrap().to_timestamp(), 1_800_000_000);
        assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), text);
        assert!(plain.contains("Auto-Submitted: auto-generated\r\n") && plain.contains("Content-Language: fr\r\n"));
    }
}
