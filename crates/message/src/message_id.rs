//! Message-ID: reading the client's, making ours (RFC 5322 §3.6.4).

/// Characters kept of a Message-ID: a line's worth.
const CHARACTERS_MAX: usize = 998;

/// The `<left@right>` in a Message-ID field's value; the bare text where it has no angle brackets.
pub(crate) fn read(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let bracketed = text.find('<').and_then(|open| {
        let close = text[open..].find('>')?;
        Some(text[open..=open + close].to_owned())
    });
    let read = bracketed.unwrap_or_else(|| text.trim().to_owned());
    read.chars().take(CHARACTERS_MAX).collect()
}

/// A new one. A domain with non-ASCII would make the message need SMTPUTF8: then `hostname` stands in.
pub(crate) fn make(message: &str, domain: &str, hostname: &str) -> String {
    let right = if domain.is_ascii() && !domain.is_empty() { domain } else { hostname };
    format!("<{message}@{right}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_stands_in_angle_brackets() {
        assert_eq!(read(b" <a.1@example.com>\r\n"), "<a.1@example.com>");
        assert_eq!(read(b" (comment) <a@b> trailing\r\n"), "<a@b>");
        assert_eq!(read(b" a@b \r\n"), "a@b");
        assert_eq!(read(b" <a@b\r\n"), "<a@b");
        assert_eq!(read(b"\r\n"), "");
    }

    #[test]
    fn makes_an_ascii_one() {
        assert_eq!(make("01ABC", "example.com", "relay.example.net"), "<01ABC@example.com>");
        assert_eq!(make("01ABC", "exämple.com", "relay.example.net"), "<01ABC@relay.example.net>");
    }
}
